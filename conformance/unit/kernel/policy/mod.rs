//! Tests of the policy: refusals one by one, then properties over many manifests and policies.
#![allow(clippy::as_conversions, clippy::arithmetic_side_effects)]

mod defaults;
mod file;
mod properties;
mod secrets;

use super::capability::digest;
use super::risk::{score, SecurityLevel, WEIGHTS};
use super::token::{DirectoryGrant, RunLimits};
use super::*;
use crate::kernel::agent::Agent;
use crate::kernel::encoding::sha256_hex;
use crate::kernel::error::Code;
use crate::kernel::gatekeeper::VerifiedManifest;
use crate::kernel::host::tests::Fake;
use crate::kernel::package::manifest::*;
use crate::kernel::policy::token::ResolvedToken;
use crate::tests::support::{package, SILENT};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

/// Asks for nothing, is called `org.acme.tool`, has one tool that only looks.
fn pure() -> Manifest {
    static PARSED: OnceLock<Manifest> = OnceLock::new();
    PARSED.get_or_init(parse_pure).clone()
}

fn parse_pure() -> Manifest {
    let manifest = json!({
        "mpp_version": "1.0",
        "id": "org.acme.tool",
        "version": "1.0.0",
        "name": "Tool",
        "description": "Looks.",
        "runtime": {
            "target": "wasm32-wasip1",
            "memory_limit_mb": 64,
            "timeout_ms": 5000,
            "fuel": 1_000_000,
            "output_limit_kb": 1024
        },
        "tools": [{
            "name": "look",
            "description": "Looks.",
            "parameters": { "type": "object" },
            "sensitivity": "read"
        }]
    });
    Manifest::parse(manifest.to_string().as_bytes()).expect("valid")
}

fn tool(name: &str, sensitivity: Sensitivity) -> Tool {
    Tool { name: name.to_owned(), sensitivity, ..pure().tools[0].clone() }
}

fn with(change: impl FnOnce(&mut Manifest)) -> Manifest {
    let mut manifest = pure();
    change(&mut manifest);
    manifest
}

fn hosts(list: &[&str]) -> Manifest {
    with(|m| m.capabilities.network = owned(list))
}

fn reads(list: &[&str]) -> Manifest {
    with(|m| m.capabilities.filesystem.read = owned(list))
}

fn writes(list: &[&str]) -> Manifest {
    with(|m| m.capabilities.filesystem.write = owned(list))
}

fn sees(list: &[&str]) -> Manifest {
    with(|m| m.capabilities.environment = owned(list))
}

fn destroys() -> Manifest {
    with(|m| m.tools.push(tool("drop", Sensitivity::Destructive)))
}

