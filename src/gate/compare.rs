//! The judge: what got worse than on the base, and what comes of it by the profile's rules.
//! Pure. Does not know how the numbers came about; what was red before and is red now does not block.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    change::Change,
    measured::{Coverage, Ended, Measured, Tests, Warning},
};
use crate::{
    config::settings::{CheckFormat, CheckSettings, GateRules, RuleLevel},
    model::record::{Check, CheckResult, CoveredLines, Finding, GateRule, Weight},
    text::count,
};

/// Findings of a check that are kept; how many there are stands in the reason.
pub const FINDINGS_MAX: usize = 50;
/// By how many hundredths of a percent coverage may fall: a line more or less in a large file is noise.
const COVERAGE_SLACK: u64 = 5;

/// One check as it ran, with what its output says.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Ran {
    /// As its exit code judges it.
    pub check: Check,
    /// What was read of it.
    pub measured: Measured,
}

/// What a check is compared with.
#[derive(Debug, Clone, Copy)]
pub enum Before<'a> {
    /// There is no base, or nothing to compare with it.
    Unknown,
    /// The check on the base.
    Ran(&'a Ran),
    /// It could not be run there, and why.
    Infra(&'a str),
}

/// What a check is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// How it is configured.
    pub settings: &'a CheckSettings,
    /// Whether it looks at the interface.
    pub is_api: bool,
    /// What comes of what got worse.
    pub rules: &'a GateRules,
    /// The check on the tree that is judged.
    pub now: &'a Ran,
    /// The check on the base.
    pub before: Before<'a>,
    /// The check on the same tree once more.
    pub again: Option<&'a Ran>,
    /// What the tree changes.
    pub change: &'a Change,
}

/// Whether anything of a check can only be judged beside the base.
pub fn needs_base(now: &Ran, settings: &CheckSettings, rules: &GateRules) -> bool {
    let on = |level: RuleLevel| level != RuleLevel::Off;
    let measured = &now.measured;
    // A failure may be an old one. A check that says nothing may have told of tests before.
    let by_exit = match now.check.result {
        CheckResult::Pass => {
            settings.format != Some(CheckFormat::None) && measured.formats.is_empty() && on(rules.tests_gone)
        }
        CheckResult::Fail => rules.failed_before != RuleLevel::Block,
        CheckResult::Infra => false,
    };
    let has_failed = |tests: &Tests| tests.counts.failed > 0 && on(rules.tests);
    let tests = |tests: &Tests| has_failed(tests) || on(rules.tests_gone) || on(rules.tests_skipped);
    now.check.result != CheckResult::Infra
        && (by_exit
            || measured.tests.as_ref().is_some_and(tests)
            || measured.warnings.as_ref().is_some_and(|warnings| warnings.count > 0 && on(rules.warnings))
            || measured.coverage.is_some() && (on(rules.coverage) || on(rules.changed_coverage)))
}

/// The tests that fail and did not fail before, by name: those that a second run may show to be flaky.
pub fn newly_failed(now: &Measured, before: Option<&Measured>) -> Vec<String> {
    let known: BTreeSet<&String> = before
        .and_then(|before| before.tests.as_ref())
        .into_iter()
        .flat_map(|tests| tests.named(Ended::Failed))
        .map(|(name, _)| name)
        .collect();
    let tests = now.tests.iter().flat_map(|tests| tests.named(Ended::Failed));
    tests.map(|(name, _)| name).filter(|name| !known.contains(name)).cloned().collect()
}

