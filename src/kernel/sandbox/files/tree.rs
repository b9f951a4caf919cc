//! Room: the tree: nodes, the names that lead to them, and how much of it may be the guest's own.

use super::handles::Handles;
use crate::kernel::directory::{Directory, Kind, Stamp};
use crate::kernel::limits::{
    FILE_DEPTH_MAX, NODES_COUNT_MAX, STAGED_BYTES_MAX, STAGED_NAMES_COUNT_MAX, STORAGE_ENTRY_BYTES,
};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use crate::kernel::sandbox::time::EPOCH_NS;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;

/// The values of `filetype` that occur here.
pub(crate) mod filetype {
    /// A pipe, which preview 1 has no number for.
    pub(crate) const UNKNOWN: u8 = 0;
    pub(crate) const DIRECTORY: u8 = 3;
    pub(crate) const REGULAR_FILE: u8 = 4;
    pub(crate) const SYMBOLIC_LINK: u8 = 7;
}

/// A file, directory or link of the tree, as its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(pub(super) usize);

impl NodeId {
    /// Its inode number, from 1.
    pub(crate) fn inode(self) -> u64 {
        u64::try_from(self.0).unwrap_or(u64::MAX).saturating_add(1)
    }
}

/// Times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) accessed: u64,
    pub(crate) modified: u64,
    pub(crate) changed: u64,
}

/// One of the directories that a guest sees, with what it changed there.
pub(super) struct Mount {
    pub(super) guest: String,
    pub(super) root: NodeId,
    /// None for the assets and for storage.
    pub(super) host: Option<Arc<dyn Directory>>,
    pub(super) writable: bool,
    /// Paths of the host that the guest removed, or replaced by something of its own.
    pub(super) gone: BTreeMap<String, Gone>,
    /// What lies there and is not the host's.
    pub(super) own: Usage,
    /// The quota of storage.
    pub(super) bytes_max: Option<usize>,
}

/// What files, directories and links count for: bytes, once for each name since each becomes a file, and
/// names.
// [BOX-81]
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    bytes: usize,
    names: usize,
}

impl Usage {
    fn plus(self, other: Usage) -> Usage {
        Usage {
            bytes: self.bytes.saturating_add(other.bytes),
            names: self.names.saturating_add(other.names),
        }
    }
}

/// Something of the host that the guest has taken over.
pub(super) struct Gone {
    pub(super) kind: Kind,
    pub(super) node: NodeId,
}

/// Where the host has something: a name in a directory of the host; of the root of a mount, none. Each
/// name is kept once, for the tree and for all that lies below it.
pub(super) struct Location {
    pub(super) above: Option<Rc<Location>>,
    pub(super) name: Arc<str>,
    /// The directory, while it is held open.
    pub(super) handle: RefCell<Option<Arc<dyn Directory>>>,
}

impl Location {
    pub(super) fn below(self: &Rc<Self>, name: &Arc<str>) -> Rc<Self> {
        let (above, name) = (Some(Rc::clone(self)), Arc::clone(name));
        Rc::new(Location { above, name, handle: RefCell::default() })
    }

    /// The names that lead there from the root of the mount.
    pub(super) fn names(&self) -> Vec<&str> {
        let (mut names, mut here) = (Vec::new(), self);
        while let Some(above) = &here.above {
            names.push(&*here.name);
            here = above;
        }
        names.reverse();
        names
    }

    /// The names as one path.
    pub(super) fn path(&self) -> String {
        self.names().join("/")
    }
}

pub(super) struct Node {
    pub(super) mount: usize,
    /// Where the host has it, below the root of its mount, until the guest changes it.
    pub(super) host: Option<Rc<Location>>,
    pub(super) body: Body,
    pub(super) times: Times,
    /// Names that lead to it.
    pub(super) names: u64,
    /// Descriptors that stand for it.
    pub(super) opened: u32,
}

pub(super) enum Body {
    /// Of a host's directory, the children that were met so far.
    Directory { parent: NodeId, children: BTreeMap<Arc<str>, NodeId> },
    /// The content; empty as long as the host has it.
    File(Vec<u8>),
    /// A file below `assets/`, by its path there.
    Asset(String),
    /// A symbolic link, with the path it holds.
    Link(String),
}

