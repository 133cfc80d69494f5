//! Checks signatures of commits in process, so that no setting of a repository can make them look good.
//! Knows nothing of who ought to have signed: it says who did.

use gix::bstr::ByteSlice;
use ssh_key::{HashAlg, PublicKey, SshSig};

use super::{error::GitError, repository::Repository, signature::NAMESPACE};
use crate::model::object::CommitId;

/// Lines of an allowed-signers text.
const LINES_MAX: usize = 10_000;

/// Who may sign: a text in the form of ssh-keygen(1), "ALLOWED SIGNERS".
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners {
    signers: Vec<AllowedSigner>,
    /// What was read and has no effect, a sentence each.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone)]
struct AllowedSigner {
    /// Patterns; a name must match one and none that begins with `!`.
    principals: Vec<String>,
    /// Patterns of the namespaces it may sign in; empty: all.
    namespaces: Vec<String>,
    key: PublicKey,
}

/// What a commit's signature is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureState {
    /// Made by an allowed key for the committer's address.
    Good {
        /// The committer's address, as the signers' patterns allow it.
        principal: String,
        /// The key.
        fingerprint: String,
    },
    /// It fits the commit, but the key is not allowed for its committer.
    GoodUnknownKey {
        /// The key.
        fingerprint: String,
    },
    /// It does not fit, for this reason.
    Bad(String),
    /// There is none.
    Unsigned,
    /// It is by another program (GPG, X.509), which we do not check.
    NotSsh,
}

