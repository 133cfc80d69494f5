//! Killed at each point, started again, compared with a run that was never killed; signals, clones, damage, and what users
//! do meanwhile. Knows the program only from outside: its binary, its exit codes, the branches it leaves.

#[path = "crash/clones.rs"]
mod clones;
#[path = "crash/kills.rs"]
mod kills;
mod kit;
#[path = "crash/moments.rs"]
mod moments;
#[path = "crash/points.rs"]
mod points;
#[path = "crash/ruins.rs"]
mod ruins;
#[path = "crash/scenario.rs"]
mod scenario;
#[path = "crash/stops.rs"]
mod stops;
#[path = "crash/survivors.rs"]
mod survivors;
#[path = "crash/users.rs"]
mod users;
