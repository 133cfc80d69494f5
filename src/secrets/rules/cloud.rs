//! Keys of clouds, hosts and their vaults.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, assigned, form, named};

pub(super) const RULES: &[Rule] = &[
    form(
        "aws-access-key",
        "an access key of AWS",
        &["akia", "asia", "abia", "acca"],
        r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b",
    ),
    named(
        "aws-secret-key",
        "a secret key of AWS",
        &["aws", "secret_access_key", "secretaccesskey", "secretkey"],
        assigned!("aws[\\w .-]{0,20}?(?:secret|sk|key)|secret_?access_?key|secretKey", "[A-Za-z0-9/+]{40}"),
    )
    .bits(4.2),
    named(
        "aws-session-token",
        "a session token of AWS",
        &["session_token", "sessiontoken", "security_token", "securitytoken"],
        assigned!("(?:session|security)_?token", "[A-Za-z0-9/+]{100,2000}={0,2}"),
    )
    .bits(4.5),
    form("aws-bedrock-key", "an API key of Amazon Bedrock", &["absk"], r"\b(ABSK[A-Za-z0-9+/]{100,270}={0,2})")
        .bits(4.0),
    form("google-api-key", "an API key of Google", &["aiza"], r"\b(AIza[\w-]{35})(?:[^\w-]|$)").bits(3.5),
    form("google-oauth-secret", "an OAuth client secret of Google", &["gocspx-"], r"\b(GOCSPX-[\w-]{28})").bits(3.0),
    form("google-oauth-token", "an access token of Google", &["ya29."], r"\b(ya29\.[\w-]{30,2000})").bits(3.5),
    form("google-refresh-token", "a refresh token of Google", &["1//0"], r"(?:^|[^\w/])(1//0[\w-]{40,200})").bits(4.0),
    named(
        "azure-storage-key",
        "an account key of Azure Storage",
        &["accountkey", "sharedaccesskey"],
        r"(?i)(?:Account|SharedAccess)Key\s{0,4}=\s{0,4}([A-Za-z0-9+/]{42,87}={1,2})",
    )
    .bits(4.0),
    form(
        "azure-keyed-secret",
        "a key of an Azure service",
        &["+ast", "acdb", "azfu", "azsea", "+arm", "azcr", "jqqj99"],
        r"(?:^|[^A-Za-z0-9+/_-])([A-Za-z0-9+/_-]{40,80}(?:\+ASt|ACDb|AzFu|AzSe|\+ARm|\+ACR|JQQJ99)[A-Za-z0-9+/_-]{4,40}={0,2})(?:[^A-Za-z0-9+/=]|$)",
    )
    .bits(4.2),
    form(
        "azure-client-secret",
        "a client secret of Microsoft Entra",
        &["q~"],
        r#"(?:^|[\s'"`=:>(,\\])([A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34})(?:$|[\s'"`;,<)\\])"#,
    )
    .bits(3.5),
    form(
        "azure-shared-access",
        "a shared access signature of Azure",
        &["sig="],
        r"[?&;]sig=([A-Za-z0-9%/+]{43,80}(?:%3D|=))",
    )
    .bits(3.5),
    form("azure-devops-token", "a token of Azure DevOps", &["azdo"], r"\b([A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})\b").bits(4.0),
    form("alibaba-access-key", "an access key of Alibaba Cloud", &["ltai"], r"\b(LTAI[A-Za-z0-9]{12,20})\b").bits(3.0),
    named(
        "alibaba-secret-key",
        "a secret key of Alibaba Cloud",
        &["alibaba", "aliyun", "alicloud"],
        assigned!("ali(?:baba|yun|cloud)[\\w .-]{0,20}?(?:secret|key)", "[A-Za-z0-9]{30}"),
    )
    .bits(3.8),
    form("digitalocean-token", "a token of DigitalOcean", &["dop_v1_", "doo_v1_", "dor_v1_"], r"\b(do[opr]_v1_[a-f0-9]{64})\b"),
    form("heroku-token", "a token of Heroku", &["hrku-"], r"\b(HRKU-[\w-]{36,64})\b").bits(3.0),
    named(
        "heroku-api-key",
        "an API key of Heroku",
        &["heroku"],
        assigned!("heroku", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ),
    form("fly-token", "a token of Fly.io", &["fo1_", "fm1", "fm2_"], r"\b((?:fo1|fm[12][ar]?)_[A-Za-z0-9+/_=-]{43,2000})")
        .bits(4.0),
    named(
        "cloudflare-token",
        "a token of Cloudflare",
        &["cloudflare", "cf_api", "cf_token"],
        assigned!("cloudflare|cf_(?:api|token)", "[A-Za-z0-9_-]{37,40}"),
    )
    .bits(3.3),
    form("cloudflare-origin-key", "an Origin CA key of Cloudflare", &["v1.0-"], r"\b(v1\.0-[a-f0-9]{24}-[a-f0-9]{146})\b"),
    named("vercel-token", "a token of Vercel", &["vercel"], assigned!("vercel", "[A-Za-z0-9]{24}")).bits(3.8),
    form("netlify-token", "a token of Netlify", &["nfp_", "nfc_", "nfo_"], r"\b(nf[pco]_[A-Za-z0-9_]{36,60})\b").bits(3.5),
    form("vault-token", "a token of HashiCorp Vault", &["hvs.", "hvb.", "hvr."], r"\b(hv[sbr]\.[\w-]{24,300})").bits(3.5),
    form(
        "terraform-token",
        "a token of HCP Terraform",
        &[".atlasv1."],
        r"\b([A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70})",
    )
    .bits(3.5),
    form("pulumi-token", "a token of Pulumi", &["pul-"], r"\b(pul-[a-f0-9]{40})\b"),
    form(
        "doppler-token",
        "a token of Doppler",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        r"\b(dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{2,35}\.)?[A-Za-z0-9]{40,44})\b",
    )
    .bits(3.5),
    form(
        "planetscale-secret",
        "a password or token of PlanetScale",
        &["pscale_"],
        r"\b(pscale_(?:pw|tkn|oauth)_[\w=.-]{32,64})",
    )
    .bits(3.5),
    form("databricks-token", "a token of Databricks", &["dapi"], r"\b(dapi[a-f0-9]{32}(?:-\d)?)\b"),
    form("supabase-key", "a secret key of Supabase", &["sbp_", "sb_secret_"], r"\b(sbp_[a-f0-9]{40}|sb_secret_[\w-]{20,60})\b"),
    named(
        "scaleway-secret",
        "a secret key of Scaleway",
        &["scw_", "scaleway"],
        assigned!("(?:scw|scaleway)[\\w .-]{0,20}?(?:secret|token)", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ),
    form("yandex-key", "an API key of Yandex Cloud", &["aqvn"], r"\b(AQVN[\w-]{35,38})\b").bits(3.5),
    form("tailscale-key", "a key of Tailscale", &["tskey-"], r"\b(tskey-[a-z]{3,8}-[A-Za-z0-9]+-[A-Za-z0-9]{20,60})\b").bits(3.0),
    form(
        "onepassword-token",
        "a service account token of 1Password",
        &["ops_eyj"],
        r"\b(ops_eyJ[A-Za-z0-9+/_-]{200,2000}={0,3})",
    )
    .bits(4.0),
    form(
        "age-key",
        "a secret key of age",
        &["age-secret-key-1"],
        r"\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\b",
    ),
    named(
        "linode-token",
        "a token of Linode",
        &["linode"],
        assigned!("linode", "[a-f0-9]{64}"),
    ),
];
