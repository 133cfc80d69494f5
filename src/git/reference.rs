//! Refs: reading them, and moving them by compare-and-swap so that they survive power loss.
//! Knows nothing of what objects hold. Works beside git: its lock files, its packed refs, its reflogs.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use gix::bstr::ByteSlice;

use super::{
    draft::When,
    error::{At, During, GitError},
    object::{commit_id, gix_commit},
    odb::read_commit,
    publish::{PublishError, RefMove},
};
use crate::model::object::CommitId;

/// How long another may hold the lock of a ref before we give up.
const LOCK_WAIT: Duration = Duration::from_secs(3);
/// How often we look whether it is free.
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// A lock of our own refs that is older was left by a process that was killed: nobody holds one for so long.
const LOCK_STALE: Duration = Duration::from_secs(2);
/// The refs that only this program moves.
const OWN: [&str; 2] = ["refs/heads/orchestrate/", "refs/orchestrate/"];

/// The commit a ref stands at.
pub(super) fn find(local: &gix::Repository, full_name: &str) -> Result<Option<CommitId>, GitError> {
    check_name(full_name)?;
    let doing = || format!("read the ref '{full_name}'");
    let Some(mut reference) = local.try_find_reference(full_name).during(doing)? else {
        return Ok(None);
    };
    peeled(local, &mut reference).map(Some)
}

/// The commit behind a ref.
fn peeled(local: &gix::Repository, reference: &mut gix::Reference<'_>) -> Result<CommitId, GitError> {
    let name = reference.name().as_bstr().to_string();
    match reference.target().try_id() {
        // What our own refs name is a commit: nothing to peel, no object to read.
        Some(id) if is_own(&name) || read_commit(local, id.to_owned(), &mut Vec::new()).is_ok() => Ok(commit_id(id)),
        Some(_) | None => reference.peel_to_id().map(commit_id).during(|| format!("read the ref '{name}'")),
    }
}

/// Whether only this program moves a ref of this name.
fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| name.starts_with(own))
}

/// All refs below a prefix, by name.
pub(super) fn list(local: &gix::Repository, prefix: &str) -> Result<Vec<(String, CommitId)>, GitError> {
    let doing = || format!("list the refs below '{prefix}'");
    let platform = local.references().during(doing)?;
    let mut refs = Vec::new();
    let all = platform.prefixed(prefix).during(doing)?;
    for reference in all {
        let mut reference = reference.during(doing)?;
        let name = reference.name().as_bstr().to_str_lossy().into_owned();
        if let Ok(id) = peeled(local, &mut reference) {
            refs.push((name, id));
        }
    }
    refs.sort_unstable();
    Ok(refs)
}

/// Whether this can be the full name of a ref.
pub(super) fn check_name(full_name: &str) -> Result<(), GitError> {
    let name = gix::validate::reference::name(full_name.into());
    if name.is_err() || !full_name.starts_with("refs/") || full_name.starts_with("refs/worktree/") {
        return Err(GitError::BadRefName(full_name.to_owned()));
    }
    Ok(())
}

/// Moves that are checked and locked. Dropping it unlocks and changes nothing.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    moves: Vec<(&'a RefMove, Lock)>,
}

#[derive(Debug)]
struct Lock {
    path: PathBuf,
    target: PathBuf,
    /// Directories that got a new entry on the way.
    grown: Vec<PathBuf>,
    held: bool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held {
            // The lock is ours; if it cannot be removed, the next one to want it will say so.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a ref must be there after power loss. Transcripts are for this machine's user, and nobody is promised one.
fn lasts(name: &str) -> bool {
    !name.starts_with("refs/orchestrate/transcripts/")
}

/// Locks all refs of these moves and compares what they stand at. The new values are in the lock files, synced if asked.
pub(super) fn prepare<'a>(
    local: &gix::Repository,
    common_dir: &Path,
    moves: &'a [RefMove],
    sync: super::pack::Sync,
) -> Result<Prepared<'a>, PublishError> {
    let mut prepared = Prepared { moves: Vec::with_capacity(moves.len()) };
    for wanted in moves {
        check_name(&wanted.name).map_err(PublishError::other)?;
        let (lock, mut file) = lock(common_dir, &wanted.name)?;
        let found = current(local, &wanted.name).map_err(PublishError::other)?;
        if found != wanted.from {
            return Err(PublishError::Moved { name: wanted.name.clone(), expected: wanted.from, found });
        }
        if found.is_none() {
            check_free(local, &wanted.name)?;
        }
        let write = || {
            writeln!(file, "{}", wanted.to)?;
            if sync == super::pack::Sync::Disk && lasts(&wanted.name) { file.sync_all() } else { Ok(()) }
        };
        let mut write = write;
        write().at("write", &lock.path).map_err(PublishError::other)?;
        prepared.moves.push((wanted, lock));
    }
    Ok(prepared)
}

