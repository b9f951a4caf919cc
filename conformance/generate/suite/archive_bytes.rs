//! Check 1: methods, deflate streams, sizes and bombs.

use super::archive::{faults, parent, ASSET};
use super::case::{Case, Part};
use super::crypto::unhex;
use super::deflate::{fixed, fixed_block, stored, zeros_after, Bits};
use super::package::Package;
use super::zip::{Entry, Zip};

const CONTENT: &[u8] = b"data\n";

/// The parent with its asset deflated in this way, and declared with its real length.
fn deflated(stream: Vec<u8>) -> Zip {
    let mut zip = parent().zip();
    *zip.entry(ASSET) = Entry::deflated(ASSET.as_bytes(), CONTENT, stream);
    zip
}

pub fn cases() -> Vec<Case> {
    let mut cases = methods();
    cases.extend(streams());
    cases.extend(codes());
    cases.extend(bombs());
    cases.extend(accepted());
    cases
}

fn methods() -> Vec<Case> {
    let mut cases = Vec::new();
    for (method, name) in [
        (1, "shrink"),
        (6, "implode"),
        (9, "deflate64"),
        (12, "bzip2"),
        (14, "lzma"),
        (93, "zstandard"),
        (95, "xz"),
        (98, "ppmd"),
        (99, "AES"),
    ] {
        let mut zip = parent().zip();
        zip.entry(ASSET).both(|header| header.method = method);
        let why =
            "Each method is a decoder in the trusted code, and readers differ on which they have.";
        cases.push(
            Case::verify(1, &format!("archive/method-{method}"), zip.bytes())
                .says(&format!("Method {method}, {name}"), why)
                .spec("ZIP-17")
                .refused("archive.method"),
        );
    }
    cases.extend(faults(
        "archive.method archive.mismatch",
        "ZIP-17 ZIP-08",
        "A method that only the directory names is met by some readers only.",
        &[("method-central", "Method bzip2 in the directory only", |zip| {
            zip.entry(ASSET).central.method = 12;
        })],
    ));
    cases.extend(faults(
        "archive.data",
        "ZIP-18",
        "A stored entry with two sizes ends in two places.",
        &[
            ("stored-sizes-differ", "A stored entry whose content is said to be shorter", |zip| {
                zip.entry(ASSET).both(|header| header.content_bytes = Some(4));
            }),
            ("stored-content-empty", "A stored entry whose content is said to be empty", |zip| {
                zip.entry(ASSET).both(|header| header.content_bytes = Some(0));
            }),
            ("deflated-as-stored", "A deflate stream labelled as stored, with both sizes", |zip| {
                let entry = zip.entry(ASSET);
                entry.data = fixed(&entry.content);
                entry.both(|header| header.checksum = Some(super::zip::crc32(CONTENT)));
            }),
        ],
    ));
    cases.extend(faults(
        "archive.checksum",
        "ZIP-21",
        "A checksum that is not checked is a field that anyone can set.",
        &[
            ("checksum", "A CRC of 0 in both headers", |zip| {
                zip.entry(ASSET).both(|header| header.checksum = Some(0));
            }),
            ("checksum-of-stream", "The CRC of the deflated bytes, not of the content", |zip| {
                let stream = fixed(CONTENT);
                let checksum = super::zip::crc32(&stream);
                *zip.entry(ASSET) = Entry::deflated(ASSET.as_bytes(), CONTENT, stream);
                zip.entry(ASSET).both(|header| header.checksum = Some(checksum));
            }),
            ("content-altered", "One bit of stored content flipped", |zip| {
                zip.entry(ASSET).data[0] ^= 1;
            }),
        ],
    ));
    cases
}

