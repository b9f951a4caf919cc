//! Room: paths. Each is settled in the guest's own tree; none reaches the host.
//!
//! A path is `path_length` bytes at `path`, and starts at the directory `fd`. All of these answer
//! `ENOTDIR` if that is no directory; `ENOENT` for an empty path and for names that do not exist;
//! `EPERM` for an absolute path and for one that leads out of the directory; `ELOOP` for too many
//! links; `EACCES` for what the guest may not see; `EINVAL` for a NUL and `EILSEQ` for what is not
//! UTF-8; `ENAMETOOLONG`. Those that change something answer `EROFS` and `ENOSPC`.

use super::descriptor::check_flags;
use super::file::{filestat, times, FILESTAT_BYTES};
use crate::kernel::limits::PATH_BYTES_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError};
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

/// What may be done with a link that a path ends in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FinalSymlink {
    /// It is meant itself.
    Itself,
    /// It is followed only if a slash comes behind it.
    ItselfWithoutSlash,
    /// It is followed.
    Followed,
}

/// Follows a path from an open directory.
fn find(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
    last: FinalSymlink,
) -> Result<ResolvedPath, HostCallError> {
    let path = named(call, fd, path, path_length)?;
    follow(call, &path, last)
}

/// A path as the guest gave it, and the directory at which it starts.
struct GuestPath {
    start: InodeId,
    path: String,
}

/// Reads a path, before anything of it is looked at.
// [BOX-43]
fn named(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<GuestPath, HostCallError> {
    let start = call.guest.descriptors.get(fd)?.directory()?;
    Ok(GuestPath { start, path: text(call, path, path_length)? })
}

fn follow(
    call: &mut HostCall,
    named: &GuestPath,
    last: FinalSymlink,
) -> Result<ResolvedPath, HostCallError> {
    let GuestPath { start, path } = named;
    let follow = match last {
        FinalSymlink::Itself => false,
        FinalSymlink::ItselfWithoutSlash => path.ends_with('/'),
        FinalSymlink::Followed => true,
    };
    let GuestState { tree, meter, .. } = &mut *call.guest;
    tree.resolve(*start, path, follow, meter)
}

/// Reads a path, unless it is too long.
// [BOX-61]
fn text(call: &mut HostCall, pointer: u32, length: u32) -> Result<String, HostCallError> {
    let span = call.span_of(pointer, length)?;
    Errno::NAMETOOLONG.when(span.length() > PATH_BYTES_MAX)?;
    call.guest.meter.charge_bytes(span.length())?;
    Ok(core::str::from_utf8(call.read(span)?).map_err(|_| Errno::ILSEQ)?.to_owned())
}

/// Reads `lookupflags`. `EINVAL`: no such flag.
fn last(lookup: u32) -> Result<FinalSymlink, Errno> {
    match lookup {
        0 => Ok(FinalSymlink::ItselfWithoutSlash),
        1 => Ok(FinalSymlink::Followed),
        _ => Err(Errno::INVAL),
    }
}

/// Opens what a path names with the rights `base` and `inheriting`, as far as they are to be had, and
/// writes the new descriptor at `result`. `open` are `oflags`, `flags` are `fdflags`. `EEXIST`: exists,
/// and was to be created. `EISDIR`: a directory, to be written. `ENOTDIR`: a file, where a directory was
/// asked for. `ELOOP`: a link, not to be followed. `EINVAL`: flags that do not exist or go together.
/// `ENOTCAPABLE`: truncating is not among the rights of `fd`. `EMFILE`: too many are open.
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
) -> Result<(), HostCallError> {
    call.span(result, 4)?;
    let (last, flags) = (last(lookup)?, check_flags(flags)?);
    let has = |flag: u32| open & flag != 0;
    let (creates, truncates) = (has(open_flags::CREATE), has(open_flags::TRUNCATE));
    Errno::INVAL.when(open & !open_flags::ALL != 0 || (creates && has(open_flags::DIRECTORY)))?;
    let directory = call.guest.descriptors.get(fd)?;
    let allowed = directory.rights_inheriting;
    directory.directory()?;
    Errno::NOTCAPABLE.when(truncates && directory.rights & rights::PATH_FILESTAT_SET_SIZE == 0)?;
    call.guest.descriptors.free()?;
    // What has to be new is not looked for behind a link.
    let is_new = creates && has(open_flags::EXCLUSIVE);
    let place =
        find(call, fd, path, path_length, if is_new { FinalSymlink::Itself } else { last })?;
    let node = match place.node {
        Some(_) if is_new => return Err(Errno::EXIST.into()),
        None if creates => call.guest.tree.make_file(&place)?,
        _ => place.existing(&call.guest.tree)?,
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
    tree.hold(node)?;
    let (base, inheriting) = (base & possible & allowed, inheriting & allowed);
    let opened = Descriptor::new(object, flags, base, inheriting);
    let opened = call.guest.descriptors.open(opened)?;
    call.write_u32(result, opened)
}

/// Writes the `filestat` of what a path names at `result`.
pub(super) fn path_filestat_get(
    call: &mut HostCall,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    result: u32,
) -> Result<(), HostCallError> {
    call.span(result, FILESTAT_BYTES)?;
    let place = find(call, fd, path, path_length, last(lookup)?)?;
    let node = place.existing(&call.guest.tree)?;
    let status = call.guest.tree.status(node, &mut call.guest.meter)?;
    call.write_at(result, &filestat(node, &status))
}

/// Sets the times of what a path names, as `fd_filestat_set_times` does.
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
) -> Result<(), HostCallError> {
    let (accessed, modified) = times(call, accessed, modified, flags)?;
    let place = find(call, fd, path, path_length, last(lookup)?)?;
    let node = place.existing(&call.guest.tree)?;
    Ok(call.guest.tree.set_times(node, accessed, modified)?)
}

