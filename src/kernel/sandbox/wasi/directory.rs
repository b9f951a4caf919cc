//! Directory listing function of WASI: `fd_readdir`.

use crate::kernel::limits::{ENTRY_FUEL, LISTINGS_COUNT_MAX};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::{GuestState, HostCall};
use crate::kernel::sandbox::meter::FuelMeter;
use crate::kernel::sandbox::overlay::{Entry, InodeId};

/// The size of a `dirent` without its name.
const DIRENT_BYTES: usize = 24;

/// Writes the entries of the directory `fd` from position `cookie` on, each a `dirent` and its name, to the
/// `length` bytes at `pointer`, and the bytes used at `result`. An entry that does not fit is truncated: a
/// full buffer means that there may be more. A listing is a snapshot of the directory, taken when `cookie` is
/// 0. `ENOTDIR`. `EOVERFLOW`, `ENFILE`: too many names.
// [BOX-63]
pub(super) fn fd_readdir(
    call: &mut HostCall,
    fd: u32,
    pointer: u32,
    length: u32,
    cookie: u64,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let span = call.span_of(pointer, length)?;
    let directory = call.guest.descriptors.get(fd)?.directory()?;
    if cookie == 0 || call.guest.descriptors.get(fd)?.listing.is_empty() {
        call.guest.descriptors.get_mut(fd)?.listing.clear();
        let names = names(call.guest, directory)?;
        call.guest.descriptors.get_mut(fd)?.listing = names;
    }
    let GuestState { descriptors, meter, .. } = &mut *call.guest;
    let listing = &descriptors.get(fd)?.listing;
    let buffer = dirents(listing, cookie, span.length(), meter)?;
    call.write(span, &buffer)?;
    call.write_u32(result, u32::try_from(buffer.len()).map_err(|_| Errno::OVERFLOW)?)
}

/// Returns `.` and `..`, then the entries of a directory in ascending order of their bytes.
fn names(guest: &mut GuestState, directory: InodeId) -> HostResult<Vec<Entry>> {
    guest.tree.load_entries(directory, &mut guest.meter)?;
    let children = &guest.tree.directory(directory)?.children;
    let count = children.len().saturating_add(2);
    Errno::OVERFLOW.when(guest.descriptors.listed().saturating_add(count) > LISTINGS_COUNT_MAX)?;
    let dots = [(".", directory), ("..", guest.tree.directory(directory)?.parent)];
    let dots = dots.map(|(name, node)| (Arc::from(name), node));
    let children = children.iter().map(|(name, node)| (Arc::clone(name), *node));
    let mut entries = Vec::with_capacity(count);
    for (name, node) in dots.into_iter().chain(children) {
        guest.meter.charge(ENTRY_FUEL)?;
        entries.push(Entry { name, node, kind: guest.tree.kind(node)? });
    }
    Ok(entries)
}

/// Encodes entries from a position on, as many as fit. Their fuel is charged first.
fn dirents(
    entries: &[Entry],
    mut next: u64,
    bytes_max: usize,
    meter: &mut FuelMeter,
) -> HostResult<Vec<u8>> {
    let skipped = usize::try_from(next).unwrap_or(usize::MAX);
    let entries = entries.get(skipped..).unwrap_or(&[]);
    let may_fit = entries.iter().take(bytes_max.div_ceil(DIRENT_BYTES));
    let sizes = may_fit.map(|entry| entry.name.len().saturating_add(DIRENT_BYTES));
    let bytes = sizes.sum::<usize>().min(bytes_max);
    meter.charge_bytes(bytes)?;
    let mut buffer = Vec::with_capacity(bytes);
    for entry in entries {
        if buffer.len() >= bytes {
            break;
        }
        meter.deadline.check()?;
        next = next.saturating_add(1);
        buffer.extend(next.to_le_bytes());
        buffer.extend(entry.node.number().to_le_bytes());
        let name_length = u32::try_from(entry.name.len()).map_err(|_| Errno::OVERFLOW)?;
        buffer.extend(name_length.to_le_bytes());
        buffer.extend(u32::from(entry.kind).to_le_bytes());
        buffer.extend(entry.name.as_bytes());
    }
    buffer.truncate(bytes);
    Ok(buffer)
}
