//! Dates: a numeric date is not a telephone number, and a date of birth named by its context is personal
//! data.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context::Context;
use super::context_words::Hints;
use super::digits::{number, Gap, Group};
use super::text_view::{is_alnum, is_letter, Text};

/// Returns `true` if the first three groups are a date: year-month-day, day-month-year or month-day-year,
/// with the same separator twice.
// [PRIV-55]
pub(super) fn is_numeric_date(text: Text, groups: &[Group]) -> bool {
    let [a, b, c, ..] = groups else { return false };
    let even = b.gap == c.gap && matches!(b.gap, Gap::Dash | Gap::Dot | Gap::Slash);
    let longer = groups.get(3).is_some_and(|next| next.gap == c.gap);
    // Checks the groups in these positions as year, month, day.
    let day = |year: &Group, month: &Group, day: &Group| {
        let [year_is, month, day] = [year, month, day].map(|group| number(text, *group));
        is_day(if year.len() == 2 { 2000 + year_is } else { year_is }, month, day)
    };
    match (a.len(), b.len(), c.len()) {
        _ if !even || longer => false,
        (4, 1..=2, 1..=2) => day(a, b, c),
        (1..=2, 1..=2, 2 | 4) => day(c, a, b) || day(c, b, a),
        _ => false,
    }
}

fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1850..=2150).contains(&year) && (1..=days).contains(&day)
}

/// Returns `false` if no group can be a date. Cheaper than reading the context of every small number.
pub(super) fn may_match(text: Text, groups: &[Group]) -> bool {
    groups.len() >= 3 || groups.iter().any(|group| group.len() == 8 || beside_letters(text, *group))
}

fn beside_letters(text: Text, group: Group) -> bool {
    let letter = |place: usize| text.at(place).is_ascii_alphabetic();
    let after = || (group.end..group.end + 3).any(letter);
    group.len() <= 2 && (after() || (group.start.max(2) - 2..group.start).any(letter))
}

/// Adds every date among the groups if the context names a date of birth; other dates are not personal
/// data.
// [PRIV-56]
pub(super) fn find(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    if !context.nearby.has(Hints::BIRTH) {
        return;
    }
    for (index, group) in groups.iter().enumerate() {
        let rest = groups.get(index..).unwrap_or_default();
        let span = match rest {
            [_, _, last, ..] if is_numeric_date(text, rest) => Some((group.start, last.end)),
            _ if group.len() == 8 && context.adjacent.has(Hints::BIRTH) => {
                // `19850312`.
                let date = number(text, *group);
                let real = is_day(date / 10_000, date / 100 % 100, date % 100);
                real.then_some((group.start, group.end))
            }
            _ => written_date(text, *group),
        };
        let Some((start, end)) = span else { continue };
        let bounded = group.gap != Gap::Dot && !is_alnum(text.before(start));
        // A time of day can follow after a `T`.
        if bounded && (!is_alnum(text.at(end)) || text.at(end) == b'T') {
            matches.add((Kind::DateOfBirth, start, end));
        }
    }
}

/// `12 March 1985`, `12-MAR-85`, `March 12, 1985`, `3. März 1985`, `12 de marzo de 1985`: the date whose
/// day is this group.
// [PRIV-57]
fn written_date(text: Text, day: Group) -> Option<(usize, usize)> {
    if !beside_letters(text, day) || !(1..=31).contains(&number(text, day)) {
        return None;
    }
    let ordinals: [&[u8]; 4] = [b"st", b"nd", b"rd", b"th"];
    let ending = text.upto(day.end, 2);
    let ordinal = ordinals.iter().any(|each| each.eq_ignore_ascii_case(ending));
    let next = next_word(text, if ordinal { day.end + 2 } else { day.end });
    let next_end = text.run_end(next, MONTH_MAX, is_letter);
    let (start, year) = if is_month(text.slice(next, next_end)) {
        (day.start, next_word(text, next_end))
    } else {
        let previous_end = text.run_start(day.start, 2, is_filler);
        let previous = text.run_start(previous_end, MONTH_MAX, is_letter);
        if !is_month(text.slice(previous, previous_end)) {
            return None;
        }
        (previous, next)
    };
    let end = text.run_end(year, 5, |byte| byte.is_ascii_digit());
    matches!(end - year, 2 | 4).then_some((start, end))
}

/// The longest name of a month, and one letter more.
const MONTH_MAX: usize = 11;

fn is_filler(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b',' | b'/')
}

/// Returns the start of the next word or number, skipping `of` or `de`.
fn next_word(text: Text, end: usize) -> usize {
    let next = text.run_end(end, 2, is_filler);
    let linked = [b"of ", b"de "].iter().any(|link| text.upto(next, 3).eq_ignore_ascii_case(*link));
    next + if linked { 3 } else { 0 }
}

/// A month in the larger European languages, in full or abbreviated, detected by its first three letters.
fn is_month(word: &[u8]) -> bool {
    const STARTS: &[u8] =
        b"jan ene gen feb fev mar maa apr abr avr may mai mag mei jun jui giu jul \
        lug aug ago aou sep set oct okt ott out nov dec dez dic";
    let start = word.get(..3).unwrap_or_default();
    let known = STARTS.split(|byte| *byte == b' ').any(|each| each.eq_ignore_ascii_case(start));
    known && word.len() < MONTH_MAX
}
