//! What a finished step changes: `apply(checkpoint, record) -> checkpoint`.
//! Knows nothing of agents, files or time; the same records give the same checkpoints everywhere, which `verify` uses.

use super::{
    checkpoint::{Checkpoint, FEEDBACK_MAX, Finding, Phase},
    machine::{Event, Refused, State, transition},
    object::Digest,
    plan::{BadPlan, Plan},
    record::{Actor, Decision, Document, Families, Outcome, Record},
    verdict::{BadVerdict, Status, Verdict},
    workflow::{Ended, PhaseId, PhaseSpec, Retry, parse_result},
};

/// Why a record cannot be the next step of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// It belongs to another task.
    #[error("the record is of task '{found}', the checkpoint of '{wanted}'")]
    OtherTask {
        /// The checkpoint's.
        wanted: String,
        /// The record's.
        found: String,
    },
    /// It is not the next in order.
    #[error("step {found} cannot follow step {last}")]
    OutOfOrder {
        /// The checkpoint's last.
        last: u32,
        /// The record's.
        found: u32,
    },
    /// It is for a phase that the task does not have.
    #[error("the task has no phase '{0}'")]
    NoPhase(PhaseId),
    /// The task was given up.
    #[error("the task was aborted")]
    Aborted,
    /// The phase cannot have had this step.
    #[error("phase '{phase}': {refused}")]
    Phase {
        /// The phase.
        phase: PhaseId,
        /// Why.
        refused: Refused,
    },
    /// The outcome does not belong to such a phase.
    #[error("phase '{phase}' cannot end as '{outcome}' {why}")]
    Outcome {
        /// The phase.
        phase: PhaseId,
        /// The outcome.
        outcome: Outcome,
        /// What is missing or too much.
        why: &'static str,
    },
    /// The author's family reviewed itself.
    #[error("phase '{phase}' was reviewed by '{family}', the family of its author")]
    SelfReview {
        /// The review.
        phase: PhaseId,
        /// The family.
        family: String,
    },
    /// The plan breaks a rule.
    #[error(transparent)]
    Plan(#[from] BadPlan),
    /// The verdict breaks a rule.
    #[error(transparent)]
    Verdict(#[from] BadVerdict),
    /// Approving is only for reviews, gates are proven or skipped.
    #[error("phase '{0}' cannot be approved: only the verdict of a review can be overruled")]
    NotApprovable(PhaseId),
}

/// The state after a step.
///
/// # Errors
/// [`Impossible`] when the record cannot be the step that follows; the checkpoint is then unchanged.
pub fn apply(before: &Checkpoint, record: &Record) -> Result<Checkpoint, Impossible> {
    if record.task != before.task {
        return Err(Impossible::OtherTask { wanted: before.task.to_string(), found: record.task.to_string() });
    }
    if record.seq != before.seq + 1 {
        return Err(Impossible::OutOfOrder { last: before.seq, found: record.seq });
    }
    if before.aborted.is_some() {
        return Err(Impossible::Aborted);
    }
    let mut after = before.clone();
    after.seq = record.seq;
    after.spent.cost_usd = after.spent.cost_usd + record.cost_usd.unwrap_or_default();
    after.spent.tokens = after.spent.tokens + record.tokens;
    after.spent.duration_ms += record.duration_ms;

    let phase = phase(&mut after, &record.phase)?;
    phase.attempts += u32::from(!matches!(record.actor, Actor::Person { .. }));
    phase.step = Some(record.seq);
    if !record.summary.is_empty() {
        phase.summary.clone_from(&record.summary);
    }
    match &record.actor {
        Actor::Person { .. } => decide(&mut after, record)?,
        Actor::Agent { .. } | Actor::Gate { .. } => {
            if let Some(onto) = record.new_base {
                let (phase, outcome, why) =
                    (record.phase.clone(), record.outcome, "on another base than the task's code");
                begins_code(before, &phase).then_some(()).ok_or(Impossible::Outcome { phase, outcome, why })?;
                after.base = onto;
            }
            step(&mut after, &record.phase, Event::Started)?;
            end(&mut after, record)?;
        }
        Actor::Land => {
            step(&mut after, &record.phase, Event::Started)?;
            land(&mut after, record)?;
        }
    }
    settle(&mut after);
    Ok(after)
}

fn phase<'a>(checkpoint: &'a mut Checkpoint, id: &PhaseId) -> Result<&'a mut Phase, Impossible> {
    checkpoint.phase_mut(id).ok_or_else(|| Impossible::NoPhase(id.clone()))
}

