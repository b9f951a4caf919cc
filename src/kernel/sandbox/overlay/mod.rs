//! Overlay file system of a guest, and its table of open descriptors.
//!
//! The *lower* layer is what existed before the call: host directories, assets, the snapshot of storage. It
//! is only read. The *upper* layer is in memory: what the guest creates is there, and a lower file is
//! *copied up* before it changes. *Whiteouts*, lower names that were removed or replaced, follow from the
//! inodes at the end. Assets never change, and storage is copied up from the start.
//!
//! `inode.rs` has the inodes, directory entries and quotas, `mounts.rs` the mounts, `lower.rs` the access
//! to host directories, `resolve.rs` path resolution, `content.rs` file content and copy-up, `name_operations.rs`
//! the operations on names, `diff.rs` the changes at the end, and `descriptors.rs` the open files.
//!
//! No path of the guest reaches the host: paths are resolved here, name by name.

mod content;
mod descriptors;
mod diff;
mod inode;
mod lower;
mod mounts;
mod name_operations;
mod resolve;

pub(super) use content::{Status, PIECE_BYTES};
pub(super) use descriptors::{rights, Descriptor, Descriptors, Entry, OpenObject};
pub(super) use inode::{filetype, InodeId, OverlayFs, Times};
pub(super) use resolve::ResolvedPath;

use crate::kernel::directory::Directory;
use crate::kernel::names::{ASSETS_MOUNT, STORAGE_MOUNT};
use crate::kernel::prelude::*;
use crate::kernel::storage::Entries;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// A mapped directory: where the guest sees it, and the host's directory.
pub(super) struct Preopen {
    pub(super) guest: String,
    pub(super) host: Arc<dyn Directory>,
    pub(super) writable: bool,
}

/// Mounts the package's assets if it has any, the mapped directories and storage with its quota, and opens
/// a descriptor for each (preopens).
// [BOX-60]
pub(super) fn open(
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    roots: Vec<Preopen>,
    storage: Option<(Entries, u64)>,
) -> (OverlayFs, Descriptors) {
    let (mut tree, mut descriptors) = (OverlayFs::new(assets), Descriptors::new());
    if let Some(root) = tree.mount_assets() {
        descriptors.preopen(ASSETS_MOUNT.to_owned(), root);
    }
    for Preopen { guest, host, writable } in roots {
        let root = tree.mount(guest.clone(), Some(host), writable);
        descriptors.preopen(guest, root);
    }
    if let Some((entries, bytes_max)) = storage {
        let root = tree.mount_storage(entries, bytes_max);
        descriptors.preopen(STORAGE_MOUNT.to_owned(), root);
    }
    (tree, descriptors)
}
