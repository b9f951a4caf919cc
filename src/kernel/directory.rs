//! Interface to the directories of a host that guests can see.
//!
//! The kernel names a directory by a text that only the host interprets. It opens one name at a time, never a
//! path, and passes all changes at the end.

use crate::kernel::deadline::Deadline;
use crate::kernel::prelude::*;

/// Identifies a file or directory of a host independently of its names (device and inode on POSIX).
pub type Identity = (u64, u64);

/// The kind of a directory entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
}

/// An opened directory entry of the host.
#[derive(Clone, Debug)]
pub enum HostEntry {
    /// A directory.
    Directory(Arc<dyn Directory>),
    /// A regular file.
    File(Arc<dyn File>),
}

/// Metadata of a file or directory at one time. The host uses it to detect changes since then, and to give a
/// replacement the same attributes. The kernel does not interpret it, and no guest sees it.
pub type StatFingerprint = [u64; 9];

/// Why a host does not perform an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryError {
    /// The name does not exist.
    NotFound,
    /// It is not a directory.
    NotDirectory,
    /// Permission denied, or not visible to guests: a symbolic link, a pipe, a device.
    Denied,
    /// Any other error.
    Failed,
}

/// A name in a directory with its kind; `None` for entries that guests do not see.
pub type ListedEntry<'a> = Option<(&'a str, Kind)>;

/// A directory of the host.
///
/// ```
/// use mpp::directory::{Directory, DirectoryError, HostEntry, Identity, Kind, StatFingerprint};
/// use std::sync::Arc;
///
/// /// Contains one directory, which is empty, and cannot be written.
/// #[derive(Debug)]
/// struct Few(u64);
///
/// impl Directory for Few {
///     fn identity_chain(&self) -> Vec<Identity> {
///         (0..=self.0).rev().map(|above| (1, above)).collect()
///     }
///     fn open(&self, name: &str) -> Result<HostEntry, DirectoryError> {
///         match (self.0, name) {
///             (0, "empty") => Ok(HostEntry::Directory(Arc::new(Few(1)))),
///             _ => Err(DirectoryError::NotFound),
///         }
///     }
///     fn list(&self, each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool) -> Result<bool, DirectoryError> {
///         if self.0 == 0 {
///             each(Some(("empty", Kind::Directory)));
///         }
///         Ok(false)
///     }
///     fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
///         Ok([self.0; 9])
///     }
/// }
///
/// let Ok(HostEntry::Directory(inner)) = Few(0).open("empty") else { panic!() };
/// assert_eq!(inner.identity_chain(), [(1, 1), (1, 0)]);
/// ```
pub trait Directory: Send + Sync + fmt::Debug {
    /// Returns its own identity, followed by those of its ancestors. One guest never gets two directories to
    /// write of which one contains the other.
    fn identity_chain(&self) -> Vec<Identity>;

    /// Opens an entry by its name. Symbolic links are not followed.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn open(&self, name: &str) -> Result<HostEntry, DirectoryError>;

    /// Calls `each` with every name, in any order, until it returns `false`. Returns `true` if the directory
    /// also contains reserved names of the host.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn list(&self, each: &mut dyn FnMut(ListedEntry<'_>) -> bool) -> Result<bool, DirectoryError>;

    /// Returns the metadata.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError>;

    /// Returns `true` if the host reserves this name, so that no guest can use it.
    fn is_reserved(&self, _name: &str) -> bool {
        false
    }

    /// Prepares changes below it and locks it against concurrent ones, until these are applied or dropped.
    /// Does not start after the deadline.
    ///
    /// # Errors
    /// The path and the reason. Nothing was changed.
    fn prepare<'a>(
        &'a self,
        _changes: &'a [Change],
        _: &Deadline,
    ) -> Result<Box<dyn PreparedChanges + 'a>, CommitError> {
        Err(CommitError { path: String::new(), why: "directory is read-only".to_owned() })
    }
}

