//! Check 5: trust, revocation, validity and the number of signers. And the trust stores of all cases.

use super::case::Case;
use super::crypto::{base64, Key, APPROVER, AUTHOR, STRANGER};
use super::package::Package;
use serde_json::{json, Value};

/// Where a named store lies below `vectors/`.
pub fn store_path(name: &str) -> String {
    format!("stores/{name}.json")
}

fn key(key: Key) -> Value {
    json!({ "key_id": key.id(), "public_key": base64(&key.public()) })
}

fn publisher(name: &str, namespaces: &[&str], keys: Vec<Value>) -> Value {
    json!({ "name": name, "namespaces": namespaces, "keys": keys })
}

fn author() -> Value {
    publisher("Author", &["org.example"], vec![key(AUTHOR)])
}

fn approver() -> Value {
    publisher("Approver", &["org.approver"], vec![key(APPROVER)])
}

/// A publisher that approves these namespaces and publishes in those.
fn approving(approves: &[&str], namespaces: &[&str], own: Key) -> Value {
    let mut publisher = publisher("Approver", namespaces, vec![key(own)]);
    publisher["approves"] = json!(approves);
    publisher
}

fn revoked_key(key: Key) -> Value {
    json!({ "key_id": key.id(), "revoked_at": "2026-05-01T00:00:00Z", "reason": "laptop stolen" })
}

fn revoked_content(hash: &str) -> Value {
    json!({ "content_hash": hash, "revoked_at": "2026-05-01T00:00:00Z", "reason": "leaks its input" })
}

/// A store with the author's key valid in this span.
fn within(from: Option<&str>, until: Option<&str>) -> Value {
    let mut key = key(AUTHOR);
    for (member, end) in [("valid_from", from), ("valid_until", until)] {
        if let Some(end) = end {
            key[member] = end.into();
        }
    }
    json!([publisher("Author", &["org.example"], vec![key])])
}

