//! Room: the `mcp` protocol: one session with an MCP server over stdio, written down beforehand.
//!
//! A guest cannot be paused to wait for its host, so all that a client says stands in stdin before the
//! server starts, and then stdin ends. Its answers are looked for in what it wrote until it exited.

use super::json_rpc::{self, Response};
use super::result::{bad, ToolResult};
use crate::kernel::agent::Agent;
use crate::kernel::prelude::*;
use serde_json::{json, Value};

/// The client's first words. Neither they nor the version in them depend on the release of the host, so
/// that a server reads the same bytes, and uses the same fuel, everywhere.
const HANDSHAKE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","#,
    r#""capabilities":{},"clientInfo":{"name":"mpp","version":"1.0"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n"
);
const CALL_ID: u64 = 2;
/// Revisions of MCP that begin with `initialize`; what they say about results of tools is read alike.
const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// All of stdin for one call.
// [MCP-01]
pub(super) fn session(tool: &str, arguments: &Value, agent: Option<&Agent>) -> Vec<u8> {
    let call = json_rpc::tools_call(CALL_ID, tool, arguments, agent);
    format!("{HANDSHAKE}{call}\n").into_bytes()
}

/// The result of the call, from everything that the server wrote to stdout.
pub(super) fn answer(stdout: &[u8]) -> Result<ToolResult, Error> {
    let (mut greeting, mut answer) = (None, None);
    let is_blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
    for line in stdout.split(|byte| *byte == b'\n').filter(|line| !is_blank(line)) {
        // [MCP-02]
        let message = json_rpc::message(line)?;
        // [MCP-03] Notifications and requests: the first want no answer, the second can get none.
        if message.get("method").is_some_and(Value::is_string) {
            continue;
        }
        // [MCP-04]
        let Response { id, result } = json_rpc::response(message)?;
        let slot = match id {
            id if id == json!(1) => &mut greeting,
            id if id == json!(CALL_ID) => &mut answer,
            _ => return Err(bad("a response has the `id` of no request")),
        };
        if slot.replace(result).is_some() {
            return Err(Error::new(Code::ToolTwoAnswers, "a request was answered twice"));
        }
    }
    // [MCP-05]
    let no_answer = |what| Error::new(Code::ToolNoAnswer, what);
    match (greeting, &answer) {
        (Some(Ok(result)), _) if is_greeting(&result) => {}
        (Some(_), _) => return Err(bad("`initialize` was not answered with a result of it")),
        (None, Some(_)) => return Err(bad("`initialize` was not answered, but the call was")),
        (None, None) => return Err(no_answer("no request was answered")),
    }
    // [MCP-06]
    match answer.ok_or_else(|| no_answer("`tools/call` was not answered"))? {
        Ok(result) if json_rpc::is_tool_result(&result) => json_rpc::read_tool_result(result),
        Ok(_) => Err(bad("the result of `tools/call` has no array of content blocks")),
        Err(error) => json_rpc::read_error(error),
    }
}

fn is_greeting(result: &Value) -> bool {
    let version = result.get("protocolVersion").and_then(Value::as_str);
    let has_object = |name: &str| result.get(name).is_some_and(Value::is_object);
    version.is_some_and(|version| REVISIONS.contains(&version))
        && has_object("capabilities")
        && has_object("serverInfo")
}
