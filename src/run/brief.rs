//! Gathers what a step's prompt is made of, from the tree that the work starts from.
//! Knows nothing of how prompts read; `show --prompt` prints exactly what this returns.

use std::sync::Arc;

use super::{
    Project, RunError,
    commit::step_commit,
    foreman::{Foreman, Job},
    queue::Queued,
    workshop::contexts,
};
use crate::{
    agents::request::Structure,
    context::{self, Cache, Dependency, Files, Prompt, PromptInput, Rule, Templates},
    git::{EntryKind, GitError, Repository},
    handoff::{
        checkpoints, layout, records,
        tasks::{self, Format},
    },
    model::{
        checkpoint::{Checkpoint, Phase},
        machine::State,
        next::{What, Work},
        object::{BlobId, TreeId},
        record::Document,
        task::TaskId,
        workflow::{Access, PhaseId, Product, Role},
    },
};

/// Bytes of the change that a reviewer is shown; the rest it looks at itself.
const DIFF_BYTES_MAX: usize = 120 << 10;

/// A prompt to be made.
pub struct Asking<'a> {
    /// The step.
    pub job: &'a Job,
    /// Who plays it.
    pub role: &'a Role,
    /// What it may do.
    pub access: Access,
    /// The structure of its answer.
    pub structure: Option<Structure>,
    /// The code it starts from.
    pub code: TreeId,
}

struct Tree<'a> {
    repository: &'a Repository,
    tree: TreeId,
}

impl Files for Tree<'_> {
    fn read(&self, path: &str) -> Option<(BlobId, Vec<u8>)> {
        let entry = self.repository.entry(self.tree, path).ok()??;
        let is_file = matches!(entry.kind, EntryKind::File | EntryKind::Executable);
        let blob = is_file.then_some(BlobId(entry.id))?;
        Some((blob, self.repository.blob(blob).ok()?))
    }

    fn list(&self) -> Vec<String> {
        let files = self.repository.files(self.tree).unwrap_or_default();
        files.into_iter().map(|(path, ..)| path).collect()
    }
}

/// The structure that the answer of a phase must have.
pub fn structure(checkpoint: &Checkpoint, phase: &PhaseId) -> Option<Structure> {
    let spec = checkpoint.spec(phase)?;
    match (&spec.reviews, spec.produces) {
        (Some(_), _) => Some(Structure::Verdict),
        (None, Some(Product::Plan)) => Some(Structure::Plan),
        (None, Some(Product::Report) | None) => None,
    }
}

/// The prompt of a step.
///
/// # Errors
/// When a template or a glob of the task is wrong.
pub fn prompt(project: &Project, templates: &Templates, contexts: &Cache, asking: &Asking) -> Result<Prompt, RunError> {
    let Asking { job, role, access, structure, code } = *asking;
    let (repository, checkpoint) = (&project.repository, &job.checkpoint);
    let survey = contexts
        .get("survey", &(code, &job.task.context), || context::survey(&Tree { repository, tree: code }, &job.task))?;
    let phase = checkpoint.phase(&job.work.phase);
    let mut rules = survey.rules;
    rules.extend(project.settings.rules.iter().map(|text| Rule {
        source: layout::CONFIG.to_owned(),
        blob: None,
        text: text.clone(),
    }));
    let step = job.work.phase.plan_step();
    let plan_step = checkpoint.plan.as_ref().and_then(|plan| plan.steps.iter().find(|s| Some(s.id.as_str()) == step));
    let reads_change = access == Access::Read && checkpoint.good > 0;
    let diff = match reads_change {
        true => {
            let base = repository.code_tree(checkpoint.base)?;
            let diff = || repository.diff_text(base, code, DIFF_BYTES_MAX);
            Some(contexts.get("diff", &(base, code, DIFF_BYTES_MAX), diff)?)
        }
        false => None,
    };
    let input = PromptInput {
        task: &job.task,
        checkpoint,
        phase: &job.work.phase,
        role,
        access,
        structure,
        plan_step,
        feedback: phase.map_or(&[], |phase| phase.feedback.as_slice()),
        summaries: summaries(project, contexts, job)?,
        dependencies: dependencies(project, job),
        rules,
        files: survey.files,
        diff,
        plan_json: None,
        base: job.base(),
    };
    let mut prompt = context::prompt(&input, templates)?;
    prompt.cut.extend(survey.missing);
    Ok(prompt.without_secrets(&project.secrets))
}

/// What the phases that this one builds on said at their end.
fn summaries(project: &Project, contexts: &Cache, job: &Job) -> Result<Vec<(PhaseId, String)>, RunError> {
    let (checkpoint, id) = (&job.checkpoint, &job.work.phase);
    let over = checkpoint.phases.iter().filter(|phase| phase.id != *id && phase.state == State::Passed);
    // A plan is given as such, and its review has been heeded.
    let told = over.filter(|phase| {
        checkpoint.spec(&phase.id).is_some_and(|spec| spec.produces != Some(Product::Plan) && spec.reviews.is_none())
    });
    let told = told.filter(|phase| !phase.summary.is_empty());
    told.map(|phase| {
        let is_report = checkpoint.spec(&phase.id).is_some_and(|spec| spec.produces == Some(Product::Report));
        let report = if is_report { report(project, contexts, job, phase)? } else { None };
        Ok((phase.id.clone(), report.unwrap_or_else(|| phase.summary.clone())))
    })
    .collect()
}