impl Prepared<'_> {
    /// Gives all refs their new values. The directories that must be synced for it to last are added to `changed`.
    pub(super) fn commit(
        self,
        common_dir: &Path,
        log: &Reflog,
        changed: &mut BTreeSet<PathBuf>,
    ) -> Result<(), PublishError> {
        for (wanted, mut lock) in self.moves {
            crate::sys::crash_point::reach("refs.moving");
            let mut renamed = fs::rename(&lock.path, &lock.target);
            if renamed.is_err() && remove_empty_dirs(&lock.target).is_ok() {
                renamed = fs::rename(&lock.path, &lock.target);
            }
            renamed.at("move", &lock.target).map_err(PublishError::other)?;
            lock.held = false;
            if lasts(&wanted.name) {
                changed.extend(lock.target.parent().map(Path::to_owned));
                changed.append(&mut lock.grown.drain(..).collect());
            }
            crate::sys::crash_point::reach("refs.moved");
            log.append(common_dir, wanted);
        }
        Ok(())
    }
}

/// How moves are written to the reflogs, as `core.logAllRefUpdates` says.
#[derive(Debug)]
pub(super) struct Reflog {
    /// Nothing is logged if it is none.
    who: Option<String>,
    /// The branch checked out in the main worktree, whose moves are HEAD's too.
    head: Option<String>,
}

impl Reflog {
    pub(super) fn of(local: &gix::Repository, common_dir: &Path) -> Self {
        let config = local.config_snapshot();
        let wanted = config.string("core.logAllRefUpdates").map_or_else(
            || !local.is_bare(),
            |value| matches!(value.to_str(), Ok("true" | "always" | "1" | "yes" | "on")),
        );
        let who = wanted.then(|| {
            let who = local.committer().and_then(Result::ok);
            let name = who.map_or_else(|| "git-orchestrate".into(), |who| who.name.to_str_lossy());
            let email = who.map_or_else(|| "git-orchestrate@localhost".into(), |who| who.email.to_str_lossy());
            format!("{name} <{email}>")
        });
        let head = fs::read_to_string(common_dir.join("HEAD"))
            .ok()
            .and_then(|head| Some(head.strip_prefix("ref: ")?.trim_end().to_owned()));
        Self { who, head }
    }

    /// Logs are for people: one that cannot be written stops nothing.
    fn append(&self, common_dir: &Path, moved: &RefMove) {
        let Some(who) = self.who.as_deref().filter(|_| logged(&moved.name)) else {
            return;
        };
        let zero = || "0".repeat(moved.to.0.as_bytes().len() * 2);
        let from = moved.from.map_or_else(zero, |from| from.to_string());
        let now = When::now();
        let (sign, offset) =
            if now.offset_seconds < 0 { ('-', -now.offset_seconds) } else { ('+', now.offset_seconds) };
        let (hours, minutes) = (offset / 3600, offset / 60 % 60);
        let reason = moved.reason.replace(['\n', '\r'], " ");
        let line = format!("{from} {} {who} {} {sign}{hours:02}{minutes:02}\t{reason}\n", moved.to, now.seconds);
        let logs = common_dir.join("logs");
        let written = append(&logs.join(&moved.name), &line);
        if let Err(error) = written {
            tracing::warn!(name = moved.name, %error, "cannot write the reflog");
        }
        if self.head.as_deref() == Some(&moved.name)
            && let Err(error) = append(&logs.join("HEAD"), &line)
        {
            tracing::warn!(%error, "cannot write the reflog of HEAD");
        }
    }
}

fn logged(name: &str) -> bool {
    ["refs/heads/", "refs/remotes/", "refs/notes/"].iter().any(|prefix| name.starts_with(prefix))
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let mut options = File::options();
    options.append(true).create(true);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            options.open(path)?
        }
        other => other?,
    };
    file.write_all(line.as_bytes())
}

