//! What the pipeline refuses before anything runs, and what it promises about what runs.

use crate::support::{self, author, call, call_with, code, contents_with, Host};
use mpp::package::pack::{countersign, pack};
use mpp::package::writer::{write, Compression};
use mpp::package::SIGNATURE_ENTRY;
use mpp::policy::token::DirectoryGrant;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver, CallResult, NoApprover, Runtime};
use mpp::sandbox::tools_call_request;
use mpp::trust::Validity;
use mpp::{
    CapabilityToken, Code, Error, Gatekeeper, PermissionPolicy, PolicyDecision, SandboxConfig,
    TrustStore, WasmSandbox,
};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

fn fine(manifest: &Value) -> Vec<u8> {
    support::package_with(manifest, &support::saying(&support::response("ran")))
}

fn manifest() -> Value {
    support::manifest("org.example.tool")
}

/// A person who says always the same, and remembers what they were shown.
struct Fake(ApprovalDecision, Mutex<Vec<String>>);

impl Fake {
    fn saying(reply: ApprovalDecision) -> Self {
        Fake(reply, Mutex::new(Vec::new()))
    }

    fn agreeing() -> Self {
        Fake::saying(ApprovalDecision::ApprovedOnce("test:alice".to_owned()))
    }

    fn shown(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

impl Approver for Fake {
    fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
        let ApprovalRequest { package, tool, security_level, capabilities, .. } = question;
        let shown = format!("{tool} of {package} at {security_level}: {}", capabilities.join("; "));
        self.1.lock().unwrap().push(shown);
        self.0.clone()
    }
}

/// The call is refused with this code, and that is all that the log says.
#[track_caller]
fn refused(host: &Host, result: Result<CallResult, Error>, expected: Code) -> Value {
    let error = result.unwrap_err();
    assert_eq!(error.code(), expected, "{error}");
    let records = host.records();
    let last = records.last().unwrap();
    assert_eq!(last["kind"], "refused");
    assert_eq!(last["code"], expected.as_str());
    assert_eq!(last["agent"], "test agent");
    last.clone()
}

#[track_caller]
fn refused_at_once(host: &Host, result: Result<CallResult, Error>, expected: Code) -> Value {
    let record = refused(host, result, expected);
    assert!(host.records_of("intent").is_empty(), "something was about to run");
    record
}

#[test]
fn a_package_that_fails_a_check_leaves_a_refusal_and_nothing_else() {
    let good = fine(&manifest());
    let contents = || contents_with(&manifest(), support::SILENT_GUEST);
    let signed = |contents| pack(contents, &author(), support::now(), Compression::Stored).unwrap();
    let raw = |contents: &BTreeMap<String, Vec<u8>>| write(contents, Compression::Stored).unwrap();
    let signature = |package: &[u8]| {
        let entries = mpp::package::archive::read(package).unwrap();
        let entry = entries.into_iter().find(|entry| entry.name == SIGNATURE_ENTRY).unwrap();
        entry.content.into_owned()
    };
    let mut content = contents();
    content.insert(SIGNATURE_ENTRY.into(), signature(&good));
    let mut forged = contents();
    let text = String::from_utf8(signature(&signed(contents()))).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let at = file["signatures"][0]["signed_at"].as_str().unwrap().to_owned();
    forged.insert(SIGNATURE_ENTRY.into(), text.replace(&at, "2027-01-01T00:00:00Z").into_bytes());
    let mut unknown_key = manifest();
    unknown_key["surprise"] = json!(true);
    let import = r#"(module (import "env" "system" (func)) (memory (export "memory") 1)
        (func (export "_start")))"#;
    let stranger = mpp::package::key::SecretKey::from_seed([9; 32]).unwrap();
    let cases = [
        (good[..good.len() - 1].to_vec(), Code::ArchiveEndRecord),
        (Vec::new(), Code::ArchiveEndRecord),
        (raw(&contents()), Code::StructureMissing),
        (raw(&content), Code::ContentHash),
        (raw(&forged), Code::SignatureInvalid),
        (
            pack(contents(), &stranger, support::now(), Compression::Stored).unwrap(),
            Code::PublisherUnknown,
        ),
        (support::package_with(&unknown_key, support::SILENT_GUEST), Code::ManifestUnknownKey),
        (support::package("com.foreign.tool", support::SILENT_GUEST), Code::ManifestNamespace),
        (support::package("org.example.tool", import), Code::ModuleImport),
    ];
    for (package, expected) in cases {
        let host = Host::new("checks");
        let record = refused_at_once(&host, call(&host.runtime(), &package), expected);
        assert_eq!(host.records().len(), 1);
        assert_eq!(record["package"], Value::Null, "nothing of it was verified");
        assert_eq!(record["tool"], "run");
        assert!(!host.path("seen.json").exists(), "{expected:?}: its version counts as seen");
    }
}

