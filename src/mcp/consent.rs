//! Room: how a person is asked on behalf of a server: by MCP elicitation through the agent's own program
//! where the policy allows that for the level, else by a question that waits for `mpp approve`.
//!
//! In the handshake revisions elicitation is a request of ours while the call waits. In the stateless one
//! the call ends with `input_required` and comes again with the answer and our sealed state, which holds
//! for one call with the same arguments, once, for minutes.

use super::{lock, Server, ToolCall};
use crate::consent::attestation::spend_nonce;
use crate::consent::pending::Pending;
use crate::consent::{Person, Question, Reply};
use crate::encoding::{hex, hmac_sha256, unhex};
use crate::error::Error;
use crate::limits::ATTESTATION_S_MAX;
use crate::package::key::random_bytes;
use crate::text::is_hidden;
use crate::time::Timestamp;
use serde_json::{json, Value};
use std::cell::RefCell;
use std::io::Write;
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Name of our one input request.
const INPUT: &str = "consent";
/// Longest name of an agent in the name of who agreed, in characters.
const AGENT_CHARS_SHOWN: usize = 50;
/// Longest arguments that a form shows.
const FORM_BYTES_MAX: usize = 4_000;
/// How often a waiting call looks whether anybody still wants it.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// Whoever can be reached for one call.
pub(super) struct Asker<'s, 'a, W> {
    server: &'s Server<'a>,
    call: &'s ToolCall,
    output: &'s super::lines::Output<W>,
    /// What the call has to come back with, if it was not answered for want of that.
    needed: RefCell<Option<Value>>,
}

impl<'s, 'a, W: Write + Send> Asker<'s, 'a, W> {
    pub(super) fn new(
        server: &'s Server<'a>,
        call: &'s ToolCall,
        output: &'s super::lines::Output<W>,
    ) -> Self {
        Asker { server, call, output, needed: RefCell::new(None) }
    }

    /// The `input_required` result that the call ends with, if it was not allowed for want of an answer.
    pub(super) fn needed(self) -> Option<Value> {
        self.needed.into_inner()
    }

    /// Whether anybody still wants the answer.
    fn goes_on(&self) -> bool {
        !self.call.cancel.is_cancelled() && !self.server.has_ended()
    }

    /// Whether the agent's program may put the question: never about what cannot be undone, since its
    /// answer proves nothing, and only where all of the question can be shown.
    // [SRV-40]
    fn elicits(&self, question: &Question) -> bool {
        if question.is_destructive || question.arguments.to_string().len() > FORM_BYTES_MAX {
            return false;
        }
        let most = self.server.runtime.policy().consent().elicitation_max;
        self.call.era.elicits && most.is_some_and(|most| question.security_level <= most)
    }

