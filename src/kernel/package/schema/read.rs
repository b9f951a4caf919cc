//! Whether a schema follows the subset and agrees with itself: seen to when the manifest is read.
//!
//! One walk over the JSON. A `$ref` is followed to count how deep it leads, and each definition is walked
//! once, however many lead to it; one that leads back to itself is deeper than any limit.

use super::number::{canonical, is_within};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{LINE_BYTES_MAX, SCHEMA_DEPTH_MAX};
use crate::kernel::pattern::{Dialect, Pattern};
use crate::kernel::prelude::*;
use serde_json::{Map, Value};

/// Where a `$ref` may lead.
const DEFINITIONS: &str = "#/$defs/";
/// The one dialect, for schemas that name it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// A list as long as the manifest allows it to be.
const ANY_COUNT: usize = usize::MAX;
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// Keywords that bound one thing from below and from above.
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
    reader.node(&root, 0)?;
    Ok(reader.patterns)
}

struct Reader<'a> {
    root: Field<'a>,
    /// How deep the definitions are that were walked, every `$ref` counted.
    heights: BTreeMap<&'a str, usize>,
    /// The greatest depth since the walk of a definition began.
    deepest: usize,
    patterns: BTreeMap<String, Pattern>,
}

impl<'a> Reader<'a> {
    /// One schema: `true`, `false` or an object of keywords.
    // [SCH-01]
    fn node(&mut self, schema: &Field<'a>, depth: usize) -> Result<(), DocumentError> {
        self.reach(schema, depth)?;
        if schema.value().is_boolean() {
            return Ok(());
        }
        let members = schema.value().as_object().ok_or_else(|| schema.wrong_type("a schema"))?;
        for (name, value) in members {
            self.keyword(name, &schema.child(name, value), members, depth)?;
        }
        check_consistency(schema, members)
    }

    fn below(&mut self, schema: &Field<'a>, depth: usize) -> Result<(), DocumentError> {
        self.node(schema, depth.saturating_add(1))
    }

