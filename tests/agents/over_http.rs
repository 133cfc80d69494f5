//! Models over HTTP, asked for real on this machine: each provider's bytes, each of their faults, and the limits of a step.
//! No network, no account, and nothing waits longer than half a second.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use git_orchestrate::{
    agents::{
        agent::Agent,
        request::{AgentEvent, Answer, EndedAs, Request, SpendMax, Structure},
        schema::{schema_of, verdict_from},
    },
    config::settings::{AgentSettings, Price},
    model::{
        money::{Money, Tokens},
        verdict::Status,
        workflow::Access,
    },
    sys::process::{Cancel, Supervisor},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    kit,
    model_server::{Act, Asked, Server, WIRES, Wire, error, error_with},
};

/// A worktree, a scratch directory and a supervisor.
struct Place {
    directory: TempDir,
    supervisor: Supervisor,
    cancel: Cancel,
}

/// What came of a step.
struct Step {
    answer: Answer,
    events: Vec<AgentEvent>,
    asked: Vec<Asked>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["root", "worktree", "children"] {
            fs::create_dir(directory.path().join(name)).expect("a directory");
        }
        fs::write(directory.path().join("worktree/big.txt"), "0123456789\n".repeat(3_000)).expect("a file");
        let supervisor = Supervisor::new(directory.path().join("children"), "http".to_owned()).expect("a supervisor");
        Self { directory, supervisor, cancel: Cancel::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn request(&self) -> Request {
        let mut request = kit::request(Access::Write);
        (request.worktree, request.scratch) = (self.path("worktree"), self.path("scratch"));
        (request.wall, request.idle) = (Duration::from_secs(60), Duration::from_secs(30));
        request
    }

    fn run(&self, settings: &AgentSettings, request: &Request, server: &Server) -> Step {
        let agent = Agent::new("tested", settings, &self.path("root")).expect("an agent");
        let mut events = Vec::new();
        let answer = agent.run(request, &self.supervisor, &self.cancel, &mut |event| events.push(event));
        Step { answer, events, asked: server.asked() }
    }
}

/// A step of a writer against this script.
fn step(wire: Wire, acts: Vec<Act>) -> Step {
    let (place, server) = (Place::new(), Server::with(acts));
    place.run(&wire.settings(server.port), &place.request(), &server)
}

/// Each provider on a thread of its own: their pauses are the same.
fn for_each_wire(check: impl Fn(Wire) + Sync) {
    std::thread::scope(|scope| {
        WIRES
            .map(|wire| {
                let check = &check;
                scope.spawn(move || check(wire))
            })
            .into_iter()
            .for_each(|one| {
                one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            })
    });
}

/// What the model was told last.
fn last_told(wire: Wire, asked: &Asked) -> Value {
    let messages = match wire {
        Wire::Anthropic | Wire::OpenAi => &asked.body["messages"],
        Wire::Google => &asked.body["contents"],
    };
    messages.as_array().expect("messages").last().expect("one").clone()
}

#[test]
fn a_model_works_with_tools_until_it_is_done() {
    for wire in WIRES {
        let (place, server) = (
            Place::new(),
            Server::with(vec![
                wire.calls(&[
                    ("write", json!({"path": "new/é.txt", "content": "hello\n"})),
                    ("run", json!({"command": "cat new/é.txt && echo it runs"})),
                    ("no_such_tool", json!({})),
                    ("read", json!({"path": "../root"})),
                ]),
                wire.calls_badly("read"),
                wire.says("All is done."),
            ]),
        );
        let Step { answer, events, asked } = place.run(&wire.settings(server.port), &place.request(), &server);
        assert_eq!(answer.ended, EndedAs::Finished, "{wire:?}");
        assert_eq!(answer.text, "All is done.");
        assert_eq!(fs::read_to_string(place.path("worktree/new/é.txt")).ok().as_deref(), Some("hello\n"));
        let reasoning = if wire == Wire::Google { 6 } else { 0 };
        let tokens = Tokens { input: 270, output: 15, cache_read: 30, cache_write: 0, reasoning };
        assert_eq!(answer.tokens, tokens, "{wire:?}");
        assert_eq!(answer.model.as_deref().map(|model| model.ends_with("-fake-1")), Some(true));

        let tools: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                AgentEvent::Tool { name, detail } => Some(format!("{name} {detail}")),
                _ => None,
            })
            .collect();
        assert_eq!(tools[..2], ["write new/é.txt", "run cat new/é.txt && echo it runs"], "{wire:?}");
        assert!(matches!(events[0], AgentEvent::Started { .. }), "{events:?}");
        assert!(events.contains(&AgentEvent::Usage(tokens)), "{events:?}");
        assert!(events.contains(&AgentEvent::Text("All is done.".to_owned())), "{events:?}");