fn step(checkpoint: &mut Checkpoint, id: &PhaseId, event: Event) -> Result<(), Impossible> {
    let phase = phase(checkpoint, id)?;
    phase.state = transition(phase.state, event).map_err(|refused| Impossible::Phase { phase: id.clone(), refused })?;
    Ok(())
}

fn hold(checkpoint: &mut Checkpoint, id: &PhaseId, why: String) -> Result<(), Impossible> {
    step(checkpoint, id, Event::Stuck)?;
    phase(checkpoint, id)?.held = why;
    Ok(())
}

/// The end of an agent's or a gate's step.
fn end(after: &mut Checkpoint, record: &Record) -> Result<(), Impossible> {
    let id = &record.phase;
    let spec = after.spec(id).cloned().ok_or_else(|| Impossible::NoPhase(id.clone()))?;
    let wrong = |why| Impossible::Outcome { phase: id.clone(), outcome: record.outcome, why };
    if spec.reviews.is_some() {
        check_reviewer(after, record, &spec)?;
    }
    match record.outcome {
        Outcome::Infra => infra(after, record),
        Outcome::Failed if spec.gate.is_some() => refuse(after, record, &spec),
        Outcome::Failed => fail(after, record),
        Outcome::Changes => send_back(after, record, &spec),
        Outcome::Rejected => {
            let verdict = checked_verdict(record, Status::Rejected).ok_or_else(|| wrong("without its verdict"))??;
            phase(after, id)?.approved = false;
            hold(after, id, format!("rejected: {}", first_line(&reject_reason(verdict))))
        }
        Outcome::Done => {
            match (&record.document, spec.reviews.is_some(), spec.produces) {
                (_, true, _) => {
                    checked_verdict(record, Status::Approved).ok_or_else(|| wrong("without its verdict"))??;
                }
                (Some(Document::Plan(plan)), false, Some(super::workflow::Product::Plan)) => {
                    plan.check()?;
                    after.plan = Some(plan.clone());
                }
                (_, false, Some(super::workflow::Product::Plan)) => return Err(wrong("without a plan")),
                (_, false, _) => {}
            }
            done(after, record, &spec)
        }
    }
}

fn check_reviewer(after: &Checkpoint, record: &Record, spec: &PhaseSpec) -> Result<(), Impossible> {
    let authors = authors_of(after, &record.phase, spec);
    match record.families().find(|family| authors.contains(family)) {
        Some(family) if record.outcome != Outcome::Infra => {
            Err(Impossible::SelfReview { phase: record.phase.clone(), family: family.to_string() })
        }
        Some(_) | None => Ok(()),
    }
}

fn checked_verdict(record: &Record, status: Status) -> Option<Result<&Verdict, BadVerdict>> {
    let verdict = record.verdict().filter(|verdict| verdict.status == status)?;
    Some(verdict.check().map(|()| verdict))
}

fn reject_reason(verdict: &Verdict) -> String {
    let change = verdict.required_changes.first().map(|change| change.what.as_str());
    change.unwrap_or(&verdict.summary).to_owned()
}

fn done(after: &mut Checkpoint, record: &Record, spec: &PhaseSpec) -> Result<(), Impossible> {
    let id = &record.phase;
    step(after, id, Event::Done)?;
    let phase = phase(after, id)?;
    phase.failures = 0;
    phase.was_able();
    phase.held.clear();
    phase.approved = spec.reviews.is_some();
    phase.authors.extend(record.families().cloned());
    // What it had to heed, it has heeded; a later round brings its own.
    phase.feedback.clear();
    if spec.writes() {
        after.good = record.seq;
    }
    Ok(())
}

