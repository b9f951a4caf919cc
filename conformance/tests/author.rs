//! `mpp check` and `mpp dev` as an author meets them, and projects that were made to harm.

use crate::cli::{Place, Ran};
use crate::support::{self, response, saying};
use serde_json::{json, Value};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

/// A project `p` whose module is this guest, with a build script that does nothing.
fn project(place: &Place, manifest: &Value, guest: &str) -> PathBuf {
    let path = place.path("p");
    fs::create_dir_all(path.join("package")).unwrap();
    for (name, content) in support::contents_with(manifest, guest) {
        fs::write(path.join("package").join(name), content).unwrap();
    }
    build_script(&path, "#!/bin/sh\necho built\n");
    path
}

fn build_script(project: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    // Atomically, since a watch could see half of it.
    let path = project.with_extension("new-build");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(path, project.join("build")).unwrap();
}

fn fine(place: &Place) -> PathBuf {
    let manifest = support::manifest("org.example.fine");
    project(place, &manifest, &saying(&response("mail ann@example.com")))
}

fn cases(project: &std::path::Path, cases: Value) {
    fs::write(project.join("tests.json"), cases.to_string()).unwrap();
}

/// The findings of `mpp check p`, which ends with this status.
#[track_caller]
fn findings(place: &Place, status: i32) -> Vec<Value> {
    let ran = place.mpp(&["check", "p", "--json"]).exits(status);
    assert_eq!(ran.err, "");
    let findings = ran.json().as_array().unwrap().clone();
    for finding in &findings {
        for member in ["file", "severity", "code", "message", "help"] {
            assert_ne!(finding[member].as_str().unwrap(), "", "{member} of {finding}");
        }
        assert!(finding["line"].is_u64() && finding["column"].is_u64(), "{finding}");
    }
    findings
}

fn codes(findings: &[Value]) -> Vec<&str> {
    findings.iter().map(|it| it["code"].as_str().unwrap()).collect()
}

#[track_caller]
fn has(findings: &[Value], code: &str, part: &str) {
    let is = |it: &&Value| it["code"] == code && it.to_string().contains(part);
    assert!(findings.iter().any(|it| is(&it)), "no {code} with {part:?} in {findings:#?}");
}

#[track_caller]
fn dev(place: &Place, words: &[&str]) -> Ran {
    place.mpp(&[&["dev", "p"], words].concat())
}

#[test]
fn a_project_without_fault_has_no_finding() {
    let place = Place::new("check-fine");
    fine(&place);
    assert_eq!(findings(&place, 0), Vec::<Value>::new());
    place.mpp(&["check", "p"]).exits(0).says(&["nothing found; 2 files", "risk none (0 points)"]);
    place.mpp(&["check", "p/package"]).exits(0);
}

