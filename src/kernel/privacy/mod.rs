//! Privacy filter: finds personal data in a result and replaces it by labels such as `[EMAIL]`.
//!
//! [`PrivacyFilterEngine`] is here; `redact_json.rs` selects the strings of a JSON value, `folded_text.rs`
//! prepares them for the detectors in `detect/`, `keep.rs` has what the host keeps, `label.rs` writes the
//! replacements, `custom.rs` has the custom patterns, and `kernel/secrets/` finds known secrets.
//!
//! A redacted text is scanned again until nothing is found. If that does not converge, or a limit is
//! exceeded, the result is withheld.

mod budget;
mod custom;
mod detect;
mod folded_text;
mod keep;
mod kind;
mod label;
mod matches;
mod nested_json;
mod redact_json;
mod redaction_report;

#[cfg(test)]
#[path = "../../../conformance/unit/kernel/privacy/mod.rs"]
mod tests;

use crate::kernel::prelude::*;
pub(in crate::kernel) use keep::Keep;
pub use kind::Kind;
pub use label::Replacement;
pub use redaction_report::RedactionReport;

use crate::kernel::deadline::Deadline;
use crate::kernel::limits::PRIVACY_PASSES_COUNT_MAX;
use crate::kernel::package::manifest::CustomPattern;
use crate::kernel::secrets::{KnownSecret, SecretMatcher};
use budget::Budget;
use custom::Custom;
use detect::{may_match, scan, Hints};
use keep::Kept;
use kind::KindSet;
use label::Labeler;
use matches::{Match, MatchSource};

/// Replaces a value that could not be filtered.
pub const WITHHELD: &str = "[WITHHELD]";

/// The filter for one set of kinds and custom patterns.
///
/// ```
/// use mpp::privacy::PrivacyFilterEngine;
/// use serde_json::json;
///
/// let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &[])?;
/// let (filtered, applied) = engine.redact_json(&json!({ "note": "write to ann@example.com" }));
/// assert_eq!(filtered, json!({ "note": "write to [EMAIL]" }));
/// assert_eq!(applied.to_json(), json!({ "email": { "count": 1, "at": ["/note"] } }));
/// # Ok::<(), mpp::Error>(())
/// ```
pub struct PrivacyFilterEngine {
    enabled: KindSet,
    custom: Vec<Custom>,
    secrets: SecretMatcher,
    kept: Kept,
    replacement: Replacement,
    key: [u8; 32],
}

/// A value found in a text. Offsets are bytes of the original text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The name of the kind, such as `credit-card`, or of the custom pattern.
    pub kind: &'a str,
    /// The label without its brackets, such as `CREDIT_CARD`.
    pub label: &'a str,
    /// The start of the value.
    pub start: usize,
    /// The end of the value (exclusive).
    pub end: usize,
}

/// Checks the patterns of a manifest or policy, as [`PrivacyFilterEngine::from_config`] does.
///
/// # Errors
/// `privacy.pattern`.
pub fn check_patterns(patterns: &[String], custom: &[CustomPattern]) -> Result<(), Error> {
    PrivacyFilterEngine::from_config(patterns, custom).map(|_| ())
}

impl PrivacyFilterEngine {
    /// Creates a filter for the built-in kinds of these names and these custom patterns. Duplicate names
    /// are ignored, so lists can be concatenated.
    ///
    /// # Errors
    /// `privacy.pattern`: an unknown name; a custom pattern that does not compile, is too large, matches
    /// the empty text or has an invalid name.
    // [PRIV-02] [PRIV-03]
    pub fn from_config(patterns: &[String], custom: &[CustomPattern]) -> Result<Self, Error> {
        let mut enabled = KindSet::default();
        for name in patterns {
            let unknown = || {
                let name: String = name.chars().take(64).collect();
                Error::new(Code::PrivacyPattern, format!("unknown privacy pattern {name:?}"))
            };
            enabled.add(Kind::from_name(name).ok_or_else(unknown)?);
        }
        let (replacement, key) = (Replacement::Label, [0; 32]);
        let (custom, secrets) = (custom::compile(custom)?, SecretMatcher::default());
        let kept = Kept::default();
        Ok(PrivacyFilterEngine { enabled, custom, secrets, kept, replacement, key })
    }

    /// Redacts these texts, each as `[SECRET:NAME]` in every replacement style. They come from
    /// [`crate::kernel::policy::token::ResolvedToken`].
    pub fn with_known_secrets(self, secrets: &[KnownSecret]) -> Self {
        PrivacyFilterEngine { secrets: SecretMatcher::new(secrets), ..self }
    }

    /// Keeps what the host keeps.
    pub(in crate::kernel) fn with_keep(self, keep: &Keep) -> Self {
        PrivacyFilterEngine { kept: Kept::new(keep), ..self }
    }

    /// Sets the replacement style. Only pseudonyms need the `key`, 32 random bytes of the host: the key
    /// allows guessing short values.
    ///
    /// ```
    /// use mpp::privacy::{PrivacyFilterEngine, Replacement};
    ///
    /// let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &[])?;
    /// let engine = engine.with_replacement(Replacement::Numbered, [0; 32]);
    /// let (text, _) = engine.redact_text("from a@x.example to b@x.example, cc a@x.example")?;
    /// assert_eq!(text, "from [EMAIL:1] to [EMAIL:2], cc [EMAIL:1]");
    /// # Ok::<(), mpp::Error>(())
    /// ```
    pub fn with_replacement(self, replacement: Replacement, key: [u8; 32]) -> Self {
        PrivacyFilterEngine { replacement, key, ..self }
    }

