//! Words and numbers for people: counts, lists, durations, near words, and foreign text made safe to show.
//! Knows nothing of what the words are about.

mod clean;
mod columns;
mod near;
mod number;
mod shorten;

pub use self::{
    clean::{clean, clean_bytes, clean_line, is_unwanted},
    columns::{Align, Table},
    near::did_you_mean,
    number::{bytes, count, duration, list, tokens},
    shorten::{cut, head, tail, width},
};
