//! The tree: nodes, the names that lead to them, and how much of it may be in the upper layer.

use crate::kernel::directory::{Directory, File, StatFingerprint};
use crate::kernel::limits::{
    FILE_DEPTH_MAX, NODES_COUNT_MAX, STAGED_BYTES_MAX, STAGED_NAMES_COUNT_MAX, STORAGE_ENTRY_BYTES,
};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use crate::kernel::sandbox::guest_clock::EPOCH_NS;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The values of `filetype` that occur here.
pub(in crate::kernel) mod filetype {
    /// A pipe, which preview 1 has no number for.
    pub(in crate::kernel) const UNKNOWN: u8 = 0;
    pub(in crate::kernel) const DIRECTORY: u8 = 3;
    pub(in crate::kernel) const REGULAR_FILE: u8 = 4;
    pub(in crate::kernel) const SYMBOLIC_LINK: u8 = 7;
}

/// A file, directory or link of the tree, as its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kernel) struct InodeId(pub(super) usize);

impl InodeId {
    /// Its inode number, from 1.
    pub(in crate::kernel) fn inode(self) -> u64 {
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

/// One of the directories that a guest sees.
pub(super) struct Mount {
    pub(super) guest: String,
    pub(super) root: InodeId,
    /// The lower layer of a mapped directory. Assets and storage lie in memory.
    pub(super) host: Option<Arc<dyn Directory>>,
    pub(super) writable: bool,
    /// What the upper layer counts for.
    pub(super) usage: Usage,
    /// The quota of storage.
    pub(super) bytes_max: Option<usize>,
}

/// What nodes count for: bytes, once for each name since each becomes a file; names in the upper layer; and
/// names of the lower layer that are removed or replaced.
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

/// What a node was met as: a name in a directory of the host, whatever became of either since.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) directory: InodeId,
    pub(super) name: Arc<str>,
    /// How the host had it when it was first opened.
    pub(super) stamp: Option<StatFingerprint>,
}

pub(super) struct Inode {
    pub(super) mount: usize,
    /// None for a root, and for what was not met on the host.
    pub(super) origin: Option<Origin>,
    /// Whether it lies in memory: made there, or copied up.
    pub(super) is_upper: bool,
    pub(super) body: InodeData,
    pub(super) times: Times,
    /// Names that lead to it.
    pub(super) names: usize,
    /// Descriptors that stand for it.
    pub(super) opened: usize,
    /// The file of the lower layer, held open for them and for the host call that opened it.
    pub(super) lower: Option<Arc<dyn File>>,
}

/// What lies in a directory.
pub(in crate::kernel) struct Names {
    /// The directory above; a root is its own.
    pub(in crate::kernel) parent: InodeId,
    /// What was met or made so far.
    pub(in crate::kernel) children: BTreeMap<Arc<str>, InodeId>,
    /// Whether all names of the lower layer were met: from then on there are no others.
    pub(super) is_merged: bool,
}

pub(super) enum InodeData {
    Directory(Names),
    /// The content; empty as long as the file lies in the lower layer.
    File(Vec<u8>),
    /// A file below `assets/`, by its path there.
    Asset(String),
    /// A symbolic link, with the path it holds.
    Link(String),
}

impl InodeData {
    pub(super) const EMPTY_FILE: InodeData = InodeData::File(Vec::new());

    pub(super) fn empty_directory(parent: InodeId) -> Self {
        InodeData::Directory(Names { parent, children: BTreeMap::new(), is_merged: false })
    }
}

impl Inode {
    pub(super) fn new(mount: usize, is_upper: bool, body: InodeData, time: u64) -> Self {
        let times = Times { accessed: time, modified: time, changed: time };
        Inode { mount, origin: None, is_upper, body, times, names: 0, opened: 0, lower: None }
    }

    /// Bytes of content or of a link.
    pub(super) fn bytes(&self) -> usize {
        match &self.body {
            InodeData::File(content) => content.len(),
            InodeData::Link(target) => target.len(),
            InodeData::Directory(_) | InodeData::Asset(_) => 0,
        }
    }

    /// Whether the host has a name that leads nowhere any more, or to something else: an overlay's whiteout.
    pub(super) fn is_whiteout(&self) -> bool {
        self.origin.is_some() && (self.is_upper || self.names == 0)
    }

