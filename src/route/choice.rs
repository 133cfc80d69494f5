//! Chooses one of the agents that may play a role, and says why this one and not one before it.
//! Knows nothing of clocks: who is parked or busy is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use crate::{config::settings::QuotaPolicy, model::record::Families, text::list};

/// An agent that cannot be used for a while: its rate or quota is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Until when, if its provider said so.
    pub until: Option<SystemTime>,
    /// A line for people.
    pub reason: String,
    /// What is done meanwhile.
    pub policy: QuotaPolicy,
}

/// An agent, chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its name.
    pub agent: String,
    /// Why, for people: `first choice`, `choice 2 of 3`.
    pub why: String,
    /// Those before it, with why each was passed over.
    pub passed_over: Vec<(String, String)>,
}

/// Why no agent was chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoChoice {
    /// Waiting does not help: the configuration names nobody who may.
    #[error("{}", for_good(passed_over))]
    ForGood {
        /// The candidates, with why each cannot.
        passed_over: Vec<(String, String)>,
    },
    /// Somebody may, later.
    #[error("{}", sentence(passed_over))]
    ForNow {
        /// When the first of the parked ones is back, if that is known and none is only busy.
        until: Option<SystemTime>,
        /// The candidates, with why each cannot now.
        passed_over: Vec<(String, String)>,
    },
    /// The agent that would do it is parked, and its policy is that the run ends then.
    #[error("'{agent}' is parked: {reason}")]
    Stopped {
        /// The agent.
        agent: String,
        /// Until when, if that is known.
        until: Option<SystemTime>,
        /// Why.
        reason: String,
    },
}

impl NoChoice {
    /// One thing to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ForGood { .. } => Some("git orchestrate agents".to_owned()),
            Self::ForNow { .. } | Self::Stopped { .. } => None,
        }
    }
}

fn for_good(passed_over: &[(String, String)]) -> String {
    if passed_over.is_empty() { "no agent is configured".to_owned() } else { sentence(passed_over) }
}

fn sentence(passed_over: &[(String, String)]) -> String {
    let parts: Vec<_> = passed_over.iter().map(|(agent, why)| format!("'{agent}' {why}")).collect();
    list(&parts)
}

