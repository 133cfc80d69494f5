//! What a source file imports, in the words of its language.
//! Knows nothing of which files there are; `resolve` finds what is meant.

use serde::{Deserialize, Serialize};
use tree_sitter::{Node, TreeCursor};

use super::{Language, tree::tree};

/// Imports of one file that are taken.
const IMPORTS_MAX: usize = 2000;
/// Bytes of one name that are taken.
const NAME_BYTES_MAX: usize = 512;

/// How an import names what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// A module of its own, of which the file says that it is there: `mod name;` of Rust.
    Module,
    /// A file, relative to the importing one: `./a`, `"a.h"`.
    File,
    /// A name that the language has rules for: `crate::a::b`, `..a.b`, `@scope/a`, `com.a.B`, `<a/b.h>`.
    Name,
}

/// One thing that a file imports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Import {
    /// How it is named.
    pub how: How,
    /// The name, without quotes or keywords.
    pub name: String,
    /// The line, from 1.
    pub line: u32,
}

/// What a file imports, each name once, in the order of first lines; empty for languages without a grammar and for what cannot
/// be parsed in time.
pub fn imports(path: &str, bytes: &[u8]) -> Vec<Import> {
    let Some(language) = Language::of(path) else { return Vec::new() };
    let Some(tree) = tree(language, bytes) else { return Vec::new() };
    let mut reader = Reader { bytes, found: Vec::new() };
    walk(&mut tree.walk(), &mut |node| match language {
        Language::C | Language::Cpp => reader.include(node),
        Language::Go => reader.go(node),
        Language::Java => reader.java(node),
        Language::JavaScript | Language::TypeScript | Language::Tsx => reader.script(node),
        Language::Python => reader.python(node),
        Language::Rust => reader.rust(node),
    });
    let mut seen = std::collections::HashSet::new();
    reader.found.retain(|import| seen.insert((import.how, import.name.clone())));
    reader.found
}

/// Whether what is inside a node is looked at too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Further {
    In,
    Past,
}

