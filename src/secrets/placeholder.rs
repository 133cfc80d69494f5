//! Values that stand for a secret and are none: `AKIA…EXAMPLE`, `${TOKEN}`, `xxxx`, `changeme`.
//! Knows nothing of rules; it is told how sure the rule is.

use super::rule::Sure;

/// The same character so often, or so many that follow each other in the alphabet, were typed, not drawn.
const SAME_MAX: usize = 5;
const RISING_MAX: usize = 7;

/// What no provider would draw.
const NEVER: &[&str] = &[
    "example",
    "redacted",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "notreal",
    "not-real",
    "not_real",
    "sample-",
    "dummy",
    // The token that jwt.io shows.
    "eyjzdwiioiixmjm0nty3odkwiiwi",
];

/// Words that names, texts and made-up values have and random ones do not.
const WORDS: &[&str] = &[
    "access",
    "admin",
    "alice",
    "author",
    "basic",
    "bearer",
    "button",
    "client",
    "config",
    "default",
    "demo",
    "enter",
    "env.",
    "fake",
    "field",
    "foobar",
    "getenv",
    "hello",
    "hidden",
    "hunter",
    "insert",
    "invalid",
    "label",
    "localhost",
    "login",
    "message",
    "mock",
    "my_",
    "my-",
    "mypass",
    "mysecret",
    "none",
    "null",
    "option",
    "param",
    "passw",
    "please",
    "private",
    "process",
    "public",
    "random",
    "replace",
    "required",
    "reset",
    "schema",
    "sha256",
    "sha512",
    "signature",
    "secret",
    "string",
    "super",
    "test",
    "title",
    "todo",
    "token",
    "true",
    "undefined",
    "update",
    "user",
    "value",
    "valid",
    "wrong",
    "your",
    "${",
    "{{",
    "}}",
    "<%",
    "$(",
    "://",
];

/// Whole values that are in every tutorial.
const COMMON: &[&str] = &[
    "root",
    "toor",
    "pass",
    "pw",
    "pwd",
    "postgres",
    "mysql",
    "rabbitmq",
    "guest",
    "redis",
    "mongo",
    "minio",
    "p4ssw0rd",
    "p@ssw0rd",
    "p@ssword",
    "qwerty",
    "letmein",
    "12345",
    "123456",
    "s3cr3t",
    "s3cret",
    "abc123",
    "example",
    "sa",
    "minioadmin",
    "minio123",
    "keycloak",
    "elastic",
    "dbpass",
];

/// Whether a value stands for a secret only.
pub(super) fn is_placeholder(value: &[u8], sure: Sure) -> bool {
    let lower = value.to_ascii_lowercase();
    let has = |word: &&str| contains(&lower, word.as_bytes());
    if NEVER.iter().any(has) || typed(&lower) {
        return true;
    }
    match sure {
        Sure::Form => false,
        Sure::Name | Sure::Chosen => {
            COMMON.iter().any(|word| lower == word.as_bytes())
                || WORDS.iter().any(has)
                || matches!(lower.first(), Some(b'$' | b'%' | b'<' | b'{' | b'[' | b'(' | b'^'))
                || sure == Sure::Chosen && matches!(lower.first(), Some(b'/' | b'.' | b'#'))
        }
    }
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// Whether it was typed by holding a key or by running along the keyboard.
fn typed(lower: &[u8]) -> bool {
    let (mut same, mut rising) = (1, 1);
    for pair in lower.windows(2) {
        same = if pair[0] == pair[1] { same + 1 } else { 1 };
        rising = if pair[1] == pair[0].wrapping_add(1) { rising + 1 } else { 1 };
        if same > SAME_MAX || rising > RISING_MAX {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_secret_is_none() {
        for value in ["AKIAIOSFODNN7EXAMPLE", "xxxxxxxxxxxxxxxx", "key-12345678-90", "abcdefghijkl"] {
            assert!(is_placeholder(value.as_bytes(), Sure::Form), "{value}");
        }
        for value in ["${TOKEN}", "your-api-key-1", "<token>", "getenv9x8c7", "postgres", "$2b$10$abc"] {
            assert!(is_placeholder(value.as_bytes(), Sure::Name), "{value}");
            assert!(!is_placeholder(value.as_bytes(), Sure::Form), "{value}");
        }
        assert!(!is_placeholder(b"q7Rk2mZp9XvB4nTs", Sure::Chosen));
    }
}