fn streams() -> Vec<Case> {
    let not_final = || {
        let mut bits = Bits::default();
        fixed_block(&mut bits, CONTENT, false);
        bits.finish()
    };
    let far = || {
        // A match of length 3 at distance 32,768, where only five bytes were written.
        let mut bits = Bits::default();
        bits.number(1, 1).number(1, 2);
        bits.number(0b0100_0000, 7).number(0b1_0111, 5).number(0x1fff, 13).number(0, 7);
        bits.finish()
    };
    let mut length_wrong = stored(CONTENT);
    length_wrong[3] ^= 1;
    let mut padded = fixed(CONTENT);
    if let Some(last) = padded.last_mut() {
        *last |= 0x80;
    }
    let hidden = "A decoder that stops at the final block never sees what is hidden after it.";
    let unclear = "The content of a stream must not depend on where a decoder stops.";
    let mut cases = Vec::new();
    for (id, title, stream, why) in [
        (
            "deflate-trailing-byte",
            "A byte after the deflate stream",
            [fixed(CONTENT), vec![0]].concat(),
            hidden,
        ),
        (
            "deflate-trailing-text",
            "Text after the deflate stream",
            [fixed(CONTENT), b"hidden".to_vec()].concat(),
            hidden,
        ),
        (
            "deflate-second-stream",
            "A second deflate stream after the first",
            [fixed(CONTENT), fixed(b"evil\n")].concat(),
            hidden,
        ),
        ("deflate-truncated", "A stream without its last byte", cut(fixed(CONTENT)), unclear),
        ("deflate-empty", "A stream of no bytes", Vec::new(), unclear),
        (
            "deflate-not-final",
            "A stream whose last block is not marked final",
            not_final(),
            unclear,
        ),
        (
            "deflate-longer",
            "A stream that becomes one byte more than declared",
            fixed(b"data\n!"),
            unclear,
        ),
        (
            "deflate-shorter",
            "A stream that becomes one byte less than declared",
            fixed(b"data"),
            unclear,
        ),
        ("deflate-block-type-3", "A block of the reserved type 3", vec![0x07, 0, 0], unclear),
        ("deflate-distance-too-far", "A match that starts before the content", far(), unclear),
        (
            "deflate-stored-length",
            "A stored block whose length check is wrong",
            length_wrong,
            unclear,
        ),
        (
            "deflate-codes-incomplete",
            "A block whose code lengths make no code",
            vec![0x05, 0, 0, 0, 0, 0],
            unclear,
        ),
        ("deflate-zlib", "A zlib stream, with its head and Adler sum", zlib(), unclear),
        ("deflate-gzip", "A gzip file", gzip(), unclear),
        ("stored-as-deflate", "Plain content labelled as deflated", CONTENT.to_vec(), unclear),
    ] {
        // A stream of no bytes cannot be declared to become five: that is a ratio out of reach.
        let codes = match stream.is_empty() {
            true => "archive.entry_size archive.data",
            false => "archive.data",
        };
        cases.push(
            Case::verify(1, &format!("archive/{id}"), deflated(stream).bytes())
                .says(title, why)
                .spec("ZIP-19")
                .refused(codes),
        );
    }
    cases.push(
        Case::verify(1, "archive/either-deflate-padding", deflated(padded).bytes())
            .says(
                "Unused bits after the final block that are not zero",
                "The content and its hash are the same, so nothing that is checked differs; a \
                 decoder need not show these bits.",
            )
            .spec("ZIP-19")
            .either("archive.data"),
    );
    cases
}

