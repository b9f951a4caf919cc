//! The lower layer of mapped directories: what the host has, met name by name.
//!
//! A name is met when the guest first asks for it or lists its directory, so inode numbers follow from the
//! guest's calls alone. No marks are kept for names that the guest removed (whiteouts): a directory is merged
//! before its first name goes, which means that all names are met; and none is met there later.

use super::tree::{InodeData, InodeId, Origin, OverlayFs};
use crate::kernel::directory::{Directory, EntryKind, File, HostEntry};
use crate::kernel::limits::{
    ENTRY_FUEL, HANDLES_COUNT_MAX, HOST_NAME_FUEL, LISTED_ENTRIES_COUNT_MAX,
};
use crate::kernel::names::is_file_name;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError};
use crate::kernel::sandbox::meter::FuelMeter;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

impl OverlayFs {
    /// What a name in a directory leads to. `ENOENT`; `EACCES` for what the host has there and the
    /// guest may not see.
    // [BOX-08]
    pub(super) fn child(
        &mut self,
        directory: InodeId,
        name: &str,
        meter: &mut FuelMeter,
    ) -> Result<InodeId, HostCallError> {
        // A commit makes such a folder, wherever the directory may be mapped by then.
        Errno::ACCES.when(
            self.mount_of(directory)?.host.as_ref().is_some_and(|host| host.is_reserved(name)),
        )?;
        let known = self.cached_child(directory, name);
        if known.is_ok() || self.node(directory)?.is_upper {
            return Ok(known?);
        }
        // Asked for in a merged directory as well: the host may have something there that is not to be seen.
        let found = self.open_below(directory, name, meter)?;
        Errno::NOENT.when(self.directory(directory)?.is_merged)?;
        let kind = match found {
            HostEntry::Directory(_) => EntryKind::Directory,
            HostEntry::File(_) => EntryKind::File,
        };
        let id = self.meet(directory, &Arc::from(name), kind)?;
        self.hold_open(id, &found)?;
        Ok(id)
    }

    /// Meets every name that the host has in a directory. Gives whether it also has something there
    /// that the guest does not see. `EOVERFLOW`: too many.
    pub(in crate::kernel) fn load_entries(
        &mut self,
        directory: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<bool, HostCallError> {
        if self.node(directory)?.is_upper {
            return Ok(false);
        }
        let host = self.open_directory(directory, meter)?;
        meter.charge(HOST_NAME_FUEL)?;
        // A name that is none is not shown. The others are put in order one by one, since sorting a hundred
        // thousand of them at the end takes a while.
        let (mut entries, mut hides_others) = (BTreeMap::new(), false);
        let (mut count, mut end) = (0_usize, Ok(()));
        let has_own = host.list(&mut |entry| {
            count = count.saturating_add(1);
            end = match meter.charge(ENTRY_FUEL) {
                Err(stop) => Err(HostCallError::Termination(stop)),
                Ok(()) if count > LISTED_ENTRIES_COUNT_MAX => Err(Errno::OVERFLOW.into()),
                Ok(()) => Ok(()),
            };
            match entry {
                Some((name, kind)) if is_file_name(name) => {
                    entries.insert(name.to_owned(), kind);
                }
                _ => hides_others = true,
            }
            end.is_ok()
        })?;
        end?;
        let is_merged = self.directory(directory)?.is_merged;
        for (name, kind) in entries {
            // Paid for as it was listed; but there may be many.
            meter.watch.check()?;
            if !is_merged && self.cached_child(directory, &name).is_err() {
                self.meet(directory, &Arc::from(name), kind)?;
            }
        }
        Ok(hides_others || has_own)
    }

    /// Meets every name that the host has in a directory, and none later.
    // [BOX-88]
    pub(super) fn merge(
        &mut self,
        directory: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<(), HostCallError> {
        if !self.directory(directory)?.is_merged {
            self.load_entries(directory, meter)?;
        }
        self.directory_mut(directory)?.is_merged = true;
        Ok(())
    }

    /// Makes the node of something that the host has.
    fn meet(
        &mut self,
        directory: InodeId,
        name: &Arc<str>,
        kind: EntryKind,
    ) -> Result<InodeId, Errno> {
        let body = match kind {
            EntryKind::Directory => InodeData::empty_directory(directory),
            EntryKind::File => InodeData::EMPTY_FILE,
        };
        let origin = Origin { directory, name: Arc::clone(name), stamp: None };
        self.add(directory, name, body, Some(origin))
    }

    /// Opens a file of the lower layer; none if it was copied up, or is no file. `EIO`: it is a directory by
    /// now.
    pub(in crate::kernel) fn open_file(
        &mut self,
        id: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<Option<&Arc<dyn File>>, HostCallError> {
        let is_open = self.node(id)?.lower.is_some();
        if !is_open && !self.node(id)?.is_upper && !self.is_directory(id) {
            match self.open_lower(id, meter)? {
                HostEntry::File(_) => {}
                HostEntry::Directory(_) => return Err(Errno::IO.into()),
            }
        }
        Ok(self.node(id)?.lower.as_ref())
    }

    /// A directory of the lower layer, held open or opened now. It recurses as deep as directories may be.
    // [BOX-11]
    fn open_directory(
        &mut self,
        id: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<Arc<dyn Directory>, HostCallError> {
        if let Some(held) = self.handles.directories.get(&id) {
            return Ok(Arc::clone(held));
        }
        match self.open_lower(id, meter)? {
            HostEntry::Directory(directory) => Ok(directory),
            HostEntry::File(_) => Err(Errno::NOTDIR.into()),
        }
    }

    /// Opens what the host has where a node was met.
    fn open_lower(
        &mut self,
        id: InodeId,
        meter: &mut FuelMeter,
    ) -> Result<HostEntry, HostCallError> {
        let Some(Origin { directory, name, .. }) = self.node(id)?.origin.clone() else {
            let root = self.mount_of(id)?.host.clone();
            return Ok(HostEntry::Directory(root.ok_or(Errno::IO)?));
        };
        let found = self.open_below(directory, &name, meter)?;
        self.hold_open(id, &found)?;
        Ok(found)
    }

    fn open_below(
        &mut self,
        above: InodeId,
        name: &str,
        meter: &mut FuelMeter,
    ) -> Result<HostEntry, HostCallError> {
        let host = self.open_directory(above, meter)?;
        meter.charge(HOST_NAME_FUEL)?;
        Ok(host.open(name)?)
    }

    /// Holds open what a node was met as, and notes how the host has it if this is the first time.
    // [BOX-94]
    fn hold_open(&mut self, id: InodeId, found: &HostEntry) -> Result<(), Errno> {
        if let Some(Origin { stamp: stamp @ None, .. }) = &mut self.node_mut(id)?.origin {
            *stamp = Some(match found {
                HostEntry::Directory(directory) => directory.fingerprint()?,
                HostEntry::File(file) => file.fingerprint()?,
            });
        }
        match found {
            HostEntry::File(file) => {
                self.close_file();
                self.handles.file = Some(id);
                self.node_mut(id)?.lower = Some(Arc::clone(file));
            }
            HostEntry::Directory(directory) => {
                let held = &mut self.handles.directories;
                if held.len() >= HANDLES_COUNT_MAX {
                    held.clear();
                }
                held.insert(id, Arc::clone(directory));
            }
        }
        Ok(())
    }

    /// Closes the last file that was opened, unless a descriptor stands for it.
    pub(super) fn close_file(&mut self) {
        let last = self.handles.file.take().and_then(|id| self.node_mut(id).ok());
        if let Some(node) = last.filter(|node| node.opened == 0) {
            node.lower = None;
        }
    }
}
