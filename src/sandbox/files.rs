//! Room: the files a guest sees: a tree of its own, and the table of open descriptors.
//!
//! No path of the guest ever reaches the host. The tree is made before the guest starts, names are
//! sorted, and inode numbers are positions in it, so every machine shows the same.

use super::errno::Errno;
use super::mapped::Mapped;
use crate::limits::{NAME_BYTES_MAX, OPEN_FILES_COUNT_MAX, PATH_BYTES_MAX};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the package's assets are seen.
const ASSETS_MOUNT: &str = "/assets";

/// A file or directory of the tree, as its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(usize);

impl NodeId {
    /// Its inode number, from 1.
    pub(super) fn inode(self) -> u64 {
        u64::try_from(self.0).unwrap_or(u64::MAX).saturating_add(1)
    }
}

enum Node {
    Directory {
        parent: NodeId,
        children: BTreeMap<String, NodeId>,
    },
    /// A file below `assets/`, by its path there.
    Asset(String),
    /// A copy of a file in a mapped directory.
    Copy(Vec<u8>),
}

/// The values of `filetype` that occur here.
pub(super) mod filetype {
    /// A pipe, which preview 1 has no number for.
    pub(in crate::sandbox) const UNKNOWN: u8 = 0;
    pub(in crate::sandbox) const DIRECTORY: u8 = 3;
    pub(in crate::sandbox) const REGULAR_FILE: u8 = 4;
}

/// The bits of `rights` that occur here.
pub(super) mod rights {
    pub(in crate::sandbox) const FD_READ: u64 = 1 << 1;
    pub(in crate::sandbox) const FD_WRITE: u64 = 1 << 6;
    /// What every stream allows: its status, its flags, and waiting for it.
    pub(in crate::sandbox) const STREAM: u64 = 0x0820_0008;
    /// Everything a file can be opened for: the `fd_` rights, without `fd_readdir`.
    pub(in crate::sandbox) const FILE: u64 = 0x08e0_01ff;
    /// Everything a directory can be opened for: the `path_` rights, `fd_readdir`, and its status.
    pub(in crate::sandbox) const DIRECTORY: u64 = 0x07bf_fe18;
}

/// What a descriptor stands for.
#[derive(Clone, Debug)]
pub(super) enum Object {
    Stdin,
    Stdout,
    Stderr,
    File { node: NodeId, offset: u64 },
    Directory { node: NodeId, preopened_as: Option<String> },
}

/// One open descriptor.
#[derive(Clone, Debug)]
pub(super) struct Descriptor {
    pub(super) object: Object,
    /// `fdflags`
    pub(super) flags: u16,
    pub(super) rights: u64,
    pub(super) rights_inheriting: u64,
}

impl Descriptor {
    /// Refuses what the descriptor was not opened for.
    pub(super) fn require(&self, right: u64) -> Result<(), Errno> {
        if self.rights & right == right {
            return Ok(());
        }
        Err(Errno::BADF)
    }

    /// The directory it stands for.
    pub(super) fn directory(&self) -> Result<NodeId, Errno> {
        match self.object {
            Object::Directory { node, .. } => Ok(node),
            _ => Err(Errno::NOTDIR),
        }
    }
}

/// The tree and the table.
pub(super) struct Files {
    nodes: Vec<Node>,
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    descriptors: Vec<Option<Descriptor>>,
}

/// One name in a directory.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) node: NodeId,
}

impl Files {
    /// Standard streams as 0, 1 and 2; then, if the package has any, its assets as 3; then the mapped
    /// directories.
    // [BOX-60]
    pub(super) fn new(assets: Arc<BTreeMap<String, Vec<u8>>>, mapped: Vec<Mapped>) -> Self {
        let stream = |object, rights| {
            let rights = rights | rights::STREAM;
            Some(Descriptor { object, flags: 0, rights, rights_inheriting: 0 })
        };
        let descriptors = vec![
            stream(Object::Stdin, rights::FD_READ),
            stream(Object::Stdout, rights::FD_WRITE),
            stream(Object::Stderr, rights::FD_WRITE),
        ];
        let mut files = Files { nodes: Vec::new(), assets, descriptors };
        let paths: Vec<String> = files.assets.keys().cloned().collect();
        if !paths.is_empty() {
            let nodes = paths.into_iter().map(|path| (path.clone(), Some(Node::Asset(path))));
            files.mount(ASSETS_MOUNT, nodes);
        }
        for Mapped { guest, entries } in mapped {
            let nodes = entries.into_iter().map(|(path, copy)| (path, copy.map(Node::Copy)));
            files.mount(&guest, nodes);
        }
        files
    }

    /// Makes a tree of paths in ascending order, and opens its root. `None` is a directory.
    fn mount(&mut self, guest: &str, nodes: impl Iterator<Item = (String, Option<Node>)>) {
        let root = NodeId(self.nodes.len());
        self.nodes.push(Node::Directory { parent: root, children: BTreeMap::new() });
        for (path, mut node) in nodes {
            let mut directory = root;
            let mut components = path.split('/').peekable();
            while let Some(name) = components.next() {
                let last = components.peek().is_none();
                directory = match (self.child(directory, name), node.take_if(|_| last)) {
                    (Ok(known), _) => known,
                    (Err(_), Some(file)) => self.add(directory, name, file),
                    (Err(_), None) => {
                        let folder =
                            Node::Directory { parent: directory, children: BTreeMap::new() };
                        self.add(directory, name, folder)
                    }
                };
            }
        }
        self.descriptors.push(Some(Descriptor {
            object: Object::Directory { node: root, preopened_as: Some(guest.to_owned()) },
            flags: 0,
            rights: rights::DIRECTORY,
            rights_inheriting: rights::DIRECTORY | rights::FILE,
        }));
    }

