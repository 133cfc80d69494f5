//! Elements of an XML report, one after another, without ever holding the whole.
//! Does not know what they mean; entities of documents' own making are not followed.

use std::{collections::BTreeMap, io::BufRead};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

/// Attributes of an element that are looked at.
const ATTRIBUTES_MAX: usize = 64;

/// What comes.
pub enum Element {
    /// It begins; with its attributes.
    Begin(String, BTreeMap<String, String>),
    /// It ends.
    End(String),
    /// Text in it.
    Text(String),
}

/// Tells each element in order.
///
/// # Errors
/// When it is no XML, in words.
pub fn read(source: impl BufRead, tell: &mut dyn FnMut(Element)) -> Result<(), String> {
    let mut reader = Reader::from_reader(source);
    let mut buffer = Vec::new();
    loop {
        let is_known = match reader.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(start) => {
                let (name, attributes) = begin(&start);
                tell(Element::Begin(name, attributes));
                true
            }
            Event::Empty(start) => {
                let (name, attributes) = begin(&start);
                tell(Element::Begin(name.clone(), attributes));
                tell(Element::End(name));
                true
            }
            Event::End(end) => {
                tell(Element::End(end.local_name().as_ref().to_owned()));
                true
            }
            Event::Text(text) => {
                tell(Element::Text(text.to_string()));
                true
            }
            Event::CData(text) => {
                tell(Element::Text(text.to_string()));
                true
            }
            Event::Eof => false,
            _ => true,
        };
        if !is_known {
            return Ok(());
        }
        buffer.clear();
    }
}

fn begin(start: &BytesStart<'_>) -> (String, BTreeMap<String, String>) {
    let attributes = start.attributes().take(ATTRIBUTES_MAX).filter_map(Result::ok);
    let attributes = attributes.map(|attribute| {
        let value = quick_xml::escape::unescape(&attribute.value);
        let value = value.map_or_else(|_| attribute.value.to_string(), |value| value.into_owned());
        (attribute.key.local_name().as_ref().to_owned(), value)
    });
    (start.local_name().as_ref().to_owned(), attributes.collect())
}
