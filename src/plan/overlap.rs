//! Whether two globs may name the same file, and which files one names.
//! Knows nothing of whose globs they are: one that could name a file is taken to do so.

use std::collections::BTreeSet;

use super::code_map::CodeMap;

/// Texts that the alternatives of one glob are written out to; one with more is taken to name anything.
const ALTERNATIVES_MAX: usize = 64;

/// A glob, made ready for comparing. What looks like a directory stands for all that is in it. Upper and lower case are the same,
/// as they are on some file systems.
#[derive(Debug, Clone)]
pub struct Pattern {
    glob: String,
    /// None: it is taken to name anything.
    alternatives: Option<Vec<Alternative>>,
}

#[derive(Debug, Clone)]
struct Alternative {
    parts: Vec<Segment>,
    /// With what is inside, if it looks like a directory's.
    whole: Vec<Segment>,
    is_literal: bool,
}

impl Pattern {
    /// That of a glob.
    pub fn new(glob: &str) -> Self {
        let alternative = |text: String| {
            let parts = segments(&text);
            Alternative { is_literal: is_literal(&parts), whole: with_content(&text, parts.clone()), parts }
        };
        let alternatives = written_out(glob).map(|all| all.into_iter().map(alternative).collect());
        Self { glob: glob.to_owned(), alternatives }
    }

    /// As it was written.
    pub fn glob(&self) -> &str {
        &self.glob
    }

    /// The directory at the root that all it names is in, in lower case; none: it may be anywhere.
    pub(super) fn start(&self) -> Option<String> {
        let alternatives = self.alternatives.as_ref()?;
        let mut starts = alternatives.iter().map(|alternative| match alternative.whole.first() {
            Some(Segment::One(tokens)) => tokens
                .iter()
                .map(|token| match token {
                    Token::Letter(letter) => Some(*letter),
                    Token::AnyLetter | Token::AnyLetters => None,
                })
                .collect::<Option<String>>(),
            Some(Segment::Any) | None => None,
        });
        let first = starts.next()??;
        starts.all(|start| start.as_ref() == Some(&first)).then_some(first)
    }

    /// The paths that it stands for, in lower case, if it has no letter that stands for others. Two such meet if one is the
    /// other, or a directory that the other is in.
    pub(super) fn literals(&self) -> Option<Vec<String>> {
        let name = |segment: &Segment| match segment {
            Segment::Any => None,
            Segment::One(tokens) => tokens
                .iter()
                .map(|token| match token {
                    Token::Letter(letter) => Some(*letter),
                    Token::AnyLetter | Token::AnyLetters => None,
                })
                .collect::<Option<String>>(),
        };
        let path = |alternative: &Alternative| {
            let names: Option<Vec<String>> = alternative.parts.iter().map(name).collect();
            names.map(|names| names.join("/"))
        };
        self.alternatives.as_ref()?.iter().map(path).collect()
    }

    /// Whether there could be a file that both name.
    pub fn meets(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.alternatives, &other.alternatives) else { return true };
        mine.iter().any(|a| theirs.iter().any(|b| one_meets(a, b)))
    }

    /// Whether it names this file, or a directory that the file is in.
    pub fn names(&self, path: &str) -> bool {
        let Some(alternatives) = &self.alternatives else { return true };
        let file = literal(path);
        alternatives.iter().any(|alternative| names_file(alternative, &file))
    }

    /// The files of a map that it names, in order.
    pub fn files(&self, map: &CodeMap) -> Vec<u32> {
        let is_plain = !self.glob.contains(['*', '?', '[', '{', '\\']);
        if is_plain && let Some(at) = map.at(self.glob.trim_start_matches("./")) {
            return vec![at];
        }
        let Some(alternatives) = &self.alternatives else { return Vec::new() };
        let named = |path: &str| {
            let file = literal(path);
            alternatives.iter().any(|alternative| names_file(alternative, &file))
        };
        // Most files do not even begin as it does.
        let start: String = self.glob.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default().to_lowercase();
        let start = start.trim_start_matches("./").rsplit_once('/').map_or("", |(dir, _)| dir).to_owned();
        let may = |path: &str| {
            path.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(&start) || !head.is_ascii())
        };
        (0..).zip(map.paths()).filter(|(_, path)| may(path) && named(path)).map(|(at, _)| at).collect()
    }
}

fn names_file(alternative: &Alternative, file: &[Segment]) -> bool {
    if alternative.is_literal {
        let shorter = alternative.parts.len().min(file.len());
        return alternative.parts.len() <= file.len() && segments_meet(&alternative.parts, &file[..shorter]);
    }
    segments_meet(&alternative.whole, file)
}

