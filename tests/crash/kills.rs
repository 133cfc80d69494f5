//! Every scenario killed at every point, once or twice in a row, then gone on with and compared.
//! A failing case is told with the command that repeats it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    kit::{sandbox::Sandbox, state::Branches},
    points,
    scenario::{Act, Scenario},
};

/// Cases that the usual test run plays.
const CASES_DEFAULT: usize = 60;
/// Cases played at once.
const AT_ONCE: usize = 3;

/// Where and at which pass a process is killed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kill {
    point: String,
    pass: u64,
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.point, self.pass)
    }
}

/// One play: the command that is killed, and where it and those that repeat it are.
#[derive(Debug, Clone)]
struct Case {
    scenario: usize,
    act: usize,
    kills: Vec<Kill>,
}

impl Case {
    fn name(&self, scenarios: &[Scenario]) -> String {
        let kills: Vec<String> = self.kills.iter().map(Kill::to_string).collect();
        format!("{}/{}/{}", scenarios[self.scenario].name, self.act, kills.join("+"))
    }
}

/// What one play came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// It was killed as planned, and all held.
    Through,
    /// It ended before that pass: workers are not always in the same order.
    NotKilled,
    Wrong,
}

/// What is on the branches, and how often agents were run for it.
pub struct Kept {
    branches: Branches,
    runs: BTreeMap<(String, String, u32), usize>,
}

impl Kept {
    pub fn of(sandbox: &Sandbox) -> Self {
        let branches = Branches::of(sandbox);
        branches.check();
        Self { runs: branches.runs(&sandbox.agent_runs("start")), branches }
    }

    /// Panics unless all this is still there, and nothing of it was done again.
    #[track_caller]
    pub fn check_before(&self, now: &Self) {
        now.branches.check_keeps(&self.branches);
        let again: Vec<_> = self.runs.iter().filter(|(step, count)| now.runs.get(*step) != Some(*count)).collect();
        assert!(again.is_empty(), "committed, and yet run again: {again:?}");
    }
}

/// Runs one command, killed where it is to be; then the same again until it ends. Returns how often it was killed.
fn act(sandbox: &Sandbox, act: &Act, kills: &[Kill], log: Option<&str>) -> usize {
    let mut killed = 0;
    let mut kept = Kept::of(sandbox);
    loop {
        let again: Vec<&str> = act.words.iter().map(|word| if *word == "start" { "resume" } else { *word }).collect();
        let mut command = sandbox.command(if killed == 0 { act.words } else { &again });
        if let Some(kill) = kills.get(killed) {
            command.env("GIT_ORCHESTRATE_CRASH_AT", kill.to_string());
            if kill.pass % 2 == 0 {
                command.env("GIT_ORCHESTRATE_CRASH_GROUP", "1");
            }
        }
        // The log of the last run is what is looked at.
        if let Some(log) = log.filter(|_| killed == kills.len()) {
            command.env("GIT_ORCHESTRATE_CRASH_LOG", sandbox.outside(log));
        }
        let ended = sandbox.run_command(command);
        if !ended.was_killed() {
            kept.check_before(&Kept::of(sandbox));
            let is_decided = killed > 0 && act.words[0] == "review" && ended.stderr.contains("does not wait");
            assert!(ended.code() == Some(act.code) || is_decided, "{act:?}, killed {killed} times: {ended:?}");
            return killed;
        }
        let now = Kept::of(sandbox);
        kept.check_before(&now);
        kept = now;
        killed += 1;
        assert!(killed <= kills.len(), "it was killed by somebody else: {ended:?}");
    }
}

/// Plays a case to its end and checks all that must hold. Says whether it was killed as planned.
fn play(scenario: &Scenario, case: &Case, golden: Option<&Sandbox>, log: Option<&str>) -> (Sandbox, bool) {
    let sandbox = scenario.template.copy();
    let users = sandbox.users();
    let mut is_killed = case.kills.is_empty();
    for (at, next) in scenario.acts.iter().enumerate() {
        let kills = if at == case.act { case.kills.as_slice() } else { &[] };
        let killed = act(&sandbox, next, kills, log.filter(|_| at == case.act));
        is_killed = is_killed || (at == case.act && killed == kills.len());
        if next.words[0] == "land" {
            let code = |name| sandbox.content(name);
            assert_eq!(code("main"), code("orchestrate/integration"), "what landed on the user's branch");
        } else {
            assert_same(&users, &sandbox.users());
        }
    }
    for (step, count) in Kept::of(&sandbox).runs {
        assert!(count <= 1 + case.kills.len(), "{step:?} was run {count} times");
    }
    scenario.check_end(&sandbox, golden);
    (sandbox, is_killed)
}

fn assert_same(before: &BTreeMap<std::path::PathBuf, Vec<u8>>, after: &BTreeMap<std::path::PathBuf, Vec<u8>>) {
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed: Vec<_> = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
    assert!(changed.is_empty(), "of what is the user's this changed: {changed:?}");
}

/// The passes at which a point is tried that is passed so often.
fn passes(count: u64) -> BTreeSet<u64> {
    [1, 2, count].into_iter().filter(|pass| *pass <= count).collect()
}

