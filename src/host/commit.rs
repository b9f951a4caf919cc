//! Commit of file changes to a mapped directory: stages new content, then applies the changes one by one.
//!
//! First, all new content is written to a staging directory inside the mapped directory and flushed to disk.
//! Then files are removed, directories created and staged files renamed, each change atomically: other
//! processes see a file's old content or its new one. A lock serializes the commits of different calls; each
//! commit first removes what a killed process left in the staging directory.

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

/// Returns the error for an I/O failure at a path.
fn io_error(path: &str) -> impl Fn(io::Error) -> CommitError + '_ {
    |error| error_at(path, error.to_string())
}

fn error_at(path: &str, why: impl Into<String>) -> CommitError {
    CommitError { path: path.to_owned(), why: why.into() }
}

/// A commit whose new content is staged and durable.
pub(super) struct Prepared<'a> {
    host: &'a HostDirectory,
    changes: &'a [Change],
    /// Holds the lock.
    root: File,
    /// The staging directory, if there is new content.
    staging: Option<File>,
}

/// Removes staged files that were not renamed. Best effort: the next commit does it as well.
impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        let _ = remove_staging(&self.root);
    }
}

/// Removes the staging directory and its contents. A link in its place is removed itself.
fn remove_staging(root: &File) -> io::Result<()> {
    match fs::remove_dir_all(path_of(root).join(STAGING_DIR)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Creates the staging directory for this user alone, and holds it open so that it cannot be replaced.
fn create_staging(root: &File) -> io::Result<File> {
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
        let check_deadline = |change: &Change| {
            deadline.check().map_err(|_| error_at(&change.path, "the call has ended"))
        };
        // [BOX-97] Protected paths may have changed while a person reviewed the changes.
        host.check_still_allowed().map_err(|why| error_at("", why))?;
        let root = host.lock(deadline).map_err(io_error(""))?;
        let mut prepared = Prepared { host, changes, root, staging: None };
        let staging_error = io_error(STAGING_DIR);
        remove_staging(&prepared.root).map_err(&staging_error)?;
        let removes = |change: &&Change| {
            matches!(change.action, FileOp::RemoveFile | FileOp::RemoveDirectory)
        };
        let removed: BTreeSet<&str> =
            changes.iter().filter(removes).map(|change| change.path.as_str()).collect();
        for change in changes {
            check_deadline(change)?;
            check_unchanged(host, change, &removed).map_err(|why| error_at(&change.path, why))?;
        }
        if changes.iter().any(|change| matches!(change.action, FileOp::WriteFile { .. })) {
            prepared.staging = Some(create_staging(&prepared.root).map_err(&staging_error)?);
        }
        for (number, change) in changes.iter().enumerate() {
            if let FileOp::WriteFile { content, .. } = &change.action {
                check_deadline(change)?;
                prepared.stage(number, change, content).map_err(io_error(&change.path))?;
            }
        }
        Ok(prepared)
    }

    /// Writes new content to a numbered file, with the owner and mode of the file that it came from.
    // [BOX-94]
    fn stage(&self, number: usize, change: &Change, content: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.staged(number))?;
        file.write_all(content)?;
        if let Some(like) = &change.attributes_from {
            copy_ownership_and_mode(&file, like)?;
        }
        file.sync_all()
    }

    fn staged(&self, number: usize) -> PathBuf {
        let staging = self.staging.as_ref().unwrap_or(&self.root);
        path_of(staging).join(number.to_string())
    }

    fn apply_one(&self, number: usize, change: &Change) -> Result<(), CommitError> {
        let directory = parent_handle(self.host, parent(&change.path))
            .map_err(|why| error_at(&change.path, why))?;
        let name = components(&change.path).last().copied().unwrap_or_default();
        let target = path_of(&directory).join(name);
        match &change.action {
            FileOp::RemoveFile => ignore_not_found(fs::remove_file(target)),
            FileOp::RemoveDirectory => ignore_not_found(fs::remove_dir(target)),
            FileOp::CreateDirectory => self.create_directory(change, &target),
            FileOp::WriteFile { replaces: true, .. } => fs::rename(self.staged(number), target),
            FileOp::WriteFile { .. } => link_new(&self.staged(number), &target),
        }
        .map_err(io_error(&change.path))
    }

    /// Creates a directory, unless another call has created it concurrently.
    fn create_directory(&self, change: &Change, target: &Path) -> io::Result<()> {
        match fs::create_dir(target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = self.host.directory(&components(&change.path));
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
            self.apply_one(number, change)?;
            touched.insert(parent(&change.path));
            *done = done.saturating_add(1);
        }
        // Flush the directories, so that the new names are durable. A directory that was removed needs no
        // flush, and one that cannot be opened is left to the system.
        for directory in touched {
            let Ok(handle) = self.host.directory(&components(directory)) else { continue };
            if let Ok(directory_file) = File::open(path_of(&handle)) {
                directory_file.sync_all().map_err(io_error(directory))?;
            }
        }
        Ok(())
    }
}

/// Refuses a change of a file that was modified since the guest first read it.
// [BOX-94]
fn check_unchanged(
    host: &HostDirectory,
    change: &Change,
    removed: &BTreeSet<&str>,
) -> Result<(), &'static str> {
    // A directory that is replaced by a file of the same name still exists.
    let makes = matches!(change.action, FileOp::WriteFile { replaces: false, .. })
        && !removed.contains(change.path.as_str());
    match (host.fingerprint_of(&components(&change.path)), &change.expected) {
        (Ok(now), Some(was)) if now == *was => Ok(()),
        (Err(DirectoryError::NotFound), Some(_))
            if matches!(change.action, FileOp::WriteFile { .. }) =>
        {
            Err("the file to replace no longer exists")
        }
        (Ok(_) | Err(DirectoryError::Denied), None) if makes => Err("created concurrently"),
        (Ok(_) | Err(DirectoryError::Denied), None) => Ok(()),
        // What is removed can be missing; a new path can lie in a directory that replaces a file.
        (Err(DirectoryError::NotFound), _) | (Err(DirectoryError::NotDirectory), None) => Ok(()),
        (Ok(_) | Err(_), _) => Err("modified concurrently"),
    }
}

/// Copies the owner and the permissions of another file.
fn copy_ownership_and_mode(file: &File, like: &StatFingerprint) -> io::Result<()> {
    let status = file.metadata()?;
    let (user, group) = owner_of(like);
    if (status.uid(), status.gid()) != (user, group) {
        fchown(file, Some(user), Some(group))?;
    }
    file.set_permissions(Permissions::from_mode(mode_of(like)))
}

/// Moves new content to its name atomically, without replacing anything. Where the file system has no hard
/// links, it checks the name first and renames.
fn link_new(staged: &Path, target: &Path) -> io::Result<()> {
    match fs::hard_link(staged, target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(io::Error::other("created concurrently"))
        }
        Err(_) if target.symlink_metadata().is_err() => fs::rename(staged, target),
        other => other,
    }
}

/// Returns a handle on a directory, reached through no link.
fn parent_handle(host: &HostDirectory, path: &str) -> Result<File, &'static str> {
    host.directory(&components(path)).map_err(|error| match error {
        DirectoryError::NotFound => "its directory no longer exists",
        _ => "its directory is no longer accessible",
    })
}

/// Treats a file that does not exist as removed.
fn ignore_not_found(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn components(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}
