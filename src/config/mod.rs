//! The configuration: TOML in, typed settings out. Touches no files; whoever reads them hands the text in.

pub mod settings;
