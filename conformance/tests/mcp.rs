//! The server as a client meets it: what it answers in each revision, and what it leaves unanswered.
//! Calls go through real packages; the server runs in this process, on pipes made of channels.

use crate::support::{self, author, now, Host};
use mpp::mcp::Server;
use mpp::package::pack::{pack, read_directory};
use mpp::package::writer::Compression;
use mpp::store::PackageStore;
use mpp::{Gatekeeper, PermissionPolicy};
use serde_json::{json, Map, Value};
use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::Path;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::time::Duration;

pub const LEGACY: [&str; 3] = ["2024-11-05", "2025-06-18", "2025-11-25"];
const MODERN: &str = "2026-07-28";
/// No test waits this long unless there is a fault.
const PATIENCE: Duration = Duration::from_secs(120);

/// The read end of a pipe, and what was taken out of it and not read yet.
struct Incoming(Receiver<Vec<u8>>, Cursor<Vec<u8>>);

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.1.read(buffer)? {
            0 => match self.0.recv() {
                Ok(bytes) => self.1 = Cursor::new(bytes),
                Err(_) => return Ok(0),
            },
            count => return Ok(count),
        }
        self.1.read(buffer)
    }
}

/// The write end of another. Each write has to be one message and the line feed behind it.
struct Outgoing(Sender<Value>);

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A probe, after the end of the input.
        if bytes == b" " {
            return Ok(1);
        }
        let line = bytes.strip_suffix(b"\n").expect("a line feed at the end of each write");
        assert!(!line.contains(&b'\n'));
        // The client may have closed the connection.
        let _gone = self.0.send(serde_json::from_slice(line).expect("a message in each line"));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client that sends arbitrary bytes.
pub struct Client {
    to_server: Sender<Vec<u8>>,
    from_server: Receiver<Value>,
    last: Cell<u64>,
}

impl Client {
    pub fn line(&self, bytes: &[u8]) {
        self.to_server.send([bytes, b"\n"].concat()).unwrap();
    }

    pub fn send(&self, message: &Value) {
        self.line(message.to_string().as_bytes());
    }

    pub fn next(&self) -> Value {
        self.from_server.recv_timeout(PATIENCE).expect("a message from the server")
    }

    /// Sends a request with an id of its own and gives it.
    pub fn start(&self, method: &str, params: Value) -> Value {
        self.last.set(self.last.get() + 1);
        let id = json!(format!("request {}", self.last.get()));
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The answer to a request, which has to be the next message.
    #[track_caller]
    pub fn ask(&self, method: &str, params: Value) -> Value {
        let id = self.start(method, params);
        let answer = self.next();
        assert_eq!(answer["id"], id, "{answer}");
        assert_eq!(answer["jsonrpc"], "2.0");
        assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{answer}");
        answer
    }

    #[track_caller]
    pub fn result(&self, method: &str, params: Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].take()
    }

    #[track_caller]
    pub fn fails(&self, method: &str, params: Value, code: i64) -> Value {
        let mut answer = self.ask(method, params);
        assert_eq!(answer["error"]["code"], code, "{answer}");
        answer["error"].take()
    }

    #[track_caller]
    pub fn initialize(&self, revision: &str) -> Value {
        let info = json!({ "name": "try", "version": "1" });
        let params = json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": info });
        let result = self.result("initialize", params);
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        result
    }

    pub fn cancel(&self, id: &Value) {
        let params = json!({ "requestId": id, "reason": "enough" });
        let method = "notifications/cancelled";
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Nothing has come until now, and the next good request is answered.
    #[track_caller]
    pub fn is_silent(&self) {
        let _ = self.ask("tools/list", modern(json!({})));
    }
}

/// Parameters as the stateless revision wants them.
pub fn modern(mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(MODERN);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params
}

pub fn install(host: &Host, package: &[u8]) {
    let attestation = Gatekeeper::new(support::trust(), now()).verify(package).unwrap();
    PackageStore::new(&host.path(".")).install(package, &attestation).unwrap();
}

/// The package that clients of other makers are tried with: `contact`, `forever`, `wait`.
pub fn patience() -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/clients/fixtures");
    let mut contents = read_directory(&fixtures.join("patience")).unwrap();
    let guest = std::fs::read(fixtures.join("answers.wasm")).unwrap();
    contents.insert("tool.wasm".to_owned(), guest);
    pack(contents, &author(), now(), Compression::Stored).unwrap()
}

