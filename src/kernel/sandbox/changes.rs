//! Changes that a guest made to writable directories and to storage; `commit.rs` applies them.

use super::commit;
use super::commit::MountChanges;
use crate::kernel::deadline::Deadline;
use crate::kernel::directory::{Change, Directory, FileOp};
use crate::kernel::names::STORAGE_MOUNT;
use crate::kernel::prelude::*;
use crate::kernel::storage::NewSnapshot;
use serde_json::{json, Value};

/// The new snapshot of storage, and its difference to the old one.
pub(super) type StorageChanges = (NewSnapshot, Vec<Change>);

/// All changes of one call. The host is unchanged until [`Changes::apply`].
#[derive(Clone, Debug, Default)]
pub struct Changes {
    mounts: Vec<MountChanges>,
    storage: Option<StorageChanges>,
    /// Why they cannot be applied.
    failure: Option<Error>,
}

impl Changes {
    /// Adds the changes below one mapped directory: first the removals, deepest paths first, then the rest,
    /// shortest paths first.
    pub(super) fn add(&mut self, guest: &str, host: Arc<dyn Directory>, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.mounts.push(MountChanges { guest: guest.to_owned(), host, changes });
        }
    }

    /// Changes that cannot be applied.
    pub(super) fn failed(failure: Error) -> Self {
        Changes { failure: Some(failure), ..Changes::default() }
    }

    /// Sets the new snapshot of storage.
    pub(super) fn set_storage(&mut self, storage: Option<StorageChanges>) {
        self.storage = storage;
    }

    /// Returns `true` if the call changed nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty() && self.storage.is_none() && self.failure.is_none()
    }

    /// Checks that they can be applied, as far as can be known in advance.
    ///
    /// # Errors
    /// `tool.left_link`: a symbolic link would have to be created.
    pub fn check(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    /// Returns each change with its path as the guest sees it, such as `/out/reports/today.txt`.
    // [STO-33]
    pub fn iter(&self) -> impl Iterator<Item = (String, &FileOp)> {
        let mapped = self.mounts.iter().flat_map(|mount| {
            let changes = mount.changes.iter();
            changes.map(|change| (mount.guest_path(&change.path), &change.action))
        });
        let stored = self.storage.iter().flat_map(|(_, changes)| changes);
        let stored = stored.map(|it| (format!("{STORAGE_MOUNT}/{}", it.path), &it.action));
        mapped.chain(stored)
    }

    /// The list as JSON: path, action, and for a file its size and whether it replaces another.
    // [BOX-93]
    pub fn to_json(&self) -> Value {
        let change = |(path, action): (String, &FileOp)| match action {
            FileOp::WriteFile { content, replaces } => json!({
                "path": path, "action": "write_file", "bytes": content.len(), "replaces": replaces,
            }),
            other => json!({ "path": path, "action": other.name() }),
        };
        self.iter().map(change).collect()
    }

    /// Returns the number of changes of each kind and the bytes written, for the audit record.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let mut add = |what: &str, count: usize| {
            let sum: &mut u64 = counts.entry(what.to_owned()).or_default();
            *sum = sum.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        };
        for (_, action) in self.iter() {
            add(action.name(), 1);
            if let FileOp::WriteFile { content, .. } = action {
                add("bytes", content.len());
            }
        }
        counts
    }

    /// Applies the changes on the host. If that fails, only those already applied are left in the list.
    ///
    /// # Errors
    /// `host.commit`: the host refused a change. The detail names the changes already applied; no other
    /// file has changed. `storage.conflict`, `host.file`: storage could not be changed. Also the errors of
    /// [`Changes::check`].
    pub fn apply(&mut self) -> Result<(), Error> {
        self.apply_within(&Deadline::unlimited())
    }

    /// Applies the changes unless the deadline passes before the first one; from then on they are not
    /// interrupted.
    // [BOX-99]
    pub(in crate::kernel) fn apply_within(&mut self, deadline: &Deadline) -> Result<(), Error> {
        self.check()?;
        let storage = self.storage.take();
        let snapshot = storage.as_ref().map(|(snapshot, _)| snapshot);
        commit::apply(&mut self.mounts, snapshot, deadline)?;
        self.storage = storage;
        Ok(())
    }
}

/// Compares the lists only, not the host's directories.
impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Changes {}
