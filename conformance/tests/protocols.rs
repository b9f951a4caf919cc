//! The protocols `command` and `mcp` through the whole pipeline: what of a call reaches a program that
//! knows nothing of this runtime, and what of its words leaves.

use crate::support::{self, call, call_with, code, Host};
use mpp::package::manifest::{Manifest, Protocol};
use mpp::runtime::{CallResult, NoApprover, Runtime, ToolCall};
use mpp::sandbox::ToolInput;
use mpp::{CancelFlag, Code, Error};
use serde_json::{json, Value};

/// A program that writes its command line to stdout, each argument followed by a NUL, then its stdin, then
/// `text` to stderr; and that ends as `last` says.
fn telling(text: &str, last: &str) -> String {
    let data: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let length = text.len();
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 64)
  (data (i32.const 32768) "{data}")
  (func $recurse (call $recurse))
  (func $say (param $to i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 16) (local.get $at))
    (i32.store (i32.const 20) (local.get $length))
    (drop (call $write (local.get $to) (i32.const 16) (i32.const 1) (i32.const 24))))
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $args (i32.const 1024) (i32.const 65536)))
    (call $say (i32.const 1) (i32.const 65536) (i32.load (i32.const 4)))
    (loop
      (i32.store (i32.const 16) (i32.const 65536))
      (i32.store (i32.const 20) (i32.const 65536))
      (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 28)))
      (call $say (i32.const 1) (i32.const 65536) (i32.load (i32.const 28)))
      (br_if 0 (i32.load (i32.const 28))))
    (call $say (i32.const 2) (i32.const 32768) (i32.const {length}))
    {last}))"#
    )
}

/// A manifest of one command tool. All properties are optional.
fn manifest(properties: Value, command: Value) -> Value {
    let mut manifest = support::manifest("org.example.program");
    manifest["runtime"]["protocol"] = json!("command");
    manifest["runtime"]["memory_limit_mb"] = json!(16);
    manifest["runtime"]["output_limit_kb"] = json!(16384);
    manifest["tools"][0]["parameters"] = json!({ "type": "object", "properties": properties });
    manifest["tools"][0]["command"] = command;
    manifest["privacy_filters"] = json!({ "patterns": ["email"] });
    manifest
}

/// One of grep's size: options with and without values, a pattern, a text.
fn search() -> Value {
    let properties = json!({
        "pattern": { "type": "string" }, "limit": { "type": ["integer", "number"] },
        "label": { "type": "string" }, "invert": { "type": "boolean" }, "text": { "type": "string" },
        "file": { "type": "string" }, "after": { "type": "string" },
    });
    let command = json!({
        "args": ["-n", ["-m", "{limit}"], ["--label", "{label}"], ["{?invert}", "-v"], "{file}", "",
                 "--", "{pattern}", "{after}", "{ print $1 }"],
        "stdin": "{text}",
    });
    let mut manifest = manifest(properties, command);
    manifest["runtime"]["args"] = json!(["--color=never"]);
    manifest
}

/// What a call makes of its arguments, without running anything.
fn request(manifest: &Value, arguments: &Value) -> Result<ToolInput, Error> {
    let manifest = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
    ToolInput::new(Protocol::Command, &manifest.tools[0], arguments, None)
}

fn tell(manifest: &Value, arguments: Value) -> Result<CallResult, Error> {
    let host = Host::new("command");
    let package = support::package_with(manifest, &telling("", ""));
    call_with(&host.runtime(), &package, "run", arguments, &NoApprover)
}

/// The command line and the stdin that the program saw.
fn seen(answer: &CallResult) -> (Vec<String>, String) {
    let stdout = answer.structured_content.as_ref().unwrap()["stdout"].as_str().unwrap();
    let (args, stdin) = stdout.rsplit_once('\0').unwrap();
    (args.split('\0').map(str::to_owned).collect(), stdin.to_owned())
}

#[test]
fn the_program_sees_its_own_arguments_then_those_of_the_call_each_in_its_place() {
    let first = ["tool.wasm", "--color=never", "-n"];
    let last = ["{ print $1 }"];
    for (arguments, middle, stdin) in [
        (json!({}), vec!["", "--"], ""),
        (json!({ "pattern": "x", "text": "a\nb" }), vec!["", "--", "x"], "a\nb"),
        (json!({ "limit": 3 }), vec!["-m", "3", "", "--"], ""),
        (json!({ "limit": -3 }), vec!["-m", "-3", "", "--"], ""),
        (json!({ "invert": true }), vec!["-v", "", "--"], ""),
        (json!({ "invert": false }), vec!["", "--"], ""),
        (json!({ "label": "-v", "file": "" }), vec!["--label", "-v", "", "", "--"], ""),
        (json!({ "pattern": "-v", "after": "--x" }), vec!["", "--", "-v", "--x"], ""),
        (json!({ "pattern": "--" , "text": "-" }), vec!["", "--", "--"], "-"),
        (json!({ "pattern": "{limit}", "limit": 1 }), vec!["-m", "1", "", "--", "{limit}"], ""),
    ] {
        let answer = tell(&search(), arguments.clone()).unwrap();
        let expected: Vec<&str> = first.into_iter().chain(middle).chain(last).collect();
        assert_eq!(
            seen(&answer),
            (expected.iter().map(|s| (*s).to_owned()).collect(), stdin.into()),
            "{arguments}"
        );
        assert!(!answer.is_error);
        assert_eq!(answer.content.as_array().unwrap().len(), 1);
        let structured = answer.structured_content.unwrap();
        assert_eq!(structured["stdout"], answer.content[0]["text"]);
        assert_eq!((&structured["exit_code"], &structured["stderr"]), (&json!(0), &json!("")));
    }
}

