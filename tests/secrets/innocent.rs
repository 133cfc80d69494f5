//! Texts without a secret in which a scanner could see one: lock files, digests, UUIDs, packed code, images, prose, tests.
//! Knows nothing of the scanner; what is drawn is always the same.

/// Path and text.
pub fn texts() -> Vec<(String, String)> {
    let mut dice = Dice(0x1dea);
    let mut texts: Vec<(String, String)> =
        WRITTEN.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let mut drawn = |path: &str, text: String| texts.push((path.to_owned(), text));
    drawn(
        "Cargo.lock",
        lines(400, |_| {
            format!("[[package]]\nname = \"token-secret\"\nversion = \"1.0.1\"\nchecksum = \"{}\"\n", dice.hex(64))
        }),
    );
    drawn(
        "package-lock.json",
        lines(400, |at| {
            format!("  \"node_modules/auth-token-{at}\": {{ \"integrity\": \"sha512-{}==\" }},", dice.base64(86))
        }),
    );
    drawn(
        "yarn.lock",
        lines(200, |_| {
            format!("  resolved \"https://r.org/a.tgz#{}\"\n  integrity sha1-{}=", dice.hex(40), dice.base64(27))
        }),
    );
    drawn("go.sum", lines(300, |_| format!("github.com/golang-jwt/jwt v1.0.0 h1:{}=", dice.base64(43))));
    drawn(
        "docs/log.txt",
        lines(500, |_| format!("commit {}\nAuthor: A <a@b.org>\n\n    Fix the token check\n", dice.hex(40))),
    );
    drawn("ids.csv", lines(500, |at| format!("{at},{},session", dice.uuid())));
    drawn(
        "api/items.json",
        lines(300, |at| {
            format!("{{\"id\": \"{}\", \"key\": \"item-{at}\", \"etag\": \"{}\"}},", dice.uuid(), dice.hex(32))
        }),
    );
    drawn("style.css", lines(100, |_| format!("a {{ background: url(data:image/png;base64,{}); }}", dice.base64(900))));
    drawn(
        "page.html",
        lines(60, |_| format!("<img alt=\"key\" src=\"data:image/svg+xml;base64,{}\">", dice.base64(1200))),
    );
    drawn(
        "src/bundle.js",
        lines(60, |at| {
            format!(
                "!function(e,t){{var n={at},r=\"{}\";e.exports=t(n,r)}}(this,function(k,s){{return k+s.secret}});",
                dice.hex(20)
            )
            .repeat(8)
        }),
    );
    drawn("tests/vectors.rs", lines(200, |_| format!("    (hex!(\"{}\"), hex!(\"{}\")),", dice.hex(64), dice.hex(32))));
    drawn("src/table.c", lines(300, |_| format!("  0x{}, 0x{}, 0x{},", dice.hex(8), dice.hex(8), dice.hex(8))));
    drawn(
        ".github/workflows/ci.yml",
        lines(60, |at| {
            format!(
                "      - uses: actions/checkout@{} # v4\n        with: {{ token: \"${{{{ secrets.GITHUB_TOKEN }}}}\", key: cache-{at} }}",
                dice.hex(40)
            )
        }),
    );
    drawn(
        "flake.nix",
        lines(80, |_| format!("  sha256 = \"sha256-{}=\";\n  rev = \"{}\";", dice.base64(43), dice.hex(40))),
    );
    drawn(
        "Dockerfile",
        lines(60, |_| format!("FROM debian@sha256:{}\nARG TOKEN\nENV PASSWORD_FILE=/run/secrets/db", dice.hex(64))),
    );
    drawn("known_hosts", lines(60, |_| format!("host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{}", dice.base64(43))));
    drawn(
        "cert.pem",
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines(30, |_| dice.base64(64))),
    );
    drawn(
        "key.pub.pem",
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines(6, |_| dice.base64(64))),
    );
    drawn("notebook.ipynb", lines(40, |_| format!("   \"image/png\": \"iVBORw0KGgo{}\",", dice.base64(2000))));
    drawn("migrations/0001.sql", lines(200, |_| format!("INSERT INTO t VALUES ('{}', 'token', now());", dice.uuid())));
    texts
}

fn lines(count: usize, mut line: impl FnMut(usize) -> String) -> String {
    (0..count).map(|at| line(at) + "\n").collect()
}

struct Dice(u64);

impl Dice {
    fn letters(&mut self, letters: &[u8], count: usize) -> String {
        let mut letter = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(letters[(self.0 >> 33) as usize % letters.len()])
        };
        (0..count).map(|_| letter()).collect()
    }

    fn hex(&mut self, count: usize) -> String {
        self.letters(b"0123456789abcdef", count)
    }

    fn base64(&mut self, count: usize) -> String {
        self.letters(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", count)
    }

    fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|length| self.hex(length)).join("-")
    }
}