/// What a ref stands at, not peeled. A symbolic ref is none of ours to move.
fn current(local: &gix::Repository, name: &str) -> Result<Option<CommitId>, GitError> {
    let doing = || format!("read the ref '{name}'");
    let partial: &gix::refs::FullNameRef = name.try_into().map_err(|_| GitError::BadRefName(name.to_owned()))?;
    let Some(found) = local.refs.try_find(partial).during(doing)? else {
        return Ok(None);
    };
    match found.target {
        gix::refs::Target::Object(id) => Ok(Some(commit_id(id))),
        gix::refs::Target::Symbolic(to) => Err(GitError::Failed {
            doing: format!("move the ref '{name}'"),
            because: format!("it stands for '{}'", to.as_bstr()),
        }),
    }
}

/// Whether a new ref of this name can live beside the others: `a` and `a/b` cannot.
fn check_free(local: &gix::Repository, name: &str) -> Result<(), PublishError> {
    let taken = |by: String| PublishError::Taken { name: name.to_owned(), by };
    let parents = name.match_indices('/').map(|(at, _)| &name[..at]).skip(1);
    for parent in parents {
        if current(local, parent).is_ok_and(|found| found.is_some()) {
            return Err(taken(parent.to_owned()));
        }
    }
    let below = list(local, &format!("{name}/")).map_err(PublishError::other)?;
    below.into_iter().next().map_or(Ok(()), |(by, _)| Err(taken(by)))
}

fn lock(common_dir: &Path, name: &str) -> Result<(Lock, File), PublishError> {
    let target = common_dir.join(name);
    let path = common_dir.join(format!("{name}.lock"));
    let started = Instant::now();
    let mut grown = Vec::new();
    loop {
        match File::options().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((Lock { path, target, grown, held: true }, file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = path.parent().unwrap_or(common_dir);
                make_dirs(parent, &mut grown)
                    .map_err(|_| PublishError::Taken { name: name.to_owned(), by: parent_name(common_dir, parent) })?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let parent = path.parent().unwrap_or(common_dir);
                return Err(PublishError::Taken { name: name.to_owned(), by: parent_name(common_dir, parent) });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if is_own(name) && is_stale(&path) {
                    tracing::warn!(lock = %path.display(), "removing a lock that a killed process left");
                    let _ = fs::remove_file(&path);
                    continue;
                }
                if started.elapsed() > LOCK_WAIT {
                    return Err(PublishError::Locked { name: name.to_owned(), lock: path });
                }
                thread::sleep(LOCK_PAUSE);
            }
            Err(error) => return Err(PublishError::other(GitError::Io { doing: "lock", path, source: error })),
        }
    }
}

fn is_stale(lock: &Path) -> bool {
    let age = fs::metadata(lock).and_then(|found| found.modified()).map(|at| SystemTime::now().duration_since(at));
    matches!(age, Ok(Ok(age)) if age > LOCK_STALE)
}

fn parent_name(common_dir: &Path, parent: &Path) -> String {
    parent.strip_prefix(common_dir).unwrap_or(parent).display().to_string()
}

fn make_dirs(dir: &Path, grown: &mut Vec<PathBuf>) -> io::Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => {
            grown.extend(dir.parent().map(Path::to_owned));
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if dir.is_dir() {
                Ok(())
            } else {
                Err(error)
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dirs(dir.parent().ok_or(error)?, grown)?;
            make_dirs(dir, grown)
        }
        Err(error) => Err(error),
    }
}

/// Removes a directory that holds only empty directories, as deleted refs leave them.
fn remove_empty_dirs(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        remove_empty_dirs(&entry?.path())?;
    }
    fs::remove_dir(dir)
}

/// Deletes a ref, as git does: also from the packed refs.
pub(super) fn delete(local: &gix::Repository, name: &str, from: CommitId) -> Result<(), PublishError> {
    use gix::refs::transaction::{Change, PreviousValue, RefEdit, RefLog};
    check_name(name).map_err(PublishError::other)?;
    let edit = RefEdit {
        change: Change::Delete {
            expected: PreviousValue::MustExistAndMatch(gix::refs::Target::Object(gix_commit(from))),
            log: RefLog::AndReference,
        },
        name: name.try_into().map_err(|_| PublishError::other(GitError::BadRefName(name.to_owned())))?,
        deref: false,
    };
    local.edit_reference(edit).map(|_| ()).map_err(|error| {
        let found = current(local, name).ok().flatten();
        if found == Some(from) {
            PublishError::other(GitError::Failed {
                doing: format!("delete the ref '{name}'"),
                because: format!("{error:#}"),
            })
        } else {
            PublishError::Moved { name: name.to_owned(), expected: Some(from), found }
        }
    })
}
