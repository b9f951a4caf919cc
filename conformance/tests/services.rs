//! Host services in the whole pipeline: what is recorded of them.

use crate::support::{self, call, Host};
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use serde_json::{json, Value};
use std::fs;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A guest that makes these requests and then answers.
fn guest(requests: &[Value]) -> String {
    let escape = |text: &str| text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let (mut at, mut data, mut calls) = (4096, String::new(), String::new());
    for request in requests {
        let request = request.to_string();
        data += &format!("(data (i32.const {at}) \"{}\")\n", escape(&request));
        calls += &format!(
            "(if (i32.lt_s (call $request (i32.const {at}) (i32.const {})) (i32.const 2)) (then unreachable))\n",
            request.len()
        );
        at += request.len();
    }
    let answer = support::response("done");
    format!(
        r#"(module
  (import "mpp_v1" "request" (func $request (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 1024) "{}")
  {data}
  (func (export "_start")
    {calls}
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const {}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        escape(&answer),
        answer.len(),
    )
}

fn package(requests: &[Value]) -> Vec<u8> {
    let mut manifest = support::manifest("org.example.keeper");
    manifest["capabilities"] = json!({ "network": ["api.example.com"] });
    support::package_with(&manifest, &guest(requests))
}

/// A network with one server that says always the same.
struct Server(Mutex<Vec<String>>);

impl HttpTransport for Server {
    fn resolve(
        &self,
        _: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        Ok(vec!["93.184.216.34".parse().unwrap()])
    }
    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        _: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        self.0.lock().unwrap().push(format!("{} {:?}", exchange.target, exchange.headers));
        Ok(HttpResponse { status: 204, headers: Vec::new(), body: Vec::new() })
    }
}

#[test]
fn the_record_says_what_was_asked_at_the_door_and_holds_no_value() {
    let host = Host::new("services-record");
    let server = Arc::new(Server(Mutex::default()));
    let header = json!({ "host": "api.example.com", "name": "x-key", "value": "s3cr3t-value" });
    let policy = support::policy(json!({
        "trusted_packages": ["org.example.keeper"], "network": { "headers": [header] },
    }));
    let runtime = host.runtime_with(policy).http_transport(Arc::clone(&server) as Arc<_>);
    let get = |url: &str| json!({ "service": "http", "url": url });
    let requests = [
        get("https://api.example.com/private-path"),
        get("https://api.example.com/private-path"),
        get("https://evil.example/private-path"),
        json!({ "service": "private-service" }),
    ];
    call(&runtime, &package(&requests)).unwrap();
    assert_eq!(server.0.lock().unwrap().len(), 2);
    assert!(server.0.lock().unwrap()[0].contains("s3cr3t-value"));
    let records = host.records();
    let intent = &records[0]["capabilities"];
    assert_eq!(intent[0], "connect to api.example.com (with secret header x-key)");
    let expected = json!({ "http 2xx": 2, "http api.example.com": 2, "http http.undeclared": 1,
        "service.unknown": 1 });
    assert_eq!(records[1]["services"], expected);
    assert_eq!(records[1]["changes"], json!({}));
    let log = fs::read_to_string(host.log()).unwrap();
    assert!(!log.contains("private") && !log.contains("s3cr3t") && !log.contains("evil"), "{log}");
    let trusting = support::policy(json!({ "trusted_packages": ["org.example.keeper"] }));
    call(&host.runtime_with(trusting), &package(&[get("https://api.example.com/")])).unwrap();
    assert_eq!(
        host.records()[3]["services"],
        json!({ "http api.example.com": 1, "http http.no_transport": 1 })
    );
}
