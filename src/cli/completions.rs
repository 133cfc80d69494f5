//! `completions`: scripts with which a shell completes our command line.
//! Knows nothing of shells beyond what each needs to find us behind `git`.

use std::io::Write;

use clap::{CommandFactory, ValueEnum};

use super::{arguments::Arguments, failure::Failure};

/// What `completions` takes.
#[derive(Debug, Clone, clap::Args)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// The shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash, with the completion that git brings.
    Bash,
    /// Zsh.
    Zsh,
    /// fish.
    Fish,
}

/// Examples under the help.
pub const EXAMPLES: &str = "\
Examples:
  git orchestrate completions bash > ~/.local/share/bash-completion/completions/git-orchestrate
  git orchestrate completions zsh > ~/.zfunc/_git-orchestrate
  git orchestrate completions fish > ~/.config/fish/completions/git-orchestrate.fish";

const PROGRAM: &str = "git-orchestrate";

/// git's own script calls `_git_orchestrate` when it completes `git orchestrate …`; the words before `orchestrate`
/// are git's, and what clap generated wants the program's name in their place.
const BASH_BEHIND_GIT: &str = r#"
_git_orchestrate() {
    local at=0
    while [[ $at -lt $COMP_CWORD && ${COMP_WORDS[$at]} != orchestrate ]]; do
        at=$((at + 1))
    done
    local -a typed=("${COMP_WORDS[@]}")
    local COMP_WORDS=(git-orchestrate "${typed[@]:$((at + 1))}")
    local COMP_CWORD=$((COMP_CWORD - at))
    _git__orchestrate git-orchestrate "${COMP_WORDS[$COMP_CWORD]}" "${COMP_WORDS[$((COMP_CWORD - 1))]}"
}
"#;

/// fish asks `git`'s completions when it completes `git orchestrate …`; those of `git-orchestrate` answer.
const FISH_BEHIND_GIT: &str = r#"
function __fish_git_orchestrate_behind_git
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = orchestrate
end
complete -c git -n __fish_git_orchestrate_behind_git -f -a "(complete -C (string replace -r '^\s*git\s+orchestrate' git-orchestrate -- (commandline -cp)))"
"#;

/// Writes the script for a shell: for `git-orchestrate …` and for `git orchestrate …`.
///
/// # Errors
/// When `out` does not take it.
pub fn run(arguments: &CompletionsArguments, out: &mut dyn Write) -> Result<(), Failure> {
    out.write_all(script(arguments.shell).as_bytes())?;
    Ok(())
}

/// The script for a shell.
pub fn script(shell: Shell) -> String {
    let generate = |generator: clap_complete::Shell| {
        let mut script = Vec::new();
        clap_complete::generate(generator, &mut Arguments::command(), PROGRAM, &mut script);
        String::from_utf8(script).expect("BUG: clap writes scripts in UTF-8")
    };
    match shell {
        // clap_complete 4.6 spells the '-' of our name in one way where it sets a word, in another where it reads it.
        Shell::Bash => {
            let script = generate(clap_complete::Shell::Bash);
            script.replace("git__subcmd__orchestrate", "git__orchestrate") + BASH_BEHIND_GIT
        }
        // zsh's own script calls `_git-orchestrate`, which is what clap names its function.
        Shell::Zsh => generate(clap_complete::Shell::Zsh),
        Shell::Fish => generate(clap_complete::Shell::Fish) + FISH_BEHIND_GIT,
    }
}