        // Each call is answered, in its place, whatever it was.
        let told = last_told(wire, &asked[1]).to_string();
        let all = asked[1].body.to_string();
        for word in ["it runs", "there is no tool 'no_such_tool' here", "outside the worktree"] {
            assert!(all.contains(word), "{wire:?}: {all}");
        }
        match wire {
            Wire::Anthropic => assert_eq!(told.matches("tool_result").count(), 4, "{told}"),
            Wire::OpenAi => assert_eq!(all.matches(r#""role":"tool""#).count(), 4, "{all}"),
            Wire::Google => {
                assert_eq!(told.matches("functionResponse").count(), 4, "{told}");
                assert!(all.contains("c2lnbmVk"), "a signature goes back: {all}");
            }
        }
        let bad = last_told(wire, &asked[2]).to_string();
        assert_eq!(bad.contains("the arguments are not JSON"), wire != Wire::Google, "{bad}");

        let transcript = String::from_utf8(answer.transcript).expect("text");
        assert!(transcript.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{transcript}");
        assert!(transcript.contains("it runs") && transcript.contains("All is done."), "{transcript}");
    }
}

#[test]
fn readers_have_no_tool_that_changes_anything() {
    for wire in WIRES {
        let (place, server) = (
            Place::new(),
            Server::with(vec![
                wire.calls(&[("write", json!({"path": "x", "content": ""})), ("run", json!({"command": "touch y"}))]),
                wire.says("I see."),
            ]),
        );
        let request = Request { access: Access::Read, ..place.request() };
        let Step { answer, asked, .. } = place.run(&wire.settings(server.port), &request, &server);
        assert_eq!(answer.ended, EndedAs::Finished);
        assert!(!place.path("worktree/x").exists() && !place.path("worktree/y").exists());
        let tools = asked[0].body["tools"].to_string();
        assert!(tools.contains("\"search\"") && !tools.contains("\"write\"") && !tools.contains("\"run\""), "{tools}");
    }
    let (place, server) = (Place::new(), Server::with(vec![Wire::OpenAi.says("Fine.")]));
    let settings = AgentSettings { run: Some(false), ..Wire::OpenAi.settings(server.port) };
    let tools = place.run(&settings, &place.request(), &server).asked[0].body["tools"].to_string();
    assert!(tools.contains("\"write\"") && !tools.contains("\"run\""), "{tools}");
}

#[test]
fn what_passes_is_waited_for_within_the_step() {
    let now = [("retry-after", "0")];
    for_each_wire(|wire| {
        let faults: Vec<(&str, Act)> = vec![
            ("429", error_with(429, "Slow down", &now)),
            ("429 and no time", error(429, "Slow down")),
            ("500", error_with(500, "Internal server error", &now)),
            ("503", error_with(503, "busy", &now)),
            ("529", error_with(529, "Overloaded", &now)),
            ("page", Act::Whole(502, Vec::new(), b"<html>no</html>".to_vec())),
            ("reset", Act::Reset),
            ("cut", Act::Cut(wire.beginning())),
            ("ended too early", Act::Stream(wire.beginning())),
            ("malformed", Act::Stream(format!("{}data: {{\"x\": \"brok\n\ndata: {{}}\n\n", wire.beginning()))),
            ("an error amid", wire.breaks()),
            ("nothing", Act::Stream(String::new())),
            ("no words", wire.says("")),
        ];
        for (name, fault) in faults {
            let Step { answer, events, asked } = step(wire, vec![fault, wire.says("Well.")]);
            assert_eq!((answer.ended, answer.text.as_str()), (EndedAs::Finished, "Well."), "{wire:?} {name}");
            assert_eq!(asked.len(), 2, "{wire:?} {name}");
            assert!(events.iter().any(|event| matches!(event, AgentEvent::Waiting(_))), "{wire:?} {name}: {events:?}");
        }
    });
}

#[test]
fn what_does_not_pass_is_told_as_what_it_is() {
    let now = [("retry-after", "0")];
    let always = |status, message: &'static str| {
        move |_: Wire| vec![0; 5].into_iter().map(|_| error_with(status, message, &now)).collect()
    };
    let once = |status, message: &'static str| move |_: Wire| vec![error(status, message)];
    type Script = Box<dyn Fn(Wire) -> Vec<Act> + Sync>;
    let cases: Vec<(&str, Script, &str)> = vec![
        ("500 always", Box::new(always(500, "no")), "infra the provider of model '*' at * is overloaded or broken: no"),
        ("529 always", Box::new(always(529, "no")), "infra the provider of model '*' at * is overloaded or broken: no"),
        ("429 always", Box::new(always(429, "Slow down")), "limited model '*' at * has reached its limit: Slow down"),
        (
            "used up",
            Box::new(once(429, "You exceeded your current quota, check your plan")),
            "limited model '*' at * has reached its limit: You exceeded your current quota, check your plan",
        ),
        (
            "credit",
            Box::new(once(400, "Your credit balance is too low")),
            "limited model '*' at * has reached its limit: Your credit balance is too low",
        ),
        (
            "401",
            Box::new(once(401, "invalid x-api-key")),
            "infra model '*' at * is not logged in, look at the key in NO_SUCH_KEY_IN_TESTS: invalid x-api-key",
        ),
        (
            "404",
            Box::new(once(404, "model: x not found")),
            "infra model '*' at * cannot use the model, look at 'model' in .handoff/config.toml and at the login: model: x \
             not found",
        ),
        (
            "context",
            Box::new(once(400, "prompt is too long: 210000 tokens > 200000 maximum")),
            "failed the work does not fit into the model's context, make the task smaller or take another model: prompt is \
             too long: 210000 tokens > 200000 maximum",
        ),
        (
            "too long",
            Box::new(|wire| vec![wire.is_too_long()]),
            "failed the answer was cut off at the model's output limit, make the task smaller",
        ),
        ("declined", Box::new(|wire| vec![wire.declines()]), "failed the model declined to do this"),
        (
            "empty",
            Box::new(|wire| vec![wire.says(""), wire.says(""), wire.says("")]),
            "failed model '*' at * gave an empty answer and used no tool",
        ),
        (
            "points elsewhere",
            Box::new(|_| vec![error_with(307, "", &[("location", "http://127.0.0.1:9/")])]),
            "infra the provider of model '*' at * did not take the request: 'http://*' points elsewhere to \
             'http://127.0.0.1:9/' (307), look at 'base_url'",
        ),
    ];
    for_each_wire(|wire| {
        for (name, script, wanted) in &cases {
            let acts = script(wire);
            let number = acts.len();
            let Step { answer, asked, .. } = step(wire, acts);
            let told = match answer.ended {
                EndedAs::Failed(line) => format!("failed {line}"),
                EndedAs::Infra(line) => format!("infra {line}"),
                EndedAs::Limited { until, reason } => {
                    assert_eq!(until.is_some(), *name == "429 always", "{wire:?} {name}: {until:?}");
                    format!("limited {reason}")
                }
                other => format!("{other:?}"),
            };
            // Why it declined is each provider's own.
            let told = if *name == "declined" { told.split(": ").next().unwrap_or_default().to_owned() } else { told };
            snapbox::Assert::new().eq(told.as_str(), wanted.replace('*', "[..]"));
            assert_eq!(asked.len(), number, "{wire:?} {name}");
        }
    });
}

#[test]
fn a_long_limit_parks_the_agent_until_it_ends() {
    let hour = SystemTime::now() + Duration::from_secs(3_600);
    for wire in WIRES {
        let Step { answer, asked, .. } = step(wire, vec![error_with(429, "Slow down", &[("retry-after", "3600")])]);
        let EndedAs::Limited { until: Some(until), .. } = answer.ended else { panic!("{:?}", answer.ended) };
        let off = until.duration_since(hour).unwrap_or_else(|before| before.duration());
        assert!(off < Duration::from_secs(60), "{off:?}");
        assert_eq!(asked.len(), 1);
    }
}

#[test]
fn silence_the_clock_and_the_word_to_stop_end_a_stream_that_stalls() {
    for wire in WIRES {
        let stalled = || Server::with(vec![Act::Stall(wire.beginning())]);
        let (place, server) = (Place::new(), stalled());
        let request = Request { idle: Duration::from_millis(150), ..place.request() };
        let answer = place.run(&wire.settings(server.port), &request, &server).answer;
        assert!(matches!(&answer.ended, EndedAs::Infra(line) if line.contains("was silent for")), "{:?}", answer.ended);

        let (place, server) = (Place::new(), stalled());
        let request = Request { wall: Duration::from_millis(150), ..place.request() };
        let answer = place.run(&wire.settings(server.port), &request, &server).answer;
        assert!(
            matches!(&answer.ended, EndedAs::Failed(line) if line.contains("was not finished after")),
            "{answer:?}"
        );

        let (place, server) = (Place::new(), stalled());
        let (cancel, said) = (place.cancel.clone(), std::sync::Mutex::new(None));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                server.await_one();
                *said.lock().expect("not poisoned") = Some(Instant::now());
                cancel.cancel();
            });
            let answer = place.run(&wire.settings(server.port), &place.request(), &server).answer;
            assert_eq!(answer.ended, EndedAs::Cancelled);
        });
        let since = said.lock().expect("not poisoned").expect("it was said").elapsed();
        assert!(since < Duration::from_secs(1), "it took {since:?} to hear it");
    }
}

