//! Redaction of a JSON value: its strings and keys, JSON inside strings, and numbers that can be personal
//! data; everything else is copied.

use super::detect::{digits_of, key_hints, proves_itself, scan, Hints};
use super::kind::KindSet;
use super::matches::{merge_overlapping, Match, MatchSource};
use super::nested_json::{decode, documents, is_document, tokens, Token, UniqueKeys};
use super::{CallState, PrivacyFilterEngine, RedactionReport, WITHHELD};
use crate::kernel::deadline::Deadline;
use crate::kernel::limits::{PRIVACY_DEPTH_MAX, PRIVACY_NESTED_DEPTH_MAX};
use crate::kernel::prelude::*;
use core::fmt::Write as _;
use serde_json::{Map, Number, Value};

impl PrivacyFilterEngine {
    /// Filters a JSON value. On an error the value is [`WITHHELD`], and the report has the reason.
    // [PRIV-80]
    pub fn redact_json(&self, value: &Value) -> (Value, RedactionReport) {
        self.try_redact_json(value).unwrap_or_else(|error| {
            (Value::String(WITHHELD.to_owned()), RedactionReport::withheld_for(error.code()))
        })
    }

    /// Filters a JSON value.
    ///
    /// # Errors
    /// `privacy.limit`, `privacy.residue`: the value must be withheld.
    pub fn try_redact_json(&self, value: &Value) -> Result<(Value, RedactionReport), Error> {
        self.redact_json_within(value, &Deadline::unlimited())
    }

    /// Filters a JSON value before a deadline.
    ///
    /// # Errors
    /// Those of [`PrivacyFilterEngine::try_redact_json`]; `tool.timeout`, `tool.cancelled`.
    pub fn redact_json_within(
        &self,
        value: &Value,
        deadline: &Deadline,
    ) -> Result<(Value, RedactionReport), Error> {
        let mut redactor = JsonRedactor::new(self, deadline);
        let filtered = redactor.redact_value(value, Hints::NONE, 0)?;
        // [SECRET-24] A secret can span several strings.
        if !self.secrets.is_empty() && self.secrets.occurs_in(filtered.to_string().as_bytes()) {
            return Err(Error::new(Code::PrivacyResidue, "a secret spans several strings"));
        }
        Ok((filtered, redactor.applied))
    }

    /// Filters a text before a deadline.
    ///
    /// # Errors
    /// As [`PrivacyFilterEngine::redact_json_within`].
    pub(in crate::kernel) fn redact_text_within(
        &self,
        text: &str,
        deadline: &Deadline,
    ) -> Result<(String, RedactionReport), Error> {
        let mut redactor = JsonRedactor::new(self, deadline);
        let filtered = redactor.redact_string(text, Hints::NONE, 0)?;
        Ok((filtered.unwrap_or_else(|| text.to_owned()), redactor.applied))
    }
}

/// A redacted text; `None` if it does not change.
type Redacted = Result<Option<String>, Error>;

/// Redaction of one value: the engine, the report, and the pointer to the present position.
pub(super) struct JsonRedactor<'a> {
    pub(super) engine: &'a PrivacyFilterEngine,
    pub(super) applied: RedactionReport,
    pointer: String,
    state: CallState<'a>,
}

impl<'a> JsonRedactor<'a> {
    pub(super) fn new(engine: &'a PrivacyFilterEngine, deadline: &Deadline<'a>) -> Self {
        let state = engine.new_state(deadline);
        JsonRedactor { engine, applied: RedactionReport::default(), pointer: String::new(), state }
    }

