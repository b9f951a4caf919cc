//! One call of a tool through the whole pipeline, on a host of its own.

use super::Case;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver, Runtime, ToolCall};
use mpp::{CancelFlag, Error, PermissionPolicy};
use serde_json::{json, Value};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// Agrees or declines, or is not there.
struct Scripted<'a>(&'a str);

impl Approver for Scripted<'_> {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        match self.0 {
            "agrees" => ApprovalDecision::ApprovedOnce("the case".to_owned()),
            "declines" => ApprovalDecision::Denied,
            _ => ApprovalDecision::NoApprover,
        }
    }
}

/// A new directory that is removed at the end.
struct Home(PathBuf);

static HOMES: AtomicU32 = AtomicU32::new(0);

impl Home {
    fn new() -> Self {
        let number = HOMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("mpp-conform-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory for temporary files");
        Home(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn run(case: &Case<'_>) -> Result<Value, Error> {
    let home = Home::new();
    fs::write(home.0.join("trust.json"), case.file("trust")).expect("a home to write to");
    let policy = match case.input.get("policy") {
        Some(policy) => PermissionPolicy::from_json(policy.to_string().as_bytes())?,
        None => PermissionPolicy::new(),
    };
    let mut arguments = case.input["arguments"].clone();
    if let Some(fill) = case.input.get("fill") {
        let letters = fill["letters"].as_u64().and_then(|count| usize::try_from(count).ok());
        let member = fill["member"].as_str().expect("a name");
        arguments[member] = "x".repeat(letters.expect("a count")).into();
    }
    let call = ToolCall::new(case.text("tool"), arguments);
    let person = Scripted(case.optional_text("person").unwrap_or("nobody"));
    let runtime = Runtime::open(&home.0, policy)?;
    let answer = runtime.call(&case.package(), &call, &person, &CancelFlag::default())?;
    let mut shown = json!({ "content": answer.content, "is_error": answer.is_error });
    if let Some(structured) = answer.structured_content {
        shown["structured_content"] = structured;
    }
    Ok(shown)
}