/// The trust stores that cases name.
pub fn stores() -> Vec<(&'static str, Vec<u8>)> {
    let plain = Package::new().content_hash();
    let seen = |id: &str, version: &str| json!([{ "id": id, "version": version }]);
    let list = |value: Value| json!([value]);
    let both = || json!([author(), approver()]);
    let namespaces =
        |namespaces: &[&str]| json!([publisher("Author", namespaces, vec![key(AUTHOR)])]);
    let stores = vec![
        ("author", json!({ "publishers": [author()] })),
        ("author-and-approver", json!({ "publishers": both() })),
        (
            "approved-namespace",
            json!({ "publishers": [author(), approving(&["org.example"], &[], APPROVER)] }),
        ),
        (
            "approved-exact",
            json!({ "publishers": [author(), approving(&["org.example.echo"], &[], APPROVER)] }),
        ),
        (
            "approved-other",
            json!({ "publishers": [author(), approving(&["org.example.other"], &[], APPROVER)] }),
        ),
        (
            "approved-longer",
            json!({ "publishers": [author(), approving(&["org.example.echo.more"], &[], APPROVER)] }),
        ),
        ("approved-all", json!({ "publishers": [author(), approving(&["*"], &[], APPROVER)] })),
        (
            "approved-by-authors",
            json!({ "publishers": [author(), approving(&["*"], &["org.example"], APPROVER)] }),
        ),
        ("approved-by-itself", {
            let mut author = author();
            author["approves"] = json!(["org.example"]);
            json!({ "publishers": [author, approver()] })
        }),
        (
            "approved-by-two",
            json!({ "publishers": [author(), approving(&["org.example"], &[], APPROVER), {
                "name": "Second", "namespaces": [], "approves": ["*"], "keys": [key(STRANGER)] }] }),
        ),
        ("approver-revoked", {
            let publishers = [author(), approving(&["org.example"], &[], APPROVER)];
            json!({ "publishers": publishers, "revoked_keys": list(revoked_key(APPROVER)) })
        }),
        ("empty", json!({})),
        ("approver-only", json!({ "publishers": [approver()] })),
        (
            "approver-any-namespace",
            json!({ "publishers": [author(), publisher("Approver", &["*"], vec![key(APPROVER)])] }),
        ),
        (
            "author-two-keys",
            json!({ "publishers": [publisher("Author", &["org.example"], vec![key(AUTHOR), key(APPROVER)])] }),
        ),
        (
            "author-revoked",
            json!({ "publishers": [author()], "revoked_keys": list(revoked_key(AUTHOR)) }),
        ),
        ("author-revoked-unlisted", json!({ "revoked_keys": list(revoked_key(AUTHOR)) })),
        (
            "stranger-revoked",
            json!({ "publishers": [author()], "revoked_keys": list(revoked_key(STRANGER)) }),
        ),
        (
            "content-revoked",
            json!({ "publishers": [author()], "revoked_contents": list(revoked_content(&plain)) }),
        ),
        (
            "content-and-key-revoked",
            json!({ "publishers": [author()], "revoked_keys": list(revoked_key(AUTHOR)), "revoked_contents": list(revoked_content(&plain)) }),
        ),
        (
            "other-content-revoked",
            json!({ "publishers": [author()], "revoked_contents": list(revoked_content(&format!("sha256:{}", "0".repeat(64)))) }),
        ),
        ("valid-later", json!({ "publishers": within(Some("2026-06-01T00:00:01Z"), None) })),
        ("valid-from-now", json!({ "publishers": within(Some("2026-06-01T00:00:00Z"), None) })),
        ("valid-before", json!({ "publishers": within(None, Some("2026-05-31T23:59:59Z")) })),
        ("valid-until-now", json!({ "publishers": within(None, Some("2026-06-01T00:00:00Z")) })),
        ("approver-not-valid", {
            let mut late = key(APPROVER);
            late["valid_from"] = "2027-01-01T00:00:00Z".into();
            json!({ "publishers": [author(), publisher("Approver", &["org.approver"], vec![late])] })
        }),
        ("namespace-exact", json!({ "publishers": namespaces(&["org.example.echo"]) })),
        ("namespace-all", json!({ "publishers": namespaces(&["*"]) })),
        ("namespace-other", json!({ "publishers": namespaces(&["com.example"]) })),
        ("namespace-longer", json!({ "publishers": namespaces(&["org.example.echo.more"]) })),
        ("namespace-prefix", json!({ "publishers": namespaces(&["org.exam"]) })),
        ("namespace-none", json!({ "publishers": namespaces(&[]) })),
        (
            "seen-1.0.0",
            json!({ "publishers": [author()], "versions": seen("org.example.echo", "1.0.0") }),
        ),
        (
            "seen-1.2.0",
            json!({ "publishers": [author()], "versions": seen("org.example.echo", "1.2.0") }),
        ),
        (
            "seen-other",
            json!({ "publishers": [author()], "versions": seen("org.example.other", "9.0.0") }),
        ),
    ];
    let stores = stores.into_iter().map(|(name, mut store)| {
        store["format"] = "mpp-trust/1".into();
        (name, format!("{store:#}\n").into_bytes())
    });
    stores.collect()
}

fn case(id: &str, signers: &[Key], store: &str) -> Case {
    let case = Package::new().signed_by(signers).case(5, &format!("publisher/{id}"));
    case.with("trust", store_path(store))
}

pub fn cases() -> Vec<Case> {
    let mut cases = signers();
    cases.extend(approvals());
    cases
}

