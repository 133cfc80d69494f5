//! The two functions that run the product, told as stories: a line is a step, the answer is the state after it.
//! Knows nothing of files or repositories.

#[path = "kit/workflows.rs"]
mod workflows;

use git_orchestrate::model::{
    apply::{Impossible, apply},
    checkpoint::{Bounds, Checkpoint},
    money::Money,
    next::{Stop, What, World, next},
    object::{CommitId, TreeId},
    plan::{Plan, PlanStep},
    record::{Actor, Decision, Document, Family, Outcome, RECORD_SCHEMA, Record},
    task::{Span, Task},
    verdict::{RequiredChange, Status, Verdict},
    workflow::{PhaseId, Role, Workflow},
};
use workflows::SMALL;

const SINGLE: &str = r#"
name = "single"
[[phase]]
id = "implement"
role = "implementer"
[[phase]]
id = "gate"
gate = "full"
needs = ["implement"]
on_fail = "implement"
"#;

const STANDARD: &str = include_str!("../src/handoff/workflows/standard.toml");

const TRACKS: &str = r#"
name = "tracks"
[[phase]]
id = "backend"
role = "implementer"
[[phase]]
id = "frontend"
role = "implementer"
[[phase]]
id = "gate"
gate = "full"
needs = ["backend", "frontend"]
on_fail = "backend"
"#;

fn workflow(text: &str) -> Workflow {
    let workflow: Workflow = toml::from_str(text).expect("a workflow");
    workflow.check().expect("a good workflow");
    workflow
}

fn begin(text: &str) -> Checkpoint {
    begin_with(text, |_| {}, Bounds::default())
}

fn begin_with(text: &str, change: impl FnOnce(&mut Task), bounds: Bounds) -> Checkpoint {
    let mut task = Task::new("T-1".parse().expect("an id"), "Try it");
    change(&mut task);
    Checkpoint::begin(&task, workflow(text), commit('b'), bounds)
}

fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().expect("hex")
}

fn tree(digit: char) -> TreeId {
    digit.to_string().repeat(40).parse().expect("hex")
}

/// Reads a step: `<phase> <who> <outcome> [rest]`. `who` is a family, `gate`, `person` or `land`.
fn record(checkpoint: &Checkpoint, line: &str) -> Record {
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (phase, who, outcome, rest) = (word(), word(), word(), word());
    let phase: PhaseId = phase.parse().expect("a phase");
    let actor = match who.as_str() {
        "gate" => Actor::Gate { profile: "full".into() },
        "person" => Actor::Person { identity: "A <a@example.com>".into() },
        "land" => Actor::Land,
        family => Actor::Agent {
            name: family.into(),
            adapter: "command".into(),
            version: None,
            model: None,
            family: Family(family.into()),
        },
    };
    let decision = match outcome.as_str() {
        "approve" => Some(Decision::Approve),
        "retry" => Some(Decision::Retry { feedback: rest.clone() }),
        "skip" => Some(Decision::Skip),
        "abort" => Some(Decision::Abort { reason: rest.clone() }),
        _ => None,
    };
    let result = outcome.parse().unwrap_or(Outcome::Done);
    let verdict = |status, required_changes| {
        Some(Document::Verdict(Verdict {
            status,
            scores: Default::default(),
            required_changes,
            suggestions: vec![],
            criteria: vec![],
            summary: rest.clone(),
        }))
    };
    let reviews = checkpoint.spec(&phase).is_some_and(|spec| spec.reviews.is_some());
    let document = match result {
        Outcome::Done if phase.as_str() == "plan" => Some(Document::Plan(plan(&rest))),
        Outcome::Done if reviews && decision.is_none() => verdict(Status::Approved, vec![]),
        Outcome::Changes => verdict(
            Status::NeedsChanges,
            vec![RequiredChange { what: rest.clone(), place: "src/a.rs:1".into(), why: "A1".into() }],
        ),
        Outcome::Rejected => verdict(Status::Rejected, vec![]),
        _ => None,
    };
    let digit = char::from_digit(checkpoint.good % 16, 16).expect("a digit");
    Record {
        schema: RECORD_SCHEMA,
        task: checkpoint.task.clone(),
        seq: checkpoint.seq + 1,
        attempt: checkpoint.phase(&phase).map_or(0, |phase| phase.attempts) + 1,
        role: None,
        actor,
        chosen: String::new(),
        session: None,
        base: checkpoint.base,
        code: tree(digit),
        prompt: None,
        context: vec![],
        started: "2026-01-01T00:00:00Z".into(),
        duration_ms: 60_000,
        tokens: Default::default(),
        usage: None,
        calls: Vec::new(),
        cost_usd: Some(Money::micros(10_000)),
        outcome: result,
        reason: rest.clone(),
        document,
        gate: None,
        definition: None,
        decision,
        new_base: (who == "land").then(|| commit('c')),
        feedback: if matches!(result, Outcome::Done) { String::new() } else { rest },
        summary: String::new(),
        changed: vec![],
        refused: vec![],
        checkpoint_before: None,
        phase,
    }
}

