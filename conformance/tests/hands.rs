//! What the program says about its own use: help, examples, near misses, completions, and its JSON.

use crate::cli::{at_terminal, at_terminal_of, Place, Ran};
use crate::support;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A home in which the example of every command works.
fn prepared(name: &str) -> Place {
    let place = Place::new(name);
    place.folder("pkg", &support::manifest("org.example.pkg"), support::SILENT_GUEST);
    fs::create_dir(place.path("pkg/assets")).unwrap();
    fs::write(place.path("pkg/assets/.DS_Store"), "x").unwrap();
    fs::write(place.path("token.txt"), "value-1234\n").unwrap();
    let tools = r#"{"tools":[{"name":"a-b.c","inputSchema":{"type":"object","x-a":1}}]}"#;
    fs::write(place.path("tools.json"), tools).unwrap();
    for key in ["other", "old", "next"] {
        place.mpp(&["keygen", key]).exits(0);
    }
    let state = ["trust", "rotation", "next.pub", "--key", "me.key", "-o", "rotation.json"];
    place.mpp(&[&state[..], &["--until", "2099-01-01T00:00:00Z"]].concat()).exits(0);
    place.mpp(&["bundle", "root", "Acme", "--key", "me.pub", "-o", "root.json"]).exits(0);
    for file in ["bundle.json", "signed.json"] {
        let make = ["bundle", "make", "--root", "root.json", "--trust", "home/trust.json"];
        let rest = ["--sequence", "1", "--expires", "2099-01-01T00:00:00Z", "-o", file];
        place.mpp(&[&make[..], &rest].concat()).exits(0);
    }
    place.mpp(&["bundle", "sign", "signed.json", "--key", "me.key"]).exits(0);
    place.mpp(&["trust", "add", "other.pub", "--name", "Other", "--namespace", "org.other"]);
    let mut old = support::manifest("org.example.old");
    old["tools"][0]["name"] = "old".into();
    place.package("old.mpp", &old, support::SILENT_GUEST);
    place.mpp(&["install", "old.mpp", "--yes"]).exits(0);
    place.mpp_with_input(&["secret", "set", "old"], b"value-1234\n").exits(0);
    place
}

/// The commands that have no subcommands, as words.
fn commands(place: &Place) -> Vec<Vec<String>> {
    let names = |words: &[&str]| -> Vec<String> {
        let help = place.mpp(&[words, &["--help"]].concat()).exits(0).out;
        let rows = help.lines().filter(|line| {
            line.starts_with("  ") && !line.starts_with("   ") && line.contains("   ")
        });
        let names = rows.filter_map(|line| line.split_whitespace().next());
        names.filter(|name| !name.starts_with('-')).map(str::to_owned).collect()
    };
    let mut found = Vec::new();
    for name in names(&[]) {
        let help = place.mpp(&[&name, "--help"]).exits(0).out;
        match help.contains("\nCommands:\n") {
            true => found.extend(names(&[&name]).into_iter().map(|sub| vec![name.clone(), sub])),
            false => found.push(vec![name]),
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found
}

fn in_shell(place: &Place, line: &str) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_mpp")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Ran::of(place.program("sh", &["-c", line]).env("PATH", path).output().unwrap())
}

#[cfg(unix)]
#[test]
fn the_example_of_every_command_works_as_it_is_printed() {
    for words in commands(&Place::new("examples")) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let place = prepared("example");
        let help = place.mpp(&[&words[..], &["-h"]].concat()).exits(0).out;
        let (_, example) = help.split_once("\nExample:\n  ").unwrap_or_else(|| panic!("{words:?}"));
        let example = example.trim_end();
        assert!(example.contains(&format!("mpp {}", words.join(" "))), "{words:?}: {example}");
        let ran = in_shell(&place, example);
        match words[..] {
            // No administrator has bound this computer.
            ["bundle", "import"] => drop(ran.exits(1).says(&["organisation.invalid"])),
            // No agent has asked for anything.
            ["approve" | "deny"] => drop(ran.exits(1).says(&["consent.no_question"])),
            _ => drop(ran.exits(0)),
        }
    }
}

