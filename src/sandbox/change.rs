//! One change of a guest below a mapped directory, and all that it made below one.

use super::host_directory::{HostDirectory, Stamp};
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
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Path below the mapped directory, such as `reports/today.txt`.
    pub(super) path: String,
    pub(super) action: Action,
    /// How the host had this file when the guest took it over, if it is removed or replaced.
    pub(super) was: Option<Stamp>,
    /// What gives its owner and permissions to what is made.
    pub(super) like: Option<Stamp>,
}

/// The changes below one mapped directory.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    /// Where the guest sees the directory.
    pub(super) guest: String,
    pub(super) host: Arc<HostDirectory>,
    pub(super) changes: Vec<Change>,
}

impl Mount {
    pub(super) fn guest_path(&self, path: &str) -> String {
        format!("{}/{path}", self.guest.trim_end_matches('/'))
    }
}

impl Action {
    /// Its name in the list and in the record.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Action::RemoveFile => "remove_file",
            Action::RemoveDirectory => "remove_directory",
            Action::CreateDirectory => "create_directory",
            Action::WriteFile { .. } => "write_file",
        }
    }
}
