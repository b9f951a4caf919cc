//! Room: how a guest is spoken to: what a call puts into it, and the answer in what it leaves. One file
//! for each of the three protocols.

mod command;
pub(super) mod json_rpc;
mod mcp;
pub(super) mod result;

use super::execution::Execution;
use crate::kernel::agent::Agent;
use crate::kernel::package::manifest::{Protocol, Tool};
use crate::kernel::prelude::*;
use json_rpc::JsonRpcResponse;
use result::ToolResult;
use serde_json::Value;

/// What one call puts into a guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolInput {
    /// Arguments behind those of `runtime.args`.
    pub args: Vec<String>,
    /// All of stdin.
    pub stdin: Vec<u8>,
}

impl ToolInput {
    /// The request for a call of a tool, with arguments that follow its schema, by an agent if it gave
    /// its name.
    ///
    /// # Errors
    /// For the protocol `command`, `request.bad_arguments` and `request.too_large` if the arguments make
    /// no command line; for others none.
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
            (Protocol::Mcp, None) => (Vec::new(), mcp::session(&tool.name, arguments, agent)),
            (_, None) => (Vec::new(), json_rpc::request(&tool.name, arguments, agent)),
        };
        Ok(ToolInput { args, stdin })
    }
}

impl Execution {
    /// The one answer on stdout.
    ///
    /// # Errors
    /// `tool.no_answer`, `tool.two_answers` or `tool.bad_answer`.
    pub fn response(&self) -> Result<JsonRpcResponse, Error> {
        JsonRpcResponse::parse(&self.stdout)
    }

    /// What the tool answered.
    ///
    /// # Errors
    /// That of [`Execution::outcome`], unless the protocol says something about the exit status;
    /// `tool.no_answer`, `tool.two_answers` or `tool.bad_answer`.
    pub fn answer(&self, protocol: Protocol) -> Result<ToolResult, Error> {
        match (protocol, self.exit_status) {
            // [CMD-09]
            (Protocol::Command, Some(status)) => {
                Ok(command::result(&self.stdout, &self.stderr, status))
            }
            // [MCP-07]
            (Protocol::Mcp, Some(_)) => match mcp::answer(&self.stdout) {
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
