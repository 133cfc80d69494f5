//! Scripted agents: one small sh program that does what a script for its task and phase says, and logs what it did.
//! Knows nothing of what the scripts are for.

use std::fs;

use super::sandbox::{Sandbox, write};

/// Finds its script by task and phase, and tells in the log when it begins, what it writes and when it ends.
const AGENT: &str = r#"#!/bin/sh
home=${0%/*}/..
id="$GIT_ORCHESTRATE_TASK $GIT_ORCHESTRATE_PHASE $GIT_ORCHESTRATE_ATTEMPT $$"
attempt=$GIT_ORCHESTRATE_ATTEMPT
task=$GIT_ORCHESTRATE_TASK
say() { echo "$*" >> "$home/log"; }
# A file whose content no other run of an agent writes: who finds it knows that this run's work is kept.
note() {
    [ -d notes ] || mkdir notes
    echo "token $GIT_ORCHESTRATE_TASK-$attempt-$$" > "notes/$GIT_ORCHESTRATE_TASK.txt"
    say "wrote $id token $GIT_ORCHESTRATE_TASK-$attempt-$$"
}
answer() { echo "$1" > "$GIT_ORCHESTRATE_RESULT_FILE"; }
# A line in the file that several tasks change; sorted, so that it does not matter who came first.
share() { sort -u -o shared.txt - shared.txt <<END
$1
END
}
# Waits until somebody makes a file outside the worktree.
await() { while [ ! -e "$home/$1" ]; do sleep 0.01; done; }
say "start $id"
script="$home/scripts/$GIT_ORCHESTRATE_TASK/$GIT_ORCHESTRATE_PHASE.sh"
[ -e "$script" ] || script="$home/scripts/${GIT_ORCHESTRATE_PHASE%%/*}.sh"
. "$script"
say "end $id"
"#;

/// Two agents of two families, a workflow, two workers, and a gate that refuses the word BROKEN.
pub fn config(workflow: &str) -> String {
    format!(
        r#"version = 1
workflow = "{workflow}"

[agents.ann]
adapter = "command"
program = "../bin/agent"
family = "one"

[agents.bob]
adapter = "command"
program = "../bin/agent"
family = "two"

[roles]
default = ["ann"]
plan-reviewer = ["bob"]
code-reviewer = ["bob"]

[[gate.full.check]]
name = "whole"
run = "! grep -rq BROKEN --exclude-dir=.git ."

[limits]
jobs = 2
disk_free_bytes = 0

[commits]
durability = "os"
"#
    )
}

/// One run of an agent, as it told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentRun {
    pub task: String,
    pub phase: String,
    pub attempt: u32,
    pub pid: u32,
}

impl Sandbox {
    /// The agent and a configuration.
    pub fn with_agents(self, config: &str) -> Self {
        self.program("agent", AGENT);
        self.write(".handoff/config.toml", config);
        self
    }

    /// What an agent does in a phase: of one task (`api/implement`) or of any (`implement`).
    pub fn script(&self, name: &str, text: &str) {
        write(&self.outside("scripts").join(format!("{name}.sh")), text);
    }

    /// A task, with more lines of TOML if any.
    pub fn task(&self, id: &str, more: &str) {
        self.write(&format!(".handoff/tasks/{id}.toml"), format!("title = \"Do {id}\"\n{more}"));
    }

    /// All that agents told so far.
    pub fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.outside("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The runs of agents that told of this: `start` or `end`.
    pub fn agent_runs(&self, word: &str) -> Vec<AgentRun> {
        let parse = |line: String| {
            let mut words = line.split(' ');
            (words.next() == Some(word)).then_some(())?;
            Some(AgentRun {
                task: words.next()?.to_owned(),
                phase: words.next()?.to_owned(),
                attempt: words.next()?.parse().ok()?,
                pid: words.next()?.parse().ok()?,
            })
        };
        self.log().into_iter().filter_map(parse).collect()
    }

    /// What agents wrote that no other run wrote.
    pub fn tokens(&self) -> Vec<String> {
        let token = |line: &String| Some(format!("token {}", line.strip_prefix("wrote ")?.split(" token ").nth(1)?));
        self.log().iter().filter_map(token).collect()
    }
}
