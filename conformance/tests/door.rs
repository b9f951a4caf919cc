//! The door in the whole pipeline: what is recorded of it, what a failed call leaves behind it, what is kept
//! together with files, and what a killed program or a full disk does to that.

use crate::cli::{at_terminal, Place};
use crate::support::{self, call, call_with, code, Folder, Host};
use crate::tools;
use mpp::door::{Exchange, HttpResponse, HttpTransport, TransportError};
use mpp::runtime::{Person, Question, Reply};
use mpp::{Code, PermissionPolicy};
use serde_json::{json, Value};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A guest that makes these requests, perhaps a file in the first directory, and then ends.
fn guest(requests: &[Value], file: bool, end: &str) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let (mut at, mut data, mut calls) = (4096, String::new(), String::new());
    for request in requests {
        let request = request.to_string();
        data += &format!("(data (i32.const {at}) \"{}\")\n", escape(&request));
        calls += &format!(
            "(if (i32.lt_s (call $request (i32.const {at}) (i32.const {})) (i32.const 2)) (then unreachable))\n",
            request.len()
        );
        at += request.len();
    }
    let answer = match end {
        "error" => {
            let result = json!({ "content": [{ "type": "text", "text": "no" }], "isError": true });
            json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()
        }
        _ => support::response("done"),
    };
    let last = match end {
        "trap" => "unreachable",
        "exit" => "(call $exit (i32.const 3))",
        "loop" => "(loop $l (br $l))",
        _ => "",
    };
    let make = "(if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 7) (i32.const 9)
        (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)) (then (call $exit (i32.const 8))))
        (call $put (i32.load (i32.const 16)) (i32.const 64) (i32.const 7))";
    format!(
        r#"(module
  (import "mpp_v1" "request" (func $request (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 32)
  (data (i32.const 64) "new.txt")
  (data (i32.const 1024) "{}")
  {data}
  (func $put (param $fd i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then (call $exit (i32.const 9)))))
  (func (export "_start")
    {calls}
    {}
    (call $put (i32.const 1) (i32.const 1024) (i32.const {}))
    {last}))"#,
        escape(&answer),
        if file { make } else { "" },
        answer.len(),
    )
}

fn set(key: &str, value: &str) -> Value {
    json!({ "service": "kv", "op": "set", "key": key, "value": value })
}

fn manifest() -> Value {
    let mut manifest = support::manifest("org.example.keeper");
    manifest["capabilities"] = json!({
        "network": ["api.example.com"], "filesystem": { "write": ["/out"] },
        "storage": { "limit_kb": 1024 },
    });
    manifest["runtime"]["timeout_ms"] = json!(3000);
    manifest["runtime"]["fuel"] = json!(50_000_000);
    manifest
}

fn package(requests: &[Value], file: bool, end: &str) -> Vec<u8> {
    support::package_with(&manifest(), &guest(requests, file, end))
}

fn policy(out: &Folder) -> PermissionPolicy {
    PermissionPolicy::new().trust_package("org.example.keeper").map_directory("/out", out.path())
}

/// The one file of kept texts.
fn kept_file(home: &Path) -> Option<PathBuf> {
    let names = fs::read_dir(home.join("kv")).ok()?.map(|entry| entry.unwrap().path());
    let mut files = names.filter(|path| path.extension().is_some_and(|it| it == "json"));
    let file = files.next();
    assert_eq!(files.next(), None);
    file
}

fn kept(home: &Path) -> Value {
    let Some(file) = kept_file(home) else { return json!({}) };
    let document: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    document["entries"].clone()
}

/// A network with one server that says always the same.
struct Server(Mutex<Vec<String>>);

impl HttpTransport for Server {
    fn resolve(
        &self,
        _: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        Ok(vec!["93.184.216.34".parse().unwrap()])
    }
    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        _: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        self.0.lock().unwrap().push(format!("{} {:?}", exchange.target, exchange.headers));
        Ok(HttpResponse { status: 204, headers: Vec::new(), body: Vec::new() })
    }
}