#[test]
fn help_is_the_same_however_it_is_asked_for() {
    let place = Place::new("asked");
    let top = place.mpp(&["--help"]).exits(0).out;
    for words in [&["-h"][..], &["help"]] {
        assert_eq!(place.mpp(words).exits(0).out, top, "{words:?}");
    }
    for words in commands(&place) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let help = place.mpp(&[&words[..], &["--help"]].concat()).exits(0).out;
        assert_eq!(place.mpp(&[&words[..], &["-h"]].concat()).exits(0).out, help);
        assert_eq!(place.mpp(&[&["help"], &words[..]].concat()).exits(0).out, help);
        assert!(help.contains("  -h, --help "), "{help}");
    }
    place.mpp(&["help", "bogus"]).exits(2).says(&["bogus"]);
}

#[test]
fn an_option_takes_its_value_after_a_sign_of_equality_and_other_words_stay_whole() {
    let place = Place::new("equals");
    place.mpp(&["verify", "fine.mpp", "--signers=1"]).exits(0);
    place.mpp(&["verify", "fine.mpp", "--signers=0"]).exits(2).says(&["less than 1"]);
    let arguments = r#"--args={"a":"b=c"}"#;
    place.mpp(&["run", "fine.mpp", "--tool=run", arguments]).exits(0).says(&["[EMAIL]"]);
    // The value of an option, a file after `--`, and a switch.
    let reason = ["trust", "revoke", &"1".repeat(64), "--reason", "--reason=x", "--json"];
    assert_eq!(place.mpp(&reason).exits(0).json()["reason"], "--reason=x");
    fs::copy(place.path("fine.mpp"), place.path("--trust=x")).unwrap();
    place.mpp(&["verify", "--", "--trust=x"]).exits(0);
    place.mpp(&["verify", "fine.mpp", "--json=yes"]).exits(2);
    place.mpp(&["verify", "fine.mpp", "--signers="]).exits(2);
    place.mpp(&["verify", "fine.mpp", "--", "-h"]).exits(2);
}

#[test]
fn a_near_miss_is_named_and_a_far_one_is_not() {
    let place = Place::new("near");
    for (words, meant) in [
        (&["instal"][..], "did you mean install?"),
        (&["trust", "ad"], "did you mean add?"),
        (&["verify", "fine.mpp", "--signer=3"], "did you mean --signers?"),
        (&["run", "fine.mpp", "--tol", "run"], "did you mean --tool?"),
    ] {
        place.mpp(words).exits(2).says(&[meant]);
    }
    let long = "x".repeat(100_000);
    for words in [&["bogus"][..], &["trust", "x"], &["verify", "fine.mpp", "--zzz"], &[&long]] {
        assert!(!place.mpp(words).exits(2).err.contains("did you mean"), "{words:?}");
    }
}

#[test]
fn a_pipe_has_no_colour_and_a_terminal_has_it_unless_it_is_refused() {
    let place = Place::new("colour");
    let ran = place.mpp(&["verify", "absent.mpp"]).exits(4);
    assert!(!ran.err.contains('\u{1b}'));
    let Some((_, shown)) = at_terminal(&place, &["verify", "fine.mpp"], "") else { return };
    let plain = shown.replace(['\r'], "");
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb")
        || std::env::var_os("TERM").is_none();
    assert_eq!(
        plain.contains("\u{1b}[32mok\u{1b}[0m"),
        !is_dumb && std::env::var_os("NO_COLOR").is_none()
    );
    // Width: no line of the overview is longer than the terminal.
    for columns in [60, 200] {
        let (_, shown) = at_terminal_of(&place, columns, &["trust", "list"], "").unwrap();
        assert!(shown.lines().all(|line| line.trim_end().chars().count() <= columns), "{shown}");
    }
}

