//! Check 1: the frame of the archive, its directory, its two headers, its flags and extra fields.

use super::case::Case;
use super::package::Package;
use super::zip::{central, Entry, Header, Zip};

/// Four entries, all stored; the first is the asset.
pub fn parent() -> Package {
    Package::new().with(ASSET, "data\n")
}

pub const ASSET: &str = "assets/data.txt";
const MODULE: &str = "tool.wasm";

/// A fault: its name, its title, and what it does to the parent's archive.
type Fault = (&'static str, &'static str, fn(&mut Zip));

/// Faults that one rule refuses with one code, for one reason.
pub fn faults(codes: &str, spec: &str, why: &str, faults: &[Fault]) -> Vec<Case> {
    let made = faults.iter().map(|(id, title, change)| {
        let mut zip = parent().zip();
        change(&mut zip);
        let case = Case::verify(1, &format!("archive/{id}"), zip.bytes());
        case.says(title, why).spec(spec).refused(codes)
    });
    made.collect()
}

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::verify(1, "archive/accept-stored", Package::new().bytes())
            .says(
                "The smallest package: manifest, signature and module, all stored",
                "A reader that refuses everything must not pass.",
            )
            .spec("ZIP-01 ZIP-02 ZIP-07 ZIP-12 ZIP-13 ZIP-14 ZIP-17 PKG-01 HASH-01 HASH-02"),
        Case::verify(1, "archive/accept-asset", parent().bytes())
            .says("A package with one asset", "It is the parent of the faults in this directory.")
            .spec("ZIP-01 ZIP-06 ZIP-10 PKG-02"),
    ];
    cases.extend(framing());
    cases.extend(directory());
    cases.extend(hidden());
    cases.extend(mismatches());
    cases.extend(fields());
    cases.extend(flags());
    cases.extend(zip64());
    cases.extend(extra_fields());
    cases
}

