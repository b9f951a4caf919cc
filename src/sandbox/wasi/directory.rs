//! Room: listing directories.

use crate::limits::{ENTRY_FUEL, LISTINGS_COUNT_MAX};
use crate::sandbox::errno::Errno;
use crate::sandbox::files::{Entry, NodeId, Object, Tree};
use crate::sandbox::guest::{Call, Guest, Halt};

/// Writes the entries of the directory `fd` from the position `cookie` on, each a `dirent` and its name,
/// to the `length` bytes at `pointer`, and the bytes used at `result`. An entry that does not fit is cut,
/// so a buffer that is used up means that there may be more. The directory is looked at when a listing
/// begins, and listed as it was then. `ENOTDIR`: no directory. `EOVERFLOW`, `ENFILE`: too many names.
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
    let directory = call.guest.descriptors.get(fd)?.directory()?;
    if cookie == 0 || listing(call.guest, fd)?.is_empty() {
        listing(call.guest, fd)?.clear();
        let names = names(call.guest, directory)?;
        *listing(call.guest, fd)? = names;
    }
    let tree = &call.guest.tree;
    let Object::Directory { listing, .. } = &call.guest.descriptors.get(fd)?.object else {
        return Err(Errno::NOTDIR.into());
    };
    let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
    let buffer = dirents(tree, listing, skipped, span.length())?;
    call.guest.meter.charge_bytes(buffer.len())?;
    call.write(span, &buffer)?;
    call.write_u32(result, u32::try_from(buffer.len()).map_err(|_| Errno::OVERFLOW)?)?;
    Ok(())
}

fn listing(guest: &mut Guest, fd: u32) -> Result<&mut Vec<Entry>, Errno> {
    match &mut guest.descriptors.get_mut(fd)?.object {
        Object::Directory { listing, .. } => Ok(listing),
        _ => Err(Errno::NOTDIR),
    }
}

/// The names in a directory: itself and its parent first, then its children in ascending order of their
/// bytes.
fn names(guest: &mut Guest, directory: NodeId) -> Result<Vec<Entry>, Halt> {
    guest.tree.meet_all(directory, &mut guest.meter)?;
    let children = guest.tree.children(directory)?;
    let count = children.len().saturating_add(2);
    if guest.descriptors.listed().saturating_add(count) > LISTINGS_COUNT_MAX {
        return Err(Errno::OVERFLOW.into());
    }
    guest.meter.charge_each(count, ENTRY_FUEL)?;
    let dots = [(".", directory), ("..", guest.tree.parent(directory)?)];
    let dots = dots.into_iter().map(|(name, node)| Entry { name: name.to_owned(), node });
    let children = children.iter().map(|(name, node)| Entry { name: name.clone(), node: *node });
    Ok(dots.chain(children).collect())
}

/// Entries as bytes, from a position on, as many as fit.
fn dirents(
    tree: &Tree,
    entries: &[Entry],
    skipped: usize,
    bytes_max: usize,
) -> Result<Vec<u8>, Errno> {
    let mut buffer = Vec::new();
    let mut next = u64::try_from(skipped).unwrap_or(u64::MAX);
    for entry in entries.get(skipped..).unwrap_or(&[]) {
        if buffer.len() >= bytes_max {
            break;
        }
        next = next.saturating_add(1);
        buffer.extend(next.to_le_bytes());
        buffer.extend(entry.node.inode().to_le_bytes());
        let name_length = u32::try_from(entry.name.len()).map_err(|_| Errno::OVERFLOW)?;
        buffer.extend(name_length.to_le_bytes());
        buffer.extend(u32::from(tree.kind(entry.node)?).to_le_bytes());
        buffer.extend(entry.name.as_bytes());
    }
    buffer.truncate(bytes_max);
    Ok(buffer)
}
