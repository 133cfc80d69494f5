//! Judges the steps of one task with hindsight: what came of each that an agent made.
//! Knows nothing of where records are kept, nor of what is concluded from many tasks.
//!
//! What a success is, by role:
//!
//! - An **author** (its phase changes files) succeeds if its step is done and every review and gate of it let it pass:
//!   no review asked for changes or rejected it, no gate refused it, the merged tree was not red. A conflict at the landing
//!   is nobody's miss.
//! - A **planner** succeeds if its plan is approved without another round; so does whoever writes a report, if it is done.
//! - A **reviewer** succeeds if its verdict stood: an approval that a gate or the merged tree then contradicted is a miss, and
//!   so are a "needs changes" or a rejection that a person overruled. A step that used up tokens and gave no verdict is a
//!   miss as well, as it is of a planner that gave no plan.
//! - A step that could not be made at all (`infra`) says nothing, and neither does one that nobody has judged yet.

use std::collections::BTreeMap;

use super::history::{Facts, Trial, Worth};
use crate::{
    model::{
        checkpoint::{Checkpoint, TaskState},
        money::Money,
        record::{Actor, CheckResult, Decision, Outcome, Record},
        task::Task,
        workflow::{Access, PhaseId, PhaseSpec, Role},
    },
    sys::clock,
};

/// The trials of a task, in the order of its steps; its checkpoint is that after the last of them.
pub fn trials<'a>(task: &Task, checkpoint: &Checkpoint, records: impl IntoIterator<Item = &'a Record>) -> Vec<Trial> {
    let mut judging = Judging {
        task,
        checkpoint,
        trials: Vec::new(),
        last: BTreeMap::new(),
        open: BTreeMap::new(),
        said: BTreeMap::new(),
    };
    for record in records {
        judging.take_in(record);
    }
    judging.conclude();
    judging.trials
}

/// What a review last said, and of which trials.
struct Said {
    /// The review's own trial.
    own: usize,
    approved: bool,
    /// The trials that it judged.
    of: Vec<usize>,
}

struct Judging<'a> {
    task: &'a Task,
    checkpoint: &'a Checkpoint,
    trials: Vec<Trial>,
    /// The last trial of each phase.
    last: BTreeMap<PhaseId, usize>,
    /// The trial whose work a phase now stands for.
    open: BTreeMap<PhaseId, usize>,
    said: BTreeMap<PhaseId, Said>,
}

