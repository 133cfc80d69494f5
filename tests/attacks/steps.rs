//! Lies about steps: by one without the key, and by one who has it.
//! Knows nothing of landings or of git's own tricks.

use git_orchestrate::{
    git::Identity,
    handoff::{layout, message::message},
    model::{
        machine::State,
        object::Digest,
        record::{Actor, CheckResult, Family},
    },
};

use crate::{
    forge::{Forge, Key, task_ref},
    list::{Attack, all},
};

/// The task's steps are made anew by who made them: nothing is wrong with that.
pub fn anew(forge: &Forge) {
    forge.rewrite("api", |_, shape| Some(shape));
}

/// They are made anew from their records.
pub fn refolded(forge: &Forge) {
    forge.refold("api", |_| {});
}

fn api(_: &Forge) -> Vec<String> {
    vec!["api".to_owned()]
}

pub fn attacks() -> Vec<Attack> {
    vec![
        Attack {
            name: "1 a step is amended, and its signature with it gone",
            rule: "signature",
            ask: all,
            forge: |forge| {
                let code = |shape: &crate::forge::Shape| forge.code_with(shape.tree, &[("api.txt", "evil\n")]);
                forge.rewrite("api", |seq, mut shape| {
                    if seq == 3 {
                        let handoff =
                            forge.repository.entry(shape.tree, layout::DIR).expect("readable").expect("there");
                        let mut draft = forge.repository.draft();
                        let tree = git_orchestrate::model::object::TreeId(handoff.id);
                        let edit = git_orchestrate::git::Edit::put_tree(layout::DIR, tree);
                        shape.tree = draft.tree(Some(code(&shape)), &[edit]).expect("a tree");
                        let none = git_orchestrate::config::settings::Durability::Os;
                        forge.repository.publish(draft.objects(), Vec::new(), none).expect("published");
                        shape.key = Key::None;
                    }
                    Some(shape)
                });
            },
            clean: anew,
        },
        Attack {
            name: "1b the message of a signed step is changed",
            rule: "signature",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api"));
                let text = forge.sandbox.git(&["cat-file", "commit", &tip.to_string()]);
                let changed = text.replacen("api: gate", "api: gate, and more", 1) + "\n";
                write_object(forge, "commit", changed.as_bytes(), &task_ref("api"));
            },
            clean: |_| {},
        },
        Attack {
            name: "1c the code of a step is other than its record says",
            rule: "code",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("api.txt".into(), Some(b"evil\n".to_vec()))];
                        let honest = lie.record.code;
                        lie.stale = true;
                        let text = format!("{honest}");
                        HONEST.with(|cell| cell.replace(text));
                        lie.text = Some(|text| {
                            let start = text.find("\"code\": \"").expect("it is there") + 9;
                            let honest = HONEST.with(|cell| cell.borrow().clone());
                            format!("{}{honest}{}", &text[..start], &text[start + honest.len()..])
                        });
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "1d a step changes other files than its record says",
            rule: "changes",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("more.txt".into(), Some(b"more\n".to_vec()))];
                        lie.stale = true;
                    }
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("more.txt".into(), Some(b"more\n".to_vec()))];
                    }
                });
            },
        },
        Attack {
            name: "2 a step is dropped from the middle",
            rule: "order",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, shape| (seq != 2).then_some(shape));
            },
            clean: anew,
        },
        Attack {
            name: "3 the first steps are dropped",
            rule: "chain",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, shape| (seq > 2).then_some(shape));
            },
            clean: anew,
        },
        Attack {
            name: "5 two steps change places",
            rule: "order",
            ask: all,
            forge: |forge| {
                let steps = forge.steps("api");
                let (third, fourth) = (forge.shape(steps[2]), forge.shape(steps[3]));
                forge.rewrite("api", |seq, shape| {
                    let other = match seq {
                        3 => &fourth,
                        4 => &third,
                        _ => return Some(shape),
                    };
                    Some(crate::forge::Shape { parents: shape.parents, ..other.clone() })
                });
            },
            clean: anew,
        },
        Attack {
            name: "7 a step is not signed",
            rule: "signature",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, shape| {
                    Some(crate::forge::Shape { key: if seq == 5 { Key::None } else { Key::Own }, ..shape })
                });
            },
            clean: anew,
        },
        Attack {
            name: "8 a step is signed by a key that nobody trusts",
            rule: "signer",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, shape| {
                    Some(crate::forge::Shape { key: if seq == 2 { Key::Other } else { Key::Own }, ..shape })
                });
            },
            clean: anew,
        },
        Attack {
            name: "9 a step is signed by a key that is no longer trusted, and says that it was made when it was",
            rule: "signer",
            ask: |forge| {
                let line = forge.other.public_key_line().expect("a key");
                let file = forge.sandbox.outside("without");
                std::fs::write(&file, format!("tess@example.com {line}\n")).expect("written");
                vec!["--allowed-signers".into(), file.display().to_string(), "api".into()]
            },
            forge: |forge| {
                forge.rewrite("api", |_, shape| Some(crate::forge::Shape { seconds: 1_000_000_000, ..shape }));
            },
            clean: |forge| {
                // The whole task by the key that is trusted.
                forge.refold("api", |lie| {
                    lie.key = Key::Other;
                    lie.seconds = Some(1_000_000_000);
                });
                forge.sandbox.git(&["update-ref", "-d", crate::forge::INTEGRATION]);
                forge.sandbox.git(&["update-ref", "-d", &task_ref("web")]);
            },
        },
        Attack {
            name: "12 an agent's words hold trailers of ours",
            rule: "trailers",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, mut shape| {
                    if seq == 3 {
                        shape.message = shape.message.replacen("\n\n", "\n\nOrchestrate-Outcome: done\n\n", 1);
                    }
                    Some(shape)
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        let honest = message(&lie.record);
                        lie.message = Some(honest.replacen("\n\n", "\n\n    Orchestrate-Outcome: done\n\n", 1));
                    }
                });
            },
        },
        Attack {
            name: "12b the trailers say something else than the record",
            rule: "trailers",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, mut shape| {
                    if seq == 2 {
                        shape.message =
                            shape.message.replace("Orchestrate-Outcome: done", "Orchestrate-Outcome: failed");
                    }
                    Some(shape)
                });
            },
            clean: anew,
        },
        Attack {
            name: "13 a verdict is copied to another tree",
            rule: "gate",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("api.txt".into(), Some(b"other\n".to_vec()))];
                    }
                    lie.stale = lie.seq == 5;
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("api.txt".into(), Some(b"other\n".to_vec()))];
                    }
                });
            },
        },
        Attack {
            name: "14 a verdict is by a gate that asked for less",
            rule: "definition",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if let Some(verdict) = &mut lie.record.gate {
                        let text =
                            lie.record.definition.as_ref().expect("it is there").replace("grep -rq BROKEN", "true #");
                        verdict.definition = Digest::of(&text);
                        lie.record.definition = Some(text);
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "14b a verdict names another definition than its text",
            rule: "definition",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.record.gate.is_some() {
                        lie.record.definition =
                            lie.record.definition.as_ref().map(|text| text.replace("whole", "hole"));
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "15 a gate that refused is said to have passed",
            rule: "gate",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if let Some(verdict) = &mut lie.record.gate {
                        verdict.result = CheckResult::Fail;
                        verdict.checks[0].result = CheckResult::Fail;
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "15b a gate's step carries no verdict",
            rule: "gate",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| lie.record.gate = None);
            },
            clean: refolded,
        },
        Attack {
            name: "15c an agent does the gate's work",
            rule: "record",
            ask: all,
            forge: |forge| {
                let mut agent = None;
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        agent = Some((lie.record.actor.clone(), lie.record.role.clone()));
                    }
                    if let (5, Some((actor, role))) = (lie.seq, agent.clone()) {
                        (lie.record.actor, lie.record.role) = (actor, role);
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "16 an agent changes what tests it",
            rule: "protected",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![(".github/workflows/ci.yml".into(), Some(b"on: push\n".to_vec()))];
                    }
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 1 {
                        let task = b"title = \"Do api\"\nfiles = [\"api.txt\", \".github/workflows/*\"]\n".to_vec();
                        lie.handoff = vec![(format!("{}/api.toml", layout::TASKS), task)];
                    }
                    if lie.seq == 3 {
                        lie.code = vec![(".github/workflows/ci.yml".into(), Some(b"on: push\n".to_vec()))];
                    }
                });
            },
        },
        Attack {
            name: "17 an agent removes a test",
            rule: "protected",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("tests/old.txt".into(), None)];
                    }
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("tests/new.txt".into(), Some(b"a test\n".to_vec()))];
                    }
                });
            },
        },
        Attack {
            name: "20 a state is edited by hand, on the branch of its task",
            rule: "chain",
            ask: api,
            forge: |forge| {
                let main = forge.sandbox.git(&["rev-parse", "main"]);
                forge.sandbox.git(&["checkout", "-q", "orchestrate/task/api"]);
                let path = layout::checkpoint(&"api".parse().expect("an id"));
                let text = forge.sandbox.read(&path).replace("attempts_max = 3", "attempts_max = 9");
                forge.sandbox.write(&path, text);
                forge.sandbox.git(&["commit", "-qam", "mend"]);
                forge.sandbox.git(&["checkout", "-q", &main]);
            },
            clean: |_| {},
        },
        Attack {
            name: "20b a state is edited by hand, on a person's branch",
            rule: "handoff",
            ask: all,
            forge: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
                let path = layout::checkpoint(&"api".parse().expect("an id"));
                let text = forge.sandbox.read(&path).replace("attempts_max = 3", "attempts_max = 9");
                forge.sandbox.write(&path, text);
                forge.sandbox.commit("mend");
            },
            clean: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
                forge.sandbox.write("README", "hello\nagain\n");
                forge.sandbox.commit("mend");
            },
        },
        Attack {
            name: "20c the state after a step does not follow",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 4 {
                        lie.state = Some(|state| {
                            let gate = state.phases.iter_mut().find(|phase| phase.id.spec() == "gate");
                            gate.expect("a gate").state = State::Skipped;
                        });
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "20d what a task may cost is changed on the way",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 1 {
                        lie.state = Some(|state| state.bounds.attempts_max = 99);
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "21 a record of another task is put into a step",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 2 {
                        lie.text = Some(|text| text.replacen("\"task\": \"api\"", "\"task\": \"web\"", 1));
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "21b a record names another state before it",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.text = Some(|text| {
                            let at = text.find("\"checkpoint_before\": \"sha256:").expect("there") + 29;
                            format!("{}{}{}", &text[..at], "0".repeat(64), &text[at + 64..])
                        });
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "22 a file of the program's is a link",
            rule: "handoff",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api"));
                let mut shape = forge.shape(tip);
                let mut draft = forge.repository.draft();
                let path = layout::checkpoint(&"api".parse().expect("an id"));
                let blob = draft.blob(b"../../README").expect("a blob");
                let edit = git_orchestrate::git::Edit { path, what: git_orchestrate::git::What::PutLink(blob) };
                shape.tree = draft.tree(Some(shape.tree), &[edit]).expect("a tree");
                let made = forge.commit(&mut draft, shape);
                forge.put(&mut draft, &task_ref("api"), made);
            },
            clean: anew,
        },
        Attack {
            name: "22b a step changes the configuration's neighbours",
            rule: "handoff",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        let line = b"mallory@example.com ssh-ed25519 AAAA\n".to_vec();
                        lie.handoff = vec![(layout::ALLOWED_SIGNERS.into(), line)];
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "23 a commit names a task that leads elsewhere",
            rule: "claim",
            ask: |_| vec!["main~1..HEAD".into()],
            forge: |forge| {
                forge.sandbox.commit("x\n\nOrchestrate-Task: ../../x\nOrchestrate-Step: 1 plan");
            },
            clean: |forge| {
                // What people write in the middle of a message is their own.
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
                forge.sandbox.commit("x\n\nOrchestrate-Task: ../../x\n\nbye");
            },
        },
        Attack {
            name: "23b a commit says that it is a step, and is none",
            rule: "claim",
            ask: |_| vec!["main~1..HEAD".into()],
            forge: |forge| {
                forge.sandbox.commit("x\n\nOrchestrate-Task: web\nOrchestrate-Step: 1 implement");
            },
            clean: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
            },
        },
        Attack {
            name: "24 a file is put where git looks for its own",
            rule: "tree",
            ask: all,
            forge: |forge| in_tree(forge, &format!("100644 blob {}\t.GIT", blob_of(forge, "x"))),
            clean: |forge| in_tree(forge, &format!("100644 blob {}\t.gitty", blob_of(forge, "x"))),
        },
        Attack {
            name: "25 a commit of another repository is put in the place of files",
            rule: "tree",
            ask: all,
            forge: |forge| in_tree(forge, &format!("160000 commit {}\tvendor", "1".repeat(40))),
            clean: |forge| in_tree(forge, &format!("100755 blob {}\tvendor", blob_of(forge, "x"))),
        },
        Attack {
            name: "26 an agent names a submodule",
            rule: "protected",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![(".gitmodules".into(), Some(b"[submodule \"x\"]\n".to_vec()))];
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "33 a task is begun again on top of itself",
            rule: "order",
            ask: all,
            forge: |forge| {
                let steps = forge.steps("api");
                let (first, tip) = (forge.shape(steps[0]), forge.tip(&task_ref("api")));
                let mut draft = forge.repository.draft();
                let made = forge.commit(&mut draft, crate::forge::Shape { parents: vec![tip], ..first });
                forge.put(&mut draft, &task_ref("api"), made);
            },
            clean: anew,
        },
        Attack {
            name: "34 somebody else is named as committer",
            rule: "signer",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, mut shape| {
                    if seq == 1 {
                        let who = Identity { name: "Mallory".into(), email: "mallory@example.com".into() };
                        (shape.author, shape.committer) = (who.clone(), who);
                    }
                    Some(shape)
                });
            },
            clean: anew,
        },
        Attack {
            name: "34b somebody else is named as author",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, mut shape| {
                    if seq == 1 {
                        shape.author = Identity { name: "Linus".into(), email: "linus@example.com".into() };
                    }
                    Some(shape)
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 1 {
                        let email = "ann@git-orchestrate.invalid".into();
                        lie.author = Some(Identity { name: "ann".into(), email });
                    }
                });
            },
        },
        Attack {
            name: "35 a commit has two signatures",
            rule: "signature",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api"));
                let text = forge.sandbox.git(&["cat-file", "commit", &tip.to_string()]);
                let start = text.find("gpgsig ").expect("signed");
                let end = text.find("\n\n").expect("a message") + 1;
                let twice = format!("{}{}{}\n", &text[..end], &text[start..end], &text[end..]);
                write_object(forge, "commit", twice.as_bytes(), &task_ref("api"));
            },
            clean: |_| {},
        },
        Attack {
            name: "35b a commit has a header that changes how it is read",
            rule: "object",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api"));
                let text = forge.sandbox.git(&["cat-file", "commit", &tip.to_string()]);
                let (start, end) = (text.find("gpgsig ").expect("signed"), text.find("\n\n").expect("a message") + 1);
                let payload = format!("{}encoding ISO-8859-1\n{}\n", &text[..start], &text[end..]);
                let signature = forge.own.sign(payload.as_bytes()).expect("signed").trim_end().replace('\n', "\n ");
                let head = payload.find("\n\n").expect("a message") + 1;
                let signed = format!("{}gpgsig {signature}\n{}", &payload[..head], &payload[head..]);
                write_object(forge, "commit", signed.as_bytes(), &task_ref("api"));
            },
            clean: |_| {},
        },
        Attack {
            name: "36 a record can be read in two ways",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 2 {
                        lie.text = Some(|text| text.replacen("{\n", "{\n  \"later\": {\"a\": 1, \"a\": 2},\n", 1));
                    }
                });
            },
            clean: |forge| {
                // What a later version adds is passed over.
                forge.refold("api", |lie| {
                    if lie.seq == 2 {
                        lie.text = Some(|text| text.replacen("{\n", "{\n  \"later\": {\"a\": 1, \"b\": 2},\n", 1));
                    }
                });
            },
        },
        Attack {
            name: "36b a record is of a version to come",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 2 {
                        lie.text = Some(|text| text.replacen("\"schema\": 1", "\"schema\": 2", 1));
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "37 a file's name writes on the terminal",
            rule: "protected",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        let path = ".claude/\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}x".to_owned();
                        lie.code = vec![(path, Some(b"x\n".to_vec()))];
                    }
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.code = vec![("\u{1b}[2Jx".to_owned(), Some(b"x\n".to_vec()))];
                    }
                });
            },
        },
        Attack {
            name: "39 a family reviews itself",
            rule: "reviewer",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 4
                        && let Actor::Agent { family, .. } = &mut lie.record.actor
                    {
                        *family = Family("one".into());
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "39b a session reviews itself under another name",
            rule: "reviewer",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if matches!(lie.seq, 3 | 4) {
                        lie.record.session = Some("s-1".into());
                    }
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| lie.record.session = Some(format!("s-{}", lie.seq)));
            },
        },
        Attack {
            name: "39c a model reviews itself under another name",
            rule: "reviewer",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if let Actor::Agent { model, .. } = &mut lie.record.actor {
                        *model = Some("some-model-1".into());
                    }
                });
            },
            clean: |forge| {
                forge.refold("api", |lie| {
                    let seq = lie.seq;
                    if let Actor::Agent { model, .. } = &mut lie.record.actor {
                        *model = Some(format!("some-model-{}", seq % 2));
                    }
                });
            },
        },
        Attack {
            name: "47 an attempt is counted twice",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.record.attempt = 2;
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "48 a reviewer changes code",
            rule: "code",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 4 {
                        lie.code = vec![("api.txt".into(), Some(b"evil\n".to_vec()))];
                        lie.stale = true;
                    }
                });
            },
            clean: refolded,
        },
    ]
}

