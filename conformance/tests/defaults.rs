//! Defaults of the program, checked against the pages and the help: an absent policy, and members and options
//! that are left out.

use crate::cli::Place;
use crate::serve::{is_denied, number, policy, questions, records, Served};
use crate::support::{self, call, Host};
use mpp::{Code, Manifest, PermissionPolicy};
use serde_json::{json, Value};
use std::fs;
use std::path::Path;

/// A package for each thing that can be asked for, by its name, which is also that of its tool. The first asks
/// for nothing.
fn packages() -> Vec<(&'static str, Value)> {
    [
        ("nothing", json!({}), "read"),
        ("host", json!({ "network": ["api.example.com"] }), "read"),
        ("reading", json!({ "filesystem": { "read": ["/data"] } }), "read"),
        ("writing", json!({ "filesystem": { "write": ["/data"] } }), "read"),
        ("variable", json!({ "environment": ["API_KEY"] }), "read"),
        ("storage", json!({ "storage": { "limit_kb": 1 } }), "read"),
        ("change", json!({}), "write"),
        ("destroy", json!({}), "destructive"),
    ]
    .into_iter()
    .map(|(name, capabilities, sensitivity)| {
        let mut manifest = support::manifest(&format!("org.example.{name}"));
        manifest["capabilities"] = capabilities;
        manifest["tools"][0]["name"] = json!(name);
        manifest["tools"][0]["sensitivity"] = json!(sensitivity);
        (name, manifest)
    })
    .collect()
}

/// A place where all of them are installed.
fn place(name: &str) -> Place {
    let place = Place::new(name);
    for (name, manifest) in packages() {
        let file = format!("{name}.mpp");
        place.package(&file, &manifest, &support::saying(&support::response("ran")));
        place.mpp(&["install", &file, "--yes"]).exits(0);
    }
    place
}

fn granted_by(place: &Place) -> Vec<Value> {
    records(place, "intent").iter().map(|record| record["granted_by"].clone()).collect()
}

const NO_RULES: &str = r#"{"format":"mpp-policy/1"}"#;

// [POLICY-15] [POLICY-17]
#[test]
fn by_run_without_a_policy_with_an_empty_one_and_by_the_library_only_what_asks_for_nothing_runs() {
    for (file, words) in [
        (None, &[][..]),
        (Some("home/policy.json"), &[]),
        (Some("empty.json"), &["--policy", "empty.json"]),
    ] {
        let place = place("defaults-run");
        if let Some(file) = file {
            fs::write(place.path(file), NO_RULES).unwrap();
        }
        for (name, _) in packages() {
            let id = format!("org.example.{name}");
            let run = place.mpp(&[&["run", &id, "--tool", name][..], words].concat());
            match name {
                "nothing" => assert_eq!(run.exits(0).out, "ran\n"),
                _ => drop(run.exits(1).says(&["policy.confirmation_required"])),
            }
        }
        assert_eq!(granted_by(&place), ["default:none"]);
        let refused = records(&place, "refused");
        assert_eq!(refused.len(), packages().len() - 1);
        assert!(refused.iter().all(|record| record["code"] == "policy.confirmation_required"));
    }
    let host = Host::new("defaults-library");
    let runtime = host.runtime_with(PermissionPolicy::new());
    for (name, mut manifest) in packages() {
        manifest["tools"][0]["name"] = json!("run");
        let guest = support::saying(&support::response("ran"));
        let result = call(&runtime, &support::package_with(&manifest, &guest));
        match name {
            "nothing" => assert!(result.is_ok()),
            _ => assert_eq!(support::code(&result), Code::PolicyConfirmation, "{name}"),
        }
    }
    let intents = host.records_of("intent");
    assert_eq!((intents.len(), &intents[0]["granted_by"]), (1, &json!("default:none")));
}

// [POLICY-15] [POLICY-17]
#[test]
fn by_a_server_without_a_policy_and_with_an_empty_one_only_what_asks_for_nothing_runs() {
    let place = place("defaults-serve");
    for file in [None, Some(NO_RULES)] {
        if let Some(text) = file {
            fs::write(place.path("home/policy.json"), text).unwrap();
        }
        let mut served = Served::start_as(&place, "2025-11-25", json!({ "elicitation": {} }));
        for (name, _) in packages() {
            if name == "nothing" {
                assert_eq!(served.call_text(name), "ran");
                continue;
            }
            // It waits for a person, though the client could put the question.
            let id = served.begin(name, json!({}));
            let question = questions(&place, 1).remove(0);
            assert_eq!(question["tool"], name);
            place.mpp(&["deny", &number(&question)]).exits(0);
            is_denied(&served.finish(&id), "policy.declined");
        }
        served.end();
    }
    assert_eq!(granted_by(&place), ["default:none"; 2]);
}

