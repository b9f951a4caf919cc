//! Questions that wait for a person: a server writes one down and waits, `mpp approve` or `mpp deny` in
//! another terminal answers it.
//!
//! The file holds what was asked, with the arguments as the agent sent them, so that a person decides
//! about what will run. It is the owner's alone, and a question goes from it with its answer.

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
    PENDING_ARGUMENTS_BYTES_MAX, PENDING_COUNT_MAX, PENDING_FILE_BYTES_MAX, REQUEST_DEPTH_MAX,
};
use crate::kernel::names::is_visible_line;
use crate::kernel::time::Timestamp;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a call that waits looks for its answer.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(100);

object! {
    /// A question that waits.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PendingRequest: FromJson + ToJson {
        /// Its number, never used again in this home folder.
        pub number: u64, integer(1..=u64::MAX);
        /// When nobody waits for the answer any more.
        pub expires: Timestamp;
        /// What is asked.
        pub question: ApprovalRequest;
        answer: Option<ApprovalDecision> = None;
    }
}

object! {
    struct PendingFile: FromJson + ToJson {
        /// The number of the next question.
        next: u64, integer(1..=u64::MAX);
        questions: Vec<PendingRequest> = Vec::new();
    }
}

impl Default for PendingFile {
    fn default() -> Self {
        PendingFile { next: 1, questions: Vec::new() }
    }
}

impl Document for PendingFile {
    const FORMAT: &'static str = "mpp-pending/1";
    const BYTES_MAX: usize = PENDING_FILE_BYTES_MAX;
    const INVALID: Code = Code::ConsentInvalid;
}

/// What `mpp approve` or `mpp deny` has put down as the answer.
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

/// The questions of one home folder.
#[derive(Clone, Debug)]
pub struct PendingQueue {
    home: PathBuf,
}

impl PendingQueue {
    /// Those in this home folder.
    pub fn new(home: &Path) -> Self {
        PendingQueue { home: home.to_owned() }
    }

    /// The questions that wait for an answer now, by number.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    pub fn all(&self, now: Timestamp) -> Result<Vec<PendingRequest>, Error> {
        let mut waiting = self.read()?;
        waiting.questions.retain(|question| question.answer.is_none() && question.expires >= now);
        Ok(waiting.questions)
    }

    /// Writes a question down and waits for its answer, for `wait` at most and only while `goes_on`.
    /// `told` hears the number under which it can be answered.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    // [CONS-20] [CONS-21]
    pub fn ask(
        &self,
        question: &ApprovalRequest,
        wait: Duration,
        goes_on: &dyn Fn() -> bool,
        told: &dyn Fn(u64),
    ) -> Result<ApprovalDecision, Error> {
        if question.arguments.len() > PENDING_ARGUMENTS_BYTES_MAX {
            let why = "its arguments are too long to be shown to a person";
            return Ok(ApprovalDecision::NoResponse(why.to_owned()));
        }
        if wait.is_zero() {
            return Ok(ApprovalDecision::NoResponse("the policy waits for nobody".to_owned()));
        }
        let started = Instant::now();
        let number = self.add(question, wait, Timestamp::now())?;
        told(number);
        // The number alone would do, unless somebody put another file in this one's place.
        let is_ours = |other: &PendingRequest| {
            other.number == number && other.question.binding() == question.binding()
        };
        while goes_on() && started.elapsed() < wait {
            // What can't be read now ends the wait; the change below says why, or takes the question back.
            let Ok(waiting) = self.read() else { break };
            // Answered, or somebody removed it.
            if !waiting.questions.iter().any(|other| is_ours(other) && other.answer.is_none()) {
                break;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        // Under the lock: an answer given in the last moment counts, and one given later finds nothing.
        let answer = self.edit(|waiting| {
            let at = waiting.questions.iter().position(is_ours);
            Ok(at.and_then(|at| waiting.questions.remove(at).answer))
        })?;
        Ok(answer.unwrap_or_else(|| {
            ApprovalDecision::NoResponse(format!(
                "nobody answered question {number} within {} s (`mpp pending` shows such questions \
                 while they wait)",
                wait.as_secs()
            ))
        }))
    }

    fn add(
        &self,
        question: &ApprovalRequest,
        wait: Duration,
        now: Timestamp,
    ) -> Result<u64, Error> {
        let end = now.unix_seconds().saturating_add(wait.as_secs()).saturating_add(1);
        self.edit(|waiting| {
            waiting.questions.retain(|other| other.expires >= now);
            if waiting.questions.len() >= PENDING_COUNT_MAX {
                let detail = format!("more than {PENDING_COUNT_MAX} questions wait");
                return Err(Error::new(Code::PolicyConfirmation, detail));
            }
            let number = waiting.next;
            waiting.next = number.saturating_add(1);
            let expires = Timestamp::from_unix_seconds(end).unwrap_or(now);
            let question = question.clone();
            waiting.questions.push(PendingRequest { number, expires, question, answer: None });
            Ok(number)
        })
    }

    /// Answers yes. `digest` makes the keyed digest of a value, as the log of this home does: what the
    /// person saw has to be what will run.
    ///
    /// # Errors
    /// `consent.no_question` if it waits no more; `consent.invalid`, `host.file`.
    // [CONS-22] [CONS-23]
    pub fn approve(
        &self,
        number: u64,
        by: &str,
        for_later: bool,
        digest: impl Fn(&Value) -> String,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.answer(number, now, |question| {
            let arguments = json::parse(question.arguments.as_bytes(), REQUEST_DEPTH_MAX);
            if arguments.ok().map(|arguments| digest(&arguments)).as_ref()
                != Some(&question.arguments_digest)
            {
                let detail = format!("question {number}: the digest is not that of its arguments");
                return Err(Error::new(Code::ConsentInvalid, detail));
            }
            Ok(match (question.is_destructive, for_later) {
                (true, _) => {
                    let key = host_key(&self.home)?;
                    ApprovalDecision::ApprovedWithProof(EphemeralAttestation::sign(
                        &key, question, by, now,
                    ))
                }
                (false, true) => ApprovalDecision::ApprovedAlways(by.to_owned()),
                (false, false) => ApprovalDecision::ApprovedOnce(by.to_owned()),
            })
        })
    }

    /// Answers no.
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
        self.edit(|waiting| {
            let waits = |one: &&mut PendingRequest| {
                one.number == number && one.answer.is_none() && one.expires >= now
            };
            let Some(found) = waiting.questions.iter_mut().find(waits) else {
                return Err(Error::new(Code::ConsentNoQuestion, format!("question {number}")));
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
