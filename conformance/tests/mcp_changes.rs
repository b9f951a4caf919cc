//! What changes under a connected client: packages that come, go and are replaced, names of this host, and tools that its
//! policy hides.

use crate::mcp::{
    call, host, install, modern, named, names, saying, session, session_with, text, Client, LEGACY,
};
use crate::support::{self, Host};
use mpp::mcp::Server;
use mpp::package::version::Version;
use mpp::store::PackageStore;
use mpp::{Gatekeeper, PermissionPolicy};
use serde_json::{json, Value};
use std::fs;
use std::sync::Mutex;

const CHANGED: &str = "notifications/tools/list_changed";

fn store(host: &Host) -> PackageStore {
    PackageStore::new(&host.path("."))
}

fn install_as(host: &Host, package: &[u8], prefix: &str) -> Result<(), mpp::Error> {
    let attestation = Gatekeeper::new(support::trust(), support::now()).verify(package).unwrap();
    store(host).install_with_prefix(package, &attestation, Some(prefix))
}

/// The next version of a package, which answers differently.
fn newer(name: &str, tool: &str) -> Vec<u8> {
    let mut manifest = support::manifest(&format!("org.example.{name}"));
    manifest["version"] = json!("9.0.0");
    manifest["tools"][0]["name"] = json!(tool);
    support::package_with(&manifest, &support::saying(&support::response("newer")))
}

#[track_caller]
fn listed(client: &Client) -> Vec<String> {
    let list = client.result("tools/list", json!({}));
    names(&list).into_iter().map(str::to_owned).collect()
}

#[track_caller]
fn is_denied(client: &Client, tool: &str, code: &str) {
    let result = client.result("tools/call", call(tool));
    let start = format!("DENIED by MPP policy: [{code}]");
    assert!(text(&result).starts_with(&start), "{result}");
}

/// Messages that come until a request after them is answered, more than one period after now.
fn come(client: &Client) -> Vec<Value> {
    std::thread::sleep(std::time::Duration::from_millis(2_300));
    let id = client.start("ping", json!({}));
    let mut found = Vec::new();
    loop {
        let message = client.next();
        if message["id"] == id {
            return found;
        }
        found.push(message);
    }
}

#[test]
fn what_is_installed_replaced_or_removed_meanwhile_is_listed_and_called_as_it_is_now() {
    let host = host("changes", &[saying("one", "run")]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        assert_eq!(listed(client), ["run"]);
        install(&host, &saying("two", "other"));
        assert_eq!(text(&client.result("tools/call", call("other"))), "said");
        assert_eq!(listed(client), ["other", "run"]);
        install(&host, &newer("one", "walk"));
        is_denied(client, "run", "store.not_installed");
        assert_eq!(text(&client.result("tools/call", call("walk"))), "newer");
        store(&host).remove("org.example.two").unwrap();
        is_denied(client, "other", "store.not_installed");
        client.fails("tools/call", call("never"), -32602);
        assert_eq!(listed(client), ["walk"]);
    });
}

#[test]
fn a_package_whose_key_is_revoked_meanwhile_is_neither_listed_nor_called() {
    let host = host("changes-revoked", &[saying("one", "run")]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        assert_eq!(listed(client), ["run"]);
        host.write("trust.json", b"{\"format\":\"mpp-trust/1\"}");
        assert_eq!(listed(client), [] as [&str; 0]);
        is_denied(client, "run", "publisher.unknown");
        host.write("trust.json", support::trust().to_json().as_bytes());
        assert_eq!(text(&client.result("tools/call", call("run"))), "said");
    });
}

#[test]
fn each_session_is_notified_once_for_each_change_and_not_of_what_it_was_listed() {
    for revision in LEGACY {
        let host = host(&format!("changes-{revision}"), &[saying("one", "run")]);
        session(&host, |client| {
            // Not before `initialize`.
            install(&host, &saying("two", "other"));
            assert_eq!(come(client), [] as [Value; 0]);
            client.initialize(revision);
            assert_eq!(come(client), [] as [Value; 0]);
            install(&host, &saying("three", "third"));
            let messages = come(client);
            assert_eq!(messages, [json!({ "jsonrpc": "2.0", "method": CHANGED, "params": {} })]);
            assert_eq!(come(client), [] as [Value; 0]);
            store(&host).remove("org.example.three").unwrap();
            assert_eq!(listed(client), ["other", "run"]);
            assert_eq!(come(client), [] as [Value; 0]);
            store(&host).remove("org.example.two").unwrap();
            assert_eq!(come(client).len(), 1);
        });
    }
}

