//! Runs one child from its start to the end of the last process it started, on the caller's thread.
//! Knows nothing of tasks; what a child is for is a label to it.

use std::{
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime},
};

use rustix::process::Signal;

use super::{
    cancel::Cancel,
    capture::{Captured, Source},
    conversation::{Conversation, Say},
    leftovers::{self, Leftover},
    orphans::{Group, Orphans},
    pipes::{More, Pipes},
    program::{ProcessLimits, Program, StartError},
    record::Record,
    running::{KeepRecord, Running},
    usage::{Meter, Usage},
};
use crate::sys::ports::Ports;

/// How long a process that was asked to end (TERM) may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long a killed process is waited for; only one that hangs in the kernel takes longer.
const KILL_WAIT: Duration = Duration::from_secs(5);
/// How long what a child leaves running may take to end by itself, as the rest of a pipeline does, and how long an
/// output is read on that somebody unknown holds open.
const LINGER: Duration = Duration::from_millis(250);
/// How long a child may take to end after the word to stop was said in its own language, before it is asked to (TERM).
const FAREWELL: Duration = Duration::from_secs(3);
/// How long a child may take to end by itself after its conversation is over; some programs never do.
const PARTING: Duration = Duration::from_secs(3);
/// How often is looked whether the processes that were left have ended.
const LOOK_PAUSE: Duration = Duration::from_millis(5);
/// How often is looked where the system cannot wake us when a child ends or the word to stop is said.
const POLL_PAUSE: Duration = Duration::from_millis(25);
/// The most a pipe can hold (`/proc/sys/fs/pipe-max-size`): so much is read after a child's end without looking at the
/// clock, however slowly its lines are taken.
const PIPE_BYTES_MAX: usize = 1 << 20;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// By itself, with this exit code.
    Exited(i32),
    /// By a signal that was not ours, or that was because it stayed after its conversation was over.
    Signaled(i32),
    /// It took too long in all and was ended.
    WallLimit,
    /// It was silent for too long and was ended.
    IdleLimit,
    /// The word to stop was said, and it was ended, or not even started.
    Cancelled,
}

/// A child that has ended, and with it everything it had started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: How,
    /// What was kept of its stdout.
    pub stdout: Captured,
    /// What was kept of its stderr.
    pub stderr: Captured,
    /// How long it took, the ending included.
    pub duration: Duration,
    /// Processes that it had left running and that were ended.
    pub left_behind: u32,
    /// What it used of the machine; none: the system does not tell, or it was not started.
    pub usage: Option<Usage>,
}

/// Runs children and ends what earlier orchestrators have left. Many threads may use one.
#[derive(Debug)]
pub struct Supervisor {
    children_dir: PathBuf,
    marker: String,
    /// Makes the markers of this supervisor's children differ from those of any other.
    session: String,
    steps: AtomicU64,
    ports: Option<Ports>,
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.tidy();
    }
}

impl Supervisor {
    /// A supervisor that keeps its records in `children_dir`, which is made. `marker` tells the children of one
    /// repository from those of others: the same text each time, without `:` at its end.
    ///
    /// On Linux this process becomes the one to which the orphans of its descendants are given.
    pub fn new(children_dir: PathBuf, marker: String) -> io::Result<Self> {
        fs::create_dir_all(&children_dir)?;
        #[cfg(target_os = "linux")]
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let session = format!("{:x}-{:x}", std::process::id(), since.as_nanos());
        Ok(Self { children_dir, marker, session, steps: AtomicU64::new(0), ports: None })
    }

    /// Gives the children that start in worktrees ports of their own.
    pub fn with_ports(mut self, ports: Ports) -> Self {
        self.ports = Some(ports);
        self
    }

    /// Removes the files that lie ready for further children. Dropping it does that too; where threads that may outlive the
    /// program hold it, it is not dropped.
    pub fn tidy(&self) {
        Record::remove_spares(&self.children_dir);
    }

    /// Runs a program and returns when it and everything it had started have ended. `on_line` is told each line of
    /// its output without the line's end, as it comes, on this thread; of a line over [`super::LINE_BYTES_MAX`] the
    /// beginning.
    ///
    /// The child has a process group of its own. When it takes too long, is silent for too long, or `cancel` is said,
    /// the group gets TERM, and after two seconds KILL. Whatever it leaves running, in its group or not, is ended in the
    /// same way. Its output is always read, so it never waits for us; its input may stay unread.
    pub fn run(
        &self,
        program: &Program,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(Source, &[u8]),
    ) -> Result<Ended, StartError> {
        self.attend_to(program, cancel, &mut OneWay(on_line), More::No)
    }

