//! What real tools printed and wrote, read back: the gate says the same as the tools themselves. How each was recorded stands
//! in `tests/gate/README.md`. Runs no tool.

use std::{fs, path::Path};

use git_orchestrate::{
    config::settings::CheckFormat,
    gate::{
        compare::percent,
        measured::{Ended, Measured, Place},
        parse::Reader,
    },
};
use snapbox::{Data, assert_data_eq};

/// What was measured, as text.
fn told(measured: &Measured) -> String {
    let at = |place: Option<&Place>| match place {
        Some(Place { file, line: Some(line) }) => format!("  at {file}:{line}"),
        Some(Place { file, line: None }) => format!("  at {file}"),
        None => String::new(),
    };
    let formats: Vec<&str> = measured.formats.iter().map(|format| format.word()).collect();
    let mut text = format!("format {}\n", formats.join(", "));
    if let Some(tests) = &measured.tests {
        let counts = tests.counts;
        text += &format!("tests {} run, {} failed, {} skipped\n", counts.run, counts.failed, counts.skipped);
        for (name, case) in &tests.cases {
            let mark = match case.ended {
                Ended::Passed => "passed ",
                Ended::Failed => "failed ",
                Ended::Skipped => "skipped",
            };
            text += &format!("  {mark} {name}{}\n", at(case.place.as_ref()));
        }
    }
    if let Some(warnings) = &measured.warnings {
        text += &format!("warnings {}{}\n", warnings.count, if warnings.is_refusal { ", refused" } else { "" });
        for warning in &warnings.all {
            let place = at(Some(&Place::new(&warning.file, warning.line)));
            text += &format!("  {} [{}]{place}\n", warning.text, warning.rule);
        }
    }
    if let Some(coverage) = &measured.coverage {
        let whole = coverage.whole();
        text += &format!("coverage {}/{} {}\n", whole.covered, whole.total, percent(whole));
        for (file, own) in &coverage.files {
            let missed: Vec<String> =
                own.ranges.iter().filter(|range| !range.2).map(|(first, last, _)| format!("{first}-{last}")).collect();
            text += &format!("  {}/{} {file}, not {}\n", own.lines.covered, own.lines.total, missed.join(" "));
        }
    }
    if let Some(broken) = &measured.broken {
        text += &format!("broken: {broken}\n");
    }
    measured.unread.iter().for_each(|why| text += &format!("unread: {why}\n"));
    text
}

fn read(bytes: &[u8], wanted: Option<CheckFormat>) -> Measured {
    let mut reader = Reader::new(wanted);
    bytes.split(|b| *b == b'\n').for_each(|line| reader.line(line));
    let mut measured = reader.finish(Some(bytes));
    for tool in ["rust", "python", "js", "go"] {
        measured.relative_to(&format!("/home/dev/sample/{tool}"));
    }
    measured
}

fn directory() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate")
}

#[test]
fn each_recording_says_what_its_tool_said() {
    let mut names: Vec<_> = fs::read_dir(directory().join("recordings"))
        .expect("the recordings")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert!(names.len() >= 30, "{names:?}");
    let mut all = String::new();
    for name in names {
        let bytes = fs::read(directory().join("recordings").join(&name)).expect("a recording");
        let measured = read(&bytes, None);
        assert!(!measured.formats.is_empty(), "{name} is of a known format");
        all += &format!("=== {name}\n{}", told(&measured));
    }
    assert_data_eq!(all, Data::read_from(&directory().join("measured.txt"), None).raw());
}
