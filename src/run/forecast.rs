//! What a run would have to do: what collides, what can be done side by side, how long it takes and what it costs.
//! Knows nothing of agents that are installed: it starts nothing and spends nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use rayon::prelude::*;

use super::{
    Project, RunError, history,
    queue::{self, Queued},
};
use crate::{
    context,
    handoff::tasks::{self, QueuedTask},
    model::{
        checkpoint::TaskState,
        money::Money,
        task::{Complexity, Task, TaskId},
        workflow::{PhaseSpec, Workflow},
    },
    plan::{
        Claim, CodeMap, Relation,
        claim::{Guess, Said},
        estimate::{Effort, Outlook, outlook, scale, usual, usual_cpu, usual_memory_bytes},
        pairs,
        schedule::{self, Piece},
    },
    report::{
        claim::{ClaimView, SaidBy, SaysView, TouchView},
        plan::{CodeView, EffortView, FoundView, MakespanView, MeetingView, PlanView, PlannedTask},
    },
    route::{
        self,
        history::{Estimate, History},
    },
};

/// Numbers of workers that are always told.
const WORKERS: [usize; 5] = [1, 2, 4, 8, 16];
/// Steps of one kind that must have been made before they count more than what is usual.
const STEPS_KNOWN_MIN: usize = 3;
/// Guesses of a task that are told.
const GUESSES_TOLD_MAX: usize = 12;
/// Files of a task that are told.
const FILES_TOLD_MAX: usize = 200;

/// How the files of this project's code hang together, at the tip that tasks start from. What cannot be read is as if it were
/// not there: claims are advice.
pub fn code_map(project: &Project) -> CodeMap {
    let tip = project.repository.reference(&project.integration_branch()).ok().flatten();
    let Some(tip) = tip.or_else(|| project.repository.head().ok()?.commit) else { return CodeMap::default() };
    context::code_map(&project.repository, tip, &project.local.cache()).unwrap_or_else(|error| {
        tracing::warn!(%error, "what the code says of files that belong together cannot be read");
        CodeMap::default()
    })
}

/// The claim of a task as it stands.
pub fn claim(queued: &Queued, map: &CodeMap) -> Claim {
    Claim::new(&queued.task, queued.checkpoint.as_ref().and_then(|checkpoint| checkpoint.plan.as_ref()), map)
}

/// What steps take: what they took, else what is usual.
pub struct Prices<'a> {
    project: &'a Project,
    history: History,
    known: std::cell::RefCell<HashMap<(String, String, Complexity), Option<Estimate>>>,
    /// Steps of the history that any estimate stood on.
    stood_on: std::cell::Cell<usize>,
}

impl<'a> Prices<'a> {
    /// Those of this project.
    pub fn new(project: &'a Project) -> Self {
        let history = history::read(project).unwrap_or_else(|error| {
            tracing::debug!(%error, "the history cannot be read");
            History::default()
        });
        Self { project, history, known: Default::default(), stood_on: Default::default() }
    }

    /// What one step of a phase takes.
    pub fn step(&self, spec: &PhaseSpec, task: &Task) -> Effort {
        let time = usual(spec, task.complexity);
        let Some(role) = &spec.role else { return Effort { steps: 1.0, time, ..Effort::default() } };
        let settings = &self.project.settings;
        let agent = route::candidates(settings, role, task).into_iter().next().unwrap_or_default();
        let model = settings.agents.get(&agent).and_then(|agent| agent.model.as_deref());
        let took = self.took(&role.0, &agent, model, task.complexity);
        let usual_tokens = route::estimate::usual_tokens(&role.0);
        let of = |count: u64| (count as f64 * scale(task.complexity)) as u64;
        let usual_cost = model.and_then(|model| route::price::cost(&settings.prices, model, &usual_tokens));
        let usual_cost = usual_cost.map(|cost| Money::micros(of(cost.micros)));
        let cost = took.and_then(|took| took.cost).map(|cost| cost.median).or(usual_cost);
        Effort {
            steps: 1.0,
            time: took.map_or(time, |took| took.time.median),
            tokens: took.map_or_else(|| of(usual_tokens.total()), |took| took.tokens.median),
            cost: cost.unwrap_or(Money::ZERO),
            unpriced: if cost.is_none() { 1.0 } else { 0.0 },
            cpu: took.and_then(|took| took.cpu).map_or_else(|| usual_cpu(time), |cpu| cpu.median),
            // What is seldom passed: memory that is not there is not waited for.
            memory_bytes_max: took
                .and_then(|took| took.memory)
                .map_or_else(|| usual_memory_bytes(task.complexity), |memory| memory.upper),
        }
    }

