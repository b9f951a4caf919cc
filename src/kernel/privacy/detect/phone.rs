//! Telephone numbers, detected by structure: an international number by its country code, a national one by
//! its usual groupings. Groupings of other numbers need a context word.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, sums of a few group lengths

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context::{phone_word_follows, Context};
use super::context_words::{word_hints, Hints};
use super::dates;
use super::digits::{digits, gap_at, number, Gap, Group};
use super::text_view::{is_alnum, is_letter, is_word, Text};

/// E.164: country code and number together.
const DIGITS_MAX: usize = 15;
/// Fewest digits of a number.
pub(super) const DIGITS_MIN: usize = 6;

/// The groups from one position on, with their context.
#[derive(Clone, Copy)]
struct Row<'a> {
    text: Text<'a>,
    groups: &'a [Group],
    context: Context,
    /// Whether no group of the same row precedes the first one, or a number does.
    is_first: bool,
    /// Whether a slash separates it from another number.
    is_listed: bool,
}

/// Adds every telephone number among the groups.
pub(super) fn find(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    for line in groups.chunk_by(|_, next| next.gap != Gap::Line) {
        let seen = matches.phone_end;
        let mut from = line.iter().take_while(|group| group.start < seen).count();
        let mut follows = line.get(from).is_some_and(|group| group.start == seen + 1) && seen > 0;
        while let [first, ..] = line.get(from..).unwrap_or_default() {
            let groups = line.get(from..).unwrap_or_default();
            let is_listed = follows && first.gap.is_slash();
            let listed = if is_listed { Hints::PHONE } else { Hints::NONE };
            let nearby = context.nearby.union(listed);
            let context = Context { nearby, adjacent: context.adjacent.union(listed) };
            let begins = [Gap::Start, Gap::Line, Gap::WideDash, Gap::WideSlash];
            let is_first = follows || begins.contains(&first.gap);
            let row = Row { text, groups, context, is_first, is_listed };
            let date = dates::is_numeric_date(text, groups);
            let number = if date { None } else { row.number() };
            if let Some((start, _, end)) = number {
                matches.add((Kind::Phone, start, end));
                matches.phone_end = end;
            }
            from += if date { 3 } else { number.map_or(1, |(_, count, _)| count) };
            follows = date || number.is_some();
        }
    }
}

