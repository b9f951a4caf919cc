//! Room: adding records to the log, one process at a time.
//!
//! A [`Writer`] exists only while `audit.lock` is held. It knows the last record from the end of
//! the file alone, so that the cost of an append does not grow with the log.

use super::canonical::{self, unavailable};
use super::evidence::{Anchor, Evidence};
use super::record::{self, GENESIS};
use super::{files, HEAD_FILE, KEY_FILE, LOCK_FILE, LOG_FILE, TORN_PREFIX};
use crate::encoding::{hex, sha256_hex, unhex};
use crate::error::{Code, Error};
use crate::limits::{AUDIT_LINE_BYTES_MAX, AUDIT_TORN_BYTES_MAX};
use crate::package::key::random_bytes;
use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The log, locked, with its last record known.
#[derive(Debug)]
pub(super) struct Writer {
    dir: PathBuf,
    pub(super) log: File,
    /// Bytes of all complete lines.
    pub(super) end: u64,
    pub(super) seq: u64,
    head: String,
    /// What stands behind the last line feed: the beginning of a line whose writer died.
    torn: Vec<u8>,
    /// Held until the writer is dropped.
    _lock: File,
}

impl Writer {
    /// Makes what is missing of a new log: the empty file, then its key. Reads the key.
    ///
    /// # Errors
    /// `audit.unavailable`; `audit.broken` if records are missing from the log.
    // [AUD-32] [AUD-33]
    pub(super) fn open_or_create(dir: &Path) -> Result<(Writer, [u8; 32]), Error> {
        let lock = lock(dir)?;
        let key_path = dir.join(KEY_FILE);
        let key = files::open_regular(&key_path, false)?;
        let writer = Writer::open(dir, lock, true)?;
        let fail = |what: &str| unavailable(format_args!("{}: {what}", key_path.display()));
        if let Some(mut file) = key {
            let text = files::read_all(&mut file, 65).map_err(|error| fail(&error.to_string()))?;
            let text = String::from_utf8(text).unwrap_or_default();
            let key = text.strip_suffix('\n').and_then(unhex::<32>);
            return Ok((writer, key.ok_or_else(|| fail("not 64 hex digits and a line feed"))?));
        }
        if writer.end > 0 {
            return Err(fail("gone, though the log has records; restore it"));
        }
        let key = random_bytes();
        files::replace(&key_path, format!("{}\n", hex(&key)).as_bytes(), true)
            .map_err(|error| fail(&error.to_string()))?;
        files::sync_dir(dir)?;
        Ok((writer, key))
    }

    /// Locks the log for writing, finds that the record of the anchor is still there, and sets an
    /// incomplete last line aside.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    // [AUD-40] [AUD-43]
    pub(super) fn enter(dir: &Path, anchor: &Anchor, now: Timestamp) -> Result<Writer, Error> {
        let mut writer = Writer::open(dir, lock(dir)?, false)?;
        anchor.check(&writer.log, writer.end)?;
        writer.set_torn_aside(now)?;
        Ok(writer)
    }

    /// The last record, to be found again by the next append.
    pub(super) fn anchor(&self) -> Anchor {
        Anchor { end: self.end, hash: self.head.clone() }
    }

    /// Opens the log and finds that no record of it is missing. Makes it where none was begun and
    /// `create` says so.
    // [AUD-33] [AUD-71]
    fn open(dir: &Path, lock: File, create: bool) -> Result<Writer, Error> {
        let evidence = Evidence::read(dir)?;
        let path = dir.join(LOG_FILE);
        let log = match files::open_regular(&path, false)? {
            Some(log) => log,
            None => {
                evidence.check_missing()?;
                let made = files::open_regular(&path, create)?.ok_or_else(missing)?;
                files::sync_dir(dir)?;
                made
            }
        };
        let writer = Writer::read_tail(dir, lock, log)?;
        evidence.check(&writer.log, writer.end, writer.seq)?;
        Ok(writer)
    }

    /// Reads the last complete line, and what stands behind it.
    // [AUD-41] [AUD-44]
    fn read_tail(dir: &Path, lock: File, mut log: File) -> Result<Writer, Error> {
        let length = log.metadata().map_err(unavailable)?.len();
        // Nearly always the first window will do; the second holds any two lines.
        for window in [8 << 10, AUDIT_LINE_BYTES_MAX.saturating_mul(2)] {
            let window = u64::try_from(window).unwrap_or(u64::MAX).min(length);
            log.seek(SeekFrom::Start(length.saturating_sub(window))).map_err(unavailable)?;
            let mut bytes = Vec::new();
            (&mut log).take(window).read_to_end(&mut bytes).map_err(unavailable)?;
            let mut parts = bytes.rsplitn(3, |byte| *byte == b'\n');
            let torn = parts.next().unwrap_or_default().to_vec();
            let line = parts.next();
            if parts.next().is_none() && window < length {
                continue;
            }
            let torn_bytes = u64::try_from(torn.len()).unwrap_or(u64::MAX);
            let (seq, head) = match line {
                None => (0, GENESIS.to_owned()),
                Some(line) => {
                    let last = record::read(line).map_err(|what| broken("the last line", what))?;
                    (last.seq, last.hash)
                }
            };
            let end = length.saturating_sub(torn_bytes);
            return Ok(Writer { dir: dir.to_owned(), log, end, seq, head, torn, _lock: lock });
        }
        Err(broken("the last line", "longer than any record"))
    }

