//! Registries: a package comes back byte for byte, and each fault of a layout is refused by a code of its own.

use crate::cli::{Place, Ran};
use crate::support;
use mpp::encoding::{hex, sha256};
use serde_json::{json, Value};
use std::fs;
use std::path::{Path, PathBuf};

/// A place with the package `fine.mpp` in the layout `layout`, tagged `1.0.0`.
fn published(name: &str) -> Place {
    let place = Place::new(name);
    place.mpp(&["publish", "fine.mpp", "oci:layout"]).exits(0).says(&["oci:layout:1.0.0"]);
    place
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn write(path: &Path, value: &Value) {
    fs::write(path, value.to_string()).unwrap();
}

fn blob(place: &Place, digest: &Value) -> PathBuf {
    let digest = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    place.path("layout/blobs/sha256").join(digest)
}

/// The paths of the manifest and of the package.
fn blobs(place: &Place) -> (PathBuf, PathBuf) {
    let index = json_of(&place.path("layout/index.json"));
    let manifest = blob(place, &index["manifests"][0]["digest"]);
    let package = blob(place, &json_of(&manifest)["layers"][0]["digest"]);
    (manifest, package)
}

/// Changes the manifest and states its new digest and size in the index.
fn change_manifest(place: &Place, change: impl FnOnce(&mut Value)) {
    let (path, _) = blobs(place);
    let mut manifest = json_of(&path);
    change(&mut manifest);
    put_manifest(place, manifest.to_string().as_bytes());
}

fn put_manifest(place: &Place, bytes: &[u8]) {
    let hash = hex(&sha256(bytes));
    fs::write(place.path("layout/blobs/sha256").join(&hash), bytes).unwrap();
    change_index(place, |index| {
        index["manifests"][0]["digest"] = json!(format!("sha256:{hash}"));
        index["manifests"][0]["size"] = json!(bytes.len());
    });
}

fn change_index(place: &Place, change: impl FnOnce(&mut Value)) {
    let path = place.path("layout/index.json");
    let mut index = json_of(&path);
    change(&mut index);
    write(&path, &index);
}

fn version(place: &Place, name: &str, version: &str) {
    let mut manifest = support::manifest("org.example.fine");
    manifest["version"] = json!(version);
    place.package(name, &manifest, support::SILENT_GUEST);
}

#[test]
fn a_package_that_was_published_and_copied_is_installed_byte_for_byte() {
    let place = published("registry-round");
    let (_, package) = blobs(&place);
    assert_eq!(fs::read(package).unwrap(), fs::read(place.path("fine.mpp")).unwrap());
    // A mirror is a copy of files.
    fs::rename(place.path("layout"), place.path("mirror")).unwrap();
    for reference in ["oci:mirror:1.0.0", "oci:mirror"] {
        place.mpp(&["inspect", reference]).exits(0).says(&["org.example.fine 1.0.0"]);
        place.mpp(&["install", reference, "--yes"]).exits(0);
    }
    let found = place.mpp(&["list", "--json"]).json();
    let from = place.mpp(&["list", "--from", "oci:mirror", "--json"]).exits(0).json();
    assert_eq!(found[0]["content_hash"], from[0]["content_hash"]);
    assert_eq!(from[0]["tag"], "1.0.0");
    place.mpp(&["run", "oci:mirror:1.0.0"]).exits(0).says(&["[EMAIL]"]);
}

#[test]
fn publishing_twice_gives_the_same_layout_and_a_taken_tag_is_refused() {
    let place = published("registry-twice");
    let before = fs::read(place.path("layout/index.json")).unwrap();
    place.mpp(&["publish", "fine.mpp", "oci:layout"]).exits(0);
    assert_eq!(fs::read(place.path("layout/index.json")).unwrap(), before);
    version(&place, "two.mpp", "2.0.0");
    let taken = place.mpp(&["publish", "two.mpp", "oci:layout:1.0.0"]);
    taken.exits(1).says(&["registry.tag", "--replace"]);
    assert_eq!(fs::read(place.path("layout/index.json")).unwrap(), before);
    place.mpp(&["publish", "two.mpp", "oci:layout"]).exits(0);
    place.mpp(&["publish", "two.mpp", "oci:layout:stable"]).exits(0);
    place.mpp(&["publish", "fine.mpp", "oci:layout:stable"]).exits(1);
    place.mpp(&["publish", "fine.mpp", "oci:layout:stable", "--replace"]).exits(0);
    place.mpp(&["install", "oci:layout", "--yes"]).exits(1).says(&["registry.tag", "several"]);
    place
        .mpp(&["install", "oci:layout:3.0.0", "--yes"])
        .exits(1)
        .says(&["registry.tag", "1.0.0, 2.0.0"]);
}

#[cfg(unix)]
#[test]
fn publishing_through_a_link_is_refused_and_writes_nothing_there() {
    for part in ["blobs", "blobs/sha256", "index.json", "oci-layout"] {
        let place = published("registry-publish-link");
        let (at, elsewhere) = (place.path("layout").join(part), place.path("elsewhere"));
        fs::rename(&at, &elsewhere).unwrap();
        let entries = || fs::read_dir(&elsewhere).map_or(0, Iterator::count);
        let before = (fs::read(&elsewhere).ok(), entries());
        std::os::unix::fs::symlink(&elsewhere, &at).unwrap();
        version(&place, "two.mpp", "2.0.0");
        place.mpp(&["publish", "two.mpp", "oci:layout"]).exits(1).says(&["registry.link"]);
        assert_eq!((fs::read(&elsewhere).ok(), entries()), before, "{part}");
    }
}

#[test]
fn an_older_version_behind_a_tag_is_refused() {
    let place = published("registry-older");
    version(&place, "two.mpp", "2.0.0");
    place.mpp(&["publish", "two.mpp", "oci:layout"]).exits(0);
    place.mpp(&["install", "oci:layout:2.0.0", "--yes"]).exits(0);
    // Both tags lead to the old version now: one states another, the other none.
    change_index(&place, |index| {
        let mut old = index["manifests"][0].clone();
        for (at, tag) in [(1, "2.0.0"), (2, "stable")] {
            old["annotations"]["org.opencontainers.image.ref.name"] = json!(tag);
            index["manifests"][at] = json!(null);
            index["manifests"].as_array_mut().unwrap().truncate(at + 1);
            index["manifests"].as_array_mut().unwrap()[at] = old.clone();
            index["manifests"].as_array_mut().unwrap().push(json!(null));
        }
        index["manifests"].as_array_mut().unwrap().truncate(3);
    });
    place.mpp(&["install", "oci:layout:2.0.0", "--yes"]).exits(1).says(&["registry.mismatch"]);
    place.mpp(&["install", "oci:layout:stable", "--yes"]).exits(1).says(&["manifest.downgrade"]);
    assert_eq!(place.mpp(&["list", "--json"]).json()[0]["version"], "2.0.0");
}

#[test]
fn each_fault_of_a_layout_is_refused_by_its_code_and_installs_nothing() {
    type Fault = fn(&Place);
    let faults: &[(&str, &str, Fault)] = &[
        ("absent", "registry.not_found", |place| fs::remove_dir_all(place.path("layout")).unwrap()),
        ("no-marker", "registry.not_found", |place| {
            fs::remove_file(place.path("layout/oci-layout")).unwrap()
        }),
        ("marker", "registry.layout", |place| {
            write(&place.path("layout/oci-layout"), &json!({ "imageLayoutVersion": "2.0.0" }))
        }),
        ("no-index", "registry.not_found", |place| {
            fs::remove_file(place.path("layout/index.json")).unwrap()
        }),
        ("no-json", "registry.layout", |place| {
            fs::write(place.path("layout/index.json"), "{\"a\":1,\"a\":2}").unwrap()
        }),
        ("schema", "registry.layout", |place| {
            change_index(place, |it| it["schemaVersion"] = json!(1))
        }),
        ("index-type", "registry.media_type", |place| {
            change_index(place, |it| it["mediaType"] = json!("application/json"))
        }),
        ("huge-index", "registry.too_large", |place| {
            let mut text = fs::read(place.path("layout/index.json")).unwrap();
            text.resize((1 << 20) + 1, b' ');
            fs::write(place.path("layout/index.json"), text).unwrap();
        }),
        ("no-manifests", "registry.layout", |place| {
            change_index(place, |it| it["manifests"] = json!({}))
        }),
        ("tag", "registry.tag", |place| {
            let name = "org.opencontainers.image.ref.name";
            change_index(place, |it| it["manifests"][0]["annotations"][name] = json!("../x"))
        }),
        ("path", "registry.layout", |place| {
            change_index(place, |it| it["manifests"][0]["digest"] = json!("sha256:../../../me.key"))
        }),
        ("upper-case", "registry.layout", |place| {
            change_index(place, |it| {
                let digest = it["manifests"][0]["digest"].as_str().unwrap();
                it["manifests"][0]["digest"] = json!(digest.to_uppercase().replace("SHA", "sha"));
            })
        }),
        ("negative", "registry.layout", |place| {
            change_index(place, |it| it["manifests"][0]["size"] = json!(-1))
        }),
        ("huge-manifest", "registry.too_large", |place| {
            change_index(place, |it| it["manifests"][0]["size"] = json!(1_u64 << 40))
        }),
        ("manifest-type", "registry.media_type", |place| {
            let docker = "application/vnd.docker.distribution.manifest.v2+json";
            change_index(place, |it| it["manifests"][0]["mediaType"] = json!(docker))
        }),
        ("foreign-artifact", "registry.media_type", |place| {
            change_manifest(place, |it| it["artifactType"] = json!("application/vnd.example"))
        }),
        ("foreign-layer", "registry.media_type", |place| {
            let tar = "application/vnd.oci.image.layer.v1.tar+gzip";
            change_manifest(place, |it| it["layers"][0]["mediaType"] = json!(tar))
        }),
        ("two-layers", "registry.layout", |place| {
            change_manifest(place, |it| {
                let layer = it["layers"][0].clone();
                it["layers"].as_array_mut().unwrap().push(layer);
            })
        }),
        ("no-layer", "registry.layout", |place| {
            change_manifest(place, |it| it["layers"] = json!([]))
        }),
        ("huge-layer", "registry.too_large", |place| {
            change_manifest(place, |it| it["layers"][0]["size"] = json!((64 << 20) + 1))
        }),
        ("version", "registry.mismatch", |place| {
            let name = "org.opencontainers.image.version";
            change_manifest(place, |it| it["annotations"][name] = json!("1.0.1"))
        }),
        ("missing-manifest", "registry.missing_blob", |place| {
            fs::remove_file(blobs(place).0).unwrap()
        }),
        ("missing-package", "registry.missing_blob", |place| {
            fs::remove_file(blobs(place).1).unwrap()
        }),
        ("flipped-bit", "registry.digest", |place| {
            let (_, path) = blobs(place);
            let mut package = fs::read(&path).unwrap();
            package[100] ^= 1;
            fs::write(path, package).unwrap();
        }),
        ("swapped", "registry.size", |place| {
            let (manifest, package) = blobs(place);
            fs::copy(manifest, package).unwrap();
        }),
        ("longer", "registry.size", |place| {
            let (_, path) = blobs(place);
            let mut package = fs::read(&path).unwrap();
            package.push(0);
            fs::write(path, package).unwrap();
        }),
        ("directory", "registry.layout", |place| {
            let (_, path) = blobs(place);
            fs::remove_file(&path).unwrap();
            fs::create_dir(path).unwrap();
        }),
        #[cfg(unix)]
        ("linked-blob", "registry.link", |place| {
            let (_, path) = blobs(place);
            fs::remove_file(&path).unwrap();
            std::os::unix::fs::symlink(place.path("fine.mpp"), path).unwrap();
        }),
        #[cfg(unix)]
        ("linked-directory", "registry.link", |place| {
            fs::rename(place.path("layout/blobs"), place.path("elsewhere")).unwrap();
            std::os::unix::fs::symlink("../elsewhere", place.path("layout/blobs")).unwrap();
        }),
        #[cfg(unix)]
        ("linked-layout", "registry.link", |place| {
            fs::rename(place.path("layout"), place.path("elsewhere")).unwrap();
            std::os::unix::fs::symlink("elsewhere", place.path("layout")).unwrap();
        }),
    ];
    for (name, code, fault) in faults {
        let place = published(&format!("registry-{name}"));
        fault(&place);
        let ran = place.mpp(&["install", "oci:layout", "--yes", "--json"]);
        let ran = ran.exits(1);
        assert!(ran.err.contains(code) || ran.out.contains(code), "{name}: {}{}", ran.out, ran.err);
        assert_eq!(place.mpp(&["list", "--json"]).json(), json!([]), "{name}");
    }
}

#[test]
fn a_layout_changed_at_any_byte_gives_the_same_package_or_is_refused() {
    let place = published("registry-bytes");
    let original = place.mpp(&["inspect", "oci:layout", "--json"]).json()["content_hash"].clone();
    let (manifest, _) = blobs(&place);
    for path in [place.path("layout/index.json"), manifest] {
        let bytes = fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs::write(&path, changed).unwrap();
            let ran = place.mpp(&["inspect", "oci:layout", "--json"]);
            match ran.status {
                0 => assert_eq!(ran.json()["content_hash"], original, "byte {at}"),
                _ => assert!(
                    format!("{}{}", ran.out, ran.err).contains("\"registry."),
                    "byte {at}: {}",
                    ran.out
                ),
            }
        }
        fs::write(&path, bytes).unwrap();
    }
}

