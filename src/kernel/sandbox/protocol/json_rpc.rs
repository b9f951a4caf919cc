//! Protocol `json-rpc`: one `tools/call` request on stdin, one response on stdout.

use super::tool_result::{bad_answer, text_block, ToolResult};
use crate::kernel::agent::Agent;
use crate::kernel::json;
use crate::kernel::limits::{JSON_VALUES_COUNT_MAX, REQUEST_DEPTH_MAX};
use crate::kernel::prelude::*;
use serde_core::de::IgnoredAny;
use serde_json::{json, Map, Value};

/// Returns the request for one call, as one line with its line feed.
///
/// ```
/// let line = mpp::sandbox::tools_call_request("add", &serde_json::json!({"a": 1}));
/// assert_eq!(line, br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1}}}
/// "#);
/// ```
// [BOX-70]
pub fn tools_call_request(tool: &str, arguments: &Value) -> Vec<u8> {
    request(tool, arguments, None)
}

/// As [`tools_call_request`], with the agent's name if it has one.
pub(super) fn request(tool: &str, arguments: &Value, agent: Option<&Agent>) -> Vec<u8> {
    format!("{}\n", tools_call(1, tool, arguments, agent)).into_bytes()
}

/// The request without its line feed.
// [BOX-96]
pub(super) fn tools_call(id: u64, tool: &str, arguments: &Value, agent: Option<&Agent>) -> String {
    let tool = Value::from(tool);
    let meta = agent.map(|agent| json!({ "io.modelcontextprotocol/clientInfo": agent.to_json() }));
    let meta = meta.map(|meta| format!(r#","_meta":{meta}"#)).unwrap_or_default();
    let params = format!(r#"{{"name":{tool},"arguments":{arguments}{meta}}}"#);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#)
}

/// The response of a tool. All of its content is in `result`, so that all of it is filtered.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonRpcResponse {
    /// The result of the call.
    pub result: ToolResult,
}

impl JsonRpcResponse {
    /// Reads the only response from a tool's stdout.
    ///
    /// # Errors
    /// `tool.no_answer`: stdout is empty. `tool.two_answers`: more than one JSON value. `tool.bad_answer`:
    /// not a response to the request.
    ///
    /// ```
    /// use mpp::sandbox::JsonRpcResponse;
    /// let stdout = br#"{"jsonrpc":"2.0","id":1,"result":{"words":2}}"#;
    /// let response = JsonRpcResponse::parse(stdout)?;
    /// assert_eq!(response.result.content[0]["text"], r#"{"words":2}"#);
    /// assert_eq!(response.result.structured_content.unwrap()["words"], 2);
    /// # Ok::<(), mpp::Error>(())
    /// ```
    pub fn parse(stdout: &[u8]) -> Result<Self, Error> {
        JsonRpcResponse::parse_values(stdout, JSON_VALUES_COUNT_MAX)
    }

    /// As [`JsonRpcResponse::parse`], with at most this many JSON values.
    pub(super) fn parse_values(stdout: &[u8], values_max: usize) -> Result<Self, Error> {
        // [BOX-71]
        if json::is_blank(stdout) {
            return Err(Error::new(Code::ToolNoAnswer, "stdout is empty"));
        }
        let message =
            message(stdout, values_max).map_err(|error| match begins_with_two_values(stdout) {
                true => Error::new(Code::ToolTwoAnswers, error.detail()),
                false => error,
            })?;
        // [BOX-72]
        let Response { id, result } = response(message)?;
        if id != json!(1) {
            return Err(bad_answer("`id` is not 1"));
        }
        let result = match result {
            Ok(result) if is_tool_result(&result) => read_tool_result(result)?,
            Ok(result) => wrap_result(result),
            Err(error) => read_error(error)?,
        };
        Ok(JsonRpcResponse { result })
    }
}

/// A JSON-RPC response; `Err` has the members of `error`.
pub(super) struct Response {
    pub(super) id: Value,
    pub(super) result: Result<Value, Map<String, Value>>,
}

/// Parses one JSON-RPC message.
pub(super) fn message(text: &[u8], values_max: usize) -> Result<Map<String, Value>, Error> {
    let value = json::parse_values(text, REQUEST_DEPTH_MAX, values_max)
        .map_err(|error| bad_answer(format!("stdout is not a JSON-RPC message: {error}")))?;
    let Value::Object(message) = value else {
        return Err(bad_answer("message on stdout is not an object"));
    };
    match message.get("jsonrpc") {
        Some(Value::String(version)) if version == "2.0" => Ok(message),
        _ => Err(bad_answer("`jsonrpc` is not \"2.0\"")),
    }
}

pub(super) fn response(mut message: Map<String, Value>) -> Result<Response, Error> {
    let id = message.remove("id").unwrap_or_default();
    let result = match (message.remove("result"), message.remove("error")) {
        (Some(result), None) => Ok(result),
        (None, Some(Value::Object(error))) => Err(error),
        _ => return Err(bad_answer("response needs either `result` or an object `error`")),
    };
    Ok(Response { id, result })
}

/// Returns `true` if a complete JSON value is followed by another.
fn begins_with_two_values(stdout: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(stdout).into_iter::<IgnoredAny>();
    matches!((values.next(), values.next()), (Some(Ok(_)), Some(Ok(_))))
}

/// Returns `true` if a result has MCP's form: `content` is an array of content blocks.
// [BOX-73]
pub(super) fn is_tool_result(result: &Value) -> bool {
    let is_block = |block: &Value| block.get("type").is_some_and(Value::is_string);
    let blocks = result.get("content").and_then(Value::as_array);
    blocks.is_some_and(|blocks| blocks.iter().all(is_block))
}

/// Wraps any other result: its text as a content block, and an object also as the structured content.
// [BOX-74]
fn wrap_result(result: Value) -> ToolResult {
    ToolResult {
        content: json!([text_block(&text_of(&result))]),
        structured_content: result.is_object().then_some(result),
        is_error: false,
    }
}

// [BOX-73]
pub(super) fn read_tool_result(mut result: Value) -> Result<ToolResult, Error> {
    let mut member = |name: &str| result.as_object_mut().and_then(|members| members.remove(name));
    let structured_content = member("structuredContent");
    if structured_content.as_ref().is_some_and(|value| !value.is_object()) {
        return Err(bad_answer("`structuredContent` is not an object"));
    }
    let is_error = match member("isError") {
        None => false,
        Some(Value::Bool(is_error)) => is_error,
        Some(_) => return Err(bad_answer("`isError` is not a boolean")),
    };
    Ok(ToolResult { content: member("content").unwrap_or_default(), structured_content, is_error })
}

/// Converts a JSON-RPC error to an MCP result with `isError`.
// [BOX-75]
pub(super) fn read_error(mut error: Map<String, Value>) -> Result<ToolResult, Error> {
    let (Some(Value::String(message)), Some(Value::Number(_))) =
        (error.remove("message"), error.remove("code"))
    else {
        return Err(bad_answer("`error` needs a number `code` and a string `message`"));
    };
    Ok(ToolResult {
        content: json!([text_block(&message)]),
        structured_content: error.remove("data").filter(Value::is_object),
        is_error: true,
    })
}

/// Returns a string verbatim, and any other value as JSON.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