fn infra(after: &mut Checkpoint, record: &Record) -> Result<(), Impossible> {
    let (id, infra_max) = (&record.phase, after.bounds.infra_max);
    let phase = phase(after, id)?;
    phase.infra += 1;
    if let Actor::Agent { name, .. } = &record.actor {
        phase.unable.push(name.clone());
    }
    if phase.infra < infra_max {
        return step(after, id, Event::Infra);
    }
    let times = phase.infra;
    let mut tried = phase.unable.clone();
    tried.sort();
    tried.dedup();
    let by = if tried.len() > 1 { format!(" ({})", tried.join(", ")) } else { String::new() };
    hold(after, id, format!("could not be done {times} times in a row{by}: {}", first_line(&record.reason)))
}

/// An attempt of an agent failed: its code does not count, the next starts where it started.
fn fail(after: &mut Checkpoint, record: &Record) -> Result<(), Impossible> {
    let (id, attempts_max) = (&record.phase, after.bounds.attempts_max);
    let phase = phase(after, id)?;
    phase.failures += 1;
    phase.was_able();
    let failures = phase.failures;
    heed(phase, &record.feedback);
    if failures < attempts_max {
        return step(after, id, Event::Failed);
    }
    hold(after, id, format!("failed {failures} times: {}", first_line(&record.reason)))
}

/// A review asks for changes: its author does the work again, on top of it.
fn send_back(after: &mut Checkpoint, record: &Record, spec: &PhaseSpec) -> Result<(), Impossible> {
    let id = &record.phase;
    let wrong = |why| Impossible::Outcome { phase: id.clone(), outcome: record.outcome, why };
    let Some(author) = spec.reviews.as_ref().map(|subject| sibling(id, subject, after)) else {
        return Err(wrong("as it reviews nothing"));
    };
    let verdict = checked_verdict(record, Status::NeedsChanges).ok_or_else(|| wrong("without its verdict"))??;
    let finding = Finding { changes: verdict.finding(), subject: subject_digest(after, &author, record) };
    let rounds_max = spec.rounds_max();
    let phase = phase(after, id)?;
    let again = phase.finding.as_ref() == Some(&finding);
    phase.finding = Some(finding);
    phase.rounds += 1;
    phase.was_able();
    phase.approved = false;
    let rounds = phase.rounds;
    let what = verdict.required_changes.first().map_or("", |change| change.what.as_str());
    if again {
        return hold(after, id, format!("the same finding twice with no change between: {}", first_line(what)));
    }
    if rounds > rounds_max {
        return hold(after, id, format!("sent back {rounds} times, still open: {}", first_line(what)));
    }
    step(after, id, Event::SentBack)?;
    reopen(after, &author, Retry::Continue, &record.feedback)
}

/// A gate refuses: the writing phase it names is done again.
fn refuse(after: &mut Checkpoint, record: &Record, spec: &PhaseSpec) -> Result<(), Impossible> {
    let id = &record.phase;
    let target = spec.on_fail.as_ref().map(|target| sibling(id, target, after));
    let rounds_max = spec.rounds_max();
    let phase = phase(after, id)?;
    phase.rounds += 1;
    phase.was_able();
    let rounds = phase.rounds;
    heed(phase, &record.feedback);
    match target {
        None => hold(after, id, format!("the gate refused: {}", first_line(&record.reason))),
        Some(_) if rounds > rounds_max => {
            hold(after, id, format!("the gate refused {rounds} times: {}", first_line(&record.reason)))
        }
        Some(target) => {
            step(after, id, Event::SentBack)?;
            super::apply::phase(after, id)?.feedback.clear();
            reopen(after, &target, spec.retry, &record.feedback)
        }
    }
}