const EMPTY: Body = Body::File(Vec::new());

impl Node {
    /// Bytes of content or of a link.
    pub(super) fn bytes(&self) -> usize {
        match &self.body {
            Body::File(content) => content.len(),
            Body::Link(target) => target.len(),
            Body::Directory { .. } | Body::Asset(_) => 0,
        }
    }

    fn usage(&self) -> Usage {
        let names = usize::try_from(self.names).unwrap_or(usize::MAX);
        let own_names = if self.host.is_none() { names } else { 0 };
        Usage { bytes: self.bytes().saturating_mul(names.max(1)), names: own_names }
    }
}

/// All nodes of all mounts.
pub(crate) struct Tree {
    pub(super) assets: Arc<BTreeMap<String, Vec<u8>>>,
    pub(super) nodes: Vec<Node>,
    pub(super) mounts: Vec<Mount>,
    /// How the host had what the guest has taken over, by node.
    pub(super) origins: BTreeMap<usize, Stamp>,
    pub(super) handles: Handles,
    /// What the guest's clock shows, in nanoseconds since 1970; set anew for each host call.
    pub(crate) now: u64,
}

impl Tree {
    pub(super) fn new(assets: Arc<BTreeMap<String, Vec<u8>>>) -> Self {
        let (nodes, mounts) = (Vec::new(), Vec::new());
        let (origins, handles) = (BTreeMap::new(), Handles::default());
        Tree { assets, nodes, mounts, origins, handles, now: EPOCH_NS }
    }

    /// Begins a host call, by which the host may have changed.
    pub(crate) fn forget_met(&self) {
        self.handles.forget();
    }

    /// A node. Every `NodeId` has one; `EIO` stands for a case that does not occur.
    pub(super) fn node(&self, id: NodeId) -> Result<&Node, Errno> {
        self.nodes.get(id.0).ok_or(Errno::IO)
    }

