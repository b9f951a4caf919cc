//! Audit records and the hash chain over them.
//!
//! An *intent* is in the log before anything runs; an *outcome* follows, or the host writes that the call was
//! *lost*. A call without an intent record does not run, and a result without an outcome record is withheld.
//! `spec/audit.md` has the format and a shell line that verifies it.
//!
//! Arguments and results are recorded as [`KeyedDigest`]s, which only the log's key can make: the types
//! exclude their values. Other texts from outside are truncated.

mod chain;
mod record;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/audit/mod.rs"]
mod tests;

pub use chain::{ChainVerifier, VerifyReport};
pub use record::{
    read, CallStatus, Caller, Facts, Hash, Intent, KeyedDigest, Outcome, Record, Refusal, Torn,
    GENESIS,
};

use crate::kernel::encoding::{hmac_sha256, sha256};
use crate::kernel::prelude::*;
use crate::kernel::time::Timestamp;
use record::{Call, Members, Reason};
use serde_json::Value;

/// The end of the log, while its lock is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of the last record; 0 for an empty log.
    pub seq: u64,
    /// Hash of the last record; [`GENESIS`] for an empty log.
    pub hash: String,
}

/// A record as a line of the log.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line, with its line feed.
    pub text: String,
    /// The end of the log after this line.
    pub head: Head,
}

/// The contents of a record, except its place in the chain and its time.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A call is about to run. Its number is that of this record.
    Intent(&'a Intent),
    /// The end of the call with this number.
    Outcome(u64, &'a Outcome),
    /// A call was refused.
    Refused(Code, &'a Refusal),
    /// The call with this number ended without an outcome.
    Lost(u64),
    /// An incomplete line was set aside.
    Torn(&'a Torn),
}

impl Entry<'_> {
    /// Returns the record as the line after `head`. The limits on members imply the limit on lines; a test
    /// writes the largest.
    ///
    /// # Errors
    /// `audit.unavailable`: the log is full, or a member is invalid.
    // [AUD-20] [AUD-21] [AUD-22] [AUD-47]
    pub fn line(&self, head: &Head, now: Timestamp) -> Result<Line, Error> {
        let unavailable = |what: String| Error::new(Code::AuditUnavailable, what);
        let seq = head.seq.checked_add(1).filter(|seq| *seq <= record::INTEGER_MAX);
        let seq = seq.ok_or_else(|| unavailable("log is full".to_owned()))?;
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

    /// Returns the member `kind` of the record.
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

/// The secret key of a log: it makes the log's digests, and derives keys that must be equal in all calls.
#[derive(Clone)]
pub struct LogKey([u8; 32]);

impl LogKey {
    /// Makes a key of these bytes. Anyone who knows them can find the value of a digest by trying.
    pub fn new(bytes: [u8; 32]) -> Self {
        LogKey(bytes)
    }

    /// Returns the keyed digest of a JSON value, over its canonical text.
    // [AUD-14]
    pub fn digest(&self, value: &Value) -> KeyedDigest {
        let mut canonical = String::new();
        record::write(value, &mut canonical);
        self.digest_bytes(canonical.as_bytes())
    }

    /// Returns the keyed digest of bytes.
    // [AUD-14]
    pub fn digest_bytes(&self, bytes: &[u8]) -> KeyedDigest {
        KeyedDigest::keyed(&self.0, bytes)
    }

    /// Derives a key for another purpose (HKDF-Extract, RFC 5869, with the purpose as salt). It equals no digest
    /// in the log, where the log's key is never the message.
    // [PRIV-79]
    pub fn derive_key(&self, purpose: &[u8]) -> [u8; 32] {
        hmac_sha256(&sha256(purpose), &self.0)
    }
}
