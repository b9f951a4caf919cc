//! Room: which revision of the protocol a message is of, and what that says about answers.

use super::message::{self, Fault, Id};
use crate::agent::Agent;
use serde_json::{json, Map, Value};

/// Revisions that begin with `initialize`, the newest last.
const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The stateless revision.
const MODERN: &str = "2026-07-28";
/// Names in `_meta` that the protocol keeps for itself.
pub(super) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// What was agreed on by `initialize`; nothing before.
#[derive(Clone, Default)]
pub(super) struct Session {
    era: Option<Era>,
}

/// What one request is answered under.
#[derive(Clone)]
pub(super) struct Era {
    pub(super) revision: &'static str,
    pub(super) agent: Option<Agent>,
    /// Whether the client can put a question to its user.
    pub(super) elicits: bool,
}

impl Era {
    pub(super) fn is_modern(&self) -> bool {
        self.revision == MODERN
    }

    /// Whether a question says that it is a form; before, every question was one.
    pub(super) fn names_mode(&self) -> bool {
        self.revision >= "2025-11-25"
    }
}

impl Session {
    /// Whether this session sends several messages in one line.
    // [SRV-05]
    pub(super) fn has_batches(&self) -> bool {
        self.era.as_ref().is_some_and(|era| era.revision == "2025-03-26")
    }

    /// The era of a request: its own word, or what was agreed on at the beginning.
    // [SRV-10] [SRV-11]
    pub(super) fn era_of(&self, id: &Id, params: &Map<String, Value>) -> Result<Era, Fault> {
        let meta = params.get("_meta").and_then(Value::as_object);
        let Some((meta, version)) = meta.and_then(|meta| Some((meta, meta.get(META_VERSION)?)))
        else {
            return self.era.clone().ok_or_else(|| {
                let what = format!("no `initialize` came before, and no {META_VERSION} in `_meta`");
                Fault::new(id, message::INVALID_PARAMS, what)
            });
        };
        let Some(version) = version.as_str() else {
            let what = format!("{META_VERSION} is not a string");
            return Err(Fault::new(id, message::INVALID_PARAMS, what));
        };
        if version != MODERN {
            let data = json!({ "supported": [MODERN], "requested": version });
            let mut fault = Fault::new(id, message::UNSUPPORTED_VERSION, "unsupported version");
            fault.data = Some(data);
            return Err(fault);
        }
        let Some(capabilities) = meta.get(META_CAPABILITIES).filter(|found| found.is_object())
        else {
            let what = format!("`_meta` needs {META_CAPABILITIES}");
            return Err(Fault::new(id, message::INVALID_PARAMS, what));
        };
        let agent = meta.get(META_CLIENT).and_then(Agent::of_client_info);
        Ok(Era { revision: MODERN, agent, elicits: elicits(capabilities) })
    }

    /// Agrees on a revision.
    // [SRV-12]
    pub(super) fn initialize(
        &mut self,
        id: &Id,
        params: &Map<String, Value>,
    ) -> Result<Value, Fault> {
        let Some(asked) = params.get("protocolVersion").and_then(Value::as_str) else {
            let what = "`protocolVersion` is missing";
            return Err(Fault::new(id, message::INVALID_PARAMS, what));
        };
        let newest = LEGACY.last().copied().unwrap_or_default();
        let revision = LEGACY.into_iter().find(|known| *known == asked).unwrap_or(newest);
        let agent = params.get("clientInfo").and_then(Agent::of_client_info);
        let can = params.get("capabilities").is_some_and(elicits);
        let elicits = can && revision >= "2025-06-18";
        self.era = Some(Era { revision, agent, elicits });
        let result = json!({
            "protocolVersion": revision, "capabilities": { "tools": {} },
            "serverInfo": server_info(),
        });
        Ok(message::result(id, result))
    }
}

/// Whether a client says that it shows forms: those that say nothing more mean forms.
fn elicits(capabilities: &Value) -> bool {
    let said = capabilities.get("elicitation").and_then(Value::as_object);
    said.is_some_and(|said| said.is_empty() || said.contains_key("form"))
}

/// What `server/discover` answers.
pub(super) fn discovered() -> Value {
    listing(json!({ "supportedVersions": [MODERN], "capabilities": { "tools": {} } }))
}

fn server_info() -> Value {
    json!({ "name": "mpp", "version": env!("CARGO_PKG_VERSION") })
}

/// What every result carries in the stateless revision.
pub(super) fn complete(era: &Era, mut result: Value) -> Value {
    if let (true, Some(members)) = (era.is_modern(), result.as_object_mut()) {
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
pub(super) fn listing(mut result: Value) -> Value {
    if let Some(members) = result.as_object_mut() {
        members.insert("ttlMs".to_owned(), json!(0));
        members.insert("cacheScope".to_owned(), json!("private"));
    }
    result
}
