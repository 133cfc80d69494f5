//! A step of an agent: the worktree made ready, the prompt, the agent, its answer read, its files taken.
//! Knows nothing of the loop; what the outcome means for the task is the model's.

use std::{path::Path, time::Instant};

use super::{
    RunError, brief,
    brief::Asking,
    commit::{Committed, Step, commit, step_commit},
    foreman::{Dropped, Job},
    hybrid_step,
    live::{Worker, last_words},
    salvage,
    secrets::{self, Inspection, redact_answer, redact_event},
    setup::{self, Warmth},
    spending::Attempt,
    workshop::{SlotGuard, Workshop},
};
use crate::{
    agents::{
        agent::Agent,
        player::Player,
        request::{AgentEvent, Answer, EndedAs, Request, SpendMax, Structure},
        schema,
    },
    config::settings::{Durability, SecretScan},
    context::{self, Prompt},
    git::{self, Draft, Slot, TakePolicy},
    model::{
        money::{Money, Tokens},
        next::What,
        object::{CommitId, TreeId},
        record::{Actor, ChangeKind, ChangedFile, Document, ModelCall, Outcome, Record, RefusedFile},
        verdict::Status,
        workflow::{Access, Role},
    },
    report::event::RunEvent,
    route,
    sys::{clock, file},
    text,
};

/// Characters of an agent's last words that a record keeps.
const SUMMARY_BYTES_MAX: usize = 4000;
/// Lines of them.
const SUMMARY_LINES_MAX: usize = 60;

/// How a step of an agent ended.
pub enum Made {
    /// It is on the disk.
    Committed(Box<Committed>),
    /// It was not made.
    Dropped(Dropped),
}

impl From<Option<Committed>> for Made {
    fn from(committed: Option<Committed>) -> Self {
        committed.map_or(Self::Dropped(Dropped::Cancelled), |committed| Self::Committed(Box::new(committed)))
    }
}

/// Does something with the checkout of the code of a step, `from`. It is in no branch: where somebody tidies the repository
/// up at this moment, it is gone and made anew.
///
/// # Errors
/// When it cannot be made, and those of `work`.
pub fn with_checkout<T>(
    shop: &Workshop,
    (draft, from, code): (&mut Draft, CommitId, TreeId),
    base: CommitId,
    mut work: impl FnMut(CommitId) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let repository = &shop.project.repository;
    let again = || {
        let mut draft = repository.draft();
        let code = draft.code_tree(from)?;
        draft.code_commit(code, base)?;
        Ok(draft.objects())
    };
    repository.unswept(again, RunError::git, || work(repository.code_checkout(draft, code, base)?))
}

