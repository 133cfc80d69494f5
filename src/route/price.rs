//! What tokens cost: list prices of usual models, the user's own prices before them, exact sums.
//! Knows nothing of budgets. Surcharges for very long prompts and discounts are in no list price; the amount that a program
//! reports itself is better where there is one.

use std::collections::BTreeMap;

use super::model_name::{is_release_of, plain};
use crate::{
    config::settings::Price,
    model::money::{Money, Tokens},
};

/// When the list below was last compared with what the providers publish.
pub const PRICES_AS_OF: &str = "2026-11";

/// Tokens that a price is for.
const PRICE_TOKENS: u128 = 1_000_000;

/// Thousandths of a dollar per million tokens: input, output, read from the cache, written to the cache.
/// Where no price of writing is published, it is that of the input.
#[rustfmt::skip]
const LIST: &[(&str, [u64; 4])] = &[
    ("claude-fable-5-1",  [10_000, 50_000,   250, 12_500]),
    ("claude-fable-5",    [10_000, 50_000, 1_000, 12_500]),
    ("claude-opus-5-5",   [ 4_000, 20_000,   200,  5_000]),
    ("claude-opus-5",     [ 5_000, 25_000,   500,  6_250]),
    ("claude-opus-4-8",   [ 5_000, 25_000,   500,  6_250]),
    ("claude-opus-4-7",   [ 5_000, 25_000,   500,  6_250]),
    ("claude-opus-4-6",   [ 5_000, 25_000,   500,  6_250]),
    ("claude-opus-4-5",   [ 5_000, 25_000,   500,  6_250]),
    ("claude-opus-4-1",   [15_000, 75_000, 1_500, 18_750]),
    ("claude-opus-4",     [15_000, 75_000, 1_500, 18_750]),
    ("claude-sonnet-5-5", [ 2_000, 10_000,   100,  2_500]),
    ("claude-sonnet-5",   [ 2_000, 10_000,   200,  2_500]),
    ("claude-sonnet-4-6", [ 3_000, 15_000,   300,  3_750]),
    ("claude-sonnet-4-5", [ 3_000, 15_000,   300,  3_750]),
    ("claude-sonnet-4",   [ 3_000, 15_000,   300,  3_750]),
    ("claude-haiku-5-5",  [   100,    500,    10,    125]),
    ("claude-haiku-4-5",  [ 1_000,  5_000,   100,  1_250]),
    ("gpt-6.1-sol",       [ 2_000, 10_000,   100,  2_500]),
    ("gpt-6-astra",       [10_000, 50_000, 1_000, 10_000]),
    ("gpt-6-sol",         [ 2_000, 10_000,   200,  2_500]),
    ("gpt-6-luna",        [   100,    500,    10,    125]),
    ("gpt-5.6-sol",       [ 5_000, 30_000,   500,  5_000]),
    ("gpt-5.6-terra",     [ 2_000, 12_000,   200,  2_000]),
    ("gpt-5.6-luna",      [   200,  1_200,    20,    200]),
    ("gpt-5.5",           [ 5_000, 30_000,   500,  5_000]),
    ("gpt-5.4",           [ 2_500, 15_000,   250,  2_500]),
    ("gpt-5.4-mini",      [   750,  4_500,    75,    750]),
    ("gpt-5.4-nano",      [   200,  1_250,    20,    200]),
    ("gpt-5.3-codex",     [ 1_750, 14_000,   175,  1_750]),
    ("gpt-5.2",           [ 1_750, 14_000,   175,  1_750]),
    ("gpt-5.2-codex",     [ 1_750, 14_000,   175,  1_750]),
    ("gpt-5.1",           [ 1_250, 10_000,   125,  1_250]),
    ("gpt-5.1-codex",     [ 1_250, 10_000,   125,  1_250]),
    ("gpt-5",             [ 1_250, 10_000,   125,  1_250]),
    ("gpt-5-codex",       [ 1_250, 10_000,   125,  1_250]),
    ("gpt-5-mini",        [   250,  2_000,    25,    250]),
    ("gpt-5-nano",        [    50,    400,     5,     50]),
    ("gemini-3.1-pro",    [ 2_000, 12_000,   200,  2_000]),
    ("gemini-3-pro",      [ 2_000, 12_000,   200,  2_000]),
    ("gemini-3-flash",    [   500,  3_000,    50,    500]),
    ("gemini-2.5-pro",    [ 1_250, 10_000,   125,  1_250]),
    ("gemini-2.5-flash",  [   300,  2_500,    30,    300]),
    ("gemini-2.5-flash-lite", [ 100,  400,    10,    100]),
];

/// The list price of a model; none: it is not in the list.
pub fn list_price(model: &str) -> Option<Price> {
    let model = plain(model);
    let (_, prices) = LIST.iter().find(|(name, _)| is_release_of(&model, name))?;
    let [input, output, cache_read, cache_write] = prices.map(|thousandths| Money::micros(thousandths * 1_000));
    Some(Price { input, output, cache_read: Some(cache_read), cache_write: Some(cache_write) })
}

