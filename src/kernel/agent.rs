//! Room: who asks. An agent's name and version are what it says of itself, and nothing proves them: they
//! are recorded, shown and passed on. A policy may narrow by them what runs; nothing is widened by them.

use crate::kernel::encoding::unhex;
use crate::kernel::limits::AGENT_NAME_CHARS_MAX;
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;
use serde_json::{json, Value};

/// What an agent says that it is.
///
/// ```
/// use mpp::agent::Agent;
/// let agent = Agent::claimed("claude-code", Some("2.1.0")).unwrap();
/// assert_eq!(agent.to_string(), "claude-code 2.1.0");
/// assert!(Agent::claimed(" \u{202e} ", None).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    name: String,
    version: Option<String>,
}

impl Agent {
    /// Takes a name and a version as claimed: without hidden characters and surrounding space, and cut at
    /// [LIM-206] characters. `None` if nothing of the name is left.
    // [RUN-11]
    pub fn claimed(name: &str, version: Option<&str>) -> Option<Self> {
        let name = sanitized(name)?;
        Some(Agent { name, version: version.and_then(sanitized) })
    }

    /// Reads the `clientInfo` of an MCP client.
    pub fn of_client_info(info: &Value) -> Option<Self> {
        let member = |name: &str| info.get(name).and_then(Value::as_str);
        Agent::claimed(member("name")?, member("version"))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a tool is told, in the shape of `clientInfo`.
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
    let kept: String = text.chars().filter(|c| !is_hidden(*c)).take(AGENT_NAME_CHARS_MAX).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Whether a text is a `traceparent` of version 00 (W3C Trace Context, section 3.2): version, trace id,
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