/// Makes the step.
///
/// # Errors
/// When it could not be made or recorded; what the agent wrote is then saved or still in its worktree.
pub fn make(shop: &Workshop, job: &Job) -> Result<Made, RunError> {
    let name = job.agent.as_deref().expect("BUG: a job for an agent names it");
    let player = shop.agents.get(name).expect("BUG: only configured agents are chosen");
    let What::Agent { role, access, .. } = &job.work.what else { unreachable!("BUG: this is a job for an agent") };
    let mut draft = shop.project.repository.draft();
    let from = match job.onto {
        Some(onto) => onto,
        None => step_commit(&shop.project.repository, &job.checkpoint, job.tip, job.work.from)?,
    };
    let code = draft.code_tree(from)?;
    let base = job.base();
    let open = |checkout| shop.agent_slot(job.slot, &job.task.id, checkout);
    let mut slot = with_checkout(shop, (&mut draft, from, code), base, open)?;
    crate::sys::crash_point::reach("step.switched");
    tracing::info!(task = %job.task.id, phase = %job.work.phase, agent = name, why = job.chosen, "an agent was chosen");
    setup::prepare(shop, &mut slot, Warmth::Warm)?;

    let (started, clock) = (clock::now_rfc3339(), Instant::now());
    let structure = brief::structure(&job.checkpoint, &job.work.phase);
    let prompt = brief::prompt(
        &shop.project,
        &shop.templates,
        &shop.contexts,
        &Asking { job, role, access: *access, structure, code },
    )?;
    if !prompt.redacted.is_empty() {
        let message = format!("left out of what {name} is told for {}: {}", job.task.id, prompt.redacted.join("; "));
        let hint = format!("git orchestrate show {} --prompt {}", job.task.id, job.work.phase);
        (shop.tell)(RunEvent::Warning { message, hint: Some(hint) });
    }
    let mut spent = shop.spending.begin(job.slot, attempt(job, name, &started))?;
    crate::sys::crash_point::reach("step.spending");
    let mut asked = ask(shop, job, player, &mut slot, (*access, structure, code), &prompt)?;
    spent.cost(cost_of(job, role, &asked));
    asked.duration_ms = clock.elapsed().as_millis() as u64;
    crate::sys::crash_point::reach("step.answered");
    if !matches!(asked.answer.ended, EndedAs::Cancelled | EndedAs::Limited { .. }) {
        let told = Told { role, access: *access, from, code, prompt, started };
        let made = judge(shop, job, player, slot, draft, asked, told)?;
        spent.made();
        return Ok(made);
    }
    let saved = salvage::save(&mut slot, &shop.identity, job.task.id.as_str())?;
    slot.clean();
    if let Some(name) = saved {
        let message =
            format!("what {} had begun for {} {} is kept as {name}", player.name(), job.task.id, job.work.phase);
        (shop.tell)(RunEvent::Warning { message, hint: Some(format!("git show {name}")) });
    }
    Ok(Made::Dropped(match asked.answer.ended {
        EndedAs::Limited { until, reason } => {
            let agent = asked.calls.last().map_or_else(|| name.to_owned(), |call| call.agent.clone());
            Dropped::Parked { agent, until, reason }
        }
        EndedAs::Cancelled | EndedAs::Finished | EndedAs::Failed(_) | EndedAs::Infra(_) => Dropped::Cancelled,
    }))
}

fn attempt(job: &Job, agent: &str, started: &str) -> Attempt {
    Attempt {
        task: job.task.id.clone(),
        phase: job.work.phase.clone(),
        attempt: job.work.attempt,
        agent: agent.to_owned(),
        started: started.to_owned(),
        cost_usd: job.grant.map_or(Money::ZERO, |grant| grant.amount),
    }
}

/// What an attempt counts for if it leaves no step.
fn cost_of(job: &Job, role: &Role, asked: &Asked) -> Money {
    let usual = || job.grant.map_or(Money::ZERO, |grant| grant.usual);
    let unknown = |outcome| route::estimate::unknown(&role.0, &asked.tokens, outcome);
    asked.cost.unwrap_or_else(|| match &asked.answer.ended {
        // Refused before it did anything, as far as it tells.
        EndedAs::Limited { .. } | EndedAs::Infra(_) => unknown(Outcome::Infra).unwrap_or_default(),
        EndedAs::Cancelled => unknown(Outcome::Infra).unwrap_or_else(usual),
        EndedAs::Finished | EndedAs::Failed(_) => unknown(Outcome::Failed).unwrap_or_default(),
    })
}

/// What was known before the agent was asked.
struct Told<'a> {
    role: &'a Role,
    access: Access,
    from: CommitId,
    code: TreeId,
    prompt: Prompt,
    started: String,
}

/// What came of asking, of one or more questions.
pub struct Asked {
    /// The last answer, with the transcripts of all.
    pub answer: Answer,
    /// The document it owes, or why it cannot be read.
    pub document: Result<Option<Document>, String>,
    /// Of all questions.
    pub tokens: Tokens,
    /// Of all questions; none: not known.
    pub cost: Option<Money>,
    /// The questions one by one, where several agents were asked.
    pub calls: Vec<ModelCall>,
    duration_ms: u64,
}

