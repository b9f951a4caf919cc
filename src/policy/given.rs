//! A variable or a header as a policy gives it: a text, or the name of a secret.

use crate::error::Error;
use crate::limits::SECRET_BYTES_MIN;
use crate::secrets::{Hidden, SecretValue};
use std::fmt;

/// A variable or a header, and what it is given.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    pub(super) name: String,
    /// The value, or what stands before that of the secret.
    pub(super) text: String,
    /// The secret, by its name.
    pub(super) secret: Option<String>,
}

impl Setting {
    /// One with a value that stands in the policy itself.
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Setting { name: name.into(), text: value.into(), secret: None }
    }

    /// The value, and what of it no answer may show. `find` looks a secret up.
    // [SECRET-22]
    pub(super) fn resolve(
        &self,
        find: impl FnOnce(&str) -> Result<SecretValue, Error>,
        credential: impl FnOnce(&str) -> &str,
    ) -> Result<(String, Option<Hidden>), Error> {
        let Some(secret) = &self.secret else {
            return Ok((self.text.clone(), Hidden::new(&self.name, credential(&self.text))));
        };
        let value = find(secret)?;
        let hidden = Hidden::new(secret, value.reveal());
        Ok((format!("{}{}", self.text, value.reveal()), hidden))
    }
}

/// What of a header's value is hidden: what stands behind a word such as `Bearer`, if it is long enough to
/// be hidden by itself, else all of it.
pub(super) fn credential(value: &str) -> &str {
    let behind = value.rsplit(' ').next().unwrap_or_default();
    if behind.len() < SECRET_BYTES_MIN {
        value
    } else {
        behind
    }
}

/// Without the value: it may be a secret, and this form ends up in logs.
impl fmt::Debug for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            None => write!(out, "{}=…", self.name),
            Some(secret) => write!(out, "{}={:?} {secret}", self.name, self.text),
        }
    }
}
