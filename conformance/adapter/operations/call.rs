//! One call of a tool through the whole pipeline, on a host of its own.

use super::home::Home;
use super::Case;
use mpp::agent::Agent;
use mpp::runtime::{ApprovalDecision, ApprovalRequest, Approver, Runtime, ToolCall};
use mpp::{CancelFlag, Error, PermissionPolicy};
use serde_json::{json, Value};

/// Agrees or declines, or is not there.
pub struct Scripted<'a>(pub &'a str);

impl Approver for Scripted<'_> {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        match self.0 {
            "agrees" => ApprovalDecision::ApprovedOnce("the case".to_owned()),
            "declines" => ApprovalDecision::Denied,
            _ => ApprovalDecision::NoApprover,
        }
    }
}

/// The policy of the case: an object without `format`, or what a host without a policy file has.
pub fn policy(case: &Case<'_>) -> Result<PermissionPolicy, Error> {
    match case.input.get("policy") {
        Some(policy) => PermissionPolicy::from_json(policy.to_string().as_bytes()),
        None => Ok(PermissionPolicy::new()),
    }
}

/// The call of the case.
pub fn tool_call(case: &Case<'_>) -> ToolCall {
    let mut arguments = case.input["arguments"].clone();
    if let Some(fill) = case.input.get("fill") {
        let letters = fill["letters"].as_u64().and_then(|count| usize::try_from(count).ok());
        let member = fill["member"].as_str().expect("a name");
        arguments[member] = "x".repeat(letters.expect("a count")).into();
    }
    let agent = case.optional_text("agent").and_then(|name| Agent::self_reported(name, None));
    let call = ToolCall::new(case.text("tool"), arguments).with_agent(agent);
    let mut call = call.with_traceparent(case.optional_text("traceparent"));
    call.listed_as = case.optional_text("listed_as").map(str::to_owned);
    call
}

pub fn run(case: &Case<'_>) -> Result<Value, Error> {
    let home = Home::new();
    home.write("trust.json", case.file("trust"));
    let person = Scripted(case.optional_text("person").unwrap_or("nobody"));
    let runtime = Runtime::open(&home.0, policy(case)?)?;
    let call = tool_call(case);
    let answer = runtime.call(&case.package(), &call, &person, &CancelFlag::default())?;
    let mut shown = json!({ "content": answer.content, "is_error": answer.is_error });
    if let Some(structured) = answer.structured_content {
        shown["structured_content"] = structured;
    }
    Ok(shown)
}
