//! What a provider says when it does not do what it was asked: its error in the body or in the stream, and its headers.
//! Knows nothing of what follows; whether to try again is `patience`'s.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::{
    agents::{
        fault::{Fault, Trouble},
        reset,
    },
    sys::http::Reply,
    text::{clean_line, cut},
};

/// Columns of a provider's words that are kept.
const WORDS_COLUMNS_MAX: usize = 600;

/// What was refused, and when it may be asked again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refusal {
    /// What is the trouble.
    pub trouble: Trouble,
    /// When it may be asked again, if the provider named a moment.
    pub until: Option<SystemTime>,
    /// Whether the provider says that asking again is of no use.
    pub is_final: bool,
}

impl Refusal {
    /// Of an answer whose status is not one of success.
    pub fn of(reply: &Reply, url: &str, now: SystemTime) -> Self {
        let header = |name: &str| reply.headers.get(name).map(|value| value.trim());
        let body: Option<Value> = serde_json::from_slice(&reply.refusal).ok();
        let body = match body {
            // Some wrap it into a list.
            Some(Value::Array(mut items)) if !items.is_empty() => Some(items.swap_remove(0)),
            other => other,
        };
        let mut trouble = match &body {
            Some(body) => trouble_in(body, Some(reply.status)),
            None => Trouble { status: Some(reply.status), ..Trouble::saying(page_words(reply)) },
        };
        match reply.status {
            300..=399 => {
                let to = header("location").map(|to| format!(" to '{to}'")).unwrap_or_default();
                let line = format!("'{url}' points elsewhere{to} ({}), look at 'base_url'", reply.status);
                trouble = Trouble { status: None, ..Trouble::of(Fault::Request, line) };
            }
            404 | 405 if body.is_none() => {
                let line = format!("there is nothing at '{url}' ({}), look at 'base_url'", reply.status);
                trouble = Trouble { status: None, ..Trouble::of(Fault::Request, line) };
            }
            _ => {}
        }
        if let Some(wait) = header("retry-after-ms").and_then(|ms| ms.parse::<f64>().ok()) {
            trouble.retry_after = Duration::try_from_secs_f64(wait / 1e3).ok();
        } else if let Some(value) = header("retry-after") {
            trouble.retry_after = retry_after(value, now).or(trouble.retry_after);
        }
        // The reset of a limit counts only where that limit is what stopped us.
        let until = (trouble.fault() == Fault::Limit && trouble.retry_after.is_none())
            .then(|| RESET_HEADERS.iter().find_map(|name| moment(header(name)?, now)))
            .flatten();
        let is_final = header("x-should-retry") == Some("false");
        Self { trouble, until, is_final }
    }

    /// Of trouble within a stream.
    pub fn saying(trouble: Trouble) -> Self {
        Self { trouble, ..Self::default() }
    }
}

/// Headers that tell when a limit ends: those of the limit that is reached stand before those of each limit.
const RESET_HEADERS: [&str; 5] = [
    "anthropic-ratelimit-unified-reset",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-reset",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
];

/// `retry-after`: seconds, or a date of HTTP (RFC 9110, 10.2.3).
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let moment = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(SystemTime::from(moment).duration_since(now).unwrap_or_default())
}

/// A moment: seconds or milliseconds since 1970, a timestamp, or a length of time such as `6m0s`.
fn moment(value: &str, now: SystemTime) -> Option<SystemTime> {
    if let Ok(number) = value.parse::<f64>() {
        let small = (number < 1e7).then(|| Duration::try_from_secs_f64(number).ok()).flatten();
        return reset::from_number(number, now).or_else(|| reset::after(small?, now));
    }
    if let Ok(stamp) = value.parse::<jiff::Timestamp>() {
        return Some(stamp.into());
    }
    reset::from_text(&format!("retry in {value}"), now)
}

