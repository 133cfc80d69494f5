//! `completions`.

use crate::sandbox::Sandbox;

/// What bash offers for a line that git's own completion hands over by calling `_git_orchestrate`.
fn offered(sandbox: &Sandbox, script: &str, words: &[&str]) -> Vec<String> {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let program = format!(
        "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_git_orchestrate\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let mut bash = sandbox.command("bash");
    bash.args(["--norc", "-c", &program]);
    let ran = sandbox.end(bash);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_behind_git() {
    let sandbox = Sandbox::without_repository();
    let script = sandbox.run(&["completions", "bash"]).stdout;
    for (words, expected) in [
        (&["git", "orchestrate", "do"][..], &["doctor"][..]),
        (&["git", "-C", "dir", "orchestrate", "do"], &["doctor"]),
        (&["git", "orchestrate", "task", "im"], &["import"]),
        (&["git", "orchestrate", "task", "add", "--ri"], &["--risk"]),
        (&["git", "orchestrate", "task", "add", "--risk", "h"], &["high"]),
    ] {
        assert_eq!(offered(&sandbox, &script, words), expected, "{words:?}");
    }
}

#[test]
fn every_shell_has_a_script() {
    let sandbox = Sandbox::without_repository();
    for (shell, told) in [
        ("bash", "complete -F _git__orchestrate"),
        ("zsh", "#compdef git-orchestrate"),
        ("fish", "complete -c git -n __fish_git_orchestrate_behind_git"),
    ] {
        let ran = sandbox.run(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        assert!(ran.stdout.contains(told), "{shell}");
    }
    assert_eq!(sandbox.run(&["completions", "tcsh"]).code, 129);
}