/// A command in no group would be missing in the overview.
#[test]
fn every_command_that_is_parsed_is_in_the_overview_and_the_shell_files_are_as_generated() {
    let place = Place::new("shells");
    let described = place.mpp(&["completions", "json"]).exits(0);
    let top = place.mpp(&["--help"]).exits(0).out;
    for command in described.json()["commands"].as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        assert!(
            top.contains(&format!("\n  {name:13}")),
            "{name} is in no group: src/cli/commands.rs"
        );
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("conformance/generate/shell.py");
    let mut python = place.program("python3", &[script.as_os_str(), place.path("").as_os_str()]);
    fs::write(place.path("described.json"), &described.out).unwrap();
    let input = fs::File::open(place.path("described.json")).unwrap();
    assert!(python.stdin(input).status().unwrap().success());
    for (shell, file) in
        [("bash", "mpp.bash"), ("zsh", "_mpp"), ("fish", "mpp.fish"), ("man", "mpp.1")]
    {
        let made = fs::read_to_string(place.path(file)).unwrap();
        let kept = fs::read_to_string(root.join("src/cli/shell").join(file)).unwrap();
        assert!(made == kept, "run conformance/generate/shell.py: {file} is old");
        assert_eq!(place.mpp(&["completions", shell]).exits(0).out, kept);
    }
    place.mpp(&["completions", "tcsh"]).exits(2).says(&["bash, zsh, fish, man"]);
}

#[test]
#[ignore = "needs bash, zsh, fish and man"]
fn completions_load_in_three_shells_and_the_manual_page_has_no_warning() {
    let place = Place::new("loads");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/shell");
    let says = |program: &str, script: &str, expected: &str| {
        let mut command = place.program(program, &["-c", script]);
        let ran = Ran::of(command.env("AT", &root).output().unwrap()).exits(0);
        assert_eq!((ran.out.trim(), ran.err.as_str()), (expected, ""), "{program}");
    };
    let bash =
        "source $AT/mpp.bash; COMP_WORDS=(mpp trust rev); COMP_CWORD=2; _mpp; echo ${COMPREPLY[@]}";
    says("bash", bash, "revoke");
    let zsh = "autoload -U compinit; compinit -u -d ./dump; source $AT/_mpp; print $_comps[mpp]";
    says("zsh", zsh, "_mpp");
    let fish = "source $AT/mpp.fish; complete -C 'mpp trust rev' | cut -f 1";
    says("fish", fish, "revoke");
    says("sh", "man --warnings -l $AT/mpp.1 >/dev/null", "");
}

#[test]
fn trust_is_narrowed_by_publisher_key_or_namespace_and_never_widened() {
    let place = Place::new("narrow");
    let verify = ["verify", "fine.mpp"];
    let add = ["trust", "add", "me.pub", "--name", "Me", "--namespace", "org.example"];
    place.mpp(&[&add[..], &["--namespace", "org.more"]].concat()).exits(0);
    let before = fs::read(place.path("home/trust.json")).unwrap();
    for words in [
        &["Nobody"][..],
        &["me"],
        &["\u{1b}[2J"],
        &[&"0".repeat(64)],
        &["Me", "--namespace", "org"],
        &["Nobody", "--namespace", "org.more"],
    ] {
        let ran = place.mpp(&[&["trust", "remove"], words].concat()).exits(2);
        assert!(!ran.err.contains('\u{1b}'));
        assert_eq!(fs::read(place.path("home/trust.json")).unwrap(), before, "{words:?}");
    }
    place.mpp(&["trust", "remove", "Me", "--namespace", "org.more"]).exits(0);
    place.mpp(&verify).exits(0);
    let list = place.mpp(&["trust", "list", "--json"]).exits(0).json();
    assert_eq!(list["keys"][0]["namespaces"], serde_json::json!(["org.example"]));
    place.mpp(&["trust", "remove", list["keys"][0]["key_id"].as_str().unwrap()]).exits(0);
    place.mpp(&verify).exits(1).says(&["publisher.unknown"]);
    place.mpp(&add).exits(0);
    place.mpp(&["trust", "revoke", "me.pub", "--reason", "lost"]).exits(0);
    place.mpp(&["trust", "remove", "Me"]).exits(0);
    // A revocation stays.
    place.mpp(&add).exits(1).says(&["publisher.key_revoked"]);
}

