//! Reads the files that a scan found, decides which may be taken, and makes blobs of them as `git add` would.
//! Knows nothing of commits.

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    filter::plumbing::pipeline::convert::ToGitOutcome,
    index::{
        State,
        entry::{Flags, Mode, Stat},
    },
    objs::Kind,
    worktree::stack::state::attributes::Source,
};

use super::{
    super::{
        draft::check_path,
        error::{During, GitError},
        repository::HANDOFF,
    },
    disk::{Disk, Near},
    index::{Entry, Index, Put, stat_of},
    scan::{Found, What},
};

/// Looks at a file's path and content, and says why it may not be taken, if so.
pub type Inspect<'a> = &'a dyn Fn(&str, &[u8]) -> Option<String>;

/// What may be taken from an agent.
#[derive(Clone, Copy)]
pub struct TakePolicy<'a> {
    /// Bytes a file may have.
    pub file_bytes_max: u64,
    /// Looks at each file's content; if it says why not, the file is refused.
    pub inspect: Option<Inspect<'a>>,
}

impl std::fmt::Debug for TakePolicy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TakePolicy").field("file_bytes_max", &self.file_bytes_max).finish_non_exhaustive()
    }
}

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFile {
    /// Its path; what is no UTF-8 is replaced.
    pub path: String,
    /// Why.
    pub why: Refusal,
}

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has more bytes than allowed.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// It is a link that leads out of the worktree, there.
    LeadsOutside(String),
    /// It is a directory with a repository of its own.
    NestedRepository,
    /// It is a pipe, a socket or a device.
    Special,
    /// It is below `.handoff/`, which agents do not see.
    Handoff,
    /// git would not have this name in a tree.
    BadName,
    /// In its place the commit has files that the sparse checkout leaves out.
    InPlaceOfLeftOut,
    /// It could not be read or filtered, for this reason.
    Unreadable(String),
    /// The policy's inspection refused it, for this reason.
    Inspected(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { bytes, bytes_max } => write!(f, "it has {bytes} bytes, more than {bytes_max}"),
            Self::LeadsOutside(target) => write!(f, "it leads out of the worktree, to '{target}'"),
            Self::NestedRepository => f.write_str("it is a repository of its own"),
            Self::Special => f.write_str("it is no regular file"),
            Self::Handoff => f.write_str("'.handoff' is not for agents"),
            Self::BadName => f.write_str("git does not allow its name"),
            Self::InPlaceOfLeftOut => f.write_str("the sparse checkout leaves out what is in its place"),
            Self::Unreadable(because) | Self::Inspected(because) => f.write_str(because),
        }
    }
}

/// How careful to be.
#[derive(Clone, Copy)]
pub(super) enum Care<'a> {
    /// As a policy says.
    Take(&'a TakePolicy<'a>),
    /// Everything that has bytes; files over this size are left to the other way of writing.
    Keep { file_bytes_max: u64 },
}

/// Where the bytes of files go.
pub(super) trait Sink {
    /// Takes a blob.
    fn blob(&mut self, bytes: &[u8]) -> Result<ObjectId, GitError>;
    /// Takes a file that is too large to be held; only asked where everything is kept.
    fn large(&mut self, path: &BStr) -> Result<ObjectId, GitError>;
}

/// Names blobs without keeping them.
pub(super) struct Names(pub gix::hash::Kind);

impl Sink for Names {
    fn blob(&mut self, bytes: &[u8]) -> Result<ObjectId, GitError> {
        gix::objs::compute_hash(self.0, Kind::Blob, bytes).during(|| "name a blob".to_owned())
    }

    fn large(&mut self, _: &BStr) -> Result<ObjectId, GitError> {
        // Larger than all that we read is different from all that we checked out.
        Ok(ObjectId::null(self.0))
    }
}

/// What differs in content.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// Paths that differ, with what is there; none: nothing.
    pub puts: Vec<Put>,
    /// Paths that were refused.
    pub refused: Vec<(BString, Refusal)>,
    /// Paths that only look different, with how they look now.
    pub same: Vec<(BString, Stat)>,
}

