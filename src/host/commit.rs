//! Commit of file changes to a mapped directory: stages new content, then applies the changes one by one.
//!
//! First, all new content is written to a staging directory inside the mapped directory and flushed to disk.
//! Then files are removed, directories created and staged files renamed, each change atomically: other
//! processes see a file's old content or its new one. A lock on the staging directory serializes the commits
//! of different calls; each commit first removes what a killed process left.

use crate::host::directory_handle::{
    fingerprint, mode_of, open_handle, owner_of, path_of, HostDirectory, STAGING_DIR,
};
use crate::host::files;
use crate::host::protected_paths::identity_of;
use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::directory::{
    Change, CommitError, DirectoryError, FileOp, PreparedChanges, StatFingerprint,
};
use crate::kernel::limits::TIMEOUT_MS_MAX;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::iter;
use std::os::unix::fs::{fchown, DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Threads that flush at once. More are not faster on common disks.
const FLUSH_THREADS: usize = 8;

/// Returns the error for an I/O failure at a path.
fn io_error(path: &str) -> impl Fn(io::Error) -> CommitError + '_ {
    |error| error_at(path, error.to_string())
}

fn error_at(path: &str, why: impl Into<String>) -> CommitError {
    CommitError { path: path.to_owned(), why: why.into() }
}

/// Fails once the call has ended.
fn check(deadline: &Deadline, path: &str) -> Result<(), CommitError> {
    deadline.check().map_err(|_| error_at(path, CommitError::ENDED))
}

/// A commit whose new content is staged and durable.
pub(super) struct Prepared<'a> {
    host: &'a HostDirectory,
    changes: &'a [Change],
    /// The staging directory; holds the lock.
    staging: File,
}

/// Removes staged files that were not renamed. Best effort: the next commit does it as well.
impl Drop for Prepared<'_> {
    fn drop(&mut self) {
        let _ = remove_staging(&self.host.handle, &Deadline::unlimited());
    }
}

/// Removes the staging directory with the files in it, or what is in its place. A commit makes no directory in
/// it, so one there is another program's, and stays.
fn remove_staging(root: &File, deadline: &Deadline) -> Result<(), CommitError> {
    let path = path_of(root).join(STAGING_DIR);
    let removed = || -> io::Result<()> {
        let found = path.symlink_metadata()?;
        if !found.is_dir() {
            return fs::remove_file(&path);
        }
        if found.dev() != root.metadata()?.dev() {
            return Err(io::Error::other("another file system is mounted there"));
        }
        for entry in fs::read_dir(&path)? {
            deadline.check().map_err(|_| io::Error::other(CommitError::ENDED))?;
            fs::remove_file(entry?.path())?;
        }
        fs::remove_dir(&path)
    };
    match files::optional(removed()) {
        Ok(_) => Ok(()),
        Err(_) if deadline.check().is_err() => Err(error_at("", CommitError::ENDED)),
        Err(error) => Err(error_at(STAGING_DIR, format!("{error}; remove it"))),
    }
}

/// Creates the staging directory for this user alone and locks it, so that no other user can hold the lock.
/// Removes one that was left by a killed process or made by another program.
// [BOX-90]
fn lock_staging(root: &File, deadline: &Deadline) -> Result<File, CommitError> {
    let failed = io_error(STAGING_DIR);
    let path = path_of(root).join(STAGING_DIR);
    loop {
        check(deadline, "")?;
        let made = match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            made => made.map(|()| true).map_err(&failed)?,
        };
        let Some(found) = files::optional(open_handle(&path)).map_err(&failed)? else { continue };
        let status = found.metadata().map_err(&failed)?;
        let lock = status.is_dir().then(|| lock_directory(&found, deadline)).transpose()?;
        let is_there = |there| identity_of(&there) == identity_of(&status);
        match lock {
            // The commit that this one waited for has removed it.
            _ if !path.symlink_metadata().is_ok_and(is_there) => {}
            Some(lock) if made => return Ok(lock),
            _locked => remove_staging(root, deadline)?,
        }
    }
}

/// Locks a staging directory. Waits for another commit until the call ends.
// [BOX-99]
fn lock_directory(handle: &File, deadline: &Deadline) -> Result<File, CommitError> {
    let directory = File::open(path_of(handle)).map_err(io_error(STAGING_DIR))?;
    let wait = Duration::from_millis(TIMEOUT_MS_MAX.into());
    let locked = files::lock_within(&directory, wait, &|| deadline.check().is_err());
    match (locked, deadline.check()) {
        (Ok(()), _) => Ok(directory),
        (Err(_), Err(Interrupted::Cancelled)) => Err(error_at("", CommitError::ENDED)),
        (Err(_), Err(Interrupted::TimedOut(_))) => {
            Err(error_at("", "another call was changing this directory all the time"))
        }
        (Err(error), Ok(())) => Err(io_error(STAGING_DIR)(error)),
    }
}

