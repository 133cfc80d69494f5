//! One HTTP request whose answer is read line by line, with limits in time and size and a word to stop that is heard at
//! once. The only place that talks to a network. Knows nothing of models or of what the lines say.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead, BufReader},
    net::IpAddr,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use ureq::{
    Proxy,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use super::{file::read_limited, process::Cancel};
use crate::text;

/// How long a name may take to be looked up.
const RESOLVE_MAX: Duration = Duration::from_secs(10);
/// How long a connection may take, the proxy and TLS included.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How often is looked whether to stop while nothing comes.
const TICK: Duration = Duration::from_millis(100);
/// Lines that are read ahead of who takes them.
const LINES_AHEAD_MAX: usize = 64;
/// How long the end of an answer is waited for whose last word was heard; then its connection cannot be used again.
const END_WAIT: Duration = Duration::from_millis(500);
/// How much longer than its limits the reading thread may live, if it cannot be woken.
const LEEWAY: Duration = Duration::from_secs(5);
/// Bytes of the answer to a request that was refused.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// Headers of an answer that are handed up, and bytes of each.
const HEADERS_MAX: usize = 100;
const HEADER_BYTES_MAX: usize = 1 << 10;
/// Bytes of a file of certificates.
const CA_FILE_BYTES_MAX: usize = 4 << 20;

/// What must not be seen: a key. It has no `Display`, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps it; white space around it is not part of it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text itself, for the header it belongs in.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A text without it: what others say may quote it.
    pub fn scrub(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[key]") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is asked.
pub struct Call {
    /// Where: `http` or `https`.
    pub url: String,
    /// Headers, in order. They may hold keys, so a call cannot be shown.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent by `POST`; none: `GET`.
    pub body: Option<Vec<u8>>,
    /// How long it may take in all.
    pub wall: Duration,
    /// How long the other side may be silent.
    pub idle: Duration,
    /// Bytes of the whole answer.
    pub body_bytes_max: usize,
    /// Bytes of one line of it.
    pub line_bytes_max: usize,
}

/// What was answered, besides the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers by their names in lower case; the last of equal names counts.
    pub headers: BTreeMap<String, String>,
    /// The beginning of the answer, if the status is not one of success; its lines are then not told.
    pub refusal: Vec<u8>,
}

impl Reply {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What whoever hears the lines wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// To hear more.
    More,
    /// No more, for all was said; the answer ends at once, or is not waited for.
    Over,
    /// No more, whatever follows.
    Stop,
}

/// Why there is no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The run stops.
    #[error("stopped")]
    Cancelled,
    /// It took too long in all.
    #[error("no whole answer within {}", text::duration(*.0))]
    Wall(Duration),
    /// The other side was silent for too long.
    #[error("no word for {}", text::duration(*.0))]
    Idle(Duration),
    /// There is no connection.
    #[error("cannot connect to '{host}': {why}")]
    Unreachable {
        /// Whom.
        host: String,
        /// Why.
        why: String,
    },
    /// The other side is not who it says it is, as far as the known certificates tell.
    #[error("cannot trust '{host}': {why}")]
    Untrusted {
        /// Whom.
        host: String,
        /// Why.
        why: String,
    },
    /// The connection was lost, or what came over it is no HTTP.
    #[error("the connection to '{host}' broke: {why}")]
    Broken {
        /// Whom.
        host: String,
        /// Why.
        why: String,
    },
    /// The answer is longer than allowed.
    #[error("the answer of '{host}' has more than {}", text::bytes(*bytes_max as u64))]
    TooLong {
        /// Whose.
        host: String,
        /// What was allowed.
        bytes_max: usize,
    },
    /// The address is none.
    #[error("'{url}' is no address of a server")]
    BadUrl {
        /// As it was given.
        url: String,
    },
    /// The proxy named in the environment is none. Its value is not shown: it may hold a password.
    #[error("the variable '{variable}' names no proxy")]
    BadProxy {
        /// The variable.
        variable: &'static str,
    },
    /// The file of certificates cannot be used.
    #[error("cannot use the certificates in '{}': {why}", path.display())]
    BadCertificates {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl HttpError {
    /// What to type.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Untrusted { .. } => {
                Some("install the certificates of your system, or name those of your network: ca_file = \"…\"".into())
            }
            Self::BadProxy { variable } => Some(format!("export {variable}=http://<host>:<port>")),
            Self::BadUrl { .. } => Some("write it as \"https://<host>/<path>\"".to_owned()),
            Self::Cancelled
            | Self::Wall(_)
            | Self::Idle(_)
            | Self::Unreachable { .. }
            | Self::Broken { .. }
            | Self::TooLong { .. }
            | Self::BadCertificates { .. } => None,
        }
    }
}

