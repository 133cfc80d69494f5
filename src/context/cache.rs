//! Keeps what was gathered for a prompt, by what it was gathered from: five readers of one tree have it gathered once.
//! Does not know what it keeps. What is kept is true of its key for ever, and may be lost at any time.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    model::object::Digest,
    sys::{
        clock,
        file::{self, Sync},
        shelf::Shelf,
    },
};

/// The version of the files.
const SCHEMA: u32 = 1;
/// Things that are kept; the oldest go.
const KEPT_MAX: usize = 1024;
/// Bytes that one of them may have.
const FILE_BYTES_MAX: usize = 4 << 20;
/// After how many new ones the directory is looked through.
const TIDY_EVERY: usize = 64;
/// Hex digits of a key's digest in a file's name; the whole of it stands in the file.
const DIGEST_LENGTH: usize = 24;
/// The file with the counts of all runs.
const COUNTS_FILE: &str = "counts";

/// How often something was asked for, and how often it was there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// How often something was asked for.
    pub asked: usize,
    /// How often it was there.
    pub found: usize,
}

/// What is kept below one directory. Many threads, and many processes, may use one.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    age_max: Duration,
    asked: AtomicUsize,
    found: AtomicUsize,
    made: AtomicUsize,
    /// One lock for each thing that is being gathered: whoever wants it too waits for it.
    gathering: Mutex<BTreeMap<String, Arc<Mutex<()>>>>,
}

#[derive(Serialize, Deserialize)]
struct Kept<V> {
    schema: u32,
    key: Digest,
    value: V,
}

impl Cache {
    /// What is kept in a directory, which is made with the first thing; none of it is used that is older than `age_max`.
    pub fn open(dir: impl Into<PathBuf>, age_max: Duration) -> Self {
        Self {
            dir: dir.into(),
            age_max,
            asked: AtomicUsize::new(0),
            found: AtomicUsize::new(0),
            made: AtomicUsize::new(0),
            gathering: Mutex::default(),
        }
    }

    /// What was gathered from `key`, which must hold all that it depends on; `gather` is called if it is not there. What is
    /// not kept, for its size or because the disk is full, is given all the same.
    ///
    /// # Errors
    /// Those of `gather`.
    pub fn get<T: Serialize + DeserializeOwned, E>(
        &self,
        kind: &'static str,
        key: &impl Serialize,
        gather: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let digest = Digest::of(serde_json::to_string(&(kind, key)).expect("BUG: keys are plain data"));
        let name = format!("{kind}-{}.json", &digest.0["sha256:".len()..][..DIGEST_LENGTH]);
        let path = self.dir.join(&name);
        self.asked.fetch_add(1, Ordering::Relaxed);
        let gathering = || self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        let lock = gathering().entry(name.clone()).or_default().clone();
        let turn = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let value = match self.read(&path, &digest, clock::now()) {
            Some(value) => {
                self.found.fetch_add(1, Ordering::Relaxed);
                Ok(value)
            }
            None => gather().inspect(|value| {
                if let Err(error) = self.write(&path, &Kept { schema: SCHEMA, key: digest, value }) {
                    tracing::debug!(%error, path = %path.display(), "what was gathered is not kept");
                }
            }),
        };
        drop(turn);
        // Who comes now finds the file.
        gathering().remove(&name);
        value
    }

    fn read<T: DeserializeOwned>(&self, path: &Path, key: &Digest, now: SystemTime) -> Option<T> {
        let written = fs::metadata(path).and_then(|found| found.modified()).ok()?;
        if now.duration_since(written).is_ok_and(|age| age > self.age_max) {
            return None;
        }
        let bytes = file::read_limited(path, FILE_BYTES_MAX).ok()?;
        let kept: Kept<T> = serde_json::from_slice(&bytes).ok()?;
        (kept.schema == SCHEMA && kept.key == *key).then_some(kept.value)
    }

