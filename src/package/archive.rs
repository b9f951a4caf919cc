//! Room: the strict ZIP reader. One pass, one possible reading, every byte accounted for.
//!
//! General ZIP readers disagree about malformed archives, and so can be shown different files. This
//! one accepts a narrow profile (`spec/package.md`): the entries lie one behind the other from byte 0,
//! the central directory follows, the end record closes the file, and every field that carries nothing
//! has one allowed value.
//!
//! ```text
//!  0                                     directory_offset                len - 22      len
//!  │ local header · name · data │ … │ … │ central header · name │ … │ … │ end record │
//! ```
//!
//! The order of work is the order of trust: the end record says where the directory is, the directory
//! says what each local header has to be, and only then is any content looked at.

use crate::error::{Code, Error};
use crate::limits;
use crate::names::{check_entry_collisions, check_entry_name};
use miniz_oxide::inflate::core::{decompress, inflate_flags, DecompressorOxide};
use miniz_oxide::inflate::TINFLStatus;
use std::borrow::Cow;

pub(super) const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL_MAGIC: [u8; 4] = *b"PK\x01\x02";
pub(super) const END_MAGIC: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;

/// Version needed to extract: 2.0, for deflate and folders. [ZIP-11]
pub(super) const VERSION_NEEDED: u16 = 20;
/// Made by: Unix (3), version 2.0. [ZIP-12]
pub(super) const MADE_BY: u16 = 0x0314;
/// 00:00:00 on 1 January 1980, the first moment that ZIP can write. [ZIP-13]
pub(super) const TIME: u16 = 0;
pub(super) const DATE: u16 = 0x0021;
/// A regular file, `rw-r--r--`. [ZIP-14]
pub(super) const EXTERNAL_ATTRIBUTES: u32 = 0o100_644 << 16;

/// One file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name, of safe ASCII components.
    pub name: &'a str,
    /// Its content; borrowed from the archive where it is stored uncompressed.
    pub content: Cow<'a, [u8]>,
}

/// Reads an archive whole. The entries come in ascending order of their names.
///
/// # Errors
/// One of the `archive.*` codes, with the entry and the byte offset.
// [ZIP-01]
pub fn read(bytes: &[u8]) -> Result<Vec<Entry<'_>>, Error> {
    if bytes.len() > limits::ARCHIVE_BYTES_MAX {
        let detail =
            format!("archive of {} bytes, at most {}", bytes.len(), limits::ARCHIVE_BYTES_MAX);
        return Err(Error::new(Code::ArchiveTooLarge, detail));
    }
    let end = read_end_record(bytes)?;
    let directory = read_directory(bytes, &end)?;
    check_entry_collisions(&directory.iter().map(|central| central.name).collect::<Vec<_>>())?;
    check_sizes(&directory)?;

    let mut cursor = Cursor { bytes, at: 0 };
    let mut entries = Vec::with_capacity(directory.len());
    for central in &directory {
        let data = read_local(&mut cursor, central)?;
        entries.push(Entry { name: central.name, content: read_content(central, data)? });
    }
    // [ZIP-07] the last data ends where the directory begins
    if cursor.at != end.directory_offset {
        let detail = format!(
            "{} bytes between the last entry, which ends at byte {}, and the directory at byte {}",
            end.directory_offset.abs_diff(cursor.at),
            cursor.at,
            end.directory_offset
        );
        return Err(Error::new(Code::ArchiveLocalHeader, detail));
    }
    Ok(entries)
}

/// What the end record says.
struct End {
    count: usize,
    directory_offset: usize,
    /// Where the end record begins, which is where the directory ends.
    at: usize,
}

