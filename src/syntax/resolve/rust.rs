//! Modules of Rust: the file tree of a crate, `crate`, `self`, `super`, and crates of the same workspace.
//! Knows nothing of re-exports: a name that a module passes on means that module.

use super::sources::{Sources, dir_of, join, name_of};
use crate::syntax::{How, Import};

pub(super) fn resolve(sources: &Sources, from: &str, import: &Import) -> Vec<u32> {
    let own = Module::of(sources, from);
    let parts: Vec<&str> = import.name.split("::").collect();
    let found = match import.how {
        How::File => sources.at(&join(dir_of(from), &import.name)),
        How::Module => own.below(sources, &parts, Whole::Yes),
        How::Name => match parts.as_slice() {
            ["crate", rest @ ..] => own.root(sources).below(sources, rest, Whole::No),
            ["self", rest @ ..] => own.below(sources, rest, Whole::No),
            ["super", ..] => {
                let up = parts.iter().take_while(|part| **part == "super").count();
                own.above(up).and_then(|module| module.below(sources, &parts[up..], Whole::No))
            }
            [name, rest @ ..] => match sources.manifests.crates.get(*name) {
                Some((dir, root)) => Module::library(sources, dir, root.as_deref())
                    .and_then(|library| library.below(sources, rest, Whole::No)),
                // A module that the file itself declares.
                None => own.below(sources, &parts[..1], Whole::Yes).and_then(|_| own.below(sources, &parts, Whole::No)),
            },
            [] => None,
        },
    };
    found.into_iter().collect()
}

/// Whether a path must name a module to its end, or may end in something of the module before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// A module: where the modules below it are, and how far it is from its crate's root.
#[derive(Debug, Clone)]
struct Module {
    /// The directory of the crate's root module.
    root: String,
    /// Its own file; none where it is not known which.
    file: Option<u32>,
    /// Names from the root to it.
    path: Vec<String>,
}

impl Module {
    fn of(sources: &Sources, path: &str) -> Self {
        let crate_dir = sources.manifests.crate_of(path).unwrap_or_default();
        let inside = path.strip_prefix(crate_dir).unwrap_or(path).trim_start_matches('/');
        let parts: Vec<&str> = inside.split('/').collect();
        let depth = match parts.as_slice() {
            ["src", "bin", _] => 2,
            ["src", "bin", ..] => 3,
            ["src", ..] => 1,
            // A program of several files, or modules beside programs of one.
            ["tests" | "benches" | "examples", program, _, ..] => {
                let main = join(crate_dir, &format!("{}/{program}/main.rs", parts[0]));
                1 + usize::from(sources.at(&main).is_some())
            }
            ["tests" | "benches" | "examples", ..] => 1,
            _ => parts.len() - 1,
        };
        let root = join(crate_dir, &parts[..depth].join("/"));
        let mut path_: Vec<String> = parts[depth..].iter().map(|part| (*part).to_owned()).collect();
        let file = path_.pop().unwrap_or_default();
        let is_program =
            path_.is_empty() && matches!(parts[..depth], ["src", "bin"] | ["tests" | "benches" | "examples"]);
        let stem = file.strip_suffix(".rs").unwrap_or(&file);
        let is_root = path_.is_empty() && matches!(stem, "lib" | "main");
        if stem != "mod" && !is_root && !is_program {
            path_.push(stem.to_owned());
        }
        Self { root, file: sources.at(path), path: path_ }
    }

    fn library(sources: &Sources, dir: &str, root: Option<&str>) -> Option<Self> {
        let file = root.map_or_else(|| join(dir, "src/lib.rs"), str::to_owned);
        Some(Self { root: dir_of(&file).to_owned(), file: Some(sources.at(&file)?), path: Vec::new() })
    }

    fn root(&self, sources: &Sources) -> Self {
        if self.path.is_empty() {
            return self.clone();
        }
        let file = ["lib.rs", "main.rs"].iter().find_map(|name| sources.at(&join(&self.root, name)));
        Self { root: self.root.clone(), file, path: Vec::new() }
    }

    fn above(&self, up: usize) -> Option<Self> {
        let kept = self.path.len().checked_sub(up)?;
        Some(Self { root: self.root.clone(), file: None, path: self.path[..kept].to_vec() })
    }

