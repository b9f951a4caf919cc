//! An organisation's policy over a host's own: nothing becomes wider, and what would is named.

use crate::kernel::policy::PermissionPolicy;
use crate::kernel::prelude::*;
use serde_json::{json, Value};

fn policy(mut value: Value) -> PermissionPolicy {
    value["format"] = json!("mpp-policy/1");
    PermissionPolicy::from_json(value.to_string().as_bytes()).expect("a policy")
}

fn narrowed(ours: Value, local: Value) -> Result<PermissionPolicy, String> {
    policy(ours).narrowed_by(&policy(local)).map_err(|error| {
        assert_eq!(error.code(), Code::PolicyWider);
        error.detail().to_owned()
    })
}

/// Each member of a policy that can widen one, with a value that does.
fn widening() -> Vec<(&'static str, Value)> {
    let directory = json!([{ "guest": "/data", "host": "/srv/data" }]);
    let header = json!([{ "host": "api.example.com", "name": "x-key", "secret": "key" }]);
    vec![
        ("trusted_packages", json!({ "trusted_packages": ["org.acme.one"] })),
        ("trusted_publishers", json!({ "trusted_publishers": ["Acme"] })),
        ("auto_approve_low", json!({ "auto_approve_low": true })),
        ("real_clock", json!({ "real_clock": true })),
        ("real_random", json!({ "real_random": true })),
        ("directories", json!({ "directories": directory })),
        ("environment", json!({ "environment": [{ "name": "A", "value": "b" }] })),
        ("network.plain_http", json!({ "network": { "plain_http": ["h.example:80"] } })),
        ("network.private_addresses", json!({ "network": { "private_addresses": ["h.example"] } })),
        ("network.headers", json!({ "network": { "headers": header } })),
        (
            "privacy_filters.except",
            json!({ "privacy_filters": { "except": [{ "kinds": ["email"] }] } }),
        ),
        ("privacy_filters.keep", json!({ "privacy_filters": { "keep": { "values": ["a"] } } })),
        ("consent.elicitation", json!({ "consent": { "elicitation": "low" } })),
    ]
}

#[test]
fn each_member_that_would_widen_is_refused_by_its_name_and_taken_where_the_organisation_has_it() {
    for (member, local) in widening() {
        let refused = narrowed(json!({}), local.clone()).expect_err(member);
        assert!(refused.contains(&format!("`{member}`")), "{refused}");
        narrowed(local.clone(), local.clone()).expect(member);
        narrowed(local, json!({})).expect(member);
    }
    let ours = json!({ "tools": { "allow": ["org.acme"] }, "agents": [{ "names": ["a"] }] });
    for (member, local) in [
        ("tools.allow", json!({ "tools": { "allow": ["org.other"] } })),
        ("agents", json!({ "agents": [{ "names": ["b"] }] })),
    ] {
        assert!(narrowed(ours.clone(), local).expect_err(member).contains(member));
    }
}

#[test]
fn the_narrower_of_both_counts_and_narrowing_again_changes_nothing() {
    let ours = json!({
        "signers_required": 2, "token_lifetime_s": 60, "deny": { "packages": ["org.bad"] },
        "ceilings": { "fuel": 1000, "timeout_ms": 50 }, "auto_approve_low": true,
        "privacy_filters": { "patterns": ["email"], "custom": [{ "name": "OURS", "pattern": "x1" }] },
    });
    let local = json!({
        "signers_required": 1, "token_lifetime_s": 100, "deny": { "packages": ["org.worse"] },
        "ceilings": { "fuel": 10, "timeout_ms": 500 }, "ask_always": true, "non_interactive": true,
        "tools": { "deny": ["org.acme/run"], "allow": ["org.acme"] },
        "privacy_filters": { "patterns": ["phone"] }, "consent": { "remember": false },
    });
    let new = narrowed(ours, local.clone()).expect("narrower");
    assert_eq!((new.signers_required, new.token_lifetime_s), (2, 60));
    assert_eq!((new.ceilings.fuel, new.ceilings.timeout_ms), (10, 50));
    assert_eq!(new.deny.packages.len(), 2);
    assert!(
        new.ask_always && new.non_interactive && !new.auto_approve_low && !new.consent.remember
    );
    assert_eq!(new.privacy_filters.always.patterns, ["email", "phone"]);
    assert_eq!(new.privacy_filters.always.custom.len(), 1);
    assert!(new.hides("org.acme", "run") && new.hides("org.other", "any"));
    let again = new.narrowed_by(&policy(local)).expect("narrower");
    assert_eq!(format!("{again:?}"), format!("{new:?}"));
}

#[test]
fn a_directory_can_become_read_only_and_no_other_and_elicitation_lower() {
    let rule = |host: &str, read_only: bool| json!([{ "guest": "/data", "host": host, "read_only": read_only }]);
    let with = |rule: &Value| json!({ "directories": rule });
    let (writable, read_only) = (rule("/srv", false), rule("/srv", true));
    let new = narrowed(with(&writable), with(&read_only)).expect("narrower");
    assert!(new.directories.iter().all(|rule| rule.read_only));
    let new = narrowed(with(&writable), json!({})).expect("narrower");
    assert!(new.directories.iter().all(|rule| !rule.read_only));
    narrowed(with(&read_only), with(&writable)).expect_err("writable");
    narrowed(with(&writable), with(&rule("/srv/other", true))).expect_err("another");
    let level = |level: &str| json!({ "consent": { "elicitation": level } });
    let new = narrowed(level("medium"), level("low")).expect("lower");
    assert_eq!(
        new.consent.elicitation,
        narrowed(level("low"), json!({})).expect("same").consent.elicitation
    );
    narrowed(level("low"), level("medium")).expect_err("higher");
}
