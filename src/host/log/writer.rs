//! Log writer: appends records under a lock, one process at a time.
//!
//! A [`LogWriter`] holds `audit.lock`. It reads the last record from the end of the file only, so that the cost
//! of an append does not grow with the log.

use super::files::{
    at, broken, missing, unavailable, HEAD_FILE, KEY_FILE, LOCK_FILE, LOG_FILE, TORN_PREFIX,
};
use super::missing_records::{Checkpoint, Evidence};
use crate::host::files::{self, optional, Links};
use crate::host::keys::random_bytes;
use crate::kernel::audit::{self, Entry, Hash, Head, Torn, GENESIS};
use crate::kernel::encoding::{as_u64, hex, unhex};
use crate::kernel::error::Error;
use crate::kernel::limits::{AUDIT_LINE_BYTES_MAX, AUDIT_TORN_BYTES_MAX};
use crate::kernel::time::Timestamp;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Names tried for the file of a torn line.
const TORN_NAMES_COUNT: usize = 8;
/// 64 hexadecimal digits and a line feed.
const KEY_BYTES: usize = 65;

/// The locked log, with its last record.
#[derive(Debug)]
pub(super) struct LogWriter {
    dir: PathBuf,
    pub(super) log: File,
    /// Bytes of all complete lines.
    pub(super) end: u64,
    /// The last record.
    pub(super) head: Head,
    /// The bytes after the last line feed: the start of a line whose writer died.
    torn: Vec<u8>,
    /// Held until the writer is dropped.
    _lock: File,
}

impl LogWriter {
    /// Creates what a new log lacks: the empty file, then its key. Reads the key.
    ///
    /// # Errors
    /// `audit.unavailable`; `audit.broken` if records are missing from the log.
    // [AUD-32] [AUD-33]
    pub(super) fn open_or_create(dir: &Path) -> Result<(LogWriter, [u8; 32]), Error> {
        let lock = lock(dir)?;
        let path = &dir.join(KEY_FILE);
        let text = optional(files::read(path, Links::Refused, KEY_BYTES)).map_err(at(path))?;
        let writer = LogWriter::open(dir, lock, true)?;
        if let Some(text) = text {
            let text = String::from_utf8(text).unwrap_or_default();
            let key = text.strip_suffix('\n').and_then(unhex::<32>);
            let key = key.ok_or("not 64 hex digits and a line feed").map_err(at(path))?;
            return Ok((writer, key));
        }
        if writer.end > 0 {
            return Err(at(path)("missing, though the log has records; restore it from a backup"));
        }
        let key = random_bytes();
        files::replace(path, format!("{}\n", hex(&key)).as_bytes(), true).map_err(at(path))?;
        Ok((writer, key))
    }

