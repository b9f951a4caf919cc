//! What this project answers to one conformance case: the operation, run on its input. The tests and the adapter share it.

mod call;
pub mod files;
mod filter;

use mpp::Error;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The operations that this project has, in the order of conformance/README.md.
pub const OPERATIONS: [&str; 7] = ["verify", "key", "trust", "policy", "storage", "run", "filter"];

/// The features of `runner/PROTOCOL.md` that this project has.
pub const FEATURES: [&str; 4] = ["module-bodies", "patterns", "files", "network"];

/// One case as an implementation sees it: what to do and with what, not what is expected.
pub struct Case<'a> {
    /// The directory to which paths in `input` are relative.
    pub vectors: &'a Path,
    pub op: &'a str,
    pub input: &'a Value,
}

/// An accepted case can have an answer, a refused one has an error.
pub type Outcome = Result<Option<Value>, Error>;

impl Case<'_> {
    /// Runs the operation; `None` if this project has none of that name.
    pub fn run(&self) -> Option<Outcome> {
        Some(match self.op {
            "verify" => files::verify(self).map(|()| None),
            "key" => files::key(self).map(|()| None),
            "trust" => files::trust(self).map(|()| None),
            "policy" => files::policy(self).map(|()| None),
            "storage" => files::storage(self).map(|()| None),
            "run" => call::run(self).map(Some),
            "filter" => filter::filter(self).map(Some),
            _ => return None,
        })
    }

    fn text(&self, member: &str) -> &str {
        self.optional_text(member).unwrap_or_else(|| panic!("the case has no text `{member}`"))
    }

    fn optional_text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    fn path(&self, member: &str) -> PathBuf {
        self.vectors.join(self.text(member))
    }

    fn file(&self, member: &str) -> Vec<u8> {
        let path = self.path(member);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The package: a file, or parts that are repeated.
    fn package(&self) -> Vec<u8> {
        let Some(parts) = self.input.get("package").and_then(Value::as_array) else {
            return self.file("package");
        };
        let parts = parts.iter().map(|part| {
            let times = part["times"].as_u64().unwrap_or(1);
            unhex(part["hex"].as_str().expect("a text")).repeat(times.try_into().expect("a count"))
        });
        parts.collect::<Vec<_>>().concat()
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs
        .map(|pair| u8::from_str_radix(pair.expect("ASCII"), 16).expect("hexadecimal digits"))
        .collect()
}
