//! What a repository of 50,000 files costs: a worker made ready for its next task, a step committed, a whole run; each by
//! git's own commands and by us, turn and turn about in one run. Decides nothing and fails nothing: timings are for people.
//!
//! `cargo bench --bench large [-- ROUNDS]`. Everything is made with `git fast-import` in a directory of its own.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod kit {
    pub mod claude;
    pub mod closed;
    pub mod memory;
    pub mod time;
}

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use git_orchestrate::{
    config::settings::Durability,
    git::{CommitDraft, Identity, RefMove, Repository, Signer, Slot, Slots, TakePolicy, When},
};
use kit::{
    claude::{self, MARK},
    closed::{closed, run},
    memory::resident_bytes_max,
    time::{median, ms, timed},
};

/// Files in the repository.
const FILES: usize = 50_000;
/// Files in which two tasks differ.
const DIFFERING: usize = 100;
/// Files that an agent changes in a step.
const CHANGED: usize = 3;
/// Tasks of the whole run.
const TASKS: usize = 40;
/// Rounds where none are asked for; the median counts.
const ROUNDS_DEFAULT: usize = 9;
/// Rounds of what takes git many seconds.
const SLOW_ROUNDS: usize = 2;
fn main() {
    if claude::played() {
        return;
    }
    let rounds = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    let root = tempfile::tempdir().expect("a directory");
    let world = World::make(root.path());
    println!("{FILES} files");
    println!("{:<44}{:>12}{:>12}{:>9}{:>9}", "", "git", "we", "ratio", "goal");
    worker_ready(&world, rounds);
    step(&world, rounds);
    whole_run(&world);
}

/// A line of the table.
fn tell(what: &str, git: Duration, we: Duration, goal: &str, is_met: bool) {
    let told = if is_met { "" } else { "  over its goal" };
    println!("{what:<44}{:>9.1} ms{:>9.1} ms{:>9.3}{goal:>9}{told}", ms(git), ms(we), ms(we) / ms(git));
}

/// From the commit of one task to that of another, in which 100 files are different.
fn worker_ready(world: &World, rounds: usize) {
    let slots = Slots::open(&world.repository(), &world.root.join("slots")).expect("slots");
    let commit = |n: usize| world.repository().resolve(&format!("task-{}", n % 2)).expect("a task's commit");
    let mut slot = slots.get("worker-0", commit(0)).expect("a slot");
    let tree = world.root.join("switched");
    world.git(&world.dir, &["worktree", "add", "-q", "--detach", &tree.to_string_lossy(), "task-0"]);
    let (mut by_switch, mut by_us, mut by_add, mut cold) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        let to = format!("task-{}", round % 2);
        by_switch.push(timed(|| world.git(&tree, &["switch", "-q", "--detach", &to])));
        by_us.push(timed(|| drop(slot.switch(commit(round)).expect("switched"))));
    }
    for round in 0..SLOW_ROUNDS.min(rounds) {
        let new = world.root.join(format!("added-{round}"));
        by_add.push(timed(|| {
            world.git(&world.dir, &["worktree", "add", "-q", "--detach", &new.to_string_lossy(), "task-1"]);
        }));
        world.git(&world.dir, &["worktree", "remove", "--force", &new.to_string_lossy()]);
    }
    drop(slot);
    for round in 0..rounds {
        cold.push(timed(|| {
            let mut slot = slots.get("worker-0", commit(round)).expect("a slot");
            let by = identity();
            slot.prepare(commit(round), "refs/orchestrate/salvage/t", &by, Durability::Full).expect("prepared");
        }));
    }
    let (by_switch, by_us, by_add, cold) = (median(by_switch), median(by_us), median(by_add), median(cold));
    let soon = by_us < Duration::from_millis(100);
    tell("worker ready, 100 differ | git worktree add", by_add, by_us, "100 ms", soon);
    tell("                         | git switch", by_switch, by_us, "100 ms", soon);
    tell("the same, first step of a new run | git switch", by_switch, cold, "", true);
}