// [POLICY-16]
#[test]
fn with_ask_always_run_and_serve_ask_about_what_asks_for_nothing_and_keep_to_trust() {
    let place = place("defaults-ask");
    let run = ["run", "org.example.nothing", "--tool", "nothing"];
    policy(&place, &json!({ "ask_always": true, "consent": { "wait_s": 1 } }));
    place.mpp(&run).exits(1).says(&["policy.confirmation_required"]);
    let mut served = Served::start(&place);
    is_denied(&served.call_text("nothing"), "policy.confirmation_required");
    served.end();
    place.mpp(&[&run[..], &["--yes"]].concat()).exits(0);
    assert_eq!(granted_by(&place), ["person:--yes"]);

    policy(&place, &json!({ "ask_always": true }));
    let mut served = Served::start(&place);
    let id = served.begin("nothing", json!({}));
    let question = questions(&place, 1).remove(0);
    assert_eq!(
        (&question["security_level"], &question["capabilities"]),
        (&json!("none"), &json!([]))
    );
    place.mpp(&["approve", &number(&question), "--yes"]).exits(0);
    assert_eq!(served.finish(&id), "ran");
    // What a person agreed to for later calls holds.
    assert_eq!(served.call_text("nothing"), "ran");
    assert!(granted_by(&place)[2].as_str().unwrap().ends_with(" (remembered)"));
    place.mpp(&["approvals", "--revoke", "org.example.nothing"]).exits(0);
    let id = served.begin("nothing", json!({}));
    place.mpp(&["deny", &number(&questions(&place, 1)[0])]).exits(0);
    is_denied(&served.finish(&id), "policy.declined");
    served.end();

    policy(&place, &json!({ "ask_always": true, "non_interactive": true }));
    place.mpp(&run).exits(1).says(&["policy.denied"]);
    let trusted = json!(["org.example.nothing", "org.example.destroy"]);
    policy(&place, &json!({ "ask_always": true, "trusted_packages": trusted }));
    place.mpp(&run).exits(0);
    assert_eq!(granted_by(&place)[3], "policy:trust_package org.example.nothing");
    let destroy = ["run", "org.example.destroy", "--tool", "destroy"];
    place.mpp(&destroy).exits(1).says(&["policy.confirmation_required"]);
    policy(&place, &json!({ "ask_always": true, "auto_approve_low": true }));
    place.mpp(&run).exits(1).says(&["policy.invalid", "/ask_always"]);
    place.mpp(&["serve"]).exits(1).says(&["policy.invalid", "/ask_always"]);
    assert_eq!(granted_by(&place).len(), 4);
}

/// `consent.elicitation` of the level `none` is for the packages that only `ask_always` asks about.
#[test]
fn with_elicitation_none_the_client_is_asked_about_what_asks_for_nothing_and_about_nothing_else() {
    let place = place("defaults-form");
    let consent = json!({ "elicitation": "none" });
    policy(&place, &json!({ "ask_always": true, "consent": consent }));
    let mut served = Served::start_as(&place, "2025-11-25", json!({ "elicitation": {} }));
    let id = served.begin("nothing", json!({}));
    let question = served.next();
    assert_eq!(question["method"], "elicitation/create");
    let message = question["params"]["message"].as_str().unwrap();
    assert!(
        message
            .ends_with("requests  nothing\n  risk      none\n  agent     try 1 (self-reported)\n"),
        "{message}"
    );
    served.answer(&question["id"], json!({ "action": "accept", "content": { "allow": true } }));
    assert_eq!(served.finish(&id), "ran");
    assert_eq!(granted_by(&place), ["person:elicitation through try"]);
    for name in ["reading", "change", "destroy"] {
        let id = served.begin(name, json!({}));
        place.mpp(&["deny", &number(&questions(&place, 1)[0])]).exits(0);
        is_denied(&served.finish(&id), "policy.declined");
    }
}

