//! Room: from the bytes of `manifest.json` to a [`Manifest`], in the order of `spec/manifest.md`.

use super::command::command;
use super::rules;
use super::{
    Capabilities, CustomPattern, Filesystem, Manifest, PrivacyFilters, Protocol, RuntimeSection,
    Sensitivity, Storage, Tool,
};
use crate::json::object::{Fault, FaultKind, Member, Object};
use crate::limits::{
    DESCRIPTION_BYTES_MAX, FUEL_MAX, LIST_COUNT_MAX, MANIFEST_BYTES_MAX, MANIFEST_DEPTH_MAX,
    MEMORY_MB_MAX, OUTPUT_KB_MAX, STORAGE_KB_MAX, TIMEOUT_MS_MAX, TOOLS_COUNT_MAX,
};
use crate::package::schema::Schema;
use crate::package::version::Version;
use crate::text::is_hidden;
use crate::{Code, Error};
use serde_json::Value;
use std::collections::BTreeSet;

// [MAN-01] [MAN-02] [MAN-03] [MAN-04] [MAN-05] [MAN-06]
pub(super) fn manifest(bytes: &[u8]) -> Result<Manifest, Error> {
    if bytes.len() > MANIFEST_BYTES_MAX {
        let detail =
            format!("manifest.json has {} bytes, more than {MANIFEST_BYTES_MAX}", bytes.len());
        return Err(Error::new(Code::ManifestSyntax, detail));
    }
    let document = crate::json::parse(bytes, MANIFEST_DEPTH_MAX)
        .map_err(|error| Error::new(Code::ManifestSyntax, error.to_string()))?;
    let root = Member::new(&document, "");
    let result = characters(&root).and_then(|()| root.object(sections));
    result.map_err(|fault| {
        let code = match fault.kind {
            FaultKind::UnknownKey => Code::ManifestUnknownKey,
            FaultKind::MissingKey => Code::ManifestMissingKey,
            FaultKind::WrongType => Code::ManifestType,
            FaultKind::BadValue => Code::ManifestValue,
            FaultKind::Unsupported => Code::ManifestSchema,
        };
        Error::new(code, fault.to_string())
    })
}

/// Looks at every string and key of the document, whatever it is for: people approve what they see,
/// models read what people do not.
// [MAN-07]
fn characters(member: &Member) -> Result<(), Fault> {
    let hidden = |character: &char| !"\n\t".contains(*character) && is_hidden(*character);
    let check = |text: &str, place: &Member| match text.chars().find(hidden) {
        None => Ok(()),
        Some(found) => {
            let code_point = u32::from(found);
            Err(place.bad_value(format!("holds the forbidden character U+{code_point:04X}")))
        }
    };
    match member.value() {
        Value::String(text) => check(text, member),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(at, item)| characters(&member.child(&at.to_string(), item)))
        }
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            let place = member.child(key, value);
            check(key, &place).and_then(|()| characters(&place))
        }),
        _ => Ok(()),
    }
}

fn sections(root: &mut Object) -> Result<Manifest, Fault> {
    // [MAN-09]
    let version = root.required("mpp_version")?;
    let mpp_version = checked(&version, |text| text == "1.0", "must be \"1.0\"")?;
    let runtime = root.required("runtime")?.object(runtime)?;
    Ok(Manifest {
        mpp_version,
        id: checked(
            &root.required("id")?,
            rules::is_id,
            "must be a reverse domain name such as org.acme.weather, in lower case",
        )?,
        version: semantic_version(&root.required("version")?)?,
        name: line(&root.required("name")?)?,
        description: text(&root.required("description")?)?,
        authors: list(root.optional("authors"), line)?,
        license: optional(root.optional("license"), |member| {
            checked(member, rules::is_license, "must be an SPDX expression such as Apache-2.0")
        })?,
        homepage: optional(root.optional("homepage"), |member| {
            let what = "must be an https address with a lower-case host name";
            checked(member, rules::is_https_address, what)
        })?,
        // [MAN-19]
        capabilities: match root.optional("capabilities") {
            Some(member) => member.object(capabilities)?,
            None => Capabilities::default(),
        },
        tools: tools(&root.required("tools")?, runtime.protocol)?,
        runtime,
        privacy_filters: match root.optional("privacy_filters") {
            Some(member) => member.object(privacy_filters)?,
            None => PrivacyFilters::default(),
        },
    })
}

// [MAN-11]
fn semantic_version(member: &Member) -> Result<Version, Fault> {
    let what = "must be a semantic version such as 1.2.0, without build metadata";
    Version::parse(member.text()?).ok_or_else(|| member.bad_value(what))
}