    /// Asks while the call waits.
    // [SRV-41]
    fn elicit(&self, question: &Question) -> Reply {
        let wait = self.server.runtime.policy().consent().wait;
        if wait.is_zero() {
            return Reply::Unanswered("the policy waits for nobody".to_owned());
        }
        let (answered, answer) = channel();
        let id = self.server.next_id();
        lock(&self.server.asked).insert(id.clone(), answered);
        let request = json!({
            "jsonrpc": "2.0", "id": id, "method": "elicitation/create",
            "params": form(question, self.call.era.names_mode()),
        });
        let deadline = Instant::now().checked_add(wait);
        let mut found = None;
        if self.output.send(&request).is_ok() {
            while self.goes_on() && deadline.is_some_and(|deadline| Instant::now() < deadline) {
                match answer.recv_timeout(LOOK_PERIOD) {
                    Err(RecvTimeoutError::Timeout) => {}
                    other => {
                        found = other.ok();
                        break;
                    }
                }
            }
        }
        lock(&self.server.asked).remove(&id);
        // An answer of the last moment counts.
        if let Some(result) = found.or_else(|| answer.try_recv().ok()) {
            return self.said(question, result.as_ref());
        }
        // So that no dialog stays open whose answer nobody takes.
        let _gone = self.output.send(&json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": { "requestId": id, "reason": "nobody waits for the answer any more" },
        }));
        Reply::Unanswered("the client did not answer the question".to_owned())
    }

    /// Takes the answer that the call brought along, or notes what it has to bring.
    // [SRV-42]
    fn input(&self, question: &Question) -> Reply {
        let ask = |why: &str| match self.sealed(question) {
            Ok(state) => {
                let request =
                    json!({ "method": "elicitation/create", "params": form(question, true) });
                *self.needed.borrow_mut() = Some(json!({
                    "inputRequests": { INPUT: request }, "requestState": state,
                }));
                Reply::Unanswered(why.to_owned())
            }
            Err(error) => Reply::Unanswered(error.to_string()),
        };
        let answer = self.call.input_responses.as_ref().and_then(|all| all.get(INPUT));
        let (Some(state), Some(answer)) = (&self.call.request_state, answer) else {
            return ask("the client was asked for it");
        };
        match self.unsealed(state, question) {
            Ok(true) => {}
            Ok(false) => {
                return ask("the state that came back is not ours, not for this, or too old")
            }
            Err(error) => return Reply::Unanswered(error.to_string()),
        }
        self.said(question, Some(answer))
    }

    /// What an answer of the agent's program means. It proves nothing about a person; the policy has
    /// allowed to take it all the same.
    fn said(&self, question: &Question, answer: Option<&Value>) -> Reply {
        let action = answer.and_then(|answer| answer.get("action")).and_then(Value::as_str);
        let allows = answer.and_then(|answer| answer.pointer("/content/allow"));
        if action != Some("accept") || allows != Some(&Value::Bool(true)) {
            return Reply::Declined;
        }
        // Cut so that it fits into a record whole, whatever its characters are.
        let agent = question.agent.as_ref().map_or("an agent", |agent| agent.name());
        let agent: String = agent.chars().take(AGENT_CHARS_SHOWN).collect();
        let by = format!("elicitation through {}", agent.trim_end());
        Reply::Agreed(by)
    }

    /// The state for a call that comes again: nonce, expiry and a MAC over both and over the call.
    // [SRV-43]
    fn sealed(&self, question: &Question) -> Result<String, Error> {
        let end = Timestamp::now().unix_seconds().saturating_add(ATTESTATION_S_MAX);
        let nonce: String = hex(&random_bytes()).chars().take(32).collect();
        Ok(format!("{nonce} {end} {}", self.mac(&nonce, end, question)))
    }

    // [SRV-43]
    fn unsealed(&self, state: &str, question: &Question) -> Result<bool, Error> {
        let mut parts = state.split(' ');
        let mut next = || parts.next().unwrap_or_default();
        let (nonce, end, mac) = (next(), next(), next());
        let now = Timestamp::now();
        let (Some(bytes), Ok(end)) = (unhex::<16>(nonce), end.parse::<u64>()) else {
            return Ok(false);
        };
        // The MAC is compared as a digest of itself, so that the time it takes tells nothing.
        let same = crate::encoding::sha256(mac.as_bytes())
            == crate::encoding::sha256(self.mac(nonce, end, question).as_bytes());
        let expires = Timestamp::from_unix_seconds(end);
        match expires.filter(|expires| same && *expires >= now) {
            Some(expires) => spend_nonce(self.server.runtime.home(), &bytes, expires, now),
            None => Ok(false),
        }
    }

    fn mac(&self, nonce: &str, end: u64, question: &Question) -> String {
        let text = format!("{nonce}\n{end}\n{}", question.scope());
        hex(&hmac_sha256(&self.server.runtime.derived_key(b"mcp request state"), text.as_bytes()))
    }

    fn leave(&self, question: &Question) -> Reply {
        let told = |number| {
            let id = &question.package;
            (self.server.tell)(&format!(
                "question {number} waits: {} of {id}; `mpp pending` shows it, `mpp approve {number}` or \
                 `mpp deny {number}` answers it",
                question.tool
            ));
        };
        let wait = self.server.runtime.policy().consent().wait;
        let pending = Pending::new(self.server.runtime.home());
        match pending.ask(question, wait, &|| self.goes_on(), &told) {
            Ok(reply) => reply,
            Err(error) => Reply::Unanswered(error.to_string()),
        }
    }
}

impl<W: Write + Send> Person for Asker<'_, '_, W> {
    fn ask(&self, question: &Question) -> Reply {
        match (self.elicits(question), self.call.era.is_modern()) {
            (true, true) => self.input(question),
            (true, false) => self.elicit(question),
            (false, _) => self.leave(question),
        }
    }
}

/// The form that the agent's program shows: what is asked, and one yes or no.
fn form(question: &Question, names_mode: bool) -> Value {
    let capabilities = &question.capabilities;
    let may = if capabilities.is_empty() { "nothing".to_owned() } else { capabilities.join("; ") };
    let message = format!(
        "Allow {} {} by {} ({}) to run its tool {}? It may: {may}. Risk: {}. Arguments: {}",
        question.package,
        question.version,
        question.publisher,
        question.content_hash,
        question.tool,
        question.security_level,
        question.arguments.to_string().replace(is_hidden, "\u{fffd}"),
    );
    let allow = json!({ "type": "boolean", "title": "Allow this call", "default": false });
    let mut form = json!({
        "message": message,
        "requestedSchema": { "type": "object", "properties": { "allow": allow }, "required": ["allow"] },
    });
    if let (true, Some(members)) = (names_mode, form.as_object_mut()) {
        members.insert("mode".to_owned(), json!("form"));
    }
    form
}
