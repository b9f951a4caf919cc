//! Room: which header fields may leave through the door, and which of a response come in.

use crate::kernel::limits::{HTTP_HEADERS_BYTES_MAX, HTTP_HEADERS_COUNT_MAX};
use crate::kernel::names::is_header_name;
use crate::kernel::prelude::*;

/// All that is sent on to another origin: credentials can have any name.
const FOR_ANY_ORIGIN: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// Whether a header asks for a body in which a text that was sent can't be found.
// [DOOR-38]
pub(super) fn hides_text(name: &str) -> bool {
    matches!(name, "accept-encoding" | "range" | "if-range")
}

/// Whether a list of headers is short enough to be sent or handed on.
// [DOOR-34]
pub(super) fn fits(headers: &[(String, String)]) -> bool {
    let bytes = headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    headers.len() <= HTTP_HEADERS_COUNT_MAX
        && bytes.fold(0, usize::saturating_add) <= HTTP_HEADERS_BYTES_MAX
}

/// Whether a redirect takes a header of the guest along to another origin.
// [DOOR-45]
pub(super) fn is_for_any_origin(name: &str) -> bool {
    FOR_ANY_ORIGIN.contains(&name)
}

/// Whether the guest gets this header of a response: none of a connection, and no cookie, which is a
/// credential that a secret header may have bought.
// [DOOR-51]
pub(super) fn is_for_guest(name: &str) -> bool {
    let length = name == "content-length";
    length || (is_header_name(name) && name != "set-cookie" && name != "set-cookie2")
}
