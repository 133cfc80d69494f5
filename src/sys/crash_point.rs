//! Named points at which a debug build can be made to kill itself, so that a test crashes it between any two effects.
//! Knows nothing of what happens there, and is nothing at all in a release build.
//!
//! `GIT_ORCHESTRATE_CRASH_AT=step.committed` kills this process when it first passes that point, `step.committed:3` when
//! it passes it for the third time. With `GIT_ORCHESTRATE_CRASH_GROUP=1` its whole process group goes. With
//! `GIT_ORCHESTRATE_CRASH_LOG=FILE` the name of each point passed is appended to a file.

/// Passes the point of this name.
#[cfg(debug_assertions)]
pub fn reach(name: &'static str) {
    if let Some(armed) = armed::armed() {
        armed.pass(name);
    }
}

/// Passes the point of this name, which is nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn reach(_name: &'static str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        fs::File,
        io::Write,
        path::PathBuf,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};

    /// What the environment asks for.
    #[derive(Debug, Default)]
    pub struct Armed {
        at: String,
        /// The pass at which it happens, from 1.
        pass: u64,
        passed: AtomicU64,
        is_group: bool,
        log: Option<PathBuf>,
    }

    /// What the environment asks for; none for nothing. It is read once.
    pub fn armed() -> Option<&'static Armed> {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        ARMED
            .get_or_init(|| {
                let at = std::env::var("GIT_ORCHESTRATE_CRASH_AT").ok();
                let log = std::env::var_os("GIT_ORCHESTRATE_CRASH_LOG").map(PathBuf::from);
                let is_group = std::env::var_os("GIT_ORCHESTRATE_CRASH_GROUP").is_some_and(|value| value == "1");
                (at.is_some() || log.is_some()).then(|| Armed::new(&at.unwrap_or_default(), is_group, log))
            })
            .as_ref()
    }

    impl Armed {
        fn new(at: &str, is_group: bool, log: Option<PathBuf>) -> Self {
            let (at, pass) = match at.rsplit_once(':') {
                Some((name, pass)) => (name, pass.parse().unwrap_or(1)),
                None => (at, 1),
            };
            Self { at: at.to_owned(), pass, passed: AtomicU64::new(0), is_group, log }
        }

        pub fn pass(&self, name: &str) {
            if let Some(log) = &self.log {
                let file = File::options().append(true).create(true).open(log);
                // One write, so that the lines of several threads stay whole. A log that cannot be written shows in the test.
                let _ = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
            }
            if self.is_due(name) {
                // Neither returns: the signal is there before the call does.
                let _ = if self.is_group {
                    kill_current_process_group(Signal::KILL)
                } else {
                    kill_process(getpid(), Signal::KILL)
                };
            }
        }

        fn is_due(&self, name: &str) -> bool {
            name == self.at && self.passed.fetch_add(1, Ordering::SeqCst) + 1 == self.pass
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn it_is_due_at_its_name_and_pass_only() {
            let due = |at: &str, names: &[&str]| -> Vec<bool> {
                let armed = Armed::new(at, false, None);
                names.iter().map(|name| armed.is_due(name)).collect()
            };
            assert_eq!(due("a.b", &["a", "a.b", "a.b"]), [false, true, false]);
            assert_eq!(due("a.b:2", &["a.b", "c", "a.b", "a.b"]), [false, false, true, false]);
            assert_eq!(due("", &["a.b"]), [false]);
        }
    }
}
