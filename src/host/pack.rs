//! Packing: builds a signed package from a directory, and adds signatures to a package.

use crate::host::files::{self, file_error, Links};
use crate::kernel::encoding::as_u64;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits;
use crate::kernel::package::archive;
use crate::kernel::package::content_hash::{checksum_list, ContentHash};
use crate::kernel::package::key::SigningKey;
use crate::kernel::package::signature::{SignatureFile, SignatureRecord};
use crate::kernel::package::writer::{write, Compression};
use crate::kernel::package::{is_package_file, ASSETS_PREFIX, SIGNATURE_ENTRY};
use crate::kernel::time::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Reads the files of a package directory: `manifest.json`, the module, `README.md`, `LICENSE`, and all files
/// below `assets/`. An existing `signature.json` is ignored, since packing writes a new one.
///
/// # Errors
/// `structure.unknown_entry` for any other file and for links and devices; `archive.entry_size` and
/// `archive.too_large`; `host.file`.
pub fn read_directory(directory: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut contents = BTreeMap::new();
    collect(directory, "", &mut contents)?;
    contents.remove(SIGNATURE_ENTRY);
    Ok(contents)
}

fn collect(
    directory: &Path,
    prefix: &str,
    contents: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Error> {
    let unknown = |what: &str, name: &str| {
        Error::new(Code::StructureUnknown, format!("{what} {name} in the package directory"))
    };
    if prefix.split('/').count() > limits::NAME_DEPTH_MAX {
        return Err(Error::new(Code::ArchiveName, format!("directory {prefix} lies too deep")));
    }
    for item in fs::read_dir(directory).map_err(file_error(directory))? {
        let item = item.map_err(file_error(directory))?;
        let file_name = item.file_name();
        let Some(file_name) = file_name.to_str() else {
            return Err(unknown("name that is not UTF-8,", &file_name.to_string_lossy()));
        };
        let name = format!("{prefix}{file_name}");
        let path = item.path();
        let kind = item.file_type().map_err(file_error(&path))?;
        if kind.is_dir() && (!prefix.is_empty() || format!("{name}/") == ASSETS_PREFIX) {
            collect(&path, &format!("{name}/"), contents)?;
            continue;
        }
        if !kind.is_file() || !is_package_file(&name) {
            let what = if kind.is_file() { "file" } else { "directory, link or device" };
            return Err(unknown(what, &name));
        }
        let total: usize = contents.values().map(Vec::len).sum();
        let bytes_max =
            limits::CONTENT_BYTES_MAX.saturating_sub(total).min(limits::ENTRY_BYTES_MAX);
        let content = files::read(&path, Links::Refused, bytes_max).map_err(file_error(&path))?;
        if content.len() > bytes_max || contents.len() >= limits::ENTRIES_COUNT_MAX {
            let bytes = item.metadata().map_or(as_u64(content.len()), |found| found.len());
            let what = format!(
                "file {name} is {bytes} bytes; the limits are {} bytes, together {}, and {} files",
                limits::ENTRY_BYTES_MAX,
                limits::CONTENT_BYTES_MAX,
                limits::ENTRIES_COUNT_MAX
            );
            return Err(Error::new(Code::ArchiveEntrySize, what));
        }
        contents.insert(name, content);
    }
    Ok(())
}

/// Signs contents and writes the package.
///
/// # Errors
/// The `archive.*` code with which the reader would refuse these contents.
pub fn pack(
    mut contents: BTreeMap<String, Vec<u8>>,
    key: &impl SigningKey,
    signed_at: Timestamp,
    compression: Compression,
) -> Result<Vec<u8>, Error> {
    let content_hash = content_hash_of(&contents);
    let record = SignatureRecord::make(&content_hash, key, signed_at)?;
    let file = SignatureFile { content_hash, signatures: vec![record] };
    contents.insert(SIGNATURE_ENTRY.to_owned(), file.to_json().into_bytes());
    write(&contents, compression)
}

/// Returns the content hash of contents that are not packed yet.
pub fn content_hash_of(contents: &BTreeMap<String, Vec<u8>>) -> ContentHash {
    let entries = contents.iter().map(|(name, content)| (name.as_str(), content.as_slice()));
    ContentHash::from_checksum_list(&checksum_list(entries))
}

/// Adds a signature to a package whose hash and signatures are valid. The contents stay unchanged.
///
/// # Errors
/// The codes of checks 1 to 4 for an invalid package; `signature.duplicate_key` if the key has signed it
/// before; `signature.too_many`.
pub fn countersign(
    bytes: &[u8],
    key: &impl SigningKey,
    signed_at: Timestamp,
) -> Result<Vec<u8>, Error> {
    let entries = archive::read(bytes)?;
    let deflated = entries.iter().any(|entry| matches!(entry.content, Cow::Owned(_)));
    let compression = if deflated { Compression::Deflated } else { Compression::Stored };
    let mut contents: BTreeMap<String, Vec<u8>> = entries
        .into_iter()
        .map(|entry| (entry.name.to_owned(), entry.content.into_owned()))
        .collect();
    let file = contents.get(SIGNATURE_ENTRY).ok_or_else(|| {
        Error::new(Code::StructureMissing, format!("{SIGNATURE_ENTRY} is missing"))
    })?;
    let mut file = SignatureFile::parse(file)?;
    if file.content_hash != content_hash_of(&contents) {
        return Err(Error::new(Code::ContentHash, "content hash differs from signature.json"));
    }
    file.verify()?;
    file.signatures.push(SignatureRecord::make(&file.content_hash, key, signed_at)?);
    file.verify()?;
    contents.insert(SIGNATURE_ENTRY.to_owned(), file.to_json().into_bytes());
    write(&contents, compression)
}
