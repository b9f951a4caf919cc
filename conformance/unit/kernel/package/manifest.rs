//! The rules of the manifest: one fault at a time, random changes, and the published schema.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use super::*;
use crate::kernel::error::Code;
use crate::kernel::limits::{DESCRIPTION_BYTES_MAX, MANIFEST_BYTES_MAX};
use serde_json::{json, Value};

const SPEC: &str = include_str!("../../../../spec/manifest.md");
const JSON_SCHEMA: &str = include_str!("../../../../spec/manifest.schema.json");

/// The examples of the spec page: the one with every key, and the least one.
fn examples() -> [Value; 2] {
    let mut blocks = SPEC.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    [0, 1].map(|_| serde_json::from_str(blocks.next().unwrap()).unwrap())
}

/// The least example with what the page shows about `command` in it.
fn command_example() -> Value {
    let [_, mut manifest] = examples();
    let shown = SPEC.split("```json\n").nth(3).unwrap().split("```").next().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    manifest["runtime"] = shown["runtime"].clone();
    for key in ["name", "parameters", "command"] {
        manifest["tools"][0][key] = shown["tools"][0][key].clone();
    }
    manifest
}

fn parse(value: &Value) -> Result<Manifest, Error> {
    Manifest::parse(value.to_string().as_bytes())
}

/// The full example with one place replaced, added, or (`None`) removed.
fn edited(pointer: &str, new: Option<Value>) -> Value {
    let [mut manifest, _] = examples();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match manifest.pointer_mut(parent).unwrap() {
        Value::Object(members) => match new {
            Some(value) => drop(members.insert(key, value)),
            None => drop(members.remove(&key).unwrap()),
        },
        Value::Array(items) => {
            let at: usize = key.parse().unwrap();
            match new {
                Some(value) if at == items.len() => items.push(value),
                Some(value) => items[at] = value,
                None => drop(items.remove(at)),
            }
        }
        other => panic!("{pointer} leads into {other}"),
    }
    manifest
}

fn refused(manifest: &Value, code: Code, pointer: &str, case: &str) {
    match parse(manifest) {
        Ok(_) => panic!("{case} was accepted"),
        Err(error) => {
            assert_eq!(error.code(), code, "{case}: {error}");
            let place = error.detail().split(": ").next().unwrap();
            assert_eq!(place, pointer, "{case}: {error}");
        }
    }
}

/// Replaces one place by each of the values; every one is refused, at that place.
fn each_refused(code: Code, pointer: &str, values: Vec<Value>) {
    for value in values {
        let case = format!("{pointer} = {value}");
        refused(&edited(pointer, Some(value)), code, pointer, &case);
    }
}

fn each_accepted(pointer: &str, values: Vec<Value>) {
    for value in values {
        let result = parse(&edited(pointer, Some(value.clone())));
        assert!(result.is_ok(), "{pointer} = {value}: {}", result.unwrap_err());
    }
}

#[test]
fn the_full_example_is_read_key_by_key() {
    let [full, _] = examples();
    let manifest = parse(&full).unwrap();
    assert_eq!(manifest.mpp_version, "1.0");
    assert_eq!(manifest.id, "org.acme.weather");
    assert_eq!(manifest.version.to_string(), "1.2.0");
    assert_eq!(manifest.license.as_deref(), Some("Apache-2.0"));
    assert_eq!(manifest.homepage.as_deref(), Some("https://acme.example/weather"));
    assert_eq!(manifest.authors, ["Ada Example <ada@acme.example>"]);
    assert_eq!(manifest.runtime.memory_limit_mb, 64);
    assert_eq!(manifest.runtime.timeout_ms, 5000);
    assert_eq!(manifest.capabilities.network, ["api.example.com", "tiles.example.com:8443"]);
    assert_eq!(manifest.capabilities.filesystem.read, ["/data"]);
    assert_eq!(manifest.capabilities.filesystem.write, ["/out"]);
    assert_eq!(manifest.capabilities.environment, ["API_KEY"]);
    assert_eq!(manifest.capabilities.storage, Some(Storage { limit_kb: 256 }));
    let [tool] = &manifest.tools[..] else { panic!("one tool") };
    assert_eq!(tool.sensitivity, Sensitivity::Read);
    assert_eq!(tool.parameters.source(), &full["tools"][0]["parameters"]);
    assert_eq!(tool.returns.as_ref().unwrap().source(), &full["tools"][0]["returns"]);
    assert!(tool.parameters.validate(&json!({"place": "Oslo", "near": [59.9, 10.7]})).is_ok());
    assert!(tool.parameters.validate(&json!({"place": "Oslo", "near": [59.9, 180]})).is_err());
    assert_eq!(manifest.privacy_filters.patterns, ["email", "credit-card"]);
    assert_eq!(manifest.privacy_filters.custom[0].name, "EMPLOYEE_ID");
}

