//! A step of a hybrid: a brief by one agent, the work by another, and once more where the files that it left do not parse.
//! To the workflow it is one step: it ends as its last question did. Knows nothing of records or commits.

use std::time::Instant;

use super::{
    RunError,
    agent_step::{Asked, answered, left_of, question},
    foreman::Job,
    parses::{Unparsed, unparsed},
    salvage,
    workshop::Workshop,
};
use crate::{
    agents::{
        hybrid::Hybrid,
        request::{EndedAs, Request, SpendMax},
    },
    config::settings::OutputCheck,
    context,
    git::Slot,
    model::{
        money::Money,
        object::TreeId,
        record::{ModelCall, Purpose},
        workflow::Access,
    },
    route::estimate::price_of,
    text,
};

/// Files that do not parse and are named in the line on why a step failed.
const NAMED_MAX: usize = 3;

/// Asks both. `before` is the code that the step starts from.
///
/// # Errors
/// When the files cannot be read, or what the first of them wrote cannot be kept aside.
pub fn ask(
    shop: &Workshop,
    job: &Job,
    hybrid: &Hybrid,
    slot: &mut Slot,
    before: TreeId,
    request: &Request,
) -> Result<Asked, RunError> {
    let step = Step { shop, job, hybrid, began: Instant::now(), whole: request };
    let brief = step.asked(Purpose::Brief, context::for_a_brief(&request.prompt), None);
    // It was to change nothing; were its changes left there, they would pass for the other's.
    salvage::save(slot, &shop.identity, job.task.id.as_str())?;
    let words = match &brief.answer.ended {
        EndedAs::Finished if !brief.answer.text.trim().is_empty() => brief.answer.text.clone(),
        EndedAs::Finished => return Ok(step.without_brief(brief, "it is empty")),
        EndedAs::Failed(why) | EndedAs::Infra(why) => {
            let why = why.clone();
            return Ok(step.without_brief(brief, &why));
        }
        EndedAs::Limited { .. } | EndedAs::Cancelled => return Ok(brief),
    };
    if step.is_spent(&brief) {
        let mut brief = brief;
        brief.answer.ended = EndedAs::Failed("the brief alone cost what the step may cost".to_owned());
        return Ok(brief);
    }
    let prompt = context::with_brief(&request.prompt, &words);
    let work = step.asked(Purpose::Work, prompt.clone(), Some(brief));
    let is_checked = request.access == Access::Write && hybrid.check == OutputCheck::Syntax;
    if !is_checked || work.answer.ended != EndedAs::Finished {
        return Ok(work);
    }
    let wrong = unparsed(shop, job, slot, before)?;
    if wrong.is_empty() {
        return Ok(work);
    }
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    tracing::info!(task = %job.task.id, phase = %job.work.phase, files = ?lines, "the work is sent back: it does not parse");
    let said = work.answer.text.clone();
    if step.is_spent(&work) {
        let mut work = work;
        work.answer.ended = EndedAs::Failed(told(&wrong, "and the step has cost what it may"));
        return Ok(work);
    }
    let mut mended = step.asked(Purpose::Mend, context::for_mending(&prompt, &lines), Some(work));
    if mended.answer.ended == EndedAs::Finished {
        // What it did is told by the first of its answers, what it mended by the second.
        mended.answer.text = format!("{said}\n\n{}", mended.answer.text);
        let sure: Vec<Unparsed> = unparsed(shop, job, slot, before)?.into_iter().filter(|file| file.is_sure).collect();
        if !sure.is_empty() {
            mended.answer.ended = EndedAs::Failed(told(&sure, "also after being sent back once"));
        }
    }
    Ok(mended)
}

fn told(wrong: &[Unparsed], when: &str) -> String {
    let mut named: Vec<String> = wrong.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if wrong.len() > NAMED_MAX {
        named.push(format!("{} more", wrong.len() - NAMED_MAX));
    }
    let what = text::count(wrong.len(), "file");
    format!("{what} cannot be parsed, {when}: {}", named.join("; "))
}

struct Step<'a> {
    shop: &'a Workshop,
    job: &'a Job,
    hybrid: &'a Hybrid,
    began: Instant,
    /// What the step was asked as a whole.
    whole: &'a Request,
}

impl Step<'_> {
    /// One question, after what was asked before.
    fn asked(&self, purpose: Purpose, prompt: String, first: Option<Asked>) -> Asked {
        let began = Instant::now();
        let agent = self.hybrid.who(purpose);
        let wall = self.whole.wall.saturating_sub(self.began.elapsed());
        let left = first.as_ref().map_or(self.whole.spend_max, |first| left_of(self.whole.spend_max, first));
        let price = price_of(&self.shop.project.settings.prices, agent.model());
        let spend_max = left.map(|limit| SpendMax { price, ..limit });
        let request = Request { prompt, wall, spend_max, ..self.whole.clone() };
        let mut asked = match purpose {
            Purpose::Brief => {
                let request = Request { access: Access::Read, structure: None, ..request };
                question(self.shop, self.job, agent, &request)
            }
            Purpose::Work | Purpose::Mend => answered(self.shop, self.job, agent, &request),
        };
        let model = asked.answer.model.clone().or_else(|| agent.model().map(str::to_owned));
        asked.calls.push(ModelCall {
            purpose,
            agent: agent.name().to_owned(),
            model: model.clone(),
            family: agent.family(),
            duration_ms: began.elapsed().as_millis() as u64,
            tokens: asked.tokens,
            cost_usd: asked.cost,
        });
        let by = model.map_or(String::new(), |model| format!(" ({model})"));
        let heading = format!("== {} by agent '{}'{by} ==\n", purpose.word(), agent.name());
        asked.answer.transcript.splice(0..0, heading.into_bytes());
        match first {
            Some(first) => asked.after(first),
            None => asked,
        }
    }

    /// Whether nothing is left of what the step may cost.
    fn is_spent(&self, asked: &Asked) -> bool {
        left_of(self.whole.spend_max, asked).is_some_and(|limit| !limit.is_free() && limit.usd == Money::ZERO)
    }

    /// A step that ends for want of a brief: nothing can be said of the work.
    fn without_brief(&self, mut brief: Asked, why: &str) -> Asked {
        brief.answer.ended = EndedAs::Infra(format!("no brief by agent '{}': {why}", self.hybrid.brief.name()));
        brief
    }
}
