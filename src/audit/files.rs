//! Room: opening the audit log's files, none of which may be anything but a regular file of ours.
//!
//! A link in place of a file would send the log elsewhere, and a pipe would hang the host. So a
//! path is looked at without following it, opened, and compared with what was opened.

use super::canonical::unavailable;
use crate::error::Error;
use crate::home;
use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// Opens a regular file for reading and appending. If there is none, makes it where `create` says
/// so, readable by its owner only, and gives `None` where not.
///
/// # Errors
/// `audit.unavailable`, also for anything that is no regular file.
// [AUD-30] [AUD-31]
pub(super) fn open_regular(path: &Path, create: bool) -> Result<Option<File>, Error> {
    let fail = |error| unavailable(format_args!("{}: {error}", path.display()));
    // Twice: where another process makes the file between the look and the opening, look again.
    for _ in 0..2 {
        match path.symlink_metadata() {
            Ok(found) if found.is_file() => {
                let file = OpenOptions::new().read(true).append(true).open(path).map_err(fail)?;
                if same_file(&found, &file.metadata().map_err(fail)?) {
                    return Ok(Some(file));
                }
            }
            Ok(_) => {
                return Err(unavailable(format_args!("{}: not a regular file", path.display())))
            }
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fail(error)),
            Err(_) if !create => return Ok(None),
            Err(_) => match create_new(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => return made.map(Some).map_err(fail),
            },
        }
    }
    Err(unavailable(format_args!("{}: replaced while it was opened", path.display())))
}

/// Makes a file that does not exist yet, following no link.
pub(super) fn create_new(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The content of a regular file that is only read, or `None` where there is none.
///
/// # Errors
/// `audit.unavailable`, also for anything that is no regular file.
// [AUD-31]
pub(super) fn read_regular(path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, Error> {
    let fail = |error| unavailable(format_args!("{}: {error}", path.display()));
    match path.symlink_metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(fail(std::io::Error::other("not a regular file"))),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    }
    let content = File::open(path).and_then(|mut file| read_all(&mut file, bytes_max));
    content.map(Some).map_err(fail)
}

/// Puts content in a file's place in one step, so that a crash leaves no half of it. Where `flush` says
/// so, a power failure leaves none either.
// [AUD-32]
pub(super) fn replace(path: &Path, content: &[u8], flush: bool) -> std::io::Result<()> {
    let new_path = home::beside(path, ".new");
    if new_path.symlink_metadata().is_ok() {
        std::fs::remove_file(&new_path)?;
    }
    let mut file = create_new(&new_path)?;
    file.write_all(content)?;
    if flush {
        file.sync_all()?;
    }
    std::fs::rename(&new_path, path)
}

/// Makes a directory, and those above it, for the owner only; one that exists is left as it is.
// [AUD-30]
pub(super) fn create_dir(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| unavailable(format_args!("{}: {error}", path.display())))
}

/// Puts the names in a directory on the disk.
pub(super) fn sync_dir(path: &Path) -> Result<(), Error> {
    if cfg!(not(unix)) {
        return Ok(()); // elsewhere a directory can't be opened as a file
    }
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| unavailable(format_args!("{}: {error}", path.display())))
}

/// The whole content of a file, if it is at most so long.
pub(super) fn read_all(file: &mut File, bytes_max: usize) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    let mut content = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() > bytes_max {
        return Err(std::io::Error::other(format!("longer than {bytes_max} bytes")));
    }
    Ok(content)
}

/// Whether two looks saw one file. Elsewhere than on Unix a file's identity can't be asked for.
#[cfg(unix)]
pub(super) fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}
#[cfg(not(unix))]
pub(super) fn same_file(_: &Metadata, b: &Metadata) -> bool {
    b.is_file()
}
