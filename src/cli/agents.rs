//! `agents`: those of the configuration, with version and health.
//! Knows nothing of how a program is asked for its version.

use std::{io::Write, path::Path};

use rayon::prelude::*;

use super::{exit::Exit, failure::Failure, place::project, route, terminal::Terminal};
use crate::{
    agents::player::Player,
    config::{
        settings::{AdapterKind, AgentSettings, Settings},
        template::adapter_word,
    },
    model::record::joined,
    report::{
        agents::{AgentView, AgentsView, write},
        json,
    },
    run::{Project, preflight, roll_call},
    sys::process::{Supervisor, find_program},
};

/// What `agents` takes.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AgentsArguments {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// What else to do
    #[command(subcommand)]
    pub command: Option<AgentsCommand>,
}

/// What else `agents` does.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum AgentsCommand {
    /// Say who is asked for the phases of a task, and why
    #[command(after_help = route::EXAMPLES)]
    Route(route::RouteArguments),
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate agents                      The configured agents, and whether they start
  git orchestrate agents --json               For programs
  git orchestrate agents route api --explain  Who is asked for the phases of a task, and why";

/// Carries it out.
///
/// # Errors
/// There is no configuration, or it is wrong.
pub fn run(arguments: &AgentsArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    if let Some(AgentsCommand::Route(arguments)) = &arguments.command {
        return route::run(arguments, terminal, out);
    }
    let project = project()?;
    let view = AgentsView { agents: examine(&project)?, unused: unused(&project.settings) };
    if arguments.json {
        json::write(&view, out)?;
    } else {
        write(&view, terminal.out_look(), out)?;
    }
    let is_well = !view.agents.is_empty() && view.agents.iter().all(|agent| agent.problem.is_none());
    Ok(if is_well { Exit::Done } else { Exit::Person })
}

/// Every agent of the configuration, asked for its version, all at once.
///
/// # Errors
/// Our own directory cannot be made.
pub fn examine(project: &Project) -> Result<Vec<AgentView>, Failure> {
    let supervisor = preflight::supervisor(project)?;
    let root = project.root.as_deref().unwrap_or_else(|| project.repository.common_dir());
    let examine = |(name, of): (&String, &AgentSettings)| agent_view(name, of, &project.settings, root, &supervisor);
    Ok(project.settings.agents.par_iter().map(examine).collect())
}

fn agent_view(name: &str, of: &AgentSettings, settings: &Settings, root: &Path, supervisor: &Supervisor) -> AgentView {
    let plays = settings.roles.iter().filter(|(_, names)| names.names().iter().any(|other| other == name));
    let mut view = AgentView {
        name: name.to_owned(),
        adapter: adapter_word(of.adapter),
        model: of.model.clone(),
        family: of.family.as_ref().map(ToString::to_string),
        roles: plays.map(|(role, _)| role.to_string()).collect(),
        program: None,
        version: None,
        problem: None,
        hint: None,
    };
    match Player::new(name, of, &settings.agents, root) {
        Ok(agent) => {
            view.model = agent.model().map(str::to_owned);
            let health = agent.probe(supervisor, roll_call::PROBE_LIMIT);
            view.family = Some(joined(&agent.families()));
            view.program = health.found.map(|found| found.display().to_string());
            view.version = health.version;
            view.problem = health.problem;
            view.hint = health.hint;
        }
        Err(error) => {
            view.problem = Some(error.to_string());
            view.hint = error.hint();
        }
    }
    view
}

/// Known programs on PATH that the configuration does not use.
pub fn unused(settings: &Settings) -> Vec<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let known = [AdapterKind::Claude, AdapterKind::Codex, AdapterKind::Gemini, AdapterKind::OpenCode];
    let is_used = |kind: &AdapterKind| settings.agents.values().any(|agent| agent.adapter == *kind);
    let unused = known.into_iter().filter(|kind| !is_used(kind)).map(adapter_word);
    unused.filter(|program| find_program(program, &path).is_some()).map(str::to_owned).collect()
}
