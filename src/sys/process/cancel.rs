//! The word to stop, said once and heard by every child that waits for it.
//! Does not know who says it or why.

use std::{
    io::{PipeReader, PipeWriter, Write},
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// A word to stop. Clones are the same word.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    word: Arc<Word>,
}

#[derive(Debug, Default)]
struct Word {
    is_said: AtomicBool,
    /// Wakes those who wait in `poll`: once something is written it stays readable. Made when somebody first waits.
    bell: OnceLock<Option<(PipeReader, PipeWriter)>>,
}

impl Cancel {
    /// A word not yet said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says it. Children of this word are ended at once; once said it stays said.
    pub fn cancel(&self) {
        if self.word.is_said.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(Some((_, writer))) = self.word.bell.get() {
            // The pipe is empty and its reader lives beside it, so one byte always goes in.
            let _ = (&*writer).write_all(b"!");
        }
    }

    /// Whether it was said.
    pub fn is_cancelled(&self) -> bool {
        self.word.is_said.load(Ordering::SeqCst)
    }

    /// What becomes readable when it is said. `None` if the system has no pipe left: then one has to ask now and then.
    /// Ask [`Cancel::is_cancelled`] once more after the first call of this.
    pub(super) fn bell(&self) -> Option<BorrowedFd<'_>> {
        self.word.bell.get_or_init(|| std::io::pipe().ok()).as_ref().map(|(reader, _)| reader.as_fd())
    }
}
