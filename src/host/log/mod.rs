//! Audit log in a directory: the file `audit.jsonl`, and the files that show that no record is missing.
//!
//! Read `writer.rs` first, then `running_calls.rs` (running calls), `missing_records.rs` and `verify.rs`; `files.rs` has the
//! file names.

pub(crate) mod files;
mod missing_records;
mod running_calls;
pub(crate) mod verify;
mod writer;

pub use running_calls::RunningCall;
pub use verify::{log_exists, verify, verify_each};

use crate::kernel::audit::{Entry, LogKey};
use crate::kernel::error::Error;
use crate::kernel::time::Timestamp;
use missing_records::Checkpoint;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use writer::LogWriter;

/// The audit log of one directory. Clones write to the same log, and so do other processes.
///
/// ```
/// # use mpp::audit::{self, AuditLog, Entry, Refusal};
/// # let dir = std::env::temp_dir().join(format!("mpp-audit-doc-{}", std::process::id()));
/// let log = AuditLog::open(&dir)?;
/// let (code, refusal) = (mpp::Code::SignatureInvalid, Refusal::default());
/// log.append(&Entry::Refused(code, &refusal), mpp::Timestamp::now())?;
///
/// let report = audit::verify(&dir.join("audit.jsonl"), None)?;
/// assert_eq!((report.records, report.refused, report.open.len()), (1, 1, 0));
/// # std::fs::remove_dir_all(&dir).unwrap();
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone)]
pub struct AuditLog {
    dir: PathBuf,
    key: LogKey,
    /// The last record that this process has seen.
    checkpoint: Arc<Mutex<Checkpoint>>,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AuditLog({})", self.dir.display())
    }
}

impl AuditLog {
    /// Opens the log in `dir`. Creates the directory and the log's key if absent, and writes no record.
    ///
    /// # Errors
    /// `audit.unavailable`; `audit.broken` if the last line was modified, or records are missing.
    pub fn open(dir: &Path) -> Result<AuditLog, Error> {
        running_calls::create_dir(dir)?;
        let (writer, key) = LogWriter::open_or_create(dir)?;
        let checkpoint = Arc::new(Mutex::new(writer.checkpoint()));
        Ok(AuditLog { dir: dir.to_owned(), key: LogKey::new(key), checkpoint })
    }

    /// Appends a record and returns its number, once it is durable. Before an intent record, the calls that
    /// were lost are recorded; the returned [`RunningCall`] keeps the new call from being recorded as lost.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    // [AUD-01] [AUD-50]
    pub fn append(
        &self,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(u64, Option<RunningCall>), Error> {
        // The log's lock comes first; its wait is bounded, and its holder waits for no lock of this process.
        let mut writer = LogWriter::lock_for_append(&self.dir)?;
        // The checkpoint is consistent even if a thread that held it panicked: it is replaced as a whole.
        let mut checkpoint = self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner);
        // [AUD-43]
        checkpoint.check(&writer.log, writer.end)?;
        writer.quarantine_torn_tail(now)?;
        let mut running = None;
        if let Entry::Intent(_) = entry {
            running_calls::create_dir(&self.dir)?;
            running_calls::record_lost_calls(&self.dir, &mut writer, now)?;
            running = Some(RunningCall::create(&self.dir, &writer)?);
        }
        writer.append(entry, now)?;
        *checkpoint = writer.checkpoint();
        Ok((writer.head.seq, running))
    }

    /// Returns the log's key.
    pub fn key(&self) -> &LogKey {
        &self.key
    }
}