/// Examines what was found. Nothing on the disk is changed.
pub(super) fn examine(
    disk: &Disk,
    index: &Index,
    handle: &gix::Repository,
    found: &[Found],
    care: Care<'_>,
    sink: &mut dyn Sink,
) -> Result<Examined, GitError> {
    let mut examined = Examined::default();
    let mut near = Near::default();
    let mut cleaner: Option<Cleaner<'_>> = None;
    let mut before: Option<Cleaner<'_>> = None;
    let state = without_lost_attributes(&index.state, found);
    let state = state.as_ref().unwrap_or(&index.state);
    for Found { path, what } in found {
        let (mode, stat) = match what {
            What::Missing => {
                examined.puts.push((path.clone(), None));
                continue;
            }
            What::Nested => {
                examined.refused.push((path.clone(), Refusal::NestedRepository));
                continue;
            }
            What::Special => {
                examined.refused.push((path.clone(), Refusal::Special));
                continue;
            }
            What::Staged(mode, id) => {
                match staged(handle, path.as_bstr(), *mode, *id, care, sink)? {
                    Read::Content(id, stat) => match refused_name(path.as_bstr(), care) {
                        Some(why) => examined.refused.push((path.clone(), why)),
                        None => examined.puts.push((path.clone(), Some(Entry { id, mode: *mode, stat }))),
                    },
                    Read::Refused(why) => examined.refused.push((path.clone(), why)),
                    Read::Gone => {}
                }
                continue;
            }
            What::Touched(mode, stat) | What::New(mode, stat) => (*mode, *stat),
        };
        let tracked = index.entry(path.as_bstr());
        // It looks as it did, only too recently so. Attributes that changed since are no reason to take it.
        if let Some(entry) = tracked.filter(|entry| entry.stat == stat && entry.mode == mode && mode != Mode::SYMLINK) {
            let before = match &mut before {
                Some(before) => before,
                None => before.insert(Cleaner::new(handle, &index.state, Source::IdMapping)?),
            };
            if let Ok((bytes, now)) = disk.read(&mut near, path.as_bstr())
                && stat_of(&now) == stat
                && before.clean(path.as_bstr(), &bytes).is_ok_and(|clean| names(handle, &clean) == Some(entry.id))
            {
                examined.same.push((path.clone(), stat));
                continue;
            }
        }
        let read = if mode == Mode::SYMLINK {
            read_link(disk, &mut near, path.as_bstr(), care, sink)
        } else {
            let cleaner = match &mut cleaner {
                Some(cleaner) => cleaner,
                None => cleaner.insert(Cleaner::new(handle, state, Source::WorktreeThenIdMapping)?),
            };
            read_file(disk, &mut near, path.as_bstr(), stat, care, sink, cleaner)
        }?;
        match read {
            Read::Content(id, stat) => {
                let mode =
                    if handle_ignores_modes(handle) { kept_mode(mode, tracked.map(|entry| entry.mode)) } else { mode };
                if tracked.is_some_and(|entry| entry.id == id && entry.mode == mode) {
                    examined.same.push((path.clone(), stat));
                } else if let Some(why) = refused_name(path.as_bstr(), care) {
                    examined.refused.push((path.clone(), why));
                } else if tracked.is_none() && matches!(care, Care::Take(_)) && displaces(index, path.as_bstr(), found)
                {
                    examined.refused.push((path.clone(), Refusal::InPlaceOfLeftOut));
                } else {
                    examined.puts.push((path.clone(), Some(Entry { id, mode, stat })));
                }
            }
            Read::Refused(Refusal::TooLarge { .. })
                if unchanged(disk, &mut near, path.as_bstr(), tracked, handle, state) =>
            {
                examined.same.push((path.clone(), stat));
            }
            Read::Refused(why) => examined.refused.push((path.clone(), why)),
            Read::Gone => {
                if tracked.is_some() {
                    examined.puts.push((path.clone(), None));
                }
            }
        }
    }
    Ok(examined)
}

/// Whether a tracked file that is over the limit is as it was: then it is no matter how large it is.
fn unchanged(
    disk: &Disk,
    near: &mut Near,
    path: &BStr,
    tracked: Option<&gix::index::Entry>,
    handle: &gix::Repository,
    state: &State,
) -> bool {
    let Some(entry) = tracked else { return false };
    let read = disk.read(near, path);
    let cleaner = Cleaner::new(handle, state, Source::WorktreeThenIdMapping);
    let (Ok((bytes, stat)), Ok(mut cleaner)) = (read, cleaner) else { return false };
    let same = cleaner.clean(path, &bytes).is_ok_and(|clean| names(handle, &clean) == Some(entry.id));
    same && super::index::file_mode(&stat) == Some(entry.mode)
}

fn names(handle: &gix::Repository, bytes: &[u8]) -> Option<ObjectId> {
    gix::objs::compute_hash(handle.object_hash(), Kind::Blob, bytes).ok()
}

