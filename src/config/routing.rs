//! `[routing]`: in which order the agents that a rule names are taken, and where rules stand in the text.
//! Knows nothing of agents or of history; `route` makes the order.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::document::{Reading, place};
use crate::model::task::Span;

/// Who decides in which order the agents of a rule are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutingMode {
    /// The rule itself.
    #[default]
    Rules,
    /// What came of earlier steps: the cheapest agent that is good enough goes first.
    Learned,
}

/// `[routing]`, or only its mode: `routing = "learned"`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoutingSettings {
    /// Who decides.
    pub mode: RoutingMode,
    /// The chance of success, 0 to 1, that an agent must have for its price to decide.
    pub good_enough: f64,
    /// The share of steps, 0 to 1, that are given to an agent of which too little is known.
    pub explore: f64,
    /// The age at which a step counts half.
    pub half_life: Span,
    /// Steps, each counted by its age, below which an agent's history says nothing.
    pub trials_min: u32,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self {
            mode: RoutingMode::Rules,
            good_enough: 0.8,
            explore: 0.05,
            half_life: Span(Duration::from_secs(60 * 86_400)),
            trials_min: 8,
        }
    }
}

/// Reads a mode alone as well as the whole table.
///
/// # Errors
/// Any other word, or what is wrong with the table.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<RoutingSettings, D::Error> {
    struct Either;
    impl<'de> Visitor<'de> for Either {
        type Value = RoutingSettings;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("\"rules\", \"learned\" or a table")
        }

        fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<RoutingSettings, E> {
            let mode = RoutingMode::deserialize(word.into_deserializer())?;
            Ok(RoutingSettings { mode, ..RoutingSettings::default() })
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<RoutingSettings, A::Error> {
            RoutingSettings::deserialize(MapAccessDeserializer::new(table))
        }
    }
    from.deserialize_any(Either)
}

impl RoutingSettings {
    /// The keys whose values cannot be meant, each with what is wrong.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        for (key, share) in [("good_enough", self.good_enough), ("explore", self.explore)] {
            if !(0.0..=1.0).contains(&share) {
                wrong.push((key, format!("'{key}' must be between 0 and 1")));
            }
        }
        if self.half_life.0.is_zero() {
            wrong.push(("half_life", "'half_life' must be more than nothing".to_owned()));
        }
        if self.trials_min == 0 {
            wrong.push(("trials_min", "'trials_min' must be 1 or more".to_owned()));
        }
        wrong
    }
}

/// The line of a configuration in which one of its `[[route]]` begins; the first is 0.
pub fn line_of_route(text: &str, at: usize) -> Option<usize> {
    Reading::of("").problem(text, &place!["route", at], "").line
}

/// The line of a configuration that names who plays one of its roles.
pub fn line_of_role(text: &str, role: &str) -> Option<usize> {
    Reading::of("").problem(text, &place!["roles", role], "").line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse::parse;

    fn check(text: &str, wanted: &[&str]) {
        let told = |problem: &crate::config::problem::Problem| {
            let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            format!("{}: {}{hint}", problem.line.unwrap_or_default(), problem.what)
        };
        let said: Vec<String> = parse(text, "c").err().iter().flatten().map(told).collect();
        assert_eq!(said, wanted, "{text}");
    }

    #[test]
    fn settings_that_cannot_be_meant() {
        check("routing = 'lerned'", &["1: 'routing' cannot be 'lerned' (did you mean 'learned'?)"]);
        check("routing = 3", &["1: 'routing' must be \"rules\", \"learned\" or a table, not 3"]);
        check(
            "[routing]\nmode = 'learned'\ngood_enough = 80\nhalf_life = '0s'\ntrials_min = 0\nexplor = 0.1",
            &["6: unknown key 'explor' in [routing] (did you mean 'explore'?)"],
        );
        check(
            "[routing]\ngood_enough = 80\nexplore = -0.1\nhalf_life = '0s'\ntrials_min = 0",
            &[
                "2: 'good_enough' must be between 0 and 1",
                "3: 'explore' must be between 0 and 1",
                "4: 'half_life' must be more than nothing",
                "5: 'trials_min' must be 1 or more",
            ],
        );
    }

    #[test]
    fn routing_is_a_word_or_a_table() {
        let routing = |text: &str| parse(text, "c").expect(text).routing;
        let learned = RoutingSettings { mode: RoutingMode::Learned, ..RoutingSettings::default() };
        assert_eq!(routing("routing = 'learned'"), learned);
        assert_eq!(routing("routing = 'rules'"), RoutingSettings::default());
        assert_eq!(routing("[routing]\nmode = 'learned'\nexplore = 0"), RoutingSettings { explore: 0.0, ..learned });
    }

    #[test]
    fn rules_are_found_in_the_text() {
        let text = "[agents.claude]\nadapter = 'claude'\n[agents.gemini]\nadapter = 'gemini'\n[roles]\nplanner = 'claude'\n[[route]]\nuse = 'claude'\n\n[[route]]\nuse = 'gemini'\n".to_string();
        assert_eq!((line_of_route(&text, 0), line_of_route(&text, 1)), (Some(7), Some(10)));
        assert_eq!(line_of_role(&text, "planner"), Some(6));
    }
}