/// A package for each kind of capability, in their order, which asks for one such thing.
fn one_of_each() -> [Manifest; 6] {
    [
        hosts(&["a.example"]),
        reads(&["/data"]),
        writes(&["/out"]),
        sees(&["KEY"]),
        with(|m| m.capabilities.storage = Some(Storage { limit_kb: 1 })),
        destroys(),
    ]
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn verified(manifest: Manifest) -> VerifiedManifest {
    signed_by(&["Acme"], &manifest)
}

fn signed_by(publishers: &[&str], manifest: &Manifest) -> VerifiedManifest {
    package(manifest, SILENT, &[], publishers).manifest
}

/// The policy of a file with these members besides its format.
fn read(mut members: Value) -> Result<PermissionPolicy, Error> {
    members["format"] = json!("mpp-policy/1");
    PermissionPolicy::from_json(members.to_string().as_bytes())
}

/// Members that approve without a question.
fn all_trust() -> Value {
    json!({
        "trusted_packages": ["org.acme.tool"], "trusted_publishers": ["Acme"],
        "auto_approve_low": true,
    })
}

fn policy_of(members: Value) -> PermissionPolicy {
    read(members).expect("valid")
}

/// `granted RULE`, `asks LEVEL` or `denied`.
fn verdict(policy: &PermissionPolicy, manifest: Manifest) -> String {
    match policy.evaluate(&verified(manifest)) {
        PolicyDecision::Granted(token) => format!("granted {}", token.granted_by()),
        PolicyDecision::RequiresConfirmation { security_level, .. } => {
            format!("asks {security_level}")
        }
        PolicyDecision::Denied { .. } => "denied".to_owned(),
    }
}

fn confirmed(policy: &PermissionPolicy, manifest: Manifest) -> CapabilityToken {
    policy.confirm(&verified(manifest), "terminal:alice").expect("may be confirmed")
}

/// The token of a policy that names no secret, as a sandbox takes it.
fn resolved(token: &CapabilityToken) -> ResolvedToken {
    token.clone().resolve_secrets(&Fake::default()).expect("resolved")
}

/// The verdict about one call.
fn verdict_of_call(policy: &PermissionPolicy, tool: &str, agent: Option<&str>) -> &'static str {
    let manifest = verified(destroys());
    let tool = manifest.tools.iter().find(|found| found.name == tool).expect("a tool");
    let agent = agent.and_then(|name| Agent::self_reported(name, None));
    match policy.evaluate_call(&manifest, tool, agent.as_ref()) {
        PolicyDecision::Granted(_) => "granted",
        PolicyDecision::RequiresConfirmation { .. } => "asks",
        PolicyDecision::Denied { .. } => "denied",
    }
}

#[test]
fn of_a_trusted_package_only_the_destructive_tool_is_asked_about() {
    let policy = PermissionPolicy::new().trust_package("org.acme.tool");
    assert_eq!(verdict_of_call(&policy, &verified(destroys()).tools[0].name, None), "granted");
    assert_eq!(verdict_of_call(&policy, "drop", None), "asks");
    let policy = PermissionPolicy { non_interactive: true, ..policy };
    assert_eq!(verdict_of_call(&policy, "drop", None), "denied");
}

#[test]
fn a_package_for_named_agents_is_denied_to_all_others_and_to_the_nameless() {
    let for_agents = |names: &[&str], id: &str| json!({ "names": names, "packages": [id] });
    let only = for_agents(&["a", "b"], "org.acme");
    let policy = policy_of(json!({ "agents": [only] }));
    for agent in [Some("c"), Some("A"), Some("a b"), None] {
        assert_eq!(verdict_of_call(&policy, "drop", agent), "denied", "{agent:?}");
    }
    assert_eq!(verdict_of_call(&policy, "drop", Some("b")), "asks");
    let also = policy_of(json!({ "agents": [only, for_agents(&["c"], "*")] }));
    assert_eq!(verdict_of_call(&also, "drop", Some("c")), "asks");
    let others = policy_of(json!({ "agents": [for_agents(&["a"], "org.acmecorp")] }));
    assert_eq!(verdict_of_call(&others, "drop", None), "asks");
}

#[test]
fn low_is_approved_only_where_the_policy_says_so_and_nothing_above_it() {
    let policy = PermissionPolicy::new().auto_approve_low(true);
    assert_eq!(verdict(&policy, reads(&["/data"])), "granted policy:auto_approve_low");
    assert_eq!(verdict(&policy, pure()), "granted default:none");
    assert_eq!(verdict(&policy, sees(&["API_KEY"])), "asks medium");
    assert_eq!(verdict(&policy, hosts(&["api.example.com"])), "asks medium");
    assert_eq!(verdict(&policy.auto_approve_low(false), reads(&["/data"])), "asks low");
}

#[test]
fn a_trusted_package_is_exactly_the_one_named() {
    let policy = PermissionPolicy::new().trust_package("org.acme.tool");
    let risky = with(|m| {
        m.capabilities.network = owned(&["api.example.com"]);
        m.capabilities.environment = owned(&["API_KEY"]);
    });
    let named = |id: &str| Manifest { id: id.into(), ..sees(&["API_KEY"]) };
    assert_eq!(verdict(&policy, risky), "granted policy:trust_package org.acme.tool");
    for id in ["org.acme", "org.acme.tool.sub", "org.acme.tool2", "org.acme.too", "acme.tool"] {
        assert_eq!(verdict(&policy, named(id)), "asks medium", "{id}");
    }
}