const NASTY: [&str; 28] = [
    "",
    " ",
    "; rm -rf /",
    "$(id)",
    "`id`",
    "a b",
    "'",
    "\"",
    "\\",
    "\\0",
    "%00",
    "a\nb",
    "\r\n",
    "\t",
    "|",
    "&&",
    "> x",
    "*",
    "~",
    "{pattern}",
    "{?invert}",
    "$HOME",
    "\u{1f600}\u{200d}\u{1f4a9}",
    "\u{202e}x",
    "\u{feff}",
    "=x",
    "@x",
    "!x",
];

#[test]
fn whatever_a_value_holds_it_arrives_as_one_argument_and_whole() {
    for value in NASTY {
        let arguments = json!({ "pattern": value, "file": value, "label": value, "text": value });
        let (args, stdin) = seen(&tell(&search(), arguments).unwrap());
        let expected = [
            "tool.wasm",
            "--color=never",
            "-n",
            "--label",
            value,
            value,
            "",
            "--",
            value,
            "{ print $1 }",
        ];
        assert_eq!(
            (args, stdin.as_str()),
            (expected.map(str::to_owned).to_vec(), value),
            "{value:?}"
        );
    }
    let long = "x".repeat(1 << 20);
    let (args, stdin) = seen(&tell(&search(), json!({ "pattern": long, "text": long })).unwrap());
    assert_eq!((args[5] == long, args.len(), stdin == long), (true, 7, true));
}

#[test]
fn a_value_that_could_become_an_option_is_refused_wherever_its_author_did_not_expect_one() {
    for value in ["-", "--", "-x", "--option", "-1", "--output=/etc/passwd", "-\n", "-\u{1f600}"] {
        let result = tell(&search(), json!({ "file": value }));
        assert_eq!(code(&result), Code::RequestArguments, "{value}");
        assert!(!result.unwrap_err().to_string().contains("passwd"));
    }
    // Not behind an option of its own group, so it is not known what takes it.
    for args in [
        json!(["{x}"]),
        json!(["-e", "{x}"]),
        json!(["-", "{x}"]),
        json!(["x", "{x}", "--"]),
        json!([["--", "{x}"]]),
        json!([["-", "{x}"]]),
        json!([["x", "{x}"]]),
        json!([["{x}", "-e"]]),
        json!([["-e", "x", "{x}"]]),
        json!([["-e", "{y}", "{x}"]]),
        json!([["-e", "{y}", "--"], "{x}"]),
        json!([["--", "{y}"], "{x}"]),
        json!([["-a", "{x}"], ["{y}", "x"], "{x}"]),
    ] {
        let y = args.to_string().contains("{y}");
        let (mut properties, mut given) =
            (json!({ "x": { "type": "string" } }), json!({ "x": "-x" }));
        if y {
            (properties["y"], given["y"]) = (json!({ "type": "string" }), json!("y"));
        }
        let manifest = manifest(properties, json!({ "args": args }));
        assert_eq!(code(&request(&manifest, &given)), Code::RequestArguments, "{args}");
    }
    for args in [
        json!(["--", "{x}"]),
        json!(["-a", "--", "b", "{x}"]),
        json!([["-e", "{x}"]]),
        json!([["a", "--e", "{x}", "b"]]),
        json!(["--", ["a", "{x}"]]),
    ] {
        let manifest = manifest(json!({ "x": { "type": "string" } }), json!({ "args": args }));
        let request = request(&manifest, &json!({ "x": "-x" })).unwrap();
        assert!(request.args.contains(&"-x".to_owned()), "{args}");
    }
    let number = manifest(json!({ "n": { "type": "number" } }), json!({ "args": ["{n}"] }));
    for n in [json!(-1), json!(-0.5), json!(-0.0), json!(-1e300)] {
        assert_eq!(code(&request(&number, &json!({ "n": n }))), Code::RequestArguments, "{n}");
    }
}

