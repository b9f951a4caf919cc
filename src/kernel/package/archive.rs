//! Strict ZIP reader: an archive has one possible reading, and every byte of it is accounted for.
//!
//! ZIP readers disagree about malformed archives, so they can be made to see different files. This profile
//! (`spec/package.md`) is narrow: the entries follow each other from byte 0, then comes the central
//! directory, the end record is last, and every unused field has one allowed value.
//!
//! ```text
//!  0                                     directory_offset                len - 22      len
//!  │ local header · name · data │ … │ … │ central header · name │ … │ … │ end record │
//! ```
//!
//! The fields of each header are listed once. The writer prints them. The reader takes the variable values
//! from a header and compares every byte with what the writer would print.
//!
//! Each part is checked before it is relied on: the end record locates the directory, the directory
//! determines each local header, and content is read last.

use crate::kernel::encoding::hex;
use crate::kernel::limits;
use crate::kernel::names::{check_entry_collisions, check_entry_name};
use crate::kernel::prelude::*;
use alloc::borrow::Cow;
use miniz_oxide::inflate::core::{decompress, inflate_flags, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;

const LOCAL_MAGIC: &[u8] = b"PK\x03\x04";
const CENTRAL_MAGIC: &[u8] = b"PK\x01\x02";
const END_MAGIC: &[u8] = b"PK\x05\x06";
/// A central header without its name.
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;

/// A field of a header: its name, its expected bytes, and the reason code for any other bytes.
pub(super) type Field = (&'static str, Vec<u8>, Code);

/// A two-byte field. A value too large for it is capped, and the reader refuses the result.
fn two(field: &'static str, value: usize, code: Code) -> Field {
    (field, u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes().to_vec(), code)
}

/// A four-byte field, otherwise like [`two`].
fn four(field: &'static str, value: usize, code: Code) -> Field {
    (field, u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes().to_vec(), code)
}

/// The variable values of an entry. Everything else in its two headers is fixed.
pub(super) struct Header<'a> {
    pub(super) name: &'a str,
    pub(super) deflated: bool,
    pub(super) checksum: usize,
    pub(super) stored_bytes: usize,
    pub(super) content_bytes: usize,
    /// Where its local header starts.
    pub(super) offset: usize,
}

impl Header<'_> {
    /// The fields that both headers have.
    fn common_fields(&self) -> [Field; 10] {
        [
            // [ZIP-11] 2.0, for deflate and directories
            two("version needed", 20, Code::ArchiveField),
            // [ZIP-16]
            two("flags", 0, Code::ArchiveFlags),
            // [ZIP-17]
            two("method", if self.deflated { 8 } else { 0 }, Code::ArchiveMethod),
            // [ZIP-13] 00:00:00 on 1 January 1980, the earliest time in ZIP
            two("time", 0, Code::ArchiveField),
            two("date", 0x0021, Code::ArchiveField),
            four("checksum", self.checksum, Code::ArchiveMismatch),
            four("stored size", self.stored_bytes, Code::ArchiveMismatch),
            four("content size", self.content_bytes, Code::ArchiveMismatch),
            two("name length", self.name.len(), Code::ArchiveMismatch),
            // [ZIP-15] names and sizes in a second place would allow a second reading
            two("extra field length", 0, Code::ArchiveExtraField),
        ]
    }

    fn name(&self) -> Field {
        ("name", self.name.as_bytes().to_vec(), Code::ArchiveMismatch)
    }

    /// The header before the data. It repeats the central header.
    pub(super) fn local(&self) -> Vec<Field> {
        let mut fields = vec![("magic", LOCAL_MAGIC.to_vec(), Code::ArchiveLocalHeader)];
        // [ZIP-08]
        fields.extend(self.common_fields().map(|(field, bytes, code)| match code {
            Code::ArchiveExtraField => (field, bytes, code),
            _ => (field, bytes, Code::ArchiveMismatch),
        }));
        fields.push(self.name());
        fields
    }

    /// The header in the central directory.
    pub(super) fn central(&self) -> Vec<Field> {
        let mut fields = vec![
            ("magic", CENTRAL_MAGIC.to_vec(), Code::ArchiveDirectory),
            // [ZIP-12] Unix, 2.0
            two("version made by", 0x0314, Code::ArchiveField),
        ];
        fields.extend(self.common_fields());
        fields.extend([
            // [ZIP-14]
            two("comment length", 0, Code::ArchiveField),
            two("disk number", 0, Code::ArchiveField),
            two("internal attributes", 0, Code::ArchiveField),
            // a regular file, `rw-r--r--`
            four("external attributes", 0o100_644 << 16, Code::ArchiveField),
            four("offset", self.offset, Code::ArchiveLocalHeader),
            self.name(),
        ]);
        fields
    }
}