#[test]
fn a_trusted_publisher_is_the_one_who_may_publish_not_one_who_countersigned() {
    // The publisher comes first, in whichever order they signed.
    let manifest = signed_by(&["Approver", "Acme"], &sees(&["KEY"]));
    assert_eq!(manifest.signer_names(), ["Acme", "Approver"]);
    let decide = |name: &str| {
        let mut policy = PermissionPolicy::new();
        policy.trusted_publishers.insert(name.to_owned());
        policy.evaluate(&manifest)
    };
    assert!(matches!(decide("Acme"), PolicyDecision::Granted(token)
        if token.granted_by() == "policy:trust_publisher Acme"));
    for name in ["Approver", "acme", "Acme ", ""] {
        assert!(matches!(decide(name), PolicyDecision::RequiresConfirmation { .. }), "{name}");
    }
}

#[test]
fn a_package_with_a_destructive_tool_never_runs_unasked() {
    let policy = policy_of(all_trust());
    assert_eq!(verdict(&policy, destroys()), "asks high");
    let alone = PermissionPolicy { non_interactive: true, ..policy.clone() };
    assert_eq!(verdict(&alone, destroys()), "denied");
    let PolicyDecision::RequiresConfirmation { capabilities, .. } =
        policy.evaluate(&verified(destroys()))
    else {
        panic!("not asked")
    };
    assert_eq!(capabilities, [Capability::Destructive { tool: "drop".into() }]);
}

#[test]
fn non_interactive_policies_deny_what_needs_approval_and_accept_no_confirmation() {
    let policy =
        policy_of(json!({ "trusted_packages": ["org.acme.tool"], "non_interactive": true }));
    assert_eq!(verdict(&policy, pure()), "granted policy:trust_package org.acme.tool");
    let other = Manifest { id: "org.acme.other".into(), ..reads(&["/data"]) };
    assert_eq!(verdict(&policy, other.clone()), "denied");
    let error = policy.confirm(&verified(other), "terminal:alice").expect_err("non-interactive");
    assert_eq!(error.code(), Code::PolicyDenied);
}

#[test]
fn denied_packages_and_those_below_stay_denied_after_an_approval() {
    for (rule, expected) in [
        ("org.acme.tool", "denied"),
        ("org.acme", "denied"),
        ("org", "denied"),
        ("*", "denied"),
        ("org.acme.to", "granted policy:trust_package org.acme.tool"),
        ("org.acme.tool.sub", "granted policy:trust_package org.acme.tool"),
        ("", "granted policy:trust_package org.acme.tool"),
    ] {
        let mut policy =
            PermissionPolicy::new().trust_package("org.acme.tool").auto_approve_low(true);
        policy.deny.packages.insert(rule.to_owned());
        assert_eq!(verdict(&policy, pure()), expected, "{rule}");
        let confirmed = policy.confirm(&verified(pure()), "terminal:alice");
        assert_eq!(confirmed.is_err(), expected == "denied", "{rule}");
    }
}

#[test]
fn each_kind_of_capability_can_be_denied() {
    for (n, denied) in CapabilityKind::ALL.into_iter().enumerate() {
        let policy = policy_of(json!({ "deny": { "capabilities": [denied.as_str()] } }));
        assert_eq!(verdict(&policy, pure()), "granted default:none");
        for (m, manifest) in one_of_each().iter().enumerate() {
            let verdict = verdict(&policy, manifest.clone());
            assert_eq!(verdict == "denied", n == m, "{denied:?} {verdict}");
        }
        assert_eq!(CapabilityKind::parse(denied.as_str()), Some(denied));
    }
}

