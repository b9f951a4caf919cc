//! Room: strict JSON. Parsing is serde_json's (RFC 8259); this file adds what it forgives.
//!
//! `serde_json::Value` keeps the last of two equal keys in silence, so that two readers of one text
//! may see two documents. Here a duplicate key is refused at any depth, after unescaping, and so is
//! nesting beyond the caller's limit. serde_json itself already refuses byte order marks, invalid
//! UTF-8, lone surrogates, NaN, numbers beyond a double, and anything behind the value.

pub mod object;

use serde_core::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// What was wrong in a JSON text and where, ready to be put into an [`crate::Error`]'s detail, such as
/// `duplicate key "id" at line 3 column 7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError(String);

impl fmt::Display for JsonError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Parses one JSON text of any type, nested at most `depth_max` arrays and objects deep (at most 127).
///
/// # Errors
/// Whatever RFC 8259 refuses, a duplicate key, and nesting beyond `depth_max`.
///
/// ```
/// assert!(mpp::json::parse(br#"{"a":[1]}"#, 2).is_ok());
/// assert!(mpp::json::parse(br#"{"a":[1]}"#, 1).is_err());
/// assert!(mpp::json::parse(br#"{"a":1,"\u0061":2}"#, 2).is_err());
/// ```
// [JSON-01] [JSON-02]
pub fn parse(bytes: &[u8], depth_max: usize) -> Result<Value, JsonError> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth_left: depth_max }
        .deserialize(&mut source)
        .map_err(|error| JsonError(error.to_string()))?;
    // [JSON-03] one value, then nothing but white space
    source.end().map_err(|error| JsonError(error.to_string()))?;
    Ok(value)
}

/// Reads one value, refusing duplicate keys, with so many levels still allowed below it.
#[derive(Clone, Copy)]
struct Strict {
    depth_left: usize,
}

impl Strict {
    fn below<E: serde_core::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Strict { depth_left }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
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
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }
    fn visit_f64<E: serde_core::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(below)?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate key {key:?}")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
