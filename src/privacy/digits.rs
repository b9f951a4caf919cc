//! Room: numbers as people write them. A cluster is a row of digit groups with the marks that
//! join them; cards, numbers of persons, dotted addresses, dates and telephones are read from it.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::text::Text;

/// What stands before a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
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
    /// One line break, with a space, dash or point beside it or not.
    Line,
}

/// Some digits in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) gap: Gap,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Less than from start to end where a line break stands among the digits.
    digits: usize,
}

impl Group {
    pub(crate) fn new(gap: Gap, start: usize, end: usize) -> Self {
        Group { gap, start, end, digits: end - start }
    }

    pub(crate) fn len(self) -> usize {
        self.digits
    }

    /// Whether no line break stands among the digits.
    pub(crate) fn is_whole(self) -> bool {
        self.digits == self.end - self.start
    }
}

/// Groups read at a time: more than any value has, so that a long row costs no memory.
const GROUPS_MAX: usize = 64;
/// Groups read again with the next ones, since a value may begin among them.
const OVERLAP: usize = 8;

/// A row of groups, or the part of a long one that was read.
pub(crate) struct Cluster {
    /// Where to go on: behind the cluster, or, if it is long, at one of its last groups, and the
    /// gap there.
    pub(crate) next: (usize, Gap),
    /// Digits in all groups.
    pub(crate) digits: usize,
    /// Points between groups.
    pub(crate) points: usize,
    /// Digits in the longest group.
    pub(crate) longest: usize,
    /// Line breaks between groups.
    pub(crate) lines: usize,
}

/// Reads the cluster whose first digit is at `at`, behind `gap`, into `groups`.
pub(crate) fn cluster(text: Text<'_>, at: usize, gap: Gap, groups: &mut Vec<Group>) -> Cluster {
    groups.clear();
    let (mut digits, mut points, mut longest, mut lines) = (0, 0, 0, 0);
    let (mut start, mut gap) = (at, gap);
    let next = loop {
        let end = text.until(start, |byte| !byte.is_ascii_digit());
        groups.push(Group::new(gap, start, end));
        digits += end - start;
        longest = longest.max(end - start);
        let (width, next) = gap_at(text, end);
        if next == Gap::Start {
            break (end, Gap::Start);
        }
        if groups.len() == GROUPS_MAX {
            let resume = groups.get(GROUPS_MAX - OVERLAP);
            break resume.map_or((end, Gap::Start), |group| (group.start, group.gap));
        }
        points += usize::from(next == Gap::Dot);
        lines += usize::from(next == Gap::Line);
        (start, gap) = (end + width, next);
    };
    Cluster { next, digits, points, longest, lines }
}

/// The gap at `at` and how many characters it takes; `Start` if no digit follows.
pub(crate) fn gap_at(text: Text<'_>, at: usize) -> (usize, Gap) {
    let (width, gap) = match (text.at(at), text.at(at + 1)) {
        (b' ' | b'-', b'(') => (2, Gap::Open),
        (b')', b' ' | b'-') => (2, Gap::Close),
        (b' ' | b'-' | b'.', b'\n' | b'\r') => (1 + line_break(text, at + 1), Gap::Line),
        (b' ', _) => (1, Gap::Space),
        (b'-', _) => (1, Gap::Dash),
        (b'.', _) => (1, Gap::Dot),
        (b'/', _) => (1, Gap::Slash),
        (b'(', _) => (1, Gap::Open),
        (b')', _) => (1, Gap::Close),
        (b'\n' | b'\r', _) => {
            let width = line_break(text, at);
            (width + usize::from(mark(text.at(at + width)).is_some()), Gap::Line)
        }
        _ => return (0, Gap::Start),
    };
    if text.at(at + width).is_ascii_digit() {
        (width, gap)
    } else {
        (0, Gap::Start)
    }
}

/// How many characters the line break at `at` takes.
fn line_break(text: Text<'_>, at: usize) -> usize {
    if text.upto(at, 2) == b"\r\n" {
        2
    } else {
        1
    }
}

/// What may stand beside a line break that breaks a number.
fn mark(byte: u8) -> Option<Gap> {
    match byte {
        b' ' => Some(Gap::Space),
        b'-' => Some(Gap::Dash),
        b'.' => Some(Gap::Dot),
        _ => None,
    }
}

/// Two lines of groups as one, as if the break between them had been put into a number: a mark beside
/// it joins the groups around it, otherwise they become one group.
pub(crate) fn mend(text: Text<'_>, above: &[Group], below: &[Group], groups: &mut Vec<Group>) {
    groups.clear();
    groups.extend_from_slice(above);
    if let (Some(last), [first, rest @ ..]) = (groups.last_mut(), below) {
        match mark(text.at(last.end)).or_else(|| mark(text.before(first.start))) {
            Some(gap) => groups.push(Group { gap, ..*first }),
            None => (last.end, last.digits) = (first.end, last.digits + first.digits),
        }
        groups.extend_from_slice(rest);
    }
}

/// Two groups joined by a point, like any fraction: `58.0493`, but not `0171.1234567`.
pub(crate) fn is_decimal(text: Text<'_>, groups: &[Group]) -> bool {
    let [whole, fraction] = groups else { return false };
    let zeros = text.at(whole.start) == b'0' && whole.len() > 1;
    fraction.gap == Gap::Dot
        && whole.gap == Gap::Start
        && !zeros
        && text.before(whole.start) != b'+'
}

/// The digits of these groups in order, as numbers from 0 to 9.
pub(crate) fn digits<'a>(text: Text<'a>, groups: &'a [Group]) -> impl Iterator<Item = u8> + 'a {
    groups
        .iter()
        .flat_map(move |group| text.slice(group.start, group.end))
        .filter(|byte| byte.is_ascii_digit())
        .map(|digit| digit - b'0')
}

/// The digits of one group as a number; 0 if they are too many.
pub(crate) fn number(text: Text<'_>, group: Group) -> u32 {
    let mut digits = digits(text, std::slice::from_ref(&group));
    let value =
        digits.try_fold(0u32, |value, digit| value.checked_mul(10)?.checked_add(u32::from(digit)));
    value.unwrap_or(0)
}