fn plan(ids: &str) -> Plan {
    let step = |id: &str| PlanStep {
        id: id.into(),
        title: format!("Step {id}"),
        detail: String::new(),
        files: vec![],
        acceptance: vec![],
    };
    Plan { summary: String::new(), steps: ids.split_whitespace().map(step).collect() }
}

fn tell(mut checkpoint: Checkpoint, story: &str) -> Result<Checkpoint, Impossible> {
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        checkpoint = apply(&checkpoint, &record(&checkpoint, line))?;
    }
    Ok(checkpoint)
}

/// The state in one line: the task, the code that counts, and every phase that is not simply waiting.
fn shown(checkpoint: &Checkpoint) -> String {
    let mut text = format!("{} good={}:", checkpoint.state(), checkpoint.good);
    for phase in &checkpoint.phases {
        if phase.state.word() != "waiting" {
            text.push_str(&format!(" {}={}", phase.id, phase.state));
        }
    }
    text
}

#[track_caller]
fn check(workflow: &str, story: &str, wanted: &str) -> Checkpoint {
    let checkpoint = tell(begin(workflow), story).expect("a possible story");
    assert_eq!(shown(&checkpoint), wanted, "after:{story}");
    checkpoint
}

fn held_because(checkpoint: &Checkpoint) -> &str {
    checkpoint.current().map_or("", |phase| phase.held.as_str())
}

fn world(families: &[&str]) -> World {
    let families: Vec<_> = families.iter().map(|family| [Family((*family).into())].into()).collect();
    let roles = ["planner", "plan-reviewer", "implementer", "code-reviewer"];
    World { families: roles.iter().map(|role| (Role((*role).into()), families.clone())).collect(), ..World::default() }
}

#[test]
fn a_single_task_goes_straight_through() {
    check(SINGLE, "", "new good=0: implement=ready");
    check(SINGLE, "implement anthropic done", "running good=1: implement=passed gate=ready");
    check(
        SINGLE,
        "implement anthropic done
         gate gate done",
        "finished good=1: implement=passed gate=passed land=ready",
    );
}

#[test]
fn a_failed_attempt_does_not_count_and_the_third_goes_to_a_person() {
    check(SINGLE, "implement anthropic failed no change", "running good=0: implement=failed");
    let held = check(SINGLE, &"implement anthropic failed no change\n".repeat(3), "held good=0: implement=held");
    assert_eq!(held_because(&held), "failed 3 times: no change");
    let again = tell(held, "implement person retry look at src/b.rs").expect("a person may retry");
    assert_eq!(shown(&again), "running good=0: implement=ready");
    assert_eq!(again.phases[0].feedback.last().map(String::as_str), Some("look at src/b.rs"));
}

#[test]
fn a_refused_gate_rolls_back_and_gives_up_after_three_rounds() {
    let round = "
        implement anthropic done
        gate gate failed 2 tests failed";
    let back = check(SINGLE, round, "running good=0: implement=ready");
    assert_eq!(back.phases[0].feedback, ["2 tests failed"]);
    check(SINGLE, &round.repeat(3), "running good=0: implement=ready");
    let held = check(SINGLE, &round.repeat(4), "held good=7: implement=passed gate=held");
    let refused = tell(held.clone(), "gate person approve");
    assert_eq!(refused, Err(Impossible::NotApprovable("gate".parse().expect("a phase"))));
    let skipped = tell(held, "gate person skip").expect("a gate may be skipped: the landing has its own");
    assert_eq!(shown(&skipped), "finished good=7: implement=passed gate=skipped land=ready");
}