fn framing() -> Vec<Case> {
    let cut = |id: &str, title: &str, length: fn(usize) -> usize| {
        let mut bytes = parent().bytes();
        bytes.truncate(length(bytes.len()));
        raw(id, title, bytes, "archive.end_record", "A package that lost its end has no directory.")
    };
    let small = Package::new().bytes();
    let joined = [parent().bytes(), small.clone()].concat();
    let text = "This is no archive, whatever its name says.\n".repeat(4);
    let mut cases = faults(
        "archive.end_record",
        "ZIP-02 ZIP-03",
        "The end record is the last 22 bytes, so nothing has to be searched for and nothing can be \
         found twice.",
        &[
            ("suffix-junk", "Bytes after the end record", |zip| zip.suffix = b"junk".to_vec()),
            ("suffix-one-byte", "One zero byte after the end record", |zip| zip.suffix = vec![0]),
            ("suffix-line-feed", "A line feed after the end record", |zip| {
                zip.suffix = b"\n".to_vec();
            }),
            ("comment", "An archive comment", |zip| zip.end.comment = b"made on Monday".to_vec()),
            ("comment-length", "A comment length without a comment", |zip| {
                zip.end.comment_bytes = Some(5);
            }),
            ("disk", "An end record on disk 1", |zip| zip.end.disk = 1),
            ("directory-disk", "A directory that starts on disk 1", |zip| {
                zip.end.directory_disk = 1;
            }),
            ("end-magic", "An end record with another magic", |zip| {
                zip.end.magic = Some(*b"PK\x05\x07");
            }),
            ("count-here-zero", "An entry count of this disk of 0", |zip| {
                zip.end.count_here = Some(0);
            }),
            ("count-unequal", "Two different entry counts", |zip| zip.end.count_here = Some(3)),
        ],
    );
    cases.extend(faults(
        "archive.directory",
        "ZIP-02 ZIP-05",
        "A reader that searches for an end record finds the first one; a reader that trusts offsets \
         finds another directory.",
        &[
            ("end-record-in-comment", "A comment that is an end record itself", |zip| {
                zip.end.comment = zip.bytes().split_off(zip.bytes().len() - 22);
            }),
            ("zip-in-comment", "A comment that is another whole package", |zip| {
                zip.end.comment = Package::new().bytes();
            }),
            ("gap-before-end", "Bytes between directory and end record", |zip| {
                zip.before_end = b"gap!".to_vec();
            }),
        ],
    ));
    cases.extend(faults(
        "archive.directory archive.local_header",
        "ZIP-05 ZIP-07",
        "A program before an archive runs as the one and unpacks as the other.",
        &[("prefix-unadjusted", "Junk before the first entry, offsets not adjusted", |zip| {
            (zip.prefix, zip.prefix_counted) = (b"junk".to_vec(), false);
        })],
    ));
    cases.extend(faults(
        "archive.local_header",
        "ZIP-07",
        "Every byte belongs to an entry: what lies between or before entries is read by some \
         programs and passed over by others.",
        &[
            ("prefix-adjusted", "Junk before the first entry, offsets adjusted", |zip| {
                zip.prefix = b"junk".to_vec();
            }),
            ("prefix-script", "A shell script before the first entry", |zip| {
                zip.prefix = b"#!/bin/sh\nexec sh -c 'echo owned'\n".to_vec();
            }),
            (
                "prefix-spanning-mark",
                "The mark of a spanned archive before the first entry",
                |zip| {
                    zip.prefix = b"PK\x07\x08".to_vec();
                },
            ),
            ("prefix-package", "A whole other package before the first entry", |zip| {
                zip.prefix = Package::new().bytes();
            }),
            ("gap-between-entries", "Bytes between two entries", |zip| {
                zip.entry("manifest.json").before = b"gap!".to_vec();
            }),
            ("gap-before-directory", "Bytes between the last entry and the directory", |zip| {
                zip.before_directory = b"gap!".to_vec();
            }),
            ("extra-data-record", "An archive extra data record before the directory", |zip| {
                zip.before_directory = b"PK\x06\x08\0\0\0\0".to_vec();
            }),
        ],
    ));
    let why = "A file without an archive's start is not an archive.";
    cases.extend([
        raw("empty-file", "An empty file", Vec::new(), "archive.end_record", why),
        raw("text-file", "A text file", text.into(), "archive.end_record", why),
        raw(
            "end-record-cut-off",
            "All but the end record",
            cut_end(&small),
            "archive.end_record",
            why,
        ),
        cut("truncated-by-one", "The last byte is missing", |length| length - 1),
        cut("truncated-half", "The second half is missing", |length| length / 2),
        cut("truncated-to-header", "Only the first local header is left", |_| 30),
        raw(
            "two-archives",
            "Two packages in one file",
            joined,
            "archive.directory archive.local_header",
            "A reader from the front sees the one, a reader from the back the other.",
        ),
        raw(
            "first-byte-missing",
            "The first byte is missing",
            parent().bytes().split_off(1),
            "archive.directory archive.local_header",
            why,
        ),
    ]);
    cases
}

fn cut_end(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - 22].to_vec()
}

fn raw(id: &str, title: &str, bytes: Vec<u8>, codes: &str, why: &str) -> Case {
    let case = Case::verify(1, &format!("archive/{id}"), bytes);
    case.says(title, why).spec("ZIP-02").refused(codes)
}

