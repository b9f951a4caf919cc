//! Formats of service keys, as data: one row a format, with the service and where it is described.

use super::word_table::byte_sets;

/// The sorts of characters.
const DIGIT: u16 = 1;
const HEX: u16 = 2;
const SMALL: u16 = 4;
const CAPITAL: u16 = 8;
const DASH: u16 = 16;
const DOT: u16 = 32;
const SIGN: u16 = 64;
const TILDE: u16 = 128;
/// A digit, a capital and a small letter are required: the prefix alone proves little.
const MIXED: u16 = 256;
/// The seventh character is a point, and the only one.
const SIX: u16 = 512;

const ALNUM: u16 = DIGIT | HEX | SMALL | CAPITAL;
const URL: u16 = ALNUM | DASH;
const DOTTED: u16 = URL | DOT;

/// The characters after a prefix, by their sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(in crate::kernel) enum Alphabet {
    Digits = DIGIT,
    Upper = DIGIT | CAPITAL,
    UpperDash = DIGIT | CAPITAL | DASH,
    Lower = DIGIT | HEX | SMALL,
    Hex = DIGIT | HEX,
    Uuid = DIGIT | HEX | DASH,
    Alnum = ALNUM,
    AlnumMixed = ALNUM | MIXED,
    Url = URL,
    UrlMixed = URL | MIXED,
    Dotted = DOTTED,
    SixDotUrl = DOTTED | SIX,
    Base64 = URL | SIGN,
    Tilde = DOTTED | TILDE,
}

impl Alphabet {
    #[allow(clippy::as_conversions)] // `From` is not const
    const fn bits(self) -> u16 {
        self as u16
    }

    #[inline]
    pub(in crate::kernel) fn has(self, byte: u8) -> bool {
        SORTS.get(usize::from(byte)).is_some_and(|sort| sort & self.bits() != 0)
    }

    pub(in crate::kernel) fn is_mixed(self) -> bool {
        self.bits() & MIXED != 0
    }

    /// Returns `true` if characters of the alphabet also have its order or mixture.
    pub(in crate::kernel) fn accepts(self, body: &[u8]) -> bool {
        let points = body.iter().filter(|byte| **byte == b'.').count();
        let mixed = body.iter().any(u8::is_ascii_digit)
            && body.iter().any(u8::is_ascii_uppercase)
            && body.iter().any(u8::is_ascii_lowercase);
        (mixed || !self.is_mixed())
            && (body.get(6) == Some(&b'.') && points == 1 || self != Alphabet::SixDotUrl)
    }
}

/// The sort of each byte.
static SORTS: [u16; 256] = byte_sets(&[
    (DIGIT, "0123456789", "digits"),
    (HEX, "abcdef", "of hexadecimal numbers"),
    (SMALL, "ghijklmnopqrstuvwxyz", "other small letters"),
    (CAPITAL, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "capitals"),
    (DASH, "-_", "of base64url"),
    (DOT, ".", "between parts"),
    (SIGN, "+/=", "of base64"),
    (TILDE, "~", "of Microsoft Entra"),
]);

/// Prefixes separated by spaces, the alphabet after them, least and most characters, and the source. No
/// most is needed if the alphabet has the prefix's punctuation: adjacent keys are redacted together.
pub(in crate::kernel) type KeyFormat = (&'static str, Alphabet, usize, usize, &'static str);

/// No most: the body ends where its alphabet does, with any text after it.
pub(in crate::kernel) const ANY: usize = usize::MAX;

