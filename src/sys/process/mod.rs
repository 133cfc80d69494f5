//! Children: started, fed, listened to, limited, ended with all they started, and reaped. Nothing else starts one.
//! Knows nothing of what the programs are for.

mod attached;
mod cancel;
mod capture;
mod conversation;
mod leftovers;
mod orphans;
mod pipes;
mod program;
mod record;
mod running;
mod supervisor;
mod usage;

pub use self::{
    attached::{Attached, run_attached},
    cancel::Cancel,
    capture::{Captured, LINE_BYTES_MAX, Source},
    conversation::{Conversation, Say},
    leftovers::Leftover,
    program::{Label, ProcessLimits, Program, StartError, find_program},
    running::MARKER,
    supervisor::{Ended, How, Supervisor},
    usage::Usage,
};
