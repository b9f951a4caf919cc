//! Room: the privacy filter. Personal data in an answer is found and replaced by labels such as
//! `[EMAIL]` before the answer leaves.
//!
//! Read in this order: [`PrivacyFilterEngine`] here, `walk.rs` (which strings are filtered),
//! `fold.rs` (what the detectors see), then in `detect/` `scan.rs` (one pass) and a file for each family of values:
//! `digits.rs` reads groups of digits for `numbers.rs` (with `checks.rs`), `ip.rs`, `dates.rs` and `phone.rs`;
//! `email.rs`, `iban.rs`, `secret.rs` and `document.rs` stand alone; `hint.rs` and `words.rs` know what
//! surroundings tell; `label.rs` says what stands where a value was. What a host knows to be secret
//! `kernel/secrets/` finds.
//!
//! Whatever is redacted is scanned again until nothing is found; if something is left, or a limit
//! is passed, nothing leaves.

mod budget;
mod custom;
mod detect;
mod fold;
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
use kind::KindSet;
use label::Labeler;
use matches::{resolve, Match, MatchSource};

/// What stands in the place of a value that could not be filtered.
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
    on: KindSet,
    custom: Vec<Custom>,
    hidden: SecretMatcher,
    replacement: Replacement,
    key: [u8; 32],
}

/// A value found in a text. Offsets are bytes of the text as it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding<'a> {
    /// The kind's name, such as `credit-card`, or the custom pattern's.
    pub kind: &'a str,
    /// The label without its brackets, such as `CREDIT_CARD`.
    pub label: &'a str,
    /// The first byte.
    pub start: usize,
    /// The byte behind the last.
    pub end: usize,
}

/// Refuses what [`PrivacyFilterEngine::from_config`] refuses: for manifests and policies.
///
/// # Errors
/// `privacy.pattern`.
pub fn check_patterns(patterns: &[String], custom: &[CustomPattern]) -> Result<(), Error> {
    PrivacyFilterEngine::from_config(patterns, custom).map(|_| ())
}

impl PrivacyFilterEngine {
    /// An engine for the built-in kinds of these names and these custom patterns. A name that
    /// stands twice counts once, so lists of several sources can be put together.
    ///
    /// # Errors
    /// `privacy.pattern`: an unknown name; a custom pattern that does not compile, is too large,
    /// matches the empty text or has no proper name.
    // [PRIV-02] [PRIV-03]
    pub fn from_config(patterns: &[String], custom: &[CustomPattern]) -> Result<Self, Error> {
        let mut on = KindSet::default();
        for name in patterns {
            let unknown = || {
                let name: String = name.chars().take(64).collect();
                Error::new(Code::PrivacyPattern, format!("unknown privacy pattern {name:?}"))
            };
            on.add(Kind::from_name(name).ok_or_else(unknown)?);
        }
        let (replacement, key) = (Replacement::Label, [0; 32]);
        let (custom, hidden) = (custom::compile(custom)?, SecretMatcher::default());
        Ok(PrivacyFilterEngine { on, custom, hidden, replacement, key })
    }

    /// Keeps these texts out of whatever is filtered: each becomes `[SECRET:NAME]`, however values are replaced
    /// otherwise. [`crate::kernel::policy::token::ResolvedToken`] has them.
    pub fn with_known_secrets(self, hidden: &[KnownSecret]) -> Self {
        PrivacyFilterEngine { hidden: SecretMatcher::new(hidden), ..self }
    }

    /// Replaces values in another way than by their labels. Only pseudonyms need the `key`, 32 random
    /// bytes of the host: whoever has it can find a short value by trying.
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

    /// Filters a text as one string, whatever is in it.
    ///
    /// # Errors
    /// `privacy.limit`, `privacy.residue`: nothing may leave.
    pub fn redact_text(&self, text: &str) -> Result<(String, RedactionReport), Error> {
        self.redact_text_within(text, &Deadline::unlimited())
    }

    /// Filters a text as long as the deadline lets it.
    ///
    /// # Errors
    /// As [`PrivacyFilterEngine::redact_json_within`].
    pub(in crate::kernel) fn redact_text_within(
        &self,
        text: &str,
        deadline: &Deadline,
    ) -> Result<(String, RedactionReport), Error> {
        let mut applied = RedactionReport::default();
        let mut call = self.new_call(deadline);
        let record = |name: &str, count| applied.record(name, "", count);
        let filtered = self.redact_plain(text, Hints::NONE, &mut call, record)?;
        Ok((filtered.unwrap_or_else(|| text.to_owned()), applied))
    }

