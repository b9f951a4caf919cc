//! Guests that misbehave, each through the whole pipeline: every one ends in its own reason code and
//! within its limit, with an intent and an outcome in the log, and the next call works.

use crate::support::{self, call, call_with, code, Host};
use mpp::runtime::{NoApprover, ToolCall};
use mpp::{CancelFlag, Code, Error};
use serde_json::{json, Value};
use std::time::{Duration, Instant};

/// A guest out of instructions for `_start`: with the imports it may want, and bytes at 1024.
fn guest(instructions: &str, data: &str) -> String {
    let bytes: String = data.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (type $plain (func))
  (type $number (func (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $number_two)
  (memory (export "memory") 2)
  (data (i32.const 1024) "{bytes}")
  (func $number_two (result i32) (i32.const 2))
  (func $recurse (call $recurse))
  ;; Writes this many bytes at 1024 to a descriptor.
  (func $say (param $to i32) (param $length i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") {instructions}))"#
    )
}

/// Writes `stderr` and ends with `last`.
fn complaining(stderr: &str, last: &str) -> String {
    guest(&format!("(call $say (i32.const 2) (i32.const {})) {last}", stderr.len()), stderr)
}

/// The one way a guest failed here, as the caller and as the log see it. The next call has to work.
fn ending(name: &str, manifest: &Value, text: &str) -> Error {
    let host = Host::new("guest");
    let runtime = host.runtime();
    let package = support::package_with(manifest, text);
    let failed = call(&runtime, &package).map(|answer| answer.content);
    let error = failed.expect_err(name);
    let good = support::package("org.example.good", &support::saying(&support::response("fine")));
    let answer = call(&runtime, &good).unwrap();
    assert_eq!(answer.content[0]["text"], "fine", "{name}");

    let records = host.records();
    let kinds: Vec<&str> = records.iter().filter_map(|record| record["kind"].as_str()).collect();
    assert_eq!(kinds, ["intent", "outcome", "intent", "outcome"], "{name}");
    let (intent, outcome) = (&records[0], &records[1]);
    assert_eq!(outcome["result"], error.code().as_str(), "{name}");
    assert_eq!(outcome["call"], intent["call"], "{name}");
    assert_eq!(outcome["answer"], Value::Null, "{name}: nothing left");
    assert!(outcome["fuel_used"].as_u64() <= intent["fuel_max"].as_u64(), "{name}");
    assert_eq!(records[3]["result"], "ok", "{name}");
    error
}

fn assert_ends(cases: &[(&str, &str, Code)]) {
    let manifest = support::manifest("org.example.bad");
    for (name, instructions, expected) in cases {
        let error = ending(name, &manifest, &guest(instructions, ""));
        assert_eq!(error.code(), *expected, "{name}: {error}");
    }
}

#[test]
fn guests_that_never_end_run_out_of_fuel() {
    assert_ends(&[
        ("loops", "(loop (br 0))", Code::ToolFuel),
        (
            "spins on the clock",
            "(loop (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 16))) (br 0))",
            Code::ToolFuel,
        ),
        (
            "sleeps without end",
            // One subscription to the monotonic clock, an hour long, again and again.
            "(i32.store (i32.const 80) (i32.const 1)) (i64.store (i32.const 88) (i64.const 3600000000000))
             (loop (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 256))) (br 0))",
            Code::ToolFuel,
        ),
        (
            "reads stdin without end",
            "(i32.store (i32.const 0) (i32.const 2048)) (i32.store (i32.const 4) (i32.const 4096))
             (loop (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0))",
            Code::ToolFuel,
        ),
        (
            "writes nothing without end",
            "(loop (drop (call $write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 8))) (br 0))",
            Code::ToolFuel,
        ),
        (
            "writes empty pieces without end",
            "(loop (drop (call $write (i32.const 1) (i32.const 4096) (i32.const 1024) (i32.const 8))) (br 0))",
            Code::ToolFuel,
        ),
        (
            "asks for random bytes without end",
            "(loop (drop (call $random (i32.const 0) (i32.const 65536))) (br 0))",
            Code::ToolFuel,
        ),
        (
            "fills its memory without end",
            "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br 0))",
            Code::ToolFuel,
        ),
    ]);
}

#[test]
fn guests_that_break_a_limit_end_in_its_code() {
    assert_ends(&[
        ("recurses", "(call $recurse)", Code::ToolStack),
        (
            "grows to its limit, then traps",
            "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable",
            Code::ToolMemory,
        ),
        (
            "grows and never looks",
            "(loop (drop (memory.grow (i32.const 1))) (br 0))",
            Code::ToolMemory,
        ),
        (
            "floods stdout",
            "(loop (call $say (i32.const 1) (i32.const 65536)) (br 0))",
            Code::ToolOutput,
        ),
        (
            "floods stdout byte by byte",
            "(loop (call $say (i32.const 1) (i32.const 1)) (br 0))",
            Code::ToolOutput,
        ),
        (
            "floods stderr",
            "(loop (call $say (i32.const 2) (i32.const 4096)) (br 0))",
            Code::ToolErrorOutput,
        ),
    ]);
}

#[test]
fn guests_that_break_off_end_in_a_trap_or_their_status() {
    assert_ends(&[
        ("unreachable", "unreachable", Code::ToolTrap),
        ("out of bounds", "(drop (i32.load (i32.const 131072)))", Code::ToolTrap),
        ("division by zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", Code::ToolTrap),
        ("empty table slot", "(call_indirect (type $plain) (i32.const 1))", Code::ToolTrap),
        ("beyond the table", "(call_indirect (type $plain) (i32.const 2))", Code::ToolTrap),
        ("another signature", "(call_indirect (type $plain) (i32.const 0))", Code::ToolTrap),
        ("status 1", "(call $exit (i32.const 1))", Code::ToolExit),
        ("status 126", "(call $exit (i32.const 126))", Code::ToolExit),
        ("status 255", "(call $exit (i32.const 255))", Code::ToolExit),
        ("status -1", "(call $exit (i32.const -1))", Code::ToolExit),
    ]);
}

#[test]
fn a_guest_that_copes_with_too_little_memory_answers() {
    let host = Host::new("copes");
    let text = support::response("coped");
    let grow = "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))";
    let say = format!("(call $say (i32.const 1) (i32.const {}))", text.len());
    for end in ["", "(call $exit (i32.const 0))"] {
        let package =
            support::package("org.example.copes", &guest(&format!("{grow} {say} {end}"), &text));
        assert_eq!(call(&host.runtime(), &package).unwrap().content[0]["text"], "coped");
    }
}

#[test]
fn what_is_no_answer_is_told_from_a_bad_one_and_from_two() {
    let one = support::response("one");
    let cases = [
        ("nothing", String::new(), Code::ToolNoAnswer),
        ("blanks", " \n\t\r\n".into(), Code::ToolNoAnswer),
        ("no JSON", "hello\n".into(), Code::ToolBadAnswer),
        ("half of it", one[..one.len() / 2].to_owned(), Code::ToolBadAnswer),
        ("two answers", format!("{one}{one}"), Code::ToolTwoAnswers),
        ("two lines", format!("{one}\n{one}\n"), Code::ToolTwoAnswers),
        ("an answer and words", format!("{one}\nbye"), Code::ToolBadAnswer),
        ("words and an answer", format!("log: started\n{one}"), Code::ToolBadAnswer),
        ("a NUL behind it", format!("{one}\0"), Code::ToolBadAnswer),
        ("a byte order mark", format!("\u{feff}{one}"), Code::ToolBadAnswer),
        ("another id", one.replace("\"id\":1", "\"id\":2"), Code::ToolBadAnswer),
        ("id as a text", one.replace("\"id\":1", "\"id\":\"1\""), Code::ToolBadAnswer),
        ("id null", one.replace("\"id\":1", "\"id\":null"), Code::ToolBadAnswer),
        ("another version", one.replace("\"2.0\"", "\"1.0\""), Code::ToolBadAnswer),
        ("an array", format!("[{one}]"), Code::ToolBadAnswer),
        ("neither", r#"{"jsonrpc":"2.0","id":1}"#.into(), Code::ToolBadAnswer),
        (
            "both",
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}}"#.into(),
            Code::ToolBadAnswer,
        ),
        (
            "an error that is a text",
            r#"{"jsonrpc":"2.0","id":1,"error":"m"}"#.into(),
            Code::ToolBadAnswer,
        ),
        (
            "a member twice",
            r#"{"jsonrpc":"2.0","id":1,"id":1,"result":{}}"#.into(),
            Code::ToolBadAnswer,
        ),
        (
            "isError as a text",
            r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":"no"}}"#.into(),
            Code::ToolBadAnswer,
        ),
        (
            "nested too deeply",
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{}{}}}"#,
                "[".repeat(200),
                "]".repeat(200)
            ),
            Code::ToolBadAnswer,
        ),
    ];
    let manifest = support::manifest("org.example.bad");
    for (name, stdout, expected) in cases {
        let error = ending(name, &manifest, &support::saying(&stdout));
        assert_eq!(error.code(), expected, "{name}: {error}");
    }
}

