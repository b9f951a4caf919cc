//! Making, linking, moving and removing names. The rules are those of POSIX; everything is checked before
//! anything is changed.

use super::resolve::{check_path, ResolvedPath};
use super::tree::{InodeData, InodeId, OverlayFs, Usage};
use crate::kernel::limits::{ENTRY_FUEL, FILE_DEPTH_MAX, STAGED_NAMES_COUNT_MAX};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError};
use crate::kernel::sandbox::meter::FuelMeter;
use alloc::sync::Arc;

impl OverlayFs {
    /// The name at which something can be made. `EEXIST`, `EROFS`, `ENOSPC`; `ENOENT` in a directory
    /// that was removed. `slash` is the answer if only a directory may have such a name.
    fn free_name<'a>(
        &self,
        place: &'a ResolvedPath,
        bytes: usize,
        slash: Option<Errno>,
    ) -> Result<&'a Arc<str>, Errno> {
        let name = place.name.as_ref().filter(|_| place.node.is_none()).ok_or(Errno::EXIST)?;
        self.require_writable(place.directory)?;
        Errno::NOENT.when(self.node(place.directory)?.names == 0)?;
        self.require_space(place.directory, Usage { bytes, names: 1, whiteouts: 0 })?;
        slash.filter(|_| place.slash).map_or(Ok(name), Err)
    }

    /// Makes an empty directory.
    pub(in crate::kernel) fn make_directory(&mut self, place: &ResolvedPath) -> Result<(), Errno> {
        let name = self.free_name(place, 0, None)?;
        let body = InodeData::empty_directory(place.directory);
        self.add(place.directory, name, body, None).map(drop)
    }

    /// Makes an empty file. `EISDIR`: its name ends in a slash.
    pub(in crate::kernel) fn make_file(&mut self, place: &ResolvedPath) -> Result<InodeId, Errno> {
        let name = self.free_name(place, 0, Some(Errno::ISDIR))?;
        self.add(place.directory, name, InodeData::EMPTY_FILE, None)
    }

    /// Makes a symbolic link. `EPERM`: its target is absolute. `ENOENT`: its name ends in a slash.
    // [BOX-82]
    pub(in crate::kernel) fn make_link(
        &mut self,
        place: &ResolvedPath,
        target: &str,
    ) -> Result<(), Errno> {
        check_path(target)?;
        let name = self.free_name(place, target.len(), Some(Errno::NOENT))?;
        self.add(place.directory, name, InodeData::Link(target.to_owned()), None).map(drop)
    }

    /// Gives a file or link a second name. `EPERM`: a directory. `EXDEV`: in another mount. `ENOENT`:
    /// the name ends in a slash.
    // [BOX-83]
    pub(in crate::kernel) fn add_name(
        &mut self,
        id: InodeId,
        place: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        let name = self.free_name(place, 0, Some(Errno::NOENT))?;
        Errno::PERM.when(self.is_directory(id))?;
        Errno::XDEV.when(self.node(id)?.mount != self.node(place.directory)?.mount)?;
        self.require_depth(place.directory)?;
        // A file that is copied up counts twice from then on, for each of its names.
        let copies = usize::from(!self.node(id)?.is_upper);
        let (names, size) = (copies.saturating_add(1), self.status(id, meter)?.size);
        let bytes = usize::try_from(size).unwrap_or(usize::MAX).saturating_mul(names);
        self.require_space(id, Usage { bytes, names, whiteouts: copies })?;
        self.copy_up(id, true, meter)?;
        self.attach(place.directory, name, id)?;
        self.node_mut(id)?.times.changed = self.now;
        Ok(())
    }

    /// Removes a name of a file or link. `EISDIR`: a directory.
    // [BOX-86]
    pub(in crate::kernel) fn remove_file(
        &mut self,
        place: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        let id = place.node.ok_or(Errno::NOENT)?;
        let name = place.name.as_deref().filter(|_| !self.is_directory(id));
        let name = name.ok_or(Errno::ISDIR)?;
        place.existing(self)?;
        self.require_writable(id)?;
        self.prepare_removal(place, meter)?;
        self.detach(place.directory, name)?;
        Ok(self.drop_unused(id)?)
    }

    /// Removes an empty directory. `ENOTDIR`, `ENOTEMPTY`; `EINVAL` for `.` and `..`.
    // [BOX-86]
    pub(in crate::kernel) fn remove_directory(
        &mut self,
        place: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        let id = place.existing(self)?;
        Errno::NOTDIR.when(!self.is_directory(id))?;
        let name = place.name.as_deref().ok_or(Errno::INVAL)?;
        self.require_writable(id)?;
        self.require_empty(id, meter)?;
        self.prepare_removal(place, meter)?;
        self.detach(place.directory, name)?;
        Ok(())
    }

    /// Moves what is in one place to another, and replaces what is there. `EINVAL`: into itself.
    /// `EISDIR`, `ENOTDIR`, `ENOTEMPTY`: it can't replace that. `EXDEV`: in another mount.
    // [BOX-84]
    pub(in crate::kernel) fn rename(
        &mut self,
        from: &ResolvedPath,
        to: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        let id = from.existing(self)?;
        let (Some(old), Some(new)) = (&from.name, &to.name) else {
            return Err(Errno::INVAL.into());
        };
        let is_directory = self.is_directory(id);
        Errno::NOTDIR.when(to.slash && !is_directory)?;
        Errno::XDEV.when(self.node(id)?.mount != self.node(to.directory)?.mount)?;
        self.require_writable(id)?;
        if to.node == Some(id) {
            return Ok(());
        }
        Errno::NOENT.when(self.node(to.directory)?.names == 0)?;
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
        self.copy_up_all(id, to.directory, meter)?;
        if to.node.is_some() {
            let replaced = self.detach(to.directory, new)?;
            self.drop_unused(replaced)?;
        }
        self.detach(from.directory, old)?;
        self.attach(to.directory, new, id)?;
        self.node_mut(id)?.times.changed = self.now;
        Ok(())
    }

    /// `ENOTEMPTY` if there is anything in a directory, be it something that the guest does not see.
    fn require_empty(
        &mut self,
        directory: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        let hides_others = self.load_entries(directory, meter)?;
        Errno::NOTEMPTY.when(hides_others || !self.directory(directory)?.children.is_empty())?;
        Ok(())
    }

    /// Makes sure of what has to be known before a name goes: the other names of the directory, and how the
    /// host has the file. `ENOSPC`: no more of the host's may be removed.
    // [BOX-81] [BOX-94]
    fn prepare_removal(
        &mut self,
        place: &ResolvedPath,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        let id = place.node.ok_or(Errno::NOENT)?;
        if !self.node(id)?.is_upper {
            self.require_space(id, Usage { whiteouts: 1, ..Usage::default() })?;
            self.open_file(id, meter)?;
        }
        self.merge(place.directory, meter)
    }

    /// Copies a file up, or a directory with everything below it, to be moved into another directory.
    /// `EACCES`: there is something in it that can't be moved. `ENOSPC`: it is too large.
    fn copy_up_all(
        &mut self,
        id: InodeId,
        into: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
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
                true => self.alter(id, |node| node.is_upper = true)?,
                false => self.copy_up(id, true, meter)?,
            }
        }
        Ok(())
    }
}
