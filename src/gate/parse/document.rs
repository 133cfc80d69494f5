//! Whole documents, JSON or XML: which format one is, by what stands in it.
//! Does not know where it comes from.

use std::io::{BufRead, Read};

use serde::Deserialize;

use super::{
    cobertura::Cobertura,
    eslint, jest,
    junit::Junit,
    llvm_cov, ruff, sarif,
    xml::{self, Element},
};
use crate::{config::settings::CheckFormat, gate::measured::Measured};

/// A JSON object of any of the known formats: what it has tells which.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    runs: Option<Vec<sarif::Run>>,
    data: Option<Vec<llvm_cov::Export>>,
    test_results: Option<Vec<jest::Suite>>,
    /// Jest has it, vitest does not.
    num_runtime_error_test_suites: Option<u64>,
}

/// A JSON list of any of the known formats.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Eslint(Vec<eslint::File>),
    Ruff(Vec<ruff::Item>),
}

/// Reads a JSON document; what follows it is left alone. None if it is of no known format.
///
/// # Errors
/// When it is no JSON, or breaks off, in words.
pub fn json(source: impl Read, first: u8) -> Result<Option<Measured>, String> {
    let mut reader = serde_json::Deserializer::from_reader(source);
    if first == b'[' {
        return Ok(match List::deserialize(&mut reader).map_err(|error| error.to_string())? {
            // An empty list is both; ruff writes one where all is well, eslint names each file.
            List::Eslint(files) if files.is_empty() => Some(ruff::of_json(Vec::new())),
            List::Eslint(files) => Some(eslint::of_json(files)),
            List::Ruff(items) => Some(ruff::of_json(items)),
        });
    }
    let object = Object::deserialize(&mut reader).map_err(|error| error.to_string())?;
    Ok(match object {
        Object { runs: Some(runs), .. } => Some(sarif::of(runs)),
        Object { data: Some(exports), .. } => Some(llvm_cov::of(exports)),
        Object { test_results: Some(suites), num_runtime_error_test_suites, .. } => {
            let format = if num_runtime_error_test_suites.is_some() { CheckFormat::Jest } else { CheckFormat::Vitest };
            Some(jest::of_json(format, suites))
        }
        Object { .. } => None,
    })
}

/// Reads an XML document; its first element tells the format. None if it is of no known one.
///
/// # Errors
/// When it is no XML, or breaks off, in words.
pub fn xml(source: impl BufRead) -> Result<Option<Measured>, String> {
    enum Kind {
        NotYet,
        Junit(Box<Junit>),
        Cobertura(Box<Cobertura>),
        Other,
    }
    let mut kind = Kind::NotYet;
    xml::read(source, &mut |element| {
        if let (Kind::NotYet, Element::Begin(name, _)) = (&kind, &element) {
            kind = match name.as_str() {
                "testsuites" | "testsuite" => Kind::Junit(Box::default()),
                "coverage" => Kind::Cobertura(Box::default()),
                _ => Kind::Other,
            };
        }
        match &mut kind {
            Kind::Junit(junit) => junit.element(element),
            Kind::Cobertura(cobertura) => cobertura.element(element),
            Kind::NotYet | Kind::Other => {}
        }
    })?;
    Ok(match kind {
        Kind::Junit(junit) => Some(junit.finish()),
        Kind::Cobertura(cobertura) => Some(cobertura.finish()),
        Kind::NotYet | Kind::Other => None,
    })
}
