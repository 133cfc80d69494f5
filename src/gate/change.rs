//! What a tree changes, read from a unified diff: which lines of which files, how many, and how much of a change that is.
//! Knows comments by their first characters; does not know what the code means.

use std::collections::BTreeMap;

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::{
    config::settings::{AutoSettings, Settings},
    text::count,
};

/// Bytes of a diff that are looked at; what has more is large.
pub const DIFF_BYTES_MAX: usize = 32 << 20;
/// The profile of sizes for which none is named.
const PROFILE_DEFAULT: &str = "full";
/// The name that stands for the profile of the change's size.
pub const AUTO: &str = "auto";

/// A change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The lines that were added or changed, ranges in the new files.
    pub lines: BTreeMap<String, Vec<(u32, u32)>>,
    /// Every file that differs.
    files: Vec<ChangedFile>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ChangedFile {
    path: String,
    /// Lines added and removed.
    lines: u64,
    /// Those of them that are more than a comment or empty.
    code_lines: u64,
    /// A mode, a binary file, a rename: more than lines say.
    is_other: bool,
}

/// How much of a change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Documentation and comments only.
    Trivial,
    /// A few lines.
    Small,
    /// More.
    Medium,
    /// Many.
    Large,
}

impl Size {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trivial => "trivial",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

impl Change {
    /// Reads a unified diff as git writes it, with or without context.
    pub fn of_diff(diff: &str) -> Self {
        let mut change = Self::default();
        let (mut old_left, mut new_left, mut number) = (0u64, 0u64, 0u32);
        for line in diff.lines() {
            let is_in_hunk = old_left > 0 || new_left > 0;
            if !is_in_hunk && let Some(paths) = line.strip_prefix("diff --git ") {
                let path = paths.rsplit_once(" b/").map_or(paths, |(_, path)| path);
                change.files.push(ChangedFile { path: path.trim_matches('"').to_owned(), ..ChangedFile::default() });
                continue;
            }
            let Some(file) = change.files.last_mut() else { continue };
            if !is_in_hunk {
                if let Some((old, new)) = line.strip_prefix("@@ -").and_then(hunk) {
                    (old_left, new_left, number) = (old.1, new.1, u32::try_from(new.0).unwrap_or(u32::MAX));
                } else if let Some(path) = line.strip_prefix("+++ b/") {
                    path.trim_end_matches('\t').clone_into(&mut file.path);
                } else if ["old mode", "new mode", "Binary files", "rename ", "copy ", "Subproject"]
                    .iter()
                    .any(|word| line.starts_with(word))
                {
                    file.is_other = true;
                }
                continue;
            }
            match line.as_bytes().first() {
                Some(b'+') => {
                    new_left = new_left.saturating_sub(1);
                    file.line(&line[1..]);
                    let ranges = change.lines.entry(file.path.clone()).or_default();
                    match ranges.last_mut() {
                        Some((_, last)) if last.saturating_add(1) == number => *last = number,
                        Some(_) | None => ranges.push((number, number)),
                    }
                    number = number.saturating_add(1);
                }
                Some(b'-') => {
                    old_left = old_left.saturating_sub(1);
                    file.line(&line[1..]);
                }
                Some(b'\\') => {}
                Some(_) | None => {
                    (old_left, new_left) = (old_left.saturating_sub(1), new_left.saturating_sub(1));
                    number = number.saturating_add(1);
                }
            }
        }
        change
    }

    /// How much of a change it is, and why.
    pub fn size(&self, settings: &AutoSettings) -> (Size, String) {
        let docs = docs(&settings.docs);
        let is_doc = |file: &ChangedFile| docs.is_match(&file.path);
        let lines: u64 = self.files.iter().filter(|file| !is_doc(file)).map(|file| file.lines).sum();
        let told = |lines: u64| format!("{} in {}", count(lines as usize, "line"), count(self.files.len(), "file"));
        if self.files.iter().all(|file| is_doc(file) || (file.code_lines == 0 && !file.is_other)) {
            let all = self.files.iter().map(|file| file.lines).sum();
            return (Size::Trivial, format!("only documentation and comments: {}", told(all)));
        }
        let size = if lines <= settings.small_lines {
            Size::Small
        } else if lines <= settings.medium_lines {
            Size::Medium
        } else {
            Size::Large
        };
        (size, told(lines))
    }

