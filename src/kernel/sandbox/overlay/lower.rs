//! Lower layer of mapped directories: host files and directories, loaded name by name.
//!
//! A name is loaded when the guest first uses it or lists its directory, so inode numbers depend only on
//! the guest's calls. Whiteouts need no markers: before the first name of a directory is removed, the
//! directory is merged, which loads all lower names; none is loaded there later.

use super::inode::{InodeData, InodeId, Origin, OverlayFs};
use crate::kernel::directory::{Directory, File, HostEntry, Kind};
use crate::kernel::limits::{
    ENTRY_FUEL, HANDLES_COUNT_MAX, HOST_NAME_FUEL, LISTED_ENTRIES_COUNT_MAX,
};
use crate::kernel::names::is_file_name;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, HostCallError, HostResult};
use crate::kernel::sandbox::meter::FuelMeter;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

impl OverlayFs {
    /// Looks up a name in a directory. `ENOENT`; `EACCES`: the host has something that guests do not see.
    // [BOX-08]
    pub(super) fn child(
        &mut self,
        directory: InodeId,
        name: &str,
        meter: &mut FuelMeter,
    ) -> HostResult<InodeId> {
        // Commits use this name for their staging directory.
        Errno::ACCES.when(
            self.mount_of(directory)?.host.as_ref().is_some_and(|host| host.is_reserved(name)),
        )?;
        let known = self.cached_child(directory, name);
        if known.is_ok() || self.node(directory)?.is_upper {
            return Ok(known?);
        }
        // Opened even if the directory is merged: the host may have something that guests do not see.
        let found = self.open_child(directory, name, meter)?;
        Errno::NOENT.when(self.directory(directory)?.is_merged)?;
        let kind = match found {
            HostEntry::Directory(_) => Kind::Directory,
            HostEntry::File(_) => Kind::File,
        };
        let id = self.load(directory, &Arc::from(name), kind)?;
        self.keep_open(id, &found)?;
        Ok(id)
    }

    /// Loads all lower names of a directory. Returns `true` if it also has something that guests do not
    /// see. `EOVERFLOW`: too many names.
    pub(in crate::kernel) fn load_entries(
        &mut self,
        directory: InodeId,
        meter: &mut FuelMeter,
    ) -> HostResult<bool> {
        if self.node(directory)?.is_upper {
            return Ok(false);
        }
        let host = self.open_directory(directory, meter)?;
        meter.charge(HOST_NAME_FUEL)?;
        // Invalid names are hidden. The others are inserted in order one by one, since sorting a hundred
        // thousand at the end could not be interrupted.
        let (mut entries, mut has_hidden) = (BTreeMap::new(), false);
        let (mut count, mut end) = (0_usize, Ok(()));
        let has_reserved = host.list(&mut |entry| {
            count = count.saturating_add(1);
            end = match meter.charge(ENTRY_FUEL) {
                Err(termination) => Err(HostCallError::Termination(termination)),
                Ok(()) if count > LISTED_ENTRIES_COUNT_MAX => Err(Errno::OVERFLOW.into()),
                Ok(()) => Ok(()),
            };
            match entry {
                Some((name, kind)) if is_file_name(name) => {
                    entries.insert(name.to_owned(), kind);
                }
                _ => has_hidden = true,
            }
            end.is_ok()
        })?;
        end?;
        let is_merged = self.directory(directory)?.is_merged;
        for (name, kind) in entries {
            // Their fuel was charged while listing; check the deadline, since there may be many.
            meter.deadline.check()?;
            if !is_merged && self.cached_child(directory, &name).is_err() {
                self.load(directory, &Arc::from(name), kind)?;
            }
        }
        Ok(has_hidden || has_reserved)
    }

    /// Loads all lower names of a directory; none is loaded there later.
    // [BOX-88]
    pub(super) fn merge(&mut self, directory: InodeId, meter: &mut FuelMeter) -> HostResult {
        if !self.directory(directory)?.is_merged {
            self.load_entries(directory, meter)?;
        }
        self.directory_mut(directory)?.is_merged = true;
        Ok(())
    }

    /// Adds the inode of a lower name.
    fn load(&mut self, directory: InodeId, name: &Arc<str>, kind: Kind) -> Result<InodeId, Errno> {
        let data = match kind {
            Kind::Directory => InodeData::empty_directory(directory),
            Kind::File => InodeData::EMPTY_FILE,
        };
        let origin = Origin { directory, name: Arc::clone(name), fingerprint: None };
        self.add(directory, name, data, Some(origin))
    }

    /// Opens a file of the lower layer; `None` if it was copied up or is not a file. `EIO`: the host has a
    /// directory there now.
    pub(in crate::kernel) fn open_file(
        &mut self,
        id: InodeId,
        meter: &mut FuelMeter,
    ) -> HostResult<Option<&Arc<dyn File>>> {
        let is_open = self.node(id)?.lower.is_some();
        if !is_open && !self.node(id)?.is_upper && !self.is_directory(id) {
            match self.open_lower(id, meter)? {
                HostEntry::File(_) => {}
                HostEntry::Directory(_) => return Err(Errno::IO.into()),
            }
        }
        Ok(self.node(id)?.lower.as_ref())
    }

    /// Returns the host's directory, already open or opened now. The recursion is as deep as directories
    /// can be.
    // [BOX-11]
    fn open_directory(
        &mut self,
        id: InodeId,
        meter: &mut FuelMeter,
    ) -> HostResult<Arc<dyn Directory>> {
        if let Some(held) = self.handles.directories.get(&id) {
            return Ok(Arc::clone(held));
        }
        match self.open_lower(id, meter)? {
            HostEntry::Directory(directory) => Ok(directory),
            HostEntry::File(_) => Err(Errno::NOTDIR.into()),
        }
    }

    /// Opens the lower file or directory of an inode.
    fn open_lower(&mut self, id: InodeId, meter: &mut FuelMeter) -> HostResult<HostEntry> {
        let Some(Origin { directory, name, .. }) = self.node(id)?.origin.clone() else {
            let root = self.mount_of(id)?.host.clone();
            return Ok(HostEntry::Directory(root.ok_or(Errno::IO)?));
        };
        let found = self.open_child(directory, &name, meter)?;
        self.keep_open(id, &found)?;
        Ok(found)
    }

    fn open_child(
        &mut self,
        above: InodeId,
        name: &str,
        meter: &mut FuelMeter,
    ) -> HostResult<HostEntry> {
        let host = self.open_directory(above, meter)?;
        meter.charge(HOST_NAME_FUEL)?;
        Ok(host.open(name)?)
    }

    /// Keeps a lower object open, and records its attributes on the host the first time.
    // [BOX-94]
    fn keep_open(&mut self, id: InodeId, found: &HostEntry) -> Result<(), Errno> {
        if let Some(Origin { fingerprint: fingerprint @ None, .. }) = &mut self.node_mut(id)?.origin
        {
            *fingerprint = Some(match found {
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

    /// Closes the last file that was opened, unless it has open descriptors.
    pub(super) fn close_file(&mut self) {
        let last = self.handles.file.take().and_then(|id| self.node_mut(id).ok());
        if let Some(node) = last.filter(|node| node.open_count == 0) {
            node.lower = None;
        }
    }
}
