//! Lies by means of git itself: what it shows in place of what is there, which keys it brings along, what it would run.
//! Knows nothing of what steps hold.

use std::fs;

use crate::{
    forge::{Forge, INTEGRATION, Key, task_ref},
    list::{Attack, all},
    steps::write_object,
};

fn nothing(_: &Forge) {}

pub fn attacks() -> Vec<Attack> {
    vec![
        Attack {
            name: "27 git is told to show another commit",
            rule: "history",
            ask: all,
            forge: |forge| {
                let steps = forge.steps("api");
                forge.sandbox.git(&["replace", &steps[3].to_string(), &steps[1].to_string()]);
            },
            clean: |forge| {
                // What is replaced is none of ours.
                let other = forge.sandbox.git(&["commit-tree", "-m", "x", "HEAD^{tree}"]);
                let another = forge.sandbox.git(&["commit-tree", "-m", "y", "HEAD^{tree}"]);
                forge.sandbox.git(&["replace", &other, &another]);
            },
        },
        Attack {
            name: "27b git is told of other parents",
            rule: "history",
            ask: all,
            forge: |forge| {
                let steps = forge.steps("api");
                let line = format!("{} {}\n", steps[3], steps[0]);
                fs::create_dir_all(forge.sandbox.git_dir().join("info")).expect("a directory");
                fs::write(forge.sandbox.git_dir().join("info/grafts"), line).expect("written");
            },
            clean: nothing,
        },
        Attack {
            name: "27c git is told that the history ends, although it goes on",
            rule: "history",
            ask: all,
            forge: |forge| {
                let line = format!("{}\n", forge.steps("api")[3]);
                fs::write(forge.sandbox.git_dir().join("shallow"), line).expect("written");
            },
            clean: nothing,
        },
        Attack {
            name: "28 steps are taken back",
            rule: "rewound",
            ask: |forge| {
                vec![format!(
                    "{}..refs/heads/orchestrate/task/api",
                    SEEN.with(|seen| seen.borrow().clone()).unwrap_or_else(|| forge.steps("api")[1].to_string())
                )]
            },
            forge: |forge| {
                let steps = forge.steps("api");
                SEEN.with(|seen| seen.replace(Some(steps[4].to_string())));
                forge.sandbox.git(&["update-ref", &task_ref("api"), &steps[2].to_string()]);
            },
            clean: |forge| {
                SEEN.with(|seen| seen.replace(None));
                // A tag of the branch's name leads nowhere.
                forge.sandbox.git(&["tag", "orchestrate/task/api", "main"]);
            },
        },
        Attack {
            name: "30 another content is stored under a commit's name",
            rule: "object",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api")).to_string();
                let text = forge.sandbox.git(&["cat-file", "commit", &tip]).replace("api: gate", "api: gates") + "\n";
                // All objects lie open, so that one can be put in the place of another.
                let packs = forge.sandbox.outside("packs");
                fs::rename(forge.sandbox.git_dir().join("objects/pack"), &packs).expect("moved");
                fs::create_dir(forge.sandbox.git_dir().join("objects/pack")).expect("a directory");
                for entry in fs::read_dir(&packs).expect("readable").flatten() {
                    if entry.path().extension().is_some_and(|ending| ending == "pack") {
                        let shell = format!("git unpack-objects -q < '{}'", entry.path().display());
                        let status = std::process::Command::new("sh")
                            .current_dir(forge.sandbox.path())
                            .args(["-c", &shell])
                            .status();
                        assert!(status.expect("it starts").success());
                    }
                }
                write_object(forge, "commit", text.as_bytes(), "refs/heads/other");
                let other = forge.sandbox.git(&["rev-parse", "refs/heads/other"]);
                forge.sandbox.git(&["update-ref", "-d", "refs/heads/other"]);
                let file = |id: &str| forge.sandbox.git_dir().join("objects").join(&id[..2]).join(&id[2..]);
                fs::remove_file(file(&tip)).expect("it lies open");
                fs::copy(file(&other), file(&tip)).expect("copied");
            },
            clean: nothing,
        },
        Attack {
            name: "31 a key comes along with what it signs",
            rule: "signer",
            ask: |_| vec!["--strict".into(), "main..refs/heads/orchestrate/task/api".into()],
            forge: |forge| {
                let line = format!("tess@example.com {}\n", forge.other.public_key_line().expect("a key"));
                // The first step brings the file along, so everything after it has the key.
                forge.refold("api", |lie| {
                    lie.key = Key::Other;
                    if lie.seq == 1 {
                        lie.handoff = vec![(".handoff/allowed_signers".into(), line.clone().into_bytes())];
                    }
                });
            },
            clean: nothing,
        },
        Attack {
            name: "31b there are no keys but those that come along",
            rule: "trust",
            ask: |_| vec!["--strict".into(), "refs/before..refs/heads/orchestrate/task/api".into()],
            forge: |forge| {
                // As in a project that never committed its keys.
                let base =
                    forge.sandbox.git(&["commit-tree", "-m", "none", "4b825dc642cb6eb9a060e54bf8d69288fbee4904"]);
                forge.sandbox.git(&["update-ref", "refs/before", &base]);
            },
            clean: |forge| {
                let main = forge.sandbox.git(&["rev-parse", "main"]);
                forge.sandbox.git(&["update-ref", "refs/before", &main]);
            },
        },
        Attack {
            name: "41 the repository brings its own program to check signatures with",
            rule: "signer",
            ask: all,
            forge: |forge| {
                program(forge);
                forge.rewrite("api", |_, shape| Some(crate::forge::Shape { key: Key::Other, ..shape }));
            },
            clean: program,
        },
        Attack {
            name: "55 what was found right before is made up",
            rule: "signature",
            ask: all,
            forge: |forge| {
                let tip = forge.rewrite("api", |_, shape| Some(crate::forge::Shape { key: Key::None, ..shape }));
                let cache = forge.sandbox.local().join("cache");
                fs::create_dir_all(&cache).expect("a directory");
                // A list as the program would write it, under every name that it could have.
                for entry in fs::read_dir(&cache).expect("readable").flatten() {
                    if entry.file_name().to_string_lossy().starts_with("audit-") {
                        let text = fs::read_to_string(entry.path()).expect("readable");
                        fs::write(entry.path(), format!("{text}{tip}\n")).expect("written");
                    }
                }
            },
            clean: nothing,
        },
        Attack {
            name: "56 the branch of a task ends in what is no step",
            rule: "chain",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(INTEGRATION);
                forge.sandbox.git(&["update-ref", &task_ref("web"), &tip.to_string()]);
            },
            clean: nothing,
        },
    ]
}

