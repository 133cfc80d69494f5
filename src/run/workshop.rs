//! What all workers of a run share: the repository, the key, the slots, the agents, the prompts.
//! Knows nothing of which step is next.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

use super::{
    Project, RunError,
    live::Live,
    salvage,
    setup::{self, Shared, Standing},
    spending::Spending,
};
use crate::{
    agents::player::Player,
    config::{
        parse::JOBS_MAX,
        settings::{Durability, Settings},
    },
    context::{Cache, Templates},
    gate::Remembered,
    git::{Identity, Signer, Slot, Slots},
    model::{object::CommitId, record::Families, task::TaskId},
    report::event::RunEvent,
    sys::{
        file, machine,
        process::{Cancel, Supervisor},
    },
};

/// The files that a task's first commit carries, so that a clone has all it needs.
#[derive(Debug, Clone, Default)]
pub struct Brief {
    /// Path below the root and content.
    pub files: Vec<(String, Vec<u8>)>,
    /// The configuration of this run, which a verdict's commit carries if its branch has another.
    pub config: Vec<u8>,
    /// Whether they go into the next step's commit although it is not the first.
    pub renewed: bool,
}

/// What all workers share.
pub struct Workshop {
    /// The repository and its configuration.
    pub project: Project,
    /// Who commits.
    pub identity: Identity,
    /// Whose key signs.
    pub signer: Signer,
    /// Starts and ends children.
    pub supervisor: Supervisor,
    /// Ends what runs.
    pub cancel: Cancel,
    /// The agents by name.
    pub agents: BTreeMap<String, Player>,
    /// The versions of their programs, as far as they told.
    pub versions: BTreeMap<String, String>,
    /// The prompt templates.
    pub templates: Templates,
    /// What was gathered for prompts.
    pub contexts: Cache,
    /// Gate verdicts of earlier runs.
    pub remembered: Remembered,
    /// What each worker is doing.
    pub live: Live,
    /// What attempts cost that left no step.
    pub spending: Spending,
    /// What tasks' first commits carry.
    pub briefs: Mutex<BTreeMap<TaskId, Brief>>,
    /// What each worktree shares with the user's checkout.
    pub shared: Shared,
    /// The worktrees.
    pub slots: Slots,
    /// One for each worker, made when it is first needed.
    agent_slots: Vec<Mutex<Bench>>,
    /// One for each gate that may run at once, and one for the landing.
    gate_slots: Vec<Mutex<Bench>>,
    /// Held while the worktree of one of them is made before it is needed.
    furnishing: Mutex<()>,
    /// Directories for agents' temporary files.
    pub scratch: PathBuf,
    /// Takes what is to be shown.
    pub tell: Arc<dyn Fn(RunEvent) + Send + Sync>,
}

/// What a workshop is made of besides the project; the rest it finds itself.
pub struct Equipment {
    /// Who commits.
    pub identity: Identity,
    /// Whose key signs.
    pub signer: Signer,
    /// Starts and ends children.
    pub supervisor: Supervisor,
    /// Ends what runs.
    pub cancel: Cancel,
    /// The agents by name.
    pub agents: BTreeMap<String, Player>,
    /// The versions of their programs.
    pub versions: BTreeMap<String, String>,
    /// The files that first commits carry.
    pub briefs: BTreeMap<TaskId, Brief>,
    /// Gates that may run at once.
    pub gates_max: usize,
    /// Takes what is to be shown.
    pub tell: Arc<dyn Fn(RunEvent) + Send + Sync>,
}

