//! Which agents may play a role for a task, the first choice first.
//! Knows nothing of families that may not, or of agents that are busy; that is for the choice.

use std::{collections::BTreeMap, fmt};

use crate::{
    config::settings::{Route, Settings},
    model::{record::Family, task::Task, workflow::Role},
};

/// The role whose agents play those that are not named.
const DEFAULT_ROLE: &str = "default";

/// Which line of the configuration named the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// That `[[route]]`, from 1.
    Route(usize),
    /// `[roles]`, under that name.
    Role(String),
    /// None: all agents, in the order of their names.
    All,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(number) => write!(f, "route {number}"),
            Self::Role(role) => write!(f, "role '{role}'"),
            Self::All => f.write_str("all agents"),
        }
    }
}

/// The agents that may play a role for a task, the first choice first: those of the first route that matches, else of the
/// role, else of the role `default`, else all.
pub fn candidates(settings: &Settings, role: &Role, task: &Task) -> Vec<String> {
    ranked(settings, role, task).0
}

/// The candidates for another try: those first that were less often unable to do this step at all.
pub fn ablest_first(mut candidates: Vec<String>, unable: &[String]) -> Vec<String> {
    candidates.sort_by_key(|agent| unable.iter().filter(|name| *name == agent).count());
    candidates
}

/// The same, and what in the configuration named them.
pub fn ranked(settings: &Settings, role: &Role, task: &Task) -> (Vec<String>, Source) {
    let route = settings.routes.iter().enumerate().find(|(_, route)| matches(route, role, task));
    if let Some((at, route)) = route {
        return (route.agents.names().to_vec(), Source::Route(at + 1));
    }
    for name in [role.0.as_str(), DEFAULT_ROLE] {
        if let Some(names) = settings.roles.get(&Role(name.to_owned())) {
            return (names.names().to_vec(), Source::Role(name.to_owned()));
        }
    }
    (settings.agents.keys().cloned().collect(), Source::All)
}

/// The families that could play each of these roles for a task, those of the first choice first.
/// `known` has the family of every agent that can be used.
pub fn families(
    settings: &Settings,
    task: &Task,
    roles: &[Role],
    known: &BTreeMap<String, Family>,
) -> BTreeMap<Role, Vec<Family>> {
    let of = |role: &Role| {
        let mut families: Vec<Family> = Vec::new();
        for family in candidates(settings, role, task).iter().filter_map(|agent| known.get(agent)) {
            if !families.contains(family) {
                families.push(family.clone());
            }
        }
        families
    };
    roles.iter().map(|role| (role.clone(), of(role))).collect()
}

fn matches(route: &Route, role: &Role, task: &Task) -> bool {
    route.role.as_ref().is_none_or(|wanted| wanted == role)
        && route.risk.is_none_or(|wanted| wanted == task.risk)
        && route.area.as_ref().is_none_or(|wanted| Some(wanted) == task.area.as_ref())
        && route.complexity.is_none_or(|wanted| wanted == task.complexity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::parse::parse,
        model::task::{Complexity, Risk},
    };

    const AGENTS: &str =
        "[agents.c]\nadapter = 'claude'\n[agents.a]\nadapter = 'codex'\n[agents.b]\nadapter = 'gemini'\n";

    fn check(text: &str, role: &str, change: fn(&mut Task), wanted: &str) {
        let settings = parse(&format!("{AGENTS}{text}"), "c").expect(text);
        let mut task = Task::new("x".parse().expect("an id"), "x");
        change(&mut task);
        let (agents, source) = ranked(&settings, &Role(role.to_owned()), &task);
        assert_eq!(format!("{} by {source}", agents.join(" ")), wanted, "{text}");
    }

    #[test]
    fn the_nearest_rule_wins() {
        let roles = "[roles]\ndefault = ['b', 'a']\nplanner = 'c'\n";
        let routes = "[[route]]\nrole = 'planner'\nrisk = 'high'\nuse = 'a'\n\
                      [[route]]\narea = 'cli'\ncomplexity = 'large'\nuse = ['b', 'c']\n";
        let both = format!("{roles}{routes}");
        check("", "planner", |_| {}, "a b c by all agents");
        check(roles, "planner", |_| {}, "c by role 'planner'");
        check(roles, "tester", |_| {}, "b a by role 'default'");
        check(&both, "planner", |_| {}, "c by role 'planner'");
        check(&both, "planner", |task| task.risk = Risk::High, "a by route 1");
        check(&both, "tester", |task| task.risk = Risk::High, "b a by role 'default'");
        check(&both, "tester", |task| task.area = Some("cli".to_owned()), "b a by role 'default'");
        let both_hold = |task: &mut Task| {
            task.area = Some("cli".to_owned());
            task.complexity = Complexity::Large;
            task.risk = Risk::High;
        };
        check(&both, "tester", both_hold, "b c by route 2");
        check(&both, "planner", both_hold, "a by route 1");
        check("[[route]]\nuse = 'b'", "planner", |_| {}, "b by route 1");
    }

    #[test]
    fn who_was_unable_comes_after_who_was_not_yet_asked() {
        let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for (unable, wanted) in [("", "a b c"), ("a", "b c a"), ("a b", "c a b"), ("a b c a", "b c a"), ("x", "a b c")]
        {
            assert_eq!(ablest_first(names("a b c"), &names(unable)), names(wanted), "{unable}");
        }
    }

    #[test]
    fn families_are_those_of_agents_that_can_be_used() {
        let settings = parse(&format!("{AGENTS}[roles]\ndefault = ['c', 'b', 'a']\n"), "c").expect("right");
        let family = |name: &str| Family(name.to_owned());
        let known = BTreeMap::from([("c".to_owned(), family("x")), ("a".to_owned(), family("x"))]);
        let task = Task::new("x".parse().expect("an id"), "x");
        let role = Role("planner".to_owned());
        let found = families(&settings, &task, std::slice::from_ref(&role), &known);
        assert_eq!(found, BTreeMap::from([(role, vec![family("x")])]));
    }
}
