//! The time, as the program writes it down and as people read it.
//! Knows nothing of deadlines: those are counted with `std::time::Instant`.

use std::{sync::OnceLock, time::SystemTime};

use jiff::{
    Timestamp,
    fmt::temporal::Pieces,
    tz::{Offset, TimeZone},
};

/// The variable that stops the clock at one moment, in RFC 3339 (`2026-01-02T03:04:05+01:00`), for tests and snapshots.
/// It is read once; what is no time is ignored.
pub const FIXED_CLOCK: &str = "GIT_ORCHESTRATE_NOW";

/// The moment at which the clock stands, with its offset, if it stands.
fn fixed() -> Option<(Timestamp, Offset)> {
    static FIXED: OnceLock<Option<(Timestamp, Offset)>> = OnceLock::new();
    *FIXED.get_or_init(|| moment(&std::env::var(FIXED_CLOCK).ok()?))
}

fn moment(text: &str) -> Option<(Timestamp, Offset)> {
    let offset = Pieces::parse(text).ok()?.to_numeric_offset().unwrap_or(Offset::UTC);
    Some((text.parse().ok()?, offset))
}

/// Now, to the nanosecond unless the clock is fixed.
fn timestamp() -> Timestamp {
    fixed().map_or_else(Timestamp::now, |(timestamp, _)| timestamp)
}

/// Now.
pub fn now() -> SystemTime {
    timestamp().into()
}

/// Now in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
pub fn now_rfc3339() -> String {
    to_rfc3339(now())
}

/// A time in UTC with milliseconds: `2026-01-02T03:04:05.678Z`. A time out of the calendar's range is its begin.
pub fn to_rfc3339(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Now as git writes it into commits: seconds since 1970, and the seconds by which local time is ahead of UTC.
pub fn unix_now() -> (i64, i32) {
    let (timestamp, offset) = fixed().unwrap_or_else(|| {
        let now = Timestamp::now();
        (now, TimeZone::system().to_offset(now))
    });
    (timestamp.as_second(), offset.seconds())
}

/// The time zone of days and hours for people: the system's, or the offset of a clock that stands.
pub fn zone() -> TimeZone {
    fixed().map_or_else(TimeZone::system, |(_, offset)| TimeZone::fixed(offset))
}

/// The name of a time zone as people know it: `Europe/Berlin`, `UTC`, else its offset now.
pub fn zone_name(zone: &TimeZone) -> String {
    let offset = || match zone.to_offset(timestamp()) {
        Offset::UTC => "UTC".to_owned(),
        offset => offset.to_string(),
    };
    zone.iana_name().map_or_else(offset, str::to_owned)
}

/// Reads a time in RFC 3339, with any offset.
pub fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    text.trim().parse::<Timestamp>().ok().map(SystemTime::from)
}

/// A time for people, in their time zone: `2026-01-02 03:04:05`.
pub fn format_local(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_writing_and_reading() {
        let text = "2026-01-02T03:04:05.678Z";
        assert_eq!(parse_rfc3339(text).map(to_rfc3339).as_deref(), Some(text));
        assert_eq!(
            parse_rfc3339("2026-01-02T04:04:05+01:00").map(to_rfc3339).as_deref(),
            Some("2026-01-02T03:04:05.000Z")
        );
        assert_eq!(parse_rfc3339("yesterday"), None);
        assert!(parse_rfc3339(&now_rfc3339()).is_some());
    }

    #[test]
    fn a_fixed_moment_keeps_its_offset() {
        let (timestamp, offset) = moment("2026-01-02T03:04:05+02:00").expect("a moment");
        assert_eq!((timestamp.as_second(), offset.seconds()), (1_767_315_845, 7_200));
        assert_eq!(moment("2026-01-02T03:04:05Z").map(|(_, offset)| offset.seconds()), Some(0));
        assert!(moment("soon").is_none());
    }
}
