//! Finds secrets in bytes, in one pass for all keywords and then only around the words that were found.
//! Knows nothing of where the bytes came from; nothing is written down or sent.

use std::{borrow::Cow, ops::Range, sync::OnceLock};

use aho_corasick::AhoCorasick;

use super::{
    Allow, Finding, PassedOn,
    exact::Exact,
    finding::preview,
    placeholder::is_placeholder,
    randomness::{bits, looks_random},
    rule::{BEFORE_BYTES, REACH_BYTES, Rule, Sure, Table},
};

/// A comment on the line of what looks like a secret and is none.
pub const ALLOW_COMMENT: &str = "git-orchestrate:allow-secret";
/// The same of other programs.
const FOREIGN_COMMENTS: [&str; 2] = ["gitleaks:allow", "pragma: allowlist secret"];

/// Bytes of a block in armour, from its first line on.
const BLOCK_BYTES_MAX: usize = 20_000;
/// Bytes behind the stretch that is looked at in which the end of a form may be.
const FORM_BYTES_MAX: usize = 8 << 10;
/// Characters of base64 in a row that a block in armour has.
const BLOCK_RUN_MIN: usize = 40;
/// Hex digits that a secret has whose name only tells.
const HEX_LENGTH_MIN: usize = 32;
/// Bytes around a finding in which a comment on its line is looked for.
const LINE_BYTES_MAX: usize = 4096;
/// Bytes of a text in which a zero byte makes it binary.
const BINARY_BYTES: usize = 8000;
/// The rule of values that were passed on.
const PASSED_ON: &str = "passed-on";

/// Whether a comment may excuse a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comments {
    /// A person wrote it.
    Heeded,
    /// Whoever wrote the secret may have written the comment as well.
    Ignored,
}

/// Looks for secrets. Cheap to make but for the values: the table is made once in a process.
pub struct Scanner {
    exact: Option<Exact>,
    allow: Allow,
    is_off: bool,
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("allow", &self.allow).field("is_off", &self.is_off).finish_non_exhaustive()
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new(Vec::new(), Allow::default())
    }
}

