//! Room: strict JSON. Parsing is serde_json's (RFC 8259); this file adds what it forgives.
//!
//! `serde_json::Value` keeps the last of two equal keys in silence, so that two readers of one text
//! may see two documents. Here a duplicate key is refused at any depth, after unescaping, and so is
//! nesting beyond the caller's limit. serde_json itself already refuses byte order marks, invalid
//! UTF-8, lone surrogates, NaN, numbers beyond a double, and anything behind the value; with its
//! feature `float_roundtrip` it reads each decimal fraction as the nearest double.

pub(in crate::kernel) mod canonical;
pub mod object;

use crate::kernel::limits::JSON_VALUES_COUNT_MAX;
use crate::kernel::prelude::*;
use core::cell::Cell;
use core::fmt;
use serde_core::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What was wrong in a JSON text and where, ready to be put into an [`crate::kernel::error::Error`]'s detail, such as
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
/// Whatever RFC 8259 refuses, a duplicate key, nesting beyond `depth_max`, and too many values.
///
/// ```
/// assert!(mpp::json::parse(br#"{"a":[1]}"#, 2).is_ok());
/// assert!(mpp::json::parse(br#"{"a":[1]}"#, 1).is_err());
/// assert!(mpp::json::parse(br#"{"a":1,"\u0061":2}"#, 2).is_err());
/// ```
// [JSON-01] [JSON-06]
pub fn parse(bytes: &[u8], depth_max: usize) -> Result<Value, JsonError> {
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let values_left = Cell::new(JSON_VALUES_COUNT_MAX);
    let value = Strict { depth_left: depth_max, values_left: &values_left }
        .deserialize(&mut source)
        .map_err(|error| JsonError(error.to_string()))?;
    // [JSON-03]
    source.end().map_err(|error| JsonError(error.to_string()))?;
    Ok(value)
}

/// Whether arrays and objects are nested at most `depth_max` deep, for values that were not parsed here.
#[must_use]
pub fn is_within(value: &Value, depth_max: usize) -> bool {
    let below = |inner: &Value| depth_max > 0 && is_within(inner, depth_max.saturating_sub(1));
    match value {
        Value::Array(items) => depth_max > 0 && items.iter().all(below),
        Value::Object(members) => depth_max > 0 && members.values().all(below),
        _ => true,
    }
}

/// Reads one value, refusing duplicate keys, with so many levels still allowed below it, and so many
/// values in all: a text of a few megabytes can hold millions, each of which takes memory many times its
/// own length.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth_left: usize,
    values_left: &'a Cell<usize>,
}

/// What an object counts for: its first member alone takes a node of several hundred bytes.
const OBJECT_VALUES: usize = 16;

impl Strict<'_> {
    // [JSON-08]
    fn count<E: serde_core::de::Error>(self, values: usize) -> Result<(), E> {
        let left = self.values_left.get().checked_sub(values);
        self.values_left.set(left.ok_or_else(|| E::custom("more values than are allowed"))?);
        Ok(())
    }

    // [JSON-04]
    fn below<E: serde_core::de::Error>(self) -> Result<Self, E> {
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
        let below = self.below()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            self.count(1)?;
            array.push(item);
        }
        Ok(Value::Array(array))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        self.count(OBJECT_VALUES)?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(below)?;
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
#[allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used)]
mod tests {
    use super::{parse, Value};

