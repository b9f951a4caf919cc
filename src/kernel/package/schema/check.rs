//! Checking a value against a schema that was read, in a bounded number of steps.

use super::number::{canonical, is_within, ExactNumber};
use super::read::{definition, list};
use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::encoding::as_u64;
use crate::kernel::json::closed_object::below;
use crate::kernel::limits::{SCHEMA_LOOK_STEPS, SCHEMA_STEPS_MAX};
use crate::kernel::pattern::{is_one_search, Pattern};
use crate::kernel::prelude::*;
use crate::kernel::text::shown;
use serde_json::{Map, Value};

/// Steps for one byte of the canonical text of a value: writing, sorting and comparing it.
const CANONICAL_BYTE_STEPS: u64 = 4;
/// Bytes of a text that are compared with others in one step.
const TEXT_BYTES_PER_STEP: u64 = 16;

/// Which rule a value broke, and where. `what` holds text of the schema, never of the value; the
/// pointer holds keys of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer of the part of the value that was wrong.
    pub pointer: String,
    /// What was wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(out, "the whole value: {}", self.what),
            pointer => write!(out, "{}: {}", shown(pointer), self.what),
        }
    }
}

/// Why checking stopped. They are kept apart since `not` turns the first round and never the others.
pub(super) enum CheckError {
    Broken(Violation),
    OutOfSteps,
    Interrupted(Interrupted),
}

