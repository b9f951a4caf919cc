//! No tool is given the files that decide what tools may do: the home, the trust store, the policy, the
//! package in use. Each refusal is tried with a tool that would read them or write them.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use crate::changes::{writer, End};
use crate::cli::{Place, Ran};
use crate::serve::{self, Served};
use crate::support::{self, call, call_with, Folder, Host};
use mpp::audit::AuditLog;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver, Runtime};
use mpp::sandbox::Changes;
use mpp::{Code, PermissionPolicy};
use serde_json::{json, Value};
use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const ID: &str = "org.example.writer";

fn manifest(access: &str) -> Value {
    let mut manifest = support::manifest(ID);
    manifest["capabilities"] = json!({ "filesystem": { access: ["/data"] } });
    manifest
}

/// A package that writes `policy.json` in its directory.
fn package() -> Vec<u8> {
    support::package_with(&manifest("write"), &writer("policy.json", 2, &End::Answers))
}

/// A place with such a package, one that only reads, the directory `data`, and secrets in the home.
fn place(name: &str) -> Place {
    let place = Place::new(name);
    place.package("pkg/writer.mpp", &manifest("write"), &writer("policy.json", 2, &End::Answers));
    // It opens nothing, and answers: a grant alone would do.
    let reads = support::saying(&support::response("mapped"));
    place.package("pkg/reader.mpp", &manifest("read"), &reads);
    fs::create_dir_all(place.path("data/inner")).unwrap();
    fs::create_dir_all(place.path("home/audit/calls")).unwrap();
    fs::write(place.path("home/secrets.json"), "{}").unwrap();
    place
}

/// Runs both packages with this directory and these words.
fn run(place: &Place, directory: &str, words: &[&str]) -> [Ran; 2] {
    let map = format!("/data={directory}");
    ["pkg/reader.mpp", "pkg/writer.mpp"].map(|package| {
        let run = ["run", package, "--tool", "run", "--map", &map];
        place.mpp(&[&run[..], words].concat())
    })
}