fn directory() -> Vec<Case> {
    let mut cases = faults(
        "archive.directory",
        "ZIP-05",
        "Directory, its size and the end record have to meet: else the stated and the adjacent \
         directory are two.",
        &[
            ("directory-size-short", "A directory size one too low", |zip| {
                zip.end.directory_bytes = Some(directory_bytes(zip) - 1);
            }),
            ("directory-size-long", "A directory size one too high", |zip| {
                zip.end.directory_bytes = Some(directory_bytes(zip) + 1);
            }),
            ("directory-size-zero", "A directory size of 0", |zip| {
                zip.end.directory_bytes = Some(0);
            }),
            ("directory-offset-low", "A directory offset one too low", |zip| {
                zip.end.directory_offset = Some(directory_offset(zip) - 1);
            }),
            ("directory-offset-zero", "A directory offset of 0", |zip| {
                zip.end.directory_offset = Some(0);
            }),
            ("directory-offset-past-end", "A directory offset past the end of the file", |zip| {
                zip.end.directory_offset = Some(0x7fff_ffff);
            }),
            ("directory-offset-overflow", "Offset and size that add up only modulo 2^32", |zip| {
                zip.end.directory_offset = Some(u32::MAX);
                zip.end.directory_bytes = Some(directory_offset(zip) + directory_bytes(zip) + 1);
            }),
        ],
    );
    cases.extend(faults(
        "archive.directory",
        "ZIP-06",
        "Exactly as many headers as counted fill the directory: counting and walking give one list.",
        &[
            ("directory-shifted-early", "A directory declared to start four bytes early", |zip| {
                zip.end.directory_offset = Some(directory_offset(zip) - 4);
                zip.end.directory_bytes = Some(directory_bytes(zip) + 4);
            }),
            ("directory-shifted-late", "A directory declared to start four bytes late", |zip| {
                zip.end.directory_offset = Some(directory_offset(zip) + 4);
                zip.end.directory_bytes = Some(directory_bytes(zip) - 4);
            }),
            ("count-low", "Counts one too low", |zip| {
                (zip.end.count_here, zip.end.count) = (Some(3), Some(3));
            }),
            ("count-high", "Counts one too high", |zip| {
                (zip.end.count_here, zip.end.count) = (Some(5), Some(5));
            }),
            ("count-modulo", "A directory with one header twice, counted once", |zip| {
                let again = zip.entry(MODULE).clone();
                zip.directory_tail = central(&again, 0);
            }),
            ("directory-signature", "A digital signature record after the directory", |zip| {
                zip.directory_tail = b"PK\x05\x05\x02\0ok".to_vec();
            }),
            ("directory-tail", "Four zero bytes after the last header", |zip| {
                zip.directory_tail = vec![0; 4];
            }),
            ("directory-magic", "A central header with another magic", |zip| {
                zip.entry(MODULE).central.magic = Some(*b"PK\x01\x03");
            }),
            ("directory-empty", "A count of 4 and a directory of nothing", |zip| {
                zip.entries.iter_mut().for_each(|entry| entry.in_directory = false);
                (zip.end.count_here, zip.end.count) = (Some(4), Some(4));
            }),
        ],
    ));
    cases.extend(faults(
        "archive.entry_count",
        "ZIP-04",
        "The count has a limit that keeps zip64's mark out and is checked before anything is \
         allocated for it.",
        &[
            ("count-zero", "No entry at all", |zip| zip.entries.clear()),
            ("count-above-limit", "A count of 4,097", |zip| {
                (zip.end.count_here, zip.end.count) = (Some(4097), Some(4097));
            }),
            ("count-20000", "A count of 20,000", |zip| {
                (zip.end.count_here, zip.end.count) = (Some(20_000), Some(20_000));
            }),
            ("count-65535", "A count of 65,535, which points to zip64", |zip| {
                (zip.end.count_here, zip.end.count) = (Some(u16::MAX), Some(u16::MAX));
            }),
        ],
    ));
    cases.extend(faults(
        "archive.order",
        "ZIP-10",
        "One set of files has one order, so it has one archive.",
        &[
            ("order-reversed", "Body and directory in descending order", |zip| {
                zip.entries.reverse();
            }),
            ("order-swapped", "Two entries swapped in body and directory", |zip| {
                zip.entries.swap(1, 2);
            }),
        ],
    ));
    cases.extend(faults(
        "archive.order archive.local_header",
        "ZIP-10 ZIP-07",
        "Two readers must meet the same file first.",
        &[("order-directory-only", "The directory in another order than the body", |zip| {
            zip.order = Some(vec![3, 2, 1, 0]);
        })],
    ));
    cases.extend(faults(
        "archive.local_header",
        "ZIP-07",
        "A stream reader meets the entries in the order of the body, others in that of the directory.",
        &[
            ("order-body-only", "The body in another order than the directory", |zip| {
                zip.entries.swap(1, 2);
                zip.order = Some(vec![0, 2, 1, 3]);
            }),
            ("local-magic", "A local header with another magic", |zip| {
                zip.entry(MODULE).local.magic = Some(*b"PK\x03\x05");
            }),
            ("offset-zero", "An entry declared to start where the first one does", |zip| {
                zip.entry(MODULE).offset = Some(0);
            }),
            ("offset-late", "An entry declared to start one byte late", |zip| {
                let offset = offset_of(zip, MODULE);
                zip.entry(MODULE).offset = Some(offset + 1);
            }),
            ("offset-past-end", "An entry declared to start past the end of the file", |zip| {
                zip.entry(MODULE).offset = Some(u32::MAX - 1);
            }),
            ("offset-in-directory", "An entry declared to start in the directory", |zip| {
                let offset = directory_offset(zip);
                zip.entry(MODULE).offset = Some(offset);
            }),
        ],
    ));
    cases
}

