//! Holds what ARCHITECTURE.md says of the source: floors, first sentences, sizes, who touches what.
//! Knows nothing of what the code does; it reads words. All offences are told at once.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The rooms and their floors. A room imports from lower floors and from itself.
const ROOMS: [(&str, u32); 21] = [
    ("model", 0),
    ("text", 0),
    ("secrets", 0),
    ("plan", 1),
    ("route", 2),
    ("config", 1),
    ("sys", 1),
    ("syntax", 1),
    ("git", 2),
    ("handoff", 2),
    ("agents", 2),
    ("report", 2),
    ("gate", 3),
    ("context", 3),
    ("audit", 3),
    ("land", 4),
    ("hooks", 4),
    ("run", 5),
    ("studio", 6),
    ("demo", 6),
    ("cli", 7),
];

/// Lines a file may have, its tests among them. What is longer holds two nouns.
const LINES_MAX: usize = 700;

/// Files outside `sys::process` that start children all the same, each with why.
const STARTS_CHILDREN: [(&str, &str); 2] = [
    ("src/git/command.rs", "git's children need no record: what they leave behind is git's to put right"),
    ("src/git/signature.rs", "a signing program asks through the user's own terminal and agent"),
];

#[test]
fn the_source_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut offences = Vec::new();
    for path in sources(&root.join("src")) {
        let text = fs::read_to_string(&path).expect("a source file is text");
        let name = path.strip_prefix(root).expect("it is below the root").to_string_lossy().replace('\\', "/");
        offences.extend(file_offences(&name, &text));
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("Cargo.toml is there");
    offences.extend(manifest_offences(&manifest));
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let there = |room: &&(&str, u32)| root.join("src").join(room.0).is_dir();
    offences.extend(page_offences(&page, ROOMS.iter().filter(there)));
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn floor(room: &str) -> Option<u32> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, floor)| *floor)
}

/// Everything untidy in one file, whose name is relative to the root.
fn file_offences(name: &str, text: &str) -> Vec<String> {
    let mut offences = Vec::new();
    let mut offend = |line: usize, what: String| offences.push(format!("{name}:{line}: {what}"));

    if !has_sentences(text) {
        offend(1, "does not begin with '//!' and two sentences: what it is for, what it does not know".to_owned());
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        offend(LINES_MAX, format!("has {lines} lines, more than {LINES_MAX}"));
    }
    let code = without_comments_and_strings(text);
    if name.ends_with("/mod.rs") {
        for (line, statement) in statements(&code) {
            if !["mod ", "use "].iter().any(|word| after_visibility(&statement).starts_with(word)) {
                offend(line, format!("mod.rs holds only its sentence, 'mod' and 'pub use': {statement}"));
            }
        }
    }
    let parts: Vec<&str> = name.trim_start_matches("src/").split('/').collect();
    let own = (parts.len() > 1).then(|| parts[0]);
    if let Some(own) = own
        && floor(own).is_none()
    {
        offend(1, format!("the room '{own}' is not in the table of floors"));
    }
    let depth = if parts.last() == Some(&"mod.rs") { parts.len() - 1 } else { parts.len() };
    let tests_from = code.find("#[cfg(test)]\nmod tests").map_or(usize::MAX, |at| line_of(&code, at));
    for (line, path) in paths(&code) {
        let segments: Vec<&str> = path.split("::").collect();
        if let (Some(own), Some(other)) = (own, room_named(&segments, depth))
            && own != other
        {
            match (floor(own), floor(other)) {
                (_, None) => offend(line, format!("'{path}' names no room of the table")),
                (Some(from), Some(to)) if to >= from => {
                    offend(line, format!("'{path}': '{own}' is on floor {from} and '{other}' on floor {to}"));
                }
                _ => {}
            }
        }
        if (segments[0] == "gix" || segments[0].starts_with("gix_")) && own != Some("git") {
            offend(line, format!("'{path}': gix lives in src/git only"));
        }
        let starts = path.starts_with("std::process::Command") || path == "std::process::*";
        let may = name.starts_with("src/sys/process/") || STARTS_CHILDREN.iter().any(|(file, _)| *file == name);
        if starts && !may && line < tests_from {
            offend(line, format!("'{path}': only src/sys/process starts children"));
        }
    }
    offences
}

/// The room that a path of this crate names.
fn room_named<'a>(segments: &[&'a str], depth: usize) -> Option<&'a str> {
    if segments[0] == "crate" {
        return segments.get(1).copied();
    }
    // In a file, `super` as often as it is deep is the crate; in its tests once more.
    let up = segments.iter().take_while(|segment| **segment == "super").count();
    let named = segments.get(up).copied()?;
    (up > 0 && (up == depth || up == depth + 1) && floor(named).is_some()).then_some(named)
}

