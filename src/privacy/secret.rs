//! Room: secrets of programs. A key or token proves itself by the prefix its issuer gives it, by its
//! alphabet and its length; a JSON Web Token by its header; a private key by its armour.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a row's length

use super::kind::Kind;
use super::text::{is_alnum, Text};
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// What the part behind a prefix is made of.
#[derive(Clone, Copy)]
enum Body {
    /// Capitals and digits.
    Upper,
    /// Digits and small letters from a to f.
    Hex,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `-` and `_`.
    Url,
    /// As `Url`, with points inside.
    Dotted,
}

impl Body {
    fn has(self, byte: u8) -> bool {
        match self {
            Body::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Body::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Body::Alnum => byte.is_ascii_alphanumeric(),
            Body::Url => is_base64url(byte),
            Body::Dotted => is_base64url(byte) || byte == b'.',
        }
    }
}

/// Prefix, body, and the fewest and most characters of the body.
type Row = (&'static [u8], Body, usize, usize);

/// As their issuers document them.
// [PRIV-103]
const ROWS: &[Row] = &[
    // Amazon Web Services: key ids, long-lived and temporary, and bearer tokens.
    (b"AKIA", Body::Upper, 16, 16),
    (b"ASIA", Body::Upper, 16, 16),
    (b"ABIA", Body::Upper, 16, 16),
    (b"ACCA", Body::Upper, 16, 16),
    // Google: API keys, client secrets, access tokens.
    (b"AIza", Body::Url, 35, 40),
    (b"GOCSPX-", Body::Url, 28, 40),
    (b"ya29.", Body::Url, 30, 2048),
    // GitHub. The check digits at the end are not asked for: a mistyped key is no less a secret.
    (b"ghp_", Body::Alnum, 36, 255),
    (b"gho_", Body::Alnum, 36, 255),
    (b"ghu_", Body::Alnum, 36, 255),
    (b"ghs_", Body::Alnum, 36, 255),
    (b"ghr_", Body::Alnum, 36, 255),
    (b"github_pat_", Body::Url, 60, 255),
    // GitLab.
    (b"glpat-", Body::Dotted, 20, 300),
    (b"gldt-", Body::Url, 20, 64),
    (b"glrt-", Body::Dotted, 20, 300),
    (b"glptt-", Body::Hex, 40, 40),
    (b"glcbt-", Body::Url, 20, 64),
    (b"glsoat-", Body::Url, 20, 64),
    // Slack.
    (b"xoxb-", Body::Url, 20, 255),
    (b"xoxp-", Body::Url, 20, 255),
    (b"xoxa-", Body::Url, 20, 255),
    (b"xoxr-", Body::Url, 20, 255),
    (b"xoxs-", Body::Url, 20, 255),
    (b"xoxe-", Body::Url, 20, 255),
    (b"xoxe.", Body::Url, 20, 255),
    (b"xapp-", Body::Url, 20, 255),
    // Stripe, for real payments and for tests.
    (b"sk_live_", Body::Alnum, 16, 255),
    (b"sk_test_", Body::Alnum, 16, 255),
    (b"rk_live_", Body::Alnum, 16, 255),
    (b"rk_test_", Body::Alnum, 16, 255),
    (b"whsec_", Body::Alnum, 24, 255),
    // Language models: Anthropic, OpenAI and those that copy its form, and others.
    (b"sk-ant-", Body::Url, 20, 255),
    (b"sk-proj-", Body::Url, 20, 255),
    (b"sk-svcacct-", Body::Url, 20, 255),
    (b"sk-admin-", Body::Url, 20, 255),
    (b"sk-or-v1-", Body::Hex, 32, 128),
    (b"sk-", Body::Alnum, 32, 128),
    (b"hf_", Body::Alnum, 30, 64),
    (b"gsk_", Body::Alnum, 40, 128),
    (b"pplx-", Body::Alnum, 40, 128),
    (b"xai-", Body::Alnum, 64, 128),
    (b"r8_", Body::Alnum, 37, 37),
    // Package registries.
    (b"npm_", Body::Alnum, 36, 36),
    (b"pypi-AgE", Body::Url, 32, 255),
    (b"rubygems_", Body::Hex, 48, 48),
    (b"dckr_pat_", Body::Url, 27, 64),
    (b"dckr_oat_", Body::Url, 27, 64),
    // Hosting and tools.
    (b"dop_v1_", Body::Hex, 64, 64),
    (b"doo_v1_", Body::Hex, 64, 64),
    (b"dor_v1_", Body::Hex, 64, 64),
    (b"shpat_", Body::Hex, 32, 32),
    (b"shpca_", Body::Hex, 32, 32),
    (b"shppa_", Body::Hex, 32, 32),
    (b"shpss_", Body::Hex, 32, 32),
    (b"SG.", Body::Dotted, 60, 80),
    (b"hvs.", Body::Url, 24, 255),
    (b"hvb.", Body::Url, 24, 255),
    (b"glsa_", Body::Url, 32, 64),
    (b"glc_", Body::Url, 32, 255),
    (b"lin_api_", Body::Alnum, 40, 40),
    (b"ntn_", Body::Alnum, 40, 64),
    (b"PMAK-", Body::Url, 59, 59),
    (b"sbp_", Body::Hex, 40, 40),
    (b"figd_", Body::Url, 40, 64),
    (b"sq0csp-", Body::Url, 43, 43),
    (b"ATATT3", Body::Url, 100, 255),
    (b"AGE-SECRET-KEY-1", Body::Upper, 58, 58),
];

/// The rows, each in the list that [`place`] gives it: nearly all words of a text meet an empty one.
static LISTS: LazyLock<Vec<Vec<&Row>>> = LazyLock::new(|| {
    let mut lists = vec![Vec::new(); LISTS_COUNT];
    for row in ROWS {
        lists.get_mut(place(row.0)).into_iter().for_each(|list: &mut Vec<_>| list.push(row));
    }
    lists
});

const LISTS_COUNT: usize = 512;

/// By the first two characters, which every prefix has.
fn place(prefix: &[u8]) -> usize {
    let [first, second] = [0, 1].map(|index| prefix.get(index).copied().map_or(0, usize::from));
    (first * 31 + second) % LISTS_COUNT
}

/// The shortest body.
const BODY_MIN: usize = 16;
/// The longest part of a prefix before its first `-`, `_` or `.`, and the longest prefix.
const HEAD_MAX: usize = 8;
const PREFIX_MAX: usize = 16;

/// Looks at `at`: a `-`, `_` or `.` behind the first part of a prefix, or a capital that is part of
/// it. What it is, and its range.
// [PRIV-102]
pub(crate) fn find(text: Text<'_>, at: usize) -> Option<(Kind, usize, usize)> {
    if text.at(at) == b'-' && text.at(at + 1) == b'-' {
        return armour(text, at);
    }
    let begins = match text.at(at) {
        b'A' => !is_alnum(text.before(at)),
        b'J' => text.before(at) == b'y',
        _ => is_alnum(text.before(at)),
    };
    // Most of these characters stand in short words.
    if !begins || !Body::Dotted.has(text.at(at + 1)) || !Body::Dotted.has(text.at(at + BODY_MIN)) {
        return None;
    }
    let start = text.back(at, HEAD_MAX, is_alnum);
    if is_alnum(text.before(start)) {
        return None;
    }
    if text.at(at) == b'J' {
        return web_token(text, start);
    }
    let rest = text.upto(start, PREFIX_MAX);
    let (prefix, body, least, most) =
        LISTS.get(place(rest))?.iter().find(|row| rest.starts_with(row.0))?;
    let from = start + prefix.len();
    let end = text.forth(from, most + 1, |byte| body.has(byte));
    // A sentence may end behind it.
    let points = text.slice(from, end).iter().rev().take_while(|byte| **byte == b'.').count();
    let end = end - points;
    let fits = (*least..=*most).contains(&(end - from)) && !is_alnum(text.at(end));
    fits.then_some((Kind::ApiKey, start, end))
}

/// The longest header of a web token, in characters.
const HEADER_MAX: usize = 2048;

/// `eyJ...`: a JSON object in base64url that names its algorithm, then up to four more parts.
// [PRIV-101]
fn web_token(text: Text<'_>, start: usize) -> Option<(Kind, usize, usize)> {
    let part = |from: usize| text.until(from, |byte| !is_base64url(byte));
    if !text.upto(start, 3).starts_with(b"eyJ") {
        return None;
    }
    let header_end = text.forth(start, HEADER_MAX, is_base64url);
    let header = unbase64url(text.slice(start, header_end));
    let object = serde_json::from_slice::<Map<String, Value>>(&header).ok()?;
    let second = part(header_end + 1);
    if text.at(header_end) != b'.' || second == header_end + 1 || !object.contains_key("alg") {
        return None;
    }
    let mut end = second;
    for _ in 0..3 {
        if text.at(end) == b'.' && is_base64url(text.at(end + 1)) {
            end = part(end + 1);
        }
    }
    Some((Kind::Jwt, start, end))
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The bytes that base64url without padding stands for (RFC 4648 section 5), up to the last whole one.
fn unbase64url(text: &[u8]) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'-' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len());
    for group in text.chunks(4) {
        let values = group.iter().map(|byte| u32::from(value(*byte)));
        let bits = values.fold(0, |bits, value| bits << 6 | value) << (6 * (4 - group.len()));
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(group.len() - 1));
    }
    bytes
}

