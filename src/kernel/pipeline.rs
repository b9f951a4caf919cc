//! The pipeline: one tool call, from the bytes of a package to the filtered result.
//!
//! ```text
//!  bytes ─► GATEKEEPER ─► attestation ─► POLICY ─► token ─► intent ─► SANDBOX ─► raw response
//!                         tool call ────────┘  approver ┘                              │
//!                                    result ◄─ outcome ◄───────────── PRIVACY ◄────────┘
//! ```
//!
//! Start with [`call`]. Nothing runs without an intent record, and no result is returned without an outcome
//! record.

use crate::kernel::agent::{is_traceparent, Agent};
use crate::kernel::audit::{
    CallStatus, Caller, Entry, Intent, KeyedDigest, LogKey, Outcome, Refusal,
};
use crate::kernel::consent::obtain::obtain;
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::deadline::Deadline;
use crate::kernel::encoding::sha256_hex;
use crate::kernel::error::Class;
use crate::kernel::gatekeeper::{AttestationResult, Gatekeeper, VerifiedManifest};
use crate::kernel::host::{Host, InstalledPackage, Reservation, ResourceNeeds};
use crate::kernel::json;
use crate::kernel::limits;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::manifest::{Manifest, Protocol, Tool};
use crate::kernel::package::schema::{Schema, Violation};
use crate::kernel::pattern::CAN_MATCH;
use crate::kernel::policy::capability::{self, directories};
use crate::kernel::policy::token::{CapabilityToken, ResolvedToken, RunLimits};
use crate::kernel::policy::{risk, PermissionPolicy, PolicyDecision};
use crate::kernel::prelude::*;
use crate::kernel::privacy::{PrivacyFilterEngine, RedactionReport};
use crate::kernel::sandbox::{
    check_directories, Changes, Engine, Execution, ToolInput, ToolResult,
};
use crate::kernel::text::quote_untrusted;
use crate::kernel::time::{milliseconds, Timestamp};
use serde_json::{json, Map, Value};

/// A tool call of an agent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ToolCall {
    /// Name of the tool.
    pub tool: String,
    /// The name under which the agent knows it, if that is another one.
    pub listed_as: Option<String>,
    /// The arguments, an object.
    pub arguments: Value,
    /// The agent, if known (self-reported).
    pub agent: Option<Agent>,
    /// The place of the call in the agent's trace: a `traceparent` (W3C Trace Context, section 3.2).
    pub traceparent: Option<String>,
}

impl ToolCall {
    /// Makes a call without an agent.
    pub fn new(tool: impl Into<String>, arguments: Value) -> Self {
        ToolCall { tool: tool.into(), listed_as: None, arguments, agent: None, traceparent: None }
    }

    /// Sets the agent.
    pub fn with_agent(mut self, agent: Option<Agent>) -> Self {
        self.agent = agent;
        self
    }

    /// Sets the trace. An invalid `traceparent` is ignored.
    pub fn with_traceparent(mut self, traceparent: Option<&str>) -> Self {
        self.traceparent = traceparent.filter(|text| is_traceparent(text)).map(str::to_owned);
        self
    }
}

/// The result of a call: every copy of it is filtered and recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallResult {
    /// MCP content blocks.
    pub content: Value,
    /// The structured content, if the tool returned any.
    pub structured_content: Option<Value>,
    /// Whether the tool reported an error.
    pub is_error: bool,
    /// The changes that the tool made in mapped directories and in storage, applied on the host: the list of
    /// [`Changes::to_json`]. Not filtered: it is for the operator of the host, not for the agent.
    pub changes: Value,
    /// Kinds, counts and places of redactions, never values.
    pub applied: RedactionReport,
    /// Fuel used.
    pub fuel_used: u64,
    /// Number of the intent record in the audit log.
    pub audit_record: u64,
    /// What the host reserved for the call: memory that the result takes, too.
    pub reservation: Reservation,
}

