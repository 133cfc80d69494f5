//! What proving costs: histories of 1,000 and 10,000 signed steps, made here, judged from the first to the last; then asked
//! about again, and beside that git's own look at the signatures alone. Fails nothing: timings are for people.
//!
//! `cargo bench --bench verify [-- STEPS...]`

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod steps;

use std::{
    env,
    time::{Duration, Instant},
};

use git_orchestrate::{
    audit::{Audit, Protected, Scope, Trust},
    gate::Definition,
    git::Repository,
};
use steps::{STEPS_A_TASK, World, git};

/// Steps where none are asked for.
const STEPS_DEFAULT: [usize; 2] = [1_000, 10_000];
/// Commits whose signatures git looks at.
const BY_GIT: usize = 100;

fn main() {
    let asked: Vec<usize> = env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    println!("{:>7} {:>12} {:>14} {:>12} {:>22}", "steps", "all", "a step", "again", "git's %G? a commit");
    for steps in if asked.is_empty() { STEPS_DEFAULT.to_vec() } else { asked } {
        let dir = tempfile::tempdir().expect("a directory");
        let world = World::make(dir.path());
        let tasks = steps.div_ceil(STEPS_A_TASK as usize);
        let tips = (0..tasks).map(|number| world.task(number)).collect();
        let scope = Scope { tips, without: Vec::new() };
        let first = judge(&world, &scope, steps);
        let again = judge(&world, &scope, steps);
        let git = by_git(&world, &scope);
        println!(
            "{steps:>7} {:>9.0} ms {:>11.3} ms {:>9.0} ms {:>19.1} ms",
            first.as_secs_f64() * 1e3,
            first.as_secs_f64() * 1e3 / steps as f64,
            again.as_secs_f64() * 1e3,
            git.as_secs_f64() * 1e3 / BY_GIT as f64,
        );
    }
}

/// How long it takes to judge everything; all of it must be right.
fn judge(world: &World, scope: &Scope, steps: usize) -> Duration {
    let began = Instant::now();
    let repository = Repository::discover(&world.place).expect("a repository");
    let keys = world.place.with_file_name("signers");
    let trust = Trust::gather(&repository, Some(&keys), None, &[]).expect("keys");
    let protected = Protected::of(&Default::default()).expect("globs");
    let audit = Audit::new(&repository, &trust, &protected, Definition::text_of);
    let view = audit.remembering(&world.place.with_file_name("cache")).judge(scope);
    assert!(view.findings.is_empty() && view.counts().0 >= steps, "{:#?}", view.findings.first());
    began.elapsed()
}

/// How long git takes to look at signatures.
fn by_git(world: &World, scope: &Scope) -> Duration {
    let began = Instant::now();
    let keys = format!("gpg.ssh.allowedSignersFile={}", world.place.with_file_name("signers").display());
    let tips: Vec<String> = scope.tips.iter().map(|tip| tip.commit.to_string()).collect();
    let count = BY_GIT.to_string();
    let mut words = vec!["-c", &keys, "log", "--format=%G?", "-n", &count];
    words.extend(tips.iter().take(BY_GIT).map(String::as_str));
    let said = git(&world.place, &words);
    assert!(said.lines().all(|line| line == "G"), "{said}");
    began.elapsed()
}
