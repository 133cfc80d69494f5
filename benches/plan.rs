//! How long `plan` takes over a large repository and a long queue: with nothing remembered, and with everything.
//! Decides nothing and fails nothing: timings are for people.
//!
//! `cargo bench --bench plan [-- FILES TASKS]`. The repository has as many Rust, Python and TypeScript files that import each
//! other, and 600 commits that change a few of them each.

#![expect(clippy::print_stdout, reason = "a table is what this program is for")]

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const FILES_DEFAULT: usize = 20_000;
const TASKS_DEFAULT: usize = 1000;
const COMMITS: usize = 600;
/// Rounds with everything remembered; the median counts.
const ROUNDS: usize = 5;
const CONFIG: &str =
    "version = 1\n[agents.a]\nadapter = \"claude\"\nmodel = \"claude-sonnet-4-5\"\n[roles]\ndefault = \"a\"\n";

fn main() {
    let mut numbers = env::args().skip(1).filter_map(|word| word.parse::<usize>().ok());
    let files = numbers.next().unwrap_or(FILES_DEFAULT);
    let tasks = numbers.next().unwrap_or(TASKS_DEFAULT);
    let home = tempfile::tempdir().expect("a directory");
    let repository = home.path().join("repo");
    make(&repository, files);
    queue(&repository, files, 2);
    let cold = plan(&repository);
    println!("{files} files, 2 tasks: nothing remembered {cold:.0?}, all remembered {:.0?}", warm(&repository));
    change(&repository);
    println!("{files} files, 2 tasks: after one more commit {:.0?}", plan(&repository));
    queue(&repository, files, tasks);
    println!("{files} files, {tasks} tasks: all remembered {:.0?}", warm(&repository));
}

fn git(repository: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(repository).args(["-c", "user.name=A", "-c", "user.email=a@example.com"]);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").stdout(Stdio::null());
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
    assert!(git(repository).args(["init", "--quiet", "-b", "main"]).status().expect("git").success());
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
    assert!(git(repository).args(["reset", "--quiet", "--hard"]).status().expect("git").success());
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
    assert!(git(repository).args(["commit", "--quiet", "-am", "more"]).status().expect("git").success());
}

fn plan(repository: &Path) -> Duration {
    let begun = Instant::now();
    let ran = Command::new(env!("CARGO_BIN_EXE_git-orchestrate"))
        .current_dir(repository)
        .args(["plan", "--json"])
        .env("HOME", repository)
        .output()
        .expect("it starts");
    let took = begun.elapsed();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    took
}

fn warm(repository: &Path) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| plan(repository)).collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}
