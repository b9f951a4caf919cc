//! Redaction report: kinds, counts and positions of what was redacted, never a value.

use crate::kernel::limits::{PRIVACY_POINTERS_COUNT_MAX, PRIVACY_POINTER_BYTES_MAX};
use crate::kernel::prelude::*;
use serde_json::{json, Map, Value};

/// What a filter did to one or several values. Positions are JSON pointers (RFC 6901) into the *filtered*
/// value, so that they reveal no redacted key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactionReport {
    kinds: BTreeMap<String, KindTally>,
    kept: BTreeMap<String, u64>,
    withheld: Option<Code>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KindTally {
    count: u64,
    pointers: Vec<String>,
}

impl RedactionReport {
    /// The report for a value that was withheld, with the reason.
    pub(super) fn withheld_for(code: Code) -> RedactionReport {
        RedactionReport { withheld: Some(code), ..RedactionReport::default() }
    }

    // [PRIV-83]
    pub(super) fn record(&mut self, name: &str, pointer: &str, count: u64) {
        let tally = self.kinds.entry(name.to_owned()).or_default();
        tally.count = tally.count.saturating_add(count);
        tally.add_pointer(pointer);
    }

    // [PRIV-83]
    pub(super) fn record_kept(&mut self, name: &str) {
        let count = self.kept.entry(name.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    /// Returns `true` if nothing was redacted or withheld.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.withheld.is_none()
    }

    /// Returns the number of redacted values of all kinds.
    pub fn total(&self) -> u64 {
        self.kinds.values().map(|tally| tally.count).fold(0, u64::saturating_add)
    }

    /// Returns each kind with its count, sorted by name. A custom pattern has its own name.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kinds.iter().map(|(name, tally)| (name.as_str(), tally.count))
    }

    /// Returns the number of values of each kind that the host keeps, sorted by name.
    pub fn kept(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kept.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// Returns the reason if the whole value was withheld.
    pub fn withheld(&self) -> Option<Code> {
        self.withheld
    }

    /// Returns `{"email":{"count":2,"at":["/content/0/text"]}}`, with `"withheld":"privacy.residue"` if the
    /// value was withheld. Positions are unique, at most 64 for each kind; longer ones than 1,024 bytes are
    /// only counted. `"kept":{"email":1}` counts the values that the host keeps, if there are any.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        for (name, tally) in &self.kinds {
            object.insert(name.clone(), json!({ "count": tally.count, "at": tally.pointers }));
        }
        if !self.kept.is_empty() {
            object.insert("kept".to_owned(), json!(self.kept));
        }
        if let Some(code) = self.withheld {
            object.insert("withheld".to_owned(), Value::String(code.as_str().to_owned()));
        }
        Value::Object(object)
    }
}

impl KindTally {
    fn add_pointer(&mut self, pointer: &str) {
        let full = self.pointers.len() >= PRIVACY_POINTERS_COUNT_MAX;
        // Often it is the last one again. Short and empty pointers compare faster byte by byte.
        let same = |each: &String| each.bytes().eq(pointer.bytes());
        // A longer pointer would be stored and compared again and again.
        let named = !full && pointer.len() <= PRIVACY_POINTER_BYTES_MAX;
        if named && !self.pointers.iter().rev().any(same) {
            self.pointers.push(pointer.to_owned());
        }
    }
}
