//! Room: the walk over a JSON value. Every string, every key, JSON inside strings, and the numbers
//! that can be personal data are filtered; everything else is copied.

use super::detect::{of_key, scan, Hints};
use super::kind::Kind;
use super::matches::{resolve, Match, MatchSource};
use super::nested_json::{is_document, tokens, Names, Token};
use super::{CallState, PrivacyFilterEngine, RedactionReport, WITHHELD};
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{PRIVACY_DEPTH_MAX, PRIVACY_NESTED_DEPTH_MAX};
use crate::kernel::prelude::*;
use alloc::borrow::Cow;
use core::fmt::Write as _;
use serde_json::{Map, Number, Value};

impl PrivacyFilterEngine {
    /// Filters a JSON value. On any failure the value is [`WITHHELD`] and the account says why.
    // [PRIV-80]
    pub fn redact_json(&self, value: &Value) -> (Value, RedactionReport) {
        self.try_redact_json(value).unwrap_or_else(|error| {
            (Value::String(WITHHELD.to_owned()), RedactionReport::withheld_for(error.code()))
        })
    }

    /// Filters a JSON value.
    ///
    /// # Errors
    /// `privacy.limit`, `privacy.residue`: nothing may leave.
    pub fn try_redact_json(&self, value: &Value) -> Result<(Value, RedactionReport), Error> {
        self.redact_json_within(value, &Deadline::unlimited())
    }

    /// Filters a JSON value as long as the deadline lets it.
    ///
    /// # Errors
    /// Those of [`PrivacyFilterEngine::try_redact_json`]; `tool.timeout`, `tool.cancelled`.
    pub fn redact_json_within(
        &self,
        value: &Value,
        deadline: &Deadline,
    ) -> Result<(Value, RedactionReport), Error> {
        let mut walk = JsonRedactor::new(self, deadline);
        let filtered = walk.value(value, Hints::NONE, 0)?;
        // [SECRET-24] what no string holds may still stand in several
        if !self.hidden.is_empty() && self.hidden.occurs_in(filtered.to_string().as_bytes()) {
            return Err(Error::new(Code::PrivacyResidue, "a secret stands in the whole answer"));
        }
        Ok((filtered, walk.applied))
    }
}

/// One walk: the engine, the account, and where the walk is in the filtered value.
pub(in crate::kernel) struct JsonRedactor<'a> {
    pub(in crate::kernel) engine: &'a PrivacyFilterEngine,
    pub(in crate::kernel) applied: RedactionReport,
    pointer: String,
    call: CallState<'a>,
}

impl<'a> JsonRedactor<'a> {
    pub(in crate::kernel) fn new(engine: &'a PrivacyFilterEngine, deadline: &Deadline<'a>) -> Self {
        let call = engine.new_call(deadline);
        JsonRedactor { engine, applied: RedactionReport::default(), pointer: String::new(), call }
    }

