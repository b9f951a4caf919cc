//! Input and output functions of WASI, for files and standard streams: read, write, seek.
//!
//! `iovecs` is a list of `count` buffers, which are used in order.

use crate::kernel::limits::STDERR_BYTES_MAX;
use crate::kernel::sandbox::errno::{Errno, HostResult, Termination};
use crate::kernel::sandbox::guest::{copy, GuestRange, HostCall};
use crate::kernel::sandbox::overlay::{rights, OpenObject, PIECE_BYTES};

/// The bit of `fdflags` that makes each write append.
const APPEND: u16 = 1;

/// Reads from the position of `fd` into the buffers, writes the number of bytes at `result` and advances
/// the position. Fewer bytes than the buffers have mean the end. `EBADF`: not opened for reading, or a
/// directory. `EINVAL`: too many buffers, or more than 4 GiB. `EIO`.
pub(super) fn fd_read(
    call: &mut HostCall,
    fd: u32,
    iovecs: u32,
    count: u32,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let spans = call.iovecs(iovecs, count)?.0;
    let descriptor = call.guest.descriptors.get(fd)?;
    descriptor.require(rights::FD_READ)?;
    let read = match descriptor.object {
        OpenObject::Stdin => read_stdin(call, &spans)?,
        OpenObject::File(_) => read_file(call, fd, descriptor.offset, &spans)?,
        // Nothing else has the right that was required above.
        _ => return Err(Errno::BADF.into()),
    };
    advance(call, fd, read)?;
    write_count(call, result, read)
}

fn read_stdin(call: &mut HostCall, spans: &[GuestRange]) -> HostResult<usize> {
    let from = call.guest.stdin_read;
    for span in spans {
        let rest = call.guest.stdin.get(call.guest.stdin_read..).unwrap_or(&[]);
        let length = span.length().min(rest.len());
        call.guest.meter.charge_bytes(length)?;
        copy(span.of_mut(call.memory)?, rest);
        call.guest.stdin_read = call.guest.stdin_read.saturating_add(length);
    }
    Ok(call.guest.stdin_read.saturating_sub(from))
}

/// Reads a file from an offset, in pieces; each piece is charged before it is read.
fn read_file(
    call: &mut HostCall,
    fd: u32,
    mut offset: u64,
    spans: &[GuestRange],
) -> HostResult<usize> {
    let node = call.guest.descriptors.get(fd)?.file()?;
    let left = call.guest.tree.size(node)?.saturating_sub(offset);
    let left = usize::try_from(left).unwrap_or(usize::MAX);
    let mut all = 0_usize;
    for span in spans {
        for piece in span.of_mut(call.memory)?.chunks_mut(PIECE_BYTES) {
            let wanted = piece.len().min(left.saturating_sub(all));
            call.guest.meter.charge_bytes(wanted)?;
            let piece = piece.get_mut(..wanted).unwrap_or(&mut []);
            let read = call.guest.tree.read(node, offset, piece)?;
            all = all.saturating_add(read);
            offset = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if read == 0 || read < wanted {
                return Ok(all);
            }
        }
    }
    Ok(all)
}

/// As `fd_read`, but at `offset` of a file, without moving the position. `ESPIPE`: a stream. `EBADF`: a
/// directory.
pub(super) fn fd_pread(
    call: &mut HostCall,
    fd: u32,
    iovecs: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let spans = call.iovecs(iovecs, count)?.0;
    call.guest.descriptors.get(fd)?.require(rights::FD_READ)?;
    let read = read_file(call, fd, offset, &spans)?;
    write_count(call, result, read)
}

/// Writes the buffers to stdout or stderr, or to a file at its position or, with `append`, at its end.
/// Writes the number of bytes at `result`: all of them. `EBADF`: not opened for writing. `EINVAL`: as
/// `fd_read`. `ENOSPC`: the quota of files. Exceeding the limit of a stream ends the guest.
// [BOX-45]
pub(super) fn fd_write(
    call: &mut HostCall,
    fd: u32,
    iovecs: u32,
    count: u32,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let (spans, total) = call.iovecs(iovecs, count)?;
    let descriptor = call.guest.descriptors.get(fd)?;
    descriptor.require(rights::FD_WRITE)?;
    let OpenObject::File(node) = descriptor.object else {
        write_stream(call, fd, &spans, total)?;
        return write_count(call, result, total);
    };
    let from = match descriptor.flags & APPEND != 0 && total > 0 {
        true => call.guest.tree.size(node)?,
        false => descriptor.offset,
    };
    write_file(call, fd, from, &spans, total)?;
    call.guest.descriptors.get_mut(fd)?.offset = from;
    advance(call, fd, total)?;
    write_count(call, result, total)
}

