//! Hexadecimal, base64, SHA-256, HMAC and the pre-authentication encoding of signed bytes.
//!
//! Decoding is strict, so that the same bytes have one text: lower-case hexadecimal only; base64
//! (RFC 4648 §4) with padding, without white space, and with zeros in unused bits.

use crate::kernel::prelude::*;
use sha2::{Digest, Sha256};

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.extend(HEX.get(usize::from(nibble)).map(|digit| char::from(*digit)));
        }
    }
    text
}

/// Decodes lower-case hexadecimal of exactly `N` bytes.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibble = |digit: &u8| HEX.iter().position(|known| known == digit);
    let mut bytes = Vec::with_capacity(N);
    for pair in text.as_bytes().chunks(2) {
        let [high, low] = pair else { return None };
        let byte = nibble(high)?.checked_mul(16)?.checked_add(nibble(low)?)?;
        bytes.push(u8::try_from(byte).ok()?);
    }
    bytes.try_into().ok()
}

/// Converts a length or a count to 64 bits, without loss on any supported machine.
pub fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Parses hexadecimal digits of either case, as in escapes of text from outside.
pub(in crate::kernel) fn hex_number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        value.checked_mul(16)?.checked_add(digit)
    })
}

/// Returns the bytes to sign for a body of one type. Both have their lengths in bytes before them, so that
/// no two pairs have the same encoding (as in DSSE's pre-authentication encoding):
///
/// ```text
/// MPPv1 <len(type)> <type> <len(body)> <body>
/// ```
pub(in crate::kernel) fn pre_auth_encoding(payload_type: &str, body: &str) -> Vec<u8> {
    format!("MPPv1 {} {payload_type} {} {body}", payload_type.len(), body.len()).into_bytes()
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Returns the SHA-256 as 64 hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Declares a text of a prefix and the 64 hexadecimal digits of a hash. The last argument is the visibility
/// of its parser.
macro_rules! hash_text {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $parse:vis) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            fn of(hash: &[u8; 32]) -> Self {
                $name(format!("{}{}", $prefix, $crate::kernel::encoding::hex(hash)))
            }

            /// Parses the canonical form.
            $parse fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                $crate::kernel::encoding::unhex::<32>(digits).map(|_| $name(text.to_owned()))
            }

            /// Returns the text, with its prefix.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                out.write_str(&self.0)
            }
        }
    };
}
pub(in crate::kernel) use hash_text;

/// HMAC-SHA-256 (RFC 2104) with a key of 32 bytes.
pub fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        for (byte, key_byte) in block.iter_mut().zip(key) {
            *byte ^= key_byte;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Encodes bytes as base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let byte = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (n, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = usize::try_from(bits >> shift & 63).ok().and_then(|n| BASE64.get(n));
            text.push(if n <= group.len() { char::from(*digit.unwrap_or(&b'=')) } else { '=' });
        }
    }
    text
}

/// Decodes base64 of exactly `N` bytes. Only the output of [`base64`] is accepted.
pub fn unbase64<const N: usize>(text: &str) -> Option<[u8; N]> {
    unbase64_vec(text)?.try_into().ok()
}

/// Decodes base64 like [`unbase64`], but of any length.
pub fn unbase64_vec(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in group.iter().map(|digit| if *digit == b'=' { &b'A' } else { digit }) {
            let value = BASE64.iter().position(|known| known == digit)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        bytes.extend(bits.to_be_bytes().iter().skip(1));
    }
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    bytes.truncate(bytes.len().saturating_sub(padding));
    // Encoding it again refuses misplaced padding, a short last group and unused bits that are set.
    (base64(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/encoding.rs"]
mod tests;
