//! Floor 3: the audit log, one chained line of JSON for everything that was asked, done or refused.
//!
//! The file is `audit.jsonl` in a directory of its own; `spec/audit.md` has the format and a shell
//! line that checks it. An *intent* is on the disk before anything runs; an *outcome* follows, or
//! the next call to begin writes that the call was *lost*. What can't be recorded does not run, and
//! an answer that can't be recorded does not leave.
//!
//! Arguments and answers stand in the log as [`Digest`]s, which only the log's own key can make: by
//! type, no value gets in. Other texts from outside are cut to a stated length.
//!
//! Read the records of `record.rs` first, then `append.rs`, `calls.rs`, `evidence.rs` and `verify.rs`;
//! `files.rs` has their names.

mod append;
mod calls;
mod evidence;
mod files;
mod record;
#[cfg(test)]
mod tests;
mod verify;

use crate::kernel::prelude::*;
pub use record::{Caller, Digest, Ending, Facts, Intent, Outcome, Refusal};
pub use verify::{is_begun, verify, verify_each, Report};

use crate::kernel::encoding::{hmac_sha256, sha256};
use crate::kernel::error::{Code, Error};
use crate::kernel::time::Timestamp;
use append::Writer;
use calls::CallFile;
use core::fmt;
use evidence::Anchor;
use files::{at, unavailable, CALLS_DIR};
use record::{Call, Reason};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The audit log of one directory. Clones write to the same log, and so do other processes.
///
/// ```
/// # use mpp::audit::{self, AuditLog, Refusal};
/// # let dir = std::env::temp_dir().join(format!("mpp-audit-doc-{}", std::process::id()));
/// let log = AuditLog::open(&dir)?;
/// log.refuse(mpp::Code::SignatureInvalid, Refusal::default(), mpp::Timestamp::now())?;
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
    key: [u8; 32],
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
        crate::host::files::make_folder(&calls).map_err(at(&calls))?;
        if !calls.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            return Err(unavailable(format_args!("{}: not a directory", calls.display())));
        }
        let (writer, key) = Writer::open_or_create(dir)?;
        let anchor = Mutex::new(writer.anchor());
        Ok(AuditLog(Arc::new(Inner { dir: dir.to_owned(), key, anchor })))
    }

    /// Records that a call is about to run. It may run once this has returned. Writes down first
    /// which earlier calls were lost.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`: the call must not run.
    // [AUD-01] [AUD-20] [AUD-50]
    pub fn begin(&self, intent: Intent, now: Timestamp) -> Result<OpenCall, Error> {
        let (mut writer, mut anchor) = self.enter(now)?;
        calls::report_lost(&self.0.dir, &mut writer, now)?;
        let file = CallFile::create(&self.0.dir, &writer)?;
        let call = writer.seq.saturating_add(1);
        writer.append("intent", &(Call { call }, intent), now)?;
        *anchor = writer.anchor();
        drop(anchor);
        Ok(OpenCall { log: self.clone(), call, file })
    }

    /// Records a refusal.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    // [AUD-22]
    pub fn refuse(&self, code: Code, refusal: Refusal, now: Timestamp) -> Result<(), Error> {
        let (mut writer, mut anchor) = self.enter(now)?;
        writer.append("refused", &(Reason { code }, refusal), now)?;
        *anchor = writer.anchor();
        Ok(())
    }

    /// The keyed digest of a JSON value, taken over its canonical text.
    // [AUD-14]
    #[must_use]
    pub fn digest(&self, value: &Value) -> Digest {
        let mut canonical = String::new();
        record::write(value, &mut canonical);
        self.digest_bytes(canonical.as_bytes())
    }

    /// The keyed digest of bytes.
    // [AUD-14]
    #[must_use]
    pub fn digest_bytes(&self, bytes: &[u8]) -> Digest {
        Digest::keyed(&self.0.key, bytes)
    }

    /// A key of this host for another purpose. It is no digest that the log can show: the log's key is
    /// what is digested here, under a public name (HKDF-Extract, RFC 5869).
    // [PRIV-79]
    #[must_use]
    pub(crate) fn derived_key(&self, purpose: &[u8]) -> [u8; 32] {
        hmac_sha256(&sha256(purpose), &self.0.key)
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

/// A call whose intent is on the disk. Dropping it without [`finish`](OpenCall::finish) leaves the
/// call to be recorded as lost.
#[derive(Debug)]
#[must_use = "a call that is not finished is recorded as lost"]
pub struct OpenCall {
    log: AuditLog,
    call: u64,
    file: CallFile,
}

impl OpenCall {
    /// The call's id: the `seq` of its intent.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.call
    }

    /// Records what came of the call. Its answer may leave once this has returned.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`: the answer must be withheld.
    // [AUD-01] [AUD-21] [AUD-53]
    pub fn finish(self, outcome: Outcome, now: Timestamp) -> Result<(), Error> {
        let (mut writer, mut anchor) = self.log.enter(now)?;
        writer.append("outcome", &(Call { call: self.call }, outcome), now)?;
        *anchor = writer.anchor();
        // The record is what counts: a file that stays is cleared away by the next call to begin.
        let _ = self.file.remove();
        Ok(())
    }
}
