//! The committed example tools, packed on demand: they answer what `expected.json` states, before and after the
//! filter. If `MPP_TOOLS` names a directory with package directories that were built from source
//! (`conformance/tools/build --only all --out DIR`), those are checked as well, and with them the two whose
//! modules are too large to be committed.

use crate::support::{self, call_with, Folder, Host};
use mpp::network::{Exchange, HttpResponse, HttpTransport, Services, TransportError};
use mpp::package::manifest::Protocol;
use mpp::package::pack::{pack, read_directory};
use mpp::package::writer::Compression;
use mpp::runtime::NoApprover;
use mpp::sandbox::{Execution, ToolInput};
use mpp::secrets::FileSecretStore;
use mpp::storage::{FileStorage, StorageBackend};
use mpp::{
    AttestationResult, CancelFlag, Code, Error, Gatekeeper, PermissionPolicy, PolicyDecision,
    WasmSandbox,
};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The packages whose modules are committed.
pub const NAMES: [&str; 10] = [
    "calendar",
    "fetch_page",
    "markdown",
    "notes",
    "sql_files",
    "sql_guardian",
    "task_order",
    "text_diff",
    "text_stats",
    "unit_converter",
];
/// Those whose modules are built or fetched where they are needed: Go 5.7 MB, CPython 26.3 MB.
const LARGE: [&str; 2] = ["csv_statistics", "go_format"];

pub fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/tools")
}

pub fn package(folder: &Path) -> Vec<u8> {
    let contents = read_directory(folder).unwrap();
    pack(contents, &support::author(), support::now(), Compression::Stored).unwrap()
}

fn attested(folder: &Path) -> AttestationResult {
    Gatekeeper::new(support::trust(), support::now()).verify(&package(folder)).unwrap()
}

/// The directory that sql_files is given: a database, a file with the name of one, and something else.
pub fn data_folder() -> Folder {
    let folder = Folder::new("data");
    let shop = committed().join("sql_guardian/assets/shop.sqlite");
    std::fs::copy(shop, folder.path().join("shop.sqlite")).unwrap();
    std::fs::write(folder.path().join("broken.sqlite"), "This is not a database. ".repeat(50))
        .unwrap();
    std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
    folder
}

/// Grants all tools what their manifests ask for.
pub fn policy(data: &Folder) -> PermissionPolicy {
    PermissionPolicy::new()
        .auto_approve_low(true)
        .trust_package("org.example.sql-files")
        .trust_package("org.example.fetch-page")
        .map_directory("/data", data.path())
}

/// Runs a tool on a request, with nothing but what its manifest asks for. What it keeps is in `kept`.
fn run(
    attestation: &AttestationResult,
    request: ToolInput,
    data: &Folder,
    kept: &Folder,
    web: &Arc<Web>,
) -> Result<Execution, Error> {
    let token = match policy(data).evaluate(&attestation.manifest) {
        PolicyDecision::Granted(token) => token,
        PolicyDecision::RequiresConfirmation { .. } => {
            policy(data).confirm(&attestation.manifest, "test")?
        }
        PolicyDecision::Denied { reason } => panic!("{reason}"),
    };
    let token = token.resolve_from(&FileSecretStore::new(kept.path()))?;
    let (binary, cancel) = (&attestation.wasm_binary, CancelFlag::default());
    let storage = Some(Arc::new(FileStorage::new(kept.path())) as Arc<dyn StorageBackend>);
    let services = Services { http: Some(web.clone()), storage };
    let sandbox = WasmSandbox::new()?.with_services(services);
    let run = sandbox.run(binary, &token, request, &cancel);
    // A program of the protocol `command` may end with any status.
    if run.exit_status.is_none() || attestation.manifest.runtime.protocol != Protocol::Command {
        run.outcome.clone()?;
    }
    let answered = run.tool_result(attestation.manifest.runtime.protocol, None);
    if answered.is_ok_and(|answer| !answer.is_error) {
        run.changes.clone().apply()?;
    }
    Ok(run)
}

/// All pages of all cases, by their addresses.
struct Web(BTreeMap<String, Value>);

