//! The hooks that we have, with the scripts that ship. Knows nothing of where they go.

/// One of our hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookName {
    /// Judges what is staged.
    PreCommit,
    /// Judges the message.
    CommitMsg,
    /// Judges what is pushed.
    PrePush,
}

impl HookName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PreCommit, Self::CommitMsg, Self::PrePush];

    /// As git calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
        }
    }

    /// The script that ships, whole.
    pub fn script(self) -> &'static str {
        match self {
            Self::PreCommit => include_str!("../../hooks/pre-commit"),
            Self::CommitMsg => include_str!("../../hooks/commit-msg"),
            Self::PrePush => include_str!("../../hooks/pre-push"),
        }
    }
}

impl std::fmt::Display for HookName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

impl std::str::FromStr for HookName {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|name| name.word() == word)
            .ok_or_else(|| format!("there is no hook '{word}' of ours"))
    }
}