#[test]
fn structured_answers_are_asked_for_by_schema_once_the_work_is_done() {
    const VERDICT: &str = r#"{"status":"approved","summary":"Good.","required_changes":[],"suggestions":[],
        "criteria":[],"scores":{"correctness":9,"completeness":9,"clarity":9}}"#;
    for wire in WIRES {
        let ask = |acts| {
            let (place, server) = (Place::new(), Server::with(acts));
            let request = Request { access: Access::Read, structure: Some(Structure::Verdict), ..place.request() };
            place.run(&wire.settings(server.port), &request, &server)
        };
        let schema = schema_of(Structure::Verdict).to_string();
        let Step { answer, asked, .. } = ask(vec![
            wire.calls(&[("read", json!({"path": "big.txt"}))]),
            wire.says("It is good, I would say."),
            wire.says(VERDICT),
        ]);
        assert_eq!(verdict_from(&answer).expect("a verdict").status, Status::Approved, "{wire:?}");
        // Elsewhere than at the provider's own server a schema may keep a model from calling tools.
        assert!(
            !asked[0].body.to_string().contains(&schema) && asked[2].body.to_string().contains(&schema),
            "{wire:?}"
        );

        let Step { answer, asked, .. } = ask(vec![wire.says(VERDICT)]);
        assert_eq!((verdict_from(&answer).is_ok(), asked.len()), (true, 1), "{wire:?}");

        // Who knows no schema is asked without one; whoever started the step asks once more.
        let unknown = "response_format, output_config and response schema: Extra inputs are not permitted";
        let Step { answer, asked, .. } = ask(vec![wire.says("Fine."), error(400, unknown), wire.says("Fine, again.")]);
        assert_eq!((answer.ended, answer.structured, asked.len()), (EndedAs::Finished, None, 3), "{wire:?}");
        assert!(!asked[2].body.to_string().contains(&schema));
    }
}