#[test]
fn run_calls_the_only_tool_and_names_the_tools_where_there_are_more() {
    let place = Place::new("only");
    place.mpp(&["run", "fine.mpp"]).exits(0).says(&["[EMAIL]"]);
    let mut manifest = support::manifest("org.example.two");
    let mut second = manifest["tools"][0].clone();
    second["name"] = "walk".into();
    manifest["tools"].as_array_mut().unwrap().push(second);
    place.package("two.mpp", &manifest, support::SILENT_GUEST);
    place.mpp(&["run", "two.mpp"]).exits(2).says(&["--tool is missing", "run, walk"]);
    fs::write(place.path("bad.mpp"), "x").unwrap();
    place.mpp(&["run", "bad.mpp"]).exits(1).says(&["archive."]);
}

#[test]
fn list_shows_name_publisher_and_risk_and_who_is_trusted_no_more() {
    let place = Place::new("listed");
    place.mpp(&["install", "fine.mpp", "--yes"]).exits(0);
    let ran = place.mpp(&["list"]).exits(0).says(&["Me", "none (0 points)", "Test", "…"]);
    let whole = place.mpp(&["list", "--json"]).exits(0).json();
    assert_eq!(whole[0]["publishers"], serde_json::json!(["Me"]));
    let hash = whole[0]["content_hash"].as_str().unwrap();
    assert!(hash.len() == 71 && !ran.out.contains(hash) && ran.out.contains(&hash[..19]));
    place.mpp(&["trust", "remove", "Me"]).exits(0);
    place.mpp(&["list"]).exits(0).says(&["NOT TRUSTED"]);
}

#[cfg(unix)]
#[test]
fn doctor_finds_each_fault_of_a_home_and_says_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("doctor");
    place.mpp(&["install", "fine.mpp", "--yes"]).exits(0);
    let healthy = place.mpp(&["doctor", "--json"]).exits(0).json();
    assert_eq!(healthy["healthy"], true);
    let fails = |check: &str, advice: &str| {
        let found = place.mpp(&["doctor", "--json"]).exits(1).json();
        let checks = found["checks"].as_array().unwrap();
        let failed = checks.iter().find(|it| it["verdict"] == "FAIL").unwrap();
        assert_eq!((&failed["check"], &found["healthy"]), (&check.into(), &false.into()));
        assert!(failed["detail"].as_str().unwrap().contains(advice), "{failed:?}");
    };
    let home = place.path("home");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
    fails("home", "chmod o-w");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    for (file, check) in [("trust.json", "trust"), ("policy.json", "policy")] {
        let before = fs::read(home.join(file)).ok();
        fs::write(home.join(file), "{\u{1b}").unwrap();
        fails(check, file);
        assert!(!place.mpp(&["doctor"]).exits(1).out.contains('\u{1b}'));
        match before {
            Some(bytes) => fs::write(home.join(file), bytes).unwrap(),
            None => fs::remove_file(home.join(file)).unwrap(),
        }
    }
    place.mpp(&["run", "fine.mpp"]).exits(0);
    place.mpp(&["doctor"]).exits(0).says(&["hash chain verified"]);
    let log = home.join("audit/audit.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen("org.example.fine", "org.example.good", 1)).unwrap();
    fails("log", "");
    fs::write(&log, text).unwrap();
    fs::remove_dir_all(home.join("packages")).unwrap();
    place.mpp(&["doctor"]).exits(1);
}

/// The paths of the members of a value, such as `tools[].name`; those below `opaque` ones are not listed.
fn members(value: &Value, path: &str, opaque: &[String], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if !opaque.iter().any(|it| it == path) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                let below = format!("{path}{dot}{name}");
                members(value, &below, opaque, found);
                found.insert(below);
            }
        }
        Value::Array(items) if !opaque.iter().any(|it| it == path) => {
            items.iter().for_each(|item| members(item, &format!("{path}[]"), opaque, found));
        }
        _ => {}
    }
}

