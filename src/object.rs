//! Room: reading a closed JSON object member by member, so that what is not asked for is refused.
//!
//! Take each member by name and type, then call [`ObjectReader::finish`], which refuses whatever is
//! left. Errors name the place as a JSON pointer (RFC 6901). Which reason codes they carry is the
//! caller's choice: a manifest has one for each kind of fault, a trust store one for all.

use crate::error::{Code, Error};
use crate::json;
use serde_json::{Map, Value};

/// The reason codes that one document's faults carry.
#[derive(Clone, Copy, Debug)]
pub struct ObjectCodes {
    /// Not strict JSON, or too large.
    pub syntax: Code,
    /// A member that the schema does not know.
    pub unknown_key: Code,
    /// A required member is absent.
    pub missing_key: Code,
    /// Another JSON type than the schema states.
    pub wrong_type: Code,
    /// The right type, but not a value that the schema allows.
    pub bad_value: Code,
}

impl ObjectCodes {
    /// One code for every fault.
    pub const fn all(code: Code) -> Self {
        ObjectCodes {
            syntax: code,
            unknown_key: code,
            missing_key: code,
            wrong_type: code,
            bad_value: code,
        }
    }
}

/// A type that a member can be read as.
pub trait Member: Sized {
    /// Reads `value`, which stands at the JSON pointer `at`.
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error>;
}

/// One object whose members are taken out until none is left.
#[derive(Debug)]
pub struct ObjectReader {
    members: Map<String, Value>,
    at: String,
    codes: ObjectCodes,
}

impl ObjectReader {
    /// Parses a text that has to be one object. `depth_max` counts it as the first level.
    pub fn parse(
        bytes: &[u8],
        bytes_max: usize,
        depth_max: usize,
        codes: ObjectCodes,
    ) -> Result<Self, Error> {
        if bytes.len() > bytes_max {
            return Err(Error::new(codes.syntax, format!("longer than {bytes_max} bytes")));
        }
        let value = json::parse(bytes, depth_max)
            .map_err(|error| Error::new(codes.syntax, error.to_string()))?;
        Self::read(value, "", codes)
    }

    /// Takes a member that may be absent. `null` is a value of another type, not absence.
    pub fn optional<T: Member>(&mut self, key: &str) -> Result<Option<T>, Error> {
        let at = self.pointer(key);
        self.members.remove(key).map(|value| T::read(value, &at, self.codes)).transpose()
    }

    /// Takes a member that has to be there.
    pub fn required<T: Member>(&mut self, key: &str) -> Result<T, Error> {
        self.optional(key)?.ok_or_else(|| {
            Error::new(self.codes.missing_key, format!("{} is missing", self.pointer(key)))
        })
    }

    /// Takes a required text and turns it into a `T`; `expected` says what it should have been.
    pub fn parsed<T>(
        &mut self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Error> {
        let text: String = self.required(key)?;
        parse(&text).ok_or_else(|| self.bad(key, expected))
    }

    /// Takes a list of texts, empty if absent; `expected` says what each should have been.
    pub fn texts(
        &mut self,
        key: &str,
        expected: &str,
        allowed: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Error> {
        let texts: Vec<String> = self.optional(key)?.unwrap_or_default();
        match texts.iter().position(|text| !allowed(text)) {
            Some(n) => {
                let place = format!("{}/{n}", self.pointer(key));
                Err(Error::new(self.codes.bad_value, format!("{place} is not {expected}")))
            }
            None => Ok(texts),
        }
    }

    /// An error about the value of the member `key`, which should have been `expected`.
    pub fn bad(&self, key: &str, expected: &str) -> Error {
        Error::new(self.codes.bad_value, format!("{} is not {expected}", self.pointer(key)))
    }

    /// The same error, saying that it arose in this object.
    pub fn locate(&self, error: &Error) -> Error {
        let at = if self.at.is_empty() { "/" } else { &self.at };
        Error::new(error.code(), format!("{at}: {}", error.detail()))
    }

    /// Refuses whatever was not taken.
    pub fn finish(self) -> Result<(), Error> {
        match self.members.keys().next() {
            Some(key) => {
                let place = self.pointer(key);
                Err(Error::new(self.codes.unknown_key, format!("{place} is not a known member")))
            }
            None => Ok(()),
        }
    }

    fn pointer(&self, key: &str) -> String {
        format!("{}/{}", self.at, shown(&key.replace('~', "~0").replace('/', "~1")))
    }
}

/// At most 64 characters, none of which a terminal would obey: keys come from the document.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(64).collect();
    cut.escape_debug().to_string()
}

fn wrong_type(at: &str, expected: &str, codes: ObjectCodes) -> Error {
    let at = if at.is_empty() { "the document" } else { at };
    Error::new(codes.wrong_type, format!("{at} is not {expected}"))
}

impl Member for ObjectReader {
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error> {
        match value {
            Value::Object(members) => Ok(ObjectReader { members, at: at.to_owned(), codes }),
            _ => Err(wrong_type(at, "an object", codes)),
        }
    }
}

impl Member for String {
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(wrong_type(at, "a string", codes)),
        }
    }
}

