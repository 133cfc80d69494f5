//! The real binary as a child: run to its end, or in the background until something can be seen.
//! Knows nothing of repositories.

use std::{
    fs::{self, File},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long anything is waited for that must come.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// How often is looked whether it has come.
const LOOK_PAUSE: Duration = Duration::from_millis(2);

/// Looks until there is something to see, and panics when it takes too long.
#[track_caller]
pub fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < WAIT_MAX, "waited in vain: {what}");
        thread::sleep(LOOK_PAUSE);
    }
}

/// How a program ended and what it said.
#[derive(Debug, Clone)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether it was ended by SIGKILL.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(Signal::KILL.as_raw())
    }

    /// Panics with all it said unless it ended with this code.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code(), Some(code), "{}{}", self.stdout, self.stderr);
        self
    }
}

/// A program that runs. Dropped before its end it is killed.
#[derive(Debug)]
pub struct Background {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    is_over: bool,
}

impl Background {
    /// Starts a command in a process group of its own; what it says goes into two files that begin with `place`.
    pub fn start(mut command: Command, place: PathBuf) -> Self {
        let (stdout, stderr) = (place.with_extension("out"), place.with_extension("err"));
        let file = |path: &PathBuf| File::create(path).expect("a file for its output");
        command.stdin(Stdio::null()).stdout(file(&stdout)).stderr(file(&stderr)).process_group(0);
        let child = command.spawn().expect("the program starts");
        Self { child, stdout, stderr, is_over: false }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// What it has said on standard output so far.
    pub fn stdout(&self) -> String {
        fs::read(&self.stdout).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// What it has said on standard error so far.
    pub fn stderr(&self) -> String {
        fs::read(&self.stderr).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    /// SIGKILL to it alone, or to its whole group; returns when it is gone.
    pub fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("it ends");
        self.is_over = true;
    }

    pub fn kill_group(mut self) {
        kill_process_group(self.pid(), Signal::KILL).expect("it runs");
        self.child.wait().expect("it ends");
        self.is_over = true;
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is a child").is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                break status;
            }
            if began.elapsed() > WAIT_MAX {
                panic!("it hangs (pid {}): {}{}", self.pid(), self.stdout(), self.stderr());
            }
            thread::sleep(LOOK_PAUSE);
        };
        self.is_over = true;
        Ended { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if !self.is_over {
            // It may have ended by itself.
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}
