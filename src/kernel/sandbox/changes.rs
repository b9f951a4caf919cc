//! Room: what a guest changed in the directories it may write and in what it keeps. `commit.rs` carries out
//! the first on the host, and the door's store the second.

use super::commit;
use super::commit::{Action, Change, Mount};
use super::host_directory::HostDirectory;
use crate::kernel::deadline::Deadline;
use crate::kernel::door::kv::KvChanges;
use crate::kernel::error::Error;
use crate::kernel::prelude::*;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use serde_json::{json, Value};

/// Everything that one call changed. The host is as it was until [`Changes::carry_out`].
#[derive(Clone, Debug, Default)]
pub struct Changes {
    mounts: Vec<Mount>,
    kept: Option<KvChanges>,
    /// Why they can't be carried out.
    fault: Option<Error>,
}

impl Changes {
    /// Takes up the changes below one mapped directory: first what is removed, the deepest names
    /// first, then what is made, the shortest paths first.
    pub(super) fn add(&mut self, guest: &str, host: Arc<HostDirectory>, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.mounts.push(Mount { guest: guest.to_owned(), host, changes });
        }
    }

    /// Changes that can't be carried out.
    pub(super) fn impossible(fault: Error) -> Self {
        Changes { fault: Some(fault), ..Changes::default() }
    }

    /// The same changes with those of what the tool keeps.
    pub(super) fn keeping(self, kept: Option<KvChanges>) -> Self {
        Changes { kept, ..self }
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

    /// Each change of a file, with its path as the guest sees it, such as `/out/reports/today.txt`.
    pub fn iter(&self) -> impl Iterator<Item = (String, &Action)> {
        self.mounts.iter().flat_map(|mount| {
            let changes = mount.changes.iter();
            changes.map(|change| (mount.guest_path(&change.path), &change.action))
        })
    }

    /// Each name that the tool keeps something under from now on, with the bytes of the value, or from now
    /// on nothing.
    pub fn kept(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.kept.iter().flat_map(KvChanges::iter)
    }

    /// The list as JSON: path, action, and for a file its size and whether it replaces another; then for
    /// what is kept its key, action and size.
    // [BOX-93] [DOOR-77]
    #[must_use]
    pub fn to_json(&self) -> Value {
        let change = |(path, action): (String, &Action)| match action {
            Action::WriteFile { content, replaces } => json!({
                "path": path, "action": "write_file", "bytes": content.len(), "replaces": replaces,
            }),
            other => json!({ "path": path, "action": other.name() }),
        };
        let kept = |(key, bytes): (&str, Option<usize>)| match bytes {
            Some(bytes) => json!({ "key": key, "action": "set_key", "bytes": bytes }),
            None => json!({ "key": key, "action": "delete_key" }),
        };
        self.iter().map(change).chain(self.kept().map(kept)).collect()
    }

    /// How many changes of each kind there are, and how many bytes are written: for the record.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let mut add = |what: &str, count: usize| {
            let sum: &mut u64 = counts.entry(what.to_owned()).or_default();
            *sum = sum.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        };
        for (_, action) in self.iter() {
            add(action.name(), 1);
            if let Action::WriteFile { content, .. } = action {
                add("bytes", content.len());
            }
        }
        for (_, bytes) in self.kept() {
            add(if bytes.is_some() { "set_key" } else { "delete_key" }, 1);
            add("bytes", bytes.unwrap_or(0));
        }
        counts
    }

    /// Carries the changes out on the host. If it fails, those that were carried out before are left
    /// in the list.
    ///
    /// # Errors
    /// `host.commit`: the host refused one of them. The detail says which were carried out before;
    /// files not named there are as they were. `kv.conflict`, `kv.damaged`, `host.file`: what the tool
    /// keeps could not be changed. Also the errors of [`Changes::check`].
    pub fn carry_out(&mut self) -> Result<(), Error> {
        self.carry_out_within(&Deadline::unlimited())
    }

    /// Carries the changes out, if the first of them can be made before the deadline. From then on nothing
    /// stops it.
    // [BOX-99] [DOOR-76] [DOOR-77]
    pub(crate) fn carry_out_within(&mut self, deadline: &Deadline) -> Result<(), Error> {
        self.check()?;
        let Some(kept) = self.kept.take() else {
            return commit::carry_out(&mut self.mounts, deadline);
        };
        let mounts = &mut self.mounts;
        let mut files = None;
        let result =
            kept.carry_out(&mut || files.insert(commit::carry_out(mounts, deadline)).clone());
        match (&result, files) {
            (Ok(()), _) => self.kept = Some(kept),
            (Err(_), None) => self.mounts.clear(),
            (Err(error), Some(Ok(()))) if !self.mounts.is_empty() => {
                let detail = format!("{}; the files were changed before", error.detail());
                return Err(Error::new(error.code(), detail));
            }
            (Err(_), Some(_)) => {}
        }
        result
    }
}

/// The same lists, whatever the host's directories are.
impl PartialEq for Changes {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.kept == other.kept
    }
}

impl Eq for Changes {}
