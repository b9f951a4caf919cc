//! The `http` service with a real server: every refusal, by the fake and by curl, through the whole pipeline.
//! What a server received is checked as well: a refusal must not send anything.

use super::fake::FakeTransport;
use super::nginx::Nginx;
use super::server::{Play, Server};
use super::table::Means;
use crate::support::{self, Host};
use mpp::network::CurlTransport;
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use mpp::runtime::{NoApprover, ToolCall};
use mpp::{CancelFlag, Code, PermissionPolicy};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Names of the test, and a transport for the rest.
struct Named<T> {
    names: BTreeMap<&'static str, Vec<IpAddr>>,
    inner: T,
}

impl<T: HttpTransport> HttpTransport for Named<T> {
    fn resolve(
        &self,
        host: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        self.names.get(host).cloned().ok_or(TransportError::NoAddress)
    }

    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        self.inner.exchange(exchange, is_cancelled)
    }
}

/// `www.example.com` and the like are on this machine; one name has no owner.
fn named<T: HttpTransport>(inner: T) -> Named<T> {
    let here = IpAddr::from([127, 0, 0, 1]);
    let names = [
        ("www.example.com", vec![here]),
        ("api.example.com", vec![here]),
        ("inside.example.com", vec![here]),
        ("rebound.example.com", vec![IpAddr::from([93, 184, 216, 34]), here]),
        ("metadata.example.com", vec![IpAddr::from([169, 254, 169, 254])]),
    ];
    Named { names: names.into(), inner }
}

/// A guest that sends one host service request and writes the response.
pub fn guest(request: &Value) -> String {
    let request = request.to_string();
    let before = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":"#;
    let data = |text: &str| text.bytes().map(|b| format!("\\{b:02x}")).collect::<String>();
    let (request_length, before_length) = (request.len(), before.len());
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "mpp_v1" "request" (func $request (param i32 i32) (result i32)))
  (import "mpp_v1" "response" (func $response (param i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 64) "{before}")
  (data (i32.const 256) "}}}}")
  (data (i32.const 1024) "{request}")
  (func $say (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $length i32)
    (local.set $length (call $request (i32.const 1024) (i32.const {request_length})))
    (drop (call $response (i32.const 65536) (local.get $length)))
    (call $say (i32.const 64) (i32.const {before_length}))
    (call $say (i32.const 65536) (local.get $length))
    (call $say (i32.const 256) (i32.const 2))))"#,
        before = data(before),
        request = data(&request),
    )
}

/// What a package may reach, and what its host adds to that.
struct Grants<'a> {
    hosts: &'a [String],
    policy: PermissionPolicy,
}

/// Sends one request through the whole pipeline. The answer is the code of a refusal, or the status.
fn ask(grants: Grants<'_>, transport: Arc<dyn HttpTransport>, request: &Value) -> String {
    let mut manifest = support::manifest("org.example.http");
    manifest["capabilities"] = json!({ "network": grants.hosts });
    let package = support::package_with(&manifest, &guest(request));
    let host = Host::new("http");
    let runtime = host.runtime_with(grants.policy.trust_package("org.example.http"));
    let runtime = runtime.http_transport(transport);
    let answer = support::call(&runtime, &package).unwrap().structured_content.unwrap();
    match &answer["error"]["code"] {
        Value::String(code) => code.clone(),
        _ => answer["ok"]["status"].to_string(),
    }
}

/// One request of a package that may reach `declared` by plain http inside this machine, at the port P
/// of a server that does this.
struct Case {
    title: &'static str,
    play: Play,
    means: Means,
    declared: &'static [&'static str],
    request: Value,
    expected: &'static str,
    /// How many requests the server gets.
    requests: usize,
    allowed: bool,
}

fn bytes(wire: &str) -> Play {
    Play::Bytes(wire.as_bytes().to_vec())
}

fn fails(error: TransportError) -> Means {
    Means::Fails(error)
}

fn get(url: &str) -> Value {
    json!({ "service": "http", "url": url })
}

