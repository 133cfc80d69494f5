//! lcov's tracefiles: which line of which file ran how often.
//! The source is geninfo(1). Does not know of functions and branches.

use super::line::LineParser;
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Hits, Measured},
};

/// The state while lines come.
#[derive(Default)]
pub struct Lcov {
    hits: Hits,
    file: Option<String>,
    is_seen: bool,
}

impl LineParser for Lcov {
    fn line(&mut self, line: &str) {
        if let Some(file) = line.strip_prefix("SF:") {
            self.hits.file(file);
            self.file = Some(file.to_owned());
        } else if line == "end_of_record" {
            self.is_seen |= self.file.take().is_some();
        } else if let Some(file) = &self.file
            && let Some((number, count)) = line.strip_prefix("DA:").and_then(|rest| rest.split_once(','))
            && let Ok(number) = number.parse()
        {
            let count = count.split(',').next().unwrap_or_default();
            self.hits.line(file, number, count.parse::<f64>().is_ok_and(|count| count > 0.0));
        }
    }

    fn finish(self: Box<Self>) -> Option<Measured> {
        let coverage = self.hits.finish().filter(|_| self.is_seen)?;
        Some(Measured::of_coverage(CheckFormat::Lcov, coverage))
    }
}
