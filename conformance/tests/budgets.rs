//! What all calls of a process share: a hostile package does not starve the others, and the process stays within its
//! budgets. The built `mpp serve`, with a client on its pipes.

#![cfg(target_os = "linux")]

use crate::cli::Place;
use crate::serve::{text_of, Served};
use crate::support;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fs;

const MB: u64 = 1 << 20;
/// What a server takes besides the budgets: the program, its threads, a package being verified.
const REST: u64 = 64 * MB;

fn manifest(id: &str, tool: &str) -> Value {
    let mut manifest = support::manifest(id);
    manifest["tools"][0]["name"] = json!(tool);
    manifest
}

fn install(place: &Place, file: &str, manifest: &Value, guest: &str) {
    place.package(file, manifest, guest);
    place.mpp(&["install", file, "--yes"]).exits(0);
}

fn policy(place: &Place, mut members: Value) {
    members["format"] = json!("mpp-policy/1");
    members["trusted_publishers"] = json!(["Me"]);
    fs::write(place.path("home").join("policy.json"), members.to_string()).unwrap();
}

/// The most memory that a process has had, in bytes.
fn peak(served: &Served) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", served.process())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The texts of all these calls by id, in whatever order they end.
fn texts(served: &mut Served, ids: &[Value]) -> BTreeMap<String, String> {
    let texts: BTreeMap<String, String> = (0..ids.len())
        .map(|_| served.next())
        .map(|answer| (answer["id"].to_string(), text_of(&answer["result"])))
        .collect();
    assert!(ids.iter().all(|id| texts.contains_key(&id.to_string())));
    texts
}

/// Each call has one intent with an outcome, or one refusal; none is lost.
fn assert_recorded(place: &Place, calls: usize) {
    let log = fs::read_to_string(place.path("home").join("audit/audit.jsonl")).unwrap();
    let kinds = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].take());
    let count = |kind: &str| kinds.clone().filter(|it| it == kind).count();
    assert_eq!(count("lost"), 0);
    assert_eq!(count("intent"), count("outcome"));
    assert_eq!(count("intent") + count("refused"), calls);
    place.mpp(&["audit", "verify"]).exits(0);
}

/// A guest that opens as many files of `/data` as it can, and computes until it is stopped.
const OPENS_ALL: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open" (func $open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 0) "file")
    (func (export "_start") (local $n i32)
        (loop $more
            (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
                (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
            (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                (i32.const 128))))
        (loop $forever (br $forever))))"#;

