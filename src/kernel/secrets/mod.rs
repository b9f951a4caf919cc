//! Secrets: API keys and passwords that tools use without seeing them. A policy names them, the host stores
//! them, and the privacy filter removes them from every result (`spec/secrets.md`).
//!
//! No value is ever printed: [`SecretValue`] and [`KnownSecret`] have neither `Debug` nor `Display`, and no
//! error text has one.

mod matcher;

/// Returns `true` if a secret can have this name. The rules are those of environment variables, so that no
/// name looks like an option or a path.
// [SECRET-02]
pub use crate::kernel::names::is_environment_name as is_name;
pub(in crate::kernel) use matcher::{Occurrence, SecretMatcher};

use crate::kernel::limits::{SECRET_BYTES_MAX, SECRET_BYTES_MIN};
use crate::kernel::prelude::*;

/// The value of a secret: one line of printable ASCII, 8 bytes to 4 KiB.
///
/// ```compile_fail,E0277
/// let value = mpp::secrets::SecretValue::parse("correct-horse-battery").unwrap();
/// println!("{value:?}");
/// ```
///
/// ```compile_fail,E0277
/// let value = mpp::secrets::SecretValue::parse("correct-horse-battery").unwrap();
/// println!("{value}");
/// ```
#[derive(Clone)]
pub struct SecretValue(String);

impl SecretValue {
    /// Parses a value.
    ///
    /// # Errors
    /// `secret.invalid`, without the value.
    // [SECRET-01]
    pub fn parse(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let refuse = |why: String| Err(Error::new(Code::SecretInvalid, why));
        if text.len() < SECRET_BYTES_MIN {
            return refuse(format!("secret is shorter than {SECRET_BYTES_MIN} bytes"));
        }
        if text.len() > SECRET_BYTES_MAX {
            return refuse(format!("secret is longer than {SECRET_BYTES_MAX} bytes"));
        }
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !printable || text.trim() != text {
            let form = "one line of printable ASCII without surrounding white space";
            return refuse(format!("secret is not {form}"));
        }
        Ok(SecretValue(text))
    }

    /// Returns the value, for its use.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A text that results never show: a secret's value, or a value from the policy itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownSecret {
    label: String,
    value: String,
}

impl KnownSecret {
    /// Returns a text with the name that replaces it; `None` if it is too short for a secret, since it
    /// would match by chance.
    // [SECRET-22]
    pub fn new(name: &str, value: &str) -> Option<Self> {
        let label = format!("SECRET:{}", name.replace('-', "_"));
        let (length, value) = (value.len(), value.to_owned());
        (length >= SECRET_BYTES_MIN).then_some(KnownSecret { label, value })
    }

    /// Returns its replacement, without the brackets.
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(in crate::kernel) fn to_lower_case(&self) -> Self {
        KnownSecret { label: self.label.clone(), value: self.value.to_ascii_lowercase() }
    }

    pub(in crate::kernel) fn reveal(&self) -> &str {
        &self.value
    }
}

/// Rejects an invalid name without showing it: it can be a value in the wrong place.
///
/// # Errors
/// `secret.invalid`.
pub fn check_name(name: &str) -> Result<(), Error> {
    let what =
        "invalid secret name: use at most 128 letters, digits and `_`, not starting with a digit";
    is_name(name).then_some(()).ok_or_else(|| Error::new(Code::SecretInvalid, what))
}