#[test]
fn what_the_least_example_leaves_out_is_nothing_or_the_stated_default() {
    let [full, least] = examples();
    let manifest = parse(&least).unwrap();
    assert_eq!(manifest.capabilities, Capabilities::default());
    assert_eq!(manifest.privacy_filters, PrivacyFilters::default());
    assert_eq!((manifest.license, manifest.homepage, manifest.authors), (None, None, vec![]));
    // The full example spells out the defaults of `runtime`.
    assert_eq!(manifest.runtime, parse(&full).unwrap().runtime);
    assert_eq!(manifest.tools[0].returns, None);
    assert_eq!(manifest.tools[0].program_name(), "echo");
}

#[test]
fn the_name_in_the_program_is_one_line_and_may_be_no_tool_name() {
    let names = ["files/read", "_x", "a b", "echo.text:v2", &"x".repeat(256)].map(Value::from);
    each_accepted("/tools/0/calls", names.to_vec());
    let names = ["", " a", "a\nb", &"x".repeat(257)].map(Value::from);
    each_refused(Code::ManifestValue, "/tools/0/calls", names.to_vec());
    let manifest = parse(&edited("/tools/0/calls", Some(json!("files/read")))).unwrap();
    assert_eq!(manifest.tools[0].name, "forecast");
    assert_eq!(manifest.tools[0].program_name(), "files/read");
    let mut command = command_example();
    command["tools"][0]["calls"] = json!("grep");
    refused(&command, Code::ManifestUnknownKey, "/tools/0/calls", "with a command");
}

#[test]
fn the_schema_that_a_manifest_names_is_a_text_without_effect() {
    let [full, _] = examples();
    for text in ["", "x", "http://json-schema.org/draft-07/schema#"] {
        let other = edited("/$schema", Some(json!(text)));
        assert_eq!(parse(&other).unwrap(), parse(&full).unwrap(), "{text}");
    }
    each_refused(Code::ManifestType, "/$schema", vec![json!(null), json!({}), json!(7)]);
    each_refused(Code::ManifestValue, "/$schema", vec![json!("a\u{202e}")]);
}

#[test]
fn statuses_of_success_are_different_bytes_and_at_least_one() {
    let with = |codes: Value| {
        let mut manifest = command_example();
        manifest["tools"][0]["command"]["ok_exit_codes"] = codes;
        manifest
    };
    let statuses =
        |manifest: &Value| parse(manifest).unwrap().tools[0].command.clone().unwrap().ok_exit_codes;
    assert_eq!(statuses(&command_example()), BTreeSet::from([0]));
    assert_eq!(statuses(&with(json!([1, 0]))), BTreeSet::from([0, 1]));
    let all: Vec<u8> = (0..=255).collect();
    assert_eq!(statuses(&with(json!(all))).len(), 256);
    let place = "/tools/0/command/ok_exit_codes";
    for (codes, code, place) in [
        (json!([]), Code::ManifestValue, place),
        (json!([0, 0]), Code::ManifestValue, &format!("{place}/1")[..]),
        (json!([256]), Code::ManifestValue, &format!("{place}/0")[..]),
        (json!([-1]), Code::ManifestValue, &format!("{place}/0")[..]),
        (json!([1.0]), Code::ManifestType, &format!("{place}/0")[..]),
        (json!(["1"]), Code::ManifestType, &format!("{place}/0")[..]),
        (json!(1), Code::ManifestType, place),
        (json!(null), Code::ManifestType, place),
    ] {
        refused(&with(codes.clone()), code, place, &codes.to_string());
    }
}

