//! Asks both verifiers, as a stranger would: from another home, with the keys in a file of their own.
//! Knows nothing of what was forged.

use std::{collections::BTreeSet, path::Path, process::Command, sync::OnceLock};

use git_orchestrate::git::Signer;

use crate::forge::Forge;

/// A machine's key, from its user's home.
const OWN_KEY: &str = ".local/share/git-orchestrate/id_ed25519";

/// What a verifier says.
#[derive(Debug, Clone)]
pub struct Said {
    pub code: i32,
    /// The rules of what it found.
    pub rules: BTreeSet<String>,
    /// All it wrote.
    pub text: String,
}

/// The program.
pub fn program(forge: &Forge, words: &[String]) -> Said {
    let home = forge.sandbox.outside("stranger");
    // With a key of their own, by which what was proven is remembered.
    let own = home.join(OWN_KEY);
    if !own.exists() {
        std::fs::create_dir_all(own.parent().expect("a directory")).expect("made");
        Signer::create_own(&own, "stranger").expect("a key");
    }
    let mut command = forge.sandbox.command(&["verify", "--json"]);
    command.args(keys(forge, words)).args(words).env("HOME", home);
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let view: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let findings = view["findings"].as_array().cloned().unwrap_or_default();
    let rules = findings.iter().filter_map(|finding| finding["rule"].as_str().map(str::to_owned)).collect();
    let text = text + &String::from_utf8_lossy(&output.stderr);
    Said { code: output.status.code().unwrap_or(-1), rules, text }
}

/// Whether the program has remembered anything as proven.
pub fn remembers(forge: &Forge) -> bool {
    let cache = std::fs::read_dir(forge.sandbox.local().join("cache")).into_iter().flatten().flatten();
    cache.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("audit-"))
}

/// The second verifier. It needs Python; without it the tests fail rather than prove half.
pub fn second(forge: &Forge, words: &[String]) -> Said {
    static PYTHON: OnceLock<bool> = OnceLock::new();
    let has_python = PYTHON.get_or_init(|| {
        let asked = Command::new("python3").args(["-c", "import tomllib"]).output();
        asked.is_ok_and(|output| output.status.success())
    });
    assert!(has_python, "these tests need 'python3', 3.11 or later, for scripts/verify.py, the second verifier");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/verify.py");
    let mut command = Command::new("python3");
    command.arg(script).args(keys(forge, words)).args(words).current_dir(forge.sandbox.path());
    command.env("HOME", forge.sandbox.outside("stranger"));
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rule = |line: &str| line.split_once(' ').map(|(rule, _)| rule.to_owned());
    let rules = text.lines().filter(|line| !line.starts_with('#')).filter_map(rule).collect();
    let text = text + &String::from_utf8_lossy(&output.stderr);
    Said { code: output.status.code().unwrap_or(-1), rules, text }
}

/// The file of keys, unless the question is whose keys count.
fn keys(forge: &Forge, words: &[String]) -> Vec<String> {
    let is_named = words.iter().any(|word| word.starts_with("--allowed-signers") || word == "--strict");
    if is_named { Vec::new() } else { vec!["--allowed-signers".to_owned(), forge.signers().display().to_string()] }
}