fn runtime(object: &mut Object) -> Result<RuntimeSection, Fault> {
    // [MAN-15]
    let target = object.required("target")?;
    match target.text()? {
        "wasm32-wasip1" => {}
        "wasm32-wasi" => {
            return Err(target.bad_value("is the old name of wasm32-wasip1; write that"))
        }
        _ => return Err(target.bad_value("must be \"wasm32-wasip1\"")),
    }
    // [MAN-16]
    let what = "must be the name of a .wasm file at the top of the package";
    let entry = object.optional("entry");
    let entry = optional(entry, |member| checked(member, rules::is_module_name, what))?;
    Ok(RuntimeSection {
        entry: entry.unwrap_or_else(|| "tool.wasm".to_owned()),
        protocol: optional(object.optional("protocol"), protocol)?.unwrap_or(Protocol::JsonRpc),
        args: arguments(object.optional("args"))?,
        // [MAN-18]
        memory_limit_mb: integer(object.optional("memory_limit_mb"), MEMORY_MB_MAX)?.unwrap_or(64),
        timeout_ms: integer(object.optional("timeout_ms"), TIMEOUT_MS_MAX)?.unwrap_or(5000),
        fuel: optional(object.optional("fuel"), |member| member.integer(1..=FUEL_MAX))?
            .unwrap_or(2_000_000_000),
        output_limit_kb: integer(object.optional("output_limit_kb"), OUTPUT_KB_MAX)?
            .unwrap_or(1024),
    })
}

// [MAN-17]
fn protocol(member: &Member) -> Result<Protocol, Fault> {
    match member.text()? {
        "json-rpc" => Ok(Protocol::JsonRpc),
        "mcp" => Ok(Protocol::Mcp),
        "command" => Ok(Protocol::Command),
        _ => Err(member.bad_value("must be \"json-rpc\", \"mcp\" or \"command\"")),
    }
}

// [MAN-27]
fn arguments(member: Option<Member>) -> Result<Vec<String>, Fault> {
    // Arguments may repeat, so this is no list of distinct things.
    Ok(optional(member, |member| member.array(0..=LIST_COUNT_MAX, argument))?.unwrap_or_default())
}

/// One argument of a program, as it stands.
pub(super) fn argument(member: &Member) -> Result<String, Fault> {
    let what = format!("must have at most {DESCRIPTION_BYTES_MAX} bytes");
    checked(member, |text| text.len() <= DESCRIPTION_BYTES_MAX, &what)
}

fn capabilities(object: &mut Object) -> Result<Capabilities, Fault> {
    Ok(Capabilities {
        network: list(object.optional("network"), host)?,
        filesystem: match object.optional("filesystem") {
            Some(member) => filesystem(&member)?,
            None => Filesystem::default(),
        },
        environment: list(object.optional("environment"), |member| {
            let what = "must be letters, digits and _, not starting with a digit";
            checked(member, rules::is_environment_name, what)
        })?,
        // [MAN-26]
        storage: match object.optional("storage") {
            Some(member) => Some(member.object(|storage| {
                let limit_kb = storage.required("limit_kb")?.integer(1..=STORAGE_KB_MAX)?;
                Ok(Storage { limit_kb })
            })?),
            None => None,
        },
    })
}

// [MAN-20] [MAN-21]
fn host(member: &Member) -> Result<String, Fault> {
    let text = member.text()?;
    let what = match text {
        _ if text.contains('*') => "must name one host; there are no wildcards",
        _ if text.ends_with(":443") => "must leave out :443, which every host without a port means",
        _ => "must be a lower-case host name, not an address, with an optional port",
    };
    checked(member, rules::is_host_and_port, what)
}

fn filesystem(member: &Member) -> Result<Filesystem, Fault> {
    let mut taken: Vec<String> = Vec::new();
    // [MAN-22] [MAN-23] [MAN-24]
    let mut directory = |member: &Member| {
        let what = "must be an absolute path such as /data, of A-Z a-z 0-9 . _ - between slashes";
        let path = checked(member, rules::is_guest_directory, what)?;
        if path != "/" && rules::overlap(&path, "/assets") {
            return Err(member.bad_value("/assets is where the package's own files are"));
        }
        if taken.iter().any(|other| rules::overlap(other, &path)) {
            return Err(
                member.bad_value("is declared twice, or lies in another declared directory")
            );
        }
        taken.push(path.clone());
        Ok(path)
    };
    member.object(|object| {
        let mut read = |member: Option<Member>| match member {
            Some(member) => member.array(0..=LIST_COUNT_MAX, &mut directory),
            None => Ok(Vec::new()),
        };
        Ok(Filesystem {
            read: read(object.optional("read"))?,
            write: read(object.optional("write"))?,
        })
    })
}

