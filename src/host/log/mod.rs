//! The audit log in a directory: `audit.jsonl`, and what shows that nothing of it is missing.
//!
//! Read `writer.rs` first, then `calls.rs` (which calls are running), `evidence.rs` and `verify.rs`; `files.rs`
//! has the names of the files.

mod calls;
mod evidence;
pub(crate) mod files;
pub(crate) mod verify;
mod writer;

pub use calls::RunningCall;
pub use verify::{is_begun, verify, verify_each};

use crate::host::files::create_private_dir;
use crate::kernel::audit::{Entry, LogKey};
use crate::kernel::error::Error;
use crate::kernel::time::Timestamp;
use evidence::Anchor;
use files::{at, unavailable, CALLS_DIR};
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
    /// The last record this process has seen.
    anchor: Arc<Mutex<Anchor>>,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AuditLog({})", self.dir.display())
    }
}

impl AuditLog {
    /// Opens the log in `dir`, making the directory and the log's key if there are none. Writes no
    /// record.
    ///
    /// # Errors
    /// `audit.unavailable`; `audit.broken` if the log's last line was altered, or records are missing.
    pub fn open(dir: &Path) -> Result<AuditLog, Error> {
        let calls = dir.join(CALLS_DIR);
        create_private_dir(&calls).map_err(at(&calls))?;
        if !calls.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Err(unavailable(format_args!("{}: not a directory", calls.display())));
        }
        let (writer, key) = LogWriter::open_or_create(dir)?;
        let anchor = Arc::new(Mutex::new(writer.anchor()));
        Ok(AuditLog { dir: dir.to_owned(), key: LogKey::new(key), anchor })
    }

    /// Adds a record and gives its number, once it is on the disk. Before an intent stands which earlier calls
    /// were lost; the value that comes with it keeps the new call from being taken for one.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    // [AUD-01] [AUD-50]
    pub fn append(
        &self,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(u64, Option<RunningCall>), Error> {
        // First the log's lock, which is not waited for for ever: whoever has it waits for nobody here.
        let mut writer = LogWriter::enter(&self.dir)?;
        // The anchor is whole even if a thread that held it panicked: it is replaced in one step.
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        writer.prepare(&anchor, now)?;
        let mut running = None;
        if let Entry::Intent(_) = entry {
            calls::record_lost_calls(&self.dir, &mut writer, now)?;
            running = Some(RunningCall::create(&self.dir, &writer)?);
        }
        writer.append(entry, now)?;
        *anchor = writer.anchor();
        Ok((writer.head.seq, running))
    }

    /// The log's key.
    pub fn key(&self) -> &LogKey {
        &self.key
    }
}