#[test]
fn the_record_says_what_was_asked_at_the_door_and_holds_no_value() {
    let (host, out) = (Host::new("door-record"), Folder::new("out"));
    let server = Arc::new(Server(Mutex::default()));
    let header = json!({ "host": "api.example.com", "name": "x-key", "value": "s3cr3t-value" });
    let policy = support::policy(json!({
        "trusted_packages": ["org.example.keeper"], "network": { "headers": [header] },
    }));
    let policy = policy.map_directory("/out", out.path());
    let runtime = host.runtime_with(policy).http_transport(Arc::clone(&server) as Arc<_>);
    let get = |url: &str| json!({ "service": "http", "url": url });
    let requests = [
        get("https://api.example.com/private-path"),
        get("https://api.example.com/private-path"),
        get("https://evil.example/private-path"),
        set("private-key", "private-value"),
        json!({ "service": "private-service" }),
    ];
    let answer = call(&runtime, &package(&requests, true, "")).unwrap();
    assert_eq!(server.0.lock().unwrap().len(), 2);
    assert!(server.0.lock().unwrap()[0].contains("s3cr3t-value"));
    let records = host.records();
    let intent = &records[0]["capabilities"];
    assert_eq!(intent[0], "reach api.example.com (with a secret x-key)");
    assert_eq!(intent[2], "keep up to 1024 KiB between calls");
    let expected = json!({ "http 2xx": 2, "http api.example.com": 2, "http http.undeclared": 1, "kv set": 1,
        "door.unknown_service": 1 });
    assert_eq!(records[1]["door"], expected);
    assert_eq!(records[1]["changes"], json!({ "bytes": 20, "set_key": 1, "write_file": 1 }));
    let log = fs::read_to_string(host.log()).unwrap();
    assert!(!log.contains("private") && !log.contains("s3cr3t") && !log.contains("evil"), "{log}");
    assert_eq!(
        answer.changes[1],
        json!({ "key": "private-key", "action": "set_key", "bytes": 13 })
    );
    assert_eq!(kept(&host.path("")), json!({ "private-key": "private-value" }));
    let without = host.runtime_with(self::policy(&out));
    call(&without, &package(&[get("https://api.example.com/")], false, "")).unwrap();
    assert_eq!(
        host.records()[3]["door"],
        json!({ "http api.example.com": 1, "http http.no_transport": 1 })
    );
}

#[test]
fn a_call_that_fails_in_any_way_leaves_nothing() {
    let (host, out) = (Host::new("door-fails"), Folder::new("out"));
    let runtime = host.runtime_with(policy(&out));
    call(&runtime, &package(&[set("a", "old")], false, "")).unwrap();
    let requests = [set("a", "new"), set("b", "new")];
    let answer = call(&runtime, &package(&requests, true, "error")).unwrap();
    assert_eq!((answer.is_error, &answer.changes), (true, &json!([])));
    for (end, expected) in
        [("trap", Code::ToolTrap), ("exit", Code::ToolExit), ("loop", Code::ToolFuel)]
    {
        assert_eq!(code(&call(&runtime, &package(&requests, true, end))), expected);
    }
    assert_eq!(kept(&host.path("")), json!({ "a": "old" }));
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    for record in &host.records_of("outcome")[1..] {
        assert_eq!(record["changes"], json!({}));
        assert_eq!(record["door"], json!({ "kv set": 2 }));
    }
}

/// While the person looks at the changes, somebody else makes others.
struct Meanwhile<F: Fn()>(F);

impl<F: Fn()> Person for Meanwhile<F> {
    fn ask(&self, _: &Question) -> Reply {
        Reply::Agreed("test".to_owned())
    }
    fn agrees_to_changes(&self, _: &mpp::sandbox::Changes) -> bool {
        (self.0)();
        true
    }
}

#[test]
fn files_and_what_is_kept_are_changed_both_or_neither() {
    let (host, out) = (Host::new("door-both"), Folder::new("out"));
    let runtime = host.runtime_with(policy(&out));
    let both = package(&[set("a", "mine")], true, "");
    let with =
        |meanwhile: &dyn Fn()| call_with(&runtime, &both, "run", json!({}), &Meanwhile(meanwhile));
    let home = host.path("");
    // Another call has changed the same key.
    let theirs = || drop(call(&runtime, &package(&[set("a", "theirs")], false, "")).unwrap());
    assert_eq!(code(&with(&theirs)), Code::KvConflict);
    assert!(!out.path().join("new.txt").exists());
    assert_eq!(kept(&home), json!({ "a": "theirs" }));
    // Somebody has made a file of the same name.
    let file = out.path().join("new.txt");
    assert_eq!(code(&with(&|| fs::write(&file, "theirs").unwrap())), Code::HostCommit);
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
    assert_eq!(kept(&home), json!({ "a": "theirs" }));
    fs::remove_file(&file).unwrap();
    // What is to be kept can't be written.
    let new = kept_file(&home).unwrap().with_extension("json.new");
    assert_eq!(
        code(&with(&|| fs::create_dir_all(new.join("in-the-way")).unwrap())),
        Code::HostFile
    );
    assert!(!file.exists());
    fs::remove_dir_all(&new).unwrap();
    for record in host.records_of("outcome").iter().filter(|it| it["result"] != "ok") {
        assert_eq!(record["changes"], json!({}));
    }
    with(&|| ()).unwrap();
    assert!(file.exists());
    assert_eq!(kept(&home), json!({ "a": "mine" }));
}

