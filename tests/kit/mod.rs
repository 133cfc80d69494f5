//! What tests of whole runs share: a closed-off repository, scripted agents, the real binary, waiting, looking.
//! Knows nothing of what is tested with it.

pub mod agents;
pub mod program;
pub mod sandbox;
pub mod state;
pub mod workflows;
