//! What git tells a pre-push hook: one line for each ref, all of which count.
//! Knows nothing of what may be pushed.

use crate::model::object::ObjectId;

/// Bytes of what git tells that are read; a hundred thousand refs fit.
pub const INPUT_BYTES_MAX: usize = 16 << 20;

/// One ref that is to be moved on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The ref there: `refs/heads/main`.
    pub name: String,
    /// What it stands at there; none: it is new.
    pub old: Option<ObjectId>,
    /// What it shall stand at; none: it is to be deleted.
    pub new: Option<ObjectId>,
}

/// Input that is not what git tells.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of what git tells is not '<local ref> <object> <remote ref> <object>'")]
pub struct BadLine {
    /// The line, from 1.
    pub line: usize,
}

/// Reads `<local ref> <local object> <remote ref> <remote object>` lines.
///
/// # Errors
/// [`BadLine`]: what is not understood cannot be judged.
pub fn parse(input: &[u8]) -> Result<Vec<Update>, BadLine> {
    let lines = input.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
    lines.map(|(at, line)| update(line).ok_or(BadLine { line: at + 1 })).collect()
}

fn update(line: &[u8]) -> Option<Update> {
    let line = String::from_utf8_lossy(line);
    // From the end: a local name may be a revision with spaces, such as `HEAD@{2 days ago}`.
    let mut words = line.rsplitn(4, ' ');
    let (old, name, new) = (words.next()?, words.next()?, words.next()?);
    let local = words.next()?;
    let old = object(old)?;
    let new = object(new)?;
    (!local.is_empty() && name.starts_with("refs/")).then(|| Update { name: name.to_owned(), old, new })
}

/// None outside: no object; none inside: the name of nothing, of as many zeros as this repository's names are long.
fn object(word: &str) -> Option<Option<ObjectId>> {
    let id: ObjectId = word.parse().ok()?;
    Some((!id.as_bytes().iter().all(|byte| *byte == 0)).then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, wanted: &str) {
        let short = |id: Option<ObjectId>| id.map_or("-".to_owned(), |id| id.to_string()[..2].to_owned());
        let said = match parse(input.as_bytes()) {
            Ok(updates) => {
                let lines = updates.into_iter().map(|u| format!("{} {} {}", u.name, short(u.old), short(u.new)));
                lines.collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(said, wanted, "{input}");
    }

    #[test]
    fn lines_of_every_kind() {
        let (a, b) = ("aa".repeat(20), "bb".repeat(32));
        let (zero, long_zero) = ("0".repeat(40), "0".repeat(64));
        check("", "");
        check(&format!("refs/heads/x {a} refs/heads/y {zero}\n"), "refs/heads/y - aa");
        check(
            &format!("(delete) {long_zero} refs/tags/v1 {b}\nHEAD@{{1 day ago}} {a} refs/heads/z {a}\n"),
            "refs/tags/v1 bb -, refs/heads/z aa aa",
        );
        for bad in ["x\n", "a b c d\n", &format!("{a} refs/heads/y {zero}\n"), &format!("r {a} heads/y {zero}")] {
            check(bad, "line 1 of what git tells is not '<local ref> <object> <remote ref> <object>'");
        }
    }
}
