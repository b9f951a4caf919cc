//! Difference between the overlay and its lower layer: the changes to apply on the host and in storage.

use super::inode::{Inode, InodeData, InodeId, Origin, OverlayFs};
use crate::kernel::directory::{Change, FileOp, Kind, StatFingerprint};
use crate::kernel::error::{Code, Error};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::changes::{Changes, StorageChanges};
use crate::kernel::storage::{Entries, LoadedStorage};
use alloc::collections::BTreeMap;

/// Directories, and files with their content, that exist only in the upper layer, with the host's
/// attributes of their origin.
type Created = BTreeMap<String, (Option<Vec<u8>>, Option<StatFingerprint>)>;

/// Lower names that were removed or replaced, with their attributes on the host.
type Whiteouts = BTreeMap<String, (Kind, Option<StatFingerprint>)>;

impl OverlayFs {
    /// Returns the changes of each mount.
    ///
    /// # Errors
    /// `tool.left_link`: a symbolic link, which is never created on the host. `storage.quota`.
    // [BOX-85]
    pub(in crate::kernel) fn into_changes(
        mut self,
        mut storage: Option<LoadedStorage>,
    ) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for (number, mount) in core::mem::take(&mut self.mounts).into_iter().enumerate() {
            if !mount.writable {
                continue;
            }
            let mut created = Created::new();
            self.collect(mount.root, "", &mut created).map_err(|link| {
                let detail = format!("the tool left the symbolic link {}/{link}", mount.guest);
                Error::new(Code::ToolLeftLink, detail)
            })?;
            if let Some(host) = mount.host {
                changes.add(&mount.guest, host, difference(self.whiteouts(number), created));
            } else if let Some(loaded) = storage.take() {
                let now = created.into_iter().map(|(path, (content, _))| (path, content)).collect();
                changes.set_storage(storage_changes(loaded, now)?);
            }
        }
        Ok(changes)
    }

    /// Returns the whiteouts of a mount.
    fn whiteouts(&self, mount: usize) -> Whiteouts {
        let nodes = self.nodes.iter().filter(|node| node.mount == mount && node.is_whiteout());
        let whiteout = |node: &Inode| {
            let origin = node.origin.as_ref()?;
            let is_directory = matches!(node.data, InodeData::Directory(_));
            let kind = if is_directory { Kind::Directory } else { Kind::File };
            Some((self.path(origin), (kind, origin.fingerprint)))
        };
        nodes.filter_map(whiteout).collect()
    }

    /// Returns the path of an origin on the host, below the root of its mount.
    fn path(&self, origin: &Origin) -> String {
        match self.node(origin.directory).map(|node| &node.origin) {
            Ok(Some(above)) => format!("{}/{}", self.path(above), origin.name),
            _ => (*origin.name).to_owned(),
        }
    }

    /// Collects the upper layer; fails with the path of the first symbolic link. The recursion is as deep
    /// as directories can be.
    fn collect(
        &mut self,
        directory: InodeId,
        prefix: &str,
        into: &mut Created,
    ) -> Result<(), String> {
        let names = self.directory(directory);
        let children = names.map(|names| names.children.clone()).unwrap_or_default();
        for (name, id) in children {
            let path = format!("{prefix}{name}");
            let Ok(node) = self.node_mut(id) else { continue };
            let (is_upper, origin) = (node.is_upper, node.origin.as_ref());
            let attributes = origin.and_then(|origin| origin.fingerprint);
            let content = match &mut node.data {
                InodeData::Link(_) => return Err(path),
                InodeData::Directory(_) => {
                    self.collect(id, &format!("{path}/"), into)?;
                    None
                }
                // Only a file with several hard links has to be copied.
                InodeData::File(content) if node.nlink > 1 => Some(content.clone()),
                InodeData::File(content) => Some(core::mem::take(content)),
                InodeData::Asset(_) => continue,
            };
            if is_upper {
                into.insert(path, (content, attributes));
            }
        }
        Ok(())
    }
}

/// Returns the new snapshot of storage and its difference to the old one.
// [STO-30]
fn storage_changes(loaded: LoadedStorage, now: Entries) -> Result<Option<StorageChanges>, Error> {
    let Some((new, before)) = loaded.into_changed(&now)? else { return Ok(None) };
    let removed = before.iter().filter(|(path, old)| now.get(*path) != Some(*old));
    let removed = removed.map(|(path, old)| (path.clone(), (kind_of(old), None))).collect();
    let created = now.into_iter().filter(|(path, content)| before.get(path) != Some(content));
    let created = created.map(|(path, content)| (path, (content, None))).collect();
    Ok(Some((new, difference(removed, created))))
}

fn kind_of(content: &Option<Vec<u8>>) -> Kind {
    match content {
        Some(_) => Kind::File,
        None => Kind::Directory,
    }
}

/// Returns the removals, deepest first, then the creations in ascending order of paths. A name whose kind
/// stays the same is neither removed nor created.
fn difference(whiteouts: Whiteouts, created: Created) -> Vec<Change> {
    let stays = |path: &str, kind: Kind| {
        created.get(path).is_some_and(|(content, _)| kind_of(content) == kind)
    };
    let removed = whiteouts.iter().rev().filter(|(path, (kind, _))| !stays(path, *kind));
    let removed = removed.map(|(path, (kind, expected))| {
        let (action, expected) = match kind {
            Kind::File => (FileOp::RemoveFile, *expected),
            Kind::Directory => (FileOp::RemoveDirectory, None),
        };
        Change { path: path.clone(), action, expected, attributes_from: None }
    });
    let mut changes: Vec<Change> = removed.collect();
    for (path, (content, attributes)) in created {
        let before = whiteouts.get(&path).filter(|(kind, _)| *kind == kind_of(&content));
        let expected = before.and_then(|(_, expected)| *expected);
        let action = match content {
            Some(content) => FileOp::WriteFile { content, replaces: before.is_some() },
            None if before.is_some() => continue,
            None => FileOp::CreateDirectory,
        };
        // A file that replaces another gets that one's attributes, regardless of its own origin.
        changes.push(Change { path, action, expected, attributes_from: expected.or(attributes) });
    }
    changes
}
