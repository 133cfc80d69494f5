//! The question whether a tree may pass: a remembered verdict, else the checks on it, on its base where there is something to
//! compare, and once more where new failures may be chance. Knows nothing of worktrees: checkouts are made by whoever asks.

use std::path::Path;

use super::{
    Cancelled, Definition, Remembered,
    change::Change,
    compare::{self, Before, Case, Ran},
    narrow::narrow,
    run::{Bench, Run, Side, run},
};
use crate::{
    config::settings::{CheckSettings, RuleLevel},
    model::{
        object::{CommitId, TreeId},
        record::{Check, CheckResult, Finding, GateRule, GateVerdict, Weight},
    },
};

/// Failed tests that may be chance; more are not, and are not run again.
const AGAIN_TESTS_MAX: usize = 50;

/// What a tree is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    /// Its code tree.
    pub tree: TreeId,
    /// A commit of that tree, or of that tree and `.handoff/`.
    pub commit: CommitId,
}

/// Whether what is remembered will do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Freshness {
    /// A verdict on the same tree by the same definition.
    #[default]
    Remembered,
    /// The checks are run.
    Fresh,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is checked, and by which rules.
    pub definition: &'a Definition,
    /// The code tree.
    pub tree: TreeId,
    /// What it is compared with; none: nothing.
    pub base: Option<Base>,
    /// Whether what is remembered will do. The base's numbers may always be remembered.
    pub freshness: Freshness,
}

/// What happens meanwhile.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// The checks begin on this side.
    Began(Side),
    /// A check has ended, as its exit code judges it.
    Ended(Side, &'a Check),
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A verdict.
    Verdict(Box<GateVerdict>),
    /// The word to stop was said.
    Cancelled,
}

/// Makes a clean checkout of a side and lets the given work be done in it.
pub type Checkout<'a, E> = dyn FnMut(Side, &mut dyn FnMut(&Path)) -> Result<(), E> + 'a;

/// Asks. `change` reads what the tree changes, if that is needed. `checkout` makes a clean checkout of a side and lets the given
/// work be done in it; it is called for [`Side::Again`] too.
///
/// # Errors
/// What `change` or `checkout` fail with.
pub fn ask<E>(
    question: &Question<'_>,
    bench: &Bench<'_>,
    remembered: &Remembered,
    change: &dyn Fn() -> Result<Change, E>,
    checkout: &mut Checkout<'_, E>,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<Answer, E> {
    let Question { definition, tree, base, freshness } = *question;
    let is_fresh = freshness == Freshness::Fresh;
    if !is_fresh && let Some(verdict) = remembered.get(&tree, &definition.digest, base.map(|base| base.tree)) {
        return Ok(Answer::Verdict(Box::new(verdict)));
    }
    let mut asking = Asking { question, bench, checkout, tell };
    let beside = base.filter(|_| definition.looks_beside()).map(|base| base.commit);
    let known = if is_fresh { None } else { remembered.measured(&tree, &definition.digest, beside) };
    let now = match known {
        Some(now) => now,
        None => {
            let all = definition.checks.iter().map(|check| check.name.as_str());
            // The interface is looked at beside another.
            let wanted: Vec<&str> = all.filter(|name| base.is_some() || !definition.is_api(name)).collect();
            let Some(now) = asking.run(Side::Candidate, tree, &wanted)? else { return Ok(Answer::Cancelled) };
            note(remembered.put_measured(&tree, &definition.digest, beside, &now));
            now
        }
    };
    let settings = |ran: &Ran| definition.check(&ran.check.name).expect("BUG: only checks of the definition are run");
    // These look at the change itself; on the base there is none.
    let is_of_change = |name: &str| definition.is_api(name) || definition.is_user_hooks(name);
    let needs_base =
        |ran: &Ran| !is_of_change(&ran.check.name) && compare::needs_base(ran, settings(ran), &definition.rules);
    let needs = now.iter().any(needs_base);
    let mut before: Option<Vec<Ran>> = None;
    if let Some(base) = base {
        // Of a base that is the tree itself nothing can have got worse.
        before = if base.tree == tree {
            needs.then(|| now.clone())
        } else {
            // It is also of use where it is not needed: tests may be gone for good.
            remembered.measured(&base.tree, &definition.digest, None)
        };
        if before.is_none() && needs {
            let own = definition.checks.iter().map(|check| check.name.as_str());
            let wanted: Vec<&str> = own.filter(|name| !is_of_change(name)).collect();
            let Some(ran) = asking.run(Side::Base, base.tree, &wanted)? else { return Ok(Answer::Cancelled) };
            note(remembered.put_measured(&base.tree, &definition.digest, None, &ran));
            before = Some(ran);
        }
    }
    let again = match asking.again(&now, before.as_deref())? {
        Some(again) => again,
        None => return Ok(Answer::Cancelled),
    };
    let has_coverage = now.iter().any(|ran| ran.measured.coverage.is_some());
    let rule = definition.rules.changed_coverage;
    let change = if has_coverage && rule != RuleLevel::Off && base.is_some() { change()? } else { Change::default() };
    let checks = now.iter().map(|ran| {
        let own = |all: &'_ [Ran]| all.iter().find(|other| other.check.name == ran.check.name).cloned();
        let beside = before.as_deref().and_then(own).filter(|_| !is_of_change(&ran.check.name));
        compare::judge(&Case {
            settings: settings(ran),
            is_api: definition.is_api(&ran.check.name),
            rules: &definition.rules,
            now: ran,
            before: match &beside {
                None => Before::Unknown,
                Some(beside) if beside.check.result == CheckResult::Infra => Before::Infra(&beside.check.reason),
                Some(beside) => Before::Ran(beside),
            },
            again: own(&again).as_ref(),
            change: &change,
        })
    });
    let mut checks: Vec<Check> = checks.collect();
    let against = base.filter(|_| before.is_some() || definition.looks_beside()).map(|base| base.tree);
    if base.is_none() && definition.has_api {
        checks.push(without_base());
    }
    let verdict = GateVerdict {
        profile: definition.profile.clone(),
        definition: definition.digest.clone(),
        tree,
        result: worst(&checks),
        remembered: false,
        against,
        why: String::new(),
        checks,
    };
    // Without a base all that is red counts as new: beside one it may not.
    if base.is_some() || !needs {
        note(remembered.put(&verdict));
    }
    Ok(Answer::Verdict(Box::new(verdict)))
}

