//! Tools that a server lists, calls of them, and approvals.

use super::case::Case;
use super::mcp::{echo, messages, request, start, start_with, stateless, ECHO};
use super::package::{manifest, Package};
use super::run::{guest, saying, text_block};
use serde_json::{json, Value};

const NEWEST: &str = "2025-11-25";

pub fn cases() -> Vec<Case> {
    let mut cases = lists();
    cases.extend(annotations());
    cases.extend(schemas());
    cases.extend(calls());
    cases.extend(blocks());
    cases.extend(approvals());
    cases.extend(states());
    cases
}

fn session(request: Value) -> Value {
    json!([start(NEWEST), request])
}

fn call(id: impl Into<Value>, arguments: Value) -> Value {
    request(id, "tools/call", json!({ "name": "echo", "arguments": arguments }))
}

/// The messages after the start of the session.
fn after_start(list: &[Value]) -> Value {
    messages(&[&[json!({ "/id": "start" })], list].concat())
}

fn package(manifest: &Value, result: &Value) -> Vec<u8> {
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
    Package::new().with_manifest(manifest).with("tool.wasm", saying(&answer)).bytes()
}

fn named(id: &str, tools: &[&str]) -> Value {
    let mut manifest = manifest();
    manifest["id"] = json!(id);
    let tool = |name: &&str| {
        json!({ "name": name, "description": "Gives back its text.", "sensitivity": "read",
                "parameters": { "type": "object" } })
    };
    manifest["tools"] = tools.iter().map(tool).collect();
    manifest
}