#[test]
fn the_stateless_revision_is_notified_through_its_subscriptions_only() {
    let host = host("changes-stateless", &[saying("one", "run")]);
    let listen = |client: &Client, id: &str, notifications: Value| {
        let params = modern(json!({ "notifications": notifications }));
        client.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params }));
        client.next()
    };
    let subscribed = |id: &str| json!({ "io.modelcontextprotocol/subscriptionId": id });
    let wants = json!({ "toolsListChanged": true, "promptsListChanged": true });
    session(&host, |client| {
        let _ = client.result("tools/list", modern(json!({})));
        install(&host, &saying("two", "other"));
        assert_eq!(come(client), [] as [Value; 0]);
        let acknowledged = listen(client, "a", wants.clone());
        assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
        let params =
            json!({ "_meta": subscribed("a"), "notifications": { "toolsListChanged": true } });
        assert_eq!(acknowledged["params"], params);
        assert_eq!(listen(client, "a", wants.clone())["error"]["code"], -32600);
        let nothing = listen(client, "b", json!({ "promptsListChanged": true }));
        assert_eq!(nothing["params"], json!({ "_meta": subscribed("b"), "notifications": {} }));
        for wrong in [json!(null), json!([]), json!({ "toolsListChanged": 1 })] {
            assert_eq!(listen(client, "c", wrong)["error"]["code"], -32602);
        }
        assert_eq!(come(client), [] as [Value; 0]);
        install(&host, &saying("three", "third"));
        let messages = come(client);
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert_eq!(messages[0]["method"], CHANGED);
        assert_eq!(messages[0]["params"], json!({ "_meta": subscribed("a") }));
        client.cancel(&json!("a"));
        store(&host).remove("org.example.three").unwrap();
        assert_eq!(come(client), [] as [Value; 0]);
        for n in 0..80 {
            let id = format!("s{n}");
            let refused =
                listen(client, &id, json!({ "toolsListChanged": true })).get("error").is_some();
            assert_eq!(refused, n >= mpp::limits::MCP_CALLS_COUNT_MAX, "{n}");
        }
    });
}

#[test]
fn an_index_that_cannot_be_read_offers_nothing_until_it_can() {
    let host = host("changes-index", &[saying("one", "run")]);
    let index = host.path("installed.json");
    let good = fs::read(&index).unwrap();
    session(&host, |client| {
        client.initialize("2025-11-25");
        assert_eq!(listed(client), ["run"]);
        for _ in 0..2 {
            host.write("installed.json", b"garbage");
            let error = client.fails("tools/call", call("run"), -32603);
            assert!(error["message"].as_str().unwrap().contains("store.invalid"), "{error}");
            client.fails("tools/list", json!({}), -32603);
            assert_eq!(come(client), [] as [Value; 0]);
            host.write("installed.json", &good);
            assert_eq!(text(&client.result("tools/call", call("run"))), "said");
        }
        assert_eq!(come(client).len(), 1);
        fs::remove_file(&index).unwrap();
        fs::create_dir(&index).unwrap();
        client.fails("tools/list", json!({}), -32603);
        fs::remove_dir(&index).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(host.path("nowhere"), &index).unwrap();
        is_denied(client, "run", "store.not_installed");
        let _ = fs::remove_file(&index);
        host.write("installed.json", &good);
        assert_eq!(listed(client), ["run"]);
    });
}

#[test]
fn a_call_that_runs_while_its_package_is_replaced_ends_as_it_started() {
    let host = host("changes-running", &[crate::mcp::patience()]);
    session(&host, |client| {
        client.initialize("2025-11-25");
        let slow = client.start("tools/call", call("wait"));
        while !host.log().exists() || host.records_of("intent").is_empty() {
            std::thread::yield_now();
        }
        let id = store(&host).installed().unwrap()[0].id.clone();
        store(&host).remove(&id).unwrap();
        install(&host, &saying("two", "wait"));
        let other = client.start("tools/call", call("wait"));
        let mut said = std::collections::BTreeMap::new();
        while said.len() < 2 {
            let message = client.next();
            if let Some(id) = message["id"].as_str() {
                said.insert(id.to_owned(), text(&message["result"]).to_owned());
            }
        }
        assert_ne!(said[slow.as_str().unwrap()], "said");
        assert!(!said[slow.as_str().unwrap()].starts_with("DENIED"), "{said:?}");
        assert_eq!(said[other.as_str().unwrap()], "said");
    });
    let packages: Vec<_> =
        host.records_of("intent").iter().map(|it| it["package"].clone()).collect();
    assert_eq!(packages.len(), 2);
    assert_ne!(packages[0], packages[1]);
}

