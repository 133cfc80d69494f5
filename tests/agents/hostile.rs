//! Output that no honest program writes: it may cost the answer, never the orchestrator.

use git_orchestrate::{
    agents::request::{AgentEvent, Answer, EndedAs, Structure},
    config::settings::AdapterKind,
    sys::process::How,
};

use super::kit;

const KINDS: [AdapterKind; 6] = [
    AdapterKind::Claude,
    AdapterKind::Codex,
    AdapterKind::Gemini,
    AdapterKind::OpenCode,
    AdapterKind::Acp,
    AdapterKind::Command,
];

fn parse(kind: AdapterKind, stdout: &[u8]) -> (Answer, Vec<AgentEvent>) {
    kit::parse(kind, Some(Structure::Verdict), stdout, b"", How::Exited(0))
}

#[test]
fn rubbish_is_never_an_answer() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let deep_list = "[".repeat(500_000);
    let rubbish: [&[u8]; 12] = [
        b"",
        b"\n\n\n",
        b"\0\xff\xfe\x00garbage\n",
        b"null\ntrue\n42\n\"text\"\n[]\n{}\n",
        b"{\"type\":\"result\"\n",
        b"{\"type\":[1],\"part\":7,\"item\":null,\"message\":\"x\"}\n",
        b"{\"type\":\"assistant\",\"message\":{\"content\":\"no list\",\"usage\":{\"input_tokens\":-1}}}\n",
        b"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":\"no\",\"total_cost_usd\":-1e300}\n",
        b"{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1,\"cached_input_tokens\":18446744073709551615}}\n",
        b"{\"type\":\"result\",\"status\":\"success\",\"stats\":{\"total_tokens\":1e999}}\n",
        deep.as_bytes(),
        deep_list.as_bytes(),
    ];
    for kind in KINDS.into_iter().filter(|kind| *kind != AdapterKind::Command) {
        for bytes in rubbish {
            let (answer, _) = parse(kind, bytes);
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
            assert!(matches!(answer.ended, EndedAs::Failed(_) | EndedAs::Infra(_)), "{kind:?} {shown}: {answer:?}");
            assert_eq!(answer.structured, None, "{kind:?} {shown}");
        }
    }
}

#[test]
fn sums_do_not_overflow() {
    let most = u64::MAX;
    let step = format!(
        "{{\"type\":\"step_finish\",\"sessionID\":\"s\",\"part\":{{\"reason\":\"stop\",\"cost\":1e11,\"tokens\":{{\"input\":{most},\
         \"output\":{most},\"reasoning\":{most},\"cache\":{{\"read\":{most},\"write\":{most}}}}}}}}}\n"
    );
    let turn = format!(
        "{{\"type\":\"turn.completed\",\"usage\":{{\"input_tokens\":{most},\"cached_input_tokens\":{most},\
         \"cache_write_input_tokens\":{most},\"output_tokens\":{most}}}}}\n"
    );
    let result = format!(
        "{{\"type\":\"result\",\"status\":\"success\",\"subtype\":\"success\",\"is_error\":false,\"stats\":{{\"input_tokens\":{most},\
         \"output_tokens\":{most},\"total_tokens\":{most}}},\"modelUsage\":{{\"a\":{{\"inputTokens\":{most}}},\
         \"b\":{{\"inputTokens\":{most},\"outputTokens\":{most}}}}}}}\n"
    );
    for line in [step, turn, result] {
        for kind in KINDS {
            let (answer, _) = parse(kind, line.repeat(3).as_bytes());
            let _ = answer.tokens.total();
        }
    }
}

#[test]
fn a_bad_byte_does_not_lose_an_event_and_escapes_do_not_reach_a_line() {
    let stdout = b"{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"a\\u001b[31mb\",\"model\":\"m\"}\n\
        {\"type\":\"assistant\",\"message\":{\"id\":\"1\",\"model\":\"m\",\"content\":[{\"type\":\"tool_use\",\"name\":\"Bash\",\
        \"input\":{\"command\":\"echo \\u001b]0;owned\\u0007 \xff\\n rm\"}}]}}\n\
        {\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"result\":\"\\u001b[2Jno \\u202eway\"}\n";
    let (answer, events) = parse(AdapterKind::Claude, stdout);
    assert_eq!(answer.session.as_deref(), Some("ab"));
    assert_eq!(answer.ended, EndedAs::Failed("claude gave up: no way".to_owned()));
    let details: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            AgentEvent::Tool { detail, .. } => Some(detail.as_str()),
            AgentEvent::Started { .. } | AgentEvent::Text(_) | AgentEvent::Usage(_) | AgentEvent::Waiting(_) => None,
        })
        .collect();
    assert_eq!(details, ["echo  \u{fffd}  rm"]);
}

