//! Remembers what is shown of tasks that have landed, so that ten thousand task files and checkpoints are not read each time.
//! Knows nothing of how they are found or shown. Deleting the file costs only time.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    model::{
        checkpoint::{Bounds, Checkpoint, Phase, Spent},
        machine::State,
        money::{Money, Tokens},
        object::{BlobId, CommitId},
        task::{Task, TaskId},
        workflow::Workflow,
    },
    sys::file::{self, Sync},
};

/// The first line. It changes when a line says something else.
const HEADER: &str = "git-orchestrate past 1\n";
/// Bytes of the file that are read: some 100,000 tasks.
const FILE_BYTES_MAX: usize = 64 << 20;
/// A file changed so shortly before we looked may change again without its times telling.
const RACY: Duration = Duration::from_millis(50);
/// Stands for what is not there.
const NONE: &str = "-";

/// What a task file looked like. Nobody can change it without changing this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    modified_ns: i64,
    changed_ns: i64,
    inode: u64,
    bytes: u64,
}

impl Look {
    /// That of a file; none if there is no regular file, or it is too young to be known by its looks.
    pub fn at(path: &Path, now: SystemTime) -> Option<Self> {
        let found = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
        let ns = |seconds: i64, ns: i64| seconds.saturating_mul(1_000_000_000).saturating_add(ns);
        let look = Self {
            modified_ns: ns(found.mtime(), found.mtime_nsec()),
            changed_ns: ns(found.ctime(), found.ctime_nsec()),
            inode: found.ino(),
            bytes: found.len(),
        };
        let now_ns = i64::try_from(now.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?;
        let is_old = look.modified_ns.max(look.changed_ns).saturating_add(RACY.as_nanos() as i64) < now_ns;
        is_old.then_some(look)
    }

    fn read(text: &str) -> Option<Self> {
        let mut numbers = parts(text, b'.');
        Some(Self {
            modified_ns: numbers.next()?.parse().ok()?,
            changed_ns: numbers.next()?.parse().ok()?,
            inode: numbers.next()?.parse().ok()?,
            bytes: numbers.next()?.parse().ok()?,
        })
    }
}

/// What must be as it was for what is remembered of a task to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its file in the checkout; none: it has none.
    pub file: Option<Look>,
    /// The checkpoint with which it landed.
    pub landed: BlobId,
    /// Its branch, if that is still there.
    pub tip: Option<CommitId>,
}

impl Key {
    fn text(&self) -> String {
        let look = |look: Look| {
            let Look { modified_ns, changed_ns, inode, bytes } = look;
            format!("{modified_ns}.{changed_ns}.{inode}.{bytes}")
        };
        let none = || NONE.to_owned();
        let (file, tip) = (self.file.map_or_else(none, look), self.tip.map_or_else(none, |tip| tip.to_string()));
        format!("{file} {} {tip}", self.landed)
    }

    /// Whether it is the key of this text, which is read: to write ten thousand takes longer.
    fn is(&self, text: &str) -> bool {
        let mut words = parts(text, b' ');
        let (Some(file), Some(landed), Some(tip)) = (words.next(), words.next(), words.next()) else { return false };
        let is_file = self.file.map_or(file == NONE, |look| Look::read(file) == Some(look));
        let is_tip = self.tip.map_or(tip == NONE, |own| tip.parse() == Ok(own));
        is_file && is_tip && landed.parse() == Ok(self.landed) && words.next().is_none()
    }
}

/// A task that has landed: its file's name, and of itself and its last state only what views and graphs ask for. The
/// checkpoint has no workflow, no plan and nothing that agents said.
pub type Remembered = (String, Task, Checkpoint);

/// What is remembered.
#[derive(Debug, Default)]
pub struct Past {
    path: PathBuf,
    text: String,
    /// Its lines, in the order of ids.
    lines: Vec<Line>,
}

/// Where a line is in the text, its end left out.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    id_end: usize,
    end: usize,
}

