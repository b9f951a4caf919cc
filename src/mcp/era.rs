//! Room: which revision of the protocol a message is of, and what that says about answers.

use super::jsonrpc::{Params, RpcError, INVALID_PARAMS, UNSUPPORTED_VERSION};
use crate::kernel::agent::Agent;
use serde_json::{json, Value};

/// Revisions that begin with `initialize`, the newest first. That of 2025-03-26 is left out: it alone has
/// several messages in one line.
const LEGACY: [&str; 3] = ["2025-11-25", "2025-06-18", "2024-11-05"];
/// The stateless revision.
const MODERN: &str = "2026-07-28";
/// Names in `_meta` that the protocol keeps for itself.
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// What one request is answered under.
#[derive(Clone)]
pub(super) struct Era {
    revision: &'static str,
    pub(super) agent: Option<Agent>,
    /// Whether the client can put a question to its user.
    pub(super) can_elicit: bool,
}

impl Era {
    pub(super) fn is_modern(&self) -> bool {
        self.revision == MODERN
    }

    /// Whether tools have annotations and a schema of their answers, answers have structured content,
    /// and clients may be asked something.
    pub(super) fn is_structured(&self) -> bool {
        self.revision >= "2025-06-18"
    }

    /// Whether a question says that it is a form; before, every question was one.
    pub(super) fn names_mode(&self) -> bool {
        self.revision >= "2025-11-25"
    }

    /// What a result carries in the stateless revision.
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

    /// What a list carries besides in that revision: it may be asked for again at any time.
    pub(super) fn listing(&self, mut result: Value) -> Value {
        if let (true, Some(members)) = (self.is_modern(), result.as_object_mut()) {
            members.insert("ttlMs".to_owned(), json!(0));
            members.insert("cacheScope".to_owned(), json!("private"));
        }
        result
    }
}

/// The era that a request itself states. `None`: that which `initialize` agreed on.
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

/// Agrees on a revision. Gives also the result of `initialize`.
// [SRV-12]
pub(super) fn initialize(params: &Params) -> Result<(Era, Value), RpcError> {
    let Some(asked) = params.get("protocolVersion").and_then(Value::as_str) else {
        return Err(RpcError::new(INVALID_PARAMS, "`protocolVersion` is missing"));
    };
    // Whoever asks for a revision that is not spoken here is more likely to speak an older one.
    let [newest, ..] = LEGACY;
    let revision = LEGACY.into_iter().find(|known| *known <= asked).unwrap_or(newest);
    let agent = params.get("clientInfo").and_then(Agent::from_client_info);
    let mut era = Era { revision, agent, can_elicit: false };
    era.can_elicit = era.is_structured() && params.get("capabilities").is_some_and(has_forms);
    let result = json!({
        "protocolVersion": revision, "capabilities": { "tools": {} }, "serverInfo": server_info(),
    });
    Ok((era, result))
}

/// Whether a client says that it shows forms: those that say nothing more mean forms.
fn has_forms(capabilities: &Value) -> bool {
    let elicitation = capabilities.get("elicitation").and_then(Value::as_object);
    elicitation.is_some_and(|modes| modes.is_empty() || modes.contains_key("form"))
}

/// What `server/discover` answers.
pub(super) fn discovered() -> Value {
    json!({ "supportedVersions": [MODERN], "capabilities": { "tools": {} } })
}

fn server_info() -> Value {
    json!({ "name": "mpp", "version": env!("CARGO_PKG_VERSION") })
}
