//! Which texts can name a branch, by the rules of `git check-ref-format --branch`.
//! Knows nothing of repositories; whether a branch exists is for `git` to say.

/// Bytes a branch name may have, so that its file names fit everywhere.
const BRANCH_BYTES_MAX: usize = 200;

/// Where the tasks' own branches are; nothing else may be there, or be a directory on the way.
const TASK_BRANCHES: &str = "orchestrate/task";

/// Why that cannot be the branch that tasks land on; none: it can.
pub fn wrong_with_landing_branch(name: &str) -> Option<&'static str> {
    wrong_with_branch(name).or_else(|| {
        let taken = name == TASK_BRANCHES
            || TASK_BRANCHES.starts_with(&format!("{name}/"))
            || name.starts_with(&format!("{TASK_BRANCHES}/"));
        taken.then_some("the branches of tasks are there")
    })
}

/// Why that cannot name a branch; none: it can.
pub fn wrong_with_branch(name: &str) -> Option<&'static str> {
    let parts = || name.split('/');
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > BRANCH_BYTES_MAX {
        Some("it is too long")
    } else if name == "HEAD" || name == "@" || name.starts_with('-') {
        Some("git does not allow that name for a branch")
    } else if name.starts_with("refs/") {
        Some("give the short name, without 'refs/heads/'")
    } else if name.chars().any(|c| c.is_control() || c == ' ' || "~^:?*[\\".contains(c)) {
        Some("git does not allow spaces, control characters and any of ~^:?*[\\ in it")
    } else if name.contains("..") || name.contains("@{") {
        Some("git does not allow '..' and '@{' in it")
    } else if parts().any(str::is_empty) {
        Some("it begins or ends with '/', or has two of them together")
    } else if parts().any(|part| part.starts_with('.') || part.ends_with(".lock")) || name.ends_with('.') {
        Some("no part of it may begin with '.' or end with '.lock', and it may not end with '.'")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_that_git_takes() {
        for good in ["main", "orchestrate/integration", "feature/x.y", "a-b_c", "ä", "a@b"] {
            assert_eq!(wrong_with_landing_branch(good), None, "{good}");
        }
        for bad in [
            "",
            "-x",
            "HEAD",
            "@",
            "refs/heads/x",
            "a b",
            "a..b",
            "a@{1}",
            "a//b",
            "/a",
            "a/",
            ".a",
            "a/.b",
            "a.lock",
            "a.lock/b",
            "a.",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "a\nb",
            "a\u{7f}",
            "orchestrate",
            "orchestrate/task",
            "orchestrate/task/x",
        ] {
            assert!(wrong_with_landing_branch(bad).is_some(), "{bad}");
        }
        assert_eq!(wrong_with_branch("orchestrate"), None);
    }
}
