//! Secrets in a policy and a token: which packages get one, when, and where its value never appears.

use super::*;
use crate::kernel::secrets::KnownSecret;
use serde_json::{json, Value};

/// A host that knows two values.
fn known() -> Fake {
    Fake { secrets: &["FIRST", "SECOND"], ..Fake::default() }
}

fn document(mut members: Value) -> Result<PermissionPolicy, crate::kernel::error::Error> {
    members["trusted_packages"] = json!(["org.acme.tool"]);
    read(members)
}

fn package() -> VerifiedManifest {
    verified(with(|m| {
        m.id = "org.acme.tool".into();
        m.capabilities.environment = owned(&["A", "B"]);
        m.capabilities.network = owned(&["api.example.com"]);
    }))
}

fn token(policy: &PermissionPolicy) -> CapabilityToken {
    match policy.evaluate(&package()) {
        PolicyDecision::Granted(token) => token,
        other => panic!("{other:?}"),
    }
}

fn with_both() -> PermissionPolicy {
    document(json!({
        "environment": [{ "name": "A", "secret": "FIRST" }, { "name": "B", "value": "literal-text" }],
        "network": { "headers": [
            { "host": "api.example.com", "name": "authorization", "secret": "SECOND", "prefix": "Bearer " },
            { "host": "api.example.com", "name": "x-key", "secret": "FIRST" },
            { "host": "api.example.com", "name": "x-more", "value": "Basic l1teral-value" },
            { "host": "other.example.com", "name": "x-key", "secret": "UNKNOWN" },
        ] },
    }))
    .unwrap()
}

#[test]
fn a_token_has_names_first_and_values_once_they_were_looked_up() {
    let store = known();
    let before = token(&with_both());
    assert!(store.asked.lock().unwrap().is_empty());
    assert_eq!(before.environment(), BTreeMap::from([("B".into(), "literal-text".into())]));
    let after = before.resolve_secrets(&store).unwrap();
    assert_eq!(*store.asked.lock().unwrap(), ["SECOND", "FIRST"]);
    assert_eq!(after.environment()["A"], "s3cr3t of FIRST");
    assert_eq!(after.environment()["B"], "literal-text");
    let headers: Vec<_> =
        after.hosts()[0].headers.iter().map(|it| (&*it.name, &*it.value)).collect();
    let expected = [
        ("authorization", "Bearer s3cr3t of SECOND"),
        ("x-key", "s3cr3t of FIRST"),
        ("x-more", "Basic l1teral-value"),
    ];
    assert_eq!(headers, expected);
    let shown = |it: &KnownSecret| format!("{}={}", it.label(), it.reveal());
    let of_headers: Vec<_> = after.hosts()[0].headers.iter().flat_map(|it| &it.secret).collect();
    let expected = [
        "SECRET:SECOND=s3cr3t of SECOND",
        "SECRET:FIRST=s3cr3t of FIRST",
        "SECRET:x_more=l1teral-value",
    ];
    assert_eq!(of_headers.into_iter().map(shown).collect::<Vec<_>>(), expected);
    let expected = [
        "SECRET:B=literal-text",
        "SECRET:FIRST=s3cr3t of FIRST",
        "SECRET:SECOND=s3cr3t of SECOND",
        "SECRET:x_more=l1teral-value",
    ];
    assert_eq!(after.known_secrets().iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn no_form_for_people_or_logs_shows_a_value() {
    let policy = with_both();
    let token = token(&policy);
    let unasked = PermissionPolicy { trusted_packages: BTreeSet::new(), ..policy.clone() };
    let question = unasked.evaluate(&package());
    let shown = format!(
        "{policy:?} {token:?} {token:#?} {:?} {question:?} {:?}",
        token.describe_grants(),
        policy.secret_uses(),
    );
    for value in ["s3cr3t", "literal-text", "l1teral"] {
        assert!(!shown.contains(value), "{shown}");
    }
    let PolicyDecision::RequiresConfirmation { capabilities, .. } = question else { panic!() };
    let lines: Vec<_> = capabilities.iter().map(ToString::to_string).collect();
    let host = "connect to api.example.com (with secret header authorization, with secret header x-key, with secret header x-more)";
    assert!(lines.contains(&host.to_owned()), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("not set")), "{lines:?}");
}

#[test]
fn a_secret_that_is_missing_refuses_the_call_and_one_for_others_is_not_looked_up() {
    let policy =
        document(json!({ "environment": [{ "name": "A", "secret": "UNKNOWN" }] })).unwrap();
    let error = token(&policy).resolve_secrets(&known()).err().unwrap();
    assert_eq!(error.code(), Code::SecretMissing);
    assert!(error.detail().contains("UNKNOWN"));
    for entry in [
        json!({ "name": "A", "secret": "UNKNOWN", "packages": ["org.other"] }),
        json!({ "name": "C", "secret": "UNKNOWN" }),
    ] {
        let store = known();
        let token = token(&document(json!({ "environment": [entry] })).unwrap());
        assert!(token.resolve_secrets(&store).unwrap().environment().is_empty());
        assert!(store.asked.lock().unwrap().is_empty());
    }
    // The last entry of a name counts, of whichever kind.
    let entries =
        [json!({ "name": "A", "secret": "UNKNOWN" }), json!({ "name": "A", "value": "v" })];
    let policy = document(json!({ "environment": entries })).unwrap();
    assert_eq!(token(&policy).environment()["A"], "v");
}

#[test]
fn an_entry_has_a_value_or_a_secret_and_a_prefix_only_beside_a_secret() {
    let variable = |entry: Value| document(json!({ "environment": [entry] }));
    let header = |more: Value| {
        let mut entry = json!({ "host": "api.example.com", "name": "x" });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        document(json!({ "network": { "headers": [entry] } }))
    };
    assert!(variable(json!({ "name": "A", "secret": "S" })).is_ok());
    assert!(header(json!({ "secret": "S", "prefix": "Bearer " })).is_ok());
    assert!(header(json!({ "secret": "S", "prefix": "Token token=" })).is_ok());
    let long = "x".repeat(65);
    for refused in [
        variable(json!({ "name": "A" })),
        variable(json!({ "name": "A", "value": "v", "secret": "S" })),
        variable(json!({ "name": "A", "secret": "a-b" })),
        variable(json!({ "name": "A", "secret": "" })),
        variable(json!({ "name": "A", "secret": 1 })),
        variable(json!({ "name": "A", "secret": null })),
        variable(json!({ "name": "A", "secret": "S", "prefix": "x" })),
        header(json!({})),
        header(json!({ "value": "v", "secret": "S" })),
        header(json!({ "value": "v", "prefix": "Bearer " })),
        header(json!({ "secret": "S", "prefix": "" })),
        header(json!({ "secret": "S", "prefix": " " })),
        header(json!({ "secret": "S", "prefix": " Bearer" })),
        header(json!({ "secret": "S", "prefix": "a\r\nb" })),
        header(json!({ "secret": "S", "prefix": "é" })),
        header(json!({ "secret": "S", "prefix": long })),
        document(json!({ "secrets_command": [] })),
        document(json!({ "secrets_command": "/usr/bin/pass show" })),
        document(json!({ "secrets_command": ["pass", "show"] })),
        document(json!({ "secrets_command": ["/bin/a\u{0}"] })),
        document(json!({ "secrets_command": ["/bin/a", 1] })),
        document(json!({ "secrets_command": vec!["/bin/a"; 65] })),
    ] {
        assert_eq!(refused.unwrap_err().code(), Code::PolicyInvalid);
    }
}
