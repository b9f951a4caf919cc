//! JSON documents in host files: loads one, and edits one under the lock of its file.

use crate::host::home;
use crate::kernel::document::{self, Document, ToJson};
use crate::kernel::error::Error;
use std::path::Path;

/// Reads a document from a file; `None` if the file is absent.
///
/// # Errors
/// `host.file`, and the document's error code, with the path of the file.
pub(crate) fn load<T: Document>(path: &Path) -> Result<Option<T>, Error> {
    parse(home::read_file(path, T::BYTES_MAX)?, path)
}

/// Parses a document from the content of a file, if there is any. A file that every user can change or replace
/// is refused: they would decide what is trusted, allowed or approved. A group is often the owner alone (umask 002).
///
/// # Errors
/// The document's error code, with the path of the file.
// [TRUST-20]
pub(crate) fn parse<T: Document>(bytes: Option<Vec<u8>>, path: &Path) -> Result<Option<T>, Error> {
    // In a directory with the sticky bit, such as /tmp, no user replaces the file of another.
    let replaceable =
        |directory: &Path| home::has_mode(directory, 0o002) && !home::has_mode(directory, 0o1000);
    let directory = path.parent().filter(|directory| replaceable(directory));
    if let Some(open) = directory.or(home::has_mode(path, 0o002).then_some(path)) {
        let open = open.display();
        let detail = format!("{open} is writable by every user: run `chmod o-w {open}`");
        return Err(Error::new(T::INVALID, detail));
    }
    let parsed = bytes.map(|bytes| document::parse(&bytes)).transpose();
    parsed.map_err(|error| error.context(path.display()))
}

/// Lets `change` edit a document under the lock of its file, and writes it if it changed. An absent file
/// reads as the default document.
///
/// # Errors
/// `host.file`; the document's error code; any error of `change`. Then nothing is written.
// [TRUST-17] [TRUST-18]
pub(crate) fn edit<T: Document + ToJson + Default, R>(
    path: &Path,
    change: impl FnOnce(&mut T) -> Result<R, Error>,
) -> Result<R, Error> {
    home::update_file(path, T::BYTES_MAX, |bytes| {
        let mut document: T = parse(bytes, path)?.unwrap_or_default();
        let before = document::print(&document);
        let result = change(&mut document)?;
        let after = document::print(&document).into_bytes();
        if after == before.as_bytes() {
            return Ok((None, result));
        }
        // Do not write what could not be read again, such as a document that is too long.
        parse::<T>(Some(after.clone()), path)?;
        Ok((Some(after), result))
    })
}
