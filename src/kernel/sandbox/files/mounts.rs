//! Room: what is there before the guest changes anything: the assets, and the directories of the host.
//!
//! A node of the host's is made when the guest first meets its name, so inode numbers follow from the
//! guest's calls alone. It lies where the host has it, for as long as the guest leaves it alone.

use super::tree::{Body, Location, Mount, Node, NodeId, Times, Tree, Usage};
use crate::kernel::directory::{Directory, Found, Kind};
use crate::kernel::limits::{
    ENTRY_FUEL, HOST_NAME_FUEL, LISTED_ENTRIES_COUNT_MAX, NODES_COUNT_MAX, STAGED_NAMES_COUNT_MAX,
};
use crate::kernel::names::STORAGE_MOUNT;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::{Errno, Halt};
use crate::kernel::sandbox::meter::Meter;
use crate::kernel::sandbox::time::EPOCH_NS;
use crate::kernel::storage::Entries;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;

impl Tree {
    /// Makes a mount with its root.
    pub(super) fn mount(
        &mut self,
        guest: String,
        host: Option<Arc<dyn Directory>>,
        writable: bool,
    ) -> NodeId {
        let (root, mount) = (NodeId(self.nodes.len()), self.mounts.len());
        let location = Location { above: None, name: Arc::from(""), handle: RefCell::default() };
        let location = host.is_some().then(|| Rc::new(location));
        self.mounts.push(Mount {
            guest,
            root,
            host,
            writable,
            gone: BTreeMap::new(),
            own: Usage::default(),
            bytes_max: None,
        });
        let body = Body::Directory { parent: root, children: BTreeMap::new() };
        let times = Times { accessed: EPOCH_NS, modified: EPOCH_NS, changed: EPOCH_NS };
        self.nodes.push(Node { mount, host: location, body, times, names: 1, opened: 0 });
        root
    }

    /// Makes the tree of the assets, in the order of their paths; `None` if there are none.
    pub(super) fn mount_assets(&mut self) -> Option<NodeId> {
        if self.assets.is_empty() {
            return None;
        }
        let root = self.mount(String::new(), None, false);
        for path in Arc::clone(&self.assets).keys() {
            let _within_the_limits_of_an_archive = self.lay(root, path, Body::Asset(path.clone()));
        }
        Some(root)
    }

    /// Makes the tree of what the package keeps, in the order of paths. All of it counts towards the quota
    /// and is the guest's to change.
    // [STO-03] [STO-20]
    pub(super) fn mount_storage(&mut self, entries: Entries, bytes_max: u64) -> NodeId {
        // Nothing is left out, or the guest would leave the rest as all that is to be kept.
        const { assert!(STAGED_NAMES_COUNT_MAX < NODES_COUNT_MAX / 2) };
        let root = self.mount(STORAGE_MOUNT.to_owned(), None, true);
        for (path, content) in entries {
            let body = match content {
                Some(content) => Body::File(content),
                None => Body::Directory { parent: root, children: BTreeMap::new() },
            };
            let _within_the_limits_of_a_snapshot = self.lay(root, &path, body);
        }
        if let Some(mount) = self.mounts.last_mut() {
            mount.bytes_max = Some(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        }
        root
    }

    /// Makes what is there from the start, with the directories above it.
    fn lay(&mut self, root: NodeId, path: &str, body: Body) -> Result<NodeId, Errno> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut directory = root;
        for name in above.split('/').filter(|name| !name.is_empty()) {
            directory = match self.known_child(directory, name) {
                Ok(known) => known,
                Err(_) => {
                    let body = Body::Directory { parent: directory, children: BTreeMap::new() };
                    self.add(directory, &Arc::from(name), body, None)?
                }
            };
        }
        self.add(directory, &Arc::from(name), body, None)
    }

    pub(super) fn mount_host(
        &mut self,
        guest: String,
        host: Arc<dyn Directory>,
        writable: bool,
    ) -> NodeId {
        self.mount(guest, Some(host), writable)
    }

