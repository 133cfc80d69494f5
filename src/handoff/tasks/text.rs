//! The text of one task: TOML, or Markdown with TOML between `+++` lines before it.
//! Knows nothing of files on a disk or of other tasks.

use std::{borrow::Cow, path::Path};

use globset::Glob;

use crate::{
    config::{
        document::{Part, Reading, TEXT_BYTES_MAX, place, read, too_long},
        parse::{is_name, is_outside},
        problem::Problem,
    },
    model::{
        money::Money,
        task::{Task, TaskId},
    },
    text::cut,
};

/// Characters a title may have.
pub const TITLE_LENGTH_MAX: usize = 200;
/// Columns of a first line that becomes a title.
const DERIVED_TITLE_WIDTH: usize = 100;
/// The letters that mean something in a glob: one without them is none that could be wrong.
const MARKS: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];
/// The line before and after the front matter.
const FENCE: &str = "+++";

/// How a task is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `<id>.toml`
    Toml,
    /// `<id>.md`
    Md,
}

impl Format {
    /// That of a file, by its name; none: it is no task.
    pub fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "md" => Some(Self::Md),
            _ => None,
        }
    }

    /// The end of its files' names, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Md => "md",
        }
    }
}

/// The task in a text; the id is `id_from_name` where the text gives none.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str, file: &str, format: Format, id_from_name: &TaskId) -> Result<Task, Vec<Problem>> {
    match format {
        Format::Toml => parse_toml(text, file, id_from_name),
        Format::Md => parse_md(text, file, id_from_name),
    }
}

/// The task in a TOML text.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_toml(text: &str, file: &str, id_from_name: &TaskId) -> Result<Task, Vec<Problem>> {
    let reading = Reading { fill: &[("id", id_from_name.as_str())], ..Reading::of(file) };
    let task = read(text, &reading)?;
    checked(task, text, &reading)
}

/// The task in a Markdown text: front matter, if it has any, and the goal as its body. The title is that of the front
/// matter, else the first heading, else the task's id.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_md(text: &str, file: &str, id_from_name: &TaskId) -> Result<Task, Vec<Problem>> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(vec![too_long(file)]);
    }
    let page = Page::split(text, file).map_err(|problem| vec![problem])?;
    let goal = page.body.trim();
    if goal.contains('\0') {
        return Err(vec![Problem::new(file, "a text has a NUL character in it")]);
    }
    let title = heading(goal).unwrap_or_else(|| id_from_name.to_string());
    let fill = [("id", id_from_name.as_str()), ("title", &title)];
    let reading = Reading { fill: &fill, first_line: 2, ..Reading::of(file) };
    let mut task: Task = read(page.front, &reading)?;
    if !task.goal.is_empty() && !goal.is_empty() {
        let what = "the goal is given twice: as 'goal' and as the text below";
        return Err(vec![reading.problem(page.front, &place!["goal"], what)]);
    }
    if task.goal.is_empty() {
        task.goal = goal.replace("\r\n", "\n");
    }
    checked(task, page.front, &reading)
}

/// A Markdown text in two.
pub(super) struct Page<'a> {
    /// Whether it has front matter.
    pub(super) has_front: bool,
    /// The TOML between the fences.
    pub(super) front: &'a str,
    /// All after them.
    pub(super) body: &'a str,
}

impl<'a> Page<'a> {
    /// # Errors
    /// Front matter that does not end, or is not TOML.
    pub(super) fn split(text: &'a str, file: &str) -> Result<Self, Problem> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first = text.lines().next().unwrap_or_default().trim_end();
        if first == "---" && text.lines().skip(1).any(|line| line.trim_end() == "---") {
            let hint = "write it as TOML between lines of +++".to_owned();
            return Err(Problem::new(file, "the front matter is YAML, which is not read").at(1).hint(hint));
        }
        if first != FENCE {
            return Ok(Self { has_front: false, front: "", body: text });
        }
        let mut at = text.find('\n').map_or(text.len(), |end| end + 1);
        let start = at;
        for line in text[start..].split_inclusive('\n') {
            if line.trim_end() == FENCE {
                return Ok(Self { has_front: true, front: &text[start..at], body: &text[at + line.len()..] });
            }
            at += line.len();
        }
        let hint = "add a line of +++ after the last key".to_owned();
        Err(Problem::new(file, "the front matter does not end").at(1).hint(hint))
    }
}

/// The first heading of a text that is not inside a block of code.
pub(in crate::handoff) fn heading(text: &str) -> Option<String> {
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code && line.starts_with('#') {
            let title = line.trim_start_matches('#').trim().trim_end_matches('#').trim();
            if line.trim_start_matches('#').starts_with([' ', '\t']) && !title.is_empty() {
                return Some(short(title));
            }
        }
    }
    None
}

/// A text as a title of one line.
pub(in crate::handoff) fn short(text: &str) -> String {
    cut(&crate::text::clean_line(text), DERIVED_TITLE_WIDTH)
}

