//! What the filter takes out and, more often, what it leaves alone.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

pub(in crate::kernel) mod cost;
mod credentials;
mod detectors;
mod keep;
mod labels;
mod phones;
mod properties;
mod secrets;

use super::*;
use crate::host::clock::CancelFlag;
use serde_json::{json, Value};

/// An engine for all built-in kinds.
fn all() -> PrivacyFilterEngine {
    let names: Vec<String> = Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    PrivacyFilterEngine::from_config(&names, &[]).unwrap()
}

/// What is found, as `kind:text`.
fn found(text: &str) -> Vec<String> {
    let name = |hit: Finding<'_>| format!("{}:{}", hit.kind, &text[hit.start..hit.end]);
    all().find(text).unwrap().into_iter().map(name).collect()
}

fn custom(name: &str, pattern: &str) -> CustomPattern {
    CustomPattern { name: name.to_owned(), pattern: pattern.to_owned() }
}

fn refused(patterns: &[&str], custom: &[CustomPattern]) -> bool {
    let patterns: Vec<String> = patterns.iter().map(|name| (*name).to_owned()).collect();
    match check_patterns(&patterns, custom) {
        Ok(()) => false,
        Err(error) => error.code() == Code::PrivacyPattern,
    }
}

#[test]
fn a_name_that_is_no_kind_is_refused() {
    for name in ["", "Email", "e-mail", "credit_card", "name", "SSN", " email"] {
        assert!(refused(&[name], &[]), "{name:?}");
    }
    for kind in Kind::ALL {
        assert!(!refused(&[kind.name(), kind.name()], &[]), "{kind:?}");
    }
}

#[test]
fn a_custom_pattern_that_cannot_work_is_refused() {
    let long = "a".repeat(crate::kernel::limits::LINE_BYTES_MAX + 1);
    for pattern in ["", "a*", "(", "a{1,", "(?=a)", r"\1", "x|", "[a-z]{500}[a-z]{500}", &long] {
        assert!(refused(&[], &[custom("X", pattern)]), "{pattern:?}");
    }
    for name in ["", "x", "1X", "A-B", "A B", "É", "[X]", &"A".repeat(33)] {
        assert!(refused(&[], &[custom(name, "abc")]), "{name:?}");
    }
    let many = vec![custom("X", "abc"); crate::kernel::limits::PRIVACY_CUSTOM_COUNT_MAX + 1];
    assert!(refused(&[], &many));
    assert!(!refused(&["email"], &[custom("EMPLOYEE_ID", "EMP-[0-9]{6}")]));
}

#[test]
fn a_custom_match_becomes_its_label_and_labels_are_left_alone() {
    let patterns =
        [custom("EMPLOYEE_ID", "EMP-[0-9]{6}"), custom("WORD", "[A-Z]{3,}"), custom("EDGE", r"\b")];
    let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &patterns).unwrap();
    let (text, applied) = engine.redact_text("EMP-123456, ABC, ann@b.example EMP-12345").unwrap();
    assert_eq!(text, "[EMPLOYEE_ID], [WORD], [EMAIL] [WORD]-12345");
    let counts: Vec<(&str, u64)> = applied.counts().collect();
    assert_eq!(counts, [("EMPLOYEE_ID", 1), ("WORD", 2), ("email", 1)]);
    assert_eq!(engine.redact_text(&text).unwrap().0, text);
}

#[test]
fn a_kind_that_is_off_is_left_alone() {
    let engine = PrivacyFilterEngine::from_config(&["phone".to_owned()], &[]).unwrap();
    let text = "ann@b.example 4111111111111111 10.0.0.1 536-33-3955 GB29NWBK60161331926819";
    assert_eq!(engine.redact_text(text).unwrap().0, text);
    let none = PrivacyFilterEngine::from_config(&[], &[]).unwrap();
    assert!(none.redact_json(&json!({"phone": "+14155550132"})).1.is_empty());
}

