//! Strict JSON parsing: serde_json (RFC 8259), plus limits and the refusal of duplicate keys.
//!
//! `serde_json::Value` silently keeps the last of two equal keys, so that two readers of one text can see
//! different documents. Here a duplicate key is refused at any depth, after unescaping. serde_json itself
//! refuses byte order marks, invalid UTF-8, lone surrogates, NaN, numbers beyond a double, and trailing
//! bytes; with its feature `float_roundtrip` it reads each decimal fraction as the nearest double.

pub(in crate::kernel) mod canonical;
pub mod closed_object;

use crate::kernel::limits::JSON_VALUES_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::text::encoding_error;
use core::cell::Cell;
use serde_core::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Parses a JSON text of any type, with at most `depth_max` nested arrays and objects (at most 127).
///
/// # Errors
/// A text for invalid JSON, a duplicate key, deeper nesting or too many values, with the position, such as
/// `duplicate key "id" at line 3 column 7`.
///
/// ```
/// assert!(mpp::json::parse(br#"{"a":[1]}"#, 2).is_ok());
/// assert!(mpp::json::parse(br#"{"a":[1]}"#, 1).is_err());
/// assert!(mpp::json::parse(br#"{"a":1,"\u0061":2}"#, 2).is_err());
/// ```
// [JSON-01] [JSON-06]
pub fn parse(bytes: &[u8], depth_max: usize) -> Result<Value, String> {
    parse_values(bytes, depth_max, JSON_VALUES_COUNT_MAX)
}

/// As [`parse`], with at most `values_max` values; an object counts as 16.
pub(in crate::kernel) fn parse_values(
    bytes: &[u8],
    depth_max: usize,
    values_max: usize,
) -> Result<Value, String> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let values_left = Cell::new(values_max);
    let value = Strict { depth_left: depth_max, values_left: &values_left }
        .deserialize(&mut source)
        .map_err(|error| match encoding_error(bytes) {
            Some(found) => format!("the text {found}"),
            None => error.to_string(),
        })?;
    // [JSON-03]
    source.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Returns `true` if a text has nothing but white space of JSON.
pub(in crate::kernel) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| b" \t\n\r".contains(byte))
}

/// Returns `true` if arrays and objects are nested at most `depth_max` deep, for values from other parsers.
#[must_use]
pub fn depth_within(value: &Value, depth_max: usize) -> bool {
    let below = |inner: &Value| depth_max > 0 && depth_within(inner, depth_max.saturating_sub(1));
    match value {
        Value::Array(items) => depth_max > 0 && items.iter().all(below),
        Value::Object(members) => depth_max > 0 && members.values().all(below),
        _ => true,
    }
}

/// Reads one value within the remaining levels and values. A text of a few megabytes can hold millions of
/// values, each of which takes many times its length in memory.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth_left: usize,
    values_left: &'a Cell<usize>,
}

/// The values that an object counts for: its first member alone takes several hundred bytes.
const OBJECT_VALUES: usize = 16;

impl Strict<'_> {
    // [JSON-08]
    fn count<E: serde_core::de::Error>(self, values: usize) -> Result<(), E> {
        let left = self.values_left.get().checked_sub(values);
        self.values_left.set(left.ok_or_else(|| E::custom("too many values"))?);
        Ok(())
    }

    // [JSON-04]
    fn nested<E: serde_core::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Strict { depth_left, ..self }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    // [JSON-05]
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E: serde_core::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }
    // [JSON-07]
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let nested = self.nested()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(nested)? {
            self.count(1)?;
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let nested = self.nested()?;
        self.count(OBJECT_VALUES)?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(nested)?;
            self.count(1)?;
            // [JSON-02]
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate key \"{key}\"")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/json.rs"]
mod tests;
