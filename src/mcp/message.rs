//! Room: JSON-RPC 2.0 as MCP uses it: one line in, one message out of it, and the lines that go back.

use crate::json;
use crate::limits::{MCP_BATCH_COUNT_MAX, MCP_DEPTH_MAX, MCP_ID_BYTES_MAX};
use serde_json::{json, Map, Value};

/// The id of a request: a string or an integer, as it came.
pub(super) type Id = Value;

/// A line that could be read.
#[derive(Debug)]
pub(super) enum Message {
    /// Wants an answer.
    Request { id: Id, method: String, params: Map<String, Value> },
    /// Wants none.
    Notification { method: String, params: Map<String, Value> },
    /// Answers a request of ours.
    Response { id: Id, result: Option<Value> },
    /// Several at once, each read like a line of its own.
    Batch(Vec<Result<Message, Fault>>),
}

/// Why a message is answered with an error instead of a result.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) id: Value,
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

impl Fault {
    pub(super) fn new(id: &Value, code: i64, message: impl Into<String>) -> Self {
        Fault { id: id.clone(), code, message: message.into(), data: None }
    }

    /// The line that tells it.
    pub(super) fn line(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(members)) = (&self.data, error.as_object_mut()) {
            members.insert("data".to_owned(), data.clone());
        }
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error })
    }
}

/// Reads one line.
// [SRV-02] [SRV-03]
pub(super) fn read(line: &[u8]) -> Result<Message, Fault> {
    let value = json::parse(line, MCP_DEPTH_MAX)
        .map_err(|error| Fault::new(&Value::Null, PARSE_ERROR, error.to_string()))?;
    match value {
        Value::Array(items) if items.is_empty() => Err(invalid(&Value::Null, "an empty batch")),
        Value::Array(items) if items.len() > MCP_BATCH_COUNT_MAX => {
            Err(invalid(&Value::Null, "a batch longer than spec/limits.md allows"))
        }
        Value::Array(items) => Ok(Message::Batch(items.into_iter().map(one).collect())),
        other => one(other),
    }
}

fn invalid(id: &Value, what: &str) -> Fault {
    Fault::new(id, INVALID_REQUEST, what)
}

fn one(value: Value) -> Result<Message, Fault> {
    let Value::Object(mut members) = value else {
        return Err(invalid(&Value::Null, "not an object"));
    };
    let id = members.remove("id");
    // An answer is never answered, however it looks: two who do that would go on for ever.
    let answers = members.contains_key("result") || members.contains_key("error");
    if answers && !members.contains_key("method") {
        let id = id.unwrap_or(Value::Null);
        return Ok(Message::Response { id, result: members.remove("result") });
    }
    let known = id.clone().filter(is_id).unwrap_or(Value::Null);
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(invalid(&known, "`jsonrpc` is not \"2.0\""));
    }
    if id.as_ref().is_some_and(|id| !is_id(id)) {
        return Err(invalid(&Value::Null, "`id` is neither a string nor an integer"));
    }
    let Some(method) = members.remove("method") else {
        return Err(invalid(&known, "neither a request nor an answer"));
    };
    let Value::String(method) = method else {
        return Err(invalid(&known, "`method` is not a string"));
    };
    let params = match members.remove("params") {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(_) if id.is_none() => Map::new(),
        Some(_) => return Err(Fault::new(&known, INVALID_PARAMS, "`params` is not an object")),
    };
    Ok(match id {
        Some(id) => Message::Request { id, method, params },
        None => Message::Notification { method, params },
    })
}

/// Whether a value can be the id of a request, or the token of its progress.
pub(super) fn is_id(id: &Value) -> bool {
    match id {
        Value::String(text) => text.len() <= MCP_ID_BYTES_MAX,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        _ => false,
    }
}

/// The line with a result.
pub(super) fn result(id: &Id, result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}
