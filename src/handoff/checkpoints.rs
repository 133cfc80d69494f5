//! A task's checkpoint as TOML, and back; what a later version added survives a rewrite by this one.
//! Knows nothing of steps or of commits.

use serde::Deserialize;
use toml::{Table, Value};

use crate::{
    config::{
        document::{Part, Place, Reading, read},
        problem::Problem,
    },
    model::{
        checkpoint::{CHECKPOINT_SCHEMA, Checkpoint},
        machine::State,
        workflow::PhaseId,
    },
};

/// Numbers of a phase that are left out while they are 0.
const ZEROS: [&str; 5] = ["attempts", "failures", "infra", "rounds", "start"];

/// The text of a checkpoint's file: without what is at its default; the same checkpoint always gives the same text.
pub fn to_toml(checkpoint: &Checkpoint) -> String {
    to_text(&to_table(checkpoint))
}

/// The text of the checkpoint that takes the place of `old_text`, with the keys that this version does not know.
pub fn rewrite(old_text: &str, checkpoint: &Checkpoint) -> String {
    let mut table = to_table(checkpoint);
    for (place, value) in unknown(old_text) {
        insert(&mut table, &place, value);
    }
    to_text(&table)
}

/// The checkpoint in a text.
///
/// # Errors
/// What is wrong with it: written by a newer version, not TOML, not a checkpoint, or one that nothing could follow.
pub fn from_toml(text: &str, file: &str) -> Result<Checkpoint, Problem> {
    let checkpoint: Checkpoint = match toml::from_str(text) {
        Ok(checkpoint) => checkpoint,
        Err(_) => return Err(wrong(text, file)),
    };
    if checkpoint.schema != CHECKPOINT_SCHEMA {
        return Err(wrong_schema(i64::from(checkpoint.schema), file));
    }
    let bad = |what: String| Err(Problem::new(file, format!("this is no checkpoint: {what}")));
    if let Err(why) = checkpoint.workflow.check() {
        return bad(why.to_string());
    }
    let land = PhaseId::land();
    for (at, phase) in checkpoint.phases.iter().enumerate() {
        if phase.id != land && checkpoint.spec(&phase.id).is_none() {
            return bad(format!("phase '{}' is not in its workflow", phase.id));
        }
        if phase.state == State::Running {
            return bad(format!("phase '{}' is written down as running", phase.id));
        }
        if checkpoint.phases[..at].iter().any(|other| other.id == phase.id) {
            return bad(format!("phase '{}' is there twice", phase.id));
        }
    }
    if checkpoint.phases.last().is_none_or(|phase| phase.id != land) {
        return bad("its last phase is not 'land'".to_owned());
    }
    Ok(checkpoint)
}

fn wrong(text: &str, file: &str) -> Problem {
    let schema = text.parse::<Table>().ok().and_then(|table| table.get("schema")?.as_integer());
    if let Some(schema) = schema.filter(|schema| *schema != i64::from(CHECKPOINT_SCHEMA)) {
        return wrong_schema(schema, file);
    }
    let problems = read::<Checkpoint>(text, &Reading::of(file)).err().unwrap_or_default();
    problems.into_iter().next().unwrap_or_else(|| Problem::new(file, "this is no checkpoint"))
}

fn wrong_schema(schema: i64, file: &str) -> Problem {
    if schema > i64::from(CHECKPOINT_SCHEMA) {
        let what = format!("written by a newer git-orchestrate: schema {schema}, this one reads {CHECKPOINT_SCHEMA}");
        return Problem::new(file, what).hint("update git-orchestrate".to_owned());
    }
    Problem::new(file, format!("this is no checkpoint: 'schema' is {schema}, not {CHECKPOINT_SCHEMA}"))
}

fn to_text(table: &Table) -> String {
    toml::to_string(table).expect("BUG: a table of TOML can be written as TOML")
}

fn to_table(checkpoint: &Checkpoint) -> Table {
    let mut whole = checkpoint.clone();
    // TOML has whole numbers up to i64; nothing honest comes near.
    let most = i64::MAX as u64;
    let tokens = &mut whole.spent.tokens;
    for count in
        [&mut tokens.input, &mut tokens.output, &mut tokens.cache_read, &mut tokens.cache_write, &mut tokens.reasoning]
    {
        *count = (*count).min(most);
    }
    whole.spent.duration_ms = whole.spent.duration_ms.min(most);
    let mut table = Table::try_from(&whole).expect("BUG: a checkpoint has only values that TOML can write");
    for phase in table.get_mut("phase").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(phase) = phase.as_table_mut() {
            phase.retain(|key, value| !ZEROS.contains(&key) || value.as_integer() != Some(0));
        }
    }
    if let Some(spent) = table.get_mut("spent").and_then(Value::as_table_mut) {
        if let Some(tokens) = spent.get_mut("tokens").and_then(Value::as_table_mut) {
            tokens.retain(|_, value| value.as_integer() != Some(0));
        }
        spent.retain(|_, value| match value {
            Value::Integer(number) => *number != 0,
            Value::Float(number) => *number != 0.0,
            Value::Table(table) => !table.is_empty(),
            Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => true,
        });
        if spent.is_empty() {
            table.remove("spent");
        }
    }
    table
}

