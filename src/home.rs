//! Room: where the host keeps its own files, and the one way they are changed: whole or not at all,
//! and by one process at a time.

use crate::error::{Code, Error};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another process's change is waited for: ten seconds.
const LOCK_TRIES: u32 = 1000;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

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
    let stop = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    // A pipe would hold the host up for as long as nobody writes to it.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(failed("read", path, &io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(stop).read_to_end(&mut bytes)) {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
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
pub fn edit_file<T>(
    path: &Path,
    bytes_max: usize,
    edit: impl FnOnce(Option<Vec<u8>>) -> Result<(Option<Vec<u8>>, T), Error>,
) -> Result<T, Error> {
    edit_file_with(path, bytes_max, edit, || Ok(()))
}

/// As [`edit_file`], and carries out something else in between: once the new content is on the disk, and
/// before it takes the old one's place. If that fails the old content stays.
///
/// # Errors
/// `host.file`, and whatever `edit` and `between` give.
// [TRUST-17] [TRUST-18]
pub(crate) fn edit_file_with<T>(
    path: &Path,
    bytes_max: usize,
    edit: impl FnOnce(Option<Vec<u8>>) -> Result<(Option<Vec<u8>>, T), Error>,
    between: impl FnOnce() -> Result<(), Error>,
) -> Result<T, Error> {
    let folder = folder_of(path);
    make_folder(folder).map_err(|error| failed("create", folder, &error))?;
    // A link is followed once, here: its target is replaced, and all names of a file share one lock.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock_path = beside(path, ".lock");
    let lock = private(OpenOptions::new().create(true).truncate(false))
        .open(&lock_path)
        .map_err(|error| failed("open", &lock_path, &error))?;
    wait_for_lock(&lock, LOCK_TRIES).map_err(|error| failed("lock", &lock_path, &error))?;
    let (content, result) = edit(read_file(path, bytes_max)?)?;
    if let Some(content) = content {
        let new_path = prepare(path, &content).map_err(|error| failed("write", path, &error))?;
        if let Err(error) = between() {
            let _would_go_at_the_next_change = fs::remove_file(&new_path);
            return Err(error);
        }
        put(&new_path, path).map_err(|error| failed("write", path, &error))?;
    }
    Ok(result) // closing the file ends the lock
}

/// Waits for those who are at it, but not for ever: one of them may hang.
fn wait_for_lock(lock: &File, tries: u32) -> io::Result<()> {
    for _ in 0..tries {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other("somebody else has it locked"))
}

/// Writes a whole file, or leaves the old one. For callers that hold a lock of their own.
///
/// # Errors
/// `host.file`.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> Result<(), Error> {
    let folder = folder_of(path);
    make_folder(folder).map_err(|error| failed("create", folder, &error))?;
    let replaced = prepare(path, content).and_then(|new_path| put(&new_path, path));
    replaced.map_err(|error| failed("write", path, &error))
}

/// Puts new content on the disk beside the file. Only ever called under a lock, so the name is ours.
fn prepare(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let new_path = beside(path, ".new");
    match fs::remove_file(&new_path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {} // a crash may have left one
    }
    let mut file = private(OpenOptions::new().create_new(true)).open(&new_path)?;
    file.write_all(content)?;
    // A store that several users read stays readable for them.
    if let Ok(old) = path.metadata() {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    Ok(new_path)
}

/// Puts it in the old content's place.
fn put(new_path: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new_path, path)?;
    #[cfg(unix)]
    File::open(folder_of(path))?.sync_all()?; // the new name, too, has to be on the disk
    Ok(())
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

/// For writing, and readable by the owner alone from its first moment.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.write(true)
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(Code::HostFile, format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_the_one_named_or_else_in_the_users() {
        let home = |named: &str, users: &str| home_of(Some(named.into()), Some(users.into()));
        assert_eq!(home("/m", "/home/a"), Some("/m".into()));
        assert_eq!(home("", "/home/a"), Some("/home/a/.mpp".into()));
        assert_eq!(home("", ""), None);
        assert_eq!(home_of(None, None), None);
    }

    #[test]
    fn reading_stops_one_byte_past_the_limit() {
        let path = std::env::temp_dir().join(format!("mpp-home-read-{}", std::process::id()));
        fs::write(&path, [7; 100]).expect("written");
        let lengths: Vec<_> = [0, 10, 99, 100, 101, usize::MAX]
            .map(|most| read_file(&path, most).expect("read").expect("there").len())
            .to_vec();
        fs::remove_file(&path).expect("removed");
        assert_eq!(lengths, [1, 11, 100, 100, 100, 100]);
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
        let path = std::env::temp_dir().join(format!("mpp-home-lock-{}", std::process::id()));
        let [held, lock] = [(); 2].map(|()| File::create(&path).unwrap());
        held.lock().unwrap();
        assert!(wait_for_lock(&lock, 3).is_err());
        drop(held);
        assert!(wait_for_lock(&lock, LOCK_TRIES).is_ok());
        fs::remove_file(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_or_a_folder_in_place_of_a_file_is_refused_at_once() {
        let folder = std::env::temp_dir().join(format!("mpp-home-pipe-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let pipe = folder.join("seen.json");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, &folder] {
            assert_eq!(read_file(path, 100).unwrap_err().code(), Code::HostFile);
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_changed_file_keeps_its_mode_and_a_new_one_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = std::env::temp_dir().join(format!("mpp-home-mode-{}", std::process::id()));
        let path = folder.join("trust.json");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        let write = || edit_file(&path, 100, |_| Ok((Some(b"x".to_vec()), ()))).unwrap();
        write();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        write();
        assert_eq!(mode(), 0o644);
        fs::remove_dir_all(&folder).unwrap();
    }
}
