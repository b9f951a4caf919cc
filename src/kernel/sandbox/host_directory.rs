//! Room: a granted directory of the host, walked name by name without ever following a link.
//!
//! The root stays open. Every access starts at it and opens one name after the other below a directory
//! that is already open, as a bare handle (`O_PATH`): opening has no effect on what is there, and the
//! type is looked at on the handle, so nothing can be swapped in between. What is neither file nor
//! directory, lies on another file system, or can't be opened, answers `EACCES`.
//!
//! The handles go through `/proc/self/fd`, which needs no `unsafe`. The numbers of the flags differ
//! between architectures; where they are not known, nothing is mapped.

use super::errno::{Errno, Halt, Stop};
use super::protected::{identity_of, Identity, Protected};
use crate::host::files;
use crate::host::unix::{AsRawFd, FileExt, MetadataExt, OpenOptionsExt};
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::NAME_BYTES_MAX;
use crate::kernel::prelude::*;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const NO_FOLLOW: Option<i32> = Some(0o400_000);
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const NO_FOLLOW: Option<i32> = Some(0o100_000);
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
const NO_FOLLOW: Option<i32> = None;
/// Opens a handle that can be looked at and walked from, but neither read nor written.
const PATH_ONLY: i32 = 0o10_000_000;
/// Nothing is waited for while opening.
const NO_WAIT: i32 = 0o4000;

/// The name of the folder in which this program keeps new content while it carries changes out. No
/// guest sees or makes anything of this name, in any directory.
pub(super) const COMMIT_FOLDER: &str = ".mpp-commit";

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
}

/// What a walk found.
#[derive(Debug)]
pub(super) enum Found {
    Directory,
    File(HostFile),
}

/// What lies in a directory.
#[derive(Debug)]
pub(super) struct Listing {
    /// In ascending order of names.
    pub(super) entries: BTreeMap<String, Kind>,
    /// Whether there is something else as well, which a guest does not see.
    pub(super) hides_others: bool,
}

/// A directory of the host, open for as long as the call runs.
#[derive(Debug)]
pub(super) struct HostDirectory {
    root: File,
    identity: Identity,
    /// What the guest may not reach here under another name.
    protected: Arc<Protected>,
}

/// How the host had a file or directory at one moment: enough to see that it was changed since, and to
/// give its owner and permissions to what takes its place. None of it reaches the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    pub(super) owner: (u32, u32),
    /// The nine bits of who may read, write and execute; no others.
    pub(super) mode: u32,
}

impl Stamp {
    fn of(status: &Metadata) -> Self {
        Stamp {
            inode: status.ino(),
            bytes: status.len(),
            modified: (status.mtime(), status.mtime_nsec()),
            changed: (status.ctime(), status.ctime_nsec()),
            owner: (status.uid(), status.gid()),
            mode: status.mode() & 0o777,
        }
    }
}

/// A file of the host, open to be read.
#[derive(Debug)]
pub(super) struct HostFile(File);

impl HostFile {
    /// Its present size in bytes.
    pub(super) fn size(&self) -> Result<u64, Errno> {
        self.0.metadata().map(|status| status.len()).map_err(|error| errno_of(&error))
    }

    /// Reads at an offset until the buffer is full or the file ends; gives how many bytes.
    pub(super) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let from = u64::try_from(filled).unwrap_or(u64::MAX).saturating_add(offset);
            match self.0.read_at(rest, from) {
                Ok(0) => break,
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(errno_of(&error)),
            }
        }
        Ok(filled)
    }
}

