//! The pipeline: one call from a package's bytes to its filtered answer, as one function.
//!
//! ```text
//!  bytes ─► GATEKEEPER ─► attestation ─► POLICY ─► token ─► intent ─► SANDBOX ─► raw answer
//!                              request ────┘  person ┘                              │
//!                                    answer ◄─ outcome ◄──────────── PRIVACY ◄──────┘
//! ```
//!
//! Read [`call`] first. Nothing runs without a record, and nothing leaves without one.

use crate::kernel::agent::{is_traceparent, Agent};
use crate::kernel::audit::{CallStatus, Caller, Digest, Entry, Intent, LogKey, Outcome, Refusal};
use crate::kernel::consent::obtain::obtain;
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::deadline::Deadline;
use crate::kernel::encoding::sha256_hex;
use crate::kernel::error::Class;
use crate::kernel::gatekeeper::{AttestationResult, Gatekeeper, VerifiedManifest};
use crate::kernel::host::Host;
use crate::kernel::json;
use crate::kernel::limits;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::manifest::{Manifest, Protocol, Sensitivity, Tool};
use crate::kernel::package::schema::{Schema, Violation};
use crate::kernel::pattern::CAN_MATCH;
use crate::kernel::policy::capability::{self, directories};
use crate::kernel::policy::token::{CapabilityToken, ResolvedToken};
use crate::kernel::policy::{risk, PermissionPolicy, PolicyDecision};
use crate::kernel::prelude::*;
use crate::kernel::privacy::{PrivacyFilterEngine, RedactionReport};
use crate::kernel::sandbox::{
    check_directories, Changes, Engine, Execution, ToolInput, ToolResult,
};
use crate::kernel::text::shown;
use crate::kernel::time::Timestamp;
use core::time::Duration;
use serde_json::{json, Map, Value};

/// What an agent asks for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolCall {
    /// Name of the tool.
    pub tool: String,
    /// Its arguments, an object.
    pub arguments: Value,
    /// Who asks, where it said so.
    pub agent: Option<Agent>,
    /// Where the call belongs in the agent's own trace: a `traceparent` (W3C Trace Context, section 3.2).
    pub traceparent: Option<String>,
}

impl ToolCall {
    /// A call by nobody in particular.
    pub fn new(tool: impl Into<String>, arguments: Value) -> Self {
        ToolCall { tool: tool.into(), arguments, agent: None, traceparent: None }
    }

    /// Says who asks.
    pub fn by(mut self, agent: Option<Agent>) -> Self {
        self.agent = agent;
        self
    }

    /// Says where it belongs. What is no `traceparent` is left out.
    pub fn traced(mut self, traceparent: Option<&str>) -> Self {
        self.traceparent = traceparent.filter(|text| is_traceparent(text)).map(str::to_owned);
        self
    }
}

/// What leaves: every copy of it is filtered and recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallResult {
    /// MCP content blocks.
    pub content: Value,
    /// The machine-readable answer, if the tool gave one.
    pub structured_content: Option<Value>,
    /// Whether the tool says that it failed.
    pub is_error: bool,
    /// What the tool changed in the directories it was given and in what it keeps, and is on the host now: the list of
    /// [`Changes::to_json`]. Not filtered: it is for whoever runs the host, not for the agent.
    pub changes: Value,
    /// What was redacted: kinds, counts and places, never values.
    pub applied: RedactionReport,
    /// Fuel used.
    pub fuel_used: u64,
    /// Sequence number of the call's intent in the audit log.
    pub audit_record: u64,
}

/// What a call is of.
#[derive(Clone, Copy, Debug)]
pub enum Package<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// What the host has under this content hash. It is verified on its first call; on each its signers are
    /// judged anew, and it has to stay installed until it runs.
    InstalledPackage(&'a ContentHash),
}

/// A call that was allowed: the proof, the permission, and the request.
struct AdmittedCall {
    attestation: AttestationResult,
    token: ResolvedToken,
    /// The proof that a person agreed to exactly this call, if it needed one.
    attested: Option<String>,
    request: ToolInput,
    filter: PrivacyFilterEngine,
}

/// One call: everything that it needs from outside comes from the host.
///
/// # Errors
/// Any code of any stage. Refusals before the run and failures of it are in the log as well.
pub fn call(
    host: &dyn Host,
    engine: &Engine,
    policy: &PermissionPolicy,
    package: Package<'_>,
    call: &ToolCall,
) -> Result<CallResult, Error> {
    let log_key = host.log_key()?;
    Pipeline { host, engine, policy, log_key }.run(package, call)
}