    // [SCH-07]
    fn reach(&mut self, schema: &Field, depth: usize) -> Result<(), DocumentError> {
        self.deepest = self.deepest.max(depth);
        match depth <= SCHEMA_DEPTH_MAX {
            true => Ok(()),
            false => Err(schema.unsupported(format!(
                "is more than {SCHEMA_DEPTH_MAX} schemas deep; does a $ref lead back to itself?"
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
            "items" | "additionalProperties" | "not" => self.below(value, depth),
            "prefixItems" | "allOf" | "anyOf" | "oneOf" => {
                value.array(1..=ANY_COUNT, |schema| self.below(schema, depth)).map(|_| ())
            }
            "uniqueItems" | "deprecated" => value.boolean().map(|_| ()),
            "properties" => {
                let mut members = value.members()?.iter();
                members.try_for_each(|(name, schema)| self.below(&value.child(name, schema), depth))
            }
            "required" => distinct(value, 0, |item| {
                // A misspelt one would make every call fail.
                let known = siblings.get("properties").and_then(Value::as_object);
                let name = item.text()?;
                match known.is_none_or(|known| known.contains_key(name)) {
                    true => Ok(()),
                    false => Err(item.bad_value("is not among the properties")),
                }
            }),
            "$ref" => self.reference(value, depth),
            "$defs" if depth == 0 => self.definitions(value),
            "$schema" if depth == 0 => match value.text()? {
                DIALECT => Ok(()),
                _ => Err(value.unsupported(format!("the one dialect is {DIALECT}"))),
            },
            // [SCH-06]
            "title" | "description" => value.text().map(|_| ()),
            "examples" => value.array(0..=ANY_COUNT, |_| Ok(())).map(|_| ()),
            _ => Err(value.unsupported("this keyword is outside the supported subset")),
        }
    }

    /// Every definition is read, used or not.
    // [SCH-05]
    fn definitions(&mut self, value: &Field<'a>) -> Result<(), DocumentError> {
        for (name, schema) in value.members()? {
            let schema = value.child(name, schema);
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || !name.bytes().all(allowed) {
                return Err(schema.unsupported("a name in $defs is made of A-Z a-z 0-9 . _ -"));
            }
            self.definition(name, &schema, 0)?;
        }
        Ok(())
    }

    // [SCH-05]
    fn reference(&mut self, value: &Field<'a>, depth: usize) -> Result<(), DocumentError> {
        let Some(name) = value.text()?.strip_prefix(DEFINITIONS) else {
            return Err(value.unsupported("a $ref leads to #/$defs/NAME of the same schema"));
        };
        let Some(schema) = definition(self.root.value(), value.value()) else {
            return Err(value.bad_value("there is no such definition in $defs"));
        };
        self.definition(name, &self.root.child("$defs", schema).child(name, schema), depth)
    }

    /// A definition that stands below a schema of this depth.
    // [SCH-07]
    fn definition(
        &mut self,
        name: &'a str,
        schema: &Field<'a>,
        depth: usize,
    ) -> Result<(), DocumentError> {
        if let Some(height) = self.heights.get(name) {
            return self.reach(schema, depth.saturating_add(*height));
        }
        let outer = core::mem::take(&mut self.deepest);
        self.below(schema, depth)?;
        self.heights.insert(name, self.deepest.saturating_sub(depth));
        self.deepest = self.deepest.max(outer);
        Ok(())
    }

    /// Regular expressions that ECMA-262 reads in the same way but for two classes.
    // [SCH-08]
    fn pattern(&mut self, value: &Field) -> Result<(), DocumentError> {
        let text = value.text()?;
        if text.len() > LINE_BYTES_MAX {
            return Err(value.unsupported(format!("a pattern has at most {LINE_BYTES_MAX} bytes")));
        }
        if !self.patterns.contains_key(text) {
            let pattern = Pattern::new(text, Dialect::Schema);
            let pattern = pattern.map_err(|why| value.unsupported(why))?;
            self.patterns.insert(text.to_owned(), pattern);
        }
        Ok(())
    }
}

/// The definition that a `$ref` leads to, in the schema that has this root.
pub(super) fn definition<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    root.get("$defs")?.as_object()?.get(reference.as_str()?.strip_prefix(DEFINITIONS)?)
}

/// The items of an array, or a value by itself.
pub(super) fn list(argument: &Value) -> &[Value] {
    argument.as_array().map_or_else(|| core::slice::from_ref(argument), Vec::as_slice)
}

fn is_type(value: &Field) -> Result<(), DocumentError> {
    match TYPES.contains(&value.text()?) {
        true => Ok(()),
        false => Err(value.bad_value("is no JSON Schema type")),
    }
}

/// An array whose items all differ.
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
            false => Err(item.bad_value("stands here twice")),
        });
    items.map(|_| ())
}

/// Refuses bounds that leave nothing between them, and keywords about another type than the declared.
// [SCH-04]
fn check_consistency(schema: &Field, members: &Map<String, Value>) -> Result<(), DocumentError> {
    for (low_key, high_key) in BOUND_PAIRS {
        let (Some(low), Some(high)) = (members.get(low_key), members.get(high_key)) else {
            continue;
        };
        if !is_within(low, high_key, high) || !is_within(high, low_key, low) {
            return Err(schema.bad_value(format!("{low_key} and {high_key} leave nothing between")));
        }
    }
    let Some(declared) = members.get("type").map(list) else { return Ok(()) };
    for (keyword, value) in members {
        let about = about(keyword);
        if !about.is_empty() && !declared.iter().any(|name| about.iter().any(|one| name == one)) {
            let what = format!("is about type {}, which is not declared", about.join(" or "));
            return Err(schema.child(keyword, value).bad_value(what));
        }
    }
    Ok(())
}

/// The types that a keyword says something about; none for those about all.
fn about(keyword: &str) -> &'static [&'static str] {
    match keyword {
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            &["number", "integer"]
        }
        "minLength" | "maxLength" | "pattern" => &["string"],
        "items" | "prefixItems" | "minItems" | "maxItems" | "uniqueItems" => &["array"],
        "properties" | "additionalProperties" | "required" | "minProperties" | "maxProperties" => {
            &["object"]
        }
        _ => &[],
    }
}
