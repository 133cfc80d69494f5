//! Whether a verdict of a gate was given by the definition that was in force.
//! Knows nothing of how a definition becomes a text; who asks hands that in.

use super::court::DefinitionOf;
use crate::{
    config::{parse::parse, settings::Settings},
    handoff::layout,
    model::{object::Digest, record::GateVerdict},
    report::audit::{Rule, Standing},
};

/// A verdict with its evidence.
pub struct Given<'a> {
    /// The verdict.
    pub verdict: &'a GateVerdict,
    /// The text whose digest it names.
    pub text: Option<&'a str>,
}

/// What is wrong.
pub type Wrong = (Rule, Standing, String);

impl Given<'_> {
    /// The text of the definition, if it has the digest that the verdict names.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn text(&self) -> Result<&str, Wrong> {
        let text = self.text.ok_or_else(|| {
            let what = "the record does not say by which definition the gate judged".to_owned();
            (Rule::Definition, Standing::Absent, what)
        })?;
        if Digest::of(text) == self.verdict.definition {
            return Ok(text);
        }
        let what = "the definition in the record does not have the digest that the verdict names".to_owned();
        Err((Rule::Definition, Standing::Fail, what))
    }

    /// Whether the configuration says exactly that definition.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_of(&self, config: Option<&[u8]>, definition_of: DefinitionOf) -> Result<(), Wrong> {
        let text = self.text()?;
        let settings = settings(config)?;
        let profile = &self.verdict.profile;
        match definition_of(&settings, profile) {
            Some(expected) if expected == text => Ok(()),
            Some(expected) if version(&expected) != version(text) => {
                let what = format!("gate '{profile}' was defined by another version of the program");
                Err((Rule::Definition, Standing::Absent, what))
            }
            Some(_) => {
                let what =
                    format!("the verdict was given by another definition of gate '{profile}' than the commit has");
                Err((Rule::Definition, Standing::Fail, what))
            }
            None => {
                let what = format!("the commit's configuration has no gate '{profile}'");
                Err((Rule::Definition, Standing::Fail, what))
            }
        }
    }

    /// Whether everything was checked that a branch asks for; more may have been.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn covers(&self, config: Option<&[u8]>) -> Result<(), Wrong> {
        let text = self.text()?;
        let Some(config) = config else { return Ok(()) };
        let settings = settings(Some(config))?;
        let Some(profile) = settings.gate.get(&self.verdict.profile) else { return Ok(()) };
        for check in &profile.checks {
            let command = serde_json::to_string(&check.run).expect("BUG: a text can be written as JSON");
            if !self.verdict.checks.iter().any(|done| done.name == check.name) || !text.contains(&command) {
                let what = format!(
                    "gate '{}' judged without check '{}' as the branch defines it",
                    self.verdict.profile, check.name
                );
                return Err((Rule::Definition, Standing::Fail, what));
            }
        }
        Ok(())
    }
}

fn settings(config: Option<&[u8]>) -> Result<Settings, Wrong> {
    let absent = |what: &str| (Rule::Definition, Standing::Absent, what.to_owned());
    let config = config.ok_or_else(|| absent("the commit has no configuration to compare the gate with"))?;
    parse(&String::from_utf8_lossy(config), layout::CONFIG)
        .map_err(|_| absent("the commit's configuration cannot be read by this version"))
}

/// The number with which the text begins: `[1,`.
fn version(text: &str) -> Option<&str> {
    text.split_once(',').map(|(version, _)| version)
}