/// The trouble that an error object tells of, be it a body or an event: `{"error": {"type"|"code"|"status", "message"}}`.
pub fn trouble_in(body: &Value, status: Option<u16>) -> Trouble {
    let error = if body["error"].is_null() { body } else { &body["error"] };
    let words = error.as_str().or_else(|| error["message"].as_str()).or_else(|| body["message"].as_str());
    let words = words.or_else(|| body["detail"].as_str()).unwrap_or_default();
    // Routers put what the provider behind them said beside their own words.
    let raw = error["metadata"]["raw"].as_str().unwrap_or_default();
    let names = ["type", "code", "status"].map(|key| error[key].as_str().unwrap_or_default());
    let number = error["code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let status = status.or(number.filter(|code| (400..600).contains(code)));
    let message = match (words, raw) {
        ("", "") => names.into_iter().find(|name| !name.is_empty()).unwrap_or_default().replace('_', " "),
        (words, "") => words.to_owned(),
        (words, raw) => format!("{words}: {raw}"),
    };
    let fault = names.iter().find_map(|name| fault_of(name, &message));
    let details = error["details"].as_array().into_iter().flatten();
    let retry_after = details.into_iter().find_map(|detail| {
        let seconds = detail["retryDelay"].as_str()?.strip_suffix('s')?;
        Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
    });
    let quota = error["details"].as_array().into_iter().flatten().flat_map(|detail| {
        let violations = detail["violations"].as_array().into_iter().flatten();
        violations.filter_map(|violation| violation["quotaId"].as_str())
    });
    let daily = quota.into_iter().any(|id| id.contains("PerDay"));
    let message = cut(&clean_line(&message), WORDS_COLUMNS_MAX);
    let message = if daily { format!("{message} (the quota of the day)") } else { message };
    Trouble { fault, status, message, retry_after }
}

/// The providers' own words for errors; others tell nothing certain.
fn fault_of(name: &str, message: &str) -> Option<Fault> {
    let by_words = || Trouble::saying(message).fault();
    Some(match name.to_ascii_lowercase().as_str() {
        "rate_limit_error"
        | "billing_error"
        | "insufficient_quota"
        | "rate_limit_exceeded"
        | "resource_exhausted"
        | "tokens"
        | "requests" => Fault::Limit,
        "authentication_error" | "invalid_api_key" | "unauthenticated" => Fault::Login,
        // Google says so as well of a quota that is used up.
        "permission_error" | "permission_denied" if by_words() != Fault::Limit => Fault::Login,
        "overloaded_error" | "api_error" | "timeout_error" | "server_error" | "unavailable" | "internal"
        | "deadline_exceeded" => Fault::Overload,
        "not_found_error" | "model_not_found" | "not_found" => Fault::Model,
        "request_too_large" | "context_length_exceeded" => Fault::Context,
        "content_filter" | "content_policy_violation" => Fault::Refusal,
        _ => return None,
    })
}

/// The words of an answer that is no JSON: its first line, if it is not a page for a browser.
fn page_words(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.refusal);
    let line = text.lines().map(clean_line).find(|line| !line.is_empty()).unwrap_or_default();
    if line.is_empty() || line.starts_with('<') { format!("status {}", reply.status) } else { cut(&line, 200) }
}

/// Whether words speak of something that waiting a little does not bring back: credit, or a quota of days.
pub fn is_used_up(message: &str) -> bool {
    let words = message.to_ascii_lowercase();
    [
        "quota",
        "credit",
        "billing",
        "balance",
        "usage limit",
        "spending",
        "payment",
        "per day",
        "daily",
        "weekly",
        "monthly",
    ]
    .iter()
    .any(|word| words.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const NOW: u64 = 1_795_200_000;

    fn check(status: u16, headers: &[(&str, &str)], body: &str, wanted: &str) {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let reply = Reply { status, headers, refusal: body.as_bytes().to_vec() };
        let found = Refusal::of(&reply, "http://h/v1", now);
        let wait = found.trouble.retry_after.map(|wait| format!(" wait {wait:?}")).unwrap_or_default();
        let until = found.until.and_then(|until| until.duration_since(now).ok());
        let until = until.map(|until| format!(" until +{until:?}")).unwrap_or_default();
        let last = if found.is_final { " final" } else { "" };
        let told = format!("{:?}{wait}{until}{last}: {}", found.trouble.fault(), found.trouble.message);
        assert_eq!(told, wanted, "{status} {body}");
    }

    #[test]
    fn what_providers_say_is_understood() {
        check(
            429,
            &[("retry-after", "7"), ("anthropic-ratelimit-requests-reset", "2026-11-20T20:00:00Z")],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}"#,
            "Limit wait 7s: Slow down",
        );
        check(
            429,
            &[("x-should-retry", "false"), ("anthropic-ratelimit-unified-reset", "1795203600")],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"Session limit"}}"#,
            "Limit until +3600s final: Session limit",
        );
        check(
            429,
            &[("x-ratelimit-reset-requests", "6m0s")],
            r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
            "Limit until +360s: Rate limit reached",
        );
        check(
            400,
            &[],
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens"}}"#,
            "Context: prompt is too long: 210000 tokens",
        );
        check(
            400,
            &[],
            r#"{"error":{"message":"This is too much","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            "Context: This is too much",
        );
        check(
            400,
            &[],
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
            "Limit: Your credit balance is too low",
        );
        check(
            429,
            &[],
            r#"[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[
               {"@type":"x","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel"}]},
               {"@type":"y","retryDelay":"34.5s"}]}}]"#,
            "Limit wait 34.5s: You exceeded your current quota (the quota of the day)",
        );
        check(
            400,
            &[],
            r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}"#,
            "Login: API key not valid.",
        );
        check(529, &[], r#"{"type":"error","error":{"type":"overloaded_error"}}"#, "Overload: overloaded error");
        check(502, &[], "<html>\n<title>Bad gateway", "Overload: status 502");
        check(503, &[("retry-after", "Fri, 20 Nov 2026 18:40:30 GMT")], "busy", "Overload wait 30s: busy");
        check(404, &[], "404 page not found", "Request: there is nothing at 'http://h/v1' (404), look at 'base_url'");
        check(404, &[], r#"{"error":{"message":"model 'x' not found"}}"#, "Model: model 'x' not found");
        check(
            301,
            &[("location", "https://other/")],
            "",
            "Request: 'http://h/v1' points elsewhere to 'https://other/' (301), look at 'base_url'",
        );
        check(422, &[], r#"{"detail":"tools are not supported"}"#, "Request: tools are not supported");
    }
}
