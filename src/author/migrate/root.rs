//! Merges what is combined at the root of parameters into its properties: model APIs refuse `anyOf` and the like there.

use super::note::Note;
use super::schema::child;
use serde_json::{json, Map, Value};
use std::collections::BTreeSet;

/// Keywords that model APIs refuse at the root.
const REFUSED: [&str; 7] = ["$ref", "allOf", "anyOf", "oneOf", "not", "enum", "const"];
/// Most schemas that are merged: definitions that use each other twice would double them at each step.
const STEPS_MAX: usize = 1000;

/// What a schema says of the members of an object.
#[derive(Clone, Default)]
struct View {
    properties: Map<String, Value>,
    required: BTreeSet<String>,
    /// The schema of all other members.
    rest: Option<Value>,
}

/// Merges the root of a converted schema, and removes unused definitions. The result accepts at least as much.
pub(super) fn flatten(schema: &mut Value, tool: &str, notes: &mut Vec<Note>) {
    let found: Vec<&str> =
        REFUSED.into_iter().filter(|keyword| schema.get(keyword).is_some()).collect();
    if !found.is_empty() {
        let mut steps = 0;
        let view = view(schema, schema, &mut steps);
        for keyword in found {
            let action = match keyword {
                "not" | "enum" | "const" => "dropped; more is accepted",
                _ if view.is_none() => "dropped; too many schemas to merge, more is accepted",
                _ => "merged into the properties: model APIs refuse it at the root",
            };
            let pointer = child("/inputSchema", keyword);
            let (tool, keyword) = (tool.to_owned(), keyword.to_owned());
            notes.push(Note { tool, pointer, keyword, action: action.to_owned() });
        }
        let Some(members) = schema.as_object_mut() else { return };
        members.retain(|keyword, _| !REFUSED.contains(&keyword.as_str()));
        match view {
            None => members.retain(|keyword, _| {
                !["properties", "required", "additionalProperties"].contains(&keyword.as_str())
            }),
            Some(view) => {
                let named = |name: &String| view.properties.contains_key(name);
                let required: Vec<&String> =
                    view.required.iter().filter(|name| named(name)).collect();
                members.insert("required".to_owned(), json!(required));
                members.extend(view.rest.map(|rest| ("additionalProperties".to_owned(), rest)));
                members.insert("properties".to_owned(), Value::Object(view.properties));
            }
        }
    }
    drop_unused_definitions(schema, "/inputSchema", tool, notes);
}

/// Returns the members that a schema describes, or none if that takes too many steps.
fn view(schema: &Value, root: &Value, steps: &mut usize) -> Option<View> {
    *steps = steps.saturating_add(1);
    let Some(members) = schema.as_object().filter(|_| *steps <= STEPS_MAX) else {
        return (*steps <= STEPS_MAX).then(View::default);
    };
    let properties = members.get("properties").and_then(Value::as_object);
    let required = members.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut all = View {
        properties: properties.cloned().unwrap_or_default(),
        required: required.filter_map(Value::as_str).map(str::to_owned).collect(),
        rest: members.get("additionalProperties").cloned(),
    };
    let name = members.get("$ref").and_then(Value::as_str);
    if let Some(name) = name.and_then(|name| name.strip_prefix("#/$defs/")) {
        all = both(all, view(root.get("$defs")?.get(name)?, root, steps)?);
    }
    for one in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        all = both(all, view(one, root, steps)?);
    }
    for keyword in ["anyOf", "oneOf"] {
        let mut any: Option<View> = None;
        for one in members.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            // Arguments are an object: another branch accepts none of them.
            if one.get("type").is_some_and(|kind| kind.is_string() && kind != "object") {
                continue;
            }
            let next = view(one, root, steps)?;
            any = Some(match any {
                Some(any) => either(any, next),
                None => next,
            });
        }
        all = both(all, any.unwrap_or_default());
    }
    Some(all)
}

