//! Clients that are notified when the listed tools change: the session of a handshake revision, and the
//! subscriptions of the stateless one.

use super::catalog::ToolCatalog;
use super::jsonrpc::{self, Id, Params, RpcError};
use crate::kernel::limits::MCP_CALLS_COUNT_MAX;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Name in `_meta` that the protocol reserves.
const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// The key of the session. The text of an id is never empty.
const SESSION: &str = "";

/// The listeners, by the texts of their ids.
#[derive(Default)]
pub(super) struct Listeners(BTreeMap<String, Listener>);

struct Listener {
    /// The id of the request that opened the subscription; `None` for the session.
    subscription: Option<Id>,
    /// The catalog that the client knows, or was notified of; `None` if it could not be read.
    known: Option<Arc<ToolCatalog>>,
}

impl Listeners {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    /// Notifies the session that `initialize` starts.
    // [SRV-52]
    pub(super) fn start_session(&mut self, known: Option<Arc<ToolCatalog>>) {
        self.0.insert(SESSION.to_owned(), Listener { subscription: None, known });
    }

    /// Sets what the session was listed, so that it is not notified of that.
    pub(super) fn list_session(&mut self, known: Option<Arc<ToolCatalog>>) {
        if let Some(session) = self.0.get_mut(SESSION) {
            session.known = known;
        }
    }

    /// Opens a subscription. Returns its acknowledgment, which names what it was opened for: changes of the
    /// tools, if requested.
    // [SRV-53]
    pub(super) fn subscribe(
        &mut self,
        id: &Id,
        params: &Params,
        known: Option<Arc<ToolCatalog>>,
    ) -> Result<Value, RpcError> {
        let filter = params.get("notifications").and_then(Value::as_object);
        let tools = filter.map(|filter| filter.get("toolsListChanged"));
        let Some(None | Some(Value::Bool(_))) = tools else {
            let what = "`notifications` is not an object with a boolean `toolsListChanged`";
            return Err(RpcError::new(jsonrpc::INVALID_PARAMS, what));
        };
        let mut honored = json!({});
        if tools == Some(Some(&json!(true))) {
            if self.0.len() >= MCP_CALLS_COUNT_MAX {
                let what = format!("more than {MCP_CALLS_COUNT_MAX} subscriptions");
                return Err(RpcError::new(jsonrpc::INVALID_REQUEST, what));
            }
            honored = json!({ "toolsListChanged": true });
            self.0.insert(id.to_string(), Listener { subscription: Some(id.clone()), known });
        }
        let params = json!({ "_meta": { META_SUBSCRIPTION: id }, "notifications": honored });
        Ok(jsonrpc::notification("notifications/subscriptions/acknowledged", params))
    }

    pub(super) fn cancel(&mut self, id: Option<&Value>) {
        let _ = id.and_then(|id| self.0.remove(&id.to_string()));
    }

    /// Returns the notifications for those that do not know this catalog, and notes that they do. `is_same`
    /// compares it with an earlier one.
    // [SRV-52] [SRV-53]
    pub(super) fn notifications(
        &mut self,
        catalog: &Arc<ToolCatalog>,
        is_same: &dyn Fn(&ToolCatalog) -> bool,
    ) -> Vec<Value> {
        let notify = |listener: &mut Listener| {
            let known = listener.known.replace(Arc::clone(catalog));
            if known.is_some_and(|known| Arc::ptr_eq(&known, catalog) || is_same(&known)) {
                return None;
            }
            let params = match &listener.subscription {
                Some(id) => json!({ "_meta": { META_SUBSCRIPTION: id } }),
                None => json!({}),
            };
            Some(jsonrpc::notification("notifications/tools/list_changed", params))
        };
        self.0.values_mut().filter_map(notify).collect()
    }
}
