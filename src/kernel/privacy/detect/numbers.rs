//! Issued numbers: each is detected by its grouping and its check digits and, where those prove little, by
//! its context. The numbers are in `national_numbers.rs`.
#![allow(clippy::arithmetic_side_effects)] // sums of a few group lengths, offsets inside one text

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::check_digits::{holds, luhn};
use super::context::Context;
use super::context_words::Hints;
use super::digits::{digits, gap_at, Gap, Group};
use super::national_numbers::Need::{self, Adjacent, Alone, Marks, Nearby, Nothing};
use super::national_numbers::{DigitFormat, LetterFormat, DIGIT_FORMATS, FOURS, LETTER_FORMATS};
use super::text_view::{in_uuid, is_alnum, Text};
use crate::kernel::prelude::*;

/// Most groups of a number, least length of the longest of them, and most digits.
const GROUPS_MAX: usize = 7;
const GROUP_MIN: usize = 3;
const DIGITS_MAX: usize = 19;
/// Fewest digits in the table.
pub(super) const DIGITS_MIN: usize = 9;

/// Returns `true` if digits can be a value without context: only a card's check digit proves it.
pub(in crate::kernel) fn proves_itself(digits: &str) -> bool {
    luhn(&digits.bytes().map(|digit| digit.wrapping_sub(b'0')).collect::<Vec<u8>>())
}

/// Returns the issued number that `hints` name, and its number of digits, if it has only one.
pub(in crate::kernel) fn digits_of(hints: Hints) -> Option<(Kind, usize)> {
    let mut whole = DIGIT_FORMATS.iter().filter(|row| row.1.start() == row.1.end());
    whole.find(|row| hints.has(Hints::of(row.0))).map(|row| (row.0, *row.1.start()))
}

/// Adds the longest number of each row of the table from each group on.
pub(super) fn find(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    let digits: usize = groups.iter().map(|group| group.len()).sum();
    let is_named = context.nearby.name_numbers();
    // Without a name, it is a card, or has at least three groups.
    let few = !is_named && groups.len() < 3 && digits < 13;
    if few || groups.iter().all(|group| group.len() < GROUP_MIN) {
        return;
    }
    let open = |row: &&DigitFormat| {
        let unnamed = match row.3 {
            Nothing | Alone => true,
            Marks(marks) => groups.len() > marks.len(),
            Nearby | Adjacent => false,
        };
        *row.1.start() <= digits && (unnamed || is_named && context.nearby.has(Hints::of(row.0)))
    };
    for row in DIGIT_FORMATS.iter().filter(open) {
        for (index, first) in groups.iter().enumerate() {
            let rest = groups.get(index..).unwrap_or_default();
            let (mut count, mut shape, mut found) = (0, 0, None);
            for (place, group) in rest.iter().take(GROUPS_MAX).enumerate() {
                count += group.len();
                if count > *row.1.end() {
                    break;
                }
                shape = shape * 10 + group.len();
                let value = rest.get(..=place).unwrap_or_default();
                if count >= *row.1.start() && fits(row, text, value, shape, context) {
                    found = Some(group.end);
                }
            }
            if let Some(end) = found {
                let track = if row.0 == Kind::CreditCard { track_end(text, end) } else { end };
                matches.add((row.0, first.start, track));
            }
        }
    }
}

