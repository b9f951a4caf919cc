//! The conformance vectors: each case is run, the suite is checked against its generator, and every reason code
//! has a case. `trace.rs` asks the same of every normative sentence.

#[allow(dead_code)] // the adapter uses all of it
#[path = "../adapter/operations/mod.rs"]
pub mod operations;
#[path = "../generate/suite/mod.rs"]
pub mod suite;

use mpp::{Code, Error};
use operations::Outcome;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

/// Everything that the generator makes, once for all tests.
fn generated() -> &'static BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(suite::files)
}

/// Every committed file of the generator's directories, by its path below `conformance/`.
fn committed() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders: Vec<PathBuf> =
        suite::DIRECTORIES.iter().map(|name| folder().join(name)).collect();
    while let Some(next) = folders.pop() {
        for item in fs::read_dir(&next).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
                files.insert(name.replace('\\', "/"), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// One case, read from its file as any other implementation would.
pub struct Case {
    pub id: String,
    pub value: Value,
}

impl Case {
    fn text(&self, pointer: &str) -> &str {
        let found = self.value.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("{}: no text at {pointer}", self.id))
    }

    pub fn list(&self, pointer: &str) -> Vec<&str> {
        let items = self.value.pointer(pointer).and_then(Value::as_array);
        items.map(|items| items.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }

    /// The codes of calls that a scripted host refuses or ends.
    fn call_codes(&self) -> Vec<String> {
        let calls = self.value.pointer("/expect/answer/calls").and_then(Value::as_array);
        let codes = calls.into_iter().flatten().filter_map(|call| call["code"].as_str());
        codes.map(str::to_owned).collect()
    }

    /// Whether something is refused: the input, a call, a message, or a response.
    fn shows_a_refusal(&self) -> bool {
        let answer = &self.value["expect"]["answer"];
        let any = |member: &str, is_refusal: &dyn Fn(&Value) -> bool| {
            answer[member].as_array().is_some_and(|list| list.iter().any(is_refusal))
        };
        let calls = answer["calls"].as_array().into_iter().flatten();
        let host_calls = calls.filter_map(|it| it["structured_content"]["calls"].as_array());
        let fails = |it: &Value| it.is_string() || it.as_i64().is_some_and(|errno| errno != 0);
        match self.text("/op") {
            "decide" if self.text("/expect/verdict") == "accept" => {
                let decision = answer.get("decision").is_some_and(|it| it != "granted");
                decision || answer["expired"] == true
            }
            "call" => !self.call_codes().is_empty() || host_calls.flatten().any(fails),
            "exchange" => answer.get("error").is_some(),
            "record" if !answer.is_null() => {
                any("records", &|it| it["kind"] != "intent" && it["result"] != "ok")
            }
            "mcp" if !answer.is_null() => any("messages", &|it| {
                it.get("/error/code").is_some()
                    || it["/result/isError"] == true
                    || it["/result/resultType"] == "input_required"
            }),
            _ => self.text("/expect/verdict") == "refuse",
        }
    }

    fn file(&self, pointer: &str) -> Vec<u8> {
        fs::read(folder().join("vectors").join(self.text(pointer))).unwrap()
    }

    /// The file of a case that is about a file of the host.
    pub fn host_file(&self) -> Vec<u8> {
        self.bytes("/input/file")
    }

    pub fn package(&self) -> Vec<u8> {
        self.bytes("/input/package")
    }

    /// A file, or parts that are repeated.
    fn bytes(&self, pointer: &str) -> Vec<u8> {
        let Some(parts) = self.value.pointer(pointer).and_then(Value::as_array) else {
            return self.file(pointer);
        };
        let parts = parts.iter().map(|part| {
            let bytes = suite::crypto::unhex(part["hex"].as_str().unwrap());
            bytes.repeat(part["times"].as_u64().unwrap_or(1).try_into().unwrap())
        });
        parts.collect::<Vec<_>>().concat()
    }
}

/// All committed cases, by id.
pub fn cases() -> Vec<Case> {
    let vectors = folder().join("vectors");
    let mut cases = Vec::new();
    for (name, content) in committed() {
        let Some(id) = name.strip_prefix("vectors/").and_then(|name| name.strip_suffix(".json"))
        else {
            continue;
        };
        if id == "suite" || id.starts_with("stores/") {
            continue;
        }
        let value: Value = serde_json::from_slice(&content).unwrap();
        assert_eq!(value["id"], id, "{}", vectors.display());
        cases.push(Case { id: id.to_owned(), value });
    }
    cases
}

/// What this implementation says.
fn outcome(case: &Case) -> Outcome {
    let vectors = folder().join("vectors");
    let given =
        operations::Case { vectors: &vectors, op: case.text("/op"), input: &case.value["input"] };
    let outcome = given.run().unwrap_or_else(|| panic!("{}: the operation is unknown", case.id));
    if given.op == "verify" {
        assert_eq!(mpp::encoding::sha256_hex(&case.package()), case.text("/input/sha256"));
        inspection_agrees(case, &given, &outcome);
    }
    if let (Ok(Some(answer)), "filter") = (&outcome, given.op) {
        let report = answer["applied"].as_object().unwrap();
        let nothing = report.keys().all(|member| member == "kept");
        assert_eq!(nothing, answer["value"] == given.input["value"], "{}", case.id);
    }
    outcome
}

/// `inspect` gives the same result as `verify`, except for trust: it passes if only trust is missing.
fn inspection_agrees(case: &Case, given: &operations::Case<'_>, verified: &Outcome) {
    let inspected = operations::files::inspect(given);
    let trust_only = |code: Code| {
        code.as_str().starts_with("publisher.")
            || [Code::ManifestNamespace, Code::ManifestApproval, Code::ManifestDowngrade]
                .contains(&code)
    };
    match verified {
        Ok(_) => assert!(inspected.is_ok(), "{}", case.id),
        Err(error) if trust_only(error.code()) => {
            let later = ["manifest.", "module."];
            let passed = inspected.map_or_else(
                |error| later.iter().any(|stage| error.code().as_str().starts_with(stage)),
                |_| true,
            );
            assert!(passed, "{}: inspection stops before trust is asked for", case.id);
        }
        Err(error) => assert_eq!(inspected.unwrap_err().code(), error.code(), "{}", case.id),
    }
}

/// What is wrong with this implementation's result of a case.
fn faults_of(case: &Case) -> Vec<String> {
    let mut faults = Vec::new();
    let found = outcome(case);
    if let (Ok(Some(answer)), Some(expected)) = (&found, case.value.pointer("/expect/answer")) {
        for (member, value) in expected.as_object().unwrap() {
            let found = answer.get(member).unwrap_or(&Value::Null);
            if found != value {
                faults.push(format!("{}: {member} is {found}, expected {value}", case.id));
            }
        }
    }
    let code = found.as_ref().err().map(|error| error.code().as_str());
    let codes = case.list("/expect/codes");
    let check = case.value.pointer("/expect/check").and_then(Value::as_u64);
    let right = match case.text("/expect/verdict") {
        "accept" => code.is_none(),
        // The other codes of a case are for implementations that look in another order.
        "refuse" => code.is_some() && code == codes.first().copied(),
        "either" => code.is_none_or(|code| codes.contains(&code)),
        other => panic!("{}: verdict {other}", case.id),
    };
    let stage = code.map(suite::case::check).filter(|check| *check > 0).map(u64::from);
    let is_refusal = case.text("/expect/verdict") == "refuse" && case.text("/op") == "verify";
    if !right || (is_refusal && stage != check) {
        let detail = found.as_ref().err().map_or("accepted", Error::detail);
        faults.push(format!("{}: {code:?} ({detail}), expected {codes:?}", case.id));
    }
    faults
}

#[test]
fn every_case_ends_as_it_says() {
    let cases = cases();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut faults = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            faults.extend(faults_of(case));
        }
        faults
    };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(4));
    let faults: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_committed_files_are_what_the_generator_makes() {
    let (committed, generated) = (committed(), generated());
    let mut faults = Vec::new();
    for (name, content) in generated {
        match committed.get(name) {
            None => faults.push(format!("{name} is missing")),
            Some(found) if found != content => faults.push(format!("{name} is stale")),
            Some(_) => {}
        }
    }
    faults.extend(
        committed
            .keys()
            .filter(|name| !generated.contains_key(*name))
            .map(|n| format!("{n} is extra")),
    );
    faults.truncate(20);
    assert!(faults.is_empty(), "run `cargo run --example generate`:\n{}", faults.join("\n"));
}

