//! Which of the tasks that claim the same files has them, and who waits for it.
//! Knows nothing of how a claim is made, nor of the order in which tasks are looked at.

use super::{Entry, Foreman, access};
use crate::model::{
    apply::begins_code,
    checkpoint::Checkpoint,
    next::Work,
    object::CommitId,
    workflow::{Access, PhaseId, PhaseSpec},
};

/// How far a task that has begun has come with the files that it claims. Who has come farther has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// There is code of it, or it is being written.
    Wrote,
    /// It was tried, and what came of it does not count; it is tried again.
    Tried,
    /// It only thinks yet: planning and reviewing a plan are in nobody's way.
    Thinks,
}

impl Entry {
    fn hold(&self) -> Hold {
        let spec = |phase: &PhaseId| match (&self.checkpoint, &self.workflow) {
            (Some(checkpoint), _) => checkpoint.spec(phase),
            (None, Some(workflow)) => workflow.phase(phase.spec()),
            (None, None) => None,
        };
        let writes = |phase: &PhaseId| spec(phase).is_some_and(PhaseSpec::writes);
        let Some(checkpoint) = &self.checkpoint else {
            return if self.running.keys().any(writes) { Hold::Wrote } else { Hold::Thinks };
        };
        if checkpoint.good > 0 || self.running.keys().any(writes) {
            return Hold::Wrote;
        }
        // What could not be done at all left nothing behind, in the worktree or in the agent's mind.
        let was_tried = checkpoint.phases.iter().any(|phase| phase.attempts > phase.infra && writes(&phase.id));
        if was_tried { Hold::Tried } else { Hold::Thinks }
    }
}

impl Foreman {
    /// Why a task does not begin: one that has begun says that it changes the same files.
    pub(super) fn overlap(&self, entry: &Entry) -> Option<String> {
        if entry.checkpoint.is_some() || entry.task.files.is_empty() {
            return None;
        }
        self.begun().filter(|other| other.task.id != entry.task.id).find_map(|other| self.waits_for(entry, other))
    }

    /// Why a task that has begun does not write yet: another has the files that both change, as their plans say by now.
    ///
    /// Whoever can write first takes all its files at once, and gives them back when it has landed, is given up or waits for a
    /// person; then it writes on what has landed by now. As nobody waits while it has what others wait for, nobody waits in a
    /// circle. Where both wrote already, they go on: what has been written is not undone because a plan is another now.
    fn writes_after(&self, entry: &Entry) -> Option<String> {
        let turn =
            |entry: &Entry, hold| (hold, std::cmp::Reverse(entry.task.priority), self.graph.place(&entry.task.id));
        let own = entry.hold();
        if entry.checkpoint.is_none() || own == Hold::Wrote {
            return None;
        }
        let has_them = |other: &&Entry| {
            let hold = other.hold();
            hold != Hold::Thinks && turn(other, hold) < turn(entry, own)
        };
        self.begun().filter(has_them).find_map(|other| self.waits_for(entry, other))
    }

    fn waits_for(&self, entry: &Entry, other: &Entry) -> Option<String> {
        self.collision(entry, other).map(|why| format!("waits for {}: {why}", other.task.id))
    }

    /// What the first code of a task is written on, if others have landed since the task began: them too, above all those that
    /// had its files before.
    pub fn onto(&self, checkpoint: &Checkpoint, phase: &PhaseId) -> Option<CommitId> {
        let has_moved = checkpoint.seq > 0 && checkpoint.base != self.integration;
        (has_moved && begins_code(checkpoint, phase)).then_some(self.integration)
    }

    /// Of the work that is next for a task what may be started as far as its files go; and why the rest may not.
    pub(super) fn in_turn(&self, entry: &Entry, mut works: Vec<Work>) -> (Vec<Work>, Option<String>) {
        let writes = |work: &Work| access(work) == Access::Write;
        let why = if works.iter().any(writes) { self.writes_after(entry) } else { None };
        if why.is_some() {
            works.retain(|work| !writes(work));
        }
        (works, why)
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{SETTINGS, World};

    const WORKFLOW: &str = "name = 'w'\n[[phase]]\nid = 'plan'\nrole = 'planner'\nproduces = 'plan'\n\
                            [[phase]]\nid = 'report'\nrole = 'planner'\nproduces = 'report'\nneeds = ['plan']\n\
                            [[phase]]\nid = 'write'\nrole = 'implementer'\nneeds = ['plan']\n";

    /// Tasks by name; `!` gives one priority.
    #[track_caller]
    fn check(tasks: &str, script: &str) {
        let tasks = tasks.split_whitespace().map(|name| (name, WORKFLOW));
        World::new(World::rules(8, 1, 1), SETTINGS, tasks).play(script);
    }

    #[test]
    fn plans_that_name_the_same_file_are_implemented_one_after_another() {
        check(
            "a b",
            "> a/plan b/plan
             b/plan done f.rs
             > b/report b/write
             a/plan done f.rs
             > a/report
             a/report done
             ? a: waits for b: both change 'f.rs'
             >
             b/write done
             >
             b/report done
             > land b
             ? a: waits for b: both change 'f.rs'
             landed b
             ended
             > a/write",
        );
        // At the same time, whoever is first in line.
        check("a b!", "> a/plan b/plan\na/plan done f.rs\nb/plan done f.rs\n> a/report b/report b/write");
        check("a b", "> a/plan b/plan\na/plan done f.rs\nb/plan done g.rs\n> a/report a/write b/report b/write");
        check(
            "a b",
            "> a/plan b/plan
             a/plan done src/
             b/plan done src/b.rs
             > a/report a/write b/report
             b/report done
             ? b: waits for a: 'src/b.rs' and 'src/' may name the same file",
        );
    }

    #[test]
    fn who_was_tried_keeps_the_files_until_a_person_is_asked() {
        let begin = "> a/plan b/plan
                     a/plan done f.rs
                     > a/report a/write
                     b/plan done f.rs
                     > b/report
                     a/report done
                     b/report done
                     a/write failed
                     > a/write\n";
        check("a b!", &format!("{begin}a/write failed\n> a/write\na/write failed\n> b/write"));
        check("a b!", &format!("{begin}pause a\na/write failed\n>\n? b: waits for a: both change 'f.rs'"));
        // What could not be done at all keeps nobody waiting.
        check(
            "a b!",
            "> a/plan b/plan
             a/plan done f.rs
             > a/report a/write
             b/plan done f.rs
             > b/report
             a/write infra
             > b/write
             a/report done
             ? a: waits for b: both change 'f.rs'",
        );
    }
}