/// Streams whose codes RFC 1951 leaves open, which are read as zlib reads them.
fn codes() -> Vec<Case> {
    let refused = "A code that one decoder completes and another does not has two contents.";
    let mut cases = Vec::new();
    for (id, title, stream) in [
        (
            "literal-codes-287",
            "287 literal and length codes",
            "f5e00108000000820001004000000000000000000000000000000000000000000020080000000800000000000000000000000000000000000000000000000000000000000000000000040000000000000048ec",
        ),
        (
            "distance-codes-31",
            "31 distance codes",
            "05fe0108000000820001004000000000000000000000000000000000000000000020080000000800000000000000000000000000000000000000000000000000000000000000000000040000000000000048ec",
        ),
        (
            "literal-code-incomplete",
            "A literal code that leaves bits without a meaning",
            "05e00108000000820001004000000000000000000000000000000000000000000010080000000400000000000000000000000000000000000000000000000000000000000000000000048e55",
        ),
        (
            "literal-code-over",
            "More literal codes than bits can tell apart",
            "05e0010800000082200000c0000000000000000000000000000000000000000000100800000004000000000000000000000000000000000000000000000000000000000000000000008c0e04",
        ),
        (
            "distance-code-incomplete",
            "One distance code of two bits",
            "05e00108000000820001004000000000000000000000000000000000000000000020080000000800000000000000000000000000000000000000000000000000000000000000000000a4c40e",
        ),
        (
            "length-code-incomplete",
            "A code of code lengths that leaves bits without a meaning",
            "05e0010800000082000000400000000000000000000000000000000000000000002008000000080000000000000000000000000000000000000000000000000000000000000000000084c40e",
        ),
        (
            "no-end-code",
            "A block without a code for its end",
            "05e0010400000040000010000000000000000000004800400000000000000000000000000000000000900b",
        ),
        (
            "literal-286",
            "The length symbol 286, which does not exist",
            "4b1c0300",
        ),
        (
            "distance-30",
            "The distance symbol 30, which does not exist",
            "4b043e000000",
        ),
        (
            "distance-single-other",
            "The bit that a single distance code leaves without a meaning",
            "0de00108000000802001000000000000000000000000000000000000000000000020000000000000000000000000000000000000000000000000000000000000000000000000000000941e",
        ),
    ] {
        cases.push(
            Case::verify(1, &format!("archive/deflate-{id}"), deflated(unhex(stream)).bytes())
                .says(title, refused)
                .spec("ZIP-19")
                .refused("archive.data"),
        );
    }
    let longest = "a".repeat(259);
    for (id, title, content, stream) in [
        (
            "literal-codes-286",
            "286 literal and length codes",
            "data\n",
            "ede001080000008200010040000000000000000000000000000000000000000000200800000008000000000000000000000000000000000000000000000000000000000000000000000400000000000000123b",
        ),
        (
            "distance-codes-30",
            "30 distance codes, none used",
            "data\n",
            "05fd01080000008200010040000000000000000000000000000000000000000000200800000008000000000000000000000000000000000000000000000000000000000000000000000400000000000000123b",
        ),
        (
            "distance-code-single",
            "A single distance code of one bit",
            "aaaa",
            "0de001080000008020010000000000000000000000000000000000000000000000200000000000000000000000000000000000000000000000000000000000000000000000000000009416",
        ),
        (
            "end-code-alone",
            "A literal code of one bit, for the end",
            "",
            "05e001040000000010000000000000000000000000000000000000000000000000000000000000000004",
        ),
        (
            "length-284-31",
            "Length 258 as symbol 284 with 31 more",
            longest.as_str(),
            "4b1cf90000",
        ),
    ] {
        let mut zip = Package::new().with(ASSET, content).zip();
        *zip.entry(ASSET) = Entry::deflated(ASSET.as_bytes(), content.as_bytes(), unhex(stream));
        cases.push(
            Case::verify(1, &format!("archive/accept-deflate-{id}"), zip.bytes())
                .says(title, "zlib reads it, and so every decoder has to.")
                .spec("ZIP-19"),
        );
    }
    cases
}

fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.pop();
    bytes
}

fn zlib() -> Vec<u8> {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in CONTENT {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    [&[0x78, 0x9c][..], &fixed(CONTENT), &(b << 16 | a).to_be_bytes()].concat()
}

fn gzip() -> Vec<u8> {
    let length = (CONTENT.len() as u32).to_le_bytes();
    let sum = super::zip::crc32(CONTENT).to_le_bytes();
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &fixed(CONTENT), &sum, &length].concat()
}

fn bombs() -> Vec<Case> {
    let mut cases = faults(
        "archive.entry_size archive.too_large archive.local_header",
        "ZIP-20",
        "A reader that allocates what is declared can be stopped with forty bytes.",
        &[
            ("declared-4-gib", "A deflated entry declared to become 4 GiB", |zip| {
                *zip.entry(ASSET) =
                    Entry::deflated(ASSET.as_bytes(), CONTENT, zeros_after(&[], 1000));
                zip.entry(ASSET).both(|header| header.content_bytes = Some(u32::MAX));
            }),
            ("declared-stored-4-gib", "A stored entry declared to have 4 GiB less two", |zip| {
                zip.entry(ASSET).both(|header| {
                    header.stored_bytes = Some(u32::MAX - 1);
                    header.content_bytes = Some(u32::MAX - 1);
                });
            }),
        ],
    );
    cases.extend(faults(
        "archive.entry_size archive.local_header",
        "ZIP-20",
        "A reader that allocates what is declared can be stopped with forty bytes.",
        &[("declared-ratio", "A deflated entry declared to become more than deflate can", |zip| {
            *zip.entry(ASSET) = Entry::deflated(ASSET.as_bytes(), CONTENT, fixed(CONTENT));
            zip.entry(ASSET).both(|header| header.content_bytes = Some(1_000_000));
        })],
    ));
    let large = zeros_entries(&[("assets/zeros", (64 << 20) + 1, 0x0c0b_9a78)]);
    cases.push(
        Case::verify(1, "archive/entry-above-limit", large.parts())
            .says(
                "An entry that honestly becomes 64 MiB and one byte",
                "No entry is larger than a whole archive may be.",
            )
            .spec("ZIP-20")
            .refused("archive.entry_size"),
    );
    // The other three entries have 833 bytes.
    let total = zeros_entries(&[
        ("assets/zeros1", 44_739_243, 0xf0a4_31b5),
        ("assets/zeros2", 44_739_243, 0xf0a4_31b5),
        ("assets/zeros3", 44_738_410, 0x26d0_fbb5),
    ]);
    let sizes = total.entries.iter().map(|entry| match entry.local.content_bytes {
        Some(declared) => declared as usize,
        None => entry.content.len(),
    });
    assert_eq!(sizes.sum::<usize>(), (128 << 20) + 1);
    cases.push(
        Case::verify(1, "archive/contents-above-limit", total.parts())
            .says(
                "Three entries that together become 128 MiB and one byte",
                "The memory that a host uses for one package has a limit, in any division.",
            )
            .spec("ZIP-20")
            .refused("archive.too_large"),
    );
    let padding = Part { bytes: vec![0], times: (64 << 20) + 1 - parent().bytes().len() };
    let package = Part { bytes: parent().bytes(), times: 1 };
    cases.push(
        Case::verify(1, "archive/archive-above-limit", vec![padding, package])
            .says(
                "A file of 64 MiB and one byte",
                "The size of the file is checked before its content. It has a prefix, too, which \
                 another reader may meet first.",
            )
            .spec("ZIP-01 ZIP-07")
            .refused("archive.too_large archive.local_header"),
    );
    cases
}