impl Workshop {
    /// A workshop for one run.
    ///
    /// # Errors
    /// When our directories cannot be made or a prompt template is wrong.
    pub fn open(project: Project, equipment: Equipment) -> Result<Self, RunError> {
        let templates = match &project.root {
            Some(root) => Templates::with_overrides(&root.join(crate::handoff::layout::PROMPTS))?,
            None => Templates::builtin(),
        };
        let file = |path: PathBuf| move |source| RunError::File { path, what: "cannot be made", source };
        let live_dir = project.local.live();
        let live = Live::begin(&live_dir, JOBS_MAX as usize).map_err(file(live_dir))?;
        let scratch = project.local.scratch();
        std::fs::create_dir_all(&scratch).map_err(file(scratch.clone()))?;
        let slots = Slots::open(&project.repository, &project.worktrees_dir())?.with(project.settings.worktrees.sparse);
        let empty = |count: usize| (0..count).map(|_| Mutex::default()).collect();
        Ok(Self {
            identity: equipment.identity,
            signer: equipment.signer,
            supervisor: equipment.supervisor,
            cancel: equipment.cancel,
            agents: equipment.agents,
            versions: equipment.versions,
            templates,
            contexts: contexts(&project),
            remembered: Remembered::open(project.local.cache().join("gate")),
            live,
            spending: Spending::new(project.local.spending(), sync_of(&project.settings)),
            briefs: Mutex::new(equipment.briefs),
            shared: setup::shared(&project)?,
            slots,
            agent_slots: empty(JOBS_MAX as usize),
            gate_slots: empty(equipment.gates_max + 1),
            furnishing: Mutex::default(),
            scratch,
            tell: equipment.tell,
            project,
        })
    }

    /// The families of the configured agents, by their names.
    pub fn families(&self) -> BTreeMap<String, Families> {
        self.agents.iter().map(|(name, agent)| (name.clone(), agent.families())).collect()
    }

    /// The slot of a worker's agents, at a commit, for a step of this task. Say when it is clean: see [`SlotGuard`].
    ///
    /// # Errors
    /// When the worktree cannot be made or switched.
    pub fn agent_slot(&self, worker: usize, task: &TaskId, at: CommitId) -> Result<SlotGuard<'_>, RunError> {
        let bench = self.agent_slots[worker].lock().unwrap_or_else(PoisonError::into_inner);
        self.ready(bench, &format!("worker-{worker}"), Some(task), at)
    }

    /// A slot where no agent ever works, at a commit; waits until one is free. Say when it is clean: see [`SlotGuard`].
    ///
    /// # Errors
    /// When the worktree cannot be made or switched.
    pub fn gate_slot(&self, at: CommitId) -> Result<SlotGuard<'_>, RunError> {
        let all = self.gate_slots.len();
        let free = self.free_gate_slot(all, |name| self.slots.dir().join(name).exists()).or_else(|| {
            // One that is being made is nearer to its end than another that is not begun.
            drop(self.furnishing());
            self.free_gate_slot(all, |_| true)
        });
        let busy = || (self.gate_slots[0].lock().unwrap_or_else(PoisonError::into_inner), "gate-0".to_owned());
        let (bench, name) = free.unwrap_or_else(busy);
        self.ready(bench, &name, None, at)
    }

    /// Held while a worktree of gates is made that nobody needs yet.
    pub fn furnishing(&self) -> MutexGuard<'_, ()> {
        self.furnishing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of the first `gates` slots of gates that nobody uses and that has no worktree yet, with one at a commit; none if there
    /// is no such slot.
    ///
    /// # Errors
    /// When the worktree cannot be made.
    pub fn new_gate_slot(&self, at: CommitId, gates: usize) -> Result<Option<SlotGuard<'_>>, RunError> {
        let free = self.free_gate_slot(gates, |name| !self.slots.dir().join(name).exists());
        free.map(|(bench, name)| self.ready(bench, &name, None, at)).transpose()
    }

    fn free_gate_slot(&self, most: usize, fits: impl Fn(&str) -> bool) -> Option<(MutexGuard<'_, Bench>, String)> {
        self.gate_slots.iter().take(most).enumerate().find_map(|(i, slot)| {
            let name = format!("gate-{i}");
            let free = match slot.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            };
            free.filter(|_| fits(&name)).map(|free| (free, name))
        })
    }

    /// Removes worktrees in which nothing is being done until there is room on the disk again: of workers before those of
    /// gates, the last first, for it is the first that are used; one of each stays. What is in no commit is saved before. What
    /// was done, a line each.
    pub fn give_back(&self, floor_bytes: u64) -> Vec<String> {
        let mut told = Vec::new();
        let dir = self.slots.dir();
        let has_room = || machine::free_disk_bytes(dir).is_ok_and(|free| free >= floor_bytes);
        for (prefix, benches) in [("worker-", &self.agent_slots), ("gate-", &self.gate_slots)] {
            for (at, bench) in benches.iter().enumerate().skip(1).rev() {
                let name = format!("{prefix}{at}");
                let Ok(bench) = bench.try_lock() else { continue };
                if !dir.join(&name).is_dir() || has_room() {
                    continue;
                }
                match self.remove(bench, &name) {
                    Ok(()) => told.push(format!("gave worktree '{name}' back: the disk is nearly full")),
                    Err(error) => told.push(format!("worktree '{name}' cannot be given back: {error}")),
                }
            }
        }
        told
    }

    fn remove(&self, mut bench: MutexGuard<Bench>, name: &str) -> Result<(), RunError> {
        let left_by = bench.left_by.take();
        let mut slot = match bench.slot.take() {
            Some(slot) => slot,
            None => self.slots.get(name, self.project.head_code_commit()?)?,
        };
        salvage::save(&mut slot, &self.identity, left_by.as_ref().map_or("unknown", TaskId::as_str))?;
        Ok(self.slots.remove(slot)?)
    }

    fn ready<'a>(
        &self,
        mut bench: MutexGuard<'a, Bench>,
        name: &str,
        task: Option<&TaskId>,
        at: CommitId,
    ) -> Result<SlotGuard<'a>, RunError> {
        let mut is_new = false;
        let slot = match bench.slot.take() {
            Some(mut slot) => {
                // One that cannot be switched is not put back: the next step opens it anew, as its files say.
                slot.switch(at)?;
                slot
            }
            None => {
                is_new = !self.slots.dir().join(name).exists();
                let mut slot = self.slots.get(name, at)?;
                slot.set_brought(&self.shared.paths());
                match (is_new, task) {
                    (true, _) => {}
                    (false, Some(_)) => {
                        let left_by = bench.left_by.as_ref().map_or("unknown", TaskId::as_str);
                        slot.prepare(at, &salvage::place(left_by), &self.identity, Durability::Full)?;
                    }
                    // What a check left is nobody's work.
                    (false, None) => {
                        slot.discard()?;
                        slot.switch(at)?;
                    }
                }
                slot
            }
        };
        bench.left_by = task.cloned();
        let standing = match task {
            _ if !is_new && setup::is_done(&self.project, &slot) => Standing::Ready,
            Some(_) if !is_new => Standing::Used,
            Some(_) | None => Standing::Untouched,
        };
        Ok(SlotGuard { bench, slot: Some(slot), is_clean: false, standing })
    }
}

