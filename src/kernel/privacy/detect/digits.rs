//! Rows of digit groups with their separators, from which cards, identity numbers, IPv4 addresses, dates
//! and telephone numbers are read.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::text_view::Text;
use crate::kernel::prelude::*;

/// The separator before a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// No separator that joins it to digits before.
    Start,
    Space,
    Dash,
    Dot,
    Slash,
    /// A dash or slash between two spaces.
    WideDash,
    WideSlash,
    /// An opening parenthesis, with an optional space or dash before it.
    Open,
    /// A closing parenthesis, with an optional space or dash after it.
    Close,
    /// One line break, with an optional space, dash or dot on each side.
    Line,
}

/// A group of digits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) gap: Gap,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Fewer than `end - start` if a line break is inside the group.
    digits: usize,
}

impl Group {
    pub(super) fn len(self) -> usize {
        self.digits
    }

    /// Returns `true` if no line break is inside the group.
    pub(super) fn is_whole(self) -> bool {
        self.digits == self.end - self.start
    }
}

/// Most groups read at a time: more than any value has, so that a long row needs little memory.
const GROUPS_MAX: usize = 64;
/// Groups that are read again with the next ones, since a value can start among them.
const OVERLAP: usize = 8;

/// Reads the row whose first digit is at `at`, after `gap`, into `groups`. Returns where to continue, and
/// the gap there: after the row or, if it is long, at one of its last groups.
pub(super) fn read_row(text: Text, at: usize, gap: Gap, groups: &mut Vec<Group>) -> (usize, Gap) {
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

impl Gap {
    pub(super) fn is_dash(self) -> bool {
        matches!(self, Gap::Dash | Gap::WideDash)
    }

    pub(super) fn is_slash(self) -> bool {
        matches!(self, Gap::Slash | Gap::WideSlash)
    }
}

/// Returns the length and kind of the gap at `at`; `Start` if no digit follows.
pub(super) fn gap_at(text: Text, at: usize) -> (usize, Gap) {
    let (width, gap) = match (text.at(at), text.at(at + 1)) {
        (b' ', b'-') if text.at(at + 2) == b' ' => (3, Gap::WideDash),
        (b' ', b'/') if text.at(at + 2) == b' ' => (3, Gap::WideSlash),
        // `192[.]0[.]2[.]1`, which no program follows as a link.
        (b'[', b'.') if text.at(at + 2) == b']' => (3, Gap::Dot),
        (b'(', b'.') if text.at(at + 2) == b')' => (3, Gap::Dot),
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

/// Returns the length of the line break at `at`, with an optional mark on each side.
fn line_break(text: Text, at: usize) -> usize {
    let mark = |place| usize::from(matches!(text.at(place), b' ' | b'-' | b'.'));
    let mut feed = at + mark(at);
    feed += usize::from(text.at(feed) == b'\r');
    if text.at(feed) == b'\n' {
        feed + 1 + mark(feed + 1) - at
    } else {
        0
    }
}

/// Treats the only line break in a row as inserted into a number: a mark beside it joins the groups around
/// it; otherwise they become one group. Returns `true` if there was one.
pub(super) fn join_lines(text: Text, groups: &mut Vec<Group>) -> bool {
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

/// Returns `true` for two groups joined by a dot, like any fraction: `58.0493`, but not `0171.1234567`.
pub(super) fn is_decimal(text: Text, groups: &[Group]) -> bool {
    let [whole, fraction] = groups else { return false };
    let zeros = text.at(whole.start) == b'0' && whole.len() > 1;
    fraction.gap == Gap::Dot
        && whole.gap == Gap::Start
        && !zeros
        && text.before(whole.start) != b'+'
}

/// Returns the digits of these groups in order, as numbers from 0 to 9.
pub(super) fn digits<'a>(text: Text<'a>, groups: &'a [Group]) -> impl Iterator<Item = u8> + 'a {
    let bytes = groups.iter().flat_map(move |group| text.slice(group.start, group.end));
    bytes.filter(|byte| byte.is_ascii_digit()).map(|digit| digit - b'0')
}

/// Returns the value of one group; 0 if it overflows.
pub(super) fn number(text: Text, group: Group) -> u32 {
    let add = |value: u32, digit| value.checked_mul(10)?.checked_add(u32::from(digit));
    digits(text, &[group]).try_fold(0, add).unwrap_or(0)
}
