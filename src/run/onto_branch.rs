//! Carries out `land`: the integration branch onto the user's, with the gate where the two must be merged.
//! Knows nothing of how branches are merged; that is the room of landing.

use super::{
    Project, RunError,
    gate_step::{self, Asking},
    land_step, preflight,
    workshop::{Equipment, Workshop},
};
use crate::{
    gate::Answer,
    land::{
        LandError,
        onto::{self, FastForward, Judged, Onto, Way},
    },
    model::object::CommitId,
    sys::{
        lock,
        process::{Cancel, Label},
    },
};

/// The profile that a merge of the two branches must pass where nothing else is said.
const PROFILE_DEFAULT: &str = "full";

/// How it was landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Everything was there already.
    UpToDate,
    /// The branch moved forward.
    Forward,
    /// A merge commit was made.
    Merge,
}

/// What was landed, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landed {
    /// The user's branch, as people name it.
    pub onto: String,
    /// How.
    pub how: How,
    /// Where the branch is now.
    pub commit: CommitId,
}

/// Lands the integration branch on the user's branch.
///
/// # Errors
/// [`LandError`] where a person must act first, [`RunError::HeldBy`] while a run is at work.
pub fn land(
    project: &Project,
    into: Option<&str>,
    fast_forward: FastForward,
    dry_run: bool,
) -> Result<Landed, RunError> {
    std::fs::create_dir_all(project.local.root()).map_err(|source| RunError::File {
        path: project.local.root().to_owned(),
        what: "cannot be made",
        source,
    })?;
    let lease = lock::acquire(&project.local.lock(), "land")?;
    let identity = project.repository.identity()?;
    let signer = preflight::signer(&project.repository, project.settings.commits.key)?;
    let branch = project.integration_branch();
    let onto = Onto {
        repository: &project.repository,
        branch: &branch,
        onto: into.map(|name| format!("refs/heads/{}", onto::short(name))),
        fast_forward,
        identity: &identity,
        signer: &signer,
    };
    let route = onto::look(&onto)?;
    let how = match route.way {
        Way::UpToDate => How::UpToDate,
        Way::Forward => How::Forward,
        Way::Merge(_) => How::Merge,
    };
    let name = onto::short(&route.onto).to_owned();
    if dry_run {
        return Ok(Landed { onto: name, how, commit: route.from });
    }
    let profile = project.settings.landing.gate.clone().unwrap_or_else(|| PROFILE_DEFAULT.to_owned());
    let mut shop = None;
    let commit = onto::land(&onto, &route, &mut |tree, checkout| {
        let shop = match &shop {
            Some(shop) => shop,
            None => shop.insert(workshop(project).map_err(|error| LandError::Gate(error.to_string()))?),
        };
        let label = Label { slot: "landing".to_owned(), task: String::new(), phase: "land".to_owned() };
        match land_step::base_of(&project.repository, checkout).and_then(|base| {
            gate_step::ask(shop, Asking { profile: &profile, tree, checkout, base, message: None, label, slot: None })
        }) {
            Ok(Answer::Verdict(verdict)) => Ok(Judged {
                definition: gate_step::definition(shop, &verdict),
                config: project.config_text.clone(),
                verdict: *verdict,
            }),
            Ok(Answer::Cancelled) => Err(LandError::Cancelled),
            Err(RunError::Git(error)) => Err(error.into()),
            Err(error) => Err(LandError::Gate(error.to_string())),
        }
    })?;
    drop(lease);
    Ok(Landed { onto: name, how, commit })
}

/// A workshop without agents, for a gate alone.
fn workshop(project: &Project) -> Result<Workshop, RunError> {
    let equipment = Equipment {
        identity: project.repository.identity()?,
        signer: preflight::signer(&project.repository, project.settings.commits.key)?,
        supervisor: preflight::supervisor(project)?,
        cancel: Cancel::new(),
        agents: Default::default(),
        versions: Default::default(),
        briefs: Default::default(),
        gates_max: 1,
        tell: std::sync::Arc::new(|_| {}),
    };
    Workshop::open(project.clone(), equipment)
}
