//! Check 2, the table of entries, and check 3, `signature.json` and the content hash.

use super::case::Case;
use super::crypto::{sha256_hex, AUTHOR};
use super::package::{module, record, Package};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = structure();
    cases.extend(records());
    cases.extend(hashes());
    cases
}

fn structure() -> Vec<Case> {
    let missing =
        "What a package needs is there or the package is refused, before anything is parsed.";
    let unknown = "An entry that is not read is a place to hide something in.";
    let without_signature = {
        let mut zip = Package::new().zip();
        zip.entries.retain(|entry| entry.local.name != b"signature.json");
        zip.bytes()
    };
    let mut cases = Vec::new();
    for (id, title, package) in [
        ("no-manifest", "No manifest", Package::new().without("manifest.json")),
        ("no-module", "No module", Package::new().without("tool.wasm")),
        (
            "module-in-assets-only",
            "The only module lies under assets",
            Package::new().without("tool.wasm").with("assets/tool.wasm", module()),
        ),
        (
            "module-suffix-case",
            "The only module ends in .WASM",
            Package::new().without("tool.wasm").with("assets/x.WASM", module()),
        ),
    ] {
        cases.push(
            package
                .case(2, &format!("structure/{id}"))
                .says(title, missing)
                .spec("PKG-01")
                .refused("structure.missing_entry"),
        );
    }
    cases.push(
        Case::verify(2, "structure/no-signature", without_signature)
            .says("No signature file", missing)
            .spec("PKG-01")
            .refused("structure.missing_entry"),
    );
    cases.push(
        Package::new()
            .with("other.wasm", module())
            .case(2, "structure/two-modules")
            .says("Two modules", "Which one runs must not be a question.")
            .spec("PKG-01")
            .refused("structure.unknown_entry"),
    );
    for (id, title, name) in [
        ("unknown-file", "A file at the top that the table does not list", "notes.txt"),
        ("unknown-folder", "A file in another directory than assets", "src/main.c"),
        ("module-in-folder", "A second module in another directory", "lib/other.wasm"),
        ("readme-case", "A readme in another case", "readme.md"),
        ("module-upper-case", "A module that ends in .WASM", "other.WASM"),
        ("license-extension", "A license with an extension", "LICENSE.txt"),
        ("manifest-backup", "A manifest with another ending", "manifest.json.bak"),
        ("assets-prefix", "A directory whose name only starts like assets", "assets2/x"),
        ("java-archive", "The manifest of a Java archive", "META-INF/MANIFEST.MF"),
        ("hidden-file", "A hidden file", ".env"),
    ] {
        cases.push(
            Package::new()
                .with(name, "x")
                .case(2, &format!("structure/{id}"))
                .says(title, unknown)
                .spec("PKG-02")
                .refused("structure.unknown_entry"),
        );
    }
    cases.push(
        Package::new()
            .without("tool.wasm")
            .with(".wasm", module())
            .case(6, "structure/module-without-stem")
            .says("A module whose whole name is .wasm", "No manifest can name it as its entry.")
            .spec("PKG-01 GATE-03 MAN-16")
            .refused("manifest.entry_missing"),
    );
    let full = Package::new()
        .with("LICENSE", "Anyone may use this.\n")
        .with("README.md", "# Echo\n")
        .with("assets/a/b.txt", "b\n")
        .with("assets/signature.json", "{}")
        .with("assets/second.wasm", "not a module\n");
    cases.push(
        full.case(2, "structure/accept-every-entry")
            .says("Every kind of entry", "Under assets any name is a name like others.")
            .spec("PKG-01 PKG-02"),
    );
    let renamed = {
        let mut manifest = super::package::manifest();
        manifest["runtime"]["entry"] = "other.wasm".into();
        let package = Package::new().without("tool.wasm").with_manifest(&manifest);
        package.with("other.wasm", module())
    };
    cases.push(
        renamed
            .case(2, "structure/accept-module-name")
            .says("A module of another name", "The manifest says which name.")
            .spec("PKG-01 GATE-03"),
    );
    cases
}

/// A package whose `signature.json` is this text.
fn recorded(text: impl AsRef<[u8]>) -> Package {
    Package::new().with("signature.json", text)
}