impl Asked {
    /// The same with what was asked before it.
    pub fn after(mut self, first: Self) -> Self {
        // A sum with an unknown part would pass for the whole.
        self.cost = match (self.cost, first.cost) {
            (Some(second), Some(first)) => Some(second + first),
            (known, None) if first.tokens.total() == 0 => known,
            (None, known) if self.tokens.total() == 0 => known,
            (Some(_), None) | (None, _) => None,
        };
        self.tokens = self.tokens + first.tokens;
        self.calls.splice(0..0, first.calls);
        self.answer.transcript.splice(0..0, first.answer.transcript);
        self.answer.left_behind += first.answer.left_behind;
        self.answer.usage = match (first.answer.usage, self.answer.usage) {
            (Some(first), Some(second)) => Some(first.then(second)),
            (one, other) => one.or(other),
        };
        self
    }
}

fn ask(
    shop: &Workshop,
    job: &Job,
    player: &Player,
    slot: &mut Slot,
    (access, structure, before): (Access, Option<Structure>, TreeId),
    prompt: &Prompt,
) -> Result<Asked, RunError> {
    let limits = &shop.project.settings.limits;
    let spec_timeout = job.checkpoint.spec(&job.work.phase).and_then(|spec| spec.timeout);
    let scratch = shop.scratch.join(format!("worker-{}", job.slot));
    let cannot = |source| RunError::File { path: scratch.clone(), what: "cannot be made", source };
    std::fs::create_dir_all(&scratch).map_err(cannot)?;
    let request = Request {
        task: job.task.id.to_string(),
        phase: job.work.phase.to_string(),
        attempt: job.work.attempt,
        prompt: prompt.text.clone(),
        worktree: slot.path().to_owned(),
        access,
        structure,
        scratch: scratch.clone(),
        wall: spec_timeout.unwrap_or(limits.step_timeout).0,
        idle: limits.idle_timeout.0,
        output_bytes_max: limits.output_bytes as usize,
        spend_max: spend_max(shop, job, player),
    };
    let asked = match player {
        Player::Alone(agent) => Ok(answered(shop, job, agent, &request)),
        Player::Hybrid(hybrid) => hybrid_step::ask(shop, job, hybrid, slot, before, &request),
    };
    if let Err(source) = empty(&scratch) {
        tracing::warn!(%source, path = %scratch.display(), "a scratch directory was not emptied");
    }
    asked
}

/// Asks an agent, and once more where its answer lacks the document that it owes.
pub fn answered(shop: &Workshop, job: &Job, agent: &Agent, request: &Request) -> Asked {
    let first = question(shop, job, agent, request);
    let spend_max = left_of(request.spend_max, &first);
    // Asking once more needs money too.
    let may_ask = spend_max.is_none_or(|limit| limit.is_free() || limit.usd > Money::ZERO);
    let (EndedAs::Finished, Err(why), true) = (&first.answer.ended, &first.document, may_ask) else { return first };
    let prompt = context::ask_again(&request.prompt, &first.answer.text, why, request.structure);
    question(shop, job, agent, &Request { prompt, spend_max, ..request.clone() }).after(first)
}

/// What is left of the most that a step may cost, after these questions of it.
pub fn left_of(limit: Option<SpendMax>, asked: &Asked) -> Option<SpendMax> {
    let limit = limit?;
    let cost = asked.cost.unwrap_or_else(|| limit.cost(&asked.tokens));
    Some(SpendMax { usd: limit.usd.saturating_sub(cost), ..limit })
}

/// The most that the agent is told a step may cost, where it can be told.
fn spend_max(shop: &Workshop, job: &Job, player: &Player) -> Option<SpendMax> {
    let grant = job.grant.filter(|grant| grant.is_cap)?;
    let price = route::estimate::price_of(&shop.project.settings.prices, player.worker().model());
    let usd = match player {
        // Our own turns over HTTP never pass what they are told; programs look at it between two of theirs.
        Player::Alone(agent) if agent.is_over_http() => grant.amount,
        Player::Alone(_) | Player::Hybrid(_) => route::estimate::told_limit(grant.amount),
    };
    Some(SpendMax { price, usd })
}

