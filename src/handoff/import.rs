//! Takes files of prompts into the queue: Markdown and task files, one by one or a directory of them.
//! Knows nothing of other forms of queues; what it cannot take it names, with what it can.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    disk,
    error::HandoffError,
    tasks::{Format, Queue, parse},
};
use crate::{
    config::{
        document::{TEXT_BYTES_MAX, too_long},
        problem::Problem,
    },
    handoff::tasks::{FieldValue, set_fields},
    model::task::{TASK_ID_LENGTH_MAX, Task, TaskId},
    sys::file,
};

/// Files one import may bring.
pub const IMPORT_FILES_MAX: usize = 10_000;
/// What may be imported, for messages.
const ACCEPTED: &str = "give files that end in .md or .toml, or a directory of them";

/// What an import will do. Nothing is written before [`Import::commit`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// Every file, in the order it was given.
    pub items: Vec<ImportItem>,
}

/// One file of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportItem {
    /// Where it comes from.
    pub source: PathBuf,
    /// The task it becomes.
    pub task: Task,
    /// How it is written down.
    pub format: Format,
    /// The text that is written.
    pub text: String,
    /// The same task is in the queue already; it is passed over.
    pub already_there: bool,
}

/// Reads what shall be imported and compares it with the queue.
///
/// # Errors
/// Everything that is wrong with any of it: what cannot be imported, and ids that stand for another task already.
pub fn prepare(sources: &[PathBuf], queue: &Queue) -> Result<Import, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        match files_of(source) {
            Ok(found) => files.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if files.len() > IMPORT_FILES_MAX {
        let what = format!("there are more than {IMPORT_FILES_MAX} files to import");
        return Err(vec![Problem::new(shown(&sources[0]), what)]);
    }
    let mut import = Import::default();
    let mut taken: BTreeMap<String, PathBuf> = BTreeMap::new();
    for source in files {
        match read(&source) {
            Err(found) => problems.extend(found),
            Ok(mut item) => {
                let key = item.task.id.as_str().to_lowercase();
                if let Some(first) = taken.get(&key) {
                    let what = format!("'{}' gives a task of the same id '{}'", shown(first), item.task.id);
                    problems.push(Problem::new(shown(&source), what).hint("rename one of them".to_owned()));
                    continue;
                }
                match clash(&item, queue) {
                    Ok(already_there) => item.already_there = already_there,
                    Err(problem) => problems.push(problem),
                }
                taken.insert(key, source);
                import.items.push(item);
            }
        }
    }
    if problems.is_empty() { Ok(import) } else { Err(problems) }
}

impl Import {
    /// Writes the new tasks and says into which files, relative to the root. Done twice, the second time finds them there.
    ///
    /// # Errors
    /// The first that could not be written; those before it stay, and are passed over when it is done again.
    pub fn commit(&self, root: &Path) -> Result<Vec<PathBuf>, HandoffError> {
        let new = self.items.iter().filter(|item| !item.already_there);
        new.map(|item| super::tasks::write_new_text(root, &item.task.id, item.format, &item.text)).collect()
    }
}

/// Whether the queue has this task; an error if its id stands for another.
fn clash(item: &ImportItem, queue: &Queue) -> Result<bool, Problem> {
    let same = |id: &TaskId| id.as_str().eq_ignore_ascii_case(item.task.id.as_str());
    let Some(there) = queue.tasks.iter().find(|queued| same(&queued.task.id)) else { return Ok(false) };
    if there.task == item.task {
        return Ok(true);
    }
    let what = format!("task '{}' is there already and says something else: {}", there.task.id, there.file.display());
    let hint = "rename one of them, or take the changes over by hand".to_owned();
    Err(Problem::new(shown(&item.source), what).hint(hint))
}