fn hidden() -> Vec<Case> {
    let mut cases = faults(
        "archive.local_header",
        "ZIP-07 ZIP-23",
        "A file that one reader sees and another does not is content without an approval.",
        &[
            ("hidden-first", "A local entry before all others that the directory omits", |zip| {
                let mut hidden = Entry::stored(b"assets/a.txt", b"hidden");
                hidden.in_directory = false;
                zip.entries.insert(0, hidden);
            }),
            ("hidden-between", "A local entry in the middle that the directory omits", |zip| {
                let mut hidden = Entry::stored(b"assets/hidden.txt", b"hidden");
                hidden.in_directory = false;
                zip.entries.insert(1, hidden);
            }),
            ("hidden-last", "A local entry at the end that the directory omits", |zip| {
                let mut hidden = Entry::stored(b"zz.wasm", b"hidden");
                hidden.in_directory = false;
                zip.entries.push(hidden);
            }),
            ("directory-only", "A directory entry whose local header is missing", |zip| {
                zip.entry(MODULE).in_body = false;
            }),
            ("shared-local-header", "Two directory entries on one local header", |zip| {
                let mut twin = zip.entry(ASSET).clone();
                twin.in_body = false;
                twin.central.name = b"assets/data2.txt".to_vec();
                twin.offset = Some(0);
                zip.entries.insert(1, twin);
            }),
            ("overlap-quoted", "An entry whose data covers the local header of the next", |zip| {
                overlap(zip, 1);
            }),
            ("overlap-full", "Entries whose data all end at the same byte", |zip| {
                overlap(zip, 3);
            }),
        ],
    );
    cases.extend(faults(
        "archive.local_header archive.directory",
        "ZIP-22 ZIP-23",
        "Sizes that lead past the entry's place end in the directory or beyond the file.",
        &[
            ("data-past-directory", "A last entry whose data reaches into the directory", |zip| {
                let end = directory_offset(zip) as usize;
                resize(zip, 3, end + 8);
            }),
            ("data-past-end", "A last entry whose data is said to reach past the file", |zip| {
                zip.entry(MODULE).both(|header| {
                    (header.stored_bytes, header.content_bytes) = (Some(1 << 20), Some(1 << 20));
                });
            }),
            ("data-short", "A last entry whose data ends one byte before the directory", |zip| {
                let end = directory_offset(zip) as usize;
                resize(zip, 3, end - 1);
            }),
        ],
    ));
    cases.extend(faults(
        "archive.field",
        "ZIP-14",
        "A comment is a place where a second header can hide.",
        &[
            (
                "header-in-entry-comment",
                "An entry comment that contains a whole central header",
                |zip| {
                    let hidden = Entry::stored(b"zz.wasm", b"hidden");
                    zip.entry(MODULE).comment = central(&hidden, 0);
                },
            ),
            ("entry-comment", "An entry comment", |zip| {
                zip.entry(MODULE).comment = b"a module".to_vec();
            }),
        ],
    ));
    cases
}

/// Makes the first `count` entries end where the next entry does, as zip bombs do.
fn overlap(zip: &mut Zip, count: usize) {
    let body_end = directory_offset(zip) as usize;
    let next_data = data_offset(zip, 1);
    // From the last on, since the headers of the later ones are data of the earlier ones.
    for place in (0..count).rev() {
        let data_end = if count == 1 { next_data } else { body_end };
        resize(zip, place, data_end);
    }
}

/// Says of an entry that its data goes on until this byte of the archive.
fn resize(zip: &mut Zip, place: usize, data_end: usize) {
    let (bytes, start) = (zip.bytes(), data_offset(zip, place));
    let data = &bytes[start..data_end];
    let (length, checksum) = (data.len() as u32, super::zip::crc32(data));
    zip.entries[place].both(|header| {
        (header.stored_bytes, header.content_bytes) = (Some(length), Some(length));
        header.checksum = Some(checksum);
    });
}

