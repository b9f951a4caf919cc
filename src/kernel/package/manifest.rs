//! `manifest.json`: the types and rules of a package's manifest.
//!
//! Unknown keys are refused, so that nothing a publisher declares goes unread, and nothing that was
//! approved can mean more to a later version.

mod command_line;
mod read;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/package/manifest.rs"]
mod tests;

use super::schema::Schema;
use super::version::Version;
use crate::kernel::document::{
    distinct, integer, list, object, optional, string_enum, text, FromJson, Members,
};
use crate::kernel::json::closed_object::{
    child_pointer, ClosedObject, DocumentError, DocumentErrorKind, Field,
};
use crate::kernel::limits::{
    FUEL_MAX, LIST_COUNT_MAX, MANIFEST_BYTES_MAX, MANIFEST_DEPTH_MAX, MEMORY_MB_MAX, OUTPUT_KB_MAX,
    STORAGE_KB_MAX, TIMEOUT_MS_MAX, TOOLS_COUNT_MAX,
};
use crate::kernel::names;
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;
use command_line::command;
pub use command_line::{ArgPart, Command};
use read::{argument, directories, host, line, paragraph, string_list, target};
use serde_json::Value;

object! {
    /// A package's manifest, as [`Manifest::parse`] reads it. Only the Gatekeeper makes a verified one.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Manifest: FromJson {
        /// The manifest format, `1.0`.
        // [MAN-09]
        pub mpp_version: String, text(|text| text == "1.0", "\"1.0\"");
        /// Reverse domain name, such as `org.acme.weather`.
        // [MAN-10]
        pub id: String,
            text(names::is_id, "a reverse domain name such as org.acme.weather, in lower case");
        /// Semantic version, such as `1.2.0`.
        // [MAN-11]
        pub version: Version;
        /// Display name.
        pub name: String, line;
        /// What the package is for, for people and models.
        pub description: String, paragraph;
        /// The authors, for people. The publisher is determined by the signatures.
        pub authors: Vec<String> = Vec::new(), string_list(line);
        /// SPDX expression.
        // [MAN-13]
        pub license: Option<String> = None,
            optional(text(names::is_license, "an SPDX expression such as Apache-2.0"));
        /// An https address.
        // [MAN-14]
        pub homepage: Option<String> = None,
            optional(text(names::is_https_address, "an https address with a lower-case host name"));
        /// How the module is run.
        pub runtime: RuntimeSection;
        /// All resources outside the guest's memory that it requests.
        // [MAN-19]
        pub capabilities: Capabilities = Capabilities::default();
        /// The tools that agents can call.
        pub tools: Vec<Tool>, |place| tools(place, runtime.protocol);
        /// What is redacted from responses.
        pub privacy_filters: PrivacyFilters = PrivacyFilters::default();
    }
}

impl Manifest {
    /// Reads `manifest.json`.
    ///
    /// It does not check that built-in privacy patterns exist, that custom ones compile, or that the
    /// signer is allowed to use the id: the Gatekeeper does.
    ///
    /// # Errors
    /// The codes `manifest.*` up to `schema_unsupported`; the detail starts with the JSON pointer of
    /// the value at fault.
    ///
    /// ```
    /// use mpp::package::manifest::Manifest;
    /// let manifest = Manifest::parse(br#"{
    ///     "mpp_version": "1.0", "id": "org.acme.echo", "version": "1.0.0",
    ///     "name": "Echo", "description": "Returns its text.",
    ///     "runtime": { "target": "wasm32-wasip1" },
    ///     "tools": [ { "name": "echo", "description": "Returns its text.", "sensitivity": "read",
    ///                  "parameters": { "type": "object", "properties": { "text": { "type": "string" } } } } ]
    /// }"#)?;
    /// assert_eq!(manifest.runtime.entry, "tool.wasm");
    /// assert!(manifest.capabilities.network.is_empty());
    /// # Ok::<(), mpp::Error>(())
    /// ```
    // [MAN-01] [MAN-02] [MAN-03] [MAN-04] [MAN-05] [MAN-06]
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            let detail =
                format!("manifest.json is {} bytes, limit {MANIFEST_BYTES_MAX}", bytes.len());
            return Err(Error::new(Code::ManifestSyntax, detail));
        }
        let document = crate::kernel::json::parse(bytes, MANIFEST_DEPTH_MAX)
            .map_err(|what| Error::new(Code::ManifestSyntax, what))?;
        let result = match check_characters(&document) {
            Ok(()) => Field::new(&document, "").object(|object| {
                let manifest = Manifest::members(object)?;
                // [MAN-45] Editors read `$schema`; nothing else does.
                object.optional("$schema").map(|place| place.text()).transpose()?;
                Ok(manifest)
            }),
            Err((pointer, found)) => {
                let what = format!("contains the forbidden character U+{:04X}", u32::from(found));
                Err(Field::new(&document, &pointer).bad_value(what))
            }
        };
        result.map_err(|fault| {
            let code = match fault.kind {
                DocumentErrorKind::UnknownKey => Code::ManifestUnknownKey,
                DocumentErrorKind::MissingKey => Code::ManifestMissingKey,
                DocumentErrorKind::WrongType => Code::ManifestType,
                DocumentErrorKind::BadValue => Code::ManifestValue,
                DocumentErrorKind::Unsupported => Code::ManifestSchema,
            };
            Error::new(code, fault.to_string())
        })
    }
}

