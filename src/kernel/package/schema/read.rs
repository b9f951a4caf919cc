//! Reads a schema and checks that it stays within the subset and is consistent.
//!
//! It makes one pass over the JSON. A `$ref` is followed to determine the depth it adds, and each
//! definition is read once; a recursive one exceeds every depth limit.

use super::number::{canonical, satisfies_bound};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{LINE_BYTES_MAX, SCHEMA_DEPTH_MAX};
use crate::kernel::pattern::{Dialect, Pattern};
use crate::kernel::prelude::*;
use crate::kernel::text::quote_untrusted;
use serde_json::{Map, Value};

/// Prefix of every `$ref`.
const DEFINITIONS: &str = "#/$defs/";
/// The supported dialect, for schemas that name it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// No limit of its own: the size of the manifest bounds the list.
const ANY_COUNT: usize = usize::MAX;
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// Pairs of a lower and an upper bound.
const BOUND_PAIRS: [(&str, &str); 7] = [
    ("minimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "maximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

/// Reads a whole schema, and returns its patterns.
pub(super) fn schema(
    source: &Value,
    pointer: &str,
) -> Result<BTreeMap<String, Pattern>, DocumentError> {
    let root = Field::new(source, pointer);
    // [SCH-02]
    let name = root.members()?.get("type").unwrap_or(&Value::Null);
    if name != "object" {
        return Err(root.child("type", name).bad_value("must be \"object\" at the root"));
    }
    let (heights, patterns) = (BTreeMap::new(), BTreeMap::new());
    let mut reader = Reader { root: root.clone(), heights, deepest: 0, patterns };
    reader.schema(&root, 0)?;
    Ok(reader.patterns)
}

struct Reader<'a> {
    root: Field<'a>,
    /// The depths of the definitions read so far, counting every `$ref`.
    heights: BTreeMap<&'a str, usize>,
    /// The greatest depth since the current definition was entered.
    deepest: usize,
    patterns: BTreeMap<String, Pattern>,
}

impl<'a> Reader<'a> {
    /// Reads one schema: `true`, `false` or an object of keywords.
    // [SCH-01]
    fn schema(&mut self, schema: &Field<'a>, depth: usize) -> Result<(), DocumentError> {
        self.check_depth(schema, depth)?;
        if schema.value().is_boolean() {
            return Ok(());
        }
        let members = schema.value().as_object().ok_or_else(|| schema.wrong_type("a schema"))?;
        for (name, value) in members {
            self.keyword(name, &schema.child(name, value), members, depth)?;
        }
        check_consistency(schema, members)
    }

    fn subschema(&mut self, schema: &Field<'a>, depth: usize) -> Result<(), DocumentError> {
        self.schema(schema, depth.saturating_add(1))
    }

    // [SCH-07]
    fn check_depth(&mut self, schema: &Field, depth: usize) -> Result<(), DocumentError> {
        self.deepest = self.deepest.max(depth);
        match depth <= SCHEMA_DEPTH_MAX {
            true => Ok(()),
            false => Err(schema.unsupported(format!(
                "is more than {SCHEMA_DEPTH_MAX} schemas deep (possibly a recursive $ref)"
            ))),
        }
    }

    // [SCH-03]
    fn keyword(
        &mut self,
        name: &str,
        value: &Field<'a>,
        siblings: &Map<String, Value>,
        depth: usize,
    ) -> Result<(), DocumentError> {
        match name {
            "type" if value.value().is_string() => is_type(value),
            "type" => distinct(value, 1, is_type),
            "enum" => distinct(value, 1, |_| Ok(())),
            "const" | "default" => Ok(()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                let number = value.value().as_number();
                number.map(|_| ()).ok_or_else(|| value.wrong_type("a number"))
            }
            "multipleOf" => value.integer(1..=u32::MAX).map(|_| ()),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" => value.integer(0..=u32::MAX).map(|_| ()),
            "pattern" => self.pattern(value),
            "items" | "additionalProperties" | "propertyNames" | "not" => {
                self.subschema(value, depth)
            }
            "prefixItems" | "allOf" | "anyOf" | "oneOf" => {
                value.array(1..=ANY_COUNT, |schema| self.subschema(schema, depth)).map(|_| ())
            }
            "uniqueItems" | "deprecated" => value.boolean().map(|_| ()),
            "properties" => {
                let mut members = value.members()?.iter();
                members.try_for_each(|(name, one)| self.subschema(&value.child(name, one), depth))
            }
            "required" => distinct(value, 0, |item| {
                // A misspelled name would make every call fail.
                let known = siblings.get("properties").and_then(Value::as_object);
                let name = item.text()?;
                match known.is_none_or(|known| known.contains_key(name)) {
                    true => Ok(()),
                    false => Err(item.bad_value("is not among `properties`")),
                }
            }),
            "$ref" => self.reference(value, depth),
            "$defs" if depth == 0 => self.definitions(value),
            "$schema" if depth == 0 => match value.text()? {
                DIALECT => Ok(()),
                _ => Err(value.unsupported(format!("is not {DIALECT}"))),
            },
            // [SCH-06]
            "title" | "description" | "format" => value.text().map(|_| ()),
            "examples" => value.array(0..=ANY_COUNT, |_| Ok(())).map(|_| ()),
            _ => Err(value.unsupported("unsupported keyword")),
        }
    }

    /// Reads every definition, used or not.
    // [SCH-05]
    fn definitions(&mut self, value: &Field<'a>) -> Result<(), DocumentError> {
        for (name, schema) in value.members()? {
            let schema = value.child(name, schema);
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || !name.bytes().all(allowed) {
                return Err(schema.unsupported("definition name is not of A-Z a-z 0-9 . _ -"));
            }
            self.definition(name, &schema, 0)?;
        }
        Ok(())
    }

    // [SCH-05]
    fn reference(&mut self, value: &Field<'a>, depth: usize) -> Result<(), DocumentError> {
        let Some(name) = value.text()?.strip_prefix(DEFINITIONS) else {
            return Err(value.unsupported("$ref must be #/$defs/NAME of the same schema"));
        };
        let Some(schema) = definition(self.root.value(), value.value()) else {
            return Err(value.bad_value("unknown definition in $defs"));
        };
        self.definition(name, &self.root.child("$defs", schema).child(name, schema), depth)
    }

    /// Reads a definition that is used at this depth.
    // [SCH-07]
    fn definition(
        &mut self,
        name: &'a str,
        schema: &Field<'a>,
        depth: usize,
    ) -> Result<(), DocumentError> {
        if let Some(height) = self.heights.get(name) {
            return self.check_depth(schema, depth.saturating_add(*height));
        }
        let outer = core::mem::take(&mut self.deepest);
        self.subschema(schema, depth)?;
        self.heights.insert(name, self.deepest.saturating_sub(depth));
        self.deepest = self.deepest.max(outer);
        Ok(())
    }

    /// Compiles a regular expression that ECMA-262 reads the same way, except for two classes.
    // [SCH-08]
    fn pattern(&mut self, value: &Field) -> Result<(), DocumentError> {
        let text = value.text()?;
        if text.len() > LINE_BYTES_MAX {
            return Err(value.unsupported(format!("pattern exceeds {LINE_BYTES_MAX} bytes")));
        }
        if !self.patterns.contains_key(text) {
            let pattern = Pattern::new(text, Dialect::Schema);
            let pattern = pattern.map_err(|why| value.unsupported(why))?;
            self.patterns.insert(text.to_owned(), pattern);
        }
        Ok(())
    }
}

/// Returns the definition that a `$ref` names, in the schema with this root.
pub(super) fn definition<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    root.get("$defs")?.as_object()?.get(reference.as_str()?.strip_prefix(DEFINITIONS)?)
}

