//! Renames that git sees and gix does not see, or sees otherwise: of a content that went to several places, and of binary
//! files that changed on the way. Knows nothing of what is merged; it says what became what.

use std::collections::{BTreeMap, HashMap};

use gix::{ObjectId, bstr::ByteSlice};

use super::{error::GitError, odb::read_blob, tree::LeafChange};

/// Bytes of a file's start in which a NUL says that it is binary, as git looks for one.
const PROBE_BYTES: usize = 8000;
/// Bytes of a file up to which it is compared with others.
const COMPARED_BYTES_MAX: usize = 16 << 20;
/// Pairs of binary files that are compared; beyond, git gives up too.
const PAIRS_MAX: usize = 1000 * 1000;
/// Bytes of a piece of a binary file at most; a line ends one too.
const PIECE_BYTES_MAX: usize = 64;

/// A file that one side moved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rename<'a> {
    pub from: &'a LeafChange,
    pub to: &'a LeafChange,
}

/// The renames of one side that have to be told apart because one content was removed or added in several places, and the
/// other side changed one of the files.
pub(super) fn ambiguous<'a>(side: &'a [LeafChange], other: &[LeafChange]) -> Vec<Rename<'a>> {
    let mut groups: BTreeMap<ObjectId, (Vec<&LeafChange>, Vec<&LeafChange>)> = BTreeMap::new();
    for change in side {
        match (change.before, change.after) {
            (Some((mode, id)), None) if mode.is_blob() => groups.entry(id).or_default().0.push(change),
            (None, Some((mode, id))) if mode.is_blob() => groups.entry(id).or_default().1.push(change),
            _ => {}
        }
    }
    let is_changed = |change: &LeafChange| {
        let at = other.binary_search_by(|other| other.path.cmp(&change.path)).ok();
        at.is_some_and(|at| other[at].after.is_some_and(|(mode, _)| mode.is_blob()))
    };
    let mut renames = Vec::new();
    for (id, (gone, mut come)) in groups {
        let is_clear = gone.is_empty() || come.is_empty() || (gone.len() == 1 && come.len() == 1);
        if is_clear || id.is_empty_blob() || !gone.iter().any(|change| is_changed(change)) {
            continue;
        }
        // git looks last into directories in which only one side did anything.
        come.sort_by_key(|change| is_alone(change, other));
        renames.extend(paired(gone, &come).into_iter().filter(|rename| is_changed(rename.from)));
    }
    renames
}

/// Whether a directory on the way to a file has no change of the other side's.
fn is_alone(change: &LeafChange, other: &[LeafChange]) -> bool {
    change.path.find_iter(b"/").any(|at| {
        let (dir, below) = (&change.path[..at], &change.path[..=at]);
        let next = other.partition_point(|other| other.path.as_slice() < below);
        let is_file = other.binary_search_by(|other| other.path.as_slice().cmp(dir)).is_ok();
        !is_file && !other.get(next).is_some_and(|other| other.path.starts_with(below))
    })
}

/// As git pairs files of one content: each place, by path, takes the first that is left, one of its own name if there is one.
fn paired<'a>(mut gone: Vec<&'a LeafChange>, come: &[&'a LeafChange]) -> Vec<Rename<'a>> {
    let mut renames = Vec::new();
    for to in come {
        if gone.is_empty() {
            break;
        }
        let namesake = gone.iter().position(|from| name(from) == name(to));
        renames.push(Rename { from: gone.remove(namesake.unwrap_or(0)), to });
    }
    renames
}

fn name(change: &LeafChange) -> &[u8] {
    change.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Binary files that one side moved and changed, each with the most alike of the new ones. Only of those that the other side
/// touched too.
pub(super) fn binary<'a>(
    objects: &gix::Repository,
    side: &'a [LeafChange],
    other: &[LeafChange],
) -> Result<Vec<Rename<'a>>, GitError> {
    let is_touched = |change: &LeafChange| other.binary_search_by(|other| other.path.cmp(&change.path)).is_ok();
    let come: Vec<&LeafChange> = side
        .iter()
        .filter(|change| change.before.is_none() && change.after.is_some_and(|(mode, _)| mode.is_blob()))
        .collect();
    let gone = side.iter().filter(|change| change.after.is_none() && is_touched(change));
    let gone = gone.filter_map(|change| Some((change, change.before.filter(|(mode, _)| mode.is_blob())?.1)));
    let mut renames = Vec::new();
    let mut pairs = 0;
    for (from, id) in gone {
        if come.iter().any(|to| to.after.is_some_and(|(_, other)| other == id)) {
            continue;
        }
        let Some(old) = binary_pieces(objects, id)? else { continue };
        let mut best: Option<(u64, &LeafChange)> = None;
        for to in &come {
            pairs += 1;
            let (Some((_, id)), true) = (to.after, pairs <= PAIRS_MAX) else { continue };
            let Some(new) = binary_pieces(objects, id)? else { continue };
            let alike = old.shared(&new);
            if alike * 2 >= old.bytes.max(new.bytes) && best.is_none_or(|(most, _)| alike > most) {
                best = Some((alike, to));
            }
        }
        renames.extend(best.map(|(_, to)| Rename { from, to }));
    }
    Ok(renames)
}