pub fn host(name: &str, packages: &[Vec<u8>]) -> Host {
    let host = Host::new(name);
    for package in packages {
        install(&host, package);
    }
    host
}

/// One session, from the start of a server to its end, which has to come when the input ends. Gives what
/// came out after the client had seen enough.
pub fn session(host: &Host, client: impl FnOnce(&Client)) -> Vec<Value> {
    session_with(host, PermissionPolicy::new().auto_approve_low(true), client)
}

pub fn session_with(
    host: &Host,
    policy: PermissionPolicy,
    client: impl FnOnce(&Client),
) -> Vec<Value> {
    let runtime = host.runtime_with(policy);
    let ((to_server, requests), (answers, from_server)) = (channel(), channel());
    std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let server = Server::new(&runtime, |_| {});
            server.serve(BufReader::new(Incoming(requests, Cursor::default())), Outgoing(answers))
        });
        let side = Client { to_server, from_server, last: Cell::new(0) };
        client(&side);
        let Client { to_server, from_server, .. } = side;
        drop(to_server);
        server.join().unwrap().unwrap();
        from_server.into_iter().collect()
    })
}

pub fn named(name: &str, tool: &str, guest: &str) -> Vec<u8> {
    let mut manifest = support::manifest(&format!("org.example.{name}"));
    manifest["tools"][0]["name"] = json!(tool);
    support::package_with(&manifest, guest)
}

pub fn saying(name: &str, tool: &str) -> Vec<u8> {
    named(name, tool, &support::saying(&support::response("said")))
}

pub fn call(tool: &str) -> Value {
    json!({ "name": tool, "arguments": {} })
}