fn records() -> Vec<Case> {
    let valid = Package::new().signature();
    let text = valid.to_string();
    let change = |change: &dyn Fn(&mut Value)| {
        let mut value = valid.clone();
        change(&mut value);
        value.to_string()
    };
    let remove = |object: &mut Value, key: &str| {
        object.as_object_mut().map(|object| object.remove(key));
    };
    let syntax = "Two readers of one text must see one record.";
    let closed = "What an older reader would pass over, a newer one might honour.";
    let bare = |text: &str| text.get(1..).unwrap_or_default().to_owned();
    let longer = {
        let spaces = " ".repeat(16 * 1024 + 1 - text.len());
        format!("{text}{spaces}")
    };
    let mut cases = Vec::new();
    for (id, title, why, spec, text) in [
        ("empty", "An empty file", syntax, "SIG-01 JSON-01", String::new()),
        ("not-json", "Text that is not JSON", syntax, "SIG-01 JSON-01", "signed by me\n".into()),
        (
            "byte-order-mark",
            "A byte order mark",
            syntax,
            "SIG-01 JSON-01",
            format!("\u{feff}{text}"),
        ),
        ("trailing-text", "Text after the object", syntax, "SIG-01 JSON-03", format!("{text} x")),
        (
            "second-object",
            "A second object after the first",
            syntax,
            "SIG-01 JSON-03",
            format!("{text}{text}"),
        ),
        (
            "trailing-comma",
            "A comma too many",
            syntax,
            "SIG-01 JSON-01",
            text.replace("\"}]}", "\"}],}"),
        ),
        ("comment", "A comment", syntax, "SIG-01 JSON-01", format!("/* signed */{text}")),
        ("nul-behind", "A NUL after the object", syntax, "SIG-01 JSON-03", format!("{text}\0")),
        (
            "duplicate-key",
            "Two content hashes",
            syntax,
            "SIG-01 JSON-02",
            format!("{{\"content_hash\":\"sha256:{}\",{}", "0".repeat(64), bare(&text)),
        ),
        (
            "duplicate-key-escaped",
            "Two content hashes, one name written with an escape",
            syntax,
            "SIG-01 JSON-02",
            format!("{{\"content\\u005fhash\":\"sha256:{}\",{}", "0".repeat(64), bare(&text)),
        ),
        (
            "duplicate-key-inside",
            "Two keys of one name in a signature",
            syntax,
            "SIG-01 JSON-02",
            text.replace(
                "\"algorithm\":\"Ed25519\"",
                "\"algorithm\":\"none\",\"algorithm\":\"Ed25519\"",
            ),
        ),
        (
            "too-long",
            "A file one byte above its limit, by white space",
            "The file has a limit, so that it can be parsed before anyone is trusted.",
            "SIG-01",
            longer,
        ),
        (
            "too-deep",
            "Arrays inside arrays",
            closed,
            "SIG-01 JSON-04",
            change(&|v| v["signatures"] = json!([[[[]]]])),
        ),
        ("array", "An array in place of the object", closed, "SIG-01", json!([valid]).to_string()),
        ("text", "A text in place of the object", closed, "SIG-01", json!(text).to_string()),
        ("unknown-key", "A further key", closed, "SIG-01", change(&|v| v["note"] = "x".into())),
        (
            "unknown-key-inside",
            "A further key in a signature",
            closed,
            "SIG-01",
            change(&|v| v["signatures"][0]["note"] = "x".into()),
        ),
        ("no-format", "No format", closed, "SIG-01", change(&|v| remove(v, "format"))),
        (
            "no-content-hash",
            "No content hash",
            closed,
            "SIG-01",
            change(&|v| remove(v, "content_hash")),
        ),
        (
            "no-signatures",
            "No list of signatures",
            closed,
            "SIG-01",
            change(&|v| remove(v, "signatures")),
        ),
        (
            "format-other",
            "Another format",
            closed,
            "SIG-01",
            change(&|v| v["format"] = "mpp-signature/2".into()),
        ),
        (
            "format-number",
            "A number as format",
            closed,
            "SIG-01",
            change(&|v| v["format"] = 1.into()),
        ),
        (
            "signatures-object",
            "An object in place of the list of signatures",
            closed,
            "SIG-01",
            change(&|v| v["signatures"] = v["signatures"][0].clone()),
        ),
        (
            "signatures-null",
            "Null in place of the list of signatures",
            closed,
            "SIG-01",
            change(&|v| v["signatures"] = Value::Null),
        ),
        (
            "signature-text",
            "A text in place of a signature",
            closed,
            "SIG-01",
            change(&|v| v["signatures"] = json!(["x"])),
        ),
        (
            "no-algorithm",
            "A signature without its algorithm",
            closed,
            "SIG-01",
            change(&|v| remove(&mut v["signatures"][0], "algorithm")),
        ),
        (
            "no-key-id",
            "A signature without its key id",
            closed,
            "SIG-01",
            change(&|v| remove(&mut v["signatures"][0], "key_id")),
        ),
        (
            "no-public-key",
            "A signature without its key",
            closed,
            "SIG-01",
            change(&|v| remove(&mut v["signatures"][0], "public_key")),
        ),
        (
            "no-signed-at",
            "A signature without its time",
            closed,
            "SIG-01",
            change(&|v| remove(&mut v["signatures"][0], "signed_at")),
        ),
        (
            "no-signature",
            "A signature without its bytes",
            closed,
            "SIG-01",
            change(&|v| remove(&mut v["signatures"][0], "signature")),
        ),
        (
            "signed-at-number",
            "A number as the time of a signature",
            closed,
            "SIG-01",
            change(&|v| v["signatures"][0]["signed_at"] = 0.into()),
        ),
        (
            "signature-null",
            "Null as the bytes of a signature",
            closed,
            "SIG-01",
            change(&|v| v["signatures"][0]["signature"] = Value::Null),
        ),
        (
            "hash-upper-case",
            "The content hash in upper case",
            "One hash, one text: it is compared as text everywhere.",
            "SIG-01 HASH-02 SIG-05",
            upper(&text, &valid),
        ),
        (
            "hash-without-prefix",
            "The content hash without its prefix",
            "One hash, one text.",
            "SIG-01 HASH-02",
            text.replace("sha256:", ""),
        ),
        (
            "hash-other-prefix",
            "The content hash with the prefix of SHA-512",
            "No other hash can be requested.",
            "SIG-01 HASH-02",
            text.replace("sha256:", "sha512:"),
        ),
        (
            "hash-short",
            "A content hash of 31 bytes",
            "One hash, one text.",
            "SIG-01 HASH-02",
            change(&|v| v["content_hash"] = format!("sha256:{}", "0".repeat(62)).into()),
        ),
        (
            "hash-number",
            "A number as content hash",
            closed,
            "SIG-01 HASH-02",
            change(&|v| v["content_hash"] = 0.into()),
        ),
    ] {
        cases.push(
            recorded(text)
                .case(3, &format!("content/record-{id}"))
                .says(title, why)
                .spec(spec)
                .refused("content.record_invalid"),
        );
    }
    let latin = text.replace("Ed25519", "Ed\u{fc}5519").replace('\u{fc}', "\u{1}").into_bytes();
    let latin: Vec<u8> = latin.iter().map(|byte| if *byte == 1 { 0xfc } else { *byte }).collect();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (id, title, text) in
        [("invalid-utf8", "A byte that is not UTF-8", latin), ("utf16", "UTF-16", utf16)]
    {
        cases.push(
            recorded(text)
                .case(3, &format!("content/record-{id}"))
                .says(title, syntax)
                .spec("SIG-01 JSON-01")
                .refused("content.record_invalid"),
        );
    }
    let spread = format!(" {}\r\n\t", serde_json::to_string_pretty(&valid).unwrap_or_default());
    cases.push(
        recorded(spread)
            .case(3, "content/accept-record-white-space")
            .says(
                "A record with other white space",
                "White space says nothing, and is not what is signed.",
            )
            .spec("SIG-01 SIG-03"),
    );
    cases.push(
        recorded(text.replace("content_hash", "content\\u005fhash"))
            .case(3, "content/accept-record-escape")
            .says("A key written with an escape", "JSON has several ways to write one name.")
            .spec("SIG-01"),
    );
    cases
}

