//! Room: telephone numbers. What makes one is structure, not a count of digits: an international
//! number by its country code, a national one by the shapes numbers are written in. Shapes that
//! other numbers share count only where the surroundings speak of a telephone.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text, sums of a few group lengths

use super::super::kind::Kind;
use super::super::matches::Matches;
use super::context::{is_line, Context};
use super::context_words::Hints;
use super::dates;
use super::digits::{digits, gap_at, number, Gap, Group};
use super::text_view::{is_alnum, is_word, Text};

/// E.164: country code and number together.
const DIGITS_MAX: usize = 15;
/// No number has fewer.
pub(in crate::kernel) const DIGITS_MIN: usize = 6;

/// Groups from one place on, and what stands around them.
#[derive(Clone, Copy)]
struct Row<'a> {
    text: Text<'a>,
    groups: &'a [Group],
    around: Context,
    /// Nothing before the first group belongs to the same row.
    fresh: bool,
}

/// Reports every telephone number among the groups.
pub(in crate::kernel) fn find(
    text: Text<'_>,
    groups: &[Group],
    around: Context,
    hits: &mut Matches,
) {
    for line in groups.chunk_by(|_, next| next.gap != Gap::Line) {
        let (mut from, mut fresh) = (0, line.first().is_some_and(|first| first.gap == Gap::Line));
        while let [first, ..] = line.get(from..).unwrap_or_default() {
            let groups = line.get(from..).unwrap_or_default();
            let row = Row { text, groups, around, fresh: fresh || first.gap == Gap::Start };
            let count = if dates::numeric(text, groups) {
                3
            } else if let Some((start, count, end)) = row.number() {
                hits.add((Kind::Phone, start, end));
                count
            } else {
                0
            };
            (from, fresh) = (from + count.max(1), count > 0);
        }
    }
}

