//! What a task is going to touch: the files that it says it writes, and those that it may have to change with them.
//! Knows nothing of how far a task has come but its plan; what the files have to do with each other is the map's.

use std::collections::BTreeMap;

use super::{
    code_map::{CodeMap, Tie},
    overlap::Pattern,
};
use crate::model::{plan::Plan, task::Task};

/// Files that one glob stands for as a guess; of more, nobody can tell which is meant.
const GUESSED_MAX: usize = 24;
/// How likely, in percent, a task without files of its own writes the one file that it is told to read.
const CONTEXT_PERCENT: u32 = 60;
/// The same where it says which files it writes.
const CONTEXT_BESIDE_PERCENT: u32 = 15;
/// Guesses that are kept for a claim, the likeliest.
const GUESSES_MAX: usize = 400;

/// Who says that a task writes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// The task: its `files`.
    Declared,
    /// The plan that it follows.
    Planned,
}

/// Why a task may touch a file that nobody says it writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its `context` names it.
    Context,
    /// It hangs together with this file, which the task writes.
    Tied(Tie, u32),
}

/// A file that a task may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// How likely, in percent.
    pub percent: u8,
    /// Why.
    pub why: Why,
}

impl Guess {
    /// Why a task may touch the file at this place: `'tests/a.rs' tests 'src/a.rs'`.
    pub fn reason(&self, at: u32, map: &CodeMap) -> String {
        let path = map.path(at);
        match &self.why {
            Why::Context => format!("'{path}' is in its context"),
            Why::Tied(Tie::Test, of) => format!("'{path}' tests '{}'", map.path(*of)),
            Why::Tied(Tie::Header, of) => format!("'{path}' goes with '{}'", map.path(*of)),
            Why::Tied(Tie::ImportedBy, of) => format!("'{path}' imports '{}'", map.path(*of)),
            Why::Tied(Tie::Imports, of) => format!("'{}' imports '{path}'", map.path(*of)),
            Why::Tied(Tie::Together, of) => format!("'{path}' often changes with '{}'", map.path(*of)),
        }
    }
}

/// What a task is going to touch.
#[derive(Debug, Clone, Default)]
pub struct Claim {
    /// What it says it writes.
    pub(super) says: Vec<(Pattern, Said)>,
    /// Files that are there, in order, that it says it writes.
    pub(super) writes: Vec<u32>,
    /// Files that it may touch beside them.
    pub(super) guesses: BTreeMap<u32, Guess>,
}

impl Claim {
    /// That of a task, with the plan that it follows once there is one.
    pub fn new(task: &Task, plan: Option<&Plan>, map: &CodeMap) -> Self {
        let declared = task.files.iter().map(|glob| (glob, Said::Declared));
        let planned = plan.iter().flat_map(|plan| &plan.steps).flat_map(|step| &step.files);
        let mut says: Vec<(Pattern, Said)> = Vec::new();
        for (glob, said) in declared.chain(planned.map(|file| (file, Said::Planned))) {
            if !glob.trim().is_empty() && !says.iter().any(|(known, _)| known.glob() == glob) {
                says.push((Pattern::new(glob), said));
            }
        }
        let mut claim = Self { says, ..Self::default() };
        let named: Vec<Vec<u32>> = claim.says.iter().map(|(pattern, _)| pattern.files(map)).collect();
        claim.writes = named.concat();
        claim.writes.sort_unstable();
        claim.writes.dedup();
        // What a wide glob names is not all written, and says nothing of what hangs together with it.
        for from in named.into_iter().filter(|files| files.len() <= GUESSED_MAX).flatten() {
            for (to, tie, percent) in map.ties(from) {
                claim.guess(*to, *percent, Why::Tied(*tie, from));
            }
        }
        let percent = if claim.says.is_empty() { CONTEXT_PERCENT } else { CONTEXT_BESIDE_PERCENT };
        for glob in &task.context {
            let files = Pattern::new(glob).files(map);
            if files.len() <= GUESSED_MAX {
                for at in &files {
                    claim.guess(*at, (f64::from(percent) / (files.len() as f64).sqrt()) as u8, Why::Context);
                }
            }
        }
        claim.forget_the_unlikely();
        claim
    }

    fn guess(&mut self, at: u32, percent: u8, why: Why) {
        if percent == 0 || self.writes.binary_search(&at).is_ok() {
            return;
        }
        let guess = Guess { percent, why };
        let known = self.guesses.entry(at).or_insert_with(|| guess.clone());
        if known.percent < percent {
            *known = guess;
        }
    }

    fn forget_the_unlikely(&mut self) {
        if self.guesses.len() > GUESSES_MAX {
            let mut percents: Vec<u8> = self.guesses.values().map(|guess| guess.percent).collect();
            percents.sort_unstable_by_key(|percent| std::cmp::Reverse(*percent));
            let least = percents[GUESSES_MAX];
            self.guesses.retain(|_, guess| guess.percent > least);
        }
    }

