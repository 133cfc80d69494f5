//! Which agents may play a role for a task, the first choice first.
//! Knows nothing of families that may not, or of agents that are busy; that is for the choice.

use std::fmt;

use super::usual;
use crate::{
    config::settings::{Route, Settings},
    model::{task::Task, workflow::Role},
};

/// The role whose agents play those that are not named.
const DEFAULT_ROLE: &str = "default";

/// What named the agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// That `[[route]]`, from 1.
    Route(usize),
    /// `[roles]`, under that name.
    Role(String),
    /// That route of the table that is compiled in, from 1: the configuration names nobody.
    Usual(usize),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(number) => write!(f, "route {number}"),
            Self::Role(role) => write!(f, "role '{role}'"),
            Self::Usual(number) => write!(f, "usual route {number}"),
        }
    }
}

/// Agents in an order, and what named them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The first choice first.
    pub agents: Vec<String>,
    /// What named them.
    pub source: Source,
}

/// Who may play a role for a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// Those of the first rule that matches.
    pub first: Listed,
    /// Those that play it where none of the first ever may, as none is of another family than the author's: what the
    /// rules after it name beside them. While one of the first is only busy or parked, the step waits for it.
    pub fallbacks: Vec<Listed>,
}

impl Ranking {
    /// All of them, the first choice first.
    pub fn agents(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.first).chain(&self.fallbacks).flat_map(|listed| &listed.agents)
    }
}

/// The candidates for another try: those first that were less often unable to do this step at all.
pub fn ablest_first(mut candidates: Vec<String>, unable: &[String]) -> Vec<String> {
    candidates.sort_by_key(|agent| unable.iter().filter(|name| *name == agent).count());
    candidates
}

/// The agents that may play a role for a task, the first choice first: those of the first route that matches, then of the
/// role, then of the role `default`; where no rule names anybody, all in the usual order.
pub fn candidates(settings: &Settings, role: &Role, task: &Task) -> Vec<String> {
    ranked(settings, role, task).agents().cloned().collect()
}

/// The same, and what named them.
pub fn ranked(settings: &Settings, role: &Role, task: &Task) -> Ranking {
    let mut lists: Vec<Listed> = Vec::new();
    let mut add = |agents: &[String], source: Source| {
        let is_new = |agent: &&String| !lists.iter().any(|listed| listed.agents.contains(agent));
        let agents: Vec<String> = agents.iter().filter(is_new).cloned().collect();
        if lists.is_empty() || !agents.is_empty() {
            lists.push(Listed { agents, source });
        }
    };
    if let Some(at) = settings.routes.iter().position(|route| matches(route, role, task)) {
        add(settings.routes[at].agents.names(), Source::Route(at + 1));
    }
    for name in [role.0.as_str(), DEFAULT_ROLE] {
        if let Some(names) = settings.roles.get(&Role(name.to_owned())) {
            add(names.names(), Source::Role(name.to_owned()));
        }
    }
    if lists.is_empty() {
        let at = usual::routes().iter().position(|route| matches(route, role, task));
        let at = at.expect("the last of the usual routes takes all");
        let agents = usual::agents(settings, usual::routes()[at].agents.names());
        lists.push(Listed { agents, source: Source::Usual(at + 1) });
    }
    let first = lists.remove(0);
    Ranking { first, fallbacks: lists }
}

fn matches(route: &Route, role: &Role, task: &Task) -> bool {
    route.role.as_ref().is_none_or(|wanted| wanted == role)
        && route.risk.is_none_or(|wanted| wanted == task.risk)
        && route.area.as_ref().is_none_or(|wanted| Some(wanted) == task.area.as_ref())
        && route.complexity.is_none_or(|wanted| wanted == task.complexity)
        && route.kind.as_ref().is_none_or(|wanted| Some(wanted) == task.kind.as_ref())
        && route.label.as_ref().is_none_or(|wanted| task.labels.contains(wanted))
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
        let ranking = ranked(&settings, &Role(role.to_owned()), &task);
        let listed = |listed: &Listed| format!("{} by {}", listed.agents.join(" "), listed.source);
        let told: Vec<String> = std::iter::once(&ranking.first).chain(&ranking.fallbacks).map(listed).collect();
        assert_eq!(told.join(", else "), wanted, "{text}");
    }

    #[test]
    fn the_nearest_rule_wins() {
        let roles = "[roles]\ndefault = ['b', 'a']\nplanner = 'c'\n";
        let routes = "[[route]]\nrole = 'planner'\nrisk = 'high'\nuse = 'a'\n\
                      [[route]]\narea = 'cli'\ncomplexity = 'large'\nuse = ['b', 'c']\n\
                      [[route]]\nkind = 'docs'\nlabel = 'easy'\nuse = ['c']\n";
        let both = format!("{roles}{routes}");
        check(roles, "planner", |_| {}, "c by role 'planner', else b a by role 'default'");
        check(roles, "tester", |_| {}, "b a by role 'default'");
        check(&both, "planner", |_| {}, "c by role 'planner', else b a by role 'default'");
        let high = |task: &mut Task| task.risk = Risk::High;
        check(&both, "planner", high, "a by route 1, else c by role 'planner', else b by role 'default'");
        check(&both, "tester", high, "b a by role 'default'");
        check(&both, "tester", |task| task.area = Some("cli".to_owned()), "b a by role 'default'");
        let both_hold = |task: &mut Task| {
            task.area = Some("cli".to_owned());
            task.complexity = Complexity::Large;
            task.risk = Risk::High;
        };
        check(&both, "tester", both_hold, "b c by route 2, else a by role 'default'");
        let easy = |task: &mut Task| {
            task.kind = Some("docs".to_owned());
            task.labels = vec!["new".to_owned(), "easy".to_owned()];
        };
        check(&both, "tester", easy, "c by route 3, else b a by role 'default'");
        check(&both, "tester", |task| task.kind = Some("docs".to_owned()), "b a by role 'default'");
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
    fn without_a_rule_the_order_is_the_usual_one() {
        let models =
            "[agents.m]\nadapter = 'claude'\nmodel = 'haiku'\n[agents.s]\nadapter = 'claude'\nmodel = 'opus'\n";
        check("", "planner", |_| {}, "a b c by usual route 2");
        check(models, "planner", |_| {}, "s a b c m by usual route 2");
        check(models, "implementer", |_| {}, "a b c s m by usual route 8");
        check(models, "implementer", |task| task.risk = Risk::High, "s a b c m by usual route 5");
        let little = |task: &mut Task| (task.risk, task.complexity) = (Risk::Low, Complexity::Small);
        check(models, "implementer", little, "m a b c s by usual route 6");
        check(models, "code-reviewer", little, "s a b c m by usual route 4");
        // A role that is named leaves the others to the table.
        check("[roles]\nplanner = 'c'\n", "tester", |_| {}, "a b c by usual route 8");
    }
}