#[test]
fn what_makes_no_command_line_is_refused_before_anything_runs() {
    let cases = [
        (json!({ "pattern": "a\0b" }), Code::RequestArguments),
        (json!({ "label": "\0" }), Code::RequestArguments),
        (json!({ "Pattern": "a" }), Code::RequestArguments),
        (json!({ "pattern": "a", "": 1 }), Code::RequestArguments),
        (json!({ "?invert": true }), Code::RequestArguments),
        (json!({ "pattern": 1 }), Code::RequestArguments),
        (json!({ "pattern": ["a"] }), Code::RequestArguments),
        (json!({ "pattern": null }), Code::RequestArguments),
        (json!({ "invert": "true" }), Code::RequestArguments),
        (json!(["a"]), Code::RequestArguments),
        (json!({ "pattern": "x".repeat(2 << 20) }), Code::RequestTooLarge),
        (
            json!({ "pattern": "x".repeat(1 << 20), "after": "x".repeat(1 << 20) }),
            Code::RequestTooLarge,
        ),
        (json!({ "text": "x".repeat((16 << 20) + 1) }), Code::RequestTooLarge),
    ];
    for (arguments, expected) in cases {
        let host = Host::new("refused");
        let package = support::package_with(&search(), &telling("", ""));
        let result = call_with(&host.runtime(), &package, "run", arguments.clone(), &NoApprover);
        assert_eq!(code(&result), expected, "{:.80}", arguments.to_string());
        assert_eq!(host.records_of("intent").len(), 0);
        assert_eq!(host.records_of("refused")[0]["code"], expected.as_str());
    }
    // NUL is allowed in stdin, which has a length.
    let request = request(&search(), &json!({ "text": "a\0b" })).unwrap();
    assert_eq!(request.stdin, b"a\0b");
}

/// A hundred thousand characters from an alphabet of trouble: a request is refused exactly if the rules say so,
/// and else holds every value once, whole, in its place.
#[test]
fn random_values_arrive_whole_or_are_refused_by_the_rule() {
    let mut state = 7_u64;
    let mut below = |end: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % end
    };
    let manifest = search();
    let (mut refused, mut accepted) = (0, 0);
    for _ in 0..4000 {
        let mut text = || {
            let length = below(12);
            let alphabet = [
                "-",
                "--",
                "{",
                "}",
                "?",
                "\0",
                " ",
                "\n",
                "'",
                "\"",
                "a",
                "\u{1f600}",
                "=",
                "limit",
            ];
            let pieces = (0..length).map(|_| alphabet[usize::try_from(below(14)).unwrap()]);
            pieces.collect::<String>()
        };
        let (file, pattern, label) = (text(), text(), text());
        let given = json!({ "file": file, "pattern": pattern, "label": label });
        let bad = [&file, &pattern, &label].iter().any(|value| value.contains('\0'))
            || file.starts_with('-');
        match request(&manifest, &given) {
            Ok(request) => {
                let expected = ["-n", "--label", &label, &file, "", "--", &pattern, "{ print $1 }"];
                assert_eq!(request.args, expected);
                assert!(!bad, "{given}");
                accepted += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Code::RequestArguments);
                assert!(bad, "{given}");
                refused += 1;
            }
        }
    }
    assert!(refused > 500 && accepted > 500, "{refused} {accepted}");
}