#[test]
fn every_fault_of_a_manifest_is_reported_with_its_line() {
    let place = Place::new("check-all");
    let project = fine(&place);
    let manifest = r#"{
  "mpp_version": "1.0", "id": "Org", "version": "1",
  "description": "x", "extra": 1,
  "runtime": { "target": "wasm32-wasip1", "fule": 3, "timeout_ms": "1" },
  "capabilities": { "network": ["*.a.example", "b.example", "10.0.0.1"] },
  "tools": [
    { "name": "1", "description": "x\u202e", "sensitivity": "rad",
      "parameters": { "type": "object", "properties": {}, "required": ["a", "b"], "x-y": 1 } },
    { "name": "ok", "description": "x", "sensitivity": "read",
      "parameters": { "type": "object", "definitions": {} } },
    { "name": "OK", "parameters": [] }
  ],
  "privacy_filters": { "patterns": ["emial"], "custom": [{ "name": "x", "pattern": "(" }] }
}"#;
    fs::write(project.join("package/manifest.json"), manifest).unwrap();
    let found = findings(&place, 1);
    let expected = [
        (2, "manifest.bad_value", "/id"),
        (2, "manifest.bad_value", "/version"),
        (1, "manifest.missing_key", "/name"),
        (3, "manifest.unknown_key", "/extra"),
        (4, "manifest.unknown_key", "/runtime/fule"),
        (4, "manifest.wrong_type", "/runtime/timeout_ms"),
        (5, "manifest.bad_value", "/capabilities/network/0"),
        (5, "manifest.bad_value", "/capabilities/network/2"),
        (7, "manifest.bad_value", "/tools/0/name"),
        (7, "manifest.bad_value", "/tools/0/description"),
        (7, "manifest.bad_value", "/tools/0/sensitivity"),
        (8, "manifest.bad_value", "/tools/0/parameters/required/0"),
        (8, "manifest.bad_value", "/tools/0/parameters/required/1"),
        (8, "manifest.schema_unsupported", "/tools/0/parameters/x-y"),
        (10, "manifest.schema_unsupported", "/tools/1/parameters/definitions"),
        (11, "manifest.bad_value", "/tools/2: duplicate"),
        (11, "manifest.wrong_type", "/tools/2/parameters"),
        (11, "manifest.missing_key", "/tools/2/description"),
        (11, "manifest.missing_key", "/tools/2/sensitivity"),
        (13, "manifest.privacy_pattern", "/privacy_filters/patterns/0"),
        (13, "manifest.bad_value", "/privacy_filters/custom/0/name"),
        (13, "manifest.privacy_pattern", "/privacy_filters/custom/0/pattern"),
    ];
    for (line, code, start) in expected {
        let is =
            |it: &&Value| it["code"] == code && it["message"].as_str().unwrap().starts_with(start);
        let finding = found.iter().find(is);
        let finding = finding.unwrap_or_else(|| panic!("no {code} {start} in {found:#?}"));
        assert_eq!(finding["line"], line, "{finding}");
    }
    let errors = found.iter().filter(|it| it["severity"] == "error").count();
    assert_eq!(errors, expected.len(), "{found:#?}");
}

#[test]
fn what_follows_from_an_unknown_protocol_is_no_fault_of_its_own() {
    let place = Place::new("check-protocol");
    let mut manifest = support::manifest("org.example.p");
    manifest["runtime"]["protocol"] = json!("comand");
    manifest["tools"][0]["command"] = json!({ "args": ["x"] });
    project(&place, &manifest, support::SILENT_GUEST);
    assert_eq!(codes(&findings(&place, 1)), ["manifest.bad_value"]);
    manifest["runtime"]["protocol"] = json!("command");
    manifest["tools"][0]["parameters"]["properties"] = json!({ "a": { "type": "string" } });
    manifest["tools"][0]["extra"] = json!(1);
    project(&place, &manifest, support::SILENT_GUEST);
    let found = findings(&place, 1);
    assert_eq!(codes(&found), ["manifest.bad_value", "manifest.unknown_key"], "{found:?}");
    has(&found, "manifest.bad_value", "no placeholder");
    // A repair without effect is not repeated: this property has the name of a keyword.
    let mut manifest = support::manifest("org.example.p");
    manifest["tools"][0]["parameters"]["properties"] = json!({ "required": { "x": 1, "type": 2 } });
    project(&place, &manifest, support::SILENT_GUEST);
    let found = findings(&place, 1);
    assert_eq!(codes(&found), ["manifest.wrong_type", "manifest.schema_unsupported"], "{found:?}");
}

#[test]
fn a_manifest_that_is_no_json_or_has_a_key_twice_is_refused_with_its_place() {
    let place = Place::new("check-json");
    let project = fine(&place);
    let path = project.join("package/manifest.json");
    let good = fs::read_to_string(&path).unwrap();
    for (bytes, part) in [
        (b"{\n \"id\": }".to_vec(), "line 2"),
        (b"".to_vec(), "EOF"),
        (b"\xff\xfe{}".to_vec(), "text"),
        (b"{\"a\": \"\xff\"}".to_vec(), "line 1"),
        (vec![b'['; 100_000], "at line 1"),
        (vec![b' '; 20_000_000], "limit"),
    ] {
        fs::write(&path, bytes).unwrap();
        let found = findings(&place, 1);
        assert_eq!(codes(&found), ["manifest.syntax"], "{found:?}");
        has(&found, "manifest.syntax", part);
    }
    let twice = good.replacen('{', "{ \"id\": \"org.example.a\",\n \"id\": 3,", 1);
    fs::write(&path, twice).unwrap();
    let found = findings(&place, 1);
    let duplicates: Vec<&Value> =
        found.iter().filter(|it| it["code"] == "manifest.syntax").collect();
    assert_eq!(duplicates.len(), 2, "{found:?}");
    assert_eq!(duplicates[0]["line"], 2);
}

