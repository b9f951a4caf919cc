//! Files of the host: keys, trust stores, policies.

use super::case::Case;
use super::crypto::{
    base64, pem, public_pem, unhex, APPROVER, AUTHOR, BASE_PLUS_ORDER_8, NEUTRAL, ORDER_8,
};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = keys();
    cases.extend(stores());
    cases.extend(policies());
    cases
}

fn key(id: &str, kind: &str, text: impl Into<Vec<u8>>) -> Case {
    let extension = if kind == "private" { "key" } else { "pub" };
    Case::host("key", &format!("key/{id}"), extension, text).with("kind", kind)
}

fn keys() -> Vec<Case> {
    let (private, public) = (AUTHOR.private_pem(), AUTHOR.public_pem());
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    let one = "A file with more than one item is read as one of them.";
    let form = "One form for a key, which OpenSSL reads and writes too.";
    let invalid = "key.invalid";
    let prefix = unhex("302e020100300506032b657004220420");
    let der = |head: &[u8], tail: &[u8]| pem("PRIVATE KEY", &[head, &[1; 32], tail].concat());
    let spki = |head: &str, key: &[u8]| pem("PUBLIC KEY", &[unhex(head), key.to_vec()].concat());
    let plain = "302a300506032b6570032100";
    let version_2 = |public: &[u8]| {
        let parts =
            [&unhex("3051020101300506032b657004220420")[..], &[1; 32], &unhex("812100"), public];
        pem("PRIVATE KEY", &parts.concat())
    };
    let mut cases = Vec::new();
    for (id, title, kind, text) in [
        ("empty", "An empty file", "private", String::new()),
        ("no-pem", "Text that is not a key", "private", "my key is secret\n".into()),
        ("raw-base64", "The seed in base64", "private", base64(&[1; 32])),
        ("raw-hex", "The seed in hexadecimal", "private", "01".repeat(32)),
        ("cut", "A file that was cut", "private", private[..60].to_owned()),
        ("two-keys", "Two private keys", "private", format!("{private}{}", APPROVER.private_pem())),
        (
            "both-halves",
            "A private key and its public half",
            "private",
            format!("{private}{public}"),
        ),
        ("text-before", "Text before the key", "private", format!("my key:\n{private}")),
        ("text-behind", "Text after the key", "private", format!("{private}keep it secret\n")),
        (
            "public-as-private",
            "A public key where a private one is wanted",
            "private",
            public.clone(),
        ),
        (
            "private-as-public",
            "A private key where a public one is wanted",
            "public",
            private.clone(),
        ),
        (
            "encrypted-label",
            "An encrypted key",
            "private",
            private.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        ),
        (
            "openssh",
            "A key of OpenSSH",
            "private",
            private.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
        ),
        (
            "labels-differ",
            "Two different labels",
            "private",
            private.replace("END PRIVATE KEY", "END PUBLIC KEY"),
        ),
        (
            "seed-31",
            "A seed of 31 bytes",
            "private",
            pem("PRIVATE KEY", &[unhex("302d020100300506032b65700421041f"), vec![1; 31]].concat()),
        ),
        (
            "seed-33",
            "A seed of 33 bytes",
            "private",
            der(&unhex("302f020100300506032b657004230421"), &[1]),
        ),
        ("private-tail", "Bytes after the key inside the block", "private", der(&prefix, &[0])),
        (
            "x25519",
            "A key for X25519",
            "private",
            der(&unhex("302e020100300506032b656e04220420"), &[]),
        ),
        (
            "ed448",
            "A key for Ed448",
            "private",
            der(&unhex("302e020100300506032b657104220420"), &[]),
        ),
        (
            "rsa",
            "The start of an RSA key",
            "private",
            pem("PRIVATE KEY", &unhex("30820276020100300d06092a864886f70d0101010500")),
        ),
        (
            "version-2-of-another",
            "Version 2 of the private form, with the public key of another key",
            "private",
            version_2(&APPROVER.public()),
        ),
        (
            "public-two-keys",
            "Two public keys",
            "public",
            format!("{public}{}", APPROVER.public_pem()),
        ),
        (
            "public-certificate",
            "A label of a certificate",
            "public",
            public.replace("PUBLIC KEY", "CERTIFICATE"),
        ),
        (
            "public-x25519",
            "A public key for X25519",
            "public",
            spki("302a300506032b656e032100", &AUTHOR.public()),
        ),
        (
            "public-31",
            "A public key of 31 bytes",
            "public",
            spki("3029300506032b6570032000", &AUTHOR.public()[..31]),
        ),
        (
            "public-tail",
            "Bytes after the public key inside the block",
            "public",
            spki(plain, &[&AUTHOR.public()[..], &[0]].concat()),
        ),
        (
            "public-unused-bits",
            "A bit string with unused bits",
            "public",
            spki("302a300506032b6570032101", &AUTHOR.public()),
        ),
        ("byte-order-mark", "A byte order mark", "private", format!("\u{feff}{private}")),
        ("space-before", "A space before the block", "private", format!(" {private}")),
        ("space-line", "A line of one space after the block", "private", format!("{private} \n")),
        ("form-feed", "A form feed after the block", "private", format!("{private}\u{c}")),
        ("vertical-tab", "A vertical tab before the block", "private", format!("\u{b}{private}")),
        ("no-break-space", "A no-break space after it", "private", format!("{private}\u{a0}")),
        (
            "space-at-line-end",
            "A space at the end of a line",
            "private",
            private.replace("-----\nM", "----- \nM"),
        ),
        (
            "space-inside",
            "A space inside the base64",
            "private",
            private.replace("\nMC4CAQAw", "\nMC4C AQAw"),
        ),
        (
            "blank-line-inside",
            "A blank line inside the block",
            "private",
            private.replace("-----\nM", "-----\n\nM"),
        ),
        ("one-line", "Everything on one line", "private", private.replace('\n', "")),
        ("spaces-for-lines", "Spaces in place of line ends", "private", private.replace('\n', " ")),
        ("carriage-returns", "Lone CR as line ends", "private", private.replace('\n', "\r")),
        (
            "carriage-return-last",
            "A lone CR at the end",
            "private",
            private.trim_end().to_owned() + "\r",
        ),
        ("no-content", "A block of no lines", "private", format!("{begin}\n{end}\n")),
        ("no-end", "A block without its end", "private", private.replace(end, "")),
        (
            "header-line",
            "A header as in RFC 1421",
            "private",
            private.replace("-----\nM", "-----\nA: b\n\nM"),
        ),
        (
            "file-long",
            "A file of 4,097 bytes",
            "private",
            private.clone() + &"\n".repeat(4097 - private.len()),
        ),
        ("public-space-before", "A space before a public key", "public", format!(" {public}")),
        ("public-one-line", "A public key on one line", "public", public.replace('\n', "")),
        (
            "public-carriage-returns",
            "A public key with lone CR",
            "public",
            public.replace('\n', "\r"),
        ),
        ("public-unpadded", "A public key without padding", "public", public.replace('=', "")),
        (
            "public-spare-bit",
            "A public key with a spare bit of the base64 set",
            "public",
            public.replace("w=\n", "x=\n"),
        ),
    ] {
        let why = if id.contains("two") || id.contains("text") || id == "both-halves" {
            one
        } else {
            form
        };
        cases.push(key(id, kind, text).says(title, why).spec("KEY-03").refused(invalid));
    }
    for (id, title, kind, text) in [
        ("not-utf-8", "A byte that is not UTF-8 before a private key", "private", &private),
        ("public-not-utf-8", "A byte that is not UTF-8 before a public key", "public", &public),
    ] {
        let bytes = [b"\xff", text.as_bytes()].concat();
        cases.push(key(id, kind, bytes).says(title, form).spec("KEY-03").refused(invalid));
    }
    let weak =
        "With such a key one signature can be valid for many messages, or for some verifiers only.";
    for (id, title, point) in [
        ("neutral", "The neutral element", NEUTRAL),
        ("order-8", "A point of order 8", ORDER_8),
        ("mixed-order", "A point of mixed order", BASE_PLUS_ORDER_8),
        (
            "not-canonical",
            "A y of p + 1",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "not-on-curve",
            "Bytes that are not a point of the curve",
            "0200000000000000000000000000000000000000000000000000000000000000",
        ),
    ] {
        cases.push(
            key(&format!("weak-{id}"), "public", public_pem(&unhex(point)))
                .says(title, weak)
                .spec("KEY-02")
                .refused("key.weak"),
        );
    }
    let openssl = "OpenSSL writes it so.";
    for (id, title, kind, text) in [
        ("private", "A private key", "private", private.clone()),
        ("public", "A public key", "public", public.clone()),
        ("crlf", "A private key with CRLF", "private", private.replace('\n', "\r\n")),
        ("public-crlf", "A public key with CRLF", "public", public.replace('\n', "\r\n")),
        (
            "no-last-line-end",
            "A key without its last line end",
            "private",
            private.trim().to_owned(),
        ),
        (
            "file-longest",
            "A file of 4,096 bytes",
            "private",
            private.clone() + &"\n".repeat(4096 - private.len()),
        ),
        ("blank-lines", "Blank lines around a key", "private", format!("\n{private}\n\n")),
    ] {
        cases.push(
            key(&format!("accept-{id}"), kind, text).says(title, openssl).spec("KEY-01 KEY-03"),
        );
    }
    let both = "RFC 8410 allows the public key beside the private one; ring and Java write it so.";
    let title = "Version 2 of the private form, with the public key inside";
    let file = version_2(&AUTHOR.public());
    cases.push(key("version-2", "private", file).says(title, both).spec("KEY-03"));
    let head = unhex("3053020101300506032b657004220420");
    let explicit = [&head[..], &[1; 32], &unhex("a123032100"), &AUTHOR.public()].concat();
    cases.push(
        key("version-2-explicit", "private", pem("PRIVATE KEY", &explicit))
            .says("Version 2 with an explicit tag", "ring wrote it so before 0.17.")
            .spec("KEY-03"),
    );
    cases
}

