//! File functions of WASI: status, size, times and synchronization.

use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::HostCall;
use crate::kernel::sandbox::overlay::{filetype, rights, InodeId, Status, Times};

/// The size of a `filestat`.
pub(super) const FILESTAT_BYTES: usize = 64;

/// Writes the `filestat` of `fd` at `result`: device, inode, type, link count, size, times.
// [BOX-67]
pub(super) fn fd_filestat_get(call: &mut HostCall, fd: u32, result: u32) -> HostResult {
    call.span(result, FILESTAT_BYTES)?;
    let record = match call.guest.descriptors.get(fd)?.node() {
        Some(node) => filestat(node, &call.guest.tree.status(node, &mut call.guest.meter)?),
        None => record([0, 0, u64::from(filetype::UNKNOWN), 1, 0, 0, 0, 0]),
    };
    call.write_at(result, &record)
}

/// Encodes the `filestat` of an inode.
pub(super) fn filestat(node: InodeId, status: &Status) -> Vec<u8> {
    let Status { device, kind, nlink, size, times } = *status;
    let Times { accessed, modified, changed } = times;
    record([device, node.number(), u64::from(kind), nlink, size, accessed, modified, changed])
}

fn record(fields: [u64; 8]) -> Vec<u8> {
    fields.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// Sets the size of the file `fd`; new bytes are zero. `EBADF`: not opened for writing. `ESPIPE`: a stream.
/// `ENOSPC`.
pub(super) fn fd_filestat_set_size(call: &mut HostCall, fd: u32, size: u64) -> HostResult {
    let node = file_to_write(call, fd)?;
    call.guest.tree.truncate(node, size, &mut call.guest.meter)
}

/// Makes the file `fd` at least `offset` + `length` bytes long. `EINVAL`: `length` is 0. Otherwise as
/// `fd_filestat_set_size`.
pub(super) fn fd_allocate(call: &mut HostCall, fd: u32, offset: u64, length: u64) -> HostResult {
    let node = file_to_write(call, fd)?;
    Errno::INVAL.when(length == 0)?;
    let end = offset.checked_add(length).and_then(|end| usize::try_from(end).ok());
    call.guest.tree.allocate(node, end.ok_or(Errno::NOSPC)?, &mut call.guest.meter)
}

fn file_to_write(call: &HostCall, fd: u32) -> Result<InodeId, Errno> {
    let descriptor = call.guest.descriptors.get(fd)?;
    descriptor.require(rights::FD_WRITE)?;
    descriptor.file()
}

/// Sets the times of `fd` that `flags` (`fstflags`) select, to `accessed` and `modified` or to now.
/// `EINVAL`: a stream, or contradictory flags. `EROFS`.
pub(super) fn fd_filestat_set_times(
    call: &mut HostCall,
    fd: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> HostResult {
    let node = call.guest.descriptors.get(fd)?.node().ok_or(Errno::INVAL)?;
    let (accessed, modified) = times(call, accessed, modified, flags)?;
    Ok(call.guest.tree.set_times(node, accessed, modified)?)
}

/// Returns the times of access and modification that `flags` select.
pub(super) fn times(
    call: &HostCall,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(Option<u64>, Option<u64>), Errno> {
    let now = call.guest.tree.now;
    let time = |given: u64, flags: u32| match flags & 3 {
        0 => Ok(None),
        1 => Ok(Some(given)),
        2 => Ok(Some(now)),
        _ => Err(Errno::INVAL),
    };
    Errno::INVAL.when(flags > 15)?;
    Ok((time(accessed, flags)?, time(modified, flags >> 2)?))
}

/// Does nothing. `ESPIPE`: a stream. `EBADF`: a directory. `EINVAL`: no such `advice`.
pub(super) fn fd_advise(
    call: &mut HostCall,
    fd: u32,
    _offset: u64,
    _length: u64,
    advice: u32,
) -> HostResult {
    call.guest.descriptors.get(fd)?.file()?;
    Errno::INVAL.when(advice > 5)?;
    Ok(())
}

/// Does nothing: writes stay in memory until the call has succeeded. `EINVAL`: a stream.
pub(super) fn fd_datasync(call: &mut HostCall, fd: u32) -> HostResult {
    call.guest.descriptors.get(fd)?.node().ok_or(Errno::INVAL)?;
    Ok(())
}

/// As `fd_datasync`.
pub(super) fn fd_sync(call: &mut HostCall, fd: u32) -> HostResult {
    fd_datasync(call, fd)
}