impl Row<'_> {
    /// Returns the number that starts with the first group: its start, its groups, its end.
    fn number(self) -> Option<(usize, usize, usize)> {
        let first = self.groups.first()?;
        let (start, count) = if self.text.before(first.start) == b'+' {
            let paren = first.start >= 2 && self.text.at(first.start - 2) == b'(';
            let width = if paren && self.gap(1) == Gap::Close { 2 } else { 1 };
            (first.start - width, self.international(0)?)
        } else if self.text.before(first.start) == b'(' {
            (first.start - 1, self.parenthesized()?)
        } else if self.is_first || first.gap == Gap::Space {
            let count = self.exit_code().or_else(|| self.north_american());
            (first.start, count.or_else(|| self.national()).or_else(|| self.by_context())?)
        } else {
            return None;
        };
        let last = self.groups.get(count - 1)?;
        // [PRIV-26]
        if self.text.slice(start, last.end).contains(&b'\n')
            && !(self.context.nearby.has(Hints::PHONE) || phone_word_follows(self.text, last.end))
            && self.text.before(first.start) != b'+'
            && self.north_american().is_none()
        {
            return None;
        }
        // Rows of zeros come from memory dumps.
        let value = self.groups.get(..count).unwrap_or_default();
        let counted = digits(self.text, value).filter(|digit| *digit != 0).count() >= 4;
        if !counted || !self.bounded_before(start) || !self.bounded_after(start, last.end) {
            return None;
        }
        Some((start, count, self.extension(last.end)))
    }

    fn len(self, index: usize) -> usize {
        self.groups.get(index).map_or(0, |group| group.len())
    }

    /// Returns the separator between group `index` and the one before; `Start` after the last group.
    fn gap(self, index: usize) -> Gap {
        self.groups.get(index).map_or(Gap::Start, |group| group.gap)
    }

    fn total(self, count: usize) -> usize {
        self.groups.iter().take(count).map(|group| group.len()).sum()
    }

    /// `+` and a country code after the first `zeros` digits, then at most 15 digits in all. Returns the
    /// number of groups.
    // [PRIV-60]
    fn international(self, zeros: usize) -> Option<usize> {
        let mut leading = [0u8; 3];
        let digits = digits(self.text, self.groups).skip(zeros);
        leading.iter_mut().zip(digits).for_each(|(slot, digit)| *slot = digit);
        let code = country_code_length(leading)?;
        // Behind a slash, another number follows a whole one.
        let ends = |count: usize| self.gap(count - 1).is_slash() && self.total(count - 1) >= 9;
        let fits = |count: &usize| {
            self.total(*count) <= DIGITS_MAX + zeros && (*count == 1 || !ends(*count))
        };
        let mut counts = (1..=self.groups.len()).take_while(fits);
        let count = match code {
            // North America: ten digits after the 1.
            1 => counts.find(|count| self.total(*count) == 11 + zeros)?,
            _ => counts.last()?,
        };
        let total = self.total(count).checked_sub(zeros)?;
        // A single dot starts a fraction, except behind the country code (RFC 5733).
        let pointed = (1..count).filter(|index| self.gap(*index) == Gap::Dot).count();
        let registry = count == 2 && self.len(0) == code && self.len(1) >= 7;
        let even = pointed == 0 || pointed >= 2 && pointed + 2 >= count || registry;
        (total >= 8 && total - code >= 5 && even && count <= 8).then_some(count)
    }

    /// `00` or `011` instead of the plus sign, with separators.
    // [PRIV-61]
    fn exit_code(self) -> Option<usize> {
        let mut digits = digits(self.text, self.groups);
        let zeros = match [digits.next()?, digits.next()?, digits.next()?] {
            [0, 0, third] if third != 0 && self.len(0) >= 2 => 2,
            [0, 1, 1] if self.len(0) == 3 => 3,
            _ => return None,
        };
        let count = self.international(zeros)?;
        // Rows of four digits with leading zeros come from dumps.
        let padded = (1..count).any(|index| {
            let start = self.groups.get(index).map_or(0, |group| group.start);
            self.text.slice(start, start + 2) == b"00"
        });
        let whole = self.is_first && self.gap(count) != Gap::Space;
        (whole && !padded && count >= 3 && self.len(0) <= 6).then_some(count)
    }

    /// `(0ddd) dddd-ddd` and the like: an area code in parentheses, then one to four groups.
    // [PRIV-62]
    fn parenthesized(self) -> Option<usize> {
        if self.gap(1) != Gap::Close || self.len(0) > 5 {
            return None;
        }
        let tight = |group: &&Group| {
            let joins = matches!(group.gap, Gap::Space | Gap::Dot | Gap::Close);
            (joins || group.gap.is_dash()) && group.len() >= 2
        };
        let after = self.groups.iter().skip(1).take_while(tight).count();
        let count = (2..=5.min(after + 1)).rev().find(|n| (8..=12).contains(&self.total(*n)))?;
        (count != 3 || !self.years(1)).then_some(count)
    }

    /// `415-555-0132` with an optional `1`: area and exchange start with 2 to 9.
    // [PRIV-63]
    fn north_american(self) -> Option<usize> {
        let skip = usize::from(self.len(0) == 1 && self.first_digit(0) == b'1');
        let shape = [self.len(skip), self.len(skip + 1), self.len(skip + 2)] == [3, 3, 4];
        let separator = self.gap(skip + 2);
        let first = self.gap(skip + 1);
        let joins = matches!(separator, Gap::Space | Gap::Dot) || separator.is_dash();
        let even = joins && first == separator || (first, separator) == (Gap::Slash, Gap::Dash);
        // Among other groups, spaces do not delimit a number; counts and sizes have them too.
        let named = self.is_first && self.context.nearby.has(Hints::PHONE);
        let apart = named || separator != Gap::Space;
        let numbered =
            apart && self.first_digit(skip) >= b'2' && self.first_digit(skip + 1) >= b'2';
        (shape && even && numbered && self.gap(skip + 3) != separator).then_some(skip + 3)
    }

    /// A national number with its trunk zero: `0496 46 46 70`, `01.84.17.61.18`, `0341/8387176`. In a row
    /// of several numbers, the next one starts with a zero too.
    // [PRIV-64]
    fn national(self) -> Option<usize> {
        let second = self.groups.first().map_or(0, |group| self.text.at(group.start + 1));
        if self.first_digit(0) != b'0' || !matches!(second, b'1'..=b'9') || self.len(0) > 5 {
            return None;
        }
        // Groups of a dump are among others; a slash twice joins numbers of other kinds.
        let second = self.gap(1);
        if !self.is_first && second == Gap::Space || second.is_slash() && self.gap(2).is_slash() {
            return None;
        }
        let fits = |count: &usize| (9..=12).contains(&self.total(*count));
        let again = |count: &usize| {
            let same = self.gap(*count) == Gap::Space && self.len(*count) == self.len(0);
            same && self.first_digit(*count) == b'0'
        };
        let row = self.joined_groups();
        // A single dot is a decimal point.
        let fraction = row == 2 && self.gap(1) == Gap::Dot;
        // Groups of three, two and four digits are an invalid number of another kind.
        let ssn = [self.len(0), self.len(1), self.len(2)] == [3, 2, 4] && row == 3;
        let whole = Some(row).filter(fits).filter(|count| self.regular(*count));
        // So are a dump's bytes.
        let zeros = (1..row).filter(|index| self.first_digit(*index) == b'0').count();
        let bytes = zeros >= 3 && self.len(0) == 2;
        if bytes || fraction || ssn || self.is_postal_code(row) {
            return None;
        }
        whole.or_else(|| (2..row).find(|count| fits(count) && again(count) && self.regular(*count)))
    }

    /// Any other row of groups, if context words name a telephone.
    // [PRIV-65] [PRIV-66]
    fn by_context(self) -> Option<usize> {
        let first = self.groups.first().filter(|_| self.is_first)?;
        let next = self.gap(1);
        let apart = matches!(next, Gap::Start | Gap::Open);
        if apart || first.len() >= 7 && (next.is_slash() || next == Gap::WideDash) {
            let adjacent = self.context.adjacent;
            let named = match first.len() {
                7..=8 => adjacent.has(Hints::PHONE) && !self.is_count(first.end),
                9..=12 if phone_word_follows(self.text, first.end) => true,
                9..=15 if adjacent.has(Hints::CALL) => !self.is_count(first.end),
                9..=15 => adjacent.has(Hints::PHONE) || self.chat_link(first.start),
                _ => false,
            };
            return named.then_some(1);
        }
        let named = self.context.nearby.has(Hints::PHONE);
        let row = self.joined_groups();
        let fits = |count: &usize| {
            let total = (6..=13).contains(&self.total(*count)) && self.regular(*count);
            let fraction = self.gap(1) == Gap::Dot && self.first_digit(0) != b'0';
            let other =
                fraction || self.len(0) == 1 || self.years(0) || self.is_postal_code(*count);
            total && !(*count == 2 && other)
        };
        if named {
            return (2..=row).rev().find(fits);
        }
        let last = self.groups.get(row - 1)?;
        (fits(&row) && phone_word_follows(self.text, last.end)).then_some(row)
    }

    /// Returns `true` for two years from this group on.
    fn years(self, index: usize) -> bool {
        let year = |index: usize| {
            let group = self.groups.get(index);
            group.is_some_and(|group| (1900..=2099).contains(&number(self.text, *group)))
        };
        self.len(index) == 4 && year(index) && year(index + 1)
    }

    /// Five and four digits joined by a dash are a US postal code.
    fn is_postal_code(self, count: usize) -> bool {
        count == 2 && [self.len(0), self.len(1)] == [5, 4] && self.gap(1) == Gap::Dash
    }

    /// Returns `true` if the word after `end` says what was counted: `reached 73400320 bytes`.
    fn is_count(self, end: usize) -> bool {
        let start = self.text.run_end(end, 1, |byte| byte == b' ');
        let word = self.text.slice(start, self.text.run_end(start, 16, is_letter));
        let plural = word.len() >= 4 && word.ends_with(b"s") || word_hints(word) == Hints::TIME;
        start > end && (plural || [&b"of"[..], b"in", b"to", b"fired"].contains(&word))
    }

    /// Returns `true` after the address of a messenger that numbers name chats of.
    fn chat_link(self, start: usize) -> bool {
        const LINK: &[u8] = b"wa.me/";
        self.text.slice(start.saturating_sub(LINK.len()), start) == LINK
    }

    /// Returns the number of joined groups from the first on, at most six. A slash after two of them
    /// separates numbers.
    fn joined_groups(self) -> usize {
        let joins = |index: &usize| match self.gap(*index) {
            Gap::Space | Gap::Dash | Gap::Dot | Gap::WideDash => true,
            gap => gap.is_slash() && *index == 1,
        };
        1 + (1..6).take_while(joins).count()
    }

    /// Two to five groups of two digits or more, except the first; if by dots, joined by dots only. The last
    /// digit behind a dash can be a switchboard's 0.
    fn regular(self, count: usize) -> bool {
        let pointed = (1..count).filter(|index| self.gap(*index) == Gap::Dot).count();
        let board = |index: usize| {
            index >= 2
                && index + 1 == count
                && self.gap(index).is_dash()
                && self.first_digit(0) == b'0'
        };
        let wide = (1..count).all(|index| self.len(index) >= 2 || board(index));
        let even = pointed == 0 || pointed + 1 == count;
        (2..=5).contains(&count) && even && wide
    }

    /// Returns the first digit of a group.
    fn first_digit(self, index: usize) -> u8 {
        self.groups.get(index).map_or(0, |group| self.text.at(group.start))
    }

    /// Returns `true` unless the text before makes it part of another word, an amount or a longer number.
    // [PRIV-67]
    fn bounded_before(self, start: usize) -> bool {
        // `_` and `__` emphasize.
        let marks = self.text.run_start(start, 2, |byte| byte == b'_');
        let (before, earlier) = (self.text.before(marks), self.text.before(marks.max(1) - 1));
        let apart = self.is_listed || self.text.at(start) == b'+' || self.chat_link(start);
        let glued =
            before == b'.' && is_word(earlier) || before == b'/' && is_word(earlier) && !apart;
        let time = before == b':' && earlier.is_ascii_digit();
        !(is_word(before) || glued || time || matches!(before, b'-' | b'+' | b'$' | b')'))
    }

    /// Returns `true` unless the text after makes it part of another word, a time, a fraction or a longer
    /// number.
    // [PRIV-67]
    fn bounded_after(self, start: usize, end: usize) -> bool {
        let (after, later) = (self.text.at(end), self.text.at(end + 1));
        if matches!(gap_at(self.text, end).1, Gap::Dash | Gap::Dot | Gap::Close) {
            return false;
        }
        let path = self.text.at(start) == b'+' || later.is_ascii_digit();
        match after {
            b'/' if path => true,
            b'-' | b'/' => !is_word(later) || phone_word_follows(self.text, end),
            b':' => !later.is_ascii_digit(),
            b'_' => self.text.before(start) == b'_',
            b'@' | b'%' => false,
            _ => !is_alnum(after) || self.extension(end) > end,
        }
    }

    /// Returns the end of the extension (`x123`, ` ext. 123`, ` (extension #12)`) at `end`, or `end`.
    // [PRIV-68]
    fn extension(self, end: usize) -> usize {
        let mark = self.text.run_end(end, 2, |byte| b" ;,(".contains(&byte));
        let words: [&[u8]; 4] = [b"extension", b"extn", b"ext", b"x"];
        let word = words
            .into_iter()
            .find(|word| self.text.slice(mark, mark + word.len()).eq_ignore_ascii_case(word));
        let Some(word) = word else { return end };
        let start = self.text.run_end(mark + word.len(), 3, |byte| b". :#=".contains(&byte));
        let stop = self.text.run_end(start, 7, |byte| byte.is_ascii_digit());
        if !(1..=6).contains(&(stop - start)) || is_alnum(self.text.at(stop)) {
            return end;
        }
        let closed = mark > end && self.text.before(mark) == b'(' && self.text.at(stop) == b')';
        stop + usize::from(closed)
    }
}

/// Returns the length of the E.164 country code that these digits start with.
// [PRIV-69]
pub(in crate::kernel) fn country_code_length(digits: [u8; 3]) -> Option<usize> {
    let [first, second, third] = digits.map(u32::from);
    let (two, three) = (first * 10 + second, first * 100 + second * 10 + third);
    match (first, two, three) {
        (1 | 7, _, _) => Some(1),
        (_, 20 | 27 | 30..=34 | 36 | 39..=41 | 43..=49 | 51..=58 | 60..=66, _)
        | (_, 81 | 82 | 84 | 86 | 90..=95 | 98, _) => Some(2),
        (_, _, 211..=213 | 216 | 218 | 220..=269 | 290 | 291 | 297..=299)
        | (_, _, 350..=359 | 370..=378 | 380..=383 | 385..=387 | 389 | 420 | 421 | 423)
        | (_, _, 500..=509 | 590..=599 | 670 | 672..=683 | 685..=692)
        | (_, _, 800 | 808 | 850 | 852 | 853 | 855 | 856 | 870 | 878 | 880..=883 | 886 | 888)
        | (_, _, 960..=968 | 970..=977 | 979 | 992..=996 | 998) => Some(3),
        _ => None,
    }
}
