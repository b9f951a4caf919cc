//! Following a path, name by name, from an open directory and never out of it.

use super::tree::{InodeData, InodeId, OverlayFs};
use crate::kernel::limits::{LINK_STEPS_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_COMPONENT_FUEL};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError};
use crate::kernel::sandbox::meter::FuelMeter;
use alloc::sync::Arc;

/// Where a path leads.
pub(in crate::kernel) struct ResolvedPath {
    /// The directory in which the last name stands.
    pub(in crate::kernel) directory: InodeId,
    /// The last name; `None` if the path ends in `.` or `..`.
    pub(in crate::kernel) name: Option<Arc<str>>,
    /// What the name leads to; `None` if it does not exist.
    pub(in crate::kernel) node: Option<InodeId>,
    /// Whether a slash follows the last name, so that only a directory can be meant.
    pub(in crate::kernel) slash: bool,
}

impl ResolvedPath {
    /// What is there. `ENOENT`: nothing. `ENOTDIR`: a file, named with a slash.
    pub(in crate::kernel) fn existing(&self, tree: &OverlayFs) -> Result<InodeId, Errno> {
        let node = self.node.ok_or(Errno::NOENT)?;
        Errno::NOTDIR.when(self.slash && !tree.is_directory(node))?;
        Ok(node)
    }
}

impl OverlayFs {
    /// Finds what a path names. Links on the way are followed inside the tree, from the directory they
    /// stand in; the last one only if `follow`. `..` in the starting directory is refused, however
    /// deep the path went before. `ELOOP`: too many links.
    // [BOX-61] [BOX-62] [BOX-82]
    pub(in crate::kernel) fn resolve(
        &mut self,
        start: InodeId,
        path: &str,
        follow: bool,
        meter: &mut FuelMeter,
    ) -> Result<ResolvedPath, HostCallError> {
        check_path(path)?;
        // The names that are still to come, the next one last.
        let (mut here, mut links, mut pending) = (start, 0_usize, Vec::new());
        put(&mut pending, path, meter)?;
        while let Some(name) = pending.pop() {
            Errno::NOTDIR.when(!self.is_directory(here))?;
            match name.as_str() {
                "" | "." => continue,
                ".." if here == start => return Err(Errno::PERM.into()),
                ".." => {
                    here = self.directory(here)?.parent;
                    continue;
                }
                _ => {}
            }
            let is_last = pending.iter().rev().all(String::is_empty);
            let slash = !pending.is_empty();
            let node = match self.child(here, &name, meter) {
                Ok(node) => Some(node),
                Err(HostCallError::Errno(Errno::NOENT)) if is_last => None,
                Err(halt) => return Err(halt),
            };
            let body = node.and_then(|node| self.node(node).ok()).map(|node| &node.body);
            match (body, node) {
                (Some(InodeData::Link(target)), _) if follow || !is_last => {
                    links = links.saturating_add(1);
                    Errno::LOOP.when(links > LINK_STEPS_MAX)?;
                    meter.charge_bytes(target.len())?;
                    put(&mut pending, target, meter)?;
                }
                (_, Some(node)) if !is_last => here = node,
                _ => {
                    return Ok(ResolvedPath {
                        directory: here,
                        name: Some(name.into()),
                        node,
                        slash,
                    })
                }
            }
        }
        Ok(ResolvedPath { directory: here, name: None, node: Some(here), slash: true })
    }
}

/// Puts the names of a path before those that are still to come. `ENAMETOOLONG`: together they are
/// longer than a path may be.
// [BOX-34] [BOX-82]
fn put(pending: &mut Vec<String>, path: &str, meter: &mut FuelMeter) -> Result<(), HostCallError> {
    let to_come = pending.iter().map(|name| name.len().saturating_add(1)).sum::<usize>();
    Errno::NAMETOOLONG.when(to_come.saturating_add(path.len()) > PATH_BYTES_MAX)?;
    meter.charge_each(path.split('/').count(), PATH_COMPONENT_FUEL)?;
    pending.extend(path.rsplit('/').map(str::to_owned));
    Ok(())
}

// [BOX-61]
pub(super) fn check_path(path: &str) -> Result<(), Errno> {
    Errno::NOENT.when(path.is_empty())?;
    Errno::NAMETOOLONG.when(path.split('/').any(|name| name.len() > NAME_BYTES_MAX))?;
    Errno::INVAL.when(path.contains('\0'))?;
    Errno::PERM.when(path.starts_with('/'))?;
    Ok(())
}