#[test]
fn every_string_key_and_nested_document_is_filtered() {
    let answer = json!({
        "content": [{ "type": "text", "text": "{\"mail\": \"ann@b.example\",  \"n\": 1.50, \"ok\": true}" }],
        "isError": false,
        "ann@b.example": { "bob@b.example": ["x", "eve@b.example"] },
        "deep": "[\"{\\\"phone\\\": 92347012, \\\"z\\\": \\\"é\\\"}\"]",
    });
    let (filtered, applied) = all().redact_json(&answer);
    assert_eq!(
        filtered,
        json!({
            "content": [{ "type": "text", "text": "{\"mail\": \"[EMAIL]\",  \"n\": 1.50, \"ok\": true}" }],
            "isError": false,
            "[EMAIL]": { "[EMAIL]": ["x", "[EMAIL]"] },
            "deep": "[\"{\\\"phone\\\": \\\"[PHONE]\\\", \\\"z\\\": \\\"é\\\"}\"]",
        })
    );
    let expected = json!({
        "email": { "count": 4, "at": ["", "/[EMAIL]", "/[EMAIL]/[EMAIL]/1", "/content/0/text"] },
        "phone": { "count": 1, "at": ["/deep"] },
    });
    assert_eq!(applied.to_json(), expected);
    assert_eq!(applied.total(), 5);
}

#[test]
fn keys_that_become_equal_keep_both_values() {
    let answer = json!({ "a@b.example": 1, "b@b.example": 2, "[EMAIL]": 3, "[EMAIL]#2": 4 });
    let (filtered, _) = all().redact_json(&answer);
    let object = filtered.as_object().unwrap();
    let mut values: Vec<u64> = object.values().map(|value| value.as_u64().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, [1, 2, 3, 4]);
    assert!(object.keys().all(|key| key.starts_with("[EMAIL]")), "{object:?}");
    let nested = json!("{\"a@b.example\":1,\"b@b.example\":2,\"[EMAIL]\":3}");
    let filtered = all().redact_json(&nested).0;
    assert_eq!(filtered, json!("{\"[EMAIL]\":1,\"[EMAIL]#2\":2,\"[EMAIL]#3\":3}"));
}

#[test]
fn numbers_are_filtered_only_where_they_can_be_meant() {
    let answer = json!({
        "card": 4111111111111111u64, "negative": -4111111111111111i64, "at_ms": 1748503543012u64,
        "id": 505874924095815681u64, "f": 4111111111111111.0, "g": 4111111111111111.5,
        "phone": 4155550132u64, "cpf": 4176298006u64, "[BR_CPF]": 52998224725u64, "hetu": 52998224725u64,
        "ssn": 536333955, "count": 536333955, "phones": [ 4155550132u64, 12 ], "ssn_valid": true,
        "n": 1e300, "passport": 123456789,
    });
    let (filtered, _) = all().redact_json(&answer);
    assert_eq!(
        filtered,
        json!({
            "card": "[CREDIT_CARD]", "negative": "[CREDIT_CARD]", "at_ms": 1748503543012u64,
            "id": 505874924095815681u64, "f": "[CREDIT_CARD]", "g": 4111111111111111.5,
            "phone": "[PHONE]", "cpf": "[BR_CPF]", "[BR_CPF]": 52998224725u64, "hetu": 52998224725u64,
            "ssn": "[US_SSN]", "count": 536333955, "phones": ["[PHONE]", 12], "ssn_valid": true,
            "n": 1e300, "passport": "[PASSPORT]",
        })
    );
}

#[test]
fn the_account_never_holds_a_value() {
    let answer = json!({ "ann@b.example": "4111 1111 1111 1111", "x~/y": { "+14155550132": "bob@b.example" } });
    let account = all().redact_json(&answer).1.to_json().to_string();
    for value in ["ann@", "bob@", "4111", "+1415"] {
        assert!(!account.contains(value), "{account}");
    }
    assert!(account.contains("/x~0~1y/[PHONE]"), "{account}");
}

#[test]
fn places_are_capped_and_counts_are_not() {
    let many = Value::Array(vec![json!("ann@b.example"); 100]);
    let account = all().redact_json(&many).1.to_json();
    assert_eq!(account["email"]["count"], 100);
    assert_eq!(account["email"]["at"].as_array().unwrap().len(), 64);
}

#[test]
fn an_answer_nested_too_deeply_is_withheld() {
    let mut value = json!("ann@b.example");
    for _ in 0..=crate::kernel::limits::PRIVACY_DEPTH_MAX {
        value = Value::Array(vec![value]);
    }
    let (filtered, applied) = all().redact_json(&value);
    assert_eq!((filtered, applied.withheld()), (json!(WITHHELD), Some(Code::PrivacyLimit)));
    assert_eq!(applied.to_json(), json!({ "withheld": "privacy.limit" }));
}

