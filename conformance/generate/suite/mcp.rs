//! Lines that a client sends to a server, and what the server writes.

use super::case::{parts_json, Case, Part};
use super::package::{manifest, Package};
use super::run::saying;
use serde_json::{json, Value};

/// What an error has, and the id of every message.
pub const ERROR: [&str; 2] = ["/id", "/error/code"];

const PARSE: i64 = -32700;
const REQUEST: i64 = -32600;
const METHOD: i64 = -32601;
const PARAMS: i64 = -32602;

pub fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

/// The start of a session with a client that supports nothing.
pub fn start(revision: &str) -> Value {
    start_with(revision, json!({}))
}

pub fn start_with(revision: &str, capabilities: Value) -> Value {
    let client = json!({ "name": "client", "version": "1" });
    request(
        "start",
        "initialize",
        json!({
            "protocolVersion": revision, "capabilities": capabilities, "clientInfo": client,
        }),
    )
}

/// Parameters in the stateless revision.
pub fn stateless(mut params: Value, capabilities: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    params
}

/// The package of the parent, whose tool `echo` says `fine`.
pub fn echo() -> Vec<u8> {
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": "fine" }).to_string();
    Package::new().with("tool.wasm", saying(&answer)).bytes()
}

pub const ECHO: &str = "mcp/echo";

/// The server's messages.
pub fn messages(list: &[Value]) -> Value {
    json!({ "messages": list })
}

fn failure(id: impl Into<Value>, code: i64) -> Value {
    json!({ "/id": id.into(), "/error/code": code })
}

fn pong(id: impl Into<Value>) -> Value {
    json!({ "/id": id.into() })
}

pub fn cases() -> Vec<Case> {
    let mut cases = framing();
    cases.extend(ids());
    cases.extend(unread());
    cases.extend(long_lines());
    cases.extend(revisions());
    cases.extend(subscriptions());
    cases
}

fn lines(id: &str, lines: Value, expected: &[Value]) -> Case {
    Case::mcp(id, lines, &ERROR).answers(messages(expected))
}

fn ping(id: impl Into<Value>) -> Value {
    request(id, "ping", json!({}))
}

