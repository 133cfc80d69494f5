//! Reads objects as evidence: by name, whole, and only if what is read has that name. No replacement, graft, commit graph
//! or shallow boundary has a say. Knows nothing of what the objects should hold.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    sync::{Arc, Mutex},
};

use gix::{
    bstr::{BString, ByteSlice},
    objs::{Find, Kind},
};

use super::{
    object::{gix_id, our_id},
    repository::{HANDOFF, Repository, unpoisoned},
    tree::ChangeKind,
};
use crate::model::object::{BlobId, CommitId, ObjectId, TreeId};

/// Bytes that an object may have to be read as evidence.
pub const OBJECT_BYTES_MAX: usize = 64 << 20;
/// Directories in directories that are followed.
const DEPTH_MAX: usize = 200;
/// Bytes of `shallow` and `info/grafts` that are read.
const LIST_BYTES_MAX: usize = 16 << 20;

/// Why an object is no evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not in the repository.
    #[error("{kind} '{id}' is not in this repository")]
    Missing {
        /// What was wanted: `commit`, `tree`, `blob`.
        kind: &'static str,
        /// Its name.
        id: ObjectId,
    },
    /// What is stored under the name has another.
    #[error("{kind} '{id}' does not have the content that its name stands for")]
    NotItsName {
        /// What was wanted.
        kind: &'static str,
        /// The name.
        id: ObjectId,
    },
    /// It is of another kind, or not well made.
    #[error("{kind} '{id}' is not well made: {why}")]
    Malformed {
        /// What was wanted.
        kind: &'static str,
        /// Its name.
        id: ObjectId,
        /// What is wrong with it.
        why: String,
    },
}

/// Somebody named in a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The name; what is no UTF-8 is replaced.
    pub name: String,
    /// The address.
    pub email: String,
    /// Seconds since 1970, as was claimed.
    pub seconds: i64,
}

/// A commit as it is stored.
#[derive(Debug, Clone)]
pub struct RawCommit {
    /// Its name.
    pub id: CommitId,
    /// Its tree.
    pub tree: TreeId,
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// Who wrote it.
    pub author: Named,
    /// Who committed it.
    pub committer: Named,
    /// The names of its headers in their order.
    pub headers: Vec<String>,
    /// Its message; what is no UTF-8 is replaced.
    pub message: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// What stands in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// Its name.
    pub name: BString,
    /// Its mode, as a number: `0o100644`.
    pub mode: u32,
    /// Its object.
    pub id: ObjectId,
}

impl RawEntry {
    /// Whether it is a directory.
    pub fn is_tree(&self) -> bool {
        self.mode == 0o40000
    }

    /// Whether it is a file that cannot be run: neither link, nor program, nor another repository.
    pub fn is_plain_file(&self) -> bool {
        self.mode == 0o100644
    }

    /// Whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.mode == 0o120000
    }

    /// Whether it is a commit of another repository.
    pub fn is_submodule(&self) -> bool {
        self.mode == 0o160000
    }
}

/// A path that differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    /// The path; what is no UTF-8 is replaced.
    pub path: String,
    /// How it differs.
    pub kind: ChangeKind,
    /// What the second tree has there.
    pub after: Option<RawEntry>,
}

/// Reads objects of a repository as evidence.
pub struct Evidence<'a> {
    repository: &'a Repository,
    codes: Mutex<HashMap<TreeId, TreeId>>,
}

impl<'a> Evidence<'a> {
    /// That of a repository.
    pub fn of(repository: &'a Repository) -> Self {
        Self { repository, codes: Mutex::default() }
    }