fn store(id: &str, text: impl Into<Vec<u8>>) -> Case {
    Case::host("trust", &format!("trust/{id}"), "store", text)
}

fn valid_store() -> Value {
    json!({
        "format": "mpp-trust/1",
        "publishers": [{ "name": "Author", "namespaces": ["org.example"], "keys": [{
            "key_id": AUTHOR.id(), "public_key": base64(&AUTHOR.public()),
            "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z" }] }],
        "revoked_keys": [{ "key_id": APPROVER.id(), "revoked_at": "2026-05-01T00:00:00Z", "reason": "lost" }],
        "revoked_contents": [{ "content_hash": format!("sha256:{}", "0".repeat(64)), "revoked_at": "2026-05-01T00:00:00Z", "reason": "leaks" }],
        "versions": [{ "id": "org.example.echo", "version": "1.0.0" }],
    })
}

fn changed(base: Value, pointer: &str, value: Value) -> String {
    let mut whole = base;
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    match whole.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            match value {
                // The value null represents a member that is removed.
                Value::Null => members.remove(name),
                value => members.insert(name.to_owned(), value),
            };
        }
        Some(Value::Array(items)) => items.push(value),
        _ => panic!("the parent has nothing at {parent}"),
    }
    whole.to_string()
}

fn stores() -> Vec<Case> {
    let text = valid_store().to_string();
    let strict = "What one reader skipped, another would honour; a store that is not valid is never read as empty.";
    let publisher = valid_store()["publishers"][0].clone();
    let with = |name: &str, key: Value| {
        let mut twin = publisher.clone();
        twin["name"] = name.into();
        twin["keys"] = json!([key]);
        changed(valid_store(), "/publishers/-", twin)
    };
    let plain = |key: super::crypto::Key| json!({ "key_id": key.id(), "public_key": base64(&key.public()) });
    let change = |pointer: &str, value: Value| changed(valid_store(), pointer, value);
    let point = |hex: &str| {
        let bytes = unhex(hex);
        let mut store = valid_store();
        store["publishers"][0]["keys"][0]["public_key"] = base64(&bytes).into();
        store["publishers"][0]["keys"][0]["key_id"] = super::crypto::sha256_hex(&bytes).into();
        store.to_string()
    };
    let revoked = valid_store()["revoked_keys"][0].clone();
    let version = json!({ "id": "org.example.echo", "version": "1.1.0" });
    let again = valid_store()["revoked_contents"][0].clone();
    let mut cases = Vec::new();
    for (id, title, spec, text) in [
        ("empty", "An empty file", "TRUST-01", String::new()),
        ("not-json", "Text that is not JSON", "TRUST-01 JSON-01", "trust nobody\n".into()),
        ("array", "An array in place of the object", "TRUST-01", "[]".into()),
        ("null", "Null in place of the object", "TRUST-01", "null".into()),
        ("no-format", "No format", "TRUST-01", change("/format", Value::Null)),
        ("format-other", "Another format", "TRUST-01", change("/format", json!("mpp-trust/2"))),
        ("unknown-member", "An unknown member", "TRUST-01", change("/trusted", json!(true))),
        (
            "duplicate-member",
            "Two lists of publishers",
            "TRUST-01 JSON-02",
            text.replacen('{', "{\"publishers\":[],", 1),
        ),
        (
            "publishers-object",
            "Publishers as an object",
            "TRUST-01",
            change("/publishers", json!({})),
        ),
        (
            "publisher-unknown-member",
            "An unknown member of a publisher",
            "TRUST-01",
            change("/publishers/0/admin", json!(true)),
        ),
        (
            "publisher-no-name",
            "A publisher without a name",
            "TRUST-01",
            change("/publishers/0/name", Value::Null),
        ),
        (
            "publisher-no-keys",
            "A publisher without a list of keys",
            "TRUST-01",
            change("/publishers/0/keys", Value::Null),
        ),
        (
            "publisher-empty-keys",
            "A publisher with no key",
            "TRUST-01",
            change("/publishers/0/keys", json!([])),
        ),
        (
            "publisher-no-namespaces",
            "A publisher without namespaces",
            "TRUST-01",
            change("/publishers/0/namespaces", Value::Null),
        ),
        (
            "publisher-twice",
            "Two publishers of one name",
            "TRUST-01",
            with("Author", plain(APPROVER)),
        ),
        (
            "publisher-twin",
            "Two publishers whose names differ in case",
            "TRUST-02",
            with("AUTHOR", plain(APPROVER)),
        ),
        ("name-empty", "An empty name", "TRUST-02", change("/publishers/0/name", json!(""))),
        (
            "name-control",
            "A name with a control character",
            "TRUST-02",
            change("/publishers/0/name", json!("Au\u{1b}thor")),
        ),
        (
            "name-unicode",
            "A name with a letter that looks like another",
            "TRUST-02",
            change("/publishers/0/name", json!("Аuthor")),
        ),
        (
            "name-space",
            "A name that ends with a space",
            "TRUST-02",
            change("/publishers/0/name", json!("Author ")),
        ),
        (
            "name-long",
            "A name of 257 bytes",
            "TRUST-02",
            change("/publishers/0/name", json!("a".repeat(257))),
        ),
        (
            "approves-empty",
            "An approver of nothing",
            "TRUST-22 TRUST-01",
            change("/publishers/0/approves", json!([])),
        ),
        (
            "approves-text",
            "A text in place of what a publisher approves",
            "TRUST-22 TRUST-01",
            change("/publishers/0/approves", json!("org.example")),
        ),
        (
            "approves-star-inside",
            "A star at the end of what a publisher approves",
            "TRUST-22 TRUST-03",
            change("/publishers/0/approves", json!(["org.example.*"])),
        ),
        (
            "namespace-star-inside",
            "A star at the end of a namespace",
            "TRUST-03 TRUST-06",
            change("/publishers/0/namespaces", json!(["org.example.*"])),
        ),
        (
            "namespace-empty",
            "An empty namespace",
            "TRUST-03",
            change("/publishers/0/namespaces", json!([""])),
        ),
        (
            "namespace-upper-case",
            "A namespace in upper case",
            "TRUST-03",
            change("/publishers/0/namespaces", json!(["Org.example"])),
        ),
        (
            "namespace-trailing-dot",
            "A namespace that ends in a dot",
            "TRUST-03",
            change("/publishers/0/namespaces", json!(["org.example."])),
        ),
        (
            "namespace-punycode",
            "A namespace with a label of another alphabet",
            "TRUST-03 MAN-10",
            change("/publishers/0/namespaces", json!(["org.xn--a"])),
        ),
        (
            "namespace-text",
            "A text in place of the namespaces",
            "TRUST-01",
            change("/publishers/0/namespaces", json!("org.example")),
        ),
        (
            "key-id-other",
            "A key under the id of another",
            "TRUST-04",
            change("/publishers/0/keys/0/key_id", json!(APPROVER.id())),
        ),
        (
            "key-id-upper-case",
            "A key id in upper case",
            "TRUST-01",
            change("/publishers/0/keys/0/key_id", json!(AUTHOR.id().to_uppercase())),
        ),
        (
            "key-unpadded",
            "A key without its padding",
            "TRUST-01",
            change(
                "/publishers/0/keys/0/public_key",
                json!(base64(&AUTHOR.public()).trim_end_matches('=')),
            ),
        ),
        (
            "key-unknown-member",
            "An unknown member of a key",
            "TRUST-01",
            change("/publishers/0/keys/0/trusted", json!(true)),
        ),
        ("key-two-holders", "One key of two publishers", "TRUST-04", with("Other", plain(AUTHOR))),
        ("key-twice", "One key twice", "TRUST-01", change("/publishers/0/keys/-", plain(AUTHOR))),
        (
            "validity-crossed",
            "A period that ends before it starts",
            "TRUST-05",
            change("/publishers/0/keys/0/valid_until", json!("2025-12-31T23:59:59Z")),
        ),
        (
            "validity-form",
            "A time in another form",
            "TRUST-01",
            change("/publishers/0/keys/0/valid_from", json!("2026-01-01")),
        ),
        (
            "valid-from-1969",
            "A key valid from before 1970",
            "TRUST-05 SIG-05",
            change("/publishers/0/keys/0/valid_from", json!("1969-12-31T23:59:59Z")),
        ),
        (
            "valid-until-leap-second",
            "A key valid until a leap second",
            "TRUST-05 SIG-05",
            change("/publishers/0/keys/0/valid_until", json!("2026-12-31T23:59:60Z")),
        ),
        (
            "revoked-at-year-0",
            "A revocation in the year 0",
            "TRUST-13 SIG-05",
            change("/revoked_contents/0/revoked_at", json!("0000-01-01T00:00:00Z")),
        ),
        (
            "revoked-key-twice",
            "A key revoked twice",
            "TRUST-01",
            change("/revoked_keys/-", revoked),
        ),
        (
            "revoked-key-no-reason",
            "A revocation without a reason",
            "TRUST-01 TRUST-13",
            change("/revoked_keys/0/reason", Value::Null),
        ),
        (
            "revoked-key-empty-reason",
            "A revocation with an empty reason",
            "TRUST-13",
            change("/revoked_keys/0/reason", json!("")),
        ),
        (
            "reason-space",
            "A reason that starts with a space",
            "TRUST-13 MAN-08",
            change("/revoked_keys/0/reason", json!(" r")),
        ),
        (
            "reason-blank",
            "A reason of one space",
            "TRUST-13 MAN-08",
            change("/revoked_contents/0/reason", json!(" ")),
        ),
        (
            "reason-tab",
            "A reason with a tab",
            "TRUST-13 MAN-08",
            change("/revoked_keys/0/reason", json!("lost\tit")),
        ),
        (
            "reason-hidden",
            "A reason with a mark that turns the direction of text",
            "TRUST-13 MAN-07",
            change("/revoked_keys/0/reason", json!("lost \u{202e}")),
        ),
        (
            "reason-long",
            "A reason of 257 bytes",
            "TRUST-13 MAN-08",
            change("/revoked_keys/0/reason", json!("r".repeat(257))),
        ),
        (
            "revoked-key-no-time",
            "A revocation without a time",
            "TRUST-01 TRUST-13",
            change("/revoked_keys/0/revoked_at", Value::Null),
        ),
        (
            "revoked-key-id",
            "A revoked key of half an id",
            "TRUST-01",
            change("/revoked_keys/0/key_id", json!("00".repeat(16))),
        ),
        (
            "revoked-content-hash",
            "A revoked content without its prefix",
            "TRUST-01",
            change("/revoked_contents/0/content_hash", json!("0".repeat(64))),
        ),
        (
            "revoked-content-twice",
            "A content revoked twice",
            "TRUST-01",
            change("/revoked_contents/-", again),
        ),
        (
            "version-form",
            "A version of two numbers",
            "TRUST-01",
            change("/versions/0/version", json!("1.0")),
        ),
        (
            "version-65-bits",
            "A version with a number of 65 bits",
            "TRUST-14 MAN-11",
            change("/versions/0/version", json!("1.18446744073709551616.0")),
        ),
        (
            "version-pre-release-65-bits",
            "A version with a pre-release number of 65 bits",
            "TRUST-14 MAN-11",
            change("/versions/0/version", json!("1.0.0-18446744073709551616")),
        ),
        (
            "version-build",
            "A version with build metadata",
            "TRUST-14 MAN-11",
            change("/versions/0/version", json!("1.0.0+5")),
        ),
        ("version-twice", "Two versions for one id", "TRUST-01", change("/versions/-", version)),
        ("version-id", "A version for every id", "TRUST-01", change("/versions/0/id", json!("*"))),
        (
            "version-unknown-member",
            "An unknown member of a version",
            "TRUST-01",
            change("/versions/0/pinned", json!(true)),
        ),
        (
            "too-long",
            "A file of 1 MiB and one byte, by white space",
            "TRUST-01 LIM-70",
            format!("{text}{}", " ".repeat((1 << 20) + 1 - text.len())),
        ),
        (
            "too-deep",
            "Arrays nine levels deep",
            "TRUST-01 LIM-72",
            change("/extra", json!([[[[[[[[1]]]]]]]])),
        ),
    ] {
        // A megabyte of spaces is left to the tests: here files are small.
        if text.len() > 1 << 16 {
            continue;
        }
        cases.push(store(id, text).says(title, strict).spec(spec).refused("trust.invalid"));
    }
    let weak = "A key that is refused when it is met is refused when it is enrolled.";
    for (id, title, key) in [
        ("weak-neutral", "The neutral element as a publisher's key", NEUTRAL),
        ("weak-mixed-order", "A publisher's key of mixed order", BASE_PLUS_ORDER_8),
    ] {
        cases.push(
            store(id, point(key))
                .says(title, weak)
                .spec("TRUST-04 KEY-02")
                .refused("trust.invalid"),
        );
    }
    let listed = change("/revoked_keys/0/key_id", json!(AUTHOR.id()));
    for (id, title, spec, text) in [
        ("every-member", "A store with every member", "TRUST-01", text.clone()),
        (
            "format-only",
            "A store without trusted publishers",
            "TRUST-01",
            json!({ "format": "mpp-trust/1" }).to_string(),
        ),
        (
            "white-space",
            "A store with other white space",
            "TRUST-01",
            format!("\n{:#}\r\n", valid_store()),
        ),
        (
            "revoked-and-listed",
            "A revoked key that stays listed under its publisher",
            "TRUST-04",
            listed,
        ),
        (
            "two-keys",
            "A publisher with two keys",
            "TRUST-04",
            change("/publishers/0/keys/-", plain(APPROVER)),
        ),
        (
            "times",
            "A key that is valid from the first moment that a time can name",
            "TRUST-05",
            change("/publishers/0/keys/0/valid_from", json!("1970-01-01T00:00:00Z")),
        ),
        (
            "reason-longest",
            "A reason of 256 bytes",
            "TRUST-13",
            change("/revoked_keys/0/reason", json!("r".repeat(256))),
        ),
        (
            "approves",
            "A publisher that approves",
            "TRUST-22",
            change("/publishers/0/approves", json!(["org.example", "*"])),
        ),
        (
            "namespace-twice",
            "A namespace that is listed twice",
            "TRUST-01",
            change("/publishers/0/namespaces", json!(["org.example", "org.example"])),
        ),
        (
            "namespace-all",
            "A publisher for every id",
            "TRUST-03 TRUST-06",
            change("/publishers/0/namespaces", json!(["*"])),
        ),
    ] {
        cases.push(
            store(&format!("accept-{id}"), text)
                .says(title, "What the page allows is read.")
                .spec(spec),
        );
    }
    cases
}

