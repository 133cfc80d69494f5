//! What needs no account, run for real: `command` with `sh`, `replay`, and the probe of programs.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use git_orchestrate::{
    agents::{
        agent::Agent,
        request::{AgentEvent, Answer, EndedAs, Request, Structure},
        schema::verdict_from,
    },
    config::settings::{AdapterKind, AgentSettings},
    model::{
        money::{Money, Tokens},
        record::Family,
        verdict::Status,
        workflow::Access,
    },
    sys::process::{Cancel, Supervisor},
};
use tempfile::TempDir;

use super::kit;

/// A repository root, a worktree, a scratch directory and a supervisor.
struct Place {
    directory: TempDir,
    supervisor: Supervisor,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["root", "worktree", "children"] {
            fs::create_dir(directory.path().join(name)).expect("a directory");
        }
        let supervisor = Supervisor::new(directory.path().join("children"), "test".to_owned()).expect("a supervisor");
        Self { directory, supervisor }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn request(&self, access: Access) -> Request {
        let mut request = kit::request(access);
        request.worktree = self.path("worktree");
        request.scratch = self.path("scratch");
        request.wall = Duration::from_secs(60);
        request
    }

    fn agent(&self, settings: &AgentSettings) -> Agent {
        Agent::new("tested", settings, &self.path("root")).expect("an agent")
    }

    fn run(&self, settings: &AgentSettings, request: &Request) -> (Answer, Vec<AgentEvent>) {
        let mut events = Vec::new();
        let answer =
            self.agent(settings).run(request, &self.supervisor, &Cancel::new(), &mut |event| events.push(event));
        (answer, events)
    }

    /// Runs `sh -c script` as a `command` agent.
    fn sh(&self, script: &str) -> Answer {
        self.run(&sh(script), &self.request(Access::Write)).0
    }

    fn program(&self, name: &str, script: &str) -> String {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
        path.to_string_lossy().into_owned()
    }
}

fn sh(script: &str) -> AgentSettings {
    let mut settings = kit::settings(AdapterKind::Command);
    settings.program = Some("sh".to_owned());
    settings.args = vec!["-c".to_owned(), script.to_owned()];
    settings.family = Some(Family("house".to_owned()));
    settings
}

#[test]
fn a_command_gets_the_prompt_its_surroundings_and_nothing_else() {
    let place = Place::new();
    let answer = place.sh(
        "cat; pwd; echo $GIT_ORCHESTRATE_TASK $GIT_ORCHESTRATE_PHASE $GIT_ORCHESTRATE_ATTEMPT $GIT_ORCHESTRATE_ACCESS; \
         echo made > file; env | grep -c '^GIT_[^O]'",
    );
    let worktree = place.path("worktree");
    let expected = format!("Do it.\n{}\nRAE-001 implement/S1 1 write\n0", worktree.display());
    // `grep -c` of nothing ends with 1, and the last program's exit code is the agent's.
    assert_eq!(
        (answer.ended, answer.text),
        (EndedAs::Failed("the program ended with exit code 1".to_owned()), expected)
    );
    assert_eq!(fs::read_to_string(worktree.join("file")).ok().as_deref(), Some("made\n"));
}

