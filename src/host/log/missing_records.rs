//! Evidence of missing records: what the other files of a log's directory say about the log.
//!
//! A chain does not show that lines are missing at its end, and an empty log is a valid chain. But a key is
//! created only for an existing log, `audit.head` names a record that was written, and the file of a call the
//! place of its intent record. Each becomes durable after the records it refers to, so a crash never makes a
//! complete log look incomplete. Writing and verifying use the same checks.

use super::files::{
    at, broken, missing, parse_call_name, unavailable, CALLS_DIR, HEAD_FILE, KEY_FILE,
};
use crate::host::files::{self, optional, Links};
use crate::kernel::encoding::{as_u64, unhex};
use crate::kernel::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Maximum length of `audit.head`: 20 digits, a space, a hash and a line feed.
const HEAD_BYTES_MAX: usize = 86;

/// A record that was seen in the log and must stay there.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    /// Bytes of the log up to the end of the record; 0 if no record was seen.
    pub(super) end: u64,
    pub(super) hash: String,
}

impl Checkpoint {
    /// Returns the text of `audit.head` for it.
    // [AUD-70]
    pub(super) fn to_text(&self) -> String {
        format!("{} {}\n", self.end, self.hash)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (end, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        unhex::<32>(hash)?;
        let checkpoint = Checkpoint { end: end.parse().ok()?, hash: hash.to_owned() };
        (checkpoint.to_text() == text).then_some(checkpoint)
    }

    /// Checks that the record is still at its place, in a log whose complete lines end at `end`.
    ///
    /// # Errors
    /// `audit.broken`, `audit.unavailable`.
    // [AUD-43]
    pub(super) fn check(&self, log: &File, end: u64) -> Result<(), Error> {
        if self.end == 0 {
            return Ok(());
        }
        let ending = format!("\"hash\":\"{}\"}}\n", self.hash);
        let start = self.end.saturating_sub(as_u64(ending.len()));
        if self.end > end || read_at(log, start, ending.len())? != ending.as_bytes() {
            let what = format!("record {} no longer ends at byte {}", self.hash, self.end);
            return Err(broken("the log was truncated or replaced", what));
        }
        Ok(())
    }
}

/// What a directory's files say about its log.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    has_key: bool,
    /// `audit.head` exists, with any content: a power failure may have left it empty.
    has_head: bool,
    recorded_head: Option<Checkpoint>,
    /// `seq` and place of the intent record of each call that has a file.
    calls: Vec<(u64, u64)>,
}

impl Evidence {
    /// Reads everything except the log. A log that is read afterwards contains all that this refers to, even
    /// while another process writes.
    ///
    /// # Errors
    /// `audit.unavailable`.
    pub(super) fn read(dir: &Path) -> Result<Self, Error> {
        let (key, head) = (&dir.join(KEY_FILE), &dir.join(HEAD_FILE));
        let has_key = optional(key.symlink_metadata()).map_err(at(key))?.is_some();
        let head = optional(files::read(head, Links::Refused, HEAD_BYTES_MAX)).map_err(at(head))?;
        let recorded_head = head.as_deref().and_then(Checkpoint::parse);
        let calls = names(&dir.join(CALLS_DIR))?;
        Ok(Evidence {
            has_key,
            has_head: head.is_some(),
            recorded_head,
            calls: calls.iter().filter_map(|name| parse_call_name(name)).collect(),
        })
    }

    /// Checks that no log was started in a directory without a log.
    ///
    /// # Errors
    /// `audit.broken`.
    // [AUD-71] [AUD-72]
    pub(super) fn check_missing(&self) -> Result<(), Error> {
        if self.has_key || self.has_head || !self.calls.is_empty() {
            Err(missing())
        } else {
            Ok(())
        }
    }

    /// Checks that the log contains every record that the evidence refers to. Its complete lines end at
    /// `end`; `seq` is the number of the last, 0 without any.
    ///
    /// # Errors
    /// `audit.broken`, `audit.unavailable`.
    // [AUD-71] [AUD-73] [AUD-74]
    pub(super) fn check(&self, log: &File, end: u64, seq: u64) -> Result<(), Error> {
        let cut = |what: String| Err(broken("the log was truncated or replaced", what));
        if self.has_head && seq == 0 {
            return cut(format!("it has no record, but {HEAD_FILE} exists"));
        }
        if let Some(recorded_head) = &self.recorded_head {
            // Only a checkpoint in memory can be from before the first record.
            if recorded_head.end == 0 {
                return cut(format!("{HEAD_FILE} names a record that ends at byte 0"));
            }
            recorded_head.check(log, end)?;
        }
        for (call, offset) in &self.calls {
            if !can_start_at(log, end, *call, *offset)? {
                return cut(format!("{CALLS_DIR}/{call}-{offset} exists, but its record does not"));
            }
        }
        Ok(())
    }
}

/// Returns `true` if record `seq` starts at this place of the log, or would if it were written next: a process
/// may have died between creating the file of a call and writing its intent record.
fn can_start_at(log: &File, end: u64, seq: u64, offset: u64) -> Result<bool, Error> {
    if offset > end {
        return Ok(false);
    }
    if offset > 0 && read_at(log, offset.saturating_sub(1), 1)? != b"\n" {
        return Ok(false);
    }
    let start = format!("{{\"v\":1,\"seq\":{seq},");
    Ok(offset == end || read_at(log, offset, start.len())? == start.as_bytes())
}

/// Reads `length` bytes from an offset, or fewer at the end of the file.
fn read_at(mut log: &File, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    log.seek(SeekFrom::Start(offset)).map_err(unavailable)?;
    log.take(as_u64(length)).read_to_end(&mut bytes).map_err(unavailable)?;
    Ok(bytes)
}

/// Lists the names in a directory that may be absent. Skips names that are not UTF-8, which this program never creates.
fn names(dir: &Path) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for entry in optional(dir.read_dir()).map_err(at(dir))?.into_iter().flatten() {
        names.extend(entry.map_err(at(dir))?.file_name().into_string());
    }
    Ok(names)
}