/// An agent has changed three files: they become a signed commit, and the worktree says so.
fn step(world: &World, rounds: usize) {
    let repository = world.repository();
    let signer = Signer::from_git(&repository).expect("a key");
    let slots = Slots::open(&repository, &world.root.join("slots")).expect("slots");
    let start = repository.resolve("task-0").expect("a commit");
    let mut slot = slots.get("worker-1", start).expect("a slot");
    let tree = world.root.join("committed");
    world.git(&world.dir, &["worktree", "add", "-q", "--detach", &tree.to_string_lossy(), "task-0"]);
    let (mut by_git, mut by_us) = (Vec::new(), Vec::new());
    let mut tip = None;
    for round in 0..=rounds {
        change(&tree, round);
        let git = timed(|| {
            world.git(&tree, &["add", "-A"]);
            world.git(&tree, &["commit", "-q", "-S", "-m", "a step"]);
        });
        change(slot.path(), round);
        let us = timed(|| tip = Some(commit(&repository, &signer, &mut slot, tip)));
        // The first step of each looks at everything; every later one is like the next.
        if round > 0 {
            by_git.push(git);
            by_us.push(us);
        }
    }
    let (by_git, by_us) = (median(by_git), median(by_us));
    tell("a step's commit | git add -A && git commit -S", by_git, by_us, "0.333", by_us * 3 <= by_git);
    let mut full = Vec::new();
    for round in 0..rounds {
        change(slot.path(), round);
        full.push(timed(|| assert!(slot.full_check().expect("looked at"), "the watch missed a change")));
    }
    tell("the full check | git add -A && git commit -S", by_git, median(full), "", true);
}

fn commit(
    repository: &Repository,
    signer: &Signer,
    slot: &mut Slot,
    from: Option<git_orchestrate::model::object::CommitId>,
) -> git_orchestrate::model::object::CommitId {
    let mut draft = repository.draft();
    let policy = TakePolicy { file_bytes_max: 10 << 20, inspect: None };
    let taken = slot.take(&mut draft, &policy).expect("taken");
    assert_eq!(taken.changed.len(), CHANGED, "all of them and nothing else");
    let parent = from.unwrap_or(slot.head());
    let step = CommitDraft {
        tree: taken.tree,
        parents: vec![parent],
        author: identity(),
        committer: identity(),
        message: "a step\n".to_owned(),
        time: When::now(),
    };
    let step = draft.commit(step, Some(signer)).expect("signed");
    let code = draft.code_commit(taken.tree, parent).expect("a commit to check out");
    let moved = RefMove { name: "refs/heads/bench".to_owned(), from, to: step, reason: "a step".to_owned() };
    repository.publish(draft.objects(), vec![moved], Durability::Full).expect("published");
    slot.accept(code).expect("accepted");
    slot.flush().expect("written");
    step
}

/// What an agent does: two files changed, a new one.
fn change(dir: &Path, round: usize) {
    for n in 1..CHANGED {
        let path = dir.join(file((round * 7919 + n * 104_729) % FILES));
        let mut text = fs::read(&path).expect("a file");
        text.extend_from_slice(format!("round {round}\n").as_bytes());
        fs::write(path, text).expect("written");
    }
    fs::write(dir.join(format!("d0/new-{round}.txt")), "new\n").expect("written");
}

/// Tasks from the first look to the landing, with an agent that returns at once.
fn whole_run(world: &World) {
    let dir = &world.dir;
    fs::create_dir_all(dir.join(".handoff/tasks")).expect("a directory");
    let config = "version = 1\nworkflow = \"single\"\n[agents.claude]\nadapter = \"claude\"\n\
                  [[gate.full.check]]\nname = \"true\"\nrun = \"true\"\n[commits]\nkey = \"git\"\n";
    fs::write(dir.join(".handoff/config.toml"), config).expect("a file");
    let queue = |name: &str, tasks: usize| {
        for n in 0..tasks {
            // A line may be added to a file of Python, and it still is one.
            let path = file(n * 111 + 1);
            let task = format!("title = \"Task {n}\"\ngoal = \"{MARK}{path}\"\nfiles = [\"{path}\"]\n");
            fs::write(dir.join(format!(".handoff/tasks/{name}{n}.toml")), task).expect("a file");
        }
    };
    let start = |name: &str, tasks: usize| {
        queue(name, tasks);
        world.watched(&["-q", "start", "--yes", "--jobs", "4"])
    };
    // The worktrees are made in the first, and the code is read.
    let (first, first_peak) = start("first-", 4);
    let (took, peak) = start("t", TASKS);
    queue("planned-", TASKS);
    let (planned, plan_peak) = world.watched(&["plan", "--json"]);
    println!("first 4 tasks with 4 new worktrees: {:.1} s", first.as_secs_f64());
    println!("{TASKS} tasks, 4 workers: {:.1} ms a task", ms(took) / TASKS as f64);
    println!("plan of {TASKS} tasks: {:.0} ms", ms(planned));
    for (what, peak) in [("first tasks, with the code read", first_peak), ("tasks", peak), ("plan", plan_peak)] {
        let told = if peak < 200 << 20 { "" } else { "  over its goal" };
        println!("memory at most, {what}: {:.1} MB, goal 200 MB{told}", peak as f64 / f64::from(1 << 20));
    }
}

