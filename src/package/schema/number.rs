//! Room: numbers compared as the mathematics they stand for, and one text for equal values.
//!
//! JSON Schema knows no integers and floats, only numbers: `1` and `1.0` are equal and both integers.
//! A number that was read as a double stands for exactly the value of that double.

use serde_json::{Number, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A number of a document, without rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Exact {
    /// An integer below 2^127.
    Integer(i128),
    /// A number with a fraction, or an integer of 2^127 or more. Finite.
    Float(f64),
}

impl Exact {
    pub(super) fn of(number: &Number) -> Exact {
        if let Some(integer) = number.as_i128() {
            return Exact::Integer(integer);
        }
        // serde_json holds nothing else than 64-bit integers and finite doubles.
        let float = number.as_f64().unwrap_or(0.0);
        match (float.fract() == 0.0).then(|| integer(float)).flatten() {
            Some(integer) => Exact::Integer(integer),
            None => Exact::Float(float),
        }
    }

    // [SCH-09]
    pub(super) fn is_integer(self) -> bool {
        match self {
            Exact::Integer(_) => true,
            Exact::Float(float) => float.fract() == 0.0,
        }
    }

    // [SCH-10]
    pub(super) fn compare(self, other: Exact) -> Ordering {
        match (self, other) {
            (Exact::Integer(a), Exact::Integer(b)) => a.cmp(&b),
            (Exact::Integer(a), Exact::Float(b)) => compare_mixed(a, b),
            (Exact::Float(a), Exact::Integer(b)) => compare_mixed(b, a).reverse(),
            (Exact::Float(a), Exact::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        }
    }

    pub(super) fn is_multiple_of(self, divisor: u32) -> bool {
        match self {
            Exact::Integer(integer) => integer.checked_rem(divisor.into()) == Some(0),
            // From 2^127 on a double is its significand times 2^75 or more: it has every factor of two
            // that a 32-bit divisor can have, and the odd rest must divide the significand.
            Exact::Float(float) => {
                let odd = divisor.checked_shr(divisor.trailing_zeros()).unwrap_or(1);
                float.fract() == 0.0 && parts(float).0.checked_rem(odd.into()) == Some(0)
            }
        }
    }
}

/// An integer against a double that is none, or one of 2^127 or more.
fn compare_mixed(a: i128, b: f64) -> Ordering {
    match integer(b.floor()) {
        Some(floor) if a <= floor => Ordering::Less,
        Some(_) => Ordering::Greater,
        None if b > 0.0 => Ordering::Less,
        None => Ordering::Greater,
    }
}

/// A double without a fraction as an integer, if its magnitude is below 2^127. It is made from the bits
/// of the double: equally fast for all, and exact, where a cast would saturate in silence.
fn integer(float: f64) -> Option<i128> {
    let (significand, exponent) = parts(float);
    // The significand stands below 2^53. 74 bits higher it is what it is worth in a double of exponent
    // 1149, the last below 2^127; each exponent less halves it, and zero, of exponent 0, vanishes.
    let highest = i128::from(significand).checked_shl(74)?;
    let magnitude = highest.checked_shr(1149_u32.checked_sub(exponent)?).unwrap_or(0);
    match float < 0.0 {
        true => magnitude.checked_neg(),
        false => Some(magnitude),
    }
}

/// The significand of a double as an integer, and its biased exponent (IEEE 754 binary64): a double other
/// than zero without a fraction has the magnitude `significand * 2^(exponent - 1075)`.
fn parts(float: f64) -> (u64, u32) {
    let bits = float.abs().to_bits();
    let exponent = u32::try_from(bits >> 52).unwrap_or(0);
    ((bits & 0x000f_ffff_ffff_ffff) | (1 << 52), exponent)
}

impl fmt::Display for Exact {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exact::Integer(integer) => integer.fmt(out),
            Exact::Float(float) => fmt::Debug::fmt(float, out),
        }
    }
}

/// One text for all values that JSON Schema calls equal: members sorted, numbers by what they stand
/// for. Two different values have two texts.
// [SCH-11]
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => Exact::of(number).to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let pair = |(key, value)| format!("{:?}:{}", key, canonical(value));
            format!("{{{}}}", sorted.into_iter().map(pair).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => format!("{text:?}"),
        Value::Null | Value::Bool(_) => value.to_string(),
    }
}
