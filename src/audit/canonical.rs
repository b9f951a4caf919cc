//! What a record may hold, and its text: canonical JSON, with texts and lists that are cut to a length.

use crate::error::{Code, Error};
use crate::json::canonical;
pub(super) use crate::json::canonical::write_string;
use crate::limits::{AUDIT_LIST_COUNT_MAX, AUDIT_TEXT_BYTES_MAX};
use serde_json::{Map, Number, Value};
use std::collections::BTreeMap;

/// The largest integer that every JSON reader holds exactly, 2^53 − 1.
pub(super) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Room for the marker that replaces what was cut off a text.
const MARKER_BYTES_MAX: usize = 32;

/// Appends the canonical text of a value.
pub(super) fn write(value: &Value, out: &mut String) {
    canonical::write(value, number_text, out);
}

/// Decimal digits for what was written as an integer. Anything else is a double: the shortest
/// digits that read back as the same double, one of them before the point, and always an exponent.
/// Records hold integers only; arguments, which are digested in this form, may hold others.
// [AUD-12]
fn number_text(number: &Number) -> String {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(integer), _, _) => integer.to_string(),
        (_, Some(integer), _) => integer.to_string(),
        (_, _, double) => format!("{:e}", double.unwrap_or_default()),
    }
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
