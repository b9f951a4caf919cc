//! Directory handles: open names beneath a mapped directory, one by one, and never follow a link.
//!
//! Each directory is held open. A name is opened beneath it as an `O_PATH` handle, which has no effect on the
//! file, and its type is checked on the handle, so it cannot be swapped in between. What is neither file nor
//! directory, lies on another file system or cannot be opened is denied.
//!
//! Handles are reopened through `/proc/self/fd`, which needs no `unsafe`. The values of the flags depend on the
//! architecture; where they are unknown, no directory is mapped.

use crate::host::protected_paths::{identity_of, Protected};
use crate::host::LINUX_ONLY;
use crate::kernel::directory::{DirectoryError, Identity, StatFingerprint};
use crate::kernel::limits::NAME_BYTES_MAX;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const NO_FOLLOW: Option<i32> = Some(0o400_000);
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const NO_FOLLOW: Option<i32> = Some(0o100_000);
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
const NO_FOLLOW: Option<i32> = None;
/// `O_PATH`: the handle can be inspected and walked from, but neither read nor written.
const PATH_ONLY: i32 = 0o10_000_000;
/// `O_NONBLOCK`: opening does not wait.
pub(super) const NO_WAIT: i32 = 0o4000;

/// The name of the staging directory, which holds new content during a commit. No guest sees or creates
/// this name, in any directory.
pub(crate) const STAGING_DIR: &str = ".mpp-commit";

/// An open directory of the host.
#[derive(Debug)]
pub(crate) struct HostDirectory {
    pub(super) handle: File,
    pub(super) identity: Identity,
    /// Files that the guest must not reach here under another name.
    pub(super) protected: Arc<Protected>,
}

impl HostDirectory {
    /// Opens a directory that the operator mapped, and follows links to it. [`HostDirectory::check`] decides
    /// whether it may be mapped.
    pub(crate) fn open(path: &Path, protected: &Arc<Protected>) -> io::Result<Self> {
        if NO_FOLLOW.is_none() {
            return Err(io::Error::other(LINUX_ONLY));
        }
        let handle = OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path)?;
        let status = handle.metadata()?;
        if !status.is_dir() {
            return Err(io::Error::other("not a directory"));
        }
        if !path_of(&handle).is_dir() {
            return Err(io::Error::other("mapping directories needs /proc"));
        }
        let protected = Arc::clone(protected);
        Ok(HostDirectory { handle, identity: identity_of(&status), protected })
    }

    /// Refuses a directory that is, contains or lies in a protected path.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.protected.check(&self.ancestors()?)
    }

    /// As [`HostDirectory::check`], after resolving the protected paths again.
    pub(super) fn check_still_allowed(&self) -> Result<(), String> {
        self.protected.resolve_again().check(&self.ancestors()?)
    }

    /// Returns the identity of this directory and of its ancestors, up to the root of the file system.
    pub(super) fn ancestors(&self) -> Result<Vec<Identity>, String> {
        let failed = |error: io::Error| format!("cannot open its parent directory: {error}");
        let mut found = vec![self.identity];
        let mut here = open_handle(&path_of(&self.handle).join("..")).map_err(failed)?;
        loop {
            let above = identity_of(&here.metadata().map_err(failed)?);
            if found.last() == Some(&above) {
                return Ok(found); // only the root is its own parent
            }
            found.push(above);
            here = open_handle(&path_of(&here).join("..")).map_err(failed)?;
        }
    }

    /// Returns a handle on the directory that a path of names leads to.
    pub(super) fn directory(&self, names: &[&str]) -> Result<File, DirectoryError> {
        let (handle, status) = self.open_beneath(names)?;
        status.is_dir().then_some(handle).ok_or(DirectoryError::NotDirectory)
    }

    fn open_beneath(&self, names: &[&str]) -> Result<(File, Metadata), DirectoryError> {
        let mut handle = self.handle.try_clone().map_err(directory_error)?;
        let mut status = handle.metadata().map_err(directory_error)?;
        for name in names {
            if !status.is_dir() {
                return Err(DirectoryError::NotDirectory);
            }
            (handle, status) = self.open_child(&handle, name)?;
        }
        Ok((handle, status))
    }

    /// Opens one name in a directory, on the same file system only.
    // [BOX-08]
    pub(super) fn open_child(
        &self,
        directory: &File,
        name: &str,
    ) -> Result<(File, Metadata), DirectoryError> {
        if !is_visible_name(name) {
            return Err(DirectoryError::Denied);
        }
        let handle = open_handle(&path_of(directory).join(name)).map_err(directory_error)?;
        let status = handle.metadata().map_err(directory_error)?;
        self.is_visible(&status).then_some((handle, status)).ok_or(DirectoryError::Denied)
    }

    /// Returns `true` for a file or directory on this file system that is not protected.
    // [BOX-08]
    pub(super) fn is_visible(&self, status: &Metadata) -> bool {
        let plain = status.is_dir() || status.is_file();
        // [BOX-98] A file with one link is not compared: it may be new and reuse a freed inode number.
        let compared = status.is_dir() || status.nlink() > 1;
        let protected = compared && self.protected.contains(identity_of(status));
        plain && !protected && status.dev() == self.identity.0
    }
}

/// Returns what shows that a file was changed, then its owner, then its nine permission bits.
pub(super) fn fingerprint(status: &Metadata) -> StatFingerprint {
    [
        status.ino(),
        status.len(),
        status.mtime().cast_unsigned(),
        status.mtime_nsec().cast_unsigned(),
        status.ctime().cast_unsigned(),
        status.ctime_nsec().cast_unsigned(),
        status.uid().into(),
        status.gid().into(),
        (status.mode() & 0o777).into(),
    ]
}

/// Returns user and group of a fingerprint.
pub(super) fn owner_of(fingerprint: &StatFingerprint) -> (u32, u32) {
    let [.., user, group, _] = *fingerprint;
    let id = |number| u32::try_from(number).unwrap_or(u32::MAX);
    (id(user), id(group))
}

/// Returns the permission bits of a fingerprint.
pub(super) fn mode_of(fingerprint: &StatFingerprint) -> u32 {
    let [.., mode] = *fingerprint;
    u32::try_from(mode).unwrap_or(0)
}

/// Opens an `O_PATH` handle on one name of any type; a link is not followed.
pub(super) fn open_handle(path: &Path) -> io::Result<File> {
    let flags = NO_FOLLOW.unwrap_or_default() | PATH_ONLY;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Returns a path to an open file, independent of its name.
pub(super) fn path_of(handle: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

pub(super) fn is_visible_name(name: &str) -> bool {
    let one_name = Path::new(name).file_name() == Some(OsStr::new(name));
    one_name && name.len() <= NAME_BYTES_MAX && name != STAGING_DIR
}

pub(super) fn directory_error(error: io::Error) -> DirectoryError {
    match error.kind() {
        io::ErrorKind::NotFound => DirectoryError::NotFound,
        io::ErrorKind::NotADirectory => DirectoryError::NotDirectory,
        io::ErrorKind::PermissionDenied => DirectoryError::Denied,
        _ => DirectoryError::Failed,
    }
}
