//! A task: what a person wants done, as it stands in `.handoff/tasks/`.
//! Knows nothing of how far it has come; that is its checkpoint.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::money::Money;

/// Characters a task id may have at most.
pub const TASK_ID_LENGTH_MAX: usize = 64;

/// The name of a task: a file name, a branch name and a word on the command line at once.
///
/// Grammar: `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 64 characters, no `..`, not ending in `.` or `.lock`
/// (as `git check-ref-format` wants it), and not `land` or a device name of Windows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

/// A text that cannot be the name of a task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' is not a task id: {why}", .id.escape_debug())]
pub struct NotATaskId {
    /// The text.
    pub id: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl TaskId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn check(id: &str) -> Result<(), NotATaskId> {
        let wrong = |why| Err(NotATaskId { id: id.chars().take(80).collect(), why });
        if id.is_empty() {
            return wrong("it is empty");
        }
        if id.len() > TASK_ID_LENGTH_MAX {
            return wrong("it has more than 64 characters");
        }
        if !id.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return wrong("it must begin with a letter or a digit");
        }
        if !id.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-')) {
            return wrong("only letters, digits, '.', '_' and '-' are allowed");
        }
        if id.as_bytes().windows(2).any(|two| two == b"..") || id.ends_with('.') || id.ends_with(".lock") {
            return wrong("git does not allow '..', or '.' or '.lock' at the end, in a branch name");
        }
        const RESERVED: [&str; 5] = ["con", "prn", "aux", "nul", "land"];
        let stem = id.split('.').next().unwrap_or(id);
        if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(stem)) {
            return wrong("the name is reserved");
        }
        Ok(())
    }
}

impl FromStr for TaskId {
    type Err = NotATaskId;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::check(id).map(|()| Self(id.to_owned()))
    }
}

impl TryFrom<String> for TaskId {
    type Error = NotATaskId;
    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::check(&id).map(|()| Self(id))
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How much harm a mistake in the task could do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Little: easily seen and put right.
    Low,
    /// The usual.
    #[default]
    Medium,
    /// Much: data, money, security, many users.
    High,
}

/// How much work the task is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Complexity {
    /// Minutes for a person.
    Small,
    /// Hours.
    #[default]
    Medium,
    /// Days.
    Large,
}

macro_rules! word_enum {
    ($name:ident { $($variant:ident = $word:literal),* }) => {
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The word for it in files.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.word() == word).ok_or_else(|| {
                    let words: Vec<_> = Self::ALL.iter().map(|v| v.word()).collect();
                    format!("'{word}' is none of {}", words.join(", "))
                })
            }
        }
    };
}
pub(crate) use word_enum;

word_enum!(Risk { Low = "low", Medium = "medium", High = "high" });
word_enum!(Complexity { Small = "small", Medium = "medium", Large = "large" });

/// One piece of work in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its name; in a file it may be left out, the file's name gives it.
    pub id: TaskId,
    /// One line for people.
    pub title: String,
    /// What is to be reached, in the person's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    /// A free word: feature, fix, refactoring, docs …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How much harm a mistake could do.
    #[serde(default)]
    pub risk: Risk,
    /// The part of the product it belongs to, a free word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// How much work it is.
    #[serde(default)]
    pub complexity: Complexity,
    /// Higher goes first; 0 is usual.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Tasks whose landed result this one starts from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<TaskId>,
    /// Globs of the files it will change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Globs of the files it should read first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<String>,
    /// What must not happen, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<String>,
    /// What must be true at the end, a criterion each; they are numbered A1, A2, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acceptance: Vec<String>,
    /// The workflow that drives it; none: the configured default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Free words that `skip_when` of a workflow can ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What it may cost in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<Money>,
    /// How long it may run in all, such as `2h` or `90m`, agents' and gates' time added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// What its steps need, while they are made, of what there is only some of: `[resources]` of the configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, u32>,
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

impl Task {
    /// A task with only a name and a title.
    pub fn new(id: TaskId, title: impl Into<String>) -> Self {
        Self {
            id,
            title: title.into(),
            goal: String::new(),
            kind: None,
            risk: Risk::default(),
            area: None,
            complexity: Complexity::default(),
            priority: 0,
            depends_on: Vec::new(),
            files: Vec::new(),
            context: Vec::new(),
            constraints: Vec::new(),
            acceptance: Vec::new(),
            workflow: None,
            labels: Vec::new(),
            budget_usd: None,
            timeout: None,
            resources: BTreeMap::new(),
        }
    }
}

/// A length of time as people write it: `500ms`, `45s`, `20m`, `2h`, `1d`, or several: `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub std::time::Duration);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("'{text}' is not a length of time such as 45s, 20m or 1h30m");
        let mut rest = text.trim();
        let mut millis: u64 = 0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
            rest = &rest[end..];
            let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let unit = match &rest[..end] {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(wrong()),
            };
            millis = number.checked_mul(unit).and_then(|n| millis.checked_add(n)).ok_or_else(wrong)?;
            rest = &rest[end..];
        }
        Ok(Self(std::time::Duration::from_millis(millis)))
    }
}

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = self.0.as_millis();
        if millis == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
            if millis >= size {
                text.push_str(&format!("{}{unit}", millis / size));
                millis %= size;
            }
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_git_and_file_systems_take() {
        for good in ["RAE-001", "a", "0", "fix.login_2", "API", &"x".repeat(64)] {
            assert!(good.parse::<TaskId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-rf",
            ".hidden",
            "a/b",
            "../../x",
            "a..b",
            "x.lock",
            "x.",
            "CON",
            "nul.txt",
            "land",
            "a b",
            "ä",
            "a\0",
            "a@{1}",
            "\u{202e}a",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_go_in_and_out() {
        for (text, millis) in [("500ms", 500), ("45s", 45_000), ("1h30m", 5_400_000), ("2d", 172_800_000)] {
            let span: Span = text.parse().expect(text);
            assert_eq!((span.0.as_millis(), span.to_string().as_str()), (millis, text));
        }
        for bad in ["", "5", "m", "5x", "99999999999999999999s", "-5s", "5 m"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
