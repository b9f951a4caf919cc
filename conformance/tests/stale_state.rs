//! State that changes while a decision or a run takes time: nothing runs, changes the host or is stored on the
//! basis of a decision that is no longer valid. In this process, and through the built server.

use crate::cli::Place;
use crate::mcp::{host as host_with, session_with};
use crate::serve::{
    again, approve, begin_waiting, is_denied, number, policy, questions, records, stateless,
    text_of, yes, Served,
};
use crate::support::{self, author, call_with, code, now, Folder, Host};
use mpp::audit::AuditLog;
use mpp::consent::approvals::Approvals;
use mpp::consent::pending::PendingQueue;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver, ToolCall};
use mpp::sandbox::Changes;
use mpp::secrets::{SecretStore, SecretValue};
use mpp::store::PackageStore;
use mpp::{CancelFlag, Code, Error, Gatekeeper, PermissionPolicy, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::fs;
use std::sync::Arc;

const ID: &str = "org.example.asks";
const NOT_INSTALLED: &str = "store.not_installed";

fn manifest(version: &str) -> Value {
    let mut manifest = support::manifest(ID);
    manifest["version"] = json!(version);
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    manifest
}

/// A package that answers with its own version.
fn package(version: &str) -> Vec<u8> {
    support::package_with(&manifest(version), &support::saying(&support::response(version)))
}

/// Does something before it answers a question, and before it agrees to changes.
struct After<F: Fn()>(F, ApprovalDecision);

impl<F: Fn()> Approver for After<F> {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        (self.0)();
        self.1.clone()
    }
    fn approve_changes(&self, _: &Changes) -> bool {
        (self.0)();
        true
    }
}

fn once() -> ApprovalDecision {
    ApprovalDecision::ApprovedOnce("test:alice".to_owned())
}

fn always() -> ApprovalDecision {
    ApprovalDecision::ApprovedAlways("test:alice".to_owned())
}

fn revoke(host: &Host) {
    let id = author().public();
    TrustStore::update(&host.path("trust.json"), |store| store.revoke_key(id.id(), now(), "lost"))
        .unwrap();
}

#[test]
fn a_word_for_a_package_that_lost_its_trust_meanwhile_is_not_kept() {
    let host = Host::new("stale-kept");
    let person = After(|| revoke(&host), always());
    let result = call_with(&host.runtime(), &package("1.0.0"), "run", json!({}), &person);
    assert_eq!(code(&result), Code::PublisherKeyRevoked);
    assert_eq!(Approvals::new(&host.path("")).all().unwrap(), []);
    assert!(!host.path("seen.json").exists());
    assert_eq!(host.records_of("intent").len(), 0);
}

#[test]
fn a_package_that_counts_as_another_publishers_meanwhile_has_to_be_asked_about_again() {
    let host = Host::new("stale-renamed");
    let text = support::trust().to_json().replace("\"Author\"", "\"Other\"");
    let moved = || drop(host.write("trust.json", text.as_bytes()));
    let person = After(moved, always());
    let result = call_with(&host.runtime(), &package("1.0.0"), "run", json!({}), &person);
    assert_eq!(code(&result), Code::PolicyConfirmation);
    assert_eq!(Approvals::new(&host.path("")).all().unwrap(), []);
    assert_eq!(host.records_of("intent").len(), 0);
    let person = After(|| {}, once());
    call_with(&host.runtime(), &package("1.0.0"), "run", json!({}), &person).unwrap();
    assert_eq!(host.records_of("intent")[0]["publisher"], "Other");
}

/// Does something before it gives a secret.
struct Vault<F>(F);

impl<F: Fn() + Send + Sync> SecretStore for Vault<F> {
    fn value(&self, _: &str) -> Result<Option<SecretValue>, Error> {
        (self.0)();
        SecretValue::parse("correct-horse-battery").map(Some)
    }
}

fn with_secret() -> PermissionPolicy {
    let variable = json!({ "name": "API_KEY", "secret": "SERVICE" });
    support::policy(json!({ "trusted_packages": [ID], "environment": [variable] }))
}