#[test]
fn an_answer_that_says_it_failed_is_an_answer_and_recorded_as_such() {
    let result = json!({ "jsonrpc": "2.0", "id": 1,
        "result": { "content": [{ "type": "text", "text": "mail ann@example.com" }], "isError": true } });
    let error = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32000,
        "message": "mail ann@example.com", "data": { "ann@example.com": "bob@example.com" } } });
    for answer in [result, error] {
        let host = Host::new("says");
        let package = support::package("org.example.says", &support::saying(&answer.to_string()));
        let answer = call(&host.runtime(), &package).unwrap();
        assert!(answer.is_error);
        assert_eq!(answer.content[0]["text"], "mail [EMAIL]");
        assert_eq!(host.records_of("outcome")[0]["result"], "tool_error");
        assert!(!format!("{answer:?}").contains("example.com"), "{answer:?}");
    }
}

#[test]
fn an_answer_against_its_schema_is_withheld() {
    let mut manifest = support::manifest("org.example.bad");
    manifest["tools"][0]["returns"] = json!({
        "type": "object", "properties": { "count": { "type": "integer" } },
        "required": ["count"], "additionalProperties": false
    });
    for structured in [
        json!({}),
        json!({ "count": "1" }),
        json!({ "count": 1.5 }),
        json!({ "count": 1, "more": 2 }),
    ] {
        let answer = json!({ "jsonrpc": "2.0", "id": 1,
            "result": { "content": [], "structuredContent": structured } });
        let error = ending("schema", &manifest, &support::saying(&answer.to_string()));
        assert_eq!(error.code(), Code::ToolBadReturn, "{error}");
    }
    let none = json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } });
    let error = ending("none", &manifest, &support::saying(&none.to_string()));
    assert_eq!(error.code(), Code::ToolBadReturn, "{error}");
}