/// A landing that went wrong: the last writing phase is done again on the new base.
fn land(after: &mut Checkpoint, record: &Record) -> Result<(), Impossible> {
    let id = &record.phase;
    let wrong = |why| Impossible::Outcome { phase: id.clone(), outcome: record.outcome, why };
    match record.outcome {
        Outcome::Infra => infra(after, record),
        Outcome::Failed => {
            let new_base = record.new_base.ok_or_else(|| wrong("without the commit to redo it on"))?;
            let rounds_max = after.bounds.land_rounds_max;
            let phase = phase(after, id)?;
            phase.rounds += 1;
            phase.was_able();
            let rounds = phase.rounds;
            heed(phase, &record.feedback);
            after.base = new_base;
            after.good = record.seq;
            let writer = last_writer(after);
            match writer {
                Some(writer) if rounds <= rounds_max => {
                    step(after, id, Event::SentBack)?;
                    super::apply::phase(after, id)?.feedback.clear();
                    reopen(after, &writer, Retry::Continue, &record.feedback)?;
                    super::apply::phase(after, &writer)?.start = record.seq;
                    Ok(())
                }
                _ => hold(after, id, format!("could not land {rounds} times: {}", first_line(&record.reason))),
            }
        }
        Outcome::Done | Outcome::Changes | Outcome::Rejected => Err(wrong("in a step of the task")),
    }
}

fn last_writer(checkpoint: &Checkpoint) -> Option<PhaseId> {
    let writes =
        |phase: &&Phase| phase.state == State::Passed && checkpoint.spec(&phase.id).is_some_and(PhaseSpec::writes);
    checkpoint.phases.iter().rfind(writes).map(|phase| phase.id.clone())
}

/// A person's word on a phase that waits for it.
fn decide(after: &mut Checkpoint, record: &Record) -> Result<(), Impossible> {
    let id = &record.phase;
    let wrong = |why| Impossible::Outcome { phase: id.clone(), outcome: record.outcome, why };
    let decision = record.decision.as_ref().ok_or_else(|| wrong("without the decision"))?;
    let spec = after.spec(id).cloned();
    grant(after);
    match decision {
        Decision::Abort { reason } => {
            after.aborted = Some(if reason.is_empty() { "by a person".to_owned() } else { reason.clone() });
            Ok(())
        }
        Decision::Allow { usd } => {
            // Who has no budget needs none; that the task has begun is what was decided.
            after.bounds.budget_usd = after.bounds.budget_usd.map(|budget| budget.max(*usd));
            Ok(())
        }
        Decision::Skip => {
            let land = PhaseId::land();
            if *id == land {
                return Err(wrong("as a landing cannot be skipped"));
            }
            step(after, id, Event::SkippedOver)?;
            phase(after, id)?.held.clear();
            Ok(())
        }
        Decision::Approve => {
            let subject = spec.as_ref().and_then(|spec| spec.reviews.as_ref());
            if subject.is_none() {
                return Err(Impossible::NotApprovable(id.clone()));
            }
            step(after, id, Event::Approved)?;
            let phase = phase(after, id)?;
            phase.approved = true;
            phase.held.clear();
            Ok(())
        }
        Decision::Retry { feedback } => {
            let back_to = match &spec {
                Some(spec) => spec.reviews.as_ref().or(spec.on_fail.as_ref()).map(|to| sibling(id, to, after)),
                None => last_writer(after),
            };
            // An infra hold says nothing of the work: only the step itself is tried again.
            let phase = phase(after, id)?;
            let stuck_outside = phase.infra > 0;
            let earlier = std::mem::take(&mut phase.feedback);
            phase.was_able();
            phase.failures = 0;
            phase.rounds = 0;
            phase.finding = None;
            phase.held.clear();
            match back_to.filter(|_| !stuck_outside) {
                Some(author) => {
                    step(after, id, Event::Reset)?;
                    let mut advice = earlier;
                    advice.push(feedback.clone());
                    advice.retain(|text| !text.is_empty());
                    reopen(after, &author, Retry::Continue, &advice.join("\n\n"))
                }
                None => {
                    step(after, id, Event::Retried)?;
                    let phase = super::apply::phase(after, id)?;
                    phase.feedback = earlier;
                    heed(phase, feedback);
                    Ok(())
                }
            }
        }
    }
}

