//! `plan`.

use snapbox::str;

use crate::sandbox::Sandbox;

const CONFIG: &str = "version = 1
[agents.claude]
adapter = \"claude\"
model = \"claude-sonnet-4-5\"
[agents.codex]
adapter = \"codex\"
[roles]
default = [\"claude\", \"codex\"]
";

/// A library of a few files that import each other, committed, with a queue on it.
fn library() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.toml", "[package]\nname = \"shelf\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    sandbox.write("src/lib.rs", "pub mod book;\npub mod loan;\npub mod print;\n");
    sandbox.write("src/book.rs", "pub struct Book;\n");
    sandbox.write("src/loan.rs", "use crate::book::Book;\npub fn lend(_: &Book) {}\n");
    sandbox.write("src/print.rs", "pub fn print() {}\n");
    sandbox.write("tests/book.rs", "use shelf::book::Book;\n");
    sandbox.write(".handoff/config.toml", CONFIG);
    sandbox.git(&["add", "."]);
    sandbox.git(&["commit", "--quiet", "--message=the library"]);
    sandbox.write(".handoff/tasks/isbn.toml", "title = \"Books have an ISBN\"\nfiles = [\"src/book.rs\"]\n");
    sandbox.write(
        ".handoff/tasks/title.toml",
        "title = \"Books have a title\"\nfiles = [\"src/book.rs\"]\npriority = 5\ncomplexity = \"small\"\n",
    );
    sandbox.write(".handoff/tasks/due.toml", "title = \"Loans have a day\"\nfiles = [\"src/loan.rs\"]\n");
    sandbox.write(
        ".handoff/tasks/label.toml",
        "title = \"Print labels\"\nfiles = [\"src/print.rs\"]\ndepends_on = [\"isbn\"]\n",
    );
    sandbox
}