/// The end record: the last bytes of an archive.
pub(super) fn end_record(count: usize, directory_bytes: usize, offset: usize) -> [Field; 8] {
    [
        // [ZIP-02] at a fixed place, so that no reader searches for another one
        ("magic", END_MAGIC.to_vec(), Code::ArchiveEndRecord),
        // [ZIP-03]
        two("disk", 0, Code::ArchiveEndRecord),
        two("disk of the directory", 0, Code::ArchiveEndRecord),
        // [ZIP-04]
        two("entry count of this disk", count, Code::ArchiveEndRecord),
        two("entry count", count, Code::ArchiveEndRecord),
        // [ZIP-05]
        four("directory size", directory_bytes, Code::ArchiveDirectory),
        four("directory offset", offset, Code::ArchiveDirectory),
        two("comment length", 0, Code::ArchiveEndRecord),
    ]
}

/// Compares the start of the bytes with these fields, and returns the bytes after them.
fn compare<'a>(mut bytes: &'a [u8], fields: &[Field], of: &str) -> Result<&'a [u8], Error> {
    for (field, expected, code) in fields {
        bytes = bytes.strip_prefix(expected.as_slice()).ok_or_else(|| {
            Error::new(*code, format!("{field} of {of} is not {}", hex(expected)))
        })?;
    }
    Ok(bytes)
}

/// Reads a little-endian number of `width` bytes.
fn number(bytes: &[u8], at: usize, width: usize) -> usize {
    let bytes = bytes.iter().skip(at).take(width).rev();
    bytes.fold(0, |value, byte| value << 8 | usize::from(*byte))
}

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name, made of safe ASCII components.
    pub name: &'a str,
    /// The content; borrowed from the archive if it is stored uncompressed.
    pub content: Cow<'a, [u8]>,
}

/// Reads a whole archive. The entries are in ascending order of their names.
///
/// # Errors
/// One of the `archive.*` codes, with the entry and the field.
// [ZIP-01]
pub fn read(bytes: &[u8]) -> Result<Vec<Entry<'_>>, Error> {
    if bytes.len() > limits::ARCHIVE_BYTES_MAX {
        let detail =
            format!("archive is {} bytes, limit {}", bytes.len(), limits::ARCHIVE_BYTES_MAX);
        return Err(Error::new(Code::ArchiveTooLarge, detail));
    }
    let (body, directory) = read_directory(bytes)?;
    check_entry_collisions(&directory.iter().map(|header| header.name).collect::<Vec<_>>())?;
    check_sizes(&directory)?;

    let mut entries = Vec::with_capacity(directory.len());
    let mut rest = body;
    for header in &directory {
        let data;
        (data, rest) = read_local(rest, body.len().saturating_sub(rest.len()), header)?;
        entries.push(Entry { name: header.name, content: read_content(header, data)? });
    }
    // [ZIP-23]
    if !rest.is_empty() {
        let detail = format!("{} bytes between the last entry and the directory", rest.len());
        return Err(Error::new(Code::ArchiveLocalHeader, detail));
    }
    Ok(entries)
}

/// Reads the end record and the directory; returns the bytes before them, and the header of each entry.
fn read_directory(bytes: &[u8]) -> Result<(&[u8], Vec<Header<'_>>), Error> {
    let Some((before, end)) = bytes.split_last_chunk::<END_BYTES>() else {
        return Err(Error::new(Code::ArchiveEndRecord, "archive is shorter than 22 bytes"));
    };
    let (count, offset) = (number(end, 10, 2), number(end, 16, 4));
    // [ZIP-04] the limit also excludes the zip64 marker value
    if end.starts_with(END_MAGIC) && !(1..=limits::ENTRIES_COUNT_MAX).contains(&count) {
        let detail = format!("{count} entries, expected 1 to {}", limits::ENTRIES_COUNT_MAX);
        return Err(Error::new(Code::ArchiveEntryCount, detail));
    }
    // A directory offset beyond the end leaves an empty directory, which lacks an entry.
    let (body, mut rest) = before.split_at_checked(offset).unwrap_or((before, &[]));
    compare(end, &end_record(count, rest.len(), offset), "end record")?;
    let mut directory: Vec<Header<'_>> = Vec::new();
    for _ in 0..count {
        let header;
        (header, rest) = read_central(rest)?;
        // [ZIP-10] so that one set of files has one order; NAME-06 refuses duplicates
        if let Some(before) = directory.last().filter(|before| before.name > header.name) {
            let detail = format!("entry {:?} is out of order after {:?}", header.name, before.name);
            return Err(Error::new(Code::ArchiveOrder, detail));
        }
        directory.push(header);
    }
    // [ZIP-06]
    if !rest.is_empty() {
        let detail = format!("{} bytes after the last directory entry", rest.len());
        return Err(Error::new(Code::ArchiveDirectory, detail));
    }
    Ok((body, directory))
}