thread_local! {
    /// What was seen of the branch before it was moved back.
    static SEEN: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// A program that finds every signature good, and leaves a mark when it is run.
fn program(forge: &Forge) {
    let mark = forge.sandbox.outside("was-run");
    forge.sandbox.program(
        "forger",
        &format!("#!/bin/sh\ntouch '{}'\necho 'Good \"git\" signature for root@x'\n", mark.display()),
    );
    let path = forge.sandbox.outside("bin/forger").display().to_string();
    forge.sandbox.git(&["config", "gpg.ssh.program", &path]);
    forge.sandbox.git(&["config", "gpg.format", "ssh"]);
    forge.sandbox.git(&["config", "log.showSignature", "true"]);
}

#[test]
fn no_program_of_the_repository_is_run() {
    let forge = Forge::new();
    program(&forge);
    assert_eq!(crate::asked::program(&forge, &[]).code, 0);
    assert!(!forge.sandbox.outside("was-run").exists());
}

#[test]
fn dates_do_not_count() {
    let forge = Forge::new();
    let line = fs::read_to_string(forge.signers()).expect("readable");
    let dated = line.replacen("ssh-ed25519", "valid-before=\"20200101\" ssh-ed25519", 1);
    let file = forge.sandbox.outside("dated");
    fs::write(&file, dated).expect("written");
    let words = ["--allowed-signers".to_owned(), file.display().to_string()];
    let said = crate::asked::program(&forge, &words);
    assert_eq!(said.code, 0, "{}", said.text);
    assert!(said.text.contains("has no effect"), "{}", said.text);
}

#[test]
fn clocks_do_not_count() {
    let forge = Forge::new();
    forge.refold("api", |lie| lie.seconds = Some(if lie.seq % 2 == 0 { 1 } else { 4_000_000_000 }));
    let said = crate::asked::program(&forge, &["api".to_owned()]);
    assert_eq!((said.code, said.rules.len()), (0, 0), "{}", said.text);
}

#[test]
fn a_clone_that_is_cut_off_is_not_taken_for_whole() {
    let forge = Forge::new();
    let url = format!("file://{}", forge.sandbox.path().display());
    let clone = forge.sandbox.outside("clone");
    let words = ["clone", "-q", "--depth=2", "--branch=orchestrate/task/api", &url, &clone.display().to_string()];
    forge.sandbox.git(&words);
    let mut command = forge.sandbox.command(&["verify", "--json", "--allowed-signers"]);
    command.arg(forge.signers()).arg("HEAD").current_dir(&clone);
    let output = command.output().expect("it starts");
    let view: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), view["result"].as_str()), (Some(1), Some("absent")), "{view:#}");
    assert_eq!(view["findings"][0]["rule"], "history");
    assert_eq!(view["findings"][0]["hint"], "git fetch --unshallow");
}

