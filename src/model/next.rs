//! What may be done now: `next(checkpoint, world) -> work`.
//! Knows nothing of queues, prices or machines: the world around the task is told in a few words.

use std::collections::BTreeMap;

use super::{
    apply::{authors_of, sibling},
    checkpoint::{Checkpoint, Phase},
    machine::State,
    record::Families,
    workflow::{Access, PhaseId, PhaseSpec, Role},
};

/// What `next` needs to know of the world.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Phases of this task that are being worked on.
    pub running: Vec<PhaseId>,
    /// The families that could play each role, as configured.
    pub families: BTreeMap<Role, Vec<Families>>,
    /// Do not start this phase or what needs it.
    pub until: Option<PhaseId>,
}

/// One piece of work that may be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The phase.
    pub phase: PhaseId,
    /// What is to be done.
    pub what: What,
    /// The step whose code it starts from; 0 is the base.
    pub from: u32,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// What is to be done for a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An agent plays a role.
    Agent {
        /// The role.
        role: Role,
        /// What it may do to the files.
        access: Access,
        /// Families that may not play it: the authors of what it reviews.
        except: Families,
    },
    /// A gate profile is run.
    Gate {
        /// The profile.
        profile: String,
    },
    /// The task is put onto the integration branch.
    Land,
}

/// Why a task has no work now although it is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A person must decide.
    Held {
        /// About which phase.
        phase: PhaseId,
        /// Why.
        why: String,
    },
    /// Nobody configured may review this: every family that could is an author's.
    NoReviewer {
        /// The review.
        phase: PhaseId,
        /// Its role.
        role: Role,
        /// The authors' families.
        authors: Families,
    },
    /// The run was told to stop before this phase.
    Until(PhaseId),
}

/// What may be done for a task now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    /// To be started, in the workflow's order.
    pub work: Vec<Work>,
    /// What stands in the way of the rest.
    pub stops: Vec<Stop>,
}

/// What may be done for a task now.
pub fn next(checkpoint: &Checkpoint, world: &World) -> Next {
    let mut next = Next::default();
    if checkpoint.aborted.is_some() {
        return next;
    }
    for phase in &checkpoint.phases {
        match phase.state {
            State::Waiting | State::Running | State::Passed | State::Skipped => {}
            State::Held => {
                next.stops.push(Stop::Held { phase: phase.id.clone(), why: phase.held.clone() });
            }
            State::Ready | State::Failed if world.running.contains(&phase.id) => {}
            State::Ready | State::Failed => match work(checkpoint, phase, world) {
                Ok(work) => next.work.push(work),
                Err(stop) => next.stops.push(stop),
            },
        }
    }
    next
}

fn work(checkpoint: &Checkpoint, phase: &Phase, world: &World) -> Result<Work, Stop> {
    if let Some(until) = &world.until
        && (phase.id == *until || phase.id.spec() == until.as_str())
    {
        return Err(Stop::Until(phase.id.clone()));
    }
    let what = match checkpoint.spec(&phase.id) {
        None => What::Land,
        Some(spec) => match (&spec.role, &spec.gate) {
            (Some(role), _) => agent(checkpoint, phase, spec, role, world)?,
            (None, Some(profile)) => What::Gate { profile: profile.clone() },
            (None, None) => unreachable!("BUG: a checked workflow gives each phase a role or a gate"),
        },
    };
    Ok(Work { phase: phase.id.clone(), what, from: checkpoint.good, attempt: phase.attempts + 1 })
}

fn agent(checkpoint: &Checkpoint, phase: &Phase, spec: &PhaseSpec, role: &Role, world: &World) -> Result<What, Stop> {
    let except = authors_of(checkpoint, &phase.id, spec);
    let could =
        world.families.get(role).is_some_and(|families| families.iter().any(|families| families.is_disjoint(&except)));
    if spec.reviews.is_some() && !could {
        return Err(Stop::NoReviewer { phase: phase.id.clone(), role: role.clone(), authors: except });
    }
    Ok(What::Agent { role: role.clone(), access: spec.access(), except })
}

/// The families that wrote what a phase reviews, as far as it is written; none for a phase that reviews nothing.
pub fn authors(checkpoint: &Checkpoint, phase: &PhaseId) -> Families {
    checkpoint.spec(phase).map(|spec| authors_of(checkpoint, phase, spec)).unwrap_or_default()
}

/// The phase whose work a review judges, unfolded as the review is.
pub fn subject(checkpoint: &Checkpoint, review: &PhaseId) -> Option<PhaseId> {
    let subject = checkpoint.spec(review)?.reviews.as_ref()?;
    Some(sibling(review, subject, checkpoint))
}