pub fn names(list: &Value) -> Vec<&str> {
    list["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

pub fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn initialize_agrees_on_each_revision_that_begins_with_it() {
    let host = host("initialize", &[]);
    for revision in LEGACY {
        session(&host, |client| {
            let result = client.initialize(revision);
            assert_eq!(result["protocolVersion"], revision);
            assert_eq!(result["capabilities"], json!({ "tools": { "listChanged": true } }));
            assert_eq!(result["serverInfo"]["name"], "mpp");
        });
    }
}

#[test]
fn initialize_with_an_unknown_revision_offers_the_next_older_one_or_the_newest() {
    let host = host("unknown", &[]);
    for (asked, offered) in [
        ("2025-03-26", "2024-11-05"),
        ("2024-11-06", "2024-11-05"),
        ("2025-06-17", "2024-11-05"),
        ("2025-06-19", "2025-06-18"),
        ("2025-11-24", "2025-06-18"),
        ("2025-11-26", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("9999-12-31", "2025-11-25"),
        ("2024-10-07", "2025-11-25"),
        ("", "2025-11-25"),
        ("x", "2025-11-25"),
    ] {
        session(&host, |client| {
            assert_eq!(client.initialize(asked)["protocolVersion"], offered, "{asked}");
            let answer = client.result("tools/list", json!({}));
            assert_eq!(answer, json!({ "tools": [] }), "{asked}");
        });
    }
    session(&host, |client| {
        client.fails("initialize", json!({}), -32602);
        client.fails("initialize", json!({ "protocolVersion": 1 }), -32602);
        client.fails("initialize", json!({ "protocolVersion": ["2025-11-25"] }), -32602);
        client.fails("tools/list", json!({}), -32602);
    });
}

#[test]
fn before_initialize_nothing_is_answered_but_ping() {
    let host = host("before", &[saying("one", "run")]);
    session(&host, |client| {
        assert_eq!(client.result("ping", json!({})), json!({}));
        for method in ["tools/list", "tools/call", "resources/list", "server/discover", "nonsense"]
        {
            client.fails(method, call("run"), -32602);
        }
    });
    assert!(!host.log().exists() || host.records().is_empty());
}

#[test]
fn tools_are_listed_even_if_the_client_never_says_that_it_is_initialized() {
    let host = host("never", &[saying("one", "run")]);
    session(&host, |client| {
        client.result("initialize", json!({ "protocolVersion": "2025-06-18" }));
        assert_eq!(names(&client.result("tools/list", json!({}))), ["run"]);
    });
}

#[test]
fn the_stateless_revision_wants_version_and_capabilities_in_each_request() {
    let host = host("stateless", &[saying("one", "run")]);
    session(&host, |client| {
        let whole = modern(call("run"));
        for missing in ["protocolVersion", "clientCapabilities"] {
            let mut params = whole.clone();
            let meta = params["_meta"].as_object_mut().unwrap();
            meta.remove(&format!("io.modelcontextprotocol/{missing}")).unwrap();
            client.fails("tools/call", params, -32602);
        }
        for wrong in [json!(null), json!([]), json!("x"), json!(true)] {
            let mut params = whole.clone();
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = wrong;
            client.fails("tools/call", params, -32602);
        }
        client.fails("tools/call", json!({ "name": "run", "_meta": [] }), -32602);
        for version in ["2025-11-25", "2026-07-29", ""] {
            let mut params = whole.clone();
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(version);
            let error = client.fails("tools/call", params, -32022);
            assert_eq!(error["data"], json!({ "supported": [MODERN], "requested": version }));
        }
        assert_eq!(text(&client.result("tools/call", whole)), "said");
    });
}

#[test]
fn the_stateless_revision_says_in_each_result_what_it_is() {
    let host = host("discover", &[saying("one", "run")]);
    session(&host, |client| {
        let found = client.result("server/discover", modern(json!({})));
        assert_eq!(found["supportedVersions"], json!([MODERN]));
        assert_eq!(found["capabilities"], json!({ "tools": { "listChanged": true } }));
        let list = client.result("tools/list", modern(json!({})));
        for result in [&found, &list] {
            assert_eq!(result["ttlMs"], 0);
            assert_eq!(result["cacheScope"], "private");
        }
        let called = client.result("tools/call", modern(call("run")));
        for result in [found, list, called] {
            assert_eq!(result["resultType"], "complete");
            assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "mpp");
        }
    });
}

#[test]
fn what_the_stateless_revision_has_removed_is_not_there_in_it() {
    let host = host("removed", &[]);
    session(&host, |client| {
        let methods = ["ping", "initialize", "logging/setLevel", "resources/list", "prompts/list"];
        for method in methods.into_iter().chain(["resources/subscribe", "", "tools/lis"]) {
            client.fails(method, modern(json!({ "protocolVersion": "2025-11-25" })), -32601);
        }
        // None of that began a session of the other kind.
        client.fails("tools/list", json!({}), -32602);
    });
}

#[test]
fn both_eras_are_spoken_in_one_process_message_by_message() {
    let host = host("eras", &[saying("one", "run")]);
    session(&host, |client| {
        assert!(client.result("tools/call", modern(call("run"))).get("resultType").is_some());
        client.initialize("2025-06-18");
        assert!(client.result("tools/call", call("run")).get("resultType").is_none());
        assert!(client.result("tools/call", modern(call("run"))).get("resultType").is_some());
        client.fails("server/discover", json!({}), -32601);
    });
}

#[test]
fn fields_that_a_revision_does_not_know_are_left_out() {
    let host = host("fields", &[patience()]);
    for revision in LEGACY {
        session(&host, |client| {
            client.initialize(revision);
            let list = client.result("tools/list", json!({}));
            let contact = &list["tools"][0];
            assert_eq!(contact.get("annotations").is_some(), revision >= "2025-06-18");
            assert_eq!(contact.get("outputSchema").is_some(), revision >= "2025-06-18");
            assert_eq!(contact["inputSchema"]["type"], "object");
            assert_eq!(contact["inputSchema"]["properties"], json!({}));
            let answer = client.result("tools/call", call("contact"));
            assert_eq!(answer.get("structuredContent").is_some(), revision >= "2025-06-18");
            assert!(answer.to_string().contains("[EMAIL]"), "{answer}");
            assert!(!answer.to_string().contains("ann@"));
        });
    }
}

#[test]
fn tools_of_packages_that_the_policy_denies_are_not_listed_and_calls_of_them_are_denied() {
    let mut asks = support::manifest("org.example.asks");
    asks["tools"][0]["name"] = json!("asks");
    asks["capabilities"] = json!({ "network": ["api.example.com"] });
    let asks = support::package_with(&asks, support::SILENT_GUEST);
    let host = host("denied", &[saying("fine", "fine"), saying("other", "other"), asks]);
    for (deny, left) in [
        (json!({}), vec!["asks", "fine", "other"]),
        (json!({ "packages": ["org.example.other"] }), vec!["asks", "fine"]),
        (json!({ "packages": ["org.example"] }), vec![]),
        (json!({ "capabilities": ["network"] }), vec!["fine", "other"]),
        (json!({ "hosts": ["api.example.com"] }), vec!["fine", "other"]),
        (json!({ "hosts": ["api.example.org"] }), vec!["asks", "fine", "other"]),
    ] {
        session_with(&host, support::policy(json!({ "deny": deny })), |client| {
            assert_eq!(names(&client.result("tools/list", modern(json!({})))), left, "{deny}");
            for tool in ["asks", "fine", "other"].iter().filter(|tool| !left.contains(*tool)) {
                let answer = client.result("tools/call", modern(call(tool)));
                assert!(text(&answer).contains("policy.denied"), "{answer}");
            }
        });
    }
}

#[test]
fn pages_hold_each_tool_once_and_in_order() {
    let of_128 = |package: usize| {
        let mut manifest = support::manifest(&format!("org.example.many{package}"));
        let tool = |number: usize| {
            json!({ "name": format!("t{:03}_{package}", number * 7 % 128), "description": "x",
                    "parameters": { "type": "object" }, "sensitivity": "read" })
        };
        manifest["tools"] = (0..128).map(tool).collect();
        support::package_with(&manifest, support::SILENT_GUEST)
    };
    let host = host("pages", &(0..5).map(of_128).collect::<Vec<_>>());
    session(&host, |client| {
        client.initialize("2025-11-25");
        let first = client.result("tools/list", json!({}));
        for start in [json!(""), json!(null)] {
            assert_eq!(client.result("tools/list", json!({ "cursor": start })), first);
        }
        let cursor = &first["nextCursor"];
        let second = client.result("tools/list", json!({ "cursor": cursor }));
        assert!(second.get("nextCursor").is_none());
        let all = [names(&first), names(&second)].concat();
        assert_eq!(all.len(), 640);
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
        for wrong in [json!("t000"), json!("zzz"), json!(" "), json!(1), json!([]), json!(false)] {
            client.fails("tools/list", json!({ "cursor": wrong }), -32602);
        }
    });
}

#[test]
fn a_call_that_names_no_tool_or_brings_no_object_is_an_error_of_the_protocol() {
    let host = host("shape", &[saying("one", "run")]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        let error = client.fails("tools/call", call("nothing"), -32602);
        assert_eq!(error["message"], "Unknown tool: nothing");
        client.fails("tools/call", call("Run"), -32602);
        client.fails("tools/call", call("install"), -32602);
        client.fails("tools/call", json!({}), -32602);
        for name in [json!(null), json!(1), json!(["run"]), json!({ "name": "run" })] {
            client.fails("tools/call", json!({ "name": name }), -32602);
        }
        for arguments in [json!([]), json!("{}"), json!(1), json!(true)] {
            client.fails("tools/call", json!({ "name": "run", "arguments": arguments }), -32602);
        }
        assert_eq!(text(&client.result("tools/call", json!({ "name": "run" }))), "said");
    });
    // What never was a call of a tool leaves no record.
    assert_eq!(host.records_of("intent").len(), 1);
    assert_eq!(host.records_of("refused").len(), 0);
}

#[test]
fn what_keeps_a_call_from_succeeding_is_told_to_the_model() {
    let mut strict = support::manifest("org.example.strict");
    strict["tools"][0]["name"] = json!("strict");
    strict["tools"][0]["parameters"] =
        json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
    let mut risky = support::manifest("org.example.risky");
    risky["tools"][0]["name"] = json!("risky");
    risky["capabilities"] = json!({ "network": ["a.example", "b.example"],
        "filesystem": { "write": ["/out"] }, "environment": ["KEY"] });
    let trap = r#"(module (memory (export "memory") 1) (func (export "_start") unreachable))"#;
    let host = host(
        "told",
        &[
            support::package_with(&strict, support::SILENT_GUEST),
            support::package_with(&risky, support::SILENT_GUEST),
            named("trap", "trap", trap),
        ],
    );
    let policy = support::policy(json!({ "auto_approve_low": true, "non_interactive": true }));
    session_with(&host, policy, |client| {
        client.initialize("2025-11-25");
        let bad = json!({ "name": "strict", "arguments": { "n": "ann@example.com" } });
        for (params, start) in [
            (bad, "INVALID REQUEST: [request.bad_arguments] "),
            (call("risky"), "DENIED by MPP policy: [policy."),
            (call("trap"), "FAILED: [tool."),
        ] {
            let result = client.result("tools/call", params);
            assert_eq!(result["isError"], true);
            assert!(text(&result).starts_with(start), "{result}");
            assert!(!result.to_string().contains("ann@"));
        }
    });
}

#[test]
fn a_cancelled_call_stops_and_is_not_answered() {
    let host = host("cancel", &[patience(), saying("one", "run")]);
    let rest = session(&host, |client| {
        client.initialize("2025-11-25");
        client.send(&json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call("forever") }));
        // Ids of others, of another type, and none.
        for other in [json!("7"), json!(8), json!(null), json!([7]), json!({})] {
            client.cancel(&other);
        }
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled" }));
        assert_eq!(text(&client.result("tools/call", call("run"))), "said");
        client.fails("tools/call", json!({ "name": 1 }), -32602);
        // It still runs, so its id is taken.
        client.send(
            &json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call("run") }),
        );
        let taken = client.next();
        assert_eq!((&taken["id"], &taken["error"]["code"]), (&json!(7), &json!(-32600)));
        client.cancel(&json!(7));
    });
    assert_eq!(rest, [] as [Value; 0]);
    let outcomes = host.records_of("outcome");
    assert_eq!(outcomes.iter().filter(|record| record["result"] == "tool.cancelled").count(), 1);
    assert_eq!(outcomes.len(), 2);
}