/// Removes what a step left in its scratch directory, which the worker's next step uses again.
fn empty(scratch: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(scratch)? {
        file::remove_tree(&entry?.path())?;
    }
    Ok(())
}

/// Asks an agent once.
pub fn question(shop: &Workshop, job: &Job, agent: &Agent, request: &Request) -> Asked {
    let mut worker = Worker {
        slot: job.slot,
        task: job.task.id.clone(),
        phase: job.work.phase.clone(),
        attempt: job.work.attempt,
        agent: job.agent.clone().unwrap_or_default(),
        model: agent.model().map(str::to_owned),
        since: clock::now_rfc3339(),
        last: String::new(),
        tokens: Tokens::default(),
    };
    shop.live.worker(&worker);
    let slot = job.slot as u32;
    let secrets = &shop.project.secrets;
    let mut answer = agent.run(request, &shop.supervisor, &shop.cancel, &mut |event| {
        let told = match redact_event(secrets, event) {
            AgentEvent::Started { model, .. } => {
                worker.model = model.or(worker.model.take());
                None
            }
            AgentEvent::Text(text) => {
                worker.last = last_words(&text);
                Some(RunEvent::AgentSaid { slot, text })
            }
            AgentEvent::Tool { name, detail } => {
                worker.last = last_words(&format!("{name} {detail}"));
                Some(RunEvent::ToolUsed { slot, tool: name, detail })
            }
            AgentEvent::Usage(tokens) => {
                worker.tokens = tokens;
                Some(RunEvent::TokensUsed { slot, tokens })
            }
            AgentEvent::Waiting(reason) => {
                worker.last = last_words(&reason);
                Some(RunEvent::AgentWaiting { slot, reason })
            }
        };
        shop.live.worker(&worker);
        if let Some(told) = told {
            (shop.tell)(told);
        }
    });
    redact_answer(secrets, &mut answer);
    let document = document(&answer, request.structure);
    let model = answer.model.as_deref().or(agent.model());
    let priced = || route::price::cost(&shop.project.settings.prices, model?, &answer.tokens);
    let cost = answer.cost_usd.or_else(priced);
    Asked { document, tokens: answer.tokens, cost, calls: Vec::new(), duration_ms: 0, answer }
}

/// The document that the answer owes: none where none is owed, an error where it cannot be read.
fn document(answer: &Answer, structure: Option<Structure>) -> Result<Option<Document>, String> {
    match structure {
        None => Ok(None),
        Some(Structure::Plan) => schema::plan_from(answer).map(|plan| Some(Document::Plan(plan))),
        Some(Structure::Verdict) => schema::verdict_from(answer).map(|verdict| Some(Document::Verdict(verdict))),
    }
}

/// What became of the attempt: the outcome, a line for people, and what the next attempt must heed.
struct Judged {
    outcome: Outcome,
    reason: String,
    feedback: String,
}