#[test]
fn a_denied_host_covers_names_below_it_and_every_spelling() {
    let denied = |rule: &str, host: &str| {
        let mut policy = PermissionPolicy::new();
        policy.deny.hosts.insert(HostPattern::from_text(rule));
        verdict(&policy, hosts(&["ok.example", host])) == "denied"
    };
    for (rule, host) in [
        ("evil.example", "evil.example"),
        ("evil.example", "api.evil.example"),
        ("Evil.Example.", "evil.example"),
        ("evil.example", "evil.example:8443"),
        ("evil.example:8443", "api.evil.example:8443"),
        ("evil.example:443", "evil.example"),
        ("example", "a.example"),
    ] {
        assert!(denied(rule, host), "{rule} {host}");
    }
    for (rule, host) in [
        ("evil.example", "notevil.example"),
        ("evil.example", "evil.example.org"),
        ("api.evil.example", "evil.example"),
        ("evil.example:8443", "evil.example"),
        ("evil.example:443", "evil.example:8443"),
        ("", "evil.example"),
    ] {
        assert!(!denied(rule, host), "{rule} {host}");
    }
    // No manifest has this form, but a rule that does not depend on that is simpler to check.
    assert!(HostPattern::from_text("evil.example").covers(&HostPattern::from_text("EVIL.example.")));
}

#[test]
fn fewer_publishers_than_required_are_denied() {
    let policy = policy_of(json!({ "trusted_packages": ["org.acme.tool"], "signers_required": 2 }));
    assert_eq!(verdict(&policy, pure()), "denied");
    assert!(policy.confirm(&verified(pure()), "terminal:alice").is_err());
    let both = signed_by(&["Acme", "Approver"], &pure());
    assert!(matches!(policy.evaluate(&both), PolicyDecision::Granted(_)));
}

#[test]
fn an_approval_without_a_visible_name_confirms_nothing() {
    let policy = PermissionPolicy::new();
    for name in ["", " ", " alice", "al\nice", "\u{1b}[2J", &"a".repeat(257)] {
        let error = policy.confirm(&verified(pure()), name).expect_err(name);
        assert_eq!(error.code(), Code::PolicyConfirmation, "{name:?}");
    }
    assert_eq!(confirmed(&policy, pure()).granted_by(), "person:terminal:alice");
}

#[test]
fn a_confirmed_destructive_package_gets_its_token() {
    let manifest = verified(destroys());
    let token = PermissionPolicy::new().confirm(&manifest, "alice").expect("confirmed");
    assert_eq!(token.content_hash(), manifest.content_hash());
}

#[test]
fn what_the_policy_does_not_map_or_set_is_invisible_and_shown_as_such() {
    let manifest = with(|m| {
        m.capabilities.filesystem.read = owned(&["/data", "/none"]);
        m.capabilities.filesystem.write = owned(&["/out"]);
        m.capabilities.environment = owned(&["SET", "UNSET"]);
    });
    let policy = PermissionPolicy::new()
        .map_directory("/data", "/srv/data")
        .map_directory("/out", "/srv/out")
        .map_directory("/unasked", "/etc")
        .allow_env("SET", "s3cret")
        .allow_env("UNASKED", "s3cret");
    let token = confirmed(&policy, manifest.clone());
    assert_eq!(token.environment(), BTreeMap::from([("SET".into(), "s3cret".into())]));
    let grant = |guest: &str, host: &str, writable| DirectoryGrant {
        guest: guest.into(),
        host: host.into(),
        writable,
    };
    let expected = [grant("/data", "/srv/data", false), grant("/out", "/srv/out", true)];
    assert_eq!(token.directories(), expected);
    let PolicyDecision::RequiresConfirmation { capabilities, .. } =
        policy.evaluate(&verified(manifest))
    else {
        panic!("not asked")
    };
    let lines: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "read /data (host path /srv/data)",
            "read /none (not mapped; invisible to the tool)",
            "read and write /out (host path /srv/out)",
            "read environment variable SET",
            "read environment variable UNSET (not set; invisible to the tool)",
        ]
    );
}

