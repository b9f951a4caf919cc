//! The printed configuration of agent programs, and whether the page for clients has the lines that run.

use crate::cli::{Place, Ran};
use crate::support::{author, now};
use mpp::package::pack::pack;
use mpp::package::writer::Compression;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const JSON_CLIENTS: [(&str, &str); 10] = [
    ("claude", "mcpServers"),
    ("claude-code", "mcpServers"),
    ("cline", "mcpServers"),
    ("cursor", "mcpServers"),
    ("gemini", "mcpServers"),
    ("jetbrains", "mcpServers"),
    ("lm-studio", "mcpServers"),
    ("vscode", "servers"),
    ("windsurf", "mcpServers"),
    ("zed", "context_servers"),
];

/// Directory names that are often quoted incorrectly.
const ODD: [&str; 9] = [
    "a b",
    "quo\"te",
    "back\\slash\\u0041",
    "it's",
    "ünï 漢字 🦀",
    "line\nfeed\ttab",
    "bell\u{7} del\u{7f} csi\u{9b}31m",
    "turn\u{202e}ed \u{e0041}",
    "# [x] = {y}, 'z'",
];

/// Prints the configuration with another program than the one that was built, and another home.
fn printed(place: &Place, program: &Path, home: Option<&Path>, words: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.arg("serve").args(words).current_dir(place.path("")).stdin(Stdio::null());
    match home {
        Some(home) => command.env("MPP_HOME", home),
        None => command.env_remove("MPP_HOME"),
    };
    Ran::of(command.output().unwrap())
}

fn built() -> PathBuf {
    fs::canonicalize(env!("CARGO_BIN_EXE_mpp")).unwrap()
}

/// The entry for the server, read as the client would: JSON whole, and of TOML what is printed here.
#[track_caller]
fn entry(client: &str, out: &str) -> Value {
    if client == "codex" {
        return toml(out);
    }
    let (_, member) = JSON_CLIENTS.iter().find(|(name, _)| *name == client).unwrap();
    let whole: Value = serde_json::from_str(out).unwrap();
    assert_eq!(whole.as_object().unwrap().len(), 1, "{out}");
    let mut entry = whole[member]["mpp"].clone();
    if client == "vscode" {
        assert_eq!(entry.as_object_mut().unwrap().remove("type"), Some(json!("stdio")));
    }
    entry
}

#[track_caller]
fn toml(out: &str) -> Value {
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("[mcp_servers.mpp]"));
    let (mut entry, mut line_count) = (serde_json::Map::new(), 1);
    for line in lines {
        line_count += 1;
        let (key, value) = line.split_once(" = ").unwrap();
        let (value, rest) = match value.strip_prefix("{ MPP_HOME = ") {
            Some(value) => {
                let (value, rest) = basic_string(value);
                assert_eq!(rest, " }");
                (json!({ "MPP_HOME": value }), "")
            }
            None if value.starts_with('[') => {
                let (mut values, mut rest) = (Vec::new(), &value[1..]);
                while rest != "]" {
                    let (value, after) = basic_string(rest);
                    values.push(value);
                    rest = after.strip_prefix(", ").unwrap_or(after);
                }
                (json!(values), "")
            }
            None => {
                let (value, rest) = basic_string(value);
                (json!(value), rest)
            }
        };
        assert_eq!(rest, "", "{line}");
        assert!(entry.insert(key.into(), value).is_none(), "{out}");
    }
    assert!(out.ends_with('\n') && line_count <= 4, "{out}");
    Value::Object(entry)
}

/// Parses a basic string of TOML 1.0, and returns the rest. Allows only its escapes, and no control character.
fn basic_string(text: &str) -> (String, &str) {
    let mut rest = text.strip_prefix('"').unwrap();
    let mut value = String::new();
    loop {
        let character = rest.chars().next().expect("the string ends");
        rest = &rest[character.len_utf8()..];
        assert!(!character.is_control(), "{character:?} in {text:?}");
        if character == '"' {
            return (value, rest);
        }
        if character != '\\' {
            value.push(character);
            continue;
        }
        let escape = rest.chars().next().unwrap();
        rest = &rest[1..];
        let digit_count = match escape {
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let (digits, after) = rest.split_at(digit_count);
        rest = after;
        value.push(match escape {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            '"' | '\\' => escape,
            'u' | 'U' => char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap(),
            other => panic!("TOML has no escape {other:?}"),
        });
    }
}

fn every_client() -> impl Iterator<Item = &'static str> {
    JSON_CLIENTS.iter().map(|(name, _)| *name).chain(["codex"])
}