fn framing() -> Vec<Case> {
    let one = "A line is one message, and what is none is refused as a whole.";
    let twice = "What one reader takes for one message and another for several is refused.";
    let mut cases = Vec::new();
    let text = |value: Value| value.to_string();
    let nested = |depth: usize| {
        // The message, its parameters, and lists in them.
        let list = format!("{}{}", "[".repeat(depth - 2), "]".repeat(depth - 2));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"x":{list}}}}}"#)
    };
    for (id, title, why, spec, first, expected) in [
        (
            "text",
            "A line that is not JSON",
            one,
            "SRV-02",
            json!("hello"),
            vec![failure(Value::Null, PARSE)],
        ),
        (
            "half",
            "Half a request",
            one,
            "SRV-02",
            json!("{\"jsonrpc\":\"2.0\",\"id\":1,"),
            vec![failure(Value::Null, PARSE)],
        ),
        ("number", "A number", one, "SRV-03", json!("1"), vec![failure(Value::Null, REQUEST)]),
        ("null", "Null", one, "SRV-03", json!("null"), vec![failure(Value::Null, REQUEST)]),
        (
            "object",
            "An object without members",
            one,
            "SRV-03",
            json!("{}"),
            vec![failure(Value::Null, REQUEST)],
        ),
        (
            "array",
            "A batch of two requests",
            twice,
            "SRV-05",
            text(json!([ping(1), ping(2)])).into(),
            vec![failure(Value::Null, REQUEST)],
        ),
        (
            "array-one",
            "A batch of one request",
            twice,
            "SRV-05",
            text(json!([ping(1)])).into(),
            vec![failure(Value::Null, REQUEST)],
        ),
        (
            "array-empty",
            "An empty batch",
            twice,
            "SRV-05",
            json!("[]"),
            vec![failure(Value::Null, REQUEST)],
        ),
        (
            "two",
            "Two requests on one line",
            twice,
            "SRV-02",
            format!("{}{}", ping(1), ping(1)).into(),
            vec![failure(1, PARSE)],
        ),
        (
            "member-twice",
            "A member twice",
            twice,
            "SRV-02 JSON-02",
            json!(r#"{"jsonrpc":"2.0","params":{},"params":{}}"#),
            vec![failure(Value::Null, PARSE)],
        ),
        ("blank", "A blank line", one, "SRV-01", json!(" \t\r"), vec![]),
        (
            "depth-most",
            "A request nested 72 deep",
            one,
            "SRV-02 LIM-203",
            nested(72).into(),
            vec![pong(1)],
        ),
        (
            "depth-more",
            "A request nested 73 deep",
            one,
            "SRV-02 SRV-08 LIM-203",
            nested(73).into(),
            vec![failure(1, PARSE)],
        ),
        (
            "mark",
            "A byte order mark at the start of the input",
            one,
            "SRV-07",
            format!("\u{feff}{}", ping(1)).into(),
            vec![pong(1)],
        ),
        (
            "mark-two",
            "Two byte order marks at the start",
            one,
            "SRV-07 SRV-08",
            "\u{feff}\u{feff}{}".to_string().into(),
            vec![failure(Value::Null, PARSE)],
        ),
        (
            "crlf",
            "A line ended as on Windows",
            one,
            "SRV-01",
            format!("{}\r", ping(1)).into(),
            vec![pong(1)],
        ),
    ] {
        let mut expected: Vec<Value> = expected;
        expected.push(pong("z"));
        expected.sort_by_key(|message| message["/id"].to_string());
        cases.push(
            lines(&format!("line-{id}"), json!([first, ping("z")]), &expected)
                .says(title, why)
                .spec(spec),
        );
    }
    let marked = json!([ping(1), "\u{feff}{}"]);
    cases.push(
        lines("line-mark-later", marked, &[pong(1), failure(Value::Null, PARSE)])
            .says("A byte order mark at the start of the second line", one)
            .spec("SRV-07"),
    );
    let invalid = json!([[{ "hex": "7b22ff22" }], ping("z")]);
    cases.push(
        lines("line-not-utf8", invalid, &[pong("z"), failure(Value::Null, PARSE)])
            .says("A line that is not UTF-8", one)
            .spec("SRV-02"),
    );
    cases.push(
        lines("line-last", json!([ping(1)]), &[pong(1)])
            .with("last_line_feed", false)
            .says("A last line without a line feed", "The end of the input ends a line.")
            .spec("SRV-01 SRV-04"),
    );
    cases.push(
        lines("line-none", json!([]), &[])
            .says("No line", "The server writes nothing unasked.")
            .spec("SRV-04"),
    );
    cases
}