impl AllowedSigners {
    /// Reads the text.
    ///
    /// # Errors
    /// [`GitError::AllowedSigners`] with the line: what is not understood must not be skipped.
    pub fn parse(text: &str) -> Result<Self, GitError> {
        let mut parsed = Self::default();
        for (at, line) in text.lines().enumerate() {
            let wrong = |because: String| GitError::AllowedSigners { line: at + 1, because };
            if at >= LINES_MAX {
                return Err(wrong(format!("more than {LINES_MAX} lines")));
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = words(line);
            let [principals, rest @ ..] = words.as_slice() else {
                continue;
            };
            let (options, key) = match rest {
                [kind, key, ..] if is_key_kind(kind) => (None, format!("{kind} {key}")),
                [options, kind, key, ..] if is_key_kind(kind) => (Some(options), format!("{kind} {key}")),
                _ => return Err(wrong("expected: principals [options] key-type key".to_owned())),
            };
            let mut signer = AllowedSigner {
                principals: principals.split(',').map(str::to_owned).collect(),
                namespaces: Vec::new(),
                key: PublicKey::from_openssh(&key)
                    .map_err(|error| wrong(format!("the key cannot be read: {error}")))?,
            };
            for option in options.iter().flat_map(|options| split_options(options)) {
                let (name, value) = option.split_once('=').unwrap_or((&option, ""));
                match name.to_ascii_lowercase().as_str() {
                    "namespaces" => signer.namespaces = value.split(',').map(str::to_owned).collect(),
                    "valid-after" | "valid-before" => parsed.notes.push(format!(
                        "line {}: '{name}' has no effect: the dates of commits can be chosen by who makes them",
                        at + 1
                    )),
                    "cert-authority" => return Err(wrong("certificate authorities are not supported".to_owned())),
                    _ => return Err(wrong(format!("unknown option '{name}'"))),
                }
            }
            parsed.signers.push(signer);
        }
        Ok(parsed)
    }

    /// Whether nobody may sign.
    pub fn is_empty(&self) -> bool {
        self.signers.is_empty()
    }

    /// Whether this key may sign commits for anybody.
    pub fn knows(&self, public_key_line: &str) -> bool {
        PublicKey::from_openssh(public_key_line)
            .is_ok_and(|key| self.signers.iter().any(|signer| signer.key.key_data() == key.key_data()))
    }

    fn allows(&self, key: &PublicKey, principal: &str) -> bool {
        self.signers.iter().any(|signer| {
            signer.key.key_data() == key.key_data()
                && matches_list(&signer.principals, principal)
                && (signer.namespaces.is_empty() || matches_list(&signer.namespaces, NAMESPACE))
        })
    }
}

impl Repository {
    /// What a commit's signature is worth. Its bytes are hashed again: what is verified is what the name stands for.
    ///
    /// # Errors
    /// If the commit is missing.
    pub fn verify(&self, commit: CommitId, signers: &AllowedSigners) -> Result<SignatureState, GitError> {
        let bytes = self.commit_bytes(commit)?;
        let kind = super::object::gix_commit(commit).kind();
        let named = gix::objs::compute_hash(kind, gix::objs::Kind::Commit, &bytes);
        if !named.is_ok_and(|id| id == super::object::gix_commit(commit)) {
            return Ok(SignatureState::Bad("its content does not have its name".to_owned()));
        }
        Ok(verify_bytes(&bytes, signers))
    }
}

/// What the signature of a commit with these raw bytes is worth.
pub fn verify_bytes(commit: &[u8], signers: &AllowedSigners) -> SignatureState {
    let parts = match split(commit) {
        Ok(parts) => parts,
        Err(because) => return SignatureState::Bad(because),
    };
    let Some(armored) = parts.signature else {
        return SignatureState::Unsigned;
    };
    if !armored.starts_with("-----BEGIN SSH SIGNATURE-----") {
        return SignatureState::NotSsh;
    }
    let signature = match SshSig::from_pem(&armored) {
        Ok(signature) => signature,
        Err(error) => return SignatureState::Bad(format!("its signature cannot be read: {error}")),
    };
    let key: PublicKey = signature.public_key().clone().into();
    if signature.namespace() != NAMESPACE {
        return SignatureState::Bad(format!("its signature is for '{}'", signature.namespace()));
    }
    if key.verify(NAMESPACE, &parts.payload, &signature).is_err() {
        return SignatureState::Bad("its signature does not fit its content".to_owned());
    }
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    if signers.allows(&key, &parts.committer) {
        SignatureState::Good { principal: parts.committer, fingerprint }
    } else {
        SignatureState::GoodUnknownKey { fingerprint }
    }
}

struct Parts {
    signature: Option<String>,
    /// The bytes that are signed.
    payload: Vec<u8>,
    /// The committer's address.
    committer: String,
}

/// Takes a commit apart. A header that git would read in two ways is refused.
fn split(commit: &[u8]) -> Result<Parts, String> {
    let end = commit.find(b"\n\n").ok_or("it has no message")?;
    let (headers, message) = commit.split_at(end + 1);
    let mut payload = Vec::with_capacity(commit.len());
    let mut signature: Option<Vec<u8>> = None;
    let mut committer = None;
    let mut in_signature = false;
    for line in headers.lines_with_terminator() {
        if let Some(more) = line.strip_prefix(b" ") {
            match &mut signature {
                Some(signature) if in_signature => signature.extend_from_slice(more),
                Some(_) | None => payload.extend_from_slice(line),
            }
            continue;
        }
        in_signature = line.starts_with(b"gpgsig ") || line.starts_with(b"gpgsig-sha256 ");
        if in_signature {
            if signature.is_some() {
                return Err("it has more than one signature".to_owned());
            }
            let at = line.find_byte(b' ').map_or(line.len(), |at| at + 1);
            signature = Some(line[at..].to_vec());
            continue;
        }
        if let Some(who) = line.strip_prefix(b"committer ") {
            if committer.is_some() {
                return Err("it has more than one committer".to_owned());
            }
            let open = who.find_byte(b'<').ok_or("its committer has no address")?;
            let close = who.find_byte(b'>').filter(|close| *close > open).ok_or("its committer has no address")?;
            committer = Some(who[open + 1..close].to_str_lossy().into_owned());
        }
        payload.extend_from_slice(line);
    }
    payload.extend_from_slice(message);
    let signature = signature.map(|bytes| String::from_utf8(bytes).map_err(|_| "its signature is no text".to_owned()));
    Ok(Parts { signature: signature.transpose()?, payload, committer: committer.ok_or("it has no committer")? })
}

fn is_key_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|prefix| word.starts_with(prefix))
}

/// The words of a line; spaces in double quotes do not part.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                words.last_mut().expect("there is always one").push(c);
            }
            c if c.is_whitespace() && !quoted => {
                if words.last().is_some_and(|word| !word.is_empty()) {
                    words.push(String::new());
                }
            }
            c => words.last_mut().expect("there is always one").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    if let Some(first) = words.first_mut() {
        *first = first.replace('"', "");
    }
    words
}

/// The options of a signer; commas in double quotes do not part, and the quotes go.
fn split_options(text: &str) -> Vec<String> {
    let mut options = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => options.push(String::new()),
            c => options.last_mut().expect("there is always one").push(c),
        }
    }
    options
}

