//! Packages that are installed, replaced, removed and called.

use super::case::{parts_json, Case, Part};
use super::package::{manifest, Package};
use super::run::{saying, text_block};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(versions());
    cases.extend(indexes());
    cases.extend(calls());
    cases.extend(approvals());
    cases
}

fn of(id: &str, version: &str, tools: &[&str]) -> Package {
    let mut manifest = manifest();
    manifest["id"] = json!(id);
    manifest["version"] = json!(version);
    let tool = |name: &&str| {
        json!({ "name": name, "description": "Gives back its text.", "sensitivity": "read",
                "parameters": { "type": "object" } })
    };
    manifest["tools"] = tools.iter().map(tool).collect();
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": version }).to_string();
    Package::new().with_manifest(&manifest).with("tool.wasm", saying(&answer))
}

fn listed(id: &str, version: &str, package: &Package, tools: &[&str]) -> Value {
    json!({ "id": id, "version": version, "content_hash": package.content_hash(), "tools": tools })
}

fn names() -> Vec<Case> {
    let why = "Two tools that a client could take for one are not offered.";
    let mut cases = Vec::new();
    for (id, title, first, second) in [
        ("same", "Two packages with a tool of one name", "run", "run"),
        ("case", "Tools whose names differ by case", "run", "Run"),
        ("sign", "Tools whose names differ by a sign", "run-it", "run_it"),
        ("both", "Tools whose names differ by case and sign", "Run-It", "run_it"),
    ] {
        cases.push(
            Case::store(&format!("name-{id}"))
                .package(
                    &format!("store/name-{id}-1"),
                    &of("org.example.one", "1.0.0", &[first]).bytes(),
                )
                .package(
                    &format!("store/name-{id}-2"),
                    &of("org.example.two", "1.0.0", &[second]).bytes(),
                )
                .says(title, why)
                .spec("STORE-02")
                .refused("store.name_collision"),
        );
    }
    cases.push(
        Case::store("name-within")
            .package("store/name-within", &of("org.example.one", "1.0.0", &["a-b", "a_b"]).bytes())
            .says("Two such tools of one package", why)
            .spec("STORE-02")
            .refused("store.name_collision"),
    );
    let (one, two) =
        (of("org.example.one", "1.0.0", &["run"]), of("org.example.two", "1.0.0", &["runs"]));
    let newer = of("org.example.one", "1.1.0", &["Run"]);
    cases.push(
        Case::store("accept-two")
            .package("store/two", &two.bytes())
            .package("store/one", &one.bytes())
            .answers(json!({ "installed": [
                listed("org.example.one", "1.0.0", &one, &["run"]),
                listed("org.example.two", "1.0.0", &two, &["runs"]),
            ] }))
            .says("Two packages", "The index is in ascending order of ids.")
            .spec("STORE-02 STORE-05"),
    );
    cases.push(
        Case::store("accept-replaced")
            .package("store/one", &one.bytes())
            .package("store/one-newer", &newer.bytes())
            .answers(json!({ "installed": [listed("org.example.one", "1.1.0", &newer, &["Run"])] }))
            .says(
                "A newer version, whose tool differs by case",
                "One version of a package is installed.",
            )
            .spec("STORE-02"),
    );
    let other = of("org.example.two", "1.0.0", &["run"]);
    let prefixed = |version: &str, package: &Package, prefix: &str| {
        let mut shown = listed("org.example.two", version, package, &["run"]);
        shown["prefix"] = json!(prefix);
        shown
    };
    let two = |id: &str, prefix: &str| {
        Case::store(id)
            .package("store/one", &one.bytes())
            .package("store/name-other", &other.bytes())
            .with("prefix", prefix)
    };
    let shown = |prefix: &str| json!({ "installed": [listed("org.example.one", "1.0.0", &one, &["run"]), prefixed("1.0.0", &other, prefix)] });
    let why = "A person tells tools of one name apart by a prefix of this host.";
    for (id, title, prefix) in [
        ("prefix", "A prefix before a tool of another's name", "md_".to_owned()),
        ("prefix-longest", "A prefix with which the name has 64 characters", "a".repeat(61)),
    ] {
        cases.push(
            two(&format!("accept-{id}"), &prefix)
                .answers(shown(&prefix))
                .says(title, why)
                .spec("STORE-10 STORE-02"),
        );
    }
    cases.push(
        two("prefix-empty", "")
            .says("An empty prefix", why)
            .spec("STORE-10 STORE-02")
            .refused("store.name_collision"),
    );
    for (id, title, prefix) in [
        ("digit", "A prefix that starts with a digit", "1_".to_owned()),
        ("dot", "A prefix with a dot", "a.".to_owned()),
        ("long", "A prefix with which the name has 65 characters", "a".repeat(62)),
    ] {
        cases.push(
            two(&format!("prefix-{id}"), &prefix)
                .says(title, why)
                .spec("STORE-10")
                .refused("store.prefix"),
        );
    }
    let newer_other = of("org.example.two", "1.1.0", &["run"]);
    cases.push(
        two("accept-prefix-kept", "md_")
            .with_member_file("replaced_by", "mpp", &newer_other.bytes())
            .answers(json!({ "installed": [
                listed("org.example.one", "1.0.0", &one, &["run"]), prefixed("1.1.0", &newer_other, "md_"),
            ] }))
            .says("An update of a package with a prefix", why)
            .spec("STORE-10"),
    );
    let two = of("org.example.two", "1.0.0", &["runs"]);
    cases.push(
        Case::store("accept-removed")
            .package("store/one", &one.bytes())
            .package("store/two", &two.bytes())
            .with("remove", "org.example.one")
            .answers(json!({ "installed": [listed("org.example.two", "1.0.0", &two, &["runs"])] }))
            .says("A package that is removed", "The other stays.")
            .spec("STORE-03"),
    );
    cases.push(
        Case::store("removed-unknown")
            .package("store/one", &one.bytes())
            .with("remove", "org.example.two")
            .says("A package that is not installed is removed", "It is named wrongly.")
            .spec("STORE-08")
            .refused("store.not_installed"),
    );
    cases.push(
        Case::store("unverified")
            .package(
                "store/stranger",
                &of("org.example.one", "1.0.0", &["run"])
                    .signed_by(&[super::crypto::STRANGER])
                    .bytes(),
            )
            .says(
                "A package of a stranger",
                "Nothing is installed that did not pass the seven checks.",
            )
            .spec("STORE-05")
            .refused("publisher.unknown"),
    );
    cases
}

