//! Room: the status of open files, and the functions that would change them.
//!
//! Everything a guest can open is read-only, so changes are refused.

use super::clock::EPOCH_NS;
use crate::sandbox::errno::Errno;
use crate::sandbox::files::{filetype, rights, NodeId, Object};
use crate::sandbox::guest::{Call, Halt};

/// Writes a `filestat`: inode, type, size, times.
pub(super) fn fd_filestat_get(call: &mut Call<'_>, fd: u32, result: u32) -> Result<(), Halt> {
    let record = match call.guest.files.get(fd)?.object {
        Object::File { node, .. } | Object::Directory { node, .. } => filestat(call, node),
        Object::Stdin | Object::Stdout | Object::Stderr => record(0, 0, filetype::UNKNOWN, 0, 0),
    };
    call.write_at(result, &record)?;
    Ok(())
}

/// The `filestat` of a file or directory. All times are the moment at which the guest's clock starts.
// [BOX-67]
pub(super) fn filestat(call: &Call<'_>, node: NodeId) -> Vec<u8> {
    let (kind, size) = call.guest.files.status(node);
    record(1, node.inode(), kind, size, EPOCH_NS)
}

fn record(device: u64, inode: u64, kind: u8, size: u64, time: u64) -> Vec<u8> {
    let links = 1;
    let fields = [device, inode, u64::from(kind), links, size, time, time, time];
    fields.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// `EBADF`: no file is opened for writing.
pub(super) fn fd_filestat_set_size(call: &mut Call<'_>, fd: u32, _size: u64) -> Result<(), Halt> {
    call.guest.files.get(fd)?;
    Err(Errno::BADF.into())
}

/// `EROFS`.
pub(super) fn fd_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    _accessed: u64,
    _modified: u64,
    _flags: u32,
) -> Result<(), Halt> {
    call.guest.files.get(fd)?;
    Err(Errno::ROFS.into())
}

/// Takes notice of nothing. `ESPIPE`: a stream. `EBADF`: a directory. `EINVAL`: no such advice.
pub(super) fn fd_advise(
    call: &mut Call<'_>,
    fd: u32,
    _offset: u64,
    _length: u64,
    advice: u32,
) -> Result<(), Halt> {
    match call.guest.files.get(fd)?.object {
        Object::File { .. } if advice <= 5 => Ok(()),
        Object::File { .. } => Err(Errno::INVAL.into()),
        Object::Directory { .. } => Err(Errno::BADF.into()),
        _ => Err(Errno::SPIPE.into()),
    }
}

/// `EBADF`: no file is opened for writing.
pub(super) fn fd_allocate(
    call: &mut Call<'_>,
    fd: u32,
    _offset: u64,
    _length: u64,
) -> Result<(), Halt> {
    call.guest.files.get(fd)?.require(rights::FD_WRITE)?;
    Err(Errno::SPIPE.into())
}

/// Success: what can be read was never elsewhere. `EINVAL`: a stream.
pub(super) fn fd_datasync(call: &mut Call<'_>, fd: u32) -> Result<(), Halt> {
    match call.guest.files.get(fd)?.object {
        Object::File { .. } | Object::Directory { .. } => Ok(()),
        _ => Err(Errno::INVAL.into()),
    }
}

/// As `fd_datasync`.
pub(super) fn fd_sync(call: &mut Call<'_>, fd: u32) -> Result<(), Halt> {
    fd_datasync(call, fd)
}
