//! Exact comparison of JSON numbers, and one canonical text for equal values.
//!
//! JSON Schema has only numbers, not integers and floats: `1` and `1.0` are equal, and both are integers.
//! A number that was read as a double is exactly the value of that double.

use crate::kernel::json;
use crate::kernel::prelude::*;
use serde_json::{Number, Value};

/// A number without rounding: a 64-bit integer or a finite double. Numbers are compared by their nearest
/// doubles first. Those that share one are equal or 64-bit integers, so that comparing `whole` decides.
// [SCH-10]
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct ExactNumber {
    nearest: f64,
    /// The integer part; see [`whole`] for doubles of 2^127 or more.
    whole: i128,
}

impl ExactNumber {
    /// Returns the number of a value, if it is one.
    pub(super) fn of(value: &Value) -> Option<ExactNumber> {
        let number = value.as_number()?;
        let nearest = number.as_f64()?;
        Some(ExactNumber { nearest, whole: number.as_i128().unwrap_or_else(|| whole(nearest)) })
    }

    // [SCH-09]
    pub(super) fn is_integer(self) -> bool {
        self.nearest % 1.0 == 0.0
    }

    /// Returns `true` if the number is a multiple of the divisor, an integer of 32 bits.
    pub(super) fn is_multiple_of(self, divisor: ExactNumber) -> bool {
        self.is_integer() && self.whole.checked_rem(divisor.whole) == Some(0)
    }
}

/// Returns a double without its fraction, computed from its bits (IEEE 754 binary64), since a cast would
/// saturate. From 2^127 on, it is divided by a power of two; 74 factors of two remain, so that the
/// divisors of 32 bits stay the same.
fn whole(float: f64) -> i128 {
    let bits = float.abs().to_bits();
    let exponent = u32::try_from(bits >> 52).unwrap_or(0);
    let significand = i128::from((bits & 0x000f_ffff_ffff_ffff) | (1 << 52));
    // The significand shifted by 74 is its value in a double with exponent 1149, the last below 2^127.
    // Each smaller exponent halves it.
    let highest = significand.checked_shl(74).unwrap_or(0);
    let magnitude = highest.checked_shr(1149_u32.saturating_sub(exponent)).unwrap_or(0);
    magnitude.saturating_mul(if float < 0.0 { -1 } else { 1 })
}

/// Returns `true` if a number satisfies one of the ten bounds.
// [SCH-10]
pub(super) fn satisfies_bound(number: &Value, keyword: &str, bound: &Value) -> bool {
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

/// Returns one text for all values that JSON Schema considers equal, and different texts for others.
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