fn lists() -> Vec<Case> {
    let why = "The list has all tools that can be called, in one order.";
    let names = [
        "/id",
        "/result/tools/0/name",
        "/result/tools/1/name",
        "/result/tools/2/name",
        "/result/tools/3/name",
        "/result/nextCursor",
        "/error/code",
    ];
    let first = package(&named("org.example.first", &["b", "a-z"]), &json!("x"));
    let listed = |id: &str, lines: Value| Case::mcp(&format!("list-{id}"), lines, &names);
    let third = package(&named("org.example.third", &["B"]), &json!("x"));
    let mut cases = vec![
        listed("order", session(request(1, "tools/list", json!({}))))
            .package("mcp/list-first", &first)
            .package("mcp/list-third", &third)
            .says("Tools whose names differ only by case", why)
            .spec("STORE-02")
            .refused("store.name_collision"),
        listed("names", session(request(1, "tools/list", json!({}))))
            .package("mcp/list-first", &first)
            .package(
                "mcp/list-second-other",
                &package(&named("org.example.second", &["C"]), &json!("x")),
            )
            .answers(after_start(&[json!({
                "/id": 1, "/result/tools/0/name": "C", "/result/tools/1/name": "a-z",
                "/result/tools/2/name": "b",
            })]))
            .says("Tools of two packages", why)
            .spec("SRV-20 SRV-21"),
        listed("none", session(request(1, "tools/list", json!({}))))
            .answers(after_start(&[json!({ "/id": 1 })]))
            .says("A host without packages", why)
            .spec("SRV-20"),
        listed("stranger", session(request(1, "tools/list", json!({}))))
            .package(ECHO, &echo())
            .with("installed_under", super::publisher::store_path("author"))
            .with("trust", super::publisher::store_path("empty"))
            .answers(after_start(&[json!({ "/id": 1 })]))
            .says("A package whose publisher is no longer trusted", why)
            .spec("SRV-20"),
        listed("stranger-call", session(call(1, json!({}))))
            .package(ECHO, &echo())
            .with("installed_under", super::publisher::store_path("author"))
            .with("trust", super::publisher::store_path("empty"))
            .answers(after_start(&[json!({ "/id": 1, "/error/code": -32602 })]))
            .says("A call of a package whose publisher is no longer trusted", why)
            .spec("SRV-20 SRV-30"),
        listed("denied", session(request(1, "tools/list", json!({}))))
            .package("mcp/list-first", &first)
            .package(ECHO, &echo())
            .with(
                "policy",
                json!({ "format": "mpp-policy/1", "deny": { "packages": ["org.example.first"] } }),
            )
            .answers(after_start(&[json!({ "/id": 1, "/result/tools/0/name": "echo" })]))
            .says("A package that the policy denies", why)
            .spec("SRV-21 POLICY-03"),
    ];
    for (id, title, spec, policy, expected) in [
        (
            "hidden",
            "A tool that the policy does not offer",
            "SRV-21 POLICY-23",
            json!({ "tools": { "deny": ["org.example.first/b"] } }),
            ["a-z", "echo"].as_slice(),
        ),
        (
            "named",
            "Tools that the policy names",
            "SRV-21 POLICY-24",
            json!({ "names": { "org.example.first/b": "z", "org.example.echo/echo": "b" } }),
            &["a-z", "b", "z"],
        ),
        (
            "named-alike",
            "A tool that the policy names as another",
            "SRV-24",
            json!({ "names": { "org.example.echo/echo": "A_Z" } }),
            &["a-z", "b"],
        ),
    ] {
        let mut policy = policy;
        policy["format"] = json!("mpp-policy/1");
        let mut shown = json!({ "/id": 1 });
        for (place, name) in expected.iter().enumerate() {
            shown[format!("/result/tools/{place}/name")] = json!(name);
        }
        cases.push(
            listed(id, session(request(1, "tools/list", json!({}))))
                .package("mcp/list-first", &first)
                .package(ECHO, &echo())
                .with("policy", policy)
                .answers(after_start(&[shown]))
                .says(title, why)
                .spec(spec),
        );
    }
    for (id, title, cursor, expected) in [
        (
            "start",
            "The empty text",
            json!(""),
            json!({ "/id": 1, "/result/tools/0/name": "a-z", "/result/tools/1/name": "b" }),
        ),
        (
            "null",
            "Null",
            Value::Null,
            json!({ "/id": 1, "/result/tools/0/name": "a-z", "/result/tools/1/name": "b" }),
        ),
        (
            "name",
            "The name of a tool",
            json!("a-z"),
            json!({ "/id": 1, "/result/tools/0/name": "b" }),
        ),
        ("last", "The name of the last tool", json!("b"), json!({ "/id": 1 })),
        ("other", "Another text", json!("a"), json!({ "/id": 1, "/error/code": -32602 })),
        ("number", "A number", json!(1), json!({ "/id": 1, "/error/code": -32602 })),
    ] {
        cases.push(
            listed(
                &format!("cursor-{id}"),
                session(request(1, "tools/list", json!({ "cursor": cursor }))),
            )
            .package("mcp/list-first", &first)
            .answers(after_start(&[expected]))
            .says(&format!("A cursor: {title}"), "A cursor is the last name of the page before.")
            .spec("SRV-21"),
        );
    }
    let many = |number: usize, count: usize| {
        let names: Vec<String> = (0..count).map(|tool| format!("t{number}-{tool:03}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        package(&named(&format!("org.example.many{number}"), &names), &json!("x"))
    };
    let show = [
        "/id",
        "/result/tools/499/name",
        "/result/tools/500/name",
        "/result/nextCursor",
        "/result/tools/0/name",
    ];
    let pages = json!([
        start(NEWEST),
        request(1, "tools/list", json!({})),
        request(2, "tools/list", json!({ "cursor": "t3-115" })),
    ]);
    let mut pages = Case::mcp("list-pages", pages, &show);
    for number in 0..4 {
        pages = pages.package(&format!("mcp/many-{number}"), &many(number, 128));
    }
    cases.push(
        pages
            .answers(after_start(&[
                json!({ "/id": 1, "/result/tools/0/name": "t0-000", "/result/tools/499/name": "t3-115",
                        "/result/nextCursor": "t3-115" }),
                json!({ "/id": 2, "/result/tools/0/name": "t3-116" }),
            ]))
            .says("512 tools of four packages", "A page has 500 tools.")
            .spec("SRV-21 LIM-11"),
    );
    cases
}

fn annotations() -> Vec<Case> {
    let why = "Hints follow what the sandbox allows, not what the author says.";
    let show = ["/id", "/result/tools/0/annotations", "/result/tools/0/outputSchema"];
    let hints = |open: bool, read: bool, destructive: bool| {
        json!({ "openWorldHint": open, "readOnlyHint": read, "idempotentHint": read,
                "destructiveHint": destructive })
    };
    let marked = |sensitivity: &str, capabilities: Value| {
        let mut manifest = manifest();
        manifest["tools"][0]["sensitivity"] = json!(sensitivity);
        manifest["capabilities"] = capabilities;
        manifest
    };
    let network = json!({ "network": ["api.example.com"] });
    let mut cases = Vec::new();
    for (id, title, manifest, expected) in [
        (
            "pure",
            "A tool that can do nothing",
            marked("read", json!({})),
            hints(false, true, false),
        ),
        (
            "pure-destructive",
            "A tool that can do nothing, marked destructive",
            marked("destructive", json!({})),
            hints(false, true, false),
        ),
        (
            "network",
            "A tool that may reach a host",
            marked("read", network.clone()),
            hints(true, false, true),
        ),
        (
            "storage",
            "A tool with storage",
            marked("write", json!({ "storage": { "limit_kb": 1 } })),
            hints(false, false, false),
        ),
        (
            "storage-destructive",
            "A tool with storage, marked destructive",
            marked("destructive", json!({ "storage": { "limit_kb": 1 } })),
            hints(false, false, true),
        ),
        (
            "directory",
            "A tool with a directory that is not mapped",
            marked("read", json!({ "filesystem": { "write": ["/data"] } })),
            hints(false, true, false),
        ),
    ] {
        cases.push(
            Case::mcp(&format!("hints-{id}"), session(request(1, "tools/list", json!({}))), &show)
                .package(&format!("mcp/hints-{id}"), &package(&manifest, &json!("x")))
                .answers(after_start(&[
                    json!({ "/id": 1, "/result/tools/0/annotations": expected }),
                ]))
                .says(title, why)
                .spec("SRV-22"),
        );
    }
    let mut promising = manifest();
    promising["tools"][0]["returns"] = json!({ "type": "object" });
    for (revision, has) in [("2024-11-05", false), ("2025-06-18", true)] {
        let mut expected = json!({ "/id": 1 });
        if has {
            expected["/result/tools/0/annotations"] = hints(false, true, false);
            expected["/result/tools/0/outputSchema"] = json!({ "type": "object" });
        }
        cases.push(
            Case::mcp(
                &format!("hints-{revision}"),
                json!([start(revision), request(1, "tools/list", json!({}))]),
                &show,
            )
            .package("mcp/promising", &package(&promising, &json!({})))
            .answers(after_start(&[expected]))
            .says(
                &format!("Hints and output in {revision}"),
                "Older revisions have no such members.",
            )
            .spec("SRV-21"),
        );
    }
    cases
}

fn schemas() -> Vec<Case> {
    let why = "Some clients resolve no references.";
    let show = ["/id", "/result/tools/0/inputSchema"];
    let mut cases = Vec::new();
    for (id, title, schema, expected) in [
        (
            "alone",
            "A reference alone",
            json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/n" } }, "$defs": { "n": { "type": "integer" } } }),
            json!({ "type": "object", "properties": { "x": { "type": "integer" } } }),
        ),
        (
            "annotated",
            "A reference beside a description",
            json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/n", "description": "own" } }, "$defs": { "n": { "type": "integer", "description": "its" } } }),
            json!({ "type": "object", "properties": { "x": { "type": "integer", "description": "own" } } }),
        ),
        (
            "beside",
            "A reference beside another rule",
            json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/n", "minimum": 1 } }, "$defs": { "n": { "type": "integer" } } }),
            json!({ "type": "object", "properties": { "x": { "minimum": 1, "allOf": [{ "type": "integer" }] } } }),
        ),
        (
            "nested",
            "A reference in what is referred to",
            json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/l" } }, "$defs": { "l": { "type": "array", "items": { "$ref": "#/$defs/n" } }, "n": { "type": "integer" } } }),
            json!({ "type": "object", "properties": { "x": { "type": "array", "items": { "type": "integer" } } } }),
        ),
    ] {
        let mut manifest = manifest();
        manifest["tools"][0]["parameters"] = schema;
        cases.push(
            Case::mcp(&format!("schema-{id}"), session(request(1, "tools/list", json!({}))), &show)
                .package(&format!("mcp/schema-{id}"), &package(&manifest, &json!("x")))
                .answers(after_start(&[
                    json!({ "/id": 1, "/result/tools/0/inputSchema": expected }),
                ]))
                .says(title, why)
                .spec("SRV-23"),
        );
    }
    // Sixty copies of a definition of 2 KiB would be more than 64 KiB.
    let properties: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("p{n}"), json!({ "$ref": "#/$defs/d" }))).collect();
    let mut manifest = manifest();
    let schema = json!({
        "type": "object", "properties": properties,
        "$defs": { "d": { "type": "string", "description": "x".repeat(2048) } },
    });
    manifest["tools"][0]["parameters"] = schema.clone();
    cases.push(
        Case::mcp("schema-large", session(request(1, "tools/list", json!({}))), &show)
            .package("mcp/schema-large", &package(&manifest, &json!("x")))
            .answers(after_start(&[json!({ "/id": 1, "/result/tools/0/inputSchema": schema })]))
            .says(
                "References that make a schema longer than 64 KiB",
                "A list has to stay readable.",
            )
            .spec("SRV-23"),
    );
    cases
}