#[test]
fn what_a_server_does_not_know_is_left_out() {
    let unknown = error(422, "Extra inputs are not permitted: stream_options");
    let Step { answer, asked, .. } = step(Wire::OpenAi, vec![unknown, Wire::OpenAi.says("Fine.")]);
    assert_eq!(answer.ended, EndedAs::Finished);
    assert!(asked[0].body["stream_options"].is_object() && asked[1].body["stream_options"].is_null());

    let less = error(400, "max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for x");
    let Step { answer, asked, .. } = step(Wire::Anthropic, vec![less, Wire::Anthropic.says("Fine.")]);
    assert_eq!((answer.ended, &asked[1].body["max_tokens"]), (EndedAs::Finished, &json!(8_192)));
}

#[test]
fn answers_in_one_piece_and_packed_ones_are_read() {
    let whole = json!({"model": "m", "choices": [{"message": {"content": "In one piece."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "cost": 0.0123}});
    let answer = step(Wire::OpenAi, vec![Act::Whole(200, Vec::new(), whole.to_string().into_bytes())]).answer;
    assert_eq!((answer.ended, answer.text.as_str()), (EndedAs::Finished, "In one piece."));
    assert_eq!(answer.cost_usd, Some(Money::micros(12_300)));

    let whole = json!({"type": "message", "model": "m", "stop_reason": "end_turn", "usage": {"input_tokens": 1},
        "content": [{"type": "text", "text": "So."}]});
    let packed = vec![("content-encoding", "gzip".to_owned())];
    let answer = step(Wire::Anthropic, vec![Act::Whole(200, packed, gzip(whole.to_string().as_bytes()))]).answer;
    assert_eq!((answer.ended, answer.text.as_str()), (EndedAs::Finished, "So."));

    let chunk = |text: &str| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]});
    let mut last = chunk("two");
    last["candidates"][0]["finishReason"] = json!("STOP");
    let whole = json!([chunk("one "), last]).to_string().into_bytes();
    let answer = step(Wire::Google, vec![Act::Whole(200, Vec::new(), whole)]).answer;
    assert_eq!((answer.ended, answer.text.as_str()), (EndedAs::Finished, "one two"));
    assert!(answer.tokens.total() > 0, "who is not counted is estimated");
}

