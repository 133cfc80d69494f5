//! What a commit says of itself in the trailers of its message.
//! Believes none of it: a claim says which evidence must be there.

use crate::model::{task::TaskId, workflow::PhaseId};

/// How our trailers begin.
const OWN: &str = "Orchestrate-";

/// What a commit says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// A step of a task.
    Step {
        /// The task.
        task: TaskId,
        /// Its number.
        seq: u32,
        /// Its phase.
        phase: PhaseId,
    },
    /// The merge of a task.
    Landing {
        /// The task.
        task: TaskId,
    },
    /// It has our trailers, but they make no sense: why.
    Garbled(&'static str),
    /// Nothing of ours.
    None,
}

/// What a message claims. Only its last paragraph counts, as for git.
pub fn claim(message: &str) -> Claim {
    let trailers = trailers(message);
    let value = |key: &str| {
        let mut found = trailers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(key)).map(|(_, value)| *value);
        let first = found.next();
        (first, found.next().is_some())
    };
    let ((task, two_tasks), (step, two_steps)) = (value("Orchestrate-Task"), value("Orchestrate-Step"));
    if task.is_none() && step.is_none() {
        return Claim::None;
    }
    if two_tasks || two_steps {
        return Claim::Garbled("it has trailers of two steps");
    }
    let Some(task) = task.and_then(|task| task.parse::<TaskId>().ok()) else {
        return Claim::Garbled("its trailers name no task");
    };
    match step.and_then(|step| step.split_once(' ')) {
        _ if step == Some("land") => Claim::Landing { task },
        Some((seq, phase)) => match (seq.parse(), phase.parse()) {
            (Ok(seq), Ok(phase)) if seq > 0 => Claim::Step { task, seq, phase },
            _ => Claim::Garbled("its trailers name no step"),
        },
        None => Claim::Garbled("its trailers name no step"),
    }
}

/// The trailers of a message as git reads them: key and value of the lines of its last paragraph that are such. The first
/// paragraph is the subject.
pub fn trailers(message: &str) -> Vec<(&str, &str)> {
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let lines = block(message).split('\n').filter_map(|line| line.split_once(':'));
    lines.map(|(key, value)| (key.trim_end(), value.trim())).filter(|(key, _)| is_key(key)).collect()
}

/// The paragraph of the trailers as it stands there; what is to be exactly so is compared with this.
pub fn block(message: &str) -> &str {
    parts(message).1
}

/// Lines that look like trailers of ours outside of the last paragraph, where somebody else's text is.
pub fn strays(message: &str) -> usize {
    let (body, _) = parts(message);
    body.lines().filter(|line| line.get(..OWN.len()).is_some_and(|start| start.eq_ignore_ascii_case(OWN))).count()
}

/// What comes before the last paragraph, and that. For git a line of blanks parts paragraphs too.
fn parts(message: &str) -> (&str, &str) {
    let text = message.trim_end_matches('\n');
    let mut start = text.len();
    for line in text.rsplit('\n') {
        let at = start - line.len();
        if line.trim().is_empty() && at > 0 && !text[start..].trim().is_empty() {
            return (&text[..at], text[start..].trim_start_matches('\n'));
        }
        start = at.saturating_sub(1);
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_paragraph_claims() {
        let step = |text: &str| claim(&format!("a: b\n\nwords\n\n{text}\n"));
        let task: TaskId = "api".parse().expect("an id");
        let phase = "implement/S1".parse().expect("a phase");
        assert_eq!(
            step("Assisted-by: x:y\nOrchestrate-Task: api\nOrchestrate-Step: 3 implement/S1"),
            Claim::Step { task: task.clone(), seq: 3, phase }
        );
        assert_eq!(step("Orchestrate-Task: api\nOrchestrate-Step: land"), Claim::Landing { task });
        assert_eq!(step("Signed-off-by: me <me@x>"), Claim::None);
        assert_eq!(claim("x\n\nOrchestrate-Task: api\nOrchestrate-Step: 1 plan\n\nbye\n"), Claim::None);
        // As git reads them; whether they stand there as they must is asked elsewhere.
        for sloppy in
            ["Orchestrate-Task: api\r\nOrchestrate-Step: land\r", "Orchestrate-Task:api\nOrchestrate-Step : land"]
        {
            assert!(matches!(step(sloppy), Claim::Landing { .. }), "{sloppy:?}");
        }
        assert!(matches!(claim("x\n \nOrchestrate-Task: api\nOrchestrate-Step: land\n\n"), Claim::Landing { .. }));
        assert_eq!(claim("Orchestrate-Task: api\nOrchestrate-Step: land\n"), Claim::None);
        assert_eq!((block("x\n\na: b\nc\n\n"), block("x\n"), block("")), ("a: b\nc", "", ""));
        for garbled in [
            "Orchestrate-Task: api",
            "Orchestrate-Task: ../api\nOrchestrate-Step: 1 plan",
            "Orchestrate-Task: api\nOrchestrate-Step: 0 plan",
            "Orchestrate-Task: api\nOrchestrate-Task: b\nOrchestrate-Step: 1 plan",
            "orchestrate-task: api\nOrchestrate-Task: b\nOrchestrate-Step: 1 plan",
        ] {
            assert!(matches!(step(garbled), Claim::Garbled(_)), "{garbled}");
        }
        assert_eq!(strays("x\n\n  Orchestrate-Task: a\norchestrate-outcome: done\n\nOrchestrate-Task: a\n"), 1);
    }
}