/// The keys of a text that this version does not know, with their values. Phases are named by id, as their places move.
fn unknown(text: &str) -> Vec<(Vec<Stop>, Value)> {
    let mut places = Vec::new();
    let Ok(deserializer) = toml::Deserializer::parse(text) else { return Vec::new() };
    let known: Result<Checkpoint, _> = serde_ignored::deserialize(deserializer, |path| places.push(place_of(&path)));
    if places.is_empty() || known.is_err() {
        return Vec::new();
    }
    let Ok(table) = Table::deserialize(toml::Deserializer::parse(text).expect("BUG: it was parsed before")) else {
        return Vec::new();
    };
    places.into_iter().filter_map(|place| named(&table, &place)).collect()
}

/// One move down a table: by key, or to the item that has an id.
#[derive(Debug)]
enum Stop {
    Key(String),
    Id(String),
}

fn place_of(path: &serde_ignored::Path<'_>) -> Place {
    match path {
        serde_ignored::Path::Root => Place::new(),
        serde_ignored::Path::Map { parent, key } => with(place_of(parent), Part::Key(key.clone())),
        serde_ignored::Path::Seq { parent, index } => with(place_of(parent), Part::Item(*index)),
        serde_ignored::Path::Some { parent }
        | serde_ignored::Path::NewtypeStruct { parent }
        | serde_ignored::Path::NewtypeVariant { parent } => place_of(parent),
    }
}

fn with(mut place: Place, part: Part) -> Place {
    place.push(part);
    place
}

fn named(table: &Table, place: &[Part]) -> Option<(Vec<Stop>, Value)> {
    let (Part::Key(first), rest) = place.split_first()? else { return None };
    let mut stops = vec![Stop::Key(first.clone())];
    let mut value = table.get(first)?;
    for part in rest {
        match part {
            Part::Key(key) => {
                value = value.get(key)?;
                stops.push(Stop::Key(key.clone()));
            }
            Part::Item(at) => {
                value = value.get(*at)?;
                stops.push(Stop::Id(value.get("id")?.as_str()?.to_owned()));
            }
        }
    }
    Some((stops, value.clone()))
}

