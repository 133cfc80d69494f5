//! Lies that are no single number of the list: messages that can be read in two ways, borrowed signatures, borrowed steps,
//! names and kinds of files. Knows nothing of landings.

use git_orchestrate::{
    git::Identity,
    handoff::{layout, message::message},
    model::record::{Actor, Decision, Family, ModelCall, Purpose},
};

use crate::{
    forge::{Forge, Lie, Shape, task_ref},
    list::{Attack, all},
    steps::{anew, in_tree, refolded, write_object},
};

/// The message of the third step, changed.
fn told(forge: &Forge, change: fn(String) -> String) {
    forge.refold("api", |lie| {
        if lie.seq == 3 {
            lie.message = Some(change(message(&lie.record)));
        }
    });
}

/// Something put into the code of the third step.
fn put(forge: &Forge, files: &[(&str, Option<&str>)]) {
    forge.refold("api", |lie| {
        if lie.seq == 3 {
            lie.code = files.iter().map(|(path, text)| ((*path).into(), text.map(|text| text.into()))).collect();
        }
    });
}

/// The review of the plan becomes a person's word to pass over it.
fn skips(lie: &mut Lie, identity: &str) {
    if lie.seq == 2 {
        lie.record.actor = Actor::Person { identity: identity.into() };
        lie.record.decision = Some(Decision::Skip);
        (lie.record.role, lie.record.document) = (None, None);
    }
}

pub fn attacks() -> Vec<Attack> {
    let mut attacks = messages();
    attacks.extend(signatures());
    attacks.extend(lines());
    attacks.extend(files());
    attacks.extend(states());
    attacks
}

fn messages() -> Vec<Attack> {
    vec![
        Attack {
            name: "12c a trailer stands twice",
            rule: "claim",
            ask: all,
            forge: |forge| told(forge, |text| text + "Orchestrate-Step: 3 implement/S1\n"),
            clean: refolded,
        },
        Attack {
            name: "12d lines end in two characters",
            rule: "trailers",
            ask: all,
            forge: |forge| told(forge, |text| text.replace("Orchestrate-Outcome: done", "Orchestrate-Outcome: done\r")),
            clean: refolded,
        },
        Attack {
            name: "12e a trailer is written as git reads it too",
            rule: "trailers",
            ask: all,
            forge: |forge| told(forge, |text| text + "orchestrate-outcome:failed\n"),
            clean: refolded,
        },
        Attack {
            name: "12f a trailer goes on in the next line",
            rule: "trailers",
            ask: all,
            forge: |forge| told(forge, |text| text + "  and landed\n"),
            clean: refolded,
        },
        Attack {
            name: "12g a paragraph that git takes for the trailers follows ours",
            rule: "chain",
            ask: all,
            forge: |forge| told(forge, |text| text + " \nReviewed-by: Linus <linus@example.com>\n"),
            clean: |forge| {
                // Before ours it is the agent's words, for git too.
                told(forge, |text| text.replacen("\n\n", "\n\nReviewed-by: Linus <linus@example.com>\n\n", 1));
            },
        },
        Attack {
            name: "23c a commit says in a sloppy way that it is a step",
            rule: "claim",
            ask: |_| vec!["main~1..HEAD".into()],
            forge: |forge| {
                forge.sandbox.commit("x\n\nORCHESTRATE-TASK:web\r\nOrchestrate-Step : 1 implement\r");
            },
            clean: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
                forge.sandbox.commit("Orchestrate-Task: web");
            },
        },
    ]
}