/// A match: its rule, or the variable it was passed in.
enum Hit<'a> {
    Rule(&'static Rule),
    Passed(&'a str),
}

impl Scanner {
    /// One that knows these values beside the rules.
    pub fn new(exact_values: Vec<PassedOn>, allow: Allow) -> Self {
        Self { exact: Exact::new(exact_values), allow, is_off: false }
    }

    /// One that finds nothing.
    pub fn off() -> Self {
        Self { exact: None, allow: Allow::default(), is_off: true }
    }

    /// Whether it finds nothing.
    pub fn is_off(&self) -> bool {
        self.is_off
    }

    /// The secrets in a text, in its order; a comment on their line excuses them. The time grows with the length of the
    /// text only, whatever is in it.
    pub fn scan(&self, text: &[u8]) -> Vec<Finding> {
        self.findings(text, Comments::Heeded, Guesses::Made)
    }

    /// The secrets in a file. Files of a path that is allowed have none; in those that programs write (lock files, minified
    /// code, images) only forms count that nothing else has.
    pub fn scan_file(&self, path: &str, text: &[u8], comments: Comments) -> Vec<Finding> {
        if self.allow.path(path) {
            return Vec::new();
        }
        let guesses = if is_generated(path) || is_binary(text) { Guesses::Left } else { Guesses::Made };
        self.findings(text, comments, guesses)
    }

    /// What [`Self::redact`] leaves out.
    pub fn scan_redacted(&self, text: &str) -> Vec<Finding> {
        self.findings(text.as_bytes(), Comments::Ignored, Guesses::Made)
    }

    /// The text with `[redacted: <rule>]` in the place of each secret. No comment saves one.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let found = self.matches(text.as_bytes(), Guesses::Made);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        // A match may end within a letter only where the text has bytes that no rule's pattern is about.
        let whole = |at: usize| text.floor_char_boundary(at);
        let (mut redacted, mut from) = (String::with_capacity(text.len()), 0);
        for (range, hit) in found {
            redacted.push_str(&text[from..whole(range.start)]);
            redacted.push_str(&mark(&hit));
            from = text.ceil_char_boundary(range.end);
        }
        redacted.push_str(&text[from..]);
        Cow::Owned(redacted)
    }

    /// The same for bytes.
    pub fn redact_bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let found = self.matches(text, Guesses::Made);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut redacted, mut from) = (Vec::with_capacity(text.len()), 0);
        for (range, hit) in found {
            redacted.extend_from_slice(&text[from..range.start]);
            redacted.extend_from_slice(mark(&hit).as_bytes());
            from = range.end;
        }
        redacted.extend_from_slice(&text[from..]);
        Cow::Owned(redacted)
    }

    fn findings(&self, text: &[u8], comments: Comments, guesses: Guesses) -> Vec<Finding> {
        let (mut line, mut line_start, mut counted) = (1, 0, 0);
        let mut findings = Vec::new();
        for (range, hit) in self.matches(text, guesses) {
            for at in memchr::memchr_iter(b'\n', &text[counted..range.start]) {
                line += 1;
                line_start = counted + at + 1;
            }
            counted = range.start;
            let (rule, what) = match hit {
                Hit::Rule(rule) => (rule.id, rule.what.to_owned()),
                Hit::Passed(name) => (PASSED_ON, format!("the value of {name}, which was passed on")),
            };
            // What was really passed on is excused by nobody.
            if matches!(hit, Hit::Rule(_)) && comments == Comments::Heeded && is_excused(text, &range) {
                continue;
            }
            let preview = preview(&text[range.clone()]);
            findings.push(Finding { rule, what, line, column: range.start - line_start + 1, preview, range });
        }
        findings
    }

    /// All matches in the order of the text, none over another.
    fn matches<'a>(&'a self, text: &'a [u8], guesses: Guesses) -> Vec<(Range<usize>, Hit<'a>)> {
        if self.is_off {
            return Vec::new();
        }
        let table = Table::get();
        // The place in the table breaks ties; what was passed on comes before all.
        let mut found: Vec<(Range<usize>, usize, Hit<'a>)> = Vec::new();
        if let Some(exact) = &self.exact {
            found.extend(exact.find(text).map(|(range, name)| (range, 0, Hit::Passed(name))));
        }
        for_windows(text, &mut |at, window| {
            let rule = table.rule(at);
            if (guesses == Guesses::Left && rule.sure != Sure::Form) || self.allow.rule(rule.id) {
                return;
            }
            in_window(text, at, window, &mut |range| {
                if counts(rule, &text[range.clone()]) && !self.allow.value(&text[range.clone()]) {
                    found.push((range, at + 1, Hit::Rule(rule)));
                }
            });
        });
        found.sort_by_key(|(range, order, _)| (range.start, *order));
        disjoint(found)
    }
}