#[test]
fn a_request_that_the_tool_does_not_take_is_refused() {
    let mut manifest = manifest();
    manifest["tools"][0]["parameters"] = json!({
        "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"]
    });
    let package = fine(&manifest);
    let host = Host::new("request");
    let runtime = host.runtime();
    let ask =
        |tool: &str, arguments: Value| call_with(&runtime, &package, tool, arguments, &NoApprover);
    for tool in ["nope", "", "Run", "run ", "\u{1b}[2J", &"x".repeat(100_000)] {
        let record = refused_at_once(&host, ask(tool, json!({ "text": "" })), Code::RequestTool);
        assert_eq!(record["package"], "org.example.tool");
    }
    for arguments in [json!({}), json!({ "text": 1 }), json!([]), json!("text"), Value::Null] {
        refused_at_once(&host, ask("run", arguments), Code::RequestArguments);
    }
    let large = json!({ "text": "x".repeat(mpp::limits::REQUEST_BYTES_MAX) });
    refused_at_once(&host, ask("run", large), Code::RequestTooLarge);
}

/// The command line reads no deeper arguments; a program that uses the library could hand them over.
#[test]
fn arguments_nested_beyond_the_limit_are_refused() {
    let host = Host::new("deep");
    let runtime = host.runtime();
    let package = fine(&manifest());
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
    let ask = |depth| call_with(&runtime, &package, "run", nested(depth), &NoApprover);
    assert!(ask(mpp::limits::REQUEST_DEPTH_MAX).is_ok());
    let error = ask(mpp::limits::REQUEST_DEPTH_MAX + 1).expect_err("LIM-13");
    assert!(matches!(error.code(), Code::RequestTooLarge | Code::RequestArguments), "{error}");
}

#[test]
fn the_policys_no_is_final_and_its_question_goes_to_the_person() {
    let mut manifest = manifest();
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    let package = fine(&manifest);
    let host = Host::new("policy");
    let ask = |runtime: &Runtime, person: &dyn Approver| {
        call_with(runtime, &package, "run", json!({}), person)
    };
    let agreeing = Fake::agreeing();
    for policy in [
        json!({ "deny": { "packages": ["org.example"] }, "trusted_packages": ["org.example.tool"] }),
        json!({ "non_interactive": true }),
    ] {
        let runtime = host.runtime_with(support::policy(policy));
        let record = refused_at_once(&host, ask(&runtime, &agreeing), Code::PolicyDenied);
        assert_eq!(record["publisher"], "Author");
    }
    assert!(agreeing.shown().is_empty(), "a person was asked about what is denied");

    let runtime = host.runtime();
    refused_at_once(&host, ask(&runtime, &NoApprover), Code::PolicyConfirmation);
    let declining = Fake::saying(ApprovalDecision::Denied);
    refused_at_once(&host, ask(&runtime, &declining), Code::PolicyDeclined);
    assert_eq!(declining.shown().len(), 1);
    let unnamed = Fake::saying(ApprovalDecision::ApprovedOnce(String::new()));
    refused_at_once(&host, ask(&runtime, &unnamed), Code::PolicyConfirmation);
    assert!(!host.path("seen.json").exists(), "what was not agreed to counts as seen");

    ask(&runtime, &agreeing).unwrap();
    let shown = agreeing.shown();
    assert_eq!(shown.len(), 1);
    for part in ["run of org.example.tool", "medium", "API_KEY"] {
        assert!(shown[0].contains(part), "no {part:?} in {shown:?}");
    }
    let intent = &host.records_of("intent")[0];
    assert_eq!(intent["granted_by"], "person:test:alice");
    assert_eq!(intent["risk"], "medium");
}

/// Approves, but the author's key is revoked before the decision arrives.
struct Slow<'a>(&'a Host);

impl Approver for Slow<'_> {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        TrustStore::update(&self.0.path("trust.json"), |store| {
            store.revoke_key(author().public().id(), support::now(), "lost")
        })
        .unwrap();
        ApprovalDecision::ApprovedOnce("test:alice".to_owned())
    }
}

#[test]
fn trust_that_ends_while_the_question_waits_is_none_when_it_is_answered() {
    let host = Host::new("slow");
    let mut manifest = manifest();
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    let result = call_with(&host.runtime(), &fine(&manifest), "run", json!({}), &Slow(&host));
    refused_at_once(&host, result, Code::PublisherKeyRevoked);
}