fn ids() -> Vec<Case> {
    let why = "An id is given back as it came, or not at all.";
    let silent = "Two peers that answered such messages would never stop.";
    let mut cases = Vec::new();
    let most = "x".repeat(256);
    let more = "x".repeat(257);
    for (id, title, spec, given, expected) in [
        ("text-most", "A text of 256 bytes", "SRV-03 LIM-204", json!(most), pong(most.clone())),
        (
            "text-more",
            "A text of 257 bytes",
            "SRV-03 LIM-204",
            json!(more),
            failure(Value::Null, REQUEST),
        ),
        ("text-empty", "An empty text", "SRV-03", json!(""), pong("")),
        ("zero", "0", "SRV-03", json!(0), pong(0)),
        ("largest", "2^64 - 1", "SRV-03", json!(u64::MAX), pong(u64::MAX)),
        ("least", "-2^63", "SRV-03", json!(i64::MIN), pong(i64::MIN)),
        ("fraction", "1.5", "SRV-03", json!(1.5), failure(1.5, REQUEST)),
        ("null", "Null", "SRV-03", Value::Null, failure(Value::Null, REQUEST)),
        ("boolean", "True", "SRV-03", json!(true), failure(Value::Null, REQUEST)),
        ("list", "A list", "SRV-03", json!([1]), failure(Value::Null, REQUEST)),
        ("object", "An object", "SRV-03", json!({}), failure(Value::Null, REQUEST)),
    ] {
        cases.push(
            lines(&format!("id-{id}"), json!([ping(given)]), &[expected])
                .says(&format!("The id: {title}"), why)
                .spec(spec),
        );
    }
    let of = |changes: Value| {
        let mut message = ping(1);
        for (name, value) in changes.as_object().into_iter().flatten() {
            message[name.as_str()] = value.clone();
        }
        message
    };
    let without = |name: &str| {
        let mut message = ping(1);
        message.as_object_mut().map(|members| members.remove(name));
        message
    };
    let form = "A message that is none of the protocol's is refused, with its id if it has one.";
    for (id, title, message, expected) in [
        (
            "version",
            "Another version of JSON-RPC",
            of(json!({ "jsonrpc": "1.0" })),
            failure(1, REQUEST),
        ),
        (
            "version-number",
            "The version as a number",
            of(json!({ "jsonrpc": 2.0 })),
            failure(1, REQUEST),
        ),
        ("version-none", "No version of JSON-RPC", without("jsonrpc"), failure(1, REQUEST)),
        ("method-number", "A number as method", of(json!({ "method": 1 })), failure(1, REQUEST)),
        ("method-none", "No method", without("method"), failure(1, REQUEST)),
        (
            "method-unknown",
            "An unknown method",
            of(json!({ "method": "nothing" })),
            failure(1, PARAMS),
        ),
        ("params-list", "A list of parameters", of(json!({ "params": [] })), failure(1, PARAMS)),
        ("params-null", "Null as parameters", of(json!({ "params": null })), failure(1, PARAMS)),
        ("params-text", "A text as parameters", of(json!({ "params": "x" })), failure(1, PARAMS)),
        ("params-none", "No parameters", without("params"), pong(1)),
    ] {
        cases.push(
            lines(&format!("message-{id}"), json!([message]), &[expected])
                .says(title, form)
                .spec("SRV-03"),
        );
    }
    for (id, title, message) in [
        (
            "notification",
            "A notification",
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        ),
        (
            "notification-unknown",
            "An unknown notification",
            json!({ "jsonrpc": "2.0", "method": "nothing" }),
        ),
        (
            "notification-list",
            "A notification with a list of parameters",
            json!({ "jsonrpc": "2.0", "method": "nothing", "params": [] }),
        ),
        (
            "notification-call",
            "A call without an id",
            json!({ "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "echo" } }),
        ),
        (
            "response",
            "A response to no request",
            json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        ),
        (
            "response-error",
            "An error in response to no request",
            json!({ "jsonrpc": "2.0", "id": null, "error": {} }),
        ),
        ("response-invalid", "A response of another version", json!({ "id": [], "result": {} })),
        (
            "cancelled-nothing",
            "The cancellation of no call",
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 9 } }),
        ),
    ] {
        cases.push(
            lines(&format!("silent-{id}"), json!([message, ping("z")]), &[pong("z")])
                .says(title, silent)
                .spec("SRV-03"),
        );
    }
    cases
}

