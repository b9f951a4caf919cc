//! File content: reads, writes and copy-up.

use super::inode::{InodeData, InodeId, OverlayFs, Times, Usage};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::copy;
use crate::kernel::sandbox::meter::FuelMeter;

/// Bytes of a host file read between two checks of the deadline.
pub(in crate::kernel) const PIECE_BYTES: usize = 1 << 20;

/// The values of a WASI `filestat`.
pub(in crate::kernel) struct Status {
    pub(in crate::kernel) device: u64,
    pub(in crate::kernel) kind: u8,
    pub(in crate::kernel) nlink: u64,
    pub(in crate::kernel) size: u64,
    pub(in crate::kernel) times: Times,
}

impl OverlayFs {
    /// Returns type, size and times.
    // [BOX-67]
    pub(in crate::kernel) fn status(
        &mut self,
        id: InodeId,
        meter: &mut FuelMeter,
    ) -> HostResult<Status> {
        self.open_file(id, meter)?;
        let (node, number) = (self.node(id)?, |n| u64::try_from(n).unwrap_or(u64::MAX));
        let (device, nlink) = (number(node.mount.saturating_add(1)), number(node.nlink));
        let (kind, size) = (self.kind(id)?, self.size(id)?);
        Ok(Status { device, kind, nlink, size, times: node.times })
    }

    /// Returns the size of an open file, or of the content in memory.
    pub(in crate::kernel) fn size(&self, id: InodeId) -> Result<u64, Errno> {
        match &self.node(id)?.lower {
            Some(file) => Ok(file.size()?),
            None => Ok(u64::try_from(self.bytes(id)?.len()).unwrap_or(u64::MAX)),
        }
    }

    /// Returns the content of a file in memory, or the target of a link.
    pub(in crate::kernel) fn bytes(&self, id: InodeId) -> Result<&[u8], Errno> {
        Ok(match &self.node(id)?.data {
            InodeData::Directory(_) => &[],
            InodeData::File(content) => content,
            InodeData::Asset(path) => self.assets.get(path).map_or(&[], Vec::as_slice),
            InodeData::Link(target) => target.as_bytes(),
        })
    }

    /// Reads from an offset of an open file; returns the number of bytes, fewer than the buffer only at the
    /// end.
    pub(in crate::kernel) fn read(
        &self,
        id: InodeId,
        offset: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Errno> {
        if let Some(file) = &self.node(id)?.lower {
            return Ok(file.read_at(offset, buffer)?);
        }
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.bytes(id)?.get(from..).unwrap_or(&[]);
        copy(buffer, rest);
        Ok(rest.len().min(buffer.len()))
    }

    /// Copies a file up, with its content if `keep`; without, it is about to be truncated.
    // [BOX-80]
    pub(super) fn copy_up(&mut self, id: InodeId, keep: bool, meter: &mut FuelMeter) -> HostResult {
        let Some(file) = self.open_file(id, meter)?.cloned() else { return Ok(()) };
        let size = if keep { usize::try_from(file.size()?).unwrap_or(usize::MAX) } else { 0 };
        self.require_space(id, Usage { bytes: size, names: 1, whiteouts: 1 })?;
        let mut content = Vec::new();
        while content.len() < size {
            let piece = PIECE_BYTES.min(size.saturating_sub(content.len()));
            meter.charge_bytes(piece)?;
            let end = content.len();
            content.resize(end.saturating_add(piece), 0);
            let offset = u64::try_from(end).unwrap_or(u64::MAX);
            let read = file.read_at(offset, content.get_mut(end..).unwrap_or(&mut []))?;
            if read < piece {
                content.truncate(end.saturating_add(read));
                break;
            }
        }
        let data = InodeData::File(content);
        Ok(self.update(id, |node| (node.data, node.is_upper, node.lower) = (data, true, None))?)
    }

    /// Returns the bytes of a file from an offset on, for writing; the file grows if needed. `ENOSPC`.
    // [BOX-80] [BOX-81]
    pub(in crate::kernel) fn writable(
        &mut self,
        id: InodeId,
        offset: u64,
        length: usize,
        meter: &mut FuelMeter,
    ) -> HostResult<&mut [u8]> {
        let from = usize::try_from(offset).map_err(|_| Errno::NOSPC)?;
        let end = from.checked_add(length).ok_or(Errno::NOSPC)?;
        self.resize(id, end, false, meter)?;
        match &mut self.node_mut(id)?.data {
            InodeData::File(content) => Ok(content.get_mut(from..end).ok_or(Errno::IO)?),
            _ => Err(Errno::IO.into()),
        }
    }

    /// Makes an open file at least this long. A file that is long enough is not copied up. `ENOSPC`.
    pub(in crate::kernel) fn allocate(
        &mut self,
        id: InodeId,
        length: usize,
        meter: &mut FuelMeter,
    ) -> HostResult {
        match self.size(id)? >= u64::try_from(length).unwrap_or(u64::MAX) {
            true => Ok(()),
            false => self.resize(id, length, false, meter),
        }
    }

    /// Sets the length of a file, by truncating it or appending zeros. `ENOSPC`.
    pub(in crate::kernel) fn truncate(
        &mut self,
        id: InodeId,
        length: u64,
        meter: &mut FuelMeter,
    ) -> HostResult {
        let length = usize::try_from(length).map_err(|_| Errno::NOSPC)?;
        self.resize(id, length, true, meter)
    }

    /// Sets the length of a file, or only its least length unless `cuts`. `ENOSPC`: reported before
    /// anything is read or allocated.
    fn resize(
        &mut self,
        id: InodeId,
        length: usize,
        cuts: bool,
        meter: &mut FuelMeter,
    ) -> HostResult {
        let node = self.node(id)?;
        let bytes = length.saturating_sub(node.bytes()).saturating_mul(node.nlink.max(1));
        self.require_space(id, Usage { bytes, ..Usage::default() })?;
        self.copy_up(id, length > 0 || !cuts, meter)?;
        let has = self.bytes(id)?.len();
        if length > has || cuts {
            meter.charge_bytes(length.saturating_sub(has))?;
            self.set_length(id, length)?;
        }
        Ok(self.touch(id)?)
    }

    /// Sets the given times.
    pub(in crate::kernel) fn set_times(
        &mut self,
        id: InodeId,
        accessed: Option<u64>,
        modified: Option<u64>,
    ) -> Result<(), Errno> {
        self.require_writable(id)?;
        let now = self.now;
        let times = &mut self.node_mut(id)?.times;
        *times = Times {
            accessed: accessed.unwrap_or(times.accessed),
            modified: modified.unwrap_or(times.modified),
            changed: now,
        };
        Ok(())
    }
}
