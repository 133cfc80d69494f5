//! A history of signed steps, made here: tasks of twenty steps each, ten times written and gated, refused nine times.
//! Knows nothing of what is measured on it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use git_orchestrate::{
    audit::Tip,
    config::{parse::parse, settings::Durability},
    gate::Definition,
    git::{CommitDraft, Draft, Edit, Identity, RefMove, Repository, Signer, When},
    handoff::{checkpoints, layout, message::message, records, workflows},
    model::{
        apply::apply,
        checkpoint::{Bounds, Checkpoint},
        object::{CommitId, Digest, TreeId},
        record::{Actor, ChangeKind, ChangedFile, Check, CheckResult, Family, GateVerdict, Outcome, Record},
        task::{Task, TaskId},
    },
};

/// Steps of a task: ten times written and gated, refused nine times.
pub const STEPS_A_TASK: u32 = 20;
/// Files of the code, ten in a directory.
const FILES: usize = 200;
/// What is configured.
pub const CONFIG: &str = "version = 1\nworkflow = \"rounds\"\n\n[agents.ann]\nadapter = \"command\"\nprogram = \"ann\"\nfamily = \
                      \"one\"\n\n[roles]\ndefault = [\"ann\"]\n\n[[gate.full.check]]\nname = \"tests\"\nrun = \"make test\"\n";

const WORKFLOW: &str = r#"name = "rounds"

[[phase]]
id = "implement"
role = "implementer"

[[phase]]
id = "gate"
gate = "full"
needs = ["implement"]
on_fail = "implement"
retry = "continue"
max_rounds = 50
"#;

/// The repository.
pub struct World {
    pub place: PathBuf,
    pub repository: Repository,
    signer: Signer,
    pub base: CommitId,
}

impl World {
    /// A first commit with the configuration and `main` on it. The machine's key is below `data`, as `XDG_DATA_HOME`.
    pub fn make(dir: &Path) -> Self {
        let place = dir.join("repo");
        fs::create_dir(&place).expect("a directory");
        let data = dir.join("data/git-orchestrate");
        fs::create_dir_all(&data).expect("a directory");
        let signer = Signer::create_own(&data.join("id_ed25519"), "bench").expect("a key");
        fs::write(dir.join("signers"), format!("* {}\n", signer.public_key_line().expect("a key"))).expect("written");
        git(&place, &["init", "-q", "-b", "main"]);
        let repository = Repository::discover(&place).expect("a repository");
        let mut draft = repository.draft();
        let mut edits = Vec::new();
        for number in 0..FILES {
            let blob = draft.blob(format!("file {number}\n").as_bytes()).expect("a blob");
            edits.push(Edit::put(&format!("src/d{}/f{number}.txt", number / 10), blob));
        }
        for (path, text) in [(layout::CONFIG, CONFIG), (".handoff/workflows/rounds.toml", WORKFLOW)] {
            edits.push(Edit::put(path, draft.blob(text.as_bytes()).expect("a blob")));
        }
        let tree = draft.tree(None, &edits).expect("a tree");
        let base = commit(&mut draft, &signer, tree, Vec::new(), "first\n".into());
        publish(&repository, &mut draft, "refs/heads/main", base);
        Self { place, repository, signer, base }
    }

