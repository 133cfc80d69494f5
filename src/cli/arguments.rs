//! The command line as a type.
//! Knows nothing of what the commands do.

use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use super::{
    agents, clean, completions, demo, doctor, gate, hook, hooks, init, jobs, land, log, pause, plan, review, show,
    start, stats, status, stop, task, terminal::Colour, verify,
};

/// Have coding agents work through a queue of tasks: reviewed, gated, signed, landed
#[derive(Debug, Parser)]
#[command(
    name = "git-orchestrate",
    version,
    arg_required_else_help = true,
    after_help = EXAMPLES,
    max_term_width = 100
)]
pub struct Arguments {
    /// Run as if started in this directory; each further one is relative to the one before
    #[arg(short = 'C', value_name = "DIR", global = true, action = ArgAction::Append, help_heading = GLOBAL)]
    pub directories: Vec<PathBuf>,
    /// Tell more; twice: what the program does inside
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = GLOBAL)]
    pub verbose: u8,
    /// Tell only what went wrong, and what was asked for
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub quiet: bool,
    /// When to use colours: auto, always or never
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_possible_values = true, help_heading = GLOBAL)]
    pub color: Colour,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The command line as people type it. The program's own name, which shells complete, is `git-orchestrate`.
pub fn command() -> clap::Command {
    Arguments::command().bin_name("git orchestrate")
}

/// What every command takes.
const GLOBAL: &str = "Global options";

const EXAMPLES: &str = "\
Examples:
  git orchestrate init                           Find agents and tests, write .handoff/config.toml
  git orchestrate task add \"Add a --json flag\"   A task; or git orchestrate task import <directory>
  git orchestrate start --jobs 4                 Let the agents work
  git orchestrate status --watch                 See how it goes, from another terminal
  git orchestrate review                         See what waits for you
  git orchestrate land                           Put the result onto your branch
  git orchestrate demo                           See all of it, with recorded agents";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find agents and tests, make the key, write the configuration
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArguments),
    /// Add, list, show, edit and import tasks
    #[command(after_help = task::EXAMPLES)]
    Task(task::TaskArguments),
    /// Say what collides, what goes side by side, how long it takes and what it costs; do nothing
    #[command(after_help = plan::EXAMPLES)]
    Plan(plan::PlanArguments),
    /// Work on the queue until nothing more can be done
    #[command(after_help = start::START_EXAMPLES)]
    Start(start::StartArguments),
    /// Show how every task stands and what the workers do
    #[command(after_help = status::EXAMPLES)]
    Status(status::StatusArguments),
    /// Go on where a run was stopped or died
    #[command(after_help = start::RESUME_EXAMPLES)]
    Resume(start::StartArguments),
    /// Ask the run that is at work to stop
    #[command(after_help = stop::EXAMPLES)]
    Stop(stop::StopArguments),
    /// Start nothing more for some tasks until they are resumed
    #[command(after_help = pause::EXAMPLES)]
    Pause(pause::PauseArguments),
    /// Give the run that is at work more or fewer workers
    #[command(after_help = jobs::EXAMPLES)]
    Jobs(jobs::JobsArguments),
    /// Show what waits for a person, and decide it
    #[command(after_help = review::EXAMPLES)]
    Review(review::ReviewArguments),
    /// Show one task with all that is known of it
    #[command(after_help = show::EXAMPLES)]
    Show(show::ShowArguments),
    /// Show every step: who, which model, how it ended, what it cost, its commit and signature
    #[command(after_help = log::EXAMPLES)]
    Log(log::LogArguments),
    /// Prove that what is there is what was done: signatures, steps, states, verdicts, landings
    #[command(after_help = verify::EXAMPLES)]
    Verify(verify::VerifyArguments),
    /// Run the tests and linters on a commit, and say what got worse
    #[command(after_help = gate::EXAMPLES)]
    Gate(gate::GateArguments),
    /// Put the integration branch onto your branch
    #[command(after_help = land::EXAMPLES)]
    Land(land::LandArguments),
    /// Judge what is pushed and committed, by git hooks beside your own
    #[command(after_help = hooks::EXAMPLES)]
    Hooks(hooks::HooksArguments),
    /// What git runs as a hook: reads what git tells, and refuses or says nothing
    #[command(hide = true, after_help = hook::EXAMPLES)]
    Hook(hook::HookArguments),
    /// List the agents with version and health, or say who is asked for a task
    #[command(after_help = agents::EXAMPLES)]
    Agents(agents::AgentsArguments),
    /// Show what came of agents' steps: how often they succeed, what that takes and costs
    #[command(after_help = stats::EXAMPLES)]
    Stats(stats::StatsArguments),
    /// Say what is missing, and what to type
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(doctor::DoctorArguments),
    /// Remove what no task needs any more
    #[command(after_help = clean::EXAMPLES)]
    Clean(clean::CleanArguments),
    /// Do the main job on a scratch repository with recorded agents: no account needed
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::DemoArguments),
    /// Print a script with which a shell completes our command line
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArguments),
}
