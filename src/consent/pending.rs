//! Room: questions that wait for a person: a server writes one down and waits, `mpp approve` or
//! `mpp deny` in another terminal answers it.
//!
//! The file holds what was asked, with the arguments as the agent sent them, so that a person decides
//! about what will run. It is the owner's alone, and a question goes from it with its answer.

use super::attestation::{host_key, EphemeralAttestation};
use super::{Matter, Question, Reply};
use crate::error::{Code, Error};
use crate::home;
use crate::host_file::{list, parsed, read_document, texts};
use crate::json;
use crate::json::object::{Fault, Member, Object};
use crate::limits::{
    PENDING_ARGUMENTS_BYTES_MAX, PENDING_COUNT_MAX, PENDING_FILE_BYTES_MAX, REQUEST_DEPTH_MAX,
};
use crate::names::is_visible_line;
use crate::package::listing::ContentHash;
use crate::time::Timestamp;
use serde_json::{json, Map, Value};
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
    /// Id, version and publisher of the package.
    pub package: String,
    /// Its contents.
    pub content_hash: ContentHash,
    /// The tool.
    pub tool: String,
    /// Whether only this one call can be agreed to, with a proof.
    pub is_destructive: bool,
    /// What the package would get.
    pub capabilities: Vec<String>,
    /// How much harm that can do.
    pub security_level: String,
    /// What the tool would be called with.
    pub arguments: Value,
    /// Their keyed digest.
    pub arguments_digest: String,
    /// Who asks for the call, by its own word.
    pub agent: Option<String>,
    /// When nobody waits for the answer any more.
    pub expires: Timestamp,
    answer: Option<Answer>,
}

impl PendingQuestion {
    fn is_about(&self, question: &Question<'_>) -> bool {
        let matter = question.matter();
        (&self.content_hash, self.tool.as_str()) == (matter.content_hash, matter.tool)
            && self.arguments_digest == matter.arguments
            && self.capabilities == question.capability_lines()
    }
}