#[test]
fn two_servers_of_one_home_both_follow_it() {
    let host = host("changes-two", &[saying("one", "run")]);
    session(&host, |first| {
        session(&host, |second| {
            first.initialize("2025-11-25");
            second.initialize("2025-06-18");
            install(&host, &saying("two", "other"));
            assert_eq!((come(first).len(), come(second).len()), (1, 1));
            assert_eq!(listed(first), listed(second));
        });
    });
}

#[test]
fn two_packages_with_a_tool_of_one_name_are_both_listed_if_one_has_a_prefix() {
    let host = host("names-prefix", &[saying("one", "search")]);
    let other = named("two", "search", &support::saying(&support::response("two")));
    let error = install_as(&host, &other, "").unwrap_err();
    assert_eq!(error.code().as_str(), "store.name_collision");
    assert!(error.to_string().contains("--prefix"), "{error}");
    install_as(&host, &other, "md_").unwrap();
    session(&host, |client| {
        client.initialize("2025-11-25");
        assert_eq!(listed(client), ["md_search", "search"]);
        assert_eq!(text(&client.result("tools/call", call("md_search"))), "two");
        assert_eq!(text(&client.result("tools/call", call("search"))), "said");
    });
    let names: Vec<_> = host
        .records_of("intent")
        .iter()
        .map(|it| (it["tool"].clone(), it.get("listed_as").cloned()))
        .collect();
    assert_eq!(names, [(json!("search"), Some(json!("md_search"))), (json!("search"), None)]);
    // An update keeps the prefix, and an empty one removes it.
    install(&host, &newer("two", "search"));
    assert_eq!(store(&host).find("org.example.two").unwrap().prefix.as_deref(), Some("md_"));
    assert_eq!(
        store(&host).find("org.example.two").unwrap().version,
        Version::parse("9.0.0").unwrap()
    );
    assert!(install_as(&host, &newer("two", "search"), "").is_err());
    store(&host).remove("org.example.one").unwrap();
    install_as(&host, &newer("two", "search"), "").unwrap();
    assert_eq!(store(&host).find("org.example.two").unwrap().prefix, None);
}

#[test]
fn a_prefix_that_makes_no_name_or_a_name_like_another_is_refused() {
    let host = host("names-hostile", &[saying("one", "A_search")]);
    let package = saying("two", "search");
    for prefix in
        ["1", "_", "-a", "a.b", "a b", "\u{e9}", "a/", "\n", &"a".repeat(59), &"a".repeat(65)]
    {
        let error = install_as(&host, &package, prefix).unwrap_err();
        assert_eq!(error.code().as_str(), "store.prefix", "{prefix:?}");
    }
    for prefix in ["a_", "A-", "A_", "a-"] {
        let error = install_as(&host, &package, prefix).unwrap_err();
        assert_eq!(error.code().as_str(), "store.name_collision", "{prefix:?}");
    }
    assert_eq!(store(&host).installed().unwrap().len(), 1);
    for prefix in [&"a".repeat(58), "Md-", "m"] {
        install_as(&host, &package, prefix).unwrap();
    }
    // An update whose name is too long with the prefix that is kept.
    install_as(&host, &package, &"a".repeat(58)).unwrap();
    let attestation =
        |bytes: &[u8]| Gatekeeper::new(support::trust(), support::now()).verify(bytes).unwrap();
    let longer = newer("two", "searches");
    let error = store(&host).install(&longer, &attestation(&longer)).unwrap_err();
    assert_eq!(error.code().as_str(), "store.prefix");
    assert_ne!(
        store(&host).find("org.example.two").unwrap().version,
        Version::parse("9.0.0").unwrap()
    );
}

fn policy(mut members: Value) -> PermissionPolicy {
    members["auto_approve_low"] = json!(true);
    support::policy(members)
}