#[test]
fn with_256_descriptors_calls_beside_hostile_ones_succeed_or_are_busy_and_each_is_recorded() {
    let place = Place::new("descriptors");
    let data = place.path("data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("file"), "x").unwrap();
    policy(&place, json!({ "directories": [{ "guest": "/data", "host": data }] }));
    let mut hostile = manifest("org.example.hostile", "hostile");
    hostile["capabilities"] = json!({ "filesystem": { "read": ["/data"] } });
    hostile["runtime"]["timeout_ms"] = json!(700);
    hostile["runtime"]["fuel"] = json!(100_000_000_000_u64);
    install(&place, "hostile.mpp", &hostile, OPENS_ALL);
    let mut reader = manifest("org.example.reader", "reader");
    reader["capabilities"] = hostile["capabilities"].clone();
    let says = support::saying(&support::response("read"));
    install(&place, "reader.mpp", &reader, &says);
    install(&place, "plain.mpp", &manifest("org.example.plain", "plain"), &says);
    let mut served = Served::after(&place, "ulimit -n 256");
    let hostile: Vec<Value> = (0..20).map(|_| served.begin("hostile", json!({}))).collect();
    let others: Vec<Value> =
        ["plain", "reader"].repeat(6).iter().map(|tool| served.begin(tool, json!({}))).collect();
    let all = texts(&mut served, &[hostile.clone(), others.clone()].concat());
    for (n, id) in others.iter().enumerate() {
        let text = &all[&id.to_string()];
        let is_reader = n % 2 == 1;
        assert!(text == "read" || is_reader && text.starts_with("BUSY: [host.busy]"), "{text}");
    }
    for id in &hostile {
        let text = &all[&id.to_string()];
        let expected = ["FAILED: [tool.timeout]", "BUSY: [host.busy]"];
        assert!(expected.iter().any(|start| text.starts_with(start)), "{text}");
    }
    served.end();
    assert_recorded(&place, 32);
}

#[test]
fn calls_that_fill_their_memory_never_take_a_server_above_its_budget() {
    let place = Place::new("memory");
    policy(&place, json!({ "budgets": { "guest_memory_mb": 68 } }));
    let mut large = manifest("org.example.large", "large");
    large["runtime"]["memory_limit_mb"] = json!(32);
    let answer = support::response("filled");
    let fills = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $put (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 512)
        (data (i32.const 16) {answer:?})
        (func (export "_start")
            (memory.fill (i32.const 65536) (i32.const 1) (i32.const {rest}))
            (i32.store (i32.const 0) (i32.const 16))
            (i32.store (i32.const 4) (i32.const {length}))
            (drop (call $put (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        rest = (32 << 20) - 65536,
        length = answer.len(),
    );
    install(&place, "large.mpp", &large, &fills);
    let mut served = Served::start(&place);
    let ids: Vec<Value> = (0..32).map(|_| served.begin("large", json!({}))).collect();
    for text in texts(&mut served, &ids).values() {
        assert!(text == "filled" || text.starts_with("BUSY: [host.busy]"), "{text}");
    }
    let peak = peak(&served);
    assert!(peak < 68 * MB + REST, "{peak}");
    served.end();
    assert_recorded(&place, 32);
}

/// What takes most when it is translated, by its bytes: branches that copy values, variables, blocks, loads.
const DENSE: [(&str, &str); 5] = [
    ("values", "block (result i64) i64.const 1 local.get 0 br_if 0 end drop "),
    ("branches", "local.get 0 br_if 0 "),
    ("globals", "global.get 0 global.set 0 "),
    ("blocks", "local.get 0 if else end "),
    ("loads", "local.get 0 i32.load i32.load i32.load local.set 1 "),
];

/// A guest with one large function of these operators.
fn dense(operators: &str) -> String {
    let body = operators.repeat(1_000_000 / operators.split_whitespace().count() / 2);
    let answer = support::response("ran");
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $put (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (global (mut i32) (i32.const 0))
        (data (i32.const 16) {answer:?})
        (func $dense (param i32) (local i32 i32 i32)
            block (result i32 i32 i32 i32)
                local.get 0 local.get 1 local.get 2 local.get 3 {body}
            end drop drop drop drop)
        (func (export "_start")
            (call $dense (i32.const 0))
            (i32.store (i32.const 0) (i32.const 16))
            (i32.store (i32.const 4) (i32.const {length}))
            (drop (call $put (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        length = answer.len(),
    )
}

#[test]
fn compiled_code_stays_below_its_estimate_and_that_of_earlier_packages_is_dropped() {
    let place = Place::new("code");
    for (tool, operators) in DENSE {
        let manifest = manifest(&format!("org.example.{tool}"), tool);
        install(&place, &format!("{tool}.mpp"), &manifest, &dense(operators));
    }
    policy(&place, json!({ "budgets": { "code_mb": 1 } }));
    let mut served = Served::start(&place);
    let estimates = DENSE.map(|(tool, _)| {
        let refused = served.call_text(tool);
        let start = "DENIED by MPP policy: [host.budget] the call can need ";
        assert!(refused.starts_with(start), "{refused}");
        refused.split_whitespace().find_map(|word| word.parse::<u64>().ok()).unwrap()
    });
    policy(&place, json!({}));
    for ((tool, _), estimate) in DENSE.iter().zip(estimates) {
        let mut served = Served::start(&place);
        let before = peak(&served);
        assert_eq!(served.call_text(tool), "ran");
        let code = peak(&served) - before;
        // A package's own bytes are read and verified besides.
        assert!(code < estimate + 8 * MB && code > estimate / 8, "{tool}: {code} of {estimate}");
    }
    let largest = estimates.into_iter().max().unwrap();
    policy(&place, json!({ "budgets": { "code_mb": largest / MB + 1 } }));
    let mut served = Served::start(&place);
    let before = peak(&served);
    for (tool, _) in DENSE.iter().cycle().take(7) {
        assert_eq!(served.call_text(tool), "ran");
    }
    let code = peak(&served) - before;
    // The system's allocator keeps some of what was freed.
    assert!(code < 2 * largest + 16 * MB, "{code} of {largest}");
}

#[test]
fn a_call_for_which_the_host_has_no_memory_says_so_and_blames_neither_tool_nor_time() {
    let place = Place::new("no-memory");
    policy(&place, json!({}));
    let mut grows = manifest("org.example.grows", "grows");
    grows["runtime"]["memory_limit_mb"] = json!(1024);
    let guest = r#"(module (memory (export "memory") 1)
        (func (export "_start")
            (if (i32.eq (memory.grow (i32.const 16000)) (i32.const -1)) (then unreachable))))"#;
    install(&place, "grows.mpp", &grows, guest);
    let mut served = Served::after(&place, "ulimit -v 600000");
    let text = served.call_text("grows");
    assert!(text.starts_with("FAILED on the host: [host.memory]"), "{text}");
    served.end();
}
