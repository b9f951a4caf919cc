//! Room: the JSON Schema subset that `parameters` and `returns` are written in.
//!
//! The keywords mean what JSON Schema 2020-12 says. A keyword outside the subset is refused when the
//! manifest is read, so nothing that a publisher declares goes unchecked. A schema is a tree of rules
//! once compiled (every `$ref` written out), and checking a value costs a bounded number of steps.

mod check;
mod compile;
mod number;
#[cfg(test)]
mod tests;

use crate::deadline::{CancelFlag, Deadline, Interrupted};
use crate::json::object::Fault;
use crate::limits::{SCHEMA_BYTES_MAX, SCHEMA_NODES_COUNT_MAX};
use crate::pattern::Pattern;
use crate::text::shown;
use number::Exact;
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

/// A schema that passed every rule of `spec/manifest.md`, with the JSON it was made from.
#[derive(Clone, Debug)]
pub struct Schema {
    source: Value,
    root: Node,
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Schema {
    /// Reads the schema of a tool's arguments or answer, which stands at `pointer` in the manifest.
    ///
    /// # Errors
    /// [`crate::json::object::FaultKind::Unsupported`] for what is outside the subset of
    /// `spec/manifest.md`; the other kinds for a keyword put wrongly.
    ///
    /// ```
    /// use mpp::package::schema::Schema;
    /// let text = br#"{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}"#;
    /// let schema = Schema::compile(&mpp::json::parse(text, 8).unwrap(), "").unwrap();
    /// let arguments = mpp::json::parse(br#"{"n":0}"#, 8).unwrap();
    /// let violation = schema.validate(&arguments).unwrap_err();
    /// assert_eq!(violation.to_string(), "/n: must be at least 1");
    /// ```
    pub fn compile(source: &Value, pointer: &str) -> Result<Self, Fault> {
        Self::compile_within(source, pointer, &mut Budget::default())
    }

    /// The same for one of several schemas that share a budget, as those of a manifest do.
    ///
    /// # Errors
    /// Those of [`Schema::compile`], also for what the schemas before it left too little for.
    pub(crate) fn compile_within(
        source: &Value,
        pointer: &str,
        budget: &mut Budget,
    ) -> Result<Self, Fault> {
        let root = compile::root(source, pointer, budget)?;
        Ok(Schema { source: source.clone(), root })
    }

    /// The JSON it was made from, as agents get to see it.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The first rule that the value breaks, or that it takes too many steps to check.
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        let unlimited = Deadline::only(&CancelFlag::default());
        self.validate_within(value, &unlimited).unwrap_or_else(|_| {
            // Nobody has the flag, and no time is set.
            Err(Violation { pointer: String::new(), what: "was not checked".to_owned() })
        })
    }

    /// Checks a value as long as the deadline lets it.
    pub(crate) fn validate_within(
        &self,
        value: &Value,
        deadline: &Deadline,
    ) -> Result<Result<(), Violation>, Interrupted> {
        check::value(&self.root, value, deadline)
    }
}

/// What is left of the schemas, and of the bytes of copied definitions, that all schemas of one
/// manifest may have together.
// [SCH-07]
#[derive(Debug)]
pub(crate) struct Budget {
    nodes_left: usize,
    bytes_left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { nodes_left: SCHEMA_NODES_COUNT_MAX, bytes_left: SCHEMA_BYTES_MAX }
    }
}

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

/// One schema: a value has to keep every rule. No rules is `true`.
#[derive(Clone, Debug, Default)]
struct Node(Vec<Rule>);

/// One keyword. A rule about another type than the value's is kept by that value.
#[derive(Clone, Debug)]
enum Rule {
    /// The schema `false`.
    Never,
    Type(Vec<Type>),
    /// `enum` and `const`: canonical texts.
    Values(BTreeSet<String>),
    /// The four bounds of numbers.
    Bound(Relation, Exact),
    MultipleOf(u32),
    /// The six bounds of lengths and counts.
    Size(Measure, Relation, u64),
    Pattern(Pattern),
    UniqueItems,
    /// `prefixItems`.
    FirstItems(Vec<Node>),
    /// `items`: those behind so many first ones.
    RestItems(usize, Node),
    Required(Vec<String>),
    Properties(Vec<(String, Node)>),
    /// `additionalProperties`: those of other names than these.
    OtherProperties(BTreeSet<String>, Node),
    AllOf(Vec<Node>),
    AnyOf(Vec<Node>),
    OneOf(Vec<Node>),
    Not(Node),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    AtLeast,
    AtMost,
    Above,
    Below,
}

#[derive(Clone, Copy, Debug)]
enum Measure {
    Characters,
    Items,
    Members,
}

impl Type {
    const ALL: [(Type, &'static str); 7] = [
        (Type::Null, "null"),
        (Type::Boolean, "boolean"),
        (Type::Integer, "integer"),
        (Type::Number, "number"),
        (Type::String, "string"),
        (Type::Array, "array"),
        (Type::Object, "object"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    // [SCH-09]
    fn is_of(self, value: &Value) -> bool {
        match (self, value) {
            (Type::Integer, Value::Number(number)) => Exact::of(number).is_integer(),
            (Type::Null, Value::Null)
            | (Type::Boolean, Value::Bool(_))
            | (Type::Number, Value::Number(_))
            | (Type::String, Value::String(_))
            | (Type::Array, Value::Array(_))
            | (Type::Object, Value::Object(_)) => true,
            _ => false,
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::AtLeast => order.is_ge(),
            Relation::AtMost => order.is_le(),
            Relation::Above => order.is_gt(),
            Relation::Below => order.is_lt(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Relation::AtLeast => "at least",
            Relation::AtMost => "at most",
            Relation::Above => "above",
            Relation::Below => "below",
        }
    }
}

impl Measure {
    fn words(self) -> &'static str {
        match self {
            Measure::Characters => "characters",
            Measure::Items => "items",
            Measure::Members => "members",
        }
    }
}
