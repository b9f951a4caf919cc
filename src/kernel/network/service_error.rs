//! Errors and request counts, common to all host services.

use crate::kernel::prelude::*;

/// An error response: a stable code of `spec/network.md`, and a message for the tool's author.
#[derive(Debug)]
pub(super) struct ServiceError {
    pub(super) code: &'static str,
    pub(super) message: String,
}

pub(super) fn service_error(code: &'static str, message: impl Into<String>) -> ServiceError {
    ServiceError { code, message: message.into() }
}

/// Number of requests by service, host and result, for the audit record.
#[derive(Debug, Default)]
pub(super) struct RequestCounts(pub(super) BTreeMap<String, u64>);

impl RequestCounts {
    pub(super) fn add(&mut self, key: impl Into<String>) {
        let count = self.0.entry(key.into()).or_default();
        *count = count.saturating_add(1);
    }
}