/// What follows both schemas.
fn both(mut one: View, other: View) -> View {
    for (name, schema) in other.properties {
        let merged = match one.properties.remove(&name) {
            Some(first) => combined("allOf", first, schema),
            None => schema,
        };
        one.properties.insert(name, merged);
    }
    one.required.extend(other.required);
    one.rest = match (one.rest, other.rest) {
        (_, Some(Value::Bool(false))) => Some(Value::Bool(false)),
        (first, second) => first.or(second),
    };
    one
}

/// What follows one schema or the other.
fn either(one: View, mut other: View) -> View {
    let mut properties = Map::new();
    // Where a schema does not describe a member, it accepts what `rest` says.
    let alone = |schema: Value, rest: &Option<Value>| match rest {
        Some(Value::Bool(false)) => schema,
        Some(rest) => combined("anyOf", schema, rest.clone()),
        None => annotations(&schema),
    };
    for (name, schema) in one.properties {
        let merged = match other.properties.remove(&name) {
            Some(second) => combined("anyOf", schema, second),
            None => alone(schema, &other.rest),
        };
        properties.insert(name, merged);
    }
    for (name, schema) in other.properties {
        properties.insert(name, alone(schema, &one.rest));
    }
    let rest = one.rest.filter(|rest| other.rest.as_ref() == Some(rest));
    View { properties, required: &one.required & &other.required, rest }
}

/// Combines two schemas; one that is combined in the same way gets a further branch.
fn combined(keyword: &str, first: Value, second: Value) -> Value {
    if first == second {
        return first;
    }
    if let Value::Object(members) = &first {
        if let (1, Some(Value::Array(branches))) = (members.len(), members.get(keyword)) {
            let mut branches = branches.clone();
            if !branches.contains(&second) {
                branches.push(second);
            }
            return json!({ keyword: branches });
        }
    }
    json!({ keyword: [first, second] })
}

/// Keeps what constrains nothing.
fn annotations(schema: &Value) -> Value {
    let kept = ["title", "description", "default", "examples", "deprecated"];
    let members = schema.as_object().into_iter().flatten();
    let members = members.filter(|(keyword, _)| kept.contains(&keyword.as_str()));
    Value::Object(members.map(|(keyword, value)| (keyword.clone(), value.clone())).collect())
}

/// Removes definitions that nothing uses.
pub(super) fn drop_unused_definitions(
    schema: &mut Value,
    base: &str,
    tool: &str,
    notes: &mut Vec<Note>,
) {
    let Some(members) = schema.as_object_mut() else { return };
    let Some(Value::Object(definitions)) = members.remove("$defs") else { return };
    let mut used = BTreeSet::new();
    let mut todo = BTreeSet::new();
    for value in members.values() {
        references(value, &mut todo);
    }
    references(&json!({ "$ref": members.get("$ref") }), &mut todo);
    while let Some(name) = todo.pop_first() {
        if let Some(schema) = definitions.get(&name).filter(|_| used.insert(name.clone())) {
            references(schema, &mut todo);
            todo = &todo - &used;
        }
    }
    let mut kept = Map::new();
    for (name, schema) in definitions {
        if used.contains(&name) {
            kept.insert(name, schema);
            continue;
        }
        let pointer = child(&format!("{base}/$defs"), &name);
        let (tool, action) = (tool.to_owned(), "dropped; nothing uses it".to_owned());
        notes.push(Note { tool, pointer, keyword: name, action });
    }
    if !kept.is_empty() {
        members.insert("$defs".to_owned(), Value::Object(kept));
    }
}

/// Collects the names of all definitions that a value may refer to.
fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(members) => members.iter().for_each(|(keyword, value)| {
            let name = value.as_str().and_then(|text| text.strip_prefix("#/$defs/"));
            names.extend(name.filter(|_| keyword == "$ref").map(str::to_owned));
            references(value, names);
        }),
        _ => {}
    }
}