/// The pointers of all values in a document.
fn pointers(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    let mut below = |key: &str, value: &Value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        pointers(value, &format!("{pointer}/{key}"), found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value));
        }
        _ => {}
    }
}

/// One value of a manifest is replaced, and a second one together with it.
#[test]
fn the_check_refuses_what_the_runtime_refuses_and_nothing_else() {
    let place = Place::new("check-all-values");
    let tools = crate::tools::committed();
    let path = place.path("p");
    fs::create_dir_all(path.join("package")).unwrap();
    let values = [json!(null), json!([]), json!({ "type": "x" }), json!("\u{202e}"), json!(-1)];
    for (name, step) in [("markdown", 3), ("fetch_page", 5)] {
        let source = tools.join(name);
        let good: Value =
            serde_json::from_slice(&fs::read(source.join("manifest.json")).unwrap()).unwrap();
        fs::copy(source.join("tool.wasm"), path.join("package/tool.wasm")).unwrap();
        let mut all = Vec::new();
        pointers(&good, "", &mut all);
        for (number, pointer) in all.iter().enumerate().step_by(step) {
            let mut manifest = good.clone();
            let value = &values[number / step % values.len()];
            *manifest.pointer_mut(pointer).unwrap() = value.clone();
            if let Some(other) = manifest.pointer_mut(&all[number * 7 % all.len()]) {
                *other = json!(true);
            }
            let text = manifest.to_string();
            fs::write(path.join("package/manifest.json"), &text).unwrap();
            let first = mpp::Manifest::parse(text.as_bytes()).err();
            let ran = place.mpp(&["check", "p", "--json"]);
            let found = ran.json();
            let found = found.as_array().unwrap();
            assert!(ran.status <= 1 && !ran.out.to_lowercase().contains("repaired"), "{}", ran.out);
            assert_eq!(
                ran.status == 1,
                codes(found).iter().any(|it| it.starts_with("m")),
                "{text}"
            );
            if let Some(error) = first {
                assert!(codes(found).contains(&error.code().as_str()), "{error}: {found:#?}");
            }
            assert!(found.len() < 60, "a repair without end: {text}");
        }
    }
}

#[test]
fn columns_count_characters() {
    let place = Place::new("check-columns");
    let project = fine(&place);
    fs::write(project.join("package/manifest.json"), r#"{"é\"": [{"}": 1}], "zz/~": 2}"#).unwrap();
    let found = findings(&place, 1);
    let column = |part: &str| {
        let is = |it: &&Value| it["message"].as_str().unwrap().starts_with(part);
        found.iter().find(is).unwrap()["column"].as_u64().unwrap()
    };
    assert_eq!((column("/é"), column("/zz~1~0"), column("/tools")), (2, 21, 1));
}

#[test]
fn imports_and_capabilities_that_do_not_fit_are_reported() {
    let place = Place::new("check-imports");
    let importing = |module: &str, name: &str| {
        format!(
            r#"(module (import "{module}" "{name}" (func (param i32 i32) (result i32)))
                (memory (export "memory") 1) (func (export "_start")))"#
        )
    };
    let manifest = support::manifest("org.example.p");
    project(&place, &manifest, &importing("env", "emscripten_x"));
    let found = findings(&place, 1);
    has(&found, "module.unknown_import", "env.emscripten_x");
    project(&place, &manifest, &importing("mpp_v1", "request"));
    let found = findings(&place, 1);
    has(&found, "module.unknown_import", "capabilities.network");
    assert!(found[0]["file"].as_str().unwrap().ends_with("manifest.json"));
    let mut manifest = support::manifest("org.example.p");
    manifest["capabilities"] = json!({
        "network": ["a.example"], "filesystem": { "read": ["/d"] }, "environment": ["X"],
        "storage": { "limit_kb": 1 },
    });
    project(&place, &manifest, support::SILENT_GUEST);
    let found = findings(&place, 0);
    for member in ["network", "filesystem", "environment", "storage"] {
        has(&found, "capability.unused", &format!("capabilities.{member}"));
    }
    has(&found, "risk", "without it: ");
    project(&place, &support::manifest("org.example.p"), "(module (memory (export \"memory\") 1))");
    has(&findings(&place, 1), "module.missing_export", "_start");
    project(
        &place,
        &support::manifest("org.example.p"),
        "(module (memory (export \"memory\") 80) (func (export \"_start\")))",
    );
    let found = findings(&place, 1);
    has(&found, "module.memory", "manifest.json");
}