#[test]
fn time_ends_what_fuel_does_not() {
    let mut manifest = support::manifest("org.example.slow");
    manifest["runtime"]["timeout_ms"] = json!(100);
    manifest["runtime"]["fuel"] = json!(1_000_000_000_000_u64);
    manifest["runtime"]["memory_limit_mb"] = json!(64);
    for instructions in [
        "(loop (br 0))",
        "(drop (memory.grow (i32.const 1000)))
         (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000)) (br 0))",
        "(loop (drop (call $random (i32.const 0) (i32.const 131072))) (br 0))",
        "(loop (drop (call $write (i32.const 1) (i32.const 4096) (i32.const 1024) (i32.const 8))) (br 0))",
    ] {
        let host = Host::new("slow");
        let package = support::package_with(&manifest, &guest(instructions, ""));
        let result = call(&host.runtime(), &package).map(drop);
        assert_eq!(code(&result), Code::ToolTimeout, "{instructions}");
        let outcome = &host.records_of("outcome")[0];
        assert_eq!(outcome["result"], "tool.timeout");
        let took = outcome["duration_ms"].as_u64().unwrap();
        // An instruction that could not end in time is not begun.
        assert!((30..10_000).contains(&took), "{took} ms: {instructions}");
    }
}

#[test]
fn a_cancelled_call_ends_in_its_code_whether_it_had_begun_or_not() {
    let mut manifest = support::manifest("org.example.slow");
    manifest["runtime"]["fuel"] = json!(1_000_000_000_000_u64);
    manifest["runtime"]["timeout_ms"] = json!(60_000);
    let package = support::package_with(&manifest, &guest("(loop (br 0))", ""));
    let request = ToolCall::new("run", json!({}));
    let host = Host::new("cancel");
    let runtime = host.runtime();
    let before = CancelFlag::default();
    before.cancel();
    let result = runtime.call(&package, &request, &NoApprover, &before).map(drop);
    assert_eq!(code(&result), Code::ToolCancelled);

    let running = CancelFlag::default();
    let started = Instant::now();
    let result = std::thread::scope(|scope| {
        let call = scope.spawn(|| runtime.call(&package, &request, &NoApprover, &running));
        std::thread::sleep(Duration::from_millis(100));
        running.cancel();
        call.join().unwrap().map(drop)
    });
    assert_eq!(code(&result), Code::ToolCancelled);
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let results: Vec<_> =
        host.records_of("outcome").iter().map(|record| record["result"].clone()).collect();
    assert_eq!(results, ["tool.cancelled", "tool.cancelled"]);
    let good = support::package("org.example.good", &support::saying(&support::response("fine")));
    assert!(call(&runtime, &good).is_ok());
}

