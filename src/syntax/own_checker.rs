//! Which program of a language's own says whether a file parses, with which words, and what its complaint says.
//! Starts nothing: whoever may start programs does. None of them runs what it reads.

use std::sync::OnceLock;

use regex::Regex;

use super::Break;
use crate::text::{clean_line, cut};

/// Columns of a complaint that are shown.
const WHAT_COLUMNS_MAX: usize = 160;

/// A program that reads a file from its standard input, and ends well if the file parses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnChecker {
    /// Its name on PATH.
    pub program: &'static str,
    /// Its words.
    pub args: &'static [&'static str],
}

const fn checker(program: &'static str, args: &'static [&'static str]) -> OwnChecker {
    OwnChecker { program, args }
}

const BASH: OwnChecker = checker("bash", &["--norc", "--noprofile", "-n"]);
const SH: OwnChecker = checker("sh", &["-n"]);
const PYTHON: OwnChecker =
    checker("python3", &["-I", "-S", "-B", "-c", "import ast, sys; ast.parse(sys.stdin.buffer.read())"]);
const RUBY: OwnChecker = checker("ruby", &["--disable=gems,rubyopt", "-c"]);
const PHP: OwnChecker = checker("php", &["-n", "-l"]);

/// By what follows the last dot of a file's name.
const BY_EXTENSION: [(&str, OwnChecker); 13] = [
    ("bash", BASH),
    ("sh", BASH),
    ("zsh", checker("zsh", &["-f", "-n"])),
    ("fish", checker("fish", &["--no-config", "--no-execute"])),
    ("py", PYTHON),
    ("js", checker("node", &["--check", "-"])),
    ("cjs", checker("node", &["--check", "-"])),
    ("mjs", checker("node", &["--input-type=module", "--check", "-"])),
    ("go", checker("gofmt", &["-e"])),
    ("rs", checker("rustfmt", &["--edition", "2024", "--emit", "stdout"])),
    ("rb", RUBY),
    ("php", PHP),
    ("lua", checker("luac", &["-p", "-"])),
];

/// By the program that a file's first line names.
const BY_PROGRAM: [(&str, OwnChecker); 6] =
    [("bash", BASH), ("sh", SH), ("dash", SH), ("python3", PYTHON), ("ruby", RUBY), ("php", PHP)];

/// The checker of a file, by its name, else by its first line.
pub fn own_checker(path: &str, bytes: &[u8]) -> Option<OwnChecker> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some((_, extension)) = name.rsplit_once('.') {
        return BY_EXTENSION.iter().find(|(known, _)| *known == extension).map(|(_, checker)| *checker);
    }
    let first = bytes.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let first = String::from_utf8_lossy(first);
    let mut words = first.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let program = words.find(|word| *word != "env" && !word.starts_with('-'))?;
    BY_PROGRAM.iter().find(|(known, _)| *known == program).map(|(_, checker)| *checker)
}

impl OwnChecker {
    /// What its complaint says of the file; none: it complains of something else, so nothing is known. The line is 1 where it
    /// names none.
    pub fn complaint(self, stderr: &[u8]) -> Option<Break> {
        static PLACES: OnceLock<[Regex; 3]> = OnceLock::new();
        let places = PLACES.get_or_init(|| {
            [
                r#"File "<unknown>", line (\d+)"#,
                r"(?:<stdin>|\[stdin\]|<standard input>):(\d+)",
                r"(?:line |: ?|-:)(\d+)",
            ]
            .map(|pattern| Regex::new(pattern).expect("it is compiled in, and a test uses it"))
        });
        let said = String::from_utf8_lossy(stderr);
        let number = places.iter().find_map(|place| place.captures(&said)?.get(1)?.as_str().parse().ok());
        let is_of_syntax = said.to_ascii_lowercase().replace(' ', "").contains("syntaxerror");
        let line = number.or(is_of_syntax.then_some(1))?;
        let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
        let what = said.lines().rfind(|line| line.contains("Error: ")).or_else(|| lines.next()).unwrap_or_default();
        let what = format!("{}: {}", self.program, clean_line(what.trim()));
        Some(Break { line, what: cut(&what, WHAT_COLUMNS_MAX) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_or_its_first_line() {
        for (path, first, program) in [
            ("a.py", "", Some("python3")),
            ("bin/run", "#!/usr/bin/env -S bash -e\n", Some("bash")),
            ("bin/run", "#!/bin/sh\n", Some("sh")),
            ("bin/run", "#!/usr/bin/perl\n", None),
            ("bin/run", "no script", None),
            ("a.md", "#!/bin/sh\n", None),
            ("mod.go", "", Some("gofmt")),
        ] {
            assert_eq!(own_checker(path, first.as_bytes()).map(|own| own.program), program, "{path} {first}");
        }
    }

    #[test]
    fn complaints_are_read() {
        for (stderr, line, what) in [
            (
                "Traceback (most recent call last):\n  File \"/x/ast.py\", line 50, in parse\n  File \"<unknown>\", line 3\n    \
                 def f(:\nSyntaxError: invalid syntax\n",
                3,
                "SyntaxError: invalid syntax",
            ),
            (
                "[stdin]:2\nconst x = ;\n\nSyntaxError: Unexpected token ';'\n    at a (node:internal/b:74:5)\n",
                2,
                "SyntaxError: Unexpected token ';'",
            ),
            (
                "bash: line 4: syntax error near unexpected token `fi'\n",
                4,
                "bash: line 4: syntax error near unexpected token `fi'",
            ),
            (
                "<standard input>:5:1: expected declaration\n<standard input>:9:1: more\n",
                5,
                "<standard input>:5:1: expected declaration",
            ),
            (
                "error: this file contains an unclosed delimiter\n --> <stdin>:7:13\n",
                7,
                "error: this file contains an unclosed delimiter",
            ),
            ("bash: syntax error: unexpected end of file\n", 1, "bash: syntax error: unexpected end of file"),
        ] {
            let what = format!("sh: {what}");
            assert_eq!(SH.complaint(stderr.as_bytes()), Some(Break { line, what }), "{stderr}");
        }
        assert_eq!(SH.complaint(b"rustup could not choose a version"), None);
        assert_eq!(SH.complaint(b""), None);
    }
}
