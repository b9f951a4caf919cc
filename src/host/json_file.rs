//! Documents in files of the host: read as they are, and changed as a whole under a lock.

use crate::host::home;
use crate::kernel::document::{self, Document, ToJson};
use crate::kernel::error::Error;
use std::path::Path;

/// Reads a document from a file, or nothing where there is none.
///
/// # Errors
/// `host.file`, and the document's own code, with the name of the file.
pub(crate) fn load<T: Document>(path: &Path) -> Result<Option<T>, Error> {
    parse(home::read_file(path, T::BYTES_MAX)?, path)
}

/// Reads a document from what a file holds, if there is one.
///
/// # Errors
/// The document's own code, with the name of the file.
pub(crate) fn parse<T: Document>(bytes: Option<Vec<u8>>, path: &Path) -> Result<Option<T>, Error> {
    let parsed = bytes.map(|bytes| document::parse(&bytes)).transpose();
    parsed.map_err(|error| error.context(path.display()))
}

/// Lets `change` change a document under the lock of its file, and writes it if it did. Where there is no
/// file the document begins as its default.
///
/// # Errors
/// `host.file`; the document's own code; whatever `change` gives. Then nothing is written.
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
        // What could not be read again, such as what has grown too long, is not written.
        parse::<T>(Some(after.clone()), path)?;
        Ok((Some(after), result))
    })
}
