//! The protocols `command` and `mcp`: manifests of command line programs, what becomes of a call's arguments,
//! and sessions with MCP servers.

use super::case::Case;
use super::package::{manifest, Package};
use super::run::{guest, run, saying, text_block};
use serde_json::{json, Value};

const VALUE: &str = "manifest.bad_value";

pub fn cases() -> Vec<Case> {
    let mut cases = manifests();
    cases.extend(calls());
    cases.extend(sessions());
    cases
}

/// A tool of a command line program: the text `s`, the number `n`, the switch `b`, the object `o`.
fn command(properties: &[&str], command: &Value) -> Value {
    let all = json!({
        "s": { "type": "string" }, "n": { "type": "integer" }, "b": { "type": "boolean" },
        "o": { "type": "object" }, "any": {}, "null": { "type": ["string", "null"] },
    });
    let chosen = properties.iter().map(|name| ((*name).to_owned(), all[*name].clone()));
    let mut manifest = manifest();
    manifest["runtime"]["protocol"] = json!("command");
    manifest["tools"][0]["parameters"] =
        json!({ "type": "object", "properties": chosen.collect::<serde_json::Map<_, _>>() });
    manifest["tools"][0]["command"] = command.clone();
    manifest
}

fn manifest_case(id: &str, manifest: &Value) -> Case {
    Package::new().with_manifest(manifest).case(6, &format!("manifest/command-{id}"))
}

