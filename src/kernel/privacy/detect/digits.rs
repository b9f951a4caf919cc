//! Room: numbers as people write them. A row is groups of digits with the marks that join them; cards, numbers
//! of persons, dotted addresses, dates and telephones are read from it.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::text_view::Text;
use crate::kernel::prelude::*;

/// What stands before a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) enum Gap {
    /// Nothing that could join it to digits before.
    Start,
    Space,
    Dash,
    Dot,
    Slash,
    /// An opening parenthesis, with a space or dash before it or not.
    Open,
    /// A closing parenthesis, with a space or dash behind it or not.
    Close,
    /// One line break, with spaces, dashes or points beside it or not.
    Line,
}

/// Some digits in a row.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Group {
    pub(in crate::kernel) gap: Gap,
    pub(in crate::kernel) start: usize,
    pub(in crate::kernel) end: usize,
    /// Less than from start to end where a line break stands among the digits.
    digits: usize,
}

impl Group {
    pub(in crate::kernel) fn len(self) -> usize {
        self.digits
    }

    /// Whether no line break stands among the digits.
    pub(in crate::kernel) fn is_whole(self) -> bool {
        self.digits == self.end - self.start
    }
}

/// Groups read at a time: more than any value has, so that a long row costs no memory.
const GROUPS_MAX: usize = 64;
/// Groups read again with the next ones, since a value may begin among them.
const OVERLAP: usize = 8;

/// Reads the row whose first digit is at `at`, behind `gap`, into `groups`. Says where to go on, and the gap
/// there: behind the row, or, if it is long, at one of the last groups read.
pub(in crate::kernel) fn row(
    text: Text<'_>,
    at: usize,
    gap: Gap,
    groups: &mut Vec<Group>,
) -> (usize, Gap) {
    groups.clear();
    let (mut start, mut gap) = (at, gap);
    loop {
        let end = text.until(start, |byte| !byte.is_ascii_digit());
        groups.push(Group { gap, start, end, digits: end - start });
        let (width, next) = gap_at(text, end);
        if next == Gap::Start {
            return (end, Gap::Start);
        }
        if groups.len() == GROUPS_MAX {
            let resume = groups.get(GROUPS_MAX - OVERLAP);
            return resume.map_or((end, Gap::Start), |group| (group.start, group.gap));
        }
        (start, gap) = (end + width, next);
    }
}

/// The gap at `at` and how many characters it takes; `Start` if no digit follows.
pub(in crate::kernel) fn gap_at(text: Text<'_>, at: usize) -> (usize, Gap) {
    let (width, gap) = match (text.at(at), text.at(at + 1)) {
        (b' ' | b'-', b'(') => (2, Gap::Open),
        (b')', b' ' | b'-') => (2, Gap::Close),
        (b' ' | b'-' | b'.', b'\n' | b'\r') | (b'\n' | b'\r', _) => {
            (line_break(text, at), Gap::Line)
        }
        (b' ', _) => (1, Gap::Space),
        (b'-', _) => (1, Gap::Dash),
        (b'.', _) => (1, Gap::Dot),
        (b'/', _) => (1, Gap::Slash),
        (b'(', _) => (1, Gap::Open),
        (b')', _) => (1, Gap::Close),
        _ => return (0, Gap::Start),
    };
    if text.at(at + width).is_ascii_digit() {
        (width, gap)
    } else {
        (0, Gap::Start)
    }
}

/// How many characters the line break at `at` takes, with a mark before it and one behind or without.
fn line_break(text: Text<'_>, at: usize) -> usize {
    let mark = |place| usize::from(matches!(text.at(place), b' ' | b'-' | b'.'));
    let mut feed = at + mark(at);
    feed += usize::from(text.at(feed) == b'\r');
    if text.at(feed) == b'\n' {
        feed + 1 + mark(feed + 1) - at
    } else {
        0
    }
}

/// Takes the only line break in a row for one that was put into a number: a mark beside it joins the groups
/// around it, otherwise they become one group. Whether there was one.
pub(in crate::kernel) fn join_lines(text: Text<'_>, groups: &mut Vec<Group>) -> bool {
    let broken = groups.iter().skip(1).filter(|group| group.gap == Gap::Line).count() == 1;
    groups.dedup_by(|group, last| {
        if !broken || group.gap != Gap::Line {
            return false;
        }
        let mut between = text.slice(last.end, group.start).iter();
        match between.find(|byte| !byte.is_ascii_control()) {
            Some(b' ') => group.gap = Gap::Space,
            Some(b'-') => group.gap = Gap::Dash,
            Some(_) => group.gap = Gap::Dot,
            None => (last.end, last.digits) = (group.end, last.digits + group.digits),
        }
        group.gap == Gap::Line
    });
    broken
}

/// Two groups joined by a point, like any fraction: `58.0493`, but not `0171.1234567`.
pub(in crate::kernel) fn is_decimal(text: Text<'_>, groups: &[Group]) -> bool {
    let [whole, fraction] = groups else { return false };
    let zeros = text.at(whole.start) == b'0' && whole.len() > 1;
    fraction.gap == Gap::Dot
        && whole.gap == Gap::Start
        && !zeros
        && text.before(whole.start) != b'+'
}

/// The digits of these groups in order, as numbers from 0 to 9.
pub(in crate::kernel) fn digits<'a>(
    text: Text<'a>,
    groups: &'a [Group],
) -> impl Iterator<Item = u8> + 'a {
    let bytes = groups.iter().flat_map(move |group| text.slice(group.start, group.end));
    bytes.filter(|byte| byte.is_ascii_digit()).map(|digit| digit - b'0')
}

/// The digits of one group as a number; 0 if they are too many.
pub(in crate::kernel) fn number(text: Text<'_>, group: Group) -> u32 {
    let add = |value: u32, digit| value.checked_mul(10)?.checked_add(u32::from(digit));
    digits(text, &[group]).try_fold(0, add).unwrap_or(0)
}