/// Judges one check.
pub fn judge(case: &Case<'_>) -> Check {
    let mut check = case.now.check.clone();
    check.numbers = case.now.measured.numbers();
    if check.result == CheckResult::Infra {
        return check;
    }
    let mut bench = Bench { case, found: Vec::new(), notes: Vec::new(), changed_coverage: None };
    let mut is_explained = false;
    if case.is_api {
        bench.api(&check);
        is_explained = check.exit_code.is_some();
    } else {
        if let Before::Infra(why) = case.before {
            bench.put(GateRule::Base, Weight::Warn, format!("the base could not be measured: {why}"));
        }
        is_explained |= bench.tests();
        is_explained |= bench.warnings();
        bench.coverage();
        bench.absent();
    }
    for unread in &case.now.measured.unread {
        bench.put(GateRule::Exit, Weight::Warn, unread.clone());
    }
    // What was ended, or broke in a way that its own words do not name, is red whatever else it says.
    is_explained &= check.exit_code.is_some() && case.now.measured.broken.is_none();
    let blocks = bench.found.iter().any(|finding| finding.weight == Weight::Block);
    if check.result == CheckResult::Fail && !is_explained {
        let what = case.now.measured.broken.clone().unwrap_or_else(|| check.reason.clone());
        if let Before::Ran(before) = case.before
            && is_as_before(case.now, before)
        {
            bench.rule(GateRule::Exit, case.rules.failed_before, format!("{what}, as on the base"));
        } else if !blocks || case.now.measured.broken.is_some() {
            bench.put(GateRule::Exit, Weight::Block, what);
        }
    }
    let Bench { mut found, notes, changed_coverage, .. } = bench;
    found.sort_by_key(|finding| finding.weight == Weight::Warn);
    let blocks = found.iter().any(|finding| finding.weight == Weight::Block);
    check.result = if blocks { CheckResult::Fail } else { CheckResult::Pass };
    check.reason = reason(&found, &notes);
    found.truncate(FINDINGS_MAX);
    check.findings = found;
    if let Some(numbers) = &mut check.numbers {
        numbers.changed_coverage = changed_coverage;
    }
    check
}

struct Bench<'a> {
    case: &'a Case<'a>,
    found: Vec<Finding>,
    /// What is worth a word although nothing got worse.
    notes: Vec<String>,
    changed_coverage: Option<CoveredLines>,
}

