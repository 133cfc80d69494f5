//! What a check's output says in numbers and names: tests, warnings, coverage. All of it bounded.
//! Does not know how it was read, nor what is good or bad about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    config::settings::CheckFormat,
    model::record::{CoveredLines, Numbers, TestCounts},
    text::{clean_line, cut},
};

/// Tests of a check whose names are kept.
pub const CASES_MAX: usize = 50_000;
/// Warnings of a check that are kept.
pub const WARNINGS_MAX: usize = 5_000;
/// Files of a coverage report that are kept.
pub const FILES_MAX: usize = 50_000;
/// Lines of one file whose coverage is kept.
const FILE_LINES_MAX: usize = 200_000;
/// Columns of a name or a message.
const TEXT_COLUMNS_MAX: usize = 300;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It passed.
    Passed,
    /// It failed, or could not be run at all.
    Failed,
    /// It was left out.
    Skipped,
}

/// Where something is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the root where the tool says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl Place {
    /// A line of a file.
    pub fn new(file: impl Into<String>, line: Option<u32>) -> Self {
        Self { file: file.into(), line }
    }
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// How it ended.
    pub ended: Ended,
    /// Where it failed, or stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// The tests of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tests {
    /// How many; also those whose names are not known.
    pub counts: TestCounts,
    /// Those whose names are known. The second test of a name is `name (2)`.
    pub cases: BTreeMap<String, Case>,
}

impl Tests {
    /// One more test.
    pub fn add(&mut self, name: &str, ended: Ended, place: Option<Place>) {
        match ended {
            Ended::Passed => self.counts.run += 1,
            Ended::Failed => {
                self.counts.run += 1;
                self.counts.failed += 1;
            }
            Ended::Skipped => self.counts.skipped += 1,
        }
        self.name(name, ended, place);
    }

    /// The name of a test that is counted otherwise.
    pub fn name(&mut self, name: &str, ended: Ended, place: Option<Place>) {
        if self.cases.len() >= CASES_MAX {
            return;
        }
        let name = cut(&clean_line(name), TEXT_COLUMNS_MAX);
        let mut own = name.clone();
        let mut count = 1;
        while self.cases.contains_key(&own) {
            count += 1;
            own = format!("{name} ({count})");
        }
        self.cases.insert(own, Case { ended, place });
    }

    /// The names of those that ended so.
    pub fn named(&self, ended: Ended) -> impl Iterator<Item = (&String, &Case)> {
        self.cases.iter().filter(move |(_, case)| case.ended == ended)
    }

    /// Whether every failed test has a name.
    pub fn are_failures_named(&self) -> bool {
        self.named(Ended::Failed).count() as u64 >= self.counts.failed
    }

    fn join(&mut self, other: Self) {
        self.counts.run += other.counts.run;
        self.counts.failed += other.counts.failed;
        self.counts.skipped += other.counts.skipped;
        for (name, case) in other.cases {
            self.name(&name, case.ended, case.place);
        }
    }
}

/// One warning; an error of a linter or a compiler is one too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// The file, relative to the root where the tool says so; may be empty.
    pub file: String,
    /// The tool's name for the rule; may be empty.
    pub rule: String,
    /// What it says.
    pub text: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// The warnings of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warnings {
    /// How many; also those that are not kept.
    pub count: u64,
    /// Those that are kept, in order.
    pub all: Vec<Warning>,
    /// Whether some of them are errors by which the tool refuses.
    pub is_refusal: bool,
}

impl Warnings {
    /// One more.
    pub fn add(&mut self, place: Place, rule: &str, text: &str) {
        self.count += 1;
        if self.all.len() < WARNINGS_MAX {
            let short = |text: &str| cut(&clean_line(text), TEXT_COLUMNS_MAX);
            self.all.push(Warning { file: place.file, rule: short(rule), text: short(text), line: place.line });
        }
    }
}

/// Which lines of a file ran in tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCoverage {
    /// How many.
    pub lines: CoveredLines,
    /// Each line that could run, ranges from first to last, and whether it did.
    pub ranges: Vec<(u32, u32, bool)>,
}

