//! `mpp serve --print-config CLIENT --write`: one entry is merged into the file of a client, and nothing else of
//! it changes.

use crate::cli::{Place, Ran};
use serde_json::{json, Value};
use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt as _};

/// Merges the entry of a client into a file of this content, and returns the new content.
fn written(place: &Place, client: &str, before: &str) -> Ran {
    fs::write(place.path("file"), before).unwrap();
    let words = ["serve", "--print-config", client, "--write", "--config-file", "file", "--yes"];
    let mut ran = place.mpp(&words);
    if ran.status == 0 {
        ran.out = fs::read_to_string(place.path("file")).unwrap();
    } else {
        assert_eq!(fs::read_to_string(place.path("file")).unwrap(), before, "{}", ran.err);
    }
    ran
}

/// Checks that each line of `before` is still there, in order, and that a second time changes nothing.
#[track_caller]
fn keeps_each_line(place: &Place, client: &str, before: &str) -> String {
    let after = written(place, client, before).exits(0).out;
    let mut lines = after.lines();
    for line in before.lines() {
        assert!(lines.any(|other| other == line), "{line:?} is not in {after}");
    }
    assert_eq!(written(place, client, &after).exits(0).out, after, "a second time");
    after
}

#[test]
fn a_new_file_has_what_is_printed_for_each_client_with_a_place() {
    let place = Place::new("write-new");
    let clients = [
        "claude",
        "claude-code",
        "cline",
        "codex",
        "cursor",
        "gemini",
        "goose",
        "jetbrains",
        "lm-studio",
        "opencode",
        "vscode",
        "windsurf",
        "zed",
    ];
    for client in clients {
        let printed = place.mpp(&["serve", "--print-config", client]).exits(0).out;
        let after = written(&place, client, "").exits(0).out;
        match serde_json::from_str::<Value>(&printed) {
            Ok(printed) => assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), printed),
            Err(_) => assert_eq!(after, printed, "{client}"),
        }
    }
}

