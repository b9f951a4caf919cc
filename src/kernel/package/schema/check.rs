//! Validation of a value against a schema, in a bounded number of steps.

use super::number::{canonical, satisfies_bound, ExactNumber};
use super::read::{definition, one_or_many};
use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::encoding::as_u64;
use crate::kernel::json::closed_object::child_pointer;
use crate::kernel::limits::{SCHEMA_SLICE_STEPS, SCHEMA_STEPS_MAX};
use crate::kernel::pattern::{is_within_search_limit, Pattern};
use crate::kernel::prelude::*;
use crate::kernel::text::quote_untrusted;
use serde_json::{Map, Value};

/// Steps for a byte of the canonical text of a value: writing, sorting and comparing it.
const CANONICAL_BYTE_STEPS: u64 = 4;
/// Bytes of a text compared per step.
const TEXT_BYTES_PER_STEP: u64 = 16;

/// The rule that a value violates, and where. `what` contains text of the schema, never of the value; the
/// pointer contains keys of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer of the invalid part of the value.
    pub pointer: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(out, "(root): {}", self.what),
            pointer => write!(out, "{}: {}", quote_untrusted(pointer), self.what),
        }
    }
}

/// Why validation stopped. `not` inverts a violation, but neither of the others.
pub(super) enum CheckError {
    Violation(Violation),
    OutOfSteps,
    Interrupted(Interrupted),
}