#[test]
fn every_key_that_is_left_out_is_missed_or_has_a_default() {
    let required = [
        "/mpp_version",
        "/id",
        "/version",
        "/name",
        "/description",
        "/runtime",
        "/tools",
        "/runtime/target",
        "/capabilities/storage/limit_kb",
        "/tools/0/name",
        "/tools/0/description",
        "/tools/0/parameters",
        "/tools/0/sensitivity",
        "/privacy_filters/custom/0/name",
        "/privacy_filters/custom/0/pattern",
    ];
    for pointer in required {
        refused(&edited(pointer, None), Code::ManifestMissingKey, pointer, pointer);
    }
    let optional = [
        "/$schema",
        "/tools/0/calls",
        "/authors",
        "/license",
        "/homepage",
        "/capabilities",
        "/privacy_filters",
        "/runtime/entry",
        "/runtime/protocol",
        "/runtime/args",
        "/runtime/memory_limit_mb",
        "/runtime/timeout_ms",
        "/runtime/fuel",
        "/runtime/output_limit_kb",
        "/capabilities/network",
        "/capabilities/filesystem",
        "/capabilities/filesystem/read",
        "/capabilities/filesystem/write",
        "/capabilities/environment",
        "/capabilities/storage",
        "/tools/0/returns",
        "/privacy_filters/patterns",
        "/privacy_filters/custom",
    ];
    for pointer in optional {
        assert!(parse(&edited(pointer, None)).is_ok(), "{pointer}");
    }
    // Together these are all keys there are, so none has been forgotten above.
    let mut keys = Vec::new();
    collect_keys(&examples()[0], "", &mut keys);
    let listed =
        |key: &String| required.contains(&key.as_str()) || optional.contains(&key.as_str());
    assert_eq!(keys.iter().find(|key| !listed(key)), None);
    assert_eq!(keys.len(), required.len() + optional.len());
}

/// The pointers of all members outside schemas.
fn collect_keys(value: &Value, pointer: &str, keys: &mut Vec<String>) {
    if pointer.ends_with("/parameters") || pointer.ends_with("/returns") {
        return;
    }
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            let place = format!("{pointer}/{key}");
            collect_keys(value, &place, keys);
            keys.push(place);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, item)| {
            collect_keys(item, &format!("{pointer}/{at}"), keys);
        }),
        _ => {}
    }
}

#[test]
fn an_unknown_key_is_refused_in_every_object() {
    for object in [
        "",
        "/runtime",
        "/capabilities",
        "/capabilities/filesystem",
        "/capabilities/storage",
        "/tools/0",
        "/privacy_filters",
        "/privacy_filters/custom/0",
    ] {
        for key in ["extra", "", "Name", "a~1b"] {
            let pointer = format!("{object}/{key}");
            let manifest = edited(&pointer, Some(json!(1)));
            refused(&manifest, Code::ManifestUnknownKey, &pointer, &pointer);
        }
    }
}

#[test]
fn null_and_other_types_are_refused_in_every_place() {
    let mut keys = Vec::new();
    collect_keys(&examples()[0], "", &mut keys);
    for pointer in
        keys.iter().filter(|key| !key.ends_with("/parameters") && !key.ends_with("/returns"))
    {
        let [full, _] = examples();
        let right = std::mem::discriminant(full.pointer(pointer).unwrap());
        for value in [json!(null), json!(true), json!(7), json!("x"), json!([]), json!({})] {
            if std::mem::discriminant(&value) != right {
                each_refused(Code::ManifestType, pointer, vec![value]);
            }
        }
    }
    for list in [
        "/authors",
        "/runtime/args",
        "/capabilities/network",
        "/capabilities/filesystem/write",
        "/capabilities/environment",
        "/privacy_filters/patterns",
        "/privacy_filters/custom",
        "/tools",
    ] {
        let item = format!("{list}/0");
        let mut manifest = edited(list, Some(json!([])));
        for value in [json!(null), json!(7), json!([])] {
            manifest.pointer_mut(list).unwrap().as_array_mut().unwrap().splice(.., [value]);
            refused(&manifest, Code::ManifestType, &item, &item);
        }
    }
    for document in ["null", "[]", "7", "\"x\""] {
        let error = Manifest::parse(document.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::ManifestType, "{document}");
    }
}

