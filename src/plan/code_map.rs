//! The files of a repository and how they hang together: imports, tests and headers, what history changes together.
//! Knows nothing of where that was read; it is told in places of the list of paths.

use std::collections::HashMap;

/// How one file hangs together with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// The other is its test.
    Test,
    /// The other is its header, or has it as its header.
    Header,
    /// The other imports it.
    ImportedBy,
    /// It imports the other.
    Imports,
    /// Commits that change it change the other too.
    Together,
}

// What follows is what 1,400 commits of ripgrep, flask, pinia, gin and jq did: 34 % of the changes of a file came with one of its
// test, 10 % with one of its header, 10 % with one of each file that imports it, 4 % with one of each file that it imports.
// Tasks bring tests along more often than commits do.

/// How likely, in percent, a change of a file touches its test.
const TEST_PERCENT: u8 = 45;
/// The same of its header.
const HEADER_PERCENT: u8 = 15;
/// How likely, in percent, a change of a header touches what it is the header of.
const SOURCE_PERCENT: u8 = 55;
/// How likely, in percent, a change of a file touches one that imports it.
const IMPORTED_BY_PERCENT: u32 = 12;
/// The same of a file that it imports.
const IMPORTS_PERCENT: u32 = 5;
/// Importers of a file from which on each is less likely: what many import changes little for any.
const IMPORTERS_FULL: u32 = 8;
/// Less than this is not kept.
const PERCENT_MIN: u8 = 3;

/// The files of a repository and how they hang together.
#[derive(Debug, Clone, Default)]
pub struct CodeMap {
    paths: Vec<String>,
    by_path: HashMap<String, u32>,
    ties: Vec<Vec<(u32, Tie, u8)>>,
}

/// What was read of the ties: places in the list of paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ties {
    /// Who imports whom.
    pub imports: Vec<(u32, u32)>,
    /// What has which test.
    pub tests: Vec<(u32, u32)>,
    /// What has which header.
    pub headers: Vec<(u32, u32)>,
    /// Of commits that change the first, how many in a hundred change the second.
    pub together: Vec<(u32, u32, u8)>,
}

impl CodeMap {
    /// The map of these paths, relative to the root, with `/`.
    pub fn new(paths: Vec<String>, ties: &Ties) -> Self {
        let mut map = Self {
            by_path: (0..).zip(&paths).map(|(at, path)| (path.clone(), at)).collect(),
            ties: vec![Vec::new(); paths.len()],
            paths,
        };
        let mut fans: HashMap<u32, u32> = HashMap::new();
        for (_, imported) in &ties.imports {
            *fans.entry(*imported).or_default() += 1;
        }
        for (importer, imported) in &ties.imports {
            let share = (f64::from(fans[imported]) / f64::from(IMPORTERS_FULL)).max(1.0).sqrt();
            let of = |percent: u32| (f64::from(percent) / share) as u8;
            map.tie(*imported, *importer, Tie::ImportedBy, of(IMPORTED_BY_PERCENT));
            map.tie(*importer, *imported, Tie::Imports, of(IMPORTS_PERCENT));
        }
        for (one, test) in &ties.tests {
            map.tie(*one, *test, Tie::Test, TEST_PERCENT);
        }
        for (one, header) in &ties.headers {
            map.tie(*one, *header, Tie::Header, HEADER_PERCENT);
            map.tie(*header, *one, Tie::Header, SOURCE_PERCENT);
        }
        for (one, other, percent) in &ties.together {
            map.tie(*one, *other, Tie::Together, *percent);
        }
        map
    }

    fn tie(&mut self, from: u32, to: u32, tie: Tie, percent: u8) {
        if percent >= PERCENT_MIN
            && from != to
            && (to as usize) < self.paths.len()
            && let Some(ties) = self.ties.get_mut(from as usize)
        {
            ties.push((to, tie, percent.min(99)));
        }
    }

    /// The paths, in the order that places count.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// The path at a place.
    pub fn path(&self, at: u32) -> &str {
        self.paths.get(at as usize).map_or("", String::as_str)
    }

    /// The place of a path.
    pub fn at(&self, path: &str) -> Option<u32> {
        self.by_path.get(path).copied()
    }