fn page() -> (Play, Means) {
    let response = HttpResponse { status: 200, headers: Vec::new(), body: b"hello".to_vec() };
    (bytes("HTTP/1.1 200 OK\r\n\r\nhello"), Means::Response(response))
}

fn redirect(location: &str) -> (Play, Means) {
    let wire = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let headers = vec![
        ("location".to_owned(), location.to_owned()),
        ("content-length".to_owned(), "0".to_owned()),
    ];
    (bytes(&wire), Means::Response(HttpResponse { status: 302, headers, body: Vec::new() }))
}

const HERE: &[&str] = &["www.example.com:P"];

fn case(
    title: &'static str,
    (play, means): (Play, Means),
    request: Value,
    expected: &'static str,
    requests: usize,
) -> Case {
    Case { title, play, means, declared: HERE, request, expected, requests, allowed: true }
}

fn refused_before_anything_is_sent() -> Vec<Case> {
    let here = || get("http://www.example.com:P/");
    let with_header = |name: &str, value: &str| json!({ "service": "http", "url": "http://www.example.com:P/", "headers": [[name, value]] });
    let declared = |title, declared, url: &str, expected| Case {
        declared,
        ..case(title, page(), get(url), expected, 0)
    };
    vec![
        declared("undeclared host", HERE, "http://api.example.com:P/", "http.undeclared"),
        declared("a name below", HERE, "http://a.www.example.com:P/", "http.undeclared"),
        declared("other port", HERE, "http://www.example.com:1/", "http.undeclared"),
        declared("the usual port", HERE, "https://www.example.com/", "http.undeclared"),
        declared("an address", HERE, "http://127.0.0.1:P/", "http.url"),
        declared("an address as a number", HERE, "http://2130706433:P/", "http.url"),
        declared("a user name", HERE, "http://www.example.com:P@api.example.com/", "http.url"),
        declared("a line break", HERE, "http://www.example.com:P/\r\nHost: x", "http.url"),
        declared("a space", HERE, "http://www.example.com:P/ HTTP/1.1", "http.url"),
        declared(
            "rebound",
            &["rebound.example.com:P"],
            "http://rebound.example.com:P/",
            "http.address",
        ),
        declared(
            "metadata",
            &["metadata.example.com:P"],
            "http://metadata.example.com:P/",
            "http.address",
        ),
        declared(
            "no name",
            &["missing.example.com:P"],
            "http://missing.example.com:P/",
            "http.no_address",
        ),
        Case { allowed: false, ..case("plain http", page(), here(), "http.plain", 0) },
        case("a header in a value", page(), with_header("a", "b\r\nc: d"), "http.header", 0),
        case("a header in a name", page(), with_header("a: b\r\nc", "d"), "http.header", 0),
        case("another host", page(), with_header("Host", "api.example.com"), "http.header", 0),
        case("a length", page(), with_header("content-length", "0"), "http.header", 0),
        case("chunks", page(), with_header("transfer-encoding", "chunked"), "http.header", 0),
        case("a proxy", page(), with_header("proxy-authorization", "x"), "http.header", 0),
    ]
}

