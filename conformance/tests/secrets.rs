//! Secrets from end to end: what a guest gets, and that no copy of anything that leaves or stays has a value.

use crate::cli::Place;
use crate::support::{self, Host};
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use mpp::runtime::{CallResult, Runtime};
use mpp::sandbox::{extract_approved_env_vars, ToolInput};
use mpp::secrets::{FileSecretStore, SecretStore, SecretValue};
use mpp::{
    CancelFlag, Code, Error, Gatekeeper, PermissionPolicy, PolicyDecision, SandboxConfig,
    WasmSandbox,
};
use serde_json::{json, Value};
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const VALUE: &str = "correct-horse-battery";

/// A guest that writes these texts, in which `@` represents the value of its one variable, to stdout and to
/// stderr, and then does `last`.
fn guest(out: &str, err: &str, last: &str) -> String {
    let (mut data, mut says, mut at) = (String::new(), String::new(), 1024);
    for (stream, text) in [(1, out), (2, err)] {
        for (number, piece) in text.split('@').enumerate() {
            if number > 0 {
                says +=
                    &format!("(call $say (i32.const {stream}) (i32.const 65544) (local.get $n))\n");
            }
            let bytes: String = piece.bytes().map(|byte| format!("\\{byte:02x}")).collect();
            data += &format!("(data (i32.const {at}) \"{bytes}\")\n");
            let length = piece.len();
            says += &format!(
                "(call $say (i32.const {stream}) (i32.const {at}) (i32.const {length}))\n"
            );
            at += length;
        }
    }
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
  (memory (export "memory") 4)
  {data}
  (func $say (param $stream i32) (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start") (local $n i32)
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 16) (i32.const 65536)))
    (if (i32.load (i32.const 4))
      (then (local.set $n (i32.sub (i32.load (i32.const 4)) (i32.const 9)))))
    {says} {last}))"#
    )
}

/// An answer with the value in every place that an answer has.
const EVERYWHERE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{
  "content":[{"type":"text","text":"key=@;"},{"type":"text","text":"{\"@\":\"a@b\"}"}],
  "structuredContent":{"plain":"@","@":{"list":["@","x@@"]},"percent":"?k=@&l=1"}}}"#;

fn package(guest: &str) -> Vec<u8> {
    let mut manifest = support::manifest("org.example.tool");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    support::package_with(&manifest, guest)
}

fn trusting() -> PermissionPolicy {
    PermissionPolicy::new().trust_package("org.example.tool")
}

/// A policy that trusts the package, and has these members.
fn trusting_with(mut members: Value) -> PermissionPolicy {
    members["trusted_packages"] = json!(["org.example.tool"]);
    support::policy(members)
}

/// Gives the variable `name` the secret.
fn variable(name: &str) -> Value {
    json!([{ "name": name, "secret": "SERVICE" }])
}

fn with_key() -> PermissionPolicy {
    trusting_with(json!({ "environment": variable("API_KEY") }))
}

fn keep(host: &Host, value: &str) {
    let file = FileSecretStore::new(&host.path(""));
    file.set("SERVICE", SecretValue::parse(value).unwrap()).unwrap();
}

#[test]
fn a_token_whose_secrets_were_not_looked_up_does_not_run() {
    let host = Host::new("secret-unresolved");
    keep(&host, VALUE);
    let package = package(&guest(&support::response("<@>"), "", ""));
    let attestation = Gatekeeper::new(support::trust(), support::now()).verify(&package).unwrap();
    let PolicyDecision::Granted(token) = with_key().evaluate(&attestation.manifest) else {
        panic!("not granted")
    };
    let sandbox = WasmSandbox::new().unwrap();
    for env_vars in [extract_approved_env_vars(&token), [("API_KEY".into(), VALUE.into())].into()] {
        let config = SandboxConfig {
            memory_limit_bytes: token.limits().memory_bytes_max,
            timeout: token.limits().timeout,
            stdin_data: Vec::new(),
            env_vars,
            dir_mappings: Vec::new(),
            capability_token: Some(token.clone()),
            allowed_network_domains: Vec::new(),
        };
        let result = sandbox.execute(&attestation.wasm_binary, config);
        assert_eq!(support::code(&result), Code::SecretMissing);
        assert!(!result.unwrap_err().to_string().contains(VALUE));
    }
    let token = token.resolve_from(&FileSecretStore::new(&host.path(""))).unwrap();
    let request = ToolInput { args: Vec::new(), stdin: Vec::new() };
    let cancel = CancelFlag::default();
    let run = sandbox.run(&attestation.wasm_binary, &token, request, &cancel);
    assert!(String::from_utf8_lossy(&run.stdout).contains(VALUE), "{:?}", run.outcome);
}