impl Past {
    /// What is remembered in a directory; nothing if the file cannot be read.
    pub fn load(cache_dir: &Path) -> Self {
        let path = cache_dir.join("past");
        let bytes = file::read_limited(&path, FILE_BYTES_MAX).unwrap_or_default();
        let text = String::from_utf8(bytes).ok().filter(|text| text.starts_with(HEADER) && text.ends_with('\n'));
        let text = text.unwrap_or_default();
        let mut lines: Vec<Line> = Vec::new();
        let mut start = HEADER.len();
        for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
            lines.push(Line { start, id_end: start + id_of(line).len(), end: start + line.len() - 1 });
            start += line.len();
        }
        let past = Self { path, text, lines };
        let is_sorted = past.lines.windows(2).all(|two| past.id(&two[0]) < past.id(&two[1]));
        if is_sorted { past } else { Self { path: past.path, ..Self::default() } }
    }

    fn id(&self, line: &Line) -> &str {
        &self.text[line.start..line.id_end]
    }

    fn line(&self, id: &TaskId) -> Option<&Line> {
        let at = self.lines.binary_search_by(|line| self.id(line).cmp(id.as_str())).ok()?;
        Some(&self.lines[at])
    }

    /// What is remembered of a task, if all is as it was.
    pub fn get(&self, id: &TaskId, key: &Key) -> Option<Remembered> {
        let line = self.line(id)?;
        read(id, key, self.text.get(line.id_end + 1..line.end)?)
    }

    /// Remembers these tasks besides those of `kept`, and forgets all others.
    pub fn save(self, new: &[(Key, &str, &Task, &Checkpoint)], kept: &[&TaskId]) {
        let is_same = new.is_empty() && kept.len() == self.lines.len();
        if is_same || self.path.parent().is_none_or(|dir| !dir.exists()) {
            return;
        }
        let mut lines: Vec<String> =
            new.iter().filter_map(|(key, file, task, last)| line(key, file, task, last)).collect();
        for id in kept {
            lines.extend(self.line(id).map(|line| self.text[line.start..=line.end].to_owned()));
        }
        lines.sort_unstable_by(|one, two| id_of(one).cmp(id_of(two)));
        let text = lines.concat();
        if HEADER.len() + text.len() > FILE_BYTES_MAX {
            return;
        }
        if let Err(error) = file::write_atomic(&self.path, format!("{HEADER}{text}").as_bytes(), Sync::No) {
            tracing::debug!(%error, "tasks that have landed were not remembered");
        }
    }
}

/// `<id>\t<key>\t…`
fn id_of(line: &str) -> &str {
    parts(line, b'\t').next().unwrap_or_default()
}

/// As `str::split`, which takes several times as long to find what is only a few bytes away.
fn parts(text: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.bytes().position(|byte| byte == separator) else { return rest.take() };
        rest = Some(&text[at + 1..]);
        Some(&text[..at])
    })
}

/// The line of a task; none for a title or name that would not stay on it.
fn line(key: &Key, file: &str, task: &Task, last: &Checkpoint) -> Option<String> {
    if [file, &task.title].iter().any(|text| text.contains(['\t', '\n'])) {
        return None;
    }
    let ids = |ids: &[TaskId]| ids.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" ");
    let budget = task.budget_usd.or(last.bounds.budget_usd);
    let Tokens { input, output, cache_read, cache_write, reasoning } = last.spent.tokens;
    let phases = last.phases.iter().map(|phase| format!("{}={}={}", phase.id, phase.state, phase.attempts));
    Some(format!(
        "{}\t{}\t{file}\t{}\t{}\t{}\t{} {} {} {}\t{} {input} {output} {cache_read} {cache_write} {reasoning}\t{}\t{}\n",
        task.id,
        key.text(),
        task.priority,
        ids(&task.depends_on),
        budget.map_or_else(|| NONE.to_owned(), |budget| budget.micros.to_string()),
        last.seq,
        last.good,
        last.base,
        last.spent.duration_ms,
        last.spent.cost_usd.micros,
        phases.collect::<Vec<_>>().join(" "),
        task.title,
    ))
}

fn read(id: &TaskId, key: &Key, line: &str) -> Option<Remembered> {
    let mut fields = parts(line, b'\t');
    if !key.is(fields.next()?) {
        return None;
    }
    let file = fields.next()?.to_owned();
    let mut task = Task::new(id.clone(), "");
    task.priority = fields.next()?.parse().ok()?;
    task.depends_on =
        parts(fields.next()?, b' ').filter(|id| !id.is_empty()).map(|id| id.parse().ok()).collect::<Option<_>>()?;
    let budget = fields.next()?;
    let budget_usd = (budget != NONE).then(|| budget.parse().map(Money::micros)).transpose().ok()?;
    let mut words = parts(fields.next()?, b' ');
    let (seq, good, base) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let duration_ms = words.next()?.parse().ok()?;
    let mut numbers = parts(fields.next()?, b' ').map(|number| number.parse::<u64>().ok());
    let mut number = || numbers.next().flatten();
    let cost = Money::micros(number()?);
    let (input, output, cache_read, cache_write, reasoning) = (number()?, number()?, number()?, number()?, number()?);
    let phases = parts(fields.next()?, b' ').map(phase).collect::<Option<Vec<_>>>()?;
    task.title = fields.next()?.to_owned();
    let last = Checkpoint {
        schema: crate::model::checkpoint::CHECKPOINT_SCHEMA,
        task: id.clone(),
        seq,
        base,
        good,
        aborted: None,
        bounds: Bounds { budget_usd, ..Bounds::default() },
        spent: Spent {
            cost_usd: cost,
            tokens: Tokens { input, output, cache_read, cache_write, reasoning },
            duration_ms,
        },
        labels: Vec::new(),
        area: None,
        plan: None,
        phases,
        workflow: Workflow { name: String::new(), description: String::new(), phases: Vec::new() },
    };
    Some((file, task, last))
}

