//! Runs the checks of a gate in a checkout of a tree and reads what they print and write.
//! Does not know how the checkout came about, nor what follows from what was read.

use std::{
    ffi::OsString,
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    Cancelled, Definition,
    compare::Ran,
    judge::{Judgement, judge},
    output::{Output, last_lines},
    parse::{DOCUMENT_BYTES_MAX, Reader, Reports},
    user_hooks::{self, Stage, UserHooks},
};
use crate::{
    config::settings::{CheckSettings, OneOrMany},
    model::{
        object::{CommitId, TreeId},
        record::{Check, CheckResult},
        task::Span,
    },
    sys::{
        environment,
        process::{Cancel, Ended, Label, ProcessLimits, Program, StartError, Supervisor},
    },
};

/// The shell that commands are given to, where POSIX has it.
const SHELL: &str = "/bin/sh";
/// The variable that tells a check which profile it runs for.
const PROFILE_VARIABLE: &str = "GIT_ORCHESTRATE_GATE";
/// The variable that tells a check which commit the tree is compared with.
const BASE_VARIABLE: &str = "GIT_ORCHESTRATE_BASE";
/// How long a check may take whose definition does not say; [`Definition::from_settings`] always says.
const TIMEOUT_DEFAULT: Span = Span(Duration::from_secs(1800));

/// One run of a gate's checks.
#[derive(Debug)]
pub struct Run<'a> {
    /// What is checked.
    pub definition: &'a Definition,
    /// The checks that are run, some or all of the definition's.
    pub checks: Vec<&'a CheckSettings>,
    /// A checkout of exactly `tree`, in which no agent works.
    pub directory: &'a Path,
    /// The tree that is judged.
    pub tree: TreeId,
    /// The commit that it is compared with, told to the check that looks at the interface.
    pub base: Option<CommitId>,
    /// Starts the checks, and stops them.
    pub bench: &'a Bench<'a>,
}

/// What all runs of one question share.
#[derive(Debug, Clone)]
pub struct Bench<'a> {
    /// Starts the checks.
    pub supervisor: &'a Supervisor,
    /// Stops them.
    pub cancel: &'a Cancel,
    /// Checks that run at once.
    pub checks_parallel: usize,
    /// Bytes of a check's output that are kept in its log.
    pub output_bytes_max: usize,
    /// Where the logs go, named by [`super::log_path`]; none: nowhere.
    pub log_dir: Option<&'a Path>,
    /// What the checks are run for.
    pub label: Label,
    /// Whose git hooks are asked, if the definition says so.
    pub hooks: Option<UserHooks<'a>>,
}

/// Which run of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Of the tree that is judged.
    Candidate,
    /// Of the tree that it is compared with.
    Base,
    /// Of the tree that is judged once more: do the same tests fail?
    Again,
}

/// Runs every check and tells `on_check` of each as it ends, as its exit code judges it. All are run, also after one has
/// failed: whoever puts it right should know everything. They come back in the order in which they were given.
///
/// # Errors
/// [`Cancelled`] if the word to stop was said before all had ended.
pub fn run(run: &Run, on_check: &mut dyn FnMut(&Check)) -> Result<Vec<Ran>, Cancelled> {
    // The user's hooks may write into files that other checks read: they are the last, and by themselves.
    let (hooks, checks): (Vec<_>, Vec<_>) =
        run.checks.iter().copied().partition(|check| run.definition.is_user_hooks(&check.name));
    let at_once = run.bench.checks_parallel.clamp(1, checks.len().max(1));
    let others = Run { checks, ..*run };
    let mut ran = if at_once == 1 { one_by_one(&others, on_check)? } else { side_by_side(&others, at_once, on_check)? };
    ran.extend(one_by_one(&Run { checks: hooks, ..*run }, on_check)?);
    Ok(ran)
}

/// On this thread: most gates have one check, and a thread costs as much as a small one.
fn one_by_one(run: &Run, on_check: &mut dyn FnMut(&Check)) -> Result<Vec<Ran>, Cancelled> {
    let one = |settings: &&CheckSettings| {
        let ran = run_check(run, settings)?;
        on_check(&ran.check);
        Ok(ran)
    };
    run.checks.iter().map(one).collect()
}

fn side_by_side(run: &Run, at_once: usize, on_check: &mut dyn FnMut(&Check)) -> Result<Vec<Ran>, Cancelled> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut done: Vec<Option<Ran>> = Vec::new();
    done.resize_with(run.checks.len(), || None);
    thread::scope(|scope| {
        for _ in 0..at_once {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, settings)) = take(next, &run.checks) {
                    // Nobody listens any more only if the one who does has panicked.
                    let _ = sender.send((at, run_check(run, settings)));
                }
            });
        }
        drop(sender);
        for (at, ended) in receiver {
            if let Ok(ran) = ended {
                on_check(&ran.check);
                done[at] = Some(ran);
            }
        }
    });
    done.into_iter().map(|ran| ran.ok_or(Cancelled)).collect()
}