#[test]
fn trust_that_ends_while_a_secret_is_looked_up_is_none() {
    let host = Arc::new(Host::new("stale-secret"));
    let theirs = Arc::clone(&host);
    let runtime =
        host.runtime_with(with_secret()).secrets(Arc::new(Vault(move || revoke(&theirs))));
    let result = support::call(&runtime, &package("1.0.0"));
    assert_eq!(code(&result), Code::PublisherKeyRevoked);
    assert_eq!(host.records_of("intent").len(), 0);
    assert!(!host.path("seen.json").exists());
}

#[test]
fn trust_that_ends_while_a_person_looks_at_changes_lets_none_of_them_happen() {
    let (host, out) = (Host::new("stale-changes"), Folder::new("stale-out"));
    let policy = crate::changes::policy(out.path());
    let person = After(|| revoke(&host), once());
    let writes = crate::changes::package("new.txt", 5, &crate::changes::End::Answers);
    let result = call_with(&host.runtime_with(policy), &writes, "run", json!({}), &person);
    assert_eq!(code(&result), Code::PublisherKeyRevoked);
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
    let outcome = &host.records_of("outcome")[0];
    assert_eq!(outcome["result"], "publisher.key_revoked");
    assert_eq!(outcome["changes"], json!({}));
}

fn install(host: &Host, package: &[u8]) -> mpp::AttestationResult {
    let attestation = Gatekeeper::new(support::trust(), now()).verify(package).unwrap();
    PackageStore::new(&host.path("")).install(package, &attestation).unwrap();
    attestation
}

#[test]
fn an_installed_package_that_was_removed_or_replaced_meanwhile_does_not_run() {
    let store = |host: &Host| PackageStore::new(&host.path(""));
    let harms: [(&str, &dyn Fn(&Host), Code); 6] = [
        ("removed", &|host| store(host).remove(ID).unwrap(), Code::StoreNotInstalled),
        ("updated", &|host| drop(install(host, &package("1.0.1"))), Code::StoreNotInstalled),
        ("lowered", &|host| drop(install(host, &package("0.9.0"))), Code::StoreNotInstalled),
        (
            "index forgotten",
            &|host| fs::remove_file(host.path("installed.json")).unwrap(),
            Code::StoreNotInstalled,
        ),
        ("index damaged", &|host| drop(host.write("installed.json", b"{")), Code::StoreInvalid),
        (
            "files removed",
            &|host| fs::remove_dir_all(host.path("packages")).unwrap(),
            Code::HostFile,
        ),
    ];
    for (what, harm, expected) in harms {
        // The second time the package is known to the runtime.
        for calls_before in [0, 1] {
            let host = Host::new("stale-installed");
            let hash = install(&host, &package("1.0.0")).content_hash;
            let runtime = host.runtime();
            let call = ToolCall::new("run", json!({}));
            let ask = |person: &dyn Approver| {
                let (store, cancel) = (store(&host), CancelFlag::default());
                runtime.call_installed(&store, &hash, &call, person, &cancel)
            };
            for _ in 0..calls_before {
                ask(&After(|| {}, once())).unwrap();
            }
            let result = ask(&After(|| harm(&host), always()));
            assert_eq!(code(&result), expected, "{what}");
            assert_eq!(Approvals::new(&host.path("")).all().unwrap(), [], "{what}");
            assert_eq!(host.records_of("intent").len(), calls_before, "{what}");
            let refused = &host.records_of("refused")[0];
            assert_eq!((&refused["package"], &refused["version"]), (&json!(ID), &json!("1.0.0")));
            // No approval is requested for a package that is missing.
            let asked = || panic!("approval was requested");
            assert_eq!(code(&ask(&After(asked, once()))), expected, "{what}");
        }
    }
    // The same contents again are the package that was asked about.
    let host = Host::new("stale-again");
    let hash = install(&host, &package("1.0.0")).content_hash;
    let person = After(
        || {
            store(&host).remove(ID).unwrap();
            install(&host, &package("1.0.0"));
        },
        once(),
    );
    let (call, cancel) = (ToolCall::new("run", json!({})), CancelFlag::default());
    host.runtime().call_installed(&store(&host), &hash, &call, &person, &cancel).unwrap();
}

