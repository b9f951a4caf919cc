//! The audit log: reading one, and what a call adds to one.

use super::call::{policy, tool_call, Scripted};
use super::home::Home;
use super::{content as content_of, Case};
use mpp::audit::verify_each;
use mpp::consent::attestation::AttestationVerifier;
use mpp::package::key::PublicKey;
use mpp::runtime::Runtime;
use mpp::{CancelFlag, Error};
use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// Members of a record that differ between runs, hosts or implementations.
const VARIABLE: [&str; 6] = ["prev", "time", "hash", "fuel_used", "duration_ms", "source"];

/// Writes the log, if there is one, and the other files of its directory. Without those it is a copy elsewhere,
/// about which no other file says anything.
fn lay_out(case: &Case<'_>, home: &Home) -> PathBuf {
    let directory = case.input.get("directory").and_then(Value::as_object);
    for (name, content) in directory.into_iter().flatten() {
        home.write(&format!("audit/{name}"), content_of(content));
    }
    let name = if directory.is_some() { "audit/audit.jsonl" } else { "copy.jsonl" };
    match case.input.get("file") {
        Some(_) => home.write(name, case.bytes("file")),
        None => home.0.join(name),
    }
}

pub fn audit(case: &Case<'_>) -> Result<Value, Error> {
    let home = Home::new();
    let log = lay_out(case, &home);
    let key = case.input.get("host_key").map(|_| {
        let text = String::from_utf8(case.file("host_key")).expect("a key file of text");
        PublicKey::from_pem(&text).expect("a public key")
    });
    let mut proofs = key.map(AttestationVerifier::new);
    let report = verify_each(&log, case.optional_text("expected_head"), |record| {
        proofs.as_mut().map_or(Ok(()), |proofs| proofs.check_record(record))
    })?;
    Ok(json!({
        "records": report.records, "head": report.head, "open": report.open, "lost": report.lost,
        "refused": report.refused, "torn": report.torn,
        "proofs": proofs.map(|proofs| proofs.verified_count()),
    }))
}

pub fn record(case: &Case<'_>) -> Result<Value, Error> {
    let home = Home::new();
    home.write("trust.json", case.file("trust"));
    let log = lay_out(case, &home);
    let runtime = Runtime::open(&home.0, policy(case)?)?;
    let person = Scripted(case.optional_text("person").unwrap_or("nobody"));
    let ended =
        runtime.call(&case.package(), &tool_call(case), &person, &CancelFlag::default()).map(drop);
    // That the call is refused is what some records are about. Without a record there is nothing to show.
    let cannot_record = |error: &Error| error.code().as_str().starts_with("audit.");
    if let Err(error) = ended {
        if cannot_record(&error) {
            return Err(error);
        }
    }
    verify_each(&log, None, |_| Ok(()))?;
    Ok(json!({ "records": records(&log), "files": files(&home.0.join("audit")) }))
}

/// The records of a log without the members that vary.
fn records(log: &Path) -> Vec<Value> {
    let text = fs::read_to_string(log).expect("a log");
    let record = |line: &str| {
        let mut record: Value = serde_json::from_str(line).expect("JSON");
        for member in VARIABLE {
            record.as_object_mut().expect("an object").remove(member);
        }
        record
    };
    text.lines().map(record).collect()
}

/// The names of the files below a directory, in ascending order.
fn files(directory: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let name = entry.file_name().into_string().expect("a name of text");
        match entry.path().is_dir() {
            true => {
                names.extend(files(&entry.path()).iter().map(|below| format!("{name}/{below}")))
            }
            false => names.push(name),
        }
    }
    names.sort();
    names
}
