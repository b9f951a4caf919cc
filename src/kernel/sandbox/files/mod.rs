//! Room: the files a guest sees: a tree of its own, and the table of open descriptors.
//!
//! Read on in `tree.rs` (nodes and names), `mounts.rs` (the host's, as they are met), `resolve.rs` (paths),
//! `content.rs` (bytes), `names.rs` (making, removing, moving), `staged.rs` (what is left at the end)
//! and `descriptors.rs`.
//!
//! No path of the guest ever reaches the host: it is settled name by name in this tree. What the host
//! has is read when it is needed; what the guest changes is changed in memory only.

mod content;
mod descriptors;
mod handles;
mod mounts;
mod names;
mod resolve;
mod staged;
mod tree;

pub(super) use content::{Status, PIECE_BYTES};
pub(super) use descriptors::{rights, Descriptor, Descriptors, Entry, Object};
pub(super) use resolve::Place;
pub(super) use tree::{filetype, NodeId, Times, Tree};

use crate::kernel::directory::Directory;
use crate::kernel::names::{ASSETS_MOUNT, STORAGE_MOUNT};
use crate::kernel::prelude::*;
use crate::kernel::storage::Entries;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// A directory of the host and where the guest sees it.
pub(super) struct Root {
    pub(super) guest: String,
    pub(super) host: Arc<dyn Directory>,
    pub(super) writable: bool,
}

/// The package's assets, if there are any, the granted directories, and what it keeps with its quota: as a
/// tree, and as directories that are open from the start.
// [BOX-60]
pub(super) fn open(
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    roots: Vec<Root>,
    storage: Option<(Entries, u64)>,
) -> (Tree, Descriptors) {
    let (mut tree, mut descriptors) = (Tree::new(assets), Descriptors::new());
    if let Some(root) = tree.mount_assets() {
        descriptors.preopen(ASSETS_MOUNT.to_owned(), root);
    }
    for Root { guest, host, writable } in roots {
        let root = tree.mount_host(guest.clone(), host, writable);
        descriptors.preopen(guest, root);
    }
    if let Some((entries, bytes_max)) = storage {
        let root = tree.mount_storage(entries, bytes_max);
        descriptors.preopen(STORAGE_MOUNT.to_owned(), root);
    }
    (tree, descriptors)
}