    fn usage(&self) -> Usage {
        Usage {
            bytes: self.bytes().saturating_mul(self.names.max(1)),
            names: if self.is_upper { self.names } else { 0 },
            whiteouts: usize::from(self.is_whiteout()),
        }
    }
}

/// What is held open of the host, so that each name on a way is opened once: directories, and the last file
/// that was opened in the present host call.
// [BOX-89]
#[derive(Default)]
pub(super) struct Handles {
    pub(super) directories: BTreeMap<InodeId, Arc<dyn Directory>>,
    pub(super) file: Option<InodeId>,
}

/// All nodes of all mounts.
pub(in crate::kernel) struct OverlayFs {
    pub(super) assets: Arc<BTreeMap<String, Vec<u8>>>,
    pub(super) nodes: Vec<Inode>,
    pub(super) mounts: Vec<Mount>,
    pub(super) handles: Handles,
    /// What the guest's clock shows, in nanoseconds since 1970.
    pub(in crate::kernel) now: u64,
}

impl OverlayFs {
    pub(super) fn new(assets: Arc<BTreeMap<String, Vec<u8>>>) -> Self {
        let (nodes, mounts, handles) = (Vec::new(), Vec::new(), Handles::default());
        OverlayFs { assets, nodes, mounts, handles, now: EPOCH_NS }
    }

    /// Begins a host call: it has its time, and by then the host may have other files.
    pub(in crate::kernel) fn begin_call(&mut self, now: u64) {
        self.close_file();
        self.now = now;
    }

    /// A node. Every `InodeId` has one; `EIO` stands for a case that does not occur.
    pub(super) fn node(&self, id: InodeId) -> Result<&Inode, Errno> {
        self.nodes.get(id.0).ok_or(Errno::IO)
    }

    pub(super) fn node_mut(&mut self, id: InodeId) -> Result<&mut Inode, Errno> {
        self.nodes.get_mut(id.0).ok_or(Errno::IO)
    }

    pub(super) fn mount_of(&self, id: InodeId) -> Result<&Mount, Errno> {
        self.mounts.get(self.node(id)?.mount).ok_or(Errno::IO)
    }

    /// `EROFS` unless what lies where this node does may be changed.
    // [BOX-69]
    pub(in crate::kernel) fn require_writable(&self, id: InodeId) -> Result<(), Errno> {
        Errno::ROFS.when(!self.mount_of(id)?.writable)
    }

    pub(in crate::kernel) fn kind(&self, id: InodeId) -> Result<u8, Errno> {
        Ok(match self.node(id)?.body {
            InodeData::Directory(_) => filetype::DIRECTORY,
            InodeData::File(_) | InodeData::Asset(_) => filetype::REGULAR_FILE,
            InodeData::Link(_) => filetype::SYMBOLIC_LINK,
        })
    }

    pub(in crate::kernel) fn is_directory(&self, id: InodeId) -> bool {
        self.kind(id) == Ok(filetype::DIRECTORY)
    }

    /// What lies in a directory. `ENOTDIR`: it is none.
    pub(in crate::kernel) fn directory(&self, id: InodeId) -> Result<&Names, Errno> {
        match &self.node(id)?.body {
            InodeData::Directory(names) => Ok(names),
            _ => Err(Errno::NOTDIR),
        }
    }