fn policy(id: &str, text: impl Into<Vec<u8>>) -> Case {
    Case::host("policy", &format!("policy/{id}"), "policy", text)
}

fn valid_policy() -> Value {
    json!({
        "format": "mpp-policy/1", "trusted_packages": ["org.example.echo"], "trusted_publishers": ["Author"],
        "auto_approve_low": true, "non_interactive": true, "signers_required": 2, "token_lifetime_s": 60,
        "deny": { "packages": ["org.evil"], "capabilities": ["destructive"], "hosts": ["tracker.example:8443"] },
        "ceilings": { "memory_limit_mb": 256, "timeout_ms": 10_000, "fuel": 5_000_000_000_u64, "output_limit_kb": 512 },
        "directories": [{ "guest": "/data", "host": "/srv/data", "read_only": true, "packages": ["org.example"] }],
        "environment": [{ "name": "API_KEY", "value": "change-me", "packages": ["org.example"] }],
        "network": {
            "plain_http": ["printer.lan:80"], "private_addresses": ["printer.lan:80", "wiki.corp"],
            "headers": [{ "host": "api.example.com", "name": "authorization", "value": "Bearer x", "packages": ["org.example"] }],
        },
        "privacy_filters": { "patterns": ["email"], "custom": [{ "name": "EMPLOYEE_ID", "pattern": "EMP-[0-9]{6}" }] },
        "privacy_replacement": "numbered",
    })
}

