//! The man pages and completions that are in the repository.

use std::{collections::BTreeMap, fs, path::Path};

use git_orchestrate::cli::{
    completions::{Shell, script},
    manual::pages,
};

fn files(directory: &str) -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let entries =
        fs::read_dir(&directory).expect("the directory is there").map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    entries.map(|path| (name(&path), fs::read_to_string(&path).expect("a text"))).collect()
}

#[test]
fn they_are_those_of_the_command_line() {
    let fresh: BTreeMap<_, _> =
        pages().expect("pages are made").into_iter().map(|page| (page.file, page.text)).collect();
    assert!(files("man") == fresh, "man/ is not fresh: scripts/man.sh");
    let scripts =
        [("git-orchestrate", Shell::Bash), ("_git-orchestrate", Shell::Zsh), ("git-orchestrate.fish", Shell::Fish)];
    let fresh: BTreeMap<_, _> = scripts.into_iter().map(|(file, shell)| (file.to_owned(), script(shell))).collect();
    assert!(files("completions") == fresh, "completions/ is not fresh: scripts/man.sh");
}

#[test]
fn each_page_has_what_people_look_for() {
    for page in pages().expect("pages are made") {
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "\"EXIT STATUS\"", "FILES", "EXAMPLES", "\"SEE ALSO\""] {
            assert!(page.text.contains(&format!(".SH {section}\n")), "{}: {section}", page.file);
        }
    }
}
