//! Room: from the JSON of a schema to its rules, refusing what is outside the subset and what
//! contradicts itself.
//!
//! Every `$ref` is written out where it stands. Depth, number and length of schemas are capped while
//! that happens, the latter two for all schemas of a manifest together, so a `$ref` that leads back to itself, or doubles at each step, ends in a refusal.

use super::number::{canonical, Exact};
use super::{Budget, Measure, Node, Relation, Rule, Type};
use crate::json::object::{Fault, Member};
use crate::limits::{LINE_BYTES_MAX, SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, SCHEMA_NODES_COUNT_MAX};
use crate::pattern::{Dialect, Pattern};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The one dialect, for schemas that name it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Where a `$ref` may lead.
const DEFINITIONS: &str = "#/$defs/";
/// A list as long as the manifest allows it to be.
const ANY_COUNT: usize = usize::MAX;

/// Keywords that bound something from below and from above, and whether equal bounds leave nothing.
const OPPOSITES: [(&str, &str, bool); 7] = [
    ("minimum", "maximum", false),
    ("minimum", "exclusiveMaximum", true),
    ("exclusiveMinimum", "maximum", true),
    ("exclusiveMinimum", "exclusiveMaximum", true),
    ("minLength", "maxLength", false),
    ("minItems", "maxItems", false),
    ("minProperties", "maxProperties", false),
];

/// Compiles a whole schema.
pub(super) fn root(source: &Value, pointer: &str, budget: &mut Budget) -> Result<Node, Fault> {
    let schema = Member::new(source, pointer);
    let members = schema.members()?;
    // [SCH-02]
    match members.get("type") {
        Some(Value::String(name)) if name == "object" => {}
        Some(other) => {
            return Err(schema.child("type", other).bad_value("must be \"object\" at the root"))
        }
        None => return Err(schema.bad_value("must have \"type\": \"object\" at the root")),
    }
    let none = Map::new();
    let definitions = members.get("$defs").and_then(Value::as_object).unwrap_or(&none);
    let place = schema.child("$defs", source);
    let mut compiler = Compiler { definitions, place, budget, patterns: BTreeMap::new() };
    compiler.node(&schema, 0)
}

struct Compiler<'a, 'b> {
    definitions: &'a Map<String, Value>,
    /// The place of `$defs`, for pointers.
    place: Member<'a>,
    budget: &'b mut Budget,
    /// Compiled once each, however often a `$ref` leads to them.
    patterns: BTreeMap<&'a str, Rule>,
}

