//! Room: the tree: nodes, the names that lead to them, and how much of it may be the guest's own.
//!
//! A node of the host's is made when the guest first meets its name, so inode numbers follow from the
//! guest's calls alone. It lies where the host has it, for as long as the guest leaves it alone.

use crate::limits::{
    ENTRY_FUEL, FILE_DEPTH_MAX, HOST_NAME_FUEL, LISTED_ENTRIES_COUNT_MAX, NODES_COUNT_MAX,
    STAGED_BYTES_MAX, STAGED_NAMES_COUNT_MAX,
};
use crate::sandbox::errno::Errno;
use crate::sandbox::guest::Halt;
use crate::sandbox::host_directory::{Found, HostDirectory, Kind};
use crate::sandbox::meter::Meter;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The time of everything that was there before: 2026-01-01T00:00:00Z, in nanoseconds since 1970.
pub(crate) const EPOCH_NS: u64 = 1_767_225_600_000_000_000;

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
pub(crate) struct NodeId(usize);

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

pub(super) struct Node {
    pub(super) mount: usize,
    /// Where the host has it, below the root of its mount, until the guest changes it.
    pub(super) host: Option<String>,
    pub(super) body: Body,
    pub(super) times: Times,
    /// Names that lead to it.
    pub(super) names: u64,
    /// Descriptors that stand for it.
    pub(super) opened: u32,
}

pub(super) enum Body {
    /// Of a host's directory, the children that were met so far.
    Directory { parent: NodeId, children: BTreeMap<String, NodeId> },
    /// The content; empty as long as the host has it.
    File(Vec<u8>),
    /// A file below `assets/`, by its path there.
    Asset(String),
    /// A symbolic link, with the path it holds.
    Link(String),
}

impl Body {
    /// Bytes of memory that count as staged.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Body::File(content) => content.len(),
            Body::Link(target) => target.len(),
            Body::Directory { .. } | Body::Asset(_) => 0,
        }
    }
}

pub(super) struct Mount {
    pub(super) guest: String,
    pub(super) root: NodeId,
    /// None for the assets.
    pub(super) host: Option<Arc<HostDirectory>>,
    pub(super) writable: bool,
    /// Paths of the host that the guest removed, or replaced by something of its own.
    pub(super) gone: BTreeMap<String, Kind>,
}

/// All nodes of all mounts.
pub(crate) struct Tree {
    pub(super) assets: Arc<BTreeMap<String, Vec<u8>>>,
    pub(super) nodes: Vec<Node>,
    pub(super) mounts: Vec<Mount>,
    /// Bytes that the guest's own files and links hold.
    staged_bytes: usize,
    /// Names of the guest's own files, directories and links.
    staged_names: usize,
    /// What the guest's clock shows, in nanoseconds since 1970; set anew for each host call.
    pub(crate) now: u64,
}

impl Tree {
    pub(super) fn new(assets: Arc<BTreeMap<String, Vec<u8>>>) -> Self {
        let (nodes, mounts) = (Vec::new(), Vec::new());
        Tree { assets, nodes, mounts, staged_bytes: 0, staged_names: 0, now: EPOCH_NS }
    }

    /// Makes a mount with its root.
    fn mount(&mut self, guest: String, host: Option<Arc<HostDirectory>>, writable: bool) -> NodeId {
        let (root, mount) = (NodeId(self.nodes.len()), self.mounts.len());
        let path = host.is_some().then(String::new);
        self.mounts.push(Mount { guest, root, host, writable, gone: BTreeMap::new() });
        let body = Body::Directory { parent: root, children: BTreeMap::new() };
        let times = Times { accessed: EPOCH_NS, modified: EPOCH_NS, changed: EPOCH_NS };
        self.nodes.push(Node { mount, host: path, body, times, names: 1, opened: 0 });
        root
    }

    /// Makes the tree of the assets, in the order of their paths; `None` if there are none.
    pub(super) fn mount_assets(&mut self) -> Option<NodeId> {
        if self.assets.is_empty() {
            return None;
        }
        let root = self.mount(String::new(), None, false);
        for path in Arc::clone(&self.assets).keys() {
            let mut directory = root;
            let mut components = path.split('/').peekable();
            while let Some(name) = components.next() {
                let known = self.known_child(directory, name);
                let body = match components.peek() {
                    Some(_) => Body::Directory { parent: directory, children: BTreeMap::new() },
                    None => Body::Asset(path.clone()),
                };
                let made = known.ok().or_else(|| self.add(directory, name, body, None).ok());
                directory = made.unwrap_or(directory);
            }
        }
        self.staged_names = 0; // none of these is the guest's own
        Some(root)
    }