    /// Makes a task and gives the end of its branch.
    pub fn task(&self, number: usize) -> Tip {
        let id: TaskId = format!("t{number}").parse().expect("an id");
        let workflow = workflows::parse(WORKFLOW, "", "rounds").expect("a workflow");
        let settings = parse(CONFIG, "").expect("a configuration");
        let definition = Definition::text_of(&settings, "full").expect("a gate");
        let mut draft = self.repository.draft();
        let mut state = Checkpoint::begin(&Task::new(id.clone(), "x"), workflow, self.base, Bounds::default());
        let root = draft.root_tree(self.base).expect("readable");
        let (mut handoff, mut code) =
            (draft.tree_at(root, layout::DIR).expect("readable"), { draft.without_handoff(root).expect("readable") });
        let (mut parent, mut text): (CommitId, Option<String>) = (self.base, None);
        for seq in 1..=STEPS_A_TASK {
            let writes = seq % 2 == 1;
            let file = format!("src/d{}/{id}.txt", number % (FILES / 10));
            if writes {
                let blob = draft.blob(format!("{id} {seq}\n").as_bytes()).expect("a blob");
                code = draft.tree(Some(code), &[Edit::put(&file, blob)]).expect("a tree");
            }
            let actor = match writes {
                true => Actor::Agent {
                    name: "ann".into(),
                    adapter: "command".into(),
                    version: None,
                    model: None,
                    family: Family("one".into()),
                },
                false => Actor::Gate { profile: "full".into() },
            };
            let phase = if writes { "implement" } else { "gate" }.parse().expect("a phase");
            let started = "2027-01-15T08:00:00Z".to_owned();
            let mut record = Record::begin(id.clone(), phase, actor, parent, code, started);
            (record.seq, record.attempt) = (seq, seq.div_ceil(2));
            record.checkpoint_before = text.as_ref().map(Digest::of);
            if writes {
                record.role = Some("implementer".into());
                let change = if seq == 1 { ChangeKind::Added } else { ChangeKind::Modified };
                record.changed = vec![ChangedFile { path: file, change }];
                record.summary = "What an agent says of its work, in a sentence or two of usual length.".into();
            } else {
                let result = if seq == STEPS_A_TASK { CheckResult::Pass } else { CheckResult::Fail };
                record.outcome = if seq == STEPS_A_TASK { Outcome::Done } else { Outcome::Failed };
                record.definition = Some(definition.clone());
                record.gate = Some(GateVerdict {
                    profile: "full".into(),
                    definition: Digest::of(&definition),
                    tree: code,
                    result,
                    remembered: false,
                    against: None,
                    why: String::new(),
                    checks: vec![Check { name: "tests".into(), result, ..Check::default() }],
                });
            }
            state = apply(&state, &record).expect("it follows");
            let after = checkpoints::to_toml(&state);
            let mut edits: Vec<Edit> = handoff.into_iter().map(|tree| Edit::put_tree(layout::DIR, tree)).collect();
            let state_blob = draft.blob(after.as_bytes()).expect("a blob");
            edits.push(Edit::put(&layout::checkpoint(&id), state_blob));
            let record_blob = draft.blob(records::to_json(&record).as_bytes()).expect("a blob");
            edits.push(Edit::put(&layout::step(&id, seq, &record.phase), record_blob));
            let tree = draft.tree(Some(code), &edits).expect("a tree");
            handoff = draft.tree_at(tree, layout::DIR).expect("readable");
            parent = commit(&mut draft, &self.signer, tree, vec![parent], message(&record));
            text = Some(after);
        }
        let name = layout::task_ref(&id);
        publish(&self.repository, &mut draft, &name, parent);
        Tip::of(name, parent)
    }
}

fn commit(draft: &mut Draft, signer: &Signer, tree: TreeId, parents: Vec<CommitId>, message: String) -> CommitId {
    let who = Identity { name: "Tess".into(), email: "tess@example.com".into() };
    let time = When { seconds: 1_800_000_000, offset_seconds: 0 };
    let commit = CommitDraft { tree, parents, author: who.clone(), committer: who, message, time };
    draft.commit(commit, Some(signer)).expect("it can be made")
}

fn publish(repository: &Repository, draft: &mut Draft, name: &str, to: CommitId) {
    let moves = vec![RefMove { name: name.into(), from: None, to, reason: "made".into() }];
    repository.publish(draft.objects(), moves, Durability::Os).expect("published");
}

/// What git prints.
pub fn git(place: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(place).args(words).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().expect("git starts");
    assert!(output.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