/// Whether what attempts cost must survive a loss of power: only where a budget depends on it.
pub fn sync_of(settings: &Settings) -> file::Sync {
    let budget = &settings.budget;
    let is_limited = [budget.task_usd, budget.day_usd, budget.month_usd].iter().any(Option::is_some);
    match settings.commits.durability {
        Durability::Full if is_limited => file::Sync::Full,
        Durability::Full | Durability::Os => file::Sync::No,
    }
}

/// What was gathered for prompts in a repository.
pub fn contexts(project: &Project) -> Cache {
    Cache::open(project.local.contexts(), project.settings.limits.context_age.0)
}

/// Where a slot stays between two steps.
#[derive(Debug, Default)]
struct Bench {
    /// The slot, if it is open and clean.
    slot: Option<Slot>,
    /// The task whose work may be in its files if it is not.
    left_by: Option<TaskId>,
}

/// A slot in use by one step. Unless it is said to be clean at the end, whoever uses it next opens it anew and keeps what
/// is in it aside: a step that ends early, be it by a panic, leaves nothing to another task.
pub struct SlotGuard<'a> {
    bench: MutexGuard<'a, Bench>,
    slot: Option<Slot>,
    is_clean: bool,
    /// Whether the worktree was set up.
    pub standing: Standing,
}

impl SlotGuard<'_> {
    /// All that is in the worktree is in commits or kept aside.
    pub fn clean(mut self) {
        self.is_clean = true;
    }
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        if self.is_clean {
            self.bench.slot = self.slot.take();
            self.bench.left_by = None;
        }
    }
}

impl std::ops::Deref for SlotGuard<'_> {
    type Target = Slot;
    fn deref(&self) -> &Slot {
        self.slot.as_ref().expect("a guard is made of a slot that is there")
    }
}

impl std::ops::DerefMut for SlotGuard<'_> {
    fn deref_mut(&mut self) -> &mut Slot {
        self.slot.as_mut().expect("a guard is made of a slot that is there")
    }
}
