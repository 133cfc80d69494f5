//! A server of models on this machine that answers as it is told, in the bytes of three providers, with all their faults.
//! Knows nothing of what is tested with it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use git_orchestrate::config::settings::{AdapterKind, AgentSettings};
use serde_json::{Value, json};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whether a proxy was asked to connect to what stands as path.
    is_tunnel: bool,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// What is answered.
pub enum Act {
    /// A status, headers and a whole body.
    Whole(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// A stream that ends well.
    Stream(String),
    /// A stream that breaks off after these bytes.
    Cut(String),
    /// The connection is reset before anything is said.
    Reset,
    /// A stream that stalls after these bytes until the other side leaves.
    Stall(String),
}

type Handler = dyn Fn(usize, &Asked) -> Act + Send + Sync;

/// The server. It listens until it is dropped.
pub struct Server {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    arrivals: Mutex<mpsc::Receiver<()>>,
    thread: Option<JoinHandle<()>>,
    is_over: Arc<std::sync::atomic::AtomicBool>,
}

impl Server {
    /// Answers the turns, counted from 0, by `handler`. Lists of models are answered without it.
    pub fn new(handler: impl Fn(usize, &Asked) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (asked, is_over) = (Arc::new(Mutex::new(Vec::new())), Arc::default());
        let (arrived, arrivals) = mpsc::channel();
        let handler: Arc<Handler> = Arc::new(handler);
        let (log, over) = (Arc::clone(&asked), Arc::clone(&is_over));
        let thread = std::thread::spawn(move || {
            let over: Arc<std::sync::atomic::AtomicBool> = over;
            for stream in listener.incoming() {
                if over.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (log, handler, arrived) = (Arc::clone(&log), Arc::clone(&handler), arrived.clone());
                std::thread::spawn(move || serve(&stream, &log, handler.as_ref(), &arrived));
            }
        });
        Self { port, asked, arrivals: Mutex::new(arrivals), thread: Some(thread), is_over }
    }

    /// Answers with these, one after the other.
    pub fn with(acts: Vec<Act>) -> Self {
        let acts = Mutex::new(acts.into_iter().map(Some).collect::<Vec<_>>());
        Self::new(move |number, _| {
            let mut acts = acts.lock().expect("not poisoned");
            acts.get_mut(number).and_then(Option::take).unwrap_or_else(|| error(418, "the script is over"))
        })
    }

    /// The turns that were asked for.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Waits until a turn was asked for.
    pub fn await_one(&self) {
        let arrivals = self.arrivals.lock().expect("not poisoned");
        arrivals.recv_timeout(Duration::from_secs(30)).expect("it is asked");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        // Wakes the one that listens.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Asked>>, handler: &Handler, arrived: &mpsc::Sender<()>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let act = if asked.is_tunnel {
            // It is a proxy, and at once the one at the other end.
            match (&*stream).write_all(b"HTTP/1.1 200 Connected\r\n\r\n") {
                Ok(()) => continue,
                Err(_) => return,
            }
        } else if asked.path.ends_with("/models") {
            Act::Whole(200, Vec::new(), MODELS.as_bytes().to_vec())
        } else {
            let number = {
                let mut log = log.lock().expect("not poisoned");
                log.push(asked.clone());
                log.len() - 1
            };
            let _ = arrived.send(());
            handler(number, &asked)
        };
        if answer(stream, act).is_none() {
            return;
        }
    }
}

