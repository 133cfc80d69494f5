//! Secrets that open nothing: the forms of many providers, filled by a fixed course of chance, in the places people write them.
//! Knows nothing of the scanner. `~` keeps other scanners from seeing a form here; it is left out when a sample is made.

/// A text with a secret in it.
pub struct Sample {
    pub rule: &'static str,
    pub is_form: bool,
    pub path: String,
    pub text: String,
    pub secret: String,
}

/// Rule and form: `{h40}` are 40 hex digits, `a` letters and digits, `l` small letters and digits, `u` capitals and digits,
/// `w` letters, digits, `_` and `-`, `d` digits, `b` base64, `U` a UUID, `t` capitals and 2 to 7.
const FORMS: &[(&str, &str)] = &[
    ("aws-access-key", "AK~IA{t16}"),
    ("aws-access-key", "AS~IA{t16}"),
    ("aws-bedrock-key", "AB~SK{b128}"),
    ("google-api-key", "AI~za{w35}"),
    ("google-oauth-secret", "GOC~SPX-{w28}"),
    ("google-oauth-token", "ya~29.{w120}"),
    ("google-refresh-token", "1/~/0{w60}"),
    ("azure-storage-key", "DefaultEndpointsProtocol=https;AccountName=a;Acc~ountKey=<{b86}==>"),
    ("azure-keyed-secret", "{a76}~+ASt{b6}w=="),
    ("azure-keyed-secret", "{a42}~AzFu{a8}=="),
    ("azure-client-secret", "{a3}8~Q~~{w34}"),
    ("azure-shared-access", "https://x.blob.core.windows.net/c?sv=2022&s~ig=<{a43}%3D>"),
    ("azure-devops-token", "{a76}AZ~DO{a4}"),
    ("alibaba-access-key", "LT~AI{a20}"),
    ("digitalocean-token", "do~p_v1_{h64}"),
    ("heroku-token", "HR~KU-{w36}"),
    ("fly-token", "fo~1_{w43}"),
    ("cloudflare-origin-key", "v1~.0-{h24}-{h146}"),
    ("netlify-token", "nf~p_{a40}"),
    ("vault-token", "hv~s.{w95}"),
    ("terraform-token", "{a14}.atl~asv1.{w67}"),
    ("pulumi-token", "pu~l-{h40}"),
    ("doppler-token", "dp~.pt.{a43}"),
    ("planetscale-secret", "psc~ale_pw_{w43}"),
    ("databricks-token", "da~pi{h32}"),
    ("supabase-key", "sb~p_{h40}"),
    ("yandex-key", "AQ~VN{w35}"),
    ("tailscale-key", "tsk~ey-auth-{a17}-{a32}"),
    ("onepassword-token", "ops~_eyJ{b300}"),
    ("age-key", "AGE-SEC~RET-KEY-1{g58}"),
    ("github-token", "gh~p_{a36}"),
    ("github-fine-token", "gith~ub_pat_{a22}_{a59}"),
    ("github-oauth-token", "gh~o_{a36}"),
    ("github-app-token", "gh~s_{a36}"),
    ("github-refresh-token", "gh~r_{a36}"),
    ("gitlab-token", "glp~at-{w20}"),
    ("gitlab-token", "glp~at-{w40}.01.{l9}"),
    ("gitlab-service-token", "gl~dt-{w20}"),
    ("gitlab-service-token", "gl~rt-{w20}"),
    ("gitlab-runner-token", "GR13~48941{w20}"),
    ("bitbucket-token", "AT~BB{a32}"),
    ("atlassian-token", "ATA~TT3{w180}"),
    ("npm-token", "np~m_{a36}"),
    ("pypi-token", "py~pi-AgEIcHlwaS5vcmc{w120}"),
    ("crates-token", "ci~o{a32}"),
    ("rubygems-token", "rub~ygems_{h48}"),
    ("nuget-key", "oy~2{l43}"),
    ("packagist-token", "pack~agist_ort_{h68}"),
    ("clojars-token", "CLO~JARS_{l60}"),
    ("dockerhub-token", "dck~r_pat_{w27}"),
    ("artifactory-key", "AK~Cp{a69}"),
    ("artifactory-reference", "cm~Vmd{a59}"),
    ("circleci-token", "CCI~PAT_{a22}_{h40}"),
    ("buildkite-token", "bk~ua_{h40}"),
    ("sonar-token", "sq~u_{h40}"),
    ("sourcegraph-token", "sg~p_{h16}_{h40}"),
    ("linear-token", "lin_~api_{a40}"),
    ("anthropic-key", "sk-~ant-api03-{w93}AA"),
    ("anthropic-key", "sk-~ant-oat01-{w93}"),
    ("openrouter-key", "sk-~or-v1-{h64}"),
    ("openai-key", "sk-~proj-{w74}T3Blb~kFJ{w74}"),
    ("openai-key", "sk-{a20}T3Bl~bkFJ{a20}"),
    ("sk-key", "s~k-{h32}"),
    ("huggingface-token", "h~f_{a34}"),
    ("replicate-token", "r~8_{a37}"),
    ("groq-key", "gs~k_{a52}"),
    ("xai-key", "xa~i-{a80}"),
    ("perplexity-key", "pp~lx-{a48}"),
    ("fireworks-key", "f~w_{a24}"),
    ("elevenlabs-key", "s~k_{h48}"),
    ("langsmith-key", "lsv~2_pt_{h32}_{h10}"),
    ("nvidia-key", "nva~pi-{w64}"),
    ("cerebras-key", "cs~k-{l48}"),
    ("pinecone-key", "pcs~k_{a6}_{a60}"),
    ("tavily-key", "tv~ly-dev-{a32}"),
    ("slack-token", "xo~xb-{d12}-{d13}-{a24}"),
    ("slack-token", "xo~xp-{d12}-{d12}-{d13}-{h32}"),
    ("slack-app-token", "xa~pp-1-A{u10}-{d13}-{h64}"),
    ("slack-webhook", "https://hooks.sl~ack.com/services/<T{u8}/B{u10}/{a24}>"),
    ("discord-webhook", "https://discord.com/api/web~hooks/{d18}/<{w68}>"),
    ("telegram-token", "{d10}:A~A{w33}"),
    ("teams-webhook", "https://x.web~hook.office.com/webhookb2/<{U}@{U}/IncomingWebhook/{h32}/{U}>"),
    ("sendgrid-key", "S~G.{w22}.{a43}"),
    ("mailgun-key", "ke~y-{h32}"),
    ("mailchimp-key", "{h32}-u~s14"),
    ("brevo-key", "xkey~sib-{h64}-{a16}"),
    ("facebook-token", "EA~A{a120}"),
    ("twitter-bearer", "AAAAAAAAAA~AAAAAAAAAAA<{a80}>"),
    ("stripe-key", "sk~_live_{a24}"),
    ("stripe-key", "rk~_live_{a99}"),
    ("stripe-key", "sk~_test_{a24}"),
    ("stripe-webhook-secret", "wh~sec_{b32}"),
    ("square-token", "sq0~atp-{w22}"),
    ("braintree-token", "access_token$prod~uction${l16}${h32}"),
    ("shopify-token", "shp~at_{h32}"),
    ("plaid-token", "access-prod~uction-{U}"),
    ("razorpay-key", "rzp~_live_{a14}"),
    ("flutterwave-key", "FLW~SECK-{h32}-X"),
    ("mollie-key", "li~ve_{a30}"),
    ("lob-key", "te~st_{h35}"),
    ("easypost-key", "EZ~AK{a54}"),
    ("shippo-key", "ship~po_live_{h40}"),
    ("duffel-token", "duf~fel_live_{w43}"),
    ("postman-key", "PM~AK-{h24}-{h34}"),
    ("figma-token", "fi~gd_{w40}"),
    ("sentry-token", "sntr~yu_{h64}"),
    ("grafana-token", "gl~sa_{a32}_{h8}"),
    ("newrelic-key", "NR~AK-{u27}"),
    ("honeycomb-key", "hca~ik_{l58}"),
    ("dynatrace-token", "dt~0c01.{u24}.{u64}"),
    ("notion-token", "nt~n_{a43}"),
    ("airtable-token", "pa~t{a14}.{h64}"),
    ("typeform-token", "tf~p_{w44}"),
    ("contentful-token", "CFP~AT-{w43}"),
    ("prefect-token", "pn~u_{a36}"),
    ("readme-key", "rd~me_{l70}"),
    ("launchdarkly-key", "sd~k-{U}"),
    ("mapbox-token", "sk.e~yJ{w80}.{w22}"),
    ("posthog-key", "ph~x_{a43}"),
    ("dropbox-token", "s~l.u.{w140}"),
    ("cloudinary-url", "cloudi~nary://{d15}:<{w27}>@name"),
    ("hubspot-token", "pat-~na1-{U}"),
    ("jwt", "ey~JhbGciOiJIUzI1NiJ9.ey~J{w90}.{w43}"),
    ("private-key", "<-----BEGIN RSA PRIV~ATE KEY-----\n{b64}\n{b64}\n{b44}\n-----END RSA PRIV~ATE KEY----->"),
    ("private-key", "<-----BEGIN OPENSSH PRIV~ATE KEY-----\n{b70}\n{b70}\n{b40}\n-----END OPENSSH PRIV~ATE KEY----->"),
    ("putty-key", "Private-Li~nes: 2\n<{b64}\n{b40}>\n"),
    ("kubeconfig-key", "client-key-~data: <{b1600}>"),
    ("wireguard-key", "[Interface]\nPrivate~Key = <{b43}=>\n"),
];

