//! Keys of chats, mail, telephones and social networks.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, assigned, form, named};

pub(super) const RULES: &[Rule] = &[
    form(
        "slack-token",
        "a token of Slack",
        &["xoxb-", "xoxa-", "xoxp-", "xoxe-", "xoxr-", "xoxs-", "xoxo-", "xoxc-", "xoxd-", "xoxe."],
        r"\b(xox[abceoprsd]-(?:\d+-)*[A-Za-z0-9%+/-]{10,400}|xoxe\.xox[bp]-\d-[A-Z0-9]{100,300})",
    )
    .bits(3.0),
    form("slack-app-token", "an app token of Slack", &["xapp-"], r"\b(xapp-\d-[A-Z0-9]+-\d+-[A-Za-z0-9]{20,100})\b").bits(3.0),
    form(
        "slack-webhook",
        "a webhook of Slack",
        &["hooks.slack.com"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{40,120})",
    )
    .bits(3.3),
    form(
        "discord-webhook",
        "a webhook of Discord",
        &["/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/\d{15,22}/([\w-]{60,80})",
    )
    .bits(3.5),
    named(
        "discord-token",
        "a bot's token of Discord",
        &["discord", "bot_token", "bottoken", "bot "],
        r#"(?i)(?:discord|bot)[\w \t.-]{0,20}(?-i)["'\\]{0,4}[\s:=(,]{1,6}["'`\\]{0,4}([MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,45})"#,
    )
    .bits(4.0),
    form("telegram-token", "a bot's token of Telegram", &[":aa"], r"\b(\d{8,10}:AA[\w-]{32,33})(?:[^\w-]|$)").bits(3.5),
    form(
        "teams-webhook",
        "a webhook of Microsoft Teams",
        &["webhook.office.com"],
        r"webhook\.office\.com/webhookb2/([0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[a-f0-9]{32}/[0-9a-f-]{36})",
    ),
    named(
        "twilio-key",
        "a token or key of Twilio",
        &["twilio"],
        assigned!("twilio[\\w .-]{0,20}?(?:token|key|secret|sid)?", "SK[a-f0-9]{32}|[a-f0-9]{32}"),
    ),
    form("sendgrid-key", "an API key of SendGrid", &["sg."], r"\b(SG\.[\w-]{16,32}\.[\w-]{16,64})\b").bits(3.5),
    form("mailgun-key", "an API key of Mailgun", &["key-"], r"\b(key-[a-f0-9]{32})\b"),
    named(
        "mailgun-signing-key",
        "a key of Mailgun",
        &["mailgun"],
        assigned!("mailgun", "[a-f0-9]{32}-[a-f0-9]{8}-[a-f0-9]{8}"),
    ),
    form("mailchimp-key", "an API key of Mailchimp", &["-us"], r"\b([a-f0-9]{32}-us\d{1,2})\b"),
    form("brevo-key", "an API key of Brevo", &["xkeysib-", "xsmtpsib-"], r"\b(x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16})\b"),
    named(
        "postmark-token",
        "a server token of Postmark",
        &["postmark"],
        assigned!("postmark", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ),
    form("facebook-token", "an access token of Meta", &["eaa"], r"\b(EAA[A-Za-z0-9]{90,400})\b").bits(4.0),
    form("twitter-bearer", "a bearer token of X", &["aaaaaaaaaaaaaaaaaaa"], r"\bA{21}([A-Za-z0-9%]{60,120})").bits(3.5),
    named(
        "twitter-secret",
        "a secret of X",
        &["twitter", "consumer_secret", "consumersecret"],
        assigned!("twitter[\\w .-]{0,20}?secret|consumer_?secret", "[A-Za-z0-9]{40,55}"),
    )
    .bits(3.8),
    named(
        "linkedin-secret",
        "a client secret of LinkedIn",
        &["linkedin"],
        assigned!("linkedin[\\w .-]{0,20}?secret", "[A-Za-z0-9]{16}"),
    ),
];
