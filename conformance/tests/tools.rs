//! The example tools as they are committed, packed on the spot: they answer what `expected.json` says,
//! before the filter and behind it. Where `MPP_TOOLS` names a folder with package folders that were
//! built anew (`conformance/tools/build --out DIR`), those are held against it as well.

use crate::support::{self, call_with, Host};
use mpp::package::pack::{pack, read_folder};
use mpp::package::writer::Compression;
use mpp::runtime::Nobody;
use mpp::sandbox::{JsonRpcResponse, SandboxOutput};
use mpp::{
    AttestationResult, Code, Error, Gatekeeper, PermissionPolicy, PolicyDecision, SandboxConfig,
    WasmSandbox,
};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAMES: [&str; 2] = ["sql_guardian", "text_stats"];

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/tools")
}

fn package(folder: &Path) -> Vec<u8> {
    let contents = read_folder(folder).unwrap();
    pack(contents, &support::author(), support::now(), Compression::Stored).unwrap()
}

fn attested(folder: &Path) -> AttestationResult {
    Gatekeeper::new(support::trust(), support::now()).verify(&package(folder)).unwrap()
}

/// Runs a tool on these bytes, with nothing but what its manifest asks for.
fn run(attestation: &AttestationResult, stdin: &[u8]) -> Result<SandboxOutput, Error> {
    let policy = PermissionPolicy::new().auto_approve_low(true);
    let PolicyDecision::Granted(token) = policy.evaluate(&attestation.manifest) else {
        panic!("{} is not granted what it asks for", attestation.manifest.id)
    };
    let config = SandboxConfig {
        memory_limit_bytes: token.limits().memory_bytes_max,
        timeout: Duration::from_secs(60),
        stdin_data: stdin.to_vec(),
        env_vars: BTreeMap::new(),
        dir_mappings: Vec::new(),
        capability_token: Some(token),
        allowed_network_domains: Vec::new(),
    };
    WasmSandbox::new()?.execute(&attestation.wasm_binary, config)
}