/// Puts a value where it was, if there still is something to hold it.
fn insert(table: &mut Table, stops: &[Stop], value: Value) {
    let Some((Stop::Key(first), rest)) = stops.split_first() else { return };
    if rest.is_empty() {
        table.entry(first.clone()).or_insert(value);
        return;
    }
    match (table.get_mut(first), rest) {
        (Some(Value::Array(items)), [Stop::Id(id), rest @ ..]) => {
            let item = items.iter_mut().find(|item| item.get("id").and_then(Value::as_str) == Some(id));
            if let Some(item) = item.and_then(Value::as_table_mut) {
                insert(item, rest, value);
            }
        }
        (Some(Value::Table(inner)), rest) => insert(inner, rest, value),
        // 'spent' is left out while it is empty.
        (None, [Stop::Key(_), ..]) => {
            let mut inner = Table::new();
            insert(&mut inner, rest, value);
            table.insert(first.clone(), Value::Table(inner));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        handoff::workflows::builtin,
        model::{
            checkpoint::{Bounds, Finding},
            money::{Money, Tokens},
            object::Digest,
            plan::{Plan, PlanStep},
            record::Family,
            task::Task,
        },
    };

    fn fresh() -> Checkpoint {
        let mut task = Task::new("RAE-001".parse().expect("an id"), "x");
        task.area = Some("cli".to_owned());
        task.labels = vec!["backend-only".to_owned()];
        let base = "1234567890123456789012345678901234567890".parse().expect("a commit");
        let bounds = Bounds { budget_usd: Some(Money::micros(2_500_000)), ..Bounds::default() };
        Checkpoint::begin(&task, builtin("standard").expect("it is there"), base, bounds)
    }

    fn worn() -> Checkpoint {
        let mut checkpoint = fresh();
        checkpoint.seq = 7;
        checkpoint.good = 5;
        checkpoint.spent.cost_usd = Money::micros(123_457);
        checkpoint.spent.tokens = Tokens { input: 12_345, output: 0, cache_read: u64::MAX, ..Tokens::default() };
        checkpoint.spent.duration_ms = 41_000;
        checkpoint.aborted = Some("told so".to_owned());
        checkpoint.plan = Some(Plan {
            summary: "Split '''it''' \"\"\" in two\\ \u{1b}[31m\r\n.".to_owned(),
            steps: vec![PlanStep {
                id: "S1".to_owned(),
                title: "First".to_owned(),
                detail: String::new(),
                files: vec!["src/a.rs".to_owned()],
                acceptance: vec![],
            }],
        });
        let phase = &mut checkpoint.phases[1];
        phase.state = State::Held;
        phase.attempts = 3;
        phase.rounds = 2;
        phase.step = Some(6);
        phase.authors = [Family("anthropic".to_owned())].into();
        phase.finding = Some(Finding { changes: Digest::of("a"), subject: Digest::of("b") });
        phase.held = "asked twice for the same".to_owned();
        phase.feedback = vec!["one\ntwo\n".to_owned(), "\u{0}".to_owned()];
        checkpoint
    }

    #[test]
    fn out_and_in_again() {
        for checkpoint in [fresh(), worn()] {
            let text = to_toml(&checkpoint);
            let mut same = checkpoint.clone();
            same.spent.tokens.cache_read = same.spent.tokens.cache_read.min(i64::MAX as u64);
            assert_eq!(from_toml(&text, "f").as_ref(), Ok(&same), "{text}");
            assert_eq!(to_toml(&same), text);
            assert_eq!(rewrite(&text, &checkpoint), text);
        }
    }

    #[test]
    fn a_fresh_one_is_short() {
        let text = to_toml(&fresh());
        assert!(!text.contains("= 0\n") || text.matches("= 0\n").count() == 2, "only seq and good: {text}");
        assert!(!text.contains("[spent"), "{text}");
        assert!(text.len() < 2_000, "{} bytes: {text}", text.len());
    }

    #[test]
    fn what_a_later_version_added_survives() {
        let old = to_toml(&fresh())
            .replace("schema = 1\n", "schema = 1\nmood = \"good\"\n")
            .replace("attempts_max = 3\n", "attempts_max = 3\nreviews_max = 9\n")
            .replacen("id = \"plan-review\"\nstate", "id = \"plan-review\"\nweight = 2.5\nstate", 1)
            + "\n[later]\nlist = [1, 2]\n";
        assert_eq!(from_toml(&old, "f"), Ok(fresh()), "{old}");
        let mut next = fresh();
        // The places of phases move when a plan unfolds.
        next.phases.remove(0);
        next.seq = 1;
        let text = rewrite(&old, &next);
        assert_eq!(from_toml(&text, "f"), Ok(next.clone()));
        let table: Table = text.parse().expect("TOML");
        assert_eq!(table["mood"].as_str(), Some("good"));
        assert_eq!(table["bounds"]["reviews_max"].as_integer(), Some(9));
        assert_eq!(table["phase"][0]["weight"].as_float(), Some(2.5));
        assert_eq!(table["later"]["list"][1].as_integer(), Some(2));
        assert_eq!(rewrite(&text, &next), text);
        // What this version knows and has emptied does not come back.
        let mut held = next.clone();
        held.phases[0].held = "why".to_owned();
        assert_eq!(rewrite(&rewrite(&text, &held), &next), text);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let text = to_toml(&fresh());
        for (from, to, wanted) in [
            ("schema = 1", "schema = 2", "written by a newer git-orchestrate: schema 2, this one reads 1"),
            ("schema = 1", "schema = 0", "this is no checkpoint: 'schema' is 0, not 1"),
            ("schema = 1", "schema = 2\nfuture = {", "this is not TOML"),
            ("seq = 0", "seq = -1", "'seq' must be a whole number, 0 or more, not -1"),
            ("task = \"RAE-001\"", "task = \"../x\"", "'task': '../x' is not a task id"),
            ("state = \"waiting\"", "state = \"running\"", "written down as running"),
            ("gate = \"full\"\n", "", "must have either a role or a gate"),
            ("id = \"land\"", "id = \"other\"", "phase 'other' is not in its workflow"),
            ("id = \"land\"", "id = \"plan\"", "phase 'plan' is there twice"),
        ] {
            let bad = text.replacen(from, to, 1);
            assert_ne!(bad, text, "{from}");
            let problem = from_toml(&bad, "f").expect_err(to);
            assert!(problem.what.contains(wanted), "{}: {wanted}", problem.what);
        }
        assert!(from_toml("", "f").is_err());
    }
}
