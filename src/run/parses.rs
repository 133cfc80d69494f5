//! Which of the files that an agent changed do not parse, by a grammar or by the checker that their language brings.
//! What did not parse before is not blamed on it. Knows nothing of what follows.

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use super::{RunError, foreman::Job, workshop::Workshop};
use crate::{
    git::{ChangeKind, EntryKind, Slot},
    model::object::{BlobId, TreeId},
    syntax::{Break, Checked, OwnChecker, check, own_checker},
    sys::{
        environment,
        file::read_limited,
        process::{How, Label, ProcessLimits, Program, find_program},
    },
    text::clean_line,
};

/// Files that are looked at; who changes more changed them by a program.
const FILES_MAX: usize = 2000;
/// Bytes of a file that is looked at.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Times in one step that a language's own checker is started.
const OWN_CHECKS_MAX: usize = 100;
/// How long it may take.
const OWN_CHECK_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of what it says that are read.
const COMPLAINT_BYTES_MAX: usize = 64 << 10;

/// A file that does not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unparsed {
    /// Relative to the root.
    pub path: String,
    /// Where and why.
    pub at: Break,
    /// Whether it is certain; a grammar that knows no macros may be wrong.
    pub is_sure: bool,
}

impl fmt::Display for Unparsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", clean_line(&self.path), self.at.line, self.at.what)
    }
}

/// The files that were changed in a slot and do not parse. `before` is the code that was there before.
///
/// # Errors
/// When the files cannot be read.
pub fn unparsed(shop: &Workshop, job: &Job, slot: &mut Slot, before: TreeId) -> Result<Vec<Unparsed>, RunError> {
    let changed = slot.changes()?.files;
    let mut judge = Judge { shop, job, own_checks: 0, found: BTreeMap::new() };
    let mut unparsed = Vec::new();
    for file in changed.into_iter().filter(|file| file.kind != ChangeKind::Removed).take(FILES_MAX) {
        let whole = slot.path().join(&file.path);
        let is_file = std::fs::symlink_metadata(&whole).is_ok_and(|metadata| metadata.is_file());
        let Some(bytes) = is_file.then(|| read_limited(&whole, FILE_BYTES_MAX + 1).ok()).flatten() else { continue };
        let Some((at, is_sure)) = judge.of(&file.path, &bytes) else { continue };
        let old = shop.project.repository.entry(before, &file.path)?;
        let old = old.filter(|old| matches!(old.kind, EntryKind::File | EntryKind::Executable));
        let old = old.map(|old| shop.project.repository.blob(BlobId(old.id))).transpose()?;
        if old.is_none_or(|old| judge.of(&file.path, &old).is_none()) {
            unparsed.push(Unparsed { path: file.path, at, is_sure });
        }
    }
    Ok(unparsed)
}

struct Judge<'a> {
    shop: &'a Workshop,
    job: &'a Job,
    own_checks: usize,
    /// Where each checker is that was looked for.
    found: BTreeMap<&'static str, Option<std::path::PathBuf>>,
}

impl Judge<'_> {
    /// What is wrong with a file, and whether that is certain.
    fn of(&mut self, path: &str, bytes: &[u8]) -> Option<(Break, bool)> {
        if bytes.len() > FILE_BYTES_MAX {
            return None;
        }
        match check(path, bytes) {
            Checked::Good => None,
            Checked::Doubtful(at) => Some((at, false)),
            // A grammar may be older than the language is.
            Checked::Broken(at) => match self.own(path, bytes) {
                Some(Ok(())) => None,
                Some(Err(at)) => Some((at, true)),
                None => Some((at, true)),
            },
            Checked::Unknown => self.own(path, bytes)?.err().map(|at| (at, true)),
        }
    }

    /// What the language's own checker says; none: there is none, or it does not say.
    fn own(&mut self, path: &str, bytes: &[u8]) -> Option<Result<(), Break>> {
        let checker = own_checker(path, bytes)?;
        if self.own_checks >= OWN_CHECKS_MAX {
            return None;
        }
        let env = environment::allowed(&[]);
        let look = || find_program(checker.program, env.get(std::ffi::OsStr::new("PATH"))?);
        let file = self.found.entry(checker.program).or_insert_with(look).clone()?;
        self.own_checks += 1;
        self.run(checker, &file, bytes)
    }

    fn run(&self, checker: OwnChecker, file: &Path, bytes: &[u8]) -> Option<Result<(), Break>> {
        let mut argv = vec![file.as_os_str().to_owned()];
        argv.extend(checker.args.iter().map(std::ffi::OsString::from));
        let program = Program {
            argv,
            // Not the worktree, whose files could tell it what to load.
            cwd: self.shop.scratch.clone(),
            env: environment::allowed(&[]),
            stdin: bytes.to_vec(),
            limits: ProcessLimits {
                wall: OWN_CHECK_LIMIT,
                idle: None,
                stdout_bytes_max: 0,
                stderr_bytes_max: COMPLAINT_BYTES_MAX,
            },
            label: Label {
                slot: String::new(),
                task: self.job.task.id.to_string(),
                phase: self.job.work.phase.to_string(),
            },
        };
        let ended = self.shop.supervisor.run(&program, &self.shop.cancel, &mut |_, _| {}).ok()?;
        match ended.how {
            How::Exited(0) => Some(Ok(())),
            How::Exited(_) => checker.complaint(&ended.stderr.bytes).map(Err),
            How::Signaled(_) | How::WallLimit | How::IdleLimit | How::Cancelled => None,
        }
    }
}
