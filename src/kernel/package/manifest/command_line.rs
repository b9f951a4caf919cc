//! `tools[].command`: maps the arguments of a call to a program's command line.
//!
//! The mapping is fixed when the manifest is read; a call only fills in values. A value is one whole
//! argument or the whole of stdin, never part of a text that a program parses, so that it cannot add
//! arguments.

use super::read::argument;
use crate::kernel::document::{distinct, integer};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{COMMAND_GROUP_COUNT_MAX, LIST_COUNT_MAX};
use crate::kernel::package::schema::Schema;
use crate::kernel::prelude::*;
use crate::kernel::text::quote_untrusted;
use serde_json::{json, Map, Value};

/// Types that have one text for each value, as an argument needs.
const SCALARS: [&str; 4] = ["string", "integer", "number", "boolean"];
/// Types allowed on stdin: also JSON documents.
const DOCUMENTS: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// `tools[].command`: the command line of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Groups of arguments after `runtime.args`. A group is left out if one of its values was not given.
    pub args: Vec<Vec<ArgPart>>,
    /// The property whose value is stdin. Without it stdin is empty.
    pub stdin: Option<String>,
    /// Exit statuses of success: all others are failures.
    pub ok_exit_codes: BTreeSet<u8>,
    /// The properties in `args` and `stdin`: all that the tool has.
    pub properties: BTreeSet<String>,
    /// The JSON of the manifest, for people.
    pub source: Value,
}

/// A part of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgPart {
    /// A literal argument.
    Literal(String),
    /// `{NAME}`: the value of this property, as one argument.
    Value(String),
    /// `{?NAME}`: no argument; the group is left out unless this property is true.
    If(String),
}

// [MAN-38]
pub(super) fn command(member: &Field, parameters: &Schema) -> Result<Command, DocumentError> {
    let none = Map::new();
    let properties = parameters.source().get("properties").and_then(Value::as_object);
    let mut reader = Reader { properties: properties.unwrap_or(&none), used: BTreeSet::new() };
    let (args, stdin, ok_exit_codes) = member.object(|object| {
        let args = match object.optional("args") {
            Some(args) => args.array(0..=LIST_COUNT_MAX, |item| reader.group(item))?,
            None => Vec::new(),
        };
        let stdin = object.optional("stdin");
        let stdin = stdin.map(|member| reader.stdin(&member)).transpose()?;
        Ok((args, stdin, ok_exit_codes(object.optional("ok_exit_codes"))?))
    })?;
    // [MAN-44]
    if let Some(name) = reader.properties.keys().find(|name| !reader.used.contains(*name)) {
        let what = format!("has no placeholder for the property {}", quote_untrusted(name));
        return Err(member.bad_value(what));
    }
    let source = member.value().clone();
    Ok(Command { args, stdin, ok_exit_codes, properties: reader.used, source })
}

// [MAN-47]
fn ok_exit_codes(member: Option<Field>) -> Result<BTreeSet<u8>, DocumentError> {
    let Some(member) = member else { return Ok(BTreeSet::from([0])) };
    // As many as there are values.
    let codes = distinct(1..=256, integer(0..=u8::MAX), |code| *code, "duplicate value")(&member)?;
    Ok(codes.into_iter().collect())
}

struct Reader<'a> {
    /// The properties of the tool's `parameters`.
    properties: &'a Map<String, Value>,
    /// Those that have a placeholder.
    used: BTreeSet<String>,
}

impl Reader<'_> {
    /// Reads an item of `args`: one part, or an array of parts that belong together.
    // [MAN-39]
    fn group(&mut self, item: &Field) -> Result<Vec<ArgPart>, DocumentError> {
        if item.value().is_array() {
            let parts = item.array(2..=COMMAND_GROUP_COUNT_MAX, |part| self.part(part))?;
            return match parts.iter().any(|part| !matches!(part, ArgPart::Literal(_))) {
                true => Ok(parts),
                false => Err(item.bad_value("a group must contain a placeholder")),
            };
        }
        match self.part(item)? {
            ArgPart::If(_) => Err(item.bad_value("a condition is allowed only in a group")),
            part => Ok(vec![part]),
        }
    }

    // [MAN-40]
    fn part(&mut self, part: &Field) -> Result<ArgPart, DocumentError> {
        let text = argument(part)?;
        if let Some(name) = placeholder(&text) {
            let (name, is_condition) = match name.strip_prefix('?') {
                Some(name) => (name, true),
                None => (name, false),
            };
            let types = if is_condition { &["boolean"][..] } else { &SCALARS };
            let name = self.property(part, name, types)?;
            return Ok(if is_condition { ArgPart::If(name) } else { ArgPart::Value(name) });
        }
        // [MAN-41] Such a text would be passed literally, which the author did not mean.
        let mut inner = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        let is_named = |name: &str| self.properties.contains_key(name.trim_start_matches('?'));
        let Some((name, _)) = inner.find(|(name, _)| is_named(name)) else {
            return Ok(ArgPart::Literal(text));
        };
        let before = text.split('{').next().unwrap_or_default().trim_end_matches('=');
        let group = json!([before, format!("{{{name}}}")]).to_string();
        let how = match before.is_empty() {
            true => format!("write it as an item {{{name}}} of its own"),
            false => format!("write the group {}", quote_untrusted(&group)),
        };
        Err(part.bad_value(format!("a placeholder must be the entire argument: {how}")))
    }

    // [MAN-43]
    fn stdin(&mut self, stdin: &Field) -> Result<String, DocumentError> {
        match placeholder(stdin.text()?).filter(|name| !name.starts_with('?')) {
            Some(name) => self.property(stdin, name, &DOCUMENTS),
            None => Err(stdin.bad_value("must be a placeholder such as {text}")),
        }
    }

    /// Checks the property of a placeholder. Its own `type` has to declare one of these types, so that
    /// the value of every valid call has one of them.
    // [MAN-42]
    fn property(
        &mut self,
        place: &Field,
        name: &str,
        types: &[&str],
    ) -> Result<String, DocumentError> {
        let Some(schema) = self.properties.get(name) else {
            return Err(place.bad_value("names a property that `parameters` does not declare"));
        };
        let is_allowed = |one: &Value| one.as_str().is_some_and(|one| types.contains(&one));
        let is_declared = match schema.get("type") {
            Some(Value::Array(several)) => several.iter().all(is_allowed),
            Some(one) => is_allowed(one),
            None => false,
        };
        if !is_declared {
            let types = types.join(" or ");
            let what = format!("names a property whose `type` is not declared as {types}");
            return Err(place.bad_value(what));
        }
        self.used.insert(name.to_owned());
        Ok(name.to_owned())
    }
}

/// Returns `NAME` of `{NAME}`, `?NAME` of `{?NAME}`, and nothing for any other text, such as an awk program.
fn placeholder(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let name = inner.strip_prefix('?').unwrap_or(inner);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (!name.is_empty() && name.bytes().all(allowed)).then_some(inner)
}