    pub(super) fn mount_host(
        &mut self,
        guest: String,
        host: Arc<HostDirectory>,
        writable: bool,
    ) -> NodeId {
        self.mount(guest, Some(host), writable)
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
    pub(crate) fn children(&self, directory: NodeId) -> Result<&BTreeMap<String, NodeId>, Errno> {
        match &self.node(directory)?.body {
            Body::Directory { children, .. } => Ok(children),
            _ => Err(Errno::NOTDIR),
        }
    }

    fn children_mut(&mut self, directory: NodeId) -> Result<&mut BTreeMap<String, NodeId>, Errno> {
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

    fn known_child(&self, directory: NodeId, name: &str) -> Result<NodeId, Errno> {
        self.children(directory)?.get(name).copied().ok_or(Errno::NOENT)
    }

    /// What a name in a directory leads to. `ENOENT`; `EACCES` for what the host has there and the
    /// guest may not see.
    pub(super) fn child(
        &mut self,
        directory: NodeId,
        name: &str,
        meter: &mut Meter,
    ) -> Result<NodeId, Halt> {
        let known = self.known_child(directory, name);
        let Some(above) = &self.node(directory)?.host else { return Ok(known?) };
        if known != Err(Errno::NOENT) {
            return Ok(known?);
        }
        let path = below(above, name);
        let mount = self.mount_of(directory)?;
        let Some(host) = mount.host.clone().filter(|_| !mount.gone.contains_key(&path)) else {
            return Err(Errno::NOENT.into());
        };
        let kind = match look(&host, &path, meter)? {
            Found::Directory => Kind::Directory,
            Found::File(_) => Kind::File,
        };
        Ok(self.adopt(directory, name, path, kind)?)
    }

    /// Meets every name that the host has in a directory. Gives whether it also has something there
    /// that the guest does not see. `EOVERFLOW`: too many.
    pub(crate) fn meet_all(&mut self, directory: NodeId, meter: &mut Meter) -> Result<bool, Halt> {
        let Some(above) = self.node(directory)?.host.clone() else { return Ok(false) };
        let Some(host) = self.mount_of(directory)?.host.clone() else { return Ok(false) };
        let names = names_of(&above);
        meter.charge_each(names.len(), HOST_NAME_FUEL)?;
        let charge = || meter.charge(ENTRY_FUEL);
        let listing = host.list(&names, LISTED_ENTRIES_COUNT_MAX, charge)?;
        for (name, kind) in listing.entries {
            let path = below(&above, &name);
            let is_gone = self.mount_of(directory)?.gone.contains_key(&path);
            if !is_gone && self.known_child(directory, &name).is_err() {
                self.adopt(directory, &name, path, kind)?;
            }
        }
        Ok(listing.hides_others)
    }

    /// Makes the node of something that the host has.
    fn adopt(
        &mut self,
        directory: NodeId,
        name: &str,
        path: String,
        kind: Kind,
    ) -> Result<NodeId, Errno> {
        let body = match kind {
            Kind::Directory => Body::Directory { parent: directory, children: BTreeMap::new() },
            Kind::File => Body::File(Vec::new()),
        };
        self.add(directory, name, body, Some(path))
    }

    /// Makes a node with its first name. `ENFILE`: there are too many. `ENAMETOOLONG`: too deep.
    // [BOX-87]
    pub(super) fn add(
        &mut self,
        directory: NodeId,
        name: &str,
        body: Body,
        host: Option<String>,
    ) -> Result<NodeId, Errno> {
        if self.nodes.len() >= NODES_COUNT_MAX {
            return Err(Errno::NFILE);
        }
        if self.depth(directory)? >= FILE_DEPTH_MAX {
            return Err(Errno::NAMETOOLONG);
        }
        let (id, mount) = (NodeId(self.nodes.len()), self.node(directory)?.mount);
        let time = if host.is_none() { self.now } else { EPOCH_NS };
        let times = Times { accessed: time, modified: time, changed: time };
        self.staged_bytes = self.staged_bytes.saturating_add(body.bytes());
        self.nodes.push(Node { mount, host, body, times, names: 0, opened: 0 });
        self.attach(directory, name, id)?;
        Ok(id)
    }

    /// Gives a node a name.
    pub(super) fn attach(
        &mut self,
        directory: NodeId,
        name: &str,
        id: NodeId,
    ) -> Result<(), Errno> {
        self.children_mut(directory)?.insert(name.to_owned(), id);
        let node = self.node_mut(id)?;
        node.names = node.names.saturating_add(1);
        if let Body::Directory { parent, .. } = &mut node.body {
            *parent = directory;
        }
        if node.host.is_none() {
            self.staged_names = self.staged_names.saturating_add(1);
            self.touch(directory)?;
        }
        Ok(())
    }

    /// Takes a name away, and with its last name and descriptor what a node holds.
    pub(super) fn detach(&mut self, directory: NodeId, name: &str) -> Result<(), Errno> {
        let id = self.children_mut(directory)?.remove(name).ok_or(Errno::NOENT)?;
        let kind = self.host_kind(id)?;
        let node = self.node_mut(id)?;
        node.names = node.names.saturating_sub(1);
        match node.host.clone() {
            // An open file is read on from the host, which still has it. A directory is empty by now.
            Some(path) => {
                node.host = node.host.take().filter(|_| kind == Kind::File);
                self.mount_of_mut(id)?.gone.insert(path, kind);
            }
            None => self.staged_names = self.staged_names.saturating_sub(1),
        }
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

    /// Makes what the host has the guest's own, with this body. The host's stays until the call ends.
    pub(super) fn make_own(&mut self, id: NodeId, body: Option<Body>) -> Result<(), Errno> {
        let kind = self.host_kind(id)?;
        let node = self.node_mut(id)?;
        let Some(path) = node.host.take() else { return Ok(()) };
        let bytes = body.as_ref().map_or(0, Body::bytes);
        if let Some(body) = body {
            node.body = body;
        }
        let names = usize::try_from(node.names).unwrap_or(usize::MAX);
        self.staged_names = self.staged_names.saturating_add(names);
        self.staged_bytes = self.staged_bytes.saturating_add(bytes);
        self.mount_of_mut(id)?.gone.insert(path, kind);
        Ok(())
    }

    fn host_kind(&self, id: NodeId) -> Result<Kind, Errno> {
        Ok(if self.kind(id)? == filetype::DIRECTORY { Kind::Directory } else { Kind::File })
    }

    /// Sets the length of a file of the guest's own; new bytes are zero. `ENOSPC`.
    pub(super) fn set_length(&mut self, id: NodeId, length: usize) -> Result<(), Errno> {
        let before = self.node(id)?.body.bytes();
        self.require_room(0, 0, length.saturating_sub(before))?;
        if let Body::File(content) = &mut self.node_mut(id)?.body {
            content.resize(length, 0);
            self.staged_bytes = self.staged_bytes.saturating_sub(before).saturating_add(length);
        }
        Ok(())
    }

    /// `ENOSPC` unless so many names may still be made, names of the host removed, and bytes kept.
    // [BOX-81]
    pub(super) fn require_room(&self, made: usize, gone: usize, bytes: usize) -> Result<(), Errno> {
        let all_gone = self.mounts.iter().map(|mount| mount.gone.len()).sum::<usize>();
        let fits = self.staged_names.saturating_add(made) <= STAGED_NAMES_COUNT_MAX
            && all_gone.saturating_add(gone) <= STAGED_NAMES_COUNT_MAX
            && self.staged_bytes.saturating_add(bytes) <= STAGED_BYTES_MAX;
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
        let node = self.node_mut(id)?;
        if node.names == 0 && node.opened == 0 {
            let bytes = node.body.bytes();
            node.body = Body::File(Vec::new());
            self.staged_bytes = self.staged_bytes.saturating_sub(bytes);
        }
        Ok(())
    }
}

/// The path of a name in a directory of the host.
fn below(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        return name.to_owned();
    }
    format!("{directory}/{name}")
}

/// The names of a path of the host; none for the root.
pub(super) fn names_of(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}

/// What the host has at a path.
pub(super) fn look(host: &HostDirectory, path: &str, meter: &mut Meter) -> Result<Found, Halt> {
    let names = names_of(path);
    meter.charge_each(names.len(), HOST_NAME_FUEL)?;
    Ok(host.look(&names)?)
}
