//! Finds what an agent should read before it begins: the project's rules, and the files that the task names.
//! Does not know where the files come from; the caller reads them, from the tree that the work starts from.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use super::{ContextError, ContextFileText, FileText, Rule};
use crate::model::{object::BlobId, task::Task};

/// Files in which projects keep their rules, the most binding first.
const RULE_FILES: [&str; 5] =
    ["AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md", ".github/CONTRIBUTING.md", "docs/CONTRIBUTING.md"];
/// Bytes a file may have to be given whole.
const FILE_BYTES_MAX: usize = 48 << 10;
/// Files that are read in search of content to give.
const FILES_READ_MAX: usize = 64;
/// Bytes of content after which files are only named; a prompt has its own, tighter measure.
const CONTENT_BYTES_MAX: usize = 128 << 10;
/// Files that are named.
const PATHS_MAX: usize = 400;
/// Bytes of a file's start in which a NUL says that it is no text, as git looks for one.
const BINARY_PROBE_BYTES: usize = 8000;

/// A way to read the files of one tree.
pub trait Files {
    /// The file's blob and content; none if there is no such file.
    fn read(&self, path: &str) -> Option<(BlobId, Vec<u8>)>;
    /// The paths of all files, relative to the root, with `/`.
    fn list(&self) -> Vec<String>;
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// The project's rules, the most binding first.
    pub rules: Vec<Rule>,
    /// The files that the task names in `context`, in the order of its globs, then by path.
    pub files: Vec<ContextFileText>,
    /// Globs that no file matches, and files that were not even named.
    pub missing: Vec<String>,
}

/// What an agent should read for a task.
///
/// All files are listed only if the task has a glob that needs it.
///
/// # Errors
/// A glob that cannot be read.
pub fn survey(files: &dyn Files, task: &Task) -> Result<Survey, ContextError> {
    let mut survey = Survey { rules: rules(files), ..Survey::default() };
    let (mut listed, mut read, mut used) = (None, 0, 0);
    for glob in &task.context {
        let set = compiled(task, glob)?;
        let is_path = !glob.contains(['*', '?', '[', '{', '\\']);
        let direct = is_path.then(|| plain(glob)).and_then(|path| Some((path, files.read(path)?)));
        let mut found = match direct {
            Some((path, content)) => vec![(path.to_owned(), Some(content))],
            None => {
                let all: &Vec<String> = listed.get_or_insert_with(|| files.list());
                all.iter().filter(|path| set.is_match(path)).map(|path| (path.clone(), None)).collect()
            }
        };
        found.retain(|(path, _)| !path.starts_with(".handoff/"));
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        if found.is_empty() {
            survey.missing.push(format!("no file matches '{glob}'"));
        }
        for (path, content) in found {
            if survey.files.iter().any(|file| file.path == path) {
                continue;
            }
            if survey.files.len() == PATHS_MAX {
                survey.missing.push(format!("more than {PATHS_MAX} files match the task's 'context'"));
                return Ok(survey);
            }
            let may_read = read < FILES_READ_MAX && used < CONTENT_BYTES_MAX;
            read += 1;
            let content = content.or_else(|| may_read.then(|| files.read(&path))?);
            let Some((blob, bytes)) = content else {
                survey.files.push(ContextFileText { path, content: None });
                continue;
            };
            if is_binary(&bytes) {
                continue;
            }
            let fits = bytes.len() <= FILE_BYTES_MAX && used + bytes.len() <= CONTENT_BYTES_MAX;
            used += if fits { bytes.len() } else { 0 };
            let content = fits.then(|| FileText { blob, text: String::from_utf8_lossy(&bytes).into_owned() });
            survey.files.push(ContextFileText { path, content });
        }
    }
    Ok(survey)
}

/// The rule files that are there and say something of their own.
fn rules(files: &dyn Files) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for path in RULE_FILES {
        let Some((blob, bytes)) = files.read(path) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // Many projects keep one file and let the other names point to it, as a link, a copy or an import.
        let is_pointer = RULE_FILES.contains(&text.trim().trim_start_matches(['@', '.', '/']));
        let is_copy = rules.iter().any(|rule| rule.blob == Some(blob));
        if !text.trim().is_empty() && !is_pointer && !is_copy && !is_binary(&bytes) {
            rules.push(Rule { source: path.to_owned(), blob: Some(blob), text });
        }
    }
    rules
}

/// A glob as people write paths: `./src/` is `src`, and a directory stands for all that is in it.
fn plain(glob: &str) -> &str {
    glob.trim_start_matches("./").trim_matches('/')
}

