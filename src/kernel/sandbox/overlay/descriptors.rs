//! The table of open descriptors.

use super::tree::InodeId;
use crate::kernel::limits::OPEN_FILES_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The bits of `rights` that occur here.
pub(in crate::kernel) mod rights {
    pub(in crate::kernel) const FD_READ: u64 = 1 << 1;
    pub(in crate::kernel) const FD_WRITE: u64 = 1 << 6;
    pub(in crate::kernel) const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    /// What every stream allows: its status, its flags, and waiting for it.
    pub(in crate::kernel) const STREAM: u64 = 0x0820_0008;
    /// Everything a file can be opened for: the `fd_` rights, without `fd_readdir`.
    pub(in crate::kernel) const FILE: u64 = 0x08e0_01ff;
    /// Everything a directory can be opened for: the `path_` rights, `fd_readdir`, and its status.
    pub(in crate::kernel) const DIRECTORY: u64 = 0x07bf_fe18;
}

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) enum OpenObject {
    Stdin,
    Stdout,
    Stderr,
    File(InodeId),
    Directory(InodeId),
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct Entry {
    pub(in crate::kernel) name: Arc<str>,
    pub(in crate::kernel) node: InodeId,
    /// `filetype`, as it was when the listing began.
    pub(in crate::kernel) kind: u8,
}

/// One open descriptor.
#[derive(Debug)]
pub(in crate::kernel) struct Descriptor {
    pub(in crate::kernel) object: OpenObject,
    /// `fdflags`
    pub(in crate::kernel) flags: u16,
    pub(in crate::kernel) rights: u64,
    pub(in crate::kernel) rights_inheriting: u64,
    /// The position in a file.
    pub(in crate::kernel) offset: u64,
    /// The names in a directory, as they were when the listing began.
    pub(in crate::kernel) listing: Vec<Entry>,
    /// The name of a directory that is open from the start.
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

    /// Refuses what the descriptor was not opened for.
    pub(in crate::kernel) fn require(&self, right: u64) -> Result<(), Errno> {
        Errno::BADF.when(self.rights & right != right)
    }

    /// The file it stands for. `ESPIPE`: a stream. `EBADF`: a directory.
    pub(in crate::kernel) fn file(&self) -> Result<InodeId, Errno> {
        match self.object {
            OpenObject::File(node) => Ok(node),
            OpenObject::Directory(_) => Err(Errno::BADF),
            _ => Err(Errno::SPIPE),
        }
    }

    /// The directory it stands for.
    pub(in crate::kernel) fn directory(&self) -> Result<InodeId, Errno> {
        match self.object {
            OpenObject::Directory(node) => Ok(node),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The file or directory it stands for; streams have none.
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
    /// The standard streams as 0, 1 and 2.
    // [BOX-60]
    pub(super) fn new() -> Self {
        let stream = |object, rights| Descriptor::new(object, 0, rights | rights::STREAM, 0);
        Descriptors(BTreeMap::from([
            (0, stream(OpenObject::Stdin, rights::FD_READ)),
            (1, stream(OpenObject::Stdout, rights::FD_WRITE)),
            (2, stream(OpenObject::Stderr, rights::FD_WRITE)),
        ]))
    }

    /// Puts a directory behind the others.
    pub(super) fn preopen(&mut self, name: String, node: InodeId) {
        let (own, inheriting) = (rights::DIRECTORY, rights::DIRECTORY | rights::FILE);
        let mut directory = Descriptor::new(OpenObject::Directory(node), 0, own, inheriting);
        directory.preopened_as = Some(name);
        let last = self.0.keys().next_back().map_or(0, |last| last.saturating_add(1));
        self.0.insert(last, directory);
    }

    /// An open descriptor.
    pub(in crate::kernel) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.0.get(&fd).ok_or(Errno::BADF)
    }

    /// An open descriptor, to be changed.
    pub(in crate::kernel) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.0.get_mut(&fd).ok_or(Errno::BADF)
    }

    /// The lowest free number. `EMFILE`: there is none.
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

    /// Moves a descriptor onto another open one, which is closed and given back.
    // [BOX-65]
    pub(in crate::kernel) fn renumber(
        &mut self,
        from: u32,
        to: u32,
    ) -> Result<Option<Descriptor>, Errno> {
        self.get(to)?;
        let moved = self.close(from)?;
        // One that is moved onto itself stays.
        Ok(self.0.insert(to, moved))
    }

    /// How many names are kept for listings.
    pub(in crate::kernel) fn listed(&self) -> usize {
        self.0.values().map(|descriptor| descriptor.listing.len()).sum()
    }
}