enum Read {
    Content(ObjectId, Stat),
    Refused(Refusal),
    Gone,
}

fn read_file(
    disk: &Disk,
    near: &mut Near,
    path: &BStr,
    seen: Stat,
    care: Care<'_>,
    sink: &mut dyn Sink,
    cleaner: &mut Cleaner<'_>,
) -> Result<Read, GitError> {
    // The index keeps 32 bits of the size; the file itself knows all.
    let size = match disk.stat(near, path) {
        Ok(Some(stat)) => stat.st_size as u64,
        Ok(None) => return Ok(Read::Gone),
        Err(error) => return Ok(Read::Refused(Refusal::Unreadable(error.to_string()))),
    };
    match care {
        Care::Take(policy) if size > policy.file_bytes_max => {
            return Ok(Read::Refused(Refusal::TooLarge { bytes: size, bytes_max: policy.file_bytes_max }));
        }
        Care::Keep { file_bytes_max } if size > file_bytes_max => return Ok(Read::Content(sink.large(path)?, seen)),
        Care::Take(_) | Care::Keep { .. } => {}
    }
    let (bytes, stat) = match disk.read(near, path) {
        Ok(read) => read,
        Err(error) if super::disk::is_absent(&error) => return Ok(Read::Gone),
        Err(error) => return Ok(Read::Refused(Refusal::Unreadable(error.to_string()))),
    };
    if let Care::Take(TakePolicy { inspect: Some(inspect), .. }) = care
        && let Some(because) = inspect(&path.to_str_lossy(), &bytes)
    {
        return Ok(Read::Refused(Refusal::Inspected(because)));
    }
    let id = match (cleaner.clean(path, &bytes), care) {
        (Ok(clean), _) => sink.blob(&clean)?,
        // What a filter refuses is kept as it is.
        (Err(_), Care::Keep { .. }) => sink.blob(&bytes)?,
        (Err(error), Care::Take(_)) => return Ok(Read::Refused(Refusal::Unreadable(error.to_string()))),
    };
    Ok(Read::Content(id, stat_of(&stat)))
}

fn read_link(disk: &Disk, near: &mut Near, path: &BStr, care: Care<'_>, sink: &mut dyn Sink) -> Result<Read, GitError> {
    let read = disk.stat(near, path).and_then(|stat| Ok((stat, disk.read_link(near, path)?)));
    let (stat, target) = match read {
        Ok((Some(stat), target)) => (stat, target),
        Ok((None, _)) => return Ok(Read::Gone),
        Err(error) if super::disk::is_absent(&error) => return Ok(Read::Gone),
        Err(error) => return Ok(Read::Refused(Refusal::Unreadable(error.to_string()))),
    };
    if matches!(care, Care::Take(_)) && leads_outside(&path.to_str_lossy(), &target) {
        return Ok(Read::Refused(Refusal::LeadsOutside(target.to_str_lossy().into_owned())));
    }
    Ok(Read::Content(sink.blob(&target)?, stat_of(&stat)))
}

/// Content that is only in the agent's index.
fn staged(
    handle: &gix::Repository,
    path: &BStr,
    mode: Mode,
    id: ObjectId,
    care: Care<'_>,
    sink: &mut dyn Sink,
) -> Result<Read, GitError> {
    let found = handle.find_header(id).ok().filter(|header| header.kind() == Kind::Blob);
    let Some(header) = found else {
        return Ok(Read::Refused(Refusal::Unreadable(format!("its content '{id}' is missing"))));
    };
    let policy = match care {
        // It is an object already, in no ref: the commit that saves it names it.
        Care::Keep { .. } => return Ok(Read::Content(id, Stat::default())),
        Care::Take(policy) => policy,
    };
    if header.size() > policy.file_bytes_max {
        let (bytes, bytes_max) = (header.size(), policy.file_bytes_max);
        return Ok(Read::Refused(Refusal::TooLarge { bytes, bytes_max }));
    }
    let blob = handle.find_blob(id).during(|| format!("read '{path}' from the index"))?;
    if mode == Mode::SYMLINK && leads_outside(&path.to_str_lossy(), &blob.data) {
        return Ok(Read::Refused(Refusal::LeadsOutside(blob.data.to_str_lossy().into_owned())));
    }
    if mode != Mode::SYMLINK
        && let Some(because) = policy.inspect.and_then(|inspect| inspect(&path.to_str_lossy(), &blob.data))
    {
        return Ok(Read::Refused(Refusal::Inspected(because)));
    }
    // Written anew, so that it is on the disk when the commit is.
    Ok(Read::Content(sink.blob(&blob.data)?, Stat::default()))
}