fn signatures() -> Vec<Attack> {
    vec![
        Attack {
            name: "7b a step is signed by another program",
            rule: "signature",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api"));
                let text = forge.sandbox.git(&["cat-file", "commit", &tip.to_string()]);
                write_object(
                    forge,
                    "commit",
                    (text.replace("SSH SIGNATURE", "PGP SIGNATURE") + "\n").as_bytes(),
                    &task_ref("api"),
                );
            },
            clean: |_| {},
        },
        Attack {
            name: "11 a signature was made for another purpose",
            rule: "signature",
            ask: all,
            forge: |forge| resign(forge, "file"),
            clean: |forge| resign(forge, "git"),
        },
        Attack {
            name: "11b a key is trusted for another purpose",
            rule: "signer",
            ask: |forge| {
                let line = forge.own.public_key_line().expect("a key");
                let file = forge.sandbox.outside("purpose");
                let purpose = if forge.sandbox.outside("other-purpose").exists() { "file,x" } else { "file,git" };
                std::fs::write(&file, format!("tess@* namespaces=\"{purpose}\" {line}\n")).expect("written");
                vec!["--allowed-signers".into(), file.display().to_string()]
            },
            forge: |forge| std::fs::write(forge.sandbox.outside("other-purpose"), "").expect("written"),
            clean: |_| {},
        },
        Attack {
            name: "34c a key signs for somebody whom it is not trusted for",
            rule: "signer",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    lie.author = Some(Identity { name: "Tess Ter".into(), email: "TESS@example.com.evil".into() });
                    lie.committer.clone_from(&lie.author);
                });
            },
            clean: refolded,
        },
        Attack {
            name: "35c a signature is of another commit",
            rule: "signature",
            ask: all,
            forge: |forge| {
                let steps = forge.steps("api");
                let [other, tip] =
                    [steps[3], steps[4]].map(|id| forge.sandbox.git(&["cat-file", "commit", &id.to_string()]));
                let part = |text: &str| {
                    let (start, end) = (text.find("gpgsig ").expect("signed"), text.find("\n\n").expect("a message"));
                    text[start..end].to_owned()
                };
                let changed = tip.replace(&part(&tip), &part(&other)) + "\n";
                write_object(forge, "commit", changed.as_bytes(), &task_ref("api"));
            },
            clean: |_| {},
        },
    ]
}

fn lines() -> Vec<Attack> {
    vec![
        Attack {
            name: "2b a step stands on two commits",
            rule: "chain",
            ask: all,
            forge: |forge| {
                let main = forge.tip("refs/heads/main");
                let tip = forge.tip(&task_ref("api"));
                let mut shape = forge.shape(tip);
                shape.parents.push(main);
                let mut draft = forge.repository.draft();
                let made = forge.commit(&mut draft, shape);
                forge.put(&mut draft, &task_ref("api"), made);
            },
            clean: anew,
        },
        Attack {
            name: "5b a step is there twice",
            rule: "order",
            ask: all,
            forge: |forge| {
                let tip = forge.tip(&task_ref("api"));
                let mut draft = forge.repository.draft();
                let made = forge.commit(&mut draft, Shape { parents: vec![tip], ..forge.shape(tip) });
                forge.put(&mut draft, &task_ref("api"), made);
            },
            clean: anew,
        },
        Attack {
            name: "5c a step of another task stands in the line",
            rule: "chain",
            ask: all,
            forge: |forge| {
                let web = forge.shape(forge.steps("web")[0]);
                forge.rewrite("api", |seq, shape| {
                    Some(if seq == 3 { Shape { parents: shape.parents, ..web.clone() } } else { shape })
                });
            },
            clean: anew,
        },
        Attack {
            name: "5d an honest commit of a person stands in the line",
            rule: "chain",
            ask: all,
            forge: |forge| {
                forge.rewrite("api", |seq, shape| {
                    let message = if seq == 4 { "mend\n".to_owned() } else { shape.message };
                    Some(Shape { message, ..shape })
                });
            },
            clean: anew,
        },
        Attack {
            name: "1e a step was made on what is none of its task",
            rule: "record",
            ask: all,
            forge: |forge| {
                let other = forge.steps("web")[0];
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        lie.record.base = other;
                    }
                });
            },
            clean: refolded,
        },
    ]
}