/// The end record is the last 22 bytes: no search, hence no second one, and no comment.
fn read_end_record(bytes: &[u8]) -> Result<End, Error> {
    let refuse = |what: &str| Error::new(Code::ArchiveEndRecord, what.to_owned());
    let short = || refuse("archive of fewer than 22 bytes");
    let at = bytes.len().checked_sub(END_BYTES).ok_or_else(short)?;
    let mut cursor = Cursor { bytes, at };
    // [ZIP-02]
    if cursor.array().ok_or_else(short)? != END_MAGIC {
        return Err(refuse("the last 22 bytes are no end record without a comment"));
    }
    let disk = cursor.u16().ok_or_else(short)?;
    let directory_disk = cursor.u16().ok_or_else(short)?;
    let count_here = cursor.u16().ok_or_else(short)?;
    let count = cursor.u16().ok_or_else(short)?;
    let directory_bytes = cursor.u32().ok_or_else(short)?;
    let directory_offset = cursor.u32().ok_or_else(short)?;
    let comment_bytes = cursor.u16().ok_or_else(short)?;
    // [ZIP-03]
    if disk != 0 || directory_disk != 0 || comment_bytes != 0 {
        return Err(refuse("end record with a comment or more than one disk"));
    }
    // [ZIP-04] the limit on the count also keeps zip64's marker value out
    if count != count_here {
        return Err(refuse("end record with two different entry counts"));
    }
    let count = usize::from(count);
    if count == 0 || count > limits::ENTRIES_COUNT_MAX {
        let detail = format!("{count} entries, allowed are 1 to {}", limits::ENTRIES_COUNT_MAX);
        return Err(Error::new(Code::ArchiveEntryCount, detail));
    }
    // [ZIP-05]
    let directory_offset = to_usize(directory_offset);
    if directory_offset.checked_add(to_usize(directory_bytes)) != Some(at) {
        return Err(Error::new(
            Code::ArchiveDirectory,
            format!(
                "directory of {directory_bytes} bytes at byte {directory_offset} does not end where \
                 the end record begins, at byte {at}"
            ),
        ));
    }
    Ok(End { count, directory_offset, at })
}

/// The 26 bytes that a local and a central header share, and what the central one adds.
struct Central<'a> {
    name: &'a str,
    shared: &'a [u8],
    method: u16,
    checksum: u32,
    stored_bytes: usize,
    content_bytes: usize,
    local_offset: usize,
}

/// Exactly `count` central headers fill the directory exactly.
fn read_directory<'a>(bytes: &'a [u8], end: &End) -> Result<Vec<Central<'a>>, Error> {
    let directory_end = end.at;
    let within = bytes.get(..directory_end).unwrap_or_default();
    let mut cursor = Cursor { bytes: within, at: end.directory_offset };
    let mut directory: Vec<Central<'a>> = Vec::new();
    for number in 0..end.count {
        let central = read_central(&mut cursor, number)?;
        // [ZIP-10] ascending, so that one set of files has one order, and no name stands twice
        if let Some(before) = directory.last().filter(|before| before.name >= central.name) {
            let code = match before.name == central.name {
                true => Code::ArchiveNameCollision,
                false => Code::ArchiveOrder,
            };
            return Err(Error::new(code, format!("entry {} behind {}", central.name, before.name)));
        }
        directory.push(central);
    }
    // [ZIP-06]
    if cursor.at != directory_end {
        let detail = format!("bytes behind the last directory entry, at byte {}", cursor.at);
        return Err(Error::new(Code::ArchiveDirectory, detail));
    }
    Ok(directory)
}

