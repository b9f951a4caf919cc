//! Agent identity. Name and version are self-reported and unverified: they are recorded, shown and passed
//! on. A policy can restrict calls by them, but never allows more because of them.

use crate::kernel::encoding::unhex;
use crate::kernel::limits::AGENT_NAME_CHARS_MAX;
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;
use serde_json::{json, Value};

/// The self-reported identity of an agent.
///
/// ```
/// use mpp::agent::Agent;
/// let agent = Agent::self_reported("claude-code", Some("2.1.0")).unwrap();
/// assert_eq!(agent.to_string(), "claude-code 2.1.0");
/// assert!(Agent::self_reported(" \u{202e} ", None).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    name: String,
    version: Option<String>,
}

impl Agent {
    /// Takes a name and a version without hidden characters and surrounding white space, truncated to
    /// [LIM-206] characters. `None` if the name is empty then.
    // [RUN-11]
    pub fn self_reported(name: &str, version: Option<&str>) -> Option<Self> {
        let name = sanitized(name)?;
        Some(Agent { name, version: version.and_then(sanitized) })
    }

    /// Reads the `clientInfo` of an MCP client.
    pub fn from_client_info(info: &Value) -> Option<Self> {
        let member = |name: &str| info.get(name).and_then(Value::as_str);
        Agent::self_reported(member("name")?, member("version"))
    }

    /// Returns the agent's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what a tool receives, in the form of `clientInfo`.
    pub fn to_json(&self) -> Value {
        match &self.version {
            Some(version) => json!({ "name": self.name, "version": version }),
            None => json!({ "name": self.name }),
        }
    }
}

/// Name and version as one text.
impl fmt::Display for Agent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(out, " {version}"))
    }
}

fn sanitized(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !is_hidden(*c)).take(AGENT_NAME_CHARS_MAX).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Returns `true` for a `traceparent` of version 00 (W3C Trace Context, section 3.2): version, trace id,
/// parent id and flags in lower-case hexadecimal, neither id all zeros.
// [RUN-12]
#[must_use]
pub fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut next = || parts.next().unwrap_or_default();
    next() == "00"
        && unhex::<16>(next()).is_some_and(|trace| trace != [0; 16])
        && unhex::<8>(next()).is_some_and(|parent| parent != [0; 8])
        && unhex::<1>(next()).is_some()
        && parts.next().is_none()
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/agent.rs"]
mod tests;
