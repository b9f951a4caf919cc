//! Capabilities: what a package requests and gets, as one list for approvals, tokens and audit records.

use super::value_or_secret::ValueSource;
use crate::kernel::document::string_enum;
use crate::kernel::encoding::{hex, sha256_hex};
use crate::kernel::json::canonical;
use crate::kernel::package::manifest::Manifest;
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;
use core::fmt::Write;
use serde_json::{json, Value};

string_enum! {
    /// Kinds of capabilities, which a policy can deny as a whole.
    // [POLICY-01]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum CapabilityKind {
        /// Connect to hosts.
        Network = "network",
        /// Read directories.
        FilesystemRead = "filesystem.read",
        /// Write directories.
        FilesystemWrite = "filesystem.write",
        /// Read environment variables.
        Environment = "environment",
        /// Store data between calls.
        Storage = "storage",
        /// Run tools whose effect cannot be undone.
        Destructive = "destructive",
    }
}

/// A capability that a package requests, with what the policy provides for it, or that a policy grants to
/// all packages. Its `Display` form is one line with everything except secret and literal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Connect to a host.
    Network {
        /// The host as in the manifest: a name with a port, or without one for 443.
        host: String,
        /// Whether connections without TLS are allowed.
        plain_http: bool,
        /// Whether its name is allowed to resolve to an address of this machine or a private network.
        private_addresses: bool,
        /// Headers that the `http` service adds and the guest does not see.
        headers: BTreeMap<String, ValueSource>,
    },
    /// Read below a directory, or read and write.
    Directory {
        /// The path in the guest.
        guest: String,
        /// The mapped directory of the host, if any.
        host: Option<String>,
        /// Whether the guest is allowed to write.
        writable: bool,
    },
    /// Read an environment variable.
    Environment {
        /// The name of the variable.
        name: String,
        /// Its value, if the policy sets one.
        source: Option<ValueSource>,
    },
    /// Store data between calls.
    Storage {
        /// Limit on the stored data, in KiB.
        limit_kb: u32,
    },
    /// Run a tool whose effect cannot be undone.
    Destructive {
        /// The name of the tool.
        tool: String,
    },
    /// Read the host's clocks. A policy grants it to all packages.
    RealClock,
    /// Use the host's random numbers. A policy grants it to all packages.
    RealRandom,
}

impl Capability {
    /// Returns the kind, for a capability that a package can request.
    pub fn kind(&self) -> Option<CapabilityKind> {
        Some(match self {
            Capability::Network { .. } => CapabilityKind::Network,
            Capability::Directory { writable: false, .. } => CapabilityKind::FilesystemRead,
            Capability::Directory { writable: true, .. } => CapabilityKind::FilesystemWrite,
            Capability::Environment { .. } => CapabilityKind::Environment,
            Capability::Storage { .. } => CapabilityKind::Storage,
            Capability::Destructive { .. } => CapabilityKind::Destructive,
            Capability::RealClock | Capability::RealRandom => return None,
        })
    }

    /// Returns everything that a manifest requests, in the order of the kinds, with nothing mapped or set.
    pub fn requested_by(manifest: &Manifest) -> Vec<Capability> {
        let asked = &manifest.capabilities;
        let host = |host: &String| Capability::Network {
            host: host.clone(),
            plain_http: false,
            private_addresses: false,
            headers: BTreeMap::new(),
        };
        let directory = |guest: &String, writable| Capability::Directory {
            guest: guest.clone(),
            host: None,
            writable,
        };
        let variable = |name: &String| Capability::Environment { name: name.clone(), source: None };
        let mut list: Vec<Capability> = asked.network.iter().map(host).collect();
        list.extend(asked.filesystem.read.iter().map(|guest| directory(guest, false)));
        list.extend(asked.filesystem.write.iter().map(|guest| directory(guest, true)));
        list.extend(asked.environment.iter().map(variable));
        list.extend(asked.storage.map(|s| Capability::Storage { limit_kb: s.limit_kb }));
        let destructive = manifest.tools.iter().filter(|tool| tool.is_destructive());
        list.extend(destructive.map(|tool| Capability::Destructive { tool: tool.name.clone() }));
        list
    }

