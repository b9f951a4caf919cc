//! JSON-RPC 2.0 messages as MCP uses them: parses a line, and builds responses and notifications.

use super::framing::Line;
use super::request_id::{is_echoed, IdScanner};
use crate::kernel::json;
use crate::kernel::limits::{MCP_DEPTH_MAX, MCP_LINE_BYTES_MAX};
use serde_json::{json, Map, Value};

/// The id of a request: a string or an integer, unmodified.
pub(super) type Id = Value;

/// The parameters of a request or a notification.
pub(super) type Params = Map<String, Value>;

/// A parsed message.
#[derive(Debug)]
pub(super) enum Message {
    /// Expects a response.
    Request { id: Id, method: String, params: Params },
    /// Expects no response.
    Notification { method: String, params: Params },
    /// Responds to a request of this server.
    Response { id: Id, result: Option<Value> },
}

/// A JSON-RPC error.
#[derive(Debug)]
pub(super) struct RpcError {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

pub(super) const PARSE_ERROR: i64 = -32700;
pub(super) const INVALID_REQUEST: i64 = -32600;
pub(super) const METHOD_NOT_FOUND: i64 = -32601;
pub(super) const INVALID_PARAMS: i64 = -32602;
pub(super) const INTERNAL_ERROR: i64 = -32603;
pub(super) const UNSUPPORTED_VERSION: i64 = -32022;

impl RpcError {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        RpcError { code, message: message.into(), data: None }
    }

    /// Returns the error response to the request with this id, or `null`.
    pub(super) fn answer(self, id: &Value) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(members)) = (self.data, error.as_object_mut()) {
            members.insert("data".to_owned(), data);
        }
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    }
}

/// Parses one line. An error comes with the id for its response.
// [SRV-01] [SRV-02] [SRV-03]
pub(super) fn read(line: Line) -> Result<Message, (Value, RpcError)> {
    let failure = |id, code, what: &str| Err((id, RpcError::new(code, what)));
    let line = line.map_err(|id| {
        let what = format!("message exceeds {MCP_LINE_BYTES_MAX} bytes");
        (id, RpcError::new(INVALID_REQUEST, what))
    })?;
    let id = || IdScanner::default().read(&line).id();
    let mut members = match json::parse(&line, MCP_DEPTH_MAX) {
        Ok(Value::Object(members)) => members,
        // [SRV-05] Batches are refused unread.
        Ok(_) => return failure(Value::Null, INVALID_REQUEST, "not an object"),
        // [SRV-08]
        Err(error) => return failure(id(), PARSE_ERROR, &error),
    };
    let id = members.remove("id");
    // A response never gets a response, even an invalid one: two peers that did so would never stop.
    let answers = members.contains_key("result") || members.contains_key("error");
    if answers && !members.contains_key("method") {
        let id = id.unwrap_or_default();
        return Ok(Message::Response { id, result: members.remove("result") });
    }
    let known = id.clone().filter(is_echoed).unwrap_or_default();
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return failure(known, INVALID_REQUEST, "`jsonrpc` is not \"2.0\"");
    }
    if id.as_ref().is_some_and(|id| !is_id(id)) {
        return failure(known, INVALID_REQUEST, "`id` is neither a string nor an integer");
    }
    let Some(Value::String(method)) = members.remove("method") else {
        return failure(known, INVALID_REQUEST, "`method` is not a string");
    };
    let params = match members.remove("params") {
        Some(Value::Object(params)) => params,
        Some(_) if id.is_some() => {
            return failure(known, INVALID_PARAMS, "`params` is not an object");
        }
        _ => Params::new(),
    };
    Ok(match id {
        Some(id) => Message::Request { id, method, params },
        None => Message::Notification { method, params },
    })
}

/// Returns `true` if a value is a valid request id or progress token.
pub(super) fn is_id(id: &Value) -> bool {
    match id {
        Value::Number(number) => number.is_i64() || number.is_u64(),
        _ => is_echoed(id),
    }
}

/// Returns the response to a request.
pub(super) fn result(id: &Id, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// Returns a notification.
pub(super) fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}