fn compiled(task: &Task, glob: &str) -> Result<GlobSet, ContextError> {
    let wrong = |error: globset::Error| ContextError::Glob {
        task: task.id.clone(),
        glob: glob.to_owned(),
        why: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for glob in [plain(glob).to_owned(), format!("{}/**", plain(glob))] {
        set.add(GlobBuilder::new(&glob).literal_separator(true).build().map_err(wrong)?);
    }
    set.build().map_err(wrong)
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(BINARY_PROBE_BYTES)].contains(&0)
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeMap};

    use super::*;

    #[derive(Default)]
    struct Tree {
        files: BTreeMap<String, Vec<u8>>,
        reads: Cell<usize>,
        lists: Cell<usize>,
    }

    impl Tree {
        fn of(files: &[(&str, &[u8])]) -> Self {
            let files = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
            Self { files, ..Self::default() }
        }
    }

    fn blob_of(bytes: &[u8]) -> BlobId {
        crate::model::object::Digest::of(bytes).0["sha256:".len()..].parse().expect("64 hex digits")
    }

    impl Files for Tree {
        fn read(&self, path: &str) -> Option<(BlobId, Vec<u8>)> {
            self.reads.set(self.reads.get() + 1);
            self.files.get(path).map(|bytes| (blob_of(bytes), bytes.clone()))
        }
        fn list(&self) -> Vec<String> {
            self.lists.set(self.lists.get() + 1);
            self.files.keys().cloned().collect()
        }
    }

    fn task(context: &[&str]) -> Task {
        let mut task = Task::new("T-1".parse().expect("an id"), "title");
        task.context = context.iter().map(|glob| (*glob).to_owned()).collect();
        task
    }

    fn check(tree: &Tree, context: &[&str]) -> String {
        let survey = survey(tree, &task(context)).expect("the globs are good");
        let file = |file: &ContextFileText| match &file.content {
            Some(content) => format!("{}={}", file.path, content.text.escape_debug()),
            None => file.path.clone(),
        };
        let rules = survey.rules.iter().map(|rule| format!("[{}]", rule.source));
        rules.chain(survey.files.iter().map(file)).chain(survey.missing).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rules_are_given_once() {
        let tree =
            Tree::of(&[("AGENTS.md", b"be kind"), ("CLAUDE.md", b"@AGENTS.md\n"), ("CONTRIBUTING.md", b"be kind")]);
        assert_eq!(check(&tree, &[]), "[AGENTS.md]");
        assert_eq!(tree.lists.get(), 0, "nothing asked for a list of all files");
        let tree = Tree::of(&[("CLAUDE.md", b"tests first"), ("docs/CONTRIBUTING.md", b"sign"), ("AGENTS.md", b" \n")]);
        assert_eq!(check(&tree, &[]), "[CLAUDE.md] [docs/CONTRIBUTING.md]");
    }

    #[test]
    fn globs_name_files_and_directories() {
        let tree = Tree::of(&[
            (".handoff/config.toml", b"secret plan"),
            ("src/a.rs", b"a"),
            ("src/deep/b.rs", b"b"),
            ("src/logo.png", b"\x89PNG\0"),
            ("latin1.txt", b"caf\xe9"),
        ]);
        for (context, found) in [
            (&["src/a.rs"] as &[&str], "src/a.rs=a"),
            (&["./src/"], "src/a.rs=a src/deep/b.rs=b"),
            (&["src/*.rs"], "src/a.rs=a"),
            (&["**/*.rs", "src/a.rs"], "src/a.rs=a src/deep/b.rs=b"),
            (&["latin1.txt"], "latin1.txt=caf\u{fffd}"),
            (&["nowhere/**"], "no file matches 'nowhere/**'"),
            (&[".handoff/config.toml"], "no file matches '.handoff/config.toml'"),
            (&[".handoff"], "no file matches '.handoff'"),
        ] {
            assert_eq!(check(&tree, context), found, "{context:?}");
        }
        let error = survey(&tree, &task(&["src/[a"])).expect_err("a class that is not closed");
        assert!(
            error.to_string().starts_with("task 'T-1' names 'src/[a' in 'context', which is not a glob: "),
            "{error}"
        );
    }

    #[test]
    fn reading_is_bounded() {
        let mut tree = Tree::of(&[("huge.txt", &vec![b'x'; 10 << 20])]);
        assert_eq!(check(&tree, &["huge.txt"]), "huge.txt");
        for i in 0..500 {
            tree.files.insert(format!("src/{i:03}.rs"), vec![b'y'; 1 << 10]);
        }
        tree.reads.set(0);
        let survey = survey(&tree, &task(&["**"])).expect("a good glob");
        assert_eq!(survey.files.len(), PATHS_MAX);
        assert_eq!(survey.missing.len(), 1);
        assert!(tree.reads.get() <= FILES_READ_MAX + RULE_FILES.len());
    }
}
