//! Files of the host: one way to read a regular file, to replace one, and to lock one.
//!
use crate::kernel::encoding::as_u64;
use crate::kernel::error::{Code, Error};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a lock is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(1);

/// Whether a symbolic link is followed to the file. Nobody but this program makes the files of its log,
/// so a link in place of one would lead it elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Followed,
    Refused,
}

/// The error for what the system says of a file, for all that have no code of their own for it.
pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> Error + Copy + '_ {
    |error| Error::new(Code::HostFile, format!("{}: {error}", path.display()))
}

/// `None` instead of an error where there is no such file.
pub(crate) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// How often a file is opened that another process replaces meanwhile, as each record does with `audit.head`.
const OPEN_TRIES: usize = 100;

/// Opens a regular file to read it. A pipe would hold the host up for as long as nobody writes to it, and
/// opening a device can have any effect, so what is there is looked at before.
pub(crate) fn open(path: &Path, links: Links) -> io::Result<File> {
    open_with(path, links, OpenOptions::new().read(true))
}

fn open_with(path: &Path, links: Links, options: &OpenOptions) -> io::Result<File> {
    for _ in 0..OPEN_TRIES {
        let found = match links {
            Links::Followed => path.metadata()?,
            Links::Refused => path.symlink_metadata()?,
        };
        if !found.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let file = options.open(path)?;
        if links == Links::Followed || is_same(&found, &file.metadata()?) {
            return Ok(file);
        }
    }
    Err(io::Error::other("replaced while it was opened"))
}

/// Opens one of this program's own files for reading and appending. If there is none, makes it where
/// `create` says so, and gives `None` where not.
// [AUD-30] [AUD-31]
pub(crate) fn open_own(path: &Path, create: bool) -> io::Result<Option<File>> {
    // Twice: another process may make the file between the look and the making.
    for _ in 0..2 {
        let options = OpenOptions::new().read(true).append(true).to_owned();
        match if_there(open_with(path, Links::Refused, &options))? {
            None if create => match create_new(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(Some),
            },
            found => return Ok(found),
        }
    }
    Err(io::Error::other("removed while it was opened"))
}

/// Makes a file that is not there yet, for its owner alone.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Reads a regular file. Stops one byte past `bytes_max`, so that whoever judges the length sees one that
/// is too long, and the host's memory does not fill.
pub(crate) fn read(path: &Path, links: Links, bytes_max: usize) -> io::Result<Vec<u8>> {
    read_from(open(path, links)?, bytes_max)
}

/// As [`read`], of a file that is open.
pub(crate) fn read_from(file: impl Read, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(as_u64(bytes_max).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts new content in a file's place in one step: a crash leaves the old content or the new one. Where
/// `flush` says so, a power failure does as well. Called under a lock.
pub(crate) fn replace(path: &Path, content: &[u8], flush: bool) -> io::Result<()> {
    let new_path = write_beside(path, content, flush)?;
    match flush {
        true => put(&new_path, path),
        false => fs::rename(new_path, path),
    }
}

/// Puts new content beside a file, for [`put`] to give it the file's place. Called under a lock, so the
/// name is ours.
pub(crate) fn write_beside(path: &Path, content: &[u8], flush: bool) -> io::Result<PathBuf> {
    let new_path = beside(path, ".new");
    if_there(fs::remove_file(&new_path))?; // a crash may have left one
    let mut file = create_new(&new_path)?;
    file.write_all(content)?;
    // A file that several users read stays readable for them.
    if let Ok(old) = path.metadata() {
        file.set_permissions(old.permissions())?;
    }
    if flush {
        file.sync_all()?;
    }
    Ok(new_path)
}

/// Gives new content the file's place, for good.
pub(crate) fn put(new_path: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new_path, path)?;
    sync_folder(folder_of(path))
}

/// Puts the names in a folder on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(()); // elsewhere a folder can't be opened as a file
    }
    File::open(path)?.sync_all()
}

/// Makes a folder, and those above it, for its owner alone; one that is there is left as it is.
pub(crate) fn create_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The path with something behind its last name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Locks a file that is there for nothing else, and sees that it is still the one that others will find.
pub(crate) fn lock_file(path: &Path, ended: &dyn Fn() -> bool) -> io::Result<File> {
    loop {
        let Some(file) = open_own(path, true)? else { continue };
        lock(&file, ended)?;
        let mine = file.metadata()?;
        if path.symlink_metadata().is_ok_and(|there| is_same(&there, &mine)) {
            return Ok(file); // closing it ends the lock
        }
    }
}

/// Keeps all others from locking a file. Waits for those who have it locked, but not for ever, since one
/// of them may hang, and not once the call that this is for has `ended`.
pub(crate) fn lock(file: &File, ended: &dyn Fn() -> bool) -> io::Result<()> {
    wait(|| file.try_lock(), ended, LOCK_PATIENCE)
}

/// Keeps others from locking a file for themselves alone.
pub(crate) fn lock_shared(file: &File) -> io::Result<()> {
    wait(|| file.try_lock_shared(), &|| false, LOCK_PATIENCE)
}

// [BOX-99]
fn wait(
    try_lock: impl Fn() -> Result<(), TryLockError>,
    ended: &dyn Fn() -> bool,
    patience: Duration,
) -> io::Result<()> {
    let began = Instant::now();
    loop {
        if ended() {
            return Err(io::Error::other("the call has ended"));
        }
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if began.elapsed() >= patience => {
                return Err(io::Error::other("others have held its lock for ten seconds"))
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
    }
}

/// Whether two looks saw one file. Elsewhere than on Unix a file's identity can't be asked for.
fn is_same(a: &Metadata, b: &Metadata) -> bool {
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