impl<'a> Bench<'a> {
    fn before(&self) -> Option<&'a Measured> {
        match self.case.before {
            Before::Ran(ran) => Some(&ran.measured),
            Before::Unknown | Before::Infra(_) => None,
        }
    }

    fn put(&mut self, rule: GateRule, weight: Weight, what: String) {
        self.found.push(Finding { rule, weight, what, code: None, file: None, line: None });
    }

    fn rule(&mut self, rule: GateRule, level: RuleLevel, what: String) {
        match level {
            RuleLevel::Block => self.put(rule, Weight::Block, what),
            RuleLevel::Warn => self.put(rule, Weight::Warn, what),
            RuleLevel::Off => {}
        }
    }

    fn named(&mut self, rule: GateRule, level: RuleLevel, name: &str, tests: &Tests) {
        let known = self.found.len();
        self.rule(rule, level, name.to_owned());
        let place = tests.cases.get(name).and_then(|case| case.place.clone());
        if let (Some(finding), Some(place)) = (self.found.get_mut(known), place) {
            finding.file = Some(place.file).filter(|file| !file.is_empty());
            finding.line = place.line;
        }
    }

    fn api(&mut self, check: &Check) {
        if check.result == CheckResult::Pass {
            return;
        }
        let level = self.case.rules.api;
        let warnings = self.case.now.measured.warnings.as_ref();
        match warnings.filter(|warnings| !warnings.all.is_empty()) {
            Some(warnings) => warnings.all.iter().for_each(|warning| self.warning(GateRule::Api, level, warning)),
            None => self.rule(GateRule::Api, level, check.reason.clone()),
        }
    }

    fn warning(&mut self, rule: GateRule, level: RuleLevel, warning: &Warning) {
        let known = self.found.len();
        self.rule(rule, level, warning.text.clone());
        if let Some(finding) = self.found.get_mut(known) {
            finding.code = Some(warning.rule.clone()).filter(|code| !code.is_empty());
            finding.file = Some(warning.file.clone()).filter(|file| !file.is_empty());
            finding.line = warning.line;
        }
    }

    /// Whether the failed tests are why the check failed.
    fn tests(&mut self) -> bool {
        let Some(now) = &self.case.now.measured.tests else { return false };
        let rules = self.case.rules;
        let before = self.before().and_then(|before| before.tests.as_ref());
        let again = self.case.again.and_then(|again| again.measured.tests.as_ref());
        let mut new = Vec::new();
        for name in newly_failed(&self.case.now.measured, self.before()) {
            // Only a run that got as far as this test says that it passes.
            match again.and_then(|again| ended_again(again, &name)) {
                Some(Ended::Passed) => self.named(GateRule::Flaky, RuleLevel::Warn, &name, now),
                Some(Ended::Failed | Ended::Skipped) | None => new.push(name),
            }
        }
        for name in &new {
            self.named(GateRule::Tests, rules.tests, name, now);
        }
        let failed_before = before.map_or(0, |tests| tests.counts.failed);
        if !now.are_failures_named() && now.counts.failed > failed_before.max(now.named(Ended::Failed).count() as u64) {
            self.rule(
                GateRule::Tests,
                rules.tests,
                format!("{} failed, {failed_before} on the base", count(now.counts.failed as usize, "test")),
            );
        }
        let known = now.named(Ended::Failed).count().saturating_sub(new.len() + self.count(GateRule::Flaky));
        if known > 0 {
            self.notes.push(format!("{} on the base too", count_failed(known)));
        }
        if let Some(before) = before {
            self.gone(now, before);
            self.skipped(now, before);
        }
        now.counts.failed > 0 && rules.tests != RuleLevel::Off
    }

    fn count(&self, rule: GateRule) -> usize {
        self.found.iter().filter(|finding| finding.rule == rule).count()
    }

    /// Tests that are renamed are as many as before.
    fn gone(&mut self, now: &Tests, before: &Tests) {
        let all = |tests: &Tests| tests.counts.run + tests.counts.skipped;
        if all(now) >= all(before) {
            return;
        }
        let level = self.case.rules.tests_gone;
        // Where only failures are named, a name that is missing may well have passed.
        let are_named = now.named(Ended::Passed).next().is_some() || now.counts.run == 0;
        let names: Vec<&String> =
            before.cases.keys().filter(|name| are_named && !now.cases.contains_key(*name)).collect();
        if names.is_empty() || names.len() > FINDINGS_MAX {
            self.rule(
                GateRule::TestsGone,
                level,
                format!("{} instead of {}", count(all(now) as usize, "test"), all(before)),
            );
        }
        for name in names.into_iter().take(FINDINGS_MAX) {
            self.rule(GateRule::TestsGone, level, name.clone());
        }
    }

    fn skipped(&mut self, now: &Tests, before: &Tests) {
        let level = self.case.rules.tests_skipped;
        let ran = |name: &String| before.cases.get(name).is_some_and(|case| case.ended != Ended::Skipped);
        let names: Vec<String> =
            now.named(Ended::Skipped).map(|(name, _)| name).filter(|name| ran(name)).cloned().collect();
        if names.is_empty() && now.counts.skipped > before.counts.skipped && now.counts.run < before.counts.run {
            let what = format!(
                "{} skipped, {} on the base",
                count(now.counts.skipped as usize, "test"),
                before.counts.skipped
            );
            self.rule(GateRule::TestsSkipped, level, what);
        }
        for name in names {
            self.named(GateRule::TestsSkipped, level, &name, now);
        }
    }

    /// Whether the warnings are why the check failed, and are known.
    fn warnings(&mut self) -> bool {
        let Some(now) = &self.case.now.measured.warnings else { return false };
        let level = self.case.rules.warnings;
        let Before::Ran(base) = self.case.before else { return false };
        // A base that failed and whose output says nothing has not been looked at.
        if base.measured.warnings.is_none() && base.check.result == CheckResult::Fail {
            return false;
        }
        let mut known: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
        for warning in base.measured.warnings.iter().flat_map(|warnings| &warnings.all) {
            *known.entry(same(warning)).or_default() += 1;
        }
        let mut new = 0;
        for warning in &now.all {
            match known.get_mut(&same(warning)) {
                Some(left) if *left > 0 => *left -= 1,
                Some(_) | None => {
                    new += 1;
                    self.warning(GateRule::Warnings, level, warning);
                }
            }
        }
        let before = base.measured.warnings.as_ref().map_or(0, |warnings| warnings.count);
        if new == 0 && now.count > before {
            self.rule(
                GateRule::Warnings,
                level,
                format!("{} instead of {before}", count(now.count as usize, "warning")),
            );
        }
        if now.is_refusal && new == 0 {
            self.notes.push(format!("{} on the base too", count(now.count as usize, "warning")));
        }
        now.is_refusal && level != RuleLevel::Off
    }

    fn coverage(&mut self) {
        let Some(now) = &self.case.now.measured.coverage else { return };
        let before = self.before().and_then(|before| before.coverage.as_ref());
        let whole = now.whole();
        if let Some(before) = before.map(Coverage::whole)
            && hundredths(whole) + COVERAGE_SLACK < hundredths(before)
        {
            let what = format!("{} of the lines are covered, {} on the base", percent(whole), percent(before));
            self.rule(GateRule::Coverage, self.case.rules.coverage, what);
        }
        let mut changed = CoveredLines::default();
        let mut missed = Vec::new();
        for (file, lines) in &self.case.change.lines {
            let Some(own) = of_file(now, file) else { continue };
            let among = own.among(lines);
            changed.covered += among.covered;
            changed.total += among.total;
            let first = own.ranges.iter().filter(|(_, _, is_covered)| !is_covered).find_map(|(first, last, _)| {
                lines.iter().find_map(|(from, to)| (first.max(from) <= last.min(to)).then(|| *first.max(from)))
            });
            missed.extend(first.map(|line| (file.clone(), line)));
        }
        if changed.total == 0 {
            return;
        }
        self.changed_coverage = Some(changed);
        let wanted = before.map_or(whole, Coverage::whole);
        if hundredths(changed) + COVERAGE_SLACK < hundredths(wanted) {
            let at = self.found.len();
            let what = format!("{} of the changed lines are covered, {} of all", percent(changed), percent(wanted));
            self.rule(GateRule::ChangedCoverage, self.case.rules.changed_coverage, what);
            if let (Some(finding), Some((file, line))) = (self.found.get_mut(at), missed.into_iter().next()) {
                finding.file = Some(file);
                finding.line = Some(line);
            }
        }
    }

    /// A check that is said to tell of tests and tells of none has lost them, whatever its exit code is.
    fn absent(&mut self) {
        let measured = &self.case.now.measured;
        let had = self.before().and_then(|before| before.tests.as_ref()).map_or(0, |tests| tests.counts.run);
        let promised = self.case.settings.format.filter(|format| tells_of_tests(*format));
        if measured.tests.is_some() || self.case.now.check.result != CheckResult::Pass {
            return;
        }
        let level = self.case.rules.tests_gone;
        // What told of none before either is a project without tests.
        let never_did = had == 0 && self.before().is_some() && level == RuleLevel::Block;
        let what = match promised {
            Some(format) => format!("nothing in its output is '{}'", format.word()),
            None if had > 0 => format!("no tests, {had} on the base"),
            None => return,
        };
        self.rule(GateRule::TestsGone, if never_did { RuleLevel::Warn } else { level }, what);
    }
}

