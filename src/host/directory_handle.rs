//! A granted directory of this system, walked name by name without ever following a link.
//!
//! Each directory is held as a handle. Opening a name starts at it, as a bare handle (`O_PATH`): opening has no
//! effect on what is there, and the type is looked at on the handle, so nothing can be swapped in between. What is
//! neither file nor directory, lies on another file system, or can't be opened, is denied.
//!
//! The handles go through `/proc/self/fd`, which needs no `unsafe`. The numbers of the flags differ
//! between architectures; where they are not known, nothing is mapped.

use crate::host::files;
use crate::host::protected_paths::{identity_of, Protected};
use crate::host::LINUX_ONLY;
use crate::kernel::deadline::Deadline;
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
/// Opens a handle that can be looked at and walked from, but neither read nor written.
const PATH_ONLY: i32 = 0o10_000_000;
/// Nothing is waited for while opening.
pub(super) const NO_WAIT: i32 = 0o4000;

/// The name of the folder in which this program keeps new content while it carries changes out. No
/// guest sees or makes anything of this name, in any directory.
pub(crate) const STAGING_DIR: &str = ".mpp-commit";

/// A directory of the host, open for as long as something holds it.
#[derive(Debug)]
pub(crate) struct HostDirectory {
    pub(super) handle: File,
    pub(super) identity: Identity,
    /// What the guest may not reach here under another name.
    pub(super) protected: Arc<Protected>,
}

impl HostDirectory {
    /// The directory that the host's administrator named, links and all. Whether it may be mapped is for
    /// [`HostDirectory::check`] to say.
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

    /// Refuses it if it is, holds or lies in a place that is protected.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.protected.check(&self.ancestors()?)
    }

    /// As [`HostDirectory::check`], with the places where they are by now.
    pub(super) fn check_again(&self) -> Result<(), String> {
        self.protected.find_again().check(&self.ancestors()?)
    }

    /// It and the directories that it lies in, up to the root of the file system.
    pub(super) fn ancestors(&self) -> Result<Vec<Identity>, String> {
        let failed = |error: io::Error| format!("where it lies: {error}");
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

    /// A handle on it that keeps others from changing things below it at the same time.
    pub(super) fn lock(&self, deadline: &Deadline) -> io::Result<File> {
        // Opened anew, since a lock belongs to an opening, and clones share theirs.
        let root = File::open(path_of(&self.handle))?;
        files::lock(&root, &|| deadline.check().is_err())?;
        Ok(root)
    }

    /// How the host has what a path of names leads to.
    pub(crate) fn stamp_of(&self, names: &[&str]) -> Result<StatFingerprint, DirectoryError> {
        self.walk(names).map(|(_, status)| stamp(&status))
    }

    /// A handle on the directory that a path of names leads to.
    pub(super) fn directory(&self, names: &[&str]) -> Result<File, DirectoryError> {
        let (handle, status) = self.walk(names)?;
        status.is_dir().then_some(handle).ok_or(DirectoryError::NotDirectory)
    }

    fn walk(&self, names: &[&str]) -> Result<(File, Metadata), DirectoryError> {
        let mut handle = self.handle.try_clone().map_err(fault_of)?;
        let mut status = handle.metadata().map_err(fault_of)?;
        for name in names {
            if !status.is_dir() {
                return Err(DirectoryError::NotDirectory);
            }
            (handle, status) = self.step(&handle, name)?;
        }
        Ok((handle, status))
    }

    /// Opens one name in a directory of this file system.
    // [BOX-08]
    pub(super) fn step(
        &self,
        directory: &File,
        name: &str,
    ) -> Result<(File, Metadata), DirectoryError> {
        if !is_visible_name(name) {
            return Err(DirectoryError::Denied);
        }
        let handle = open_handle(&path_of(directory).join(name)).map_err(fault_of)?;
        let status = handle.metadata().map_err(fault_of)?;
        let plain = status.is_dir() || status.is_file();
        // [BOX-98] A file with one name is not compared: it may be new and have a freed inode number.
        let compared = status.is_dir() || status.nlink() > 1;
        let protected = compared && self.protected.holds(identity_of(&status));
        if !plain || protected || status.dev() != self.identity.0 {
            return Err(DirectoryError::Denied);
        }
        Ok((handle, status))
    }
}

/// What tells whether a file was changed, then its owner, then the nine bits of who may read, write and execute.
pub(super) fn stamp(status: &Metadata) -> StatFingerprint {
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

/// User and group of a stamp.
pub(super) fn owner_of(stamp: &StatFingerprint) -> (u32, u32) {
    let [.., user, group, _] = *stamp;
    let id = |number| u32::try_from(number).unwrap_or(u32::MAX);
    (id(user), id(group))
}

/// The bits of who may do what of a stamp.
pub(super) fn mode_of(stamp: &StatFingerprint) -> u32 {
    let [.., mode] = *stamp;
    u32::try_from(mode).unwrap_or(0)
}

/// A handle on one name, whatever it is, link or not.
pub(super) fn open_handle(path: &Path) -> io::Result<File> {
    let flags = NO_FOLLOW.unwrap_or_default() | PATH_ONLY;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Where an open file can be reached, whatever became of its name.
pub(super) fn path_of(handle: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}

pub(super) fn is_visible_name(name: &str) -> bool {
    let one_name = Path::new(name).file_name() == Some(OsStr::new(name));
    one_name && name.len() <= NAME_BYTES_MAX && name != STAGING_DIR
}

pub(super) fn fault_of(error: io::Error) -> DirectoryError {
    match error.kind() {
        io::ErrorKind::NotFound => DirectoryError::NotFound,
        io::ErrorKind::NotADirectory => DirectoryError::NotDirectory,
        io::ErrorKind::PermissionDenied => DirectoryError::Denied,
        _ => DirectoryError::Failed,
    }
}