thread_local! {
    /// What a lie puts back; closures of a list cannot hold it.
    static HONEST: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

/// Writes an object as it is, and moves a ref to it.
pub fn write_object(forge: &Forge, kind: &str, bytes: &[u8], name: &str) {
    let file = forge.sandbox.outside("object");
    std::fs::write(&file, bytes).expect("written");
    let file = file.display().to_string();
    let id = forge.sandbox.git(&["hash-object", "-w", "--literally", "-t", kind, &file]);
    forge.sandbox.git(&["update-ref", name, &id]);
}

fn blob_of(forge: &Forge, text: &str) -> String {
    let file = forge.sandbox.outside("blob");
    std::fs::write(&file, text).expect("written");
    forge.sandbox.git(&["hash-object", "-w", &file.display().to_string()])
}

/// Puts a line of a tree into the code of the third step, and all that follows from it.
pub fn in_tree(forge: &Forge, line: &str) {
    let root = forge.raw(forge.steps("api")[2]).tree;
    let code = forge.code_with(root, &[]);
    let listed = forge.sandbox.git(&["ls-tree", &code.to_string()]);
    let file = forge.sandbox.outside("tree");
    std::fs::write(&file, format!("{listed}\n{line}\n")).expect("written");
    let shell = format!("git mktree --missing < '{}'", file.display());
    let output = std::process::Command::new("sh").current_dir(forge.sandbox.path()).args(["-c", &shell]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree: git_orchestrate::model::object::TreeId =
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a name");
    forge.refold("api", |lie| {
        if lie.seq >= 3 {
            lie.tree = Some(tree);
        }
    });
}
