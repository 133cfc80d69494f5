//! The queue: all task files of a working tree, read and checked together.
//! Knows nothing of the order in which tasks run or of what they wait for.

use std::{
    collections::{HashMap, hash_map::Entry},
    ffi::OsString,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::text::{self, Format, parse, to_md, to_toml};
use crate::{
    config::{document::place, problem::Problem},
    handoff::{disk, error::HandoffError, layout},
    model::task::{Task, TaskId},
    plan::{Graph, GraphProblem},
    sys::file,
};

/// Task files that are read.
pub const TASKS_MAX: usize = 20_000;

/// All tasks, in the order of their files' names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// The tasks.
    pub tasks: Vec<QueuedTask>,
}

/// A task and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedTask {
    /// The task.
    pub task: Task,
    /// Its file, relative to the root.
    pub file: PathBuf,
    /// The file's text.
    pub text: String,
}

impl Queue {
    /// The task of that id.
    pub fn get(&self, id: &TaskId) -> Option<&QueuedTask> {
        self.tasks.iter().find(|queued| queued.task.id == *id)
    }

    /// The graph of its tasks.
    pub fn graph(&self) -> Graph {
        Graph::new(self.tasks.iter().map(|queued| &queued.task))
    }

    /// What is wrong between the tasks: circles and missing ones, each with the line of a `depends_on`.
    pub fn graph_problems(&self) -> Vec<Problem> {
        let problems = self.graph().problems();
        problems.iter().map(|problem| self.located(problem)).collect()
    }

    fn located(&self, problem: &GraphProblem) -> Problem {
        let located = problem.task().and_then(|id| self.get(id)).map(|queued| {
            let at = queued.task.depends_on.iter().position(|need| Some(need) == problem.need());
            let place = place!["depends_on", at.unwrap_or_default()];
            let format = Format::of(&queued.file).unwrap_or(Format::Toml);
            text::problem(&queued.text, &queued.file.to_string_lossy(), format, &place, problem.to_string())
        });
        located.unwrap_or_else(|| Problem::new(layout::TASKS, problem.to_string())).hint(problem.hint())
    }

    /// All ids, in order.
    pub fn ids(&self) -> Vec<TaskId> {
        self.tasks.iter().map(|queued| queued.task.id.clone()).collect()
    }
}

/// Reads `.handoff/tasks/*.{toml,md}`. Hidden files, other names and directories are passed over; no directory is an
/// empty queue.
///
/// # Errors
/// Everything that is wrong with any of the files.
pub fn load(root: &Path) -> Result<Queue, Vec<Problem>> {
    files(root)?.read(root, |_| true)
}

/// The names of the task files, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    names: Vec<OsString>,
}

/// Finds the task files without reading them.
///
/// # Errors
/// When the directory cannot be read, or has too many.
pub fn files(root: &Path) -> Result<Files, Vec<Problem>> {
    let dir = root.join(layout::TASKS);
    let one = |what: String| vec![Problem::new(layout::TASKS, what)];
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Files::default()),
        Err(error) => return Err(one(format!("the tasks cannot be read: {}", disk::reason(&error)))),
        Ok(_) if !file::is_inside(root, &dir) => {
            return Err(one("the directory is a link that leads out of the repository".to_owned()));
        }
        Ok(entries) => entries,
    };
    let mut names: Vec<OsString> = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        if !hidden && Format::of(Path::new(&name)).is_some() && !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(name);
        }
    }
    if names.len() > TASKS_MAX {
        return Err(one(format!("there are more than {TASKS_MAX} task files")));
    }
    names.sort();
    Ok(Files { names })
}

impl Files {
    /// Each task that its file's name tells, with the file, relative to the root.
    pub fn ids(&self) -> impl Iterator<Item = (TaskId, String)> {
        let names = self.names.iter().filter_map(|name| name.to_str());
        names.filter_map(|name| Some((stem_of(name).parse().ok()?, format!("{}/{name}", layout::TASKS))))
    }

    /// Reads those files whose tasks, by their names, are wanted, and those whose names tell none.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, and with the names of all.
    pub fn read(&self, root: &Path, is_wanted: impl Fn(&str) -> bool + Sync) -> Result<Queue, Vec<Problem>> {
        let is_left = |name: &&OsString| name.to_str().is_none_or(|name| is_wanted(stem_of(name)));
        let read: Vec<Result<QueuedTask, Vec<Problem>>> =
            self.names.par_iter().filter(is_left).map(|name| read_one(root, name)).collect();
        let mut queue = Queue::default();
        let mut problems = Vec::new();
        for result in read {
            match result {
                Ok(queued) => queue.tasks.push(queued),
                Err(found) => problems.extend(found),
            }
        }
        problems.extend(same_names(&self.names));
        if problems.is_empty() { Ok(queue) } else { Err(problems) }
    }
}

