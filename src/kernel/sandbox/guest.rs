//! Room: what the host keeps for one running guest, and the guest's side of a host call: its linear
//! memory, with every access checked, and its fuel.

use super::errno::{Errno, HostCallError};
use super::guest_clock::GuestClock;
use super::meter::FuelMeter;
use super::overlay::{Descriptors, OverlayFs};
use super::random::RandomStream;
use crate::kernel::limits::{IOVECS_COUNT_MAX, IOVEC_FUEL};
use crate::kernel::network::ServiceBroker;
use crate::kernel::prelude::*;
use crate::kernel::storage::Loaded;
use wasmi::Memory;

/// What the host keeps for one running guest.
pub(super) struct GuestState<'a> {
    /// Command line, each without its NUL.
    pub(super) args: Vec<String>,
    /// `NAME=value`, each without its NUL.
    pub(super) environment: Vec<String>,
    pub(super) stdin: Vec<u8>,
    /// Bytes of `stdin` already read.
    pub(super) stdin_read: usize,
    pub(super) stdout: Vec<u8>,
    pub(super) stdout_bytes_max: usize,
    pub(super) stderr: Vec<u8>,
    /// What it gave to `proc_exit`.
    pub(super) exit_status: Option<u32>,
    /// Calls that were answered with an errno that says it may not do that.
    pub(super) denied: u64,
    pub(super) tree: OverlayFs,
    pub(super) descriptors: Descriptors,
    pub(super) time: GuestClock,
    pub(super) random: RandomStream<'a>,
    pub(super) meter: FuelMeter<'a>,
    pub(super) services: ServiceBroker<'a>,
    /// What the package keeps, as the call found it; the entries are in the tree.
    pub(super) storage: Option<Loaded>,
    /// The answer to the last request at the door, until it is taken.
    pub(super) response: Vec<u8>,
    /// The most that linear memory may grow to.
    pub(super) memory_bytes_max: usize,
    /// The most that a table may grow to.
    pub(super) table_elements_max: usize,
    /// Whether the last growth of memory that the engine asked for was denied.
    pub(super) growth_denied: bool,
    /// Linear memory, once there is an instance.
    pub(super) memory: Option<Memory>,
}

/// One host call. Holds the guest's memory anew each time, since it may have grown in between.
pub(super) struct HostCall<'a, 'g> {
    pub(super) memory: &'a mut [u8],
    pub(super) guest: &'a mut GuestState<'g>,
}

/// A run of bytes in linear memory that was found to lie inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct GuestRange {
    start: usize,
    end: usize,
}

impl GuestRange {
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

impl HostCall<'_, '_> {
    /// Finds `length` bytes at `pointer`, or answers `EFAULT`.
    // [BOX-41]
    pub(super) fn span(&self, pointer: u32, length: usize) -> Result<GuestRange, Errno> {
        let start = usize::try_from(pointer).map_err(|_| Errno::FAULT)?;
        let end = start.checked_add(length).ok_or(Errno::FAULT)?;
        Errno::FAULT.when(end > self.memory.len())?;
        Ok(GuestRange { start, end })
    }

    /// As [`HostCall::span`], with the length as the guest gave it.
    pub(super) fn span_of(&self, pointer: u32, length: u32) -> Result<GuestRange, Errno> {
        self.span(pointer, usize::try_from(length).map_err(|_| Errno::FAULT)?)
    }

    pub(super) fn read(&self, span: GuestRange) -> Result<&[u8], Errno> {
        span.of(self.memory)
    }

    /// Writes from the start of a span; what goes beyond its end is not written.
    pub(super) fn write(&mut self, span: GuestRange, bytes: &[u8]) -> Result<(), HostCallError> {
        copy(span.of_mut(self.memory)?, bytes);
        Ok(())
    }

    pub(super) fn write_at(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), HostCallError> {
        let span = self.span(pointer, bytes.len())?;
        self.write(span, bytes)
    }

    pub(super) fn write_u32(&mut self, pointer: u32, value: u32) -> Result<(), HostCallError> {
        self.write_at(pointer, &value.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, pointer: u32, value: u64) -> Result<(), HostCallError> {
        self.write_at(pointer, &value.to_le_bytes())
    }

    /// Reads a list of `(pointer, length)` pairs and finds the bytes of each; gives them with their
    /// total length. They may overlap.
    // [BOX-42]
    pub(super) fn iovecs(
        &mut self,
        pointer: u32,
        count: u32,
    ) -> Result<(Vec<GuestRange>, usize), HostCallError> {
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
