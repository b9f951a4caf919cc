//! The JSON Schema subset that `parameters` and `returns` are written in.
//!
//! The keywords mean what JSON Schema 2020-12 says. A keyword outside the subset is refused when the
//! manifest is read, so nothing that a publisher declares goes unchecked. A value is checked against the
//! JSON of the schema itself: reading has seen to its form and its depth, and checking counts its steps.

mod check;
mod number;
mod read;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/package/schema.rs"]
mod tests;

use crate::kernel::deadline::{Deadline, Interrupted};
use crate::kernel::json::closed_object::DocumentError;
use crate::kernel::pattern::Pattern;
use crate::kernel::prelude::*;
pub use check::Violation;
use check::{CheckError, Checker};
use serde_json::Value;

/// A schema that passed every rule of `spec/manifest.md`.
#[derive(Clone, Debug)]
pub struct Schema {
    source: Value,
    /// Its regular expressions by their texts, compiled once.
    patterns: BTreeMap<String, Pattern>,
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
    /// [`crate::kernel::json::closed_object::DocumentErrorKind::Unsupported`] for what is outside the subset of
    /// `spec/manifest.md`; the other kinds for a keyword put wrongly.
    ///
    /// ```
    /// use mpp::package::schema::Schema;
    /// let text = br#"{"type":"object","properties":{"n":{"type":"integer","minimum":1}}}"#;
    /// let schema = Schema::read(&mpp::json::parse(text, 8).unwrap(), "").unwrap();
    /// let arguments = mpp::json::parse(br#"{"n":0}"#, 8).unwrap();
    /// let violation = schema.validate(&arguments).unwrap_err();
    /// assert_eq!(violation.to_string(), "/n: does not follow \"minimum\": 1");
    /// ```
    pub fn read(source: &Value, pointer: &str) -> Result<Self, DocumentError> {
        Ok(Schema { source: source.clone(), patterns: read::schema(source, pointer)? })
    }

    /// The JSON it was read from, as agents get to see it.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Whether it holds regular expressions.
    pub(in crate::kernel) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The first rule that the value breaks, or that it takes too many steps to check.
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        let unlimited = Deadline::unlimited();
        self.validate_within(value, &unlimited).unwrap_or_else(|_| {
            // Nobody has the flag, and no time is set.
            Err(Violation { pointer: String::new(), what: "was not checked".to_owned() })
        })
    }

    /// Checks a value as long as the deadline lets it.
    pub fn validate_within(
        &self,
        value: &Value,
        deadline: &Deadline,
    ) -> Result<Result<(), Violation>, Interrupted> {
        match Checker::new(&self.source, &self.patterns, deadline).node(&self.source, value) {
            Ok(()) => Ok(Ok(())),
            Err(CheckError::Broken(violation)) => Ok(Err(violation)),
            Err(CheckError::OutOfSteps) => Ok(Err(Violation {
                pointer: String::new(),
                what: "takes more steps to check than are allowed".to_owned(),
            })),
            Err(CheckError::Interrupted(interrupted)) => Err(interrupted),
        }
    }
}
