//! Room: what a policy gives for a variable or a header: a value, or the name of a secret; and what a
//! token still lacks until somebody has looked the secret up.

use crate::limits::SECRET_BYTES_MIN;
use crate::secrets::SecretValue;
use std::fmt;

/// A variable or a header, and what it is given.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) given: Given,
}

#[derive(Clone)]
pub(super) enum Given {
    Value(String),
    /// The value of this secret, with this in front of it.
    Secret {
        name: String,
        prefix: String,
    },
}

impl Setting {
    /// The value where it is known, else a place for it.
    pub(super) fn value(&self) -> &str {
        match &self.given {
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
        match &self.given {
            Given::Value(_) => None,
            Given::Secret { name, .. } => Some(name),
        }
    }

    /// What a token lacks that has this setting at this place.
    pub(super) fn lacks(&self, place: Place) -> Option<Lacking> {
        match &self.given {
            Given::Value(_) => None,
            Given::Secret { name, prefix } => {
                Some(Lacking { secret: name.clone(), prefix: prefix.clone(), place })
            }
        }
    }
}

/// Without the value: it may be a secret, and this form ends up in logs.
impl fmt::Debug for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.given {
            Given::Value(_) => write!(out, "{}=…", self.name),
            Given::Secret { name, prefix } => write!(out, "{}={prefix:?} {name}", self.name),
        }
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
