//! What ten thousand finished tasks cost those who look at the queue: `status`, `stats`, `start` until its first step, the
//! first line and the memory of `log`. Decides nothing and fails nothing: timings are for people.
//!
//! `cargo bench --bench finished [-- ROUNDS]`. One task is done by the program itself; the others are its commits again under
//! other names, made with `git fast-import`, so their digests and signatures are its own and would not pass `verify`.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod kit {
    pub mod closed;
    pub mod memory;
    pub mod time;
}

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use kit::{
    closed::{closed, run},
    memory::resident_bytes_max,
    time::{median, ms, timed},
};

/// Finished tasks.
const TASKS: usize = 10_000;
/// Rounds where none are asked for; the median counts.
const ROUNDS_DEFAULT: usize = 7;
/// The task that is really done. Others have names of the same length.
const REAL: &str = "task-00000";

const AGENT: &str = "#!/bin/sh\ncat >/dev/null\nmkdir -p done\necho done >\"done/$GIT_ORCHESTRATE_TASK.txt\"\n";
const CONFIG: &str = "version = 1\nworkflow = \"single\"\n[agents.a]\nadapter = \"command\"\nprogram = \"./agent\"\n\
                      family = \"one\"\n[roles]\ndefault = [\"a\"]\n[[gate.full.check]]\nname = \"true\"\nrun = \"true\"\n";

fn main() {
    let rounds = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(ROUNDS_DEFAULT);
    let root = tempfile::tempdir().expect("a directory");
    let world = World::make(root.path());
    println!("{TASKS} finished tasks, their branches still there");
    world.tell(rounds);
    let branches = world.said(Command::new("git").args(["for-each-ref", "--format=delete %(refname)"]).arg(TASK_REFS));
    world.feed(&["update-ref", "--stdin"], branches.as_bytes());
    println!("the same, their branches removed, as after 'clean'");
    world.tell(rounds);
}

const TASK_REFS: &str = "refs/heads/orchestrate/task/";

struct World {
    root: PathBuf,
    dir: PathBuf,
}

impl World {
    fn make(root: &Path) -> Self {
        let world = Self { root: root.to_owned(), dir: root.join("repository") };
        fs::create_dir_all(world.dir.join(".handoff/tasks")).expect("a directory");
        world.git(&["init", "-q", "-b", "main"]);
        for (key, value) in [("user.name", "Bench"), ("user.email", "bench@example.com")] {
            world.git(&["config", key, value]);
        }
        fs::write(world.dir.join("agent"), AGENT).expect("a file");
        fs::set_permissions(world.dir.join("agent"), fs::Permissions::from_mode(0o755)).expect("it may run");
        world.git(&["add", "agent"]);
        world.git(&["commit", "-q", "-m", "first"]);
        fs::write(world.dir.join(".handoff/config.toml"), CONFIG).expect("a file");
        world.task(0);
        world.ours(&["-q", "start", "--jobs", "1"]);
        world.multiply();
        (1..TASKS).for_each(|n| world.task(n));
        world.git(&["repack", "-adq"]);
        world.git(&["commit-graph", "write", "--reachable"]);
        // As runs leave them: each puts its refs together as soon as there are some hundreds.
        world.git(&["pack-refs", "--all"]);
        world
    }

    fn task(&self, n: usize) {
        let text = format!(
            "title = \"Do the thing number {n} that somebody wanted done\"\ngoal = \"It can be done {n} times.\"\n\
             area = \"area-{}\"\npriority = {}\nacceptance = [\"thing {n} works\", \"thing {n} is tested\"]\n",
            n % 7,
            n % 5
        );
        fs::write(self.dir.join(format!(".handoff/tasks/{}.toml", name(n))), text).expect("a file");
    }

    /// The steps and the landing of the one task, again for every other. Of the line of landings only the last commit has all
    /// their checkpoints; what is between is not looked at.
    fn multiply(&self) {
        let branch = format!("{TASK_REFS}{REAL}");
        let show = |what: &str| self.said(Command::new("git").args(["cat-file", "-p", what]));
        let list = |words: &[&str]| self.said(Command::new("git").args(words));
        let steps = list(&["rev-list", "--reverse", "--first-parent", &format!("main..{branch}")]);
        let message = |commit: &str| {
            let whole = show(commit);
            let (head, message) = whole.split_once("\n\n").expect("a message");
            let who = |word: &str| head.lines().find(|line| line.starts_with(word)).expect("who").to_owned();
            (who("author "), who("committer "), message.to_owned())
        };
        let path = self.root.join("stream");
        let mut out = std::io::BufWriter::new(fs::File::create(&path).expect("a file"));
        let changed = |commit: &str| -> Vec<(String, String)> {
            let names = list(&["diff-tree", "-r", "--name-only", "--no-commit-id", &format!("{commit}^1"), commit]);
            names.lines().map(|name| (name.to_owned(), show(&format!("{commit}:{name}")))).collect()
        };
        let made: Vec<_> = steps.lines().map(|commit| (message(commit), changed(commit))).collect();
        let landing = message("orchestrate/integration");
        let landed: Vec<(String, String)> = changed("orchestrate/integration");
        let main = list(&["rev-parse", "main"]);
        let integration = list(&["rev-parse", "orchestrate/integration"]);
        let mut before = integration.trim().to_owned();
        let mut mark = 0;
        for n in 1..TASKS {
            let renamed = |text: &str| text.replace(REAL, &name(n));
            let mut from = main.trim().to_owned();
            for ((author, committer, message), files) in &made {
                mark += 1;
                writeln!(out, "commit {TASK_REFS}{}\nmark :{mark}\n{author}\n{committer}", name(n)).expect("written");
                data(&mut out, &renamed(message));
                writeln!(out, "from {from}").expect("written");
                for (path, text) in files {
                    writeln!(out, "M 644 inline {}", renamed(path)).expect("written");
                    data(&mut out, &renamed(text));
                }
                from = format!(":{mark}");
            }
            mark += 1;
            let (author, committer, message) = &landing;
            let branch = "refs/heads/orchestrate/integration";
            writeln!(out, "commit {branch}\nmark :{mark}\n{author}\n{committer}").expect("written");
            data(&mut out, &renamed(message));
            writeln!(out, "from {before}\nmerge {from}").expect("written");
            before = format!(":{mark}");
            if n + 1 == TASKS {
                for n in 1..TASKS {
                    for (path, text) in &landed {
                        writeln!(out, "M 644 inline {}", path.replace(REAL, &name(n))).expect("written");
                        data(&mut out, &text.replace(REAL, &name(n)));
                    }
                }
            }
        }
        out.flush().expect("written");
        drop(out);
        let stream = fs::File::open(path).expect("the stream");
        let mut import = Command::new("git");
        import.args(["fast-import", "--quiet", "--force"]);
        run(self.closed(&mut import).stdin(stream));
    }