#[test]
fn what_is_no_strict_json_is_refused_before_anything_is_read() {
    let [full, _] = examples();
    let text = full.to_string();
    let nested = "[".repeat(30) + &"]".repeat(30);
    let cases = [
        String::new(),
        format!("\u{feff}{text}"),
        format!("{text}{{}}"),
        text.replacen("\"id\"", "\"name\":\"x\",\"id\"", 1),
        text.replacen("\"limit_kb\":256", "\"limit_kb\":256,\"limit\\u005fkb\":9", 1),
        text.replacen("\"default\":3", &format!("\"default\":{nested}"), 1),
        text.clone() + &" ".repeat(MANIFEST_BYTES_MAX + 1 - text.len()),
    ];
    for case in cases {
        let error = Manifest::parse(case.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::ManifestSyntax, "{error}");
    }
    assert!(Manifest::parse(
        (text.clone() + &" ".repeat(MANIFEST_BYTES_MAX - text.len())).as_bytes()
    )
    .is_ok());
    for end in 0..text.len() {
        let error = Manifest::parse(&text.as_bytes()[..end]).unwrap_err();
        assert_eq!(error.code(), Code::ManifestSyntax, "{error}");
    }
}

#[test]
fn another_format_version_is_the_first_thing_refused() {
    each_refused(
        Code::ManifestValue,
        "/mpp_version",
        vec![json!("1.1"), json!("1"), json!("2.0"), json!("")],
    );
    let later = json!({"mpp_version": "1.1", "surprise": true});
    refused(&later, Code::ManifestValue, "/mpp_version", "a later version with other keys");
}

#[test]
fn ids_that_are_no_reverse_domain_names_are_refused() {
    let values = [
        "",
        "acme",
        "org.",
        ".org",
        "org..x",
        "org.-x",
        "org.x-",
        "Org.acme",
        "org.acme!",
        "org.ac_me",
        "org.acme ",
        "org/acme",
        "org.xn--80ak6aa92e",
        "xn--p1ai.acme",
        "org.\u{430}cme",
        "org.acme\n",
    ];
    each_refused(Code::ManifestValue, "/id", values.map(Value::from).to_vec());
    let long = |last: usize| [&"a".repeat(63), &"b".repeat(63)[..last]].join(".");
    each_refused(
        Code::ManifestValue,
        "/id",
        vec![json!(format!("{}.b", "a".repeat(64))), json!(long(63) + ".cd")],
    );
    each_accepted(
        "/id",
        vec![json!("a.b"), json!("1.2"), json!("org.a-b.c--d"), json!(long(63)), json!("org.xn")],
    );
}

#[test]
fn text_for_people_is_bounded_trimmed_and_visible() {
    for pointer in
        ["/name", "/authors/0", "/privacy_filters/patterns/0", "/privacy_filters/custom/0/pattern"]
    {
        let values = vec![
            json!(""),
            json!(" x"),
            json!("x "),
            json!("\u{3000}x"),
            json!("a\nb"),
            json!("a\tb"),
            json!("x".repeat(257)),
        ];
        each_refused(Code::ManifestValue, pointer, values);
        each_accepted(
            pointer,
            vec![
                json!("x".repeat(256)),
                json!("\u{645}\u{6cc}\u{200c}\u{62e}"),
                json!("x\u{2764}\u{fe0f}"),
            ],
        );
    }
    for pointer in ["/description", "/tools/0/description"] {
        let long = "x".repeat(DESCRIPTION_BYTES_MAX);
        each_refused(
            Code::ManifestValue,
            pointer,
            vec![json!(""), json!("\n"), json!("x\n"), json!(long.clone() + "x")],
        );
        each_accepted(pointer, vec![json!(long), json!("two\nlines\n\n\tand more")]);
    }
}

