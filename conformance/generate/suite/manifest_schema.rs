//! Check 6: the schemas inside the manifest.

use super::case::Case;
use super::manifest::edited;
use super::package::Package;
use serde_json::{json, Value};

const VALUE: &str = "manifest.bad_value";
const TYPE: &str = "manifest.wrong_type";
const SCHEMA: &str = "manifest.schema_unsupported";

/// A package whose tool takes arguments of this schema.
fn parameters(id: &str, schema: Value) -> Case {
    let manifest = edited("/tools/0/parameters", schema);
    Package::new().with_manifest(&manifest).case(6, &format!("manifest/schema-{id}"))
}

/// The same with one property `x`.
fn property(id: &str, schema: Value) -> Case {
    parameters(id, json!({ "type": "object", "properties": { "x": schema } }))
}

pub fn cases() -> Vec<Case> {
    let mut cases = keywords();
    cases.extend(values());
    cases.extend(contradictions());
    cases.extend(references());
    cases.extend(patterns());
    cases.extend(accepted());
    cases
}

fn keywords() -> Vec<Case> {
    let why = "A keyword that is not checked is a promise that is not kept.";
    let mut cases = Vec::new();
    for (keyword, value) in [
        ("patternProperties", json!({})),
        ("if", json!({})),
        ("contains", json!({})),
        ("dependentRequired", json!({})),
        ("unevaluatedProperties", json!(false)),
        ("$id", json!("https://example.com/schema")),
        ("$anchor", json!("x")),
        ("$dynamicRef", json!("#x")),
        ("$comment", json!("x")),
        ("definitions", json!({})),
        ("divisibleBy", json!(2)),
        ("readOnly", json!(true)),
        ("x-internal", json!(true)),
        ("Type", json!("string")),
    ] {
        let id = format!("keyword-{}", keyword.trim_start_matches('$'));
        let schema = json!({ (keyword): value });
        let title = format!("The keyword {keyword}");
        cases.push(property(&id, schema).says(&title, why).spec("SCH-03").refused(SCHEMA));
    }
    let dialect = "It means what JSON Schema 2020-12 says.";
    for (id, title, spec, schema) in [
        ("keyword-format", "The annotation format", "SCH-06", json!({ "format": "email" })),
        (
            "keyword-propertyNames",
            "The keyword propertyNames",
            "SCH-03",
            json!({ "propertyNames": { "pattern": "^[a-z]+$" } }),
        ),
    ] {
        cases.push(property(id, schema).says(title, dialect).spec(spec));
    }
    for (id, title, schema) in [
        ("defs-inside", "$defs inside a schema", json!({ "$defs": {} })),
        (
            "dialect-inside",
            "$schema inside a schema",
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema" }),
        ),
    ] {
        cases.push(property(id, schema).says(title, why).spec("SCH-03").refused(SCHEMA));
    }
    cases.push(
        parameters(
            "dialect-other",
            json!({ "type": "object", "$schema": "http://json-schema.org/draft-07/schema#" }),
        )
        .says("A schema of draft 7", "Another dialect means something else by the same keywords.")
        .spec("SCH-03")
        .refused(SCHEMA),
    );
    let root = "Arguments are an object by name, in every agent protocol.";
    for (id, title, schema) in [
        ("root-no-type", "A root without a type", json!({})),
        ("root-array", "A root of type array", json!({ "type": "array" })),
        ("root-types", "A root of two types", json!({ "type": ["object", "null"] })),
        ("root-type-list", "A root whose type is a list of one", json!({ "type": ["object"] })),
    ] {
        cases.push(parameters(id, schema).says(title, root).spec("SCH-02").refused(VALUE));
    }
    let returns = edited("/tools/0/returns", json!({ "type": "string" }));
    cases.push(
        Package::new()
            .with_manifest(&returns)
            .case(6, "manifest/schema-returns-string")
            .says("Answers of type string", root)
            .spec("SCH-02 MAN-33")
            .refused(VALUE),
    );
    cases
}

