//! Floor 2: the one door out of the sandbox: what a guest may ask of its host besides files.
//! `spec/network.md` is its page.
//!
//! The gate is ours and the same for every host: it reads the request, holds it against the token, checks
//! addresses and follows redirects. The host only does what it is told: one
//! name to look up, one exchange with one address.
//!
//! Read `ServiceBroker::ask` first, then `http.rs` with `url.rs`, `address.rs` and `header.rs`.

mod address;
mod header;
mod http;
mod request;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/network/mod.rs"]
mod tests;
pub mod transport;
mod url;

use crate::kernel::prelude::*;
pub use transport::{Exchange, HttpResponse, TransportError};

use crate::kernel::deadline::Deadline;
use crate::kernel::host::Host;
use crate::kernel::json;
use crate::kernel::limits::{SERVICE_DEPTH_MAX, SERVICE_REQUEST_BYTES_MAX};
use crate::kernel::policy::token::ResolvedToken;
use http::HttpBroker;
use request::{service_error, CallCounts, ServiceError};
use serde_json::{json, Value};

/// The door of one call. By default it leads nowhere.
#[derive(Default)]
pub(in crate::kernel) struct ServiceBroker<'a> {
    http: Option<HttpBroker<'a>>,
    tally: CallCounts,
}

impl<'a> ServiceBroker<'a> {
    /// A door that leads to what the token holds.
    // [DOOR-08]
    pub(in crate::kernel) fn new(token: &ResolvedToken, host: &'a dyn Host) -> Self {
        let hosts = token.hosts().to_vec();
        let http = (!hosts.is_empty()).then(|| HttpBroker::new(hosts, host));
        ServiceBroker { http, tally: CallCounts::default() }
    }

    /// Answers one request of the guest, both JSON texts.
    // [DOOR-05] [DOOR-06]
    pub(in crate::kernel) fn ask(&mut self, request: &[u8], deadline: &Deadline) -> Vec<u8> {
        let answer = match self.answer(request, deadline) {
            Ok(answer) => json!({ "ok": answer }),
            Err(ServiceError { code, message }) => {
                json!({ "error": { "code": code, "message": message } })
            }
        };
        answer.to_string().into_bytes()
    }

    fn answer(&mut self, request: &[u8], deadline: &Deadline) -> Result<Value, ServiceError> {
        let ServiceBroker { http, tally } = self;
        let document =
            read(request).inspect_err(|service_error| tally.count(service_error.code))?;
        match (document.get("service").and_then(Value::as_str), http) {
            (Some("http"), Some(gate)) => gate.ask(&document, deadline, tally),
            // [DOOR-08] what was not granted is not told from what does not exist
            _ => {
                tally.count("service.unknown");
                Err(service_error("service.unknown", "there is no such service"))
            }
        }
    }

    /// How often the guest asked for what.
    pub(in crate::kernel) fn into_counts(self) -> BTreeMap<String, u64> {
        self.tally.0
    }
}

// [DOOR-04]
fn read(request: &[u8]) -> Result<Value, ServiceError> {
    if request.len() > SERVICE_REQUEST_BYTES_MAX {
        let message = format!("a request has at most {SERVICE_REQUEST_BYTES_MAX} bytes");
        return Err(service_error("service.too_large", message));
    }
    json::parse(request, SERVICE_DEPTH_MAX).map_err(|what| service_error("service.invalid", what))
}
