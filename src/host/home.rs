//! Room: where the host keeps its own files, and the one way they are changed: whole or not at all,
//! and by one process at a time.

use crate::host::files::{self, failed, if_there, Links};
use crate::kernel::error::{Code, Error};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folder of the host's own files: the environment variable `MPP_HOME`, else `.mpp` in the
/// user's home directory. It need not exist yet.
///
/// # Errors
/// `host.file` where neither is known.
// [TRUST-16]
pub fn home_dir() -> Result<PathBuf, Error> {
    home_of(std::env::var_os("MPP_HOME"), std::env::home_dir())
        .ok_or_else(|| Error::new(Code::HostFile, "neither MPP_HOME nor a home directory is set"))
}

/// An empty variable is one that was not set, and an empty home directory is none: either would make
/// whatever folder a command was started in the home.
fn home_of(named: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let named = named.filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = home.filter(|path| *path != PathBuf::new());
    named.or_else(|| home.map(|home| home.join(".mpp")))
}

/// Reads a file, or `None` where there is none. Stops one byte past `bytes_max`, so that a longer file
/// reaches its parser as one that is too long, and the host's memory does not fill.
///
/// # Errors
/// `host.file`.
pub fn read_file(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, Error> {
    if_there(files::read(path, Links::Followed, bytes_max)).map_err(failed(path))
}

/// Changes a file under an exclusive lock. `edit` gets what [`read_file`] reads and gives back the new
/// content, or `None` to leave the file alone, and a result of its own. Missing folders are made.
///
/// The new content is written beside the file, forced to the disk and renamed over it, so a crash
/// leaves the old file or the new one. The lock is a file of its own, since the rename takes the
/// locked file's place away.
///
/// # Errors
/// `host.file`, and whatever `edit` gives.
pub fn update_file<T>(
    path: &Path,
    bytes_max: usize,
    edit: impl FnOnce(Option<Vec<u8>>) -> Result<(Option<Vec<u8>>, T), Error>,
) -> Result<T, Error> {
    let file = Locked::new(path, &|| false)?;
    let (content, result) = edit(file.read(bytes_max)?)?;
    if let Some(content) = content {
        file.write(&content)?.put()?;
    }
    Ok(result)
}

/// A file that nobody else changes, whether it is there yet or not.
pub(crate) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for others who have it, unless the call that this is for has `ended`.
    // [TRUST-17]
    pub(crate) fn new(path: &Path, ended: &dyn Fn() -> bool) -> Result<Self, Error> {
        create_private_dir(path)?;
        // A link is followed once, here: its target is replaced, and all names of a file share one lock.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let lock_path = files::beside(&path, ".lock");
        let lock = files::lock_file(&lock_path, ended).map_err(failed(&lock_path))?;
        Ok(Locked { path, _lock: lock })
    }

    pub(crate) fn read(&self, bytes_max: usize) -> Result<Option<Vec<u8>>, Error> {
        read_file(&self.path, bytes_max)
    }

    /// Puts new content on the disk, beside the file.
    pub(crate) fn write(self, content: &[u8]) -> Result<Written, Error> {
        let new_path =
            files::write_beside(&self.path, content, true).map_err(failed(&self.path))?;
        Ok(Written { file: self, new_path })
    }
}

/// New content of a file, which is gone again unless it is given the file's place.
pub(crate) struct Written {
    file: Locked,
    new_path: PathBuf,
}

impl Written {
    // [TRUST-18]
    pub(crate) fn put(&self) -> Result<(), Error> {
        files::put(&self.new_path, &self.file.path).map_err(failed(&self.file.path))
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _would_go_at_the_next_change = fs::remove_file(&self.new_path);
    }
}

/// Writes a whole file, or leaves the old one. For callers that hold a lock of their own.
///
/// # Errors
/// `host.file`.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    create_private_dir(path)?;
    files::replace(path, content, true).map_err(failed(path))
}

/// Makes the folder that a file will be in.
fn create_private_dir(path: &Path) -> Result<(), Error> {
    let folder = files::folder_of(path);
    files::create_private_dir(folder).map_err(failed(folder))
}

#[cfg(test)]
#[path = "../../conformance/unit/host/home.rs"]
mod tests;