fn read_central<'a>(cursor: &mut Cursor<'a>, number: usize) -> Result<Central<'a>, Error> {
    let at = cursor.at;
    let cut = || {
        Error::new(
            Code::ArchiveDirectory,
            format!("directory entry {number} at byte {at} is cut short"),
        )
    };
    if cursor.array().ok_or_else(cut)? != CENTRAL_MAGIC {
        let detail = format!("no directory entry at byte {at}, where entry {number} begins");
        return Err(Error::new(Code::ArchiveDirectory, detail));
    }
    let made_by = cursor.u16().ok_or_else(cut)?;
    let mut fields = Cursor { bytes: cursor.bytes, at: cursor.at };
    let shared = cursor.take(26).ok_or_else(cut)?;
    let version_needed = fields.u16().ok_or_else(cut)?;
    let flags = fields.u16().ok_or_else(cut)?;
    let method = fields.u16().ok_or_else(cut)?;
    let time = fields.u16().ok_or_else(cut)?;
    let date = fields.u16().ok_or_else(cut)?;
    let checksum = fields.u32().ok_or_else(cut)?;
    let stored_bytes = fields.u32().ok_or_else(cut)?;
    let content_bytes = fields.u32().ok_or_else(cut)?;
    let name_bytes = fields.u16().ok_or_else(cut)?;
    let extra_bytes = fields.u16().ok_or_else(cut)?;
    let comment_bytes = cursor.u16().ok_or_else(cut)?;
    let disk = cursor.u16().ok_or_else(cut)?;
    let internal_attributes = cursor.u16().ok_or_else(cut)?;
    let external_attributes = cursor.u32().ok_or_else(cut)?;
    let local_offset = cursor.u32().ok_or_else(cut)?;
    let name_at = cursor.at;
    let name = cursor.take(usize::from(name_bytes)).ok_or_else(cut)?;
    let name = check_entry_name(name, name_at)?;

    let refuse = |code: Code, what: &str| {
        Err(Error::new(code, format!("{what} in entry {name} at byte {at}")))
    };
    // [ZIP-15] a second place for names and sizes is a second reading
    if extra_bytes != 0 {
        return refuse(Code::ArchiveExtraField, "extra field");
    }
    // [ZIP-16]
    if flags != 0 {
        return refuse(Code::ArchiveFlags, &format!("flags {flags:#06x}"));
    }
    // [ZIP-17]
    if method != 0 && method != 8 {
        return refuse(Code::ArchiveMethod, &format!("compression method {method}"));
    }
    // [ZIP-11] [ZIP-12] [ZIP-13] [ZIP-14]
    let fixed = [
        ("version needed", u32::from(version_needed), u32::from(VERSION_NEEDED)),
        ("version made by", u32::from(made_by), u32::from(MADE_BY)),
        ("time", u32::from(time), u32::from(TIME)),
        ("date", u32::from(date), u32::from(DATE)),
        ("comment length", u32::from(comment_bytes), 0),
        ("disk number", u32::from(disk), 0),
        ("internal attributes", u32::from(internal_attributes), 0),
        ("external attributes", external_attributes, EXTERNAL_ATTRIBUTES),
    ];
    if let Some((field, found, allowed)) = fixed.iter().find(|(_, found, allowed)| found != allowed)
    {
        return refuse(
            Code::ArchiveField,
            &format!("{field} {found:#06x} instead of {allowed:#06x}"),
        );
    }
    Ok(Central {
        name,
        shared,
        method,
        checksum,
        stored_bytes: to_usize(stored_bytes),
        content_bytes: to_usize(content_bytes),
        local_offset: to_usize(local_offset),
    })
}