/// What stays the same while one call is carried out.
struct Pipeline<'a> {
    host: &'a dyn Host,
    engine: &'a Engine,
    policy: &'a PermissionPolicy,
    log_key: LogKey,
}

impl Pipeline<'_> {
    // [RUN-01] [RUN-02] [RUN-03]
    fn run(&self, package: Package<'_>, call: &ToolCall) -> Result<CallResult, Error> {
        let host = self.host;
        // 1 to 3. Who made it, what was asked, what it may touch. Nothing of it has run yet.
        let mut known = Refusal { caller: caller(call), ..Refusal::default() };
        let admission = match self.admit(package, call, &mut known) {
            Ok(admission) => admission,
            Err(refused) => {
                // Of a package that was not verified nothing is known but its bytes.
                if let (None, Package::Bytes(bytes)) = (&known.facts.content_hash, package) {
                    known.source = Some(source_of(bytes));
                }
                host.append(&Entry::Refused(refused.code(), &known), self.now())?;
                return Err(refused);
            }
        };
        // 4. No record, no call.
        let audit_record = host.append(&Entry::Intent(&intent(known, &admission)), self.now())?;
        // 5. The sandbox gets the binary that was verified and what the token holds.
        let AdmittedCall { attestation, token, request, filter, .. } = admission;
        let deadline = Deadline::new(host, token.limits().timeout);
        let mut run = self.engine.run(host, &attestation.wasm_binary, &token, request, &deadline);
        let mut changes = core::mem::take(&mut run.changes);
        // 6. Every copy of the answer goes through the filter.
        let answer = find_tool(&attestation, &call.tool).and_then(|tool| {
            let result = run.tool_result(attestation.manifest.runtime.protocol)?;
            filtered_answer(&run, result, tool, (&filter, &deadline), audit_record)
        });
        // 7. Only what succeeded changes anything on the host.
        let look_again = || self.look_again(package, &attestation);
        let answer = carried_out(answer, &mut changes, host, &look_again, &deadline)
            .map_err(|error| filtered_error(error, &run, (&filter, &Deadline::none(host))));
        // 8. What can't be recorded does not leave.
        let outcome = self.outcome(&run, &answer, &changes);
        host.append(&Entry::Outcome(audit_record, &outcome), self.now())?;
        answer
    }

    fn now(&self) -> Timestamp {
        Timestamp::since_1970(self.host.now())
    }

    fn gatekeeper(&self) -> Result<Gatekeeper, Error> {
        let gatekeeper = Gatekeeper::new(self.host.trust()?, self.now());
        Ok(gatekeeper.signers_required(self.policy.signers_required()))
    }

    /// The digest of a call's arguments, which may be long: taken once.
    fn digest_arguments(&self, call: &ToolCall) -> Result<Digest, Error> {
        // First of all, since whatever looks at the arguments recurses into them.
        if !json::is_within(&call.arguments, limits::REQUEST_DEPTH_MAX) {
            let detail = format!("arguments nested more than {} deep", limits::REQUEST_DEPTH_MAX);
            return Err(Error::new(Code::RequestTooLarge, detail));
        }
        Ok(self.log_key.digest(&call.arguments))
    }

    /// Verifies, validates and decides. `known` collects what a record of a refusal can say.
    fn admit(
        &self,
        package: Package<'_>,
        call: &ToolCall,
        known: &mut Refusal,
    ) -> Result<AdmittedCall, Error> {
        known.facts.tool = Some(call.tool.clone());
        let arguments = self.digest_arguments(call)?;
        known.facts.arguments = Some(arguments.clone());
        let gatekeeper = self.gatekeeper()?;
        let attestation = match package {
            Package::Bytes(bytes) => gatekeeper.verify(bytes)?,
            Package::InstalledPackage(content_hash) => {
                self.installed(&gatekeeper, content_hash, known)?
            }
        };
        let manifest = &attestation.manifest;
        let facts = &mut known.facts;
        facts.package = Some(manifest.id.clone());
        facts.version = Some(manifest.version.to_string());
        facts.content_hash = Some(attestation.content_hash.clone());
        facts.publisher = Some(manifest.publisher().to_owned());
        facts.signers = attestation.signers.iter().map(|signer| signer.key_id().clone()).collect();

        check_patterns(CAN_MATCH, manifest, self.policy)?;
        let filter = self.privacy_filter(manifest)?;
        let tool = find_tool(&attestation, &call.tool)?;
        let until = Deadline::none(self.host);
        let request = checked_request(manifest.runtime.protocol, tool, call, (&filter, &until))?;
        let look_again = || self.look_again(package, &attestation);
        let (token, attested) = self.decide(&attestation, tool, call, &arguments, &look_again)?;
        // [SECRET-03] after the decision, since what is denied need not be looked up
        let token = token.resolve(self.host)?;
        let filter = filter.with_known_secrets(token.hidden());
        look_again()?;
        // [RUN-09]
        if gatekeeper.highest_version_seen(&manifest.id).is_none_or(|seen| seen < manifest.version)
        {
            self.host.record_version(&manifest.id, &manifest.version)?;
        }
        Ok(AdmittedCall { attestation, token, attested, request, filter })
    }

    /// An installed package, verified on its first call; later its signers are judged anew, and no more.
    // [STORE-04] [STORE-08]
    fn installed(
        &self,
        gatekeeper: &Gatekeeper,
        content_hash: &ContentHash,
        known: &mut Refusal,
    ) -> Result<AttestationResult, Error> {
        self.host.check_installed(content_hash)?;
        let held = self.host.verified(content_hash);
        if let Some(held) = held.filter(|held| held.content_hash == *content_hash) {
            return gatekeeper.revalidate(&held);
        }
        let bytes = self.host.package(content_hash)?;
        let found = gatekeeper.verify(&bytes).and_then(|found| {
            let other = &found.content_hash;
            match other == content_hash {
                true => Ok(found),
                false => {
                    let detail = format!("{content_hash} is installed, its file has {other}");
                    Err(Error::new(Code::ContentHash, detail))
                }
            }
        });
        let found = found.inspect_err(|_| known.source = Some(source_of(&bytes)))?;
        self.host.keep_verified(&found);
        Ok(found)
    }

    /// Finds that nothing has ended which the decision rests on, after whatever took time: the question to
    /// a person, the command that gives a secret. The package is still installed, if it came from there,
    /// and its signers are still trusted, as the same publishers.
    // [CONS-05] [RUN-13] [STORE-08]
    fn look_again(&self, package: Package<'_>, decided: &AttestationResult) -> Result<(), Error> {
        if let Package::InstalledPackage(content_hash) = package {
            self.host.check_installed(content_hash)?;
        }
        let (was, now) = (&decided.manifest, self.gatekeeper()?.revalidate(decided)?.manifest);
        if (was.signed_by(), was.publisher_key()) != (now.signed_by(), now.publisher_key()) {
            let detail = format!("the trust store names other publishers of {} now", was.id);
            return Err(Error::new(Code::PolicyConfirmation, detail));
        }
        Ok(())
    }

    /// What the manifest asks to have redacted, and what this host always wants: the union.
    fn privacy_filter(&self, manifest: &VerifiedManifest) -> Result<PrivacyFilterEngine, Error> {
        let (asked, always) = (&manifest.privacy_filters, &self.policy.privacy_filters);
        let kinds: Vec<_> = asked.patterns.iter().chain(&always.patterns).cloned().collect();
        let custom: Vec<_> = asked.custom.iter().chain(&always.custom).cloned().collect();
        let filter = PrivacyFilterEngine::from_config(&kinds, &custom)?;
        let replacement = self.policy.privacy_replacement;
        Ok(filter.with_replacement(replacement, self.log_key.derived(b"pseudonyms")))
    }

    /// Asks the policy, and where it says so, a person.
    fn decide(
        &self,
        attestation: &AttestationResult,
        tool: &Tool,
        call: &ToolCall,
        arguments_digest: &Digest,
        look_again: &dyn Fn() -> Result<(), Error>,
    ) -> Result<(CapabilityToken, Option<String>), Error> {
        let manifest = &attestation.manifest;
        match self.policy.decide_call(manifest, tool, call.agent.as_ref(), self.host.elapsed()) {
            PolicyDecision::Granted(token) => Ok((token, None)),
            PolicyDecision::Denied { reason } => Err(Error::new(Code::PolicyDenied, reason)),
            PolicyDecision::RequiresConfirmation { capabilities, security_level } => {
                // [BOX-97] Nobody is asked about a directory that would be refused afterwards.
                check_directories(self.host, &directories(&capabilities))?;
                let question = ApprovalRequest {
                    package: manifest.id.clone(),
                    version: manifest.version.to_string(),
                    name: manifest.name.clone(),
                    publisher: manifest.publisher().to_owned(),
                    content_hash: attestation.content_hash.clone(),
                    tool: tool.name.clone(),
                    is_destructive: tool.sensitivity == Sensitivity::Destructive,
                    arguments: call.arguments.to_string(),
                    arguments_digest: arguments_digest.as_str().to_owned(),
                    agent: call.agent.as_ref().map(Agent::to_string),
                    capabilities: capabilities.iter().map(ToString::to_string).collect(),
                    grants: capability::digest(&capabilities),
                    security_level,
                };
                let rules = self.policy.consent;
                let (by, proof) = obtain(self.host, &question, rules, look_again)?;
                Ok((self.policy.confirm_at(manifest, &by, self.host.elapsed())?, proof))
            }
        }
    }

    fn outcome(
        &self,
        run: &Execution,
        answer: &Result<CallResult, Error>,
        changes: &Changes,
    ) -> Outcome {
        let result = match answer {
            Ok(answer) if answer.is_error => CallStatus::ToolError,
            Ok(_) => CallStatus::Ok,
            Err(error) => CallStatus::Failed(error.code()),
        };
        let left = answer.as_ref().ok();
        Outcome {
            result,
            fuel_used: run.fuel_used,
            duration_ms: milliseconds(run.duration),
            stdout: Some(self.log_key.digest_bytes(&run.stdout)),
            answer: left.map(|answer| self.digest_of(answer)),
            privacy: left.map(counts).unwrap_or_default(),
            denied: run.denied,
            services: run.services.clone(),
            changes: changes.counts(),
        }
    }

    /// The digest of everything of an answer that leaves.
    fn digest_of(&self, answer: &CallResult) -> Digest {
        self.log_key.digest(&json!({
            "content": answer.content,
            "structured_content": answer.structured_content,
            "is_error": answer.is_error,
        }))
    }
}