#[test]
fn a_workflow_may_go_on_from_the_refused_attempt() {
    let on_top = SINGLE.to_owned() + "retry = \"continue\"\n";
    check(
        &on_top,
        "implement anthropic done
         gate gate failed red",
        "running good=1: implement=ready",
    );
}

#[test]
fn what_cannot_run_is_neither_pass_nor_fail() {
    check(SINGLE, "implement anthropic infra down", "running good=0: implement=ready");
    let start = "implement anthropic done\n".to_owned();
    let infra = "gate gate infra no cargo\n";
    check(SINGLE, &(start.clone() + infra), "running good=1: implement=passed gate=ready");
    let held = check(SINGLE, &(start + &infra.repeat(3)), "held good=1: implement=passed gate=held");
    assert_eq!(held_because(&held), "could not be done 3 times in a row: no cargo");
    let again = tell(held, "gate person retry").expect("installed it");
    assert_eq!(shown(&again), "running good=1: implement=passed gate=ready");
}

#[test]
fn a_plan_unfolds_into_steps_one_after_another() {
    let planned = check(
        SMALL,
        "plan anthropic done S1 S2
         plan-review google done",
        "running good=0: plan=passed plan-review=passed implement/S1=ready",
    );
    let ids: Vec<_> = planned.phases.iter().map(|phase| phase.id.as_str()).collect();
    let wanted = "plan plan-review implement/S1 code-review/S1 gate/S1 implement/S2 code-review/S2 gate/S2 land";
    assert_eq!(ids.join(" "), wanted);
    let needs = |id: &str| planned.phase(&id.parse().expect("a phase")).map(|phase| phase.needs.clone());
    assert_eq!(needs("implement/S2"), Some(vec!["plan-review".parse().expect("a"), "gate/S1".parse().expect("a")]));
    check(
        SMALL,
        "plan anthropic done S1 S2
         plan-review google done
         implement/S1 anthropic done
         code-review/S1 google done
         gate/S1 gate done
         implement/S2 anthropic done
         code-review/S2 google done
         gate/S2 gate done",
        "finished good=6: plan=passed plan-review=passed implement/S1=passed code-review/S1=passed gate/S1=passed \
         implement/S2=passed code-review/S2=passed gate/S2=passed land=ready",
    );
}

#[test]
fn a_review_sends_back_on_top_and_stops_in_the_end() {
    let start = "
        plan anthropic done S1
        plan-review google done
        implement/S1 anthropic done";
    let back = format!("{start}\ncode-review/S1 google changes rename x");
    let sent = check(SMALL, &back, "running good=3: plan=passed plan-review=passed implement/S1=ready");
    assert_eq!(sent.phases[2].feedback, ["rename x"]);

    let repeated = format!("{back}\nimplement/S1 anthropic done\ncode-review/S1 google changes rename x");
    check(SMALL, &repeated, "running good=5: plan=passed plan-review=passed implement/S1=ready");

    let round = |n: u32| format!("\nimplement/S1 anthropic done\ncode-review/S1 google changes finding {n}");
    let long = format!("{start}\ncode-review/S1 google changes finding 1{}{}{}", round(2), round(3), round(4));
    let held =
        check(SMALL, &long, "held good=9: plan=passed plan-review=passed implement/S1=passed code-review/S1=held");
    assert_eq!(held_because(&held), "sent back 4 times, still open: finding 4");
    let approved = tell(held.clone(), "code-review/S1 person approve").expect("a person may overrule");
    assert_eq!(
        shown(&approved),
        "running good=9: plan=passed plan-review=passed implement/S1=passed code-review/S1=passed gate/S1=ready"
    );
    let again = tell(held, "code-review/S1 person retry do it like this").expect("a person may send back");
    assert_eq!(shown(&again), "running good=9: plan=passed plan-review=passed implement/S1=ready");
}

