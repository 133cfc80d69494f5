//! Parsers of what tools print and write, a format a file: streams in, bounded numbers and names out. None runs anything.

mod cargo_test;
mod clippy;
mod cobertura;
mod document;
mod eslint;
mod go_test;
mod jest;
mod junit;
mod lcov;
mod line;
mod llvm_cov;
mod mypy;
mod nextest;
mod pytest;
mod reader;
mod report;
mod ruff;
mod sarif;
mod semver_checks;
mod tap;
mod vitest;
mod xml;

pub use self::{
    reader::{DOCUMENT_BYTES_MAX, Reader},
    report::{REPORT_BYTES_MAX, REPORT_FILES_MAX, Reports},
};
