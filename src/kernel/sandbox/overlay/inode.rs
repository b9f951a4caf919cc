//! Inodes, their directory entries, and the quotas of the upper layer.

use crate::kernel::directory::{Directory, File, StatFingerprint};
use crate::kernel::limits::{
    FILE_DEPTH_MAX, NODES_COUNT_MAX, STAGED_BYTES_MAX, STAGED_NAMES_COUNT_MAX, STORAGE_ENTRY_BYTES,
};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use crate::kernel::sandbox::guest_clock::EPOCH_NS;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The WASI `filetype` values in use.
pub(in crate::kernel) mod filetype {
    /// A pipe: preview 1 has no value for it.
    pub(in crate::kernel) const UNKNOWN: u8 = 0;
    pub(in crate::kernel) const DIRECTORY: u8 = 3;
    pub(in crate::kernel) const REGULAR_FILE: u8 = 4;
    pub(in crate::kernel) const SYMBOLIC_LINK: u8 = 7;
}

/// Index of a file, directory or symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kernel) struct InodeId(pub(super) usize);

impl InodeId {
    /// The inode number, from 1.
    pub(in crate::kernel) fn number(self) -> u64 {
        u64::try_from(self.0).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Times {
    pub(in crate::kernel) accessed: u64,
    pub(in crate::kernel) modified: u64,
    pub(in crate::kernel) changed: u64,
}

/// A directory mounted for the guest.
pub(super) struct Mount {
    pub(super) guest: String,
    pub(super) root: InodeId,
    /// The lower layer of a mapped directory. Assets and storage are in memory.
    pub(super) host: Option<Arc<dyn Directory>>,
    pub(super) writable: bool,
    /// Quota usage of the upper layer.
    pub(super) usage: Usage,
    /// The quota of storage.
    pub(super) bytes_max: Option<usize>,
}

/// Quota usage: bytes, counted for each hard link since each becomes a file; names in the upper layer;
/// whiteouts.
// [BOX-81]
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) bytes: usize,
    pub(super) names: usize,
    pub(super) whiteouts: usize,
}

impl Usage {
    fn with(self, other: Usage, join: fn(usize, usize) -> usize) -> Usage {
        Usage {
            bytes: join(self.bytes, other.bytes),
            names: join(self.names, other.names),
            whiteouts: join(self.whiteouts, other.whiteouts),
        }
    }
}

/// The name in a host directory under which an inode was found. It stays even if either is changed later.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) directory: InodeId,
    pub(super) name: Arc<str>,
    /// Its attributes on the host when it was first opened.
    pub(super) fingerprint: Option<StatFingerprint>,
}

pub(super) struct Inode {
    pub(super) mount: usize,
    /// `None` for a root, and for what was created in memory.
    pub(super) origin: Option<Origin>,
    /// In the upper layer: created there, or copied up.
    pub(super) is_upper: bool,
    pub(super) data: InodeData,
    pub(super) times: Times,
    /// Number of names (hard links).
    pub(super) nlink: usize,
    /// Number of open descriptors.
    pub(super) open_count: usize,
    /// The open file of the lower layer, for its descriptors and for the host call that opened it.
    pub(super) lower: Option<Arc<dyn File>>,
}

/// The content of a directory.
pub(in crate::kernel) struct DirectoryData {
    /// The parent directory; a root is its own parent.
    pub(in crate::kernel) parent: InodeId,
    /// The entries loaded or created so far.
    pub(in crate::kernel) children: BTreeMap<Arc<str>, InodeId>,
    /// Whether all lower names were loaded; no lower name is added later.
    pub(super) is_merged: bool,
}

pub(super) enum InodeData {
    Directory(DirectoryData),
    /// The content; empty while the file is in the lower layer.
    File(Vec<u8>),
    /// A file of the package, by its path below `assets/`.
    Asset(String),
    /// A symbolic link with its target.
    Link(String),
}

impl InodeData {
    pub(super) const EMPTY_FILE: InodeData = InodeData::File(Vec::new());

    pub(super) fn empty_directory(parent: InodeId) -> Self {
        InodeData::Directory(DirectoryData { parent, children: BTreeMap::new(), is_merged: false })
    }
}

impl Inode {
    pub(super) fn new(mount: usize, is_upper: bool, data: InodeData, time: u64) -> Self {
        let times = Times { accessed: time, modified: time, changed: time };
        Inode { mount, origin: None, is_upper, data, times, nlink: 0, open_count: 0, lower: None }
    }

    /// Returns the bytes of a file's content or of a link's target.
    pub(super) fn bytes(&self) -> usize {
        match &self.data {
            InodeData::File(content) => content.len(),
            InodeData::Link(target) => target.len(),
            InodeData::Directory(_) | InodeData::Asset(_) => 0,
        }
    }

    /// Returns `true` if its lower name was removed or replaced.
    pub(super) fn is_whiteout(&self) -> bool {
        self.origin.is_some() && (self.is_upper || self.nlink == 0)
    }