const RESULT: [&str; 7] = [
    "/id",
    "/error/code",
    "/result/isError",
    "/result/content",
    "/result/content/0/text",
    "/result/structuredContent",
    "/result/resultType",
];
const TEXT: [&str; 4] = ["/id", "/error/code", "/result/isError", "/result/content/0/text"];

fn calls() -> Vec<Case> {
    let form = "A call that the protocol does not have is an error of the protocol.";
    let texts = "Some clients show a model only the text, so it starts with the kind of error.";
    let mut cases = Vec::new();
    let fine = json!({ "/id": 1, "/result/isError": false, "/result/content/0/text": "fine" });
    for (id, title, params, expected) in [
        ("arguments-none", "No arguments", json!({ "name": "echo" }), fine.clone()),
        (
            "arguments-null",
            "Null as arguments",
            json!({ "name": "echo", "arguments": null }),
            fine.clone(),
        ),
        (
            "arguments-list",
            "A list of arguments",
            json!({ "name": "echo", "arguments": [] }),
            json!({ "/id": 1, "/error/code": -32602 }),
        ),
        (
            "arguments-text",
            "A text as arguments",
            json!({ "name": "echo", "arguments": "x" }),
            json!({ "/id": 1, "/error/code": -32602 }),
        ),
        ("name-none", "No name", json!({}), json!({ "/id": 1, "/error/code": -32602 })),
        (
            "name-number",
            "A number as name",
            json!({ "name": 1 }),
            json!({ "/id": 1, "/error/code": -32602 }),
        ),
        (
            "name-unknown",
            "An unknown tool",
            json!({ "name": "nope" }),
            json!({ "/id": 1, "/error/code": -32602 }),
        ),
        (
            "name-case",
            "The name in another case",
            json!({ "name": "Echo" }),
            json!({ "/id": 1, "/error/code": -32602 }),
        ),
    ] {
        cases.push(
            Case::mcp(&format!("call-{id}"), session(request(1, "tools/call", params)), &TEXT)
                .package(ECHO, &echo())
                .answers(after_start(&[expected]))
                .says(title, form)
                .spec("SRV-30 SRV-33"),
        );
    }
    let mut strict = manifest();
    strict["tools"][0]["parameters"] = json!({ "type": "object", "additionalProperties": false });
    let mut asking = manifest();
    asking["capabilities"] = json!({ "environment": ["API_KEY"] });
    let trap = Package::new().with("tool.wasm", guest("unreachable", "")).bytes();
    let deny = json!({ "format": "mpp-policy/1", "deny": { "packages": ["org.example.echo"] } });
    let default = json!({ "format": "mpp-policy/1" });
    for (id, title, package_name, bytes, policy, text) in [
        (
            "request",
            "Arguments that the schema does not allow",
            "mcp/strict",
            package(&strict, &json!("x")),
            &default,
            "INVALID REQUEST: [request.bad_arguments]",
        ),
        (
            "denied",
            "A call that the policy denies",
            ECHO,
            echo(),
            &deny,
            "DENIED by MPP policy: [policy.denied]",
        ),
        ("failed", "A call that traps", "mcp/trap", trap, &default, "FAILED: [tool.trap]"),
        (
            "answer",
            "A call whose answer is none",
            "mcp/no-answer",
            Package::new().bytes(),
            &default,
            "FAILED: [tool.no_answer]",
        ),
    ] {
        cases.push(
            Case::mcp(&format!("error-{id}"), session(call(1, json!({ "x": 1 }))), &TEXT)
                .package(package_name, &bytes)
                .with("policy", policy.clone())
                .answers(after_start(&[json!({
                    "/id": 1, "/result/isError": true, "/result/content/0/text": text,
                })]))
                .says(title, texts)
                .spec("SRV-34"),
        );
    }
    cases.push(
        Case::mcp("error-unapproved", session(call(1, json!({}))), &TEXT)
            .package("mcp/asking", &package(&asking, &json!("x")))
            .answers(after_start(&[json!({
                "/id": 1, "/result/isError": true,
                "/result/content/0/text": "DENIED by MPP policy: [policy.confirmation_required]",
            })]))
            .says(
                "A call that waits for approval, and the end of the input",
                "What nobody approved does not run.",
            )
            .spec("SRV-04 SRV-34"),
    );
    cases.push(
        Case::mcp(
            "call-id-twice",
            json!([start(NEWEST), call(1, json!({})), call(1, json!({ "x": 1 }))]),
            &["/id", "/error/code", "/result/isError"],
        )
        .package("mcp/asking", &package(&asking, &json!("x")))
        .answers(after_start(&[
            json!({ "/id": 1, "/error/code": -32600 }),
            json!({ "/id": 1, "/result/isError": true }),
        ]))
        .says("A second call with the id of one that waits", "An id names one request.")
        .spec("SRV-30"),
    );
    let cancelled = json!([
        start(NEWEST),
        call(1, json!({})),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
        request(2, "ping", json!({})),
    ]);
    cases.push(
        Case::mcp("call-cancelled", cancelled, &TEXT)
            .package("mcp/asking", &package(&asking, &json!("x")))
            .answers(after_start(&[json!({ "/id": 2 })]))
            .says("A call that is cancelled while it waits", "A cancelled call is not answered.")
            .spec("SRV-31"),
    );
    let mut busy = vec![start(NEWEST)];
    busy.extend((100..133).map(|id| call(id, json!({ "n": id }))));
    let mut expected: Vec<Value> =
        (100..132).map(|id| json!({ "/id": id, "/result/isError": true })).collect();
    expected.push(json!({ "/id": 132, "/result/isError": true }));
    cases.push(
        Case::mcp("call-busy", json!(busy), &["/id", "/result/isError"])
            .package("mcp/asking", &package(&asking, &json!("x")))
            .answers(after_start(&expected))
            .says("33 calls that wait at once", "Each takes a thread and memory.")
            .spec("SRV-30 SRV-31 LIM-205"),
    );
    let separated = json!("a\u{85}b\u{2028}c\u{2029}d");
    cases.push(
        Case::mcp("call-separators", session(call(1, json!({}))), &TEXT)
            .package("mcp/separators", &package(&manifest(), &separated))
            .answers(json!({
                "messages": [{ "/id": "start" }, { "/id": 1, "/result/isError": false, "/result/content/0/text": separated }],
                "unescaped_separators": 0,
            }))
            .says("An answer with characters that some readers take for line ends", "One message is one line.")
            .spec("SRV-06"),
    );
    cases
}