fn versions() -> Vec<Case> {
    let why = "An older version can have faults that a newer one does not.";
    let (old, new) =
        (of("org.example.one", "1.0.0", &["run"]), of("org.example.one", "1.1.0", &["run"]));
    let seen = |version: &str| {
        json!({ "format": "mpp-trust/1", "versions": [{ "id": "org.example.one", "version": version }] }).to_string()
    };
    let first = |id: &str, seen: String| {
        Case::store(id)
            .with("files", json!({ "seen.json": seen }))
            .package("store/version-old", &old.bytes())
    };
    let shown = |version: &str, package: &Package| json!({ "installed": [listed("org.example.one", version, package, &["run"])] });
    vec![
        Case::store("downgrade")
            .package("store/version-new", &new.bytes())
            .package("store/version-old", &old.bytes())
            .says("A version below the installed one", why)
            .spec("STORE-07 TRUST-14 TRUST-19")
            .refused("manifest.downgrade"),
        Case::store("downgrade-removed")
            .package("store/version-new", &new.bytes())
            .with("remove", "org.example.one")
            .with_member_file("replaced_by", "mpp", &old.bytes())
            .says("A version below one that was removed", why)
            .spec("STORE-07 TRUST-14 TRUST-19")
            .refused("manifest.downgrade"),
        Case::store("accept-downgrade")
            .package("store/version-new", &new.bytes())
            .with_member_file("replaced_by", "mpp", &old.bytes())
            .with("downgrade", true)
            .answers(shown("1.0.0", &old))
            .says("A version below the installed one, on purpose", "`--downgrade` lowers the mark.")
            .spec("STORE-07 TRUST-14"),
        Case::store("accept-downgrade-call")
            .package("store/version-new", &new.bytes())
            .with_member_file("replaced_by", "mpp", &old.bytes())
            .with("downgrade", true)
            .with("call", "org.example.one")
            .with("tool", "run")
            .with("arguments", json!({}))
            .says(
                "A call of the version before, after a downgrade on purpose",
                "The index decides.",
            )
            .spec("STORE-08")
            .refused("store.not_installed"),
        first("seen-higher", seen("1.0.1"))
            .says("A version below the highest one seen", why)
            .spec("TRUST-19 TRUST-14")
            .refused("manifest.downgrade"),
        first("accept-seen-same", seen("1.0.0"))
            .answers(shown("1.0.0", &old))
            .says("The highest version seen", why)
            .spec("TRUST-19"),
        first("accept-seen-before", seen("1.0.0-rc.1"))
            .answers(shown("1.0.0", &old))
            .says(
                "A version above the highest one seen, a pre-release",
                "Versions are compared as Semantic Versioning says.",
            )
            .spec("TRUST-19 TRUST-14"),
        first("seen-keys", json!({ "format": "mpp-trust/1", "versions": 1 }).to_string())
            .says(
                "A file of versions that is not one",
                "A file that cannot be read is not an empty one.",
            )
            .spec("TRUST-19")
            .refused("trust.invalid"),
    ]
}