/// Returns the items of an array, or a single value as one item.
pub(super) fn one_or_many(argument: &Value) -> &[Value] {
    argument.as_array().map_or_else(|| core::slice::from_ref(argument), Vec::as_slice)
}

fn is_type(value: &Field) -> Result<(), DocumentError> {
    let name = value.text()?;
    let what = || format!("\"{}\" is not a JSON Schema type", quote_untrusted(name));
    TYPES.contains(&name).then_some(()).ok_or_else(|| value.bad_value(what()))
}

/// Checks an array of distinct items.
// [SCH-04]
fn distinct(
    value: &Field,
    least: usize,
    read: impl Fn(&Field) -> Result<(), DocumentError>,
) -> Result<(), DocumentError> {
    let mut texts = BTreeSet::new();
    let items =
        value.array(least..=ANY_COUNT, |item| match texts.insert(canonical(item.value())) {
            true => read(item),
            false => Err(item.bad_value("duplicate value")),
        });
    items.map(|_| ())
}

/// Refuses contradictory bounds, and keywords that do not apply to any declared type.
// [SCH-04]
fn check_consistency(schema: &Field, members: &Map<String, Value>) -> Result<(), DocumentError> {
    for (low_key, high_key) in BOUND_PAIRS {
        let (Some(low), Some(high)) = (members.get(low_key), members.get(high_key)) else {
            continue;
        };
        if !satisfies_bound(low, high_key, high) || !satisfies_bound(high, low_key, low) {
            return Err(schema.bad_value(format!("{low_key} and {high_key} are contradictory")));
        }
    }
    let Some(declared) = members.get("type").map(one_or_many) else { return Ok(()) };
    for (keyword, value) in members {
        let types = applicable_types(keyword);
        if !types.is_empty() && !declared.iter().any(|name| types.iter().any(|one| name == one)) {
            let what = format!("applies only to type {}", types.join(" or "));
            return Err(schema.child(keyword, value).bad_value(what));
        }
    }
    Ok(())
}

/// Returns the types that a keyword applies to; empty for keywords that apply to all.
fn applicable_types(keyword: &str) -> &'static [&'static str] {
    match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            &["number", "integer"]
        }
        "minLength" | "maxLength" | "pattern" => &["string"],
        "items" | "prefixItems" | "minItems" | "maxItems" | "uniqueItems" => &["array"],
        "properties"
        | "additionalProperties"
        | "propertyNames"
        | "required"
        | "minProperties"
        | "maxProperties" => &["object"],
        _ => &[],
    }
}
