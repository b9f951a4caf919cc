//! What every service behind the door needs for one request: why it is refused, and how it is counted.

use crate::kernel::prelude::*;

/// Why a guest does not get what it asked for: a stable code of `spec/door.md`, and a text for its author.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) message: String,
}

pub(super) fn refused(code: &'static str, message: impl Into<String>) -> Refused {
    Refused { code, message: message.into() }
}

/// How often each thing was asked for: for the record of the call.
#[derive(Debug, Default)]
pub(super) struct Tally(pub(super) BTreeMap<String, u64>);

impl Tally {
    pub(super) fn count(&mut self, what: impl Into<String>) {
        let count = self.0.entry(what.into()).or_default();
        *count = count.saturating_add(1);
    }
}