#[test]
fn values_of_each_type_have_one_text() {
    let properties = json!({ "x": { "type": ["string", "integer", "number", "boolean"] } });
    let manifest_of = |command: Value| manifest(properties.clone(), command);
    for (x, text) in [
        (json!("1.0"), "1.0"),
        (json!(1), "1"),
        (json!(1.0), "1"),
        (json!(1e2), "100"),
        (json!(1e15), "1000000000000000"),
        (json!(0.1), "0.1"),
        (json!(1e-7), "0.0000001"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(true), "true"),
        (json!(false), "false"),
    ] {
        let given = json!({ "x": x });
        let argument = request(&manifest_of(json!({ "args": ["{x}"] })), &given).unwrap();
        assert_eq!((argument.args, argument.stdin), (vec![text.to_owned()], Vec::new()));
        let stdin = request(&manifest_of(json!({ "stdin": "{x}" })), &given).unwrap();
        assert_eq!((stdin.args, stdin.stdin), (Vec::new(), text.as_bytes().to_vec()));
    }
    for x in ["18446744073709551616", "1e21", "-12345678901234567890123.5"] {
        let given: Value = serde_json::from_str(&format!("{{\"x\":{x}}}")).unwrap();
        let refused = request(&manifest_of(json!({ "args": ["{x}"] })), &given).map(drop);
        assert_eq!(support::code(&refused), Code::RequestArguments, "{x}");
    }
    let document =
        manifest(json!({ "x": { "type": ["object", "array"] } }), json!({ "stdin": "{x}" }));
    for (x, text) in
        [(json!({ "b": [1, "a\n"], "a": null }), r#"{"a":null,"b":[1,"a\n"]}"#), (json!([]), "[]")]
    {
        let stdin = request(&document, &json!({ "x": x })).unwrap().stdin;
        assert_eq!(String::from_utf8(stdin).unwrap(), text);
    }
}

/// The code and place of the refusal of a command tool, with its properties `s`, `n`, `b`, `o`, `any` as asked for.
fn manifest_refusal(properties: &[&str], command: Value) -> (Code, String) {
    let all = json!({
        "s": { "type": "string" }, "n": { "type": "integer" }, "b": { "type": "boolean" },
        "o": { "type": "object" }, "sn": { "type": ["string", "null"] }, "any": {}, "yes": true,
        "enum": { "enum": ["a"] }, "a b": { "type": "string" },
    });
    let chosen: Value = properties
        .iter()
        .map(|name| ((*name).to_owned(), all[*name].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let error = Manifest::parse(manifest(chosen, command.clone()).to_string().as_bytes())
        .expect_err(&command.to_string());
    let place = error.detail().split(": ").next().unwrap().to_owned();
    (error.code(), place.trim_start_matches("/tools/0/command").to_owned())
}

#[test]
fn commands_that_would_not_do_what_they_seem_to_say_are_refused() {
    let args = |args: Value| json!({ "args": args });
    for (properties, command, expected, place) in [
        // The object and its types.
        (vec![], json!([]), Code::ManifestType, ""),
        (vec![], json!({ "arg": [] }), Code::ManifestUnknownKey, "/arg"),
        (vec![], json!({ "args": "-n" }), Code::ManifestType, "/args"),
        (vec![], args(json!([1])), Code::ManifestType, "/args/0"),
        (vec![], args(json!([{}])), Code::ManifestType, "/args/0"),
        (vec![], args(json!([null])), Code::ManifestType, "/args/0"),
        (vec!["s"], args(json!([["-s", ["{s}"]]])), Code::ManifestType, "/args/0/1"),
        (vec![], args(json!(vec!["x"; 65])), Code::ManifestValue, "/args"),
        (vec![], args(json!(["x".repeat(8193)])), Code::ManifestValue, "/args/0"),
        (vec![], args(json!(["a\0"])), Code::ManifestValue, "/tools/0/command/args/0"),
        // Groups.
        (vec![], args(json!([[]])), Code::ManifestValue, "/args/0"),
        (vec!["s"], args(json!([["{s}"]])), Code::ManifestValue, "/args/0"),
        (
            vec!["s"],
            args(json!([["{s}", "", "", "", "", "", "", "", ""]])),
            Code::ManifestValue,
            "/args/0",
        ),
        (vec!["s"], args(json!(["{s}", ["-a", "b"]])), Code::ManifestValue, "/args/1"),
        // Placeholders.
        (vec![], args(json!(["{s}"])), Code::ManifestValue, "/args/0"),
        (vec!["s"], args(json!(["{S}"])), Code::ManifestValue, "/args/0"),
        (vec!["s"], args(json!(["{s}", "{print}"])), Code::ManifestValue, "/args/1"),
        (vec!["s"], args(json!(["{s}", "--x={s}"])), Code::ManifestValue, "/args/1"),
        (vec!["s"], args(json!(["{s}", " {s}"])), Code::ManifestValue, "/args/1"),
        (vec!["s"], args(json!(["{s}", "{s}{s}"])), Code::ManifestValue, "/args/1"),
        (vec!["s"], args(json!(["{s}", "{{s}}"])), Code::ManifestValue, "/args/1"),
        (vec!["s", "b"], args(json!(["{s}", ["{b}", "x{?b}"]])), Code::ManifestValue, "/args/1/1"),
        // Types.
        (vec!["o"], args(json!(["{o}"])), Code::ManifestValue, "/args/0"),
        (vec!["sn"], args(json!(["{sn}"])), Code::ManifestValue, "/args/0"),
        (vec!["any"], args(json!(["{any}"])), Code::ManifestValue, "/args/0"),
        (vec!["yes"], args(json!(["{yes}"])), Code::ManifestValue, "/args/0"),
        (vec!["enum"], args(json!(["{enum}"])), Code::ManifestValue, "/args/0"),
        // Conditions.
        (vec!["b"], args(json!(["{?b}"])), Code::ManifestValue, "/args/0"),
        (vec!["s"], args(json!([["-s", "{?s}"]])), Code::ManifestValue, "/args/0/1"),
        (vec!["any"], args(json!([["-s", "{?any}"]])), Code::ManifestValue, "/args/0/1"),
        (vec![], args(json!([["-b", "{?b}"]])), Code::ManifestValue, "/args/0/1"),
        // Stdin.
        (vec![], json!({ "stdin": "text" }), Code::ManifestValue, "/stdin"),
        (vec![], json!({ "stdin": "" }), Code::ManifestValue, "/stdin"),
        (vec!["s"], json!({ "stdin": "{s}\n" }), Code::ManifestValue, "/stdin"),
        (vec!["b"], json!({ "stdin": "{?b}" }), Code::ManifestValue, "/stdin"),
        (vec!["any"], json!({ "stdin": "{any}" }), Code::ManifestValue, "/stdin"),
        (vec!["sn"], json!({ "stdin": "{sn}" }), Code::ManifestValue, "/stdin"),
        (vec![], json!({ "stdin": "{s}" }), Code::ManifestValue, "/stdin"),
        (vec!["s"], json!({ "stdin": ["{s}"] }), Code::ManifestType, "/stdin"),
        // What a caller is asked for and nothing gets.
        (vec!["s", "n"], args(json!(["{s}"])), Code::ManifestValue, ""),
        (vec!["s"], json!({}), Code::ManifestValue, ""),
        (vec!["a b"], args(json!(["{a b}"])), Code::ManifestValue, "/args/0"),
    ] {
        let found = manifest_refusal(&properties, command.clone());
        let place = place.trim_start_matches("/tools/0/command");
        assert_eq!(found, (expected, place.to_owned()), "{command}");
    }
}

#[test]
fn commands_of_common_programs_are_accepted() {
    let string = json!({ "type": "string" });
    for (properties, command) in [
        (json!({}), json!({})),
        (
            json!({ "filter": string, "document": { "type": "object" }, "raw": { "type": "boolean" } }),
            json!({ "args": ["-c", ["-r", "{?raw}"], "--", "{filter}"], "stdin": "{document}" }),
        ),
        (
            json!({ "table": string }),
            json!({ "args": ["-F", ",", "{print $1}"], "stdin": "{table}" }),
        ),
        (
            json!({ "n": string }),
            json!({ "args": ["{}", "{ n }", "{n: 1}", "}{", "n}", "{n", ["-v", "{n}"]] }),
        ),
        (json!({ "sql": string }), json!({ "args": ["-json", "/data/shop.db", "{sql}"] })),
        (json!({ "max-count": { "type": "integer" } }), json!({ "args": [["-m", "{max-count}"]] })),
    ] {
        let manifest = manifest(properties, command.clone());
        assert!(Manifest::parse(manifest.to_string().as_bytes()).is_ok(), "{command}");
    }
}

#[test]
fn a_command_goes_with_its_protocol_and_with_no_other() {
    let parse = |manifest: &Value| Manifest::parse(manifest.to_string().as_bytes());
    let good = search();
    assert!(parse(&good).is_ok());
    for protocol in ["json-rpc", "mcp"] {
        let mut other = good.clone();
        other["runtime"]["protocol"] = json!(protocol);
        assert_eq!(code(&parse(&other)), Code::ManifestUnknownKey, "{protocol}");
    }
    let mut silent = good.clone();
    silent["runtime"].as_object_mut().unwrap().remove("protocol");
    assert_eq!(code(&parse(&silent)), Code::ManifestUnknownKey);
    let mut without = good.clone();
    without["tools"][0].as_object_mut().unwrap().remove("command");
    assert_eq!(code(&parse(&without)), Code::ManifestMissingKey);
    let mut returning = good;
    returning["tools"][0]["returns"] = json!({ "type": "object" });
    assert_eq!(code(&parse(&returning)), Code::ManifestUnknownKey);
}

#[test]
fn a_status_other_than_zero_is_a_tool_that_failed_and_its_words_are_filtered() {
    let package_ending = |last: &str| {
        let manifest = manifest(json!({ "s": { "type": "string" } }), json!({ "args": ["{s}"] }));
        support::package_with(&manifest, &telling("no user ann@example.com", last))
    };
    for (last, status) in [
        ("(call $exit (i32.const 1))", 1_u32),
        ("(call $exit (i32.const 134))", 134),
        ("(call $exit (i32.const -1))", u32::MAX),
    ] {
        let host = Host::new("status");
        let arguments = json!({ "s": "bob@example.com" });
        let answer =
            call_with(&host.runtime(), &package_ending(last), "run", arguments, &NoApprover)
                .unwrap();
        assert!(answer.is_error);
        assert_eq!(answer.content[0]["text"], "tool.wasm\0[EMAIL]\0");
        assert_eq!(answer.content[1]["text"], format!("exit status {status}: no user [EMAIL]"));
        let expected = json!({ "exit_code": status, "stdout": "tool.wasm\0[EMAIL]\0", "stderr": "no user [EMAIL]" });
        assert_eq!(answer.structured_content, Some(expected));
        assert_eq!(host.records_of("outcome")[0]["result"], "tool_error");
    }
    for last in ["", "(call $exit (i32.const 0))"] {
        let answer = call(&Host::new("status").runtime(), &package_ending(last)).unwrap();
        assert!(!answer.is_error);
        assert_eq!(answer.content.as_array().unwrap().len(), 1, "stderr is not part of a response");
        assert_eq!(answer.structured_content.unwrap()["stderr"], "no user [EMAIL]");
    }
}

#[test]
fn a_program_that_breaks_a_limit_or_traps_has_not_answered() {
    for (last, expected) in [
        ("unreachable", Code::ToolTrap),
        ("(loop (br 0))", Code::ToolFuel),
        ("(call $recurse)", Code::ToolStack),
        ("(loop (call $say (i32.const 1) (i32.const 65536) (i32.const 65536)) (br 0))", Code::ToolOutput),
        ("(loop (call $say (i32.const 2) (i32.const 65536) (i32.const 65536)) (br 0))", Code::ToolErrorOutput),
        ("(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 9)) (i32.const 0)))) (call $exit (i32.const 1))", Code::ToolMemory),
    ] {
        let host = Host::new("limits");
        let package = support::package_with(&manifest(json!({}), json!({})), &telling("", last));
        assert_eq!(code(&call(&host.runtime(), &package)), expected, "{last}");
        assert_eq!(host.records_of("outcome")[0]["result"], expected.as_str());
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_the_answer_leaves() {
    // The bytes of a text guest are hex, so that of one invalid byte and one half character can be written.
    let guest = support::saying("a?b?").replace("\\61\\3f\\62\\3f", "\\61\\ff\\62\\e2\\82");
    let guest = guest.replace("(i32.const 4) (i32.const 4)", "(i32.const 4) (i32.const 5)");
    let package = support::package_with(&manifest(json!({}), json!({})), &guest);
    let answer = call(&Host::new("bytes").runtime(), &package).unwrap();
    assert_eq!(answer.content[0]["text"], "a\u{fffd}b\u{fffd}");
    let silent = support::package_with(&manifest(json!({}), json!({})), support::SILENT_GUEST);
    assert_eq!(call(&Host::new("bytes").runtime(), &silent).unwrap().content[0]["text"], "");
}

// The protocol `mcp`.

fn mcp_manifest() -> Value {
    let mut manifest = support::manifest("org.example.server");
    manifest["runtime"]["protocol"] = json!("mcp");
    manifest["runtime"]["output_limit_kb"] = json!(1024);
    manifest
}

fn greeting() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": { "protocolVersion": "2025-06-18",
        "capabilities": { "tools": {} }, "serverInfo": { "name": "test", "version": "1" } } })
}

fn result(result: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "result": result })
}