    /// The filtered value. `depth` counts the levels above, `hints` is what the keys above say.
    // [PRIV-70]
    pub(in crate::kernel) fn value(
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
            Value::Number(number) => Ok(match self.number_or_secret(number, hints)? {
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
                    let length = self.pointer.len();
                    // Writing to a string cannot fail.
                    let _ = write!(self.pointer, "/{index}");
                    filtered.push(self.value(item, hints, below)?);
                    self.pointer.truncate(length);
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
            let filtered_key = self.key(key)?;
            let name = names.unique(key, filtered_key).unwrap_or_else(|| key.clone());
            let hints = hints.and(of_key(key));
            let length = self.pointer.len();
            self.push(&name);
            let value = self.value(value, hints, below)?;
            self.pointer.truncate(length);
            filtered.insert(name, value);
        }
        Ok(Value::Object(filtered))
    }

    /// A key, filtered. What is found in it is recorded at the object it stands in.
    fn key(&mut self, key: &str) -> Result<Option<String>, Error> {
        self.string(key, Hints::NONE, PRIVACY_NESTED_DEPTH_MAX)
    }

    /// A reference token (RFC 6901) behind the pointer.
    fn push(&mut self, token: &str) {
        self.pointer.push('/');
        if token.contains(['~', '/']) {
            self.pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
        } else {
            self.pointer.push_str(token);
        }
    }

    /// The filtered text of a string, or nothing if it stays as it is. `layer` counts the strings
    /// around this one.
    #[inline]
    fn string(&mut self, text: &str, hints: Hints, layer: usize) -> Result<Option<String>, Error> {
        if self.engine.may_match(text) {
            return self.worthy(text, hints, layer);
        }
        // Most strings, and nearly all keys, end here.
        self.call.budget.spend(text.len()).map(|()| None)
    }

    /// As `string`, for one that is worth it.
    fn worthy(&mut self, text: &str, hints: Hints, layer: usize) -> Result<Option<String>, Error> {
        // [PRIV-72]
        if layer >= PRIVACY_NESTED_DEPTH_MAX || !is_document(text) {
            return self.plain(text, hints);
        }
        // A secret may be JSON itself, and would be taken apart.
        let whole = self.without_secrets(text);
        let rest = whole.as_deref().unwrap_or(text);
        let filtered = match whole.is_none() || is_document(rest) {
            true => self.document(rest, hints, layer.saturating_add(1))?,
            false => self.plain(rest, hints)?,
        };
        Ok(filtered.or(whole))
    }

    fn plain(&mut self, text: &str, hints: Hints) -> Result<Option<String>, Error> {
        let engine = self.engine;
        let (applied, pointer) = (&mut self.applied, &self.pointer);
        engine.redact_plain(text, hints, &mut self.call, |name, count| {
            applied.record(name, pointer, count)
        })
    }

    /// A JSON text without the secrets that reach over several of its tokens; nothing if there are none.
    // [SECRET-23]
    fn without_secrets(&mut self, text: &str) -> Option<String> {
        let places = self.engine.hidden.find_spanning(text.as_bytes());
        let hits = resolve(places.into_iter().map(Match::from).collect());
        let count = u64::try_from(hits.len()).unwrap_or(u64::MAX);
        hits.first().map(|hit| {
            self.applied.record(self.engine.name(hit.tag), &self.pointer, count);
            self.engine.replaced(text, &hits, &mut self.call.labels)
        })
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
        // `under` is what the keys say down to the token, `level` is the object or array it stands in.
        let (mut under, mut level, mut outer) = (hints, Level::default(), Vec::new());
        for (token, written, end) in tokens(text) {
            let replacement = match token {
                Token::Open => {
                    let inner = Level { hints: under, names: Names::default() };
                    outer.push(core::mem::replace(&mut level, inner));
                    continue;
                }
                Token::Close => {
                    level = outer.pop().unwrap_or_default();
                    under = level.hints;
                    continue;
                }
                Token::Key => {
                    let key = decoded(written);
                    under = level.hints.and(of_key(&key));
                    level.names.unique(&key, self.key(&key)?)
                }
                Token::String => self.string(&decoded(written), under, layer)?,
                Token::Scalar if self.engine.hidden.occurs_in(written.as_bytes()) => {
                    self.string(written, Hints::NONE, PRIVACY_NESTED_DEPTH_MAX)?
                }
                Token::Scalar => match serde_json::from_str::<Number>(written) {
                    Ok(number) => self.number(&number, under)?,
                    Err(_) => None,
                },
            };
            if let Some(replacement) = replacement {
                if filtered.is_empty() {
                    filtered.reserve(text.len());
                }
                let start = end.saturating_sub(written.len());
                filtered.push_str(text.get(copied..start).unwrap_or_default());
                push_quoted(&mut filtered, &replacement);
                copied = end;
            }
        }
        if copied == 0 {
            return Ok(None);
        }
        filtered.push_str(text.get(copied..).unwrap_or_default());
        Ok(Some(filtered))
    }

    /// What takes the place of a number.
    fn number_or_secret(&mut self, number: &Number, hints: Hints) -> Result<Option<String>, Error> {
        if !self.engine.hidden.is_empty() {
            let digits = number.to_string();
            if self.engine.hidden.occurs_in(digits.as_bytes()) {
                return self.plain(&digits, Hints::NONE);
            }
        }
        self.number(number, hints)
    }

    /// The label that takes the place of a whole number, if its digits alone are a value.
    // [PRIV-71]
    fn number(&mut self, number: &Number, hints: Hints) -> Result<Option<String>, Error> {
        let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
        let Some(magnitude) = magnitude else { return Ok(None) };
        if hints == Hints::NONE && magnitude < SHORTEST_CARD {
            return Ok(None);
        }
        let mut whole = |digits: &str| {
            let budget = &mut self.call.budget;
            budget.spend(digits.len())?;
            let hits = scan(digits.as_bytes(), self.engine.on, hints, &budget.deadline)?;
            let is_all = |hit: &Match| (hit.start, hit.end) == (0, digits.len());
            Ok::<_, Error>(resolve(hits).into_iter().find(is_all))
        };
        let digits = magnitude.to_string();
        // Kinds of nine digits have lost their zeros.
        let nine = |hit: &Match| matches!(hit.tag, MatchSource::Kind(Kind::Ssn | Kind::Routing));
        let padded = whole(&format!("{magnitude:09}"))?.filter(nine);
        let found = if padded.is_some() { padded } else { whole(&digits)? };
        let Some(hit) = found else { return Ok(None) };
        let mut label = String::new();
        self.call.labels.write(&mut label, hit.tag, self.engine.label(hit.tag), &digits);
        self.applied.record(self.engine.name(hit.tag), &self.pointer, 1);
        Ok(Some(label))
    }
}

/// An object or array of a JSON text: what the keys above it say, and its names.
#[derive(Default)]
struct Level {
    hints: Hints,
    names: Names,
}

/// Twelve digits.
const SHORTEST_CARD: u64 = 100_000_000_000;

/// Writes a JSON string. Labels and what stands around them seldom need an escape.
fn push_quoted(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        // No string fails to be written.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        out.extend(["\"", text, "\""]);
    }
}

/// The text that a quoted JSON string stands for. A string that cannot be decoded, such as one half
/// of a surrogate pair, is filtered as it is written.
#[inline]
fn decoded(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(quoted).map_or(Cow::Borrowed(inner), Cow::Owned)
}
