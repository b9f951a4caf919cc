//! Room: the folded text as the scanners see it. One byte is one character; reading outside gives 0,
//! which no scanner takes for part of a value, so there is no index that can be out of range.

/// Any letter of a bicameral or right-to-left script that has no ASCII lookalike. It belongs to words.
pub(in crate::kernel) const LETTER: u8 = 0xFF;
/// Any other character outside ASCII: punctuation, symbols, and scripts written without spaces,
/// where a number may follow a letter directly. It bounds words.
pub(in crate::kernel) const OTHER: u8 = 0xFE;

/// A run of folded characters.
#[derive(Clone, Copy)]
pub(in crate::kernel) struct Text<'a>(pub(in crate::kernel) &'a [u8]);

impl<'a> Text<'a> {
    /// The character at `index`, or 0 outside.
    pub(in crate::kernel) fn at(self, index: usize) -> u8 {
        looked_at(1);
        self.0.get(index).copied().unwrap_or(0)
    }

    /// The character before `index`, or 0 outside.
    pub(in crate::kernel) fn before(self, index: usize) -> u8 {
        index.checked_sub(1).map_or(0, |previous| self.at(previous))
    }

    /// The characters from `start` up to `end`; empty if that is no range of the text.
    pub(in crate::kernel) fn slice(self, start: usize, end: usize) -> &'a [u8] {
        looked_at(end.saturating_sub(start));
        self.0.get(start..end).unwrap_or_default()
    }

    /// At most `most` characters from `start` on.
    pub(in crate::kernel) fn upto(self, start: usize, most: usize) -> &'a [u8] {
        self.slice(start, start.saturating_add(most).min(self.0.len()))
    }

    /// The first index from `from` on whose character `stops`, or the end.
    pub(in crate::kernel) fn until(self, from: usize, stops: impl Fn(u8) -> bool) -> usize {
        self.forth(from, usize::MAX, |byte| !stops(byte))
    }

    /// The end of the run of characters that `belong`, from `start` on and at most `most` long.
    pub(in crate::kernel) fn forth(
        self,
        start: usize,
        most: usize,
        belongs: impl Fn(u8) -> bool,
    ) -> usize {
        let end = start.saturating_add(most).min(self.0.len());
        let run = self.0.get(start..end).unwrap_or_default();
        let length = run.iter().position(|byte| !belongs(*byte)).unwrap_or(run.len());
        looked_at(length);
        start.saturating_add(length)
    }

    /// The start of the run of characters that `belong`, ending before `end` and at most `most` long.
    pub(in crate::kernel) fn back(
        self,
        end: usize,
        most: usize,
        belongs: impl Fn(u8) -> bool,
    ) -> usize {
        let earlier = self.slice(end.saturating_sub(most), end);
        end.saturating_sub(earlier.iter().rev().take_while(|byte| belongs(**byte)).count())
    }

    /// Whether no letter or digit touches what stands from `start` up to `end`.
    pub(in crate::kernel) fn bounds(self, start: usize, end: usize) -> bool {
        !is_alnum(self.before(start)) && !is_alnum(self.at(end))
    }
}

/// A test counts the characters that are read: their number shows the cost exactly, as time does not.
fn looked_at(_characters: usize) {
    #[cfg(test)]
    super::super::tests::cost::looked_at(_characters);
}

/// A letter of any script that belongs to words.
pub(in crate::kernel) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == LETTER
}

/// A letter or digit.
pub(in crate::kernel) fn is_alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == LETTER
}

/// A letter, digit or underscore: what identifiers are made of.
pub(in crate::kernel) fn is_word(byte: u8) -> bool {
    is_alnum(byte) || byte == b'_'
}

/// Whether the character at `index` is part of a UUID: 8-4-4-4-12 hexadecimal digits.
pub(in crate::kernel) fn in_uuid(text: Text<'_>, index: usize) -> bool {
    const UUID_LENGTH: usize = 36;
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let start = text.back(index, UUID_LENGTH, belongs);
    let end = text.forth(start, UUID_LENGTH.saturating_add(1), belongs);
    let token = text.slice(start, end);
    let widths = token.split(|byte| *byte == b'-').map(<[u8]>::len);
    token.len() == UUID_LENGTH && widths.eq([8, 4, 4, 4, 12])
}