fn fine() -> Value {
    result(json!({ "content": [{ "type": "text", "text": "fine" }] }))
}

fn lines(messages: &[Value]) -> String {
    messages.iter().map(|message| format!("{message}\n")).collect()
}

/// What a server that says this has answered.
fn server(runtime: &Runtime, stdout: &str) -> Result<CallResult, Error> {
    call(runtime, &support::package_with(&mcp_manifest(), &support::saying(stdout)))
}

/// A server that answers if it reads exactly this from stdin, and traps if not.
fn expecting(stdin: &str) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let answer = lines(&[greeting(), fine()]);
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "{expected}")
  (data (i32.const 16384) "{said}")
  (func $next (result i32)
    (i32.store (i32.const 0) (i32.const 8192))
    (i32.store (i32.const 4) (i32.const 1))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.load (i32.const 8)))
  (func (export "_start") (local $at i32)
    (loop $each
      (if (i32.ne (call $next) (i32.const 1)) (then unreachable))
      (if (i32.ne (i32.load8_u (i32.const 8192)) (i32.load8_u offset=1024 (local.get $at))) (then unreachable))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $at) (i32.const {length}))))
    (if (call $next) (then unreachable))
    (i32.store (i32.const 0) (i32.const 16384))
    (i32.store (i32.const 4) (i32.const {said_length}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        expected = escape(stdin),
        said = escape(&answer),
        length = stdin.len(),
        said_length = answer.len()
    )
}

