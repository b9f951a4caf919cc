//! Numbers compared as the mathematics they stand for, and one text for equal values.
//!
//! JSON Schema knows no integers and floats, only numbers: `1` and `1.0` are equal and both integers.
//! A number that was read as a double stands for exactly the value of that double.

use crate::kernel::json;
use crate::kernel::prelude::*;
use serde_json::{Number, Value};

/// A number of a document, which is a 64-bit integer or a finite double, without rounding. Of two
/// numbers the one with the smaller nearest double is smaller; those with one double are 64-bit
/// integers or equal, so the integer decides.
// [SCH-10]
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct ExactNumber {
    nearest: f64,
    /// What stands before the point; see [`whole`] for doubles of 2^127 or more.
    whole: i128,
}

impl ExactNumber {
    /// The number that a value is, if it is one.
    pub(super) fn of(value: &Value) -> Option<ExactNumber> {
        let number = value.as_number()?;
        let nearest = number.as_f64()?;
        Some(ExactNumber { nearest, whole: number.as_i128().unwrap_or_else(|| whole(nearest)) })
    }

    // [SCH-09]
    pub(super) fn is_integer(self) -> bool {
        self.nearest % 1.0 == 0.0
    }

    /// The divisor is an integer of 32 bits.
    pub(super) fn is_multiple_of(self, divisor: ExactNumber) -> bool {
        self.is_integer() && self.whole.checked_rem(divisor.whole) == Some(0)
    }
}

/// A double without its fraction, from its bits (IEEE 754 binary64): equally fast for all, and exact
/// where a cast would saturate in silence. Of 2^127 or more, it is the double divided by a power of two,
/// and has the same divisors of 32 bits: 74 factors of two stay.
fn whole(float: f64) -> i128 {
    let bits = float.abs().to_bits();
    let exponent = u32::try_from(bits >> 52).unwrap_or(0);
    let significand = i128::from((bits & 0x000f_ffff_ffff_ffff) | (1 << 52));
    // 74 bits higher the significand is what it is worth in a double of exponent 1149, the last below
    // 2^127. Each exponent less halves it, until nothing is left of it.
    let highest = significand.checked_shl(74).unwrap_or(0);
    let magnitude = highest.checked_shr(1149_u32.saturating_sub(exponent)).unwrap_or(0);
    magnitude.saturating_mul(if float < 0.0 { -1 } else { 1 })
}

/// Whether a number keeps one of the ten bounds.
// [SCH-10]
pub(super) fn is_within(number: &Value, keyword: &str, bound: &Value) -> bool {
    let (Some(number), Some(bound)) = (ExactNumber::of(number), ExactNumber::of(bound)) else {
        return false;
    };
    match keyword {
        "exclusiveMinimum" => number > bound,
        "exclusiveMaximum" => number < bound,
        _ if keyword.starts_with("min") => number >= bound,
        _ => number <= bound,
    }
}

/// One text for all values that JSON Schema calls equal. Two different values have two texts.
pub(super) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    json::canonical::write(value, number_text, &mut text);
    text
}

fn number_text(number: &Number) -> String {
    match ExactNumber::of(&Value::Number(number.clone())) {
        Some(ExactNumber { nearest, whole }) if nearest % 1.0 == 0.0 && nearest.abs() < 1e38 => {
            whole.to_string()
        }
        _ => format!("{:e}", number.as_f64().unwrap_or_default()),
    }
}