fn one_meets(a: &Alternative, b: &Alternative) -> bool {
    if a.is_literal && b.is_literal {
        let shorter = a.parts.len().min(b.parts.len());
        return segments_meet(&a.parts[..shorter], &b.parts[..shorter]);
    }
    // Where they part before anything could be any number of directories, they stay apart.
    for (a, b) in a.whole.iter().zip(&b.whole) {
        match (a, b) {
            (Segment::One(a), Segment::One(b)) if !names_meet(a, b) => return false,
            (Segment::One(_), Segment::One(_)) => {}
            (Segment::Any, _) | (_, Segment::Any) => break,
        }
    }
    segments_meet(&a.whole, &b.whole)
}

/// A path as it is, whatever letters it has.
fn literal(path: &str) -> Vec<Segment> {
    let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.map(|part| Segment::One(part.chars().flat_map(char::to_lowercase).map(Token::Letter).collect())).collect()
}

fn is_literal(parts: &[Segment]) -> bool {
    parts.iter().all(|part| match part {
        Segment::Any => false,
        Segment::One(tokens) => tokens.iter().all(|token| matches!(token, Token::Letter(_))),
    })
}

/// The segments, followed by what is inside if the glob looks like a directory's: it ends with `/` or `/*`, or its last name
/// has no dot. `src/*.rs` and `src/a.rs` are files.
fn with_content(glob: &str, mut parts: Vec<Segment>) -> Vec<Segment> {
    let is_directory = match parts.last() {
        None | Some(Segment::Any) => false,
        Some(Segment::One(tokens)) => glob.ends_with('/') || !tokens.contains(&Token::Letter('.')),
    };
    if is_directory {
        parts.push(Segment::Any);
    }
    parts
}

fn segments(glob: &str) -> Vec<Segment> {
    let parts = glob.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.map(|part| if part == "**" { Segment::Any } else { Segment::One(tokens(part)) }).collect()
}