/// Whether it begins with a sentence of at least two lines, or two sentences.
fn has_sentences(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let said = lines.iter().filter(|line| !line.trim().is_empty()).count();
    let sentences = lines.join(" ").matches(". ").count() + usize::from(lines.last().is_some_and(|l| l.ends_with('.')));
    said >= 2 || sentences >= 2
}

/// The code with each comment and each literal's content blanked, so that lines stay where they are.
fn without_comments_and_strings(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let blank = |code: &mut String, part: &[char]| {
        code.extend(part.iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    };
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let is_word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        let end = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => after(rest, 2, "*/"),
            ['r', '"' | '#', ..] if !is_word_before => raw_string_end(rest),
            ['"', ..] => quoted_end(rest, '"'),
            ['\'', '\\', ..] => quoted_end(rest, '\''),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if end == 0 {
            code.push(rest[0]);
            at += 1;
        } else {
            blank(&mut code, &rest[..end]);
            at += end;
        }
    }
    code
}

fn after(rest: &[char], from: usize, end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    (from..rest.len()).find(|at| rest[*at..].starts_with(&end)).map_or(rest.len(), |at| at + end.len())
}

fn raw_string_end(rest: &[char]) -> usize {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return 0;
    }
    after(rest, 2 + hashes, &format!("\"{}", "#".repeat(hashes)))
}