#[cfg(unix)]
#[test]
fn each_member_of_each_json_output_is_in_the_page_and_none_else() {
    let place = prepared("page");
    let mut manifest = support::manifest("org.example.many");
    manifest["tools"][0]["name"] = "many".into();
    manifest["capabilities"] = serde_json::json!({ "environment": ["API_KEY"] });
    place.package("many.mpp", &manifest, support::SILENT_GUEST);
    let page = include_str!("../../spec/cli.md");
    let mut checked = 0;
    for words in [
        &["keygen", "mine"][..],
        &["new", "hello", "--lang", "c"],
        &["check", "pkg"],
        &["migrate", "tools.json", "-o", "from-server"],
        &["dev", "pkg", "--no-build", "--tool", "run"],
        &["pack", "pkg", "--key", "me.key", "-o", "pkg.mpp"],
        &["sign", "fine.mpp", "--key", "other.key", "-o", "both.mpp"],
        &["publish", "fine.mpp", "oci:layout"],
        &["trust", "add", "me.pub", "--name", "Me", "--namespace", "org.example"],
        &["trust", "revoke", "old.pub", "--reason", "lost"],
        &["trust", "list"],
        &["trust", "remove", "Other"],
        &[
            "trust",
            "rotation",
            "next.pub",
            "--key",
            "me.key",
            "--until",
            "2099-01-01T00:00:00Z",
            "-o",
            "r",
        ],
        &["trust", "rotate", "rotation.json"],
        &["bundle", "root", "Acme", "--key", "me.pub", "-o", "root.json"],
        &[
            "bundle",
            "make",
            "--root",
            "root.json",
            "--trust",
            "home/trust.json",
            "--sequence",
            "1",
            "--expires",
            "2099-01-01T00:00:00Z",
            "-o",
            "b.json",
        ],
        &["bundle", "sign", "bundle.json", "--key", "me.key"],
        &["bundle", "verify", "signed.json", "--root", "root.json"],
        &["verify", "fine.mpp"],
        &["inspect", "many.mpp"],
        &["run", "fine.mpp"],
        &["install", "many.mpp", "--yes"],
        &["list"],
        &["remove", "org.example.many"],
        &["secret", "set", "token"],
        &["secret", "list"],
        &["secret", "remove", "token"],
        &["audit", "verify"],
        &["audit", "head"],
        &["audit", "show"],
        &["audit", "report", "-o", "report.html"],
        &["doctor"],
        &["completions", "bash"],
        &["verify", "absent.mpp"],
    ] {
        let ran = place.mpp_with_input(&[words, &["--json"]].concat(), b"value-1234\n");
        let names = words.iter().take_while(|it| it.bytes().all(|it| it.is_ascii_lowercase()));
        let names: Vec<&str> = names.copied().collect();
        let titles =
            (1..=names.len()).rev().map(|count| format!("## mpp {}\n", names[..count].join(" ")));
        let title = titles.into_iter().find(|title| page.contains(title.as_str())).unwrap();
        let is_error = ran.json().get("error").is_some();
        let title = if is_error { "## Errors\n".to_owned() } else { title };
        let (_, section) = page.split_once(&title).unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let opaque = rows.clone().filter(|(_, rest)| rest.starts_with("JSON |"));
        let opaque: Vec<String> = opaque.map(|(name, _)| name.to_owned()).collect();
        let mut named: BTreeSet<String> = rows.map(|(name, _)| name.to_owned()).collect();
        if title == "## Errors\n" {
            named.insert("error".to_owned());
        }
        let mut found = BTreeSet::new();
        members(&ran.json(), "", &opaque, &mut found);
        assert_eq!(found, named, "{words:?}");
        checked += 1;
    }
    assert_eq!(checked, 34);
    // Each command with `--json` has a section.
    for words in commands(&place) {
        let name = words.join(" ");
        let is_listed = page.contains(&format!("## mpp {name}\n"));
        assert!(is_listed || ["serve", "filter"].contains(&name.as_str()), "{name}");
    }
}