fn values() -> Vec<Case> {
    let why = "A keyword whose value is malformed constrains nothing, or everything.";
    let mut cases = Vec::new();
    for (id, title, spec, schema, code) in [
        ("not-a-schema", "A number as schema", "SCH-01", json!(1), TYPE),
        ("null", "Null as schema", "SCH-01", Value::Null, TYPE),
        ("properties-array", "Properties as a list", "SCH-03", json!({ "properties": [] }), TYPE),
        (
            "items-array",
            "Items as a list, as in older drafts",
            "SCH-03",
            json!({ "items": [{}] }),
            TYPE,
        ),
        ("type-unknown", "A type that does not exist", "SCH-03", json!({ "type": "float" }), VALUE),
        ("type-case", "A type in upper case", "SCH-03", json!({ "type": "String" }), VALUE),
        ("type-empty", "No type in a list of types", "SCH-03", json!({ "type": [] }), VALUE),
        ("enum-object", "An enum that is not a list", "SCH-03", json!({ "enum": {} }), TYPE),
        ("enum-empty", "An empty enum", "SCH-03", json!({ "enum": [] }), VALUE),
        ("minimum-text", "A minimum as text", "SCH-03", json!({ "minimum": "1" }), TYPE),
        (
            "exclusive-boolean",
            "An exclusive minimum as true, as in older drafts",
            "SCH-03",
            json!({ "exclusiveMinimum": true }),
            TYPE,
        ),
        ("multiple-zero", "A multiple of 0", "SCH-03", json!({ "multipleOf": 0 }), VALUE),
        ("multiple-fraction", "A multiple of 0.1", "SCH-03", json!({ "multipleOf": 0.1 }), TYPE),
        ("length-negative", "A length below zero", "SCH-03", json!({ "minLength": -1 }), VALUE),
        ("length-fraction", "A length of 1.5", "SCH-03", json!({ "maxLength": 1.5 }), TYPE),
        ("length-exact", "A length of 1.0", "SCH-03 MAN-06", json!({ "minLength": 1.0 }), TYPE),
        ("length-zero", "A length of -0", "SCH-03 MAN-06", json!({ "minLength": -0.0 }), TYPE),
        (
            "multiple-exact",
            "A multiple of 2.0",
            "SCH-03 MAN-06",
            json!({ "multipleOf": 2.0 }),
            TYPE,
        ),
        (
            "length-65-bits",
            "A length of 2^64",
            "SCH-03 MAN-06 JSON-05",
            json!({ "maxLength": 18_446_744_073_709_551_616.0 }),
            TYPE,
        ),
        (
            "length-high",
            "A length of 2^32",
            "SCH-03",
            json!({ "maxLength": 4_294_967_296_u64 }),
            VALUE,
        ),
        (
            "required-text",
            "A required name without a list",
            "SCH-03",
            json!({ "required": "x" }),
            TYPE,
        ),
        (
            "required-number",
            "A number as required name",
            "SCH-03",
            json!({ "required": [1] }),
            TYPE,
        ),
        ("any-of-empty", "No alternative", "SCH-03", json!({ "anyOf": [] }), VALUE),
        (
            "all-of-object",
            "Alternatives that are not a list",
            "SCH-03",
            json!({ "allOf": {} }),
            TYPE,
        ),
        ("unique-text", "uniqueItems as text", "SCH-03", json!({ "uniqueItems": "yes" }), TYPE),
        ("title-number", "A title that is a number", "SCH-06", json!({ "title": 1 }), TYPE),
        ("format-number", "A format that is a number", "SCH-06", json!({ "format": 1 }), TYPE),
        (
            "names-array",
            "A list as the schema of property names",
            "SCH-03",
            json!({ "propertyNames": ["a"] }),
            TYPE,
        ),
        (
            "examples-object",
            "Examples that are not a list",
            "SCH-06",
            json!({ "examples": {} }),
            TYPE,
        ),
        ("deprecated-text", "deprecated as text", "SCH-06", json!({ "deprecated": "yes" }), TYPE),
    ] {
        cases.push(property(id, schema).says(title, why).spec(spec).refused(code));
    }
    cases
}

