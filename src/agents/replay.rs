//! Recorded outcomes, played back in process: for the demo and for tests, which need no account.
//! Starts no program and reaches no network; what it may write is the worktree of its request.
//!
//! A recording is TOML (or JSON, by the ending of its name): a list of steps.
//!
//! ```toml
//! [[step]]
//! task = "RAE-001"            # or "*", which is also what stands for it if it is left out
//! phase = "implement/S1"      # or "implement" for each of its steps, or "*"
//! attempt = 2                 # or left out for any
//! text = "Taught `list` the flag."
//! tokens = { input = 5200, output = 610 }
//! cost_usd = 0.03
//! delay_ms = 400
//! model = "claude-sonnet-4-5"
//! ended = "done"              # or "failed", "infra", "limited"; with these, a reason
//! reason = ""
//! retry_after_s = 60          # for "limited"
//! [[step.file]]
//! path = "src/list.rs"
//! content = "…"               # or remove = true, or replace = [{ old = "…", new = "…" }]
//! [step.structured]           # a plan or a verdict
//! status = "approved"
//! ```
//!
//! The step that is most particular is played: one that names the task before one that does not, then by the phase, then
//! by the attempt; among equals the first.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    error::AgentError,
    request::{AgentEvent, Answer, EndedAs, Request},
    reset,
};
use crate::{
    model::{
        money::{Money, Tokens},
        workflow::Access,
    },
    sys::process::Cancel,
};

/// How often a delay looks whether the run stops.
const DELAY_TICK: Duration = Duration::from_millis(10);

/// A recording, read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    #[serde(default, rename = "step")]
    steps: Vec<RecordedStep>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedStep {
    #[serde(default = "any")]
    task: String,
    #[serde(default = "any")]
    phase: String,
    attempt: Option<u32>,
    #[serde(default, rename = "file")]
    files: Vec<Edit>,
    #[serde(default)]
    text: String,
    structured: Option<Value>,
    #[serde(default)]
    tokens: Tokens,
    cost_usd: Option<Money>,
    #[serde(default)]
    delay_ms: u64,
    model: Option<String>,
    #[serde(default)]
    ended: Ended,
    #[serde(default)]
    reason: String,
    retry_after_s: Option<u64>,
}

fn any() -> String {
    "*".to_owned()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ended {
    #[default]
    Done,
    Failed,
    Infra,
    Limited,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    path: String,
    content: Option<String>,
    #[serde(default)]
    remove: bool,
    #[serde(default)]
    replace: Vec<Replacement>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    old: String,
    new: String,
}

impl Recording {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or is no recording; with the place in the file.
    pub fn load(agent: &str, path: &Path) -> Result<Self, AgentError> {
        let text = fs::read_to_string(path).map_err(|cause| AgentError::UnreadableRecording {
            agent: agent.to_owned(),
            path: path.to_owned(),
            cause,
        })?;
        let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        Self::parse(&text, is_json).map_err(|why| AgentError::BadRecording {
            agent: agent.to_owned(),
            path: path.to_owned(),
            why,
        })
    }

    fn parse(text: &str, is_json: bool) -> Result<Self, String> {
        if is_json {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| error.to_string().trim_end().replace('\n', "\n  "))
        }
    }

    fn step_for(&self, request: &Request) -> Option<&RecordedStep> {
        let spec = request.phase.split('/').next().unwrap_or_default();
        self.steps
            .iter()
            .filter_map(|step| {
                let task = match step.task.as_str() {
                    "*" => 0,
                    task if task == request.task => 1,
                    _ => return None,
                };
                let phase = match step.phase.as_str() {
                    "*" => 0,
                    phase if phase == request.phase => 2,
                    phase if phase == spec => 1,
                    _ => return None,
                };
                let attempt = match step.attempt {
                    None => 0,
                    Some(attempt) if attempt == request.attempt => 1,
                    Some(_) => return None,
                };
                Some(((task, phase, attempt), step))
            })
            // The last of equal maxima is taken, so the first of the file must come last.
            .rev()
            .max_by_key(|(rank, _)| *rank)
            .map(|(_, step)| step)
    }

    /// Plays the step that was recorded for this request.
    pub fn play(&self, request: &Request, cancel: &Cancel, on_event: &mut dyn FnMut(AgentEvent)) -> Answer {
        let mut answer = Answer::only(EndedAs::Finished);
        let Some(step) = self.step_for(request) else {
            answer.ended = EndedAs::Failed(format!(
                "the recording has no step for task '{}', phase '{}', attempt {}",
                request.task, request.phase, request.attempt
            ));
            return answer;
        };
        answer.model.clone_from(&step.model);
        on_event(AgentEvent::Started { session: None, model: step.model.clone() });
        if let Some(ended) = wait(step.delay_ms, request, cancel) {
            answer.ended = ended;
            return answer;
        }
        if request.access == Access::Read && !step.files.is_empty() {
            answer.ended = EndedAs::Failed("the recording changes files in a phase that only reads".to_owned());
            return answer;
        }
        for edit in &step.files {
            on_event(AgentEvent::Tool { name: "edit".to_owned(), detail: edit.path.clone() });
            if let Err(why) = apply(edit, &request.worktree) {
                answer.ended = EndedAs::Failed(format!("the recorded edit of '{}' does not fit: {why}", edit.path));
                return answer;
            }
        }
        if !step.text.is_empty() {
            on_event(AgentEvent::Text(step.text.clone()));
        }
        on_event(AgentEvent::Usage(step.tokens));
        let reason = if step.reason.is_empty() { "recorded so".to_owned() } else { step.reason.clone() };
        answer.ended = match step.ended {
            Ended::Done => EndedAs::Finished,
            Ended::Failed => EndedAs::Failed(reason),
            Ended::Infra => EndedAs::Infra(reason),
            Ended::Limited => {
                let wait = step.retry_after_s.map(Duration::from_secs);
                EndedAs::Limited { until: wait.and_then(|wait| reset::after(wait, SystemTime::now())), reason }
            }
        };
        answer.transcript = step.text.clone().into_bytes();
        answer.text.clone_from(&step.text);
        answer.structured.clone_from(&step.structured);
        answer.tokens = step.tokens;
        answer.cost_usd = step.cost_usd;
        answer
    }
}

