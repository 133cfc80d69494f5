//! Signs commits, in process where the key allows it.
//! Knows nothing of what is signed, nor of who may sign.

use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use gix::bstr::ByteSlice;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig, private::KeypairData, rand_core::OsRng};

use super::{
    command,
    error::{At, GitError},
    repository::Repository,
};

/// The namespace of git's SSH signatures.
pub(super) const NAMESPACE: &str = "git";
/// How long a signature may take: a person may have to touch a key.
const LIMIT: Duration = Duration::from_secs(60);
/// Bytes of an answer of an ssh agent.
const AGENT_ANSWER_BYTES_MAX: usize = 1 << 20;

/// Something that signs.
#[derive(Debug)]
pub struct Signer {
    how: How,
    /// What people call it: a path, or what git's settings say.
    name: String,
    /// The public key; none if only a program knows it.
    public: Option<PublicKey>,
    limit: Duration,
}

#[derive(Debug)]
enum How {
    /// The key is here.
    Key(Box<PrivateKey>),
    /// An ssh agent holds it.
    #[cfg(unix)]
    Agent { socket: PathBuf },
    /// `ssh-keygen -Y sign`, as git does.
    Keygen { program: String, key: PathBuf },
    /// `gpg --detach-sign` or one that takes the same words.
    Gpg { program: String, key: Option<String> },
}

impl Signer {
    /// The machine's own key.
    ///
    /// # Errors
    /// If the file is missing or holds no key that can sign.
    pub fn own(key_file: &Path) -> Result<Self, GitError> {
        let broken = |because: String| GitError::Key {
            key: key_file.display().to_string(),
            because,
            hint: Some("git orchestrate init".to_owned()),
        };
        let text = fs::read(key_file).map_err(|error| broken(error.to_string()))?;
        let key = PrivateKey::from_openssh(text).map_err(|error| broken(error.to_string()))?;
        if !can_sign(&key) {
            return Err(broken(format!("a key of kind '{}' that is not encrypted is needed", Algorithm::Ed25519)));
        }
        Ok(Self::with_key(key, key_file.display().to_string()))
    }