#[test]
fn a_server_reads_one_whole_session_and_then_the_end() {
    let session = concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","#,
        r#""capabilities":{},"clientInfo":{"name":"mpp","version":"1.0"}}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"run","arguments":{"a":"x\ny"}}}"#,
        "\n"
    );
    let host = Host::new("session");
    let runtime = host.runtime();
    let answer = |arguments: Value| {
        let package = support::package_with(&mcp_manifest(), &expecting(session));
        let call = ToolCall::new("run", arguments);
        runtime.call(&package, &call, &NoApprover, &CancelFlag::default())
    };
    assert_eq!(answer(json!({ "a": "x\ny" })).unwrap().content[0]["text"], "fine");
    // The guest does check what it reads.
    assert_eq!(code(&answer(json!({ "a": "x\nz" }))), Code::ToolTrap);
    assert_eq!(code(&answer(json!({ "a": "x\ny", "b": 1 }))), Code::ToolTrap);
}

#[test]
fn a_program_reads_its_own_name_of_the_tool_and_agents_use_the_other() {
    for (protocol, id) in [("mcp", 2), ("json-rpc", 1)] {
        let mut manifest = mcp_manifest();
        manifest["runtime"]["protocol"] = json!(protocol);
        manifest["tools"][0]["name"] = json!("run-it");
        manifest["tools"][0]["calls"] = json!("files/run \"it\"");
        let parsed = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
        let (tool, arguments) = (&parsed.tools[0], json!({ "name": "run-it" }));
        let input = ToolInput::new(parsed.runtime.protocol, tool, &arguments, None).unwrap();
        let sent = String::from_utf8(input.stdin).unwrap();
        let request: Value = serde_json::from_str(sent.lines().last().unwrap()).unwrap();
        let expected = json!({ "name": "files/run \"it\"", "arguments": arguments });
        assert_eq!((&request["params"], &request["id"]), (&expected, &json!(id)), "{protocol}");
        // Only the name is a tool of the package.
        let package = support::package_with(&manifest, &support::saying(&lines(&[fine()])));
        let host = Host::new("calls");
        let other =
            call_with(&host.runtime(), &package, "files/run \"it\"", json!({}), &NoApprover);
        assert_eq!(code(&other), Code::RequestTool);
    }
}

#[test]
fn an_answer_is_found_among_everything_else_that_a_server_may_say() {
    let log = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "x" } });
    let ping = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    let sampling =
        json!({ "jsonrpc": "2.0", "id": "s-1", "method": "sampling/createMessage", "params": {} });
    let host = Host::new("found");
    let runtime = host.runtime();
    for stdout in [
        lines(&[greeting(), fine()]),
        lines(&[fine(), greeting()]),
        lines(&[log.clone(), greeting(), log.clone(), ping, sampling, fine(), log]),
        lines(&[greeting(), fine()]).trim_end().to_owned(),
        lines(&[greeting(), fine()]).replace('\n', "\r\n"),
        format!("\n \n{}\n\t\n", lines(&[greeting(), fine()])),
    ] {
        let answer = server(&runtime, &stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
        assert_eq!(answer.content, json!([{ "type": "text", "text": "fine" }]));
        assert!(!answer.is_error && answer.structured_content.is_none());
    }
    for version in ["2024-11-05", "2025-03-26", "2025-11-25"] {
        let greeting = lines(&[greeting(), fine()]).replace("2025-06-18", version);
        assert!(server(&runtime, &greeting).is_ok(), "{version}");
    }
}

