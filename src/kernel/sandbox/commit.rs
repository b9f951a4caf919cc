//! Room: carrying out on the host what a guest changed, once its call has succeeded.
//!
//! Two steps. First all new content is written to a folder of this program inside the mapped
//! directory, and is on the disk: a full disk shows here, when nothing has changed yet. Then names are
//! removed, directories made and files moved to their names one by one, each in one step: whoever looks
//! sees a file's old content or its new one. A lock keeps two calls from doing so at once, and what a
//! killed process left in the folder is cleared away by the next. What the package keeps is made ready
//! with the first step, and is in force last of all.

use super::errno::Errno;
use super::host_directory::{open_handle, path_of, HostDirectory, Stamp, COMMIT_FOLDER};
use crate::host::unix::{fchown, DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use crate::kernel::deadline::Deadline;
use crate::kernel::error::{Code, Error};
use crate::kernel::prelude::*;
use crate::kernel::storage::NewSnapshot;
use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

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

/// Names shown of what was carried out before a failure.
const DONE_SHOWN: usize = 20;

/// Carries out the changes of all mounts and of what is kept, or says how far it came and leaves those in
/// the lists.
// [BOX-90] [BOX-91]
pub(super) fn carry_out(
    mounts: &mut [Mount],
    kept: Option<&NewSnapshot>,
    deadline: &Deadline,
) -> Result<(), Error> {
    // Locks are taken in one order everywhere, so that two calls wait for each other at most once.
    mounts.sort_by_key(|mount| mount.host.identity());
    let (done, result) = attempt(mounts, kept, deadline);
    if result.is_err() {
        for (mount, done) in mounts.iter_mut().zip(done) {
            mount.changes.truncate(done);
        }
    }
    result
}

/// How many changes of each mount were carried out, and why no more.
// [STO-31] [STO-32]
fn attempt(
    mounts: &[Mount],
    kept: Option<&NewSnapshot>,
    deadline: &Deadline,
) -> (Vec<usize>, Result<(), Error>) {
    let mut done = vec![0; mounts.len()];
    let prepare = || {
        let mounts: Vec<_> =
            mounts.iter().map(|mount| Prepared::new(mount, deadline)).collect::<Result<_, _>>()?;
        let kept = kept.map(|kept| kept.prepare(deadline)).transpose()?;
        // The last look: what is begun is brought to its end.
        deadline.check()?;
        Ok((mounts, kept))
    };
    let (prepared, kept) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => return (done, Err(error)),
    };
    for (ready, count) in prepared.iter().zip(&mut done) {
        if let Err(Failed(path, what)) = ready.apply(count) {
            let path = ready.mount.guest_path(&path);
            let detail = format!("{path}: {what}; {}", carried_out(mounts, &done));
            return (done, Err(Error::new(Code::HostCommit, detail)));
        }
    }
    let result = kept.map_or(Ok(()), |kept| kept.commit()).map_err(|error| {
        let detail = format!("{}; {}", error.detail(), carried_out(mounts, &done));
        Error::new(error.code(), detail)
    });
    (done, result)
}

// [BOX-92]
fn carried_out(mounts: &[Mount], done: &[usize]) -> String {
    let paths = mounts.iter().zip(done).flat_map(|(mount, done)| {
        mount.changes.iter().take(*done).map(|change| mount.guest_path(&change.path))
    });
    let paths: Vec<String> = paths.collect();
    if paths.is_empty() {
        return "nothing was changed".to_owned();
    }
    let shown = paths.iter().take(DONE_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match paths.len().saturating_sub(DONE_SHOWN) {
        0 => format!("carried out before: {shown}"),
        more => format!("carried out before: {shown} and {more} more"),
    }
}

/// The path that the host refused, and why.
struct Failed(String, String);

impl Failed {
    fn at(path: &str) -> impl Fn(io::Error) -> Failed + '_ {
        |error| Failed(path.to_owned(), error.to_string())
    }
}