/// Returns the offset of an entry's data.
fn data_offset(zip: &Zip, place: usize) -> usize {
    let headers = zip.entries.iter().take(place + 1).map(|entry| 30 + entry.local.name.len());
    let data = zip.entries.iter().take(place).map(|entry| entry.data.len());
    headers.sum::<usize>() + data.sum::<usize>()
}

fn directory_offset(zip: &Zip) -> u32 {
    let body: usize =
        zip.entries.iter().map(|entry| 30 + entry.local.name.len() + entry.data.len()).sum();
    body as u32
}

fn directory_bytes(zip: &Zip) -> u32 {
    let bytes: usize = zip.entries.iter().map(|entry| 46 + entry.central.name.len()).sum();
    bytes as u32
}

fn offset_of(zip: &Zip, name: &str) -> u32 {
    let before = zip.entries.iter().take_while(|entry| entry.local.name != name.as_bytes());
    let bytes: usize = before.map(|entry| 30 + entry.local.name.len() + entry.data.len()).sum();
    bytes as u32
}

fn mismatches() -> Vec<Case> {
    let mut cases = faults(
        "archive.mismatch",
        "ZIP-08",
        "Readers from the front believe the local header, readers from the back the directory: where \
         the two differ there are two files.",
        &[
            ("local-version", "Another version needed in the local header", |zip| {
                zip.entry(MODULE).local.version_needed = 10;
            }),
            ("local-encrypted", "The encryption flag in the local header only", |zip| {
                zip.entry(MODULE).local.flags = 1;
            }),
            ("local-utf8-flag", "The UTF-8 flag in the local header only", |zip| {
                zip.entry(MODULE).local.flags = 1 << 11;
            }),
            ("local-descriptor-flag", "The descriptor flag in the local header only", |zip| {
                zip.entry(MODULE).local.flags = 1 << 3;
            }),
            ("local-method", "Deflate in the local header only", |zip| {
                zip.entry(MODULE).local.method = 8;
            }),
            ("local-time", "Another time in the local header", |zip| {
                zip.entry(MODULE).local.time = 1;
            }),
            ("local-date", "Another date in the local header", |zip| {
                zip.entry(MODULE).local.date = 0x5a21;
            }),
            ("local-checksum", "Another CRC in the local header", |zip| {
                zip.entry(MODULE).local.checksum = Some(0);
            }),
            ("central-checksum", "Another CRC in the directory", |zip| {
                zip.entry(MODULE).central.checksum = Some(0);
            }),
            ("local-stored-size", "Another stored size in the local header", |zip| {
                zip.entry(MODULE).local.stored_bytes = Some(0);
            }),
            ("local-content-size", "Another content size in the local header", |zip| {
                zip.entry(MODULE).local.content_bytes = Some(1);
            }),
            ("local-name", "Another name of the same length in the local header", |zip| {
                zip.entry(ASSET).local.name = b"assets/evil.txt".to_vec();
            }),
            ("local-name-case", "The name in other case in the local header", |zip| {
                zip.entry(ASSET).local.name = b"assets/DATA.txt".to_vec();
            }),
            ("local-name-longer", "A longer name in the local header", |zip| {
                zip.entry(ASSET).local.name = b"assets/data.txt2".to_vec();
            }),
            ("local-name-nul", "A NUL inside the local name only", |zip| {
                zip.entry(ASSET).local.name = b"assets/data\0txt".to_vec();
            }),
            ("local-name-length", "A name length in the local header that counts the data in", |zip| {
                zip.entry(ASSET).local.name_bytes = Some(20);
            }),
            ("local-is-folder", "A directory's name in the local header only", |zip| {
                zip.entry(ASSET).local.name = b"assets/data.tx/".to_vec();
            }),
        ],
    );
    cases.extend(faults(
        "archive.mismatch",
        "ZIP-08 ZIP-18",
        "What is stored in the one header and deflated in the other is two contents.",
        &[(
            "deflate-stored-locally",
            "Deflate in the directory, stored in the local header",
            |zip| {
                let entry = zip.entry(ASSET);
                let stream = super::deflate::fixed(&entry.content);
                *entry = Entry::deflated(ASSET.as_bytes(), b"data\n", stream);
                entry.local.method = 0;
            },
        )],
    ));
    cases
}

