//! Check 4: signatures, their encodings, their keys, and curve points that must be refused.

use super::case::{Case, NOW};
use super::crypto::{
    base64, malleated, sha256_hex, sign_as_point, sign_with, unhex, Key, APPROVER, AUTHOR, BASE,
    BASE_PLUS_ORDER_8, NEUTRAL, ORDER_8, STRANGER,
};
use super::package::{record, signed_bytes, Package, TYPE};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = counts();
    cases.extend(texts());
    cases.extend(keys());
    cases.extend(messages());
    cases.extend(points());
    cases.extend(several());
    cases
}

/// The parent with this list of signatures.
fn signed(records: Vec<Value>) -> Package {
    let mut signature = Package::new().signature();
    signature["signatures"] = records.into();
    Package::new().with("signature.json", format!("{signature:#}\n"))
}

fn hash() -> String {
    Package::new().content_hash()
}

/// The author's record with one member changed.
fn altered(member: &str, value: impl Into<Value>) -> Value {
    let mut record = record(AUTHOR, &hash());
    record[member] = value.into();
    record
}

fn text(member: &str) -> String {
    record(AUTHOR, &hash())[member].as_str().unwrap_or_default().to_owned()
}

fn refused(id: &str, records: Vec<Value>, spec: &str, code: &str, title: &str, why: &str) -> Case {
    signed(records).case(4, &format!("signature/{id}")).says(title, why).spec(spec).refused(code)
}

fn records_by(keys: &[Key]) -> Vec<Value> {
    keys.iter().map(|key| record(*key, &hash())).collect()
}

fn counts() -> Vec<Case> {
    vec![
        refused(
            "none",
            Vec::new(),
            "SIG-02",
            "signature.missing",
            "No signature",
            "Stripping every signature must not leave a package that passes.",
        ),
        refused(
            "nine",
            records_by(&Key::ALL),
            "SIG-02",
            "signature.too_many",
            "Nine signatures, all valid",
            "Each costs a verification before anybody is trusted.",
        ),
        signed(records_by(&Key::ALL[..8]))
            .case(4, "signature/accept-eight")
            .says("Eight signatures", "Eight is the limit, and reached.")
            .spec("SIG-02 SIG-09"),
    ]
}