/// Of matches over each other one is kept: the first in the table, made as long as all of them together.
fn disjoint(found: Vec<(Range<usize>, usize, Hit<'_>)>) -> Vec<(Range<usize>, Hit<'_>)> {
    let mut kept: Vec<(Range<usize>, usize, Hit<'_>)> = Vec::new();
    for (range, order, hit) in found {
        match kept.last_mut() {
            Some((last, last_order, last_hit)) if range.start < last.end => {
                last.end = last.end.max(range.end);
                if order < *last_order {
                    (*last_order, *last_hit) = (order, hit);
                }
            }
            Some(_) | None => kept.push((range, order, hit)),
        }
    }
    kept.into_iter().map(|(range, _, hit)| (range, hit)).collect()
}

/// Whether rules are asked that go by names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guesses {
    Made,
    Left,
}

/// Calls `look` with each rule and the stretches of the text that are near one of its keywords. Stretches of one rule never
/// overlap, so each byte is looked at once a rule at most.
fn for_windows(text: &[u8], look: &mut dyn FnMut(usize, Range<usize>)) {
    static KEYWORDS: OnceLock<(AhoCorasick, Vec<usize>)> = OnceLock::new();
    let table = Table::get();
    let (keywords, of) = KEYWORDS.get_or_init(|| {
        let (mut words, mut of) = (Vec::new(), Vec::new());
        for (at, rule) in table.rules().enumerate() {
            words.extend_from_slice(rule.keywords);
            of.extend(std::iter::repeat_n(at, rule.keywords.len()));
        }
        let built = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        (built.expect("the keywords of the table fit into an automaton"), of)
    });
    let mut open: Vec<Option<Range<usize>>> = vec![None; of.last().map_or(0, |last| last + 1)];
    for found in keywords.find_overlapping_iter(text) {
        let rule = of[found.pattern().as_usize()];
        let from = found.start().saturating_sub(BEFORE_BYTES);
        let to = (found.end() + REACH_BYTES).min(text.len());
        match &mut open[rule] {
            Some(window) if from <= window.end => window.end = to,
            window => {
                if let Some(before) = window.replace(from..to) {
                    look(rule, before);
                }
            }
        }
    }
    for (rule, window) in open.into_iter().enumerate() {
        if let Some(window) = window {
            look(rule, window);
        }
    }
}

/// Calls `hit` with what the rule's pattern finds in a stretch.
fn in_window(text: &[u8], at: usize, window: Range<usize>, hit: &mut dyn FnMut(Range<usize>)) {
    let (table, mut from) = (Table::get(), window.start);
    let (rule, regex) = (table.rule(at), table.regex(at));
    // What begins in the window may end behind it. Forms are rare enough to look far for their end.
    let beyond = if rule.sure == Sure::Form { FORM_BYTES_MAX } else { REACH_BYTES };
    let haystack = &text[..(window.end + beyond).min(text.len())];
    let mut places = regex.capture_locations();
    while from < window.end
        && let Some(mut whole) = regex.captures_read_at(&mut places, haystack, from)
        && whole.start() < window.end
    {
        if whole.end() == haystack.len() && haystack.len() < text.len() {
            // It may go on where we stopped looking.
            let further = &text[..(haystack.len() + FORM_BYTES_MAX).min(text.len())];
            whole = regex.captures_read_at(&mut places, further, whole.start()).unwrap_or(whole);
        }
        let (start, mut end) = places.get(1).unwrap_or((whole.start(), whole.end()));
        if rule.is_block {
            end = block_end(text, whole.end());
        }
        hit(start..end);
        from = end.max(whole.start() + 1);
    }
}

/// Where a block in armour ends: behind its last line, or where what looks like one does.
fn block_end(text: &[u8], from: usize) -> usize {
    let rest = &text[from..(from + BLOCK_BYTES_MAX).min(text.len())];
    // Not over the beginning of another one, however many there are.
    let next = memchr::memmem::find(rest, b"-----BEGIN").unwrap_or(rest.len());
    if let Some(at) = memchr::memmem::find(&rest[..next], b"-----END") {
        let tail = &rest[at + 8..next];
        let length = memchr::memmem::find(tail, b"-----").map_or(0, |at| at + 5);
        return from + at + 8 + if length <= 80 { length } else { 0 };
    }
    // It was cut off: base64, line ends as they are or as JSON writes them, headers of old forms.
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\r\n\\:,- \"'".contains(byte);
    from + rest[..next].iter().position(|byte| !is_part(byte)).unwrap_or(next)
}

/// Whether a match is a secret and not something that stands for one.
fn counts(rule: &Rule, secret: &[u8]) -> bool {
    if rule.is_block {
        // A header alone, as in documents and in patterns such as ours, opens nothing.
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let longest = secret.split(|byte| !is_base64(byte)).max_by_key(|run| run.len()).unwrap_or_default();
        return longest.len() >= BLOCK_RUN_MIN && !is_placeholder(longest, Sure::Form);
    }
    if bits(secret) < rule.bits_min || is_placeholder(secret, rule.sure) {
        return false;
    }
    match rule.sure {
        Sure::Form => true,
        Sure::Name => secret.iter().any(u8::is_ascii_digit),
        Sure::Chosen => is_chosen(rule, secret),
    }
}

/// Whether somebody thought it up as a secret, or a program drew it.
fn is_chosen(rule: &Rule, secret: &[u8]) -> bool {
    let is_hex = secret.iter().all(u8::is_ascii_hexdigit);
    let is_uuid = secret.len() == 36 && secret.iter().filter(|byte| **byte == b'-').count() == 4;
    match rule.id {
        // A short one is the name of something: a commit, a public key.
        "generic-secret" if is_hex => secret.len() >= HEX_LENGTH_MIN,
        "generic-secret" => !is_uuid && looks_random(secret),
        // Nobody needs a digit in an address.
        "url-password" => true,
        _ => {
            let has = |is: fn(&u8) -> bool| secret.iter().any(is);
            has(u8::is_ascii_alphabetic) && (has(u8::is_ascii_digit) || has(u8::is_ascii_punctuation)) && {
                let call = [b"(".as_slice(), b")", b"[", b"]", b"{", b"}", b"->", b"=>", b"||", b"&&", b"..."];
                !call.iter().any(|part| memchr::memmem::find(secret, part).is_some()) && has_more_than_words(secret)
            }
        }
    }
}

/// Whether it is more than words with points, lines or colons between: `config.password`, `auth-password:new`.
fn has_more_than_words(secret: &[u8]) -> bool {
    secret.iter().any(|byte| byte.is_ascii_digit() || b"!@#$%^&*?~+=<>|;".contains(byte))
}

/// Whether the line of a finding carries a comment that allows it.
fn is_excused(text: &[u8], range: &Range<usize>) -> bool {
    let before = &text[range.start.saturating_sub(LINE_BYTES_MAX)..range.start];
    let after = &text[range.start..(range.end + LINE_BYTES_MAX).min(text.len())];
    let start = range.start - memchr::memrchr(b'\n', before).map_or(before.len(), |at| before.len() - at - 1);
    let end = range.start + memchr::memchr(b'\n', after).unwrap_or(after.len());
    let line = &text[start..end];
    let has = |word: &str| memchr::memmem::find(line, word.as_bytes()).is_some();
    has(ALLOW_COMMENT) || FOREIGN_COMMENTS.iter().any(|word| has(word))
}

fn mark(hit: &Hit<'_>) -> String {
    match hit {
        Hit::Rule(rule) => format!("[redacted: {}]", rule.id),
        Hit::Passed(name) => format!("[redacted: {PASSED_ON} {name}]"),
    }
}

fn is_binary(text: &[u8]) -> bool {
    memchr::memchr(0, &text[..text.len().min(BINARY_BYTES)]).is_some()
}

/// Files that programs write and that are full of digests.
fn is_generated(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "go.sum",
        "go.work.sum",
        "gradle.lockfile",
        "verification-metadata.xml",
        "Package.resolved",
        "bun.lockb",
        "RECORD",
    ];
    const ENDS: &[&str] = &[
        ".lock", ".min.js", ".min.css", ".map", ".svg", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp",
        ".woff", ".woff2", ".ttf", ".eot", ".sum", ".wasm",
    ];
    let name = path.rsplit('/').next().unwrap_or(path);
    NAMES.contains(&name) || ENDS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// A token of GitHub that nobody was given, put together here so that no scanner finds it in this file.
    fn token() -> String {
        format!("gh{}_{}", "p", "q7Rk2mZp9XvB4nTsW8cL1yHd5fJ3gKaE6uPo")
    }

    #[track_caller]
    fn check(scanner: &Scanner, text: &str, wanted: &[&str]) {
        let found = scanner.scan(text.as_bytes()).into_iter();
        let found: Vec<_> =
            found.map(|one| format!("{}:{} {} {}", one.line, one.column, one.rule, one.preview)).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn findings_say_where_and_never_what() {
        let token = token();
        check(&Scanner::default(), &format!("a\nb\n  x = \"{token}\"\n"), &["3:8 github-token ghp_… (40 characters)"]);
        check(
            &Scanner::default(),
            &format!("{token} {token}"),
            &["1:1 github-token ghp_… (40 characters)", "1:42 github-token ghp_… (40 characters)"],
        );
        check(&Scanner::off(), &token, &[]);
        assert!(!format!("{:?}", Scanner::default().scan(token.as_bytes())).contains(&token[4..]));
    }

    #[test]
    fn comments_digests_rules_and_paths_excuse() {
        let token = token();
        let line = format!("x = \"{token}\"  # {ALLOW_COMMENT}\ny = 1\n");
        check(&Scanner::default(), &line, &[]);
        check(&Scanner::default(), &format!("# {ALLOW_COMMENT}\n{token}"), &["2:1 github-token ghp_… (40 characters)"]);
        let agent = Scanner::default().scan_file("a.py", line.as_bytes(), Comments::Ignored);
        assert_eq!(agent.len(), 1, "who writes the secret does not excuse it");
        let digest: String = Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
        for entry in [format!("sha256:{digest}"), "rule:github-token".to_owned()] {
            let scanner = Scanner::new(Vec::new(), Allow::parse(&[entry]).expect("an entry"));
            check(&scanner, &token, &[]);
            assert_eq!(scanner.redact(&token), token);
        }
        let scanner = Scanner::new(Vec::new(), Allow::parse(&["path:tests/**".to_owned()]).expect("an entry"));
        assert!(scanner.scan_file("tests/a/b.py", token.as_bytes(), Comments::Heeded).is_empty());
        assert_eq!(scanner.scan_file("src/b.py", token.as_bytes(), Comments::Heeded).len(), 1);
    }

    #[test]
    fn redaction_leaves_all_else() {
        let (token, scanner) = (token(), Scanner::default());
        assert_eq!(scanner.redact("nothing here"), "nothing here");
        let text = format!("é {token}é\n{token}");
        let redacted = "é [redacted: github-token]é\n[redacted: github-token]";
        assert_eq!(scanner.redact(&text), redacted);
        assert_eq!(scanner.redact_bytes(text.as_bytes()).as_ref(), redacted.as_bytes());
        assert_eq!(scanner.redact(redacted), redacted, "once is enough");
        let bytes = [b"\xff\xfe".as_slice(), token.as_bytes(), b"\xff"].concat();
        assert_eq!(scanner.redact_bytes(&bytes).as_ref(), b"\xff\xfe[redacted: github-token]\xff");
    }

    #[test]
    fn values_that_were_passed_on_are_known() {
        let passed = PassedOn { name: "MY_PASSWORD".to_owned(), value: "correct horse".to_owned() };
        let scanner = Scanner::new(vec![passed], Allow::default());
        let text = format!("say correct horse {ALLOW_COMMENT}");
        check(&scanner, &text, &["1:5 passed-on … (13 characters)"]);
        assert_eq!(scanner.redact("say correct horse!"), "say [redacted: passed-on MY_PASSWORD]!");
    }

    #[test]
    fn a_private_key_goes_as_a_whole() {
        let body = "MHcCAQEEIJ8u3kq9Zr7vXb2Nc5Td1Wf6Gh4Jk8Lm0Pq3Rs5TuVwYzA1B2C3D4E5F6";
        let block = format!("-----BEGIN EC {} KEY-----\n{body}\n-----END EC {0} KEY-----", "PRIVATE");
        let scanner = Scanner::default();
        assert_eq!(scanner.redact(&format!("a\n{block}\nb")), "a\n[redacted: private-key]\nb");
        let json = block.replace('\n', "\\n");
        assert_eq!(scanner.redact(&format!("{{\"k\":\"{json}\"}}")), "{\"k\":\"[redacted: private-key]\"}");
        let cut = &block[..80];
        assert!(!scanner.redact(cut).contains("MHcC"), "{}", scanner.redact(cut));
        check(&scanner, &format!("begins with -----BEGIN EC {} KEY----- and ends", "PRIVATE"), &[]);
    }

    #[test]
    fn a_long_form_is_redacted_to_its_end() {
        let long: String = (0..3000_u32).map(|at| char::from(b'a' + (at * 7 % 26) as u8)).collect();
        let text = format!("eyJ{0}.eyJ{0}.{1}", &long[..1200], &long[..300]);
        assert_eq!(Scanner::default().redact(&format!("t {text} u")), "t [redacted: jwt] u");
    }

    /// What would make a search per word, or per beginning, go over the text again and again.
    #[test]
    fn hostile_texts_take_no_longer_than_others() {
        const LENGTH: usize = 1 << 20;
        let pem = format!("-----BEGIN {} KEY-----", "PRIVATE");
        for piece in
            ["a", "token=", "api_key:'", "eyJ", "password", "://a:", "xoxb-1-", pem.as_str(), "aws_secret ", "\u{ff}"]
        {
            let text = piece.repeat(LENGTH / piece.len());
            let whole = Scanner::default().redact(&text);
            assert!(whole.len() <= text.len(), "{piece}");
        }
    }
}
