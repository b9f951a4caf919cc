//! Descriptor functions of WASI: closing, renumbering, flags, rights and preopens.

use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::HostCall;
use crate::kernel::sandbox::overlay::filetype;

/// The bits of `fdflags`: append, dsync, nonblock, rsync, sync.
const FLAGS_ALL: u16 = 0x1f;

/// Closes `fd`, which can be any descriptor.
pub(super) fn fd_close(call: &mut HostCall, fd: u32) -> HostResult {
    let closed = call.guest.descriptors.close(fd)?;
    if let Some(node) = closed.node() {
        call.guest.tree.release(node)?;
    }
    Ok(())
}

/// Moves `fd` to the number `to` of another descriptor, which is closed. `EBADF`: one of them is not open.
// [BOX-65]
pub(super) fn fd_renumber(call: &mut HostCall, fd: u32, to: u32) -> HostResult {
    let closed = call.guest.descriptors.renumber(fd, to)?;
    if let Some(node) = closed.and_then(|closed| closed.node()) {
        call.guest.tree.release(node)?;
    }
    Ok(())
}

/// Writes the `fdstat` of `fd` at `result`: type, flags, rights.
pub(super) fn fd_fdstat_get(call: &mut HostCall, fd: u32, result: u32) -> HostResult {
    let descriptor = call.guest.descriptors.get(fd)?;
    let kind = descriptor.node().map_or(Ok(filetype::UNKNOWN), |id| call.guest.tree.kind(id))?;
    let mut record = Vec::with_capacity(24);
    record.extend(u16::from(kind).to_le_bytes());
    record.extend(u32::from(descriptor.flags).to_le_bytes());
    record.extend([0, 0]);
    record.extend(descriptor.rights.to_le_bytes());
    record.extend(descriptor.rights_inheriting.to_le_bytes());
    call.write_at(result, &record)
}

/// Sets the `flags` of `fd`; only `append` has an effect. `EINVAL`: no such flag.
pub(super) fn fd_fdstat_set_flags(call: &mut HostCall, fd: u32, flags: u32) -> HostResult {
    let flags = check_flags(flags)?;
    call.guest.descriptors.get_mut(fd)?.flags = flags;
    Ok(())
}

/// Fails with `EINVAL` on bits that `fdflags` does not have.
// [BOX-66]
pub(super) fn check_flags(flags: u32) -> Result<u16, Errno> {
    u16::try_from(flags).ok().filter(|flags| flags & !FLAGS_ALL == 0).ok_or(Errno::INVAL)
}

/// Reduces the rights of `fd` to these. `ENOTCAPABLE`: a right that the descriptor does not have.
// [BOX-66]
pub(super) fn fd_fdstat_set_rights(
    call: &mut HostCall,
    fd: u32,
    base: u64,
    inheriting: u64,
) -> HostResult {
    let descriptor = call.guest.descriptors.get_mut(fd)?;
    Errno::NOTCAPABLE
        .when(base & !descriptor.rights != 0 || inheriting & !descriptor.rights_inheriting != 0)?;
    descriptor.rights = base;
    descriptor.rights_inheriting = inheriting;
    Ok(())
}

/// Writes the `prestat` of the preopen `fd` at `result`: its type, and the length of its name. `EBADF`: not
/// a preopen; C libraries end their search there.
pub(super) fn fd_prestat_get(call: &mut HostCall, fd: u32, result: u32) -> HostResult {
    let length = u32::try_from(preopened_name(call, fd)?.len()).unwrap_or(u32::MAX);
    let mut record = vec![0; 4];
    record.extend(length.to_le_bytes());
    call.write_at(result, &record)
}

/// Writes the name of the preopen `fd` at `pointer`. `ENAMETOOLONG`: it has more than `length` bytes.
/// `EBADF`: not a preopen.
pub(super) fn fd_prestat_dir_name(
    call: &mut HostCall,
    fd: u32,
    pointer: u32,
    length: u32,
) -> HostResult {
    let name = preopened_name(call, fd)?;
    let span = call.span_of(pointer, length)?;
    Errno::NAMETOOLONG.when(span.length() < name.len())?;
    call.write(span, name.as_bytes())
}

fn preopened_name(call: &HostCall, fd: u32) -> Result<String, Errno> {
    call.guest.descriptors.get(fd)?.preopened_as.clone().ok_or(Errno::BADF)
}