#[test]
fn a_server_in_this_process_runs_no_package_that_went_while_its_question_waited() {
    let host = host_with("stale-server", &[package("1.0.0")]);
    let policy = support::policy(json!({ "consent": { "wait_s": 60 } }));
    session_with(&host, policy, |client| {
        client.initialize("2025-11-25");
        let id = client.start("tools/call", json!({ "name": "run" }));
        let pending = PendingQueue::new(&host.path("."));
        let number = loop {
            match pending.all(Timestamp::now()).unwrap().first() {
                Some(question) => break question.number,
                None => std::thread::yield_now(),
            }
        };
        PackageStore::new(&host.path(".")).remove(ID).unwrap();
        say_yes(&host.path("."), number);
        let answer = client.next();
        assert_eq!(answer["id"], id);
        is_denied(&text_of(&answer["result"]), NOT_INSTALLED);
    });
    assert_eq!(host.records_of("intent").len(), 0);
    assert_eq!(Approvals::new(&host.path("")).all().unwrap(), []);
}

/// An approval for later calls too, given right before the package was removed.
fn say_yes(home: &std::path::Path, number: u64) {
    let log = AuditLog::open(&home.join("audit")).unwrap();
    let digest = |arguments: &Value| log.key().digest(arguments).as_str().to_owned();
    PendingQueue::new(home).approve(number, "terminal", true, digest, Timestamp::now()).unwrap();
}

/// Ways in which an installed package goes, by name, in a place where `old` and `new` are packages of the
/// same id as the one that is installed, and `same` is another of its version.
const HARMS: [&[&str]; 4] = [
    &["remove", ID],
    &["install", "new.mpp", "--yes"],
    &["install", "old.mpp", "--yes", "--downgrade"],
    &["install", "same.mpp", "--yes"],
];

fn place(name: &str, consent: Value) -> Place {
    let place = Place::new(name);
    for (file, version) in [("old", "0.9.0"), ("new", "1.0.1"), ("same", "1.0.0")] {
        let guest = support::saying(&support::response(file));
        place.package(&format!("{file}.mpp"), &tools(version), &guest);
    }
    place.package("it.mpp", &tools("1.0.0"), &support::saying(&support::response("ran")));
    policy(&place, &json!({ "consent": consent }));
    place
}

/// With tools of which the second is destructive.
fn tools(version: &str) -> Value {
    let mut manifest = manifest(version);
    let mut wipe = manifest["tools"][0].clone();
    wipe["name"] = json!("wipe");
    wipe["sensitivity"] = json!("destructive");
    manifest["tools"].as_array_mut().unwrap().push(wipe);
    manifest
}

fn install_it(place: &Place) {
    place.mpp(&["install", "it.mpp", "--yes", "--downgrade"]).exits(0);
}

#[test]
fn a_package_that_goes_while_its_question_waits_is_neither_approved_nor_run() {
    let place = place("stale-goes", json!({}));
    for harm in HARMS {
        for tool in ["run", "wipe"] {
            install_it(&place);
            let mut served = Served::start(&place);
            let (id, question) = begin_waiting(&place, &mut served, tool);
            place.mpp(harm).exits(0);
            approve(&place, &question).exits(1).says(&[NOT_INSTALLED, "request"]);
            // The request keeps waiting, and an earlier approval does not apply.
            assert_eq!(questions(&place, 1)[0]["number"], question["number"]);
            say_yes(&place.path("home"), question["number"].as_u64().unwrap());
            is_denied(&served.finish(&id), NOT_INSTALLED);
            assert!(!place.path("home/approvals.json").exists(), "{harm:?}");
            served.end();
        }
    }
    assert_eq!(records(&place, "intent").len(), 0);
    let refused = records(&place, "refused");
    assert_eq!(refused.len(), 2 * HARMS.len());
    assert!(refused
        .iter()
        .all(|record| record["code"] == NOT_INSTALLED && record["package"] == ID));
    place.mpp(&["audit", "verify"]).exits(0);
}