/// The whole report of a phase, of which its summary is the beginning; none if its record has none.
fn report(project: &Project, contexts: &Cache, job: &Job, phase: &Phase) -> Result<Option<String>, RunError> {
    let (Some(tip), Some(step)) = (job.tip, phase.step) else { return Ok(None) };
    let prefix = layout::step_prefix(step);
    let entries = project.repository.list(tip, &layout::steps(&job.task.id))?;
    let Some(entry) = entries.into_iter().find(|entry| entry.name.starts_with(&prefix)) else { return Ok(None) };
    let blob = BlobId(entry.id);
    contexts.get("report", &blob, || {
        let text = project.repository.blob(blob)?;
        let record = records::from_json(&String::from_utf8_lossy(&text), &entry.name);
        Ok(record.ok().and_then(|record| match record.document {
            Some(Document::Report(report)) => Some(report),
            Some(Document::Plan(_) | Document::Verdict(_)) | None => None,
        }))
    })
}

fn dependencies(project: &Project, job: &Job) -> Vec<Dependency> {
    job.task.depends_on.iter().filter_map(|id| dependency(project, job, id)).collect()
}

/// What a task that has landed said at its end, as the commit that this one starts from holds it.
fn dependency(project: &Project, job: &Job, id: &TaskId) -> Option<Dependency> {
    let path = layout::checkpoint(id);
    let bytes = project.repository.read(job.base(), &path).ok()??;
    let checkpoint = checkpoints::from_toml(&String::from_utf8_lossy(&bytes), &path).ok()?;
    let last = checkpoint
        .phases
        .iter()
        .rev()
        .find(|phase| !phase.summary.is_empty() && checkpoint.spec(&phase.id).is_some_and(|spec| spec.writes()))?;
    let title = title(project, job, id).unwrap_or_default();
    Some(Dependency { id: id.clone(), title, summary: last.summary.clone() })
}

/// The title of a task, as the commit that this one starts from holds it.
fn title(project: &Project, job: &Job, id: &TaskId) -> Option<String> {
    [Format::Toml, Format::Md].into_iter().find_map(|format| {
        let path = format!("{}/{id}.{}", layout::TASKS, format.extension());
        let bytes = project.repository.read(job.base(), &path).ok()??;
        Some(tasks::parse(&String::from_utf8_lossy(&bytes), &path, format, id).ok()?.title)
    })
}

/// The prompt that a phase of a task would be sent now, or was asked last.
///
/// # Errors
/// [`RunError::Preflight`] for a phase that no agent plays.
pub fn show(project: &Project, foreman: &Foreman, queued: &Queued, phase: &PhaseId) -> Result<Prompt, RunError> {
    let entry = foreman.entry(&queued.task.id).ok_or_else(|| RunError::NotHeld(queued.task.id.clone()))?;
    let checkpoint = foreman.checkpoint(entry);
    let no_agent = || RunError::Preflight {
        what: format!("phase '{phase}' of '{}' is not played by an agent", queued.task.id),
        hint: Some(format!("git orchestrate show {}", queued.task.id)),
    };
    let spec = checkpoint.spec(phase).filter(|_| checkpoint.phase(phase).is_some()).ok_or_else(no_agent)?;
    let role = spec.role.clone().ok_or_else(no_agent)?;
    let (access, from) = (spec.access(), checkpoint.good);
    let templates = match &project.root {
        Some(root) => Templates::with_overrides(&root.join(layout::PROMPTS))?,
        None => Templates::builtin(),
    };
    let attempt = checkpoint.phase(phase).map_or(1, |phase| phase.attempts + 1);
    let structure = structure(&checkpoint, phase);
    let onto = foreman.onto(&checkpoint, phase);
    let commit = match onto {
        Some(onto) => onto,
        None => step_commit(&project.repository, &checkpoint, queued.tip, from)?,
    };
    // Before the first step nobody may have written the tree without our files; with them it reads the same.
    let code = project.repository.code_tree(commit)?;
    let code = match project.repository.files(code) {
        Ok(_) => code,
        Err(GitError::NoObject { .. }) => project.repository.root_tree(commit)?,
        Err(error) => return Err(error.into()),
    };
    let what = What::Agent { role: role.clone(), access, except: Default::default() };
    let job = Job {
        slot: 0,
        task: Arc::new(queued.task.clone()),
        work: Work { phase: phase.clone(), what, from, attempt },
        tip: queued.tip,
        agent: None,
        chosen: String::new(),
        grant: None,
        onto,
        checkpoint,
    };
    prompt(project, &templates, &contexts(project), &Asking { job: &job, role: &role, access, structure, code })
}
