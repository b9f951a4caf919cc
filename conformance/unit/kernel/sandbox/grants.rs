//! What a configuration may ask for, over the whole of `execute`.

use super::*;
use crate::kernel::deadline::Clock;
use crate::kernel::gatekeeper::VerifiedManifest;
use crate::kernel::host::tests::Fake;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::{token::CapabilityToken, ValueSource};
use std::sync::atomic::{AtomicU64, Ordering};

fn hash(of: &str) -> ContentHash {
    ContentHash::from_checksum_list(of)
}

/// A tool that answers with its environment, or with whatever this does.
fn binary(body: &str) -> WasmBinary {
    let mut manifest = manifest(16);
    manifest.runtime.args = vec!["--flag".into()];
    let manifest = VerifiedManifest::for_tests(manifest, hash("tool"), &["Acme"]);
    let assets = BTreeMap::from([("a.txt".to_owned(), b"asset".to_vec())]);
    WasmBinary::for_tests(module(body), assets, manifest)
}

fn echo() -> WasmBinary {
    binary(
        "(data (i32.const 0) \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":1,\\\"result\\\":\\\"ok\\\"}\")
         (func (export \"_start\") (call $put (i32.const 1) (i32.const 0) (i32.const 38)))",
    )
}

fn variable(name: &str, value: &str) -> Capability {
    Capability::Environment { name: name.into(), source: Some(ValueSource::new(value)) }
}

fn host(host: &str) -> Capability {
    Capability::Network {
        host: host.into(),
        plain_http: false,
        private_addresses: false,
        headers: BTreeMap::new(),
    }
}

fn holding(grants: Vec<Capability>) -> CapabilityToken {
    CapabilityToken::for_tests(hash("tool"), grants, LIMITS)
}

fn token() -> CapabilityToken {
    holding(vec![
        host("api.example.com"),
        host("api.example.org:8443"),
        variable("KEY", "value"),
        variable("OTHER", ""),
    ])
}

fn config(token: Option<CapabilityToken>) -> SandboxConfig {
    SandboxConfig {
        memory_limit_bytes: u64::MAX,
        timeout: Duration::MAX,
        stdin_data: vec![],
        env_vars: BTreeMap::new(),
        dir_mappings: vec![],
        capability_token: token,
        allowed_network_domains: vec![],
    }
}

fn refused(config: SandboxConfig) -> Code {
    let error = WasmSandbox::new().unwrap().execute(&echo(), config).unwrap_err();
    error.code()
}

#[test]
fn what_the_token_holds_is_granted() {
    let token = token();
    let mut asked = config(Some(token.clone()));
    asked.env_vars = extract_approved_env_vars(&token);
    asked.dir_mappings = extract_approved_dirs(&token);
    asked.allowed_network_domains = vec!["api.example.com".into(), "api.example.org:8443".into()];
    let output = WasmSandbox::new().unwrap().execute(&echo(), asked).unwrap();
    let content = output.response().unwrap().result.content;
    assert_eq!(content, serde_json::json!([{"type": "text", "text": "ok"}]));
    assert!(output.fuel_used > 1024);
    // Asking for less is allowed, too.
    let mut asked = config(Some(token));
    asked.env_vars = BTreeMap::from([("KEY".into(), "value".into())]);
    assert!(WasmSandbox::new().unwrap().execute(&echo(), asked).is_ok());
}

#[test]
fn no_token_another_package_s_token_and_an_expired_one_are_rejected() {
    assert_eq!(refused(config(None)), Code::SandboxToken);
    let other = CapabilityToken::for_tests(hash("x"), vec![], LIMITS);
    assert_eq!(refused(config(Some(other))), Code::SandboxTokenOther);
    let expired = token().expired_for_tests();
    assert_eq!(refused(config(Some(expired.clone()))), Code::SandboxTokenExpired);
    // Nor does one that was resolved in its time.
    let other = CapabilityToken::for_tests(hash("x"), vec![], LIMITS);
    for (token, code) in [(other, Code::SandboxTokenOther), (expired, Code::SandboxTokenExpired)] {
        let token = token.resolve_secrets(&Fake::default()).unwrap();
        let request = ToolInput { args: Vec::new(), stdin: Vec::new() };
        let sandbox = WasmSandbox::new().unwrap();
        let run = sandbox.run(&echo(), &token, request, &CancelFlag::default());
        assert_eq!((run.fuel_used, run.stdout, run.stderr), (0, vec![], vec![]));
        assert_eq!(run.outcome.unwrap_err().code(), code);
    }
}

#[test]
fn variables_that_the_token_does_not_hold_are_rejected_and_their_values_not_shown() {
    for (name, value) in [
        ("PATH", "/bin"),
        ("KEY", "another value"),
        ("KEY", ""),
        ("KEY", "value "),
        ("key", "value"),
        ("OTHER", "x"),
        ("", ""),
    ] {
        let mut asked = config(Some(token()));
        asked.env_vars.insert(name.into(), value.into());
        assert_eq!(refused(asked), Code::SandboxNotGranted, "{name}={value}");
    }
    let mut asked = config(Some(token()));
    asked.env_vars.insert("KEY".into(), "s3cret".into());
    let error = WasmSandbox::new().unwrap().execute(&echo(), asked).unwrap_err();
    assert!(!error.to_string().contains("s3cret"));
}

#[test]
fn variables_that_a_guest_would_read_in_another_way_are_rejected_even_if_granted() {
    for (name, value) in [("A=B", "c"), ("A\0", "c"), ("A", "c\0D=e"), ("", "c")] {
        let token = holding(vec![variable(name, value)]);
        let asked = SandboxConfig { env_vars: token.environment(), ..config(Some(token)) };
        assert_eq!(refused(asked), Code::SandboxNotGranted, "{name}={value}");
    }
}

#[test]
fn domains_and_directories_that_the_token_does_not_hold_are_rejected() {
    for domain in [
        "evil.example.com",
        "example.com",
        "API.example.com",
        "api.example.com:443",
        "api.example.org",
        "*",
        "",
    ] {
        let mut asked = config(Some(token()));
        asked.allowed_network_domains.push(domain.into());
        assert_eq!(refused(asked), Code::SandboxNotGranted, "{domain}");
    }
    let mut asked = config(Some(token()));
    asked.dir_mappings.push(DirectoryGrant {
        guest: "/data".into(),
        host: "/tmp".into(),
        writable: false,
    });
    assert_eq!(refused(asked), Code::SandboxNotGranted);
}

#[test]
fn the_stricter_limit_applies() {
    let grows = binary(
        "(func (export \"_start\")
            (if (i32.lt_s (memory.grow (i32.const 16)) (i32.const 0)) (then unreachable)))",
    );
    let with = |memory_limit_bytes, memory_bytes_max| {
        let limits = RunLimits { memory_bytes_max, ..LIMITS };
        let token = CapabilityToken::for_tests(hash("tool"), vec![], limits);
        let asked = SandboxConfig { memory_limit_bytes, ..config(Some(token)) };
        WasmSandbox::new().unwrap().execute(&grows, asked).map_err(|error| error.code())
    };
    let (enough, less) = (17 << 16, (17 << 16) - 1);
    assert!(with(enough, enough).is_ok());
    assert_eq!(with(less, enough).unwrap_err(), Code::ToolMemory);
    assert_eq!(with(enough, less).unwrap_err(), Code::ToolMemory);

    let spins = binary("(func (export \"_start\") (loop (br 0)))");
    let (short, long) = (Duration::from_millis(30), Duration::from_secs(600));
    for (configured, granted) in [(short, long), (long, short)] {
        let limits = RunLimits { timeout: granted, fuel_max: u64::MAX, ..LIMITS };
        let token = CapabilityToken::for_tests(hash("tool"), vec![], limits);
        let asked = SandboxConfig { timeout: configured, ..config(Some(token)) };
        let error = WasmSandbox::new().unwrap().execute(&spins, asked).unwrap_err();
        assert_eq!(error.code(), Code::ToolTimeout);
    }
}

#[test]
fn arguments_come_from_the_manifest_behind_the_name_of_the_module() {
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"args_get\" (func $args (param i32 i32) (result i32)))
        (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func (export \"_start\")
            (drop (call $args (i32.const 0) (i32.const 100)))
            (i32.store (i32.const 0) (i32.const 100))
            (i32.store (i32.const 4) (i32.const 17))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))";
    let mut manifest = manifest(16);
    manifest.runtime.args = vec!["--flag".into()];
    let module = Module::validate(&wat::parse_str(text).unwrap(), &manifest).unwrap();
    let manifest = VerifiedManifest::for_tests(manifest, hash("tool"), &["Acme"]);
    let binary = WasmBinary::for_tests(module, BTreeMap::new(), manifest);
    let output = WasmSandbox::new().unwrap().execute(&binary, config(Some(token()))).unwrap();
    assert_eq!(output.stdout, b"tool.wasm\0--flag\0");
}

/// A host on which two questions take a second each, as slow directories would.
struct Slow(AtomicU64);

impl Clock for Slow {
    fn now(&self) -> Duration {
        Duration::from_secs(1_000 + self.0.load(Ordering::Relaxed).min(2))
    }
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed).min(2))
    }
}

impl Host for Slow {}

#[test]
fn the_host_s_clock_is_not_ahead_by_what_was_done_before_the_guest_started() {
    let tool = binary(
        "(func (export \"_start\")
            (call $ok (call $clock (i32.const 0) (i64.const 0) (i32.const 0)))
            (call $put (i32.const 1) (i32.const 0) (i32.const 8)))",
    );
    let host = Slow(AtomicU64::new(0));
    let token = holding(vec![Capability::RealClock]).resolve_secrets(&host).unwrap();
    let request = ToolInput { args: Vec::new(), stdin: Vec::new() };
    let deadline = Deadline::new(&host, LIMITS.timeout);
    let run = Engine::new().unwrap().run(&host, &tool, &token, request, &deadline);
    run.outcome.unwrap();
    let shown = u64::from_le_bytes(run.stdout.try_into().unwrap());
    assert_eq!(Duration::from_nanos(shown), host.now());
}