impl Judging<'_> {
    fn take_in(&mut self, record: &Record) {
        let checkpoint = self.checkpoint;
        match (&record.actor, checkpoint.spec(&record.phase)) {
            (Actor::Agent { .. }, Some(spec)) => self.agent(record, spec),
            (Actor::Gate { .. }, Some(spec)) if record.outcome == Outcome::Failed => {
                let refused = match &spec.on_fail {
                    Some(author) => self.meant(&record.phase, author),
                    None => self.last_author(),
                };
                self.contradict(&refused);
            }
            (Actor::Land, _) if record.outcome == Outcome::Failed => {
                let is_red = record.gate.as_ref().is_some_and(|gate| gate.result == CheckResult::Fail);
                if is_red {
                    let author = self.last_author();
                    self.contradict(&author);
                }
                // A task that was to land had passed everything else.
                self.settle_all();
            }
            (Actor::Person { .. }, _) => self.person(record),
            (Actor::Agent { .. } | Actor::Gate { .. } | Actor::Land, _) => {}
        }
    }

    fn agent(&mut self, record: &Record, spec: &PhaseSpec) {
        let Actor::Agent { name, model, .. } = &record.actor else { return };
        let Some(role) = &spec.role else { return };
        let owes_document = spec.access() == Access::Read;
        let worth = match record.outcome {
            Outcome::Infra if owes_document && record.tokens.output > 0 => Worth::Miss,
            Outcome::Infra => Worth::Infra,
            Outcome::Failed => Worth::Miss,
            Outcome::Done | Outcome::Changes | Outcome::Rejected => Worth::Open,
        };
        let findings = record.verdict().map_or(0, |verdict| verdict.required_changes.len() as u32);
        let own = self.trials.len();
        self.trials.push(Trial {
            task: self.task.id.clone(),
            facts: Facts::of(&Role(record.role.clone().unwrap_or_else(|| role.0.clone())), self.task),
            agent: name.clone(),
            model: model.clone().unwrap_or_default(),
            at: seconds(&record.started),
            worth,
            redone: false,
            findings,
            duration_ms: record.duration_ms,
            tokens: record.tokens,
            cost_usd: record.cost_usd,
            usage: record.usage,
            judging_usd: Money::ZERO,
        });
        if let Some(before) = self.last.insert(record.phase.clone(), own) {
            self.trials[before].redone = true;
        }
        match &spec.reviews {
            Some(subject) if worth == Worth::Open => {
                let of: Vec<usize> = self.open_trials(&self.meant(&record.phase, subject));
                let approved = record.outcome == Outcome::Done;
                for at in &of {
                    let judged = &mut self.trials[*at];
                    judged.judging_usd = judged.judging_usd + record.cost_usd.unwrap_or_default();
                    if !approved {
                        judged.worth = Worth::Miss;
                        judged.findings += findings;
                    }
                }
                self.said.insert(record.phase.clone(), Said { own, approved, of });
            }
            Some(_) => {}
            None => {
                self.heeded(&record.phase);
                if worth == Worth::Open {
                    self.open.insert(record.phase.clone(), own);
                }
            }
        }
    }

    /// The author does the work again: whoever asked for that was not overruled.
    fn heeded(&mut self, author: &PhaseId) {
        let checkpoint = self.checkpoint;
        for (review, said) in &self.said {
            let subject = checkpoint.spec(review).and_then(|spec| spec.reviews.as_ref());
            let asked = !said.approved && self.trials[said.own].worth == Worth::Open;
            if asked && subject.is_some_and(|subject| self.meant(review, subject).contains(author)) {
                self.trials[said.own].worth = Worth::Success;
            }
        }
    }

    /// What these phases wrote was refused after its reviews.
    fn contradict(&mut self, authors: &[PhaseId]) {
        let refused = self.open_trials(authors);
        let fooled = self.said.values().filter(|said| said.approved && said.of.iter().any(|at| refused.contains(at)));
        let fooled: Vec<usize> = fooled.map(|said| said.own).collect();
        for at in refused.into_iter().chain(fooled) {
            if self.trials[at].worth == Worth::Open {
                self.trials[at].worth = Worth::Miss;
            }
        }
    }

    /// A person who lets work pass that a review stopped overrules the review.
    fn person(&mut self, record: &Record) {
        let overrules = match &record.decision {
            Some(Decision::Approve | Decision::Skip) => true,
            Some(Decision::Retry { .. } | Decision::Allow { .. } | Decision::Abort { .. }) | None => false,
        };
        let Some(said) = self.said.get(&record.phase).filter(|said| overrules && !said.approved) else { return };
        self.trials[said.own].worth = Worth::Miss;
        for at in &said.of {
            self.trials[*at].worth = Worth::Open;
        }
    }

    /// What the end of the records decides.
    fn conclude(&mut self) {
        let checkpoint = self.checkpoint;
        if checkpoint.state() == TaskState::Finished {
            return self.settle_all();
        }
        let is_over = |id: &PhaseId| checkpoint.phase(id).is_some_and(|phase| phase.state.is_over());
        // A phase is proven when all that judge it are over.
        let is_proven = |author: &PhaseId| {
            is_over(author)
                && checkpoint.phases.iter().all(|judge| {
                    let spec = checkpoint.spec(&judge.id);
                    let judges = spec.and_then(|spec| spec.reviews.as_ref().or(spec.on_fail.as_ref()));
                    !judges.is_some_and(|named| self.meant(&judge.id, named).contains(author)) || is_over(&judge.id)
                })
        };
        let proven: Vec<usize> = self.open.iter().filter(|(author, _)| is_proven(author)).map(|(_, at)| *at).collect();
        let stood = self
            .said
            .iter()
            .filter(|(review, said)| is_over(review) && said.approved && said.of.iter().all(|at| proven.contains(at)));
        let stood: Vec<usize> = stood.map(|(_, said)| said.own).collect();
        self.settle(|at| proven.contains(&at) || stood.contains(&at));
    }

    /// All that the task now stands for has passed.
    fn settle_all(&mut self) {
        let current: Vec<usize> = self.open.values().copied().chain(self.said.values().map(|said| said.own)).collect();
        self.settle(|at| current.contains(&at));
    }

    fn settle(&mut self, is_settled: impl Fn(usize) -> bool) {
        for (at, trial) in self.trials.iter_mut().enumerate() {
            if trial.worth == Worth::Open && is_settled(at) {
                trial.worth = Worth::Success;
            }
        }
    }

    /// The phases that a name means, seen from `id`: the one of the same plan step, else all that were unfolded of it.
    fn meant(&self, id: &PhaseId, name: &PhaseId) -> Vec<PhaseId> {
        match id.plan_step().and_then(|step| PhaseId::unfolded(name.as_str(), step).ok()) {
            Some(unfolded) if self.open.contains_key(&unfolded) || self.checkpoint.phase(&unfolded).is_some() => {
                vec![unfolded]
            }
            Some(_) | None => {
                let of_steps = self.checkpoint.phases.iter().filter(|phase| phase.id.spec() == name.as_str());
                of_steps.map(|phase| phase.id.clone()).collect()
            }
        }
    }

    /// The author whose work is the last: a landing that goes wrong goes back to it.
    fn last_author(&self) -> Vec<PhaseId> {
        let writes = |(id, _): &(&PhaseId, &usize)| self.checkpoint.spec(id).is_some_and(PhaseSpec::writes);
        let last = self.open.iter().filter(writes).max_by_key(|(_, at)| **at);
        last.map(|(id, _)| id.clone()).into_iter().collect()
    }

    fn open_trials(&self, authors: &[PhaseId]) -> Vec<usize> {
        authors.iter().filter_map(|author| self.open.get(author).copied()).collect()
    }
}

