//! Runs of bytes in linear memory, and the numbers in records that a guest writes there.

use super::errno::Errno;

/// A run of bytes in linear memory that was found to lie inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// Finds `length` bytes at `pointer`, or answers `EFAULT`.
    // [BOX-41]
    pub(super) fn find(memory: &[u8], pointer: u32, length: usize) -> Result<Self, Errno> {
        let start = usize::try_from(pointer).map_err(|_| Errno::FAULT)?;
        let end = start.checked_add(length).ok_or(Errno::FAULT)?;
        match end <= memory.len() {
            true => Ok(Span { start, end }),
            false => Err(Errno::FAULT),
        }
    }

    pub(super) fn length(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Its bytes in the memory it was found in.
    pub(super) fn of(self, memory: &[u8]) -> Result<&[u8], Errno> {
        memory.get(self.start..self.end).ok_or(Errno::FAULT)
    }

    /// Its bytes, to be written.
    pub(super) fn of_mut(self, memory: &mut [u8]) -> Result<&mut [u8], Errno> {
        memory.get_mut(self.start..self.end).ok_or(Errno::FAULT)
    }
}

/// Copies as many bytes as both sides have.
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    let length = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
}

/// The little-endian number at an offset of a record; bytes beyond its end count as zero.
pub(super) fn field_u64(record: &[u8], offset: usize) -> u64 {
    let bytes = record.iter().skip(offset).take(8).rev();
    bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// As [`field_u64`], of four bytes.
pub(super) fn field_u32(record: &[u8], offset: usize) -> u32 {
    let bytes = record.iter().skip(offset).take(4).rev();
    bytes.fold(0, |value, byte| value << 8 | u32::from(*byte))
}
