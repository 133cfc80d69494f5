//! Talking with a child while it runs: what it says is heard line by line, and answered.
//! Knows nothing of pipes or of what is said.

use super::{capture::Source, supervisor::How};

/// Bytes that wait to be read by a child; one that does not read them is told nothing more.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// Who talks with a child.
pub trait Conversation {
    /// A line of its output, without its end.
    fn line(&mut self, source: Source, line: &[u8], say: &mut Say);

    /// It shall end, and for this reason. It is asked to (TERM) a little later, so it may still be told.
    fn farewell(&mut self, why: How, say: &mut Say);
}

/// What a child is to be told next.
#[derive(Debug, Default)]
pub struct Say {
    waiting: Vec<u8>,
    is_over: bool,
}

impl Say {
    /// Tells it something, behind what was told before. After [`Say::close`] nothing is told any more.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.is_over {
            return;
        }
        if self.waiting.len() + bytes.len() > WAITING_BYTES_MAX {
            self.is_over = true;
        } else {
            self.waiting.extend_from_slice(bytes);
        }
    }

    /// That was all: its input ends behind what was told. If it does not end then, it is asked to.
    pub fn close(&mut self) {
        self.is_over = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.waiting)
    }
}