#[test]
fn what_clients_refuse_is_a_warning_at_the_tool() {
    let place = Place::new("check-clients");
    let mut manifest = support::manifest("org.example.p");
    manifest["tools"][0]["name"] = json!("n".repeat(60));
    manifest["tools"][0]["parameters"]["anyOf"] = json!([{}]);
    project(&place, &manifest, support::SILENT_GUEST);
    let found = findings(&place, 0);
    has(&found, "client.refuses", "anyOf");
    has(&found, "client.refuses", "at most 50");
}

#[test]
fn the_risk_says_what_the_level_is_without_each_member() {
    let place = Place::new("check-risk");
    let mut manifest = support::manifest("org.example.p");
    manifest["capabilities"] = json!({ "environment": ["X", "Y"] });
    manifest["tools"][0]["sensitivity"] = json!("destructive");
    project(&place, &manifest, support::SILENT_GUEST);
    let found = findings(&place, 0);
    let notes: Vec<&Value> = found.iter().filter(|it| it["severity"] == "note").collect();
    assert_eq!(notes.len(), 2, "{found:#?}");
    has(&found, "risk", "adds 30 of the 80 risk points");
    has(&found, "risk", "without it: 30 points, medium");
}

#[test]
fn files_that_nobody_means_to_sign_are_found() {
    let place = Place::new("check-entries");
    let project = fine(&place);
    let assets = project.join("package/assets");
    for name in
        ["__pycache__/a.pyc", ".git/config", "node_modules/x/y", "b.pyc", ".DS_Store", "a.bak"]
    {
        let path = assets.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let found = findings(&place, 0);
    for name in ["__pycache__", ".git", "node_modules", "b.pyc", ".DS_Store", "a.bak"] {
        has(&found, "entry.unmeant", name);
    }
    for name in [".env", "me.key", "id_ed25519"] {
        fs::write(assets.join(name), "x").unwrap();
        has(&findings(&place, 1), "entry.secret", name);
        fs::remove_file(assets.join(name)).unwrap();
    }
    fs::write(assets.join("a.txt"), support::author().to_pem()).unwrap();
    has(&findings(&place, 1), "entry.secret", "private key");
    fs::write(assets.join("a.txt"), "a PRIVATE KEY----- in a text").unwrap();
    findings(&place, 0);
}

#[test]
fn links_fifos_and_what_is_no_package_file_are_refused_and_not_read() {
    let place = Place::new("check-links");
    let project = fine(&place);
    let package = project.join("package");
    fs::create_dir(package.join("assets")).unwrap();
    fs::write(place.path("outside"), support::author().to_pem()).unwrap();
    std::os::unix::fs::symlink("../../../outside", package.join("assets/link")).unwrap();
    std::os::unix::fs::symlink("../..", package.join("assets/up")).unwrap();
    std::os::unix::fs::symlink("/nowhere", package.join("LICENSE")).unwrap();
    let status =
        std::process::Command::new("mkfifo").arg(package.join("assets/fifo")).status().unwrap();
    assert!(status.success());
    fs::write(package.join("notes.txt"), "x").unwrap();
    fs::create_dir(package.join("src")).unwrap();
    fs::write(package.join("assets/a b"), "x").unwrap();
    fs::write(package.join("assets/A.txt"), "x").unwrap();
    fs::write(package.join("assets/a.txt"), "x").unwrap();
    fs::write(package.join("second.wasm"), "x").unwrap();
    let found = findings(&place, 1);
    for name in ["assets/link", "assets/up", "LICENSE", "assets/fifo", "notes.txt", "src"] {
        has(&found, "structure.unknown_entry", name);
    }
    has(&found, "archive.name", "a b");
    has(&found, "archive.name_collision", "a.txt");
    has(&found, "structure.unknown_entry", "second module");
    assert!(!codes(&found).contains(&"entry.secret"), "a link was followed: {found:?}");
    // The manifest and the module themselves.
    for name in ["manifest.json", "tool.wasm"] {
        let path = package.join(name);
        let content = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        has(&findings(&place, 1), "structure.unknown_entry", name);
        fs::remove_file(&path).unwrap();
        fs::write(&path, content).unwrap();
    }
}

#[test]
fn names_that_are_no_utf_8_or_hold_escapes_reach_no_terminal() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new("check-names");
    let project = fine(&place);
    let package = project.join("package");
    fs::create_dir(package.join("assets")).unwrap();
    fs::write(package.join(std::ffi::OsStr::from_bytes(b"assets/\xff")), "x").unwrap();
    fs::write(package.join("assets/\x1b[2Jx\nerror[fake]: y"), "x").unwrap();
    let ran = place.mpp(&["check", "p"]).exits(1).says(&["not UTF-8", "archive.name"]);
    assert!(!ran.out.contains('\x1b') && !ran.out.contains("\nerror[fake]"), "{}", ran.out);
    findings(&place, 1);
}

