//! Archive writer: the same contents give the same bytes on every machine.
//!
//! Names are in ascending order, times and attributes are fixed, and contents are uncompressed by default,
//! so that one content has exactly one archive.

use super::archive::{crc32, end_record, read, Field, Header};
use crate::kernel::prelude::*;
use miniz_oxide::deflate::compress_to_vec;

/// How contents are stored in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Uncompressed. One set of contents has one archive.
    Stored,
    /// Deflated if that is shorter.
    Deflated,
}

/// miniz_oxide's default level: higher ones save less than 1 % on modules and take twice the time.
const DEFLATE_LEVEL: u8 = 6;

/// Writes an archive that [`read`] accepts.
///
/// # Errors
/// The `archive.*` code with which the reader refuses these names or sizes.
pub fn write(
    contents: &BTreeMap<String, Vec<u8>>,
    compression: Compression,
) -> Result<Vec<u8>, Error> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in contents {
        let deflated = (compression == Compression::Deflated)
            .then(|| compress_to_vec(content, DEFLATE_LEVEL))
            .filter(|data| data.len() < content.len());
        let data = deflated.as_ref().unwrap_or(content);
        let header = Header {
            name,
            deflated: deflated.is_some(),
            checksum: crc32(content),
            stored_bytes: data.len(),
            content_bytes: content.len(),
            offset: archive.len(),
        };
        print(&mut archive, &header.local());
        archive.extend(data);
        print(&mut directory, &header.central());
    }
    let end = end_record(contents.len(), directory.len(), archive.len());
    archive.extend(directory);
    print(&mut archive, &end);
    // Never write what the reader refuses.
    read(&archive)?;
    Ok(archive)
}

fn print(archive: &mut Vec<u8>, fields: &[Field]) {
    archive.extend(fields.iter().flat_map(|(_, bytes, _)| bytes));
}