#[test]
fn a_command_ends_as_it_says_or_as_its_exit_code_says() {
    let place = Place::new();
    let failed = |line: &str| EndedAs::Failed(line.to_owned());
    let infra = |line: &str| EndedAs::Infra(line.to_owned());
    for (script, ended, text) in [
        ("true", EndedAs::Finished, ""),
        ("echo Fine.", EndedAs::Finished, "Fine."),
        ("echo no >&2; exit 2", failed("the program ended with exit code 2: no"), ""),
        (
            "nothing-of-this-name",
            infra("the program could not be started (exit code 127): sh: 1: nothing-of-this-name: not found"),
            "",
        ),
        (r#"echo '{"status":"failed","text":"cannot do it"}'"#, failed("cannot do it"), "cannot do it"),
        (r#"echo said; echo '{"status":"infra"}'; exit 1"#, infra("said"), "said"),
        // A claim does not make a failed exit good.
        (r#"echo '{"status":"done","text":"Fine."}'; exit 1"#, failed("the program ended with exit code 1"), "Fine."),
        (r#"echo '{"other":1}'"#, EndedAs::Finished, r#"{"other":1}"#),
        ("kill -9 $$", infra("the program was killed by signal 9"), ""),
        (
            r#"echo 'no json' > $GIT_ORCHESTRATE_RESULT_FILE"#,
            failed("the result file cannot be read: expected ident at line 1 column 2"),
            "",
        ),
    ] {
        let answer = place.sh(script);
        let ended_as_expected = match (&answer.ended, &ended) {
            // How a shell says that it found nothing differs by shell.
            (EndedAs::Infra(line), EndedAs::Infra(expected)) if expected.contains("127") => {
                line.starts_with("the program could not be started (exit code 127)")
            }
            (answered, expected) => answered == expected,
        };
        assert!(ended_as_expected, "{script}: {:?}", answer.ended);
        assert_eq!(answer.text, text, "{script}");
    }
}

#[test]
fn a_command_may_give_a_structure_and_what_it_used() {
    let place = Place::new();
    let mut request = place.request(Access::Read);
    request.structure = Some(Structure::Verdict);
    let script = r#"test -s "$GIT_ORCHESTRATE_SCHEMA_FILE" && test "$GIT_ORCHESTRATE_STRUCTURE" = verdict &&
        echo '{"structured":{"status":"approved"},"tokens":{"input":5,"output":2},"cost_usd":0.25,"model":"m-1",
               "session":"s-1","text":"Good."}' > "$GIT_ORCHESTRATE_RESULT_FILE""#;
    let (answer, _) = place.run(&sh(script), &request);
    assert_eq!(verdict_from(&answer).map(|verdict| verdict.status), Ok(Status::Approved));
    assert_eq!(answer.tokens, Tokens { input: 5, output: 2, ..Tokens::default() });
    assert_eq!(answer.cost_usd, Some(Money::micros(250_000)));
    assert_eq!(
        (answer.model.as_deref(), answer.session.as_deref(), answer.text.as_str()),
        (Some("m-1"), Some("s-1"), "Good.")
    );

    let (answer, _) = place.run(&sh(r#"echo 'I say:'; echo '{"status":"rejected"}'"#), &request);
    assert_eq!(verdict_from(&answer).map(|verdict| verdict.status), Ok(Status::Rejected));
}

#[test]
fn a_command_that_is_limited_says_until_when() {
    let place = Place::new();
    let before = std::time::SystemTime::now();
    let answer = place.sh(r#"echo '{"status":"limited","text":"come back later","retry_after_s":60}'; exit 75"#);
    let EndedAs::Limited { until: Some(until), reason } = answer.ended else { panic!("{answer:?}") };
    assert_eq!(reason, "come back later");
    let wait = until.duration_since(before).expect("ahead");
    assert!((55..120).contains(&wait.as_secs()), "{wait:?}");
}

#[test]
fn silence_and_slowness_are_ended() {
    let place = Place::new();
    let mut request = place.request(Access::Write);
    request.idle = Duration::from_millis(200);
    let (answer, _) = place.run(&sh("echo begun; sleep 60"), &request);
    assert_eq!(answer.ended, EndedAs::Infra("the program was silent for 0.2s and was stopped".to_owned()));
    request.idle = Duration::from_secs(60);
    request.wall = Duration::from_millis(200);
    let (answer, _) = place.run(&sh("while :; do echo on; sleep 0.02; done"), &request);
    assert_eq!(answer.ended, EndedAs::Failed("the program was not finished after 0.2s and was stopped".to_owned()));
}

#[test]
fn what_cannot_be_started_is_said() {
    let place = Place::new();
    let mut settings = sh("true");
    settings.program = Some("no-such-program".to_owned());
    let (answer, _) = place.run(&settings, &place.request(Access::Write));
    let EndedAs::Infra(line) = answer.ended else { panic!("{answer:?}") };
    assert_eq!(
        line,
        "no program 'no-such-program' in PATH: install it, or set another agent in .handoff/config.toml instead of 'tested'"
    );
    let mut request = place.request(Access::Write);
    request.prompt = "x".repeat(1_000_001);
    let (answer, _) = place.run(&sh("true"), &request);
    let EndedAs::Failed(line) = answer.ended else { panic!("{answer:?}") };
    assert!(line.starts_with("the prompt has 1000001 bytes, more than the 1000000 that"), "{line}");
}

#[test]
fn a_program_beside_the_repository_is_not_looked_for_in_the_worktree() {
    let place = Place::new();
    place.program("root/agent.sh", "echo the right one");
    place.program("worktree/agent.sh", "echo the wrong one");
    let mut settings = sh("");
    settings.args.clear();
    settings.program = Some("./agent.sh".to_owned());
    assert_eq!(place.run(&settings, &place.request(Access::Write)).0.text, "the right one");
}

#[test]
fn a_reader_that_would_run_what_the_author_left_is_not_started() {
    let place = Place::new();
    let mut settings = kit::settings(AdapterKind::OpenCode);
    settings.model = Some("openai/gpt-5".to_owned());
    settings.program = Some(place.program("opencode", "exit 0"));
    let ended = |access| place.run(&settings, &place.request(access)).0.ended;
    let refused = |ended: &EndedAs| matches!(ended, EndedAs::Infra(line) if line.starts_with("opencode would run"));
    assert!(!refused(&ended(Access::Read)));
    fs::write(place.path("worktree/opencode.json"), r#"{"model": "x"}"#).expect("a file");
    assert!(!refused(&ended(Access::Read)));
    fs::write(place.path("worktree/opencode.json"), r#"{"plugins": ["./x.js"]}"#).expect("a file");
    assert!(refused(&ended(Access::Read)));
    fs::write(place.path("worktree/opencode.json"), "{}").expect("a file");
    fs::create_dir_all(place.path("worktree/.opencode/plugin")).expect("a directory");
    assert!(refused(&ended(Access::Read)) && !refused(&ended(Access::Write)));
}

const RECORDING: &str = r#"
    [[step]]
    task = "RAE-001"
    phase = "implement/S1"
    text = "Did it."
    tokens = { input = 100, output = 20 }
    cost_usd = 0.03
    model = "claude-sonnet-4-5"
    [[step.file]]
    path = "new/file.txt"
    content = "new\n"
    [[step.file]]
    path = "old.txt"
    remove = true
    [[step.file]]
    path = "text.txt"
    replace = [{ old = "one", new = "two" }]

    [[step]]
    phase = "code-review"
    [step.structured]
    status = "needs_changes"
    required_changes = [{ what = "more", where = "text.txt:1", why = "A1" }]

    [[step]]
    phase = "slow"
    delay_ms = 60000

    [[step]]
    phase = "bad"
    [[step.file]]
    path = "../out.txt"
    content = "x"

    [[step]]
    phase = "walled"
    ended = "limited"
    reason = "quota"
    retry_after_s = 60
"#;

fn replay(place: &Place) -> AgentSettings {
    fs::write(place.path("root/recording.toml"), RECORDING).expect("a file");
    let mut settings = kit::settings(AdapterKind::Replay);
    settings.recording = Some(PathBuf::from("recording.toml"));
    settings.model = Some("claude-sonnet-4-5".to_owned());
    settings
}

#[test]
fn a_recording_is_played() {
    let place = Place::new();
    let settings = replay(&place);
    assert_eq!(place.agent(&settings).family(), Family("anthropic".to_owned()));
    let worktree = place.path("worktree");
    fs::write(worktree.join("old.txt"), "old").expect("a file");
    fs::write(worktree.join("text.txt"), "one one").expect("a file");
    let (answer, events) = place.run(&settings, &place.request(Access::Write));
    assert_eq!((&answer.ended, answer.text.as_str()), (&EndedAs::Finished, "Did it."));
    assert_eq!((answer.tokens.input, answer.cost_usd), (100, Some(Money::micros(30_000))));
    assert_eq!(answer.model.as_deref(), Some("claude-sonnet-4-5"));
    assert_eq!(fs::read_to_string(worktree.join("new/file.txt")).ok().as_deref(), Some("new\n"));
    assert_eq!(fs::read_to_string(worktree.join("text.txt")).ok().as_deref(), Some("two one"));
    assert!(!worktree.join("old.txt").exists());
    assert_eq!(events.iter().filter(|event| matches!(event, AgentEvent::Tool { .. })).count(), 3);

    let mut request = place.request(Access::Read);
    request.phase = "code-review/S1".to_owned();
    let (answer, _) = place.run(&settings, &request);
    assert_eq!(
        verdict_from(&answer).map(|verdict| verdict.required_changes[0].place.clone()),
        Ok("text.txt:1".to_owned())
    );
}

#[test]
fn what_a_recording_cannot_do_is_said() {
    let place = Place::new();
    let settings = replay(&place);
    let ended = |phase: &str| {
        let mut request = place.request(Access::Write);
        request.phase = phase.to_owned();
        place.run(&settings, &request).0.ended
    };
    assert_eq!(
        ended("plan"),
        EndedAs::Failed("the recording has no step for task 'RAE-001', phase 'plan', attempt 1".to_owned())
    );
    assert_eq!(
        ended("bad"),
        EndedAs::Failed("the recorded edit of '../out.txt' does not fit: the path leaves the worktree".to_owned())
    );
    assert!(!place.path("out.txt").exists());
    assert!(matches!(ended("walled"), EndedAs::Limited { until: Some(_), reason } if reason == "quota"));
    let reading = place.run(&settings, &place.request(Access::Read)).0.ended;
    assert_eq!(reading, EndedAs::Failed("the recording changes files in a phase that only reads".to_owned()));
    assert!(!place.path("worktree/new").exists());
}

#[test]
fn a_slow_recording_stops_when_the_run_stops() {
    let place = Place::new();
    let agent = place.agent(&replay(&place));
    let mut request = place.request(Access::Write);
    request.phase = "slow".to_owned();
    let cancel = Cancel::new();
    let began = Instant::now();
    // It is said when the step has begun, so nobody has to guess how long that takes.
    let answer = agent.run(&request, &place.supervisor, &cancel, &mut |_| cancel.cancel());
    assert_eq!(answer.ended, EndedAs::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn settings_that_cannot_work_are_refused_with_the_line_to_add() {
    let root = Path::new("/nowhere");
    let refused = |settings: &AgentSettings| {
        let error = Agent::new("x", settings, root).expect_err("it cannot work");
        (error.to_string(), error.hint().unwrap_or_default())
    };
    for (settings, message, hint) in [
        (
            kit::settings(AdapterKind::OpenCode),
            "agent 'x' has no model family: adapter 'opencode' needs a model or a family",
            "model = ",
        ),
        (
            kit::settings(AdapterKind::Command),
            "agent 'x' has no model family: adapter 'command' needs a model or a family",
            "family = ",
        ),
        (
            AgentSettings { model: Some("house-1".to_owned()), ..kit::settings(AdapterKind::OpenCode) },
            "agent 'x' has no model family: the name 'house-1' does not tell it",
            "family = ",
        ),
        (
            AgentSettings { model: Some("gpt-5".to_owned()), ..kit::settings(AdapterKind::Command) },
            "agent 'x' names no program",
            "program = ",
        ),
        (
            AgentSettings { model: Some("gpt-5".to_owned()), ..kit::settings(AdapterKind::Replay) },
            "agent 'x' names no recording",
            "recording = ",
        ),
    ] {
        let (said, hinted) = refused(&settings);
        assert_eq!(said, message);
        assert!(hinted.contains(hint) && hinted.contains("[agents.x]"), "{hinted}");
    }
    let mut settings = kit::settings(AdapterKind::Replay);
    settings.family = Some(Family("a".to_owned()));
    settings.recording = Some(PathBuf::from("gone.toml"));
    assert!(refused(&settings).0.starts_with("cannot read recording '/nowhere/gone.toml' of agent 'x': "));
}

#[test]
fn a_probe_tells_what_is_there_and_what_is_wrong() {
    let place = Place::new();
    let probe = |program: String, limit: Duration| {
        let mut settings = kit::settings(AdapterKind::Claude);
        settings.program = Some(program);
        place.agent(&settings).probe(&place.supervisor, limit)
    };
    let long = Duration::from_secs(30);
    let good = place.program("good", "echo '2.1.0 (Claude Code)'");
    let health = probe(good.clone(), long);
    assert_eq!((health.version.as_deref(), health.is_well()), (Some("2.1.0 (Claude Code)"), true));
    assert_eq!(health.found, Some(PathBuf::from(good)));
    let problem = |health: git_orchestrate::agents::health::Health| {
        assert!(health.hint.is_some(), "{health:?}");
        health.problem.unwrap_or_default()
    };
    assert_eq!(problem(probe("no-such-program".to_owned(), long)), "no program 'no-such-program' in PATH");
    assert_eq!(
        problem(probe(place.program("broken", "echo 'no node' >&2; exit 1"), long)),
        "broken does not start (exit code 1): no node"
    );
    assert_eq!(problem(probe(place.program("mute", "true"), long)), "mute does not tell its version");
    let slow = place.program("slow", "sleep 60");
    assert_eq!(problem(probe(slow, Duration::from_millis(200))), "slow does not answer within 0.2s");
}

#[test]
fn a_version_is_asked_for_once_until_the_program_changes() {
    let place = Place::new();
    let asked = place.path("asked");
    let program = place.program("counting", &format!("echo x >> {}; echo 1.0", asked.display()));
    let mut settings = kit::settings(AdapterKind::Gemini);
    settings.program = Some(program);
    let agent = place.agent(&settings);
    let cache = place.path("versions.json");
    let probe = || agent.probe_cached(&place.supervisor, Duration::from_secs(30), &cache).version;
    let times = || fs::read_to_string(&asked).unwrap_or_default().lines().count();
    assert_eq!((probe(), probe(), times()), (Some("1.0".to_owned()), Some("1.0".to_owned()), 1));
    place.program("counting", &format!("echo x >> {}; echo 1.0.1", asked.display()));
    assert_eq!((probe(), times()), (Some("1.0.1".to_owned()), 2));
    fs::write(&cache, "broken").expect("a file");
    assert_eq!((probe(), times()), (Some("1.0.1".to_owned()), 3));
}