fn refused_by_what_comes_back() -> Vec<Case> {
    let here = || get("http://www.example.com:P/");
    let broken = || fails(TransportError::Unreachable(String::new()));
    let malformed = || fails(TransportError::Malformed(String::new()));
    let endless = |first: &str| Play::Endless(first.as_bytes().to_vec(), vec![b'x'; 5_000]);
    let drip = Play::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::from_millis(20));
    let soon = json!({ "service": "http", "url": "http://www.example.com:P/", "timeout_ms": 400 });
    let back = |wire: &str, means, expected| case("", (bytes(wire), means), here(), expected, 1);
    vec![
        case("granted", page(), here(), "200", 1),
        case(
            "redirect to an undeclared host",
            redirect("http://api.example.com:P/"),
            here(),
            "http.undeclared",
            1,
        ),
        case(
            "redirect to another port",
            redirect("http://www.example.com:1/"),
            here(),
            "http.undeclared",
            1,
        ),
        case(
            "redirect to metadata",
            redirect("http://169.254.169.254/"),
            here(),
            "http.redirect",
            1,
        ),
        case("redirect to a file", redirect("file:///etc/passwd"), here(), "http.redirect", 1),
        Case {
            declared: &["www.example.com:P", "metadata.example.com:P"],
            ..case(
                "redirect to a name inside",
                redirect("http://metadata.example.com:P/"),
                here(),
                "http.address",
                1,
            )
        },
        case("redirects in a circle", redirect("/"), here(), "302", 6),
        case(
            "oversized",
            (endless("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n"), Means::Endless),
            here(),
            "http.too_large",
            1,
        ),
        case(
            "never-ending",
            (endless("HTTP/1.1 200 OK\r\n\r\n"), Means::Endless),
            here(),
            "http.too_large",
            1,
        ),
        case(
            "never-ending headers",
            (endless("HTTP/1.1 200 OK\r\nX: "), Means::Endless),
            here(),
            "http.too_large",
            1,
        ),
        case("slow drip", (drip, Means::Silence), soon.clone(), "http.timeout", 1),
        case("silence", (Play::Silent, Means::Silence), soon, "http.timeout", 1),
        Case { title: "no answer", ..back("", broken(), "http.unreachable") },
        Case {
            title: "cut short",
            ..back("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", broken(), "http.unreachable")
        },
        Case {
            title: "no HTTP",
            ..back("220 mail.example.com ESMTP\r\n", malformed(), "http.malformed")
        },
        Case {
            title: "a header in a header",
            ..back("HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n", malformed(), "http.malformed")
        },
    ]
}

fn network(rules: Value) -> PermissionPolicy {
    support::policy(json!({ "network": rules }))
}

/// Runs a case with a transport whose server listens at this port.
fn code(case: &Case, port: u16, transport: Arc<dyn HttpTransport>) -> String {
    let put = |text: &str| text.replace(":P", &format!(":{port}"));
    let hosts: Vec<String> = case.declared.iter().map(|host| put(host)).collect();
    let plain: Vec<&String> = hosts.iter().filter(|_| case.allowed).collect();
    let inside: Vec<&String> = hosts.iter().filter(|it| !it.starts_with("rebound")).collect();
    let policy = network(json!({ "plain_http": plain, "private_addresses": inside }));
    let request: Value = serde_json::from_str(&put(&case.request.to_string())).unwrap();
    ask(Grants { hosts: &hosts, policy }, transport, &request)
}