/// Writes the target of a symbolic link to the `length` bytes at `pointer`, as much as fits, and the
/// number of bytes at `result`. `EINVAL`: no link.
pub(super) fn path_readlink(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
    pointer: u32,
    length: u32,
    result: u32,
) -> Result<(), HostCallError> {
    call.span(result, 4)?;
    let span = call.span_of(pointer, length)?;
    let place = find(call, fd, path, path_length, FinalSymlink::Itself)?;
    let node = place.existing(&call.guest.tree)?;
    Errno::INVAL.when(call.guest.tree.kind(node)? != filetype::SYMBOLIC_LINK)?;
    let target = call.guest.tree.bytes(node)?.to_vec();
    let used = u32::try_from(target.len().min(span.length())).map_err(|_| Errno::OVERFLOW)?;
    call.write(span, &target)?;
    call.write_u32(result, used)
}

/// Makes an empty directory. `EEXIST`: there is something.
pub(super) fn path_create_directory(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), HostCallError> {
    let place = find(call, fd, path, path_length, FinalSymlink::Itself)?;
    Ok(call.guest.tree.make_directory(&place)?)
}

/// Removes an empty directory. `ENOTDIR`: a file. `ENOTEMPTY`. `EINVAL`: its name is `.` or `..`.
pub(super) fn path_remove_directory(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), HostCallError> {
    let place = find(call, fd, path, path_length, FinalSymlink::Itself)?;
    call.guest.tree.remove_directory(&place, &mut call.guest.meter)
}

/// Removes a name of a file or symbolic link. `EISDIR`: a directory.
pub(super) fn path_unlink_file(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), HostCallError> {
    let place = find(call, fd, path, path_length, FinalSymlink::Itself)?;
    call.guest.tree.remove_file(&place, &mut call.guest.meter)
}

/// Moves what a path names to another path, below `new_fd`, and replaces what is there. `EISDIR`,
/// `ENOTDIR`, `ENOTEMPTY`: it can't replace that. `EINVAL`: into itself. `EXDEV`: from one mount to
/// another.
// [BOX-84]
pub(super) fn path_rename(
    call: &mut HostCall,
    fd: u32,
    path: u32,
    path_length: u32,
    new_fd: u32,
    new_path: u32,
    new_path_length: u32,
) -> Result<(), HostCallError> {
    let from = named(call, fd, path, path_length)?;
    let to = named(call, new_fd, new_path, new_path_length)?;
    let from = follow(call, &from, FinalSymlink::Itself)?;
    let to = follow(call, &to, FinalSymlink::Itself)?;
    call.guest.tree.rename(&from, &to, &mut call.guest.meter)
}

/// Gives a file a second name, below `new_fd`. `EEXIST`: the name is taken. `EPERM`: a directory.
/// `EXDEV`: from one mount to another. `EINVAL`: a link was to be followed.
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
) -> Result<(), HostCallError> {
    Errno::INVAL.when(last(lookup)? == FinalSymlink::Followed)?;
    let from = named(call, fd, path, path_length)?;
    let to = named(call, new_fd, new_path, new_path_length)?;
    let from = follow(call, &from, FinalSymlink::Itself)?;
    let node = from.existing(&call.guest.tree)?;
    let to = follow(call, &to, FinalSymlink::Itself)?;
    call.guest.tree.add_name(node, &to, &mut call.guest.meter)
}

/// Makes a symbolic link that holds the `target_length` bytes at `target`. `EEXIST`: there is something.
/// `EPERM`: the target is absolute.
// [BOX-82]
pub(super) fn path_symlink(
    call: &mut HostCall,
    target: u32,
    target_length: u32,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), HostCallError> {
    let target = text(call, target, target_length)?;
    let place = find(call, fd, path, path_length, FinalSymlink::Itself)?;
    Ok(call.guest.tree.make_link(&place, &target)?)
}
