//! Linear cost, shown without a clock: how many characters the scanners read.

use super::*;
use std::cell::Cell;

#[path = "../../../../conformance/bench/texts.rs"]
mod texts;

use texts::{filled, ORDINARY, WORST};

thread_local!(static LOOKED_AT: Cell<usize> = const { Cell::new(0) });

/// Counts characters that a scanner reads.
pub(in crate::kernel) fn count_reads(characters: usize) {
    LOOKED_AT.set(LOOKED_AT.get() + characters);
}

/// The number of characters that the scanners read, with repetition.
fn cost(text: &str) -> usize {
    LOOKED_AT.set(0);
    let _ = all().find(text);
    LOOKED_AT.get()
}

/// The costliest texts take 24.
const LOOKS_PER_CHARACTER_MAX: usize = 25;

#[test]
fn ten_times_the_text_costs_ten_times_as_much_and_each_character_few_looks() {
    for (name, unit) in ORDINARY.iter().chain(WORST) {
        let (short, long) = (filled(unit, 8_000), filled(unit, 80_000));
        let (at_short, at_long) = (cost(&short), cost(&long));
        assert!(at_long <= at_short * 11, "{name}: {at_short}, then {at_long}");
        assert!(at_long <= long.len() * LOOKS_PER_CHARACTER_MAX, "{name}: {at_long}");
    }
}
