//! Room: whether records are missing from a log, by what else its directory holds. Whoever writes the
//! log and whoever verifies it judge by this one file.
//!
//! A chain does not show that lines are missing at its end, and an empty log is a good chain. But a key
//! is made only for a log that is there, `audit.head` names a record that was written, the file of a call
//! the place of its intent, and the name of a torn line's file the records before it. Each of these is
//! on the disk later than what it tells of, so a crash at any moment leaves nothing that is missing.

use super::files::{
    at, broken, missing, place_of, unavailable, CALLS_DIR, HEAD_FILE, KEY_FILE, TORN_PREFIX,
};
use crate::host::files::{self, if_there, Links};
use crate::kernel::encoding::{as_u64, unhex};
use crate::kernel::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Longest text of `audit.head`: 20 digits, a space, a hash and a line feed.
const HEAD_BYTES_MAX: usize = 86;

/// A record that was seen in the log and has to stay there.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    /// Bytes of the log up to the record's end; 0 where no record was seen.
    pub(super) end: u64,
    pub(super) hash: String,
}

impl Anchor {
    /// What `audit.head` says of it.
    // [AUD-70]
    pub(super) fn to_text(&self) -> String {
        format!("{} {}\n", self.end, self.hash)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (end, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        unhex::<32>(hash)?;
        let anchor = Anchor { end: end.parse().ok()?, hash: hash.to_owned() };
        (anchor.to_text() == text).then_some(anchor)
    }

    /// Finds that the record stands where it stood, in a log whose whole lines end at `end`.
    ///
    /// # Errors
    /// `audit.broken`, `audit.unavailable`.
    // [AUD-43]
    pub(super) fn check(&self, log: &File, end: u64) -> Result<(), Error> {
        if self.end == 0 {
            return Ok(());
        }
        let sealed = format!("\"hash\":\"{}\"}}\n", self.hash);
        let start = self.end.saturating_sub(as_u64(sealed.len()));
        if self.end > end || read_at(log, start, sealed.len())? != sealed.as_bytes() {
            let what = format!("record {} no longer ends at byte {}", self.hash, self.end);
            return Err(broken("the log was cut or replaced", what));
        }
        Ok(())
    }
}

/// What a directory tells of its log.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    has_key: bool,
    /// `audit.head` is there, whatever it says: a power failure may have left it empty.
    has_head: bool,
    noted: Option<Anchor>,
    /// `seq` and place of the intent of each call that has a file.
    calls: Vec<(u64, u64)>,
    /// The highest `seq` that a torn line's file is named after.
    torn: Option<u64>,
}

impl Evidence {
    /// Looks at everything but the log. Whoever looks at the log afterwards finds all that this tells of,
    /// also while another process writes.
    ///
    /// # Errors
    /// `audit.unavailable`.
    pub(super) fn read(dir: &Path) -> Result<Self, Error> {
        let (key, head) = (&dir.join(KEY_FILE), &dir.join(HEAD_FILE));
        let has_key = if_there(key.symlink_metadata()).map_err(at(key))?.is_some();
        let head = if_there(files::read(head, Links::Refused, HEAD_BYTES_MAX)).map_err(at(head))?;
        let noted = head.as_deref().and_then(Anchor::parse);
        let calls = names(&dir.join(CALLS_DIR))?;
        let torn = names(dir)?;
        let torn = torn.iter().filter_map(|name| name.strip_prefix(TORN_PREFIX)?.parse().ok());
        Ok(Evidence {
            has_key,
            has_head: head.is_some(),
            noted,
            calls: calls.iter().filter_map(|name| place_of(name)).collect(),
            torn: torn.max(),
        })
    }

    /// Finds that no log was begun here, where none is there.
    ///
    /// # Errors
    /// `audit.broken`.
    // [AUD-71] [AUD-72]
    pub(super) fn check_missing(&self) -> Result<(), Error> {
        let begun = self.has_key || self.has_head || !self.calls.is_empty() || self.torn.is_some();
        if begun {
            Err(missing())
        } else {
            Ok(())
        }
    }

    /// Finds that the log holds every record that is told of. Its whole lines end at `end`, and the last
    /// of them is record `seq`.
    ///
    /// # Errors
    /// `audit.broken`, `audit.unavailable`.
    // [AUD-71] [AUD-73] [AUD-74] [AUD-75]
    pub(super) fn check(&self, log: &File, end: u64, seq: u64) -> Result<(), Error> {
        let cut = |what: String| Err(broken("the log was cut or replaced", what));
        if self.has_head && seq == 0 {
            return cut(format!("it has no record, and {HEAD_FILE} is there"));
        }
        if let Some(noted) = &self.noted {
            noted.check(log, end)?;
        }
        for (call, offset) in &self.calls {
            if !may_begin_at(log, end, *call, *offset)? {
                return cut(format!("{CALLS_DIR}/{call}-{offset} is there, and its place is not"));
            }
        }
        match self.torn {
            Some(torn) if torn > seq.saturating_add(1) => {
                cut(format!("it ends with record {seq}, and {TORN_PREFIX}{torn} is there"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether record `seq` begins at a place of the log, or would if it were written next: a process may
/// have ended between making the file of a call and writing its intent.
fn may_begin_at(log: &File, end: u64, seq: u64, offset: u64) -> Result<bool, Error> {
    if offset > end {
        return Ok(false);
    }
    if offset > 0 && read_at(log, offset.saturating_sub(1), 1)? != b"\n" {
        return Ok(false);
    }
    let begins = format!("{{\"v\":1,\"seq\":{seq},");
    Ok(offset == end || read_at(log, offset, begins.len())? == begins.as_bytes())
}

/// So many bytes from a place on, or fewer at the end.
fn read_at(mut log: &File, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    log.seek(SeekFrom::Start(offset)).map_err(unavailable)?;
    log.take(as_u64(length)).read_to_end(&mut bytes).map_err(unavailable)?;
    Ok(bytes)
}

/// The names in a directory, which need not be there. One that is no text is none of ours.
fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in if_there(dir.read_dir()).map_err(at(dir))?.into_iter().flatten() {
        names.extend(entry.map_err(at(dir))?.file_name().into_string());
    }
    Ok(names)
}
