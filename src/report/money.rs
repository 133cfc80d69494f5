//! What was spent by the run, today and this month, beside what may be.
//! Knows nothing of where that was reckoned.

use serde::Serialize;

use crate::model::money::Money;

/// How one budget stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StandView {
    /// What is spent.
    #[serde(rename = "spent_usd")]
    pub spent: Money,
    /// What is set aside for steps that run.
    #[serde(rename = "reserved_usd")]
    pub reserved: Money,
    /// What may be spent; none: no limit.
    #[serde(rename = "limit_usd")]
    pub limit: Option<Money>,
}

/// What was spent and what may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MoneyView {
    /// The time zone whose days and months these are.
    pub zone: String,
    /// The run; none: none is at work.
    pub run: Option<StandView>,
    /// Today, all runs.
    pub day: StandView,
    /// This month, all runs.
    pub month: StandView,
}

impl MoneyView {
    /// One line: `spent: this run $1.20 of $5.00 ($0.80 set aside), today $3.40 of $10.00, this month $12.30 (UTC)`;
    /// none where nothing was spent and nothing is limited.
    pub fn line(&self) -> Option<String> {
        let stands = [("this run", self.run), ("today", Some(self.day)), ("this month", Some(self.month))];
        let is_empty = |stand: &StandView| *stand == StandView::default();
        if stands.iter().all(|(_, stand)| stand.as_ref().is_none_or(is_empty)) {
            return None;
        }
        let parts = stands.iter().filter_map(|(name, stand)| {
            let StandView { spent, reserved, limit } = (*stand)?;
            let of = limit.map_or_else(String::new, |limit| format!(" of {limit}"));
            let aside = if reserved > Money::ZERO { format!(" ({reserved} set aside)") } else { String::new() };
            Some(format!("{name} {spent}{of}{aside}"))
        });
        Some(format!("spent: {} ({})", parts.collect::<Vec<_>>().join(", "), self.zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_spent_of_what() {
        let stand = |spent, reserved, limit: Option<u64>| StandView {
            spent: Money::micros(spent),
            reserved: Money::micros(reserved),
            limit: limit.map(Money::micros),
        };
        let view = MoneyView {
            zone: "Europe/Berlin".to_owned(),
            run: Some(stand(1_200_000, 800_000, Some(5_000_000))),
            day: stand(3_400_000, 0, None),
            month: stand(3_400_000, 0, Some(20_000_000)),
        };
        let line = "spent: this run $1.20 of $5.00 ($0.80 set aside), today $3.40, this month $3.40 of $20.00 \
                    (Europe/Berlin)";
        assert_eq!(view.line().as_deref(), Some(line));
        let quiet = MoneyView { run: None, day: StandView::default(), month: StandView::default(), ..view };
        assert_eq!(quiet.line(), None);
    }
}
