//! Room: dates. Written in digits, a date is no telephone number; where the surroundings name it
//! as someone's day of birth, it is personal data itself.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::digits::{number, Gap, Group};
use super::text::{is_alnum, Text};

/// How many groups, three or none, the date takes that the groups begin with: year, month, day or
/// day, month, year or month, day, year, the same separator twice.
// [PRIV-55]
pub(crate) fn numeric(text: Text<'_>, groups: &[Group]) -> usize {
    let [a, b, c, ..] = groups else { return 0 };
    if b.gap != c.gap || !matches!(b.gap, Gap::Dash | Gap::Dot | Gap::Slash) || c.len() > 4 {
        return 0;
    }
    let [x, y, z] = [a, b, c].map(|group| number(text, *group));
    let date = match (a.len(), b.len(), c.len()) {
        (4, 1..=2, 1..=2) => is_day(x, y, z),
        (1..=2, 1..=2, 4) => is_day(z, x, y) || is_day(z, y, x),
        (1..=2, 1..=2, 2) => is_day(2000 + z, x, y) || is_day(2000 + z, y, x),
        _ => false,
    };
    let longer = groups.get(3).is_some_and(|next| next.gap == c.gap);
    if date && !longer {
        3
    } else {
        0
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

/// Whether there may be a date among the groups: a look that costs less than reading the words
/// around every small number.
pub(crate) fn likely(text: Text<'_>, groups: &[Group]) -> bool {
    groups.len() >= 3 || groups.iter().any(|group| beside_letters(text, *group))
}

fn beside_letters(text: Text<'_>, group: Group) -> bool {
    let behind = [text.at(group.end), text.at(group.end + 1), text.at(group.end + 2)];
    let before = [text.before(group.start), text.before(group.start.max(1) - 1)];
    group.len() <= 2 && behind.iter().chain(&before).any(u8::is_ascii_alphabetic)
}

/// Reports every date among the groups. The caller has to know that the surroundings name it as a
/// day of birth: any other date is nobody's.
// [PRIV-56]
pub(crate) fn find(text: Text<'_>, groups: &[Group], report: &mut impl FnMut(usize, usize)) {
    for (index, group) in groups.iter().enumerate() {
        let rest = groups.get(index..).unwrap_or_default();
        let span = match numeric(text, rest) {
            0 => in_words(text, *group),
            count => rest.get(count - 1).map(|last| (group.start, last.end)),
        };
        let Some((start, end)) = span else { continue };
        let bounded = group.gap != Gap::Dot && !is_alnum(text.before(start));
        // A time of day may follow behind a `T`.
        if bounded && (!is_alnum(text.at(end)) || text.at(end) == b'T') {
            report(start, end);
        }
    }
}

/// `12 March 1985`, `12-MAR-85`, `March 12, 1985`: the date whose day is this group.
// [PRIV-57]
fn in_words(text: Text<'_>, day: Group) -> Option<(usize, usize)> {
    if !beside_letters(text, day) || !(1..=31).contains(&number(text, day)) {
        return None;
    }
    let filler = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b',' | b'/');
    let is_letter = |byte: u8| byte.is_ascii_alphabetic();
    let ordinals: [&[u8]; 4] = [b"st", b"nd", b"rd", b"th"];
    let ending = text.slice(day.end, day.end + 2);
    let ordinal = ordinals.iter().any(|each| each.eq_ignore_ascii_case(ending));
    let behind = if ordinal { day.end + 2 } else { day.end };
    let next = text.forth(behind, 2, filler);
    let next_end = text.forth(next, 10, is_letter);
    let (start, year) = if is_month(text.slice(next, next_end)) {
        (day.start, text.forth(next_end, 2, filler))
    } else {
        let previous_end = text.back(day.start, 2, filler);
        let previous = text.back(previous_end, 10, is_letter);
        if !is_month(text.slice(previous, previous_end)) {
            return None;
        }
        (previous, next)
    };
    let end = text.forth(year, 5, |byte| byte.is_ascii_digit());
    matches!(end - year, 2 | 4).then_some((start, end))
}

/// An English month, in full or by its first three or four letters.
fn is_month(word: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] = [
        b"january",
        b"february",
        b"march",
        b"april",
        b"may",
        b"june",
        b"july",
        b"august",
        b"september",
        b"october",
        b"november",
        b"december",
    ];
    let begins = |month: &[u8]| {
        let head = month.get(..word.len()).unwrap_or_default();
        head.eq_ignore_ascii_case(word) && (word.len() <= 4 || word.len() == month.len())
    };
    word.len() >= 3 && MONTHS.iter().any(|month| begins(month))
}