fn cases() -> Vec<Value> {
    let text = std::fs::read(committed().join("expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn request(case: &Value) -> Vec<u8> {
    match &case["request"] {
        Value::String(request) => request.clone().into_bytes(),
        _ => json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": case["params"] })
            .to_string()
            .into_bytes(),
    }
}

/// Says in what an answer differs from what the case expects.
fn difference(case: &Value, output: &SandboxOutput) -> Option<String> {
    let answer: Value = match serde_json::from_slice(&output.stdout) {
        Ok(answer) => answer,
        Err(error) => return Some(format!("no JSON: {error}")),
    };
    if let Some(code) = case.get("errorCode") {
        return (answer["error"]["code"] != *code).then(|| format!("not {code}: {answer}"));
    }
    let result = &answer["result"];
    let is_error = result["isError"].as_bool().unwrap_or(false);
    if Some(is_error) != case["isError"].as_bool() {
        return Some(format!("isError is {is_error}: {answer}"));
    }
    if is_error && result.get("structuredContent").is_some() {
        return Some(format!("a failure with structured content: {answer}"));
    }
    if let Some(expected) = case.get("structuredContent") {
        if result["structuredContent"] != *expected {
            return Some(format!("expected {expected}, found {}", result["structuredContent"]));
        }
    }
    if let Some(expected) = case["textContains"].as_str() {
        if !result["content"][0]["text"].as_str().is_some_and(|text| text.contains(expected)) {
            return Some(format!("no {expected:?} in {answer}"));
        }
    }
    // What the runtime makes of it is the same as what the test does.
    let parsed = JsonRpcResponse::parse(&output.stdout).unwrap();
    (parsed.result.is_error != is_error).then(|| format!("read otherwise: {answer}"))
}

fn replay(tools: &Path) {
    let cases = cases();
    let named: BTreeSet<_> = cases.iter().map(|case| case["package"].as_str().unwrap()).collect();
    assert_eq!(named, BTreeSet::from(NAMES));
    let mut wrong = Vec::new();
    for name in NAMES {
        let attestation = attested(&tools.join(name));
        for case in cases.iter().filter(|case| case["package"] == name) {
            let found = match run(&attestation, &request(case)) {
                Ok(output) => difference(case, &output),
                Err(error) => Some(error.to_string()),
            };
            wrong.extend(found.map(|found| format!("{name}, {}: {found}", case["title"])));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

#[test]
fn the_committed_tools_answer_what_they_have_to() {
    replay(&committed());
}

#[test]
fn tools_built_anew_answer_what_they_have_to() {
    match std::env::var_os("MPP_TOOLS") {
        Some(folder) => replay(Path::new(&folder)),
        None => eprintln!("MPP_TOOLS names no folder: nothing built anew was tried"),
    }
}

#[test]
fn the_committed_modules_are_those_of_the_list() {
    let list = std::fs::read_to_string(committed().join("SHA256SUMS")).unwrap();
    let mut named = BTreeSet::new();
    for line in list.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let content = std::fs::read(committed().join(name)).unwrap();
        assert_eq!(mpp::encoding::sha256_hex(&content), sum, "{name}");
        named.insert(name.to_owned());
    }
    for name in NAMES {
        for file in read_folder(&committed().join(name)).unwrap().into_keys() {
            let built = file.ends_with(".wasm") || file.ends_with(".sqlite");
            assert_eq!(named.contains(&format!("{name}/{file}")), built, "{name}/{file}");
        }
    }
}

/// What `expected.json` shows goes through the whole pipeline too, where the manifest lets it in. No
/// personal data of the expected answers is left then, and what has none is the same.
#[test]
fn behind_the_filter_the_answers_hold_no_mail_address() {
    let host = Host::new("tools");
    let runtime = host.runtime();
    let packages = NAMES.map(|name| (name, package(&committed().join(name))));
    let (mut answered, mut redacted) = (0, 0);
    let cases = cases();
    let good = cases.iter().filter(|case| case["isError"] == json!(false));
    for case in good.filter(|case| case["params"].is_object()).step_by(3) {
        let (_, package) = packages.iter().find(|(name, _)| case["package"] == *name).unwrap();
        let params = &case["params"];
        let Some(tool) = params["name"].as_str() else { continue };
        match call_with(&runtime, package, tool, params["arguments"].clone(), &Nobody) {
            Ok(answer) => {
                answered += 1;
                let structured = answer.structured_content.unwrap_or_default();
                let both = format!("{} {structured}", answer.content);
                assert!(!both.contains("@example."), "{}: {both}", case["title"]);
                assert!(!both.contains("4111 1111 1111 1111"), "{}: {both}", case["title"]);
                if answer.applied.total() > 0 {
                    redacted += 1;
                } else if let Some(expected) = case.get("structuredContent") {
                    assert_eq!(structured, *expected, "{}", case["title"]);
                }
            }
            // Requests that the tools answer and the manifest's schema does not let in.
            Err(error) => assert_eq!(error.code(), Code::RequestArguments, "{error}"),
        }
    }
    assert!(answered > 10 && redacted > 0, "{answered} answered, {redacted} redacted");
}

#[test]
fn a_large_text_is_counted_within_fuel_and_memory() {
    let host = Host::new("large");
    let package = package(&committed().join("text_stats"));
    let text = "Twelve chars ".repeat(76_000);
    let arguments = json!({ "text": text });
    let answer = call_with(&host.runtime(), &package, "analyze", arguments, &Nobody).unwrap();
    assert_eq!(answer.structured_content.unwrap()["words"], 152_000);
    // Every word another one is the hard case.
    let text: String = (0..140_000).map(|n| format!("w{n:05x} ")).collect();
    let arguments = json!({ "text": text.get(..999_999).unwrap_or(&text) });
    let answer = call_with(&host.runtime(), &package, "analyze", arguments, &Nobody).unwrap();
    assert!(answer.structured_content.unwrap()["distinct_words"].as_u64().unwrap() > 100_000);
}

#[test]
fn an_endless_query_ends_and_the_next_one_is_answered() {
    let host = Host::new("endless");
    // With less fuel than the manifest asks for, so that a slow machine need not wait.
    let policy = PermissionPolicy::new().auto_approve_low(true).fuel(200_000_000);
    let runtime = host.runtime_with(policy);
    let package = package(&committed().join("sql_guardian"));
    let query = |sql: &str| call_with(&runtime, &package, "query", json!({ "sql": sql }), &Nobody);
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let error = query(endless).unwrap_err();
    assert!(matches!(error.code(), Code::ToolFuel | Code::ToolTimeout), "{error}");
    assert_eq!(query("SELECT 1 AS one").unwrap().structured_content.unwrap()["rows"], json!([[1]]));
    let results: Vec<Value> =
        host.records_of("outcome").iter().map(|record| record["result"].clone()).collect();
    assert_eq!(results, [json!(error.code().as_str()), json!("ok")]);
}