fn files_of(source: &Path) -> Result<Vec<PathBuf>, Problem> {
    let wrong = |what: String| Problem::new(shown(source), what).hint(ACCEPTED.to_owned());
    let found = fs::metadata(source).map_err(|error| wrong(format!("cannot import this: {}", disk::reason(&error))))?;
    if !found.is_dir() {
        return match Format::of(source) {
            Some(_) => Ok(vec![source.to_owned()]),
            None => Err(wrong("this kind of file cannot be imported".to_owned())),
        };
    }
    let entries = fs::read_dir(source);
    let entries = entries.map_err(|error| wrong(format!("cannot import this: {}", disk::reason(&error))))?;
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden || Format::of(&path).is_none() || path.is_dir() {
            continue;
        }
        // A directory from elsewhere could link to anything of the user's, and a task's text is committed.
        if !file::is_inside(source, &path) {
            return Err(Problem::new(shown(&path), "the file is a link that leads out of its directory"));
        }
        files.push(path);
    }
    files.sort();
    if files.is_empty() { Err(wrong("nothing in this directory can be imported".to_owned())) } else { Ok(files) }
}

fn read(source: &Path) -> Result<ImportItem, Vec<Problem>> {
    let name = shown(source);
    let bytes = file::read_limited(source, TEXT_BYTES_MAX).map_err(|error| {
        vec![match error.kind() {
            std::io::ErrorKind::FileTooLarge => too_long(&name),
            _ => Problem::new(&name, format!("the file cannot be read: {}", disk::reason(&error))),
        }]
    })?;
    let text = disk::text(bytes, &name).map_err(|problem| vec![problem])?;
    let format = Format::of(source).expect("BUG: only such files are chosen");
    let stem = source.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let id = legal_id(&stem).ok_or_else(|| {
        vec![Problem::new(&name, format!("no task id can be made of the name '{}'", stem.escape_debug()))]
    })?;
    let text = match format {
        Format::Toml => text,
        Format::Md => titled(text, &name, &id).map_err(|problem| vec![problem])?,
    };
    let task = parse(&text, &name, format, &id)?;
    if task.goal.is_empty() && format == Format::Md {
        return Err(vec![Problem::new(&name, "the file has no text that could be a goal")]);
    }
    Ok(ImportItem { source: source.to_owned(), task, format, text, already_there: false })
}

/// The text with a title in its front matter, if it has neither one there nor a heading: the first line.
fn titled(text: String, name: &str, id: &TaskId) -> Result<String, Problem> {
    let Ok(task) = parse(&text, name, Format::Md, id) else { return Ok(text) };
    if task.title != id.as_str() || task.goal.is_empty() {
        return Ok(text);
    }
    let first = task.goal.lines().map(super::tasks::short).find(|line| !line.is_empty());
    let Some(first) = first else { return Ok(text) };
    set_fields(&text, name, Format::Md, &[("title", FieldValue::Text(first))])
}

