//! Host services from within a guest: requests and responses, line by line, with a network that a test
//! defines.
#![allow(clippy::as_conversions, clippy::arithmetic_side_effects)]

mod http;
mod ranges;
mod urls;

use super::*;
use crate::host::clock::CancelFlag;
use crate::host::sandbox::WasmSandbox;
use crate::host::transport::{HttpTransport, Services};
use crate::kernel::error::Code;
use crate::kernel::gatekeeper::AttestationResult;
use crate::kernel::host::tests::Fake;
use crate::kernel::limits::OUTPUT_KB_MAX;
use crate::kernel::module::{tests::manifest, Module};
use crate::kernel::package::manifest::{Manifest, Storage};
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::sandbox::{Execution, ToolInput};
use crate::tests::support::package;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Hands in each line of stdin, and writes each answer as a line.
const FORWARDER: &str = r#"(module
    (import "mpp_v1" "request" (func $request (param i32 i32) (result i32)))
    (import "mpp_v1" "response" (func $response (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 800)
    (data (i32.const 16) "\0a")
    (func $out (param $at i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
    (func (export "_start") (local $end i32) (local $from i32) (local $at i32) (local $length i32)
        (local.set $end (i32.const 1024))
        (loop $read
            (i32.store (i32.const 0) (local.get $end))
            (i32.store (i32.const 4) (i32.const 1000000))
            (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
            (local.set $end (i32.add (local.get $end) (i32.load (i32.const 8))))
            (br_if $read (i32.load (i32.const 8))))
        (local.set $from (i32.const 1024))
        (local.set $at (i32.const 1024))
        (loop $next
            (if (i32.lt_u (local.get $at) (local.get $end)) (then
                (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 10)) (then
                    (local.set $length
                        (call $request (local.get $from) (i32.sub (local.get $at) (local.get $from))))
                    (if (i32.ne (local.get $length)
                            (call $response (i32.const 20000000) (local.get $length)))
                        (then unreachable))
                    (call $out (i32.const 20000000) (local.get $length))
                    (call $out (i32.const 16) (i32.const 1))
                    (local.set $from (i32.add (local.get $at) (i32.const 1)))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $next))))))"#;

fn asking() -> Manifest {
    let mut manifest = manifest(64);
    manifest.capabilities.network = vec!["api.example.com".into()];
    manifest
}

/// A host with a network, and what one package was granted.
struct World {
    services: Services,
    hosts: Vec<String>,
    /// Members of `network` in the policy.
    rules: Value,
    fuel: u64,
    timeout_ms: u32,
    cancel: CancelFlag,
}

impl World {
    fn tool(&self, guest: &str) -> AttestationResult {
        let mut manifest = asking();
        let others = self.hosts.iter().filter(|host| *host != "api.example.com").cloned();
        manifest.capabilities.network.extend(others);
        manifest.runtime.output_limit_kb = OUTPUT_KB_MAX;
        (manifest.runtime.fuel, manifest.runtime.timeout_ms) = (self.fuel, self.timeout_ms);
        package(&manifest, guest, &[], &["Acme"])
    }

    fn token(&self, tool: &AttestationResult) -> ResolvedToken {
        let policy = json!({ "format": "mpp-policy/1", "network": self.rules }).to_string();
        let policy = PermissionPolicy::from_json(policy.as_bytes()).unwrap();
        let token = policy.confirm(&tool.manifest, "alice").unwrap();
        let token = token.resolve_secrets(&Fake::default()).unwrap();
        let (none, limits) = (BTreeMap::new(), *token.limits());
        token.narrowed(&none, &[], &self.hosts, limits.memory_bytes_max, limits.timeout)
    }

    fn run(&self, stdin: &str) -> Execution {
        self.run_guest(FORWARDER, stdin)
    }

    fn run_guest(&self, guest: &str, stdin: &str) -> Execution {
        let tool = self.tool(guest);
        let request = ToolInput { args: Vec::new(), stdin: stdin.as_bytes().to_vec() };
        let sandbox = WasmSandbox::new().unwrap().with_services(self.services.clone());
        sandbox.run(&tool.wasm_binary, &self.token(&tool), request, &self.cancel)
    }

    /// The answers to these requests of one call.
    fn ask_all(&self, requests: &[Value]) -> (Vec<Value>, Execution) {
        let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
        let run = self.run(&lines);
        (answers(&run), run)
    }

    fn ask(&self, request: &Value) -> Value {
        let (mut answers, run) = self.ask_all(std::slice::from_ref(request));
        run.outcome.unwrap();
        answers.remove(0)
    }

    /// The code of the refusal; empty if it was none.
    fn code(&self, request: &Value) -> String {
        self.ask(request)["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn answers(run: &Execution) -> Vec<Value> {
    let text = std::str::from_utf8(&run.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

type Serve =
    dyn Fn(&Exchange<'_>, &dyn Fn() -> bool) -> Result<HttpResponse, TransportError> + Send + Sync;

/// A network where names lead where a test says, and one function is every server.
struct Network {
    names: BTreeMap<&'static str, Vec<&'static str>>,
    serve: Box<Serve>,
    /// Every exchange as it would go out.
    seen: Mutex<Vec<String>>,
    looked_up: Mutex<Vec<String>>,
}

impl Network {
    fn new(
        names: &[(&'static str, &[&'static str])],
        serve: impl Fn(&Exchange<'_>, &dyn Fn() -> bool) -> Result<HttpResponse, TransportError>
            + Send
            + Sync
            + 'static,
    ) -> Arc<Self> {
        Arc::new(Network {
            names: names.iter().map(|(name, at)| (*name, at.to_vec())).collect(),
            serve: Box::new(serve),
            seen: Mutex::default(),
            looked_up: Mutex::default(),
        })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl HttpTransport for Network {
    fn resolve(
        &self,
        host: &str,
        timeout: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        assert!(!timeout.is_zero());
        self.looked_up.lock().unwrap().push(host.to_owned());
        let found = self.names.get(host).ok_or(TransportError::NoAddress)?;
        Ok(found.iter().map(|address| address.parse().unwrap()).collect())
    }

    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        assert!(!exchange.timeout.is_zero());
        let Exchange { is_https, host, port, address, target, method, headers, body, .. } =
            exchange;
        let headers: String =
            headers.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        let body = String::from_utf8_lossy(body);
        let scheme = if *is_https { "https" } else { "http" };
        let line =
            format!("{method} {scheme}://{host}:{port}{target} at {address}{headers} [{body}]");
        self.seen.lock().unwrap().push(line);
        (self.serve)(exchange, is_cancelled)
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> HttpResponse {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    HttpResponse { status, headers: headers.collect(), body: body.to_vec() }
}

/// A package that may reach these hosts.
fn reaching(hosts: &[&str], network: Arc<Network>) -> World {
    World {
        services: Services { http: Some(network), storage: None },
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        rules: json!({}),
        fuel: 100_000_000_000,
        timeout_ms: 60_000,
        cancel: CancelFlag::default(),
    }
}

fn get(url: &str) -> Value {
    json!({ "service": "http", "url": url })
}

const PUBLIC: &str = "93.184.216.34";
const NAMES: &[(&str, &[&str])] = &[
    ("api.example.com", &[PUBLIC]),
    ("other.example.com", &["2606:2800:220:1::1", PUBLIC]),
    ("inside.example.com", &["10.0.0.7"]),
    ("rebound.example.com", &[PUBLIC, "127.0.0.1"]),
    ("metadata.example.com", &["169.254.169.254"]),
    ("mapped.example.com", &["::ffff:10.0.0.7"]),
    ("nothing.example.com", &[]),
    ("localhost", &["::1", "127.0.0.1"]),
];

fn fine() -> Arc<Network> {
    Network::new(NAMES, |_, _| Ok(response(200, &[("content-type", "text/plain")], b"fine")))
}

#[test]
fn a_service_that_was_not_granted_is_answered_as_one_that_does_not_exist() {
    let mut world = reaching(&["api.example.com"], fine());
    let unknown = world.ask(&json!({ "service": "teleport" }));
    assert_eq!(unknown["error"]["code"], "service.unknown");
    assert_eq!(world.code(&json!({ "service": "HTTP" })), "service.unknown");
    world.hosts = Vec::new();
    assert_eq!(world.ask(&get("https://api.example.com/")), unknown);
}

#[test]
fn what_is_no_request_of_the_page_is_refused() {
    let world = reaching(&["api.example.com"], fine());
    let url = "https://api.example.com/";
    for (line, code) in [
        ("".to_owned(), "service.invalid"),
        ("{".to_owned(), "service.invalid"),
        ("[]".to_owned(), "service.unknown"),
        ("{}".to_owned(), "service.unknown"),
        ("\u{feff}{}".to_owned(), "service.invalid"),
        (format!(r#"{{"service":"http","service":"http","url":"{url}"}}"#), "service.invalid"),
        (format!(r#"{{"service":"http","url":"{url}","headers":[[["a"]]]}}"#), "service.invalid"),
        (json!({ "service": "http" }).to_string(), "service.invalid"),
        (json!({ "service": "http", "url": 7 }).to_string(), "service.invalid"),
        (json!({ "service": "http", "url": url, "proxy": "x" }).to_string(), "service.invalid"),
        (json!({ "service": "http", "url": url, "redirects": 6 }).to_string(), "service.invalid"),
        (json!({ "service": "http", "url": url, "timeout_ms": 0 }).to_string(), "service.invalid"),
        (
            json!({ "service": "http", "url": url, "headers": [["a"]] }).to_string(),
            "service.invalid",
        ),
        (
            json!({ "service": "http", "url": url, "headers": { "a": "b" } }).to_string(),
            "service.invalid",
        ),
        (
            json!({ "service": "http", "url": url, "body": "", "body_base64": "" }).to_string(),
            "service.invalid",
        ),
        (
            json!({ "service": "http", "url": url, "body_base64": "Zg" }).to_string(),
            "service.invalid",
        ),
        (format!("{{{}}}", " ".repeat(SERVICE_REQUEST_BYTES_MAX)), "service.too_large"),
    ] {
        let run = world.run(&format!("{line}\n"));
        let shown: String = line.chars().take(80).collect();
        assert_eq!(answers(&run)[0]["error"]["code"], code, "{shown}");
        assert_eq!(run.services.len(), 1, "{shown}");
    }
}

#[test]
fn invalid_pointers_and_lengths_return_minus_one_and_do_nothing() {
    let guest = |body: &str| {
        format!(
            r#"(module
            (import "mpp_v1" "request" (func $request (param i32 i32) (result i32)))
            (import "mpp_v1" "response" (func $response (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func $is (param i32 i32) (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))
            (data (i32.const 0) "{{}}")
            (func (export "_start") (local $n i32) {body}))"#
        )
    };
    let world = reaching(&["api.example.com"], fine());
    for call in [
        "(call $request (i32.const 65536) (i32.const 1))",
        "(call $request (i32.const -1) (i32.const 2))",
        "(call $request (i32.const 0) (i32.const -1))",
        "(call $request (i32.const 1) (i32.const 65536))",
        "(call $response (i32.const 0) (i32.const 0))",
        "(call $response (i32.const 0) (i32.const 10))",
    ] {
        let run = world.run_guest(&guest(&format!("(call $is {call} (i32.const -1))")), "");
        assert_eq!(run.outcome, Ok(()), "{call}");
        assert_eq!(run.services.len(), 0, "{call}");
    }
    // The response stays until it is read whole, and is removed then.
    let taken = world.run_guest(
        &guest(
            "(local.set $n (call $request (i32.const 0) (i32.const 2)))
            (call $is (call $response (i32.const 100) (i32.sub (local.get $n) (i32.const 1))) (i32.const -1))
            (call $is (call $response (i32.const 100) (i32.add (local.get $n) (i32.const 1))) (i32.const -1))
            (call $is (call $response (i32.const 65530) (local.get $n)) (i32.const -1))
            (call $is (call $response (i32.const 100) (local.get $n)) (local.get $n))
            (call $is (i32.load8_u (i32.const 100)) (i32.const 123))
            (call $is (call $response (i32.const 100) (local.get $n)) (i32.const -1))",
        ),
        "",
    );
    assert_eq!(taken.outcome, Ok(()));
}

#[test]
fn each_byte_and_each_request_costs_fuel() {
    let world = reaching(&["api.example.com"], fine());
    let fuel = |stdin: &str| world.run(stdin).fuel_used;
    let (one, two, three) = (fuel("{}\n"), fuel("{}\n{}\n"), fuel("{}\n{}\n{}\n"));
    assert!(two - one > crate::kernel::limits::SERVICE_REQUEST_FUEL);
    assert_eq!(three - two, two - one);
    let long = fuel(&format!("{{{}}}\n", " ".repeat(10_000)));
    assert!(long - one > 10_000);
    let poor = World { fuel: one - 1, ..world };
    assert_eq!(poor.run("{}\n").outcome.unwrap_err().code(), Code::ToolFuel);
}

#[test]
fn packages_without_the_network_capability_cannot_import_host_services() {
    let bytes = wat::parse_str(FORWARDER).unwrap();
    let error = Module::validate(&bytes, &manifest(64)).unwrap_err();
    assert_eq!(error.code(), Code::ModuleImport);
    assert!(
        error.detail().contains("mpp_v1.request (without `capabilities.network` in the manifest)"),
        "{error}"
    );
    let with = |capabilities: &dyn Fn(&mut Manifest)| {
        let mut manifest = manifest(64);
        capabilities(&mut manifest);
        Module::validate(&bytes, &manifest)
    };
    assert!(with(&|it| it.capabilities.network = vec!["a.example".into()]).is_ok());
    assert!(with(&|it| it.capabilities.storage = Some(Storage { limit_kb: 1 })).is_err());
    assert!(with(&|it| it.capabilities.environment = vec!["A".into()]).is_err());
    for import in [
        r#"(import "mpp_v1" "request" (func (param i32) (result i32)))"#,
        r#"(import "mpp_v1" "request" (func (param i32 i32)))"#,
        r#"(import "mpp_v1" "open" (func (param i32 i32) (result i32)))"#,
        r#"(import "mpp_v2" "request" (func (param i32 i32) (result i32)))"#,
        r#"(import "mpp_v1" "request" (global i32))"#,
        r#"(import "wasi_snapshot_preview1" "request" (func (param i32 i32) (result i32)))"#,
    ] {
        let text =
            format!(r#"(module {import} (memory (export "memory") 1) (func (export "_start")))"#);
        let error = Module::validate(&wat::parse_str(&text).unwrap(), &asking()).unwrap_err();
        assert_eq!(error.code(), Code::ModuleImport, "{import}");
    }
}