    /// Makes the machine's own key: ed25519, for the owner's eyes only, with its public half beside it as `.pub`.
    ///
    /// # Errors
    /// If there is a file already, or it cannot be written.
    pub fn create_own(key_file: &Path, comment: &str) -> Result<Self, GitError> {
        if let Some(dir) = key_file.parent() {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.create(dir).at("make", dir)?;
        }
        let broken = |error: ssh_key::Error| GitError::Key {
            key: key_file.display().to_string(),
            because: error.to_string(),
            hint: None,
        };
        let mut key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).map_err(broken)?;
        key.set_comment(comment.replace(['\n', '\r'], " "));
        let text = key.to_openssh(LineEnding::LF).map_err(broken)?;
        let public = key.public_key().to_openssh().map_err(broken)?;
        create(key_file, text.as_bytes(), 0o600)?;
        create(&key_file.with_extension("pub"), format!("{public}\n").as_bytes(), 0o644)?;
        Ok(Self::with_key(key, key_file.display().to_string()))
    }

    /// The user's key, by git's settings: `gpg.format`, `user.signingKey`, `gpg.*.program`.
    ///
    /// # Errors
    /// If the settings name none.
    pub fn from_git(repository: &Repository) -> Result<Self, GitError> {
        let local = repository.local();
        let config = local.config_snapshot();
        let setting = |key: &str| config.string(key).map(|value| value.to_str_lossy().into_owned());
        let format = setting("gpg.format").unwrap_or_else(|| "openpgp".to_owned());
        let wanted = setting("user.signingKey");
        match format.as_str() {
            "ssh" => {
                let wanted = wanted.ok_or_else(|| GitError::Key {
                    key: "user.signingKey".to_owned(),
                    because: "it is not set".to_owned(),
                    hint: Some("git config user.signingKey ~/.ssh/id_ed25519".to_owned()),
                })?;
                let program = setting("gpg.ssh.program").unwrap_or_else(|| "ssh-keygen".to_owned());
                Self::ssh(&wanted, program)
            }
            format @ ("openpgp" | "x509") => {
                let (own, usual) =
                    if format == "x509" { ("gpg.x509.program", "gpgsm") } else { ("gpg.openpgp.program", "gpg") };
                let older = || setting("gpg.program").filter(|_| format == "openpgp");
                let program = setting(own).or_else(older).unwrap_or_else(|| usual.to_owned());
                let key =
                    wanted.or_else(|| repository.identity().ok().map(|who| format!("{} <{}>", who.name, who.email)));
                let name = key.clone().unwrap_or_else(|| program.clone());
                Ok(Self { how: How::Gpg { program, key }, name, public: None, limit: LIMIT })
            }
            other => Err(GitError::Key {
                key: "gpg.format".to_owned(),
                because: format!("'{other}' is not known"),
                hint: Some("git config gpg.format ssh".to_owned()),
            }),
        }
    }

    fn ssh(wanted: &str, program: String) -> Result<Self, GitError> {
        let broken = |because: String| GitError::Key { key: wanted.to_owned(), because, hint: None };
        let literal = wanted.strip_prefix("key::").or_else(|| wanted.starts_with("ssh-").then_some(wanted));
        let (path, public) = match literal {
            Some(line) => (None, PublicKey::from_openssh(line).map_err(|error| broken(error.to_string()))?),
            None => {
                let path = home_path(wanted);
                let text = fs::read(&path).map_err(|error| broken(error.to_string()))?;
                if let Ok(key) = PrivateKey::from_openssh(&text) {
                    if can_sign(&key) {
                        return Ok(Self::with_key(key, wanted.to_owned()));
                    }
                    (Some(path), key.public_key().clone())
                } else {
                    let public = PublicKey::from_openssh(&String::from_utf8_lossy(&text));
                    let public = public.map_err(|error| broken(error.to_string()))?;
                    let private =
                        fs::read(path.with_extension("")).ok().and_then(|text| PrivateKey::from_openssh(text).ok());
                    if let Some(key) =
                        private.filter(can_sign).filter(|key| key.public_key().key_data() == public.key_data())
                    {
                        return Ok(Self::with_key(key, wanted.to_owned()));
                    }
                    (Some(path), public)
                }
            }
        };
        let how = match (agent_with(&public), path) {
            #[cfg(unix)]
            (Some(socket), _) => How::Agent { socket },
            #[cfg(not(unix))]
            (Some(_), _) => return Err(broken("ssh agents are not supported here".to_owned())),
            (None, Some(key)) => How::Keygen { program, key },
            (None, None) => return Err(broken("no ssh agent holds this key".to_owned())),
        };
        Ok(Self { how, name: wanted.to_owned(), public: Some(public), limit: LIMIT })
    }

    fn with_key(key: PrivateKey, name: String) -> Self {
        Self { public: Some(key.public_key().clone()), how: How::Key(Box::new(key)), name, limit: LIMIT }
    }

    /// The armored signature of these bytes.
    ///
    /// # Errors
    /// If the key, the agent or the program refuses, or takes too long.
    pub fn sign(&self, payload: &[u8]) -> Result<String, GitError> {
        self.sign_within(payload, self.limit)
    }

    /// Tries the key once, so that no prompt surprises a run.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn test(&self, limit: Duration) -> Result<(), GitError> {
        self.sign_within(b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\ntest\n", limit).map(|_| ())
    }

    /// The public key as a line: `ssh-ed25519 AAAA… comment`; none if only a program knows it.
    pub fn public_key_line(&self) -> Option<String> {
        self.public.as_ref().and_then(|key| key.to_openssh().ok())
    }

    /// The key's fingerprint, `SHA256:…`, or what git's settings call it.
    pub fn fingerprint(&self) -> String {
        self.public.as_ref().map_or_else(|| self.name.clone(), |key| key.fingerprint(HashAlg::Sha256).to_string())
    }

    fn sign_within(&self, payload: &[u8], limit: Duration) -> Result<String, GitError> {
        let refused = |because: String| GitError::Key { key: self.name.clone(), because, hint: None };
        match &self.how {
            How::Key(key) => key
                .sign(NAMESPACE, HashAlg::Sha512, payload)
                .and_then(|signature| signature.to_pem(LineEnding::LF))
                .map_err(|error| refused(error.to_string())),
            #[cfg(unix)]
            How::Agent { socket } => {
                let public = self.public.as_ref().expect("a key of an agent is known");
                agent_sign(socket, public, payload, limit).map_err(|error| refused(error.to_string()))
            }
            How::Keygen { program, key } => {
                let mut child = Command::new(program);
                child.args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(key);
                signed_by(child, payload, limit).map_err(refused)
            }
            How::Gpg { program, key } => {
                let mut child = Command::new(program);
                child.arg("-bsa");
                if let Some(key) = key {
                    child.args(["-u", key]);
                }
                signed_by(child, payload, limit).map_err(refused)
            }
        }
    }
}

