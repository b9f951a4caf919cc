//! This project's side of the conformance protocol: cases as JSON lines on stdin, answers on stdout.
//!
//! `mpp-conform --exec 'target/debug/examples/conform_adapter'` drives it; `conformance/runner/PROTOCOL.md` has the messages.

mod operations;

use operations::{Case, Outcome, FEATURES, OPERATIONS};
use serde_json::{json, Value};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let mut vectors = PathBuf::new();
    for line in io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        let answer = match message["type"].as_str() {
            Some("hello") => {
                vectors = PathBuf::from(message["vectors"].as_str().unwrap_or_default());
                json!({
                    "type": "hello", "protocol": "mpp-conform/1", "name": "mpp", "version": env!("CARGO_PKG_VERSION"),
                    "operations": OPERATIONS, "features": FEATURES,
                })
            }
            Some("case") => answer(&vectors, &message),
            Some("stop") => return Ok(()),
            _ => return Err(io::Error::other("a message of unknown type")),
        };
        let mut output = io::stdout().lock();
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

fn answer(vectors: &std::path::Path, message: &Value) -> Value {
    let op = message["op"].as_str().unwrap_or_default();
    let mut answer = match (Case { vectors, op, input: &message["input"] }).run() {
        Some(outcome) => response(&outcome),
        None => json!({ "skipped": format!("no operation {op}") }),
    };
    answer["id"] = message["id"].clone();
    answer
}

/// The check of the Gatekeeper that a code belongs to, if any.
fn check(code: &str) -> Option<u64> {
    let stages =
        ["archive", "structure", "content", "signature", "publisher", "manifest", "module"];
    let stage = code.split('.').next()?;
    let place = stages.iter().position(|known| *known == stage)?;
    u64::try_from(place + 1).ok()
}

/// The answer in the form of the protocol: `PROTOCOL.md` of the runner.
fn response(outcome: &Outcome) -> Value {
    match outcome {
        Ok(None) => json!({ "verdict": "accept" }),
        Ok(Some(answer)) => json!({ "verdict": "accept", "answer": answer }),
        Err(error) => {
            let code = error.code().as_str();
            let mut response = json!({ "verdict": "refuse", "code": code });
            if let Some(check) = check(code) {
                response["check"] = check.into();
            }
            response
        }
    }
}