impl Member for bool {
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error> {
        value.as_bool().ok_or_else(|| wrong_type(at, "true or false", codes))
    }
}

impl Member for u64 {
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error> {
        value.as_u64().ok_or_else(|| wrong_type(at, "a whole number from 0", codes))
    }
}

impl Member for u32 {
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error> {
        let number = u64::read(value, at, codes)?;
        u32::try_from(number)
            .map_err(|_| Error::new(codes.bad_value, format!("{at} is not below 4294967296")))
    }
}

/// Any value, for members that have a reader of their own.
impl Member for Value {
    fn read(value: Value, _: &str, _: ObjectCodes) -> Result<Self, Error> {
        Ok(value)
    }
}

impl<T: Member> Member for Vec<T> {
    fn read(value: Value, at: &str, codes: ObjectCodes) -> Result<Self, Error> {
        match value {
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(n, item)| T::read(item, &format!("{at}/{n}"), codes))
                .collect(),
            _ => Err(wrong_type(at, "an array", codes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: ObjectCodes = ObjectCodes {
        syntax: Code::ManifestSyntax,
        unknown_key: Code::ManifestUnknownKey,
        missing_key: Code::ManifestMissingKey,
        wrong_type: Code::ManifestType,
        bad_value: Code::ManifestValue,
    };

    fn read(text: &str) -> Result<(String, Option<u32>, Vec<bool>), Error> {
        let mut root = ObjectReader::parse(text.as_bytes(), 200, 4, CODES)?;
        let name = root.required("name")?;
        let size = root.optional("size")?;
        let mut inner: ObjectReader = root.required("in/ner")?;
        let flags = inner.required("flags")?;
        inner.finish()?;
        root.finish()?;
        Ok((name, size, flags))
    }

    #[test]
    fn members_are_handed_out_by_type() {
        let text = r#"{"name":"n","size":7,"in/ner":{"flags":[true,false]}}"#;
        assert_eq!(read(text), Ok(("n".to_owned(), Some(7), vec![true, false])));
    }

    #[test]
    fn each_fault_has_its_code_and_its_place() {
        for (text, code, detail) in [
            ("[]", Code::ManifestType, "the document is not an object"),
            ("{", Code::ManifestSyntax, "EOF while parsing an object at line 1 column 1"),
            ("{}", Code::ManifestMissingKey, "/name is missing"),
            (r#"{"name":null}"#, Code::ManifestType, "/name is not a string"),
            (
                r#"{"name":"","size":null}"#,
                Code::ManifestType,
                "/size is not a whole number from 0",
            ),
            (r#"{"name":"","size":1.0}"#, Code::ManifestType, "/size is not a whole number from 0"),
            (
                r#"{"name":"","size":4294967296}"#,
                Code::ManifestValue,
                "/size is not below 4294967296",
            ),
            (r#"{"name":"","in/ner":{}}"#, Code::ManifestMissingKey, "/in~1ner/flags is missing"),
            (
                r#"{"name":"","in/ner":{"flags":[true,0]}}"#,
                Code::ManifestType,
                "/in~1ner/flags/1 is not true or false",
            ),
            (
                r#"{"name":"","in/ner":{"flags":[],"~\u001b":1}}"#,
                Code::ManifestUnknownKey,
                r"/in~1ner/~0\u{1b} is not a known member",
            ),
            (
                r#"{"name":"","in/ner":{"flags":[]},"Name":""}"#,
                Code::ManifestUnknownKey,
                "/Name is not a known member",
            ),
        ] {
            let error = read(text).expect_err(text);
            assert_eq!((error.code(), error.detail()), (code, detail), "{text}");
        }
        let error = read(&" ".repeat(201)).expect_err("too long");
        assert_eq!((error.code(), error.detail()), (Code::ManifestSyntax, "longer than 200 bytes"));
    }
}
