//! Judges a push: every ref of it, by commits and trees, never by names alone.
//! Knows nothing of how git told of it, nor of how a refusal is shown.

use std::collections::BTreeSet;

use globset::{Glob, GlobSetBuilder};

use super::{
    Ground, HooksError, Refusal,
    judged::{self, Court, Judged},
    push::Update,
    skip::{Part, Skip},
};
use crate::{
    audit::{Audit, Grounds, Scope, Tip},
    config::{parse::parse, settings::Settings},
    gate::{Definition, Remembered, change::AUTO},
    handoff::layout::{self, LocalDir},
    model::{
        object::CommitId,
        record::{CheckResult, GateVerdict},
    },
    report::audit::{Finding, Rule, Standing},
    text,
};

/// Findings of one push that are told.
const FINDINGS_MAX: usize = 10;
/// The profile that a tree on a protected branch must pass where nothing else is said.
const PROFILE_DEFAULT: &str = "full";

/// An update whose new commit is known.
struct Moved<'a> {
    update: &'a Update,
    new: CommitId,
    /// Where the other side's ref stands, if that commit is here.
    old: Option<CommitId>,
}

/// Judges. `remote` is the name of the other side, or its address. Nothing refused: it may go.
///
/// # Errors
/// [`HooksError`] when it cannot be judged, which is no leave to push.
pub fn judge(
    ground: &Ground<'_>,
    remote: &str,
    updates: &[Update],
    skip: &Skip,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<Refusal>, HooksError> {
    let repository = ground.repository;
    let commit = |id: &crate::model::object::ObjectId| repository.resolve(&id.to_string());
    let mut refusals = Vec::new();
    let mut moved = Vec::new();
    for update in updates {
        match &update.new {
            None if !skip.has(Part::Audit) && is_protected(ground, &update.name) => {
                let what = format!("'{}' is protected and shall be deleted", short(&update.name));
                refusals.push(Refusal::new(what, skip_hint(Part::Audit)));
            }
            None => {}
            // A tag of a file or a tree brings no commit along.
            Some(new) => {
                let old = update.old.as_ref().and_then(commit);
                moved.extend(commit(new).map(|new| Moved { update, new, old }));
            }
        }
    }
    if !skip.has(Part::Audit) {
        for one in &moved {
            refusals.extend(rewritten(ground, one)?);
        }
        refusals.extend(audit(ground, remote, &moved, tell)?);
    }
    if !skip.has(Part::Gate) && refusals.is_empty() {
        refusals.extend(gate(ground, &moved, tell)?);
    }
    Ok(refusals)
}

/// Whether a ref of the other side is one that only gated trees may stand on.
fn is_protected(ground: &Ground<'_>, name: &str) -> bool {
    let Some(branch) = name.strip_prefix("refs/heads/") else { return false };
    if branch == ground.settings.landing.branch {
        return true;
    }
    let mut globs = GlobSetBuilder::new();
    for glob in &ground.settings.hooks.protected {
        globs.add(Glob::new(glob).expect("the configuration was checked when it was read"));
    }
    globs.build().is_ok_and(|globs| globs.is_match(branch))
}

/// A protected branch only grows.
fn rewritten(ground: &Ground<'_>, moved: &Moved<'_>) -> Result<Option<Refusal>, HooksError> {
    let name = &moved.update.name;
    let Some(told) = moved.update.old.filter(|_| is_protected(ground, name)) else { return Ok(None) };
    let branch = short(name);
    let Some(old) = moved.old else {
        let old = &told.to_string()[..10];
        let what = format!("'{branch}' is protected and stands at {old} on the other side, which is not here");
        return Ok(Some(Refusal::new(what, "git fetch".to_owned())));
    };
    if ground.repository.is_ancestor(old, moved.new)? {
        return Ok(None);
    }
    let what = format!("'{branch}' is protected, and {} does not grow from {}", moved.new.short(), old.short());
    Ok(Some(Refusal::new(what, format!("git merge {}, or {}", old.short(), skip_hint(Part::Audit)))))
}

/// That every step that is pushed is signed, in order and unaltered, and every landing what was gated.
fn audit(
    ground: &Ground<'_>,
    remote: &str,
    moved: &[Moved<'_>],
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<Refusal>, HooksError> {
    let repository = ground.repository;
    if moved.is_empty() {
        return Ok(Vec::new());
    }
    let there = match remote.contains(['/', ':']) || remote.is_empty() {
        true => Vec::new(),
        false => repository.references(&format!("refs/remotes/{remote}/"))?,
    };
    let known: BTreeSet<CommitId> =
        there.into_iter().map(|(_, commit)| commit).chain(moved.iter().filter_map(|one| one.old)).collect();
    let tip = |one: &Moved<'_>| Tip { name: Some(one.update.name.clone()), commit: one.new, old: one.old };
    let scope = Scope { tips: moved.iter().map(tip).collect(), without: known.iter().copied().collect() };
    let base = moved.iter().find_map(|one| one.old).or_else(|| known.first().copied());
    let commits: Vec<CommitId> = moved.iter().map(|one| one.new).collect();
    let grounds = Grounds::gather(repository, None, base, &commits, &ground.settings.audit)
        .map_err(|error| HooksError::Judge { what: error.to_string(), hint: error.hint() })?;
    let cache = LocalDir::new(repository.common_dir()).cache();
    let audit = Audit::new(repository, &grounds.trust, &grounds.protected, Definition::text_of).remembering(&cache);
    let view = audit.judge(&scope);
    if view.findings.iter().any(|finding| finding.standing == Standing::Absent && finding.rule == Rule::Trust) {
        tell("the steps are signed by keys that only they themselves bring along: compare them with their owner");
    }
    let failed: Vec<&Finding> = view.findings.iter().filter(|finding| finding.standing == Standing::Fail).collect();
    let mut refusals: Vec<Refusal> = failed.iter().take(FINDINGS_MAX).map(|finding| refusal(finding)).collect();
    if failed.len() > FINDINGS_MAX {
        let what = format!("and {} more", text::count((failed.len() - FINDINGS_MAX) as u64, "finding"));
        refusals.push(Refusal::new(what, "git orchestrate verify".to_owned()));
    }
    Ok(refusals)
}

fn refusal(finding: &Finding) -> Refusal {
    let commit = finding.commit.map(|commit| format!("{} ", commit.short())).unwrap_or_default();
    let task = finding.task.as_ref().map(|task| match finding.step {
        Some(step) => format!("({task}, step {step}) "),
        None => format!("({task}) "),
    });
    let file = finding.file.as_ref().map(|file| format!("\n  at {file}")).unwrap_or_default();
    let message = format!("{commit}{}may not be pushed: {}{file}", task.unwrap_or_default(), finding.what);
    Refusal::new(message, finding.hint.clone())
}

/// That every tree that a protected branch shall stand at has passed the gate; one that nobody judged is judged now. The gate is
/// that of what the other side has: nothing passes by a gate of its own making.
fn gate(ground: &Ground<'_>, moved: &[Moved<'_>], tell: &mut dyn FnMut(&str)) -> Result<Vec<Refusal>, HooksError> {
    let remembered = Remembered::open(LocalDir::new(ground.repository.common_dir()).cache().join("gate"));
    let mut refusals = Vec::new();
    let mut seen = BTreeSet::new();
    for one in moved.iter().filter(|one| is_protected(ground, &one.update.name)) {
        let tree = ground.repository.code_tree(one.new)?;
        if !seen.insert((tree, one.old)) {
            continue;
        }
        let of_base = settings_of(ground, one.old)?;
        let ground = Ground { settings: of_base.as_ref().unwrap_or(ground.settings), ..*ground };
        let named = ground.settings.landing.gate.as_deref().unwrap_or(PROFILE_DEFAULT);
        let (definition, subject) = match named {
            AUTO => {
                let court = Court::open(ground)?;
                let subject = court.commit(one.new, one.old)?;
                (court.definition(named, &subject)?, Some((court, subject)))
            }
            _ if !ground.settings.gate.contains_key(named) => continue,
            _ => (judged::definition(&ground, named)?, None),
        };
        let branch = short(&one.update.name);
        let verdict = match remembered.last(&tree, &definition.digest) {
            Some(verdict) => Judged::Verdict(Box::new(verdict)),
            None => {
                tell(&format!(
                    "nobody has judged {} for '{branch}': gate '{}' runs",
                    one.new.short(),
                    definition.profile
                ));
                let (court, subject) = match subject {
                    Some(opened) => opened,
                    None => {
                        let court = Court::open(ground)?;
                        let subject = court.commit(one.new, one.old)?;
                        (court, subject)
                    }
                };
                court.judge(&definition, &subject)?
            }
        };
        match verdict {
            Judged::Verdict(verdict) => {
                refusals.extend(red(&verdict, &format!("{} for '{branch}'", one.new.short())));
            }
            Judged::Stopped => {
                let profile = &definition.profile;
                let what = format!("gate '{profile}' was stopped before it had judged {}", one.new.short());
                refusals.push(Refusal::new(what, skip_hint(Part::Gate)));
            }
        }
    }
    Ok(refusals)
}

/// The configuration as of a commit; none where there is none that can be read.
fn settings_of(ground: &Ground<'_>, commit: Option<CommitId>) -> Result<Option<Settings>, HooksError> {
    let Some(commit) = commit else { return Ok(None) };
    let text = ground.repository.read(commit, layout::CONFIG)?;
    Ok(text.and_then(|text| parse(&String::from_utf8_lossy(&text), layout::CONFIG).ok()))
}

/// What a verdict forbids, if it does.
pub(super) fn red(verdict: &GateVerdict, of: &str) -> Option<Refusal> {
    let what = match verdict.result {
        CheckResult::Pass => return None,
        CheckResult::Fail => "refuses",
        CheckResult::Infra => "could not judge",
    };
    let mut message = format!("gate '{}' {what} {of}", verdict.profile);
    for check in verdict.checks.iter().filter(|check| check.result != CheckResult::Pass) {
        message.push_str(&format!("\n  {}: {}", text::clean_line(&check.name), text::clean_line(&check.reason)));
        for line in text::tail(text::clean(&check.output).trim_end(), FINDINGS_MAX, 2000).lines() {
            message.push_str(&format!("\n    {line}"));
        }
    }
    Some(Refusal::new(message, skip_hint(Part::Gate)))
}

fn short(name: &str) -> String {
    text::clean_line(name.trim_start_matches("refs/heads/"))
}

/// How this one thing is passed over.
pub(super) fn skip_hint(part: Part) -> String {
    format!("put it right; to pass over it once, in the open: {}={}", super::skip::SKIP, part.word())
}
