//! Decisions of policies about packages, and the risk of packages.

use super::case::Case;
use super::crypto::{APPROVER, AUTHOR};
use super::package::{manifest, Package};
use super::sandbox::ID;
use serde_json::{json, Value};

fn of(capabilities: Value, tools: &[(&str, &str)]) -> Value {
    let mut manifest = manifest();
    if !capabilities.is_null() {
        manifest["capabilities"] = capabilities;
    }
    let tool = |(name, sensitivity): &(&str, &str)| {
        json!({ "name": name, "description": "Does something.", "sensitivity": sensitivity,
                "parameters": { "type": "object" } })
    };
    if !tools.is_empty() {
        manifest["tools"] = tools.iter().map(tool).collect();
    }
    manifest
}

fn case(id: &str, manifest: &Value, policy: Value) -> Case {
    let mut policy = policy;
    policy["format"] = json!("mpp-policy/1");
    let package = Package::new().with_manifest(manifest).bytes();
    Case::decide(&format!("decide/{id}"), package).with("policy", policy)
}

pub fn cases() -> Vec<Case> {
    let mut cases = risk();
    cases.extend(decisions());
    cases.extend(tokens());
    cases
}

fn risk() -> Vec<Case> {
    let read = json!({ "filesystem": { "read": ["/a"] } });
    let mut cases = Vec::new();
    for (id, title, spec, capabilities, tools, points, level) in [
        (
            "none",
            "A package that requests nothing",
            "RISK-01 RISK-02",
            Value::Null,
            &[][..],
            0,
            "none",
        ),
        ("read", "One directory read", "RISK-01 RISK-02", read, &[], 10, "low"),
        (
            "read-further",
            "Three directories read",
            "RISK-03",
            json!({ "filesystem": { "read": ["/a", "/b", "/c"] } }),
            &[],
            16,
            "low",
        ),
        (
            "write-further",
            "Two directories written and one read",
            "RISK-03 RISK-02",
            json!({ "filesystem": { "read": ["/c"], "write": ["/a", "/b"] } }),
            &[],
            40,
            "medium",
        ),
        (
            "write",
            "One directory written",
            "RISK-02",
            json!({ "filesystem": { "write": ["/a"] } }),
            &[],
            25,
            "medium",
        ),
        (
            "variables",
            "Two variables",
            "RISK-03",
            json!({ "environment": ["LANG", "TZ"] }),
            &[],
            30,
            "medium",
        ),
        ("storage", "Storage", "RISK-01", json!({ "storage": { "limit_kb": 1 } }), &[], 5, "low"),
        (
            "host",
            "A host outside",
            "RISK-04",
            json!({ "network": ["api.example.com"] }),
            &[],
            30,
            "medium",
        ),
        (
            "host-inside",
            "A host without a dot",
            "RISK-04",
            json!({ "network": ["printer:631"] }),
            &[],
            40,
            "medium",
        ),
        (
            "hosts",
            "Two hosts outside and two inside",
            "RISK-03 RISK-04",
            json!({ "network": ["a.example.com", "b.example.com", "x.local", "y.home.arpa"] }),
            &[],
            80,
            "high",
        ),
        (
            "host-endings",
            "Every ending of a name inside",
            "RISK-04",
            json!({ "network": ["a.internal", "a.local", "a.localhost", "a.lan", "a.home", "a.corp", "a.intranet", "a.private", "a.home.arpa"] }),
            &[],
            80,
            "high",
        ),
        (
            "host-not-inside",
            "Names that only look as if they were inside",
            "RISK-04",
            json!({ "network": ["local.example.com", "a.notlocal", "home.arpa.example"] }),
            &[],
            40,
            "medium",
        ),
        (
            "leak",
            "A host with storage",
            "RISK-03",
            json!({ "network": ["a.example.com"], "storage": { "limit_kb": 1 } }),
            &[],
            55,
            "high",
        ),
        (
            "leak-once",
            "A host with a directory, a variable and storage",
            "RISK-03 RISK-02",
            json!({ "network": ["a.example.com"], "filesystem": { "read": ["/a"] }, "environment": ["K"], "storage": { "limit_kb": 1 } }),
            &[],
            90,
            "high",
        ),
        (
            "leak-all",
            "A host outside with a credential and a directory to write",
            "RISK-02",
            json!({ "network": ["a.example.com"], "filesystem": { "write": ["/a"] }, "environment": ["K"] }),
            &[],
            100,
            "critical",
        ),
        (
            "tools-write",
            "Two tools that change something",
            "RISK-03",
            Value::Null,
            &[("a", "write"), ("b", "write")],
            10,
            "low",
        ),
        (
            "tools-destructive",
            "Two destructive tools and one that writes",
            "RISK-03",
            Value::Null,
            &[("a", "destructive"), ("b", "destructive"), ("c", "write")],
            60,
            "high",
        ),
    ] {
        cases.push(
            case(&format!("risk-{id}"), &of(capabilities, tools), json!({}))
                .says(title, "The same package has the same level on every host.")
                .spec(spec)
                .answers(json!({ "points": points, "level": level })),
        );
    }
    // What a policy says is not in the score.
    let host = of(json!({ "network": ["a.example.com"] }), &[]);
    cases.push(
        case("risk-policy", &host, json!({ "network": { "plain_http": ["a.example.com:80"], "private_addresses": ["a.example.com"] }, "real_clock": true }))
            .says("A policy that allows much", "The score is of the manifest alone.")
            .spec("RISK-01")
            .answers(json!({ "points": 30, "level": "medium" })),
    );
    cases
}

