//! Operations on directory entries: create, link, rename, remove. They follow POSIX; everything is checked
//! before anything is changed.

use super::inode::{InodeData, InodeId, OverlayFs, Usage};
use super::resolve::{check_path, ResolvedPath};
use crate::kernel::limits::{ENTRY_FUEL, FILE_DEPTH_MAX, STAGED_NAMES_COUNT_MAX};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostResult};
use crate::kernel::sandbox::meter::FuelMeter;
use crate::kernel::text::is_hidden;
use alloc::sync::Arc;

impl OverlayFs {
    /// Returns the name of a new entry. `EEXIST`, `EROFS`, `ENOSPC`; `ENOENT`: its directory was removed.
    /// `slash` is the error for a trailing slash.
    fn new_entry_name<'a>(
        &self,
        path: &'a ResolvedPath,
        bytes: usize,
        slash: Option<Errno>,
    ) -> Result<&'a Arc<str>, Errno> {
        let name = path.name.as_ref().filter(|_| path.node.is_none()).ok_or(Errno::EXIST)?;
        self.require_writable(path.directory)?;
        self.require_visible(path)?;
        Errno::NOENT.when(self.node(path.directory)?.nlink == 0)?;
        self.require_space(path.directory, Usage { bytes, names: 1, whiteouts: 0 })?;
        slash.filter(|_| path.trailing_slash).map_or(Ok(name), Err)
    }

    /// Fails with `EINVAL` if the host would get a name that a terminal does not show unmodified.
    // [BOX-79]
    fn require_visible(&self, path: &ResolvedPath) -> Result<(), Errno> {
        let is_new = path.node.is_none() && self.mount_of(path.directory)?.host.is_some();
        let is_hidden = |name: &Arc<str>| name.chars().any(is_hidden);
        Errno::INVAL.when(is_new && path.name.as_ref().is_some_and(is_hidden))
    }

    /// Creates an empty directory.
    pub(in crate::kernel) fn create_dir(&mut self, path: &ResolvedPath) -> Result<(), Errno> {
        let name = self.new_entry_name(path, 0, None)?;
        let data = InodeData::empty_directory(path.directory);
        self.add(path.directory, name, data, None).map(drop)
    }

    /// Creates an empty file. `EISDIR`: a trailing slash.
    pub(in crate::kernel) fn create_file(&mut self, path: &ResolvedPath) -> Result<InodeId, Errno> {
        let name = self.new_entry_name(path, 0, Some(Errno::ISDIR))?;
        self.add(path.directory, name, InodeData::EMPTY_FILE, None)
    }

    /// Creates a symbolic link. `EPERM`: an absolute target. `ENOENT`: a trailing slash.
    // [BOX-82]
    pub(in crate::kernel) fn create_symlink(
        &mut self,
        path: &ResolvedPath,
        target: &str,
    ) -> Result<(), Errno> {
        check_path(target)?;
        let name = self.new_entry_name(path, target.len(), Some(Errno::NOENT))?;
        self.add(path.directory, name, InodeData::Link(target.to_owned()), None).map(drop)
    }

    /// Creates a hard link to a file or symbolic link. `EPERM`: a directory. `EXDEV`: another mount.
    /// `ENOENT`: a trailing slash.
    // [BOX-83]
    pub(in crate::kernel) fn hard_link(
        &mut self,
        id: InodeId,
        path: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> HostResult {
        let name = self.new_entry_name(path, 0, Some(Errno::NOENT))?;
        Errno::PERM.when(self.is_directory(id))?;
        Errno::XDEV.when(self.node(id)?.mount != self.node(path.directory)?.mount)?;
        self.require_depth(path.directory)?;
        // A file that is copied up counts once for each of its names from then on.
        let copies = usize::from(!self.node(id)?.is_upper);
        let (names, size) = (copies.saturating_add(1), self.status(id, meter)?.size);
        let bytes = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(names);
        self.require_space(id, Usage { bytes, names, whiteouts: copies })?;
        self.copy_up(id, true, meter)?;
        self.insert_entry(path.directory, name, id)?;
        self.node_mut(id)?.times.changed = self.now;
        Ok(())
    }

    /// Removes a name of a file or symbolic link. `EISDIR`: a directory.
    // [BOX-86]
    pub(in crate::kernel) fn remove_file(
        &mut self,
        path: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> HostResult {
        let id = path.node.ok_or(Errno::NOENT)?;
        let name = path.name.as_deref().filter(|_| !self.is_directory(id));
        let name = name.ok_or(Errno::ISDIR)?;
        path.existing(self)?;
        self.require_writable(id)?;
        self.prepare_removal(path, meter)?;
        self.remove_entry(path.directory, name)?;
        Ok(self.drop_unused(id)?)
    }

    /// Removes an empty directory. `ENOTDIR`, `ENOTEMPTY`; `EINVAL` for `.` and `..`.
    // [BOX-86]
    pub(in crate::kernel) fn remove_directory(
        &mut self,
        path: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> HostResult {
        let id = path.existing(self)?;
        Errno::NOTDIR.when(!self.is_directory(id))?;
        let name = path.name.as_deref().ok_or(Errno::INVAL)?;
        self.require_writable(id)?;
        self.require_empty(id, meter)?;
        self.prepare_removal(path, meter)?;
        self.remove_entry(path.directory, name)?;
        Ok(())
    }

    /// Renames an entry, replacing an existing one. `EINVAL`: into itself. `EISDIR`, `ENOTDIR`,
    /// `ENOTEMPTY`: it cannot replace that. `EXDEV`: another mount.
    // [BOX-84]
    pub(in crate::kernel) fn rename(
        &mut self,
        from: &ResolvedPath,
        to: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> HostResult {
        let id = from.existing(self)?;
        let (Some(old), Some(new)) = (&from.name, &to.name) else {
            return Err(Errno::INVAL.into());
        };
        let is_directory = self.is_directory(id);
        Errno::NOTDIR.when(to.trailing_slash && !is_directory)?;
        Errno::XDEV.when(self.node(id)?.mount != self.node(to.directory)?.mount)?;
        self.require_writable(id)?;
        if to.node == Some(id) {
            return Ok(());
        }
        self.require_visible(to)?;
        Errno::NOENT.when(self.node(to.directory)?.nlink == 0)?;
        Errno::INVAL.when(self.ancestors(to.directory)?.contains(&id))?;
        if let Some(replaced) = to.node {
            match (is_directory, self.is_directory(replaced)) {
                (false, true) => return Err(Errno::ISDIR.into()),
                (true, false) => return Err(Errno::NOTDIR.into()),
                (true, true) => self.require_empty(replaced, meter)?,
                (false, false) => {}
            }
            self.prepare_removal(to, meter)?;
        }
        self.require_depth(to.directory)?;
        self.merge(from.directory, meter)?;
        self.copy_up_tree(id, to.directory, meter)?;
        if to.node.is_some() {
            let replaced = self.remove_entry(to.directory, new)?;
            self.drop_unused(replaced)?;
        }
        self.remove_entry(from.directory, old)?;
        self.insert_entry(to.directory, new, id)?;
        self.node_mut(id)?.times.changed = self.now;
        Ok(())
    }

    /// Fails with `ENOTEMPTY` if the directory has entries, or something that guests do not see.
    fn require_empty(&mut self, directory: InodeId, meter: &mut FuelMeter) -> HostResult {
        let has_hidden = self.load_entries(directory, meter)?;
        Errno::NOTEMPTY.when(has_hidden || !self.directory(directory)?.children.is_empty())?;
        Ok(())
    }

    /// Loads what must be known before a name is removed: the other names of the directory, and the file's
    /// attributes on the host. `ENOSPC`: too many whiteouts.
    // [BOX-81] [BOX-94]
    fn prepare_removal(&mut self, path: &ResolvedPath, meter: &mut FuelMeter) -> HostResult {
        let id = path.node.ok_or(Errno::NOENT)?;
        if !self.node(id)?.is_upper {
            self.require_space(id, Usage { whiteouts: 1, ..Usage::default() })?;
            self.open_file(id, meter)?;
        }
        self.merge(path.directory, meter)
    }

    /// Copies up a file, or a directory with everything below it, before it is moved. `EACCES`: something
    /// below it cannot be moved. `ENOSPC`: it is too large.
    fn copy_up_tree(&mut self, id: InodeId, into: InodeId, meter: &mut FuelMeter) -> HostResult {
        if !self.is_directory(id) {
            return self.copy_up(id, true, meter);
        }
        let (mut below, mut next, mut more) = (vec![id], 0_usize, Usage::default());
        let (top, mut deepest) = (self.ancestors(id)?.len(), 0_usize);
        while let Some(here) = below.get(next).copied() {
            next = next.saturating_add(1);
            meter.charge(ENTRY_FUEL)?;
            if !self.node(here)?.is_upper {
                more.names = more.names.saturating_add(1);
            }
            if !self.is_directory(here) {
                let file = self.open_file(here, meter)?;
                let size = file.map_or(Ok(0), |file| file.size())?;
                more.bytes = more.bytes.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
                continue;
            }
            Errno::ACCES.when(self.load_entries(here, meter)?)?;
            let children = &self.directory(here)?.children;
            below.extend(children.values());
            let depth =
                self.ancestors(here)?.len().saturating_add(usize::from(!children.is_empty()));
            deepest = deepest.max(depth.saturating_sub(top));
            Errno::NOSPC.when(below.len() > STAGED_NAMES_COUNT_MAX)?;
        }
        Errno::NAMETOOLONG
            .when(deepest.saturating_add(self.ancestors(into)?.len()) > FILE_DEPTH_MAX)?;
        more.whiteouts = more.names;
        self.require_space(id, more)?;
        for id in below {
            match self.is_directory(id) {
                true => self.update(id, |node| node.is_upper = true)?,
                false => self.copy_up(id, true, meter)?,
            }
        }
        Ok(())
    }
}