    fn add(&mut self, directory: NodeId, name: &str, node: Node) -> NodeId {
        let id = NodeId(self.nodes.len());
        if let Some(Node::Directory { children, .. }) = self.nodes.get_mut(directory.0) {
            children.insert(name.to_owned(), id);
        }
        self.nodes.push(node);
        id
    }

    fn child(&self, directory: NodeId, name: &str) -> Result<NodeId, Errno> {
        match self.nodes.get(directory.0) {
            Some(Node::Directory { children, .. }) => {
                children.get(name).copied().ok_or(Errno::NOENT)
            }
            _ => Err(Errno::NOTDIR),
        }
    }

    fn is_directory(&self, node: NodeId) -> bool {
        matches!(self.nodes.get(node.0), Some(Node::Directory { .. }))
    }

    /// Finds what a path names, starting at a directory and never leaving it: `..` in its root is
    /// refused, however deep the path went before.
    // [BOX-61] [BOX-62]
    pub(super) fn resolve(&self, root: NodeId, path: &str) -> Result<NodeId, Errno> {
        check_path(path)?;
        let mut walked = vec![root];
        for name in path.split('/') {
            let here = walked.last().copied().unwrap_or(root);
            match name {
                // A component that names nothing still needs a directory before it: `file/.` is
                // refused, and so is `file/`.
                "" | "." if self.is_directory(here) => {}
                "" | "." => return Err(Errno::NOTDIR),
                ".." if !self.is_directory(here) => return Err(Errno::NOTDIR),
                ".." if walked.len() == 1 => return Err(Errno::PERM),
                ".." => drop(walked.pop()),
                name => walked.push(self.child(here, name)?),
            }
        }
        walked.last().copied().ok_or(Errno::NOENT)
    }

    /// Type of a node, and its size in bytes.
    pub(super) fn status(&self, node: NodeId) -> (u8, u64) {
        match self.nodes.get(node.0) {
            Some(Node::Directory { .. }) => (filetype::DIRECTORY, 0),
            _ => {
                let size = u64::try_from(self.content(node).len()).unwrap_or(u64::MAX);
                (filetype::REGULAR_FILE, size)
            }
        }
    }

    /// What a file holds.
    pub(super) fn content(&self, node: NodeId) -> &[u8] {
        match self.nodes.get(node.0) {
            Some(Node::Asset(path)) => self.assets.get(path).map_or(&[], Vec::as_slice),
            Some(Node::Copy(content)) => content,
            _ => &[],
        }
    }

    /// How many names [`Files::list`] gives, found without making the list.
    pub(super) fn list_length(&self, directory: NodeId) -> usize {
        match self.nodes.get(directory.0) {
            Some(Node::Directory { children, .. }) => children.len().saturating_add(2),
            _ => 0,
        }
    }

    /// The names in a directory: itself and its parent first, then its children in ascending order
    /// of their bytes.
    // [BOX-63]
    pub(super) fn list(&self, directory: NodeId) -> Vec<Entry> {
        let Some(Node::Directory { parent, children }) = self.nodes.get(directory.0) else {
            return Vec::new();
        };
        let dots = [(".", directory), ("..", *parent)];
        let dots = dots.into_iter().map(|(name, node)| Entry { name: name.to_owned(), node });
        let children =
            children.iter().map(|(name, node)| Entry { name: name.clone(), node: *node });
        dots.chain(children).collect()
    }

    /// An open descriptor.
    pub(super) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        self.descriptors.get(index).and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    /// An open descriptor, to be changed.
    pub(super) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slot(fd)?.as_mut().ok_or(Errno::BADF)
    }

    fn slot(&mut self, fd: u32) -> Result<&mut Option<Descriptor>, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        self.descriptors.get_mut(index).ok_or(Errno::BADF)
    }

    /// Opens a descriptor under the lowest free number.
    // [BOX-64]
    pub(super) fn open(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let free = self.descriptors.iter().position(Option::is_none);
        let index = free.unwrap_or(self.descriptors.len());
        if index >= OPEN_FILES_COUNT_MAX {
            return Err(Errno::MFILE);
        }
        match self.descriptors.get_mut(index) {
            Some(slot) => *slot = Some(descriptor),
            None => self.descriptors.push(Some(descriptor)),
        }
        u32::try_from(index).map_err(|_| Errno::MFILE)
    }

    /// Closes a descriptor.
    pub(super) fn close(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        self.slot(fd)?.take().ok_or(Errno::BADF)
    }

    /// Moves a descriptor onto another open one, which is closed.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let moved = self.close(from)?;
            *self.get_mut(to)? = moved;
        }
        Ok(())
    }
}

// [BOX-61]
fn check_path(path: &str) -> Result<(), Errno> {
    if path.is_empty() {
        return Err(Errno::NOENT);
    }
    if path.len() > PATH_BYTES_MAX || path.split('/').any(|name| name.len() > NAME_BYTES_MAX) {
        return Err(Errno::NAMETOOLONG);
    }
    if path.contains('\0') {
        return Err(Errno::INVAL);
    }
    if path.starts_with('/') {
        return Err(Errno::PERM);
    }
    Ok(())
}