    /// Filters a text as a string of an answer: JSON in it is filtered as JSON.
    ///
    /// # Errors
    /// `privacy.limit`, `privacy.residue`: the text must be withheld.
    pub fn redact_text(&self, text: &str) -> Result<(String, RedactionReport), Error> {
        self.redact_text_within(text, &Deadline::unlimited())
    }

    /// Returns what would be redacted from a text, sorted and without overlaps.
    ///
    /// # Errors
    /// `privacy.limit`.
    pub fn find(&self, text: &str) -> Result<Vec<Finding<'_>>, Error> {
        let mut state = self.new_state(&Deadline::unlimited());
        let (matches, _) = self.find_all(text, self.enabled, Hints::NONE, &mut state)?;
        let finding = |found: Match| Finding {
            kind: self.name(found.source),
            label: self.label(found.source),
            start: found.start,
            end: found.end,
        };
        Ok(matches.into_iter().map(finding).collect())
    }

    fn new_state<'a>(&self, deadline: &Deadline<'a>) -> CallState<'a> {
        let labels = Labeler::new(self.replacement, self.key);
        CallState { budget: Budget::new(deadline), labels }
    }

    fn name(&self, source: MatchSource) -> &str {
        match source {
            MatchSource::KnownSecret(_) => "secret",
            MatchSource::Kind(kind) => kind.name(),
            MatchSource::Custom(index) => self.custom.get(index).map_or("", |custom| &custom.name),
        }
    }

    fn label(&self, source: MatchSource) -> &str {
        match source {
            MatchSource::KnownSecret(index) => self.secrets.label(index),
            MatchSource::Kind(kind) => kind.label(),
            MatchSource::Custom(_) => self.name(source),
        }
    }

    /// Replaces matches and scans again until nothing is found; returns `None` if nothing was. Records what
    /// is found and kept, with this pointer.
    // [PRIV-81]
    fn redact_plain(
        &self,
        text: &str,
        kinds: KindSet,
        hints: Hints,
        state: &mut CallState,
        (applied, pointer): (&mut RedactionReport, &str),
    ) -> Result<Option<String>, Error> {
        let mut filtered: Option<String> = None;
        for _ in 0..PRIVACY_PASSES_COUNT_MAX {
            let current = filtered.as_deref().unwrap_or(text);
            state.budget.charge_bytes(current.len())?;
            let (matches, kept) = self.find_all(current, kinds, hints, state)?;
            if matches.is_empty() {
                kept.iter().for_each(|found| applied.record_kept(self.name(found.source)));
                return Ok(filtered);
            }
            for alike in matches.chunk_by(|found, next| found.source == next.source) {
                let count = u64::try_from(alike.len()).unwrap_or(u64::MAX);
                let first = alike.first().map(|found| self.name(found.source));
                first.into_iter().for_each(|name| applied.record(name, pointer, count));
            }
            filtered = Some(self.replace_matches(current, &matches, &mut state.labels));
        }
        Err(Error::new(Code::PrivacyResidue, "redaction did not converge"))
    }

    /// Returns `false` if a text cannot have a match.
    fn may_match(&self, text: &str) -> bool {
        !self.custom.is_empty() || !self.secrets.is_empty() || may_match(text)
    }

    /// Returns all matches in a text, and those that the host keeps, sorted and without overlaps, in bytes of
    /// the original.
    fn find_all(
        &self,
        text: &str,
        kinds: KindSet,
        hints: Hints,
        state: &mut CallState,
    ) -> Result<(Vec<Match>, Vec<Match>), Error> {
        let mut matches = Vec::new();
        if may_match(text) || hints.names_secret() {
            let folded = folded_text::fold(text);
            matches = scan(&folded.bytes, kinds, hints, &state.budget.deadline)?;
            for Match { start, end, .. } in &mut matches {
                (*start, *end) = (folded.original_offset(*start), folded.original_offset(*end));
            }
        }
        if !self.custom.is_empty() {
            let labels = self.label_ranges(text);
            custom::find(text, &self.custom, &labels, &mut state.budget, &mut matches)?;
        }
        matches.extend(self.secrets.find(text.as_bytes()).into_iter().map(Match::from));
        Ok(self.kept.split(text, matches))
    }

    fn replace_matches(&self, text: &str, matches: &[Match], labels: &mut Labeler) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for found in matches {
            out.push_str(text.get(copied..found.start).unwrap_or_default());
            let value = text.get(found.start..found.end).unwrap_or_default();
            labels.write(&mut out, found.source, self.label(found.source), value);
            copied = found.end;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        out
    }

    /// Returns the ranges of this engine's labels in a text: custom patterns must not match in them.
    fn label_ranges(&self, text: &str) -> Vec<(usize, usize)> {
        let custom = self.custom.iter().map(|custom| custom.name.as_str());
        let labels: Vec<&str> =
            Kind::ALL.iter().map(|kind| kind.label()).chain(custom).chain(["SECRET"]).collect();
        let label = |(start, _): (usize, &str)| {
            let from = start.checked_add(1)?;
            let inside = label::content(text.as_bytes().get(from..)?)?;
            let name = inside.split(|byte| *byte == b':').next()?;
            let known = labels.iter().any(|label| label.as_bytes() == name);
            known.then_some((start, from.saturating_add(inside.len()).saturating_add(1)))
        };
        text.match_indices('[').filter_map(label).collect()
    }
}

/// The state of one call of the filter.
struct CallState<'a> {
    budget: Budget<'a>,
    labels: Labeler,
}