fn fits(row: &DigitFormat, text: Text, value: &[Group], shape: usize, context: Context) -> bool {
    let (kind, _, shapes, grouped, whole, check, ..) = row;
    let hint = Hints::of(*kind);
    let (need, shaped) = match value {
        [group] => (*whole, group.is_whole() || *whole != Nothing),
        [all @ .., _] if *shapes == FOURS => (*grouped, all.iter().all(|group| group.len() >= 4)),
        // Where context names a number with check digits, any groups do.
        _ if matches!(grouped, Marks(_)) && context.nearby.has(hint) => (Nearby, true),
        _ => (*grouped, shapes.is_empty() || shapes.contains(&shape)),
    };
    let named = match need {
        Nothing | Alone => true,
        Marks(marks) => marks.bytes().eq(value.iter().skip(1).map(|group| match group.gap {
            Gap::Dot => b'.',
            Gap::Dash => b'-',
            Gap::Slash => b'/',
            _ => b' ',
        })),
        Nearby => context.nearby.has(hint),
        Adjacent => context.adjacent.has(hint),
    };
    // Equal digits come from examples and memory dumps, even if the check passes.
    let is_proven = || {
        let mut number = [0; DIGITS_MAX];
        let filled = number.iter_mut().zip(digits(text, value)).map(|(to, digit)| *to = digit);
        let count = filled.count();
        let number = number.get(..count).unwrap_or_default();
        number.iter().any(|digit| Some(digit) != number.first()) && holds(check, number)
    };
    shaped && named && is_proven() && is_apart(text, value, need, *grouped)
}

/// Returns `true` if the groups are joined by one separator, or any if the context names the number, and
/// are not part of a longer row.
// [PRIV-111]
fn is_apart(text: Text, value: &[Group], need: Need, grouped: Need) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return false };
    let mut gaps = value.iter().skip(1).map(|group| group.gap);
    let separator = gaps.clone().next().unwrap_or(Gap::Dot);
    let named = matches!(need, Marks(_) | Nearby | Adjacent);
    let slashed = matches!(grouped, Marks(marks) if marks.contains('/'));
    let joins =
        |gap| matches!(gap, Gap::Space | Gap::Dash | Gap::Dot) || slashed && gap == Gap::Slash;
    let joined = gaps.all(|gap| joins(gap) && (gap == separator || named));
    let tied = |gap| match need {
        _ if gap == Gap::Dot => true,
        Nothing => false,
        Alone => gap == separator,
        Marks(_) => matches!(gap, Gap::Dash | Gap::Slash),
        Nearby | Adjacent => gap == separator && gap == Gap::Dash,
    };
    let dashed = text.before(first.start) == b'-' || text.at(last.end) == b'-';
    joined
        && !tied(first.gap)
        && !tied(gap_at(text, last.end).1)
        && text.bounds(first.start, last.end)
        && !(dashed && in_uuid(text, first.start))
}

/// Most words before a digit that belong to its number: `X-3066991-X`, `AB.CDE.2XB/0001-64`.
const WORDS_BEFORE_MAX: usize = 2;
/// Characters of the longest form.
const LETTERS_MAX: usize = 16;
/// Groups of a row that are tried as the first of a number with letters, and the least length of the later.
const STARTS_MAX: usize = 4;
const START_MIN: usize = 2;

/// Adds numbers with letters that start at one of the groups or at letters before the first.
pub(super) fn find_lettered(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    let first = groups.first().map_or(0, |group| group.start);
    find_in_word(text, first, context, matches);
    for group in groups.iter().take(STARTS_MAX).skip(1).filter(|group| group.len() >= START_MIN) {
        find_forms(text, group.start, context, matches);
    }
}

/// Adds numbers with letters that start at the word around `at` or at one of the words before.
pub(super) fn find_in_word(text: Text, at: usize, context: Context, matches: &mut Matches) {
    if !context.nearby.name_numbers() {
        return;
    }
    let mut end = at;
    for _ in 0..=WORDS_BEFORE_MAX {
        let is_inside = text.before(end).is_ascii_alphanumeric();
        let reach = if is_inside { LETTERS_MAX } else { 0 };
        let start = text.run_start(end, reach, |byte| byte.is_ascii_alphanumeric());
        find_forms(text, start, context, matches);
        end = text.run_start(start, GAP_MAX, is_gap);
        if end == start {
            return;
        }
    }
}

// [PRIV-132]
fn find_forms(text: Text, start: usize, context: Context, matches: &mut Matches) {
    let mut read = None;
    for row in LETTER_FORMATS.iter().filter(|row| context.nearby.has(Hints::of(row.0))) {
        let read = read.get_or_insert_with(|| Characters::read(text, start, GAP_MAX));
        if let Some(end) = read.fit(text, start, row) {
            matches.add((row.0, start, end));
        }
    }
}

