//! Plays Claude Code: the bench itself under that name. It appends a line to the file that its prompt names and answers in
//! Claude Code's format, within about a millisecond. Knows nothing of what is measured.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// What a prompt says before the path of that file.
pub const MARK: &str = "APPEND TO ";

/// Whether this process was started as the agent; then it has played it.
pub fn played() -> bool {
    let name = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let is_agent = name.file_name().is_some_and(|name| name == "claude");
    if is_agent {
        play();
    }
    is_agent
}

/// A `PATH` on which this program is `claude`, by a link below `root`.
pub fn path_with_it(root: &Path) -> String {
    let bin = root.join("bin");
    fs::create_dir_all(&bin).expect("a directory");
    symlink(env::current_exe().expect("our own path"), bin.join("claude")).expect("a link");
    format!("{}:{}", bin.display(), env::var("PATH").expect("PATH"))
}

fn play() {
    let words: Vec<String> = env::args().collect();
    if words.iter().any(|word| word == "--version") {
        println!("2.1.0 (Claude Code)");
        return;
    }
    let mut prompt = words.join(" ");
    if !prompt.contains(MARK) {
        std::io::stdin().read_to_string(&mut prompt).expect("a prompt");
    }
    let path = prompt.split(MARK).nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a path");
    let mut file = fs::OpenOptions::new().append(true).open(path).expect("the file");
    file.write_all(b"done\n").expect("a line");
    println!(r#"{{"type":"system","subtype":"init","session_id":"s","model":"claude-bench"}}"#);
    println!(
        r#"{{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"s","total_cost_usd":0.01,"usage":{{"input_tokens":1,"output_tokens":1}}}}"#
    );
}
