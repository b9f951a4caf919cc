//! Brings a JSON Schema of any draft into the subset of `spec/manifest.md`.
//!
//! What the subset does not have is dropped so that the result accepts at least what the original accepts, and each
//! drop is reported. A definition is converted once, so the output grows no faster than the input.

use super::note::{is_clean, visible, Note};
use mpp::limits::{LINE_BYTES_MAX, MANIFEST_DEPTH_MAX, SCHEMA_DEPTH_MAX};
use mpp::package::schema::Schema;
use serde_json::{json, Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Arrays and objects around the parameters of a tool in a manifest, themselves included.
const NEST_ROOT: usize = 4;
/// Longer places are cut: keys can be as long as the list.
const POINTER_CHARS_MAX: usize = 4096;
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
/// Keywords of some draft that constrain values and are not in the subset.
pub(super) const CONSTRAINTS: [&str; 19] = [
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "disallow",
    "divisibleBy",
    "else",
    "extends",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "propertyDependencies",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const NUMERIC: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
const COUNTS: [(&str, &str); 3] =
    [("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")];

pub(super) const WIDENED: &str = "dropped; more is accepted";
const NO_EFFECT: &str = "dropped; it constrains nothing";
const INVALID: &str = "dropped; its value is not valid there";

/// A converted schema.
pub(super) struct Converted {
    pub(super) value: Value,
    /// Whether it may accept more than the original.
    widened: bool,
}

struct Definition {
    name: String,
    schema: Converted,
    /// The depth that a `$ref` to it adds.
    height: usize,
}

pub(super) struct Converter<'a> {
    root: &'a Value,
    /// The place of the root in the tool.
    base: &'static str,
    tool: &'a str,
    /// Whether the dialect ignores what is beside a `$ref`.
    ref_is_alone: bool,
    definitions: BTreeMap<String, Definition>,
    /// Pointers of the definitions being converted.
    open: Vec<String>,
    names: BTreeSet<String>,
    /// The greatest depth since the current definition was entered.
    deepest: usize,
    /// How many schemas with an `$id` surround this one: they change what `#` means.
    foreign: usize,
    patterns: BTreeMap<String, bool>,
    notes: &'a mut Vec<Note>,
}

/// Converts the schema at `base` of a tool. The result has the type `object` at its root.
pub(super) fn convert(
    root: &Value,
    base: &'static str,
    tool: &str,
    notes: &mut Vec<Note>,
) -> Value {
    let dialect = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
    let ref_is_alone =
        ["draft-03", "draft-04", "draft-06", "draft-07"].iter().any(|name| dialect.contains(name));
    let mut converter = Converter {
        root,
        base,
        tool,
        ref_is_alone,
        definitions: BTreeMap::new(),
        open: vec![String::new()],
        names: BTreeSet::new(),
        deepest: 0,
        foreign: 0,
        patterns: BTreeMap::new(),
        notes,
    };
    let mut members = match converter.schema(root, "", 0, NEST_ROOT).value {
        Value::Object(members) => members,
        Value::Bool(true) => Map::new(),
        _ => {
            converter.note("", "", "replaced by an object of any members");
            Map::new()
        }
    };
    match members.get("type") {
        Some(one) if one == "object" => {}
        None => converter.note("", "type", "added: it must be \"object\" at the root"),
        Some(Value::Array(types)) if types.iter().any(|one| one == "object") => {
            converter.note("/type", "type", "replaced by \"object\": arguments are an object");
            members.retain(|keyword, _| applies(keyword, &["object"]));
        }
        Some(_) => {
            converter.note("/type", "type", "is not \"object\" at the root; the schema is dropped");
            members.clear();
        }
    }
    members.insert("type".to_owned(), json!("object"));
    let definitions = converter.definitions.into_values();
    let definitions: Map<String, Value> =
        definitions.map(|one| (one.name, one.schema.value)).collect();
    members.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(members)
}

impl Converter<'_> {
    fn note(&mut self, at: &str, keyword: &str, action: impl Into<String>) {
        self.notes.push(Note {
            tool: self.tool.to_owned(),
            pointer: format!("{}{at}", self.base).chars().take(POINTER_CHARS_MAX).collect(),
            keyword: keyword.to_owned(),
            action: action.into(),
        });
    }

    /// Converts one schema at a depth in schemas and in arrays and objects.
    fn schema(&mut self, schema: &Value, at: &str, depth: usize, nest: usize) -> Converted {
        self.deepest = self.deepest.max(depth);
        let anything = |widened| Converted { value: Value::Bool(true), widened };
        let source = match schema {
            Value::Bool(accepts) => {
                return Converted { value: Value::Bool(*accepts), widened: false }
            }
            Value::Object(source) if source.is_empty() => return anything(false),
            Value::Object(source) => source,
            _ => {
                self.note(at, "", "is not a schema; anything is accepted");
                return anything(true);
            }
        };
        // An array of its own, such as `required`, needs one level more.
        if depth >= SCHEMA_DEPTH_MAX || nest >= MANIFEST_DEPTH_MAX {
            self.note(at, "", "nested too deeply; anything is accepted there");
            return anything(true);
        }
        let foreign = depth > 0 && source.get("$id").is_some_and(Value::is_string);
        self.foreign = self.foreign.saturating_add(usize::from(foreign));
        let mut one =
            One { source, at, depth, nest, out: Map::new(), types: Vec::new(), widened: false };
        self.types(&mut one);
        let lone_ref = self.ref_is_alone && source.contains_key("$ref");
        for (keyword, value) in source {
            let annotation =
                ["$ref", "$defs", "definitions", "title", "description", "default", "$schema"];
            match lone_ref && !annotation.contains(&keyword.as_str()) {
                true => self.drop_keyword(
                    &mut one,
                    keyword,
                    "dropped; it has no effect beside $ref",
                    false,
                ),
                false => self.keyword(&mut one, keyword, value),
            }
        }
        self.finish(&mut one);
        self.foreign = self.foreign.saturating_sub(usize::from(foreign));
        let is_nullable = source.get("nullable") == Some(&Value::Bool(true));
        let Converted { value, widened } =
            Converted { value: Value::Object(one.out), widened: one.widened };
        match is_nullable && depth > 0 && !lone_ref {
            true => Converted { value: nullable(value), widened: true },
            false => Converted { value, widened },
        }
    }

    fn drop_keyword(&mut self, one: &mut One, keyword: &str, action: &str, widens: bool) {
        self.note(&child(one.at, keyword), keyword, action);
        one.widened |= widens;
    }

    /// Reads the types first: the other keywords depend on them.
    fn types(&mut self, one: &mut One) {
        let Some(declared) = one.source.get("type") else { return };
        let items = declared.as_array().map_or(std::slice::from_ref(declared), Vec::as_slice);
        let known = |item: &Value| TYPES.into_iter().find(|name| item == *name);
        let types: BTreeSet<&'static str> = items.iter().filter_map(known).collect();
        if items.is_empty() || !items.iter().all(|item| known(item).is_some()) {
            return self.drop_keyword(one, "type", INVALID, true);
        }
        one.types = types.iter().copied().collect();
        let value = match declared.is_string() {
            true => declared.clone(),
            false => json!(one.types),
        };
        one.out.insert("type".to_owned(), value);
    }

    fn keyword(&mut self, one: &mut One, keyword: &str, value: &Value) {
        if !one.types.is_empty() && !applies(keyword, &one.types) {
            return self.drop_keyword(
                one,
                keyword,
                "dropped; it has no effect on this type",
                false,
            );
        }
        let kept = match keyword {
            "type" | "required" | "properties" | "additionalProperties" => return,
            "$schema" if one.depth == 0 && value == DIALECT => Some(value.clone()),
            "$schema" => {
                let action = "dropped; schemas in a manifest are of 2020-12";
                return self.drop_keyword(one, keyword, action, false);
            }
            "nullable" if value.is_boolean() => {
                return self.note(&child(one.at, keyword), keyword, "replaced by the type null")
            }
            "enum" => self.values(one, value),
            "const" => self.fits(one, value).then(|| value.clone()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                match (value, keyword) {
                    (Value::Number(_), _) => Some(value.clone()),
                    (Value::Bool(is_exclusive), "exclusiveMinimum" | "exclusiveMaximum") => {
                        return self.exclusive(one, keyword, *is_exclusive)
                    }
                    _ => None,
                }
            }
            "multipleOf" => count(value).filter(|count| *count > 0).map(Value::from),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" => count(value).map(Value::from),
            "pattern" => value.as_str().filter(|text| self.is_pattern(text)).map(Value::from),
            "items" if value.is_array() => {
                return self.tuple(one, value.as_array().map_or(&[], Vec::as_slice))
            }
            "additionalItems" if one.source.get("items").is_some_and(Value::is_array) => return,
            "items" | "propertyNames" => Some(self.below(one, keyword, value).value),
            "not" => {
                let inner = self.below(one, keyword, value);
                // A wider schema inside `not` would refuse more.
                (!inner.widened).then_some(inner.value)
            }
            "prefixItems" | "allOf" | "anyOf" | "oneOf" => {
                match value.as_array().filter(|items| !items.is_empty()) {
                    Some(items) => return self.branches(one, keyword, items),
                    None => None,
                }
            }
            "uniqueItems" => value.is_boolean().then(|| value.clone()),
            "$ref" => return self.reference(one, value),
            "$defs" | "definitions" if one.depth == 0 => {
                return self.all_definitions(keyword, value)
            }
            "title" | "description" | "format" => match value.as_str() {
                Some(text) => {
                    let text_visible = visible(text);
                    if text_visible != text {
                        self.note(&child(one.at, keyword), keyword, "hidden characters removed");
                    }
                    Some(Value::from(text_visible))
                }
                None => return self.drop_keyword(one, keyword, INVALID, false),
            },
            "deprecated" if value.is_boolean() => Some(value.clone()),
            "examples" if value.is_array() && self.fits(one, value) => Some(value.clone()),
            "default" if self.fits(one, value) => Some(value.clone()),
            "deprecated" | "examples" | "default" => {
                return self.drop_keyword(one, keyword, INVALID, false)
            }
            other if CONSTRAINTS.contains(&other) => {
                return self.drop_keyword(one, keyword, WIDENED, true)
            }
            // Drafts agree that an unknown keyword constrains nothing.
            _ => return self.drop_keyword(one, keyword, NO_EFFECT, false),
        };
        match kept {
            Some(value) => drop(one.out.insert(keyword.to_owned(), value)),
            None => self.drop_keyword(one, keyword, WIDENED, true),
        }
    }

    /// Converts the schema of a keyword.
    fn below(&mut self, one: &mut One, keyword: &str, value: &Value) -> Converted {
        let (depth, nest) = (one.depth.saturating_add(1), one.nest.saturating_add(1));
        let inner = self.schema(value, &child(one.at, keyword), depth, nest);
        one.widened |= inner.widened && keyword != "not";
        inner
    }

    /// Converts a schema in the array or object of a keyword.
    fn inside(&mut self, one: &mut One, keyword: &str, key: &str, value: &Value) -> Converted {
        let (depth, nest) = (one.depth.saturating_add(1), one.nest.saturating_add(2));
        let inner = self.schema(value, &child(&child(one.at, keyword), key), depth, nest);
        one.widened |= inner.widened;
        inner
    }

    fn branches(&mut self, one: &mut One, keyword: &str, items: &[Value]) {
        let mut widened = false;
        let mut converted = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let inner = self.inside(one, keyword, &index.to_string(), item);
            widened |= inner.widened;
            converted.push(inner.value);
        }
        let mut keyword_out = keyword;
        if keyword == "oneOf" && widened {
            // A wider branch could match beside another one, and `oneOf` would then refuse.
            if one.source.contains_key("anyOf") {
                return self.drop_keyword(one, keyword, WIDENED, true);
            }
            let action = "replaced by anyOf, since a branch accepts more";
            self.drop_keyword(one, keyword, action, true);
            keyword_out = "anyOf";
        }
        one.out.insert(keyword_out.to_owned(), Value::Array(converted));
    }

    /// `items` with an array, of earlier drafts.
    fn tuple(&mut self, one: &mut One, items: &[Value]) {
        self.note(&child(one.at, "items"), "items", "the array became prefixItems");
        let mut converted = Vec::new();
        for (index, item) in items.iter().enumerate() {
            converted.push(self.inside(one, "items", &index.to_string(), item).value);
        }
        if !converted.is_empty() {
            one.out.insert("prefixItems".to_owned(), Value::Array(converted));
        }
        let source = one.source;
        if let Some(rest) = source.get("additionalItems") {
            self.note(&child(one.at, "additionalItems"), "additionalItems", "became items");
            let rest = self.below(one, "additionalItems", rest).value;
            one.out.insert("items".to_owned(), rest);
        }
    }

    /// `exclusiveMinimum` and `exclusiveMaximum` of draft 4: they say how `minimum` and `maximum` are meant.
    fn exclusive(&mut self, one: &mut One, keyword: &str, is_exclusive: bool) {
        let plain = if keyword == "exclusiveMinimum" { "minimum" } else { "maximum" };
        match one.source.get(plain).filter(|bound| is_exclusive && bound.is_number()) {
            Some(bound) => {
                one.out.insert(keyword.to_owned(), bound.clone());
                self.note(&child(one.at, keyword), keyword, format!("got the value of {plain}"));
            }
            None => self.drop_keyword(one, keyword, NO_EFFECT, false),
        }
    }

    /// The values of `enum`, each once.
    fn values(&self, one: &One, value: &Value) -> Option<Value> {
        let items = value.as_array().filter(|items| !items.is_empty())?;
        let mut seen = BTreeSet::new();
        let distinct = items.iter().filter(|item| seen.insert(comparable(item)));
        self.fits(one, value).then(|| distinct.cloned().collect())
    }

    /// Whether a manifest can contain a value.
    fn fits(&self, one: &One, value: &Value) -> bool {
        is_clean(value) && one.nest.saturating_add(height(value)) <= MANIFEST_DEPTH_MAX
    }

    fn is_pattern(&mut self, text: &str) -> bool {
        let read = || {
            let schema = json!({ "type": "object", "propertyNames": { "pattern": text } });
            text.len() <= LINE_BYTES_MAX
                && is_clean(&json!(text))
                && Schema::read(&schema, "").is_ok()
        };
        *self.patterns.entry(text.to_owned()).or_insert_with(read)
    }

    fn reference(&mut self, one: &mut One, value: &Value) {
        let Some(pointer) = value.as_str().and_then(pointer_of).filter(|_| self.foreign == 0)
        else {
            let action = "dropped; only definitions of the same schema can be used";
            return self.drop_keyword(one, "$ref", action, true);
        };
        if self.open.contains(&pointer) {
            let action = "dropped; recursion ends here, and anything is accepted";
            return self.drop_keyword(one, "$ref", action, true);
        }
        if !self.define(&pointer) {
            let action = "dropped; it leads nowhere or too deep";
            return self.drop_keyword(one, "$ref", action, true);
        }
        let Some(definition) = self.definitions.get(&pointer) else { return };
        let deepest = one.depth.saturating_add(definition.height);
        if deepest > SCHEMA_DEPTH_MAX {
            return self.drop_keyword(one, "$ref", "dropped; nested too deeply", true);
        }
        self.deepest = self.deepest.max(deepest);
        one.widened |= definition.schema.widened;
        one.out.insert("$ref".to_owned(), json!(format!("#/$defs/{}", definition.name)));
    }

    /// Converts a definition the first time. Returns `false` if there is no such value, or it would be too deep.
    fn define(&mut self, pointer: &str) -> bool {
        if self.definitions.contains_key(pointer) {
            return true;
        }
        if self.open.len() >= SCHEMA_DEPTH_MAX {
            return false;
        }
        let Some(schema) = self.root.pointer(pointer) else { return false };
        let (outer, foreign) = (self.deepest, self.foreign);
        (self.deepest, self.foreign) = (0, 0);
        self.open.push(pointer.to_owned());
        let schema = self.schema(schema, pointer, 1, NEST_ROOT.saturating_add(2));
        self.open.pop();
        let height = self.deepest;
        (self.deepest, self.foreign) = (outer, foreign);
        let name = self.definition_name(pointer);
        self.definitions.insert(pointer.to_owned(), Definition { name, schema, height });
        true
    }

    fn definition_name(&mut self, pointer: &str) -> String {
        let last = pointer.rsplit('/').next().unwrap_or_default();
        let fold = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
        let plain: String = last.chars().map(fold).take(100).collect();
        let plain = if plain.is_empty() { "_".to_owned() } else { plain };
        let mut name = plain.clone();
        let mut number = 1_usize;
        while !self.names.insert(name.clone()) {
            number = number.saturating_add(1);
            name = format!("{plain}_{number}");
        }
        name
    }

    /// Converts the definitions that nothing uses as well, to report what is lost in them.
    fn all_definitions(&mut self, keyword: &str, value: &Value) {
        if keyword == "definitions" {
            self.note("/definitions", keyword, "became $defs");
        }
        for name in value.as_object().into_iter().flat_map(Map::keys) {
            self.define(&child(&format!("/{keyword}"), name));
        }
    }

    /// Converts what depends on several keywords: members of objects, and pairs of bounds.
    fn finish(&mut self, one: &mut One) {
        let lone_ref = self.ref_is_alone && one.source.contains_key("$ref");
        if !lone_ref && (one.types.is_empty() || one.types.contains(&"object")) {
            self.members(one);
        }
        if one.source.get("exclusiveMinimum") == Some(&Value::Bool(true)) {
            one.out.remove("minimum");
        }
        if one.source.get("exclusiveMaximum") == Some(&Value::Bool(true)) {
            one.out.remove("maximum");
        }
        let number = |out: &Map<String, Value>, keyword: &str| out.get(keyword)?.as_f64();
        for low in ["minimum", "exclusiveMinimum"] {
            for high in ["maximum", "exclusiveMaximum"] {
                let bounds = number(&one.out, low).zip(number(&one.out, high));
                let is_open = low != "minimum" || high != "maximum";
                if bounds.is_some_and(|(least, most)| least > most || (is_open && least == most)) {
                    self.contradiction(one, low, high);
                }
            }
        }
        for (low, high) in COUNTS {
            let bounds = number(&one.out, low).zip(number(&one.out, high));
            if bounds.is_some_and(|(least, most)| least > most) {
                self.contradiction(one, low, high);
            }
        }
    }

    fn contradiction(&mut self, one: &mut One, low: &str, high: &str) {
        for keyword in [low, high] {
            one.out.remove(keyword);
            let action = format!("dropped; {low} and {high} contradict each other");
            self.drop_keyword(one, keyword, &action, true);
        }
    }

    fn members(&mut self, one: &mut One) {
        let source = one.source;
        let mut properties = None;
        let rest = source.get("additionalProperties");
        let mut rest = rest.map(|rest| self.below(one, "additionalProperties", rest).value);
        match source.get("properties") {
            Some(Value::Object(declared)) => {
                let mut converted = Map::new();
                for (name, schema) in declared {
                    let inner = self.inside(one, "properties", name, schema).value;
                    if is_clean(&json!(name)) {
                        converted.insert(name.clone(), inner);
                        continue;
                    }
                    let at = child(&child(one.at, "properties"), name);
                    self.note(&at, name, "dropped; its name has hidden characters");
                    one.widened = true;
                    rest = None;
                }
                properties = Some(converted);
            }
            Some(_) => self.drop_keyword(one, "properties", INVALID, true),
            None => {}
        }
        if source.contains_key("patternProperties") && rest.take().is_some() {
            let action = "dropped; members that patternProperties describes must be accepted";
            self.drop_keyword(one, "additionalProperties", action, true);
        }
        match source.get("required") {
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
                let distinct: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
                let mut required = Vec::new();
                for name in distinct {
                    let at = child(one.at, "required");
                    if !is_clean(&json!(name)) {
                        self.note(&at, name, "dropped; the name has hidden characters");
                        one.widened = true;
                        continue;
                    }
                    required.push(name);
                    if let Some(known) =
                        properties.as_mut().filter(|known| !known.contains_key(name))
                    {
                        self.note(&at, name, "added to properties, where it was missing");
                        one.widened = true;
                        known.insert(name.to_owned(), Value::Bool(true));
                    }
                }
                if !required.is_empty() {
                    one.out.insert("required".to_owned(), json!(required));
                }
            }
            Some(_) => self.drop_keyword(one, "required", INVALID, true),
            None => {}
        }
        let properties = properties.map(Value::Object);
        for (keyword, value) in [("properties", properties), ("additionalProperties", rest)] {
            if let Some(value) = value {
                one.out.insert(keyword.to_owned(), value);
            }
        }
    }
}

