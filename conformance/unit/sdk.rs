//! The SDK answers any bytes with one response, and no key or reply of the host reaches more than it should.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use crate::sdk::{
    json, tool_handler, Answer, Call, Failure, Handler, HttpRequest, HttpResponse, Storage,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Texts = BTreeMap<String, String>;

fn greet(texts: Texts, _: &Call) -> Result<String, Failure> {
    let name = texts.get("name").ok_or_else(|| Failure::arguments("name is missing"))?;
    Ok(format!("Hello, {name}!"))
}

fn fail(_: Value, _: &Call) -> Result<String, Failure> {
    Err(Failure::with_code("shop.closed", "the shop is closed"))
}

fn agent(_: Value, call: &Call) -> Result<String, Failure> {
    Ok(format!("{:?}", call.agent().map(|agent| (&agent.name, &agent.version))))
}

fn tools() -> Handler {
    tool_handler().tool("greet", greet).tool("fail", fail).tool("agent", agent)
}

fn request(params: Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
        .to_string()
        .into_bytes()
}

/// The response to some bytes, which is one line and a response of JSON-RPC in any case.
fn answer(request: &[u8]) -> Value {
    let text = tools().answer(request);
    assert!(!text.contains('\n'), "{text}");
    let response: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(response["jsonrpc"], "2.0");
    let is_result = response.get("result").is_some();
    assert_ne!(is_result, response.get("error").is_some(), "{text}");
    if !is_result {
        assert!(response["error"]["code"].is_i64() && response["error"]["message"].is_string());
    }
    response
}

fn code(request: &[u8]) -> i64 {
    answer(request)["error"]["code"].as_i64().unwrap_or_default()
}

fn result(params: Value) -> Value {
    answer(&request(params))["result"].clone()
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    let deep = |levels: usize| [b"[".repeat(levels), b"]".repeat(levels)].concat();
    let open = b"{\"a\":".repeat(100_000);
    let not_utf_8 = [b"{\"id\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
    let texts: [&[u8]; 15] = [
        b"",
        b" \n",
        b"\0",
        b"{",
        b"{} {}",
        b"{}x",
        b"'a'",
        b"{\"id\":1,}",
        b"{\"id\":01}",
        b"{\"id\":\"\\ud800\"}",
        b"\xef\xbb\xbf{}",
        &not_utf_8,
        &deep(129),
        &deep(100_000),
        &open,
    ];
    for text in texts {
        assert_eq!(
            code(text),
            -32700,
            "{:?}",
            String::from_utf8_lossy(&text[..text.len().min(40)])
        );
    }
}

#[test]
fn json_that_is_not_a_request_is_an_invalid_request() {
    let texts = [
        "null",
        "1",
        "\"tools/call\"",
        "[]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}]",
        "{}",
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"greet","arguments":{"name":"A"}}}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"tools/call"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"tools/call"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"tools/call"}"#,
        r#"{"id":1,"method":"tools/call"}"#,
    ];
    for text in texts {
        assert_eq!(code(text.as_bytes()), -32600, "{text}");
    }
}