fn files() -> Vec<Attack> {
    vec![
        Attack {
            name: "16b a test is moved away",
            rule: "protected",
            ask: all,
            forge: |forge| put(forge, &[("tests/old.txt", None), ("gone/old.txt", Some("a test\n"))]),
            clean: |forge| put(forge, &[("src/lib.rs", None), ("src/moved.rs", Some("fn one() {}\n"))]),
        },
        Attack {
            name: "16c a file is moved to where the gate looks",
            rule: "protected",
            ask: all,
            forge: |forge| put(forge, &[("src/lib.rs", None), (".githooks/pre-push", Some("fn one() {}\n"))]),
            clean: refolded,
        },
        Attack {
            name: "16d a test becomes a program",
            rule: "protected",
            ask: all,
            forge: |forge| mode_of(forge, "tests/old.txt", "100755"),
            clean: |forge| mode_of(forge, "src/lib.rs", "100755"),
        },
        Attack {
            name: "16e what is protected is spelled in other letters",
            rule: "protected",
            ask: all,
            forge: |forge| put(forge, &[("deep/.Claude/Settings.json", Some("{}\n"))]),
            clean: |forge| put(forge, &[("deep/claude/settings.json", Some("{}\n"))]),
        },
        Attack {
            name: "22c a link leads out of the repository",
            rule: "tree",
            ask: all,
            forge: |forge| in_tree(forge, &link(forge, "../../.ssh/authorized_keys")),
            clean: |forge| in_tree(forge, &link(forge, "src/../README")),
        },
        Attack {
            name: "24b a file is put where some file systems have ours",
            rule: "tree",
            ask: all,
            forge: |forge| put(forge, &[(".HandOff/config.toml", Some("version = 1\n"))]),
            clean: |forge| put(forge, &[("src/.handoff/config.toml", Some("version = 1\n"))]),
        },
        Attack {
            name: "22d the state of another task is changed on the way",
            rule: "handoff",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 3 {
                        let web = layout::checkpoint(&"web".parse().expect("an id"));
                        lie.handoff = vec![(web, b"schema = 1\n".to_vec())];
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "36c a record is too deep to be read",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 2 {
                        lie.text = Some(|text| {
                            let deep = format!("{{\n  \"later\": {}{},\n", "[".repeat(200), "]".repeat(200));
                            text.replacen("{\n", &deep, 1)
                        });
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "36d a number is too large to be one",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 2 {
                        lie.text = Some(|text| text.replacen("{\n", "{\n  \"later\": 1e999,\n", 1));
                    }
                });
            },
            clean: refolded,
        },
    ]
}

fn states() -> Vec<Attack> {
    vec![
        Attack {
            name: "20e a task follows another workflow than its file's",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 1 {
                        lie.state = Some(|state| {
                            state.workflow.phases.retain(|spec| spec.id.as_str() != "code-review");
                            state.workflow.phases.iter_mut().for_each(|spec| {
                                spec.needs.iter_mut().filter(|need| need.as_str() == "code-review").for_each(|need| {
                                    *need = "implement".parse().expect("a phase");
                                });
                            });
                        });
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "20f a task has a label that its file does not give it",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 1 {
                        lie.state = Some(|state| state.labels.push("trivial".into()));
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "20g steps are not counted",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.seq == 4 {
                        lie.state = Some(|state| state.spent.duration_ms = 0);
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "20h what a task's changes are made on is another under code that is written",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    if lie.record.gate.is_some() {
                        lie.record.new_base = Some(lie.record.base);
                    }
                });
            },
            clean: refolded,
        },
        Attack {
            name: "39d who reviews had a part in the work",
            rule: "reviewer",
            ask: all,
            forge: |forge| has_part(forge, "two", None),
            clean: |forge| has_part(forge, "three", Some("a-model")),
        },
        Attack {
            name: "39e who reviews had a part in the work, under another family's name",
            rule: "reviewer",
            ask: all,
            forge: |forge| has_part(forge, "three", Some("reviewers-model")),
            clean: refolded,
        },
        Attack {
            name: "58 a person decides in another's name",
            rule: "record",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| skips(lie, "Linus <linus@example.com>"));
            },
            clean: |forge| {
                forge.refold("api", |lie| skips(lie, "Tess Ter <tess@example.com>"));
            },
        },
        Attack {
            name: "58b a person's word changes code",
            rule: "code",
            ask: all,
            forge: |forge| {
                forge.refold("api", |lie| {
                    skips(lie, "Tess Ter <tess@example.com>");
                    if lie.seq == 2 {
                        lie.code = vec![("more.txt".into(), Some(b"evil\n".to_vec()))];
                        lie.stale = true;
                    }
                });
            },
            clean: refolded,
        },
    ]
}

