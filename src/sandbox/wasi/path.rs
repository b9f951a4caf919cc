//! Room: paths. Each is settled in the guest's own tree; none reaches the host.
//!
//! All of these answer `ENOTDIR` if the descriptor is no directory; `ENOENT` for an empty path and for
//! names that do not exist; `EPERM` for an absolute path and for one that leads out of the directory;
//! `EINVAL` for a NUL and `EILSEQ` for what is not UTF-8; `ENAMETOOLONG`.

use super::descriptor::check_flags;
use super::file::filestat;
use crate::limits::PATH_COMPONENT_FUEL;
use crate::sandbox::errno::Errno;
use crate::sandbox::files::{filetype, rights, Descriptor, NodeId, Object};
use crate::sandbox::guest::{Call, Halt};

/// The bits of `oflags`.
mod open_flags {
    pub(super) const CREATE: u32 = 1;
    pub(super) const DIRECTORY: u32 = 2;
    pub(super) const EXCLUSIVE: u32 = 4;
    pub(super) const TRUNCATE: u32 = 8;
    pub(super) const ALL: u32 = 15;
}

/// What the path names, or why it names nothing. The outer error is about the call, the inner one
/// about the file.
fn find(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<Result<NodeId, Errno>, Halt> {
    let root = call.guest.files.get(fd)?.directory()?;
    let span = call.span_of(path, path_length)?;
    call.charge_bytes(span.length())?;
    let path = std::str::from_utf8(call.read(span)?).map_err(|_| Errno::ILSEQ)?.to_owned();
    let components = u64::try_from(path.split('/').count()).unwrap_or(u64::MAX);
    call.charge(PATH_COMPONENT_FUEL.saturating_mul(components))?;
    match call.guest.files.resolve(root, &path) {
        Err(errno) if errno != Errno::NOENT || path.is_empty() => Err(errno.into()),
        found => Ok(found),
    }
}

/// Opens a file or directory and writes the new descriptor at `result`. `EROFS`: would create, write
/// or truncate. `EEXIST`: exists, and was to be created. `EISDIR`: a directory, to be written.
/// `ENOTDIR`: a file, where a directory was asked for. `EINVAL`: flags that do not exist or go together.
/// `EMFILE`: too many are open.
// [BOX-68]
#[allow(clippy::too_many_arguments)] // as preview 1 has them
pub(super) fn path_open(
    call: &mut Call<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    open: u32,
    rights_base: u64,
    rights_inheriting: u64,
    flags: u32,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    check_lookup(lookup)?;
    let flags = check_flags(flags)?;
    let creates_directory = open & open_flags::CREATE != 0 && open & open_flags::DIRECTORY != 0;
    if open & !open_flags::ALL != 0 || creates_directory {
        return Err(Errno::INVAL.into());
    }
    let writes = rights_base & rights::FD_WRITE != 0;
    let node = match find(call, fd, path, path_length)? {
        Err(_) if open & open_flags::CREATE != 0 => return Err(Errno::ROFS.into()),
        Err(errno) => return Err(errno.into()),
        Ok(node) => node,
    };
    if open & open_flags::CREATE != 0 && open & open_flags::EXCLUSIVE != 0 {
        return Err(Errno::EXIST.into());
    }
    let is_directory = call.guest.files.status(node).0 == filetype::DIRECTORY;
    let changes = writes || open & open_flags::TRUNCATE != 0;
    match (is_directory, changes) {
        (true, true) => return Err(Errno::ISDIR.into()),
        (false, _) if open & open_flags::DIRECTORY != 0 => return Err(Errno::NOTDIR.into()),
        (false, true) => return Err(Errno::ROFS.into()),
        (_, false) => {}
    }
    let (object, possible) = if is_directory {
        (Object::Directory { node, preopened_as: None }, rights::DIRECTORY)
    } else {
        (Object::File { node, offset: 0 }, rights::FILE & !rights::FD_WRITE)
    };
    let allowed = call.guest.files.get(fd)?.rights_inheriting;
    let opened = call.guest.files.open(Descriptor {
        object,
        flags,
        rights: rights_base & possible & allowed,
        rights_inheriting: rights_inheriting & allowed,
    })?;
    call.write_u32(result, opened)?;
    Ok(())
}

/// Refuses bits of `lookupflags` that do not exist. There are no links that could be followed.
fn check_lookup(lookup: u32) -> Result<(), Errno> {
    if lookup & !1 != 0 {
        return Err(Errno::INVAL);
    }
    Ok(())
}

/// Writes the `filestat` of what a path names.
pub(super) fn path_filestat_get(
    call: &mut Call<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    result: u32,
) -> Result<(), Halt> {
    check_lookup(lookup)?;
    let node = find(call, fd, path, path_length)??;
    let record = filestat(call, node);
    call.write_at(result, &record)?;
    Ok(())
}

/// `EINVAL`: it exists and is no link, since there are none.
pub(super) fn path_readlink(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_length: u32,
    pointer: u32,
    length: u32,
    result: u32,
) -> Result<(), Halt> {
    call.span(result, 4)?;
    call.span_of(pointer, length)?;
    find(call, fd, path, path_length)??;
    Err(Errno::INVAL.into())
}

/// `EEXIST`: exists. `EROFS`.
pub(super) fn path_create_directory(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), Halt> {
    match find(call, fd, path, path_length)? {
        Ok(_) => Err(Errno::EXIST.into()),
        Err(_) => Err(Errno::ROFS.into()),
    }
}

/// `EROFS`.
pub(super) fn path_remove_directory(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), Halt> {
    find(call, fd, path, path_length)??;
    Err(Errno::ROFS.into())
}

/// `EROFS`.
pub(super) fn path_unlink_file(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), Halt> {
    find(call, fd, path, path_length)??;
    Err(Errno::ROFS.into())
}

/// `EROFS`.
#[allow(clippy::too_many_arguments)] // as preview 1 has them
pub(super) fn path_filestat_set_times(
    call: &mut Call<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    _accessed: u64,
    _modified: u64,
    _flags: u32,
) -> Result<(), Halt> {
    check_lookup(lookup)?;
    find(call, fd, path, path_length)??;
    Err(Errno::ROFS.into())
}

/// `EROFS`.
pub(super) fn path_rename(
    call: &mut Call<'_>,
    fd: u32,
    path: u32,
    path_length: u32,
    new_fd: u32,
    new_path: u32,
    new_path_length: u32,
) -> Result<(), Halt> {
    find(call, fd, path, path_length)??;
    let _may_be_new = find(call, new_fd, new_path, new_path_length)?;
    Err(Errno::ROFS.into())
}

/// `ENOTSUP`: a file has one name.
// [BOX-69]
#[allow(clippy::too_many_arguments)] // as preview 1 has them
pub(super) fn path_link(
    call: &mut Call<'_>,
    fd: u32,
    lookup: u32,
    path: u32,
    path_length: u32,
    new_fd: u32,
    new_path: u32,
    new_path_length: u32,
) -> Result<(), Halt> {
    check_lookup(lookup)?;
    find(call, fd, path, path_length)??;
    let _may_be_new = find(call, new_fd, new_path, new_path_length)?;
    Err(Errno::NOTSUP.into())
}

/// `ENOTSUP`: a link could lead out of its directory.
// [BOX-69]
pub(super) fn path_symlink(
    call: &mut Call<'_>,
    target: u32,
    target_length: u32,
    fd: u32,
    path: u32,
    path_length: u32,
) -> Result<(), Halt> {
    call.span_of(target, target_length)?;
    let _may_be_new = find(call, fd, path, path_length)?;
    Err(Errno::NOTSUP.into())
}