#[test]
fn a_slow_tool_holds_up_neither_ping_nor_another_call() {
    let host = host("slow", &[patience(), saying("one", "run")]);
    let rest = session(&host, |client| {
        client.initialize("2024-11-05");
        let slow = [(); 2].map(|()| client.start("tools/call", call("forever")));
        assert_eq!(client.result("ping", json!({})), json!({}));
        assert_eq!(text(&client.result("tools/call", call("run"))), "said");
        assert_eq!(names(&client.result("tools/list", json!({}))).len(), 4);
        // What has not begun leaves no outcome when it is cancelled.
        while host.records_of("intent").len() < 3 {
            std::thread::yield_now();
        }
        for id in slow {
            client.cancel(&id);
        }
    });
    assert_eq!(rest, [] as [Value; 0]);
    let outcomes = host.records_of("outcome");
    assert_eq!(outcomes.iter().filter(|record| record["result"] == "tool.cancelled").count(), 2);
}

#[test]
fn when_the_input_ends_running_calls_are_still_answered() {
    let host = host("end", &[patience()]);
    let mut started = json!(null);
    let rest = session(&host, |client| {
        client.initialize("2025-11-25");
        started = client.start("tools/call", call("wait"));
    });
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["id"], started);
    assert_eq!(text(&rest[0]["result"]), "Done.");
}

