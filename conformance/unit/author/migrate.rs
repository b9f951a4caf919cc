//! Migration of lists of tools: what is lost is reported, nothing valid is refused, and every manifest parses.

use super::{migrate, names, pretty, tools_of, Migration, Note, Settings};
use mpp::package::schema::Schema;
use mpp::Manifest;
use serde_json::{json, Map, Value};

const SETTINGS: Settings = Settings { id: "org.example.tried", title: "Tried", protocol: "mcp" };

fn migrated(list: &Value) -> Migration {
    let migration = migrate(tools_of(list).unwrap(), &SETTINGS).unwrap();
    for manifest in &migration.manifests {
        let parsed = Manifest::parse(pretty(manifest).as_bytes());
        assert!(parsed.is_ok(), "{}: {manifest}", parsed.unwrap_err());
    }
    migration
}

/// Migrates one schema, and returns it with the notes.
fn one(schema: Value) -> (Value, Vec<Note>) {
    let list = json!([{ "name": "t", "description": "d", "inputSchema": schema,
                        "annotations": { "readOnlyHint": true } }]);
    let migration = migrated(&list);
    let parameters = migration.manifests[0]["tools"][0]["parameters"].clone();
    (parameters, migration.notes)
}

/// Migrates the schema of a property `p`.
fn property(schema: Value) -> (Value, Vec<Note>) {
    let (parameters, notes) = one(json!({ "type": "object", "properties": { "p": schema } }));
    (parameters["properties"]["p"].clone(), notes)
}

fn places(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.pointer.as_str()).collect()
}

fn accepts(schema: &Value, value: &Value) -> bool {
    Schema::read(schema, "").unwrap().validate(value).is_ok()
}

#[test]
fn a_list_is_found_in_each_of_its_three_forms_and_nowhere_else() {
    let tool = json!([{ "name": "a", "inputSchema": { "type": "object" } }]);
    for list in [tool.clone(), json!({ "tools": tool }), json!({ "result": { "tools": tool } })] {
        assert_eq!(migrated(&list).tools.len(), 1);
    }
    assert_eq!(tools_of(&json!({ "result": {} })), None);
    for empty in [json!([]), json!({ "tools": [] })] {
        assert!(migrate(tools_of(&empty).unwrap(), &SETTINGS).is_err());
    }
    for bad in [json!([1]), json!([{}]), json!([{ "name": 1 }]), json!([null])] {
        assert!(migrate(tools_of(&bad).unwrap(), &SETTINGS).is_err(), "{bad}");
    }
}

#[test]
fn a_keyword_outside_the_subset_is_dropped_with_its_place() {
    for keyword in super::schema::CONSTRAINTS {
        let (schema, notes) = property(json!({ keyword: { "minLength": 1 } }));
        assert_eq!(schema, json!({}), "{keyword}");
        assert_eq!(places(&notes), [format!("/inputSchema/properties/p/{keyword}")]);
    }
    for keyword in
        ["x-order", "readOnly", "$comment", "$id", "discriminator", "contentEncoding", "q/~"]
    {
        let (schema, notes) = property(json!({ keyword: "text" }));
        assert_eq!((schema, notes.len()), (json!({}), 1), "{keyword}");
        assert!(notes[0].action.contains("constrains nothing"), "{keyword}");
    }
}

#[test]
fn a_value_that_a_keyword_cannot_have_is_dropped_with_its_place() {
    for (keyword, value) in [
        ("type", json!("file")),
        ("type", json!([])),
        ("type", json!(["string", "file"])),
        ("enum", json!([])),
        ("enum", json!("a")),
        ("minimum", json!("1")),
        ("minLength", json!(-1)),
        ("maxLength", json!(1.5)),
        ("maxItems", json!(1e20)),
        ("multipleOf", json!(0.01)),
        ("multipleOf", json!(0)),
        ("pattern", json!("(?=a)")),
        ("pattern", json!("(")),
        ("pattern", json!("a".repeat(300))),
        ("items", json!("string")),
        ("anyOf", json!([])),
        ("allOf", json!({})),
        ("required", json!(true)),
        ("properties", json!([])),
        ("uniqueItems", json!("yes")),
        ("$ref", json!("https://example.com/schema.json")),
        ("$ref", json!("#/$defs/none")),
        ("$ref", json!("#anchor")),
        ("$ref", json!(1)),
        ("default", json!("\u{202e}")),
        ("enum", json!(["\u{200b}"])),
        ("title", json!(1)),
        ("examples", json!("one")),
    ] {
        let (schema, notes) = property(json!({ keyword: value }));
        assert_eq!(notes.len(), 1, "{keyword} {value}: {notes:?}");
        let is_empty = schema.as_object().is_none_or(Map::is_empty);
        assert!(is_empty || schema == json!({ keyword: true }), "{keyword} {value}: {schema}");
    }
}

