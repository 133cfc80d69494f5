//! Lies about landings.
//! Knows nothing of how steps are forged.

use git_orchestrate::{
    handoff::layout,
    model::{object::Digest, record::CheckResult},
};

use crate::{
    forge::{Forge, INTEGRATION, Key, task_ref},
    list::{Attack, all},
};

fn anew(forge: &Forge) {
    forge.reland(|_, _, _| {});
}

fn web() -> String {
    layout::landing(&"web".parse().expect("an id"))
}

pub fn attacks() -> Vec<Attack> {
    vec![
        Attack {
            name: "19 what landed is not what was gated",
            rule: "landing",
            ask: all,
            forge: |forge| {
                forge.reland(|_, _, files| files.push(("web.txt".into(), Some(b"evil\n".to_vec()))));
            },
            clean: anew,
        },
        Attack {
            name: "19b what landed was gated, and is not what the task made",
            rule: "landing",
            ask: all,
            forge: |forge| {
                let root = forge.raw(forge.tip(INTEGRATION)).tree;
                let code = forge.code_with(root, &[("more.txt", "more\n")]);
                forge.reland(|record, _, files| {
                    files.push(("more.txt".into(), Some(b"more\n".to_vec())));
                    record.code = code;
                    record.gate.as_mut().expect("a verdict").tree = code;
                });
            },
            clean: anew,
        },
        Attack {
            name: "49 what landed carries no record",
            rule: "landing",
            ask: all,
            forge: |forge| {
                forge.reland(|_, _, files| files.push((web(), None)));
            },
            clean: anew,
        },
        Attack {
            name: "49b no verdict is on what landed",
            rule: "landing",
            ask: all,
            forge: |forge| {
                forge.reland(|record, _, _| record.gate = None);
            },
            clean: anew,
        },
        Attack {
            name: "49c the gate refused what landed",
            rule: "landing",
            ask: all,
            forge: |forge| {
                forge.reland(|record, _, _| record.gate.as_mut().expect("a verdict").result = CheckResult::Fail);
            },
            clean: anew,
        },
        Attack {
            name: "14c what landed was judged by a gate that asks for less",
            rule: "definition",
            ask: all,
            forge: |forge| {
                forge.reland(|record, _, _| {
                    let text = record.definition.as_ref().expect("a text").replace("grep -rq BROKEN", "true #");
                    record.gate.as_mut().expect("a verdict").definition = Digest::of(&text);
                    record.definition = Some(text);
                });
            },
            clean: anew,
        },
        Attack {
            name: "50 a landing is of another merge",
            rule: "landing",
            ask: all,
            forge: |forge| {
                let other = forge.tip("refs/heads/main");
                forge.reland(|record, _, _| record.onto = other);
            },
            clean: anew,
        },
        Attack {
            name: "51 a task lands that is not finished",
            rule: "landing",
            ask: all,
            forge: |forge| {
                // The step before the gate is merged, with its state.
                let early = forge.steps("web")[0];
                let path = layout::checkpoint(&"web".parse().expect("an id"));
                let state = forge.repository.read(early, &path).expect("readable").expect("a state");
                forge.reland(|record, shape, files| {
                    shape.parents[1] = early;
                    record.tip = early;
                    files.push((path, Some(state)));
                });
            },
            clean: anew,
        },
        Attack {
            name: "51b the state that lands is another",
            rule: "checkpoint",
            ask: all,
            forge: |forge| {
                let path = layout::checkpoint(&"web".parse().expect("an id"));
                let tip = forge.tip(INTEGRATION);
                let state = forge.repository.read(tip, &path).expect("readable").expect("a state");
                let other = String::from_utf8(state).expect("text").replace("attempts_max = 3", "attempts_max = 4");
                forge.reland(|_, _, files| files.push((path, Some(other.into_bytes()))));
            },
            clean: anew,
        },
        Attack {
            name: "52 a landing is not signed",
            rule: "signature",
            ask: all,
            forge: |forge| {
                forge.reland(|_, shape, _| shape.key = Key::None);
            },
            clean: anew,
        },
        Attack {
            name: "53 a landing touches the keys",
            rule: "handoff",
            ask: all,
            forge: |forge| {
                let line = format!("* {}\n", forge.other.public_key_line().expect("a key"));
                forge.reland(|_, _, files| files.push((layout::ALLOWED_SIGNERS.into(), Some(line.into_bytes()))));
            },
            clean: anew,
        },
        Attack {
            name: "54 a landing merges a commit that is no step of its task",
            rule: "landing",
            ask: all,
            forge: |forge| {
                let other = forge.tip(&task_ref("api"));
                forge.reland(|record, shape, _| {
                    shape.parents[1] = other;
                    record.tip = other;
                });
            },
            clean: anew,
        },
        Attack {
            name: "54b a landing has three parents",
            rule: "landing",
            ask: all,
            forge: |forge| {
                let main = forge.tip("refs/heads/main");
                forge.reland(|_, shape, _| shape.parents.push(main));
            },
            clean: |forge| {
                // A person's merge may have as many as it likes.
                let tip = forge.tip(INTEGRATION).to_string();
                let tree = format!("{tip}^{{tree}}");
                let other = forge.sandbox.git(&["commit-tree", "-m", "x", "HEAD^{tree}"]);
                let words = ["commit-tree", "-m", "all", "-p", "HEAD", "-p", &tip, "-p", &other, &tree];
                let merged = forge.sandbox.git(&words);
                forge.sandbox.git(&["update-ref", "refs/heads/main", &merged]);
            },
        },
        Attack {
            name: "54c a commit says that it is a landing, and merges nothing",
            rule: "landing",
            ask: all,
            forge: |forge| {
                forge.reland(|_, shape, _| shape.parents.truncate(1));
            },
            clean: anew,
        },
        Attack {
            name: "54d a landing's message promises more",
            rule: "trailers",
            ask: all,
            forge: |forge| {
                forge.reland(|_, shape, _| shape.message.push_str("Reviewed-by: Linus <linus@example.com>\n"));
            },
            clean: anew,
        },
        Attack {
            name: "19c a merge undoes what landed before",
            rule: "landing",
            ask: all,
            forge: |forge| {
                forge.reland(|record, shape, files| {
                    let code = forge.code_with(shape.tree, &[]);
                    let without = forge.code_without(code, "api.txt");
                    files.push(("api.txt".into(), None));
                    record.code = without;
                    record.gate.as_mut().expect("a verdict").tree = without;
                });
            },
            clean: anew,
        },
        Attack {
            name: "49d a person's commit brings a verdict of its own",
            rule: "handoff",
            ask: all,
            forge: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
                let text = forge.sandbox.read(&web());
                forge.sandbox.write(&layout::landing_onto(), text);
                forge.sandbox.commit("it was gated");
            },
            clean: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-edit", "orchestrate/integration"]);
                forge.sandbox.write("README", "gated\n");
                forge.sandbox.commit("it was gated");
            },
        },
        Attack {
            name: "49e a person's merge brings a verdict of its own",
            rule: "signature",
            ask: all,
            forge: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-ff", "--no-commit", "orchestrate/integration"]);
                let text = forge.sandbox.read(&web());
                forge.sandbox.write(&layout::landing_onto(), text);
                forge.sandbox.commit("it was gated");
            },
            clean: |forge| {
                forge.sandbox.git(&["merge", "-q", "--no-ff", "--no-commit", "orchestrate/integration"]);
                forge.sandbox.commit("it was gated");
            },
        },
    ]
}