#[test]
fn a_question_about_what_went_can_be_denied_or_approved_once_it_is_there_again() {
    let place = place("stale-back", json!({}));
    install_it(&place);
    let mut served = Served::start(&place);
    for back in [false, true] {
        let (id, question) = begin_waiting(&place, &mut served, "run");
        place.mpp(&["remove", ID]).exits(0);
        approve(&place, &question).exits(1).says(&[NOT_INSTALLED]);
        if back {
            install_it(&place);
            approve(&place, &question).exits(0);
            assert_eq!(served.finish(&id), "ran");
        } else {
            place.mpp(&["deny", &number(&question)]).exits(0);
            is_denied(&served.finish(&id), "policy.declined");
            install_it(&place);
        }
    }
}

#[test]
fn an_answer_of_the_client_after_the_package_went_lets_nothing_run() {
    let place = place("stale-form", json!({ "elicitation": "critical" }));
    for harm in HARMS {
        install_it(&place);
        let mut served = Served::start_as(&place, "2025-11-25", json!({ "elicitation": {} }));
        let id = served.begin("run", json!({}));
        let question = served.next();
        place.mpp(harm).exits(0);
        served.answer(&question["id"], yes());
        is_denied(&served.finish(&id), NOT_INSTALLED);
        served.end();

        install_it(&place);
        let mut served = Served::silent(&place);
        let params = stateless("run", json!({}));
        let result = served.result("tools/call", params.clone());
        place.mpp(harm).exits(0);
        let result = served.result("tools/call", again(params, &result["requestState"], yes()));
        match harm[0] {
            "remove" => is_denied(&text_of(&result), NOT_INSTALLED),
            // Another package has the tool now, and is asked about.
            _ => assert_eq!(result["resultType"], "input_required", "{harm:?}: {result}"),
        }
        served.end();
    }
    assert_eq!(records(&place, "intent").len(), 0);
}

fn late() -> Value {
    let mut manifest = support::manifest("org.example.late");
    manifest["tools"][0]["name"] = json!("late");
    manifest
}

#[test]
fn a_package_that_is_removed_while_a_command_looks_a_secret_up_does_not_run() {
    let place = place("stale-command", json!({}));
    let script = format!(
        "MPP_HOME=\"$PWD/home\" {} remove {ID} >removed 2>&1; echo correct-horse-battery",
        env!("CARGO_BIN_EXE_mpp")
    );
    let members = json!({ "secrets_command": ["/bin/sh", "-c", script, "sh"],
        "trusted_packages": [ID], "environment": [{ "name": "API_KEY", "secret": "SERVICE" }] });
    policy(&place, &members);
    install_it(&place);
    place.mpp(&["run", ID, "--tool", "run", "--yes"]).exits(1).says(&[NOT_INSTALLED]);
    install_it(&place);
    let mut served = Served::start(&place);
    is_denied(&served.call_text("run"), NOT_INSTALLED);
    served.end();
    assert_eq!(records(&place, "intent").len(), 0);
    // A package file runs regardless of what is installed.
    place.mpp(&["run", "it.mpp", "--tool", "run", "--yes"]).exits(0);
}

#[test]
fn a_removed_package_whose_file_stayed_does_not_run_in_a_running_server() {
    let place = place("stale-file", json!({}));
    place.package("late.mpp", &late(), &support::saying(&support::response("late")));
    place.mpp(&["install", "late.mpp", "--yes"]).exits(0);
    policy(&place, &json!({ "auto_approve_low": true }));
    let mut served = Served::start(&place);
    assert_eq!(served.call_text("late"), "late");
    let folder = place.path("home/packages");
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    place.mpp(&["remove", "org.example.late"]).exits(0);
    for (content, path) in files {
        fs::write(path, content).unwrap();
    }
    is_denied(&served.call_text("late"), NOT_INSTALLED);
    served.end();
    place.mpp(&["run", "org.example.late", "--tool", "late"]).exits(4).says(&["host.file"]);
}