/// What is judged cannot loosen the rules by which it is judged.
#[test]
fn the_policy_is_that_of_the_base() {
    let forge = Forge::new();
    forge.refold("api", |lie| {
        if lie.seq == 1 {
            let config =
                forge.sandbox.read(".handoff/config.toml") + "\n[audit]\nprotected = []\nprotected_tests = []\n";
            lie.handoff = vec![(".handoff/config.toml".into(), config.into_bytes())];
        }
        if lie.seq == 3 {
            lie.code = vec![("tests/old.txt".into(), Some(b"no test\n".to_vec()))];
        }
    });
    let words = ["main..refs/heads/orchestrate/task/api".to_owned()];
    for said in [crate::asked::program(&forge, &words), crate::asked::second(&forge, &words)] {
        assert!(said.code == 1 && said.rules.contains("protected"), "{}", said.text);
    }
}

/// The same lies and the same truth where objects have the longer names.
#[test]
fn longer_names_are_read_too() {
    let forge = Forge::of(crate::forge::play("sha256"));
    let judge = |forge: &Forge| {
        [crate::asked::program(forge, &[]), crate::asked::second(forge, &[])]
            .map(|said| (said.code, said.rules.into_iter().collect::<Vec<_>>().join(" "), said.text))
    };
    for (code, rules, text) in judge(&forge) {
        assert_eq!((code, rules.as_str()), (0, ""), "{text}");
    }
    forge.refold("api", |lie| {
        lie.stale = lie.seq == 5;
        if lie.seq == 3 {
            lie.code = vec![("api.txt".into(), Some(b"other\n".to_vec()))];
        }
    });
    for (code, rules, text) in judge(&forge) {
        assert!(code == 1 && rules.contains("gate"), "{rules}: {text}");
    }
}

/// What a forged record says is spelled out where the trail is printed.
#[test]
fn the_trail_is_safe_to_print() {
    let forge = Forge::new();
    forge.refold("api", |lie| {
        if lie.seq == 3 {
            lie.record.reason = "\u{1b}[2J\u{202e}owned\u{9b}1m".to_owned();
        }
    });
    let output = forge.sandbox.command(&["log", "--audit", "api"]).output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains(r"\u001b[2J\u202eowned\u009b1m"), "{text}");
    assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text}");
}

/// What users type, where they stand, and what they are told: the exit code, the counts of the answer.
#[test]
fn verify_is_asked_in_every_way_from_every_place() {
    let forge = Forge::new();
    let place = |name: &str| forge.sandbox.outside(name);
    let url = forge.sandbox.path().display().to_string();
    forge.sandbox.git(&["clone", "-q", "--bare", &url, &place("bare").display().to_string()]);
    forge.sandbox.git(&["worktree", "add", "-q", &place("linked").display().to_string(), "orchestrate/integration"]);
    forge.sandbox.git(&["tag", "-am", "x", "landed", "orchestrate/integration"]);
    let check = |at: &str, words: &[&str], code: i32, links: Option<usize>| {
        let dir = if at.is_empty() { forge.sandbox.path() } else { place(at) };
        let mut command = forge.sandbox.command(&["verify", "--json"]);
        let output = command.args(words).current_dir(dir).output().expect("it starts");
        let view: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let found = view["links"].as_array().map(Vec::len);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), found), (Some(code), links), "{at} {words:?}: {said}{view:#}");
    };
    let all = forge
        .sandbox
        .git(&["rev-list", "--count", "orchestrate/integration", "^main"])
        .parse::<usize>()
        .expect("a number");
    for at in ["", "bare", "linked", "repo/src"] {
        check(at, &["main..orchestrate/integration"], 0, Some(all));
        check(at, &["orchestrate/integration"], 0, Some(all + 1));
        check(at, &["api"], 0, Some(6));
    }
    check("", &["main..landed"], 0, Some(all));
    check("", &["main...landed"], 0, Some(all));
    check("", &["--strict", "main..landed"], 0, Some(all));
    for empty in ["..", "main..main", "landed..main"] {
        check("", &[empty], 0, Some(0));
    }
    // Commits of one second, whose dates tell no order.
    let (tree, mut line) = (forge.sandbox.git(&["rev-parse", "main^{tree}"]), vec!["main".to_owned()]);
    for _ in 0..12 {
        let parent = line.last().expect("main").clone();
        line.push(forge.sandbox.git(&["commit-tree", &tree, "-p", &parent, "-m", "x"]));
    }
    check("", &[&format!("{}..{}", line[12], line[1])], 0, Some(0));
    for unknown in ["nope", "main..nope", "nope..main", "-x..main", "main:README", "HEAD^{tree}"] {
        check("", &["--", unknown], 4, None);
    }
    check("home", &[], 128, None);
    check("", &["--allowed-signers", "nowhere"], 128, None);
    check("", &["--nonsense"], 129, None);
    let new = crate::kit::sandbox::Sandbox::new();
    assert_eq!(new.run(&["verify"]).code(), Some(0), "a person's commit alone");
}