/// Models of three families, as a gateway lists them.
const MODELS: &str = r#"{"data": [{"id": "claude-fake"}, {"id": "gpt-fake"}, {"id": "gemini-fake"}, {"id": "house"}]}"#;

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let is_tunnel = line.starts_with("CONNECT ");
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { is_tunnel, path, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// None: the connection is over.
fn answer(mut stream: &TcpStream, act: Act) -> Option<()> {
    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    match act {
        Act::Whole(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Told\r\ncontent-length: {}\r\n", body.len());
            headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
            stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
            stream.write_all(&body).ok()
        }
        Act::Stream(text) => {
            // In two pieces that end anywhere, as a network cuts them.
            let mut middle = text.len() / 2;
            while !text.is_char_boundary(middle) {
                middle += 1;
            }
            let (one, two) = text.split_at(middle);
            let pieces = [one, two].into_iter().filter(|piece| !piece.is_empty()).map(chunk).collect::<String>();
            stream.write_all(format!("{STREAM}{pieces}0\r\n\r\n").as_bytes()).ok()
        }
        Act::Cut(text) => {
            stream.write_all(format!("{STREAM}{}", chunk(&text)).as_bytes()).ok()?;
            let _ = stream.shutdown(std::net::Shutdown::Both);
            None
        }
        Act::Reset => {
            let _ = stream.shutdown(std::net::Shutdown::Both);
            None
        }
        Act::Stall(text) => {
            stream.write_all(format!("{STREAM}{}", chunk(&text)).as_bytes()).ok()?;
            stream.flush().ok()?;
            // Whoever hangs up ends it.
            let _ = stream.read(&mut [0; 1]);
            None
        }
    }
}

/// An error in a form that all three use.
pub fn error(status: u16, message: &str) -> Act {
    error_with(status, message, &[])
}

/// The same with headers.
pub fn error_with(status: u16, message: &str, headers: &[(&'static str, &str)]) -> Act {
    let body = json!({"error": {"message": message}}).to_string().into_bytes();
    Act::Whole(status, headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), body)
}

/// The form of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    Anthropic,
    OpenAi,
    Google,
}

pub const WIRES: [Wire; 3] = [Wire::Anthropic, Wire::OpenAi, Wire::Google];

fn events(events: &[Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

impl Wire {
    /// An agent that speaks to that port.
    pub fn settings(self, port: u16) -> AgentSettings {
        let (adapter, model) = match self {
            Self::Anthropic => (AdapterKind::Anthropic, "claude-fake"),
            Self::OpenAi => (AdapterKind::OpenAi, "gpt-fake"),
            Self::Google => (AdapterKind::Google, "gemini-fake"),
        };
        let mut settings = AgentSettings::of(adapter);
        settings.model = Some(model.to_owned());
        settings.base_url = Some(format!("http://127.0.0.1:{port}"));
        settings.key_env = Some("NO_SUCH_KEY_IN_TESTS".to_owned());
        settings
    }

    /// An answer of words: 100 tokens read, 10 of them from the cache, and 5 written.
    pub fn says(self, text: &str) -> Act {
        Act::Stream(self.answer(text, &[], self.ended_well()))
    }

    /// An answer of calls: names and arguments.
    pub fn calls(self, calls: &[(&str, Value)]) -> Act {
        let calls: Vec<_> = calls.iter().map(|(name, arguments)| (*name, arguments.to_string())).collect();
        Act::Stream(self.answer("I look.", &calls, self.ended_well()))
    }

    /// A call whose arguments are no JSON; Google sends them parsed, so there they are empty.
    pub fn calls_badly(self, name: &str) -> Act {
        let text = if self == Self::Google { "{}" } else { r#"{"path": "unterm"# };
        Act::Stream(self.answer("", &[(name, text.to_owned())], self.ended_well()))
    }

    /// An answer that stopped as it is as long as it may be.
    pub fn is_too_long(self) -> Act {
        let why = match self {
            Self::Anthropic => "max_tokens",
            Self::OpenAi => "length",
            Self::Google => "MAX_TOKENS",
        };
        Act::Stream(self.answer("and so", &[], why))
    }

    /// An answer that was declined.
    pub fn declines(self) -> Act {
        let why = match self {
            Self::Anthropic => "refusal",
            Self::OpenAi => "content_filter",
            Self::Google => "SAFETY",
        };
        Act::Stream(self.answer("", &[], why))
    }

    /// An error amid a stream.
    pub fn breaks(self) -> Act {
        let error = match self {
            Self::Anthropic => json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            Self::OpenAi => json!({"error": {"type": "server_error", "message": "Overloaded"}}),
            Self::Google => json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "Overloaded"}}),
        };
        Act::Stream(format!("{}{}", self.beginning(), events(&[error])))
    }

    /// The beginning of an answer.
    pub fn beginning(self) -> String {
        match self {
            Self::Anthropic => events(&[
                json!({"type": "message_start", "message": {"model": "claude-fake", "usage": {"input_tokens": 90}}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Half"}}),
            ]),
            Self::OpenAi => events(&[json!({"choices": [{"index": 0, "delta": {"content": "Half"}}]})]),
            Self::Google => events(&[json!({"candidates": [{"content": {"parts": [{"text": "Half"}]}}]})]),
        }
    }

    fn ended_well(self) -> &'static str {
        match self {
            Self::Anthropic => "end_turn",
            Self::OpenAi => "stop",
            Self::Google => "STOP",
        }
    }

    fn answer(self, text: &str, calls: &[(&str, String)], stop: &str) -> String {
        match self {
            Self::Anthropic => anthropic(text, calls, stop),
            Self::OpenAi => openai(text, calls, stop),
            Self::Google => google(text, calls, stop),
        }
    }
}

fn anthropic(text: &str, calls: &[(&str, String)], stop: &str) -> String {
    let usage = json!({"input_tokens": 90, "cache_read_input_tokens": 10, "output_tokens": 1});
    let mut told = vec![
        json!({"type": "message_start", "message": {"model": "claude-fake-1", "usage": usage}}),
        json!({"type": "ping"}),
    ];
    let mut index = 0;
    if !text.is_empty() {
        told.push(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}));
        for letter in text.chars() {
            let delta = json!({"type": "text_delta", "text": letter.to_string()});
            told.push(json!({"type": "content_block_delta", "index": 0, "delta": delta}));
        }
        told.push(json!({"type": "content_block_stop", "index": 0}));
        index = 1;
    }
    for (name, arguments) in calls {
        let block = json!({"type": "tool_use", "id": format!("toolu_{index}"), "name": name, "input": {}});
        told.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        for letter in arguments.chars() {
            let delta = json!({"type": "input_json_delta", "partial_json": letter.to_string()});
            told.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        told.push(json!({"type": "content_block_stop", "index": index}));
        index += 1;
    }
    let stop = if calls.is_empty() { stop } else { "tool_use" };
    told.push(json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}}));
    told.push(json!({"type": "message_stop"}));
    told.iter().map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().expect("a type"))).collect()
}

