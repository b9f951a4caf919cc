//! The README: its size, its commands, and the tests that it names.

use crate::cli::Ran;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_has_at_most_220_lines_of_100_columns() {
    assert!(README.lines().count() <= 220, "{} lines", README.lines().count());
    let wide: Vec<&str> = README.lines().filter(|line| line.chars().count() > 100).collect();
    assert_eq!(wide, Vec::<&str>::new());
}

/// The shell commands of the fenced blocks, without the indentation of a list.
fn shell_blocks() -> Vec<String> {
    let parts = README.split("```sh\n").skip(1).map(|part| part.split("```").next().unwrap());
    parts.map(|part| part.lines().map(|line| format!("{}\n", line.trim())).collect()).collect()
}

/// All commands but the build and the tests, in one shell. `! command` has to fail.
#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    let home = env::temp_dir().join(format!("mpp-readme-{}", std::process::id()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let mut script = String::new();
    for line in shell_blocks().concat().lines() {
        match line.strip_prefix("! ") {
            Some(command) => script.push_str(&format!("if {command}; then exit 9; fi\n")),
            None if line.starts_with("cargo ") => {}
            None => script.push_str(&format!("{line}\n")),
        }
    }
    assert_eq!(script.matches("exit 9").count(), 2);
    let programs = Path::new(env!("CARGO_BIN_EXE_mpp")).parent().unwrap().to_owned();
    let script = script.replace("$PWD/target/release", programs.to_str().unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &script]).env("TMPDIR", &home).stdin(Stdio::null());
    let ran = Ran::of(shell.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()).exits(0);
    assert!(ran.out.contains("Ann: [EMAIL], [CREDIT_CARD]\n"), "{}", ran.out);
    assert!(ran.out.contains("records"), "{}", ran.out);
    fs::remove_dir_all(&home).unwrap();
}

/// Check 3 of the README: hash and signature by other programs. Not every machine has them; CI has.
#[test]
#[ignore = "needs openssl and unzip"]
fn the_commands_of_the_specification_verify_a_package_and_refuse_another_key() {
    let home = env::temp_dir().join(format!("mpp-openssl-{}", std::process::id()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let mpp = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mpp"));
        Ran::of(command.args(args).current_dir(&home).env("MPP_HOME", &home).output().unwrap())
            .exits(0)
    };
    let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/tools/text_stats");
    mpp(&["keygen", "me"]);
    mpp(&["keygen", "other"]);
    mpp(&["pack", tool.to_str().unwrap(), "--key", "me.key", "-o", "text_stats.mpp"]);
    let page = include_str!("../../spec/package.md");
    let script = page.split("```sh\n").find(|block| block.contains("pkeyutl")).unwrap();
    let script = script.split("```").next().unwrap();
    let status = |script: &str| {
        let _ = fs::remove_dir_all(home.join("unpacked"));
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).current_dir(&home).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().unwrap().success()
    };
    assert!(status(script));
    assert!(!status(&script.replace("me.pub", "other.pub")));
    assert!(!status(&script.replace("cd unpacked\n", "cd unpacked && echo >> README.md\n")));
    // An asset named like the file of signatures, and a module named like an option.
    let odd = home.join("odd");
    fs::create_dir_all(odd.join("assets")).unwrap();
    let manifest = fs::read_to_string(tool.join("manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    manifest["runtime"]["entry"] = "-a.wasm".into();
    fs::write(odd.join("manifest.json"), manifest.to_string()).unwrap();
    fs::copy(tool.join("tool.wasm"), odd.join("-a.wasm")).unwrap();
    fs::write(odd.join("assets/signature.json"), "{}").unwrap();
    mpp(&["pack", odd.to_str().unwrap(), "--key", "me.key", "-o", "text_stats.mpp"]);
    assert!(status(script));
    fs::remove_dir_all(&home).unwrap();
}

/// `cargo test FILTER` of the README selects tests of this program.
#[test]
fn every_test_that_the_readme_names_is_there() {
    let list = Command::new(env::current_exe().unwrap()).arg("--list").output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let named = README.split("`cargo test ").skip(1);
    let filters: Vec<&str> = named
        .map(|rest| rest.split(['`', ' ']).next().unwrap())
        .filter(|it| *it != "--doc")
        .collect();
    assert!(filters.len() > 10, "{filters:?}");
    for filter in filters {
        assert!(list.lines().any(|test| test.contains(filter)), "no test is named {filter}");
    }
}

#[test]
fn every_path_that_the_readme_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["src/", "spec/", "conformance/", "fuzz/"];
    let named = README.split('`').skip(1).step_by(2);
    for path in named.filter(|it| places.iter().any(|place| it.starts_with(place))) {
        assert!(root.join(path).exists(), "{path} is not there");
    }
    let (_, table) = README.split_once("| guarantee |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let pages: Vec<&str> = table.split('`').filter(|it| it.ends_with(".md")).collect();
    assert!(pages.len() > 10);
    for page in pages {
        assert!(root.join("spec").join(page).exists(), "spec/{page} is not there");
    }
}

/// The tool that `mpp new --lang rust` writes is what the SDK and this page show.
#[test]
fn the_rust_tool_that_is_shown_is_the_one_that_mpp_new_writes_and_has_less_than_20_lines() {
    let home = env::temp_dir().join(format!("mpp-shown-{}", std::process::id()));
    fs::create_dir_all(&home).unwrap();
    let mut new = Command::new(env!("CARGO_BIN_EXE_mpp"));
    new.args(["new", "greet", "--lang", "rust"]).current_dir(&home).env("MPP_HOME", &home);
    Ran::of(new.output().unwrap()).exits(0);
    let written = |name: &str| fs::read_to_string(home.join("greet").join(name)).unwrap();
    let (tool, sdk) = (written("src/main.rs"), written("src/mpp.rs"));
    fs::remove_dir_all(&home).unwrap();
    assert!(tool.lines().filter(|line| !line.trim().is_empty()).count() < 20);
    assert_eq!(sdk, include_str!("../../src/sdk/mod.rs"));
    let (_, shown) = sdk.split_once("//! ```text\n").unwrap();
    let (shown, _) = shown.split_once("//! ```\n").unwrap();
    let uncommented =
        |line: &str| line.trim_start_matches("//!").strip_prefix(' ').map(str::to_owned);
    let shown: Vec<String> = shown.lines().map(|it| uncommented(it).unwrap_or_default()).collect();
    assert_eq!(shown, tool.lines().collect::<Vec<_>>());
    let blocks = README.split("```rust\n").skip(1).filter_map(|it| it.split("```").next());
    for block in blocks.filter(|block| block.contains("tool_handler")) {
        assert_eq!(block, tool);
    }
}

/// The dependencies that check 5 of the README lists.
#[test]
fn the_crate_depends_on_seven_crates_and_two_that_they_bring() {
    let manifest = include_str!("../../Cargo.toml");
    let (_, section) = manifest.split_once("\n[dependencies]\n").unwrap();
    let (section, _) = section.split_once("\n[").unwrap();
    let lines = section.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.filter_map(|line| line.split_once(" = ")).map(|it| it.0).collect();
    let brought = ["serde_core", "wasmi_core"];
    let own = names.iter().filter(|name| !brought.contains(*name)).count();
    assert_eq!((own, names.len()), (7, 9), "{names:?}");
}
