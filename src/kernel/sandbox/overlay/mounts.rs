//! What is there before the guest changes anything: the mounts, and what lies in memory from the start.

use super::tree::{Inode, InodeData, InodeId, Mount, OverlayFs, Usage};
use crate::kernel::directory::Directory;
use crate::kernel::limits::{NODES_COUNT_MAX, STAGED_NAMES_COUNT_MAX};
use crate::kernel::names::STORAGE_MOUNT;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use crate::kernel::sandbox::guest_clock::EPOCH_NS;
use crate::kernel::storage::Entries;
use alloc::sync::Arc;

impl OverlayFs {
    /// Makes a mount with its root.
    pub(super) fn mount(
        &mut self,
        guest: String,
        host: Option<Arc<dyn Directory>>,
        writable: bool,
    ) -> InodeId {
        let (root, mount) = (InodeId(self.nodes.len()), self.mounts.len());
        let body = InodeData::empty_directory(root);
        self.nodes.push(Inode { names: 1, ..Inode::new(mount, host.is_none(), body, EPOCH_NS) });
        let (usage, bytes_max) = (Usage::default(), None);
        self.mounts.push(Mount { guest, root, host, writable, usage, bytes_max });
        root
    }

    /// Makes the tree of the assets, in the order of their paths; `None` if there are none.
    pub(super) fn mount_assets(&mut self) -> Option<InodeId> {
        if self.assets.is_empty() {
            return None;
        }
        let root = self.mount(String::new(), None, false);
        for path in Arc::clone(&self.assets).keys() {
            let _within_the_limits_of_an_archive =
                self.lay(root, path, InodeData::Asset(path.clone()));
        }
        Some(root)
    }

    /// Makes the tree of what the package keeps, in the order of paths. All of it counts towards the quota
    /// and is the guest's to change.
    // [STO-03] [STO-20]
    pub(super) fn mount_storage(&mut self, entries: Entries, bytes_max: u64) -> InodeId {
        // Nothing is left out, or the guest would leave the rest as all that is to be kept.
        const { assert!(STAGED_NAMES_COUNT_MAX < NODES_COUNT_MAX / 2) };
        let root = self.mount(STORAGE_MOUNT.to_owned(), None, true);
        for (path, content) in entries {
            let body = match content {
                Some(content) => InodeData::File(content),
                None => InodeData::empty_directory(root),
            };
            let _within_the_limits_of_a_snapshot = self.lay(root, &path, body);
        }
        if let Some(mount) = self.mounts.last_mut() {
            mount.bytes_max = Some(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        }
        root
    }

    /// Makes what is there from the start, with the directories above it.
    fn lay(&mut self, root: InodeId, path: &str, body: InodeData) -> Result<InodeId, Errno> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut directory = root;
        for name in above.split('/').filter(|name| !name.is_empty()) {
            directory = match self.cached_child(directory, name) {
                Ok(known) => known,
                Err(_) => {
                    let body = InodeData::empty_directory(directory);
                    self.add(directory, &Arc::from(name), body, None)?
                }
            };
        }
        self.add(directory, &Arc::from(name), body, None)
    }
}
