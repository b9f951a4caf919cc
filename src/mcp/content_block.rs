//! Content blocks: whether a block of a tool has the form that a revision of MCP defines.

use crate::kernel::encoding::unbase64_vec;
use serde_json::{Map, Value};

/// Returns `true` if a block has a form of revision 2024-11-05, or with `is_newer` of one from 2025-06-18 on.
pub(super) fn is_valid(block: &Value, is_newer: bool) -> bool {
    let Some(block) = block.as_object() else { return false };
    let is_media = || has(block, "data", is_base64) && has(block, "mimeType", Value::is_string);
    let is_known = match block.get("type").and_then(Value::as_str) {
        Some("text") => has(block, "text", Value::is_string),
        Some("image") => is_media(),
        Some("audio") if is_newer => is_media(),
        Some("resource") => has(block, "resource", is_resource),
        Some("resource_link") if is_newer => {
            has(block, "uri", is_uri)
                && has(block, "name", Value::is_string)
                && ["title", "description", "mimeType"]
                    .iter()
                    .all(|name| may_have(block, name, Value::is_string))
                && may_have(block, "size", Value::is_number)
                && may_have(block, "icons", is_icons)
        }
        _ => false,
    };
    is_known
        && may_have(block, "annotations", is_annotations)
        && may_have(block, "_meta", Value::is_object)
}

fn has(object: &Map<String, Value>, name: &str, check: impl Fn(&Value) -> bool) -> bool {
    object.get(name).is_some_and(check)
}

fn may_have(object: &Map<String, Value>, name: &str, check: impl Fn(&Value) -> bool) -> bool {
    object.get(name).is_none_or(check)
}

fn is_base64(value: &Value) -> bool {
    value.as_str().is_some_and(|text| unbase64_vec(text).is_some())
}

/// Returns `true` for a text with a scheme (RFC 3986, section 3.1) and no white space.
fn is_uri(value: &Value) -> bool {
    let parts = value.as_str().and_then(|uri| uri.split_once(':'));
    parts.is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !rest.is_empty()
            && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

/// Returns `true` for the contents of a resource: either text or bytes.
fn is_resource(value: &Value) -> bool {
    value.as_object().is_some_and(|resource| {
        let content = match (resource.get("text"), resource.get("blob")) {
            (Some(text), None) => text.is_string(),
            (None, Some(blob)) => is_base64(blob),
            _ => false,
        };
        content
            && has(resource, "uri", is_uri)
            && may_have(resource, "mimeType", Value::is_string)
            && may_have(resource, "_meta", Value::is_object)
    })
}

fn is_annotations(value: &Value) -> bool {
    let is_role = |role: &Value| role == "user" || role == "assistant";
    let is_audience = |value: &Value| value.as_array().is_some_and(|all| all.iter().all(is_role));
    let is_priority =
        |value: &Value| value.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number));
    value.as_object().is_some_and(|members| {
        may_have(members, "audience", is_audience)
            && may_have(members, "priority", is_priority)
            && may_have(members, "lastModified", Value::is_string)
    })
}

fn is_icons(value: &Value) -> bool {
    let is_icon = |icon: &Value| {
        icon.as_object().is_some_and(|icon| {
            let is_sizes = |value: &Value| {
                value.as_array().is_some_and(|all| all.iter().all(Value::is_string))
            };
            has(icon, "src", is_uri)
                && may_have(icon, "mimeType", Value::is_string)
                && may_have(icon, "sizes", is_sizes)
        })
    };
    value.as_array().is_some_and(|icons| icons.iter().all(is_icon))
}