/// The package of a call.
#[derive(Clone, Copy, Debug)]
pub enum Package<'a> {
    /// An archive.
    Bytes(&'a [u8]),
    /// A package that the host has installed. It is verified on its first call; on each call its signers are
    /// evaluated again, and it has to stay installed until it runs.
    Installed(&'a ContentHash),
}

/// A call that is allowed to run.
struct AdmittedCall {
    attestation: AttestationResult,
    token: ResolvedToken,
    /// The proof of approval for exactly this call, if it required one.
    proof: Option<String>,
    request: ToolInput,
    filter: PrivacyFilterEngine,
    /// What the host holds for it until the call ends.
    reservation: Reservation,
}

/// Performs one call. Everything from outside comes from the host.
///
/// # Errors
/// Any code of any stage. Refusals and failures are in the audit log too.
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

/// Records that the host refuses a call before it begins. Returns the reason, or the error of the log.
// [AUD-22]
pub fn refuse(host: &dyn Host, call: &ToolCall, refused: Error) -> Error {
    let mut refusal = Refusal { caller: caller(call), ..Refusal::default() };
    refusal.facts.tool = Some(call.tool.clone());
    let now = Timestamp::since_epoch(host.now());
    host.append(&Entry::Refused(refused.code(), &refusal), now).err().unwrap_or(refused)
}

/// What is constant during one call.
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
        // 1 to 3: verify, validate and decide. Nothing of the package runs.
        let mut refusal = Refusal { caller: caller(call), ..Refusal::default() };
        let admitted = match self.admit(package, call, &mut refusal) {
            Ok(admitted) => admitted,
            Err(refused) => {
                // An unverified package is identified by its bytes only.
                if let (None, Package::Bytes(bytes)) = (&refusal.facts.content_hash, package) {
                    refusal.source = Some(source_of(bytes));
                }
                host.append(&Entry::Refused(refused.code(), &refusal), self.now())?;
                return Err(refused);
            }
        };
        // 4. Fail closed: without a durable intent record nothing runs.
        let audit_record = host.append(&Entry::Intent(&intent(refusal, &admitted)), self.now())?;
        // 5. The sandbox runs the verified binary with the grants of the token.
        let AdmittedCall { attestation, token, request, filter, reservation, .. } = admitted;
        let deadline = Deadline::new(host, token.limits().timeout);
        let mut run = self.engine.run(host, &attestation.wasm_binary, &token, request, &deadline);
        let mut changes = core::mem::take(&mut run.changes);
        // 6. Every copy of the result is filtered.
        let result = find_tool(&attestation, &call.tool).and_then(|tool| {
            let protocol = attestation.manifest.runtime.protocol;
            let response = run.tool_result(protocol, tool.command.as_ref())?;
            filtered_result(&run, response, tool, (&filter, &deadline), audit_record)
        });
        // 7. Only a successful call changes anything on the host.
        let recheck = || self.recheck(package, &attestation);
        let result = commit_changes(result, &mut changes, host, &recheck, &deadline)
            .map_err(|error| filtered_error(error, &run, (&filter, &Deadline::untimed(host))));
        // 8. Without a durable outcome record the result is withheld.
        let outcome = self.outcome(&run, &result, &changes);
        host.append(&Entry::Outcome(audit_record, &outcome), self.now())?;
        let text = String::from_utf8_lossy(&run.stderr);
        host.show_stderr(&mut || filtered_text(&text, (&filter, &Deadline::untimed(host))));
        result.map(|result| CallResult { reservation, ..result })
    }

    fn now(&self) -> Timestamp {
        Timestamp::since_epoch(self.host.now())
    }

    fn gatekeeper(&self) -> Result<Gatekeeper, Error> {
        let gatekeeper = Gatekeeper::new(self.host.trust()?, self.now());
        Ok(gatekeeper.signers_required(self.policy.signers_required()))
    }

    /// Returns the digest of the arguments.
    fn digest_arguments(&self, call: &ToolCall) -> Result<KeyedDigest, Error> {
        // Checked before anything else recurses into the arguments.
        if !json::depth_within(&call.arguments, limits::REQUEST_DEPTH_MAX) {
            let detail = format!("arguments exceed nesting limit {}", limits::REQUEST_DEPTH_MAX);
            return Err(Error::new(Code::RequestTooLarge, detail));
        }
        Ok(self.log_key.digest(&call.arguments))
    }

    /// Verifies, validates and decides. `refusal` collects the facts for the record of a refusal.
    fn admit(
        &self,
        package: Package<'_>,
        call: &ToolCall,
        refusal: &mut Refusal,
    ) -> Result<AdmittedCall, Error> {
        refusal.facts.tool = Some(call.tool.clone());
        let arguments = self.digest_arguments(call)?;
        refusal.facts.arguments = Some(arguments.clone());
        let gatekeeper = self.gatekeeper()?;
        let attestation = match package {
            Package::Bytes(bytes) => gatekeeper.verify(bytes)?,
            Package::Installed(hash) => self.installed(&gatekeeper, hash, refusal)?,
        };
        let manifest = &attestation.manifest;
        let facts = &mut refusal.facts;
        facts.package = Some(manifest.id.clone());
        facts.version = Some(manifest.version.to_string());
        facts.content_hash = Some(attestation.content_hash.clone());
        facts.publisher = Some(manifest.publisher().to_owned());
        facts.signers = attestation.signers.iter().map(|signer| signer.key_id().clone()).collect();

        check_patterns(CAN_MATCH, manifest, self.policy)?;
        let filter = self.privacy_filter(manifest)?;
        let tool = find_tool(&attestation, &call.tool)?;
        let until = Deadline::untimed(self.host);
        let request = tool_input(manifest.runtime.protocol, tool, call, (&filter, &until))?;
        let recheck = || self.recheck(package, &attestation);
        let (token, proof) = self.decide(&attestation, tool, call, &arguments, &recheck)?;
        // [RUN-15] after approvals, which take long
        let reservation = self.host.reserve(&needs(&attestation, &token))?;
        // [SECRET-03] after the decision, since a denied call needs no secrets
        let token = token.resolve_secrets(self.host)?;
        let filter = filter.with_known_secrets(token.known_secrets());
        // [RUN-13] trust or the package can have changed while an approval or a secret was awaited
        recheck()?;
        // [RUN-09]
        if gatekeeper.highest_version_seen(&manifest.id).is_none_or(|seen| seen < manifest.version)
        {
            self.host.record_version(&manifest.id, &manifest.version)?;
        }
        Ok(AdmittedCall { attestation, token, proof, request, filter, reservation })
    }

    /// Returns an installed package: verified on its first call, revalidated later.
    // [STORE-04] [STORE-08]
    fn installed(
        &self,
        gatekeeper: &Gatekeeper,
        content_hash: &ContentHash,
        refusal: &mut Refusal,
    ) -> Result<AttestationResult, Error> {
        self.host.check_installed(content_hash)?;
        let is_expected = |found: AttestationResult| {
            if found.content_hash != *content_hash {
                let detail = format!("{} is installed as {content_hash}", found.content_hash);
                return Err(Error::new(Code::ContentHash, detail));
            }
            Ok(found)
        };
        let bytes = match self.host.package(content_hash)? {
            InstalledPackage::Verified(found) => {
                return gatekeeper.revalidate(&is_expected(found)?)
            }
            InstalledPackage::Archive(bytes) => bytes,
        };
        let found = gatekeeper.verify(&bytes).and_then(is_expected);
        let found = found.inspect_err(|_| refusal.source = Some(source_of(&bytes)))?;
        self.host.keep_verified(&found)?;
        Ok(found)
    }

    /// Checks that the basis of the decision still holds after steps that take time, such as an approval or
    /// the command for a secret: the package is still installed, and its signers are still trusted, as the
    /// same publishers.
    // [CONS-05] [RUN-13] [STORE-08]
    fn recheck(&self, package: Package<'_>, decided: &AttestationResult) -> Result<(), Error> {
        if let Package::Installed(content_hash) = package {
            self.host.check_installed(content_hash)?;
        }
        let (was, now) = (&decided.manifest, self.gatekeeper()?.revalidate(decided)?.manifest);
        if (was.signer_names(), was.publisher_key()) != (now.signer_names(), now.publisher_key()) {
            let detail = format!("publishers of {} in the trust store have changed", was.id);
            return Err(Error::new(Code::PolicyConfirmation, detail));
        }
        Ok(())
    }

    /// Returns the filter of both the manifest and the policy.
    fn privacy_filter(&self, manifest: &VerifiedManifest) -> Result<PrivacyFilterEngine, Error> {
        let filter = self.policy.privacy_filter(&manifest.id, &manifest.privacy_filters)?;
        let replacement = self.policy.privacy_replacement;
        Ok(filter.with_replacement(replacement, self.log_key.derive_key(b"pseudonyms")))
    }

    /// Decides by the policy and, if required, by an approval.
    fn decide(
        &self,
        attestation: &AttestationResult,
        tool: &Tool,
        call: &ToolCall,
        arguments_digest: &KeyedDigest,
        recheck: &dyn Fn() -> Result<(), Error>,
    ) -> Result<(CapabilityToken, Option<String>), Error> {
        let manifest = &attestation.manifest;
        match self.policy.decide_call(manifest, tool, call.agent.as_ref(), self.host.elapsed()) {
            PolicyDecision::Granted(token) => Ok((token, None)),
            PolicyDecision::Denied { reason } => Err(Error::new(Code::PolicyDenied, reason)),
            PolicyDecision::RequiresConfirmation { capabilities, security_level } => {
                // [BOX-97] No approval is requested for a directory that would be refused afterwards.
                check_directories(self.host, &directories(&capabilities))?;
                let approval_request = ApprovalRequest {
                    package: manifest.id.clone(),
                    version: manifest.version.to_string(),
                    name: manifest.name.clone(),
                    publisher: manifest.publisher().to_owned(),
                    content_hash: attestation.content_hash.clone(),
                    tool: tool.name.clone(),
                    listed_as: call.listed_as.clone(),
                    is_destructive: tool.is_destructive(),
                    arguments: call.arguments.to_string(),
                    arguments_digest: arguments_digest.as_str().to_owned(),
                    agent: call.agent.as_ref().map(Agent::to_string),
                    capabilities: capabilities.iter().map(ToString::to_string).collect(),
                    grants: capability::digest(&capabilities),
                    security_level,
                };
                let rules = self.policy.consent;
                let (by, proof) = obtain(self.host, &approval_request, rules, recheck)?;
                Ok((self.policy.confirm_at(manifest, &by, self.host.elapsed())?, proof))
            }
        }
    }

    fn outcome(
        &self,
        run: &Execution,
        result: &Result<CallResult, Error>,
        changes: &Changes,
    ) -> Outcome {
        let status = match result {
            Ok(result) if result.is_error => CallStatus::ToolError,
            Ok(_) => CallStatus::Ok,
            Err(error) => CallStatus::Failed(error.code()),
        };
        let returned = result.as_ref().ok();
        Outcome {
            result: status,
            fuel_used: run.fuel_used,
            duration_ms: milliseconds(run.duration),
            stdout: Some(self.log_key.digest_bytes(&run.stdout)),
            answer: returned.map(|result| self.digest_result(result)),
            privacy: returned.map(counts).unwrap_or_default(),
            denied: run.denied,
            services: run.services.clone(),
            changes: changes.counts(),
        }
    }

    /// Returns the digest of the returned result.
    fn digest_result(&self, result: &CallResult) -> KeyedDigest {
        self.log_key.digest(&json!({
            "content": result.content,
            "structured_content": result.structured_content,
            "is_error": result.is_error,
        }))
    }
}

