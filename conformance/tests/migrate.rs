//! `mpp migrate` with servers that answer, that do not, and that mean harm.

use crate::cli::{Place, Ran};
use serde_json::{json, Value};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A server as a shell script: `answers` has the lines that it prints after each line that it reads.
fn server(place: &Place, answers: &[&str]) -> String {
    let mut script = String::from("#!/bin/sh\n");
    for (index, answer) in answers.iter().enumerate() {
        fs::write(place.path(&format!("answer{index}")), format!("{answer}\n")).unwrap();
        let path = place.path(&format!("answer{index}"));
        script += &format!("read line\ncat {}\n", path.display());
        // The notification that follows the first answer has none.
        if index == 0 {
            script += "read line\n";
        }
    }
    script += "while read line; do :; done\n";
    let path = place.path("server.sh");
    fs::write(&path, script).unwrap();
    path.display().to_string()
}

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"Tried \u001b[2J server","version":"1"}}}"#;

fn migrate(place: &Place, script: &str, timeout_s: &str) -> Ran {
    let out = place.path("out").display().to_string();
    place.mpp(&["migrate", "--stdio", "--timeout-s", timeout_s, "-o", &out, "--", "sh", script])
}

/// Nothing is left behind by a command that failed.
fn assert_nothing_written(place: &Place) {
    let names = fs::read_dir(place.path("")).unwrap();
    let names: Vec<String> =
        names.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with("out")), "{names:?}");
}

fn tools_of(directory: &Path) -> Vec<Value> {
    let manifest = fs::read(directory.join("package/manifest.json")).unwrap();
    mpp::Manifest::parse(&manifest).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["tools"].as_array().unwrap().clone()
}

#[test]
fn a_server_is_asked_for_all_pages_and_noise_on_its_stdout_is_skipped() {
    let place = Place::new("migrate-pages");
    let first = "starting up\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\
        {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[{\"name\":\"a.b\"}],\"nextCursor\":\"p2\"}}";
    let second = r#"{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"c","inputSchema":{"type":"object"}}]}}"#;
    let script = server(&place, &[HELLO, first, second]);
    let ran = migrate(&place, &script, "20").exits(0);
    assert!(!ran.out.contains('\u{1b}'));
    let tools = tools_of(&place.path("out"));
    assert_eq!((tools.len(), &tools[0]["calls"]), (2, &json!("a.b")));
    assert_eq!(fs::read_to_string(place.path("out/tests.json")).unwrap(), "[]\n");
    assert!(fs::read_to_string(place.path("out/MIGRATION.md")).unwrap().contains("`a.b`"));
    // A second time the directory exists.
    migrate(&place, &script, "20").exits(2).says(&["already exists"]);
    // The command in one argument.
    let out = place.path("one").display().to_string();
    place.mpp(&["migrate", "--stdio", &format!("sh '{script}'"), "-o", &out]).exits(0);
}

#[test]
fn a_server_that_answers_nothing_garbage_errors_or_cursor_loops_is_ended_and_writes_nothing() {
    let page = r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a"}],"nextCursor":"x"}}"#;
    let again = page.replace("\"id\":2", "\"id\":3");
    let other = page.replace("\"tools\":[{\"name\":\"a\"}],", "");
    let refused =
        r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"no \u001b[31mkey"}}"#;
    let nameless = r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"title":"a"}]}}"#;
    for (name, answers, status, what) in [
        ("silent", vec![], 4, "in time"),
        ("garbage", vec!["\u{7f}\u{1}garbage"], 4, "in time (1 other"),
        ("hello-only", vec![HELLO], 4, "tools/list"),
        ("loop", vec![HELLO, page, &again], 4, "repeat"),
        ("no-tools", vec![HELLO, &other], 4, "no `tools`"),
        ("error", vec![HELLO, refused], 4, "key"),
        ("nameless", vec![HELLO, nameless], 2, "name"),
    ] {
        let place = Place::new(&format!("migrate-{name}"));
        let script = server(&place, &answers);
        let started = Instant::now();
        let ran = migrate(&place, &script, "1").exits(status).says(&[what]);
        assert!(!ran.err.contains('\u{1b}'), "{name}");
        assert!(started.elapsed() < Duration::from_secs(60), "{name}");
        assert_nothing_written(&place);
    }
}