/// All sizes are held against the limits before a byte is allocated for any content.
fn check_sizes(directory: &[Central<'_>]) -> Result<(), Error> {
    let mut sum = 0_usize;
    for central in directory {
        // [ZIP-20] deflate makes at most 1,032 bytes of one
        let impossible = central.content_bytes > central.stored_bytes.saturating_mul(1032);
        if central.content_bytes > limits::ENTRY_BYTES_MAX || impossible {
            let detail = format!(
                "entry {} of {} bytes, declared to become {}, at most {}",
                central.name,
                central.stored_bytes,
                central.content_bytes,
                limits::ENTRY_BYTES_MAX
            );
            return Err(Error::new(Code::ArchiveEntrySize, detail));
        }
        sum = sum.saturating_add(central.content_bytes);
    }
    if sum > limits::CONTENT_BYTES_MAX {
        let detail = format!("contents of {sum} bytes, at most {}", limits::CONTENT_BYTES_MAX);
        return Err(Error::new(Code::ArchiveTooLarge, detail));
    }
    Ok(())
}

/// A local header begins where the entry before it ended and says what the directory said.
fn read_local<'a>(cursor: &mut Cursor<'a>, central: &Central<'_>) -> Result<&'a [u8], Error> {
    let at = cursor.at;
    let name = central.name;
    // [ZIP-07]
    if central.local_offset != at {
        let detail = format!(
            "entry {name} is said to begin at byte {}, but the bytes before it end at byte {at}",
            central.local_offset
        );
        return Err(Error::new(Code::ArchiveLocalHeader, detail));
    }
    let cut =
        || Error::new(Code::ArchiveLocalHeader, format!("entry {name} at byte {at} is cut short"));
    if cursor.array().ok_or_else(cut)? != LOCAL_MAGIC {
        let detail = format!("no local header for entry {name} at byte {at}");
        return Err(Error::new(Code::ArchiveLocalHeader, detail));
    }
    // [ZIP-08]
    let shared = cursor.take(central.shared.len()).ok_or_else(cut)?;
    if shared != central.shared {
        let field = differing_field(shared, central.shared);
        if field == "extra field length" {
            let detail = format!("extra field in entry {name} at byte {at}");
            return Err(Error::new(Code::ArchiveExtraField, detail));
        }
        let detail = format!("{field} of entry {name} at byte {at} differs from the directory's");
        return Err(Error::new(Code::ArchiveMismatch, detail));
    }
    if cursor.take(name.len()).ok_or_else(cut)? != name.as_bytes() {
        let detail = format!("name of entry {name} at byte {at} differs from the directory's");
        return Err(Error::new(Code::ArchiveMismatch, detail));
    }
    cursor.take(central.stored_bytes).ok_or_else(cut)
}

/// The first of the shared fields in which two headers differ.
fn differing_field(left: &[u8], right: &[u8]) -> &'static str {
    let fields = [
        (2, "version needed"),
        (4, "flags"),
        (6, "method"),
        (8, "time"),
        (10, "date"),
        (14, "checksum"),
        (18, "stored size"),
        (22, "content size"),
        (24, "name length"),
        (26, "extra field length"),
    ];
    let first = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    fields.iter().find(|(end, _)| first < *end).map_or("a field", |(_, field)| field)
}

/// Stored data is the content; deflated data is one whole stream that becomes exactly the content.
fn read_content<'a>(central: &Central<'_>, data: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    let content = if central.method == 0 {
        // [ZIP-18]
        if central.stored_bytes != central.content_bytes {
            let detail = format!("stored entry {} with two different sizes", central.name);
            return Err(Error::new(Code::ArchiveData, detail));
        }
        Cow::Borrowed(data)
    } else {
        Cow::Owned(inflate(data, central.content_bytes).map_err(|what| {
            Error::new(
                Code::ArchiveData,
                format!("deflate stream of entry {} {what}", central.name),
            )
        })?)
    };
    // [ZIP-21]
    if crc32(&content) != central.checksum {
        let detail = format!("content of entry {} has another CRC-32", central.name);
        return Err(Error::new(Code::ArchiveChecksum, detail));
    }
    Ok(content)
}

/// Inflates one stream that fills `content_bytes` and uses up all of `data`.
// [ZIP-19]
fn inflate(data: &[u8], content_bytes: usize) -> Result<Vec<u8>, &'static str> {
    let mut content = vec![0_u8; content_bytes];
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut stream = DecompressorOxide::new();
    let (status, read, written) = decompress(&mut stream, data, &mut content, 0, flags);
    match status {
        TINFLStatus::Done if read != data.len() => Err("ends before its data does"),
        TINFLStatus::Done if written != content_bytes => Err("is shorter than declared"),
        TINFLStatus::Done => Ok(content),
        TINFLStatus::HasMoreOutput => Err("is longer than declared"),
        TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => Err("is cut short"),
        _ => Err("is invalid"),
    }
}

/// CRC-32 (ISO 3309), a byte at a time.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = crc32_table();
    let mut state = u32::MAX;
    for byte in bytes {
        let [low, ..] = state.to_le_bytes();
        state = state >> 8 ^ TABLE.get(usize::from(low ^ byte)).copied().unwrap_or(0);
    }
    !state
}

#[allow(clippy::indexing_slicing, clippy::as_conversions, clippy::arithmetic_side_effects)]
const fn crc32_table() -> [u32; 256] {
    // Runs at compile time: a slip here does not compile.
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut state = index as u32;
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

/// A ZIP field as a length or offset. On a machine where it does not fit, no slice is that long.
fn to_usize(field: u32) -> usize {
    usize::try_from(field).unwrap_or(usize::MAX)
}

/// Reads forward only; `None` when the bytes end.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }
    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}
