//! Puts the integration branch onto the user's branch, whose files are updated as `git merge` would update them.
//! Knows nothing of tasks: by now their work is one branch.

use std::path::PathBuf;

use super::{LandError, batch::unswept};
use crate::{
    config::settings::Durability,
    git::{CommitDraft, Edit, Git, GitError, Identity, Objects, OnConflict, RefMove, Repository, Signer, When},
    handoff::{landings, layout},
    model::{
        landing::{LANDING_SCHEMA, Landing},
        object::{BlobId, CommitId, TreeId},
        record::{CheckResult, GateVerdict},
    },
};

/// Whether a merge commit is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FastForward {
    /// Only where the user's branch has commits of its own.
    #[default]
    IfPossible,
    /// Never: refuse then.
    Only,
    /// Always.
    Never,
}

/// What is to be landed where.
pub struct Onto<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The full name of the integration branch.
    pub branch: &'a str,
    /// The full name of the user's branch; none: the one that is checked out.
    pub onto: Option<String>,
    /// Whether a merge commit is made.
    pub fast_forward: FastForward,
    /// Who commits.
    pub identity: &'a Identity,
    /// Whose key signs.
    pub signer: &'a Signer,
}

/// What landing comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Everything is there already.
    UpToDate,
    /// The branch moves forward.
    Forward,
    /// A merge commit of this code is made.
    Merge(TreeId),
}

/// What would be done, and on which commits.
#[derive(Debug, Clone)]
pub struct Route {
    /// The full name of the user's branch.
    pub onto: String,
    /// Where it is.
    pub from: CommitId,
    /// Where the integration branch is.
    pub tip: CommitId,
    /// How.
    pub way: Way,
    /// What was made for it and is in no ref.
    objects: Objects,
}

/// What the gate said, with the evidence of how it came to say it.
pub struct Judged {
    /// The verdict.
    pub verdict: GateVerdict,
    /// The text of the definition by which it was given.
    pub definition: Option<String>,
    /// The text of the configuration that the gate was read from.
    pub config: String,
}

/// Looks how the integration branch gets onto the user's.
///
/// # Errors
/// [`LandError`] where it does not.
pub fn look(onto: &Onto) -> Result<Route, LandError> {
    let repository = onto.repository;
    let tip =
        repository.reference(onto.branch)?.ok_or_else(|| LandError::NothingThere(short(onto.branch).to_owned()))?;
    let name = match &onto.onto {
        Some(name) => name.clone(),
        None => repository.head()?.branch.ok_or(LandError::Detached)?,
    };
    let from = repository.reference(&name)?.ok_or_else(|| LandError::NoBranch(short(&name).to_owned()))?;
    let mut objects = Objects::default();
    let way = if repository.is_ancestor(tip, from)? {
        Way::UpToDate
    } else if repository.is_ancestor(from, tip)? && onto.fast_forward != FastForward::Never {
        Way::Forward
    } else if onto.fast_forward == FastForward::Only {
        return Err(LandError::NotFastForward { onto: short(&name).to_owned(), branch: short(onto.branch).to_owned() });
    } else {
        let tree;
        (tree, objects) = merged(onto, &name, from, tip)?;
        Way::Merge(tree)
    };
    Ok(Route { onto: name, from, tip, way, objects })
}

fn merged(onto: &Onto, name: &str, from: CommitId, tip: CommitId) -> Result<(TreeId, Objects), LandError> {
    let repository = onto.repository;
    let mut draft = repository.draft();
    let base = match repository.merge_base(from, tip)? {
        Some(base) => draft.code_tree(base)?,
        None => draft.tree(None, &[])?,
    };
    let (ours, theirs) = (draft.code_tree(from)?, draft.code_tree(tip)?);
    let both = draft.merge_trees(base, ours, theirs, OnConflict::KeepOurs)?;
    if !both.conflicts.is_empty() {
        return Err(LandError::Conflict {
            onto: short(name).to_owned(),
            branch: short(onto.branch).to_owned(),
            paths: both.conflicts.into_iter().map(|conflict| conflict.path).collect(),
        });
    }
    draft.code_commit(both.tree, from)?;
    // The gate checks it out before there is a commit for it.
    let objects = draft.objects();
    repository.publish(objects.clone(), Vec::new(), Durability::Full).map_err(GitError::from)?;
    Ok((both.tree, objects))
}

