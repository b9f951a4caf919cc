//! The cases, and the profile that each belongs to.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    pub op: String,
    pub check: Option<u64>,
    pub title: String,
    #[serde(default)]
    pub needs: Vec<String>,
    /// As the file has it: a number or the order of members must not change on the way.
    pub input: Box<RawValue>,
    pub expect: Expect,
}

#[derive(Deserialize)]
pub struct Expect {
    pub verdict: Expected,
    pub check: Option<u64>,
    #[serde(default)]
    pub codes: Vec<String>,
    #[serde(default)]
    pub answer: Map<String, Value>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    Accept,
    Refuse,
    Either,
}

/// `suite.json`.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: String,
    cases: usize,
    digest: String,
}

pub struct Suite {
    pub version: String,
    pub digest: String,
    pub cases: Vec<Case>,
}

impl Suite {
    /// Reads all cases below `vectors`, in the order of their ids.
    pub fn read(vectors: &Path) -> Result<Suite, String> {
        let head: Head = parse(&vectors.join("suite.json"))?;
        if head.format != "mpp-vectors/1" {
            return Err(format!("{}: format {}", vectors.display(), head.format));
        }
        let mut paths = Vec::new();
        json_files(vectors, &mut paths)?;
        let mut cases = Vec::new();
        for path in paths {
            let name = path.strip_prefix(vectors).unwrap_or(&path).with_extension("");
            let id = name.to_string_lossy().replace('\\', "/");
            // Files that cases name are JSON too, such as trust stores; none of them has the id of a case.
            cases.extend(parse::<Case>(&path).ok().filter(|case| case.id == id));
        }
        if cases.len() != head.cases {
            return Err(format!("{} cases, but suite.json counts {}", cases.len(), head.cases));
        }
        cases.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(Suite { version: head.version, digest: head.digest, cases })
    }
}

fn parse<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, String> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{shown}: {error}"))
}

fn json_files(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let shown = directory.display();
    let items = fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))?;
    for item in items {
        let path = item.map_err(|error| format!("{shown}: {error}"))?.path();
        if path.is_dir() {
            json_files(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}

/// `conformance/profiles.json`: each profile has the operations and features of those before it.
#[derive(Deserialize)]
pub struct Profiles {
    profiles: Vec<Profile>,
    operations: BTreeMap<String, Part>,
    features: BTreeMap<String, Part>,
}

#[derive(Deserialize)]
struct Profile {
    name: String,
}

/// An operation or a feature, with the first profile that has it.
#[derive(Deserialize)]
struct Part {
    profile: String,
    about: String,
}

impl Profiles {
    pub fn new() -> Self {
        serde_json::from_str(include_str!("../../profiles.json")).expect("profiles.json is valid")
    }

    pub fn names(&self) -> Vec<&str> {
        self.profiles.iter().map(|profile| profile.name.as_str()).collect()
    }

    /// What an operation is about; an empty text for one that the table does not list.
    pub fn about(&self, op: &str) -> &str {
        self.operations.get(op).map_or("", |part| &part.about)
    }

    /// Does the profile have this case? What the table does not list is in the last profile only.
    pub fn has(&self, profile: &str, case: &Case) -> bool {
        let names = self.names();
        let place = |name: &str| names.iter().position(|it| *it == name);
        let first = |part: Option<&Part>| {
            part.and_then(|part| place(&part.profile)).unwrap_or(names.len() - 1)
        };
        let features = case.needs.iter().map(|name| first(self.features.get(name)));
        let needed = features.fold(first(self.operations.get(&case.op)), usize::max);
        place(profile).is_some_and(|asked| needed <= asked)
    }
}

/// Is `text` like `pattern`, in which `*` is any text?
pub fn is_like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for pattern in ["key/*", "*", "key/accept-a", "*accept*", "k*-a", "key/accept-a*"] {
            assert!(is_like(pattern, "key/accept-a"), "{pattern}");
        }
        for pattern in ["key", "key/", "*accept", "key/accept-a*a", "x*", "", "*a*a*a*a"] {
            assert!(!is_like(pattern, "key/accept-a"), "{pattern}");
        }
    }

    #[test]
    fn each_profile_has_the_cases_of_those_before_it() {
        let case = |op: &str, needs: &str| -> Case {
            let text = format!(
                r#"{{"id":"a","op":"{op}","title":"","needs":[{needs}],"input":{{}},"expect":{{"verdict":"accept"}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let profiles = Profiles::new();
        for (op, needs, first) in [
            ("verify", "", 0),
            ("verify", r#""module-bodies""#, 1),
            ("filter", r#""patterns""#, 1),
            ("run", r#""patterns","network""#, 2),
            ("of-a-later-version", "", 2),
        ] {
            let has = profiles
                .names()
                .iter()
                .map(|name| profiles.has(name, &case(op, needs)))
                .collect::<Vec<_>>();
            let expected: Vec<bool> = (0..3).map(|place| place >= first).collect();
            assert_eq!(has, expected, "{op} {needs}");
        }
    }
}
