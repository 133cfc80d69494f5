//! Writes the man pages and the completions of the command line into a directory: `man <directory>`.
//! Knows nothing of what is in them; `scripts/man.sh` runs it.

use std::{fs, io, path::PathBuf};

use git_orchestrate::cli::{
    completions::{Shell, script},
    manual::pages,
};

fn main() -> io::Result<()> {
    let usage = || io::Error::new(io::ErrorKind::InvalidInput, "usage: man <directory>");
    let root = std::env::args_os().nth(1).map(PathBuf::from).ok_or_else(usage)?;
    let (man, completions) = (root.join("man"), root.join("completions"));
    for directory in [&man, &completions] {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
    }
    for page in pages()? {
        fs::write(man.join(page.file), page.text)?;
    }
    for (shell, file) in
        [(Shell::Bash, "git-orchestrate"), (Shell::Zsh, "_git-orchestrate"), (Shell::Fish, "git-orchestrate.fish")]
    {
        fs::write(completions.join(file), script(shell))?;
    }
    Ok(())
}