/// Reads the next header of the directory and returns it with the bytes after it.
fn read_central(bytes: &[u8]) -> Result<(Header<'_>, &[u8]), Error> {
    let rest = bytes.get(CENTRAL_BYTES..).filter(|_| bytes.starts_with(CENTRAL_MAGIC));
    let Some(name) = rest.and_then(|rest| rest.get(..number(bytes, 28, 2))) else {
        let detail = format!("invalid directory entry {} bytes before the end record", bytes.len());
        return Err(Error::new(Code::ArchiveDirectory, detail));
    };
    let header = Header {
        name: check_entry_name(name)?,
        deflated: number(bytes, 10, 2) == 8,
        checksum: number(bytes, 16, 4),
        stored_bytes: number(bytes, 20, 4),
        content_bytes: number(bytes, 24, 4),
        offset: number(bytes, 42, 4),
    };
    let rest = compare(bytes, &header.central(), header.name)?;
    Ok((header, rest))
}

/// Reads the local header at byte `at`, and returns the entry's data and the bytes after it.
fn read_local<'a>(
    bytes: &'a [u8],
    at: usize,
    header: &Header,
) -> Result<(&'a [u8], &'a [u8]), Error> {
    let refuse =
        |what| Error::new(Code::ArchiveLocalHeader, format!("entry \"{}\" {what}", header.name));
    // [ZIP-07]
    if header.offset != at {
        return Err(refuse("does not start where the previous entry ends"));
    }
    let rest = compare(bytes, &header.local(), header.name)?;
    // [ZIP-22]
    rest.split_at_checked(header.stored_bytes).ok_or_else(|| refuse("overlaps the directory"))
}

/// Checks all sizes against the limits before anything is allocated for content.
fn check_sizes(directory: &[Header<'_>]) -> Result<(), Error> {
    let mut sum = 0_usize;
    for Header { name, stored_bytes, content_bytes, .. } in directory {
        // [ZIP-20] deflate expands a byte to at most 1,032
        let bytes_max = limits::ENTRY_BYTES_MAX.min(stored_bytes.saturating_mul(1032));
        if *content_bytes > bytes_max {
            let detail =
                format!("entry \"{name}\" declares {content_bytes} bytes, limit {bytes_max}");
            return Err(Error::new(Code::ArchiveEntrySize, detail));
        }
        sum = sum.saturating_add(*content_bytes);
    }
    if sum > limits::CONTENT_BYTES_MAX {
        let detail = format!("contents are {sum} bytes, limit {}", limits::CONTENT_BYTES_MAX);
        return Err(Error::new(Code::ArchiveTooLarge, detail));
    }
    Ok(())
}

/// Returns stored data unmodified, and inflates deflated data.
fn read_content<'a>(header: &Header, data: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    let refuse = |code, what: &str| Error::new(code, format!("entry \"{}\" {what}", header.name));
    let content = if header.deflated {
        let content = inflate(data, header.content_bytes);
        Cow::Owned(content.map_err(|what| refuse(Code::ArchiveData, what))?)
    } else {
        Cow::Borrowed(data)
    };
    // [ZIP-18]
    if content.len() != header.content_bytes {
        return Err(refuse(Code::ArchiveData, "is stored with two different sizes"));
    }
    // [ZIP-21]
    if crc32(&content) != header.checksum {
        return Err(refuse(Code::ArchiveChecksum, "does not match its CRC-32"));
    }
    Ok(content)
}

/// Inflates one stream, which must produce exactly `content_bytes` and consume all of `data`.
// [ZIP-19]
fn inflate(data: &[u8], content_bytes: usize) -> Result<Vec<u8>, &'static str> {
    let mut content = vec![0_u8; content_bytes];
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut stream = DecompressorOxide::new();
    let (status, read, written) = decompress(&mut stream, data, &mut content, 0, flags);
    match status {
        TINFLStatus::Done if read != data.len() => Err("has bytes after its deflate stream"),
        TINFLStatus::Done if written != content_bytes => Err("is shorter than declared"),
        TINFLStatus::Done => Ok(content),
        TINFLStatus::HasMoreOutput => Err("is longer than declared"),
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => Err("is truncated"),
        _ => Err("is not a valid deflate stream"),
    }
}

/// CRC-32 (ISO 3309), as the number in a header.
pub(super) fn crc32(bytes: &[u8]) -> usize {
    const TABLE: [usize; 256] = crc32_table();
    let update = |state: usize, byte: &u8| {
        state >> 8 ^ TABLE.get((state ^ usize::from(*byte)) & 0xff).copied().unwrap_or(0)
    };
    bytes.iter().fold(0xffff_ffff, update) ^ 0xffff_ffff
}

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn crc32_table() -> [usize; 256] {
    // Evaluated at compile time, where an overflow is a compile error.
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut state = index;
        let mut bit = 0;
        while bit < 8 {
            state = if state & 1 == 1 { state >> 1 ^ 0xedb8_8320 } else { state >> 1 };
            bit += 1;
        }
        table[index] = state;
        index += 1;
    }
    table
}
