//! File primitives: reads a regular file, replaces one atomically, and locks one.

use crate::kernel::encoding::as_u64;
use crate::kernel::error::{Code, Error};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait for a lock that is held for one record or one edit of a document.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Whether a symbolic link is followed to the file. Only this program creates the files of its log, so a
/// link in place of one would lead it to a foreign file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Followed,
    Refused,
}

/// Returns the error for an I/O failure, for callers without an error code of their own.
pub(crate) fn file_error(path: &Path) -> impl Fn(io::Error) -> Error + Copy + '_ {
    |error| Error::new(Code::HostFile, format!("{}: {error}", path.display()))
}

/// Turns `NotFound` into `None`.
pub(crate) fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Attempts to open a file that another process keeps replacing, as each record does with `audit.head`.
const OPEN_ATTEMPTS: usize = 100;

/// Opens a regular file for reading. The type is checked first, since opening a FIFO blocks until it has a
/// writer, and opening a device can have any effect.
pub(crate) fn open(path: &Path, links: Links) -> io::Result<File> {
    open_with(path, links, OpenOptions::new().read(true))
}

fn open_with(path: &Path, links: Links, options: &OpenOptions) -> io::Result<File> {
    for _ in 0..OPEN_ATTEMPTS {
        let found = match links {
            Links::Followed => path.metadata()?,
            Links::Refused => path.symlink_metadata()?,
        };
        if !found.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let file = options.open(path)?;
        if links == Links::Followed || is_same_file(&found, &file.metadata()?) {
            return Ok(file);
        }
    }
    Err(io::Error::other("replaced while it was opened"))
}

/// Opens one of this program's files for reading and appending. Creates it if absent and `create` is set,
/// else returns `None`.
// [AUD-30] [AUD-31]
pub(crate) fn open_own(path: &Path, create: bool) -> io::Result<Option<File>> {
    // Twice: another process may create the file between the check and the creation.
    for _ in 0..2 {
        let options = OpenOptions::new().read(true).append(true).to_owned();
        match optional(open_with(path, Links::Refused, &options))? {
            None if create => match create_new(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(Some),
            },
            found => return Ok(found),
        }
    }
    Err(io::Error::other("removed while it was opened"))
}

/// Creates a file with mode 0600; it must not exist yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads a regular file. Stops one byte past `bytes_max`: the caller sees that the file is too long, and
/// memory stays bounded.
pub(crate) fn read(path: &Path, links: Links, bytes_max: usize) -> io::Result<Vec<u8>> {
    read_from(open(path, links)?, bytes_max)
}

/// As [`read`], for an open file.
pub(crate) fn read_from(file: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(as_u64(bytes_max).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Replaces a file atomically: a crash leaves the old content or the new one, and with `flush` so does a
/// power failure. The caller holds a lock.
pub(crate) fn replace(path: &Path, content: &[u8], flush: bool) -> io::Result<()> {
    let new_path = write_temp(path, content, flush)?;
    match flush {
        true => rename_over(&new_path, path),
        false => fs::rename(new_path, path),
    }
}

/// Writes new content to a temporary file beside `path`, for [`rename_over`]. The caller holds a lock, so
/// the name is free.
pub(crate) fn write_temp(path: &Path, content: &[u8], flush: bool) -> io::Result<PathBuf> {
    let new_path = sibling_path(path, ".new");
    optional(fs::remove_file(&new_path))?; // a crash may have left one
    let mut file = create_new(&new_path)?;
    file.write_all(content)?;
    // Keep the mode: a file that several users read stays readable for them.
    if let Ok(old) = path.metadata() {
        file.set_permissions(old.permissions())?;
    }
    if flush {
        file.sync_all()?;
    }
    Ok(new_path)
}

/// Renames new content over the file, durably.
pub(crate) fn rename_over(new_path: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new_path, path)?;
    sync_dir(parent_dir(path))
}

/// Flushes the entries of a directory to disk.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(()); // other systems cannot open a directory as a file
    }
    File::open(path)?.sync_all()
}

/// Creates a directory and its ancestors with mode 0700; an existing one is left unchanged.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Returns the directory that contains a file.
pub(crate) fn parent_dir(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Appends a suffix to the last name of a path.
pub(crate) fn sibling_path(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Locks a lock file, and makes sure that its path still leads to the locked file.
pub(crate) fn lock_file(path: &Path, ended: &dyn Fn() -> bool) -> io::Result<File> {
    loop {
        let Some(file) = open_own(path, true)? else { continue };
        lock_within(&file, LOCK_TIMEOUT, ended)?;
        let mine = file.metadata()?;
        if path.symlink_metadata().is_ok_and(|there| is_same_file(&there, &mine)) {
            return Ok(file); // closing the file releases the lock
        }
    }
}

/// Takes an exclusive lock on a file. Waits for other holders, but only for a limited time, since one may
/// hang, and only until the call has `ended`.
pub(crate) fn lock_within(
    file: &File,
    timeout: Duration,
    ended: &dyn Fn() -> bool,
) -> io::Result<()> {
    wait_for_lock(|| file.try_lock(), ended, timeout)
}

/// Takes a shared lock on a file.
pub(crate) fn lock_shared(file: &File) -> io::Result<()> {
    wait_for_lock(|| file.try_lock_shared(), &|| false, LOCK_TIMEOUT)
}

// [BOX-99]
fn wait_for_lock(
    try_lock: impl Fn() -> Result<(), TryLockError>,
    ended: &dyn Fn() -> bool,
    timeout: Duration,
) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if ended() => {
                return Err(io::Error::other("the call has ended"))
            }
            Err(TryLockError::WouldBlock) if started.elapsed() >= timeout => {
                let held = format!("lock held by another process for {} s", timeout.as_secs());
                return Err(io::Error::other(held));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_POLL_INTERVAL),
        }
    }
}

/// Returns `true` if both are of one file. Other systems than Unix do not tell a file's identity.
fn is_same_file(a: &Metadata, b: &Metadata) -> bool {
    #[cfg(unix)]
    return {
        use std::os::unix::fs::MetadataExt as _;
        (a.dev(), a.ino()) == (b.dev(), b.ino())
    };
    #[cfg(not(unix))]
    return a.is_file() && b.is_file();
}

#[cfg(test)]
#[path = "../../conformance/unit/host/files.rs"]
mod tests;