/// The price of a model: the user's own for exactly that name, else for a release of it, else the list's.
pub fn price(prices: &BTreeMap<String, Price>, model: &str) -> Option<Price> {
    let name = plain(model);
    let own = prices.get(model).or_else(|| prices.get(&name)).copied();
    own.or_else(|| prices.iter().find(|(known, _)| is_release_of(&name, &plain(known))).map(|(_, price)| *price))
        .or_else(|| list_price(model))
}

/// What tokens of a model cost, rounded up to the next micro-dollar; none: its price is not known.
pub fn cost(prices: &BTreeMap<String, Price>, model: &str, tokens: &Tokens) -> Option<Money> {
    Some(at(price(prices, model)?, tokens))
}

/// What tokens cost at a price, rounded up to the next micro-dollar.
pub fn at(price: Price, tokens: &Tokens) -> Money {
    // A tenth of a whole number of micro-dollars need not be one, so it is taken of the product.
    let cache_read = match price.cache_read {
        Some(read) => u128::from(tokens.cache_read) * u128::from(read.micros) * 10,
        None => u128::from(tokens.cache_read) * u128::from(price.input.micros),
    };
    let cache_write = price.cache_write.unwrap_or(price.input);
    let whole = [(tokens.input, price.input), (tokens.output, price.output), (tokens.cache_write, cache_write)];
    let whole: u128 = whole.iter().map(|(count, price)| u128::from(*count) * u128::from(price.micros)).sum();
    let micros = whole.saturating_mul(10).saturating_add(cache_read).div_ceil(PRICE_TOKENS * 10);
    Money::micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(model: &str, tokens: [u64; 4], wanted: Option<u64>) {
        let own =
            Price { input: Money::micros(3), output: Money::micros(1_000_000), cache_read: None, cache_write: None };
        let prices = BTreeMap::from([("mine".to_owned(), own), ("gpt-5-nano".to_owned(), own)]);
        let [input, output, cache_read, cache_write] = tokens;
        let tokens = Tokens { input, output, cache_read, cache_write, reasoning: output };
        assert_eq!(cost(&prices, model, &tokens).map(|money| money.micros), wanted, "{model} {tokens:?}");
    }

    #[test]
    fn sums_are_exact_and_rounded_up() {
        check("claude-sonnet-4-5", [0; 4], Some(0));
        check("claude-sonnet-4-5", [1, 0, 0, 0], Some(3));
        check("claude-sonnet-4-5", [0, 0, 1, 0], Some(1));
        check("claude-sonnet-4-5", [12_345, 678, 90_123, 4_567], Some(37_035 + 10_170 + 27_037 + 17_127));
        check("mine", [1, 0, 0, 0], Some(1));
        check("mine", [0, 7, 0, 0], Some(7));
        // Ten million reads at a tenth of 3 micro-dollars, and one more.
        check("mine", [0, 0, 10_000_000, 0], Some(3));
        check("mine", [0, 0, 10_000_001, 0], Some(4));
        check("mine", [0, 0, 0, 1_000_000], Some(3));
        check("claude-opus-4-1", [u64::MAX; 4], Some(u64::MAX));
        check("unheard-of", [1; 4], None);
    }

    #[test]
    fn a_name_is_that_of_one_model() {
        let input = |model| list_price(model).map(|price| price.input.micros);
        for (model, wanted) in [
            ("claude-opus-4-5-20251101", Some(5_000_000)),
            ("claude-opus-4-20250514", Some(15_000_000)),
            ("claude-haiku-4-5@20251001", Some(1_000_000)),
            ("anthropic/claude-sonnet-4-5", Some(3_000_000)),
            ("Claude-Sonnet-4-5[1m]", Some(3_000_000)),
            ("gemini-3-pro-preview", Some(2_000_000)),
            ("models/gemini-2.5-flash-preview-09-2025", Some(300_000)),
            ("gemini-2.5-flash-lite", Some(100_000)),
            ("gpt-5-2025-08-07", Some(1_250_000)),
            ("gpt-5-mini", Some(250_000)),
            ("gpt-5-huge", None),
            ("gpt-5.15", None),
            ("gpt-5-2", None),
            ("", None),
        ] {
            assert_eq!(input(model), wanted, "{model}");
        }
        // The user's own price counts before the list's, for dated releases too.
        check("gpt-5-nano-2025-08-07", [0, 1, 0, 0], Some(1));
        check("gpt-5-nano", [0, 1, 0, 0], Some(1));
    }

    #[test]
    fn every_price_makes_sense() {
        for (name, [input, output, read, write]) in LIST {
            assert!(read < input && input < output && input <= write, "{name}");
            assert_eq!(LIST.iter().filter(|(other, _)| other == name).count(), 1, "{name}");
        }
    }
}
