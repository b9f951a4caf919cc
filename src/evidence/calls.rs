//! Calls and refusals, each put together from its records.

use super::follow::Record;
use serde_json::{json, Map, Value};
use std::collections::BTreeMap;

/// A call, or a request that was refused before anything ran.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Number of its intent or refusal.
    pub seq: u64,
    pub time: String,
    /// `ok`, `tool_error`, a reason code, `lost`, or `unfinished`.
    pub outcome: String,
    pub package: String,
    pub version: String,
    pub tool: String,
    pub agent: String,
    /// The rule or person that allowed it.
    pub granted_by: String,
    pub capabilities: Vec<String>,
    pub duration_ms: u64,
    pub fuel_used: u64,
    /// Spans redacted by kind.
    pub privacy: Map<String, Value>,
    /// Requests to services of the host by name.
    pub services: Map<String, Value>,
}

impl Call {
    fn of(record: &Record) -> Self {
        let capabilities = record.members.get("capabilities").and_then(Value::as_array);
        let capabilities = capabilities.into_iter().flatten().filter_map(Value::as_str);
        Call {
            seq: record.number("seq"),
            time: record.text("time").to_owned(),
            outcome: "unfinished".to_owned(),
            package: record.text("package").to_owned(),
            version: record.text("version").to_owned(),
            tool: record.text("tool").to_owned(),
            agent: record.text("agent").to_owned(),
            granted_by: record.text("granted_by").to_owned(),
            capabilities: capabilities.map(str::to_owned).collect(),
            ..Call::default()
        }
    }

    /// Returns whether it was refused before anything ran.
    pub fn is_refusal(&self) -> bool {
        self.granted_by.is_empty()
    }

    pub fn to_json(&self) -> Value {
        json!({
            "seq": self.seq, "time": self.time, "outcome": self.outcome, "package": self.package,
            "version": self.version, "tool": self.tool, "agent": self.agent,
            "granted_by": self.granted_by, "capabilities": self.capabilities,
            "duration_ms": self.duration_ms, "fuel_used": self.fuel_used, "privacy": self.privacy,
            "services": self.services,
        })
    }
}

/// Puts calls together from records in their order.
#[derive(Default)]
pub struct Calls {
    open: BTreeMap<u64, Call>,
}

impl Calls {
    /// Takes the next record, and returns the call that it ends.
    pub fn take(&mut self, record: &Record) -> Option<Call> {
        let object = |member: &str| {
            record.members.get(member).and_then(Value::as_object).cloned().unwrap_or_default()
        };
        match record.text("kind") {
            "intent" => {
                self.open.insert(record.number("seq"), Call::of(record));
                None
            }
            "outcome" => {
                let mut call = self.open.remove(&record.number("call"))?;
                record.text("result").clone_into(&mut call.outcome);
                call.duration_ms = record.number("duration_ms");
                call.fuel_used = record.number("fuel_used");
                (call.privacy, call.services) = (object("privacy"), object("services"));
                Some(call)
            }
            "lost" => {
                let mut call = self.open.remove(&record.number("call"))?;
                "lost".clone_into(&mut call.outcome);
                Some(call)
            }
            "refused" => {
                let mut call = Call::of(record);
                record.text("code").clone_into(&mut call.outcome);
                Some(call)
            }
            _ => None,
        }
    }

    /// Returns the calls that have not ended.
    pub fn unfinished(self) -> impl Iterator<Item = Call> {
        self.open.into_values()
    }
}

/// Which calls are shown. An absent member selects all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// From this time on; times of one form compare as their texts.
    pub since: Option<String>,
    /// An id, or a namespace above it.
    pub package: Option<String>,
    pub tool: Option<String>,
    /// An outcome, or the part of a code before its dot; `refused` is every refusal.
    pub outcome: Option<String>,
}

impl Selection {
    pub fn includes(&self, call: &Call) -> bool {
        let is =
            |wanted: &Option<String>, is: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(is);
        is(&self.since, &|since| call.time.as_str() >= since)
            && is(&self.package, &|id| mpp::trust::namespace_contains(id, &call.package))
            && is(&self.tool, &|tool| tool == call.tool)
            && is(&self.outcome, &|outcome| {
                let stage = call.outcome.split('.').next().unwrap_or_default();
                outcome == call.outcome
                    || outcome == stage
                    || (outcome == "refused" && call.is_refusal())
            })
    }
}
