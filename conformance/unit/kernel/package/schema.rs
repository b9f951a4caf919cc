//! The rules of the schema subset, each kept and broken, and the bounds on its work.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use super::number::ExactNumber;
use super::*;
use crate::kernel::json::closed_object::DocumentErrorKind;
use crate::kernel::limits::SCHEMA_DEPTH_MAX;
use serde_json::json;

/// Compiles a schema for the member `x` of an object.
fn compile(inner: Value) -> Schema {
    compile_root(json!({"type": "object", "properties": {"x": inner}}))
}

fn compile_root(schema: Value) -> Schema {
    Schema::read(&schema, "").unwrap_or_else(|fault| panic!("{schema}: {fault}"))
}

fn parse(text: &str) -> Value {
    crate::kernel::json::parse(text.as_bytes(), 64).unwrap()
}

/// Texts of values that the schema takes, and texts of values that it refuses.
fn check(inner: Value, takes: &[&str], refuses: &[&str]) {
    let schema = compile(inner.clone());
    for text in takes {
        let result = schema.validate(&json!({"x": parse(text)}));
        assert_eq!(result, Ok(()), "{inner} and {text}");
    }
    for text in refuses {
        let result = schema.validate(&json!({"x": parse(text)}));
        assert!(result.is_err(), "{inner} took {text}");
    }
}

fn refused(schema: Value, kind: DocumentErrorKind, pointer: &str) {
    match Schema::read(&schema, "/p") {
        Ok(_) => panic!("{schema} was compiled"),
        Err(fault) => {
            assert_eq!((fault.kind, fault.pointer.as_str()), (kind, pointer), "{schema}: {fault}");
        }
    }
}

/// A schema as the member `x`, which is refused at this place below it.
fn refused_inside(inner: Value, kind: DocumentErrorKind, place: &str) {
    let schema = json!({"type": "object", "properties": {"x": inner}});
    refused(schema, kind, &format!("/p/properties/x{place}"));
}

#[test]
fn a_number_without_a_fraction_is_an_integer_however_it_is_written() {
    let integers = ["1", "-1", "1.0", "1e2", "-0", "0.0", "1e300", "18446744073709551615", "1e20"];
    check(json!({"type": "integer"}), &integers, &["1.5", "1e-2", "\"1\"", "true", "null", "[]"]);
    check(json!({"type": "number"}), &["1", "1.5", "-1e300"], &["\"1\"", "false"]);
    check(json!({"type": ["string", "null"]}), &["\"\"", "null"], &["0", "{}", "[]", "false"]);
}

#[test]
fn bounds_of_numbers_are_exact_where_doubles_would_round() {
    check(
        json!({"maximum": 9_007_199_254_740_992_u64}),
        &["9007199254740992", "9007199254740992.0", "-1e300", "\"z\""],
        &["9007199254740993", "1e17", "1e300", "18446744073709551615"],
    );
    check(
        json!({"minimum": u64::MAX}),
        &["18446744073709551615", "18446744073709551616", "1e300"],
        &["18446744073709551614", "18446744073709549568.0", "-1e300", "0.5"],
    );
    check(
        json!({"minimum": 18_446_744_073_709_551_616.0, "maximum": 1e300}),
        &["18446744073709551616", "1e300"],
        &["18446744073709551615", "18446744073709549568.0", "1.0000000000000002e300"],
    );
    check(
        json!({"exclusiveMaximum": 18_446_744_073_709_551_616.0}),
        &["18446744073709551615", "-1e300"],
        &["18446744073709551616", "1e20"],
    );
    check(json!({"exclusiveMinimum": 0}), &["5e-324", "1"], &["0", "-0", "0.0", "-5e-324"]);
    check(json!({"exclusiveMaximum": 1.5}), &["1", "1.4999999999999998"], &["1.5", "2"]);
    check(json!({"minimum": -2.5}), &["-2.5", "-2"], &["-3", "-2.5000000000000004"]);
    check(json!({"maximum": -1e300}), &["-1e300", "-1.1e300"], &["-9e299", "-9223372036854775808"]);
    check(
        json!({"multipleOf": 3}),
        &["0", "-9", "3.0", "9223372036854775806"],
        &["1", "3.5", "-10"],
    );
    check(json!({"multipleOf": 7}), &["0.0"], &["1e300", "18446744073709551615"]);
}