fn manifests() -> Vec<Case> {
    let args = |args: Value| json!({ "args": args });
    let one_way = "A value has exactly one place, unsplit, or the manifest is refused.";
    let list = [
        ("no-object", "An array as `command`", "MAN-38", "manifest.wrong_type", vec![], json!([])),
        (
            "unknown-key",
            "A key that `command` does not have",
            "MAN-38",
            "manifest.unknown_key",
            vec![],
            json!({ "shell": "sh" }),
        ),
        (
            "args-text",
            "A whole command line in one text",
            "MAN-38",
            "manifest.wrong_type",
            vec!["s"],
            args(json!("-n {s}")),
        ),
        ("args-many", "65 items", "MAN-38 LIM-14", VALUE, vec![], args(json!(vec!["x"; 65]))),
        (
            "word-number",
            "A number as an argument of a command",
            "MAN-40",
            "manifest.wrong_type",
            vec![],
            args(json!([1])),
        ),
        (
            "word-long",
            "A command argument of 8,193 bytes",
            "MAN-40 LIM-16",
            VALUE,
            vec![],
            args(json!(["x".repeat(8193)])),
        ),
        ("group-empty", "A group of no words", "MAN-39", VALUE, vec![], args(json!([[]]))),
        (
            "group-single",
            "A group of one argument",
            "MAN-39",
            VALUE,
            vec!["s"],
            args(json!([["{s}"]])),
        ),
        (
            "group-long",
            "A group of nine words",
            "MAN-39 LIM-160",
            VALUE,
            vec!["s"],
            args(json!([["{s}", "", "", "", "", "", "", "", ""]])),
        ),
        (
            "group-literal",
            "A group with no value in it",
            "MAN-39",
            VALUE,
            vec!["s"],
            args(json!(["{s}", ["-a", "b"]])),
        ),
        (
            "group-nested",
            "A group in a group",
            "MAN-39",
            "manifest.wrong_type",
            vec!["s"],
            args(json!([["-a", ["-b", "{s}"]]])),
        ),
        (
            "condition-alone",
            "A condition outside of a group",
            "MAN-40",
            VALUE,
            vec!["b"],
            args(json!(["{?b}"])),
        ),
        (
            "part-option",
            "A placeholder after an option's equals sign",
            "MAN-41",
            VALUE,
            vec!["s"],
            args(json!(["{s}", "--x={s}"])),
        ),
        (
            "part-program",
            "A placeholder inside a program",
            "MAN-41",
            VALUE,
            vec!["s"],
            args(json!(["-c", "{s}", "print('{s}')"])),
        ),
        (
            "part-twice",
            "Two placeholders in one argument",
            "MAN-41",
            VALUE,
            vec!["s", "n"],
            args(json!(["{s}", "{n}", "{s}{n}"])),
        ),
        (
            "part-doubled",
            "A placeholder in double braces",
            "MAN-41",
            VALUE,
            vec!["s"],
            args(json!(["{s}", "{{s}}"])),
        ),
        (
            "name-unknown",
            "A placeholder of no property",
            "MAN-42",
            VALUE,
            vec![],
            args(json!(["{text}"])),
        ),
        (
            "name-case",
            "A placeholder in another case",
            "MAN-42",
            VALUE,
            vec!["s"],
            args(json!(["{S}"])),
        ),
        (
            "type-object",
            "An object as an argument",
            "MAN-42",
            VALUE,
            vec!["o"],
            args(json!(["{o}"])),
        ),
        (
            "type-null",
            "A property that may be null",
            "MAN-42",
            VALUE,
            vec!["null"],
            args(json!(["{null}"])),
        ),
        (
            "type-none",
            "A property of no stated type",
            "MAN-42",
            VALUE,
            vec!["any"],
            args(json!(["{any}"])),
        ),
        (
            "condition-text",
            "A text as a condition",
            "MAN-42",
            VALUE,
            vec!["s"],
            args(json!([["-s", "{?s}"]])),
        ),
        (
            "stdin-literal",
            "A text of the author as stdin",
            "MAN-43",
            VALUE,
            vec![],
            json!({ "stdin": "text" }),
        ),
        (
            "stdin-part",
            "A placeholder and a line feed as stdin",
            "MAN-43",
            VALUE,
            vec!["s"],
            json!({ "stdin": "{s}\n" }),
        ),
        (
            "stdin-condition",
            "A condition as stdin",
            "MAN-43",
            VALUE,
            vec!["b"],
            json!({ "stdin": "{?b}" }),
        ),
        (
            "unused",
            "A property that no placeholder names",
            "MAN-44",
            VALUE,
            vec!["s", "n"],
            args(json!(["{s}"])),
        ),
        (
            "status-none",
            "No exit status of success",
            "MAN-47",
            VALUE,
            vec![],
            json!({ "ok_exit_codes": [] }),
        ),
        (
            "status-twice",
            "An exit status twice",
            "MAN-47",
            VALUE,
            vec![],
            json!({ "ok_exit_codes": [0, 1, 0] }),
        ),
        (
            "status-256",
            "An exit status of 256",
            "MAN-47",
            VALUE,
            vec![],
            json!({ "ok_exit_codes": [0, 256] }),
        ),
        (
            "status-negative",
            "A negative exit status",
            "MAN-47",
            VALUE,
            vec![],
            json!({ "ok_exit_codes": [-1] }),
        ),
        (
            "status-number",
            "A number instead of a list of exit statuses",
            "MAN-47",
            "manifest.wrong_type",
            vec![],
            json!({ "ok_exit_codes": 1 }),
        ),
        ("unused-all", "Properties and an empty command", "MAN-44", VALUE, vec!["s"], json!({})),
    ];
    let mut cases: Vec<Case> = list
        .into_iter()
        .map(|(id, title, spec, code, properties, made)| {
            let case = manifest_case(id, &command(&properties, &made));
            case.says(title, one_way).spec(spec).refused(code)
        })
        .collect();
    let goes_with = "How a tool is run and how it is spoken to are one decision.";
    let good = command(&["s"], &json!({ "stdin": "{s}" }));
    let with = |pointer: &str, value: Value| {
        let mut manifest = good.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        manifest.pointer_mut(parent).expect("a parent")[name] = value;
        manifest
    };
    let mut without = good.clone();
    without["tools"][0].as_object_mut().expect("a tool").remove("command");
    for (id, title, code, made) in [
        (
            "with-json-rpc",
            "A command and the protocol json-rpc",
            "manifest.unknown_key",
            with("/runtime/protocol", json!("json-rpc")),
        ),
        (
            "with-mcp",
            "A command and the protocol mcp",
            "manifest.unknown_key",
            with("/runtime/protocol", json!("mcp")),
        ),
        ("missing", "The protocol command and no command", "manifest.missing_key", without),
        (
            "returns",
            "A command that promises another answer",
            "manifest.unknown_key",
            with("/tools/0/returns", json!({ "type": "object" })),
        ),
        (
            "calls",
            "A command with another name in the program",
            "manifest.unknown_key",
            with("/tools/0/calls", json!("echo")),
        ),
    ] {
        cases.push(manifest_case(id, &made).says(title, goes_with).spec("MAN-37").refused(code));
    }
    let every = json!({
        "args": ["-n", ["-m", "{n}"], ["-v", "{?b}"], "--", "{s}", "", "{}", "{ s }", "{s"],
        "stdin": "{o}", "ok_exit_codes": [0, 1, 255],
    });
    cases.push(
        manifest_case("accept", &command(&["s", "n", "b", "o"], &every))
            .says(
                "A command with every form of argument",
                "It is the parent of the faults in this group.",
            )
            .spec("MAN-37 MAN-38 MAN-39 MAN-40 MAN-41 MAN-42 MAN-43 MAN-44 MAN-47"),
    );
    cases
}