    fn tell(&self, rounds: usize) {
        let quiet = |words: &[&str]| timed(|| self.ours(words));
        // The first fills the caches.
        println!("{:<44}{:>9.0} ms", "status, nothing remembered", ms(quiet(&["status"])));
        let status = median((0..rounds).map(|_| quiet(&["status"])).collect());
        told("status", status, 100);
        let json = median((0..rounds).map(|_| quiet(&["status", "--json"])).collect());
        told("status --json", json, 100);
        let stats = median((0..rounds).map(|_| quiet(&["stats"])).collect());
        told("stats", stats, 100);
        let first = median((0..rounds).map(|round| self.first_step(round)).collect());
        told("start, until its first step", first, 300);
        let (mut firsts, mut peak, mut all) = (Vec::new(), 0, Duration::ZERO);
        for _ in 0..rounds.min(3) {
            let (first, whole, bytes) = self.log();
            firsts.push(first);
            (peak, all) = (peak.max(bytes), whole);
        }
        println!("{:<44}{:>9.0} ms", "log, until its first line", ms(median(firsts)));
        println!("{:<44}{:>9.0} ms, {:.0} MB at most", "log, all of it", ms(all), peak as f64 / f64::from(1 << 20));
    }

    /// How long it takes from the start until the agent of a new task runs.
    fn first_step(&self, round: usize) -> Duration {
        // The rounds begin anew for the second table, and what has landed is not done again.
        let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
        let id = format!("new-{}-{round}", since.as_millis());
        let begun = self.root.join("begun");
        let _ = fs::remove_file(&begun);
        let agent = format!("#!/bin/sh\n: >'{}'\n{}", begun.display(), AGENT.trim_start_matches("#!/bin/sh\n"));
        fs::write(self.dir.join("agent"), agent).expect("a file");
        let file = self.dir.join(format!(".handoff/tasks/{id}.toml"));
        fs::write(&file, "title = \"New\"\n").expect("a file");
        let began = Instant::now();
        let mut start = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
        let mut child = self.closed(&mut start).args(["-q", "start", "--jobs", "1"]).spawn().expect("a child");
        while !begun.exists() {
            assert!(child.try_wait().expect("a child").is_none(), "it ended before its first step");
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = began.elapsed();
        assert!(child.wait().expect("a child").success());
        took
    }

    /// How long the log takes to its first line and in all, and the most memory it took.
    fn log(&self) -> (Duration, Duration, u64) {
        let began = Instant::now();
        let mut log = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
        let mut child = self.closed(&mut log).arg("log").stdout(Stdio::piped()).spawn().expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        let first = began.elapsed();
        let (mut peak, mut buffer) = (0, vec![0; 1 << 16]);
        while lines.read(&mut buffer).expect("output") > 0 {
            peak = peak.max(resident_bytes_max(child.id()).unwrap_or_default());
        }
        assert!(child.wait().expect("a child").success());
        (first, began.elapsed(), peak)
    }

    fn closed<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        closed(command, &self.root).current_dir(&self.dir).stderr(Stdio::null())
    }

    fn ours(&self, words: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
        run(self.closed(&mut command).args(words));
    }

    fn git(&self, words: &[&str]) {
        let mut command = Command::new("git");
        run(self.closed(&mut command).args(words));
    }

    fn feed(&self, words: &[&str], input: &[u8]) {
        let mut command = Command::new("git");
        let mut child = self.closed(&mut command).args(words).stdin(Stdio::piped()).spawn().expect("git");
        child.stdin.take().expect("it is piped").write_all(input).expect("it reads");
        assert!(child.wait().expect("git").success(), "{words:?}");
    }

    fn said(&self, command: &mut Command) -> String {
        let output = self.closed(command).stdout(Stdio::piped()).output().expect("a program");
        assert!(output.status.success(), "{command:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

fn data(out: &mut dyn Write, text: &str) {
    write!(out, "data {}\n{text}\n", text.len()).expect("written");
}

fn name(n: usize) -> String {
    format!("task-{n:05}")
}

fn told(what: &str, took: Duration, goal_ms: u64) {
    let told = if took <= Duration::from_millis(goal_ms) { "" } else { "  over its goal" };
    println!("{what:<44}{:>9.0} ms, goal {goal_ms} ms{told}", ms(took));
}
