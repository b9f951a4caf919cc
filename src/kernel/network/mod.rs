//! Network gate: host services for guests, of which there is one, `http` (`spec/network.md`).
//!
//! All rules are here and the same for every host: a request is parsed, checked against the token, its
//! addresses are filtered and redirects followed. A host only resolves one name or runs one exchange with
//! one address.
//!
//! `ServiceBroker::handle` is the entry point; then `http_broker.rs` with `url.rs`, `address.rs` and `header.rs`.

mod address;
mod header;
mod http_broker;
mod service_error;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/network/mod.rs"]
mod tests;
pub mod transport;
mod url;

use crate::kernel::prelude::*;
pub use transport::{Exchange, HttpResponse, TransportError};
pub use url::Url;

use crate::kernel::deadline::Deadline;
use crate::kernel::host::Host;
use crate::kernel::json;
use crate::kernel::limits::{SERVICE_DEPTH_MAX, SERVICE_REQUEST_BYTES_MAX};
use crate::kernel::policy::token::ResolvedToken;
use http_broker::HttpBroker;
use serde_json::{json, Value};
use service_error::{service_error, RequestCounts, ServiceError};

/// The host services of one call; none by default.
#[derive(Default)]
pub(in crate::kernel) struct ServiceBroker<'a> {
    http: Option<HttpBroker<'a>>,
    counts: RequestCounts,
}

impl<'a> ServiceBroker<'a> {
    /// Creates the services that the token grants.
    // [DOOR-08]
    pub(in crate::kernel) fn new(token: &ResolvedToken, host: &'a dyn Host) -> Self {
        let hosts = token.hosts().to_vec();
        let http = (!hosts.is_empty()).then(|| HttpBroker::new(hosts, host));
        ServiceBroker { http, counts: RequestCounts::default() }
    }

    /// Handles one request of the guest; request and response are JSON texts.
    // [DOOR-05] [DOOR-06]
    pub(in crate::kernel) fn handle(&mut self, request: &[u8], deadline: &Deadline) -> Vec<u8> {
        let response = match self.dispatch(request, deadline) {
            Ok(result) => json!({ "ok": result }),
            Err(ServiceError { code, message }) => {
                json!({ "error": { "code": code, "message": message } })
            }
        };
        response.to_string().into_bytes()
    }

    fn dispatch(&mut self, request: &[u8], deadline: &Deadline) -> Result<Value, ServiceError> {
        let ServiceBroker { http, counts } = self;
        let document = parse(request).inspect_err(|error| counts.add(error.code))?;
        match (document.get("service").and_then(Value::as_str), http) {
            (Some("http"), Some(broker)) => broker.handle(&document, deadline, counts),
            // [DOOR-08] A service that was not granted is indistinguishable from one that does not exist.
            _ => {
                counts.add("service.unknown");
                let message = "unknown service, or no host in `capabilities.network` of the manifest is granted";
                Err(service_error("service.unknown", message))
            }
        }
    }

    /// Returns the number of requests by service, host and result.
    pub(in crate::kernel) fn into_counts(self) -> BTreeMap<String, u64> {
        self.counts.0
    }
}

// [DOOR-04]
fn parse(request: &[u8]) -> Result<Value, ServiceError> {
    if request.len() > SERVICE_REQUEST_BYTES_MAX {
        let message =
            format!("request is {} bytes, limit {SERVICE_REQUEST_BYTES_MAX}", request.len());
        return Err(service_error("service.too_large", message));
    }
    json::parse(request, SERVICE_DEPTH_MAX).map_err(|what| service_error("service.invalid", what))
}
