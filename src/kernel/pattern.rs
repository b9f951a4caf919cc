//! Regular expressions of schemas and privacy filters, with the cost of each search known in advance.
//!
//! `syntax.rs` defines the accepted expressions, the number of their states, and bounds on their matches;
//! regex-lite does the matching. Each search is limited to a window of the text that contains every match
//! starting in its first part. So it finds what a search of the whole text would find, and costs at most
//! the number of states times the length of the window.

mod syntax;
#[cfg(test)]
#[path = "../../conformance/unit/kernel/pattern.rs"]
mod tests;

use crate::kernel::encoding::as_u64;
#[cfg(feature = "std")]
use crate::kernel::limits::PATTERN_PROGRAM_BYTES_MAX;
use crate::kernel::limits::{PATTERN_SEARCH_STEPS, PATTERN_SEARCH_STEPS_MAX, PATTERN_STATES_MAX};
use crate::kernel::prelude::*;
#[cfg(feature = "std")]
use regex_lite::{Regex, RegexBuilder};
pub(in crate::kernel) use syntax::Dialect;
use syntax::{Expression, Piece, Set};

/// An accepted expression.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct Pattern {
    #[cfg(feature = "std")]
    regex: Regex,
    /// The most steps of the matcher for each byte.
    states: u64,
    alternatives: Vec<Vec<Piece>>,
    /// The bytes that a match can start with.
    start_bytes: Set,
    /// The most steps for comparing one place with the starts of all alternatives.
    start_steps: u64,
}

/// Whether this build can match. Syntax and size of an expression are checked in every build alike.
// [PAT-07]
pub(in crate::kernel) const CAN_MATCH: bool = cfg!(feature = "std");

/// Bytes skipped per step on the way to the next possible start of a match.
const BYTES_PER_STEP: usize = 4;
/// Pieces compared with a place per step.
const PIECES_PER_STEP: usize = 8;

impl Pattern {
    /// Compiles an expression; the error says why it is refused.
    // [PAT-04]
    pub(in crate::kernel) fn new(source: &str, dialect: Dialect) -> Result<Self, String> {
        let Expression { states, alternatives } = syntax::parse(source, dialect)?;
        if states > PATTERN_STATES_MAX {
            return Err(format!("pattern has {states} states, limit {PATTERN_STATES_MAX}"));
        }
        #[cfg(feature = "std")]
        let regex = RegexBuilder::new(source)
            .size_limit(PATTERN_PROGRAM_BYTES_MAX)
            .build()
            .map_err(|error| error.to_string())?;
        let (start_bytes, pieces) = syntax::start_bytes(&alternatives);
        Ok(Pattern {
            #[cfg(feature = "std")]
            regex,
            states: as_u64(states),
            alternatives,
            start_bytes,
            start_steps: as_u64(pieces.div_ceil(PIECES_PER_STEP)),
        })
    }

    /// Returns `true` if the expression matches anywhere. `charge` is called with the steps of each search
    /// before it starts, and ends the matching by an error.
    pub(in crate::kernel) fn is_match<E>(
        &self,
        text: &str,
        mut charge: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.next(text, 0, &mut charge).map(|found| found.is_some())
    }

    /// Calls `found` with every match that is not empty, from left to right and without overlaps.
    pub(in crate::kernel) fn each_match<E>(
        &self,
        text: &str,
        mut charge: impl FnMut(u64) -> Result<(), E>,
        mut found: impl FnMut(usize, usize),
    ) -> Result<(), E> {
        let mut from = 0;
        while let Some((start, end)) = self.next(text, from, &mut charge)? {
            if start < end {
                found(start, end);
            }
            from = end.max(start.saturating_add(1));
        }
        Ok(())
    }

    /// Returns the leftmost match that starts at `from` or later.
    // [PAT-05] [PAT-06]
    fn next<E>(
        &self,
        text: &str,
        from: usize,
        charge: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<Option<(usize, usize)>, E> {
        // A search without a matcher is charged more than any budget allows, and so refused.
        if !CAN_MATCH {
            charge(u64::MAX)?;
        }
        let mut from = from;
        while let Some(start) = self.next_start(text, from, charge)? {
            // A match that starts up to `last` ends up to `end`, since ends never decrease with starts.
            let last = self.max_end(text, start);
            let end = self.max_end(text, last);
            // One more character, for `$` and `\b`.
            let window_end = boundary(text, end.saturating_add(1));
            let length = as_u64(window_end.saturating_sub(start));
            charge(self.states.saturating_mul(length).saturating_add(PATTERN_SEARCH_STEPS))?;
            let window = text.get(..window_end).unwrap_or_default();
            match self.find(window, start) {
                Some((found, end)) if found <= last => return Ok(Some((found, end))),
                _ => from = last.saturating_add(1),
            }
        }
        Ok(None)
    }

    #[cfg(feature = "std")]
    fn find(&self, window: &str, from: usize) -> Option<(usize, usize)> {
        self.regex.find_at(window, from).map(|found| (found.start(), found.end()))
    }

    /// Unreachable: the charge for the search was refused.
    #[cfg(not(feature = "std"))]
    fn find(&self, _: &str, _: usize) -> Option<(usize, usize)> {
        None
    }

    /// Returns the first place from `from` on where a match can start; the end of the text is one too.
    // [PAT-06]
    fn next_start<E>(
        &self,
        text: &str,
        from: usize,
        charge: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<Option<usize>, E> {
        let mut at = from;
        loop {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let skipped = rest.iter().take_while(|byte| !self.start_bytes.contains(**byte)).count();
            at = at.saturating_add(skipped);
            let steps = as_u64(skipped.div_euclid(BYTES_PER_STEP));
            charge(steps.saturating_add(self.start_steps))?;
            let can_start = |pieces: &Vec<Piece>| syntax::may_start(pieces, text, at);
            if text.is_char_boundary(at) && self.alternatives.iter().any(can_start) {
                return Ok(Some(at));
            }
            if at >= text.len() {
                return Ok(None);
            }
            at = at.saturating_add(1);
        }
    }

    /// Returns the last possible end of a match from `start`. It never decreases with a later start.
    fn max_end(&self, text: &str, start: usize) -> usize {
        let ends = self.alternatives.iter().map(|pieces| syntax::max_end(pieces, text, start));
        ends.max().unwrap_or(start)
    }
}

/// Returns `true` if one search is allowed to take this many steps, since it cannot be interrupted.
// [PAT-06]
pub(in crate::kernel) fn is_within_search_limit(steps: u64) -> bool {
    steps <= PATTERN_SEARCH_STEPS_MAX
}

/// Returns the first character boundary from `at` on, or the end of the text.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