impl<'a> Compiler<'a, '_> {
    /// One schema: `true`, `false` or an object of keywords.
    // [SCH-01]
    fn node(&mut self, schema: &Member<'a>, depth: usize) -> Result<Node, Fault> {
        // [SCH-07]
        if depth > SCHEMA_DEPTH_MAX {
            return Err(schema.unsupported(format!(
                "is more than {SCHEMA_DEPTH_MAX} schemas deep; does a $ref lead back to itself?"
            )));
        }
        self.budget.nodes_left = self.budget.nodes_left.checked_sub(1).ok_or_else(|| {
            schema.unsupported(format!(
                "makes more than {SCHEMA_NODES_COUNT_MAX} schemas in all, every $ref written out"
            ))
        })?;
        let members = match schema.value() {
            Value::Bool(true) => return Ok(Node::default()),
            Value::Bool(false) => return Ok(Node(vec![Rule::Never])),
            Value::Object(members) => members,
            _ => return Err(schema.wrong_type("a schema")),
        };
        let mut rules = Vec::new();
        for (keyword, value) in members {
            let value = schema.child(keyword, value);
            rules.extend(self.keyword(keyword, &value, members, depth)?);
        }
        agrees_with_itself(schema, members)?;
        Ok(Node(rules))
    }

    /// The rule that one keyword stands for; none for an annotation.
    // [SCH-03]
    fn keyword(
        &mut self,
        keyword: &str,
        value: &Member<'a>,
        siblings: &'a Map<String, Value>,
        depth: usize,
    ) -> Result<Option<Rule>, Fault> {
        let rule = match keyword {
            // [SCH-06]
            "title" | "description" => return value.text().map(|_| None),
            "deprecated" => return value.boolean().map(|_| None),
            "examples" => return value.array(0..=ANY_COUNT, |_| Ok(())).map(|_| None),
            "default" => return Ok(None),
            "$schema" if depth == 0 => return dialect(value).map(|()| None),
            "$defs" if depth == 0 => return self.definitions(value).map(|()| None),

            "type" => Rule::Type(types(value)?),
            "enum" => Rule::Values(distinct(value, 1)?),
            "const" => Rule::Values(BTreeSet::from([canonical(value.value())])),

            "minimum" => Rule::Bound(Relation::AtLeast, number(value)?),
            "maximum" => Rule::Bound(Relation::AtMost, number(value)?),
            "exclusiveMinimum" => Rule::Bound(Relation::Above, number(value)?),
            "exclusiveMaximum" => Rule::Bound(Relation::Below, number(value)?),
            "multipleOf" => Rule::MultipleOf(value.integer(1..=u32::MAX)?),

            "minLength" => Rule::Size(Measure::Characters, Relation::AtLeast, count(value)?),
            "maxLength" => Rule::Size(Measure::Characters, Relation::AtMost, count(value)?),
            "pattern" => self.pattern(value)?,

            "items" => {
                let first =
                    siblings.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                Rule::RestItems(first, self.below(value, depth)?)
            }
            "prefixItems" => Rule::FirstItems(self.list(value, depth)?),
            "minItems" => Rule::Size(Measure::Items, Relation::AtLeast, count(value)?),
            "maxItems" => Rule::Size(Measure::Items, Relation::AtMost, count(value)?),
            "uniqueItems" => return Ok(value.boolean()?.then_some(Rule::UniqueItems)),

            "properties" => {
                let mut properties = Vec::new();
                for (name, schema) in value.members()? {
                    let node = self.below(&value.child(name, schema), depth)?;
                    properties.push((name.clone(), node));
                }
                Rule::Properties(properties)
            }
            "additionalProperties" => {
                let known = siblings.get("properties").and_then(Value::as_object);
                let names = known.map(|known| known.keys().cloned().collect()).unwrap_or_default();
                Rule::OtherProperties(names, self.below(value, depth)?)
            }
            "required" => Rule::Required(required(value, siblings)?),
            "minProperties" => Rule::Size(Measure::Members, Relation::AtLeast, count(value)?),
            "maxProperties" => Rule::Size(Measure::Members, Relation::AtMost, count(value)?),

            "allOf" => Rule::AllOf(self.list(value, depth)?),
            "anyOf" => Rule::AnyOf(self.list(value, depth)?),
            "oneOf" => Rule::OneOf(self.list(value, depth)?),
            "not" => Rule::Not(self.below(value, depth)?),
            "$ref" => Rule::AllOf(vec![self.reference(value, depth)?]),
            _ => return Err(value.unsupported("this keyword is outside the supported subset")),
        };
        Ok(Some(rule))
    }

    fn below(&mut self, schema: &Member<'a>, depth: usize) -> Result<Node, Fault> {
        self.node(schema, depth.saturating_add(1))
    }

    fn list(&mut self, value: &Member<'a>, depth: usize) -> Result<Vec<Node>, Fault> {
        value.array(1..=SCHEMA_NODES_COUNT_MAX, |schema| self.below(schema, depth))
    }

    /// Every definition is read, used or not.
    // [SCH-05]
    fn definitions(&mut self, value: &Member<'a>) -> Result<(), Fault> {
        for (name, schema) in value.members()? {
            let schema = value.child(name, schema);
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if name.is_empty() || !name.bytes().all(allowed) {
                return Err(schema.unsupported("a name in $defs is made of A-Z a-z 0-9 . _ -"));
            }
            self.below(&schema, 0)?;
        }
        Ok(())
    }

    // [SCH-05]
    fn reference(&mut self, value: &Member<'a>, depth: usize) -> Result<Node, Fault> {
        let Some(name) = value.text()?.strip_prefix(DEFINITIONS) else {
            return Err(value.unsupported("a $ref leads to #/$defs/NAME of the same schema"));
        };
        let Some(schema) = self.definitions.get(name) else {
            return Err(value.bad_value("there is no such definition in $defs"));
        };
        // [SCH-07]
        let bytes_left = self.budget.bytes_left.checked_sub(schema.to_string().len());
        self.budget.bytes_left = bytes_left.ok_or_else(|| {
            value.unsupported(format!(
                "makes the copies longer than {SCHEMA_BYTES_MAX} bytes in all"
            ))
        })?;
        self.below(&self.place.child(name, schema), depth)
    }

    fn pattern(&mut self, value: &Member<'a>) -> Result<Rule, Fault> {
        let text = value.text()?;
        if let Some(known) = self.patterns.get(text) {
            return Ok(known.clone());
        }
        let rule = pattern(value, text)?;
        self.patterns.insert(text, rule.clone());
        Ok(rule)
    }
}