#[test]
fn a_server_that_ends_shows_its_stderr_and_one_that_floods_is_stopped() {
    let place = Place::new("migrate-stderr");
    let script = place.path("server.sh").display().to_string();
    fs::write(&script, "printf 'API \\033[31mkey missing\\n' >&2; exit 1\n").unwrap();
    let ran = migrate(&place, &script, "20").exits(4).says(&["key missing"]);
    assert!(!ran.err.contains('\u{1b}'));
    fs::write(&script, "yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx & yes >&2\n").unwrap();
    migrate(&place, &script, "20").exits(4);
    // A server that leaves a child behind with the pipes open.
    fs::write(&script, "sleep 1000 & sleep 1000\n").unwrap();
    migrate(&place, &script, "1").exits(4);
    let missing = place.path("none").display().to_string();
    let out = place.path("out").display().to_string();
    place.mpp(&["migrate", "--stdio", &missing, "-o", &out]).exits(4);
    assert_nothing_written(&place);
}

#[test]
fn a_source_that_is_no_list_or_a_place_that_cannot_be_is_refused() {
    let place = Place::new("migrate-bad");
    let out = place.path("out").display().to_string();
    let list = place.path("list.json").display().to_string();
    let bad = ["", "{", "{}", "[]", "3", "[3]", "{\"tools\":3}", "\u{feff}[]", "[[[[[["];
    let deep = "[".repeat(100_000);
    for text in bad.into_iter().chain([deep.as_str()]) {
        fs::write(&list, text).unwrap();
        place.mpp(&["migrate", &list, "-o", &out]).exits(2);
    }
    fs::write(&list, r#"[{"name":"a"}]"#).unwrap();
    place.mpp(&["migrate", &list, "-o", &out, "--protocol", "command"]).exits(2);
    place.mpp(&["migrate", &list, "-o", &out, "--id", "x"]).exits(2);
    place.mpp(&["migrate", &list, &list, "-o", &out]).exits(2);
    place.mpp(&["migrate", "-o", &out]).exits(2);
    place.mpp(&["migrate", "--stdio", "-o", &out]).exits(2);
    place.mpp(&["migrate", &place.path("none").display().to_string(), "-o", &out]).exits(4);
    place.mpp(&["migrate", &list, "-o", &place.path("no/out").display().to_string()]).exits(4);
    place.mpp(&["migrate", &list, "-o", &place.path("7").display().to_string()]).exits(2);
    assert_nothing_written(&place);
    let piped = place.mpp_with_input(
        &["migrate", "-", "-o", &out, "--json"],
        br#"{"tools":[{"name":"a/b","x":1}]}"#,
    );
    let json = piped.exits(0).json();
    assert_eq!(json["tools"][0]["name"], "a_b");
    assert_eq!(json["changes"].as_array().unwrap().len(), 4);
}

#[test]
fn a_program_becomes_a_tool_with_its_options_and_a_broken_module_none() {
    let place = Place::new("migrate-program");
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/tools/markdown/tool.wasm");
    let out = place.path("out").display().to_string();
    place.mpp(&["migrate", "--command", module, "-o", &out]).exits(0);
    let tools = tools_of(&place.path("out"));
    let properties = &tools[0]["parameters"]["properties"];
    assert_eq!(properties["width"]["type"], "string");
    assert_eq!(properties["smart"]["type"], "boolean");
    let broken = place.path("broken.wasm").display().to_string();
    fs::write(&broken, "\0asm").unwrap();
    let other = place.path("out2").display().to_string();
    let ran = place.mpp(&["migrate", "--command", &broken, "-o", &other]);
    assert!(ran.status != 0 && !Path::new(&other).exists(), "{}", ran.out);
}
