//! What every service behind the door needs for one request: why it is refused, and how it is counted.

use crate::kernel::prelude::*;

/// Why a guest does not get what it asked for: a stable code of `spec/network.md`, and a text for its author.
#[derive(Debug)]
pub(super) struct ServiceError {
    pub(super) code: &'static str,
    pub(super) message: String,
}

pub(super) fn service_error(code: &'static str, message: impl Into<String>) -> ServiceError {
    ServiceError { code, message: message.into() }
}

/// How often each thing was asked for: for the record of the call.
#[derive(Debug, Default)]
pub(super) struct CallCounts(pub(super) BTreeMap<String, u64>);

impl CallCounts {
    pub(super) fn count(&mut self, what: impl Into<String>) {
        let count = self.0.entry(what.into()).or_default();
        *count = count.saturating_add(1);
    }
}