#[test]
fn control_bidi_and_invisible_characters_are_refused_in_every_string_and_key() {
    let mut forbidden: Vec<char> = ('\0'..=' ').chain('\u{7f}'..='\u{9f}').collect();
    forbidden.retain(|found| !"\n\t ".contains(*found));
    forbidden.extend(
        "\u{ad}\u{61c}\u{200b}\u{200e}\u{2028}\u{202e}\u{2066}\u{2069}\u{feff}\u{fe00}\u{3164}"
            .chars(),
    );
    forbidden.extend("\u{e0041}\u{e0100}\u{e0fff}\u{1d173}\u{fffb}\u{115f}\u{34f}".chars());
    for found in forbidden {
        let text = format!("a{found}b");
        for pointer in [
            "/name",
            "/description",
            "/runtime/args/0",
            "/tools/0/description",
            "/tools/0/parameters/properties/place/description",
            "/tools/0/parameters/properties/units/enum/0",
            "/tools/0/parameters/properties/days/default",
            "/privacy_filters/custom/0/pattern",
        ] {
            each_refused(Code::ManifestValue, pointer, vec![json!(text)]);
        }
        let error =
            parse(&edited(&format!("/tools/0/returns/properties/{text}"), Some(json!(true))))
                .unwrap_err();
        assert_eq!(error.code(), Code::ManifestValue);
        assert!(!error.to_string().contains(found), "the refusal shows {found:?} unescaped");
        assert!(error.detail().contains(&format!("U+{:04X}", u32::from(found))), "{error}");
    }
}

#[test]
fn licences_and_addresses_are_held_to_their_alphabets() {
    each_refused(
        Code::ManifestValue,
        "/license",
        ["", "MIT/X", "MIT, BSD", " MIT", "caf\u{e9}"].map(Value::from).to_vec(),
    );
    each_accepted(
        "/license",
        ["MIT OR Apache-2.0", "(GPL-2.0+ WITH x)", "DocumentRef-a:LicenseRef-b"]
            .map(Value::from)
            .to_vec(),
    );
    let bad = [
        "",
        "https://",
        "http://a.example",
        "HTTPS://a.example",
        "https:///x",
        "https://u@a.example",
        "https://u:p@a.example/",
        "https://A.example",
        "https://a.example:443/",
        "https://1.2.3.4/",
        "https://[::1]/",
        "https://a.example/ x",
        "https://a.example/\"",
        "https://a.example\\x",
        "javascript:alert(1)",
        "https://a.example/\u{e9}",
        "https://*.example/",
    ];
    each_refused(Code::ManifestValue, "/homepage", bad.map(Value::from).to_vec());
    let long = format!("https://a.example/{}", "x".repeat(238));
    each_refused(Code::ManifestValue, "/homepage", vec![json!(long.clone() + "x")]);
    each_accepted("/homepage", vec![json!(long)]);
    each_accepted(
        "/homepage",
        ["https://a.example", "https://a.example:8443/x?y=1#z", "https://a.example?q"]
            .map(Value::from)
            .to_vec(),
    );
}

#[test]
fn the_runtime_section_allows_what_exists_and_nothing_else() {
    each_refused(
        Code::ManifestValue,
        "/runtime/target",
        ["", "wasm32-wasi", "wasm32-wasip2", "WASM32-WASIP1"].map(Value::from).to_vec(),
    );
    each_refused(
        Code::ManifestValue,
        "/runtime/protocol",
        ["", "MCP", "cli", "JSON-RPC"].map(Value::from).to_vec(),
    );
    let names = [
        "",
        ".wasm",
        "tool",
        "tool.WASM",
        "bin/tool.wasm",
        "../tool.wasm",
        "to ol.wasm",
        "tool.wasm ",
        "t\u{f6}ol.wasm",
    ];
    each_refused(Code::ManifestValue, "/runtime/entry", names.map(Value::from).to_vec());
    each_refused(Code::ManifestValue, "/runtime/entry", vec![json!("x".repeat(251) + ".wasm")]);
    each_accepted(
        "/runtime/entry",
        vec![json!("a.wasm"), json!("sql-guardian_2.0.wasm"), json!("x".repeat(250) + ".wasm")],
    );
    each_refused(Code::ManifestValue, "/runtime/args", vec![json!(vec!["x"; 65])]);
    each_refused(
        Code::ManifestValue,
        "/runtime/args/0",
        vec![json!("x".repeat(8193)), json!("a\0b")],
    );
    each_accepted(
        "/runtime/args",
        vec![json!(vec!["x"; 64]), json!(["-c", "print(1)\nprint(2)", "", ""])],
    );
}