fn texts() -> Vec<Case> {
    let mut cases = Vec::new();
    for (id, title, name) in [
        ("lower-case", "The algorithm in lower case", "ed25519"),
        ("empty", "An empty algorithm", ""),
        ("none", "The algorithm none", "none"),
        ("eddsa", "The algorithm's family", "EdDSA"),
        ("prehashed", "The pre-hashed variant", "Ed25519ph"),
        ("rsa", "RSA", "RS256"),
        ("space", "A space after the algorithm", "Ed25519 "),
    ] {
        let why = "A package that chooses its algorithm chooses the weakest.";
        let records = vec![altered("algorithm", name)];
        cases.push(refused(
            &format!("algorithm-{id}"),
            records,
            "SIG-04",
            "signature.algorithm",
            title,
            why,
        ));
    }
    let (key, signature, id) = (text("public_key"), text("signature"), text("key_id"));
    let why = "One value, one text: signatures and keys are compared and logged as text.";
    for (case, title, member, value) in [
        (
            "key-unpadded",
            "A key without its padding",
            "public_key",
            key.trim_end_matches('=').to_owned(),
        ),
        ("key-url", "A key in the alphabet for addresses", "public_key", url(&key)),
        ("key-unused-bits", "A key whose unused bits are set", "public_key", unused_bit(&key)),
        ("key-line-feed", "A line feed after a key", "public_key", format!("{key}\n")),
        ("key-space", "A space inside a key", "public_key", spaced(&key)),
        ("key-hex", "A key in hexadecimal", "public_key", sha256_hex(b"any")),
        ("key-short", "A key of 31 bytes", "public_key", base64(&AUTHOR.public()[..31])),
        (
            "key-long",
            "A key of 33 bytes",
            "public_key",
            base64(&[&AUTHOR.public()[..], &[0]].concat()),
        ),
        ("key-empty", "An empty key", "public_key", String::new()),
        (
            "key-der",
            "A key as SubjectPublicKeyInfo",
            "public_key",
            base64(&[unhex("302a300506032b6570032100"), AUTHOR.public().to_vec()].concat()),
        ),
        (
            "signature-unpadded",
            "A signature without its padding",
            "signature",
            signature.trim_end_matches('=').to_owned(),
        ),
        (
            "signature-more-padding",
            "A signature with more padding",
            "signature",
            format!("{signature}=="),
        ),
        (
            "signature-url",
            "A signature in the alphabet for addresses",
            "signature",
            url(&signature),
        ),
        (
            "signature-unused-bits",
            "A signature whose unused bits are set",
            "signature",
            unused_bit(&signature),
        ),
        (
            "signature-line-feed",
            "A line feed after a signature",
            "signature",
            format!("{signature}\n"),
        ),
        (
            "signature-wrapped",
            "A signature with a line break at 76 characters",
            "signature",
            format!("{}\r\n{}", &signature[..76], &signature[76..]),
        ),
        ("signature-short", "A signature of 63 bytes", "signature", base64(&[1; 63])),
        ("signature-long", "A signature of 65 bytes", "signature", base64(&[1; 65])),
        ("signature-empty", "An empty signature", "signature", String::new()),
        ("key-id-upper-case", "A key id in upper case", "key_id", id.to_uppercase()),
        ("key-id-short", "A key id of its first 16 digits", "key_id", id[..16].to_owned()),
        ("key-id-prefix", "A key id with a prefix", "key_id", format!("sha256:{id}")),
        ("key-id-colons", "A key id with colons", "key_id", format!("{}:{}", &id[..2], &id[2..])),
        ("key-id-empty", "An empty key id", "key_id", String::new()),
        ("key-id-space", "A space before a key id", "key_id", format!(" {id}")),
        ("time-lower-case", "A time with a small z", "signed_at", "2026-06-01T00:00:00z".into()),
        (
            "time-offset",
            "A time with an offset of zero",
            "signed_at",
            "2026-06-01T00:00:00+00:00".into(),
        ),
        ("time-fraction", "A time with a fraction", "signed_at", "2026-06-01T00:00:00.0Z".into()),
        (
            "time-space",
            "A time with a space in place of the T",
            "signed_at",
            "2026-06-01 00:00:00Z".into(),
        ),
        ("time-local", "A time without a zone", "signed_at", "2026-06-01T00:00:00".into()),
        ("time-date", "A date without a time", "signed_at", "2026-06-01".into()),
        (
            "time-leap-day",
            "29 February of a common year",
            "signed_at",
            "2026-02-29T00:00:00Z".into(),
        ),
        ("time-month", "A thirteenth month", "signed_at", "2026-13-01T00:00:00Z".into()),
        ("time-leap-second", "Second 60", "signed_at", "2026-06-30T23:59:60Z".into()),
        ("time-hour-24", "Hour 24", "signed_at", "2026-06-01T24:00:00Z".into()),
        ("time-before-1970", "A time before 1970", "signed_at", "1969-12-31T23:59:59Z".into()),
        ("time-five-digits", "A year of five digits", "signed_at", "12026-06-01T00:00:00Z".into()),
        (
            "time-digits",
            "A time in full-width digits",
            "signed_at",
            "２０26-06-01T00:00:00Z".into(),
        ),
        ("time-empty", "An empty time", "signed_at", String::new()),
        (
            "time-line-feed",
            "A time with a line feed and more",
            "signed_at",
            format!("{NOW}\nsigned_at {NOW}"),
        ),
    ] {
        let records = vec![resigned(member, &value)];
        cases.push(refused(
            &format!("encoding-{case}"),
            records,
            "SIG-05",
            "signature.encoding",
            title,
            why,
        ));
    }
    for (id, title, time) in [
        ("epoch", "Signed at the first moment there is", "1970-01-01T00:00:00Z"),
        ("last", "Signed at the last moment there is", "9999-12-31T23:59:59Z"),
        ("leap-day", "Signed on 29 February of a leap year", "2024-02-29T12:00:00Z"),
    ] {
        cases.push(
            signed(vec![resigned("signed_at", time)])
                .case(4, &format!("signature/accept-time-{id}"))
                .says(title, "The time is a claim of the signer; nothing is decided by it.")
                .spec("SIG-03 SIG-05"),
        );
    }
    cases
}

