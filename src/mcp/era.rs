//! Protocol revisions: which MCP revision a message belongs to, and how its result is written.

use super::jsonrpc::{Params, RpcError, INVALID_PARAMS, UNSUPPORTED_VERSION};
use crate::kernel::agent::Agent;
use serde_json::{json, Value};

/// Revisions that start with `initialize`, the newest first. Revision 2025-03-26 is left out: it alone allows
/// batches.
const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2024-11-05"];
/// The stateless revision.
const MODERN: &str = "2026-07-28";
/// Names in `_meta` that the protocol reserves.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// The revision and the client of one request.
#[derive(Clone)]
pub(super) struct Era {
    revision: &'static str,
    pub(super) agent: Option<Agent>,
    /// The client supports elicitation.
    pub(super) can_elicit: bool,
}

impl Era {
    pub(super) fn is_modern(&self) -> bool {
        self.revision == MODERN
    }

    /// Returns `true` if tools have annotations and output schemas, results have structured content, and clients
    /// support elicitation.
    pub(super) fn is_structured(&self) -> bool {
        self.revision >= "2025-06-18"
    }

    /// Returns `true` if an elicitation names its mode; in older revisions the mode is always a form.
    pub(super) fn names_mode(&self) -> bool {
        self.revision >= "2025-11-25"
    }

    /// Adds the members that every result has in the stateless revision.
    pub(super) fn complete(&self, mut result: Value) -> Value {
        if let (true, Some(members)) = (self.is_modern(), result.as_object_mut()) {
            let kind = match members.contains_key("inputRequests") {
                true => "input_required",
                false => "complete",
            };
            members.insert("resultType".to_owned(), json!(kind));
            members.insert("_meta".to_owned(), json!({ META_SERVER: server_info() }));
        }
        result
    }

    /// Adds the members that a list has in that revision: it must not be cached.
    pub(super) fn listing(&self, mut result: Value) -> Value {
        if let (true, Some(members)) = (self.is_modern(), result.as_object_mut()) {
            members.insert("ttlMs".to_owned(), json!(0));
            members.insert("cacheScope".to_owned(), json!("private"));
        }
        result
    }
}

/// Returns the era that a request states in `_meta`; `None` if it relies on `initialize`.
// [SRV-10] [SRV-11]
pub(super) fn stated(params: &Params) -> Result<Option<Era>, RpcError> {
    let meta = |name| params.get("_meta").and_then(|meta| meta.get(name));
    let Some(version) = meta(META_VERSION) else { return Ok(None) };
    let invalid = |what| RpcError::new(INVALID_PARAMS, what);
    if !version.is_string() {
        return Err(invalid(format!("{META_VERSION} is not a string")));
    }
    if version != MODERN {
        let data = Some(json!({ "supported": [MODERN], "requested": version }));
        let error = RpcError::new(UNSUPPORTED_VERSION, "unsupported version");
        return Err(RpcError { data, ..error });
    }
    let capabilities = meta(META_CAPABILITIES)
        .filter(|capabilities| capabilities.is_object())
        .ok_or_else(|| invalid(format!("`_meta` needs {META_CAPABILITIES}")))?;
    let agent = meta(META_CLIENT).and_then(Agent::from_client_info);
    Ok(Some(Era { revision: MODERN, agent, can_elicit: has_forms(capabilities) }))
}

/// Negotiates a revision. Returns as well the result of `initialize`.
// [SRV-12]
pub(super) fn initialize(params: &Params) -> Result<(Era, Value), RpcError> {
    let Some(requested) = params.get("protocolVersion").and_then(Value::as_str) else {
        return Err(RpcError::new(INVALID_PARAMS, "`protocolVersion` is missing"));
    };
    // A client that requests an unknown revision more likely supports an older one.
    let [newest, ..] = LEGACY;
    let revision = LEGACY.into_iter().find(|known| *known <= requested).unwrap_or(newest);
    let agent = params.get("clientInfo").and_then(Agent::from_client_info);
    let mut era = Era { revision, agent, can_elicit: false };
    era.can_elicit = era.is_structured() && params.get("capabilities").is_some_and(has_forms);
    let result = json!({
        "protocolVersion": revision, "capabilities": capabilities(), "serverInfo": server_info(),
    });
    Ok((era, result))
}

/// Returns `true` if a client supports forms; one that declares no mode supports forms.
fn has_forms(capabilities: &Value) -> bool {
    let elicitation = capabilities.get("elicitation").and_then(Value::as_object);
    elicitation.is_some_and(|modes| modes.is_empty() || modes.contains_key("form"))
}

/// Returns the result of `server/discover`.
pub(super) fn discovered() -> Value {
    json!({ "supportedVersions": [MODERN], "capabilities": capabilities() })
}

// [SRV-12]
fn capabilities() -> Value {
    json!({ "tools": { "listChanged": true } })
}

fn server_info() -> Value {
    json!({ "name": "mpp", "version": env!("CARGO_PKG_VERSION") })
}
