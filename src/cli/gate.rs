//! `gate`: judges a commit, the index or the files as they are; of use in a repository without any task.
//! Knows nothing of checks and rules; finds out what is to be compared with what, by which definition.

use std::io::Write;

use super::{
    exit::Exit,
    failure::Failure,
    listening::{listen, stoppable},
    place::here,
    terminal::Terminal,
    toolchain::{self, Toolchain},
};
use crate::{
    config::{
        parse::parse,
        settings::{CheckSettings, GateProfile, Settings, WorktreeSettings},
    },
    gate::{
        Answer, Definition, Freshness, GateError, Side, Told,
        alone::{Alone, Subject},
        change::AUTO,
        log_path,
        program::missing_program,
    },
    git::{GitError, Repository},
    handoff::layout::CONFIG,
    model::{
        object::{CommitId, TreeId},
        record::{Check, CheckResult, GateVerdict},
    },
    report,
    run::project::worktrees_dir,
    sys::{
        file::read_limited,
        process::{Cancel, find_program},
    },
    text,
};

/// The profile where nothing else is said.
const PROFILE_DEFAULT: &str = "full";
/// Bytes of a configuration that are read.
const CONFIG_BYTES_MAX: usize = 1 << 20;
/// The branches that work is usually compared with, the first that is there.
const USUAL_BASES: [&str; 5] = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];

/// What `gate` takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GateArguments {
    /// The commit to judge [default: HEAD]
    #[arg(value_name = "REV", conflicts_with_all = ["staged", "worktree"])]
    pub revision: Option<String>,
    /// Judge what is staged: what a commit would have now
    #[arg(long, conflicts_with = "worktree")]
    pub staged: bool,
    /// Judge the files as they are, ignored ones left out
    #[arg(long)]
    pub worktree: bool,
    /// The gate to use, or auto: the one for the size of the change [default: the one that landing uses, else full]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Compare with the commit where it left this one [default: HEAD for what is not committed, else the main branch, else the parent]
    #[arg(long, value_name = "BASE")]
    pub against: Option<String>,
    /// Run the checks although their verdict is remembered
    #[arg(long)]
    pub fresh: bool,
    /// Print one JSON object
    #[arg(long, conflicts_with_all = ["sarif", "junit"])]
    pub json: bool,
    /// Print SARIF 2.1.0, for what shows findings beside the code
    #[arg(long, conflicts_with = "junit")]
    pub sarif: bool,
    /// Print JUnit's XML, for build servers
    #[arg(long)]
    pub junit: bool,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate gate                          Judge HEAD beside the main branch
  git orchestrate gate --worktree               Judge what you have before you, beside HEAD
  git orchestrate gate --staged --profile fast
  git orchestrate gate topic --against main --sarif >gate.sarif

The exit code is 0 if it passes, 1 if it is refused, 3 if a check could not run.";

/// What is judged and what it is compared with, in words too.
struct Case {
    subject: Subject,
    what: String,
    base: Option<(CommitId, String)>,
}

/// Runs `gate`.
///
/// # Errors
/// When there is nothing to judge, no gate to judge it by, or no checkout to be had.
pub fn run(arguments: &GateArguments, terminal: &Terminal, out: &mut dyn Write) -> Result<Exit, Failure> {
    let repository = Repository::discover(&here()?)?;
    if let Some(why) = repository.unsupported() {
        return Err(Failure::fatal(format!("this repository {why}"), None));
    }
    let is_committed = !(arguments.staged || arguments.worktree);
    let commit = match &arguments.revision {
        Some(revision) => Some(resolve(&repository, revision)?),
        None => repository.head()?.commit,
    };
    if commit.is_none() && is_committed {
        return Err(Failure::fatal("there is no commit yet", "git orchestrate gate --worktree".to_owned()));
    }
    let base = base(&repository, arguments, commit, is_committed, terminal)?;
    let settings = settings(&repository, base.as_ref().map(|(commit, _)| *commit), commit, terminal)?;
    let cancel = Cancel::new();
    let worktrees = worktrees_dir(&repository, &settings.worktrees);
    let alone = Alone::open(&repository, &settings, &worktrees, cancel.clone())?;
    let case = case(&repository, &alone, arguments, commit, base)?;
    let (profile, why) = profile(&settings, &alone, &case, arguments)?;
    let definition = Definition::from_settings(&settings, &profile)?;
    let beside = case.base.as_ref().map(|(_, name)| format!(" beside {name}")).unwrap_or_default();
    let because = if why.is_empty() { String::new() } else { format!(", for a {why}") };
    if terminal.is_err_terminal() {
        terminal.say(&format!("judging {}{beside} by gate '{profile}'{because}", case.what));
    }
    if is_committed && arguments.revision.is_none() {
        let uncommitted = repository.uncommitted_count()?;
        if uncommitted > 0 {
            let what = text::count(uncommitted, "file");
            terminal
                .say(&format!("{what} with uncommitted changes: judged is the commit; --worktree judges the files"));
        }
    }
    let freshness = if arguments.fresh { Freshness::Fresh } else { Freshness::Remembered };
    let signals = listen()?;
    let answer = stoppable(&signals, &cancel, || {
        alone.judge(&definition, &case.subject, freshness, &mut |told| tell(told, &definition, terminal))
    })?;
    let verdict = match answer {
        Answer::Verdict(verdict) => GateVerdict { why, ..*verdict },
        Answer::Cancelled => return Ok(Exit::Signal(signals.last_signal().unwrap_or_default())),
    };
    show(arguments, &verdict, &alone, terminal, out)?;
    Ok(match verdict.result {
        CheckResult::Pass => Exit::Done,
        CheckResult::Fail => Exit::No,
        CheckResult::Infra => {
            let hint = "mend what stands in the way of the check, then try again; nothing is said of the code";
            terminal.warn("a check could not run", Some(hint));
            Exit::Person
        }
    })
}