impl<'a> Prepared<'a> {
    // [BOX-90]
    pub(super) fn new(
        host: &'a HostDirectory,
        changes: &'a [Change],
        deadline: &Deadline,
    ) -> Result<Self, CommitError> {
        // [BOX-97] Protected paths may have changed while a person reviewed the changes.
        host.check_still_allowed().map_err(|why| error_at("", why))?;
        let staging = lock_staging(&host.handle, deadline)?;
        let prepared = Prepared { host, changes, staging };
        let removes = |change: &&Change| {
            matches!(change.action, FileOp::RemoveFile | FileOp::RemoveDirectory)
        };
        let removed: BTreeSet<&str> =
            changes.iter().filter(removes).map(|change| change.path.as_str()).collect();
        let mut last = LastDirectory::default();
        for change in changes {
            check(deadline, &change.path)?;
            check_unchanged(host, change, &removed, &mut last)
                .map_err(|why| error_at(&change.path, why))?;
        }
        let mut staged = Vec::new();
        for (number, change) in changes.iter().enumerate() {
            if let FileOp::WriteFile { content, .. } = &change.action {
                check(deadline, &change.path)?;
                prepared.stage(number, change, content).map_err(io_error(&change.path))?;
                staged.push((number, change.path.as_str()));
            }
        }
        let flush = |(number, _): &(usize, &str)| File::open(prepared.staged(*number))?.sync_all();
        flush_each(&staged, flush, deadline)?;
        Ok(prepared)
    }

    /// Writes new content to a numbered file, not flushed, with the owner and mode of the file that it came from.
    // [BOX-94]
    fn stage(&self, number: usize, change: &Change, content: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.staged(number))?;
        file.write_all(content)?;
        if let Some(like) = &change.attributes_from {
            copy_ownership_and_mode(&file, like)?;
        }
        Ok(())
    }

    fn staged(&self, number: usize) -> PathBuf {
        path_of(&self.staging).join(number.to_string())
    }

    fn apply_one(
        &self,
        number: usize,
        change: &'a Change,
        last: &mut LastDirectory<'a>,
    ) -> Result<(), CommitError> {
        let (parent, name) = split(&change.path);
        let directory = last.open(self.host, parent).map_err(|error| match error {
            DirectoryError::NotFound => error_at(&change.path, "its directory no longer exists"),
            _ => error_at(&change.path, "its directory is no longer accessible"),
        })?;
        let target = path_of(directory).join(name);
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
        let (mut touched, mut last) = (Vec::new(), LastDirectory::default());
        for (number, change) in self.changes.iter().enumerate() {
            self.apply_one(number, change, &mut last)?;
            touched.push(((), split(&change.path).0));
            *done = done.saturating_add(1);
        }
        // Flush the directories, so that the new names are durable. A directory that was removed needs no
        // flush, and one that cannot be opened is left to the system.
        touched.sort_unstable();
        touched.dedup();
        let flush = |(_, directory): &((), &str)| {
            let Ok(handle) = self.host.directory(&components(directory)) else { return Ok(()) };
            File::open(path_of(&handle)).map_or(Ok(()), |directory| directory.sync_all())
        };
        flush_each(&touched, flush, &Deadline::unlimited())
    }
}

/// Flushes files or directories to disk, each named by its path. Several threads wait at once: the file
/// system then writes together what many of them wait for.
// [BOX-90]
fn flush_each<T: Sync>(
    items: &[(T, &str)],
    flush: impl Fn(&(T, &str)) -> io::Result<()> + Sync,
    deadline: &Deadline,
) -> Result<(), CommitError> {
    let (next, ended) = (AtomicUsize::new(0), AtomicBool::new(false));
    let flush_next = || -> Option<Result<(), CommitError>> {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let item = items.get(at).filter(|_| !ended.load(Ordering::Relaxed))?;
        Some(flush(item).map_err(io_error(item.1)))
    };
    let flush_rest = || iter::from_fn(flush_next).collect();
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, flush_rest).ok();
        let threads: Vec<_> = (1..FLUSH_THREADS.min(items.len())).map_while(spawn).collect();
        // This thread alone checks the deadline. Without other threads it flushes all.
        let checked = iter::from_fn(|| match check(deadline, "") {
            Ok(()) => flush_next(),
            late => Some(late),
        });
        let result: Result<(), CommitError> = checked.collect();
        ended.store(result.is_err(), Ordering::Relaxed);
        let failed = |_| Err(error_at("", "a thread failed"));
        threads.into_iter().fold(result, |result, thread| {
            let other = thread.join().unwrap_or_else(failed);
            result.and(other)
        })
    })
}

/// Refuses a change of a file that was modified since the guest first read it.
// [BOX-94]
fn check_unchanged<'a>(
    host: &HostDirectory,
    change: &'a Change,
    removed: &BTreeSet<&str>,
    last: &mut LastDirectory<'a>,
) -> Result<(), &'static str> {
    // A directory that is replaced by a file of the same name still exists.
    let makes = matches!(change.action, FileOp::WriteFile { replaces: false, .. })
        && !removed.contains(change.path.as_str());
    let (parent, name) = split(&change.path);
    let found = last.open(host, parent).and_then(|directory| host.open_child(directory, name));
    match (found.map(|(_, status)| fingerprint(&status)), &change.expected) {
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

/// The directory opened last, reached through no link: most changes lie beside the one before.
#[derive(Default)]
struct LastDirectory<'a>(Option<(&'a str, File)>);

impl<'a> LastDirectory<'a> {
    fn open(&mut self, host: &HostDirectory, path: &'a str) -> Result<&File, DirectoryError> {
        let kept = self.0.take().filter(|(last, _)| *last == path);
        let handle =
            kept.map_or_else(|| host.directory(&components(path)), |(_, handle)| Ok(handle));
        Ok(&self.0.insert((path, handle?)).1)
    }
}

/// Treats a file that does not exist as removed.
fn ignore_not_found(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Splits a path into its directory and its last name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn components(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}
