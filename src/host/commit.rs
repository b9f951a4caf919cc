//! Making changes below a directory of this system.
//!
//! First all new content is written to a folder of this program inside the mapped directory, and is on the disk.
//! Then names are removed, directories made and files moved to their names one by one, each in one step: whoever
//! looks sees a file's old content or its new one. A lock keeps two calls from doing so at once, and what a killed
//! process left in the folder is cleared away by the next.

use crate::host::directory_handle::{
    mode_of, open_handle, owner_of, path_of, HostDirectory, STAGING_DIR,
};
use crate::kernel::deadline::Deadline;
use crate::kernel::directory::{
    Change, CommitError, DirectoryError, FileOp, PreparedChanges, StatFingerprint,
};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{fchown, DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// What went wrong with a path.
fn failed(path: &str) -> impl Fn(io::Error) -> CommitError + '_ {
    |error| refused(path, error.to_string())
}

fn refused(path: &str, why: impl Into<String>) -> CommitError {
    CommitError { path: path.to_owned(), why: why.into() }
}

/// A directory whose new content is on the disk, apart from its names.
pub(super) struct Prepared<'a> {
    host: &'a HostDirectory,
    changes: &'a [Change],
    /// Holds the lock.
    root: File,
    /// The folder with the new content, if there is any.
    folder: Option<File>,
}

/// What was not moved to its name is no longer needed.
impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        let _stays_until_the_next_commit = clear(&self.root);
    }
}

/// Removes the folder of this program, whatever it holds. A link in its place is removed itself.
fn clear(root: &File) -> io::Result<()> {
    match fs::remove_dir_all(path_of(root).join(STAGING_DIR)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folder, for this user alone, and opens it so that nobody can put another in its place.
fn make(root: &File) -> io::Result<File> {
    let path = path_of(root).join(STAGING_DIR);
    DirBuilder::new().mode(0o700).create(&path)?;
    open_handle(&path)
}

impl<'a> Prepared<'a> {
    // [BOX-90]
    pub(super) fn new(
        host: &'a HostDirectory,
        changes: &'a [Change],
        deadline: &Deadline,
    ) -> Result<Self, CommitError> {
        let late = |change: &Change| {
            deadline.check().map_err(|_| refused(&change.path, "the call has ended"))
        };
        // [BOX-97] A person may have looked at the changes for a while.
        host.check_again().map_err(|why| refused("", why))?;
        let root = host.lock(deadline).map_err(failed(""))?;
        let mut prepared = Prepared { host, changes, root, folder: None };
        let folder_failed = failed(STAGING_DIR);
        clear(&prepared.root).map_err(&folder_failed)?;
        let removes = |change: &&Change| {
            matches!(change.action, FileOp::RemoveFile | FileOp::RemoveDirectory)
        };
        let removed: BTreeSet<&str> =
            changes.iter().filter(removes).map(|change| change.path.as_str()).collect();
        for change in changes {
            late(change)?;
            check_unchanged(host, change, &removed).map_err(|why| refused(&change.path, why))?;
        }
        if changes.iter().any(|change| matches!(change.action, FileOp::WriteFile { .. })) {
            prepared.folder = Some(make(&prepared.root).map_err(&folder_failed)?);
        }
        for (number, change) in changes.iter().enumerate() {
            if let FileOp::WriteFile { content, .. } = &change.action {
                late(change)?;
                prepared.write(number, change, content).map_err(failed(&change.path))?;
            }
        }
        Ok(prepared)
    }

    /// Writes new content under a number, with the owner and permissions of what it came from.
    // [BOX-94]
    fn write(&self, number: usize, change: &Change, content: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.staged(number))?;
        file.write_all(content)?;
        if let Some(like) = &change.attributes_from {
            copy_ownership_and_mode(&file, like)?;
        }
        file.sync_all()
    }

    fn staged(&self, number: usize) -> PathBuf {
        let folder = self.folder.as_ref().unwrap_or(&self.root);
        path_of(folder).join(number.to_string())
    }

    fn make(&self, number: usize, change: &Change) -> Result<(), CommitError> {
        let directory =
            directory(self.host, parent(&change.path)).map_err(|why| refused(&change.path, why))?;
        let name = names(&change.path).last().copied().unwrap_or_default();
        let target = path_of(&directory).join(name);
        match &change.action {
            FileOp::RemoveFile => gone(fs::remove_file(target)),
            FileOp::RemoveDirectory => gone(fs::remove_dir(target)),
            FileOp::CreateDirectory => self.make_directory(change, &target),
            FileOp::WriteFile { replaces: true, .. } => fs::rename(self.staged(number), target),
            FileOp::WriteFile { .. } => make_name(&self.staged(number), &target),
        }
        .map_err(failed(&change.path))
    }

    /// Makes a directory, unless another call has made it meanwhile.
    fn make_directory(&self, change: &Change, target: &Path) -> io::Result<()> {
        match fs::create_dir(target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = self.host.directory(&names(&change.path));
                found.map(drop).map_err(|_| error)
            }
            Ok(()) => match &change.attributes_from {
                Some(like) => copy_ownership_and_mode(
                    &open_handle(target).and_then(|made| File::open(path_of(&made)))?,
                    like,
                ),
                None => Ok(()),
            },
            Err(error) => Err(error),
        }
    }
}

