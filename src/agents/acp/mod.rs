//! The Agent Client Protocol: any program that speaks it, over its standard input and output.
//! Knows nothing of which program it is; what a program may do follows from the role's access.

mod adapter;
mod dialogue;
mod permission;
mod session;

pub use self::adapter::Acp;