#[derive(Debug, Clone)]
enum Segment {
    /// `**`: any number of directories.
    Any,
    /// One name.
    One(Vec<Token>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`, or a class, which is taken for any letter.
    AnyLetter,
    /// `*`
    AnyLetters,
}

fn tokens(part: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = part.chars().flat_map(char::to_lowercase).peekable();
    while let Some(letter) = letters.next() {
        tokens.push(match letter {
            '*' => Token::AnyLetters,
            '?' => Token::AnyLetter,
            '\\' => letters.next().map_or(Token::Letter('\\'), Token::Letter),
            '[' => {
                // A ']' that comes first belongs to the class.
                letters.next_if(|c| matches!(c, '!' | '^'));
                letters.next_if_eq(&']');
                letters.by_ref().find(|c| *c == ']');
                Token::AnyLetter
            }
            letter => Token::Letter(letter),
        });
    }
    tokens
}

/// Whether two lists of segments can be the same path.
fn segments_meet(a: &[Segment], b: &[Segment]) -> bool {
    meet(a.len(), b.len(), &|at_a, at_b| Pair {
        a_repeats: matches!(a.get(at_a), Some(Segment::Any)),
        b_repeats: matches!(b.get(at_b), Some(Segment::Any)),
        equal: match (a.get(at_a), b.get(at_b)) {
            (Some(Segment::One(a)), Some(Segment::One(b))) => names_meet(a, b),
            _ => true,
        },
    })
}

/// Whether two patterns of one name can be the same name.
fn names_meet(a: &[Token], b: &[Token]) -> bool {
    meet(a.len(), b.len(), &|at_a, at_b| Pair {
        a_repeats: a.get(at_a) == Some(&Token::AnyLetters),
        b_repeats: b.get(at_b) == Some(&Token::AnyLetters),
        equal: match (a.get(at_a), b.get(at_b)) {
            (Some(Token::Letter(a)), Some(Token::Letter(b))) => a == b,
            _ => true,
        },
    })
}

/// How two patterns stand to each other at a place in each.
struct Pair {
    /// The first has something there that can stand for any number.
    a_repeats: bool,
    /// The second has.
    b_repeats: bool,
    /// What they have there can be the same.
    equal: bool,
}

/// Walks two patterns side by side; each pair of places is looked at once.
fn meet(a_len: usize, b_len: usize, pair: &dyn Fn(usize, usize) -> Pair) -> bool {
    let mut seen = BTreeSet::from([(0, 0)]);
    let mut open = vec![(0, 0)];
    while let Some((a, b)) = open.pop() {
        let (a_done, b_done) = (a == a_len, b == b_len);
        if a_done && b_done {
            return true;
        }
        let Pair { a_repeats, b_repeats, equal } = pair(a, b);
        let mut steps = Vec::new();
        if a_repeats {
            steps.push((a + 1, b));
            steps.extend((!b_done).then_some((a, b + 1)));
        }
        if b_repeats {
            steps.push((a, b + 1));
            steps.extend((!a_done).then_some((a + 1, b)));
        }
        if !a_done && !b_done && !a_repeats && !b_repeats && equal {
            steps.push((a + 1, b + 1));
        }
        for step in steps {
            if seen.insert(step) {
                open.push(step);
            }
        }
    }
    false
}

/// The globs without `{a,b}` that a glob stands for; none: there are too many, or it cannot be read.
fn written_out(glob: &str) -> Option<Vec<String>> {
    let mut done = Vec::new();
    let mut open = vec![glob.to_owned()];
    while let Some(text) = open.pop() {
        match braces(&text)? {
            None => done.push(text),
            Some((before, alternatives, after)) => {
                open.extend(alternatives.iter().map(|alternative| format!("{before}{alternative}{after}")));
            }
        }
        if done.len() + open.len() > ALTERNATIVES_MAX {
            return None;
        }
    }
    Some(done)
}

type Braces<'a> = (&'a str, Vec<&'a str>, &'a str);

/// The first outermost `{…}` of a glob, in three; `None` outside: it does not end.
fn braces(glob: &str) -> Option<Option<Braces<'_>>> {
    let (mut depth, mut start, mut comma) = (0_usize, 0, 0);
    let mut alternatives = Vec::new();
    let mut escaped = false;
    for (at, byte) in glob.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'{' => {
                depth += 1;
                if depth == 1 {
                    (start, comma) = (at, at + 1);
                }
            }
            b',' if depth == 1 => {
                alternatives.push(&glob[comma..at]);
                comma = at + 1;
            }
            b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    alternatives.push(&glob[comma..at]);
                    return Some(Some((&glob[..start], alternatives, &glob[at + 1..])));
                }
            }
            _ => {}
        }
    }
    (depth == 0).then_some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_meet(a: &str, b: &str) -> bool {
        Pattern::new(a).meets(&Pattern::new(b))
    }

    #[test]
    fn globs_that_may_name_one_file() {
        for (a, b, wanted) in [
            ("src/a.rs", "src/a.rs", true),
            ("src/a.rs", "src/b.rs", false),
            ("src/a.rs", "./src//A.rs", true),
            ("src/*.rs", "src/b.rs", true),
            ("src/*.rs", "src/b.toml", false),
            ("src/*.rs", "src/cli/b.rs", false),
            ("src/**/*.rs", "src/cli/b.rs", true),
            ("src/**/*.rs", "src/b.rs", true),
            ("src/**/*.rs", "tests/**/*.rs", false),
            ("**/a.rs", "src/**", true),
            ("**/a.rs", "src/**/b.rs", false),
            ("**", "x", true),
            ("src", "src/cli/a.rs", true),
            ("src/", "src/cli/a.rs", true),
            ("src/cli/a.rs", "src", true),
            ("src", "srcs/a.rs", false),
            ("src/*", "src/cli/a.rs", true),
            ("a*c", "ab?", true),
            ("a*c", "b*c", false),
            ("*a*b*", "b*a", true),
            ("a[bc]d", "axd", true),
            ("a[]]d", "abd", true),
            ("a[bc]d", "ad", false),
            ("src/{a,b}.rs", "src/b.rs", true),
            ("src/{a,b}.rs", "src/c.rs", false),
            ("{src,tests}/**", "tests/x", true),
            ("{a,{b,c}}/x", "c/x", true),
            ("a\\*", "ab", false),
            ("a\\*", "a\\*", true),
            ("a{b", "x", true),
            ("é*", "É.md", true),
            ("foo.d", "foo.d/x.rs", true),
            ("foo.d/", "foo.d/*.rs", true),
            ("Makefile", "Makefile", true),
        ] {
            assert_eq!(may_meet(a, b), wanted, "{a} {b}");
            assert_eq!(may_meet(b, a), wanted, "{b} {a}");
        }
    }

    #[test]
    fn hostile_globs_end() {
        let stars = "*a".repeat(2_000);
        assert!(!may_meet(&stars, &format!("{}c", "b".repeat(2_000))));
        assert!(may_meet(&"{a,b}".repeat(50), "x"));
        assert!(!may_meet(&format!("{}a.rs", "**/a/".repeat(200)), &format!("{}b.rs", "b/".repeat(200))));
    }

    #[test]
    fn globs_name_files_of_a_map() {
        let paths = ["src/a.rs", "src/cli/b.rs", "SRC/c.md", "a[1].txt", "docs"].map(str::to_owned).to_vec();
        let map = CodeMap::new(paths, &Default::default());
        for (glob, wanted) in [
            ("src/a.rs", "0"),
            ("./src/a.rs", "0"),
            ("src", "0 1 2"),
            ("src/*.rs", "0"),
            ("src/**/*.rs", "0 1"),
            ("**/*.{md,txt}", "2 3"),
            ("src/{a,x}.rs", "0"),
            ("nowhere/**", ""),
            ("docs/", "4"),
        ] {
            let found: Vec<String> = Pattern::new(glob).files(&map).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), wanted, "{glob}");
        }
        assert!(Pattern::new("a\\[1].txt").names("a[1].txt") && !Pattern::new("a[1].txt").names("ab.txt.x"));
    }
}
