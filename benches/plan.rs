//! How long it takes to say what touches what, over a large repository and long queues: with nothing remembered, with everything,
//! and in a run that holds the claims of all against each other. Decides nothing and fails nothing: timings are for people.
//!
//! `cargo bench --bench plan [-- FILES TASKS OPEN]`. The repository has as many Rust, Python and TypeScript files that import
//! each other, and 600 commits that change a few of them each. OPEN is the number of tasks of the longest queue.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

mod kit {
    pub mod closed;
    pub mod time;
}

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use git_orchestrate::{
    config::settings::Settings,
    context::code_map,
    git::Repository,
    model::{object::CommitId, record::Families, task::Task, workflow::Workflow},
    plan::CodeMap,
    run::foreman::{Entry, Foreman, Rules},
};
use jiff::tz::TimeZone;
use kit::{
    closed::{closed, run},
    time::{median, ms, timed},
};

const FILES_DEFAULT: usize = 20_000;
const TASKS_DEFAULT: usize = 1000;
const OPEN_DEFAULT: usize = 10_000;
const WORKERS: usize = 8;
const COMMITS: usize = 600;
/// Rounds with everything remembered; the median counts.
const ROUNDS: usize = 5;
/// Programs that are there everywhere; they are asked for their version only.
const CONFIG: &str = "version = 1
[agents.a]
adapter = \"command\"
program = \"true\"
family = \"one\"
[agents.b]
adapter = \"command\"
program = \"true\"
family = \"two\"
[roles]
default = \"a\"
plan-reviewer = \"b\"
code-reviewer = \"b\"
[[gate.full.check]]
name = \"nothing\"
run = \"true\"
";
const SINGLE: &str = include_str!("../src/handoff/workflows/single.toml");

fn main() {
    let mut numbers = env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let files = numbers.next().unwrap_or(FILES_DEFAULT);
    let tasks = numbers.next().unwrap_or(TASKS_DEFAULT);
    let open = numbers.next().unwrap_or(OPEN_DEFAULT);
    let home = tempfile::tempdir().expect("a directory");
    let repository = home.path().join("repo");
    make(&repository, files);
    println!("{files} files, what hangs together");
    let (cold, map) = read(&repository);
    told("nothing remembered", cold);
    told("all remembered", middle(|| read(&repository).0));
    change(&repository);
    told("after a commit of ten files", read(&repository).0);
    for tasks in [tasks, open] {
        queue(&repository, files, tasks);
        println!("{tasks} tasks");
        told("plan --json", middle(|| ran(&repository, &["plan", "--json"])));
        told("start --dry-run", middle(|| ran(&repository, &["start", "--dry-run"])));
        told("status", middle(|| ran(&repository, &["status"])));
        in_a_run(files, tasks, &map);
    }
}

fn told(what: &str, took: Duration) {
    println!("  {what:<44}{:>9.1} ms", ms(took));
}

/// How long the code is read, as a run and `plan` do; and what was read.
fn read(repository: &Path) -> (Duration, CodeMap) {
    let begun = Instant::now();
    let repository = Repository::discover(repository).expect("a repository");
    let head = repository.head().expect("a head").commit.expect("a commit");
    let map = code_map(&repository, head, &repository.common_dir().join("orchestrate/cache")).expect("it is read");
    (begun.elapsed(), map)
}

/// What the foreman of a run does with the claims.
fn in_a_run(files: usize, tasks: usize, map: &CodeMap) {
    let settings: Arc<Settings> = Arc::new(toml::from_str(CONFIG).expect("settings"));
    let families = settings.agents.iter();
    let families = families.filter_map(|(name, agent)| Some((name.clone(), [agent.family.clone()?].into())));
    let families: Arc<BTreeMap<String, Families>> = Arc::new(families.collect());
    let workflow: Arc<Workflow> = Arc::new(toml::from_str(SINGLE).expect("a workflow"));
    let made = |wide: bool| {
        let entries = (0..tasks).map(|at| {
            let mut task = Task::new(format!("t{at:05}").parse().expect("an id"), format!("Task {at}"));
            task.files = vec![file(at * 7919 % files, 0).0];
            task.context = vec![file(at * 104_729 % files, 0).0];
            if wide && at == 0 {
                task.files = ["src", "py", "web"].map(str::to_owned).to_vec();
                task.priority = 1;
            }
            Entry::new(Arc::new(task), Some(workflow.clone()))
        });
        let rules =
            Rules { jobs: WORKERS, gates_max: WORKERS, batch_max: 16, until: None, zone: TimeZone::UTC, seed: 1 };
        let base: CommitId = "1".repeat(40).parse().expect("a hash");
        Foreman::new(rules, settings.clone(), families.clone(), entries.collect(), base)
    };
    let mut foreman = made(false);
    told("in a run: claims held against each other", timed(|| foreman.know_code(map.clone())));
    let first = timed(|| assert_eq!(foreman.orders(SystemTime::UNIX_EPOCH).len(), tasks.min(WORKERS)));
    told("in a run: the first round of orders", first);
    let mut foreman = made(true);
    foreman.know_code(map.clone());
    assert_eq!(foreman.orders(SystemTime::UNIX_EPOCH).len(), 1);
    let none = timed(|| assert!(foreman.orders(SystemTime::UNIX_EPOCH).is_empty()));
    told("in a run: a round while all wait for one", none);
    let waiting = || foreman.entries().filter(|entry| foreman.why_waiting(entry).is_some()).count();
    told("in a run: why each of them waits", timed(|| assert_eq!(waiting(), tasks - 1)));
}