#[test]
fn a_directory_without_a_package_is_refused() {
    let place = Place::new("check-none");
    place.mpp(&["check", "nowhere"]).exits(1).says(&["host.file", "nowhere"]);
    fs::create_dir(place.path("p")).unwrap();
    has(&findings(&place, 1), "structure.missing_entry", "manifest.json");
    fs::create_dir(place.path("p/package")).unwrap();
    has(&findings(&place, 1), "structure.missing_entry", ".wasm");
    fs::write(place.path("file"), "x").unwrap();
    place.mpp(&["check", "file"]).exits(1).says(&["host.file"]);
}

#[test]
fn text_fits_sixty_columns() {
    let place = Place::new("check-wide");
    let mut manifest = support::manifest("org.example.p");
    manifest["capabilities"] = json!({ "network": ["a.example", "*.b"], "storage": {} });
    manifest["id"] = json!("X");
    project(&place, &manifest, support::SILENT_GUEST);
    let mut command = place.command(&["check", "p"]);
    let ran = Ran::of(command.env("COLUMNS", "60").output().unwrap()).exits(1);
    let longest = ran.out.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest <= 60, "{longest}: {}", ran.out);
}

#[test]
fn cases_pass_or_show_a_difference() {
    let place = Place::new("dev-cases");
    let project = fine(&place);
    let params = json!({ "name": "run", "arguments": {} });
    let case = |title: &str, more: Value| {
        let mut case = json!({ "title": title, "params": params });
        case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        case
    };
    cases(
        &project,
        json!([
            case("fits", json!({ "isError": false, "text": "mail ann@example.com" })),
            case("contains", json!({ "textContains": "ann@" })),
            case("nothing expected", json!({})),
        ]),
    );
    dev(&place, &[]).exits(0).says(&[
        "pass fits (",
        " fuel, ",
        "1 email redacted",
        "3 passed, 0 failed",
    ]);
    cases(
        &project,
        json!([
            case("text", json!({ "text": "mail\nbob@example.com" })),
            case("part", json!({ "textContains": "bob" })),
            case("error", json!({ "isError": true })),
            case("code", json!({ "errorCode": -32602 })),
            case("structure", json!({ "structuredContent": { "a": [1] } })),
        ]),
    );
    let ran = dev(&place, &[]).exits(1);
    for part in [
        "FAIL text",
        "- bob@example.com",
        "+ mail ann@example.com",
        "FAIL part",
        "FAIL error",
        "- true",
        "FAIL code",
        "- -32602",
        "FAIL structure",
        "+ null",
        "0 passed, 5 failed",
    ] {
        assert!(ran.out.contains(part), "no {part:?} in {}", ran.out);
    }
    let run = dev(&place, &["--json"]).exits(1).json();
    assert_eq!(run["cases"][0]["passed"], false);
    assert!(run["cases"][0]["fuel_used"].as_u64().unwrap() > 0);
    assert_eq!(run["cases"][0]["redacted"]["email"]["count"], 1);
}