/// A package with assets of these numbers of zero bytes, each given with its CRC.
fn zeros_entries(assets: &[(&str, usize, u32)]) -> Zip {
    let package = assets
        .iter()
        .fold(Package::new(), |package, (name, length, _)| package.with(name, vec![0; *length]));
    let mut zip =
        Package::new().with("signature.json", format!("{:#}\n", package.signature())).zip();
    for (place, (name, length, checksum)) in assets.iter().enumerate() {
        let mut entry = Entry::deflated(name.as_bytes(), b"", zeros_after(&[], *length));
        entry.both(|header| {
            (header.content_bytes, header.checksum) = (Some(*length as u32), Some(*checksum));
        });
        zip.entries.insert(place, entry);
    }
    zip
}

fn accepted() -> Vec<Case> {
    let accept = |id: &str, title: &str, why: &str, spec: &str, bytes: Vec<u8>| {
        Case::verify(1, &format!("archive/accept-{id}"), bytes).says(title, why).spec(spec)
    };
    let same = "Deflate can say one content in many ways; each is read.";
    let mut two_blocks = Bits::default();
    fixed_block(&mut two_blocks, b"da", false);
    fixed_block(&mut two_blocks, b"ta\n", true);
    let mut all = parent().zip();
    for entry in &mut all.entries {
        let name = entry.local.name.clone();
        *entry = Entry::deflated(&name, &entry.content, fixed(&entry.content));
    }
    let zeros = Package::new().with("assets/zeros", vec![0; 1 << 20]);
    let mut high = zeros.zip();
    let stream = zeros_after(&[], 1 << 20);
    *high.entry("assets/zeros") = Entry::deflated(b"assets/zeros", &vec![0; 1 << 20], stream);
    let mut none = Package::new().with(ASSET, "").zip();
    *none.entry(ASSET) = Entry::deflated(ASSET.as_bytes(), b"", fixed(b""));
    vec![
        accept(
            "deflate-fixed",
            "One fixed block",
            same,
            "ZIP-17 ZIP-19",
            deflated(fixed(CONTENT)).bytes(),
        ),
        accept(
            "deflate-stored-block",
            "One stored block",
            same,
            "ZIP-19",
            deflated(stored(CONTENT)).bytes(),
        ),
        accept(
            "deflate-two-blocks",
            "Two fixed blocks",
            same,
            "ZIP-19",
            deflated(two_blocks.finish()).bytes(),
        ),
        accept("deflate-every-entry", "Every entry deflated", same, "ZIP-17 ZIP-19", all.bytes()),
        accept(
            "deflate-high-ratio",
            "A mebibyte of zeros in a kibibyte",
            "A ratio that deflate can reach is not a fault while the sizes stay within the limits.",
            "ZIP-19 ZIP-20",
            high.bytes(),
        ),
        accept(
            "deflate-empty-content",
            "An empty asset, deflated",
            "No content is a content.",
            "ZIP-19",
            none.bytes(),
        ),
        accept(
            "empty-asset",
            "An empty asset, stored",
            "No content is a content.",
            "ZIP-18",
            Package::new().with(ASSET, "").bytes(),
        ),
        accept(
            "nested-archive",
            "An asset that is a whole other package",
            "Archives in archives are bytes like others: they are never opened.",
            "ZIP-02 ZIP-07",
            Package::new().with("assets/inner.mpp", Package::new().bytes()).bytes(),
        ),
    ]
}