/// Check 6: an id that has approvers.
fn approvals() -> Vec<Case> {
    let why = "An author alone, or somebody else with them, is no review; who has to look is a matter of the namespace.";
    let mut cases = Vec::new();
    for (id, title, signers, store, approved) in [
        ("author-alone", "The author alone", &[AUTHOR][..], "approved-namespace", false),
        ("stranger", "The author and a stranger", &[AUTHOR, STRANGER], "approved-namespace", false),
        (
            "not-an-approver",
            "The author and a publisher that does not approve",
            &[AUTHOR, APPROVER],
            "approved-by-itself",
            false,
        ),
        (
            "author-approves",
            "An author that approves its own namespace, alone",
            &[AUTHOR],
            "approved-by-itself",
            false,
        ),
        (
            "approver-authors",
            "An approver that publishes there, too, alone",
            &[APPROVER],
            "approved-by-authors",
            false,
        ),
        (
            "exact-alone",
            "The author alone, for an id that is named whole",
            &[AUTHOR],
            "approved-exact",
            false,
        ),
        (
            "all-alone",
            "The author alone, where every id has an approver",
            &[AUTHOR],
            "approved-all",
            false,
        ),
        (
            "of-two-none",
            "The author alone, where there are two approvers",
            &[AUTHOR],
            "approved-by-two",
            false,
        ),
        ("both", "The author and the approver", &[AUTHOR, APPROVER], "approved-namespace", true),
        (
            "both-turned",
            "The approver, then the author",
            &[APPROVER, AUTHOR],
            "approved-namespace",
            true,
        ),
        (
            "exact",
            "The author and the approver of this id",
            &[AUTHOR, APPROVER],
            "approved-exact",
            true,
        ),
        (
            "all",
            "The author and the approver of every id",
            &[AUTHOR, APPROVER],
            "approved-all",
            true,
        ),
        (
            "other",
            "The author alone, where another id has an approver",
            &[AUTHOR],
            "approved-other",
            true,
        ),
        (
            "longer",
            "The author alone, where an id below has an approver",
            &[AUTHOR],
            "approved-longer",
            true,
        ),
        (
            "two-authors",
            "An author, and an approver that publishes there, too",
            &[AUTHOR, APPROVER],
            "approved-by-authors",
            true,
        ),
        (
            "of-two-one",
            "The author and the second of two approvers",
            &[AUTHOR, STRANGER],
            "approved-by-two",
            true,
        ),
    ] {
        let name = if approved { format!("accept-{id}") } else { id.to_owned() };
        let case = Package::new().signed_by(signers).case(6, &format!("approval/{name}"));
        let case = case.with("trust", store_path(store)).says(title, why).spec("TRUST-22");
        cases.push(if approved { case } else { case.refused("manifest.not_approved") });
    }
    let case = Package::new().signed_by(&[AUTHOR, APPROVER]).case(6, "approval/revoked");
    cases.push(
        case.with("trust", store_path("approver-revoked"))
            .says("The approver's key is revoked", "Revocation comes first, for every signer.")
            .spec("TRUST-22 TRUST-09")
            .refused("publisher.key_revoked"),
    );
    let case = Package::new().signed_by(&[APPROVER]).case(6, "approval/approver-alone");
    cases.push(
        case.with("trust", store_path("approved-namespace"))
            .says("The approver alone", "Who approves does not publish by that.")
            .spec("TRUST-22 GATE-05")
            .refused("manifest.namespace"),
    );
    cases
}

