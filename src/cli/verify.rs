//! `verify`: whether what is there is what was done.
//! Knows nothing of what is looked at; that is the room of audits.

use std::{io::Write, path::PathBuf};

use super::{
    exit::Exit,
    failure::Failure,
    place::{self, Place},
    terminal::Terminal,
};
use crate::{
    audit::{Audit, Grounds, Scope, Tip},
    config::settings::Settings,
    gate::Definition,
    git::Repository,
    handoff::layout::{self, LocalDir},
    model::{object::CommitId, task::TaskId},
    report::{
        audit::{AuditView, Rule, Standing, write},
        json,
    },
    text,
};

/// What `verify` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct VerifyArguments {
    /// A range (main..HEAD), a task, or a revision; none: everything of ours
    #[arg(value_name = "RANGE|TASK")]
    pub what: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Believe no keys that come along with the commits, and nothing that was judged before
    #[arg(long)]
    pub strict: bool,
    /// Believe the keys of this file alone, in ssh's allowed-signers format
    #[arg(long, value_name = "FILE")]
    pub allowed_signers: Option<PathBuf>,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate verify                     Every step and landing that is here
  git orchestrate verify main..HEAD          What main does not have yet
  git orchestrate verify api                 The steps of one task, and its landing
  git orchestrate verify --strict --allowed-signers ~/team-keys origin/main..HEAD
  git orchestrate log --audit                The whole trail as JSON lines

A second verifier shares no code with this one, for whoever does not trust this program: scripts/verify.py of its repository,
one file of Python that asks only git for objects and ssh-keygen for signatures.
  python3 scripts/verify.py --allowed-signers ~/team-keys -C path/to/clone origin/main..HEAD";

/// What was asked for.
struct Asked {
    scope: Scope,
    /// A commit from before what is judged, whose keys and rules count.
    base: Option<CommitId>,
    /// Only what is of this task.
    task: Option<TaskId>,
    /// Whether there may be nothing: a range can be empty, and is then as it must be.
    may_be_empty: bool,
}

/// Runs `verify`.
///
/// # Errors
/// When there is no such range or task, or the keys cannot be read.
pub fn run(arguments: &VerifyArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let repository = Repository::discover(&place::here()?)?;
    let settings = settings(&repository);
    let asked = asked(&repository, &settings, arguments.what.as_deref())?;
    let grounds = grounds(&repository, &settings, &asked, arguments.allowed_signers.as_deref())?;
    let mut audit = audit(&repository, &grounds);
    if !arguments.strict {
        audit = audit.remembering(&LocalDir::new(repository.common_dir()).cache());
    }
    let mut view = audit.judge(&asked.scope);
    if let Some(task) = &asked.task {
        view.keep_task(task);
    }
    if view.is_empty() {
        let what =
            arguments.what.as_deref().map_or_else(String::new, |what| format!(" in '{}'", text::clean_line(what)));
        let message = format!("there is no step and no landing{what}");
        if asked.may_be_empty {
            if arguments.json {
                json::write(&view, out)?;
            }
            terminal.say(&message);
            return Ok(Exit::Done);
        }
        return Err(Failure::fatal(message, "git orchestrate status".to_owned()).exiting(Exit::NoMatch));
    }
    for note in &view.trust.notes {
        terminal.say(note);
    }
    if arguments.json {
        json::write(&view, out)?;
    } else {
        write(&view, terminal.out_look(), out)?;
    }
    Ok(exit(&view, arguments.strict))
}

/// The answer: no finding, but for keys on first use, which `--strict` refuses.
fn exit(view: &AuditView, strict: bool) -> Exit {
    let is_no = |standing: Standing, rule: Rule| standing != Standing::Ok && (strict || rule != Rule::Trust);
    if view.findings.iter().any(|finding| is_no(finding.standing, finding.rule)) { Exit::No } else { Exit::Done }
}

