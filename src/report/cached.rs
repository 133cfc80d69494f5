//! How often what prompts are made of was known already.
//! Knows nothing of what that is.

use serde::Serialize;

/// How often something was asked for, and how often it was there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CachedView {
    /// How often something was asked for.
    pub asked: usize,
    /// How often it was there.
    pub found: usize,
}

impl CachedView {
    /// One line: `context: 4 of 5 parts were known (80 %)`; none where nothing was known.
    pub fn line(&self) -> Option<String> {
        let Self { asked, found } = *self;
        let percent = (found * 100).checked_div(asked).filter(|_| found > 0)?;
        Some(format!("context: {found} of {asked} parts were known ({percent} %)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_in_whole_parts_of_a_hundred() {
        let line = |asked, found| CachedView { asked, found }.line();
        assert_eq!((line(0, 0), line(5, 0)), (None, None));
        assert_eq!(line(5, 4).as_deref(), Some("context: 4 of 5 parts were known (80 %)"));
    }
}