    /// The repository.
    pub fn repository(&self) -> &'a Repository {
        self.repository
    }

    fn read(&self, id: ObjectId, wanted: Kind) -> Result<Vec<u8>, Unreadable> {
        let kind = match wanted {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
            Kind::Tag => "tag",
        };
        let local = self.repository.local();
        let mut buffer = Vec::new();
        let wrong = |why: String| Unreadable::Malformed { kind, id, why };
        let own = gix_id(&id);
        if wanted == Kind::Tree && own.is_empty_tree() {
            return Ok(buffer);
        }
        // Straight from the database: a repository handle would give an object that stands in for another.
        let found = local.objects.try_find(&own, &mut buffer).map_err(|error| wrong(error.to_string()))?;
        let found = found.ok_or(Unreadable::Missing { kind, id })?;
        if found.kind != wanted {
            return Err(wrong(format!("it is a {}", found.kind)));
        }
        if found.data.len() > OBJECT_BYTES_MAX {
            return Err(wrong(format!("it has more than {OBJECT_BYTES_MAX} bytes")));
        }
        let named = gix::objs::compute_hash(own.kind(), wanted, found.data);
        if !named.is_ok_and(|named| named == own) {
            return Err(Unreadable::NotItsName { kind, id });
        }
        Ok(buffer)
    }

    /// A commit.
    ///
    /// # Errors
    /// [`Unreadable`] if it is no evidence.
    pub fn commit(&self, id: CommitId) -> Result<Arc<RawCommit>, Unreadable> {
        let bytes = self.read(id.0, Kind::Commit)?;
        parse_commit(id, bytes).map(Arc::new).map_err(|why| Unreadable::Malformed {
            kind: "commit",
            id: id.0,
            why: why.to_owned(),
        })
    }

    /// The entries of a tree, in git's order.
    ///
    /// # Errors
    /// [`Unreadable`] if it is no evidence; also if a name is there twice or could not be one of a file.
    pub fn tree(&self, id: TreeId) -> Result<Vec<RawEntry>, Unreadable> {
        let bytes = self.read(id.0, Kind::Tree)?;
        parse_tree(&bytes, id.0.as_bytes().len()).map_err(|why| Unreadable::Malformed { kind: "tree", id: id.0, why })
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// [`Unreadable`] if it is no evidence.
    pub fn blob(&self, id: BlobId) -> Result<Vec<u8>, Unreadable> {
        self.read(id.0, Kind::Blob)
    }

    /// What is at `path` below a tree.
    ///
    /// # Errors
    /// [`Unreadable`] if a tree on the way is no evidence.
    pub fn entry(&self, root: TreeId, path: &str) -> Result<Option<RawEntry>, Unreadable> {
        let mut tree = root;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let Some(found) = self.tree(tree)?.into_iter().find(|entry| entry.name == part) else { return Ok(None) };
            match parts.peek() {
                None => return Ok(Some(found)),
                Some(_) if found.is_tree() => tree = TreeId(found.id),
                Some(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The bytes of the plain file at `path` below a tree; none if there is none.
    ///
    /// # Errors
    /// [`Unreadable`] if an object on the way is no evidence.
    pub fn file(&self, root: TreeId, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        match self.entry(root, path)? {
            Some(entry) if entry.is_plain_file() => self.blob(BlobId(entry.id)).map(Some),
            Some(_) | None => Ok(None),
        }
    }

    /// The name of the code tree of a root tree: what it would be without `.handoff/`.
    ///
    /// # Errors
    /// [`Unreadable`] if the root tree is no evidence.
    pub fn code(&self, root: TreeId) -> Result<TreeId, Unreadable> {
        if let Some(known) = unpoisoned(&self.codes).get(&root) {
            return Ok(*known);
        }
        let mut bytes = Vec::new();
        for entry in self.tree(root)?.iter().filter(|entry| entry.name != HANDOFF) {
            bytes.extend_from_slice(format!("{:o} ", entry.mode).as_bytes());
            bytes.extend_from_slice(&entry.name);
            bytes.push(0);
            bytes.extend_from_slice(entry.id.as_bytes());
        }
        let named = gix::objs::compute_hash(gix_id(&root.0).kind(), Kind::Tree, &bytes);
        let code = named.map(|id| TreeId(our_id(&id))).map_err(|error| Unreadable::Malformed {
            kind: "tree",
            id: root.0,
            why: error.to_string(),
        })?;
        unpoisoned(&self.codes).insert(root, code);
        Ok(code)
    }

    /// The paths that differ between two trees. A renamed file is one removed and one added; a file that became a
    /// directory is removed, and what is in the directory added. Paths are those of the whole tree.
    ///
    /// # Errors
    /// [`Unreadable`] if a tree that differs is no evidence.
    pub fn diff(&self, before: TreeId, after: TreeId, part: Part) -> Result<Vec<RawChange>, Unreadable> {
        let mut changes = Vec::new();
        self.diff_into(Some(before), Some(after), "", part, &mut changes)?;
        Ok(changes)
    }

    fn diff_into(
        &self,
        before: Option<TreeId>,
        after: Option<TreeId>,
        below: &str,
        part: Part,
        changes: &mut Vec<RawChange>,
    ) -> Result<(), Unreadable> {
        if before == after {
            return Ok(());
        }
        if below.matches('/').count() > DEPTH_MAX {
            let id = after.or(before).expect("BUG: one of two trees that differ is there").0;
            let why = format!("it lies more than {DEPTH_MAX} directories deep");
            return Err(Unreadable::Malformed { kind: "tree", id, why });
        }
        let entries = |tree: Option<TreeId>| tree.map_or(Ok(Vec::new()), |tree| self.tree(tree));
        let mut names: BTreeMap<BString, (Option<RawEntry>, Option<RawEntry>)> = BTreeMap::new();
        let (one, two) = (entries(before)?, entries(after)?);
        let kept: HashSet<&RawEntry> = one.iter().collect();
        let same: HashSet<BString> = two.iter().filter(|e| kept.contains(e)).map(|e| e.name.clone()).collect();
        for entry in one.iter().filter(|entry| !same.contains(&entry.name)) {
            names.entry(entry.name.clone()).or_default().0 = Some(entry.clone());
        }
        for entry in two.iter().filter(|entry| !same.contains(&entry.name)) {
            names.entry(entry.name.clone()).or_default().1 = Some(entry.clone());
        }
        for (name, (one, two)) in names {
            let is_other = match part {
                Part::Whole => false,
                Part::Code => name == HANDOFF,
                Part::Handoff => name != HANDOFF,
            };
            if below.is_empty() && is_other {
                continue;
            }
            let path = format!("{below}{}", name.to_str_lossy());
            let directory = |entry: &Option<RawEntry>| entry.as_ref().filter(|e| e.is_tree()).map(|e| TreeId(e.id));
            let leaf = |entry: Option<RawEntry>| entry.filter(|entry| !entry.is_tree());
            let (from, to) = (directory(&one), directory(&two));
            let (one, two) = (leaf(one), leaf(two));
            let kind = match (&one, &two) {
                (Some(_), Some(_)) => Some(ChangeKind::Modified),
                (Some(_), None) => Some(ChangeKind::Removed),
                (None, Some(_)) => Some(ChangeKind::Added),
                (None, None) => None,
            };
            changes.extend(kind.map(|kind| RawChange { path: path.clone(), kind, after: two }));
            if from.is_some() || to.is_some() {
                self.diff_into(from, to, &format!("{path}/"), part, changes)?;
            }
        }
        Ok(())
    }

    /// Commits of which git shows another history than the one they name: by replacement, by graft.
    pub fn rewritten(&self) -> HashMap<CommitId, &'static str> {
        let mut found = HashMap::new();
        for (name, _) in self.repository.references("refs/replace/").unwrap_or_default() {
            if let Some(id) = name.rsplit('/').next().and_then(|id| id.parse().ok()) {
                found.insert(id, "refs/replace");
            }
        }
        for line in self.lines("info/grafts") {
            if let Some(id) = line.split_whitespace().next().and_then(|id| id.parse().ok()) {
                found.insert(id, "info/grafts");
            }
        }
        found
    }

    /// Commits at which this repository's history was cut off.
    pub fn shallow(&self) -> HashSet<CommitId> {
        self.lines("shallow").iter().filter_map(|line| line.trim().parse().ok()).collect()
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let path = self.repository.common_dir().join(file);
        let is_right = fs::metadata(&path).is_ok_and(|found| found.len() <= LIST_BYTES_MAX as u64);
        let text = if is_right { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }
}

/// Which part of two trees is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// All but `.handoff/` at the root.
    Code,
    /// `.handoff/` alone.
    Handoff,
}

impl std::hash::Hash for RawEntry {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.id.hash(state);
    }
}

fn parse_commit(id: CommitId, bytes: Vec<u8>) -> Result<RawCommit, &'static str> {
    let end = bytes.find(b"\n\n").ok_or("it has no message")?;
    let mut commit = RawCommit {
        id,
        tree: TreeId(id.0),
        parents: Vec::new(),
        author: Named::default(),
        committer: Named::default(),
        headers: Vec::new(),
        message: bytes[end + 2..].to_str_lossy().into_owned(),
        bytes: Vec::new(),
    };
    let mut tree = None;
    for line in bytes[..end].lines() {
        if line.starts_with(b" ") {
            continue;
        }
        let (name, value) = line.split_once_str(" ").unwrap_or((line, b""));
        let object = || value.to_str().ok().and_then(|id| id.parse::<ObjectId>().ok());
        match name {
            b"tree" if tree.is_some() => return Err("it has two trees"),
            b"tree" => tree = Some(TreeId(object().ok_or("its tree is no name")?)),
            b"parent" => commit.parents.push(CommitId(object().ok_or("a parent is no name")?)),
            b"author" => commit.author = named(value).ok_or("its author cannot be read")?,
            b"committer" => commit.committer = named(value).ok_or("its committer cannot be read")?,
            _ => {}
        }
        commit.headers.push(name.to_str_lossy().into_owned());
    }
    commit.tree = tree.ok_or("it has no tree")?;
    commit.bytes = bytes;
    Ok(commit)
}

