//! Room: what a guest changed in the directories it may write, and carrying that out on the host.

use super::host_directory::HostDirectory;
use std::sync::Arc;

/// What becomes of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The file is removed.
    RemoveFile,
    /// The directory is removed; it is empty by then.
    RemoveDirectory,
    /// The directory is made.
    CreateDirectory,
    /// The file gets this content; it is made if it does not exist.
    WriteFile {
        /// All of it.
        content: Vec<u8>,
        /// Whether the host had a file of this name when the guest first saw it.
        replaces: bool,
    },
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Path below the mapped directory, such as `reports/today.txt`.
    pub path: String,
    /// What becomes of it.
    pub action: Action,
}

/// Everything that one call changed, to be carried out once the call has succeeded.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    mounts: Vec<Mount>,
}

/// The changes below one mapped directory.
#[derive(Clone, Debug)]
struct Mount {
    guest: String,
    host: Arc<HostDirectory>,
    changes: Vec<Change>,
}

impl Changes {
    /// Takes up the changes below one mapped directory: first what is removed, the deepest names
    /// first, then what is made, the shortest paths first.
    pub(super) fn add(&mut self, guest: &str, host: Arc<HostDirectory>, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.mounts.push(Mount { guest: guest.to_owned(), host, changes });
        }
    }
}
