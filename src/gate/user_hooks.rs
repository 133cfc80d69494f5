//! The user's own git hooks as a check of the gate: they are asked about a tree as if it were about to be committed on its base.
//! They get a git directory of their own, so no index and no branch is touched. Knows nothing of what the hooks are.

use std::{ffi::OsString, fs, io, path::Path};

use tempfile::TempDir;

use crate::{
    git::{GitError, Repository},
    handoff::layout::{self, LocalDir},
    model::object::{CommitId, TreeId},
};

/// The name of the check that `[hooks] run_user_hooks` makes.
pub const USER_HOOKS_CHECK: &str = "user-hooks";
/// The variable by which our own hooks know that git was started by us, to ask the hooks of others.
pub const INSIDE: &str = "GIT_ORCHESTRATE_INSIDE";
/// By which the check ends if the message is refused: it is ours, so no agent can put that right.
pub(super) const MESSAGE_REFUSED: i32 = 125;
/// What is said then.
pub(super) const MESSAGE_REASON: &str = "the commit-msg hook refuses a message of ours, which no agent can change";

/// What the check runs. Hooks that write are told apart from those that look: what lands must be what was judged.
pub(super) const RUN: &str = r#"git read-tree "$GIT_ORCHESTRATE_TREE" || exit 126
if [ -n "$GIT_ORCHESTRATE_SPARSE" ]; then
    git ls-files -z --deleted | git update-index -z --skip-worktree --stdin || exit 126
fi
git update-index -q --refresh
git hook run --ignore-missing pre-commit || {
    code=$?
    [ "$code" != 125 ] || code=1
    exit "$code"
}
after=$(git write-tree) || exit 126
if [ "$after" != "$GIT_ORCHESTRATE_TREE" ]; then
    echo "the pre-commit hook changes what would be committed:"
    git diff --name-status "$GIT_ORCHESTRATE_TREE" "$after"
    exit 1
fi
[ -n "$GIT_ORCHESTRATE_MESSAGE" ] || exit 0
git hook run --ignore-missing commit-msg -- "$GIT_ORCHESTRATE_MESSAGE" || exit 125"#;

/// Whose hooks are asked.
#[derive(Debug, Clone, Copy)]
pub struct UserHooks<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// A commit whose message they are asked about too.
    pub commit: Option<CommitId>,
}

/// A git directory in which a tree is about to be committed; gone when dropped.
pub(super) struct Stage {
    _dir: TempDir,
    /// What leads git, and the check, to it.
    pub variables: Vec<(OsString, OsString)>,
}

impl UserHooks<'_> {
    /// Makes one for the checkout of a tree. Without a base it is a first commit.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn stage(&self, checkout: &Path, tree: TreeId, base: Option<CommitId>) -> Result<Stage, String> {
        let said = |error: GitError| error.to_string();
        let common = self.repository.common_dir();
        let head = base.map(|base| self.repository.code_checkout_of(base)).transpose().map_err(said)?;
        let message = self.commit.map(|commit| self.repository.message(commit)).transpose().map_err(said)?;
        let hooks = self.hooks_dir().map_err(said)?;
        let made = || -> io::Result<Stage> {
            let local = LocalDir::new(common);
            fs::create_dir_all(local.root())?;
            let dir = tempfile::Builder::new().prefix("commit-").tempdir_in(local.root())?;
            let file = |name: &str| dir.path().join(name);
            fs::write(file("HEAD"), head.map_or("ref: refs/heads/none\n".to_owned(), |head| format!("{head}\n")))?;
            fs::write(file("commondir"), [common.as_os_str().as_encoded_bytes(), b"\n"].concat())?;
            let mut variables: Vec<(OsString, OsString)> = vec![
                ("GIT_DIR".into(), dir.path().into()),
                ("GIT_WORK_TREE".into(), checkout.into()),
                ("GIT_INDEX_FILE".into(), file("index").into()),
                ("GIT_EDITOR".into(), ":".into()),
                ("GIT_CONFIG_COUNT".into(), "1".into()),
                ("GIT_CONFIG_KEY_0".into(), "core.hooksPath".into()),
                ("GIT_CONFIG_VALUE_0".into(), hooks.into()),
                (INSIDE.into(), "1".into()),
                ("GIT_ORCHESTRATE_TREE".into(), tree.to_string().into()),
                ("GIT_ORCHESTRATE_SPARSE".into(), if is_sparse(checkout) { "1" } else { "" }.into()),
            ];
            let mut path = OsString::new();
            if let Some(message) = message {
                path = file("COMMIT_EDITMSG").into();
                fs::write(&path, message)?;
            }
            variables.push(("GIT_ORCHESTRATE_MESSAGE".into(), path));
            Ok(Stage { _dir: dir, variables })
        };
        made().map_err(|error| format!("no place to ask the hooks in: {error}"))
    }

    /// Where theirs are: relative to the user's checkout, not to the one that is judged, and never those that we put before them.
    fn hooks_dir(&self) -> Result<std::path::PathBuf, GitError> {
        let ours = self.repository.common_dir().join(layout::HOOKS_DIR);
        Ok(match self.repository.hooks_path_but(&ours)? {
            Some(setting) => self.repository.hooks_dir_of(&setting.value),
            None => self.repository.default_hooks_dir(),
        })
    }
}

/// Whether a checkout leaves files out, which then are no deletions.
fn is_sparse(checkout: &Path) -> bool {
    let pointer = fs::read_to_string(checkout.join(".git")).unwrap_or_default();
    let admin = pointer.strip_prefix("gitdir: ").map(|admin| Path::new(admin.trim_end_matches('\n')));
    admin.is_some_and(|admin| admin.join("info/sparse-checkout").is_file())
}