/// A person who goes on with a task that used up its money or time grants it as much again.
fn grant(after: &mut Checkpoint) {
    let (bounds, spent) = (&mut after.bounds, &after.spent);
    if let Some(budget) = bounds.budget_usd.filter(|budget| spent.cost_usd >= *budget) {
        bounds.budget_usd = Some(spent.cost_usd + budget);
    }
    if let Some(timeout) = bounds.timeout.filter(|timeout| spent.duration() >= timeout.0) {
        bounds.timeout = Some(super::task::Span(spent.duration() + timeout.0));
    }
}

fn heed(phase: &mut Phase, feedback: &str) {
    if !feedback.trim().is_empty() {
        phase.feedback.push(feedback.to_owned());
        let over = phase.feedback.len().saturating_sub(FEEDBACK_MAX);
        phase.feedback.drain(..over);
    }
}

/// Has a phase done again, and all that was built on it.
fn reopen(after: &mut Checkpoint, id: &PhaseId, retry: Retry, feedback: &str) -> Result<(), Impossible> {
    let rolls_back = retry == Retry::Rollback && only_writer_since_start(after, id);
    let skipped = phase(after, id)?.state == State::Skipped;
    step(after, id, Event::Reopened)?;
    let phase = phase(after, id)?;
    phase.failures = 0;
    phase.was_able();
    phase.held.clear();
    heed(phase, feedback);
    if rolls_back {
        phase.authors.clear();
        after.good = phase.start;
    }
    debug_assert!(!skipped || !rolls_back, "a skipped phase has no work to roll back");
    for other in dependents(after, id) {
        let phase = super::apply::phase(after, &other)?;
        if phase.state != State::Running {
            step(after, &other, Event::Reset)?;
        }
    }
    Ok(())
}

/// Whether a phase writes the task's first code, whatever comes beside it: then it may do so on what has landed by now, and not
/// on what had landed when the task began to think.
pub fn begins_code(checkpoint: &Checkpoint, id: &PhaseId) -> bool {
    let writes = |id: &PhaseId| checkpoint.spec(id).is_some_and(PhaseSpec::writes);
    let later = dependents(checkpoint, id);
    let is_first = |other: &Phase| other.id == *id || other.state == State::Skipped || later.contains(&other.id);
    checkpoint.good == 0 && writes(id) && checkpoint.phases.iter().filter(|other| writes(&other.id)).all(is_first)
}

/// Whether no other phase changed the code since this one began.
fn only_writer_since_start(checkpoint: &Checkpoint, id: &PhaseId) -> bool {
    let Some(start) = checkpoint.phase(id).map(|phase| phase.start) else { return false };
    checkpoint.phases.iter().all(|other| {
        other.id == *id
            || !checkpoint.spec(&other.id).is_some_and(PhaseSpec::writes)
            || other.step.is_none_or(|step| step <= start)
    })
}

/// Phases that need `id`, directly or through others, but for the landing.
fn dependents(checkpoint: &Checkpoint, id: &PhaseId) -> Vec<PhaseId> {
    let mut found: Vec<PhaseId> = vec![id.clone()];
    let mut at = 0;
    while at < found.len() {
        for phase in &checkpoint.phases {
            if phase.needs.contains(&found[at]) && !found.contains(&phase.id) {
                found.push(phase.id.clone());
            }
        }
        at += 1;
    }
    found.remove(0);
    found
}

/// The phase that `name` means, seen from `id`: of the same plan step if it was unfolded.
pub(super) fn sibling(id: &PhaseId, name: &PhaseId, checkpoint: &Checkpoint) -> PhaseId {
    let unfolded = id.plan_step().and_then(|step| PhaseId::unfolded(name.as_str(), step).ok());
    unfolded.filter(|unfolded| checkpoint.phase(unfolded).is_some()).unwrap_or_else(|| name.clone())
}