#[test]
fn the_same_plan_with_the_same_finding_goes_to_a_person() {
    let held = check(
        SMALL,
        "plan anthropic done S1
         plan-review google changes split it
         plan anthropic done S1
         plan-review google changes split it",
        "held good=0: plan=passed plan-review=held",
    );
    assert_eq!(held_because(&held), "the same finding twice with no change between: split it");
}

#[test]
fn a_rejection_goes_to_a_person() {
    check(
        SMALL,
        "plan anthropic done S1
         plan-review google rejected wrong direction",
        "held good=0: plan=passed plan-review=held",
    );
}

#[test]
fn no_family_reviews_itself() {
    let planned = check(SMALL, "plan anthropic done S1", "running good=0: plan=passed plan-review=ready");
    let selfish = tell(planned.clone(), "plan-review anthropic done");
    assert!(matches!(selfish, Err(Impossible::SelfReview { .. })), "{selfish:?}");
    let alone = next(&planned, &world(&["anthropic"]));
    assert!(alone.work.is_empty());
    assert!(matches!(alone.stops.as_slice(), [Stop::NoReviewer { .. }]), "{alone:?}");
    let two = next(&planned, &world(&["anthropic", "google"]));
    let [work] = two.work.as_slice() else { panic!("{two:?}") };
    let What::Agent { except, .. } = &work.what else { panic!("{work:?}") };
    assert_eq!(except.iter().map(|family| family.0.as_str()).collect::<Vec<_>>(), ["anthropic"]);
}

#[test]
fn a_gate_that_refuses_has_the_review_done_again() {
    check(
        SMALL,
        "plan anthropic done S1
         plan-review google done
         implement/S1 anthropic done
         code-review/S1 google done
         gate/S1 gate failed red",
        "running good=0: plan=passed plan-review=passed implement/S1=ready",
    );
}

#[test]
fn a_landing_that_conflicts_redoes_the_work_on_the_new_base() {
    let round = "
        implement anthropic done
        gate gate done
        land land failed a.rs conflicts";
    let back = check(SINGLE, round, "running good=3: implement=ready");
    assert_eq!((back.base, back.phases[0].start), (commit('c'), 3));
    check(SINGLE, &round.repeat(4), "held good=12: implement=passed gate=passed land=held");
    check(SINGLE, &format!("{}\nland person retry take theirs", round.repeat(4)), "running good=12: implement=ready");
}

#[test]
fn the_first_code_may_be_written_on_what_has_landed_meanwhile() {
    let moved = |workflow: &str, story: &str, line: &str| {
        let before = tell(begin(workflow), story).expect("a possible story");
        let record = record(&before, line);
        apply(&before, &Record { new_base: Some(commit('d')), ..record }).map(|after| after.base)
    };
    let planned = "plan a done S1 S2\nplan-review b done";
    assert_eq!(moved(STANDARD, planned, "implement/S1 a done"), Ok(commit('d')));
    assert_eq!(moved(STANDARD, planned, "implement/S1 a failed"), Ok(commit('d')));
    assert_eq!(moved(SINGLE, "implement a failed", "implement a done"), Ok(commit('d')));
    // After it was rolled back there is no code again.
    let refused = "implement a done\ngate gate failed red";
    assert_eq!(moved(SINGLE, refused, "implement a done"), Ok(commit('d')));
    for (workflow, story, line) in [
        (STANDARD, "", "plan a done S1"),
        (STANDARD, &*format!("{planned}\nimplement/S1 a done"), "code-review/S1 b done"),
        (SINGLE, "implement a done", "gate gate done"),
        (TRACKS, "", "frontend a done"),
    ] {
        let why = moved(workflow, story, line).expect_err(line).to_string();
        assert!(why.ends_with("on another base than the task's code"), "{why}");
    }
}

