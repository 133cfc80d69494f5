//! What was tried, kept by commit, so that ten thousand steps are not read again: a file that only grows until most of it
//! is stale. Knows nothing of how steps are judged. Deleting it costs only time; one that cannot be read is made anew.

use std::{
    collections::{BTreeSet, HashMap},
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    model::{object::CommitId, task::TaskId},
    plan::foretold::Came,
    route::history::Trial,
    sys::file::{self, Sync},
};

/// The first line. It changes when steps are judged by other rules or written in another form, and what was there is forgotten.
const HEADER: &str = "git-orchestrate history 3";
/// Bytes of the file that are read: some 200,000 steps.
const FILE_BYTES_MAX: usize = 64 << 20;
/// Commits that the file may hold for each that is wanted, before it is written anew without the rest.
const STALE_FACTOR: usize = 3;
/// Commits below which that is not worth it.
const STALE_MIN: usize = 256;

/// What was found on the lines of the branches that tasks land on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landings {
    /// Commits from which all that landed before is known.
    pub scanned: Vec<CommitId>,
    /// Tasks, each with its last step.
    pub landed: Vec<(TaskId, CommitId)>,
}

/// One line of the file.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line {
    Tip(Tip),
    Landings(Landings),
}

/// What is known of a task up to a commit.
#[derive(Debug, Serialize, Deserialize)]
struct Tip {
    tip: CommitId,
    trials: Vec<Trial>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    came: Option<Came>,
}

/// What is known of a task up to one of its steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// Its steps.
    pub trials: Vec<Trial>,
    /// What it changed, beside what it claimed; none: it is not finished.
    pub came: Option<Came>,
}

/// What is remembered.
#[derive(Debug)]
pub struct HistoryFile {
    path: PathBuf,
    tips: HashMap<CommitId, Told>,
    landings: Landings,
    /// Lines that are not yet in the file.
    new: String,
    /// Whether the file is to be written from the beginning.
    anew: bool,
}

impl HistoryFile {
    /// What is remembered in a directory; nothing if the file is not there or any line of it cannot be read.
    pub fn load(cache_dir: &Path) -> Self {
        let path = cache_dir.join("history");
        let bytes = file::read_limited(&path, FILE_BYTES_MAX).unwrap_or_default();
        let whole = std::str::from_utf8(&bytes).ok().and_then(parse);
        let anew = whole.is_none();
        let (tips, landings) = whole.unwrap_or_default();
        Self { path, tips, landings, new: String::new(), anew }
    }

    /// Whether the steps up to that commit are known.
    pub fn knows(&self, tip: CommitId) -> bool {
        self.tips.contains_key(&tip)
    }

    /// Commits from which all that landed before is known.
    pub fn scanned(&self) -> BTreeSet<CommitId> {
        self.landings.scanned.iter().copied().collect()
    }

    /// Tasks that landed, each with its last step.
    pub fn landed(&self) -> &[(TaskId, CommitId)] {
        &self.landings.landed
    }

    /// Takes in landings that were found since.
    pub fn scan(&mut self, found: Landings) {
        if found != Landings::default() {
            self.landings.scanned.extend(found.scanned.iter().copied());
            self.landings.landed.extend(found.landed.iter().cloned());
            self.write_line(&Line::Landings(found));
        }
    }

    /// Takes in what is known of a task up to a commit.
    pub fn learn(&mut self, tip: CommitId, told: Told) {
        let Told { trials, came } = told.clone();
        self.write_line(&Line::Tip(Tip { tip, trials, came }));
        self.tips.insert(tip, told);
    }

    fn write_line(&mut self, line: &Line) {
        let line = serde_json::to_string(line).expect("BUG: trials have only text keys and cannot fail");
        self.new.push_str(&line);
        self.new.push('\n');
    }

    /// Adds what is new to the file, or writes it anew where it could not be read or is mostly stale.
    pub fn save(&mut self, wanted: &BTreeSet<CommitId>) {
        let is_stale = self.tips.len() > STALE_MIN && self.tips.len() > wanted.len() * STALE_FACTOR;
        // A repository in which nothing was ever tried is left as it is.
        if (self.new.is_empty() && !is_stale) || self.tips.is_empty() {
            return;
        }
        let made = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = made.and_then(|()| if self.anew || is_stale { self.write_anew(wanted) } else { self.append() });
        if let Err(error) = written {
            tracing::debug!(%error, "history was not remembered");
        }
    }

    fn write_anew(&mut self, wanted: &BTreeSet<CommitId>) -> std::io::Result<()> {
        self.tips.retain(|tip, _| wanted.contains(tip));
        self.new = format!("{HEADER}\n");
        self.write_line(&Line::Landings(self.landings.clone()));
        for tip in wanted {
            if let Some(Told { trials, came }) = self.tips.get(tip).cloned() {
                self.write_line(&Line::Tip(Tip { tip: *tip, trials, came }));
            }
        }
        file::write_atomic(&self.path, self.new.as_bytes(), Sync::No)
    }