fn read_one(root: &Path, name: &OsString) -> Result<QueuedTask, Vec<Problem>> {
    let shown = format!("{}/{}", layout::TASKS, name.to_string_lossy());
    let one = |problem| vec![problem];
    let (name, format) = name
        .to_str()
        .zip(Format::of(Path::new(name)))
        .ok_or_else(|| one(Problem::new(&shown, "the file's name is not UTF-8 text, so it cannot name a task")))?;
    let stem = name.strip_suffix(format.extension()).and_then(|stem| stem.strip_suffix('.')).unwrap_or(name);
    let id: TaskId = stem.parse().map_err(|error| {
        let hint = "rename the file: letters, digits, '.', '_' and '-'".to_owned();
        one(Problem::new(&shown, format!("the file cannot name a task: {error}")).hint(hint))
    })?;
    let text = disk::read_text(root, &shown).map_err(one)?;
    let text = text.ok_or_else(|| one(Problem::new(&shown, "the file has just gone")))?;
    let task = parse(&text, &shown, format, &id)?;
    if task.id != id {
        let line = text.lines().position(|line| line.trim_start().starts_with("id")).map(|at| at + 1);
        let what = format!("the file is named '{id}', but its task '{}'", task.id);
        let hint = format!("rename the file to {}.{}, or take the line away", task.id, format.extension());
        return Err(one(Problem::new(&shown, what).at(line).hint(hint)));
    }
    Ok(QueuedTask { task, file: PathBuf::from(shown), text })
}

/// Files whose ids are the same, or differ only in upper and lower case, which some file systems do not tell apart.
fn same_names(names: &[OsString]) -> Vec<Problem> {
    let mut seen: HashMap<String, &str> = HashMap::with_capacity(names.len());
    let mut problems = Vec::new();
    for name in names.iter().filter_map(|name| name.to_str()) {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        match seen.entry(stem.to_lowercase()) {
            Entry::Vacant(place) => {
                place.insert(name);
            }
            Entry::Occupied(first) => {
                let first = *first.get();
                let file = format!("{}/{name}", layout::TASKS);
                let what = format!("'{first}' has the same id, but for upper and lower case");
                let what = if stem_of(first) == stem { format!("'{first}' has the same id") } else { what };
                problems.push(Problem::new(file, what).hint("rename one of them".to_owned()));
            }
        }
    }
    problems
}

fn stem_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Writes a new task's file and says which, relative to the root. Never over another, in either format or case.
///
/// # Errors
/// [`HandoffError::Exists`] when there is a task of that id.
pub fn write_new(root: &Path, task: &Task, format: Format) -> Result<PathBuf, HandoffError> {
    let text = match format {
        Format::Toml => to_toml(task),
        Format::Md => to_md(task),
    };
    write_new_text(root, &task.id, format, &text)
}

/// The same with a text that is there already.
pub(in crate::handoff) fn write_new_text(
    root: &Path,
    id: &TaskId,
    format: Format,
    text: &str,
) -> Result<PathBuf, HandoffError> {
    for entry in fs::read_dir(root.join(layout::TASKS)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let same = name.to_str().is_some_and(|name| stem_of(name).eq_ignore_ascii_case(id.as_str()));
        if same && Format::of(Path::new(&name)).is_some() {
            return Err(HandoffError::Exists(Path::new(layout::TASKS).join(name)));
        }
    }
    let name = format!("{}/{id}.{}", layout::TASKS, format.extension());
    disk::write_new(root, &name, text)?;
    Ok(PathBuf::from(name))
}

