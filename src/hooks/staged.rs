//! What is about to be committed: secrets in what is staged, beside what was there before.
//! Touches neither the index nor a file; the gate's part is another's.

use crate::{
    git::{ChangeKind, EntryKind, GitError, Repository},
    model::object::{BlobId, TreeId},
    secrets::{Comments, Finding, Scanner},
};

/// Bytes of a staged file that are looked at; a larger one is data.
const FILE_BYTES_MAX: usize = 32 << 20;

/// Secrets in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFile {
    /// Its path.
    pub path: String,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// The secrets that are new in `after`.
///
/// # Errors
/// If an object cannot be read.
pub fn secrets(
    repository: &Repository,
    scanner: &Scanner,
    before: Option<TreeId>,
    after: TreeId,
) -> Result<Vec<InFile>, GitError> {
    let mut found = Vec::new();
    let read = |tree: TreeId, path: &str| -> Result<Option<Vec<u8>>, GitError> {
        let entry = repository.entry(tree, path)?;
        let entry = entry.filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable));
        entry.map(|entry| repository.blob(BlobId(entry.id))).transpose()
    };
    let paths: Vec<String> = match before {
        Some(before) if before == after => Vec::new(),
        Some(before) => {
            let changes = repository.changed_paths(before, after)?.into_iter();
            changes.filter(|change| change.kind != ChangeKind::Removed).map(|change| change.path).collect()
        }
        None => repository.files(after)?.into_iter().map(|(path, ..)| path).collect(),
    };
    for path in paths {
        let Some(content) = read(after, &path)?.filter(|content| content.len() <= FILE_BYTES_MAX) else { continue };
        let mut findings = scanner.scan_file(&path, &content, Comments::Heeded);
        if findings.is_empty() {
            continue;
        }
        if let Some(known) = before.map(|before| read(before, &path)).transpose()?.flatten() {
            findings.retain(|finding| memchr::memmem::find(&known, &content[finding.range.clone()]).is_none());
        }
        if !findings.is_empty() {
            found.push(InFile { path, findings });
        }
    }
    Ok(found)
}
