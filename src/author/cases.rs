//! The cases of `tests.json`: what a tool answers to a call, and whether that is what the author expects.

use super::dev::{Called, Session};
use mpp::limits::{REQUEST_BYTES_MAX, REQUEST_DEPTH_MAX};
use mpp::package::manifest::Protocol;
use mpp::{Code, Error};
use serde_json::{json, Value};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The file in the project's directory.
pub const FILE_NAME: &str = "tests.json";
/// Bytes of stdout that are shown if it is not an answer.
const STDOUT_BYTES_SHOWN: usize = 200;
const STDERR_CHARS_SHOWN: usize = 2_000;
/// A longer text is not compared line by line.
const DIFF_LINES_MAX: usize = 400;
const MEMBERS: [&str; 10] = [
    "package",
    "title",
    "params",
    "request",
    "web",
    "isError",
    "structuredContent",
    "text",
    "textContains",
    "errorCode",
];

/// Reads the cases of a project; `None` without the file.
pub fn read(project: &Path) -> Result<Option<Vec<Value>>, Error> {
    let path = project.join(FILE_NAME);
    let failed = |what: String| Error::new(Code::Usage, format!("{}: {what}", path.display()));
    match path.metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
        // Opening a FIFO would wait for a writer.
        Ok(found) if !found.is_file() => return Err(failed("is not a file".to_owned())),
        Ok(_) => {}
    }
    let bytes_max = u64::try_from(REQUEST_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| failed(error.to_string()))?;
    if bytes.len() > REQUEST_BYTES_MAX {
        return Err(failed(format!("longer than {bytes_max} bytes")));
    }
    let document = mpp::json::parse(&bytes, REQUEST_DEPTH_MAX)
        .map_err(|error| failed(format!("is not JSON: {error}")))?;
    let Value::Array(cases) = document else {
        return Err(failed("is not a list of cases".to_owned()));
    };
    for (number, case) in cases.iter().enumerate() {
        check_form(case)
            .map_err(|what| failed(format!("case {}: {what}", number.saturating_add(1))))?;
    }
    Ok(Some(cases))
}

/// A misspelled member would be an expectation that nothing checks.
fn check_form(case: &Value) -> Result<(), String> {
    let members = case.as_object().ok_or("is not an object")?;
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("unknown member {name:?}"));
    }
    let is_text = |name: &str| case.get(name).is_none_or(Value::is_string);
    if let Some(name) =
        ["title", "request", "text", "textContains"].into_iter().find(|it| !is_text(it))
    {
        return Err(format!("`{name}` is not a text"));
    }
    if case.get("web").is_some_and(|it| !it.is_object()) {
        return Err("`web` is not an object".to_owned());
    }
    if case.get("isError").is_some_and(|it| !it.is_boolean()) {
        return Err("`isError` is neither true nor false".to_owned());
    }
    let has_name = case.pointer("/params/name").is_some_and(Value::is_string);
    match has_name || case.get("request").is_some() {
        true => Ok(()),
        false => Err("neither `params` with the `name` of a tool nor `request`".to_owned()),
    }
}

/// What a case or a single call did.
pub struct Outcome {
    pub title: String,
    /// Why it failed: lines, of which those of a difference begin with `-` or `+`.
    pub fault: Option<String>,
    /// What a host would do besides.
    pub note: Option<String>,
    pub is_error: bool,
    /// What the agent would receive.
    pub answer: Value,
    /// The start of stdout, if it is not an answer.
    pub stdout: Option<String>,
    pub stderr: String,
    pub fuel_used: u64,
    pub duration_ms: u128,
    pub redacted: Value,
}

impl Outcome {
    pub fn to_json(&self) -> Value {
        let content = self.answer.get("content").cloned().unwrap_or_default();
        let structured = self.answer.get("structuredContent").cloned().unwrap_or_default();
        let duration_ms = u64::try_from(self.duration_ms).unwrap_or(u64::MAX);
        json!({
            "title": self.title, "passed": self.fault.is_none(), "fault": self.fault,
            "note": self.note, "isError": self.is_error, "content": content,
            "structuredContent": structured, "stdout": self.stdout, "stderr": self.stderr,
            "fuel_used": self.fuel_used, "duration_ms": duration_ms, "redacted": self.redacted,
        })
    }

    fn failed(title: String, fault: String) -> Self {
        Outcome {
            title,
            fault: Some(fault),
            note: None,
            is_error: false,
            answer: Value::Null,
            stdout: None,
            stderr: String::new(),
            fuel_used: 0,
            duration_ms: 0,
            redacted: json!({}),
        }
    }

    fn of(title: String, called: Called, fault: Option<String>) -> Self {
        let Called { run, refused, result, filtered, redacted } = called;
        let start = run.stdout.get(..STDOUT_BYTES_SHOWN).unwrap_or(&run.stdout);
        let stdout = match &result {
            Err(_) if !start.is_empty() => Some(String::from_utf8_lossy(start).into_owned()),
            _ => None,
        };
        let stderr = String::from_utf8_lossy(&run.stderr);
        let left_out = stderr.chars().count().saturating_sub(STDERR_CHARS_SHOWN);
        Outcome {
            title,
            fault,
            note: refused
                .map(|why| format!("a host refuses this call before the tool runs: {why}")),
            is_error: result.is_ok_and(|result| result.is_error),
            answer: filtered,
            stdout,
            stderr: stderr.chars().skip(left_out).collect(),
            fuel_used: run.fuel_used,
            duration_ms: run.duration.as_millis(),
            redacted,
        }
    }
}