/// Everything that is left on the host but the file of secrets itself.
fn left_behind(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => text += &left_behind(&path),
            false if path.ends_with("secrets.json") => {}
            false => text += &String::from_utf8_lossy(&fs::read(path).unwrap()),
        }
    }
    text
}

fn clean(host: &Host, result: &Result<CallResult, Error>) {
    let shown = match result {
        Ok(answer) => format!(
            "{answer:?} {} {:?} {}",
            answer.content,
            answer.structured_content,
            answer.applied.to_json()
        ),
        Err(error) => format!("{error:?} {error} {}", error.detail()),
    };
    for piece in [VALUE, "correct", "battery"] {
        assert!(!shown.contains(piece), "{shown}");
        assert!(!left_behind(&host.path("")).contains(piece));
    }
}

#[test]
fn a_variable_with_a_secret_reaches_the_guest_and_no_part_of_its_answer() {
    let host = Host::new("secret-variable");
    keep(&host, VALUE);
    let runtime = host.runtime_with(with_key());
    let result = support::call(&runtime, &package(&guest(EVERYWHERE, "@", "")));
    clean(&host, &result);
    let answer = result.unwrap();
    assert_eq!(answer.content[0]["text"], "key=[SECRET:SERVICE];");
    assert_eq!(answer.content[1]["text"], r#"{"[SECRET:SERVICE]":"a[SECRET:SERVICE]b"}"#);
    let expected = json!({ "plain": "[SECRET:SERVICE]", "percent": "?k=[SECRET:SERVICE]&l=1",
        "[SECRET:SERVICE]": { "list": ["[SECRET:SERVICE]", "x[SECRET:SERVICE][SECRET:SERVICE]"] } });
    assert_eq!(answer.structured_content, Some(expected));
    assert_eq!(host.records_of("outcome")[0]["privacy"], json!({ "secret": 9 }));
    let intent = &host.records_of("intent")[0];
    assert_eq!(intent["capabilities"], json!(["read environment variable API_KEY"]));
    // Another value counts from the next call on, in the same process.
    keep(&host, "another-value");
    let text = support::response("<@>");
    let answer = support::call(&runtime, &package(&guest(&text, "", ""))).unwrap();
    assert_eq!(answer.content[0]["text"], "<[SECRET:SERVICE]>");
    assert!(!format!("{answer:?}").contains("another-value"));
}

#[test]
fn no_error_shows_a_secret() {
    let host = Host::new("secret-errors");
    keep(&host, VALUE);
    let runtime = host.runtime_with(with_key());
    let twice = r#"{"jsonrpc":"2.0","id":1,"@":1,"@":2}"#;
    let other = r#"{"jsonrpc":"@","id":1,"result":{"content":[]}}"#;
    let failed = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no @ here"}}"#;
    let long = format!("{}@", "x".repeat(590));
    for (out, err, last, code) in [
        ("", "the key is @", "unreachable", Code::ToolTrap),
        ("", long.as_str(), "unreachable", Code::ToolTrap),
        ("@", "", "", Code::ToolBadAnswer),
        (twice, "", "", Code::ToolBadAnswer),
        (other, "@@", "", Code::ToolBadAnswer),
        ("", "@", "(loop (br 0))", Code::ToolFuel),
        (EVERYWHERE, "?k=@", "unreachable", Code::ToolTrap),
    ] {
        let result = support::call(&runtime, &package(&guest(out, err, last)));
        clean(&host, &result);
        assert_eq!(support::code(&result), code, "{out} {err}");
    }
    clean(&host, &support::call(&runtime, &package(&guest(failed, "@", ""))));
    let result = support::call(&runtime, &package(&guest("", "the key is @", "unreachable")));
    assert!(result.unwrap_err().detail().contains("the key is [SECRET:SERVICE]"));
}

#[test]
fn a_value_in_the_policy_is_redacted_as_well_if_it_is_long_enough() {
    let host = Host::new("secret-literal");
    let run = |value: &str| {
        let runtime = host.runtime_with(trusting().allow_env("API_KEY", value));
        support::call(&runtime, &package(&guest(&support::response("<@>"), "", ""))).unwrap()
    };
    let answer = run(VALUE);
    assert_eq!(answer.content[0]["text"], "<[SECRET:API_KEY]>");
    clean(&host, &Ok(answer));
    assert_eq!(run("seven77").content[0]["text"], "<seven77>");
}

/// A store that counts how often it is asked.
struct Counting(AtomicUsize);

impl SecretStore for Counting {
    fn value(&self, _: &str) -> Result<Option<SecretValue>, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        SecretValue::parse(VALUE).map(Some)
    }
}

