//! What a gate profile checks, with everything that decides its verdict in one digest.
//! Does not know of trees or of results.

use std::collections::BTreeSet;

use super::{
    GateError,
    user_hooks::{self, USER_HOOKS_CHECK},
};
use crate::{
    config::settings::{CheckFormat, CheckSettings, GateRules, RuleLevel, Settings},
    model::object::Digest,
    text::did_you_mean,
};

/// The version of the digest: raised when the same settings begin to mean something else.
const DIGEST_SCHEMA: u32 = 2;
/// The name of the check that a profile's `api` makes.
pub const API_CHECK: &str = "api";

/// A gate profile, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The profile's name.
    pub profile: String,
    /// The checks in the order of the file, each with its time limit; the one that looks at the
    /// interface after them, and the one that asks the user's hooks last.
    pub checks: Vec<CheckSettings>,
    /// Whether one of them looks at the interface.
    pub has_api: bool,
    /// Whether the last of them asks the user's own git hooks.
    pub has_user_hooks: bool,
    /// What comes of each thing that got worse.
    pub rules: GateRules,
    /// The digest of all that decides: profile (a check sees its name), rules, and of each check name, command, format,
    /// reports, limits, variables, names of variables it is passed, and whether it starts clean. What those variables
    /// hold, and which version of a tool is installed, is not in it.
    pub digest: Digest,
    /// The text of which it is the digest: JSON, as evidence.
    pub text: String,
}

impl Definition {
    /// The profile of that name.
    ///
    /// # Errors
    /// When there is no such profile, or it is one that could not refuse anything.
    pub fn from_settings(settings: &Settings, profile: &str) -> Result<Self, GateError> {
        let own = || profile.to_owned();
        let Some(found) = settings.gate.get(profile) else {
            let near = did_you_mean(profile, settings.gate.keys().map(String::as_str)).map(str::to_owned);
            let known = settings.gate.keys().cloned().collect();
            return Err(GateError::UnknownProfile { profile: own(), known, near });
        };
        if found.checks.is_empty() {
            return Err(GateError::NoChecks { profile: own() });
        }
        let mut names = BTreeSet::new();
        let mut checks = found.checks.clone();
        for check in &mut checks {
            if check.run.trim().is_empty() {
                return Err(GateError::NoCommand { profile: own(), check: check.name.clone() });
            }
            if !names.insert(check.name.clone()) {
                return Err(GateError::Twice { profile: own(), check: check.name.clone() });
            }
            // With more time a check may pass that was too slow: the limit decides too, wherever it is set.
            check.timeout.get_or_insert(settings.limits.check_timeout);
        }
        if let Some(run) = found.api.as_ref().filter(|_| found.rules.api != RuleLevel::Off) {
            if !names.insert(API_CHECK.to_owned()) {
                return Err(GateError::Twice { profile: own(), check: API_CHECK.to_owned() });
            }
            checks.push(CheckSettings {
                name: API_CHECK.to_owned(),
                run: run.clone(),
                timeout: Some(settings.limits.check_timeout),
                ..CheckSettings::default()
            });
        }
        let has_api = checks.len() > found.checks.len();
        if settings.hooks.run_user_hooks {
            if !names.insert(USER_HOOKS_CHECK.to_owned()) {
                return Err(GateError::Twice { profile: own(), check: USER_HOOKS_CHECK.to_owned() });
            }
            checks.push(CheckSettings {
                name: USER_HOOKS_CHECK.to_owned(),
                run: user_hooks::RUN.to_owned(),
                format: Some(CheckFormat::None),
                timeout: Some(settings.limits.check_timeout),
                ..CheckSettings::default()
            });
        }
        let rules = found.rules;
        let text = serde_json::to_string(&(DIGEST_SCHEMA, profile, &checks, &rules)).expect("settings are plain data");
        Ok(Self {
            profile: own(),
            has_api,
            has_user_hooks: settings.hooks.run_user_hooks,
            checks,
            rules,
            digest: Digest::of(&text),
            text,
        })
    }

    /// The settings of the check of that name.
    pub fn check(&self, name: &str) -> Option<&CheckSettings> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// Whether this check looks at the interface, which only has a meaning beside that of the base.
    pub fn is_api(&self, name: &str) -> bool {
        self.has_api && name == API_CHECK
    }

    /// Whether this check asks the user's own git hooks, which may write into files: it runs when no other does.
    pub fn is_user_hooks(&self, name: &str) -> bool {
        self.has_user_hooks && name == USER_HOOKS_CHECK
    }

