//! Secrets of no one provider: private keys, logins in addresses and headers, and values that their names give away.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, assigned, form, named};

pub(super) const RULES: &[Rule] = &[
    form("private-key", "a private key", &["private key"], r"-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----").block(),
    form("putty-key", "a private key of PuTTY", &["private-lines:"], r"Private-Lines: \d{1,4}\r?\n((?:[A-Za-z0-9+/=]{2,76}\r?\n){2,60})")
        .bits(4.0),
    form(
        "jwt",
        "a JSON web token",
        &["eyj", "eyk"],
        r"\b(ey[JK][\w-]{14,2000}\.ey[JK][\w-]{14,4000}\.[\w-]{20,1000})",
    )
    .bits(4.0),
    named(
        "url-password",
        "an address with a password",
        &["://"],
        r#"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:@/"'<>`{}]{0,80}:((?:[^\s:@/"'<>`{}$%\[\]\\()*]|%[0-9A-Fa-f]{2}){4,200})@[A-Za-z0-9\[]"#,
    )
    .bits(1.9)
    .chosen(),
    named(
        "jdbc-password",
        "a password of a database",
        &["password=", "pwd="],
        r#"(?i)(?:jdbc:[^\s"']{5,200}[?&;]|(?:server|host|data source|user id|uid)=[^\n"']{1,200};\s{0,2})(?:password|pwd)=([^;&\s"'${}<>\\]{6,80})"#,
    )
    .bits(2.5)
    .chosen(),
    named(
        "authorization-header",
        "the login of an HTTP request",
        &["authorization"],
        r#"(?i)authorization["'\\]{0,4}\s{0,4}[:=,]\s{0,4}["'\\]{0,4}(?:bearer|token|basic|apikey)\s{1,4}([A-Za-z0-9._~+/-]{16,1000}={0,2})"#,
    )
    .bits(3.3),
    named(
        "curl-login",
        "the login of a curl command",
        &["curl"],
        r#"\bcurl\b[^\n]{0,200}?(?:\s-u|\s--user)[ =]{1,2}["']?[\w.@+-]{1,60}:([^\s"':$<>{}]{6,80})"#,
    )
    .bits(2.5)
    .chosen(),
    form("kubeconfig-key", "a client key of Kubernetes", &["client-key-data"], r"client-key-data:\s{0,4}([A-Za-z0-9+/]{200,8000}={0,2})").bits(4.0),
    named(
        "netrc-password",
        "a password in .netrc",
        &["password"],
        r"(?m)^\s{0,8}machine\s+\S{1,100}\s+login\s+\S{1,100}\s+password\s+(\S{6,200})",
    )
    .bits(2.5)
    .chosen(),
    form("wireguard-key", "a private key of WireGuard", &["privatekey"], r"(?m)^\s{0,8}PrivateKey\s{0,4}=\s{0,4}([A-Za-z0-9+/]{43}=)\s{0,4}$").bits(3.8),
    named(
        "framework-secret",
        "the secret key of a web framework",
        &["secret_key", "secret_key_base", "app_key", "nextauth_secret", "auth_secret", "session_secret"],
        r#"(?i)(?:secret_key(?:_base)?|app_key|(?:nextauth|auth|session)_secret)["']?\s{0,4}[:=]\s{0,4}["']?(?:base64:)?([^\s"'`$<>{}\\]{32,200})"#,
    )
    .bits(3.5),
    named(
        "generic-secret",
        "a key, token or secret",
        &["key", "token", "secret", "credential", "auth"],
        assigned!(
            "(?:api|access|auth|client|secret|private|encrypt(?:ion)?|signing|signature|session|master|app|service|webhook|deploy|jwt|storage|account|admin|bot|personal|hmac)[_. -]?key|token|secret|credentials?|apikey",
            "[A-Za-z0-9+/=_.~-]{16,200}"
        ),
    )
    .bits(3.4)
    .chosen(),
    named(
        "generic-password",
        "a password",
        &["passw", "pwd", "passphrase", "passcode"],
        r#"(?i)(?:passw(?:or)?d|passwd|pwd|passphrase|passcode)(?:[_-]?(?:prod|production|dev|staging|live|admin|root|\d))?["'\\\]]{0,4}[ \t]{0,8}(?::=|=>|=|:)[ \t]{0,8}\\?["'`]([^\s"'`\\]{8,100})["'`\\]"#,
    )
    .bits(2.5)
    .chosen(),
    named(
        "env-password",
        "a password",
        &["passw", "pwd", "passphrase"],
        r#"(?m)^[ \t]{0,12}(?:export[ \t]+|ENV[ \t]+|-[ \t]+)?[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|PWD|PASSPHRASE)[ \t]{0,2}[=:][ \t]{0,2}([^\s"'`$<>{}()\\,;]{8,100})[ \t]{0,4}(?:#.{0,200})?\r?$"#,
    )
    .bits(2.5)
    .chosen(),
];