// [POLICY-09]
#[cfg(unix)]
#[test]
fn a_policy_file_that_leads_nowhere_or_is_none_is_an_error_and_no_missing_one() {
    use std::os::unix::fs::symlink;
    let place = place("defaults-broken");
    let file = place.path("home/policy.json");
    let commands = [
        &["run", "org.example.nothing", "--tool", "nothing"][..],
        &["run", "org.example.nothing", "--tool", "nothing", "--yes"],
        &["serve"],
        &["secret", "list"],
    ];
    let refused = |what: &str, status: i32, code: &str| {
        for words in commands {
            let ran = place.mpp(words);
            assert!(
                ran.status == status && ran.err.contains(code),
                "{what}, {words:?}: {}",
                ran.err
            );
        }
    };
    symlink(place.path("nowhere.json"), &file).unwrap();
    refused("a link to nothing", 4, "host.file");
    fs::remove_file(&file).unwrap();
    symlink(&file, &file).unwrap();
    refused("a link to itself", 4, "host.file");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    refused("a folder", 4, "host.file");
    fs::remove_dir(&file).unwrap();
    for text in ["", "{}", "null", r#"{"format":"mpp-policy/2"}"#] {
        fs::write(&file, text).unwrap();
        refused(text, 1, "policy.invalid");
    }
    fs::remove_file(&file).unwrap();
    for words in [commands[0], &["serve"], &["secret", "list"]] {
        place
            .mpp(&[words, &["--policy", "nowhere.json"]].concat())
            .exits(4)
            .says(&["nowhere.json"]);
    }
    assert!(!place.path("home/audit/audit.jsonl").exists(), "something was decided");
    place.mpp(commands[0]).exits(0);
}

fn page(name: &str) -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences about the default, each beside what it is about: the tests above show that they are true.
#[test]
fn every_page_and_help_text_that_names_the_default_says_the_same() {
    for (name, sentence) in [
        (
            "README.md",
            "Without a policy file, a package that requests nothing runs; every other one requires",
        ),
        ("README.md", "An empty policy file is the same as none."),
        ("spec/policy.md", "a package that asks for nothing runs, and every other is asked about."),
        ("spec/policy.md", "No policy file, a file with nothing but `format`, and a new policy"),
        (
            "spec/consent.md",
            "without a policy file, to each call of a package that asks for anything",
        ),
        (
            "spec/serve.md",
            "without a policy file it runs the tools of packages that ask for nothing",
        ),
        ("spec/threats.md", "only what asks for nothing runs unasked, as `default:none`"),
        ("conformance/README.md", "packages that ask for nothing need no consent"),
    ] {
        assert!(page(name).contains(sentence), "{name} does not say: {sentence}");
    }
    let place = Place::new("defaults-help");
    for command in ["run", "serve"] {
        let help = place.mpp(&[command, "--help"]).exits(0).out;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence =
            "Without a policy file, packages that request nothing run; others need approval";
        assert!(help.contains(sentence), "{command}: {help}");
    }
}

/// Rows of the first table below the heading, without head and rule.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let below = text.split_once(heading).unwrap().1.to_owned();
    let lines = below.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().replace('`', "")).collect();
    let rows = lines.take_while(|line| line.starts_with('|')).map(cells);
    rows.map(|row: Vec<String>| row[1..row.len() - 1].to_vec()).collect()
}

#[test]
fn a_manifest_that_leaves_a_member_of_runtime_out_has_the_value_of_the_table() {
    let mut manifest = support::manifest("org.example.tool");
    manifest["runtime"] = json!({ "target": "wasm32-wasip1" });
    let runtime = Manifest::parse(manifest.to_string().as_bytes()).unwrap().runtime;
    let found = [
        ("entry", json!(runtime.entry)),
        ("protocol", json!("json-rpc")),
        ("args", json!(runtime.args)),
        ("memory_limit_mb", json!(runtime.memory_limit_mb)),
        ("timeout_ms", json!(runtime.timeout_ms)),
        ("fuel", json!(runtime.fuel)),
        ("output_limit_kb", json!(runtime.output_limit_kb)),
    ];
    assert_eq!(format!("{:?}", runtime.protocol), "JsonRpc");
    let mut table = rows("spec/manifest.md", "## `runtime`");
    assert_eq!(table.remove(0)[0], "target");
    assert_eq!(table.len(), found.len());
    for (row, (member, value)) in table.iter().zip(&found) {
        let stated = match row[3].starts_with(|first: char| first.is_ascii_digit()) {
            true => row[3].replace(',', ""),
            false => row[3].clone(),
        };
        let stated: Value = serde_json::from_str(&stated).unwrap();
        assert_eq!((row[0].as_str(), &stated), (*member, value));
    }
}

