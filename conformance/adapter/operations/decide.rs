//! What a policy decides about a verified package, without a run.

use super::Case;
use mpp::agent::Agent;
use mpp::policy::risk;
use mpp::{CapabilityToken, Error, Gatekeeper, PermissionPolicy, PolicyDecision};
use mpp::{Code, Timestamp, TrustStore};
use serde_json::{json, Map, Value};
use std::time::Duration;

pub fn decide(case: &Case<'_>) -> Result<Value, Error> {
    let policy = match case.input.get("policy") {
        Some(policy) => PermissionPolicy::from_json(policy.to_string().as_bytes())?,
        None => PermissionPolicy::new(),
    };
    let policy = match case.input.get("organisation_policy") {
        Some(ours) => {
            PermissionPolicy::from_json(ours.to_string().as_bytes())?.narrowed_by(&policy)?
        }
        None => policy,
    };
    let trust = TrustStore::from_json(&case.file("trust"))?;
    let now = Timestamp::parse(case.text("now")).expect("a time");
    let found = Gatekeeper::new(trust, now).verify(&case.package())?;
    let manifest = &found.manifest;
    let decision = match case.optional_text("tool") {
        None => policy.decide(manifest, Duration::ZERO),
        Some(name) => {
            let tool = manifest.tools.iter().find(|tool| tool.name == name);
            let tool = tool.ok_or_else(|| Error::new(Code::RequestTool, name))?;
            let agent = case.input.get("agent").and_then(Agent::from_client_info);
            policy.decide_call(manifest, tool, agent.as_ref(), Duration::ZERO)
        }
    };
    let risk = risk::score(manifest);
    let mut answer = json!({ "points": risk.points, "level": risk.level.to_string() });
    // What a person has approved becomes a token, or not.
    let token = match (decision, case.optional_text("approved_by")) {
        (PolicyDecision::Granted(token), None) => Some(token),
        (_, Some(by)) => Some(policy.confirm_at(manifest, by, Duration::ZERO)?),
        (PolicyDecision::RequiresConfirmation { .. }, None) => {
            answer["decision"] = "requires_confirmation".into();
            None
        }
        (PolicyDecision::Denied { .. }, None) => {
            answer["decision"] = "denied".into();
            None
        }
    };
    if let Some(token) = token {
        answer["decision"] = "granted".into();
        answer["granted_by"] = token.granted_by().into();
        answer.as_object_mut().expect("an object").extend(shown(&token, case));
    }
    Ok(answer)
}

/// What the token holds.
fn shown(token: &CapabilityToken, case: &Case<'_>) -> Map<String, Value> {
    let limits = token.limits();
    let directories = token
        .directories()
        .into_iter()
        .map(|it| json!({ "guest": it.guest, "host": it.host, "writable": it.writable }));
    let seconds = case.input.get("after_s").and_then(Value::as_u64).unwrap_or(0);
    let shown = json!({
        "content_hash": token.content_hash().to_string(),
        "variables": token.environment(), "directories": directories.collect::<Value>(),
        "storage_bytes": token.storage_bytes_max(), "has_hosts": token.has_hosts(),
        "memory_bytes": limits.memory_bytes_max, "fuel": limits.fuel_max,
        "timeout_ms": u64::try_from(limits.timeout.as_millis()).expect("a time"),
        "output_bytes": limits.output_bytes_max,
        "expired": token.is_expired_at(Duration::from_secs(seconds)),
    });
    shown.as_object().cloned().unwrap_or_default()
}
