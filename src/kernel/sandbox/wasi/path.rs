//! Path functions of WASI: open, status, links, directories, rename and unlink.
//!
//! A path is `path_length` bytes at `path`, relative to the directory `fd`; it is resolved in the overlay
//! and never reaches the host. All functions return `ENOTDIR` if `fd` is not a directory; `ENOENT` for an
//! empty path and for names that do not exist; `EPERM` for an absolute path and for one that leads out of
//! the directory; `ELOOP` for too many symbolic links; `EACCES` for what guests do not see; `EINVAL` for a
//! NUL; `EILSEQ` if it is not UTF-8; `ENAMETOOLONG`. Those that change something return `EROFS` and
//! `ENOSPC`.

use super::descriptor::check_flags;
use super::file::{filestat, times, FILESTAT_BYTES};
use crate::kernel::limits::PATH_BYTES_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::guest::{GuestState, HostCall};
use crate::kernel::sandbox::overlay::{
    filetype, rights, Descriptor, InodeId, OpenObject, ResolvedPath,
};

/// The bits of `oflags`.
mod open_flags {
    pub(super) const CREATE: u32 = 1;
    pub(super) const DIRECTORY: u32 = 2;
    pub(super) const EXCLUSIVE: u32 = 4;
    pub(super) const TRUNCATE: u32 = 8;
    pub(super) const ALL: u32 = 15;
}

/// How a symbolic link is treated that is the final component of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FinalSymlink {
    /// It is not followed.
    NoFollow,
    /// It is followed only before a trailing slash.
    FollowIfSlash,
    /// It is followed.
    Follow,
}

/// Reads and resolves a path.
fn resolve(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
    symlink: FinalSymlink,
) -> HostResult<ResolvedPath> {
    let path = read_guest_path(call, fd, path, path_length)?;
    resolve_path(call, &path, symlink)
}