    pub(super) fn directory_mut(&mut self, id: InodeId) -> Result<&mut Names, Errno> {
        match &mut self.node_mut(id)?.body {
            InodeData::Directory(names) => Ok(names),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The directories that one lies in, the root of its mount last; it is the first of them itself.
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

    /// `ENAMETOOLONG` if a directory is too deep to hold anything.
    // [BOX-87]
    pub(super) fn require_depth(&self, directory: InodeId) -> Result<(), Errno> {
        Errno::NAMETOOLONG.when(self.ancestors(directory)?.len() > FILE_DEPTH_MAX)
    }

    pub(super) fn cached_child(&self, directory: InodeId, name: &str) -> Result<InodeId, Errno> {
        self.directory(directory)?.children.get(name).copied().ok_or(Errno::NOENT)
    }

    /// Makes a node with its first name. `ENFILE`: there are too many. `ENAMETOOLONG`: too deep.
    // [BOX-87]
    pub(super) fn add(
        &mut self,
        directory: InodeId,
        name: &Arc<str>,
        body: InodeData,
        origin: Option<Origin>,
    ) -> Result<InodeId, Errno> {
        Errno::NFILE.when(self.nodes.len() >= NODES_COUNT_MAX)?;
        self.require_depth(directory)?;
        let (id, is_upper) = (InodeId(self.nodes.len()), origin.is_none());
        let (mount, time) =
            (self.node(directory)?.mount, if is_upper { self.now } else { EPOCH_NS });
        self.nodes.push(Inode::new(mount, is_upper, InodeData::EMPTY_FILE, time));
        self.alter(id, |node| (node.origin, node.body) = (origin, body))?;
        self.attach(directory, name, id)?;
        Ok(id)
    }

    /// Changes a node, and keeps count of what it counts for.
    pub(super) fn alter(
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

    /// Gives a node a name.
    pub(super) fn attach(
        &mut self,
        directory: InodeId,
        name: &Arc<str>,
        id: InodeId,
    ) -> Result<(), Errno> {
        self.directory_mut(directory)?.children.insert(Arc::clone(name), id);
        self.alter(id, |node| {
            node.names = node.names.saturating_add(1);
            if let InodeData::Directory(names) = &mut node.body {
                names.parent = directory;
            }
        })?;
        match self.node(id)?.is_upper {
            true => self.touch(directory),
            false => Ok(()),
        }
    }

    /// Takes a name away. A file that is still open is read on from the host, which has it until the call
    /// has ended; in a directory nothing of the host is seen any more.
    pub(super) fn detach(&mut self, directory: InodeId, name: &str) -> Result<InodeId, Errno> {
        let id = self.directory_mut(directory)?.children.remove(name).ok_or(Errno::NOENT)?;
        self.alter(id, |node| {
            node.names = node.names.saturating_sub(1);
            node.is_upper |= matches!(node.body, InodeData::Directory(_));
        })?;
        self.touch(directory)?;
        Ok(id)
    }

    /// Takes notice that something was changed.
    pub(super) fn touch(&mut self, id: InodeId) -> Result<(), Errno> {
        let now = self.now;
        let times = &mut self.node_mut(id)?.times;
        (times.modified, times.changed) = (now, now);
        Ok(())
    }

    /// Sets the length of a file of the upper layer; new bytes are zero.
    pub(super) fn set_length(&mut self, id: InodeId, length: usize) -> Result<(), Errno> {
        self.alter(id, |node| {
            if let InodeData::File(content) = &mut node.body {
                content.resize(length, 0);
                // What was cut off is not kept, or many files that were large once would keep it all.
                if content.capacity() / 2 > length {
                    content.shrink_to_fit();
                }
            }
        })
    }

    /// `ENOSPC` unless the upper layer may count for so much more where a node lies.
    // [BOX-81] [STO-20]
    pub(super) fn require_space(&self, id: InodeId, more: Usage) -> Result<(), Errno> {
        let plus = |one: Usage, other| one.with(other, usize::saturating_add);
        let fits = match self.mount_of(id)? {
            // What was granted less than it keeps can give some of that up.
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

    /// Counts a descriptor that stands for a node.
    pub(in crate::kernel) fn hold(&mut self, id: InodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.opened = node.opened.saturating_add(1);
        Ok(())
    }

    /// Counts one less.
    pub(in crate::kernel) fn release(&mut self, id: InodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.opened = node.opened.saturating_sub(1);
        self.drop_unused(id)
    }

    /// Lets go of what a file or link holds that nothing leads to any more.
    pub(super) fn drop_unused(&mut self, id: InodeId) -> Result<(), Errno> {
        let is_directory = self.is_directory(id);
        self.alter(id, |node| {
            if node.opened == 0 {
                node.lower = None;
                if node.names == 0 && !is_directory {
                    node.body = InodeData::EMPTY_FILE;
                }
            }
        })
    }
}

#[cfg(test)]
#[path = "../../../../conformance/unit/kernel/sandbox/overlay/tree.rs"]
mod tests;
