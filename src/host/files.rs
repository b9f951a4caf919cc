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
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
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
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mpp-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Folder(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn reading_stops_one_byte_past_the_limit() {
        let folder = Folder::new("files-read");
        let path = folder.0.join("file");
        fs::write(&path, [7; 100]).unwrap();
        let length = |most| read(&path, Links::Followed, most).unwrap().len();
        assert_eq!([0, 10, 99, 100, 101, usize::MAX].map(length), [1, 11, 100, 100, 100, 100]);
    }

    #[test]
    fn a_file_that_is_not_there_is_none_and_nothing_is_made() {
        let folder = Folder::new("files-none");
        let path = folder.0.join("file");
        assert_eq!(if_there(read(&path, Links::Refused, 9)).unwrap(), None);
        assert!(open_own(&path, false).unwrap().is_none() && !path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_a_folder_or_a_device_in_place_of_a_file_is_refused_at_once() {
        let folder = Folder::new("files-pipe");
        let pipe = folder.0.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, &folder.0, Path::new("/dev/null")] {
            for links in [Links::Followed, Links::Refused] {
                assert!(read(path, links, 9).is_err(), "{}", path.display());
            }
            assert!(open_own(path, true).is_err() && lock_file(path, &|| false).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_only_where_it_may_be() {
        let folder = Folder::new("files-link");
        let (file, link) = (folder.0.join("file"), folder.0.join("link"));
        fs::write(&file, "text").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(read(&link, Links::Followed, 9).unwrap(), b"text");
        assert!(read(&link, Links::Refused, 9).is_err());
        assert!(open_own(&link, true).is_err() && create_new(&link).is_err());
        let dangling = folder.0.join("dangling");
        std::os::unix::fs::symlink(folder.0.join("nothing"), &dangling).unwrap();
        assert!(open_own(&dangling, true).is_err() && lock_file(&dangling, &|| false).is_err());
        assert!(!folder.0.join("nothing").exists());
    }

    #[test]
    fn a_lock_that_is_never_given_back_is_not_waited_for_for_ever() {
        let folder = Folder::new("files-lock");
        let path = folder.0.join("lock");
        let held = lock_file(&path, &|| false).unwrap();
        let other = open_own(&path, false).unwrap().unwrap();
        assert!(wait(|| other.try_lock(), &|| false, LOCK_PAUSE).is_err());
        assert!(wait(|| other.try_lock_shared(), &|| false, LOCK_PAUSE).is_err());
        drop(held);
        assert!(lock_shared(&other).is_ok() && lock(&other, &|| false).is_ok());
    }

    #[test]
    fn a_lock_is_not_waited_for_once_the_call_has_ended() {
        let folder = Folder::new("files-deadline");
        let path = folder.0.join("lock");
        let held = lock_file(&path, &|| false).unwrap();
        let other = open_own(&path, false).unwrap().unwrap();
        let looks = std::cell::Cell::new(3);
        let ended = || looks.replace(looks.get() - 1) == 0;
        let refused = lock(&other, &ended).unwrap_err();
        assert!(refused.to_string().contains("the call has ended"), "{refused}");
        drop(held);
    }

    #[test]
    fn new_content_replaces_the_old_and_whatever_a_crash_left_beside_it() {
        let folder = Folder::new("files-replace");
        let path = folder.0.join("file");
        fs::write(beside(&path, ".new"), "half of").unwrap();
        for (content, flush) in [("old", true), ("new", false)] {
            replace(&path, content.as_bytes(), flush).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
        // What cannot be put in its place leaves the old content.
        fs::create_dir(beside(&path, ".new")).unwrap();
        assert!(replace(&path, b"newer", true).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