/// Waits as recorded, but no longer than the request allows and not after the run stops.
fn wait(delay_ms: u64, request: &Request, cancel: &Cancel) -> Option<EndedAs> {
    let started = Instant::now();
    let delay = Duration::from_millis(delay_ms);
    loop {
        if cancel.is_cancelled() {
            return Some(EndedAs::Cancelled);
        }
        let passed = started.elapsed();
        if passed >= delay {
            return None;
        }
        if passed >= request.wall {
            return Some(EndedAs::Failed("the recorded step was not finished in time and was stopped".to_owned()));
        }
        std::thread::sleep(DELAY_TICK.min(delay - passed));
    }
}

fn apply(edit: &Edit, worktree: &Path) -> Result<(), String> {
    let path = inside(worktree, &edit.path)?;
    let failed = |error: io::Error| error.to_string();
    match (&edit.content, edit.remove, edit.replace.is_empty()) {
        (Some(content), false, true) => {
            let parent = path.parent().unwrap_or(worktree);
            fs::create_dir_all(parent).map_err(failed)?;
            fs::write(&path, content).map_err(failed)
        }
        (None, true, true) => fs::remove_file(&path).map_err(failed),
        (None, false, false) => {
            let mut text = fs::read_to_string(&path).map_err(failed)?;
            for Replacement { old, new } in &edit.replace {
                if old.is_empty() || !text.contains(old.as_str()) {
                    return Err(format!("'{}' is not there to be replaced", old.escape_debug()));
                }
                text = text.replacen(old.as_str(), new, 1);
            }
            fs::write(&path, text).map_err(failed)
        }
        _ => Err("it must have exactly one of content, remove and replace".to_owned()),
    }
}

/// The path below the worktree, if it stays there: no way up, nothing of git's own, no symbolic link on the way.
fn inside(worktree: &Path, path: &str) -> Result<PathBuf, String> {
    let mut whole = worktree.to_owned();
    let mut parts = 0;
    for component in Path::new(path).components() {
        let Component::Normal(name) = component else {
            return Err("the path leaves the worktree".to_owned());
        };
        if name.eq_ignore_ascii_case(".git") {
            return Err("the path is git's own".to_owned());
        }
        whole.push(name);
        parts += 1;
        if whole.symlink_metadata().is_ok_and(|file| file.is_symlink()) {
            return Err("the path goes over a symbolic link".to_owned());
        }
    }
    if parts == 0 { Err("the path is empty".to_owned()) } else { Ok(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(task: &str, phase: &str, attempt: u32) -> Request {
        Request {
            task: task.to_owned(),
            phase: phase.to_owned(),
            attempt,
            prompt: String::new(),
            worktree: PathBuf::new(),
            access: Access::Write,
            structure: None,
            scratch: PathBuf::new(),
            wall: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            output_bytes_max: 1 << 20,
            spend_max: None,
        }
    }

    #[test]
    fn the_most_particular_step_is_played() {
        let recording = Recording::parse(
            r#"
            step = [
                { text = "any" },
                { task = "T-1", text = "task" },
                { task = "T-1", text = "task again" },
                { phase = "implement", text = "phase" },
                { phase = "implement/S1", text = "unfolded" },
                { task = "T-1", phase = "implement", text = "both" },
                { task = "T-1", phase = "implement/S1", attempt = 2, text = "second" },
            ]"#,
            false,
        )
        .expect("a recording");
        for (task, phase, attempt, text) in [
            ("T-9", "plan", 1, "any"),
            ("T-1", "plan", 7, "task"),
            ("T-9", "implement/S2", 1, "phase"),
            ("T-9", "implement/S1", 1, "unfolded"),
            ("T-1", "implement/S1", 1, "both"),
            ("T-1", "implement/S1", 2, "second"),
        ] {
            let step = recording.step_for(&request(task, phase, attempt)).expect("a step");
            assert_eq!(step.text, text, "{task} {phase} {attempt}");
        }
    }

    #[test]
    fn what_is_no_recording_is_said_with_its_place() {
        let wrong = Recording::parse("[[step]]\ntsk = 'x'", false).expect_err("an unknown key");
        assert!(wrong.contains("line 2") && wrong.contains("tsk"), "{wrong}");
        assert!(Recording::parse(r#"{"step": [{"ended": "maybe"}]}"#, true).is_err());
    }

    #[test]
    fn no_edit_leaves_the_worktree() {
        let worktree = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink(outside.path(), worktree.path().join("way")).expect("a link");
        for path in ["../x", "/etc/x", "a/../../x", "way/x", "way", ".git", "a/.GIT/config", "", "."] {
            assert!(inside(worktree.path(), path).is_err(), "{path}");
        }
        assert_eq!(inside(worktree.path(), "a/b.txt"), Ok(worktree.path().join("a/b.txt")));
    }
}