#[test]
fn a_bundle_is_no_package_and_a_package_no_bundle() {
    let place = published("registry-bundle");
    place.mpp(&["bundle", "root", "Acme", "--key", "me.pub", "-o", "root.json"]).exits(0);
    let make =
        ["bundle", "make", "--root", "root.json", "--trust", "home/trust.json", "--sequence", "7"];
    place
        .mpp(&[&make[..], &["--expires", "2099-01-01T00:00:00Z", "-o", "b.json"]].concat())
        .exits(0);
    place
        .mpp(&["publish", "b.json", "oci:policy"])
        .exits(0)
        .says(&["bundle 7 of Acme to oci:policy:7"]);
    place.mpp(&["publish", "b.json", "oci:layout"]).exits(0);
    for reference in ["oci:policy", "oci:layout:7"] {
        place.mpp(&["install", reference, "--yes"]).exits(1).says(&["registry.media_type"]);
    }
    place.mpp(&["bundle", "import", "oci:layout:1.0.0"]).exits(1).says(&["registry.media_type"]);
    // Of this computer nothing is bound.
    place.mpp(&["bundle", "import", "oci:policy"]).exits(1).says(&["organisation.invalid"]);
    fs::write(place.path("b.json"), "{}").unwrap();
    place.mpp(&["publish", "b.json", "oci:policy"]).exits(1).says(&["bundle.invalid"]);
}

