//! Path resolution, name by name, beneath an open directory (`RESOLVE_BENEATH` of Linux's openat2).

use super::inode::{InodeData, InodeId, OverlayFs};
use crate::kernel::limits::{LINK_STEPS_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_COMPONENT_FUEL};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError, HostResult};
use crate::kernel::sandbox::meter::FuelMeter;
use alloc::sync::Arc;

/// The result of resolving a path.
pub(in crate::kernel) struct ResolvedPath {
    /// The directory of the last name.
    pub(in crate::kernel) directory: InodeId,
    /// The last name; `None` if the path ends in `.` or `..`.
    pub(in crate::kernel) name: Option<Arc<str>>,
    /// The inode; `None` if it does not exist.
    pub(in crate::kernel) node: Option<InodeId>,
    /// Whether the path ends in a slash, which only a directory allows.
    pub(in crate::kernel) trailing_slash: bool,
}

impl ResolvedPath {
    /// Returns the existing inode. `ENOENT`: it does not exist. `ENOTDIR`: a file, with a trailing slash.
    pub(in crate::kernel) fn existing(&self, tree: &OverlayFs) -> Result<InodeId, Errno> {
        let node = self.node.ok_or(Errno::NOENT)?;
        Errno::NOTDIR.when(self.trailing_slash && !tree.is_directory(node))?;
        Ok(node)
    }
}

impl OverlayFs {
    /// Resolves a path. Symbolic links are followed from the directory they are in; the final one only if
    /// `follow`. `..` in the starting directory is refused even if the path went deeper before. `ELOOP`:
    /// too many links.
    // [BOX-61] [BOX-62] [BOX-82]
    pub(in crate::kernel) fn resolve(
        &mut self,
        start: InodeId,
        path: &str,
        follow: bool,
        meter: &mut FuelMeter,
    ) -> HostResult<ResolvedPath> {
        check_path(path)?;
        // The components still to resolve, the next one last.
        let (mut here, mut links, mut pending) = (start, 0_usize, Vec::new());
        push_components(&mut pending, path, meter)?;
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
            let trailing_slash = !pending.is_empty();
            let node = match self.child(here, &name, meter) {
                Ok(node) => Some(node),
                Err(HostCallError::Errno(Errno::NOENT)) if is_last => None,
                Err(error) => return Err(error),
            };
            let data = node.and_then(|node| self.node(node).ok()).map(|node| &node.data);
            match (data, node) {
                (Some(InodeData::Link(target)), _) if follow || !is_last => {
                    links = links.saturating_add(1);
                    Errno::LOOP.when(links > LINK_STEPS_MAX)?;
                    meter.charge_bytes(target.len())?;
                    push_components(&mut pending, target, meter)?;
                }
                (_, Some(node)) if !is_last => here = node,
                _ => {
                    return Ok(ResolvedPath {
                        directory: here,
                        name: Some(name.into()),
                        node,
                        trailing_slash,
                    })
                }
            }
        }
        Ok(ResolvedPath { directory: here, name: None, node: Some(here), trailing_slash: true })
    }
}

/// Puts the components of a path before the pending ones. `ENAMETOOLONG`: together they exceed the limit of
/// a path.
// [BOX-34] [BOX-82]
fn push_components(pending: &mut Vec<String>, path: &str, meter: &mut FuelMeter) -> HostResult {
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
