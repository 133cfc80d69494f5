//! Makes the prompt of one step from its parts: bounded, foreign text fenced, what was cut said.
//! Does not know how the parts were found, nor which agent reads it.

use minijinja::{context, value::Value};

use super::{
    ContextError, Dependency, PromptInput, Templates,
    material::{Mark, Material, newest},
};
use crate::{
    agents::request::Structure,
    model::{
        object::Digest,
        plan::{PLAN_STEPS_MAX, PlanStep},
        record::ContextFile,
        workflow::Access,
    },
    text::{bytes, count},
};

/// Bytes a prompt may have.
pub const PROMPT_BYTES_MAX: usize = 464 << 10;
/// Bytes of a task's own words: title, goal, constraints and acceptance criteria.
pub const TASK_BYTES_MAX: usize = 96 << 10;

/// Bytes of one set of rules, and of all together.
const RULE_BYTES_MAX: usize = 16 << 10;
const RULES_BYTES_MAX: usize = 40 << 10;
/// Bytes of the files that are given whole; the others are named.
const FILES_BYTES_MAX: usize = 76 << 10;
/// Bytes that a file's name and fence may take beside it.
const FILE_FENCE_BYTES: usize = 300;
/// Bytes of the names of files that are only named.
const PATHS_BYTES_MAX: usize = 16 << 10;
const DIFF_BYTES_MAX: usize = 60 << 10;
const PLAN_BYTES_MAX: usize = 24 << 10;
const PLAN_STEP_BYTES_MAX: usize = 12 << 10;
/// Bytes of one text of feedback, and of all together.
const FEEDBACK_TEXT_BYTES_MAX: usize = 12 << 10;
const FEEDBACK_BYTES_MAX: usize = 32 << 10;
/// Bytes of one summary, and of all phases' and all dependencies' together.
const SUMMARY_BYTES_MAX: usize = 12 << 10;
const SUMMARIES_BYTES_MAX: usize = 48 << 10;
/// Bytes that are left for the words of the templates, names and fences.
const TEMPLATE_BYTES_SPARE: usize = 12 << 10;

const _: () = assert!(
    TASK_BYTES_MAX
        + RULES_BYTES_MAX
        + FILES_BYTES_MAX
        + PATHS_BYTES_MAX
        + DIFF_BYTES_MAX
        + PLAN_BYTES_MAX
        + PLAN_STEP_BYTES_MAX
        + FEEDBACK_BYTES_MAX
        + 2 * SUMMARIES_BYTES_MAX
        + TEMPLATE_BYTES_SPARE
        <= PROMPT_BYTES_MAX,
    "the parts of a prompt must fit together"
);

/// What an agent is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The text.
    pub text: String,
    /// Its digest.
    pub digest: Digest,
    /// The files whose content stands in it.
    pub context: Vec<ContextFile>,
    /// What was left out for its length, a line each; the prompt says so too.
    pub cut: Vec<String>,
    /// The secrets that are not in it although they were in what it is made of, a line each.
    pub redacted: Vec<String>,
}

/// The prompt of one step.
///
/// # Errors
/// When the task's own words do not fit, or a template fails.
pub fn prompt(input: &PromptInput, templates: &Templates) -> Result<Prompt, ContextError> {
    check_task(input)?;
    let parts = Parts::of(input);
    let template = templates.for_role(input.role);
    let text = templates.fill(template, values(input, &parts))?;
    if text.len() > PROMPT_BYTES_MAX {
        return Err(ContextError::TooLong {
            template: template.to_owned(),
            length: text.len() as u64,
            length_max: PROMPT_BYTES_MAX as u64,
        });
    }
    Ok(Prompt { digest: Digest::of(&text), text, context: parts.context, cut: parts.cut, redacted: Vec::new() })
}