#[test]
fn an_older_version_is_refused_once_a_newer_one_ran() {
    let version = |text: &str| {
        let mut manifest = manifest();
        manifest["version"] = json!(text);
        fine(&manifest)
    };
    for read_only in [false, true] {
        let host = Host::new("rollback");
        if read_only {
            let mut rights = std::fs::metadata(host.path("trust.json")).unwrap().permissions();
            rights.set_readonly(true);
            std::fs::set_permissions(host.path("trust.json"), rights).unwrap();
        }
        let before = std::fs::read(host.path("trust.json")).unwrap();
        let runtime = host.runtime();
        call(&runtime, &version("1.9.0")).unwrap();
        call(&runtime, &version("1.10.0")).unwrap();
        call(&runtime, &version("1.10.0")).unwrap();
        for runtime in [&runtime, &host.runtime()] {
            let record = refused(&host, call(runtime, &version("1.9.0")), Code::ManifestDowngrade);
            assert_eq!(record["package"], Value::Null);
        }
        assert_eq!(host.records_of("intent").len(), 3);
        assert_eq!(std::fs::read(host.path("trust.json")).unwrap(), before);
        assert!(host.path("seen.json").exists());
    }
}

#[test]
fn two_publishers_have_to_sign_where_the_policy_says_so() {
    let host = Host::new("signers");
    let policy = || support::policy(json!({ "auto_approve_low": true, "signers_required": 2 }));
    let runtime = host.runtime_with(policy());
    let one = fine(&manifest());
    refused_at_once(&host, call(&runtime, &one), Code::PublisherQuorum);
    let both = countersign(&one, &support::approver(), support::now()).unwrap();
    call(&runtime, &both).unwrap();
    assert_eq!(host.records_of("intent")[0]["signers"].as_array().unwrap().len(), 2);
    // A stranger is not a second party, and the approver alone must not publish.
    let host = Host::new("strangers");
    let runtime = host.runtime_with(policy());
    let stranger = mpp::package::key::SecretKey::from_seed([9; 32]).unwrap();
    let with_stranger = countersign(&one, &stranger, support::now()).unwrap();
    refused_at_once(&host, call(&runtime, &with_stranger), Code::PublisherQuorum);
    let contents = contents_with(&manifest(), support::SILENT_GUEST);
    let approved =
        pack(contents, &support::approver(), support::now(), Compression::Stored).unwrap();
    refused_at_once(&host, call(&host.runtime(), &approved), Code::ManifestNamespace);
}

#[test]
fn what_is_revoked_or_out_of_its_time_stops_at_the_next_call() {
    let package = fine(&manifest());
    let host = Host::new("revoked");
    let runtime = host.runtime();
    call(&runtime, &package).unwrap();
    let hash = mpp::gatekeeper::inspect(&package).unwrap().content_hash;
    let edit = |edit: &dyn Fn(&mut TrustStore) -> Result<(), Error>| {
        TrustStore::update(&host.path("trust.json"), |store| edit(store)).unwrap();
    };
    let until = mpp::Timestamp::parse("2020-01-01T00:00:00Z");
    let over = Validity { from: None, until };
    edit(&|store| store.add_publisher("Author", author().public(), &["org.example"], over));
    refused(&host, call(&runtime, &package), Code::PublisherValidity);
    edit(&|store| store.revoke_key(author().public().id(), support::now(), "stolen"));
    refused(&host, call(&runtime, &package), Code::PublisherKeyRevoked);
    edit(&|store| store.revoke_content(hash.clone(), support::now(), "harmful"));
    refused(&host, call(&runtime, &package), Code::PublisherContent);
    host.write("trust.json", b"{}");
    refused(&host, call(&runtime, &package), Code::TrustInvalid);
    assert_eq!(host.records_of("intent").len(), 1);
}

#[test]
fn without_a_log_nothing_runs() {
    let package = fine(&manifest());
    // The log's directory is a file; the log is a directory; the calls' directory is a file.
    for (path, is_folder) in [("audit", false), ("audit/audit.jsonl", true), ("audit/calls", false)]
    {
        let host = Host::new("no-log");
        match is_folder {
            true => std::fs::create_dir_all(host.path(path)).unwrap(),
            false => drop(host.write(path, b"")),
        }
        let policy = PermissionPolicy::new().auto_approve_low(true);
        let home = host.path("");
        let result = Runtime::open(&home, policy).and_then(|runtime| call(&runtime, &package));
        assert_eq!(code(&result), Code::AuditUnavailable, "{path}");
        assert!(!host.path("seen.json").exists());
    }
    // It goes away while the runtime is open.
    for missing in ["audit", "audit/calls"] {
        let host = Host::new("lost-log");
        let runtime = host.runtime();
        call(&runtime, &package).unwrap();
        std::fs::remove_dir_all(host.path(missing)).unwrap();
        host.write(missing, b"");
        assert_eq!(code(&call(&runtime, &package)), Code::AuditUnavailable, "{missing}");
    }
}

