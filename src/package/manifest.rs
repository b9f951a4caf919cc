//! Room: `manifest.json`, closed and strict: what a tool is, needs and offers.
//!
//! A key that this file does not know is refused, so nothing a publisher declares goes unread, and
//! nothing that a person approved can mean more to a later version.

mod command;
mod read;
#[cfg(test)]
mod tests;

use super::schema::Schema;
use super::version::Version;
use crate::Error;
pub(crate) use read::privacy_filters;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// What a package says about itself. Read with [`Manifest::parse`]; a verified one comes from the
/// Gatekeeper only.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The manifest format, `1.0`.
    pub mpp_version: String,
    /// Reverse domain name, such as `org.acme.weather`.
    pub id: String,
    /// Semantic version, such as `1.2.0`.
    pub version: Version,
    /// A name for people.
    pub name: String,
    /// What it is for, for people and models.
    pub description: String,
    /// Who wrote it, for people. The publisher is who signed.
    pub authors: Vec<String>,
    /// SPDX expression.
    pub license: Option<String>,
    /// An https address.
    pub homepage: Option<String>,
    /// How the module is run.
    pub runtime: RuntimeSection,
    /// Everything outside its memory that it may ask for.
    pub capabilities: Capabilities,
    /// What agents can call.
    pub tools: Vec<Tool>,
    /// What is redacted from its answers.
    pub privacy_filters: PrivacyFilters,
}

impl Manifest {
    /// Reads `manifest.json`.
    ///
    /// Whether names of built-in privacy patterns exist, custom ones compile, and the signer may use
    /// the id, is not looked at here: those checks need rooms above this one.
    ///
    /// # Errors
    /// The codes `manifest.*` up to `schema_unsupported`; the detail starts with the JSON pointer of
    /// the value at fault.
    ///
    /// ```
    /// use mpp::package::manifest::Manifest;
    /// let manifest = Manifest::parse(br#"{
    ///     "mpp_version": "1.0", "id": "org.acme.echo", "version": "1.0.0",
    ///     "name": "Echo", "description": "Gives back its text.",
    ///     "runtime": { "target": "wasm32-wasip1" },
    ///     "tools": [ { "name": "echo", "description": "Gives back its text.", "sensitivity": "read",
    ///                  "parameters": { "type": "object", "properties": { "text": { "type": "string" } } } } ]
    /// }"#)?;
    /// assert_eq!(manifest.runtime.entry, "tool.wasm");
    /// assert!(manifest.capabilities.network.is_empty());
    /// # Ok::<(), mpp::Error>(())
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        read::manifest(bytes)
    }
}

/// `runtime`: how the module is run, and the most it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeSection {
    /// The entry that holds the module, `tool.wasm` by default.
    pub entry: String,
    /// How the guest is spoken to.
    pub protocol: Protocol,
    /// Arguments after the program name.
    pub args: Vec<String>,
    /// Linear memory, in MiB.
    pub memory_limit_mb: u32,
    /// Wall-clock safety net, in milliseconds.
    pub timeout_ms: u32,
    /// Fuel for one call, in the units of `spec/sandbox.md`.
    pub fuel: u64,
    /// Most bytes on stdout, in KiB.
    pub output_limit_kb: u32,
}

/// `runtime.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// One `tools/call` request on stdin, one response on stdout.
    JsonRpc,
    /// An MCP server as it is: the messages of one session on stdin, its answers on stdout.
    Mcp,
    /// A command line program as it is: arguments, stdin, stdout, exit status.
    Command,
}

/// As it is written in the manifest.
impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Protocol::JsonRpc => "json-rpc",
            Protocol::Mcp => "mcp",
            Protocol::Command => "command",
        })
    }
}

/// `capabilities`: the complete list of outside resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Host names, each with an optional `:port`.
    pub network: Vec<String>,
    /// Guest directories.
    pub filesystem: Filesystem,
    /// Names of environment variables.
    pub environment: Vec<String>,
    /// Key-value storage.
    pub storage: Option<Storage>,
}

/// `capabilities.filesystem`: absolute guest paths of directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filesystem {
    /// Read only.
    pub read: Vec<String>,
    /// Read and write.
    pub write: Vec<String>,
}

/// `capabilities.storage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Most bytes kept, in KiB.
    pub limit_kb: u32,
}

/// One entry of `tools`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// `^[A-Za-z][A-Za-z0-9_]{0,63}$`
    pub name: String,
    /// What it does, for people and models.
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Schema,
    /// JSON Schema of `structuredContent`, if any is promised.
    pub returns: Option<Schema>,
    /// How it is run, for [`Protocol::Command`] and for no other.
    pub command: Option<Command>,
    /// How much harm a call can do.
    pub sensitivity: Sensitivity,
}

/// `tools[].command`: where the arguments of a call go.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Groups of words behind `runtime.args`; a group is left out if a value in it was not given.
    pub args: Vec<Vec<Word>>,
    /// The property whose value is stdin. Without one stdin is empty.
    pub stdin: Option<String>,
    /// The properties that `args` and `stdin` name: all that the tool has.
    pub properties: BTreeSet<String>,
    /// As it stands in the manifest, for people to look at.
    pub source: Value,
}

/// A word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// An argument as it stands.
    Literal(String),
    /// `{NAME}`: the value of this property, one argument.
    Value(String),
    /// `{?NAME}`: no argument; without it being true the group is left out.
    If(String),
}

/// `tools[].sensitivity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensitivity {
    /// Looks only.
    Read,
    /// Changes something that can be changed back.
    Write,
    /// Changes something for good: a person agrees each time.
    Destructive,
}

/// `privacy_filters`: what the publisher wants redacted. The host's policy can add, never remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrivacyFilters {
    /// Built-in kinds by name.
    pub patterns: Vec<String>,
    /// Patterns of the publisher's own.
    pub custom: Vec<CustomPattern>,
}

/// A custom pattern: matches of `pattern` (`spec/patterns.md`) become `[NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomPattern {
    /// `^[A-Z][A-Z0-9_]{0,31}$`
    pub name: String,
    /// The expression.
    pub pattern: String,
}
