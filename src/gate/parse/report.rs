//! The files that a check writes its results to: which of them are new, and what they say.
//! Reads no link and nothing outside of the checkout. Does not know what wrote them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{document, reader::Reader};
use crate::{config::settings::CheckFormat, gate::measured::Measured, text::bytes};

/// Report files of a check that are read.
pub const REPORT_FILES_MAX: usize = 2000;
/// Bytes of a report that is one document; one of lines may be longer.
pub const REPORT_BYTES_MAX: u64 = 128 << 20;
/// Bytes of a report's line.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Names in directories that are looked at.
const NAMES_MAX: usize = 200_000;

/// The reports that globs name, as they were before the check ran.
pub struct Reports {
    globs: GlobSet,
    /// Where to look: the parts of the globs before their first wildcard.
    roots: Vec<PathBuf>,
    before: BTreeMap<PathBuf, Mark>,
}

/// By which a file that was written again is known.
type Mark = (u64, i64, i64, u64);

impl Reports {
    /// Looks at what is there before a check runs, in a checkout.
    pub fn new(checkout: &Path, globs: &[String]) -> Self {
        let mut set = GlobSetBuilder::new();
        let mut roots = Vec::new();
        for glob in globs {
            let glob = glob.strip_prefix("./").unwrap_or(glob);
            // The configuration was checked when it was read.
            if let Ok(built) = GlobBuilder::new(glob).literal_separator(true).build() {
                set.add(built);
                let fixed = Path::new(glob)
                    .components()
                    .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']));
                roots.push(fixed.collect());
            }
        }
        let globs = set.build().unwrap_or_else(|_| GlobSet::empty());
        let mut own = Self { globs, roots, before: BTreeMap::new() };
        own.before = own.find(checkout);
        own
    }

    fn find(&self, checkout: &Path) -> BTreeMap<PathBuf, Mark> {
        let mut found = BTreeMap::new();
        let mut names = 0;
        for root in &self.roots {
            self.collect(checkout, root, &mut found, &mut names);
        }
        found
    }

    fn collect(&self, checkout: &Path, path: &Path, found: &mut BTreeMap<PathBuf, Mark>, names: &mut usize) {
        *names += 1;
        let full = checkout.join(path);
        let Ok(metadata) = fs::symlink_metadata(&full) else { return };
        if *names > NAMES_MAX || found.len() >= REPORT_FILES_MAX {
            return;
        }
        if metadata.is_dir() {
            let entries = fs::read_dir(&full).into_iter().flatten().filter_map(Result::ok);
            let mut entries: Vec<_> = entries.map(|entry| entry.file_name()).collect();
            entries.sort();
            entries
                .iter()
                .filter(|name| *name != ".git")
                .for_each(|name| self.collect(checkout, &path.join(name), found, names));
        } else if metadata.is_file() && self.globs.is_match(path) {
            found.insert(path.to_owned(), (metadata.ino(), metadata.mtime(), metadata.mtime_nsec(), metadata.len()));
        }
    }

    /// What the files say that are new, or were written again, since [`Reports::new`].
    pub fn read(&self, checkout: &Path, wanted: Option<CheckFormat>) -> Measured {
        let mut all = Measured::default();
        let now = self.find(checkout);
        for path in now.iter().filter(|(path, mark)| self.before.get(*path) != Some(mark)).map(|(path, _)| path) {
            let name = path.display();
            match read_file(&checkout.join(path), wanted) {
                Ok(Some(measured)) => all.join(measured),
                Ok(None) => all.unread.push(format!("report '{name}' is of no known format")),
                Err(why) => all.unread.push(format!("report '{name}' was not read: {why}")),
            }
        }
        if all.formats.is_empty() && all.unread.is_empty() && !self.roots.is_empty() {
            all.unread.push("it wrote none of its reports".to_owned());
        }
        all.unread.truncate(UNREAD_MAX);
        all
    }
}

/// Reports that are told of because they could not be read.
const UNREAD_MAX: usize = 10;

fn read_file(path: &Path, wanted: Option<CheckFormat>) -> Result<Option<Measured>, String> {
    let failed = |error: io::Error| error.to_string();
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut source = BufReader::new(file);
    let first = loop {
        let Some(byte) = source.fill_buf().map_err(failed)?.first().copied() else {
            return Err("it is empty".to_owned());
        };
        // A byte order mark is white space here.
        if !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf) {
            break byte;
        }
        source.consume(1);
    };
    if matches!(first, b'<' | b'{' | b'[') {
        if length > REPORT_BYTES_MAX {
            return Err(format!("it has {}, more than {}", bytes(length), bytes(REPORT_BYTES_MAX)));
        }
        let whole = match first {
            b'<' => document::xml(&mut source),
            _ => document::json(&mut source, first),
        };
        // Lines of JSON, an object each, are no document.
        if first != b'{' || matches!(whole, Ok(Some(_))) {
            return whole;
        }
        source = BufReader::new(File::open(path).map_err(failed)?);
    }
    let mut reader = Reader::new(wanted);
    let mut line = Vec::new();
    while (&mut source).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(failed)? > 0 {
        reader.line(line.strip_suffix(b"\n").unwrap_or(&line));
        line.clear();
    }
    let measured = reader.finish(None);
    Ok((!measured.formats.is_empty()).then_some(measured))
}