#[test]
fn names_of_the_policy_replace_others_and_one_that_is_taken_leaves_its_tool_out() {
    let host = host("names-policy", &[saying("one", "search"), saying("two", "other")]);
    install_as(&host, &saying("three", "find"), "md_").unwrap();
    for (names, expected, left_out) in [
        (
            json!({ "org.example.one/search": "md_search", "org.example.three/find": "look" }),
            vec!["look", "md_search", "other"],
            0,
        ),
        (json!({ "org.example.one/search": "other" }), vec!["md_find", "other"], 1),
        (json!({ "org.example.one/search": "MD-FIND" }), vec!["md_find", "other"], 1),
        // Two tools can exchange their names.
        (
            json!({ "org.example.one/search": "other", "org.example.two/other": "search" }),
            vec!["md_find", "other", "search"],
            0,
        ),
        // A name for a tool that is not installed takes none.
        (json!({ "org.example.none/x": "search" }), vec!["md_find", "other", "search"], 0),
    ] {
        let runtime = host.runtime_with(policy(json!({ "names": names })));
        let lines = Mutex::new(Vec::new());
        let mut answers = Vec::new();
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": modern(json!({})) });
        let server = Server::new(&runtime, |line| lines.lock().unwrap().push(line.to_owned()));
        let input = std::io::Cursor::new(format!("{list}\n{list}\n"));
        server.serve(input, &mut answers).unwrap();
        drop(server);
        let first = answers.split(|byte| *byte == b'\n').next().unwrap();
        let answer: Value = serde_json::from_slice(first).unwrap();
        assert_eq!(crate::mcp::names(&answer["result"]), expected, "{names}");
        // Logged once.
        assert_eq!(lines.into_inner().unwrap().len(), left_out, "{names}");
    }
    let swap = json!({ "org.example.one/search": "other", "org.example.two/other": "search" });
    session_with(&host, policy(json!({ "names": swap })), |client| {
        client.initialize("2025-11-25");
        let _ = client.result("tools/call", call("search"));
    });
    let record = host.records_of("intent").remove(0);
    assert_eq!(
        (record["package"].as_str(), record["tool"].as_str(), record["listed_as"].as_str()),
        (Some("org.example.two"), Some("other"), Some("search"))
    );
}

#[test]
fn a_tool_that_the_policy_hides_is_not_listed_and_a_call_of_it_is_denied_and_recorded() {
    let host = host("names-hidden", &[saying("one", "search"), saying("two", "other")]);
    for tools in [
        json!({ "deny": ["org.example.one/search"] }),
        json!({ "deny": ["org.example.one"] }),
        json!({ "deny": ["*/search"] }),
        json!({ "allow": ["org.example.two"] }),
        json!({ "allow": ["org.example.two/other", "org.example.one/find"] }),
        json!({ "allow": ["*"], "deny": ["org.example.one/search"] }),
    ] {
        let before = if host.log().exists() { host.records_of("refused").len() } else { 0 };
        // Trust in the package does not show the tool.
        let policy = policy(json!({ "tools": tools, "trusted_packages": ["org.example.one"] }));
        session_with(&host, policy, |client| {
            client.initialize("2025-11-25");
            assert_eq!(listed(client), ["other"], "{tools}");
            let denied = client.result("tools/call", call("search"));
            assert!(text(&denied).starts_with("DENIED by MPP policy: [policy.denied]"), "{denied}");
            assert_eq!(text(&client.result("tools/call", call("other"))), "said");
        });
        let refused = host.records_of("refused");
        assert_eq!(refused.len(), before + 1);
        assert_eq!(refused[before]["tool"], "search");
    }
    for tools in [
        json!({}),
        json!({ "deny": ["org.example.one/searc", "org.example.ones", "org.other/search"] }),
    ] {
        session_with(&host, policy(json!({ "tools": tools })), |client| {
            client.initialize("2025-11-25");
            assert_eq!(listed(client), ["other", "search"], "{tools}");
        });
    }
}

#[test]
fn a_policy_whose_names_or_tools_are_not_as_they_have_to_be_is_invalid() {
    let id = "org.example.one/run";
    for (member, value) in [
        ("names", json!([])),
        ("names", json!({ id: 1 })),
        ("names", json!({ id: "" })),
        ("names", json!({ id: "a.b" })),
        ("names", json!({ id: "1a" })),
        ("names", json!({ id: "a".repeat(65) })),
        ("names", json!({ "org.example.one": "a" })),
        ("names", json!({ "org/run": "a" })),
        ("names", json!({ "*/run": "a" })),
        ("names", json!({ "org.example.one/run/x": "a" })),
        ("names", json!({ "org.example.one/": "a" })),
        ("names", json!({ id: "a-b", "org.example.two/run": "A_B" })),
        ("names", json!({ id: "a", "org.example.one/go": "a" })),
        ("tools", json!([])),
        ("tools", json!({ "allow": [] })),
        ("tools", json!({ "allow": ["Org"] })),
        ("tools", json!({ "deny": ["org.example.one/"] })),
        ("tools", json!({ "deny": ["/run"] })),
        ("tools", json!({ "deny": ["org.example.one/run/x"] })),
        ("tools", json!({ "deny": ["org.example.one/*"] })),
        ("tools", json!({ "hide": [] })),
    ] {
        let policy = json!({ "format": "mpp-policy/1", member: value }).to_string();
        let error = PermissionPolicy::from_json(policy.as_bytes()).unwrap_err();
        assert_eq!(error.code().as_str(), "policy.invalid", "{policy}");
    }
    let twice = format!(r#"{{"format":"mpp-policy/1","names":{{"{id}":"a","{id}":"b"}}}}"#);
    assert!(PermissionPolicy::from_json(twice.as_bytes()).is_err());
}
