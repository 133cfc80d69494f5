//! Small but complete runs that are killed and gone on with: their tasks, their agents, their commands.
//! Knows nothing of where they are killed.

use crate::kit::{
    agents::config,
    sandbox::Sandbox,
    state::{Branches, git_problems},
    workflows::SMALL,
};

/// One refusal of the gate and a person decides.
const STRICT: &str = r#"name = "strict"
[[phase]]
id = "implement"
role = "implementer"
[[phase]]
id = "gate"
gate = "full"
needs = ["implement"]
on_fail = "implement"
max_rounds = 1
"#;

const WRITE: &str = "note; echo $task > $task.txt; share $task";
/// The gate refuses the first attempt.
const WRITE_BADLY: &str =
    "note; share $task; if [ $attempt = 1 ]; then echo BROKEN > $task.txt; else echo fixed > $task.txt; fi";

/// A command and the code that it ends with, killed before or not.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    pub words: &'static [&'static str],
    pub code: i32,
}

/// What is played.
pub struct Scenario {
    pub name: &'static str,
    /// Everything as it is before the first command; copied, never used.
    pub template: Sandbox,
    pub acts: &'static [Act],
    /// The tasks that land.
    pub tasks: &'static [&'static str],
}

impl Scenario {
    pub fn all() -> Vec<Self> {
        vec![single(), standard(), held()]
    }

    /// What the user has in hand while we run: none of it may change.
    fn with_work_of_the_user(sandbox: &Sandbox) {
        sandbox.write("README", "hello\nnot committed yet\n");
        sandbox.write("staged.txt", "staged\n");
        sandbox.git(&["add", "staged.txt"]);
        sandbox.write("untracked.txt", "mine\n");
        sandbox.write("ignored/by-me", "mine\n");
        for hook in ["pre-commit", "post-checkout", "reference-transaction", "post-merge", "post-index-change"] {
            let path = sandbox.git_dir().join("hooks").join(hook);
            std::fs::write(&path, "#!/bin/sh\necho ran >> hook-ran\nexit 1\n").expect("a hook");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&path, mode).expect("permissions");
        }
    }

    /// A copy that was played to its end and never killed.
    pub fn played(&self) -> Sandbox {
        let sandbox = self.template.copy();
        for act in self.acts {
            sandbox.run(act.words).expect(act.code);
        }
        self.check_end(&sandbox, None);
        sandbox
    }

    /// What must be true of the end, whatever happened on the way.
    pub fn check_end(&self, sandbox: &Sandbox, golden: Option<&Sandbox>) {
        let branches = Branches::of(sandbox);
        branches.check();
        let mut landed = branches.landed.clone();
        landed.sort();
        assert_eq!(landed, self.tasks, "landed");
        if let Some(golden) = golden {
            let (ours, theirs) =
                (sandbox.content("orchestrate/integration"), golden.content("orchestrate/integration"));
            assert_eq!(ours, theirs, "what landed differs");
        }
        assert_eq!(sandbox.lost_tokens(), Vec::<String>::new(), "work of agents is in no ref");
        assert_eq!(sandbox.processes(), [], "processes are left");
        assert_eq!(sandbox.lock_files(), Vec::<std::path::PathBuf>::new(), "lock files are left");
        assert_eq!(git_problems(sandbox), "");
    }
}

/// Three tasks without plan or review: one depends on another, all change the same line, one is refused by the gate.
fn single() -> Scenario {
    let sandbox = Sandbox::new().with_agents(&config("single"));
    sandbox.task("a", "");
    sandbox.task("b", "depends_on = [\"a\"]\n");
    sandbox.task("c", "");
    sandbox.script("implement", WRITE);
    sandbox.script("b/implement", WRITE_BADLY);
    Scenario::with_work_of_the_user(&sandbox);
    Scenario { name: "single", template: sandbox, acts: &[Act { words: &["start"], code: 0 }], tasks: &["a", "b", "c"] }
}

/// A plan of two steps, a review that asks for changes, a refused gate; all that is ours is committed by the user.
fn standard() -> Scenario {
    let sandbox = Sandbox::new().with_agents(&config("small"));
    sandbox.write(".handoff/workflows/small.toml", SMALL);
    sandbox.task("a", "");
    sandbox.task("b", "depends_on = [\"a\"]\nworkflow = \"single\"\n");
    sandbox.task("c", "workflow = \"single\"\n");
    sandbox.commit("queue");
    let plan = r#"answer '{"structured": {"steps": [{"id": "S1", "title": "One"}, {"id": "S2", "title": "Two"}]}}'"#;
    sandbox.script("plan", plan);
    let approve = r#"answer '{"structured": {"status": "approved"}}'"#;
    sandbox.script("plan-review", approve);
    sandbox.script("code-review", approve);
    let object = r#"if [ $attempt = 1 ]; then answer '{"structured": {"status": "needs_changes", "required_changes":
        [{"what": "Say more", "where": "a.txt", "why": "A1"}]}}'; else answer '{"structured": {"status": "approved"}}'; fi"#;
    sandbox.script("a/code-review/S1", &object.replace('\n', " "));
    sandbox.script("implement", WRITE);
    sandbox.script("a/implement/S1", "note; share a; echo one $attempt > one.txt; echo one > a.txt");
    sandbox.script("a/implement/S2", &WRITE_BADLY.replace("$task.txt", "two.txt"));
    Scenario::with_work_of_the_user(&sandbox);
    Scenario {
        name: "standard",
        template: sandbox,
        acts: &[Act { words: &["start"], code: 0 }],
        tasks: &["a", "b", "c"],
    }
}

/// A task that waits for a person, who decides; then all of it lands on the user's branch.
fn held() -> Scenario {
    let sandbox = Sandbox::new().with_agents(&config("strict"));
    sandbox.write(".handoff/workflows/strict.toml", STRICT);
    sandbox.task("a", "");
    sandbox.task("h", "");
    sandbox.script("implement", WRITE);
    let worse = WRITE_BADLY.replace("$attempt = 1", "$attempt -le 2").replace("BROKEN >", "BROKEN $attempt >");
    sandbox.script("h/implement", &worse);
    Scenario::with_work_of_the_user(&sandbox);
    let acts = &[
        Act { words: &["start"], code: 3 },
        Act { words: &["review", "h", "--feedback", "Do it right"], code: 0 },
        Act { words: &["resume"], code: 0 },
        Act { words: &["land"], code: 0 },
    ];
    Scenario { name: "held", template: sandbox, acts, tasks: &["a", "h"] }
}