    fn usage(&self) -> Usage {
        Usage {
            bytes: self.bytes().saturating_mul(self.nlink.max(1)),
            names: if self.is_upper { self.nlink } else { 0 },
            whiteouts: usize::from(self.is_whiteout()),
        }
    }
}

/// Open host objects, so that each component of a path is opened once: directories, and the last file
/// opened in the present host call.
// [BOX-89]
#[derive(Default)]
pub(super) struct Handles {
    pub(super) directories: BTreeMap<InodeId, Arc<dyn Directory>>,
    pub(super) file: Option<InodeId>,
}

/// The overlay file system: all inodes of all mounts.
pub(in crate::kernel) struct OverlayFs {
    pub(super) assets: Arc<BTreeMap<String, Vec<u8>>>,
    pub(super) nodes: Vec<Inode>,
    pub(super) mounts: Vec<Mount>,
    pub(super) handles: Handles,
    /// Time of the present host call, in nanoseconds since 1970.
    pub(in crate::kernel) now: u64,
}

impl OverlayFs {
    pub(super) fn new(assets: Arc<BTreeMap<String, Vec<u8>>>) -> Self {
        let (nodes, mounts, handles) = (Vec::new(), Vec::new(), Handles::default());
        OverlayFs { assets, nodes, mounts, handles, now: EPOCH_NS }
    }

    /// Starts a host call at this time. The file of the last call is closed, since the host may have
    /// replaced it.
    pub(in crate::kernel) fn begin_call(&mut self, now: u64) {
        self.close_file();
        self.now = now;
    }

    /// Returns an inode. Every `InodeId` has one, so `EIO` does not occur.
    pub(super) fn node(&self, id: InodeId) -> Result<&Inode, Errno> {
        self.nodes.get(id.0).ok_or(Errno::IO)
    }

    pub(super) fn node_mut(&mut self, id: InodeId) -> Result<&mut Inode, Errno> {
        self.nodes.get_mut(id.0).ok_or(Errno::IO)
    }

    pub(super) fn mount_of(&self, id: InodeId) -> Result<&Mount, Errno> {
        self.mounts.get(self.node(id)?.mount).ok_or(Errno::IO)
    }

    /// Fails with `EROFS` if the inode's mount is not writable.
    // [BOX-69]
    pub(in crate::kernel) fn require_writable(&self, id: InodeId) -> Result<(), Errno> {
        Errno::ROFS.when(!self.mount_of(id)?.writable)
    }

    pub(in crate::kernel) fn kind(&self, id: InodeId) -> Result<u8, Errno> {
        Ok(match self.node(id)?.data {
            InodeData::Directory(_) => filetype::DIRECTORY,
            InodeData::File(_) | InodeData::Asset(_) => filetype::REGULAR_FILE,
            InodeData::Link(_) => filetype::SYMBOLIC_LINK,
        })
    }

    pub(in crate::kernel) fn is_directory(&self, id: InodeId) -> bool {
        self.kind(id) == Ok(filetype::DIRECTORY)
    }

    /// Returns a directory's content. `ENOTDIR`: it is not a directory.
    pub(in crate::kernel) fn directory(&self, id: InodeId) -> Result<&DirectoryData, Errno> {
        match &self.node(id)?.data {
            InodeData::Directory(names) => Ok(names),
            _ => Err(Errno::NOTDIR),
        }
    }