#[test]
fn what_is_shown_is_what_a_token_would_hold_read_only_mappings_and_the_host_s_clocks_included() {
    let manifest = with(|m| m.capabilities.filesystem.write = owned(&["/out"]));
    let read_only =
        DirectoryGrant { guest: "/out".into(), host: "/srv/out".into(), writable: false };
    let policy = policy_of(json!({
        "directories": [{ "guest": "/out", "host": "/srv/out", "read_only": true }],
        "real_clock": true, "real_random": true,
    }));
    let PolicyDecision::RequiresConfirmation { capabilities, .. } =
        policy.evaluate(&verified(manifest.clone()))
    else {
        panic!("not asked")
    };
    let lines: Vec<String> = capabilities.iter().map(ToString::to_string).collect();
    let expected = [
        "read /out (host path /srv/out)",
        "read the host's clocks",
        "use the host's random numbers",
    ];
    assert_eq!(lines, expected);
    let token = confirmed(&policy, manifest);
    assert_eq!((token.describe_grants(), token.directories()), (lines, vec![read_only]));
    // The rule denies the requested capability, also if it is mapped read-only.
    let mut stricter = policy;
    stricter.deny.capabilities.insert(CapabilityKind::FilesystemWrite);
    assert_eq!(verdict(&stricter, writes(&["/out"])), "denied");
}

#[test]
fn the_last_mapping_of_a_path_and_the_last_value_of_a_variable_count() {
    let manifest = with(|m| {
        m.capabilities.filesystem.read = owned(&["/data"]);
        m.capabilities.environment = owned(&["KEY"]);
    });
    let policy = PermissionPolicy::new()
        .map_directory("/data", "/one")
        .map_directory("/data", "/two")
        .allow_env("KEY", "one")
        .allow_env("KEY", "two");
    let token = confirmed(&policy, manifest);
    assert_eq!(token.directories()[0].host, "/two");
    assert_eq!(token.environment()["KEY"], "two");
}

#[test]
fn limits_above_a_ceiling_are_cut_to_it_and_those_below_stay() {
    let low = policy_of(json!({ "ceilings": {
        "memory_limit_mb": 8, "timeout_ms": 10, "fuel": 7, "output_limit_kb": 1,
    } }));
    let high = policy_of(json!({ "ceilings": {
        "memory_limit_mb": u32::MAX, "timeout_ms": u32::MAX, "fuel": u64::MAX,
    } }));
    let low_limits = RunLimits {
        memory_bytes_max: 8 << 20,
        fuel_max: 7,
        timeout: Duration::from_millis(10),
        output_bytes_max: 1024,
    };
    let own_limits = RunLimits {
        memory_bytes_max: 64 << 20,
        fuel_max: 1_000_000,
        timeout: Duration::from_secs(5),
        output_bytes_max: 1 << 20,
    };
    assert_eq!(confirmed(&low, pure()).limits(), &low_limits);
    assert_eq!(confirmed(&high, pure()).limits(), &own_limits);
    assert_eq!(confirmed(&PermissionPolicy::new(), pure()).limits(), &own_limits);
}

#[test]
fn a_token_ends_and_its_clones_with_it() {
    let policy = PermissionPolicy::new();
    assert!(!confirmed(&policy, pure()).is_expired());
    let lasting = |token_lifetime_s| PermissionPolicy { token_lifetime_s, ..policy.clone() };
    let over = confirmed(&lasting(0), pure());
    assert!(over.is_expired() && over.clone().is_expired());
    let day = Duration::from_secs(crate::kernel::limits::TOKEN_LIFETIME_S_MAX);
    let forever = confirmed(&lasting(u64::MAX), pure());
    assert!(!forever.is_expired() && forever.expires <= crate::host::clock::elapsed() + day);
}

