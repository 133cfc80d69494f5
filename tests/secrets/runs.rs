//! What becomes of secrets in whole runs: agents that write, print and are shown them.
//! Knows nothing of how they are recognised.

use std::{fs, path::Path};

use crate::kit::{agents::config, sandbox::Sandbox, state::Branches};

/// A token that nobody was given, in two halves.
const HALVES: (&str, &str) = ("gh", "p_q7Rk2mZp9XvB4nTsW8cL1yHd5fJ3gKaE6uPo");

fn token() -> String {
    format!("{}{}", HALVES.0, HALVES.1)
}

/// Lines of sh that put it into `$token`.
fn token_in_sh() -> String {
    format!("token={}''{}\n", HALVES.0, HALVES.1)
}

fn sandbox(more: &str) -> Sandbox {
    let config = config("single").replace("jobs = 2", "jobs = 1");
    let sandbox = Sandbox::new().with_agents(&format!("{config}{more}"));
    sandbox.task("a", "");
    sandbox
}

/// All text that can be reached from refs by this pattern.
fn reachable(sandbox: &Sandbox, refs: &str) -> String {
    let names = sandbox.git(&["for-each-ref", "--format=%(refname)", refs]);
    names.lines().map(|name| sandbox.git(&["log", "-p", "--text", "-m", name])).collect()
}

/// Files below a directory that hold the text.
fn files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_secret_is_refused_before_its_commit_exists_and_never_told() {
    let sandbox = sandbox("");
    let script = "echo \"I wrote $token into it\"
        answer \"{\\\"summary\\\": \\\"it says $token\\\"}\"
        echo fine > other.txt
        if [ $attempt = 1 ]; then printf 'one\\ntoken = \"%s\"\\n' $token > new.py; else echo clean > new.py; fi";
    sandbox.script("implement", &format!("{}{script}", token_in_sh()));
    sandbox.run(&["start"]).expect(0);
    let branches = Branches::of(&sandbox);
    branches.check();
    assert_eq!(branches.landed, ["a"]);
    let (token, steps) = (token(), &branches.steps["a"]);
    assert_eq!(steps[0].2, "implement");
    let first = sandbox.git(&["show", "--format=%B", "--stat", &steps[0].0]);
    assert!(first.contains("Orchestrate-Outcome: failed"), "{first}");
    assert!(first.contains("other.txt") && !first.contains("new.py |"), "{first}");
    let record = sandbox.git(&["show", &format!("{}:.handoff/steps/a/0001-implement.json", steps[0].0)]);
    for words in ["it wrote what looks like a secret: new.py, line 2", "github-token", "put it together from parts"] {
        assert!(record.contains(words), "{words}: {record}");
    }
    let all = reachable(&sandbox, "refs/heads/");
    assert!(all.contains("[redacted: github-token]") && !all.contains(&token));
    assert!(reachable(&sandbox, "refs/orchestrate/transcripts/").contains("I wrote [redacted: github-token] into it"));
    assert!(!reachable(&sandbox, "refs/orchestrate/transcripts/").contains(&token));
    assert!(reachable(&sandbox, "refs/orchestrate/salvage/").contains(&token), "the work itself is kept");
    assert_eq!(files_with(&sandbox.local(), &token), Vec::<String>::new());
}

#[test]
fn what_was_there_before_is_not_blamed() {
    let sandbox = sandbox("");
    sandbox.write("old.py", format!("a = 1\nt = '{}'\n", token()));
    sandbox.write("moved.py", format!("b = 1\nt = '{}'\n", token().replace('q', "r")));
    sandbox.commit("with secrets");
    sandbox.script("implement", "echo 'c = 3' >> old.py; git mv moved.py there.py; echo 'd = 4' >> there.py");
    sandbox.run(&["start"]).expect(0);
    assert_eq!(Branches::of(&sandbox).landed, ["a"]);
    // A copy is the agent's own doing.
    sandbox.task("b", "");
    sandbox.script("b/implement", "if [ $attempt = 1 ]; then cp old.py copy.py; else echo 1 > copy.py; fi");
    sandbox.run(&["start"]).expect(0);
    let branches = Branches::of(&sandbox);
    let first = sandbox.git(&["show", "-s", "--format=%B", &branches.steps["b"][0].0]);
    assert!(first.contains("copy.py, line 2") && first.contains("Outcome: failed"), "{first}");
}