fn walk(cursor: &mut TreeCursor, visit: &mut dyn FnMut(Node) -> Further) {
    loop {
        let node = cursor.node();
        if node.is_named() && visit(node) == Further::In && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    found: Vec<Import>,
}

impl<'a> Reader<'a> {
    fn text(&self, node: Node) -> &'a str {
        node.utf8_text(self.bytes).unwrap_or_default()
    }

    fn add(&mut self, how: How, name: &str, node: Node) {
        let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
        if !name.is_empty() && name.len() <= NAME_BYTES_MAX && self.found.len() < IMPORTS_MAX {
            let line = u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX);
            self.found.push(Import { how, name, line });
        }
    }

    fn quoted(&self, node: Node) -> &'a str {
        self.text(node).trim_matches(['"', '\'', '`'])
    }

    fn include(&mut self, node: Node) -> Further {
        match node.kind() {
            "preproc_include" => {
                if let Some(path) = node.child_by_field_name("path") {
                    let text = self.text(path);
                    match path.kind() {
                        "system_lib_string" => self.add(How::Name, text.trim_matches(['<', '>']), node),
                        "string_literal" => self.add(How::File, text.trim_matches('"'), node),
                        _ => {}
                    }
                }
                Further::Past
            }
            // An include is at the top, behind conditions, or in a namespace or `extern "C"`.
            "function_definition" | "struct_specifier" | "class_specifier" | "declaration" | "template_declaration" => {
                Further::Past
            }
            _ => Further::In,
        }
    }

    fn go(&mut self, node: Node) -> Further {
        match node.kind() {
            "import_spec" => {
                if let Some(path) = node.child_by_field_name("path") {
                    self.add(How::Name, self.quoted(path), node);
                }
                Further::Past
            }
            "source_file" | "import_declaration" | "import_spec_list" => Further::In,
            _ => Further::Past,
        }
    }

    fn java(&mut self, node: Node) -> Further {
        match node.kind() {
            "import_declaration" => {
                let text = self.text(node).trim_start_matches("import").trim().trim_end_matches(';');
                self.add(How::Name, text.strip_prefix("static ").unwrap_or(text), node);
                Further::Past
            }
            "program" => Further::In,
            _ => Further::Past,
        }
    }

    fn script(&mut self, node: Node) -> Further {
        let source = match node.kind() {
            "import_statement" | "export_statement" | "import_require_clause" => node.child_by_field_name("source"),
            "call_expression" => {
                let called = node.child_by_field_name("function").map(|function| self.text(function));
                let arguments = node.child_by_field_name("arguments");
                arguments.filter(|_| matches!(called, Some("require" | "import"))).and_then(|a| a.named_child(0))
            }
            _ => None,
        };
        if let Some(source) = source.filter(|source| source.kind() == "string") {
            let name = self.quoted(source);
            let how = if name.starts_with('.') { How::File } else { How::Name };
            self.add(how, name, node);
        }
        Further::In
    }

    fn python(&mut self, node: Node) -> Further {
        let mut cursor = node.walk();
        match node.kind() {
            "import_statement" => {
                for name in node.children_by_field_name("name", &mut cursor) {
                    self.add(How::Name, self.text(unaliased(name)), node);
                }
            }
            "import_from_statement" => {
                let module = node.child_by_field_name("module_name").map_or("", |module| self.text(module));
                let joint = if module.ends_with('.') { "" } else { "." };
                let mut any = false;
                for name in node.children_by_field_name("name", &mut cursor) {
                    any = true;
                    self.add(How::Name, &format!("{module}{joint}{}", self.text(unaliased(name))), node);
                }
                if !any {
                    self.add(How::Name, module, node);
                }
            }
            _ => return Further::In,
        }
        Further::Past
    }

    fn rust(&mut self, node: Node) -> Further {
        match node.kind() {
            "mod_item" if node.child_by_field_name("body").is_none() => {
                let (inside, name) = (self.modules_around(node), self.name_of(node));
                match self.path_attribute(node) {
                    Some(path) => self.add(How::File, path, node),
                    None => self.add(How::Module, &[inside, vec![name]].concat().join("::"), node),
                }
                Further::Past
            }
            "use_declaration" => {
                if let Some(argument) = node.child_by_field_name("argument") {
                    self.used("", argument);
                }
                Further::Past
            }
            "extern_crate_declaration" => {
                self.add(How::Name, self.name_of(node), node);
                Further::Past
            }
            "scoped_identifier" | "scoped_type_identifier" => {
                let text = self.text(node);
                if ["crate::", "super::"].iter().any(|start| text.starts_with(start)) {
                    self.rust_name(text, node);
                }
                Further::Past
            }
            _ => Further::In,
        }
    }

    fn used(&mut self, before: &str, node: Node) {
        let under = |text: &str| if before.is_empty() { text.to_owned() } else { format!("{before}::{text}") };
        match node.kind() {
            "use_list" => {
                let mut cursor = node.walk();
                let all: Vec<Node> = node.named_children(&mut cursor).collect();
                all.into_iter().for_each(|inner| self.used(before, inner));
            }
            "scoped_use_list" => {
                let path = node.child_by_field_name("path").map_or("", |path| self.text(path));
                if let Some(list) = node.child_by_field_name("list") {
                    self.used(&under(path), list);
                }
            }
            "use_as_clause" => {
                if let Some(path) = node.child_by_field_name("path") {
                    self.used(before, path);
                }
            }
            "use_wildcard" => match node.named_child(0) {
                Some(path) => self.used(before, path),
                None => self.rust_name(before, node),
            },
            "identifier" | "scoped_identifier" | "crate" | "super" | "self" => {
                let name = under(self.text(node));
                self.rust_name(name.strip_suffix("::self").unwrap_or(&name), node);
            }
            _ => {}
        }
    }

    /// A path as it would be written at the top of the file, where `super` of an inline module is the file's own.
    fn rust_name(&mut self, path: &str, node: Node) {
        let path: String = path.chars().filter(|c| !c.is_whitespace()).collect();
        let path = path.trim_start_matches("::");
        if !path.starts_with("super") && !path.starts_with("self") {
            return self.add(How::Name, path, node);
        }
        let mut inside = self.modules_around(node);
        let mut parts = path.split("::").peekable();
        while parts.next_if_eq(&"self").is_some() {}
        while !inside.is_empty() && parts.next_if_eq(&"super").is_some() {
            inside.pop();
        }
        let up = parts.peek() == Some(&"super");
        let start = if up { Vec::new() } else { [vec!["self"], inside].concat() };
        let name = start.into_iter().chain(parts).collect::<Vec<_>>().join("::");
        self.add(How::Name, &name, node);
    }

    fn name_of(&self, node: Node) -> &'a str {
        node.child_by_field_name("name").map_or("", |name| self.text(name))
    }

    /// The inline modules that a node is in, the outermost first.
    fn modules_around(&self, node: Node) -> Vec<&'a str> {
        let mut names: Vec<&str> = std::iter::successors(node.parent(), Node::parent)
            .filter(|around| around.kind() == "mod_item")
            .map(|around| self.name_of(around))
            .collect();
        names.reverse();
        names
    }

    /// What `#[path = "…"]` above an item says.
    fn path_attribute(&self, node: Node) -> Option<&'a str> {
        let above = std::iter::successors(node.prev_sibling(), Node::prev_sibling);
        let attributes = above.take_while(|node| matches!(node.kind(), "attribute_item" | "line_comment"));
        attributes.map(|node| self.text(node)).find_map(|text| {
            let inner = text.trim_start_matches("#[").trim();
            let value = inner.strip_prefix("path")?.trim_start().strip_prefix('=')?;
            value.trim().trim_end_matches(']').trim().strip_prefix('"')?.strip_suffix('"')
        })
    }
}

