//! Room: the walk over a JSON value. Every string, every key, JSON inside strings, and the numbers
//! that can be personal data are filtered; everything else is copied.

use super::hint::{of_key, Hints};
use super::kind::Kind;
use super::nested::{is_document, tokens, Names, Token};
use super::{card, ssn, Applied, PrivacyFilterEngine};
use crate::limits::{PRIVACY_DEPTH_MAX, PRIVACY_NESTED_DEPTH_MAX};
use crate::{Code, Error};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;

/// One walk: the engine, the account, and where the walk is in the filtered value.
pub(crate) struct Walk<'a> {
    pub(crate) engine: &'a PrivacyFilterEngine,
    pub(crate) applied: Applied,
    pointer: String,
    /// Bytes that may still be scanned for built-in kinds, and for custom patterns.
    pub(crate) budget: super::Budget,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(engine: &'a PrivacyFilterEngine) -> Self {
        let budget = super::Budget::default();
        Walk { engine, applied: Applied::default(), pointer: String::new(), budget }
    }

    /// The filtered value. `depth` counts the levels above, `hints` is what the keys above say.
    // [PRIV-70]
    pub(crate) fn value(
        &mut self,
        value: &Value,
        hints: Hints,
        depth: usize,
    ) -> Result<Value, Error> {
        if depth > PRIVACY_DEPTH_MAX {
            return Err(Error::new(Code::PrivacyLimit, "answer is nested too deeply"));
        }
        let below = depth.saturating_add(1);
        match value {
            Value::Null | Value::Bool(_) => Ok(value.clone()),
            Value::Number(number) => Ok(match self.number(number, hints) {
                Some(label) => Value::String(label),
                None => value.clone(),
            }),
            Value::String(text) => {
                let filtered = self.string(text, hints, 0)?;
                Ok(Value::String(filtered.unwrap_or_else(|| text.clone())))
            }
            Value::Array(items) => {
                let mut filtered = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    filtered.push(
                        self.under(&index.to_string(), |walk| walk.value(item, hints, below))?,
                    );
                }
                Ok(Value::Array(filtered))
            }
            Value::Object(members) => self.object(members, hints, below),
        }
    }

    fn object(
        &mut self,
        members: &Map<String, Value>,
        hints: Hints,
        below: usize,
    ) -> Result<Value, Error> {
        let mut filtered = Map::new();
        let mut names = Names::default();
        for (key, value) in members {
            let name = names.unique(self.key(key)?);
            let hints = hints.and(of_key(key.as_bytes()));
            let value = self.under(&name, |walk| walk.value(value, hints, below))?;
            filtered.insert(name, value);
        }
        Ok(Value::Object(filtered))
    }

    /// A key, filtered. What is found in it is recorded at the object it stands in.
    fn key(&mut self, key: &str) -> Result<String, Error> {
        Ok(self
            .string(key, Hints::NONE, PRIVACY_NESTED_DEPTH_MAX)?
            .unwrap_or_else(|| key.to_owned()))
    }

    /// Does something one level further down, under this reference token (RFC 6901).
    fn under<T>(
        &mut self,
        token: &str,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
        let done = work(self);
        self.pointer.truncate(length);
        done
    }

    /// The filtered text of a string, or nothing if it stays as it is. `layer` counts the strings
    /// around this one.
    fn string(&mut self, text: &str, hints: Hints, layer: usize) -> Result<Option<String>, Error> {
        // [PRIV-72]
        if layer < PRIVACY_NESTED_DEPTH_MAX && is_document(text) {
            return self.document(text, hints, layer.saturating_add(1));
        }
        let engine = self.engine;
        let (applied, pointer) = (&mut self.applied, &self.pointer);
        engine.redact_plain(text, hints, &mut self.budget, |name| applied.record(name, pointer))
    }

    /// A string that is a JSON document.
    fn document(
        &mut self,
        text: &str,
        hints: Hints,
        layer: usize,
    ) -> Result<Option<String>, Error> {
        let mut filtered = String::new();
        let mut copied = 0;
        let mut names = vec![Names::default()];
        let mut above = vec![hints];
        let mut under = hints;
        for (start, token) in tokens(text) {
            let replacement = match token {
                Token::Open => {
                    names.push(Names::default());
                    above.push(under);
                    continue;
                }
                Token::Close => {
                    names.pop();
                    above.pop();
                    under = above.last().copied().unwrap_or_default();
                    continue;
                }
                Token::Key(quoted) => {
                    let key = decoded(quoted);
                    let filtered = self.key(&key)?;
                    let outer = above.last().copied().unwrap_or_default();
                    under = outer.and(of_key(key.as_bytes()));
                    let unique = names.last_mut().map(|names| names.unique(filtered));
                    unique.filter(|name| **name != *key)
                }
                Token::String(quoted) => self.string(&decoded(quoted), under, layer)?,
                Token::Scalar(word) => {
                    let number = serde_json::from_str::<Number>(word).ok();
                    number.and_then(|number| self.number(&number, under))
                }
            };
            if let Some(replacement) = replacement {
                filtered.push_str(text.get(copied..start).unwrap_or_default());
                filtered.push_str(&Value::String(replacement).to_string());
                copied = start.saturating_add(length(token));
            }
        }
        if copied == 0 {
            return Ok(None);
        }
        filtered.push_str(text.get(copied..).unwrap_or_default());
        Ok(Some(filtered))
    }

    /// The label that takes the place of a number, if it is a value of a kind that is on.
    // [PRIV-71]
    fn number(&mut self, number: &Number, hints: Hints) -> Option<String> {
        let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs))?;
        let digits = magnitude.to_string();
        let on = |kind: Kind| self.engine.looks_for(kind);
        let kind = if on(Kind::CreditCard) && card::is_card(&digits, hints) {
            Kind::CreditCard
        } else if on(Kind::Ssn) && hints.ssn() && ssn::is_ssn(magnitude) {
            Kind::Ssn
        } else if on(Kind::Phone) && hints.say(Hints::PHONE) && (7..=15).contains(&digits.len()) {
            Kind::Phone
        } else if on(Kind::Passport)
            && hints.say(Hints::PASSPORT)
            && (6..=9).contains(&digits.len())
        {
            Kind::Passport
        } else if on(Kind::DriversLicense) && hints.license() && (5..=17).contains(&digits.len()) {
            Kind::DriversLicense
        } else {
            return None;
        };
        self.applied.record(kind.name(), &self.pointer);
        Some(format!("[{}]", kind.label()))
    }
}

/// The text that a quoted JSON string stands for. A string that cannot be decoded, such as one half
/// of a surrogate pair, is filtered as it is written.
fn decoded(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}

fn length(token: Token<'_>) -> usize {
    match token {
        Token::Key(text) | Token::String(text) | Token::Scalar(text) => text.len(),
        Token::Open | Token::Close => 1,
    }
}
