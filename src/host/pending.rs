//! Pending approval requests: a server adds one to `pending.json` and waits for `mpp approve` or `mpp deny`.
//!
//! The file holds the arguments as the agent sent them, so that a person decides about exactly the call that
//! will run. Only its owner can read it. A request is removed together with its decision. While it waits, its
//! server locks a file of its own beside it, so that the requests of dead servers are found and removed.

use crate::host::files;
use crate::host::host_key::host_key;
use crate::host::json_file;
use crate::kernel::consent::attestation::EphemeralAttestation;
use crate::kernel::consent::ApprovalDecision;
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::document::{integer, object, text, Document, FromJson, Members, ToJson};
use crate::kernel::error::{Code, Error};
use crate::kernel::json;
use crate::kernel::json::closed_object::{ClosedObject, DocumentError};
use crate::kernel::limits::{
    PENDING_ARGUMENTS_BYTES_MAX, PENDING_COUNT_MAX, PENDING_FILE_BYTES_MAX,
    PENDING_SERVER_COUNT_MAX, REQUEST_DEPTH_MAX,
};
use crate::kernel::names::is_visible_line;
use crate::kernel::time::Timestamp;
use serde_json::{json, Value};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How often a waiting call polls for its decision.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);

object! {
    /// An approval request that waits for a decision.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PendingRequest: FromJson + ToJson {
        /// Its number, never reused in this home directory.
        pub number: u64, integer(1..=u64::MAX);
        /// When the call stops waiting for a decision.
        pub expires: Timestamp;
        /// The request itself.
        pub question: ApprovalRequest;
        answer: Option<ApprovalDecision> = None;
    }
}

object! {
    struct PendingFile: FromJson + ToJson {
        /// The number of the next request.
        next: u64, integer(1..=u64::MAX);
        questions: Vec<PendingRequest> = Vec::new();
    }
}

impl Default for PendingFile {
    fn default() -> Self {
        PendingFile { next: 1, questions: Vec::new() }
    }
}

// [CONS-32]
impl Document for PendingFile {
    const FORMAT: &'static str = "mpp-pending/1";
    const BYTES_MAX: usize = PENDING_FILE_BYTES_MAX;
    const INVALID: Code = Code::ConsentInvalid;
}

/// The decision that `mpp approve` or `mpp deny` wrote.
impl Members for ApprovalDecision {
    fn members(answer: &mut ClosedObject) -> Result<Self, DocumentError> {
        if !bool::read(&answer.required("approved")?)? {
            return Ok(ApprovalDecision::Denied);
        }
        let by = text(is_visible_line, "a name")(&answer.required("by")?)?;
        let for_later = bool::read(&answer.required("for_later")?)?;
        if let Some(proof) = answer.optional("proof") {
            let read = |text: &str| EphemeralAttestation::from_text(&by, text);
            return proof.parsed("an attestation", read).map(ApprovalDecision::ApprovedWithProof);
        }
        Ok(if for_later {
            ApprovalDecision::ApprovedAlways(by)
        } else {
            ApprovalDecision::ApprovedOnce(by)
        })
    }
}

impl ToJson for ApprovalDecision {
    fn write(&self) -> Value {
        match self {
            ApprovalDecision::ApprovedOnce(by) => {
                json!({ "approved": true, "by": by, "for_later": false })
            }
            ApprovalDecision::ApprovedAlways(by) => {
                json!({ "approved": true, "by": by, "for_later": true })
            }
            ApprovalDecision::ApprovedWithProof(proof) => json!({
                "approved": true, "by": proof.approved_by(), "for_later": false, "proof": proof.to_text(),
            }),
            _ => json!({ "approved": false }),
        }
    }
}

/// Requests of this process that wait.
static WAITING_COUNT: AtomicUsize = AtomicUsize::new(0);

/// The locked file of a request that waits. The system drops the lock when the process ends.
struct WaitingRequest {
    number: u64,
    path: PathBuf,
    _lock: File,
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
        WAITING_COUNT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The pending requests of one home directory.
#[derive(Clone, Debug)]
pub struct PendingQueue {
    home: PathBuf,
}

impl PendingQueue {
    /// Returns the queue of this home directory.
    pub fn new(home: &Path) -> Self {
        PendingQueue { home: home.to_owned() }
    }

