//! One struct is a whole host, and the trait is all that reaches a call: what was asked and answered there, played
//! back by a host that has nothing, gives the same call again.

mod tape;

use crate::support::{self, code};
use crate::vectors::operations::memory;

use memory::{Entry, Memory, MemoryStorage, Tree};
use mpp::audit::{ChainVerifier, VerifyReport};
use mpp::package::content_hash::ContentHash;
use mpp::pipeline::{call, CallResult, Package, ToolCall};
use mpp::sandbox::Engine;
use mpp::storage::{decode, StorageOwner};
use mpp::{Code, Error, Gatekeeper, Host, PermissionPolicy, TrustStore};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tape::{Tape, Taped, METHODS};

const ID: &str = "org.example.all";
const SECRET: &str = "correct-horse-battery";
const REQUEST: &str = r#"{"service":"http","url":"https://api.example.com/x"}"#;

/// A guest that uses everything: it waits, lists `/in`, reads `sub/old` there, asks the network, and writes what
/// it got to `/out/new`; it adds to `/out/log` and to what it keeps, moves
/// `/out/dir` if it is there, and answers.
fn guest() -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let answer = support::response("done for ann@example.com");
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "mpp_v1" "request" (func $request (param i32 i32) (result i32)))
  (import "mpp_v1" "response" (func $response (param i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "sub/oldnewlogkeptdirmoved")
  (data (i32.const 1024) "{answer}")
  (data (i32.const 4096) "{request}")
  (func $ok (param $errno i32) (if (local.get $errno) (then (call $exit (local.get $errno)))))
  (func $at (param $fd i32) (param $name i32) (param $length i32) (param $create i32) (param $rights i64) (param $append i32) (result i32)
    (call $ok (call $open (local.get $fd) (i32.const 0) (local.get $name) (local.get $length) (local.get $create)
      (local.get $rights) (i64.const 0) (local.get $append) (i32.const 16)))
    (i32.load (i32.const 16)))
  (func $put (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (call $ok (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $length i32) (local $errno i32)
    (i64.store (i32.const 280) (i64.const 1000000))
    (call $ok (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 600)))
    (call $ok (call $time (i32.const 0) (i64.const 0) (i32.const 8192)))
    (call $ok (call $random (i32.const 8200) (i32.const 8)))
    (call $ok (call $list (i32.const 3) (i32.const 2048) (i32.const 1024) (i64.const 0) (i32.const 608)))
    (i32.store (i32.const 0) (i32.const 8208))
    (i32.store (i32.const 4) (i32.const 3))
    (call $ok (call $read (call $at (i32.const 3) (i32.const 64) (i32.const 7) (i32.const 0) (i64.const 2) (i32.const 0))
      (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $length (call $request (i32.const 4096) (i32.const {request_length})))
    (drop (call $response (i32.const 8211) (local.get $length)))
    (call $put (call $at (i32.const 4) (i32.const 71) (i32.const 3) (i32.const 1) (i64.const 64) (i32.const 0))
      (i32.const 8192) (i32.add (i32.const 19) (local.get $length)))
    (call $put (call $at (i32.const 4) (i32.const 74) (i32.const 3) (i32.const 0) (i64.const 66) (i32.const 1))
      (i32.const 74) (i32.const 3))
    (call $put (call $at (i32.const 5) (i32.const 77) (i32.const 4) (i32.const 1) (i64.const 66) (i32.const 1))
      (i32.const 77) (i32.const 4))
    (local.set $errno (call $rename (i32.const 4) (i32.const 81) (i32.const 3) (i32.const 4) (i32.const 84) (i32.const 5)))
    (if (i32.ne (local.get $errno) (i32.const 44)) (then (call $ok (local.get $errno))))
    (call $put (i32.const 1) (i32.const 1024) (i32.const {answer_length}))))"#,
        answer = escape(&answer),
        answer_length = answer.len(),
        request = escape(REQUEST),
        request_length = REQUEST.len(),
    )
}

fn package() -> Vec<u8> {
    let mut manifest = support::manifest(ID);
    manifest["capabilities"] = json!({
        "network": ["api.example.com"],
        "filesystem": { "read": ["/in"], "write": ["/out"] },
        "storage": { "limit_kb": 1 },
    });
    let mut destructive = manifest["tools"][0].clone();
    destructive["name"] = json!("destroy");
    destructive["sensitivity"] = json!("destructive");
    manifest["tools"].as_array_mut().unwrap().push(destructive);
    support::package_with(&manifest, &guest())
}

fn policy() -> PermissionPolicy {
    let header = json!({ "host": "api.example.com", "name": "x-key", "secret": "SERVICE" });
    let policy = support::policy(json!({ "network": { "headers": [header] } }));
    policy.map("/in", "lower").map("/out", "upper").real_clock(true).real_random(true)
}

/// What a test calls: the package, engine and policy are made once.
struct Calls {
    package: Vec<u8>,
    content_hash: ContentHash,
    engine: Engine,
    policy: PermissionPolicy,
}

impl Calls {
    fn new() -> Self {
        let package = package();
        let found = Gatekeeper::new(support::trust(), support::now()).verify(&package).unwrap();
        let (engine, policy) = (Engine::new().unwrap(), policy());
        Calls { package, content_hash: found.content_hash, engine, policy }
    }

    /// A host that has all that the package needs.
    fn host(&self) -> Memory {
        let trust = TrustStore::from_json(support::trust().to_json().as_bytes()).unwrap();
        let lower = tree(1, &[("file", "1"), ("sub/old", "old")]);
        Memory {
            trust: Mutex::new(trust),
            packages: BTreeMap::from([(self.content_hash.clone(), self.package.clone())]),
            secrets: BTreeMap::from([("SERVICE".to_owned(), SECRET.to_owned())]),
            directories: BTreeMap::from([
                ("lower".to_owned(), lower),
                ("upper".to_owned(), tree(2, &[("dir/a", "a"), ("log", "log")])),
            ]),
            ..Memory::default()
        }
    }

    fn call(&self, host: &dyn Host, tool: &str) -> Result<CallResult, Error> {
        let package = Package::Installed(&self.content_hash);
        call(host, &self.engine, &self.policy, package, &ToolCall::new(tool, json!({})))
    }

    /// Calls of every kind: asked about, agreed to before, proved, refused in two ways.
    fn all(&self, host: &dyn Host) -> Vec<Result<CallResult, Error>> {
        let none = ToolCall::new("run", json!({}));
        let mut results: Vec<_> =
            ["run", "run", "destroy", "none"].iter().map(|tool| self.call(host, tool)).collect();
        let bytes = Package::Bytes(b"no package");
        results.push(call(host, &self.engine, &self.policy, bytes, &none));
        results
    }
}

fn verified(lines: &[String]) -> (VerifyReport, Vec<Value>) {
    let mut chain = ChainVerifier::new(None).unwrap();
    let verify = |line: &String| chain.verify_line(line.trim_end_matches('\n').as_bytes()).unwrap();
    let records = lines.iter().map(verify).map(Value::Object).collect();
    (chain.finish().unwrap(), records)
}

/// What is kept, as text.
fn kept(storage: &MemoryStorage) -> Option<String> {
    let publisher_key = support::author().public().id();
    let owner = StorageOwner { package: ID.to_owned(), publisher_key };
    let snapshot = storage.0.lock().unwrap().get(&owner).cloned()?;
    let entries = decode(&owner, &snapshot).unwrap();
    Some(String::from_utf8(entries["kept"].clone().unwrap()).unwrap())
}

fn tree(number: u64, files: &[(&str, &str)]) -> Arc<Mutex<Tree>> {
    let file =
        |(path, text): &(&str, &str)| ((*path).to_owned(), Entry::File(text.as_bytes().to_vec()));
    Tree::with(number, files.iter().map(file))
}

fn files(host: &Memory, tree: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = host.directories[tree].lock().unwrap().entries().into_iter();
    let files = entries.filter_map(|(path, entry)| match entry {
        Entry::File(content) => Some((path, content)),
        _ => None,
    });
    files.collect()
}

fn sent(host: &Memory) -> Vec<Value> {
    host.network.lock().unwrap().sent.clone()
}

#[test]
fn a_struct_in_memory_verifies_asks_runs_filters_keeps_changes_and_records() {
    let calls = Calls::new();
    let host = calls.host();
    let lower = files(&host, "lower");
    let results = calls.all(&host);
    for (result, log, keeps) in [(&results[0], 0, 1), (&results[1], 2, 2), (&results[2], 4, 3)] {
        let answer = result.as_ref().unwrap();
        assert_eq!(answer.content[0]["text"], "done for [EMAIL]");
        assert_eq!(answer.audit_record, log + 1);
        let kept = answer.changes.as_array().unwrap().last().unwrap();
        assert_eq!((&kept["path"], &kept["bytes"]), (&json!("/storage/kept"), &json!(4 * keeps)));
    }
    assert_eq!(code(&results[3]), Code::RequestTool);
    assert_eq!(code(&results[4]), Code::ArchiveEndRecord);
    // Directories and storage.
    let (out, log) = (files(&host, "upper"), "loglogloglog");
    assert_eq!(files(&host, "lower"), lower);
    assert_eq!((out["log"].as_slice(), out["moved/a"].as_slice()), (log.as_bytes(), &b"a"[..]));
    let new = &out["new"];
    assert_eq!((&new[8..16], &new[16..19]), (&[4; 8][..], &b"old"[..]));
    assert!(String::from_utf8_lossy(&new[19..]).contains(r#""body":"hello""#), "{new:?}");
    assert_eq!(kept(&host.storage).unwrap(), "keptkeptkept");
    // People, the network, and what was noted.
    let questions = host.questions.lock().unwrap();
    assert_eq!(questions.iter().map(|it| it.tool.as_str()).collect::<Vec<_>>(), ["run", "destroy"]);
    assert_eq!((host.approvals.lock().unwrap().len(), host.nonces.lock().unwrap().len()), (1, 1));
    assert!(sent(&host).iter().all(|sent| sent.to_string().contains(SECRET)));
    assert!(host.trust.lock().unwrap().highest_version_seen(ID).is_some());
    // The log.
    let lines = host.log.lines();
    let (report, records) = verified(&lines);
    assert_eq!((report.records, report.calls, report.refused), (8, 3, 2));
    assert!(report.open.is_empty() && report.lost == 0);
    assert!(records.iter().all(|record| record["time"] == support::NOW));
    let granted: Vec<_> = records.iter().filter_map(|it| it["granted_by"].as_str()).collect();
    assert_eq!(granted, ["person:ann"; 3]);
    assert!(records[4]["attestation"].is_string() && records[0]["attestation"].is_null());
    assert_eq!(records[1]["privacy"], json!({ "email": 1 }));
    assert!(!lines.concat().contains(SECRET) && !lines.concat().contains("ann@"));
}

#[test]
fn two_hosts_with_the_same_in_them_give_the_same_answers_changes_and_bytes_of_the_log() {
    let calls = Calls::new();
    let run = || {
        let host = calls.host();
        let results = format!("{:?}", calls.all(&host));
        let kept = host.storage.0.lock().unwrap().clone();
        (results, files(&host, "upper"), kept, host.log.lines())
    };
    assert_eq!(run(), run());
}

#[test]
fn what_a_host_answered_played_back_is_the_same_calls_and_nothing_else_enters() {
    let calls = Calls::new();
    let (host, tape) = (calls.host(), Arc::default());
    let recorder = Taped::new(&tape, Some(&host));
    let recorded = format!("{:?}", calls.all(&recorder));
    assert_eq!(recorder.log.lines(), host.log.lines());
    // Each method was called, so each is on the tape.
    let counts = tape.counts();
    let called: BTreeSet<_> = counts.keys().copied().collect();
    assert_eq!(called, METHODS.iter().copied().collect());
    // Nothing is behind this one.
    tape.rewind();
    let player = Taped::new(&tape, None);
    assert_eq!(format!("{:?}", calls.all(&player)), recorded);
    assert_eq!(player.log.lines(), host.log.lines());
    assert!(tape.is_at_end());
    assert_eq!(tape.counts(), counts);
}

#[test]
#[should_panic(expected = "a question more than was written down")]
fn a_question_that_was_not_written_down_has_no_answer() {
    drop(Taped::new(&Arc::default(), None).trust());
}

/// What was changed, and that it was all or nothing.
#[derive(Debug, PartialEq, Eq)]
enum Changed {
    Nothing,
    Everything,
}

/// What a call left on a host on which nothing was before; the log has to be whole.
fn left(host: &Memory) -> Changed {
    let out = files(host, "upper");
    let names: Vec<&str> = out.keys().map(String::as_str).collect();
    match (out["log"].as_slice(), names.as_slice(), kept(&host.storage).as_deref()) {
        (b"log", ["dir/a", "log"], None) => Changed::Nothing,
        (b"loglog", ["log", "moved/a", "new"], Some("kept")) => Changed::Everything,
        other => panic!("half made: {other:?}"),
    }
}

#[test]
fn a_host_without_one_method_or_that_loses_it_in_a_call_gets_a_stable_code_and_nothing_runs_unrecorded(
) {
    use Code::*;
    // What a call may end with if this method fails; `None` is an answer.
    let table: &[(&str, &[Option<Code>])] = &[
        ("random", &[Some(ToolExit)]),
        ("trust", &[Some(PublisherUnknown)]),
        ("note_version", &[Some(HostUnsupported)]),
        ("check_installed", &[Some(StoreNotInstalled)]),
        ("package", &[Some(StoreNotInstalled)]),
        ("request_approval", &[Some(PolicyConfirmation)]),
        ("consent_key", &[Some(PolicyAttestation)]),
        ("spend_nonce", &[Some(PolicyAttestation)]),
        ("secret", &[Some(SecretMissing)]),
        ("directory", &[Some(HostUnsupported)]),
        ("storage", &[Some(StorageNone)]),
        ("log_key", &[Some(AuditUnavailable)]),
        ("append", &[Some(AuditUnavailable)]),
        ("open", &[Some(ToolExit)]),
        ("list", &[Some(ToolExit)]),
        ("directory fingerprint", &[Some(ToolExit)]),
        ("prepare", &[Some(HostCommit)]),
        ("carry_out", &[Some(HostCommit)]),
        ("size", &[Some(ToolExit)]),
        ("read_at", &[Some(ToolExit)]),
        ("file fingerprint", &[Some(ToolExit)]),
        ("load", &[Some(HostFile)]),
        ("prepare storage", &[Some(HostFile)]),
        ("commit", &[Some(HostFile)]),
        // A refusal of these is visible to the tool only, or has no effect.
        ("resolve", &[None]),
        ("exchange", &[None]),
        ("keep_verified", &[None]),
        ("reserve", &[None]),
        ("remembered_approval", &[None]),
        ("remember_approval", &[None]),
        ("agrees_to_changes", &[None]),
        ("identity_chain", &[None]),
        ("is_reserved", &[Some(ToolExit), None]),
    ];
    let calls = Calls::new();
    for tool in ["run", "destroy"] {
        let whole = Arc::default();
        calls.call(&Taped::new(&whole, Some(&calls.host())), tool).unwrap();
        for (method, times) in whole.counts() {
            if ["now", "elapsed", "wait", "is_cancelled"].contains(&method) {
                continue; // they cannot fail
            }
            let (_, expected) = table.iter().find(|(name, _)| *name == method).expect(method);
            for from in 0..times {
                let host = calls.host();
                let what = format!("{method} of {tool} failing after {from} of {times}");
                let taped = Taped::new(&Tape::failing(method, from), Some(&host));
                let result = calls.call(&taped, tool);
                let found = result.as_ref().err().map(Error::code);
                assert!(expected.contains(&found), "{what}: {result:?}");
                let (report, records) = verified(&host.log.lines());
                let ran = !sent(&host).is_empty();
                assert!(!ran || records[0]["kind"] == "intent", "{what}: ran without a record");
                match (method, from) {
                    // The result is withheld, since the outcome cannot be recorded.
                    ("append", 1) => assert!(ran && report.open == [1], "{what}"),
                    ("log_key" | "append", _) => assert!(!ran && report.records == 0, "{what}"),
                    // The error names what was applied before.
                    ("commit", _) => {
                        let detail = result.unwrap_err().detail().to_owned();
                        assert!(detail.contains("already applied: /out/dir/a, "), "{detail}");
                        assert_eq!(files(&host, "upper")["log"], b"loglog", "{what}");
                        assert_eq!(kept(&host.storage), None, "{what}");
                    }
                    _ => {
                        let changed = left(&host);
                        assert_eq!(changed == Changed::Everything, result.is_ok(), "{what}");
                        assert!(report.open.is_empty() && report.records > 0, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_call_cancelled_at_any_question_or_late_by_a_jump_of_the_clock_changes_all_or_nothing() {
    let calls = Calls::new();
    let whole = Arc::default();
    calls.call(&Taped::new(&whole, Some(&calls.host())), "run").unwrap();
    let count = |method| u64::try_from(whole.counts()[method]).unwrap();
    let cancelled = (0..=count("is_cancelled")).map(|from| (Some(from), None));
    let late = (0..=count("now") + count("elapsed")).map(|at| (None, Some(at)));
    let mut codes = BTreeSet::new();
    for (cancelled_from, jumps_at) in cancelled.chain(late) {
        let host = Memory { cancelled_from, jumps_at, ..calls.host() };
        let result = calls.call(&host, "run");
        let what = format!("cancelled from {cancelled_from:?}, jump at {jumps_at:?}: {result:?}");
        match result.as_ref().map_err(Error::code) {
            Err(Code::ToolCancelled) => assert!(cancelled_from.is_some(), "{what}"),
            Err(Code::ToolTimeout | Code::SandboxTokenExpired) => {
                assert!(jumps_at.is_some(), "{what}")
            }
            Err(other) => panic!("{other:?}: {what}"),
            Ok(_) => {}
        }
        codes.extend(result.as_ref().err().map(Error::code));
        assert_eq!(left(&host) == Changed::Everything, result.is_ok(), "{what}");
        assert!(verified(&host.log.lines()).0.open.is_empty(), "{what}");
    }
    assert!(
        codes.contains(&Code::ToolCancelled) && codes.contains(&Code::ToolTimeout),
        "{codes:?}"
    );
}

#[test]
fn a_host_that_gives_other_storage_is_refused_and_what_it_has_is_not_replaced() {
    let calls = Calls::new();
    let good = calls.host();
    calls.call(&good, "run").unwrap();
    let (owner, snapshot) = good
        .storage
        .0
        .lock()
        .unwrap()
        .first_key_value()
        .map(|(owner, bytes)| (owner.clone(), bytes.clone()))
        .unwrap();
    let flipped = (0..snapshot.len() - 5).map(|at| {
        let mut other = snapshot.clone();
        other[at] ^= 0x80;
        other
    });
    let cut = (0..snapshot.len()).map(|end| snapshot[..end].to_vec());
    for bad in flipped.step_by(7).chain(cut.step_by(7)) {
        let host = calls.host();
        host.storage.0.lock().unwrap().insert(owner.clone(), bad.clone());
        assert_eq!(code(&calls.call(&host, "run")), Code::StorageDamaged, "{bad:?}");
        assert_eq!(host.storage.0.lock().unwrap()[&owner], bad);
        assert!(sent(&host).is_empty() && !files(&host, "upper").contains_key("new"));
        assert!(verified(&host.log.lines()).0.open.is_empty());
    }
}

#[test]
fn a_host_that_hands_out_what_it_verified_under_another_hash_runs_nothing() {
    let calls = Calls::new();
    let host = calls.host();
    let other = support::package("org.example.other", support::SILENT_GUEST);
    let other = Gatekeeper::new(support::trust(), support::now()).verify(&other).unwrap();
    host.verified.lock().unwrap().insert(calls.content_hash.clone(), other);
    assert_eq!(code(&calls.call(&host, "run")), Code::ContentHash);
    assert!(sent(&host).is_empty());
}