    fn refused(text: &str) -> String {
        match parse(text.as_bytes(), 4) {
            Ok(value) => panic!("{text:?} was read as {value}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_rfc_8259_does_not_know_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "NaN",
            "Infinity",
            "-Infinity",
            "+1",
            "01",
            "-01",
            ".5",
            "5.",
            "1e",
            "0x1",
            "1_0",
            "'a'",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "[1",
            "]",
            "// c\n1",
            "/* c */1",
            "#\n1",
            "\u{feff}1",
            "\u{a0}1",
            "\u{b}1",
            "\u{c}1",
            "\"\n\"",
            "\"\t\"",
            "\"\0\"",
            "\"\\x41\"",
            "\"\\u12\"",
            "\"\\'\"",
            "\"",
            "True",
            "1 2",
            "1,2",
            "{}{}",
            "1\0",
            "1e400",
            "-1e400",
            "{1:2}",
            "{null:2}",
        ] {
            refused(text);
        }
        for bytes in [
            &b"\"\xff\""[..],
            b"\"\xc0\x80\"",
            b"\"\xed\xa0\x80\"",
            b"1\0",
            b"\xef\xbb\xbf1",
            b"\xff\xfe1\0",
        ] {
            assert!(parse(bytes, 4).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn lone_surrogates_are_refused_and_pairs_are_one_character() {
        for text in
            [r#""\ud800""#, r#""\udc00""#, r#""\ud800\ud800""#, r#""\udc00\ud800""#, r#""\ud83dx""#]
        {
            refused(text);
        }
        assert_eq!(parse(br#""\ud83d\ude00""#, 0), Ok(Value::from("\u{1f600}")));
    }

    #[test]
    fn a_second_member_of_one_name_is_refused_at_any_depth_and_however_it_is_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"\u0061":3}"#,
            r#"[{"b":{"":1,"":2}}]"#,
            r#"{"\ud83d\ude00":1,"\uD83D\uDE00":1}"#,
        ] {
            assert!(refused(text).contains("duplicate key"), "{text}");
        }
        for text in [r#"{"a":1,"A":1}"#, r#"{"\u00e9":1,"e\u0301":1}"#, r#"[{"a":1},{"a":1}]"#] {
            assert!(parse(text.as_bytes(), 4).is_ok(), "{text}");
        }
    }

    #[test]
    fn nesting_is_allowed_up_to_the_limit_and_not_one_deeper() {
        assert!(parse(b"1", 0).is_ok() && parse(b"[]", 0).is_err() && parse(b"{}", 0).is_err());
        for depth in [1, 2, 31, 127] {
            let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
            assert!(parse(nested(depth).as_bytes(), depth).is_ok(), "{depth}");
            assert!(parse(nested(depth + 1).as_bytes(), depth).is_err(), "{depth}");
        }
        assert!(parse("[".repeat(1 << 20).as_bytes(), 127).is_err());
    }

    #[test]
    fn numbers_are_the_integer_or_the_nearest_double() {
        for text in ["0", "-1", "18446744073709551615", "-9223372036854775808"] {
            assert_eq!(parse(text.as_bytes(), 0).unwrap().to_string(), text);
        }
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "-0",
            "1.0",
            "1e2",
            "0.1",
            "51.24817837550540",
            "2.2250738585072014e-308",
            "9007199254740993.0",
            "1e-400",
            "93.3315220013420",
            "0.500000000000000166533453693773481063544750213623046875",
        ] {
            let double: f64 = text.parse().unwrap();
            let read = parse(text.as_bytes(), 0).unwrap();
            assert!(
                read.is_f64() && read.as_f64().unwrap().to_bits() == double.to_bits(),
                "{text}"
            );
        }
    }

    #[test]
    fn random_doubles_come_back_bit_for_bit() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let double = f64::from_bits(state ^ (state >> 29));
            if double.is_finite() {
                let read = parse(format!("{double:e}").as_bytes(), 0).unwrap();
                assert_eq!(read.as_f64().map(f64::to_bits), Some(double.to_bits()), "{double:e}");
            }
        }
    }

    #[test]
    fn more_values_than_are_allowed_are_refused_however_short_the_text() {
        use crate::kernel::limits::JSON_VALUES_COUNT_MAX;
        let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(","));
        let just_enough = list("0", JSON_VALUES_COUNT_MAX);
        assert!(parse(just_enough.as_bytes(), 2).is_ok());
        for text in [
            list("0", JSON_VALUES_COUNT_MAX + 1),
            list("{}", JSON_VALUES_COUNT_MAX / 17 + 1),
            list("{\"\":0}", JSON_VALUES_COUNT_MAX / 18 + 1),
        ] {
            assert!(parse(text.as_bytes(), 2).is_err_and(|error| error.0.contains("more values")));
        }
    }
}