fn blocks() -> Vec<Case> {
    let why = "A client gets what its revision defines, and the rest as text.";
    let mut cases = Vec::new();
    let content = |blocks: Value| json!({ "content": blocks });
    let mut of = |id: &str,
                  title: &str,
                  revision: &str,
                  result: Value,
                  expected: Value,
                  spec: &str| {
        let name = format!("mcp/block-{id}");
        let show = ["/id", "/result/content", "/result/structuredContent", "/result/isError"];
        let mut message = json!({ "/id": 1, "/result/isError": false });
        for (member, value) in expected.as_object().into_iter().flatten() {
            message[member.as_str()] = value.clone();
        }
        cases.push(
            Case::mcp(&format!("block-{id}"), json!([start(revision), call(1, json!({}))]), &show)
                .package(&name, &package(&manifest(), &result))
                .answers(after_start(&[message]))
                .says(title, why)
                .spec(spec),
        );
    };
    let as_text = |block: &Value| json!({ "/result/content": text_block(&block.to_string()) });
    let kept = |block: &Value| json!({ "/result/content": [block] });
    let image = json!({ "type": "image", "data": "aGVsbG8=", "mimeType": "image/png" });
    let audio = json!({ "type": "audio", "data": "aGVsbG8=", "mimeType": "audio/wav" });
    let link = json!({ "type": "resource_link", "uri": "https://example.com/", "name": "x" });
    let resource = json!({ "type": "resource", "resource": { "uri": "x:y", "text": "hello" } });
    for (id, title, revision, block, is_kept) in [
        ("image", "An image", NEWEST, image.clone(), true),
        ("audio", "Sound", NEWEST, audio.clone(), true),
        ("audio-old", "Sound in a revision without it", "2024-11-05", audio, false),
        ("link", "A link", NEWEST, link.clone(), true),
        ("link-old", "A link in a revision without it", "2024-11-05", link, false),
        ("resource", "A resource", NEWEST, resource, true),
        (
            "unknown",
            "An unknown type",
            NEWEST,
            json!({ "type": "video", "data": "aGVsbG8=" }),
            false,
        ),
        ("member-none", "A text without its text", NEWEST, json!({ "type": "text" }), false),
        ("member-type", "A number as text", NEWEST, json!({ "type": "text", "text": 1 }), false),
        (
            "base64",
            "Data that is not base64",
            NEWEST,
            json!({ "type": "image", "data": "hello", "mimeType": "image/png" }),
            false,
        ),
        (
            "mime",
            "Data without its type",
            NEWEST,
            json!({ "type": "image", "data": "aGVsbG8=" }),
            false,
        ),
        (
            "uri",
            "A link without a scheme",
            NEWEST,
            json!({ "type": "resource_link", "uri": "example", "name": "x" }),
            false,
        ),
    ] {
        let expected = if is_kept { kept(&block) } else { as_text(&block) };
        of(id, title, revision, content(json!([block])), expected, "SRV-36");
    }
    let structured = json!({ "content": [], "structuredContent": { "n": 1 } });
    let both = json!({ "content": text_block("one"), "structuredContent": { "n": 1 } });
    of(
        "structured",
        "Structured content alone",
        NEWEST,
        structured.clone(),
        json!({ "/result/content": text_block("{\"n\":1}"), "/result/structuredContent": { "n": 1 } }),
        "SRV-33",
    );
    of(
        "structured-both",
        "Structured content and a text",
        NEWEST,
        both.clone(),
        json!({ "/result/content": text_block("one"), "/result/structuredContent": { "n": 1 } }),
        "SRV-33",
    );
    of(
        "structured-old",
        "Structured content in a revision without it",
        "2024-11-05",
        structured,
        json!({ "/result/content": text_block("{\"n\":1}") }),
        "SRV-33",
    );
    let mut promising = manifest();
    promising["tools"][0]["returns"] = json!({ "type": "object", "required": ["n"] });
    for (id, title, structured, fits) in [
        ("fits", "An error whose structured content is as promised", json!({ "n": 1 }), true),
        (
            "misfits",
            "An error whose structured content is not as promised",
            json!({ "m": 1 }),
            false,
        ),
    ] {
        let result = json!({ "content": text_block("no"), "isError": true, "structuredContent": structured });
        let mut message =
            json!({ "/id": 1, "/result/isError": true, "/result/content/0/text": "no" });
        if fits {
            message["/result/structuredContent"] = structured.clone();
            message["/result/content"] = text_block("no");
        } else {
            let mut all = text_block("no");
            if let Some(all) = all.as_array_mut() {
                all.push(json!({ "type": "text", "text": structured.to_string() }))
            }
            message["/result/content"] = all;
        }
        cases.push(
            Case::mcp(&format!("error-{id}"), session(call(1, json!({}))), &RESULT)
                .package(&format!("mcp/error-{id}"), &package(&promising, &result))
                .answers(after_start(&[message]))
                .says(title, "Some clients hide an error that does not match.")
                .spec("SRV-35"),
        );
    }
    cases
}