/// Reads a path, without resolving it; returns it with the directory that it is relative to.
// [BOX-43]
fn read_guest_path(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> HostResult<(InodeId, String)> {
    let start = call.guest.descriptors.get(fd)?.directory()?;
    Ok((start, read_path(call, path, path_length)?))
}

fn resolve_path(
    call: &mut HostCall,
    (start, path): &(InodeId, String),
    symlink: FinalSymlink,
) -> HostResult<ResolvedPath> {
    let follow = match symlink {
        FinalSymlink::NoFollow => false,
        FinalSymlink::FollowIfSlash => path.ends_with('/'),
        FinalSymlink::Follow => true,
    };
    let GuestState { tree, meter, .. } = &mut *call.guest;
    tree.resolve(*start, path, follow, meter)
}

/// Reads the text of a path. `ENAMETOOLONG`, `EILSEQ`.
// [BOX-61]
fn read_path(call: &mut HostCall, pointer: u32, length: u32) -> HostResult<String> {
    let span = call.span_of(pointer, length)?;
    Errno::NAMETOOLONG.when(span.length() > PATH_BYTES_MAX)?;
    call.guest.meter.charge_bytes(span.length())?;
    Ok(core::str::from_utf8(call.read(span)?).map_err(|_| Errno::ILSEQ)?.to_owned())
}

/// Reads `lookupflags`. `EINVAL`: no such flag.
fn final_symlink(lookup: u32) -> Result<FinalSymlink, Errno> {
    match lookup {
        0 => Ok(FinalSymlink::FollowIfSlash),
        1 => Ok(FinalSymlink::Follow),
        _ => Err(Errno::INVAL),
    }
}

/// Opens a path with the rights `base` and `inheriting`, reduced to those available, and writes the new
/// descriptor at `result`. `open` is `oflags`, `flags` is `fdflags`. `EEXIST`: exclusive creation, and it
/// exists. `EISDIR`: a directory, for writing. `ENOTDIR`: a file, with `O_DIRECTORY`. `ELOOP`: a symbolic
/// link that is not followed. `EINVAL`: flags that do not exist or exclude each other. `ENOTCAPABLE`:
/// truncation without the right on `fd`. `EMFILE`: too many open descriptors.
// [BOX-68]
#[allow(clippy::too_many_arguments)] // as preview 1 has them
pub(super) fn path_open(
    call: &mut HostCall,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    open: u32,
    base: u64,
    inheriting: u64,
    flags: u32,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let (symlink, flags) = (final_symlink(lookup)?, check_flags(flags)?);
    let has = |flag: u32| open & flag != 0;
    let (creates, truncates) = (has(open_flags::CREATE), has(open_flags::TRUNCATE));
    Errno::INVAL.when(open & !open_flags::ALL != 0 || (creates && has(open_flags::DIRECTORY)))?;
    let directory = call.guest.descriptors.get(fd)?;
    let allowed = directory.rights_inheriting;
    directory.directory()?;
    Errno::NOTCAPABLE.when(truncates && directory.rights & rights::PATH_FILESTAT_SET_SIZE == 0)?;
    call.guest.descriptors.free()?;
    // As in POSIX, exclusive creation does not follow a symbolic link.
    let is_new = creates && has(open_flags::EXCLUSIVE);
    let path = resolve(
        call,
        fd,
        path,
        path_length,
        if is_new { FinalSymlink::NoFollow } else { symlink },
    )?;
    let node = match path.node {
        Some(_) if is_new => return Err(Errno::EXIST.into()),
        None if creates => call.guest.tree.create_file(&path)?,
        _ => path.existing(&call.guest.tree)?,
    };
    let changes = truncates || base & rights::FD_WRITE != 0;
    let GuestState { tree, meter, .. } = &mut *call.guest;
    let (object, possible) = match tree.kind(node)? {
        filetype::DIRECTORY if changes => return Err(Errno::ISDIR.into()),
        filetype::DIRECTORY => (OpenObject::Directory(node), rights::DIRECTORY),
        filetype::SYMBOLIC_LINK => return Err(Errno::LOOP.into()),
        _ if has(open_flags::DIRECTORY) => return Err(Errno::NOTDIR.into()),
        _ => (OpenObject::File(node), rights::FILE),
    };
    if changes {
        tree.require_writable(node)?;
    }
    if truncates {
        tree.truncate(node, 0, meter)?;
    }
    tree.open_file(node, meter)?;
    tree.retain(node)?;
    let (base, inheriting) = (base & possible & allowed, inheriting & allowed);
    let opened = Descriptor::new(object, flags, base, inheriting);
    let opened = call.guest.descriptors.open(opened)?;
    call.write_u32(result, opened)
}

/// Writes the `filestat` of a path at `result`.
pub(super) fn path_filestat_get(
    call: &mut HostCall,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    result: u32,
) -> HostResult {
    call.span(result, FILESTAT_BYTES)?;
    let path = resolve(call, fd, path, path_length, final_symlink(lookup)?)?;
    let node = path.existing(&call.guest.tree)?;
    let status = call.guest.tree.status(node, &mut call.guest.meter)?;
    call.write_at(result, &filestat(node, &status))
}

/// Sets the times of a path, as `fd_filestat_set_times` does.
#[allow(clippy::too_many_arguments)] // as preview 1 has them
pub(super) fn path_filestat_set_times(
    call: &mut HostCall,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    accessed: u64,
    modified: u64,
    flags: u32,
) -> HostResult {
    let (accessed, modified) = times(call, accessed, modified, flags)?;
    let path = resolve(call, fd, path, path_length, final_symlink(lookup)?)?;
    let node = path.existing(&call.guest.tree)?;
    Ok(call.guest.tree.set_times(node, accessed, modified)?)
}

/// Writes the target of a symbolic link, truncated to `length` bytes, at `pointer`, and the number of bytes
/// at `result`. `EINVAL`: not a symbolic link.
pub(super) fn path_readlink(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
    pointer: u32,
    length: u32,
    result: u32,
) -> HostResult {
    call.span(result, 4)?;
    let span = call.span_of(pointer, length)?;
    let path = resolve(call, fd, path, path_length, FinalSymlink::NoFollow)?;
    let node = path.existing(&call.guest.tree)?;
    Errno::INVAL.when(call.guest.tree.kind(node)? != filetype::SYMBOLIC_LINK)?;
    let target = call.guest.tree.bytes(node)?.to_vec();
    let used = u32::try_from(target.len().min(span.length())).map_err(|_| Errno::OVERFLOW)?;
    call.write(span, &target)?;
    call.write_u32(result, used)
}

/// Creates an empty directory. `EEXIST`.
pub(super) fn path_create_directory(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> HostResult {
    let path = resolve(call, fd, path, path_length, FinalSymlink::NoFollow)?;
    Ok(call.guest.tree.create_dir(&path)?)
}

/// Removes an empty directory. `ENOTDIR`: a file. `ENOTEMPTY`. `EINVAL`: the name is `.` or `..`.
pub(super) fn path_remove_directory(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> HostResult {
    let path = resolve(call, fd, path, path_length, FinalSymlink::NoFollow)?;
    call.guest.tree.remove_directory(&path, &mut call.guest.meter)
}

/// Removes a name of a file or symbolic link. `EISDIR`: a directory.
pub(super) fn path_unlink_file(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> HostResult {
    let path = resolve(call, fd, path, path_length, FinalSymlink::NoFollow)?;
    call.guest.tree.remove_file(&path, &mut call.guest.meter)
}

/// Renames a path to another one below `new_fd`, replacing an existing one. `EISDIR`, `ENOTDIR`,
/// `ENOTEMPTY`: it cannot replace that. `EINVAL`: into itself. `EXDEV`: different mounts.
// [BOX-84]
pub(super) fn path_rename(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
    new_fd: u32,
    new_path: u32,
    new_path_length: u32,
) -> HostResult {
    let from = read_guest_path(call, fd, path, path_length)?;
    let to = read_guest_path(call, new_fd, new_path, new_path_length)?;
    let from = resolve_path(call, &from, FinalSymlink::NoFollow)?;
    let to = resolve_path(call, &to, FinalSymlink::NoFollow)?;
    call.guest.tree.rename(&from, &to, &mut call.guest.meter)
}

/// Creates a hard link below `new_fd`. `EEXIST`. `EPERM`: a directory. `EXDEV`: different mounts. `EINVAL`:
/// following symbolic links was requested.
// [BOX-83]
#[allow(clippy::too_many_arguments)] // as preview 1 has them
pub(super) fn path_link(
    call: &mut HostCall,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    new_fd: u32,
    new_path: u32,
    new_path_length: u32,
) -> HostResult {
    Errno::INVAL.when(final_symlink(lookup)? == FinalSymlink::Follow)?;
    let from = read_guest_path(call, fd, path, path_length)?;
    let to = read_guest_path(call, new_fd, new_path, new_path_length)?;
    let from = resolve_path(call, &from, FinalSymlink::NoFollow)?;
    let node = from.existing(&call.guest.tree)?;
    let to = resolve_path(call, &to, FinalSymlink::NoFollow)?;
    call.guest.tree.hard_link(node, &to, &mut call.guest.meter)
}

/// Creates a symbolic link with the `target_length` bytes at `target`. `EEXIST`. `EPERM`: the target is
/// absolute.
// [BOX-82]
pub(super) fn path_symlink(
    call: &mut HostCall,
    target: u32,
    target_length: u32,
    fd: u32,
    path: u32,
    path_length: u32,
) -> HostResult {
    let target = read_path(call, target, target_length)?;
    let path = resolve(call, fd, path, path_length, FinalSymlink::NoFollow)?;
    Ok(call.guest.tree.create_symlink(&path, &target)?)
}
