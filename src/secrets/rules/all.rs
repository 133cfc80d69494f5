//! The rules in the order in which they are asked.
//! Knows nothing of the single ones.

use super::{super::rule::Rule, ai, cloud, code, general, messages, money, services};

/// All of them; of two that find the same, the first one names it.
pub(in super::super) const ALL: [&[Rule]; 7] =
    [cloud::RULES, code::RULES, ai::RULES, messages::RULES, money::RULES, services::RULES, general::RULES];