/// Writes a task's changed text over its file, if it still is a task of that id.
///
/// # Errors
/// The first thing wrong with the text; nothing is written then.
pub fn write_edited(root: &Path, queued: &QueuedTask, text: &str) -> Result<Task, HandoffError> {
    let file = queued.file.to_string_lossy();
    let format = Format::of(&queued.file).unwrap_or(Format::Toml);
    let task = parse(text, &file, format, &queued.task.id).map_err(|problems| {
        HandoffError::Problem(problems.into_iter().next().expect("BUG: an error without a problem"))
    })?;
    if task.id != queued.task.id {
        return Err(Problem::new(file, format!("the id of task '{}' cannot be changed", queued.task.id)).into());
    }
    disk::write_over(root, &file, text)?;
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sandbox(tempfile::TempDir);

    impl Sandbox {
        fn new(files: &[(&str, &str)]) -> Self {
            let sandbox = Self(tempfile::tempdir().expect("a directory"));
            fs::create_dir_all(sandbox.0.path().join(layout::TASKS)).expect("a directory");
            for (name, text) in files {
                fs::write(sandbox.0.path().join(layout::TASKS).join(name), text).expect("a file");
            }
            sandbox
        }

        fn check(&self, wanted: &[&str]) {
            let said: Vec<String> = match load(self.0.path()) {
                Ok(queue) => {
                    queue.tasks.iter().map(|queued| format!("{}: {}", queued.task.id, queued.task.title)).collect()
                }
                Err(problems) => problems.iter().map(|problem| problem.to_string().replace("\n  ", " ")).collect(),
            };
            assert_eq!(said, wanted);
        }
    }

    #[test]
    fn a_queue_is_read_in_the_order_of_names() {
        Sandbox(tempfile::tempdir().expect("a directory")).check(&[]);
        let sandbox = Sandbox::new(&[
            ("b.toml", "title = 'B'"),
            ("a.md", "# A\n"),
            ("C.toml", "title = 'C'"),
            (".hidden.toml", "nonsense"),
            ("notes.txt", "nonsense"),
            ("b.toml~", "nonsense"),
        ]);
        fs::create_dir(sandbox.0.path().join(".handoff/tasks/dir.md")).expect("a directory");
        sandbox.check(&["C: C", "a: A", "b: B"]);
    }

    #[test]
    fn all_problems_of_all_files_are_said() {
        Sandbox::new(&[
            ("a.toml", "titel = 'A'"),
            ("b.toml", "title = 'B'\nid = 'x'"),
            ("c d.md", "do"),
            ("e.toml", "title = 'E'"),
            ("e.md", "E"),
            ("F.md", "F"),
            ("f.toml", "title = 'F'"),
        ])
        .check(&[
            "'title' is missing at .handoff/tasks/a.toml",
            "unknown key 'titel' at .handoff/tasks/a.toml:1",
            "the file is named 'b', but its task 'x' at .handoff/tasks/b.toml:2",
            "the file cannot name a task: 'c d' is not a task id: only letters, digits, '.', '_' and '-' are allowed at \
             .handoff/tasks/c d.md",
            "'e.md' has the same id at .handoff/tasks/e.toml",
            "'F.md' has the same id, but for upper and lower case at .handoff/tasks/f.toml",
        ]);
    }

    #[test]
    fn hostile_files_are_refused_by_name() {
        let sandbox = Sandbox::new(&[("good.toml", "title = 'A'")]);
        let tasks = sandbox.0.path().join(layout::TASKS);
        fs::write(tasks.join("bytes.toml"), b"title = 'A'\ngoal = '\xff'").expect("a file");
        fs::write(tasks.join("long.md"), vec![b'x'; 10 << 20]).expect("a file");
        std::os::unix::fs::symlink("/etc/hostname", tasks.join("out.md")).expect("a link");
        std::os::unix::fs::symlink("good.toml", tasks.join("same.md")).expect("a link");
        rustix::fs::mknodat(rustix::fs::CWD, tasks.join("pipe.md"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .expect("a pipe");
        sandbox.check(&[
            "the file is not UTF-8 text at .handoff/tasks/bytes.toml:2",
            "the file has more than 1 MiB at .handoff/tasks/long.md",
            "the file is a link that leads out of the repository at .handoff/tasks/out.md",
            "the file cannot be read: not a regular file at .handoff/tasks/pipe.md",
        ]);
    }

    #[test]
    fn circles_and_missing_tasks_have_a_line() {
        let sandbox = Sandbox::new(&[
            ("api.toml", "title = 'A'\ndepends_on = [\n  'lone',\n  'client',\n]\n"),
            ("client.md", "+++\narea = 'x'\ndepends_on = ['api']\n+++\nDo it."),
            ("docs.toml", "title = 'D'\n\ndepends_on = ['cleint']"),
            ("lone.toml", "title = 'L'"),
        ]);
        let queue = load(sandbox.0.path()).expect("a queue");
        let said: Vec<_> = queue.graph_problems().iter().map(|p| format!("{p} ({:?})", p.hint)).collect();
        assert_eq!(
            said,
            [
                "task 'docs' depends on 'cleint', which is not there\n  at .handoff/tasks/docs.toml:3 \
             (Some(\"did you mean 'client'?\"))",
                "tasks depend on each other in a circle: api -> client -> api\n  at .handoff/tasks/client.md:3 \
             (Some(\"remove one of the 2 'depends_on'\"))",
            ]
        );
    }

    #[test]
    fn a_new_task_never_takes_anothers_place() {
        let sandbox = Sandbox::new(&[("API.md", "mine")]);
        let task = |id: &str| Task::new(id.parse().expect(id), "T");
        let root = sandbox.0.path();
        assert_eq!(write_new(root, &task("b"), Format::Toml).expect("written"), Path::new(".handoff/tasks/b.toml"));
        for id in ["b", "B", "API", "api"] {
            for format in [Format::Toml, Format::Md] {
                let refused = write_new(root, &task(id), format);
                assert!(matches!(refused, Err(HandoffError::Exists(_))), "{id} {refused:?}");
            }
        }
        sandbox.check(&["API: API", "b: T"]);
    }

    #[test]
    fn an_edit_is_written_only_if_it_is_a_task() {
        let sandbox = Sandbox::new(&[("a.toml", "title = 'A' # mine\n")]);
        let queue = load(sandbox.0.path()).expect("a queue");
        let queued = &queue.tasks[0];
        assert!(write_edited(sandbox.0.path(), queued, "title = ''\n").is_err());
        assert!(write_edited(sandbox.0.path(), queued, "id = 'b'\ntitle = 'A'\n").is_err());
        sandbox.check(&["a: A"]);
        write_edited(sandbox.0.path(), queued, "title = 'B' # mine\n").expect("written");
        sandbox.check(&["a: B"]);
    }
}