    /// What a name in a directory leads to. `ENOENT`; `EACCES` for what the host has there and the
    /// guest may not see.
    // [BOX-08]
    pub(super) fn child(
        &mut self,
        directory: NodeId,
        name: &str,
        meter: &mut Meter,
    ) -> Result<NodeId, Halt> {
        // A commit makes such a folder, wherever the directory may be mapped by then.
        if self.mount_of(directory)?.host.as_ref().is_some_and(|host| host.is_reserved(name)) {
            return Err(Errno::ACCES.into());
        }
        let known = self.known_child(directory, name);
        let Some(above) = &self.node(directory)?.host else { return Ok(known?) };
        if known != Err(Errno::NOENT) {
            return Ok(known?);
        }
        let name = Arc::from(name);
        let location = above.below(&name);
        let mount = self.mount_of(directory)?;
        let Some(host) = mount.host.clone().filter(|_| !mount.gone.contains_key(&location.path()))
        else {
            return Err(Errno::NOENT.into());
        };
        let found = self.look(&host, &location, meter)?;
        self.handles.meet(&location, &found);
        let kind = match found {
            Found::Directory(_) => Kind::Directory,
            Found::File(_) => Kind::File,
        };
        Ok(self.adopt(directory, &name, location, kind)?)
    }

    /// Meets every name that the host has in a directory. Gives whether it also has something there
    /// that the guest does not see. `EOVERFLOW`: too many.
    pub(crate) fn meet_all(&mut self, directory: NodeId, meter: &mut Meter) -> Result<bool, Halt> {
        let Some(above) = self.node(directory)?.host.clone() else { return Ok(false) };
        let Some(host) = self.mount_of(directory)?.host.clone() else { return Ok(false) };
        let names = above.names();
        meter.charge_each(names.len(), HOST_NAME_FUEL)?;
        // Put in order one by one, since sorting a hundred thousand names at the end takes a while.
        let (mut entries, mut hides_others) = (BTreeMap::new(), false);
        let (mut count, mut end) = (0_usize, Ok(()));
        let has_own = self.handles.directory(&host, &above)?.list(&mut |entry| {
            count = count.saturating_add(1);
            end = match meter.charge(ENTRY_FUEL) {
                Err(stop) => Err(Halt::Stop(stop)),
                Ok(()) if count > LISTED_ENTRIES_COUNT_MAX => Err(Errno::OVERFLOW.into()),
                Ok(()) => Ok(()),
            };
            match entry {
                Some((name, kind)) => drop(entries.insert(name.to_owned(), kind)),
                None => hides_others = true,
            }
            end.is_ok()
        })?;
        end?;
        for (name, kind) in entries {
            // Paid for as it was listed; but there may be many, each at the end of a long path.
            meter.watch.check()?;
            let name = Arc::from(name);
            let location = above.below(&name);
            let gone = &self.mount_of(directory)?.gone;
            let is_gone = !gone.is_empty() && gone.contains_key(&location.path());
            if !is_gone && self.known_child(directory, &name).is_err() {
                self.adopt(directory, &name, location, kind)?;
            }
        }
        Ok(hides_others || has_own)
    }

    /// Makes the node of something that the host has.
    fn adopt(
        &mut self,
        directory: NodeId,
        name: &Arc<str>,
        location: Rc<Location>,
        kind: Kind,
    ) -> Result<NodeId, Errno> {
        let body = match kind {
            Kind::Directory => Body::Directory { parent: directory, children: BTreeMap::new() },
            Kind::File => Body::File(Vec::new()),
        };
        self.add(directory, name, body, Some(location))
    }
}

impl Tree {
    /// Keeps how the host has something, before the guest takes it over.
    // [BOX-94]
    pub(super) fn note_origin(&mut self, id: NodeId, meter: &mut Meter) -> Result<(), Halt> {
        let (node, mount) = (self.node(id)?, self.mount_of(id)?);
        let (Some(location), Some(host)) = (&node.host, &mount.host) else { return Ok(()) };
        if self.origins.contains_key(&id.0) {
            return Ok(());
        }
        let stamp = match self.look(host, location, meter)? {
            Found::Directory(directory) => directory.stamp()?,
            Found::File(file) => file.stamp()?,
        };
        self.origins.insert(id.0, stamp);
        Ok(())
    }

    /// What the host has in a place.
    pub(super) fn look(
        &self,
        host: &Arc<dyn Directory>,
        location: &Rc<Location>,
        meter: &mut Meter,
    ) -> Result<Found, Halt> {
        meter.charge_each(location.names().len(), HOST_NAME_FUEL)?;
        Ok(self.handles.look(host, location)?)
    }
}