    /// What such steps took: of the same complexity if there are enough, else of any.
    fn took(&self, role: &str, agent: &str, model: Option<&str>, complexity: Complexity) -> Option<Estimate> {
        if self.history.is_empty() {
            return None;
        }
        let key = (role.to_owned(), agent.to_owned(), complexity);
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        let of = |complexity: Option<Complexity>| {
            let is_it = |trial: &&route::history::Trial| {
                trial.facts.role == role
                    && complexity.is_none_or(|complexity| trial.facts.complexity == complexity)
                    && trial.is_of(agent, model)
            };
            Estimate::of(self.history.trials().filter(is_it)).filter(|estimate| estimate.steps >= STEPS_KNOWN_MIN)
        };
        let took = of(Some(complexity)).or_else(|| of(None));
        self.stood_on.set(self.stood_on.get() + took.map_or(0, |took| took.steps));
        self.known.borrow_mut().insert(key, took);
        took
    }

    /// What is left of a task.
    pub fn outlook(&self, queued: &Queued, workflow: &Workflow) -> Outlook {
        if is_over(queued) {
            return Outlook::default();
        }
        outlook(&queued.task, workflow, queued.checkpoint.as_ref(), &|spec| self.step(spec, &queued.task))
    }
}

fn is_over(queued: &Queued) -> bool {
    matches!(queued.state(), TaskState::Landed | TaskState::Aborted)
}

/// The whole analysis of the named tasks and what they depend on, or of all; `jobs` adds a number of workers.
///
/// # Errors
/// When the queue cannot be read, or a name is no task's. Circles and missing tasks are found, not errors.
pub fn plan(project: &Project, names: &[String], jobs: Option<usize>) -> Result<PlanView, RunError> {
    let queue = queue::load(project)?;
    let found = problems(&queue);
    let chosen: Vec<&Queued> = queue::select_with_needs(&queue, names)?.into_iter().map(|at| &queue[at]).collect();
    let open: Vec<&Queued> = chosen.iter().copied().filter(|queued| !is_over(queued)).collect();
    let map = code_map(project);
    let prices = Prices::new(project);
    let mut workflows: BTreeMap<&str, Option<Workflow>> = BTreeMap::new();
    let mut outlooks = Vec::with_capacity(open.len());
    for queued in &open {
        let name = queued.task.workflow.as_deref().unwrap_or(&project.settings.workflow);
        let own = queued.checkpoint.as_ref().map(|checkpoint| checkpoint.workflow.clone());
        let workflow = match own {
            Some(own) => own,
            None => match workflows.entry(name) {
                std::collections::btree_map::Entry::Occupied(known) => known.get().clone(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    new.insert(Some(queue::workflow(project, &queued.task, None)?)).clone()
                }
            }
            .expect("BUG: a workflow that cannot be read is an error"),
        };
        outlooks.push(prices.outlook(queued, &workflow));
    }
    let claims: Vec<Claim> = open.par_iter().map(|queued| claim(queued, &map)).collect();
    let mut pieces = pieces(&open, &outlooks);
    let needs: Vec<Vec<usize>> = pieces.iter().map(|piece| piece.needs.clone()).collect();
    let meetings = pairs::without_ordered(pairs::meetings(&claims, &map), &needs);
    for (one, other, relation) in &meetings {
        if let Relation::Overlap { .. } = relation {
            pieces[*one].apart.push(*other);
            pieces[*other].apart.push(*one);
        }
    }
    let paths = schedule::paths(&pieces);
    let critical = critical(&pieces, &paths);
    let waves = schedule::waves(&pieces);
    let mut wave_of = vec![None; open.len()];
    for (wave, members) in waves.iter().enumerate() {
        members.iter().for_each(|at| wave_of[*at] = Some(wave + 1));
    }
    let id = |at: usize| open[at].task.id.clone();
    let planned = |at: usize| PlannedTask {
        id: id(at),
        title: open[at].task.title.clone(),
        state: open[at].state(),
        priority: open[at].task.priority,
        complexity: open[at].task.complexity,
        depends_on: open[at].task.depends_on.clone(),
        claim: claim_view(&claims[at], &map),
        effort: effort_view(&outlooks[at].effort),
        path_s: paths[at].as_secs(),
        critical: critical.contains(&at),
        wave: wave_of[at],
    };
    let workers: BTreeSet<usize> = WORKERS.into_iter().chain(jobs).collect();
    let makespans = workers.into_par_iter().map(|workers| {
        let made = schedule::makespan(&pieces, workers);
        MakespanView { workers, time_s: made.time.as_secs(), bound_s: made.bound.as_secs() }
    });
    let tasks: Vec<PlannedTask> = (0..open.len()).map(planned).collect();
    // Of the rounded numbers, so that whoever adds them up comes to the same.
    let total = tasks.iter().fold(EffortView::default(), |sum, task| sum.plus(&task.effort));
    Ok(PlanView {
        tasks,
        over: chosen.len() - open.len(),
        problems: found,
        overlaps: meeting_views(&meetings, &id, true),
        risks: meeting_views(&meetings, &id, false),
        waves: waves.iter().map(|wave| wave.iter().map(|at| id(*at)).collect()).collect(),
        critical_path: critical.iter().map(|at| id(*at)).collect(),
        critical_s: paths.iter().max().map_or(0, Duration::as_secs),
        total,
        history_steps: prices.stood_on.get(),
        makespans: makespans.collect(),
        jobs: jobs.unwrap_or(project.settings.limits.jobs as usize),
        code: CodeView { files: map.paths().len(), ties: map.ties_count() },
    })
}