fn upper(text: &str, valid: &Value) -> String {
    let hash = valid["content_hash"].as_str().unwrap_or_default();
    let digits = hash.trim_start_matches("sha256:");
    text.replace(digits, &digits.to_uppercase())
}

fn hashes() -> Vec<Case> {
    let swapped = "An entry that is swapped after signing is another content.";
    let parent = Package::new().with("assets/a.txt", "a\n").with("README.md", "# Echo\n");
    let signature = format!("{:#}\n", parent.signature());
    let kept = |package: Package| package.with("signature.json", &signature);
    let moved = parent.clone().without("assets/a.txt").with("assets/b.txt", "a\n");
    let mut manifest = super::package::manifest();
    manifest["runtime"]["timeout_ms"] = 600_000.into();
    let mut cases = Vec::new();
    for (id, title, package) in [
        (
            "module-swapped",
            "Another module",
            parent.clone().with("tool.wasm", [module(), vec![0, 2, 1, b'x']].concat()),
        ),
        ("manifest-swapped", "Another manifest", parent.clone().with_manifest(&manifest)),
        (
            "asset-altered",
            "One letter of an asset altered",
            parent.clone().with("assets/a.txt", "b\n"),
        ),
        ("asset-emptied", "An asset emptied", parent.clone().with("assets/a.txt", "")),
        ("asset-removed", "An asset removed", parent.clone().without("assets/a.txt")),
        ("asset-added", "An asset added", parent.clone().with("assets/b.txt", "b\n")),
        ("asset-renamed", "An asset renamed", moved),
        (
            "asset-moved",
            "An asset moved to another directory",
            parent.clone().without("assets/a.txt").with("assets/x/a.txt", "a\n"),
        ),
        ("readme-altered", "The readme altered", parent.clone().with("README.md", "# Other\n")),
        (
            "contents-exchanged",
            "Two contents exchanged between their names",
            parent.clone().with("assets/a.txt", "# Echo\n").with("README.md", "a\n"),
        ),
    ] {
        cases.push(
            kept(package)
                .case(3, &format!("content/{id}"))
                .says(title, swapped)
                .spec("HASH-01 HASH-03")
                .refused("content.hash_mismatch"),
        );
    }
    let other = "Another way to compute the hash is another hash, however well it is signed.";
    let named = |hash: String| {
        let signed = json!({ "format": "mpp-signature/1", "content_hash": hash, "signatures": [record(AUTHOR, &hash)] });
        Package::new().with("signature.json", signed.to_string())
    };
    let line = |name: &str, content: &[u8]| format!("{}  {name}\n", sha256_hex(content));
    let manifest = super::package::manifest().to_string().into_bytes();
    let lines = [line("manifest.json", &manifest), line("tool.wasm", &module())];
    let hash = |listing: &str| format!("sha256:{}", sha256_hex(listing.as_bytes()));
    for (id, title, spec, found) in [
        (
            "hash-of-module",
            "The hash of the module alone",
            "HASH-01 HASH-03",
            format!("sha256:{}", sha256_hex(&module())),
        ),
        ("hash-of-zeros", "A hash of zeros", "HASH-03", format!("sha256:{}", "0".repeat(64))),
        ("hash-of-nothing", "The hash of an empty listing", "HASH-01 HASH-03", hash("")),
        (
            "hash-order",
            "A listing in descending order",
            "HASH-01",
            hash(&[lines[1].clone(), lines[0].clone()].concat()),
        ),
        (
            "hash-one-space",
            "A listing with one space",
            "HASH-01",
            hash(&lines.concat().replace("  ", " ")),
        ),
        (
            "hash-star",
            "A listing with stars, as `sha256sum -b` writes it",
            "HASH-01",
            hash(&lines.concat().replace("  ", " *")),
        ),
        (
            "hash-dot-slash",
            "A listing with `./` before each name",
            "HASH-01",
            hash(&lines.concat().replace("  ", "  ./")),
        ),
        (
            "hash-crlf",
            "A listing with CR LF",
            "HASH-01",
            hash(&lines.concat().replace('\n', "\r\n")),
        ),
        (
            "hash-last-line-open",
            "A listing without its last line feed",
            "HASH-01",
            hash(lines.concat().trim_end()),
        ),
        (
            "hash-upper-case-listing",
            "A listing with digits in upper case",
            "HASH-01",
            hash(&lines.concat().to_uppercase()),
        ),
        (
            "hash-with-signature",
            "A listing with a line for an empty signature.json",
            "HASH-01",
            hash(&[lines[0].clone(), line("signature.json", b""), lines[1].clone()].concat()),
        ),
        ("hash-of-archive", "The hash of the archive of the contents", "HASH-01", {
            let mut zip = Package::new().zip();
            zip.entries.retain(|entry| entry.local.name != b"signature.json");
            format!("sha256:{}", sha256_hex(&zip.bytes()))
        }),
    ] {
        cases.push(
            named(found)
                .case(3, &format!("content/{id}"))
                .says(title, other)
                .spec(spec)
                .refused("content.hash_mismatch"),
        );
    }
    cases
}
