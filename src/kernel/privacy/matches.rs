//! Matches in a text, and how overlapping ones are merged.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::kind::{Kind, KindSet};
use crate::kernel::prelude::*;
use core::cmp::Reverse;

/// What a match is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MatchSource {
    /// The known secret with this index.
    KnownSecret(usize),
    /// The custom pattern with this index.
    Custom(usize),
    Kind(Kind),
}

/// A match: a range of a text, and its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) source: MatchSource,
}

impl From<crate::kernel::secrets::Occurrence> for Match {
    fn from(found: crate::kernel::secrets::Occurrence) -> Self {
        Match { start: found.start, end: found.end, source: MatchSource::KnownSecret(found.secret) }
    }
}

/// A match of a built-in kind: kind, start, end.
pub(super) type KindMatch = (Kind, usize, usize);

/// The matches of the enabled kinds.
#[derive(Default)]
pub(super) struct Matches {
    pub(super) enabled: KindSet,
    pub(super) found: Vec<Match>,
    /// The end of the last telephone number, which a long row's next piece can begin with.
    pub(super) phone_end: usize,
}

impl Matches {
    /// Adds a match if its kind is enabled; returns `true` if it is.
    pub(super) fn add(&mut self, (kind, start, end): KindMatch) -> bool {
        let enabled = self.enabled.has(kind);
        if enabled {
            self.found.push(Match { start, end, source: MatchSource::Kind(kind) });
        }
        enabled
    }
}

/// Merges overlapping matches into one that covers them. The longest one is its source; of equally long
/// ones the first in precedence. The result is sorted.
// [PRIV-75]
pub(super) fn merge_overlapping(mut matches: Vec<Match>) -> Vec<Match> {
    matches.sort_by_key(|found| found.start);
    // The longest match within the merged one.
    let mut best: Option<Match> = None;
    matches.dedup_by(|found, grown| {
        let so_far = best.take().unwrap_or(*grown);
        if found.start >= grown.end {
            return false;
        }
        let rank = |it: &Match| (Reverse(it.end - it.start), it.source);
        let winner = if rank(found) < rank(&so_far) { *found } else { so_far };
        (grown.source, grown.end, best) = (winner.source, grown.end.max(found.end), Some(winner));
        true
    });
    matches
}