/// A file in pieces, each with how many bytes of it there are.
struct Pieces {
    bytes: u64,
    counts: HashMap<Vec<u8>, u64>,
}

impl Pieces {
    fn of(content: &[u8]) -> Self {
        let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
        let mut rest = content;
        while !rest.is_empty() {
            let most = &rest[..rest.len().min(PIECE_BYTES_MAX)];
            let length = most.find_byte(b'\n').map_or(most.len(), |at| at + 1);
            *counts.entry(rest[..length].to_vec()).or_default() += length as u64;
            rest = &rest[length..];
        }
        Self { bytes: content.len() as u64, counts }
    }

    /// Bytes that are in both.
    fn shared(&self, other: &Self) -> u64 {
        self.counts.iter().filter_map(|(piece, count)| Some(*count.min(other.counts.get(piece)?))).sum()
    }
}

/// None for a text, which gix compares itself, and for what is too large.
fn binary_pieces(objects: &gix::Repository, id: ObjectId) -> Result<Option<Pieces>, GitError> {
    let blob = read_blob(objects, id)?;
    let is_binary = blob[..blob.len().min(PROBE_BYTES)].contains(&0);
    Ok((is_binary && blob.len() <= COMPARED_BYTES_MAX).then(|| Pieces::of(&blob)))
}

#[cfg(test)]
mod tests {
    use gix::objs::tree::EntryKind;

    use super::*;

    fn change(path: &str, before: Option<u8>, after: Option<u8>) -> LeafChange {
        let leaf = |byte: u8| (EntryKind::Blob.into(), ObjectId::from_bytes_or_panic(&[byte; 20]));
        LeafChange { path: path.into(), before: before.map(leaf), after: after.map(leaf) }
    }

    fn check(side: &[LeafChange], other: &[LeafChange], wanted: &str) {
        let told = ambiguous(side, other).iter().map(|r| format!("{}>{}", r.from.path, r.to.path)).collect::<Vec<_>>();
        assert_eq!(told.join(" "), wanted);
    }

    #[test]
    fn a_content_in_two_places_is_renamed_to_the_first_where_both_sides_were() {
        let other = [change("m/old", Some(1), Some(9)), change("z/other", Some(2), Some(3))];
        let side = [change("a/new", None, Some(1)), change("m/old", Some(1), None), change("z/new", None, Some(1))];
        check(&side, &other, "m/old>z/new");
        check(&side, &other[..1], "m/old>a/new");
        check(&side, &[], "");
        check(&side[..2], &other, "");
        let namesakes = [
            change("a/one", Some(1), None),
            change("b/two", Some(1), None),
            change("c/two", None, Some(1)),
            change("d/x", None, Some(1)),
        ];
        let other = [change("a/one", Some(1), Some(8)), change("b/two", Some(1), Some(9))];
        check(&namesakes, &other, "b/two>c/two a/one>d/x");
    }

    #[test]
    fn what_two_files_share_is_counted_in_pieces() {
        let (one, two) = (Pieces::of(b"a\nb\nc\n"), Pieces::of(b"b\nx\nb\n"));
        assert_eq!((one.shared(&two), two.shared(&one)), (2, 2));
        assert_eq!(Pieces::of(&[0; 130]).counts.values().sum::<u64>(), 130);
    }
}