/// The id of what is refused unread.
fn unread() -> Vec<Case> {
    let why = "A client that gets no id back waits for an answer.";
    let mut cases = Vec::new();
    for (id, title, line, expected) in [
        ("id", "An id before the fault", r#"{"id":7,"method":"ping",}"#, json!(7)),
        (
            "method-first",
            "A method before the id",
            r#"{"method":"ping","id":"a","x":01}"#,
            json!("a"),
        ),
        ("method-none", "No method", r#"{"id":7,}"#, Value::Null),
        (
            "nested",
            "An id in an object within",
            r#"{"method":"ping","params":{"id":7},}"#,
            Value::Null,
        ),
        ("two", "Two ids", r#"{"id":7,"method":"ping","id":8}"#, Value::Null),
        ("twice", "One id twice", r#"{"id":7,"method":"ping","id":7}"#, json!(7)),
        ("fraction", "An id that is a fraction", r#"{"id":1.5,"method":"ping",}"#, json!(1.5)),
        ("list", "An id that is a list", r#"{"id":[7],"method":"ping",}"#, Value::Null),
        ("text", "An id in a text", r#"{"method":"ping","x":"\"id\":7",}"#, Value::Null),
    ] {
        let expected = failure(expected, PARSE);
        cases.push(
            lines(&format!("unread-{id}"), json!([line]), &[expected])
                .says(&format!("A line that is not JSON: {title}"), why)
                .spec("SRV-08 SRV-02"),
        );
    }
    cases
}

fn long_lines() -> Vec<Case> {
    let why = "A line that is too long is skipped to its end, and the next one is read.";
    let line = |bytes: usize| {
        let (start, end) = (r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":""#, r#""}}"#);
        let x = Part { bytes: vec![b'x'], times: bytes - start.len() - end.len() };
        parts_json(&[Part::once(start), x, Part::once(end)])
    };
    const MOST: usize = 17 << 20;
    let mut cases = Vec::new();
    for (id, title, bytes, expected) in [
        ("most", "A line of 17 MiB", MOST, pong(7)),
        ("more", "A line of 17 MiB and one byte", MOST + 1, failure(7, REQUEST)),
    ] {
        cases.push(
            lines(&format!("long-{id}"), json!([line(bytes), ping("z")]), &[pong("z"), expected])
                .says(title, why)
                .spec("SRV-01 SRV-08 LIM-202"),
        );
    }
    cases
}

fn subscriptions() -> Vec<Case> {
    let why = "A client of the stateless revision gets only notifications that it asked for.";
    let of = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
    let listen = |params: Value| request("s", "subscriptions/listen", stateless(params, json!({})));
    let tools = listen(
        json!({ "notifications": { "toolsListChanged": true, "promptsListChanged": true } }),
    );
    let other = listen(json!({ "notifications": { "promptsListChanged": true } }));
    let honored = |types: Value| json!({ "/method": "notifications/subscriptions/acknowledged", "/params/notifications": types, of: "s" });
    let fine = || honored(json!({ "toolsListChanged": true }));
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": "s" } });
    let session = request("s", "subscriptions/listen", json!({ "notifications": {} }));
    let mut cases = Vec::new();
    for (id, title, lines, expected) in [
        ("tools", "Changes of tools and of prompts", json!([tools]), vec![fine()]),
        ("other", "Changes of prompts", json!([other]), vec![honored(json!({}))]),
        ("none", "No types", json!([listen(json!({}))]), vec![failure("s", PARAMS)]),
        (
            "list",
            "A list of types",
            json!([listen(json!({ "notifications": [] }))]),
            vec![failure("s", PARAMS)],
        ),
        (
            "number",
            "A number for a type",
            json!([listen(json!({ "notifications": { "toolsListChanged": 1 } }))]),
            vec![failure("s", PARAMS)],
        ),
        (
            "twice",
            "A second one of that id",
            json!([tools, tools]),
            vec![failure("s", REQUEST), fine()],
        ),
        (
            "cancelled",
            "A second one after the first was cancelled",
            json!([tools, cancelled, tools]),
            vec![fine(), fine()],
        ),
        (
            "session",
            "In a session",
            json!([start("2025-11-25"), session]),
            vec![failure("s", METHOD), json!({ "/id": "start" })],
        ),
    ] {
        let show = ["/id", "/error/code", "/method", "/params/notifications", of];
        cases.push(
            Case::mcp(&format!("subscribe-{id}"), lines, &show)
                .answers(messages(&expected))
                .says(&format!("A subscription: {title}"), why)
                .spec("SRV-53"),
        );
    }
    cases
}

fn revisions() -> Vec<Case> {
    let agreed = "Client and server speak the newest revision that both know.";
    let each = "Each request is answered by the revision that it states.";
    let mut cases = Vec::new();
    for (asked, agrees) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2024-11-05"),
        ("2025-07-01", "2025-06-18"),
        ("2026-07-28", "2025-11-25"),
        ("2030-01-01", "2025-11-25"),
        ("2024-10-07", "2025-11-25"),
    ] {
        let show = ["/id", "/result/protocolVersion", "/result/capabilities"];
        let expected = json!({
            "/id": "start", "/result/protocolVersion": agrees,
            "/result/capabilities": { "tools": { "listChanged": true } },
        });
        cases.push(
            Case::mcp(&format!("revision-{asked}"), json!([start(asked)]), &show)
                .answers(messages(&[expected]))
                .says(&format!("A client of {asked}"), agreed)
                .spec("SRV-12"),
        );
    }
    let meta = |version: Value| {
        json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": version,
                           "io.modelcontextprotocol/clientCapabilities": {} } })
    };
    let without = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
    let list = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                                  "io.modelcontextprotocol/clientCapabilities": [] } });
    let call = |method: &str, params: Value| json!([request(1, method, params)]);
    for (id, title, spec, lines, code) in [
        (
            "version-missing",
            "`initialize` without a revision",
            "SRV-12",
            call("initialize", json!({})),
            PARAMS,
        ),
        (
            "version-number",
            "`initialize` with a number as revision",
            "SRV-12",
            call("initialize", json!({ "protocolVersion": 1 })),
            PARAMS,
        ),
        ("none", "A list before `initialize`", "SRV-10", call("tools/list", json!({})), PARAMS),
        (
            "none-call",
            "A call before `initialize`",
            "SRV-10",
            call("tools/call", json!({ "name": "echo" })),
            PARAMS,
        ),
        (
            "stateless-ping",
            "`ping` in the stateless revision",
            "SRV-10",
            call("ping", stateless(json!({}), json!({}))),
            METHOD,
        ),
        (
            "stateless-start",
            "`initialize` in the stateless revision",
            "SRV-10",
            call("initialize", stateless(json!({}), json!({}))),
            METHOD,
        ),
        (
            "stateless-unknown",
            "An unknown method in the stateless revision",
            "SRV-10",
            call("nothing", stateless(json!({}), json!({}))),
            METHOD,
        ),
        (
            "stated-number",
            "A stated revision that is a number",
            "SRV-11",
            call("tools/list", meta(json!(1))),
            PARAMS,
        ),
        (
            "stated-null",
            "A stated revision that is null",
            "SRV-11",
            call("tools/list", meta(Value::Null)),
            PARAMS,
        ),
        (
            "capabilities-missing",
            "The stateless revision without capabilities",
            "SRV-11",
            call("tools/list", without),
            PARAMS,
        ),
        (
            "capabilities-list",
            "The stateless revision with a list of capabilities",
            "SRV-11",
            call("tools/list", list),
            PARAMS,
        ),
        (
            "handshake-discover",
            "`server/discover` in a session",
            "SRV-10",
            json!([start("2025-11-25"), request(1, "server/discover", json!({}))]),
            METHOD,
        ),
    ] {
        let mut expected = vec![failure(1, code)];
        if lines.as_array().is_some_and(|lines| lines.len() > 1) {
            expected.insert(0, json!({ "/id": "start" }));
        }
        cases.push(
            Case::mcp(&format!("revision-{id}"), lines, &ERROR)
                .answers(messages(&expected))
                .says(title, each)
                .spec(spec),
        );
    }
    for (id, title, asked) in [
        ("other", "A stated handshake revision", "2025-11-25"),
        ("future", "A stated revision that does not exist", "2030-01-01"),
        ("empty", "An empty text as stated revision", ""),
    ] {
        let show = ["/id", "/error/code", "/error/data"];
        let expected = json!({
            "/id": 1, "/error/code": -32022,
            "/error/data": { "supported": ["2026-07-28"], "requested": asked },
        });
        cases.push(
            Case::mcp(&format!("stated-{id}"), call("tools/list", meta(json!(asked))), &show)
                .answers(messages(&[expected]))
                .says(title, each)
                .spec("SRV-11"),
        );
    }
    let show = ["/id", "/result/resultType", "/result/tools/0/name", "/result/content/0/text"];
    let stated = json!([
        start("2024-11-05"),
        request(1, "tools/list", json!({})),
        request(2, "tools/list", stateless(json!({}), json!({}))),
    ]);
    let expected = [
        json!({ "/id": "start" }),
        json!({ "/id": 1, "/result/tools/0/name": "echo" }),
        json!({ "/id": 2, "/result/tools/0/name": "echo", "/result/resultType": "complete" }),
    ];
    cases.push(
        Case::mcp("revision-both", stated, &show)
            .package(ECHO, &echo())
            .answers(messages(&expected))
            .says("A request of the stateless revision in a session", each)
            .spec("SRV-10 SRV-20"),
    );
    let manifest = manifest();
    assert_eq!(manifest["tools"][0]["name"], "echo");
    cases
}
