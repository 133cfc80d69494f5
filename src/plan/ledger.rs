//! Files in which nearly every change leaves a line: changelogs and lock files.
//! Knows nothing of the changes. That such a file changes with another says nothing of the two.

/// What a changelog is called, without its ending.
const CHANGELOGS: [&str; 12] = [
    "authors",
    "change_log",
    "changelog",
    "changes",
    "contributors",
    "history",
    "news",
    "release-notes",
    "release_notes",
    "releasenotes",
    "releases",
    "whatsnew",
];
/// How text for people ends.
const TEXTS: [&str; 6] = ["adoc", "md", "org", "rst", "textile", "txt"];
/// Lock files that do not end with `.lock`.
const LOCKS: [&str; 7] = [
    "bun.lockb",
    "go.sum",
    "go.work.sum",
    "gradle.lockfile",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
];

/// Whether the file at a path is one.
pub fn is_ledger(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    match name.rsplit_once('.') {
        Some((_, "lock")) => true,
        _ if LOCKS.contains(&name.as_str()) => true,
        Some((stem, ending)) => TEXTS.contains(&ending) && CHANGELOGS.contains(&stem),
        None => CHANGELOGS.contains(&name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::is_ledger;

    #[test]
    fn changelogs_and_locks_are_known_by_their_names() {
        for path in
            ["CHANGELOG.md", "CHANGES.rst", "docs/changelog.txt", "NEWS", "Cargo.lock", "web/yarn.lock", "go.sum"]
        {
            assert!(is_ledger(path), "{path}");
        }
        for path in
            ["src/history.rs", "changes.py", "src/lock.c", "go.mod", "README.md", "news/index.md", "package.json"]
        {
            assert!(!is_ledger(path), "{path}");
        }
    }
}
