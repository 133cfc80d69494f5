//! How near to the shortest time the foreman's order comes, beside two simpler ways of working a queue off: simulated time,
//! the decisions of the program. Decides nothing and fails nothing.
//!
//! `cargo bench --bench schedule [-- TASKS_MAX]`. A line is a shape of queue; its numbers are the time that the whole takes over the
//! time that no order could beat, max(critical path, work / workers): in the middle of all worlds, at their 95th percentile,
//! and at worst. That bound leaves out that workers stand idle where a queue is narrow, whatever the order; the second column
//! is the same schedule over one that knows it (`Yard::tight_bound`). Of 10,000 tasks neither noise nor failures are tried.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

#[path = "../tests/sim/dice.rs"]
mod dice;
#[path = "../tests/sim/shapes.rs"]
mod shapes;
#[path = "../tests/sim/yard.rs"]
mod yard;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use dice::Dice;
use git_orchestrate::{
    model::{record::Family, task::Task, workflow::Workflow},
    run::foreman::{Dropped, Entry, Foreman, Happened, Order, Rules},
};
use jiff::tz::TimeZone;
use shapes::SHAPES;
use yard::{Making, Sight, Yard};

/// Queues of this many tasks, and how many of each shape and number of workers.
const SIZES: [(usize, u64); 6] = [(10, 12), (30, 12), (100, 8), (300, 4), (1000, 2), (10_000, 1)];
const WORKERS: [usize; 5] = [1, 2, 4, 8, 16];

const WAYS: [&str; 7] = ["perfect", "tighter bound", "noisy", "as shipped", "first come", "by levels", "20% fail"];
/// Queues of more tasks are worked off by the foreman with perfect estimates, as shipped, and by the simpler ways.
const TASKS_OF_ALL_WAYS: usize = 1000;

fn main() {
    let most = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(usize::MAX);
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); WAYS.len()];
    let (mut deciding, mut open): (BTreeMap<usize, (Duration, u64)>, _) = (BTreeMap::new(), Vec::new());
    println!("{:<16}{}", "", WAYS.map(|way| format!("{way:^19}")).join(""));
    for (name, shape) in SHAPES {
        let mut of_shape: Vec<Vec<f64>> = vec![Vec::new(); WAYS.len()];
        for (count, worlds) in SIZES.into_iter().filter(|(count, _)| *count <= most) {
            for seed in 0..worlds {
                let mut dice = Dice::new(seed * 1000 + count as u64);
                let needs = shape(count, &mut dice);
                let yard = Yard::new(needs.clone(), Making::default(), &mut dice);
                let failing = Yard::new(needs, Making { failures_percent: 20, ..Making::default() }, &mut dice);
                for workers in WORKERS {
                    let bound = yard.bound(workers).as_secs_f64();
                    let begun = Instant::now();
                    let perfect = yard.by_foreman(workers, Sight::Perfect, &mut dice);
                    let of_size = deciding.entry(count).or_default();
                    *of_size = (of_size.0 + begun.elapsed(), of_size.1 + perfect.steps as u64);
                    assert_eq!(perfect.began.len(), count, "each task begins once");
                    open.push(perfect.open / workers as f64);
                    let tight = yard.tight_bound(workers).as_secs_f64();
                    assert!(tight > bound * 0.999, "{name} of {count}: the tight bound is the wider one");
                    let mut add = |way: usize, took: Duration, bound: f64| {
                        let ratio = took.as_secs_f64() / bound;
                        assert!(ratio > 0.999, "{name} of {count} by {workers}, {}: faster than possible", WAYS[way]);
                        of_shape[way].push(ratio);
                    };
                    add(0, perfect.makespan, bound);
                    add(1, perfect.makespan, tight);
                    add(3, yard.by_foreman(workers, Sight::Usual, &mut dice).makespan, bound);
                    add(4, yard.first_come(workers), bound);
                    add(5, yard.by_levels(workers), bound);
                    if count <= TASKS_OF_ALL_WAYS {
                        add(2, yard.by_foreman(workers, Sight::Noisy, &mut dice).makespan, bound);
                        let took = failing.by_foreman(workers, Sight::Perfect, &mut dice).makespan;
                        add(6, took, failing.bound(workers).as_secs_f64());
                    }
                }
            }
        }
        println!("{name:<16}{}", of_shape.iter_mut().map(|ratios| told(ratios)).collect::<String>());
        for (way, ratios) in of_shape.into_iter().enumerate() {
            all[way].extend(ratios);
        }
    }
    println!("{:<16}{}", "all", all.iter_mut().map(|ratios| told(ratios)).collect::<String>());
    open.sort_by(f64::total_cmp);
    println!(
        "\n{} worlds; tasks begun and not landed, per worker: {:.1} in the middle, {:.1} at the 95th percentile",
        all[0].len(),
        open[open.len() / 2],
        open[open.len() * 95 / 100],
    );
    for (count, (took, steps)) in deciding {
        println!(
            "{count:>6} tasks: {:.0} µs to decide on a step and take it in",
            took.as_secs_f64() * 1e6 / steps as f64
        );
    }
    crowd(most.min(10_000));
}

/// Many tasks that could begin, and agents that do one step at a time: what it costs to find nothing to do.
fn crowd(count: usize) {
    let settings =
        "[agents.anna]\nadapter = 'command'\nprogram = 'anna'\nparallel_max = 1\n[roles]\ndefault = 'anna'\n";
    let workflow: Workflow = toml::from_str(include_str!("../src/handoff/workflows/single.toml")).expect("a workflow");
    let workflow = Arc::new(workflow);
    let entries = (0..count).map(|at| {
        let task = Task::new(format!("t{at:05}").parse().expect("an id"), "a task");
        Entry::new(Arc::new(task), Some(workflow.clone()))
    });
    let families = BTreeMap::from([("anna".to_owned(), [Family("one".to_owned())].into())]);
    let rules = Rules { jobs: 16, gates_max: 2, batch_max: 4, until: None, zone: TimeZone::UTC, seed: 1 };
    let settings = Arc::new(toml::from_str(settings).expect("settings"));
    let base = "1".repeat(40).parse().expect("hex");
    let mut foreman = Foreman::new(rules, settings, Arc::new(families), entries.collect(), base);
    let mut orders = foreman.orders(SystemTime::UNIX_EPOCH);
    assert_eq!(orders.len(), 1, "one agent does one step");
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        println!(
            "{count:>6} tasks that wait for an agent: {:.0} µs {what}",
            begun.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64
        );
    };
    timed("for a round of decisions", &mut || {
        let Some(Order::Step(job)) = orders.pop() else { panic!("a step") };
        let (task, phase, agent) = (job.task.id.clone(), job.work.phase.clone(), job.agent.clone());
        foreman.absorb(&Happened::Dropped { slot: job.slot, task, phase, agent, why: Dropped::Cancelled, cost: None });
        orders = foreman.orders(SystemTime::UNIX_EPOCH);
    });
    timed("to look while nothing happens", &mut || assert!(foreman.orders(SystemTime::UNIX_EPOCH).is_empty()));
    timed("to say why the first 200 wait", &mut || assert!(foreman.waiting(200).len() + 1 >= count.min(200)));
}

/// Times that each of those is done.
const ROUNDS: usize = 50;

fn told(ratios: &mut [f64]) -> String {
    ratios.sort_by(f64::total_cmp);
    let at = |percent: usize| ratios[(ratios.len() * percent / 100).min(ratios.len() - 1)];
    format!("  {:.2} {:.2} {:>6.2}  ", at(50), at(95), at(100))
}
