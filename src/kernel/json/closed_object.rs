//! Room: reading a closed JSON object: what is asked for is handed out, what was not asked for is
//! refused. A parser written with it reads like the table of keys in its spec page.
//!
//! Every [`DocumentError`] carries the JSON pointer (RFC 6901) of the place that was wrong.

use crate::kernel::prelude::*;
use crate::kernel::text::shown;
use core::ops::RangeInclusive;
use serde_json::{Map, Value};

/// What kind of fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentErrorKind {
    /// A key that this object does not have.
    UnknownKey,
    /// A key that this object must have.
    MissingKey,
    /// Another JSON type than the one allowed.
    WrongType,
    /// The right type, but no allowed value.
    BadValue,
    /// Something that exists elsewhere and is left out here on purpose.
    Unsupported,
}

/// What was wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// What kind of fault it was.
    pub kind: DocumentErrorKind,
    /// JSON pointer of the value at fault; for a missing or unknown key, of that key.
    pub pointer: String,
    /// What was wrong, in lower case and without a full stop.
    pub what: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => write!(out, "the whole document: {}", self.what),
            pointer => write!(out, "{}: {}", shown(pointer), self.what),
        }
    }
}

/// The pointer of a member or item below `pointer`, escaped as RFC 6901 §3 says.
pub fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// One value of the document, with its place.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    value: &'a Value,
    pointer: String,
}

impl<'a> Field<'a> {
    /// A value with its JSON pointer; that of the whole document is empty.
    pub fn new(value: &'a Value, pointer: impl Into<String>) -> Self {
        Field { value, pointer: pointer.into() }
    }

    /// A value of this array or object, with its place.
    pub fn child(&self, key: &str, value: &'a Value) -> Self {
        Field { value, pointer: below(&self.pointer, key) }
    }

    /// The value itself.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Its JSON pointer.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// A fault at this place: another type than the one allowed.
    pub fn wrong_type(&self, what: &str) -> DocumentError {
        DocumentError {
            kind: DocumentErrorKind::WrongType,
            pointer: self.pointer.clone(),
            what: format!("must be {what}, not {}", type_name(self.value)),
        }
    }

    /// A fault at this place: the right type, but no allowed value.
    pub fn bad_value(&self, what: impl Into<String>) -> DocumentError {
        DocumentError {
            kind: DocumentErrorKind::BadValue,
            pointer: self.pointer.clone(),
            what: what.into(),
        }
    }

    /// A fault at this place: something that is left out here on purpose.
    pub fn unsupported(&self, what: impl Into<String>) -> DocumentError {
        DocumentError {
            kind: DocumentErrorKind::Unsupported,
            pointer: self.pointer.clone(),
            what: what.into(),
        }
    }

    /// Refuses the value at this place, of the right type, unless this holds of it.
    ///
    /// # Errors
    /// It does not.
    pub fn check(&self, holds: bool, what: &str) -> Result<(), DocumentError> {
        holds.then_some(()).ok_or_else(|| self.bad_value(what))
    }

    /// Reads a closed object: every key that `read` did not ask for is refused when it returns.
    ///
    /// # Errors
    /// Not an object, whatever `read` refuses, or a key that it did not ask for.
    pub fn object<T>(
        &self,
        read: impl FnOnce(&mut ClosedObject<'a>) -> Result<T, DocumentError>,
    ) -> Result<T, DocumentError> {
        let members = self.members()?;
        let mut object =
            ClosedObject { members, pointer: self.pointer.clone(), asked_for: BTreeSet::new() };
        let result = read(&mut object)?;
        object.finish()?;
        Ok(result)
    }

    /// The members of an object that is not closed.
    ///
    /// # Errors
    /// Not an object.
    pub fn members(&self) -> Result<&'a Map<String, Value>, DocumentError> {
        self.value.as_object().ok_or_else(|| self.wrong_type("an object"))
    }

    /// Reads an array of so many items.
    ///
    /// # Errors
    /// Not an array, another number of items, or whatever `read` refuses.
    pub fn array<T>(
        &self,
        count: RangeInclusive<usize>,
        mut read: impl FnMut(&Field<'a>) -> Result<T, DocumentError>,
    ) -> Result<Vec<T>, DocumentError> {
        let items = self.value.as_array().ok_or_else(|| self.wrong_type("an array"))?;
        if !count.contains(&items.len()) {
            return Err(self.bad_value(match (count.start(), count.end()) {
                (low, &usize::MAX) => format!("must have {low} items or more"),
                (low, high) => format!("must have {low} to {high} items"),
            }));
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

    /// Reads a text that stands for a `T`; `what` says which texts do.
    ///
    /// # Errors
    /// Another type, or a text for which `parse` gives nothing.
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
    /// Reads a number written as an integer: `64`, and neither `64.0` nor `6.4e1`.
    ///
    /// # Errors
    /// Another type, a number written in another way, or one out of range.
    pub fn integer<T>(&self, range: RangeInclusive<T>) -> Result<T, DocumentError>
    where
        T: TryFrom<u64> + PartialOrd + fmt::Display,
    {
        if !self.value.is_u64() && !self.value.is_i64() {
            return Err(self.wrong_type("an integer"));
        }
        let number = self.value.as_u64().and_then(|number| T::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            self.bad_value(format!("must be from {} to {}", range.start(), range.end()))
        })
    }
}

/// A closed object while it is read.
#[derive(Debug)]
pub struct ClosedObject<'a> {
    members: &'a Map<String, Value>,
    pointer: String,
    asked_for: BTreeSet<&'static str>,
}

impl<'a> ClosedObject<'a> {
    /// The member of this name, if there is one.
    pub fn optional(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.asked_for.insert(key);
        let value = self.members.get(key)?;
        Some(Field { value, pointer: below(&self.pointer, key) })
    }

    /// The member of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn required(&mut self, key: &'static str) -> Result<Field<'a>, DocumentError> {
        self.optional(key).ok_or_else(|| self.missing(key))
    }

    /// The fault of an object without the member of this name.
    pub fn missing(&self, key: &str) -> DocumentError {
        DocumentError {
            kind: DocumentErrorKind::MissingKey,
            pointer: below(&self.pointer, key),
            what: "this key is missing".to_owned(),
        }
    }

    fn finish(&self) -> Result<(), DocumentError> {
        match self.members.keys().find(|key| !self.asked_for.contains(key.as_str())) {
            None => Ok(()),
            Some(key) => Err(DocumentError {
                kind: DocumentErrorKind::UnknownKey,
                pointer: below(&self.pointer, key),
                what: "there is no such key here".to_owned(),
            }),
        }
    }
}

/// The name of a value's JSON type, with its article.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number that is no 64-bit integer",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
