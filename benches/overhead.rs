//! What orchestrating costs: the same tasks, agent and gate by `git orchestrate` and by the script that an expert writes
//! by hand, one after the other in one run, told as ratios. Decides nothing and fails nothing: timings are for people.
//!
//! `cargo bench --bench overhead [-- ROUNDS]`. The agent is this program under the name `claude`: it appends a line to the
//! file that its prompt names and answers in Claude Code's format, within about a millisecond.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod kit {
    pub mod claude;
    pub mod closed;
    pub mod time;
}

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use kit::{
    claude::{self, MARK},
    closed::{self, closed},
    time::{median, ms, timed},
};

/// Rounds where none are asked for; the median counts.
const ROUNDS_DEFAULT: usize = 3;

/// The script: a worktree a task, the agent, a signed commit, a merge under a lock, side by side by xargs.
const SCRIPT: &str = r#"
set -u
repo=$1 tasks=$2 jobs=$3
trees=$repo.trees
mkdir -p "$trees"
one() {
  tree=$trees/$1
  git -C "$repo" worktree add -q -b "work/$1" "$tree" main || return 1
  (cd "$tree" && claude -p "$2" --output-format json </dev/null >/dev/null) || return 1
  git -C "$tree" add -A && git -C "$tree" commit -q -S -m "$1" || return 1
  (flock 9; git -C "$repo" merge -q --no-ff -S -m "merge $1" "work/$1") 9>"$trees/.lock" || return 1
  git -C "$repo" worktree remove --force "$tree" && git -C "$repo" branch -q -d "work/$1"
}
export -f one
export repo trees
tr '\t\n' '\0\0' <"$tasks" | xargs -0 -n 2 -P "$jobs" bash -c 'one "$@"' _
"#;

struct Case {
    name: &'static str,
    files: usize,
    tasks: usize,
    jobs: usize,
    /// Rounds at most: the script takes minutes where there are many files.
    rounds_max: usize,
    /// The most that this project allows itself, as a share of the script.
    goal: f64,
}

const CASES: [Case; 3] = [
    Case { name: "100 files, 4 workers", files: 100, tasks: 100, jobs: 4, rounds_max: 9, goal: 1.0 / 3.0 },
    Case { name: "100 files, 16 workers", files: 100, tasks: 100, jobs: 16, rounds_max: 9, goal: 1.0 / 3.0 },
    Case { name: "20000 files, 4 workers", files: 20_000, tasks: 100, jobs: 4, rounds_max: 1, goal: 1.0 / 10.0 },
];

fn main() {
    if claude::played() {
        return;
    }
    let rounds = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    let root = tempfile::tempdir().expect("a directory");
    let world = World::make(root.path());
    println!("{:<24}{:>12}{:>14}{:>9}{:>8}", "", "script", "orchestrate", "ratio", "goal");
    for case in &CASES {
        let template = world.template(case.files);
        let (mut script, mut ours) = (Vec::new(), Vec::new());
        for round in 0..rounds.min(case.rounds_max) {
            // Turn and turn about, so that what else the machine does hits both.
            script.push(world.by_script(&template, case, round));
            ours.push(world.by_us(&template, case, round));
        }
        let (script, ours) = (median(script), median(ours));
        let per_task = |time: Duration| ms(time) / case.tasks as f64;
        let ratio = per_task(ours) / per_task(script);
        let told = if ratio <= case.goal { "" } else { "  over its goal" };
        println!(
            "{:<24}{:>9.1} ms{:>11.1} ms{:>9.2}{:>8.2}{told}",
            case.name,
            per_task(script),
            per_task(ours),
            ratio,
            case.goal
        );
    }
}

struct World {
    root: PathBuf,
    path: String,
}