/// Refuses what needs regular expressions where they can't be matched.
// [PAT-07]
fn check_patterns(
    can_match: bool,
    manifest: &Manifest,
    policy: &PermissionPolicy,
) -> Result<(), Error> {
    let mut schemas =
        manifest.tools.iter().flat_map(|tool| [Some(&tool.parameters), tool.returns.as_ref()]);
    let needs = !manifest.privacy_filters.custom.is_empty()
        || !policy.privacy_filters.custom.is_empty()
        || schemas.any(|schema| schema.is_some_and(Schema::has_patterns));
    if needs && !can_match {
        let detail = format!("{} or this policy needs regular expressions", manifest.id);
        return Err(Error::new(Code::HostPatterns, detail));
    }
    Ok(())
}

fn caller(call: &ToolCall) -> Caller {
    let agent = call.agent.as_ref().map(Agent::to_string);
    Caller { agent, traceparent: call.traceparent.clone() }
}

fn intent(known: Refusal, admission: &AdmittedCall) -> Intent {
    let AdmittedCall { attestation, token, attested, .. } = admission;
    let (token, limits) = (token.token(), token.limits());
    Intent {
        facts: known.facts,
        risk: risk::score(&attestation.manifest).level.to_string(),
        capabilities: token.granted(),
        granted_by: token.granted_by().to_owned(),
        memory_bytes_max: limits.memory_bytes_max,
        fuel_max: limits.fuel_max,
        timeout_ms: milliseconds(limits.timeout),
        output_bytes_max: limits.output_bytes_max,
        caller: known.caller,
        attestation: attested.clone(),
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// All that is known of a package that was not verified.
fn source_of(archive: &[u8]) -> String {
    format!("archive sha256:{}", sha256_hex(archive))
}

fn find_tool<'a>(attestation: &'a AttestationResult, name: &str) -> Result<&'a Tool, Error> {
    let tools = &attestation.manifest.tools;
    tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
        let id = &attestation.manifest.id;
        Error::new(Code::RequestTool, format!("no tool \"{}\" in {id}", shown(name)))
    })
}