    /// Locks the log for writing.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    pub(super) fn lock_for_append(dir: &Path) -> Result<LogWriter, Error> {
        LogWriter::open(dir, lock(dir)?, false)
    }

    /// Returns the last record, for the check before the next append.
    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { end: self.end, hash: self.head.hash.clone() }
    }

    /// Opens the log and checks that no record is missing. Creates it if no log was started and `create` is
    /// set.
    // [AUD-33] [AUD-71]
    fn open(dir: &Path, lock: File, create: bool) -> Result<LogWriter, Error> {
        let evidence = Evidence::read(dir)?;
        let path = &dir.join(LOG_FILE);
        let log = match files::open_own(path, false).map_err(at(path))? {
            Some(log) => log,
            None => {
                evidence.check_missing()?;
                let made = files::open_own(path, create).map_err(at(path))?.ok_or_else(missing)?;
                files::sync_dir(dir).map_err(at(dir))?;
                made
            }
        };
        let writer = LogWriter::read_tail(dir, lock, log)?;
        evidence.check(&writer.log, writer.end, writer.head.seq)?;
        Ok(writer)
    }

    /// Reads the last complete line, and the bytes after it.
    // [AUD-41] [AUD-44]
    fn read_tail(dir: &Path, lock: File, mut log: File) -> Result<LogWriter, Error> {
        let length = log.metadata().map_err(unavailable)?.len();
        // The first window is nearly always enough; the second holds any two lines.
        for window in [8 << 10, AUDIT_LINE_BYTES_MAX.saturating_mul(2)] {
            let window = as_u64(window).min(length);
            log.seek(SeekFrom::Start(length.saturating_sub(window))).map_err(unavailable)?;
            let mut bytes = Vec::new();
            (&mut log).take(window).read_to_end(&mut bytes).map_err(unavailable)?;
            let mut parts = bytes.rsplitn(3, |byte| *byte == b'\n');
            let torn = parts.next().unwrap_or_default().to_vec();
            let line = parts.next();
            if parts.next().is_none() && window < length {
                continue;
            }
            let head = match line {
                None => Head { seq: 0, hash: GENESIS.to_owned() },
                Some(line) => {
                    let last = audit::read(line).map_err(|what| broken("the last line", what))?;
                    Head { seq: last.seq, hash: last.hash }
                }
            };
            let end = length.saturating_sub(as_u64(torn.len()));
            return Ok(LogWriter { dir: dir.to_owned(), log, end, head, torn, _lock: lock });
        }
        Err(broken("the last line", "longer than any record"))
    }

    /// Moves an incomplete last line into a file named after the record that will report it. The name makes
    /// this resumable: a file without its record means that the record is still due. What another program has
    /// put under the name is left, and the next name is taken.
    ///
    /// # Errors
    /// `audit.unavailable`.
    // [AUD-45] [AUD-46] [AUD-75]
    pub(super) fn quarantine_torn_tail(&mut self, now: Timestamp) -> Result<(), Error> {
        let mut result = Ok(());
        for attempt in 0..TORN_NAMES_COUNT {
            let suffix = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let name = format!("{TORN_PREFIX}{}{suffix}", self.head.seq.saturating_add(1));
            let path = &self.dir.join(&name);
            match self.set_torn_aside(path).map_err(at(path)) {
                Ok(None) => return Ok(()),
                Ok(Some((bytes, sha256))) => {
                    return self.append(&Entry::Torn(&Torn { file: name, bytes, sha256 }), now);
                }
                Err(error) => result = Err(error),
            }
        }
        // Without a torn line nothing has to be written there.
        if self.torn.is_empty() {
            return Ok(());
        }
        result
    }

    /// Returns length and hash of what the file holds, with the torn line; `None` if there is neither.
    fn set_torn_aside(&mut self, path: &Path) -> io::Result<Option<(u64, Hash)>> {
        let Some(mut file) = files::open_own(path, !self.torn.is_empty())? else { return Ok(None) };
        let length_before = file.metadata()?.len();
        if length_before.saturating_add(as_u64(self.torn.len())) > as_u64(AUDIT_TORN_BYTES_MAX) {
            return Err(io::Error::other(format!("longer than {AUDIT_TORN_BYTES_MAX} bytes")));
        }
        if !self.torn.is_empty() {
            if let Err(error) = file.write_all(&self.torn).and_then(|()| file.sync_all()) {
                // Otherwise a full disk would collect one piece with each attempt.
                file.set_len(length_before)?;
                return Err(error);
            }
            files::sync_dir(&self.dir)?;
            self.log.set_len(self.end).and_then(|()| self.log.sync_all())?;
            self.torn.clear();
        }
        file.rewind()?;
        let content = files::read_from(file, AUDIT_TORN_BYTES_MAX)?;
        Ok(Some((as_u64(content.len()), Hash::of(&content))))
    }

    /// Appends one record and returns once it is durable. On failure the log is unchanged, or ends in a torn
    /// line that the next append quarantines.
    ///
    /// # Errors
    /// `audit.unavailable`.
    // [AUD-42]
    pub(super) fn append(&mut self, entry: &Entry, now: Timestamp) -> Result<(), Error> {
        let line = entry.line(&self.head, now)?;
        let written = self.log.write_all(line.text.as_bytes()).and_then(|()| self.log.sync_data());
        if let Err(error) = written {
            // If the truncation fails too, a torn line is left, which the next append expects.
            let taken_back = self.log.set_len(self.end).and_then(|()| self.log.sync_data());
            let state = if taken_back.is_ok() { "" } else { "; a torn line is left in the log" };
            let kind = entry.kind();
            return Err(unavailable(format_args!("{kind} record not written: {error}{state}")));
        }
        self.end = self.end.saturating_add(as_u64(line.text.len()));
        self.head = line.head;
        // [AUD-70] Best effort: an old head names an earlier record, which must stay as well.
        let note = self.checkpoint().to_text();
        let _ = files::replace(&self.dir.join(HEAD_FILE), note.as_bytes(), false);
        Ok(())
    }
}

/// Waits for `audit.lock`.
// [AUD-40] [AUD-48]
fn lock(dir: &Path) -> Result<File, Error> {
    let path = &dir.join(LOCK_FILE);
    files::lock_file(path, &|| false).map_err(at(path))
}