/// Lands. A merged tree that nobody has tested is judged first.
///
/// # Errors
/// [`LandError::Gate`] if the gate refuses the merged tree, [`LandError::Refused`] if uncommitted work is in the way;
/// nothing has changed then.
pub fn land(
    onto: &Onto,
    way: &Route,
    judge: &mut dyn FnMut(TreeId, CommitId) -> Result<Judged, LandError>,
) -> Result<CommitId, LandError> {
    let to = match way.way {
        Way::UpToDate => return Ok(way.from),
        Way::Forward => way.tip,
        Way::Merge(tree) => {
            let checkout = onto.repository.draft().code_commit(tree, way.from)?;
            let judged = unswept(onto.repository, &way.objects, || judge(tree, checkout))?;
            if judged.verdict.result != CheckResult::Pass {
                return Err(LandError::Red { reason: super::batch::gate_reason(&judged.verdict) });
            }
            unswept(onto.repository, &way.objects, || merge_commit(onto, way, tree, &judged))?
        }
    };
    crate::sys::crash_point::reach("onto.ready");
    let Some(worktree) = checked_out_at(onto.repository, &way.onto)? else {
        let reason = format!("orchestrate: land {}", short(onto.branch));
        let moves = vec![RefMove { name: way.onto.clone(), from: Some(way.from), to, reason }];
        onto.repository
            .publish(Default::default(), moves, Durability::Full)
            .map_err(|error| LandError::Git(GitError::from(error)))?;
        return Ok(to);
    };
    let checkout = Repository::discover(&worktree)?;
    let output = Git::of(&checkout).args(["merge", "--ff-only", "--quiet", &to.to_string()]).run(&[])?;
    if output.code == Some(0) {
        return Ok(to);
    }
    let said = crate::text::clean_bytes(&[output.stdout, output.stderr].concat());
    Err(LandError::Refused { onto: short(&way.onto).to_owned(), output: said.trim().to_owned() })
}

/// The merge commit, whose `.handoff/` is the user's with the checkpoints of what landed, and with the verdict on it.
fn merge_commit(onto: &Onto, way: &Route, code: TreeId, judged: &Judged) -> Result<CommitId, LandError> {
    let repository = onto.repository;
    let mut draft = repository.draft();
    let mut edits = Vec::new();
    let own = draft.root_tree(way.from)?;
    if let Some(handoff) = draft.tree_at(own, layout::DIR)? {
        edits.push(Edit::put_tree(layout::DIR, handoff));
    }
    for dir in [layout::CHECKPOINTS, layout::LANDINGS] {
        for entry in repository.list(way.tip, dir)? {
            edits.push(Edit::put(&format!("{dir}/{}", entry.name), BlobId(entry.id)));
        }
    }
    let known = |commit| repository.read(commit, layout::CONFIG);
    let has = |text: Option<Vec<u8>>| text.is_some_and(|text| text == judged.config.as_bytes());
    let is_known = has(known(way.from)?) || has(known(way.tip)?);
    let record = Landing {
        schema: LANDING_SCHEMA,
        task: None,
        onto: way.from,
        tip: way.tip,
        code,
        batch: Vec::new(),
        gate: Some(judged.verdict.clone()),
        definition: judged.definition.clone(),
        config: (!is_known).then(|| judged.config.clone()),
    };
    let record = draft.blob(landings::to_json(&record).as_bytes())?;
    edits.push(Edit::put(&layout::landing_onto(), record));
    let tree = draft.tree(Some(code), &edits)?;
    let commit = CommitDraft {
        tree,
        parents: vec![way.from, way.tip],
        author: onto.identity.clone(),
        committer: onto.identity.clone(),
        message: format!("Merge branch '{}'\n", short(onto.branch)),
        time: When::now(),
    };
    let id = draft.commit(commit, Some(onto.signer))?;
    // With all of what was merged, whatever became of it since it was judged.
    let objects = draft.objects().join(way.objects.clone());
    repository.publish(objects, Vec::new(), Durability::Full).map_err(GitError::from)?;
    Ok(id)
}

/// The worktree that has a branch checked out.
fn checked_out_at(repository: &Repository, branch: &str) -> Result<Option<PathBuf>, LandError> {
    let listed = Git::of(repository).args(["worktree", "list", "--porcelain", "-z"]).output(&[])?;
    let mut worktree = None;
    for line in listed.split(|byte| *byte == 0) {
        let line = String::from_utf8_lossy(line);
        if let Some(path) = line.strip_prefix("worktree ") {
            worktree = Some(PathBuf::from(path));
        } else if line.strip_prefix("branch ") == Some(branch) {
            return Ok(worktree);
        }
    }
    Ok(None)
}

/// A branch as people name it.
pub fn short(name: &str) -> &str {
    name.strip_prefix("refs/heads/").unwrap_or(name)
}
