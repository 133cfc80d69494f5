//! Keys of the other services that programs are built on.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, assigned, form, named};

pub(super) const RULES: &[Rule] = &[
    form("postman-key", "an API key of Postman", &["pmak-"], r"\b(PMAK-[a-f0-9]{24}-[a-f0-9]{34})\b"),
    form("figma-token", "a token of Figma", &["figd_", "figo_", "figu_"], r"\b(fig[dou]_[\w-]{38,60})").bits(3.5),
    form(
        "sentry-token",
        "a token of Sentry",
        &["sntrys_eyj", "sntryu_"],
        r"\b(sntrys_eyJ[A-Za-z0-9+/=_]{80,400}|sntryu_[a-f0-9]{64})",
    )
    .bits(3.0),
    form(
        "grafana-token",
        "a token of Grafana",
        &["glsa_", "glc_"],
        r"\b(glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}|glc_[A-Za-z0-9+/]{40,400}={0,2})",
    )
    .bits(3.5),
    form("newrelic-key", "a key of New Relic", &["nrak-", "nrii-", "nraa-"], r"\b(NR(?:AK|II|AA)-[\w-]{20,42})\b")
        .bits(3.0),
    named(
        "datadog-key",
        "a key of Datadog",
        &["datadog", "dd_api", "dd_app"],
        assigned!("(?:datadog|dd_(?:api|app))[\\w .-]{0,20}?key", "[a-f0-9]{32}|[a-f0-9]{40}"),
    ),
    form(
        "honeycomb-key",
        "a key of Honeycomb",
        &["hcaik_", "hcbik_", "hccik_", "hcdik_", "hcxik_", "hcalk_"],
        r"\b(hc[a-z](?:ik|lk|mk)_[a-z0-9]{40,64})\b",
    )
    .bits(3.3),
    form("dynatrace-token", "a token of Dynatrace", &["dt0"], r"\b(dt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64})\b")
        .bits(3.5),
    form(
        "notion-token",
        "a token of Notion",
        &["ntn_", "secret_"],
        r"\b(ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})\b",
    )
    .bits(3.8),
    form("airtable-token", "a token of Airtable", &["pat"], r"\b(pat[A-Za-z0-9]{14}\.[a-f0-9]{64})\b"),
    form("typeform-token", "a token of Typeform", &["tfp_"], r"\b(tfp_[\w.=-]{40,70})").bits(3.5),
    form("contentful-token", "a token of Contentful", &["cfpat-"], r"\b(CFPAT-[\w-]{43})").bits(3.5),
    form("prefect-token", "a token of Prefect", &["pnu_", "pnb_"], r"\b(pn[ub]_[A-Za-z0-9]{36})\b").bits(3.5),
    form("readme-key", "a key of ReadMe", &["rdme_"], r"\b(rdme_[a-z0-9]{70})\b").bits(3.3),
    form(
        "launchdarkly-key",
        "a key of LaunchDarkly",
        &["sdk-", "api-", "launchdarkly"],
        r"\b((?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",
    ),
    form("mapbox-token", "a secret token of Mapbox", &["sk.eyj"], r"\b(sk\.eyJ[\w-]{60,300}\.[\w-]{20,30})").bits(3.5),
    form("posthog-key", "a personal key of PostHog", &["phx_"], r"\b(phx_[A-Za-z0-9]{40,64})\b").bits(3.5),
    form("dropbox-token", "a token of Dropbox", &["sl."], r"\b(sl\.(?:u\.)?[\w-]{120,1400})").bits(4.0),
    form("cloudinary-url", "a login to Cloudinary", &["cloudinary://"], r"cloudinary://\d{10,20}:([\w-]{20,40})@")
        .bits(3.3),
    named(
        "algolia-key",
        "an admin key of Algolia",
        &["algolia"],
        assigned!("algolia[\\w .-]{0,20}?(?:key|secret)", "[a-f0-9]{32}"),
    ),
    named("okta-token", "a token of Okta", &["okta"], assigned!("okta[\\w .-]{0,20}?(?:token|key)", "00[\\w-]{40}"))
        .bits(3.8),
    named(
        "zendesk-secret",
        "a secret of Zendesk, Asana or PagerDuty",
        &["zendesk", "asana", "pagerduty", "freshdesk", "hubspot"],
        assigned!(
            "(?:zendesk|asana|pagerduty|freshdesk|hubspot)[\\w .-]{0,20}?(?:secret|token|key)",
            "[A-Za-z0-9+_-]{20,64}"
        ),
    )
    .bits(3.6),
    form(
        "hubspot-token",
        "a private app token of HubSpot",
        &["pat-na", "pat-eu"],
        r"\b(pat-(?:na|eu)\d-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",
    ),
];