impl Web {
    fn of(cases: &[Value]) -> Self {
        let pages = cases.iter().filter_map(|case| case["web"].as_object()).flatten();
        Web(pages.map(|(url, page)| (url.clone(), page.clone())).collect())
    }
}

impl HttpTransport for Web {
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
        assert_eq!((exchange.is_https, exchange.port, exchange.method), (true, 443, "GET"));
        let url = format!("https://{}{}", exchange.host, exchange.target);
        let unreachable = || TransportError::Unreachable("no such site".to_owned());
        let page = self.0.get(&url).ok_or_else(unreachable)?;
        let pairs: Vec<(String, String)> = serde_json::from_value(page["headers"].clone()).unwrap();
        let body = match page["body"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => unbase64(page["body_base64"].as_str().unwrap()),
        };
        let status = page["status"].as_u64().unwrap() as u16;
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        Ok(HttpResponse { status, headers: pairs.into_iter().map(lower).collect(), body })
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let bytes = mpp::encoding::unbase64_vec(text);
    bytes.unwrap()
}

fn cases() -> Vec<Value> {
    let text = std::fs::read(committed().join("expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// What a case puts into a guest; arguments go to a JSON-RPC tool whether or not they fit its schema.
fn request(case: &Value, attestation: &AttestationResult) -> Result<ToolInput, Error> {
    let manifest = &attestation.manifest;
    let params = &case["params"];
    if manifest.runtime.protocol == Protocol::Command {
        let tool = manifest.tools.iter().find(|tool| params["name"] == *tool.name).unwrap();
        return ToolInput::new(Protocol::Command, tool, &params["arguments"], None);
    }
    let stdin = match &case["request"] {
        Value::String(request) => request.clone(),
        _ => json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
            .to_string(),
    };
    Ok(ToolInput { args: Vec::new(), stdin: stdin.into_bytes() })
}

/// Says in what an answer differs from what the case expects.
fn difference(case: &Value, run: &Execution, protocol: Protocol) -> Option<String> {
    if let Some(code) = case.get("errorCode") {
        let answer: Value = serde_json::from_slice(&run.stdout).unwrap_or_default();
        return (answer["error"]["code"] != *code).then(|| format!("not {code}: {answer}"));
    }
    let result = match run.tool_result(protocol, None) {
        Ok(result) => result,
        Err(error) => return Some(error.to_string()),
    };
    if Some(result.is_error) != case["isError"].as_bool() {
        return Some(format!("isError is {}: {result:?}", result.is_error));
    }
    if protocol != Protocol::Command {
        // What the runtime makes of it is the expected text.
        let answer: Value = serde_json::from_slice(&run.stdout).unwrap();
        if answer["result"]["content"] != result.content || answer["id"] != 1 {
            return Some(format!("read otherwise: {answer}"));
        }
        if result.is_error && result.structured_content.is_some() {
            return Some(format!("a failure with structured content: {answer}"));
        }
    }
    let structured = result.structured_content.unwrap_or_default();
    if case.get("structuredContent").is_some_and(|expected| *expected != structured) {
        return Some(format!("expected {}, found {structured}", case["structuredContent"]));
    }
    let text = result.content[0]["text"].as_str().unwrap_or_default();
    if case.get("text").is_some_and(|expected| expected != text) {
        return Some(format!("expected {}, found {text:?}", case["text"]));
    }
    if case["textContains"].as_str().is_some_and(|expected| !text.contains(expected)) {
        return Some(format!("no {} in {text:?}", case["textContains"]));
    }
    None
}

fn replay(tools: &Path, names: &[&str]) {
    let (cases, data, kept) = (cases(), data_folder(), Folder::new("kept"));
    let web = Arc::new(Web::of(&cases));
    let known: BTreeSet<_> = NAMES.into_iter().chain(LARGE).collect();
    let named: BTreeSet<_> = cases.iter().map(|case| case["package"].as_str().unwrap()).collect();
    assert_eq!(named, known);
    let mut wrong = Vec::new();
    for name in names {
        let attestation = attested(&tools.join(name));
        for case in cases.iter().filter(|case| case["package"] == *name) {
            let ran = request(case, &attestation)
                .and_then(|request| run(&attestation, request, &data, &kept, &web));
            let found = match ran {
                Ok(run) => difference(case, &run, attestation.manifest.runtime.protocol),
                Err(error) => Some(error.to_string()),
            };
            wrong.extend(found.map(|found| format!("{name}, {}: {found}", case["title"])));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
}

#[test]
fn the_committed_tools_answer_what_they_have_to() {
    replay(&committed(), &NAMES);
}

#[test]
fn tools_built_anew_answer_what_they_have_to() {
    match std::env::var_os("MPP_TOOLS") {
        Some(folder) => replay(Path::new(&folder), &NAMES),
        None => eprintln!("MPP_TOOLS names no directory: no tool built from source was tested"),
    }
}

#[test]
fn programs_of_go_and_python_answer_what_they_have_to() {
    match std::env::var_os("MPP_TOOLS") {
        Some(folder) => replay(Path::new(&folder), &LARGE),
        None => eprintln!("MPP_TOOLS names no directory: Go and Python were not tested"),
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
    assert_eq!(list.lines().count(), NAMES.len() + 1, "the modules and one database");
    for name in NAMES {
        for file in read_directory(&committed().join(name)).unwrap().into_keys() {
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
    let data = data_folder();
    let runtime = host.runtime_with(policy(&data)).http_transport(Arc::new(Web::of(&cases())));
    let packages = NAMES.map(|name| (name, package(&committed().join(name))));
    let (mut answered, mut redacted) = (0, 0);
    let cases = cases();
    // The destructive tools of `notes` are not approved.
    let good =
        cases.iter().filter(|case| case["isError"] == json!(false) && case["package"] != "notes");
    for case in good.filter(|case| case["params"].is_object()).step_by(3) {
        let package = packages.iter().find(|(name, _)| case["package"] == *name);
        let params = &case["params"];
        let (Some((_, package)), Some(tool)) = (package, params["name"].as_str()) else { continue };
        match call_with(&runtime, package, tool, params["arguments"].clone(), &NoApprover) {
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
    let answer = call_with(&host.runtime(), &package, "analyze", arguments, &NoApprover).unwrap();
    assert_eq!(answer.structured_content.unwrap()["words"], 152_000);
    // Every word another one is the hard case.
    let text: String = (0..140_000).map(|n| format!("w{n:05x} ")).collect();
    let arguments = json!({ "text": text.get(..999_999).unwrap_or(&text) });
    let answer = call_with(&host.runtime(), &package, "analyze", arguments, &NoApprover).unwrap();
    assert!(answer.structured_content.unwrap()["distinct_words"].as_u64().unwrap() > 100_000);
}

#[test]
fn a_page_as_large_as_the_door_lets_in_is_read_within_fuel_and_memory() {
    let host = Host::new("large-page");
    let item =
        "<li class='item' id=x><a href='../p?q=1&amp;n=NUMBER'>Item &eacute; NUMBER</a>, text";
    let mut page: String = (0..45_000).map(|n| item.replace("NUMBER", &n.to_string())).collect();
    // Attributes without end, in a tag without one.
    page.truncate(3_500_000);
    page.push_str("<p");
    page.push_str(&" a=b".repeat(100_000));
    assert!(page.len() > mpp::limits::HTTP_RESPONSE_BYTES_MAX * 9 / 10);
    let url = "https://example.com/large";
    let web =
        json!({ url: { "status": 200, "headers": [["content-type", "text/html"]], "body": page } });
    let web = Arc::new(Web::of(&[json!({ "web": web })]));
    let runtime = host.runtime_with(policy(&data_folder())).http_transport(web);
    let package = package(&committed().join("fetch_page"));
    let arguments = json!({ "url": url, "text_length": 1_000_000 });
    let answer = call_with(&runtime, &package, "fetch_page", arguments, &NoApprover).unwrap();
    let found = answer.structured_content.unwrap();
    assert!(found["links_count"].as_u64().unwrap() > 30_000, "{}", answer.content);
    assert_eq!(found["links"].as_array().unwrap().len(), 1_000);
}

#[test]
fn an_endless_query_ends_and_the_next_one_is_answered() {
    let host = Host::new("endless");
    // With less fuel than the manifest asks for, so that a slow machine need not wait.
    let ceilings = json!({ "fuel": 200_000_000 });
    let policy = support::policy(json!({ "auto_approve_low": true, "ceilings": ceilings }));
    let runtime = host.runtime_with(policy);
    let package = package(&committed().join("sql_guardian"));
    let query =
        |sql: &str| call_with(&runtime, &package, "query", json!({ "sql": sql }), &NoApprover);
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let error = query(endless).unwrap_err();
    assert!(matches!(error.code(), Code::ToolFuel | Code::ToolTimeout), "{error}");
    assert_eq!(query("SELECT 1 AS one").unwrap().structured_content.unwrap()["rows"], json!([[1]]));
    let results: Vec<Value> =
        host.records_of("outcome").iter().map(|record| record["result"].clone()).collect();
    assert_eq!(results, [json!(error.code().as_str()), json!("ok")]);
}

/// A call of the tool `run` whose manifest requests this much memory and fuel.
fn answer_of(host: &Host, module: Vec<u8>, args: Value, assets: &[(&str, &str)]) -> Value {
    let mut manifest = support::manifest("org.example.large");
    manifest["runtime"]["args"] = args;
    manifest["runtime"]["memory_limit_mb"] = json!(128);
    manifest["runtime"]["timeout_ms"] = json!(60_000);
    manifest["runtime"]["fuel"] = json!(50_000_000_000_u64);
    let mut contents = support::contents_with(&manifest, support::SILENT_GUEST);
    contents.insert("tool.wasm".to_owned(), module);
    for (name, text) in assets {
        contents.insert(format!("assets/{name}"), text.as_bytes().to_vec());
    }
    let package = pack(contents, &support::author(), support::now(), Compression::Stored).unwrap();
    let answer = call_with(&host.runtime(), &package, "run", json!({}), &NoApprover).unwrap();
    answer.content[0]["text"].clone()
}

/// CPython's counts, without CPython: 11,448 functions, 24,171 data segments, 26 MB, and deep recursion.
#[test]
fn a_module_with_as_much_in_it_as_cpython_runs_under_the_default_limits() {
    let response = support::response("done");
    let (length, escaped) = (response.len(), response.replace('"', "\\\""));
    let functions =
        "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))".repeat(11_446);
    let segment = format!("(data (i32.const 4096) \"{}\")", "x".repeat(1_000));
    let guest = format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 160)
  (func $down (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0))))
  (func (export "_start")
    (if (i32.ne (call $down (i32.const 20000)) (i32.const 20000)) (then unreachable))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const {length}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  {functions}
  (data (i32.const 16) "{escaped}")
  {segments})"#,
        segments = segment.repeat(24_170)
    );
    let module = wat::parse_str(guest).unwrap();
    assert!(module.len() > 24_000_000);
    assert_eq!(answer_of(&Host::new("large"), module, json!([]), &[]), "done");
}

/// The engine's own limits on calls stop CPython at 60 of them; CPython itself stops at about 100.
#[test]
fn python_parses_eighty_nested_parentheses_under_the_default_limits() {
    let Some(folder) = std::env::var_os("MPP_TOOLS") else {
        return eprintln!("MPP_TOOLS names no directory: Python was not tested");
    };
    let module = std::fs::read(Path::new(&folder).join("csv_statistics/tool.wasm")).unwrap();
    let script = r#"
import json, sys
value = eval("(" * 80 + "7" + ")" * 80)
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)
print(json.dumps({"jsonrpc": "2.0", "id": 1, "result": f"{value} {depth(900)} {sys.version_info[:2]}"}))
"#;
    let args = json!(["-I", "/assets/deep.py"]);
    let answer = answer_of(&Host::new("python"), module, args, &[("deep.py", script)]);
    assert_eq!(answer, "7 900 (3, 12)");
}
