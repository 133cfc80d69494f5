//! The exact values of secrets that we passed on, in the forms in which programs print them.
//! Knows nothing of the rules, nor of who was given the values.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

/// Characters that a value must have to be looked for: a shorter one is in too many texts by chance.
const LENGTH_MIN: usize = 8;
/// Shorter ones than this count only as whole words.
const WORD_LENGTH_MAX: usize = 16;

/// A secret that somebody was given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PassedOn {
    /// The variable it was given in.
    pub name: String,
    /// The secret.
    pub value: String,
}

impl std::fmt::Debug for PassedOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassedOn").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Whether a variable of this name holds a secret: `OPENAI_API_KEY`, `GH_TOKEN`, `DB_PASSWORD`.
pub fn is_secret_name(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "KEY",
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASS",
        "PASSPHRASE",
        "CREDENTIAL",
        "CREDENTIALS",
        "PWD",
        "PAT",
        "APIKEY",
        "DSN",
        "AUTH",
    ];
    // What names a place or a number of them is none.
    const NOT: &[&str] = &["FILE", "PATH", "DIR", "ID", "URL", "LIMIT", "LENGTH", "MAX", "COUNT"];
    let upper = name.to_ascii_uppercase();
    let parts: Vec<&str> = upper.split(['_', '-', '.']).collect();
    // The shell's own directory.
    let is_directory = parts.last() == Some(&"PWD") && (parts.len() == 1 || parts.contains(&"OLDPWD"));
    parts.iter().any(|part| PARTS.contains(part) || part.ends_with("TOKEN") || part.ends_with("SECRET"))
        && !is_directory
        && !parts.last().is_some_and(|last| NOT.contains(last) || *last == "TOKENS")
}

/// All forms of all values.
pub(super) struct Exact {
    forms: AhoCorasick,
    /// Which value each form is of, and whether it must be a whole word.
    of: Vec<(usize, bool)>,
    names: Vec<String>,
}

impl Exact {
    /// None if there is nothing to look for.
    pub(super) fn new(values: Vec<PassedOn>) -> Option<Self> {
        let (mut forms, mut of, mut names) = (Vec::new(), Vec::new(), Vec::new());
        for PassedOn { name, value } in values {
            let value = value.trim();
            if value.chars().count() < LENGTH_MIN {
                continue;
            }
            for form in forms_of(value) {
                of.push((names.len(), form.len() < WORD_LENGTH_MAX));
                forms.push(form);
            }
            names.push(name);
        }
        let forms = (!forms.is_empty()).then(|| {
            let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms);
            built.expect("values of an environment fit into an automaton")
        })?;
        Some(Self { forms, of, names })
    }

    /// Where values are, and the names of their variables.
    pub(super) fn find<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (Range<usize>, &'a str)> {
        self.forms.find_iter(text).filter_map(|found| {
            let (value, must_be_word) = self.of[found.pattern().as_usize()];
            let is_word = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
            let inside =
                is_word(found.start().checked_sub(1).and_then(|at| text.get(at))) || is_word(text.get(found.end()));
            (!must_be_word || !inside).then(|| (found.range(), self.names[value].as_str()))
        })
    }
}

/// As it is, in a JSON string, in an address, and in base64.
fn forms_of(value: &str) -> Vec<String> {
    let mut json = String::new();
    let mut address = String::new();
    for c in value.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            '\n' => json.push_str("\\n"),
            '\t' => json.push_str("\\t"),
            '\r' => json.push_str("\\r"),
            c => json.push(c),
        }
        if c.is_ascii_alphanumeric() || "-._~".contains(c) {
            address.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| address.push_str(&format!("%{byte:02X}")));
        }
    }
    let mut forms = vec![value.to_owned(), json, address, base64(value.as_bytes())];
    forms.sort();
    forms.dedup();
    forms
}

/// Base64 without the last group, whose letters depend on what follows.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks_exact(3) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(LETTERS[(bits >> shift & 63) as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str, text: &str) -> usize {
        let value = PassedOn { name: "A".to_owned(), value: value.to_owned() };
        Exact::new(vec![value]).map_or(0, |exact| exact.find(text.as_bytes()).count())
    }

    #[test]
    fn values_are_found_in_every_form() {
        let value = "p\"q/r s-0123456789";
        for text in
            [value, r#"{"a":"p\"q/r s-0123456789"}"#, "?t=p%22q%2Fr%20s-0123456789&", "cCJxL3Igcy0wMTIzNDU2Nzg5"]
        {
            assert_eq!(found(value, text), 1, "{text}");
        }
    }

    #[test]
    fn short_values_are_not_looked_for_in_words() {
        assert_eq!(found("abc1234", "abc1234"), 0, "too short");
        assert_eq!(found("abcd1234", "x abcd1234."), 1);
        assert_eq!(found("abcd1234", "xabcd1234."), 0);
    }

    #[test]
    fn names_of_secrets() {
        for name in ["OPENAI_API_KEY", "GH_TOKEN", "DB_PASSWORD", "gitlabToken", "ANTHROPIC_AUTH_TOKEN", "DB_PWD"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PATH", "PWD", "OLDPWD", "AWS_ACCESS_KEY_ID", "KEY_FILE", "MAX_THINKING_TOKENS", "NODE_ENV"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