fn judge(
    shop: &Workshop,
    job: &Job,
    player: &Player,
    mut slot: SlotGuard,
    mut draft: Draft,
    asked: Asked,
    told: Told,
) -> Result<Made, RunError> {
    draft.refresh(&shop.project.repository);
    let taken = match told.access {
        Access::Write => take(shop, job, &mut slot, &mut draft, told.code)?,
        Access::Read => {
            salvage::save(&mut slot, &shop.identity, job.task.id.as_str())?;
            Took { tree: told.code, changed: Vec::new(), refused: Vec::new(), secrets: Vec::new() }
        }
    };
    crate::sys::crash_point::reach("step.taken");
    let scan = shop.project.settings.secrets.scan;
    let Judged { outcome, reason, feedback } = decide(&asked, &taken, told.access, scan);
    let document = asked.document.ok().flatten();
    let words = last_words_of(document.as_ref(), &asked.answer.text).to_owned();
    let report = (told.access == Access::Read && document.is_none() && outcome == Outcome::Done)
        .then(|| Document::Report(text::clean(&asked.answer.text)));
    let record = Record {
        attempt: job.work.attempt,
        role: Some(told.role.to_string()),
        chosen: job.chosen.clone(),
        session: asked.answer.session.clone(),
        prompt: Some(told.prompt.digest),
        context: told.prompt.context,
        duration_ms: asked.duration_ms,
        tokens: asked.tokens,
        cost_usd: asked.cost,
        usage: asked.answer.usage,
        calls: asked.calls,
        outcome,
        reason,
        document: document.or(report),
        feedback,
        summary: text::head(text::clean(&words).trim(), SUMMARY_LINES_MAX, SUMMARY_BYTES_MAX),
        changed: taken.changed,
        refused: taken.refused.clone(),
        new_base: job.onto,
        ..Record::begin(
            job.task.id.clone(),
            job.work.phase.clone(),
            Actor::Agent {
                name: player.name().to_owned(),
                adapter: player.adapter().word().to_owned(),
                version: shop.versions.get(player.name()).cloned(),
                model: asked.answer.model.clone().or_else(|| player.model().map(str::to_owned)),
                family: player.family(),
            },
            told.from,
            taken.tree,
            told.started,
        )
    };
    let step = Step { job, from: told.from, code: taken.tree, record, transcript: Some(asked.answer.transcript) };
    let committed = commit(shop, draft, step)?;
    crate::sys::crash_point::reach("step.committed");
    let left = match told.access {
        Access::Write => accept(shop, job, &mut slot, taken.tree, &taken.refused),
        Access::Read => Ok(()),
    };
    match left {
        Ok(()) => slot.clean(),
        // The step is made all the same. Whoever uses the worktree next opens it anew.
        Err(error) => tracing::warn!(%error, task = %job.task.id, "a worktree does not follow the step made in it"),
    }
    Ok(Made::Committed(Box::new(committed)))
}

/// What an agent says it did: the summary of its document if it has one, for the document itself is kept beside it.
fn last_words_of<'a>(document: Option<&'a Document>, answer: &'a str) -> &'a str {
    let summary = match document {
        Some(Document::Plan(plan)) => plan.summary.as_str(),
        Some(Document::Verdict(verdict)) => verdict.summary.as_str(),
        Some(Document::Report(_)) | None => "",
    };
    if summary.trim().is_empty() { answer } else { summary }
}

/// The worktree says from now on that it has what was taken from it.
fn accept(
    shop: &Workshop,
    job: &Job,
    slot: &mut SlotGuard,
    taken: TreeId,
    refused: &[RefusedFile],
) -> Result<(), RunError> {
    let left = shop.project.repository.draft().code_commit(taken, job.base())?;
    slot.accept(left)?;
    crate::sys::crash_point::reach("step.accepted");
    if !refused.is_empty() {
        // They are kept under a salvage ref, and must not be in the way of the next step.
        slot.reset()?;
    }
    Ok(())
}

