//! The envelope of every JSON form: one object, the version first.
//! Knows nothing of the views it wraps.

use std::io::{self, Write};

use serde::Serialize;

/// The version of every JSON form that this room writes. Fields may be added under the same version; none is renamed,
/// removed or given another meaning.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: u32,
    #[serde(flatten)]
    view: &'a T,
}

/// Writes a view as one JSON object with `"schema"` in it, and a newline.
///
/// # Errors
/// When `out` does not take it.
pub fn write(view: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Envelope { schema: SCHEMA, view })?;
    out.write_all(b"\n")
}
