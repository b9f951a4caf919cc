//! What holds where a policy says nothing: what runs without a question, and what every absent member of a
//! policy file means.

use super::*;
use std::collections::BTreeMap;

/// The verdict about a call of the package's first tool.
fn verdict_of_first(policy: &PermissionPolicy, manifest: Manifest) -> String {
    let manifest = verified(manifest);
    match policy.evaluate_call(&manifest, &manifest.tools[0], None) {
        PolicyDecision::Granted(token) => format!("granted {}", token.granted_by()),
        PolicyDecision::RequiresConfirmation { security_level, .. } => {
            format!("asks {security_level}")
        }
        PolicyDecision::Denied { .. } => "denied".to_owned(),
    }
}

fn changes() -> Manifest {
    with(|m| m.tools = vec![tool("change", Sensitivity::Write)])
}

#[test]
fn under_a_new_policy_what_asks_for_nothing_runs_and_all_else_is_asked_about() {
    let policy = PermissionPolicy::new();
    assert_eq!(verdict(&policy, pure()), "granted default:none");
    assert_eq!(verdict_of_first(&policy, pure()), "granted default:none");
    for manifest in one_of_each().into_iter().chain([changes()]) {
        assert_ne!(score(&manifest).level, SecurityLevel::None);
        let level = score(&manifest).level;
        assert_eq!(verdict(&policy, manifest.clone()), format!("asks {level}"));
        assert_eq!(verdict_of_first(&policy, manifest), format!("asks {level}"));
    }
}

#[test]
fn every_row_of_the_risk_table_has_points_so_every_capability_has_a_level() {
    assert!(WEIGHTS.iter().all(|(_, points, _)| *points > 0));
    assert_eq!(SecurityLevel::from_points(1), SecurityLevel::Low);
    let none = with(|m| m.capabilities.storage = Some(Storage { limit_kb: 0 }));
    assert_eq!(score(&none).level, SecurityLevel::Low);
}

#[test]
fn with_ask_always_what_asks_for_nothing_is_asked_about_and_only_trust_grants() {
    let policy = policy_of(json!({ "ask_always": true }));
    assert_eq!(verdict(&policy, pure()), "asks none");
    assert_eq!(verdict_of_first(&policy, pure()), "asks none");
    assert_eq!(verdict(&policy, reads(&["/data"])), "asks low");
    assert_eq!(confirmed(&policy, pure()).granted_by(), "person:terminal:alice");
    let by_id = policy.clone().trust_package("org.acme.tool");
    assert_eq!(verdict(&by_id, pure()), "granted policy:trust_package org.acme.tool");
    assert_eq!(verdict(&by_id, Manifest { id: "org.acme.other".into(), ..pure() }), "asks none");
    let mut by_publisher = policy.clone();
    by_publisher.trusted_publishers.insert("Acme".to_owned());
    assert_eq!(verdict(&by_publisher, pure()), "granted policy:trust_publisher Acme");
    assert_eq!(verdict(&by_publisher, destroys()), "asks high");
    let policy = PermissionPolicy { ask_always: false, ..policy };
    assert_eq!(verdict(&policy, pure()), "granted default:none");
}

#[test]
fn in_code_ask_always_prevails_over_auto_approve_low() {
    let policy = policy_of(json!({ "ask_always": true })).auto_approve_low(true);
    assert_eq!(verdict(&policy, pure()), "asks none");
    assert_eq!(verdict(&policy, reads(&["/data"])), "asks low");
}

