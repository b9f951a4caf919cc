//! Room: what a package asks for, as a list that a person can read.

use crate::document::words;
use crate::package::manifest::{Manifest, Sensitivity};
use crate::text::is_hidden;
use std::fmt::{self, Write};
use std::path::PathBuf;

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

/// One thing that a package asks for. Its `Display` form is one line that shows all that it holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Reach a host, which may have a `:port`.
    Network {
        /// As the manifest writes it.
        host: String,
        /// What the policy allows or adds beyond TLS with a public address, for people.
        beyond: Vec<String>,
    },
    /// Read below a directory.
    ReadDirectory {
        /// The path that the guest will see.
        guest: String,
        /// The directory of this host behind it, if the policy maps one.
        host: Option<PathBuf>,
    },
    /// Read and write below a directory.
    WriteDirectory {
        /// The path that the guest will see.
        guest: String,
        /// The directory of this host behind it, if the policy maps one.
        host: Option<PathBuf>,
    },
    /// See an environment variable.
    Environment {
        /// Its name.
        name: String,
        /// Whether the policy gives it a value.
        set: bool,
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
}

impl Capability {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> CapabilityKind {
        match self {
            Capability::Network { .. } => CapabilityKind::Network,
            Capability::ReadDirectory { .. } => CapabilityKind::FilesystemRead,
            Capability::WriteDirectory { .. } => CapabilityKind::FilesystemWrite,
            Capability::Environment { .. } => CapabilityKind::Environment,
            Capability::Storage { .. } => CapabilityKind::Storage,
            Capability::Destructive { .. } => CapabilityKind::Destructive,
        }
    }

    /// Everything that a manifest asks for, in the order of the kinds, with nothing mapped or set.
    #[must_use]
    pub fn requested_by(manifest: &Manifest) -> Vec<Capability> {
        let asked = &manifest.capabilities;
        let destructive =
            manifest.tools.iter().filter(|tool| tool.sensitivity == Sensitivity::Destructive);
        let mut list = Vec::new();
        let host = |host: &String| Capability::Network { host: host.clone(), beyond: Vec::new() };
        list.extend(asked.network.iter().map(host));
        list.extend(
            asked
                .filesystem
                .read
                .iter()
                .map(|guest| Capability::ReadDirectory { guest: guest.clone(), host: None }),
        );
        list.extend(
            asked
                .filesystem
                .write
                .iter()
                .map(|guest| Capability::WriteDirectory { guest: guest.clone(), host: None }),
        );
        list.extend(
            (asked.environment.iter())
                .map(|name| Capability::Environment { name: name.clone(), set: false }),
        );
        list.extend(asked.storage.map(|s| Capability::Storage { limit_kb: s.limit_kb }));
        list.extend(destructive.map(|tool| Capability::Destructive { tool: tool.name.clone() }));
        list
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Capability::Network { host, beyond } if beyond.is_empty() => format!("reach {host}"),
            Capability::Network { host, beyond } => {
                format!("reach {host} ({})", beyond.join(", "))
            }
            Capability::ReadDirectory { guest, host } => format!("read {guest} {}", behind(host)),
            Capability::WriteDirectory { guest, host } => {
                format!("read and write {guest} {}", behind(host))
            }
            Capability::Environment { name, set: true } => format!("see the variable {name}"),
            Capability::Environment { name, set: false } => {
                format!("see the variable {name} (not set: the tool will not find it)")
            }
            Capability::Storage { limit_kb } => format!("keep up to {limit_kb} KiB between calls"),
            Capability::Destructive { tool } => {
                format!("offer the tool {tool}, whose effect cannot be undone")
            }
        };
        line.chars().try_for_each(|character| match is_hidden(character) {
            true => write!(out, "{}", character.escape_unicode()),
            false => out.write_char(character),
        })
    }
}

fn behind(host: &Option<PathBuf>) -> String {
    match host {
        Some(path) => format!("(here {})", path.display()),
        None => "(not mapped: the tool will not find it)".to_owned(),
    }
}
