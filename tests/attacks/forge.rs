//! Makes commits as a forger would: with any content, parents, names, and signed by whom one likes, or rewrites a whole task
//! so that only the wanted lie is left in it. Knows nothing of which lies there are.

use std::{collections::BTreeMap, path::PathBuf, sync::OnceLock};

use git_orchestrate::{
    config::settings::Durability,
    git::{
        ChangeKind, CommitDraft, Draft, Edit, Evidence, Identity, RawCommit, RefMove, Repository, Signer, What, When,
    },
    handoff::{checkpoints, landings, layout, message::message, records},
    model::{
        apply::apply,
        checkpoint::Checkpoint,
        landing::Landing,
        object::{BlobId, CommitId, Digest, TreeId},
        record::{self, ChangedFile, Record},
        task::TaskId,
    },
};

use crate::kit::{agents::config, sandbox::Sandbox, workflows::SMALL};

/// The branch that tasks land on.
pub const INTEGRATION: &str = "refs/heads/orchestrate/integration";

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The machine that made the honest steps.
    Own,
    /// Somebody whom nobody trusts.
    Other,
    /// Nobody.
    None,
}

/// A commit to be made.
#[derive(Clone)]
pub struct Shape {
    pub tree: TreeId,
    pub parents: Vec<CommitId>,
    pub author: Identity,
    pub committer: Identity,
    pub message: String,
    pub seconds: i64,
    pub key: Key,
}

/// A step while it is made anew.
pub struct Lie {
    /// Its number.
    pub seq: u32,
    /// Its record; what follows from the rest is filled in afterwards.
    pub record: Record,
    /// Files of the code that are put or, without content, removed, here and in all later steps.
    pub code: Vec<(String, Option<Vec<u8>>)>,
    /// The code as a whole, in place of that.
    pub tree: Option<TreeId>,
    /// Files below `.handoff/` that are put besides.
    pub handoff: Vec<(String, Vec<u8>)>,
    /// What is said of the state that follows.
    pub state: Option<fn(&mut Checkpoint)>,
    /// What is said of the record's text.
    pub text: Option<fn(String) -> String>,
    /// What the record says of its verdict's tree and its changed files stays as it was.
    pub stale: bool,
    /// Who signs.
    pub key: Key,
    /// The message, if not the one that the record makes.
    pub message: Option<String>,
    /// The author, if not who it was.
    pub author: Option<Identity>,
    /// Who committed it, if not who did.
    pub committer: Option<Identity>,
    /// When it was made, if not when it was.
    pub seconds: Option<i64>,
}

/// A repository after an honest run, and the tools of a forger.
pub struct Forge {
    pub sandbox: Sandbox,
    pub repository: Repository,
    pub own: Signer,
    pub other: Signer,
}

/// What every forgery begins with; it is played once and copied.
fn honest() -> &'static Sandbox {
    static PLAYED: OnceLock<Sandbox> = OnceLock::new();
    PLAYED.get_or_init(|| play("sha1"))
}

/// An honest run, in a repository whose objects are named by this hash.
pub fn play(hash: &str) -> Sandbox {
    let sandbox = Sandbox::of_kind(hash).with_agents(&config("small").replace("jobs = 2", "jobs = 1"));
    sandbox.write(".handoff/workflows/small.toml", SMALL);
    sandbox.write("tests/old.txt", "a test\n");
    sandbox.task("api", "");
    sandbox.task("web", "workflow = \"single\"\ndepends_on = [\"api\"]\n");
    let plan = r#"answer '{"structured": {"steps": [{"id": "S1", "title": "One"}]}}'"#;
    sandbox.script("plan", plan);
    let approve = r#"answer '{"structured": {"status": "approved"}}'"#;
    sandbox.script("plan-review", approve);
    sandbox.script("code-review", approve);
    sandbox.script("implement", "echo $task > $task.txt");
    // Made at home, so that the key is there before the first commit names it.
    sandbox.run(&["init"]);
    sandbox.write(".handoff/config.toml", config("small").replace("jobs = 2", "jobs = 1"));
    let key = std::fs::read_to_string(sandbox.outside("home/.local/share/git-orchestrate/id_ed25519.pub"));
    let line = format!("tess@example.com {}", key.expect("init makes a key"));
    sandbox.write(".handoff/allowed_signers", &line);
    std::fs::write(sandbox.outside("signers"), &line).expect("written");
    sandbox.commit("queue");
    sandbox.run(&["start"]).expect(0);
    std::fs::create_dir(sandbox.outside("stranger")).expect("a directory");
    sandbox
}

