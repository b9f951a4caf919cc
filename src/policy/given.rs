//! Room: what a policy gives for a variable or a header: a value, or the name of a secret; and what a
//! token still lacks until somebody has looked the secret up.

use crate::document::text;
use crate::json::object::{Fault, Member, Object};
use crate::limits::{SECRET_BYTES_MIN, SECRET_PREFIX_BYTES_MAX};
use crate::names;
use crate::secrets::{is_name, SecretValue};
use std::fmt;

/// What a variable or a header is given.
#[derive(Clone)]
pub(crate) enum Given {
    Value(String),
    /// The value of this secret, with this in front of it.
    Secret {
        name: String,
        prefix: String,
    },
}

impl Given {
    /// The value where it is known, else a place for it.
    pub(super) fn value(&self) -> &str {
        match self {
            Given::Value(value) => value,
            Given::Secret { .. } => "",
        }
    }

    /// What of a header's value is hidden: what stands behind a word such as `Bearer`, if it is long enough
    /// to be hidden by itself, else all of it.
    pub(super) fn credential(&self) -> &str {
        let behind = self.value().rsplit(' ').next().unwrap_or_default();
        if behind.len() < SECRET_BYTES_MIN {
            self.value()
        } else {
            behind
        }
    }

    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Given::Value(_) => None,
            Given::Secret { name, .. } => Some(name),
        }
    }

    /// What a token lacks that has this at this place.
    pub(super) fn lacks(&self, place: Place) -> Option<Lacking> {
        match self {
            Given::Value(_) => None,
            Given::Secret { name, prefix } => {
                Some(Lacking { secret: name.clone(), prefix: prefix.clone(), place })
            }
        }
    }
}

/// Without the value: it may be a secret, and this form ends up in logs.
impl fmt::Debug for Given {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Given::Value(_) => out.write_str("…"),
            Given::Secret { name, prefix } => write!(out, "{prefix:?} {name}"),
        }
    }
}

/// `value` or `secret` of a variable.
pub(super) fn of_variable(object: &mut Object<'_>) -> Result<Given, Fault> {
    value_or_secret(object, text(|text| !text.contains('\0'), "free of NUL characters"))
}

/// `value`, or `secret` and perhaps `prefix`, of a header.
pub(super) fn of_header(object: &mut Object<'_>) -> Result<Given, Fault> {
    let is_value = |text: &str| names::is_header_value(text) && !text.is_empty();
    let mut given = value_or_secret(object, text(is_value, "printable ASCII"))?;
    if let Given::Secret { prefix, .. } = &mut given {
        // White space behind it is what separates it from the secret.
        let is_prefix = |text: &str| {
            is_value(text.trim_end_matches(' ')) && text.len() <= SECRET_PREFIX_BYTES_MAX
        };
        let rule = text(is_prefix, "printable ASCII without white space before it, and short");
        *prefix = object.optional("prefix").map_or(Ok(String::new()), |place| rule(&place))?;
    }
    Ok(given)
}

// [POLICY-14]
fn value_or_secret(
    object: &mut Object<'_>,
    value: impl FnOnce(&Member<'_>) -> Result<String, Fault>,
) -> Result<Given, Fault> {
    match (object.optional("value"), object.optional("secret")) {
        (Some(place), None) => value(&place).map(Given::Value),
        (None, Some(place)) => {
            let name = text(is_name, "a name as of a variable")(&place)?;
            Ok(Given::Secret { name, prefix: String::new() })
        }
        (Some(place), Some(_)) => Err(place.bad_value("must not stand beside `secret`")),
        (None, None) => Err(object.missing("value")),
    }
}

/// A secret that a token is to hold, by its name.
#[derive(Clone, Debug)]
pub(super) struct Lacking {
    pub(super) secret: String,
    prefix: String,
    pub(super) place: Place,
}

impl Lacking {
    pub(super) fn filled(&self, value: &SecretValue) -> String {
        format!("{}{}", self.prefix, value.reveal())
    }
}

/// Where it belongs.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Variable(String),
    Header { host: String, name: String },
}
