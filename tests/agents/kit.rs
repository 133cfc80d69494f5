//! What these tests share: a request, an ending, and a parser fed with bytes.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use git_orchestrate::{
    agents::{
        adapter::Ending,
        adapters::adapter_of,
        request::{AgentEvent, Answer, Request, Structure},
    },
    config::settings::{AdapterKind, AgentSettings},
    model::workflow::Access,
    sys::{clock, process::How},
};

pub fn request(access: Access) -> Request {
    Request {
        task: "RAE-001".to_owned(),
        phase: "implement/S1".to_owned(),
        attempt: 1,
        prompt: "Do it.\n".to_owned(),
        worktree: PathBuf::from("/worktree"),
        access,
        structure: None,
        scratch: PathBuf::from("/scratch"),
        wall: Duration::from_secs(3600),
        idle: Duration::from_secs(600),
        output_bytes_max: 1 << 20,
        spend_max: None,
    }
}

pub fn settings(adapter: AdapterKind) -> AgentSettings {
    AgentSettings::of(adapter)
}

/// When the recordings were made, so that "7:20pm" is always the same evening.
pub fn recorded_at() -> SystemTime {
    clock::parse_rfc3339("2026-11-20T17:20:00Z").expect("a time")
}

/// Feeds lines to the parser of an adapter.
pub fn parse(
    kind: AdapterKind,
    structure: Option<Structure>,
    stdout: &[u8],
    stderr: &[u8],
    how: How,
) -> (Answer, Vec<AgentEvent>) {
    let mut request = request(Access::Write);
    request.structure = structure;
    let mut parser = adapter_of(kind).expect("it starts a program").parser(&request);
    let mut events = Vec::new();
    for line in stdout.split_inclusive(|byte| *byte == b'\n') {
        parser.line(line.strip_suffix(b"\n").unwrap_or(line), &mut |event| events.push(event));
    }
    let ending = Ending { how: &how, stderr, result: None, now: recorded_at(), wall: request.wall, idle: request.idle };
    (parser.finish(&ending), events)
}

pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/agents").join(path)
}

/// Holds a listing against its file, byte for byte; `SNAPSHOTS=overwrite` writes it anew.
pub fn assert_listing(listing: &str, file: &str) {
    let expected = snapbox::Data::read_from(&data(file), None).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(snapbox::Data::text(listing).raw(), expected);
}