#[test]
fn every_refusal_is_the_same_with_a_server_and_with_the_fake() {
    let mut wrong = Vec::new();
    for case in refused_before_anything_is_sent().into_iter().chain(refused_by_what_comes_back()) {
        let at_port = |port: u16, text: &str| text.replace(":P", &format!(":{port}"));
        // The server's port appears in what it sends.
        let mut server = Server::start(Play::Silent);
        let mut play = case.play.clone();
        if let Play::Bytes(wire) = &mut play {
            let text = at_port(server.at().port(), std::str::from_utf8(wire).unwrap());
            *wire = text.into_bytes();
        }
        server.play_from_now_on(play);
        let by_curl = code(&case, server.at().port(), Arc::new(named(CurlTransport::new(None))));

        let fake = FakeTransport::default();
        let at = fake.serve(Means::Silence);
        let mut means = case.means.clone();
        if let Means::Response(response) = &mut means {
            for (_, value) in &mut response.headers {
                *value = at_port(at.port(), value);
            }
        }
        fake.replace(at, means);
        let by_fake = code(&case, at.port(), Arc::new(named(fake)));
        let found = (by_curl.as_str(), by_fake.as_str(), server.requests().len());
        if found != (case.expected, case.expected, case.requests) {
            wrong.push(format!("{}: {found:?}, expected {}", case.title, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_that_leads_inside_needs_the_policys_word_for_it() {
    let server = Server::start(page().0);
    let port = server.at().port();
    let host = [format!("inside.example.com:{port}")];
    let request = get(&format!("http://inside.example.com:{port}/"));
    let transport = || Arc::new(named(CurlTransport::new(None)));
    let inside =
        |inside: &[&str]| network(json!({ "plain_http": host, "private_addresses": inside }));
    for policy in [inside(&[]), inside(&["inside.example.com"])] {
        assert_eq!(ask(Grants { hosts: &host, policy }, transport(), &request), "http.address");
    }
    assert!(server.requests().is_empty());
    let policy = inside(&[&host[0]]);
    assert_eq!(ask(Grants { hosts: &host, policy }, transport(), &request), "200");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_cancelled_call_ends_though_its_server_does_not() {
    let server = Server::start(Play::Silent);
    let at = format!("www.example.com:{}", server.at().port());
    let mut manifest = support::manifest("org.example.http");
    manifest["capabilities"] = json!({ "network": [at] });
    let package = support::package_with(&manifest, &guest(&get(&format!("http://{at}/"))));
    let host = Host::new("http-cancelled");
    let policy = network(json!({ "plain_http": [at], "private_addresses": [at] }));
    let runtime = host.runtime_with(policy.trust_package("org.example.http"));
    let runtime = runtime.http_transport(Arc::new(named(CurlTransport::new(None))));
    let cancel = CancelFlag::default();
    let call = ToolCall::new("run", json!({}));
    std::thread::scope(|scope| {
        let called = scope.spawn(|| runtime.call(&package, &call, &NoApprover, &cancel));
        let began = Instant::now();
        while server.requests().is_empty() {
            assert!(began.elapsed() < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(5));
        }
        let cancelled = Instant::now();
        cancel.cancel();
        let result = called.join().unwrap();
        let took = cancelled.elapsed();
        assert_eq!(support::code(&result), Code::ToolCancelled);
        assert!(took < Duration::from_millis(200), "{took:?}");
    });
}

#[test]
#[ignore = "needs nginx and openssl"]
fn the_door_and_nginx() {
    let nginx = Nginx::start();
    let secret = "Bearer hidden-in-header";
    let ask = |name: &str, host: &str, target: &str, more: Value, with_secret: bool| {
        let host = format!("{host}:{}", nginx.at(name).port());
        let mut request = get(&format!("https://{host}{target}"));
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut rules = json!({ "private_addresses": [host] });
        if with_secret {
            rules["headers"] = json!([{ "host": host, "name": "authorization", "value": secret }]);
        }
        let policy = network(rules);
        let transport = Arc::new(named(nginx.transport()));
        ask(Grants { hosts: &[host], policy }, transport, &request)
    };
    let www = "www.example.com";
    let nothing = || json!({});
    assert_eq!(ask("good", www, "/page.html", nothing(), false), "200");
    assert_eq!(ask("good", www, "/missing.html", nothing(), false), "404");
    // TLS: another name, and certificates that are not valid.
    assert_eq!(ask("good", "api.example.com", "/page.html", nothing(), false), "http.tls");
    for name in ["other_name", "expired", "not_yet", "unknown_issuer", "self_signed", "plain"] {
        assert_eq!(ask(name, www, "/page.html", nothing(), false), "http.tls", "{name}");
    }
    assert_eq!(ask("good", www, "/away", nothing(), false), "http.redirect");
    assert_eq!(ask("good", www, "/away", json!({ "redirects": 0 }), false), "302");
    assert_eq!(ask("good", www, "/too_large.bin", nothing(), false), "http.too_large");
    assert_eq!(
        ask("good", www, "/slow/large.txt", json!({ "timeout_ms": 700 }), false),
        "http.timeout"
    );
    // A secret is sent, and what shows it does not come in.
    assert_eq!(ask("good", www, "/only_with_secret", nothing(), false), "403");
    assert_eq!(ask("good", www, "/only_with_secret", nothing(), true), "200");
    assert_eq!(ask("good", www, "/echo", nothing(), true), "http.secret");
    let own = json!({ "headers": [["Authorization", "x"]] });
    assert_eq!(ask("good", www, "/echo", own, true), "http.header");
}