/// The families that wrote what a review judges: those of the phase it names.
pub(super) fn authors_of(checkpoint: &Checkpoint, id: &PhaseId, spec: &PhaseSpec) -> Families {
    let Some(subject) = &spec.reviews else { return Families::new() };
    let direct = checkpoint.phase(&sibling(id, subject, checkpoint));
    let unfolded = checkpoint.phases.iter().filter(|phase| phase.id.spec() == subject.as_str());
    match direct {
        Some(phase) => phase.authors.clone(),
        // A review of all steps together judges all their authors.
        None => unfolded.flat_map(|phase| phase.authors.iter().cloned()).collect(),
    }
}

/// What a review judged: the plan, or the code.
fn subject_digest(checkpoint: &Checkpoint, author: &PhaseId, record: &Record) -> Digest {
    let writes = checkpoint.spec(author).is_some_and(PhaseSpec::writes);
    match &checkpoint.plan {
        Some(plan) if !writes => plan.digest(),
        _ => Digest::of(record.code.to_string()),
    }
}

fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().chars().take(200).collect()
}

/// Draws the conclusions that need no step: phases unfold, are passed over or become ready, limits hold them.
pub(super) fn settle(checkpoint: &mut Checkpoint) {
    loop {
        unfold(checkpoint);
        let over: Vec<PhaseId> =
            checkpoint.phases.iter().filter(|phase| phase.state.is_over()).map(|phase| phase.id.clone()).collect();
        let met = |phase: &Phase| phase.needs.iter().all(|need| over.contains(need));
        let ready: Vec<PhaseId> = checkpoint
            .phases
            .iter()
            .filter(|phase| phase.state == State::Waiting && met(phase))
            .map(|phase| phase.id.clone())
            .collect();
        if ready.is_empty() {
            break;
        }
        for id in ready {
            let skip = checkpoint.spec(&id).is_some_and(|spec| is_skipped(checkpoint, spec));
            let good = checkpoint.good;
            let Some(phase) = checkpoint.phase_mut(&id) else { continue };
            let event = if skip { Event::SkippedOver } else { Event::NeedsMet };
            phase.state = transition(phase.state, event).expect("BUG: a waiting phase may become ready or be skipped");
            if phase.authors.is_empty() {
                phase.start = good;
            }
        }
    }
    limit(checkpoint);
}

/// Holds what may start when the task's money or time is used up.
fn limit(checkpoint: &mut Checkpoint) {
    let (bounds, spent) = (&checkpoint.bounds, &checkpoint.spent);
    let why = match (bounds.budget_usd, bounds.timeout) {
        (Some(budget), _) if spent.cost_usd >= budget => {
            format!("the task's budget of {budget} is used up: {}", spent.cost_usd)
        }
        (_, Some(timeout)) if spent.duration() >= timeout.0 => {
            format!("the task's time of {timeout} is used up")
        }
        _ => return,
    };
    let land = PhaseId::land();
    let agents: Vec<PhaseId> = checkpoint
        .phases
        .iter()
        .filter(|phase| phase.id != land && phase.state.may_start())
        .map(|phase| phase.id.clone())
        .collect();
    for id in agents {
        if let Some(phase) = checkpoint.phase_mut(&id) {
            phase.state = transition(phase.state, Event::Stuck).expect("BUG: what may start may be held");
            phase.held.clone_from(&why);
        }
    }
}

fn is_skipped(checkpoint: &Checkpoint, spec: &PhaseSpec) -> bool {
    let when = &spec.skip_when;
    if when.labels.is_empty() && when.areas.is_empty() && when.results.is_empty() {
        return false;
    }
    let labelled = when.labels.is_empty() || when.labels.iter().any(|label| checkpoint.labels.contains(label));
    let in_area = when.areas.is_empty() || checkpoint.area.as_ref().is_some_and(|area| when.areas.contains(area));
    let ended = when.results.is_empty()
        || when.results.iter().filter_map(|entry| parse_result(entry)).any(|(name, how)| {
            let mut phases = checkpoint.phases.iter().filter(|phase| phase.id.spec() == name).peekable();
            phases.peek().is_some()
                && phases.all(|phase| match how {
                    Ended::Approved => phase.state == State::Passed && phase.approved,
                    Ended::Passed => phase.state == State::Passed,
                    Ended::Skipped => phase.state == State::Skipped,
                })
        });
    labelled && in_area && ended
}

