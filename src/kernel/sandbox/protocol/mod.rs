//! Protocols between host and guest: how a call is encoded as arguments and stdin, and how its result is
//! decoded.

mod command;
pub(super) mod json_rpc;
mod mcp;
mod tool_result;

use super::outcome::Execution;
use crate::kernel::agent::Agent;
use crate::kernel::package::manifest::{Command, Protocol, Tool};
use crate::kernel::prelude::*;
use json_rpc::JsonRpcResponse;
use serde_json::Value;
pub use tool_result::ToolResult;

/// The input of a guest for one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolInput {
    /// Arguments that follow those of `runtime.args`.
    pub args: Vec<String>,
    /// All of stdin.
    pub stdin: Vec<u8>,
}

impl ToolInput {
    /// Encodes a call of a tool. The arguments were validated against its schema; `agent` is the caller if
    /// it gave its name.
    ///
    /// # Errors
    /// `request.bad_arguments`, `request.too_large`: the arguments of the protocol `command` do not form a
    /// command line.
    ///
    /// ```
    /// use mpp::sandbox::ToolInput;
    /// let manifest = mpp::Manifest::parse(br#"{
    ///     "mpp_version": "1.0", "id": "org.acme.grep", "version": "1.0.0",
    ///     "name": "Grep", "description": "Finds lines.",
    ///     "runtime": { "target": "wasm32-wasip1", "protocol": "command" },
    ///     "tools": [ { "name": "find", "description": "Finds lines.", "sensitivity": "read",
    ///         "parameters": { "type": "object", "properties": {
    ///             "limit": { "type": "integer" }, "pattern": { "type": "string" } } },
    ///         "command": { "args": [["-m", "{limit}"], "--", "{pattern}"] } } ] }"#)?;
    /// let arguments = serde_json::json!({ "pattern": "-v; $HOME" });
    /// let request = ToolInput::new(manifest.runtime.protocol, &manifest.tools[0], &arguments, None)?;
    /// assert_eq!(request.args, ["--", "-v; $HOME"]);
    /// # Ok::<(), mpp::Error>(())
    /// ```
    pub fn new(
        protocol: Protocol,
        tool: &Tool,
        arguments: &Value,
        agent: Option<&Agent>,
    ) -> Result<Self, Error> {
        let (args, stdin) = match (protocol, &tool.command) {
            (_, Some(command)) => command::request(command, arguments)?,
            (Protocol::Mcp, None) => {
                (Vec::new(), mcp::scripted_session(tool.program_name(), arguments, agent))
            }
            (_, None) => (Vec::new(), json_rpc::request(tool.program_name(), arguments, agent)),
        };
        Ok(ToolInput { args, stdin })
    }
}

impl Execution {
    /// Reads the only JSON-RPC response on stdout.
    ///
    /// # Errors
    /// `tool.no_answer`, `tool.two_answers` or `tool.bad_answer`.
    pub fn response(&self) -> Result<JsonRpcResponse, Error> {
        JsonRpcResponse::parse_values(&self.stdout, self.values_max)
    }

    /// Returns the result of the call. Without a `command`, only exit status 0 is a success.
    ///
    /// # Errors
    /// That of [`Execution::outcome`], unless the protocol defines another meaning of the exit status;
    /// `tool.no_answer`, `tool.two_answers` or `tool.bad_answer`.
    pub fn tool_result(
        &self,
        protocol: Protocol,
        command: Option<&Command>,
    ) -> Result<ToolResult, Error> {
        match (protocol, self.exit_status) {
            // [CMD-09]
            (Protocol::Command, Some(status)) => {
                Ok(command::result(command, &self.stdout, &self.stderr, status))
            }
            // [MCP-07]
            (Protocol::Mcp, Some(_)) => match mcp::result(&self.stdout, self.values_max) {
                Ok(result) => Ok(result),
                Err(error) => self.outcome.clone().and(Err(error)),
            },
            _ => {
                self.outcome.clone()?;
                Ok(self.response()?.result)
            }
        }
    }
}