/// The schema being converted.
struct One<'a> {
    source: &'a Map<String, Value>,
    at: &'a str,
    depth: usize,
    nest: usize,
    out: Map<String, Value>,
    /// Its own types; empty if it states none.
    types: Vec<&'static str>,
    widened: bool,
}

/// Makes a schema accept null too.
fn nullable(schema: Value) -> Value {
    if let Value::Object(mut members) = schema {
        let value_lists = ["enum", "const", "allOf", "anyOf", "oneOf", "not", "$ref"];
        if !value_lists.iter().any(|keyword| members.contains_key(*keyword)) {
            match members.get_mut("type") {
                Some(Value::Array(types)) if !types.iter().any(|one| one == "null") => {
                    types.push(json!("null"));
                }
                Some(one @ Value::String(_)) if *one != "null" => *one = json!([one, "null"]),
                _ => {}
            }
            return Value::Object(members);
        }
        let description = members.remove("description");
        let mut outer = Map::new();
        outer.extend(description.map(|text| ("description".to_owned(), text)));
        outer.insert("anyOf".to_owned(), json!([members, { "type": "null" }]));
        return Value::Object(outer);
    }
    schema
}

/// Whether a keyword can have an effect on values of these types.
fn applies(keyword: &str, types: &[&str]) -> bool {
    let has = |wanted: &[&str]| wanted.iter().any(|one| types.contains(one));
    match keyword {
        "multipleOf" => has(&["number", "integer"]),
        _ if NUMERIC.contains(&keyword) => has(&["number", "integer"]),
        "minLength" | "maxLength" | "pattern" => has(&["string"]),
        "items" | "prefixItems" | "additionalItems" | "minItems" | "maxItems" | "uniqueItems" => {
            has(&["array"])
        }
        "properties"
        | "additionalProperties"
        | "propertyNames"
        | "required"
        | "minProperties"
        | "maxProperties" => has(&["object"]),
        _ => true,
    }
}

