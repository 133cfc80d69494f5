//! Keeps secrets out of what a run writes: agents' files before they are committed, records, transcripts, what is shown.
//! Knows nothing of how secrets are recognised, nor of how a step is made.

use std::{cell::RefCell, path::Path};

use crate::{
    agents::{
        passed_on::{passed_on, variables_passed_on},
        request::{AgentEvent, Answer, EndedAs},
    },
    config::settings::{SecretScan, Settings},
    git::{EntryKind, GitError, Repository},
    model::{
        object::{BlobId, TreeId},
        record::Record,
    },
    secrets::{Allow, Comments, Finding, Scanner},
    text,
};

/// Secrets of a file that are named one by one.
const NAMED_MAX: usize = 3;

/// The scanner that the settings ask for; it knows what our environment passes on to agents and checks.
pub fn scanner(settings: &Settings) -> Scanner {
    if settings.secrets.scan == SecretScan::Off {
        return Scanner::off();
    }
    let allow = Allow::parse(&settings.secrets.allow).expect("the configuration was checked when it was read");
    let agents = settings.agents.values().flat_map(passed_on);
    let checks = settings.gate.values().flat_map(|profile| &profile.checks);
    let checks = checks.flat_map(|check| variables_passed_on(&check.env_pass, &check.env));
    let mut values: Vec<_> = agents.chain(checks).collect();
    values.sort();
    values.dedup_by(|one, two| one.value == two.value);
    Scanner::new(values, allow)
}

/// Redacts a record.
pub fn redact_record(scanner: &Scanner, record: &mut Record) {
    record.words(&mut |words| redact(scanner, words));
}

/// Redacts what an agent answered, but for its documents and its transcript, which are redacted when they are written down.
pub fn redact_answer(scanner: &Scanner, answer: &mut Answer) {
    redact(scanner, &mut answer.text);
    match &mut answer.ended {
        EndedAs::Failed(why) | EndedAs::Infra(why) | EndedAs::Limited { reason: why, .. } => redact(scanner, why),
        EndedAs::Finished | EndedAs::Cancelled => {}
    }
}

/// Redacts what an agent does, before anybody is told.
pub fn redact_event(scanner: &Scanner, mut event: AgentEvent) -> AgentEvent {
    match &mut event {
        AgentEvent::Text(words) | AgentEvent::Tool { detail: words, .. } | AgentEvent::Waiting(words) => {
            redact(scanner, words);
        }
        AgentEvent::Started { .. } | AgentEvent::Usage(_) => {}
    }
    event
}

fn redact(scanner: &Scanner, words: &mut String) {
    if let std::borrow::Cow::Owned(redacted) = scanner.redact(words) {
        *words = redacted;
    }
}

/// Looks at an agent's files before they are taken. What was there before is not blamed on it.
pub struct Inspection<'a> {
    scanner: &'a Scanner,
    scan: SecretScan,
    repository: &'a Repository,
    /// The code before the step.
    before: TreeId,
    /// Where the agent worked.
    worktree: &'a Path,
    found: RefCell<Vec<String>>,
}

impl<'a> Inspection<'a> {
    /// For files that are made of this code, there.
    pub fn new(
        (scanner, scan): (&'a Scanner, SecretScan),
        repository: &'a Repository,
        before: TreeId,
        worktree: &'a Path,
    ) -> Self {
        Self { scanner, scan, repository, before, worktree, found: RefCell::default() }
    }

    /// Why a file may not be taken, if so.
    pub fn of(&self, path: &str, content: &[u8]) -> Option<String> {
        // Who wrote the secret could have written the comment that excuses it, too.
        let mut findings = self.scanner.scan_file(path, content, Comments::Ignored);
        if !findings.is_empty() {
            let known = self.known(path, content, &findings);
            findings.retain(|finding| !known.iter().any(|text| contains(text, &content[finding.range.clone()])));
        }
        if findings.is_empty() {
            return None;
        }
        self.found.borrow_mut().push(format!("{}, {}", text::clean_line(path), places(&findings)));
        match self.scan {
            SecretScan::Block => Some(format!("it holds what looks like a secret: {}", places(&findings))),
            SecretScan::Warn | SecretScan::Off => None,
        }
    }

    /// What was found, a line a file.
    pub fn found(self) -> Vec<String> {
        self.found.into_inner()
    }

    /// What the file held before. Where it was not there, or not with all of it, the files that are gone now as well: one
    /// that was moved takes its secrets along.
    fn known(&self, path: &str, content: &[u8], findings: &[Finding]) -> Vec<Vec<u8>> {
        let read = |path: &str| -> Result<Option<Vec<u8>>, GitError> {
            let entry = self.repository.entry(self.before, path)?;
            let entry = entry.filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable));
            entry.map(|entry| self.repository.blob(BlobId(entry.id))).transpose()
        };
        // What cannot be read excuses nothing.
        let before = read(path).ok().flatten();
        let is_known =
            |finding: &Finding| before.as_ref().is_some_and(|before| contains(before, &content[finding.range.clone()]));
        if findings.iter().all(is_known) {
            return before.into_iter().collect();
        }
        let files = self.repository.files(self.before).unwrap_or_default().into_iter();
        let gone = files.filter(|(path, ..)| self.worktree.join(path).symlink_metadata().is_err());
        before.into_iter().chain(gone.filter_map(|(path, ..)| read(&path).ok().flatten())).collect()
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Lines and rules, never the secrets.
fn places(findings: &[Finding]) -> String {
    let named = findings.iter().take(NAMED_MAX);
    let named: Vec<_> = named.map(|one| format!("line {}: {} ({})", one.line, one.what, one.rule)).collect();
    let more = findings.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// What goes back to an agent that wrote secrets.
pub fn feedback(found: &[String]) -> String {
    format!(
        "The last attempt does not count, because it wrote what looks like secrets:\n{}\nNothing that is secret may be in \
         a file: read it from the environment or from a file that git ignores. If a test needs a value of that form, put it \
         together from parts when the test runs.",
        found.iter().map(|place| format!("- {place}\n")).collect::<String>()
    )
}
