//! Keys of payment services and shops.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, form, named};

pub(super) const RULES: &[Rule] = &[
    form(
        "stripe-key",
        "a secret key of Stripe",
        &["sk_live_", "rk_live_", "sk_test_", "rk_test_", "sk_prod_", "rk_prod_"],
        r"\b((?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{16,250})\b",
    )
    .bits(3.3),
    form("stripe-webhook-secret", "a webhook secret of Stripe", &["whsec_"], r"\b(whsec_[A-Za-z0-9+/]{32,64}={0,2})")
        .bits(3.5),
    form(
        "square-token",
        "a token of Square",
        &["eaaa", "sq0atp-", "sq0csp-"],
        r"\b(EAAA[\w-]{60}|sq0(?:atp|csp)-[\w-]{22,43})\b",
    )
    .bits(3.5),
    form(
        "braintree-token",
        "an access token of Braintree",
        &["access_token$production$"],
        r"(access_token\$production\$[a-z0-9]{16}\$[a-f0-9]{32})",
    ),
    form(
        "shopify-token",
        "a token of Shopify",
        &["shpat_", "shpca_", "shppa_", "shpss_", "shptka_"],
        r"\b(shp(?:at|ca|pa|ss|tka)_[a-fA-F0-9]{32})\b",
    ),
    form(
        "plaid-token",
        "an access token of Plaid",
        &["access-sandbox-", "access-development-", "access-production-"],
        r"\b(access-(?:sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b",
    ),
    form("razorpay-key", "a key of Razorpay", &["rzp_live_", "rzp_test_"], r"\b(rzp_(?:live|test)_[A-Za-z0-9]{14})\b")
        .bits(3.3),
    form(
        "flutterwave-key",
        "a secret key of Flutterwave",
        &["flwseck"],
        r"\b(FLWSECK(?:_TEST)?-[a-z0-9]{12,40}(?:-X)?)\b",
    )
    .bits(3.0),
    form("mollie-key", "a live key of Mollie or GoCardless", &["live_"], r"\b(live_[A-Za-z0-9_-]{30,44})(?:[^\w-]|$)")
        .bits(4.0),
    form("lob-key", "a key of Lob", &["live_", "test_"], r"\b((?:live|test)_[a-f0-9]{35})\b"),
    form("easypost-key", "a key of EasyPost", &["ezak", "eztk"], r"\b(EZ[AT]K[A-Za-z0-9]{54})\b").bits(3.5),
    form(
        "shippo-key",
        "a token of Shippo",
        &["shippo_live_", "shippo_test_"],
        r"\b(shippo_(?:live|test)_[a-fA-F0-9]{40})\b",
    ),
    form("duffel-token", "a token of Duffel", &["duffel_"], r"\b(duffel_(?:test|live)_[\w=-]{43})").bits(3.5),
    named(
        "ethereum-key",
        "a private key of a wallet",
        &["private_key", "privatekey", "private-key", "wallet"],
        r#"(?i)(?:private[_-]?key|wallet)[\w .-]{0,20}["'\\]{0,4}\s{0,4}[:=,]\s{0,4}["'\\]{0,4}(0x[a-f0-9]{64})\b"#,
    ),
];