/// Whether a check that failed ended no worse than on the base, as far as its end and what it tells of can say.
fn is_as_before(now: &Ran, before: &Ran) -> bool {
    let same_end = before.check.result == CheckResult::Fail && before.check.reason == now.check.reason;
    let tells_less = before.measured.formats.iter().any(|format| !now.measured.formats.contains(format));
    same_end && !tells_less && (now.measured.broken.is_none() || before.measured.broken.is_some())
}

fn tells_of_tests(format: CheckFormat) -> bool {
    match format {
        CheckFormat::CargoTest
        | CheckFormat::Nextest
        | CheckFormat::Pytest
        | CheckFormat::GoTest
        | CheckFormat::Jest
        | CheckFormat::Vitest
        | CheckFormat::Junit
        | CheckFormat::Tap => true,
        CheckFormat::Clippy
        | CheckFormat::Ruff
        | CheckFormat::Mypy
        | CheckFormat::Eslint
        | CheckFormat::Sarif
        | CheckFormat::Lcov
        | CheckFormat::Cobertura
        | CheckFormat::LlvmCov
        | CheckFormat::SemverChecks
        | CheckFormat::None => false,
    }
}

/// How a test ended the second time. Where only failures are named, one that is not named passed.
fn ended_again(again: &Tests, name: &str) -> Option<Ended> {
    match again.cases.get(name) {
        Some(case) => Some(case.ended),
        None => (again.counts.run > 0 && again.are_failures_named() && again.named(Ended::Passed).next().is_none())
            .then_some(Ended::Passed),
    }
}