/// A text about such keys shows the first line, and hardly more.
const ARMOUR_MIN: usize = 32;

/// `-----BEGIN RSA PRIVATE KEY-----` and so on (RFC 7468), to the line that ends the block. Where that is
/// missing, as far as base64 and line breaks go.
// [PRIV-100]
fn armour(text: Text<'_>, at: usize) -> Option<(Kind, usize, usize)> {
    const DASHES: &[u8] = b"-----";
    let is_label = |byte: u8| byte.is_ascii_uppercase() || byte == b' ';
    let label = |begin: &[u8]| {
        let from = at + begin.len();
        (text.slice(at, from) == begin).then(|| text.slice(from, text.forth(from, 40, is_label)))
    };
    let label = label(b"-----BEGIN ")?;
    let from = at + 11 + label.len();
    let names_key = label.windows(11).any(|words| words == b"PRIVATE KEY");
    if !names_key || text.before(at) == b'-' || text.upto(from, 5) != DASHES {
        return None;
    }
    let body = from + DASHES.len();
    // Headers of the block may have dashes: `Proc-Type: 4,ENCRYPTED`.
    let mut stop = text.until(body, |byte| byte == b'-');
    while text.at(stop) == b'-' && text.upto(stop, 5) != DASHES {
        stop = text.until(stop + 1, |byte| byte == b'-');
    }
    let closing = text.upto(stop, 9) == b"-----END ";
    let end = if closing && stop - body >= ARMOUR_MIN {
        let last = text.until(stop + 9, |byte| !is_label(byte));
        text.forth(last, 5, |byte| byte == b'-')
    } else {
        text.until(body, |byte| !(byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte)))
    };
    (end - body >= ARMOUR_MIN).then_some((Kind::PrivateKey, at, end))
}
