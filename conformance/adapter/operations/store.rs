//! Installed packages: installing, replacing, removing and calling them.

use super::call::{policy, tool_call, Scripted};
use super::home::Home;
use super::{content as content_of, Case};
use mpp::runtime::Runtime;
use mpp::store::PackageStore;
use mpp::trust::{FILE_NAME, SEEN_FILE_NAME};
use mpp::{CancelFlag, Error, Gatekeeper, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::fs;

/// Installs the packages of the case in their order, under the trust store that the member names, else `trust`.
pub fn install(case: &Case<'_>, home: &Home, trust: &str) -> Result<(), Error> {
    let trust = if case.input.get(trust).is_some() { trust } else { "trust" };
    home.write(FILE_NAME, case.file(trust));
    let steps = case.input.get("packages").and_then(Value::as_array);
    for package in steps.into_iter().flatten() {
        let path = package.as_str().expect("a path");
        let package = fs::read(case.vectors.join(path)).expect("a package");
        // The prefix of the case is that of the last.
        let is_last = steps.is_some_and(|all| all.last().is_some_and(|last| last == path));
        let prefix = case.optional_text("prefix").filter(|_| is_last);
        install_one(home, &package, false, prefix)?;
    }
    Ok(())
}

/// What `mpp install FILE --yes` does: the seven checks, the version, the index; with `--downgrade`, the recorded
/// version does not count and is lowered.
fn install_one(
    home: &Home,
    package: &[u8],
    is_downgrade: bool,
    prefix: Option<&str>,
) -> Result<(), Error> {
    let (trust, seen) = (home.0.join(FILE_NAME), home.0.join(SEEN_FILE_NAME));
    let trust = match is_downgrade {
        true => TrustStore::load(&trust)?,
        false => TrustStore::load_with_versions(&trust, &seen)?,
    };
    let attestation = Gatekeeper::new(trust, Timestamp::now()).verify(package)?;
    let (id, version) = (&attestation.manifest.id, &attestation.manifest.version);
    if is_downgrade {
        TrustStore::update(&seen, |seen| seen.reset_version(id, version))?;
    }
    PackageStore::new(&home.0).install_with_prefix(package, &attestation, prefix)?;
    TrustStore::update(&seen, |seen| seen.record_version(id, version))
}

pub fn store(case: &Case<'_>) -> Result<Value, Error> {
    let home = Home::new();
    for (name, content) in case.input.get("files").and_then(Value::as_object).into_iter().flatten()
    {
        home.write(name, content_of(content));
    }
    install(case, &home, "trust")?;
    let store = PackageStore::new(&home.0);
    let called = case.optional_text("call").map(|id| store.find(id)).transpose()?;
    if let Some(id) = case.optional_text("remove") {
        store.remove(id)?;
    }
    if case.input.get("replaced_by").is_some() {
        let is_downgrade = case.input.get("downgrade") == Some(&json!(true));
        install_one(&home, &case.file("replaced_by"), is_downgrade, None)?;
    }
    if let (Some(found), Some(_)) = (&called, case.input.get("overwritten_by")) {
        let hex = found.content_hash.as_str().trim_start_matches("sha256:").to_owned();
        home.write(&format!("packages/{hex}.mpp"), case.file("overwritten_by"));
    }
    if let Some(found) = called {
        let person = Scripted(case.optional_text("person").unwrap_or("nobody"));
        let runtime = Runtime::open(&home.0, policy(case)?)?;
        let (call, cancel) = (tool_call(case), CancelFlag::default());
        let answer =
            runtime.call_installed(&store, &found.content_hash, &call, &person, &cancel)?;
        return Ok(json!({ "content": answer.content, "is_error": answer.is_error }));
    }
    let installed = store.installed()?;
    let shown = installed.iter().map(|found| {
        let mut shown = json!({
            "id": found.id, "version": found.version.to_string(),
            "content_hash": found.content_hash.as_str(), "tools": found.tools,
        });
        if let Some(prefix) = &found.prefix {
            shown["prefix"] = json!(prefix);
        }
        shown
    });
    Ok(json!({ "installed": shown.collect::<Vec<_>>() }))
}