fn indexes() -> Vec<Case> {
    let why = "An index that is not as it has to be offers nothing.";
    let entry = json!({
        "id": "org.example.one", "version": "1.0.0",
        "content_hash": format!("sha256:{}", "ab".repeat(32)), "signers": ["cd".repeat(32)],
        "tools": ["run"],
    });
    let index = |packages: Value| json!({ "format": "mpp-installed/1", "packages": packages });
    let with = |member: &str, value: Value| {
        let mut entry = entry.clone();
        entry[member] = value;
        index(json!([entry]))
    };
    let without = |member: &str| {
        let mut entry = entry.clone();
        entry.as_object_mut().map(|members| members.remove(member));
        index(json!([entry]))
    };
    let of =
        |id: &str, text: String| Case::store(id).with("files", json!({ "installed.json": text }));
    let many = |count: usize| {
        let one = |n: usize| {
            let mut entry = entry.clone();
            entry["id"] = json!(format!("org.example.p{n:04}"));
            entry["tools"] = json!([]);
            entry
        };
        index((0..count).map(one).collect::<Value>()).to_string()
    };
    let mut cases = Vec::new();
    for (id, title, text) in [
        ("text", "A text that is not JSON", "hello".to_owned()),
        ("empty", "An empty file", String::new()),
        ("format", "Another format", index(json!([])).to_string().replace("/1", "/2")),
        ("format-none", "No format", json!({ "packages": [] }).to_string()),
        (
            "member",
            "An unknown member",
            json!({ "format": "mpp-installed/1", "packages": [], "x": 1 }).to_string(),
        ),
        (
            "member-twice",
            "A member twice",
            r#"{"format":"mpp-installed/1","packages":[],"packages":[]}"#.to_owned(),
        ),
        ("entry-member", "An unknown member of an entry", with("x", json!(1)).to_string()),
        ("entry-less", "An entry without tools", without("tools").to_string()),
        ("entry-id", "An entry whose id is none", with("id", json!("One")).to_string()),
        (
            "entry-version",
            "An entry whose version is none",
            with("version", json!("1")).to_string(),
        ),
        (
            "entry-hash",
            "An entry whose content hash is none",
            with("content_hash", json!("x")).to_string(),
        ),
        (
            "entry-prefix",
            "An entry whose prefix makes no name",
            with("prefix", json!("1")).to_string(),
        ),
        (
            "entry-prefix-empty",
            "An entry with an empty prefix",
            with("prefix", json!("")).to_string(),
        ),
        ("entry-twice", "Two entries of one id", index(json!([entry, entry])).to_string()),
        ("list", "A list", "[]".to_owned()),
    ] {
        cases.push(
            of(&format!("index-{id}"), text)
                .says(&format!("The index: {title}"), why)
                .spec("STORE-03")
                .refused("store.invalid"),
        );
    }
    let mut shown = entry.clone();
    shown.as_object_mut().map(|members| members.remove("signers"));
    cases.push(
        of("accept-index", index(json!([entry])).to_string())
            .answers(json!({ "installed": [shown] }))
            .says("An index with one entry", why)
            .spec("STORE-03"),
    );
    cases.push(
        of("accept-index-most", many(1000))
            .says("An index of 1000 packages", why)
            .spec("STORE-03 LIM-200"),
    );
    cases.push(
        of("index-more", many(1001))
            .says("An index of 1001 packages", why)
            .spec("STORE-03 LIM-200")
            .refused("store.invalid"),
    );
    cases
}

fn calls() -> Vec<Case> {
    let why = "What runs is what the index names, verified from its own bytes.";
    let one = of("org.example.one", "1.0.0", &["run"]);
    let newer = of("org.example.one", "1.1.0", &["run"]);
    let called = |id: &str| {
        Case::store(id)
            .package("store/one-run", &one.bytes())
            .with("call", "org.example.one")
            .with("tool", "run")
            .with("arguments", json!({}))
    };
    vec![
        called("accept-call")
            .answers(json!({ "content": text_block("1.0.0"), "is_error": false }))
            .says("A call of an installed package", why)
            .spec("STORE-04"),
        called("call-overwritten")
            .with_member_file("overwritten_by", "mpp", &newer.bytes())
            .says("A call of a package whose file is another, valid one", why)
            .spec("STORE-04")
            .refused("content.hash_mismatch"),
        called("call-cut")
            .with_member_file("overwritten_by", "mpp", &one.bytes()[..200])
            .says("A call of a package whose file was cut", why)
            .spec("STORE-04")
            .refused("archive.end_record"),
        called("call-removed")
            .with("remove", "org.example.one")
            .says("A call of a package that was removed since it was listed", why)
            .spec("STORE-08")
            .refused("store.not_installed"),
        called("call-replaced")
            .with_member_file("replaced_by", "mpp", &newer.bytes())
            .says("A call of a package that was replaced since it was listed", why)
            .spec("STORE-08")
            .refused("store.not_installed"),
        called("call-unknown")
            .with("call", "org.example.two")
            .says("A call of a package that is not installed", why)
            .spec("STORE-08")
            .refused("store.not_installed"),
    ]
}

