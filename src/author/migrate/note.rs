//! What was lost, and texts that a manifest may contain.

use mpp::text::is_hidden;
use serde_json::Value;

/// Something that was lost or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The tool, by its own name.
    pub tool: String,
    /// JSON pointer in the tool.
    pub pointer: String,
    /// The keyword or member.
    pub keyword: String,
    /// What was done.
    pub action: String,
}

/// Removes hidden characters but line feeds and tabs.
pub(super) fn visible(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().filter(|c| "\n\t".contains(*c) || !is_hidden(*c)).collect()
}

/// Whether a manifest may contain all strings of a value.
pub(super) fn is_clean(value: &Value) -> bool {
    let clean = |text: &str| text.chars().all(|c| "\n\t".contains(c) || !is_hidden(c));
    match value {
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter().all(is_clean),
        Value::Object(members) => {
            members.iter().all(|(name, value)| clean(name) && is_clean(value))
        }
        _ => true,
    }
}