#[test]
fn a_run_leaves_home_and_trust_as_they_were_and_no_home_of_its_own() {
    let place = Place::new("dev-home");
    let project = fine(&place);
    cases(&project, json!([{ "params": { "name": "run", "arguments": {} } }]));
    let temporary = place.path("tmp");
    fs::create_dir(&temporary).unwrap();
    let home = place.path("home");
    let state = |directory: &PathBuf| {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|item| {
                let item = item.unwrap();
                (item.file_name(), item.metadata().unwrap().modified().unwrap())
            })
            .collect();
        names.sort();
        names
    };
    let before = state(&home);
    for words in [&["dev", "p"][..], &["dev", "p", "--tool", "run"], &["check", "p"]] {
        let mut command = place.command(words);
        Ran::of(command.env("TMPDIR", &temporary).output().unwrap()).exits(0);
    }
    assert_eq!(state(&home), before);
    assert_eq!(state(&temporary), []);
    // Without a home at all.
    let mut command = place.command(&["dev", "p"]);
    let none = place.path("none");
    Ran::of(command.env("MPP_HOME", &none).output().unwrap()).exits(0);
    assert!(!none.exists());
}

#[test]
fn a_single_call_shows_its_answer_and_what_a_host_would_refuse() {
    let place = Place::new("dev-call");
    let project = fine(&place);
    dev(&place, &["--tool", "run"]).exits(0).says(&["answer run", "mail [EMAIL]"]);
    let call = dev(&place, &["--tool", "run", "--json"]).exits(0).json();
    assert_eq!(call["cases"][0]["content"][0]["text"], "mail [EMAIL]");
    dev(&place, &["--tool", "none", "--args", "{}"]).says(&["a host refuses", "no tool"]);
    dev(&place, &["--tool", "run", "--args", "[1]"]).says(&["a host refuses"]);
    dev(&place, &["--tool", "run", "--args", "{"]).exits(2).says(&["--args is not JSON"]);
    dev(&place, &["--args", "{}"]).exits(2).says(&["--args needs --tool"]);
    dev(&place, &["--map", "/d"]).exits(2).says(&["--map"]);
    dev(&place, &["--map", "/d=/tmp"]).exits(2).says(&["--map /d", "does not request"]);
    dev(&place, &["--env", "X=1"]).exits(2).says(&["--env X", "does not request"]);
    fs::remove_file(project.join("build")).unwrap();
    dev(&place, &["--tool", "run", "--no-build"]).exits(0);
}

#[test]
fn a_tool_without_an_answer_shows_the_start_of_stdout_and_no_escapes() {
    let place = Place::new("dev-stdout");
    let manifest = support::manifest("org.example.p");
    project(&place, &manifest, &saying("\u{1b}[2JHello, this is not JSON\n"));
    let ran = dev(&place, &["--tool", "run"]).exits(3);
    assert!(ran.out.contains("tool.bad_answer") && ran.out.contains("stdout begins with"));
    assert!(
        ran.out.contains("Hello, this is not JSON") && !ran.out.contains('\x1b'),
        "{}",
        ran.out
    );
    let to_stderr = saying("\u{1b}]0;x\u{7} on stderr\n")
        .replace("$write (i32.const 1)", "$write (i32.const 2)");
    project(&place, &manifest, &to_stderr);
    let ran = dev(&place, &["--tool", "run"]).exits(3).says(&["tool.no_answer", "on stderr"]);
    assert!(!ran.out.contains('\x1b') && !ran.out.contains('\x07'), "{}", ran.out);
}