fn check_task(input: &PromptInput) -> Result<(), ContextError> {
    let task = input.task;
    let lines = task.constraints.iter().chain(&task.acceptance).chain(&task.files);
    let length = task.title.len() + task.goal.len() + lines.map(|line| line.len() + "- A100. \n".len()).sum::<usize>();
    if length > TASK_BYTES_MAX {
        let (length, length_max) = (length as u64, TASK_BYTES_MAX as u64);
        return Err(ContextError::TaskTooLong { task: task.id.clone(), length, length_max });
    }
    Ok(())
}

/// The foreign text of a prompt, each piece cut to its size.
#[derive(Default)]
struct Parts {
    rules: Vec<Material>,
    files: Vec<Material>,
    paths: Vec<Material>,
    summaries: Vec<Material>,
    dependencies: Vec<Material>,
    plan: Vec<Material>,
    plan_step: Vec<Material>,
    feedback: Vec<Material>,
    diff: Vec<Material>,
    context: Vec<ContextFile>,
    cut: Vec<String>,
}

impl Parts {
    fn of(input: &PromptInput) -> Self {
        let mut parts = Self::default();
        parts.take_rules(input);
        parts.take_files(input);
        let cut = &mut parts.cut;
        let summaries = input.summaries.iter().map(|(phase, text)| (format!("summary of {phase}"), text.as_str()));
        parts.summaries = newest(summaries.collect(), "summary", SUMMARY_BYTES_MAX, SUMMARIES_BYTES_MAX, cut);
        let dependencies = input.dependencies.iter();
        let name = |d: &Dependency| match d.title.as_str() {
            "" => format!("summary of {}", d.id),
            title => format!("summary of {}: {title}", d.id),
        };
        let dependencies = dependencies.map(|d| (name(d), d.summary.as_str()));
        parts.dependencies = newest(dependencies.collect(), "dependency", SUMMARY_BYTES_MAX, SUMMARIES_BYTES_MAX, cut);
        let plan = input.plan_json.clone().or_else(|| {
            let plan = input.checkpoint.plan.as_ref()?;
            Some(serde_json::to_string_pretty(plan).expect("a plan is plain data"))
        });
        parts.plan.extend(plan.map(|text| Material::new("plan", &text, PLAN_BYTES_MAX, cut)));
        parts
            .plan_step
            .extend(input.plan_step.map(|step| Material::new("plan step", &step_text(step), PLAN_STEP_BYTES_MAX, cut)));
        let feedback = input.feedback.iter().enumerate();
        let feedback = feedback.map(|(i, text)| (format!("feedback {}", i + 1), text.as_str()));
        parts.feedback = newest(feedback.collect(), "feedback text", FEEDBACK_TEXT_BYTES_MAX, FEEDBACK_BYTES_MAX, cut);
        parts.diff.extend(input.diff.as_ref().map(|text| Material::new("diff", text, DIFF_BYTES_MAX, cut)));
        parts
    }

    fn take_rules(&mut self, input: &PromptInput) {
        let mut left = RULES_BYTES_MAX;
        for rule in &input.rules {
            let name = format!("rules of {}", rule.source);
            let mut cut = Vec::new();
            let piece = Material::new(name, &rule.text, RULE_BYTES_MAX, &mut cut);
            if piece.size() > left {
                let (missing, all) = (input.rules.len() - self.rules.len(), input.rules.len());
                self.cut.push(format!("{missing} of {}, the later ones", count(all, "rule file")));
                break;
            }
            left -= piece.size();
            self.cut.append(&mut cut);
            self.rules.push(piece);
            self.context.extend(rule.blob.map(|blob| ContextFile { path: rule.source.clone(), blob }));
        }
    }