impl World {
    fn make(root: &Path) -> Self {
        let world = Self { root: root.to_owned(), path: claude::path_with_it(root) };
        world.run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(root.join("key")));
        let config = format!(
            "[user]\n\tname = Bench\n\temail = bench@example.com\n\tsigningkey = {}\n[gpg]\n\tformat = ssh\n\
             [commit]\n\tgpgsign = true\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n",
            root.join("key.pub").display()
        );
        fs::write(root.join("gitconfig"), config).expect("a file");
        world
    }

    fn run(&self, command: &mut Command) {
        let config = self.root.join("gitconfig");
        closed::run(closed(command, &self.root).env("PATH", &self.path).env("GIT_CONFIG_GLOBAL", config));
    }

    fn git(&self, repository: &Path, words: &[&str]) {
        self.run(Command::new("git").arg("-C").arg(repository).args(words));
    }

    fn template(&self, files: usize) -> PathBuf {
        let dir = self.root.join(format!("template-{files}"));
        if dir.exists() {
            return dir;
        }
        for n in 0..files {
            let path = dir.join(file(n, files));
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, format!("file {n}\n").repeat(20)).expect("a file");
        }
        self.git(&self.root, &["init", "-q", &dir.to_string_lossy()]);
        self.git(&dir, &["add", "-A"]);
        self.git(&dir, &["commit", "-q", "-m", "all"]);
        self.git(&dir, &["repack", "-adq"]);
        dir
    }

    fn copy(&self, template: &Path, name: &str) -> PathBuf {
        let dir = self.root.join(name).join("repository");
        fs::create_dir_all(dir.parent().expect("a parent")).expect("a directory");
        self.run(Command::new("cp").arg("-a").arg(template).arg(&dir));
        self.git(&dir, &["update-index", "-q", "--refresh"]);
        dir
    }

    fn by_script(&self, template: &Path, case: &Case, round: usize) -> Duration {
        let dir = self.copy(template, &format!("script-{round}"));
        let tasks = dir.with_extension("tasks");
        let lines = (0..case.tasks).map(|n| format!("t{n}\t{MARK}{}\n", edited(n, case)));
        fs::write(&tasks, lines.collect::<String>()).expect("a file");
        let mut script = Command::new("bash");
        script.args(["-c", SCRIPT, "script"]).args([&dir, &tasks]).arg(case.jobs.to_string());
        let took = timed(|| self.run(&mut script));
        self.end(&dir, case, took)
    }

    fn by_us(&self, template: &Path, case: &Case, round: usize) -> Duration {
        let dir = self.copy(template, &format!("ours-{round}"));
        fs::create_dir_all(dir.join(".handoff/tasks")).expect("a directory");
        let config = "version = 1\nworkflow = \"single\"\n[agents.claude]\nadapter = \"claude\"\n\
                      [[gate.full.check]]\nname = \"true\"\nrun = \"true\"\n[commits]\nkey = \"git\"\n";
        fs::write(dir.join(".handoff/config.toml"), config).expect("a file");
        for n in 0..case.tasks {
            let task = format!("title = \"Task {n}\"\ngoal = \"{MARK}{}\"\n", edited(n, case));
            fs::write(dir.join(format!(".handoff/tasks/t{n}.toml")), task).expect("a file");
        }
        let jobs = case.jobs.to_string();
        let program = env!("CARGO_BIN_EXE_git-orchestrate");
        let took = timed(|| {
            self.run(Command::new(program).current_dir(&dir).args(["-q", "start", "--jobs", &jobs]));
            self.run(Command::new(program).current_dir(&dir).args(["-q", "land"]));
        });
        self.end(&dir, case, took)
    }

    /// Every task must be there once; then the copy goes.
    fn end(&self, dir: &Path, case: &Case, took: Duration) -> Duration {
        for n in 0..case.tasks {
            let text = fs::read_to_string(dir.join(edited(n, case))).expect("the file");
            assert_eq!(text.matches("done").count(), 1, "task {n} is there once");
        }
        fs::remove_dir_all(dir.parent().expect("a parent")).expect("removed");
        took
    }
}

/// Where file `n` of so many is.
fn file(n: usize, files: usize) -> String {
    if files <= 1000 { format!("src/f{n}.txt") } else { format!("d{}/m{}/f{n}.txt", n / 200, n / 20 % 10) }
}

/// The file that task `n` changes.
fn edited(n: usize, case: &Case) -> String {
    file(n * 37 % case.files, case.files)
}
