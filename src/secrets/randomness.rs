//! How random a text looks. Knows nothing of secrets; it counts characters.

/// Part of the characters before which the class changes, in words joined by capitals; random text has twice as much.
const CHANGES_MIN: f64 = 0.2;

/// Shannon's entropy in bits per byte.
pub(super) fn bits(text: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    text.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let length = text.len() as f32;
    let share = counts.iter().filter(|count| **count > 0).map(|count| *count as f32 / length);
    share.map(|share| -share * share.log2()).sum()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    Digit,
    Other,
}

/// Whether letters and digits stand in it as by chance: a name such as `getTokenV2` or `api_key_1` does not look so.
pub(super) fn looks_random(text: &[u8]) -> bool {
    let class = |byte: &u8| match byte {
        b'A'..=b'Z' => Class::Upper,
        b'a'..=b'z' => Class::Lower,
        b'0'..=b'9' => Class::Digit,
        _ => Class::Other,
    };
    let classes: Vec<Class> = text.iter().map(class).collect();
    let has = |class: Class| classes.contains(&class);
    if !has(Class::Digit) || !(has(Class::Upper) || has(Class::Lower)) {
        return false;
    }
    // Half a change for the beginning of a word.
    let mut changes = 0.0;
    let mut hump = true;
    for pair in classes.windows(2) {
        match (pair[0], pair[1]) {
            (one, two) if one == two => hump = false,
            // A capital after a small letter begins a word; the small letter after it goes on with it.
            (Class::Upper, Class::Lower) if hump => hump = false,
            (Class::Lower, Class::Upper) => {
                changes += 0.5;
                hump = true;
            }
            (Class::Other, _) | (_, Class::Other) => hump = true,
            (Class::Digit, Class::Upper) => {
                changes += 1.0;
                hump = true;
            }
            (Class::Upper | Class::Lower | Class::Digit, _) => {
                changes += 1.0;
                hump = false;
            }
        }
    }
    changes / text.len() as f64 >= CHANGES_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_look_random() {
        for name in [
            "getAccessTokenFromStore2",
            "user_session_token_v2",
            "process.env.API_KEY_1",
            "sha256-digest-of-it",
            "Tls12CipherSuite",
        ] {
            assert!(!looks_random(name.as_bytes()), "{name}");
        }
        for chance in ["q7Rk2mZp9XvB4nTs", "8f3a9c1d4e7b2a6f", "x9kq2m4np7rt1vw3z5"] {
            assert!(looks_random(chance.as_bytes()), "{chance}");
        }
    }

    #[test]
    fn bits_of_known_texts() {
        assert_eq!(bits(b"aaaa"), 0.0);
        assert_eq!(bits(b"abab"), 1.0);
        assert_eq!(bits(b"abcdefgh"), 3.0);
        assert_eq!(bits(b""), 0.0);
    }
}