fn fields() -> Vec<Case> {
    let field = |spec: &str, list: &[Fault]| {
        let why =
            "A field that carries nothing has one value: else one package has many archives, \
                   and the field becomes a place for a second meaning.";
        faults("archive.field", spec, why, list)
    };
    let attribute = |id: &str, title: &str, value: u32| {
        let mut zip = parent().zip();
        zip.entry(ASSET).external_attributes = value;
        Case::verify(1, &format!("archive/{id}"), zip.bytes())
            .says(
                title,
                "A package contains regular files only, so unpacking it creates nothing else.",
            )
            .spec("ZIP-14")
            .refused("archive.field")
    };
    let mut cases = field(
        "ZIP-11",
        &[
            ("version-10", "Version needed 1.0 in both headers", |zip| {
                zip.entry(MODULE).both(|header| header.version_needed = 10);
            }),
            ("version-45", "Version needed 4.5, which is zip64, in both headers", |zip| {
                zip.entry(MODULE).both(|header| header.version_needed = 45);
            }),
            ("version-high-byte", "Version needed with a host system in its high byte", |zip| {
                zip.entry(MODULE).both(|header| header.version_needed = 0x0314);
            }),
        ],
    );
    cases.extend(field(
        "ZIP-12",
        &[
            ("made-by-dos", "Made by MS-DOS", |zip| zip.entry(MODULE).made_by = 20),
            ("made-by-macos", "Made by macOS", |zip| zip.entry(MODULE).made_by = 0x1314),
            ("made-by-version", "Made by version 3.0", |zip| zip.entry(MODULE).made_by = 0x031e),
        ],
    ));
    cases.extend(field(
        "ZIP-13",
        &[
            ("time", "A time in both headers", |zip| {
                zip.entry(MODULE).both(|header| header.time = 0x6000);
            }),
            ("date", "A date in both headers", |zip| {
                zip.entry(MODULE).both(|header| header.date = 0x5a21);
            }),
            ("date-zero", "The date 0, which is not a valid day, in both headers", |zip| {
                zip.entry(MODULE).both(|header| header.date = 0);
            }),
        ],
    ));
    cases.extend(field(
        "ZIP-14",
        &[
            ("entry-disk", "An entry declared to start on disk 1", |zip| {
                zip.entry(MODULE).disk = 1
            }),
            ("internal-attributes", "An entry marked as text", |zip| {
                zip.entry(MODULE).internal_attributes = 1;
            }),
        ],
    ));
    cases.extend([
        attribute("attribute-none", "No attributes", 0),
        attribute("attribute-executable", "An executable file", 0o100_755 << 16),
        attribute("attribute-symlink", "A symbolic link", 0o120_777 << 16),
        attribute("attribute-character-device", "A character device", 0o020_644 << 16),
        attribute("attribute-block-device", "A block device", 0o060_644 << 16),
        attribute("attribute-fifo", "A named pipe", 0o010_644 << 16),
        attribute("attribute-socket", "A socket", 0o140_644 << 16),
        attribute("attribute-directory-mode", "A directory's mode on a file", 0o040_755 << 16),
        attribute(
            "attribute-directory-bit",
            "The DOS directory bit on a file",
            0o100_644 << 16 | 0x10,
        ),
        attribute("attribute-setuid", "A file that is set-user-id", 0o104_644 << 16),
        attribute("attribute-read-only", "The DOS read-only bit", 0o100_644 << 16 | 1),
    ]);
    cases
}