impl HostDirectory {
    /// The directory that the host's administrator named, links and all. Whether it may be mapped is for
    /// [`HostDirectory::check`] to say.
    pub(super) fn open(path: &Path, protected: &Arc<Protected>) -> io::Result<Self> {
        if NO_FOLLOW.is_none() {
            let what = "directories can be mapped on Linux only (x86-64, AArch64)";
            return Err(io::Error::other(what));
        }
        let root = OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path)?;
        let status = root.metadata()?;
        if !status.is_dir() {
            return Err(io::Error::other("not a directory"));
        }
        if !path_of(&root).is_dir() {
            return Err(io::Error::other("mapping directories needs /proc"));
        }
        Ok(HostDirectory { root, identity: identity_of(&status), protected: Arc::clone(protected) })
    }

    /// What tells it from every other directory, whatever it is called.
    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Refuses it if it is, holds or lies in a place that is protected.
    pub(super) fn check(&self) -> Result<(), String> {
        self.protected.check(&self.lies_in()?)
    }

    /// As [`HostDirectory::check`], with the places where they are by now.
    pub(super) fn check_again(&self) -> Result<(), String> {
        self.protected.find_again().check(&self.lies_in()?)
    }

    /// It and the directories that it lies in, up to the root of the file system.
    fn lies_in(&self) -> Result<Vec<Identity>, String> {
        let failed = |error: io::Error| format!("where it lies: {error}");
        let mut found = vec![self.identity];
        let mut here = open_handle(&path_of(&self.root).join("..")).map_err(failed)?;
        loop {
            let above = identity_of(&here.metadata().map_err(failed)?);
            if found.last() == Some(&above) {
                return Ok(found); // only the root is its own parent
            }
            found.push(above);
            here = open_handle(&path_of(&here).join("..")).map_err(failed)?;
        }
    }

    /// How the host has what a path of names leads to.
    pub(super) fn stamp(&self, names: &[&str]) -> Result<Stamp, Errno> {
        self.walk(names).map(|(_, status)| Stamp::of(&status))
    }

    /// A handle on the root that keeps others from changing things below it at the same time.
    pub(super) fn lock(&self, deadline: &Deadline) -> io::Result<File> {
        // Opened anew, since a lock belongs to an opening, and clones share theirs.
        let root = File::open(path_of(&self.root))?;
        files::lock(&root, &|| deadline.check().is_err())?;
        Ok(root)
    }

    /// A handle on the directory that a path of names leads to.
    pub(super) fn directory(&self, names: &[&str]) -> Result<File, Errno> {
        let (handle, status) = self.walk(names)?;
        match status.is_dir() {
            true => Ok(handle),
            false => Err(Errno::NOTDIR),
        }
    }

    /// What a path of names leads to; no names are the root.
    pub(super) fn look(&self, names: &[&str]) -> Result<Found, Errno> {
        let (handle, status) = self.walk(names)?;
        if status.is_dir() {
            return Ok(Found::Directory);
        }
        let file = OpenOptions::new().read(true).custom_flags(NO_WAIT).open(path_of(&handle));
        file.map(|file| Found::File(HostFile(file))).map_err(|error| errno_of(&error))
    }

    /// The files and directories in a directory. Others, and names that no guest could write, are left
    /// out. `charge` is asked before each name is looked at, whatever has it, but not for this program's
    /// own folder, which comes and goes while others carry changes out. `EOVERFLOW`: more than `max`.
    // [BOX-08]
    pub(super) fn list(
        &self,
        names: &[&str],
        max: usize,
        mut charge: impl FnMut() -> Result<(), Stop>,
    ) -> Result<Listing, Halt> {
        let (handle, _) = self.walk(names)?;
        let failed = |error: io::Error| errno_of(&error);
        let mut listing = Listing { entries: BTreeMap::new(), hides_others: false };
        let mut count = 0_usize;
        for entry in std::fs::read_dir(path_of(&handle)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name == COMMIT_FOLDER {
                listing.hides_others = true;
                continue;
            }
            charge()?;
            count = count.saturating_add(1);
            if count > max {
                return Err(Errno::OVERFLOW.into());
            }
            let kind = match entry.file_type() {
                Ok(kind) if kind.is_dir() => Some(Kind::Directory),
                Ok(kind) if kind.is_file() => Some(Kind::File),
                _ => None,
            };
            let name = name.to_str().filter(|name| can_be_seen(name));
            let (Some(kind), Some(name)) = (kind, name) else {
                listing.hides_others = true;
                continue;
            };
            // Put in order one by one, since sorting a hundred thousand names at the end takes a while.
            listing.entries.insert(name.to_owned(), kind);
        }
        Ok(listing)
    }

    /// Opens one name after the other; gives the last as a handle, with its status.
    // [BOX-08]
    fn walk(&self, names: &[&str]) -> Result<(File, Metadata), Errno> {
        let failed = |error: io::Error| errno_of(&error);
        let mut handle = self.root.try_clone().map_err(failed)?;
        let mut status = handle.metadata().map_err(failed)?;
        for name in names {
            if !status.is_dir() {
                return Err(Errno::NOTDIR);
            }
            if !can_be_seen(name) {
                return Err(Errno::ACCES);
            }
            handle = open_handle(&path_of(&handle).join(name)).map_err(failed)?;
            status = handle.metadata().map_err(failed)?;
            let plain = status.is_dir() || status.is_file();
            // [BOX-98] A file with one name is not compared: it may be new and have a freed inode number.
            let compared = status.is_dir() || status.nlink() > 1;
            let protected = compared && self.protected.holds(identity_of(&status));
            if !plain || protected || status.dev() != self.identity.0 {
                return Err(Errno::ACCES);
            }
        }
        Ok((handle, status))
    }
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

fn can_be_seen(name: &str) -> bool {
    let one_name = Path::new(name).file_name() == Some(OsStr::new(name));
    one_name && name.len() <= NAME_BYTES_MAX && name != COMMIT_FOLDER
}

fn errno_of(error: &io::Error) -> Errno {
    match error.kind() {
        io::ErrorKind::NotFound => Errno::NOENT,
        io::ErrorKind::NotADirectory => Errno::NOTDIR,
        io::ErrorKind::PermissionDenied => Errno::ACCES,
        _ => Errno::IO,
    }
}