/// The author's record with one member changed; where that is the time, signed over that time.
fn resigned(member: &str, value: &str) -> Value {
    let mut record = altered(member, value);
    if member == "signed_at" {
        record["signature"] = base64(&AUTHOR.sign(&signed_bytes(&hash(), value))).into();
    }
    record
}

/// In the URL alphabet; with a letter changed to one of it if there is no letter to replace.
fn url(text: &str) -> String {
    let replaced = text.replace('+', "-").replace('/', "_");
    match replaced == text {
        true => format!("-{}", &text[1..]),
        false => replaced,
    }
}

/// Sets the lowest of the bits that the last character carries in vain.
fn unused_bit(text: &str) -> String {
    let digits = text.trim_end_matches('=');
    let (start, last) = digits.split_at(digits.len() - 1);
    let next = last.bytes().map(|byte| char::from(byte + 1)).collect::<String>();
    format!("{start}{next}{}", "=".repeat(text.len() - digits.len()))
}

fn spaced(text: &str) -> String {
    format!("{} {}", &text[..20], &text[20..])
}

fn keys() -> Vec<Case> {
    let other = "The id is what people compare and what trust stores hold; it belongs to one key.";
    let weak =
        "With such a key one signature can be valid for many messages, or for some verifiers only.";
    let mut cases = vec![
        refused(
            "key-id-of-other",
            vec![altered("key_id", STRANGER.id())],
            "SIG-06 KEY-01",
            "signature.key_id",
            "The id of another key",
            other,
        ),
        refused(
            "key-id-of-text",
            vec![altered("key_id", sha256_hex(text("public_key").as_bytes()))],
            "SIG-06 KEY-01",
            "signature.key_id",
            "The hash of the key's base64",
            other,
        ),
        refused(
            "key-id-zeros",
            vec![altered("key_id", "0".repeat(64))],
            "SIG-06 KEY-01",
            "signature.key_id",
            "An id of zeros",
            other,
        ),
        refused(
            "key-of-other",
            vec![altered("public_key", base64(&STRANGER.public()))],
            "SIG-06 SIG-07",
            "signature.key_id signature.invalid",
            "Another key under the author's id",
            other,
        ),
    ];
    // Each with the signature that a lax verifier accepts: the scalar of the point is 0 or 1.
    for (id, title, scalar, key) in [
        ("neutral", "The neutral element as key", 0, NEUTRAL),
        (
            "order-2",
            "A key of order 2",
            0,
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "order-4",
            "A key of order 4",
            0,
            "0000000000000000000000000000000000000000000000000000000000000000",
        ),
        (
            "order-4-negative",
            "The other key of order 4",
            0,
            "0000000000000000000000000000000000000000000000000000000000000080",
        ),
        ("order-8", "A key of order 8", 0, ORDER_8),
        (
            "order-8-second",
            "A second key of order 8",
            0,
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        ),
        (
            "mixed-order",
            "A key of mixed order: the base point and a point of order 8",
            1,
            BASE_PLUS_ORDER_8,
        ),
        (
            "not-canonical-neutral",
            "The neutral element with its sign set",
            0,
            "0100000000000000000000000000000000000000000000000000000000000080",
        ),
        (
            "not-canonical-order-2",
            "The point of order 2 with its sign set",
            0,
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ),
        (
            "not-canonical-p",
            "A y of p, a second spelling of 0",
            0,
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "not-canonical-p-plus-1",
            "A y of p + 1, a second spelling of 1",
            0,
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "not-canonical-high",
            "A y of 2^255 − 1",
            0,
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ),
        (
            "not-on-curve",
            "Bytes that are not a point of the curve",
            0,
            "0200000000000000000000000000000000000000000000000000000000000000",
        ),
    ] {
        let signature = sign_as_point(scalar, key, &signed_bytes(&hash(), NOW));
        cases.push(refused(
            &format!("weak-key-{id}"),
            vec![by_point(key, &signature)],
            "SIG-06 KEY-02",
            "signature.weak_key",
            title,
            weak,
        ));
    }
    cases
}