/// Where something is: `https`, `api.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whether it is `https`.
    pub is_encrypted: bool,
    /// The host, without the port.
    pub host: String,
    /// The host and the port as written.
    pub authority: String,
}

impl Origin {
    /// Of an address; none where it is not `http://…` or `https://…`, or has white space, a user or a password in it.
    pub fn of(url: &str) -> Option<Self> {
        let (is_encrypted, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return None,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_plain = !url.chars().any(|c| c.is_whitespace() || c.is_control()) && !authority.contains('@');
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        (is_plain && !host.is_empty()).then(|| Self {
            is_encrypted,
            host: host.to_ascii_lowercase(),
            authority: authority.to_ascii_lowercase(),
        })
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// Asks one server. Connections are kept from one call to the next.
pub struct Client {
    origin: Origin,
    config: ureq::config::Config,
    agent: Mutex<ureq::Agent>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// What the reading thread tells.
enum Part {
    Head(Reply),
    Line(Vec<u8>),
    End,
    Failed(Broke),
}

/// What went wrong there.
enum Broke {
    Ureq(ureq::Error),
    Read(io::Error),
    TooLong(usize),
}

impl Client {
    /// For the server of this address. Proxies come from the environment as for `curl` (`HTTPS_PROXY`, `HTTP_PROXY`,
    /// `ALL_PROXY`, `NO_PROXY`), never for this machine itself. Who is trusted is up to the system and `SSL_CERT_FILE`,
    /// unless `ca_file` names certificates.
    ///
    /// # Errors
    /// The address, the proxy or the file of certificates is none.
    pub fn new(url: &str, ca_file: Option<&Path>) -> Result<Self, HttpError> {
        let origin = Origin::of(url).ok_or_else(|| HttpError::BadUrl { url: url.to_owned() })?;
        let roots = match ca_file {
            None => RootCerts::PlatformVerifier,
            Some(path) => certificates(path)?,
        };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A key must not follow to where somebody points.
            .max_redirects(0)
            .proxy(proxy(&origin, |name| std::env::var(name).ok())?)
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("git-orchestrate/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(RESOLVE_MAX))
            .timeout_connect(Some(CONNECT_MAX))
            .build();
        let agent = Mutex::new(config.new_agent());
        Ok(Self { origin, config, agent })
    }

    /// Whom it asks.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Asks, and tells each line of a successful answer without its end, on this thread, as long as more is wanted.
    ///
    /// # Errors
    /// There is no whole answer. A status that is not one of success is an answer.
    pub fn call(
        &self,
        call: Call,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(&[u8]) -> Then,
    ) -> Result<Reply, HttpError> {
        let (wall, idle) = (call.wall, call.idle);
        let began = Instant::now();
        if cancel.is_cancelled() {
            return Err(HttpError::Cancelled);
        }
        let agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (tell, hear) = mpsc::sync_channel(LINES_AHEAD_MAX);
        let reader = std::thread::Builder::new().name("http".to_owned());
        let broken = |why: String| HttpError::Broken { host: self.origin.authority.clone(), why };
        let started = reader.spawn(move || read(&agent, call, &tell));
        started.map_err(|error| broken(error.to_string()))?;
        let (mut reply, mut heard) = (Reply::default(), began);
        let mut over: Option<Instant> = None;
        loop {
            let now = Instant::now();
            let stopped = if cancel.is_cancelled() {
                Some(HttpError::Cancelled)
            } else if now.duration_since(began) >= wall {
                Some(HttpError::Wall(wall))
            } else {
                (now.duration_since(heard) >= idle).then_some(HttpError::Idle(idle))
            };
            let is_over = over.is_some_and(|since| now.duration_since(since) >= END_WAIT);
            if is_over || stopped.is_some() {
                self.hang_up();
                return stopped.filter(|_| over.is_none()).map_or(Ok(reply), Err);
            }
            match hear.recv_timeout(TICK) {
                Ok(Part::Head(head)) => reply = head,
                Ok(Part::Line(_)) if over.is_some() => {}
                Ok(Part::Line(line)) => match on_line(&line) {
                    Then::More => {}
                    Then::Over => over = Some(Instant::now()),
                    Then::Stop => {
                        self.hang_up();
                        return Ok(reply);
                    }
                },
                Ok(Part::End) => return Ok(reply),
                Ok(Part::Failed(_)) if over.is_some() => return Ok(reply),
                Ok(Part::Failed(broke)) => return Err(self.error(broke)),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Err(broken("nobody reads any more".to_owned())),
            }
            // What somebody does with a line is not the other side's silence.
            heard = Instant::now();
        }
    }

    /// Ends the call that goes on, wherever it stands: its socket is shut, so its thread wakes. One that still looks up
    /// a name or connects ends within the limits of that.
    fn hang_up(&self) {
        let mut agent = self.agent.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *agent, self.config.new_agent()).shutdown();
    }

    fn error(&self, broke: Broke) -> HttpError {
        let host = self.origin.authority.clone();
        match broke {
            Broke::TooLong(bytes_max) => HttpError::TooLong { host, bytes_max },
            Broke::Read(error) => HttpError::Broken { host, why: plain(&error) },
            Broke::Ureq(error) => match error {
                ureq::Error::HostNotFound => HttpError::Unreachable { host, why: "there is no such host".to_owned() },
                ureq::Error::Timeout(ureq::Timeout::Resolve) => {
                    HttpError::Unreachable { host, why: "its name was not found in time".to_owned() }
                }
                ureq::Error::Timeout(ureq::Timeout::Connect) => {
                    HttpError::Unreachable { host, why: "it does not answer".to_owned() }
                }
                ureq::Error::ConnectProxyFailed(why) => {
                    HttpError::Unreachable { host, why: format!("the proxy refuses: {why}") }
                }
                ureq::Error::ConnectionFailed => HttpError::Unreachable { host, why: "it does not answer".to_owned() },
                ureq::Error::BadUri(url) => HttpError::BadUrl { url },
                ureq::Error::Tls(why) => HttpError::Untrusted { host, why: why.to_owned() },
                ureq::Error::Rustls(why) => HttpError::Untrusted { host, why: why.to_string() },
                ureq::Error::Io(error) => match error.kind() {
                    io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
                    | io::ErrorKind::TimedOut => HttpError::Unreachable { host, why: plain(&error) },
                    // So comes what rustls says of a certificate.
                    io::ErrorKind::InvalidData => HttpError::Untrusted { host, why: error.to_string() },
                    _ if error.to_string().contains("failed to lookup address") => {
                        HttpError::Unreachable { host, why: "there is no such host".to_owned() }
                    }
                    _ => HttpError::Broken { host, why: plain(&error) },
                },
                other => HttpError::Broken { host, why: other.to_string() },
            },
        }
    }
}

/// The words of an error without its number.
fn plain(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Sends and reads, on a thread of its own. Whoever has hung up is told nothing more.
fn read(agent: &ureq::Agent, call: Call, tell: &SyncSender<Part>) {
    let last = match exchange(agent, call, tell) {
        Ok(ControlFlow::Continue(())) => Part::End,
        Ok(ControlFlow::Break(())) => return,
        Err(broke) => Part::Failed(broke),
    };
    // Nobody hears it where the caller has gone.
    let _ = tell.send(last);
}

fn exchange(agent: &ureq::Agent, call: Call, tell: &SyncSender<Part>) -> Result<ControlFlow<()>, Broke> {
    let longest = call.wall.saturating_add(LEEWAY);
    let answer = match call.body {
        Some(body) => {
            let mut request = agent.post(&call.url);
            for (name, value) in &call.headers {
                request = request.header(*name, value);
            }
            request.config().timeout_global(Some(longest)).build().send(body)
        }
        None => {
            let mut request = agent.get(&call.url);
            for (name, value) in &call.headers {
                request = request.header(*name, value);
            }
            request.config().timeout_global(Some(longest)).build().call()
        }
    };
    let answer = answer.map_err(Broke::Ureq)?;
    let headers = answer.headers().iter().take(HEADERS_MAX).filter_map(|(name, value)| {
        let value = value.to_str().ok().filter(|value| value.len() <= HEADER_BYTES_MAX)?;
        Some((name.as_str().to_ascii_lowercase(), value.to_owned()))
    });
    let mut reply = Reply { status: answer.status().as_u16(), headers: headers.collect(), refusal: Vec::new() };
    let mut lines = Lines { from: BufReader::new(answer.into_body().into_reader()), bytes: 0 };
    if !reply.is_success() {
        // A refusal that breaks off is one all the same.
        while let Ok(Some(line)) = lines.next(REFUSAL_BYTES_MAX, REFUSAL_BYTES_MAX) {
            reply.refusal.extend_from_slice(&line);
            reply.refusal.push(b'\n');
        }
        return Ok(if tell.send(Part::Head(reply)).is_ok() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        });
    }
    if tell.send(Part::Head(reply)).is_err() {
        return Ok(ControlFlow::Break(()));
    }
    while let Some(line) = lines.next(call.line_bytes_max, call.body_bytes_max)? {
        if tell.send(Part::Line(line)).is_err() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The lines of an answer.
struct Lines<R> {
    from: BufReader<R>,
    bytes: usize,
}

impl<R: io::Read> Lines<R> {
    /// The next one without its end (`\n` or `\r\n`); none: the answer is over.
    fn next(&mut self, line_bytes_max: usize, bytes_max: usize) -> Result<Option<Vec<u8>>, Broke> {
        let mut line = Vec::new();
        loop {
            let available = match self.from.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broke::Read(error)),
            };
            if available.is_empty() {
                return Ok((!line.is_empty()).then_some(line));
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            line.extend_from_slice(&available[..taken]);
            self.from.consume(taken);
            self.bytes = self.bytes.saturating_add(taken);
            if line.len() > line_bytes_max {
                return Err(Broke::TooLong(line_bytes_max));
            }
            if self.bytes > bytes_max {
                return Err(Broke::TooLong(bytes_max));
            }
            if end.is_some() {
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(Some(line));
            }
        }
    }
}

fn certificates(path: &Path) -> Result<RootCerts, HttpError> {
    let bad = |why: String| HttpError::BadCertificates { path: path.to_owned(), why };
    let bytes = read_limited(path, CA_FILE_BYTES_MAX).map_err(|error| bad(plain(&error)))?;
    let certificates: Vec<_> = parse_pem(&bytes)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            Ok(_) | Err(_) => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(bad("there is no certificate in PEM form in it".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// The proxy to go by, as `curl` chooses it.
fn proxy(origin: &Origin, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, HttpError> {
    const OF_HTTPS: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    const OF_HTTP: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let spared = value("no_proxy").or_else(|| value("NO_PROXY")).unwrap_or_default();
    if origin.is_loopback() || is_spared(&spared, &origin.host) {
        return Ok(None);
    }
    let names = if origin.is_encrypted { OF_HTTPS } else { OF_HTTP };
    let Some((variable, value)) = names.into_iter().find_map(|name| Some((name, value(name)?))) else {
        return Ok(None);
    };
    // What is read here takes an address without a host for one.
    Proxy::new(value.trim())
        .ok()
        .filter(|proxy| !proxy.host().is_empty())
        .map(Some)
        .ok_or(HttpError::BadProxy { variable })
}

/// Whether `NO_PROXY` spares a host: by its name or by that of a domain it is in.
fn is_spared(list: &str, host: &str) -> bool {
    list.split([',', ' ']).map(|entry| entry.trim().trim_start_matches('*').to_ascii_lowercase()).any(|entry| {
        let domain = entry.trim_start_matches('.');
        list.trim() == "*"
            || !domain.is_empty()
                && (host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_from_what_is_none() {
        for (url, wanted) in [
            ("https://api.example.com/v1", Some((true, "api.example.com", false))),
            ("http://127.0.0.1:11434", Some((false, "127.0.0.1", true))),
            ("http://LOCALHOST:8080/v1", Some((false, "localhost", true))),
            ("http://[::1]:8080", Some((false, "::1", true))),
            ("http://127.0.0.1.example.com", Some((false, "127.0.0.1.example.com", false))),
            ("https://key@example.com", None),
            ("https://exa mple.com", None),
            ("ftp://example.com", None),
            ("example.com", None),
            ("https://", None),
            ("http://:80", None),
        ] {
            let origin = Origin::of(url);
            let told = origin.as_ref().map(|it| (it.is_encrypted, it.host.as_str(), it.is_loopback()));
            assert_eq!(told, wanted, "{url}");
        }
    }

    #[test]
    fn proxies_are_those_of_the_environment() {
        let chosen = |url: &str, variables: &[(&str, &str)]| {
            let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
            match proxy(&Origin::of(url).expect(url), of) {
                Ok(found) => found.map(|proxy| proxy.host().to_owned()).unwrap_or_default(),
                Err(error) => error.to_string(),
            }
        };
        let both = [("HTTPS_PROXY", "http://a:1"), ("HTTP_PROXY", "http://b:2"), ("NO_PROXY", "x.org,.y.org, *.z.org")];
        for (url, wanted) in [
            ("https://example.com", "a"),
            ("http://example.com", "b"),
            ("https://127.0.0.1", ""),
            ("https://x.org", ""),
            ("https://api.x.org", ""),
            ("https://ax.org", "a"),
            ("https://api.y.org", ""),
            ("https://api.z.org", ""),
        ] {
            assert_eq!(chosen(url, &both), wanted, "{url}");
        }
        assert_eq!(chosen("https://example.com", &[("ALL_PROXY", "socks5://s:1080")]), "s");
        assert_eq!(chosen("https://example.com", &[("HTTPS_PROXY", "http://a:1"), ("no_proxy", "*")]), "");
        for none in ["http://u:secret@ /", "http://u:secret@:x"] {
            let wrong = chosen("https://example.com", &[("HTTPS_PROXY", none)]);
            assert_eq!(wrong, "the variable 'HTTPS_PROXY' names no proxy", "{none}");
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_and_limited() {
        let read = |text: &[u8], line_max, max| {
            let mut lines = Lines { from: BufReader::with_capacity(3, text), bytes: 0 };
            let mut found = Vec::new();
            loop {
                match lines.next(line_max, max) {
                    Ok(Some(line)) => found.push(String::from_utf8_lossy(&line).into_owned()),
                    Ok(None) => return found.join("|"),
                    Err(_) => return format!("{}|too long", found.join("|")),
                }
            }
        };
        assert_eq!(read(b"one\r\n\ntwo\nthree", 10, 100), "one||two|three");
        assert_eq!(read(b"one\nlonger than ten\n", 10, 100), "one|too long");
        assert_eq!(read(b"one\ntwo\nthree\n", 10, 9), "one|two|too long");
        assert_eq!(read(b"", 10, 9), "");
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new(" sk-123\n");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.scrub("no key sk-123 here"), "no key [key] here");
        assert_eq!(Secret::new("").scrub("as it is"), "as it is");
    }
}
