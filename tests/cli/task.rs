//! `task`.

use snapbox::str;

use crate::sandbox::Sandbox;

#[test]
fn a_task_is_added_listed_and_shown() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&[
            "task",
            "add",
            "Add a --json flag to `list`",
            "--risk",
            "low",
            "--area",
            "cli",
            "--accept",
            "list --json prints an array",
            "--budget",
            "1.5",
            "--timeout",
            "90m",
            "--file",
            "src/**",
            "--label",
            "quick",
        ])
        .is(0, "T-001  .handoff/tasks/T-001.toml\n", "");
    snapbox::assert_data_eq!(
        sandbox.read(".handoff/tasks/T-001.toml"),
        str![[r#"
id = "T-001"
title = "Add a --json flag to `list`"
risk = "low"
area = "cli"
complexity = "medium"
files = ["src/**"]
acceptance = ["list --json prints an array"]
labels = ["quick"]
budget_usd = 1.5
timeout = "1h30m"

"#]]
    );
    let add = ["task", "add", "Write it down", "--id", "docs", "--depends-on", "T-001", "--priority", "-3"];
    sandbox.run(&add).is(0, "docs  .handoff/tasks/docs.toml\n", "");
    sandbox.run(&["task", "list"]).is(
        0,
        str![[r#"
TASK   PRIORITY  RISK    AREA  DEPENDS ON  TITLE
T-001            low     cli               Add a --json flag to `list`
docs         -3  medium        T-001       Write it down

"#]],
        "",
    );
    sandbox.run(&["task", "show", "T-001"]).is(
        0,
        str![[r#"
T-001  Add a --json flag to `list`
  area       cli
  risk       low
  complexity medium
  files      src/**
  labels     quick
  budget     $1.50
  timeout    1h30m

acceptance
  - list --json prints an array

.handoff/tasks/T-001.toml

"#]],
        "",
    );
    let json: serde_json::Value =
        serde_json::from_str(&sandbox.run(&["task", "list", "--json"]).stdout).expect("it is JSON");
    assert_eq!((json["schema"].as_i64(), json["tasks"][1]["depends_on"][0].as_str()), (Some(1), Some("T-001")));
}

#[test]
fn a_goal_comes_from_a_file_or_from_standard_input() {
    let sandbox = Sandbox::new();
    sandbox.write("notes.md", "One line\nand another\n");
    assert_eq!(sandbox.run(&["task", "add", "One", "--goal-file", "notes.md"]).code, 0);
    assert_eq!(sandbox.run_with_input(&["task", "add", "Two", "--goal-file", "-"], "From a pipe\n").code, 0);
    let shown = |id| sandbox.run(&["task", "show", id]).stdout;
    assert!(shown("T-001").contains("\ngoal\n  One line\n  and another\n"), "{}", shown("T-001"));
    assert!(shown("T-002").contains("\ngoal\n  From a pipe\n"), "{}", shown("T-002"));
    let missing = sandbox.run(&["task", "add", "Three", "--goal-file", "none.md"]);
    assert!(missing.stderr.starts_with("fatal: cannot read the goal from 'none.md': "), "{}", missing.stderr);
}

#[test]
fn what_cannot_be_a_task_is_not_added() {
    let sandbox = Sandbox::new();
    sandbox.run(&["task", "add", "An API", "--id", "api"]);
    for (words, stderr) in [
        (&["task", "add", " "][..], "fatal: [..]title[..]\n...\n"),
        (&["task", "add", "x", "--depends-on", "apo"], "fatal: there is no task 'apo'\nhint: did you mean 'api'?\n"),
        (&["task", "add", "x", "--id", "API"], "fatal: '.handoff/tasks/api.toml' is there already\n...\n"),
        (
            &["task", "add", "x", "--workflow", "standart"],
            "fatal: there is no workflow 'standart'\nhint: did you mean 'standard'?\n",
        ),
    ] {
        let ran = sandbox.run(words);
        assert_ne!(ran.code, 0, "{words:?}");
        snapbox::assert_data_eq!(ran.stderr, snapbox::Data::text(stderr));
    }
    assert_eq!(sandbox.status(), "?? .handoff/tasks/api.toml\n");
}

#[test]
fn options_change_fields_and_keep_what_was_written_by_hand() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/tasks/api.toml", "# why: see the minutes\ntitle = \"An API\"\narea = \"net\" # for now\n");
    sandbox.run(&["task", "edit", "api", "--priority", "5", "--area", ""]).is(0, "api  .handoff/tasks/api.toml\n", "");
    let text = sandbox.read(".handoff/tasks/api.toml");
    assert!(text.starts_with("# why: see the minutes\ntitle = \"An API\"\n"), "{text}");
    assert!(text.contains("priority = 5") && !text.contains("area ="), "{text}");
    sandbox.run(&["task", "edit", "api", "--priority", "5"]).is(0, "", "nothing was changed\n");
    let ran = sandbox.run(&["task", "edit", "api", "--depends-on", "api"]);
    assert_eq!(ran.code, 128);
    assert_eq!(sandbox.read(".handoff/tasks/api.toml"), text, "a wrong change is not written");
}

#[test]
fn the_editor_is_the_one_of_git_and_what_it_leaves_is_checked() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/tasks/api.toml", "title = \"An API\"\n");
    let edit = |script: &str| {
        let mut command = sandbox.orchestrate(&["task", "edit", "api"]);
        command.env("GIT_EDITOR", script);
        sandbox.end(command)
    };
    edit("sed -i s/An/The/").is(0, "api  .handoff/tasks/api.toml\n", "");
    assert_eq!(sandbox.read(".handoff/tasks/api.toml"), "title = \"The API\"\n");
    edit("true").is(0, "", "nothing was changed\n");
    edit("sed -i s/title/titel/").is(
        128,
        "",
        str![[r#"
fatal: 'title' is missing
  at .handoff/tasks/api.toml
fatal: unknown key 'titel'
  at .handoff/tasks/api.toml:1
hint: did you mean 'title'?
fatal: the task was not changed
hint: your text is kept in '[SANDBOX]/repo/.git/orchestrate/EDIT-api.toml'

"#]],
    );
    edit("false").is(128, "", "fatal: there was a problem with the editor 'false': exit code 1\n");
    assert_eq!(sandbox.read(".handoff/tasks/api.toml"), "title = \"The API\"\n");
    // The repository's own settings are not asked: what runs in it could have written them.
    sandbox.git(&["config", "core.editor", "sed -i s/The/Evil/"]);
    sandbox.run(&["task", "edit", "api"]).is(
        128,
        "",
        "fatal: the terminal is dumb, and no editor is set\nhint: export EDITOR=<program>\n",
    );
    sandbox.git(&["config", "--global", "core.editor", "sed -i s/The/Our/"]);
    assert_eq!(sandbox.run(&["task", "edit", "api"]).code, 0);
    assert_eq!(sandbox.read(".handoff/tasks/api.toml"), "title = \"Our API\"\n");
}

#[test]
fn prompts_are_imported_a_task_each_and_twice_is_harmless() {
    let sandbox = Sandbox::new();
    sandbox.write("prompts/fix-login.md", "# Fix the login\n\nIt fails on Mondays.\n");
    sandbox.write("prompts/docs.toml", "title = \"Write it down\"\ndepends_on = [\"fix-login\"]\n");
    sandbox.run(&["task", "import", "prompts"]).is(
        0,
        str![[r#"
docs  .handoff/tasks/docs.toml  (prompts/docs.toml)
fix-login  .handoff/tasks/fix-login.md  (prompts/fix-login.md)
2 tasks imported

"#]],
        "",
    );
    let again = sandbox.run(&["task", "import", "prompts/"]);
    assert_eq!((again.code, again.stdout.lines().last()), (0, Some("0 tasks imported")));
    let ran = sandbox.run(&["task", "show", "fix-login"]);
    assert!(ran.stdout.contains("Fix the login") && ran.stdout.contains("It fails on Mondays."), "{}", ran.stdout);
    let wrong = sandbox.run(&["task", "import", "none.md"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (128, ""));
}

#[test]
fn a_near_name_is_offered() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/tasks/api.toml", "title = \"An API\"\n");
    sandbox.run(&["task", "show", "apy"]).is(4, "", "fatal: there is no task 'apy'\nhint: did you mean 'api'?\n");
    sandbox.run(&["task", "show", "zzzzzz"]).is(
        4,
        "",
        "fatal: there is no task 'zzzzzz'\nhint: git orchestrate task list\n",
    );
}
