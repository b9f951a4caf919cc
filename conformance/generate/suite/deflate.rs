//! Raw deflate streams (RFC 1951), bit by bit, so that each kind of block and each fault can be made.

/// Bits from the least significant of each byte on, as deflate packs them.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    /// A number, its least significant bit first.
    pub fn number(&mut self, value: u32, width: u32) -> &mut Self {
        for bit in 0..width {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.used;
            }
            self.used = (self.used + 1) % 8;
        }
        self
    }

    /// A Huffman code, its most significant bit first.
    fn code(&mut self, value: u32, width: u32) -> &mut Self {
        self.number(value.reverse_bits() >> (32 - width), width)
    }

    pub fn finish(&mut self) -> Vec<u8> {
        self.used = 0;
        std::mem::take(&mut self.bytes)
    }
}

/// One block with the fixed codes and literals only.
pub fn fixed(content: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    fixed_block(&mut bits, content, true);
    bits.finish()
}

/// A block with the fixed codes, as final or not.
pub fn fixed_block(bits: &mut Bits, content: &[u8], is_final: bool) {
    bits.number(u32::from(is_final), 1).number(1, 2);
    for byte in content {
        match u32::from(*byte) {
            low @ 0..=143 => bits.code(0x30 + low, 8),
            high => bits.code(0x190 + high - 144, 9),
        };
    }
    bits.code(0, 7);
}

/// One stored block.
pub fn stored(content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), content].concat()
}

/// A stream of `start` and then many zero bytes, at nearly the highest ratio: after a head,
/// each byte of zeros represents four copies of 258 bytes. Returns the stream.
///
/// The codes: length 258 is `0`, literal 0 is `10`, the end `11`, distance 1 is `0`.
pub fn zeros_after(start: &[u8], count: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    if !start.is_empty() {
        bits.bytes = stored(start);
        bits.bytes[0] = 0; // not the final block
    }
    // Final block, dynamic codes, 286 literal and length codes, 1 distance code, 19 code lengths.
    bits.number(1, 1).number(2, 2).number(29, 5).number(0, 5).number(15, 4);
    // Used are 18 (a run of zeros), 1 and 2, with code lengths 1, 2, 2.
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15_u32] {
        let length = match symbol {
            18 => 1,
            1 | 2 => 2,
            _ => 0,
        };
        bits.number(length, 3);
    }
    // So 18 is `0`, 1 is `10`, 2 is `11`. A run of n is `18` and n − 11 in 7 bits.
    let run = |bits: &mut Bits, length: u32| {
        bits.code(0, 1).number(length - 11, 7);
    };
    bits.code(3, 2); // literal 0 has length 2
    run(&mut bits, 138);
    run(&mut bits, 117); // literals 1 to 255
    bits.code(3, 2); // the end of the block has length 2
    run(&mut bits, 28); // length codes 257 to 284
    bits.code(2, 2); // length code 285, for 258 bytes, has length 1
    bits.code(2, 2); // distance code 0, for 1 byte, has length 1
    let literals = 1 + (count - 1) % 258;
    for _ in 0..literals {
        bits.code(2, 2);
    }
    for _ in 0..(count - literals) / 258 {
        bits.number(0, 2);
    }
    bits.code(3, 2);
    bits.finish()
}