#[test]
fn no_debug_form_shows_the_value_of_a_variable() {
    let policy = PermissionPolicy::new().allow_env("KEY", "s3cret");
    let token = confirmed(&policy, sees(&["KEY"]));
    let decision = PolicyDecision::Granted(token.clone());
    for text in [format!("{policy:?}"), format!("{token:?}"), format!("{decision:#?}")] {
        assert!(text.contains("KEY") && !text.contains("s3cret"), "{text}");
    }
}

#[test]
fn capability_lines_hide_nothing() {
    for capability in [
        Capability::Network {
            host: "a\u{1b}[2Jb\n".into(),
            plain_http: false,
            private_addresses: false,
            headers: BTreeMap::new(),
        },
        Capability::Directory {
            guest: "/a\r".into(),
            host: Some("/b\u{202e}".into()),
            writable: false,
        },
        Capability::Environment { name: "A\u{9b}".into(), source: None },
    ] {
        assert!(
            !capability.to_string().chars().any(crate::kernel::text::is_hidden),
            "{capability}"
        );
    }
}

/// The same grant with each of its fields changed, one at a time.
fn changed(grant: &Capability) -> Vec<Capability> {
    let from_another = |given: &ValueSource| {
        let ValueSource { text, secret } = given.clone();
        let secret = secret.map_or(Some("S".into()), |name| Some(format!("{name}2")));
        ValueSource { text, secret }
    };
    match grant.clone() {
        Capability::Network { host, plain_http, private_addresses, headers } => {
            let with = |host: &str, plain_http, private_addresses, headers: &BTreeMap<_, _>| {
                let (host, headers) = (host.to_owned(), headers.clone());
                Capability::Network { host, plain_http, private_addresses, headers }
            };
            let mut all = vec![
                with("b.example", plain_http, private_addresses, &headers),
                with(&host, !plain_http, private_addresses, &headers),
                with(&host, plain_http, !private_addresses, &headers),
            ];
            for (name, given) in &headers {
                let mut changed = headers.clone();
                changed.remove(name);
                all.push(with(&host, plain_http, private_addresses, &changed));
                changed.insert(format!("{name}2"), given.clone());
                all.push(with(&host, plain_http, private_addresses, &changed));
                changed = headers.clone();
                changed.insert(name.clone(), from_another(given));
                all.push(with(&host, plain_http, private_addresses, &changed));
            }
            all
        }
        Capability::Directory { guest, host, writable } => vec![
            Capability::Directory { guest: "/b".into(), host: host.clone(), writable },
            Capability::Directory { guest: guest.clone(), host: None, writable },
            Capability::Directory { guest: guest.clone(), host: Some("/srv/b".into()), writable },
            Capability::Directory { guest, host, writable: !writable },
        ],
        Capability::Environment { name, source: given } => {
            let with = |source| Capability::Environment { name: name.clone(), source };
            let mut all = vec![
                Capability::Environment { name: format!("{name}2"), source: given.clone() },
                with(given.as_ref().map_or(Some(ValueSource::new("")), |_| None)),
            ];
            all.extend(given.iter().map(|given| with(Some(from_another(given)))));
            all
        }
        Capability::Storage { limit_kb } => vec![Capability::Storage { limit_kb: limit_kb + 1 }],
        Capability::Destructive { tool } => vec![Capability::Destructive { tool: tool + "2" }],
        Capability::RealClock | Capability::RealRandom => vec![],
    }
}