/// A task id near to a file's name: `10 add login!` becomes `10-add-login`.
fn legal_id(stem: &str) -> Option<TaskId> {
    let mut id = String::new();
    for c in stem.chars() {
        let c = if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let doubled = !c.is_ascii_alphanumeric() && (id.is_empty() || id.ends_with(['.', '-', '_']));
        if !doubled && id.len() < TASK_ID_LENGTH_MAX - "task-".len() {
            id.push(c);
        }
    }
    let id = id.trim_end_matches(['.', '-', '_']);
    let id = id.strip_suffix(".lock").unwrap_or(id);
    id.parse().or_else(|_| format!("task-{id}").parse()).ok().filter(|_| !id.is_empty())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_ids() {
        for (name, id) in [
            ("RAE-001", Some("RAE-001")),
            ("10 add login!", Some("10-add-login")),
            ("land", Some("task-land")),
            ("con", Some("task-con")),
            ("--x--", Some("x")),
            ("a..b", Some("a.b")),
            ("x.lock", Some("x")),
            ("über", Some("ber")),
            ("日本", None),
        ] {
            assert_eq!(legal_id(name).as_ref().map(TaskId::as_str), id, "{name}");
        }
        assert_eq!(legal_id(&"x".repeat(300)).map(|id| id.as_str().len()), Some(59));
    }

    struct Sandbox(tempfile::TempDir);

    impl Sandbox {
        fn new(files: &[(&str, &str)]) -> Self {
            let sandbox = Self(tempfile::tempdir().expect("a directory"));
            fs::create_dir(sandbox.0.path().join("in")).expect("a directory");
            for (name, text) in files {
                sandbox.write(name, text);
            }
            sandbox
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.path().join("in").join(name), text).expect("a file");
        }

        /// What importing the directory, or a file in it, does: the tasks, or the problems.
        fn import(&self, names: &[&str]) -> Vec<String> {
            let root = self.0.path();
            let queue = super::super::tasks::load(root).expect("a queue");
            let sources: Vec<_> = names.iter().map(|name| root.join("in").join(name)).collect();
            match prepare(&sources, &queue) {
                Err(problems) => {
                    problems.iter().map(|p| p.to_string().replace("\n  ", " ").replace(&shown(root), "")).collect()
                }
                Ok(import) => {
                    import.commit(root).expect("it is written");
                    let line = |item: &ImportItem| {
                        let there = if item.already_there { " again" } else { "" };
                        format!("{}: {}{there}", item.task.id, item.task.title)
                    };
                    import.items.iter().map(line).collect()
                }
            }
        }
    }

    #[test]
    fn prompts_become_tasks_once() {
        let sandbox = Sandbox::new(&[
            ("RAE-001.md", "# Split the engine\n\nInto two.\n"),
            ("02 fix login.md", "The login fails.\r\nMend it.\r\n"),
            ("03.md", "+++\npriority = 2\n+++\nJust do it.\n"),
            ("04.toml", "title = 'As it is' # kept\n"),
            ("notes.txt", "no task"),
            (".hidden.md", "no task"),
        ]);
        let all = ["02-fix-login: The login fails.", "03: Just do it.", "04: As it is", "RAE-001: Split the engine"];
        assert_eq!(sandbox.import(&[""]), all);
        let again: Vec<_> = all.iter().map(|line| format!("{line} again")).collect();
        assert_eq!(sandbox.import(&[""]), again);
        let tasks = sandbox.0.path().join(".handoff/tasks");
        let read = |name| fs::read_to_string(tasks.join(name)).expect("a task");
        assert_eq!(read("RAE-001.md"), "# Split the engine\n\nInto two.\n");
        assert_eq!(read("03.md"), "+++\npriority = 2\ntitle = \"Just do it.\"\n+++\nJust do it.\n");
        assert_eq!(read("04.toml"), "title = 'As it is' # kept\n");
        assert_eq!(read("02-fix-login.md").lines().next_back(), Some("Mend it."));
        let queue = super::super::tasks::load(sandbox.0.path()).expect("all tasks open");
        assert_eq!(queue.tasks[0].task.goal, "The login fails.\nMend it.");
    }

    #[test]
    fn nothing_is_overwritten() {
        let sandbox = Sandbox::new(&[("a.md", "# A\n"), ("b.md", "# B\n")]);
        assert_eq!(sandbox.import(&["a.md"]), ["a: A"]);
        sandbox.write("a.md", "# Another\n");
        let clash = "task 'a' is there already and says something else: .handoff/tasks/a.md at /in/a.md";
        assert_eq!(sandbox.import(&[""]), [clash]);
        assert!(!sandbox.0.path().join(".handoff/tasks/b.md").exists(), "one problem, nothing written");
        sandbox.write("A.md", "# A\n");
        let twice = sandbox.import(&["b.md", "A.md", "a.md"]);
        assert_eq!(twice.last().map(String::as_str), Some("'/in/A.md' gives a task of the same id 'a' at /in/a.md"));
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        let sandbox = Sandbox::new(&[
            ("tasks.yaml", "- a"),
            ("empty.md", " \n"),
            ("yaml.md", "---\ntitle: x\n---\nDo it.\n"),
            ("bad.toml", "title = 1\n"),
            ("日本.md", "Do it."),
        ]);
        std::os::unix::fs::symlink("/etc/hostname", sandbox.0.path().join("in/out.md")).expect("a link");
        assert_eq!(
            sandbox.import(&["tasks.yaml", "nowhere.md", "empty.md", "yaml.md", "bad.toml", "日本.md"]),
            [
                "this kind of file cannot be imported at /in/tasks.yaml",
                "cannot import this: no such file or directory at /in/nowhere.md",
                "the file has no text that could be a goal at /in/empty.md",
                "the front matter is YAML, which is not read at /in/yaml.md:1",
                "'title' must be a text in quotes, not 1 at /in/bad.toml:1",
                "no task id can be made of the name '日本' at /in/日本.md",
            ]
        );
        assert_eq!(sandbox.import(&[""]), ["the file is a link that leads out of its directory at /in/out.md"]);
    }
}
