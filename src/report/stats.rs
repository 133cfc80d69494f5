//! What came of the steps of agents, as a table.
//! Knows nothing of where they are read or how they are judged.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::{
    cached::CachedView,
    look::Look,
    table::{self, Cell, Column, numbers, words},
};
use crate::{
    model::money::{Money, Tokens},
    plan::foretold::{Score, Scores},
    text,
};

/// Steps that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatsRow {
    /// What they have in common, in the order of `by`; empty text: nothing is said there.
    pub key: Vec<String>,
    /// All of them.
    pub steps: usize,
    /// Those that succeeded, missed, are not judged yet, could not be made.
    pub successes: usize,
    /// Those that missed.
    pub misses: usize,
    /// Those that are not judged yet.
    pub open: usize,
    /// Those that could not be made.
    pub infra: usize,
    /// The share of successes among those that were judged, 0 to 1.
    pub success: Option<f64>,
    /// Those after which the phase had to be done again.
    pub retries: usize,
    /// Required changes.
    pub findings: u64,
    /// Half of them took at most so many milliseconds.
    pub duration_median_ms: Option<u64>,
    /// What passed through models.
    pub tokens: Tokens,
    /// What those cost together whose cost is known; none: of no step it is.
    pub cost_usd: Option<Money>,
    /// What one costs on average.
    pub cost_mean_usd: Option<Money>,
    /// What a success costs, with all that failed.
    pub cost_per_success_usd: Option<Money>,
}

/// The table.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StatsView {
    /// What the rows go by.
    pub by: Vec<&'static str>,
    /// Only steps that began then or later, RFC 3339.
    pub since: Option<String>,
    /// The rows.
    pub rows: Vec<StatsRow>,
    /// How well the claims of finished tasks foretold what they changed, whenever that was; none: none is finished.
    #[serde(serialize_with = "with_shares")]
    pub claims: Option<Scores>,
    /// How often what prompts are made of was known already, in all runs here.
    pub context: CachedView,
}

#[derive(Serialize)]
struct ScoreView {
    #[serde(flatten)]
    score: Score,
    precision: Option<f64>,
    recall: Option<f64>,
}

fn with_shares<S: serde::Serializer>(claims: &Option<Scores>, out: S) -> Result<S::Ok, S::Error> {
    let view = |score: Score| ScoreView { score, precision: score.precision(), recall: score.recall() };
    let all = claims.map(|claims| {
        [("declared", claims.declared), ("planned", claims.planned), ("guessed", claims.guessed)]
            .map(|(name, score)| (name, view(score)))
    });
    all.map(BTreeMap::from).serialize(out)
}

/// Writes it for people.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &StatsView, look: Look, out: &mut dyn Write) -> io::Result<()> {
    if view.rows.is_empty() {
        return match &view.since {
            Some(since) => writeln!(out, "no agent has made a step since {since}"),
            None => writeln!(out, "no agent has made a step yet"),
        };
    }
    let of_key = |by: &&'static str| match *by {
        "role" => words("ROLE"),
        "model" => words("MODEL"),
        "agent" => words("AGENT"),
        "area" => words("AREA"),
        "risk" => words("RISK"),
        "kind" => words("KIND"),
        "complexity" => words("COMPLEXITY"),
        "task" => words("TASK"),
        "day" => words("DAY"),
        "month" => words("MONTH"),
        _ => words(""),
    };
    let mut columns: Vec<Column> = view.by.iter().map(of_key).collect();
    columns.extend([
        numbers("STEPS"),
        numbers("SUCCESS"),
        numbers("MISSED"),
        numbers("OPEN"),
        numbers("INFRA"),
        numbers("RETRIES"),
        numbers("FINDINGS"),
        numbers("TIME"),
        numbers("TOKENS"),
        numbers("COST"),
        numbers("PER STEP"),
        numbers("PER SUCCESS"),
    ]);
    let rows: Vec<Vec<Cell>> = view.rows.iter().map(row).collect();
    table::write(out, look, &columns, &rows)?;
    view.claims.as_ref().map_or(Ok(()), |claims| write_claims(claims, look, out))?;
    match view.context.line() {
        Some(line) => writeln!(out, "\n{line}"),
        None => Ok(()),
    }
}

