//! Room: from the bytes of `manifest.json` to a [`Manifest`], and the rules that its declaration names.

use super::command::command;
use super::{CustomPattern, Manifest, Protocol, Tool};
use crate::kernel::document::{distinct, text, FromJson};
use crate::kernel::error::{Code, Error};
use crate::kernel::json::object::{Fault, FaultKind, Member, Object};
use crate::kernel::limits::{
    DESCRIPTION_BYTES_MAX, LIST_COUNT_MAX, MANIFEST_BYTES_MAX, MANIFEST_DEPTH_MAX, TOOLS_COUNT_MAX,
};
use crate::kernel::names;
use crate::kernel::package::schema::Schema;
use crate::kernel::prelude::*;
use crate::kernel::text::is_hidden;
use serde_json::Value;

// [MAN-01] [MAN-02] [MAN-03] [MAN-04] [MAN-05] [MAN-06]
pub(super) fn manifest(bytes: &[u8]) -> Result<Manifest, Error> {
    if bytes.len() > MANIFEST_BYTES_MAX {
        let detail =
            format!("manifest.json has {} bytes, more than {MANIFEST_BYTES_MAX}", bytes.len());
        return Err(Error::new(Code::ManifestSyntax, detail));
    }
    let document = crate::kernel::json::parse(bytes, MANIFEST_DEPTH_MAX)
        .map_err(|error| Error::new(Code::ManifestSyntax, error.to_string()))?;
    let root = Member::new(&document, "");
    let result = characters(&root).and_then(|()| Manifest::read(&root));
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

// [MAN-15]
pub(super) fn target(place: &Member) -> Result<String, Fault> {
    match place.text()? {
        "wasm32-wasi" => Err(place.bad_value("is the old name of wasm32-wasip1; write that")),
        _ => text(|text| text == "wasm32-wasip1", "\"wasm32-wasip1\"")(place),
    }
}

/// One argument of a program, as it stands.
pub(super) fn argument(place: &Member) -> Result<String, Fault> {
    let text = place.text()?;
    let what = format!("must have at most {DESCRIPTION_BYTES_MAX} bytes");
    place.check(text.len() <= DESCRIPTION_BYTES_MAX, &what)?;
    Ok(text.to_owned())
}

// [MAN-20] [MAN-21]
pub(super) fn host(place: &Member) -> Result<String, Fault> {
    let what = match place.text()? {
        text if text.contains('*') => "one host by its name; there are no wildcards",
        text if text.ends_with(":443") => "without :443, which every host without a port means",
        _ => "a lower-case host name, not an address, with an optional port",
    };
    text(names::is_host_and_port, what)(place)
}

/// Directories that lie neither in each other nor in others of the same manifest.
// [MAN-22] [MAN-23] [MAN-24]
pub(super) fn directories(place: &Member, others: &[String]) -> Result<Vec<String>, Fault> {
    let what = "an absolute path such as /data, of A-Z a-z 0-9 . _ - between slashes";
    let mut taken = others.to_vec();
    place.array(0..=LIST_COUNT_MAX, |item| {
        let path = text(names::is_guest_directory, what)(item)?;
        let is_own = |own: &&&str| path != "/" && names::overlap(&path, own);
        if let Some(own) = [names::ASSETS_MOUNT, names::STORAGE_MOUNT].iter().find(is_own) {
            return Err(item.bad_value(format!("{own} is where the package's own files are")));
        }
        if taken.iter().any(|other| names::overlap(other, &path)) {
            return Err(item.bad_value("is declared twice, or lies in another declared directory"));
        }
        taken.push(path.clone());
        Ok(path)
    })
}

// [MAN-29] [MAN-31]
pub(super) fn tools(place: &Member, protocol: Protocol) -> Result<Vec<Tool>, Fault> {
    let rule = |item: &Member| item.object(|object| tool(object, protocol));
    let name = |tool: &Tool| tool.name.to_ascii_lowercase();
    let twice = "has the name of another tool, but for upper and lower case";
    distinct(1..=TOOLS_COUNT_MAX, rule, name, twice)(place)
}

fn tool(object: &mut Object, protocol: Protocol) -> Result<Tool, Fault> {
    let schema = |member: &Member| Schema::read(member.value(), member.pointer());
    // [MAN-32] [MAN-33]
    let parameters = schema(&object.required("parameters")?)?;
    // [MAN-37] A key that is not asked for is refused.
    let (returns, command) = match protocol {
        Protocol::Command => (None, Some(command(&object.required("command")?, &parameters)?)),
        Protocol::JsonRpc | Protocol::Mcp => {
            (object.optional("returns").map(|place| schema(&place)).transpose()?, None)
        }
    };
    let what = "1 to 64 letters, digits and _, starting with a letter";
    Ok(Tool {
        name: text(names::is_tool_name, what)(&object.required("name")?)?,
        description: paragraph(&object.required("description")?)?,
        parameters,
        returns,
        command,
        sensitivity: FromJson::read(&object.required("sensitivity")?)?,
    })
}

pub(super) fn custom_patterns(place: &Member) -> Result<Vec<CustomPattern>, Fault> {
    let twice = "has the name of another custom pattern";
    let name = |pattern: &CustomPattern| pattern.name.clone();
    distinct(0..=LIST_COUNT_MAX, CustomPattern::read, name, twice)(place)
}

// [MAN-08]
pub(super) fn line(place: &Member) -> Result<String, Fault> {
    text(names::is_line, "1 to 256 bytes on one line, without white space around them")(place)
}

// [MAN-08]
pub(super) fn paragraph(place: &Member) -> Result<String, Fault> {
    let text = argument(place)?;
    place.check(names::is_text(&text), "must not be empty, nor have white space around it")?;
    Ok(text)
}

/// A list of strings that all differ.
// [MAN-12]
pub(super) fn each(
    rule: impl Fn(&Member) -> Result<String, Fault>,
) -> impl FnOnce(&Member) -> Result<Vec<String>, Fault> {
    distinct(0..=LIST_COUNT_MAX, rule, String::clone, "stands here twice")
}
