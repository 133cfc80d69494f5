//! Files that belong to each other by their names: a test to what it tests, a header to its source.
//! Knows nothing of what is in them.

use std::collections::HashMap;

use super::{
    Language, Sources,
    resolve::sources::{dir_of, name_of, shared_dirs},
};

/// Tests that are taken to belong to one file; a name that is shared by more says nothing.
const TWINS_MAX: usize = 4;

/// Why two files belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Twin {
    /// The second tests the first.
    Test,
    /// The second is the header of the first.
    Header,
}

/// Pairs of places in [`Sources`]: a file, what belongs to it, and why.
pub type Twins = Vec<(u32, u32, Twin)>;

/// All pairs that names tell.
pub fn twins(sources: &Sources) -> Twins {
    let mut by_stem: HashMap<String, Vec<(u32, Language)>> = HashMap::new();
    let mut tests: Vec<(u32, Language, String)> = Vec::new();
    let mut headers: Vec<(u32, String)> = Vec::new();
    for (at, path) in (0..).zip(sources.paths()) {
        let Some(language) = Language::of(path) else { continue };
        if let Some(tested) = tested(path, language) {
            tests.push((at, language, tested.to_lowercase()));
            continue;
        }
        let stem = stem(path).to_lowercase();
        if is_header(path) {
            headers.push((at, stem));
        } else {
            by_stem.entry(stem).or_default().push((at, language));
        }
    }
    let nearest = |to: u32, stem: &str, language: Language| -> Vec<u32> {
        let path = sources.path(to);
        let near = |at: u32| (shared_dirs(path, sources.path(at)), alike(path, sources.path(at)));
        let same: Vec<u32> =
            by_stem.get(stem).into_iter().flatten().filter(|(_, l)| l.is_kin(language)).map(|f| f.0).collect();
        let most = same.iter().map(|at| near(*at)).max().unwrap_or_default();
        same.into_iter().filter(|at| near(*at) == most).collect()
    };
    let mut pairs: Twins = Vec::new();
    for (test, language, stem) in tests {
        let subjects = nearest(test, &stem, language);
        if subjects.len() <= TWINS_MAX {
            pairs.extend(subjects.into_iter().map(|subject| (subject, test, Twin::Test)));
        }
    }
    for (header, stem) in headers {
        let bodies = nearest(header, &stem, Language::C);
        if bodies.len() == 1 {
            pairs.push((bodies[0], header, Twin::Header));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// Parts of two paths, wherever they stand, that are the same: `src/main/java/a/B` and `src/test/java/a/BTest` are alike.
fn alike(one: &str, other: &str) -> usize {
    let parts: Vec<&str> = dir_of(one).split('/').collect();
    dir_of(other).split('/').filter(|part| parts.contains(part)).count()
}

fn is_header(path: &str) -> bool {
    let extension = name_of(path).rsplit_once('.').map_or("", |(_, extension)| extension);
    ["h", "hh", "hpp", "hxx"].contains(&extension)
}

/// The name without its ending; of a file that stands for its directory, the directory's.
fn stem(path: &str) -> &str {
    let name = name_of(path);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    match stem {
        "mod" | "index" | "__init__" => name_of(dir_of(path)),
        stem => stem,
    }
}

/// What a test is a test of, by its name; none: it is no test, or of nothing in particular.
fn tested(path: &str, language: Language) -> Option<&str> {
    let stem = stem(path);
    let dirs: Vec<&str> = dir_of(path).split('/').collect();
    let without = |starts: &[&str], ends: &[&str]| {
        let of_start = starts.iter().find_map(|start| stem.strip_prefix(start));
        of_start.or_else(|| ends.iter().find_map(|end| stem.strip_suffix(end))).filter(|rest| !rest.is_empty())
    };
    match language {
        Language::Rust => match stem {
            "tests" => dirs.last().copied().filter(|dir| *dir != "src" && !dir.is_empty()),
            stem => without(&["test_"], &["_test", "_tests"])
                .or_else(|| (dirs.contains(&"tests") && !matches!(stem, "main" | "tests")).then_some(stem)),
        },
        Language::Python => without(&["test_"], &["_test", "_tests"]),
        Language::Go => without(&[], &["_test"]),
        Language::Java => without(&[], &["Tests", "Test", "IT"]),
        Language::C | Language::Cpp => without(&["test_"], &["_test", "_tests", "_unittest", "Test"]),
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            let name = name_of(path);
            let says = [".test.", ".spec."].iter().any(|word| name.contains(word));
            (says || dirs.contains(&"__tests__")).then_some(stem)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Manifests;

    #[test]
    fn tests_and_headers_find_what_they_belong_to() {
        for (paths, wanted) in [
            ("src/fuse.rs src/other.rs tests/fuse.rs tests/main.rs", "src/fuse.rs<-tests/fuse.rs"),
            ("src/api/mod.rs src/api/tests.rs src/tests.rs", "src/api/mod.rs<-src/api/tests.rs"),
            ("shop/cart.py tests/test_cart.py tests/conftest.py", "shop/cart.py<-tests/test_cart.py"),
            ("a/x.py b/x.py b/tests/test_x.py", "b/x.py<-b/tests/test_x.py"),
            (
                "ui/button.tsx ui/button.test.tsx ui/__tests__/button.ts",
                "ui/button.tsx<-ui/button.test.tsx ui/button.tsx<-ui/__tests__/button.ts",
            ),
            ("api/a.go api/a_test.go web/a.go", "api/a.go<-api/a_test.go"),
            (
                "c/src/main/java/p/Cart.java c/src/test/java/p/CartTest.java d/src/main/java/q/Cart.java",
                "c/src/main/java/p/Cart.java<-c/src/test/java/p/CartTest.java",
            ),
            (
                "src/net.c include/net.h tests/test_net.c src/net.rs",
                "src/net.c<-include/net.h src/net.c<-tests/test_net.c",
            ),
            ("a.rs b.md test_.py", ""),
        ] {
            let sources = Sources::new(paths.split(' ').map(str::to_owned).collect(), Manifests::default());
            let shown =
                twins(&sources).into_iter().map(|(a, b, _)| format!("{}<-{}", sources.path(a), sources.path(b)));
            assert_eq!(shown.collect::<Vec<_>>().join(" "), wanted, "{paths}");
        }
    }
}
