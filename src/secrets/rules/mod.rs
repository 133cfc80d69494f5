//! The rules, by what their secrets open. Know nothing of how they are searched; each provider documents its own forms.

mod ai;
mod all;
mod cloud;
mod code;
mod general;
mod messages;
mod money;
mod services;

pub(super) use all::ALL;
