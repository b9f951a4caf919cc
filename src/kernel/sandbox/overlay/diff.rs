//! What a guest has changed, as a list to be carried out on the host, and as what is to be kept.

use super::tree::{Inode, InodeData, InodeId, Origin, OverlayFs};
use crate::kernel::directory::{Change, EntryKind, FileOp, StatFingerprint};
use crate::kernel::error::{Code, Error};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::changes::Changes;
use crate::kernel::storage::{Entries, Loaded, NewSnapshot};
use alloc::collections::BTreeMap;

/// What is there at the end that the host does not have: directories, and files with their content; and
/// how the host had what it came from.
type Made = BTreeMap<String, (Option<Vec<u8>>, Option<StatFingerprint>)>;

/// What the host has and is removed or replaced, and how it had that.
type Whiteouts = BTreeMap<String, (EntryKind, Option<StatFingerprint>)>;

impl OverlayFs {
    /// The difference between what the host had, and what `storage` held, and what is there now, mount by
    /// mount.
    ///
    /// # Errors
    /// `tool.left_link`: there is a symbolic link, which is never made on the host. `storage.quota`.
    // [BOX-85]
    pub(in crate::kernel) fn into_changes(
        mut self,
        mut storage: Option<Loaded>,
    ) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for (number, mount) in core::mem::take(&mut self.mounts).into_iter().enumerate() {
            if !mount.writable {
                continue;
            }
            let mut made = Made::new();
            self.collect(mount.root, "", &mut made).map_err(|link| {
                let detail = format!("the tool left the symbolic link {}/{link}", mount.guest);
                Error::new(Code::ToolLeftLink, detail)
            })?;
            if let Some(host) = mount.host {
                changes.add(&mount.guest, host, difference(self.whiteouts(number), made));
            } else if let Some(loaded) = storage.take() {
                let now = made.into_iter().map(|(path, (content, _))| (path, content)).collect();
                changes.keep(kept(loaded, now)?);
            }
        }
        Ok(changes)
    }

    /// What the host has in a mount and is removed or replaced.
    fn whiteouts(&self, mount: usize) -> Whiteouts {
        let nodes = self.nodes.iter().filter(|node| node.mount == mount && node.is_whiteout());
        let whiteout = |node: &Inode| {
            let origin = node.origin.as_ref()?;
            let is_directory = matches!(node.body, InodeData::Directory(_));
            let kind = if is_directory { EntryKind::Directory } else { EntryKind::File };
            Some((self.path(origin), (kind, origin.stamp)))
        };
        nodes.filter_map(whiteout).collect()
    }

    /// Where the host has something, below the root of its mount.
    fn path(&self, origin: &Origin) -> String {
        match self.node(origin.directory).map(|node| &node.origin) {
            Ok(Some(above)) => format!("{}/{}", self.path(above), origin.name),
            _ => (*origin.name).to_owned(),
        }
    }

    /// Takes up what lies in the upper layer; gives the path of the first link instead, if there is one.
    /// It recurses as deep as directories may be.
    fn collect(&mut self, directory: InodeId, prefix: &str, made: &mut Made) -> Result<(), String> {
        let names = self.directory(directory);
        let children = names.map(|names| names.children.clone()).unwrap_or_default();
        for (name, id) in children {
            let path = format!("{prefix}{name}");
            let Ok(node) = self.node_mut(id) else { continue };
            let (is_upper, origin) = (node.is_upper, node.origin.as_ref());
            let like = origin.and_then(|origin| origin.stamp);
            let content = match &mut node.body {
                InodeData::Link(_) => return Err(path),
                InodeData::Directory(_) => {
                    self.collect(id, &format!("{path}/"), made)?;
                    None
                }
                // Only a file of several names has to be copied.
                InodeData::File(content) if node.names > 1 => Some(content.clone()),
                InodeData::File(content) => Some(core::mem::take(content)),
                InodeData::Asset(_) => continue,
            };
            if is_upper {
                made.insert(path, (content, like));
            }
        }
        Ok(())
    }
}

/// What storage holds from now on, with the difference to what it held.
// [STO-30]
fn kept(loaded: Loaded, now: Entries) -> Result<Option<(NewSnapshot, Vec<Change>)>, Error> {
    let Some((new, before)) = loaded.changed(&now)? else { return Ok(None) };
    let gone = before.iter().filter(|(path, was)| now.get(*path) != Some(*was));
    let gone = gone.map(|(path, was)| (path.clone(), (kind_of(was), None))).collect();
    let made = now.into_iter().filter(|(path, content)| before.get(path) != Some(content));
    let made = made.map(|(path, content)| (path, (content, None))).collect();
    Ok(Some((new, difference(gone, made))))
}

fn kind_of(content: &Option<Vec<u8>>) -> EntryKind {
    match content {
        Some(_) => EntryKind::File,
        None => EntryKind::Directory,
    }
}

/// First what is gone, the deepest first; then what is new, in ascending order of paths. A name at which
/// the same kind stands again is neither removed nor made.
fn difference(gone: Whiteouts, made: Made) -> Vec<Change> {
    let stays = |path: &str, kind: EntryKind| {
        made.get(path).is_some_and(|(content, _)| kind_of(content) == kind)
    };
    let removed = gone.iter().rev().filter(|(path, (kind, _))| !stays(path, *kind));
    let removed = removed.map(|(path, (kind, was))| {
        let (action, expected) = match kind {
            EntryKind::File => (FileOp::RemoveFile, *was),
            EntryKind::Directory => (FileOp::RemoveDirectory, None),
        };
        Change { path: path.clone(), action, expected, attributes_from: None }
    });
    let mut changes: Vec<Change> = removed.collect();
    for (path, (content, like)) in made {
        let before = gone.get(&path).filter(|(kind, _)| *kind == kind_of(&content));
        let was = before.and_then(|(_, was)| *was);
        let action = match content {
            Some(content) => FileOp::WriteFile { content, replaces: before.is_some() },
            None if before.is_some() => continue,
            None => FileOp::CreateDirectory,
        };
        // What takes a file's place is its next version, whatever it was made from.
        changes.push(Change { path, action, expected: was, attributes_from: was.or(like) });
    }
    changes
}