/// A filter, and until when it may work.
type Filter<'a> = (&'a PrivacyFilterEngine, &'a Deadline<'a>);

/// What the guest gets to read, once its arguments follow the tool's schema.
// [RUN-05]
fn checked_request(
    protocol: Protocol,
    tool: &Tool,
    call: &ToolCall,
    filter: Filter<'_>,
) -> Result<ToolInput, Error> {
    tool.parameters.validate_within(&call.arguments, filter.1)?.map_err(|violation| {
        let violation = filtered_violation(violation, filter);
        Error::new(Code::RequestArguments, format!("arguments of {}: {violation}", tool.name))
    })?;
    let request = ToolInput::new(protocol, tool, &call.arguments, call.agent.as_ref())?;
    if request.stdin.len() > limits::REQUEST_BYTES_MAX {
        let detail = format!("request of {} bytes", request.stdin.len());
        return Err(Error::new(Code::RequestTooLarge, detail));
    }
    Ok(request)
}

/// Holds an answer against what the tool promised, and filters every copy.
// [RUN-06]
fn filtered_answer(
    run: &Execution,
    result: ToolResult,
    tool: &Tool,
    filter: Filter<'_>,
    audit_record: u64,
) -> Result<CallResult, Error> {
    let (engine, deadline) = filter;
    let is_error = result.is_error;
    if let (Some(schema), false) = (&tool.returns, is_error) {
        let value = result.structured_content.as_ref().unwrap_or(&Value::Null);
        schema.validate_within(value, deadline)?.map_err(|violation| {
            let place = filtered_violation(violation, filter);
            Error::new(Code::ToolBadReturn, format!("structured content of {}: {place}", tool.name))
        })?;
    }
    // One value, so that numbered labels and pointers are the same in every copy.
    let structured = result.structured_content.is_some();
    let mut whole = Map::new();
    whole.insert("content".to_owned(), result.content);
    whole.extend(result.structured_content.map(|value| ("structuredContent".to_owned(), value)));
    let (mut filtered, applied) = engine.redact_json_within(&Value::Object(whole), deadline)?;
    let mut take = |key: &str| filtered.get_mut(key).map(Value::take).unwrap_or_default();
    Ok(CallResult {
        content: take("content"),
        structured_content: Some(take("structuredContent")).filter(|_| structured),
        is_error,
        changes: json!([]),
        applied,
        fuel_used: run.fuel_used,
        audit_record,
    })
}