impl PreparedChanges for Prepared<'_> {
    // [BOX-91]
    fn apply(&self, done: &mut usize) -> Result<(), CommitError> {
        let mut touched = BTreeSet::new();
        for (number, change) in self.changes.iter().enumerate() {
            self.make(number, change)?;
            touched.insert(parent(&change.path));
            *done = done.saturating_add(1);
        }
        // The names are on the disk as well once their directories are. One that was removed after
        // something in it needs nothing, and one that can't be opened is left to the system.
        for directory in touched {
            let Ok(handle) = self.host.directory(&names(directory)) else { continue };
            if let Ok(directory_file) = File::open(path_of(&handle)) {
                directory_file.sync_all().map_err(failed(directory))?;
            }
        }
        Ok(())
    }
}

/// Refuses a change of what somebody else has changed since the guest took it over.
// [BOX-94]
fn check_unchanged(
    host: &HostDirectory,
    change: &Change,
    removed: &BTreeSet<&str>,
) -> Result<(), &'static str> {
    // A directory that makes room for a file of the same name is still there.
    let makes = matches!(change.action, FileOp::WriteFile { replaces: false, .. })
        && !removed.contains(change.path.as_str());
    match (host.stamp_of(&names(&change.path)), &change.expected) {
        (Ok(now), Some(was)) if now != *was => Err("it was changed meanwhile by somebody else"),
        (Err(DirectoryError::NotFound), Some(_))
            if matches!(change.action, FileOp::WriteFile { .. }) =>
        {
            Err("the file that it replaces is no longer there")
        }
        (Ok(_) | Err(DirectoryError::Denied), None) if makes => {
            Err("something of this name has appeared meanwhile")
        }
        (Err(DirectoryError::Denied), Some(_)) => Err("it was changed meanwhile by somebody else"),
        _ => Ok(()),
    }
}

/// Gives a file or directory the owner and the permissions of another.
fn copy_ownership_and_mode(file: &File, like: &StatFingerprint) -> io::Result<()> {
    let status = file.metadata()?;
    let (user, group) = owner_of(like);
    if (status.uid(), status.gid()) != (user, group) {
        fchown(file, Some(user), Some(group))?;
    }
    file.set_permissions(Permissions::from_mode(mode_of(like)))
}

/// Gives new content its name, in one step that does not replace anything. Where the file system knows
/// no second names, it is looked at first.
fn make_name(staged: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(staged, target) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !is_taken(target) => {
            fs::rename(staged, target)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::other("something of this name has appeared meanwhile"))
        }
        other => other,
    }
}

/// The directory as it is reached now, through no link.
fn directory(host: &HostDirectory, path: &str) -> Result<File, &'static str> {
    host.directory(&names(path)).map_err(|fault| match fault {
        DirectoryError::NotFound => "its directory is no longer there",
        _ => "its directory cannot be reached any more",
    })
}

/// What is no longer there need not be removed.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn is_taken(target: &Path) -> bool {
    target.symlink_metadata().is_ok()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn names(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}