fn flags() -> Vec<Case> {
    let mut cases = Vec::new();
    for (bit, name, title) in [
        (0, "encrypted", "The encryption flag in both headers"),
        (1, "option-1", "A compression option, bit 1"),
        (2, "option-2", "A compression option, bit 2"),
        (4, "enhanced-deflate", "The flag for enhanced deflating"),
        (5, "patch-data", "The flag for compressed patched data"),
        (6, "strong-encryption", "The flag for strong encryption"),
        (7, "bit-7", "The unused flag 7"),
        (8, "bit-8", "The unused flag 8"),
        (9, "bit-9", "The unused flag 9"),
        (10, "bit-10", "The unused flag 10"),
        (11, "utf8", "The UTF-8 flag in both headers"),
        (12, "bit-12", "The reserved flag 12"),
        (13, "masked-headers", "The flag for masked local headers"),
        (14, "bit-14", "The reserved flag 14"),
        (15, "bit-15", "The reserved flag 15"),
    ] {
        let mut zip = parent().zip();
        zip.entry(MODULE).both(|header| header.flags = 1 << bit);
        let why = "Each flag changes how an entry is read; names are ASCII and need none.";
        cases.push(
            Case::verify(1, &format!("archive/flag-{name}"), zip.bytes())
                .says(title, why)
                .spec("ZIP-16")
                .refused("archive.flags"),
        );
    }
    cases.extend(faults(
        "archive.flags archive.mismatch",
        "ZIP-16 ZIP-08",
        "An entry that the directory calls encrypted is passed over by some readers and read by others.",
        &[("central-encrypted", "The encryption flag in the directory only", |zip| {
            zip.entry(MODULE).central.flags = 1;
        })],
    ));
    cases.extend(faults(
        "archive.flags archive.mismatch",
        "ZIP-16",
        "A data descriptor has four layouts that readers distinguish by guessing, and leaves the size \
         to be searched for.",
        &[
            ("descriptor", "A data descriptor, sizes in the local header left empty", |zip| {
                descriptor(zip, |_, fields| [&b"PK\x07\x08"[..], fields].concat());
            }),
            ("descriptor-unsigned", "A data descriptor without its signature", |zip| {
                descriptor(zip, |_, fields| fields.to_vec());
            }),
            ("descriptor-wrong", "A data descriptor with another size", |zip| {
                descriptor(zip, |_, _| b"PK\x07\x08\0\0\0\0\x01\0\0\0\x01\0\0\0".to_vec());
            }),
            ("descriptor-64", "A data descriptor with sizes of 64 bits", |zip| {
                descriptor(zip, |entry, fields| {
                    let size = (entry.data.len() as u64).to_le_bytes();
                    [&b"PK\x07\x08"[..], &fields[..4], &size, &size].concat()
                });
            }),
        ],
    ));
    cases.extend(faults(
        "archive.local_header",
        "ZIP-07 ZIP-16",
        "Without its flag a descriptor is a gap.",
        &[("descriptor-unflagged", "A data descriptor that no flag announces", |zip| {
            let entry = zip.entry("manifest.json");
            let size = (entry.data.len() as u32).to_le_bytes();
            let sum = super::zip::crc32(&entry.data).to_le_bytes();
            entry.trailing = [&b"PK\x07\x08"[..], &sum, &size, &size].concat();
        })],
    ));
    cases
}

/// Gives the module a descriptor, made from the entry and the twelve bytes of CRC and sizes.
fn descriptor(zip: &mut Zip, make: fn(&Entry, &[u8]) -> Vec<u8>) {
    let entry = zip.entry(MODULE);
    let size = (entry.data.len() as u32).to_le_bytes();
    let fields = [super::zip::crc32(&entry.data).to_le_bytes(), size, size].concat();
    entry.trailing = make(entry, &fields);
    entry.both(|header| header.flags = 1 << 3);
    (entry.local.checksum, entry.local.stored_bytes) = (Some(0), Some(0));
    entry.local.content_bytes = Some(0);
}

fn zip64() -> Vec<Case> {
    let mut cases = faults(
        "archive.extra_field",
        "ZIP-04 ZIP-15",
        "zip64 stores sizes in a second place: readers differ on which counts.",
        &[
            ("zip64-extra", "A zip64 extra field that no size requires", |zip| {
                zip.entry(MODULE).both(|header| header.extra = zip64_extra());
            }),
            ("zip64-extra-and-marks", "A zip64 extra field in place of the sizes", |zip| {
                zip.entry(MODULE).both(|header| {
                    header.extra = zip64_extra();
                    (header.stored_bytes, header.content_bytes) = (Some(u32::MAX), Some(u32::MAX));
                });
            }),
        ],
    );
    cases.extend(faults(
        "archive.entry_size archive.too_large archive.local_header",
        "ZIP-04 ZIP-20",
        "The mark of zip64 is a size of 4 GiB here, which is above the limit.",
        &[("zip64-marks", "zip64's marks in place of the sizes, without an extra field", |zip| {
            zip.entry(MODULE).both(|header| {
                (header.stored_bytes, header.content_bytes) = (Some(u32::MAX), Some(u32::MAX));
            });
        })],
    ));
    cases.extend(faults(
        "archive.directory",
        "ZIP-04 ZIP-05",
        "A zip64 end record in addition to a full classic one is a second directory.",
        &[
            (
                "zip64-end-record",
                "A zip64 end record and locator in addition to a full end record",
                |zip| {
                    zip.before_end = zip64_end(zip);
                },
            ),
            ("zip64-locator", "A zip64 locator alone", |zip| {
                zip.before_end = zip64_end(zip).split_off(56);
            }),
            ("zip64-offset", "A zip64 end record that the directory offset needs", |zip| {
                zip.before_end = zip64_end(zip);
                zip.end.directory_offset = Some(u32::MAX);
            }),
        ],
    ));
    cases.extend(faults(
        "archive.entry_count archive.directory",
        "ZIP-04",
        "A package never needs zip64.",
        &[("zip64-needed", "A zip64 end record that every field needs", |zip| {
            zip.before_end = zip64_end(zip);
            (zip.end.count_here, zip.end.count) = (Some(u16::MAX), Some(u16::MAX));
            (zip.end.directory_offset, zip.end.directory_bytes) = (Some(u32::MAX), Some(u32::MAX));
        })],
    ));
    cases
}

