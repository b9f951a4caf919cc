//! Words as a hash table that the compiler makes: nearly all words of a text hit an empty slot.
#![allow(clippy::arithmetic_side_effects)] // sums of a few bytes, remainders

/// The part that the hash is of: two characters at the start, or three letters, in either case, at
/// the end or of the whole.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Start,
    End,
    Whole,
}

/// Words with what they mean. Those of one hash are in adjacent slots, before an empty one.
pub(super) struct WordTable<T: 'static, const SLOTS: usize> {
    part: Part,
    slots: [Option<(&'static [u8], T)>; SLOTS],
}

impl<T: Copy, const SLOTS: usize> WordTable<T, SLOTS> {
    pub(super) const fn new(part: Part) -> Self {
        WordTable { part, slots: [None; SLOTS] }
    }

    /// Adds the words of each row.
    #[allow(clippy::indexing_slicing)]
    pub(super) const fn with_rows(mut self, rows: &[(T, &'static str, &'static str)]) -> Self {
        let mut row = 0;
        while row < rows.len() {
            self = self.with(rows[row].1, rows[row].0);
            row += 1;
        }
        self
    }

    /// Adds words that spaces separate. The compiler evaluates this, and rejects an index out of range.
    #[allow(clippy::indexing_slicing)]
    pub(super) const fn with(mut self, words: &'static str, meaning: T) -> Self {
        let (mut rest, mut length) = (words.as_bytes(), 0);
        while !rest.is_empty() {
            if length < rest.len() && rest[length] != b' ' {
                length += 1;
                continue;
            }
            let (word, after) = rest.split_at(length);
            let mut at = self.slot(word);
            while self.slots[at].is_some() {
                at += 1;
            }
            self.slots[at] = Some((word, meaning));
            (rest, length) = (after.trim_ascii_start(), 0);
        }
        self
    }

    #[inline]
    #[allow(clippy::as_conversions)] // `From` is not const
    const fn slot(&self, word: &[u8]) -> usize {
        let (first, second, last, length) = match (self.part, word) {
            (Part::Start, [a, b, ..]) => (*a, *b, 0, 0),
            (Part::End, [.., a, b, c]) => (*a | 32, *b | 32, *c | 32, 0),
            (Part::Whole, [a, b, .., c]) => (*a | 32, *b | 32, *c | 32, word.len()),
            (Part::Whole, [a, b]) => (*a | 32, *b | 32, 0, 0),
            _ => return 0,
        };
        (first as usize * 31 + second as usize * 7 + last as usize * 101 + length * 13) % SLOTS
    }

    /// Returns `true` if the table can have this word.
    #[inline]
    pub(super) fn may_have(&self, word: &[u8]) -> bool {
        matches!(self.slots.get(self.slot(word)), Some(Some(_)))
    }

    /// Returns the words with this hash.
    #[inline]
    pub(super) fn candidates(&self, word: &[u8]) -> impl Iterator<Item = (&'static [u8], T)> + '_ {
        let slots = self.slots.get(self.slot(word)..).unwrap_or_default();
        slots.iter().map_while(|slot| *slot)
    }
}

/// Returns the sets that each byte is in, each set being a bit with its members and what they are. The
/// compiler evaluates this.
#[allow(clippy::indexing_slicing, clippy::as_conversions)]
pub(super) const fn byte_sets(sets: &[(u16, &str, &str)]) -> [u16; 256] {
    let (mut table, mut row) = ([0; 256], 0);
    while row < sets.len() {
        let (members, mut place) = (sets[row].1.as_bytes(), 0);
        while place < members.len() {
            table[members[place] as usize] |= sets[row].0;
            place += 1;
        }
        row += 1;
    }
    table
}
