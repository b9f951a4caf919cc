//! How much code there is to read, by what a defect in it does, and that it does not grow unnoticed.
//!
//! A line of code is neither blank nor a comment; tables of data and what only tests have are left out. `cargo test --test
//! conformance sizes:: -- --nocapture` prints the table. A number here changes in a commit that says why.

use crate::support::{sources, without_tests};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Ring 1: personal data that leaks, or an answer altered wrongly.
pub const RING_1: &str = "kernel/privacy/detect/";

/// Ring 2: a bug of convenience. These ask ring 0 and decide nothing; a file that is not named is in ring 0.
pub const RING_2: [&str; 11] = [
    "host/store.rs",
    "host/pack.rs",
    "host/question.rs",
    "mcp/",
    "sdk/",
    "agents/",
    "author/",
    "registry/",
    "evidence/",
    "cli/",
    "main.rs",
];

/// Ring 2 that only the program has, and what only tools have.
pub const APART: [&str; 5] = ["agents/", "author/", "registry/", "evidence/", "sdk/"];

/// Tables: a row to a line, with what each means.
pub const TABLES: [&str; 9] = [
    "cli/commands.rs",
    "kernel/limits.rs",
    "kernel/error.rs",
    "kernel/privacy/detect/account_numbers.rs",
    "kernel/privacy/detect/key_formats.rs",
    "kernel/privacy/detect/national_numbers.rs",
    "kernel/privacy/detect/context_words.rs",
    "kernel/privacy/detect/credential_words.rs",
    "kernel/privacy/detect/phone_words.rs",
];

/// What a reviewer reads in one day, in this order; `src/lib.rs` names them too.
pub const SPINE: [&str; 17] = [
    "kernel/pipeline.rs",
    "kernel/gatekeeper.rs",
    "kernel/package/archive.rs",
    "kernel/package/content_hash.rs",
    "kernel/package/key.rs",
    "kernel/trust.rs",
    "kernel/policy/decide.rs",
    "kernel/policy/token.rs",
    "kernel/sandbox/token.rs",
    "kernel/sandbox/executor.rs",
    "kernel/host.rs",
    "host/directory_handle.rs",
    "host/commit.rs",
    "kernel/network/http_broker.rs",
    "kernel/network/address.rs",
    "kernel/audit/chain.rs",
    "kernel/consent/attestation.rs",
];

/// The most lines of each part.
const LINES_MAX: [(&str, usize); 12] = [
    ("ring 0", 17_325),
    ("ring 0 in kernel/", 13_370),
    ("ring 1", 2_825),
    ("ring 2 without cli/", 1_695),
    ("agents/", 410),
    ("author/", 3_450),
    ("registry/", 730),
    ("evidence/", 400),
    ("cli/", 4_435),
    ("sdk/", 500),
    ("library", 21_835),
    ("spine", 3_195),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lines that are code, without what only tests have.
fn code_lines(text: &str, is_table: bool) -> usize {
    // A row has a text that explains it.
    let is_row = |line: &str| is_table && line.matches('"').count() >= 4;
    let text = without_tests(text);
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//") && !is_row(line)).count()
}

/// The lines of each file below `src/`.
fn files() -> BTreeMap<String, usize> {
    let lines = |(name, text): (String, String)| {
        let lines = code_lines(&text, TABLES.contains(&name.as_str()));
        (name, lines)
    };
    sources().into_iter().map(lines).collect()
}

#[test]
fn no_ring_and_not_the_spine_has_more_lines_than_agreed() {
    let files = files();
    let sum = |wanted: &dyn Fn(&str) -> bool| -> usize {
        files.iter().filter(|(name, _)| wanted(name)).map(|(_, lines)| lines).sum()
    };
    let ring_2 = |name: &str| RING_2.iter().any(|start| name.starts_with(start));
    let ring_0 = |name: &str| !name.starts_with(RING_1) && !ring_2(name);
    let cli = |name: &str| name.starts_with("cli/") || name == "main.rs";
    let apart = |name: &str| cli(name) || APART.iter().any(|start| name.starts_with(start));
    for name in SPINE {
        assert!(files.contains_key(name), "{name} is in the spine, and not there");
    }
    let lines = |part: &str| match part {
        "ring 0" => sum(&ring_0),
        "ring 0 in kernel/" => sum(&|name| ring_0(name) && name.starts_with("kernel/")),
        "ring 1" => sum(&|name| name.starts_with(RING_1)),
        "ring 2 without cli/" => sum(&|name| ring_2(name) && !apart(name)),
        part if APART.contains(&part) => sum(&|name| name.starts_with(part)),
        "cli/" => sum(&cli),
        "library" => sum(&|name| !apart(name)),
        _ => sum(&|name| SPINE.contains(&name)),
    };
    let mut faults = Vec::new();
    for (part, most) in LINES_MAX {
        let lines = lines(part);
        println!("{lines:>6} {part}");
        if lines > most {
            faults.push(format!("{part} has {lines} lines, {most} are agreed"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The README's row is what was counted, in hundreds.
    let hundreds = |part: &str| lines(part).div_ceil(100) * 100;
    let cell = |part: &str| {
        let n = hundreds(part);
        format!(" {},{:03} |", n / 1000, n % 1000)
    };
    let parts = ["ring 0", "ring 0 in kernel/", "spine", "ring 1", "library", "cli/"];
    let row: String = parts.map(cell).concat();
    println!("|{row}");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("|{row}")), "README.md does not have: |{row}");
}