#[test]
fn earlier_drafts_keep_their_meaning() {
    let (schema, _) = one(json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "definitions": { "a b": { "type": "string", "minLength": 2 } },
        "properties": {
            "one": { "$ref": "#/definitions/a%20b", "maxLength": 1 },
            "two": { "$ref": "#/properties/three" },
            "three": { "type": "integer", "minimum": 1, "exclusiveMinimum": true },
            "four": { "items": [{ "type": "string" }], "additionalItems": false },
            "five": { "type": "string", "nullable": true },
            "six": { "enum": ["a"], "nullable": true },
        },
        "required": ["one", "seven", "one"],
    }));
    let full = json!({ "one": "ab", "two": 2, "three": 2, "four": ["a"], "five": null, "six": null, "seven": 1 });
    assert!(accepts(&schema, &full), "{schema}");
    for (name, value) in [
        ("one", json!("a")),
        ("two", json!(1)),
        ("three", json!(1)),
        ("four", json!([1])),
        ("four", json!(["a", "b"])),
        ("five", json!(1)),
        ("six", json!("b")),
    ] {
        let mut other = full.clone();
        other[name] = value;
        assert!(!accepts(&schema, &other), "{name}");
    }
    assert!(!accepts(&schema, &json!({ "one": "ab" })));
}

#[test]
fn a_schema_that_got_wider_is_not_left_inside_not_or_one_of() {
    let wider = json!({ "type": "string", "contains": {}, "if": true, "minLength": 1 });
    assert_eq!(property(json!({ "not": wider })).0, json!({}));
    let (schema, _) = property(json!({ "oneOf": [wider, { "type": "string" }] }));
    assert!(schema.get("oneOf").is_none() && schema.get("anyOf").is_some(), "{schema}");
    let (schema, _) = property(json!({ "not": { "type": "string" } }));
    assert_eq!(schema, json!({ "not": { "type": "string" } }));
    // Through a definition too.
    let (schema, _) = one(json!({
        "type": "object", "$defs": { "d": { "dependentRequired": {} } },
        "properties": { "p": { "not": { "$ref": "#/$defs/d" } } } }));
    assert_eq!(schema["properties"]["p"], json!({}));
}

#[test]
fn members_that_only_pattern_properties_describe_stay_accepted() {
    let (schema, notes) = property(json!({
        "patternProperties": { "^x": {} }, "additionalProperties": false, "properties": { "a": {} } }));
    assert_eq!(schema, json!({ "properties": { "a": true } }));
    assert_eq!(notes.len(), 2);
}