/// What is said of the interface where there is none before it.
fn without_base() -> Check {
    let what = "there is no base to compare the interface with".to_owned();
    let finding = Finding { rule: GateRule::Base, weight: Weight::Warn, what, code: None, file: None, line: None };
    Check {
        name: super::API_CHECK.to_owned(),
        result: CheckResult::Pass,
        reason: finding.what.clone(),
        findings: vec![finding],
        ..Check::default()
    }
}

/// What is remembered only saves time.
fn note(written: std::io::Result<()>) {
    if let Err(error) = written {
        tracing::warn!(%error, "what the gate found was not remembered");
    }
}

/// Fail before infra before pass; a gate without checks could not say anything.
fn worst(checks: &[Check]) -> CheckResult {
    let any = |result| checks.iter().any(|check| check.result == result);
    if any(CheckResult::Fail) {
        CheckResult::Fail
    } else if any(CheckResult::Infra) || checks.is_empty() {
        CheckResult::Infra
    } else {
        CheckResult::Pass
    }
}

struct Asking<'a, 'b, E> {
    question: &'a Question<'a>,
    bench: &'a Bench<'a>,
    checkout: &'b mut Checkout<'b, E>,
    tell: &'b mut dyn FnMut(Told<'_>),
}

impl<E> Asking<'_, '_, E> {
    /// Runs the checks of these names on a side; none: stopped.
    fn run(&mut self, side: Side, tree: TreeId, wanted: &[&str]) -> Result<Option<Vec<Ran>>, E> {
        let definition = self.question.definition;
        let checks: Vec<_> = definition.checks.iter().filter(|check| wanted.contains(&check.name.as_str())).collect();
        self.run_checks(side, tree, checks)
    }

    fn run_checks(&mut self, side: Side, tree: TreeId, checks: Vec<&CheckSettings>) -> Result<Option<Vec<Ran>>, E> {
        let definition = self.question.definition;
        let base = self.question.base.map(|base| base.commit);
        let (bench, tell) = (self.bench, &mut *self.tell);
        // Logs are for whoever puts something right: there is nothing to put right on the base.
        let own = Bench { log_dir: bench.log_dir.filter(|_| side == Side::Candidate), ..bench.clone() };
        let mut ran: Result<Vec<Ran>, Cancelled> = Err(Cancelled);
        (self.checkout)(side, &mut |directory| {
            tell(Told::Began(side));
            let run_ = Run { definition, checks: checks.clone(), directory, tree, base, bench: &own };
            ran = run(&run_, &mut |check| tell(Told::Ended(side, check)));
        })?;
        Ok(ran.ok())
    }

    /// Runs those checks once more in which tests fail that did not fail before; none: stopped. Where the tool can be asked for
    /// just these tests, no others are run.
    fn again(&mut self, now: &[Ran], before: Option<&[Ran]>) -> Result<Option<Vec<Ran>>, E> {
        if self.question.definition.rules.tests != RuleLevel::Block {
            return Ok(Some(Vec::new()));
        }
        let failed = |ran: &Ran| {
            let own = before.into_iter().flatten().find(|other| other.check.name == ran.check.name);
            let new = compare::newly_failed(&ran.measured, own.map(|own| &own.measured));
            let is_whole = ran.measured.broken.is_none() && ran.check.result == CheckResult::Fail;
            (is_whole && (1..=AGAIN_TESTS_MAX).contains(&new.len())).then(|| (ran.check.name.clone(), new))
        };
        let (definition, tree) = (self.question.definition, self.question.tree);
        let mut wanted: Vec<(String, Vec<String>)> = now.iter().filter_map(failed).collect();
        let narrowed = |(name, failed): &(String, Vec<String>)| {
            let check = definition.check(name)?;
            Some(CheckSettings { run: narrow(&check.run, failed)?, ..check.clone() })
        };
        let checks: Vec<CheckSettings> = wanted.iter().filter_map(narrowed).collect();
        let mut again = Vec::new();
        if !checks.is_empty() {
            let Some(ran) = self.run_checks(Side::Again, tree, checks.iter().collect())? else { return Ok(None) };
            again = ran;
        }
        // Only what is told of every one of them, by its name, says anything.
        again.retain(|ran| {
            let failed = wanted.iter().find(|(name, _)| *name == ran.check.name);
            let told = ran.measured.tests.as_ref();
            failed.is_some_and(|(_, failed)| {
                told.is_some_and(|told| failed.iter().all(|one| told.cases.contains_key(one)))
            })
        });
        wanted.retain(|(name, _)| !again.iter().any(|ran| ran.check.name == *name));
        if !wanted.is_empty() {
            let names: Vec<&str> = wanted.iter().map(|(name, _)| name.as_str()).collect();
            let Some(ran) = self.run(Side::Again, tree, &names)? else { return Ok(None) };
            again.extend(ran);
        }
        Ok(Some(again))
    }
}
