//! Room: what one line of the log holds, member by member, and how it is sealed and read.
//!
//! The tables below are the format. Writing and reading go through the same function, [`body`], so
//! that a line is accepted only if writing what was read gives the same bytes.

use super::canonical;
use crate::encoding::{sha256_hex, unhex};
use crate::json;
use crate::limits::{AUDIT_LINE_BYTES_MAX, AUDIT_LIST_COUNT_MAX, AUDIT_TEXT_BYTES_MAX};
use crate::package::listing::ContentHash;
use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::io::{BufRead, Read};

/// `prev` of the first record.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

pub(super) const DIGEST_PREFIX: &str = "hmac-sha256:";

/// What stands between the hashed part of a line and its hash.
const SEAL: &str = ",\"hash\":";

/// Nesting of a record: the object, and a list or an object inside it.
const DEPTH_MAX: usize = 2;

type Member = (&'static str, fn(&Value) -> bool);

/// Members that every record begins with.
// [AUD-05]
const HEAD: &[Member] =
    &[("v", version), ("seq", integer), ("prev", hash), ("time", time), ("kind", word)];

/// Members of each kind of record, in their order, after those of `HEAD`.
// [AUD-20] [AUD-21] [AUD-22] [AUD-23] [AUD-24]
fn members(kind: &str) -> Option<&'static [Member]> {
    Some(match kind {
        "intent" => &[
            ("call", integer),
            ("package", text),
            ("version", text),
            ("content_hash", content_hash),
            ("publisher", text),
            ("signers", hashes),
            ("tool", text),
            ("arguments", digest),
            ("risk", text),
            ("capabilities", texts),
            ("granted_by", text),
            ("memory_bytes_max", integer),
            ("fuel_max", integer),
            ("timeout_ms", integer),
            ("output_bytes_max", integer),
            ("agent", maybe_text),
            ("traceparent", maybe_text),
            ("attestation", maybe_text),
        ],
        "outcome" => &[
            ("call", integer),
            ("result", word),
            ("fuel_used", integer),
            ("duration_ms", integer),
            ("stdout", maybe_digest),
            ("answer", maybe_digest),
            ("privacy", counts),
            ("denied", integer),
            ("door", counts),
            ("changes", counts),
        ],
        "refused" => &[
            ("code", word),
            ("source", maybe_text),
            ("package", maybe_text),
            ("version", maybe_text),
            ("content_hash", maybe_content_hash),
            ("publisher", maybe_text),
            ("signers", hashes),
            ("tool", maybe_text),
            ("arguments", maybe_digest),
            ("agent", maybe_text),
            ("traceparent", maybe_text),
        ],
        "lost" => &[("call", integer)],
        "torn" => &[("file", text), ("bytes", integer), ("sha256", hash)],
        _ => return None,
    })
}

fn version(value: &Value) -> bool {
    value.as_u64() == Some(1)
}
fn integer(value: &Value) -> bool {
    value.as_u64().is_some_and(|number| number <= canonical::INTEGER_MAX)
}
fn text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() <= AUDIT_TEXT_BYTES_MAX)
}
fn maybe_text(value: &Value) -> bool {
    value.is_null() || text(value)
}
fn texts(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|items| items.len() <= AUDIT_LIST_COUNT_MAX && items.iter().all(text))
}
fn word(value: &Value) -> bool {
    let letter =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
    text(value) && value.as_str().is_some_and(|word| !word.is_empty() && word.bytes().all(letter))
}
fn time(value: &Value) -> bool {
    value.as_str().and_then(Timestamp::parse).is_some()
}
fn hash(value: &Value) -> bool {
    value.as_str().and_then(unhex::<32>).is_some()
}
fn hashes(value: &Value) -> bool {
    texts(value) && value.as_array().is_some_and(|items| items.iter().all(hash))
}
fn content_hash(value: &Value) -> bool {
    value.as_str().and_then(ContentHash::parse).is_some()
}
fn maybe_content_hash(value: &Value) -> bool {
    value.is_null() || content_hash(value)
}
fn digest(value: &Value) -> bool {
    let hex = value.as_str().and_then(|text| text.strip_prefix(DIGEST_PREFIX));
    hex.and_then(unhex::<32>).is_some()
}
fn maybe_digest(value: &Value) -> bool {
    value.is_null() || digest(value)
}
fn counts(value: &Value) -> bool {
    value.as_object().is_some_and(|members| {
        members.len() <= AUDIT_LIST_COUNT_MAX
            && members.iter().all(|(name, n)| name.len() <= AUDIT_TEXT_BYTES_MAX && integer(n))
    })
}

