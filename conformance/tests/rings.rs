//! What may touch what: the kernel is a function of bytes, and no inner ring needs an outer one.

use crate::imports::{all_paths, Names};
use crate::sizes::{RING_1, RING_2};
use crate::support;
use std::collections::BTreeSet;

/// A file below `src/`: its path there, its text, and all paths in it.
struct Source {
    name: String,
    text: String,
    paths: BTreeSet<Names>,
}

fn sources() -> Vec<Source> {
    let source = |(name, text): (String, String)| Source { name, paths: all_paths(&text), text };
    support::sources().into_iter().map(source).collect()
}

/// Every file whose name begins so and that has a path which begins with one of these.
fn with(start: &str, forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { name, paths, .. } in sources().iter().filter(|it| it.name.starts_with(start)) {
        for path in paths {
            let is = |it: &&&str| {
                path.starts_with(&it.split("::").map(str::to_owned).collect::<Names>())
            };
            found.extend(forbidden.iter().find(is).map(|it| format!("{name}: {it}")));
        }
    }
    found
}

#[test]
fn the_kernel_names_neither_the_standard_library_nor_anything_around_it() {
    let around = ["std", "crate::host", "crate::mcp", "crate::cli", "crate::sdk"];
    assert_eq!(with("kernel/", &around), Vec::<String>::new());
    assert_ne!(with("host/", &around), Vec::<String>::new(), "and this finds such names");
}

#[test]
fn nothing_but_the_host_mcp_and_the_command_line_touches_the_machine() {
    // A tool has the sandbox's machine.
    let around = ["host/", "mcp/", "author/", "registry/", "evidence/", "cli/", "main.rs", "sdk/"];
    let outside = |name: &String| !around.iter().any(|it| name.starts_with(it));
    let machine =
        ["std::fs", "std::net", "std::process", "std::env", "std::thread", "std::io", "std::time"];
    let found: Vec<String> = with("", &machine).into_iter().filter(outside).collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_kernel_has_no_visibility_between_its_own_and_the_public_one() {
    let mut found = Vec::new();
    for Source { name, text, .. } in sources().iter().filter(|it| it.name.starts_with("kernel/")) {
        // The macro that declares documents can be handed on in no other way.
        let text = text.replace("pub(crate) use object;", "");
        if text.contains("pub(crate)") {
            found.push(name.clone());
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn no_inner_ring_imports_an_outer_one() {
    assert_eq!(with("host/", &["crate::mcp", "crate::cli"]), Vec::<String>::new());
    assert_eq!(with("mcp/", &["crate::cli"]), Vec::<String>::new());
    assert_eq!(with("author/", &["crate::cli"]), Vec::<String>::new());
    let ring_2: Vec<String> = RING_2
        .iter()
        .filter_map(|name| name.strip_prefix("host/")?.strip_suffix(".rs"))
        .map(|name| format!("crate::host::{name}"))
        .collect();
    let ring_2: Vec<&str> = ring_2.iter().map(String::as_str).collect();
    let is_ring_0 = |found: &String| !RING_2.iter().any(|name| found.starts_with(name));
    let found: Vec<String> = with("host/", &ring_2).into_iter().filter(is_ring_0).collect();
    assert_eq!(found, Vec::<String>::new());
}

/// It is copied beside the sources of tools, which have `serde` and `serde_json`.
#[test]
fn the_sdk_is_one_file_that_names_nothing_else_of_the_crate() {
    let files = sources().into_iter().filter(|it| it.name.starts_with("sdk/"));
    let [Source { text, paths, .. }] = &files.collect::<Vec<_>>()[..] else { panic!("one file") };
    let imports =
        text.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("use "));
    let crates: BTreeSet<&str> = imports.filter_map(|it| it.split("::").next()).collect();
    assert_eq!(crates, BTreeSet::from(["serde", "serde_json", "std"]));
    let inside = |path: &&Names| ["crate", "super", "self", "mpp"].contains(&path[0].as_str());
    assert_eq!(paths.iter().find(inside), None);
    for word in ["mod ", "pub mod ", "extern crate ", "include"] {
        assert!(!text.lines().any(|line| line.trim_start().starts_with(word)), "{word}");
    }
}

/// The rest of the kernel reaches the detectors by what their folder hands on; they reach nothing of the call.
#[test]
fn detectors_get_text_and_context_and_reach_nothing_else() {
    let allowed = ["deadline", "encoding", "prelude", "text", "privacy", "names"];
    let (inside, outside): (Vec<_>, Vec<_>) =
        sources().into_iter().partition(|it| it.name.starts_with(RING_1));
    for Source { name, paths, .. } in &inside {
        for path in paths.iter().filter(|path| path.starts_with(&["crate".into(), "kernel".into()]))
        {
            assert!(allowed.contains(&path[2].as_str()), "{name} imports {path:?}");
        }
    }
    let handed_on = [
        "scan",
        "may_match",
        "key_hints",
        "phone_word",
        "digits_of",
        "proves_itself",
        "Hints",
        "IDEOGRAPH",
        "LETTER",
        "OTHER",
    ];
    for Source { name, paths, .. } in &outside {
        for path in paths {
            let below = path.iter().skip_while(|part| *part != "detect").nth(1);
            assert!(below.is_none_or(|it| handed_on.contains(&it.as_str())), "{name} has {path:?}");
        }
    }
}