/// Carries out what the tool changed, if it did not say that it failed and nobody minds. What was
/// carried out is left in `changes`, also where it was not all.
// [RUN-10]
fn carried_out(
    answer: Result<CallResult, Error>,
    changes: &mut Changes,
    host: &dyn Host,
    look_again: &dyn Fn() -> Result<(), Error>,
    deadline: &Deadline,
) -> Result<CallResult, Error> {
    let wanted = core::mem::take(changes);
    let answer = answer?;
    if answer.is_error || wanted.is_empty() {
        return Ok(answer);
    }
    wanted.check()?;
    if !host.approve_changes(&wanted) {
        let detail = "what the tool wants to change; nothing was changed";
        return Err(Error::new(Code::PolicyDeclined, detail));
    }
    look_again()?;
    *changes = wanted;
    // A person may have taken longer than the tool was given.
    changes.apply_within(&deadline.anew())?;
    Ok(CallResult { changes: changes.to_json(), ..answer })
}

/// A failed tool's words go through the filter like its answers: the detail of the error, and the end
/// of what it wrote to stderr, which its author needs to see.
// [RUN-07]
fn filtered_error(error: Error, run: &Execution, filter: Filter<'_>) -> Error {
    const STDERR_CHARS_SHOWN: usize = 600;
    let mut detail = filtered_text(error.detail(), filter);
    // Filtered whole and cut afterwards: a value cut in half would not be known for what it is.
    let stderr = filtered_text(String::from_utf8_lossy(&run.stderr).trim(), filter);
    if error.code().class() == Class::Tool && !stderr.is_empty() {
        let left_out = stderr.chars().count().saturating_sub(STDERR_CHARS_SHOWN);
        detail.push_str("; stderr ends with: ");
        detail.extend(stderr.chars().skip(left_out));
    }
    Error::new(error.code(), detail)
}

/// Where a schema was broken. Keys of the value stand in the pointer, so they are filtered before any of
/// them is escaped or cut.
fn filtered_violation(violation: Violation, filter: Filter<'_>) -> Violation {
    Violation { pointer: filtered_text(&violation.pointer, filter), ..violation }
}

fn filtered_text(text: &str, (filter, deadline): Filter<'_>) -> String {
    match filter.redact_text_within(text, deadline) {
        Ok((text, _)) => text,
        Err(_) => "[withheld, since it could not be filtered]".to_owned(),
    }
}

fn counts(answer: &CallResult) -> BTreeMap<String, u64> {
    answer.applied.counts().map(|(kind, count)| (kind.to_owned(), count)).collect()
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/call.rs"]
mod tests;
