//! Room: reading, writing and seeking, on the standard streams and on files.

use crate::limits::STDERR_BYTES_MAX;
use crate::sandbox::errno::Errno;
use crate::sandbox::files::{rights, Object};
use crate::sandbox::guest::{copy, Call, Halt, Span, Stop};

/// Reads from the present position into the buffers in turn, writes the number of bytes at `result`
/// and moves the position on. Fewer bytes than asked for, or none, mean the end of the stream.
/// `EBADF`: not opened for reading. `EISDIR`: a directory. `EINVAL`: too many buffers, or more than
/// 4 GiB.
pub(super) fn fd_read(
    call: &mut Call<'_>,
    fd: u32,
    iovecs: u32,
    count: u32,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    let (spans, wanted) = call.iovecs(iovecs, count)?;
    let descriptor = call.guest.files.get(fd)?;
    descriptor.require(rights::FD_READ)?;
    match descriptor.object {
        Object::Stdin => {
            let from = call.guest.stdin_read;
            let until = from.saturating_add(wanted).min(call.guest.stdin.len());
            call.charge_bytes(until.saturating_sub(from))?;
            let read = scatter(call.memory, &spans, call.guest.stdin.get(from..until));
            call.guest.stdin_read = from.saturating_add(read);
            answer(call, result, read)
        }
        Object::File { node, offset } => {
            let content = call.guest.files.content(node);
            let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
            let until = from.saturating_add(wanted).min(content.len());
            call.charge_bytes(until.saturating_sub(from))?;
            let content = call.guest.files.content(node);
            let read = scatter(call.memory, &spans, content.get(from..until));
            let moved = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            call.guest.files.get_mut(fd)?.object = Object::File { node, offset: moved };
            answer(call, result, read)
        }
        Object::Directory { .. } => Err(Errno::ISDIR.into()),
        Object::Stdout | Object::Stderr => Err(Errno::BADF.into()),
    }
}

/// As `fd_read`, from a given offset of a file, whose position stays. `ESPIPE`: a stream.
pub(super) fn fd_pread(
    call: &mut Call<'_>,
    fd: u32,
    iovecs: u32,
    count: u32,
    offset: u64,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    let (spans, wanted) = call.iovecs(iovecs, count)?;
    let descriptor = call.guest.files.get(fd)?;
    descriptor.require(rights::FD_READ)?;
    let Object::File { node, .. } = descriptor.object else {
        return Err(not_a_file(&descriptor.object).into());
    };
    let length = call.guest.files.content(node).len();
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(length);
    let until = from.saturating_add(wanted).min(length);
    call.charge_bytes(until.saturating_sub(from))?;
    let content = call.guest.files.content(node);
    let read = scatter(call.memory, &spans, content.get(from..until));
    answer(call, result, read)
}

/// Appends the buffers in turn to stdout or stderr, and writes the number of bytes at `result`.
/// `EBADF`: not opened for writing, which no file is. `EINVAL`: as `fd_read`. Going beyond what a
/// stream may hold ends the guest.
// [BOX-44] [BOX-45]
pub(super) fn fd_write(
    call: &mut Call<'_>,
    fd: u32,
    iovecs: u32,
    count: u32,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    let (spans, total) = call.iovecs(iovecs, count)?;
    let descriptor = call.guest.files.get(fd)?;
    descriptor.require(rights::FD_WRITE)?;
    let is_stdout = matches!(descriptor.object, Object::Stdout);
    call.charge_bytes(total)?;
    let (stream, bytes_max, stop) = if is_stdout {
        (&mut call.guest.stdout, call.guest.stdout_bytes_max, Stop::Output)
    } else {
        (&mut call.guest.stderr, STDERR_BYTES_MAX, Stop::ErrorOutput)
    };
    if stream.len().saturating_add(total) > bytes_max {
        return Err(stop.into());
    }
    for span in spans {
        stream.extend_from_slice(span.of(call.memory)?);
    }
    answer(call, result, total)
}

/// `EBADF`: no file is opened for writing. `ESPIPE`: a stream.
pub(super) fn fd_pwrite(
    call: &mut Call<'_>,
    fd: u32,
    iovecs: u32,
    count: u32,
    _offset: u64,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    call.iovecs(iovecs, count)?;
    let descriptor = call.guest.files.get(fd)?;
    descriptor.require(rights::FD_WRITE)?;
    Err(not_a_file(&descriptor.object).into())
}

/// Moves the position of a file: from its start (`whence` 0), from the present position (1) or from
/// its end (2). Writes the new position at `result`. It may lie beyond the end. `ESPIPE`: a stream.
/// `EINVAL`: before the start, or no such `whence`.
pub(super) fn fd_seek(
    call: &mut Call<'_>,
    fd: u32,
    by: u64,
    whence: u32,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 8)?;
    let descriptor = call.guest.files.get(fd)?;
    let Object::File { node, offset } = descriptor.object else {
        return Err(not_a_file(&descriptor.object).into());
    };
    let base = match whence {
        0 => 0,
        1 => offset,
        2 => call.guest.files.status(node).1,
        _ => return Err(Errno::INVAL.into()),
    };
    // The offset is signed; two's complement makes a negative one an addition that wraps.
    let offset = base.checked_add_signed(i64::from_le_bytes(by.to_le_bytes()));
    let offset = offset.filter(|offset| i64::try_from(*offset).is_ok()).ok_or(Errno::INVAL)?;
    call.guest.files.get_mut(fd)?.object = Object::File { node, offset };
    call.write_u64(result, offset)?;
    Ok(())
}

/// Writes the position of a file. `ESPIPE`: a stream.
pub(super) fn fd_tell(call: &mut Call<'_>, fd: u32, result: u32) -> Result<(), Halt> {
    let descriptor = call.guest.files.get(fd)?;
    let Object::File { offset, .. } = descriptor.object else {
        return Err(not_a_file(&descriptor.object).into());
    };
    call.write_u64(result, offset)?;
    Ok(())
}

/// Why something that is no file cannot be read or written at a position.
fn not_a_file(object: &Object) -> Errno {
    match object {
        Object::Directory { .. } => Errno::BADF,
        _ => Errno::SPIPE,
    }
}

/// Spreads bytes over buffers in turn, as far as they go; gives how many were written.
fn scatter(memory: &mut [u8], spans: &[Span], bytes: Option<&[u8]>) -> usize {
    let mut rest = bytes.unwrap_or(&[]);
    let all = rest.len();
    for span in spans {
        let (part, later) = rest.split_at(rest.len().min(span.length()));
        if let Ok(target) = span.of_mut(memory) {
            copy(target, part);
        }
        rest = later;
    }
    all.saturating_sub(rest.len())
}

fn answer(call: &mut Call<'_>, result: u32, bytes: usize) -> Result<(), Halt> {
    let bytes = u32::try_from(bytes).map_err(|_| Errno::OVERFLOW)?;
    call.write_u32(result, bytes)?;
    Ok(())
}
