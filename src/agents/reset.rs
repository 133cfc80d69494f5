//! When a limit ends, read out of what providers and programs say about it.
//! Does not know the clock: what is said is compared with a time that is handed in, and what cannot be true is dropped.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp, Zoned, civil, tz::TimeZone};

/// The farthest that a reset may lie ahead; monthly limits are the longest there are.
pub const RESET_AHEAD_MAX: Duration = Duration::from_secs(35 * 86_400);
/// How long ago a reset may have been and still be believed: clocks differ.
const RESET_AGO_MAX: Duration = Duration::from_secs(86_400);
/// Bytes of a message that are searched.
const SEARCHED_BYTES_MAX: usize = 64 << 10;

/// Words after which a length of time stands.
const BEFORE_SPAN: [&str; 12] = [
    "retry after",
    "retry-after",
    "reset after",
    "resets after",
    "try again in",
    "retry in",
    "resets in",
    "reset in",
    "available in",
    "wait for",
    "retrydelay",
    "please wait",
];
/// Words after which a time of day or a date stands.
const BEFORE_TIME: [&str; 5] = ["try again at", "resets at", "reset at", "resets on", "resets"];

/// A number of a field such as `resetsAt`, which may be seconds or milliseconds since 1970, or seconds from now.
pub fn from_number(number: f64, now: SystemTime) -> Option<SystemTime> {
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    [1.0, 1e-3, 1e-6].into_iter().find_map(|scale| {
        let moment = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(number * scale).ok()?)?;
        believable(moment, now)
    })
}

/// That long from now.
pub fn after(wait: Duration, now: SystemTime) -> Option<SystemTime> {
    believable(now.checked_add(wait)?, now)
}

/// The moment that a message names: `resets 7:20pm (UTC)`, `try again in 1h 5m`, `Suggested retry after 3600s`,
/// `try again at Nov 21st, 2026 7:20 PM`, `"retryDelay": "34.5s"`, `retryDelayMs: 3600000`.
pub fn from_text(text: &str, now: SystemTime) -> Option<SystemTime> {
    let mut end = text.len().min(SEARCHED_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text[..end].to_ascii_lowercase();
    let rest_after = |word: &str| text.match_indices(word).map(|(at, _)| &text[at + word.len()..]).collect::<Vec<_>>();
    for rest in rest_after("retrydelayms") {
        if let Some(millis) = leading_number(rest.trim_start_matches(['"', ':', ' ', '='])) {
            return after(Duration::try_from_secs_f64(millis / 1e3).ok()?, now);
        }
    }
    for word in BEFORE_SPAN {
        for rest in rest_after(word) {
            if let Some(wait) = span(rest.trim_start_matches(['"', ':', ' ', '='])) {
                return after(wait, now);
            }
        }
    }
    BEFORE_TIME.into_iter().flat_map(rest_after).find_map(|rest| believable(time(rest, now)?, now))
}

fn believable(moment: SystemTime, now: SystemTime) -> Option<SystemTime> {
    let believed = match moment.duration_since(now) {
        Ok(ahead) => ahead <= RESET_AHEAD_MAX,
        Err(behind) => behind.duration() <= RESET_AGO_MAX,
    };
    believed.then_some(moment)
}

fn leading_number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.').parse().ok()
}

/// A length of time at the beginning: `3600s`, `1h30m`, `2 days 3 hours 20 minutes`, `11.054s`, `250ms`, `3600`.
fn span(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds, mut is_found) = (text, 0.0, false);
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
        let Some(number) = leading_number(rest) else { break };
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unit_text = rest[digits..].trim_start_matches([' ', '-']);
        let unit_length = unit_text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit_text.len());
        let unit = match &unit_text[..unit_length] {
            "ms" | "millisecond" | "milliseconds" => 1e-3,
            "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
            "d" | "day" | "days" => 86_400.0,
            // A number without a unit is seconds, as in the header that these messages repeat, but only if it stands
            // alone: in `retry after 3 failed tries` it is no time.
            "" if !is_found && !unit_text.starts_with([':', '/']) => 1.0,
            _ => break,
        };
        seconds += number * unit;
        is_found = true;
        rest = &unit_text[unit_length..];
    }
    is_found.then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// A moment at the beginning: `7:20pm (utc)`, `3am (america/new_york)`, `nov 23, 7pm (utc)`, `nov 21st, 2026 7:20 pm`,
/// `2026-11-21t19:20:00z`. Without a date it is the next such time of day; without a zone it is the system's.
fn time(text: &str, now: SystemTime) -> Option<SystemTime> {
    let text = text.trim_start_matches([' ', ':', '"']);
    let stamp_end = text.find(|c: char| c.is_whitespace() || "\"',)".contains(c)).unwrap_or(text.len());
    if let Ok(moment) = text[..stamp_end].trim_end_matches('.').to_ascii_uppercase().parse::<Timestamp>() {
        return Some(moment.into());
    }
    let now = Timestamp::try_from(now).ok()?;
    let (words, zone) = match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if open < close && open < 40 => (&text[..open], zone(&text[open + 1..close])?),
        _ => (&text[..text.char_indices().nth(40).map_or(text.len(), |(at, _)| at)], TimeZone::system()),
    };
    let here = now.to_zoned(zone.clone());
    let mut words = words.split([' ', ',']).filter(|word| !word.is_empty() && *word != "at").peekable();
    let date = match words.peek().and_then(|word| month(word)) {
        Some(month) => {
            words.next();
            let day: i8 = leading_number(words.next()?).map(|day| day as i8)?;
            let year = words.next_if(|word| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()));
            let year = year.map_or(Ok(here.year()), str::parse).ok()?;
            Some(civil::Date::new(year, month, day).ok()?)
        }
        None => None,
    };
    let clock = clock(words.next(), words.next())?;
    let moment = match date {
        Some(date) => {
            let moment = date.to_datetime(clock).to_zoned(zone).ok()?;
            // In December, a day of January is of the next year.
            if moment < here.checked_sub(SignedDuration::from_hours(24 * 180)).ok()? {
                moment.checked_add(jiff::Span::new().years(1)).ok()?
            } else {
                moment
            }
        }
        None => next(&here, clock)?,
    };
    Some(moment.timestamp().into())
}