/// Another agent is asked within the third step; the fourth reviews it.
fn has_part(forge: &Forge, family: &str, model: Option<&str>) {
    forge.refold("api", |lie| {
        if lie.seq == 3 {
            lie.record.calls = vec![ModelCall {
                purpose: Purpose::Brief,
                agent: "cal".into(),
                model: model.map(str::to_owned),
                family: Family(family.into()),
                duration_ms: 1,
                tokens: lie.record.tokens,
                cost_usd: None,
            }];
        }
        if let (4, Actor::Agent { model, .. }) = (lie.seq, &mut lie.record.actor) {
            *model = Some("reviewers-model".into());
        }
    });
}

/// Signs the last step anew, for a purpose.
fn resign(forge: &Forge, purpose: &str) {
    let tip = forge.tip(&task_ref("api"));
    let text = forge.sandbox.git(&["cat-file", "commit", &tip.to_string()]) + "\n";
    let (start, end) = (text.find("gpgsig ").expect("signed"), text.find("\n\n").expect("a message") + 1);
    let payload = forge.sandbox.outside("payload");
    std::fs::write(&payload, format!("{}{}", &text[..start], &text[end..])).expect("written");
    let key = forge.sandbox.outside("home/.local/share/git-orchestrate/id_ed25519");
    let mut keygen = std::process::Command::new("ssh-keygen");
    let output = keygen.args(["-Y", "sign", "-n", purpose, "-f"]).arg(key).arg(&payload).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let signature = std::fs::read_to_string(payload.with_extension("sig")).expect("readable");
    let folded = signature.trim_end().replace('\n', "\n ");
    let signed = format!("{}gpgsig {folded}\n{}", &text[..start], &text[end..]);
    write_object(forge, "commit", signed.as_bytes(), &task_ref("api"));
}

fn link(forge: &Forge, target: &str) -> String {
    let file = forge.sandbox.outside("target");
    std::fs::write(&file, target).expect("written");
    format!("120000 blob {}\tway", forge.sandbox.git(&["hash-object", "-w", &file.display().to_string()]))
}

/// Gives a file of the third step's code another mode.
fn mode_of(forge: &Forge, path: &str, mode: &str) {
    let git = |words: &[&str]| forge.sandbox.git(words);
    let root = forge.raw(forge.steps("api")[2]).tree;
    let code = forge.code_with(root, &[]).to_string();
    let index = forge.sandbox.outside("index").display().to_string();
    let at = format!("--git-dir={}", forge.sandbox.git_dir().display());
    let with = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.arg(&at).args(words).env("GIT_INDEX_FILE", &index).current_dir(forge.sandbox.path());
        let output = command.output().expect("git starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    let blob = git(&["rev-parse", &format!("{code}:{path}")]);
    with(&["read-tree", &code]);
    with(&["update-index", "--cacheinfo", &format!("{mode},{blob},{path}")]);
    let tree = with(&["write-tree"]).parse().expect("a name");
    forge.refold("api", |lie| {
        if lie.seq >= 3 {
            lie.tree = Some(tree);
        }
    });
}