/// What only a name tells; the whole line as it is written.
const NAMED: &[(&str, &str)] = &[
    ("aws-secret-key", "aws_secret_access_key = <{b40}>\n"),
    ("aws-secret-key", "\"SecretAccessKey\": \"<{b40}>\",\n"),
    ("aws-secret-key", "export AWS_SECRET_ACCESS_KEY='<{b40}>'\n"),
    ("aws-session-token", "aws_session_token=<{b300}>\n"),
    ("alibaba-secret-key", "ALIYUN_ACCESS_KEY_SECRET=<{a30}>\n"),
    ("heroku-api-key", "HEROKU_API_KEY=<{U}>\n"),
    ("cloudflare-token", "CLOUDFLARE_API_TOKEN: <{w40}>\n"),
    ("vercel-token", "VERCEL_TOKEN=\"<{a24}>\"\n"),
    ("scaleway-secret", "scw_secret_key = \"<{U}>\"\n"),
    ("linode-token", "linode_token = \"<{h64}>\"\n"),
    ("npmrc-auth", "//registry.npmjs.org/:_authToken=<{a36}>\n"),
    ("docker-config-auth", "{\"auths\":{\"r.io\":{\"au~th\":\"<{b40}>\"}}}\n"),
    ("snyk-token", "SNYK_TOKEN=<{U}>\n"),
    ("codecov-token", "codecov_token: <{U}>\n"),
    ("travis-token", "TRAVIS_TOKEN=<{a22}>\n"),
    ("gitea-token", "gitea_runner_token: <{h40}>\n"),
    ("mistral-key", "MISTRAL_API_KEY=<{a32}>\n"),
    ("zai-key", "ZAI_API_KEY=<{h32}.{a16}>\n"),
    ("wandb-key", "WANDB_API_KEY=<{h40}>\n"),
    ("discord-token", "DISCORD_TOKEN = \"<M{a23}.{a6}.{a38}>\"\n"),
    ("twilio-key", "twilio_auth_token: '<{h32}>'\n"),
    ("mailgun-signing-key", "MAILGUN_KEY=<{h32}-{h8}-{h8}>\n"),
    ("postmark-token", "POSTMARK_API_TOKEN=<{U}>\n"),
    ("twitter-secret", "TWITTER_CONSUMER_SECRET=<{a50}>\n"),
    ("linkedin-secret", "linkedin_client_secret = \"<{a16}>\"\n"),
    ("ethereum-key", "PRIVATE_KEY=<0x{h64}>\n"),
    ("datadog-key", "DD_API_KEY=<{h32}>\n"),
    ("algolia-key", "ALGOLIA_ADMIN_KEY=<{h32}>\n"),
    ("okta-token", "okta_api_token = \"<00{w40}>\"\n"),
    ("zendesk-secret", "ZENDESK_API_TOKEN=<{a40}>\n"),
    ("url-password", "DATABASE_URL=postgres://app:<{a14}>@db.internal:5432/app\n"),
    ("url-password", "mongodb+srv://svc:<{a20}>@c0.mongodb.net/x\n"),
    ("url-password", "git remote add o https://oauth2:<{a24}>@git.corp.net/a.git\n"),
    ("jdbc-password", "jdbc:mysql://h/db?user=app&password=<{a12}>\n"),
    ("jdbc-password", "Server=db;Database=x;User Id=app;Password=<{a14}>;\n"),
    ("authorization-header", "-H 'Authorization: Bearer <{a40}>'\n"),
    ("authorization-header", "\"Authorization\": \"Basic <{b36}>\"\n"),
    ("curl-login", "curl -sS -u deploy:<{a14}> https://host/x\n"),
    ("netrc-password", "machine api.host.com login me password <{a16}>\n"),
    ("framework-secret", "SECRET_KEY = '<{p50}>'\n"),
    ("framework-secret", "APP_KEY=base64:<{b43}=>\n"),
    ("generic-secret", "api_key = \"<{a32}>\"\n"),
    ("generic-secret", "const apiKey = '<{a24}>';\n"),
    ("generic-secret", "\"client_secret\": \"<{w40}>\",\n"),
    ("generic-secret", "  auth-token: <{h40}>\n"),
    ("generic-secret", "ENCRYPTION_KEY=<{h64}>\n"),
    ("generic-secret", "{\\\"access_token\\\":\\\"<{a40}>\\\"}\n"),
    ("generic-secret", "token := \"<{a28}>\"\n"),
    ("generic-secret", "config['secret'] = '<{a32}>'\n"),
    ("generic-secret", ":webhook_secret => \"<{h40}>\"\n"),
    ("generic-password", "password = \"<{p14}>\"\n"),
    ("generic-password", "\"password\": \"<{a12}>\",\n"),
    ("generic-password", "db_passwd: '<{p16}>'\n"),
    ("env-password", "POSTGRES_PASSWORD=<{a16}>\n"),
    ("env-password", "export SMTP_PASSWORD=<{a12}>\n"),
];