#[test]
fn each_field_of_each_grant_and_their_order_count_in_the_digest_and_no_value_does() {
    let secret = ValueSource { secret: Some("KEY".into()), ..ValueSource::new("Bearer ") };
    let given = |source| Capability::Environment { name: "A".into(), source };
    let list = [
        Capability::Network {
            host: "a.example".into(),
            plain_http: false,
            private_addresses: true,
            headers: BTreeMap::from([
                ("authorization".into(), secret.clone()),
                ("x-key".into(), ValueSource::new("v")),
            ]),
        },
        Capability::Directory { guest: "/a".into(), host: Some("/srv/a".into()), writable: true },
        given(Some(ValueSource::new("v"))),
        given(Some(secret)),
        given(None),
        Capability::Storage { limit_kb: 1 },
        Capability::Destructive { tool: "drop".into() },
        Capability::RealClock,
        Capability::RealRandom,
    ];
    let mut digests = BTreeSet::from([digest(&list)]);
    let mut count = 1;
    let mut add = |list: &[Capability]| {
        count += 1;
        assert!(digests.insert(digest(list)), "same digest: {list:?}");
    };
    for at in 0..list.len() {
        for other in changed(&list[at]) {
            let mut changed = list.clone();
            changed[at] = other;
            add(&changed);
        }
        add(&[&list[..at], &list[at + 1..]].concat());
        add(&[&list[..], &list[at..=at]].concat());
    }
    for at in 1..list.len() {
        let mut swapped = list.clone();
        swapped.swap(at - 1, at);
        add(&swapped);
    }
    assert!(count > 40, "{count}");
    let text = concat!(
        r#"[{"headers":{"authorization":{"secret":"KEY"},"x-key":{"secret":null}},"#,
        r#""host":"a.example","plain_http":false,"private_addresses":true},"#,
        r#"{"directory":"/a","host_path":"2f7372762f61","writable":true},"#,
        r#"{"given":{"secret":null},"variable":"A"},{"given":{"secret":"KEY"},"variable":"A"},"#,
        r#"{"given":null,"variable":"A"},{"storage_kb":1},{"destructive":"drop"},"#,
        r#""real_clock","real_random"]"#,
    );
    assert_eq!(digest(&list), format!("sha256:{}", sha256_hex(text.as_bytes())));
    let with_value = |value: &str| digest(&[given(Some(ValueSource::new(value)))]);
    assert_eq!(with_value("one"), with_value("another"));
}

#[test]
fn two_directories_with_the_same_displayed_text_have_two_digests() {
    let mapped = |path: &str| Capability::Directory {
        guest: "/a".into(),
        host: Some(path.into()),
        writable: false,
    };
    let (one, other) = (mapped("/srv/\u{202e}"), mapped("/srv/\\u{202e}"));
    assert_eq!(one.to_string(), other.to_string());
    assert_ne!(digest(&[one]), digest(&[other]));
}

#[test]
fn what_a_policy_opens_for_a_host_holds_for_that_text_alone_and_is_shown() {
    let header = |value: &str| json!({ "host": "b.corp", "name": "x-key", "value": value });
    let policy = policy_of(json!({
        "trusted_packages": ["org.acme.tool"],
        "network": {
            "plain_http": ["a.lan:80"], "private_addresses": ["a.lan:80", "b.corp"],
            "headers": [header("first"), header("s3cr3t")],
        },
    }));
    let asked = ["a.lan:80", "a.lan", "x.a.lan:80", "b.corp", "b.corp:8443", "c.b.corp"];
    let manifest = verified(with(|m| {
        m.id = "org.acme.tool".into();
        m.capabilities.network = owned(&asked);
    }));
    let PolicyDecision::Granted(token) = policy.evaluate(&manifest) else { panic!("not granted") };
    let held = resolved(&token);
    let opened: Vec<_> = held
        .hosts()
        .iter()
        .map(|it| (it.plain_http, it.private_addresses, it.headers.len()))
        .collect();
    let none = (false, false, 0);
    assert_eq!(opened, [(true, true, 0), none, none, (false, true, 1), none, none]);
    assert_eq!(held.hosts()[3].headers[0].value, "s3cr3t");
    let lines = [
        "connect to a.lan:80 (also without TLS, also private addresses)",
        "connect to a.lan",
        "connect to x.a.lan:80",
        "connect to b.corp (also private addresses, with secret header x-key)",
        "connect to b.corp:8443",
        "connect to c.b.corp",
    ];
    assert_eq!(token.describe_grants(), lines);
    assert!(!format!("{token:?}").contains("s3cr3t"));
    let unasked = PermissionPolicy { trusted_packages: BTreeSet::new(), ..policy };
    let PolicyDecision::RequiresConfirmation { capabilities, .. } = unasked.evaluate(&manifest)
    else {
        panic!("not asked")
    };
    assert_eq!(capabilities.iter().map(ToString::to_string).collect::<Vec<_>>(), lines);
    // A header for another package is not this one's.
    let scoped = policy_of(json!({
        "trusted_packages": ["org.acme.tool"],
        "network": { "headers": [
            { "host": "b.corp", "name": "x", "value": "y", "packages": ["org.other"] },
        ] },
    }));
    let PolicyDecision::Granted(token) = scoped.evaluate(&manifest) else { panic!("not granted") };
    assert!(resolved(&token).hosts().iter().all(|it| it.headers.is_empty()));
}