#[test]
fn phases_are_skipped_by_label_area_and_result() {
    let text = r#"
name = "w"
[[phase]]
id = "design"
role = "designer"
produces = "report"
skip_when = { labels = ["backend-only"] }
[[phase]]
id = "implement"
role = "implementer"
needs = ["design"]
[[phase]]
id = "polish"
role = "implementer"
needs = ["implement"]
skip_when = { results = ["design = skipped"] }
"#;
    let skipped = begin_with(text, |task| task.labels = vec!["backend-only".into()], Bounds::default());
    assert_eq!(shown(&skipped), "new good=0: design=skipped implement=ready");
    let finished = tell(skipped, "implement anthropic done").expect("a step");
    assert_eq!(shown(&finished), "finished good=1: design=skipped implement=passed polish=skipped land=ready");
    assert_eq!(shown(&begin(text)), "new good=0: design=ready");
}

#[test]
fn tracks_run_side_by_side_and_a_roll_back_spares_the_other() {
    let both = begin(TRACKS);
    let ready: Vec<_> = next(&both, &world(&["a"])).work.into_iter().map(|work| work.phase.to_string()).collect();
    assert_eq!(ready, ["backend", "frontend"]);
    check(
        TRACKS,
        "backend a done
         frontend a done
         gate gate failed red",
        "running good=2: backend=ready frontend=passed",
    );
}

#[test]
fn budgets_and_time_hold_a_task_and_a_person_may_grant_more() {
    let held = tell(
        begin_with(SINGLE, |task| task.budget_usd = Some(Money::micros(20_000)), Bounds::default()),
        "implement anthropic failed a
         implement anthropic failed b",
    )
    .expect("a story");
    assert_eq!(shown(&held), "held good=0: implement=held");
    let more = tell(held, "implement person retry go on").expect("granted");
    assert_eq!(shown(&more), "running good=0: implement=ready");
    let late = tell(
        begin_with(SINGLE, |task| task.timeout = "1m".parse::<Span>().ok(), Bounds::default()),
        "implement anthropic failed a",
    )
    .expect("a story");
    assert_eq!(held_because(&late), "the task's time of 1m is used up");
}

#[test]
fn records_that_do_not_follow_are_refused() {
    let checkpoint = begin(SINGLE);
    let good = record(&checkpoint, "implement anthropic done");
    let mut other = good.clone();
    other.task = "T-2".parse().expect("an id");
    assert!(matches!(apply(&checkpoint, &other), Err(Impossible::OtherTask { .. })));
    let mut late = good.clone();
    late.seq = 2;
    assert!(matches!(apply(&checkpoint, &late), Err(Impossible::OutOfOrder { last: 0, found: 2 })));
    assert!(matches!(apply(&checkpoint, &record(&checkpoint, "gate gate done")), Err(Impossible::Phase { .. })));
    assert!(matches!(apply(&checkpoint, &record(&checkpoint, "nothing a done")), Err(Impossible::NoPhase(_))));
    let aborted = tell(checkpoint, "implement person abort enough").expect("aborted");
    assert_eq!(shown(&aborted), "aborted good=0: implement=ready");
    assert_eq!(apply(&aborted, &record(&aborted, "implement a done")), Err(Impossible::Aborted));
}

#[test]
fn bad_workflows_are_named() {
    let wrong = |text: &str| {
        let workflow: Workflow = toml::from_str(text).expect("readable");
        workflow.check().expect_err("a bad workflow").to_string()
    };
    let phase = |rest: &str| format!("name = 'w'\n[[phase]]\nid = 'a'\nrole = 'r'\n{rest}");
    assert_eq!(wrong("name = 'w'\nphase = []"), "workflow 'w' has no phase");
    assert_eq!(
        wrong(&phase("needs = ['b']\n[[phase]]\nid = 'b'\nrole = 'r'\nneeds = ['a']")),
        "phases need each other in a circle: a -> b -> a"
    );
    assert_eq!(wrong(&phase("needs = ['x']")), "phase 'a' names 'x' in 'needs', which is no phase of this workflow");
    assert_eq!(wrong(&phase("gate = 'full'")), "phase 'a' must have either a role or a gate");
    assert_eq!(wrong(&phase("[[phase]]\nid = 'a'\nrole = 'r'")), "phase 'a' is there twice");
}