#[test]
fn an_answer_that_is_structured_only_is_told_as_text_too_and_filtered() {
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"mail":"ann@example.com"}}}"#;
    let host = host("structured", &[named("structured", "run", &support::saying(response))]);
    for revision in LEGACY {
        session(&host, |client| {
            client.initialize(revision);
            let answer = client.result("tools/call", call("run"));
            assert_eq!(text(&answer), r#"{"mail":"[EMAIL]"}"#, "{revision}");
        });
    }
}

#[test]
fn progress_rises_and_ends_with_the_answer() {
    let host = host("progress", &[patience()]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        let mut params = call("wait");
        params["_meta"]["progressToken"] = json!("a token");
        let id = client.start("tools/call", params);
        let mut last = 0;
        let answer = loop {
            let message = client.next();
            if message.get("id").is_some() {
                break message;
            }
            assert_eq!(message["method"], "notifications/progress");
            assert_eq!(message["params"]["progressToken"], "a token");
            let progress = message["params"]["progress"].as_u64().unwrap();
            assert!(progress > last);
            last = progress;
        };
        assert_eq!(answer["id"], id);
        assert!(last > 0, "a call of seconds reported no progress");
    });
}

#[test]
fn more_calls_than_may_run_at_once_are_told_to_come_back() {
    let host = host("busy", &[patience(), saying("one", "run")]);
    let rest = session(&host, |client| {
        client.initialize("2025-11-25");
        let running: Vec<Value> =
            (0..32).map(|_| client.start("tools/call", call("forever"))).collect();
        let busy = client.result("tools/call", call("run"));
        assert_eq!(busy["isError"], true);
        assert!(text(&busy).starts_with("BUSY"));
        assert_eq!(client.result("ping", json!({})), json!({}));
        for id in running {
            client.cancel(&id);
        }
    });
    assert_eq!(rest, [] as [Value; 0]);
}