/// The hashed part of a line: the members of its kind, all of them, no others, in their order.
// [AUD-04] [AUD-25] [AUD-26]
fn body(object: &Map<String, Value>) -> Result<String, String> {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let members =
        members(kind).ok_or_else(|| format!("unknown kind {:?}", canonical::cut(kind)))?;
    let mut text = String::new();
    for (key, holds) in HEAD.iter().chain(members) {
        let value = object.get(*key).ok_or_else(|| format!("member {key:?} is missing"))?;
        if !holds(value) {
            return Err(format!("member {key:?} is not what it has to be"));
        }
        text.push(if text.is_empty() { '{' } else { ',' });
        canonical::write_string(key, &mut text);
        text.push(':');
        canonical::write(value, &mut text);
    }
    Ok(text)
}

/// A whole line with its line feed, and its hash. The limits on members keep it within the limit on
/// lines; a test writes the largest.
// [AUD-02] [AUD-03]
pub(super) fn seal(object: &Map<String, Value>) -> Result<(String, String), String> {
    let body = body(object)?;
    let hash = sha256_hex(body.as_bytes());
    let line = format!("{body}{SEAL}\"{hash}\"}}\n");
    Ok((line, hash))
}

/// What the chain needs to know of a record that was read.
#[derive(Debug)]
pub(super) struct Record {
    pub seq: u64,
    pub prev: String,
    pub kind: String,
    /// The call that the record is about; 0 if it is about none.
    pub call: u64,
    pub hash: String,
    /// All of it, but for the hash.
    pub members: Map<String, Value>,
}

/// Reads one line, given without its line feed; says what is wrong with it.
// [AUD-02] [AUD-03] [AUD-04] [AUD-26]
pub(super) fn read(line: &[u8]) -> Result<Record, String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    let (hashed, end) = text.rsplit_once(SEAL).ok_or("no \"hash\" at its end")?;
    let value = json::parse(line, DEPTH_MAX).map_err(|error| error.to_string())?;
    let Value::Object(mut object) = value else { return Err("not an object".to_owned()) };
    let hash = match object.remove("hash") {
        Some(Value::String(hash)) => hash,
        _ => return Err("\"hash\" is not a string".to_owned()),
    };
    let computed = sha256_hex(hashed.as_bytes());
    if computed != hash {
        return Err(format!("hashes to {computed}, but says {:?}", canonical::cut(&hash)));
    }
    // A member that the kind does not have is missing from `body`, so it is refused here too.
    if body(&object)? != hashed || end != format!("\"{hash}\"}}") {
        return Err("not written in the one allowed way".to_owned());
    }
    let number = |key: &str| object.get(key).and_then(Value::as_u64).unwrap_or(0);
    let string = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let (prev, kind) = (string("prev"), string("kind"));
    let (seq, call) = (number("seq"), number("call"));
    Ok(Record { seq, prev, kind, call, hash, members: object })
}

/// Why no further line could be read.
#[derive(Debug)]
pub(super) enum LineError {
    Io(std::io::Error),
    /// The text ends without a line feed, after so many bytes.
    Torn(usize),
    /// No line feed within the limit.
    TooLong,
}

/// Reads the next line, without its line feed; `None` at the end.
// [AUD-06]
pub(super) fn next_line(source: &mut impl BufRead) -> Result<Option<Vec<u8>>, LineError> {
    let limit = u64::try_from(AUDIT_LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    source.by_ref().take(limit).read_until(b'\n', &mut line).map_err(LineError::Io)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() >= AUDIT_LINE_BYTES_MAX.saturating_sub(1) => Err(LineError::TooLong),
        Some(_) => Err(LineError::Torn(line.len().saturating_add(1))),
    }
}
