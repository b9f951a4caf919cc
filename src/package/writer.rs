//! Room: the archive writer. The same contents give the same bytes on every machine.
//!
//! There is nothing to choose: names in ascending order, no times, no attributes, and by default no
//! compression, since one content then has exactly one archive.

use super::archive::{
    crc32, read, CENTRAL_MAGIC, DATE, END_MAGIC, EXTERNAL_ATTRIBUTES, LOCAL_MAGIC, MADE_BY, TIME,
    VERSION_NEEDED,
};
use crate::error::{Code, Error};
use miniz_oxide::deflate::compress_to_vec;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How contents are written into the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are. One set of contents has one archive.
    Stored,
    /// Deflated where that is shorter.
    Deflated,
}

/// miniz_oxide's default effort: higher ones gain below 1 % on modules and take twice the time.
const DEFLATE_LEVEL: u8 = 6;

/// Writes an archive that [`read`] accepts.
///
/// # Errors
/// The `archive.*` code with which the reader would refuse these names or sizes.
pub fn write(
    contents: &BTreeMap<String, Vec<u8>>,
    compression: Compression,
) -> Result<Vec<u8>, Error> {
    let too_large = || Error::new(Code::ArchiveTooLarge, "contents beyond what a ZIP can describe");
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in contents {
        let deflated = match compression {
            Compression::Stored => None,
            Compression::Deflated => Some(compress_to_vec(content, DEFLATE_LEVEL)),
        };
        let (method, data) = match deflated.filter(|data| data.len() < content.len()) {
            Some(data) => (8_u16, Cow::Owned(data)),
            None => (0_u16, Cow::Borrowed(content)),
        };
        let offset = u32::try_from(archive.len()).map_err(|_| too_large())?;
        let stored_bytes = u32::try_from(data.len()).map_err(|_| too_large())?;
        let content_bytes = u32::try_from(content.len()).map_err(|_| too_large())?;
        let name_bytes = u16::try_from(name.len()).map_err(|_| too_large())?;

        let mut shared = Vec::with_capacity(26);
        for field in [VERSION_NEEDED, 0, method, TIME, DATE] {
            shared.extend(field.to_le_bytes());
        }
        for field in [crc32(content), stored_bytes, content_bytes] {
            shared.extend(field.to_le_bytes());
        }
        for field in [name_bytes, 0] {
            shared.extend(field.to_le_bytes());
        }
        archive.extend(LOCAL_MAGIC);
        archive.extend(&shared);
        archive.extend(name.as_bytes());
        archive.extend(data.iter());

        directory.extend(CENTRAL_MAGIC);
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&shared);
        directory.extend([0; 6]); // comment length, disk, internal attributes
        directory.extend(EXTERNAL_ATTRIBUTES.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(contents.len()).map_err(|_| too_large())?;
    let directory_offset = u32::try_from(archive.len()).map_err(|_| too_large())?;
    let directory_bytes = u32::try_from(directory.len()).map_err(|_| too_large())?;
    archive.extend(directory);
    archive.extend(END_MAGIC);
    archive.extend([0; 4]); // this disk, the directory's disk
    for field in [count, count] {
        archive.extend(field.to_le_bytes());
    }
    for field in [directory_bytes, directory_offset] {
        archive.extend(field.to_le_bytes());
    }
    archive.extend([0; 2]); // comment length
                            // Whatever the reader would refuse is never written.
    read(&archive)?;
    Ok(archive)
}
