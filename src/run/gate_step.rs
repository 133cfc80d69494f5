//! A step of a gate: the verdict on the code that counts, in a slot where no agent ever works.
//! Knows nothing of agents; what a refusal means for the task is the model's.

use std::{path::Path, time::Instant};

use super::{
    RunError,
    agent_step::with_checkout,
    commit::{Committed, Step, commit, step_commit},
    foreman::Job,
    setup::{self, Standing, Warmth},
    workshop::Workshop,
};
use crate::{
    config::limits,
    gate::{
        self, Answer, Base, Bench, Definition, Freshness, Question, Side, Told, UserHooks,
        change::{self, Change},
    },
    model::{
        object::{CommitId, TreeId},
        record::{Actor, CheckResult, GateVerdict, Outcome, Record},
    },
    report::event::RunEvent,
    sys::{clock, machine, process::Label},
};

/// What a gate is asked about.
#[derive(Debug, Clone)]
pub struct Asking<'a> {
    /// The profile, or `auto`.
    pub profile: &'a str,
    /// The code tree.
    pub tree: TreeId,
    /// It as a commit that a slot can check out.
    pub checkout: CommitId,
    /// The commit that it is compared with.
    pub base: CommitId,
    /// A commit whose message the user's hooks are asked about, if they are asked.
    pub message: Option<CommitId>,
    /// What the checks are run for.
    pub label: Label,
    /// The worker to whom progress is told.
    pub slot: Option<usize>,
}

/// Asks the gate about a code tree: a remembered verdict, else the checks in a clean checkout of exactly that tree, compared
/// with those of its base.
///
/// # Errors
/// When the profile is not configured or the checkout cannot be made.
pub fn ask(shop: &Workshop, asking: Asking) -> Result<Answer, RunError> {
    let Asking { profile, tree, checkout, base, message, label, slot } = asking;
    let repository = &shop.project.repository;
    let settings = &shop.project.settings;
    let base = Base { tree: repository.code_tree(base)?, commit: base };
    // The tree of it need not be in the repository before it is looked at.
    let base_checkout = || repository.code_checkout_of(base.commit);
    let change = || {
        base_checkout()?;
        Ok::<Change, RunError>(Change::of_diff(&repository.diff_text(base.tree, tree, change::DIFF_BYTES_MAX)?))
    };
    let (profile, why) = match profile {
        change::AUTO => change()?.profile(settings),
        named => (named.to_owned(), String::new()),
    };
    let definition = Definition::from_settings(settings, &profile)?;
    let log_dir = shop.project.local.log().join("gate");
    let bench = Bench {
        supervisor: &shop.supervisor,
        cancel: &shop.cancel,
        checks_parallel: if limits::is_contested(settings, &profile) { 1 } else { machine::cores() },
        output_bytes_max: settings.limits.output_bytes as usize,
        log_dir: Some(&log_dir),
        label,
        hooks: Some(UserHooks { repository, commit: message }),
    };
    let mut check_out = |side: Side, work: &mut dyn FnMut(&Path)| {
        let at = match side {
            Side::Candidate | Side::Again => checkout,
            Side::Base => base_checkout()?,
        };
        let mut slot = shop.gate_slot(at)?;
        if definition.is_pristine() {
            slot.reset_to_pristine()?;
            // What setup made there is gone too.
            slot.standing = Standing::Untouched;
        }
        setup::prepare(shop, &mut slot, Warmth::of(&definition))?;
        work(slot.path());
        crate::sys::crash_point::reach("gate.judged");
        // What the checks left in tracked files must not be there for the next tree.
        slot.discard()?;
        slot.clean();
        Ok::<(), RunError>(())
    };
    let mut tell = |told: Told<'_>| {
        if let (Some(slot), Told::Ended(side, check)) = (slot, told) {
            let side = match side {
                Side::Candidate => "",
                Side::Base => " on the base",
                Side::Again => " once more",
            };
            let detail = format!("{}{side} {} {}", check.name, check.result, check.reason);
            (shop.tell)(RunEvent::ToolUsed { slot: slot as u32, tool: "check".to_owned(), detail });
        }
    };
    let question = Question { definition: &definition, tree, base: Some(base), freshness: Freshness::Remembered };
    let answer = gate::ask(&question, &bench, &shop.remembered, &change, &mut check_out, &mut tell)?;
    crate::sys::crash_point::reach("gate.remembered");
    Ok(match answer {
        Answer::Verdict(verdict) => Answer::Verdict(Box::new(GateVerdict { why, ..*verdict })),
        Answer::Cancelled => Answer::Cancelled,
    })
}

/// Makes the step; none when the run stops.
///
/// # Errors
/// When the gate could not be asked or the step not be committed.
pub fn make(shop: &Workshop, job: &Job, profile: &str) -> Result<Option<Committed>, RunError> {
    let (started, clock) = (clock::now_rfc3339(), Instant::now());
    let from = step_commit(&shop.project.repository, &job.checkpoint, job.tip, job.work.from)?;
    let mut draft = shop.project.repository.draft();
    let code = draft.code_tree(from)?;
    let label = Label {
        slot: format!("worker-{}", job.slot),
        task: job.task.id.to_string(),
        phase: job.work.phase.to_string(),
    };
    let base = job.checkpoint.base;
    let ask = |checkout| {
        let (label, slot) = (label.clone(), Some(job.slot));
        ask(shop, Asking { profile, tree: code, checkout, base, message: Some(from), label, slot })
    };
    let verdict = match with_checkout(shop, (&mut draft, from, code), base, ask)? {
        Answer::Verdict(verdict) => verdict,
        Answer::Cancelled => return Ok(None),
    };
    let outcome = match verdict.result {
        CheckResult::Pass => Outcome::Done,
        CheckResult::Fail => Outcome::Failed,
        CheckResult::Infra => Outcome::Infra,
    };
    let refused = outcome != Outcome::Done;
    let record = Record {
        attempt: job.work.attempt,
        duration_ms: clock.elapsed().as_millis() as u64,
        outcome,
        reason: if refused { crate::land::batch::gate_reason(&verdict) } else { String::new() },
        feedback: if refused { feedback(shop, &verdict)? } else { String::new() },
        definition: definition(shop, &verdict),
        gate: Some(*verdict),
        ..Record::begin(
            job.task.id.clone(),
            job.work.phase.clone(),
            Actor::Gate { profile: profile.to_owned() },
            from,
            code,
            started,
        )
    };
    commit(shop, draft, Step { job, from, code, record, transcript: None }).map(Some)
}

/// The text of the definition by which a verdict was given, as evidence beside it.
pub fn definition(shop: &Workshop, verdict: &GateVerdict) -> Option<String> {
    let found = Definition::from_settings(&shop.project.settings, &verdict.profile).ok()?;
    (found.digest == verdict.definition).then_some(found.text)
}

/// What goes back to the author of a refused tree.
///
/// # Errors
/// When the profile is no longer configured.
pub fn feedback(shop: &Workshop, verdict: &GateVerdict) -> Result<String, RunError> {
    let definition = Definition::from_settings(&shop.project.settings, &verdict.profile)?;
    Ok(gate::feedback(verdict, &definition))
}
