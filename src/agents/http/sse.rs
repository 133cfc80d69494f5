//! Lines of a stream put together to events: server-sent events, and an answer that came in one piece all the same.
//! Knows nothing of what an event means.

use serde_json::Value;

/// Bytes of one event.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// What a line completed.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An event, or the whole answer.
    Object(Value),
    /// The mark of the end that some providers send, `[DONE]`.
    Done,
    /// Something that should have been JSON: its beginning.
    Malformed(String),
}

/// The lines so far.
#[derive(Debug, Default)]
pub struct Events {
    pending: String,
    /// Whether a line was seen that is of no stream of events: then all lines are one JSON text.
    is_whole: bool,
}

impl Events {
    /// Takes a line; by the specification an empty one ends an event, and a `data:` line is a part of its text.
    /// Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>
    pub fn line(&mut self, line: &[u8]) -> Option<Event> {
        let line = String::from_utf8_lossy(line);
        if self.is_whole {
            self.add(&line);
            return None;
        }
        if line.is_empty() {
            return self.take();
        }
        if let Some(text) = line.strip_prefix("data:") {
            let text = text.strip_prefix(' ').unwrap_or(text);
            // Some servers leave out the empty line between two events.
            let before = if self.pending.is_empty() { None } else { self.parsed() };
            if before.is_some() {
                self.pending.clear();
            }
            self.add(text);
            return before.map(Event::Object);
        }
        if self.pending.is_empty() && line.trim_start().starts_with(['{', '[', '<']) {
            self.is_whole = true;
            self.add(&line);
        }
        None
    }

    /// What is left when the stream is over.
    pub fn end(&mut self) -> Option<Event> {
        self.take()
    }

    fn add(&mut self, text: &str) {
        if !self.pending.is_empty() {
            self.pending.push('\n');
        }
        if self.pending.len() + text.len() <= EVENT_BYTES_MAX {
            self.pending.push_str(text);
        }
    }

    fn parsed(&self) -> Option<Value> {
        serde_json::from_str(&self.pending).ok()
    }

    fn take(&mut self) -> Option<Event> {
        let text = std::mem::take(&mut self.pending);
        match text.trim() {
            "" => None,
            "[DONE]" => Some(Event::Done),
            text => Some(match serde_json::from_str(text) {
                Ok(object) => Event::Object(object),
                Err(_) => Event::Malformed(crate::text::cut(&crate::text::clean_line(text), 80)),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stream: &str, wanted: &[&str]) {
        let mut events = Events::default();
        let mut found: Vec<Event> = stream.lines().filter_map(|line| events.line(line.as_bytes())).collect();
        found.extend(events.end());
        let told: Vec<String> = found
            .into_iter()
            .map(|event| match event {
                Event::Object(value) => value.to_string(),
                Event::Done => "done".to_owned(),
                Event::Malformed(text) => format!("bad {text}"),
            })
            .collect();
        assert_eq!(told, wanted, "{stream}");
    }

    #[test]
    fn lines_become_events() {
        check("event: a\ndata: {\"x\":1}\n\n: comment\n\ndata:{\"y\":\ndata: 2}\n\n", &["{\"x\":1}", "{\"y\":2}"]);
        check("data: {}\n\ndata: [DONE]\n\n", &["{}", "done"]);
        check("data: {\"x\":1}\ndata: {\"x\":2}\n", &["{\"x\":1}", "{\"x\":2}"]);
        check("data: {\"x\": \"brok\n\ndata: {}\n\n", &["bad {\"x\": \"brok", "{}"]);
        check("retry: 3\nid: 4\n\n", &[]);
        check("", &[]);
    }

    #[test]
    fn an_answer_in_one_piece_is_one_event() {
        check("{\n \"a\": 1,\n\n \"b\": 2\n}", &["{\"a\":1,\"b\":2}"]);
        check("[{\"a\":1}\n,{\"a\":2}]", &["[{\"a\":1},{\"a\":2}]"]);
        check("<html>\n<body>no</body>", &["bad <html> <body>no</body>"]);
    }
}
