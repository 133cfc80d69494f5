//! `[hooks]`: which branches our git hooks guard, and what a commit must pass.
//! Knows nothing of hooks; whoever is one reads these settings.

use globset::Glob;
use serde::{Deserialize, Serialize};

use super::{
    document::{Part, place},
    settings::Settings,
};
use crate::text::did_you_mean;

/// `[hooks]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HookSettings {
    /// Branches on which a tree may only be pushed that the gate passed, globs; the landing branch always is one.
    pub protected: Vec<String>,
    /// The gate profile that what is staged must pass before it is committed; it must be fast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_commit: Option<String>,
    /// Whether each gate asks the user's own pre-commit and commit-msg hooks too.
    pub run_user_hooks: bool,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self { protected: vec!["main".to_owned(), "master".to_owned()], pre_commit: None, run_user_hooks: false }
    }
}

/// What cannot be meant: where, what, and what to write.
pub(super) fn wrong(settings: &Settings) -> Vec<(Vec<Part>, String, Option<String>)> {
    let mut wrong = Vec::new();
    for (at, glob) in settings.hooks.protected.iter().enumerate() {
        let what = match Glob::new(glob) {
            _ if glob.trim().is_empty() => "a branch of 'protected' is empty".to_owned(),
            Err(error) => format!("'{}' of 'protected' is no glob: {}", glob.escape_debug(), error.kind()),
            Ok(_) => continue,
        };
        wrong.push((place!["hooks", "protected", at].to_vec(), what, None));
    }
    if let Some(profile) = settings.hooks.pre_commit.as_ref().filter(|profile| !settings.gate.contains_key(*profile)) {
        let near = did_you_mean(profile, settings.gate.keys().map(String::as_str));
        let hint = near.map_or_else(|| format!("add it: [gate.{profile}]"), |near| format!("did you mean '{near}'?"));
        let what = format!("what is staged must pass gate '{}', which is not in [gate]", profile.escape_debug());
        wrong.push((place!["hooks", "pre_commit"].to_vec(), what, Some(hint)));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use crate::config::parse::parse;

    #[test]
    fn hooks_that_lead_nowhere() {
        let text =
            "[hooks]\nprotected = ['', 'release/[']\npre_commit = 'fst'\n[[gate.fast.check]]\nname = 'a'\nrun = 'true'";
        let told = |problem: &crate::config::problem::Problem| {
            let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{}: {}{hint}", problem.line.unwrap_or_default(), problem.what)
        };
        let said: Vec<String> = parse(text, "c").err().iter().flatten().map(told).collect();
        assert_eq!(
            said,
            [
                "2: a branch of 'protected' is empty",
                "2: 'release/[' of 'protected' is no glob: unclosed character class; missing ']'",
                "3: what is staged must pass gate 'fst', which is not in [gate] (did you mean 'fast'?)",
            ]
        );
        assert!(parse("[hooks]\nprotected = ['main', 'release/*']\n", "c").is_ok());
    }
}