/// All cases: each command of each scenario killed at each point that it passes; and, where work was in hand, the one
/// that goes on killed at each point that it passes in turn.
fn cases(scenarios: &[Scenario], seen: &mut BTreeSet<String>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |case: &Case, sandbox: &Sandbox| {
        let counts = points::counts(&sandbox.outside("passes"));
        seen.extend(counts.keys().cloned());
        for (point, count) in counts {
            for pass in passes(count) {
                let kill = Kill { point: point.clone(), pass };
                cases.push(Case { kills: case.kills.iter().cloned().chain([kill]).collect(), ..case.clone() });
            }
        }
    };
    for (at, scenario) in scenarios.iter().enumerate() {
        for act in 0..scenario.acts.len() {
            let case = Case { scenario: at, act, kills: Vec::new() };
            add(&case, &play(scenario, &case, None, Some("passes")).0);
        }
        // An agent has written and nobody has taken it yet; a worktree is half switched.
        for (point, pass) in [("step.answered", 1), ("step.taken", 2), ("gate.judged", 1), ("switch.applied", 1)] {
            let kills = vec![Kill { point: point.to_owned(), pass }];
            let case = Case { scenario: at, act: 0, kills };
            let (sandbox, is_killed) = play(scenario, &case, None, Some("passes"));
            if is_killed {
                add(&case, &sandbox);
            }
        }
    }
    cases
}

/// A part of the cases in which each point is there as soon as there is room for one of each, then each scenario with it.
fn choose(mut cases: Vec<Case>, count: usize) -> Vec<Case> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, usize)> = Vec::new();
    // Spread over scenarios: the order in which cases of one point come is turned by the point's place.
    for (at, case) in cases.iter().enumerate() {
        let last = case.kills.last().expect("a case has a kill");
        let rank = taken.entry(last.point.clone()).or_default();
        ranked.push((*rank, at));
        *rank += 1;
    }
    let turned: BTreeMap<&String, (usize, usize)> =
        taken.iter().enumerate().map(|(place, (point, count))| (point, (place, *count))).collect();
    for (rank, at) in &mut ranked {
        let (place, count) = turned[&cases[*at].kills.last().expect("a case has a kill").point];
        *rank = (*rank + place) % count;
    }
    ranked.sort_unstable();
    let chosen: BTreeSet<usize> = ranked.into_iter().take(count).map(|(_, at)| at).collect();
    let mut at = 0;
    cases.retain(|_| {
        at += 1;
        chosen.contains(&(at - 1))
    });
    cases
}

#[test]
fn killed_anywhere_it_goes_on_and_comes_to_the_same() {
    let scenarios = Scenario::all();
    let mut seen = BTreeSet::new();
    let all = cases(&scenarios, &mut seen);
    let unseen: Vec<_> = points::named().difference(&seen).cloned().collect();
    assert!(unseen.is_empty(), "no scenario passes these points: {unseen:?}");

    let golden: Vec<Sandbox> = scenarios.iter().map(Scenario::played).collect();
    let total = all.len();
    let wanted = std::env::var("CRASH_CASE").ok();
    let count = std::env::var("CRASH_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(CASES_DEFAULT);
    let chosen = match &wanted {
        Some(name) => all.into_iter().filter(|case| case.name(&scenarios).contains(name.as_str())).collect(),
        None => choose(all, count),
    };
    let (next, came) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let played = catch_unwind(AssertUnwindSafe(|| {
                        play(&scenarios[case.scenario], case, Some(&golden[case.scenario]), None).1
                    }));
                    let (how, why) = match played {
                        Ok(true) => (Came::Through, String::new()),
                        Ok(false) => (Came::NotKilled, String::new()),
                        Err(panic) => (Came::Wrong, said(panic.as_ref())),
                    };
                    came.lock().expect("no panic while it is held").push((case.clone(), how, why));
                }
            });
        }
    });
    let came = came.into_inner().expect("no panic while it is held");
    assert!(!came.is_empty(), "no such case: {wanted:?}");
    tell(&came, total, &scenarios);
}

pub fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// A table of points and outcomes, shown when something is wrong or output is not captured.
fn tell(came: &[(Case, Came, String)], total: usize, scenarios: &[Scenario]) {
    use std::io::Write;
    let mut table: BTreeMap<&str, BTreeMap<Came, usize>> = BTreeMap::new();
    for (case, how, _) in came {
        let point = case.kills.last().map_or("", |kill| kill.point.as_str());
        *table.entry(point).or_default().entry(*how).or_default() += 1;
    }
    let mut text = format!("{} of {total} cases\n", came.len());
    for (point, outcomes) in table {
        text.push_str(&format!("{point:<24}"));
        for (how, count) in outcomes {
            text.push_str(&format!(" {count} {how:?}"));
        }
        text.push('\n');
    }
    let _ = std::io::stdout().write_all(text.as_bytes());
    let wrong: Vec<String> = came
        .iter()
        .filter(|(_, how, _)| *how == Came::Wrong)
        .map(|(case, _, why)| {
            let name = case.name(scenarios);
            format!("{name}\n  {why}\n  CRASH_CASE={name} cargo test --test crash killed_anywhere")
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases went wrong:\n{}", wrong.len(), came.len(), wrong.join("\n"));
    let killed = came.iter().filter(|(_, how, _)| *how == Came::Through).count();
    assert!(killed * 2 > came.len(), "only {killed} of {} cases were killed where they should be", came.len());
}
