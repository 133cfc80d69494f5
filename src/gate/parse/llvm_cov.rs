//! `llvm-cov export`, as cargo-llvm-cov `--json` writes it: from segments of code to lines.
//! How a line counts follows `LineCoverageStats` of LLVM. Does not know which program ran.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::{
    config::settings::CheckFormat,
    gate::measured::{Hits, Measured},
};

/// One export.
#[derive(Deserialize)]
pub struct Export {
    #[serde(default)]
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    #[serde(default)]
    segments: Vec<Segment>,
}

/// `[line, column, count, has_count, is_region_entry, is_gap_region]`; the last came later.
#[derive(Clone, Copy)]
struct Segment {
    line: u32,
    count: u64,
    has_count: bool,
    is_entry: bool,
    is_gap: bool,
}

impl<'de> Deserialize<'de> for Segment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Segment;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a segment")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Segment, A::Error> {
                let missing = || serde::de::Error::custom("a segment of fewer than five items");
                let line = items.next_element()?.ok_or_else(missing)?;
                let _column: IgnoredAny = items.next_element()?.ok_or_else(missing)?;
                let count = items.next_element()?.ok_or_else(missing)?;
                let has_count = items.next_element()?.ok_or_else(missing)?;
                let is_entry = items.next_element()?.ok_or_else(missing)?;
                let is_gap = items.next_element()?.unwrap_or_default();
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Segment { line, count, has_count, is_entry, is_gap })
            }
        }
        deserializer.deserialize_seq(Visitor)
    }
}

impl Segment {
    fn starts(&self) -> bool {
        !self.is_gap && self.has_count && self.is_entry
    }
}

/// What the exports say.
pub fn of(exports: Vec<Export>) -> Measured {
    let mut hits = Hits::default();
    for file in exports.into_iter().flat_map(|export| export.files) {
        hits.file(&file.filename);
        let mut wrapped: Option<Segment> = None;
        let mut rest = file.segments.as_slice();
        while let Some(first) = rest.first() {
            // The lines between two segments are those of the one before.
            let own = rest.iter().take_while(|segment| segment.line == first.line).count();
            let (here, after) = rest.split_at(own);
            line(&mut hits, &file.filename, first.line, here, wrapped);
            wrapped = here.last().copied();
            if let (Some(next), Some(last)) = (after.first(), wrapped) {
                for between in first.line + 1..next.line.min(first.line.saturating_add(LINES_BETWEEN_MAX)) {
                    line(&mut hits, &file.filename, between, &[], Some(last));
                }
            }
            rest = after;
        }
    }
    Measured::of_coverage(CheckFormat::LlvmCov, hits.finish().unwrap_or_default())
}

/// Lines that one segment spans.
const LINES_BETWEEN_MAX: u32 = 100_000;

fn line(hits: &mut Hits, file: &str, number: u32, here: &[Segment], wrapped: Option<Segment>) {
    let starts_skipped = here.first().is_some_and(|segment| !segment.has_count && segment.is_entry);
    let entries = here.iter().filter(|segment| segment.starts());
    let most = entries.map(|segment| segment.count).max();
    let is_inside = wrapped.is_some_and(|segment| segment.has_count);
    if !starts_skipped && (is_inside || most.is_some()) {
        let around = wrapped.filter(|_| is_inside).map_or(0, |segment| segment.count);
        hits.line(file, number, around.max(most.unwrap_or_default()) > 0);
    }
}