/// Writes its command line to stdout, a NUL after each argument, and then its stdin.
fn telling() -> Vec<u8> {
    let module = r#"(module
      (import "wasi_snapshot_preview1" "args_sizes_get" (func (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "args_get" (func (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "_start")
        (drop (call 0 (i32.const 0) (i32.const 12)))
        (drop (call 1 (i32.const 1024) (i32.const 2048)))
        (i32.store (i32.const 8) (i32.const 2048))
        (drop (call 3 (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))
        (i32.store (i32.const 12) (i32.const 32768))
        (drop (call 2 (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 12)))
        (drop (call 3 (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))"#;
    wat::parse_str(module).expect("a module")
}

fn program(exit_code: u32, stdout: &str, stderr: &str) -> Value {
    let mut content = text_block(stdout);
    if exit_code != 0 {
        let block = text_block(&format!("exit status {exit_code}: {stderr}"))[0].take();
        content.as_array_mut().expect("blocks").push(block);
    }
    json!({
        "content": content, "is_error": exit_code != 0,
        "structured_content": { "exit_code": exit_code, "stdout": stdout, "stderr": stderr },
    })
}

fn calls() -> Vec<Case> {
    let made = command(
        &["s", "n", "b", "any"],
        &json!({ "args": [["-m", "{n}"], ["-v", "{?b}"], "{s}", "--", "{any}"] }),
    );
    let mut made = made;
    made["tools"][0]["parameters"]["properties"]["any"] = json!({ "type": ["string", "number"] });
    let call = |id: &str, given: Value| {
        run(&format!("command-{id}"), &made, telling()).with("arguments", given)
    };
    let refused =
        "No value becomes something else than one argument in the place its author gave it.";
    let mut cases = Vec::new();
    for (id, title, spec, given, code) in [
        (
            "unknown",
            "An argument that the tool does not declare",
            "CMD-01",
            json!({ "S": "x" }),
            "request.bad_arguments",
        ),
        (
            "nul",
            "A NUL in an argument",
            "CMD-05",
            json!({ "s": "a\u{0}b" }),
            "request.bad_arguments",
        ),
        (
            "option",
            "A value that starts with a hyphen where a file is named",
            "CMD-06",
            json!({ "s": "--output=x" }),
            "request.bad_arguments",
        ),
        (
            "hyphen",
            "A hyphen alone where a file is named",
            "CMD-06",
            json!({ "s": "-" }),
            "request.bad_arguments",
        ),
        (
            "hyphens",
            "Two hyphens where a file is named",
            "CMD-06",
            json!({ "s": "--" }),
            "request.bad_arguments",
        ),
    ] {
        cases.push(call(id, given).says(title, refused).spec(spec).refused(code));
    }
    cases.push(
        call("too-large", json!({}))
            .with("fill", json!({ "member": "s", "letters": 2 << 20 }))
            .says("An argument of 2 MiB", "A command line has a limit on every system.")
            .spec("CMD-07 LIM-161")
            .refused("request.too_large"),
    );
    let whole = "A value is one argument, with any content.";
    for (id, title, spec, given, stdout) in [
        ("none", "No arguments", "CMD-03 CMD-04 CMD-08", json!({}), "tool.wasm|--|"),
        ("false", "A condition that is false", "CMD-03", json!({ "b": false }), "tool.wasm|--|"),
        (
            "all",
            "Every argument",
            "CMD-03 CMD-06",
            json!({ "n": -5, "b": true, "s": "a", "any": "-x" }),
            "tool.wasm|-m|-5|-v|a|--|-x|",
        ),
        (
            "shell",
            "What a shell would take apart",
            "CMD-02",
            json!({ "s": "; rm -rf \"$HOME\"\n'{n}' {n}" }),
            "tool.wasm|; rm -rf \"$HOME\"\n'{n}' {n}|--|",
        ),
        (
            "integer",
            "An integer written with a fraction",
            "CMD-02",
            json!({ "n": 1.0, "any": 1e15 }),
            "tool.wasm|-m|1|--|1000000000000000|",
        ),
        (
            "fraction",
            "A small fraction",
            "CMD-02",
            json!({ "any": 1e-7 }),
            "tool.wasm|--|0.0000001|",
        ),
    ] {
        cases.push(
            call(&format!("accept-{id}"), given).says(title, whole).spec(spec).answers(program(
                0,
                &stdout.replace('|', "\0"),
                "",
            )),
        );
    }
    let text = command(&["o"], &json!({ "stdin": "{o}" }));
    cases.push(
        run("command-accept-stdin", &text, telling())
            .with("arguments", json!({ "o": { "b": [1, "x"], "a": null } }))
            .says("A JSON document as stdin", "Programs that take documents read them there.")
            .spec("CMD-02 CMD-08")
            .answers(program(0, "tool.wasm\0{\"a\":null,\"b\":[1,\"x\"]}", "")),
    );
    let plain = command(&[], &json!({}));
    let said = "A program that ended by itself has answered.";
    let fails = guest("(call 2 (i32.const 2) (i32.const 7)) (call 1 (i32.const 2))", "no file");
    cases.push(
        run("command-accept-status", &plain, fails)
            .says("Status 2 and words on stderr", said)
            .spec("CMD-09 CMD-10")
            .answers(program(2, "", "no file")),
    );
    let fixes = "Linters that fix files, and diff, end with 1 in success.";
    for (id, title, codes, is_error) in [
        ("ok", "Status 2 among those of success", json!([0, 2]), false),
        ("not-ok", "Status 2 not among those of success", json!([0, 1]), true),
    ] {
        let made = command(&[], &json!({ "ok_exit_codes": codes }));
        let ends = guest("(call 2 (i32.const 2) (i32.const 7)) (call 1 (i32.const 2))", "no file");
        let mut answer = program(2, "", "no file");
        answer["is_error"] = json!(is_error);
        let case = run(&format!("command-accept-status-{id}"), &made, ends);
        cases.push(case.says(title, fixes).spec("MAN-47 CMD-10").answers(answer));
    }
    let half = guest("(call 2 (i32.const 1) (i32.const 2))", "\u{e9}").into_iter();
    // The second byte of the letter, whose first byte is then incomplete.
    let half: Vec<u8> = half.map(|byte| if byte == 0xa9 { b'x' } else { byte }).collect();
    cases.push(
        run("command-accept-bytes", &plain, half)
            .says(
                "A byte on stdout that is not UTF-8",
                "Bytes that are not UTF-8 are reported, not dropped.",
            )
            .spec("CMD-10")
            .answers(program(0, "\u{fffd}x", "")),
    );
    cases.push(
        run(
            "command-trap",
            &plain,
            guest("(call 2 (i32.const 1) (i32.const 4)) unreachable", "half"),
        )
        .says("A trap after some output", "A trapped run has no response.")
        .spec("CMD-09")
        .refused("tool.trap"),
    );
    cases
}

fn sessions() -> Vec<Case> {
    let mut server = manifest();
    server["runtime"]["protocol"] = json!("mcp");
    let greeting = json!({ "jsonrpc": "2.0", "id": 1, "result": { "protocolVersion": "2025-06-18",
        "capabilities": { "tools": {} }, "serverInfo": { "name": "echo", "version": "1.0.0" } } })
    .to_string();
    let answer = json!({ "jsonrpc": "2.0", "id": 2, "result": { "content": text_block("fine") } })
        .to_string();
    let both = format!("{greeting}\n{answer}\n");
    let refuses = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#;
    let asks = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    let why = "A client takes one answer to its call from a session that began as it should.";
    let mut cases = Vec::new();
    for (id, title, spec, stdout, code) in [
        (
            "log-line",
            "A log line that is not a message",
            "MCP-02",
            format!("started\n{both}"),
            "tool.bad_answer",
        ),
        (
            "batch",
            "Both responses in a batch",
            "MCP-02",
            format!("[{greeting},{answer}]\n"),
            "tool.bad_answer",
        ),
        (
            "one-line",
            "Two messages on one line",
            "MCP-02",
            format!("{greeting}{answer}\n"),
            "tool.bad_answer",
        ),
        (
            "duplicate-key",
            "Two ids in one message",
            "MCP-02 JSON-02",
            both.replace("\"id\":2", "\"id\":2,\"id\":2"),
            "tool.bad_answer",
        ),
        (
            "request",
            "A request of the server with the id of the call",
            "MCP-03 MCP-06",
            format!("{greeting}\n{asks}\n"),
            "tool.no_answer",
        ),
        (
            "id",
            "The answer to another call",
            "MCP-04",
            both.replace("\"id\":2", "\"id\":3"),
            "tool.bad_answer",
        ),
        (
            "id-text",
            "The id of the call as a text",
            "MCP-04",
            both.replace("\"id\":2", "\"id\":\"2\""),
            "tool.bad_answer",
        ),
        (
            "id-null",
            "An answer to nothing",
            "MCP-04",
            both.replace("\"id\":2", "\"id\":null"),
            "tool.bad_answer",
        ),
        (
            "two",
            "Two answers to the call",
            "MCP-04",
            format!("{both}{answer}\n"),
            "tool.two_answers",
        ),
        (
            "greeting-two",
            "Two answers to initialize",
            "MCP-04",
            format!("{greeting}\n{both}"),
            "tool.two_answers",
        ),
        ("greeting-none", "No answer to initialize", "MCP-05", answer.clone(), "tool.bad_answer"),
        (
            "greeting-error",
            "An error in answer to initialize",
            "MCP-05",
            format!("{refuses}\n{answer}\n"),
            "tool.bad_answer",
        ),
        (
            "greeting-version",
            "A revision that has no initialize",
            "MCP-05",
            both.replace("2025-06-18", "2026-07-28"),
            "tool.bad_answer",
        ),
        (
            "greeting-nameless",
            "A server that does not say what it is",
            "MCP-05",
            both.replace("serverInfo", "server"),
            "tool.bad_answer",
        ),
        ("none", "Nothing on stdout of a server", "MCP-06", String::new(), "tool.no_answer"),
        (
            "form-feed",
            "A form feed on a line of its own",
            "MCP-02 BOX-71",
            format!("\u{c}\n{both}"),
            "tool.bad_answer",
        ),
        (
            "greeting-alone",
            "An answer to initialize alone",
            "MCP-06",
            greeting.clone(),
            "tool.no_answer",
        ),
        (
            "no-content",
            "A result without content blocks",
            "MCP-06",
            both.replace("\"content\"", "\"text\""),
            "tool.bad_answer",
        ),
    ] {
        cases.push(
            run(&format!("mcp-{id}"), &server, saying(&stdout))
                .says(title, why)
                .spec(spec)
                .refused(code),
        );
    }
    let exits = |text: &str| {
        let say = format!("(call 2 (i32.const 1) (i32.const {}))", text.len());
        guest(&format!("{say} (call 1 (i32.const 1))"), text)
    };
    cases.push(
        run("mcp-exit", &server, exits(&greeting))
            .says("Status 1 without an answer", why)
            .spec("MCP-07")
            .refused("tool.exit_status"),
    );
    let fine = json!({ "content": text_block("fine"), "is_error": false });
    for (id, title, spec, module) in [
        (
            "session",
            "A session and its answer",
            "MCP-01 MCP-02 MCP-04 MCP-05 MCP-06",
            saying(&both),
        ),
        (
            "other-messages",
            "An answer among a log, a request and blank lines",
            "MCP-02 MCP-03",
            saying(&format!("{log}\n\n{asks}\n{both}\r\n{log}")),
        ),
        (
            "order",
            "The answer to the call first",
            "MCP-04",
            saying(&format!("{answer}\n{greeting}")),
        ),
        (
            "revision",
            "A server of an older revision",
            "MCP-05",
            saying(&both.replace("2025-06-18", "2024-11-05")),
        ),
        ("exit", "Status 1 after the answer", "MCP-07", exits(&both)),
    ] {
        cases.push(
            run(&format!("mcp-accept-{id}"), &server, module)
                .says(title, why)
                .spec(spec)
                .answers(fine.clone()),
        );
    }
    cases
}