#[test]
fn a_guest_that_never_ends_fails_its_case_and_the_next_one_runs() {
    let place = Place::new("dev-endless");
    let mut manifest = support::manifest("org.example.p");
    manifest["runtime"]["fuel"] = json!(100_000);
    let project = project(
        &place,
        &manifest,
        r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#,
    );
    let params = json!({ "name": "run", "arguments": {} });
    cases(
        &project,
        json!([{ "title": "a", "params": params }, { "title": "b", "params": params }]),
    );
    dev(&place, &[]).exits(1).says(&["FAIL a", "tool.fuel_exhausted", "FAIL b", "2 failed"]);
}

#[test]
fn a_build_that_fails_or_is_missing_ends_the_run() {
    let place = Place::new("dev-build");
    let project = fine(&place);
    build_script(&project, "#!/bin/sh\necho compiling; echo broken >&2; exit 7\n");
    let ran = dev(&place, &["--tool", "run"]).exits(7).says(&["compiling", "broken", "status 7"]);
    assert!(!ran.out.contains("answer"), "{}", ran.out);
    let ran = dev(&place, &["--json"]).exits(7);
    assert_eq!(ran.json()["build"]["status"], 7);
    build_script(&project, "#!/bin/sh\nkill -9 $$\n");
    dev(&place, &[]).exits(1).says(&["the build ended"]);
    fs::remove_file(project.join("build")).unwrap();
    dev(&place, &[]).exits(4).says(&["p/build", "--no-build"]);
    fs::write(project.join("build"), "#!/bin/sh\n").unwrap();
    dev(&place, &[]).exits(4).says(&["chmod +x"]);
    fs::remove_file(project.join("build")).unwrap();
    fs::create_dir(project.join("build")).unwrap();
    dev(&place, &[]).exits(4).says(&["is not a file"]);
}

#[test]
fn a_package_with_a_fault_is_not_run() {
    let place = Place::new("dev-fault");
    let mut manifest = support::manifest("org.example.p");
    manifest["extra"] = json!(1);
    project(&place, &manifest, &saying(&response("ran")));
    let ran = dev(&place, &["--tool", "run"]).exits(1).says(&["manifest.unknown_key"]);
    assert!(!ran.out.contains("ran"), "{}", ran.out);
}

