//! The Agent Client Protocol: recorded transcripts of real programs played by a script that reads and writes as they did,
//! and a program that misbehaves in each way we could think of.

use std::{fmt::Write as _, fs, path::PathBuf, time::Duration};

use git_orchestrate::{
    agents::{
        agent::Agent,
        request::{AgentEvent, Answer, EndedAs, Request, Structure},
    },
    config::settings::{AdapterKind, AgentSettings},
    model::{record::Family, workflow::Access},
    sys::process::{Cancel, Supervisor},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::kit;

/// The numbers of our own calls, which differ from those of the client that was recorded.
const NUMBERS: [(&str, i64); 4] =
    [("initialize", 1), ("session/new", 2), ("session/set_mode", 3), ("session/prompt", 5)];

struct Place {
    directory: TempDir,
    supervisor: Supervisor,
    cancel: Cancel,
}

/// What came of one step, and what the program heard.
struct Played {
    answer: Answer,
    events: Vec<AgentEvent>,
    heard: Vec<Value>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["worktree", "children"] {
            fs::create_dir(directory.path().join(name)).expect("a directory");
        }
        let supervisor = Supervisor::new(directory.path().join("children"), "test".to_owned()).expect("a supervisor");
        Self { directory, supervisor, cancel: Cancel::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn settings(&self, script: &str) -> AgentSettings {
        AgentSettings {
            program: Some("/bin/sh".to_owned()),
            args: vec!["-c".to_owned(), script.to_owned(), self.path("heard").to_string_lossy().into_owned()],
            family: Some(Family("other".to_owned())),
            ..kit::settings(AdapterKind::Acp)
        }
    }

    fn request(&self, access: Access) -> Request {
        let mut request = kit::request(access);
        request.worktree = self.path("worktree");
        request.scratch = self.path("scratch");
        request.wall = Duration::from_secs(60);
        request
    }

    fn play(&self, settings: &AgentSettings, request: &Request) -> Played {
        let agent = Agent::new("tested", settings, &self.path("")).expect("an agent");
        let mut events = Vec::new();
        let answer = agent.run(request, &self.supervisor, &self.cancel, &mut |event| {
            if matches!(&event, AgentEvent::Tool { detail, .. } if detail.contains("sleep 61")) {
                self.cancel.cancel();
            }
            events.push(event);
        });
        let heard = fs::read_to_string(self.path("heard")).unwrap_or_default();
        let heard = heard.lines().map(|line| serde_json::from_str(line).expect("we say JSON")).collect();
        Played { answer, events, heard }
    }

    fn script(&self, script: &str, access: Access) -> Played {
        self.play(&self.settings(&format!("{TOOLS}\n{script}")), &self.request(access))
    }
}

/// What the scripts share. `hear` reads a message of ours and writes it down, `say` says one.
const TOOLS: &str = r#"
hear() { IFS= read -r line || exit 0; printf '%s\n' "$line" >> "$0"; }
say() { printf '%s\n' "$1"; }
update() { say "{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"sessionId\":\"s\",\"update\":$1}}"; }
words() { update "{\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":\"text\",\"text\":\"$1\"}}"; }
started() { hear; say '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}'; }
opened() { started; hear; say '{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s"}}'; hear; }
ended() { say "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{\"stopReason\":\"$1\"}}"; }
"#;

/// A program that does what the recorded one did: it reads where it read and writes what it wrote.
fn script_of(recording: &str) -> String {
    let mut script = TOOLS.to_owned();
    let mut numbers: Vec<(i64, i64)> = Vec::new();
    let mut left_out = Vec::new();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of a transcript");
        let mut message = line["msg"].clone();
        if line["dir"] == ">" {
            let method = message["method"].as_str().unwrap_or_default();
            if method == "session/set_mode" {
                // We do not ask for a mode in which everything is allowed.
                left_out.push(message["id"].as_i64().expect("a number"));
                continue;
            }
            if let Some((_, number)) = NUMBERS.iter().find(|(name, _)| *name == method) {
                numbers.push((message["id"].as_i64().expect("a number"), *number));
            }
            script.push_str("hear\n");
        } else {
            let id = message["id"].as_i64().filter(|_| message.get("method").is_none());
            if id.is_some_and(|id| left_out.contains(&id)) {
                continue;
            }
            if let Some((_, number)) = id.and_then(|id| numbers.iter().find(|(from, _)| *from == id)) {
                message["id"] = json!(number);
            }
            writeln!(script, "say '{}'", message.to_string().replace('\'', "'\\''")).expect("a string");
        }
    }
    script.push_str("while hear; do :; done\n");
    script
}

fn show(name: &str, played: &Played) -> String {
    let mut out = format!("{name} -> {:?}\n", played.answer.ended);
    let answer = &played.answer;
    writeln!(out, "  text: {:?}", answer.text).expect("a string");
    writeln!(out, "  session {:?}, model {:?}", answer.session, answer.model).expect("a string");
    writeln!(out, "  tokens: {:?}, cost {:?}", answer.tokens, answer.cost_usd).expect("a string");
    for event in &played.events {
        writeln!(out, "  {event:?}").expect("a string");
    }
    for heard in &played.heard {
        let what = match heard["method"].as_str() {
            Some(method) => method.to_owned(),
            None => format!("answer {} {}", heard["id"], heard["result"]),
        };
        writeln!(out, "  heard {what}").expect("a string");
    }
    out.push('\n');
    out
}

#[test]
fn recorded_programs() {
    let mut listing = String::new();
    for program in ["gemini-nofs", "opencode", "claude-agent-acp", "codex-acp", "gemini-cancel"] {
        let place = Place::new();
        let recording = fs::read_to_string(kit::data("captures/acp").join(format!("{program}.jsonl"))).expect("it");
        // It worked in a directory of its own, and works in ours now.
        let (_, cwd) = recording.split_once("\"cwd\": \"").expect("a session's directory");
        let cwd = cwd.split('"').next().expect("it ends");
        let recording = recording.replace(cwd, &place.path("worktree").to_string_lossy());
        let played = place.play(&place.settings(&script_of(&recording)), &place.request(Access::Write));
        listing.push_str(&show(program, &played));
    }
    kit::assert_listing(&listing, "acp.txt");
}

#[test]
fn a_reader_is_put_into_a_mode_that_reads_and_is_refused_what_writes() {
    let place = Place::new();
    let script = r#"
started; hear
say '{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s","modes":{"currentModeId":"default","availableModes":[{"id":"default"},{"id":"plan"}]}}}'
hear; say '{"jsonrpc":"2.0","id":3,"result":{}}'
hear
say '{"jsonrpc":"2.0","id":"a","method":"session/request_permission","params":{"sessionId":"s","options":[{"optionId":"y","name":"","kind":"allow_once"},{"optionId":"n","name":"","kind":"reject_once"}],"toolCall":{"toolCallId":"1","kind":"edit","title":"Write x"}}}'
hear
say '{"jsonrpc":"2.0","id":"b","method":"session/request_permission","params":{"sessionId":"s","options":[{"optionId":"y","name":"","kind":"allow_once"},{"optionId":"n","name":"","kind":"reject_once"}],"toolCall":{"toolCallId":"2","kind":"read","title":"Read x"}}}'
hear
words '{\"status\": \"approved\", \"summary\": \"fine\"}'
ended end_turn
"#;
    let mut request = place.request(Access::Read);
    request.structure = Some(Structure::Verdict);
    let played = place.play(&place.settings(&format!("{TOOLS}\n{script}")), &request);
    assert_eq!(played.answer.ended, EndedAs::Finished, "{:?}", played.answer);
    assert_eq!(played.answer.structured.as_ref().map(|found| &found["status"]), Some(&json!("approved")));
    assert_eq!(played.heard[2]["params"], json!({"sessionId": "s", "modeId": "plan"}));
    assert_eq!(played.heard[4]["result"]["outcome"]["optionId"], "n");
    assert_eq!(played.heard[5]["result"]["outcome"]["optionId"], "y");
}

#[test]
fn a_model_is_asked_for_and_must_be_there() {
    let place = Place::new();
    let script = r#"
started; hear
say '{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s","configOptions":[{"id":"model","category":"model","type":"select","currentValue":"x/small","options":[{"value":"x/small"},{"value":"x/large"}]}]}}'
hear; say '{"jsonrpc":"2.0","id":4,"result":{"configOptions":[]}}'
hear; words done; ended end_turn
"#;
    let mut settings = place.settings(&format!("{TOOLS}\n{script}"));
    settings.model = Some("large".to_owned());
    let played = place.play(&settings, &place.request(Access::Write));
    assert_eq!((played.answer.ended, played.answer.model.as_deref()), (EndedAs::Finished, Some("x/large")));
    assert_eq!(played.heard[2]["params"], json!({"sessionId": "s", "configId": "model", "value": "x/large"}));
    settings.model = Some("huge".to_owned());
    let played = place.play(&settings, &place.request(Access::Write));
    let EndedAs::Infra(line) = played.answer.ended else { panic!("{:?}", played.answer) };
    assert!(line.contains("it has no model 'huge', but x/small, x/large"), "{line}");
}

/// Plays a script and holds how it ended.
#[track_caller]
fn check(script: &str, wanted: &str) {
    let place = Place::new();
    let played = place.script(script, Access::Write);
    let ended = format!("{:?}", played.answer.ended);
    assert!(ended.contains(wanted), "'{wanted}' is not in {ended}");
}

#[test]
fn what_goes_wrong_is_told_apart() {
    let error = |id: u32, error: &str| format!("say '{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}'; hear");
    check(
        &format!("started; hear; {}", error(2, r#"{"code":-32000,"message":"Authentication required"}"#)),
        "Infra(\"the agent is not logged in",
    );
    check(
        &format!(
            "opened; {}",
            error(5, r#"{"code":-32603,"message":"Internal error","data":{"details":"429 Too Many Requests"}}"#)
        ),
        "Limited",
    );
    check(
        &format!(
            "opened; {}",
            error(5, r#"{"code":-32603,"message":"Internal error","data":{"details":"503 overloaded"}}"#)
        ),
        "Infra(\"the provider of the agent is overloaded",
    );
    check(
        &format!("opened; {}", error(5, r#"{"code":-32603,"message":"it broke"}"#)),
        "Failed(\"the agent gave up: it broke\")",
    );
    check("hear; say '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":7}}'; hear", "it speaks version 7");
    check("hear; exit 0", "Infra(\"the agent ended without a result");
    check("echo 'error: unknown option --acp' >&2; exit 2", "Infra(\"the agent does not start");
    check("opened; words half", "Failed(\"the agent ended without a result");
    check("opened; ended end_turn; hear", "Failed(\"the agent gave an empty answer");
    check("opened; words x; ended max_tokens; hear", "cut off at the model's output limit");
    check("opened; words x; ended refusal; hear", "declined to do this");
    check("opened; words x; ended max_turn_requests; hear", "used up its requests");
    check("opened; words x; ended cancelled; hear", "it says that it was cancelled");
    check("opened; words x; ended new_reason; hear", "for a reason that we do not know");
    check("started; hear; say '{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}'; hear", "a session without a name");
}

#[test]
fn what_we_do_not_offer_is_refused_and_rubbish_is_passed_over() {
    let place = Place::new();
    let script = r#"
echo 'Loading...'; opened
echo '{"jsonrpc":"2.0","id":9,"method":"fs/write_text_file","params":{"sessionId":"s","path":"/etc/x","content":""}}'; hear
echo '{"jsonrpc":"2.0","id":10,"method":"terminal/create","params":{"sessionId":"s","command":"ls"}}'; hear
echo '{"jsonrpc":"2.0","id":11,"method":"session/request_permission","params":7}'; hear
echo '{"jsonrpc":"2.0","id":99,"result":{}}'; echo '[]'; echo 'null'; echo '{"jsonrpc":"2.0"}'
update '{"sessionUpdate":"of_another_day"}'; update 'null'
words a; words b; ended end_turn; hear
"#;
    let played = place.script(script, Access::Write);
    assert_eq!((played.answer.ended, played.answer.text.as_str()), (EndedAs::Finished, "ab"));
    let codes: Vec<_> = played.heard[3..].iter().map(|heard| heard["error"]["code"].clone()).collect();
    assert_eq!(codes, [-32601, -32601, -32602]);
}

#[test]
fn what_does_not_end_or_does_not_answer_is_ended() {
    let place = Place::new();
    let played = place.script("opened; words done; ended end_turn; exec sleep 60", Access::Write);
    assert_eq!(played.answer.ended, EndedAs::Finished, "it had finished before it stayed");
    let settings = place.settings(&format!("{TOOLS}\nopened; hear; words 'heard it'; ended cancelled; hear"));
    let mut request = place.request(Access::Write);
    request.idle = Duration::from_millis(300);
    let played = place.play(&settings, &request);
    assert!(matches!(&played.answer.ended, EndedAs::Infra(line) if line.contains("silent")), "{:?}", played.answer);
    assert_eq!(played.heard.last().map(|heard| heard["method"].clone()), Some(json!("session/cancel")));
}
