//! Running calls: each call locks its own file, so that a dead process's calls are found and recorded as lost.
//!
//! The file `calls/SEQ-OFFSET` is named after the call's intent record and its place in the log. The system
//! drops the lock when the process ends, however it ends, so a file that can be locked belongs to an abandoned
//! call. Process numbers, which are reused, and clocks play no part.

use super::files::{at, broken, parse_call_name, unavailable, CALLS_DIR};
use super::verify::{next_line, LineError};
use super::writer::LogWriter;
use crate::host::files;
use crate::kernel::audit::{self, Entry};
use crate::kernel::encoding::as_u64;
use crate::kernel::error::Error;
use crate::kernel::limits::AUDIT_CALLS_COUNT_MAX;
use crate::kernel::time::Timestamp;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A call whose intent record is durable. Once it is dropped, the next call records it as lost, unless its
/// outcome is in the log.
#[derive(Debug)]
#[must_use = "a call without it is recorded as lost"]
pub struct RunningCall {
    /// The call's file, locked until this is dropped.
    path: PathBuf,
    /// Bytes of the log before the intent record.
    offset: u64,
    _lock: File,
}

impl RunningCall {
    /// Creates the file for a call whose intent is the next record. The caller holds the log's lock and has
    /// removed the files of abandoned calls, so no other process sees the file before it is locked.
    // [AUD-50]
    pub(super) fn create(dir: &Path, writer: &LogWriter) -> Result<RunningCall, Error> {
        let (seq, offset) = (writer.head.seq.saturating_add(1), writer.end);
        let path = dir.join(CALLS_DIR).join(format!("{seq}-{offset}"));
        let file = files::create_new(&path).map_err(at(&path))?;
        file.try_lock().map_err(at(&path))?;
        Ok(RunningCall { path, offset, _lock: file })
    }

    /// Ends the call, once its outcome is in the log.
    // [AUD-53]
    pub fn end(self) {
        // Best effort: the record decides, and the next call removes a file that is left.
        let _ = self.remove();
    }

    fn remove(self) -> Result<(), Error> {
        std::fs::remove_file(&self.path).map_err(at(&self.path))
    }
}

/// Creates the directory of the calls' files, also if it was removed while calls are running.
///
/// # Errors
/// `audit.unavailable`.
// [AUD-50]
pub(super) fn create_dir(dir: &Path) -> Result<(), Error> {
    let calls = &dir.join(CALLS_DIR);
    files::create_private_dir(calls).map_err(at(calls))?;
    if !calls.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Err(unavailable(format_args!("{}: not a directory", calls.display())));
    }
    Ok(())
}

/// Writes a `lost` record for every call whose process died.
///
/// A file may be left of a call that never started (the process died before the intent record) or that ended
/// (it died before the file was removed). So the log is read from the oldest such intent, and only an intent
/// that exists and has no end gets a record.
///
/// # Errors
/// `audit.unavailable`, `audit.broken`.
// [AUD-51] [AUD-52]
pub(super) fn record_lost_calls(
    dir: &Path,
    writer: &mut LogWriter,
    now: Timestamp,
) -> Result<(), Error> {
    let abandoned = abandoned_calls(&dir.join(CALLS_DIR))?;
    let Some(first) = abandoned.values().map(|file| file.offset).min() else { return Ok(()) };
    let mut lost = Vec::new();
    let mut at = first;
    writer.log.seek(SeekFrom::Start(first)).map_err(unavailable)?;
    let mut rest = BufReader::new((&writer.log).take(writer.end.saturating_sub(first)));
    loop {
        let wrong = |what: String| broken(&format!("the line at byte {at}"), what);
        let line = match next_line(&mut rest) {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(LineError::Io(error)) => return Err(unavailable(error)),
            Err(error) => return Err(wrong(format!("{error:?}"))),
        };
        let record = audit::read(&line).map_err(wrong)?;
        match record.kind.as_str() {
            "intent" if abandoned.get(&record.call).is_some_and(|file| file.offset == at) => {
                lost.push(record.call);
            }
            "outcome" | "lost" => lost.retain(|call| *call != record.call),
            _ => {}
        }
        at = at.saturating_add(as_u64(line.len())).saturating_add(1);
    }
    for call in lost {
        writer.append(&Entry::Lost(call), now)?;
    }
    abandoned.into_values().try_for_each(RunningCall::remove)
}

/// Returns the files of abandoned calls by call, each locked by this process.
// [AUD-51] [AUD-54]
fn abandoned_calls(calls: &Path) -> Result<BTreeMap<u64, RunningCall>, Error> {
    let fail = at(calls);
    let mut abandoned = BTreeMap::new();
    for (n, entry) in calls.read_dir().map_err(fail)?.enumerate() {
        if n >= AUDIT_CALLS_COUNT_MAX {
            return Err(unavailable(format_args!("more than {n} calls are running")));
        }
        let path = entry.map_err(fail)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((seq, offset)) = parse_call_name(name) else {
            return Err(unavailable(format_args!(
                "{} is not a call file: remove it",
                path.display()
            )));
        };
        // A call that is just ending removes its file, and holds the lock until then.
        let Some(file) = files::open_own(&path, false).map_err(at(&path))? else { continue };
        match file.try_lock() {
            Ok(()) => {
                abandoned.insert(seq, RunningCall { path, offset, _lock: file });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
    }
    Ok(abandoned)
}