/// Refuses a package that needs regular expressions in a build that cannot match them.
// [PAT-07]
fn check_patterns(
    can_match: bool,
    manifest: &Manifest,
    policy: &PermissionPolicy,
) -> Result<(), Error> {
    let mut schemas =
        manifest.tools.iter().flat_map(|tool| [Some(&tool.parameters), tool.returns.as_ref()]);
    let needs = !manifest.privacy_filters.custom.is_empty()
        || !policy.privacy_filters.always.custom.is_empty()
        || schemas.any(|schema| schema.is_some_and(Schema::has_patterns));
    if needs && !can_match {
        let detail = format!("{} or the policy needs regular expressions", manifest.id);
        return Err(Error::new(Code::HostPatterns, detail));
    }
    Ok(())
}

fn caller(call: &ToolCall) -> Caller {
    let agent = call.agent.as_ref().map(Agent::to_string);
    let ToolCall { traceparent, listed_as, .. } = call.clone();
    Caller { agent, traceparent, listed_as }
}

fn intent(refusal: Refusal, admitted: &AdmittedCall) -> Intent {
    let AdmittedCall { attestation, token, proof, .. } = admitted;
    let (token, limits) = (token.token(), token.limits());
    Intent {
        facts: refusal.facts,
        risk: risk::score(&attestation.manifest).level.to_string(),
        capabilities: token.describe_grants(),
        granted_by: token.granted_by().to_owned(),
        memory_bytes_max: limits.memory_bytes_max,
        fuel_max: limits.fuel_max,
        timeout_ms: milliseconds(limits.timeout),
        output_bytes_max: limits.output_bytes_max,
        caller: refusal.caller,
        attestation: proof.clone(),
    }
}