/// The name itself of `name as other`.
fn unaliased(node: Node) -> Node {
    node.child_by_field_name("name").filter(|_| node.kind() == "aliased_import").unwrap_or(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, source: &str, wanted: &str) {
        let found = imports(path, source.as_bytes());
        let shown = found.iter().map(|import| match import.how {
            How::Module => format!("{}:mod {}", import.line, import.name),
            How::File => format!("{}:'{}'", import.line, import.name),
            How::Name => format!("{}:{}", import.line, import.name),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), wanted, "{path}: {source}");
    }

    #[test]
    fn rust_names_modules_and_paths() {
        check(
            "a.rs",
            "mod a;\npub mod b { mod c; }\n#[cfg(x)]\n#[path = \"x/y.rs\"]\nmod d;",
            "1:mod a 2:mod b::c 5:'x/y.rs'",
        );
        check(
            "a.rs",
            "use crate::{a::{self, B}, c::*, /* no */ d as e};\nuse std::fs;\nextern crate f;",
            "1:crate::a 1:crate::a::B 1:crate::c 1:crate::d 2:std::fs 3:f",
        );
        check("a.rs", "fn f() { crate::sys::go(); let x: super::Y = a::b(); }", "1:crate::sys::go 1:super::Y");
        check(
            "a.rs",
            "mod tests {\n use super::*;\n use super::super::b;\n mod deep { use super::super::c; use self::d; }\n}",
            "2:self 3:super::b 4:self::c 4:self::tests::deep::d",
        );
        check("a.rs", "use {a::b, ::c::d};", "1:a::b 1:c::d");
    }

    #[test]
    fn python_names_modules_and_what_it_takes_of_them() {
        check("a.py", "import os, a.b as c\nfrom a.b import c as d, e", "1:os 1:a.b 2:a.b.c 2:a.b.e");
        check("a.py", "from . import x\nfrom ..y import z\nfrom .w import *\n", "1:.x 2:..y.z 3:.w");
        check("a.py", "def f():\n    try:\n        import late\n    except ImportError: pass", "3:late");
    }

    #[test]
    fn scripts_import_require_and_pass_on() {
        check(
            "a.ts",
            "import a, { b } from './a';\nexport * from \"../b\";\nimport type { T } from '@x/t';",
            "1:'./a' 2:'../b' 3:@x/t",
        );
        check(
            "a.js",
            "const a = require('./a'), b = require(name);\nimport('./late');\nimport './style.css';",
            "1:'./a' 2:'./late' 3:'./style.css'",
        );
        check("a.tsx", "import x = require('./x');\nconst y = <div>{import('./y')}</div>;", "1:'./x' 2:'./y'");
    }

    #[test]
    fn go_java_and_c_name_packages_classes_and_headers() {
        check(
            "a.go",
            "package a\nimport \"fmt\"\nimport (\n  b \"x.y/b\"\n  . \"x.y/c\"\n)\n",
            "2:fmt 4:x.y/b 5:x.y/c",
        );
        check(
            "A.java",
            "package a;\nimport a.b.C;\nimport static a.D.e;\nimport a.f.*;\nclass A {}",
            "2:a.b.C 3:a.D.e 4:a.f.*",
        );
        check(
            "a.c",
            "#include \"a/b.h\"\n#ifdef X\n#include <c/d.h>\n#endif\nint f() { return 0; }",
            "1:'a/b.h' 3:c/d.h",
        );
        check(
            "a.hpp",
            "#pragma once\nextern \"C\" {\n#include \"c.h\"\n}\nnamespace n {\n#include \"d.inc\"\n}",
            "3:'c.h' 6:'d.inc'",
        );
    }

    #[test]
    fn what_is_no_source_or_broken_says_what_it_can() {
        check("a.md", "use crate::a;", "");
        check("a.rs", "use crate::a;\nfn {{{ \u{0} use", "1:crate::a");
        check("a.rs", "use crate::a;\nuse crate::a;", "1:crate::a");
        assert_eq!(imports("a.rs", &[0xff, 0xfe, b'u']), Vec::new());
        assert_eq!(
            imports("a.py", "import a\n".repeat(1 << 18).as_bytes()),
            Vec::new(),
            "too long to be written by hand"
        );
        assert_eq!(imports("a.js", "(".repeat(100_000).as_bytes()), Vec::new(), "deep, and no stack is lost");
    }
}