/// Patterns and texts for which a search of the whole text at every match takes minutes.
fn costly() -> Vec<(&'static str, String)> {
    vec![
        ("[0-9].*Y|[0-9]", "7".repeat(1 << 20)),
        ("NR-[0-9]+(?:-[A-Z0-9-]*Q)?", "NR-1-".repeat(200_000)),
        ("[0-9]{1,200}Z", "7".repeat(1 << 20)),
        ("(?:[0-9]{1,100})*Z", "7".repeat(1 << 20)),
        (r"[\s\S]*?Q|x", "x".repeat(1 << 20)),
    ]
}

#[test]
fn an_answer_for_which_a_custom_pattern_takes_too_many_steps_is_withheld() {
    for (pattern, text) in costly() {
        let engine = PrivacyFilterEngine::from_config(&[], &[custom("X", pattern)]).unwrap();
        assert_eq!(engine.redact_text(&text).unwrap_err().code(), Code::PrivacyLimit, "{pattern}");
        assert_eq!(engine.redact_json(&json!(text)).0, json!(WITHHELD), "{pattern}");
        assert_eq!(engine.redact_json(&json!({ &text: 1 })).0, json!(WITHHELD), "{pattern}");
        assert_eq!(engine.find(&text).unwrap_err().code(), Code::PrivacyLimit, "{pattern}");
    }
}

#[test]
fn the_same_patterns_redact_what_they_mean_in_ordinary_texts() {
    for (pattern, text, filtered) in [
        ("[0-9].*Y|[0-9]", "a 1 2 Y b\n3 c\n", "a [X] b\n[X] c\n"),
        ("NR-[0-9]+(?:-[A-Z0-9-]*Q)?", "NR-12-AQ, NR-3-B\n", "[X], [X]-B\n"),
        ("[0-9]{1,200}Z", "12Z and 34, ", "[X] and 34, "),
    ] {
        let engine = PrivacyFilterEngine::from_config(&[], &[custom("X", pattern)]).unwrap();
        let text = text.repeat(2_000);
        assert_eq!(engine.redact_text(&text).unwrap().0, filtered.repeat(2_000), "{pattern}");
    }
}

#[test]
fn a_cancelled_filter_gives_nothing() {
    let cancel = CancelFlag::default();
    cancel.cancel();
    let text = "ann@b.example ".repeat(200_000);
    let error = all().redact_text_within(&text, &Deadline::untimed(&cancel)).unwrap_err();
    assert_eq!(error.code(), Code::ToolCancelled);
    let flag = CancelFlag::default();
    let late = Deadline::new(&flag, std::time::Duration::ZERO);
    let error = all().redact_json_within(&json!([text]), &late).unwrap_err();
    assert_eq!(error.code(), Code::ToolTimeout);
}

#[test]
fn thousands_of_keys_that_become_equal_are_numbered_at_once() {
    let keys: serde_json::Map<String, Value> =
        (0..40_000).map(|number| (format!("a{number}@b.co"), json!(number))).collect();
    let filtered = all().redact_json(&Value::Object(keys)).0;
    let names = filtered.as_object().unwrap();
    assert_eq!(names.len(), 40_000);
    assert!(names.contains_key("[EMAIL]") && names.contains_key("[EMAIL]#40000"));
}

#[test]
fn a_place_below_a_key_of_half_a_megabyte_is_counted_and_not_named() {
    let values: Vec<Value> = (0..20_000).map(|_| json!("a@b.co")).collect();
    let (_, applied) = all().redact_json(&json!({ "k".repeat(500_000): values, "v": "a@b.co" }));
    assert_eq!(applied.to_json(), json!({ "email": { "count": 20_001, "at": ["/v"] } }));
}

#[test]
fn nested_json_that_cannot_be_decoded_is_still_filtered() {
    for text in [
        r#"{"a":"\ud800","b":"ann@b.example"}"#,
        r#"{"a":"ann@b.example\ud800"}"#,
        r#"{"a":1e999,"b":"ann@b.example"}"#,
        r#"{"a":1,"a":"ann@b.example"}"#,
        r#"{"a":"ann@b.example""#,
    ] {
        let filtered = all().redact_json(&json!(text)).0;
        assert!(!filtered.as_str().unwrap().contains("ann@"), "{filtered}");
        assert!(filtered.as_str().unwrap().contains("[EMAIL]"), "{filtered}");
    }
}