fn tools(member: &Member, protocol: Protocol) -> Result<Vec<Tool>, Fault> {
    let mut names = BTreeSet::new();
    // [MAN-29]
    member.array(1..=TOOLS_COUNT_MAX, |member| {
        let tool = member.object(|object| tool(object, protocol))?;
        // [MAN-31]
        match names.insert(tool.name.to_ascii_lowercase()) {
            true => Ok(tool),
            false => {
                Err(member.bad_value("has the name of another tool, but for upper and lower case"))
            }
        }
    })
}

fn tool(object: &mut Object, protocol: Protocol) -> Result<Tool, Fault> {
    let schema = |member: &Member| Schema::read(member.value(), member.pointer());
    // [MAN-32] [MAN-33]
    let parameters = schema(&object.required("parameters")?)?;
    // [MAN-37] A key that is not asked for is refused.
    let (returns, command) = match protocol {
        Protocol::Command => (None, Some(command(&object.required("command")?, &parameters)?)),
        Protocol::JsonRpc | Protocol::Mcp => (optional(object.optional("returns"), schema)?, None),
    };
    let what = "must be 1 to 64 letters, digits and _, starting with a letter";
    Ok(Tool {
        name: checked(&object.required("name")?, rules::is_tool_name, what)?,
        description: text(&object.required("description")?)?,
        parameters,
        returns,
        command,
        sensitivity: sensitivity(&object.required("sensitivity")?)?,
    })
}

// [MAN-34]
fn sensitivity(member: &Member) -> Result<Sensitivity, Fault> {
    match member.text()? {
        "read" => Ok(Sensitivity::Read),
        "write" => Ok(Sensitivity::Write),
        "destructive" => Ok(Sensitivity::Destructive),
        _ => Err(member.bad_value("must be \"read\", \"write\" or \"destructive\"")),
    }
}

pub(crate) fn privacy_filters(object: &mut Object) -> Result<PrivacyFilters, Fault> {
    let mut names = BTreeSet::new();
    // [MAN-36]
    let custom = |member: &Member| {
        let what = "must be 1 to 32 of A-Z 0-9 _, starting with a letter";
        let pattern = member.object(|object| {
            Ok(CustomPattern {
                name: checked(&object.required("name")?, rules::is_pattern_name, what)?,
                pattern: line(&object.required("pattern")?)?,
            })
        })?;
        match names.insert(pattern.name.clone()) {
            true => Ok(pattern),
            false => Err(member.bad_value("has the name of another custom pattern")),
        }
    };
    Ok(PrivacyFilters {
        // [MAN-35]
        patterns: list(object.optional("patterns"), line)?,
        custom: optional(object.optional("custom"), |member| {
            member.array(0..=LIST_COUNT_MAX, custom)
        })?
        .unwrap_or_default(),
    })
}

/// A string that a rule allows.
fn checked(member: &Member, allowed: impl Fn(&str) -> bool, what: &str) -> Result<String, Fault> {
    match member.text()? {
        text if allowed(text) => Ok(text.to_owned()),
        _ => Err(member.bad_value(what)),
    }
}

// [MAN-08]
fn line(member: &Member) -> Result<String, Fault> {
    let what = "must be 1 to 256 bytes on one line, without white space around them";
    checked(member, rules::is_line, what)
}

// [MAN-08]
fn text(member: &Member) -> Result<String, Fault> {
    let what =
        format!("must be 1 to {DESCRIPTION_BYTES_MAX} bytes, without white space around them");
    checked(member, |text| text.len() <= DESCRIPTION_BYTES_MAX && rules::is_text(text), &what)
}

fn integer(member: Option<Member>, most: u32) -> Result<Option<u32>, Fault> {
    optional(member, |member| member.integer(1..=most))
}

fn optional<'a, T>(
    member: Option<Member<'a>>,
    read: impl FnOnce(&Member<'a>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    member.map(|member| read(&member)).transpose()
}

/// A list of strings that all differ; none where the key is absent.
// [MAN-12]
fn list(
    member: Option<Member>,
    read: impl Fn(&Member) -> Result<String, Fault>,
) -> Result<Vec<String>, Fault> {
    let Some(member) = member else { return Ok(Vec::new()) };
    let mut seen = BTreeSet::new();
    member.array(0..=LIST_COUNT_MAX, |item| {
        let text = read(item)?;
        match seen.insert(text.clone()) {
            true => Ok(text),
            false => Err(item.bad_value("stands here twice")),
        }
    })
}