#[test]
fn what_a_server_says_about_failure_is_an_answer_and_filtered() {
    let runtime_of = Host::new("failure");
    let runtime = runtime_of.runtime();
    let reported = result(
        json!({ "content": [{ "type": "text", "text": "no ann@example.com" }], "isError": true }),
    );
    let error = json!({ "jsonrpc": "2.0", "id": 2, "error": { "code": -32602, "message": "no ann@example.com" } });
    for message in [reported, error] {
        let answer = server(&runtime, &lines(&[greeting(), message])).unwrap();
        assert!(answer.is_error);
        assert_eq!(answer.content[0]["text"], "no [EMAIL]");
    }
}

#[test]
fn a_session_with_no_one_right_answer_ends_in_its_code() {
    let with = |pointer: &str, value: Value| {
        let mut message = greeting();
        *message.pointer_mut(pointer).unwrap() = value;
        message
    };
    let id = |id: Value| {
        let mut message = fine();
        message["id"] = id;
        message
    };
    let mut faceless = greeting();
    faceless["result"].as_object_mut().unwrap().remove("serverInfo");
    let init_error =
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": "no" } });
    let both =
        json!({ "jsonrpc": "2.0", "id": 2, "result": {}, "error": { "code": 1, "message": "x" } });
    let response_only = json!({ "jsonrpc": "2.0", "id": 2 });
    let long = "x".repeat(200_000);
    let host = Host::new("none");
    let runtime = host.runtime();
    let (none, bad, two) = (Code::ToolNoAnswer, Code::ToolBadAnswer, Code::ToolTwoAnswers);
    for (name, stdout, expected) in [
        ("nothing", String::new(), none),
        ("white space", " \n\r\n\t".into(), none),
        ("a greeting alone", lines(&[greeting()]), none),
        ("notifications alone", lines(&[json!({ "jsonrpc": "2.0", "method": "x" })]), none),
        (
            "the call sent back as a request",
            lines(&[greeting(), json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call" })]),
            none,
        ),
        (
            "an answer that says it is a request",
            lines(&[greeting(), json!({ "jsonrpc": "2.0", "id": 2, "method": "x", "result": {} })]),
            none,
        ),
        ("an answer alone", lines(&[fine()]), bad),
        ("a refused greeting", lines(&[init_error.clone(), fine()]), bad),
        ("a refused greeting alone", lines(&[init_error]), bad),
        ("an empty greeting", lines(&[with("/result", json!({})), fine()]), bad),
        ("a null greeting", lines(&[with("/result", Value::Null), fine()]), bad),
        (
            "a revision without initialize",
            lines(&[with("/result/protocolVersion", json!("2026-07-28")), fine()]),
            bad,
        ),
        (
            "a revision that is a number",
            lines(&[with("/result/protocolVersion", json!(2025)), fine()]),
            bad,
        ),
        ("no capabilities", lines(&[with("/result/capabilities", json!([])), fine()]), bad),
        ("no server", lines(&[faceless, fine()]), bad),
        ("garbage", "hello\n".into(), bad),
        ("a log before", format!("started\n{}", lines(&[greeting(), fine()])), bad),
        ("a log behind", format!("{}bye\n", lines(&[greeting(), fine()])), bad),
        ("a byte order mark", format!("\u{feff}{}", lines(&[greeting(), fine()])), bad),
        ("half an answer", lines(&[greeting(), fine()])[..200].to_owned(), bad),
        (
            "a message over two lines",
            lines(&[greeting(), fine()]).replace(",\"result\"", ",\n\"result\""),
            bad,
        ),
        ("two messages on a line", lines(&[greeting(), fine()]).replacen('\n', "", 1), bad),
        (
            "a header before each",
            format!("Content-Length: 9\r\n\r\n{}", lines(&[greeting(), fine()])),
            bad,
        ),
        ("a batch", format!("{}\n", json!([greeting(), fine()])), bad),
        ("an answer in a batch", format!("{}{}\n", lines(&[greeting()]), json!([fine()])), bad),
        ("another id", lines(&[greeting(), id(json!(3))]), bad),
        ("another id beside", lines(&[greeting(), fine(), id(json!(0))]), bad),
        ("the id as a text", lines(&[greeting(), id(json!("2"))]), bad),
        ("the id as a fraction", lines(&[greeting(), id(json!(2.0))]), bad),
        ("id null", lines(&[greeting(), id(Value::Null)]), bad),
        ("id true", lines(&[greeting(), id(json!(true))]), bad),
        ("id in an array", lines(&[greeting(), id(json!([2]))]), bad),
        ("another version", lines(&[greeting(), fine()]).replace("\"2.0\"", "\"1.0\""), bad),
        ("neither result nor error", lines(&[greeting(), response_only]), bad),
        ("both", lines(&[greeting(), both]), bad),
        (
            "a method that is a number",
            lines(&[greeting(), fine(), json!({ "jsonrpc": "2.0", "method": 1 })]),
            bad,
        ),
        (
            "a member twice",
            lines(&[greeting()]) + r#"{"jsonrpc":"2.0","id":2,"id":2,"result":{"content":[]}}"#,
            bad,
        ),
        (
            "a member twice in a notification",
            lines(&[greeting(), fine()]) + r#"{"jsonrpc":"2.0","method":"x","method":"y"}"#,
            bad,
        ),
        ("a result that is a text", lines(&[greeting(), result(json!("fine"))]), bad),
        (
            "a result without content",
            lines(&[greeting(), result(json!({ "structuredContent": {} }))]),
            bad,
        ),
        ("content that is a text", lines(&[greeting(), result(json!({ "content": "fine" }))]), bad),
        ("content of texts", lines(&[greeting(), result(json!({ "content": ["fine"] }))]), bad),
        (
            "a question instead of a result",
            lines(&[greeting(), result(json!({ "resultType": "input_required" }))]),
            bad,
        ),
        (
            "structured content that is a list",
            lines(&[greeting(), result(json!({ "content": [], "structuredContent": [] }))]),
            bad,
        ),
        (
            "isError as a text",
            lines(&[greeting(), result(json!({ "content": [], "isError": "no" }))]),
            bad,
        ),
        (
            "an error without code",
            lines(&[greeting(), json!({ "jsonrpc": "2.0", "id": 2, "error": { "message": "x" } })]),
            bad,
        ),
        (
            "nested too deeply",
            format!(
                "{}{{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":{}{}}}",
                lines(&[greeting(), fine()]),
                "[".repeat(100),
                "]".repeat(100)
            ),
            bad,
        ),
        ("huge and no JSON", long, bad),
        ("two answers", lines(&[greeting(), fine(), fine()]), two),
        (
            "an answer and an error",
            lines(&[
                greeting(),
                fine(),
                json!({ "jsonrpc": "2.0", "id": 2, "error": { "code": 1, "message": "x" } }),
            ]),
            two,
        ),
        ("two greetings", lines(&[greeting(), greeting(), fine()]), two),
    ] {
        let wide = support::saying(&stdout)
            .replace("(memory (export \"memory\") 2)", "(memory (export \"memory\") 8)");
        let found = call(&runtime, &support::package_with(&mcp_manifest(), &wide))
            .map(|answer| answer.content);
        assert_eq!(found.map_err(|error| error.code()), Err(expected), "{name}");
    }
}

