//! How many secrets are found, and how many texts are taken for one, on a corpus made here. Both are printed; both have a floor.
//! Nothing in this file is a secret, nor looks like one to other scanners: true ones are put together when the test runs.

#[path = "secrets/innocent.rs"]
mod innocent;
#[expect(dead_code, reason = "each test binary uses a part of the kit")]
mod kit;
#[path = "secrets/runs.rs"]
mod runs;
#[path = "secrets/true_ones.rs"]
mod true_ones;

use std::{
    collections::BTreeMap,
    io::Write as _,
    time::{Duration, Instant},
};

use git_orchestrate::secrets::{Comments, Scanner, rule_count, rule_ids};

/// Parts of a hundred: secrets of a provider's form that must be found, and those that only a name tells.
const FORMS_MIN: f64 = 99.0;
const NAMED_MIN: f64 = 90.0;
/// Findings in the innocent texts, of a million bytes.
const FALSE_PER_MILLION_MAX: f64 = 2.0;

fn tell(text: &str) {
    // Past the harness, which would keep it from whoever runs the test.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn secrets_are_found_in_all_places_they_are_written() {
    let scanner = Scanner::default();
    let (mut seen, mut missed) = (BTreeMap::<bool, (u32, u32)>::new(), Vec::new());
    let mut rules_seen = std::collections::BTreeSet::new();
    for sample in true_ones::samples() {
        let counted = seen.entry(sample.is_form).or_default();
        counted.0 += 1;
        let found = scanner.scan_file(&sample.path, sample.text.as_bytes(), Comments::Heeded);
        // Named by its own rule or by a more general one: what counts is that all of it is covered.
        let start = sample.text.find(&sample.secret).expect("the sample holds its secret");
        let end = start + sample.secret.len();
        let is_covered = found.iter().any(|one| one.range.start <= start + 4 && one.range.end >= end);
        rules_seen.extend(found.iter().map(|one| one.rule));
        if is_covered {
            counted.1 += 1;
        } else {
            missed.push(format!("{} in {}: {:?}", sample.rule, sample.text.replace('\n', "⏎"), found));
        }
        let redacted = scanner.redact(&sample.text);
        assert!(!is_covered || !redacted.contains(&sample.secret), "{redacted}");
    }
    for (is_form, (all, found)) in &seen {
        let part = f64::from(*found) * 100.0 / f64::from(*all);
        tell(&format!(
            "secrets {}: {found} of {all} found ({part:.1} %)",
            if *is_form { "by form" } else { "by name" }
        ));
        let floor = if *is_form { FORMS_MIN } else { NAMED_MIN };
        assert!(part >= floor, "only {part:.1} %, wanted {floor}\n{}", missed.join("\n"));
    }
    let unseen: Vec<_> = rule_ids().filter(|id| !rules_seen.contains(id)).collect();
    tell(&format!("rules: {} of {} found something", rules_seen.len(), rule_count()));
    assert!(unseen.is_empty(), "no sample is found by {unseen:?}\n{}", missed.join("\n"));
    if std::env::var_os("ORCHESTRATE_TEST_SHOW").is_some() {
        tell(&missed.join("\n"));
    }
}

#[test]
fn innocent_texts_are_left_alone() {
    let scanner = Scanner::default();
    let (mut bytes, mut wrong) = (0, Vec::new());
    for (path, text) in innocent::texts() {
        bytes += text.len();
        for found in scanner.scan_file(&path, text.as_bytes(), Comments::Heeded) {
            wrong.push(format!("{path}:{} {} {:?}", found.line, found.rule, &text[found.range]));
        }
    }
    let per_million = wrong.len() as f64 * 1e6 / bytes as f64;
    tell(&format!("innocent texts: {} findings in {bytes} bytes ({per_million:.1} in a million)", wrong.len()));
    assert!(per_million <= FALSE_PER_MILLION_MAX, "{}", wrong.join("\n"));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn our_own_source_is_clean() {
    fn walk(dir: &std::path::Path, found: &mut Vec<String>, scanner: &Scanner) {
        for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found, scanner);
            } else if let Ok(text) = std::fs::read(&path) {
                let name = path.to_string_lossy();
                let hits = scanner.scan_file(&name, &text, Comments::Heeded);
                found.extend(hits.into_iter().map(|one| format!("{name}:{} {} {}", one.line, one.rule, one.preview)));
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for dir in ["src", "tests", "docs", "examples", "man", "scripts"] {
        walk(&root.join(dir), &mut found, &Scanner::default());
    }
    assert_eq!(found, Vec::<String>::new());
}

/// One line of a hundred megabytes, and bytes that are no text: it ends, and does not take a multiple for its length.
#[test]
fn a_line_of_a_hundred_megabytes_is_no_harm() {
    let scanner = Scanner::default();
    let time = |length: usize| {
        let mut line = b"{\"a\":\"".to_vec();
        while line.len() < length {
            line.extend_from_slice(b"lorem ipsum dolor \xff\xfe sit amet, consetetur ");
        }
        let secret = true_ones::samples().next().expect("a sample").text;
        line.extend_from_slice(secret.as_bytes());
        let began = Instant::now();
        assert_eq!(scanner.scan(&line).len(), 1);
        assert!(matches!(scanner.redact_bytes(&line), std::borrow::Cow::Owned(_)));
        began.elapsed()
    };
    let (short, long) = (time(10_000_000), time(100_000_000));
    tell(&format!("10 MB in {short:?}, 100 MB in {long:?}"));
    assert!(long < short * 40 + Duration::from_secs(1), "{short:?} and {long:?}");
}