/// A mount whose new content is on the disk, apart from its names.
struct Prepared<'a> {
    mount: &'a Mount,
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
    match fs::remove_dir_all(path_of(root).join(COMMIT_FOLDER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folder, for this user alone, and opens it so that nobody can put another in its place.
fn make(root: &File) -> io::Result<File> {
    let path = path_of(root).join(COMMIT_FOLDER);
    DirBuilder::new().mode(0o700).create(&path)?;
    open_handle(&path)
}

impl<'a> Prepared<'a> {
    // [BOX-90]
    fn new(mount: &'a Mount, deadline: &Deadline) -> Result<Self, Error> {
        Prepared::prepare(mount, deadline).map_err(|Failed(path, what)| {
            if let Err(interrupted) = deadline.check() {
                return interrupted.into();
            }
            let detail = format!("{}: {what}; nothing was changed", mount.guest_path(&path));
            Error::new(Code::HostCommit, detail)
        })
    }

    fn prepare(mount: &'a Mount, deadline: &Deadline) -> Result<Self, Failed> {
        let late = |change: &Change| {
            let path = change.path.clone();
            deadline.check().map_err(|_| Failed(path, "the call has ended".to_owned()))
        };
        // [BOX-97] A person may have looked at the changes for a while.
        mount.host.check_again().map_err(|what| Failed(String::new(), what))?;
        let root = mount.host.lock(deadline).map_err(Failed::at(""))?;
        let mut prepared = Prepared { mount, root, folder: None };
        let failed = Failed::at(COMMIT_FOLDER);
        clear(&prepared.root).map_err(&failed)?;
        let removes = |change: &&Change| {
            matches!(change.action, Action::RemoveFile | Action::RemoveDirectory)
        };
        let removed: BTreeSet<&str> =
            mount.changes.iter().filter(removes).map(|change| change.path.as_str()).collect();
        for change in &mount.changes {
            late(change)?;
            check_unchanged(&mount.host, change, &removed)
                .map_err(|what| Failed(change.path.clone(), what.to_owned()))?;
        }
        if mount.changes.iter().any(|change| matches!(change.action, Action::WriteFile { .. })) {
            prepared.folder = Some(make(&prepared.root).map_err(&failed)?);
        }
        for (number, change) in mount.changes.iter().enumerate() {
            if let Action::WriteFile { content, .. } = &change.action {
                late(change)?;
                prepared.write(number, change, content).map_err(Failed::at(&change.path))?;
            }
        }
        Ok(prepared)
    }

    /// Writes new content under a number, with the owner and permissions of what it came from.
    // [BOX-94]
    fn write(&self, number: usize, change: &Change, content: &[u8]) -> io::Result<()> {
        let mut file = File::create_new(self.staged(number))?;
        file.write_all(content)?;
        if let Some(like) = &change.like {
            be_like(&file, like)?;
        }
        file.sync_all()
    }

    fn staged(&self, number: usize) -> PathBuf {
        let folder = self.folder.as_ref().unwrap_or(&self.root);
        path_of(folder).join(number.to_string())
    }

    /// Carries out change by change; `done` counts those that are.
    // [BOX-91]
    fn apply(&self, done: &mut usize) -> Result<(), Failed> {
        let mut touched = BTreeSet::new();
        for (number, change) in self.mount.changes.iter().enumerate() {
            self.carry_out(number, change)?;
            touched.insert(parent(&change.path));
            *done = done.saturating_add(1);
        }
        // The names are on the disk as well once their directories are. One that was removed after
        // something in it needs nothing, and one that can't be opened is left to the system.
        for directory in touched {
            let Ok(handle) = self.mount.host.directory(&names(directory)) else { continue };
            if let Ok(directory_file) = File::open(path_of(&handle)) {
                directory_file.sync_all().map_err(Failed::at(directory))?;
            }
        }
        Ok(())
    }

    fn carry_out(&self, number: usize, change: &Change) -> Result<(), Failed> {
        let failed = Failed::at(&change.path);
        let directory = directory(&self.mount.host, parent(&change.path))
            .map_err(|what| Failed(change.path.clone(), what.to_owned()))?;
        let name = names(&change.path).last().copied().unwrap_or_default();
        let target = path_of(&directory).join(name);
        match &change.action {
            Action::RemoveFile => gone(fs::remove_file(target)),
            Action::RemoveDirectory => gone(fs::remove_dir(target)),
            Action::CreateDirectory => self.make_directory(change, &target),
            Action::WriteFile { replaces: true, .. } => fs::rename(self.staged(number), target),
            Action::WriteFile { .. } => make_name(&self.staged(number), &target),
        }
        .map_err(failed)
    }

    /// Makes a directory, unless another call has made it meanwhile.
    fn make_directory(&self, change: &Change, target: &Path) -> io::Result<()> {
        match fs::create_dir(target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = self.mount.host.directory(&names(&change.path));
                found.map(drop).map_err(|_| error)
            }
            Ok(()) => match &change.like {
                Some(like) => {
                    be_like(&open_handle(target).and_then(|made| File::open(path_of(&made)))?, like)
                }
                None => Ok(()),
            },
            Err(error) => Err(error),
        }
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
    let makes = matches!(change.action, Action::WriteFile { replaces: false, .. })
        && !removed.contains(change.path.as_str());
    match (host.stamp(&names(&change.path)), &change.was) {
        (Ok(now), Some(was)) if now != *was => Err("it was changed meanwhile by somebody else"),
        (Err(Errno::NOENT), Some(_)) if matches!(change.action, Action::WriteFile { .. }) => {
            Err("the file that it replaces is no longer there")
        }
        (Ok(_) | Err(Errno::ACCES), None) if makes => {
            Err("something of this name has appeared meanwhile")
        }
        (Err(Errno::ACCES), Some(_)) => Err("it was changed meanwhile by somebody else"),
        _ => Ok(()),
    }
}

/// Gives a file or directory the owner and the permissions of another.
fn be_like(file: &File, like: &Stamp) -> io::Result<()> {
    let status = file.metadata()?;
    let (user, group) = like.owner;
    if (status.uid(), status.gid()) != (user, group) {
        fchown(file, Some(user), Some(group))?;
    }
    let mut permissions = status.permissions();
    permissions.set_mode(like.mode);
    file.set_permissions(permissions)
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
    host.directory(&names(path)).map_err(|errno| match errno {
        Errno::NOENT => "its directory is no longer there",
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