#[track_caller]
fn refused(place: &Place, directory: &str, words: &[&str]) {
    for ran in run(place, directory, words) {
        let ran = ran.exits(1).says(&["sandbox.not_granted", directory, "/data"]);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn the_home_is_mapped_by_none_of_its_names_and_nothing_in_it_is_read_or_written() {
    let place = place("protected-home");
    symlink("home", place.path("link")).unwrap();
    symlink(place.path("link"), place.path("data/link")).unwrap();
    let home = place.path("home");
    for directory in [
        home.to_str().unwrap(),
        "home",
        ".",
        "/",
        "home/audit",
        "home/audit/calls",
        "data/../home/audit/..",
        "link",
        "link/audit",
        "data/link",
        "/proc/self/cwd/home",
    ] {
        refused(&place, directory, &["--yes"]);
    }
    assert!(!home.join("policy.json").exists());
    for ran in run(&place, "data/inner", &["--yes"]) {
        ran.exits(0);
    }
    place.mpp(&["audit", "verify"]).exits(0);
}

#[test]
fn the_home_is_protected_also_where_it_is_named_by_a_link_or_a_relative_path() {
    let place = place("protected-named");
    symlink(place.path("home"), place.path("data/inner/link")).unwrap();
    fs::create_dir_all(place.path("trusted")).unwrap();
    fs::copy(place.path("home/trust.json"), place.path("trusted/trust.json")).unwrap();
    for (named, directories) in [
        ("home/", &["home", "home/audit"][..]),
        ("data/../home", &["home", "home/audit"]),
        // A tool with access to the directory of the link would choose the next home.
        ("data/inner/link", &["home", "home/audit", "data", "data/inner"]),
        // Not there yet: it is made by the call.
        ("data/new/home", &["data", "data/new/../../data"]),
    ] {
        for directory in directories {
            let map = format!("/data={directory}");
            let words = ["run", "pkg/writer.mpp", "--tool", "run", "--yes", "--map", &map];
            let mut command = place.command(&words);
            command.args(["--trust", "trusted/trust.json"]).env("MPP_HOME", place.path(named));
            let ran = Ran::of(command.output().unwrap());
            ran.exits(1).says(&["sandbox.not_granted", directory, named]);
        }
    }
    assert!(!place.path("home/policy.json").exists() && !place.path("data/policy.json").exists());
}

#[test]
fn a_policy_or_trust_file_elsewhere_and_the_package_in_use_are_protected_like_the_home() {
    let place = place("protected-files");
    for folder in ["etc/mpp", "keys", "links", "ca"] {
        fs::create_dir_all(place.path(folder)).unwrap();
    }
    fs::write(place.path("etc/mpp/policy.json"), r#"{"format":"mpp-policy/1"}"#).unwrap();
    fs::copy(place.path("home/trust.json"), place.path("keys/trust.json")).unwrap();
    fs::write(place.path("ca/ca.pem"), "").unwrap();
    symlink("../etc/mpp/policy.json", place.path("links/policy.json")).unwrap();
    for (words, directories) in [
        (&["--policy", "etc/mpp/policy.json"][..], &["etc/mpp", "etc", "data/../etc"][..]),
        (&["--policy", "links/policy.json"], &["etc/mpp", "etc", "links"]),
        (&["--trust", "keys/trust.json"], &["keys"]),
        (&["--ca-file", "ca/ca.pem"], &["ca"]),
        (&[], &["pkg"]),
    ] {
        let words = [words, &["--yes"]].concat();
        for directory in directories {
            refused(&place, directory, &words);
        }
        for ran in run(&place, "data/inner", &words) {
            ran.exits(0);
        }
    }
    for folder in ["etc", "keys", "ca", "pkg"] {
        assert!(!place.path(folder).join("policy.json").exists(), "{folder}");
    }
    assert_eq!(fs::read(place.path("etc/mpp/policy.json")).unwrap().len(), 25);
}

#[test]
fn what_a_link_in_the_home_leads_to_is_protected_as_well() {
    let place = place("protected-links");
    fs::create_dir_all(place.path("dotfiles")).unwrap();
    fs::rename(place.path("home/trust.json"), place.path("dotfiles/trust.json")).unwrap();
    symlink("../dotfiles/trust.json", place.path("home/trust.json")).unwrap();
    refused(&place, "dotfiles", &["--yes"]);
    assert!(!place.path("dotfiles/policy.json").exists());
}

#[test]
fn a_person_is_not_asked_about_a_directory_that_is_refused() {
    let place = place("protected-unasked");
    // Without a terminal there is no approver.
    for ran in run(&place, "data/inner", &[]) {
        if ran.status != 0 {
            ran.says(&["policy.confirmation_required"]);
        }
    }
    let map = "/data=home";
    let words = ["run", "pkg/writer.mpp", "--tool", "run", "--map", map];
    place.mpp(&words).exits(1).says(&["sandbox.not_granted"]);
    let log = fs::read_to_string(place.path("home/audit/audit.jsonl")).unwrap();
    let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    assert_eq!((&last["kind"], &last["code"]), (&json!("refused"), &json!("sandbox.not_granted")));
}

#[test]
fn a_directory_that_the_policy_maps_is_refused_to_agents_like_any_other() {
    let place = place("protected-served");
    fs::create_dir_all(place.path("etc")).unwrap();
    place.mpp(&["install", "pkg/writer.mpp", "--yes"]).exits(0);
    for (directory, rules) in [
        ("home", json!({ "trusted_packages": [ID] })),
        ("home/packages", json!({ "trusted_packages": [ID] })),
        ("", json!({})),
    ] {
        let mut members = rules;
        members["directories"] = json!([{ "guest": "/data", "host": place.path(directory) }]);
        serve::policy(&place, &members);
        let before = fs::read(place.path("home/policy.json")).unwrap();
        let mut served = Served::start(&place);
        let text = served.call_text("run");
        assert!(text.starts_with("DENIED by MPP policy: [sandbox.not_granted] "), "{text}");
        served.end();
        assert_eq!(fs::read(place.path("home/policy.json")).unwrap(), before);
        assert_eq!(place.mpp(&["pending", "--json"]).exits(0).json(), json!([]));
    }
}

fn policy(directory: &Path) -> PermissionPolicy {
    PermissionPolicy::new().trust_package(ID).map_directory("/data", directory)
}

#[track_caller]
fn not_granted(runtime: &Runtime, directory: &Path) {
    assert_eq!(support::code(&call(runtime, &package())), Code::SandboxNotGranted);
    assert!(!directory.join("policy.json").exists());
}

#[test]
fn a_library_s_runtime_protects_its_home_its_trust_store_its_policy_and_its_command_for_secrets() {
    let (host, other) = (Host::new("protected-library"), Folder::new("protected-other"));
    let at = |path: &str| other.path().join(path);
    for folder in ["trust", "policy", "bin", "data"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    for directory in [host.path(""), host.path("audit"), std::env::temp_dir()] {
        not_granted(&host.runtime_with(policy(&directory)), &directory);
    }
    fs::write(at("trust/store.json"), support::trust().to_json()).unwrap();
    let runtime = host.runtime_with(policy(&at("trust"))).trust_file(&at("trust/store.json"));
    not_granted(&runtime, &at("trust"));

    let rules = json!({ "format": "mpp-policy/1", "trusted_packages": [ID],
        "directories": [{ "guest": "/data", "host": at("policy") }] });
    fs::write(at("policy/rules.json"), rules.to_string()).unwrap();
    let loaded = PermissionPolicy::load(&at("policy/rules.json")).unwrap();
    not_granted(&host.runtime_with(loaded), &at("policy"));

    let script = at("bin/secret.sh").to_str().unwrap().to_owned();
    for words in [vec![script.clone()], vec!["/bin/sh".to_owned(), script]] {
        let policy = support::policy(json!({ "trusted_packages": [ID], "secrets_command": words }));
        let runtime = host.runtime_with(policy.map_directory("/data", at("bin")));
        not_granted(&runtime, &at("bin"));
    }
    call(&host.runtime_with(policy(&at("data"))), &package()).unwrap();
    assert!(at("data/policy.json").exists());
}

/// Redirects a link while it reviews the changes.
struct Relinks<'a> {
    link: &'a Path,
    to: &'a Path,
    looked: Cell<bool>,
}

impl Approver for Relinks<'_> {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        ApprovalDecision::NoApprover
    }

    fn approve_changes(&self, _: &Changes) -> bool {
        fs::remove_file(self.link).unwrap();
        symlink(self.to, self.link).unwrap();
        self.looked.set(true);
        true
    }
}

#[test]
fn nothing_is_carried_out_in_a_directory_that_came_to_hold_a_place_during_the_call() {
    let (host, other) = (Host::new("protected-later"), Folder::new("protected-later-data"));
    let (data, links) = (other.path().join("data"), other.path().join("links"));
    for folder in [&data, &links] {
        fs::create_dir_all(folder).unwrap();
    }
    let link = links.join("trust.json");
    symlink(host.path("trust.json"), &link).unwrap();
    let runtime = host.runtime_with(policy(&data)).trust_file(&link);
    // The same trust store, so that nothing else has changed.
    let to = data.join("trust.json");
    fs::write(&to, support::trust().to_json()).unwrap();
    let person = Relinks { link: &link, to: &to, looked: Cell::new(false) };
    let result = call_with(&runtime, &package(), "run", json!({}), &person);
    assert!(person.looked.get());
    assert_eq!(support::code(&result), Code::HostCommit);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 1);
    assert_eq!(host.records_of("outcome")[0]["changes"], json!({}));
    // From now on it is refused before anything runs.
    not_granted(&runtime, &data);
}