/// Where a form is written: path, before, after.
const PLACES: &[(&str, &str, &str)] = &[
    ("src/settings.py", "API = \"", "\"\n"),
    (".env", "THE_THING=", "\n"),
    ("deploy.yaml", "  - name: x\n    value: ", "\n"),
    ("config.json", "{\"a\": \"", "\", \"b\": 2}\n"),
    ("transcript.jsonl", "{\"text\":\"I put x=\\\"", "\\\" into it\\n\"}\n"),
    ("run.sh", "curl -H 'X-Thing: ", "' https://host/path\n"),
    ("README.md", "Use `", "` as before.\n"),
];

/// Samples that are made of each form at each place.
const ROUNDS: usize = 6;

/// All samples, always the same ones.
pub fn samples() -> impl Iterator<Item = Sample> {
    let mut dice = Dice(0x5eed);
    let mut samples = Vec::new();
    for (rule, form) in FORMS {
        for (path, before, after) in PLACES.iter().cycle().take(PLACES.len() * ROUNDS) {
            // What has lines of its own does not stand within one.
            let (before, after) = if form.ends_with('\n') { ("", "") } else { (*before, *after) };
            if form.contains('\n') && path.ends_with(".jsonl") {
                continue;
            }
            let (text, secret) = fill(form, &mut dice);
            let text = format!("# a line\n{before}{text}{after}end\n");
            samples.push(Sample { rule, is_form: true, path: (*path).to_owned(), text, secret });
        }
    }
    for (rule, line) in NAMED {
        for _ in 0..ROUNDS * 4 {
            let (text, secret) = fill(line, &mut dice);
            samples.push(Sample { rule, is_form: false, path: "a/settings".to_owned(), text, secret });
        }
    }
    samples.into_iter()
}

