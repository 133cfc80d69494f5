//! The program that a check begins with, as far as its command tells without a shell.
//! Knows nothing of where programs are: it is told which are there.

/// Words that the shell itself understands.
const OF_THE_SHELL: [&str; 36] = [
    ".", "[", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "echo", "eval", "exec", "exit",
    "export", "false", "for", "hash", "if", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift",
    "test", "times", "trap", "true", "type", "ulimit", "umask", "unset", "wait",
];
/// Words that begin more than one command: what follows is not looked at.
const OF_COMMANDS: [&str; 7] = ["function", "select", "source", "time", "until", "while", "coproc"];

/// The program that a command begins with, if it is plainly not there. What only a shell can tell is not judged.
///
/// `is_in_tree` is asked of a path relative to where the command runs, `is_on_path` of a name.
pub fn missing_program<'a>(
    run: &'a str,
    is_in_tree: &dyn Fn(&str) -> bool,
    is_on_path: &dyn Fn(&str) -> bool,
) -> Option<&'a str> {
    let program = first_program(run)?;
    let is_there = if program.contains('/') { is_in_tree(program) } else { is_on_path(program) };
    (!is_there).then_some(program)
}

/// The program that a command begins with, if it begins with one plainly.
pub fn first_program(run: &str) -> Option<&str> {
    let mut words = run.split_whitespace();
    let program = loop {
        let word = words.next()?;
        // With another PATH, nobody knows what is on it.
        if word.starts_with("PATH=") {
            return None;
        }
        if !word.contains('=') {
            break word;
        }
    };
    let is_plain = program.chars().all(|c| c.is_alphanumeric() || "._-+/".contains(c));
    let is_known = OF_THE_SHELL.contains(&program) || OF_COMMANDS.contains(&program);
    (is_plain && !is_known).then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(run: &str, wanted: Option<&str>) {
        let missing = missing_program(run, &|path| path == "./run.sh", &|program| program == "cargo");
        assert_eq!(missing, wanted, "{run}");
    }

    #[test]
    fn only_a_program_that_is_plainly_missing_is_named() {
        check("cargo test", None);
        check("CI=1 pytest -q", Some("pytest"));
        check("./run.sh", None);
        check("./other.sh x", Some("./other.sh"));
        for run in [
            "cd web && npm test",
            "$RUNNER test",
            "",
            "PATH=bin:$PATH mytool",
            "! grep -r TODO .",
            "(nothing)",
            "{ nothing; }",
            "nothing;",
            "echo 'x' | nothing",
            "time nothing",
            "while nothing; do cargo test; done",
            "'quoted program' x",
            "A='b c' nothing",
        ] {
            check(run, None);
        }
    }
}