fn seconds(started: &str) -> i64 {
    let since = clock::parse_rfc3339(started).and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        apply::apply,
        checkpoint::Bounds,
        object::Digest,
        plan::{Plan, PlanStep},
        record::{Document, Family, GateVerdict},
        verdict::{RequiredChange, Status, Verdict},
        workflow::Workflow,
    };

    const WORKFLOW: &str = "
        name = 'standard'
        [[phase]]\nid = 'plan'\nrole = 'planner'\nproduces = 'plan'
        [[phase]]\nid = 'plan-review'\nrole = 'plan-reviewer'\nneeds = ['plan']\nreviews = 'plan'
        [[phase]]\nid = 'implement'\nrole = 'implementer'\nneeds = ['plan-review']\nfor_each = 'plan.steps'
        [[phase]]\nid = 'code-review'\nrole = 'code-reviewer'\nneeds = ['implement']\nreviews = 'implement'
        [[phase]]\nid = 'gate'\ngate = 'full'\nneeds = ['code-review']\non_fail = 'implement'
        ";

    fn verdict(status: Status, number: usize) -> Verdict {
        let change = RequiredChange { what: format!("change {number}"), place: "a:1".to_owned(), why: "A1".to_owned() };
        Verdict {
            status,
            scores: BTreeMap::new(),
            required_changes: if status == Status::Approved { Vec::new() } else { vec![change] },
            suggestions: Vec::new(),
            criteria: Vec::new(),
            summary: String::new(),
        }
    }

    fn plan() -> Plan {
        let step = |id: &str| PlanStep {
            id: id.to_owned(),
            title: "x".to_owned(),
            detail: String::new(),
            files: Vec::new(),
            acceptance: Vec::new(),
        };
        Plan { summary: String::new(), steps: vec![step("S1"), step("S2")] }
    }

    /// `phase:how` words are folded into a real checkpoint; of each agent's step the worth is told.
    fn check(steps: &str, wanted: &str) {
        let id = "0".repeat(40);
        let (commit, tree) = (id.parse().expect("hex"), id.parse().expect("hex"));
        let task = Task::new("t".parse().expect("an id"), "t");
        let workflow: Workflow = toml::from_str(WORKFLOW).expect("a workflow");
        let mut checkpoint = Checkpoint::begin(&task, workflow, commit, Bounds::default());
        let mut records = Vec::new();
        for (at, word) in steps.split_whitespace().enumerate() {
            let (phase, how) = word.split_once(':').expect(word);
            let phase: PhaseId = phase.parse().expect(word);
            let spec = checkpoint.spec(&phase).cloned();
            let actor = match (&spec, how) {
                (_, "approve" | "retry" | "skip") => Actor::Person { identity: "p".to_owned() },
                (None, _) => Actor::Land,
                (Some(spec), _) if spec.gate.is_some() => Actor::Gate { profile: "full".to_owned() },
                (Some(spec), _) => Actor::Agent {
                    name: "a".to_owned(),
                    adapter: "replay".to_owned(),
                    version: None,
                    model: None,
                    family: Family(if spec.reviews.is_some() { "y" } else { "x" }.to_owned()),
                },
            };
            let mut record = Record::begin(task.id.clone(), phase.clone(), actor, commit, tree, String::new());
            record.seq = at as u32 + 1;
            (record.outcome, record.tokens.output) = match how {
                "changes" => (Outcome::Changes, 1),
                "rejected" => (Outcome::Rejected, 1),
                "failed" | "conflict" | "red" => (Outcome::Failed, 1),
                "down" => (Outcome::Infra, 0),
                "mute" => (Outcome::Infra, 1),
                _ => (Outcome::Done, 1),
            };
            let reviews = spec.as_ref().is_some_and(|spec| spec.reviews.is_some());
            record.document = match (how, phase.spec()) {
                ("changes", _) => Some(Document::Verdict(verdict(Status::NeedsChanges, at))),
                ("rejected", _) => Some(Document::Verdict(verdict(Status::Rejected, at))),
                ("done", _) if reviews => Some(Document::Verdict(verdict(Status::Approved, at))),
                ("done", "plan") => Some(Document::Plan(plan())),
                _ => None,
            };
            record.decision = match how {
                "approve" => Some(Decision::Approve),
                "skip" => Some(Decision::Skip),
                "retry" => Some(Decision::Retry { feedback: String::new() }),
                _ => None,
            };
            record.new_base = matches!(how, "conflict" | "red").then_some(commit);
            record.gate = (how == "red").then(|| GateVerdict {
                profile: "full".to_owned(),
                definition: Digest::of(""),
                tree,
                result: CheckResult::Fail,
                remembered: false,
                against: None,
                why: String::new(),
                checks: Vec::new(),
            });
            checkpoint = apply(&checkpoint, &record).unwrap_or_else(|error| panic!("{word}: {error}"));
            records.push(record);
        }
        let told: Vec<String> = trials(&task, &checkpoint, &records)
            .iter()
            .map(|trial| {
                let again = if trial.redone { "+" } else { "" };
                let findings = if trial.findings > 0 { format!("({})", trial.findings) } else { String::new() };
                format!("{}{again}{findings}", trial.worth)
            })
            .collect();
        assert_eq!(told.join(" "), wanted, "{steps}");
    }

    const PLANNED: &str = "plan:done plan-review:done";
    const FIRST: &str = "implement/S1:done code-review/S1:done gate/S1:done";
    const SECOND: &str = "implement/S2:done code-review/S2:done gate/S2:done";

    #[test]
    fn what_passed_all_its_judges_succeeded() {
        check("plan:done", "open");
        check(PLANNED, "success success");
        check(&format!("{PLANNED} implement/S1:done"), "success success open");
        check(&format!("{PLANNED} implement/S1:done code-review/S1:done"), "success success open open");
        check(&format!("{PLANNED} {FIRST}"), "success success success success");
    }

    #[test]
    fn what_was_sent_back_missed() {
        check("plan:done plan-review:changes", "miss(1) open(1)");
        check("plan:done plan-review:changes plan:done plan-review:done", "miss+(1) success+(1) success success");
        check(
            &format!("{PLANNED} implement/S1:failed implement/S1:done code-review/S1:done gate/S1:done"),
            "success success miss+ success success",
        );
        // The gate contradicts the author and the reviewer.
        check(
            &format!("{PLANNED} implement/S1:done code-review/S1:done gate/S1:failed {FIRST}"),
            "success success miss+ miss+ success success",
        );
    }

    #[test]
    fn who_was_overruled_missed() {
        check("plan:done plan-review:rejected plan-review:approve", "success(1) miss(1)");
        check("plan:done plan-review:rejected plan-review:retry plan:done", "miss+(1) success(1) open");
    }

    #[test]
    fn what_could_not_be_done_says_nothing_but_silence_for_tokens_does() {
        check("plan:down plan:done", "infra+ open");
        check("plan:mute plan:done plan-review:mute plan-review:done", "miss+ success miss+ success");
        check(&format!("{PLANNED} implement/S1:mute"), "success success infra");
    }

    #[test]
    fn a_conflict_is_nobodys_miss_and_a_red_merge_is() {
        let whole = format!("{PLANNED} {FIRST} {SECOND}");
        let good = "success success success success";
        check(&format!("{whole} land:conflict"), &format!("{good} success success"));
        check(&format!("{whole} land:conflict implement/S2:done"), &format!("{good} success+ success open"));
        check(&format!("{whole} land:red"), &format!("{good} miss miss"));
    }
}
