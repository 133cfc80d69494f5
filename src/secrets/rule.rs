//! What a rule is: words that must be near, a pattern, and how random the match must be.
//! Knows nothing of the single rules; those stand in `rules`.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::rules;

/// Bytes before a keyword, and from it on, in which the pattern is looked for.
pub(super) const BEFORE_BYTES: usize = 128;
pub(super) const REACH_BYTES: usize = 768;

/// How sure a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    /// The form alone tells: a prefix that only this provider gives out.
    Form,
    /// A name beside it tells. It must look random and hold no word of examples.
    Name,
    /// As `Name`, for what people think up themselves.
    Chosen,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name in findings and in `[secrets] allow`.
    pub id: &'static str,
    /// What it finds, for people.
    pub what: &'static str,
    /// Words in lower case, one of which is near every match.
    pub keywords: &'static [&'static str],
    /// The pattern for bytes; its first group, else all of it, is the secret.
    pub pattern: &'static str,
    /// Bits per character that the secret must have.
    pub bits_min: f32,
    /// How sure it is.
    pub sure: Sure,
    /// Whether the match begins a block in armour that is all secret.
    pub is_block: bool,
}

/// A rule for a form that only one provider gives out.
pub(super) const fn form(
    id: &'static str,
    what: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule { id, what, keywords, pattern, bits_min: 2.5, sure: Sure::Form, is_block: false }
}

/// A rule for a value that only the name beside it tells.
pub(super) const fn named(
    id: &'static str,
    what: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
) -> Rule {
    Rule { id, what, keywords, pattern, bits_min: 3.0, sure: Sure::Name, is_block: false }
}

impl Rule {
    /// With this many bits per character.
    pub(super) const fn bits(mut self, bits_min: f32) -> Self {
        self.bits_min = bits_min;
        self
    }

    /// For what people think up.
    pub(super) const fn chosen(mut self) -> Self {
        self.sure = Sure::Chosen;
        self
    }

    /// For the first line of a block in armour.
    pub(super) const fn block(mut self) -> Self {
        self.is_block = true;
        self
    }
}

/// `name … = "value"` in the ways that languages, shells, files of settings and JSON within JSON write it.
macro_rules! assigned {
    ($name:literal, $value:literal) => {
        concat!(
            "(?i)(?:",
            $name,
            r#")[\w \t.-]{0,20}["'\\\]]{0,4}[ \t]{0,8}(?:=>|:=|\?=|\|\|=|=|:|,|>)[ \t]{0,8}["'`\\]{0,4}("#,
            $value,
            r#")(?:["'`\s;,)\]}\\<#&]|$)"#
        )
    };
}
pub(super) use assigned;

/// All rules with their compiled patterns; the first ones win where two find the same.
pub(super) struct Table {
    rules: Vec<(&'static Rule, OnceLock<Regex>)>,
}

impl Table {
    pub(super) fn get() -> &'static Self {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Self {
            rules: rules::ALL.iter().flat_map(|rules| rules.iter()).map(|rule| (rule, OnceLock::new())).collect(),
        })
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        self.rules.iter().map(|(rule, _)| *rule)
    }

    pub(super) fn rule(&self, at: usize) -> &'static Rule {
        self.rules[at].0
    }

    /// A rule's pattern, compiled when it is first needed: most texts need few.
    pub(super) fn regex(&self, at: usize) -> &Regex {
        let (rule, regex) = &self.rules[at];
        regex.get_or_init(|| {
            let built = RegexBuilder::new(rule.pattern).unicode(false).multi_line(true).build();
            built.expect("a test compiles every pattern of the table")
        })
    }
}

/// How many rules there are.
pub fn count() -> usize {
    Table::get().rules.len()
}

/// Their ids, in the order of the table.
pub fn ids() -> impl Iterator<Item = &'static str> {
    Table::get().rules().map(|rule| rule.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_can_be_used() {
        let table = Table::get();
        let mut seen = BTreeSet::new();
        for (at, rule) in table.rules().enumerate() {
            assert!(seen.insert(rule.id), "{} is there twice", rule.id);
            assert!(table.regex(at).captures_len() <= 2, "{} has more than one group", rule.id);
            assert!(!rule.keywords.is_empty() && rule.keywords.iter().all(|word| word.len() >= 2), "{}", rule.id);
            let lower = |word: &&str| **word == word.to_ascii_lowercase();
            assert!(rule.keywords.iter().all(lower), "{} has keywords in capitals", rule.id);
            assert!(rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        }
        assert!(count() >= 100, "{} rules", count());
    }
}