#[test]
fn the_whole_queue_is_looked_at_and_nothing_is_done() {
    let sandbox = library();
    let before = sandbox.status();
    sandbox.run(&["plan"]).is(
        0,
        str![[r#"
TASK   STATE  WAVE  STEPS  TIME  TOKENS   COST  CPU  MEMORY  AFTER  TITLE
due    new       1     14   46m    8.4M  $6.30   4m    400M         Loans have a day
isbn   new       2     14   46m    8.4M  $6.30   4m    400M         Books have an ISBN
label  new       3     14   46m    8.4M  $6.30   4m    400M  isbn   Print labels
title  new       1      7   12m    1.7M  $1.33  <1m    200M         Books have a title

4 tasks, about 49 steps
2h 27m of work, 26.9M tokens, $20.21
13m of processor time, 400 MiB of memory for each worker
estimated from what is usual; there is no history here yet

critical path, 1h 31m
  isbn -> label

side by side, up to 2 tasks
  1  title due
  2  isbn
  3  label

never at the same time
  isbn and title: both change 'src/book.rs'

may get in each other's way
   13% due and isbn: 'src/loan.rs' imports 'src/book.rs'
   13% due and title: 'src/loan.rs' imports 'src/book.rs'

WORKERS  DONE IN  AT BEST  FASTER
      1   2h 27m   2h 27m   1.0 x
      2   1h 42m   1h 31m   1.4 x
      4   1h 42m   1h 31m   1.4 x  your workers
      8   1h 42m   1h 31m   1.4 x
     16   1h 42m   1h 31m   1.4 x

"#]],
        "",
    );
    assert_eq!(sandbox.status(), before);
    // The second time everything is remembered, and said in the same words.
    let again = sandbox.run(&["plan", "label", "--jobs", "3"]);
    again.is(
        0,
        str![[r#"
TASK   STATE  WAVE  STEPS  TIME  TOKENS   COST  CPU  MEMORY  AFTER  TITLE
isbn   new       1     14   46m    8.4M  $6.30   4m    400M         Books have an ISBN
label  new       2     14   46m    8.4M  $6.30   4m    400M  isbn   Print labels

2 tasks, about 28 steps
1h 31m of work, 16.8M tokens, $12.59
8m of processor time, 400 MiB of memory for each worker
estimated from what is usual; there is no history here yet

critical path, 1h 31m
  isbn -> label

side by side, up to 1 task
  1  isbn
  2  label

WORKERS  DONE IN  AT BEST  FASTER
      1   1h 31m   1h 31m   1.0 x
      2   1h 31m   1h 31m   1.0 x
      3   1h 31m   1h 31m   1.0 x  your workers
      4   1h 31m   1h 31m   1.0 x
      8   1h 31m   1h 31m   1.0 x
     16   1h 31m   1h 31m   1.0 x

"#]],
        "",
    );
}

#[test]
fn programs_and_drawings_get_the_same() {
    let sandbox = library();
    let ran = sandbox.run(&["plan", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    assert_eq!((ran.code, json["schema"].as_i64()), (0, Some(1)));
    assert_eq!(json["tasks"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["overlaps"][0]["why"], "both change 'src/book.rs'");
    assert_eq!(json["critical_path"], serde_json::json!(["isbn", "label"]));
    assert_eq!(json["code"]["files"], 6);
    let dot = sandbox.run(&["plan", "--dot"]).stdout;
    assert!(dot.starts_with("digraph tasks {\n") && dot.contains("  \"isbn\" -> \"label\" [style=bold"), "{dot}");
    let mermaid = sandbox.run(&["plan", "--mermaid"]).stdout;
    assert!(mermaid.starts_with("flowchart LR\n") && mermaid.contains(" -->"), "{mermaid}");
    assert_eq!(sandbox.run(&["plan", "--json", "--dot"]).code, 129);
    assert_eq!(sandbox.run(&["plan", "--jobs", "0"]).code, 129);
}

#[test]
fn circles_and_missing_tasks_are_an_answer() {
    let sandbox = library();
    sandbox.write(".handoff/tasks/isbn.toml", "title = \"Books have an ISBN\"\ndepends_on = [\"label\"]\n");
    sandbox.write(".handoff/tasks/due.toml", "title = \"Loans have a day\"\ndepends_on = [\"tilte\"]\n");
    sandbox.run(&["plan"]).is(
        1,
        str![[r#"
problem: task 'due' depends on 'tilte', which is not there
  at .handoff/tasks/due.toml:2
  hint: did you mean 'title'?
problem: tasks depend on each other in a circle: isbn -> label -> isbn
  at .handoff/tasks/label.toml:3
  hint: remove one of the 2 'depends_on'

TASK   STATE  WAVE  STEPS  TIME  TOKENS   COST  CPU  MEMORY  AFTER  TITLE
due    new       1     14   46m    8.4M  $6.30   4m    400M  tilte  Loans have a day
isbn   new       -     14   46m    8.4M  $6.30   4m    400M  label  Books have an ISBN
label  new       -     14   46m    8.4M  $6.30   4m    400M  isbn   Print labels
title  new       1      7   12m    1.7M  $1.33  <1m    200M         Books have a title

4 tasks, about 49 steps
2h 27m of work, 26.9M tokens, $20.21
13m of processor time, 400 MiB of memory for each worker
estimated from what is usual; there is no history here yet

side by side, up to 2 tasks
  1  title due

without 'files': nobody can tell what they collide with before they have a plan
  due isbn

WORKERS  DONE IN  AT BEST  FASTER
      1      57m      57m   1.0 x
      2      46m      46m   1.2 x
      4      46m      46m   1.2 x  your workers
      8      46m      46m   1.2 x
     16      46m      46m   1.2 x

"#]],
        "",
    );
    assert_eq!(sandbox.run(&["plan", "nope"]).code, 4);
}

#[test]
fn an_empty_queue_is_said_to_be_empty() {
    let sandbox = Sandbox::new();
    sandbox.write(".handoff/config.toml", CONFIG);
    sandbox.run(&["plan"]).is(
        0,
        str![[r#"
no tasks (git orchestrate task add "…" makes one)

"#]],
        "",
    );
}
