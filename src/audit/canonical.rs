//! Room: canonical JSON, one text for one value, so that hashes and digests can be taken over it.
//!
//! No white space; members of an object sorted by the bytes of their names; strings in ASCII. The
//! order is made here and not left to `serde_json::Map`, which another crate in the same build can
//! switch to insertion order.

use crate::error::{Code, Error};
use crate::limits::{AUDIT_LIST_COUNT_MAX, AUDIT_TEXT_BYTES_MAX};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// The largest integer that every JSON reader holds exactly, 2^53 − 1.
pub(super) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Room for the marker that replaces what was cut off a text.
const MARKER_BYTES_MAX: usize = 32;

/// Appends the canonical text of a value.
// [AUD-10] [AUD-11] [AUD-12]
pub(crate) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&str, &Value> =
                members.iter().map(|(key, value)| (key.as_str(), value)).collect();
            out.push('{');
            for (n, (key, member)) in sorted.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
    }
}

/// Decimal digits for what was written as an integer. Anything else is a double: the shortest
/// digits that read back as the same double, one of them before the point, and always an exponent.
/// Records hold integers only; arguments, which are digested in this form, may hold others.
fn number_text(number: &Number) -> String {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(integer), _, _) => integer.to_string(),
        (_, Some(integer), _) => integer.to_string(),
        (_, _, double) => format!("{:e}", double.unwrap_or_default()),
    }
}

/// Appends a string in quotes: printable ASCII as it is, `\"` and `\\`, and `\u` with four
/// lower-case hex digits per UTF-16 unit for everything else.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// A text that came from outside, at most `AUDIT_TEXT_BYTES_MAX` long, the end replaced by a marker
/// that says how many bytes are missing.
// [AUD-13]
pub(super) fn cut(text: &str) -> String {
    if text.len() <= AUDIT_TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut kept_bytes = AUDIT_TEXT_BYTES_MAX.saturating_sub(MARKER_BYTES_MAX);
    while !text.is_char_boundary(kept_bytes) {
        kept_bytes = kept_bytes.saturating_sub(1);
    }
    let missing = text.len().saturating_sub(kept_bytes);
    format!("{}...[+{missing} bytes]", text.get(..kept_bytes).unwrap_or_default())
}

/// A text, cut.
pub(super) fn text(text: &str) -> Value {
    Value::String(cut(text))
}

/// A text, cut, or null.
pub(super) fn maybe(text: Option<&str>) -> Value {
    text.map_or(Value::Null, self::text)
}

/// An integer; one beyond `INTEGER_MAX` is written as `INTEGER_MAX`.
// [AUD-12]
pub(super) fn integer(number: u64) -> Value {
    Value::from(number.min(INTEGER_MAX))
}

/// A list of texts, each cut, at most `AUDIT_LIST_COUNT_MAX` of them, the last then a marker.
// [AUD-13]
pub(super) fn texts<'a>(items: impl ExactSizeIterator<Item = &'a str>) -> Value {
    let count = items.len();
    if count <= AUDIT_LIST_COUNT_MAX {
        return items.map(text).collect();
    }
    let kept = AUDIT_LIST_COUNT_MAX.saturating_sub(1);
    let marker = format!("...[+{} items]", count.saturating_sub(kept));
    items.take(kept).map(text).chain([Value::String(marker)]).collect()
}

/// Counts by name. Names beyond the length and the number allowed are counted together.
// [AUD-13]
pub(super) fn counts(counts: &BTreeMap<String, u64>) -> Value {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (n, (name, count)) in counts.iter().enumerate() {
        let fits = n < AUDIT_LIST_COUNT_MAX.saturating_sub(1);
        let sum = sums.entry(if fits { cut(name) } else { "...".to_owned() }).or_default();
        *sum = sum.saturating_add(*count);
    }
    Value::Object(sums.into_iter().map(|(name, sum)| (name, integer(sum))).collect::<Map<_, _>>())
}

/// The error for whatever keeps a record from being written.
// [AUD-01]
pub(super) fn unavailable(what: impl std::fmt::Display) -> Error {
    Error::new(Code::AuditUnavailable, what.to_string())
}