/// Packed without being made smaller: RFC 1952 around one stored block of RFC 1951.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short text");
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    packed.extend(length.to_le_bytes().into_iter().chain((!length).to_le_bytes()));
    packed.extend_from_slice(bytes);
    packed.extend(crc32fast::hash(bytes).to_le_bytes());
    packed.extend(u32::from(length).to_le_bytes());
    packed
}

#[test]
fn limits_of_turns_tokens_and_money_end_a_step() {
    let reads = || (0..9).map(|_| Wire::OpenAi.calls(&[("list", json!({}))])).collect::<Vec<_>>();
    let failed = |change: fn(&mut AgentSettings, &mut Request)| {
        let (place, server) = (Place::new(), Server::with(reads()));
        let (mut settings, mut request) = (Wire::OpenAi.settings(server.port), place.request());
        change(&mut settings, &mut request);
        let Step { answer, asked, .. } = place.run(&settings, &request, &server);
        let EndedAs::Failed(line) = answer.ended else { panic!("{:?}", answer.ended) };
        format!("{} turns: {line}", asked.len())
    };
    assert_eq!(
        failed(|settings, _| settings.turns_max = Some(3)),
        "3 turns: the model was not done after 3 turns, the most that 'turns_max' allows"
    );
    assert_eq!(
        failed(|settings, _| settings.tokens_max = Some(200)),
        "2 turns: the step has used 210 tokens, and 'tokens_max' allows 200"
    );
    let (place, server) = (Place::new(), Server::with(reads()));
    let request = Request { spend_max: may_cost(900), prompt: "x".repeat(4_000), ..place.request() };
    let Step { answer, asked, .. } = place.run(&Wire::OpenAi.settings(server.port), &request, &server);
    assert!(asked.is_empty(), "a turn that would clearly cost too much does not begin");
    assert!(matches!(&answer.ended, EndedAs::Failed(line) if line.contains("its next turn costs")), "{answer:?}");
}