    /// Whether a check looks at a tree beside its base, so that what it says holds for that base only.
    pub fn looks_beside(&self) -> bool {
        self.has_api || self.has_user_hooks
    }

    /// The text of the profile of that name, for who compares it with the one that a verdict was given by.
    pub fn text_of(settings: &Settings, profile: &str) -> Option<String> {
        Self::from_settings(settings, profile).ok().map(|definition| definition.text)
    }

    /// Whether a check asks for a checkout without ignored files. All checks of a profile run in one directory, so that
    /// one such check makes it clean for all; whoever owns the directory cleans it.
    pub fn is_pristine(&self) -> bool {
        self.checks.iter().any(|check| check.pristine)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        config::settings::{CheckFormat, GateProfile, OneOrMany},
        model::task::Span,
    };

    fn check(name: &str, run: &str) -> CheckSettings {
        CheckSettings { name: name.to_owned(), run: run.to_owned(), ..CheckSettings::default() }
    }

    fn settings(checks: Vec<CheckSettings>) -> Settings {
        let mut settings = Settings::default();
        settings.gate.insert("full".to_owned(), GateProfile { checks, ..GateProfile::default() });
        settings
    }

    fn wrong(checks: Vec<CheckSettings>, profile: &str) -> (String, String) {
        let error = Definition::from_settings(&settings(checks), profile).expect_err("no gate");
        (error.to_string(), error.hint().unwrap_or_default())
    }

    #[test]
    fn a_gate_that_could_not_refuse_is_an_error() {
        let lines = "add to .handoff/config.toml:\n[[gate.full.check]]\nname = \"test\"\nrun = \"cargo test\"";
        assert_eq!(wrong(vec![], "full"), ("gate profile 'full' has no checks".to_owned(), lines.to_owned()));
        let (message, hint) = wrong(vec![check("test", "true")], "ful");
        assert_eq!(message, "no gate profile 'ful'; there is 'full'");
        assert_eq!(hint, "did you mean 'full'?");
        let (message, hint) = wrong(vec![check("test", "true")], "a \"b");
        assert_eq!(message, "no gate profile 'a \\\"b'; there is 'full'");
        assert!(hint.contains("[[gate.\"a \\\"b\".check]]"), "{hint}");
        let (message, _) = wrong(vec![check("test", " ")], "full");
        assert_eq!(message, "check 'test' of gate profile 'full' has no command");
        let (message, _) = wrong(vec![check("test", "a"), check("test", "b")], "full");
        assert_eq!(message, "gate profile 'full' has two checks named 'test'");
    }

    type Change = fn(&mut Settings, &mut CheckSettings);

    #[test]
    fn the_digest_is_of_all_that_decides() {
        let digest =
            |settings: &Settings, profile: &str| Definition::from_settings(settings, profile).expect("a gate").digest;
        let base = settings(vec![check("test", "cargo test")]);
        let mut seen = BTreeSet::from([digest(&base, "full")]);
        assert!(!seen.insert(digest(&base.clone(), "full")), "the same settings have the same digest");

        let changes: [Change; 11] = [
            |_, check| check.name.push('x'),
            |_, check| check.run.push_str(" --all"),
            |_, check| check.timeout = Some(Span(Duration::from_secs(1))),
            |_, check| check.pristine = true,
            |_, check| drop(check.env.insert("A".to_owned(), "b".to_owned())),
            |_, check| check.env_pass.push("A".to_owned()),
            |_, check| check.format = Some(CheckFormat::Pytest),
            |_, check| check.report = Some(OneOrMany::One("*.xml".to_owned())),
            |_, check| check.memory_bytes = Some(1 << 30),
            |settings, _| settings.limits.check_timeout = Span(Duration::from_secs(2)),
            |settings, _| settings.hooks.run_user_hooks = true,
        ];
        for (at, change) in changes.iter().enumerate() {
            let mut settings = base.clone();
            let mut check = check("test", "cargo test");
            change(&mut settings, &mut check);
            settings.gate.insert("full".to_owned(), GateProfile { checks: vec![check], ..GateProfile::default() });
            assert!(seen.insert(digest(&settings, "full")), "change {at} decides too");
        }
        let mut other = base;
        let profile = other.gate["full"].clone();
        other.gate.insert("other".to_owned(), profile);
        assert!(seen.insert(digest(&other, "other")));
    }
}
