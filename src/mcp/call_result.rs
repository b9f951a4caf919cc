//! MCP call results: turns the outcome of a tool call into the `result` of a `tools/call` response.

use super::content_block;
use super::era::Era;
use crate::host::runtime::CallResult;
use crate::kernel::error::{Class, Code, Error};
use serde_json::{json, Value};

/// The result of a tool. Where only structured content exists, a text block repeats the filtered JSON:
/// some clients read nothing else. Others check the structured content even of an error against the listed
/// schema, and hide an error that does not match; `fits` checks it likewise.
// [SRV-33] [SRV-35] [SRV-36]
pub(super) fn tool_result(answer: CallResult, era: &Era, fits: &dyn Fn(&Value) -> bool) -> Value {
    let CallResult { mut content, structured_content, is_error, .. } = answer;
    for block in content.as_array_mut().into_iter().flatten() {
        if !content_block::is_valid(block, era.is_structured()) {
            *block = json!({ "type": "text", "text": block.to_string() });
        }
    }
    let is_text = is_error && structured_content.as_ref().is_some_and(|value| !fits(value));
    if let (Some(structured), Some(blocks)) = (&structured_content, content.as_array_mut()) {
        if blocks.is_empty() || is_text {
            blocks.push(json!({ "type": "text", "text": structured.to_string() }));
        }
    }
    let mut result = json!({ "content": content, "isError": is_error });
    let structured = structured_content.filter(|_| era.is_structured() && !is_text);
    if let (Some(structured), Some(members)) = (structured, result.as_object_mut()) {
        members.insert("structuredContent".to_owned(), structured);
    }
    result
}

pub(super) fn failure(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}

/// The result of a call that did not succeed: the input that it requires, or an error. Some clients show a
/// model only the text, so the text starts with the kind of error.
// [SRV-34] [SRV-42]
pub(super) fn refusal(error: &Error) -> Value {
    if let Some(input) = error.input_required() {
        return input.clone();
    }
    let code = error.code();
    let stage = code.as_str().split('.').next().unwrap_or_default();
    let label = match (stage, code.class()) {
        _ if code == Code::HostBusy => "BUSY",
        ("request", _) => "INVALID REQUEST",
        (_, Class::Refused) => "DENIED by MPP policy",
        (_, Class::Tool) => "FAILED",
        _ => "FAILED on the host",
    };
    failure(&format!("{label}: [{}] {}", code.as_str(), error.detail()))
}