    /// Reads the requests that are waiting for a decision, by number.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    pub fn all(&self, now: Timestamp) -> Result<Vec<PendingRequest>, Error> {
        let mut file = self.read()?;
        file.questions.retain(|request| request.answer.is_none() && request.expires >= now);
        Ok(file.questions)
    }

    /// Queues a request and waits for its decision, for `wait` at most and only while `is_wanted` returns
    /// `true`. `on_queued` receives the number of the request.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    // [CONS-20] [CONS-21]
    pub fn request_approval(
        &self,
        request: &ApprovalRequest,
        wait: Duration,
        is_wanted: &dyn Fn() -> bool,
        on_queued: &dyn Fn(u64),
    ) -> Result<ApprovalDecision, Error> {
        if request.arguments.len() > PENDING_ARGUMENTS_BYTES_MAX {
            let why = format!("arguments to approve exceed {PENDING_ARGUMENTS_BYTES_MAX} bytes");
            return Ok(ApprovalDecision::NoResponse(why));
        }
        if wait.is_zero() {
            return Ok(ApprovalDecision::NoResponse("consent.wait_s is 0".to_owned()));
        }
        let started = Instant::now();
        let waiting = self.add(request, wait, Timestamp::now())?;
        let number = waiting.number;
        on_queued(number);
        // The number alone would do, unless another file has replaced this one.
        let is_ours = |other: &PendingRequest| {
            other.number == number && other.question.binding() == request.binding()
        };
        let (mut seen, mut rounds) = (None, 0_u32);
        while is_wanted() && started.elapsed() < wait {
            // The file is large if many wait. Times of files are coarse, so it is read once a second anyhow.
            let found =
                self.path().metadata().ok().map(|found| (found.len(), found.modified().ok()));
            rounds = rounds.wrapping_add(1);
            if found.is_some() && found == seen && rounds % 10 != 0 {
                std::thread::sleep(POLL_INTERVAL);
                continue;
            }
            seen = found;
            // An unreadable file ends the wait; the edit below reports the error or removes the request.
            let Ok(file) = self.read() else { break };
            // Decided, or removed by another process.
            if !file.questions.iter().any(|other| is_ours(other) && other.answer.is_none()) {
                break;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        let ended = match (started.elapsed() >= wait, is_wanted()) {
            (true, _) => format!("timed out after {} s", wait.as_secs()),
            (false, false) => {
                "ended because the client cancelled the call or disconnected".to_owned()
            }
            (false, true) => "was removed by another process".to_owned(),
        };
        // Under the lock: a decision up to now counts, and a later one finds no request.
        let answer = self.edit(|file| {
            let at = file.questions.iter().position(is_ours);
            Ok(at.and_then(|at| file.questions.remove(at).answer))
        })?;
        Ok(answer.unwrap_or_else(|| {
            ApprovalDecision::NoResponse(format!(
                "request {number} {ended} without a decision (`mpp pending` lists requests while they wait)"
            ))
        }))
    }

    // [CONS-31]
    fn add(
        &self,
        request: &ApprovalRequest,
        wait: Duration,
        now: Timestamp,
    ) -> Result<WaitingRequest, Error> {
        let end = now.unix_seconds().saturating_add(wait.as_secs()).saturating_add(1);
        self.edit(|file| {
            file.questions.retain(|other| !self.is_abandoned(other.number) && other.expires >= now);
            let mine = WAITING_COUNT.load(Ordering::Relaxed);
            if mine >= PENDING_SERVER_COUNT_MAX || file.questions.len() >= PENDING_COUNT_MAX {
                let all = file.questions.len();
                let detail = format!("{all} approval requests are waiting, {mine} of this server");
                return Err(Error::new(Code::PolicyConfirmation, detail));
            }
            // A number is in use if another program has removed its request.
            let mut numbers = (file.next..u64::MAX).take(PENDING_COUNT_MAX);
            let Some(waiting) = numbers.find_map(|number| self.lock_new(number).transpose()) else {
                return Err(Error::new(Code::ConsentInvalid, "every number is in use"));
            };
            let (waiting, question) = (waiting?, request.clone());
            let number = waiting.number;
            file.next = number.saturating_add(1);
            let expires = Timestamp::from_unix_seconds(end).unwrap_or(now);
            file.questions.push(PendingRequest { number, expires, question, answer: None });
            Ok(waiting)
        })
    }

    /// Creates and locks the file of a new request; `None` if one of this number waits.
    fn lock_new(&self, number: u64) -> Result<Option<WaitingRequest>, Error> {
        let path = self.waiting_path(number);
        let failed = files::file_error(&path);
        let lock = files::open_own(&path, true).map_err(failed)?;
        let Some(lock) = lock.filter(|lock| lock.try_lock().is_ok()) else { return Ok(None) };
        WAITING_COUNT.fetch_add(1, Ordering::Relaxed);
        Ok(Some(WaitingRequest { number, path, _lock: lock }))
    }

    /// Returns `true` if the server of a request has ended: no process holds the lock of its file.
    fn is_abandoned(&self, number: u64) -> bool {
        let path = self.waiting_path(number);
        match files::open_own(&path, false) {
            Ok(Some(file)) => file.try_lock().is_ok_and(|()| fs::remove_file(&path).is_ok()),
            other => other.is_ok(),
        }
    }

    fn waiting_path(&self, number: u64) -> PathBuf {
        self.home.join(format!("pending-{number}.lock"))
    }

    /// Approves a request. `digest` computes the keyed digest of a value, as the log of this home directory
    /// does: the arguments that the approver saw must be those of the call.
    ///
    /// # Errors
    /// `consent.no_question` if it is not waiting; `consent.invalid`, `host.file`.
    // [CONS-22] [CONS-23]
    pub fn approve(
        &self,
        number: u64,
        by: &str,
        for_later: bool,
        digest: impl Fn(&Value) -> String,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.answer(number, now, |request| {
            let arguments = json::parse(request.arguments.as_bytes(), REQUEST_DEPTH_MAX);
            if arguments.ok().map(|arguments| digest(&arguments)).as_ref()
                != Some(&request.arguments_digest)
            {
                let detail =
                    format!("request {number}: arguments_digest does not match its arguments");
                return Err(Error::new(Code::ConsentInvalid, detail));
            }
            Ok(match (request.is_destructive, for_later) {
                (true, _) => {
                    let key = host_key(&self.home)?;
                    ApprovalDecision::ApprovedWithProof(EphemeralAttestation::sign(
                        &key, request, by, now,
                    ))
                }
                (false, true) => ApprovalDecision::ApprovedAlways(by.to_owned()),
                (false, false) => ApprovalDecision::ApprovedOnce(by.to_owned()),
            })
        })
    }

    /// Denies a request.
    ///
    /// # Errors
    /// As [`PendingQueue::approve`].
    // [CONS-22]
    pub fn deny(&self, number: u64, now: Timestamp) -> Result<(), Error> {
        self.answer(number, now, |_| Ok(ApprovalDecision::Denied))
    }

    fn answer(
        &self,
        number: u64,
        now: Timestamp,
        answer: impl FnOnce(&ApprovalRequest) -> Result<ApprovalDecision, Error>,
    ) -> Result<(), Error> {
        self.edit(|file| {
            let waits = |one: &&mut PendingRequest| {
                one.number == number && one.answer.is_none() && one.expires >= now
            };
            let Some(found) = file.questions.iter_mut().find(waits) else {
                return Err(Error::new(
                    Code::ConsentNoQuestion,
                    format!("no pending request {number}"),
                ));
            };
            found.answer = Some(answer(&found.question)?);
            Ok(())
        })
    }

    fn read(&self) -> Result<PendingFile, Error> {
        Ok(json_file::load(&self.path())?.unwrap_or_default())
    }

    fn edit<T>(
        &self,
        change: impl FnOnce(&mut PendingFile) -> Result<T, Error>,
    ) -> Result<T, Error> {
        json_file::edit(&self.path(), change)
    }

    fn path(&self) -> PathBuf {
        self.home.join("pending.json")
    }
}