/// Chooses the first candidate that can be used (`families` has it), is of no family in `except`, is not parked and not
/// busy (at the most steps it may do at once). A parked one whose policy is not to switch is not passed over.
///
/// # Errors
/// Nobody may play it, for good or for now.
pub fn choose(
    candidates: &[String],
    families: &BTreeMap<String, Families>,
    except: &Families,
    parked: &BTreeMap<String, Parked>,
    busy: &BTreeSet<String>,
) -> Result<Choice, NoChoice> {
    let mut passed_over = Vec::new();
    let mut untils: Vec<Option<SystemTime>> = Vec::new();
    for (at, agent) in candidates.iter().enumerate() {
        let why = match families.get(agent) {
            None => "cannot be used here".to_owned(),
            Some(own) if !own.is_disjoint(except) => {
                let shared: Vec<_> = own.intersection(except).map(|family| format!("'{family}'")).collect();
                let whose = if shared.len() > 1 { "authors' families" } else { "author's family" };
                format!("is of the {whose} {}", list(&shared))
            }
            Some(_) => match parked.get(agent) {
                Some(Parked { until, reason, policy }) => match policy {
                    QuotaPolicy::Switch => {
                        untils.push(*until);
                        format!("is parked: {reason}")
                    }
                    QuotaPolicy::Wait => {
                        passed_over.push((agent.clone(), format!("is parked and waited for: {reason}")));
                        return Err(NoChoice::ForNow { until: *until, passed_over });
                    }
                    QuotaPolicy::Stop => {
                        let (agent, until, reason) = (agent.clone(), *until, reason.clone());
                        return Err(NoChoice::Stopped { agent, until, reason });
                    }
                },
                None if busy.contains(agent) => {
                    untils.push(None);
                    "is busy with as many steps as it may".to_owned()
                }
                None => {
                    let why = match at {
                        0 => "first choice".to_owned(),
                        _ => format!("choice {} of {}", at + 1, candidates.len()),
                    };
                    return Ok(Choice { agent: agent.clone(), why, passed_over });
                }
            },
        };
        passed_over.push((agent.clone(), why));
    }
    if untils.is_empty() {
        return Err(NoChoice::ForGood { passed_over });
    }
    // Who comes back at an unknown time may be the first.
    let until = untils.into_iter().collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().min());
    Err(NoChoice::ForNow { until, passed_over })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::Family;
    use std::time::{Duration, UNIX_EPOCH};

    /// `a` and `b` are of family x, `c` of y, `h` of both; `d` cannot be used. `parked` is `name` or `name=seconds`, with
    /// `!` behind it where it is waited for and `.` where the run stops.
    fn check(candidates: &str, except: &str, parked: &str, busy: &str, wanted: &str) {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let family = |name: &str| Family(name.to_owned());
        let families = [("a", "x"), ("b", "x"), ("c", "y"), ("h", "x y")];
        let families = families
            .map(|(a, f)| (a.to_owned(), words(f).iter().map(|name| family(name)).collect::<Families>()))
            .into();
        let parked = words(parked).into_iter().map(|word| {
            let policy = match word.chars().last() {
                Some('!') => QuotaPolicy::Wait,
                Some('.') => QuotaPolicy::Stop,
                _ => QuotaPolicy::Switch,
            };
            let word = word.trim_end_matches(['!', '.']);
            let (name, until) = word.split_once('=').map_or((word, None), |(name, s)| (name, s.parse().ok()));
            let until = until.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            (name.to_owned(), Parked { until, reason: "quota".to_owned(), policy })
        });
        let except = words(except).iter().map(|name| family(name)).collect();
        let busy = words(busy).into_iter().collect();
        let said = match choose(&words(candidates), &families, &except, &parked.collect(), &busy) {
            Ok(choice) => format!("{}, {}, not {}", choice.agent, choice.why, sentence(&choice.passed_over)),
            Err(NoChoice::ForNow { until, passed_over }) => {
                let until = until.and_then(|until| until.duration_since(UNIX_EPOCH).ok()).map(|span| span.as_secs());
                format!("later {until:?}: {}", sentence(&passed_over))
            }
            Err(never @ NoChoice::ForGood { .. }) => format!("never: {never}"),
            Err(stopped @ NoChoice::Stopped { .. }) => format!("stop: {stopped}"),
        };
        assert_eq!(said.trim_end_matches(", not "), wanted);
    }

    #[test]
    fn the_first_that_may_is_chosen() {
        check("a c", "", "", "", "a, first choice");
        check(
            "a b c",
            "x",
            "",
            "",
            "c, choice 3 of 3, not 'a' is of the author's family 'x' and 'b' is of the author's family 'x'",
        );
        check("h c", "x", "", "", "c, choice 2 of 2, not 'h' is of the author's family 'x'");
        check("h", "x y z", "", "", "never: 'h' is of the authors' families 'x' and 'y'");
        check("d c", "", "", "", "c, choice 2 of 2, not 'd' cannot be used here");
        check("a c", "", "a", "", "c, choice 2 of 2, not 'a' is parked: quota");
        check("a c", "", "", "a", "c, choice 2 of 2, not 'a' is busy with as many steps as it may");
    }

    #[test]
    fn the_policy_of_a_parked_agent_decides() {
        check("a c", "", "a=90!", "", "later Some(90): 'a' is parked and waited for: quota");
        check("b a c", "", "a! b=60", "", "later None: 'b' is parked: quota and 'a' is parked and waited for: quota");
        check("a c", "", "a.", "", "stop: 'a' is parked: quota");
        check("c a", "", "a.", "", "c, first choice");
        // Who may not play it at all is nobody to wait or stop for.
        check("a c", "x", "a.", "", "c, choice 2 of 2, not 'a' is of the author's family 'x'");
    }

    #[test]
    fn nobody_for_good_or_for_now() {
        check("", "", "", "", "never: no agent is configured");
        check("d", "", "", "", "never: 'd' cannot be used here");
        check("a b", "x", "a b", "a", "never: 'a' is of the author's family 'x' and 'b' is of the author's family 'x'");
        check("a c", "x", "c=60", "", "later Some(60): 'a' is of the author's family 'x' and 'c' is parked: quota");
        check("a c", "", "a=90 c=60", "", "later Some(60): 'a' is parked: quota and 'c' is parked: quota");
        check("a c", "", "a c=60", "", "later None: 'a' is parked: quota and 'c' is parked: quota");
        check("a c", "", "c=60", "a", "later None: 'a' is busy with as many steps as it may and 'c' is parked: quota");
    }
}