    pub(super) fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(id.0).ok_or(Errno::IO)
    }

    pub(super) fn mount_of(&self, id: NodeId) -> Result<&Mount, Errno> {
        self.mounts.get(self.node(id)?.mount).ok_or(Errno::IO)
    }

    pub(super) fn mount_of_mut(&mut self, id: NodeId) -> Result<&mut Mount, Errno> {
        let mount = self.node(id)?.mount;
        self.mounts.get_mut(mount).ok_or(Errno::IO)
    }

    /// `EROFS` unless what lies where this node does may be changed.
    // [BOX-69]
    pub(crate) fn require_writable(&self, id: NodeId) -> Result<(), Errno> {
        if self.mount_of(id)?.writable {
            return Ok(());
        }
        Err(Errno::ROFS)
    }

    pub(crate) fn kind(&self, id: NodeId) -> Result<u8, Errno> {
        Ok(match self.node(id)?.body {
            Body::Directory { .. } => filetype::DIRECTORY,
            Body::File(_) | Body::Asset(_) => filetype::REGULAR_FILE,
            Body::Link(_) => filetype::SYMBOLIC_LINK,
        })
    }

    pub(crate) fn is_directory(&self, id: NodeId) -> bool {
        self.kind(id) == Ok(filetype::DIRECTORY)
    }

    /// The children of a directory that were met so far.
    pub(crate) fn children(&self, directory: NodeId) -> Result<&BTreeMap<Arc<str>, NodeId>, Errno> {
        match &self.node(directory)?.body {
            Body::Directory { children, .. } => Ok(children),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn children_mut(
        &mut self,
        directory: NodeId,
    ) -> Result<&mut BTreeMap<Arc<str>, NodeId>, Errno> {
        match &mut self.node_mut(directory)?.body {
            Body::Directory { children, .. } => Ok(children),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// The directory above; a root is its own.
    pub(crate) fn parent(&self, directory: NodeId) -> Result<NodeId, Errno> {
        match self.node(directory)?.body {
            Body::Directory { parent, .. } => Ok(parent),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// How many names lead from the root of its mount to a directory.
    pub(super) fn depth(&self, directory: NodeId) -> Result<usize, Errno> {
        let (mut depth, mut here) = (0_usize, directory);
        loop {
            let parent = self.parent(here)?;
            if parent == here {
                return Ok(depth);
            }
            (depth, here) = (depth.saturating_add(1), parent);
        }
    }

    /// `ENAMETOOLONG` if a directory is too deep to hold anything.
    // [BOX-87]
    pub(super) fn require_depth(&self, directory: NodeId) -> Result<(), Errno> {
        match self.depth(directory)? < FILE_DEPTH_MAX {
            true => Ok(()),
            false => Err(Errno::NAMETOOLONG),
        }
    }

    pub(super) fn known_child(&self, directory: NodeId, name: &str) -> Result<NodeId, Errno> {
        self.children(directory)?.get(name).copied().ok_or(Errno::NOENT)
    }

    /// Makes a node with its first name. `ENFILE`: there are too many. `ENAMETOOLONG`: too deep.
    // [BOX-87]
    pub(super) fn add(
        &mut self,
        directory: NodeId,
        name: &Arc<str>,
        body: Body,
        host: Option<Rc<Location>>,
    ) -> Result<NodeId, Errno> {
        if self.nodes.len() >= NODES_COUNT_MAX {
            return Err(Errno::NFILE);
        }
        self.require_depth(directory)?;
        let (id, mount) = (NodeId(self.nodes.len()), self.node(directory)?.mount);
        let time = if host.is_none() { self.now } else { EPOCH_NS };
        let times = Times { accessed: time, modified: time, changed: time };
        self.nodes.push(Node { mount, host, body, times, names: 0, opened: 0 });
        let usage = self.node(id)?.usage();
        let mount = self.mount_of_mut(id)?;
        mount.own = mount.own.plus(usage);
        self.attach(directory, name, id)?;
        Ok(id)
    }

    /// Changes a node, and keeps count of what it counts for.
    pub(super) fn alter(
        &mut self,
        id: NodeId,
        change: impl FnOnce(&mut Node),
    ) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        let before = node.usage();
        change(node);
        let now = node.usage();
        let own = &mut self.mount_of_mut(id)?.own;
        own.bytes = own.bytes.saturating_sub(before.bytes).saturating_add(now.bytes);
        own.names = own.names.saturating_sub(before.names).saturating_add(now.names);
        Ok(())
    }

    /// Gives a node a name.
    pub(super) fn attach(
        &mut self,
        directory: NodeId,
        name: &Arc<str>,
        id: NodeId,
    ) -> Result<(), Errno> {
        self.children_mut(directory)?.insert(Arc::clone(name), id);
        self.alter(id, |node| node.names = node.names.saturating_add(1))?;
        if let Body::Directory { parent, .. } = &mut self.node_mut(id)?.body {
            *parent = directory;
        }
        match self.node(id)?.host {
            Some(_) => Ok(()),
            None => self.touch(directory),
        }
    }

    /// Takes a name away, and with its last name and descriptor what a node holds.
    pub(super) fn detach(&mut self, directory: NodeId, name: &str) -> Result<(), Errno> {
        let id = self.children_mut(directory)?.remove(name).ok_or(Errno::NOENT)?;
        // A file that is still open is read on from the host, which has it until the call has ended.
        if self.is_directory(id) {
            self.make_own(id, None)?;
        } else if let Some(location) = self.node(id)?.host.clone() {
            let gone = Gone { kind: Kind::File, node: id };
            self.mount_of_mut(id)?.gone.insert(location.path(), gone);
        }
        self.alter(id, |node| node.names = node.names.saturating_sub(1))?;
        self.touch(directory)?;
        self.drop_unused(id)
    }

    /// Takes notice that something was changed.
    pub(super) fn touch(&mut self, id: NodeId) -> Result<(), Errno> {
        let now = self.now;
        let times = &mut self.node_mut(id)?.times;
        (times.modified, times.changed) = (now, now);
        Ok(())
    }

    /// Makes what the host has the guest's own, with another body or as it is. The host's stays until
    /// the call ends.
    pub(super) fn make_own(&mut self, id: NodeId, body: Option<Body>) -> Result<(), Errno> {
        let kind = if self.is_directory(id) { Kind::Directory } else { Kind::File };
        let Some(location) = self.node(id)?.host.clone() else { return Ok(()) };
        self.mount_of_mut(id)?.gone.insert(location.path(), Gone { kind, node: id });
        self.alter(id, |node| {
            node.host = None;
            node.body = body.unwrap_or_else(|| core::mem::replace(&mut node.body, EMPTY));
        })
    }

    /// Sets the length of a file of the guest's own; new bytes are zero. `ENOSPC`.
    pub(super) fn set_length(&mut self, id: NodeId, length: usize) -> Result<(), Errno> {
        self.require_growth(id, length)?;
        self.alter(id, |node| {
            if let Body::File(content) = &mut node.body {
                content.resize(length, 0);
                // What was cut off is not kept, or many files that were large once would keep it all.
                if content.capacity() / 2 > length {
                    content.shrink_to_fit();
                }
            }
        })
    }

    /// `ENOSPC` unless a file may have so many bytes.
    pub(super) fn require_growth(&self, id: NodeId, length: usize) -> Result<(), Errno> {
        let node = self.node(id)?;
        let names = usize::try_from(node.names).unwrap_or(usize::MAX).max(1);
        self.require_room(id, 0, 0, length.saturating_sub(node.bytes()).saturating_mul(names))
    }

    /// `ENOSPC` unless so many names may still be made where a node lies, names of the host removed, and
    /// bytes kept.
    // [BOX-81] [STO-20]
    pub(super) fn require_room(
        &self,
        id: NodeId,
        made: usize,
        gone: usize,
        bytes: usize,
    ) -> Result<(), Errno> {
        let more = Usage { bytes, names: made };
        let fits = match self.mount_of(id)? {
            // What was granted less than it keeps can give some of that up.
            Mount { bytes_max: Some(_), .. } if made == 0 && bytes == 0 => true,
            Mount { own, bytes_max: Some(bytes_max), .. } => {
                let Usage { bytes, names } = own.plus(more);
                let counted = names.saturating_mul(STORAGE_ENTRY_BYTES).saturating_add(bytes);
                names <= STAGED_NAMES_COUNT_MAX && counted <= *bytes_max
            }
            _ => {
                let mounts = self.mounts.iter().filter(|mount| mount.host.is_some());
                let all_gone = mounts.clone().map(|mount| mount.gone.len()).sum::<usize>();
                let Usage { bytes, names } = mounts.fold(more, |all, mount| all.plus(mount.own));
                names <= STAGED_NAMES_COUNT_MAX
                    && all_gone.saturating_add(gone) <= STAGED_NAMES_COUNT_MAX
                    && bytes <= STAGED_BYTES_MAX
            }
        };
        fits.then_some(()).ok_or(Errno::NOSPC)
    }

    /// Counts a descriptor that stands for a node.
    pub(crate) fn hold(&mut self, id: NodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.opened = node.opened.saturating_add(1);
        Ok(())
    }

    /// Counts one less.
    pub(crate) fn release(&mut self, id: NodeId) -> Result<(), Errno> {
        let node = self.node_mut(id)?;
        node.opened = node.opened.saturating_sub(1);
        self.drop_unused(id)
    }

    /// Lets go of what a node holds that nothing leads to any more.
    fn drop_unused(&mut self, id: NodeId) -> Result<(), Errno> {
        let node = self.node(id)?;
        if node.names > 0 || node.opened > 0 {
            return Ok(());
        }
        self.alter(id, |node| node.body = EMPTY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_cut_does_not_keep_the_memory_it_had() {
        let mut tree = Tree::new(Arc::new(BTreeMap::new()));
        let root = tree.mount(String::new(), None, true);
        let file = tree.add(root, &Arc::from("file"), Body::File(Vec::new()), None).unwrap();
        let mut capacity_after = |length| {
            tree.set_length(file, length).unwrap();
            match &tree.node(file).unwrap().body {
                Body::File(content) => content.capacity(),
                _ => 0,
            }
        };
        assert!(capacity_after(1 << 20) >= 1 << 20);
        assert!(capacity_after(1000) <= 2001);
        assert_eq!(capacity_after(0), 0);
        assert_eq!(tree.mounts.last().unwrap().own.bytes, 0);
    }
}