#[test]
fn the_anchors_of_the_public_description_hold() {
    let level = |manifest: Manifest| score(&manifest).level;
    assert_eq!(score(&pure()).points, 0);
    assert_eq!(level(pure()), SecurityLevel::None);
    assert_eq!(level(reads(&["/config"])), SecurityLevel::Low);
    assert_eq!(level(hosts(&["db.corp.internal"])), SecurityLevel::Medium);
    let internal_data = with(|m| {
        m.capabilities.network = owned(&["db.corp.internal"]);
        m.capabilities.filesystem.read = owned(&["/data"]);
    });
    assert_eq!(level(internal_data), SecurityLevel::High);
    let mut outbound = with(|m| {
        m.capabilities.network = owned(&["api.bank.example"]);
        m.capabilities.environment = owned(&["BANK_TOKEN"]);
    });
    assert_eq!(level(outbound.clone()), SecurityLevel::High);
    outbound.capabilities.filesystem.write = owned(&["/ledger"]);
    assert_eq!(level(outbound), SecurityLevel::Critical);
    assert!(level(destroys()) >= SecurityLevel::High);
}

#[test]
fn internal_hosts_are_recognized_by_their_text() {
    let inside = |host: &str| HostPattern::from_text(host).is_internal();
    for host in
        ["localhost", "db", "db:5432", "db.local", "a.b.INTERNAL.", "x.home.arpa", "p.lan:631"]
    {
        assert!(inside(host), "{host}");
    }
    for host in ["api.example.com", "internal.example.com:8080", "local.dev", "a.home.arpa.net"] {
        assert!(!inside(host), "{host}");
    }
}

/// Rows of the first table of `spec/policy.md` below the heading, without head and rule.
fn spec_rows(heading: &str) -> Vec<Vec<String>> {
    let spec = include_str!("../../../../spec/policy.md");
    let below = spec.split_once(heading).expect(heading).1;
    let lines = below.lines().skip_while(|line| !line.contains(" | ")).skip(2);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
    lines.take_while(|line| line.contains(" | ")).map(cells).collect()
}

#[test]
fn the_tables_of_the_spec_are_those_of_the_code() {
    let weights: Vec<Vec<String>> = (WEIGHTS.iter())
        .map(|(word, points, what)| vec![(*word).into(), points.to_string(), (*what).into()])
        .collect();
    assert_eq!(spec_rows("### Weights"), weights);
    let ladder: Vec<Vec<String>> = (SecurityLevel::THRESHOLDS.iter())
        .map(|(level, fewest)| vec![level.to_string(), fewest.to_string()])
        .collect();
    assert_eq!(spec_rows("### Levels"), ladder);
    let kinds: Vec<String> =
        CapabilityKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect();
    let listed: Vec<String> =
        spec_rows("## Capabilities").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(listed, kinds);
}