// [RUN-15]
fn needs(attestation: &AttestationResult, token: &CapabilityToken) -> ResourceNeeds {
    let RunLimits { memory_bytes_max, output_bytes_max, .. } = *token.limits();
    let output = output_bytes_max.saturating_mul(limits::OUTPUT_MEMORY_FACTOR);
    let files = match token.directories().is_empty() {
        true => 0,
        false => limits::DIRECTORY_CALL_MEMORY_BYTES,
    };
    let besides = output.min(limits::OUTPUT_MEMORY_BYTES_MAX).saturating_add(files);
    ResourceNeeds {
        memory_bytes: memory_bytes_max.saturating_add(besides),
        code_bytes: attestation.wasm_binary.memory_bytes_max(),
        directories: token.directories().len(),
        has_hosts: token.has_hosts(),
        timeout: token.limits().timeout,
    }
}

/// Identifies an unverified package.
fn source_of(archive: &[u8]) -> String {
    format!("archive sha256:{}", sha256_hex(archive))
}

fn find_tool<'a>(attestation: &'a AttestationResult, name: &str) -> Result<&'a Tool, Error> {
    let tools = &attestation.manifest.tools;
    tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
        let id = &attestation.manifest.id;
        Error::new(Code::RequestTool, format!("no tool \"{}\" in {id}", quote_untrusted(name)))
    })
}