fn asking() -> Value {
    let mut manifest = manifest();
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    manifest
}

fn elicits(level: &str) -> Value {
    json!({ "format": "mpp-policy/1", "consent": { "elicitation": level, "wait_s": 50 } })
}

fn allows() -> Value {
    json!({ "action": "accept", "content": { "allow": true } })
}

const REFUSED: &str = "DENIED by MPP policy: [policy.declined]";
const UNANSWERED: &str = "DENIED by MPP policy: [policy.confirmation_required]";

fn refusal(text: &str) -> Value {
    json!({ "/id": 1, "/result/isError": true, "/result/content/0/text": text })
}

fn approvals() -> Vec<Case> {
    let why = "Only a clear yes of a client that the policy believes approves a call.";
    let show = [
        "/id",
        "/method",
        "/result/isError",
        "/result/content/0/text",
        "/params/requestedSchema/required",
    ];
    let question = json!({ "/id": "mpp-0", "/method": "elicitation/create", "/params/requestedSchema/required": ["allow"] });
    let can = || start_with(NEWEST, json!({ "elicitation": {} }));
    let fine = json!({ "/id": 1, "/result/isError": false, "/result/content/0/text": "x" });
    let of = |id: &str, first: Value, policy: Value| {
        Case::mcp(&format!("ask-{id}"), json!([first, call(1, json!({}))]), &show)
            .package("mcp/asking", &package(&asking(), &json!("x")))
            .with("policy", policy)
    };
    let asked =
        |answer: &Value| messages(&[question.clone(), json!({ "/id": "start" }), answer.clone()]);
    let mut cases = Vec::new();
    for (id, title, reply, answer) in [
        ("accept", "A client that accepts", allows(), fine.clone()),
        ("decline", "A client that declines", json!({ "action": "decline" }), refusal(REFUSED)),
        ("cancel", "A client that cancels", json!({ "action": "cancel" }), refusal(REFUSED)),
        (
            "false",
            "A client that accepts with `allow` false",
            json!({ "action": "accept", "content": { "allow": false } }),
            refusal(REFUSED),
        ),
        (
            "text",
            "A client that accepts with `allow` as text",
            json!({ "action": "accept", "content": { "allow": "true" } }),
            refusal(REFUSED),
        ),
        (
            "nothing",
            "A client that accepts without content",
            json!({ "action": "accept" }),
            refusal(REFUSED),
        ),
        (
            "decline-true",
            "A client that declines with `allow` true",
            json!({ "action": "decline", "content": { "allow": true } }),
            refusal(REFUSED),
        ),
    ] {
        cases.push(
            of(id, can(), elicits("critical"))
                .with("replies", json!([{ "result": reply }]))
                .answers(asked(&answer))
                .says(title, why)
                .spec("SRV-41 SRV-40"),
        );
    }
    {
        let (id, title, capabilities) = (
            "modes",
            "A client that names the mode `form`",
            json!({ "elicitation": { "form": {}, "url": {} } }),
        );
        cases.push(
            of(id, start_with(NEWEST, capabilities), elicits("critical"))
                .with("replies", json!([{ "result": allows() }]))
                .answers(asked(&fine))
                .says(title, why)
                .spec("SRV-40"),
        );
    }
    let mut destructive = asking();
    destructive["tools"][0]["sensitivity"] = json!("destructive");
    let unasked = || messages(&[json!({ "/id": "start" }), refusal(UNANSWERED)]);
    for (id, title, first, policy) in [
        ("cannot", "A client that cannot ask", start(NEWEST), elicits("critical")),
        (
            "url",
            "A client that can ask only by an address",
            start_with(NEWEST, json!({ "elicitation": { "url": {} } })),
            elicits("critical"),
        ),
        (
            "old",
            "A client of a revision without questions",
            start_with("2024-11-05", json!({ "elicitation": {} })),
            elicits("critical"),
        ),
        (
            "null",
            "A client with null as capability",
            start_with(NEWEST, json!({ "elicitation": null })),
            elicits("critical"),
        ),
        ("never", "A policy that does not allow it", can(), json!({ "format": "mpp-policy/1" })),
        ("level", "A policy that allows it for a lower level", can(), elicits("none")),
    ] {
        cases.push(of(id, first, policy).answers(unasked()).says(title, why).spec("SRV-40"));
    }
    cases.push(
        Case::mcp("ask-destructive", json!([can(), call(1, json!({}))]), &show)
            .package("mcp/destructive", &package(&destructive, &json!("x")))
            .with("policy", elicits("critical"))
            .answers(unasked())
            .says("A destructive tool", why)
            .spec("SRV-40"),
    );
    cases
}

