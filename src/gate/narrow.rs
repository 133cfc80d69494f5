//! The command of a check, narrowed to the tests that failed: to see whether they fail again, the others need not run.
//! Runs nothing. Where it is not sure that the tool means the same tests, it says nothing, and the whole check is run.

use std::collections::BTreeSet;

/// Characters of a command that no shell reads as anything but themselves, beside letters and digits.
const PLAIN: &str = " _-./:=,@+%";
/// Programs that start another one that is named behind them, with the word between, if any.
const LAUNCHERS: [(&str, &str); 8] = [
    ("npx", ""),
    ("bunx", ""),
    ("yarn", ""),
    ("pnpm", "exec"),
    ("uv", "run"),
    ("poetry", "run"),
    ("python", "-m"),
    ("python3", "-m"),
];

/// The command that runs no more than these tests, and names them also if they pass. It may run more; what counts is that each of
/// them is told of afterwards, which whoever runs it must see to.
pub(super) fn narrow(command: &str, failed: &[String]) -> Option<String> {
    let command = command.trim();
    // A shell that does more than to start one program cannot be told apart from here.
    if failed.is_empty() || !command.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c)) {
        return None;
    }
    let mut words = command.split(' ').filter(|word| !word.is_empty()).skip_while(|word| word.contains('=')).peekable();
    if let Some((_, between)) = LAUNCHERS.iter().find(|(launcher, _)| words.peek() == Some(launcher)) {
        words.next();
        if !between.is_empty() && words.next() != Some(between) {
            return None;
        }
    }
    let words: Vec<&str> = words.collect();
    let has = |word: &str| words.contains(&word);
    match words[..] {
        ["cargo", "test" | "t", ..] => {
            let names = all(failed, &|name| is_path(name).then_some(name))?.join(" ");
            Some(if has("--") { format!("{command} --exact {names}") } else { format!("{command} -- --exact {names}") })
        }
        ["cargo", "nextest", "run", ..] if !has("--") => {
            // `crate::binary test::name`
            let names = all(failed, &|name| name.rsplit(' ').next().filter(|name| is_path(name)))?;
            let tests: Vec<String> = names.iter().map(|name| format!("test(={name})")).collect();
            Some(format!("{command} -E '{}'", tests.join(" | ")))
        }
        ["pytest" | "py.test", ..] if !has("-k") && !has("--") => {
            // `tests/test_shop.py::TestTotal::test_sum[2-3]`
            let names = all(failed, &|name| {
                let (_, own) = name.rsplit_once("::")?;
                let own = own.split('[').next()?;
                is_path(own).then_some(own)
            })?;
            Some(format!("{command} -v -k '{}'", names.join(" or ")))
        }
        ["go", "test", ..]
            if !words.iter().any(|word| word.trim_start_matches('-').starts_with("run") || *word == "-args") =>
        {
            // `example.org/shop.TestTotal/empty`
            let names = all(failed, &|name| {
                let at = ["Test", "Fuzz", "Example"].iter().filter_map(|kind| name.find(&format!(".{kind}"))).min()?;
                name[at + 1..].split('/').next().filter(|name| is_path(name))
            })?;
            Some(format!("{command} -v -run '^({})$'", names.join("|")))
        }
        ["jest", ..] if !has("-t") && !has("--") => Some(format!("{command} --verbose -t '{}'", titles(failed)?)),
        ["vitest", "run", ..] if !has("-t") && !has("--") => {
            Some(format!("{command} --reporter=verbose -t '{}'", titles(failed)?))
        }
        _ => None,
    }
}

/// What the tool calls each of them, each once; none if one has no such name.
fn all<'a>(failed: &'a [String], name: &dyn Fn(&'a str) -> Option<&'a str>) -> Option<Vec<&'a str>> {
    let names: Option<BTreeSet<&str>> = failed.iter().map(|failed| name(failed)).collect();
    names.map(|names| names.into_iter().collect())
}

/// A pattern for the titles of jest and vitest: `sum.test.js › sum › is wrong`.
fn titles(failed: &[String]) -> Option<String> {
    let names = all(failed, &|name| {
        let own = name.rsplit_once(" › ")?.1;
        own.chars().all(|c| c.is_ascii_alphanumeric() || " _-,:".contains(c)).then_some(own)
    })?;
    Some(format!("({})$", names.join("|")))
}

fn is_path(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, failed: &[&str], wanted: Option<&str>) {
        let failed: Vec<String> = failed.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(narrow(command, &failed).as_deref(), wanted, "{command}");
    }

    #[test]
    fn tools_are_asked_for_what_failed() {
        let rust = ["tests::is_wrong", "fails_with_result"];
        check("cargo test", &rust, Some("cargo test -- --exact fails_with_result tests::is_wrong"));
        check(
            "RUST_LOG=info cargo test --workspace -- --test-threads=1",
            &["a::b"],
            Some("RUST_LOG=info cargo test --workspace -- --test-threads=1 --exact a::b"),
        );
        check(
            "cargo nextest run --all-features",
            &["sample tests::is_wrong", "sample::outer fails_with_result"],
            Some("cargo nextest run --all-features -E 'test(=fails_with_result) | test(=tests::is_wrong)'"),
        );
        let python = ["test_shop.py::test_numbers[2]", "test_shop.py::test_numbers[3]", "t/test_a.py::TestA::test_b"];
        check("pytest -q", &python, Some("pytest -q -v -k 'test_b or test_numbers'"));
        check("python3 -m pytest tests", &python[..1], Some("python3 -m pytest tests -v -k 'test_numbers'"));
        let go = ["example.org/sample.TestGroup", "example.org/sample.TestGroup/inner_wrong", "x.TestB"];
        check("go test ./...", &go, Some("go test ./... -v -run '^(TestB|TestGroup)$'"));
        let js = ["sum.test.js › sum › is wrong"];
        check("npx jest --ci", &js, Some("npx jest --ci --verbose -t '(is wrong)$'"));
        check("npx vitest run", &js, Some("npx vitest run --reporter=verbose -t '(is wrong)$'"));
    }

    #[test]
    fn where_it_is_not_sure_the_whole_check_is_run() {
        for command in [
            "make test",
            "npm test",
            "cargo test && cargo clippy",
            "cargo test | tee log",
            "cd sub; pytest",
            "sh -c 'cargo test'",
            "cargo test $FLAGS",
            "pytest -k fast",
            "go test -run TestA ./...",
            "uv sync",
            "vitest watch",
            "",
        ] {
            check(command, &["a", "x.py::a", "p.TestA", "f › a"], None);
            check(command, &[], None);
        }
        // Documentation has no name that can be asked for, nor has a file that does not load, nor a package that does not build.
        check("cargo test", &["src/lib.rs - add"], None);
        check("pytest", &["test_broken.py"], None);
        check("go test ./...", &["example.org/sample/broken"], None);
        check("jest", &["broken.test.js"], None);
        check("jest", &["a.test.js › it's $1.*"], None);
    }
}