#[test]
fn what_is_not_granted_is_not_looked_up_and_not_seen() {
    let host = Host::new("secret-not-granted");
    keep(&host, VALUE);
    let tool = package(&guest(&support::response("<@>"), "", ""));
    let asks_nothing =
        support::package("org.example.tool", &guest(&support::response("<@>"), "", ""));
    let key = variable("API_KEY");
    let deny = json!({ "packages": ["org.example"] });
    let denied = trusting_with(json!({ "environment": key, "deny": deny }));
    let asking = support::policy(json!({ "environment": key }));
    let other = trusting_with(json!({ "environment": variable("OTHER") }));
    for (policy, package, says) in [
        (trusting(), &tool, Ok("<>")),
        (other, &tool, Ok("<>")),
        (with_key(), &asks_nothing, Ok("<>")),
        (denied, &tool, Err(Code::PolicyDenied)),
        (asking, &tool, Err(Code::PolicyConfirmation)),
    ] {
        let store = Arc::new(Counting(AtomicUsize::new(0)));
        let runtime = host.runtime_with(policy).secrets(Arc::clone(&store) as Arc<_>);
        let result = support::call(&runtime, package);
        match says {
            Ok(text) => assert_eq!(result.unwrap().content[0]["text"], text),
            Err(code) => assert_eq!(support::code(&result), code),
        }
        assert_eq!(store.0.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_secret_that_can_not_be_had_stops_the_call_before_it_runs() {
    let host = Host::new("secret-missing");
    let tool = package(&guest(&support::response("ran"), "", ""));
    let call = |policy| support::call(&host.runtime_with(policy), &tool);
    assert_eq!(support::code(&call(with_key())), Code::SecretMissing);
    keep(&host, VALUE);
    assert!(call(with_key()).is_ok());
    let path = host.path("secrets.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let exposed = call(with_key());
    assert_eq!(support::code(&exposed), Code::SecretExposed);
    clean(&host, &exposed);
    // Who needs none is not stopped.
    assert!(call(trusting()).is_ok());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, format!("{{\"format\":\"mpp-secrets/1\",\"{VALUE}\":1}}")).unwrap();
    let broken = call(with_key());
    assert_eq!(support::code(&broken), Code::SecretInvalid);
    clean(&host, &broken);
    let script = format!("echo {VALUE}; echo {VALUE} >&2; exit 1");
    let words = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
    let members = json!({ "environment": variable("API_KEY"), "secrets_command": words });
    let failed = call(trusting_with(members));
    assert_eq!(support::code(&failed), Code::SecretCommand);
    clean(&host, &failed);
    let codes: Vec<_> = host.records_of("refused").iter().map(|it| it["code"].clone()).collect();
    let expected = ["secret.missing", "secret.exposed", "secret.invalid", "secret.command"];
    assert_eq!(codes, expected.map(Value::from));
}

/// A server that keeps the headers it gets and answers by this.
struct Server {
    got: Mutex<Vec<Vec<(String, String)>>>,
    body: String,
}

impl HttpTransport for Server {
    fn resolve(
        &self,
        _: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        Ok(vec![IpAddr::from([93, 184, 216, 34])])
    }
    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        _: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        self.got.lock().unwrap().push(exchange.headers.to_vec());
        let body = self.body.clone().into_bytes();
        Ok(HttpResponse { status: 200, headers: Vec::new(), body })
    }
}

#[test]
fn a_secret_header_reaches_the_server_and_never_the_guest() {
    let request = json!({ "service": "http", "url": "https://api.example.com/" });
    let mut manifest = support::manifest("org.example.tool");
    manifest["capabilities"] = json!({ "network": ["api.example.com"] });
    let package =
        support::package_with(&manifest, &crate::transport::http_service::guest(&request));
    // With spaces in it, no last word represents the whole.
    let secret = "horse 4 u";
    let policy = || {
        let header = json!({ "host": "api.example.com", "name": "authorization",
            "secret": "SERVICE", "prefix": "Token token=" });
        trusting_with(json!({ "network": { "headers": [header] } }))
    };
    for (body, code) in [
        ("fine", "null"),
        ("horse 4 v", "null"),
        (secret, "\"http.secret\""),
        ("you sent horse%204+u to us", "\"http.secret\""),
        ("Basic dXNlcjpob3JzZSA0IHU=", "\"http.secret\""),
    ] {
        let host = Host::new("secret-header");
        keep(&host, secret);
        let server = Arc::new(Server { got: Mutex::default(), body: body.to_owned() });
        let runtime: Runtime =
            host.runtime_with(policy()).http_transport(Arc::clone(&server) as Arc<_>);
        let answer = support::call(&runtime, &package).unwrap();
        let got = server.got.lock().unwrap().clone();
        let sent = ("authorization".to_owned(), "Token token=horse 4 u".to_owned());
        assert_eq!(got, [vec![sent]]);
        let structured = answer.structured_content.clone().unwrap();
        assert_eq!(structured["error"]["code"].to_string(), code, "{structured}");
        assert!(!format!("{answer:?}").contains(secret));
        assert!(!left_behind(&host.path("")).contains(secret));
        let intent = &host.records_of("intent")[0]["capabilities"];
        assert_eq!(
            *intent,
            json!(["connect to api.example.com (with secret header authorization)"])
        );
    }
}

#[test]
fn the_command_line_keeps_lists_and_forgets_and_shows_no_value() {
    let place = Place::new("secret-cli");
    let quiet = |ran: crate::cli::Ran| {
        assert!(!ran.out.contains(VALUE) && !ran.err.contains(VALUE), "{} {}", ran.out, ran.err);
        ran
    };
    let set = |name: &str, input: &str| {
        quiet(place.mpp_with_input(&["secret", "set", name], input.as_bytes()))
    };
    let secret = |words: &[&str]| quiet(place.mpp(&[&["secret"], words].concat()));
    assert_eq!(secret(&["list"]).exits(0).out, "no secrets\n");
    let long = format!("{}\n", "x".repeat(4097));
    for input in ["", "\n", "short\n", "two\nlines-of-it\n", &format!(" {VALUE}\n"), &long] {
        set("SERVICE", input).exits(1).says(&["secret.invalid"]);
    }
    quiet(place.mpp_with_input(&["secret", "set", "SERVICE"], &[0xff; 9]))
        .exits(1)
        .says(&["secret.invalid"]);
    set("no-name", VALUE).exits(1).says(&["secret.invalid"]);
    assert!(!place.path("home/secrets.json").exists());
    assert_eq!(set("SERVICE", &format!("{VALUE}\n")).exits(0).out, "set SERVICE\n");
    assert_eq!(set("SERVICE", &format!("{VALUE}\r\n")).exits(0).out, "replaced SERVICE\n");
    let mode = fs::metadata(place.path("home/secrets.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The value cannot be passed where others see it.
    secret(&["set", "OTHER", "--value=x"]).exits(2);
    secret(&["set", "OTHER", "x"]).exits(2);

    let policy = json!({ "format": "mpp-policy/1",
        "environment": [{ "name": "API_KEY", "secret": "SERVICE" }],
        "network": { "headers": [{ "host": "api.example.com", "name": "x-key", "secret": "ABSENT" }] } });
    fs::write(place.path("home/policy.json"), policy.to_string()).unwrap();
    secret(&["list"]).exits(0).says(&[
        "ABSENT   NOT SET; header x-key of api.example.com",
        "SERVICE  set; variable API_KEY",
    ]);
    let listed = secret(&["list", "--json"]).exits(0).json();
    assert_eq!(
        listed,
        json!({ "by_command": false, "secrets": [
        { "name": "ABSENT", "set": false, "used_by": ["header x-key of api.example.com"] },
        { "name": "SERVICE", "set": true, "used_by": ["variable API_KEY"] },
    ] })
    );

    let mut manifest = support::manifest("org.example.s");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    place.package("s.mpp", &manifest, &guest(&support::response("key=@"), "@", ""));
    place.package("t.mpp", &manifest, &guest("", "key=@", "unreachable"));
    let run = |file: &str, more: &[&str]| {
        quiet(place.mpp(&[&["run", file, "--tool", "run", "--yes"], more].concat()))
    };
    assert_eq!(run("s.mpp", &[]).exits(0).out, "key=[SECRET:SERVICE]\n");
    run("s.mpp", &["--json"]).exits(0).says(&["[SECRET:SERVICE]"]);
    run("t.mpp", &[]).exits(3).says(&["key=[SECRET:SERVICE]"]);
    run("t.mpp", &["--json"]).exits(3).says(&["key=[SECRET:SERVICE]"]);
    assert_eq!(secret(&["remove", "SERVICE", "--json"]).exits(0).json()["removed"], true);
    secret(&["remove", "SERVICE"]).exits(1).says(&["secret.missing"]);
    run("s.mpp", &[]).exits(1).says(&["secret.missing", "mpp secret set"]);
}

#[test]
fn no_list_of_processes_shows_a_value_that_a_command_gives() {
    let place = Place::new("secret-command");
    fs::write(place.path("value"), VALUE).unwrap();
    // What every process of this moment shows of itself, mpp's and the command's own among them.
    let script = "cat /proc/[0-9]*/cmdline > processes 2>/dev/null; cat /proc/$PPID/environ >> processes; cat value";
    let policy = json!({ "format": "mpp-policy/1", "secrets_command": ["/bin/sh", "-c", script, "sh"],
        "environment": [{ "name": "API_KEY", "secret": "SERVICE" }] });
    fs::write(place.path("home/policy.json"), policy.to_string()).unwrap();
    let mut manifest = support::manifest("org.example.s");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    place.package("s.mpp", &manifest, &guest(&support::response("key=@"), "", ""));
    let ran = place.mpp(&["run", "s.mpp", "--tool", "run", "--yes"]).exits(0);
    assert_eq!(ran.out, "key=[SECRET:SERVICE]\n");
    let shown = String::from_utf8_lossy(&fs::read(place.path("processes")).unwrap()).into_owned();
    assert!(shown.contains("s.mpp") && shown.contains("SERVICE"), "{shown}");
    assert!(!shown.contains(VALUE));
    place.mpp(&["secret", "list"]).exits(0).says(&["secrets_command"]);
}
