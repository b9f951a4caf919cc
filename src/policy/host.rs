//! Room: hosts as a policy compares them: by their text alone, without asking the network.

use std::fmt;
use std::net::IpAddr;

/// A host name or address with an optional port, in one spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Host {
    name: String,
    port: Option<String>,
}

impl Host {
    /// Takes any text apart. Names are lower case without a final dot; addresses are in the form of
    /// RFC 5952, without brackets.
    pub(super) fn of(text: &str) -> Self {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
            _ => (text, None), // no colon, or the colons of an IPv6 address
        };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let name = match bare.parse::<IpAddr>() {
            Ok(address) => address.to_canonical().to_string(),
            Err(_) => name.trim_end_matches('.').to_ascii_lowercase(),
        };
        Host { name, port: port.map(str::to_owned) }
    }

    /// Reads the host of a rule; a rule of another shape would never apply.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let host = Host::of(text);
        let letters = |label: &str| {
            label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
        };
        let labels_valid = host.name.split('.').all(|label| !label.is_empty() && letters(label));
        let port_valid = host.port.as_ref().is_none_or(|port| {
            port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == *port)
        });
        ((labels_valid || host.is_address()) && port_valid).then_some(host)
    }

    /// Whether a rule about this host is one about `other`: the same name or one below it, and the same
    /// port unless the rule names none. A request without a port is for that of https.
    // [POLICY-04]
    pub(super) fn covers(&self, other: &Host) -> bool {
        let below = other.name.strip_suffix(&self.name).is_some_and(|rest| rest.ends_with('.'));
        let port = other.port.as_deref().unwrap_or("443");
        (other.name == self.name || below) && self.port.as_ref().is_none_or(|rule| rule == port)
    }

    /// Whether it lies, by its text alone, inside the user's own network or machine: a single label, a
    /// top-level name that the public DNS does not delegate, or an address. An address as such, public
    /// or not, is nothing that a person can recognise.
    // [RISK-04]
    pub(super) fn is_internal(&self) -> bool {
        match self.name.rsplit_once('.') {
            Some((_, top)) => {
                INTERNAL_TOP_LEVELS.contains(&top)
                    || self.name.ends_with(".home.arpa")
                    || self.is_address()
            }
            None => true,
        }
    }

    fn is_address(&self) -> bool {
        self.name.parse::<IpAddr>().is_ok()
    }
}

const INTERNAL_TOP_LEVELS: [&str; 8] =
    ["internal", "local", "localhost", "lan", "home", "corp", "intranet", "private"];

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        self.port.as_ref().map_or(Ok(()), |port| write!(out, ":{port}"))
    }
}
