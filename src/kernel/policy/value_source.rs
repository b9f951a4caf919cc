//! What a policy gives for a variable or a header: a value, or the name of a secret.

use crate::kernel::document::text;
use crate::kernel::json::closed_object::{ClosedObject, DocumentError, Field};
use crate::kernel::limits::{SECRET_BYTES_MIN, SECRET_PREFIX_BYTES_MAX};
use crate::kernel::names;
use crate::kernel::prelude::*;
use crate::kernel::secrets::{is_name, KnownSecret, SecretValue};

/// What a variable or a header is given.
#[derive(Clone, PartialEq, Eq)]
pub struct ValueSource {
    /// The value, or what stands before that of the secret.
    pub(super) text: String,
    /// The secret, by its name.
    pub(super) secret: Option<String>,
}

impl ValueSource {
    /// A value that stands in the policy itself.
    pub(in crate::kernel) fn new(value: impl Into<String>) -> Self {
        ValueSource { text: value.into(), secret: None }
    }

    /// The value, and what of it no answer may show, under the name of the secret or else of the variable
    /// or header. `find` looks a secret up.
    // [SECRET-20]
    pub(super) fn resolve(
        &self,
        name: &str,
        find: impl FnOnce(&str) -> Result<SecretValue, Error>,
        credential: impl FnOnce(&str) -> &str,
    ) -> Result<(String, Option<KnownSecret>), Error> {
        let Some(secret) = &self.secret else {
            return Ok((self.text.clone(), KnownSecret::new(name, credential(&self.text))));
        };
        let value = find(secret)?;
        let hidden = KnownSecret::new(secret, value.reveal());
        Ok((format!("{}{}", self.text, value.reveal()), hidden))
    }
}

/// What of a header's value is hidden: what stands behind a word such as `Bearer`, if it is long enough to
/// be hidden by itself, else all of it.
// [SECRET-22]
pub(super) fn credential(value: &str) -> &str {
    let behind = value.rsplit(' ').next().unwrap_or_default();
    if behind.len() < SECRET_BYTES_MIN {
        value
    } else {
        behind
    }
}

/// Without the value: it may be a secret, and this form ends up in logs.
impl fmt::Debug for ValueSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            None => out.write_str("…"),
            Some(secret) => write!(out, "{:?} {secret}", self.text),
        }
    }
}

/// `value` or `secret` of a variable.
pub(super) fn of_variable(object: &mut ClosedObject) -> Result<ValueSource, DocumentError> {
    value_or_secret(object, text(|text| !text.contains('\0'), "free of NUL characters"))
}

/// `value`, or `secret` and perhaps `prefix`, of a header.
pub(super) fn of_header(object: &mut ClosedObject) -> Result<ValueSource, DocumentError> {
    let is_value = |text: &str| names::is_header_value(text) && !text.is_empty();
    let mut given = value_or_secret(object, text(is_value, "printable ASCII"))?;
    if given.secret.is_some() {
        // White space behind it is what separates it from the secret.
        let is_prefix = |text: &str| {
            is_value(text.trim_end_matches(' ')) && text.len() <= SECRET_PREFIX_BYTES_MAX
        };
        let rule = text(is_prefix, "printable ASCII without white space before it, and short");
        given.text = object.optional("prefix").map_or(Ok(String::new()), |place| rule(&place))?;
    }
    Ok(given)
}

// [POLICY-14]
fn value_or_secret(
    object: &mut ClosedObject,
    value: impl FnOnce(&Field) -> Result<String, DocumentError>,
) -> Result<ValueSource, DocumentError> {
    match (object.optional("value"), object.optional("secret")) {
        (Some(place), None) => value(&place).map(ValueSource::new),
        (None, Some(place)) => {
            let name = text(is_name, "a name as of a variable")(&place)?;
            Ok(ValueSource { text: String::new(), secret: Some(name) })
        }
        (Some(place), Some(_)) => Err(place.bad_value("must not stand beside `secret`")),
        (None, None) => Err(object.missing("value")),
    }
}
