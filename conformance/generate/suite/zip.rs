//! A ZIP writer in which every field can be set wrong.
//!
//! Fields that are `None` get the value that the rest of the archive makes true.

use super::case::Part;

pub const METHOD_STORED: u16 = 0;
pub const METHOD_DEFLATE: u16 = 8;

/// The fields that a local and a central header share.
#[derive(Clone, Debug, Default)]
pub struct Header {
    pub magic: Option<[u8; 4]>,
    pub version_needed: u16,
    pub flags: u16,
    pub method: u16,
    pub time: u16,
    pub date: u16,
    pub checksum: Option<u32>,
    pub stored_bytes: Option<u32>,
    pub content_bytes: Option<u32>,
    pub name: Vec<u8>,
    pub name_bytes: Option<u16>,
    pub extra: Vec<u8>,
    pub extra_bytes: Option<u16>,
}

#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub local: Header,
    pub central: Header,
    pub made_by: u16,
    pub comment: Vec<u8>,
    pub comment_bytes: Option<u16>,
    pub disk: u16,
    pub internal_attributes: u16,
    pub external_attributes: u32,
    pub offset: Option<u32>,
    /// The entry's content, which determines checksum and size.
    pub content: Vec<u8>,
    /// The entries of the archive.
    pub data: Vec<u8>,
    /// Bytes before the local header and after the data.
    pub before: Vec<u8>,
    pub trailing: Vec<u8>,
    /// Whether it has a local header and data, and whether the directory knows it.
    pub in_body: bool,
    pub in_directory: bool,
}

/// The end record, and bytes around it.
#[derive(Clone, Debug, Default)]
pub struct End {
    pub magic: Option<[u8; 4]>,
    pub disk: u16,
    pub directory_disk: u16,
    pub count_here: Option<u16>,
    pub count: Option<u16>,
    pub directory_bytes: Option<u32>,
    pub directory_offset: Option<u32>,
    pub comment: Vec<u8>,
    pub comment_bytes: Option<u16>,
}

#[derive(Clone, Debug, Default)]
pub struct Zip {
    /// In the order of the body.
    pub entries: Vec<Entry>,
    /// The order of the directory, as places in `entries`; the same if absent.
    pub order: Option<Vec<usize>>,
    pub prefix: Vec<u8>,
    /// Whether offsets count the prefix.
    pub prefix_counted: bool,
    pub before_directory: Vec<u8>,
    /// Bytes after the directory's entries that its size counts, and such that it does not.
    pub directory_tail: Vec<u8>,
    pub before_end: Vec<u8>,
    pub end: End,
    pub suffix: Vec<u8>,
}

impl Entry {
    pub fn stored(name: &[u8], content: &[u8]) -> Self {
        Entry::of(name, content, METHOD_STORED, content.to_vec())
    }

    pub fn deflated(name: &[u8], content: &[u8], data: Vec<u8>) -> Self {
        Entry::of(name, content, METHOD_DEFLATE, data)
    }

    fn of(name: &[u8], content: &[u8], method: u16, data: Vec<u8>) -> Self {
        let header = Header {
            version_needed: 20,
            method,
            date: 0x0021,
            name: name.to_vec(),
            ..Header::default()
        };
        Entry {
            local: header.clone(),
            central: header,
            made_by: 0x0314,
            external_attributes: 0x81a4_0000,
            content: content.to_vec(),
            data,
            in_body: true,
            in_directory: true,
            ..Entry::default()
        }
    }

    /// Changes local and central header alike.
    pub fn both(&mut self, change: impl Fn(&mut Header)) {
        change(&mut self.local);
        change(&mut self.central);
    }
}

impl Zip {
    pub fn of(entries: Vec<Entry>) -> Self {
        Zip { entries, prefix_counted: true, ..Zip::default() }
    }