#[test]
fn a_local_address_stays_where_a_program_listens_and_is_found_elsewhere() {
    let stays = [
        "listening on 127.0.0.1:8080",
        "Listen 0.0.0.0",
        "bind=127.0.0.1",
        "http://127.0.0.1/x",
        "http://[::1]:5432/",
        "nameserver 127.0.0.53",
        "::1 localhost",
        "127.0.0.1\tlocalhost",
        "0.0.0.0:443",
        "connect('127.0.0.1')",
    ];
    for text in stays {
        assert_eq!(all().redact_text(text).unwrap().0, text);
    }
    let found = ["127.0.0.1", "127.255.0.9/8", "0.0.0.0", "::1", "::1/128", "::ffff:127.0.0.1"];
    for text in found.into_iter().chain(["128.0.0.1", "100.0.0.0", "::1:1:1", "fe80::1"]) {
        assert_eq!(all().redact_text(text).unwrap().0, "[IP_ADDRESS]", "{text}");
    }
    // The same places do not hide other addresses.
    for text in [
        "listening on 192.0.2.1:8080",
        "bind=192.0.2.1",
        "http://192.0.2.1/x",
        "192.0.2.1 localhost",
    ] {
        let filtered = all().redact_text(text).unwrap().0;
        assert!(filtered.contains("[IP_ADDRESS]"), "{text}: {filtered}");
    }
    let filtered = |value: Value| all().redact_json(&value).0;
    let bound = json!({ "bind": "127.0.0.1", "port": 1 });
    assert_eq!(filtered(bound.clone()), bound);
    assert_eq!(filtered(json!({ "n": "127.0.0.1" })), json!({ "n": "[IP_ADDRESS]" }));
}

#[test]
fn custom_matches_and_secrets_across_json_in_a_text_are_redacted() {
    let patterns = [custom("WRAPPED", r"id=\{[^}]*\}"), custom("INNER", "EMP-[0-9]+")];
    let engine = PrivacyFilterEngine::from_config(&["phone".to_owned()], &patterns).unwrap();
    let filtered = engine.redact_text("x id={\"n\": \"x\"} EMP-1 {\"tel\": 9840050123}").unwrap().0;
    assert_eq!(filtered, "x [WRAPPED] [INNER] {\"tel\": \"[PHONE]\"}");
}

#[test]
fn text_that_begins_json_again_and_again_is_searched_in_linear_time() {
    for unit in [
        "{\"",
        "{\"a\":",
        "{\"a\":[{\"b\":\"",
        "\"{",
        "\"{\\\"a\\\":",
        "{\"a\":1}{",
        "{ \"a\": \"\\\\\" ",
    ] {
        let text = unit.repeat((1 << 20) / unit.len());
        let closed = format!("{text} {{\"tel\": 9840050123}}");
        assert_eq!(all().redact_text(&text).unwrap().0, text, "{unit}");
        // What was cut off and too long to be parsed again is filtered as text.
        assert!(!all().redact_text(&closed).unwrap().0.contains("9840050123"), "{unit}");
    }
}

#[test]
fn json_in_a_text_stays_json_and_what_is_none_stays_as_it_is() {
    for (text, filtered) in [
        ("a {\"tel\":9840050123} b", "a {\"tel\":\"[PHONE]\"} b"),
        ("[{\"tel\":9840050123},", "[{\"tel\":\"[PHONE]\"},"),
        (
            "{\"a\":1} {\"x\": {\"tel\":[9840050123]}, oops",
            "{\"a\":1} {\"x\": {\"tel\":[\"[PHONE]\"]}, oops",
        ),
        ("s=\"[{\\\"tel\\\":9840050123}]\"", "s=\"[{\\\"tel\\\":\\\"[PHONE]\\\"}]\""),
        ("{\"a\":\"é\\ud800\",\"tel\":9840050123} é", "{\"a\":\"é\\ud800\",\"tel\":\"[PHONE]\"} é"),
    ] {
        assert_eq!(all().redact_text(text).unwrap().0, filtered);
    }
    for text in
        ["{\"é", "{ \"", "{", "\"{\"", "\"[é\"", "{\"a\":\u{1}}", "{\"a\":1}", "\"{}\" {} []", ""]
    {
        assert_eq!(all().redact_text(text).unwrap().0, text);
    }
}
