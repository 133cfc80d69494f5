//! `[audit]`: which files no agent may change unless its task declares them.
//! Knows nothing of audits; `audit` reads these settings.

use globset::Glob;
use serde::{Deserialize, Serialize};

use super::document::{Part, place};

/// `[audit]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// Files that an agent may neither change, add nor remove unless its task declares them in `files`: globs, those that
    /// begin with `!` take out again.
    pub protected: Vec<String>,
    /// Tests: an agent may add them, but neither change nor remove those that were there.
    pub protected_tests: Vec<String>,
}

impl Default for AuditSettings {
    fn default() -> Self {
        let own = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        Self {
            protected: own(&[
                ".github/{workflows,actions}/**",
                ".gitlab-ci.yml",
                ".circleci/**",
                ".buildkite/**",
                "{Jenkinsfile,azure-pipelines.yml,.travis.yml}",
                "{.pre-commit-config.yaml,lefthook.yml,lefthook.yaml,hk.pkl}",
                "{.husky,.githooks}/**",
                "**/{.gitmodules,.gitattributes}",
                "**/{.claude,.codex,.gemini,.cursor,.opencode}/**",
                "**/{CLAUDE,AGENTS,GEMINI}.md",
                "**/{.mcp.json,opencode.json,.envrc}",
                "{.vscode,.idea}/**",
            ]),
            protected_tests: own(&["**/{tests,test,__tests__,spec}/**", "**/{test_*.py,*_test.*,*.test.*,*.spec.*}"]),
        }
    }
}

/// The globs that are none, and where.
pub(super) fn wrong(audit: &AuditSettings) -> Vec<(Vec<Part>, String)> {
    let mut wrong = Vec::new();
    for (key, globs) in [("protected", &audit.protected), ("protected_tests", &audit.protected_tests)] {
        for (at, glob) in globs.iter().enumerate() {
            if let Err(error) = Glob::new(glob.strip_prefix('!').unwrap_or(glob)) {
                let what = format!("'{}' of '{key}' is no glob: {}", glob.escape_debug(), error.kind());
                wrong.push((place!["audit", key, at].to_vec(), what));
            }
        }
    }
    wrong
}
