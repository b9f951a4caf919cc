//! Regular expressions of schemas and privacy filters, with a cost that is known before each search.
//!
//! `syntax.rs` says what an expression may be, how many states it has, and what bounds a match;
//! regex-lite does the matching. A search looks at a window of the text that every match beginning in
//! its first part must end in, so it finds what a search of the whole text would find, and costs at
//! most the number of states times the length of the window.

mod syntax;
#[cfg(test)]
#[path = "../../conformance/unit/kernel/pattern.rs"]
mod tests;

#[cfg(feature = "std")]
use crate::kernel::limits::PATTERN_PROGRAM_BYTES_MAX;
use crate::kernel::limits::{PATTERN_SEARCH_STEPS, PATTERN_SEARCH_STEPS_MAX, PATTERN_STATES_MAX};
use crate::kernel::prelude::*;
#[cfg(feature = "std")]
use regex_lite::{Regex, RegexBuilder};
pub(in crate::kernel) use syntax::Dialect;
use syntax::{Expression, Piece, Set};

/// An expression that was accepted.
#[derive(Clone, Debug)]
pub(in crate::kernel) struct Pattern {
    #[cfg(feature = "std")]
    regex: Regex,
    /// Steps of the matcher for each byte, at most.
    states: u64,
    alternatives: Vec<Vec<Piece>>,
    /// What a match may begin with.
    first: Set,
    /// Steps for holding one place against the beginnings of all alternatives, at most.
    head_steps: u64,
}

/// Whether this build can match. Syntax and size of an expression are judged in every build alike.
// [PAT-07]
pub(in crate::kernel) const CAN_MATCH: bool = cfg!(feature = "std");

/// Bytes that are passed over in one step while a match is looked for.
const BYTES_PER_STEP: usize = 4;
/// Pieces that are held against a place in one step.
const PIECES_PER_STEP: usize = 8;

impl Pattern {
    /// Compiles an expression, or says why it is refused.
    // [PAT-04]
    pub(in crate::kernel) fn new(source: &str, dialect: Dialect) -> Result<Self, String> {
        let Expression { states, alternatives } = syntax::parse(source, dialect)?;
        if states > PATTERN_STATES_MAX {
            return Err(format!(
                "it has {states} states, {PATTERN_STATES_MAX} at most are allowed"
            ));
        }
        #[cfg(feature = "std")]
        let regex = RegexBuilder::new(source)
            .size_limit(PATTERN_PROGRAM_BYTES_MAX)
            .build()
            .map_err(|error| error.to_string())?;
        let (first, heads) = syntax::beginnings(&alternatives);
        Ok(Pattern {
            #[cfg(feature = "std")]
            regex,
            states: u64::try_from(states).unwrap_or(u64::MAX),
            alternatives,
            first,
            head_steps: u64::try_from(heads.div_ceil(PIECES_PER_STEP)).unwrap_or(u64::MAX),
        })
    }

    /// Whether the expression matches anywhere. `spend` is asked for the steps of each search before it
    /// begins, and stops the matching by its error.
    pub(in crate::kernel) fn is_match<E>(
        &self,
        text: &str,
        mut spend: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<bool, E> {
        self.next(text, 0, &mut spend).map(|found| found.is_some())
    }

    /// Every match that is not empty, from left to right and without overlaps, as ranges of bytes.
    pub(in crate::kernel) fn each_match<E>(
        &self,
        text: &str,
        mut spend: impl FnMut(u64) -> Result<(), E>,
        mut found: impl FnMut(usize, usize),
    ) -> Result<(), E> {
        let mut from = 0;
        while let Some((start, end)) = self.next(text, from, &mut spend)? {
            if start < end {
                found(start, end);
            }
            from = end.max(start.saturating_add(1));
        }
        Ok(())
    }

    /// The leftmost match that begins at `from` or later.
    // [PAT-05] [PAT-06]
    fn next<E>(
        &self,
        text: &str,
        from: usize,
        spend: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<Option<(usize, usize)>, E> {
        // Without the matcher a search costs more than anyone may spend: what needs it is refused.
        if !CAN_MATCH {
            spend(u64::MAX)?;
        }
        let mut from = from;
        while let Some(start) = self.next_beginning(text, from, spend)? {
            // A match that begins up to `last` ends up to `end`: later beginnings reach no less far.
            let last = self.reach(text, start);
            let end = self.reach(text, last);
            // One character more, for `$` and `\b`.
            let window_end = boundary(text, end.saturating_add(1));
            let length = u64::try_from(window_end.saturating_sub(start)).unwrap_or(u64::MAX);
            spend(self.states.saturating_mul(length).saturating_add(PATTERN_SEARCH_STEPS))?;
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

    /// Not reached: no search was paid for.
    #[cfg(not(feature = "std"))]
    fn find(&self, _: &str, _: usize) -> Option<(usize, usize)> {
        None
    }

    /// The first place from `from` on where a match may begin. The end of the text is one as well.
    // [PAT-06]
    fn next_beginning<E>(
        &self,
        text: &str,
        from: usize,
        spend: &mut impl FnMut(u64) -> Result<(), E>,
    ) -> Result<Option<usize>, E> {
        let mut at = from;
        loop {
            let rest = text.as_bytes().get(at..).unwrap_or_default();
            let skipped = rest.iter().take_while(|byte| !self.first.has(**byte)).count();
            at = at.saturating_add(skipped);
            let looked_at = u64::try_from(skipped.div_euclid(BYTES_PER_STEP)).unwrap_or(u64::MAX);
            spend(looked_at.saturating_add(self.head_steps))?;
            let begins = |pieces: &Vec<Piece>| syntax::may_begin(pieces, text, at);
            if text.is_char_boundary(at) && self.alternatives.iter().any(begins) {
                return Ok(Some(at));
            }
            if at >= text.len() {
                return Ok(None);
            }
            at = at.saturating_add(1);
        }
    }

    /// How far a match that begins at `start` can go. Never less for a later start.
    fn reach(&self, text: &str, start: usize) -> usize {
        let ends = self.alternatives.iter().map(|pieces| syntax::reach(pieces, text, start));
        ends.max().unwrap_or(start)
    }
}

/// Whether one search may take so many steps: it is not interrupted.
// [PAT-06]
pub(in crate::kernel) fn is_one_search(steps: u64) -> bool {
    steps <= PATTERN_SEARCH_STEPS_MAX
}

/// The first boundary of a character from `at` on, or the end of the text.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}