/// Finds the first forbidden character of all strings and keys, with its place. People approve what they
/// see, and models read characters that people do not see.
// [MAN-07]
fn check_characters(value: &Value) -> Result<(), (String, char)> {
    let hidden = |character: &char| !"\n\t".contains(*character) && is_hidden(*character);
    let check = |text: &str| match text.chars().find(hidden) {
        None => Ok(()),
        Some(found) => Err((String::new(), found)),
    };
    // Built only on the way out of an error: there are many strings.
    let inside = |key: &str, (rest, found): (String, char)| (child_pointer("", key) + &rest, found);
    match value {
        Value::String(text) => check(text),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(at, item)| {
            check_characters(item).map_err(|fault| inside(&at.to_string(), fault))
        }),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            check(key).and_then(|()| check_characters(value)).map_err(|fault| inside(key, fault))
        }),
        _ => Ok(()),
    }
}

object! {
    /// `runtime`: how the module is run, and the resources that it requests.
    // [MAN-18]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RuntimeSection: FromJson {
        /// `wasm32-wasip1`.
        pub target: String, target;
        /// The entry of the module, `tool.wasm` by default.
        // [MAN-16]
        pub entry: String = "tool.wasm".to_owned(),
            text(names::is_module_name, "the name of a .wasm file at the top of the package");
        /// How requests and responses are passed.
        pub protocol: Protocol = Protocol::JsonRpc;
        /// Arguments after the program name.
        // [MAN-27]
        pub args: Vec<String> = Vec::new(), list(0..=LIST_COUNT_MAX, argument);
        /// Linear memory, in MiB.
        pub memory_limit_mb: u32 = 64, integer(1..=MEMORY_MB_MAX);
        /// Wall-clock timeout, in milliseconds.
        pub timeout_ms: u32 = 5000, integer(1..=TIMEOUT_MS_MAX);
        /// Fuel for one call, in the units of `spec/sandbox.md`.
        pub fuel: u64 = 2_000_000_000, integer(1..=FUEL_MAX);
        /// Limit on stdout, in KiB.
        pub output_limit_kb: u32 = 1024, integer(1..=OUTPUT_KB_MAX);
    }
}

string_enum! {
    /// `runtime.protocol`.
    // [MAN-17]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Protocol {
        /// One `tools/call` request on stdin, one response on stdout.
        JsonRpc = "json-rpc",
        /// An unmodified MCP server: the messages of one session on stdin, its responses on stdout.
        Mcp = "mcp",
        /// An unmodified command line program: arguments, stdin, stdout, exit status.
        Command = "command",
    }
}

object! {
    /// `capabilities`: the complete list of requested resources.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Capabilities: FromJson {
        /// Host names, each with an optional `:port`.
        pub network: Vec<String> = Vec::new(), string_list(host);
        /// Guest directories.
        pub filesystem: Filesystem = Filesystem::default();
        /// Names of environment variables.
        pub environment: Vec<String> = Vec::new(),
            string_list(text(names::is_environment_name, "letters, digits and _, no digit first"));
        /// A directory that persists between calls.
        pub storage: Option<Storage> = None;
    }
}

object! {
    /// `capabilities.filesystem`: absolute guest paths of directories.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Filesystem: FromJson {
        /// Read only.
        pub read: Vec<String> = Vec::new(), |place| directories(place, &[]);
        /// Read and write.
        pub write: Vec<String> = Vec::new(), |place| directories(place, &read);
    }
}

