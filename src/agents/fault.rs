//! What went wrong with a provider, judged by the status and the words that programs pass on, and the line for people.
//! Knows nothing of any program's events: adapters hand in what they found.

use std::time::{Duration, SystemTime};

use super::{request::EndedAs, reset};
use crate::text::{clean, clean_line, cut};

/// Columns of foreign words that a line for people holds.
const QUOTED_COLUMNS_MAX: usize = 240;

/// The kinds of trouble that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not logged in, a wrong key, no right to use it.
    Login,
    /// The rate, the quota or the credit is used up.
    Limit,
    /// The provider is overloaded or broken.
    Overload,
    /// The provider cannot be reached.
    Network,
    /// The model does not exist, or not for this account.
    Model,
    /// The prompt and what was read do not fit into the model.
    Context,
    /// The answer was cut off at the model's limit.
    OutputLimit,
    /// The model or its provider declined.
    Refusal,
    /// The provider did not take the request, for another reason.
    Request,
    /// A variable that its settings name is not in its environment.
    Variable,
    /// The settings of the program are wrong, or it is used wrongly.
    Setup,
    /// It gave up for a reason of its own.
    GaveUp,
}

/// Something that went wrong, as a program told it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trouble {
    /// What it is, if the program has a word for it.
    pub fault: Option<Fault>,
    /// The HTTP status, if it is told.
    pub status: Option<u16>,
    /// The program's words.
    pub message: String,
    /// How long the provider asks to wait, if it is told as such.
    pub retry_after: Option<Duration>,
}

/// Words for people that differ by program.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// `claude`, `model 'glm-4.7' at api.example.com`
    pub program: &'a str,
    /// What to do to log in.
    pub login: &'a str,
}

/// Words in messages and what they mean; the first that is found wins, so the telling ones stand first.
const WORDS: [(&[&str], Fault); 11] = [
    (
        &[
            "prompt is too long",
            "context window",
            "context_length",
            "context length",
            "maximum number of tokens allowed",
            "input is too long",
            "too many tokens in",
        ],
        Fault::Context,
    ),
    (&["output token maximum", "max_output_tokens", "max_tokens", "maximum output"], Fault::OutputLimit),
    (
        &[
            "usage limit",
            "session limit",
            "quota",
            "rate limit",
            "rate_limit",
            "ratelimit",
            "too many requests",
            "resource_exhausted",
            "credit",
            "insufficient_balance",
            "hit your",
            "billing",
            "payment required",
            "spending limit",
        ],
        Fault::Limit,
    ),
    (&["missing environment variable", "environment variable is not set"], Fault::Variable),
    (
        &[
            "not logged in",
            "/login",
            "unauthorized",
            "unauthenticated",
            "authentication",
            "auth method",
            "api key",
            "api_key",
            "x-api-key",
            "permission_denied",
            "forbidden",
            "oauth",
            "bearer",
            "sign in",
            "log in",
            "credentials",
        ],
        Fault::Login,
    ),
    (
        &[
            "model_not_found",
            "modelnotfound",
            "selected model",
            "model not found",
            "unknown model",
            "invalid model",
            "is not supported when using",
        ],
        Fault::Model,
    ),
    (
        &[
            "usage policy",
            "content filter",
            "contentfilter",
            "content_filter",
            "safety",
            "refusal",
            "declined",
            "blocked due to",
        ],
        Fault::Refusal,
    ),
    (&["overloaded", "internal server error", "service unavailable", "bad gateway", "high demand"], Fault::Overload),
    (
        &[
            "econnrefused",
            "econnreset",
            "enotfound",
            "etimedout",
            "eai_again",
            "connection refused",
            "connection error",
            "connection reset",
            "unable to connect",
            "failedtoopensocket",
            "fetch failed",
            "network",
            "stream disconnected",
            "error sending request",
            "socket",
            "timed out",
            "cannot connect",
            "dns",
        ],
        Fault::Network,
    ),
    (&["invalid_request", "bad request"], Fault::Request),
    (&["unexpected argument", "unknown option", "unknown argument", "usage:"], Fault::Setup),
];

impl Trouble {
    /// Trouble that only has words.
    pub fn saying(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Trouble of a known kind.
    pub fn of(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault: Some(fault), message: message.into(), ..Self::default() }
    }

    /// What it is. What the program calls it counts before the status, the status before the words.
    pub fn fault(&self) -> Fault {
        if let Some(fault) = self.fault {
            return fault;
        }
        let words = self.message.to_ascii_lowercase();
        let by_words = || WORDS.iter().find(|(any, _)| any.iter().any(|w| words.contains(w))).map(|(_, fault)| *fault);
        match self.status.or_else(|| status_in(&words)) {
            Some(402 | 429) => Fault::Limit,
            // Google answers 403 for a used-up quota as well, and some gateways 401 for a missing credit.
            Some(401 | 403 | 407) if by_words() == Some(Fault::Limit) => Fault::Limit,
            Some(401 | 403 | 407) => Fault::Login,
            Some(404) => Fault::Model,
            Some(413) => Fault::Context,
            Some(408 | 500..=599) => Fault::Overload,
            Some(400..=499) => by_words().unwrap_or(Fault::Request),
            Some(_) | None => by_words().unwrap_or_else(|| {
                let names_a_model =
                    words.contains("model") && (words.contains("not found") || words.contains("not exist"));
                if names_a_model { Fault::Model } else { Fault::GaveUp }
            }),
        }
    }