fn next(here: &Zoned, clock: civil::Time) -> Option<Zoned> {
    let today = here.date().to_datetime(clock).to_zoned(here.time_zone().clone()).ok()?;
    // Within the minute it may just have passed: the words have no seconds.
    if today >= here.checked_sub(SignedDuration::from_mins(1)).ok()? {
        return Some(today);
    }
    today.checked_add(jiff::Span::new().days(1)).ok()
}

fn zone(name: &str) -> Option<TimeZone> {
    if name == "utc" {
        return Some(TimeZone::UTC);
    }
    // Names of zones are looked up without regard to case.
    TimeZone::get(name).ok()
}

fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let number = MONTHS.iter().position(|month| word.starts_with(month))?;
    i8::try_from(number + 1).ok()
}

/// `7:20pm`, `7pm`, `19:20`, and `7:20` before the word `pm`.
fn clock(word: Option<&str>, next: Option<&str>) -> Option<civil::Time> {
    let word = word?.trim_end_matches('.');
    let (digits, half) = match word.strip_suffix("am").or_else(|| word.strip_suffix("pm")) {
        Some(digits) => (digits, &word[digits.len()..]),
        None => (word, next.map(|next| next.trim_end_matches('.')).filter(|n| ["am", "pm"].contains(n)).unwrap_or("")),
    };
    let (hour, rest) = digits.split_once(':').unwrap_or((digits, ""));
    if rest.is_empty() && half.is_empty() {
        return None;
    }
    let hour: i8 = hour.parse().ok()?;
    let minute: i8 = if rest.is_empty() { 0 } else { rest.split(':').next()?.parse().ok()? };
    let hour = match half {
        "am" if hour == 12 => 0,
        "pm" if hour < 12 => hour + 12,
        _ => hour,
    };
    civil::Time::new(hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stamp: &str) -> SystemTime {
        stamp.parse::<Timestamp>().expect(stamp).into()
    }

    fn check(text: &str, expected: Option<&str>) {
        let now = at("2026-11-20T17:20:30Z");
        let found = from_text(text, now).map(|moment| Timestamp::try_from(moment).expect("in range").to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }

    #[test]
    fn what_the_programs_say() {
        check("You've hit your session limit · resets 7:20pm (UTC)", Some("2026-11-20T19:20:00Z"));
        check("resets 3am (America/New_York)", Some("2026-11-21T08:00:00Z"));
        check("You've hit your weekly limit · resets Nov 23, 7pm (UTC)", Some("2026-11-23T19:00:00Z"));
        check("usage limit. Try again at Nov 21st, 2026 7:20 PM (UTC).", Some("2026-11-21T19:20:00Z"));
        check("Please try again in 11.5s. Visit", Some("2026-11-20T17:20:41.5Z"));
        check("try again in 2 days 3 hours 20 minutes", Some("2026-11-22T20:40:30Z"));
        check("Your quota will reset after 1h5m30s.", Some("2026-11-20T18:26:00Z"));
        check("limit\nSuggested retry after 3600s.]\nPlease wait and try again later", Some("2026-11-20T18:20:30Z"));
        check(r#"{"@type":"RetryInfo","retryDelay":"34s"}"#, Some("2026-11-20T17:21:04Z"));
        check("  retryDelayMs: 3600000,", Some("2026-11-20T18:20:30Z"));
        check("retry-after: 60", Some("2026-11-20T17:21:30Z"));
        check("resets at 2026-11-20T18:00:00Z", Some("2026-11-20T18:00:00Z"));
        check("resets jan 1, 12am (UTC)", None);
        for nothing in [
            "Please wait and try again later.",
            "resets",
            "retry after 3 failed tries",
            "try again in a while",
            "resets 25:99pm (UTC)",
            "resets 7pm (Nowhere/Land)",
            "try again in 99999999999999999999999 days",
            "reset after é",
            "",
        ] {
            check(nothing, None);
        }
    }

    #[test]
    fn numbers_are_seconds_or_milliseconds_and_never_decades_ahead() {
        let now = at("2026-11-20T17:20:00Z");
        let seconds = 1_795_202_418.0;
        let expected = Some(UNIX_EPOCH + Duration::from_secs(1_795_202_418));
        assert_eq!(from_number(seconds, now), expected);
        assert_eq!(from_number(seconds * 1e3, now), expected);
        for wrong in [0.0, 3_600.0, seconds * 2.0, seconds * 50.0, -5.0, f64::NAN, f64::INFINITY, f64::MAX] {
            assert_eq!(from_number(wrong, now), None, "{wrong}");
        }
        assert_eq!(after(Duration::from_secs(86_400 * 365 * 56), now), None);
    }
}
