//! The hours of the day in which no agent's step begins: `22:00-07:00`, in local time.
//! Knows nothing of runs; the moment and the time zone are told.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, ToSpan as _, civil::Time, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of each day. One that ends before it begins goes over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
}

/// A text that is no part of a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no part of a day such as 22:00-07:00")]
pub struct NotHours(String);

impl QuietHours {
    /// When the quiet hours that it is now end; none: it is not quiet.
    ///
    /// Each day's hours begin and end at moments, so that a clock that is set back does not begin them again. A time
    /// that a clock set forward leaves out is as much later.
    pub fn until(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = now.to_zoned(zone.clone()).date();
        // Those that began yesterday may last until today.
        [today.checked_sub(1.day()), Ok(today)].into_iter().flatten().find_map(|day| {
            let last = if self.to > self.from { Ok(day) } else { day.checked_add(1.day()) };
            let begin = day.to_datetime(self.from).to_zoned(zone.clone()).ok()?.timestamp();
            let end = last.ok()?.to_datetime(self.to).to_zoned(zone.clone()).ok()?.timestamp();
            (begin <= now && now < end).then_some(end)
        })
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

impl FromStr for QuietHours {
    type Err = NotHours;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            let time = Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
            (digits(hour) && digits(minute)).then_some(time)
        };
        let parts = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
        // All day long nothing would ever begin.
        let (from, to) = parts.filter(|(from, to)| from != to).ok_or_else(|| NotHours(text.to_owned()))?;
        Ok(Self { from, to })
    }
}

impl Serialize for QuietHours {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Berlin as POSIX spells it, so that no file of the machine is needed: forward on 2026-03-29 at 2:00, back on
    /// 2026-10-25 at 3:00.
    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn check(hours: &str, now: &str, wanted: Option<&str>) {
        let zone = TimeZone::posix(BERLIN).expect("a zone");
        let hours: QuietHours = hours.parse().expect(hours);
        let until = hours.until(now.parse().expect(now), &zone).map(|until| until.to_string());
        assert_eq!(until.as_deref(), wanted, "{hours} at {now}");
    }

    #[test]
    fn hours_of_one_day_and_over_midnight() {
        check("09:00-17:30", "2026-06-01T06:59:59Z", None);
        check("09:00-17:30", "2026-06-01T07:00:00Z", Some("2026-06-01T15:30:00Z"));
        check("09:00-17:30", "2026-06-01T15:30:00Z", None);
        check("22:00-07:00", "2026-06-01T20:00:00Z", Some("2026-06-02T05:00:00Z"));
        check("22:00-07:00", "2026-06-02T04:59:59Z", Some("2026-06-02T05:00:00Z"));
        check("22:00-07:00", "2026-06-02T05:00:00Z", None);
        check("22:00-00:00", "2026-06-01T21:59:59Z", Some("2026-06-01T22:00:00Z"));
        check("00:00-06:00", "2026-06-01T22:00:00Z", Some("2026-06-02T04:00:00Z"));
    }

    #[test]
    fn clocks_that_are_set() {
        // The night of the clock set forward is an hour shorter, the other an hour longer.
        check("22:00-07:00", "2026-03-28T22:00:00Z", Some("2026-03-29T05:00:00Z"));
        check("22:00-07:00", "2026-10-24T21:00:00Z", Some("2026-10-25T06:00:00Z"));
        // 2:30 is left out: they end at 3:30.
        check("01:00-02:30", "2026-03-29T01:15:00Z", Some("2026-03-29T01:30:00Z"));
        // 2:30 comes twice: they end at the first, and do not begin again at the second 2:00.
        check("01:00-02:30", "2026-10-25T00:29:00Z", Some("2026-10-25T00:30:00Z"));
        check("01:00-02:30", "2026-10-25T01:15:00Z", None);
    }

    #[test]
    fn what_is_no_part_of_a_day() {
        for wrong in ["", "22:00", "22-7", "22:00-22:00", "24:00-07:00", "22:60-07:00", "a:b-c:d", "-1:00-07:00"] {
            assert!(wrong.parse::<QuietHours>().is_err(), "{wrong}");
        }
        assert_eq!("7:05 - 8:00".parse::<QuietHours>().map(|hours| hours.to_string()).as_deref(), Ok("07:05-08:00"));
    }
}