fn phase(text: &str) -> Option<Phase> {
    let mut words = parts(text, b'=');
    let (id, state, attempts) = (words.next()?.parse().ok()?, words.next()?.parse::<State>().ok()?, words.next()?);
    Some(Phase { state, attempts: attempts.parse().ok()?, ..Phase::new(id, Vec::new()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{handoff::workflows, model::checkpoint::TaskState};

    fn landed(id: &str) -> (Task, Checkpoint) {
        let mut task = Task::new(id.parse().expect("an id"), format!("Do {id}"));
        task.priority = -3;
        task.depends_on = vec!["a".parse().expect("an id"), "b".parse().expect("an id")];
        let workflow = workflows::builtin("single").expect("it is built in");
        let base = "1".repeat(40).parse().expect("hex");
        let mut last = Checkpoint::begin(&task, workflow, base, Bounds::default());
        last.phases.iter_mut().for_each(|phase| phase.state = State::Passed);
        last.spent.cost_usd = Money::micros(1_234_567);
        last.spent.tokens.output = 77;
        last.seq = 4;
        (task, last)
    }

    fn key(digit: &str) -> Key {
        let look = Look { modified_ns: 5, changed_ns: 6, inode: 7, bytes: 8 };
        Key { file: Some(look), landed: digit.repeat(40).parse().expect("hex"), tip: None }
    }

    #[test]
    fn what_views_ask_for_is_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let (task, last) = landed("c");
        Past::load(dir.path()).save(&[(key("2"), ".handoff/tasks/c.toml", &task, &last)], &[]);
        let (file, again, state) = Past::load(dir.path()).get(&task.id, &key("2")).expect("it was remembered");
        assert_eq!(file, ".handoff/tasks/c.toml");
        assert_eq!((&again.title, again.priority, &again.depends_on), (&task.title, -3, &task.depends_on));
        assert_eq!((state.seq, &state.spent, state.progress()), (4, &last.spent, last.progress()));
        assert_eq!((state.state(), last.state()), (TaskState::Finished, TaskState::Finished));
    }

    #[test]
    fn nothing_is_told_of_what_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        let (task, last) = landed("c");
        Past::load(dir.path()).save(&[(key("2"), "c.toml", &task, &last)], &[]);
        let past = Past::load(dir.path());
        assert!(past.get(&task.id, &key("3")).is_none());
        let touched = Key { file: Some(Look { modified_ns: 9, ..key("2").file.expect("a look") }), ..key("2") };
        assert!(past.get(&task.id, &touched).is_none());
        assert!(past.get(&task.id, &Key { tip: Some("1".repeat(40).parse().expect("hex")), ..key("2") }).is_none());
        assert!(past.get(&"d".parse().expect("an id"), &key("2")).is_none());
    }

    #[test]
    fn a_key_is_told_by_its_text() {
        let keys = [
            key("2"),
            Key { tip: Some("1".repeat(40).parse().expect("hex")), ..key("2") },
            Key { file: None, ..key("3") },
        ];
        for (one, two) in keys.iter().flat_map(|one| keys.iter().map(move |two| (one, two))) {
            assert_eq!(one.is(&two.text()), one == two, "{one:?} {two:?}");
        }
        assert!(!keys[0].is("") && !keys[0].is(&format!("{} -", keys[0].text())));
    }

    #[test]
    fn what_is_not_kept_is_forgotten_and_a_ruin_says_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let all = ["d", "c", "e"].map(landed);
        let new: Vec<_> = all.iter().map(|(task, last)| (key("2"), "x.toml", task, last)).collect();
        Past::load(dir.path()).save(&new, &[]);
        let past = Past::load(dir.path());
        assert!(all.iter().all(|(task, _)| past.get(&task.id, &key("2")).is_some()));
        past.save(&[], &[&all[0].0.id]);
        let past = Past::load(dir.path());
        let known = all.iter().filter(|(task, _)| past.get(&task.id, &key("2")).is_some());
        assert_eq!(known.map(|(task, _)| task.id.as_str()).collect::<Vec<_>>(), ["d"]);
        for ruin in [&b"git-orchestrate past 0\n"[..], b"git-orchestrate past 1\nz\ta\nd\tb\n", b"\xff\n"] {
            fs::write(dir.path().join("past"), ruin).expect("a ruin");
            assert!(Past::load(dir.path()).get(&all[0].0.id, &key("2")).is_none());
        }
    }

    #[test]
    fn a_young_file_is_not_known_by_its_looks() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let now = SystemTime::now();
        assert_eq!(Look::at(file.path(), now), None);
        assert!(Look::at(file.path(), now + RACY * 3).is_some());
        assert_eq!(Look::at(Path::new("/nonexistent"), now), None);
    }
}