/// A call that needs approval, and the file of remembered approvals.
fn approvals() -> Vec<Case> {
    let why = "A file of approvals that is not as it has to be approves nothing.";
    let mut manifest = manifest();
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    let package = Package::new().with_manifest(&manifest).bytes();
    let of = |id: &str, file: Value| {
        Case::store(&format!("approvals-{id}"))
            .with("files", json!({ "approvals.json": file }))
            .package("store/asking", &package)
            .with("call", "org.example.echo")
            .with("tool", "echo")
            .with("arguments", json!({}))
    };
    let entry = json!({
        "package": "org.example.echo", "content_hash": format!("sha256:{}", "ab".repeat(32)),
        "grants": format!("sha256:{}", "cd".repeat(32)), "capabilities": ["x"], "by": "Ann",
        "at": "2026-01-01T00:00:00Z",
    });
    let file = |approvals: Value| {
        json!({ "format": "mpp-approvals/1", "approvals": approvals }).to_string()
    };
    let with = |member: &str, value: Value| {
        let mut entry = entry.clone();
        entry[member] = value;
        file(json!([entry]))
    };
    let less = |member: &str| {
        let mut entry = entry.clone();
        entry.as_object_mut().map(|members| members.remove(member));
        file(json!([entry]))
    };
    let empty = r#"{"format":"mpp-approvals/1"}"#;
    let many = |count: usize| {
        let head = format!("{{\"format\":\"mpp-approvals/1\",\"approvals\":[{entry}");
        let more = Part { bytes: format!(",{entry}").into_bytes(), times: count - 1 };
        parts_json(&[Part::once(head), more, Part::once("]}")])
    };
    let padded = |bytes: usize| {
        let spaces = Part { bytes: vec![b' '], times: bytes - empty.len() };
        parts_json(&[Part::once(empty), spaces])
    };
    let mut cases = Vec::new();
    for (id, title, spec, text) in [
        ("none", "A file without approvals", "CONS-32", json!(empty)),
        (
            "other",
            "The approval of another package",
            "CONS-32 CONS-02",
            json!(file(json!([entry]))),
        ),
        ("most", "1000 approvals", "CONS-32 LIM-255", many(1000)),
        ("longest", "A file of 8 MiB", "CONS-32 LIM-256", padded(8 << 20)),
    ] {
        cases.push(
            of(id, text)
                .says(&format!("Approvals: {title}"), "What nobody approved does not run.")
                .spec(spec)
                .refused("policy.confirmation_required"),
        );
    }
    let deep = empty.replace('}', &format!(",\"x\":{}1{}}}", "[".repeat(8), "]".repeat(8)));
    for (id, title, spec, text) in [
        ("more", "1001 approvals", "CONS-32 LIM-255", many(1001)),
        ("too-long", "A file of 8 MiB and one byte", "CONS-32 LIM-256", padded((8 << 20) + 1)),
        ("text", "A text that is not JSON", "CONS-32", json!("hello")),
        ("format", "Another format", "CONS-32", json!(empty.replace("/1", "/2"))),
        ("member", "An unknown member", "CONS-32", json!(with("x", json!(1)))),
        ("less", "An approval by no one", "CONS-32", json!(less("by"))),
        (
            "name",
            "An approval by a name with a line feed",
            "CONS-32",
            json!(with("by", json!("a\nb"))),
        ),
        (
            "time",
            "An approval at a time that is none",
            "CONS-32",
            json!(with("at", json!("today"))),
        ),
        (
            "package",
            "An approval of a package whose id is none",
            "CONS-32",
            json!(with("package", json!("Echo"))),
        ),
        (
            "hash",
            "An approval of a content hash that is none",
            "CONS-32",
            json!(with("content_hash", json!("x"))),
        ),
        (
            "list",
            "Capabilities that are no list",
            "CONS-32",
            json!(with("capabilities", json!("x"))),
        ),
        ("deep", "A file nested 9 deep", "CONS-32 LIM-72", json!(deep)),
    ] {
        cases.push(
            of(id, text)
                .says(&format!("Approvals: {title}"), why)
                .spec(spec)
                .refused("consent.invalid"),
        );
    }
    cases
}