#[test]
fn json_keeps_its_order_its_layout_its_comments_and_the_other_servers() {
    let place = Place::new("write-json");
    for before in [
        "{\n  \"z\": 1,\n  \"mcpServers\": {\n    \"b\": {\"command\": \"b\"},\n    \"a\": {\"env\": {\"KEY\": \"}\\\"//\"}}\n  },\n  \"a\": [1, 2.50]\n}\n",
        "// my settings\n{\n\t/* { \"mcpServers\" */\n\t\"theme\": \"http://x\", // {\n\t\"mcpServers\": {\n\t\t\"b\": {},\n\t},\n}\n",
        "{\n  \"theme\": \"dark\",\n}\n",
        "{\n}\n",
        "\n\n{\r\n  \"mcpServers\": {\r\n  }\r\n}\r\n",
    ] {
        let after = keeps_each_line(&place, "cursor", before);
        assert!(after.contains("\"mpp\": {"), "{after}");
    }
    // On one line the bytes around the entry stay.
    let after = written(&place, "zed", r#"{"context_servers":{"x":{}},"y":0}"#).exits(0).out;
    let value: Value = serde_json::from_str(&after).unwrap();
    assert_eq!((&value["y"], &value["context_servers"]["x"]), (&json!(0), &json!({})));
    assert!(value["context_servers"]["mpp"]["command"].is_string());
}

#[test]
fn an_old_entry_is_replaced_alone() {
    let place = Place::new("write-old");
    let before = r#"{"mcpServers": {"mpp": {"command": "/old", "env": {"A": "}"}}, "c": {}}}"#;
    let ran = written(&place, "claude", before).exits(0);
    assert!(!ran.out.contains("/old") && ran.out.contains("\"c\": {}"), "{}", ran.out);
    assert!(ran.err.contains("- ") && ran.err.contains("+ "), "the difference: {}", ran.err);
    let before = "model = \"o\"\n[mcp_servers.mpp]\ncommand = \"/old\"\nargs = []\n\n[mcp_servers.x]\ncommand = \"x\"\n";
    let ran = written(&place, "codex", before).exits(0);
    assert!(!ran.out.contains("/old") && ran.out.ends_with("[mcp_servers.x]\ncommand = \"x\"\n"));
    let before =
        "extensions:\n  mpp:\n    cmd: /old\n    args: []\n  b:\n    cmd: b\nGOOSE_MODE: auto\n";
    let ran = written(&place, "goose", before).exits(0);
    assert!(!ran.out.contains("/old"), "{}", ran.out);
    assert!(ran.out.ends_with("  b:\n    cmd: b\nGOOSE_MODE: auto\n"), "{}", ran.out);
}

#[test]
fn toml_and_yaml_keep_each_line() {
    let place = Place::new("write-lines");
    for before in
        ["a = 1\n", "[projects.\"/home/mpp\"]\nt = 1", "[mcp_servers.mpp2]\ncommand = \"x\"\n"]
    {
        let after = keeps_each_line(&place, "codex", before);
        assert_eq!(after.matches("[mcp_servers.mpp]\n").count(), 1, "{after}");
    }
    for before in [
        "GOOSE_MODE: auto\n",
        "extensions:\n    developer:\n        enabled: true\nGOOSE_MODE: auto\n",
        "a: 1\nextensions:\nb: 2\n",
        "a: 1\nextensions:\n",
        "a: 1\nextensions:\n  # none yet\n",
    ] {
        let after = keeps_each_line(&place, "goose", before);
        assert_eq!(after.matches("mpp:\n").count(), 1, "{after}");
        assert_eq!(after.matches("extensions:").count(), 1, "{after}");
    }
}

#[test]
fn a_file_that_is_not_understood_is_refused_and_keeps_its_bytes() {
    let place = Place::new("write-refused");
    for (client, before) in [
        ("claude", "[]"),
        ("claude", "{"),
        ("claude", "{\"mcpServers\": []}"),
        ("claude", "{\"mcpServers\": {}, \"mcpServers\": {}}"),
        ("claude", "{\"mcpServers\": {\"mpp\": 1, \"mpp\": 2}}"),
        ("claude", "{'mcpServers': {}}"),
        ("claude", "{} {}"),
        ("claude", "\u{feff}{}"),
        ("claude", "{\"a\": 1 /* "),
        ("codex", "mcp_servers = {}\n"),
        ("codex", "[mcp_servers.\"mpp\"]\ncommand = \"x\"\n"),
        ("codex", "[mcp_servers.mpp.env]\nA = \"x\"\n"),
        ("codex", "x = '''\n[mcp_servers.mpp]\n'''\n"),
        ("goose", "extensions: {}\n"),
        ("goose", "extensions:\n\tb: 1\n"),
        ("goose", "---\nextensions:\n  b: 1\n"),
    ] {
        let ran = written(&place, client, before).exits(2);
        assert!(ran.err.contains("by hand"), "{before:?}: {}", ran.err);
    }
    fs::write(place.path("file"), b"\xff").unwrap();
    let words = ["serve", "--print-config", "claude", "--write", "--config-file", "file", "--yes"];
    place.mpp(&words).exits(2);
    assert_eq!(fs::read(place.path("file")).unwrap(), b"\xff");
}

#[test]
fn without_a_terminal_or_approval_nothing_is_written() {
    let place = Place::new("write-asked");
    let words = ["serve", "--print-config", "zed", "--write", "--config-file", "file"];
    place.mpp(&words).exits(2).says(&["+ ", "--yes"]);
    assert!(!place.path("file").exists());
    place.mpp(&["serve", "--print-config", "cline", "--write", "--yes"]).exits(2).says(&["varies"]);
    for words in [["serve", "--write"], ["serve", "--yes"]] {
        place.mpp(&words).exits(2);
    }
}

#[test]
fn a_fifo_a_directory_and_a_dangling_link_are_refused_and_stay() {
    let place = Place::new("write-kinds");
    fs::create_dir(place.path("directory")).unwrap();
    symlink("nowhere", place.path("dangling")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(place.path("fifo")).status().unwrap();
    assert!(fifo.success());
    for name in ["directory", "dangling", "fifo"] {
        let words = ["serve", "--print-config", "zed", "--write", "--config-file", name, "--yes"];
        place.mpp(&words).exits(2).says(&["is not a regular file"]);
        assert!(!place.path(name).is_file());
    }
}

#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    let place = Place::new("write-link");
    fs::write(place.path("real.json"), "{}").unwrap();
    fs::set_permissions(place.path("real.json"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("real.json", place.path("file")).unwrap();
    let words = ["serve", "--print-config", "zed", "--write", "--config-file", "file", "--yes"];
    place.mpp(&words).exits(0);
    assert!(place.path("file").is_symlink());
    let metadata = fs::metadata(place.path("real.json")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(place.path("real.json")).unwrap().contains("mpp"));
}
