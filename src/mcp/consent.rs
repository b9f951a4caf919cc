//! Approval requests of a server: sends an MCP elicitation if the policy allows it for the risk level, else queues
//! the request for `mpp approve`.
//!
//! In the handshake revisions an elicitation is a request of the server while the call waits. In the stateless
//! revision the call is refused with `input_required`, and the client repeats it with the response and the
//! `requestState`.

use super::{jsonrpc, lock, request_state, McpApprover};
use crate::host::approver::Approver;
use crate::host::pending::{PendingQueue, POLL_INTERVAL};
use crate::host::question;
use crate::kernel::agent::Agent;
use crate::kernel::consent::{ApprovalDecision, ApprovalRequest};
use crate::kernel::error::Error;
use crate::kernel::time::Timestamp;
use serde_json::{json, Value};
use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// The name of the one input request.
const INPUT: &str = "consent";
/// Maximum length of the agent's name within the approver's name, in characters.
const AGENT_CHARS_SHOWN: usize = 50;

impl<W: Write + Send> Approver for McpApprover<'_, '_, W> {
    fn request_approval(&self, request: &ApprovalRequest) -> ApprovalDecision {
        let wait = self.server.runtime.policy().consent.wait();
        let reply = match (self.may_elicit(request), self.call.era.is_modern()) {
            (true, true) => self.require_input(request),
            (true, false) if !wait.is_zero() => Ok(self.elicit(request, wait)),
            _ => self.enqueue(request, wait),
        };
        reply.unwrap_or_else(|error| ApprovalDecision::NoResponse(error.to_string()))
    }
}

impl<W: Write + Send> McpApprover<'_, '_, W> {
    /// Returns `true` while the client still waits for the call.
    fn is_wanted(&self) -> bool {
        !self.call.cancel.is_cancelled() && !self.server.input_ended.load(Ordering::Relaxed)
    }

    /// Returns `true` if the client may show the request to its user. Never for destructive tools, since its
    /// response proves nothing, and only if the form can show the whole request.
    // [SRV-40]
    fn may_elicit(&self, request: &ApprovalRequest) -> bool {
        let level_max = self.server.runtime.policy().consent.elicitation;
        self.call.era.can_elicit
            && level_max.is_some_and(|level_max| request.security_level <= level_max)
            && !request.is_destructive
            && question::too_long(request).is_none()
    }

    /// Sends an elicitation and waits for the response.
    // [SRV-41]
    fn elicit(&self, request: &ApprovalRequest, wait: Duration) -> ApprovalDecision {
        let (sender, answer) = channel();
        let id = format!("mpp-{}", self.server.last_id.fetch_add(1, Ordering::Relaxed));
        lock(&self.server.elicitations).insert(id.clone(), sender);
        let mut message = self.elicitation(request);
        if let Some(members) = message.as_object_mut() {
            members.insert("jsonrpc".to_owned(), json!("2.0"));
            members.insert("id".to_owned(), json!(id));
        }
        let started = Instant::now();
        let mut found = None;
        if self.output.send(&message).is_ok() {
            while found.is_none() && self.is_wanted() && started.elapsed() < wait {
                found = answer.recv_timeout(POLL_INTERVAL).ok();
            }
        }
        lock(&self.server.elicitations).remove(&id);
        // A response that arrived at the last moment counts.
        if let Some(result) = found.or_else(|| answer.try_recv().ok()) {
            return self.interpret(result.as_ref());
        }
        // Tell the client to close its dialog.
        let params = json!({ "requestId": id, "reason": "the request expired or was cancelled" });
        let _ = self.output.send(&jsonrpc::notification("notifications/cancelled", params));
        ApprovalDecision::NoResponse("the client did not respond to the elicitation".to_owned())
    }

    /// Reads the response that a repeated call contains, or requires one.
    // [SRV-42]
    fn require_input(&self, request: &ApprovalRequest) -> Result<ApprovalDecision, Error> {
        let key = self.server.runtime.derive_key(b"mcp request state");
        let now = Timestamp::now();
        let answer = self.call.input_responses.as_ref().and_then(|all| all.get(INPUT));
        if let (Some(state), Some(answer)) = (&self.call.request_state, answer) {
            if request_state::consume(&key, self.server.runtime.home(), state, request, now)? {
                return Ok(self.interpret(Some(answer)));
            }
        }
        Ok(ApprovalDecision::InputRequired(json!({
            "inputRequests": { INPUT: self.elicitation(request) },
            "requestState": request_state::issue(&key, request, now),
        })))
    }

    /// Queues the request for a person at a terminal.
    fn enqueue(
        &self,
        request: &ApprovalRequest,
        wait: Duration,
    ) -> Result<ApprovalDecision, Error> {
        let (tool, id) = (request.listed_as.as_ref().unwrap_or(&request.tool), &request.package);
        let log = |number| {
            (self.server.log)(&format!(
                "approval request {number}: {tool} of {id}; see `mpp pending`, then run `mpp approve {number}` or \
                 `mpp deny {number}`",
            ));
        };
        PendingQueue::new(self.server.runtime.home()).request_approval(
            request,
            wait,
            &|| self.is_wanted(),
            &log,
        )
    }

    /// Returns the elicitation that the client shows: a message, and one boolean.
    fn elicitation(&self, request: &ApprovalRequest) -> Value {
        let message = question::of_request(request, None, question::FORM_COLUMNS);
        let allow = json!({ "type": "boolean", "title": "Allow this call once", "default": false });
        let schema =
            json!({ "type": "object", "properties": { "allow": allow }, "required": ["allow"] });
        let mut params = json!({ "message": message, "requestedSchema": schema });
        if let (true, Some(members)) = (self.call.era.names_mode(), params.as_object_mut()) {
            members.insert("mode".to_owned(), json!("form"));
        }
        json!({ "method": "elicitation/create", "params": params })
    }

    /// Interprets the client's response. It does not prove that a person approved; the policy has accepted that.
    fn interpret(&self, answer: Option<&Value>) -> ApprovalDecision {
        let member = |pointer| answer.and_then(|answer| answer.pointer(pointer));
        let accepts = member("/action") == Some(&json!("accept"));
        if !accepts || member("/content/allow") != Some(&json!(true)) {
            return ApprovalDecision::Denied;
        }
        // Short enough to fit into an audit record even if every character needs an escape.
        let agent = self.call.call.agent.as_ref().map_or("an agent", Agent::name);
        let agent: String = agent.chars().take(AGENT_CHARS_SHOWN).collect();
        ApprovalDecision::ApprovedOnce(format!("elicitation through {}", agent.trim_end()))
    }
}