fn git(repository: &Path) -> Command {
    let mut git = Command::new("git");
    closed(&mut git, repository).arg("-C").arg(repository);
    git.args(["-c", "user.name=A", "-c", "user.email=a@example.com"]);
    git
}

/// The path and the content of a file.
fn file(at: usize, version: usize) -> (String, String) {
    let (directory, one, other) = (at % 97, (at * 7 + 3) / 2, (at * 13 + 1) / 3);
    let body = "\n// a line of code\n".repeat(60);
    match at % 3 {
        0 => {
            let path = format!("src/m{directory}/f{at}.rs");
            let modules = [one / 3 * 3, other / 3 * 3].map(|at| format!("use crate::m{}::f{at};\n", at % 97));
            (path, format!("{}fn f() {{ {version}; }}{body}", modules.concat()))
        }
        1 => {
            let path = format!("py/p{directory}/f{at}.py");
            let modules = [one / 3 * 3 + 1, other / 3 * 3 + 1].map(|at| format!("from p{}.f{at} import x\n", at % 97));
            (path, format!("{}x = {version}\n{}", modules.concat(), body.replace("//", "#")))
        }
        _ => {
            let path = format!("web/w{directory}/f{at}.ts");
            let to = |at: usize| format!("import {{ x as x{at} }} from '../w{}/f{at}';\n", at % 97);
            (path, format!("{}{}export const x = {version};{body}", to(one / 3 * 3 + 2), to(other / 3 * 3 + 2)))
        }
    }
}

fn make(repository: &Path, files: usize) {
    fs::create_dir(repository).expect("a directory");
    run(git(repository).args(["init", "--quiet", "-b", "main"]));
    let mut import = git(repository).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().expect("git");
    let mut out = std::io::BufWriter::new(import.stdin.take().expect("it is piped"));
    for number in 0..=COMMITS {
        let when = 1_700_000_000 + number * 60;
        write!(out, "commit refs/heads/main\ncommitter A <a@example.com> {when} +0000\ndata 1\nx\n").expect("taken");
        let changed: Vec<usize> = match number {
            0 => (0..files).collect(),
            _ => (0..2 + number % 6).map(|i| (number * 31 % 400 + i * 17) % files).collect(),
        };
        for at in changed {
            let (path, text) = file(at, number);
            write!(out, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).expect("taken");
        }
    }
    drop(out);
    assert!(import.wait().expect("it ends").success());
    run(git(repository).args(["reset", "--quiet", "--hard"]));
    fs::create_dir_all(repository.join(".handoff")).expect("a directory");
    fs::write(repository.join(".handoff/config.toml"), CONFIG).expect("written");
}

fn queue(repository: &Path, files: usize, tasks: usize) {
    let directory = repository.join(".handoff/tasks");
    if directory.exists() {
        fs::remove_dir_all(&directory).expect("removed");
    }
    fs::create_dir_all(&directory).expect("a directory");
    for at in 0..tasks {
        let (one, _) = file(at * 7919 % files, 0);
        let (other, _) = file(at * 104_729 % files, 0);
        let needs = if at % 4 == 3 { format!("depends_on = [\"t{}\"]\n", at / 2) } else { String::new() };
        let text = format!("title = \"Task {at}\"\nfiles = [\"{one}\"]\ncontext = [\"{other}\"]\n{needs}");
        fs::write(directory.join(format!("t{at}.toml")), text).expect("written");
    }
}

/// One more commit that changes ten files.
fn change(repository: &Path) {
    for at in 0..10 {
        let (path, text) = file(at * 50, 999);
        fs::write(repository.join(path), text).expect("written");
    }
    run(git(repository).args(["commit", "--quiet", "-am", "more"]));
}

fn ran(repository: &Path, words: &[&str]) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"));
    closed(&mut command, repository).current_dir(repository).args(words).env("GIT_CONFIG_COUNT", "2");
    for (number, (key, value)) in [("user.name", "A"), ("user.email", "a@example.com")].into_iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{number}"), key).env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    timed(|| run(&mut command))
}

/// The middle of several rounds.
fn middle(mut measure: impl FnMut() -> Duration) -> Duration {
    median((0..ROUNDS).map(|_| measure()).collect())
}