/// Reads an integer that may be written as `2.0`.
fn count(value: &Value) -> Option<u32> {
    let whole = |number: f64| (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok());
    match value.as_u64() {
        Some(number) => u32::try_from(number).ok(),
        None => value.as_f64().and_then(whole).flatten(),
    }
}

/// Returns a text that is equal for values that are equal.
fn comparable(value: &Value) -> String {
    match value {
        Value::Number(number) => match number.as_f64().filter(|number| number.fract() == 0.0) {
            Some(number) if number.abs() < 9e15 => format!("{number:.0}").replace("-0", "0"),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            format!("[{}]", items.iter().map(comparable).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}:{}", json!(name), comparable(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// Returns how many arrays and objects are nested in a value.
fn height(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(height).max(),
        Value::Object(members) => members.values().map(height).max(),
        _ => return 0,
    };
    inner.unwrap_or(0).saturating_add(1)
}

/// Returns the JSON pointer of a local `$ref`, decoded from the fragment of a URI.
fn pointer_of(reference: &str) -> Option<String> {
    let fragment = reference.strip_prefix('#')?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = fragment.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(match byte {
            b'%' => u8::try_from(digit()?.checked_mul(16)?.checked_add(digit()?)?).ok()?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Adds a name to a JSON pointer.
pub(super) fn child(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}