/// A record by the bytes of any point, under the id that they have.
fn by_point(key: &str, signature: &[u8]) -> Value {
    let key = unhex(key);
    json!({
        "algorithm": "Ed25519", "key_id": sha256_hex(&key), "public_key": base64(&key),
        "signed_at": NOW, "signature": base64(signature),
    })
}

fn messages() -> Vec<Case> {
    let other =
        "A signature over anything else than the framed hash and time says nothing about them.";
    let hash = hash();
    let body = format!("content_hash {hash}\nsigned_at {NOW}\n");
    let framed = |kind: &str, body: &str| {
        format!("MPPv1 {} {kind} {} {body}", kind.len(), body.len()).into_bytes()
    };
    let digits = hash.trim_start_matches("sha256:");
    let other_hash = Package::new().with("README.md", "x").content_hash();
    let manifest = super::package::manifest().to_string().into_bytes();
    let mut cases = Vec::new();
    for (id, title, message) in [
        ("hash-text", "Over the content hash as text", hash.clone().into_bytes()),
        ("hash-bytes", "Over the 32 bytes of the content hash", unhex(digits)),
        ("body", "Over the body without its frame", body.clone().into_bytes()),
        (
            "dsse",
            "In the frame of DSSE",
            format!("DSSEv1 {} {TYPE} {} {body}", TYPE.len(), body.len()).into_bytes(),
        ),
        ("other-type", "For another type", framed("application/vnd.mpp.signature.v2", &body)),
        ("manifest", "Over the manifest", manifest.clone()),
        ("module", "Over the module", super::package::module()),
        ("other-package", "Over another package's hash", signed_bytes(&other_hash, NOW)),
        ("other-time", "Over another time", signed_bytes(&hash, "2026-06-01T00:00:01Z")),
        ("no-line-feed", "Over a body without its last line feed", framed(TYPE, body.trim_end())),
        (
            "no-time",
            "Over a body without the time",
            framed(TYPE, &format!("content_hash {hash}\n")),
        ),
        (
            "lines-exchanged",
            "Over a body with its lines exchanged",
            framed(TYPE, &format!("signed_at {NOW}\ncontent_hash {hash}\n")),
        ),
        (
            "lengths-wrong",
            "Over a frame with another length",
            format!("MPPv1 {} {TYPE} {} {body}", TYPE.len(), body.len() - 1).into_bytes(),
        ),
        ("empty", "Over nothing", Vec::new()),
    ] {
        let records = vec![altered("signature", base64(&AUTHOR.sign(&message)))];
        cases.push(refused(
            &format!("message-{id}"),
            records,
            "SIG-03 SIG-07",
            "signature.invalid",
            title,
            other,
        ));
    }
    let mut wrong = record(AUTHOR, &hash);
    wrong["signature"] = record(STRANGER, &hash)["signature"].clone();
    cases.push(refused(
        "other-signer",
        vec![wrong],
        "SIG-07",
        "signature.invalid",
        "A valid signature by another key",
        other,
    ));
    let later = altered("signed_at", "2026-06-01T00:00:01Z");
    cases.push(refused(
        "time-altered",
        vec![later],
        "SIG-03 SIG-07",
        "signature.invalid",
        "A time altered after signing",
        other,
    ));
    cases
}