    /// Returns `true` if a token can contain it: not if the policy does not map or set it, and not for
    /// destructive tools, which are allowed by approval, not by a grant.
    pub(super) fn is_grantable(&self) -> bool {
        match self {
            Capability::Directory { host, .. } => host.is_some(),
            Capability::Environment { source, .. } => source.is_some(),
            Capability::Destructive { .. } => false,
            _ => true,
        }
    }
}

/// Returns the digest of everything that a list grants, to which an approval is bound. Texts for people are not
/// part of it, nor are values, which can change.
// [CONS-06]
pub fn digest(list: &[Capability]) -> String {
    let secret = |source: &ValueSource| json!({ "secret": source.secret });
    let grant = |capability: &Capability| match capability {
        Capability::Network { host, plain_http, private_addresses, headers } => json!({
            "host": host, "plain_http": plain_http, "private_addresses": private_addresses,
            "headers": headers.iter().map(|(name, source)| (name.clone(), secret(source))).collect::<Value>(),
        }),
        Capability::Directory { guest, host, writable } => {
            // As bytes: a path is not necessarily UTF-8.
            let host = host.as_ref().map(|path| hex(path.as_bytes()));
            json!({ "directory": guest, "host_path": host, "writable": writable })
        }
        Capability::Environment { name, source } => {
            json!({ "variable": name, "given": source.as_ref().map(secret) })
        }
        Capability::Storage { limit_kb } => json!({ "storage_kb": limit_kb }),
        Capability::Destructive { tool } => json!({ "destructive": tool }),
        Capability::RealClock => json!("real_clock"),
        Capability::RealRandom => json!("real_random"),
    };
    let mut text = String::new();
    canonical::write(&list.iter().map(grant).collect(), ToString::to_string, &mut text);
    format!("sha256:{}", sha256_hex(text.as_bytes()))
}

/// A directory of the host that the guest can access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryGrant {
    /// Absolute path in the guest, such as `/data`.
    pub guest: String,
    /// Directory of the host.
    pub host: String,
    /// Whether the guest is allowed to write.
    pub writable: bool,
}

/// Returns the mapped directories of a list, by their guest paths.
pub(in crate::kernel) fn directories(list: &[Capability]) -> Vec<DirectoryGrant> {
    let mut found = BTreeMap::new();
    for capability in list {
        if let Capability::Directory { guest, host: Some(host), writable } = capability {
            let (guest, host, writable) = (guest.clone(), host.clone(), *writable);
            found.insert(guest.clone(), DirectoryGrant { guest, host, writable });
        }
    }
    found.into_values().collect()
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Capability::Network { host, plain_http, private_addresses, headers } => {
                let flags = [
                    (*plain_http, "also without TLS"),
                    (*private_addresses, "also private addresses"),
                ];
                let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
                let mut more: Vec<String> = flags.map(|(_, what)| what.to_owned()).collect();
                more.extend(headers.keys().map(|name| format!("with secret header {name}")));
                match more.is_empty() {
                    true => format!("connect to {host}"),
                    false => format!("connect to {host} ({})", more.join(", ")),
                }
            }
            Capability::Directory { guest, host, writable } => {
                let how = if *writable { "read and write" } else { "read" };
                match host {
                    Some(path) => format!("{how} {guest} (host path {path})"),
                    None => format!("{how} {guest} (not mapped; invisible to the tool)"),
                }
            }
            Capability::Environment { name, source: Some(_) } => {
                format!("read environment variable {name}")
            }
            Capability::Environment { name, source: None } => {
                format!("read environment variable {name} (not set; invisible to the tool)")
            }
            Capability::Storage { limit_kb } => format!("store up to {limit_kb} KiB between calls"),
            Capability::Destructive { tool } => format!("run destructive tool {tool}"),
            Capability::RealClock => "read the host's clocks".to_owned(),
            Capability::RealRandom => "use the host's random numbers".to_owned(),
        };
        line.chars().try_for_each(|character| match is_hidden(character) {
            true => write!(out, "{}", character.escape_unicode()),
            false => out.write_char(character),
        })
    }
}
