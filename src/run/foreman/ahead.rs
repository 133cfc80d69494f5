//! The batch that is prepared while another is being gated: put on top of that one and judged, so that it lands at once if that one
//! lands. Knows nothing of merging or gates. What was prepared in vain took a worker that had nothing else to do.

use super::{super::land_step, Foreman, Landing, Order};
use crate::{config::limits::gate_takes, model::task::TaskId};

/// What is prepared, and on what.
#[derive(Debug, Clone)]
pub(super) struct Ahead {
    /// Those that are being gated and have not landed.
    on: Vec<TaskId>,
    /// Those that are to land next.
    next: Vec<Landing>,
    /// Whether it is still being judged.
    is_running: bool,
    /// Whether something of what it stands on did not land: nothing of it is of use.
    is_vain: bool,
}

/// A batch to be prepared.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// What is being gated.
    pub on: Vec<Landing>,
    /// What would land next, if all of that lands.
    pub next: Vec<Landing>,
}

impl Foreman {
    /// Whether a batch is being judged ahead of its time.
    pub(super) fn is_preparing(&self) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.is_running)
    }

    /// Has the next batch prepared while one is being gated and a worker has nothing to do.
    pub(super) fn prepare(&mut self) -> Option<Order> {
        let is_free = self.has_room() && self.gates_running < self.rules.gates_max;
        if self.at_landing.is_empty() || self.ahead.is_some() || !is_free {
            return None;
        }
        let next = self.next_batch(self.rules.batch_max.max(1));
        let profile = |landing: &Landing| land_step::profile(&self.settings, &landing.checkpoint);
        let own = self.at_landing.first().map(profile);
        let is_same = self.at_landing.iter().chain(&next).all(|landing| Some(profile(landing)) == own);
        // What there is only some of is left to what is certain to need it.
        let takes_nothing = own.is_some_and(|own| gate_takes(&self.settings, &own).is_empty());
        if next.is_empty() || !is_same || !takes_nothing {
            self.put_back(&next);
            return None;
        }
        self.gates_running += 1;
        let on = self.at_landing.clone();
        let tasks = on.iter().map(|landing| landing.task.id.clone()).collect();
        self.ahead = Some(Ahead { on: tasks, next: next.clone(), is_running: true, is_vain: false });
        Some(Order::Prepare(Preparation { on, next }))
    }

    /// The batch that was prepared; none: nothing was. While it is still being judged an empty one: what lands next is it.
    pub(super) fn take_prepared(&mut self) -> Option<Vec<Landing>> {
        if self.ahead.as_ref().is_none_or(|ahead| ahead.is_vain) {
            return None;
        }
        if self.is_preparing() {
            return Some(Vec::new());
        }
        self.ahead.take().map(|ahead| ahead.next)
    }

    /// These have landed.
    pub(super) fn ahead_of_landed(&mut self, tasks: &[TaskId]) {
        if let Some(ahead) = &mut self.ahead {
            ahead.on.retain(|task| !tasks.contains(task));
        }
    }

    /// The landing is over: what was prepared on it is of use only if all of it landed.
    pub(super) fn ahead_of_ended(&mut self) {
        let Some(ahead) = &mut self.ahead else { return };
        if ahead.on.is_empty() {
            return;
        }
        ahead.is_vain = true;
        let next = std::mem::take(&mut ahead.next);
        if !ahead.is_running {
            self.ahead = None;
        }
        self.put_back(&next);
    }

    /// What was prepared has been judged, or could not be.
    pub(super) fn was_prepared(&mut self) {
        self.gates_running = self.gates_running.saturating_sub(1);
        if let Some(ahead) = &mut self.ahead {
            ahead.is_running = false;
        }
        if self.ahead.as_ref().is_some_and(|ahead| ahead.is_vain) {
            self.ahead = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::world::{SETTINGS, World};

    const WORKFLOW: &str = "name = 'w'\n[[phase]]\nid = 'write'\nrole = 'implementer'\n\
                            [[phase]]\nid = 'gate'\ngate = 'full'\nneeds = ['write']\non_fail = 'write'\n";

    /// Tasks `a` to `g`, those after `f` with another gate, by seven workers that land two at once; `a b` have been finished, and
    /// their landing is at work.
    #[track_caller]
    fn check_with((jobs, gates_max, settings): (usize, usize, &str), script: &str) {
        let other = WORKFLOW.replace("'full'", "'quick'");
        let tasks =
            ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, if name == "g" { &*other } else { WORKFLOW }));
        let mut world = World::new(World::rules(7, 7, 2), &format!("{SETTINGS}{settings}"), tasks);
        let all = |phase: &str| tasks.map(|(name, _)| format!("{name}/{phase}")).join(" ");
        world.play(&format!("> {}", all("write")));
        for (name, _) in tasks {
            world.happens(&format!("{name}/write done"));
        }
        world.play(&format!("> {}\na/gate done\nb/gate done\n> land a+b", all("gate")));
        world.foreman.set_jobs(jobs);
        world.foreman.rules.gates_max = gates_max;
        world.play(script);
    }

    #[track_caller]
    fn check(script: &str) {
        check_with((7, 7, ""), script);
    }

    #[test]
    fn what_lands_next_is_judged_meanwhile_and_lands_at_once() {
        check(
            "c/gate done
             d/gate done
             e/gate done
             > prepare c+d on a+b
             prepared
             >
             landed a
             landed b
             ended
             > land c+d prepare e on c+d",
        );
        // What is finished later is not put to it.
        check("c/gate done\n> prepare c on a+b\nd/gate done\nprepared\n>\nlanded a b\nended\n> land c prepare d on c");
        check("> \nlanded a b\nended\n>\nc/gate done\n> land c");
    }

    #[test]
    fn what_is_still_being_judged_is_waited_for() {
        let ended = "c/gate done\n> prepare c on a+b\nlanded a b\nended\n>\nd/gate done\n>\n";
        check(&format!("{ended}prepared\n> land c prepare d on c"));
    }

    #[test]
    fn what_stands_on_one_that_did_not_land_is_thrown_away() {
        check("c/gate done\n> prepare c on a+b\nprepared\nlanded a\nended b\n> land b+c");
        check("c/gate done\n> prepare c on a+b\nprepared\nended a b\n> land a+b prepare c on a+b");
        // The judgement that is in vain is not waited for, and nothing else is prepared before it is over.
        check(
            "c/gate done\n> prepare c on a+b\nlanded a\nended b\n> land b+c\nd/gate done\n>\nprepared\n> prepare d on b+c",
        );
        check("c/gate done\n> prepare c on a+b\nlanded a\nended b\n> land b+c\nprepared\nlanded b c\nended\n>");
    }

    #[test]
    fn nothing_is_prepared_that_would_be_in_the_way() {
        // Nobody is free: five gates run, then four.
        check_with((4, 7, ""), "c/gate done\n>");
        check_with((5, 7, ""), "c/gate done\n> prepare c on a+b");
        check_with((7, 4, ""), "c/gate done\n>");
        // Another gate, or one that takes what there is only some of.
        check("g/gate done\n>\nlanded a b\nended\n> land g");
        check("g/gate done\nc/gate done\n>\nd/gate done\npause g\n> prepare c+d on a+b");
        let scarce = "[resources]\ngpu = 9\n[gate.full]\n[[gate.full.check]]\nname = 't'\nrun = 'true'\nresources = { gpu = 1 }\n";
        check_with((7, 7, scarce), "c/gate done\n>\nlanded a b\nended\n> land c");
    }
}