fn signers() -> Vec<Case> {
    let unknown = "A signature proves who signed, not that anybody here has chosen to trust them.";
    let revoked = "Revocation counts for every package, old or new, and for every signer.";
    let span = "What counts is the time of the verification, at both ends included.";
    let quorum = "An author and an approver are two parties; one of them alone is not both.";
    let mut cases = Vec::new();
    for (id, title, why, spec, signers, store, required, code) in [
        (
            "unknown",
            "A signer whom the store does not hold",
            unknown,
            "TRUST-11 GATE-07",
            &[STRANGER][..],
            "author",
            1,
            "publisher.unknown",
        ),
        (
            "unknown-empty-store",
            "A store without trusted publishers",
            unknown,
            "TRUST-11",
            &[AUTHOR],
            "empty",
            1,
            "publisher.unknown",
        ),
        (
            "unknown-two",
            "Two signers whom the store does not hold",
            unknown,
            "TRUST-11",
            &[STRANGER, APPROVER],
            "author",
            1,
            "publisher.unknown",
        ),
        (
            "key-revoked",
            "The signer's key is revoked",
            revoked,
            "TRUST-09",
            &[AUTHOR],
            "author-revoked",
            1,
            "publisher.key_revoked",
        ),
        (
            "key-revoked-unlisted",
            "A revoked key of no publisher",
            revoked,
            "TRUST-09",
            &[AUTHOR],
            "author-revoked-unlisted",
            1,
            "publisher.key_revoked",
        ),
        (
            "key-revoked-second",
            "A trusted signer, and an unknown one whose key is revoked",
            revoked,
            "TRUST-09",
            &[AUTHOR, STRANGER],
            "stranger-revoked",
            1,
            "publisher.key_revoked",
        ),
        (
            "content-revoked",
            "The content is revoked",
            revoked,
            "TRUST-08",
            &[AUTHOR],
            "content-revoked",
            1,
            "publisher.content_revoked",
        ),
        (
            "content-revoked-resigned",
            "A revoked content under a further signature",
            revoked,
            "TRUST-08",
            &[AUTHOR, STRANGER],
            "content-revoked",
            1,
            "publisher.content_revoked",
        ),
        (
            "content-before-key",
            "Content and key are revoked",
            "The steps have an order, so that two implementations say the same.",
            "TRUST-07 TRUST-08",
            &[AUTHOR],
            "content-and-key-revoked",
            1,
            "publisher.content_revoked",
        ),
        (
            "not-yet-valid",
            "A key that is valid from one second later",
            span,
            "TRUST-10 TRUST-05",
            &[AUTHOR],
            "valid-later",
            1,
            "publisher.not_valid_now",
        ),
        (
            "no-longer-valid",
            "A key whose time ended a second ago",
            span,
            "TRUST-10 TRUST-05",
            &[AUTHOR],
            "valid-before",
            1,
            "publisher.not_valid_now",
        ),
        (
            "second-not-valid",
            "A trusted signer, and a known one whose time has not begun",
            span,
            "TRUST-10",
            &[AUTHOR, APPROVER],
            "approver-not-valid",
            1,
            "publisher.not_valid_now",
        ),
        (
            "too-few",
            "One signer where two are required",
            quorum,
            "TRUST-12",
            &[AUTHOR],
            "author-and-approver",
            2,
            "publisher.too_few_signers",
        ),
        (
            "too-few-stranger",
            "A trusted signer and a stranger where two are required",
            quorum,
            "TRUST-12",
            &[AUTHOR, STRANGER],
            "author-and-approver",
            2,
            "publisher.too_few_signers",
        ),
        (
            "too-few-one-party",
            "Two keys of one publisher where two are required",
            quorum,
            "TRUST-12",
            &[AUTHOR, APPROVER],
            "author-two-keys",
            2,
            "publisher.too_few_signers",
        ),
        (
            "too-few-of-three",
            "Two signers where three are required",
            quorum,
            "TRUST-12",
            &[AUTHOR, APPROVER],
            "author-and-approver",
            3,
            "publisher.too_few_signers",
        ),
    ] {
        cases.push(
            case(id, signers, store)
                .with("signers_required", required)
                .says(title, why)
                .spec(spec)
                .refused(code),
        );
    }
    for (id, title, why, spec, signers, store, required) in [
        (
            "unknown-extra",
            "A trusted signer and a stranger",
            "A stranger adds nothing and takes nothing away.",
            "TRUST-07 TRUST-11",
            &[AUTHOR, STRANGER][..],
            "author",
            1,
        ),
        (
            "stranger-first",
            "A stranger, then a trusted signer",
            "The order of signatures decides about names, not about trust.",
            "TRUST-11",
            &[STRANGER, AUTHOR],
            "author",
            1,
        ),
        (
            "two-required",
            "Two signers where two are required",
            quorum,
            "TRUST-12",
            &[AUTHOR, APPROVER],
            "author-and-approver",
            2,
        ),
        (
            "valid-from-now",
            "A key that is valid from now on",
            span,
            "TRUST-05",
            &[AUTHOR],
            "valid-from-now",
            1,
        ),
        (
            "valid-until-now",
            "A key whose time ends now",
            span,
            "TRUST-05",
            &[AUTHOR],
            "valid-until-now",
            1,
        ),
        (
            "other-content-revoked",
            "Another content is revoked",
            revoked,
            "TRUST-08",
            &[AUTHOR],
            "other-content-revoked",
            1,
        ),
        (
            "stranger-revoked-not-signer",
            "A key is revoked that did not sign",
            revoked,
            "TRUST-09",
            &[AUTHOR],
            "stranger-revoked",
            1,
        ),
    ] {
        cases.push(
            case(&format!("accept-{id}"), signers, store)
                .with("signers_required", required)
                .says(title, why)
                .spec(spec),
        );
    }
    cases
}
