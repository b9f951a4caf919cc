//! Room: the guest's random numbers: SHA-256 in counter mode over the seed of the call.
//!
//! The same seed and the same calls give the same bytes on every machine. They are well spread and
//! no secret: whoever knows the seed knows them.

use sha2::{Digest, Sha256};

/// Block `n` of the stream is SHA-256 of the seed and `n` as eight little-endian bytes.
// [BOX-53]
pub(super) struct RandomStream {
    seed: [u8; 32],
    next_block: u64,
    /// Bytes of the last block that were not yet given out.
    rest: Vec<u8>,
}

impl RandomStream {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        RandomStream { seed, next_block: 0, rest: Vec::new() }
    }

    /// The next `length` bytes of the stream.
    pub(super) fn take(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.rest);
        while bytes.len() < length {
            let counter = self.next_block.to_le_bytes();
            bytes.extend(Sha256::new().chain_update(self.seed).chain_update(counter).finalize());
            self.next_block = self.next_block.wrapping_add(1);
        }
        self.rest = bytes.split_off(length);
        bytes
    }
}