/// The same with the members that few policies have.
fn every_member() -> Value {
    let mut policy = valid_policy();
    for (member, value) in [
        ("ask_always", json!(false)),
        ("real_clock", json!(true)),
        ("real_random", json!(true)),
        ("secrets_command", json!(["/usr/bin/pass", "show"])),
        ("agents", json!([{ "names": ["claude-code"], "packages": ["org.example"] }])),
        ("names", json!({ "org.example.echo/echo": "md_echo" })),
        ("tools", json!({ "allow": ["org.example", "*/x"], "deny": ["org.example.echo/wipe"] })),
        ("consent", json!({ "wait_s": 55, "elicitation": "low", "remember": true })),
        (
            "budgets",
            json!({ "guest_memory_mb": 1, "code_mb": 4_294_967_295_u32, "descriptors": 1 }),
        ),
    ] {
        policy[member] = value;
    }
    let except = json!([{ "kinds": ["phone"], "packages": ["org.example"] }]);
    let keep = json!({
        "values": ["+1 415 555 0132"],
        "networks": ["10.0.0.0/8", "fd00::/8"],
        "mail_domains": ["example.com"],
        "loopback": true,
    });
    policy["privacy_filters"]["keep"] = keep;
    policy["privacy_filters"]["except"] = except;
    let mut add = |list: &str, entry: Value| {
        policy.pointer_mut(list).and_then(Value::as_array_mut).unwrap().push(entry);
    };
    add("/environment", json!({ "name": "PASSWORD", "secret": "PASSWORD" }));
    let header = json!({ "host": "b.example", "name": "x-key", "secret": "KEY", "prefix": "Key " });
    add("/network/headers", header);
    policy
}

