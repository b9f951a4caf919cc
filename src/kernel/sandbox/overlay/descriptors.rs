//! Table of open descriptors.

use super::inode::InodeId;
use crate::kernel::limits::OPEN_FILES_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The WASI `rights` in use.
pub(in crate::kernel) mod rights {
    pub(in crate::kernel) const FD_READ: u64 = 1 << 1;
    pub(in crate::kernel) const FD_WRITE: u64 = 1 << 6;
    pub(in crate::kernel) const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    /// The rights of a stream: its status, its flags, and polling it.
    pub(in crate::kernel) const STREAM: u64 = 0x0820_0008;
    /// The rights that a file can be opened with: the `fd_` rights without `fd_readdir`.
    pub(in crate::kernel) const FILE: u64 = 0x08e0_01ff;
    /// The rights that a directory can be opened with: the `path_` rights, `fd_readdir`, and its status.
    pub(in crate::kernel) const DIRECTORY: u64 = 0x07bf_fe18;
}

/// What a descriptor refers to.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) enum OpenObject {
    Stdin,
    Stdout,
    Stderr,
    File(InodeId),
    Directory(InodeId),
}

/// A directory entry of a listing.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct Entry {
    pub(in crate::kernel) name: Arc<str>,
    pub(in crate::kernel) node: InodeId,
    /// WASI `filetype` when the listing started.
    pub(in crate::kernel) kind: u8,
}

/// One open descriptor.
#[derive(Debug)]
pub(in crate::kernel) struct Descriptor {
    pub(in crate::kernel) object: OpenObject,
    /// WASI `fdflags`.
    pub(in crate::kernel) flags: u16,
    pub(in crate::kernel) rights: u64,
    pub(in crate::kernel) rights_inheriting: u64,
    /// The position in a file.
    pub(in crate::kernel) offset: u64,
    /// The entries of a directory when the listing started.
    pub(in crate::kernel) listing: Vec<Entry>,
    /// The name of a preopened directory.
    pub(in crate::kernel) preopened_as: Option<String>,
}

impl Descriptor {
    pub(in crate::kernel) fn new(
        object: OpenObject,
        flags: u16,
        rights: u64,
        rights_inheriting: u64,
    ) -> Self {
        let (listing, preopened_as) = (Vec::new(), None);
        Descriptor { object, flags, rights, rights_inheriting, offset: 0, listing, preopened_as }
    }

    /// Fails with `EBADF` if the descriptor lacks this right.
    pub(in crate::kernel) fn require(&self, right: u64) -> Result<(), Errno> {
        Errno::BADF.when(self.rights & right != right)
    }

    /// Returns the file. `ESPIPE`: a stream. `EBADF`: a directory.
    pub(in crate::kernel) fn file(&self) -> Result<InodeId, Errno> {
        match self.object {
            OpenObject::File(node) => Ok(node),
            OpenObject::Directory(_) => Err(Errno::BADF),
            _ => Err(Errno::SPIPE),
        }
    }

    /// Returns the directory. `ENOTDIR`: not a directory.
    pub(in crate::kernel) fn directory(&self) -> Result<InodeId, Errno> {
        match self.object {
            OpenObject::Directory(node) => Ok(node),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// Returns the file or directory; `None` for a stream.
    pub(in crate::kernel) fn node(&self) -> Option<InodeId> {
        match self.object {
            OpenObject::File(node) | OpenObject::Directory(node) => Some(node),
            _ => None,
        }
    }
}

/// Descriptors by number.
pub(in crate::kernel) struct Descriptors(BTreeMap<u32, Descriptor>);

impl Descriptors {
    /// Opens the standard streams as 0, 1 and 2.
    // [BOX-60]
    pub(super) fn new() -> Self {
        let stream = |object, rights| Descriptor::new(object, 0, rights | rights::STREAM, 0);
        Descriptors(BTreeMap::from([
            (0, stream(OpenObject::Stdin, rights::FD_READ)),
            (1, stream(OpenObject::Stdout, rights::FD_WRITE)),
            (2, stream(OpenObject::Stderr, rights::FD_WRITE)),
        ]))
    }

    /// Opens a directory under the next number.
    pub(super) fn preopen(&mut self, name: String, node: InodeId) {
        let (own, inheriting) = (rights::DIRECTORY, rights::DIRECTORY | rights::FILE);
        let mut directory = Descriptor::new(OpenObject::Directory(node), 0, own, inheriting);
        directory.preopened_as = Some(name);
        let last = self.0.keys().next_back().map_or(0, |last| last.saturating_add(1));
        self.0.insert(last, directory);
    }

    /// Returns an open descriptor.
    pub(in crate::kernel) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.0.get(&fd).ok_or(Errno::BADF)
    }

    /// Returns an open descriptor, for changes.
    pub(in crate::kernel) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.0.get_mut(&fd).ok_or(Errno::BADF)
    }

    /// Returns the lowest free number. `EMFILE`: too many open descriptors.
    // [BOX-64]
    pub(in crate::kernel) fn free(&self) -> Result<u32, Errno> {
        let most = u32::try_from(OPEN_FILES_COUNT_MAX).unwrap_or(u32::MAX);
        (0..most).find(|fd| !self.0.contains_key(fd)).ok_or(Errno::MFILE)
    }

    /// Opens a descriptor under the lowest free number.
    // [BOX-64]
    pub(in crate::kernel) fn open(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let fd = self.free()?;
        self.0.insert(fd, descriptor);
        Ok(fd)
    }

    /// Closes a descriptor.
    pub(in crate::kernel) fn close(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        self.0.remove(&fd).ok_or(Errno::BADF)
    }

    /// Moves a descriptor onto another open one, which is closed and returned.
    // [BOX-65]
    pub(in crate::kernel) fn renumber(
        &mut self,
        from: u32,
        to: u32,
    ) -> Result<Option<Descriptor>, Errno> {
        self.get(to)?;
        let moved = self.close(from)?;
        // A descriptor that is moved onto itself stays open.
        Ok(self.0.insert(to, moved))
    }

    /// Returns the number of entries in all listings.
    pub(in crate::kernel) fn listed(&self) -> usize {
        self.0.values().map(|descriptor| descriptor.listing.len()).sum()
    }
}
