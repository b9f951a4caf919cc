//! What a configuration may ask for, over the whole of `execute`.

use super::*;
use crate::kernel::deadline::Clock;
use crate::kernel::host::tests::Fake;
use crate::kernel::limits::{FUEL_MAX, TIMEOUT_MS_MAX};
use crate::kernel::package::manifest::Manifest;
use crate::kernel::policy::PermissionPolicy;
use crate::tests::support::{package, SILENT};
use std::sync::atomic::{AtomicU64, Ordering};

/// A manifest that requests two hosts and two variables.
fn requesting() -> Manifest {
    let mut manifest = manifest(16);
    manifest.runtime.args = vec!["--flag".into()];
    manifest.capabilities.network = vec!["api.example.com".into(), "api.example.org:8443".into()];
    manifest.capabilities.environment = vec!["KEY".into(), "OTHER".into()];
    manifest
}

/// A tool with this guest.
fn binary(body: &str) -> WasmBinary {
    package(&requesting(), &text(body), &[("a.txt", b"asset")], &["Acme"]).wasm_binary
}

fn echo() -> WasmBinary {
    binary(
        "(data (i32.const 0) \"{\\\"jsonrpc\\\":\\\"2.0\\\",\\\"id\\\":1,\\\"result\\\":\\\"ok\\\"}\")
         (func (export \"_start\") (call $put (i32.const 1) (i32.const 0) (i32.const 38)))",
    )
}

fn policy() -> PermissionPolicy {
    PermissionPolicy::new().allow_env("KEY", "value").allow_env("OTHER", "")
}

/// The token that this policy grants a tool.
fn granted(policy: &PermissionPolicy, binary: &WasmBinary) -> CapabilityToken {
    policy.confirm(binary.manifest(), "alice").unwrap()
}

fn token() -> CapabilityToken {
    granted(&policy(), &echo())
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

/// A host on whose steady clock this many seconds have passed.
struct At(u64);

impl Clock for At {
    fn now(&self) -> Duration {
        Duration::from_secs(1_000 + self.0)
    }
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl Host for At {}

#[test]
fn no_token_another_package_s_token_and_an_expired_one_are_rejected() {
    assert_eq!(refused(config(None)), Code::SandboxToken);
    let other = package(&requesting(), SILENT, &[], &["Acme"]).wasm_binary;
    let other = granted(&policy(), &other);
    assert_eq!(refused(config(Some(other.clone()))), Code::SandboxTokenOther);
    let of_no_time = PermissionPolicy { token_lifetime_s: 0, ..policy() };
    let expired = granted(&of_no_time, &echo());
    assert_eq!(refused(config(Some(expired))), Code::SandboxTokenExpired);

    // Neither does one run that was resolved before it expired.
    let lasting = PermissionPolicy { token_lifetime_s: 100, ..policy() };
    let token = lasting.confirm_at(echo().manifest(), "alice", Duration::from_secs(7)).unwrap();
    let run = |token: &CapabilityToken, seconds| {
        let host = At(seconds);
        let token = token.clone().resolve_secrets(&Fake::default()).unwrap();
        let request = ToolInput { args: Vec::new(), stdin: Vec::new() };
        let deadline = Deadline::new(&host, LIMITS.timeout);
        Engine::new().unwrap().run(&host, &echo(), &token, request, &deadline)
    };
    assert_eq!(run(&token, 106).outcome, Ok(()));
    for (token, seconds, code) in [
        (&token, 107, Code::SandboxTokenExpired),
        (&token, u64::MAX / 2, Code::SandboxTokenExpired),
        (&other, 0, Code::SandboxTokenOther),
    ] {
        let run = run(token, seconds);
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

/// A manifest names no variable that a guest would read in another way.
#[test]
fn a_value_that_a_guest_would_read_in_part_is_rejected_even_if_granted() {
    let token = granted(&policy().allow_env("KEY", "c\0D=e"), &echo());
    let asked = SandboxConfig { env_vars: token.environment(), ..config(Some(token)) };
    assert_eq!(refused(asked), Code::SandboxNotGranted);
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
    let with = |memory_limit_bytes, ceiling_mb| {
        let mut policy = policy();
        policy.ceilings.memory_limit_mb = ceiling_mb;
        let token = granted(&policy, &grows);
        let asked = SandboxConfig { memory_limit_bytes, ..config(Some(token)) };
        WasmSandbox::new().unwrap().execute(&grows, asked).map_err(|error| error.code())
    };
    let (enough, less) = (17 << 16, (17 << 16) - 1);
    assert!(with(enough, 2).is_ok());
    assert_eq!(with(less, 2).unwrap_err(), Code::ToolMemory);
    assert_eq!(with(enough, 1).unwrap_err(), Code::ToolMemory);

    let mut manifest = requesting();
    (manifest.runtime.fuel, manifest.runtime.timeout_ms) = (FUEL_MAX, TIMEOUT_MS_MAX);
    let spins = text("(func (export \"_start\") (loop (br 0)))");
    let spins = package(&manifest, &spins, &[], &["Acme"]).wasm_binary;
    let (short_ms, long_ms) = (30, TIMEOUT_MS_MAX);
    for (configured_ms, granted_ms) in [(short_ms, long_ms), (long_ms, short_ms)] {
        let mut policy = policy();
        policy.ceilings.timeout_ms = granted_ms;
        let timeout = Duration::from_millis(configured_ms.into());
        let asked = SandboxConfig { timeout, ..config(Some(granted(&policy, &spins))) };
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
    let binary = package(&requesting(), text, &[], &["Acme"]).wasm_binary;
    let asked = config(Some(granted(&policy(), &binary)));
    let output = WasmSandbox::new().unwrap().execute(&binary, asked).unwrap();
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
    let policy = policy().real_clock(true);
    let token = policy.confirm_at(tool.manifest(), "alice", Duration::ZERO).unwrap();
    let token = token.resolve_secrets(&host).unwrap();
    let request = ToolInput { args: Vec::new(), stdin: Vec::new() };
    let deadline = Deadline::new(&host, LIMITS.timeout);
    let run = Engine::new().unwrap().run(&host, &tool, &token, request, &deadline);
    run.outcome.unwrap();
    let shown = u64::from_le_bytes(run.stdout.try_into().unwrap());
    assert_eq!(Duration::from_nanos(shown), host.now());
}
