//! Files as each released version wrote them still open, and mean what they meant.
//! Knows nothing of how they came to be; they are never made anew, only added to.

use std::{fs, path::PathBuf, time::Duration};

use git_orchestrate::{
    config::{
        parse::parse,
        settings::{AdapterKind, AuthorName, Durability, SigningKey},
    },
    handoff::{checkpoints, layout, records, tasks, workflows},
    model::{
        apply::apply,
        checkpoint::{Bounds, Checkpoint, TaskState},
        machine::State,
        money::Money,
        record::{Actor, Outcome, Record},
        task::{Complexity, Risk},
        workflow::Retry,
    },
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/old/v1")
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect(name)
}

fn steps() -> Vec<Record> {
    let phases = ["0001-plan", "0002-plan-review", "0003-implement-S1", "0004-code-review-S1"];
    let names = phases.map(|phase| format!("{}/RAE-001/{phase}.json", layout::STEPS));
    names.iter().map(|name| records::from_json(&text(name), name).expect(name)).collect()
}

#[test]
fn the_configuration_opens() {
    let settings = parse(&text(layout::CONFIG), layout::CONFIG).expect("it is right");
    assert_eq!(settings.workflow, "quick");
    assert_eq!(settings.agents["claude"].parallel_max, Some(2));
    assert_eq!(settings.agents["tape"].adapter, AdapterKind::Replay);
    assert_eq!(settings.routes[0].agents.names(), ["claude"]);
    assert_eq!(settings.prices["some-model"].output, Money::micros(10_000_000));
    assert!(settings.gate["full"].checks[0].pristine);
    assert_eq!(settings.limits.step_timeout.0, Duration::from_secs(5400));
    assert_eq!(settings.budget.task_usd, Some(Money::micros(5_000_000)));
    assert_eq!(settings.landing.branch, "integration");
    let commits = settings.commits;
    assert_eq!((commits.key, commits.author, commits.durability), (SigningKey::Git, AuthorName::Agent, Durability::Os));
}

#[test]
fn the_tasks_open() {
    let queue = tasks::load(&root()).expect("they are right");
    let first = &queue.tasks[0].task;
    assert_eq!((first.id.as_str(), first.risk, first.complexity), ("RAE-001", Risk::High, Complexity::Large));
    assert_eq!((first.priority, first.acceptance.len(), first.budget_usd), (5, 2, Some(Money::micros(2_500_000))));
    let second = &queue.tasks[1].task;
    assert_eq!((second.title.as_str(), &second.depends_on[0]), ("Add a flag", &first.id));
    assert!(queue.graph_problems().is_empty());
}

#[test]
fn the_workflow_opens() {
    let workflow = workflows::load(&root(), "quick").expect("it is right");
    assert_eq!(workflow.phases[1].skip_when.areas, ["docs"]);
    assert_eq!((workflow.phases[2].retry, workflow.phases[2].max_rounds), (Retry::Continue, Some(2)));
}

#[test]
fn the_records_open_and_are_written_as_they_were() {
    for record in steps() {
        let name = layout::step(&record.task, record.seq, &record.phase);
        assert_eq!(records::to_json(&record), text(&name), "{name}");
        assert!(matches!(&record.actor, Actor::Agent { name, .. } if name == "anthropic" || name == "google"));
    }
    assert_eq!(steps()[3].outcome, Outcome::Changes);
}

#[test]
fn the_checkpoint_opens_and_is_written_as_it_was() {
    let file = ".handoff/checkpoints/RAE-001.toml";
    let checkpoint = checkpoints::from_toml(&text(file), file).expect("it is right");
    assert_eq!((checkpoint.seq, checkpoint.state()), (4, TaskState::Running));
    assert_eq!(
        checkpoint.current().map(|phase| (phase.id.as_str(), phase.state)),
        Some(("implement/S1", State::Ready))
    );
    assert_eq!(checkpoints::to_toml(&checkpoint), text(file));
    assert_eq!(checkpoints::rewrite(&text(file), &checkpoint), text(file));
}

/// What `verify` relies on: the same records give the same checkpoint in every version.
#[test]
fn the_records_still_add_up_to_the_checkpoint() {
    let queue = tasks::load(&root()).expect("they are right");
    let file = ".handoff/checkpoints/RAE-001.toml";
    let wanted = checkpoints::from_toml(&text(file), file).expect("it is right");
    let workflow = wanted.workflow.clone();
    let mut first = Checkpoint::begin(&queue.tasks[0].task, workflow, steps()[0].base, Bounds::default());
    // The task got its time limit after it had begun.
    first.bounds.timeout = None;
    let last = steps().iter().fold(first, |before, record| apply(&before, record).expect("it follows"));
    assert_eq!(last, wanted);
}

#[test]
fn a_record_that_cannot_be_read_says_where() {
    let good = text(".handoff/steps/RAE-001/0001-plan.json");
    for (from, to, wanted) in [
        ("\"schema\": 1", "\"schema\": 2", "written by a newer git-orchestrate: schema 2, this one reads 1\n  at f"),
        ("\"seq\": 1,", "", "this is no record of a step: missing field 'seq'"),
        ("\"seq\": 1,", "\"seq\": 1, \"later\": [1],", ""),
        ("\"outcome\": \"done\"", "\"outcome\": \"fine\"", "this is no record of a step: unknown variant 'fine'"),
        ("{", "", "this is no record of a step"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let said = records::from_json(&bad, "f").map_or_else(|problem| problem.to_string(), |_| String::new());
        assert!(said.starts_with(wanted) && said.is_empty() == wanted.is_empty(), "{said}");
    }
}
