//! `registries.json`: who is asked for an id, in which order, and that no registry takes another's name.

use crate::cli::Place;
use crate::support;
use serde_json::{json, Value};
use std::fs;

/// A place with the registries `first`, for `org.example.fine` by `Me`, and `second`, for all of `org.example` by `Other`.
/// The second has `org.example.fine` 9.0.0 and `org.example.far` 1.0.0, signed by `Other`.
fn place(name: &str) -> Place {
    let place = Place::new(name);
    place.mpp(&["keygen", "other"]).exits(0);
    let trust = ["trust", "add", "other.pub", "--name", "Other", "--namespace", "org.example"];
    place.mpp(&trust).exits(0);
    place.mpp(&["publish", "fine.mpp", "oci:first/org.example.fine"]).exits(0);
    release(&place, "org.example.fine", "9.0.0", "other", "second");
    release(&place, "org.example.far", "1.0.0", "other", "second");
    configure(&place, &rows());
    place
}

fn release(place: &Place, id: &str, version: &str, key: &str, registry: &str) {
    let mut manifest = support::manifest(id);
    manifest["version"] = json!(version);
    let tool = id.rsplit('.').next().unwrap();
    manifest["tools"][0]["name"] = json!(tool);
    let folder = format!("{id}-{version}-{key}");
    place.folder(&folder, &manifest, support::SILENT_GUEST);
    let key = format!("{key}.key");
    place.mpp(&["pack", &folder, "--key", &key, "-o", "release.mpp"]).exits(0);
    place.mpp(&["publish", "release.mpp", &format!("oci:{registry}/{id}")]).exits(0);
}

fn rows() -> Value {
    json!([
        { "name": "first", "from": "oci:first", "namespaces": ["org.example.fine"], "publishers": ["Me"] },
        { "name": "second", "from": "oci:second", "namespaces": ["org.example"], "publishers": ["Other"] },
    ])
}

fn configure(place: &Place, rows: &Value) {
    let text = json!({ "format": "mpp-registries/1", "registries": rows }).to_string();
    fs::write(place.path("home/registries.json"), text).unwrap();
}

fn installed(place: &Place) -> Vec<String> {
    let list = place.mpp(&["list", "--json"]).json();
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| format!("{}@{}", row["id"].as_str().unwrap(), row["version"].as_str().unwrap()))
        .collect()
}

#[test]
fn the_first_registry_that_is_for_an_id_and_has_it_gives_it() {
    let place = place("registries-order");
    place.mpp(&["install", "org.example.fine", "--yes"]).exits(0).says(&["first"]);
    place.mpp(&["install", "org.example.far", "--yes"]).exits(0).says(&["second"]);
    assert_eq!(installed(&place), ["org.example.far@1.0.0", "org.example.fine@1.0.0"]);
    // The highest version by order of versions, not of texts.
    for version in ["1.2.0", "1.10.0", "1.10.0-rc.1"] {
        release(&place, "org.example.fine", version, "me", "first");
    }
    place.mpp(&["install", "org.example.fine", "--yes"]).exits(0);
    assert_eq!(installed(&place)[1], "org.example.fine@1.10.0");
    place.mpp(&["install", "org.example.fine@1.2.0", "--yes", "--downgrade"]).exits(0);
    assert_eq!(installed(&place)[1], "org.example.fine@1.2.0");
}

#[test]
fn a_registry_that_gives_another_publishers_package_or_another_id_is_refused() {
    let place = place("registries-publisher");
    release(&place, "org.example.fine", "2.0.0", "other", "first");
    place.mpp(&["install", "org.example.fine", "--yes"]).exits(1).says(&["registry.publisher"]);
    // By its version the second registry is asked, whose publisher it is.
    place.mpp(&["install", "org.example.fine@9.0.0", "--yes"]).exits(0).says(&["second"]);
    release(&place, "org.example.far", "2.0.0", "other", "elsewhere");
    place.mpp(&["publish", "release.mpp", "oci:second/org.example.other"]).exits(0);
    place.mpp(&["install", "org.example.other", "--yes"]).exits(1).says(&["registry.mismatch"]);
    assert_eq!(installed(&place), ["org.example.fine@9.0.0"]);
}

#[test]
fn an_id_that_no_registry_has_or_is_for_is_not_found_and_a_broken_one_hides_nothing() {
    let place = place("registries-absent");
    place
        .mpp(&["install", "org.example.none", "--yes"])
        .exits(1)
        .says(&["registry.not_found", "second"]);
    place
        .mpp(&["install", "org.example.fine@3.0.0", "--yes"])
        .exits(1)
        .says(&["registry.not_found"]);
    place
        .mpp(&["install", "com.example.none@1.0.0", "--yes"])
        .exits(1)
        .says(&["registry.not_found"]);
    place.mpp(&["install", "com.example.none", "--yes"]).exits(4).says(&["host.file"]);
    fs::write(place.path("first/org.example.fine/index.json"), "{").unwrap();
    place.mpp(&["install", "org.example.fine", "--yes"]).exits(1).says(&["registry.layout"]);
    assert_eq!(installed(&place), Vec::<String>::new());
}

#[test]
fn a_lock_names_the_id_and_another_host_takes_it_from_its_own_registry() {
    let place = place("registries-lock");
    place.mpp(&["install", "org.example.fine", "--yes", "--lock"]).exits(0);
    let lock: Value = serde_json::from_slice(&fs::read(place.path("mpp.lock")).unwrap()).unwrap();
    assert_eq!(lock["packages"][0]["from"], "org.example.fine@1.0.0");
    place.mpp(&["remove", "org.example.fine"]).exits(0);
    fs::rename(place.path("first"), place.path("mirror")).unwrap();
    let mut rows = rows();
    rows[0]["from"] = json!("oci:mirror");
    configure(&place, &rows);
    place
        .mpp(&["install", "--locked", "--yes"])
        .exits(0)
        .says(&["oci:mirror/org.example.fine:1.0.0"]);
}

#[test]
fn registries_of_another_form_are_refused() {
    let place = place("registries-invalid");
    let mut rows_of = Vec::new();
    for (member, value) in [
        ("name", json!("")),
        ("from", json!("https://example.com")),
        ("from", json!("oci:")),
        ("namespaces", json!([])),
        ("namespaces", json!(["org.*"])),
        ("publishers", json!([])),
        ("publishers", json!("Me")),
        ("plain_http", json!("yes")),
        ("more", json!(1)),
    ] {
        let mut changed = rows();
        changed[0][member] = value;
        rows_of.push(changed);
    }
    let mut twice = rows();
    twice[1]["name"] = json!("first");
    rows_of.extend([twice, json!({}), json!([1])]);
    let refused = |text: &str| {
        fs::write(place.path("home/registries.json"), text).unwrap();
        let ran = place.mpp(&["install", "org.example.fine", "--yes"]);
        ran.exits(1).says(&["registry.invalid"]);
    };
    for rows in rows_of {
        refused(&json!({ "format": "mpp-registries/1", "registries": rows }).to_string());
    }
    for text in ["", "[]", "{\"format\":\"mpp-registries/1\"}", &" ".repeat((1 << 20) + 1)] {
        refused(text);
    }
}