/// The text of a form, and the part between `<` and `>` or all of it.
fn fill(form: &str, dice: &mut Dice) -> (String, String) {
    let mut text = String::new();
    let (mut from, mut to) = (0, None);
    let mut rest = form;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            // The one that is part of a form is written twice.
            '~' if rest.starts_with('~') => {
                text.push('~');
                rest = &rest[1..];
            }
            '~' => {}
            '<' => from = text.len(),
            '>' if rest.is_empty() || from > 0 || form.starts_with('<') && to.is_none() => to = Some(text.len()),
            '{' if rest.find('}').is_some_and(|end| end <= 5) && !rest.starts_with(['\\', '"']) => {
                let end = rest.find('}').expect("it was found");
                let (kind, count) = rest[..end].split_at(1);
                text.push_str(&dice.word(kind, count.parse().unwrap_or(0)));
                rest = &rest[end + 1..];
            }
            c => text.push(c),
        }
    }
    let secret = text[from..to.unwrap_or(text.len())].to_owned();
    (text, secret)
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn word(&mut self, kind: &str, count: usize) -> String {
        const HEX: &str = "0123456789abcdef";
        const SMALL: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
        const LARGE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let both = format!("{SMALL}{}", &LARGE[..26]);
        let letters = match kind {
            "h" => HEX.to_owned(),
            "l" => SMALL.to_owned(),
            "u" => LARGE.to_owned(),
            "t" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".to_owned(),
            "g" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".to_owned(),
            "d" => "0123456789".to_owned(),
            "w" => format!("{both}_-"),
            "b" => format!("{both}+/"),
            "p" => format!("{both}!@#^&*_+?~"),
            "U" => return [8, 4, 4, 4, 12].map(|length| self.word("h", length)).join("-"),
            _ => both,
        };
        let letters = letters.as_bytes();
        let mut word: String = (0..count).map(|_| char::from(letters[self.below(letters.len())])).collect();
        // Forms end in a letter: a `-` at the end of a word is no boundary.
        if word.ends_with(['-', '_', '+', '/']) || "p".contains(kind) {
            word.pop();
            word.push('7');
        }
        if kind == "d" && word.starts_with('0') {
            word.replace_range(..1, "1");
        }
        word
    }
}