    fn write(&self, path: &Path, kept: &impl Serialize) -> io::Result<()> {
        let bytes = serde_json::to_vec(kept)?;
        if bytes.len() > FILE_BYTES_MAX {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        file::write_atomic(path, &bytes, Sync::No)?;
        if self.made.fetch_add(1, Ordering::Relaxed).is_multiple_of(TIDY_EVERY) {
            Shelf::new(&self.dir, "json", KEPT_MAX).tidy()?;
        }
        Ok(())
    }

    /// The counts since it was opened.
    pub fn counts(&self) -> Counts {
        Counts { asked: self.asked.load(Ordering::Relaxed), found: self.found.load(Ordering::Relaxed) }
    }

    /// The counts of all that were told to [`Self::count_up`], of this directory.
    pub fn counts_of_all(dir: &Path) -> Counts {
        let text = file::read_limited(&dir.join(COUNTS_FILE), 100).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut numbers = text.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(asked)), Some(Ok(found))) => Counts { asked, found },
            _ => Counts::default(),
        }
    }

    /// Adds the counts to those of all. Only for who holds the repository's lock.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn count_up(&self) -> io::Result<()> {
        let (own, all) = (self.counts(), Self::counts_of_all(&self.dir));
        if own.asked == 0 || !self.dir.exists() {
            return Ok(());
        }
        let text = format!("{} {}\n", all.asked.saturating_add(own.asked), all.found.saturating_add(own.found));
        file::write_atomic(&self.dir.join(COUNTS_FILE), text.as_bytes(), Sync::No)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, convert::Infallible, fs::File, thread};

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn ask(cache: &Cache, key: &str, gathered: &Cell<usize>) -> String {
        let gather = || {
            gathered.set(gathered.get() + 1);
            Ok::<_, Infallible>(format!("all about {key}"))
        };
        cache.get("survey", &key, gather).unwrap_or_else(|never| match never {})
    }

    #[test]
    fn what_is_known_is_not_gathered_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let gathered = Cell::new(0);
        let cache = Cache::open(dir.path().join("context"), DAY);
        for key in ["a", "b", "a", "a"] {
            assert_eq!(ask(&cache, key, &gathered), format!("all about {key}"));
        }
        assert_eq!((gathered.get(), cache.counts()), (2, Counts { asked: 4, found: 2 }));
        cache.count_up().expect("written");
        let again = Cache::open(dir.path().join("context"), DAY);
        ask(&again, "b", &gathered);
        again.count_up().expect("written");
        assert_eq!(gathered.get(), 2);
        assert_eq!(Cache::counts_of_all(&dir.path().join("context")), Counts { asked: 5, found: 3 });
    }

    #[test]
    fn what_is_too_old_or_ruined_is_gathered_anew() {
        let dir = tempfile::tempdir().expect("a directory");
        let gathered = Cell::new(0);
        let cache = Cache::open(dir.path(), DAY);
        ask(&cache, "a", &gathered);
        let file = fs::read_dir(dir.path()).expect("a directory").next().expect("a file").expect("a file").path();
        let age = |age| {
            let file = File::options().write(true).open(&file).expect("it is there");
            file.set_modified(SystemTime::now() - age).expect("its time is set");
        };
        for (time, wanted) in [(DAY / 2, 1), (DAY * 2, 2)] {
            age(time);
            ask(&cache, "a", &gathered);
            assert_eq!(gathered.get(), wanted, "{time:?}");
        }
        fs::write(&file, "{}").expect("a ruin");
        assert_eq!(ask(&cache, "a", &gathered), "all about a");
        assert_eq!(gathered.get(), 3);
    }

    #[test]
    fn those_who_want_it_at_once_wait_for_the_first() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = Cache::open(dir.path(), DAY);
        let gathered = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| {
                    let gather = || Ok::<_, Infallible>(gathered.fetch_add(1, Ordering::SeqCst));
                    assert_eq!(cache.get("survey", &"key", gather), Ok(0));
                });
            }
        });
        assert_eq!(cache.counts(), Counts { asked: 5, found: 4 });
    }
}
