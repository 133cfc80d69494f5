//! What a person has allowed although it looks like a secret: paths, rules, single values by their digest.
//! Knows nothing of the configuration's file; it is given its words.

use globset::{Glob, GlobSet, GlobSetBuilder};
use sha2::{Digest as _, Sha256};

use super::rule;

/// Hex digits of a digest that must be given; all of them may.
const DIGEST_LENGTH_MIN: usize = 12;
const DIGEST_LENGTH_MAX: usize = 64;

/// What is allowed.
#[derive(Debug, Clone, Default)]
pub struct Allow {
    paths: GlobSet,
    rules: Vec<String>,
    digests: Vec<String>,
}

/// An entry that allows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAllow {
    /// It says neither of the three.
    #[error("'{}' of 'allow' is none of path:<glob>, rule:<id>, sha256:<hex digits>", .0.escape_debug())]
    Kind(String),
    /// The glob is none.
    #[error("'{}' of 'allow' is no glob: {}", .0.escape_debug(), .1)]
    Glob(String, String),
    /// No rule has this id.
    #[error("'{}' of 'allow' names no rule", .0.escape_debug())]
    Rule(String),
    /// The digest is none.
    #[error("'{}' of 'allow' is no digest: 12 to 64 hex digits", .0.escape_debug())]
    Digest(String),
}

impl BadAllow {
    /// What to write instead.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Kind(_) => Some("for example \"path:tests/fixtures/**\"".to_owned()),
            // Whoever knows near words says which rule is meant.
            Self::Glob(..) | Self::Rule(_) => None,
            Self::Digest(_) => Some("printf %s 'the value' | sha256sum".to_owned()),
        }
    }
}

impl Allow {
    /// Reads the entries: `path:<glob>`, `rule:<id>`, `sha256:<hex digits>` of a value.
    ///
    /// # Errors
    /// The first entry that is wrong, with its place in the list.
    pub fn parse(entries: &[String]) -> Result<Self, (usize, BadAllow)> {
        let mut allow = Self::default();
        let mut globs = GlobSetBuilder::new();
        for (at, entry) in entries.iter().enumerate() {
            match entry.split_once(':') {
                Some(("path", glob)) => {
                    let wrong = |error: globset::Error| (at, BadAllow::Glob(entry.clone(), error.kind().to_string()));
                    globs.add(Glob::new(glob).map_err(wrong)?);
                }
                Some(("rule", id)) if rule::ids().any(|known| known == id) => allow.rules.push(id.to_owned()),
                Some(("rule", _)) => return Err((at, BadAllow::Rule(entry.clone()))),
                Some(("sha256", digest)) => {
                    let is_long_enough = (DIGEST_LENGTH_MIN..=DIGEST_LENGTH_MAX).contains(&digest.len());
                    if !is_long_enough || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                        return Err((at, BadAllow::Digest(entry.clone())));
                    }
                    allow.digests.push(digest.to_ascii_lowercase());
                }
                Some(_) | None => return Err((at, BadAllow::Kind(entry.clone()))),
            }
        }
        let last = entries.len().saturating_sub(1);
        let wrong = |error: globset::Error| (last, BadAllow::Glob(String::new(), error.kind().to_string()));
        allow.paths = globs.build().map_err(wrong)?;
        Ok(allow)
    }

    pub(super) fn path(&self, path: &str) -> bool {
        self.paths.is_match(path)
    }

    pub(super) fn rule(&self, id: &str) -> bool {
        self.rules.iter().any(|allowed| allowed == id)
    }

    pub(super) fn value(&self, value: &[u8]) -> bool {
        !self.digests.is_empty() && {
            let digest = Sha256::digest(value);
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            self.digests.iter().any(|allowed| hex.starts_with(allowed.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: &str, wanted: Option<&str>) {
        let found = Allow::parse(&[entry.to_owned()])
            .err()
            .map(|(_, bad)| bad.hint().map_or(bad.to_string(), |hint| format!("{bad} ({hint})")));
        assert_eq!(found.as_deref(), wanted);
    }

    #[test]
    fn entries_that_are_wrong_say_why() {
        check("path:tests/**", None);
        check("rule:jwt", None);
        check("sha256:0123456789ab", None);
        check(
            "tests/**",
            Some(
                "'tests/**' of 'allow' is none of path:<glob>, rule:<id>, sha256:<hex digits> (for example \
                 \"path:tests/fixtures/**\")",
            ),
        );
        check("path:a[", Some("'path:a[' of 'allow' is no glob: unclosed character class; missing ']'"));
        check("rule:jwtt", Some("'rule:jwtt' of 'allow' names no rule"));
        check(
            "sha256:xyz",
            Some("'sha256:xyz' of 'allow' is no digest: 12 to 64 hex digits (printf %s 'the value' | sha256sum)"),
        );
    }
}
