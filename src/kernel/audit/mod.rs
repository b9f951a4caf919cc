//! The records of the log, and the chain that they form: a record in, a line out; lines in, a verdict out.
//!
//! An *intent* is in the log before anything runs; an *outcome* follows, or the host writes that the call was
//! *lost*. What can't be recorded does not run, and an answer that can't be recorded does not leave.
//! `spec/audit.md` has the format and a shell line that checks it.
//!
//! Arguments and answers stand in the log as [`Digest`]s, which only the log's own key can make: by
//! type, no value gets in. Other texts from outside are cut to a stated length.

mod chain;
mod record;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/audit/mod.rs"]
mod tests;

pub use chain::{Chain, VerifyReport};
pub use record::{
    read, CallStatus, Caller, Digest, Facts, Hash, Intent, Outcome, Record, Refusal, Torn, GENESIS,
};

use crate::kernel::encoding::{hmac_sha256, sha256};
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use record::{Call, Members, Reason};
use serde_json::Value;

/// The end of the log, as it is while its lock is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 if there is none.
    pub seq: u64,
    /// Its hash; [`GENESIS`] if there is none.
    pub hash: String,
}

/// A record as it stands in the log.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line, with its line feed.
    pub text: String,
    /// What the log's end is with it.
    pub head: Head,
}

/// What a record says, besides where it stands in the chain and when it was written.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A call is about to run. Its number is that of this record.
    Intent(&'a Intent),
    /// What came of the call of this number.
    Outcome(u64, &'a Outcome),
    /// A call was refused.
    Refused(Code, &'a Refusal),
    /// Nobody will write what came of the call of this number.
    Lost(u64),
    /// The beginning of a line was set aside.
    Torn(&'a Torn),
}

impl Entry<'_> {
    /// The record behind the present end of the log. The limits on members keep it within the limit on
    /// lines; a test writes the largest.
    ///
    /// # Errors
    /// `audit.unavailable`: the log is full, or a member is not what it has to be.
    // [AUD-20] [AUD-21] [AUD-22] [AUD-47]
    pub fn line(&self, head: &Head, now: Timestamp) -> Result<Line, Error> {
        let unavailable = |what: String| Error::new(Code::AuditUnavailable, what);
        let seq = head.seq.checked_add(1).filter(|seq| *seq <= record::INTEGER_MAX);
        let seq = seq.ok_or_else(|| unavailable("the log is full".to_owned()))?;
        let mut object = record::start(seq, &head.hash, now, self.kind());
        match *self {
            Entry::Intent(intent) => {
                Call { call: seq }.write("", &mut object);
                intent.write("", &mut object);
            }
            Entry::Outcome(call, outcome) => {
                Call { call }.write("", &mut object);
                outcome.write("", &mut object);
            }
            Entry::Refused(code, refusal) => {
                Reason { code }.write("", &mut object);
                refusal.write("", &mut object);
            }
            Entry::Lost(call) => Call { call }.write("", &mut object),
            Entry::Torn(torn) => torn.write("", &mut object),
        }
        let (text, hash) = record::seal(&object).map_err(unavailable)?;
        Ok(Line { text, head: Head { seq, hash } })
    }

    /// The member `kind` of the record.
    pub fn kind(&self) -> &'static str {
        match self {
            Entry::Intent(_) => "intent",
            Entry::Outcome(..) => "outcome",
            Entry::Refused(..) => "refused",
            Entry::Lost(_) => "lost",
            Entry::Torn(_) => "torn",
        }
    }
}

/// The secret by which one log makes its digests, and keys for what must be the same in all calls of a host.
#[derive(Clone)]
pub struct LogKey([u8; 32]);

impl LogKey {
    /// A key of these bytes. Whoever knows them can try values until one fits a digest.
    pub fn new(bytes: [u8; 32]) -> Self {
        LogKey(bytes)
    }

    /// The keyed digest of a JSON value, taken over its canonical text.
    // [AUD-14]
    pub fn digest(&self, value: &Value) -> Digest {
        let mut canonical = String::new();
        record::write(value, &mut canonical);
        self.digest_bytes(canonical.as_bytes())
    }

    /// The keyed digest of bytes.
    // [AUD-14]
    pub fn digest_bytes(&self, bytes: &[u8]) -> Digest {
        Digest::keyed(&self.0, bytes)
    }

    /// A key for another purpose. It is no digest that the log can show: the log's key is what is digested
    /// here, under a public name (HKDF-Extract, RFC 5869).
    // [PRIV-79]
    pub fn derived(&self, purpose: &[u8]) -> [u8; 32] {
        hmac_sha256(&sha256(purpose), &self.0)
    }
}