fn decisions() -> Vec<Case> {
    let denied = "A denial comes before every grant.";
    let asks = "What no rule grants is asked about.";
    let reading = of(json!({ "filesystem": { "read": ["/data"] } }), &[]);
    let host = of(json!({ "network": ["api.example.com", "b.example.org:8443"] }), &[]);
    let storage = of(json!({ "storage": { "limit_kb": 1 } }), &[]);
    let both = of(Value::Null, &[("look", "read"), ("erase", "destructive")]);
    let trusted = json!([ID]);
    let mut cases = Vec::new();
    for (id, title, why, spec, manifest, policy, tool, decision) in [
        (
            "deny-package",
            "A trusted package that a rule denies",
            denied,
            "POLICY-03",
            &reading,
            json!({ "trusted_packages": trusted, "deny": { "packages": [ID] } }),
            None,
            "denied",
        ),
        (
            "deny-above",
            "A rule about a namespace above the package",
            denied,
            "POLICY-03",
            &reading,
            json!({ "trusted_packages": trusted, "deny": { "packages": ["org"] } }),
            None,
            "denied",
        ),
        (
            "deny-all",
            "A rule about every package",
            denied,
            "POLICY-03",
            &reading,
            json!({ "trusted_packages": trusted, "deny": { "packages": ["*"] } }),
            None,
            "denied",
        ),
        (
            "deny-similar",
            "Rules about packages of similar names",
            "A rule is for whole parts of an id.",
            "POLICY-03",
            &reading,
            json!({ "trusted_packages": trusted, "deny": { "packages": ["org.exam", "org.example.echoes", "example.echo", "org.example.echo.more"] } }),
            None,
            "granted",
        ),
        (
            "deny-kind",
            "A kind of capability that is denied",
            denied,
            "POLICY-03 POLICY-01",
            &reading,
            json!({ "trusted_packages": trusted, "deny": { "capabilities": ["filesystem.read"] } }),
            None,
            "denied",
        ),
        (
            "deny-other-kind",
            "Another kind of capability that is denied",
            "A rule is for one kind.",
            "POLICY-03 POLICY-01",
            &reading,
            json!({ "trusted_packages": trusted, "deny": { "capabilities": ["filesystem.write", "network", "environment", "storage", "destructive"] } }),
            None,
            "granted",
        ),
        (
            "deny-host",
            "A host below one that is denied",
            denied,
            "POLICY-04",
            &host,
            json!({ "trusted_packages": trusted, "deny": { "hosts": ["example.com"] } }),
            None,
            "denied",
        ),
        (
            "deny-host-port",
            "A port that is denied",
            denied,
            "POLICY-04",
            &host,
            json!({ "trusted_packages": trusted, "deny": { "hosts": ["example.org:8443"] } }),
            None,
            "denied",
        ),
        (
            "deny-host-443",
            "The port of a host without one",
            denied,
            "POLICY-04",
            &host,
            json!({ "trusted_packages": trusted, "deny": { "hosts": ["api.example.com:443"] } }),
            None,
            "denied",
        ),
        (
            "deny-host-other",
            "Other ports and names",
            "A rule is for whole parts of a name.",
            "POLICY-04",
            &host,
            json!({ "trusted_packages": trusted, "deny": { "hosts": ["example.org:443", "ample.com", "x.api.example.com", "api.example.com:80"] } }),
            None,
            "granted",
        ),
        (
            "signers",
            "Fewer publishers than the policy requires",
            denied,
            "POLICY-03",
            &manifest(),
            json!({ "trusted_packages": trusted, "signers_required": 2 }),
            None,
            "refused",
        ),
        (
            "non-interactive",
            "A package that would be asked about where no one can be",
            "Nobody is there.",
            "POLICY-06",
            &reading,
            json!({ "non_interactive": true }),
            None,
            "denied",
        ),
        (
            "non-interactive-none",
            "A package that requests nothing where no one can be asked",
            "Nothing is asked.",
            "POLICY-06 POLICY-15",
            &manifest(),
            json!({ "non_interactive": true }),
            None,
            "granted",
        ),
        (
            "asks",
            "A package that no rule is for",
            asks,
            "POLICY-07 POLICY-15",
            &reading,
            json!({ "trusted_packages": ["org.example.other", "org.example"], "trusted_publishers": ["author", "org.example"] }),
            None,
            "requires_confirmation",
        ),
        (
            "destructive-trusted",
            "A destructive package that is trusted",
            "A trusted package is not trusted to erase.",
            "POLICY-05 POLICY-02",
            &both,
            json!({ "trusted_packages": trusted, "trusted_publishers": ["Author"], "auto_approve_low": true }),
            None,
            "requires_confirmation",
        ),
        (
            "destructive-tool",
            "A call of a destructive tool",
            "A decision about a call is about its tool.",
            "POLICY-20 POLICY-05",
            &both,
            json!({ "trusted_packages": trusted }),
            Some("erase"),
            "requires_confirmation",
        ),
        (
            "destructive-other-tool",
            "A call of another tool of a destructive package",
            "A decision about a call is about its tool.",
            "POLICY-20",
            &both,
            json!({ "trusted_packages": trusted }),
            Some("look"),
            "granted",
        ),
        (
            "destructive-denied",
            "A destructive package where its kind is denied, and another tool",
            denied,
            "POLICY-03 POLICY-20",
            &both,
            json!({ "trusted_packages": trusted, "deny": { "capabilities": ["destructive"] } }),
            Some("look"),
            "denied",
        ),
        (
            "trusted-low",
            "A rule about low risk, and a package of medium risk",
            asks,
            "POLICY-05",
            &host,
            json!({ "auto_approve_low": true }),
            None,
            "requires_confirmation",
        ),
        (
            "ask-always",
            "A package that requests nothing, where everything is asked about",
            asks,
            "POLICY-15 POLICY-16",
            &manifest(),
            json!({ "ask_always": true }),
            None,
            "requires_confirmation",
        ),
        (
            "ask-always-trusted",
            "A trusted package, where everything is asked about",
            "Trust is by name.",
            "POLICY-05",
            &reading,
            json!({ "ask_always": true, "trusted_packages": trusted }),
            None,
            "granted",
        ),
    ] {
        let made = case(id, manifest, policy).says(title, why).spec(spec);
        let made = tool.map_or(made.clone(), |tool| made.with("tool", tool));
        cases.push(match decision {
            "refused" => made.answers(json!({ "decision": "denied" })),
            _ => made.answers(json!({ "decision": decision })),
        });
    }
    for (id, title, policy, by) in [
        (
            "package",
            "A rule about the package",
            json!({ "trusted_packages": [ID], "trusted_publishers": ["Author"], "auto_approve_low": true }),
            "policy:trust_package org.example.echo",
        ),
        (
            "publisher",
            "A rule about the publisher",
            json!({ "trusted_publishers": ["Author"], "auto_approve_low": true }),
            "policy:trust_publisher Author",
        ),
        (
            "low",
            "A rule about low risk",
            json!({ "auto_approve_low": true }),
            "policy:auto_approve_low",
        ),
    ] {
        cases.push(
            case(&format!("granted-{id}"), &storage, policy)
                .says(title, "The first rule that applies is the one that is recorded.")
                .spec("POLICY-05")
                .answers(json!({ "decision": "granted", "granted_by": by })),
        );
    }
    let signed = Package::new().with_manifest(&reading).signed_by(&[AUTHOR, APPROVER]).bytes();
    cases.push(
        Case::decide("decide/countersigner", signed)
            .with("trust", "stores/author-and-approver.json")
            .with("policy", json!({ "format": "mpp-policy/1", "trusted_publishers": ["Approver"] }))
            .says("A trusted countersigner", "Who countersigns does not publish.")
            .spec("POLICY-05")
            .answers(json!({ "decision": "requires_confirmation" })),
    );
    let only = json!({ "agents": [{ "names": ["claude-code"], "packages": ["org.example"] }], "trusted_packages": trusted });
    for (id, title, agent, decision) in [
        ("none", "A call without an agent's name", Value::Null, "denied"),
        ("other", "A call of another agent", json!({ "name": "claude" }), "denied"),
        ("case", "The name in another case", json!({ "name": "Claude-Code" }), "denied"),
        ("longer", "A longer name", json!({ "name": "claude-code-2" }), "denied"),
        (
            "version",
            "The name only with the version",
            json!({ "name": "claude", "version": "code" }),
            "denied",
        ),
        (
            "named",
            "A call of the agent that is named",
            json!({ "name": "claude-code", "version": "9" }),
            "granted",
        ),
    ] {
        let made = case(&format!("agent-{id}"), &reading, only.clone()).with("tool", "echo");
        cases.push(
            made.with("agent", agent)
                .says(title, "Where a package is for some agents, it is for no others.")
                .spec("POLICY-21")
                .answers(json!({ "decision": decision })),
        );
    }
    let other = json!({ "agents": [{ "names": ["claude-code"], "packages": ["org.other"] }], "trusted_packages": trusted });
    cases.push(
        case("agent-other-package", &reading, other)
            .with("tool", "echo")
            .says("A rule about the agents of another package", "It is not for this one.")
            .spec("POLICY-21")
            .answers(json!({ "decision": "granted" })),
    );
    let why = "A tool that the policy does not offer does not run, whoever is trusted.";
    for (id, title, tools, decision) in [
        ("denied", "A denied tool", json!({ "deny": ["org.example.echo/echo"] }), "denied"),
        ("denied-package", "A denied package", json!({ "deny": [ID] }), "denied"),
        ("denied-all", "A tool denied in every package", json!({ "deny": ["*/echo"] }), "denied"),
        (
            "denied-both",
            "A denied tool that is allowed too",
            json!({ "allow": ["org.example.echo/echo"], "deny": ["org"] }),
            "denied",
        ),
        (
            "not-allowed",
            "A tool that is not among the allowed",
            json!({ "allow": ["org.example.echo/ech"] }),
            "denied",
        ),
        ("allowed", "An allowed tool", json!({ "allow": ["org.example.echo/echo"] }), "granted"),
        (
            "allowed-namespace",
            "An allowed namespace",
            json!({ "allow": ["org.example"] }),
            "granted",
        ),
        (
            "other",
            "Another tool is denied",
            json!({ "deny": ["org.example.echo/Echo", "org.example.ech"] }),
            "granted",
        ),
    ] {
        let policy = json!({ "tools": tools, "trusted_packages": trusted });
        cases.push(
            case(&format!("tool-{id}"), &reading, policy)
                .with("tool", "echo")
                .says(title, why)
                .spec("POLICY-23")
                .answers(json!({ "decision": decision })),
        );
    }
    for (id, title, spec, policy, by, code) in [
        (
            "denied",
            "An approval of a package that a rule denies",
            "POLICY-08",
            json!({ "deny": { "packages": [ID] } }),
            "Ann",
            "policy.denied",
        ),
        (
            "non-interactive",
            "An approval where no one can be asked",
            "POLICY-08",
            json!({ "non_interactive": true }),
            "Ann",
            "policy.denied",
        ),
        (
            "no-name",
            "An approval by no one",
            "POLICY-08",
            json!({}),
            "",
            "policy.confirmation_required",
        ),
        (
            "space",
            "An approver with space around the name",
            "POLICY-08",
            json!({}),
            " Ann",
            "policy.confirmation_required",
        ),
        (
            "lines",
            "An approver with a name of two lines",
            "POLICY-08",
            json!({}),
            "Ann\nadmin",
            "policy.confirmation_required",
        ),
        (
            "hidden",
            "An approver with a hidden character",
            "POLICY-08",
            json!({}),
            "An\u{202e}n",
            "policy.confirmation_required",
        ),
        (
            "long",
            "An approver with a name of 257 bytes",
            "POLICY-08",
            json!({}),
            &"n".repeat(257),
            "policy.confirmation_required",
        ),
    ] {
        cases.push(
            case(&format!("approved-{id}"), &reading, policy)
                .with("approved_by", by)
                .says(title, "An approval does not override a denial, and has a name.")
                .spec(spec)
                .refused(code),
        );
    }
    cases.push(
        case("approved", &reading, json!({}))
            .with("approved_by", "n".repeat(256))
            .says("An approver with a name of 256 bytes", "An approval is recorded under a name.")
            .spec("POLICY-08")
            .answers(json!({ "decision": "granted", "granted_by": format!("person:{}", "n".repeat(256)) })),
    );
    cases
}

