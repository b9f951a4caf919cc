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
//! Read the tables of `record.rs` first, then `append.rs`, `calls.rs`, `evidence.rs` and `verify.rs`;
//! `canonical.rs` and `files.rs` are their tools.

mod append;
mod calls;
mod canonical;
mod evidence;
mod files;
mod record;
#[cfg(test)]
mod tests;
mod verify;

pub use verify::{is_begun, verify, verify_each, Report};

use crate::encoding::{hex, hmac_sha256, sha256};
use crate::error::{Code, Error};
use crate::package::key::KeyId;
use crate::package::listing::ContentHash;
use crate::policy::token::RunLimits;
use crate::time::Timestamp;
use append::Writer;
use calls::CallFile;
use canonical::{integer, maybe, text, texts, unavailable};
use evidence::Anchor;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const LOG_FILE: &str = "audit.jsonl";
const KEY_FILE: &str = "audit.key";
const LOCK_FILE: &str = "audit.lock";
const HEAD_FILE: &str = "audit.head";
const TORN_PREFIX: &str = "audit.torn-";
const CALLS_DIR: &str = "calls";
const DIGEST_PREFIX: &str = "hmac-sha256:";

/// `hmac-sha256:` and 64 hexadecimal digits: a keyed digest that only an [`AuditLog`] makes.
/// Without the host's audit key nobody can find a short value by trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The text, with its prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is about to run, and who allowed it.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Id of the package.
    pub package: String,
    /// Version of the package.
    pub version: String,
    /// Identity of its contents.
    pub content_hash: ContentHash,
    /// Name of the trusted publisher.
    pub publisher: String,
    /// Keys that signed it.
    pub signers: Vec<KeyId>,
    /// Name of the tool.
    pub tool: String,
    /// Digest of the arguments, from [`AuditLog::digest`].
    pub arguments: Digest,
    /// Risk level, as the policy names it.
    pub risk: String,
    /// Capabilities granted, one text each, such as `reach api.example.com`.
    pub capabilities: Vec<String>,
    /// The rule or person that granted them.
    pub granted_by: String,
    /// Limits of the call.
    pub limits: RunLimits,
    /// Name and version of the agent that asks, where it gave them.
    pub agent: Option<String>,
    /// The agent's trace, where it gave one.
    pub traceparent: Option<String>,
    /// The one-time proof that a person agreed to exactly this call.
    pub attestation: Option<String>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The tool answered.
    Ok,
    /// The tool answered that it failed.
    ToolError,
    /// The runtime ended the call for this reason.
    Failed(Code),
}

/// What came of a call.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// Fuel used.
    pub fuel_used: u64,
    /// Wall-clock time, in milliseconds.
    pub duration_ms: u64,
    /// Digest of what the tool wrote to stdout, unfiltered.
    pub stdout: Option<Digest>,
    /// Digest of the answer that leaves, filtered.
    pub answer: Option<Digest>,
    /// How many spans of each kind the privacy filter took out.
    pub privacy: BTreeMap<String, u64>,
    /// How often the tool tried what it may not do.
    pub denied: u64,
    /// How often it asked for what at the door, and what came of it.
    pub door: BTreeMap<String, u64>,
    /// How many changes of each kind were carried out on the host, and how many bytes were written.
    pub changes: BTreeMap<String, u64>,
}

/// What was refused before anything ran, with as much of it as was known by then.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The reason.
    pub code: Code,
    /// What the host was asked for, such as a file's path.
    pub source: Option<String>,
    /// Id of the package.
    pub package: Option<String>,
    /// Version of the package.
    pub version: Option<String>,
    /// Identity of its contents, where those match it.
    pub content_hash: Option<ContentHash>,
    /// Name of the trusted publisher.
    pub publisher: Option<String>,
    /// Keys that signed it.
    pub signers: Vec<KeyId>,
    /// Name of the tool.
    pub tool: Option<String>,
    /// Digest of the arguments.
    pub arguments: Option<Digest>,
    /// Name and version of the agent that asked.
    pub agent: Option<String>,
    /// The agent's trace.
    pub traceparent: Option<String>,
}

impl Refusal {
    /// A refusal of which nothing but the reason is known.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Refusal {
            code,
            source: None,
            package: None,
            version: None,
            content_hash: None,
            publisher: None,
            signers: Vec::new(),
            tool: None,
            arguments: None,
            agent: None,
            traceparent: None,
        }
    }
}