#[test]
fn a_log_that_was_altered_or_cut_stops_the_next_call() {
    let package = fine(&manifest());
    for alter in [
        &(|text: &str| text.replace("\"tool\":\"run\"", "\"tool\":\"ran\""))
            as &dyn Fn(&str) -> String,
        &|text| text.lines().next().unwrap().to_owned() + "\n",
        &|_| String::new(),
    ] {
        let host = Host::new("altered");
        let runtime = host.runtime();
        call(&runtime, &package).unwrap();
        call(&runtime, &package).unwrap();
        let text = std::fs::read_to_string(host.log()).unwrap();
        std::fs::write(host.log(), alter(&text)).unwrap();
        let whole = mpp::audit::verify(&host.log(), None);
        if alter(&text).lines().count() == 4 {
            assert_eq!(code(&whole), Code::AuditBroken);
        } else {
            assert_eq!(code(&call(&runtime, &package)), Code::AuditBroken);
        }
    }
}

#[test]
fn the_same_call_gives_the_same_answer_for_the_same_fuel() {
    // A guest that says its random bytes, its clock and its memory's size.
    let guest = r#"(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 1024) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"")
      (data (i32.const 1200) "\"}")
      (func (export "_start") (local $at i32)
        (drop (call $random (i32.const 256) (i32.const 24)))
        (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 280)))
        (drop (call $clock (i32.const 1) (i64.const 1) (i32.const 288)))
        ;; Each byte as two letters.
        (loop
          (i32.store8 (i32.add (i32.const 1058) (i32.mul (local.get $at) (i32.const 2)))
            (i32.add (i32.const 97) (i32.and (i32.load8_u (i32.add (i32.const 256) (local.get $at))) (i32.const 15))))
          (i32.store8 (i32.add (i32.const 1059) (i32.mul (local.get $at) (i32.const 2)))
            (i32.add (i32.const 97) (i32.shr_u (i32.load8_u (i32.add (i32.const 256) (local.get $at))) (i32.const 4))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get $at) (i32.const 40))))
        (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 114))
        (i32.store (i32.const 8) (i32.const 1200)) (i32.store (i32.const 12) (i32.const 2))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 64)))))"#;
    let package = support::package("org.example.tool", guest);
    let host = Host::new("same");
    let runtime = host.runtime();
    let ask = || {
        let answer = call(&runtime, &package).unwrap();
        (answer.content.to_string(), answer.fuel_used)
    };
    let first = ask();
    assert!(first.0.len() > 80, "{first:?}");
    let (second, third) = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(ask), scope.spawn(ask));
        (one.join().unwrap(), other.join().unwrap())
    });
    assert_eq!((&first, &first), (&second, &third));
    let other_home = Host::new("same-elsewhere");
    let answer = call(&other_home.runtime(), &package).unwrap();
    assert_eq!((answer.content.to_string(), answer.fuel_used), first);
    assert_eq!(host.records().len(), 6);
    let digests: Vec<_> =
        host.records_of("outcome").iter().map(|record| record["answer"].clone()).collect();
    assert!(digests.iter().all(|digest| *digest == digests[0] && digest.is_string()));
}

