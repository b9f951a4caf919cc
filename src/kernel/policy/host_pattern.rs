//! Host names as a policy compares them: as texts, without resolving them. Addresses do not occur, since
//! a manifest cannot request one.

use crate::kernel::document::text_form;
use crate::kernel::names::{is_host_and_port, read_port};
use crate::kernel::prelude::*;

/// A host name with an optional port, in lower case and without a final dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kernel) struct HostPattern {
    name: String,
    port: Option<String>,
}

impl HostPattern {
    /// Splits any text into name and port, without one final dot of the name.
    pub(super) fn from_text(text: &str) -> Self {
        let split = text.split_once(':').map(|(name, port)| (name, Some(port.to_owned())));
        let (name, port) = split.unwrap_or((text, None));
        HostPattern { name: name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(), port }
    }

    /// Parses the host of a rule. Other texts could never match.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let host = HostPattern::from_text(text);
        let port_valid = host.port.as_deref().is_none_or(|port| read_port(port).is_some());
        (is_host_and_port(&host.name) && port_valid).then_some(host)
    }

    /// Returns `true` if a rule for this host applies to `other`: the same name or a subdomain, and the same
    /// port unless the rule has none. A host without a port has port 443.
    // [POLICY-04]
    pub(super) fn covers(&self, other: &HostPattern) -> bool {
        let below = other.name.strip_suffix(&self.name).is_some_and(|rest| rest.ends_with('.'));
        let port = other.port.as_deref().unwrap_or("443");
        (other.name == self.name || below) && self.port.as_ref().is_none_or(|rule| rule == port)
    }

    /// Returns `true` if the name belongs to this machine or a private network: a single label, or a top-level
    /// name that the public DNS does not delegate.
    // [RISK-04]
    pub(super) fn is_internal(&self) -> bool {
        match self.name.rsplit_once('.') {
            Some((_, top)) => {
                INTERNAL_TOP_LEVELS.contains(&top) || self.name.ends_with(".home.arpa")
            }
            None => true,
        }
    }
}

const INTERNAL_TOP_LEVELS: [&str; 8] =
    ["internal", "local", "localhost", "lan", "home", "corp", "intranet", "private"];

impl fmt::Display for HostPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        self.port.as_ref().map_or(Ok(()), |port| write!(out, ":{port}"))
    }
}

text_form!(HostPattern, "a host name with an optional port");
