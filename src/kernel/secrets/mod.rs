//! Values that tools need and nobody may see: keys of services, passwords. A policy names them, the host has
//! them, and what shows one does not leave. `spec/secrets.md` is its page.
//!
//! Nothing here prints a value: [`SecretValue`] and [`KnownSecret`] have neither `Debug` nor `Display`, and no error
//! has one in its text.

mod matcher;

/// Whether a secret can have this name: those of variables, so that none reads like an option or a path.
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
    /// Takes a value.
    ///
    /// # Errors
    /// `secret.invalid`, without the value.
    // [SECRET-01]
    pub fn parse(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let refuse = |why: String| Err(Error::new(Code::SecretInvalid, why));
        if text.len() < SECRET_BYTES_MIN {
            let least = SECRET_BYTES_MIN;
            return refuse(format!(
                "a value of fewer than {least} bytes can't be kept from showing"
            ));
        }
        if text.len() > SECRET_BYTES_MAX {
            return refuse(format!("a value of more than {SECRET_BYTES_MAX} bytes"));
        }
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !printable || text.trim() != text {
            let form = "one line of printable ASCII without white space around it";
            return refuse(format!("a value that is not {form}"));
        }
        Ok(SecretValue(text))
    }

    /// The value itself, for where it is used.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// A text that no answer shows: a secret's value, or a value that stands in the policy itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownSecret {
    label: String,
    value: String,
}

impl KnownSecret {
    /// A text, and the name that stands in its place. Shorter than a secret it is none: it would stand in
    /// any text by chance.
    // [SECRET-22]
    pub fn new(name: &str, value: &str) -> Option<Self> {
        let label = format!("SECRET:{}", name.replace('-', "_"));
        let (length, value) = (value.len(), value.to_owned());
        (length >= SECRET_BYTES_MIN).then_some(KnownSecret { label, value })
    }

    /// What stands in its place, without the brackets.
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(in crate::kernel) fn reveal(&self) -> &str {
        &self.value
    }
}

/// Refuses what is no name, without showing it: it may be a value in the wrong place.
///
/// # Errors
/// `secret.invalid`.
pub fn check_name(name: &str) -> Result<(), Error> {
    let what = "no name of a secret: letters, digits and `_`, no digit first, 128 at most";
    is_name(name).then_some(()).ok_or_else(|| Error::new(Code::SecretInvalid, what))
}
