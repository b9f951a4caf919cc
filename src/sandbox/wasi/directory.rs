//! Room: listing directories.

use crate::limits::ENTRY_FUEL;
use crate::sandbox::errno::Errno;
use crate::sandbox::guest::{Call, Halt};

/// Writes the entries of a directory from the position `cookie` on, each a `dirent` and its name, into
/// a buffer, and the bytes used at `result`. An entry that does not fit is cut, so a buffer that is
/// used up means that there may be more. `ENOTDIR`: no directory.
// [BOX-63]
pub(super) fn fd_readdir(
    call: &mut Call<'_>,
    fd: u32,
    pointer: u32,
    length: u32,
    cookie: u64,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    let span = call.span_of(pointer, length)?;
    let directory = call.guest.files.get(fd)?.directory()?;
    let count = call.guest.files.list_length(directory);
    call.charge(ENTRY_FUEL.saturating_mul(u64::try_from(count).unwrap_or(u64::MAX)))?;
    let entries = call.guest.files.list(directory);
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    let mut buffer = Vec::new();
    for (next, entry) in (1_u64..).zip(&entries).skip(skipped) {
        if buffer.len() >= span.length() {
            break;
        }
        let (kind, _) = call.guest.files.status(entry.node);
        buffer.extend(next.to_le_bytes());
        buffer.extend(entry.node.inode().to_le_bytes());
        let name_length = u32::try_from(entry.name.len()).map_err(|_| Errno::OVERFLOW)?;
        buffer.extend(name_length.to_le_bytes());
        buffer.extend(u32::from(kind).to_le_bytes());
        buffer.extend(entry.name.as_bytes());
    }
    buffer.truncate(span.length());
    call.write(span, &buffer)?;
    call.write_u32(result, u32::try_from(buffer.len()).map_err(|_| Errno::OVERFLOW)?)?;
    Ok(())
}