    /// Runs a program as [`Supervisor::run`] does and talks with it meanwhile. What it reads first is [`Program::stdin`],
    /// which must not be empty; its input stays open until [`Say::close`]. Before it is stopped it is told farewell.
    pub fn converse(
        &self,
        program: &Program,
        cancel: &Cancel,
        conversation: &mut dyn Conversation,
    ) -> Result<Ended, StartError> {
        self.attend_to(program, cancel, conversation, More::MayFollow)
    }

    fn attend_to(
        &self,
        program: &Program,
        cancel: &Cancel,
        conversation: &mut dyn Conversation,
        more: More,
    ) -> Result<Ended, StartError> {
        let began = Instant::now();
        if cancel.is_cancelled() {
            let nothing = Captured::default;
            let (stdout, stderr) = (nothing(), nothing());
            return Ok(Ended {
                how: How::Cancelled,
                stdout,
                stderr,
                duration: began.elapsed(),
                left_behind: 0,
                usage: None,
            });
        }
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        let marker = format!("{}:{}-{step:x}", self.marker, self.session);
        let ports = self.ports.as_ref().map(|ports| ports.variables(&program.cwd)).unwrap_or_default();
        let (running, ends) = Running::start(program, &ports, marker, &self.children_dir)?;
        let other = |source| StartError::Other { program: program.name(), source };
        let mut pipes = Pipes::new(ends, &program.stdin, more, &program.limits).map_err(other)?;
        let mut meter = Meter::of(running.known().pid, began);
        let watched = Watched { running: &running, meter: &mut meter };
        let stopped = attend(watched, &mut pipes, &program.limits, cancel, began, conversation, more);
        let mut say = Say::default();
        let on_line = &mut |source: Source, line: &[u8]| conversation.line(source, line, &mut say);
        let (left_behind, is_clean) = clear_away(&running, &mut pipes, stopped, on_line);
        let (stdout, stderr) = pipes.finish(on_line);
        let mut usage = None;
        let how = if running.has_exited() {
            usage = meter.finish();
            let status = running.reap(if is_clean { KeepRecord::No } else { KeepRecord::Yes }).map_err(other)?;
            stopped.unwrap_or_else(|| match (status.code(), status.signal()) {
                (Some(code), _) => How::Exited(code),
                (None, signal) => How::Signaled(signal.unwrap_or_default()),
            })
        } else {
            // Killed, and hanging in the kernel: dropping it leaves its record.
            stopped.expect("only a child that was stopped is given up")
        };
        Ok(Ended { how, stdout, stderr, duration: began.elapsed(), left_behind, usage })
    }

    /// Ends what an earlier orchestrator with the same marker has left running: the processes in `children_dir`'s
    /// records, if they are still the same ones, and whatever has the marker in its environment. Children of this
    /// process are not touched. The records of what has ended are removed.
    ///
    /// Call it with the repository's lock held: otherwise the orchestrator that holds it loses its children.
    pub fn end_leftovers(&self) -> io::Result<Vec<Leftover>> {
        leftovers::end(&self.children_dir, &self.marker, GRACE, KILL_WAIT)
    }
}

/// Who only listens.
struct OneWay<'a>(&'a mut dyn FnMut(Source, &[u8]));

impl Conversation for OneWay<'_> {
    fn line(&mut self, source: Source, line: &[u8], _: &mut Say) {
        (self.0)(source, line);
    }

    fn farewell(&mut self, _: How, _: &mut Say) {}
}

/// What stands between a child and its end.
enum Stage {
    Running,
    /// Its conversation is over.
    Parting {
        until: Instant,
    },
    /// It was told to stop in its own language.
    Told {
        how: How,
        until: Instant,
    },
    Asked {
        how: How,
        until: Instant,
    },
    Killed {
        how: How,
        until: Instant,
    },
}

/// A child, and who looks at what it uses.
struct Watched<'a> {
    running: &'a Running,
    meter: &'a mut Meter,
}