fn policies() -> Vec<Case> {
    let text = valid_policy().to_string();
    let change = |pointer: &str, value: Value| changed(valid_policy(), pointer, value);
    let why = "The author of a rule expects it to apply: a rule that could not is refused, and nothing runs.";
    // Null as a change takes a member away.
    let null_ask_always = text.replacen('{', "{\"ask_always\":null,", 1);
    let mut cases = Vec::new();
    for (id, title, spec, text) in [
        ("empty", "An empty file", "POLICY-10", String::new()),
        ("not-json", "Text that is not JSON", "POLICY-10 JSON-01", "allow all\n".into()),
        ("array", "An array in place of the object", "POLICY-11", "[]".into()),
        ("no-format", "No format", "POLICY-11", change("/format", Value::Null)),
        ("format-other", "Another format", "POLICY-11", change("/format", json!("mpp-policy/2"))),
        ("unknown-member", "An unknown member", "POLICY-11", change("/allow_all", json!(true))),
        ("member-case", "A member in another case", "POLICY-11", change("/Deny", json!({}))),
        (
            "duplicate-member",
            "Two members deny",
            "POLICY-11 JSON-02",
            text.replacen('{', "{\"deny\":{},", 1),
        ),
        (
            "trusted-package-star",
            "Every package trusted by a star",
            "POLICY-11",
            change("/trusted_packages", json!(["*"])),
        ),
        (
            "trusted-package-upper-case",
            "A trusted package in upper case",
            "POLICY-11",
            change("/trusted_packages", json!(["Org.Example"])),
        ),
        (
            "trusted-package-text",
            "A text in place of the trusted packages",
            "POLICY-11",
            change("/trusted_packages", json!("org.example.echo")),
        ),
        (
            "trusted-publisher-empty",
            "A trusted publisher without a name",
            "POLICY-11",
            change("/trusted_publishers", json!([""])),
        ),
        (
            "trusted-publisher-accent",
            "A trusted publisher with a name that no trust store can have",
            "POLICY-10 TRUST-02",
            change("/trusted_publishers", json!(["Andr\u{e9}"])),
        ),
        (
            "auto-approve-text",
            "yes in place of true",
            "POLICY-11",
            change("/auto_approve_low", json!("yes")),
        ),
        (
            "auto-approve-number",
            "1 in place of true",
            "POLICY-11",
            change("/auto_approve_low", json!(1)),
        ),
        (
            "ask-always-text",
            "no in place of false",
            "POLICY-10",
            change("/ask_always", json!("no")),
        ),
        ("ask-always-null", "Null in place of true", "POLICY-10", null_ask_always),
        (
            "ask-always-auto-approve-low",
            "A question about everything, and none about low risk",
            "POLICY-16",
            change("/ask_always", json!(true)),
        ),
        ("signers-zero", "No signer required", "POLICY-11", change("/signers_required", json!(0))),
        (
            "signers-nine",
            "Nine signers required",
            "POLICY-11",
            change("/signers_required", json!(9)),
        ),
        (
            "signers-negative",
            "Signers below zero",
            "POLICY-11",
            change("/signers_required", json!(-1)),
        ),
        ("signers-fraction", "2.0 signers", "POLICY-11", change("/signers_required", json!(2.0))),
        (
            "lifetime-zero",
            "Tokens that end at once",
            "POLICY-11 TOKEN-03",
            change("/token_lifetime_s", json!(0)),
        ),
        (
            "lifetime-long",
            "Tokens for more than a day",
            "POLICY-11 TOKEN-03",
            change("/token_lifetime_s", json!(86_401)),
        ),
        (
            "lifetime-exponent",
            "A lifetime of 6e1 seconds",
            "POLICY-10 MAN-06",
            text.replacen("_s\":60", "_s\":6e1", 1),
        ),
        (
            "deny-list",
            "A list in place of the denials",
            "POLICY-11",
            change("/deny", json!(["network"])),
        ),
        (
            "deny-unknown-member",
            "An unknown kind of denial",
            "POLICY-11",
            change("/deny/publishers", json!(["Evil"])),
        ),
        (
            "deny-capability-unknown",
            "A kind of capability that does not exist",
            "POLICY-11 POLICY-01",
            change("/deny/capabilities", json!(["filesystem"])),
        ),
        (
            "deny-capability-case",
            "A kind of capability in upper case",
            "POLICY-11 POLICY-01",
            change("/deny/capabilities", json!(["Network"])),
        ),
        (
            "deny-host-wildcard",
            "A host with a wild card",
            "POLICY-11 POLICY-04",
            change("/deny/hosts", json!(["*.evil.example"])),
        ),
        (
            "deny-host-scheme",
            "An address in place of a host",
            "POLICY-11",
            change("/deny/hosts", json!(["https://evil.example"])),
        ),
        (
            "deny-host-port",
            "A port that does not exist",
            "POLICY-11",
            change("/deny/hosts", json!(["evil.example:65536"])),
        ),
        (
            "deny-host-two-dots",
            "A host with two final dots",
            "POLICY-10 POLICY-04",
            change("/deny/hosts", json!(["evil.example.."])),
        ),
        (
            "deny-host-kelvin",
            "A host with the sign of kelvin, whose small letter is k",
            "POLICY-10 MAN-20",
            change("/deny/hosts", json!(["evil.\u{212a}iosk"])),
        ),
        (
            "deny-host-port-zeros",
            "A port with a leading zero",
            "POLICY-10",
            change("/deny/hosts", json!(["evil.example:080"])),
        ),
        ("deny-host-empty", "An empty host", "POLICY-11", change("/deny/hosts", json!([""]))),
        (
            "deny-package-punycode",
            "A denied package with a label of another alphabet",
            "POLICY-10 TRUST-03",
            change("/deny/packages", json!(["org.xn--a"])),
        ),
        (
            "deny-package-star-inside",
            "A star at the end of a package",
            "POLICY-11",
            change("/deny/packages", json!(["org.evil.*"])),
        ),
        (
            "ceiling-zero",
            "A ceiling of no memory",
            "POLICY-11",
            change("/ceilings/memory_limit_mb", json!(0)),
        ),
        (
            "ceiling-high",
            "A ceiling of 2^32 milliseconds",
            "POLICY-11",
            change("/ceilings/timeout_ms", json!(4_294_967_296_u64)),
        ),
        ("ceiling-unknown", "An unknown ceiling", "POLICY-11", change("/ceilings/stack", json!(1))),
        ("ceiling-text", "A ceiling as text", "POLICY-11", change("/ceilings/fuel", json!("much"))),
        (
            "directory-guest-relative",
            "A guest directory that is relative",
            "POLICY-11",
            change("/directories/0/guest", json!("data")),
        ),
        (
            "directory-guest-parent",
            "A guest directory through its parent",
            "POLICY-11",
            change("/directories/0/guest", json!("/data/../etc")),
        ),
        (
            "directory-guest-assets",
            "A guest directory where the package's own files are",
            "POLICY-10 MAN-24",
            change("/directories/0/guest", json!("/assets/data")),
        ),
        (
            "directory-guest-storage",
            "A guest directory where the storage is",
            "POLICY-10 MAN-24",
            change("/directories/0/guest", json!("/storage")),
        ),
        (
            "directory-host-relative",
            "A host directory that is relative",
            "POLICY-11",
            change("/directories/0/host", json!("srv/data")),
        ),
        (
            "directory-host-drive-relative",
            "A host directory that is relative to the directory of a drive",
            "POLICY-22",
            change("/directories/0/host", json!("C:data")),
        ),
        (
            "directory-host-backslash",
            "A host directory that begins with one backslash",
            "POLICY-22",
            change("/directories/0/host", json!("\\data")),
        ),
        (
            "directory-host-digit",
            "A host directory on a drive that is no letter",
            "POLICY-22",
            change("/directories/0/host", json!("1:/data")),
        ),
        (
            "directory-no-host",
            "A guest directory without one on the host",
            "POLICY-11",
            change("/directories/0/host", Value::Null),
        ),
        (
            "directory-unknown-member",
            "An unknown member of a directory",
            "POLICY-11",
            change("/directories/0/writable", json!(true)),
        ),
        (
            "directory-packages-empty",
            "A directory for no package",
            "POLICY-11",
            change("/directories/0/packages", json!([])),
        ),
        (
            "environment-name",
            "A variable whose name has an equals sign",
            "POLICY-11",
            change("/environment/0/name", json!("A=B")),
        ),
        (
            "environment-both",
            "A variable with a value and a secret",
            "POLICY-14",
            change("/environment/0/secret", json!("API_KEY")),
        ),
        (
            "environment-secret-name",
            "A secret whose name could be its value",
            "SECRET-02 POLICY-10",
            change(
                "/environment",
                json!([{ "name": "API_KEY", "secret": "correct-horse-battery" }]),
            ),
        ),
        (
            "network-header-both",
            "A header with a value and a secret",
            "POLICY-14",
            change("/network/headers/0/secret", json!("API_KEY")),
        ),
        (
            "environment-no-value",
            "A variable without a value",
            "POLICY-11 POLICY-14",
            change("/environment/0/value", Value::Null),
        ),
        (
            "environment-nul",
            "A value with a NUL",
            "POLICY-11",
            change("/environment/0/value", json!("a\u{0}b")),
        ),
        (
            "environment-packages-empty",
            "A variable for no package",
            "POLICY-11",
            change("/environment/0/packages", json!([])),
        ),
        (
            "network-unknown-member",
            "A list of proxies",
            "POLICY-10",
            change("/network/proxies", json!(["proxy.example:8080"])),
        ),
        (
            "network-plain-no-port",
            "A host without TLS and without a port, which would be port 443",
            "POLICY-10 POLICY-12",
            change("/network/plain_http", json!(["printer.lan"])),
        ),
        (
            "network-plain-upper-case",
            "A host without TLS in upper case",
            "POLICY-12 MAN-20",
            change("/network/plain_http", json!(["Printer.lan:80"])),
        ),
        (
            "network-private-star",
            "Private addresses for every host",
            "POLICY-12",
            change("/network/private_addresses", json!(["*"])),
        ),
        (
            "network-private-address",
            "A private address in place of a host",
            "POLICY-12 MAN-20",
            change("/network/private_addresses", json!(["10.0.0.1"])),
        ),
        (
            "network-private-port",
            "The port that a host without one means",
            "POLICY-12 MAN-21",
            change("/network/private_addresses", json!(["wiki.corp:443"])),
        ),
        (
            "header-host",
            "A secret header for every host",
            "POLICY-13",
            change("/network/headers/0/host", json!("*")),
        ),
        (
            "header-transport",
            "A secret header that is the transport's",
            "POLICY-13 DOOR-32",
            change("/network/headers/0/name", json!("host")),
        ),
        (
            "header-upper-case",
            "A secret header in upper case",
            "POLICY-13 DOOR-32",
            change("/network/headers/0/name", json!("Authorization")),
        ),
        (
            "header-name",
            "A secret header whose name is not a token",
            "POLICY-13 DOOR-32",
            change("/network/headers/0/name", json!("a: b")),
        ),
        (
            "header-value",
            "A secret header that contains a second one",
            "POLICY-13 DOOR-33",
            change("/network/headers/0/value", json!("a\r\nhost: evil.example")),
        ),
        (
            "header-value-empty",
            "A secret header without a value",
            "POLICY-13",
            change("/network/headers/0/value", json!("")),
        ),
        (
            "header-packages-empty",
            "A secret header for no package",
            "POLICY-11 POLICY-13",
            change("/network/headers/0/packages", json!([])),
        ),
        (
            "privacy-unknown-member",
            "A member of the privacy filters that does not exist",
            "POLICY-11",
            change("/privacy_filters/allow", json!(["email"])),
        ),
        (
            "privacy-keep-network-bits",
            "A network to keep with a bit behind its prefix, which may be meant as one address",
            "POLICY-11",
            change("/privacy_filters/keep", json!({ "networks": ["10.0.0.1/8"] })),
        ),
        (
            "privacy-keep-network-address",
            "A network to keep without its prefix length",
            "POLICY-11",
            change("/privacy_filters/keep", json!({ "networks": ["10.0.0.1"] })),
        ),
        (
            "privacy-keep-mail-domain",
            "A mail domain to keep with a wildcard",
            "POLICY-11",
            change("/privacy_filters/keep", json!({ "mail_domains": ["*.example.com"] })),
        ),
        (
            "privacy-keep-list",
            "A list of what to keep in place of the object",
            "POLICY-11",
            change("/privacy_filters/keep", json!(["help@example.com"])),
        ),
        (
            "privacy-except-kind",
            "An exception for a kind that does not exist",
            "POLICY-11",
            change("/privacy_filters/except", json!([{ "kinds": ["e-mail"] }])),
        ),
        (
            "privacy-except-all",
            "An exception for no kind",
            "POLICY-11",
            change(
                "/privacy_filters/except",
                json!([{ "kinds": [], "packages": ["org.example"] }]),
            ),
        ),
        (
            "privacy-except-packages",
            "An exception for no package, which reads like none and could mean all",
            "POLICY-11",
            change("/privacy_filters/except", json!([{ "kinds": ["email"], "packages": [] }])),
        ),
        (
            "privacy-keep-hidden",
            "A value to keep with an invisible character",
            "POLICY-10 MAN-07",
            change("/privacy_filters/keep", json!({ "values": ["+1 415 555\u{200b}0132"] })),
        ),
        (
            "privacy-keep-two-lines",
            "A value to keep on two lines",
            "POLICY-10 MAN-08",
            change("/privacy_filters/keep", json!({ "values": ["+1 415\n555 0132"] })),
        ),
        (
            "agent-long",
            "An agent with a name of 129 characters, which are cut before they are compared",
            "POLICY-10 LIM-206",
            change("/agents", json!([{ "names": ["a".repeat(129)] }])),
        ),
        (
            "agent-hidden",
            "An agent with an invisible character, which agents' names lose",
            "POLICY-10 MAN-07",
            change("/agents", json!([{ "names": ["claude\u{2060}code"] }])),
        ),
        ("names-list", "A list of names", "POLICY-10", change("/names", json!([]))),
        (
            "names-id",
            "A name for a whole package",
            "POLICY-10",
            change("/names", json!({ "org.example.echo": "a" })),
        ),
        (
            "names-namespace",
            "A name for a tool of a namespace",
            "POLICY-10",
            change("/names", json!({ "org/echo": "a" })),
        ),
        (
            "names-invalid",
            "A name that is none of a tool",
            "POLICY-24",
            change("/names", json!({ "org.example.echo/echo": "a.b" })),
        ),
        (
            "names-alike",
            "Two names that clients take for one",
            "POLICY-24",
            change("/names", json!({ "org.example.echo/a": "a-b", "org.example.echo/b": "A_B" })),
        ),
        (
            "tools-allow-empty",
            "An empty list of allowed tools",
            "POLICY-10",
            change("/tools", json!({ "allow": [] })),
        ),
        (
            "tools-deny-name",
            "A denied tool whose name is none",
            "POLICY-10",
            change("/tools", json!({ "deny": ["org.example.echo/"] })),
        ),
        (
            "tools-deny-wildcard",
            "All tools of a package by a wildcard",
            "POLICY-10",
            change("/tools", json!({ "deny": ["org.example.echo/*"] })),
        ),
        (
            "agent-space",
            "An agent with a space after its name",
            "POLICY-10 MAN-08",
            change("/agents", json!([{ "names": ["claude-code "] }])),
        ),
        (
            "privacy-custom-flags-1025",
            "A custom pattern of 1,025 states after flags",
            "PAT-04",
            change("/privacy_filters/custom/0/pattern", json!("(?i)bba{510}")),
        ),
        (
            "privacy-custom-flag-group-1025",
            "A custom pattern of 1,025 states in a group with flags",
            "PAT-04",
            change("/privacy_filters/custom/0/pattern", json!("(?i-s:ba{509})")),
        ),
        (
            "privacy-custom-class-1025",
            "A custom pattern of 1,025 states, two of them a class of eight parts",
            "PAT-04",
            change("/privacy_filters/custom/0/pattern", json!(r"[a-z\d_.,:; ]a{510}")),
        ),
        (
            "privacy-custom-no-pattern",
            "A custom pattern without its expression",
            "POLICY-11",
            change("/privacy_filters/custom/0/pattern", Value::Null),
        ),
        (
            "privacy-unknown-kind",
            "A kind that the privacy filter does not know",
            "POLICY-11 PRIV-02",
            change("/privacy_filters/patterns/0", json!("e-mail")),
        ),
        (
            "privacy-custom-syntax",
            "A custom pattern that does not compile",
            "POLICY-11 PRIV-92",
            change("/privacy_filters/custom/0/pattern", json!("(")),
        ),
        (
            "privacy-replacement",
            "A way of replacing values that does not exist",
            "POLICY-11",
            change("/privacy_replacement", json!("hash")),
        ),
        (
            "too-deep",
            "Arrays nine levels deep",
            "POLICY-11 LIM-72",
            change("/extra", json!([[[[[[[[1]]]]]]]])),
        ),
    ] {
        cases.push(policy(id, text).says(title, why).spec(spec).refused("policy.invalid"));
    }
    for (id, title, text) in [
        ("every-member", "A policy with every member", every_member().to_string()),
        (
            "format-only",
            "A policy without rules, which is the same as none",
            json!({ "format": "mpp-policy/1" }).to_string(),
        ),
        (
            "ask-always-only",
            "A policy that requires approval for everything",
            json!({ "format": "mpp-policy/1", "ask_always": true }).to_string(),
        ),
        (
            "replacement-only",
            "A policy that is about replacements alone",
            json!({ "format": "mpp-policy/1", "privacy_replacement": "pseudonym" }).to_string(),
        ),
        (
            "deny-everything",
            "A policy that denies every package",
            change("/deny/packages", json!(["*"])),
        ),
    ] {
        cases.push(
            policy(&format!("accept-{id}"), text)
                .says(title, "What the page allows is read.")
                .spec("POLICY-11"),
        );
    }
    let pattern = |pattern: &str| change("/privacy_filters/custom/0/pattern", json!(pattern));
    for (id, title, spec, text) in [
        (
            "agent-longest",
            "An agent with a name of 128 characters in 256 bytes",
            "POLICY-10 LIM-206",
            change("/agents", json!([{ "names": ["\u{e9}".repeat(128)] }])),
        ),
        (
            "deny-host-spelling",
            "Denied hosts in capitals and with a final dot",
            "POLICY-04",
            change("/deny/hosts", json!(["Evil.Example", "evil.example.", "EVIL.example.:443"])),
        ),
        (
            "directory-host-drive",
            "A host directory on a drive",
            "POLICY-22",
            change("/directories/0/host", json!("c:/data")),
        ),
        (
            "directory-host-drive-backslash",
            "A host directory on a drive, with backslashes",
            "POLICY-22",
            change("/directories/0/host", json!("C:\\data")),
        ),
        (
            "directory-host-share",
            "A host directory on a share",
            "POLICY-22",
            change("/directories/0/host", json!("\\\\server\\data")),
        ),
        ("pattern-flags", "1,024 states after flags", "PAT-04", pattern("(?i)ba{510}")),
        (
            "pattern-flag-group",
            "1,024 states in a group with flags",
            "PAT-04",
            pattern("(?i-s:a{509})"),
        ),
        (
            "pattern-class",
            "1,024 states, one of them a class of seven parts",
            "PAT-04",
            pattern(r"[a-z\d_.,:;]a{510}"),
        ),
    ] {
        let why = "Every system and every reader takes the same policies.";
        cases.push(policy(&format!("accept-{id}"), text).says(title, why).spec(spec));
    }
    cases
}