pub(super) struct Checker<'a> {
    root: &'a Value,
    patterns: &'a BTreeMap<String, Pattern>,
    deadline: &'a Deadline<'a>,
    steps_left: u64,
    /// Steps since the last look at the deadline.
    unseen: u64,
    /// Whether nobody asks for the reason, which then is not written: it may be for each item of a value.
    trying: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        root: &'a Value,
        patterns: &'a BTreeMap<String, Pattern>,
        deadline: &'a Deadline<'a>,
    ) -> Self {
        let steps_left = SCHEMA_STEPS_MAX;
        Checker { root, patterns, deadline, steps_left, unseen: 0, trying: false }
    }

    // [SCH-12] [SCH-13]
    fn spend(&mut self, steps: u64) -> Result<(), CheckError> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(CheckError::OutOfSteps)?;
        self.unseen = self.unseen.saturating_add(steps);
        if self.unseen >= SCHEMA_LOOK_STEPS {
            self.unseen = 0;
            self.deadline.check().map_err(CheckError::Interrupted)?;
        }
        Ok(())
    }

    /// The steps of looking up a name or comparing a text, whether it is found or not.
    fn spend_text(&mut self, text: &str) -> Result<(), CheckError> {
        self.spend(as_u64(text.len()).div_euclid(TEXT_BYTES_PER_STEP).saturating_add(1))
    }

    /// Calls itself at most `SCHEMA_DEPTH_MAX` deep: no schema is deeper, every `$ref` counted.
    // [SCH-07]
    pub(super) fn node(&mut self, node: &Value, value: &Value) -> Result<(), CheckError> {
        self.spend(1)?;
        let members = match node {
            Value::Bool(true) => return Ok(()),
            Value::Object(members) => members,
            _ => return self.broken(|| "is not allowed here".to_owned()),
        };
        for (keyword, argument) in members {
            self.spend(1)?;
            if !self.keyword(keyword, argument, members, value)? {
                let argument = || shown(&argument.to_string());
                return self.broken(|| format!("does not follow \"{keyword}\": {}", argument()));
            }
        }
        Ok(())
    }

    fn broken(&self, what: impl FnOnce() -> String) -> Result<(), CheckError> {
        let what = if self.trying { String::new() } else { what() };
        Err(CheckError::Broken(Violation { pointer: String::new(), what }))
    }

    /// A member or an item of a value.
    fn inside(&mut self, key: impl ToString, node: &Value, part: &Value) -> Result<(), CheckError> {
        self.node(node, part).map_err(|stop| match stop {
            CheckError::Broken(Violation { pointer, what }) if !self.trying => {
                CheckError::Broken(Violation {
                    pointer: below("", &key.to_string()) + &pointer,
                    what,
                })
            }
            stop => stop,
        })
    }

    /// Whether a value keeps a schema, for the keywords that go on either way.
    fn keeps(&mut self, node: &Value, value: &Value) -> Result<bool, CheckError> {
        let outer = core::mem::replace(&mut self.trying, true);
        let result = self.node(node, value);
        self.trying = outer;
        match result {
            Ok(()) => Ok(true),
            Err(CheckError::Broken(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    /// Whether a value keeps one keyword. It keeps those that are about other types.
    fn keyword(
        &mut self,
        keyword: &str,
        argument: &Value,
        siblings: &Map<String, Value>,
        value: &Value,
    ) -> Result<bool, CheckError> {
        Ok(match (keyword, value) {
            ("type", _) => list(argument).iter().any(|name| is_of(name, value)),
            ("const", _) => self.equal(argument, value)?,
            ("enum", _) => {
                for one in list(argument) {
                    if self.equal(one, value)? {
                        return Ok(true);
                    }
                }
                false
            }
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", Value::Number(_)) => {
                is_within(value, keyword, argument)
            }
            ("multipleOf", Value::Number(_)) => {
                match (ExactNumber::of(value), ExactNumber::of(argument)) {
                    (Some(number), Some(divisor)) => number.is_multiple_of(divisor),
                    _ => false,
                }
            }
            // [SCH-10]
            ("minLength" | "maxLength", Value::String(text)) => {
                self.spend(as_u64(text.len()))?;
                is_within(&text.chars().count().into(), keyword, argument)
            }
            ("pattern", Value::String(text)) => {
                let pattern = argument.as_str().and_then(|text| self.patterns.get(text));
                let search = |steps| match is_one_search(steps) {
                    true => self.spend(steps),
                    false => Err(CheckError::OutOfSteps),
                };
                pattern.map_or(Ok(false), |pattern| pattern.is_match(text, search))?
            }
            ("minItems" | "maxItems", Value::Array(items)) => {
                is_within(&items.len().into(), keyword, argument)
            }
            ("uniqueItems", Value::Array(items)) if argument == true => {
                let mut seen = BTreeSet::new();
                for item in items {
                    if !seen.insert(self.canonical(item)?) {
                        return Ok(false);
                    }
                }
                true
            }
            ("prefixItems", Value::Array(items)) => {
                for (at, (node, item)) in list(argument).iter().zip(items).enumerate() {
                    self.inside(at, node, item)?;
                }
                true
            }
            ("items", Value::Array(items)) => {
                let first = siblings.get("prefixItems").map_or(0, |nodes| list(nodes).len());
                for (at, item) in items.iter().enumerate().skip(first) {
                    self.inside(at, argument, item)?;
                }
                true
            }
            ("minProperties" | "maxProperties", Value::Object(members)) => {
                is_within(&members.len().into(), keyword, argument)
            }
            ("required", Value::Object(members)) => {
                for name in list(argument).iter().filter_map(Value::as_str) {
                    self.spend_text(name)?;
                    if !members.contains_key(name) {
                        return Ok(false);
                    }
                }
                true
            }
            ("properties", Value::Object(members)) => {
                for (key, node) in argument.as_object().into_iter().flatten() {
                    self.spend_text(key)?;
                    if let Some(member) = members.get(key) {
                        self.inside(key, node, member)?;
                    }
                }
                true
            }
            ("additionalProperties", Value::Object(members)) => {
                let known = siblings.get("properties").and_then(Value::as_object);
                for (key, member) in members {
                    self.spend_text(key)?;
                    if known.is_none_or(|known| !known.contains_key(key)) {
                        self.inside(key, argument, member)?;
                    }
                }
                true
            }
            ("allOf", _) => {
                for node in list(argument) {
                    self.node(node, value)?;
                }
                true
            }
            ("anyOf", _) => {
                for node in list(argument) {
                    if self.keeps(node, value)? {
                        return Ok(true);
                    }
                }
                false
            }
            ("oneOf", _) => {
                let mut kept = 0_usize;
                for node in list(argument) {
                    kept = kept.saturating_add(usize::from(self.keeps(node, value)?));
                }
                kept == 1
            }
            ("not", _) => !self.keeps(argument, value)?,
            ("$ref", _) => {
                self.spend_text(argument.as_str().unwrap_or_default())?;
                match definition(self.root, argument) {
                    Some(node) => self.node(node, value).map(|()| true)?,
                    None => false,
                }
            }
            _ => true,
        })
    }

    // [SCH-11]
    fn equal(&mut self, one: &Value, value: &Value) -> Result<bool, CheckError> {
        self.spend_text(one.as_str().unwrap_or_default())?;
        Ok(match (one, value) {
            (Value::Number(_), Value::Number(_)) => ExactNumber::of(one) == ExactNumber::of(value),
            (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_)) => {
                self.canonical(one)? == self.canonical(value)?
            }
            _ => one == value,
        })
    }

    fn canonical(&mut self, value: &Value) -> Result<String, CheckError> {
        let text = canonical(value);
        self.spend(as_u64(text.len()).saturating_mul(CANONICAL_BYTE_STEPS))?;
        Ok(text)
    }
}

// [SCH-09]
fn is_of(name: &Value, value: &Value) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(_) if name == "integer" => {
            ExactNumber::of(value).is_some_and(ExactNumber::is_integer)
        }
        Value::Number(_) => name == "number",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}
