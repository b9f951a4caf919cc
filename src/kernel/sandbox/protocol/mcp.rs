//! Protocol `mcp`: one scripted session with an MCP server over stdio.
//!
//! A guest cannot be paused to wait for its host. So stdin has all messages of the client before the server
//! starts, and then ends; the responses are read from stdout after the server has exited.

use super::json_rpc::{self, Response};
use super::tool_result::{bad_answer, ToolResult};
use crate::kernel::agent::Agent;
use crate::kernel::json;
use crate::kernel::prelude::*;
use serde_json::{json, Value};

/// The client's `initialize` request and notification. They do not depend on the host's release, so that a
/// server reads the same bytes, and uses the same fuel, everywhere.
const HANDSHAKE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","#,
    r#""capabilities":{},"clientInfo":{"name":"mpp","version":"1.0"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n"
);
const CALL_ID: u64 = 2;
/// Revisions of MCP that start with `initialize`; their results of tools have the same form.
const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// Returns all of stdin for one call.
// [MCP-01]
pub(super) fn scripted_session(tool: &str, arguments: &Value, agent: Option<&Agent>) -> Vec<u8> {
    let call = json_rpc::tools_call(CALL_ID, tool, arguments, agent);
    format!("{HANDSHAKE}{call}\n").into_bytes()
}

/// Reads the result of the call from the server's stdout.
pub(super) fn result(stdout: &[u8], values_max: usize) -> Result<ToolResult, Error> {
    let (mut initialize, mut response) = (None, None);
    for line in stdout.split(|byte| *byte == b'\n').filter(|line| !json::is_blank(line)) {
        // [MCP-02]
        let message = json_rpc::message(line, values_max)?;
        // [MCP-03] Notifications need no response; requests of the server cannot get one.
        if message.get("method").is_some_and(Value::is_string) {
            continue;
        }
        // [MCP-04]
        let Response { id, result } = json_rpc::response(message)?;
        let slot = match id {
            id if id == json!(1) => &mut initialize,
            id if id == json!(CALL_ID) => &mut response,
            _ => return Err(bad_answer("response `id` matches no request")),
        };
        if slot.replace(result).is_some() {
            return Err(Error::new(Code::ToolTwoAnswers, "two responses to one request"));
        }
    }
    // [MCP-05]
    let no_answer = |what| Error::new(Code::ToolNoAnswer, what);
    match (initialize, &response) {
        (Some(Ok(result)), _) if is_initialize_result(&result) => {}
        (Some(_), _) => return Err(bad_answer("invalid result of `initialize`")),
        (None, Some(_)) => {
            return Err(bad_answer("no response to `initialize`, but one to `tools/call`"))
        }
        (None, None) => return Err(no_answer("no response on stdout")),
    }
    // [MCP-06]
    match response.ok_or_else(|| no_answer("no response to `tools/call`"))? {
        Ok(result) if json_rpc::is_tool_result(&result) => json_rpc::read_tool_result(result),
        Ok(_) => Err(bad_answer("result of `tools/call` has no array of content blocks")),
        Err(error) => json_rpc::read_error(error),
    }
}

fn is_initialize_result(result: &Value) -> bool {
    let version = result.get("protocolVersion").and_then(Value::as_str);
    let has_object = |name: &str| result.get(name).is_some_and(Value::is_object);
    version.is_some_and(|version| REVISIONS.contains(&version))
        && has_object("capabilities")
        && has_object("serverInfo")
}