    /// The profile for it, and why in words: `small change: 12 lines in 2 files`.
    pub fn profile(&self, settings: &Settings) -> (String, String) {
        let auto = &settings.gate_auto;
        let (size, why) = self.size(auto);
        let named = match size {
            Size::Trivial => &auto.trivial,
            Size::Small => &auto.small,
            Size::Medium => &auto.medium,
            Size::Large => &auto.large,
        };
        let usual = if settings.gate.contains_key(size.word()) { size.word() } else { PROFILE_DEFAULT };
        (named.clone().unwrap_or_else(|| usual.to_owned()), format!("{} change: {why}", size.word()))
    }
}

/// Every profile that `auto` may choose.
pub fn profiles(settings: &Settings) -> Vec<String> {
    let auto = &settings.gate_auto;
    let sizes = [(&auto.trivial, "trivial"), (&auto.small, "small"), (&auto.medium, "medium"), (&auto.large, "large")];
    let mut names: Vec<String> = sizes
        .into_iter()
        .map(|(named, size)| {
            let usual = if settings.gate.contains_key(size) { size } else { PROFILE_DEFAULT };
            named.clone().unwrap_or_else(|| usual.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

impl ChangedFile {
    fn line(&mut self, text: &str) {
        self.lines += 1;
        self.code_lines += u64::from(!is_comment(&self.path, text.trim()));
    }
}

/// `1,2 +3 @@ fn a` in its numbers: first line and count, old and new.
fn hunk(text: &str) -> Option<((u64, u64), (u64, u64))> {
    let (old, rest) = text.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let range = |text: &str| {
        let (first, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((first.parse().ok()?, count.parse().ok()?))
    };
    Some((range(old)?, range(new)?))
}

/// Whether a line is empty or a comment, to the end of the line and without meaning to any tool. In doubt it is code: Rust's doc
/// comments are tests, `//go:build` decides what is built, `# noqa` silences a warning.
fn is_comment(path: &str, line: &str) -> bool {
    if line.is_empty() {
        return true;
    }
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    let rest = match ending {
        "rs" | "go" | "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "java" | "kt" | "c" | "h" | "cc" | "cpp"
        | "hpp" | "cs" | "swift" | "scala" | "dart" | "zig" => line.strip_prefix("//"),
        "py" | "rb" | "sh" | "toml" | "yml" | "yaml" | "pl" | "r" | "ex" | "exs" => line.strip_prefix('#'),
        "lua" | "sql" | "hs" | "elm" => line.strip_prefix("--"),
        _ => None,
    };
    let Some(rest) = rest else { return false };
    const MEANINGFUL: [&str; 20] = [
        "noqa",
        "eslint",
        "type:",
        "mypy",
        "pylint",
        "ruff",
        "flake8",
        "nolint",
        "prettier",
        "istanbul",
        "c8",
        "pragma",
        "coverage",
        "clippy",
        "rustfmt",
        "fmt:",
        "go:",
        "+build",
        "shellcheck",
        "biome",
    ];
    let starts_well = rest.is_empty() || rest.starts_with(' ') || rest.chars().all(|c| "-=#/*~".contains(c));
    let lower = rest.to_ascii_lowercase();
    starts_well && !lower.trim_start().starts_with('@') && !MEANINGFUL.iter().any(|word| lower.contains(word))
}

fn docs(globs: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in globs.iter().filter_map(|glob| Glob::new(glob).ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(diff: &str, profile: &str, why: &str) -> Change {
        let change = Change::of_diff(diff);
        let mut settings = Settings::default();
        settings.gate_auto.small_lines = 3;
        settings.gate_auto.medium_lines = 5;
        settings.gate_auto.large = Some("thorough".to_owned());
        settings.gate.insert("trivial".to_owned(), crate::config::settings::GateProfile::default());
        assert_eq!(change.profile(&settings), (profile.to_owned(), why.to_owned()), "{diff}");
        change
    }

    fn diff(path: &str, hunks: &str) -> String {
        format!("diff --git a/{path} b/{path}\nindex 1..2 100644\n--- a/{path}\n+++ b/{path}\n{hunks}")
    }

    #[test]
    fn the_size_of_a_change_chooses() {
        check("", "trivial", "trivial change: only documentation and comments: 0 lines in 0 files");
        let docs = "trivial change: only documentation and comments: 2 lines in 1 file";
        check(&diff("docs/a.md", "@@ -1 +1 @@\n-a\n+b\n"), "trivial", docs);
        check(&diff("src/a.rs", "@@ -1 +1 @@\n-// a\n+// b\n"), "trivial", docs);
        let small = "small change: 2 lines in 1 file";
        check(&diff("src/a.rs", "@@ -1 +1 @@\n-/// a\n+/// b\n"), "full", small);
        check(&diff("a.go", "@@ -1 +1 @@\n-// a\n+//go:build linux\n"), "full", small);
        check(&diff("a.py", "@@ -1 +1 @@\n-# a\n+# type: ignore\n"), "full", small);
        check(&diff("a.c", "@@ -1 +1 @@\n-// a\n+#define A\n"), "full", small);
        check(&diff("Makefile", "@@ -1 +1 @@\n-# a\n+# b\n"), "full", small);
        check(&diff("a.rs", "@@ -1 +1,3 @@\n-a\n+b\n+c\n+d\n"), "full", "medium change: 4 lines in 1 file");
        check(
            &diff("a.rs", "@@ -0,0 +1,6 @@\n+1\n+2\n+3\n+4\n+5\n+6\n"),
            "thorough",
            "large change: 6 lines in 1 file",
        );
        let mode = "diff --git a/a.md b/a.md\nold mode 100644\nnew mode 100755\ndiff --git a/run b/run\nold mode 100644\nnew mode 100755\n";
        check(mode, "full", "small change: 0 lines in 2 files");
    }

    #[test]
    fn lines_are_those_of_the_new_file() {
        let text = diff("a b.rs", "@@ -1,3 +1,5 @@ fn x\n one\n-two\n+2\n+2b\n three\n+++ b/fake\n")
            + &diff("gone.rs", "@@ -1 +0,0 @@\n-a\n\\ No newline at end of file\n");
        let change = Change::of_diff(&text);
        assert_eq!(change.lines, BTreeMap::from([("a b.rs".to_owned(), vec![(2, 3), (5, 5)])]));
        assert_eq!(change.files.len(), 2);
    }
}
