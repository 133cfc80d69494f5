//! Whether a file keeps the rules of its language, and if not, where it breaks them first.
//! Knows nothing of what the file means, and starts no program.

use serde::de::IgnoredAny;
use tree_sitter::{Node, Tree};

use super::{
    Language,
    tree::{SOURCE_BYTES_MAX, tree},
};
use crate::text::{clean_line, cut};

/// Columns of a file's own text that are shown.
const SHOWN_COLUMNS_MAX: usize = 60;
/// Files whose JSON may have comments and trailing commas, by what their names begin with.
const LENIENT: [&str; 4] = ["tsconfig", "jsconfig", "devcontainer", ".eslintrc"];

/// The first place where a file breaks the rules of its language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong there, one line for people.
    pub what: String,
}

/// What is known of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It parses.
    Good,
    /// It does not.
    Broken(Break),
    /// It does not by a grammar that knows the language without its preprocessor; so it may be good.
    Doubtful(Break),
    /// Nobody here knows its language, or it is too long to have been written by hand.
    Unknown,
}

/// Looks at a file; its language is that of its name.
pub fn check(path: &str, bytes: &[u8]) -> Checked {
    if bytes.len() > SOURCE_BYTES_MAX {
        return Checked::Unknown;
    }
    if let Some(language) = Language::of(path) {
        let Some(tree) = tree(language, bytes) else { return Checked::Unknown };
        return match (first_error(&tree, bytes), language) {
            (None, _) => Checked::Good,
            // What a macro stands for is in another file.
            (Some(found), Language::C | Language::Cpp) => Checked::Doubtful(found),
            (
                Some(found),
                Language::Go
                | Language::Java
                | Language::JavaScript
                | Language::Python
                | Language::Rust
                | Language::TypeScript
                | Language::Tsx,
            ) => Checked::Broken(found),
        };
    }
    let Some(form) = Form::of(path) else { return Checked::Unknown };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Checked::Broken(Break { line: 1, what: "it is not UTF-8".to_owned() });
    };
    form.check(text.trim_start_matches('\u{feff}'))
}

/// A language of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Toml,
    Yaml,
}

impl Form {
    fn of(path: &str) -> Option<Self> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (_, extension) = name.rsplit_once('.')?;
        let is_lenient = parent.ends_with(".vscode") || LENIENT.iter().any(|start| name.starts_with(start));
        match extension.to_ascii_lowercase().as_str() {
            "json" if is_lenient => None,
            "json" | "ipynb" | "webmanifest" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    fn check(self, text: &str) -> Checked {
        let (line, what) = match self {
            Self::Json => match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => return Checked::Good,
                Err(error) => {
                    let told = error.to_string();
                    (error.line(), told.split_once(" at line ").map_or(told.as_str(), |(what, _)| what).to_owned())
                }
            },
            Self::Toml => match toml::from_str::<toml::Table>(text) {
                Ok(_) => return Checked::Good,
                Err(error) => {
                    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
                    (before.matches('\n').count() + 1, error.message().to_owned())
                }
            },
            // Charts and playbooks fill such gaps before anybody reads the file as YAML.
            Self::Yaml if text.contains("{{") || text.contains("{%") => return Checked::Unknown,
            Self::Yaml => match saphyr_parser::Parser::new_from_str(text).find_map(Result::err) {
                None => return Checked::Good,
                Some(error) => (error.marker().line(), error.info().to_owned()),
            },
        };
        Checked::Broken(Break { line: u32::try_from(line).unwrap_or(u32::MAX).max(1), what: clean_line(&what) })
    }
}

