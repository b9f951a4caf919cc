//! The host's directories that are open, so that each name on a way is opened once.

use crate::kernel::directory::{Directory, File, Found};
use crate::kernel::limits::HANDLES_COUNT_MAX;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;

/// Where the host has something: a name in a directory of the host; of the root of a mount, none. Each
/// name is kept once, for the tree and for all that lies below it.
pub(super) struct Location {
    pub(super) above: Option<Rc<Location>>,
    pub(super) name: Arc<str>,
    /// The directory, while it is held open.
    pub(super) handle: RefCell<Option<Arc<dyn Directory>>>,
}

impl Location {
    pub(super) fn below(self: &Rc<Self>, name: &Arc<str>) -> Rc<Self> {
        let (above, name) = (Some(Rc::clone(self)), Arc::clone(name));
        Rc::new(Location { above, name, handle: RefCell::default() })
    }

    /// The names that lead there from the root of the mount.
    pub(super) fn names(&self) -> Vec<&str> {
        let (mut names, mut here) = (Vec::new(), self);
        while let Some(above) = &here.above {
            names.push(&*here.name);
            here = above;
        }
        names.reverse();
        names
    }

    /// The names as one path.
    pub(super) fn path(&self) -> String {
        self.names().join("/")
    }
}

/// Directories that are held open, the latest last; and a file that was just met and is likely to be opened.
#[derive(Default)]
pub(super) struct Handles {
    held: RefCell<Vec<Rc<Location>>>,
    met: RefCell<Option<Met>>,
}

/// A file, and where it was met.
type Met = (Rc<Location>, Arc<dyn File>);

impl Handles {
    /// What the host has in a place, opened from the directory above it.
    pub(super) fn look(
        &self,
        root: &Arc<dyn Directory>,
        location: &Rc<Location>,
    ) -> Result<Found, Errno> {
        if let Some((_, file)) = self.met.take().filter(|(met, _)| Rc::ptr_eq(met, location)) {
            return Ok(Found::File(file));
        }
        match &location.above {
            Some(above) => Ok(self.directory(root, above)?.open(&location.name)?),
            None => Ok(Found::Directory(Arc::clone(root))),
        }
    }

    /// A file that was met on the way to something that may open it.
    pub(super) fn meet(&self, location: &Rc<Location>, found: &Found) {
        if let Found::File(file) = found {
            self.met.replace(Some((Rc::clone(location), Arc::clone(file))));
        }
    }

    /// Forgets what was met: by the next call the host may have another file there.
    pub(super) fn forget(&self) {
        self.met.take();
    }

    /// The directory in a place. It recurses as deep as directories may be.
    // [BOX-11]
    pub(super) fn directory(
        &self,
        root: &Arc<dyn Directory>,
        location: &Rc<Location>,
    ) -> Result<Arc<dyn Directory>, Errno> {
        if let Some(handle) = &*location.handle.borrow() {
            return Ok(Arc::clone(handle));
        }
        let Found::Directory(found) = self.look(root, location)? else { return Err(Errno::NOTDIR) };
        if location.above.is_some() {
            let mut held = self.held.borrow_mut();
            if held.len() >= HANDLES_COUNT_MAX {
                held.drain(..).for_each(|other| drop(other.handle.take()));
            }
            location.handle.replace(Some(Arc::clone(&found)));
            held.push(Rc::clone(location));
        }
        Ok(found)
    }
}
