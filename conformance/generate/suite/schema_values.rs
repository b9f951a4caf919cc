//! Arguments checked against each keyword of a schema.

use super::case::Case;
use super::package::{manifest, Package};
use super::run::{saying, text_block};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let why = "A tool gets only arguments that its schema allows.";
    let number = || json!({ "type": "integer" });
    let text = || json!({ "type": "string" });
    let defined = || json!({ "$ref": "#/$defs/n" });
    let mut cases = Vec::new();
    for (id, keyword, schema, right, wrong) in [
        ("true", "true", json!(true), json!(1), None),
        ("false", "false", json!(false), Value::Null, Some(json!(1))),
        (
            "type-list",
            "type",
            json!({ "type": ["integer", "null"] }),
            Value::Null,
            Some(json!("1")),
        ),
        ("min-items", "minItems", json!({ "minItems": 2 }), json!([1, 2]), Some(json!([1]))),
        ("max-items", "maxItems", json!({ "maxItems": 1 }), json!([1]), Some(json!([1, 2]))),
        ("items", "items", json!({ "items": number() }), json!([1, 2]), Some(json!([1, "2"]))),
        (
            "prefix-items",
            "prefixItems",
            json!({ "prefixItems": [number(), text()] }),
            json!([1, "2", 3]),
            Some(json!([1, 2])),
        ),
        (
            "items-after",
            "items beside prefixItems",
            json!({ "prefixItems": [number()], "items": text() }),
            json!([1, "2"]),
            Some(json!([1, 2])),
        ),
        (
            "min-members",
            "minProperties",
            json!({ "minProperties": 1 }),
            json!({ "a": 1 }),
            Some(json!({})),
        ),
        (
            "max-members",
            "maxProperties",
            json!({ "maxProperties": 1 }),
            json!({ "a": 1 }),
            Some(json!({ "a": 1, "b": 2 })),
        ),
        (
            "required",
            "required",
            json!({ "required": ["a"] }),
            json!({ "a": null }),
            Some(json!({ "b": 1 })),
        ),
        (
            "members",
            "additionalProperties with a schema",
            json!({ "properties": { "a": text() }, "additionalProperties": number() }),
            json!({ "a": "x", "b": 1 }),
            Some(json!({ "b": "x" })),
        ),
        (
            "names",
            "propertyNames",
            json!({ "propertyNames": { "maxLength": 1 } }),
            json!({ "a": 1 }),
            Some(json!({ "ab": 1 })),
        ),
        ("minimum", "minimum", json!({ "minimum": 1 }), json!(1), Some(json!(0.5))),
        ("above", "exclusiveMinimum", json!({ "exclusiveMinimum": 1 }), json!(1.5), Some(json!(1))),
        ("below", "exclusiveMaximum", json!({ "exclusiveMaximum": 1 }), json!(0.5), Some(json!(1))),
        ("multiple-of", "multipleOf", json!({ "multipleOf": 2 }), json!(4.0), Some(json!(3))),
        ("min-length", "minLength", json!({ "minLength": 1 }), json!("a"), Some(json!(""))),
        (
            "all-of",
            "allOf",
            json!({ "allOf": [number(), { "minimum": 1 }] }),
            json!(1),
            Some(json!(0)),
        ),
        ("any-of", "anyOf", json!({ "anyOf": [number(), text()] }), json!("1"), Some(json!(true))),
        (
            "one-of",
            "oneOf",
            json!({ "oneOf": [number(), { "minimum": 5 }] }),
            json!(1),
            Some(json!(6)),
        ),
        (
            "one-of-none",
            "oneOf of which none fits",
            json!({ "oneOf": [number(), text()] }),
            json!(1),
            Some(json!(true)),
        ),
        ("not", "not", json!({ "not": text() }), json!(1), Some(json!("1"))),
        ("reference", "$ref", defined(), json!(1), Some(json!("1"))),
        (
            "reference-beside",
            "$ref beside another rule",
            json!({ "$ref": "#/$defs/n", "minimum": 1 }),
            json!(1),
            Some(json!(0)),
        ),
        (
            "const",
            "const",
            json!({ "const": { "a": [1, null] } }),
            json!({ "a": [1.0, null] }),
            Some(json!({ "a": [1] })),
        ),
        ("enum", "enum", json!({ "enum": [1, "a"] }), json!("a"), Some(json!("b"))),
        (
            "nested",
            "a schema within schemas",
            json!({ "items": { "properties": { "a": { "items": number() } } } }),
            json!([{ "a": [1] }]),
            Some(json!([{ "a": ["1"] }])),
        ),
        ("other-type", "minLength of a number", json!({ "minLength": 5 }), json!(1), None),
    ] {
        let with = |id: String, x: Value| {
            let mut manifest = manifest();
            manifest["tools"][0]["parameters"] = json!({
                "type": "object", "properties": { "x": schema }, "$defs": { "n": number() },
            });
            let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": "fine" }).to_string();
            let package =
                Package::new().with_manifest(&manifest).with("tool.wasm", saying(&answer));
            let arguments =
                if x.is_null() && schema == json!(false) { json!({}) } else { json!({ "x": x }) };
            Case::run(&format!("run/{id}"), package.bytes()).with("arguments", arguments)
        };
        cases.push(
            with(format!("schema-accept-{id}"), right)
                .says(&format!("What `{keyword}` allows"), why)
                .spec("SCH-09 RUN-05")
                .answers(json!({ "content": text_block("fine"), "is_error": false })),
        );
        if let Some(wrong) = wrong {
            cases.push(
                with(format!("schema-{id}"), wrong)
                    .says(&format!("What `{keyword}` does not allow"), why)
                    .spec("SCH-09 RUN-05")
                    .refused("request.bad_arguments"),
            );
        }
    }
    cases
}