fn openai(text: &str, calls: &[(&str, String)], stop: &str) -> String {
    let choice = |delta: Value, stop: Value| json!({"model": "gpt-fake-1", "choices": [{"index": 0, "delta": delta, "finish_reason": stop}]});
    let mut told = vec![choice(json!({"role": "assistant", "content": ""}), Value::Null)];
    told.extend(text.chars().map(|letter| choice(json!({"content": letter.to_string()}), Value::Null)));
    for (index, (name, arguments)) in calls.iter().enumerate() {
        let function = json!({"name": name, "arguments": ""});
        let call = json!({"index": index, "id": format!("call_{index}"), "type": "function", "function": function});
        told.push(choice(json!({"tool_calls": [call]}), Value::Null));
        for letter in arguments.chars() {
            let call = json!({"index": index, "function": {"arguments": letter.to_string()}});
            told.push(choice(json!({"tool_calls": [call]}), Value::Null));
        }
    }
    let stop = if calls.is_empty() { stop } else { "tool_calls" };
    told.push(choice(json!({}), json!(stop)));
    let details = json!({"cached_tokens": 10});
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": details});
    told.push(json!({"choices": [], "usage": usage}));
    format!(": a comment\n\n{}data: [DONE]\n\n", events(&told))
}

fn google(text: &str, calls: &[(&str, String)], stop: &str) -> String {
    let parts = |parts: Vec<Value>, more: Value| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
        for (key, value) in more.as_object().into_iter().flatten() {
            candidate[key.as_str()] = value.clone();
        }
        json!({"candidates": [candidate], "modelVersion": "gemini-fake-1"})
    };
    let words = |letter: char| parts(vec![json!({"text": letter.to_string()})], json!({}));
    let mut told: Vec<Value> = text.chars().map(words).collect();
    let call = |(name, arguments): &(&str, String)| {
        let arguments: Value = serde_json::from_str(arguments).expect("it is JSON");
        json!({"functionCall": {"name": name, "args": arguments}, "thoughtSignature": "c2lnbmVk"})
    };
    let mut last = parts(calls.iter().map(call).collect(), json!({"finishReason": stop}));
    last["usageMetadata"] = json!({"promptTokenCount": 100, "cachedContentTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 2});
    told.push(last);
    events(&told)
}
