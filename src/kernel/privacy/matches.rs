//! What is found in a text: hits, and how those that overlap become one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::kind::{Kind, KindSet};
use crate::kernel::prelude::*;

/// What a hit is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kernel) enum MatchSource {
    /// The hidden text at this place of the engine's list.
    KnownSecret(usize),
    /// The custom pattern at this place of the engine's list.
    Custom(usize),
    Kind(Kind),
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Match {
    pub(in crate::kernel) start: usize,
    pub(in crate::kernel) end: usize,
    pub(in crate::kernel) tag: MatchSource,
}

impl From<crate::kernel::secrets::Occurrence> for Match {
    fn from(place: crate::kernel::secrets::Occurrence) -> Self {
        Match { start: place.start, end: place.end, tag: MatchSource::KnownSecret(place.of) }
    }
}

/// A kind, where its value starts and where it ends.
pub(in crate::kernel) type Found = (Kind, usize, usize);

/// What was found of the kinds that are on.
pub(in crate::kernel) struct Matches {
    pub(in crate::kernel) on: KindSet,
    pub(in crate::kernel) found: Vec<Match>,
}

impl Matches {
    /// Takes what a scanner found, if its kind is on. Whether it is.
    pub(in crate::kernel) fn add(&mut self, (kind, start, end): Found) -> bool {
        let on = self.on.has(kind);
        if on {
            self.found.push(Match { start, end, tag: MatchSource::Kind(kind) });
        }
        on
    }
}

/// Overlapping hits become one that covers both. The longest gives its tag; of equally long ones
/// the first in precedence. What is left is in order.
// [PRIV-75]
pub(in crate::kernel) fn resolve(mut hits: Vec<Match>) -> Vec<Match> {
    hits.sort_by_key(|hit| hit.start);
    // The longest hit in the one that grows.
    let mut best: Option<Match> = None;
    hits.dedup_by(|hit, grown| {
        let so_far = best.take().unwrap_or(*grown);
        if hit.start >= grown.end {
            return false;
        }
        let first = |a: &Match, b: &Match| (b.end - b.start, a.tag) < (a.end - a.start, b.tag);
        let winner = if first(hit, &so_far) { *hit } else { so_far };
        (grown.tag, grown.end, best) = (winner.tag, grown.end.max(hit.end), Some(winner));
        true
    });
    hits
}