/// A filter with its deadline.
type Filter<'a> = (&'a PrivacyFilterEngine, &'a Deadline<'a>);

/// Returns the input of the guest if the arguments match the tool's schema.
// [RUN-05]
fn tool_input(
    protocol: Protocol,
    tool: &Tool,
    call: &ToolCall,
    filter: Filter<'_>,
) -> Result<ToolInput, Error> {
    tool.parameters.validate_within(&call.arguments, filter.1)?.map_err(|violation| {
        let violation = filtered_violation(violation, filter);
        let detail = format!("invalid arguments for tool \"{}\": {violation}", tool.name);
        Error::new(Code::RequestArguments, detail)
    })?;
    let request = ToolInput::new(protocol, tool, &call.arguments, call.agent.as_ref())?;
    let (bytes, limit) = (request.stdin.len(), limits::REQUEST_BYTES_MAX);
    if bytes > limit {
        let detail = format!("request is {bytes} bytes, limit {limit}");
        return Err(Error::new(Code::RequestTooLarge, detail));
    }
    Ok(request)
}

/// Validates a result against the tool's schema, and filters every copy.
// [RUN-06]
fn filtered_result(
    run: &Execution,
    response: ToolResult,
    tool: &Tool,
    filter: Filter<'_>,
    audit_record: u64,
) -> Result<CallResult, Error> {
    let (engine, deadline) = filter;
    let is_error = response.is_error;
    if let (Some(schema), false) = (&tool.returns, is_error) {
        let value = response.structured_content.as_ref().unwrap_or(&Value::Null);
        schema.validate_within(value, deadline)?.map_err(|violation| {
            let violation = filtered_violation(violation, filter);
            let detail = format!("invalid structured content of \"{}\": {violation}", tool.name);
            Error::new(Code::ToolBadReturn, detail)
        })?;
    }
    // One value, so that numbered labels and pointers are the same in every copy.
    let is_structured = response.structured_content.is_some();
    let mut both = Map::new();
    both.insert("content".to_owned(), response.content);
    both.extend(response.structured_content.map(|value| ("structuredContent".to_owned(), value)));
    let (mut filtered, applied) = engine.redact_json_within(&Value::Object(both), deadline)?;
    let mut take = |key: &str| filtered.get_mut(key).map(Value::take).unwrap_or_default();
    Ok(CallResult {
        content: take("content"),
        structured_content: Some(take("structuredContent")).filter(|_| is_structured),
        is_error,
        changes: json!([]),
        applied,
        fuel_used: run.fuel_used,
        audit_record,
        reservation: Arc::new(()),
    })
}

