//! Room: carrying out on the host what a guest changed, once its call has succeeded.
//!
//! Two steps. First all new content is written to a folder of this program inside the mapped
//! directory, and is on the disk: a full disk shows here, when nothing has changed yet. Then names are
//! removed, directories made and files moved to their names one by one, each in one step: whoever looks
//! sees a file's old content or its new one. A lock keeps two calls from doing so at once, and what a
//! killed process left in the folder is cleared away by the next.

use super::changes::{Action, Change, Mount};
use super::errno::Errno;
use super::host_directory::{open_handle, path_of, Found, HostDirectory, COMMIT_FOLDER};
use crate::{Code, Error};
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// Names shown of what was carried out before a failure.
const DONE_SHOWN: usize = 20;

/// Carries out the changes of all mounts, or says how far it came.
// [BOX-90] [BOX-91]
pub(super) fn carry_out(mounts: &[Mount]) -> Result<(), Error> {
    let mut prepared = Vec::with_capacity(mounts.len());
    for mount in mounts {
        let ready = Prepared::new(mount).map_err(|Failed(path, what)| {
            let detail = format!("{}: {what}; nothing was changed", mount.guest_path(&path));
            Error::new(Code::HostCommit, detail)
        })?;
        prepared.push(ready);
    }
    let mut done = Vec::new();
    for ready in &prepared {
        ready.apply(&mut done).map_err(|Failed(path, what)| {
            let carried = carried_out(&done);
            let detail = format!("{}: {what}; {carried}", ready.mount.guest_path(&path));
            Error::new(Code::HostCommit, detail)
        })?;
    }
    Ok(())
}

// [BOX-92]
fn carried_out(done: &[String]) -> String {
    if done.is_empty() {
        return "nothing was changed".to_owned();
    }
    let shown = done.iter().take(DONE_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match done.len().saturating_sub(DONE_SHOWN) {
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
    fn new(mount: &'a Mount) -> Result<Self, Failed> {
        let root = mount.host.lock().map_err(Failed::at(""))?;
        let mut prepared = Prepared { mount, root, folder: None };
        let failed = Failed::at(COMMIT_FOLDER);
        clear(&prepared.root).map_err(&failed)?;
        if mount.changes.iter().any(|change| matches!(change.action, Action::WriteFile { .. })) {
            prepared.folder = Some(make(&prepared.root).map_err(&failed)?);
        }
        for (number, change) in mount.changes.iter().enumerate() {
            if let Action::WriteFile { content, replaces } = &change.action {
                prepared.write(number, &change.path, content, *replaces)?;
            }
        }
        Ok(prepared)
    }

    /// Writes new content under a number, with the permissions of the file that it replaces.
    fn write(
        &self,
        number: usize,
        path: &str,
        content: &[u8],
        replaces: bool,
    ) -> Result<(), Failed> {
        let failed = Failed::at(path);
        let mut file = File::create_new(self.staged(number)).map_err(&failed)?;
        file.write_all(content).map_err(&failed)?;
        if replaces {
            let old = self.mount.host.look(&names(path));
            let Ok(Found::File(old)) = old else {
                let what = "the file that it replaces is no longer there";
                return Err(Failed(path.to_owned(), what.to_owned()));
            };
            let permissions = old.permissions().map_err(&failed)?;
            file.set_permissions(permissions).map_err(&failed)?;
        }
        file.sync_all().map_err(&failed)
    }

    fn staged(&self, number: usize) -> PathBuf {
        let folder = self.folder.as_ref().unwrap_or(&self.root);
        path_of(folder).join(number.to_string())
    }

    /// Carries out change by change; `done` gets the paths of those that are.
    // [BOX-91]
    fn apply(&self, done: &mut Vec<String>) -> Result<(), Failed> {
        let mut touched = BTreeSet::new();
        for (number, change) in self.mount.changes.iter().enumerate() {
            self.carry_out(number, change)?;
            touched.insert(parent(&change.path));
            done.push(self.mount.guest_path(&change.path));
        }
        // The names are on the disk as well once their directories are. A directory that was removed
        // after something in it needs nothing.
        for directory in touched {
            if let Ok(handle) = self.mount.host.directory(&names(directory)) {
                File::open(path_of(&handle))
                    .and_then(|handle| handle.sync_all())
                    .map_err(Failed::at(directory))?;
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
            Action::CreateDirectory => fs::create_dir(target),
            Action::WriteFile { replaces: false, .. } if is_taken(&target) => {
                let what = "something of this name has appeared meanwhile";
                return Err(Failed(change.path.clone(), what.to_owned()));
            }
            Action::WriteFile { .. } => fs::rename(self.staged(number), target),
        }
        .map_err(failed)
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
