//! The files a guest sees: an overlay file system, and the table of open descriptors.
//!
//! The *lower* layer is what is there before the call: a directory of the host, the assets, the snapshot of
//! storage. It is only read. The *upper* layer is memory: what the guest makes lies there, and what it changes
//! is *copied up* first. What the host has and nothing leads to any more, an overlay's *whiteouts*, is found at
//! the end. Assets never change, and storage is in memory from the start.
//!
//! Read on in `tree.rs` (nodes and names), `mounts.rs` (what is in memory from the start), `lower.rs` (the
//! host's, as it is met), `resolve.rs` (paths), `content.rs` (bytes, and files copied up), `names.rs` (making,
//! removing, moving, and directories copied up), `staged.rs` (what is left at the end) and `descriptors.rs`.
//!
//! No path of the guest ever reaches the host: it is settled name by name in this tree.

mod content;
mod descriptors;
mod diff;
mod entries;
mod lower;
mod mounts;
mod resolve;
mod tree;

pub(super) use content::{Status, PIECE_BYTES};
pub(super) use descriptors::{rights, Descriptor, Descriptors, Entry, OpenObject};
pub(super) use resolve::ResolvedPath;
pub(super) use tree::{filetype, InodeId, OverlayFs, Times};

use crate::kernel::directory::Directory;
use crate::kernel::names::{ASSETS_MOUNT, STORAGE_MOUNT};
use crate::kernel::prelude::*;
use crate::kernel::storage::Entries;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// A directory of the host and where the guest sees it.
pub(super) struct Preopen {
    pub(super) guest: String,
    pub(super) host: Arc<dyn Directory>,
    pub(super) writable: bool,
}

/// The package's assets, if there are any, the granted directories, and what it keeps with its quota: as a
/// tree, and as directories that are open from the start.
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