#[test]
fn what_a_program_says_only_on_standard_error_is_heard() {
    let request = kit::request(git_orchestrate::model::workflow::Access::Write);
    let mut parser =
        git_orchestrate::agents::adapters::adapter_of(AdapterKind::OpenCode).expect("one").parser(&request);
    let mut events = Vec::new();
    for line in [
        "level=ERROR message=\"stream error\" agent=title error.error=\"AI_APICallError: no such title\"",
        "level=ERROR message=\"stream error\" agent=build error.error=\"AI_APICallError: rate limit, try again in 90s\"",
    ] {
        parser.complaint(line.as_bytes(), &mut |event| events.push(event));
    }
    assert_eq!(events, [AgentEvent::Waiting("the provider limits the rate".to_owned())]);
    let ending = git_orchestrate::agents::adapter::Ending {
        how: &How::IdleLimit,
        stderr: b"",
        result: None,
        now: kit::recorded_at(),
        wall: request.wall,
        idle: request.idle,
    };
    let EndedAs::Limited { until: Some(until), reason } = parser.finish(&ending).ended else { panic!("not limited") };
    assert_eq!(reason, "opencode has reached its limit: rate limit, try again in 90s");
    assert_eq!(until, kit::recorded_at() + std::time::Duration::from_secs(90));
}

#[test]
fn a_failure_that_only_the_log_explains_is_explained() {
    let request = kit::request(git_orchestrate::model::workflow::Access::Write);
    let mut parser =
        git_orchestrate::agents::adapters::adapter_of(AdapterKind::OpenCode).expect("one").parser(&request);
    let event = br#"{"type":"error","sessionID":"s","error":{"name":"UnknownError","data":{"message":"Unexpected server error. Check server logs for details."}}}"#;
    let log = br#"level=ERROR run=1 message=failed ref=err_1 error="ProviderModelNotFoundError: Model not found: a/b." cause="x"#;
    parser.line(event, &mut |_| {});
    parser.complaint(log, &mut |_| {});
    let ending = git_orchestrate::agents::adapter::Ending {
        how: &How::Exited(1),
        stderr: log,
        result: None,
        now: kit::recorded_at(),
        wall: request.wall,
        idle: request.idle,
    };
    let line = "opencode cannot use the model, look at 'model' in .handoff/config.toml and at the login: \
                ProviderModelNotFoundError: Model not found: a/b.";
    assert_eq!(parser.finish(&ending).ended, EndedAs::Infra(line.to_owned()));
}

#[test]
fn a_flood_is_kept_in_bounds() {
    let line = format!("{{\"type\":\"text\",\"sessionID\":\"s\",\"part\":{{\"text\":\"{}\"}}}}\n", "x".repeat(900_000));
    let (answer, _) = parse(AdapterKind::OpenCode, line.repeat(8).as_bytes());
    assert!(answer.text.len() <= 1 << 20, "{}", answer.text.len());
    let (answer, _) = parse(AdapterKind::Command, "word\n".repeat(1 << 20).as_bytes());
    assert!(answer.text.len() <= 1 << 20, "{}", answer.text.len());
    let (answer, _) = parse(AdapterKind::Codex, &b"stray\n".repeat(1 << 20));
    assert_eq!(answer.ended, EndedAs::Infra("codex ended without a result that can be read: stray".to_owned()));
}

#[test]
fn a_good_end_stays_good_however_the_program_is_ended_afterwards() {
    let stdout = b"{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"Done.\"}}\n\
        {\"type\":\"turn.completed\",\"usage\":{}}\n";
    for how in [How::Exited(0), How::Exited(1), How::Signaled(9), How::IdleLimit, How::WallLimit, How::Cancelled] {
        assert_eq!(kit::parse(AdapterKind::Codex, None, stdout, b"", how).0.ended, EndedAs::Finished, "{how:?}");
    }
    let begun = b"{\"type\":\"thread.started\",\"thread_id\":\"t\"}\n";
    for (how, ended) in [
        (How::Exited(0), EndedAs::Failed("codex ended without a result that can be read".to_owned())),
        (How::Exited(3), EndedAs::Failed("codex ended without a result (exit code 3)".to_owned())),
        (How::Signaled(9), EndedAs::Infra("codex was killed by signal 9".to_owned())),
        (How::IdleLimit, EndedAs::Infra("codex was silent for 10m 00s and was stopped".to_owned())),
        (How::WallLimit, EndedAs::Failed("codex was not finished after 1h 00m and was stopped".to_owned())),
        (How::Cancelled, EndedAs::Cancelled),
    ] {
        assert_eq!(kit::parse(AdapterKind::Codex, None, begun, b"", how).0.ended, ended, "{how:?}");
    }
}
