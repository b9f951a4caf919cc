//! Random numbers of the guest: SHA-256 in counter mode over the engine's seed.
//!
//! The same seed and the same calls give the same bytes on every machine. They are uniform but not secret:
//! the seed predicts them. A policy can grant the host's random numbers instead.

use crate::kernel::host::Host;
use crate::kernel::prelude::*;
use sha2::{Digest, Sha256};

/// A source of random bytes.
pub(super) enum RandomStream<'a> {
    /// Block `n` of the stream is SHA-256 of the seed and `n` as eight little-endian bytes.
    // [BOX-53]
    Seeded {
        seed: [u8; 32],
        next_block: u64,
        /// Unused bytes of the last block.
        rest: Vec<u8>,
    },
    /// The host's random source.
    // [BOX-56]
    Host(&'a dyn Host),
}

impl RandomStream<'_> {
    pub(super) fn seeded(seed: [u8; 32]) -> Self {
        RandomStream::Seeded { seed, next_block: 0, rest: Vec::new() }
    }

    /// Returns the next `length` bytes. Only the host's source can fail.
    pub(super) fn take(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let (seed, next_block, rest) = match self {
            RandomStream::Seeded { seed, next_block, rest } => (seed, next_block, rest),
            RandomStream::Host(host) => {
                let mut bytes = vec![0; length];
                host.random(&mut bytes)?;
                return Ok(bytes);
            }
        };
        let mut bytes = core::mem::take(rest);
        while bytes.len() < length {
            let counter = next_block.to_le_bytes();
            bytes.extend(Sha256::new().chain_update(*seed).chain_update(counter).finalize());
            *next_block = next_block.wrapping_add(1);
        }
        *rest = bytes.split_off(length);
        Ok(bytes)
    }
}