// [BOX-44]
fn write_stream(call: &mut HostCall, fd: u32, spans: &[GuestRange], total: usize) -> HostResult {
    call.guest.meter.charge_bytes(total)?;
    let (stream, bytes_max, termination) = match call.guest.descriptors.get(fd)?.object {
        OpenObject::Stdout => {
            (&mut call.guest.stdout, call.guest.stdout_bytes_max, Termination::Output)
        }
        _ => (&mut call.guest.stderr, STDERR_BYTES_MAX, Termination::ErrorOutput),
    };
    if stream.len().saturating_add(total) > bytes_max {
        return Err(termination.into());
    }
    for span in spans {
        stream.extend_from_slice(span.of(call.memory)?);
    }
    Ok(())
}

fn write_file(
    call: &mut HostCall,
    fd: u32,
    offset: u64,
    spans: &[GuestRange],
    total: usize,
) -> HostResult {
    let node = call.guest.descriptors.get(fd)?.file()?;
    if total == 0 {
        return Ok(());
    }
    call.guest.meter.charge_bytes(total)?;
    let mut rest = call.guest.tree.writable(node, offset, total, &mut call.guest.meter)?;
    for span in spans {
        let (part, later) = rest.split_at_mut(span.length().min(rest.len()));
        copy(part, span.of(call.memory)?);
        rest = later;
    }
    Ok(())
}

/// As `fd_write`, but at `offset` of a file, without moving the position. `ESPIPE`: a stream.
pub(super) fn fd_pwrite(
    call: &mut HostCall,
    fd: u32,
    iovecs: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let (spans, total) = call.iovecs(iovecs, count)?;
    call.guest.descriptors.get(fd)?.require(rights::FD_WRITE)?;
    write_file(call, fd, offset, &spans, total)?;
    write_count(call, result, total)
}

/// Moves the position of the file `fd` by the signed number `by`: from the start (`whence` 0), the position
/// (1) or the end (2). Writes the new position at `result`; it can be beyond the end. `ESPIPE`: a stream.
/// `EBADF`: a directory. `EINVAL`: before the start, or no such `whence`.
pub(super) fn fd_seek(
    call: &mut HostCall,
    fd: u32,
    by: u64,
    whence: u32,
    result: u32,
) -> HostResult {
    call.span(result, 8)?;
    let descriptor = call.guest.descriptors.get(fd)?;
    let node = descriptor.file()?;
    let base = match whence {
        0 => 0,
        1 => descriptor.offset,
        2 => call.guest.tree.size(node)?,
        _ => return Err(Errno::INVAL.into()),
    };
    // `by` is the bit pattern of an i64.
    let to = base.checked_add_signed(i64::from_le_bytes(by.to_le_bytes()));
    let to = to.filter(|to| i64::try_from(*to).is_ok()).ok_or(Errno::INVAL)?;
    call.guest.descriptors.get_mut(fd)?.offset = to;
    call.write_u64(result, to)
}

/// Writes the position of the file `fd` at `result`. `ESPIPE`: a stream. `EBADF`: a directory.
pub(super) fn fd_tell(call: &mut HostCall, fd: u32, result: u32) -> HostResult {
    let descriptor = call.guest.descriptors.get(fd)?;
    descriptor.file()?;
    let position = descriptor.offset;
    call.write_u64(result, position)
}

/// Advances the position; that of a stream has no meaning.
fn advance(call: &mut HostCall, fd: u32, bytes: usize) -> Result<(), Errno> {
    let offset = &mut call.guest.descriptors.get_mut(fd)?.offset;
    *offset = offset.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    Ok(())
}

fn write_count(call: &mut HostCall, result: u32, bytes: usize) -> HostResult {
    let bytes = u32::try_from(bytes).map_err(|_| Errno::OVERFLOW)?;
    call.write_u32(result, bytes)
}
