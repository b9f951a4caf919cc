//! Canonical JSON: one text for each value, for digests and comparisons.
//!
//! No white space; members of an object sorted by the bytes of their names; strings in ASCII. Members
//! are sorted here, since another crate in the same build can switch `serde_json::Map` to insertion order.

use crate::kernel::prelude::*;
use serde_json::{Number, Value};

/// Appends the canonical text of a value. `number_text` decides which numbers are equal: it returns the
/// same text for them.
// [AUD-10] [SCH-11]
pub(in crate::kernel) fn write(
    value: &Value,
    number_text: fn(&Number) -> String,
    out: &mut String,
) {
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
                write(item, number_text, out);
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
                write(member, number_text, out);
            }
            out.push('}');
        }
    }
}

/// Appends a string in quotes: printable ASCII unmodified, `\"` and `\\`, and everything else as `\u` with
/// four lower-case hex digits for each UTF-16 unit.
// [AUD-11]
pub(in crate::kernel) fn write_string(text: &str, out: &mut String) {
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
