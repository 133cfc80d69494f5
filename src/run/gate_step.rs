//! A step of a gate: the verdict on the code that counts, in a slot where no agent ever works.
//! Knows nothing of agents; what a refusal means for the task is the model's.

use std::time::Instant;

use super::{
    RunError,
    agent_step::{checkout_of, is_swept},
    commit::{Committed, Step, commit, step_commit},
    foreman::Job,
    setup,
    workshop::Workshop,
};
use crate::{
    gate::{self, Definition},
    model::{
        object::{CommitId, TreeId},
        record::{Actor, CheckResult, GateVerdict, Outcome, Record},
    },
    report::event::RunEvent,
    sys::{clock, machine, process::Label},
};

/// How a gate was asked.
pub enum Asked {
    /// It answered.
    Verdict(Box<GateVerdict>),
    /// The run stops.
    Cancelled,
}

/// Asks the gate about a code tree: a remembered verdict, else the checks in a clean checkout of exactly that tree.
///
/// # Errors
/// When the profile is not configured or the checkout cannot be made.
pub fn ask(
    shop: &Workshop,
    profile: &str,
    tree: TreeId,
    checkout: CommitId,
    label: Label,
    slot: Option<usize>,
) -> Result<Asked, RunError> {
    let definition = Definition::from_settings(&shop.project.settings, profile)?;
    if let Some(verdict) = shop.remembered.get(&tree, &definition.digest) {
        return Ok(Asked::Verdict(Box::new(verdict)));
    }
    let limits = &shop.project.settings.limits;
    let mut checkout = shop.gate_slot(checkout)?;
    if definition.is_pristine() {
        checkout.reset_to_pristine()?;
    }
    setup::prepare(shop, &mut checkout)?;
    let verdict = gate::run(
        &gate::Run {
            definition: &definition,
            directory: checkout.path(),
            tree,
            supervisor: &shop.supervisor,
            cancel: &shop.cancel,
            checks_parallel: machine::cores(),
            output_bytes_max: limits.output_bytes as usize,
            log_dir: Some(&shop.project.local.log().join("gate")),
            label,
        },
        &mut |check| {
            if let Some(slot) = slot {
                let detail = format!("{} {} {}", check.name, check.result, check.reason);
                (shop.tell)(RunEvent::ToolUsed { slot: slot as u32, tool: "check".to_owned(), detail });
            }
        },
    );
    crate::sys::crash_point::reach("gate.judged");
    // What the checks left in tracked files must not be there for the next tree.
    checkout.discard()?;
    checkout.clean();
    match verdict {
        Ok(verdict) => {
            if let Err(error) = shop.remembered.put(&verdict) {
                tracing::warn!(%error, "a gate's verdict was not remembered");
            }
            crate::sys::crash_point::reach("gate.remembered");
            Ok(Asked::Verdict(Box::new(verdict)))
        }
        Err(gate::Cancelled) => Ok(Asked::Cancelled),
    }
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
    let ask = |checkout| ask(shop, profile, code, checkout, label.clone(), Some(job.slot));
    let asked = match checkout_of(shop, &mut draft, code, job.checkpoint.base).and_then(ask) {
        Err(error) if is_swept(&error) => {
            let mut again = shop.project.repository.draft();
            let code = again.code_tree(from)?;
            checkout_of(shop, &mut again, code, job.checkpoint.base).and_then(ask)?
        }
        asked => asked?,
    };
    let verdict = match asked {
        Asked::Verdict(verdict) => verdict,
        Asked::Cancelled => return Ok(None),
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