fn resolve(repository: &Repository, revision: &str) -> Result<CommitId, Failure> {
    repository.resolve(revision).ok_or_else(|| {
        let message = format!("'{}' is no commit of this repository", revision.escape_debug());
        Failure::fatal(message, "git log --oneline --all".to_owned())
    })
}

/// What is compared with, and its name. A commit beside a branch is compared with where it left it: what the branch got since is not
/// its doing.
fn base(
    repository: &Repository,
    arguments: &GateArguments,
    commit: Option<CommitId>,
    is_committed: bool,
    terminal: &Terminal,
) -> Result<Option<(CommitId, String)>, Failure> {
    let named = |base: CommitId, name: &str| (base, format!("{name} ({})", base.short()));
    let left = |tip: CommitId, name: &str| -> Result<_, GitError> {
        let left = commit.map(|commit| repository.merge_base(tip, commit)).transpose()?.flatten();
        Ok(named(left.unwrap_or(tip), name))
    };
    if let Some(name) = &arguments.against {
        return Ok(Some(left(resolve(repository, name)?, name)?));
    }
    // The first commit has nothing before it.
    let Some(commit) = commit else { return Ok(None) };
    if !is_committed {
        return Ok(Some(named(commit, "HEAD")));
    }
    for name in USUAL_BASES {
        if let Some(tip) = repository.resolve(name)
            && !repository.is_ancestor(commit, tip)?
            && repository.merge_base(tip, commit)?.is_some()
        {
            return Ok(Some(left(tip, name)?));
        }
    }
    let Some(parent) = repository.parents(commit)?.first().copied() else { return Ok(None) };
    if !repository.exists(parent) {
        let what = "this clone is shallow and has no commit to compare with: all that is red counts as new, and tests that \
                    are gone go unseen";
        terminal.warn(what, Some("git fetch --deepen=1, which is fetch-depth: 2 of actions/checkout"));
        return Ok(None);
    }
    Ok(Some(named(parent, "its parent")))
}

/// The settings: of the base, so that nothing passes by a gate of its own making; else of the checkout, of the commit, or what the files at
/// the root tell.
fn settings(
    repository: &Repository,
    base: Option<CommitId>,
    commit: Option<CommitId>,
    terminal: &Terminal,
) -> Result<Settings, Failure> {
    let read = |text: &[u8], origin: &str| Ok(parse(&String::from_utf8_lossy(text), origin)?);
    let in_commit = |commit: CommitId| repository.read(commit, CONFIG);
    let own = match repository.work_dir() {
        Some(root) => match read_limited(&root.join(CONFIG), CONFIG_BYTES_MAX) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::fatal(format!("'{CONFIG}' cannot be read: {error}"), None)),
        },
        None => None,
    };
    if let Some(base) = base
        && let Some(text) = in_commit(base)?
    {
        if own.as_ref().is_some_and(|own| *own != text) {
            terminal.say(&format!("the gate is the one of {}: '{CONFIG}' has changed since", base.short()));
        }
        return read(&text, &format!("{}:{CONFIG}", base.short()));
    }
    if let Some(text) = own {
        return read(&text, CONFIG);
    }
    if let Some(commit) = commit
        && let Some(text) = in_commit(commit)?
    {
        return read(&text, &format!("{}:{CONFIG}", commit.short()));
    }
    detected(repository, terminal)
}