    /// Moves an incomplete last line into a file named after the record that will say so. That name
    /// makes the work resumable: a file without its record means that the record is still due.
    // [AUD-45] [AUD-46]
    fn set_torn_aside(&mut self, now: Timestamp) -> Result<(), Error> {
        let name = format!("{TORN_PREFIX}{}", self.seq.saturating_add(1));
        let path = self.dir.join(&name);
        let Some(mut file) = files::open_regular(&path, !self.torn.is_empty())? else {
            return Ok(());
        };
        let fail = |error| unavailable(format_args!("{}: {error}", path.display()));
        if !self.torn.is_empty() {
            let length_before = file.metadata().map_err(fail)?.len();
            if let Err(error) = file.write_all(&self.torn).and_then(|()| file.sync_all()) {
                // So that a full disk, met again and again, does not pile up pieces.
                file.set_len(length_before).map_err(fail)?;
                return Err(fail(error));
            }
            files::sync_dir(&self.dir)?;
            self.log.set_len(self.end).and_then(|()| self.log.sync_all()).map_err(unavailable)?;
            self.torn.clear();
        }
        file.rewind().map_err(fail)?;
        let content = files::read_all(&mut file, AUDIT_TORN_BYTES_MAX).map_err(fail)?;
        let members = [
            ("file", Value::from(name)),
            ("bytes", Value::from(content.len())),
            ("sha256", Value::from(sha256_hex(&content))),
        ];
        self.append("torn", members, now)
    }

    /// Adds one record and returns once it is on the disk. On failure the log is as it was, or ends
    /// in a torn line that the next append sets aside.
    ///
    /// # Errors
    /// `audit.unavailable`.
    // [AUD-42] [AUD-47]
    pub(super) fn append(
        &mut self,
        kind: &str,
        members: impl IntoIterator<Item = (&'static str, Value)>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let seq = self.seq.checked_add(1).filter(|seq| *seq <= canonical::INTEGER_MAX);
        let seq = seq.ok_or_else(|| unavailable("the log is full"))?;
        let head = [
            ("v", Value::from(1)),
            ("seq", Value::from(seq)),
            ("prev", Value::from(self.head.clone())),
            ("time", Value::from(now.to_string())),
            ("kind", Value::from(kind)),
        ];
        let object: Map<String, Value> =
            head.into_iter().chain(members).map(|(key, value)| (key.to_owned(), value)).collect();
        let (line, hash) = record::seal(&object).map_err(unavailable)?;
        let written = self.log.write_all(line.as_bytes()).and_then(|()| self.log.sync_data());
        if let Err(error) = written {
            // If taking the piece back fails too, it is a torn line, which the next append expects.
            let taken_back = self.log.set_len(self.end).and_then(|()| self.log.sync_data());
            let state =
                if taken_back.is_ok() { "" } else { ", and its beginning stays in the log" };
            return Err(unavailable(format_args!("{kind} record not written: {error}{state}")));
        }
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        self.end = self.end.saturating_add(length);
        self.seq = seq;
        self.head = hash;
        // [AUD-70] Best effort: an old note names an earlier record, which has to stay as well.
        let note = self.anchor().to_text();
        let _ = files::replace(&self.dir.join(HEAD_FILE), note.as_bytes(), false);
        Ok(())
    }
}

/// Waits for `audit.lock`, and sees that the file locked is the one that others will find.
// [AUD-40]
fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join(LOCK_FILE);
    loop {
        let Some(file) = files::open_regular(&path, true)? else { continue };
        match file.lock() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unavailable(format_args!("{}: {error}", path.display()))),
            Ok(()) => {}
        }
        let mine = file.metadata().map_err(unavailable)?;
        if path.symlink_metadata().is_ok_and(|there| files::same_file(&there, &mine)) {
            return Ok(file);
        }
    }
}

/// The error for a log that is not there.
pub(super) fn missing() -> Error {
    broken("audit.jsonl is missing", "to begin anew, move its whole directory elsewhere")
}

/// The error for a log that is not as it was written.
pub(super) fn broken(place: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Code::AuditBroken, format!("{place}: {what}"))
}
