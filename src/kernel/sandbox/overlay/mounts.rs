//! Mounts: mapped directories, and assets and storage, which are in memory from the start.

use super::inode::{Inode, InodeData, InodeId, Mount, OverlayFs, Usage};
use crate::kernel::directory::Directory;
use crate::kernel::limits::{NODES_COUNT_MAX, STAGED_NAMES_COUNT_MAX};
use crate::kernel::names::STORAGE_MOUNT;
use crate::kernel::prelude::*;
use crate::kernel::sandbox::errno::Errno;
use crate::kernel::sandbox::guest_clock::EPOCH_NS;
use crate::kernel::storage::Entries;
use alloc::sync::Arc;

impl OverlayFs {
    /// Adds a mount with its root.
    pub(super) fn mount(
        &mut self,
        guest: String,
        host: Option<Arc<dyn Directory>>,
        writable: bool,
    ) -> InodeId {
        let (root, mount) = (InodeId(self.nodes.len()), self.mounts.len());
        let data = InodeData::empty_directory(root);
        self.nodes.push(Inode { nlink: 1, ..Inode::new(mount, host.is_none(), data, EPOCH_NS) });
        let (usage, bytes_max) = (Usage::default(), None);
        self.mounts.push(Mount { guest, root, host, writable, usage, bytes_max });
        root
    }

    /// Mounts the assets in the order of their paths; `None` without assets.
    pub(super) fn mount_assets(&mut self) -> Option<InodeId> {
        if self.assets.is_empty() {
            return None;
        }
        let root = self.mount(String::new(), None, false);
        for path in Arc::clone(&self.assets).keys() {
            // Cannot fail within the limits of an archive.
            let _ = self.insert(root, path, InodeData::Asset(path.clone()));
        }
        Some(root)
    }

    /// Mounts the entries of storage in the order of their paths. All of them count towards the quota, and
    /// the guest can change them.
    // [STO-03] [STO-20]
    pub(super) fn mount_storage(&mut self, entries: Entries, bytes_max: u64) -> InodeId {
        // No entry can be dropped for lack of inodes: the snapshot at the end would lose it.
        const { assert!(STAGED_NAMES_COUNT_MAX < NODES_COUNT_MAX / 2) };
        let root = self.mount(STORAGE_MOUNT.to_owned(), None, true);
        for (path, content) in entries {
            let data = match content {
                Some(content) => InodeData::File(content),
                None => InodeData::empty_directory(root),
            };
            // Cannot fail within the limits of a snapshot.
            let _ = self.insert(root, &path, data);
        }
        if let Some(mount) = self.mounts.last_mut() {
            mount.bytes_max = Some(usize::try_from(bytes_max).unwrap_or(usize::MAX));
        }
        root
    }

    /// Adds an entry with its parent directories.
    fn insert(&mut self, root: InodeId, path: &str, data: InodeData) -> Result<InodeId, Errno> {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut directory = root;
        for name in above.split('/').filter(|name| !name.is_empty()) {
            directory = match self.cached_child(directory, name) {
                Ok(known) => known,
                Err(_) => {
                    let data = InodeData::empty_directory(directory);
                    self.add(directory, &Arc::from(name), data, None)?
                }
            };
        }
        self.add(directory, &Arc::from(name), data, None)
    }
}
