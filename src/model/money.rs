//! Money in whole micro-dollars and tokens in whole tokens, so that sums are exact.
//! Knows nothing of prices or budgets.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of money in micro-dollars (0.000001 USD). In files it is a decimal number of dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// Whole micro-dollars.
    pub micros: u64,
}

/// A text or number that is not an amount of dollars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an amount of dollars such as 1.50")]
pub struct NotMoney(pub String);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self { micros: 0 };

    /// That many micro-dollars.
    pub const fn micros(micros: u64) -> Self {
        Self { micros }
    }

    /// The amount nearest to a number of dollars, as programs report it; negative or not finite is none.
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        (dollars.is_finite() && (0.0..1e12).contains(&dollars)).then(|| Self { micros: (dollars * 1e6).round() as u64 })
    }

    /// The amount as it is typed: `5`, `1.25`.
    pub fn plain(self) -> String {
        let (dollars, rest) = (self.micros / 1_000_000, self.micros % 1_000_000);
        match rest {
            0 => dollars.to_string(),
            rest => format!("{dollars}.{}", format!("{rest:06}").trim_end_matches('0')),
        }
    }

    /// What is left of this after `other`, at least nothing.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self { micros: self.micros.saturating_sub(other.micros) }
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { micros: self.micros.saturating_add(other.micros) }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    /// Dollars for people: `$0.03`, and more digits where two would show nothing: `$0.0004`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dollars, rest) = (self.micros / 1_000_000, self.micros % 1_000_000);
        let text = if self.micros == 0 || self.micros >= 10_000 {
            let cents = (rest + 5_000) / 10_000;
            format!("${}.{:02}", dollars + cents / 100, cents % 100)
        } else {
            format!("${dollars}.{}", format!("{rest:06}").trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    /// Reads `12`, `12.5`, `$0.000001`; at most six decimals.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotMoney(text.to_owned());
        let number = text.trim().trim_start_matches('$');
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || part.len() > 6 || !digits(whole) || !digits(part) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
        Ok(Self { micros: whole * 1_000_000 + part })
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.micros as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(from)?;
        Self::from_dollars(dollars).ok_or_else(|| serde::de::Error::custom(NotMoney(dollars.to_string())))
    }
}

/// Tokens of one or more model calls, counted apart as providers bill them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Read by the model and not taken from a cache.
    pub input: u64,
    /// Written by the model, reasoning included where the provider bills it so.
    pub output: u64,
    /// Read from the provider's cache.
    pub cache_read: u64,
    /// Written to the provider's cache.
    pub cache_write: u64,
    /// The part of `output` that was reasoning, where it is told.
    pub reasoning: u64,
}

impl Tokens {
    /// All that passed through the model: input, cached input and output.
    pub fn total(&self) -> u64 {
        self.input + self.output + self.cache_read + self.cache_write
    }
}

impl Add for Tokens {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
            cache_read: self.cache_read + other.cache_read,
            cache_write: self.cache_write + other.cache_write,
            reasoning: self.reasoning + other.reasoning,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_and_shown() {
        for (text, micros, shown) in [
            ("0", 0, "$0.00"),
            ("1.5", 1_500_000, "$1.50"),
            ("$0.03", 30_000, "$0.03"),
            ("0.0004", 400, "$0.0004"),
            ("0.999", 999_000, "$1.00"),
            ("12.345", 12_345_000, "$12.35"),
        ] {
            let money: Money = text.parse().expect(text);
            assert_eq!((money.micros, money.to_string().as_str()), (micros, shown), "{text}");
        }
        for wrong in ["", "-1", "1.0000001", "abc", "1e5", "."] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }
}
