//! Where the program's own log goes: to the terminal with `-vv`, to a file of each run as JSON lines.
//! Knows nothing of what is logged.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
};

use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

use super::terminal::{Terminal, Verbosity};
use crate::{secrets::Scanner, sys::clock};

/// The variable that says what is logged, as `tracing` reads it: `info`, `git_orchestrate::run=trace`.
pub const FILTER: &str = "GIT_ORCHESTRATE_LOG";
/// Files of earlier runs that are kept.
const FILES_MAX: usize = 20;

/// Begins to log: to the terminal if it wants that, and without secrets into a new file of a directory. Once in a process; a
/// file that cannot be made is no reason not to work.
pub fn begin(terminal: &Terminal, file: Option<(&Path, Arc<Scanner>)>) {
    let filter = |default: &str| EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new(default));
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    if terminal.verbosity >= Verbosity::Debug {
        let look = terminal.err_look();
        let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(look.colour);
        layers.push(layer.with_filter(filter("git_orchestrate=debug")).boxed());
    }
    let made = file.map(|(directory, secrets)| new_file(directory).map(|file| Redacting { file, secrets }));
    match made.transpose() {
        Ok(Some(file)) => {
            let layer = tracing_subscriber::fmt::layer().json().with_writer(Mutex::new(file));
            layers.push(layer.with_filter(filter("git_orchestrate=info")).boxed());
        }
        Ok(None) => {}
        Err(error) => terminal.warn(&format!("cannot write the log: {error}"), None),
    }
    if !layers.is_empty() {
        // Only a second call could fail, and the first one's log goes on.
        let _ = tracing_subscriber::registry().with(layers).try_init();
    }
}

/// A file that no secret gets into. What is logged comes in one piece.
struct Redacting {
    file: File,
    secrets: Arc<Scanner>,
}

impl Write for Redacting {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.file.write_all(&self.secrets.redact_bytes(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn new_file(directory: &Path) -> io::Result<File> {
    fs::create_dir_all(directory)?;
    let mut old: Vec<_> = fs::read_dir(directory)?.flatten().map(|entry| entry.path()).collect();
    old.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    old.sort();
    for path in old.iter().take((old.len() + 1).saturating_sub(FILES_MAX)) {
        fs::remove_file(path)?;
    }
    let name = format!("{}-{}.jsonl", clock::now_rfc3339().replace(':', ""), std::process::id());
    OpenOptions::new().append(true).create(true).open(directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_files_make_room() {
        let home = tempfile::tempdir().expect("a directory");
        for number in 0..30 {
            fs::write(home.path().join(format!("2020-01-{number:02}.jsonl")), "").expect("written");
        }
        fs::write(home.path().join("mine.txt"), "").expect("written");
        new_file(home.path()).expect("made");
        let left = fs::read_dir(home.path()).expect("listed").count();
        assert_eq!(left, FILES_MAX + 1, "the newest ones, and what is none of ours");
        assert!(!home.path().join("2020-01-00.jsonl").exists() && home.path().join("2020-01-29.jsonl").exists());
    }
}