fn take<'a>(next: &AtomicUsize, all: &[&'a CheckSettings]) -> Option<(usize, &'a CheckSettings)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    all.get(at).map(|settings| (at, *settings))
}

/// Runs one check to its end.
fn run_check(run: &Run, settings: &CheckSettings) -> Result<Ran, Cancelled> {
    let began = Instant::now();
    let timeout = settings.timeout.unwrap_or(TIMEOUT_DEFAULT);
    let globs = settings.report.as_ref().map_or(&[][..], OneOrMany::names);
    let reports = (!globs.is_empty()).then(|| Reports::new(run.directory, globs));
    let mut output = Output::new(run.bench.output_bytes_max);
    let mut reader = Reader::new(settings.format);
    let stage = match run.definition.is_user_hooks(&settings.name) {
        true => run.bench.hooks.map(|hooks| hooks.stage(run.directory, run.tree, run.base)),
        false => None,
    };
    let mut on_line = |line: &[u8]| {
        output.line(line);
        reader.line(line);
    };
    let ended = match stage.transpose() {
        Ok(stage) => start(run, settings, timeout, stage.as_ref(), &mut on_line).map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    let end = output.end();
    let (mut judged, duration, stdout) = match ended {
        Ok(ended) => (judge(ended.how, timeout, &end).ok_or(Cancelled)?, ended.duration, Some(ended.stdout)),
        Err(error) => {
            let judged = Judgement { result: CheckResult::Infra, exit_code: None, reason: error };
            (judged, began.elapsed(), None)
        }
    };
    if run.definition.is_user_hooks(&settings.name) && judged.exit_code == Some(user_hooks::MESSAGE_REFUSED) {
        judged.reason = user_hooks::MESSAGE_REASON.to_owned();
    }
    if let Some(dir) = run.bench.log_dir
        && let Err(error) = output.save(dir, &run.tree, &settings.name)
    {
        // The verdict does not depend on it, and the end of the output stands in the check.
        tracing::warn!(check = settings.name, %error, "cannot write the log of a check");
    }
    let mut measured = reader.finish(stdout.as_ref().filter(|out| out.dropped_bytes == 0).map(|out| &out.bytes[..]));
    if let Some(reports) = reports {
        measured.prefer(reports.read(run.directory, settings.format));
    }
    measured.relative_to(&run.directory.to_string_lossy());
    let check = Check {
        name: settings.name.clone(),
        result: judged.result,
        exit_code: judged.exit_code,
        duration_ms: duration.as_millis().try_into().unwrap_or(u64::MAX),
        reason: judged.reason,
        output: last_lines(&end, judged.result == CheckResult::Pass),
        numbers: None,
        findings: Vec::new(),
    };
    Ok(Ran { check, measured })
}

/// Starts a check and waits for its end.
fn start(
    run: &Run,
    settings: &CheckSettings,
    timeout: Span,
    stage: Option<&Stage>,
    on_line: &mut dyn FnMut(&[u8]),
) -> Result<Ended, StartError> {
    let mut env = environment::allowed(&settings.env_pass);
    env.insert("PWD".into(), run.directory.into());
    env.extend(settings.env.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    env.insert(PROFILE_VARIABLE.into(), run.definition.profile.clone().into());
    if let Some(base) = run.base.filter(|_| run.definition.is_api(&settings.name)) {
        env.insert(BASE_VARIABLE.into(), base.to_string().into());
    }
    env.extend(stage.into_iter().flat_map(|stage| stage.variables.iter().cloned()));
    let argv: Vec<OsString> = match settings.memory_bytes {
        None => vec![SHELL.into(), "-c".into(), settings.run.clone().into()],
        // Of the kinds of limits this is the one that counts what a program uses, not what it reserves.
        Some(bytes) => {
            let limited = format!("ulimit -d {} || exit 125; exec {SHELL} -c \"$0\"", bytes.div_ceil(1024));
            vec![SHELL.into(), "-c".into(), limited.into(), settings.run.clone().into()]
        }
    };
    let program = Program {
        argv,
        cwd: run.directory.to_owned(),
        env,
        stdin: Vec::new(),
        // Its lines are kept here, in the order in which they came; of its data so much that a document in it is whole.
        limits: ProcessLimits {
            wall: timeout.0,
            idle: None,
            stdout_bytes_max: DOCUMENT_BYTES_MAX,
            stderr_bytes_max: 0,
        },
        label: run.bench.label.clone(),
    };
    run.bench.supervisor.run(&program, run.bench.cancel, &mut |_, line: &[u8]| on_line(line))
}
