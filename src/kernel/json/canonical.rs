//! Canonical JSON: one text for one value, so that digests can be taken over it and values compared.
//!
//! No white space; members of an object sorted by the bytes of their names; strings in ASCII. The
//! order is made here and not left to `serde_json::Map`, which another crate in the same build can
//! switch to insertion order.

use crate::kernel::prelude::*;
use alloc::collections::BTreeMap;
use serde_json::{Number, Value};

/// Appends the canonical text of a value. Which numbers are one value is for the caller to say: equal
/// ones get equal texts.
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

/// Appends a string in quotes: printable ASCII as it is, `\"` and `\\`, and `\u` with four
/// lower-case hex digits per UTF-16 unit for everything else.
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