impl FileCoverage {
    /// The coverage by lines.
    pub fn of(lines: &BTreeMap<u32, bool>) -> Self {
        let mut own = Self::default();
        for (line, is_covered) in lines {
            own.lines.total += 1;
            own.lines.covered += u64::from(*is_covered);
            match own.ranges.last_mut() {
                Some((_, last, covered)) if *covered == *is_covered && *last + 1 == *line => *last = *line,
                Some(_) | None => own.ranges.push((*line, *line, *is_covered)),
            }
        }
        own
    }

    /// Of these lines, how many could run and did.
    pub fn among(&self, wanted: &[(u32, u32)]) -> CoveredLines {
        let mut found = CoveredLines::default();
        for (first, last, is_covered) in &self.ranges {
            for (from, to) in wanted {
                let (low, high) = (first.max(from), last.min(to));
                let common = u64::from(high.saturating_add(1).saturating_sub(*low));
                found.total += common;
                found.covered += if *is_covered { common } else { 0 };
            }
        }
        found
    }
}

/// The coverage by files, while it is read.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    files: BTreeMap<String, BTreeMap<u32, bool>>,
}

impl Hits {
    /// A file, also one none of whose lines can run.
    pub fn file(&mut self, file: &str) {
        if self.files.len() < FILES_MAX {
            self.files.entry(file.to_owned()).or_default();
        }
    }

    /// A line of a file that was told before. A line that ran once ran.
    pub fn line(&mut self, file: &str, line: u32, is_covered: bool) {
        if let Some(lines) = self.files.get_mut(file)
            && (lines.len() < FILE_LINES_MAX || lines.contains_key(&line))
        {
            *lines.entry(line).or_default() |= is_covered;
        }
    }

    /// The whole, if there is any.
    pub fn finish(self) -> Option<Coverage> {
        if self.files.is_empty() {
            return None;
        }
        Some(Coverage {
            files: self.files.iter().map(|(file, lines)| (file.clone(), FileCoverage::of(lines))).collect(),
        })
    }
}

/// The coverage of a check, by files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The files, relative to the root where the tool says so.
    pub files: BTreeMap<String, FileCoverage>,
}

impl Coverage {
    /// Of all files.
    pub fn whole(&self) -> CoveredLines {
        self.files.values().fold(CoveredLines::default(), |sum, file| CoveredLines {
            covered: sum.covered + file.lines.covered,
            total: sum.total + file.lines.total,
        })
    }
}

/// What was read of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// As what it was read; none: as nothing that is known.
    pub formats: Vec<CheckFormat>,
    /// Its tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    /// Its warnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Warnings>,
    /// Its coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// Something went wrong that no failed test and no warning stands for, such as a crash of the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken: Option<String>,
    /// What could not be read, for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

impl Measured {
    /// Of tests.
    pub fn of_tests(format: CheckFormat, tests: Tests) -> Self {
        Self { formats: vec![format], tests: Some(tests), ..Self::default() }
    }

    /// Of warnings.
    pub fn of_warnings(format: CheckFormat, warnings: Warnings) -> Self {
        Self { formats: vec![format], warnings: Some(warnings), ..Self::default() }
    }

    /// Of coverage.
    pub fn of_coverage(format: CheckFormat, coverage: Coverage) -> Self {
        Self { formats: vec![format], coverage: Some(coverage), ..Self::default() }
    }

    /// That something went wrong.
    pub fn and_broken(mut self, broken: Option<String>) -> Self {
        self.broken = broken.map(|what| cut(&clean_line(&what), TEXT_COLUMNS_MAX));
        self
    }