    /// What hangs together with a file: which, how, and how likely, in percent, a change of the file touches it.
    pub fn ties(&self, at: u32) -> &[(u32, Tie, u8)] {
        self.ties.get(at as usize).map_or(&[], Vec::as_slice)
    }

    /// Ties of all files.
    pub fn ties_count(&self) -> usize {
        self.ties.iter().map(Vec::len).sum()
    }
}

/// Commits after which a change counts half.
const HALF_LIFE_COMMITS: f64 = 150.0;
/// Files of a commit that says something of any two of them; more is a clean-up.
const TOGETHER_FILES_MAX: usize = 30;
/// Files of a commit that count in full for each other; of a larger one, any two have less to do with each other.
const TOGETHER_FILES_FULL: usize = 6;
/// Commits that two files must share.
const TOGETHER_COMMITS_MIN: u32 = 3;
/// The least share of a file's commits that is kept, in percent.
const TOGETHER_PERCENT_MIN: f64 = 20.0;
/// Files that are kept for each.
const TOGETHER_KEPT_MAX: usize = 8;
/// What a file's commits count more, so that three of three are no certainty.
const DOUBT: f64 = 1.5;

/// What commits change together: of the places that each commit changed, the newest first, without merges.
pub fn together(commits: &[Vec<u32>]) -> Vec<(u32, u32, u8)> {
    let mut alone: HashMap<u32, f64> = HashMap::new();
    let mut pairs: HashMap<(u32, u32), (f64, u32)> = HashMap::new();
    for (age, files) in commits.iter().enumerate() {
        if files.len() > TOGETHER_FILES_MAX {
            continue;
        }
        let weight = 0.5_f64.powf(age as f64 / HALF_LIFE_COMMITS);
        let share = (TOGETHER_FILES_FULL as f64 / files.len() as f64).min(1.0);
        for one in files {
            *alone.entry(*one).or_default() += weight;
            for other in files.iter().filter(|other| *other != one) {
                let pair = pairs.entry((*one, *other)).or_default();
                pair.0 += weight * share;
                pair.1 += 1;
            }
        }
    }
    let mut by_file: HashMap<u32, Vec<(u32, u8)>> = HashMap::new();
    for ((one, other), (weight, commits)) in pairs {
        let percent = 100.0 * weight / (alone[&one] + DOUBT);
        if commits >= TOGETHER_COMMITS_MIN && percent >= TOGETHER_PERCENT_MIN {
            by_file.entry(one).or_default().push((other, percent as u8));
        }
    }
    let mut kept = Vec::new();
    for (one, mut others) in by_file {
        others.sort_unstable_by_key(|(other, percent)| (std::cmp::Reverse(*percent), *other));
        kept.extend(others.into_iter().take(TOGETHER_KEPT_MAX).map(|(other, percent)| (one, other, percent)));
    }
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_changed_together_now_counts_more_than_long_ago() {
        let often = vec![vec![0, 1]; 8];
        assert_eq!(together(&often), [(0, 1, 83), (1, 0, 83)]);
        let mut long_ago = vec![vec![0]; 300];
        long_ago.extend(often.clone());
        assert_eq!(together(&long_ago), [(1, 0, 56)], "0 has gone its own way since");
        assert_eq!(together(&vec![vec![0, 1]; 2]), [], "twice is chance");
        assert_eq!(together(&vec![(0..40).collect(); 20]), [], "clean-ups say nothing");
        let wide = together(&vec![(0..12).collect(); 8]);
        assert_eq!(wide[0], (0, 1, 41), "of a wide commit, any two are half as near");
    }

    #[test]
    fn what_many_import_is_less_likely_to_touch_each() {
        let paths: Vec<String> = (0..40).map(|i| format!("{i}.rs")).collect();
        let mut ties = Ties { imports: (1..33).map(|importer| (importer, 0)).collect(), ..Ties::default() };
        ties.imports.push((38, 39));
        let map = CodeMap::new(paths, &ties);
        assert_eq!(map.ties(0).len(), 32);
        assert_eq!(map.ties(0)[0], (1, Tie::ImportedBy, 6));
        assert_eq!(map.ties(1), [], "nothing worth a word");
        assert_eq!(map.ties(39), [(38, Tie::ImportedBy, 12)]);
        assert_eq!(map.ties(38), [(39, Tie::Imports, 5)]);
        assert_eq!(map.ties(99), []);
    }
}