    /// Returns the filtered value. `depth` is the number of enclosing levels, `hints` the context of its
    /// keys.
    // [PRIV-70]
    pub(super) fn redact_value(
        &mut self,
        value: &Value,
        hints: Hints,
        depth: usize,
    ) -> Result<Value, Error> {
        if depth > PRIVACY_DEPTH_MAX {
            return Err(Error::new(Code::PrivacyLimit, "result is nested too deeply"));
        }
        let below = depth.saturating_add(1);
        let filtered = match value {
            Value::Null | Value::Bool(_) => None,
            Value::Number(number) => self.redact_number_or_secret(number, hints)?,
            Value::String(text) => self.redact_string(text, hints, 0)?,
            Value::Array(items) => {
                let mut filtered = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let length = self.pointer.len();
                    // Writing to a string cannot fail.
                    let _ = write!(self.pointer, "/{index}");
                    filtered.push(self.redact_value(item, hints, below)?);
                    self.pointer.truncate(length);
                }
                return Ok(Value::Array(filtered));
            }
            Value::Object(members) => return self.redact_object(members, hints, below),
        };
        Ok(filtered.map_or_else(|| value.clone(), Value::String))
    }

    fn redact_object(
        &mut self,
        members: &Map<String, Value>,
        hints: Hints,
        below: usize,
    ) -> Result<Value, Error> {
        let mut filtered = Map::new();
        let mut keys = UniqueKeys::default();
        let (jwk, mut named) = (members.contains_key("kty"), Hints::NONE);
        for (key, value) in members {
            let filtered_key = self.redact_key(key)?;
            let name = keys.unique(key, filtered_key).unwrap_or_else(|| key.clone());
            let hints = match key.as_str() {
                "value" => hints.inherited().union(named),
                key => key_hints(key, hints.inherited(), jwk),
            };
            if matches!(key.as_str(), "name" | "key") {
                named = key_hints(value.as_str().unwrap_or_default(), Hints::NONE, false).secret();
            }
            let length = self.pointer.len();
            self.push_token(&name);
            let value = self.redact_value(value, hints, below)?;
            self.pointer.truncate(length);
            filtered.insert(name, value);
        }
        Ok(Value::Object(filtered))
    }

    /// Returns the filtered key, if it changes. Its matches are reported at its object.
    fn redact_key(&mut self, key: &str) -> Redacted {
        self.redact_string(key, Hints::NONE, PRIVACY_NESTED_DEPTH_MAX)
    }

    /// Appends a reference token (RFC 6901) to the pointer.
    fn push_token(&mut self, token: &str) {
        self.pointer.push('/');
        if token.contains(['~', '/']) {
            self.pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
        } else {
            self.pointer.push_str(token);
        }
    }

    /// Returns the filtered string, if it changes. `layer` is the number of enclosing JSON strings.
    #[inline]
    fn redact_string(&mut self, text: &str, hints: Hints, layer: usize) -> Redacted {
        if self.engine.may_match(text) || hints.names_secret() {
            return self.redact_candidate(text, hints, layer);
        }
        // Fast path of most strings and nearly all keys.
        self.state.budget.charge_bytes(text.len()).map(|()| None)
    }

    /// As `redact_string`, for a string that can have a match.
    fn redact_candidate(&mut self, text: &str, hints: Hints, layer: usize) -> Redacted {
        // [PRIV-72]
        if layer >= PRIVACY_NESTED_DEPTH_MAX {
            return self.redact_plain(text, hints);
        }
        if !is_document(text) {
            let can_hold_one = text.contains('{') || !self.engine.secrets.is_empty();
            return match can_hold_one {
                true => self.redact_mixed(text, hints, layer),
                false => self.redact_plain(text, hints),
            };
        }
        // A secret can be JSON itself, so it is replaced before the text is parsed.
        let whole = self.without_secrets(text);
        let rest = whole.as_deref().unwrap_or(text);
        let filtered = match whole.is_none() || is_document(rest) {
            true => self.redact_document(rest, hints, layer.saturating_add(1))?,
            false => self.redact_plain(rest, hints)?,
        };
        Ok(filtered.or(whole))
    }

    /// Filters a text that can have JSON documents in it. Secrets and custom patterns can reach across
    /// their ends, so the whole text is searched for those before and after.
    // [PRIV-74]
    fn redact_mixed(&mut self, text: &str, hints: Hints, layer: usize) -> Redacted {
        let clean = self.without_secrets(text);
        let whole = clean.as_deref().unwrap_or(text);
        let documents = documents(whole);
        if documents.is_empty() {
            return Ok(self.redact_plain(whole, hints)?.or(clean));
        }
        let (mut filtered, mut copied) = (String::with_capacity(whole.len()), 0);
        for (start, end) in documents {
            let (before, document) = (whole.get(copied..start), whole.get(start..end));
            let (before, document) = (before.unwrap_or_default(), document.unwrap_or_default());
            let inner = layer.saturating_add(1);
            let changed = self.redact_string(before, hints, PRIVACY_NESTED_DEPTH_MAX)?;
            filtered.push_str(changed.as_deref().unwrap_or(before));
            if document.starts_with('{') {
                let changed = self.redact_document(document, hints, inner)?;
                filtered.push_str(changed.as_deref().unwrap_or(document));
            } else {
                match self.redact_string(&decode(document), hints, inner)? {
                    Some(changed) => push_quoted(&mut filtered, &changed),
                    None => filtered.push_str(document),
                }
            }
            copied = end;
        }
        let rest = whole.get(copied..).unwrap_or_default();
        filtered.push_str(self.redact_plain(rest, hints)?.as_deref().unwrap_or(rest));
        let has_custom = !self.engine.custom.is_empty();
        let again = if has_custom { self.redact_custom(&filtered)? } else { None };
        Ok(Some(again.unwrap_or(filtered)).filter(|filtered| filtered != text))
    }

    fn redact_plain(&mut self, text: &str, hints: Hints) -> Redacted {
        let (engine, record) = (self.engine, (&mut self.applied, self.pointer.as_str()));
        engine.redact_plain(text, engine.enabled, hints, &mut self.state, record)
    }

    /// Filters a text by custom patterns and secrets alone.
    fn redact_custom(&mut self, text: &str) -> Redacted {
        let (engine, none) = (self.engine, KindSet::default());
        let record = (&mut self.applied, self.pointer.as_str());
        engine.redact_plain(text, none, Hints::NONE, &mut self.state, record)
    }

    /// Returns a JSON text without the secrets that span several of its tokens; `None` if it has no such
    /// secrets.
    // [SECRET-23]
    fn without_secrets(&mut self, text: &str) -> Option<String> {
        let places = self.engine.secrets.find_spanning(text.as_bytes());
        let matches = merge_overlapping(places.into_iter().map(Match::from).collect());
        let count = u64::try_from(matches.len()).unwrap_or(u64::MAX);
        matches.first().map(|found| {
            self.applied.record(self.engine.name(found.source), &self.pointer, count);
            self.engine.replace_matches(text, &matches, &mut self.state.labels)
        })
    }

    /// Filters a string that is a JSON document.
    fn redact_document(&mut self, text: &str, hints: Hints, layer: usize) -> Redacted {
        let mut filtered = String::new();
        let (mut copied, mut has_kty) = (0, None);
        // `under` is the context of the present token, `level` its enclosing object or array.
        let (mut under, mut level, mut outer) = (hints, Level::default(), Vec::new());
        for (token, written, end) in tokens(text) {
            let replacement = match token {
                Token::Open => {
                    let inner = Level { hints: under, ..Level::default() };
                    outer.push(core::mem::replace(&mut level, inner));
                    continue;
                }
                Token::Close => {
                    level = outer.pop().unwrap_or_default();
                    under = level.hints;
                    continue;
                }
                Token::Key => {
                    let key = decode(written);
                    let kty = || text.contains("\"kty\"");
                    let jwk = key.len() <= 2 && *has_kty.get_or_insert_with(kty);
                    under = match &*key {
                        "value" => level.hints.inherited().union(level.named),
                        key => key_hints(key, level.hints.inherited(), jwk),
                    };
                    level.names = matches!(&*key, "name" | "key");
                    level.keys.unique(&key, self.redact_key(&key)?)
                }
                Token::String => {
                    let decoded = decode(written);
                    if core::mem::take(&mut level.names) {
                        level.named = key_hints(&decoded, Hints::NONE, false).secret();
                    }
                    self.redact_string(&decoded, under, layer)?
                }
                Token::Scalar if self.engine.secrets.occurs_in(written.as_bytes()) => {
                    self.redact_string(written, Hints::NONE, PRIVACY_NESTED_DEPTH_MAX)?
                }
                Token::Scalar if under == Hints::NONE && is_short(written) => None,
                Token::Scalar => {
                    let integer = written.parse::<u64>().map(Number::from).ok();
                    let number = integer.or_else(|| serde_json::from_str(written).ok());
                    number.map_or(Ok(None), |number| self.redact_number(&number, under))?
                }
            };
            if let Some(replacement) = replacement {
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

    /// Returns the text that replaces a number.
    fn redact_number_or_secret(&mut self, number: &Number, hints: Hints) -> Redacted {
        if !self.engine.secrets.is_empty() {
            let digits = number.to_string();
            if self.engine.secrets.occurs_in(digits.as_bytes()) {
                return self.redact_plain(&digits, Hints::NONE);
            }
        }
        self.redact_number(number, hints)
    }

    /// Returns the label that replaces an integer, if its digits alone are a match.
    // [PRIV-71]
    fn redact_number(&mut self, number: &Number, hints: Hints) -> Redacted {
        if hints == Hints::NONE && number.as_f64().is_some_and(|it| it.abs() < TWELVE_DIGITS_MIN) {
            return Ok(None);
        }
        let integer = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
        let Some(magnitude) = integer.or_else(|| whole_float(number)) else { return Ok(None) };
        let mut whole = |digits: &str| {
            let budget = &mut self.state.budget;
            budget.charge_bytes(digits.len())?;
            let matches = scan(digits.as_bytes(), self.engine.enabled, hints, &budget.deadline)?;
            let is_all = |found: &Match| (found.start, found.end) == (0, digits.len());
            Ok::<_, Error>(merge_overlapping(matches).into_iter().find(is_all))
        };
        let digits = magnitude.to_string();
        if hints == Hints::NONE && !proves_itself(&digits) {
            return Ok(None);
        }
        // Numbers of a certain length can have lost leading zeros.
        let padded = match digits_of(hints) {
            Some((kind, count)) if count > digits.len() => whole(&format!("{magnitude:0count$}"))?
                .filter(|found| found.source == MatchSource::Kind(kind)),
            _ => None,
        };
        let found = if padded.is_some() { padded } else { whole(&digits)? };
        let Some(found) = found else { return Ok(None) };
        if self.engine.kept.has_value(found.source, &digits) {
            self.applied.record_kept(self.engine.name(found.source));
            return Ok(None);
        }
        let mut label = String::new();
        self.state.labels.write(&mut label, found.source, self.engine.label(found.source), &digits);
        self.applied.record(self.engine.name(found.source), &self.pointer, 1);
        Ok(Some(label))
    }
}

/// An object or array of a JSON text: the context of the keys above it, and its own keys.
#[derive(Default)]
struct Level {
    hints: Hints,
    keys: UniqueKeys,
    /// The next string names the member `value`.
    names: bool,
    /// What that name says: `{"name": "Cookie", "value": …}`.
    named: Hints,
}

/// Returns the integer that a number with a fraction of zero is, `4012888888881881.0`.
fn whole_float(number: &Number) -> Option<u64> {
    number.to_string().trim_start_matches('-').strip_suffix(".0")?.parse().ok()
}

/// The smallest number of twelve digits: without context, shorter ones stay.
const TWELVE_DIGITS_MIN: f64 = 1e11;

/// Returns `true` for `null` and the like, and a number below that, as most are.
fn is_short(written: &str) -> bool {
    let whole = written.bytes().take_while(|byte| *byte != b'.').count();
    whole < 12 && !written.contains(['e', 'E']) || written.ends_with(['e', 'l'])
}

/// Writes a JSON string. Labels and the text around them seldom need an escape.
fn push_quoted(out: &mut String, text: &str) {
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        // Serializing a string cannot fail.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    } else {
        out.extend(["\"", text, "\""]);
    }
}
