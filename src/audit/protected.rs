//! Which files an agent may not change unless its task says so.
//! Knows nothing of commits.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::{config::settings::AuditSettings, git::ChangeKind, model::task::Task};

/// A glob that is none.
#[derive(Debug, Clone, thiserror::Error)]
#[error("'{glob}' is not a glob: {why}")]
pub struct BadGlob {
    /// The text.
    pub glob: String,
    /// Why.
    pub why: String,
}

impl BadGlob {
    /// One thing to type.
    pub fn hint(&self) -> Option<String> {
        Some("mend [audit] in .handoff/config.toml".to_owned())
    }
}

/// The policy.
#[derive(Debug, Clone)]
pub struct Protected {
    whole: Globs,
    tests: Globs,
    /// All globs, as they were written.
    text: String,
}

/// Globs, of which those that begin with `!` take out again.
#[derive(Debug, Clone)]
struct Globs {
    into: GlobSet,
    out: GlobSet,
}

impl Protected {
    /// That of a configuration.
    ///
    /// # Errors
    /// [`BadGlob`] for the first that is none.
    pub fn of(settings: &AuditSettings) -> Result<Self, BadGlob> {
        let text = format!("{settings:?}");
        Ok(Self { whole: Globs::of(&settings.protected)?, tests: Globs::of(&settings.protected_tests)?, text })
    }

    /// The policy as a text: the same for the same.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is protected about a file that was changed so; none: it may be.
    pub fn offends(&self, path: &str, kind: ChangeKind, task: Option<&Task>) -> Option<&'static str> {
        let why = if self.whole.has(path) {
            "a protected file"
        } else if self.tests.has(path) && kind != ChangeKind::Added {
            "a test that was there before"
        } else {
            return None;
        };
        let declared = task.into_iter().flat_map(|task| &task.files).any(|glob| names(glob, path));
        (!declared).then_some(why)
    }
}

impl Globs {
    fn of(globs: &[String]) -> Result<Self, BadGlob> {
        let (mut into, mut out) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for text in globs {
            match text.strip_prefix('!') {
                Some(text) => out.add(glob(text)?),
                None => into.add(glob(text)?),
            };
        }
        let build =
            |set: GlobSetBuilder| set.build().map_err(|e| BadGlob { glob: globs.join(" "), why: e.to_string() });
        Ok(Self { into: build(into)?, out: build(out)? })
    }

    fn has(&self, path: &str) -> bool {
        self.into.is_match(path) && !self.out.is_match(path)
    }
}

fn glob(text: &str) -> Result<Glob, BadGlob> {
    GlobBuilder::new(text)
        .literal_separator(true)
        // Some file systems take one for the other.
        .case_insensitive(true)
        .build()
        .map_err(|error| BadGlob { glob: text.to_owned(), why: error.kind().to_string() })
}

/// Whether a task's glob names a file; what looks like a directory stands for all that is in it.
fn names(text: &str, path: &str) -> bool {
    let inside = format!("{}/**", text.trim_end_matches('/'));
    [text, &inside].iter().any(|text| glob(text).is_ok_and(|glob| glob.compile_matcher().is_match(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_may_change_what_it_declares() {
        let protected = Protected::of(&AuditSettings::default()).expect("the defaults are right");
        let mut task = Task::new("api".parse().expect("an id"), "x");
        let offends = |path: &str, kind, task: &Task| protected.offends(path, kind, Some(task)).is_some();
        use ChangeKind::{Added, Modified, Removed};
        for (path, kind, expected) in [
            ("src/lib.rs", Modified, false),
            (".github/workflows/ci.yml", Added, true),
            ("CLAUDE.md", Modified, true),
            ("deep/down/claude.md", Added, true),
            (".claude/settings.json", Added, true),
            ("tests/login.rs", Added, false),
            ("tests/login.rs", Modified, true),
            ("src/login_test.go", Removed, true),
            ("web/__tests__/a.ts", Modified, true),
        ] {
            assert_eq!(offends(path, kind, &task), expected, "{path} {kind:?}");
        }
        task.files = vec!["tests".to_owned(), ".github/**/*.yml".to_owned()];
        assert!(!offends("tests/login.rs", Modified, &task));
        assert!(!offends(".github/workflows/ci.yml", Modified, &task));
        assert!(offends(".mcp.json", Added, &task));
        let settings = AuditSettings { protected: vec!["a/**".into(), "!a/b".into()], ..AuditSettings::default() };
        let protected = Protected::of(&settings).expect("right");
        assert!(protected.offends("a/c", Modified, None).is_some());
        assert!(protected.offends("a/b", Modified, None).is_none());
        assert!(Protected::of(&AuditSettings { protected: vec!["a[".into()], ..settings }).is_err());
    }
}
