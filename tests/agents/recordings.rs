//! Every recording of the real programs, as an answer and its events; one snapshot a program.

use std::{fmt::Write as _, fs};

use git_orchestrate::{
    agents::request::{AgentEvent, Answer, EndedAs, Structure},
    config::settings::AdapterKind,
    model::money::Tokens,
    sys::{clock, process::How},
};

use super::kit;

#[test]
fn claude() {
    check("claude", AdapterKind::Claude);
}

#[test]
fn claude_latest() {
    check("claude-latest", AdapterKind::Claude);
}

#[test]
fn codex() {
    check("codex", AdapterKind::Codex);
}

#[test]
fn gemini() {
    check("gemini", AdapterKind::Gemini);
}

#[test]
fn opencode() {
    check("opencode", AdapterKind::OpenCode);
}

fn check(program: &str, kind: AdapterKind) {
    let directory = kit::data("captures").join(program);
    let statuses = fs::read_to_string(directory.join("exit-status.tsv")).expect("the statuses");
    let mut listing = String::new();
    for line in statuses.lines() {
        let (scenario, status) = line.split_once('\t').expect("two columns");
        let how = match status.parse::<i32>() {
            Ok(signal) if signal < 0 => How::Signaled(-signal),
            Ok(code) => How::Exited(code),
            Err(_) => How::IdleLimit,
        };
        let stdout = fs::read(directory.join(format!("{scenario}.jsonl"))).expect("the recording");
        let stderr = fs::read(directory.join(format!("{scenario}.stderr.txt"))).unwrap_or_default();
        let structure = scenario.starts_with("schema").then_some(Structure::Verdict);
        let (answer, events) = kit::parse(kind, structure, &stdout, &stderr, how);
        listing.push_str(&show(scenario, status, &answer, &events));
    }
    kit::assert_listing(&listing, &format!("{program}.txt"));
}

fn show(scenario: &str, status: &str, answer: &Answer, events: &[AgentEvent]) -> String {
    let mut out = format!("{scenario} ({status}) -> ");
    match &answer.ended {
        EndedAs::Finished => out.push_str("finished"),
        EndedAs::Failed(line) => write!(out, "failed: {line}").expect("a string"),
        EndedAs::Infra(line) => write!(out, "infra: {line}").expect("a string"),
        EndedAs::Limited { until, reason } => {
            let until = until.map_or("unknown".to_owned(), clock::to_rfc3339);
            write!(out, "limited until {until}: {reason}").expect("a string");
        }
        EndedAs::Cancelled => out.push_str("cancelled"),
    }
    let Tokens { input, output, cache_read, cache_write, reasoning } = answer.tokens;
    writeln!(out, "\n    text {:?}", answer.text.chars().take(60).collect::<String>()).expect("a string");
    if let Some(structured) = &answer.structured {
        writeln!(out, "    structured {structured}").expect("a string");
    }
    let cost = answer.cost_usd.map_or("-".to_owned(), |cost| cost.to_string());
    let model = answer.model.as_deref().unwrap_or("-");
    let session: String = answer.session.as_deref().unwrap_or("-").chars().take(8).collect();
    writeln!(
        out,
        "    tokens {input} in {cache_read} read {cache_write} write {output} out {reasoning} reasoning, cost {cost}, \
         model {model}, session {session}"
    )
    .expect("a string");
    for event in events {
        match event {
            AgentEvent::Started { .. } | AgentEvent::Usage(_) => {}
            AgentEvent::Text(words) => {
                writeln!(out, "    says {:?}", words.chars().take(60).collect::<String>()).expect("a string");
            }
            AgentEvent::Tool { name, detail } => writeln!(out, "    uses {name}: {detail}").expect("a string"),
            AgentEvent::Waiting(line) => writeln!(out, "    waits: {line}").expect("a string"),
        }
    }
    out
}
