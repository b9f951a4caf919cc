//! Header rules of the `http` service: which headers are sent, and which are returned to the guest.

use crate::kernel::limits::{HTTP_HEADERS_BYTES_MAX, HTTP_HEADERS_COUNT_MAX};
use crate::kernel::names::is_header_name;
use crate::kernel::prelude::*;

/// The only headers that follow a redirect to another origin: credentials can have any name.
const CROSS_ORIGIN_HEADERS: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// Returns `true` if the header requests a partial or compressed body, in which an echoed secret cannot be
/// found.
// [DOOR-38]
pub(super) fn alters_body(name: &str) -> bool {
    matches!(name, "accept-encoding" | "range" | "if-range")
}

/// Returns `true` if headers are within the limits for sending or returning.
// [DOOR-34]
pub(super) fn within_limits(headers: &[(String, String)]) -> bool {
    let bytes = headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    headers.len() <= HTTP_HEADERS_COUNT_MAX
        && bytes.fold(0, usize::saturating_add) <= HTTP_HEADERS_BYTES_MAX
}

/// Returns `true` if a header of the guest follows a redirect to another origin.
// [DOOR-45]
pub(super) fn follows_cross_origin(name: &str) -> bool {
    CROSS_ORIGIN_HEADERS.contains(&name)
}

/// Returns `true` if the guest gets this response header: `content-length`, and any that it could send
/// itself; no cookie, which is a credential that a secret header may have obtained.
// [DOOR-51]
pub(super) fn is_visible(name: &str) -> bool {
    let length = name == "content-length";
    length || (is_header_name(name) && name != "set-cookie" && name != "set-cookie2")
}
