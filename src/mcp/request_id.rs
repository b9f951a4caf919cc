//! Id of a refused request: found without the strict parser, so that the client does not wait for a response.

use crate::kernel::limits::MCP_ID_BYTES_MAX;
use serde_json::Value;

/// Maximum length of a member that is read: fits the longest id, even if each character is escaped.
const MEMBER_BYTES_MAX: usize = 8 * MCP_ID_BYTES_MAX;

/// Reads the members of the object in a line, piece by piece and in constant memory. Arrays and objects in it are
/// skipped to their end.
#[derive(Default)]
pub(super) struct IdScanner {
    depth: u64,
    is_string: bool,
    is_escaped: bool,
    is_ended: bool,
    /// The current member, as an object without its end.
    member: Vec<u8>,
    has_method: bool,
    id: Option<Value>,
}

impl IdScanner {
    // [SRV-08]
    pub(super) fn read(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes {
            let depth_before = self.depth;
            self.is_ended |= depth_before == 0 && byte != b'{' && !byte.is_ascii_whitespace();
            if self.is_ended {
                return self;
            }
            match byte {
                _ if std::mem::take(&mut self.is_escaped) => {}
                b'\\' => self.is_escaped = self.is_string,
                b'"' => self.is_string = !self.is_string,
                b'{' | b'[' if !self.is_string => self.depth = depth_before.saturating_add(1),
                b'}' | b']' if !self.is_string => self.depth = depth_before.saturating_sub(1),
                _ => {}
            }
            self.is_ended = depth_before == 1 && self.depth == 0;
            if self.is_ended || (depth_before == 1 && byte == b',' && !self.is_string) {
                self.end_member();
            } else if depth_before.min(self.depth) <= 1 && self.member.len() < MEMBER_BYTES_MAX {
                self.member.push(byte);
            }
        }
        self
    }

    fn end_member(&mut self) {
        // A method counts even if it cannot be parsed.
        let name = self.member.trim_ascii_start().strip_prefix(b"{").unwrap_or_default();
        self.has_method |= name.trim_ascii_start().starts_with(br#""method""#);
        self.member.push(b'}');
        let member: Value = serde_json::from_slice(&self.member).unwrap_or_default();
        if let Some(id) = member.get("id") {
            // Of two different ids, neither is known to be the client's.
            let is_other = self.id.as_ref().is_some_and(|first| first != id);
            self.id = Some(if is_other { Value::Null } else { id.clone() });
        }
        self.member = b"{".to_vec();
    }

    /// Returns the id, or `null`. Without a method, the line may be a response, and the id one of this server's.
    // [SRV-08]
    pub(super) fn id(self) -> Value {
        self.id.filter(|id| self.has_method && is_echoed(id)).unwrap_or_default()
    }
}

/// Returns `true` if an error response repeats this id. A client recognizes `1.0`, although it is invalid.
pub(super) fn is_echoed(id: &Value) -> bool {
    match id {
        Value::String(text) => text.len() <= MCP_ID_BYTES_MAX,
        _ => id.is_number(),
    }
}
