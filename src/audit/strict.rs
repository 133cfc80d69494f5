//! Whether a JSON text means one thing: no key twice in an object, not too long, not too deep.
//! Knows nothing of what it means.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};

/// Bytes that a record may have.
pub const RECORD_BYTES_MAX: usize = 32 << 20;

/// Looks at a text.
///
/// # Errors
/// Why it could be read in two ways, or not at all. More than 128 levels are too deep.
pub fn check(text: &[u8]) -> Result<(), String> {
    if text.len() > RECORD_BYTES_MAX {
        return Err(format!("it has more than {RECORD_BYTES_MAX} bytes"));
    }
    std::str::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())?;
    serde_json::from_slice::<Once>(text).map(|_| ()).map_err(|error| error.to_string())
}

/// Any value whose objects have each key once.
struct Once;

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Looking)
    }
}

struct Looking;

impl<'de> Visitor<'de> for Looking {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Once, E> {
        if number.is_finite() { Ok(Once) } else { Err(E::custom("a number is none")) }
    }

    fn visit_str<E>(self, _: &str) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Once, A::Error> {
        while items.next_element::<Once>()?.is_some() {}
        Ok(Once)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Once, A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value::<Once>()?;
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key '{}' is there twice", key.escape_debug())));
            }
        }
        Ok(Once)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_two_meanings_is_refused() {
        for good in ["{}", r#"{"a":{"b":1},"b":[1,2.5,"x",null,true,-3]}"#] {
            assert_eq!(check(good.as_bytes()), Ok(()), "{good}");
        }
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for bad in [r#"{"a":1,"a":2}"#, r#"[{"x":{"a":1,"b":2,"a":1}}]"#, "NaN", "1e999", "{} x", "", &deep] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(check(b"\"\xff\"").is_err());
    }
}
