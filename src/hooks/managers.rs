//! Other programs that keep hooks, by their files; and the line that has them run ours.
//! Knows nothing of what they do besides.

use std::path::{Path, PathBuf};

use super::HookName;
use crate::sys::file::read_limited;

/// Bytes of a file in which our name is looked for.
const FILE_BYTES_MAX: usize = 1 << 20;

/// A program that keeps hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// lefthook.
    Lefthook,
    /// pre-commit, and prek, which reads the same file.
    PreCommit,
    /// husky.
    Husky,
    /// hk.
    Hk,
    /// Overcommit.
    Overcommit,
    /// Git LFS.
    GitLfs,
}

impl Manager {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lefthook => "lefthook",
            Self::PreCommit => "pre-commit or prek",
            Self::Husky => "husky",
            Self::Hk => "hk",
            Self::Overcommit => "overcommit",
            Self::GitLfs => "git-lfs",
        }
    }

    /// Whether it writes its hooks anew, so that ours in the same file would be gone.
    pub fn rewrites(self) -> bool {
        match self {
            Self::Lefthook | Self::PreCommit | Self::Husky | Self::Hk | Self::Overcommit => true,
            Self::GitLfs => false,
        }
    }
}

/// The files by which they are known.
const FILES: [(&str, Manager); 16] = [
    ("lefthook.yml", Manager::Lefthook),
    ("lefthook.yaml", Manager::Lefthook),
    ("lefthook.toml", Manager::Lefthook),
    ("lefthook.json", Manager::Lefthook),
    (".lefthook.yml", Manager::Lefthook),
    (".lefthook.yaml", Manager::Lefthook),
    (".lefthook.toml", Manager::Lefthook),
    (".config/lefthook.yml", Manager::Lefthook),
    (".pre-commit-config.yaml", Manager::PreCommit),
    (".pre-commit-config.yml", Manager::PreCommit),
    ("prek.toml", Manager::PreCommit),
    (".husky", Manager::Husky),
    ("hk.pkl", Manager::Hk),
    (".config/hk.pkl", Manager::Hk),
    (".overcommit.yml", Manager::Overcommit),
    (".lfsconfig", Manager::GitLfs),
];

/// Those that a working tree has settings of.
pub fn managers(root: &Path) -> Vec<Manager> {
    let mut found: Vec<Manager> = Vec::new();
    for (file, manager) in FILES {
        if !found.contains(&manager) && root.join(file).symlink_metadata().is_ok() {
            found.push(manager);
        }
    }
    found
}

/// The settings of a manager, or a script, in which somebody wrote by hand that ours be run.
pub(super) fn by_hand(root: &Path, name: HookName) -> Option<PathBuf> {
    let words = format!("orchestrate hook {name}");
    let mut files = FILES.iter().map(|(file, manager)| match manager {
        Manager::Husky => root.join(file).join(name.word()),
        Manager::Lefthook | Manager::PreCommit | Manager::Hk | Manager::Overcommit | Manager::GitLfs => root.join(file),
    });
    files.find(|file| says(file, &words))
}

/// Whether a file has these words in it.
pub(super) fn says(file: &Path, words: &str) -> bool {
    read_limited(file, FILE_BYTES_MAX).is_ok_and(|bytes| memchr::memmem::find(&bytes, words.as_bytes()).is_some())
}

/// What to add to a manager's settings, or to a script; none is a script.
pub fn snippet(manager: Option<Manager>, name: HookName) -> String {
    match manager {
        Some(Manager::Lefthook) => format!(
            "# lefthook.yml\n{name}:\n  jobs:\n    - name: git-orchestrate\n      run: git orchestrate hook {name} {{0}}\n      use_stdin: true\n"
        ),
        Some(Manager::PreCommit) if name == HookName::PrePush => {
            "# pre-commit and prek keep what git tells a pre-push hook, and show the first ref only;\n# beside theirs ours sees all: git orchestrate hooks install\n".to_owned()
        }
        Some(Manager::PreCommit) => format!(
            "# .pre-commit-config.yaml\n- repo: local\n  hooks:\n    - id: git-orchestrate-{name}\n      name: git-orchestrate\n      entry: git orchestrate hook {name}\n      language: system\n      stages: [{name}]\n      always_run: true\n      pass_filenames: {}\n",
            name == HookName::CommitMsg
        ),
        Some(Manager::Husky) => format!("# .husky/{name}\ngit orchestrate hook {name} \"$@\" || exit $?\n"),
        Some(Manager::Hk) => format!(
            "// hk.pkl, in hooks {{ … }}\n[\"{name}\"] {{ steps {{ [\"git-orchestrate\"] {{ check = \"git orchestrate hook {name} {{{{hook_args}}}}\" }} }} }}\n"
        ),
        Some(Manager::Overcommit) => format!(
            "# .overcommit.yml: its {name} is Ruby and says nothing of what git tells it;\n# ours runs before it: git orchestrate hooks install --method chain\n"
        ),
        Some(Manager::GitLfs) | None => {
            format!("# {name}, before anything that reads its input\ngit orchestrate hook {name} \"$@\" || exit $?\n")
        }
    }
}
