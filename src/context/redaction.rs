//! Leaves secrets out of a prompt and says where they were.
//! Does not know how a prompt is made; it reads the fences of foreign text.

use super::Prompt;
use crate::{
    model::object::Digest,
    secrets::{Finding, Scanner},
};

/// How the fence around foreign text begins.
const FENCE: &str = "<material-";

impl Prompt {
    /// The prompt without secrets: nobody who answers for a model's provider need keep them.
    #[must_use]
    pub fn without_secrets(mut self, scanner: &Scanner) -> Self {
        let found = scanner.scan_redacted(&self.text);
        if found.is_empty() {
            return self;
        }
        self.redacted = found.iter().map(|finding| place(&self.text, finding)).collect();
        self.redacted.dedup();
        self.text = scanner.redact(&self.text).into_owned();
        self.digest = Digest::of(&self.text);
        self
    }
}

/// Where a secret was, in words of whoever wrote it: `file a.env, line 3: an access key of AWS (aws-access-key)`.
fn place(text: &str, finding: &Finding) -> String {
    let before = &text[..text.floor_char_boundary(finding.range.start)];
    let fenced = before.rfind(FENCE).and_then(|fence| {
        let name = before[fence..].split_once(" name=\"")?.1.split_once("\">\n")?.0;
        let line = before[fence..].matches('\n').count();
        Some(format!("{name}, line {line}"))
    });
    let place = fenced.unwrap_or_else(|| format!("line {}", finding.line));
    format!("{place}: {} ({})", finding.what, finding.rule)
}
