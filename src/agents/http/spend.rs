//! What a step has cost so far, and whether its next turn would clearly cost more than the step may.
//! Knows no list of prices; the request brings the one that counts.

use crate::{
    agents::request::SpendMax,
    model::money::{Money, Tokens},
};

/// Tokens that a price is for.
const PRICE_TOKENS: u128 = 1_000_000;

impl SpendMax {
    /// What these tokens cost, rounded up to the next micro-dollar.
    pub fn cost(&self, tokens: &Tokens) -> Money {
        let price = &self.price;
        // A tenth of a whole number of micro-dollars need not be one, so all is reckoned in tenths.
        let cache_read = price.cache_read.map_or(u128::from(price.input.micros), |read| u128::from(read.micros) * 10);
        let tenths = [
            (tokens.input, u128::from(price.input.micros) * 10),
            (tokens.output, u128::from(price.output.micros) * 10),
            (tokens.cache_read, cache_read),
            (tokens.cache_write, u128::from(price.cache_write.unwrap_or(price.input).micros) * 10),
        ];
        let sum = tenths.iter().map(|(count, price)| u128::from(*count) * price).fold(0_u128, u128::saturating_add);
        Money::micros(u64::try_from(sum.div_ceil(PRICE_TOKENS * 10)).unwrap_or(u64::MAX))
    }

    /// Why no further turn may begin, if so. `spent` is what the step has cost, `known_tokens` of `next_tokens` that the
    /// turn sends the provider has read before; they are taken as cached, and no answer is reckoned: what is refused
    /// would pass the limit whatever comes.
    pub fn obstacle(&self, spent: Money, known_tokens: u64, next_tokens: u64) -> Option<String> {
        if spent >= self.usd {
            return Some(format!("the step may cost {} and has cost {spent}", self.usd));
        }
        let new = next_tokens.saturating_sub(known_tokens);
        let least = self.cost(&Tokens { input: new, cache_read: known_tokens.min(next_tokens), ..Tokens::default() });
        if spent + least > self.usd {
            let usd = self.usd;
            return Some(format!("the step may cost {usd}, has cost {spent}, and its next turn costs {least} or more"));
        }
        None
    }

    /// The longest answer that keeps a turn within the limit even if the provider has cached nothing of the
    /// `next_tokens` that it sends, in tokens.
    pub fn answer_tokens(&self, spent: Money, next_tokens: u64) -> u64 {
        let dearest = self.price.input.max(self.price.cache_write.unwrap_or(self.price.input));
        let sent = (u128::from(next_tokens) * u128::from(dearest.micros)).div_ceil(PRICE_TOKENS);
        let left = u128::from(self.usd.micros).saturating_sub(u128::from(spent.micros)).saturating_sub(sent);
        match u128::from(self.price.output.micros) {
            0 if left > 0 => u64::MAX,
            0 => 0,
            output => u64::try_from(left * PRICE_TOKENS / output).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Price;

    fn limit(usd_micros: u64) -> SpendMax {
        let price = Price {
            input: Money::micros(3_000_000),
            output: Money::micros(15_000_000),
            cache_read: None,
            cache_write: Some(Money::micros(3_750_000)),
        };
        SpendMax { price, usd: Money::micros(usd_micros) }
    }

    #[test]
    fn tokens_are_priced_each_by_its_kind() {
        let tokens = Tokens { input: 1_000, output: 100, cache_read: 10_000, cache_write: 1_000, reasoning: 50 };
        assert_eq!(limit(0).cost(&tokens).micros, 3_000 + 1_500 + 3_000 + 3_750);
        assert_eq!(limit(0).cost(&Tokens { cache_read: 1, ..Tokens::default() }).micros, 1);
        let all = Tokens { input: u64::MAX, output: u64::MAX, ..Tokens::default() };
        assert_eq!(limit(0).cost(&all).micros, u64::MAX);
    }

    #[test]
    fn an_answer_is_as_long_as_what_is_left_pays_for() {
        // 100 tokens that are written to the cache cost 375 micro-dollars, 15 each of the answer.
        assert_eq!(limit(1_000).answer_tokens(Money::ZERO, 100), 41);
        assert_eq!(limit(1_000).answer_tokens(Money::micros(625), 100), 0);
        assert_eq!(limit(1_000).answer_tokens(Money::micros(2_000), 0), 0);
        let spent = Money::micros(100);
        let all = Tokens { cache_write: 100, output: limit(1_000).answer_tokens(spent, 100), ..Tokens::default() };
        assert!(spent + limit(1_000).cost(&all) <= Money::micros(1_000));
        let free = SpendMax { price: Price::default(), usd: Money::micros(1) };
        assert_eq!(free.answer_tokens(Money::ZERO, u64::MAX), u64::MAX);
    }

    #[test]
    fn a_turn_that_would_clearly_pass_the_limit_does_not_begin() {
        let spent = Money::micros(900);
        assert_eq!(limit(1_000).obstacle(spent, 0, 33), None);
        assert!(limit(1_000).obstacle(spent, 0, 34).is_some());
        assert_eq!(limit(1_000).obstacle(spent, 330, 330), None);
        assert_eq!(
            limit(1_000).obstacle(Money::micros(1_000), 0, 0).as_deref(),
            Some("the step may cost $0.001 and has cost $0.001")
        );
    }
}
