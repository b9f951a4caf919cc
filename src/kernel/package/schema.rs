//! The JSON Schema subset of `parameters` and `returns`: reading schemas and validating values.
//!
//! The keywords mean what JSON Schema 2020-12 says. A keyword outside the subset is refused when the
//! manifest is read, so that nothing a publisher declares goes unchecked. Values are validated against
//! the JSON of the schema: reading checks its form and depth, and validation counts its steps.

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
    /// Its compiled regular expressions, by their texts.
    patterns: BTreeMap<String, Pattern>,
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Schema {
    /// Reads the schema of a tool's arguments or result, which is at `pointer` in the manifest.
    ///
    /// # Errors
    /// [`crate::kernel::json::closed_object::DocumentErrorKind::Unsupported`] for what is outside the subset of
    /// `spec/manifest.md`; the other kinds for a misused keyword.
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

    /// Returns the JSON of the schema.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Returns `true` if the schema contains regular expressions.
    pub(in crate::kernel) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Validates a value.
    ///
    /// # Errors
    /// The first rule that the value violates, or that validation takes too many steps.
    pub fn validate(&self, value: &Value) -> Result<(), Violation> {
        let unlimited = Deadline::unlimited();
        self.validate_within(value, &unlimited).unwrap_or_else(|_| {
            // An unlimited deadline never interrupts.
            Err(Violation { pointer: String::new(), what: "was not checked".to_owned() })
        })
    }

    /// Validates a value within a deadline.
    pub fn validate_within(
        &self,
        value: &Value,
        deadline: &Deadline,
    ) -> Result<Result<(), Violation>, Interrupted> {
        match Checker::new(&self.source, &self.patterns, deadline).node(&self.source, value) {
            Ok(()) => Ok(Ok(())),
            Err(CheckError::Violation(violation)) => Ok(Err(violation)),
            Err(CheckError::OutOfSteps) => Ok(Err(Violation {
                pointer: String::new(),
                what: "takes too many steps to validate".to_owned(),
            })),
            Err(CheckError::Interrupted(interrupted)) => Err(interrupted),
        }
    }
}