/// A regular file of the host.
///
/// ```
/// use mpp::directory::{DirectoryError, File, StatFingerprint};
///
/// #[derive(Debug)]
/// struct Text(&'static str);
///
/// impl File for Text {
///     fn size(&self) -> Result<u64, DirectoryError> {
///         u64::try_from(self.0.len()).map_err(|_| DirectoryError::Failed)
///     }
///     fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DirectoryError> {
///         let offset = usize::try_from(offset).unwrap_or(usize::MAX);
///         let rest = self.0.as_bytes().get(offset..).unwrap_or_default();
///         let length = rest.len().min(buffer.len());
///         buffer[..length].copy_from_slice(&rest[..length]);
///         Ok(length)
///     }
///     fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
///         Ok([0; 9]) // it never changes
///     }
/// }
///
/// assert_eq!(Text("hello").read_at(3, &mut [0; 8]), Ok(2));
/// ```
pub trait File: Send + Sync + fmt::Debug {
    /// Returns the current size in bytes.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn size(&self) -> Result<u64, DirectoryError>;

    /// Reads at an offset until the buffer is full or the file ends; returns the number of bytes.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DirectoryError>;

    /// Returns the metadata.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError>;
}

/// The operation of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOp {
    /// Remove a file.
    RemoveFile,
    /// Remove a directory, which is empty by then.
    RemoveDirectory,
    /// Create a directory.
    CreateDirectory,
    /// Create or replace a file.
    WriteFile {
        /// The whole content.
        content: Vec<u8>,
        /// Whether the host had a file of this name when the guest first saw it.
        replaces: bool,
    },
}

impl FileOp {
    /// Returns its name in the list of changes and in the audit record.
    pub fn name(&self) -> &'static str {
        match self {
            FileOp::RemoveFile => "remove_file",
            FileOp::RemoveDirectory => "remove_directory",
            FileOp::CreateDirectory => "create_directory",
            FileOp::WriteFile { .. } => "write_file",
        }
    }
}

/// One change. Those of a directory are in an order in which they can be applied: first removals, the deepest
/// names first, then creations, the shortest paths first.
#[derive(Clone, Debug)]
pub struct Change {
    /// Path below the directory, such as `reports/today.txt`.
    pub path: String,
    /// The operation.
    pub action: FileOp,
    /// The metadata of a removed or replaced file at its copy-up. A difference is a conflict.
    pub expected: Option<StatFingerprint>,
    /// The metadata from which a created file or directory gets owner and permissions.
    pub attributes_from: Option<StatFingerprint>,
}

/// A path that the host failed to change, and why.
#[derive(Clone, Debug)]
pub struct CommitError {
    /// Path below the directory; empty for the directory itself.
    pub path: String,
    /// The reason, for people.
    pub why: String,
}

impl CommitError {
    /// The reason if the deadline passed or the call was cancelled.
    pub const ENDED: &'static str = "the call has ended";
}

/// Changes that are prepared, but not applied. Dropping them changes nothing.
///
/// ```
/// use mpp::directory::{FileOp, Change, PreparedChanges, CommitError};
/// use std::{cell::RefCell, collections::BTreeMap};
///
/// type Files = BTreeMap<String, Vec<u8>>;
///
/// /// Files without concurrent changes; directories are the slashes in their paths.
/// struct Ready<'a>(RefCell<&'a mut Files>, &'a [Change]);
///
/// impl PreparedChanges for Ready<'_> {
///     fn apply(&self, done: &mut usize) -> Result<(), CommitError> {
///         for Change { path, action, .. } in self.1 {
///             let mut files = self.0.borrow_mut();
///             match action {
///                 FileOp::WriteFile { content, .. } => drop(files.insert(path.clone(), content.clone())),
///                 FileOp::RemoveFile => drop(files.remove(path)),
///                 FileOp::CreateDirectory | FileOp::RemoveDirectory => {}
///             }
///             *done += 1;
///         }
///         Ok(())
///     }
/// }
///
/// let (mut files, mut done) = (Files::from([("a".into(), b"1".to_vec())]), 0);
/// let change = Change { path: "a".into(), action: FileOp::RemoveFile, expected: None, attributes_from: None };
/// Ready(RefCell::new(&mut files), &[change]).apply(&mut done).unwrap();
/// assert!(files.is_empty() && done == 1);
/// ```
pub trait PreparedChanges {
    /// Applies the changes one by one; `done` counts those applied.
    ///
    /// # Errors
    /// The first change that could not be applied.
    fn apply(&self, done: &mut usize) -> Result<(), CommitError>;
}
