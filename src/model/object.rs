//! Names of git objects: which kind of object a name stands for is part of its type.
//! Knows nothing of repositories; whether an object exists is for `git` to say.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of any git object: 20 bytes (SHA-1) or 32 bytes (SHA-256), written as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

/// A text that is not the hex name of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an object name: 40 or 64 hex digits are expected")]
pub struct NotAnObjectId(pub String);

impl ObjectId {
    /// The name with these raw bytes.
    ///
    /// # Errors
    /// [`NotAnObjectId`] unless there are 20 or 32 bytes.
    pub fn from_bytes(raw: &[u8]) -> Result<Self, NotAnObjectId> {
        if raw.len() != 20 && raw.len() != 32 {
            return Err(NotAnObjectId(format!("{} bytes", raw.len())));
        }
        let mut bytes = [0; 32];
        bytes[..raw.len()].copy_from_slice(raw);
        Ok(Self { bytes, len: raw.len() as u8 })
    }

    /// The raw bytes, 20 or 32 of them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Queues of thousands of tasks show many: no formatting of single bytes.
        let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
        let text: String = self.as_bytes().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        f.write_str(&text)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectId {
    type Err = NotAnObjectId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAnObjectId(text.to_owned());
        if text.len() != 40 && text.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong());
            };
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self { bytes, len: (text.len() / 2) as u8 })
    }
}

macro_rules! object_kind {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub ObjectId);

        impl $name {
            /// The first ten hex digits, for people.
            pub fn short(&self) -> String {
                self.0.to_string()[..10].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnObjectId;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAnObjectId;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.to_string()
            }
        }
    };
}

object_kind!(
    /// The name of a commit.
    CommitId
);
object_kind!(
    /// The name of a tree.
    TreeId
);
object_kind!(
    /// The name of a blob.
    BlobId
);

/// A SHA-256 digest of some text or bytes, written `sha256:` and 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(bytes.as_ref());
        let mut text = String::with_capacity(71);
        text.push_str("sha256:");
        for byte in hash {
            text.push_str(&format!("{byte:02x}"));
        }
        Self(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_in_and_out() {
        let hex = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(hex.parse::<CommitId>().map(|id| id.to_string()), Ok(hex.to_owned()));
        let long = "ab".repeat(32);
        assert_eq!(long.parse::<TreeId>().map(|id| id.to_string()), Ok(long));
        for wrong in ["", "abc", &"g".repeat(40), &"a".repeat(41)] {
            assert!(wrong.parse::<CommitId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_digest_is_that_of_sha256sum() {
        assert_eq!(
            Digest::of("abc").to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
