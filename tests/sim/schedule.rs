//! The order of the foreman, in simulated time: how near it comes to what no order could beat, and that nobody waits for ever.
//! The whole table is `cargo bench --bench schedule`.

use std::time::Duration;

use super::{
    dice::Dice,
    shapes::SHAPES,
    yard::{Making, Sight, Yard},
};

/// In the middle of all worlds, and at their 95th percentile.
fn spread(ratios: &mut [f64]) -> (f64, f64) {
    ratios.sort_by(f64::total_cmp);
    (ratios[ratios.len() / 2], ratios[ratios.len() * 95 / 100])
}

#[test]
fn the_order_comes_near_to_what_no_order_could_beat() {
    let mut ratios: [Vec<f64>; 6] = Default::default();
    for (name, shape) in SHAPES {
        let worlds = [12, 70].into_iter().flat_map(|count| [1, 2, 4, 8].map(|workers| (count, workers)));
        for (count, workers) in worlds {
            let mut dice = Dice::new(count as u64);
            let needs = shape(count, &mut dice);
            let yard = Yard::new(needs.clone(), Making::default(), &mut dice);
            let bound = yard.bound(workers);
            let failing = Yard::new(needs, Making { failures_percent: 20, ..Making::default() }, &mut dice);
            let perfect = yard.by_foreman(workers, Sight::Perfect, &mut dice).makespan;
            let took = [
                (perfect, bound),
                (perfect, yard.tight_bound(workers)),
                (yard.by_foreman(workers, Sight::Usual, &mut dice).makespan, bound),
                (failing.by_foreman(workers, Sight::Noisy, &mut dice).makespan, failing.bound(workers)),
                (yard.first_come(workers), bound),
                (yard.by_levels(workers), bound),
            ];
            for (ratios, (took, bound)) in ratios.iter_mut().zip(took) {
                let ratio = took.as_secs_f64() / bound.as_secs_f64();
                assert!(ratio > 0.999, "{name} of {count}: faster than possible");
                ratios.push(ratio);
            }
        }
    }
    let [perfect, tight, usual, failing, first_come, by_levels] = ratios.each_mut().map(|ratios| spread(ratios));
    assert!(perfect.0 <= 1.05 && perfect.1 <= 1.15, "with perfect estimates: {perfect:?}");
    assert!(tight.0 <= 1.005 && tight.1 <= 1.02, "where it is known what must stay idle: {tight:?}");
    assert!(usual.0 <= 1.05 && usual.1 <= 1.2, "as shipped: {usual:?}");
    assert!(failing.0 <= 1.1 && failing.1 <= 1.3, "where steps fail and estimates are wrong: {failing:?}");
    for simpler in [first_come, by_levels] {
        assert!(perfect.0 <= simpler.0 && perfect.1 < simpler.1, "a simpler way is better: {simpler:?}");
    }
}

#[test]
fn a_few_at_a_time_are_brought_to_their_end() {
    let mut dice = Dice::new(7);
    let yard = Yard::new(vec![Vec::new(); 60], Making::default(), &mut dice);
    let run = yard.by_foreman(4, Sight::Perfect, &mut dice);
    assert!(run.steps >= 120, "{} steps for 60 tasks", run.steps);
    assert!(run.open <= 8.0, "{} tasks are open at once", run.open);
    assert!(run.makespan <= yard.bound(4) + Duration::from_secs(600), "and still no worker waits for work");
}

#[test]
fn a_task_that_collides_with_all_others_is_not_put_off_to_the_end() {
    let mut dice = Dice::new(3);
    let making = Making { wide: Some(20), ..Making::default() };
    let yard = Yard::new(vec![Vec::new(); 60], making, &mut dice);
    let run = yard.by_foreman(4, Sight::Perfect, &mut dice);
    let turn = run.began.iter().position(|at| *at == 20).expect("it began");
    let before: Vec<usize> = run.began[..turn].to_vec();
    assert!(before.len() < 50, "{} tasks began before it", before.len());
}

#[test]
fn what_there_is_only_some_of_is_never_used_by_more_and_never_idle() {
    let mut dice = Dice::new(5);
    let making = Making { some_of: Some(2), ..Making::default() };
    let yard = Yard::new(vec![Vec::new(); 20], making, &mut dice);
    let run = yard.by_foreman(6, Sight::Perfect, &mut dice);
    let ratio = run.makespan.as_secs_f64() / yard.bound(2).as_secs_f64();
    assert!((0.999..1.1).contains(&ratio), "two at once are as good as two workers: {ratio}");
}