#[test]
fn each_client_is_told_this_program_and_the_options_given_and_nothing_else() {
    let place = Place::new("config");
    let home = place.path("home");
    for client in every_client() {
        let words = ["--print-config", client];
        let ran = printed(&place, &built(), None, &words).exits(0);
        let expected = json!({ "command": built(), "args": ["serve"] });
        assert_eq!(entry(client, &ran.out), expected, "{client}");
        assert!(ran.err.starts_with("note: add this to "), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        // Relative paths refer to this directory, regardless of where the client starts the server.
        let words = ["--policy", "p.json", "--print-config", client, "--ca-file", "ca.pem"];
        let ran = printed(&place, &built(), Some(&home), &words).exits(0);
        let args =
            json!(["serve", "--policy", place.path("p.json"), "--ca-file", place.path("ca.pem")]);
        let expected =
            json!({ "command": built(), "args": args, "env": { "MPP_HOME": home.clone() } });
        assert_eq!(entry(client, &ran.out), expected, "{client}");
        // An empty variable counts as unset.
        let ran = printed(&place, &built(), Some(Path::new("")), &["--print-config", client]);
        assert!(entry(client, &ran.exits(0).out).get("env").is_none(), "{client}");
    }
}

#[test]
fn odd_paths_come_back_as_they_are_from_each_format() {
    let place = Place::new("config-odd");
    // Beside the program, where it can be linked to: a copy that another thread's child still holds open
    // for writing does not start.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("odd-{}", std::process::id()));
    for odd in ODD {
        let home = folder.join(odd);
        fs::create_dir_all(&home).unwrap();
        let program = home.join("mpp");
        // A symbolic link would be followed.
        fs::hard_link(built(), &program).unwrap();
        let policy = home.join("policy.json");
        for client in every_client() {
            let words = ["--print-config", client, "--policy", policy.to_str().unwrap()];
            let ran = printed(&place, &program, Some(&home), &words).exits(0);
            let expected = json!({
                "command": program, "args": ["serve", "--policy", policy],
                "env": { "MPP_HOME": home }
            });
            assert_eq!(entry(client, &ran.out), expected, "{odd:?} for {client}");
            let hidden = |c: &char| *c != '\n' && mpp::text::is_hidden(*c);
            assert_eq!(ran.out.chars().find(hidden), None, "{odd:?} for {client}");
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_path_that_clients_would_take_for_a_variable_is_warned_about() {
    let place = Place::new("config-dollar");
    let ran = printed(&place, &built(), Some(&place.path("$HOME")), &["--print-config", "gemini"]);
    assert!(ran.err.contains("`$`"), "{}", ran.err);
    let entry = entry("gemini", &ran.exits(0).out);
    assert_eq!(entry["env"]["MPP_HOME"], json!(place.path("$HOME")));
}

#[test]
fn an_unknown_client_is_told_the_known_ones_and_gets_nothing_to_paste() {
    let place = Place::new("config-unknown");
    for name in ["", "VSCode", "vs code", "mcpServers", "emacs\u{1b}[2J"] {
        let ran = printed(&place, &built(), None, &["--print-config", name]).exits(2);
        assert_eq!(ran.out, "", "{name:?}");
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
        for known in every_client() {
            assert!(ran.err.contains(known), "{known} not in: {}", ran.err);
        }
    }
}

#[test]
fn what_is_no_text_is_refused_rather_than_changed() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new("config-bytes");
    let home = place.path("").join(std::ffi::OsStr::from_bytes(b"\xff"));
    for client in ["vscode", "codex"] {
        let ran = printed(&place, &built(), Some(&home), &["--print-config", client]).exits(2);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn the_server_that_is_printed_starts_and_answers() {
    let place = Place::new("config-start");
    place.mpp(&["install", "fine.mpp", "--yes"]).exits(0);
    let home = place.path("home");
    fs::write(home.join("p.json"), r#"{"format":"mpp-policy/1","auto_approve_low":true}"#).unwrap();
    let link = place.path("linked");
    symlink(&home, &link).unwrap();
    let words = ["--print-config", "claude", "--policy", "linked/p.json"];
    let printed = printed(&place, &built(), Some(&link), &words).exits(0);
    let entry = entry("claude", &printed.out);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let args: Vec<String> = entry["args"].as_array().unwrap().iter().map(text).collect();
    let line = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "run", "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {} } }
    });
    let input = place.path("in.jsonl");
    fs::write(&input, format!("{line}\n")).unwrap();
    let mut command = Command::new(text(&entry["command"]));
    command.args(args).env_clear().env("MPP_HOME", text(&entry["env"]["MPP_HOME"]));
    let ran =
        Ran::of(command.current_dir("/").stdin(fs::File::open(input).unwrap()).output().unwrap());
    assert_eq!(ran.json()["result"]["content"][0]["text"], "mail [EMAIL]", "{}", ran.err);
}

/// The page for clients.
const PAGE: &str = include_str!("../clients/README.md");

/// Its fenced blocks in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = PAGE;
    let opening = format!("```{language}\n");
    let parts = readme.split(&opening).skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// A script's text without white space, as it would read with the page's names.
fn plain(script: &str) -> String {
    let mut text: String = script.split_whitespace().collect();
    for (from, to) in [
        (",\"env\":expect.ENVIRONMENT", ""),
        (",env=expect.ENVIRONMENT", ""),
        ("expect.SERVER", "\"mpp\""),
        ("expect.ARGUMENTS", "[\"serve\"]"),
        ("*expect.GOOD", "\"analyze\",{\"text\":\"onetwotwo\"}"),
        ("(server,mode=mode)", "(server)"),
        ("{mode}", "{mode:\"auto\"}"),
        ("Transport(transport)", "Transport({command:\"mpp\",args:[\"serve\"]})"),
        (",}", "}"),
        (",)", ")"),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// Returns `true` if the script imports what this line of the page imports, or more.
fn imports(script: &str, line: &str) -> bool {
    let Some((from, names)) = line.split_once(" import ") else { return false };
    let from = format!("{from} import ");
    let imported = script.lines().find_map(|line| line.strip_prefix(&from)).unwrap_or("");
    names.split(", ").all(|name| imported.split(", ").any(|other| other == name))
}

#[test]
fn the_page_has_the_lines_that_the_client_scripts_run() {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/clients");
    let shared = fs::read_to_string(clients.join("node/expect.mjs")).unwrap();
    let mut found = Vec::new();
    for (language, comment, shared) in [("python", "#", ""), ("js", "//", shared.as_str())] {
        for block in blocks(language) {
            let (first, lines) = block.split_once('\n').unwrap();
            let name = first.strip_prefix(comment).unwrap().split(':').next().unwrap().trim();
            let script = fs::read_to_string(clients.join(name)).unwrap() + shared;
            let whole = plain(&script);
            let mut rest = whole.as_str();
            for line in lines.lines() {
                if imports(&script, line) {
                    continue;
                }
                let (_, after) = rest
                    .split_once(&plain(line))
                    .unwrap_or_else(|| panic!("{line:?} is not in {name}, or not in this order"));
                rest = after;
            }
            assert!(lines.contains("\"mpp\"") && lines.contains("[\"serve\"]"), "{name}");
            found.push(name.to_owned());
        }
    }
    let of = |folder: &str, name: fn(&str) -> Option<String>| -> Vec<String> {
        let entries = fs::read_dir(clients.join(folder)).unwrap();
        entries.filter_map(|one| name(one.unwrap().file_name().to_str().unwrap())).collect()
    };
    let mut there = of("python", |name| name.starts_with("try_").then(|| format!("python/{name}")));
    there.extend(of("node", |name| {
        name.starts_with("sdk-").then(|| format!("node/{name}/client.mjs"))
    }));
    there.sort();
    found.sort();
    assert_eq!(found, there, "the page has a snippet for each client, once");
}

#[test]
fn the_commands_of_the_page_for_a_script_and_for_ci_call_a_tool() {
    let place = Place::new("readme");
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/tools/text_stats");
    let mut contents = BTreeMap::new();
    for name in ["manifest.json", "tool.wasm"] {
        contents.insert(name.to_owned(), fs::read(tool.join(name)).unwrap());
    }
    let package = pack(contents, &author(), now(), Compression::Deflated).unwrap();
    fs::write(place.path("text_stats.mpp"), package).unwrap();
    place.mpp(&["install", "text_stats.mpp", "--yes"]).exits(0);
    let shell = |script: &str, home: PathBuf| {
        let folder = built().parent().unwrap().to_owned();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).env("PATH", path).env("MPP_HOME", home);
        Ran::of(shell.current_dir(place.path("")).stdin(Stdio::null()).output().unwrap()).exits(0)
    };

    let scripts = blocks("sh");
    let script = scripts.iter().find(|block| block.contains("| mpp serve")).unwrap();
    // Without a policy file, and with the README's.
    let readme = include_str!("../../README.md");
    let policy = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let answer = shell(script, place.path("home")).json();
    assert_eq!(answer["result"]["structuredContent"]["words"], 3, "{answer}");
    fs::write(place.path("home/policy.json"), policy).unwrap();
    let answer = shell(script, place.path("home")).json();
    assert_eq!(answer["result"]["structuredContent"]["words"], 3, "{answer}");

    let policy = PAGE.split('`').find(|text| text.contains("\"non_interactive\": true}")).unwrap();
    fs::write(place.path("ci.json"), policy).unwrap();
    let step = blocks("yaml").remove(0);
    let (_, script) = step.split_once("run: |\n").unwrap();
    let ran = shell(script, place.path("runner"));
    let answer = ran.out.lines().find(|line| line.starts_with('{')).unwrap();
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["structuredContent"]["words"], 3, "{answer}");
}

#[test]
fn the_help_names_every_program_whose_configuration_is_known() {
    let place = Place::new("config-help");
    let help = place.mpp(&["help", "serve"]).exits(0).out;
    let words: Vec<&str> = help.split(|c: char| c.is_whitespace() || c == ',').collect();
    let unknown = place.mpp(&["serve", "--print-config", "none"]).exits(2).err;
    let known = unknown.split("expected one of ").nth(1).unwrap().lines().next().unwrap();
    for name in known.split(", ") {
        assert!(words.contains(&name), "{name} is not in: {help}");
    }
}