/// The audit log of one directory. Clones write to the same log, and so do other processes.
///
/// ```
/// # use mpp::audit::{self, AuditLog, Refusal};
/// # let dir = std::env::temp_dir().join(format!("mpp-audit-doc-{}", std::process::id()));
/// let log = AuditLog::open(&dir)?;
/// log.refuse(Refusal::new(mpp::Code::SignatureInvalid), mpp::Timestamp::now())?;
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
        files::create_dir(dir)?;
        let calls = dir.join(CALLS_DIR);
        files::create_dir(&calls)?;
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
        let timeout_ms = u64::try_from(intent.limits.timeout.as_millis()).unwrap_or(u64::MAX);
        let members = [
            ("call", integer(call)),
            ("package", text(&intent.package)),
            ("version", text(&intent.version)),
            ("content_hash", text(intent.content_hash.as_str())),
            ("publisher", text(&intent.publisher)),
            ("signers", texts(intent.signers.iter().map(KeyId::as_str))),
            ("tool", text(&intent.tool)),
            ("arguments", text(intent.arguments.as_str())),
            ("risk", text(&intent.risk)),
            ("capabilities", texts(intent.capabilities.iter().map(String::as_str))),
            ("granted_by", text(&intent.granted_by)),
            ("memory_bytes_max", integer(intent.limits.memory_bytes_max)),
            ("fuel_max", integer(intent.limits.fuel_max)),
            ("timeout_ms", integer(timeout_ms)),
            ("output_bytes_max", integer(intent.limits.output_bytes_max)),
            ("agent", maybe(intent.agent.as_deref())),
            ("traceparent", maybe(intent.traceparent.as_deref())),
            ("attestation", maybe(intent.attestation.as_deref())),
        ];
        writer.append("intent", members, now)?;
        *anchor = writer.anchor();
        drop(anchor);
        Ok(OpenCall { log: self.clone(), call, file })
    }

    /// Records a refusal.
    ///
    /// # Errors
    /// `audit.unavailable`, `audit.broken`.
    // [AUD-22]
    pub fn refuse(&self, refusal: Refusal, now: Timestamp) -> Result<(), Error> {
        let (mut writer, mut anchor) = self.enter(now)?;
        let members = [
            ("code", text(refusal.code.as_str())),
            ("source", maybe(refusal.source.as_deref())),
            ("package", maybe(refusal.package.as_deref())),
            ("version", maybe(refusal.version.as_deref())),
            ("content_hash", maybe(refusal.content_hash.as_ref().map(ContentHash::as_str))),
            ("publisher", maybe(refusal.publisher.as_deref())),
            ("signers", texts(refusal.signers.iter().map(KeyId::as_str))),
            ("tool", maybe(refusal.tool.as_deref())),
            ("arguments", maybe(refusal.arguments.as_ref().map(Digest::as_str))),
            ("agent", maybe(refusal.agent.as_deref())),
            ("traceparent", maybe(refusal.traceparent.as_deref())),
        ];
        writer.append("refused", members, now)?;
        *anchor = writer.anchor();
        Ok(())
    }

    /// The keyed digest of a JSON value, taken over its canonical text.
    // [AUD-14]
    #[must_use]
    pub fn digest(&self, value: &Value) -> Digest {
        let mut canonical = String::new();
        canonical::write(value, &mut canonical);
        self.digest_bytes(canonical.as_bytes())
    }

    /// The keyed digest of bytes.
    // [AUD-14]
    #[must_use]
    pub fn digest_bytes(&self, bytes: &[u8]) -> Digest {
        Digest(format!("{DIGEST_PREFIX}{}", hex(&hmac_sha256(&self.0.key, bytes))))
    }

    /// A key of this host for another purpose. It is no digest that the log can show: the log's key is
    /// what is digested here, under a public name (HKDF-Extract, RFC 5869).
    // [PRIV-79]
    #[must_use]
    pub(crate) fn derived_key(&self, purpose: &[u8]) -> [u8; 32] {
        hmac_sha256(&sha256(purpose), &self.0.key)
    }

    fn enter(&self, now: Timestamp) -> Result<(Writer, MutexGuard<'_, Anchor>), Error> {
        // The anchor is whole even if a thread that held it panicked: it is replaced in one step.
        let anchor = self.0.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((Writer::enter(&self.0.dir, &anchor, now)?, anchor))
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
        let result = match outcome.ending {
            Ending::Ok => "ok",
            Ending::ToolError => "tool_error",
            Ending::Failed(code) => code.as_str(),
        };
        let members = [
            ("call", integer(self.call)),
            ("result", text(result)),
            ("fuel_used", integer(outcome.fuel_used)),
            ("duration_ms", integer(outcome.duration_ms)),
            ("stdout", maybe(outcome.stdout.as_ref().map(Digest::as_str))),
            ("answer", maybe(outcome.answer.as_ref().map(Digest::as_str))),
            ("privacy", canonical::counts(&outcome.privacy)),
            ("denied", integer(outcome.denied)),
            ("door", canonical::counts(&outcome.door)),
            ("changes", canonical::counts(&outcome.changes)),
        ];
        writer.append("outcome", members, now)?;
        *anchor = writer.anchor();
        // The record is what counts: a file that stays is cleared away by the next call to begin.
        let _ = self.file.remove();
        Ok(())
    }
}
