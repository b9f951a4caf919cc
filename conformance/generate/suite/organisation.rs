//! Rotation statements, bundles of an organisation, and its policy over a host's own.

use super::case::Case;
use super::crypto::{base64, Key, APPROVER, AUTHOR, STRANGER};
use super::publisher::store_path;
use serde_json::{json, Value};

const LATER: &str = "2026-07-01T00:00:00Z";
const BEFORE: &str = "2026-05-31T23:59:59Z";

pub fn cases() -> Vec<Case> {
    let mut cases = rotations();
    cases.extend(bundles());
    cases.extend(narrowing());
    cases
}

fn signed(kind: &str, key: Key, body: &str) -> String {
    base64(&key.sign(format!("MPPv1 {} {kind} {} {body}", kind.len(), body.len()).as_bytes()))
}

fn rotation(old: Key, new: &str, until: &str, signer: Key) -> Value {
    let body = format!("old_key_id {}\nold_key_until {until}\nnew_public_key {new}\n", old.id());
    json!({
        "format": "mpp-rotation/1", "old_key_id": old.id(), "old_key_until": until, "new_public_key": new,
        "signature": signed("application/vnd.mpp.rotation.v1", signer, &body),
    })
}

fn with(base: &Value, pointer: &str, value: Value) -> Value {
    let mut whole = base.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    let members = whole.pointer_mut(parent).and_then(Value::as_object_mut).expect("a parent");
    match value {
        // The value null represents a member that is removed.
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    whole
}

fn rotations() -> Vec<Case> {
    let new = base64(&STRANGER.public());
    let good = rotation(AUTHOR, &new, LATER, AUTHOR);
    let case = |id: &str, store: &str, statement: &Value| {
        let case = Case::statement("rotate", id).with("trust", store_path(store));
        case.with("statement", statement.to_string())
    };
    let narrow = "Following a statement makes nothing that a host trusts wider or last longer.";
    let strict = "Who signs has to have meant every member, and nothing else.";
    let mut cases = Vec::new();
    let row = |publisher: &str, until: Option<&str>| json!({ "publisher": publisher, "valid_until": until });
    for (id, title, store, statement, ends) in [
        (
            "accept",
            "A key names the next",
            "author",
            good.clone(),
            [(AUTHOR, Some(LATER)), (STRANGER, None)],
        ),
        (
            "accept-term",
            "The key's own end is earlier",
            "valid-until-now",
            good.clone(),
            [(AUTHOR, Some("2026-06-01T00:00:00Z")), (STRANGER, Some("2026-06-01T00:00:00Z"))],
        ),
        (
            "accept-past",
            "The key ends at once",
            "author",
            rotation(AUTHOR, &new, BEFORE, AUTHOR),
            [(AUTHOR, Some(BEFORE)), (STRANGER, None)],
        ),
        (
            "accept-listed",
            "A key that the publisher has already",
            "author-two-keys",
            rotation(AUTHOR, &base64(&APPROVER.public()), LATER, AUTHOR),
            [(AUTHOR, Some(LATER)), (APPROVER, None)],
        ),
    ] {
        let keys: Value = ends
            .iter()
            .map(|(key, until)| (key.id(), row("Author", *until)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let case = case(id, store, &statement).says(title, narrow).spec("ROT-01 ROT-02 ROT-03");
        cases.push(case.answers(json!({ "keys": keys })));
    }
    for (id, title, store, statement, code) in [
        ("unknown", "A key of no publisher", "approver-only", good.clone(), "publisher.unknown"),
        ("revoked", "A revoked key", "author-revoked", good.clone(), "publisher.key_revoked"),
        (
            "not-yet-valid",
            "A key that is not valid yet",
            "valid-later",
            good.clone(),
            "publisher.not_valid_now",
        ),
        ("ended", "A key that has ended", "valid-before", good.clone(), "publisher.not_valid_now"),
        (
            "to-revoked",
            "A revoked key as the next",
            "stranger-revoked",
            good.clone(),
            "publisher.key_revoked",
        ),
        (
            "to-another-publisher",
            "A key of another publisher as the next",
            "author-and-approver",
            rotation(AUTHOR, &base64(&APPROVER.public()), LATER, AUTHOR),
            "trust.invalid",
        ),
        (
            "signed-by-new",
            "A signature of the new key",
            "author",
            rotation(AUTHOR, &new, LATER, STRANGER),
            "rotation.signature",
        ),
        (
            "signed-by-another-of-the-publisher",
            "A signature of another key of the publisher",
            "author-two-keys",
            rotation(AUTHOR, &new, LATER, APPROVER),
            "rotation.signature",
        ),
        (
            "until-changed",
            "Another end than was signed",
            "author",
            with(&good, "/old_key_until", json!("2099-01-01T00:00:00Z")),
            "rotation.signature",
        ),
        (
            "key-changed",
            "Another new key than was signed",
            "author",
            with(&good, "/new_public_key", json!(base64(&APPROVER.public()))),
            "rotation.signature",
        ),
        (
            "format",
            "Another format",
            "author",
            with(&good, "/format", json!("mpp-rotation/2")),
            "rotation.invalid",
        ),
        ("more", "A further member", "author", with(&good, "/more", json!(1)), "rotation.invalid"),
        (
            "no-signature",
            "No signature",
            "author",
            with(&good, "/signature", Value::Null),
            "rotation.invalid",
        ),
        (
            "short-signature",
            "A signature of 63 bytes",
            "author",
            with(&good, "/signature", json!(base64(&[1; 63]))),
            "rotation.invalid",
        ),
        (
            "time",
            "A time in another form",
            "author",
            with(&good, "/old_key_until", json!("2026-07-01")),
            "rotation.invalid",
        ),
        (
            "weak",
            "A new key of small order",
            "author",
            with(&good, "/new_public_key", json!(base64(&[0; 32]))),
            "rotation.invalid",
        ),
        (
            "old-id",
            "An id in upper case",
            "author",
            with(&good, "/old_key_id", json!(AUTHOR.id().to_uppercase())),
            "rotation.invalid",
        ),
    ] {
        let spec = if code == "rotation.invalid" {
            "ROT-01"
        } else if code == "rotation.signature" {
            "ROT-02"
        } else {
            "ROT-03"
        };
        cases.push(case(id, store, &statement).says(title, strict).spec(spec).refused(code));
    }
    let long = format!("{good}{}", " ".repeat(4096));
    let long = Case::statement("rotate", "long")
        .with("trust", store_path("author"))
        .with("statement", long);
    cases.push(
        long.says("A statement of more than 4,096 bytes", strict)
            .spec("ROT-01")
            .refused("rotation.invalid"),
    );
    cases
}

fn root(keys: &[Key], threshold: u64) -> Value {
    let row = |key: &Key| json!({ "key_id": key.id(), "public_key": base64(&key.public()) });
    let keys: Vec<Value> = keys.iter().map(row).collect();
    json!({ "organisation": "Acme", "keys": keys, "threshold": threshold })
}

fn content(sequence: u64) -> Value {
    json!({
        "format": "mpp-bundle-content/1", "organisation": "Acme", "sequence": sequence, "expires": LATER,
        "trust": { "publishers": [{ "name": "Author", "namespaces": ["org.example"],
            "keys": [{ "key_id": AUTHOR.id(), "public_key": base64(&AUTHOR.public()) }] }] },
        "policy": { "deny": { "packages": ["org.evil"] } },
    })
}

fn bundle(content: &Value, signers: &[Key]) -> Value {
    let body = content.to_string();
    let row = |key: &Key| json!({ "key_id": key.id(), "signature": signed("application/vnd.mpp.bundle.v1", *key, &body) });
    let rows: Vec<Value> = signers.iter().map(row).collect();
    json!({ "format": "mpp-bundle/1", "payload": base64(body.as_bytes()), "signatures": rows })
}

/// A case of a root of two keys, of which both have to sign.
fn case(id: &str, bundle: &Value) -> Case {
    let root = with(&root(&[AUTHOR, APPROVER], 2), "/format", json!("mpp-organisation/1"));
    let case = Case::statement("bundle", id).with("root", root.to_string());
    case.with("bundle", bundle.to_string())
}

fn bundles() -> Vec<Case> {
    let both = &[AUTHOR, APPROVER][..];
    let threshold = "One holder of a key alone, or a thief of one, decides nothing.";
    let fresh = "An attacker who can only give old files must not bring old trust back.";
    let strict = "What one reader skipped, another would honour.";
    let mut cases = Vec::new();
    let change = with(&content(7), "/root", root(&[STRANGER], 1));
    for (id, title, why, spec, bundle, before, sequence) in [
        (
            "accept",
            "Both keys signed",
            threshold,
            "ORG-01 ORG-02 ORG-03 ORG-04",
            bundle(&content(7), both),
            None,
            7,
        ),
        (
            "accept-turned",
            "The signatures in the other order",
            threshold,
            "ORG-04",
            bundle(&content(7), &[APPROVER, AUTHOR]),
            None,
            7,
        ),
        (
            "accept-further",
            "A further signature",
            threshold,
            "ORG-04",
            bundle(&content(7), &[AUTHOR, APPROVER, STRANGER]),
            None,
            7,
        ),
        (
            "accept-last-second",
            "The last second",
            fresh,
            "ORG-05",
            bundle(&with(&content(7), "/expires", json!("2026-06-01T00:00:00Z")), both),
            None,
            7,
        ),
        (
            "accept-next",
            "The next after another",
            fresh,
            "ORG-05",
            bundle(&content(7), both),
            Some(bundle(&content(6), both)),
            7,
        ),
        (
            "accept-same",
            "The same again, with a further signature",
            fresh,
            "ORG-05",
            bundle(&content(7), &[AUTHOR, APPROVER, STRANGER]),
            Some(bundle(&content(7), both)),
            7,
        ),
        (
            "accept-new-root",
            "A new root, signed by the old and the new",
            threshold,
            "ORG-04",
            bundle(&change, &[AUTHOR, APPROVER, STRANGER]),
            None,
            7,
        ),
        (
            "accept-bare",
            "Neither trust nor policy",
            strict,
            "ORG-03",
            bundle(&with(&with(&content(7), "/trust", Value::Null), "/policy", Value::Null), both),
            None,
            7,
        ),
    ] {
        let mut case = case(id, &bundle).says(title, why).spec(spec);
        if let Some(before) = before {
            case = case.with("before", before.to_string());
        }
        let publishers = if id == "accept-bare" { json!([]) } else { json!(["Author"]) };
        cases.push(case.answers(json!({ "sequence": sequence, "publishers": publishers })));
    }
    let good = bundle(&content(7), both);
    let forged = with(&good, "/payload", bundle(&content(8), both)["payload"].clone());
    let mut swapped = good.clone();
    swapped["signatures"][1]["signature"] = good["signatures"][0]["signature"].clone();
    let mut twice = good.clone();
    twice["signatures"][1] = good["signatures"][0].clone();
    let in_content = |pointer: &str, value: Value| bundle(&with(&content(7), pointer, value), both);
    for (id, title, why, spec, bundle, before, code) in [
        (
            "none",
            "No signature",
            threshold,
            "ORG-04",
            bundle(&content(7), &[]),
            None,
            "bundle.signatures",
        ),
        (
            "one",
            "One signature of two",
            threshold,
            "ORG-04",
            bundle(&content(7), &[AUTHOR]),
            None,
            "bundle.signatures",
        ),
        (
            "one-and-stranger",
            "One signature of two, and a stranger's",
            threshold,
            "ORG-04",
            bundle(&content(7), &[AUTHOR, STRANGER]),
            None,
            "bundle.signatures",
        ),
        (
            "forged",
            "Another payload than was signed",
            threshold,
            "ORG-04",
            forged,
            None,
            "bundle.signatures",
        ),
        (
            "swapped",
            "A signature of one key under the id of another",
            threshold,
            "ORG-04",
            swapped,
            None,
            "bundle.signatures",
        ),
        ("twice", "Two signatures of one key", threshold, "ORG-02", twice, None, "bundle.invalid"),
        (
            "new-root-alone",
            "A new root, not signed by it",
            threshold,
            "ORG-04",
            bundle(&change, both),
            None,
            "bundle.signatures",
        ),
        (
            "new-root-itself",
            "A new root, signed by it alone",
            threshold,
            "ORG-04",
            bundle(&change, &[STRANGER]),
            None,
            "bundle.signatures",
        ),
        (
            "expired",
            "A second after the end",
            fresh,
            "ORG-05",
            in_content("/expires", json!(BEFORE)),
            None,
            "bundle.expired",
        ),
        (
            "rollback",
            "A lower sequence",
            fresh,
            "ORG-05",
            bundle(&content(7), both),
            Some(bundle(&content(8), both)),
            "bundle.rollback",
        ),
        (
            "same-sequence",
            "The same sequence with another content",
            fresh,
            "ORG-05",
            in_content("/expires", json!("2026-08-01T00:00:00Z")),
            Some(good.clone()),
            "bundle.rollback",
        ),
        (
            "rollback-expired",
            "A lower sequence after one that has ended",
            fresh,
            "ORG-05",
            bundle(&content(7), both),
            Some(bundle(&with(&content(8), "/expires", json!(BEFORE)), both)),
            "bundle.rollback",
        ),
        (
            "organisation",
            "Another organisation",
            strict,
            "ORG-05",
            in_content("/organisation", json!("Other")),
            None,
            "bundle.invalid",
        ),
        (
            "sequence-0",
            "The sequence 0",
            strict,
            "ORG-03",
            in_content("/sequence", json!(0)),
            None,
            "bundle.invalid",
        ),
        (
            "sequence-text",
            "A sequence as a text",
            strict,
            "ORG-03",
            in_content("/sequence", json!("7")),
            None,
            "bundle.invalid",
        ),
        (
            "no-end",
            "No end",
            strict,
            "ORG-03",
            in_content("/expires", Value::Null),
            None,
            "bundle.invalid",
        ),
        (
            "content-more",
            "A further member of the content",
            strict,
            "ORG-03",
            in_content("/more", json!(1)),
            None,
            "bundle.invalid",
        ),
        (
            "content-format",
            "Another format of the content",
            strict,
            "ORG-03",
            in_content("/format", json!("mpp-bundle/1")),
            None,
            "bundle.invalid",
        ),
        (
            "policy",
            "A policy that is not valid",
            strict,
            "ORG-03",
            in_content("/policy", json!({ "ask": true })),
            None,
            "bundle.invalid",
        ),
        (
            "policy-format",
            "A policy with a format of its own",
            strict,
            "ORG-03",
            in_content("/policy", json!({ "format": "mpp-policy/1" })),
            None,
            "bundle.invalid",
        ),
        (
            "trust",
            "A trust store that is not valid",
            strict,
            "ORG-03",
            in_content("/trust", json!({ "publishers": [{}] })),
            None,
            "bundle.invalid",
        ),
        (
            "new-root",
            "A new root that cannot sign",
            strict,
            "ORG-03 ORG-01",
            in_content("/root", root(&[STRANGER], 2)),
            None,
            "bundle.invalid",
        ),
        (
            "more",
            "A further member",
            strict,
            "ORG-02",
            with(&good, "/more", json!(1)),
            None,
            "bundle.invalid",
        ),
        (
            "format",
            "Another format",
            strict,
            "ORG-02",
            with(&good, "/format", json!("mpp-bundle/2")),
            None,
            "bundle.invalid",
        ),
        (
            "payload",
            "A payload that is not base64",
            strict,
            "ORG-02",
            with(&good, "/payload", json!("e30")),
            None,
            "bundle.invalid",
        ),
        (
            "payload-bytes",
            "A payload that is not UTF-8",
            strict,
            "ORG-02",
            with(&good, "/payload", json!(base64(&[0xff]))),
            None,
            "bundle.invalid",
        ),
    ] {
        let mut case = case(id, &bundle).says(title, why).spec(spec).refused(code);
        if let Some(before) = before {
            case = case.with("before", before.to_string());
        }
        cases.push(case);
    }
    let format = |root: Value| with(&root, "/format", json!("mpp-organisation/1"));
    let whole = format(root(&[AUTHOR, APPROVER], 2));
    for (id, title, root) in [
        (
            "root-threshold-0",
            "A root that needs no signature",
            with(&whole, "/threshold", json!(0)),
        ),
        (
            "root-threshold-3",
            "A root that needs more signatures than it has keys",
            with(&whole, "/threshold", json!(3)),
        ),
        ("root-no-keys", "A root without keys", format(root(&[], 1))),
        ("root-key-twice", "A root with a key twice", format(root(&[AUTHOR, AUTHOR], 1))),
        ("root-more", "A root with a further member", with(&whole, "/more", json!(1))),
        ("root-name", "A root without a name", with(&whole, "/organisation", json!(""))),
        ("root-format", "Another format of a root", with(&whole, "/format", json!("mpp-trust/1"))),
        ("root-key-id", "A root with an id of another key", {
            let mut wrong = whole.clone();
            wrong["keys"][0]["key_id"] = json!(STRANGER.id());
            wrong
        }),
    ] {
        let case = case(id, &good).with("root", root.to_string());
        cases.push(case.says(title, strict).spec("ORG-01").refused("organisation.invalid"));
    }
    cases
}

/// An organisation's policy over a host's own, in a decision.
fn narrowing() -> Vec<Case> {
    let why =
        "What a host adds may only narrow; an addition that is ignored would mislead its user.";
    let plain = super::package::Package::new().bytes();
    let case = |id: &str, ours: &Value, local: &Value| {
        let format = |policy: &Value| with(policy, "/format", json!("mpp-policy/1"));
        let case = Case::decide(&format!("decide/organisation-{id}"), plain.clone());
        case.with("organisation_policy", format(ours)).with("policy", format(local))
    };
    let mut cases = Vec::new();
    let denied = json!({ "decision": "denied", "points": 0, "level": "none" });
    let asked = json!({ "decision": "requires_confirmation", "points": 0, "level": "none" });
    for (id, title, ours, local, answer) in [
        (
            "denies",
            "The organisation denies what the host trusts not",
            json!({ "deny": { "packages": ["org.example"] } }),
            json!({}),
            &denied,
        ),
        (
            "host-denies",
            "The host denies",
            json!({ "trusted_packages": ["org.example.echo"] }),
            json!({ "deny": { "packages": ["*"] } }),
            &denied,
        ),
        (
            "host-signers",
            "The host requires more signers",
            json!({}),
            json!({ "signers_required": 2 }),
            &denied,
        ),
        (
            "signers",
            "The organisation requires more signers",
            json!({ "signers_required": 2 }),
            json!({ "signers_required": 1 }),
            &denied,
        ),
        ("asks", "The organisation asks always", json!({ "ask_always": true }), json!({}), &asked),
        ("host-asks", "The host asks always", json!({}), json!({ "ask_always": true }), &asked),
    ] {
        cases.push(case(id, &ours, &local).says(title, why).spec("ORG-06").answers(answer.clone()));
    }
    let directory = json!([{ "guest": "/data", "host": "/srv/data" }]);
    let header = json!([{ "host": "api.example.com", "name": "x-key", "value": "v" }]);
    for (id, local) in [
        ("trusted-packages", json!({ "trusted_packages": ["org.example.echo"] })),
        ("trusted-publishers", json!({ "trusted_publishers": ["Author"] })),
        ("auto-approve-low", json!({ "auto_approve_low": true })),
        ("real-clock", json!({ "real_clock": true })),
        ("real-random", json!({ "real_random": true })),
        ("directories", json!({ "directories": directory })),
        ("environment", json!({ "environment": [{ "name": "A", "value": "b" }] })),
        ("plain-http", json!({ "network": { "plain_http": ["h.example:80"] } })),
        ("private-addresses", json!({ "network": { "private_addresses": ["h.example"] } })),
        ("headers", json!({ "network": { "headers": header } })),
        ("filter-except", json!({ "privacy_filters": { "except": [{ "kinds": ["email"] }] } })),
        ("filter-keep", json!({ "privacy_filters": { "keep": { "values": ["a"] } } })),
        ("replacement", json!({ "privacy_replacement": "numbered" })),
        ("elicitation", json!({ "consent": { "elicitation": "low" } })),
    ] {
        let title = format!("The host widens by {}", id.replace('-', " "));
        let wider = case(&format!("wider-{id}"), &json!({}), &local).says(&title, why);
        cases.push(wider.spec("ORG-06").refused("policy.wider"));
    }
    let ours = json!({ "tools": { "allow": ["org.acme"] }, "agents": [{ "names": ["a"] }] });
    for (id, local) in [
        ("tools", json!({ "tools": { "allow": ["org.example"] } })),
        ("agents", json!({ "agents": [{ "names": ["b"] }] })),
    ] {
        let wider = case(&format!("wider-{id}"), &ours, &local);
        let title = format!("The host allows other {id}");
        cases.push(wider.says(&title, why).spec("ORG-06").refused("policy.wider"));
    }
    cases
}