#[test]
fn an_answer_is_held_against_its_schema_for_a_server_too() {
    let mut manifest = mcp_manifest();
    manifest["tools"][0]["returns"] = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let host = Host::new("returns");
    let say = |structured: Value| {
        let answer = result(json!({ "content": [], "structuredContent": structured }));
        let guest = support::saying(&lines(&[greeting(), answer]));
        call(&host.runtime(), &support::package_with(&manifest, &guest))
    };
    assert_eq!(say(json!({ "n": 1 })).unwrap().structured_content, Some(json!({ "n": 1 })));
    assert_eq!(code(&say(json!({ "n": "1" }))), Code::ToolBadReturn);
    assert_eq!(code(&say(json!({}))), Code::ToolBadReturn);
}

#[test]
fn a_server_may_exit_as_it_likes_behind_its_answer_and_not_break_off() {
    let ending = |stdout: &str, last: &str| {
        let exit =
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory"#;
        let guest = support::saying(stdout).replacen("(memory", exit, 1);
        let guest = format!("{} {last}))", guest.strip_suffix("))").unwrap());
        let host = Host::new("exits");
        let result = call(&host.runtime(), &support::package_with(&mcp_manifest(), &guest));
        let recorded = host.records_of("outcome")[0]["result"].clone();
        (result, recorded)
    };
    let good = lines(&[greeting(), fine()]);
    for last in [
        "",
        "(call $exit (i32.const 0))",
        "(call $exit (i32.const 1))",
        "(call $exit (i32.const 255))",
    ] {
        let (result, recorded) = ending(&good, last);
        assert_eq!(result.unwrap().content[0]["text"], "fine", "{last}");
        assert_eq!(recorded, "ok");
    }
    for (stdout, last, expected) in [
        (good.as_str(), "unreachable", Code::ToolTrap),
        (&good, "(loop (br 0))", Code::ToolFuel),
        (&lines(&[greeting()]), "(call $exit (i32.const 1))", Code::ToolExit),
        ("garbage", "(call $exit (i32.const 1))", Code::ToolExit),
        (&lines(&[greeting(), fine(), fine()]), "(call $exit (i32.const 1))", Code::ToolExit),
        (&lines(&[greeting(), fine(), fine()]), "(call $exit (i32.const 0))", Code::ToolTwoAnswers),
    ] {
        let (result, recorded) = ending(stdout, last);
        assert_eq!((code(&result), recorded), (expected, json!(expected.as_str())), "{last}");
    }
}