    /// How a step with this trouble ended.
    pub fn ended(&self, names: Names<'_>, now: SystemTime) -> EndedAs {
        let Names { program, login } = names;
        let quoted = self.quoted();
        let said = if quoted.is_empty() { String::new() } else { format!(": {quoted}") };
        match self.fault() {
            Fault::Limit => EndedAs::Limited {
                until: self
                    .retry_after
                    .and_then(|wait| reset::after(wait, now))
                    .or_else(|| reset::from_text(&self.message, now)),
                reason: format!("{program} has reached its limit{said}"),
            },
            Fault::Login => EndedAs::Infra(format!("{program} is not logged in, {login}{said}")),
            Fault::Overload => EndedAs::Infra(format!("the provider of {program} is overloaded or broken{said}")),
            Fault::Network => EndedAs::Infra(format!("{program} cannot reach its provider, look at the network{said}")),
            Fault::Model => EndedAs::Infra(format!(
                "{program} cannot use the model, look at 'model' in .handoff/config.toml and at the login{said}"
            )),
            Fault::Variable => EndedAs::Infra(format!(
                "{program} does not see a variable that it needs, name it in 'env_pass' of its [agents.…] in \
                 .handoff/config.toml{said}"
            )),
            Fault::Setup => EndedAs::Infra(format!("{program} does not start, look at its settings and version{said}")),
            Fault::Request => EndedAs::Infra(format!("the provider of {program} did not take the request{said}")),
            Fault::Context => EndedAs::Failed(format!(
                "the work does not fit into the model's context, make the task smaller or take another model{said}"
            )),
            Fault::OutputLimit => EndedAs::Failed(format!(
                "the answer was cut off at the model's output limit, make the task smaller{said}"
            )),
            Fault::Refusal => EndedAs::Failed(format!("the model declined to do this{said}")),
            Fault::GaveUp => EndedAs::Failed(format!("{program} gave up{said}")),
        }
    }

    /// The first line of its words; what follows is advice for somebody at a keyboard.
    fn quoted(&self) -> String {
        let message = clean(&self.message);
        let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        cut(&clean_line(line), QUOTED_COLUMNS_MAX)
    }
}

/// An HTTP status in words that were JSON or a log line once: `"code":401`, `status 401`, `(429)`.
fn status_in(words: &str) -> Option<u16> {
    ["status ", "status: ", "\"code\":", "\"code\": ", "code: ", "statuscode\":", "rejected (", "http ", "api error: "]
        .iter()
        .flat_map(|before| words.match_indices(before).map(|(at, found)| &words[at + found.len()..]))
        .filter(|rest| rest.bytes().take_while(u8::is_ascii_digit).count() == 3)
        .filter_map(|rest| rest[..3].parse().ok())
        .find(|status| (400..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_are_judged() {
        for (status, message, fault) in [
            (Some(429), "whatever", Fault::Limit),
            (None, "exceeded retry limit, last status: 429 Too Many Requests", Fault::Limit),
            (None, "Quota exceeded. Check your plan and billing details.", Fault::Limit),
            (Some(400), "Your credit balance is too low to access the API", Fault::Limit),
            (Some(403), "You exceeded your current quota", Fault::Limit),
            (None, "unexpected status 401 Unauthorized: invalid x-api-key", Fault::Login),
            (Some(403), "forbidden", Fault::Login),
            (None, "Not logged in · Please run /login", Fault::Login),
            (None, "Invalid auth method selected.", Fault::Login),
            (Some(529), "Overloaded", Fault::Overload),
            (None, "API Error: 503 no healthy upstream", Fault::Overload),
            (Some(400), "Prompt is too long · the request is ~210000 tokens", Fault::Context),
            (
                None,
                r#"[API Error: {"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}]"#,
                Fault::Context,
            ),
            (None, "Codex ran out of room in the model's context window.", Fault::Context),
            (None, "fake: model: gpt-5.5 not found", Fault::Model),
            (None, "The model `gpt-9` does not exist or you do not have access to it.", Fault::Model),
            (None, "Incomplete response returned, reason: max_output_tokens", Fault::OutputLimit),
            (None, "The model response was blocked due to safety settings.", Fault::Refusal),
            (None, "stream disconnected before completion: error sending request", Fault::Network),
            (None, "Unable to connect. Is the computer able to access the url?", Fault::Network),
            (None, "Missing environment variable: `OPENAI_API_KEY`.", Fault::Variable),
            (None, "error: unexpected argument '--full-auto' found", Fault::Setup),
            (Some(400), "tools.3: unsupported", Fault::Request),
            (None, "I tried three times and stop.", Fault::GaveUp),
        ] {
            let trouble = Trouble { status, ..Trouble::saying(message) };
            assert_eq!(trouble.fault(), fault, "{status:?} {message}");
        }
    }

    #[test]
    fn foreign_words_cannot_write_on_the_terminal_or_fill_it() {
        let names = Names { program: "x", login: "do y" };
        let trouble = Trouble::saying(format!("\n\u{1b}[2J\u{1b}]0;t\u{7}a b {}\nc", "z".repeat(5_000)));
        let EndedAs::Failed(line) = trouble.ended(names, SystemTime::now()) else { panic!("{trouble:?}") };
        assert!(
            line.starts_with("x gave up: a b zzz") && line.chars().count() < 300 && !line.contains('\u{1b}'),
            "{line}"
        );
    }
}