#[test]
fn an_array_is_one_invalid_request_in_every_revision_and_nothing_in_it_is_done() {
    let host = host("arrays", &[patience(), saying("one", "run")]);
    let ping = |id: u64| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let of = |id: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled",
                            "params": { "requestId": "waits" } });
    let begin = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize",
                        "params": { "protocolVersion": "2025-11-25" } });
    let arrays = [
        json!([]),
        json!([ping(1)]),
        json!([ping(1), ping(2)]),
        json!([[ping(1)]]),
        json!([5, null]),
        json!([begin]),
        json!([cancelled]),
        json!([cancelled, cancelled]),
        json!([{ "jsonrpc": "2.0", "id": "mpp-0", "result": {} }]),
        json!([of("a", call("run")), of("b", modern(call("run")))]),
        Value::Array((0..2_000).map(ping).collect()),
    ];
    let refuses = |client: &Client, array: &Value| {
        client.send(array);
        let answer = client.next();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(null), &json!(-32600)));
        client.is_silent();
    };
    session(&host, |client| {
        arrays.iter().for_each(|array| refuses(client, array));
        client.fails("tools/list", json!({}), -32602);
    });
    for revision in LEGACY.into_iter().chain(["2025-03-26"]) {
        session(&host, |client| {
            client.initialize(revision);
            arrays.iter().for_each(|array| refuses(client, array));
        });
    }
    assert!(!host.log().exists() || host.records().is_empty());
    let rest = session(&host, |client| {
        client.initialize("2025-11-25");
        client.send(&of("waits", call("wait")));
        refuses(client, &json!([cancelled]));
    });
    assert_eq!((rest.len(), &rest[0]["id"]), (1, &json!("waits")));
}

#[test]
fn a_client_is_in_the_record_by_the_name_it_gives_itself() {
    let host = host("agent", &[saying("one", "run")]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        let _ = client.result("tools/call", call("run"));
        let mut params = modern(call("run"));
        params["_meta"]["io.modelcontextprotocol/clientInfo"] =
            json!({ "name": "other", "version": "2" });
        let _ = client.result("tools/call", params);
    });
    let agents: Vec<Value> =
        host.records_of("intent").iter().map(|record| record["agent"].clone()).collect();
    assert_eq!(agents, ["try 1", "other 2"]);
}

#[test]
fn a_server_that_is_asked_for_no_call_leaves_no_record() {
    let host = host("idle", &[saying("one", "run")]);
    session(&host, |client| {
        let _ = client.result("tools/list", modern(json!({})));
    });
    assert!(!host.log().exists() || host.records().is_empty());
}