fn contradictions() -> Vec<Case> {
    let why =
        "A schema that nothing can follow is a mistake, found here and not at the first call.";
    let mut cases = Vec::new();
    for (id, title, schema) in [
        (
            "minimum-above-maximum",
            "A minimum above the maximum",
            json!({ "minimum": 2, "maximum": 1 }),
        ),
        (
            "exclusive-equal",
            "Exclusive bounds that leave nothing",
            json!({ "minimum": 1, "exclusiveMaximum": 1 }),
        ),
        (
            "exclusive-both",
            "Two exclusive bounds that leave nothing",
            json!({ "exclusiveMinimum": 1, "exclusiveMaximum": 1.0 }),
        ),
        (
            "length-crossed",
            "A least length above the most",
            json!({ "minLength": 2, "maxLength": 1 }),
        ),
        (
            "items-crossed",
            "A least number of items above the most",
            json!({ "minItems": 2, "maxItems": 1 }),
        ),
        (
            "members-crossed",
            "A least number of members above the most",
            json!({ "minProperties": 2, "maxProperties": 1 }),
        ),
        (
            "bounds-beyond-double",
            "Bounds that differ only beyond a double's precision",
            json!({ "minimum": 9_007_199_254_740_993_u64, "maximum": 9_007_199_254_740_992_u64 }),
        ),
        ("enum-twice", "A value twice in an enum", json!({ "enum": ["a", "a"] })),
        ("enum-twice-number", "1 and 1.0, which are one value", json!({ "enum": [1, 1.0] })),
        ("required-twice", "A name twice among the required", json!({ "required": ["a", "a"] })),
        (
            "required-unknown",
            "A required name that is not a property",
            json!({ "properties": { "a": {} }, "required": ["b"] }),
        ),
        ("type-twice", "A type twice", json!({ "type": ["null", "null"] })),
        (
            "keyword-of-other-type",
            "A length for a number",
            json!({ "type": "number", "minLength": 1 }),
        ),
        (
            "properties-of-string",
            "Properties of a string",
            json!({ "type": "string", "properties": {} }),
        ),
        (
            "names-of-array",
            "Property names of an array",
            json!({ "type": "array", "propertyNames": {} }),
        ),
        ("items-of-object", "Items of an object", json!({ "type": "object", "items": {} })),
    ] {
        cases.push(property(id, schema).says(title, why).spec("SCH-04").refused(VALUE));
    }
    cases
}