fn quoted_end(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The statements of a file of declarations, each with its line.
fn statements(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut from = 0;
    for end in code.match_indices(';').map(|(at, _)| at).chain([code.len()]) {
        let part = &code[from..end];
        if !part.trim().is_empty() {
            let line = line_of(code, from + part.len() - part.trim_start().len());
            found.push((line, part.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        from = (end + 1).min(code.len());
    }
    found
}

fn after_visibility(statement: &str) -> &str {
    let mut rest = statement;
    while rest.starts_with("#[") {
        rest = rest.split_once(']').map_or("", |(_, rest)| rest).trim_start();
    }
    match rest.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')').map_or("", |(_, rest)| rest).trim_start(),
        Some(rest) => rest.trim_start(),
        None => rest,
    }
}

/// Every path in the code with its line; groups in braces are written out, and a name that a `use` brought in stands for
/// the whole path.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut names = BTreeMap::new();
    let mut at = 0;
    while let Some((from, word)) = next_word(code, at) {
        at = from + word.len();
        if word == "use" {
            let end = code[at..].find(';').map_or(code.len(), |end| at + end);
            for path in expand("", code[at..end].trim()) {
                let (path, name) = match path.split_once(" as ") {
                    Some((path, name)) => (path.trim().to_owned(), name.trim().to_owned()),
                    None => (path.clone(), path.rsplit("::").next().unwrap_or_default().to_owned()),
                };
                names.insert(name, path.clone());
                found.push((line_of(code, from), path));
            }
            at = end;
            continue;
        }
        let mut path = word.to_owned();
        while code[at..].starts_with("::")
            && let Some((next, word)) = next_word(code, at + 2)
            && next == at + 2
        {
            path.push_str("::");
            path.push_str(word);
            at = next + word.len();
        }
        let is_continued = code[..from].ends_with("::");
        if path.contains("::") && !is_continued {
            let (first, rest) = path.split_once("::").expect("it has one");
            let whole = names.get(first).filter(|whole| *whole != first).map(|whole| format!("{whole}::{rest}"));
            found.push((line_of(code, from), whole.unwrap_or(path)));
        }
    }
    found
}

fn next_word(code: &str, at: usize) -> Option<(usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let from = at + code.get(at..)?.find(is_word)?;
    let end = code[from..].find(|c| !is_word(c)).map_or(code.len(), |end| from + end);
    Some((from, &code[from..end]))
}

/// Writes out `a::{b, c::{d, e}}`.
fn expand(before: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = format!("{before}{tree}");
        let path = path.strip_suffix("::self").unwrap_or(&path);
        return vec![path.trim_start_matches("::").to_owned()];
    };
    let before = format!("{before}{}", tree[..open].trim());
    let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[from..at].trim().is_empty() {
                    found.extend(expand(&before, &inner[from..at]));
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// Dependencies without a line above that names the room they belong to and why they are here.
fn manifest_offences(manifest: &str) -> Vec<String> {
    let mut offences = Vec::new();
    let (mut is_in, mut owner) = (false, None);
    for (at, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            is_in = line.contains("dependencies");
            owner = None;
        } else if let Some(comment) = line.strip_prefix('#').filter(|_| is_in) {
            let (rooms, reason) = comment.split_once(':').unwrap_or((comment, ""));
            let is_known = |room: &str| floor(room).is_some() || room == "tests" || room == "all rooms";
            let known = rooms.split(',').all(|room| is_known(room.trim()));
            if known && !reason.trim().is_empty() {
                owner = Some(rooms);
            } else if owner.is_none() {
                offences.push(format!("Cargo.toml:{}: '{}' is not 'room, room: why'", at + 1, line.trim()));
            }
        } else if line.trim().is_empty() {
            owner = None;
        } else if is_in && line.starts_with(char::is_alphabetic) && owner.is_none() {
            let name = line.split('=').next().unwrap_or_default().trim();
            offences.push(format!("Cargo.toml:{}: '{name}' has no line above that names its room", at + 1));
        }
    }
    offences
}

/// Rooms that the map leaves out, or puts on another floor.
fn page_offences<'a>(page: &str, rooms: impl Iterator<Item = &'a (&'a str, u32)>) -> Vec<String> {
    let is_there = |room: &str, floor: u32| {
        page.lines().any(|line| line.starts_with(&format!("| {floor} ")) && line.contains(&format!("`{room}`")))
    };
    let missing = rooms.filter(|(room, floor)| !is_there(room, *floor));
    missing.map(|(room, floor)| format!("ARCHITECTURE.md: no row '| {floor} | `{room}` …'")).collect()
}

#[track_caller]
fn check(name: &str, text: &str, wanted: &[&str]) {
    let found = file_offences(name, text);
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (offence, part) in found.iter().zip(wanted) {
        assert!(offence.contains(part), "'{part}' is not in: {offence}");
    }
}

const TOP: &str = "//! Is for this. Does not know that.\n";

#[test]
fn what_is_untidy_is_found() {
    let file = |text: &str| format!("{TOP}{text}");
    check("src/git/a.rs", "fn a() {}\n", &["two sentences"]);
    check("src/git/a.rs", "//! Only one.\n", &["two sentences"]);
    check("src/git/a.rs", &file("\n").repeat(LINES_MAX), &["has 1400 lines"]);
    check("src/attic/a.rs", TOP, &["'attic' is not in the table"]);
    check("src/git/mod.rs", &file("mod a;\npub use a::B;\nfn c() {}\n"), &["mod.rs:4: mod.rs holds only"]);
    check("src/git/a.rs", &file("use crate::{model::task, run::{a, b}};\n"), &["floor 5", "floor 5"]);
    check("src/git/a.rs", &file("fn a() -> crate::handoff::B {}\n"), &["'handoff' on floor 2"]);
    check("src/git/a.rs", &file("use super::super::cli::exit;\n"), &["'cli' on floor 7"]);
    check("src/git/a.rs", &file("use crate::nowhere::B;\n"), &["names no room"]);
    check("src/run/a.rs", &file("use gix::ObjectId;\nfn a() { gix_hash::b(); }\n"), &["gix lives", "gix lives"]);
    check("src/run/a.rs", &file("use std::{io, process::{Command, Stdio}};\n"), &["only src/sys/process"]);
    check("src/run/a.rs", &file("use std::process;\nfn a() { process::Command::new(); }\n"), &["a.rs:3: 'std::"]);
}

#[test]
fn what_is_tidy_is_left_alone() {
    let file = |text: &str| format!("{TOP}{text}");
    check("src/git/mod.rs", &file("#[cfg(test)]\nmod a;\npub(crate) use self::{\n    a::B,\n    c::D,\n};\n"), &[]);
    check("src/git/a.rs", &file("use gix::ObjectId;\nuse crate::{git::b, sys::process, text::cut};\n"), &[]);
    check(
        "src/git/a.rs",
        &file("// use crate::cli;\nconst A: &str = \"crate::cli \\\" \";\nconst B: char = '\"';\n"),
        &[],
    );
    check("src/git/a.rs", &file("const A: &str = r#\"crate::cli \" gix::b\"#;\nfn a<'x>(b: &'x str) {}\n"), &[]);
    check("src/run/a.rs", &file("use crate::sys::process::Program;\nuse std::process::ExitCode;\n"), &[]);
    check("src/main.rs", &file("fn main() { git_orchestrate::cli::entry::main() }\n"), &[]);
}

#[test]
fn a_dependency_without_an_owner_is_found() {
    let good = "[dependencies]\n# cli, sys: why\nclap = \"4\"\nclap_mangen = \"1\"\n\n[dev-dependencies]\n# tests: why\na = \"1\"\n";
    assert_eq!(manifest_offences(good), Vec::<String>::new());
    let bad = "[dependencies]\nclap = \"4\"\n# attic: why\nb = \"1\"\n# cli\nc = \"1\"\n";
    assert_eq!(manifest_offences(bad).len(), 5, "{:#?}", manifest_offences(bad));
}

#[test]
fn a_room_that_the_map_leaves_out_is_found() {
    let page = "| 0 | `text` | words |\n| 3 | `git` | a repository |\n";
    let found = page_offences(page, [("text", 0), ("git", 2), ("run", 5)].iter());
    assert_eq!(found.len(), 2, "{found:#?}");
}