    fn take_files(&mut self, input: &PromptInput) {
        let mut left = FILES_BYTES_MAX;
        let mut paths = String::new();
        for file in &input.files {
            match &file.content {
                Some(content) if content.text.len() + FILE_FENCE_BYTES <= left => {
                    left -= content.text.len() + FILE_FENCE_BYTES;
                    let name = format!("file {}", file.path);
                    self.files.push(Material::new(name, &content.text, FILES_BYTES_MAX, &mut self.cut));
                    self.context.push(ContextFile { path: file.path.clone(), blob: content.blob });
                }
                Some(content) => {
                    let size = bytes(content.text.len() as u64);
                    paths.push_str(&format!("{} ({size})\n", crate::text::clean_line(&file.path)));
                }
                None => paths.push_str(&format!("{}\n", crate::text::clean_line(&file.path))),
            }
        }
        if !paths.is_empty() {
            self.paths.push(Material::new("paths", &paths, PATHS_BYTES_MAX, &mut self.cut));
        }
    }

    fn all(&self) -> impl Iterator<Item = &Material> + Clone {
        let texts = self.rules.iter().chain(&self.files).chain(&self.paths).chain(&self.summaries);
        let texts = texts.chain(&self.dependencies).chain(&self.plan).chain(&self.plan_step);
        texts.chain(&self.feedback).chain(&self.diff)
    }
}

/// A plan step as text.
fn step_text(step: &PlanStep) -> String {
    let mut text = format!("{}: {}\n", step.id, step.title);
    for (heading, lines) in [("files", &step.files), ("done when", &step.acceptance)] {
        if !lines.is_empty() {
            text.push_str(&format!("\n{heading}:\n"));
            lines.iter().for_each(|line| text.push_str(&format!("- {line}\n")));
        }
    }
    if !step.detail.trim().is_empty() {
        text.push_str(&format!("\n{}\n", step.detail.trim_end()));
    }
    text
}

/// The variables of templates. What others wrote is a fenced block already, so that no template can forget the fence.
/// [`super::templates`] holds their names.
fn values(input: &PromptInput, parts: &Parts) -> Value {
    let mark = Mark::of(parts.all());
    let blocks = |pieces: &[Material]| pieces.iter().map(|piece| piece.fenced(&mark)).collect::<Vec<_>>();
    let block = |pieces: &[Material]| pieces.first().map(|piece| piece.fenced(&mark));
    let task = input.task;
    let numbered = |prefix: &str, lines: &[String]| -> Vec<Value> {
        let lines = lines.iter().enumerate();
        lines.map(|(i, text)| context!(id => format!("{prefix}{}", i + 1), text => text)).collect()
    };
    let steps = input.checkpoint.plan.as_ref().map(|plan| plan.steps.as_slice()).unwrap_or_default();
    let position = input.plan_step.and_then(|step| steps.iter().position(|other| other.id == step.id));
    context! {
        role => input.role.to_string(),
        phase => input.phase.to_string(),
        attempt => input.checkpoint.phase(input.phase).map_or(1, |phase| phase.attempts + 1),
        writes => input.access == Access::Write,
        answer => match input.structure {
            Some(Structure::Plan) => "plan",
            Some(Structure::Verdict) => "verdict",
            None => "",
        },
        task => context! {
            id => task.id.to_string(),
            title => task.title.as_str(),
            goal => task.goal.as_str(),
            kind => task.kind.as_deref(),
            risk => task.risk.word(),
            area => task.area.as_deref(),
            complexity => task.complexity.word(),
            files => task.files.clone(),
            constraints => task.constraints.clone(),
            acceptance => numbered("A", &task.acceptance),
        },
        plan => block(&parts.plan),
        plan_step => block(&parts.plan_step),
        plan_step_id => input.plan_step.map(|step| step.id.clone()),
        plan_position => position.map(|at| format!("step {} of {}", at + 1, steps.len())),
        plan_steps_max => PLAN_STEPS_MAX,
        rules => blocks(&parts.rules),
        files => blocks(&parts.files),
        paths => block(&parts.paths),
        summaries => blocks(&parts.summaries),
        dependencies => blocks(&parts.dependencies),
        feedback => blocks(&parts.feedback),
        diff => block(&parts.diff),
        base => input.base.short(),
        mark => parts.all().next().map(|_| mark.to_string()),
        cut => parts.cut.clone(),
    }
}