    /// What would be redacted from a text, in order and without overlaps.
    ///
    /// # Errors
    /// `privacy.limit`.
    pub fn find(&self, text: &str) -> Result<Vec<Finding<'_>>, Error> {
        let mut call = self.new_call(&Deadline::unlimited());
        let hits = self.hits(text, Hints::NONE, &mut call)?;
        let finding = |hit: Match| Finding {
            kind: self.name(hit.tag),
            label: self.label(hit.tag),
            start: hit.start,
            end: hit.end,
        };
        Ok(hits.into_iter().map(finding).collect())
    }

    fn new_call<'a>(&self, deadline: &Deadline<'a>) -> CallState<'a> {
        let labels = Labeler::new(self.replacement, self.key);
        CallState { budget: Budget::new(deadline), labels }
    }

    fn name(&self, tag: MatchSource) -> &str {
        match tag {
            MatchSource::KnownSecret(_) => "secret",
            MatchSource::Kind(kind) => kind.name(),
            MatchSource::Custom(index) => self.custom.get(index).map_or("", |custom| &custom.name),
        }
    }

    fn label(&self, tag: MatchSource) -> &str {
        match tag {
            MatchSource::KnownSecret(index) => self.hidden.label(index),
            MatchSource::Kind(kind) => kind.label(),
            MatchSource::Custom(_) => self.name(tag),
        }
    }

    /// Replaces what is found, and scans again, until nothing is found; nothing if nothing was.
    /// Calls `record` with the name of each kind found and how often it was.
    // [PRIV-81]
    fn redact_plain(
        &self,
        text: &str,
        hints: Hints,
        call: &mut CallState,
        mut record: impl FnMut(&str, u64),
    ) -> Result<Option<String>, Error> {
        let mut filtered: Option<String> = None;
        for _ in 0..PRIVACY_PASSES_COUNT_MAX {
            let current = filtered.as_deref().unwrap_or(text);
            call.budget.spend(current.len())?;
            let hits = self.hits(current, hints, call)?;
            if hits.is_empty() {
                return Ok(filtered);
            }
            for alike in hits.chunk_by(|hit, next| hit.tag == next.tag) {
                let count = u64::try_from(alike.len()).unwrap_or(u64::MAX);
                alike.first().into_iter().for_each(|hit| record(self.name(hit.tag), count));
            }
            filtered = Some(self.replaced(current, &hits, &mut call.labels));
        }
        Err(Error::new(Code::PrivacyResidue, "redaction did not come to an end"))
    }

    /// Whether a text can hold anything that this engine looks for.
    fn may_match(&self, text: &str) -> bool {
        !self.custom.is_empty() || !self.hidden.is_empty() || may_match(text)
    }

    /// Everything found in a text, in order and without overlaps, in bytes of the original.
    fn hits(&self, text: &str, hints: Hints, call: &mut CallState) -> Result<Vec<Match>, Error> {
        let mut hits = Vec::new();
        if may_match(text) {
            let shadow = fold::fold(text);
            hits = scan(&shadow.bytes, self.on, hints, &call.budget.deadline)?;
            for hit in &mut hits {
                (hit.start, hit.end) = (shadow.original(hit.start), shadow.original(hit.end));
            }
        }
        if !self.custom.is_empty() {
            let labels = self.labels_in(text);
            custom::find(text, &self.custom, &labels, &mut call.budget, &mut hits)?;
        }
        hits.extend(self.hidden.find(text.as_bytes()).into_iter().map(Match::from));
        Ok(resolve(hits))
    }

    fn replaced(&self, text: &str, hits: &[Match], labels: &mut Labeler) -> String {
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for hit in hits {
            out.push_str(text.get(copied..hit.start).unwrap_or_default());
            let value = text.get(hit.start..hit.end).unwrap_or_default();
            labels.write(&mut out, hit.tag, self.label(hit.tag), value);
            copied = hit.end;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        out
    }

    /// Where labels of this engine stand in a text: a custom pattern may not match in them.
    fn labels_in(&self, text: &str) -> Vec<(usize, usize)> {
        let custom = self.custom.iter().map(|custom| custom.name.as_str());
        let labels: Vec<&str> =
            Kind::ALL.iter().map(|kind| kind.label()).chain(custom).chain(["SECRET"]).collect();
        let label = |(start, _): (usize, &str)| {
            let from = start.checked_add(1)?;
            let inside = label::inside(text.as_bytes().get(from..)?)?;
            let name = inside.split(|byte| *byte == b':').next()?;
            let known = labels.iter().any(|label| label.as_bytes() == name);
            known.then_some((start, from.saturating_add(inside.len()).saturating_add(1)))
        };
        text.match_indices('[').filter_map(label).collect()
    }
}

/// What is kept while one value is filtered.
struct CallState<'a> {
    budget: Budget<'a>,
    labels: Labeler,
}
