//! Room: what a guest changed in the directories it may write and in what its package keeps. `commit.rs`
//! carries it out on the host.

use super::commit;
use super::commit::Mount;
use crate::kernel::deadline::Deadline;
use crate::kernel::directory::{Change, Directory, FileOp};
use crate::kernel::names::STORAGE_MOUNT;
use crate::kernel::prelude::*;
use crate::kernel::storage::NewSnapshot;
use serde_json::{json, Value};

/// Everything that one call changed. The host is as it was until [`Changes::apply`].
#[derive(Clone, Debug, Default)]
pub struct Changes {
    mounts: Vec<Mount>,
    /// What the package keeps from now on, with the difference to what it kept.
    kept: Option<(NewSnapshot, Vec<Change>)>,
    /// Why they can't be carried out.
    fault: Option<Error>,
}

impl Changes {
    /// Takes up the changes below one mapped directory: first what is removed, the deepest names
    /// first, then what is made, the shortest paths first.
    pub(super) fn add(&mut self, guest: &str, host: Arc<dyn Directory>, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.mounts.push(Mount { guest: guest.to_owned(), host, changes });
        }
    }

    /// Changes that can't be carried out.
    pub(super) fn impossible(fault: Error) -> Self {
        Changes { fault: Some(fault), ..Changes::default() }
    }

    /// Takes up what the package keeps from now on.
    pub(super) fn keep(&mut self, kept: Option<(NewSnapshot, Vec<Change>)>) {
        self.kept = kept;
    }

    /// Whether the call changed nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mounts.is_empty() && self.kept.is_none() && self.fault.is_none()
    }

    /// Whether they can be carried out, as far as that can be known beforehand.
    ///
    /// # Errors
    /// `tool.left_link`: a symbolic link would have to be made.
    pub fn check(&self) -> Result<(), Error> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// Each change, with its path as the guest sees it, such as `/out/reports/today.txt`.
    // [STO-33]
    pub fn iter(&self) -> impl Iterator<Item = (String, &FileOp)> {
        let mapped = self.mounts.iter().flat_map(|mount| {
            let changes = mount.changes.iter();
            changes.map(|change| (mount.guest_path(&change.path), &change.action))
        });
        let kept = self.kept.iter().flat_map(|(_, changes)| changes);
        mapped
            .chain(kept.map(|change| (format!("{STORAGE_MOUNT}/{}", change.path), &change.action)))
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

    /// How many changes of each kind there are, and how many bytes are written: for the record.
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

    /// Carries the changes out on the host. If it fails, those that were carried out before are left
    /// in the list.
    ///
    /// # Errors
    /// `host.commit`: the host refused one of them. The detail says which were carried out before;
    /// files not named there are as they were. `storage.conflict`, `host.file`: what the package keeps
    /// could not be changed. Also the errors of [`Changes::check`].
    pub fn apply(&mut self) -> Result<(), Error> {
        self.carry_out_within(&Deadline::unlimited())
    }

    /// Carries the changes out, if the first of them can be made before the deadline. From then on nothing
    /// stops it.
    // [BOX-99]
    pub(in crate::kernel) fn carry_out_within(&mut self, deadline: &Deadline) -> Result<(), Error> {
        self.check()?;
        let kept = self.kept.take();
        let snapshot = kept.as_ref().map(|(snapshot, _)| snapshot);
        commit::apply(&mut self.mounts, snapshot, deadline)?;
        self.kept = kept;
        Ok(())
    }
}

/// The same lists, whatever the host's directories are.
impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Changes {}
