//! Numbers, sizes and times in the few characters that a person reads at a glance.
//! Knows nothing of terminals; money shows itself.

use std::{fmt::Display, time::Duration};

/// A number and its noun, in English plural where it is not one: `1 finding`, `0 findings`, `2 branches`, `3 retries`.
pub fn count<N: Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    if number == N::from(1) {
        return format!("{number} {noun}");
    }
    let before_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{number} {stem}ies"),
        None if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) => format!("{number} {noun}es"),
        None => format!("{number} {noun}s"),
    }
}

/// A number of tokens: `999`, `12.4k`, `124k`, `1.2M`.
pub fn tokens(number: u64) -> String {
    scaled(number, 1_000, &["", "k", "M", "G"])
}

/// A size: `17 bytes`, `1.5 KiB`, `512 MiB`.
pub fn bytes(number: u64) -> String {
    if number < 1024 { count(number, "byte") } else { scaled(number, 1024, &["", " KiB", " MiB", " GiB", " TiB"]) }
}

/// A number in the largest unit of which there is at least one; below a hundred of it with a decimal that says something.
fn scaled(number: u64, base: u128, units: &[&str]) -> String {
    let (number, mut size, mut unit) = (u128::from(number), 1, 0);
    // Rounded before compared, so that 999 960 is 1M and not 1000k.
    while unit + 1 < units.len() && number + size / 2 >= size * base {
        unit += 1;
        size *= base;
    }
    let (whole, tenths) = ((number + size / 2) / size, (number * 10 + size / 2) / size);
    if tenths < 1000 && tenths % 10 > 0 {
        format!("{}.{}{}", tenths / 10, tenths % 10, units[unit])
    } else {
        format!("{whole}{}", units[unit])
    }
}

/// A time span: `0.3s`, `41s`, `3m 20s`, `1h 04m`, `2d 03h`.
pub fn duration(span: Duration) -> String {
    let tenths = (span.as_millis() + 50) / 100;
    if tenths < 100 {
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    let seconds = (span.as_millis() + 500) / 1000;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (minutes, hours) {
        (0, _) => format!("{seconds}s"),
        (_, 0) => format!("{minutes}m {:02}s", seconds % 60),
        (_, 1..48) => format!("{hours}h {:02}m", minutes % 60),
        _ => format!("{}d {:02}h", hours / 24, hours % 24),
    }
}

/// Words as a sentence lists them: `a`, `a and b`, `a, b and c`.
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!(count(1, "finding"), "1 finding");
        assert_eq!(count(0usize, "finding"), "0 findings");
        assert_eq!(count(2u64, "branch"), "2 branches");
        assert_eq!(count(3, "retry"), "3 retries");
        assert_eq!(count(4, "day"), "4 days");
        assert_eq!(count(5, "process"), "5 processes");
    }

    #[test]
    fn amounts_are_short() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (12_400, "12.4k"),
            (123_456, "123k"),
            (999_960, "1M"),
            (1_234_567, "1.2M"),
            (u64::MAX, "18446744074G"),
        ] {
            assert_eq!(tokens(number), shown, "{number}");
        }
        for (number, shown) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (512 << 20, "512 MiB"),
            (5 << 40, "5 TiB"),
        ] {
            assert_eq!(bytes(number), shown, "{number}");
        }
    }

    #[test]
    fn time_spans_are_short() {
        for (millis, shown) in [
            (0, "0.0s"),
            (312, "0.3s"),
            (9_949, "9.9s"),
            (9_960, "10s"),
            (41_000, "41s"),
            (59_700, "1m 00s"),
            (200_000, "3m 20s"),
            (3_840_000, "1h 04m"),
            (200_000_000, "2d 07h"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), shown, "{millis}");
        }
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a".to_owned(), "b".to_owned(), "c".to_owned()]), "a, b and c");
    }
}