/// A gate by what the files at the root tell, as `init` would write it.
fn detected(repository: &Repository, terminal: &Terminal) -> Result<Settings, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_on_path = |program: &str| find_program(program, &path).is_some();
    let Some(root) = repository.work_dir() else {
        let message = format!("there is no '{CONFIG}' in this bare repository, and so no gate to judge by");
        return Err(Failure::fatal(message, "git orchestrate init, in a clone".to_owned()));
    };
    let Toolchain { checks, setup, link } = toolchain::detect(root, &is_on_path);
    if checks.is_empty() {
        let message = format!("there is no '{CONFIG}', and no command that tests this project was found");
        return Err(Failure::fatal(message, "git orchestrate init --gate '<command>'".to_owned()));
    }
    let told: Vec<String> = checks
        .iter()
        .map(|check| format!("{} (by {})", check.run, check.because.as_deref().unwrap_or_default()))
        .collect();
    terminal.say(&format!("no '{CONFIG}' here; the gate is {}", text::list(&told)));
    for check in &checks {
        if let Some(program) = missing_program(&check.run, &|path| root.join(path).exists(), &is_on_path) {
            let hint = "git orchestrate init --gate '<command>'";
            terminal.warn(&format!("no program '{program}' in PATH, which check '{}' needs", check.name), Some(hint));
        }
    }
    let checks =
        checks.into_iter().map(|check| CheckSettings { name: check.name, run: check.run, ..CheckSettings::default() });
    let profile = GateProfile { checks: checks.collect(), ..GateProfile::default() };
    Ok(Settings {
        gate: [(PROFILE_DEFAULT.to_owned(), profile)].into(),
        worktrees: WorktreeSettings { setup, link, ..WorktreeSettings::default() },
        ..Settings::default()
    })
}

fn case(
    repository: &Repository,
    alone: &Alone<'_>,
    arguments: &GateArguments,
    commit: Option<CommitId>,
    base: Option<(CommitId, String)>,
) -> Result<Case, Failure> {
    let beside = base.as_ref().map(|(commit, _)| *commit);
    let index = repository.index_file();
    if (arguments.staged || arguments.worktree) && repository.work_dir().is_none() {
        let message = "this repository has no working tree, and so nothing that is not committed";
        return Err(Failure::fatal(message, "git orchestrate gate <commit>".to_owned()));
    }
    let of_tree = |tree: TreeId| match commit {
        Some(commit) => alone.tree(tree, commit, beside),
        None => alone.first_tree(tree),
    };
    let (subject, what) = if arguments.staged {
        (of_tree(repository.staged_tree(&index)?)?, "what is staged".to_owned())
    } else if arguments.worktree {
        (of_tree(repository.files_tree(&index)?)?, "the files as they are".to_owned())
    } else {
        let commit = commit.expect("BUG: without a commit only what is not committed is judged");
        let name = arguments.revision.as_deref().unwrap_or("HEAD");
        (alone.commit(commit, beside)?, format!("{} ({})", text::clean_line(name), commit.short()))
    };
    Ok(Case { subject, what, base })
}

/// The profile, and why if the change chose it.
fn profile(
    settings: &Settings,
    alone: &Alone<'_>,
    case: &Case,
    arguments: &GateArguments,
) -> Result<(String, String), GateError> {
    let only = || (settings.gate.len() == 1).then(|| settings.gate.keys().next().cloned()).flatten();
    let usual = || {
        settings
            .landing
            .gate
            .clone()
            .or_else(|| settings.gate.contains_key(PROFILE_DEFAULT).then(|| PROFILE_DEFAULT.to_owned()))
    };
    let named = arguments.profile.clone().or_else(usual).or_else(only).unwrap_or_else(|| PROFILE_DEFAULT.to_owned());
    if named == AUTO {
        return Ok(alone.change(&case.subject)?.profile(settings));
    }
    Ok((named, String::new()))
}

fn tell(told: Told<'_>, definition: &Definition, terminal: &Terminal) {
    if !terminal.is_err_terminal() {
        return;
    }
    let on = |side: Side| match side {
        Side::Candidate => "",
        Side::Base => " on the base",
        Side::Again => " once more, for what may be chance",
    };
    match told {
        Told::Began(side) => {
            let checks = text::count(definition.checks.len(), "check");
            terminal.say(&format!(
                "running {}{} …",
                if side == Side::Again { "checks" } else { checks.as_str() },
                on(side)
            ));
        }
        Told::Ended(Side::Candidate, check) => {
            terminal.say(&format!("  {}", report::gate::check_line(check, terminal.err_look())));
        }
        Told::Ended(side @ (Side::Base | Side::Again), check) => {
            terminal.say(&format!("  {}{}", report::gate::check_line(check, terminal.err_look()), on(side)));
        }
    }
}

fn show(
    arguments: &GateArguments,
    verdict: &GateVerdict,
    alone: &Alone<'_>,
    terminal: &Terminal,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if arguments.json {
        report::json::write(verdict, out)?;
    } else if arguments.sarif {
        report::gate_sarif::write(verdict, out)?;
    } else if arguments.junit {
        report::gate_junit::write(verdict, out)?;
    } else {
        let log =
            |check: &Check| Some(log_path(alone.log_dir(), &verdict.tree, &check.name)).filter(|path| path.exists());
        report::gate::write(verdict, &log, terminal.out_look(), out)?;
    }
    Ok(())
}
