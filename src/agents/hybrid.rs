//! Two agents that do a step together: one turns the task into a brief, the other works by it.
//! Does not know in which order they are asked, nor what their work is checked for.

use super::agent::Agent;
use crate::{
    config::settings::OutputCheck,
    model::record::{Families, Purpose},
};

/// The two, ready to be asked.
#[derive(Debug)]
pub struct Hybrid {
    pub(super) name: String,
    /// Who writes the brief.
    pub brief: Agent,
    /// Who does the work, and mends it.
    pub work: Agent,
    /// What the work is checked for before it counts as finished.
    pub check: OutputCheck,
}

impl Hybrid {
    /// Who of the two is asked for that.
    pub fn who(&self, purpose: Purpose) -> &Agent {
        match purpose {
            Purpose::Brief => &self.brief,
            Purpose::Work | Purpose::Mend => &self.work,
        }
    }

    pub(super) fn families(&self) -> Families {
        [self.brief.family(), self.work.family()].into()
    }
}