#[test]
fn equal_values_are_equal_however_they_are_written_and_no_others() {
    check(json!({"const": 1}), &["1", "1.0", "1e0"], &["true", "\"1\"", "1.5", "[1]", "null"]);
    check(
        json!({"const": {"a": [1], "b": null}}),
        &["{\"b\":null,\"a\":[1.0]}"],
        &["{\"a\":[1]}", "{\"a\":1,\"b\":null}"],
    );
    check(
        json!({"enum": ["a", 0, false, null]}),
        &["\"a\"", "0", "-0.0", "false", "null"],
        &["\"\"", "\"A\"", "true", "[]"],
    );
    check(json!({"const": "\u{e9}"}), &["\"\\u00e9\""], &["\"e\\u0301\""]);
    check(
        json!({"const": 9_007_199_254_740_993_u64}),
        &["9007199254740993"],
        &["9007199254740992", "9007199254740992.0"],
    );
    check(json!({"const": "a\",\"b"}), &["\"a\\\",\\\"b\""], &["\"a\""]);
    check(
        json!({"uniqueItems": true}),
        &[
            "[]",
            "[1,\"1\",true,[1],{\"a\":1}]",
            "[0,false,null,\"\"]",
            "[\"a,b\",\"a\",\"b\"]",
            "\"aa\"",
        ],
        &[
            "[1,1.0]",
            "[0,-0.0]",
            "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]",
            "[[],[]]",
            "[\"\\u0061\",\"a\"]",
        ],
    );
    check(json!({"uniqueItems": false}), &["[1,1]"], &[]);
}

#[test]
fn lengths_count_code_points_items_and_members() {
    check(
        json!({"maxLength": 1}),
        &["\"\"", "\"\u{1f600}\"", "\"\\ud83d\\ude00\"", "5"],
        &["\"e\\u0301\"", "\"ab\""],
    );
    check(json!({"minLength": 2}), &["\"e\\u0301\""], &["\"\u{1f600}\"", "\"\""]);
    check(json!({"minItems": 1, "maxItems": 2}), &["[1]", "[1,1]", "{}"], &["[]", "[1,1,1]"]);
    check(
        json!({"minProperties": 1, "maxProperties": 1}),
        &["{\"a\":1}", "[]"],
        &["{}", "{\"a\":1,\"b\":1}"],
    );
}

#[test]
fn objects_and_arrays_are_checked_member_by_member() {
    check(
        json!({"properties": {"a": {"type": "string"}, "b": false}, "required": ["a"], "additionalProperties": {"type": "null"}}),
        &["{\"a\":\"\"}", "{\"a\":\"\",\"c\":null}", "[]"],
        &["{}", "{\"a\":1}", "{\"a\":\"\",\"b\":1}", "{\"a\":\"\",\"c\":1}"],
    );
    check(json!({"additionalProperties": false}), &["{}"], &["{\"a\":1}", "{\"\":1}"]);
    check(json!({"required": ["a"]}), &["{\"a\":null}", "1"], &["{}", "{\"A\":1}"]);
    check(
        json!({"prefixItems": [{"type": "string"}, true], "items": {"type": "null"}}),
        &["[]", "[\"\"]", "[\"\",5]", "[\"\",5,null]"],
        &["[1]", "[\"\",5,5]"],
    );
    check(json!({"prefixItems": [true], "items": false}), &["[]", "[1]"], &["[1,1]"]);
}

#[test]
fn property_names_follow_their_schema_and_other_values_are_not_concerned() {
    check(
        json!({"propertyNames": {"pattern": "^[a-z]+$", "maxLength": 3}}),
        &["{}", "{\"abc\":1,\"d\":null}", "[\"A\"]", "\"A\"", "1"],
        &["{\"A\":1}", "{\"abcd\":1}", "{\"\":1}", "{\"a\":1,\"b2\":1}"],
    );
    check(json!({"propertyNames": {"enum": ["a", "b"]}}), &["{\"a\":{\"z\":1}}"], &["{\"c\":1}"]);
    check(json!({"propertyNames": false}), &["{}", "1"], &["{\"a\":1}"]);
    check(json!({"propertyNames": {"type": "integer"}}), &["{}"], &["{\"1\":1}"]);
    check(json!({"propertyNames": true}), &["{\"A\":1}"], &[]);
    refused_inside(json!({"propertyNames": []}), DocumentErrorKind::WrongType, "/propertyNames");
    refused_inside(
        json!({"propertyNames": {"contains": {}}}),
        DocumentErrorKind::Unsupported,
        "/propertyNames/contains",
    );
    refused_inside(
        json!({"type": "array", "propertyNames": {}}),
        DocumentErrorKind::BadValue,
        "/propertyNames",
    );
}