/// Both sizes of the module, as zip64 writes them.
fn zip64_extra() -> Vec<u8> {
    let size = (super::package::module().len() as u64).to_le_bytes();
    [&[1, 0, 16, 0][..], &size, &size].concat()
}

/// A zip64 end record and its locator, true to the archive.
fn zip64_end(zip: &Zip) -> Vec<u8> {
    let (offset, bytes) = (u64::from(directory_offset(zip)), u64::from(directory_bytes(zip)));
    let count = zip.entries.len() as u64;
    let mut record = [&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[45, 3, 45, 0]].concat();
    record.extend([0; 8]);
    for field in [count, count, bytes, offset] {
        record.extend(field.to_le_bytes());
    }
    record.extend(b"PK\x06\x07\0\0\0\0");
    record.extend((offset + bytes).to_le_bytes());
    record.extend(1_u32.to_le_bytes());
    record
}

fn extra_fields() -> Vec<Case> {
    let unicode = [&[0x75, 0x70, 13, 0, 1][..], &[0; 4], b"evil.txt"].concat();
    let mut cases = Vec::new();
    for (name, title, extra) in [
        ("unicode-path", "A Unicode path, which is a second name", unicode),
        ("timestamps", "Unix timestamps", vec![0x55, 0x54, 5, 0, 1, 0, 0, 0, 0]),
        ("uid", "Unix user and group", vec![0x75, 0x78, 11, 0, 1, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0]),
        ("ntfs", "NTFS times", [&[0x0a, 0, 4, 0][..], &[0; 4]].concat()),
        ("aes", "AES encryption", vec![0x01, 0x99, 7, 0, 2, 0, b'A', b'E', 3, 0, 0]),
        ("jar", "The mark of a Java archive", vec![0xfe, 0xca, 0, 0]),
        ("unknown", "An unregistered id", vec![0x34, 0x12, 2, 0, 1, 2]),
        ("truncated", "A field longer than its bytes", vec![0x34, 0x12, 9, 0, 1]),
        ("three-bytes", "Three bytes, less than a field's head", vec![1, 2, 3]),
    ] {
        type Where = (&'static str, &'static str, fn(&mut Entry, &[u8]));
        let places: [Where; 3] = [
            ("both", "both headers", |entry, extra| entry.both(|header| set(header, extra))),
            ("central", "the directory only", |entry, extra| set(&mut entry.central, extra)),
            ("local", "the local header only", |entry, extra| set(&mut entry.local, extra)),
        ];
        for (place, place_title, change) in places {
            let mut zip = parent().zip();
            change(zip.entry(MODULE), &extra);
            cases.push(
                Case::verify(1, &format!("archive/extra-{name}-{place}"), zip.bytes())
                    .says(
                        &format!("An extra field in {place_title}: {title}"),
                        "An extra field is a second place for a name, a size or a time.",
                    )
                    .spec("ZIP-15 ZIP-08")
                    .refused("archive.extra_field archive.mismatch"),
            );
        }
    }
    cases
}

fn set(header: &mut Header, extra: &[u8]) {
    header.extra = extra.to_vec();
}
