//! The schemas, compared with what is committed, sent and reported.

use crate::support::{here, run, status, Folder};
use serde_json::{json, Value};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn schema(name: &str) -> Value {
    let path = here().join("schemas").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Why the value does not have this schema: a small part of JSON Schema, which panics at keywords that it lacks.
fn fault(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    let members = schema.as_object().unwrap();
    members.iter().find_map(|(keyword, rule)| {
        let right = match keyword.as_str() {
            "$schema" | "title" | "$defs" => true,
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap();
                return fault(root, target, value);
            }
            "type" => match rule.as_array() {
                Some(names) => names.iter().any(|name| is_type(name, value)),
                None => is_type(rule, value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|it| it >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|it| it <= rule.as_i64().unwrap()),
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                let present = rule.as_object().unwrap().iter();
                let mut present = present.filter_map(|(name, rule)| Some((rule, value.get(name)?)));
                return present.find_map(|(rule, value)| fault(root, rule, value));
            }
            "additionalProperties" => {
                assert_eq!(*rule, false);
                let known = members["properties"].as_object().unwrap();
                value.as_object().is_none_or(|it| it.keys().all(|name| known.contains_key(name)))
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                return items.into_iter().find_map(|item| fault(root, rule, item));
            }
            "oneOf" => {
                let all = rule.as_array().unwrap().iter();
                all.filter(|rule| fault(root, rule, value).is_none()).count() == 1
            }
            other => panic!("keyword {other}"),
        };
        (!right).then(|| format!("{keyword} {rule}: {value}"))
    })
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    }
}

fn has(name: &str, value: &Value) {
    let schema = schema(name);
    if let Some(fault) = fault(&schema, &schema, value) {
        panic!("{name}: {fault}");
    }
}

fn lacks(name: &str, value: &Value) {
    let schema = schema(name);
    assert!(fault(&schema, &schema, value).is_some(), "{name}: {value}");
}

fn json_files(directory: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(directory).unwrap().map(|item| item.unwrap().path());
    let below = items.flat_map(|path| if path.is_dir() { json_files(&path) } else { vec![path] });
    below.filter(|path| path.extension().is_some_and(|it| it == "json")).collect()
}

#[test]
fn every_committed_case_has_the_schema_of_a_case() {
    let schema = schema("case.json");
    let mut count = 0;
    for path in json_files(&here().join("../vectors")) {
        let value: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        if value.get("op").is_some() {
            assert_eq!(fault(&schema, &schema, &value), None, "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 1000, "{count}");
    lacks(
        "case.json",
        &json!({ "id": "a", "op": "key", "input": {}, "expect": { "verdict": "accept" } }),
    );
}

#[test]
fn every_message_and_report_of_the_runner_has_its_schema_and_states_nothing_that_is_expected() {
    let folder = Folder::new();
    let record = folder.path("record");
    let output = run(&folder, &format!("record '{record}'"), &[]);
    assert_eq!(status(&output), Some(0), "{output:?}");
    has("report.json", &folder.json());
    let (mut kinds, mut orders) = (BTreeSet::new(), Vec::new());
    for line in folder.read("record").lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        has("request.json", &message);
        kinds.insert(message["type"].to_string());
        orders.push(message["input"]["file"].clone());
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    let mut sent: Vec<_> = orders.iter().filter(|file| file.is_string()).collect();
    assert_eq!(sent.len(), 2 * folder.json()["cases"].as_array().unwrap().len());
    let half = sent.len() / 2;
    let (first, second) = sent.split_at_mut(half);
    assert_ne!(first, second);
    first.sort_by_key(ToString::to_string);
    second.sort_by_key(ToString::to_string);
    assert_eq!(first, second);
    run(&folder, "crash", &[]);
    has("report.json", &folder.json());
}

/// The JSON blocks of `PROTOCOL.md` are examples of the schemas.
#[test]
fn each_example_of_the_protocol_page_has_a_schema() {
    let page = fs::read_to_string(here().join("PROTOCOL.md")).unwrap();
    let blocks: Vec<Value> = page
        .split("```json\n")
        .skip(1)
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    let names = ["request", "response", "request", "response", "response", "response", "request"];
    assert_eq!(blocks.len(), names.len());
    for (block, name) in blocks.iter().zip(names) {
        has(&format!("{name}.json"), block);
    }
    for response in [
        json!({ "id": 1 }),
        json!({ "id": "1", "verdict": "accept" }),
        json!({ "id": 1, "verdict": "maybe" }),
        json!({ "type": "hello", "protocol": "mpp-conform/2", "name": "", "version": "", "operations": [], "features": [] }),
    ] {
        lacks("response.json", &response);
    }
}