/// Runs a program that reads the payload and writes the armored signature.
fn signed_by(mut child: Command, payload: &[u8], limit: Duration) -> Result<String, String> {
    command::clear(&mut child);
    if let Some(socket) = std::env::var_os("SSH_AUTH_SOCK") {
        child.env("SSH_AUTH_SOCK", socket);
    }
    let output = command::run(child, payload, limit).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.code != Some(0) || !text.contains("-----BEGIN ") {
        return Err(command::last_lines(&output.stderr));
    }
    Ok(text)
}

fn can_sign(key: &PrivateKey) -> bool {
    matches!(key.key_data(), KeypairData::Ed25519(_))
        || matches!(key.key_data(), KeypairData::Ecdsa(pair) if pair.curve() == ssh_key::EcdsaCurve::NistP256)
}

fn home_path(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        (_, _) => PathBuf::from(path),
    }
}

/// Writes a file that must not be there: whole, and on the disk, or not at all. Half a key would be in the way for ever.
fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), GitError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = builder.tempfile_in(dir).at("make", path)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).at("write", path)?;
    crate::sys::crash_point::reach("key.written");
    file.persist_noclobber(path).map_err(|failed| failed.error).at("make", path)?;
    fs::File::open(dir).and_then(|dir| dir.sync_all()).at("sync", dir)
}

/// The agent's socket, if there is one that holds this key.
fn agent_with(key: &PublicKey) -> Option<PathBuf> {
    #[cfg(unix)]
    {
        let socket = PathBuf::from(std::env::var_os("SSH_AUTH_SOCK")?);
        let wanted = key.to_bytes().ok()?;
        // 11 asks for the keys, 12 answers; the keys are among the strings of the answer.
        let answer = agent_call(&socket, &[11], Duration::from_secs(5)).ok()?;
        (answer.first() == Some(&12) && answer.find(&wanted).is_some()).then_some(socket)
    }
    #[cfg(not(unix))]
    {
        let _ = key;
        None
    }
}

/// Asks an agent for a signature: request 13, answer 14 (draft-miller-ssh-agent, 4.5).
#[cfg(unix)]
fn agent_sign(socket: &Path, key: &PublicKey, payload: &[u8], limit: Duration) -> io::Result<String> {
    let wrong = |error: ssh_key::Error| io::Error::other(error.to_string());
    let mut request = vec![13u8];
    put(&mut request, &key.to_bytes().map_err(wrong)?);
    put(&mut request, &SshSig::signed_data(NAMESPACE, HashAlg::Sha512, payload).map_err(wrong)?);
    // Flag 4: RSA keys sign with SHA-512; others ignore it.
    request.extend_from_slice(&4u32.to_be_bytes());
    let answer = agent_call(socket, &request, limit)?;
    let signature = match answer.split_first() {
        Some((14, rest)) if rest.len() > 4 => &rest[4..],
        _ => return Err(io::Error::other("the ssh agent refused")),
    };
    let signature = ssh_key::Signature::try_from(signature).map_err(wrong)?;
    SshSig::new(key.key_data().clone(), NAMESPACE, HashAlg::Sha512, signature)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(wrong)
}

#[cfg(unix)]
fn agent_call(socket: &Path, request: &[u8], limit: Duration) -> io::Result<Vec<u8>> {
    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    let mut message = Vec::with_capacity(request.len() + 4);
    put(&mut message, request);
    stream.write_all(&message)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > AGENT_ANSWER_BYTES_MAX {
        return Err(io::Error::other("the ssh agent's answer is too long"));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(unix)]
fn put(message: &mut Vec<u8>, bytes: &[u8]) {
    message.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
    message.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_own_key_is_made_once_and_signs() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("new/signing");
        let made = Signer::create_own(&file, "me@here").unwrap();
        let read = Signer::own(&file).unwrap();
        assert_eq!(made.fingerprint(), read.fingerprint());
        assert!(made.fingerprint().starts_with("SHA256:"));
        assert!(read.public_key_line().unwrap().ends_with(" me@here"));
        let signature = SshSig::from_pem(read.sign(b"words").unwrap()).unwrap();
        let public: PublicKey = signature.public_key().clone().into();
        assert!(public.verify(NAMESPACE, b"words", &signature).is_ok());
        assert!(public.verify(NAMESPACE, b"other words", &signature).is_err());
        assert!(matches!(Signer::create_own(&file, "again"), Err(GitError::Io { .. })));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        }
    }

    #[test]
    fn a_missing_key_says_what_to_type() {
        let error = Signer::own(Path::new("/nowhere/signing")).unwrap_err();
        assert_eq!(error.hint().as_deref(), Some("git orchestrate init"));
    }
}
