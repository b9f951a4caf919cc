//! Room: the account of what was redacted: kinds, counts and places, never a value.

use crate::kernel::limits::{PRIVACY_POINTERS_COUNT_MAX, PRIVACY_POINTER_BYTES_MAX};
use crate::kernel::prelude::*;
use serde_json::{json, Map, Value};

/// What a filter did to one or several values. Places are JSON pointers (RFC 6901) into the
/// *filtered* value, so that a key that was redacted does not leave by this door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedactionReport {
    kinds: BTreeMap<String, KindTally>,
    withheld: Option<Code>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KindTally {
    count: u64,
    pointers: Vec<String>,
}

impl RedactionReport {
    /// Nothing leaves, for this reason.
    pub(in crate::kernel) fn withheld_for(code: Code) -> RedactionReport {
        RedactionReport { kinds: BTreeMap::new(), withheld: Some(code) }
    }

    // [PRIV-83]
    pub(in crate::kernel) fn record(&mut self, name: &str, pointer: &str, count: u64) {
        let tally = self.kinds.entry(name.to_owned()).or_default();
        tally.count = tally.count.saturating_add(count);
        tally.note(pointer);
    }

    /// True if nothing was redacted or withheld: the value is what it was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty() && self.withheld.is_none()
    }

    /// Values redacted, of all kinds together.
    pub fn total(&self) -> u64 {
        self.kinds.values().map(|tally| tally.count).fold(0, u64::saturating_add)
    }

    /// Each kind with its count, in the order of their names. Custom patterns stand under theirs.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kinds.iter().map(|(name, tally)| (name.as_str(), tally.count))
    }

    /// Why the whole value was withheld, if it was.
    pub fn withheld(&self) -> Option<Code> {
        self.withheld
    }

    /// `{"email":{"count":2,"at":["/content/0/text"]}}`, and `"withheld":"privacy.residue"` where
    /// nothing left. Every place stands once, and at most the first 64 of each kind; those longer than 1,024
    /// bytes are counted and not named.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        for (name, tally) in &self.kinds {
            object.insert(name.clone(), json!({ "count": tally.count, "at": tally.pointers }));
        }
        if let Some(code) = self.withheld {
            object.insert("withheld".to_owned(), Value::String(code.as_str().to_owned()));
        }
        Value::Object(object)
    }
}

impl KindTally {
    fn note(&mut self, pointer: &str) {
        let full = self.pointers.len() >= PRIVACY_POINTERS_COUNT_MAX;
        // Most often it is the last one again, and short; the empty one is slow to compare as a block.
        let same = |each: &String| each.bytes().eq(pointer.bytes());
        // A longer one would be kept and compared again and again.
        let named = !full && pointer.len() <= PRIVACY_POINTER_BYTES_MAX;
        if named && !self.pointers.iter().rev().any(same) {
            self.pointers.push(pointer.to_owned());
        }
    }
}