#[test]
fn no_comment_of_an_agent_excuses_its_own_secret() {
    let sandbox = sandbox("");
    let script = "[ $attempt != 1 ] || echo \"t = '$token' # git-orchestrate:allow-secret\" > new.py; echo 1 > one";
    sandbox.script("implement", &format!("{}{script}", token_in_sh()));
    sandbox.run(&["start"]).expect(0);
    let branches = Branches::of(&sandbox);
    let first = sandbox.git(&["show", "-s", "--format=%B", &branches.steps["a"][0].0]);
    assert!(first.contains("Outcome: failed"), "{first}");
}

#[test]
fn a_person_allows_warns_or_looks_away() {
    for (more, is_warned) in [
        ("[secrets]\nallow = ['path:fixtures/**']\n", false),
        ("[secrets]\nallow = ['rule:github-token']\n", false),
        ("[secrets]\nscan = 'warn'\n", true),
        ("[secrets]\nscan = 'off'\n", false),
    ] {
        let sandbox = sandbox(more);
        sandbox.script("implement", &format!("{}mkdir fixtures; echo $token > fixtures/a", token_in_sh()));
        let said = sandbox.run(&["start"]);
        said.expect(0);
        let warning = said.stderr.contains("a implement wrote what looks like a secret: fixtures/a, line 1");
        assert_eq!(warning, is_warned, "{more}: {}", said.stderr);
        assert!(!said.stderr.contains(&token()));
        assert_eq!(sandbox.git(&["show", "orchestrate/integration:fixtures/a"]), token(), "{more}");
    }
}

#[test]
fn a_prompt_holds_no_secret_and_it_is_said() {
    let sandbox = sandbox("");
    sandbox.task("a", "context = ['src/*']\n");
    sandbox.write("src/config.py", format!("a = 1\nt = '{}'\n", token()));
    sandbox.commit("with a secret");
    let shown = sandbox.run(&["show", "a", "--prompt", "implement"]);
    shown.expect(0);
    assert!(shown.stdout.contains("t = '[redacted: github-token]'"), "{}", shown.stdout);
    sandbox.script("implement", "cat > prompt; grep -c redacted prompt; echo 1 > one; rm prompt");
    let said = sandbox.run(&["start"]);
    said.expect(0);
    let words = "left out of what ann is told for a: file src/config.py, line 2: a personal access token of GitHub";
    assert!(said.stderr.contains(words), "{}", said.stderr);
}

#[test]
fn the_values_that_agents_are_given_are_kept_out() {
    let value = "correct horse battery";
    let sandbox = Sandbox::new();
    let more = format!("env = {{ SERVICE_PASSWORD = \"{value}\" }}\n");
    let config = config("single")
        .replace("jobs = 2", "jobs = 1")
        .replace("family = \"one\"\n", &format!("family = \"one\"\n{more}"));
    let sandbox = sandbox.with_agents(&config);
    sandbox.task("a", "");
    let script =
        "echo \"it is $SERVICE_PASSWORD\"; [ $attempt != 1 ] || echo \"$SERVICE_PASSWORD\" > new.txt; echo 1 > one";
    sandbox.script("implement", script);
    sandbox.run(&["start"]).expect(0);
    let branches = Branches::of(&sandbox);
    let first = sandbox.git(&["show", "--format=%B", &branches.steps["a"][0].0]);
    assert!(first.contains("the value of SERVICE_PASSWORD, which was passed on (passed-on)"), "{first}");
    let transcripts = reachable(&sandbox, "refs/orchestrate/transcripts/");
    assert!(transcripts.contains("it is [redacted: passed-on SERVICE_PASSWORD]") && !transcripts.contains(value));
}
