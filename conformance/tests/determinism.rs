//! The same package, request and seed give the same response, fuel and record: repeatedly, in parallel with
//! other work, and in another directory, time zone and language. `MPP_BIN` names another build of the program
//! to be checked against the same numbers.

use crate::support::{self, Folder, Host};
use crate::tools;
use mpp::runtime::{NoApprover, Runtime, ToolCall};
use mpp::CancelFlag;
use serde_json::{json, Value};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

/// Program, tool, arguments, and the fuel of that call with a seed of zeros. A number that changes is a
/// change of `spec/sandbox.md`, of the engine, or of the program: which of them, the change has to say.
const PINNED: [(&str, &str, &str, u64); 8] = [
    ("text_stats", "analyze", r#"{"text": "One two. Two three."}"#, 196_684),
    ("sql_guardian", "query", r#"{"sql": "SELECT random() AS r, date('now') AS d"}"#, 5_605_184),
    (
        "task_order",
        "plan",
        r#"{"tasks": [{"name": "b", "duration": 2, "after": ["a"]}, {"name": "a", "duration": 1}]}"#,
        1_907_817,
    ),
    ("text_diff", "compare", r#"{"before": "a\nb\n", "after": "a\nc\n"}"#, 503_600),
    ("calendar", "day", r#"{"date": "2026-11-22", "plus_days": 40}"#, 274_643),
    ("unit_converter", "convert", r#"{"value": 26.2, "from": "mi", "to": "km"}"#, 46_587_162),
    ("markdown", "convert", r##"{"text": "# Title\n\nSome *text*.\n"}"##, 222_576),
    ("sql_files", "databases", "{}", 169_880),
];

/// A guest that answers with 16 bytes it got from the clock and from the stream of random numbers, each
/// as two letters.
const DICE: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\45\00\00\00")
  (data (i32.const 64) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"00000000000000000000000000000000\"}\0a")
  (func (export "_start") (local $at i32) (local $byte i32)
    (drop (call $time (i32.const 0) (i64.const 0) (i32.const 32)))
    (drop (call $random (i32.const 40) (i32.const 8)))
    (loop $next
      (local.set $byte (i32.load8_u offset=32 (local.get $at)))
      (i32.store8 offset=98 (i32.shl (local.get $at) (i32.const 1))
        (i32.add (i32.const 97) (i32.shr_u (local.get $byte) (i32.const 4))))
      (i32.store8 offset=99 (i32.shl (local.get $at) (i32.const 1))
        (i32.add (i32.const 97) (i32.and (local.get $byte) (i32.const 15))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 16))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// What it says with a seed of zeros: the beginning of 2026 in nanoseconds, and the first bytes of SHA-256
/// of 40 zeros.
const SHOWN: &str = "aaaapkonfbhcigbicmdemobnpcdlidim";

/// Two threads that keep two cores busy for as long as this lives.
struct Load {
    stop: &'static AtomicBool,
}

impl Load {
    fn begin() -> Self {
        let stop: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        for _ in 0..2 {
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Load { stop }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// All of an answer but the number of its record, which counts on.
fn ask(runtime: &Runtime, package: &[u8], tool: &str, arguments: &str) -> Value {
    let arguments = serde_json::from_str(arguments).unwrap();
    let call = ToolCall::new(tool, arguments);
    let answer = runtime.call(package, &call, &NoApprover, &CancelFlag::default()).unwrap();
    json!({
        "content": answer.content, "structured": answer.structured_content,
        "error": answer.is_error, "applied": answer.applied.to_json(), "fuel": answer.fuel_used,
    })
}

/// The two records of each call on this host, without time, duration, and what depends on their place
/// in the log.
fn records(host: &Host) -> Vec<Vec<Value>> {
    let mut records = host.records();
    for record in &mut records {
        let record = record.as_object_mut().unwrap();
        for key in ["seq", "call", "prev", "hash", "time", "duration_ms"] {
            record.remove(key);
        }
    }
    records.chunks(2).map(<[Value]>::to_vec).collect()
}

#[test]
fn the_fuel_of_eight_programs_is_what_it_was() {
    let host = Host::new("fuel");
    let data = tools::data_folder();
    let runtime = host.runtime_with(tools::policy(&data));
    let found = PINNED.map(|(name, tool, arguments, _)| {
        let package = tools::package(&tools::committed().join(name));
        (name, tool, arguments, ask(&runtime, &package, tool, arguments)["fuel"].as_u64().unwrap())
    });
    assert_eq!(found, PINNED);
}

#[test]
fn a_thousand_runs_beside_other_work_are_one() {
    let host = Host::new("thousand");
    let package = support::package("org.example.dice", DICE);
    let runtime = host.runtime();
    let first = ask(&runtime, &package, "run", "{}");
    assert_eq!(first["content"][0]["text"], SHOWN);
    let load = Load::begin();
    for _ in 1..1000 {
        assert_eq!(ask(&runtime, &package, "run", "{}"), first);
    }
    drop(load);
    let records = records(&host);
    assert_eq!(records.len(), 1000);
    for record in &records {
        assert_eq!(*record, records[0]);
    }
}

#[test]
fn twenty_runs_of_each_program_are_one() {
    let data = tools::data_folder();
    for (name, tool, arguments, _) in PINNED {
        let host = Host::new("twenty");
        let runtime = host.runtime_with(tools::policy(&data));
        let package = tools::package(&tools::committed().join(name));
        let first = ask(&runtime, &package, tool, arguments);
        let _load = Load::begin();
        for _ in 1..20 {
            assert_eq!(ask(&runtime, &package, tool, arguments), first, "{name}");
        }
        let records = records(&host);
        assert!(
            records.len() == 20 && records.iter().all(|record| *record == records[0]),
            "{name}"
        );
    }
}

fn program() -> PathBuf {
    std::env::var_os("MPP_BIN").map_or_else(|| env!("CARGO_BIN_EXE_mpp").into(), PathBuf::from)
}

#[test]
fn time_zone_language_and_directory_change_nothing_and_fuel_is_what_it_was() {
    let host = Host::new("elsewhere");
    let (data, other) = (tools::data_folder(), Folder::new("other"));
    let map = format!("/data={}", data.path().display());
    let package = host.write("dice.mpp", &support::package("org.example.dice", DICE));
    let mut calls = vec![(package, "run", "{}", None)];
    for (name, tool, arguments, fuel) in PINNED {
        let package = tools::package(&tools::committed().join(name));
        calls.push((host.write(&format!("{name}.mpp"), &package), tool, arguments, Some(fuel)));
    }
    let places = [
        [("TZ", "UTC"), ("LANG", "C"), ("LC_ALL", "C"), ("PWD", "/")],
        [("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", ""), ("PWD", "/none")],
        [("TZ", ":bad"), ("LANG", "de_DE.ISO-8859-1"), ("LC_ALL", "xx"), ("HOME", "/none")],
    ];
    let _load = Load::begin();
    for (package, tool, arguments, fuel) in &calls {
        let found = mpp::gatekeeper::inspect(&std::fs::read(package).unwrap()).unwrap();
        let needs_data = found.manifest.capabilities.filesystem.read.iter().any(|it| it == "/data");
        let mut answers = Vec::new();
        for (place, folder) in places.iter().zip([host.path(""), other.path().into(), "/".into()]) {
            let output = Command::new(program())
                .args(["run", "--json", "--yes", "--tool", tool, "--args", arguments])
                .args(["--map", &map].iter().filter(|_| needs_data))
                .arg(package)
                .current_dir(folder)
                .env("MPP_HOME", host.path(""))
                .envs(*place)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            let mut answer: Value = serde_json::from_slice(&output.stdout).expect(&said);
            answer.as_object_mut().unwrap().remove("audit_record");
            if let Some(fuel) = fuel {
                assert_eq!(answer["fuel_used"], *fuel, "{}", package.display());
            }
            answers.push(answer);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    }
    let records = records(&host);
    assert_eq!(records.len(), calls.len() * places.len());
    for same in records.chunks(places.len()) {
        assert!(same.iter().all(|record| *record == same[0]), "{same:#?}");
    }
}