    /// One write at the end of the file: lines of another process may come before or after, never between.
    fn append(&self) -> std::io::Result<()> {
        OpenOptions::new().append(true).open(&self.path)?.write_all(self.new.as_bytes())
    }

    /// What is known up to these commits.
    pub fn into_told(mut self, wanted: &BTreeSet<CommitId>) -> Vec<Told> {
        wanted.iter().filter_map(|tip| self.tips.remove(tip)).collect()
    }
}

/// The whole of a file; none if any of it is not as it was written.
fn parse(text: &str) -> Option<(HashMap<CommitId, Told>, Landings)> {
    let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
    if !rest.is_empty() && !rest.ends_with('\n') {
        return None;
    }
    let lines: Vec<&str> = rest.lines().collect();
    let lines: Vec<Line> = lines.par_iter().map(|line| parse_line(line)).collect::<Option<_>>()?;
    let (mut tips, mut landings) = (HashMap::with_capacity(lines.len()), Landings::default());
    for line in lines {
        match line {
            Line::Tip(Tip { tip, trials, came }) => {
                tips.insert(tip, Told { trials, came });
            }
            Line::Landings(found) => {
                landings.scanned.extend(found.scanned);
                landings.landed.extend(found.landed);
            }
        }
    }
    Some((tips, landings))
}

/// By how it begins: to try one shape after the other takes several times as long.
fn parse_line(line: &str) -> Option<Line> {
    match line.starts_with(r#"{"tip""#) {
        true => serde_json::from_str(line).ok().map(Line::Tip),
        false => serde_json::from_str(line).ok().map(Line::Landings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(digit: usize) -> CommitId {
        format!("{digit:040x}").parse().expect("hex")
    }

    /// A trial as the file has it.
    const TRIAL: &str = r#"[["api","a","m",7],["implementer",null,"low","fix","small"],["miss",true,2],[5,[1,2,0,0,0],250000,[6,8],0]]"#;

    fn trial() -> Trial {
        let trial: Trial = serde_json::from_str(TRIAL).expect("a trial");
        assert_eq!(serde_json::to_string(&trial).expect("a text"), TRIAL);
        trial
    }

    fn told() -> Told {
        Told { trials: vec![trial()], came: Some(Came { changed: vec!["a".to_owned()], ..Came::default() }) }
    }

    fn learn(dir: &Path, digits: std::ops::Range<usize>) {
        let mut history = HistoryFile::load(dir);
        digits.clone().for_each(|digit| history.learn(commit(digit), told()));
        history.save(&digits.map(commit).collect());
    }

    #[test]
    fn what_was_learnt_is_found_again() {
        let dir = tempfile::tempdir().expect("a directory");
        learn(dir.path(), 0..2);
        let mut history = HistoryFile::load(dir.path());
        let landings = Landings { scanned: vec![commit(9)], landed: vec![("api".parse().expect("an id"), commit(1))] };
        history.scan(landings.clone());
        history.save(&BTreeSet::new());
        learn(dir.path(), 2..3);
        let again = HistoryFile::load(dir.path());
        assert_eq!((again.knows(commit(0)), again.knows(commit(2)), again.knows(commit(3))), (true, true, false));
        assert_eq!(again.landings, landings);
        assert_eq!(again.into_told(&BTreeSet::from([commit(1), commit(3)])), [told()]);
    }

    #[test]
    fn the_directory_is_made_where_there_is_something_to_keep() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = dir.path().join("orchestrate/cache");
        let mut nothing = HistoryFile::load(&cache);
        nothing.scan(Landings { scanned: vec![commit(9)], landed: Vec::new() });
        nothing.save(&BTreeSet::new());
        assert!(!cache.exists());
        learn(&cache, 0..1);
        assert!(HistoryFile::load(&cache).knows(commit(0)));
    }

    #[test]
    fn a_ruined_file_is_made_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        learn(dir.path(), 0..2);
        let path = dir.path().join("history");
        let whole = std::fs::read(&path).expect("it was written");
        let mut torn = whole.clone();
        torn.truncate(whole.len() - 3);
        let mut bent = whole.clone();
        bent[60] ^= 0xff;
        let newer = String::from_utf8_lossy(&whole).replace("history 3", "history 4").into_bytes();
        for ruin in [torn, bent, newer, b"\n".to_vec()] {
            std::fs::write(&path, ruin).expect("a ruin");
            assert!(!HistoryFile::load(dir.path()).knows(commit(0)));
            learn(dir.path(), 0..2);
            assert_eq!(std::fs::read(&path).expect("it is there"), whole);
        }
    }

    #[test]
    fn what_is_stale_goes_when_it_is_most() {
        let dir = tempfile::tempdir().expect("a directory");
        learn(dir.path(), 0..STALE_MIN);
        let size = || std::fs::metadata(dir.path().join("history")).expect("it is there").len();
        let before = size();
        learn(dir.path(), STALE_MIN..STALE_MIN + 1);
        assert!(size() < before / 100, "{} of {before}", size());
        assert!(HistoryFile::load(dir.path()).knows(commit(STALE_MIN)));
    }
}