#[test]
fn recursion_ends_with_a_note_and_definitions_do_not_multiply() {
    let (schema, notes) = one(json!({
        "type": "object", "properties": { "root": { "$ref": "#" }, "tree": { "$ref": "#/$defs/node" } },
        "$defs": { "node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } } } } }));
    assert!(accepts(&schema, &json!({ "tree": { "next": { "next": 1 } }, "root": 1 })));
    assert!(!accepts(&schema, &json!({ "tree": 1 })));
    assert_eq!(notes.iter().filter(|note| note.action.contains("recursion")).count(), 2);
    // Each definition uses the next one twice: 2^200 copies.
    let mut definitions = Map::new();
    for n in 0..200 {
        let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
        definitions
            .insert(format!("d{n}"), json!({ "allOf": [next, next], "anyOf": [next, next] }));
    }
    definitions.insert("d200".into(), json!({ "type": "string" }));
    let bomb = json!({ "$defs": definitions, "$ref": "#/$defs/d0" });
    let (_, notes) = one(bomb.clone());
    assert!(notes.iter().any(|note| note.action.contains("too many schemas")), "{notes:?}");
    one(json!({ "properties": { "p": { "$ref": "#/$defs/d0" } }, "$defs": bomb["$defs"] }));
}

#[test]
fn nesting_that_a_manifest_cannot_have_is_cut() {
    let mut schema = json!({ "type": "string" });
    let mut any = json!({ "type": "string" });
    for _ in 0..50 {
        schema = json!({ "type": "object", "properties": { "p": schema }, "required": ["p"] });
        any = json!({ "anyOf": [any] });
    }
    let (_, notes) = one(schema.clone());
    assert!(notes.iter().any(|note| note.action.contains("too deeply")));
    one(json!({ "properties": { "a": any, "b": schema }, "anyOf": [any] }));
    let mut value = json!(1);
    for _ in 0..40 {
        value = json!([value]);
    }
    for keyword in ["default", "const", "examples"] {
        assert_eq!(property(json!({ keyword: [value] })).0, json!({}), "{keyword}");
    }
}

#[test]
fn what_is_combined_at_the_root_is_merged_and_accepts_no_less() {
    let closed = |name: &str| {
        json!({ "type": "object", "additionalProperties": false, "required": ["k", name],
        "properties": { "k": { "const": name }, name: { "type": "integer" } } })
    };
    let (schema, notes) = one(json!({ "oneOf": [closed("a"), closed("b")] }));
    for keyword in ["oneOf", "anyOf", "allOf", "$ref"] {
        assert!(schema.get(keyword).is_none(), "{schema}");
    }
    assert!(
        accepts(&schema, &json!({ "k": "a", "a": 1 }))
            && accepts(&schema, &json!({ "k": "b", "b": 1 }))
    );
    assert!(!accepts(&schema, &json!({ "k": "c" })) && !accepts(&schema, &json!({ "a": 1 })));
    assert!(
        !accepts(&schema, &json!({ "k": "a", "a": "x" }))
            && !accepts(&schema, &json!({ "k": "a", "z": 1 }))
    );
    assert!(places(&notes).contains(&"/inputSchema/oneOf"));
    // A branch that leaves a member open accepts anything there.
    let (schema, _) = one(
        json!({ "anyOf": [{ "properties": { "a": { "type": "string" } } }, { "required": ["b"] }] }),
    );
    assert!(accepts(&schema, &json!({ "a": 1, "b": 1 })));
    let (schema, _) =
        one(json!({ "$ref": "#/definitions/T", "definitions": { "T": closed("a") } }));
    assert!(!accepts(&schema, &json!({})) && accepts(&schema, &json!({ "k": "a", "a": 1 })));
}

#[test]
fn names_that_a_manifest_refuses_get_stable_and_distinct_ones() {
    let long = "n".repeat(80);
    let list = [
        "a.b",
        "a/b",
        "a_b",
        "Same",
        "same",
        "dup",
        "dup",
        "",
        "7z",
        "名",
        "-x",
        &long,
        "ok-name",
        "x\u{1b}[2J",
    ];
    let folded = names::fold(&list);
    let distinct: std::collections::BTreeSet<String> =
        folded.iter().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!(distinct.len(), list.len(), "{folded:?}");
    assert!(folded.iter().all(|name| mpp::names::is_tool_name(name)), "{folded:?}");
    assert_eq!((folded[2].as_str(), folded[12].as_str()), ("a_b", "ok-name"));
    // The same name in another order, for all but equal names.
    let backwards: Vec<&str> = list.iter().rev().copied().collect();
    for ((name, own), original) in names::fold(&backwards).iter().rev().zip(&folded).zip(list) {
        let is_repeated = ["dup", "same"].contains(&original.to_ascii_lowercase().as_str());
        assert!(is_repeated || name == own, "{original}: {name} {own}");
    }
    let tools: Vec<Value> = list.iter().map(|name| json!({ "name": name })).collect();
    let migration = migrated(&Value::from(tools));
    let entries = migration.manifests[0]["tools"].as_array().unwrap();
    assert_eq!(entries.len(), list.len());
    assert_eq!(entries[0]["calls"], "a.b");
    assert!(entries[2].get("calls").is_none());
}

#[test]
fn no_tool_of_ten_thousand_is_left_out() {
    let tools: Vec<Value> = (0..10_000).map(|n| json!({ "name": format!("t{n}") })).collect();
    let migration = migrated(&Value::from(tools));
    let kept =
        migration.manifests.iter().map(|manifest| manifest["tools"].as_array().unwrap().len());
    assert_eq!((migration.manifests.len(), kept.sum()), (79, 10_000));
    // Few tools of many bytes.
    let large = "x".repeat(8000);
    let tools: Vec<Value> =
        (0..100).map(|n| json!({ "name": format!("t{n}"), "description": large })).collect();
    assert!(migrated(&Value::from(tools)).manifests.len() > 2);
}

#[test]
fn hostile_texts_are_cleaned_or_dropped() {
    let text = "\u{1b}[2J\u{202e}evil\u{200b}\r\nline";
    let tool = json!({ "name": text, "description": text, "title": text, "\u{202e}": 1,
        "inputSchema": { "type": "object", "title": text, "properties": { text: { "description": text } },
            "required": [text], "additionalProperties": false, "$defs": { text: {} }, "x-\u{1b}": 1 } });
    let migration = migrated(&json!([tool]));
    let tool = &migration.manifests[0]["tools"][0];
    assert_eq!(tool["description"], "[2Jevil\nline");
    // The member that cannot be described is still accepted.
    assert!(accepts(&tool["parameters"], &json!({ text: 1 })));
    for (path, text) in migration.files() {
        assert!(text.chars().all(|c| c == '\n' || !mpp::text::is_hidden(c)), "{path}");
    }
    let long = migrated(&json!([{ "name": "t", "description": "é".repeat(9000) }]));
    let places = places(&long.notes);
    assert_eq!(places, ["/inputSchema", "/description"]);
    let none = migrated(&json!([{ "name": "t", "description": " \n" }]));
    assert!(none.notes.iter().any(|note| note.pointer == "/description"));
    let huge: Vec<String> = (0..60_000).map(|n| format!("value {n}")).collect();
    let (schema, notes) = property(json!({ "enum": huge }));
    assert_eq!((schema, notes.len()), (Value::Null, 1));
}

#[test]
fn hints_become_sensitivity_and_without_them_the_worst_is_assumed() {
    let with = |annotations: Value| {
        let migration = migrated(&json!([{ "name": "t", "annotations": annotations }]));
        migration.tools[0].sensitivity
    };
    assert_eq!(with(json!(null)), "destructive");
    assert_eq!(with(json!({ "readOnlyHint": "yes" })), "destructive");
    assert_eq!(with(json!({ "readOnlyHint": false })), "destructive");
    assert_eq!(with(json!({ "readOnlyHint": true })), "read");
    assert_eq!(with(json!({ "destructiveHint": false })), "write");
    let migration = migrated(&json!([{ "name": "t", "annotations": { "openWorldHint": true },
        "examples": [{ "a": 1 }, { "arguments": { "b": 2 } }, 3],
        "inputSchema": { "properties": { "file_path": {} } } }]));
    assert_eq!(migration.tools[0].hints, ["network", "filesystem"]);
    assert_eq!(migration.cases.len(), 2);
    assert_eq!(migration.cases[1]["params"]["arguments"], json!({ "b": 2 }));
}

/// Xorshift: the same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 | 3 => json!(self.below(6)),
            4 => json!(0.5),
            5 => json!(self.pick(&["", "a", "bb", "x1", "c"])),
            6 => (0..self.below(3)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(self.members(depth)),
        }
    }

    fn members(&mut self, depth: usize) -> Map<String, Value> {
        let names = ["a", "b", "c", "x1"];
        (0..self.below(4)).map(|_| (self.pick(&names).to_owned(), self.value(depth - 1))).collect()
    }

    /// A schema with any keywords of the drafts that [`valid`] knows, in any combination.
    fn schema(&mut self, depth: usize) -> Value {
        if depth == 0 {
            return json!({ "type": self.pick(&["string", "integer", "object", "null", "number"]) });
        }
        let mut schema = Map::new();
        for _ in 0..=self.below(3) {
            let keyword = self.pick(&[
                "type",
                "type",
                "properties",
                "properties",
                "required",
                "additionalProperties",
                "items",
                "prefixItems",
                "anyOf",
                "oneOf",
                "allOf",
                "not",
                "if",
                "then",
                "else",
                "contains",
                "patternProperties",
                "dependentRequired",
                "enum",
                "const",
                "minimum",
                "maximum",
                "exclusiveMinimum",
                "minLength",
                "maxLength",
                "minItems",
                "maxItems",
                "minProperties",
                "propertyNames",
                "uniqueItems",
                "$ref",
                "pattern",
                "multipleOf",
                "x-note",
                "nullable",
                "title",
            ]);
            let value = match keyword {
                "type" => json!(self.pick(&[
                    "string", "integer", "number", "object", "object", "array", "boolean", "null"
                ])),
                "properties" => {
                    let names = ["a", "b", "c"];
                    let mut members = Map::new();
                    for _ in 0..=self.below(2) {
                        members.insert(self.pick(&names).to_owned(), self.schema(depth - 1));
                    }
                    Value::Object(members)
                }
                "patternProperties" => json!({ "^x": self.schema(depth - 1) }),
                "required" => json!([self.pick(&["a", "b", "d"])]),
                "dependentRequired" => json!({ "a": [self.pick(&["b", "c"])] }),
                "anyOf" | "oneOf" | "allOf" | "prefixItems" => {
                    (0..=self.below(2)).map(|_| self.schema(depth - 1)).collect()
                }
                "enum" => json!([self.value(1), self.value(1)]),
                "const" => self.value(1),
                "uniqueItems" | "nullable" => json!(true),
                "$ref" => json!(self.pick(&[
                    "#/$defs/one",
                    "#/definitions/two",
                    "#",
                    "#/properties/a",
                    "#/none"
                ])),
                "pattern" => json!(self.pick(&["^x", "a", "(?!b)"])),
                "multipleOf" => json!(self.pick(&["2", "0.5"]).parse::<f64>().unwrap()),
                "x-note" | "title" => json!("text"),
                "additionalProperties" if self.below(2) == 0 => json!(false),
                "additionalProperties"
                | "items"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "propertyNames" => self.schema(depth - 1),
                _ => json!(self.below(4)),
            };
            schema.insert(keyword.to_owned(), value);
        }
        Value::Object(schema)
    }
}

/// Whether a value follows a schema as JSON Schema 2020-12 says, or none where that cannot be known.
fn valid(schema: &Value, value: &Value, root: &Value, fuel: usize) -> Option<bool> {
    let fuel = fuel.checked_sub(1)?;
    let Value::Object(keywords) = schema else { return Some(schema != &json!(false)) };
    let empty = Map::new();
    let (members, is_object) = value.as_object().map_or((&empty, false), |members| (members, true));
    let items: &[Value] = value.as_array().map_or(&[], Vec::as_slice);
    let length = value.as_str().map(|text| text.chars().count());
    let follows = |schema: &Value, value: &Value| valid(schema, value, root, fuel);
    let get = |keyword: &str| keywords.get(keyword);
    let counted = |keyword: &str, branches: &Value| -> Option<usize> {
        let results: Option<Vec<bool>> =
            branches.as_array()?.iter().map(|one| follows(one, value)).collect();
        let _ = keyword;
        Some(results?.into_iter().filter(|result| *result).count())
    };
    for (keyword, rule) in keywords {
        let number = rule.as_f64().unwrap_or(0.0);
        let at_least = |found: Option<usize>| found.is_none_or(|found| found as f64 >= number);
        let at_most = |found: Option<usize>| found.is_none_or(|found| found as f64 <= number);
        let bound =
            |test: fn(f64, f64) -> bool| value.as_f64().is_none_or(|found| test(found, number));
        let array = value.is_array().then_some(items.len());
        let all = |results: Vec<Option<bool>>| -> Option<bool> {
            results.into_iter().try_fold(true, |so_far, result| Some(so_far && result?))
        };
        let fine = match keyword.as_str() {
            "type" => match rule.as_str()? {
                "null" => value.is_null(),
                "boolean" => value.is_boolean(),
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
                "array" => value.is_array(),
                _ => value.is_object(),
            },
            "enum" => rule.as_array()?.contains(value),
            "const" => rule == value,
            "minimum" => bound(|found, least| found >= least),
            "maximum" => bound(|found, most| found <= most),
            "exclusiveMinimum" => bound(|found, least| found > least),
            "multipleOf" => bound(|found, step| (found / step).fract() == 0.0),
            "minLength" => at_least(length),
            "maxLength" => at_most(length),
            "minItems" => at_least(array),
            "maxItems" => at_most(array),
            "minProperties" => !is_object || members.len() as f64 >= number,
            "uniqueItems" => items.iter().enumerate().all(|(at, item)| !items[..at].contains(item)),
            "pattern" => value.as_str().is_none_or(|text| match rule.as_str() {
                Some("^x") => text.starts_with('x'),
                Some("a") => text.contains('a'),
                _ => true,
            }),
            "required" => {
                !is_object
                    || rule
                        .as_array()?
                        .iter()
                        .all(|name| members.contains_key(name.as_str().unwrap()))
            }
            "dependentRequired" => {
                !members.contains_key("a") || members.contains_key(rule["a"][0].as_str()?)
            }
            "properties" => all(rule
                .as_object()?
                .iter()
                .filter_map(|(name, one)| Some(follows(one, members.get(name)?)))
                .collect())?,
            "patternProperties" => all(members
                .iter()
                .filter(|(name, _)| name.starts_with('x'))
                .map(|(_, one)| follows(&rule["^x"], one))
                .collect())?,
            "additionalProperties" => {
                let named =
                    |name: &str| get("properties").is_some_and(|known| known.get(name).is_some());
                let matched =
                    |name: &str| get("patternProperties").is_some() && name.starts_with('x');
                let rest = members.iter().filter(|(name, _)| !named(name) && !matched(name));
                all(rest.map(|(_, one)| follows(rule, one)).collect())?
            }
            "propertyNames" => {
                all(members.keys().map(|name| follows(rule, &json!(name))).collect())?
            }
            "prefixItems" => all(rule
                .as_array()?
                .iter()
                .zip(items)
                .map(|(one, item)| follows(one, item))
                .collect())?,
            "items" => {
                let skipped = get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                all(items.iter().skip(skipped).map(|item| follows(rule, item)).collect())?
            }
            "contains" => {
                !value.is_array() || {
                    let results: Option<Vec<bool>> =
                        items.iter().map(|item| follows(rule, item)).collect();
                    results?.contains(&true)
                }
            }
            "allOf" => counted(keyword, rule)? == rule.as_array()?.len(),
            "anyOf" => counted(keyword, rule)? > 0,
            "oneOf" => counted(keyword, rule)? == 1,
            "not" => !follows(rule, value)?,
            "if" => match get(if follows(rule, value)? { "then" } else { "else" }) {
                Some(branch) => follows(branch, value)?,
                None => true,
            },
            "$ref" => match root.pointer(rule.as_str()?.trim_start_matches('#')) {
                Some(target) => follows(target, value)?,
                None => return None,
            },
            _ => true,
        };
        if !fine {
            return Some(false);
        }
    }
    Some(true)
}

#[test]
fn what_a_random_schema_accepts_its_migration_accepts_too() {
    let mut random = Random(0x5eed_0017);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..4000 {
        let mut schema = random.schema(3);
        schema["$defs"] = json!({ "one": random.schema(2) });
        schema["definitions"] = json!({ "two": random.schema(2) });
        // Half of them are objects, so that their members are tried.
        if round % 2 == 0 {
            schema["type"] = json!("object");
        }
        let (migrated, _) = one(schema.clone());
        let migrated = Schema::read(&migrated, "").unwrap();
        for _ in 0..20 {
            let value = Value::Object(random.members(3));
            let is_accepted = migrated.validate(&value).is_ok();
            if valid(&schema, &value, &schema, 60) == Some(true) {
                accepted += 1;
                assert!(is_accepted, "{schema}\n{}\nrefuses {value}", migrated.source());
            } else if !is_accepted {
                refused += 1;
            }
        }
    }
    assert!(accepted > 5000 && refused > 1000, "{accepted} accepted, {refused} refused");
}
