//! What is found in a text: hits, and how those that overlap become one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::kind::{Kind, Kinds};
use crate::kernel::prelude::*;

/// What a hit is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::kernel) enum Tag {
    /// The hidden text at this place of the engine's list.
    Hidden(usize),
    /// The custom pattern at this place of the engine's list.
    Custom(usize),
    Kind(Kind),
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Hit {
    pub(in crate::kernel) start: usize,
    pub(in crate::kernel) end: usize,
    pub(in crate::kernel) tag: Tag,
}

impl From<crate::kernel::secrets::Place> for Hit {
    fn from(place: crate::kernel::secrets::Place) -> Self {
        Hit { start: place.start, end: place.end, tag: Tag::Hidden(place.of) }
    }
}

/// A kind, where its value starts and where it ends.
pub(in crate::kernel) type Found = (Kind, usize, usize);

/// What was found of the kinds that are on.
pub(in crate::kernel) struct Hits {
    pub(in crate::kernel) on: Kinds,
    pub(in crate::kernel) found: Vec<Hit>,
}

impl Hits {
    /// Takes what a scanner found, if its kind is on. Whether it is.
    pub(in crate::kernel) fn add(&mut self, (kind, start, end): Found) -> bool {
        let on = self.on.has(kind);
        if on {
            self.found.push(Hit { start, end, tag: Tag::Kind(kind) });
        }
        on
    }
}

/// Overlapping hits become one that covers both. The longest gives its tag; of equally long ones
/// the first in precedence. What is left is in order.
// [PRIV-75]
pub(in crate::kernel) fn resolve(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| hit.start);
    // The longest hit in the one that grows.
    let mut best: Option<Hit> = None;
    hits.dedup_by(|hit, grown| {
        let so_far = best.take().unwrap_or(*grown);
        if hit.start >= grown.end {
            return false;
        }
        let first = |a: &Hit, b: &Hit| (b.end - b.start, a.tag) < (a.end - a.start, b.tag);
        let winner = if first(hit, &so_far) { *hit } else { so_far };
        (grown.tag, grown.end, best) = (winner.tag, grown.end.max(hit.end), Some(winner));
        true
    });
    hits
}
