//! The files of a repository, so ordered that what an import means is found at once.
//! Knows nothing of a language's rules; those are in the files beside this one.

use std::collections::HashMap;

use super::{Manifests, include, java, python, rust, script};
use crate::syntax::{How, Import, Language};

/// Files that one import may mean: a package of more is a part of the program, and says nothing of any one of them.
const MEANT_MAX: usize = 64;

/// The files of a repository.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(super) paths: Vec<String>,
    pub(super) manifests: Manifests,
    by_path: HashMap<String, u32>,
    /// By the last part of the path.
    by_name: HashMap<String, Vec<u32>>,
    /// The files of each directory that are sources.
    by_dir: HashMap<String, Vec<u32>>,
    /// Python modules by dotted name.
    pub(super) modules: HashMap<String, Vec<u32>>,
}

impl Sources {
    /// These paths, in this order, with what their manifests say.
    pub fn new(paths: Vec<String>, manifests: Manifests) -> Self {
        let mut sources = Self { manifests, ..Self::default() };
        for (at, path) in (0..).zip(&paths) {
            sources.by_path.insert(path.clone(), at);
            if Language::of(path).is_some() {
                sources.by_name.entry(name_of(path).to_owned()).or_default().push(at);
                sources.by_dir.entry(dir_of(path).to_owned()).or_default().push(at);
            }
        }
        sources.paths = paths;
        sources.modules = python::modules(&sources);
        sources
    }

    /// The paths, in the order in which they were given.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// The path at a place.
    pub fn path(&self, at: u32) -> &str {
        &self.paths[at as usize]
    }

    /// The place of a path.
    pub fn at(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    /// The places of the files that an import of the file at `importer` means, itself left out; empty: none here, or nobody
    /// can tell.
    pub fn resolve(&self, importer: u32, import: &Import) -> Vec<u32> {
        let from = self.path(importer);
        let Some(language) = Language::of(from) else { return Vec::new() };
        let mut found = match language {
            Language::C | Language::Cpp => include::resolve(self, from, import),
            Language::Go => self.go(import),
            Language::Java => java::resolve(self, from, import),
            Language::JavaScript | Language::TypeScript | Language::Tsx => script::resolve(self, from, import),
            Language::Python => python::resolve(self, from, import),
            Language::Rust => rust::resolve(self, from, import),
        };
        found.retain(|at| *at != importer);
        found.sort_unstable();
        found.dedup();
        if found.len() > MEANT_MAX { Vec::new() } else { found }
    }

    /// A package of a module that is here: all its files but tests.
    fn go(&self, import: &Import) -> Vec<u32> {
        let Some((module, dir)) = self.manifests.go_module_of(&import.name) else { return Vec::new() };
        let package = join(dir, import.name[module.len()..].trim_start_matches('/'));
        let files = self.in_dir(&package).iter().copied();
        files.filter(|at| self.path(*at).ends_with(".go") && !self.path(*at).ends_with("_test.go")).collect()
    }

    pub(super) fn named(&self, name: &str) -> &[u32] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn in_dir(&self, dir: &str) -> &[u32] {
        self.by_dir.get(dir).map_or(&[], Vec::as_slice)
    }

    /// The sources whose paths end with these parts.
    pub(super) fn ending_with(&self, suffix: &str) -> Vec<u32> {
        let is_it =
            |path: &str| path.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('/'));
        self.named(name_of(suffix)).iter().copied().filter(|at| is_it(self.path(*at))).collect()
    }

    /// Those of the files that are nearest to a path: that share the longest way from the root with it.
    pub(super) fn nearest(&self, path: &str, mut files: Vec<u32>) -> Vec<u32> {
        let shared = |at: &u32| shared_dirs(path, self.path(*at));
        let most = files.iter().map(shared).max().unwrap_or(0);
        files.retain(|at| shared(at) == most);
        files
    }
}

impl Import {
    pub(super) fn is(&self, how: How) -> bool {
        self.how == how
    }
}

/// Directories at the start of two paths that are the same.
pub(in crate::syntax) fn shared_dirs(one: &str, other: &str) -> usize {
    let (one, other) = (dir_of(one).split('/'), dir_of(other).split('/'));
    one.zip(other).take_while(|(a, b)| a == b && !a.is_empty()).count()
}

/// The last part of a path.
pub(in crate::syntax) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory of a path; empty for the root.
pub(in crate::syntax) fn dir_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// A path below a directory, with `.` and `..` worked out; what leads out of the root is taken to start there.
pub(super) fn join(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Files without content, and manifests with one.
    pub(in crate::syntax::resolve) fn sources(paths: &str, manifests: &[(&str, &str)]) -> Sources {
        let mut all: Vec<String> = paths.split_whitespace().map(str::to_owned).collect();
        all.extend(manifests.iter().map(|(path, _)| (*path).to_owned()));
        let manifests = Manifests::read(manifests.iter().map(|(path, text)| (*path, text.as_bytes())));
        Sources::new(all, manifests)
    }

    /// What the imports of a source mean, without those that mean nothing here.
    #[track_caller]
    pub(in crate::syntax::resolve) fn check(sources: &Sources, importer: &str, source: &str, wanted: &str) {
        let at = sources.at(importer).expect("the importer is there");
        let imports = crate::syntax::imports(importer, source.as_bytes());
        let meant = imports.iter().map(|import| sources.resolve(at, import)).filter(|files| !files.is_empty());
        let meant = meant.map(|files| files.iter().map(|at| sources.path(*at)).collect::<Vec<_>>().join("+"));
        assert_eq!(meant.collect::<Vec<_>>().join(" "), wanted, "{importer}: {source}");
    }

    #[test]
    fn paths_are_worked_out() {
        for (dir, path, wanted) in [
            ("a/b", "../c", "a/c"),
            ("", "./x", "x"),
            ("a", "../../..", ""),
            ("a", "", "a"),
            ("a/b", "c/./d", "a/b/c/d"),
        ] {
            assert_eq!(join(dir, path), wanted);
        }
        assert_eq!(shared_dirs("a/b/c.rs", "a/b/d.rs"), 2);
        assert_eq!(shared_dirs("c.rs", "d.rs"), 0);
    }

    #[test]
    fn go_packages_are_all_their_files_but_tests() {
        let sources = sources(
            "main.go api/a.go api/b.go api/a_test.go api/v2/c.go tools/gen/x.go",
            &[
                ("go.mod", "module example.com/shop // ours\n\ngo 1.22\n"),
                ("tools/go.mod", "module example.com/shop/tools\n"),
            ],
        );
        check(&sources, "main.go", "package m\nimport \"example.com/shop/api\"", "api/a.go+api/b.go");
        check(&sources, "api/a.go", "package a\nimport (\"example.com/shop/api/v2\"; \"fmt\")", "api/v2/c.go");
        check(&sources, "main.go", "package m\nimport \"example.com/shop/tools/gen\"", "tools/gen/x.go");
        check(&sources, "main.go", "package m\nimport \"example.com/shopping\"", "");
    }
}