/// The configuration here, else the default: a repository can be judged without one.
fn settings(repository: &Repository) -> Settings {
    let place = repository.work_dir().map(|root| Place { repository: repository.clone(), root: root.to_owned() });
    // A mistake in it is told by every command that needs it; what is judged is judged all the same.
    place.and_then(|place| place.settings_if_any().ok().flatten()).unwrap_or_default()
}

/// On what grounds everything here is judged.
///
/// # Errors
/// When the keys cannot be read.
fn grounds(
    repository: &Repository,
    settings: &Settings,
    asked: &Asked,
    named: Option<&std::path::Path>,
) -> Result<Grounds, Failure> {
    let tips: Vec<CommitId> = asked.scope.tips.iter().map(|tip| tip.commit).collect();
    Ok(Grounds::gather(repository, named, asked.base, &tips, &settings.audit)?)
}

fn audit<'a>(repository: &'a Repository, grounds: &'a Grounds) -> Audit<'a> {
    Audit::new(repository, &grounds.trust, &grounds.protected, Definition::text_of)
}

/// Judges everything that is here and writes the trail, a line of JSON a step.
///
/// # Errors
/// When the keys cannot be read, or `out` does not take it.
pub fn trail(tasks: &[TaskId], out: &mut dyn Write) -> Result<Exit, Failure> {
    let repository = Repository::discover(&place::here()?)?;
    let settings = settings(&repository);
    let asked = asked(&repository, &settings, None)?;
    let grounds = grounds(&repository, &settings, &asked, None)?;
    let audit = audit(&repository, &grounds);
    let view = crate::audit::trail(&audit, &asked.scope, tasks, out)?;
    Ok(exit(&view, false))
}

fn asked(repository: &Repository, settings: &Settings, what: Option<&str>) -> Result<Asked, Failure> {
    let head = repository.head()?.commit;
    let Some(what) = what else {
        return Ok(Asked { scope: everything(repository, settings)?, base: head, task: None, may_be_empty: false });
    };
    if let Some((from, to)) = what.split_once("..") {
        let side = |name: &str| revision(repository, if name.is_empty() { "HEAD" } else { name });
        let (from, to) = (side(from)?, side(to.trim_start_matches('.'))?);
        let scope = Scope { tips: vec![Tip { name: None, commit: to, old: Some(from) }], without: vec![from] };
        return Ok(Asked { scope, base: Some(from), task: None, may_be_empty: true });
    }
    if let Ok(task) = what.parse::<TaskId>() {
        let scope = everything(repository, settings)?;
        let own = layout::task_ref(&task);
        let has_landed = || -> Result<bool, Failure> {
            let file = layout::checkpoint(&task);
            for tip in &scope.tips {
                if repository.read(tip.commit, &file)?.is_some() {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if scope.tips.iter().any(|tip| tip.name.as_deref() == Some(&own)) || has_landed()? {
            return Ok(Asked { scope, base: head, task: Some(task), may_be_empty: false });
        }
    }
    let commit = revision(repository, what)?;
    let scope = Scope { tips: vec![Tip { name: None, commit, old: None }], without: Vec::new() };
    Ok(Asked { scope, base: head, task: None, may_be_empty: false })
}

/// Every branch of a task, the integration branch, and what HEAD has of them.
fn everything(repository: &Repository, settings: &Settings) -> Result<Scope, Failure> {
    let mut tips: Vec<Tip> =
        repository.references(layout::TASK_REFS)?.into_iter().map(|(name, commit)| Tip::of(name, commit)).collect();
    let branch = layout::branch_ref(&settings.landing.branch);
    tips.extend(repository.reference(&branch)?.map(|commit| Tip::of(branch, commit)));
    tips.extend(repository.head()?.commit.map(|commit| Tip { name: None, commit, old: None }));
    Ok(Scope { tips, without: Vec::new() })
}

fn revision(repository: &Repository, name: &str) -> Result<CommitId, Failure> {
    repository.resolve(name).ok_or_else(|| {
        let message = format!("'{}' is neither a task nor a revision", text::clean_line(name));
        Failure::fatal(message, "git orchestrate status".to_owned()).exiting(Exit::NoMatch)
    })
}
