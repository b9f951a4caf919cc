//! Words and phrases that must not come back: names of our own where the field has a term, and riddles where
//! plain English has a sentence. They are looked for in the sources, the specification and the pages.

use crate::support::files_below;
use regex_lite::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// A pattern, what to write instead, and phrases in which the pattern is allowed.
const WORDS: &[(&str, &str, &[&str])] = &[
    (r"\brooms?\b", "module, space", &[]),
    (r"\bfloors?\b", "layer, ring", &[]),
    (r"\bdoors?\b", "host service, network", &["door-"]),
    (r"\bmatters?\b", "call, subject; is irrelevant", &[]),
    (r"\bgone\b", "removed, missing, closed", &[]),
    (r"\btold\b", "reports, passes, is given", &[]),
    (r"\bmend(s|ed|ing)?\b", "fix, repair", &[]),
    (r"\banew\b|\bonce more\b", "again", &[]),
    (r"\bmeanwhile\b", "concurrently", &[]),
    (r"\b(held|hold|holds) against\b", "checked against", &[]),
    (
        r"\b(somebody|nobody|whoever|somewhere)\b",
        "the role: caller, signer, operator, no approver",
        &[],
    ),
    (r"\bwhatever\b|\bperhaps\b", "any; optionally", &[]),
    (
        r"\b(person|people|their|its|own|kept|a|of)('s)? (word|yes)\b",
        "approval",
        &["a word of", "a word in"],
    ),
    (r"\b(is|are) none\b", "does not exist, if absent", &[]),
    (
        r"\b(is|are) no [a-z]+",
        "is not a",
        &[
            "there is no ",
            "there are no ",
            "is no longer",
            "are no longer",
            "is no more than",
            "are no more than",
        ],
    ),
    (r"\bstands?\b", "is, appears, is stored, represents", &[]),
    (r"\bcarr(y|ies|ied|ying) out\b", "apply, commit, run", &[]),
    (r"\bin one step\b|\bwhole or not at all\b", "atomically", &[]),
    (r"\btime (is|was) over\b|\bout of its time\b", "expired, timed out", &[]),
    (r"\bbut for\b|\bless what\b", "except", &[]),
    (r"\bfor ever\b|\bfor good\b", "permanently, without end", &[]),
    (r"\bso (long|many|much|deep)\b", "that many, the given number of", &[]),
    (r"\bas it (is|stands|was|came)\b", "unmodified, verbatim", &[]),
    (r"\blook(s|ed|ing)? at\b", "read, check, inspect", &[]),
    (r"\bmay not\b", "must not", &[]),
    (r"\bcan't\b", "cannot", &[]),
    // A member of `mpp new --json`.
    (r"\bfolders?\b", "directory", &[]),
    (r"\blicences?\b|\bcatalogues?\b", "American spelling: license, catalog", &[]),
    (r"\bothers have rights\b", "permissions", &[]),
    (r"\bsays so\b", "states it", &[]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn no_word_of_the_list_is_in_the_sources_the_specification_or_the_pages() {
    let mut paths: Vec<PathBuf> =
        ["README.md", "SECURITY.md", "CHANGELOG.md", "conformance/runner/PROTOCOL.md"]
            .map(|it| root().join(it))
            .into();
    paths.extend(files_below(&root().join("src"), "rs"));
    paths.extend(files_below(&root().join("conformance/runner/src"), "rs"));
    paths.extend(files_below(&root().join("spec"), "md"));
    // It has the ids of cases, which never change.
    paths.retain(|path| !path.ends_with("TRACE.md"));
    let list: Vec<_> = WORDS
        .iter()
        .map(|(word, better, allowed)| {
            (Regex::new(&format!("(?i){word}")).unwrap(), better, allowed)
        })
        .collect();
    let mut found = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            // A table of words that people write beside personal data.
            if line.starts_with("    (Hints::") && name.ends_with("context_words.rs") {
                continue;
            }
            for (word, better, allowed) in &list {
                let text =
                    allowed.iter().fold(line.to_lowercase(), |text, it| text.replace(it, ""));
                if let Some(hit) = word.find(&text) {
                    found.push(format!("{name}:{}: {:?}: {better}", number + 1, hit.as_str()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} places:\n{}", found.len(), found.join("\n"));
}