fn token(policy: PermissionPolicy, package: &[u8]) -> (CapabilityToken, mpp::WasmBinary) {
    let attestation = Gatekeeper::new(support::trust(), support::now()).verify(package).unwrap();
    match policy.evaluate(&attestation.manifest) {
        PolicyDecision::Granted(token) => (token, attestation.wasm_binary),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_sandbox_opens_for_the_packages_own_token_and_for_what_it_holds() {
    let mut asking = manifest();
    asking["capabilities"] = json!({ "environment": ["A", "B"], "network": ["api.example.com"] });
    let package = fine(&asking);
    let policy = || PermissionPolicy::new().trust_package("org.example.tool").allow_env("A", "1");
    let (own, binary) = token(policy(), &package);
    asking["description"] = json!("another package");
    let (foreign, _) = token(policy(), &fine(&asking));
    let config = |token: Option<&CapabilityToken>| SandboxConfig {
        memory_limit_bytes: 1 << 22,
        timeout: Duration::from_secs(10),
        stdin_data: tools_call_request("run", &json!({})),
        env_vars: BTreeMap::new(),
        dir_mappings: Vec::new(),
        capability_token: token.cloned(),
        allowed_network_domains: Vec::new(),
    };
    let sandbox = WasmSandbox::new().unwrap();
    let run = |config: SandboxConfig| sandbox.execute(&binary, config);
    let with_env = |name: &str, value: &str| {
        let env_vars = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        SandboxConfig { env_vars, ..config(Some(&own)) }
    };
    let with_domain = |domain: &str| {
        let allowed_network_domains = vec![domain.to_owned()];
        SandboxConfig { allowed_network_domains, ..config(Some(&own)) }
    };
    assert!(run(config(Some(&own))).is_ok());
    assert!(run(with_env("A", "1")).is_ok());
    assert!(run(with_domain("api.example.com")).is_ok());
    assert_eq!(code(&run(config(None))), Code::SandboxToken);
    assert_eq!(code(&run(config(Some(&foreign)))), Code::SandboxTokenOther);
    for refused in [
        with_env("A", "2"),
        with_env("B", ""),
        with_env("PATH", "/bin"),
        with_domain("example.com"),
        with_domain("evil.api.example.com"),
        with_domain("api.example.com:8080"),
        with_domain("*"),
    ] {
        assert_eq!(code(&run(refused.clone())), Code::SandboxNotGranted, "{refused:?}");
    }
    let grant = DirectoryGrant { guest: "/data".into(), host: "/".into(), writable: false };
    let directory = SandboxConfig { dir_mappings: vec![grant], ..config(Some(&own)) };
    assert_eq!(code(&run(directory)), Code::SandboxNotGranted);
    let secret = run(with_env("A", "a secret value")).unwrap_err();
    assert!(!secret.to_string().contains("a secret value"), "{secret}");
    assert!(!format!("{own:?}").contains("\"1\""), "{own:?}");
}

#[test]
fn a_guest_is_given_the_variables_that_its_token_holds_and_no_others() {
    // Says how many variables it was given, as a digit.
    let guest = r#"(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 1024) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"?\"}")
      (func (export "_start")
        (drop (call $sizes (i32.const 64) (i32.const 68)))
        (i32.store8 (i32.const 1058) (i32.add (i32.const 48) (i32.load (i32.const 64))))
        (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 37))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 80)))))"#;
    let mut manifest = manifest();
    manifest["capabilities"] = json!({ "environment": ["A", "B", "PATH"] });
    let package = support::package_with(&manifest, guest);
    let host = Host::new("variables");
    let trusting = || PermissionPolicy::new().trust_package("org.example.tool");
    for (policy, expected) in [
        (trusting(), "0"),
        (trusting().allow_env("A", "1"), "1"),
        (trusting().allow_env("A", "1").allow_env("HOME", "/"), "1"),
        (trusting().allow_env("A", "1").allow_env("B", "2"), "2"),
    ] {
        let answer = call(&host.runtime_with(policy), &package).unwrap();
        assert_eq!(answer.content[0]["text"], expected);
    }
}

/// A guest that copies `/data/answer` to stdout.
const COPYING: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "\00\04\00\00\00\10\00\00")
  (data (i32.const 100) "answer")
  (func (export "_start")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 6) (i32.const 0)
                    (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8))
      (then unreachable))
    (drop (call $read (i32.load (i32.const 8)) (i32.const 16) (i32.const 1) (i32.const 24)))
    (i32.store (i32.const 20) (i32.load (i32.const 24)))
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))"#;

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[test]
fn a_mapped_directory_is_read_through_no_link_and_one_not_mapped_does_not_exist() {
    let host = Host::new("mapped");
    let data = support::Folder::new("mapped-data");
    std::fs::write(data.path().join("answer"), support::response("from a file")).unwrap();
    let mut manifest = support::manifest("org.example.mapped");
    manifest["capabilities"] = json!({ "filesystem": { "read": ["/data"] } });
    let package = support::package_with(&manifest, COPYING);

    let mapping = || PermissionPolicy::new().trust_package("org.example.mapped");
    let runtime = host.runtime_with(mapping().map_directory("/data", data.path()));
    assert!(call(&runtime, &package).unwrap().content.to_string().contains("from a file"));
    // Nothing is mapped: the guest finds no such descriptor.
    let result = call(&host.runtime_with(mapping()), &package).map(drop);
    assert_eq!(code(&result), Code::ToolTrap);
    // A link in its place is not followed, wherever it leads.
    std::fs::rename(data.path().join("answer"), data.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", data.path().join("answer")).unwrap();
    assert_eq!(code(&call(&runtime, &package).map(drop)), Code::ToolTrap);
}
