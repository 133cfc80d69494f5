//! Parses a source file, within bounds.
//! Knows nothing of what is looked for in the tree.

use std::{
    cell::RefCell,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use tree_sitter::{ParseOptions, Parser, Tree};

use super::Language;

/// Bytes of a file that is parsed; what is longer was made by a program.
pub(super) const SOURCE_BYTES_MAX: usize = 1 << 20;
/// How long one file may take: grammars mend what is broken, and some broken files take long to mend.
const PARSE_LIMIT: Duration = Duration::from_secs(2);

thread_local! {
    static PARSER: RefCell<(Option<Language>, Parser)> = RefCell::new((None, Parser::new()));
}

/// The syntax tree of a file; none if it is too long or takes too long.
pub(super) fn tree(language: Language, bytes: &[u8]) -> Option<Tree> {
    if bytes.len() > SOURCE_BYTES_MAX {
        return None;
    }
    PARSER.with_borrow_mut(|(current, parser)| {
        if *current != Some(language) {
            parser.set_language(&language.grammar()).ok()?;
            *current = Some(language);
        }
        let begun = Instant::now();
        let mut is_late = |_: &tree_sitter::ParseState| match begun.elapsed() > PARSE_LIMIT {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let options = ParseOptions::new().progress_callback(&mut is_late);
        let mut read = |at: usize, _| bytes.get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut read, None, Some(options));
        if tree.is_none() {
            // What was begun would be gone on with.
            parser.reset();
        }
        tree
    })
}
