//! Room: what comes of a call, as the protocol says it.

use super::era::Era;
use crate::host::runtime::CallResult;
use crate::kernel::error::{Class, Error};
use serde_json::{json, Value};

/// The answer of a tool. Where it is structured only, a text holds the filtered JSON as well: some clients
/// look at nothing else.
// [SRV-33]
pub(super) fn tool_result(answer: CallResult, era: &Era) -> Value {
    let CallResult { mut content, structured_content, is_error, .. } = answer;
    if let (Some(structured), Some(blocks)) = (&structured_content, content.as_array_mut()) {
        if blocks.is_empty() {
            blocks.push(json!({ "type": "text", "text": structured.to_string() }));
        }
    }
    let mut result = json!({ "content": content, "isError": is_error });
    let structured = structured_content.filter(|_| era.is_structured());
    if let (Some(structured), Some(members)) = (structured, result.as_object_mut()) {
        members.insert("structuredContent".to_owned(), structured);
    }
    result
}

pub(super) fn failure(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}

/// What comes of a call that did not succeed: what it has to come again with, or what happened. Some
/// clients show a model nothing but the text, so it says that plainly.
// [SRV-34] [SRV-42]
pub(super) fn refusal(error: &Error) -> Value {
    if let Some(input) = error.input_required() {
        return input.clone();
    }
    let code = error.code();
    let stage = code.as_str().split('.').next().unwrap_or_default();
    let word = match (stage, code.class()) {
        ("request", _) => "INVALID REQUEST",
        (_, Class::Refused) => "DENIED by MPP policy",
        (_, Class::Tool) => "FAILED",
        _ => "FAILED on the host",
    };
    failure(&format!("{word}: [{}] {}", code.as_str(), error.detail()))
}
