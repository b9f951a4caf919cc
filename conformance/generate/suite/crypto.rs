//! Hashes, encodings, the fixed test keys, and signatures, including those that must be refused.
//!
//! The odd signatures need arithmetic on scalars only: every point among them is a constant.

use ed25519_compact::{KeyPair, Noise, Seed};
use sha2::{Digest, Sha256, Sha512};

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// HMAC-SHA-256 (RFC 2104), with a key that is not longer than a block.
pub fn hmac_sha256_hex(key: &[u8], message: &[u8]) -> String {
    let block = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::digest([&block(0x36)[..], message].concat());
    sha256_hex(&[&block(0x5c)[..], &inner].concat())
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[bits >> (18 - 6 * place) & 63];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// One of the test keys: a name and a seed of equal bytes. They are public: nothing may trust them.
#[derive(Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    seed: u8,
}

pub const AUTHOR: Key = Key { name: "author", seed: 1 };
pub const APPROVER: Key = Key { name: "approver", seed: 2 };
pub const STRANGER: Key = Key { name: "stranger", seed: 3 };

impl Key {
    pub const ALL: [Key; 9] = [
        AUTHOR,
        APPROVER,
        STRANGER,
        Key { name: "extra-4", seed: 4 },
        Key { name: "extra-5", seed: 5 },
        Key { name: "extra-6", seed: 6 },
        Key { name: "extra-7", seed: 7 },
        Key { name: "extra-8", seed: 8 },
        Key { name: "extra-9", seed: 9 },
    ];

    fn pair(self) -> KeyPair {
        KeyPair::from_seed(Seed::new([self.seed; 32]))
    }

    pub fn public(self) -> [u8; 32] {
        *self.pair().pk
    }

    pub fn id(self) -> String {
        sha256_hex(&self.public())
    }

    pub fn sign(self, message: &[u8]) -> [u8; 64] {
        *self.pair().sk.sign(message, None::<Noise>)
    }

    /// The secret scalar of RFC 8032 §5.1.5.
    fn scalar(self) -> [u8; 32] {
        let mut scalar: [u8; 32] = [0; 32];
        scalar.copy_from_slice(&Sha512::digest([self.seed; 32])[..32]);
        scalar[0] &= 248;
        scalar[31] = scalar[31] & 127 | 64;
        scalar
    }

    /// PKCS#8, version 0 (RFC 8410 §7).
    pub fn private_pem(self) -> String {
        let der = [unhex("302e020100300506032b657004220420"), vec![self.seed; 32]].concat();
        pem("PRIVATE KEY", &der)
    }

    pub fn public_pem(self) -> String {
        public_pem(&self.public())
    }
}

/// SubjectPublicKeyInfo (RFC 8410 §4).
pub fn public_pem(key: &[u8]) -> String {
    pem("PUBLIC KEY", &[unhex("302a300506032b6570032100"), key.to_vec()].concat())
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let text = base64(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The base point B.
pub const BASE: &str = "5866666666666666666666666666666666666666666666666666666666666666";
/// B plus a point of order 8.
pub const BASE_PLUS_ORDER_8: &str =
    "98519eadf35b995233b51b5cd23e9cc5a28b639b5a4af0ec903cb960d81b7819";
/// The neutral element.
pub const NEUTRAL: &str = "0100000000000000000000000000000000000000000000000000000000000000";
/// A point of order 8.
pub const ORDER_8: &str = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";

/// The order of the prime-order subgroup, L, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A signature with a chosen R = rB + T, valid except for the small-order part T: S = r + k·a.
/// `r` is 0 or 1, so that R is a constant.
pub fn sign_with(nonce: u8, point: &str, key: Key, message: &[u8]) -> Vec<u8> {
    let point = unhex(point);
    let challenge = reduce(&Sha512::digest([&point[..], &key.public(), message].concat()));
    let mut r = [0; 32];
    r[0] = nonce;
    [point, add(&r, &multiply(&challenge, &reduce(&key.scalar()))).to_vec()].concat()
}

/// A signature by the key of scalar 1, with any small-order part in its public key: R = B and
/// S = 1 + k. With a key of scalar 0, which is a point of small order, S = 1.
pub fn sign_as_point(scalar: u8, public_key: &str, message: &[u8]) -> Vec<u8> {
    let (point, key) = (unhex(BASE), unhex(public_key));
    let challenge = reduce(&Sha512::digest([&point[..], &key[..], message].concat()));
    let mut one = [0; 32];
    one[0] = 1;
    let s = if scalar == 0 { one } else { add(&one, &challenge) };
    [point, s.to_vec()].concat()
}

/// The same signature with S + L in place of S.
pub fn malleated(signature: &[u8]) -> Vec<u8> {
    let mut altered = signature.to_vec();
    let mut carry = 0_u16;
    for (byte, order) in altered[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    altered
}

/// A little-endian number modulo L, bit by bit: slow, and plainly right.
fn reduce(bytes: &[u8]) -> [u8; 32] {
    let mut result = [0; 32];
    for byte in bytes.iter().rev() {
        for bit in (0..8).rev() {
            result = add(&result, &result);
            let mut one = [0; 32];
            one[0] = byte >> bit & 1;
            result = add(&result, &one);
        }
    }
    result
}

/// Sum modulo L of two numbers below L.
fn add(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut sum = [0; 32];
    let mut carry = 0_u16;
    for at in 0..32 {
        carry += u16::from(left[at]) + u16::from(right[at]);
        sum[at] = (carry & 0xff) as u8;
        carry >>= 8;
    }
    if sum.iter().rev().lt(ORDER.iter().rev()) {
        return sum;
    }
    let mut borrow = 0_i16;
    for at in 0..32 {
        let difference = i16::from(sum[at]) - i16::from(ORDER[at]) - borrow;
        sum[at] = difference.rem_euclid(256) as u8;
        borrow = i16::from(difference < 0);
    }
    sum
}

fn multiply(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut product = [0; 32];
    for byte in left.iter().rev() {
        for bit in (0..8).rev() {
            product = add(&product, &product);
            if byte >> bit & 1 == 1 {
                product = add(&product, right);
            }
        }
    }
    product
}