fn problems(queue: &[Queued]) -> Vec<FoundView> {
    let of = |queued: &Queued| QueuedTask {
        task: queued.task.clone(),
        file: queued.file.0.clone().into(),
        text: queued.file.1.clone(),
    };
    let problems = tasks::Queue { tasks: queue.iter().map(of).collect() }.graph_problems();
    let found = problems.into_iter().map(|problem| FoundView {
        what: problem.what,
        file: problem.file,
        line: problem.line,
        hint: problem.hint,
    });
    found.collect()
}

fn pieces(open: &[&Queued], outlooks: &[Outlook]) -> Vec<Piece> {
    let at: HashMap<&TaskId, usize> = open.iter().enumerate().map(|(at, queued)| (&queued.task.id, at)).collect();
    let needs = |queued: &Queued| -> Vec<usize> {
        // Those that have begun began when all they need had landed.
        let is_begun = queued.checkpoint.is_some();
        queued.task.depends_on.iter().filter(|_| !is_begun).filter_map(|need| at.get(need).copied()).collect()
    };
    open.iter()
        .zip(outlooks)
        .map(|(queued, outlook)| Piece {
            needs: needs(queued),
            apart: Vec::new(),
            time: outlook.effort.time,
            steps: outlook.effort.steps.round() as u32,
            priority: queued.task.priority,
        })
        .collect()
}

/// The longest chain, from its first to its last.
fn critical(pieces: &[Piece], paths: &[Duration]) -> Vec<usize> {
    let mut dependents = vec![Vec::new(); pieces.len()];
    for (at, piece) in pieces.iter().enumerate() {
        piece.needs.iter().for_each(|need| dependents[*need].push(at));
    }
    let longest = |all: &mut dyn Iterator<Item = usize>| {
        all.filter(|at| paths[*at] > Duration::ZERO).min_by_key(|at| (std::cmp::Reverse(paths[*at]), *at))
    };
    let first = longest(&mut (0..pieces.len()));
    std::iter::successors(first, |at| longest(&mut dependents[*at].iter().copied())).collect()
}

fn effort_view(effort: &Effort) -> EffortView {
    EffortView {
        steps: effort.steps.round() as u64,
        time_s: effort.time.as_secs(),
        tokens: effort.tokens,
        cost: effort.cost,
        unpriced: effort.unpriced.round() as u64,
        cpu_s: effort.cpu.as_secs(),
        memory_bytes_max: effort.memory_bytes_max,
    }
}

fn claim_view(claim: &Claim, map: &CodeMap) -> ClaimView {
    let said = |said| match said {
        Said::Declared => SaidBy::Task,
        Said::Planned => SaidBy::Plan,
    };
    let touch = |(at, guess): (u32, &Guess)| TouchView {
        path: map.path(at).to_owned(),
        percent: guess.percent,
        why: guess.reason(at, map),
    };
    let mut may_touch: Vec<TouchView> = claim.guesses().map(touch).collect();
    may_touch.sort_by(|a, b| b.percent.cmp(&a.percent).then_with(|| a.path.cmp(&b.path)));
    may_touch.truncate(GUESSES_TOLD_MAX);
    ClaimView {
        says: claim.says().map(|(glob, by)| SaysView { glob: glob.to_owned(), by: said(by) }).collect(),
        files: claim.writes().iter().take(FILES_TOLD_MAX).map(|at| map.path(*at).to_owned()).collect(),
        may_touch,
    }
}

fn meeting_views(
    meetings: &[(usize, usize, Relation)],
    id: &dyn Fn(usize) -> TaskId,
    are_overlaps: bool,
) -> Vec<MeetingView> {
    let mut views: Vec<MeetingView> = meetings
        .iter()
        .filter_map(|(one, other, relation)| {
            let (percent, why) = match relation {
                Relation::Overlap { why } if are_overlaps => (100, why),
                Relation::Risk { percent, why } if !are_overlaps => (*percent, why),
                Relation::Apart | Relation::Overlap { .. } | Relation::Risk { .. } => return None,
            };
            Some(MeetingView { one: id(*one), other: id(*other), percent, why: why.clone() })
        })
        .collect();
    views.sort_by_key(|view| std::cmp::Reverse(view.percent));
    views
}
