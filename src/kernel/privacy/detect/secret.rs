//! API keys, tokens and private keys: detected by the prefix, alphabet and length that their issuer
//! defines; a JSON Web Token by its header, a private key by its PEM block.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, each bounded by a row's length

use super::super::kind::Kind;
use super::super::matches::KindMatch;
use super::context_words::first_word;
use super::text_view::{is_alnum, Text};
use crate::kernel::encoding::unbase64_vec;
use crate::kernel::prelude::*;
use serde_json::{Map, Value};

/// The alphabet after a prefix.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Capitals and digits.
    Upper,
    /// Digits and lower-case letters from a to f.
    Hex,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `-` and `_`.
    Url,
    /// As `Url`, and dots inside.
    Dotted,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Alphabet::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alphabet::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Alphabet::Alnum => byte.is_ascii_alphanumeric(),
            Alphabet::Url => is_base64url(byte),
            Alphabet::Dotted => is_base64url(byte) || byte == b'.',
        }
    }
}

/// Prefixes, alphabet, and least and most characters after the prefix. If the alphabet has the prefix's
/// punctuation, there is no maximum: adjacent keys are redacted together.
type TokenFormat = (&'static str, Alphabet, usize, usize);

/// As documented by their issuers. Checksums are not verified: a mistyped key is still a secret.
// [PRIV-103]
const TOKEN_FORMATS: &[TokenFormat] = &[
    // Amazon Web Services; Google; Age.
    ("AKIA ASIA ABIA ACCA", Alphabet::Upper, 16, 16),
    ("AIza", Alphabet::Url, 35, usize::MAX),
    ("GOCSPX-", Alphabet::Url, 28, usize::MAX),
    ("ya29.", Alphabet::Url, 30, usize::MAX),
    ("AGE-SECRET-KEY-1", Alphabet::Upper, 58, 58),
    // GitHub; GitLab; Atlassian.
    ("ghp_ gho_ ghu_ ghs_ ghr_", Alphabet::Alnum, 36, 255),
    ("github_pat_", Alphabet::Url, 60, usize::MAX),
    ("glpat- glrt-", Alphabet::Dotted, 20, usize::MAX),
    ("gldt- glcbt- glsoat-", Alphabet::Url, 20, usize::MAX),
    ("glptt-", Alphabet::Hex, 40, 40),
    ("ATATT3", Alphabet::Url, 100, usize::MAX),
    // Slack; SendGrid.
    ("xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xoxe. xapp-", Alphabet::Url, 20, usize::MAX),
    ("SG.", Alphabet::Dotted, 60, usize::MAX),
    // Stripe, for real and test payments; Square; Shopify.
    ("sk_live_ sk_test_ rk_live_ rk_test_", Alphabet::Alnum, 16, 255),
    ("whsec_", Alphabet::Alnum, 24, 255),
    ("sq0csp-", Alphabet::Url, 43, usize::MAX),
    ("shpat_ shpca_ shppa_ shpss_", Alphabet::Hex, 32, 32),
    // Language models: Anthropic, OpenAI and those that use its format, and others.
    ("sk-ant- sk-proj- sk-svcacct- sk-admin-", Alphabet::Url, 20, usize::MAX),
    ("sk-or-v1-", Alphabet::Hex, 32, 128),
    ("sk- hf_", Alphabet::Alnum, 30, 128),
    ("gsk_ pplx- xai-", Alphabet::Alnum, 40, 128),
    ("r8_", Alphabet::Alnum, 37, 37),
    // Package registries.
    ("npm_", Alphabet::Alnum, 36, 36),
    ("pypi-AgE", Alphabet::Url, 32, usize::MAX),
    ("rubygems_", Alphabet::Hex, 48, 48),
    ("dckr_pat_ dckr_oat_", Alphabet::Url, 27, usize::MAX),
    // Hosting and tools.
    ("dop_v1_ doo_v1_ dor_v1_", Alphabet::Hex, 64, 64),
    ("hvs. hvb.", Alphabet::Url, 24, usize::MAX),
    ("glsa_ glc_", Alphabet::Url, 32, usize::MAX),
    ("lin_api_ ntn_", Alphabet::Alnum, 40, 64),
    ("PMAK- figd_", Alphabet::Url, 40, usize::MAX),
    ("sbp_", Alphabet::Hex, 40, 40),
];

/// The prefixes with their rows as a hash table with linear probing: nearly all words of a text hit an
/// empty slot.
static TABLE: [Option<(&[u8], &TokenFormat)>; TABLE_COUNT] = table();

/// Several times the number of prefixes.
const TABLE_COUNT: usize = 512;

/// Evaluated by the compiler, which also rejects an index out of range.
#[allow(clippy::indexing_slicing)]
const fn table() -> [Option<(&'static [u8], &'static TokenFormat)>; TABLE_COUNT] {
    let (mut table, mut row) = ([None; TABLE_COUNT], 0);
    while row < TOKEN_FORMATS.len() {
        let mut rest = TOKEN_FORMATS[row].0.as_bytes();
        while let Some(length) = first_word(rest) {
            let (prefix, after) = rest.split_at(length);
            let mut at = slot(prefix);
            while table[at].is_some() {
                at = (at + 1) % TABLE_COUNT;
            }
            table[at] = Some((prefix, &TOKEN_FORMATS[row]));
            rest = after.trim_ascii_start();
        }
        row += 1;
    }
    table
}

/// The hash of a prefix: its first two characters, which every prefix has.
#[allow(clippy::as_conversions)] // `From` is not const
const fn slot(prefix: &[u8]) -> usize {
    match prefix {
        [first, second, ..] => (*first as usize * 31 + *second as usize) % TABLE_COUNT,
        _ => 0,
    }
}

/// Returns the first prefix of a text, with its row.
fn find_prefix(text: &[u8]) -> Option<(&'static [u8], &'static TokenFormat)> {
    let mut at = slot(text);
    while let Some(Some((prefix, row))) = TABLE.get(at) {
        if text.starts_with(prefix) {
            return Some((*prefix, *row));
        }
        at = (at + 1) % TABLE_COUNT;
    }
    None
}

/// The shortest text after a prefix.
const BODY_MIN: usize = 16;
/// The longest part of a prefix before its first `-`, `_` or `.`, and the longest prefix.
const HEAD_MAX: usize = 8;
const PREFIX_MAX: usize = 16;

/// Returns the secret at `at`: a `-`, `_` or `.` after the first part of a prefix, or a capital that is
/// part of it. `seen` is the end of the last token header that was read.
// [PRIV-102]
pub(super) fn find(text: Text, at: usize, seen: &mut usize) -> Option<KindMatch> {
    if text.at(at) == b'-' && text.at(at + 1) == b'-' {
        return pem_block(text, at);
    }
    let begins = match text.at(at) {
        b'A' => !is_alnum(text.before(at)),
        b'J' => text.before(at) == b'y',
        b'_' => matches!(text.before(at), b'a'..=b'z' | b'0'..=b'9'),
        _ => is_alnum(text.before(at)),
    };
    // Most of these characters are in short words.
    if !begins
        || !Alphabet::Dotted.has(text.at(at + 1))
        || !Alphabet::Dotted.has(text.at(at + BODY_MIN))
    {
        return None;
    }
    let start = text.run_start(at, HEAD_MAX, is_alnum);
    if is_alnum(text.before(start)) {
        return None;
    }
    if text.at(at) == b'J' {
        return jwt_token(text, start, seen);
    }
    let rest = text.upto(start, PREFIX_MAX);
    let (prefix, (_, body, least, most)) = find_prefix(rest)?;
    let from = start + prefix.len();
    let end = text.run_end(from, most.saturating_add(1), |byte| body.has(byte));
    // A full stop can follow it.
    let points = text.slice(from, end).iter().rev().take_while(|byte| **byte == b'.').count();
    let end = end - points;
    let fits = (*least..=*most).contains(&(end - from)) && !is_alnum(text.at(end));
    fits.then_some((Kind::ApiKey, start, end))
}

/// The longest header of a JSON Web Token, in characters.
const HEADER_MAX: usize = 2048;

/// `eyJ...`: a JSON object in base64url that names its algorithm, then up to four more parts.
// [PRIV-101]
fn jwt_token(text: Text, start: usize, seen: &mut usize) -> Option<KindMatch> {
    let part = |from: usize| text.until(from, |byte| !is_base64url(byte));
    if start < *seen || text.upto(start, 3) != b"eyJ" {
        return None;
    }
    let header_end = text.run_end(start, HEADER_MAX, is_base64url);
    *seen = header_end;
    // Base64url (RFC 4648 section 5) differs in two characters and has no padding.
    let standard = |byte: &u8| match byte {
        b'-' => '+',
        b'_' => '/',
        byte => char::from(*byte),
    };
    let mut header: String = text.slice(start, header_end).iter().map(standard).collect();
    header.extend(core::iter::repeat_n('=', header.len().wrapping_neg() % 4));
    let header = unbase64_vec(&header)?;
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

/// Documentation shows the first line of a block and hardly more.
const PEM_BODY_MIN: usize = 32;

/// `-----BEGIN RSA PRIVATE KEY-----` and so on (RFC 7468), to the line that ends the block, or else as far
/// as base64 and line breaks go.
// [PRIV-100]
fn pem_block(text: Text, at: usize) -> Option<KindMatch> {
    const DASHES: &[u8] = b"-----";
    let is_visible_line = |byte: u8| byte.is_ascii_uppercase() || byte == b' ';
    let label = |begin: &[u8]| {
        let from = at + begin.len();
        (text.slice(at, from) == begin)
            .then(|| text.slice(from, text.run_end(from, 40, is_visible_line)))
    };
    let label = label(b"-----BEGIN ")?;
    let from = at + 11 + label.len();
    let names_key = label.windows(11).any(|words| words == b"PRIVATE KEY");
    if !names_key || text.before(at) == b'-' || text.upto(from, 5) != DASHES {
        return None;
    }
    let body = from + DASHES.len();
    // Headers of the block can have dashes: `Proc-Type: 4,ENCRYPTED`.
    let mut stop = text.until(body, |byte| byte == b'-');
    while text.at(stop) == b'-' && text.upto(stop, 5) != DASHES {
        stop = text.until(stop + 1, |byte| byte == b'-');
    }
    let closing = text.upto(stop, 9) == b"-----END ";
    let end = if closing && stop - body >= PEM_BODY_MIN {
        let last = text.until(stop + 9, |byte| !is_visible_line(byte));
        text.run_end(last, 5, |byte| byte == b'-')
    } else {
        text.until(body, |byte| !(byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte)))
    };
    (end - body >= PEM_BODY_MIN).then_some((Kind::PrivateKey, at, end))
}
