//! `mpp.lock`: nothing but what it pins is installed, and `--outdated` says what newer there is.

use crate::cli::Place;
use crate::support;
use serde_json::{json, Value};
use std::fs;

/// A place with versions 1.0.0 and 2.0.0 in a layout; the first is installed and pinned.
fn locked(name: &str) -> Place {
    let place = Place::new(name);
    place.mpp(&["publish", "fine.mpp", "oci:layout"]).exits(0);
    let mut manifest = support::manifest("org.example.fine");
    manifest["version"] = json!("2.0.0");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    place.package("two.mpp", &manifest, support::SILENT_GUEST);
    place.mpp(&["publish", "two.mpp", "oci:layout"]).exits(0);
    place.mpp(&["install", "oci:layout:1.0.0", "--yes", "--lock"]).exits(0);
    place
}

fn lock_of(place: &Place) -> Value {
    serde_json::from_slice(&fs::read(place.path("mpp.lock")).unwrap()).unwrap()
}

fn installed(place: &Place) -> Value {
    place.mpp(&["list", "--json"]).json()
}

#[test]
fn a_lock_installs_the_same_content_elsewhere_and_nothing_else() {
    let place = locked("lock-same");
    let before = installed(&place);
    place.mpp(&["remove", "org.example.fine"]).exits(0);
    place
        .mpp(&["install", "--locked", "--yes"])
        .exits(0)
        .says(&["installed org.example.fine 1.0.0"]);
    assert_eq!(installed(&place), before);
    place.mpp(&["install", "oci:layout:1.0.0", "--locked", "--yes"]).exits(0);
    let other = place.mpp(&["install", "oci:layout:2.0.0", "--locked", "--yes"]);
    other.exits(1).says(&["lock.mismatch", "1.0.0", "2.0.0"]);
    assert_eq!(installed(&place), before);
    place.mpp(&["install", "oci:layout:2.0.0", "--lock", "--yes"]).exits(0);
    assert_eq!(lock_of(&place)["packages"][0]["version"], "2.0.0");
}

#[test]
fn a_package_that_a_lock_does_not_have_another_signer_and_no_lock_are_refused() {
    let place = locked("lock-refused");
    place.package("else.mpp", &support::manifest("org.example.else"), support::SILENT_GUEST);
    place.mpp(&["install", "else.mpp", "--locked", "--yes"]).exits(1).says(&["lock.missing"]);
    place.mpp(&["keygen", "other"]).exits(0);
    place.mpp(&["sign", "fine.mpp", "--key", "other.key", "-o", "both.mpp"]).exits(0);
    // The signature of a key that is not trusted here does not count.
    place.mpp(&["install", "both.mpp", "--locked", "--yes"]).exits(0);
    let trust = ["trust", "add", "other.pub", "--name", "Other", "--namespace", "org.example"];
    place.mpp(&trust).exits(0);
    place
        .mpp(&["install", "both.mpp", "--locked", "--yes"])
        .exits(1)
        .says(&["lock.mismatch", "signers"]);
    fs::remove_file(place.path("mpp.lock")).unwrap();
    place.mpp(&["install", "fine.mpp", "--locked", "--yes"]).exits(1).says(&["lock.missing"]);
    place.mpp(&["install", "--locked", "--yes"]).exits(1).says(&["lock.missing"]);
}

#[test]
fn a_place_that_gives_another_package_of_the_lock_is_refused() {
    let place = locked("lock-swapped");
    place.package("else.mpp", &support::manifest("org.example.else"), support::SILENT_GUEST);
    place.mpp(&["install", "else.mpp", "--lock", "--yes"]).exits(1).says(&["store.name_collision"]);
    assert_eq!(lock_of(&place)["packages"].as_array().unwrap().len(), 1);
    place.mpp(&["install", "else.mpp", "--lock", "--yes", "--prefix", "e_"]).exits(0);
    assert_eq!(lock_of(&place)["packages"].as_array().unwrap().len(), 2);
    fs::copy(place.path("fine.mpp"), place.path("else.mpp")).unwrap();
    place.mpp(&["install", "--locked", "--yes"]).exits(1).says(&["lock.missing"]);
}

#[test]
fn a_lock_of_another_form_is_refused_and_stays() {
    let place = locked("lock-invalid");
    let good = lock_of(&place);
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut lock = good.clone();
        change(&mut lock);
        lock.to_string()
    };
    let row = |name: &'static str, value: Value| {
        changed(&move |lock| lock["packages"][0][name] = value.clone())
    };
    let texts = [
        String::new(),
        "[]".to_owned(),
        "{\"format\":\"mpp-lock/1\",\"format\":\"mpp-lock/1\",\"packages\":[]}".to_owned(),
        changed(&|lock| lock["format"] = json!("mpp-lock/2")),
        changed(&|lock| lock["more"] = json!(1)),
        changed(&|lock| lock["packages"] = json!({})),
        changed(&|lock| lock["packages"] = json!([lock["packages"][0], lock["packages"][0]])),
        row("more", json!(1)),
        row("id", json!("../fine")),
        row("version", json!("1")),
        row("content_hash", json!("sha256:00")),
        row("key_ids", json!([])),
        row("key_ids", json!("x")),
        row("from", json!("a\nb")),
        " ".repeat((1 << 20) + 1),
    ];
    for text in texts {
        fs::write(place.path("mpp.lock"), &text).unwrap();
        for options in [&["--locked"][..], &["fine.mpp", "--locked"], &["fine.mpp", "--lock"]] {
            let ran = place.mpp(&[&["install", "--yes"], options].concat());
            ran.exits(1).says(&["lock.invalid"]);
        }
        assert_eq!(fs::read_to_string(place.path("mpp.lock")).unwrap(), text);
    }
    place.mpp(&["install"]).exits(2);
    place.mpp(&["install", "fine.mpp", "--lock", "--locked"]).exits(2);
    place.mpp(&["list", "--outdated"]).exits(2);
}

#[test]
fn outdated_names_what_is_newer_and_what_it_would_ask_for() {
    let place = locked("lock-outdated");
    let newer = place.mpp(&["list", "--from", "oci:layout", "--outdated", "--json"]).json();
    assert_eq!(newer.as_array().unwrap().len(), 1);
    assert_eq!((&newer[0]["version"], &newer[0]["installed"]), (&json!("2.0.0"), &json!("1.0.0")));
    let text = place.mpp(&["list", "--from", "oci:layout", "--outdated"]);
    text.exits(0).says(&["org.example.fine 2.0.0", "+ ", "API_KEY"]);
    place.mpp(&["install", "oci:layout:2.0.0", "--yes"]).exits(0);
    let none = place.mpp(&["list", "--from", "oci:layout", "--outdated", "--json"]).json();
    assert_eq!(none, json!([]));
}