#[test]
fn a_format_is_a_text_that_is_kept_and_never_checked() {
    check(json!({"type": "string", "format": "email"}), &["\"no address\"", "\"\""], &["1"]);
    check(json!({"type": "integer", "format": "int32"}), &["99999999999"], &["\"1\""]);
    check(json!({"format": "of nobody"}), &["1", "{}", "null"], &[]);
    let schema = json!({"type": "object", "properties": {"x": {"format": "uri"}}});
    assert_eq!(compile_root(schema.clone()).source(), &schema);
    for value in [json!(1), json!(null), json!(true), json!({}), json!(["uri"])] {
        refused_inside(json!({"format": value}), DocumentErrorKind::WrongType, "/format");
    }
}

#[test]
fn combinations_follow_logic() {
    check(json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}), &["1", "2", "\"\""], &["0", "3"]);
    check(
        json!({"anyOf": [{"type": "null"}, {"minimum": 3, "type": "integer"}]}),
        &["null", "3"],
        &["2", "\"\""],
    );
    check(
        json!({"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}),
        &["2", "3"],
        &["6", "1", "\"\""],
    );
    check(json!({"not": {"type": "string"}}), &["1"], &["\"\""]);
    check(json!({"not": true}), &[], &["1", "null"]);
    check(
        json!({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
        &["{\"a\":1}", "{\"b\":1}"],
        &["{}"],
    );
}

#[test]
fn patterns_are_searched_for_as_ecma_262_does() {
    check(json!({"pattern": "b"}), &["\"abc\"", "5"], &["\"ac\"", "\"\""]);
    check(
        json!({"pattern": "^[A-Z]{2}-\\d+$"}),
        &["\"AB-1\""],
        &["\"AB-\"", "\"AB-1\\n\"", "\"xAB-1\"", "\"AB-\u{661}\""],
    );
    check(json!({"pattern": "^.$"}), &["\"\u{1f600}\"", "\"\\r\""], &["\"\\n\"", "\"ab\""]);
    check(json!({"pattern": "^(?:a|b)*?[^\\s\\-\\]]\\/\\$$"}), &["\"abc/$\""], &["\"ab /$\""]);
    check(
        json!({"pattern": "^\\w+\\.[\\w.]{2,}$"}),
        &["\"a_1.b2\""],
        &["\"\u{e9}.bb\"", "\"a_1.b\""],
    );
}

#[test]
fn what_only_one_dialect_of_expressions_knows_is_refused() {
    for pattern in [
        "(?i)a",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<n>a)",
        "(?P<n>a)",
        "(?x: a)",
        "\\1",
        "\\p{L}",
        "\\pL",
        "\\A",
        "\\z",
        "\\b",
        "\\B",
        "\\x41",
        "\\u0041",
        "\\x{41}",
        "\\cA",
        "\\0",
        "\\a",
        "\\-",
        "\\e",
        "\\ ",
        "\\%",
        "\\",
        "[[:alpha:]]",
        "[[a]]",
        "[]",
        "[]a]",
        "[^]",
        "[^]a]",
        "[a&&b]",
        "[a--b]",
        "[--a]",
        "[a~~b]",
        "[a",
        "a]",
        "a}",
        "{",
        "a{",
        "a{x}",
        "a{1,2",
        "a{,2}",
        "a{ 1 }",
        "{1}",
        "*",
        "a**",
        "(",
        ")",
        "(a",
        "[b-a]",
        "[a-\\d]",
        "a{2,1}",
        "a{99999}",
        "(a{99}){99}",
    ] {
        refused_inside(json!({"pattern": pattern}), DocumentErrorKind::Unsupported, "/pattern");
    }
    refused_inside(json!({"pattern": "a".repeat(257)}), DocumentErrorKind::Unsupported, "/pattern");
    refused_inside(json!({"pattern": 5}), DocumentErrorKind::WrongType, "/pattern");
}

#[test]
fn every_keyword_outside_the_subset_is_refused() {
    for keyword in [
        "$id",
        "$anchor",
        "$dynamicRef",
        "$dynamicAnchor",
        "$vocabulary",
        "$comment",
        "$recursiveRef",
        "definitions",
        "id",
        "if",
        "then",
        "else",
        "dependentSchemas",
        "dependentRequired",
        "dependencies",
        "patternProperties",
        "contains",
        "minContains",
        "maxContains",
        "unevaluatedItems",
        "unevaluatedProperties",
        "additionalItems",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "readOnly",
        "writeOnly",
        "nullable",
        "example",
        "x-vendor",
        "Type",
        "",
        "$schema",
        "$defs",
    ] {
        for value in [json!({}), json!(true), json!("x")] {
            let place = format!("/{keyword}");
            refused_inside(json!({keyword: value}), DocumentErrorKind::Unsupported, &place);
        }
    }
}

#[test]
fn the_root_is_an_object_schema() {
    for schema in [json!(true), json!(false), json!(null), json!("object"), json!([])] {
        refused(schema, DocumentErrorKind::WrongType, "/p");
    }
    for kind in [json!("array"), json!(["object"]), json!(["object", "null"]), json!(null)] {
        refused(json!({"type": kind}), DocumentErrorKind::BadValue, "/p/type");
    }
    refused(json!({"properties": {}}), DocumentErrorKind::BadValue, "/p/type");
    let dialect = |uri: &str| json!({"type": "object", "$schema": uri});
    compile_root(dialect("https://json-schema.org/draft/2020-12/schema"));
    refused(
        dialect("http://json-schema.org/draft-07/schema#"),
        DocumentErrorKind::Unsupported,
        "/p/$schema",
    );
    refused(
        dialect("https://json-schema.org/draft/2020-12/schema#"),
        DocumentErrorKind::Unsupported,
        "/p/$schema",
    );
}

#[test]
fn keywords_of_the_wrong_type_or_without_sense_are_refused() {
    use DocumentErrorKind::{BadValue, WrongType};
    for (inner, kind, place) in [
        (json!(null), WrongType, ""),
        (json!([]), WrongType, ""),
        (json!({"type": 5}), WrongType, "/type"),
        (json!({"type": "text"}), BadValue, "/type"),
        (json!({"type": []}), BadValue, "/type"),
        (json!({"type": ["string", "string"]}), BadValue, "/type/1"),
        (json!({"type": ["string", null]}), WrongType, "/type/1"),
        (json!({"enum": "a"}), WrongType, "/enum"),
        (json!({"enum": []}), BadValue, "/enum"),
        (json!({"enum": [1, "a", 1.0]}), BadValue, "/enum/2"),
        (json!({"minimum": "1"}), WrongType, "/minimum"),
        (json!({"exclusiveMinimum": true}), WrongType, "/exclusiveMinimum"),
        (json!({"multipleOf": 0}), BadValue, "/multipleOf"),
        (json!({"multipleOf": -1}), BadValue, "/multipleOf"),
        (json!({"multipleOf": 0.01}), WrongType, "/multipleOf"),
        (json!({"multipleOf": 1_u64 << 32}), BadValue, "/multipleOf"),
        (json!({"minLength": -1}), BadValue, "/minLength"),
        (json!({"maxLength": 1.0}), WrongType, "/maxLength"),
        (json!({"maxItems": "1"}), WrongType, "/maxItems"),
        (json!({"uniqueItems": 1}), WrongType, "/uniqueItems"),
        (json!({"items": [true]}), WrongType, "/items"),
        (json!({"prefixItems": {}}), WrongType, "/prefixItems"),
        (json!({"prefixItems": []}), BadValue, "/prefixItems"),
        (json!({"anyOf": []}), BadValue, "/anyOf"),
        (json!({"allOf": [5]}), WrongType, "/allOf/0"),
        (json!({"not": "x"}), WrongType, "/not"),
        (json!({"properties": []}), WrongType, "/properties"),
        (json!({"properties": {"a/b": 5}}), WrongType, "/properties/a~1b"),
        (json!({"required": true}), WrongType, "/required"),
        (json!({"required": [1]}), WrongType, "/required/0"),
        (json!({"required": ["a", "a"]}), BadValue, "/required/1"),
        (json!({"properties": {"a": true}, "required": ["a", "b"]}), BadValue, "/required/1"),
        (json!({"title": 5}), WrongType, "/title"),
        (json!({"description": null}), WrongType, "/description"),
        (json!({"deprecated": "yes"}), WrongType, "/deprecated"),
        (json!({"examples": {}}), WrongType, "/examples"),
        (json!({"minimum": 2, "maximum": 1}), BadValue, ""),
        (json!({"minimum": 1, "exclusiveMaximum": 1.0}), BadValue, ""),
        (json!({"exclusiveMinimum": 1, "maximum": 1}), BadValue, ""),
        (json!({"exclusiveMinimum": 1, "exclusiveMaximum": 1}), BadValue, ""),
        (json!({"minLength": 2, "maxLength": 1}), BadValue, ""),
        (json!({"minItems": 2, "maxItems": 1}), BadValue, ""),
        (json!({"minProperties": 2, "maxProperties": 1}), BadValue, ""),
        (json!({"type": "string", "minimum": 1}), BadValue, "/minimum"),
        (json!({"type": ["integer", "null"], "maxLength": 1}), BadValue, "/maxLength"),
        (json!({"type": "object", "items": true}), BadValue, "/items"),
        (json!({"type": "array", "required": []}), BadValue, "/required"),
    ] {
        refused_inside(inner, kind, place);
    }
    for inner in [
        json!({}),
        json!({"minimum": 1, "maximum": 1}),
        json!({"type": "integer", "minimum": 1}),
        json!({"type": ["null", "string"], "pattern": "a"}),
        json!({"required": []}),
        json!({"default": null}),
        json!({"title": "", "description": "", "deprecated": true, "examples": []}),
    ] {
        compile(inner);
    }
}

#[test]
fn references_lead_to_definitions_of_the_same_schema_and_their_siblings_count() {
    let schema = compile_root(json!({
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/a", "minimum": 5}},
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b.c-d_1"}, {"type": "null"}]}, "b.c-d_1": {"maximum": 9, "type": "number"}}
    }));
    for (value, valid) in [
        (json!(5), true),
        (json!(null), true),
        (json!(4), false),
        (json!(10), false),
        (json!(""), false),
    ] {
        assert_eq!(schema.validate(&json!({"x": value})).is_ok(), valid, "{value}");
    }
    let root = |reference: Value, definitions: Value| json!({"type": "object", "properties": {"x": {"$ref": reference}}, "$defs": definitions});
    let place = "/p/properties/x/$ref";
    for elsewhere in [
        "#",
        "#/properties/x",
        "#a",
        "",
        "a.json",
        "#/$defs",
        "https://a.example/#/$defs/a",
        "#/definitions/a",
    ] {
        refused(root(json!(elsewhere), json!({"a": true})), DocumentErrorKind::Unsupported, place);
    }
    for missing in ["#/$defs/b", "#/$defs/", "#/$defs/a/b", "#/$defs/A", "#/$defs/%61"] {
        refused(root(json!(missing), json!({"a": true})), DocumentErrorKind::BadValue, place);
    }
    refused(root(json!(5), json!({"a": true})), DocumentErrorKind::WrongType, place);
    refused(json!({"type": "object", "$ref": "#/$defs/a"}), DocumentErrorKind::BadValue, "/p/$ref");
    refused(json!({"type": "object", "$defs": []}), DocumentErrorKind::WrongType, "/p/$defs");
    refused(
        json!({"type": "object", "$defs": {"a b": true}}),
        DocumentErrorKind::Unsupported,
        "/p/$defs/a b",
    );
    refused(
        json!({"type": "object", "$defs": {"": true}}),
        DocumentErrorKind::Unsupported,
        "/p/$defs/",
    );
    refused(
        json!({"type": "object", "$defs": {"unused": {"contains": {}}}}),
        DocumentErrorKind::Unsupported,
        "/p/$defs/unused/contains",
    );
}

#[test]
fn circles_doublings_and_depth_end_in_a_refusal() {
    let kind = |schema: Value| Schema::read(&schema, "").unwrap_err().kind;
    let circle =
        |inner: Value| kind(json!({"type": "object", "$ref": "#/$defs/a", "$defs": {"a": inner}}));
    for inner in [
        json!({"$ref": "#/$defs/a"}),
        json!({"properties": {"x": {"$ref": "#/$defs/a"}}}),
        json!({"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}),
        json!({"items": {"not": {"$ref": "#/$defs/a"}}}),
    ] {
        assert_eq!(circle(inner), DocumentErrorKind::Unsupported);
    }
    let doubling = |steps: usize| {
        let mut definitions = serde_json::Map::new();
        definitions.insert("d0".to_owned(), json!({"type": "null"}));
        for step in 1..=steps {
            let name = format!("#/$defs/d{}", step - 1);
            definitions
                .insert(format!("d{step}"), json!({"anyOf": [{"$ref": name}, {"$ref": name}]}));
        }
        Schema::read(&json!({"type": "object", "$defs": definitions}), "")
    };
    // Each definition is read once, although this one would expand to 2^15 copies of `d0`.
    let doubled = doubling(15).unwrap();
    assert_eq!(doubled.validate(&json!({})), Ok(()));
    assert_eq!(doubling(16).unwrap_err().kind, DocumentErrorKind::Unsupported);
    let deep = |levels: usize| {
        let inner = (0..levels).fold(json!(true), |inner, _| json!({"items": inner}));
        Schema::read(&json!({"type": "object", "properties": {"x": inner}}), "")
    };
    let nested = (0..40).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(deep(31).unwrap().validate(&json!({ "x": nested })), Ok(()));
    assert_eq!(deep(32).unwrap_err().kind, DocumentErrorKind::Unsupported);
}

#[test]
fn a_value_that_takes_too_many_steps_is_refused_and_not_turned_round_by_not() {
    let long = json!({"x": "a".repeat(3 << 20)});
    let matching = json!({"pattern": "^[ab]*$"});
    let counting = json!({"minLength": 1});
    for inner in [
        matching.clone(),
        json!({"not": matching}),
        json!({"anyOf": [matching, true]}),
        json!({"oneOf": [true, matching]}),
        json!({"allOf": vec![counting.clone(); 12]}),
        json!({"not": {"not": {"allOf": vec![counting; 12]}}}),
    ] {
        let violation = compile(inner.clone()).validate(&long).unwrap_err();
        assert!(violation.what.contains("steps"), "{inner}: {violation}");
        let small = compile(inner).validate(&json!({"x": "a"}));
        assert!(!small.is_err_and(|violation| violation.what.contains("steps")));
    }
}

#[test]
fn huge_doubles_are_exact_and_take_no_longer_than_others() {
    check(
        json!({"minimum": 1.7e38, "multipleOf": 4}),
        &["1.7014118346046923e38", "1.2e39", "1e300"],
        &["1.6e38", "-1e300"],
    );
    check(json!({"const": -1e38}), &["-1e38", "-100e36"], &["1e38", "-1.0000000000000001e38"]);
    // The decimal text of a double and the remainder of two doubles are exact too, only slow.
    let mut random = 1_u64;
    for _ in 0..20_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let float = f64::from_bits(random ^ (random >> 29)).trunc();
        let Some(number) = serde_json::Number::from_f64(float) else { continue };
        let number = Value::Number(number);
        let exact = ExactNumber::of(&number).unwrap();
        let text = number::canonical(&number);
        match float.abs() < 1e38 {
            true => assert_eq!(text, format!("{:.0}", float + 0.0)),
            false => assert_eq!(text.parse(), Ok(float)),
        }
        for divisor in [1, 2, 3, 5, 12, 1 << 31, u32::MAX] {
            let multiple = float % f64::from(divisor) == 0.0;
            let divides = exact.is_multiple_of(ExactNumber::of(&divisor.into()).unwrap());
            assert_eq!(divides, multiple, "{float:e} of {divisor}");
        }
    }
    let rules = json!({"minimum": -1, "exclusiveMinimum": -2, "multipleOf": 1, "type": "integer"});
    let schema = compile(json!({"items": {"allOf": vec![rules; 700]}}));
    assert_eq!(schema.validate(&json!({"x": vec![1e300; 300]})), Ok(()));
}

#[test]
fn names_looked_up_and_texts_compared_cost_steps_by_their_length() {
    let names: Vec<String> = (0..2000).map(|at| at.to_string()).collect();
    let properties: serde_json::Map<_, _> =
        names.iter().map(|name| (name.clone(), json!(true))).collect();
    let members: serde_json::Map<_, _> =
        names.iter().map(|name| (name.clone(), json!(1))).collect();
    let known = json!({"properties": properties, "additionalProperties": false});
    let long = "k".repeat(20_000);
    let other = json!(format!("{}x", "k".repeat(19_999)));
    // The first item takes all but 1.6 million of the steps; what follows passes only if it is cheap.
    let first = json!("a".repeat(2_000_000));
    for (inner, item, most) in [
        (json!({"properties": properties}), json!({}), 700),
        (json!({"required": names}), json!(members), 700),
        (known, json!(members), 200),
        (json!({"not": {"additionalProperties": {"type": "null"}}}), json!({&long: 1}), 1500),
        (json!({"not": {"properties": {&long: {"type": "null"}}}}), json!({&long: 1}), 1500),
        (json!({"not": {"required": [long]}}), json!({}), 1500),
        (json!({"$ref": format!("#/$defs/{long}")}), json!(1), 1500),
        (json!({"not": {"const": long}}), other.clone(), 1500),
        (json!({"not": {"enum": [1, long]}}), other, 1500),
        (json!({"not": {"enum": names}}), json!("x"), 700),
        (json!({"not": {"const": [long]}}), json!([]), 20),
        (json!({"not": {"const": []}}), json!([long]), 20),
    ] {
        let schema = compile_root(json!({
            "type": "object", "$defs": {&long: true}, "properties": {"x": {"allOf": [
                {"prefixItems": [{"allOf": vec![json!({"minLength": 1}); 16]}]},
                {"prefixItems": [true], "items": inner}
            ]}}
        }));
        let verdict = |count: usize| {
            let mut items = vec![first.clone()];
            items.resize(count + 1, item.clone());
            schema.validate(&json!({ "x": items }))
        };
        assert_eq!(verdict(most / 10), Ok(()), "{inner:.50}");
        let violation = verdict(most * 2).unwrap_err();
        assert!(violation.what.contains("steps"), "{inner:.50}: {violation}");
    }
}

/// For each keyword a value of it, and a value that does not follow it.
#[test]
fn no_keyword_of_the_table_is_read_and_then_not_checked() {
    let broken = json!({
        "type": ["null", 1], "enum": [[1], 2], "const": [1, 2], "minimum": [1, 0], "maximum": [1, 2],
        "exclusiveMinimum": [1, 1], "exclusiveMaximum": [1, 1], "multipleOf": [2, 1],
        "minLength": [2, "a"], "maxLength": [0, "a"], "minItems": [1, []], "maxItems": [0, [1]],
        "minProperties": [1, {}], "maxProperties": [0, {"a": 1}], "pattern": ["b", "a"],
        "items": [false, [1]], "additionalProperties": [false, {"a": 1}], "not": [true, 1],
        "propertyNames": [{"maxLength": 1}, {"ab": 1}],
        "prefixItems": [[false], [1]], "allOf": [[false], 1], "anyOf": [[false], 1],
        "oneOf": [[true, true], 1], "uniqueItems": [true, [1, 1]],
        "properties": [{"a": false}, {"a": 1}], "required": [["a"], {}], "$ref": ["#/$defs/no", 1]
    });
    let constrain_nothing =
        ["$defs", "$schema", "title", "description", "format", "examples", "deprecated", "default"];
    let spec = include_str!("../../../../spec/manifest.md");
    let table = spec.split("| keyword | its value in a schema |").nth(1).unwrap();
    let rows = table.split("\n\n").next().unwrap().lines().skip(2);
    let cells: String = rows.map(|row| row.split('|').nth(1).unwrap()).collect();
    let keywords: Vec<&str> = cells.split('`').skip(1).step_by(2).collect();
    assert_eq!(keywords.len(), broken.as_object().unwrap().len() + constrain_nothing.len());
    for keyword in keywords {
        if constrain_nothing.contains(&keyword) {
            continue;
        }
        let schema = compile_root(json!({
            "type": "object", "$defs": {"no": false},
            "properties": {"x": {keyword: broken[keyword][0]}}
        }));
        assert!(schema.validate(&json!({ "x": broken[keyword][1] })).is_err(), "{keyword}");
    }
}

#[test]
fn copies_that_a_ref_makes_cost_steps_when_a_value_is_checked_and_nothing_before() {
    let fold =
        |name: &str| json!({"allOf": vec![json!({ "$ref": format!("#/$defs/{name}") }); 100]});
    let schema = compile_root(json!({
        "type": "object", "properties": {"x": {"$ref": "#/$defs/e"}, "y": {"$ref": "#/$defs/b"}},
        "$defs": {"a": {"minimum": 1}, "b": fold("a"), "c": fold("b"), "d": fold("c"), "e": fold("d")}
    }));
    assert_eq!(schema.validate(&json!({"y": 1})), Ok(()));
    let violation = schema.validate(&json!({"x": 1})).unwrap_err();
    assert!(violation.what.contains("steps"), "{violation}");
}

#[test]
fn a_large_ordinary_answer_is_within_the_steps() {
    let column = |at: usize| {
        (
            format!("column_{at}"),
            json!({"type": ["string", "null"], "maxLength": 80, "pattern": "^[a-z ]*$"}),
        )
    };
    let properties: serde_json::Map<_, _> = (0..20).map(column).collect();
    let required: Vec<_> = properties.keys().cloned().collect();
    let row: serde_json::Map<_, _> =
        required.iter().map(|name| (name.clone(), json!("some words"))).collect();
    let schema = compile(json!({"items": {"anyOf": [{"type": "null"}, {"type": "object",
        "properties": properties, "required": required, "additionalProperties": false}]}}));
    assert_eq!(schema.validate(&json!({"x": vec![row; 5_000]})), Ok(()));
}

#[test]
fn a_violation_says_where_and_what_and_nothing_of_the_value() {
    let schema = compile(
        json!({"properties": {"a/b": {"items": {"type": "string", "maxLength": 3, "enum": ["a", "b"]}}}}),
    );
    let violation = schema.validate(&json!({"x": {"a/b": ["a", "secret"]}})).unwrap_err();
    assert_eq!(violation.pointer, "/x/a~1b/1");
    assert_eq!(violation.what, "does not follow \"enum\": [\"a\",\"b\"]");
    let violation = schema.validate(&json!([])).unwrap_err();
    assert_eq!(violation.to_string(), "(root): does not follow \"type\": \"object\"");
}

#[test]
fn the_published_schema_of_signatures_takes_the_one_form_and_no_neighbour() {
    let source = parse(include_str!("../../../../spec/signature.schema.json"));
    let schema = Schema::read(&source, "").unwrap();
    let one = json!({
        "algorithm": "Ed25519", "key_id": "0a".repeat(32), "public_key": "A".repeat(43) + "=",
        "signed_at": "2026-01-01T00:00:00Z", "signature": "A".repeat(86) + "=="
    });
    let file = |signatures: Value| {
        let hash = format!("sha256:{}", "0a".repeat(32));
        json!({"format": "mpp-signature/1", "content_hash": hash, "signatures": signatures})
    };
    let with = |key: &str, value: Value| {
        let mut changed = one.clone();
        changed[key] = value;
        changed
    };
    assert_eq!(schema.validate(&file(json!([one]))), Ok(()));
    let times = [
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01 00:00:00Z",
    ];
    let mut bad = vec![
        json!([]),
        json!([one, one]),
        json!({}),
        json!([with("extra", json!(1))]),
        json!([{}]),
    ];
    bad.extend(times.map(|time| json!([with("signed_at", json!(time))])));
    bad.push(json!([with("algorithm", json!("ed25519"))]));
    bad.push(json!([with("key_id", json!("0A".repeat(32)))]));
    bad.push(json!([with("public_key", json!("A".repeat(42) + "B="))]));
    bad.push(json!([with("signature", json!("A".repeat(85) + "B=="))]));
    bad.push(json!((0..9)
        .map(|at| with("key_id", json!(format!("{at}").repeat(64))))
        .collect::<Vec<_>>()));
    for signatures in bad {
        assert!(schema.validate(&file(signatures.clone())).is_err(), "{signatures}");
    }
}

const PAGE: &str = include_str!("../../../../spec/manifest.md");

#[test]
fn the_counted_example_of_the_page_takes_the_steps_that_it_states() {
    let (_, rest) = PAGE.split_once("These take ").unwrap();
    let (steps, rest) = rest.split_once(" steps").unwrap();
    let block = rest.split("```").nth(1).unwrap().strip_prefix("json").unwrap();
    let example = parse(block);
    let schema = compile_root(example["schema"].clone());
    let unlimited = Deadline::unlimited();
    let mut checker = Checker::new(&schema.source, &schema.patterns, &unlimited);
    assert!(checker.node(&schema.source, &example["value"]).is_ok());
    let taken = crate::kernel::limits::SCHEMA_STEPS_MAX - checker.steps_left;
    assert_eq!(steps.parse(), Ok(taken));
}

#[test]
fn the_example_of_the_page_is_four_schemas_deep() {
    let block = PAGE.split("```json").nth(1).unwrap().split("```").next().unwrap();
    let example = parse(block)["tools"][0]["parameters"].clone();
    let below = |levels: usize| {
        let mut whole = example.clone();
        let near = whole["properties"]["near"].take();
        whole["properties"]["near"] = (0..levels).fold(near, |inner, _| json!({ "not": inner }));
        Schema::read(&whole, "").is_ok()
    };
    assert!(below(SCHEMA_DEPTH_MAX - 4) && !below(SCHEMA_DEPTH_MAX - 3));
}
