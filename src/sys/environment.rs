//! The variables that agents and checks may see: an allow-list, so that nothing secret leaks by being forgotten.
//! Does not know which keys a certain program needs; those are named by its settings.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

/// What every program gets of ours. A `*` at the end stands for any rest.
const ALWAYS: &[&str] = &[
    // Who and where one is.
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    // The language of messages.
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TERM",
    // Where programs keep their settings, logins and caches.
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    // Where toolchains are, for checks and for what agents build.
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
    "GOROOT",
    "NVM_DIR",
    "NODE_PATH",
    "NPM_CONFIG_CACHE",
    "PNPM_HOME",
    "PYENV_ROOT",
    "JAVA_HOME",
    "GRADLE_USER_HOME",
    "NIX_PATH",
    "NIX_PROFILES",
    "LD_LIBRARY_PATH",
    // How the network is reached.
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
];

/// What no program gets, whatever the settings say: with the first it could be pointed at another repository (or at ours,
/// past its worktree), with the others it could sign and log in as the user.
const NEVER: &[&str] = &["GIT_*", "SSH_AUTH_SOCK", "SSH_AGENT_PID"];

/// What is passed only if it is named in full, never by a `*`: a session of an agent in which we were started, which
/// would change what a second one does, and the keys of GnuPG.
const ONLY_BY_NAME: &[&str] = &["CLAUDECODE", "CLAUDE_CODE_*", "CODEX_SANDBOX*", "GPG_*", "GNUPGHOME"];

/// The variables of our environment that an agent or a check may see, and no others. `pass` adds names; a `*` at the
/// end of one stands for any rest. `GIT_*`, `SSH_AUTH_SOCK` and `SSH_AGENT_PID` stay out even so. `TERM` is `dumb`
/// if we have none.
pub fn allowed(pass: &[String]) -> BTreeMap<OsString, OsString> {
    choose(std::env::vars_os(), pass)
}

/// The directory for what belongs to this user on this machine: `$XDG_DATA_HOME/git-orchestrate`, else below `HOME`.
/// None where neither variable holds an absolute path.
pub fn data_dir() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("git-orchestrate"))
}

/// The file of the machine's own signing key: `$XDG_DATA_HOME/git-orchestrate/id_ed25519`; none where [`data_dir`] is none.
pub fn own_key_path() -> Option<PathBuf> {
    data_dir().map(|directory| directory.join("id_ed25519"))
}

fn choose(variables: impl Iterator<Item = (OsString, OsString)>, pass: &[String]) -> BTreeMap<OsString, OsString> {
    let may = |name: &str| {
        let is_named = pass.iter().any(|passed| passed == name);
        let is_covered = ALWAYS.iter().any(|rule| covers(rule, name)) || pass.iter().any(|rule| covers(rule, name));
        let is_guarded = ONLY_BY_NAME.iter().any(|rule| covers(rule, name));
        !NEVER.iter().any(|rule| covers(rule, name)) && (is_named || (is_covered && !is_guarded))
    };
    let mut chosen: BTreeMap<_, _> = variables.filter(|(name, _)| name.to_str().is_some_and(may)).collect();
    chosen.entry("TERM".into()).or_insert_with(|| "dumb".into());
    chosen
}

/// Whether a rule (a name, or a beginning and `*`) covers a name.
fn covers(rule: &str, name: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[&str], pass: &[&str], expected: &[&str]) {
        let pass: Vec<String> = pass.iter().map(|name| (*name).to_owned()).collect();
        let chosen = choose(given.iter().map(|name| (OsString::from(name), "x".into())), &pass);
        let chosen: Vec<_> = chosen.keys().filter_map(|name| name.to_str()).collect();
        assert_eq!(chosen, expected, "{given:?} with {pass:?}");
    }

    #[test]
    fn only_what_is_listed_or_passed_gets_through() {
        check(&["PATH", "LC_ALL", "AWS_SECRET", "LC", "PATHS"], &[], &["LC_ALL", "PATH", "TERM"]);
        check(&["OPENAI_API_KEY", "OTHER"], &["OPENAI_API_KEY"], &["OPENAI_API_KEY", "TERM"]);
        check(&["MY_ONE", "MY_TWO", "YOUR"], &["MY_*"], &["MY_ONE", "MY_TWO", "TERM"]);
    }

    #[test]
    fn git_and_the_users_keys_stay_out_even_when_passed() {
        let risky = ["GIT_DIR", "GIT_CONFIG_GLOBAL", "GIT_ORCHESTRATE_MARKER", "SSH_AUTH_SOCK"];
        check(&risky, &["GIT_DIR", "GIT_*", "SSH_AUTH_SOCK", "*"], &["TERM"]);
        check(&["CLAUDECODE", "GPG_AGENT_INFO"], &["*"], &["TERM"]);
        check(
            &["CLAUDECODE", "GPG_AGENT_INFO"],
            &["CLAUDECODE", "GPG_AGENT_INFO"],
            &["CLAUDECODE", "GPG_AGENT_INFO", "TERM"],
        );
    }

    #[test]
    fn a_terminal_type_is_always_set() {
        let given = [(OsString::from("TERM"), OsString::from("xterm"))];
        assert_eq!(choose(given.into_iter(), &[]).get(&OsString::from("TERM")), Some(&"xterm".into()));
        assert_eq!(choose(std::iter::empty(), &[]).get(&OsString::from("TERM")), Some(&"dumb".into()));
    }
}
