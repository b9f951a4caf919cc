//! Ten thousand lines that no well-meaning client sends. Each gets the right error or silence, and the valid
//! request after each block is answered: by a server in this process, and by the built program.
//!
//! The right response to any line is computed here a second time, independent of the server's code.

use crate::mcp::{self, modern, session};
use mpp::limits::{MCP_DEPTH_MAX, MCP_ID_BYTES_MAX, MCP_LINE_BYTES_MAX};
use mpp::mcp::Server;
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Cursor, Write};
use std::process::{Command, Stdio};

/// What has to come of a line.
#[derive(Clone, Debug, PartialEq)]
enum Due {
    Silence,
    /// An error with this id and code.
    Error(Value, i64),
    /// A line that cannot be parsed: its id is null, or stands in the line.
    Unread,
    Result(Value),
}

const PARSE: i64 = -32700;
const REQUEST: i64 = -32600;
const METHOD: i64 = -32601;
const PARAMS: i64 = -32602;
const VERSION: i64 = -32022;

/// What a line deserves in a session of 2025-11-25.
fn due(line: &[u8]) -> Due {
    if line.len() > MCP_LINE_BYTES_MAX {
        return Due::Error(Value::Null, REQUEST);
    }
    if line.iter().all(|byte| b" \t\r\x0c".contains(byte)) {
        return Due::Silence;
    }
    // serde_json accepts duplicate names, which only one generator makes.
    let parsed: Result<Value, _> = serde_json::from_slice(line);
    let Some(message) = parsed.ok().filter(|value| depth(value) <= MCP_DEPTH_MAX) else {
        return Due::Unread;
    };
    // An array is never a batch, with any content.
    let Value::Object(members) = &message else { return Due::Error(Value::Null, REQUEST) };
    let answers = members.contains_key("result") || members.contains_key("error");
    if answers && !members.contains_key("method") {
        return Due::Silence;
    }
    let id = match members.get("id") {
        None => None,
        Some(Value::String(text)) if text.len() <= MCP_ID_BYTES_MAX => Some(json!(text)),
        Some(Value::Number(number)) if !number.is_f64() => Some(json!(number)),
        Some(number @ Value::Number(_)) => return Due::Error(number.clone(), REQUEST),
        Some(_) => return Due::Error(Value::Null, REQUEST),
    };
    let known = id.clone().unwrap_or(Value::Null);
    let invalid = Due::Error(known.clone(), REQUEST);
    if members.get("jsonrpc") != Some(&json!("2.0")) {
        return invalid;
    }
    let method = match members.get("method") {
        Some(Value::String(method)) => method,
        Some(_) => return invalid,
        None => return invalid,
    };
    let Some(id) = id else { return Due::Silence };
    let none = json!({});
    let params = members.get("params").unwrap_or(&none);
    if !params.is_object() {
        return Due::Error(id, PARAMS);
    }
    due_request(id, method, params)
}

