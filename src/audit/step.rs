//! One step: its signature, its record, the code, the files, and the state that follows from the one before.
//! Knows nothing of other steps but the state that the one before left.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    chain::{Before, Chain, Named, task_of},
    claim::{block, strays, trailers},
    court::Audit,
    definition::Given,
    finding::{About, quoted},
    strict,
};
use crate::{
    config::parse::parse,
    git::{ChangeKind, OnConflict, Part, RawChange, RawCommit, Unreadable, leads_outside},
    handoff::{checkpoints, layout, message::message, records, workflows},
    model::{
        apply::{Impossible, apply},
        checkpoint::{Bounds, Checkpoint, Phase},
        next::subject,
        object::{BlobId, CommitId, Digest, TreeId},
        record::{self, Actor, CheckResult, Decision, Outcome, Record},
        task::TaskId,
        workflow::{Access, PhaseId, PhaseSpec},
    },
    report::audit::{Finding, Rule},
};

/// What the commit before a step holds.
pub struct State {
    /// Its tree; none if it is not known.
    root: Option<TreeId>,
    /// The task's checkpoint file.
    text: Option<Vec<u8>>,
    /// What it says; none if there is none or it cannot be read.
    checkpoint: Option<Checkpoint>,
}

impl State {
    /// Nothing is known.
    pub fn unknown() -> Self {
        Self { root: None, text: None, checkpoint: None }
    }

    /// That of a commit.
    ///
    /// # Errors
    /// [`Unreadable`] if an object is no evidence.
    pub fn of(audit: &Audit, commit: &RawCommit, task: &TaskId) -> Result<Self, Unreadable> {
        let path = layout::checkpoint(task);
        let text = audit.evidence.file(commit.tree, &path)?;
        let checkpoint =
            text.as_ref().and_then(|text| checkpoints::from_toml(&String::from_utf8_lossy(text), &path).ok());
        Ok(Self { root: Some(commit.tree), text, checkpoint })
    }
}

/// What a step leaves to be compared with other steps.
pub struct Told {
    /// Its commit.
    pub commit: CommitId,
    /// Its number.
    pub seq: u32,
    /// Its phase.
    pub phase: PhaseId,
    /// Whether an agent made it.
    pub is_agent: bool,
    /// The agent's session.
    pub session: Option<String>,
    /// The models of all agents that had a part in it.
    pub models: Vec<String>,
    /// For a review: the phase whose work it judges.
    pub subject: Option<PhaseId>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether a person approved by it.
    pub is_approval: bool,
    /// The paths that it changed.
    pub wrote: Vec<String>,
    /// The step whose code counts after it.
    pub good: u32,
    /// The commit that the task's changes are made on after it.
    pub base: CommitId,
}

/// A step while it is looked at.
struct Look<'a> {
    audit: &'a Audit<'a>,
    chain: &'a Chain,
    named: &'a Named,
    about: About,
    findings: Vec<Finding>,
}

/// Judges the step at a place of its chain, on the state before it. Gives the state after it, and what it tells.
pub fn judge(
    audit: &Audit,
    chain: &Chain,
    place: usize,
    before: &State,
    findings: &mut Vec<Finding>,
) -> (State, Option<Told>) {
    let named = &chain.commits[place];
    let about = About::step(named.commit.id, &chain.task, named.seq);
    let mut look = Look { audit, chain, named, about, findings: Vec::new() };
    look.findings = audit.signature(&look.about, &named.commit);
    if named.commit.parents.len() != 1 {
        let count = named.commit.parents.len();
        look.fail(Rule::Chain, format!("it has {count} parents: a step stands on the step before alone"));
    }
    let looked = look.all(before);
    let (state, told) = looked.unwrap_or_else(|error| {
        let finding = audit.unreadable(&look.about, &error);
        look.findings.push(finding);
        (State::unknown(), None)
    });
    findings.append(&mut look.findings);
    (state, told)
}