    /// Whether nobody says which files are written.
    pub fn is_silent(&self) -> bool {
        self.says.is_empty()
    }

    /// The globs that it says it writes, and who says so.
    pub fn says(&self) -> impl Iterator<Item = (&str, Said)> {
        self.says.iter().map(|(pattern, said)| (pattern.glob(), *said))
    }

    /// The files that are there already and that it says it writes.
    pub fn writes(&self) -> &[u32] {
        &self.writes
    }

    /// The files that it may touch beside them, by place.
    pub fn guesses(&self) -> impl Iterator<Item = (u32, &Guess)> {
        self.guesses.iter().map(|(at, guess)| (*at, guess))
    }

    /// How likely, in percent, it touches the file at a path: 100 if it says so.
    pub fn percent(&self, path: &str, map: &CodeMap) -> u8 {
        if self.says.iter().any(|(pattern, _)| pattern.names(path)) {
            return 100;
        }
        map.at(path).and_then(|at| self.guesses.get(&at)).map_or(0, |guess| guess.percent)
    }
}

/// How two claims stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// Nothing suggests that they touch the same files.
    Apart,
    /// They may touch the same files.
    Risk {
        /// How likely that is, in percent.
        percent: u8,
        /// The likeliest of the files, and why.
        why: String,
    },
    /// Both say that they write the same files: they never run together.
    Overlap {
        /// Which: `both change 'src/a.rs'`.
        why: String,
    },
}

/// Risks below this are not worth a word, in percent.
pub const RISK_PERCENT_MIN: u8 = 5;
/// From this on, in percent, a task that may get in the way of one at work lets others go first, and people are told of it.
pub const RISK_YIELDS_PERCENT_MIN: u8 = 10;

/// By how much less a file says beside a likelier one.
const FURTHER_DIVISOR: f64 = 4.0;

/// How two claims stand to each other.
pub fn relation(one: &Claim, other: &Claim, map: &CodeMap) -> Relation {
    if let Some(why) = overlap(one, other) {
        return Relation::Overlap { why };
    }
    let mut apart = 1.0;
    let mut likeliest: Option<(f64, String)> = None;
    // What makes one file likely makes the others likely too, so that each further one says less than it would alone.
    let further = |chance: f64| 1.0 - chance / FURTHER_DIVISOR;
    let mut meet = |at: u32, one: (u8, Option<&Guess>), other: (u8, Option<&Guess>)| {
        let chance = f64::from(one.0) * f64::from(other.0) / 10_000.0;
        apart *= further(chance);
        if likeliest.as_ref().is_none_or(|(known, _)| *known < chance) {
            likeliest = Some((chance, reason(at, one.1, other.1, map)));
        }
    };
    for (at, guess) in &one.guesses {
        if other.writes.binary_search(at).is_ok() {
            meet(*at, (guess.percent, Some(guess)), (100, None));
        } else if let Some(theirs) = other.guesses.get(at) {
            meet(*at, (guess.percent, Some(guess)), (theirs.percent, Some(theirs)));
        }
    }
    for (at, guess) in &other.guesses {
        if one.writes.binary_search(at).is_ok() {
            meet(*at, (100, None), (guess.percent, Some(guess)));
        }
    }
    if let Some((chance, _)) = &likeliest {
        apart = apart / further(*chance) * (1.0 - chance);
    }
    let percent = (100.0 * (1.0 - apart)).round() as u8;
    match likeliest {
        Some((_, why)) if percent >= RISK_PERCENT_MIN => Relation::Risk { percent: percent.min(99), why },
        Some(_) | None => Relation::Apart,
    }
}

/// What two claims both say they write.
pub fn overlap(one: &Claim, other: &Claim) -> Option<String> {
    for (mine, _) in &one.says {
        for (theirs, _) in &other.says {
            if mine.meets(theirs) {
                return Some(match mine.glob() == theirs.glob() {
                    true => format!("both change '{}'", mine.glob()),
                    false => format!("'{}' and '{}' may name the same file", mine.glob(), theirs.glob()),
                });
            }
        }
    }
    None
}