#[test]
fn what_is_no_reference_is_a_usage_error() {
    let place = published("registry-usage");
    for to in [
        "layout",
        "oci:",
        "oci::tag",
        "docker://",
        "docker://host",
        "docker:///a/b",
        "docker://-x/y",
        "docker://a/b c",
    ] {
        place.mpp(&["publish", "fine.mpp", to]).exits(2);
    }
    for from in ["layout", "oci:layout:1.0.0", "docker://h/n"] {
        place.mpp(&["list", "--from", from]).exits(2);
    }
}

#[cfg(unix)]
#[test]
fn packages_published_at_once_are_all_in_the_index() {
    let place = published("registry-at-once");
    let tags: Vec<String> = (0..8).map(|number| format!("oci:layout:tag-{number}")).collect();
    let running: Vec<_> = tags
        .iter()
        .map(|tag| place.command(&["publish", "fine.mpp", tag]).spawn().unwrap())
        .collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let found = place.mpp(&["list", "--from", "oci:layout", "--json"]).json();
    assert_eq!(found.as_array().unwrap().len(), 9, "{found}");
}

#[cfg(unix)]
#[test]
#[ignore = "needs skopeo and docker-registry"]
fn a_package_goes_through_a_registry_and_comes_back_byte_for_byte() {
    use std::process::{Command, Stdio};
    let place = published("registry-real");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n",
        place.path("data").display()
    );
    fs::write(place.path("registry.yml"), config).unwrap();
    let mut registry = Command::new("docker-registry");
    registry
        .arg("serve")
        .arg(place.path("registry.yml"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut registry = registry.spawn().unwrap();
    let name = format!("docker://127.0.0.1:{port}/tools/fine");
    // Until the registry listens.
    let publish = ["publish", "fine.mpp", &name, "--plain-http"];
    let done = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        place.mpp(&publish).status == 0
    });
    let install = |options: &[&str]| -> Ran {
        place.mpp(&[&["install", &format!("{name}:1.0.0"), "--yes"], options].concat())
    };
    let rows = json!([{ "name": "ours", "from": format!("docker://127.0.0.1:{port}/tools"), "plain_http": true,
        "namespaces": ["org.example"], "publishers": ["Me"] }]);
    let rows = json!({ "format": "mpp-registries/1", "registries": rows });
    place
        .mpp(&["publish", "fine.mpp", &name.replace("/fine", "/org.example.fine"), "--plain-http"])
        .exits(0);
    fs::write(place.path("home/registries.json"), rows.to_string()).unwrap();
    let by_id = place.mpp(&["install", "org.example.fine", "--yes"]);
    place.mpp(&["remove", "org.example.fine"]).exits(0);
    let without_tls = install(&[]);
    let installed = install(&["--plain-http"]);
    let absent = place.mpp(&["install", &format!("{name}:2.0.0"), "--yes", "--plain-http"]);
    registry.kill().unwrap();
    registry.wait().unwrap();
    assert!(done);
    without_tls.exits(4).says(&["registry.transfer"]);
    absent.exits(4).says(&["registry.transfer"]);
    by_id.exits(0).says(&["org.example.fine:1.0.0 in ours"]);
    installed.exits(0);
    let before = place.mpp(&["inspect", "fine.mpp", "--json"]).json();
    let after = place.mpp(&["inspect", "org.example.fine", "--json"]).json();
    assert_eq!(before, after);
}