object! {
    /// `capabilities.storage`.
    // [MAN-26]
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Storage: FromJson {
        /// Limit on the stored bytes, in KiB.
        pub limit_kb: u32, integer(1..=STORAGE_KB_MAX);
    }
}

/// One entry of `tools`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// The name: `^[A-Za-z][A-Za-z0-9_-]{0,63}$`.
    pub name: String,
    /// The name that the program itself uses, if it is another.
    pub calls: Option<String>,
    /// What it does, for people and models.
    pub description: String,
    /// JSON Schema of the arguments.
    pub parameters: Schema,
    /// JSON Schema of `structuredContent`, if declared.
    pub returns: Option<Schema>,
    /// The command line, for [`Protocol::Command`] only.
    pub command: Option<Command>,
    /// The harm that a call can do.
    pub sensitivity: Sensitivity,
}

impl Tool {
    /// Returns the name of the tool in requests to the program.
    // [MAN-46]
    pub fn program_name(&self) -> &str {
        self.calls.as_deref().unwrap_or(&self.name)
    }

    /// Returns `true` if its effect cannot be undone, so that every call requires approval.
    pub fn is_destructive(&self) -> bool {
        self.sensitivity == Sensitivity::Destructive
    }
}

// [MAN-29] [MAN-31]
fn tools(place: &Field, protocol: Protocol) -> Result<Vec<Tool>, DocumentError> {
    let rule = |item: &Field| item.object(|object| tool(object, protocol));
    let name = |tool: &Tool| tool.name.to_ascii_lowercase();
    let duplicate = "duplicate tool name (names are case-insensitive)";
    distinct(1..=TOOLS_COUNT_MAX, rule, name, duplicate)(place)
}

fn tool(object: &mut ClosedObject, protocol: Protocol) -> Result<Tool, DocumentError> {
    let schema = |member: &Field| Schema::read(member.value(), member.pointer());
    // [MAN-32] [MAN-33]
    let parameters = schema(&object.required("parameters")?)?;
    // [MAN-37] A key that is not read here is refused.
    let (calls, returns, command) = match protocol {
        Protocol::Command => {
            (None, None, Some(command(&object.required("command")?, &parameters)?))
        }
        Protocol::JsonRpc | Protocol::Mcp => {
            let calls = object.optional("calls").map(|place| line(&place)).transpose()?;
            (calls, object.optional("returns").map(|place| schema(&place)).transpose()?, None)
        }
    };
    let what = "1 to 64 letters, digits, _ and -, starting with a letter";
    Ok(Tool {
        name: text(names::is_tool_name, what)(&object.required("name")?)?,
        calls,
        description: paragraph(&object.required("description")?)?,
        parameters,
        returns,
        command,
        sensitivity: Sensitivity::read(&object.required("sensitivity")?)?,
    })
}

string_enum! {
    /// `tools[].sensitivity`.
    // [MAN-34]
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Sensitivity {
        /// Only reads.
        Read = "read",
        /// Makes changes that can be undone.
        Write = "write",
        /// Makes changes that cannot be undone: every call requires approval.
        Destructive = "destructive",
    }
}

object! {
    /// `privacy_filters`: what the publisher wants redacted. The host's policy has the last say.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct PrivacyFilters: FromJson {
        /// Built-in kinds by name.
        // [MAN-35]
        pub patterns: Vec<String> = Vec::new(), string_list(line);
        /// The publisher's custom patterns.
        pub custom: Vec<CustomPattern> = Vec::new(), custom_patterns;
    }
}

object! {
    /// A custom pattern: matches of `pattern` (`spec/patterns.md`) become `[NAME]`.
    // [MAN-36]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CustomPattern: FromJson {
        /// The label: `^[A-Z][A-Z0-9_]{0,31}$`.
        pub name: String,
            text(names::is_pattern_name, "1 to 32 of A-Z 0-9 _, starting with a letter");
        /// The regular expression.
        pub pattern: String, line;
    }
}

fn custom_patterns(place: &Field) -> Result<Vec<CustomPattern>, DocumentError> {
    let duplicate = "duplicate name of a custom pattern";
    let name = |pattern: &CustomPattern| pattern.name.clone();
    distinct(0..=LIST_COUNT_MAX, CustomPattern::read, name, duplicate)(place)
}