#[test]
fn an_option_that_is_left_out_means_what_the_help_says() {
    let place = Place::new("defaults-options");
    let says = |words: &[&str], sentence: &str| {
        let help = place.mpp(&[words, &["--help"]].concat()).exits(0).out;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(sentence), "{words:?}: {help}");
    };
    let read = |name: &str| fs::read(place.path(name)).unwrap();

    says(&["new"], "rust [default]");
    says(&["new"], "[default: org.example.DIRECTORY]");
    place.mpp(&["new", "one"]).exits(0);
    fs::rename(place.path("one"), place.path("left-out")).unwrap();
    place.mpp(&["new", "one", "--lang", "rust", "--id", "org.example.one"]).exits(0);
    for name in ["Cargo.toml", "src/main.rs", "package/manifest.json"] {
        assert_eq!(read(&format!("one/{name}")), read(&format!("left-out/{name}")), "{name}");
    }

    says(&["pack"], "[default: 1970-01-01T00:00:00Z]");
    let contents = support::contents("org.example.a", support::SILENT_GUEST);
    fs::create_dir(place.path("a")).unwrap();
    contents.iter().for_each(|(name, bytes)| fs::write(place.path("a").join(name), bytes).unwrap());
    let pack = ["pack", "a", "--key", "me.key"];
    let epoch = ["--signed-at", "1970-01-01T00:00:00Z"];
    place.mpp(&[&pack[..], &["-o", "1.mpp"]].concat()).exits(0);
    place.mpp(&[&pack[..], &["-o", "2.mpp"], &epoch].concat()).exits(0);
    assert_eq!(read("1.mpp"), read("2.mpp"));

    says(&["sign"], "[default: 1970-01-01T00:00:00Z]");
    place.mpp(&["keygen", "other"]).exits(0);
    let sign = ["sign", "1.mpp", "--key", "other.key"];
    place.mpp(&[&sign[..], &["-o", "3.mpp"]].concat()).exits(0);
    place.mpp(&[&sign[..], &["-o", "4.mpp"], &epoch].concat()).exits(0);
    assert_eq!(read("3.mpp"), read("4.mpp"));

    says(&["verify"], "[default: 1]");
    place.mpp(&["verify", "1.mpp"]).exits(0);
    place.mpp(&["verify", "1.mpp", "--signers", "1"]).exits(0);
    place.mpp(&["verify", "1.mpp", "--signers", "2"]).exits(1).says(&["publisher.too_few_signers"]);

    says(&["run"], "[default: {}]");
    let run = ["run", "fine.mpp", "--tool", "run"];
    place.mpp(&run).exits(0);
    place.mpp(&[&run[..], &["--args", "{}"]].concat()).exits(0);
    let intents = records(&place, "intent");
    assert_eq!(intents[0]["arguments"], intents[1]["arguments"]);

    says(&["audit", "verify"], "[default: MPP_HOME/audit/audit.jsonl]");
    let verify = ["audit", "verify", "--json"];
    let named = place.mpp(&[&verify[..], &["home/audit/audit.jsonl"]].concat()).exits(0).json();
    let left_out = place.mpp(&verify).exits(0).json();
    assert_eq!((&named["head"], &named["records"]), (&left_out["head"], &json!(4)));

    says(&["filter"], "[default: all]");
    says(&["filter"], "label [default]");
    let kinds =
        mpp::privacy::Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(",");
    let text = "a@b.example 4111 1111 1111 1111 10.0.0.1 DE89370400440532013000";
    let line = format!("{}\n", json!({ "id": 1, "text": text }));
    let filter = |words: &[&str]| place.mpp_with_input(words, line.as_bytes()).exits(0).out;
    let left_out = filter(&["filter"]);
    assert_eq!(left_out, filter(&["filter", "--patterns", &kinds, "--replace", "label"]));
    assert_ne!(left_out, filter(&["filter", "--patterns", "email"]));
}