/// Codes of the stages below that no case can show, and why.
const CODES_WITHOUT_CASE: &[(Code, &str)] = &[
    (Code::StorageQuota, "a guest meets the quota before: conformance/unit/kernel/storage.rs"),
    (
        Code::BundleMissing,
        "it takes an administrator's directory: conformance/tests/organisation.rs",
    ),
    (Code::KeyCommand, "it takes another program: conformance/tests/signers.rs"),
    (Code::ConsentNoQuestion, "commands about requests bring it about: conformance/tests/serve.rs"),
];

#[test]
fn every_reason_code_that_an_input_can_bring_about_is_shown_by_a_case() {
    let mut shown = BTreeSet::new();
    for case in cases() {
        if case.text("/expect/verdict") == "refuse" {
            shown
                .insert(case.list("/expect/codes").first().copied().unwrap_or_default().to_owned());
        }
        shown.extend(case.call_codes());
    }
    let mut faults = Vec::new();
    for code in Code::ALL {
        let text = code.as_str();
        let stage = text.split('.').next().unwrap();
        let in_scope = suite::case::check(text) > 0
            || [
                "key",
                "trust",
                "policy",
                "request",
                "tool",
                "privacy",
                "storage",
                "audit",
                "store",
                "consent",
                "usage",
                "rotation",
                "bundle",
                "organisation",
            ]
            .contains(&stage);
        let exempt = CODES_WITHOUT_CASE.iter().any(|(exempt, _)| exempt == code);
        let is_shown = shown.remove(text);
        if in_scope && is_shown == exempt {
            faults.push(format!("{text}: shown by a case, or exempt, and not both"));
        }
    }
    faults.extend(shown.into_iter().map(|code| format!("{code} is not a reason code")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// `profiles.json` is what the runner selects cases by.
#[test]
fn each_operation_and_feature_of_a_case_is_in_a_profile_and_in_the_adapter() {
    let read = |name: &str| fs::read_to_string(folder().join(name)).unwrap();
    let table: Value = serde_json::from_str(&read("profiles.json")).unwrap();
    let (readme, protocol) = (read("README.md"), read("runner/PROTOCOL.md"));
    for case in cases() {
        let op = case.text("/op");
        assert!(operations::OPERATIONS.contains(&op), "{}: {op}", case.id);
        assert!(table["operations"].get(op).is_some(), "{}: {op}", case.id);
        assert!(readme.contains(&format!("| `{op}` |")), "{}: {op}", case.id);
        for feature in case.list("/needs") {
            assert!(operations::FEATURES.contains(&feature), "{}: {feature}", case.id);
            assert!(table["features"].get(feature).is_some(), "{}: {feature}", case.id);
            assert!(protocol.contains(&format!("| `{feature}` |")), "{}: {feature}", case.id);
        }
    }
    for profile in table["profiles"].as_array().unwrap() {
        let (name, about) = (profile["name"].as_str().unwrap(), profile["about"].as_str().unwrap());
        assert!(readme.contains(&format!("| `{name}` | {about} |")), "{name}");
    }
}

#[test]
fn refused_cases_outnumber_the_others_four_to_one_and_each_says_what_it_shows() {
    let cases = cases();
    // The filter refuses little: its counterparts are the texts that it leaves unmodified.
    let (filter, others): (Vec<_>, Vec<_>) =
        cases.iter().partition(|case| case.text("/op") == "filter");
    // A level of risk is neither a refusal nor a grant.
    let is_level = |case: &Case| case.value.pointer("/expect/answer/points").is_some();
    let others: Vec<_> = others.into_iter().filter(|case| !is_level(case)).collect();
    let refused = others.iter().filter(|case| case.shows_a_refusal()).count();
    assert!(refused >= 4 * (others.len() - refused), "{refused} of {}", others.len());
    assert!(filter.iter().filter(|case| case.id.ends_with("-other")).count() >= filter.len() / 5);
    let (mut titles, mut twins) = (BTreeMap::new(), Vec::new());
    for case in &cases {
        assert!(!case.text("/title").is_empty() && case.text("/why").ends_with('.'), "{}", case.id);
        assert!(!case.list("/spec").is_empty(), "{} names no sentence", case.id);
        let stage = case.id.split('/').next().unwrap();
        if let Some(twin) = titles.insert((stage, case.text("/title")), &case.id) {
            twins.push(format!("{} has the title of {twin}", case.id));
        }
    }
    assert!(twins.is_empty(), "{}", twins.join("\n"));
    let suite = fs::read(folder().join("vectors/suite.json")).unwrap();
    let suite: Value = serde_json::from_slice(&suite).unwrap();
    assert_eq!(suite["cases"], cases.len());
}

#[test]
fn every_operation_is_described_and_has_cases() {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let cases = cases();
    for op in operations::OPERATIONS {
        assert!(readme.contains(&format!("| `{op}` | ")), "README.md does not describe {op}");
        assert!(cases.iter().any(|case| case.text("/op") == op), "{op} has no case");
    }
}

/// What is too large to be committed: as many entries as are allowed, and one more.
#[test]
fn an_archive_of_4096_entries_is_read_and_one_of_4097_is_refused() {
    use suite::zip::{Entry, Zip};
    for (count, expected) in [(4096, None), (4097, Some(Code::ArchiveEntryCount))] {
        let entries = (0..count).map(|n| Entry::stored(format!("assets/{n:05}").as_bytes(), b""));
        let bytes = Zip::of(entries.collect()).bytes();
        let found = mpp::package::archive::read(&bytes).err().map(|error| error.code());
        assert_eq!(found, expected, "{count} entries");
    }
}