    /// The entry of this name.
    pub fn entry(&mut self, name: &str) -> &mut Entry {
        let found = self.entries.iter_mut().find(|entry| entry.local.name == name.as_bytes());
        found.unwrap_or_else(|| panic!("the parent has no entry {name}"))
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.prefix.clone();
        let skipped = if self.prefix_counted { 0 } else { bytes.len() };
        let mut offsets = Vec::new();
        for entry in &self.entries {
            if entry.in_body {
                bytes.extend(&entry.before);
            }
            offsets.push((bytes.len() - skipped) as u32);
            if entry.in_body {
                bytes.extend(entry.local.magic.unwrap_or(*b"PK\x03\x04"));
                bytes.extend(shared(&entry.local, entry));
                bytes.extend(&entry.local.name);
                bytes.extend(&entry.local.extra);
                bytes.extend(&entry.data);
                bytes.extend(&entry.trailing);
            }
        }
        bytes.extend(&self.before_directory);
        let directory_offset = bytes.len() - skipped;
        let order = self.order.clone().unwrap_or_else(|| (0..self.entries.len()).collect());
        let mut count = 0;
        for place in order {
            let entry = &self.entries[place];
            if entry.in_directory {
                bytes.extend(central(entry, offsets[place]));
                count += 1;
            }
        }
        bytes.extend(&self.directory_tail);
        let directory_bytes = bytes.len() - skipped - directory_offset;
        bytes.extend(&self.before_end);
        let end = &self.end;
        bytes.extend(end.magic.unwrap_or(*b"PK\x05\x06"));
        for field in [
            end.disk,
            end.directory_disk,
            end.count_here.unwrap_or(count),
            end.count.unwrap_or(count),
        ] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(end.directory_bytes.unwrap_or(directory_bytes as u32).to_le_bytes());
        bytes.extend(end.directory_offset.unwrap_or(directory_offset as u32).to_le_bytes());
        bytes.extend(end.comment_bytes.unwrap_or(end.comment.len() as u16).to_le_bytes());
        bytes.extend(&end.comment);
        bytes.extend(&self.suffix);
        bytes
    }

    /// The archive in parts, each long repetition of a few bytes as one of them.
    pub fn parts(&self) -> Vec<Part> {
        let bytes = self.bytes();
        let mut parts: Vec<Part> = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let repeated = (1..=40).find_map(|period| {
                let pattern = rest.get(..period)?;
                let times = rest.chunks(period).take_while(|chunk| *chunk == pattern).count();
                (times > 1 && times * period > 512).then_some((pattern, times))
            });
            if let Some((pattern, times)) = repeated {
                parts.push(Part { bytes: pattern.to_vec(), times });
                at += pattern.len() * times;
                continue;
            }
            match parts.last_mut() {
                Some(open) if open.times == 1 => open.bytes.push(bytes[at]),
                _ => parts.push(Part { bytes: vec![bytes[at]], times: 1 }),
            }
            at += 1;
        }
        parts
    }
}

fn shared(header: &Header, entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Header { version_needed, flags, method, time, date, .. } = header;
    for field in [version_needed, flags, method, time, date] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(header.checksum.unwrap_or_else(|| crc32(&entry.content)).to_le_bytes());
    bytes.extend(header.stored_bytes.unwrap_or(entry.data.len() as u32).to_le_bytes());
    bytes.extend(header.content_bytes.unwrap_or(entry.content.len() as u32).to_le_bytes());
    bytes.extend(header.name_bytes.unwrap_or(header.name.len() as u16).to_le_bytes());
    bytes.extend(header.extra_bytes.unwrap_or(header.extra.len() as u16).to_le_bytes());
    bytes
}

pub fn central(entry: &Entry, offset: u32) -> Vec<u8> {
    let header = &entry.central;
    let mut bytes = header.magic.unwrap_or(*b"PK\x01\x02").to_vec();
    bytes.extend(entry.made_by.to_le_bytes());
    bytes.extend(shared(header, entry));
    bytes.extend(entry.comment_bytes.unwrap_or(entry.comment.len() as u16).to_le_bytes());
    bytes.extend(entry.disk.to_le_bytes());
    bytes.extend(entry.internal_attributes.to_le_bytes());
    bytes.extend(entry.external_attributes.to_le_bytes());
    bytes.extend(entry.offset.unwrap_or(offset).to_le_bytes());
    bytes.extend(&header.name);
    bytes.extend(&header.extra);
    bytes.extend(&entry.comment);
    bytes
}

/// CRC-32 (ISO 3309) by its definition. Zeros, of which there can be many, go a byte at a time.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (index, entry) in table.iter_mut().enumerate() {
        *entry = (0..8).fold(index as u32, |state, _| (state >> 1) ^ ((state & 1) * 0xedb8_8320));
    }
    !bytes.iter().fold(u32::MAX, |state, byte| state >> 8 ^ table[usize::from(state as u8 ^ byte)])
}