/// Feeds and hears the child until it has ended or cannot be ended; says why it was stopped, if it was.
fn attend(
    Watched { running, meter }: Watched<'_>,
    pipes: &mut Pipes,
    limits: &ProcessLimits,
    cancel: &Cancel,
    began: Instant,
    conversation: &mut dyn Conversation,
    more: More,
) -> Option<How> {
    let exit = exit_watch(running);
    let bell = cancel.bell();
    let mut stage = Stage::Running;
    let mut say = Say::default();
    while !running.has_exited() {
        let now = Instant::now();
        meter.look(now);
        let ask = |how| {
            running.signal_group(Signal::TERM);
            Stage::Asked { how, until: now + GRACE }
        };
        stage = match stage {
            Stage::Running | Stage::Parting { .. } => match (why_stop(now, began, limits, pipes, cancel), stage) {
                (None, Stage::Parting { until }) if now >= until => ask(How::Signaled(Signal::TERM.as_raw())),
                (None, stage) => stage,
                (Some(how), Stage::Running) if more == More::MayFollow => {
                    conversation.farewell(how, &mut say);
                    Stage::Told { how, until: now + FAREWELL }
                }
                (Some(how), _) => ask(how),
            },
            Stage::Told { how, until } if now >= until => ask(how),
            Stage::Asked { how, until } if now >= until => {
                running.signal_group(Signal::KILL);
                Stage::Killed { how, until: now + KILL_WAIT }
            }
            Stage::Killed { how, until } if now >= until => return Some(how),
            waiting => waiting,
        };
        if more == More::MayFollow {
            pipes.tell(&say.take());
            if say.is_over() {
                pipes.close_input();
                if matches!(stage, Stage::Running) {
                    stage = Stage::Parting { until: now + PARTING };
                }
            }
        }
        let mut others: Vec<BorrowedFd<'_>> = exit.iter().map(AsFd::as_fd).collect();
        let until = match &stage {
            Stage::Running | Stage::Parting { .. } => {
                others.extend(bell);
                let parting = match stage {
                    Stage::Parting { until } => Some(until),
                    Stage::Running | Stage::Told { .. } | Stage::Asked { .. } | Stage::Killed { .. } => None,
                };
                let idle = limits.idle.and_then(|idle| pipes.last_output().checked_add(idle));
                began.checked_add(limits.wall).into_iter().chain(idle).chain(parting).min()
            }
            Stage::Told { until, .. } | Stage::Asked { until, .. } | Stage::Killed { until, .. } => Some(*until),
        };
        let is_woken = exit.is_some() && bell.is_some();
        let pause = if is_woken { Duration::MAX } else { POLL_PAUSE };
        let until = until.map_or(meter.next(), |until| until.min(meter.next()));
        let left = until.saturating_duration_since(now);
        pipes.wait(&others, left.min(pause), &mut |source, line| {
            conversation.line(source, line, &mut say);
        });
    }
    match stage {
        Stage::Running | Stage::Parting { .. } => None,
        Stage::Told { how, .. } | Stage::Asked { how, .. } | Stage::Killed { how, .. } => Some(how),
    }
}

fn why_stop(now: Instant, began: Instant, limits: &ProcessLimits, pipes: &Pipes, cancel: &Cancel) -> Option<How> {
    if cancel.is_cancelled() {
        Some(How::Cancelled)
    } else if now.saturating_duration_since(began) >= limits.wall {
        Some(How::WallLimit)
    } else if limits.idle.is_some_and(|idle| now.saturating_duration_since(pipes.last_output()) >= idle) {
        Some(How::IdleLimit)
    } else {
        None
    }
}

/// What becomes readable when the child ends; `None` where the system has no such thing.
#[cfg(target_os = "linux")]
fn exit_watch(running: &Running) -> Option<OwnedFd> {
    rustix::process::pidfd_open(running.pid(), rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn exit_watch(_: &Running) -> Option<OwnedFd> {
    None
}

/// Reads what is still in the pipes and ends what the child has left running. Returns how many were ended, and whether
/// nothing is left.
fn clear_away(
    running: &Running,
    pipes: &mut Pipes,
    stopped: Option<How>,
    on_line: &mut dyn FnMut(Source, &[u8]),
) -> (u32, bool) {
    let mut bytes_read = 0;
    while !pipes.at_end() && bytes_read < PIPE_BYTES_MAX {
        match pipes.wait(&[], Duration::ZERO, on_line) {
            0 if !pipes.at_end() => break,
            bytes => bytes_read += bytes,
        }
    }
    let group = if stopped.is_some() { Group::Asked } else { Group::NotAsked };
    running.begin_ending();
    let mut orphans = Orphans::of(running.known(), group);
    let linger_until = Instant::now() + LINGER;
    let (kill_from, give_up_from) = (linger_until + GRACE, linger_until + GRACE + KILL_WAIT);
    loop {
        let now = Instant::now();
        let signal = if now < linger_until {
            None
        } else if now < kill_from {
            Some(Signal::TERM)
        } else {
            Some(Signal::KILL)
        };
        let alive = orphans.look(signal);
        let is_read = pipes.at_end() || now >= linger_until;
        match alive {
            0 if is_read => return (orphans.asked(), true),
            _ if now >= give_up_from => return (orphans.asked(), false),
            0 => drop(pipes.wait(&[], linger_until.saturating_duration_since(now), on_line)),
            _ => drop(pipes.wait(&[], LOOK_PAUSE, on_line)),
        };
    }
}