fn checked(task: Task, text: &str, reading: &Reading<'_>) -> Result<Task, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut wrong = |place: &[Part], what: String| problems.push(reading.problem(text, place, what));
    if task.title.trim().is_empty() {
        wrong(&place!["title"], "'title' is empty".to_owned());
    }
    if task.title.chars().any(char::is_control) {
        wrong(&place!["title"], "'title' must be one line without control characters".to_owned());
    }
    if task.title.chars().count() > TITLE_LENGTH_MAX {
        wrong(&place!["title"], format!("'title' has more than {TITLE_LENGTH_MAX} characters"));
    }
    for (at, need) in task.depends_on.iter().enumerate() {
        if *need == task.id {
            wrong(&place!["depends_on", at], format!("task '{need}' depends on itself"));
        } else if task.depends_on[..at].contains(need) {
            wrong(&place!["depends_on", at], format!("'depends_on' names '{need}' twice"));
        }
    }
    for (key, globs) in [("files", &task.files), ("context", &task.context)] {
        for (at, glob) in globs.iter().enumerate() {
            if is_outside(glob) {
                wrong(&place![key, at], format!("'{}' of '{key}' leaves the repository", glob.escape_debug()));
            } else if let Some(error) = glob.contains(MARKS).then(|| Glob::new(glob).err()).flatten() {
                wrong(&place![key, at], format!("'{}' of '{key}' is no glob: {}", glob.escape_debug(), error.kind()));
            }
        }
    }
    let lists = [("constraints", &task.constraints), ("acceptance", &task.acceptance), ("labels", &task.labels)];
    for (key, list) in lists {
        for (at, _) in list.iter().enumerate().filter(|(_, text)| text.trim().is_empty()) {
            wrong(&place![key, at], format!("an entry of '{key}' is empty"));
        }
    }
    for (key, word) in [("kind", &task.kind), ("area", &task.area)] {
        if word.as_ref().is_some_and(|word| word.trim().is_empty() || word.chars().any(char::is_control)) {
            wrong(&place![key], format!("'{key}' must be a word"));
        }
    }
    if let Some(name) = task.workflow.as_ref().filter(|name| !is_name(name)) {
        wrong(&place!["workflow"], format!("'{}' cannot name a workflow", name.escape_debug()));
    }
    if task.budget_usd == Some(Money::ZERO) {
        wrong(&place!["budget_usd"], "'budget_usd' must be more than nothing".to_owned());
    }
    if task.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
        wrong(&place!["timeout"], "'timeout' must be more than nothing".to_owned());
    }
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(task) } else { Err(problems) }
}

/// A problem with that place of a task's text.
pub(super) fn problem(text: &str, file: &str, format: Format, place: &[Part], what: String) -> Problem {
    match (format, Page::split(text, file)) {
        (Format::Md, Ok(page)) => Reading { first_line: 2, ..Reading::of(file) }.problem(page.front, place, what),
        (Format::Toml, _) | (Format::Md, Err(_)) => Reading::of(file).problem(text, place, what),
    }
}

/// A task as the text of its TOML file; the same task always gives the same text.
pub fn to_toml(task: &Task) -> String {
    toml::to_string_pretty(task).expect("BUG: a task has only values that TOML can write")
}