    /// The file of the module that a path from here names, or of the last module on the way.
    fn below(&self, sources: &Sources, parts: &[&str], whole: Whole) -> Option<u32> {
        let here: Vec<&str> = self.path.iter().map(String::as_str).collect();
        for end in (0..=parts.len()).rev() {
            if end < parts.len() && whole == Whole::Yes {
                return None;
            }
            if end == 0 && self.file.is_some() {
                return self.file;
            }
            let path = [&here[..], &parts[..end]].concat();
            if let Some(found) = file_of(sources, &self.root, &path) {
                return Some(found);
            }
        }
        None
    }
}

fn file_of(sources: &Sources, root: &str, path: &[&str]) -> Option<u32> {
    let joined = path.join("/");
    if path.is_empty() {
        return ["lib.rs", "main.rs", "mod.rs"].iter().find_map(|name| sources.at(&join(root, name)));
    }
    let name = name_of(&joined);
    // What is written with `r#` has a file without it.
    let plain = join(root, &join(dir_of(&joined), name.trim_start_matches("r#")));
    sources.at(&format!("{plain}.rs")).or_else(|| sources.at(&format!("{plain}/mod.rs")))
}

#[cfg(test)]
mod tests {
    use super::super::sources::tests::{check, sources};

    #[test]
    fn modules_of_a_workspace() {
        let sources = sources(
            "src/lib.rs src/main.rs src/a.rs src/a/deep.rs src/b/mod.rs src/b/c.rs src/bin/tool.rs src/bin/big/main.rs \
             src/bin/big/part.rs tests/git.rs tests/git/merges.rs tests/kit/mod.rs tests/cli/main.rs tests/cli/run.rs \
             crates/core/src/lib.rs crates/core/src/x.rs crates/odd/root.rs crates/odd/y.rs src/match_.rs",
            &[
                ("Cargo.toml", "[package]\nname = \"git-tool\"\n[workspace]\n"),
                ("crates/core/Cargo.toml", "[package]\nname = \"tool-core\"\n"),
                ("crates/odd/Cargo.toml", "[package]\nname = \"x\"\n[lib]\nname = \"odd\"\npath = \"root.rs\"\n"),
            ],
        );
        check(&sources, "src/lib.rs", "mod a; pub mod b; mod gone;", "src/a.rs src/b/mod.rs");
        check(
            &sources,
            "src/a.rs",
            "mod deep;\nuse crate::b::{self, c::Thing};",
            "src/a/deep.rs src/b/mod.rs src/b/c.rs",
        );
        check(
            &sources,
            "src/a/deep.rs",
            "use super::Thing;\nuse super::super::b::X;\nuse crate::Y;",
            "src/a.rs src/b/mod.rs src/lib.rs",
        );
        check(&sources, "src/b/mod.rs", "mod c;\nuse self::c::X;\nuse c::Y;", "src/b/c.rs src/b/c.rs src/b/c.rs");
        check(&sources, "src/b/c.rs", "use super::super::super::X;", "");
        check(
            &sources,
            "src/bin/tool.rs",
            "use git_tool::a::deep::X;\nuse tool_core::x::Y;\nuse serde::X;",
            "src/a/deep.rs crates/core/src/x.rs",
        );
        check(&sources, "src/bin/big/main.rs", "mod part;", "src/bin/big/part.rs");
        check(&sources, "src/bin/big/part.rs", "use crate::X;", "src/bin/big/main.rs");
        check(
            &sources,
            "tests/git.rs",
            "mod kit;\n#[path = \"git/merges.rs\"]\nmod merges;",
            "tests/kit/mod.rs tests/git/merges.rs",
        );
        check(&sources, "tests/cli/main.rs", "mod run;\nuse git_tool::b::Z;", "tests/cli/run.rs src/b/mod.rs");
        check(&sources, "tests/cli/run.rs", "use crate::X;", "tests/cli/main.rs");
        check(
            &sources,
            "crates/core/src/x.rs",
            "use crate::Y;\nuse odd::y::Z;",
            "crates/core/src/lib.rs crates/odd/y.rs",
        );
        check(&sources, "src/main.rs", "use a::b;\nuse c::d;", "src/a.rs");
    }
}