impl Row<'_> {
    /// The number that begins with the first group: its start, how many groups, its end.
    fn number(self) -> Option<(usize, usize, usize)> {
        let first = self.groups.first()?;
        let (start, count) = if self.text.before(first.start) == b'+' {
            let paren = first.start >= 2 && self.text.at(first.start - 2) == b'(';
            let width = if paren && self.gap(1) == Gap::Close { 2 } else { 1 };
            (first.start - width, self.international(0)?)
        } else if self.text.before(first.start) == b'(' {
            (first.start - 1, self.parenthesised()?)
        } else if matches!(first.gap, Gap::Start | Gap::Space | Gap::Line) {
            let count = self.exchange_code().or_else(|| self.north_american());
            (first.start, count.or_else(|| self.trunk()).or_else(|| self.hinted())?)
        } else {
            return None;
        };
        let last = self.groups.get(count - 1)?;
        // [PRIV-26]
        if self.text.slice(start, last.end).contains(&b'\n')
            && !(self.around.nearby.has(Hints::PHONE) || is_line(self.text, last.end))
            && self.text.before(first.start) != b'+'
            && self.north_american().is_none()
        {
            return None;
        }
        // Rows of zeros come from dumps of memory.
        let value = self.groups.get(..count).unwrap_or_default();
        let counted = digits(self.text, value).filter(|digit| *digit != 0).count() >= 4;
        if !counted || !self.begins(start) || !self.ends(last.end) {
            return None;
        }
        Some((start, count, self.extension(last.end)))
    }

    fn len(self, index: usize) -> usize {
        self.groups.get(index).map_or(0, |group| group.len())
    }

    /// What stands between group `index` and the one before; `Start` behind the last group.
    fn gap(self, index: usize) -> Gap {
        self.groups.get(index).map_or(Gap::Start, |group| group.gap)
    }

    fn total(self, count: usize) -> usize {
        self.groups.iter().take(count).map(|group| group.len()).sum()
    }

    /// `+` and a country code behind the first `zeros` digits, then at most 15 digits in all. Returns how many groups.
    // [PRIV-60]
    fn international(self, zeros: usize) -> Option<usize> {
        let mut leading = [0u8; 3];
        let digits = digits(self.text, self.groups).skip(zeros);
        leading.iter_mut().zip(digits).for_each(|(slot, digit)| *slot = digit);
        let code = country_code_length(leading)?;
        let fits = |count: &usize| self.total(*count) <= DIGITS_MAX + zeros;
        let mut counts = (1..=self.groups.len()).take_while(fits);
        let count = match code {
            // North America: ten digits behind the 1.
            1 => counts.find(|count| self.total(*count) == 11 + zeros)?,
            _ => counts.last()?,
        };
        let total = self.total(count).checked_sub(zeros)?;
        // A single point starts a fraction.
        let pointed = (1..count).filter(|index| self.gap(*index) == Gap::Dot).count();
        let even = pointed == 0 || pointed >= 2 && pointed + 2 >= count;
        (total >= 8 && total - code >= 5 && even && count <= 8).then_some(count)
    }

    /// `00` or `011` in place of the plus sign, with separators.
    // [PRIV-61]
    fn exchange_code(self) -> Option<usize> {
        let mut digits = digits(self.text, self.groups);
        let zeros = match [digits.next()?, digits.next()?, digits.next()?] {
            [0, 0, third] if third != 0 && self.len(0) >= 2 => 2,
            [0, 1, 1] if self.len(0) == 3 => 3,
            _ => return None,
        };
        let count = self.international(zeros)?;
        (count >= 3 && self.len(0) <= 6).then_some(count)
    }

    /// `(0ddd) dddd-ddd` and the like: a code in parentheses, then one to four groups.
    // [PRIV-62]
    fn parenthesised(self) -> Option<usize> {
        if self.gap(1) != Gap::Close || self.len(0) > 5 {
            return None;
        }
        let tight = |group: &&Group| {
            matches!(group.gap, Gap::Space | Gap::Dash | Gap::Dot | Gap::Close) && group.len() >= 2
        };
        let behind = self.groups.iter().skip(1).take_while(tight).count();
        let years = |index: usize| {
            let group = self.groups.get(index);
            group.is_some_and(|group| (1900..=2099).contains(&number(self.text, *group)))
        };
        let count = (2..=5.min(behind + 1)).rev().find(|n| (8..=12).contains(&self.total(*n)))?;
        let range = count == 3 && self.len(1) == 4 && years(1) && years(2);
        (!range).then_some(count)
    }

    /// `415-555-0132` with an optional `1`: area and exchange begin with 2 to 9.
    // [PRIV-63]
    fn north_american(self) -> Option<usize> {
        let skip = usize::from(self.len(0) == 1 && self.leads(0) == b'1');
        let shape = [self.len(skip), self.len(skip + 1), self.len(skip + 2)] == [3, 3, 4];
        let separator = self.gap(skip + 2);
        let first = self.gap(skip + 1);
        let even = matches!(separator, Gap::Space | Gap::Dash | Gap::Dot) && first == separator
            || (first, separator) == (Gap::Slash, Gap::Dash);
        // Among other groups, spaces do not set a number apart.
        let apart = self.fresh || separator != Gap::Space;
        let numbered = apart && self.leads(skip) >= b'2' && self.leads(skip + 1) >= b'2';
        (shape && even && numbered && self.gap(skip + 3) != separator).then_some(skip + 3)
    }

    /// A national number with its trunk zero: `0496 46 46 70`, `01.84.17.61.18`, `0341/8387176`.
    /// In a row of several, the next one begins with a zero again.
    // [PRIV-64]
    fn trunk(self) -> Option<usize> {
        let second = self.groups.first().map_or(0, |group| self.text.at(group.start + 1));
        if self.leads(0) != b'0' || !matches!(second, b'1'..=b'9') || self.len(0) > 5 {
            return None;
        }
        let fits = |count: &usize| (9..=12).contains(&self.total(*count));
        let again = |count: &usize| {
            let same = self.gap(*count) == Gap::Space && self.len(*count) == self.len(0);
            same && self.leads(*count) == b'0'
        };
        let row = self.row();
        // One point makes a decimal number.
        let fraction = row == 2 && self.gap(1) == Gap::Dot;
        // Three, two and four digits are a number of another kind that is not valid.
        let ssn = [self.len(0), self.len(1), self.len(2)] == [3, 2, 4] && row == 3;
        let whole = Some(row).filter(fits).filter(|count| self.regular(*count));
        if fraction || ssn {
            return None;
        }
        whole.or_else(|| (2..row).find(|count| fits(count) && again(count) && self.regular(*count)))
    }

    /// Any other row of groups, where the words around speak of a telephone.
    // [PRIV-65] [PRIV-66]
    fn hinted(self) -> Option<usize> {
        let first = self.groups.first().filter(|_| self.fresh)?;
        if matches!(self.gap(1), Gap::Start | Gap::Open) {
            let named = match first.len() {
                7..=15 if self.around.adjacent.has(Hints::PHONE) => true,
                9..=12 => is_line(self.text, first.end),
                _ => false,
            };
            return named.then_some(1);
        }
        let named = self.around.nearby.has(Hints::PHONE);
        let row = self.row();
        let fits = |count: &usize| (6..=13).contains(&self.total(*count)) && self.regular(*count);
        if named {
            return (2..=row).rev().find(fits);
        }
        let last = self.groups.get(row - 1)?;
        (fits(&row) && is_line(self.text, last.end)).then_some(row)
    }

    /// How many groups are joined from the first on, as far as six of them.
    fn row(self) -> usize {
        let joins = |gap: Gap| matches!(gap, Gap::Space | Gap::Dash | Gap::Dot | Gap::Slash);
        1 + self.groups.iter().skip(1).take(5).take_while(|group| joins(group.gap)).count()
    }

    /// Two to five groups of two digits or more, but for the first; evenly joined if by points,
    /// and a slash only behind the first.
    fn regular(self, count: usize) -> bool {
        let pointed = (1..count).filter(|index| self.gap(*index) == Gap::Dot).count();
        let slashed = (2..count).any(|index| self.gap(index) == Gap::Slash);
        let wide = (1..count).all(|index| self.len(index) >= 2);
        let even = pointed == 0 || pointed + 1 == count;
        (2..=5).contains(&count) && even && !slashed && wide
    }

    /// The first digit of a group.
    fn leads(self, index: usize) -> u8 {
        self.groups.get(index).map_or(0, |group| self.text.at(group.start))
    }

    /// Nothing before makes it part of a word, an amount or a longer number.
    // [PRIV-67]
    fn begins(self, start: usize) -> bool {
        let (before, earlier) = (self.text.before(start), self.text.before(start.max(1) - 1));
        let glued = matches!(before, b'.' | b'/' | b',') && is_word(earlier);
        let time = before == b':' && earlier.is_ascii_digit();
        !(is_word(before) || glued || time || matches!(before, b'-' | b'+' | b'$' | b')'))
    }

    /// Nothing behind makes it part of a word, a time, a fraction or a longer number.
    // [PRIV-67]
    fn ends(self, end: usize) -> bool {
        let (after, later) = (self.text.at(end), self.text.at(end + 1));
        if matches!(gap_at(self.text, end).1, Gap::Dash | Gap::Dot | Gap::Slash | Gap::Close) {
            return false;
        }
        match after {
            b'-' | b'/' => !is_word(later) || is_line(self.text, end),
            b':' | b',' => !later.is_ascii_digit(),
            b'@' | b'%' | b'_' => false,
            _ => !is_alnum(after) || self.extension(end) > end,
        }
    }

    /// The end of the extension (`x123`, ` ext. 123`) behind `end`, or `end`.
    // [PRIV-68]
    fn extension(self, end: usize) -> usize {
        let mark = self.text.forth(end, 1, |byte| byte == b' ');
        let words: [&[u8]; 3] = [b"extension", b"ext", b"x"];
        let word = words
            .into_iter()
            .find(|word| self.text.slice(mark, mark + word.len()).eq_ignore_ascii_case(word));
        let Some(word) = word else { return end };
        let start = self.text.forth(mark + word.len(), 2, |byte| matches!(byte, b'.' | b' '));
        let stop = self.text.forth(start, 7, |byte| byte.is_ascii_digit());
        if (1..=6).contains(&(stop - start)) && !is_alnum(self.text.at(stop)) {
            stop
        } else {
            end
        }
    }
}

/// How many of these digits are a country code of E.164.
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