/// The first thing in a tree that the grammar had to mend.
fn first_error(tree: &Tree, bytes: &[u8]) -> Option<Break> {
    let mut cursor = tree.walk();
    if !cursor.node().has_error() {
        return None;
    }
    loop {
        let node = cursor.node();
        if node.is_missing() {
            let what = format!("'{}' is missing", clean_line(node.kind()));
            return Some(Break { line: line_of(node.start_position().row), what });
        }
        if node.is_error() {
            return Some(unreadable(node, bytes));
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}

/// What to say of a piece that fits nowhere.
fn unreadable(node: Node, bytes: &[u8]) -> Break {
    // Most of a long piece may be good in itself; what is bad in it is deeper, or it is its end that never comes.
    let mut cursor = node.walk();
    let deeper = node.children(&mut cursor).find(|child| child.is_error() || child.is_missing());
    let (node, is_open) = match deeper {
        Some(child) => (child, false),
        None => (node, node.end_byte() >= bytes.trim_ascii_end().len() && node.child_count() > 1),
    };
    let (first, last) = (line_of(node.start_position().row), line_of(node.end_position().row));
    let text = String::from_utf8_lossy(bytes.get(node.byte_range()).unwrap_or_default()).into_owned();
    let begins = cut(&clean_line(text.trim().lines().next().unwrap_or_default()), SHOWN_COLUMNS_MAX);
    let what = match () {
        () if is_open && last > first => format!("'{begins}' begins what is never ended"),
        () if last > first => format!("'{begins}' and what follows up to line {last} cannot be parsed"),
        () => format!("'{begins}' cannot be parsed"),
    };
    Break { line: first, what }
}

fn line_of(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_says(path: &str, source: &str, wanted: &str) {
        let said = match check(path, source.as_bytes()) {
            Checked::Good => "good".to_owned(),
            Checked::Broken(Break { line, what }) => format!("{line}: {what}"),
            Checked::Doubtful(Break { line, what }) => format!("perhaps {line}: {what}"),
            Checked::Unknown => "unknown".to_owned(),
        };
        assert_eq!(said, wanted, "{path}: {source}");
    }

    #[test]
    fn every_language_is_read() {
        for (path, source) in [
            ("a.rs", "fn main() { let x = 1; }\n"),
            ("a.py", "async def f(x, /, *, y: int = 1) -> None:\n    match x:\n        case 1: ...\n"),
            ("a.js", "export const a = async () => ({ ...b?.c ?? 1n });\n"),
            ("a.ts", "const a = <T,>(x: T) => x satisfies unknown;\n"),
            ("a.tsx", "const a = <div>{1}</div>;\n"),
            ("a.go", "package a\n\nfunc f[T any](x T) T { return x }\n"),
            ("A.java", "record A(int b) { sealed interface C permits D {} final class D implements C {} }\n"),
            ("a.c", "#include <a.h>\nint main(void) { return 0; }\n"),
            ("a.hpp", "template <typename T> concept C = requires(T t) { t.a(); };\n"),
            ("a.json", "{\"a\": [1, 2]}"),
            ("a.toml", "a = 1\n[b]\n"),
            ("a.yml", "a: [1, 2]\nb:\n  - c: |\n      d\n---\ne: f\n"),
        ] {
            check_says(path, source, "good");
        }
    }

    #[test]
    fn what_is_broken_is_named_with_its_line() {
        check_says("a.rs", "fn a() {}\nfn b() {\n    let x = ;\n}\n", "3: '=' cannot be parsed");
        check_says("a.py", "def f():\n    return (1\n", "2: 'return (1' cannot be parsed");
        check_says("a.go", "package a\n\nfunc f( {\n}\n", "3: ')' is missing");
        check_says("a.json", "{\n  \"a\": 1,\n}\n", "3: key must be a string");
        check_says("a.toml", "a = 1\nb = \n", "2: string values must be quoted, expected literal string");
        check_says("a.yaml", "a: 1\n b: 2\n", "2: mapping values are not allowed in this context");
        check_says("a.c", "int a(void) {\n", "perhaps 1: '}' is missing");
    }

    #[test]
    fn what_nobody_knows_is_not_blamed() {
        check_says("README.md", "](((", "unknown");
        check_says("tsconfig.json", "{ // so\n}", "unknown");
        check_says(".vscode/settings.json", "{ // so\n}", "unknown");
        check_says("chart/a.yaml", "a: {{ .Values.a }}\n  b", "unknown");
        check_says("a.rs", &"fn".repeat(SOURCE_BYTES_MAX), "unknown");
    }
}