fn tokens() -> Vec<Case> {
    let less = "A token holds what was requested and is allowed, and nothing else.";
    let wants = of(
        json!({ "filesystem": { "read": ["/data"], "write": ["/out"] }, "environment": ["A_KEY", "B_KEY"], "storage": { "limit_kb": 3 } }),
        &[],
    );
    let mut limits = manifest();
    limits["runtime"] = json!({ "target": "wasm32-wasip1", "memory_limit_mb": 4, "timeout_ms": 500, "fuel": 1000, "output_limit_kb": 8 });
    let trusted = json!([ID]);
    let granted =
        |id: &str, manifest: &Value, mut policy: Value, title: &str, spec: &str, answer: Value| {
            policy["trusted_packages"] = trusted.clone();
            case(&format!("token-{id}"), manifest, policy)
                .says(title, less)
                .spec(spec)
                .answers(answer)
        };
    let map = |guest: &str, host: &str| json!({ "guest": guest, "host": host });
    let set = |name: &str, value: &str| json!({ "name": name, "value": value });
    vec![
        granted(
            "nothing-set",
            &wants,
            json!({}),
            "Nothing is mapped or set",
            "TOKEN-02",
            json!({ "directories": [], "variables": {}, "storage_bytes": 3072, "has_hosts": false }),
        ),
        granted(
            "not-requested",
            &manifest(),
            json!({ "directories": [map("/data", "/srv/data")], "environment": [set("A_KEY", "aaaaaaaa")] }),
            "Mappings and variables that the package did not request",
            "TOKEN-02",
            json!({ "directories": [], "variables": {}, "storage_bytes": 0, "has_hosts": false }),
        ),
        granted(
            "directories",
            &wants,
            json!({ "directories": [map("/data", "/srv/first"), map("/data", "/srv/second"), map("/out", "/srv/out"), map("/data/sub", "/srv/sub"), map("/", "/srv/root")] }),
            "Several mappings of one path, and of others",
            "TOKEN-02",
            json!({ "directories": [{ "guest": "/data", "host": "/srv/second", "writable": false }, { "guest": "/out", "host": "/srv/out", "writable": true }] }),
        ),
        granted(
            "read-only",
            &wants,
            json!({ "directories": [{ "guest": "/out", "host": "/srv/out", "read_only": true }] }),
            "A directory to be written that is mapped read-only",
            "TOKEN-02",
            json!({ "directories": [{ "guest": "/out", "host": "/srv/out", "writable": false }] }),
        ),
        granted(
            "for-others",
            &wants,
            json!({ "directories": [{ "guest": "/data", "host": "/srv/data", "packages": ["org.other", "org.exam"] }],
                    "environment": [set("A_KEY", "aaaaaaaa"), { "name": "A_KEY", "value": "bbbbbbbb", "packages": ["org.other"] }] }),
            "What is for other packages",
            "TOKEN-02",
            json!({ "directories": [], "variables": { "A_KEY": "aaaaaaaa" } }),
        ),
        granted(
            "variables",
            &wants,
            json!({ "environment": [set("A_KEY", "aaaaaaaa"), set("A_KEY", "cccccccc"), set("C_KEY", "dddddddd"), set("PATH", "/bin")] }),
            "Several values of one variable, and others",
            "TOKEN-02",
            json!({ "variables": { "A_KEY": "cccccccc" } }),
        ),
        granted(
            "limits",
            &limits,
            json!({}),
            "The limits of the manifest",
            "TOKEN-04",
            json!({ "memory_bytes": 4 << 20, "timeout_ms": 500, "fuel": 1000, "output_bytes": 8192 }),
        ),
        granted(
            "ceilings-low",
            &limits,
            json!({ "ceilings": { "memory_limit_mb": 2, "timeout_ms": 400, "fuel": 999, "output_limit_kb": 7 } }),
            "Ceilings below the limits",
            "TOKEN-04",
            json!({ "memory_bytes": 2 << 20, "timeout_ms": 400, "fuel": 999, "output_bytes": 7168 }),
        ),
        granted(
            "ceilings-high",
            &limits,
            json!({ "ceilings": { "memory_limit_mb": 5, "timeout_ms": 600, "fuel": 1001, "output_limit_kb": 9 } }),
            "Ceilings above the limits",
            "TOKEN-04",
            json!({ "memory_bytes": 4 << 20, "timeout_ms": 500, "fuel": 1000, "output_bytes": 8192 }),
        ),
        granted(
            "hash",
            &manifest(),
            json!({}),
            "The package of a token",
            "TOKEN-01",
            json!({ "content_hash": Package::new().with_manifest(&manifest()).content_hash() }),
        ),
        granted(
            "alive",
            &manifest(),
            json!({ "token_lifetime_s": 60 }),
            "A token before its end",
            "TOKEN-03",
            json!({ "expired": false }),
        )
        .with("after_s", 59),
        granted(
            "expired",
            &manifest(),
            json!({ "token_lifetime_s": 60 }),
            "A token after its end",
            "TOKEN-03",
            json!({ "expired": true }),
        )
        .with("after_s", 61),
        granted(
            "expired-default",
            &manifest(),
            json!({}),
            "A token after the end that it has without a rule",
            "TOKEN-03",
            json!({ "expired": true }),
        )
        .with("after_s", 301),
    ]
}