/// A key with a mark inside: how the head begins, its alphabet, least and most characters (with the
/// beginning), the mark, the same of the tail, and the source.
pub(in crate::kernel) type MarkedFormat =
    (&'static str, Alphabet, usize, usize, &'static str, Alphabet, usize, usize, &'static str);

use Alphabet::*;

/// Checksums are not verified: a mistyped key is still a secret. Public keys have no row.
// [PRIV-103]
#[rustfmt::skip]
pub(in crate::kernel) const KEY_FORMATS: &[KeyFormat] = &[
    // Clouds and hosting.
    ("AKIA ASIA ABIA ACCA", Upper, 16, 16, "Amazon Web Services, IAM identifiers: unique prefixes"),
    ("ABSK bedrock-api-key-", Base64, 100, ANY, "Amazon Bedrock, API keys, long and short term"),
    ("AIza", Url, 35, ANY, "Google Cloud, API keys"),
    ("AQ.Ab", Url, 40, ANY, "Google Gemini API, authorization keys"),
    ("GOCSPX-", Url, 28, ANY, "Google Identity, OAuth client secrets"),
    ("ya29.", Dotted, 30, ANY, "Google Identity, OAuth access tokens"),
    ("LTAI", Alnum, 12, 26, "Alibaba Cloud, RAM AccessKey pairs"),
    ("AKID", Alnum, 32, 32, "Tencent Cloud, CAM access keys"),
    ("AQVN", Url, 35, ANY, "Yandex Cloud, API keys of service accounts"),
    ("y0_", Url, 50, ANY, "Yandex ID, OAuth tokens"),
    ("dop_v1_ doo_v1_ dor_v1_", Hex, 64, 64, "DigitalOcean, API reference: token formats"),
    ("HRKU-", Url, 36, ANY, "Heroku, Platform API: authorization tokens"),
    ("fm1_ fm2_ fm1r_ fm1a_", Base64, 100, ANY, "Fly.io, access tokens (macaroons)"),
    ("fo1_", Url, 43, ANY, "Fly.io, authentication tokens"),
    ("nfp_ nfc_ nfo_ nfb_ nfu_", Alnum, 36, 64, "Netlify, token prefixes"),
    ("vck_ vcp_ vci_ vca_ vcr_ vercel_blob_rw_", Url, 24, ANY, "Vercel, keys, access and Blob tokens"),
    ("rnd_", Alnum, 28, 40, "Render, API keys"),
    ("v1.0-", Uuid, 171, 171, "Cloudflare, Origin CA keys"),
    ("cfk_ cfut_ cfat_", Alnum, 48, 48, "Cloudflare, token formats: 40 characters and a checksum"),
    ("ddp_ ddw_", Alnum, 36, 36, "Deno Deploy, access tokens"),
    ("tk-us-", Url, 48, 48, "Scalingo, API tokens"),
    ("ory_pat_ ory_st_ ory_at_ ory_rt_", Dotted, 32, ANY, "Ory, token formats"),
    ("AVNS_", Url, 19, 19, "Aiven, service passwords"),
    // Source code, builds and packages.
    ("ghp_ gho_ ghu_ ghr_", Alnum, 36, 255, "GitHub, token formats"),
    ("ghs_", Dotted, 36, ANY, "GitHub, installation tokens, with points since May 2026"),
    ("github_pat_", Url, 60, ANY, "GitHub, fine-grained personal access tokens"),
    ("glpat- glrt- glrtr-", Dotted, 20, ANY, "GitLab, token overview: prefixes"),
    ("gldt- glcbt- glsoat- glft- glimt- glagent-", Url, 20, ANY, "GitLab, token overview: prefixes"),
    ("gloas- glffct- glwt-", Url, 20, ANY, "GitLab, token overview: prefixes"),
    ("glptt-", Hex, 40, 40, "GitLab, pipeline trigger tokens"),
    ("GR1348941", Url, 20, 20, "GitLab, runner registration tokens"),
    ("ATATT3 ATCTT3", Base64, 100, ANY, "Atlassian, API and access tokens"),
    ("ATBB", Alnum, 32, 32, "Bitbucket, app passwords"),
    ("BBDC-", Base64, 40, ANY, "Bitbucket Data Center, HTTP access tokens"),
    ("ATTA", Alnum, 72, 72, "Trello, API tokens"),
    ("npm_", Alnum, 36, 36, "npm, access tokens"),
    ("pypi-AgE", Url, 32, ANY, "PyPI, API tokens"),
    ("rubygems_", Hex, 48, 48, "RubyGems, API keys"),
    ("cio", Alnum, 32, 32, "crates.io, API tokens"),
    ("oy2", Lower, 43, 43, "NuGet, API keys"),
    ("CLOJARS_", Hex, 60, 60, "Clojars, deploy tokens"),
    ("dckr_pat_ dckr_oat_", Url, 27, ANY, "Docker Hub, access tokens"),
    ("AKCp", Alnum, 69, 69, "JFrog Artifactory, API keys"),
    ("cmVmdGtuO", Alnum, 55, 55, "JFrog Artifactory, reference tokens"),
    ("CCIPAT_ CCIPRJ_", Url, 60, ANY, "CircleCI, API tokens"),
    ("bkua_", Hex, 40, 40, "Buildkite, API access tokens"),
    ("sqp_ squ_ sqa_", Hex, 40, 40, "SonarQube, tokens"),
    ("sqco_", Alnum, 59, 59, "SonarQube Cloud, tokens"),
    ("snyk_uat. snyk_sat.", Dotted, 40, ANY, "Snyk, personal and service account tokens"),
    ("pul-", Hex, 40, 40, "Pulumi Cloud, access tokens"),
    ("ico-", Alnum, 32, 32, "Infracost, API keys"),
    ("API-", Upper, 26, 26, "Octopus Deploy, API keys"),
    ("pat. sat.", Dotted, 68, 68, "Harness, API keys"),
    ("pnu_ pnb_", Alnum, 36, 36, "Prefect Cloud, API keys"),
    ("sgp_ slk_", Url, 40, ANY, "Sourcegraph, access tokens; Segment, Public API tokens"),
    ("gitpod_pat_", Dotted, 40, ANY, "Gitpod, personal access tokens"),
    ("sm_aat_ sm_pat_ sm_sat_", Alnum, 16, 16, "SettleMint, access tokens"),
    ("tr_dev_ tr_prod_ tr_pat_", Alnum, 20, 64, "Trigger.dev, API keys"),
    ("signkey-prod- signkey-test-", Hex, 32, 64, "Inngest, signing keys"),
    // Language models and what serves them.
    ("sk-ant-", Url, 20, ANY, "Anthropic, API keys and OAuth tokens"),
    ("sk-proj- sk-svcacct- sk-admin- sk-None-", Url, 20, ANY, "OpenAI, API keys"),
    ("sk-", Alnum, 30, 128, "OpenAI, user keys; DeepSeek and others that use the format"),
    ("sk-", UrlMixed, 20, ANY, "LiteLLM and other gateways, virtual keys"),
    ("sk-or-v1-", Hex, 32, 128, "OpenRouter, API keys"),
    ("sk-lf-", Uuid, 36, 36, "Langfuse, secret keys"),
    ("sk-helicone-", Url, 20, ANY, "Helicone, API keys"),
    ("sk_", Hex, 48, 48, "ElevenLabs, API keys"),
    ("lsv2_pt_ lsv2_sk_", Url, 40, ANY, "LangSmith, API keys"),
    ("hf_", Alnum, 30, 128, "Hugging Face, user access tokens"),
    ("api_org_", Alnum, 34, 34, "Hugging Face, organization tokens"),
    ("gsk_ pplx-", Alnum, 40, 128, "Groq, Perplexity: API keys"),
    ("xai-", Url, 40, ANY, "xAI, API keys"),
    ("r8_", Url, 37, 37, "Replicate, API tokens"),
    ("nvapi-", Url, 60, ANY, "NVIDIA NIM, API keys"),
    ("csk-", Lower, 48, 48, "Cerebras, API keys"),
    ("fw_", AlnumMixed, 22, 24, "Fireworks AI, API keys"),
    ("tgp_v1_", Url, 43, ANY, "Together AI, API keys"),
    ("tvly-", Url, 32, ANY, "Tavily, API keys"),
    ("jina_", Alnum, 50, 80, "Jina AI, API keys"),
    ("pa-", UrlMixed, 43, 43, "Voyage AI, API keys"),
    ("nk-", UrlMixed, 43, 43, "Nomic Atlas, API keys"),
    ("pcsk_", Url, 60, ANY, "Pinecone, API keys"),
    ("llx-", Alnum, 48, 48, "LlamaCloud, API keys"),
    ("m0-", Alnum, 40, 40, "Mem0, API keys"),
    ("e2b_", Hex, 40, 40, "E2B, API keys"),
    ("ak- as-", AlnumMixed, 22, 22, "Modal, token ids and secrets"),
    ("fc-", Hex, 32, 32, "Firecrawl, API keys"),
    ("bb_live_", Url, 24, ANY, "Browserbase, API keys"),
    ("apify_api_", Alnum, 36, 36, "Apify, API tokens"),
    ("key_", Hex, 64, 64, "Cursor, API keys"),
    // Payments and commerce.
    ("sk_live_ sk_test_ sk_prod_", Alnum, 16, 255, "Stripe, Clerk, Paystack, WorkOS: secret keys"),
    ("rk_live_ rk_test_ rk_prod_", Alnum, 16, 255, "Stripe, restricted keys"),
    ("sk_org_live_ sk_org_test_", Alnum, 16, 255, "Stripe, organization keys"),
    ("whsec_", Base64, 24, ANY, "Stripe, Standard Webhooks: signing secrets"),
    ("sq0csp- sq0csb- sq0atp-", Url, 22, ANY, "Square, application secrets and access tokens"),
    ("EAAA", Url, 60, 60, "Square, access tokens"),
    ("shpat_ shpca_ shppa_ shpss_", Hex, 32, 32, "Shopify, Admin API tokens"),
    ("ck_ cs_", Hex, 40, 40, "WooCommerce, REST API keys"),
    ("access-sandbox- access-production-", Uuid, 36, 36, "Plaid, access tokens"),
    ("access-development-", Uuid, 36, 36, "Plaid, access tokens"),
    ("FLWSECK_TEST- FLWSECK-", Url, 34, ANY, "Flutterwave, secret keys"),
    ("xnd_production_ xnd_development_", Alnum, 40, 100, "Xendit, secret keys"),
    ("Mid-server- SB-Mid-server-", Url, 20, ANY, "Midtrans, server keys"),
    ("APP_USR-", Url, 60, ANY, "Mercado Pago, access tokens"),
    ("pdl_live_apikey_ pdl_sdbx_apikey_", Url, 40, ANY, "Paddle, API keys"),
    ("polar_oat_", Url, 30, ANY, "Polar, organization access tokens"),
    ("live_", UrlMixed, 30, ANY, "GoCardless, Mollie: access tokens"),
    ("live_ test_", Hex, 35, 35, "Lob, API keys"),
    ("EZAK EZTK", Alnum, 54, 54, "EasyPost, API keys"),
    ("shippo_live_ shippo_test_", Hex, 40, 40, "Shippo, API tokens"),
    ("duffel_live_ duffel_test_", Base64, 43, ANY, "Duffel, access tokens"),
    // Messages and mail.
    ("xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxc-", Url, 20, ANY, "Slack, token types"),
    ("xoxd-", Base64, 20, ANY, "Slack, session cookies"),
    ("xoxe- xapp- xwfp-", Url, 20, ANY, "Slack, token types"),
    ("xoxe.", Dotted, 20, ANY, "Slack, token rotation"),
    ("hooks.slack.com/services/ hooks.slack.com/triggers/", Base64, 36, ANY, "Slack, webhooks"),
    ("hooks.slack.com/workflows/", Base64, 36, ANY, "Slack, webhooks"),
    ("discord.com/api/webhooks/ discordapp.com/api/webhooks/", Base64, 60, ANY, "Discord, webhooks"),
    ("SG.", Dotted, 60, ANY, "Twilio SendGrid, API keys"),
    ("SK", Hex, 32, 32, "Twilio, API key SIDs"),
    ("key-", Lower, 32, 32, "Mailgun, API keys"),
    ("md-", UrlMixed, 22, 22, "Mailchimp Transactional, API keys"),
    ("xkeysib- xsmtpsib-", Url, 80, ANY, "Brevo, API and SMTP keys"),
    ("re_", UrlMixed, 30, ANY, "Resend, API keys"),
    ("os_v2_app_ os_v2_org_", Lower, 90, 120, "OneSignal, API keys"),
    ("pat-na1- pat-na2- pat-eu1-", Uuid, 36, 36, "HubSpot, private app access tokens"),
    ("pk_", Hex, 34, 34, "Klaviyo, private API keys"),
    ("EAA", Alnum, 100, ANY, "Meta, Graph API access tokens"),
    ("IGQ", Url, 100, ANY, "Instagram, access tokens"),
    ("sec-c-", Base64, 36, ANY, "PubNub, secret keys"),
    ("secret-live- secret-test-", Base64, 36, ANY, "Stytch, project secrets"),
    // Databases and data.
    ("pscale_tkn_ pscale_oauth_ pscale_pw_", Dotted, 32, ANY, "PlanetScale, tokens and passwords"),
    ("napi_", Lower, 64, 64, "Neon, API keys"),
    ("sbp_ sbp_oauth_", Hex, 40, 40, "Supabase, access tokens"),
    ("sb_secret_", Url, 31, ANY, "Supabase, secret API keys"),
    ("mdb_sa_sk_", Url, 40, ANY, "MongoDB Atlas, service account secrets"),
    ("CCDB1_", Url, 60, ANY, "CockroachDB Cloud, API keys"),
    ("dapi", Hex, 32, 32, "Databricks, personal access tokens"),
    ("dbtc_ dbtu_", Base64, 30, ANY, "dbt Cloud, API tokens"),
    ("p.eyJ", Dotted, 60, ANY, "Tinybird, auth tokens"),
    // Observation.
    ("glsa_ glc_", Base64, 32, ANY, "Grafana, service account and cloud tokens"),
    ("eyJrIjoi", Base64, 70, ANY, "Grafana, API keys before service accounts"),
    ("ddapp_", Alnum, 34, 34, "Datadog, application keys"),
    ("sntrys_", Base64, 60, ANY, "Sentry, organization auth tokens"),
    ("sntryu_", Hex, 64, 64, "Sentry, user auth tokens"),
    ("NRAK-", Upper, 27, 27, "New Relic, user keys"),
    ("NRII- NRIQ-", Url, 25, ANY, "New Relic, insert and query keys"),
    ("phx_ phs_", Url, 32, ANY, "PostHog, personal and feature flag keys"),
    ("dt0c01. dt0s01. dt0s16.", Dotted, 80, ANY, "Dynatrace, token format"),
    ("hcaik_", Lower, 50, 60, "Honeycomb, ingest keys"),
    ("xaat- xapt-", Uuid, 36, 36, "Axiom, API and personal tokens"),
    ("pylf_v1_", Url, 40, ANY, "Pydantic Logfire, write tokens"),
    ("rootly_", Hex, 64, 64, "Rootly, API keys"),
    ("sdk- api-", Uuid, 36, 36, "LaunchDarkly, SDK keys and access tokens"),
    // Secrets, networks and identity.
    ("AGE-SECRET-KEY-1 AGE-SECRET-KEY-PQ-1", Upper, 58, ANY, "age, identities (C2SP age)"),
    ("AGE-PLUGIN-", UpperDash, 40, ANY, "age, plugin identities (C2SP age-plugin)"),
    ("hvs. hvb. hvr.", Url, 24, ANY, "HashiCorp Vault, token prefixes"),
    ("at_", UrlMixed, 60, ANY, "HashiCorp Boundary, auth tokens"),
    ("dp.pt. dp.ct. dp.sa. dp.st. dp.scim. dp.audit.", Dotted, 40, ANY, "Doppler, token formats"),
    ("ops_", Base64, 200, ANY, "1Password, service account tokens"),
    ("A3-", UpperDash, 36, 37, "1Password, secret keys"),
    ("tskey-", UrlMixed, 20, ANY, "Tailscale, key prefixes"),
    ("dnkey-", Url, 79, 79, "Defined Networking, API tokens"),
    ("unkey_", AlnumMixed, 20, 64, "Unkey, root keys"),
    // Work, design and content.
    ("lin_api_ lin_oauth_", Alnum, 40, 64, "Linear, API keys and access tokens"),
    ("ntn_", Alnum, 40, 64, "Notion, integration tokens"),
    ("secret_", AlnumMixed, 43, 43, "Notion, integration tokens before September 2024"),
    ("figd_ figp_", Url, 40, ANY, "Figma, personal access tokens"),
    ("PMAK- PMAT-", Url, 26, ANY, "Postman, API and collection keys"),
    ("pk_", UpperDash, 36, 48, "ClickUp, personal tokens"),
    ("sl.", Dotted, 100, ANY, "Dropbox, short-lived access tokens"),
    ("fio-u-", Url, 64, ANY, "Frame.io, developer tokens"),
    ("CFPAT-", Url, 43, ANY, "Contentful, personal access tokens"),
    ("tfp_", Dotted, 40, ANY, "Typeform, personal access tokens"),
    ("sk.eyJ tk.eyJ", Dotted, 60, ANY, "Mapbox, secret and temporary tokens"),
    ("aio_", Alnum, 28, 28, "Adafruit IO, keys"),
    ("p8e-", Alnum, 32, 32, "Adobe, client secrets"),
    ("rdme_", Lower, 70, 70, "ReadMe, API keys"),
];

// [PRIV-103]
#[rustfmt::skip]
pub(in crate::kernel) const MARKED_FORMATS: &[MarkedFormat] = &[
    ("", Hex, 32, 32, "-us", Digits, 1, 2, "Mailchimp Marketing, API keys with their data center"),
    ("", Alnum, 14, 14, ".atlasv1.", Url, 60, 90, "HCP Terraform, API tokens"),
    ("pat", Alnum, 17, 17, ".", Hex, 64, 64, "Airtable, personal access tokens"),
    ("", UrlMixed, 24, 28, ".", SixDotUrl, 34, 50, "Discord, bot tokens"),
    ("", Tilde, 4, 4, "Q~", Tilde, 31, 34, "Microsoft Entra, client secrets"),
    ("sha25", Lower, 5, 5, "6~", Url, 43, 43, "OpenShift, OAuth access tokens"),
    ("", Digits, 8, 10, ":AA", Url, 33, 33, "Telegram Bot API, authorizing your bot"),
];