/// What a person said.
#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Denied,
    Approved { by: String, for_later: bool, proof: Option<EphemeralAttestation> },
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
        let mut waiting = read(home::read_file(&self.path(), PENDING_FILE_BYTES_MAX)?)?;
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
        question: &Question<'_>,
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
        let is_ours = |other: &PendingQuestion| other.number == number && other.is_about(question);
        let mut last_seen = None;
        while goes_on() && started.elapsed() < wait {
            // What can't be read now ends the wait; the change below says why, or takes the question back.
            let Ok(bytes) = home::read_file(&self.path(), PENDING_FILE_BYTES_MAX) else { break };
            if bytes != last_seen {
                let Ok(waiting) = read(bytes.clone()) else { break };
                // Answered, or somebody removed it.
                let waits = |other: &PendingQuestion| is_ours(other) && other.answer.is_none();
                if !waiting.questions.iter().any(waits) {
                    break;
                }
                last_seen = bytes;
            }
            std::thread::sleep(LOOK_PERIOD);
        }
        // Under the lock: an answer given in the last moment counts, and one given later finds nothing.
        let answer = self.edit(|waiting| {
            let at = waiting.questions.iter().position(is_ours);
            Ok(at.and_then(|at| waiting.questions.remove(at).answer))
        })?;
        Ok(match answer {
            Some(Answer::Denied) => Reply::Declined,
            Some(Answer::Approved { proof: Some(proof), .. }) => Reply::Attested(proof),
            Some(Answer::Approved { by, for_later: true, .. }) => Reply::AgreedForLater(by),
            Some(Answer::Approved { by, .. }) => Reply::Agreed(by),
            None => Reply::Unanswered(format!(
                "nobody answered question {number} within {} s (`mpp pending` shows such questions \
                 while they wait)",
                wait.as_secs()
            )),
        })
    }

    fn add(&self, question: &Question<'_>, wait: Duration, now: Timestamp) -> Result<u64, Error> {
        let manifest = question.manifest;
        let end = now.unix_seconds().saturating_add(wait.as_secs()).saturating_add(1);
        let publisher = manifest.publisher();
        self.edit(|waiting| {
            waiting.questions.retain(|other| other.expires >= now);
            if waiting.questions.len() >= PENDING_COUNT_MAX {
                let detail = format!("more than {PENDING_COUNT_MAX} questions wait");
                return Err(Error::new(Code::PolicyConfirmation, detail));
            }
            let number = waiting.next;
            waiting.next = number.saturating_add(1);
            waiting.questions.push(PendingQuestion {
                number,
                package: format!("{} {} by {publisher}", manifest.id, manifest.version),
                content_hash: manifest.content_hash().clone(),
                tool: question.tool.to_owned(),
                is_destructive: question.is_destructive,
                capabilities: question.capability_lines(),
                security_level: question.security_level.to_string(),
                arguments: question.arguments.clone(),
                arguments_digest: question.arguments_digest.as_str().to_owned(),
                agent: question.agent.map(ToString::to_string),
                expires: Timestamp::from_unix_seconds(end).unwrap_or(now),
                answer: None,
            });
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
            let (hash, tool) = (&question.content_hash, question.tool.as_str());
            let matter = Matter { content_hash: hash, tool, arguments: &question.arguments_digest };
            let proof = match question.is_destructive {
                true => Some(EphemeralAttestation::sign(&host_key(&self.home)?, &matter, by, now)),
                false => None,
            };
            let for_later = for_later && !question.is_destructive;
            Ok(Answer::Approved { by: by.to_owned(), for_later, proof })
        })
    }

    /// Answers no.
    ///
    /// # Errors
    /// As [`Pending::approve`].
    // [CONS-22]
    pub fn deny(&self, number: u64, now: Timestamp) -> Result<(), Error> {
        self.answer(number, now, |_| Ok(Answer::Denied))
    }

    fn answer(
        &self,
        number: u64,
        now: Timestamp,
        answer: impl FnOnce(&PendingQuestion) -> Result<Answer, Error>,
    ) -> Result<(), Error> {
        self.edit(|waiting| {
            let waits = |question: &&mut PendingQuestion| {
                question.number == number && question.answer.is_none() && question.expires >= now
            };
            let Some(question) = waiting.questions.iter_mut().find(waits) else {
                return Err(Error::new(Code::ConsentNoQuestion, format!("question {number}")));
            };
            question.answer = Some(answer(question)?);
            Ok(())
        })
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
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("number", json!(one.number));
    put("package", json!(one.package));
    put("content_hash", json!(one.content_hash.as_str()));
    put("tool", json!(one.tool));
    put("is_destructive", json!(one.is_destructive));
    put("capabilities", json!(one.capabilities));
    put("security_level", json!(one.security_level));
    // As a text, so that arguments of any depth fit into a file that is read with a small limit.
    put("arguments", json!(one.arguments.to_string()));
    put("arguments_digest", json!(one.arguments_digest));
    put("expires", json!(one.expires.to_string()));
    if let Some(agent) = &one.agent {
        put("agent", json!(agent));
    }
    match &one.answer {
        None => {}
        Some(Answer::Denied) => {
            put("answer", json!({ "approved": false }));
        }
        Some(Answer::Approved { by, for_later, proof }) => {
            let mut answer = json!({ "approved": true, "by": by, "for_later": for_later });
            if let (Some(proof), Some(members)) = (proof, answer.as_object_mut()) {
                members.insert("proof".to_owned(), json!(proof.to_text()));
            }
            put("answer", answer);
        }
    }
    Value::Object(members)
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
    let any = |text: &str| Some(text.to_owned());
    Ok(PendingQuestion {
        number: one.required("number")?.integer(1..=u64::MAX)?,
        package: parsed(&one.required("package")?, "a text", any)?,
        content_hash: parsed(&one.required("content_hash")?, "a hash", ContentHash::parse)?,
        tool: parsed(&one.required("tool")?, "a text", any)?,
        is_destructive: one.required("is_destructive")?.boolean()?,
        capabilities: texts(Some(one.required("capabilities")?), "a text", |_| true)?,
        security_level: parsed(&one.required("security_level")?, "a level", any)?,
        arguments: parsed(&one.required("arguments")?, "JSON", |text| {
            json::parse(text.as_bytes(), REQUEST_DEPTH_MAX).ok()
        })?,
        arguments_digest: parsed(&one.required("arguments_digest")?, "a digest", any)?,
        agent: one.optional("agent").map(|member| parsed(&member, "a text", any)).transpose()?,
        expires: parsed(&one.required("expires")?, "a time", Timestamp::parse)?,
        answer: one.optional("answer").map(|member| read_answer(&member)).transpose()?,
    })
}

fn read_answer(member: &Member<'_>) -> Result<Answer, Fault> {
    member.object(|answer| {
        if !answer.required("approved")?.boolean()? {
            return Ok(Answer::Denied);
        }
        let by = parsed(&answer.required("by")?, "a name", |text| {
            is_visible_line(text).then(|| text.to_owned())
        })?;
        let for_later = answer.required("for_later")?.boolean()?;
        let read_proof = |member: Member<'_>| {
            parsed(&member, "an attestation", |text| EphemeralAttestation::from_text(&by, text))
        };
        let proof = answer.optional("proof").map(read_proof).transpose()?;
        Ok(Answer::Approved { by: by.clone(), for_later, proof })
    })
}
