//! Room: the table of open descriptors.

use super::tree::NodeId;
use crate::kernel::directory::File;
use crate::kernel::limits::OPEN_FILES_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
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
#[derive(Debug)]
pub(in crate::kernel) enum Object {
    Stdin,
    Stdout,
    Stderr,
    /// A file; the host's file as well, if it lay there when it was opened.
    File {
        node: NodeId,
        host: Option<Arc<dyn File>>,
        offset: u64,
    },
    /// A directory; its names as they were when the listing began.
    Directory {
        node: NodeId,
        preopened_as: Option<String>,
        listing: Vec<Entry>,
    },
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct Entry {
    pub(in crate::kernel) name: Arc<str>,
    pub(in crate::kernel) node: NodeId,
    /// `filetype`, as it was when the listing began.
    pub(in crate::kernel) kind: u8,
}

/// One open descriptor.
#[derive(Debug)]
pub(in crate::kernel) struct Descriptor {
    pub(in crate::kernel) object: Object,
    /// `fdflags`
    pub(in crate::kernel) flags: u16,
    pub(in crate::kernel) rights: u64,
    pub(in crate::kernel) rights_inheriting: u64,
}

/// A file, and the host's, if its content lies there.
pub(in crate::kernel) type OpenFile<'a> = (NodeId, Option<&'a Arc<dyn File>>);

impl Descriptor {
    /// Refuses what the descriptor was not opened for.
    pub(in crate::kernel) fn require(&self, right: u64) -> Result<(), Errno> {
        if self.rights & right == right {
            return Ok(());
        }
        Err(Errno::BADF)
    }

    /// The file it stands for, and the host's, if it is open. `ESPIPE`: a stream. `EBADF`: a directory.
    pub(in crate::kernel) fn file(&self) -> Result<OpenFile<'_>, Errno> {
        match &self.object {
            Object::File { node, host, .. } => Ok((*node, host.as_ref())),
            Object::Directory { .. } => Err(Errno::BADF),
            _ => Err(Errno::SPIPE),
        }
    }

    /// The directory it stands for.
    pub(in crate::kernel) fn directory(&self) -> Result<NodeId, Errno> {
        match self.object {
            Object::Directory { node, .. } => Ok(node),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The file or directory it stands for; streams have none.
    pub(in crate::kernel) fn node(&self) -> Option<NodeId> {
        match self.object {
            Object::File { node, .. } | Object::Directory { node, .. } => Some(node),
            _ => None,
        }
    }
}

/// Descriptors by number.
pub(in crate::kernel) struct Descriptors(Vec<Option<Descriptor>>);

impl Descriptors {
    /// The standard streams as 0, 1 and 2.
    // [BOX-60]
    pub(super) fn new() -> Self {
        let stream = |object, rights| {
            let rights = rights | rights::STREAM;
            Some(Descriptor { object, flags: 0, rights, rights_inheriting: 0 })
        };
        Descriptors(vec![
            stream(Object::Stdin, rights::FD_READ),
            stream(Object::Stdout, rights::FD_WRITE),
            stream(Object::Stderr, rights::FD_WRITE),
        ])
    }

    /// Puts a directory behind the others.
    pub(super) fn preopen(&mut self, name: String, node: NodeId) {
        self.0.push(Some(Descriptor {
            object: Object::Directory { node, preopened_as: Some(name), listing: Vec::new() },
            flags: 0,
            rights: rights::DIRECTORY,
            rights_inheriting: rights::DIRECTORY | rights::FILE,
        }));
    }

    /// An open descriptor.
    pub(in crate::kernel) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        self.0.get(index).and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    /// An open descriptor, to be changed.
    pub(in crate::kernel) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slot(fd)?.as_mut().ok_or(Errno::BADF)
    }

    fn slot(&mut self, fd: u32) -> Result<&mut Option<Descriptor>, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        self.0.get_mut(index).ok_or(Errno::BADF)
    }

    /// The lowest free number. `EMFILE`: there is none.
    // [BOX-64]
    pub(in crate::kernel) fn free(&self) -> Result<u32, Errno> {
        let free = self.0.iter().position(Option::is_none).unwrap_or(self.0.len());
        let free = u32::try_from(free).ok().filter(|_| free < OPEN_FILES_COUNT_MAX);
        free.ok_or(Errno::MFILE)
    }

    /// Opens a descriptor under the lowest free number.
    // [BOX-64]
    pub(in crate::kernel) fn open(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let fd = self.free()?;
        match self.slot(fd) {
            Ok(slot) => *slot = Some(descriptor),
            Err(_) => self.0.push(Some(descriptor)),
        }
        Ok(fd)
    }

    /// Closes a descriptor.
    pub(in crate::kernel) fn close(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        self.slot(fd)?.take().ok_or(Errno::BADF)
    }

    /// Moves a descriptor onto another open one, which is closed and given back.
    // [BOX-65]
    pub(in crate::kernel) fn renumber(
        &mut self,
        from: u32,
        to: u32,
    ) -> Result<Option<Descriptor>, Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.close(from)?;
        Ok(self.slot(to)?.replace(moved))
    }

    /// How many names are kept for listings.
    pub(in crate::kernel) fn listed(&self) -> usize {
        let listing = |descriptor: &Descriptor| match &descriptor.object {
            Object::Directory { listing, .. } => listing.len(),
            _ => 0,
        };
        self.0.iter().flatten().map(listing).sum()
    }
}
