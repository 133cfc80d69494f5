//! What manifests say of names: crates, Go modules, packages of a workspace, paths of a TypeScript project.
//! Knows nothing of sources; a manifest that cannot be read says nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::sources::{dir_of, join, name_of};

/// Manifests that are read; a repository with more keeps other people's packages.
const MANIFESTS_MAX: usize = 2000;

/// What the manifests of a repository say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifests {
    /// Rust crates by the name that sources use: the directory, and the root file where the manifest names one.
    pub(super) crates: BTreeMap<String, (String, Option<String>)>,
    /// Directories of crates.
    pub(super) crate_dirs: Vec<String>,
    /// Go modules: path and directory.
    go_modules: BTreeMap<String, String>,
    /// Packages of scripts by name: the directory, and the file that stands for it.
    pub(super) packages: BTreeMap<String, (String, Option<String>)>,
    /// Of each directory with a `tsconfig.json`: patterns of names, with what they stand for from the root.
    pub(super) aliases: BTreeMap<String, Vec<(String, Vec<String>)>>,
}

impl Manifests {
    /// The files that should be read, of all that there are.
    pub fn wanted<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
        let names = ["Cargo.toml", "go.mod", "package.json", "tsconfig.json", "jsconfig.json", "tsconfig.base.json"];
        let is_wanted = |path: &&str| {
            names.contains(&name_of(path)) && !path.split('/').any(|part| part == "node_modules" || part == "vendor")
        };
        paths.filter(is_wanted).take(MANIFESTS_MAX).collect()
    }

    /// What these files say: path and content each.
    pub fn read<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut manifests = Self::default();
        for (path, bytes) in files {
            let text = String::from_utf8_lossy(bytes);
            let dir = dir_of(path).to_owned();
            match name_of(path) {
                "Cargo.toml" => manifests.cargo(dir, &text),
                "go.mod" => {
                    let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
                    let module = module.and_then(|rest| rest.split_whitespace().next());
                    manifests.go_modules.extend(module.map(|module| (module.trim_matches('"').to_owned(), dir)));
                }
                "package.json" => manifests.package(dir, &text),
                _ => manifests.tsconfig(dir, &text),
            }
        }
        manifests
    }

    fn cargo(&mut self, dir: String, text: &str) {
        let Ok(table) = text.parse::<toml::Table>() else { return };
        let of = |section: &str, key: &str| Some(table.get(section)?.get(key)?.as_str()?.to_owned());
        if let Some(name) = of("lib", "name").or_else(|| of("package", "name")) {
            let root = of("lib", "path").map(|path| join(&dir, &path));
            self.crates.insert(name.replace('-', "_"), (dir.clone(), root));
            self.crate_dirs.push(dir);
        }
    }

    fn package(&mut self, dir: String, text: &str) {
        let Ok(package) = serde_json::from_str::<Value>(text) else { return };
        let Some(name) = package["name"].as_str() else { return };
        let main = ["source", "types", "module", "main"].iter().find_map(|key| package[*key].as_str());
        let main = main.map(|main| join(&dir, main));
        self.packages.insert(name.to_owned(), (dir, main));
    }

    fn tsconfig(&mut self, dir: String, text: &str) {
        let Ok(config) = serde_json::from_str::<Value>(&plain_json(text)) else { return };
        let options = &config["compilerOptions"];
        let base = join(&dir, options["baseUrl"].as_str().unwrap_or("."));
        let mut aliases = Vec::new();
        for (pattern, targets) in options["paths"].as_object().into_iter().flatten() {
            let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
            aliases.push((pattern.clone(), targets.map(|target| join(&base, target)).collect()));
        }
        if options["baseUrl"].is_string() {
            aliases.push(("*".to_owned(), vec![join(&base, "*")]));
        }
        if !aliases.is_empty() {
            self.aliases.entry(dir).or_default().extend(aliases);
        }
    }

    /// The module that a package's path is in: its own path, and its directory.
    pub(super) fn go_module_of(&self, import: &str) -> Option<(&str, &str)> {
        let is_in =
            |module: &str| import.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let modules = self.go_modules.iter().filter(|(module, _)| is_in(module));
        modules.max_by_key(|(module, _)| module.len()).map(|(module, dir)| (module.as_str(), dir.as_str()))
    }

    /// The directory of the crate that a file is in.
    pub(super) fn crate_of(&self, path: &str) -> Option<&str> {
        let is_in = |dir: &str| dir.is_empty() || path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        self.crate_dirs.iter().map(String::as_str).filter(|dir| is_in(dir)).max_by_key(|dir| dir.len())
    }
}

/// JSON without the comments and last commas that a `tsconfig.json` may have.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if is_quoted => {
                plain.push(letter);
                plain.extend(letters.next());
                continue;
            }
            '"' => is_quoted = !is_quoted,
            '/' if !is_quoted && letters.peek() == Some(&'/') => {
                letters.by_ref().find(|c| *c == '\n');
                continue;
            }
            '/' if !is_quoted && letters.peek() == Some(&'*') => {
                letters.next();
                while let Some(inner) = letters.next() {
                    if inner == '*' && letters.next_if_eq(&'/').is_some() {
                        break;
                    }
                }
                continue;
            }
            '}' | ']' if !is_quoted => {
                let kept = plain.trim_end().trim_end_matches(',').len();
                plain.truncate(kept);
            }
            _ => {}
        }
        plain.push(letter);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_last_commas_are_no_harm() {
        let text = "{ // one\n \"a\": [\"b//c\", /* two */ \"d\\\"\",],\n \"e\": {},\n}\n";
        let value: Value = serde_json::from_str(&plain_json(text)).expect("JSON");
        assert_eq!(value.to_string(), r#"{"a":["b//c","d\""],"e":{}}"#);
    }

    #[test]
    fn only_our_own_manifests_are_wanted() {
        let paths = ["Cargo.toml", "a/node_modules/b/package.json", "a/package.json", "vendor/x/go.mod", "a/b.rs"];
        assert_eq!(Manifests::wanted(paths.into_iter()), ["Cargo.toml", "a/package.json"]);
        let broken =
            [("Cargo.toml", &b"[package"[..]), ("package.json", b"{"), ("tsconfig.json", b"\xff"), ("go.mod", b"")];
        assert_eq!(Manifests::read(broken.into_iter()), Manifests::default());
    }
}
