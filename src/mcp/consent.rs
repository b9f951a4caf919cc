//! Room: how a person is asked on behalf of a server: by MCP elicitation through the agent's own program
//! where the policy allows that for the level, else by a question that waits for `mpp approve`.
//!
//! In the handshake revisions elicitation is a request of ours while the call waits. In the stateless one
//! the call is refused with `input_required` and comes again with the answer and our sealed state.

use super::{jsonrpc, lock, request_state, McpApprover};
use crate::host::approver::Approver;
use crate::host::pending::{PendingQueue, POLL_INTERVAL};
use crate::kernel::agent::Agent;
use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::error::Error;
use crate::kernel::text::is_hidden;
use crate::kernel::time::Timestamp;
use serde_json::{json, Value};
use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Name of our one input request.
const INPUT: &str = "consent";
/// Longest name of an agent in the name of who agreed, in characters.
const AGENT_CHARS_SHOWN: usize = 50;
/// Longest arguments that a form shows.
const FORM_BYTES_MAX: usize = 4_000;

impl<W: Write + Send> Approver for McpApprover<'_, '_, W> {
    fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
        let wait = self.server.runtime.policy().consent.wait();
        let reply = match (self.may_elicit(question), self.call.era.is_modern()) {
            (true, true) => self.require_input(question),
            (true, false) if !wait.is_zero() => Ok(self.elicit(question, wait)),
            _ => self.enqueue(question, wait),
        };
        reply.unwrap_or_else(|error| ApprovalDecision::NoResponse(error.to_string()))
    }
}

impl<W: Write + Send> McpApprover<'_, '_, W> {
    /// Whether anybody still wants the answer.
    fn is_wanted(&self) -> bool {
        !self.call.cancel.is_cancelled() && !self.server.input_ended.load(Ordering::Relaxed)
    }

    /// Whether the agent's program may put the question: never about what cannot be undone, since its
    /// answer proves nothing, and only where all of the question can be shown.
    // [SRV-40]
    fn may_elicit(&self, question: &ApprovalRequest) -> bool {
        let most = self.server.runtime.policy().consent.elicitation;
        self.call.era.can_elicit
            && most.is_some_and(|most| question.security_level <= most)
            && !question.is_destructive
            && question.arguments.len() <= FORM_BYTES_MAX
    }

    /// Asks while the call waits.
    // [SRV-41]
    fn elicit(&self, question: &ApprovalRequest, wait: Duration) -> ApprovalDecision {
        let (answered, answer) = channel();
        let id = format!("mpp-{}", self.server.last_id.fetch_add(1, Ordering::Relaxed));
        lock(&self.server.asked).insert(id.clone(), answered);
        let mut request = self.request(question);
        if let Some(members) = request.as_object_mut() {
            members.insert("jsonrpc".to_owned(), json!("2.0"));
            members.insert("id".to_owned(), json!(id));
        }
        let started = Instant::now();
        let mut found = None;
        if self.output.send(&request).is_ok() {
            while found.is_none() && self.is_wanted() && started.elapsed() < wait {
                found = answer.recv_timeout(POLL_INTERVAL).ok();
            }
        }
        lock(&self.server.asked).remove(&id);
        // An answer of the last moment counts.
        if let Some(result) = found.or_else(|| answer.try_recv().ok()) {
            return self.interpret(result.as_ref());
        }
        // So that no dialog stays open whose answer nobody takes.
        let params = json!({ "requestId": id, "reason": "nobody waits for the answer any more" });
        let _gone = self.output.send(&jsonrpc::notification("notifications/cancelled", params));
        ApprovalDecision::NoResponse("the client did not answer the question".to_owned())
    }

    /// Takes the answer that the call brought along, or says what it has to bring.
    // [SRV-42]
    fn require_input(&self, question: &ApprovalRequest) -> Result<ApprovalDecision, Error> {
        let key = self.server.runtime.derive_key(b"mcp request state");
        let now = Timestamp::now();
        let answer = self.call.input_responses.as_ref().and_then(|all| all.get(INPUT));
        if let (Some(state), Some(answer)) = (&self.call.request_state, answer) {
            if request_state::spend(&key, self.server.runtime.home(), state, question, now)? {
                return Ok(self.interpret(Some(answer)));
            }
        }
        Ok(ApprovalDecision::InputRequired(json!({
            "inputRequests": { INPUT: self.request(question) },
            "requestState": request_state::issue(&key, question, now),
        })))
    }

    /// Leaves the question where a person finds it.
    fn enqueue(
        &self,
        question: &ApprovalRequest,
        wait: Duration,
    ) -> Result<ApprovalDecision, Error> {
        let (tool, id) = (&question.tool, &question.package);
        let log = |number| {
            (self.server.log)(&format!(
                "question {number} waits: {tool} of {id}; `mpp pending` shows it, `mpp approve {number}` or \
                 `mpp deny {number}` answers it",
            ));
        };
        PendingQueue::new(self.server.runtime.home()).request_approval(
            question,
            wait,
            &|| self.is_wanted(),
            &log,
        )
    }

    /// The form that the agent's program shows: what is asked, and one yes or no.
    fn request(&self, question: &ApprovalRequest) -> Value {
        let mut may = question.capabilities.join("; ");
        if may.is_empty() {
            may.push_str("nothing");
        }
        let message = format!(
            "Allow {} {} by {} ({}) to run its tool {}? It may: {may}. Risk: {}. Arguments: {}",
            question.package,
            question.version,
            question.publisher,
            question.content_hash,
            question.tool,
            question.security_level,
            question.arguments.replace(is_hidden, "\u{fffd}"),
        );
        let allow = json!({ "type": "boolean", "title": "Allow this call", "default": false });
        let schema =
            json!({ "type": "object", "properties": { "allow": allow }, "required": ["allow"] });
        let mut params = json!({ "message": message, "requestedSchema": schema });
        if let (true, Some(members)) = (self.call.era.names_mode(), params.as_object_mut()) {
            members.insert("mode".to_owned(), json!("form"));
        }
        json!({ "method": "elicitation/create", "params": params })
    }

    /// What an answer of the agent's program means. It proves nothing about a person; the policy has allowed
    /// to take it all the same.
    fn interpret(&self, answer: Option<&Value>) -> ApprovalDecision {
        let member = |pointer| answer.and_then(|answer| answer.pointer(pointer));
        let accepts = member("/action") == Some(&json!("accept"));
        if !accepts || member("/content/allow") != Some(&json!(true)) {
            return ApprovalDecision::Denied;
        }
        // Cut so that it fits into a record whole, whatever its characters are.
        let agent = self.call.call.agent.as_ref().map_or("an agent", Agent::name);
        let agent: String = agent.chars().take(AGENT_CHARS_SHOWN).collect();
        ApprovalDecision::ApprovedOnce(format!("elicitation through {}", agent.trim_end()))
    }
}