fn identity() -> Identity {
    Identity { name: "Bench".to_owned(), email: "bench@example.com".to_owned() }
}

/// A repository with `main` and the branches `task-0` and `task-1`, which differ from each other in 100 files.
struct World {
    root: PathBuf,
    dir: PathBuf,
    path: String,
}

impl World {
    fn make(root: &Path) -> Self {
        let path = claude::path_with_it(root);
        let world = Self { root: root.to_owned(), dir: root.join("repository"), path };
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(root.join("key")));
        world.git(root, &["init", "-q", "-b", "main", &world.dir.to_string_lossy()]);
        for (key, value) in [
            ("user.name", "Bench"),
            ("user.email", "bench@example.com"),
            ("user.signingKey", &*root.join("key.pub").to_string_lossy()),
            ("gpg.format", "ssh"),
            ("advice.detachedHead", "false"),
        ] {
            world.git(&world.dir, &["config", key, value]);
        }
        world.import();
        world.git(&world.dir, &["reset", "-q", "--hard", "main"]);
        world
    }

    /// As many files as a large project has, in directories of 20.
    fn import(&self) {
        let stream = self.root.join("stream");
        let mut out = std::io::BufWriter::new(fs::File::create(&stream).expect("a file"));
        let who = "committer Bench <bench@example.com> 1700000000 +0000";
        let file_of = |n: usize, more: &str| {
            let text = text(n) + more;
            format!("M 644 inline {}\ndata {}\n{text}\n", file(n), text.len())
        };
        let all: String = (0..FILES).map(|n| file_of(n, "")).collect();
        write!(out, "commit refs/heads/main\nmark :1\n{who}\ndata 3\nall\n{all}\n").expect("written");
        for task in 0..2 {
            let changed: String = (0..DIFFERING).map(|n| file_of(n * 487 % FILES, &format!("task {task}\n"))).collect();
            write!(out, "commit refs/heads/task-{task}\n{who}\ndata 4\ntask\nfrom :1\n{changed}\n").expect("written");
        }
        out.flush().expect("written");
        drop(out);
        let stream = fs::File::open(stream).expect("the stream");
        let mut import = Command::new("git");
        import.arg("-C").arg(&self.dir).args(["fast-import", "--quiet"]);
        run(closed(&mut import, &self.root).stdin(stream));
    }

    fn repository(&self) -> Repository {
        Repository::discover(&self.dir).expect("a repository")
    }

    /// Runs ourselves, and says how long that took and how much memory.
    fn watched(&self, words: &[&str]) -> (Duration, u64) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
        let command = closed(&mut command, &self.root).env("PATH", &self.path).current_dir(&self.dir).args(words);
        let began = Instant::now();
        let mut child = command.spawn().expect("a program that starts");
        let mut peak = 0;
        let status = loop {
            peak = peak.max(resident_bytes_max(child.id()).unwrap_or_default());
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        assert!(status.success(), "{words:?}: {status}");
        (began.elapsed(), peak)
    }

    fn git(&self, dir: &Path, words: &[&str]) {
        run(closed(&mut Command::new("git"), &self.root).arg("-C").arg(dir).args(words));
    }
}

/// Where file `n` is. Of three files one is Rust, one Python, one TypeScript.
fn file(n: usize) -> String {
    format!("{}.{}", module(n).join("/"), ["rs", "py", "ts"][n % 3])
}

fn module(n: usize) -> [String; 3] {
    [format!("d{}", n / 400), format!("m{}", n / 20 % 20), format!("f{n}")]
}

/// What file `n` says: it imports two others of its language.
fn text(n: usize) -> String {
    let import = |n: usize| match n % 3 {
        0 => format!("use crate::{};\n", module(n).join("::")),
        1 => format!("from {} import x\n", module(n).join(".")),
        _ => format!("import {{ x as x{n} }} from '../../{}';\n", module(n).join("/")),
    };
    let others = [7, 13].map(|step| n % 3 + n * step / 9 * 3 % (FILES / 3 * 3));
    let comment = if n % 3 == 1 { "#" } else { "//" };
    others.map(import).concat() + &format!("{comment} file {n} {}\n", n * 2_654_435_761 % 1_000_003).repeat(20)
}