/// Applies the changes of a successful call, if they are approved. `changes` then contains those that were
/// applied, also after a failure.
// [RUN-10]
fn commit_changes(
    result: Result<CallResult, Error>,
    changes: &mut Changes,
    host: &dyn Host,
    recheck: &dyn Fn() -> Result<(), Error>,
    deadline: &Deadline,
) -> Result<CallResult, Error> {
    let proposed = core::mem::take(changes);
    let mut result = result?;
    if proposed.is_empty() {
        return Ok(result);
    }
    if result.is_error {
        // [RUN-14] Otherwise the agent assumes that the files have changed. A symbolic link that cannot
        // be created is not in the list.
        if let Some(blocks) = result.content.as_array_mut() {
            let count = proposed.iter().count().max(1);
            let text = format!("Changes not applied, because the tool reported an error: {count}");
            blocks.push(json!({ "type": "text", "text": text }));
        }
        return Ok(result);
    }
    proposed.check()?;
    if !host.approve_changes(&proposed) {
        let detail = "changes were not approved; none was applied";
        return Err(Error::new(Code::PolicyDeclined, detail));
    }
    // [RUN-13] trust or the package can have changed while it ran and while the changes were approved
    recheck()?;
    *changes = proposed;
    // The approval can take longer than the timeout of the call.
    changes.apply_within(&deadline.restarted())?;
    Ok(CallResult { changes: changes.to_json(), ..result })
}

/// Filters the error of a tool like its results: the detail, and what its author needs: the beginning of an
/// invalid stdout, and the end of stderr.
// [RUN-07]
fn filtered_error(error: Error, run: &Execution, filter: Filter<'_>) -> Error {
    const STDERR_CHARS_SHOWN: usize = 600;
    const STDOUT_CHARS_SHOWN: usize = 60;
    let mut detail = filtered_text(error.detail(), filter);
    // Filtered before they are truncated: half a value would not be detected.
    if error.code() == Code::ToolBadAnswer {
        let stdout = filtered_text(String::from_utf8_lossy(&run.stdout).trim(), filter);
        let start: String = stdout.chars().take(STDOUT_CHARS_SHOWN).collect();
        detail.push_str(&format!("; stdout begins with \"{}\"", quote_untrusted(&start)));
    }
    let stderr = filtered_text(String::from_utf8_lossy(&run.stderr).trim(), filter);
    if error.code().class() == Class::Tool && !stderr.is_empty() {
        let left_out = stderr.chars().count().saturating_sub(STDERR_CHARS_SHOWN);
        detail.push_str("; stderr ends with: ");
        detail.extend(stderr.chars().skip(left_out));
    }
    Error::new(error.code(), detail)
}

/// Filters the keys of the value in the pointer, before any of them is escaped or truncated.
fn filtered_violation(violation: Violation, filter: Filter<'_>) -> Violation {
    Violation { pointer: filtered_text(&violation.pointer, filter), ..violation }
}

fn filtered_text(text: &str, (filter, deadline): Filter<'_>) -> String {
    match filter.redact_text_within(text, deadline) {
        Ok((text, _)) => text,
        Err(_) => "[withheld: could not be filtered]".to_owned(),
    }
}

fn counts(result: &CallResult) -> BTreeMap<String, u64> {
    let redacted = result.applied.counts().map(|(kind, count)| (kind.to_owned(), count));
    let kept = result.applied.kept().map(|(kind, count)| (format!("kept:{kind}"), count));
    redacted.chain(kept).collect()
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/pipeline.rs"]
mod tests;