fn due_request(id: Value, method: &str, params: &Value) -> Due {
    let meta = &params["_meta"];
    let modern = meta.get("io.modelcontextprotocol/protocolVersion");
    match modern {
        Some(version) if !version.is_string() => return Due::Error(id, PARAMS),
        Some(version) if version != "2026-07-28" => return Due::Error(id, VERSION),
        Some(_) if !meta["io.modelcontextprotocol/clientCapabilities"].is_object() => {
            return Due::Error(id, PARAMS)
        }
        _ => {}
    }
    let bad = |condition: bool, otherwise: Due| match condition {
        true => Due::Error(id.clone(), PARAMS),
        false => otherwise,
    };
    let answered = Due::Result(id.clone());
    match method {
        "ping" if modern.is_none() => answered,
        "initialize" if modern.is_none() => bad(!params["protocolVersion"].is_string(), answered),
        "server/discover" if modern.is_some() => answered,
        "tools/list" => {
            let cursor = &params["cursor"];
            let known = ["", "contact", "forever", "wait"].iter().any(|known| cursor == *known);
            bad(!cursor.is_null() && !known, answered)
        }
        // No generator names a tool that there is, so that all answers come in the order of the lines.
        "tools/call" => Due::Error(id, PARAMS),
        _ => Due::Error(id, METHOD),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn request(id: Value, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// Good lines, out of which bad ones are made.
fn models() -> Vec<Value> {
    let arguments = json!({ "text": "Grüße, \"so\" \\ \u{1F600}", "n": [1, -2.5e3, null, true] });
    let called = json!({ "name": "nothing", "arguments": arguments,
                         "_meta": { "progressToken": "t" } });
    vec![
        request(json!(1), "ping", json!({})),
        request(json!("two"), "tools/list", json!({ "cursor": "" })),
        request(json!(3), "tools/call", called.clone()),
        request(json!("four"), "tools/call", modern(called)),
        request(json!(5), "server/discover", modern(json!({}))),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
                "params": { "requestId": 3, "reason": "x" } }),
        json!({ "jsonrpc": "2.0", "id": "asked", "result": { "action": "accept" } }),
        json!({ "jsonrpc": "2.0", "id": "asked", "error": { "code": -1, "message": "no" } }),
    ]
}

/// Good lines in arrays, alone and beside others: what was a batch in one revision.
fn arrays() -> Vec<Vec<u8>> {
    let ping = request(json!(1), "ping", json!({}));
    let of = |model: Value| {
        let mut lines = vec![json!([model]), json!([[model]]), json!([model, null, model])];
        lines.push(json!([ping, model]));
        lines.push(Value::Array(vec![model; 200]));
        lines
    };
    let lines = models().into_iter().flat_map(of);
    lines.map(|line| line.to_string().into_bytes()).collect()
}

/// Every beginning of a line that is not the whole of it.
fn cut_off() -> Vec<Vec<u8>> {
    let lines = models().into_iter().map(|model| model.to_string().into_bytes());
    lines.flat_map(|line| (0..line.len()).map(move |end| line[..end].to_vec())).collect()
}

/// Every member of every model, replaced by values of every type, and left out.
fn wrong_types() -> Vec<Vec<u8>> {
    let values = [
        "null",
        "true",
        "0",
        "-1",
        "1.5",
        "1e3",
        "-0",
        "\"\"",
        "\"x\"",
        "\"2.0\"",
        "[]",
        "[1]",
        "{}",
        "{\"a\":{}}",
        "[[[]]]",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e400",
        "1e-400",
        "0.1",
        "01",
        "+1",
        "NaN",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"2026-07-28\"",
    ];
    let mut lines = Vec::new();
    for model in models() {
        for pointer in pointers(&model, "") {
            // A text that occurs nowhere else marks the place.
            let mut marked = model.clone();
            *marked.pointer_mut(&pointer).unwrap() = json!("\u{1}");
            let marked = marked.to_string();
            for value in values {
                lines.push(marked.replace("\"\\u0001\"", value).into_bytes());
            }
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let mut without = model.clone();
            let name = name.replace("~1", "/");
            if let Some(Value::Object(members)) = without.pointer_mut(parent) {
                members.remove(&name);
                lines.push(without.to_string().into_bytes());
            }
        }
    }
    lines
}

fn pointers(value: &Value, at: &str) -> Vec<String> {
    let Value::Object(members) = value else { return Vec::new() };
    let mut found = Vec::new();
    for (name, below) in members {
        let pointer = format!("{at}/{}", name.replace('/', "~1"));
        found.extend(pointers(below, &pointer));
        found.push(pointer);
    }
    found
}

/// What only some reader stumbles over.
fn strange() -> Vec<Vec<u8>> {
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.as_slice();
    let inside =
        |bytes: &[u8]| [br#"{"jsonrpc":"2.0","id":1,"method":""#, bytes, br#""}"#].concat();
    let mut lines = vec![
        Vec::new(),
        b"\r".to_vec(),
        b" \t ".to_vec(),
        b"\0".to_vec(),
        [b"\xEF\xBB\xBF", ping].concat(),
        [b"\xFF\xFE", ping].concat(),
        [ping, b"\r"].concat(),
        [b" \t", ping, b"\t "].concat(),
        [ping, b"\0"].concat(),
        [b"\0", ping].concat(),
        [ping, ping].concat(),
        [ping, b" x"].concat(),
        [ping, b","].concat(),
        [b"Content-Length: 40\r".as_slice()].concat(),
        [b"// ", ping].concat(),
        b"{".to_vec(),
        b"}".to_vec(),
        b"[".to_vec(),
        b"[]".to_vec(),
        b"[[]]".to_vec(),
        b"[{}]".to_vec(),
        b"{}".to_vec(),
        [b"[", ping, b"]"].concat(),
        [b"[", [ping; 2000].join(b",".as_slice()).as_slice(), b"]"].concat(),
        [b"[[", ping, b"]]"].concat(),
        [b"[".repeat(5000), b"]".repeat(5000)].concat(),
        b"[".repeat(100_000),
        b"{\"a\":".repeat(100_000),
        b"\"".to_vec(),
        b"-".to_vec(),
        b"9".repeat(10_000),
    ];
    for bytes in [
        b"\x80".as_slice(),
        b"\xC0\xAF",
        b"\xC3",
        b"\xE2\x82",
        b"\xED\xA0\x80",
        b"\xF4\x90\x80\x80",
        b"\xF8\x88\x80\x80\x80",
        b"\xFF",
        b"\0",
        b"\x01",
        b"\x1F",
        b"\\x41",
        b"\\ud800",
        b"\\udc00\\ud800",
        b"\\ud83d\\ude00",
        b"\\u12",
        b"\x7F",
        b"\xE2\x80\xA8",
    ] {
        lines.push(inside(bytes));
    }
    // Nested as deep as is allowed, and one more; the message itself is three levels of it.
    for levels in [MCP_DEPTH_MAX - 2, MCP_DEPTH_MAX - 1, MCP_DEPTH_MAX, 127, 128, 129, 3000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = format!("{}1{}", open.repeat(levels), close.repeat(levels));
            let head = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"#;
            lines.push(format!("{head}{nested}}}}}").into_bytes());
        }
    }
    for length in [MCP_ID_BYTES_MAX, MCP_ID_BYTES_MAX + 1, 100_000] {
        lines.push(request(json!("i".repeat(length)), "ping", json!({})).to_string().into_bytes());
        lines.push(
            request(json!("é".repeat(length / 2)), "ping", json!({})).to_string().into_bytes(),
        );
    }
    for digits in [18, 19, 20, 400] {
        let id = "9".repeat(digits);
        lines.push(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#).into_bytes());
    }
    lines
}

/// Seeded: good lines with some bytes changed, taken out, put in and swapped.
fn mutated(count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    let models: Vec<Vec<u8>> =
        models().into_iter().map(|model| model.to_string().into_bytes()).collect();
    let likely = b"{}[]\",:\\0123456789.eE+-truefalsn \t\r\0\x7F\x80\xC3\xFF";
    let mut lines = Vec::new();
    while lines.len() < count {
        let mut line = models[random(models.len())].clone();
        for _ in 0..=random(4) {
            let at = random(line.len());
            match random(4) {
                0 => line[at] = likely[random(likely.len())],
                1 => line.insert(at, likely[random(likely.len())]),
                2 => drop(line.remove(at)),
                _ => {
                    let other = random(line.len());
                    line.swap(at, other);
                }
            }
        }
        lines.push(line);
    }
    lines
}

/// Whether an object has two members of one name, which serde_json would not say.
fn ambiguous(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok() && mpp::json::parse(line, 127).is_err()
}

fn hostile() -> Vec<Vec<u8>> {
    let mut lines: Vec<_> = [arrays(), cut_off(), wrong_types(), strange(), mutated(8000)]
        .into_iter()
        .flatten()
        .collect();
    lines.retain(|line| !line.contains(&b'\n') && !ambiguous(line));
    lines
}

/// The line that each block ends with.
fn good(block: usize) -> Vec<u8> {
    request(json!(format!("block {block}")), "ping", json!({})).to_string().into_bytes()
}

#[track_caller]
fn check(line: &[u8], due: &Due, mut next: impl FnMut() -> Value) {
    let shown = String::from_utf8_lossy(line.get(..200).unwrap_or(line)).into_owned();
    match due {
        Due::Silence => {}
        Due::Unread => {
            let answer = next();
            let id = answer["id"].to_string();
            assert!(id == "null" || shown.contains(&id), "{shown}: {answer}");
            assert_eq!(answer["error"]["code"], PARSE, "{shown}: {answer}");
        }
        Due::Error(id, code) => {
            let answer = next();
            assert_eq!(
                (&answer["id"], &answer["error"]["code"]),
                (id, &json!(code)),
                "{shown}: {answer}"
            );
            assert!(answer.get("result").is_none(), "{answer}");
            assert!(answer["error"]["message"].is_string(), "{answer}");
            assert!(
                answer.to_string().len() < 2000,
                "an answer of {} bytes",
                answer.to_string().len()
            );
        }
        Due::Result(id) => {
            let answer = next();
            assert_eq!(answer["id"], *id, "{shown}: {answer}");
            assert!(answer.get("result").is_some(), "{shown}: {answer}");
        }
    }
}

const BLOCK: usize = 100;

#[test]
fn ten_thousand_hostile_lines_get_what_they_deserve() {
    let lines = hostile();
    assert!(lines.len() >= 10_000, "{}", lines.len());
    let kinds = |wanted: fn(&Due) -> bool| lines.iter().filter(|line| wanted(&due(line))).count();
    assert!(kinds(|due| matches!(due, Due::Silence)) > 200);
    assert!(kinds(|due| matches!(due, Due::Result(_))) > 100);
    assert!(kinds(|due| matches!(due, Due::Unread)) > 3000);
    assert!(kinds(|due| matches!(due, Due::Error(_, REQUEST))) > 500);
    assert!(kinds(|due| matches!(due, Due::Error(_, METHOD | PARAMS | VERSION))) > 500);
    let host = mcp::host("lines", &[mcp::patience()]);
    let rest = session(&host, |client| {
        client.initialize("2025-11-25");
        for (number, block) in lines.chunks(BLOCK).enumerate() {
            for line in block.iter().chain([&good(number)]) {
                client.line(line);
            }
            for line in block.iter().chain([&good(number)]) {
                check(line, &due(line), || client.next());
            }
        }
    });
    assert_eq!(rest, [] as [Value; 0]);
    assert!(!host.log().exists() || host.records().is_empty(), "a line made a tool run");
}

#[test]
fn the_built_program_says_nothing_but_answers_to_hostile_lines() {
    let lines = hostile();
    let host = mcp::host("program", &[mcp::patience()]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_mpp"))
        .arg("serve")
        .env("MPP_HOME", host.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, stdout) = (program.stdin.take().unwrap(), program.stdout.take().unwrap());
    let begin = request(json!(0), "initialize", json!({ "protocolVersion": "2025-11-25" }));
    let sent: Vec<Vec<u8>> = std::iter::once(begin.to_string().into_bytes())
        .chain(lines.chunks(BLOCK).enumerate().flat_map(|(number, block)| {
            block.iter().cloned().chain([good(number)]).collect::<Vec<_>>()
        }))
        .collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for line in &sent {
                // A program that ended too early shows on the other side.
                if stdin.write_all(&[line, b"\n".as_slice()].concat()).is_err() {
                    return;
                }
            }
            drop(stdin);
        });
        let mut answers = BufReader::new(stdout).lines();
        for line in &sent {
            check(line, &due(line), || {
                serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap()
            });
        }
        assert!(answers.next().is_none());
    });
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    let home = format!("mpp: serving 3 tools of {}\n", host.path(".").display());
    assert_eq!(String::from_utf8_lossy(&output.stderr), home);
}

