//! The children that run now, all supervisors together, and the order between starting, reaping and looking around.
//! Does not know what they do or how long they may.

use std::{
    io,
    os::{
        fd::OwnedFd,
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{
    program::{Program, StartError},
    record::Record,
};
use crate::sys::{clock, machine};

/// The variable that marks a child and all it starts: `<marker>:<step>`. What leaves the process group is found by it.
pub const MARKER: &str = "GIT_ORCHESTRATE_MARKER";

/// Times a program is started anew that somebody still has open for writing: a child that another thread starts
/// inherits that for the moment before it becomes another program.
const TEXT_BUSY_TRIES_MAX: u32 = 10;
/// The pause before it.
const TEXT_BUSY_PAUSE: Duration = Duration::from_millis(5);

/// Times is looked whether a child has ended that is dropped and killed.
const KILLED_LOOKS_MAX: u32 = 20;
/// The pause between two looks.
const KILLED_LOOK_PAUSE: Duration = Duration::from_millis(5);

/// Passed (read) to start a child, shut (write) to look for orphans: who looks sees a child in [`CHILDREN`] or not at all.
static DOOR: RwLock<()> = RwLock::new(());
static CHILDREN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// A child that runs, as others need to know it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub pid: u32,
    pub start: u64,
    pub marker: String,
    /// It has ended, and what it left is being looked for.
    pub is_ending: bool,
}

/// The children that run now.
pub(super) fn children() -> MutexGuard<'static, Vec<Known>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While this is held no child is started by another thread, and nobody else looks for orphans.
pub(super) fn shut_door() -> RwLockWriteGuard<'static, ()> {
    DOOR.write().unwrap_or_else(PoisonError::into_inner)
}

/// One child that runs. If it is dropped before it was reaped, it is killed, so that a panic leaves nothing behind.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    pid: Pid,
    known: Known,
    children_dir: PathBuf,
    is_reaped: bool,
}

/// Our ends of a child's pipes.
#[derive(Debug)]
pub(super) struct Ends {
    pub stdin: Option<OwnedFd>,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

impl Running {
    /// Starts a child in a process group of its own, with these variables too, and writes its record.
    pub fn start(
        program: &Program,
        variables: &[(&'static str, String)],
        marker: String,
        children_dir: &Path,
    ) -> Result<(Self, Ends), StartError> {
        let file = program.file()?;
        let mut command = Command::new(&file);
        command
            .arg0(&program.argv[0])
            .args(&program.argv[1..])
            .current_dir(&program.cwd)
            .env_clear()
            .envs(&program.env)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .env(MARKER, &marker)
            .stdin(if program.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let started = {
            let _open = DOOR.read().unwrap_or_else(PoisonError::into_inner);
            spawn(&mut command).map(|child| {
                let start = machine::process_start(child.id()).unwrap_or_default();
                let known = Known { pid: child.id(), start, marker, is_ending: false };
                children().push(known.clone());
                (child, known)
            })
        };
        let (mut child, known) = started.map_err(|source| program.start_error(source))?;
        let ends = Ends {
            stdin: child.stdin.take().map(OwnedFd::from),
            stdout: child.stdout.take().expect("it was asked for").into(),
            stderr: child.stderr.take().expect("it was asked for").into(),
        };
        let pid = Pid::from_child(&child);
        let running = Self { child, pid, children_dir: children_dir.to_owned(), known, is_reaped: false };
        let record = Record {
            pid: running.known.pid,
            pgid: running.known.pid,
            start_time: running.known.start,
            boot_id: machine::boot_id().to_owned(),
            marker: running.known.marker.clone(),
            label: program.label.clone(),
            program: program.name(),
            started: clock::now_rfc3339(),
        };
        if let Err(error) = record.write(children_dir) {
            // On a full disk the work can go on: the marker finds the child as well.
            tracing::warn!(pid = record.pid, %error, "cannot write the record of a child");
        }
        Ok((running, ends))
    }

    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Says that the child has ended. From now on others do not leave to it what may be theirs: of two that end at the
    /// same time neither leaves it to the other.
    pub fn begin_ending(&self) {
        for known in children().iter_mut().filter(|known| known.pid == self.known.pid) {
            known.is_ending = true;
        }
    }

    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether the child has ended. It is not reaped by this, so its number and that of its group stay its own.
    pub fn has_exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // An error is that there is no such child any more: somebody took its status from us.
        !matches!(waitid(WaitId::Pid(self.pid), options), Ok(None))
    }

    /// Sends a signal to the child's group. The child must not have been reaped.
    pub fn signal_group(&self, signal: Signal) {
        // It fails only if nobody is left in it.
        let _ = kill_process_group(self.pid, signal);
    }

    /// Takes the status of a child that has ended. Its record goes, unless it is still of use.
    pub fn reap(mut self, keep_record: KeepRecord) -> io::Result<ExitStatus> {
        let status = self.child.wait();
        self.is_reaped = true;
        if keep_record == KeepRecord::No {
            self.forget();
        }
        status
    }

    fn forget(&self) {
        if let Err(error) = Record::remove(&self.children_dir, self.known.pid)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(pid = self.known.pid, %error, "cannot remove the record of a child");
        }
    }
}

/// Whether a child's record stays when it is reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepRecord {
    /// Something it started could not be ended.
    Yes,
    /// All is done.
    No,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.signal_group(Signal::KILL);
            let mut looks = 0;
            while !self.has_exited() && looks < KILLED_LOOKS_MAX {
                looks += 1;
                std::thread::sleep(KILLED_LOOK_PAUSE);
            }
            // One that even so does not end (it hangs in the kernel) is not waited for; its record tells of it.
            if let Ok(Some(status)) = self.child.try_wait() {
                tracing::debug!(pid = self.known.pid, signal = status.signal(), "ended a child early");
                self.forget();
            }
        }
        children().retain(|known| known.pid != self.known.pid);
    }
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < TEXT_BUSY_TRIES_MAX => {
                tries += 1;
                std::thread::sleep(TEXT_BUSY_PAUSE);
            }
            result => return result,
        }
    }
}