impl Forge {
    pub fn new() -> Self {
        Self::of(honest().copy())
    }

    /// That of a repository of another history.
    pub fn of(sandbox: Sandbox) -> Self {
        let own = Signer::own(&sandbox.outside("home/.local/share/git-orchestrate/id_ed25519")).expect("the key");
        let other = Signer::create_own(&sandbox.outside("other-key"), "mallory").expect("a key");
        let repository = Repository::discover(&sandbox.path()).expect("a repository");
        Self { sandbox, repository, own, other }
    }

    pub fn signers(&self) -> PathBuf {
        self.sandbox.outside("signers")
    }

    pub fn tip(&self, name: &str) -> CommitId {
        self.repository.reference(name).expect("readable").expect(name)
    }

    pub fn raw(&self, commit: CommitId) -> RawCommit {
        RawCommit::clone(&Evidence::of(&self.repository).commit(commit).expect("honest so far"))
    }

    /// What a commit is made of.
    pub fn shape(&self, commit: CommitId) -> Shape {
        let raw = self.raw(commit);
        let identity =
            |named: &git_orchestrate::git::Named| Identity { name: named.name.clone(), email: named.email.clone() };
        Shape {
            tree: raw.tree,
            parents: raw.parents,
            author: identity(&raw.author),
            committer: identity(&raw.committer),
            message: raw.message,
            seconds: raw.committer.seconds,
            key: Key::Own,
        }
    }

    pub fn commit(&self, draft: &mut Draft, shape: Shape) -> CommitId {
        let signer = match shape.key {
            Key::Own => Some(&self.own),
            Key::Other => Some(&self.other),
            Key::None => None,
        };
        let commit = CommitDraft {
            tree: shape.tree,
            parents: shape.parents,
            author: shape.author,
            committer: shape.committer,
            message: shape.message,
            time: When { seconds: shape.seconds, offset_seconds: 0 },
        };
        draft.commit(commit, signer).expect("it can be made")
    }

    /// Moves a ref, wherever it was.
    pub fn put(&self, draft: &mut Draft, name: &str, to: CommitId) {
        let from = self.repository.reference(name).expect("readable");
        let moves = vec![RefMove { name: name.to_owned(), from, to, reason: "forged".to_owned() }];
        self.repository.publish(draft.objects(), moves, Durability::Os).expect("published");
    }

    /// The steps of a task, oldest first.
    pub fn steps(&self, task: &str) -> Vec<CommitId> {
        let line = self.repository.first_parents(self.tip(&task_ref(task)), None).expect("readable");
        let own =
            |id: &CommitId| self.raw(*id).message.contains(&format!("\nOrchestrate-Task: {task}\nOrchestrate-Step: "));
        let mut steps: Vec<CommitId> =
            line.into_iter().take_while(|id| self.raw(*id).parents.len() == 1 && own(id)).collect();
        steps.reverse();
        steps
    }

    /// Makes a task's commits anew, each as it was but for what is said of it; a step of which nothing is left is dropped.
    pub fn rewrite(&self, task: &str, mut change: impl FnMut(u32, Shape) -> Option<Shape>) -> CommitId {
        let mut draft = self.repository.draft();
        let mut parent = None;
        for (at, step) in self.steps(task).into_iter().enumerate() {
            let mut shape = self.shape(step);
            let before = parent.unwrap_or(shape.parents[0]);
            shape.parents = vec![before];
            parent = Some(change(at as u32 + 1, shape).map_or(before, |shape| self.commit(&mut draft, shape)));
        }
        let tip = parent.expect("it has steps");
        self.put(&mut draft, &task_ref(task), tip);
        tip
    }