/// By what a warning is known again: lines move.
fn same(warning: &Warning) -> (&str, &str, &str) {
    (&warning.file, &warning.rule, &warning.text)
}

/// The coverage of a file that the report may name by a longer or a shorter path.
fn of_file<'a>(coverage: &'a Coverage, file: &str) -> Option<&'a super::measured::FileCoverage> {
    coverage.files.get(file).or_else(|| {
        let ends = |long: &str, short: &str| long.ends_with(short) && long[..long.len() - short.len()].ends_with('/');
        let mut found = coverage.files.iter().filter(|(name, _)| ends(name, file) || ends(file, name));
        let first = found.next();
        // Two files of one name: it cannot be told which is meant.
        first.filter(|_| found.next().is_none()).map(|(_, lines)| lines)
    })
}

fn hundredths(lines: CoveredLines) -> u64 {
    (lines.covered * 10_000).checked_div(lines.total).unwrap_or(10_000)
}

/// `87.5%`
pub fn percent(lines: CoveredLines) -> String {
    let hundredths = hundredths(lines);
    format!("{}.{}%", hundredths / 100, hundredths % 100 / 10)
}

fn count_failed(failed: usize) -> String {
    if failed == 1 { "1 test fails".to_owned() } else { format!("{failed} tests fail") }
}

/// One line: what refuses, then what is told.
fn reason(found: &[Finding], notes: &[String]) -> String {
    let mut parts = Vec::new();
    for weight in [Weight::Block, Weight::Warn] {
        for rule in GateRule::ALL {
            let own: Vec<&Finding> = found.iter().filter(|f| f.rule == *rule && f.weight == weight).collect();
            let Some(first) = own.first() else { continue };
            let many = own.len();
            parts.push(match rule {
                GateRule::Tests if many == 1 => format!("test '{}' fails", first.what),
                GateRule::Tests => format!("{many} tests fail"),
                GateRule::TestsGone if many == 1 => format!("fewer tests than on the base: {}", first.what),
                GateRule::TestsGone => format!("{many} tests are gone"),
                GateRule::TestsSkipped if many == 1 => format!("newly skipped: {}", first.what),
                GateRule::TestsSkipped => format!("{many} tests are newly skipped"),
                GateRule::Warnings if many == 1 => format!("new warning: {}", first.what),
                GateRule::Warnings => format!("{many} new warnings"),
                GateRule::Api if many == 1 => format!("breaks the interface: {}", first.what),
                GateRule::Api => format!("breaks the interface in {many} places"),
                GateRule::Flaky if many == 1 => format!("flaky: {}", first.what),
                GateRule::Flaky => format!("{many} flaky tests"),
                GateRule::Coverage | GateRule::ChangedCoverage | GateRule::Exit | GateRule::Base => first.what.clone(),
            });
        }
    }
    parts.extend(notes.iter().cloned());
    parts.join("; ")
}