#[test]
fn limits_are_integers_within_their_bounds() {
    for (pointer, most) in [
        ("/runtime/memory_limit_mb", 1024),
        ("/runtime/timeout_ms", 600_000),
        ("/runtime/fuel", 1_000_000_000_000_u64),
        ("/runtime/output_limit_kb", 16384),
        ("/capabilities/storage/limit_kb", 16384),
    ] {
        let values = vec![
            json!(0),
            json!(-1),
            json!(most + 1),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1_u64 << 32 | 1),
        ];
        let values =
            values.into_iter().filter(|value| value.as_u64().is_none_or(|v| v == 0 || v > most));
        each_refused(Code::ManifestValue, pointer, values.collect());
        each_refused(
            Code::ManifestType,
            pointer,
            vec![json!(64.0), json!(1e2), json!(0.5), json!("64"), json!(1e30)],
        );
        each_accepted(pointer, vec![json!(1), json!(most)]);
    }
}

#[test]
fn hosts_that_are_not_one_plain_name_are_refused() {
    let bad = [
        "",
        "*",
        "*.example.com",
        "api.*.com",
        "https://api.example.com",
        "api.example.com/",
        "api.example.com/v1",
        "user@api.example.com",
        "API.example.com",
        "api.example.com.",
        ".example.com",
        "api..example.com",
        "api_x.example.com",
        "-a.example.com",
        "a-.example.com",
        "10.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "1.2.3.4:80",
        "[::1]",
        "::1",
        "fe80::1",
        "api.example.com:",
        "api.example.com:0",
        "api.example.com:0443",
        "api.example.com:443",
        "api.example.com:65536",
        "api.example.com:+80",
        "api.example.com:8o",
        "api.example.com:80:80",
        "api.example.com :80",
        "b\u{fc}cher.example",
        " api.example.com",
        "api.example.com?x",
        "api.example.com#x",
        "api%2eexample.com",
        "a.b.1",
    ];
    each_refused(Code::ManifestValue, "/capabilities/network/0", bad.map(Value::from).to_vec());
    let long = |last: usize| {
        [&"a".repeat(63), &"b".repeat(63), &"c".repeat(63), &"d".repeat(last)]
            .map(String::as_str)
            .join(".")
    };
    each_refused(
        Code::ManifestValue,
        "/capabilities/network/0",
        vec![json!(long(62)), json!("a".repeat(64))],
    );
    let good = [
        "localhost",
        "localhost:8080",
        "xn--bcher-kva.example",
        "1.example.com",
        "a.b.c.d.example",
        "api.example.com:1",
        "api.example.com:65535",
    ];
    each_accepted("/capabilities/network/0", good.map(Value::from).to_vec());
    each_accepted("/capabilities/network/0", vec![json!(long(61))]);
}

#[test]
fn guest_directories_are_safe_absolute_paths_apart_from_each_other() {
    let bad = [
        "",
        "//",
        "data",
        "./data",
        "/data/",
        "//data",
        "/data//x",
        "/.",
        "/..",
        "/data/..",
        "/data/./x",
        "/...",
        "/da ta",
        "/da\\ta",
        "/d:/x",
        "/d\u{e4}ta",
        "/*",
        "~/x",
        "/data\0",
        "C:/x",
        "/assets",
        "/assets/db",
        "/assets/..",
        "/storage",
        "/storage/x",
    ];
    each_refused(
        Code::ManifestValue,
        "/capabilities/filesystem/read/0",
        bad.map(Value::from).to_vec(),
    );
    let deep = |count: usize| json!("/d".repeat(count));
    each_refused(
        Code::ManifestValue,
        "/capabilities/filesystem/read/0",
        vec![deep(17), json!("/".to_owned() + &"d".repeat(255))],
    );
    // The root takes everything, so it is alone.
    each_refused(Code::ManifestValue, "/capabilities/filesystem/write/0", vec![json!("/")]);
    each_accepted("/capabilities/filesystem", vec![json!({ "write": ["/"] })]);
    let good =
        ["/d", "/data.d/x-y_z", "/.config", "/assets2", "/Assets", "/storage2", "/data2", "/a/b/c"];
    each_accepted("/capabilities/filesystem/read/0", good.map(Value::from).to_vec());
    each_accepted(
        "/capabilities/filesystem/read/0",
        vec![deep(16), json!("/".to_owned() + &"d".repeat(254))],
    );
    // Against `/out` in `write`, and within one list.
    each_refused(
        Code::ManifestValue,
        "/capabilities/filesystem/write/0",
        vec![json!("/data"), json!("/data/x")],
    );
    each_refused(
        Code::ManifestValue,
        "/capabilities/filesystem/read/1",
        vec![json!("/data"), json!("/data/x/y")],
    );
    let swallowed = edited("/capabilities/filesystem/read", Some(json!(["/data/x", "/data"])));
    refused(
        &swallowed,
        Code::ManifestValue,
        "/capabilities/filesystem/read/1",
        "a directory around another",
    );
    let apart: Vec<_> = (0..64).map(|at| format!("/d/{at}")).collect();
    each_accepted("/capabilities/filesystem/read", vec![json!(apart)]);
}

