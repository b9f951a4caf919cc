//! Sources of values for variables and headers: a literal value, or the name of a secret.

use crate::kernel::document::text;
use crate::kernel::json::closed_object::{ClosedObject, DocumentError, Field};
use crate::kernel::limits::{SECRET_BYTES_MIN, SECRET_PREFIX_BYTES_MAX};
use crate::kernel::names;
use crate::kernel::prelude::*;
use crate::kernel::secrets::{is_name, KnownSecret, SecretValue};

/// The source of the value of a variable or a header.
#[derive(Clone, PartialEq, Eq)]
pub struct ValueSource {
    /// The literal value, or the prefix of the secret's value.
    pub(super) text: String,
    /// The name of the secret.
    pub(super) secret: Option<String>,
}

impl ValueSource {
    /// A literal value.
    pub(in crate::kernel) fn new(value: impl Into<String>) -> Self {
        ValueSource { text: value.into(), secret: None }
    }

    /// Returns the value, and the part of it that is a secret, labeled with the name of the secret, variable or
    /// header. `find` looks up a secret.
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

/// Returns the secret part of a header value: what follows a scheme such as `Bearer` if that is long enough
/// to be redacted, else the whole value.
// [SECRET-22]
pub(super) fn credential(value: &str) -> &str {
    let last = value.rsplit(' ').next().unwrap_or_default();
    match last.len() < SECRET_BYTES_MIN {
        true => value,
        false => last,
    }
}

/// Omits the value, which can be a secret: this form appears in logs.
impl fmt::Debug for ValueSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            None => out.write_str("…"),
            Some(secret) => write!(out, "{:?} {secret}", self.text),
        }
    }
}

/// Reads `value` or `secret` of a variable.
pub(super) fn of_variable(object: &mut ClosedObject) -> Result<ValueSource, DocumentError> {
    value_or_secret(object, text(|text| !text.contains('\0'), "free of NUL characters"))
}

/// Reads `value`, or `secret` with an optional `prefix`, of a header.
pub(super) fn of_header(object: &mut ClosedObject) -> Result<ValueSource, DocumentError> {
    let is_value = |text: &str| names::is_header_value(text) && !text.is_empty();
    let mut source = value_or_secret(object, text(is_value, "printable ASCII"))?;
    if source.secret.is_some() {
        // White space after the prefix separates it from the secret.
        let is_prefix = |text: &str| {
            is_value(text.trim_end_matches(' ')) && text.len() <= SECRET_PREFIX_BYTES_MAX
        };
        let rule = text(is_prefix, "short printable ASCII without leading white space");
        source.text = object.optional("prefix").map_or(Ok(String::new()), |place| rule(&place))?;
    }
    Ok(source)
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
        (Some(place), Some(_)) => Err(place.bad_value("conflicts with `secret`")),
        (None, None) => Err(object.missing("value")),
    }
}