/// The stateless revision: the call is repeated with the answer.
fn states() -> Vec<Case> {
    let why = "A state is for one call, once, within minutes; any other asks again.";
    let show = [
        "/id",
        "/result/resultType",
        "/result/isError",
        "/result/content/0/text",
        "/result/inputRequests/consent/method",
    ];
    let again = |id: &str| {
        json!({
            "/id": id, "/result/resultType": "input_required",
            "/result/inputRequests/consent/method": "elicitation/create",
        })
    };
    let fine = |id: &str| {
        json!({
            "/id": id, "/result/resultType": "complete", "/result/isError": false, "/result/content/0/text": "x",
        })
    };
    let refused = |id: &str| {
        json!({
            "/id": id, "/result/resultType": "complete", "/result/isError": true, "/result/content/0/text": REFUSED,
        })
    };
    let params =
        stateless(json!({ "name": "echo", "arguments": {} }), json!({ "elicitation": {} }));
    let of = |id: &str, replies: Value| {
        Case::mcp(&format!("state-{id}"), json!([request(1, "tools/call", params.clone())]), &show)
            .package("mcp/asking", &package(&asking(), &json!("x")))
            .with("policy", elicits("critical"))
            .with("replies", replies)
    };
    let yes = allows();
    let mut cases = Vec::new();
    for (id, title, replies, expected) in [
        (
            "accept",
            "The call again, with state and answer",
            json!([{ "result": yes }]),
            vec![fine("again-1"), again("1")],
        ),
        (
            "decline",
            "The call again, with a no",
            json!([{ "result": { "action": "decline" } }]),
            vec![refused("again-1"), again("1")],
        ),
        (
            "absent",
            "The call again without the state",
            json!([{ "result": yes, "state": "absent" }]),
            vec![again("again-1"), again("1")],
        ),
        (
            "changed",
            "The call again with another state",
            json!([{ "result": yes, "state": "changed" }]),
            vec![again("again-1"), again("1")],
        ),
        (
            "no-answer",
            "The call again without the answer",
            json!([{}]),
            vec![again("again-1"), again("1")],
        ),
        (
            "arguments",
            "Another call with the state",
            json!([{ "result": yes, "params": { "arguments": { "x": 1 } } }]),
            vec![again("again-1"), again("1")],
        ),
        (
            "twice",
            "The call again, and once more with the same state",
            json!([{ "result": yes }, { "result": yes, "state": "first" }]),
            vec![fine("again-1"), again("again-2"), again("1")],
        ),
        (
            "later",
            "The state after a wrong try",
            json!([{ "result": yes, "state": "changed" }, { "result": yes, "state": "first" }]),
            vec![again("again-1"), fine("again-2"), again("1")],
        ),
    ] {
        let expected: Vec<Value> = expected
            .into_iter()
            .map(|mut message| {
                if message["/id"] == "1" {
                    message["/id"] = json!(1);
                }
                message
            })
            .collect();
        cases.push(
            of(id, replies).answers(messages(&expected)).says(title, why).spec("SRV-42 SRV-43"),
        );
    }
    cases
}