fn named(value: &[u8]) -> Option<Named> {
    let text = value.to_str_lossy();
    let (name, rest) = text.split_once('<')?;
    let (email, rest) = rest.split_once('>')?;
    let seconds = rest.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    Some(Named { name: name.trim_end().to_owned(), email: email.to_owned(), seconds })
}

fn parse_tree(bytes: &[u8], id_bytes: usize) -> Result<Vec<RawEntry>, String> {
    let mut entries: Vec<RawEntry> = Vec::new();
    let mut rest = bytes;
    // As git sorts: a directory as if its name ended in '/'.
    let key = |entry: &RawEntry| {
        let mut key = entry.name.clone();
        key.push(if entry.is_tree() { b'/' } else { 0 });
        key
    };
    while !rest.is_empty() {
        let (mode, after) = rest.split_once_str(" ").ok_or("an entry has no mode")?;
        let end = after.find_byte(0).ok_or("an entry has no name")?;
        let (name, after) = (&after[..end], &after[end + 1..]);
        if after.len() < id_bytes {
            return Err("an entry is cut off".to_owned());
        }
        let mode = mode.to_str().ok().and_then(|mode| u32::from_str_radix(mode, 8).ok()).unwrap_or(0);
        if !matches!(mode, 0o40000 | 0o100644 | 0o100755 | 0o100664 | 0o120000 | 0o160000) {
            return Err(format!("the mode {mode:o} is none"));
        }
        if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
            return Err(format!("'{}' cannot be a name in it", name.to_str_lossy().escape_debug()));
        }
        let id = ObjectId::from_bytes(&after[..id_bytes]).map_err(|error| error.to_string())?;
        let entry = RawEntry { name: name.into(), mode, id };
        let disordered = entries.last().is_some_and(|last| key(last) >= key(&entry));
        // A file and a directory of one name need not stand side by side.
        let mut near = entries.iter().rev().take_while(|other| other.name.starts_with(&entry.name));
        if disordered || near.any(|other| other.name == entry.name) {
            return Err(format!("'{}' is there twice or out of order", name.to_str_lossy().escape_debug()));
        }
        entries.push(entry);
        rest = &after[id_bytes..];
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: &str, name: &str) -> Vec<u8> {
        [mode.as_bytes(), b" ", name.as_bytes(), &[0], &[7; 20]].concat()
    }

    #[test]
    fn trees_that_can_be_read_in_two_ways_are_refused() {
        let check = |entries: &[Vec<u8>]| parse_tree(&entries.concat(), 20).map(|entries| entries.len());
        assert_eq!(check(&[entry("100644", "a"), entry("40000", "b"), entry("120000", "c")]), Ok(3));
        assert_eq!(check(&[entry("100644", "a.b"), entry("40000", "a"), entry("100644", "a0")]), Ok(3));
        for bad in [
            vec![entry("100644", "a"), entry("100644", "a")],
            vec![entry("100644", "a"), entry("40000", "a")],
            vec![entry("100644", "a"), entry("100644", "a.b"), entry("40000", "a")],
            vec![entry("100644", "b"), entry("100644", "a")],
            vec![entry("100644", "..")],
            vec![entry("100644", "a/b")],
            vec![entry("100600", "a")],
            vec![entry("100644", "a")[..12].to_vec()],
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_commit_is_taken_apart() {
        let id: CommitId = "1".repeat(40).parse().expect("a name");
        let text = format!(
            "tree {0}\nparent {0}\nauthor A B <a@x> 5 +0000\ncommitter C <c@x> 6 +0100\ngpgsig x\n y\n\nwords\n\nmore\n",
            "2".repeat(40)
        );
        let commit = parse_commit(id, text.clone().into_bytes()).expect("it is right");
        assert_eq!(commit.headers, ["tree", "parent", "author", "committer", "gpgsig"]);
        assert_eq!((commit.author.name.as_str(), commit.committer.email.as_str()), ("A B", "c@x"));
        assert_eq!((commit.committer.seconds, commit.message.as_str()), (6, "words\n\nmore\n"));
        let twice = format!("tree {}\n{text}", "3".repeat(40));
        assert!(parse_commit(id, twice.into_bytes()).is_err());
    }
}