/// A micro-dollar for a token that is read, ten for one that is written.
fn may_cost(usd_micros: u64) -> Option<SpendMax> {
    let price = Price { input: Money::micros(1_000_000), output: Money::micros(10_000_000), ..Price::default() };
    Some(SpendMax { price, usd: Money::micros(usd_micros) })
}

#[test]
fn no_answer_however_long_passes_what_a_step_may_cost() {
    // The model says as much as it may, or a third of it, and calls a tool each time; nothing is read from a cache.
    for (share, turns_least) in [(1, 1), (3, 4), (7, 8)] {
        let (place, spent) = (Place::new(), std::sync::Arc::new(std::sync::Mutex::new(0)));
        let sum = std::sync::Arc::clone(&spent);
        let server = Server::new(move |number, asked| {
            // The input is what the bytes are at most: a token is two of them or more.
            let sent = asked.body["messages"].to_string().len() as u64 / 4;
            let most = asked.body["max_tokens"].as_u64().or_else(|| asked.body["max_completion_tokens"].as_u64());
            let said = most.expect("each answer is bounded") / share;
            *sum.lock().expect("not poisoned") += sent + said * 10;
            let usage = json!({"prompt_tokens": sent, "completion_tokens": said});
            let call = json!({"index": 0, "id": format!("c{number}"), "type": "function",
                "function": {"name": "list", "arguments": "{}"}});
            let chunks = [
                json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}),
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}], "usage": usage}),
            ];
            let events = chunks.map(|chunk| format!("data: {chunk}\n\n")).concat();
            Act::Stream(format!("{events}data: [DONE]\n\n"))
        });
        let request = Request { spend_max: may_cost(300_000), ..place.request() };
        let Step { answer, asked, .. } = place.run(&Wire::OpenAi.settings(server.port), &request, &server);
        let EndedAs::Failed(line) = &answer.ended else { panic!("{answer:?}") };
        assert!(line.starts_with("the step may cost $0.30") || line.starts_with("the step may cost $0.3,"), "{line}");
        let spent = *spent.lock().expect("not poisoned");
        assert!(spent <= 300_000 && spent > 200_000, "{spent} micro-dollars in {} turns", asked.len());
        assert!(asked.len() >= turns_least, "{} turns", asked.len());
    }
    // What costs nothing has no limit to reach.
    let (place, server) = (Place::new(), Server::with(vec![Wire::OpenAi.says("Done.")]));
    let free = Some(SpendMax { price: Price::default(), usd: Money::ZERO });
    let request = Request { spend_max: free, ..place.request() };
    let Step { answer, .. } = place.run(&Wire::OpenAi.settings(server.port), &request, &server);
    assert_eq!(answer.ended, EndedAs::Finished, "{answer:?}");
}

#[test]
fn older_results_make_room_for_newer_ones() {
    for wire in WIRES {
        let read = move || wire.calls(&[("read", json!({"path": "big.txt"}))]);
        // 33 kB a result, about 11,000 tokens by our own reckoning.
        let (place, server) = (
            Place::new(),
            Server::new(move |number, asked| match number {
                0..=2 => read(),
                // The provider reckons otherwise.
                3 if asked.body.to_string().len() > 60_000 => error(400, "prompt is too long"),
                _ => wire.says("Done."),
            }),
        );
        let settings = wire.settings(server.port);
        let Step { answer, asked, .. } = place.run(&settings, &place.request(), &server);
        assert_eq!(answer.ended, EndedAs::Finished, "{wire:?}");
        let (before, after) = (asked[3].body.to_string(), asked[4].body.to_string());
        assert!(!before.contains("was dropped to save room"), "{wire:?}");
        assert!(after.contains("was dropped to save room") && after.len() < before.len(), "{wire:?}");
        assert!(after.contains("0123456789"), "the last one stays");
    }
}