    /// Adds what another part of the output says.
    pub fn join(&mut self, other: Self) {
        for format in other.formats {
            if !self.formats.contains(&format) {
                self.formats.push(format);
            }
        }
        match (&mut self.tests, other.tests) {
            (Some(own), Some(more)) => own.join(more),
            (own @ None, more) => *own = more,
            (Some(_), None) => {}
        }
        match (&mut self.warnings, other.warnings) {
            (Some(own), Some(more)) => {
                own.count += more.count;
                own.all.extend(more.all);
                own.all.truncate(WARNINGS_MAX);
                own.is_refusal |= more.is_refusal;
            }
            (own @ None, more) => *own = more,
            (Some(_), None) => {}
        }
        match (&mut self.coverage, other.coverage) {
            (Some(own), Some(more)) => own.files.extend(more.files),
            (own @ None, more) => *own = more,
            (Some(_), None) => {}
        }
        self.broken = self.broken.take().or(other.broken);
        self.unread.extend(other.unread);
    }

    /// Adds what says the same again, only better: of each kind it takes the place of what is here.
    pub fn prefer(&mut self, other: Self) {
        self.tests = self.tests.take().filter(|_| other.tests.is_none());
        self.warnings = self.warnings.take().filter(|_| other.warnings.is_none());
        self.coverage = self.coverage.take().filter(|_| other.coverage.is_none());
        if self.tests.is_none() && self.warnings.is_none() && self.coverage.is_none() {
            self.formats.clear();
        }
        self.join(other);
    }

    /// Names every file below this directory from there on: two checkouts of one tree then say the same.
    pub fn relative_to(&mut self, root: &str) {
        let root = root.trim_end_matches('/');
        let whole = [format!("file://{root}/"), format!("{root}/")];
        let own = |text: &mut String| {
            if text.contains(root) {
                *text = whole.iter().fold(std::mem::take(text), |text, prefix| text.replace(prefix, ""));
            }
            if text.starts_with("./") {
                text.drain(..2);
            }
        };
        if let Some(tests) = &mut self.tests {
            for (mut name, mut case) in std::mem::take(&mut tests.cases) {
                own(&mut name);
                if let Some(place) = &mut case.place {
                    own(&mut place.file);
                }
                tests.cases.insert(name, case);
            }
        }
        for warning in self.warnings.iter_mut().flat_map(|warnings| &mut warnings.all) {
            own(&mut warning.file);
            own(&mut warning.text);
        }
        if let Some(coverage) = &mut self.coverage {
            for (mut file, lines) in std::mem::take(&mut coverage.files) {
                own(&mut file);
                coverage.files.insert(file, lines);
            }
        }
        if let Some(broken) = &mut self.broken {
            own(broken);
        }
    }

    /// The numbers for the record; none if nothing was read.
    pub fn numbers(&self) -> Option<Numbers> {
        (!self.formats.is_empty()).then(|| Numbers {
            formats: self.formats.iter().map(|format| format.word().to_owned()).collect(),
            tests: self.tests.as_ref().map(|tests| tests.counts),
            warnings: self.warnings.as_ref().map(|warnings| warnings.count),
            coverage: self.coverage.as_ref().map(Coverage::whole),
            changed_coverage: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_one_name_are_told_apart_in_order() {
        let mut tests = Tests::default();
        for ended in [Ended::Passed, Ended::Failed, Ended::Skipped] {
            tests.add("adds", ended, None);
        }
        assert_eq!(tests.cases.keys().collect::<Vec<_>>(), ["adds", "adds (2)", "adds (3)"]);
        assert_eq!(tests.counts, TestCounts { run: 2, failed: 1, skipped: 1 });
        assert!(tests.are_failures_named());
        tests.counts.failed += 1;
        assert!(!tests.are_failures_named());
    }

    #[test]
    fn lines_are_counted_among_others() {
        let lines = BTreeMap::from([(1, true), (2, true), (4, false), (5, false), (9, true)]);
        let file = FileCoverage::of(&lines);
        assert_eq!(file.ranges, [(1, 2, true), (4, 5, false), (9, 9, true)]);
        assert_eq!(file.lines, CoveredLines { covered: 3, total: 5 });
        assert_eq!(file.among(&[(2, 4)]), CoveredLines { covered: 1, total: 2 });
        assert_eq!(file.among(&[(6, 8), (9, 20)]), CoveredLines { covered: 1, total: 1 });
        assert_eq!(file.among(&[]), CoveredLines::default());
    }
}