fn references() -> Vec<Case> {
    let root = |defs: Value, x: Value| json!({ "type": "object", "$defs": defs, "properties": { "x": x } });
    let lead = "A reference leads to a definition of the same schema: nothing is fetched, nothing guessed.";
    let mut cases = Vec::new();
    for (id, title, schema) in [
        (
            "ref-missing",
            "A reference to a definition that does not exist",
            root(json!({}), json!({ "$ref": "#/$defs/a" })),
        ),
        (
            "ref-remote",
            "A reference to another document",
            root(json!({ "a": {} }), json!({ "$ref": "https://example.com/s#/$defs/a" })),
        ),
        ("ref-root", "A reference to the root", root(json!({}), json!({ "$ref": "#" }))),
        (
            "ref-properties",
            "A reference to a property",
            root(json!({}), json!({ "$ref": "#/properties/x" })),
        ),
        (
            "ref-escaped",
            "A reference written with a per cent sign",
            root(json!({ "a": {} }), json!({ "$ref": "#/$defs/%61" })),
        ),
    ] {
        let code = match id {
            "ref-missing" | "ref-escaped" => VALUE,
            _ => SCHEMA,
        };
        cases.push(parameters(id, schema).says(title, lead).spec("SCH-05").refused(code));
    }
    cases.push(
        parameters("ref-number", root(json!({}), json!({ "$ref": 1 })))
            .says("A number as reference", lead)
            .spec("SCH-05")
            .refused(TYPE),
    );
    for (id, title, schema) in [
        ("defs-name", "A definition whose name has a slash", root(json!({ "a/b": {} }), json!({}))),
        (
            "defs-unused",
            "An unused definition with an unknown keyword",
            root(json!({ "a": { "contains": {} } }), json!({})),
        ),
    ] {
        cases.push(parameters(id, schema).says(title, lead).spec("SCH-05").refused(SCHEMA));
    }
    let ends = "Every reference counts as a level, so a loop ends in a refusal, not in the host.";
    let chain: Value = (0..34)
        .map(|n| {
            (
                format!("d{n}"),
                match n {
                    0 => json!({}),
                    n => json!({ "$ref": format!("#/$defs/d{}", n - 1) }),
                },
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (id, title, schema) in [
        (
            "ref-loop",
            "A definition that leads to itself",
            root(json!({ "a": { "$ref": "#/$defs/a" } }), json!({ "$ref": "#/$defs/a" })),
        ),
        (
            "ref-loop-two",
            "Two definitions that lead to each other",
            root(
                json!({ "a": { "not": { "$ref": "#/$defs/b" } }, "b": { "not": { "$ref": "#/$defs/a" } } }),
                json!({}),
            ),
        ),
        (
            "ref-recursion",
            "A tree, which refers to itself inside",
            root(json!({ "a": { "type": "array", "items": { "$ref": "#/$defs/a" } } }), json!({})),
        ),
        ("ref-chain", "A chain of 34 definitions", root(chain, json!({}))),
    ] {
        cases.push(parameters(id, schema).says(title, ends).spec("SCH-07").refused(SCHEMA));
    }
    cases
}

fn patterns() -> Vec<Case> {
    let why = "A pattern means the same to every regular expression engine, or it is refused.";
    let mut cases = Vec::new();
    for (id, title, pattern) in [
        ("open-class", "A class that does not end", "[a"),
        ("open-group", "A group that does not end", "(a"),
        ("look-ahead", "Look-ahead", "a(?=b)"),
        ("look-behind", "Look-behind", "(?<=a)b"),
        ("named-group", "A named group", "(?<n>a)"),
        ("flags", "Flags", "(?i)a"),
        ("back-reference", "A back-reference", "(a)\\1"),
        ("word-boundary", "A word boundary", "\\ba"),
        ("unicode-class", "A class by Unicode property", "\\p{L}"),
        ("posix-class", "A POSIX class", "[[:alpha:]]"),
        ("empty-class", "An empty class", "a[]"),
        ("class-subtraction", "A class less another", "[a--b]"),
        ("class-intersection", "What two classes share", "[a&&b]"),
        ("class-difference", "What only one of two classes has", "[a~~b]"),
        ("class-inside", "A class in a class", "[a[b]]"),
        ("range-crossed", "A range with its ends exchanged", "[b-a]"),
        ("range-of-class", "A range that starts with a class", "[\\d-z]"),
        ("repetition-of-anchor", "A repetition of an anchor", "^*"),
        ("repetition-twice", "A repetition of a repetition", "a{2}{3}"),
        ("repetition-of-nothing", "A repetition of what can be empty", "(?:a*)+"),
        ("groups-11", "Groups 11 deep", "(((((((((((a)))))))))))"),
        ("states-1025", "1,025 states", "a{511}"),
        ("escape-unknown", "An escape that means nothing", "\\q"),
        ("escape-hex", "An escape by number", "\\x41"),
        ("brace-open", "An opening brace that does not start a repetition", "a{x"),
        ("brace-close", "A closing brace alone", "a}"),
        ("bracket-close", "A closing bracket alone", "a]"),
        ("nothing-to-repeat", "A repetition of nothing", "*a"),
        ("repetition-crossed", "A repetition from 2 to 1", "a{2,1}"),
        ("repetition-huge", "A repetition of a billion", "a{1000000000}"),
        ("repetition-nested", "Repetitions that multiply", "((a{100}){100}){100}"),
    ] {
        cases.push(
            property(&format!("pattern-{id}"), json!({ "type": "string", "pattern": pattern }))
                .says(title, why)
                .spec(match id {
                    "groups-11" => "SCH-08 PAT-03",
                    "states-1025" => "SCH-08 PAT-04",
                    _ => "SCH-08 PAT-01",
                })
                .refused(SCHEMA),
        );
    }
    cases.push(
        property("pattern-long", json!({ "pattern": "a".repeat(257) }))
            .says("A pattern of 257 bytes", why)
            .spec("SCH-08")
            .refused(SCHEMA),
    );
    cases.push(
        property("pattern-number", json!({ "pattern": 1 }))
            .says("A number as pattern", why)
            .spec("SCH-03")
            .refused(TYPE),
    );
    cases
}

fn accepted() -> Vec<Case> {
    let every = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object", "title": "All", "description": "Every keyword", "deprecated": false,
        "examples": [{}], "default": null, "minProperties": 0, "maxProperties": 9,
        "additionalProperties": false, "required": ["s"],
        "$defs": { "p": { "type": "array", "prefixItems": [{ "type": "number" }], "items": false, "uniqueItems": true, "minItems": 1, "maxItems": 1 } },
        "properties": {
            "s": { "type": ["string", "null"], "minLength": 0, "maxLength": 4_294_967_295_u32, "pattern": "^(?:a|[^b-d\\-]){1,3}?\\.$" },
            "n": { "type": "number", "minimum": -1.5, "exclusiveMaximum": 1e300, "multipleOf": 4_294_967_295_u32 },
            "e": { "enum": [null, 1, "a", [1], { "a": 1 }] },
            "c": { "const": { "any": ["thing"] }, "format": "x-any", "propertyNames": { "maxLength": 3 } },
            "r": { "$ref": "#/$defs/p", "description": "beside a reference" },
            "o": { "oneOf": [true, false], "anyOf": [{}], "allOf": [{ "not": { "type": "boolean" } }] },
        },
    });
    let chain: Value = (0..32)
        .map(|n| {
            (
                format!("d{n}"),
                match n {
                    0 => json!({}),
                    n => json!({ "$ref": format!("#/$defs/d{}", n - 1) }),
                },
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    let doubling: Value = (0..16)
        .map(|n| (format!("d{n}"), match n {
            0 => json!({}),
            n => json!({ "prefixItems": [{ "$ref": format!("#/$defs/d{}", n - 1) }, { "$ref": format!("#/$defs/d{}", n - 1) }] }),
        }))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let limits = json!({
        "x": { "pattern": "((((((((((a))))))))))" }, "y": { "pattern": "ba{510}" }, "z": { "pattern": "[&~][a&-]" },
    });
    vec![
        parameters("accept-pattern-limits", json!({ "type": "object", "properties": limits }))
            .says(
                "Groups 10 deep, 1,024 states, and single marks in a class",
                "It is at the limits.",
            )
            .spec("SCH-08 PAT-01 PAT-03 PAT-04"),
        property(
            "accept-number-spellings",
            json!({ "minimum": 1.0, "maximum": 1e3, "const": 2.0 }),
        )
        .says("Bounds written with a fraction", "Bounds are values, and counts are integers.")
        .spec("SCH-03 SCH-09"),
        parameters("accept-every-keyword", every)
            .says("A schema with every keyword", "What the subset has is read.")
            .spec("SCH-01 SCH-02 SCH-03 SCH-05 SCH-06 SCH-08"),
        parameters("accept-ref-chain", json!({ "type": "object", "$defs": chain }))
            .says("A chain of 32 definitions", "It is at the limit that the rule allows.")
            .spec("SCH-07"),
        parameters("accept-ref-doubling", json!({ "type": "object", "$defs": doubling }))
            .says(
                "Definitions that double at each of 15 steps",
                "Each is read once; the 32,768 copies of the first are never written out.",
            )
            .spec("SCH-07"),
    ]
}