#[test]
fn a_key_is_sent_and_seen_nowhere_else() {
    const KEY: &str = "sk-planted-0123456789";
    for wire in WIRES {
        let (place, server) = (
            Place::new(),
            Server::with(vec![
                wire.calls(&[("run", json!({"command": "env; cat /proc/$PPID/environ | tr '\\0' '\\n'; echo sk-planted-$((0))123456789"}))]),
                error(401, &format!("Incorrect API key provided: {KEY}")),
                error(401, &format!("Incorrect API key provided: {KEY}")),
            ]),
        );
        let mut settings = wire.settings(server.port);
        (settings.key_env, settings.key_command) = (None, Some(format!("echo asked >> asked; printf '{KEY}\\n'")));
        let Step { answer, events, asked } = place.run(&settings, &place.request(), &server);
        let sent = asked[0].headers.values().filter(|value| value.contains(KEY)).count();
        assert_eq!((sent, asked[0].path.contains(KEY)), (1, false), "{wire:?}");
        for asked in &asked {
            assert!(!asked.body.to_string().contains(KEY), "{wire:?}: {}", asked.body);
        }
        assert!(matches!(&answer.ended, EndedAs::Infra(line) if line.contains("Incorrect API key provided: [key]")));
        let transcript = String::from_utf8_lossy(&answer.transcript).into_owned();
        assert!(transcript.contains("[key]") && !transcript.contains(KEY), "{transcript}");
        assert!(!format!("{answer:?}{events:?}").contains(KEY));
        // A key that is refused is asked for anew, once.
        let times = fs::read_to_string(place.path("root/asked")).expect("it was asked");
        assert_eq!((times.lines().count(), asked.len()), (2, 3), "{wire:?}");
    }
}

#[test]
fn what_is_missing_is_said_before_any_money_is_spent() {
    let place = Place::new();
    let health = |settings: &AgentSettings| {
        let agent = Agent::new("tested", settings, &place.path("root")).expect("an agent");
        let health = agent.probe(&place.supervisor, Duration::from_secs(5));
        format!("{} ({})", health.problem.unwrap_or_default(), health.hint.unwrap_or_default())
    };
    let server = Server::with(Vec::new());
    let here = Wire::OpenAi.settings(server.port);
    assert_eq!(health(&here), " ()", "this machine's servers need no key");
    let away = AgentSettings { base_url: Some("https://models.invalid".to_owned()), ..here.clone() };
    assert_eq!(
        health(&away),
        "no key: the variable 'NO_SUCH_KEY_IN_TESTS' is not set (export NO_SUCH_KEY_IN_TESTS=…, or name 'key_env' or \
         'key_command' of the agent)"
    );
    let command =
        |command: &str| AgentSettings { key_env: None, key_command: Some(command.to_owned()), ..here.clone() };
    assert_eq!(health(&command("echo locked >&2; exit 3")), "'key_command' failed with exit code 3: locked ()");
    assert_eq!(health(&command("true")), "'key_command' prints no key ()");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let nobody = AgentSettings { base_url: Some(format!("http://127.0.0.1:{port}")), ..here.clone() };
    assert_eq!(
        health(&nobody),
        format!(
            "cannot connect to '127.0.0.1:{port}': connection refused (look at the network, or at 'base_url': \
             http://127.0.0.1:{port})"
        )
    );
    let nameless = AgentSettings { model: None, ..here };
    let error = Agent::new("tested", &nameless, &place.path("root")).expect_err("no model");
    assert_eq!(error.to_string(), "agent 'tested' names no model, which adapter 'openai' must be told");
}