#[test]
fn names_of_variables_tools_and_custom_patterns_follow_their_expressions() {
    let bad = ["", "1A", "A-B", "A B", "A=B", "\u{c4}", "A.B", "A$"];
    each_refused(Code::ManifestValue, "/capabilities/environment/0", bad.map(Value::from).to_vec());
    each_refused(Code::ManifestValue, "/capabilities/environment/0", vec![json!("A".repeat(129))]);
    each_accepted(
        "/capabilities/environment/0",
        vec![json!("_"), json!("a_1"), json!("A".repeat(128))],
    );
    let bad = ["", "1a", "_a", "-a", "a.b", "a b", "a/b", "\u{e4}", "a:b"];
    each_refused(Code::ManifestValue, "/tools/0/name", bad.map(Value::from).to_vec());
    each_refused(Code::ManifestValue, "/tools/0/name", vec![json!("a".repeat(65))]);
    each_accepted(
        "/tools/0/name",
        ["a", "A_1", "a-b", "a-", &"a".repeat(64)].map(Value::from).to_vec(),
    );
    let bad = ["", "a", "1A", "_A", "A-B", "Ab", "\u{c4}"];
    each_refused(
        Code::ManifestValue,
        "/privacy_filters/custom/0/name",
        bad.map(Value::from).to_vec(),
    );
    each_refused(
        Code::ManifestValue,
        "/privacy_filters/custom/0/name",
        vec![json!("A".repeat(33))],
    );
    each_accepted(
        "/privacy_filters/custom/0/name",
        vec![json!("A"), json!("A_1"), json!("A".repeat(32))],
    );
    each_refused(
        Code::ManifestValue,
        "/tools/0/sensitivity",
        ["", "Read", "none", "low"].map(Value::from).to_vec(),
    );
    each_accepted("/tools/0/sensitivity", vec![json!("write"), json!("destructive")]);
}

#[test]
fn duplicates_and_too_many_items_in_a_list_are_refused() {
    for (list, item) in [
        ("/authors", "A"),
        ("/capabilities/network", "h"),
        ("/capabilities/environment", "E"),
        ("/privacy_filters/patterns", "p"),
    ] {
        let second = format!("{list}/1");
        refused(&edited(list, Some(json!([item, item]))), Code::ManifestValue, &second, list);
        let many =
            |count: usize| json!((0..count).map(|at| format!("{item}{at}")).collect::<Vec<_>>());
        each_refused(Code::ManifestValue, list, vec![many(65)]);
        each_accepted(list, vec![many(64), json!([])]);
    }
    let [full, _] = examples();
    let tool = |name: &str| {
        let mut tool = full["tools"][0].clone();
        tool["name"] = json!(name);
        tool
    };
    each_refused(Code::ManifestValue, "/tools/1", vec![tool("forecast"), tool("ForeCast")]);
    each_refused(Code::ManifestValue, "/tools", vec![json!([])]);
    each_accepted("/tools/1", vec![tool("fore_cast")]);
    let least = |count: usize| {
        let tool = |at: usize| json!({"name": format!("t{at}"), "description": "x", "sensitivity": "read", "parameters": {"type": "object"}});
        json!((0..count).map(tool).collect::<Vec<_>>())
    };
    each_refused(Code::ManifestValue, "/tools", vec![least(129)]);
    each_accepted("/tools", vec![least(128)]);
    let custom = json!({"name": "EMPLOYEE_ID", "pattern": "x"});
    each_refused(Code::ManifestValue, "/privacy_filters/custom/1", vec![custom]);
}