/// Takes the agent's files; what cannot be taken is named, and kept under a salvage ref before it goes.
fn take(shop: &Workshop, job: &Job, slot: &mut SlotGuard, draft: &mut Draft, before: TreeId) -> Result<Took, RunError> {
    let settings = &shop.project.settings;
    let worktree = slot.path().to_owned();
    let scanner = (&*shop.project.secrets, settings.secrets.scan);
    let inspection = Inspection::new(scanner, &shop.project.repository, before, &worktree);
    let inspect = |path: &str, content: &[u8]| inspection.of(path, content);
    let policy = TakePolicy { file_bytes_max: settings.limits.file_bytes, inspect: Some(&inspect) };
    let taken = slot.take(draft, &policy)?;
    let secrets = inspection.found();
    if !secrets.is_empty() && settings.secrets.scan == SecretScan::Warn {
        let (task, phase) = (&job.task.id, &job.work.phase);
        let message = format!("{task} {phase} wrote what looks like a secret: {}", secrets.join("; "));
        (shop.tell)(RunEvent::Warning { message, hint: None });
    }
    if !taken.refused.is_empty() {
        slot.rescue(&salvage::place(job.task.id.as_str()), &shop.identity, Durability::Full)?;
    }
    let change = |kind| match kind {
        git::ChangeKind::Added => ChangeKind::Added,
        git::ChangeKind::Modified => ChangeKind::Modified,
        git::ChangeKind::Removed => ChangeKind::Deleted,
    };
    let changed = taken.changed.into_iter();
    let refused = taken.refused.into_iter();
    Ok(Took {
        tree: taken.tree,
        changed: changed.map(|file| ChangedFile { path: file.path, change: change(file.kind) }).collect(),
        refused: refused.map(|file| RefusedFile { path: file.path, reason: file.why.to_string() }).collect(),
        secrets,
    })
}

/// What was taken of an agent's files.
struct Took {
    tree: TreeId,
    changed: Vec<ChangedFile>,
    refused: Vec<RefusedFile>,
    /// The secrets in its files, a line a file; they are not among those that were taken unless that is only warned of.
    secrets: Vec<String>,
}

fn decide(asked: &Asked, taken: &Took, access: Access, scan: SecretScan) -> Judged {
    let judged = |outcome, reason: &str, feedback: String| Judged { outcome, reason: reason.to_owned(), feedback };
    match (&asked.answer.ended, &asked.document, access) {
        (EndedAs::Infra(why), ..) => judged(Outcome::Infra, why, String::new()),
        (EndedAs::Cancelled | EndedAs::Limited { .. }, ..) => {
            unreachable!("BUG: a step that was not made is not judged")
        }
        (EndedAs::Failed(why), _, Access::Write) => {
            judged(Outcome::Failed, why, format!("The last attempt ended early: {why}"))
        }
        // A reading step that went wrong says nothing of the work.
        (EndedAs::Failed(why), _, Access::Read) => judged(Outcome::Infra, why, String::new()),
        (EndedAs::Finished, Err(why), _) => {
            judged(Outcome::Infra, &format!("its answer cannot be read, asked twice: {why}"), String::new())
        }
        (EndedAs::Finished, Ok(_), Access::Write) if !taken.secrets.is_empty() && scan == SecretScan::Block => {
            let why = format!("it wrote what looks like a secret: {}", taken.secrets.join("; "));
            judged(Outcome::Failed, &why, secrets::feedback(&taken.secrets))
        }
        (EndedAs::Finished, Ok(_), Access::Write) if taken.changed.is_empty() => {
            let refused: Vec<String> =
                taken.refused.iter().map(|file| format!("{} ({})", file.path, file.reason)).collect();
            let why = if refused.is_empty() {
                "it says that it is finished, but no file changed".to_owned()
            } else {
                format!("no file that may be committed changed; not taken: {}", refused.join(", "))
            };
            judged(Outcome::Failed, &why, format!("The last attempt does not count: {why}"))
        }
        (EndedAs::Finished, Ok(document), _) => match document {
            Some(Document::Verdict(verdict)) => {
                let what = verdict.required_changes.first().map_or("", |change| change.what.as_str());
                match verdict.status {
                    Status::Approved => judged(Outcome::Done, "", String::new()),
                    Status::NeedsChanges => {
                        judged(Outcome::Changes, &text::clean_line(what), context::review_feedback(verdict))
                    }
                    Status::Rejected => {
                        let why = if what.is_empty() { &verdict.summary } else { what };
                        judged(Outcome::Rejected, &text::clean_line(why), context::review_feedback(verdict))
                    }
                }
            }
            Some(Document::Plan(_) | Document::Report(_)) | None => judged(Outcome::Done, "", String::new()),
        },
    }
}