#[test]
fn a_line_of_fifty_megabytes_is_skipped_and_the_longest_that_is_allowed_is_read() {
    let host = mcp::host("long", &[]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        let head = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":""#;
        let of = |length: usize| {
            let filling = "x".repeat(length - head.len() - 3);
            format!("{head}{filling}\"}}}}").into_bytes()
        };
        for (length, code) in [
            (MCP_LINE_BYTES_MAX, None),
            (MCP_LINE_BYTES_MAX + 1, Some(REQUEST)),
            (50_000_000, Some(REQUEST)),
        ] {
            client.line(&of(length));
            let answer = client.next();
            assert_eq!(answer["error"]["code"].as_i64(), code, "{length}");
            assert_eq!(answer["id"], 1, "{length}");
            client.is_silent();
        }
        // The id can be the last member, as clients in TypeScript and Python write it.
        let filling = "\\\"}],".repeat(10_000_000);
        let last = r#""jsonrpc":"2.0","id":"last"}"#;
        client.line(
            format!(r#"{{"method":"ping","params":{{"id":2,"a":"{filling}"}},{last}"#).as_bytes(),
        );
        let answer = client.next();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("last"), &json!(REQUEST)));
        // Not JSON at all, and full of what costs most to hold.
        client.line(&b"[".repeat(50_000_000));
        assert_eq!(client.next()["error"]["code"], REQUEST);
        client.line(&[b"[".as_slice(), b"{},".repeat(5_000_000).as_slice(), b"{}]"].concat());
        assert_eq!(client.next()["error"]["code"], PARSE);
        client.is_silent();
    });
}

