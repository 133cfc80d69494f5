//! Secrets in text: rules for the keys of providers, a search in linear time, redaction, and what is allowed all the same.
//! Knows nothing of files, repositories or agents; bytes come in, findings go out.

mod allow;
mod exact;
mod finding;
mod placeholder;
mod randomness;
mod rule;
mod rules;
mod scanner;

pub use allow::{Allow, BadAllow};
pub use exact::{PassedOn, is_secret_name};
pub use finding::Finding;
pub use rule::{count as rule_count, ids as rule_ids};
pub use scanner::{ALLOW_COMMENT, Comments, Scanner};