#[test]
fn versions_with_build_metadata_and_invalid_versions_are_refused() {
    each_refused(
        Code::ManifestValue,
        "/version",
        ["", "1", "1.0", "v1.0.0", "1.0.0+7", "01.0.0"].map(Value::from).to_vec(),
    );
    each_accepted("/version", vec![json!("0.0.1"), json!("1.0.0-rc.1")]);
}

#[test]
fn faults_in_schemas_are_refused_with_their_pointer() {
    let place = "/tools/0/parameters/properties/place";
    refused(
        &edited(&format!("{place}/contains"), Some(json!({}))),
        Code::ManifestSchema,
        &format!("{place}/contains"),
        "contains",
    );
    each_refused(Code::ManifestType, &format!("{place}/minLength"), vec![json!("1")]);
    refused(
        &edited(&format!("{place}/minLength"), Some(json!(101))),
        Code::ManifestValue,
        place,
        "bounds",
    );
    each_refused(
        Code::ManifestType,
        "/tools/0/returns",
        vec![json!(null), json!(true), json!("x")],
    );
    each_refused(
        Code::ManifestValue,
        "/tools/0/returns/type",
        vec![json!("array"), json!(["object"])],
    );
}

/// The published JSON Schema, compiled by our own subset: what describes schemas in it is recursive, so
/// it counts as `true` here.
fn published() -> Schema {
    let mut source: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    source["$defs"]["schema"] = json!(true);
    source["$defs"]["root_schema"] = json!({"type": "object"});
    Schema::read(&source, "").unwrap()
}

#[test]
fn the_published_json_schema_accepts_the_examples() {
    for example in examples().into_iter().chain([command_example()]) {
        assert!(parse(&example).is_ok(), "{example}");
        assert_eq!(published().validate(&example), Ok(()));
    }
}

/// A small generator, so that runs are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[test]
fn random_changes_of_the_bytes_never_panic_and_what_is_accepted_follows_the_published_schema() {
    let mut random = Random(2026);
    let text = examples()[0].to_string().into_bytes();
    let published = published();
    let pieces = [
        "null",
        "\"\"",
        "[]",
        "{}",
        "-1",
        "1e3",
        "true",
        "\"$ref\"",
        "\"a\":",
        ",",
        "0",
        "\\u0000",
        "\"#/$defs/point\"",
    ];
    let mut accepted = 0;
    for _ in 0..4_000 {
        let mut bytes = text.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                1 => drop(bytes.remove(at)),
                2 => drop(bytes.splice(at..at, pieces[random.below(pieces.len())].bytes())),
                _ => {
                    let end = (at + random.below(40)).min(bytes.len());
                    let part: Vec<u8> = bytes[at..end].to_vec();
                    drop(bytes.splice(at..at, part));
                }
            }
        }
        if Manifest::parse(&bytes).is_ok() {
            accepted += 1;
            let value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(published.validate(&value), Ok(()), "{value}");
        }
    }
    assert!((1..2_000).contains(&accepted), "{accepted}");
}

#[test]
fn swapping_any_value_for_any_other_never_panics() {
    fn walk(value: &Value, pointer: &str, places: &mut Vec<String>) {
        places.push(pointer.to_owned());
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                walk(
                    value,
                    &crate::kernel::json::closed_object::child_pointer(pointer, key),
                    places,
                )
            }),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, item)| walk(item, &format!("{pointer}/{at}"), places)),
            _ => {}
        }
    }
    let published = published();
    for full in [examples()[0].clone(), command_example()] {
        let mut places = Vec::new();
        walk(&full, "", &mut places);
        for to in &places {
            for from in &places {
                let mut manifest = full.clone();
                *manifest.pointer_mut(to).unwrap() = full.pointer(from).unwrap().clone();
                if parse(&manifest).is_ok() {
                    assert_eq!(published.validate(&manifest), Ok(()), "{to} = {from}");
                }
            }
        }
    }
}
