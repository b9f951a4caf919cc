//! What a host supplies for each directory that a guest is to see: the second half of the boundary.
//!
//! The kernel knows a directory by a name that only the host understands. It asks for one name at a time, never
//! for a path, and hands over at the end what is to be changed.

use crate::kernel::deadline::Deadline;
use crate::kernel::prelude::*;

/// What tells a file or directory from every other of its host, whatever it is called.
pub type Identity = (u64, u64);

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
}

/// What a host has under a name.
#[derive(Clone, Debug)]
pub enum Found {
    /// A directory.
    Directory(Arc<dyn Directory>),
    /// A regular file.
    File(Arc<dyn File>),
}

/// How the host had a file or directory at one moment: it tells whether that was changed since, and what takes its
/// place is made like it. Only the host knows what the numbers mean, and no guest sees them.
pub type StatFingerprint = [u64; 9];

/// Why a host does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryError {
    /// There is nothing of this name.
    NotFound,
    /// It is no directory.
    NotDirectory,
    /// It may not be opened, or is something that guests do not see: a link, a pipe, a device.
    Denied,
    /// Anything else.
    Failed,
}

/// A name in a directory with what it stands for; nothing for what guests do not see.
pub type Listed<'a> = Option<(&'a str, Kind)>;

/// A directory of the host.
///
/// ```
/// use mpp::directory::{Directory, DirectoryError, Found, Identity, Kind, StatFingerprint};
/// use std::sync::Arc;
///
/// /// Has one directory in it, which is empty, and can't be written.
/// #[derive(Debug)]
/// struct Few(u64);
///
/// impl Directory for Few {
///     fn lies_in(&self) -> Vec<Identity> {
///         (0..=self.0).rev().map(|above| (1, above)).collect()
///     }
///     fn open(&self, name: &str) -> Result<Found, DirectoryError> {
///         match (self.0, name) {
///             (0, "empty") => Ok(Found::Directory(Arc::new(Few(1)))),
///             _ => Err(DirectoryError::NotFound),
///         }
///     }
///     fn list(&self, each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool) -> Result<bool, DirectoryError> {
///         if self.0 == 0 {
///             each(Some(("empty", Kind::Directory)));
///         }
///         Ok(false)
///     }
///     fn stamp(&self) -> Result<StatFingerprint, DirectoryError> {
///         Ok([self.0; 9])
///     }
/// }
///
/// let Ok(Found::Directory(inner)) = Few(0).open("empty") else { panic!() };
/// assert_eq!(inner.lies_in(), [(1, 1), (1, 0)]);
/// ```
pub trait Directory: Send + Sync + fmt::Debug {
    /// Its own identity, then those of the directories that it lies in. Two of which one lies in the other are not
    /// given to one guest to write.
    fn lies_in(&self) -> Vec<Identity>;

    /// What has this name in it. Nothing is followed that leads elsewhere.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn open(&self, name: &str) -> Result<Found, DirectoryError>;

    /// Hands each name in it to `each`, in any order; stops when that says no. Gives whether the host keeps
    /// something of its own there besides.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn list(&self, each: &mut dyn FnMut(Listed<'_>) -> bool) -> Result<bool, DirectoryError>;

    /// How the host has it.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn stamp(&self) -> Result<StatFingerprint, DirectoryError>;

    /// Whether this name is the host's own, which no guest may use.
    fn is_reserved(&self, _name: &str) -> bool {
        false
    }

    /// Makes changes below it ready and keeps others from making theirs, until these are carried out or dropped.
    /// Not begun once the deadline is over.
    ///
    /// # Errors
    /// The path and why: nothing was changed.
    fn prepare<'a>(
        &'a self,
        _changes: &'a [Change],
        _: &Deadline,
    ) -> Result<Box<dyn PreparedChanges + 'a>, CommitError> {
        Err(CommitError { path: String::new(), why: "it can't be written".to_owned() })
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
///     fn stamp(&self) -> Result<StatFingerprint, DirectoryError> {
///         Ok([0; 9]) // it never changes
///     }
/// }
///
/// assert_eq!(Text("hello").read_at(3, &mut [0; 8]), Ok(2));
/// ```
pub trait File: Send + Sync + fmt::Debug {
    /// Its present size in bytes.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn size(&self) -> Result<u64, DirectoryError>;

    /// Reads at an offset until the buffer is full or the file ends; gives how many bytes.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, DirectoryError>;

    /// How the host has it.
    ///
    /// # Errors
    /// Any [`DirectoryError`].
    fn stamp(&self) -> Result<StatFingerprint, DirectoryError>;
}

/// What becomes of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileOp {
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

impl FileOp {
    /// Its name in the list and in the record.
    pub fn name(&self) -> &'static str {
        match self {
            FileOp::RemoveFile => "remove_file",
            FileOp::RemoveDirectory => "remove_directory",
            FileOp::CreateDirectory => "create_directory",
            FileOp::WriteFile { .. } => "write_file",
        }
    }
}

/// One change. Those of a directory come in an order in which each can be made: what is removed first, the deepest
/// names first; then what is made, the shortest paths first.
#[derive(Clone, Debug)]
pub struct Change {
    /// Path below the directory, such as `reports/today.txt`.
    pub path: String,
    /// What becomes of it.
    pub action: FileOp,
    /// How the host had this file when the guest took it over, if it is removed or replaced.
    pub was: Option<StatFingerprint>,
    /// What gives its owner and permissions to what is made.
    pub like: Option<StatFingerprint>,
}

/// A path that the host refused to change, and why.
#[derive(Clone, Debug)]
pub struct CommitError {
    /// Below the directory; empty for itself.
    pub path: String,
    /// For people.
    pub why: String,
}

/// Changes that are safe where they are, but not made. Dropped, they change nothing.
///
/// ```
/// use mpp::directory::{FileOp, Change, PreparedChanges, CommitError};
/// use std::{cell::RefCell, collections::BTreeMap};
///
/// type Files = BTreeMap<String, Vec<u8>>;
///
/// /// Files that nobody else changes meanwhile; directories are the slashes in their paths.
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
/// let change = Change { path: "a".into(), action: FileOp::RemoveFile, was: None, like: None };
/// Ready(RefCell::new(&mut files), &[change]).apply(&mut done).unwrap();
/// assert!(files.is_empty() && done == 1);
/// ```
pub trait PreparedChanges {
    /// Makes them one by one; `done` counts those that are.
    ///
    /// # Errors
    /// The first that could not be made.
    fn apply(&self, done: &mut usize) -> Result<(), CommitError>;
}
