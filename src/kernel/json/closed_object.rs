//! Reader of closed JSON objects: a key that the reader does not name is refused.
//!
//! Every [`DocumentError`] has the JSON pointer (RFC 6901) of the invalid place.

use crate::kernel::prelude::*;
use crate::kernel::text::quote_untrusted;
use core::ops::RangeInclusive;
use serde_json::{Map, Value};

/// The kind of a [`DocumentError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentErrorKind {
    /// A key that the object must not have.
    UnknownKey,
    /// A required key that is missing.
    MissingKey,
    /// A value of a JSON type that is not allowed.
    WrongType,
    /// A value of the right type that is not allowed.
    BadValue,
    /// A standard feature that is deliberately not supported.
    Unsupported,
}

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// The kind of the error.
    pub kind: DocumentErrorKind,
    /// JSON pointer of the invalid value, or of the missing or unknown key.
    pub pointer: String,
    /// What is wrong, in lower case and without a full stop.
    pub what: String,
}
impl DocumentError {
    fn new(kind: DocumentErrorKind, pointer: &str, what: impl Into<String>) -> Self {
        DocumentError { kind, pointer: pointer.to_owned(), what: what.into() }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(out, "(root): {}", self.what),
            pointer => write!(out, "{}: {}", quote_untrusted(pointer), self.what),
        }
    }
}

/// Returns the pointer of a member or an item of the value at `pointer`, escaped as in RFC 6901 §3.
pub fn child_pointer(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A value of a document, with its place.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    value: &'a Value,
    pointer: String,
}

impl<'a> Field<'a> {
    /// A value with its JSON pointer, which is empty for the root.
    pub fn new(value: &'a Value, pointer: impl Into<String>) -> Self {
        Field { value, pointer: pointer.into() }
    }

    /// Returns a member or an item of this value.
    pub fn child(&self, key: &str, value: &'a Value) -> Self {
        Field { value, pointer: child_pointer(&self.pointer, key) }
    }

    /// Returns the value.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Returns the JSON pointer of the value.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns the error for a value of another type than `what`.
    pub fn wrong_type(&self, what: &str) -> DocumentError {
        let what = format!("must be {what}, not {}", type_name(self.value));
        DocumentError::new(DocumentErrorKind::WrongType, &self.pointer, what)
    }

    /// Returns the error for a value of the right type that is not allowed.
    pub fn bad_value(&self, what: impl Into<String>) -> DocumentError {
        DocumentError::new(DocumentErrorKind::BadValue, &self.pointer, what)
    }

    /// Returns the error for a standard feature that is deliberately not supported.
    pub fn unsupported(&self, what: impl Into<String>) -> DocumentError {
        DocumentError::new(DocumentErrorKind::Unsupported, &self.pointer, what)
    }

    /// Returns a [`DocumentErrorKind::BadValue`] error unless the value is allowed.
    ///
    /// # Errors
    /// `is_allowed` is false.
    pub fn check(&self, is_allowed: bool, what: &str) -> Result<(), DocumentError> {
        is_allowed.then_some(()).ok_or_else(|| self.bad_value(what))
    }

    /// Reads a closed object: keys that `read` did not name are refused when it returns.
    ///
    /// # Errors
    /// Not an object, an error of `read`, or an unknown key.
    pub fn object<T>(
        &self,
        read: impl FnOnce(&mut ClosedObject<'a>) -> Result<T, DocumentError>,
    ) -> Result<T, DocumentError> {
        let members = self.members()?;
        let mut object =
            ClosedObject { members, pointer: self.pointer.clone(), known_keys: BTreeSet::new() };
        let result = read(&mut object)?;
        object.finish()?;
        Ok(result)
    }

    /// Returns the members of an object that is not closed.
    ///
    /// # Errors
    /// Not an object.
    pub fn members(&self) -> Result<&'a Map<String, Value>, DocumentError> {
        self.value.as_object().ok_or_else(|| self.wrong_type("an object"))
    }

    /// Reads an array with an allowed number of items.
    ///
    /// # Errors
    /// Not an array, another number of items, or an error of `read`.
    pub fn array<T>(
        &self,
        count: RangeInclusive<usize>,
        mut read: impl FnMut(&Field<'a>) -> Result<T, DocumentError>,
    ) -> Result<Vec<T>, DocumentError> {
        let items = self.value.as_array().ok_or_else(|| self.wrong_type("an array"))?;
        if !count.contains(&items.len()) {
            let expected = match (count.start(), count.end()) {
                (low, &usize::MAX) => format!("{low} or more"),
                (low, high) => format!("{low} to {high}"),
            };
            return Err(self.bad_value(format!("has {} items, expected {expected}", items.len())));
        }
        let members = items.iter().enumerate();
        members.map(|(at, value)| read(&self.child(&at.to_string(), value))).collect()
    }

    /// Reads a string.
    ///
    /// # Errors
    /// Another type.
    pub fn text(&self) -> Result<&'a str, DocumentError> {
        self.value.as_str().ok_or_else(|| self.wrong_type("a string"))
    }

    /// Parses a string; `what` describes the texts that `parse` accepts.
    ///
    /// # Errors
    /// Another type, or a text for which `parse` returns `None`.
    pub fn parsed<T>(
        &self,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, DocumentError> {
        parse(self.text()?).ok_or_else(|| self.bad_value(format!("must be {what}")))
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    /// Another type.
    pub fn boolean(&self) -> Result<bool, DocumentError> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    // [MAN-06]
    /// Reads a number in integer notation: `64`, but not `64.0` or `6.4e1`.
    ///
    /// # Errors
    /// Another type, another notation, or a number out of range.
    pub fn integer<T>(&self, range: RangeInclusive<T>) -> Result<T, DocumentError>
    where
        T: TryFrom<u64> + PartialOrd + fmt::Display,
    {
        if !self.value.is_u64() && !self.value.is_i64() {
            return Err(self.wrong_type("an integer"));
        }
        let number = self.value.as_u64().and_then(|number| T::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            self.bad_value(format!("is {}, expected {low} to {high}", self.value))
        })
    }
}

/// A closed object while it is read.
#[derive(Debug)]
pub struct ClosedObject<'a> {
    members: &'a Map<String, Value>,
    pointer: String,
    known_keys: BTreeSet<&'static str>,
}

impl<'a> ClosedObject<'a> {
    /// Returns the member of this name, if present.
    pub fn optional(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known_keys.insert(key);
        let value = self.members.get(key)?;
        Some(Field { value, pointer: child_pointer(&self.pointer, key) })
    }

    /// Returns the member of this name.
    ///
    /// # Errors
    /// The member is missing.
    pub fn required(&mut self, key: &'static str) -> Result<Field<'a>, DocumentError> {
        self.optional(key).ok_or_else(|| self.missing(key))
    }

    /// Returns the error for an object without the member of this name.
    pub fn missing(&self, key: &str) -> DocumentError {
        self.key_error(DocumentErrorKind::MissingKey, key, "missing required key")
    }

    fn finish(&self) -> Result<(), DocumentError> {
        match self.members.keys().find(|key| !self.known_keys.contains(key.as_str())) {
            None => Ok(()),
            Some(key) => Err(self.key_error(DocumentErrorKind::UnknownKey, key, "unknown key")),
        }
    }

    fn key_error(&self, kind: DocumentErrorKind, key: &str, what: &str) -> DocumentError {
        DocumentError::new(kind, &child_pointer(&self.pointer, key), what)
    }
}

/// Returns the name of a value's JSON type, with its article.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number that is not a 64-bit integer",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
