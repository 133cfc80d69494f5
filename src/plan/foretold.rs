//! How well claims foretold what tasks really changed.
//! Knows nothing of repositories; what was changed is told.

use serde::{Deserialize, Serialize};

use super::{claim::Claim, code_map::CodeMap, overlap::Pattern};
use crate::model::{plan::Plan, task::Task};

/// How likely, in percent, a guess must be to be taken as foretold.
const GUESS_PERCENT_MIN: u8 = 30;

/// What a finished task claimed, and what it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    /// The task's `files`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<String>,
    /// Its `context`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<String>,
    /// The files of its plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<String>,
    /// The files that it changed.
    pub changed: Vec<String>,
}

impl Came {
    /// That of a task, its plan, and the files that it changed.
    pub fn new(task: &Task, plan: Option<&Plan>, changed: Vec<String>) -> Self {
        let planned = plan.iter().flat_map(|plan| &plan.steps).flat_map(|step| step.files.iter().cloned());
        Self { declared: task.files.clone(), context: task.context.clone(), planned: planned.collect(), changed }
    }

    /// The claim that it would have with these words.
    fn claim(&self, declared: &[&[String]], map: &CodeMap) -> Claim {
        let mut task = Task::new("foretold".parse().expect("a fixed name is a good one"), "");
        task.files = declared.concat();
        task.context.clone_from(&self.context);
        Claim::new(&task, None, map)
    }
}

/// How much of what was foretold came, and of what came was foretold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Tasks that foretold something.
    pub tasks: usize,
    /// Files and globs that they named.
    pub named: usize,
    /// Of those, the ones that a changed file bears out.
    pub kept: usize,
    /// Files that those tasks changed.
    pub changed: usize,
    /// Of those, the ones that were named.
    pub foretold: usize,
}

impl Score {
    /// The share of what was named that came, 0 to 1.
    pub fn precision(&self) -> Option<f64> {
        (self.named > 0).then(|| self.kept as f64 / self.named as f64)
    }

    /// The share of what came that was named, 0 to 1.
    pub fn recall(&self) -> Option<f64> {
        (self.changed > 0).then(|| self.foretold as f64 / self.changed as f64)
    }

    fn add(&mut self, named: usize, kept: usize, changed: usize, foretold: usize) {
        if named > 0 {
            self.tasks += 1;
            self.named += named;
            self.kept += kept;
            self.changed += changed;
            self.foretold += foretold;
        }
    }
}

/// The scores of all claims.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Scores {
    /// Of the tasks' `files`.
    pub declared: Score,
    /// Of the plans' files.
    pub planned: Score,
    /// Of both, and of what hangs together with them by the code as it is now.
    pub guessed: Score,
}

/// Compares what was claimed with what came.
pub fn scores(all: &[Came], map: &CodeMap) -> Scores {
    let mut scores = Scores::default();
    for came in all.iter().filter(|came| !came.changed.is_empty()) {
        said(&mut scores.declared, &came.declared, &came.changed);
        said(&mut scores.planned, &came.planned, &came.changed);
        let claim = came.claim(&[&came.declared, &came.planned], map);
        let patterns: Vec<Pattern> = claim.says().map(|(glob, _)| Pattern::new(glob)).collect();
        let is_said = |path: &String| patterns.iter().any(|pattern| pattern.names(path));
        let guesses = claim.guesses().filter(|(_, guess)| guess.percent >= GUESS_PERCENT_MIN);
        let guesses: Vec<&str> = guesses.map(|(at, _)| map.path(at)).collect();
        let kept = patterns.iter().filter(|pattern| came.changed.iter().any(|path| pattern.names(path))).count()
            + guesses.iter().filter(|guess| came.changed.iter().any(|path| path == *guess)).count();
        let foretold = came.changed.iter().filter(|path| is_said(path) || guesses.contains(&path.as_str())).count();
        scores.guessed.add(patterns.len() + guesses.len(), kept, came.changed.len(), foretold);
    }
    scores
}

fn said(score: &mut Score, globs: &[String], changed: &[String]) {
    let patterns: Vec<Pattern> = globs.iter().map(|glob| Pattern::new(glob)).collect();
    let kept = patterns.iter().filter(|pattern| changed.iter().any(|path| pattern.names(path))).count();
    let foretold = changed.iter().filter(|path| patterns.iter().any(|pattern| pattern.names(path))).count();
    score.add(patterns.len(), kept, changed.len(), foretold);
}

#[cfg(test)]
mod tests {
    use super::{super::code_map::Ties, *};

    /// `declared | planned | changed` lines; a.rs has the test t.rs. Tasks, precision and recall of the three.
    #[track_caller]
    fn check(lines: &str, wanted: &str) {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let came = |line: &str| {
            let parts: Vec<&str> = line.split('|').collect();
            Came { declared: words(parts[0]), planned: words(parts[1]), changed: words(parts[2]), ..Came::default() }
        };
        let all: Vec<Came> = lines.lines().map(came).collect();
        let paths = ["a.rs", "t.rs", "b.rs"].map(str::to_owned).to_vec();
        let map = CodeMap::new(paths, &Ties { tests: vec![(0, 1)], ..Ties::default() });
        let percent =
            |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.0}", share * 100.0));
        let shown =
            |score: Score| format!("{} {}/{}", score.tasks, percent(score.precision()), percent(score.recall()));
        let scores = scores(&all, &map);
        assert_eq!([scores.declared, scores.planned, scores.guessed].map(shown).join(", "), wanted, "{lines}");
    }

    #[test]
    fn what_was_named_is_held_against_what_came() {
        check("", "0 -/-, 0 -/-, 0 -/-");
        check("a.rs||a.rs t.rs", "1 100/50, 0 -/-, 1 100/100");
        check("a.rs|b.rs|b.rs", "1 0/0, 1 100/100, 1 33/100");
        check("src/** x||src/a src/b", "1 50/100, 0 -/-, 1 50/100");
        check("a.rs||\n||b.rs", "0 -/-, 0 -/-, 0 -/-");
    }
}
