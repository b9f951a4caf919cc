//! Room: `tools[].command`: where the arguments of a call go on a program's command line. All of it is
//! settled when the manifest is read; a call only fills in values.
//!
//! A value is one whole argument or the whole of stdin. It is never put into a text that a program
//! takes apart, so no value can end where the author did not put it.

use super::read::argument;
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{COMMAND_GROUP_COUNT_MAX, LIST_COUNT_MAX};
use crate::kernel::package::schema::Schema;
use crate::kernel::prelude::*;
use crate::kernel::text::shown;
use serde_json::{Map, Value};

/// What an argument can be made of: one text, in one way.
const SCALARS: [&str; 4] = ["string", "integer", "number", "boolean"];
/// What stdin can be made of: a JSON document too.
const DOCUMENTS: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// `tools[].command`: where the arguments of a call go.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// Groups of words behind `runtime.args`; a group is left out if a value in it was not given.
    pub args: Vec<Vec<ArgPart>>,
    /// The property whose value is stdin. Without one stdin is empty.
    pub stdin: Option<String>,
    /// The properties that `args` and `stdin` name: all that the tool has.
    pub properties: BTreeSet<String>,
    /// As it stands in the manifest, for people to look at.
    pub source: Value,
}

/// A word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgPart {
    /// An argument as it stands.
    Literal(String),
    /// `{NAME}`: the value of this property, one argument.
    Value(String),
    /// `{?NAME}`: no argument; without it being true the group is left out.
    If(String),
}

// [MAN-38]
pub(super) fn command(member: &Field, parameters: &Schema) -> Result<Command, DocumentError> {
    let none = Map::new();
    let properties = parameters.source().get("properties").and_then(Value::as_object);
    let mut reader = Reader { properties: properties.unwrap_or(&none), used: BTreeSet::new() };
    let (args, stdin) = member.object(|object| {
        let args = match object.optional("args") {
            Some(args) => args.array(0..=LIST_COUNT_MAX, |item| reader.group(item))?,
            None => Vec::new(),
        };
        let stdin = object.optional("stdin");
        Ok((args, stdin.map(|member| reader.stdin(&member)).transpose()?))
    })?;
    // [MAN-44]
    if let Some(name) = reader.properties.keys().find(|name| !reader.used.contains(*name)) {
        let what = format!("has no placeholder for the property {}", shown(name));
        return Err(member.bad_value(what));
    }
    Ok(Command { args, stdin, properties: reader.used, source: member.value().clone() })
}

struct Reader<'a> {
    /// Those of the tool's `parameters`.
    properties: &'a Map<String, Value>,
    /// Those that a placeholder names.
    used: BTreeSet<String>,
}

impl Reader<'_> {
    /// An item of `args`: a word by itself, or an array of words that belong together.
    // [MAN-39]
    fn group(&mut self, item: &Field) -> Result<Vec<ArgPart>, DocumentError> {
        if item.value().is_array() {
            let words = item.array(2..=COMMAND_GROUP_COUNT_MAX, |word| self.word(word))?;
            return match words.iter().any(|word| !matches!(word, ArgPart::Literal(_))) {
                true => Ok(words),
                false => Err(item.bad_value("must hold a placeholder, or need not be a group")),
            };
        }
        match self.word(item)? {
            ArgPart::If(_) => {
                Err(item.bad_value("is a condition, which can only stand in a group"))
            }
            word => Ok(vec![word]),
        }
    }

    // [MAN-40]
    fn word(&mut self, word: &Field) -> Result<ArgPart, DocumentError> {
        let text = argument(word)?;
        if let Some(name) = placeholder(&text) {
            let (name, is_condition) = match name.strip_prefix('?') {
                Some(name) => (name, true),
                None => (name, false),
            };
            let types = if is_condition { &["boolean"][..] } else { &SCALARS };
            let name = self.property(word, name, types)?;
            return Ok(if is_condition { ArgPart::If(name) } else { ArgPart::Value(name) });
        }
        // [MAN-41] It would do nothing, and its author meant something.
        let mut inner = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        let is_named = |name: &str| self.properties.contains_key(name.trim_start_matches('?'));
        match inner.any(|(name, _)| is_named(name)) {
            true => Err(word.bad_value("holds a placeholder, which must be the whole of it")),
            false => Ok(ArgPart::Literal(text)),
        }
    }

    // [MAN-43]
    fn stdin(&mut self, stdin: &Field) -> Result<String, DocumentError> {
        match placeholder(stdin.text()?).filter(|name| !name.starts_with('?')) {
            Some(name) => self.property(stdin, name, &DOCUMENTS),
            None => Err(stdin.bad_value("must be a placeholder such as {text}")),
        }
    }

    /// The property that a placeholder names. Its own `type` has to say that a value is of one of these
    /// types: then every value that passes the schema is.
    // [MAN-42]
    fn property(
        &mut self,
        place: &Field,
        name: &str,
        types: &[&str],
    ) -> Result<String, DocumentError> {
        let Some(schema) = self.properties.get(name) else {
            return Err(place.bad_value("names no property of `parameters`"));
        };
        let is_allowed = |one: &Value| one.as_str().is_some_and(|one| types.contains(&one));
        let stated = match schema.get("type") {
            Some(Value::Array(several)) => several.iter().all(is_allowed),
            Some(one) => is_allowed(one),
            None => false,
        };
        if !stated {
            let types = types.join(", ");
            let what = format!("names a property whose `type` is not stated as one of {types}");
            return Err(place.bad_value(what));
        }
        self.used.insert(name.to_owned());
        Ok(name.to_owned())
    }
}

/// `NAME` of `{NAME}`, `?NAME` of `{?NAME}`; nothing for any other text, such as a program of awk.
fn placeholder(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let name = inner.strip_prefix('?').unwrap_or(inner);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (!name.is_empty() && name.bytes().all(allowed)).then_some(inner)
}