/// A task as the text of its Markdown file: what the goal is not, as front matter, and the goal.
pub fn to_md(task: &Task) -> String {
    let front = Task { goal: String::new(), ..task.clone() };
    let goal: Cow<'_, str> = if task.goal.is_empty() { "".into() } else { format!("\n{}\n", task.goal.trim()).into() };
    format!("{FENCE}\n{}{FENCE}\n{goal}", to_toml(&front))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> TaskId {
        "RAE-001".parse().expect("an id")
    }

    fn check(format: Format, text: &str, wanted: &str) {
        let said = match parse(text, "f", format, &id()) {
            Ok(task) => format!("{}|{}|{}", task.id, task.title, task.goal),
            Err(problems) => {
                let line = |p: &Problem| p.line.map_or("-".to_owned(), |line| line.to_string());
                problems.iter().map(|p| format!("{}: {}", line(p), p.what)).collect::<Vec<_>>().join("\n")
            }
        };
        assert_eq!(said, wanted, "{:?}", cut(text, 200));
    }

    #[test]
    fn toml_is_read() {
        check(Format::Toml, "title = 'A'", "RAE-001|A|");
        check(Format::Toml, "\u{feff}id = 'RAE-001'\r\ntitle = 'A'\r\ngoal = 'do'\r\n", "RAE-001|A|do");
        check(Format::Toml, "id = 'x'\ntitle = 'A'", "x|A|");
        check(Format::Toml, "", "-: 'title' is missing");
        check(
            Format::Toml,
            "title = 'A'\nrisk = 'hihg'\nprio = 1\ntimeout = 60\ndepends_on = ['a/b']",
            "2: 'risk' cannot be 'hihg'\n3: unknown key 'prio'\n4: 'timeout' must be a text in quotes, not 60\n\
             5: 'depends_on': 'a/b' is not a task id: only letters, digits, '.', '_' and '-' are allowed",
        );
        check(
            Format::Toml,
            "title = ' '\ndepends_on = ['RAE-001', 'a', 'a']\nfiles = ['../x', 'a[']\nlabels = ['']\n\
             workflow = 'a/b'\nbudget_usd = 0\ntimeout = '0s'\narea = ''",
            "1: 'title' is empty\n2: task 'RAE-001' depends on itself\n2: 'depends_on' names 'a' twice\n\
             3: '../x' of 'files' leaves the repository\n\
             3: 'a[' of 'files' is no glob: unclosed character class; missing ']'\n4: an entry of 'labels' is empty\n\
             5: 'a/b' cannot name a workflow\n6: 'budget_usd' must be more than nothing\n\
             7: 'timeout' must be more than nothing\n8: 'area' must be a word",
        );
        check(Format::Toml, "title = \"a\\u001b[31m\"", "1: 'title' must be one line without control characters");
        check(Format::Toml, "title = \"a\\u0000\"", "1: a text has a NUL character in it");
    }

    #[test]
    fn markdown_is_read() {
        check(Format::Md, "Do it.\nNow.", "RAE-001|RAE-001|Do it.\nNow.");
        check(Format::Md, "# Add a flag #\n\nDo it.\n", "RAE-001|Add a flag|# Add a flag #\n\nDo it.");
        check(
            Format::Md,
            "```sh\n# no title\n```\n## Title\n#hashtag",
            "RAE-001|Title|```sh\n# no title\n```\n## Title\n#hashtag",
        );
        check(Format::Md, "+++\ntitle = 'A'\n+++\n\n# B\nDo it.\n", "RAE-001|A|# B\nDo it.");
        check(Format::Md, "\u{feff}+++\r\ntitle = 'A'\r\n+++\r\nDo\r\nit.\r\n", "RAE-001|A|Do\nit.");
        check(Format::Md, "+++\ngoal = 'x'\n+++\n", "RAE-001|RAE-001|x");
        check(Format::Md, "+++\n+++", "RAE-001|RAE-001|");
        check(Format::Md, "+++\ntitle = 'A'\n\nDo it.", "1: the front matter does not end");
        check(Format::Md, "+++\n\ntitel = 'A'\n+++\nDo it.", "3: unknown key 'titel'");
        check(
            Format::Md,
            "+++\ntitle = 'A'\ngoal = 'x'\n+++\nDo it.",
            "3: the goal is given twice: as 'goal' and as the text below",
        );
        check(Format::Md, "---\ntitle: A\n---\nDo it.", "1: the front matter is YAML, which is not read");
        check(Format::Md, "---\nDo it.", "RAE-001|RAE-001|---\nDo it.");
        check(Format::Md, "Do\0it", "-: a text has a NUL character in it");
        check(Format::Md, &"x".repeat(10 << 20), "-: the file has more than 1 MiB");
    }

    #[test]
    fn out_and_in_again() {
        let mut task = Task::new(id(), "A \"title\" with 'quotes' \\ and ÄÖ");
        for goal in ["", "one line", "# Head\n\nlines\n\n'''\n\"\"\"\n\\ end", "+++\ntitle = 'x'\n+++", "tab\there"] {
            task.goal = goal.to_owned();
            assert_eq!(parse_toml(&to_toml(&task), "f", &id()), Ok(task.clone()), "{}", to_toml(&task));
            assert_eq!(parse_md(&to_md(&task), "f", &id()), Ok(task.clone()), "{}", to_md(&task));
        }
        task.kind = Some("fix".to_owned());
        task.risk = crate::model::task::Risk::High;
        task.area = Some("cli".to_owned());
        task.priority = -5;
        task.depends_on = vec!["a".parse().expect("an id"), "b".parse().expect("an id")];
        task.files = vec!["src/**/*.rs".to_owned()];
        task.context = vec!["README.md".to_owned()];
        task.constraints = vec!["No.".to_owned()];
        task.acceptance = vec!["list --json prints an array".to_owned(), "two\nlines".to_owned()];
        task.workflow = Some("single".to_owned());
        task.labels = vec!["x".to_owned()];
        task.budget_usd = Some(Money::micros(1_250_000));
        task.timeout = "1h30m".parse().ok();
        assert_eq!(parse_toml(&to_toml(&task), "f", &id()), Ok(task.clone()), "{}", to_toml(&task));
        assert_eq!(parse_md(&to_md(&task), "f", &id()), Ok(task.clone()), "{}", to_md(&task));
        assert_eq!(to_toml(&task), to_toml(&task.clone()));
    }
}