fn reason(at: u32, one: Option<&Guess>, other: Option<&Guess>, map: &CodeMap) -> String {
    let path = map.path(at);
    let because = |guess: &Guess| match guess.why {
        Why::Context => format!("'{path}' is in the context of one"),
        Why::Tied(..) => guess.reason(at, map),
    };
    match (one, other) {
        (Some(one), Some(other)) if one.why == Why::Context && other.why == Why::Context => {
            format!("'{path}' is in the context of both")
        }
        (
            Some(Guess { why: Why::Tied(Tie::Together, one), .. }),
            Some(Guess { why: Why::Tied(Tie::Together, other), .. }),
        ) if one != other => {
            format!("'{path}' often changes with '{}' and with '{}'", map.path(*one), map.path(*other))
        }
        (Some(one), Some(other)) if because(one) != because(other) => format!("{}; {}", because(one), because(other)),
        (Some(guess), _) | (None, Some(guess)) => because(guess),
        (None, None) => format!("both change '{path}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::code_map::Ties, *};
    use crate::model::plan::PlanStep;

    /// a.rs imports b.rs, tests/a.rs tests a.rs, b.rs and d.rs change together, and e.rs and d.rs.
    fn map() -> CodeMap {
        let paths = ["src/a.rs", "src/b.rs", "tests/a.rs", "src/d.rs", "src/e.rs"].map(str::to_owned).to_vec();
        let ties = Ties {
            imports: vec![(0, 1)],
            tests: vec![(0, 2)],
            together: vec![(1, 3, 50), (4, 3, 40)],
            ..Ties::default()
        };
        CodeMap::new(paths, &ties)
    }

    fn claim(files: &[&str], context: &[&str], plan: &[&str]) -> Claim {
        let mut task = Task::new("t".parse().expect("an id"), "t");
        task.files = files.iter().map(|file| (*file).to_owned()).collect();
        task.context = context.iter().map(|file| (*file).to_owned()).collect();
        let step = PlanStep {
            id: "S1".to_owned(),
            title: "x".to_owned(),
            detail: String::new(),
            files: plan.iter().map(|file| (*file).to_owned()).collect(),
            acceptance: Vec::new(),
        };
        let plan = Plan { summary: String::new(), steps: vec![step] };
        Claim::new(&task, Some(&plan), &map())
    }

    #[track_caller]
    fn check(one: &Claim, other: &Claim, wanted: &str) {
        let shown = |relation| match relation {
            Relation::Apart => String::new(),
            Relation::Risk { percent, why } => format!("{percent}% {why}"),
            Relation::Overlap { why } => format!("never: {why}"),
        };
        assert_eq!(shown(relation(one, other, &map())), wanted);
        let turned = shown(relation(other, one, &map()));
        assert_eq!(turned.split(' ').next(), wanted.split(' ').next(), "the other way round: {turned}");
    }

    #[test]
    fn what_is_said_to_be_written_never_runs_together() {
        check(
            &claim(&["src/a.rs"], &[], &[]),
            &claim(&["src/**"], &[], &[]),
            "never: 'src/a.rs' and 'src/**' may name the same file",
        );
        check(&claim(&["new.rs"], &[], &[]), &claim(&[], &[], &["new.rs"]), "never: both change 'new.rs'");
        check(&claim(&["src/a.rs"], &[], &[]), &claim(&["src/e.rs"], &[], &[]), "");
        check(&claim(&[], &[], &[]), &claim(&["**"], &[], &[]), "");
    }

    #[test]
    fn what_hangs_together_is_a_risk_with_a_reason() {
        let a = claim(&["src/a.rs"], &[], &[]);
        check(&a, &claim(&["src/b.rs"], &[], &[]), "13% 'src/a.rs' imports 'src/b.rs'");
        check(&a, &claim(&["tests/a.rs"], &[], &[]), "45% 'tests/a.rs' tests 'src/a.rs'");
        check(
            &claim(&["src/b.rs"], &[], &[]),
            &claim(&["src/d.rs"], &[], &[]),
            "50% 'src/d.rs' often changes with 'src/b.rs'",
        );
        check(
            &claim(&["src/b.rs"], &[], &[]),
            &claim(&["src/e.rs"], &[], &[]),
            "20% 'src/d.rs' often changes with 'src/b.rs' and with 'src/e.rs'",
        );
        check(&a, &claim(&[], &["src/a.rs"], &[]), "60% 'src/a.rs' is in the context of one");
        check(
            &claim(&[], &["src/e.rs"], &[]),
            &claim(&[], &["src/e.rs"], &[]),
            "36% 'src/e.rs' is in the context of both",
        );
        check(&a, &claim(&["src/e.rs"], &["src/a.rs"], &[]), "15% 'src/a.rs' is in the context of one");
    }

    #[test]
    fn a_claim_tells_how_likely_a_file_is_touched() {
        let claim = claim(&["src/a.rs"], &[], &["docs/"]);
        let map = map();
        let percents = ["src/a.rs", "tests/a.rs", "docs/x.md", "src/e.rs"].map(|path| claim.percent(path, &map));
        assert_eq!(percents, [100, 45, 100, 0]);
        assert_eq!(
            claim.says().map(|(glob, said)| (glob, said == Said::Planned)).collect::<Vec<_>>(),
            [("src/a.rs", false), ("docs/", true)]
        );
    }
}
