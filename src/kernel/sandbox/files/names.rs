//! Room: making, linking, moving and removing names. The rules are those of POSIX; everything is
//! checked before anything is changed.

use super::resolve::{check_path, Place};
use super::tree::{Body, NodeId, Tree};
use crate::kernel::limits::{ENTRY_FUEL, FILE_DEPTH_MAX, STAGED_NAMES_COUNT_MAX};
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, Halt};

use crate::kernel::sandbox::meter::Meter;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

impl Tree {
    /// The name at which something can be made. `EEXIST`, `EROFS`, `ENOSPC`; `ENOENT` in a directory
    /// that was removed.
    fn free_name<'a>(&self, place: &'a Place, bytes: usize) -> Result<&'a Arc<str>, Errno> {
        let name = place.name.as_ref().ok_or(Errno::EXIST)?;
        if place.node.is_some() {
            return Err(Errno::EXIST);
        }
        self.require_writable(place.directory)?;
        if self.node(place.directory)?.names == 0 {
            return Err(Errno::NOENT);
        }
        self.require_room(place.directory, 1, 0, bytes)?;
        Ok(name)
    }

    /// Makes an empty directory.
    pub(crate) fn make_directory(&mut self, place: &Place) -> Result<(), Errno> {
        let name = self.free_name(place, 0)?;
        let body = Body::Directory { parent: place.directory, children: BTreeMap::new() };
        self.add(place.directory, name, body, None).map(drop)
    }

    /// Makes an empty file. `EISDIR`: its name ends in a slash.
    pub(crate) fn make_file(&mut self, place: &Place) -> Result<NodeId, Errno> {
        let name = self.free_name(place, 0)?;
        if place.slash {
            return Err(Errno::ISDIR);
        }
        self.add(place.directory, name, Body::File(Vec::new()), None)
    }

    /// Makes a symbolic link. `EPERM`: its target is absolute. `ENOENT`: its name ends in a slash.
    // [BOX-82]
    pub(crate) fn make_link(&mut self, place: &Place, target: &str) -> Result<(), Errno> {
        check_path(target)?;
        let name = self.free_name(place, target.len())?;
        if place.slash {
            return Err(Errno::NOENT);
        }
        self.add(place.directory, name, Body::Link(target.to_owned()), None).map(drop)
    }

    /// Gives a file or link a second name. `EPERM`: a directory. `EXDEV`: in another mount. `ENOENT`:
    /// the name ends in a slash.
    // [BOX-83]
    pub(crate) fn add_name(
        &mut self,
        id: NodeId,
        place: &Place,
        meter: &mut Meter,
    ) -> Result<(), Halt> {
        let name = self.free_name(place, 0)?;
        if place.slash {
            return Err(Errno::NOENT.into());
        }
        if self.is_directory(id) {
            return Err(Errno::PERM.into());
        }
        if self.node(id)?.mount != self.node(place.directory)?.mount {
            return Err(Errno::XDEV.into());
        }
        self.require_depth(place.directory)?;
        // A file of the host that is taken in counts twice from then on, for each of its names.
        let (is_host, size) = (self.node(id)?.host.is_some(), self.status(id, None, meter)?.size);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let (own, bytes) = if is_host { (2, size.saturating_mul(2)) } else { (1, size) };
        self.require_room(id, own, usize::from(is_host), bytes)?;
        self.take_in(id, true, meter)?;
        self.attach(place.directory, name, id)?;
        self.node_mut(id)?.times.changed = self.now;
        Ok(())
    }

    /// Removes a name of a file or link. `EISDIR`: a directory.
    // [BOX-86]
    pub(crate) fn remove_file(&mut self, place: &Place, meter: &mut Meter) -> Result<(), Halt> {
        let id = place.node.ok_or(Errno::NOENT)?;
        let name = place.name.as_deref().filter(|_| !self.is_directory(id));
        let name = name.ok_or(Errno::ISDIR)?;
        place.existing(self)?;
        self.require_writable(id)?;
        self.require_gone(id)?;
        self.note_origin(id, meter)?;
        Ok(self.detach(place.directory, name)?)
    }

    /// Removes an empty directory. `ENOTDIR`, `ENOTEMPTY`; `EINVAL` for `.` and `..`.
    // [BOX-86]
    pub(crate) fn remove_directory(
        &mut self,
        place: &Place,
        meter: &mut Meter,
    ) -> Result<(), Halt> {
        let id = place.existing(self)?;
        if !self.is_directory(id) {
            return Err(Errno::NOTDIR.into());
        }
        let name = place.name.as_deref().ok_or(Errno::INVAL)?;
        self.require_writable(id)?;
        self.require_empty(id, meter)?;
        self.require_gone(id)?;
        Ok(self.detach(place.directory, name)?)
    }

    /// Moves what is in one place to another, and replaces what is there. `EINVAL`: into itself.
    /// `EISDIR`, `ENOTDIR`, `ENOTEMPTY`: it can't replace that. `EXDEV`: in another mount.
    // [BOX-84]
    pub(crate) fn rename(
        &mut self,
        from: &Place,
        to: &Place,
        meter: &mut Meter,
    ) -> Result<(), Halt> {
        let id = from.existing(self)?;
        let (Some(old), Some(new)) = (&from.name, &to.name) else {
            return Err(Errno::INVAL.into());
        };
        let is_directory = self.is_directory(id);
        if to.slash && !is_directory {
            return Err(Errno::NOTDIR.into());
        }
        if self.node(id)?.mount != self.node(to.directory)?.mount {
            return Err(Errno::XDEV.into());
        }
        self.require_writable(id)?;
        if to.node == Some(id) {
            return Ok(());
        }
        if self.node(to.directory)?.names == 0 {
            return Err(Errno::NOENT.into());
        }
        if self.is_inside(to.directory, id)? {
            return Err(Errno::INVAL.into());
        }
        if let Some(replaced) = to.node {
            match (is_directory, self.is_directory(replaced)) {
                (false, true) => return Err(Errno::ISDIR.into()),
                (true, false) => return Err(Errno::NOTDIR.into()),
                (true, true) => self.require_empty(replaced, meter)?,
                (false, false) => {}
            }
            self.require_gone(replaced)?;
            if !is_directory {
                self.note_origin(replaced, meter)?;
            }
        }
        self.require_depth(to.directory)?;
        self.take_in_all(id, to.directory, meter)?;
        if to.node.is_some() {
            self.detach(to.directory, new)?;
        }
        self.detach_to_move(from.directory, old, id)?;
        self.attach(to.directory, new, id)?;
        self.node_mut(id)?.times.changed = self.now;
        Ok(())
    }

    /// Takes a name away without letting go of what it leads to.
    fn detach_to_move(&mut self, directory: NodeId, name: &str, id: NodeId) -> Result<(), Errno> {
        self.hold(id)?;
        self.detach(directory, name)?;
        let node = self.node_mut(id)?;
        node.opened = node.opened.saturating_sub(1);
        Ok(())
    }

    /// Whether a directory is another one or lies below it.
    fn is_inside(&self, mut directory: NodeId, outer: NodeId) -> Result<bool, Errno> {
        loop {
            let parent = self.parent(directory)?;
            if directory == outer || parent == directory {
                return Ok(directory == outer);
            }
            directory = parent;
        }
    }

    /// `ENOTEMPTY` if there is anything in a directory, be it something that the guest does not see.
    fn require_empty(&mut self, directory: NodeId, meter: &mut Meter) -> Result<(), Halt> {
        let hides_others = self.meet_all(directory, meter)?;
        if hides_others || !self.children(directory)?.is_empty() {
            return Err(Errno::NOTEMPTY.into());
        }
        Ok(())
    }

    /// `ENOSPC` if it is the host's and no more of those can be removed.
    fn require_gone(&self, id: NodeId) -> Result<(), Errno> {
        let is_host = self.node(id)?.host.is_some();
        self.require_room(id, 0, usize::from(is_host), 0)
    }

    /// Takes a file or a whole directory of the host into memory, to be moved into another directory.
    /// `EACCES`: there is something in it that can't be moved. `ENOSPC`: it is too large.
    fn take_in_all(&mut self, id: NodeId, into: NodeId, meter: &mut Meter) -> Result<(), Halt> {
        if !self.is_directory(id) {
            return self.take_in(id, true, meter);
        }
        let (mut below, mut next) = (vec![id], 0_usize);
        let (mut bytes, mut depth) = (0_usize, 0_usize);
        while let Some(here) = below.get(next).copied() {
            next = next.saturating_add(1);
            meter.charge(ENTRY_FUEL)?;
            if !self.is_directory(here) {
                let file = self.open_host(here, meter)?;
                let size = file.as_ref().map_or(Ok(0), |file| file.size())?;
                bytes = bytes.saturating_add(usize::try_from(size).unwrap_or(usize::MAX));
                continue;
            }
            if self.meet_all(here, meter)? {
                return Err(Errno::ACCES.into());
            }
            let children = self.children(here)?;
            below.extend(children.values());
            let deepest = self.depth(here)?.saturating_add(usize::from(!children.is_empty()));
            depth = depth.max(deepest);
            if below.len() > STAGED_NAMES_COUNT_MAX {
                return Err(Errno::NOSPC.into());
            }
        }
        let moved = depth.saturating_sub(self.depth(id)?).saturating_add(self.depth(into)?);
        if moved >= FILE_DEPTH_MAX {
            return Err(Errno::NAMETOOLONG.into());
        }
        let of_host = below.iter().filter(|id| self.node(**id).is_ok_and(|n| n.host.is_some()));
        let count = of_host.count();
        self.require_room(id, count, count, bytes)?;
        for id in below {
            match self.is_directory(id) {
                true => {
                    self.note_origin(id, meter)?;
                    self.make_own(id, None)?;
                }
                false => self.take_in(id, true, meter)?,
            }
        }
        Ok(())
    }
}
