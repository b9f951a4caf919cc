//! Spec, code and vectors agree: every normative sentence has its line, every table its source, and the tree
//! follows the house rules that a machine can check.

use mpp::{limits, Code};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// `[ZIP-07]` anywhere in a line; the digits are at least two.
fn ids(line: &str) -> Vec<String> {
    line.split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']').map(|(id, _)| id))
        .filter(|id| {
            let Some((family, number)) = id.split_once('-') else { return false };
            family.len() >= 3
                && family.bytes().all(|b| b.is_ascii_uppercase())
                && number.len() >= 2
                && number.bytes().all(|b| b.is_ascii_digit())
        })
        .map(str::to_owned)
        .collect()
}

/// Id to its sentence. A definition is a list item or a table row that begins with the id, or rows of a JSON
/// file with it as their `id`.
fn defined() -> BTreeMap<String, String> {
    let mut sentences = BTreeMap::new();
    for (_, text) in files("spec", "json") {
        sentences.extend(ids_of_rows(&text).map(|id| (id.to_owned(), String::new())));
    }
    for (path, text) in files("spec", "md") {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            // A list item, numbered or not, a table row, or a paragraph.
            let start = line.trim_start_matches(|c: char| "-|. ".contains(c) || c.is_ascii_digit());
            let Some(rest) = start.strip_prefix('[') else { continue };
            let Some(id) = ids(&format!("[{rest}")).into_iter().next() else { continue };
            let mut sentence = line.to_owned();
            let goes_on = |next: &&str| !next.is_empty() && ids(next).is_empty();
            while let Some(more) = lines.next_if(goes_on) {
                sentence.push_str(more);
            }
            let twice = sentences.insert(id.clone(), sentence).is_some();
            assert!(!twice, "{id} is defined twice, the second time in {}", path.display());
        }
    }
    sentences
}

/// The members `id` of a JSON file with a row a line.
pub fn ids_of_rows(text: &str) -> impl Iterator<Item = &str> {
    let rows = text.lines().filter_map(|line| line.trim_start().strip_prefix("{ \"id\": \""));
    rows.filter_map(|row| row.split('"').next())
}

fn used_in_source() -> BTreeMap<String, String> {
    let mut places = BTreeMap::new();
    for (path, text) in files("src", "rs") {
        for (number, line) in text.lines().enumerate() {
            if !line.contains("//") && !path.ends_with("limits.rs") {
                continue;
            }
            for id in ids(line) {
                let shown = path.strip_prefix(root()).unwrap().display();
                places.entry(id).or_insert_with(|| format!("{shown}:{}", number + 1));
            }
        }
    }
    for (_, _, id, _) in limits::ALL {
        places.insert((*id).to_owned(), "src/kernel/limits.rs".to_owned());
    }
    places
}