impl Look<'_> {
    fn fail(&mut self, rule: Rule, what: impl AsRef<str>) {
        self.findings.push(self.about.fail(rule, what));
    }

    fn commit(&self) -> &Arc<RawCommit> {
        &self.named.commit
    }

    fn all(&mut self, before: &State) -> Result<(State, Option<Told>), Unreadable> {
        let after = State::of(self.audit, self.commit(), &self.chain.task)?;
        if let Some(root) = before.root {
            self.files(root, before.text.is_none())?;
        }
        let Some(record) = self.record()? else { return Ok((after, None)) };
        self.fits(&record, before)?;
        self.trailers(&record);
        let wrote = self.code(&record, before)?;
        let known = self.state(&record, before, &after)?;
        if let Some(known) = &known {
            self.verdict(&record, known)?;
            self.actor(&record, known);
        }
        let told = after.checkpoint.as_ref().map(|checkpoint| Told {
            commit: self.commit().id,
            seq: record.seq,
            phase: record.phase.clone(),
            is_agent: matches!(record.actor, Actor::Agent { .. }),
            session: record.session.clone(),
            models: {
                let own = match &record.actor {
                    Actor::Agent { model, .. } => model.as_ref(),
                    Actor::Gate { .. } | Actor::Person { .. } | Actor::Land => None,
                };
                own.into_iter().chain(record.calls.iter().filter_map(|call| call.model.as_ref())).cloned().collect()
            },
            subject: known.as_ref().and_then(|known| subject(known, &record.phase)),
            outcome: record.outcome,
            is_approval: matches!(record.decision, Some(Decision::Approve)),
            wrote,
            good: checkpoint.good,
            base: checkpoint.base,
        });
        Ok((after, told))
    }

    /// Below `.handoff/` a step changes its task's state and adds its record. The first also brings what the task is.
    fn files(&mut self, before: TreeId, is_first: bool) -> Result<(), Unreadable> {
        let task = &self.chain.task;
        let (state, record) = (layout::checkpoint(task), layout::step(task, self.named.seq, &self.named.phase));
        let own_file = format!("{}/{task}.", layout::TASKS);
        let brings = |path: &str| {
            path == layout::CONFIG
                || path.starts_with(&own_file)
                || (is_first && (path == layout::ALLOWED_SIGNERS || path.starts_with(layout::WORKFLOWS)))
        };
        for change in self.audit.evidence.diff(before, self.commit().tree, Part::Handoff)? {
            let path = change.path;
            let is_own = path == state && change.kind != ChangeKind::Removed;
            let is_new = path == record && change.kind == ChangeKind::Added;
            let what = if !(is_own || is_new || brings(&path)) {
                let word = match change.kind {
                    ChangeKind::Added => "adds",
                    ChangeKind::Modified => "changes",
                    ChangeKind::Removed => "removes",
                };
                format!("it {word} a file that a step does not touch")
            } else if change.after.as_ref().is_some_and(|entry| !entry.is_plain_file()) {
                "what it puts there is no plain file".to_owned()
            } else {
                continue;
            };
            self.findings.push(self.about.fail(Rule::Handoff, what).file(path));
        }
        Ok(())
    }

    /// The record, where it must be.
    fn record(&mut self) -> Result<Option<Record>, Unreadable> {
        let task = &self.chain.task;
        let path = layout::step(task, self.named.seq, &self.named.phase);
        let Some(entry) = self.audit.evidence.entry(self.commit().tree, &path)? else {
            let what =
                format!("it says that it is step {} {}, and has no record of it", self.named.seq, self.named.phase);
            self.findings.push(self.about.fail(Rule::Claim, what).file(path));
            return Ok(None);
        };
        if !entry.is_plain_file() {
            self.findings.push(self.about.fail(Rule::Handoff, "its record is no plain file").file(path));
            return Ok(None);
        }
        let bytes = self.audit.evidence.blob(BlobId(entry.id))?;
        let read = strict::check(&bytes)
            .and_then(|()| records::from_json(&String::from_utf8_lossy(&bytes), &path).map_err(|problem| problem.what));
        match read {
            Ok(record) => Ok(Some(record)),
            Err(why) => {
                self.findings
                    .push(self.about.fail(Rule::Record, format!("its record cannot be read: {why}")).file(path));
                Ok(None)
            }
        }
    }

    /// Whether the record is of this commit.
    fn fits(&mut self, record: &Record, before: &State) -> Result<(), Unreadable> {
        let commit = self.commit().clone();
        if record.task != self.chain.task {
            self.fail(Rule::Record, format!("its record is of task '{}'", record.task));
        }
        if record.seq != self.named.seq || record.phase != self.named.phase {
            self.fail(Rule::Record, format!("its record is of step {} {}", record.seq, record.phase));
        }
        let digest = before.text.as_ref().map(Digest::of);
        if before.root.is_some() && record.checkpoint_before != digest {
            self.fail(Rule::Checkpoint, "the state before it is not the one that its record names");
        }
        let code = self.audit.evidence.code(commit.tree)?;
        if record.code != code {
            let what = format!("its code is {}, its record names {}", code.short(), record.code.short());
            self.fail(Rule::Code, what);
        }
        let agent = match &record.actor {
            Actor::Agent { name, .. } => Some(name),
            Actor::Gate { .. } | Actor::Person { .. } | Actor::Land => None,
        };
        let (author, committer) = (&commit.author, &commit.committer);
        let is_committer = (&author.name, &author.email) == (&committer.name, &committer.email);
        let by_agent = agent.is_some_and(|name| author.email == format!("{name}@git-orchestrate.invalid"));
        if !is_committer && !by_agent {
            let what = format!("its author is '{}', neither who committed it nor its agent", quoted(&author.email));
            self.fail(Rule::Record, what);
        }
        if let (Actor::Person { identity }, who) = (&record.actor, format!("{} <{}>", committer.name, committer.email))
            && *identity != who
        {
            let what = format!("the decision is of '{}', the commit of '{}'", quoted(identity), quoted(&who));
            self.fail(Rule::Record, what);
        }
        Ok(())
    }

    /// The trailers are an index of the record, once each; whatever looks like them elsewhere is somebody else's.
    fn trailers(&mut self, record: &Record) {
        let expected = message(record);
        let (is, must) = (trailers(&self.commit().message), trailers(&expected));
        if block(&self.commit().message) != block(&expected) {
            let odd = is.iter().find(|trailer| !must.contains(trailer)).or(must.iter().find(|t| !is.contains(t)));
            let odd = odd.map_or_else(String::new, |(key, value)| format!(": '{}: {}'", quoted(key), quoted(value)));
            self.fail(Rule::Trailers, format!("its message says something else than its record{odd}"));
        }
        if strays(&self.commit().message) > 0 {
            self.fail(Rule::Trailers, "its message has trailers of ours among an agent's words");
        }
    }

    /// The code is what the step could make of the code before; the files are those it names. Gives what it wrote.
    fn code(&mut self, record: &Record, before: &State) -> Result<Vec<String>, Unreadable> {
        let evidence = &self.audit.evidence;
        let root = self.commit().tree;
        let good = before.checkpoint.as_ref().map_or(Some(0), |before| Some(before.good));
        let good = match (&before.checkpoint, good) {
            (Some(checkpoint), Some(0)) => evidence.commit(checkpoint.base).ok(),
            (_, good) => good.and_then(|good| self.chain.commit(good)).cloned(),
        };
        if record.phase == PhaseId::land() && matches!(record.actor, Actor::Land) {
            return self.merged(record, before, good.as_deref());
        }
        let is_known = record.base == self.base_of(before)
            || self.chain.commits.iter().any(|named| named.seq < record.seq && named.commit.id == record.base)
            || good.as_ref().is_some_and(|good| good.id == record.base)
            // The first code of a task may be written on what has landed by then; whether it is the first, `apply` says.
            || record.new_base == Some(record.base)
            || self.was_base(record)?;
        // Where the line breaks off in a clone that was cut off, its base can be behind the end.
        let may_be_behind = matches!(self.chain.before, Before::Unreadable(_)) && evidence.commit(record.base).is_err();
        if before.root.is_some() && !is_known && !may_be_behind {
            let what =
                format!("it says that it was made on {}, which is none of the task's commits", record.base.short());
            self.fail(Rule::Record, what);
            return Ok(Vec::new());
        }
        let from = match evidence.commit(record.base) {
            Ok(from) => from,
            Err(error) => {
                let finding = self.audit.unreadable(&self.about, &error);
                self.findings.push(finding);
                return Ok(Vec::new());
            }
        };
        let writes = matches!(record.actor, Actor::Agent { .. })
            && before.checkpoint.as_ref().map_or(!record.changed.is_empty(), |before| {
                before.spec(&record.phase).is_some_and(|spec| spec.role.is_some() && spec.access() == Access::Write)
            })
            || (before.checkpoint.is_none() && !record.changed.is_empty());
        let changes = evidence.diff(from.tree, root, Part::Code)?;
        if !writes {
            let unchanged = match &good {
                Some(good) => evidence.code(good.tree)? == evidence.code(root)?,
                None => changes.is_empty(),
            };
            if !unchanged {
                let path = changes.first().map(|change| change.path.clone()).unwrap_or_default();
                let finding = self.about.fail(Rule::Code, "it changes code, and only reads by its nature").file(path);
                self.findings.push(finding);
            }
            return Ok(Vec::new());
        }
        self.names(&changes)?;
        let word = |kind| match kind {
            ChangeKind::Added => record::ChangeKind::Added,
            ChangeKind::Modified => record::ChangeKind::Modified,
            ChangeKind::Removed => record::ChangeKind::Deleted,
        };
        let made: BTreeMap<&str, record::ChangeKind> =
            changes.iter().map(|c| (c.path.as_str(), word(c.kind))).collect();
        let told: BTreeMap<&str, record::ChangeKind> =
            record.changed.iter().map(|file| (file.path.as_str(), file.change)).collect();
        let is_beside = |good: &&Arc<RawCommit>| {
            let is_another = good.id != record.base && evidence.code(good.tree) != evidence.code(from.tree);
            is_another && record.new_base.is_none()
        };
        let beside = good.as_ref().filter(is_beside);
        let odd = match beside {
            // Another track was there first, and both were put together: what came on top of it is ours.
            Some(good) => {
                let on_top = evidence.diff(good.tree, root, Part::Code)?;
                on_top.iter().find(|change| !told.contains_key(change.path.as_str())).map(|change| change.path.clone())
            }
            None => {
                let odd = made.iter().find(|(path, kind)| told.get(*path) != Some(kind));
                let odd = odd.or_else(|| told.iter().find(|(path, kind)| made.get(*path) != Some(kind)));
                odd.map(|(path, _)| (*path).to_owned())
            }
        };
        if let Some(path) = odd {
            let what = "it changes other files than its record names";
            self.findings.push(self.about.fail(Rule::Changes, what).file(path));
        }
        Ok(changes.into_iter().map(|change| change.path).collect())
    }

    /// Whether the task's changes were once made on what a step says it was made on: it began before another moved the base.
    fn was_base(&self, record: &Record) -> Result<bool, Unreadable> {
        if self.chain.commit(0).is_some_and(|base| base.id == record.base) {
            return Ok(true);
        }
        for named in self.chain.commits.iter().filter(|named| named.seq < record.seq) {
            let state = State::of(self.audit, &named.commit, &self.chain.task)?;
            if state.checkpoint.is_some_and(|checkpoint| checkpoint.base == record.base) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn base_of(&self, before: &State) -> CommitId {
        before
            .checkpoint
            .as_ref()
            .map(|before| before.base)
            .or_else(|| self.chain.commit(0).map(|base| base.id))
            .unwrap_or(self.commit().id)
    }

    /// The code of a landing that went wrong: the task's changes and the new base put together, which can be done again.
    fn merged(&mut self, record: &Record, before: &State, good: Option<&RawCommit>) -> Result<Vec<String>, Unreadable> {
        let evidence = &self.audit.evidence;
        let (Some(new_base), Some(before), Some(good)) = (record.new_base, &before.checkpoint, good) else {
            return Ok(Vec::new());
        };
        let (base, onto) = match (evidence.commit(before.base), evidence.commit(new_base)) {
            (Ok(base), Ok(onto)) => (base, onto),
            (Err(error), _) | (_, Err(error)) => {
                let finding = self.audit.unreadable(&self.about, &error);
                self.findings.push(finding);
                return Ok(Vec::new());
            }
        };
        let mut draft = evidence.repository().draft();
        let trees = [&*base, &*onto, good].map(|commit| draft.without_handoff(commit.tree));
        if let [Ok(base), Ok(onto), Ok(good)] = trees
            && let Ok(merged) = draft.merge_trees(base, onto, good, OnConflict::KeepOurs)
            && merged.tree != record.code
        {
            let what = format!("its code is not what the task's changes make of {}", new_base.short());
            self.fail(Rule::Code, what);
        }
        Ok(Vec::new())
    }

    /// Names that are dangerous where they are checked out, and other repositories in the place of files.
    fn names(&mut self, changes: &[RawChange]) -> Result<(), Unreadable> {
        for change in changes {
            let Some(entry) = &change.after else { continue };
            let target = match entry.is_link() {
                true => Some(self.audit.evidence.blob(BlobId(entry.id))?),
                false => None,
            };
            let top = change.path.split('/').next().unwrap_or_default();
            let what = if entry.is_submodule() {
                "it puts a commit of another repository there"
            } else if top.eq_ignore_ascii_case(layout::DIR) {
                "it puts a file there that can be taken for one of ours"
            } else if change.path.split('/').any(is_git) {
                "it puts a file there that can be taken for git's own"
            } else if target.is_some() && change.path.ends_with(".gitmodules") {
                "it puts a link there that git reads its submodules from"
            } else if target.is_some_and(|target| leads_outside(&change.path, &target)) {
                "it puts a link there that leads out of the repository"
            } else {
                continue;
            };
            self.findings.push(self.about.fail(Rule::Tree, what).file(&change.path));
        }
        Ok(())
    }

    /// The state after it is what follows. Gives the state before it, derived for the first step.
    fn state(&mut self, record: &Record, before: &State, after: &State) -> Result<Option<Checkpoint>, Unreadable> {
        let file = layout::checkpoint(&self.chain.task);
        let Some(is) = &after.checkpoint else {
            let what = match after.text {
                Some(_) => "the state that it leaves cannot be read",
                None => "it leaves no state",
            };
            self.findings.push(self.about.fail(Rule::Checkpoint, what).file(file));
            return Ok(None);
        };
        let known = match (&before.checkpoint, &before.text) {
            (Some(known), _) => known.clone(),
            (None, Some(_)) => return Ok(None),
            (None, None) if record.seq == 1 && before.root.is_some() => self.beginning(is)?,
            (None, None) => return Ok(None),
        };
        match apply(&known, record) {
            Ok(must) if must == *is => {}
            Ok(must) => {
                let what =
                    format!("the state that it leaves does not follow from the one before: {}", differs(&must, is));
                self.findings.push(self.about.fail(Rule::Checkpoint, what).file(file));
            }
            Err(error @ Impossible::SelfReview { .. }) => self.fail(Rule::Reviewer, error.to_string()),
            Err(error) => {
                let what = format!("it cannot follow the state before it: {error}");
                self.fail(Rule::Checkpoint, what);
            }
        }
        Ok(Some(known))
    }

    /// The state before the first step: what the task, its workflow and the configuration of that commit make.
    fn beginning(&mut self, is: &Checkpoint) -> Result<Checkpoint, Unreadable> {
        let evidence = &self.audit.evidence;
        let root = self.commit().tree;
        let base = self.chain.commit(0).map_or(is.base, |base| base.id);
        let name = &is.workflow.name;
        let path = layout::workflow(name);
        let own =
            evidence.file(root, &path)?.map(|text| workflows::parse(&String::from_utf8_lossy(&text), &path, name).ok());
        let must = own.unwrap_or_else(|| workflows::builtin(name));
        if must.is_some_and(|must| must != is.workflow) {
            let what = format!("it follows another workflow '{}' than the one that it brings along", quoted(name));
            self.findings.push(self.about.fail(Rule::Checkpoint, what).file(path));
        }
        let settings = evidence
            .file(root, layout::CONFIG)?
            .and_then(|text| parse(&String::from_utf8_lossy(&text), layout::CONFIG).ok());
        let bounds = settings.map_or_else(
            || is.bounds.clone(),
            |settings| Bounds {
                attempts_max: settings.limits.attempts,
                infra_max: settings.limits.infra,
                land_rounds_max: settings.limits.land_rounds,
                budget_usd: settings.limits.task_budget_usd,
                timeout: settings.limits.task_timeout,
            },
        );
        let Some(task) = task_of(evidence, root, &self.chain.task) else {
            // Tasks that were made without a file leave only the state to tell of them.
            let mut task = crate::model::task::Task::new(self.chain.task.clone(), "");
            (task.labels, task.area) = (is.labels.clone(), is.area.clone());
            return Ok(Checkpoint::begin(&task, is.workflow.clone(), base, is.bounds.clone()));
        };
        Ok(Checkpoint::begin(&task, is.workflow.clone(), base, bounds))
    }

    /// A gate's verdict: on the tree that was judged, by the definition in force, and taken for what it says.
    fn verdict(&mut self, record: &Record, before: &Checkpoint) -> Result<(), Unreadable> {
        let is_gate = matches!(record.actor, Actor::Gate { .. });
        let Some(verdict) = &record.gate else {
            if is_gate {
                self.fail(Rule::Gate, "the gate's verdict is not in its record");
            }
            return Ok(());
        };
        let evidence = &self.audit.evidence;
        let judged = match (is_gate, evidence.commit(record.base)) {
            (true, Ok(from)) => evidence.code(from.tree)?,
            (true, Err(_)) | (false, _) => record.code,
        };
        if verdict.tree != judged {
            let what = format!("the gate's verdict is on {}, the code is {}", verdict.tree.short(), judged.short());
            self.fail(Rule::Gate, what);
        }
        let fits = match record.outcome {
            Outcome::Done => verdict.result == CheckResult::Pass,
            Outcome::Failed => verdict.result == CheckResult::Fail,
            Outcome::Infra => verdict.result == CheckResult::Infra,
            Outcome::Changes | Outcome::Rejected => false,
        };
        if !fits {
            let what = format!("the gate said '{}', the step ended as '{}'", verdict.result, record.outcome);
            self.fail(Rule::Gate, what);
        }
        if verdict.result == CheckResult::Pass && verdict.checks.is_empty() {
            self.fail(Rule::Gate, "the gate passed it without a check");
        }
        let wanted = before.spec(&record.phase).and_then(|spec| spec.gate.as_deref());
        if wanted.is_some_and(|wanted| wanted != "auto" && wanted != verdict.profile) {
            let what =
                format!("gate '{}' judged where '{}' must", quoted(&verdict.profile), wanted.unwrap_or_default());
            self.fail(Rule::Gate, what);
        }
        let config = evidence.file(self.commit().tree, layout::CONFIG)?;
        let given = Given { verdict, text: record.definition.as_deref() };
        if let Err((rule, standing, what)) = given.is_of(config.as_deref(), self.audit.definition_of) {
            let mut finding = self.about.fail(rule, what).file(layout::CONFIG);
            finding.standing = standing;
            self.findings.push(finding);
        }
        Ok(())
    }

    /// Who did it may do such a phase, in the role and attempt that the state before says.
    fn actor(&mut self, record: &Record, before: &Checkpoint) {
        let spec = before.spec(&record.phase);
        let is_right = match (&record.actor, spec) {
            (Actor::Person { .. }, _) => record.decision.is_some(),
            (Actor::Agent { .. }, Some(PhaseSpec { role: Some(role), .. })) => record.role.as_deref() == Some(&role.0),
            (Actor::Gate { .. }, Some(spec)) => spec.gate.is_some(),
            (Actor::Land, None) => record.phase == PhaseId::land(),
            (Actor::Agent { .. } | Actor::Gate { .. }, _) | (Actor::Land, Some(_)) => false,
        };
        if !is_right {
            let what = format!("phase '{}' cannot be done by '{}'", record.phase, quoted(record.actor.name()));
            self.fail(Rule::Record, what);
        }
        let attempts = before.phase(&record.phase).map_or(0, |phase| phase.attempts);
        if !matches!(record.actor, Actor::Person { .. }) && record.attempt != attempts + 1 {
            let what = format!("it is attempt {} at its phase, its record says {}", attempts + 1, record.attempt);
            self.fail(Rule::Record, what);
        }
    }
}

/// Whether some file system takes a name for `.git`: by case, by its short form, by letters that it passes over.
fn is_git(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(
            |c| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'),
        )
        .collect();
    let plain = plain.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    let plain = plain.split(':').next().unwrap_or_default();
    matches!(plain, ".git" | "git~1")
}

/// The first thing in which two states differ, in a few words.
fn differs(must: &Checkpoint, is: &Checkpoint) -> String {
    let number = |name: &str, must: u32, is: u32| format!("'{name}' is {is}, not {must}");
    if must.seq != is.seq {
        return number("seq", must.seq, is.seq);
    }
    if must.good != is.good {
        return number("good", must.good, is.good);
    }
    let state = |phase: &Phase| (phase.id.clone(), phase.state);
    for (must, is) in must.phases.iter().zip(&is.phases) {
        if state(must) != state(is) {
            return format!("phase '{}' is '{}', not '{}'", is.id, is.state, must.state);
        }
        if must != is {
            return format!("phase '{}'", is.id);
        }
    }
    for (name, same) in [
        ("phase", must.phases.len() == is.phases.len()),
        ("spent", must.spent == is.spent),
        ("bounds", must.bounds == is.bounds),
        ("base", must.base == is.base),
        ("plan", must.plan == is.plan),
        ("workflow", must.workflow == is.workflow),
        ("aborted", must.aborted == is.aborted),
        ("labels", must.labels == is.labels && must.area == is.area),
    ] {
        if !same {
            return format!("'{name}'");
        }
    }
    "it belongs to another task".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_some_file_system_takes_for_gits_own() {
        for name in [".git", ".GIT", ".Git.", ".git ", "git~1", "GIT~1", ".g\u{200c}it", ".git::$INDEX_ALLOCATION"] {
            assert!(is_git(name), "{name}");
        }
        for name in ["git", ".gitignore", ".github", "a.git"] {
            assert!(!is_git(name), "{name}");
        }
    }
}
