//! Result of a tool, common to all protocols.

use crate::kernel::prelude::*;
use serde_json::{json, Value};

/// A tool's result in the form of MCP's `CallToolResult`. All of its content is here, so that all of it is
/// filtered.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// An array of content blocks.
    pub content: Value,
    /// An object for programs, if the tool returned one.
    pub structured_content: Option<Value>,
    /// Whether the tool reports a failure.
    pub is_error: bool,
}

/// An invalid response.
pub(super) fn bad_answer(detail: impl Into<String>) -> Error {
    Error::new(Code::ToolBadAnswer, detail)
}

/// A text content block.
pub(super) fn text_block(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}