#[test]
fn every_normative_sentence_has_its_line_of_code_and_every_id_its_sentence() {
    let (sentences, places) = (defined(), used_in_source());
    let mut faults = Vec::new();
    for (id, sentence) in &sentences {
        let exempt = sentence.trim_end().trim_end_matches(" |").ends_with("(by type)")
            || sentence.trim_end().trim_end_matches(" |").ends_with("(host duty)");
        if !exempt && !places.contains_key(id) {
            faults.push(format!("{id} has no line of code"));
        }
    }
    for (id, place) in &places {
        if !sentences.contains_key(id) {
            faults.push(format!("{id} at {place} is in no spec page"));
        }
    }
    assert!(sentences.len() > 100, "only {} sentences found", sentences.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Id to the cases that name it, in the order of their ids.
fn shown_by_vectors() -> BTreeMap<String, Vec<String>> {
    let mut shown = BTreeMap::<String, Vec<String>>::new();
    for case in crate::vectors::cases() {
        for id in case.list("/spec") {
            shown.entry(id.to_owned()).or_default().push(case.id.clone());
        }
    }
    shown
}

/// Why the other sentences have no vector.
const WITHOUT_VECTOR: &str = "conformance/without_vector.json";

#[test]
fn every_normative_sentence_has_a_vector_or_the_reason_why_not() {
    let (sentences, shown) = (defined(), shown_by_vectors());
    let text = fs::read_to_string(root().join(WITHOUT_VECTOR)).unwrap();
    // As text, since a reader of JSON would accept a row that occurs twice.
    let rows: Vec<&str> =
        text.lines().map(|line| line.trim_end_matches(',')).filter(|line| line.len() > 1).collect();
    let ids: Vec<&str> = rows.iter().map(|row| row.split('"').nth(1).unwrap_or_default()).collect();
    let mut faults = Vec::new();
    if !ids.windows(2).all(|pair| pair[0] < pair[1]) {
        faults.push(format!("{WITHOUT_VECTOR} is not sorted, or has a row twice"));
    }
    let reasons: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    assert_eq!(ids, reasons.keys().collect::<Vec<_>>(), "{WITHOUT_VECTOR}: one row a line");
    for (id, reason) in &reasons {
        if !sentences.contains_key(id) {
            faults.push(format!("{WITHOUT_VECTOR}: {id} is in no spec page"));
        }
        if reason.split(' ').count() < 3 || reason.contains("to come") {
            faults.push(format!("{WITHOUT_VECTOR}: {id} has no reason"));
        }
        for file in reason.split(' ').filter(|text| text.starts_with("conformance/")) {
            let file = file.trim_end_matches([',', '.', ':']);
            if !root().join(file).is_file() {
                faults.push(format!("{WITHOUT_VECTOR}: {id} names {file}, which does not exist"));
            }
        }
    }
    for id in sentences.keys() {
        match (shown.get(id), reasons.contains_key(id)) {
            (None, false) => faults.push(format!("{id} has no vector and no reason why not")),
            (Some(cases), true) => faults.push(format!("{id} has a reason, and {}", cases[0])),
            _ => {}
        }
    }
    for (id, cases) in &shown {
        if !sentences.contains_key(id) {
            faults.push(format!("{} names {id}, which is in no page", cases[0]));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_page_of_traces_is_what_sources_and_vectors_say() {
    let (places, shown) = (used_in_source(), shown_by_vectors());
    let mut page = String::from(
        "# Traces\n\nGenerated; a test compares. For each sentence: the first file in `src/` that names it, the first \
         case in\n`conformance/vectors/`, and the number of cases. What has no case is in \
         `conformance/without_vector.json`.\n\n```text\n",
    );
    for id in defined().keys() {
        let place = places.get(id).map_or("-", |place| place.split(':').next().unwrap());
        let place = place.trim_start_matches("src/");
        let cases = shown.get(id).map(|cases| format!("{} {}", cases[0], cases.len()));
        page.push_str(&format!("{id} {place} {}\n", cases.as_deref().unwrap_or("-")));
    }
    page.push_str("```\n");
    compare_page("spec/TRACE.md", &page);
}

/// Compares a generated table with a page; `MPP_BLESS=1` writes it.
fn compare_page(page: &str, expected: &str) {
    let path = root().join(page);
    let found = fs::read_to_string(&path).unwrap_or_default();
    if found != expected && std::env::var_os("MPP_BLESS").is_some() {
        fs::write(&path, expected).unwrap();
        return;
    }
    assert!(found == expected, "{page} is not what the source says; MPP_BLESS=1 rewrites it");
}

#[test]
fn the_page_of_limits_is_the_table_in_the_source() {
    let mut page = String::from(
        "# Limits\n\nGenerated from `src/kernel/limits.rs`. Sizes are bytes unless the name has another unit. \
         An implementation MUST refuse\nwhat goes beyond a limit, and MUST accept what does not.\n\n\
         id | name | value | reason\n---|---|---:|---\n",
    );
    for (name, value, id, reason) in limits::ALL {
        page.push_str(&format!("[{id}] | `{name}` | {value} | {reason}\n"));
    }
    compare_page("spec/limits.md", &page);
}

#[test]
fn the_page_of_reason_codes_is_the_table_in_the_source() {
    let mut page = String::from(
        "# Reason codes\n\nGenerated from `src/kernel/error.rs`. The part before the dot names the stage that \
         refused. The sections are the exit\nstatus of the command line.\n",
    );
    let exits = ["refused", "usage", "the tool failed", "the host failed"];
    for (exit, what) in (1..).zip(exits) {
        page.push_str(&format!("\n## {exit}: {what}\n\ncode | what to do\n---|---\n"));
        for code in Code::ALL.iter().filter(|code| code.class().exit_status() == exit) {
            page.push_str(&format!("`{}` | {}\n", code.as_str(), code.remedy()));
        }
    }
    compare_page("spec/codes.md", &page);
}

/// One step that a user can take, not only a page of the specification.
#[test]
fn each_remedy_is_one_line_that_begins_with_a_verb() {
    const VERBS: &[&str] = &[
        "add",
        "ask",
        "build",
        "call",
        "change",
        "check",
        "compare",
        "configure",
        "copy",
        "download",
        "evaluate",
        "fix",
        "free",
        "generate",
        "have",
        "increase",
        "link",
        "make",
        "map",
        "move",
        "pack",
        "pass",
        "read",
        "rebuild",
        "reduce",
        "remove",
        "rename",
        "report",
        "restore",
        "retry",
        "return",
        "run",
        "set",
        "sign",
        "use",
        "verify",
        "write",
    ];
    for code in Code::ALL {
        let remedy = code.remedy();
        let verb = remedy.split(' ').next().unwrap();
        assert!(VERBS.contains(&verb), "{}: {remedy}", code.as_str());
        assert!(remedy.chars().count() <= 110 && !remedy.contains('\n'), "{remedy}");
        assert!(!remedy.ends_with('.'), "{remedy}");
    }
}

#[test]
fn every_reason_code_is_raised_somewhere_and_no_two_are_spelled_alike() {
    let source: String = files("src", "rs")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("error.rs"))
        .map(|(_, text)| text)
        .collect();
    let mut spellings = BTreeSet::new();
    for code in Code::ALL {
        assert!(spellings.insert(code.as_str()), "{} is duplicated", code.as_str());
        assert!(source.contains(&format!("Code::{code:?}")), "{} is never raised", code.as_str());
    }
}

#[test]
fn the_direct_dependencies_are_the_seven_and_two_that_these_bring() {
    let cargo = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let section = cargo.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let mut names: Vec<_> =
        section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    names.sort_unstable();
    let allowed = [
        "argh",
        "ed25519-compact",
        "miniz_oxide",
        "regex-lite",
        "serde_core",
        "serde_json",
        "sha2",
        "wasmi",
        "wasmi_core",
    ];
    assert_eq!(names, allowed);
    let page = fs::read_to_string(root().join("spec/dependencies.md")).unwrap();
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in allowed {
        let row = page.lines().find(|line| line.starts_with(&format!("{name} | "))).unwrap();
        let entry = lock.split("[[package]]").find(|e| e.contains(&format!("name = \"{name}\"\n")));
        let checksum = entry.unwrap().split("checksum = \"").nth(1).unwrap();
        assert!(row.contains(&checksum[..16]), "{name}'s row has another checksum than Cargo.lock");
    }
}

#[test]
fn the_house_rules_that_a_machine_can_see_are_kept() {
    for (path, text) in files("src", "rs") {
        let shown = path.strip_prefix(root()).unwrap().display();
        assert!(text.starts_with("//!"), "{shown} does not say its purpose first");
        for (number, line) in text.lines().enumerate() {
            let at = format!("{shown}:{}", number + 1);
            assert!(!line.contains('\t'), "{at}: tab");
            // The tables have one row to a line, however long.
            let table = crate::sizes::TABLES.iter().any(|name| path.ends_with(name));
            let picture = line.starts_with("//! ") || shown.to_string().contains("tests");
            assert!(table || picture || line.chars().count() <= 120, "{at}: too wide");
            for word in ["TODO", "FIXME", "XXX", "HACK", "dbg!", "todo!", "unimplemented!"] {
                let in_example = table || line.trim_start().starts_with("///");
                assert!(!line.contains(word) || in_example, "{at}: {word}");
            }
        }
    }
}