/// Replaces each `for_each` phase, and those that hang on it alone, by one for each step of the plan,
/// as soon as the plan is settled.
fn unfold(checkpoint: &mut Checkpoint) {
    let over = |checkpoint: &Checkpoint, id: &PhaseId| checkpoint.phase(id).is_some_and(|p| p.state.is_over());
    let first = checkpoint.workflow.phases.iter().find(|spec| {
        spec.for_each.is_some()
            && checkpoint.phase(&spec.id).is_some_and(|phase| phase.state == State::Waiting)
            && spec.needs.iter().all(|need| over(checkpoint, need))
    });
    let (Some(first), Some(plan)) = (first.map(|spec| spec.id.clone()), checkpoint.plan.clone()) else { return };
    let group = hanging_on(checkpoint, &first);
    let mut phases = Vec::new();
    let mut done_group = false;
    for phase in std::mem::take(&mut checkpoint.phases) {
        if group.contains(&phase.id) {
            if !done_group {
                phases.extend(unfolded(&plan, &group, checkpoint));
                done_group = true;
            }
            continue;
        }
        phases.push(phase);
    }
    // Whoever needed the group as a whole now needs all of its steps.
    for phase in &mut phases {
        let needs = std::mem::take(&mut phase.needs);
        for need in needs {
            if group.contains(&need) {
                let of_steps = plan.steps.iter().filter_map(|step| PhaseId::unfolded(need.as_str(), &step.id).ok());
                phase.needs.extend(of_steps);
            } else {
                phase.needs.push(need);
            }
        }
    }
    checkpoint.phases = phases;
}

/// `first` and the phases all of whose needs lie in the group, in the workflow's order.
fn hanging_on(checkpoint: &Checkpoint, first: &PhaseId) -> Vec<PhaseId> {
    let mut group = vec![first.clone()];
    loop {
        let more = checkpoint.workflow.phases.iter().find(|spec| {
            !group.contains(&spec.id) && !spec.needs.is_empty() && spec.needs.iter().all(|need| group.contains(need))
        });
        match more {
            Some(spec) => group.push(spec.id.clone()),
            None => break,
        }
    }
    let order = |id: &PhaseId| checkpoint.workflow.phases.iter().position(|spec| spec.id == *id);
    group.sort_by_key(order);
    group
}

fn unfolded(plan: &Plan, group: &[PhaseId], checkpoint: &Checkpoint) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    let mut ends_before: Vec<PhaseId> = Vec::new();
    for step in &plan.steps {
        let named = |id: &PhaseId| PhaseId::unfolded(id.as_str(), &step.id).expect("a checked plan has good step ids");
        let mut of_step = Vec::new();
        for id in group {
            let spec = checkpoint.workflow.phase(id.as_str()).expect("BUG: a group is made of the workflow's phases");
            let mut needs: Vec<PhaseId> =
                spec.needs.iter().map(|need| if group.contains(need) { named(need) } else { need.clone() }).collect();
            // The steps work on one line of code, one after another.
            if !spec.needs.iter().any(|need| group.contains(need)) {
                needs.extend(ends_before.iter().cloned());
            }
            of_step.push(Phase::new(named(id), needs));
        }
        let needed: Vec<PhaseId> = of_step.iter().flat_map(|phase: &Phase| phase.needs.clone()).collect();
        ends_before = of_step.iter().map(|phase| phase.id.clone()).filter(|id| !needed.contains(id)).collect();
        phases.extend(of_step);
    }
    phases
}
