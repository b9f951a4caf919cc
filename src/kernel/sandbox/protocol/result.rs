//! The answer of a tool, whichever protocol it came by.

use crate::kernel::prelude::*;
use serde_json::{json, Value};

/// An answer in the shape that MCP gives to results of tools. Everything that a tool said is in it, so
/// that everything can be filtered.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// An array of content blocks.
    pub content: Value,
    /// An object for programs, if the tool gave one.
    pub structured_content: Option<Value>,
    /// Whether the tool says that it failed.
    pub is_error: bool,
}

/// The error for an answer that is none.
pub(super) fn bad(detail: impl Into<String>) -> Error {
    Error::new(Code::ToolBadAnswer, detail)
}

/// A content block with a text.
pub(super) fn text_block(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}
