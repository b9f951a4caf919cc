//! What a package asks for and is given, as one list: a person is shown it, a token holds it, and the
//! record of a call repeats it.

use super::value_source::ValueSource;
use crate::kernel::document::words;
use crate::kernel::encoding::{hex, sha256_hex};
use crate::kernel::json::canonical;
use crate::kernel::package::manifest::{Manifest, Sensitivity};
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;
use core::fmt::Write;
use serde_json::{json, Value};

words! {
    /// The kinds that a policy can deny as a whole.
    // [POLICY-01]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum CapabilityKind {
        /// Reaching hosts.
        Network = "network",
        /// Reading directories.
        FilesystemRead = "filesystem.read",
        /// Writing directories.
        FilesystemWrite = "filesystem.write",
        /// Seeing environment variables.
        Environment = "environment",
        /// Keeping data from call to call.
        Storage = "storage",
        /// Offering tools that change something for good.
        Destructive = "destructive",
    }
}

/// One thing that a package asks for, with what a policy has behind it, or that a policy gives to all. Its
/// `Display` form is one line that shows all that it holds, but for values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Reach a host.
    Network {
        /// As the manifest writes it: a name with the port, or without one for 443.
        host: String,
        /// Whether it may be reached without TLS.
        plain_http: bool,
        /// Whether its name may lead into this machine or its network.
        private_addresses: bool,
        /// Headers that the door adds and the guest does not see.
        headers: BTreeMap<String, ValueSource>,
    },
    /// Read below a directory, or read and write there.
    Directory {
        /// The path that the guest will see.
        guest: String,
        /// The directory of this host behind it, if the policy maps one.
        host: Option<String>,
        /// Whether the guest may write below it.
        writable: bool,
    },
    /// See an environment variable.
    Environment {
        /// Its name.
        name: String,
        /// What the policy gives it, if anything.
        given: Option<ValueSource>,
    },
    /// Keep data from call to call.
    Storage {
        /// Most KiB kept.
        limit_kb: u32,
    },
    /// Be called by a tool name whose effect can't be undone.
    Destructive {
        /// The tool.
        tool: String,
    },
    /// Read the host's clocks. Only a policy gives that, to all.
    RealClock,
    /// Get random numbers of the host. Only a policy gives that, to all.
    RealRandom,
}

impl Capability {
    /// Its kind, if it is one that a package can ask for.
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

    /// Everything that a manifest asks for, in the order of the kinds, with nothing mapped or set.
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
        let variable = |name: &String| Capability::Environment { name: name.clone(), given: None };
        let mut list: Vec<Capability> = asked.network.iter().map(host).collect();
        list.extend(asked.filesystem.read.iter().map(|guest| directory(guest, false)));
        list.extend(asked.filesystem.write.iter().map(|guest| directory(guest, true)));
        list.extend(asked.environment.iter().map(variable));
        list.extend(asked.storage.map(|s| Capability::Storage { limit_kb: s.limit_kb }));
        let destructive =
            manifest.tools.iter().filter(|tool| tool.sensitivity == Sensitivity::Destructive);
        list.extend(destructive.map(|tool| Capability::Destructive { tool: tool.name.clone() }));
        list
    }

    /// Whether a token can hold it: what the policy does not map or set is left out, and a destructive
    /// tool is nothing that a guest could touch.
    pub(super) fn is_held(&self) -> bool {
        match self {
            Capability::Directory { host, .. } => host.is_some(),
            Capability::Environment { given, .. } => given.is_some(),
            Capability::Destructive { .. } => false,
            _ => true,
        }
    }
}

/// A digest of all that a list grants, for an agreement that holds for exactly that. Words for people have no
/// part in it, nor have values, which may change.
// [CONS-06]
pub fn digest(list: &[Capability]) -> String {
    let source = |given: &ValueSource| json!({ "secret": given.secret });
    let grant = |capability: &Capability| match capability {
        Capability::Network { host, plain_http, private_addresses, headers } => json!({
            "host": host, "plain_http": plain_http, "private_addresses": private_addresses,
            "headers": headers.iter().map(|(name, given)| (name.clone(), source(given))).collect::<Value>(),
        }),
        Capability::Directory { guest, host, writable } => {
            // As bytes: a path need not be a text.
            let host = host.as_ref().map(|path| hex(path.as_bytes()));
            json!({ "directory": guest, "host_path": host, "writable": writable })
        }
        Capability::Environment { name, given } => {
            json!({ "variable": name, "given": given.as_ref().map(source) })
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

/// A directory of the host that a guest sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryGrant {
    /// Absolute path in the guest, such as `/data`.
    pub guest: String,
    /// Directory on the host.
    pub host: String,
    /// Whether the guest may write below it.
    pub writable: bool,
}

/// The directories of a list that are mapped, by their paths in the guest.
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
            Capability::Environment { name, given: Some(_) } => {
                format!("read environment variable {name}")
            }
            Capability::Environment { name, given: None } => {
                format!("read environment variable {name} (not set; invisible to the tool)")
            }
            Capability::Storage { limit_kb } => format!("store up to {limit_kb} KiB between calls"),
            Capability::Destructive { tool } => {
                format!("run destructive tool {tool}")
            }
            Capability::RealClock => "read the host's clocks".to_owned(),
            Capability::RealRandom => "use the host's random numbers".to_owned(),
        };
        line.chars().try_for_each(|character| match is_hidden(character) {
            true => write!(out, "{}", character.escape_unicode()),
            false => out.write_char(character),
        })
    }
}
