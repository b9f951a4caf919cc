//! The audit log in a directory: `audit.jsonl`, and what shows that nothing of it is missing.
//!
//! Read `append.rs` first, then `calls.rs` (which calls are running), `evidence.rs` and `verify.rs`; `files.rs`
//! has the names of the files.

mod append;
mod calls;
mod evidence;
pub(crate) mod files;
pub(crate) mod verify;

pub use verify::{is_begun, verify, verify_each};

use crate::host::files::make_folder;
use crate::kernel::audit::{Entry, LogKey};
use crate::kernel::error::Error;
use crate::kernel::time::Timestamp;
use append::Writer;
use calls::CallFile;
use evidence::Anchor;
use files::{at, unavailable, CALLS_DIR};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
pub struct AuditLog(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    key: LogKey,
    /// The last record this process has seen.
    anchor: Mutex<Anchor>,
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AuditLog({})", self.0.dir.display())
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
        make_folder(&calls).map_err(at(&calls))?;
        if !calls.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Err(unavailable(format_args!("{}: not a directory", calls.display())));
        }
        let (writer, key) = Writer::open_or_create(dir)?;
        let anchor = Mutex::new(writer.anchor());
        Ok(AuditLog(Arc::new(Inner { dir: dir.to_owned(), key: LogKey::new(key), anchor })))
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
        let (mut writer, mut anchor) = self.enter(now)?;
        let mut running = None;
        if let Entry::Intent(_) = entry {
            calls::report_lost(&self.0.dir, &mut writer, now)?;
            running = Some(RunningCall(CallFile::create(&self.0.dir, &writer)?));
        }
        writer.append(entry, now)?;
        *anchor = writer.anchor();
        Ok((writer.head.seq, running))
    }

    /// The log's key.
    pub fn key(&self) -> &LogKey {
        &self.0.key
    }

    fn enter(&self, now: Timestamp) -> Result<(Writer, MutexGuard<'_, Anchor>), Error> {
        // First the log's lock, which is not waited for for ever: whoever has it waits for nobody here.
        let mut writer = Writer::enter(&self.0.dir)?;
        // The anchor is whole even if a thread that held it panicked: it is replaced in one step.
        let anchor = self.0.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        writer.prepare(&anchor, now)?;
        Ok((writer, anchor))
    }
}

/// A call whose intent is on the disk. Once it is dropped, the next call to begin records it as lost, unless
/// its outcome is in the log.
#[derive(Debug)]
#[must_use = "a call without it is recorded as lost"]
pub struct RunningCall(CallFile);

impl RunningCall {
    /// Ends it, when its outcome is in the log.
    // [AUD-53]
    pub fn end(self) {
        // The record is what counts: a file that stays is cleared away by the next call to begin.
        let _ = self.0.remove();
    }
}
