//! Room: what a guest has changed, as a list to be carried out on the host, and as what is to be kept.

use super::tree::{Body, NodeId, Tree};
use crate::kernel::directory::{Action, Change, Kind, Stamp};
use crate::kernel::error::{Code, Error};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::changes::Changes;
use crate::kernel::storage::{Entries, Loaded, NewSnapshot};
use alloc::collections::BTreeMap;

/// What is there at the end that the host does not have: directories, and files with their content; and
/// how the host had what it came from.
type Made = BTreeMap<String, (Option<Vec<u8>>, Option<Stamp>)>;

impl Tree {
    /// The difference between what the host had, and what `storage` held, and what is there now, mount by
    /// mount.
    ///
    /// # Errors
    /// `tool.left_link`: there is a symbolic link, which is never made on the host. `storage.quota`.
    // [BOX-85]
    pub(crate) fn into_changes(mut self, storage: Option<Loaded>) -> Result<Changes, Error> {
        let (mut changes, mut storage) = (Changes::default(), storage);
        for mount in core::mem::take(&mut self.mounts) {
            let is_storage = mount.bytes_max.is_some();
            if mount.host.is_none() && !is_storage {
                continue;
            }
            let mut made = Made::new();
            self.collect(mount.root, "", &mut made).map_err(|link| {
                let detail = format!("the tool left the symbolic link {}/{link}", mount.guest);
                Error::new(Code::ToolLeftLink, detail)
            })?;
            let Some(host) = mount.host else {
                let Some(loaded) = storage.take() else { continue };
                let now = made.into_iter().map(|(path, (content, _))| (path, content)).collect();
                changes.keep(kept(loaded, now)?);
                continue;
            };
            let gone = mount.gone.into_iter().map(|(path, gone)| {
                let was = self.origins.get(&gone.node.0).copied();
                (path, (gone.kind, was))
            });
            changes.add(&mount.guest, host, difference(gone.collect(), made));
        }
        Ok(changes)
    }

    /// Takes up the guest's own files and directories; gives the path of the first link instead, if
    /// there is one. It recurses as deep as directories may be.
    fn collect(&mut self, directory: NodeId, prefix: &str, made: &mut Made) -> Result<(), String> {
        let Ok(children) = self.children(directory).cloned() else { return Ok(()) };
        for (name, id) in children {
            let path = format!("{prefix}{name}");
            let like = self.origins.get(&id.0).copied();
            let Ok(node) = self.node_mut(id) else { continue };
            let is_own = node.host.is_none();
            match &mut node.body {
                Body::Link(_) => return Err(path),
                Body::Directory { .. } => {
                    self.collect(id, &format!("{path}/"), made)?;
                    if is_own {
                        made.insert(path, (None, like));
                    }
                }
                Body::File(content) if is_own => {
                    // Only a file of several names has to be copied.
                    let content = match node.names {
                        0 | 1 => core::mem::take(content),
                        _ => content.clone(),
                    };
                    made.insert(path, (Some(content), like));
                }
                Body::File(_) | Body::Asset(_) => {}
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

fn kind_of(content: &Option<Vec<u8>>) -> Kind {
    match content {
        Some(_) => Kind::File,
        None => Kind::Directory,
    }
}

/// First what is gone, the deepest first; then what is new, in ascending order of paths. A name at which
/// the same kind stands again is neither removed nor made.
fn difference(gone: BTreeMap<String, (Kind, Option<Stamp>)>, made: Made) -> Vec<Change> {
    let stays = |path: &str, kind: Kind| {
        made.get(path).is_some_and(|(content, _)| kind_of(content) == kind)
    };
    let removed = gone.iter().rev().filter(|(path, (kind, _))| !stays(path, *kind));
    let removed = removed.map(|(path, (kind, was))| {
        let (path, like) = (path.clone(), None);
        match kind {
            Kind::File => Change { path, action: Action::RemoveFile, was: *was, like },
            Kind::Directory => Change { path, action: Action::RemoveDirectory, was: None, like },
        }
    });
    let mut changes: Vec<Change> = removed.collect();
    for (path, (content, like)) in made {
        let before = gone.get(&path).filter(|(kind, _)| *kind == kind_of(&content));
        let was = before.and_then(|(_, was)| *was);
        let action = match content {
            Some(content) => Action::WriteFile { content, replaces: before.is_some() },
            None if before.is_some() => continue,
            None => Action::CreateDirectory,
        };
        // What takes a file's place is its next version, whatever it was made from.
        changes.push(Change { path, action, was, like: was.or(like) });
    }
    changes
}