    /// Makes a task's steps anew, with records, code and states that fit each other but for what is lied about. Whatever
    /// of it is not said stays true: this is the forger who holds the key.
    pub fn refold(&self, task: &str, mut lie: impl FnMut(&mut Lie)) -> CommitId {
        let id: TaskId = task.parse().expect("an id");
        let mut draft = self.repository.draft();
        let steps = self.steps(task);
        let base = self.raw(steps[0]).parents[0];
        let (mut parent, mut state): (CommitId, Option<(Checkpoint, String)>) = (base, None);
        let mut renamed: BTreeMap<CommitId, CommitId> = BTreeMap::from([(base, base)]);
        let mut carried: Vec<(String, Option<Vec<u8>>)> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let seq = at as u32 + 1;
            let tree = self.raw(*step).tree;
            let file = |path: &str| self.repository.read(*step, path).expect("readable").expect(path);
            let entry = self.repository.list(*step, &layout::steps(&id)).expect("readable");
            let name =
                entry.iter().find(|e| e.name.starts_with(&layout::step_prefix(seq))).expect("a record").name.clone();
            let text = file(&format!("{}/{name}", layout::steps(&id)));
            let record = records::from_json(&String::from_utf8(text).expect("text"), &name).expect("a record");
            let mut told = Lie {
                seq,
                record,
                code: Vec::new(),
                tree: None,
                handoff: Vec::new(),
                state: None,
                text: None,
                stale: false,
                key: Key::Own,
                message: None,
                author: None,
                committer: None,
                seconds: None,
            };
            lie(&mut told);
            let mut record = told.record;
            let wrote = !record.changed.is_empty() || !told.code.is_empty();
            carried.extend(told.code);
            let mut code = draft.without_handoff(tree).expect("readable");
            let edits: Vec<Edit> =
                carried.iter().map(|(path, content)| edit(&mut draft, path, content.as_deref())).collect();
            code = draft.tree(Some(told.tree.unwrap_or(code)), &edits).expect("a tree");
            record.base = renamed.get(&record.base).copied().unwrap_or(record.base);
            record.code = code;
            let from = self.root(&mut draft, record.base);
            if wrote && !told.stale {
                self.repository.publish(draft.objects(), Vec::new(), Durability::Os).expect("published");
                record.changed = self.changes(from, code);
            }
            if let Some(verdict) = record.gate.as_mut().filter(|_| !told.stale) {
                verdict.tree = code;
            }
            let before = match &state {
                Some((before, text)) => {
                    record.checkpoint_before = Some(Digest::of(text));
                    before.clone()
                }
                None => {
                    record.checkpoint_before = None;
                    self.beginning(&id, *step)
                }
            };
            let mut after = apply(&before, &record).unwrap_or(before);
            after.seq = record.seq;
            if let Some(change) = told.state {
                change(&mut after);
            }
            let text = checkpoints::to_toml(&after);
            let mut evidence = records::to_json(&record);
            if let Some(change) = told.text {
                evidence = change(evidence);
            }
            let mut edits = Vec::new();
            let root = self.root(&mut draft, parent);
            if let Some(handoff) = draft.tree_at(root, layout::DIR).expect("readable") {
                edits.push(Edit::put_tree(layout::DIR, handoff));
            }
            if seq == 1 {
                for name in [layout::CONFIG, layout::ALLOWED_SIGNERS] {
                    edits.push(edit(&mut draft, name, Some(&file(name))));
                }
            }
            edits.push(edit(&mut draft, &layout::checkpoint(&id), Some(text.as_bytes())));
            edits.push(edit(&mut draft, &layout::step(&id, seq, &record.phase), Some(evidence.as_bytes())));
            for (path, bytes) in &told.handoff {
                edits.push(edit(&mut draft, path, Some(bytes)));
            }
            let mut shape = self.shape(*step);
            shape.tree = draft.tree(Some(code), &edits).expect("a tree");
            shape.parents = vec![parent];
            shape.message = told.message.unwrap_or_else(|| message(&record));
            shape.key = told.key;
            shape.author = told.author.unwrap_or(shape.author);
            shape.committer = told.committer.unwrap_or(shape.committer);
            shape.seconds = told.seconds.unwrap_or(shape.seconds);
            parent = self.commit(&mut draft, shape);
            renamed.insert(*step, parent);
            state = Some((after, text));
        }
        self.put(&mut draft, &task_ref(task), parent);
        parent
    }

    /// The state before a task's first step.
    fn beginning(&self, id: &TaskId, first: CommitId) -> Checkpoint {
        let raw = self.raw(first);
        let path = layout::checkpoint(id);
        let text = self.repository.read(first, &path).expect("readable").expect("a state");
        let after = checkpoints::from_toml(&String::from_utf8(text).expect("text"), &path).expect("a state");
        let task = git_orchestrate::model::task::Task::new(id.clone(), "");
        Checkpoint::begin(&task, after.workflow, raw.parents[0], after.bounds)
    }

    /// What a record says of the difference of two trees.
    fn changes(&self, from: TreeId, code: TreeId) -> Vec<ChangedFile> {
        let mut draft = self.repository.draft();
        let from = draft.without_handoff(from).expect("readable");
        self.repository.publish(draft.objects(), Vec::new(), Durability::Os).expect("published");
        let word = |kind| match kind {
            ChangeKind::Added => record::ChangeKind::Added,
            ChangeKind::Modified => record::ChangeKind::Modified,
            ChangeKind::Removed => record::ChangeKind::Deleted,
        };
        let changed = self.repository.changed_paths(from, code).expect("readable");
        changed.into_iter().map(|change| ChangedFile { path: change.path, change: word(change.kind) }).collect()
    }

    fn root(&self, draft: &mut Draft, commit: CommitId) -> TreeId {
        draft.root_tree(commit).expect("readable")
    }

    /// Makes the last landing anew, with another record or another shape; edits are of its tree.
    pub fn reland(
        &self,
        change: impl FnOnce(&mut Landing, &mut Shape, &mut Vec<(String, Option<Vec<u8>>)>),
    ) -> CommitId {
        let tip = self.tip(INTEGRATION);
        let path = layout::landing(&"web".parse().expect("an id"));
        let text = self.repository.read(tip, &path).expect("readable").expect("a record");
        let mut record = landings::from_json(&String::from_utf8(text).expect("text"), &path).expect("a record");
        let mut shape = self.shape(tip);
        let mut files = Vec::new();
        change(&mut record, &mut shape, &mut files);
        let mut draft = self.repository.draft();
        if !files.iter().any(|(known, _)| *known == path) {
            files.push((path, Some(landings::to_json(&record).into_bytes())));
        }
        let edits: Vec<Edit> = files.iter().map(|(path, content)| edit(&mut draft, path, content.as_deref())).collect();
        shape.tree = draft.tree(Some(shape.tree), &edits).expect("a tree");
        let made = self.commit(&mut draft, shape);
        self.put(&mut draft, INTEGRATION, made);
        made
    }

    /// The code tree that a root tree has with these files put.
    pub fn code_with(&self, root: TreeId, files: &[(&str, &str)]) -> TreeId {
        let mut draft = self.repository.draft();
        let code = draft.without_handoff(root).expect("readable");
        let edits: Vec<Edit> = files.iter().map(|(path, text)| edit(&mut draft, path, Some(text.as_bytes()))).collect();
        let tree = draft.tree(Some(code), &edits).expect("a tree");
        self.repository.publish(draft.objects(), Vec::new(), Durability::Os).expect("published");
        tree
    }

    /// The same without a file.
    pub fn code_without(&self, code: TreeId, path: &str) -> TreeId {
        let mut draft = self.repository.draft();
        let edits = [edit(&mut draft, path, None)];
        let tree = draft.tree(Some(code), &edits).expect("a tree");
        self.repository.publish(draft.objects(), Vec::new(), Durability::Os).expect("published");
        tree
    }
}

pub fn task_ref(task: &str) -> String {
    format!("{}{task}", layout::TASK_REFS)
}

fn edit(draft: &mut Draft, path: &str, content: Option<&[u8]>) -> Edit {
    match content {
        Some(bytes) => {
            let blob: BlobId = draft.blob(bytes).expect("a blob");
            Edit::put(path, blob)
        }
        None => Edit { path: path.to_owned(), what: What::Remove },
    }
}