/// OpenSSH's lists: one pattern must match, and none that begins with `!`.
fn matches_list(patterns: &[String], text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(not) if matches(not, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

/// OpenSSH's patterns: `*` is any text, `?` any one character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, seen)) => {
                    star = Some((at, seen + 1));
                    p = at + 1;
                    t = seen + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Signer;

    fn commit(signer: Option<&Signer>, email: &str) -> Vec<u8> {
        let head = format!(
            "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <{email}> 1 +0000\ncommitter A <{email}> 1 +0000\n"
        );
        let payload = format!("{head}\nwords\n\nmore gpgsig words\n");
        let Some(signer) = signer else { return payload.into_bytes() };
        let signature = signer.sign(payload.as_bytes()).unwrap();
        let folded = signature.trim_end().replace('\n', "\n ");
        format!("{head}gpgsig {folded}\n\nwords\n\nmore gpgsig words\n").into_bytes()
    }

    fn signer(dir: &std::path::Path, name: &str) -> Signer {
        Signer::create_own(&dir.join(name), name).unwrap()
    }

    #[test]
    fn a_signature_is_worth_what_the_signers_say() {
        let dir = tempfile::tempdir().unwrap();
        let (mine, other) = (signer(dir.path(), "mine"), signer(dir.path(), "other"));
        let line = |principals: &str| format!("{principals} {}\n", mine.public_key_line().unwrap());
        let state = |signers: &str, bytes: &[u8]| verify_bytes(bytes, &AllowedSigners::parse(signers).unwrap());
        let good = SignatureState::Good { principal: "a@x".into(), fingerprint: mine.fingerprint() };
        let unknown = SignatureState::GoodUnknownKey { fingerprint: mine.fingerprint() };

        let signed = commit(Some(&mine), "a@x");
        assert_eq!(state(&line("a@x"), &signed), good);
        assert_eq!(state(&line("b@x,*@x"), &signed), good);
        assert_eq!(state(&line("*@x,!a@x"), &signed), unknown);
        assert_eq!(state(&line("a@x namespaces=\"file,git\""), &signed), good);
        assert_eq!(state(&line("a@x namespaces=\"file\""), &signed), unknown);
        assert_eq!(state(&line("a@y"), &signed), unknown);
        assert_eq!(state("", &signed), unknown);
        assert_eq!(state(&line("a@x"), &commit(None, "a@x")), SignatureState::Unsigned);
        let foreign = commit(Some(&other), "a@x");
        assert_eq!(state(&line("a@x"), &foreign), SignatureState::GoodUnknownKey { fingerprint: other.fingerprint() });
    }

    #[test]
    fn what_was_tampered_with_is_bad() {
        let dir = tempfile::tempdir().unwrap();
        let mine = signer(dir.path(), "mine");
        let signers = AllowedSigners::parse(&format!("* {}", mine.public_key_line().unwrap())).unwrap();
        let signed = commit(Some(&mine), "a@x");
        let text = String::from_utf8(signed).unwrap();
        let twice = {
            let at = text.find("gpgsig").unwrap();
            let end = text.find("\n\n").unwrap() + 1;
            format!("{}{}{}", &text[..end], &text[at..end], &text[end..])
        };
        for (what, changed) in [
            ("message", text.replace("words\n\nmore", "other\n\nmore")),
            ("committer", text.replacen("committer A <a@x>", "committer A <b@x>", 1)),
            ("a second signature", twice),
            ("signature", text.replacen("U1NIU0lH", "U1NIU0lI", 1)),
        ] {
            assert_ne!(changed, text, "{what}");
            assert!(matches!(verify_bytes(changed.as_bytes(), &signers), SignatureState::Bad(_)), "{what}");
        }
        let pgp = "tree 1\ncommitter A <a@x> 1 +0000\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n\nm\n";
        assert_eq!(verify_bytes(pgp.as_bytes(), &signers), SignatureState::NotSsh);
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIILu6yKmyZxYOsRZQmFbqvkvsvnpqtqoQ3nBo2nRRoyu";
        for (text, line) in [
            (format!("# who\n\na@x cert-authority {key}"), 3),
            ("a@x".to_owned(), 1),
            (format!("a@x no-such-option {key}"), 1),
            ("a@x ssh-ed25519 AAAA".to_owned(), 1),
        ] {
            let error = AllowedSigners::parse(&text).unwrap_err();
            assert!(matches!(error, GitError::AllowedSigners { line: at, .. } if at == line), "{text}: {error}");
        }
        let dated = AllowedSigners::parse(&format!("a@x valid-before=\"20300101\" {key}")).unwrap();
        assert_eq!(dated.notes.len(), 1);
    }
}
