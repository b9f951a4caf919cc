//! Questions that wait for a person: a server writes one down and waits, `mpp approve` or `mpp deny` in
//! another terminal answers it.
//!
//! The file holds what was asked, with the arguments as the agent sent them, so that a person decides
//! about what will run. It is the owner's alone, and a question goes from it with its answer.

use super::attestation::{host_key, EphemeralAttestation};
use super::{Question, Reply};
use crate::agent::Agent;
use crate::error::{Code, Error};
use crate::home;
use crate::host_file::{list, parsed, read_document, texts};
use crate::json;
use crate::json::object::{Fault, Object};
use crate::limits::{
    PENDING_ARGUMENTS_BYTES_MAX, PENDING_COUNT_MAX, PENDING_FILE_BYTES_MAX, REQUEST_DEPTH_MAX,
};
use crate::package::listing::ContentHash;
use crate::policy::SecurityLevel;
use crate::time::Timestamp;
use crate::trust::is_label;
use serde_json::{json, Value};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const FILE_NAME: &str = "pending.json";
const FORMAT: &str = "mpp-pending/1";
/// How often a call that waits looks for its answer.
pub(crate) const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// A question that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingQuestion {
    /// Its number, never used again in this home folder.
    pub number: u64,
    /// When nobody waits for the answer any more.
    pub expires: Timestamp,
    /// What is asked.
    pub question: Question,
    answer: Option<Reply>,
}

/// The questions of one home folder.
#[derive(Clone, Debug)]
pub struct Pending {
    home: PathBuf,
}

/// What the file holds: the number of the next question, and those that wait.
struct Waiting {
    next: u64,
    questions: Vec<PendingQuestion>,
}

impl Pending {
    /// Those in this home folder.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Pending { home: home.to_owned() }
    }

    /// The questions that wait for an answer now, by number.
    ///
    /// # Errors
    /// `consent.invalid`, `host.file`.
    pub fn all(&self, now: Timestamp) -> Result<Vec<PendingQuestion>, Error> {
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
        question: &Question,
        wait: Duration,
        goes_on: &dyn Fn() -> bool,
        told: &dyn Fn(u64),
    ) -> Result<Reply, Error> {
        if question.arguments.to_string().len() > PENDING_ARGUMENTS_BYTES_MAX {
            let why = "its arguments are too long to be shown to a person";
            return Ok(Reply::Unanswered(why.to_owned()));
        }
        if wait.is_zero() {
            return Ok(Reply::Unanswered("the policy waits for nobody".to_owned()));
        }
        let started = Instant::now();
        let number = self.add(question, wait, Timestamp::now())?;
        told(number);
        // The number alone would do, unless somebody put another file in this one's place.
        let is_ours = |other: &PendingQuestion| {
            other.number == number && other.question.scope() == question.scope()
        };
        while goes_on() && started.elapsed() < wait {
            // What can't be read now ends the wait; the change below says why, or takes the question back.
            let Ok(waiting) = self.read() else { break };
            // Answered, or somebody removed it.
            if !waiting.questions.iter().any(|other| is_ours(other) && other.answer.is_none()) {
                break;
            }
            std::thread::sleep(LOOK_PERIOD);
        }
        // Under the lock: an answer given in the last moment counts, and one given later finds nothing.
        let answer = self.edit(|waiting| {
            let at = waiting.questions.iter().position(is_ours);
            Ok(at.and_then(|at| waiting.questions.remove(at).answer))
        })?;
        Ok(answer.unwrap_or_else(|| {
            Reply::Unanswered(format!(
                "nobody answered question {number} within {} s (`mpp pending` shows such questions \
                 while they wait)",
                wait.as_secs()
            ))
        }))
    }

    fn add(&self, question: &Question, wait: Duration, now: Timestamp) -> Result<u64, Error> {
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
            waiting.questions.push(PendingQuestion { number, expires, question, answer: None });
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
            if digest(&question.arguments) != question.arguments_digest {
                let detail = format!("question {number}: the digest is not that of its arguments");
                return Err(Error::new(Code::ConsentInvalid, detail));
            }
            Ok(match (question.is_destructive, for_later) {
                (true, _) => {
                    let key = host_key(&self.home)?;
                    Reply::Attested(EphemeralAttestation::sign(&key, question, by, now))
                }
                (false, true) => Reply::AgreedForLater(by.to_owned()),
                (false, false) => Reply::Agreed(by.to_owned()),
            })
        })
    }

    /// Answers no.
    ///
    /// # Errors
    /// As [`Pending::approve`].
    // [CONS-22]
    pub fn deny(&self, number: u64, now: Timestamp) -> Result<(), Error> {
        self.answer(number, now, |_| Ok(Reply::Declined))
    }

    fn answer(
        &self,
        number: u64,
        now: Timestamp,
        answer: impl FnOnce(&Question) -> Result<Reply, Error>,
    ) -> Result<(), Error> {
        self.edit(|waiting| {
            let waits = |one: &&mut PendingQuestion| {
                one.number == number && one.answer.is_none() && one.expires >= now
            };
            let Some(found) = waiting.questions.iter_mut().find(waits) else {
                return Err(Error::new(Code::ConsentNoQuestion, format!("question {number}")));
            };
            found.answer = Some(answer(&found.question)?);
            Ok(())
        })
    }

    fn read(&self) -> Result<Waiting, Error> {
        read(home::read_file(&self.path(), PENDING_FILE_BYTES_MAX)?)
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Waiting) -> Result<T, Error>) -> Result<T, Error> {
        home::edit_file(&self.path(), PENDING_FILE_BYTES_MAX, |bytes| {
            let mut waiting = read(bytes)?;
            let result = change(&mut waiting)?;
            Ok((Some(written(&waiting)), result))
        })
    }

    fn path(&self) -> PathBuf {
        self.home.join(FILE_NAME)
    }
}