#[test]
fn another_package_finds_nothing_and_a_new_version_what_the_old_one_kept() {
    let (host, out) = (Host::new("door-owners"), Folder::new("out"));
    let open = policy(&out).trust_package("org.example.other").auto_approve_low(true);
    let runtime = host.runtime_with(open);
    call(&runtime, &package(&[set("a", "1")], false, "")).unwrap();
    // Reading what is there and then writing it is no change; writing something else is one.
    let mut newer = manifest();
    newer["version"] = json!("1.0.1");
    let newer = support::package_with(&newer, &guest(&[set("a", "1")], false, ""));
    assert_eq!(call(&runtime, &newer).unwrap().changes, json!([]));
    let mut other = support::manifest("org.example.other");
    other["capabilities"] = json!({ "storage": { "limit_kb": 1 } });
    let other = support::package_with(&other, &guest(&[set("a", "1")], false, ""));
    assert_eq!(call(&runtime, &other).unwrap().changes[0]["action"], "set_key");
    assert_eq!(fs::read_dir(host.path("kv")).unwrap().count(), 4, "two files, each with its lock");
}

fn notes_place(name: &str) -> Place {
    let place = Place::new(name);
    fs::write(place.path("notes.mpp"), tools::package(&tools::committed().join("notes"))).unwrap();
    place
}

fn notes<'a>(tool: &'a str, arguments: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "notes.mpp", "--tool", tool, "--args", arguments], more].concat()
}

#[test]
fn what_a_command_keeps_the_next_one_finds_and_is_shown_before_it_is_done() {
    let place = notes_place("door-notes");
    let add = r#"{"title":"Tea","text":"Assam for ann@example.com"}"#;
    place.mpp(&notes("add_note", add, &[])).exits(1).says(&["policy.confirmation_required"]);
    let ran = place.mpp(&notes("add_note", add, &["--yes", "--show-changes", "--json"])).exits(0);
    assert_eq!(ran.json()["structuredContent"], json!({ "id": 1 }));
    assert_eq!(ran.json()["changes"][1]["key"], "note/0000000001");
    ran.says(&["keep  next (1 bytes)", "keep  note/0000000001 (29 bytes)"]);
    place.mpp(&notes("read_note", r#"{"id":1}"#, &["--yes"])).exits(0).says(&["Assam for [EMAIL]"]);
    if let Some((status, screen)) =
        at_terminal(&place, &notes("clear", "{}", &["--show-changes"]), "yn")
    {
        assert_eq!(status, 1, "{screen}");
        assert!(screen.contains("keep up to 1024 KiB between calls"), "{screen}");
        assert!(screen.contains("offer the tool clear"), "{screen}");
        assert!(screen.contains("forget  note/0000000001"), "{screen}");
    }
    place.mpp(&notes("list_notes", "{}", &["--yes"])).exits(0).says(&["1: Tea"]);
    place.mpp(&notes("clear", "{}", &["--yes"])).exits(0).says(&["Notes deleted: 1"]);
    place.mpp(&notes("list_notes", "{}", &["--yes"])).exits(0).says(&["There are none."]);
    place.mpp(&["audit", "verify"]).exits(0);
}

#[test]
fn a_program_killed_while_it_keeps_something_leaves_what_was_kept() {
    let place = notes_place("door-killed");
    let text = "x".repeat(20_000);
    let add = format!(r#"{{"title":"Long","text":"{text}"}}"#);
    fs::write(place.path("add.json"), &add).unwrap();
    for _ in 0..2 {
        place.mpp(&notes("add_note", "@add.json", &["--yes"])).exits(0);
    }
    let file = kept_file(&place.path("home")).unwrap();
    let before = fs::read(&file).unwrap();
    for (limit, status) in
        [("ulimit -c 0; ulimit -f 90;", None), ("trap '' XFSZ; ulimit -f 90;", Some(4))]
    {
        let script =
            format!("{limit} exec \"$0\" run notes.mpp --tool add_note --args @add.json --yes");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_mpp")]);
        let ran = command
            .current_dir(place.path(""))
            .env("MPP_HOME", place.path("home"))
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), status, "{ran:?}");
        assert_eq!(fs::read(&file).unwrap(), before);
    }
    let third = place.mpp(&notes("add_note", "@add.json", &["--yes", "--json"])).exits(0);
    assert_eq!(third.json()["structuredContent"]["id"], 3);
}

#[test]
fn several_programs_at_once_lose_no_note_that_was_said_to_be_kept() {
    let place = notes_place("door-several");
    let mut children: Vec<_> = (0..6)
        .map(|number| {
            let add = format!(r#"{{"title":"{number}","text":""}}"#);
            let mut command = place.command(&notes("add_note", &add, &["--yes"]));
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    let codes: Vec<_> = children.iter_mut().map(|it| it.wait().unwrap().code()).collect();
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 4))), "{codes:?}");
    let kept = kept(&place.path("home"));
    let done = codes.iter().filter(|code| **code == Some(0)).count();
    assert_eq!(kept.as_object().unwrap().len(), done + 1, "{kept}");
    assert_eq!(kept["next"], (done + 1).to_string());
}