#[test]
fn another_method_is_not_found() {
    for method in ["null", "1", "\"\"", "\"tools/list\"", "\"TOOLS/CALL\"", "[\"tools/call\"]"] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":{method},"params":{{}}}}"#);
        assert_eq!(code(text.as_bytes()), -32601, "{text}");
    }
    assert_eq!(code(br#"{"jsonrpc":"2.0","id":1}"#), -32601);
}

#[test]
fn params_without_a_known_tool_are_invalid() {
    for params in [
        json!(null),
        json!([]),
        json!("greet"),
        json!({}),
        json!({ "name": null }),
        json!({ "name": 1 }),
        json!({ "name": ["greet"] }),
        json!({ "name": "" }),
        json!({ "name": "Greet" }),
        json!({ "name": "greet\0" }),
        json!({ "name": "x".repeat(1_000_000) }),
    ] {
        assert_eq!(code(&request(params)), -32602);
    }
    assert_eq!(code(br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#), -32602);
    let unknown = answer(&request(json!({ "name": "x\u{1b}[2J" }))).to_string();
    assert!(!unknown.contains("2J"), "the name is not repeated: {unknown}");
}

#[test]
fn arguments_that_do_not_fit_are_invalid_and_the_tool_is_not_called() {
    let called = |_: Texts, _: &Call| -> Result<String, Failure> { panic!("called") };
    let tools = tool_handler().tool("greet", called);
    for arguments in [
        json!([]),
        json!("Ann"),
        json!(1),
        json!(true),
        json!({ "name": 1 }),
        json!({ "name": null }),
        json!({ "name": { "name": "Ann" } }),
        json!({ "name": "Ann", "age": 3 }),
    ] {
        let refused = tools.call("greet", arguments.clone());
        assert!(matches!(refused, Err(Failure::Arguments(_))), "{arguments}: {refused:?}");
        assert_eq!(code(&request(json!({ "name": "greet", "arguments": arguments }))), -32602);
    }
    assert_eq!(code(&request(json!({ "name": "greet", "arguments": {} }))), -32602);
    assert!(matches!(tools.call("other", json!({})), Err(Failure::Arguments(_))));
}

#[test]
fn absent_and_null_arguments_are_an_empty_object() {
    let tools = tool_handler()
        .tool("show", |arguments: Value, _: &Call| Ok::<_, Failure>(arguments.to_string()));
    assert_eq!(tools.call("show", Value::Null).unwrap().text, "{}");
    assert!(tools.answer(&request(json!({ "name": "show" }))).contains(r#""text":"{}""#));
}

#[test]
fn the_id_of_a_request_is_that_of_its_response() {
    for id in [json!(1), json!(-3.5), json!("a\"\n"), json!(null), json!(u64::MAX)] {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call",
                              "params": { "name": "greet", "arguments": { "name": "Ann" } } });
        let response = answer(request.to_string().as_bytes());
        assert_eq!(response["id"], id);
        assert_eq!(response["result"]["content"][0]["text"], "Hello, Ann!");
    }
}

#[test]
fn a_request_that_is_cut_off_or_altered_in_a_byte_has_a_response() {
    let whole = request(json!({ "name": "greet", "arguments": { "name": "Ann é" },
                                "_meta": { "io.modelcontextprotocol/clientInfo": {} } }));
    assert!(answer(&whole).get("result").is_some());
    for at in 0..whole.len() {
        assert_eq!(code(&whole[..at]), -32700);
        for byte in [0, b'"', b'{', b'9', 0x80, 0xff] {
            let mut altered = whole.clone();
            altered[at] = byte;
            answer(&altered);
        }
    }
}

#[test]
fn a_huge_argument_is_answered() {
    let name = "\u{1f980}\"\n".repeat(1_000_000);
    let result = result(json!({ "name": "greet", "arguments": { "name": name } }));
    assert_eq!(result["content"][0]["text"].as_str().unwrap().len(), name.len() + 8);
}

#[test]
fn a_result_has_text_structure_or_both() {
    let shown = |answer: Answer| {
        let tools =
            tool_handler().tool("show", move |_: Value, _: &Call| Ok::<_, Failure>(answer.clone()));
        let response = tools.answer(&request(json!({ "name": "show" })));
        let response: Value = serde_json::from_str(&response).unwrap();
        response["result"].clone()
    };
    let expected = |text: &str, structure: Value| {
        let mut result = json!({ "content": [{ "type": "text", "text": text }], "isError": false });
        if !structure.is_null() {
            result["structuredContent"] = structure;
        }
        result
    };
    let object = json!({ "words": 2 });
    assert_eq!(shown("a\nb".into()), expected("a\nb", Value::Null));
    assert_eq!(shown("a".to_owned().into()), expected("a", Value::Null));
    assert_eq!(shown(object.clone().into()), expected(r#"{"words":2}"#, object.clone()));
    assert_eq!(shown(("two".to_owned(), object.clone()).into()), expected("two", object.clone()));
    assert_eq!(shown(Answer::structure(&object).unwrap()), expected(r#"{"words":2}"#, object));
    // Only an object can be structured content (BOX-73).
    assert_eq!(shown(json!([1]).into()), expected("[1]", Value::Null));
    assert_eq!(shown(json!("a").into()), expected("a", Value::Null));
    assert_eq!(shown(("a".to_owned(), json!(7)).into()), expected("a", Value::Null));
    assert_eq!(shown(Answer::default()), expected("", Value::Null));
    let keys_that_are_not_text = BTreeMap::from([((1, 2), 3)]);
    assert!(Answer::structure(&keys_that_are_not_text).is_err());
}

#[test]
fn a_failure_is_a_result_with_its_code_and_without_structure() {
    let result = result(json!({ "name": "fail" }));
    let content = json!([{ "type": "text", "text": "shop.closed: the shop is closed" }]);
    assert_eq!(result, json!({ "content": content, "isError": true }));
}

#[test]
fn any_error_becomes_a_failure_and_a_failure_stays_what_it_is() {
    type Failing = Result<String, Box<dyn Error>>;
    let tools = tool_handler()
        .tool("number", |_: Value, _: &Call| -> Failing { Ok("x".parse::<u8>()?.to_string()) })
        .tool("arguments", |_: Value, _: &Call| -> Failing { Err(Failure::arguments("no"))? })
        .tool("text", |_: Value, _: &Call| -> Failing { None.ok_or("nothing")? })
        .tool("plain", |_: Value, _: &Call| Err::<String, _>("plain"))
        .tool("owned", |_: Value, _: &Call| Err::<String, _>("owned".to_owned()));
    let failure = |tool: &str| tools.call(tool, json!({})).unwrap_err();
    assert_eq!(failure("number"), Failure::new("invalid digit found in string"));
    assert_eq!(failure("arguments"), Failure::Arguments("no".to_owned()));
    assert_eq!(failure("text"), Failure::new("nothing"));
    assert_eq!(failure("plain"), Failure::new("plain"));
    assert_eq!(failure("owned").to_string(), "owned");
    assert_eq!((failure("owned").code(), failure("arguments").code()), ("", ""));
}

#[test]
fn a_second_tool_of_a_name_replaces_the_first() {
    let say = |text: &'static str| move |_: Value, _: &Call| Ok::<_, Failure>(text);
    let tools = tool_handler().tool("a", say("first")).tool("a", say("second"));
    assert_eq!(tools.call("a", json!({})), Ok("second".into()));
}

#[test]
fn the_agent_is_known_if_it_gave_its_name_as_text() {
    let named = |info: Value| {
        let meta = json!({ "io.modelcontextprotocol/clientInfo": info });
        let result = result(json!({ "name": "agent", "_meta": meta }));
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(named(json!({ "name": "a", "version": "1" })), r#"Some(("a", Some("1")))"#);
    assert_eq!(named(json!({ "name": "a" })), r#"Some(("a", None))"#);
    assert_eq!(named(json!({ "name": "a", "version": 1 })), r#"Some(("a", None))"#);
    for info in
        [json!({ "name": 1 }), json!({ "version": "1" }), json!([]), json!("a"), json!(null)]
    {
        assert_eq!(named(info), "None");
    }
    let without = result(json!({ "name": "agent", "_meta": 1 }));
    assert_eq!(without["content"][0]["text"], "None");
    assert_eq!(tools().call("agent", json!({})), Ok("None".into()));
}

/// A tool that fetches an address and answers with the body.
fn fetch(texts: Texts, call: &Call) -> Result<String, Failure> {
    Ok(call.http(&HttpRequest::get(&texts["url"]))?.text()?.to_owned())
}

#[test]
fn a_native_program_without_a_stand_in_has_no_http() {
    let tools = tool_handler().tool("fetch", fetch);
    let failure = tools.call("fetch", json!({ "url": "https://example.com" })).unwrap_err();
    assert_eq!(failure.code(), "service.none");
}

#[test]
fn a_stand_in_gets_the_request_and_its_failure_is_that_of_the_call() {
    let tools = tool_handler().tool("fetch", fetch).with_http(|request| {
        assert_eq!(request.method, "GET");
        match request.url.as_str() {
            "https://example.com" => Ok(HttpResponse::new(200, "found")),
            "https://example.com/bytes" => Ok(HttpResponse::new(200, [0xff])),
            url => Err(Failure::with_code("http.undeclared", url)),
        }
    });
    let fetch = |url: &str| tools.call("fetch", json!({ "url": url }));
    assert_eq!(fetch("https://example.com"), Ok("found".into()));
    assert_eq!(fetch("https://example.com/bytes").unwrap_err().code(), "http.body");
    assert_eq!(fetch("https://example.org").unwrap_err().code(), "http.undeclared");
}

#[test]
fn a_request_has_the_members_that_the_service_knows() {
    let request = HttpRequest::get("https://example.com");
    let expected =
        json!({ "service": "http", "method": "GET", "url": "https://example.com", "headers": [] });
    assert_eq!(request.to_json(), expected);
    let request = HttpRequest {
        redirects: Some(0),
        timeout_ms: Some(2_000),
        ..HttpRequest::post("https://example.com", "a\"b").header("Accept", "text/plain")
    };
    let expected = json!({
        "service": "http", "method": "POST", "url": "https://example.com", "body": "a\"b",
        "headers": [["Accept", "text/plain"]], "redirects": 0, "timeout_ms": 2_000,
    });
    assert_eq!(request.to_json(), expected);
}

#[test]
fn bytes_are_sent_and_received_as_base64() {
    for (bytes, text) in [
        (&[0xff][..], "/w=="),
        (&[0xff, 0xef], "/+8="),
        (&[0xff, 0, 0x3e], "/wA+"),
        (&[0xff, 0, 0x3e, 0x41], "/wA+QQ=="),
    ] {
        let request = HttpRequest::post("https://example.com", bytes);
        assert_eq!(request.to_json()["body_base64"], text);
        let ok = json!({ "status": 200, "url": "", "headers": [], "body_base64": text });
        let response =
            HttpResponse::from_reply(json!({ "ok": ok }).to_string().as_bytes()).unwrap();
        assert_eq!(response.body, bytes);
    }
}

#[test]
fn a_reply_of_another_form_is_not_understood() {
    let ok = json!({ "status": 200, "url": "https://example.com/", "body": "{\"a\":1}",
                     "headers": [["content-type", "application/json"]] });
    let read = |reply: &Value| HttpResponse::from_reply(reply.to_string().as_bytes());
    let response = read(&json!({ "ok": ok })).unwrap();
    assert_eq!((response.status, response.url.as_str()), (200, "https://example.com/"));
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    assert_eq!(response.header("etag"), None);
    assert_eq!(response.json::<Value>().unwrap()["a"], 1);
    assert_eq!(response.json::<Vec<u8>>().unwrap_err().code(), "http.body");
    for (member, value) in [
        ("status", json!(-1)),
        ("status", json!(65_536)),
        ("status", json!("200")),
        ("url", json!(null)),
        ("headers", json!({})),
        ("headers", json!([["a"]])),
        ("headers", json!([["a", 1]])),
        ("headers", json!([["a", "b", "c"]])),
        ("body", json!(1)),
        ("body", json!(null)),
    ] {
        let mut odd = ok.clone();
        odd[member] = value;
        let failure = read(&json!({ "ok": odd })).unwrap_err();
        assert_eq!(failure.code(), "service.reply", "{odd}");
    }
    for coded in ["Z!==", "=A==", "A A="] {
        let odd = json!({ "status": 200, "url": "", "headers": [], "body_base64": coded });
        assert_eq!(read(&json!({ "ok": odd })).unwrap_err().code(), "service.reply", "{coded}");
    }
    for reply in ["", "{", "[]", "null", "{\"ok\":null}", "{\"OK\":{}}"] {
        let failure = HttpResponse::from_reply(reply.as_bytes()).unwrap_err();
        assert_eq!(failure.code(), "service.reply", "{reply}");
    }
    let refused = json!({ "error": { "code": "http.timeout", "message": "out of time" } });
    assert_eq!(read(&refused).unwrap_err().to_string(), "http.timeout: out of time");
}

/// A directory that is removed when the test ends.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mpp-sdk-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("storage")).unwrap();
        Directory(path)
    }

    fn storage(&self) -> PathBuf {
        self.0.join("storage")
    }

    /// What a tool does with these values.
    fn with<T: 'static>(&self, work: impl Fn(&Storage) -> T + 'static) -> T {
        use std::{cell::RefCell, rc::Rc};
        let done = Rc::new(RefCell::new(None));
        let keep = Rc::clone(&done);
        let work = move |_: Value, call: &Call| {
            *keep.borrow_mut() = Some(work(call.storage()));
            Ok::<_, Failure>("")
        };
        let tools = tool_handler().tool("work", work).with_storage(self.storage());
        tools.call("work", json!({})).unwrap();
        let value = done.borrow_mut().take();
        value.unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The names in a directory.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The longest name of a file is 255 bytes, and a byte that is not itself takes three.
const HOSTILE_KEYS: [&str; 20] = [
    "",
    ".",
    "..",
    "../outside",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "%",
    "%new",
    "%25",
    "%2E",
    "e\u{301}",
    "\u{e9}",
    "a b\n",
    "A",
    "a",
    ".mpp-commit",
    "..a",
    "a..",
];

#[test]
fn every_key_has_a_file_of_its_own_inside_the_directory() {
    let directory = Directory::new("keys");
    let storage = directory.with(Storage::clone);
    for (number, key) in HOSTILE_KEYS.iter().enumerate() {
        storage.set(key, number.to_string()).unwrap();
    }
    for (number, key) in HOSTILE_KEYS.iter().enumerate() {
        assert_eq!(storage.get_text(key), Ok(Some(number.to_string())), "{key:?}");
    }
    let mut sorted = HOSTILE_KEYS.to_vec();
    sorted.sort_unstable();
    assert_eq!(storage.list().unwrap(), sorted);
    assert_eq!(names(&directory.0), ["storage"], "nothing is outside");
    let files = names(&directory.storage());
    assert_eq!(files.len(), HOSTILE_KEYS.len());
    assert!(files.iter().all(|name| !name.starts_with('.')), "{files:?}");
    for key in HOSTILE_KEYS {
        assert_eq!(storage.remove(key), Ok(true), "{key:?}");
        assert_eq!(storage.get(key), Ok(None), "{key:?}");
        assert_eq!(storage.remove(key), Ok(false), "{key:?}");
    }
    assert_eq!(names(&directory.storage()), Vec::<String>::new());
}

#[test]
fn a_key_that_is_too_long_for_a_file_is_refused() {
    let directory = Directory::new("long");
    let storage = directory.with(Storage::clone);
    assert_eq!(storage.set(&"a".repeat(255), "1"), Ok(()));
    for key in ["a".repeat(256), "/".repeat(86), "\u{1f980}".repeat(22), "a".repeat(1_000_000)] {
        assert_eq!(storage.set(&key, "1").unwrap_err().code(), "storage.key");
        assert_eq!(storage.get(&key).unwrap_err().code(), "storage.key");
        assert_eq!(storage.get_text(&key).unwrap_err().code(), "storage.key");
        assert_eq!(storage.remove(&key).unwrap_err().code(), "storage.key");
    }
    assert_eq!(storage.list().unwrap(), ["a".repeat(255)]);
}

#[test]
fn files_that_no_key_names_are_not_listed() {
    let directory = Directory::new("foreign");
    for name in [".hidden", "a%2fb", "%zz", "%FF", "%41", "a%", "%new", "b c", "%%"] {
        fs::write(directory.storage().join(name), "x").unwrap();
    }
    fs::create_dir(directory.storage().join("below")).unwrap();
    fs::write(directory.storage().join("ours"), "x").unwrap();
    assert_eq!(directory.with(Storage::list).unwrap(), ["ours"]);
    let below = directory.with(|storage| storage.get("below")).unwrap_err();
    assert_eq!(below.code(), "storage.failed");
}

#[test]
fn without_storage_everything_fails_by_the_same_code() {
    let directory = Directory::new("none");
    fs::remove_dir(directory.storage()).unwrap();
    let code = |failure: Failure| failure.code().to_owned();
    let codes = directory.with(move |storage| {
        [
            code(storage.get("a").unwrap_err()),
            code(storage.get_text("a").unwrap_err()),
            code(storage.set("a", "1").unwrap_err()),
            code(storage.remove("a").unwrap_err()),
            code(storage.list().unwrap_err()),
        ]
    });
    assert_eq!(codes, ["storage.none"; 5]);
    assert_eq!(names(&directory.0), Vec::<String>::new(), "nothing was created");
}

#[test]
fn a_value_that_cannot_be_written_leaves_the_earlier_one() {
    let directory = Directory::new("whole");
    let storage = directory.with(Storage::clone);
    storage.set("a", "first").unwrap();
    // Where the file of the new value would be, there is a directory.
    fs::create_dir(directory.storage().join("%new")).unwrap();
    assert_eq!(storage.set("a", "second").unwrap_err().code(), "storage.failed");
    assert_eq!(storage.get_text("a"), Ok(Some("first".to_owned())));
    fs::remove_dir(directory.storage().join("%new")).unwrap();
    // A directory is where the value would be.
    fs::create_dir_all(directory.storage().join("b/c")).unwrap();
    assert_eq!(storage.set("b", "second").unwrap_err().code(), "storage.failed");
    assert_eq!(names(&directory.storage()), ["a", "b"], "no unfinished file is left");
}

#[test]
fn bytes_that_are_not_utf_8_are_not_a_text() {
    let directory = Directory::new("bytes");
    let storage = directory.with(Storage::clone);
    storage.set("a", [0xff, 0]).unwrap();
    assert_eq!(storage.get("a"), Ok(Some(vec![0xff, 0])));
    assert_eq!(storage.get_text("a").unwrap_err().code(), "storage.failed");
}
