//! Room: what a guest has changed, as a list to be carried out on the host.

use super::tree::{Body, NodeId, Tree};
use crate::sandbox::changes::{Action, Change, Changes};
use crate::sandbox::host_directory::Kind;
use crate::{Code, Error};
use std::collections::BTreeMap;

/// What is there at the end that the host does not have: directories, and files with their content.
type Made = BTreeMap<String, Option<Vec<u8>>>;

impl Tree {
    /// The difference between what the host had and what is there now, mount by mount.
    ///
    /// # Errors
    /// `tool.left_link`: there is a symbolic link, which is never made on the host.
    // [BOX-85]
    pub(crate) fn into_changes(mut self) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for mount in std::mem::take(&mut self.mounts) {
            let Some(host) = mount.host else { continue };
            let mut made = Made::new();
            self.collect(mount.root, "", &mut made).map_err(|link| {
                let detail = format!("the tool left the symbolic link {}/{link}", mount.guest);
                Error::new(Code::ToolLeftLink, detail)
            })?;
            changes.add(&mount.guest, host, difference(mount.gone, made));
        }
        Ok(changes)
    }

    /// Takes up the guest's own files and directories; gives the path of the first link instead, if
    /// there is one. It recurses as deep as directories may be.
    fn collect(&self, directory: NodeId, prefix: &str, made: &mut Made) -> Result<(), String> {
        let Ok(children) = self.children(directory) else { return Ok(()) };
        for (name, id) in children {
            let path = format!("{prefix}{name}");
            let Ok(node) = self.node(*id) else { continue };
            let is_own = node.host.is_none();
            match &node.body {
                Body::Link(_) => return Err(path),
                Body::Directory { .. } => {
                    self.collect(*id, &format!("{path}/"), made)?;
                    if is_own {
                        made.insert(path, None);
                    }
                }
                Body::File(content) if is_own => {
                    made.insert(path, Some(content.clone()));
                }
                Body::File(_) | Body::Asset(_) => {}
            }
        }
        Ok(())
    }
}

/// First what is gone, the deepest first; then what is new, in ascending order of paths. A name at which
/// the same kind stands again is neither removed nor made.
fn difference(gone: BTreeMap<String, Kind>, made: Made) -> Vec<Change> {
    let kind_of = |made: &Option<Vec<u8>>| match made {
        Some(_) => Kind::File,
        None => Kind::Directory,
    };
    let removed = gone
        .iter()
        .rev()
        .filter(|(path, kind)| !made.get(*path).is_some_and(|made| kind_of(made) == **kind));
    let removed = removed.map(|(path, kind)| Change {
        path: path.clone(),
        action: match kind {
            Kind::File => Action::RemoveFile,
            Kind::Directory => Action::RemoveDirectory,
        },
    });
    let mut changes: Vec<Change> = removed.collect();
    for (path, made) in made {
        let replaces = gone.get(&path) == Some(&kind_of(&made));
        let action = match made {
            Some(content) => Action::WriteFile { content, replaces },
            None if replaces => continue,
            None => Action::CreateDirectory,
        };
        changes.push(Change { path, action });
    }
    changes
}
