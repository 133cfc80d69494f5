//! Runs the checks of a gate in a checkout of the tree that is judged, and gathers their verdict.
//! Does not know how the checkout came about, nor what follows from the verdict.

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
    judge::{Judgement, judge},
    output::{Output, last_lines},
};
use crate::{
    config::settings::CheckSettings,
    model::{
        object::TreeId,
        record::{Check, CheckResult, GateVerdict},
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
/// How long a check may take whose definition does not say; [`Definition::from_settings`] always says.
const TIMEOUT_DEFAULT: Span = Span(Duration::from_secs(1800));

/// One run of a gate.
#[derive(Debug)]
pub struct Run<'a> {
    /// What is checked.
    pub definition: &'a Definition,
    /// A checkout of exactly `tree`, in which no agent works.
    pub directory: &'a Path,
    /// The tree that is judged.
    pub tree: TreeId,
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
}

/// Runs every check and tells `on_check` of each as it ends. All are run, also after one has failed: whoever puts it right
/// should know everything. In the verdict they stand in the definition's order.
///
/// # Errors
/// [`Cancelled`] if the word to stop was said before all had ended.
pub fn run(run: &Run, on_check: &mut dyn FnMut(&Check)) -> Result<GateVerdict, Cancelled> {
    let checks = &run.definition.checks;
    let at_once = run.checks_parallel.clamp(1, checks.len().max(1));
    let done = if at_once == 1 { one_by_one(run, on_check)? } else { side_by_side(run, at_once, on_check)? };
    Ok(GateVerdict {
        profile: run.definition.profile.clone(),
        definition: run.definition.digest.clone(),
        tree: run.tree,
        result: worst(&done),
        remembered: false,
        against: None,
        why: String::new(),
        checks: done,
    })
}

/// Fail before infra before pass; a gate without checks could not say anything.
fn worst(checks: &[Check]) -> CheckResult {
    let any = |result| checks.iter().any(|check| check.result == result);
    if any(CheckResult::Fail) {
        CheckResult::Fail
    } else if any(CheckResult::Infra) || checks.is_empty() {
        CheckResult::Infra
    } else {
        CheckResult::Pass
    }
}

/// On this thread: most gates have one check, and a thread costs as much as a small one.
fn one_by_one(run: &Run, on_check: &mut dyn FnMut(&Check)) -> Result<Vec<Check>, Cancelled> {
    let one = |settings| {
        let check = run_check(run, settings)?;
        on_check(&check);
        Ok(check)
    };
    run.definition.checks.iter().map(one).collect()
}

fn side_by_side(run: &Run, at_once: usize, on_check: &mut dyn FnMut(&Check)) -> Result<Vec<Check>, Cancelled> {
    let settings = &run.definition.checks;
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut done: Vec<Option<Check>> = Vec::new();
    done.resize_with(settings.len(), || None);
    thread::scope(|scope| {
        for _ in 0..at_once {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((at, settings)) = take(next, settings) {
                    // Nobody listens any more only if the one who does has panicked.
                    let _ = sender.send((at, run_check(run, settings)));
                }
            });
        }
        drop(sender);
        for (at, ended) in receiver {
            if let Ok(check) = ended {
                on_check(&check);
                done[at] = Some(check);
            }
        }
    });
    done.into_iter().map(|check| check.ok_or(Cancelled)).collect()
}

fn take<'a>(next: &AtomicUsize, all: &'a [CheckSettings]) -> Option<(usize, &'a CheckSettings)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    all.get(at).map(|settings| (at, settings))
}

/// Runs one check to its end.
fn run_check(run: &Run, settings: &CheckSettings) -> Result<Check, Cancelled> {
    let began = Instant::now();
    let timeout = settings.timeout.unwrap_or(TIMEOUT_DEFAULT);
    let mut output = Output::new(run.output_bytes_max);
    let ended = start(run, settings, timeout, &mut output);
    let end = output.end();
    let (judged, duration) = match ended {
        Ok(ended) => (judge(ended.how, timeout, &end).ok_or(Cancelled)?, ended.duration),
        Err(error) => {
            let judged = Judgement { result: CheckResult::Infra, exit_code: None, reason: error.to_string() };
            (judged, began.elapsed())
        }
    };
    if let Some(dir) = run.log_dir
        && let Err(error) = output.save(dir, &run.tree, &settings.name)
    {
        // The verdict does not depend on it, and the end of the output stands in the check.
        tracing::warn!(check = settings.name, %error, "cannot write the log of a check");
    }
    Ok(Check {
        name: settings.name.clone(),
        result: judged.result,
        exit_code: judged.exit_code,
        duration_ms: duration.as_millis().try_into().unwrap_or(u64::MAX),
        reason: judged.reason,
        output: last_lines(&end, judged.result == CheckResult::Pass),
        numbers: None,
        findings: Vec::new(),
    })
}

/// Starts a check and waits for its end.
fn start(run: &Run, settings: &CheckSettings, timeout: Span, output: &mut Output) -> Result<Ended, StartError> {
    let mut env = environment::allowed(&settings.env_pass);
    env.insert("PWD".into(), run.directory.into());
    env.extend(settings.env.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    env.insert(PROFILE_VARIABLE.into(), run.definition.profile.clone().into());
    let program = Program {
        argv: vec![SHELL.into(), "-c".into(), settings.run.clone().into()],
        cwd: run.directory.to_owned(),
        env,
        stdin: Vec::new(),
        // Its lines are kept here, in the order in which they came.
        limits: ProcessLimits { wall: timeout.0, idle: None, stdout_bytes_max: 0, stderr_bytes_max: 0 },
        label: run.label.clone(),
    };
    let mut on_line = |_, line: &[u8]| output.line(line);
    run.supervisor.run(&program, run.cancel, &mut on_line)
}