/// Adds the tax code of Italy whose first digit is at `at`. It proves itself: a date and a check letter in
/// 16 characters.
// [PRIV-121]
pub(super) fn find_tax_code(text: Text, at: usize, matches: &mut Matches) {
    let Some((row, start)) = LETTER_FORMATS.first().zip(at.checked_sub(6)) else { return };
    if let Some(end) = Characters::read(text, start, 0).fit(text, start, row) {
        matches.add((row.0, start, end));
    }
}

/// Most characters between two of a number: a separator, or two spaces.
pub(super) const GAP_MAX: usize = 2;

pub(super) fn is_gap(byte: u8) -> bool {
    b" \t.-_/".contains(&byte)
}

/// Letters and digits from one position on, without the gaps.
#[derive(Default)]
struct Characters {
    count: usize,
    /// Digits from 0 to 9, capitals from 17 on.
    values: [u8; LETTERS_MAX],
    ends: [usize; LETTERS_MAX],
}

impl Characters {
    fn read(text: Text, start: usize, gap_max: usize) -> Self {
        let (mut read, mut at) = (Characters::default(), start);
        for (value, end) in read.values.iter_mut().zip(&mut read.ends) {
            if at > start {
                at = text.run_end(at, gap_max, is_gap);
            }
            let character = text.at(at).to_ascii_uppercase();
            if !character.is_ascii_alphanumeric() {
                break;
            }
            at += 1;
            (*value, *end, read.count) = (character - b'0', at, read.count + 1);
        }
        read
    }

    /// Returns the end of the number if the first characters have this form and pass the check.
    fn fit(&self, text: Text, start: usize, (_, form, check, ..): &LetterFormat) -> Option<usize> {
        let number = self.values.get(..form.len().min(self.count))?;
        let end = *self.ends.get(form.len().checked_sub(1)?)?;
        let fits = |(class, value): (u8, &u8)| match class {
            b'0' => *value < 10,
            b'A' => *value >= 10,
            _ => true,
        };
        let equal = number.iter().all(|each| Some(each) == number.first());
        let formed = number.len() == form.len() && form.bytes().zip(number).all(fits) && !equal;
        let tied = || text.at(end) == b'-' && is_alnum(text.at(end + 1));
        let proven = formed && holds(check, number);
        (proven && text.bounds(start, end) && !tied() && !in_uuid(text, start)).then_some(end)
    }
}

/// Adds the card number at `at` on the first track of a magnetic stripe, after `%B`.
// [PRIV-133]
pub(super) fn find_track(text: Text, at: usize, matches: &mut Matches) {
    let end = text.run_end(at, DIGITS_MAX, |byte| byte.is_ascii_digit());
    let mut number = [0; DIGITS_MAX];
    number.iter_mut().zip(text.slice(at, end)).for_each(|(to, digit)| *to = digit - b'0');
    let track = track_end(text, end);
    if track > end && number.get(..end - at).is_some_and(luhn) {
        matches.add((Kind::CreditCard, at, track));
    }
}

/// Returns the end of a magnetic stripe's track that goes on after the card number: `=` and digits, or `^`,
/// the holder's name, `^` and digits.
// [PRIV-133]
fn track_end(text: Text, end: usize) -> usize {
    const NAME_MAX: usize = 27;
    let from = match text.at(end) {
        b'=' => end + 1,
        b'^' => text.run_end(end + 1, NAME_MAX, |byte| !matches!(byte, b'^' | b'\n')) + 1,
        _ => return end,
    };
    let track = text.run_end(from, DIGITS_MAX, |byte| byte.is_ascii_digit());
    let begins = matches!(text.before(from), b'=' | b'^');
    Some(track).filter(|track| begins && *track >= from + 4).unwrap_or(end)
}

#[cfg(test)]
#[path = "../../../../conformance/unit/kernel/privacy/detect/numbers.rs"]
mod tests;
