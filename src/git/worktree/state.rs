//! What a slot's own file says: which commit we checked out, whatever HEAD says since.
//! Knows nothing of the files. It lies in the slot's administrative directory, out of the worktree.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use gix::ObjectId;

const FILE: &str = "orchestrate";

/// A slot's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// This commit, with this tree, was checked out.
    At(ObjectId, ObjectId),
    /// Files were being changed from the first to the second.
    Between((ObjectId, ObjectId), (ObjectId, ObjectId)),
}

/// Writes it in place: no other file is worth the price of a new one, and half a line is not understood.
pub(super) fn write(admin: &Path, state: State) -> io::Result<()> {
    let line = match state {
        State::At(commit, tree) => format!("at {commit} {tree}"),
        State::Between(from, to) => format!("between {} {} {} {}", from.0, from.1, to.0, to.1),
    };
    // As long as the longest, so that what is left of the line before never counts.
    let line = format!("{line:<280}\n");
    let mut file = fs::File::options().write(true).create(true).truncate(false).open(admin.join(FILE))?;
    file.write_all(line.as_bytes())
}

/// Reads it; none if there is none or it cannot be understood.
pub(super) fn read(admin: &Path) -> Option<State> {
    let text = fs::read_to_string(admin.join(FILE)).ok()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    let id = |hex: &str| ObjectId::from_hex(hex.as_bytes()).ok();
    match words.as_slice() {
        ["at", commit, tree] => Some(State::At(id(commit)?, id(tree)?)),
        ["between", a, b, c, d] => Some(State::Between((id(a)?, id(b)?), (id(c)?, id(d)?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_written_and_half_of_it_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        assert_eq!(read(dir.path()), None);
        for state in [State::Between((id(1), id(2)), (id(3), id(4))), State::At(id(5), id(6))] {
            write(dir.path(), state).unwrap();
            assert_eq!(read(dir.path()), Some(state));
        }
        fs::write(dir.path().join(FILE), "at 0505").unwrap();
        assert_eq!(read(dir.path()), None);
    }
}