#[test]
fn a_file_in_which_both_are_true_is_refused_in_either_order_and_nothing_else_is() {
    let read = |members: &str| {
        PermissionPolicy::from_json(format!(r#"{{"format":"mpp-policy/1",{members}}}"#).as_bytes())
    };
    for members in [
        r#""ask_always":true,"auto_approve_low":true"#,
        r#""auto_approve_low":true,"ask_always":true"#,
    ] {
        let error = read(members).expect_err("a contradiction");
        assert_eq!(error.code(), Code::PolicyInvalid);
        assert!(error.detail().starts_with("/ask_always: conflicts with"));
    }
    for (ask_always, auto_approve_low, of_none, of_low) in [
        (false, false, "granted default:none", "asks low"),
        (true, false, "asks none", "asks low"),
        (false, true, "granted default:none", "granted policy:auto_approve_low"),
    ] {
        let members = format!(r#""ask_always":{ask_always},"auto_approve_low":{auto_approve_low}"#);
        let policy = read(&members).expect("valid");
        assert_eq!(verdict(&policy, pure()), of_none, "{members}");
        assert_eq!(verdict(&policy, reads(&["/data"])), of_low, "{members}");
    }
}

#[test]
fn non_interactive_policies_run_what_requests_nothing_unless_it_needs_approval() {
    let policy = policy_of(json!({ "non_interactive": true }));
    assert_eq!(verdict(&policy, pure()), "granted default:none");
    assert_eq!(verdict(&policy, reads(&["/data"])), "denied");
    assert_eq!(verdict(&policy, changes()), "denied");
    let policy = PermissionPolicy { ask_always: true, ..policy };
    assert_eq!(verdict(&policy, pure()), "denied");
    let policy = policy.trust_package("org.acme.tool");
    assert_eq!(verdict(&policy, pure()), "granted policy:trust_package org.acme.tool");
}

#[test]
fn a_denial_comes_before_the_default() {
    for members in [
        json!({ "deny": { "packages": ["*"] } }),
        json!({ "deny": { "packages": ["org.acme"] } }),
        json!({ "signers_required": 2 }),
    ] {
        let policy = policy_of(members);
        assert_eq!(verdict(&policy, pure()), "denied");
        assert!(policy.confirm(&verified(pure()), "terminal:alice").is_err());
    }
    let for_agents = policy_of(json!({ "agents": [{ "names": ["a"], "packages": ["org.acme"] }] }));
    assert_eq!(verdict_of_first(&for_agents, pure()), "denied");
}

#[test]
fn grants_of_the_policy_to_all_packages_leave_the_default_decision_unchanged() {
    let policy = policy_of(json!({ "network": { "private_addresses": ["localhost"] } }))
        .real_clock(true)
        .real_random(true)
        .map_directory("/data", "/srv/data")
        .allow_env("KEY", "s3cret");
    let PolicyDecision::Granted(token) = policy.evaluate(&verified(pure())) else {
        panic!("not granted")
    };
    assert_eq!(token.granted_by(), "default:none");
    let resolved = resolved(&token);
    assert!(resolved.hosts().is_empty() && resolved.directories().is_empty());
    assert!(resolved.environment().is_empty() && resolved.known_secrets().is_empty());
    assert_eq!(
        token.describe_grants(),
        ["read the host's clocks", "use the host's random numbers"]
    );
}

#[test]
fn the_rules_that_grant_without_a_question_are_those_of_the_spec_in_its_order() {
    let policy = policy_of(all_trust());
    let other = || with(|m| m.id = "org.acme.other".into());
    let stranger = || signed_by(&["Other"], &other());
    let by = |manifest: VerifiedManifest| match policy.evaluate(&manifest) {
        PolicyDecision::Granted(token) => token.granted_by().to_owned(),
        _ => panic!("not granted"),
    };
    let mut low = other();
    low.capabilities.filesystem.read = owned(&["/data"]);
    let found = [
        by(verified(pure())),
        by(verified(other())),
        by(stranger()),
        by(signed_by(&["Other"], &low)),
    ];
    let of_spec: Vec<String> = spec_rows("### Grants without approval")
        .into_iter()
        .map(|row| row[0].replace("ID", "org.acme.tool").replace("NAME", "Acme"))
        .collect();
    assert_eq!(of_spec, found);
}

/// What the table of the policy file says about absent members, as this code would say it.
fn absent() -> BTreeMap<&'static str, String> {
    let new = PermissionPolicy::new();
    let list = |is_empty: bool| if is_empty { "none" } else { "some" }.to_owned();
    let ceiling = |is_absent: bool| if is_absent { "no ceiling" } else { "a ceiling" }.to_owned();
    let entry = PermissionPolicy::from_json(
        br#"{"format":"mpp-policy/1","directories":[{"guest":"/d","host":"/d"}],
            "environment":[{"name":"A","secret":"A"}],"agents":[{"names":["a"]}],
            "network":{"headers":[{"host":"a.example","name":"a","secret":"A"}]},
            "privacy_filters":{"except":[{"kinds":["email"]}]}}"#,
    )
    .expect("valid");
    let (directory, header) = (&entry.directories[0], &entry.network.headers[0]);
    let prefix = &header.source.text;
    let variable = &entry.environment[0];
    let FilterRules { always, keep, .. } = &new.privacy_filters;
    let for_all = [
        &directory.packages,
        &variable.packages,
        &header.packages,
        &entry.privacy_filters.except[0].packages,
        &entry.agents[0].packages,
    ];
    let all = for_all.iter().all(|scope| scope.includes("any.package"));
    let ConsentRules { wait_s, elicitation, remember } = new.consent;
    let BudgetRules { guest_memory_mb, code_mb, descriptors } = new.budgets;
    BTreeMap::from([
        ("trusted_packages", list(new.trusted_packages.is_empty())),
        ("trusted_publishers", list(new.trusted_publishers.is_empty())),
        ("auto_approve_low", new.auto_approve_low.to_string()),
        ("ask_always", new.ask_always.to_string()),
        ("non_interactive", new.non_interactive.to_string()),
        ("real_clock, real_random", (new.real_clock || new.real_random).to_string()),
        ("signers_required", new.signers_required().to_string()),
        ("token_lifetime_s", new.token_lifetime_s.to_string()),
        ("deny.packages", list(new.deny.packages.is_empty())),
        ("deny.capabilities", list(new.deny.capabilities.is_empty())),
        ("deny.hosts", list(new.deny.hosts.is_empty())),
        (
            "ceilings.memory_limit_mb, .timeout_ms, .output_limit_kb",
            ceiling(
                new.ceilings.memory_limit_mb == u32::MAX
                    && new.ceilings.timeout_ms == u32::MAX
                    && new.ceilings.output_limit_kb == u32::MAX,
            ),
        ),
        ("ceilings.fuel", ceiling(new.ceilings.fuel == u64::MAX)),
        ("directories[].read_only", directory.read_only.to_string()),
        ("network.plain_http", list(new.network.plain_http.is_empty())),
        ("network.private_addresses", list(new.network.private_addresses.is_empty())),
        ("network.headers[].prefix", if prefix.is_empty() { "nothing" } else { prefix }.to_owned()),
        (
            "secrets_command",
            match new.secrets_command() {
                None => "secrets.json".to_owned(),
                Some(command) => format!("{command:?}"),
            },
        ),
        (
            "packages of an entry in directories, environment, network.headers, privacy_filters.except, agents",
            if all { "every package" } else { "some" }.to_owned(),
        ),
        (
            "privacy_filters.patterns, .custom",
            list(always.patterns.is_empty() && always.custom.is_empty()),
        ),
        ("privacy_filters.keep.values", list(keep.values.is_empty())),
        ("privacy_filters.keep.networks", list(keep.networks.is_empty())),
        ("privacy_filters.keep.mail_domains", list(keep.mail_domains.is_empty())),
        ("privacy_filters.keep.loopback", keep.loopback.to_string()),
        (
            "names",
            match new.listed_name("any.package", "any").is_none() && new.names.is_empty() {
                true => "names of STORE-10".to_owned(),
                false => format!("{:?}", new.names),
            },
        ),
        (
            "tools.allow, .deny",
            match new.hides("any.package", "any") || !new.tools.deny.is_empty() {
                true => "some".to_owned(),
                false => "every tool, none".to_owned(),
            },
        ),
        ("consent.wait_s", wait_s.to_string()),
        ("consent.elicitation", elicitation.map_or("never", SecurityLevel::as_str).to_owned()),
        ("consent.remember", remember.to_string()),
        ("budgets.guest_memory_mb", guest_memory_mb.to_string()),
        ("budgets.code_mb", code_mb.to_string()),
        (
            "budgets.descriptors",
            descriptors.map_or_else(|| "what the system allows".to_owned(), |n| n.to_string()),
        ),
        (
            "privacy_replacement",
            match new.privacy_replacement {
                Replacement::Label => "label".to_owned(),
                other => format!("{other:?}"),
            },
        ),
    ])
}

#[test]
fn the_example_and_the_vector_have_every_member_of_the_table() {
    let vector = include_str!("../../../vectors/policy/accept-every-member.policy").trim();
    let vector = serde_json::from_str(vector).expect("JSON");
    for policy in [super::file::example(), vector] {
        for row in spec_rows("Only `format` is required at the top.") {
            // One row for a member that four lists have.
            let members = row[0].strip_prefix("packages of an entry in ").map(|lists| {
                let lists = lists.split(", ").map(|list| format!("{list}[].packages"));
                lists.collect::<Vec<_>>().join(", ")
            });
            let mut object = String::new();
            for member in members.as_ref().unwrap_or(&row[0]).split(", ") {
                let member = match member.strip_prefix('.') {
                    Some(name) => format!("{object}.{name}"),
                    None => member.to_owned(),
                };
                object = member.rsplit_once('.').map_or("", |(object, _)| object).to_owned();
                let found = member.split('.').fold(vec![&policy], |values, name| {
                    let (name, is_list) = (name.trim_end_matches("[]"), name.ends_with("[]"));
                    let found = values.into_iter().filter_map(|value| value.get(name));
                    match is_list {
                        true => found.filter_map(|list| list.as_array()).flatten().collect(),
                        false => found.collect(),
                    }
                });
                assert!(!found.is_empty(), "{member} is not in {policy}");
            }
        }
    }
}

#[test]
fn an_absent_member_means_what_the_table_of_the_spec_says() {
    let mut ours = absent();
    for row in spec_rows("Only `format` is required at the top.") {
        let [member, _, if_absent] = &row[..] else { panic!("{row:?}") };
        // Members that are required have none, and two that exclude each other say which one counts.
        let is_required = ["", "refused", "required without secret", "value is used"];
        if is_required.contains(&if_absent.as_str()) {
            continue;
        }
        let found = ours.remove(member.as_str()).unwrap_or_else(|| panic!("{member} is not tried"));
        assert_eq!(&found, if_absent, "{member}");
    }
    assert!(ours.is_empty(), "not in the table: {ours:?}");
}
