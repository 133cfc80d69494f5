//! What `init` makes under `.handoff/`. Done twice it changes nothing.
//! Knows nothing of what is on the machine; it is told what was found.

use std::path::Path;

use super::{disk, error::HandoffError, layout};
use crate::config::template::{InitChoices, initial_config};

/// One file or directory, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Relative to the root.
    pub path: String,
    /// What became of it.
    pub how: How,
}

/// What became of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was not there.
    Created,
    /// It was there and is as it was.
    Kept,
    /// A line was added to it.
    Extended,
}

/// Makes what is missing: the configuration, the directory of tasks, and the line of a signing key among those allowed.
///
/// # Errors
/// The first that could not be made; what was made before it stays.
pub fn init(root: &Path, choices: &InitChoices, signer: Option<&str>) -> Result<Vec<Made>, HandoffError> {
    let mut made = vec![config(root, choices)?, tasks(root)?];
    made.extend(signer.map(|line| allow_signer(root, line)).transpose()?);
    Ok(made)
}

fn config(root: &Path, choices: &InitChoices) -> Result<Made, HandoffError> {
    let how = match disk::write_new(root, layout::CONFIG, &initial_config(choices)) {
        Ok(()) => How::Created,
        Err(HandoffError::Exists(_)) => How::Kept,
        Err(error) => return Err(error),
    };
    Ok(Made { path: layout::CONFIG.to_owned(), how })
}

fn tasks(root: &Path) -> Result<Made, HandoffError> {
    let how = if root.join(layout::TASKS).is_dir() { How::Kept } else { How::Created };
    disk::ensure_dir(root, layout::TASKS)?;
    Ok(Made { path: layout::TASKS.to_owned(), how })
}

/// Adds a line of ssh's allowed-signers format, if it is not there.
///
/// # Errors
/// The file cannot be read or written.
pub fn allow_signer(root: &Path, line: &str) -> Result<Made, HandoffError> {
    let there = disk::read_text(root, layout::ALLOWED_SIGNERS)?;
    let made = |how| Ok(Made { path: layout::ALLOWED_SIGNERS.to_owned(), how });
    let text = there.as_deref().unwrap_or_default();
    if text.lines().any(|known| known.trim() == line.trim()) {
        return made(How::Kept);
    }
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    disk::write_over(root, layout::ALLOWED_SIGNERS, &format!("{text}{gap}{}\n", line.trim()))?;
    made(if there.is_some() { How::Extended } else { How::Created })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_is_as_once() {
        let root = tempfile::tempdir().expect("a directory");
        let how = |signer| {
            let made = init(root.path(), &InitChoices::default(), Some(signer)).expect("it is made");
            made.iter().map(|made| made.how).collect::<Vec<_>>()
        };
        assert_eq!(how("a ssh-ed25519 AAAA"), [How::Created, How::Created, How::Created]);
        assert_eq!(how("a ssh-ed25519 AAAA"), [How::Kept, How::Kept, How::Kept]);
        std::fs::write(root.path().join(layout::CONFIG), "version = 1\n").expect("written");
        std::fs::write(root.path().join(layout::ALLOWED_SIGNERS), "a ssh-ed25519 AAAA").expect("written");
        assert_eq!(how("b ssh-ed25519 BBBB"), [How::Kept, How::Kept, How::Extended]);
        let read = |name| std::fs::read_to_string(root.path().join(name)).expect("a text");
        assert_eq!(read(layout::CONFIG), "version = 1\n");
        assert_eq!(read(layout::ALLOWED_SIGNERS), "a ssh-ed25519 AAAA\nb ssh-ed25519 BBBB\n");
    }

    #[test]
    fn a_link_out_of_the_repository_is_not_followed() {
        let (root, elsewhere) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join(layout::DIR)).expect("a link");
        let refused = init(root.path(), &InitChoices::default(), None);
        assert!(matches!(refused, Err(HandoffError::Outside(_))), "{refused:?}");
        assert_eq!(std::fs::read_dir(elsewhere.path()).expect("a directory").count(), 0);
    }
}
