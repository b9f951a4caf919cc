//! Home directory (`MPP_HOME`): finds it, and updates files in it atomically, one process at a time.

use crate::host::files::{self, file_error, optional, Links};
use crate::kernel::error::{Code, Error};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Returns the home directory: the environment variable `MPP_HOME`, else `.mpp` in the user's home
/// directory. It need not exist yet.
///
/// # Errors
/// `host.file` if neither is set, or the directory is not absolute.
// [TRUST-16]
pub fn home_dir() -> Result<PathBuf, Error> {
    home_of(std::env::var_os("MPP_HOME"), std::env::home_dir())
}

/// Treats an empty value as unset. A relative path is refused: a variable that a client did not expand, such
/// as `~`, would silently become an empty home in the current directory.
fn home_of(named: Option<OsString>, home: Option<PathBuf>) -> Result<PathBuf, Error> {
    let home = home.filter(|path| *path != PathBuf::new()).map(|home| home.join(".mpp"));
    let detail = match named.filter(|path| !path.is_empty()).map(PathBuf::from).or(home) {
        Some(found) if found.is_absolute() => return Ok(found),
        Some(found) => format!(
            "the home directory {found:?} is not an absolute path; set MPP_HOME to one, such as /home/me/.mpp, \
             without `~` and variables"
        ),
        None => "neither MPP_HOME nor a home directory is set".to_owned(),
    };
    Err(Error::new(Code::HostFile, detail))
}

/// Reads a file; `None` if absent. Stops one byte past `bytes_max`: the parser sees that the file is too
/// long, and memory stays bounded.
///
/// # Errors
/// `host.file`.
pub fn read_file(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, Error> {
    optional(files::read(path, Links::Followed, bytes_max)).map_err(file_error(path))
}

/// Returns `true` if a file has one of these permission bits. Systems other than Unix have none.
pub fn has_mode(path: &Path, bits: u32) -> bool {
    #[cfg(unix)]
    return path.metadata().is_ok_and(|found| {
        std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & bits != 0
    });
    #[cfg(not(unix))]
    return path.as_os_str().is_empty() && bits == 0;
}

/// Changes a file under an exclusive lock. `edit` receives what [`read_file`] reads and returns the new
/// content, or `None` to leave the file unchanged, and a result. Missing directories are created.
///
/// The new content is written to a temporary file, flushed to disk and renamed over the file, so a crash
/// leaves the old content or the new one. The lock is a separate file, since the rename replaces `path`.
///
/// # Errors
/// `host.file`, and any error of `edit`.
pub fn update_file<T>(
    path: &Path,
    bytes_max: usize,
    edit: impl FnOnce(Option<Vec<u8>>) -> Result<(Option<Vec<u8>>, T), Error>,
) -> Result<T, Error> {
    let file = LockedFile::new(path, &|| false)?;
    let (content, result) = edit(file.read(bytes_max)?)?;
    if let Some(content) = content {
        file.write(&content)?.rename_into_place()?;
    }
    Ok(result)
}

/// A file, existing or not, under an exclusive lock.
pub(crate) struct LockedFile {
    path: PathBuf,
    _lock: File,
}

impl LockedFile {
    /// Waits for other holders of the lock, until the call has `ended`.
    // [TRUST-17]
    pub(crate) fn new(path: &Path, ended: &dyn Fn() -> bool) -> Result<Self, Error> {
        create_parent_dir(path)?;
        // Follow a link once, here: its target is replaced, and all names of a file share one lock.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let lock_path = files::sibling_path(&path, ".lock");
        let lock = files::lock_file(&lock_path, ended).map_err(file_error(&lock_path))?;
        Ok(LockedFile { path, _lock: lock })
    }

    pub(crate) fn read(&self, bytes_max: usize) -> Result<Option<Vec<u8>>, Error> {
        read_file(&self.path, bytes_max)
    }

    /// Writes new content to a temporary file, flushed to disk.
    pub(crate) fn write(self, content: &[u8]) -> Result<StagedFile, Error> {
        let new_path =
            files::write_temp(&self.path, content, true).map_err(file_error(&self.path))?;
        Ok(StagedFile { file: self, new_path })
    }
}

/// New content of a file, removed on drop unless renamed into place.
pub(crate) struct StagedFile {
    file: LockedFile,
    new_path: PathBuf,
}

impl StagedFile {
    // [TRUST-18]
    pub(crate) fn rename_into_place(&self) -> Result<(), Error> {
        files::rename_over(&self.new_path, &self.file.path).map_err(file_error(&self.file.path))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.new_path); // best effort: the next update replaces it
    }
}

/// Replaces a whole file atomically. For callers that hold a lock.
///
/// # Errors
/// `host.file`.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    create_parent_dir(path)?;
    files::replace(path, content, true).map_err(file_error(path))
}

/// Creates the directory that contains a file.
fn create_parent_dir(path: &Path) -> Result<(), Error> {
    let dir = files::parent_dir(path);
    files::create_private_dir(dir).map_err(file_error(dir))
}

#[cfg(test)]
#[path = "../../conformance/unit/host/home.rs"]
mod tests;
