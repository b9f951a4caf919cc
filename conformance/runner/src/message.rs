//! The messages of `PROTOCOL.md`.

use crate::suite::Case;
use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};
use std::path::Path;

pub const PROTOCOL: &str = "mpp-conform/1";

/// A line has at most this number of bytes.
pub const LINE_BYTES_MAX: u64 = 16_000_000;

pub fn hello(vectors: &Path) -> String {
    json!({ "type": "hello", "protocol": PROTOCOL, "vectors": vectors.to_string_lossy() })
        .to_string()
}

/// The case without what is expected, and with a number instead of its name, which can say it.
pub fn case(number: u64, case: &Case) -> String {
    // A line feed cannot be inside of a JSON string.
    let input = case.input.get().replace(['\n', '\r'], " ");
    format!(r#"{{"type":"case","id":{number},"op":{},"input":{input}}}"#, json!(case.op))
}

pub fn stop() -> String {
    json!({ "type": "stop" }).to_string()
}

/// What the adapter says about itself.
#[derive(Clone, Deserialize, Serialize)]
pub struct Implementation {
    pub name: String,
    pub version: String,
    pub operations: Vec<String>,
    pub features: Vec<String>,
}

impl Implementation {
    pub fn read(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if value["type"] != "hello" || value["protocol"] != PROTOCOL {
            return Err(format!("the first answer is not a hello of {PROTOCOL}"));
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

/// An answer to a case.
#[derive(Debug)]
pub enum Answer {
    Accept(Map<String, Value>),
    Refuse { check: Option<u64>, code: Option<String> },
    Skipped(String),
}

#[derive(Deserialize)]
struct Members {
    id: u64,
    verdict: Option<String>,
    check: Option<u64>,
    code: Option<String>,
    answer: Option<Map<String, Value>>,
    skipped: Option<String>,
}

impl Answer {
    /// Reads an answer and the number of its case.
    pub fn read(line: &str) -> Result<(u64, Answer), String> {
        let all: Members = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let answer = match (all.verdict.as_deref(), all.skipped) {
            (Some("accept"), None) => Answer::Accept(all.answer.unwrap_or_default()),
            (Some("refuse"), None) => Answer::Refuse { check: all.check, code: all.code },
            (None, Some(reason)) => Answer::Skipped(reason),
            (Some(_), None) => return Err("a verdict is accept or refuse".to_owned()),
            _ => return Err("one of verdict and skipped is needed".to_owned()),
        };
        Ok((all.id, answer))
    }
}