#[test]
fn without_tests_json_it_says_so_and_a_wrong_one_is_refused() {
    let place = Place::new("dev-tests");
    let project = fine(&place);
    dev(&place, &[]).exits(0).says(&["no p/tests.json"]);
    for (text, part) in [
        ("{}", "not a list"),
        ("[", "not JSON"),
        ("[1]", "case 1: is not an object"),
        (r#"[{"title": "x"}]"#, "case 1: neither"),
        (r#"[{"params": {"name": "run"}, "isEror": true}]"#, "unknown member"),
        (r#"[{"params": {"name": "run"}, "text": 1}]"#, "`text` is not a text"),
        (r#"[{"params": {"name": "run"}, "isError": 1}]"#, "isError"),
    ] {
        fs::write(project.join("tests.json"), text).unwrap();
        dev(&place, &[]).exits(2).says(&["tests.json", part]);
    }
    fs::remove_file(project.join("tests.json")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(project.join("tests.json")).status();
    assert!(fifo.unwrap().success());
    dev(&place, &[]).exits(2).says(&["is not a file"]);
}

/// With its pages, directories and storage, which is kept from case to case and from nothing before.
#[test]
fn the_committed_tools_pass_their_cases_and_a_second_time() {
    let place = Place::new("dev-tools");
    let tools = crate::tools::committed();
    let data = crate::tools::data_folder();
    let map = format!("/data={}", data.path().display());
    let all: Vec<Value> =
        serde_json::from_slice(&fs::read(tools.join("expected.json")).unwrap()).unwrap();
    for name in ["notes", "notes", "fetch_page", "sql_files", "text_diff"] {
        let path = place.path("p");
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("package")).unwrap();
        for file in ["manifest.json", "tool.wasm"] {
            fs::copy(tools.join(name).join(file), path.join("package").join(file)).unwrap();
        }
        let own: Vec<&Value> = all.iter().filter(|case| case["package"] == name).collect();
        assert!(own.len() > 3, "{name}");
        cases(&path, json!(own));
        let words =
            if name == "sql_files" { &["--no-build", "--map", &map][..] } else { &["--no-build"] };
        dev(&place, words).exits(0).says(&[&format!("{} passed, 0 failed", own.len())]);
    }
}

#[test]
fn without_its_directory_or_page_a_tool_finds_nothing_of_this_machine() {
    let place = Place::new("dev-empty");
    let tools = crate::tools::committed();
    let path = place.path("p");
    fs::create_dir_all(path.join("package")).unwrap();
    for name in ["sql_files", "fetch_page"] {
        for file in ["manifest.json", "tool.wasm"] {
            fs::copy(tools.join(name).join(file), path.join("package").join(file)).unwrap();
        }
        let manifest: Value =
            serde_json::from_slice(&fs::read(path.join("package/manifest.json")).unwrap()).unwrap();
        let tool = &manifest["tools"][0]["name"];
        let call = json!({ "name": tool, "arguments": {
            "file": "shop.sqlite", "url": "https://example.com/none" } });
        cases(&path, json!([{ "params": call, "web": {}, "isError": true }]));
        let run = dev(&place, &["--no-build", "--json"]).json();
        assert_eq!(run["cases"][0]["passed"], true, "{run}");
    }
}

#[test]
fn titles_and_answers_with_escapes_reach_no_terminal() {
    let place = Place::new("dev-escapes");
    let manifest = support::manifest("org.example.p");
    let project = project(&place, &manifest, &saying(&response("\u{1b}[31mred\u{7}\u{202e}")));
    let params = json!({ "name": "run", "arguments": {} });
    cases(
        &project,
        json!([{ "title": "\u{1b}[2J\npass all", "params": params, "text": "\u{9b}x" }]),
    );
    for words in [&[][..], &["--tool", "run"], &["--json"]] {
        let out = dev(&place, words).out;
        for wild in ['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}'] {
            assert!(!out.contains(wild), "{out:?}");
        }
        assert!(!out.contains("\npass all"), "{out:?}");
    }
}

#[test]
fn without_a_place_for_its_home_nothing_runs() {
    let place = Place::new("dev-tmp");
    fine(&place);
    let mut command = place.command(&["dev", "p", "--tool", "run"]);
    let ran = Ran::of(command.env("TMPDIR", place.path("none")).output().unwrap()).exits(4);
    assert!(ran.says(&["host.file", "mpp-dev-"]).out.is_empty());
}

#[test]
fn two_runs_at_once_do_not_meet() {
    let place = Place::new("dev-two");
    let project = fine(&place);
    let params = json!({ "name": "run", "arguments": {} });
    cases(&project, json!(vec![json!({ "params": params }); 20]));
    let start =
        || place.command(&["dev", "p"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children = [start().unwrap(), start().unwrap()];
    for child in children {
        Ran::of(child.wait_with_output().unwrap()).exits(0).says(&["20 passed, 0 failed"]);
    }
}

#[test]
fn a_watch_runs_again_after_a_change() {
    let place = Place::new("dev-watch");
    let project = fine(&place);
    let mut command = place.command(&["dev", "p", "--watch", "--json", "--tool", "run"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next()["cases"][0]["passed"], true);
    // What the build writes leads to one more run, and then to none.
    build_script(&project, "#!/bin/sh\ndate +%N >> generated\n");
    assert_eq!(next()["build"]["status"], 0);
    assert_eq!(next()["build"]["status"], 0);
    build_script(&project, "#!/bin/sh\nexit 3\n# longer than before\n");
    assert_eq!(next()["build"]["status"], 3);
    fs::remove_file(project.join("build")).unwrap();
    assert_eq!(next()["error"]["code"], "host.file");
    child.kill().unwrap();
    child.wait().unwrap();
}