#[test]
fn a_line_ends_with_a_line_feed_or_the_input_however_it_is_cut_and_blank_ones_are_ignored() {
    let host = mcp::host("cut", &[]);
    let runtime = host.runtime();
    let answers = |input: &[u8], chunk: usize| -> Vec<Value> {
        let mut output = Vec::new();
        let server = Server::new(&runtime, |_| {});
        let input = Cursor::new(input.to_vec());
        server.serve(BufReader::with_capacity(chunk, input), &mut output).unwrap();
        output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    };
    let (one, two) = (good(1), good(2));
    for chunk in [1, 2, 7, 8192] {
        for input in [
            [one.as_slice(), b"\n", &two, b"\n"].concat(),
            [b"\n\n \r\n".as_slice(), &one, b"\r\n\t\n", &two].concat(),
            [one.as_slice(), b"\n", &two, b"\n \n\n "].concat(),
        ] {
            let ids: Vec<Value> =
                answers(&input, chunk).into_iter().map(|answer| answer["id"].clone()).collect();
            assert_eq!(ids, ["block 1", "block 2"], "{chunk} {input:?}");
        }
        for silent in [b"".as_slice(), b"\n", b" \n\n ", b"\r"] {
            assert_eq!(answers(silent, chunk), [] as [Value; 0], "{chunk} {silent:?}");
        }
    }
    // At the end of the input, and with nothing in it that could be parsed.
    for (length, blank) in [(0, b'x'), (1, b'x'), (1, b' '), (1_000, b' ')] {
        let long = vec![blank; MCP_LINE_BYTES_MAX + length];
        let code = if length == 0 { PARSE } else { REQUEST };
        for input in [long.clone(), [long.as_slice(), b"\n"].concat()] {
            let found = answers(&input, 8192);
            assert_eq!(found.len(), 1);
            assert_eq!((&found[0]["id"], &found[0]["error"]["code"]), (&json!(null), &json!(code)));
        }
    }
    assert_eq!(answers(&vec![b' '; MCP_LINE_BYTES_MAX], 8192), [] as [Value; 0]);
}

