//! What this project answers to one conformance case: the operation, run on its input. The tests and the adapter share it.

mod audit;
mod call;
mod call_effects;
mod decide;
mod exchange;
pub mod files;
mod filter;
mod home;
mod mcp;
pub mod memory;
mod organisation;
mod store;

use mpp::Error;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// The operations that this project has, in the order of conformance/README.md.
pub const OPERATIONS: [&str; 16] = [
    "verify", "key", "trust", "policy", "storage", "run", "call", "decide", "filter", "audit",
    "record", "store", "mcp", "exchange", "rotate", "bundle",
];

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
            "call" => call_effects::run(self).map(Some),
            "decide" => decide::decide(self).map(Some),
            "filter" => filter::filter(self).map(Some),
            "audit" => audit::audit(self).map(Some),
            "record" => audit::record(self).map(Some),
            "store" => store::store(self).map(Some),
            "mcp" => mcp::mcp(self).map(Some),
            "rotate" => organisation::rotate(self).map(Some),
            "bundle" => organisation::bundle(self).map(Some),
            "exchange" => exchange::exchange(self).map(Some),
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

    fn package(&self) -> Vec<u8> {
        self.bytes("package")
    }

    /// The content of a member: a file, or parts that are repeated.
    fn bytes(&self, member: &str) -> Vec<u8> {
        let parts = self.input.get(member).and_then(Value::as_array);
        parts.map_or_else(|| self.file(member), |parts| join(parts))
    }
}

/// The content of a file that the case has within: a text, or parts that are repeated.
fn content(value: &Value) -> Vec<u8> {
    let parts = value.as_array();
    parts.map_or_else(|| value.as_str().expect("a text").as_bytes().to_vec(), |parts| join(parts))
}

/// Bytes from parts that are repeated.
fn join(parts: &[Value]) -> Vec<u8> {
    let parts = parts.iter().map(|part| {
        let times = part["times"].as_u64().unwrap_or(1);
        unhex(part["hex"].as_str().expect("a text")).repeat(times.try_into().expect("a count"))
    });
    parts.collect::<Vec<_>>().concat()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    pairs
        .map(|pair| u8::from_str_radix(pair.expect("ASCII"), 16).expect("hexadecimal digits"))
        .collect()
}