    pub(super) fn directory_mut(&mut self, id: InodeId) -> Result<&mut DirectoryData, Errno> {
        match &mut self.node_mut(id)?.data {
            InodeData::Directory(names) => Ok(names),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// Returns a directory and its ancestors, up to the root of its mount.
    pub(super) fn ancestors(&self, directory: InodeId) -> Result<Vec<InodeId>, Errno> {
        let (mut found, mut here) = (vec![directory], directory);
        loop {
            let parent = self.directory(here)?.parent;
            if parent == here {
                return Ok(found);
            }
            found.push(parent);
            here = parent;
        }
    }

    /// Fails with `ENAMETOOLONG` if the directory is too deep to have entries.
    // [BOX-87]
    pub(super) fn require_depth(&self, directory: InodeId) -> Result<(), Errno> {
        Errno::NAMETOOLONG.when(self.ancestors(directory)?.len() > FILE_DEPTH_MAX)
    }

    pub(super) fn cached_child(&self, directory: InodeId, name: &str) -> Result<InodeId, Errno> {
        self.directory(directory)?.children.get(name).copied().ok_or(Errno::NOENT)
    }

    /// Adds an inode with its first name. `ENFILE`: too many inodes. `ENAMETOOLONG`: too deep.
    // [BOX-87]
    pub(super) fn add(
        &mut self,
        directory: InodeId,
        name: &Arc<str>,
        data: InodeData,
        origin: Option<Origin>,
    ) -> Result<InodeId, Errno> {
        Errno::NFILE.when(self.nodes.len() >= NODES_COUNT_MAX)?;
        self.require_depth(directory)?;
        let (id, is_upper) = (InodeId(self.nodes.len()), origin.is_none());
        let (mount, time) =
            (self.node(directory)?.mount, if is_upper { self.now } else { EPOCH_NS });
        self.nodes.push(Inode::new(mount, is_upper, InodeData::EMPTY_FILE, time));
        self.update(id, |node| (node.origin, node.data) = (origin, data))?;
        self.insert_entry(directory, name, id)?;
        Ok(id)
    }

    /// Changes an inode and updates the quota usage.
    pub(super) fn update(
        &mut self,
        id: InodeId,
        change: impl FnOnce(&mut Inode),
    ) -> Result<(), Errno> {
        let node = self.nodes.get_mut(id.0).ok_or(Errno::IO)?;
        let usage = &mut self.mounts.get_mut(node.mount).ok_or(Errno::IO)?.usage;
        *usage = usage.with(node.usage(), usize::saturating_sub);
        change(node);
        *usage = usage.with(node.usage(), usize::saturating_add);
        Ok(())
    }

    /// Adds a directory entry.
    pub(super) fn insert_entry(
        &mut self,
        directory: InodeId,
        name: &Arc<str>,
        id: InodeId,
    ) -> Result<(), Errno> {
        self.directory_mut(directory)?.children.insert(Arc::clone(name), id);
        self.update(id, |node| {
            node.nlink = node.nlink.saturating_add(1);
            if let InodeData::Directory(names) = &mut node.data {
                names.parent = directory;
            }
        })?;
        match self.node(id)?.is_upper {
            true => self.touch(directory),
            false => Ok(()),
        }
    }

    /// Removes a directory entry. An open file stays readable from the host until the call ends; a removed
    /// directory shows nothing of the host.
    pub(super) fn remove_entry(
        &mut self,
        directory: InodeId,
        name: &str,
    ) -> Result<InodeId, Errno> {
        let id = self.directory_mut(directory)?.children.remove(name).ok_or(Errno::NOENT)?;
        self.update(id, |node| {
            node.nlink = node.nlink.saturating_sub(1);
            node.is_upper |= matches!(node.data, InodeData::Directory(_));
        })?;
        self.touch(directory)?;
        Ok(id)
    }

    /// Sets the times of modification and change to now.
    pub(super) fn touch(&mut self, id: InodeId) -> Result<(), Errno> {
        let now = self.now;
        let times = &mut self.node_mut(id)?.times;
        (times.modified, times.changed) = (now, now);
        Ok(())
    }

    /// Sets the length of a file of the upper layer; new bytes are zero.
    pub(super) fn set_length(&mut self, id: InodeId, length: usize) -> Result<(), Errno> {
        self.update(id, |node| {
            if let InodeData::File(content) = &mut node.data {
                content.resize(length, 0);
                // Free the capacity, or many truncated files would exceed the quota in memory.
                if content.capacity() / 2 > length {
                    content.shrink_to_fit();
                }
            }
        })
    }

    /// Fails with `ENOSPC` if this additional usage exceeds the quota of the inode's mount.
    // [BOX-81] [STO-20]
    pub(super) fn require_space(&self, id: InodeId, more: Usage) -> Result<(), Errno> {
        let plus = |one: Usage, other| one.with(other, usize::saturating_add);
        let fits = match self.mount_of(id)? {
            // If storage exceeds its quota, which can shrink between calls, removals are still allowed.
            Mount { bytes_max: Some(_), .. } if more.names == 0 && more.bytes == 0 => true,
            Mount { usage, bytes_max: Some(bytes_max), .. } => {
                let Usage { bytes, names, .. } = plus(*usage, more);
                let counted = names.saturating_mul(STORAGE_ENTRY_BYTES).saturating_add(bytes);
                names <= STAGED_NAMES_COUNT_MAX && counted <= *bytes_max
            }
            _ => {
                let mapped = self.mounts.iter().filter(|mount| mount.host.is_some());
                let all = mapped.fold(more, |all, mount| plus(all, mount.usage));
                all.names <= STAGED_NAMES_COUNT_MAX
                    && all.whiteouts <= STAGED_NAMES_COUNT_MAX
                    && all.bytes <= STAGED_BYTES_MAX
            }
        };
        Errno::NOSPC.when(!fits)
    }

    /// Counts an additional open descriptor.
    pub(in crate::kernel) fn retain(&mut self, id: InodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.open_count = node.open_count.saturating_add(1);
        Ok(())
    }

    /// Counts a closed descriptor.
    pub(in crate::kernel) fn release(&mut self, id: InodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.open_count = node.open_count.saturating_sub(1);
        self.drop_unused(id)
    }

    /// Frees the content of an inode without names and descriptors.
    pub(super) fn drop_unused(&mut self, id: InodeId) -> Result<(), Errno> {
        let is_directory = self.is_directory(id);
        self.update(id, |node| {
            if node.open_count == 0 {
                node.lower = None;
                if node.nlink == 0 && !is_directory {
                    node.data = InodeData::EMPTY_FILE;
                }
            }
        })
    }
}

#[cfg(test)]
#[path = "../../../../conformance/unit/kernel/sandbox/overlay/inode.rs"]
mod tests;