#[test]
fn a_name_that_stands_twice_is_refused_wherever_it_stands() {
    let host = mcp::host("twice", &[mcp::patience()]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        for (line, id) in [
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, json!(null)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"ping"}"#, json!(1)),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"contact","name":"x"}}"#,
                json!(1),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"contact","arguments":{"a":{"b":1,"b":2}}}}"#,
                json!(1),
            ),
        ] {
            client.line(line.as_bytes());
            let answer = client.next();
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&id, &json!(PARSE)), "{line}");
        }
        client.is_silent();
    });
}

/// Answers a request that is refused, and gives the id and the code of the answer.
fn refused(client: &mcp::Client, line: &[u8]) -> (Value, Value) {
    client.line(line);
    let mut answer = client.next();
    (answer["id"].take(), answer["error"]["code"].take())
}

#[test]
fn a_request_that_cannot_be_parsed_is_answered_under_its_id() {
    let host = mcp::host("refused", &[mcp::patience()]);
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    let many = format!("[{}0]", "0,".repeat(2_100_000));
    let faults = [
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#"{"a":1,"a":2}"#,
        "1e400",
        "NaN",
        "01",
        "\"\u{1}\"",
        "[1,]",
        "{\"a\"}",
        r#""\x""#,
        &deep,
        &many,
    ];
    session(&host, |client| {
        client.initialize("2025-11-25");
        for fault in faults {
            for (id, known) in [
                ("7", json!(7)),
                ("-7", json!(-7)),
                ("\"seven\"", json!("seven")),
                (r#""\u0073, \"id\":8}""#, json!("s, \"id\":8}")),
                ("1.0", json!(1.0)),
            ] {
                let params = format!(r#""params":{{"id":9,"method":"x","a":{fault},"b":"}},]"}}"#);
                let head = r#""jsonrpc":"2.0","method":"tools/call""#;
                for line in [
                    format!(r#"{{{head},{params},"id":{id}}}"#),
                    format!(r#"{{"id":{id},{head},{params}}}"#),
                    format!(" {{ \"\\u0069d\" : {id} , {params} , {head} }} \r"),
                    format!(r#"{{"id":{id},{head},"params":{fault},"params":{fault}}}"#),
                ] {
                    let got = refused(client, line.as_bytes());
                    assert_eq!(
                        got,
                        (known.clone(), json!(PARSE)),
                        "{}",
                        &line[..line.len().min(300)]
                    );
                }
            }
        }
        let invalid = b"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"\xff\",\"params\":{}}";
        assert_eq!(refused(client, invalid), (json!(3), json!(PARSE)));
        client.is_silent();
    });
    assert!(!host.log().exists() || host.records().is_empty(), "a line made a tool run");
}

#[test]
fn an_id_that_is_no_valid_one_is_refused_under_itself_if_it_is_a_number() {
    let host = mcp::host("numbers", &[]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        let of = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        for id in ["1.0", "1.5", "1e3", "-0"] {
            let echoed: Value = serde_json::from_str(id).unwrap();
            assert_eq!(refused(client, of(id).as_bytes()), (echoed, json!(REQUEST)), "{id}");
        }
        let long = format!("\"{}\"", "i".repeat(MCP_ID_BYTES_MAX + 1));
        for id in ["null", "true", "[1]", r#"{"id":1}"#, &long] {
            assert_eq!(refused(client, of(id).as_bytes()), (json!(null), json!(REQUEST)), "{id}");
        }
        client.is_silent();
    });
}

#[test]
fn a_line_without_a_clear_id_of_a_request_is_refused_under_null() {
    let host = mcp::host("unclear", &[]);
    let long =
        format!(r#"{{"id":"{}","method":"ping","a":1e400}}"#, "i".repeat(MCP_ID_BYTES_MAX + 1));
    let lines = [
        // Responses, which must not be taken for failures of requests of the client.
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}"#,
        r#"{"jsonrpc":"2.0","id":"mpp-0","error":{"message":"\ud800"}}"#,
        // Not the id of the message.
        r#"{"method":"ping","params":{"id":1,"a":1e400}}"#,
        r#"{"method":"ping","params":[{"id":1}],"a":"\ud800"}"#,
        r#"{"method":"ping","a":"\"id\":1","a":"\ud800,\"id\":1,"}"#,
        // Arrays and other texts.
        r#"[{"id":1,"method":"ping","a":1e400}]"#,
        r#"["id":1,"method":"ping"]"#,
        r#"x{"id":1,"method":"ping"}"#,
        r#""id":1,"method":"ping""#,
        "\u{feff}{\"id\":1,\"method\":\"ping\"}",
        // Two ids, and ids that are none.
        r#"{"id":1,"id":"1","method":"ping"}"#,
        r#"{"id":1,"method":"ping","id":null}"#,
        r#"{"id":"\ud800","method":"ping"}"#,
        r#"{"id":1e400,"method":"ping"}"#,
        r#"{"id":[1],"method":"ping","a":1e400}"#,
        r#"{"id":true,"method":"ping","a":1e400}"#,
        r#"{'id':1,"method":"ping"}"#,
        &long,
        // Cut off within the id, or before the method.
        r#"{"method":"ping","id":12"#,
        r#"{"method":"ping","id":"12"#,
        r#"{"id":1,"jsonrpc":"2.0","meth"#,
        r#"{"a":1}},"id":1,"method":"ping"}"#,
    ];
    session(&host, |client| {
        client.initialize("2025-11-25");
        for line in lines {
            assert_eq!(refused(client, line.as_bytes()), (json!(null), json!(PARSE)), "{line}");
        }
        client.is_silent();
    });
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_of_the_input_and_nowhere_else() {
    let host = mcp::host("mark", &[]);
    let runtime = host.runtime();
    let mark = "\u{feff}".as_bytes();
    let (one, two) = (good(1), good(2));
    for chunk in [1, 2, 3, 8192] {
        for (input, ids) in [
            ([mark, &one, b"\n", &two].concat(), [json!("block 1"), json!("block 2")]),
            ([mark, b"\n", &one, b"\n", &two].concat(), [json!("block 1"), json!("block 2")]),
            ([mark, mark, &one, b"\n", &two].concat(), [json!(null), json!("block 2")]),
            ([&one[..], b"\n", mark, &two].concat(), [json!("block 1"), json!(null)]),
            ([b"\n", mark, &one, b"\n", &two].concat(), [json!(null), json!("block 2")]),
            ([b"\xEF\xBB\n", &two[..]].concat(), [json!(null), json!("block 2")]),
        ] {
            let mut output = Vec::new();
            let shown = String::from_utf8_lossy(&input).into_owned();
            let input = BufReader::with_capacity(chunk, Cursor::new(input));
            Server::new(&runtime, |_| {}).serve(input, &mut output).unwrap();
            let answers = output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
            let found: Vec<Value> = answers.map(|mut answer: Value| answer["id"].take()).collect();
            assert_eq!(found, ids, "{chunk} {shown}");
        }
    }
}

#[test]
fn ids_of_running_calls_can_be_told_apart_by_type() {
    let host = mcp::host("ids", &[mcp::patience()]);
    let rest = session(&host, |client| {
        client.initialize("2025-11-25");
        let ids =
            [json!(1), json!("1"), json!(0), json!(""), json!(-1), json!(u64::MAX), json!("\"1\"")];
        for id in &ids {
            client.send(&request(id.clone(), "tools/call", json!({ "name": "forever" })));
        }
        for id in &ids {
            client.send(&request(id.clone(), "tools/call", json!({ "name": "forever" })));
            let answer = client.next();
            assert_eq!((&answer["id"], &answer["error"]["code"]), (id, &json!(REQUEST)));
        }
        for id in &ids {
            client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
                                 "params": { "requestId": id } }));
        }
    });
    assert_eq!(rest, [] as [Value; 0]);
}
