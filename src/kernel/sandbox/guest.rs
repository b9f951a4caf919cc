//! State of a running guest, and checked access of host calls to its linear memory.

use super::errno::{Errno, HostResult};
use super::guest_clock::GuestClock;
use super::meter::FuelMeter;
use super::overlay::{Descriptors, OverlayFs};
use super::random::RandomStream;
use crate::kernel::limits::{IOVECS_COUNT_MAX, IOVEC_FUEL};
use crate::kernel::network::ServiceBroker;
use crate::kernel::prelude::*;
use crate::kernel::storage::LoadedStorage;
use wasmi::Memory;

/// The host's state of one running guest.
pub(super) struct GuestState<'a> {
    /// Command-line arguments, each without its NUL.
    pub(super) args: Vec<String>,
    /// `NAME=value`, each without its NUL.
    pub(super) environment: Vec<String>,
    pub(super) stdin: Vec<u8>,
    /// Bytes of `stdin` already read.
    pub(super) stdin_read: usize,
    pub(super) stdout: Vec<u8>,
    pub(super) stdout_bytes_max: usize,
    pub(super) stderr: Vec<u8>,
    /// The status passed to `proc_exit`.
    pub(super) exit_status: Option<u32>,
    /// Number of host calls that failed with a permission error.
    pub(super) denied: u64,
    pub(super) tree: OverlayFs,
    pub(super) descriptors: Descriptors,
    pub(super) time: GuestClock,
    pub(super) random: RandomStream<'a>,
    pub(super) meter: FuelMeter<'a>,
    pub(super) services: ServiceBroker<'a>,
    /// The snapshot of storage at the start of the call; its entries are in the overlay.
    pub(super) storage: Option<LoadedStorage>,
    /// The unread response to the last service request.
    pub(super) response: Vec<u8>,
    /// Limit of linear memory.
    pub(super) memory_bytes_max: usize,
    /// Limit of a table.
    pub(super) table_elements_max: usize,
    /// Set if the last growth of memory was denied.
    pub(super) denied_growth: Option<DeniedGrowth>,
    /// Linear memory, once the instance exists.
    pub(super) memory: Option<Memory>,
}

/// Why memory did not grow.
#[derive(Clone, Copy, Debug)]
pub(super) enum DeniedGrowth {
    /// The limit of the call was reached.
    ByLimit,
    /// The host had no more memory.
    ByHost,
}

/// One host call. It borrows the guest's memory each time, since that may have grown since the last call.
pub(super) struct HostCall<'a, 'g> {
    pub(super) memory: &'a mut [u8],
    pub(super) guest: &'a mut GuestState<'g>,
}

/// A range of linear memory that was checked to lie inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuestRange {
    start: usize,
    end: usize,
}

impl GuestRange {
    pub(super) fn length(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Returns its bytes in the memory it was checked against.
    pub(super) fn of(self, memory: &[u8]) -> Result<&[u8], Errno> {
        memory.get(self.start..self.end).ok_or(Errno::FAULT)
    }

    /// Returns its bytes in the memory it was checked against, for writing.
    pub(super) fn of_mut(self, memory: &mut [u8]) -> Result<&mut [u8], Errno> {
        memory.get_mut(self.start..self.end).ok_or(Errno::FAULT)
    }
}

impl HostCall<'_, '_> {
    /// Returns the range of `length` bytes at `pointer`. `EFAULT`: it is not inside linear memory.
    // [BOX-41]
    pub(super) fn span(&self, pointer: u32, length: usize) -> Result<GuestRange, Errno> {
        let start = usize::try_from(pointer).map_err(|_| Errno::FAULT)?;
        let end = start.checked_add(length).ok_or(Errno::FAULT)?;
        Errno::FAULT.when(end > self.memory.len())?;
        Ok(GuestRange { start, end })
    }

    /// As [`HostCall::span`], for a length that the guest passed.
    pub(super) fn span_of(&self, pointer: u32, length: u32) -> Result<GuestRange, Errno> {
        self.span(pointer, usize::try_from(length).map_err(|_| Errno::FAULT)?)
    }

    pub(super) fn read(&self, span: GuestRange) -> Result<&[u8], Errno> {
        span.of(self.memory)
    }

    /// Writes to the start of a range; bytes beyond its end are dropped.
    pub(super) fn write(&mut self, span: GuestRange, bytes: &[u8]) -> HostResult {
        copy(span.of_mut(self.memory)?, bytes);
        Ok(())
    }

    pub(super) fn write_at(&mut self, pointer: u32, bytes: &[u8]) -> HostResult {
        let span = self.span(pointer, bytes.len())?;
        self.write(span, bytes)
    }

    pub(super) fn write_u32(&mut self, pointer: u32, value: u32) -> HostResult {
        self.write_at(pointer, &value.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, pointer: u32, value: u64) -> HostResult {
        self.write_at(pointer, &value.to_le_bytes())
    }

    /// Reads a list of `(pointer, length)` pairs; returns the range of each and their total length. They
    /// may overlap.
    // [BOX-42]
    pub(super) fn iovecs(
        &mut self,
        pointer: u32,
        count: u32,
    ) -> HostResult<(Vec<GuestRange>, usize)> {
        let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
        Errno::INVAL.when(count > IOVECS_COUNT_MAX)?;
        let list = self.span(pointer, count.saturating_mul(8))?;
        self.guest.meter.charge_each(count, IOVEC_FUEL)?;
        let (mut spans, mut total) = (Vec::with_capacity(count), 0_u32);
        for pair in self.read(list)?.chunks_exact(8) {
            let (pointer, length) = (field_u32(pair, 0), field_u32(pair, 4));
            total = total.checked_add(length).ok_or(Errno::INVAL)?;
            spans.push(self.span_of(pointer, length)?);
        }
        Ok((spans, usize::try_from(total).map_err(|_| Errno::INVAL)?))
    }
}

/// Copies as many bytes as both sides have.
pub(super) fn copy(to: &mut [u8], from: &[u8]) {
    let length = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
}

/// Reads a little-endian number at an offset of a record; bytes beyond its end count as zero.
pub(super) fn field_u64(record: &[u8], offset: usize) -> u64 {
    let bytes = record.iter().skip(offset).take(8).rev();
    bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// As [`field_u64`], for four bytes.
pub(super) fn field_u32(record: &[u8], offset: usize) -> u32 {
    let bytes = record.iter().skip(offset).take(4).rev();
    bytes.fold(0, |value, byte| value << 8 | u32::from(*byte))
}