fn write_claims(claims: &Scores, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let heads = [
        words("CLAIMED BY"),
        numbers("TASKS"),
        numbers("FILES"),
        numbers("CHANGED"),
        numbers("PRECISION"),
        numbers("RECALL"),
    ];
    let share = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
    let row = |(name, score): (&str, Score)| -> Vec<Cell> {
        vec![
            name.into(),
            score.tasks.to_string().into(),
            score.named.to_string().into(),
            score.changed.to_string().into(),
            share(score.precision()).into(),
            share(score.recall()).into(),
        ]
    };
    let all = [("task", claims.declared), ("plan", claims.planned), ("both, and guesses", claims.guessed)];
    let rows: Vec<Vec<Cell>> = all.into_iter().filter(|(_, score)| score.tasks > 0).map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    table::write(out, look, &heads, &rows)
}

fn row(row: &StatsRow) -> Vec<Cell> {
    let number = |number: usize| if number > 0 { number.to_string() } else { String::new() };
    let money = |money: Option<Money>| money.map_or_else(String::new, |money| money.to_string());
    let mut cells: Vec<Cell> = row.key.iter().map(|key| if key.is_empty() { "-" } else { key }.into()).collect();
    let per_step = if row.steps > 0 { format!("{:.1}", row.findings as f64 / row.steps as f64) } else { String::new() };
    cells.extend([
        Cell::from(row.steps.to_string()),
        row.success.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)).into(),
        number(row.misses).into(),
        number(row.open).into(),
        number(row.infra).into(),
        number(row.retries).into(),
        if row.findings > 0 { per_step } else { String::new() }.into(),
        row.duration_median_ms.map_or_else(String::new, |ms| text::duration(Duration::from_millis(ms))).into(),
        if row.tokens.total() > 0 { text::tokens(row.tokens.total()) } else { String::new() }.into(),
        money(row.cost_usd).into(),
        money(row.cost_mean_usd).into(),
        money(row.cost_per_success_usd).into(),
    ]);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(view: &StatsView, wanted: &str) {
        let mut out = Vec::new();
        write(view, Look::default(), &mut out).expect("a Vec takes all");
        assert_eq!(String::from_utf8_lossy(&out), wanted);
    }

    #[test]
    fn a_table_or_that_there_is_none() {
        check(&StatsView::default(), "no agent has made a step yet\n");
        let since = Some("2026-01-02T00:00:00Z".to_owned());
        check(&StatsView { since, ..StatsView::default() }, "no agent has made a step since 2026-01-02T00:00:00Z\n");
        let known = StatsRow {
            key: vec!["implementer".to_owned(), "m\u{1b}[1m".to_owned()],
            steps: 4,
            successes: 2,
            misses: 1,
            open: 1,
            infra: 0,
            success: Some(2.0 / 3.0),
            retries: 1,
            findings: 2,
            duration_median_ms: Some(41_000),
            tokens: Tokens { input: 1200, ..Tokens::default() },
            cost_usd: Some(Money::micros(60_000)),
            cost_mean_usd: Some(Money::micros(15_000)),
            cost_per_success_usd: Some(Money::micros(30_000)),
        };
        let unknown = StatsRow {
            key: vec!["planner".to_owned(), String::new()],
            success: None,
            duration_median_ms: None,
            cost_usd: None,
            cost_mean_usd: None,
            cost_per_success_usd: None,
            ..known.clone()
        };
        let declared = Score { tasks: 2, named: 4, kept: 3, changed: 6, foretold: 2 };
        let claims = Scores { declared, guessed: Score { named: 5, foretold: 3, ..declared }, ..Scores::default() };
        let rows = vec![known, unknown];
        let view = StatsView { by: vec!["role", "model"], rows, claims: Some(claims), ..StatsView::default() };
        check(
            &view,
            "ROLE         MODEL  STEPS  SUCCESS  MISSED  OPEN  RETRIES  FINDINGS  TIME  TOKENS   COST  PER STEP  PER SUCCESS
implementer  m          4     67 %       1     1        1       0.5   41s    1.2k  $0.06     $0.02        $0.03
planner      -          4                1     1        1       0.5          1.2k

CLAIMED BY         TASKS  FILES  CHANGED  PRECISION  RECALL
task                   2      4        6       75 %    33 %
both, and guesses      2      5        6       60 %    50 %
",
        );
    }
}