/// Everything that could come out, as one text.
fn everything(result: Result<mpp::runtime::CallResult, Error>) -> String {
    match result {
        Ok(answer) => format!("{answer:?} {}", answer.applied.to_json()),
        Err(error) => format!("{error} {error:?}"),
    }
}

const SECRETS: [&str; 4] = ["ann.smith@example.com", "ann.smith", "4111 1111 1111", "4111111111"];

/// Says what of the secrets a text shows, if any.
fn personal(name: &str, shown: &str) -> Option<String> {
    let secret = SECRETS.iter().find(|secret| shown.contains(**secret))?;
    Some(format!("{name} lets {secret:?} out: {shown}"))
}

fn assert_nothing_personal(name: &str, shown: &str) {
    assert_eq!(personal(name, shown), None);
}

fn private_manifest() -> Value {
    let mut manifest = support::manifest("org.example.private");
    manifest["privacy_filters"] = json!({ "patterns": ["email", "credit-card"] });
    manifest
}

#[test]
fn personal_data_in_stderr_does_not_leave_with_the_error() {
    for (name, stderr) in [
        ("mail", "no such user: ann.smith@example.com".to_owned()),
        ("card", "declined: 4111 1111 1111 1111".to_owned()),
        // The shown end begins in the middle of the value.
        ("cut", format!("4111 1111 1111 1111 {}", "x".repeat(590))),
        ("cut mail", format!("ann.smith@example.com {}", "x".repeat(590))),
        ("in JSON", r#"{"user":"ann.smith@example.com","card":"4111111111111111"}"#.to_owned()),
    ] {
        let host = Host::new("stderr");
        for last in ["unreachable", "(call $exit (i32.const 3))", ""] {
            let package = support::package_with(&private_manifest(), &complaining(&stderr, last));
            let shown = everything(call(&host.runtime(), &package));
            assert!(shown.contains("stderr ends with"), "{shown}");
            assert_nothing_personal(name, &shown);
        }
    }
}

#[test]
fn personal_data_in_any_place_of_an_answer_does_not_leave() {
    let card = "4111 1111 1111 1111";
    let nested = json!({ "deep": json!({ "mail": "ann.smith@example.com" }).to_string() });
    for (name, result) in [
        ("text", json!({ "content": [{ "type": "text", "text": "to ann.smith@example.com" }] })),
        ("keys", json!({ "content": [], "structuredContent": { "ann.smith@example.com": 1 } })),
        ("key", json!({ "content": [], "structuredContent": { "a": [{ card: { card: card } }] } })),
        ("nested", json!({ "content": [], "structuredContent": { "text": nested.to_string() } })),
        (
            "number",
            json!({ "content": [], "structuredContent": { "card": 4_111_111_111_111_111_u64 } }),
        ),
        (
            "annotation",
            json!({ "content": [{ "type": "text", "text": "", "_meta": { "to": card } }] }),
        ),
        ("other type", json!({ "content": [{ "type": "ann.smith@example.com" }] })),
        (
            "link",
            json!({ "content": [{ "type": "resource_link", "uri": "mailto:ann.smith@example.com" }] }),
        ),
        ("plain object", json!({ "ann.smith@example.com": card })),
        ("plain text", json!("ann.smith@example.com")),
        ("plain list", json!(["ann.smith@example.com", [card]])),
        ("said error", json!({ "content": [{ "type": "text", "text": card }], "isError": true })),
    ] {
        let host = Host::new("places");
        let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
        let package = support::package_with(&private_manifest(), &support::saying(&answer));
        assert_nothing_personal(name, &everything(call(&host.runtime(), &package)));
        let log = std::fs::read_to_string(host.log()).unwrap();
        assert_nothing_personal(name, &log);
    }
}

#[test]
fn personal_data_in_what_the_runtime_says_about_a_bad_answer_does_not_leave() {
    let mut manifest = private_manifest();
    manifest["tools"][0]["returns"] = json!({
        "type": "object", "properties": { "n": { "type": "integer" } }, "additionalProperties": false
    });
    let with = |structured: Value| {
        json!({ "jsonrpc": "2.0", "id": 1,
            "result": { "content": [], "structuredContent": structured } })
        .to_string()
    };
    let twice = |key: &str| format!(r#"{{"jsonrpc":"2.0","{key}":1,"{key}":2}}"#);
    let mut cases = vec![
        ("no JSON".to_owned(), "ann.smith@example.com 4111 1111 1111 1111".to_owned()),
        ("wrong type".to_owned(), with(json!({ "n": "ann.smith@example.com" }))),
        ("unknown key".to_owned(), with(json!({ "ann.smith@example.com": 1 }))),
        ("twice".to_owned(), twice("ann.smith@example.com")),
        // An invisible character in the value, which a message would show as an escape.
        ("hidden".to_owned(), with(json!({ "4111\u{200b} 1111 1111 1111": 1 }))),
        ("hidden mail".to_owned(), with(json!({ "ann.smith\u{200b}@example.com": 1 }))),
        ("hidden twice".to_owned(), twice("ann.smith\u{200b}@example.com")),
    ];
    // A long key, of which a message may show a part that ends within the value.
    for padding in (40..300).step_by(3) {
        let mail = format!("{} ann.smith@example.com", "x".repeat(padding));
        let card = format!("{} 4111 1111 1111 1111", "x".repeat(padding));
        cases.push((format!("mail behind {padding}"), with(json!({ &mail: 1 }))));
        cases.push((format!("card behind {padding}"), with(json!({ &card: 1 }))));
        cases.push((format!("twice, behind {padding}"), twice(&mail)));
    }
    let host = Host::new("details");
    let runtime = host.runtime();
    let mut leaks = Vec::new();
    for (name, stdout) in cases {
        let package = support::package_with(&manifest, &support::saying(&stdout));
        let result = call(&runtime, &package);
        assert!(result.is_err(), "{name}");
        leaks.extend(personal(&name, &everything(result)));
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[test]
fn personal_data_in_refused_arguments_is_not_repeated() {
    let mut manifest = private_manifest();
    manifest["tools"][0]["parameters"] = json!({
        "type": "object", "properties": { "n": { "type": "integer" } }, "additionalProperties": false
    });
    let package = support::package_with(&manifest, support::SILENT_GUEST);
    let host = Host::new("refused");
    let runtime = host.runtime();
    for arguments in [
        json!({ "n": "ann.smith@example.com" }),
        json!({ "ann.smith@example.com": 1 }),
        json!("ann.smith@example.com"),
    ] {
        let result = call_with(&runtime, &package, "run", arguments, &NoApprover);
        assert_eq!(code(&result), Code::RequestArguments);
        assert_nothing_personal("arguments", &everything(result));
    }
    let log = std::fs::read_to_string(host.log()).unwrap();
    assert_nothing_personal("log", &log);
}

#[test]
fn a_host_keeps_values_and_excepts_kinds_and_its_record_counts_what_stayed() {
    let text = "ann@example.com, bob@example.net, +14155550132, 127.0.0.1";
    let call_of = |host: &Host, id: &str, rules: Value| {
        let mut manifest = support::manifest(id);
        manifest["privacy_filters"] = json!({ "patterns": ["email", "phone", "ip-address"] });
        let package = support::package_with(&manifest, &support::saying(&support::response(text)));
        let policy = json!({ "auto_approve_low": true, "privacy_filters": rules });
        call(&host.runtime_with(support::policy(policy)), &package).unwrap()
    };
    let rules = || {
        json!({
            "keep": { "mail_domains": ["example.com"], "loopback": true },
            "except": [{ "kinds": ["phone"], "packages": ["org.example.phonebook"] }],
        })
    };
    let host = Host::new("kept");
    for (id, shown) in [
        ("org.example.private", "ann@example.com, [EMAIL], [PHONE], 127.0.0.1"),
        ("org.example.phonebook", "ann@example.com, [EMAIL], +14155550132, 127.0.0.1"),
        ("org.example.phonebooks", "ann@example.com, [EMAIL], [PHONE], 127.0.0.1"),
    ] {
        let answer = call_of(&host, id, rules());
        assert_eq!(answer.content[0]["text"], shown, "{id}");
        let kept = &answer.applied.to_json()["kept"];
        assert_eq!(kept, &json!({ "email": 1, "ip-address": 1 }), "{id}");
    }
    let records = host.records_of("outcome");
    let expected = json!({ "email": 1, "phone": 1, "kept:email": 1, "kept:ip-address": 1 });
    assert_eq!(records[0]["privacy"], expected);
    assert_nothing_personal("log", &std::fs::read_to_string(host.log()).unwrap());
    let answer = call_of(&host, "org.example.private", json!({}));
    assert_eq!(answer.content[0]["text"], "[EMAIL], [EMAIL], [PHONE], [IP_ADDRESS]");
    assert!(answer.applied.to_json().get("kept").is_none());
}

#[test]
fn a_host_adds_kinds_and_chooses_replacements_and_a_tool_can_do_neither_away() {
    let text = "ann@example.com, +14155550132, ann@example.com, EMP-123456";
    let package = |filters: Value| {
        let mut manifest = support::manifest("org.example.private");
        manifest["privacy_filters"] = filters;
        support::package_with(&manifest, &support::saying(&support::response(text)))
    };
    let said = |host: &Host, members: Value, filters: Value| {
        let policy = support::policy(members);
        let answer = call(&host.runtime_with(policy), &package(filters)).unwrap();
        answer.content[0]["text"].as_str().unwrap().to_owned()
    };
    let host = Host::new("forced");
    let staff = json!({ "name": "STAFF", "pattern": "EMP-[0-9]+" });
    let always = json!({ "patterns": ["phone"], "custom": [staff] });
    let forced = || json!({ "auto_approve_low": true, "privacy_filters": always });
    // Nothing that a tool asks for takes away what the host wants.
    for (filters, shown) in [
        (json!({}), "ann@example.com, [PHONE], ann@example.com, [STAFF]"),
        (json!({ "patterns": [] }), "ann@example.com, [PHONE], ann@example.com, [STAFF]"),
        (json!({ "patterns": ["email", "phone"] }), "[EMAIL], [PHONE], [EMAIL], [STAFF]"),
        (
            json!({ "custom": [{ "name": "STAFF", "pattern": "ann" }] }),
            "[STAFF]@example.com, [PHONE], [STAFF]@example.com, [STAFF]",
        ),
    ] {
        assert_eq!(said(&host, forced(), filters), shown);
    }
    let email = || json!({ "patterns": ["email"] });
    let replacing = |by: &str| json!({ "auto_approve_low": true, "privacy_replacement": by });
    let numbered = replacing("numbered");
    assert_eq!(said(&host, numbered, email()), "[EMAIL:1], +14155550132, [EMAIL:1], EMP-123456");
    let pseudonyms = |host: &Host| {
        let shown = said(host, replacing("pseudonym"), email());
        let (first, rest) = shown.split_once(", ").unwrap();
        assert!(rest.contains(first) && first.len() == "[EMAIL:]".len() + 16, "{shown}");
        first.to_owned()
    };
    // The same in every answer of a host, another on each host; and the log shows neither.
    assert_eq!(pseudonyms(&host), pseudonyms(&host));
    let other = Host::new("forced-other");
    assert_ne!(pseudonyms(&host), pseudonyms(&other));
    assert_nothing_personal("log", &std::fs::read_to_string(host.log()).unwrap());
}