/// Runs one case.
pub fn run(session: &Session, case: &Value) -> Outcome {
    let name = case.pointer("/params/name").and_then(Value::as_str).unwrap_or_default();
    let title = case.get("title").and_then(Value::as_str).unwrap_or(name).to_owned();
    let called = match case.get("request").and_then(Value::as_str) {
        Some(request) => session.call_raw(request),
        None => {
            let arguments = case.pointer("/params/arguments").cloned().unwrap_or(json!({}));
            session.call(name, &arguments)
        }
    };
    match called {
        Ok(called) => {
            let fault = fault(case, &called, session.protocol());
            Outcome::of(title, called, fault)
        }
        Err(error) => Outcome::failed(title, failure(&error)),
    }
}

/// Runs one call, which passes if there is an answer.
pub fn call(session: &Session, tool: &str, arguments: &Value) -> Outcome {
    match session.call(tool, arguments) {
        Ok(called) => {
            let fault = called.result.as_ref().err().map(failure);
            Outcome::of(tool.to_owned(), called, fault)
        }
        Err(error) => Outcome::failed(tool.to_owned(), failure(&error)),
    }
}

fn failure(error: &Error) -> String {
    format!("{}: {}\nhelp: {}", error.code(), error.detail(), error.code().remedy())
}

/// Says in what an answer differs from what the case expects.
fn fault(case: &Value, called: &Called, protocol: Protocol) -> Option<String> {
    if let Some(expected) = case.get("errorCode") {
        let found = error_code(&called.run.stdout);
        return (found.as_ref() != Some(expected)).then(|| {
            let found = found.map_or("no error response".to_owned(), |code| code.to_string());
            difference("errorCode", &expected.to_string(), &found)
        });
    }
    let result = match &called.result {
        Ok(result) => result,
        Err(error) => return Some(failure(error)),
    };
    let text = result.content.pointer("/0/text").and_then(Value::as_str).unwrap_or_default();
    let expected = case.get("isError").and_then(Value::as_bool).unwrap_or(false);
    if result.is_error != expected {
        let found = format!("{}\n{text}", result.is_error);
        return Some(difference("isError", &expected.to_string(), &found));
    }
    if protocol != Protocol::Command && result.is_error && result.structured_content.is_some() {
        return Some("a failure has structured content, which agents do not expect".to_owned());
    }
    let structured = result.structured_content.clone().unwrap_or_default();
    if let Some(expected) = case.get("structuredContent").filter(|it| **it != structured) {
        return Some(difference("structuredContent", &pretty(expected), &pretty(&structured)));
    }
    let wanted = |name: &str| case.get(name).and_then(Value::as_str);
    if let Some(expected) = wanted("text").filter(|expected| *expected != text) {
        return Some(difference("text", expected, text));
    }
    let missing = wanted("textContains").filter(|expected| !text.contains(expected))?;
    Some(difference("textContains", missing, text))
}

/// The code of the error response on stdout, which may follow others.
fn error_code(stdout: &[u8]) -> Option<Value> {
    let code = |text: &[u8]| {
        let answer: Value = serde_json::from_slice(text).ok()?;
        answer.pointer("/error/code").cloned()
    };
    code(stdout).or_else(|| stdout.split(|byte| *byte == b'\n').find_map(code))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Formats both texts line by line: `-` was expected, `+` was found.
fn difference(what: &str, expected: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let mut out = format!("{what}: - expected, + found");
    let mut line = |mark: char, text: &str| {
        out.push('\n');
        out.push(mark);
        out.push(' ');
        out.push_str(text);
    };
    if old.len() > DIFF_LINES_MAX || new.len() > DIFF_LINES_MAX {
        let at = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        line(' ', &format!("the first {at} lines are equal"));
        line('-', old.get(at).copied().unwrap_or_default());
        line('+', new.get(at).copied().unwrap_or_default());
        return out;
    }
    let common = common_lengths(&old, &new);
    let length = |at: usize, to: usize| {
        common.get(at).and_then(|row| row.get(to)).copied().unwrap_or_default()
    };
    let (mut at, mut to) = (0, 0);
    loop {
        match (old.get(at), new.get(to)) {
            (None, None) => return out,
            (Some(old), Some(new)) if old == new => {
                line(' ', old);
                (at, to) = (at.saturating_add(1), to.saturating_add(1));
            }
            (Some(old), new)
                if new.is_none()
                    || length(at.saturating_add(1), to) >= length(at, to.saturating_add(1)) =>
            {
                line('-', old);
                at = at.saturating_add(1);
            }
            (_, new) => {
                line('+', new.copied().unwrap_or_default());
                to = to.saturating_add(1);
            }
        }
    }
}

/// The length of the longest common subsequence of the lines from each pair of positions.
fn common_lengths(old: &[&str], new: &[&str]) -> Vec<Vec<usize>> {
    let mut below = vec![0_usize; new.len().saturating_add(1)];
    let mut table = vec![below.clone()];
    for old in old.iter().rev() {
        let mut row = vec![0_usize];
        for (at, new) in new.iter().enumerate().rev() {
            let get = |at: usize| below.get(at).copied().unwrap_or_default();
            let beside = row.last().copied().unwrap_or_default();
            row.push(match old == new {
                true => get(at.saturating_add(1)).saturating_add(1),
                false => get(at).max(beside),
            });
        }
        row.reverse();
        below.clone_from(&row);
        table.push(row);
    }
    table.reverse();
    table
}