#[test]
fn structured_content_of_an_error_that_does_not_match_returns_is_text_only() {
    let failing = |structured: &str, content: &str| {
        let result =
            format!(r#"{{"isError":true,"content":[{content}],"structuredContent":{structured}}}"#);
        support::saying(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#))
    };
    let declaring = |tool: &str, guest: &str| {
        let mut manifest = support::manifest(&format!("org.example.{tool}"));
        manifest["tools"][0]["name"] = json!(tool);
        manifest["tools"][0]["returns"] = json!({ "type": "object", "properties": { "n": { "type": "integer" },
                    "mail": { "maxLength": 7 } }, "required": ["n"] });
        support::package_with(&manifest, guest)
    };
    let said = r#"{"type":"text","text":"said"}"#;
    let other = r#"{"mail":"ann@example.com"}"#;
    let data = r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"said","data":{"why":"x"}}}"#;
    let packages = [
        declaring("other", &failing(other, said)),
        declaring("bare", &failing(other, "")),
        declaring("data", &support::saying(data)),
        declaring("fits", &failing(r#"{"n":1}"#, said)),
        declaring("filtered", &failing(r#"{"n":1,"mail":"ann@example.com"}"#, said)),
        named("free", "free", &failing(other, said)),
    ];
    let host = host("misfit", &packages);
    for revision in LEGACY {
        session(&host, |client| {
            client.initialize(revision);
            for (tool, texts, structured) in [
                ("other", vec!["said", r#"{"mail":"[EMAIL]"}"#], None),
                ("bare", vec![r#"{"mail":"[EMAIL]"}"#], None),
                ("data", vec!["said", r#"{"why":"x"}"#], None),
                ("fits", vec!["said"], Some(json!({ "n": 1 }))),
                ("filtered", vec!["said"], Some(json!({ "n": 1, "mail": "[EMAIL]" }))),
                ("free", vec!["said"], Some(json!({ "mail": "[EMAIL]" }))),
            ] {
                let result = client.result("tools/call", call(tool));
                assert_eq!(result["isError"], true);
                let blocks = result["content"].as_array().unwrap();
                let found: Vec<_> = blocks.iter().map(|b| b["text"].as_str().unwrap()).collect();
                assert_eq!(found, texts, "{tool}");
                let structured = structured.filter(|_| revision >= "2025-06-18");
                assert_eq!(result.get("structuredContent"), structured.as_ref(), "{tool}");
            }
        });
    }
}

#[test]
fn line_separators_leave_escaped() {
    let text = "a\u{2028}b\u{2029}c\u{85}d\u{2027}\\u2028";
    let guest = support::saying(&support::response(text));
    let host = host("separators", &[named("separators", "run", &guest)]);
    let runtime = host.runtime_with(PermissionPolicy::new().auto_approve_low(true));
    let lines = [
        json!({ "jsonrpc": "2.0", "id": text, "method": "tools/call", "params": modern(call("run")) }),
        json!({ "jsonrpc": "2.0", "id": text, "method": text, "params": modern(json!({})) }),
    ];
    for line in lines {
        let mut output = Vec::new();
        let input = Cursor::new(line.to_string().into_bytes());
        Server::new(&runtime, |_| {}).serve(input, &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        assert!(!output.contains(['\u{2028}', '\u{2029}', '\u{85}']), "{output}");
        let answer: Value = serde_json::from_str(output.strip_suffix('\n').unwrap()).unwrap();
        assert_eq!(answer["id"], text);
        assert!(answer.get("error").is_some() || answer["result"]["content"][0]["text"] == text);
    }
}

/// A package with one tool of this name, with these schemas.
fn with_schemas(tool: &str, parameters: &Value, returns: Option<&Value>) -> Vec<u8> {
    let mut manifest = support::manifest(&format!("org.example.{tool}"));
    manifest["tools"][0]["name"] = json!(tool);
    manifest["tools"][0]["parameters"] = parameters.clone();
    if let Some(returns) = returns {
        manifest["tools"][0]["returns"] = returns.clone();
    }
    support::package_with(&manifest, &support::saying(&support::response("said")))
}

// [SRV-23]
#[test]
fn the_list_has_the_definition_in_the_place_of_each_reference_if_that_is_not_too_long() {
    let schema = json!({
        "type": "object",
        "properties": {
            "plain": { "$ref": "#/$defs/point" },
            "described": { "$ref": "#/$defs/point", "description": "where" },
            "bounded": { "$ref": "#/$defs/count", "maximum": 9 },
            "listed": { "type": "array", "items": { "$ref": "#/$defs/point" } },
            "$ref": { "enum": [{ "$ref": "#/$defs/point" }] },
            "$defs": { "const": { "$defs": 1 } },
            "never": { "$ref": "#/$defs/none" },
        },
        "$defs": {
            "none": false,
            "count": { "type": "integer", "description": "count" },
            "point": { "type": "object", "properties": { "x": { "$ref": "#/$defs/count" } } },
        },
    });
    let count = json!({ "type": "integer", "description": "count" });
    let point = json!({ "type": "object", "properties": { "x": count } });
    let mut described = point.clone();
    described["description"] = json!("where");
    let expanded = json!({
        "type": "object",
        "properties": {
            "plain": point,
            "described": described,
            "bounded": { "maximum": 9, "allOf": [count] },
            "listed": { "type": "array", "items": point },
            "$ref": { "enum": [{ "$ref": "#/$defs/point" }] },
            "$defs": { "const": { "$defs": 1 } },
            "never": { "allOf": [false] },
        },
    });
    // Each definition holds the next one four times: 4 to the power of 12 in all.
    let mut definitions = json!({ "d12": { "type": "integer" } });
    for depth in 0..12 {
        let next = json!({ "$ref": format!("#/$defs/d{}", depth + 1) });
        definitions[format!("d{depth}")] =
            json!({ "anyOf": [next, next, next, next], "title": depth.to_string() });
    }
    let long = json!({ "type": "object", "properties": { "a": { "$ref": "#/$defs/d0" } },
                       "$defs": definitions });
    // Each reference stands for a thousand items of one byte or more.
    let items: Vec<Value> = (0..1_000).map(|_| json!(true)).collect();
    let members = (0..300).map(|n| (format!("p{n}"), json!({ "$ref": "#/$defs/a" })));
    let wide = json!({ "type": "object", "properties": members.collect::<Map<_, _>>(),
                       "$defs": { "a": { "allOf": items } } });
    let packages = [
        with_schemas("short", &schema, Some(&schema)),
        with_schemas("long", &long, None),
        with_schemas("wide", &wide, None),
    ];
    let host = host("references", &packages);
    for revision in LEGACY {
        session(&host, |client| {
            client.initialize(revision);
            let list = client.result("tools/list", json!({}));
            assert_eq!(names(&list), ["long", "short", "wide"]);
            assert_eq!(list["tools"][2]["inputSchema"], wide);
            assert_eq!(list["tools"][0]["inputSchema"], long);
            assert_eq!(list["tools"][1]["inputSchema"], expanded);
            let output = list["tools"][1].get("outputSchema");
            assert_eq!(output, Some(&expanded).filter(|_| revision >= "2025-06-18"));
        });
    }
}

// [SRV-36]
#[test]
fn a_content_block_that_the_revision_does_not_define_leaves_as_text() {
    let annotated =
        |annotations: Value| json!({ "type": "text", "text": "a", "annotations": annotations });
    let resource = |resource: Value| json!({ "type": "resource", "resource": resource });
    let invalid = [
        json!({ "type": "text", "text": {} }),
        json!({ "type": "text" }),
        json!({ "type": "text", "text": null }),
        json!({ "type": "video", "data": "AAAA", "mimeType": "video/mp4" }),
        json!({ "type": "", "text": "a" }),
        json!({ "type": "image", "data": "AAAA" }),
        json!({ "type": "image", "data": "not base64", "mimeType": "image/png" }),
        json!({ "type": "image", "data": "AAAA", "mimeType": 1 }),
        json!({ "type": "audio", "mimeType": "audio/wav" }),
        resource(json!({ "text": "a" })),
        resource(json!({ "uri": "no scheme", "text": "a" })),
        resource(json!({ "uri": "file:///a" })),
        resource(json!({ "uri": "file:///a", "text": "a", "blob": "AAAA" })),
        resource(json!("file:///a")),
        json!({ "type": "resource" }),
        json!({ "type": "resource_link", "uri": "file:///a" }),
        json!({ "type": "resource_link", "name": "a" }),
        json!({ "type": "resource_link", "uri": "file:///a", "name": "a", "size": "1" }),
        annotated(json!([])),
        annotated(json!(null)),
        annotated(json!({ "audience": "user" })),
        annotated(json!({ "audience": ["model"] })),
        annotated(json!({ "priority": 2 })),
        json!({ "type": "text", "text": "a", "_meta": 1 }),
    ];
    let newer = [
        json!({ "type": "audio", "data": "AAAA", "mimeType": "audio/wav" }),
        json!({ "type": "resource_link", "uri": "file:///a", "name": "a", "size": 1 }),
    ];
    let valid = [
        json!({ "type": "text", "text": "" }),
        json!({ "type": "image", "data": "AAAA", "mimeType": "image/png" }),
        resource(json!({ "uri": "file:///a", "text": "a", "mimeType": "text/plain" })),
        resource(json!({ "uri": "file:///a", "blob": "AA==" })),
        annotated(json!({ "audience": ["user", "assistant"], "priority": 0.5 })),
    ];
    let all: Vec<&Value> = invalid.iter().chain(&newer).chain(&valid).collect();
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": all } });
    let guest = support::saying(&response.to_string());
    let host = host("blocks", &[named("blocks", "run", &guest)]);
    let check = |result: &Value, is_newer: bool| {
        let blocks = result["content"].as_array().unwrap();
        assert_eq!(blocks.len(), all.len());
        for (index, (block, sent)) in blocks.iter().zip(&all).enumerate() {
            let is_valid = index >= invalid.len() + if is_newer { 0 } else { newer.len() };
            match is_valid {
                true => assert_eq!(block, *sent),
                false => {
                    assert_eq!(*block, json!({ "type": "text", "text": sent.to_string() }));
                }
            }
        }
    };
    for revision in LEGACY {
        session(&host, |client| {
            client.initialize(revision);
            check(&client.result("tools/call", call("run")), revision >= "2025-06-18");
        });
    }
    session(&host, |client| check(&client.result("tools/call", modern(call("run"))), true));
}
