//! Cobertura's XML: which line of which file ran how often.
//! The source is <https://raw.githubusercontent.com/cobertura/web/master/htdocs/xml/coverage-04.dtd>. Branches are not read.

use super::xml::Element;
use crate::{
    config::settings::CheckFormat,
    gate::measured::{Hits, Measured},
};

/// The state while elements come.
#[derive(Default)]
pub struct Cobertura {
    hits: Hits,
    file: Option<String>,
}

impl Cobertura {
    /// Takes an element.
    pub fn element(&mut self, element: Element) {
        match element {
            Element::Begin(name, attributes) if name == "class" => {
                self.file = attributes.get("filename").cloned();
                if let Some(file) = &self.file {
                    self.hits.file(file);
                }
            }
            Element::Begin(name, attributes) if name == "line" => {
                let number = |name: &str| attributes.get(name).and_then(|number| number.parse::<u64>().ok());
                if let (Some(file), Some(line), Some(hits)) = (&self.file, number("number"), number("hits"))
                    && let Ok(line) = u32::try_from(line)
                {
                    self.hits.line(file, line, hits > 0);
                }
            }
            Element::End(name) if name == "class" => self.file = None,
            Element::Begin(..) | Element::End(_) | Element::Text(_) => {}
        }
    }

    /// What they said.
    pub fn finish(self) -> Measured {
        Measured::of_coverage(CheckFormat::Cobertura, self.hits.finish().unwrap_or_default())
    }
}
