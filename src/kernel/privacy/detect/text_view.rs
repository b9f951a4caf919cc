//! View of the folded text for detectors. One byte is one character; reading out of range returns 0, which
//! is part of no value, so no index can panic.

/// A letter of a bicameral or right-to-left script without an ASCII lookalike. It is part of words.
pub(in crate::kernel) const LETTER: u8 = 0xFF;
/// Any other character outside ASCII: punctuation, symbols, and scripts written without spaces, where a
/// number can follow a letter directly. It delimits words.
pub(in crate::kernel) const OTHER: u8 = 0xFE;

/// A letter of Chinese, Japanese or Korean. As `OTHER`, but part of e-mail addresses.
pub(in crate::kernel) const IDEOGRAPH: u8 = 0xFD;

/// A folded text.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub(in crate::kernel) &'a [u8]);

impl<'a> Text<'a> {
    /// Returns the character at `index`, or 0 out of range.
    pub(super) fn at(self, index: usize) -> u8 {
        count_reads(1);
        self.0.get(index).copied().unwrap_or(0)
    }

    /// Returns the character before `index`, or 0 out of range.
    pub(super) fn before(self, index: usize) -> u8 {
        index.checked_sub(1).map_or(0, |previous| self.at(previous))
    }

    /// Returns the characters from `start` to `end`; empty if that is out of range.
    pub(super) fn slice(self, start: usize, end: usize) -> &'a [u8] {
        count_reads(end.saturating_sub(start));
        self.0.get(start..end).unwrap_or_default()
    }

    /// Returns at most `most` characters from `start` on.
    pub(super) fn upto(self, start: usize, most: usize) -> &'a [u8] {
        self.slice(start, start.saturating_add(most).min(self.0.len()))
    }

    /// Returns the first index from `from` on whose character `stops`, or the end.
    pub(super) fn until(self, from: usize, stops: impl Fn(u8) -> bool) -> usize {
        self.run_end(from, usize::MAX, |byte| !stops(byte))
    }

    /// Returns the end of the line that goes on at `from`, by blocks without a branch for each character.
    pub(super) fn line_end(self, from: usize) -> usize {
        let (blocks, _) = self.0.get(from..).unwrap_or_default().as_chunks::<16>();
        let ends =
            |block: &[u8; 16]| block.iter().fold(false, |ends, byte| ends | (*byte == b'\n'));
        let inside = blocks.iter().take_while(|block| !ends(block)).count().saturating_mul(16);
        count_reads(inside);
        self.until(from.saturating_add(inside), |byte| byte == b'\n')
    }

    /// Returns the end of the run of characters that `belong`, from `start` on and at most `most` long.
    pub(super) fn run_end(self, start: usize, most: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.0.get(start..).unwrap_or_default();
        let run = rest.get(..most).unwrap_or(rest);
        let length = run.iter().position(|byte| !belongs(*byte)).unwrap_or(run.len());
        count_reads(length);
        start.saturating_add(length)
    }

    /// Returns the start of the run of characters that `belong`, ending before `end` and at most `most`
    /// long.
    pub(super) fn run_start(self, end: usize, most: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let earlier = self.0.get(end.saturating_sub(most)..end).unwrap_or_default();
        let length = earlier.iter().rev().take_while(|byte| belongs(**byte)).count();
        count_reads(length);
        end.saturating_sub(length)
    }

    /// Returns `true` if no letter or digit is adjacent to the range from `start` to `end`.
    pub(super) fn bounds(self, start: usize, end: usize) -> bool {
        !is_alnum(self.before(start)) && !is_alnum(self.at(end))
    }
}

/// A test counts the characters that are read: their number shows the cost exactly, as time does not.
fn count_reads(_characters: usize) {
    #[cfg(test)]
    super::super::tests::cost::count_reads(_characters);
}

/// What each character can be part of, as bits.
static CLASSES: [u8; 256] = classes();

const IN_NAME: u8 = 1;
const DIGIT: u8 = 1 << 1;
const UNDERSCORE: u8 = 1 << 2;
/// Part of values, or just before values: for secrets, the punctuation in their prefixes, and capitals of
/// prefixes without any.
pub(super) const TRIGGER: u8 = 1 << 3;
/// Begins a label or tag.
const OPENER: u8 = 1 << 4;
/// Can begin a member of an object, which ends the context before it.
pub(super) const QUOTE: u8 = 1 << 5;
/// A text without context can get some from here on.
pub(super) const CONTEXT: u8 = IN_NAME | OPENER;

/// Evaluated by the compiler, which also rejects an index out of range.
#[allow(clippy::indexing_slicing, clippy::as_conversions)] // `From` is not const
const fn classes() -> [u8; 256] {
    let (mut classes, mut byte) = ([0; 256], 0_u8);
    loop {
        classes[byte as usize] = match byte {
            b'A' | b'J' | b'w' => IN_NAME | TRIGGER,
            b'A'..=b'Z' | b'a'..=b'z' | LETTER => IN_NAME,
            b'0'..=b'9' => DIGIT | TRIGGER,
            b'_' => UNDERSCORE | TRIGGER,
            b'@' | b':' | b'=' | b'>' | b'-' | b'.' => TRIGGER,
            b'[' | b'<' => OPENER,
            b'"' => QUOTE,
            _ => 0,
        };
        if byte == u8::MAX {
            return classes;
        }
        byte = byte.wrapping_add(1);
    }
}

pub(super) fn has_class(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// A letter of any script that is part of words.
pub(super) fn is_letter(byte: u8) -> bool {
    has_class(byte, IN_NAME)
}

/// A letter or digit.
pub(super) fn is_alnum(byte: u8) -> bool {
    has_class(byte, IN_NAME | DIGIT)
}

/// A letter, digit or underscore, as in identifiers.
pub(super) fn is_word(byte: u8) -> bool {
    has_class(byte, IN_NAME | DIGIT | UNDERSCORE)
}

/// A letter or underscore.
pub(super) fn is_identifier(byte: u8) -> bool {
    has_class(byte, IN_NAME | UNDERSCORE)
}

/// Returns `true` if the character at `index` is part of a UUID: 8-4-4-4-12 hexadecimal digits.
pub(super) fn in_uuid(text: Text, index: usize) -> bool {
    const UUID_LENGTH: usize = 36;
    let belongs = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let start = text.run_start(index, UUID_LENGTH, belongs);
    let end = text.run_end(start, UUID_LENGTH.saturating_add(1), belongs);
    let token = text.slice(start, end);
    let widths = token.split(|byte| *byte == b'-').map(<[u8]>::len);
    token.len() == UUID_LENGTH && widths.eq([8, 4, 4, 4, 12])
}