/// Whether a new file is where the index has a directory, or has a directory where the index has a file, of which nothing is seen
/// because it is left out. To take it would be to remove what nobody looked at.
fn displaces(index: &Index, path: &BStr, found: &[Found]) -> bool {
    let above = path.find_iter(b"/").any(|at| index.is_left_out(path[..at].as_bstr()));
    let is_kept = |below: &BStr| {
        let removed = |found: &Found| found.path == below && found.what == What::Missing;
        index.is_left_out(below) && !found.iter().any(removed)
    };
    above || index.sparse().is_some() && index.paths(index.below(path)).any(is_kept)
}

/// Names that may not be in a tree, or not by an agent's hand.
fn refused_name(path: &BStr, care: Care<'_>) -> Option<Refusal> {
    let first = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    match care {
        Care::Take(_) if first.eq_ignore_ascii_case(HANDOFF.as_bytes()) => Some(Refusal::Handoff),
        Care::Take(_) => check_path(path).is_err().then_some(Refusal::BadName),
        Care::Keep { .. } => None,
    }
}

/// Whether a link's target, seen from the link, is not below the root.
pub fn leads_outside(link: &str, target: &[u8]) -> bool {
    if target.starts_with(b"/") {
        return true;
    }
    let mut depth = link.split('/').count() as i64 - 1;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Applies the filters of `git add`.
struct Cleaner<'a> {
    pipeline: gix::filter::Pipeline<'a>,
    state: &'a State,
}

impl<'a> Cleaner<'a> {
    fn new(handle: &'a gix::Repository, state: &'a State, attributes: Source) -> Result<Self, GitError> {
        let doing = || "prepare the filters".to_owned();
        let stack = handle.attributes_only(state, attributes).during(doing)?;
        Ok(Self { pipeline: gix::filter::Pipeline::new(handle, stack.detach()).during(doing)?, state })
    }

    fn clean<'b>(&'b mut self, path: &BStr, bytes: &'b [u8]) -> Result<std::borrow::Cow<'b, [u8]>, GitError> {
        let doing = || format!("filter '{path}'");
        let relative = gix::path::from_bstr(path).during(doing)?;
        Ok(match self.pipeline.convert_to_git(bytes, &relative, self.state).during(doing)? {
            ToGitOutcome::Unchanged(_) => bytes.into(),
            ToGitOutcome::Buffer(clean) => clean.into(),
            ToGitOutcome::Process(mut output) => {
                let mut clean = Vec::new();
                std::io::Read::read_to_end(&mut output, &mut clean).during(doing)?;
                clean.into()
            }
        })
    }
}

/// The index without the attribute files that are gone: where one is missing on the disk, the index's would count.
fn without_lost_attributes(state: &State, found: &[Found]) -> Option<State> {
    let lost = |path: &BStr| path == ".gitattributes" || path.ends_with(b"/.gitattributes");
    let gone: Vec<&BString> =
        found.iter().filter(|one| one.what == What::Missing && lost(one.path.as_bstr())).map(|one| &one.path).collect();
    if gone.is_empty() {
        return None;
    }
    let mut state = state.clone();
    for entry in state.entries_mut_with_paths() {
        let (entry, path) = entry;
        if gone.iter().any(|gone| gone.as_bstr() == path) {
            entry.flags.insert(Flags::REMOVE);
        }
    }
    state.remove_entries(|_, _, entry| entry.flags.contains(Flags::REMOVE));
    Some(state)
}

fn handle_ignores_modes(handle: &gix::Repository) -> bool {
    handle.config_snapshot().boolean("core.fileMode") == Some(false)
}

/// Where the file system does not keep the executable bit, the index does.
fn kept_mode(seen: Mode, tracked: Option<Mode>) -> Mode {
    match tracked {
        Some(tracked @ (Mode::FILE | Mode::FILE_EXECUTABLE)) if seen != Mode::SYMLINK => tracked,
        Some(_) | None => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_followed_on_paper() {
        for (link, target, outside) in [
            ("a", "b", false),
            ("a", "../b", true),
            ("d/a", "../b", false),
            ("d/a", "../../b", true),
            ("d/a", "x/../../b", false),
            ("d/a", "x/../../../b", true),
            ("a", "/etc/passwd", true),
            ("a", ".", false),
        ] {
            assert_eq!(leads_outside(link, target.as_bytes()), outside, "{link} -> {target}");
        }
    }
}
