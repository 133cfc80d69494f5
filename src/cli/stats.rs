//! `stats`: what came of the steps of agents.
//! Knows nothing of how they are judged.

use std::{
    io::Write,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{exit::Exit, failure::Failure, place::project, terminal::Terminal, user_programs::paged};
use crate::{
    context::Cache,
    model::task::Span,
    plan::foretold::{Came, scores},
    report::{
        json,
        stats::{StatsRow, StatsView, write},
    },
    route::{
        history::History,
        tally::{By, Row, table},
    },
    run::{forecast, history, view},
    sys::clock,
};

/// What `stats` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct StatsArguments {
    /// Rows by role, model, agent, area, risk, kind, complexity, task, day or month
    #[arg(
        long,
        value_name = "WORDS",
        value_delimiter = ',',
        default_values = ["role", "model"],
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(By::ALL.iter().map(|by| by.word())).try_map(|word| word.parse::<By>())
    )]
    pub by: Vec<By>,
    /// Only steps that began since: 30d, 12h, 2026-01-31, 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<Since>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate stats                              How often each model succeeds in each role
  git orchestrate stats --by model,risk --since 30d  By risk, of the last thirty days
  git orchestrate stats --by month,task              What each task cost in each month
  git orchestrate stats --json                       For programs

A step of an author is a success if its reviews and its gate let it pass; one of a planner if its \
plan was approved; one of a reviewer if no gate, merge or person contradicted it. What nobody has \
judged yet is open. Of the files that finished tasks claimed, precision is the share that they \
changed; recall is the share of what they changed that they claimed.";

/// The moment from which steps count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(SystemTime);

impl std::str::FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(Span(ago)) = text.parse::<Span>() {
            return Ok(Self(clock::now().checked_sub(ago).unwrap_or(UNIX_EPOCH)));
        }
        let day = format!("{text}T00:00:00Z");
        let time = clock::parse_rfc3339(text).or_else(|| clock::parse_rfc3339(&day));
        time.map(Self)
            .ok_or_else(|| format!("'{text}' is neither a length of time such as 30d nor a day such as 2026-01-31"))
    }
}

/// Runs `stats`.
///
/// # Errors
/// When the refs cannot be read.
pub fn run(arguments: &StatsArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let project = project()?;
    let told = history::told(&project)?;
    let came: Vec<Came> = told.iter().filter_map(|told| told.came.clone()).collect();
    let history = History::new(told.into_iter().flat_map(|told| told.trials));
    let since =
        arguments.since.map(|Since(time)| time.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs() as i64));
    let counts = history.trials().filter(|trial| since.is_none_or(|since| trial.at >= since));
    let view = StatsView {
        by: arguments.by.iter().map(|by| by.word()).collect(),
        since: arguments.since.map(|Since(time)| clock::to_rfc3339(time)),
        rows: table(counts, &arguments.by, &clock::zone()).into_iter().map(row).collect(),
        claims: if came.is_empty() { None } else { Some(scores(&came, &forecast::code_map(&project))) },
        context: view::cached(Cache::counts_of_all(&project.local.contexts())),
    };
    if arguments.json {
        json::write(&view, out)?;
    } else {
        paged(terminal, &project.repository, out, |out| Ok(write(&view, terminal.out_look(), out)?))?;
    }
    Ok(if view.rows.is_empty() && view.since.is_some() { Exit::NoMatch } else { Exit::Done })
}

fn row(row: Row) -> StatsRow {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    StatsRow {
        success: row.success(),
        cost_mean_usd: row.cost_mean(),
        cost_per_success_usd: row.cost_per_success(),
        key: row.key,
        steps: row.steps,
        successes: row.successes,
        misses: row.misses,
        open: row.open,
        infra: row.infra,
        retries: row.redone,
        findings: row.findings,
        duration_median_ms: row.time_median.map(ms),
        tokens: row.tokens,
        cost_usd: (row.priced > 0).then_some(row.cost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_span_ago_a_day_or_a_time() {
        let since = |text: &str| text.parse::<Since>().map(|Since(time)| clock::to_rfc3339(time));
        assert_eq!(since("2026-01-31").as_deref(), Ok("2026-01-31T00:00:00.000Z"));
        assert_eq!(since("2026-01-31T09:00:00+01:00").as_deref(), Ok("2026-01-31T08:00:00.000Z"));
        assert!(since("30d").is_ok_and(|time| time < clock::now_rfc3339()));
        assert!(since("99999999d").is_ok());
        for wrong in ["", "soon", "2026-13-01", "-3d"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
