//! A computer that an administrator's file binds: nothing that a user can set makes a denied package run.
//!
//! Each test has a mount namespace with an `/etc` of its own.
#![cfg(target_os = "linux")]

use crate::cli::{Place, Ran};
use crate::support;
use serde_json::json;
use std::fs;

/// A place with the root of two keys, of which both sign, and a bundle that trusts `Me` for `org.example` and denies
/// `org.example.bad`, which exists as `bad.mpp`.
fn organisation(name: &str) -> Place {
    let place = Place::new(name);
    let mut manifest = support::manifest("org.example.bad");
    manifest["tools"][0]["name"] = json!("bad");
    place.package("bad.mpp", &manifest, &support::saying(&support::response("BAD RAN")));
    for key in ["one", "two", "stranger"] {
        place.mpp(&["keygen", key]).exits(0);
    }
    let root = ["bundle", "root", "Acme", "--key", "one.pub", "--key", "two.pub"];
    place.mpp(&[&root[..], &["--threshold", "2", "-o", "organisation.json"]].concat()).exits(0);
    fs::copy(place.path("home/trust.json"), place.path("trust.json")).unwrap();
    policy(&place, "policy.json", &json!({ "deny": { "packages": ["org.example.bad"] } }));
    bundle(&place, "bundle.json", 1, "2099-01-01T00:00:00Z", "policy.json");
    // The script's own checks, as a user meets the program.
    let script = "
        mpp() { \"$MPP\" \"$@\"; }
        refused() { code=$1; shift; if out=$(\"$@\" 2>&1); then echo \"ran: $* $out\"; exit 9; fi
            case $out in *\"$code\"*) ;; *) echo \"no $code: $* $out\"; exit 8;; esac; }
        mount -t tmpfs none /etc
        mkdir -m 755 /etc/mpp
        bind() { install -m 644 organisation.json /etc/mpp/; mpp bundle import bundle.json >/dev/null; }
    ";
    fs::write(place.path("functions"), script).unwrap();
    place
}

fn policy(place: &Place, name: &str, rules: &serde_json::Value) {
    let mut rules = rules.clone();
    rules["format"] = json!("mpp-policy/1");
    fs::write(place.path(name), rules.to_string()).unwrap();
}

fn bundle(place: &Place, name: &str, sequence: u64, expires: &str, policy: &str) {
    let (root, sequence) =
        (["bundle", "make", "--root", "organisation.json"], sequence.to_string());
    let options = ["--trust", "trust.json", "--policy", policy, "--sequence", &sequence];
    place.mpp(&[&root[..], &options, &["--expires", expires, "-o", name]].concat()).exits(0);
    for key in ["one.key", "two.key"] {
        place.mpp(&["bundle", "sign", name, "--key", key]).exits(0);
    }
}

/// Runs a script in a namespace where it is root, with an empty `/etc/mpp`.
fn script(place: &Place, text: &str) -> Ran {
    let text = format!(". ./functions\n{text}");
    let mut command = place.program("unshare", &["-rm", "sh", "-eu", "-c", &text]);
    Ran::of(command.env("MPP", env!("CARGO_BIN_EXE_mpp")).output().unwrap())
}

#[test]
#[ignore = "needs a mount namespace"]
fn nothing_that_a_user_can_set_makes_a_denied_package_run() {
    let place = organisation("organisation-denied");
    policy(&place, "wide.json", &json!({ "trusted_packages": ["org.example.bad"] }));
    policy(&place, "plain.json", &json!({}));
    let ran = script(
        &place,
        "mpp run bad.mpp | grep -q 'BAD RAN'   # before the file is there
         bind
         refused policy.denied mpp run bad.mpp
         refused policy.denied mpp run bad.mpp --yes
         refused policy.denied mpp run bad.mpp --policy plain.json
         refused policy.wider mpp run bad.mpp --policy wide.json
         refused policy.denied mpp run bad.mpp --trust trust.json
         mkdir other; cp home/trust.json other/
         refused policy.denied env MPP_HOME=$PWD/other \"$MPP\" run bad.mpp
         refused policy.denied env -u MPP_HOME HOME=$PWD \"$MPP\" run bad.mpp
         refused policy.denied env PROGRAMDATA=$PWD XDG_CONFIG_HOME=$PWD \"$MPP\" run bad.mpp
         cp wide.json home/policy.json
         refused policy.wider mpp run bad.mpp
         rm home/policy.json
         mpp run fine.mpp | grep -q EMAIL
         mpp doctor | grep -q 'to Acme by bundle 1'
         mpp install bad.mpp --yes >/dev/null
         refused policy.denied mpp run org.example.bad
         mpp audit verify >/dev/null",
    );
    ran.exits(0);
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_publisher_that_the_organisation_does_not_trust_is_trusted_by_no_user() {
    let place = organisation("organisation-publisher");
    let manifest = support::manifest("org.stranger.tool");
    place.folder("strange", &manifest, support::SILENT_GUEST);
    place.mpp(&["pack", "strange", "--key", "stranger.key", "-o", "strange.mpp"]).exits(0);
    let ran = script(
        &place,
        "bind
         mpp trust add stranger.pub --name Stranger --namespace org.stranger >/dev/null
         refused publisher.unknown mpp verify strange.mpp
         refused publisher.unknown mpp run strange.mpp --yes
         refused publisher.unknown mpp install strange.mpp --yes
         refused policy.denied mpp dev strange --no-build --tool run
         mpp verify fine.mpp >/dev/null
         mpp trust revoke me.pub --reason stolen >/dev/null   # a user may narrow
         refused publisher.key_revoked mpp run fine.mpp",
    );
    ran.exits(0);
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_bound_computer_without_a_bundle_that_counts_runs_nothing() {
    let place = organisation("organisation-closed");
    bundle(&place, "ended.json", 2, "2020-01-01T00:00:00Z", "policy.json");
    bundle(&place, "newer.json", 3, "2099-01-01T00:00:00Z", "policy.json");
    let ran = script(
        &place,
        "install -m 644 organisation.json /etc/mpp/
         refused bundle.missing mpp run fine.mpp
         mpp audit show --json | grep -q '\"outcome\":\"bundle.missing\"'
         refused bundle.expired mpp bundle import ended.json
         install -m 644 ended.json /etc/mpp/bundle.json
         refused bundle.expired mpp run fine.mpp
         echo '{}' > /etc/mpp/bundle.json
         refused bundle.invalid mpp run fine.mpp
         rm /etc/mpp/bundle.json
         mpp bundle import newer.json >/dev/null
         mpp run fine.mpp >/dev/null
         refused bundle.rollback mpp bundle import bundle.json
         mpp bundle import newer.json >/dev/null
         chmod o+w /etc/mpp/bundle.json
         refused organisation.invalid mpp run fine.mpp
         chmod 644 /etc/mpp/bundle.json; chmod o+w /etc/mpp
         refused organisation.invalid mpp run fine.mpp
         chmod 755 /etc/mpp; mv /etc/mpp/organisation.json . ; ln -s $PWD/organisation.json /etc/mpp/
         refused organisation.invalid mpp run fine.mpp
         rm /etc/mpp/organisation.json; echo '[]' > /etc/mpp/organisation.json
         refused organisation.invalid mpp run fine.mpp",
    );
    ran.exits(0);
}

#[test]
#[ignore = "needs a mount namespace"]
fn an_import_is_readable_by_all_and_one_that_is_refused_changes_nothing() {
    let place = organisation("organisation-import");
    let one = ["bundle", "make", "--root", "organisation.json", "--trust", "trust.json"];
    let rest = ["--sequence", "5", "--expires", "2099-01-01T00:00:00Z", "-o", "half.json"];
    place.mpp(&[&one[..], &rest].concat()).exits(0);
    place.mpp(&["bundle", "sign", "half.json", "--key", "one.key"]).exits(0);
    place.mpp(&["bundle", "sign", "half.json", "--key", "stranger.key"]).exits(0);
    let ran = script(
        &place,
        "refused organisation.invalid mpp bundle import bundle.json
         test -z \"$(ls /etc/mpp)\"
         bind
         test \"$(stat -c %a /etc/mpp/bundle.json)\" = 644
         test \"$(stat -c %a /etc/mpp)\" = 755
         before=$(cat /etc/mpp/bundle.json)
         refused bundle.signatures mpp bundle import half.json
         test \"$before\" = \"$(cat /etc/mpp/bundle.json)\"
         for n in 1 2 3 4; do mpp bundle import bundle.json >/dev/null & done; wait
         mpp run fine.mpp >/dev/null",
    );
    ran.exits(0);
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_new_root_takes_over_and_the_old_one_counts_no_more() {
    let place = organisation("organisation-root");
    let root = ["bundle", "root", "Acme", "--key", "stranger.pub", "-o", "next.json"];
    place.mpp(&root).exits(0);
    let make = |root: &str, sequence: &str, name: &str, more: &[&str]| {
        let first =
            ["bundle", "make", "--root", root, "--trust", "trust.json", "--sequence", sequence];
        let rest = ["--expires", "2099-01-01T00:00:00Z", "-o", name];
        place.mpp(&[&first[..], &rest, more].concat()).exits(0);
    };
    make("organisation.json", "2", "change.json", &["--new-root", "next.json"]);
    for key in ["one.key", "two.key"] {
        place.mpp(&["bundle", "sign", "change.json", "--key", key]).exits(0);
    }
    fs::copy(place.path("change.json"), place.path("alone.json")).unwrap();
    place.mpp(&["bundle", "sign", "change.json", "--key", "stranger.key"]).exits(0);
    bundle(&place, "old.json", 3, "2099-01-01T00:00:00Z", "policy.json");
    make("next.json", "4", "new.json", &[]);
    place.mpp(&["bundle", "sign", "new.json", "--key", "stranger.key"]).exits(0);
    let ran = script(
        &place,
        "bind
         refused bundle.signatures mpp bundle import new.json
         refused bundle.signatures mpp bundle import alone.json
         mpp bundle import change.json >/dev/null
         mpp run fine.mpp >/dev/null
         refused bundle.signatures mpp bundle import old.json
         mpp bundle import new.json >/dev/null
         mpp bundle verify new.json >/dev/null
         mpp run fine.mpp >/dev/null",
    );
    ran.exits(0);
}

#[test]
#[ignore = "needs a mount namespace"]
fn a_running_server_obeys_a_new_bundle_from_the_next_call() {
    let place = organisation("organisation-server");
    policy(&place, "all.json", &json!({ "deny": { "packages": ["org.example"] } }));
    bundle(&place, "second.json", 2, "2099-01-01T00:00:00Z", "all.json");
    let call =
        r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"run","arguments":{}}}"#;
    let first = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    fs::write(place.path("first"), format!("{first}\n{}\n", call.replace("ID", "2"))).unwrap();
    fs::write(place.path("then"), format!("{}\n", call.replace("ID", "3"))).unwrap();
    let ran = script(
        &place,
        "bind
         mpp install fine.mpp --yes >/dev/null
         mkfifo in
         mpp serve < in > out 2>log &
         exec 3>in
         cat first >&3
         n=0; until grep -q '\"id\":2' out; do n=$((n+1)); test $n -lt 200; sleep 0.05; done
         grep '\"id\":2' out | grep -q EMAIL
         mpp bundle import second.json >/dev/null
         cat then >&3
         n=0; until grep -q '\"id\":3' out; do n=$((n+1)); test $n -lt 200; sleep 0.05; done
         grep '\"id\":3' out | grep -q DENIED
         exec 3>&-; wait
         mpp audit verify >/dev/null",
    );
    ran.exits(0);
}