#[test]
fn changes_reach_the_directory_that_was_mapped_whatever_its_path_has_become() {
    let (host, other) = (Host::new("protected-swapped"), Folder::new("protected-swapped-data"));
    let (data, mapped) = (other.path().join("data"), other.path().join("mapped"));
    fs::create_dir_all(&data).unwrap();
    symlink(&data, &mapped).unwrap();
    let home = host.path("");
    let person = Relinks { link: &mapped, to: &home, looked: Cell::new(false) };
    let runtime = host.runtime_with(policy(&mapped));
    call_with(&runtime, &package(), "run", json!({}), &person).unwrap();
    assert!(data.join("policy.json").exists() && !host.path("policy.json").exists());
    not_granted(&runtime, &home);
    AuditLog::open(&host.path("audit")).unwrap();
}

#[test]
fn the_home_mounted_elsewhere_is_refused_and_met_by_no_guest() {
    let place = place("protected-mounted");
    fs::create_dir_all(place.path("seen")).unwrap();
    // In a mount table of its own: all of the home, and a part of it.
    let script = r#"
        mount --bind home data/inner && mount --bind home/audit seen || exit 99
        for directory in data/inner data/inner/audit seen seen/calls; do
            "$0" run pkg/writer.mpp --tool run --yes --map /data="$directory" 2>&1
            echo "$directory $?"
        done
        "$0" run pkg/inner.mpp --tool run --yes --map /data=data 2>&1
        echo "data $?""#;
    place.package(
        "pkg/inner.mpp",
        &manifest("write"),
        &writer("inner/policy.json", 2, &End::Answers),
    );
    let ran = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_mpp")])
        .current_dir(place.path(""))
        .env("MPP_HOME", place.path("home"))
        .output();
    let Some(ran) = ran.ok().filter(|ran| ran.status.code() == Some(0)) else {
        eprintln!("no mount table of its own to be had here: not tried");
        return;
    };
    let out = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(out.matches("sandbox.not_granted").count(), 4, "{out}");
    for line in ["data/inner 1", "data/inner/audit 1", "seen 1", "seen/calls 1", "data 3"] {
        assert!(out.lines().any(|found| found == line), "no {line:?} in {out}");
    }
    // The guest could not open the file.
    assert!(out.contains("status 8"), "{out}");
    assert!(!place.path("home/policy.json").exists());
}
