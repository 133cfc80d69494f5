//! The user's own hooks as a check of the gate: asked about what is judged as git asks them about a commit, and nothing of the
//! user's changes by it. Knows nothing of our own hooks.

use std::fs;

use crate::{
    kit::{agents::config, program::Ended, sandbox::Sandbox},
    scene::{Scene, everything, same},
};

/// Tells what it is asked about; refuses a word, and mends another.
const PRE_COMMIT: &str = r#"#!/bin/sh
{
    echo "on $(git log -1 --format=%s), in ${PWD##*/}:"
    git diff --cached --name-status
} >>"$TOLD"
if git diff --cached | grep -q '^+.*FORBIDDEN'; then
    echo 'not that word' >&2
    exit 1
fi
for file in $(git diff --cached --name-only --diff-filter=d); do
    if grep -q TABS "$file"; then
        echo spaces >"$file"
        git add "$file"
    fi
done
"#;

const COMMIT_MSG: &str = "#!/bin/sh\necho \"message $(head -n 1 \"$1\")\" >>\"$TOLD\"\n! grep -q WRONG \"$1\"\n";

/// A repository whose gates ask its hooks, which are in this directory.
fn scene(dir: &str) -> Scene {
    let settings = config("single") + "\n[hooks]\nrun_user_hooks = true\n";
    let scene = Scene::around(Sandbox::new().with_agents(&settings));
    let told = scene.sandbox.outside("told").display().to_string();
    for (name, text) in [("pre-commit", PRE_COMMIT), ("commit-msg", COMMIT_MSG)] {
        scene.hook(&scene.sandbox.path().join(dir), name, &text.replace("$TOLD", &told));
    }
    scene.sandbox.commit("first");
    scene
}

fn told(scene: &Scene) -> String {
    let path = scene.sandbox.outside("told");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    text
}

/// Commits a file past all hooks, and has the gate judge it beside what was before.
fn gate(scene: &Scene, file: &str, text: &str, message: &str) -> Ended {
    scene.sandbox.write(file, text);
    scene.sandbox.commit(message);
    told(scene);
    scene.orchestrate_in(&scene.sandbox.path(), &["gate", "HEAD", "--against", "HEAD~1"])
}

#[test]
fn they_see_what_git_would_show_them_and_can_refuse() {
    let scene = scene(".git/hooks");
    gate(&scene, "good.txt", "good\n", "second").expect(0);
    let said = told(&scene);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("on Code of "), "the base without our files: {said}");
    assert_eq!(lines[1..], ["A\tgood.txt", "message second"], "{said}");

    let ended = gate(&scene, "bad.txt", "FORBIDDEN\n", "third");
    ended.expect(1);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("user-hooks") && said.contains("not that word"), "{said}");
    assert!(!told(&scene).contains("message"), "git does not ask for the message then");

    let ended = gate(&scene, "tabs.txt", "TABS\n", "fourth");
    ended.expect(1);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("changes what would be committed") && said.contains("M\ttabs.txt"), "{said}");
    assert_eq!(scene.sandbox.read("tabs.txt"), "TABS\n", "not in the user's checkout");

    let ended = gate(&scene, "good.txt", "better\n", "WRONG words");
    assert_ne!(ended.code(), Some(0));
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains("the commit-msg hook refuses a message of ours, which no agent can change"), "{said}");
}

#[test]
fn nothing_of_the_users_changes() {
    let scene = scene(".git/hooks");
    // Ours are there too, and know that it is not a commit.
    scene.hooks(&["install", "--pre-commit"]);
    scene.sandbox.write("other.txt", "staged\n");
    scene.sandbox.git(&["add", "other.txt"]);
    gate(&scene, "good.txt", "good\n", "second").expect(0);
    scene.sandbox.write("staged.txt", "staged\n");
    scene.sandbox.git(&["add", "staged.txt"]);
    let files = || {
        let mut all = everything(&scene.sandbox.git_dir());
        all.retain(|path, _| !["orchestrate", "objects", "worktrees"].iter().any(|own| path.starts_with(own)));
        all
    };
    let before = files();
    scene.orchestrate_in(&scene.sandbox.path(), &["gate", "HEAD", "--against", "HEAD~1", "--fresh"]).expect(0);
    same(&before, &files(), "the gate");
    let left = fs::read_dir(scene.sandbox.local()).expect("ours").flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("commit-")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(told(&scene).matches("message second").count(), 2, "once before, once again");
}

#[test]
fn those_of_husky_are_found_from_the_gates_checkout() {
    let scene = scene(".husky/_");
    fs::write(scene.sandbox.path().join(".husky/_/.gitignore"), "*").expect("written");
    scene.sandbox.git(&["rm", "-rq", "--cached", ".husky"]);
    scene.sandbox.git(&["config", "core.hooksPath", ".husky/_"]);
    for words in [&[][..], &["install"]] {
        if !words.is_empty() {
            scene.hooks(words);
        }
        gate(&scene, "bad.txt", &format!("FORBIDDEN {}\n", words.len()), "second").expect(1);
        assert!(told(&scene).contains("\tbad.txt"), "asked");
    }
}

#[test]
fn an_agents_work_goes_back_if_they_refuse_it() {
    let scene = scene(".git/hooks");
    scene.sandbox.script("implement", "if [ $attempt = 1 ]; then echo FORBIDDEN; else echo fine; fi > $task.txt");
    scene.sandbox.task("api", "");
    scene.sandbox.commit("a task");
    scene.sandbox.run(&["start"]).expect(0);
    let said = told(&scene);
    assert!(said.contains("A\tapi.txt") && said.contains("message api: "), "{said}");
    let runs = scene.sandbox.agent_runs("end");
    assert_eq!(runs.iter().map(|run| run.attempt).max(), Some(2), "{runs:?}");
    scene.sandbox.run(&["verify"]).expect(0);
}