fn points() -> Vec<Case> {
    let message = signed_bytes(&hash(), NOW);
    let valid = AUTHOR.sign(&message).to_vec();
    let flip = |at: usize, bit: u8| {
        let mut bytes = valid.clone();
        bytes[at] ^= 1 << bit;
        bytes
    };
    let r_and_s = |r: &str, s: &[u8]| [&unhex(r)[..], s].concat();
    let (low, high) = (
        "One message and key must not have two signatures.",
        "A verifier that forgives here can be shown signatures that others refuse.",
    );
    let s = &valid[32..];
    let mut cases = Vec::new();
    for (id, title, why, signature) in [
        ("s-plus-order", "S + L in place of S", low, malleated(&valid)),
        ("s-high-bits", "S with its highest bits set", low, flip(63, 7)),
        ("s-order", "An S of exactly L", low, malleated(&r_and_s(BASE, &[0; 32]))),
        (
            "r-small-order",
            "An R of order 8, with the S that satisfies the equation except for it",
            high,
            sign_with(0, ORDER_8, AUTHOR, &message),
        ),
        (
            "r-neutral",
            "The neutral element as R, with the S that satisfies the equation",
            high,
            sign_with(0, NEUTRAL, AUTHOR, &message),
        ),
        (
            "r-neutral-not-canonical",
            "The neutral element in another spelling as R",
            high,
            sign_with(
                0,
                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                AUTHOR,
                &message,
            ),
        ),
        (
            "r-not-on-curve",
            "An R that is not a point of the curve",
            high,
            r_and_s(&format!("02{}", "00".repeat(31)), s),
        ),
        ("r-bit", "One bit of R flipped", high, flip(0, 0)),
        ("r-sign", "The sign of R flipped", high, flip(31, 7)),
        ("s-bit", "One bit of S flipped", high, flip(32, 0)),
        ("zeros", "A signature of zeros", high, vec![0; 64]),
        ("halves-exchanged", "R and S exchanged", high, [s, &valid[..32]].concat()),
    ] {
        let records = vec![altered("signature", base64(&signature))];
        cases.push(refused(
            &format!("point-{id}"),
            records,
            "SIG-07",
            "signature.invalid",
            title,
            why,
        ));
    }
    let mixed = sign_with(1, BASE_PLUS_ORDER_8, AUTHOR, &message);
    cases.push(
        signed(vec![altered("signature", base64(&mixed))])
            .case(4, "signature/either-r-mixed-order")
            .says(
                "An R of mixed order, which satisfies the cofactored equation only",
                "Only the key's owner can make one, so it is not a forgery. This project accepts it; an \
                 implementation on a library with the other equation refuses it.",
            )
            .spec("SIG-07")
            .either("signature.invalid"),
    );
    let plain = sign_with(1, BASE, AUTHOR, &message);
    cases.push(
        signed(vec![altered("signature", base64(&plain))])
            .case(4, "signature/accept-other-nonce")
            .says(
                "A valid signature with another nonce than RFC 8032 derives",
                "A verifier cannot know how R was chosen, so signature bytes are never an identity.",
            )
            .spec("SIG-07"),
    );
    cases
}

fn several() -> Vec<Case> {
    let all = "An invalid signature makes the package invalid, even if the others are valid.";
    let good = record(AUTHOR, &hash());
    let mut bad = record(APPROVER, &hash());
    bad["signature"] = good["signature"].clone();
    let weak = by_point(NEUTRAL, &sign_as_point(0, NEUTRAL, b""));
    let mut other_time = altered("signed_at", "2026-06-02T00:00:00Z");
    let again = base64(&AUTHOR.sign(&signed_bytes(&hash(), "2026-06-02T00:00:00Z")));
    other_time["signature"] = again.into();
    let twice = "Two signatures by one key could count as two signers.";
    vec![
        refused(
            "good-then-bad",
            vec![good.clone(), bad.clone()],
            "SIG-09",
            "signature.invalid",
            "A valid signature and an invalid one after it",
            all,
        ),
        refused(
            "bad-then-good",
            vec![bad, good.clone()],
            "SIG-09",
            "signature.invalid",
            "An invalid signature and a valid one after it",
            all,
        ),
        refused(
            "good-then-weak",
            vec![good.clone(), weak],
            "SIG-09 SIG-06",
            "signature.weak_key",
            "A valid signature and one by a weak key",
            all,
        ),
        refused(
            "duplicate",
            vec![good.clone(), good.clone()],
            "SIG-08",
            "signature.duplicate_key",
            "One signature twice",
            twice,
        ),
        refused(
            "duplicate-other-time",
            vec![good, other_time],
            "SIG-08",
            "signature.duplicate_key",
            "Two signatures by one key, at two times",
            twice,
        ),
        signed(records_by(&[AUTHOR, STRANGER]))
            .case(4, "signature/accept-two")
            .says(
                "Two valid signatures by two keys",
                "An organisation can countersign what an author signed.",
            )
            .spec("SIG-08 SIG-09"),
    ]
}