/// Written by hand, as code and texts write of secrets without having one.
const WRITTEN: &[(&str, &str)] = &[
    (
        "src/auth.ts",
        r#"
import { getToken, refreshToken } from './token-store';
const token = await getAccessTokenFromStore(user.sessionId);
const apiKey = process.env.OPENAI_API_KEY ?? '';
const password = document.querySelector('#password-input2').value;
const secret = config.get<string>('auth.jwtSecret');
headers: { Authorization: `Bearer ${token}` },
headers.set("Authorization", "Bearer " + accessToken);
export const TOKEN_KEY = 'auth_access_token_v2';
export const PASSWORD_PATTERN = "^(?=.*[A-Z])(?=.*[0-9]).{8,}$";
const clientSecret = generateClientSecret({ length: 32 });
type Props = { accessToken: string; passwordHint?: string };
localStorage.setItem('refreshToken', response.data.refresh_token);
const passwordError = "Password must contain 8 characters";
"#,
    ),
    (
        "settings.py",
        r#"
SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
API_TOKEN = os.getenv("API_TOKEN", default="")
PASSWORD = env.str("DB_PASSWORD")
DATABASE_URL = "postgres://user:password@localhost:5432/db"
DATABASE_URL = f"postgresql://{user}:{password}@{host}/app"
REDIS_URL = "redis://:${REDIS_PASSWORD}@redis:6379/0"
AMQP = "amqp://guest:guest@rabbitmq:5672//"
password_validators = "django.contrib.auth.password_validation.MinimumLengthValidator"
tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")
max_tokens: int = 4096
token_type_ids = inputs["token_type_ids"]
key = hashlib.sha256(secret.encode()).hexdigest()
default_auto_field = "django.db.models.BigAutoField"
"#,
    ),
    (
        ".env.example",
        "OPENAI_API_KEY=sk-your-key-here\nSTRIPE_SECRET_KEY=sk_test_xxxxxxxxxxxxxxxxxxxxxxxx\nDB_PASSWORD=changeme\n\
         AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\nAWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n\
         JWT_SECRET=your-256-bit-secret\nGITHUB_TOKEN=<your token>\nSLACK=xoxb-000000000000-000000000000-XXXXXXXXXXXX\n\
         API_TOKEN=${API_TOKEN}\nSECRET=$(cat /run/secret)\nTOKEN={{ vault.token }}\nPASSWORD=%DB_PASSWORD%\n\
         SESSION_SECRET=replace-me-with-a-long-random-string\nGITLAB=glpat-xxxxxxxxxxxxxxxxxxxx\n",
    ),
    (
        "docs/guide.md",
        "# Authentication\n\nSet `Authorization: Bearer <token>` on each request. The token has three parts, as in\n\
         `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
         SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c`.\n\nYour password: at least 8 characters. Secret keys start with `sk_live_`, \
         tokens of GitHub with `ghp_`, and keys with `-----BEGIN PRIVATE KEY-----`.\n\n    curl -u user:password https://api.example.com\n\
         \x20   curl -H \"Authorization: token $GITHUB_TOKEN\" https://api.github.com/user\n\
         \x20   git clone https://user:token@example.com/repo.git\n\nSee https://example.com:8080/docs/token@v2 and \
         https://en.wikipedia.org/wiki/Access_token.\n",
    ),
    (
        "values.yaml",
        "auth:\n  existingSecret: postgres-credentials-v2\n  secretKeys:\n    adminPasswordKey: postgres-password\n  token: \"\"\n\
         \x20 passwordSecretRef: { name: db-auth, key: password }\n  usernameKey: username\nsecretName: tls-cert-2024-prod\n\
         imagePullSecrets:\n  - name: registry-credentials-eu1\ntokenAudience: https://kubernetes.default.svc\n\
         serviceAccountToken:\n  path: vault-token\n  expirationSeconds: 7200\n",
    ),
    (
        "locales/de.json",
        "{\n  \"password\": \"Passwort\",\n  \"forgotPassword\": \"Passwort vergessen?\",\n  \"token.expired\": \"Sitzung-abgelaufen\",\n\
         \x20 \"passwordRules\": \"Mindestens_8_Zeichen\",\n  \"secret\": \"Geheimnis\",\n  \"apiKeyLabel\": \"API-Schlüssel\"\n}\n",
    ),
    (
        "src/lexer.rs",
        r#"
    fn next_token(&mut self) -> Token { self.tokens[self.position].clone() }
    let token = Token::new(TokenKind::Identifier, start..end);
    assert_eq!(token.kind, "identifier_token_v2_start");
    let key = map.get("api_key").expect("an API key");
    let secret: [u8; 32] = rand::random();
    const TOKEN_LENGTH: usize = 32;
    let auth = Auth { token: token.into(), scheme: "Bearer" };
    #[serde(rename = "access_token")] pub token: String,
    tokens: HashMap<String, Vec<TokenStream2>>,
"#,
    ),
    (
        "Jenkinsfile",
        "withCredentials([string(credentialsId: 'deploy-token-prod-eu1', variable: 'DEPLOY_TOKEN')]) {\n\
         \x20 sh 'curl -H \"Authorization: Bearer $DEPLOY_TOKEN\" https://deploy.corp/api'\n}\n\
         environment { SONAR = credentials('sonar-token-v2') }\n",
    ),
    (
        "pom.xml",
        "<password>${env.NEXUS_PASSWORD}</password>\n<tokenUri>https://auth.example.org/oauth2/token</tokenUri>\n\
         <secretKeyAlias>signing-key-2023-q4</secretKeyAlias>\n<publicKeyToken>b77a5c561934e089</publicKeyToken>\n",
    ),
    (
        "src/Login.tsx",
        "<input type=\"password\" name=\"password\" autoComplete=\"current-password\" id=\"pass1\" />\n\
         <TextField label=\"Password\" type={showPassword ? 'text' : 'password'} error={errors.password?.message} />\n\
         <Link to=\"/reset-password?token=abc\">reset</Link>\nconst pwd = useRef<HTMLInputElement>(null);\n",
    ),
    (
        "test_login.py",
        "def test_wrong_password(client):\n    r = client.post('/login', data={'user': 'alice', 'password': 'wrong-password-1'})\n\
         \x20   assert r.status_code == 401\n    token = make_token(user_id=42, expires_in=3600)\n\
         \x20   fake_api_key = 'test-api-key-12345'\n    secret = 'my-test-secret-value-1'\n",
    ),
];