fn written(waiting: &Waiting) -> Vec<u8> {
    let questions: Vec<Value> = waiting.questions.iter().map(question_json).collect();
    let file = json!({ "format": FORMAT, "next": waiting.next, "questions": questions });
    (file.to_string() + "\n").into_bytes()
}

fn question_json(one: &PendingQuestion) -> Value {
    let asked = &one.question;
    let mut all = json!({
        "number": one.number, "expires": one.expires.to_string(), "package": asked.package,
        "version": asked.version, "name": asked.name, "publisher": asked.publisher,
        "content_hash": asked.content_hash.as_str(), "tool": asked.tool,
        "is_destructive": asked.is_destructive, "capabilities": asked.capabilities,
        "grants": asked.grants, "security_level": asked.security_level.as_str(),
        // As a text, so that arguments of any depth fit into a file that is read with a small limit.
        "arguments": asked.arguments.to_string(), "arguments_digest": asked.arguments_digest,
    });
    let agent = asked.agent.as_ref().map(|agent| ("agent", agent.to_json()));
    let answer = one.answer.as_ref().map(|reply| match reply {
        Reply::Agreed(by) => json!({ "approved": true, "by": by, "for_later": false }),
        Reply::AgreedForLater(by) => json!({ "approved": true, "by": by, "for_later": true }),
        Reply::Attested(proof) => {
            let (by, proof) = (proof.by(), proof.to_text());
            json!({ "approved": true, "by": by, "for_later": false, "proof": proof })
        }
        _ => json!({ "approved": false }),
    });
    if let Some(members) = all.as_object_mut() {
        let more = agent.into_iter().chain(answer.map(|answer| ("answer", answer)));
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    all
}

fn read(bytes: Option<Vec<u8>>) -> Result<Waiting, Error> {
    let Some(bytes) = bytes else { return Ok(Waiting { next: 1, questions: Vec::new() }) };
    read_document(&bytes, PENDING_FILE_BYTES_MAX, Code::ConsentInvalid, |root| {
        parsed(&root.required("format")?, FORMAT, |text| (text == FORMAT).then_some(()))?;
        Ok(Waiting {
            next: root.required("next")?.integer(1..=u64::MAX)?,
            questions: list(root.optional("questions"), |item| item.object(read_question))?,
        })
    })
    .map_err(|error| Error::new(error.code(), format!("{FILE_NAME}: {}", error.detail())))
}

fn read_question(one: &mut Object) -> Result<PendingQuestion, Fault> {
    let mut text = |name| Ok(one.required(name)?.text()?.to_owned());
    let (package, version) = (text("package")?, text("version")?);
    let (name, publisher) = (text("name")?, text("publisher")?);
    let (tool, grants, arguments_digest) =
        (text("tool")?, text("grants")?, text("arguments_digest")?);
    let agent = one.optional("agent").map(|member| {
        let agent = Agent::of_client_info(member.value());
        agent.ok_or_else(|| member.bad_value("must name an agent"))
    });
    let agent = agent.transpose()?;
    let question = Question {
        package,
        version,
        name,
        publisher,
        content_hash: parsed(&one.required("content_hash")?, "a hash", ContentHash::parse)?,
        tool,
        is_destructive: one.required("is_destructive")?.boolean()?,
        capabilities: texts(Some(one.required("capabilities")?), "a text", |_| true)?,
        grants,
        security_level: parsed(&one.required("security_level")?, "a level", SecurityLevel::parse)?,
        arguments: parsed(&one.required("arguments")?, "JSON", |text| {
            json::parse(text.as_bytes(), REQUEST_DEPTH_MAX).ok()
        })?,
        arguments_digest,
        agent,
    };
    Ok(PendingQuestion {
        number: one.required("number")?.integer(1..=u64::MAX)?,
        expires: parsed(&one.required("expires")?, "a time", Timestamp::parse)?,
        question,
        answer: one.optional("answer").map(|member| member.object(read_answer)).transpose()?,
    })
}

fn read_answer(answer: &mut Object) -> Result<Reply, Fault> {
    if !answer.required("approved")?.boolean()? {
        return Ok(Reply::Declined);
    }
    let is_name = |text: &str| is_label(text).then(|| text.to_owned());
    let by = parsed(&answer.required("by")?, "a name", is_name)?;
    let for_later = answer.required("for_later")?.boolean()?;
    if let Some(proof) = answer.optional("proof") {
        let read = |text: &str| EphemeralAttestation::from_text(&by, text);
        return parsed(&proof, "an attestation", read).map(Reply::Attested);
    }
    Ok(if for_later { Reply::AgreedForLater(by) } else { Reply::Agreed(by) })
}