fn dialect(value: &Member) -> Result<(), Fault> {
    match value.text()? {
        DIALECT => Ok(()),
        _ => Err(value.unsupported(format!("the one dialect is {DIALECT}"))),
    }
}

fn types(value: &Member) -> Result<Vec<Type>, Fault> {
    let one = |value: &Member| {
        let name = value.text()?;
        let found = Type::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(found, _)| *found).ok_or_else(|| value.bad_value("is no JSON Schema type"))
    };
    if value.value().is_string() {
        return Ok(vec![one(value)?]);
    }
    distinct(value, 1)?;
    value.array(1..=Type::ALL.len(), one)
}

/// The canonical texts of an array whose items all differ.
// [SCH-04]
fn distinct(value: &Member, least: usize) -> Result<BTreeSet<String>, Fault> {
    let mut texts = BTreeSet::new();
    value.array(least..=ANY_COUNT, |item| match texts.insert(canonical(item.value())) {
        true => Ok(()),
        false => Err(item.bad_value("stands here twice")),
    })?;
    Ok(texts)
}

fn number(value: &Member) -> Result<Exact, Fault> {
    match value.value() {
        Value::Number(number) => Ok(Exact::of(number)),
        _ => Err(value.wrong_type("a number")),
    }
}

fn count(value: &Member) -> Result<u64, Fault> {
    value.integer(0..=u64::from(u32::MAX))
}

/// The names must be among `properties` where the same schema has some: a misspelt one would make
/// every call fail.
// [SCH-04]
fn required(value: &Member, siblings: &Map<String, Value>) -> Result<Vec<String>, Fault> {
    distinct(value, 0)?;
    let known = siblings.get("properties").and_then(Value::as_object);
    value.array(0..=ANY_COUNT, |item| {
        let name = item.text()?;
        match known.is_some_and(|known| !known.contains_key(name)) {
            true => Err(item.bad_value("is not among the properties")),
            false => Ok(name.to_owned()),
        }
    })
}

/// Regular expressions that ECMA-262 reads in the same way but for two classes.
// [SCH-08]
fn pattern(value: &Member, text: &str) -> Result<Rule, Fault> {
    if text.len() > LINE_BYTES_MAX {
        return Err(value.unsupported(format!("a pattern has at most {LINE_BYTES_MAX} bytes")));
    }
    Pattern::new(text, Dialect::Schema).map(Rule::Pattern).map_err(|why| value.unsupported(why))
}

/// Refuses bounds that leave nothing between them, and keywords about another type than the declared.
// [SCH-04]
fn agrees_with_itself(schema: &Member, members: &Map<String, Value>) -> Result<(), Fault> {
    for (low_key, high_key, strict) in OPPOSITES {
        let bounds = (members.get(low_key), members.get(high_key));
        let (Some(Value::Number(low)), Some(Value::Number(high))) = bounds else { continue };
        let order = Exact::of(low).compare(Exact::of(high));
        if order.is_gt() || (strict && order.is_eq()) {
            return Err(schema.bad_value(format!("{low_key} and {high_key} leave nothing between")));
        }
    }
    let declared = match members.get("type") {
        Some(Value::String(name)) => vec![name.as_str()],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    for (keyword, value) in members {
        let about = about(keyword);
        if !about.is_empty() && !about.iter().any(|name| declared.contains(name)) {
            let names = about.join(" or ");
            let place = schema.child(keyword, value);
            return Err(place.bad_value(format!("is about type {names}, which is not declared")));
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