pub(super) struct Checker<'a> {
    root: &'a Value,
    patterns: &'a BTreeMap<String, Pattern>,
    deadline: &'a Deadline<'a>,
    pub(super) steps_left: u64,
    /// Steps since the deadline was last checked.
    unchecked_steps: u64,
    /// Set while a violation only counts as a failed alternative: then its reason is not written.
    is_quiet: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        root: &'a Value,
        patterns: &'a BTreeMap<String, Pattern>,
        deadline: &'a Deadline<'a>,
    ) -> Self {
        let steps_left = SCHEMA_STEPS_MAX;
        Checker { root, patterns, deadline, steps_left, unchecked_steps: 0, is_quiet: false }
    }

    // [SCH-12] [SCH-13]
    fn charge(&mut self, steps: u64) -> Result<(), CheckError> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(CheckError::OutOfSteps)?;
        self.unchecked_steps = self.unchecked_steps.saturating_add(steps);
        if self.unchecked_steps >= SCHEMA_SLICE_STEPS {
            self.unchecked_steps = 0;
            self.deadline.check().map_err(CheckError::Interrupted)?;
        }
        Ok(())
    }

    /// Charges the steps of looking up a name or comparing a text, found or not.
    fn charge_text(&mut self, text: &str) -> Result<(), CheckError> {
        self.charge(as_u64(text.len()).div_euclid(TEXT_BYTES_PER_STEP).saturating_add(1))
    }

    /// Recurses at most `SCHEMA_DEPTH_MAX` deep: no schema is deeper, counting every `$ref`.
    // [SCH-07]
    pub(super) fn node(&mut self, node: &Value, value: &Value) -> Result<(), CheckError> {
        self.charge(1)?;
        let members = match node {
            Value::Bool(true) => return Ok(()),
            Value::Object(members) => members,
            _ => return self.violation(|| "is not allowed here".to_owned()),
        };
        for (keyword, argument) in members {
            self.charge(1)?;
            if !self.keyword(keyword, argument, members, value)? {
                let argument = || quote_untrusted(&argument.to_string());
                return self.violation(|| format!("does not follow \"{keyword}\": {}", argument()));
            }
        }
        Ok(())
    }

    fn violation(&self, what: impl FnOnce() -> String) -> Result<(), CheckError> {
        let what = if self.is_quiet { String::new() } else { what() };
        Err(CheckError::Violation(Violation { pointer: String::new(), what }))
    }

    /// Validates a member or an item of a value.
    fn inside(&mut self, key: impl ToString, node: &Value, part: &Value) -> Result<(), CheckError> {
        self.node(node, part).map_err(|stop| match stop {
            CheckError::Violation(Violation { pointer, what }) if !self.is_quiet => {
                CheckError::Violation(Violation {
                    pointer: child_pointer("", &key.to_string()) + &pointer,
                    what,
                })
            }
            stop => stop,
        })
    }

    /// Returns `true` if a value matches a schema, for keywords that continue in both cases.
    fn matches(&mut self, node: &Value, value: &Value) -> Result<bool, CheckError> {
        let outer = core::mem::replace(&mut self.is_quiet, true);
        let result = self.node(node, value);
        self.is_quiet = outer;
        match result {
            Ok(()) => Ok(true),
            Err(CheckError::Violation(_)) => Ok(false),
            Err(stop) => Err(stop),
        }
    }

    /// Returns `true` if a value satisfies a keyword, as it does if the keyword is for other types.
    fn keyword(
        &mut self,
        keyword: &str,
        argument: &Value,
        siblings: &Map<String, Value>,
        value: &Value,
    ) -> Result<bool, CheckError> {
        Ok(match (keyword, value) {
            ("type", _) => one_or_many(argument).iter().any(|name| has_type(name, value)),
            ("const", _) => self.equal(argument, value)?,
            ("enum", _) => {
                for one in one_or_many(argument) {
                    if self.equal(one, value)? {
                        return Ok(true);
                    }
                }
                false
            }
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", Value::Number(_)) => {
                satisfies_bound(value, keyword, argument)
            }
            ("multipleOf", Value::Number(_)) => {
                match (ExactNumber::of(value), ExactNumber::of(argument)) {
                    (Some(number), Some(divisor)) => number.is_multiple_of(divisor),
                    _ => false,
                }
            }
            // [SCH-10]
            ("minLength" | "maxLength", Value::String(text)) => {
                self.charge(as_u64(text.len()))?;
                satisfies_bound(&text.chars().count().into(), keyword, argument)
            }
            ("pattern", Value::String(text)) => {
                let pattern = argument.as_str().and_then(|text| self.patterns.get(text));
                let search = |steps| match is_within_search_limit(steps) {
                    true => self.charge(steps),
                    false => Err(CheckError::OutOfSteps),
                };
                pattern.map_or(Ok(false), |pattern| pattern.is_match(text, search))?
            }
            ("minItems" | "maxItems", Value::Array(items)) => {
                satisfies_bound(&items.len().into(), keyword, argument)
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
                for (at, (node, item)) in one_or_many(argument).iter().zip(items).enumerate() {
                    self.inside(at, node, item)?;
                }
                true
            }
            ("items", Value::Array(items)) => {
                let first = siblings.get("prefixItems").map_or(0, |nodes| one_or_many(nodes).len());
                for (at, item) in items.iter().enumerate().skip(first) {
                    self.inside(at, argument, item)?;
                }
                true
            }
            ("minProperties" | "maxProperties", Value::Object(members)) => {
                satisfies_bound(&members.len().into(), keyword, argument)
            }
            ("required", Value::Object(members)) => {
                for name in one_or_many(argument).iter().filter_map(Value::as_str) {
                    self.charge_text(name)?;
                    if !members.contains_key(name) {
                        let missing =
                            || format!("missing required property \"{}\"", quote_untrusted(name));
                        self.violation(missing)?;
                    }
                }
                true
            }
            ("properties", Value::Object(members)) => {
                for (key, node) in argument.as_object().into_iter().flatten() {
                    self.charge_text(key)?;
                    if let Some(member) = members.get(key) {
                        self.inside(key, node, member)?;
                    }
                }
                true
            }
            ("additionalProperties", Value::Object(members)) => {
                let known = siblings.get("properties").and_then(Value::as_object);
                for (key, member) in members {
                    self.charge_text(key)?;
                    if known.is_none_or(|known| !known.contains_key(key)) {
                        self.inside(key, argument, member)?;
                    }
                }
                true
            }
            ("propertyNames", Value::Object(members)) => {
                for key in members.keys() {
                    self.charge_text(key)?;
                    if !self.matches(argument, &Value::from(key.as_str()))? {
                        return Ok(false);
                    }
                }
                true
            }
            ("allOf", _) => {
                for node in one_or_many(argument) {
                    self.node(node, value)?;
                }
                true
            }
            ("anyOf", _) => {
                for node in one_or_many(argument) {
                    if self.matches(node, value)? {
                        return Ok(true);
                    }
                }
                false
            }
            ("oneOf", _) => {
                let mut matched = 0_usize;
                for node in one_or_many(argument) {
                    matched = matched.saturating_add(usize::from(self.matches(node, value)?));
                }
                matched == 1
            }
            ("not", _) => !self.matches(argument, value)?,
            ("$ref", _) => {
                self.charge_text(argument.as_str().unwrap_or_default())?;
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
        self.charge_text(one.as_str().unwrap_or_default())?;
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
        self.charge(as_u64(text.len()).saturating_mul(CANONICAL_BYTE_STEPS))?;
        Ok(text)
    }
}

// [SCH-09]
fn has_type(name: &Value, value: &Value) -> bool {
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
