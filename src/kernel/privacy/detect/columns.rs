//! Columns of a table: the name at the head of a column is context for the values below it.
#![allow(clippy::arithmetic_side_effects)] // offsets and counts inside one text

use super::context_words::{phrase_hints, Hints};
use super::text_view::Text;
use crate::kernel::prelude::*;

/// The longest line that names columns, and the longest name.
const HEADER_MAX: usize = 1024;
const NAME_MAX: usize = 40;

/// Reads a text line by line, each line once, up to the value that is queried.
#[derive(Default)]
pub(super) struct Columns {
    /// The starts of the present line and the next one.
    line: usize,
    next: usize,
    /// In the present line: how far delimiters were counted, how many there are, whether a quote is open.
    counted: usize,
    count: usize,
    quoted: bool,
    header: Header,
}

/// The first line of the table that the present line continues.
#[derive(Default)]
struct Header {
    start: usize,
    end: usize,
    /// 0 if the line is not a header, a space if its columns are aligned.
    delimiter: u8,
    count: usize,
    /// The start of each column and its context, once a value asks for them.
    columns: Option<Vec<(usize, Hints)>>,
}

impl Columns {
    /// Returns the start of the row of the value at `at` and the context of its column, if it is in a table.
    /// It is after all values queried before.
    // [PRIV-28]
    pub(super) fn row_at(&mut self, text: Text, at: usize) -> (usize, Hints) {
        while at >= self.next {
            if self.next > 0 {
                self.finish_line(text);
            }
            (self.line, self.counted, self.count, self.quoted) = (self.next, self.next, 0, false);
            self.next = text.line_end(self.line) + 1;
        }
        let delimiter = self.header.delimiter;
        if delimiter == 0 {
            return (0, Hints::NONE);
        }
        self.count_to(text, at);
        let columns = self.header.columns(text);
        let named = |place: usize| columns.get(place).map_or(Hints::NONE, |column| column.1);
        if delimiter != b' ' {
            return (self.line, named(self.count));
        }
        let offset = at - self.line - usize::from(matches!(text.before(at), b'(' | b'+'));
        let column = columns.iter().position(|column| column.0 == offset);
        (0, column.map_or(Hints::NONE, named))
    }

    /// Counts the delimiters of the present line up to `to`.
    fn count_to(&mut self, text: Text, to: usize) {
        let delimiter = self.header.delimiter;
        for byte in text.slice(self.counted, to) {
            self.quoted ^= *byte == b'"';
            self.count += usize::from(*byte == delimiter && !self.quoted);
        }
        self.counted = to;
    }

    /// Decides whether the present line continues the table or is the first of another.
    fn finish_line(&mut self, text: Text) {
        let (start, end) = (self.line, self.next - 1);
        let mut line = text.slice(start, end).iter();
        let continues = match self.header.delimiter {
            0 => false,
            b' ' => start < end,
            _ => {
                self.count_to(text, end);
                // The line between head and body.
                self.count == self.header.count || line.all(|byte| b"-+|=: \r".contains(byte))
            }
        };
        if !continues {
            self.header = Header::new(text, start, end);
        }
    }
}

impl Header {
    /// A line of names: no longer numbers, signs of code or values.
    fn new(text: Text, start: usize, end: usize) -> Header {
        let line = text.slice(start, end.min(start + HEADER_MAX));
        let named = |byte: &u8| {
            !matches!(byte, b'0'..=b'9' | b'{' | b'}' | b'<' | b'>' | b'=' | b':' | b'!' | b'?')
        };
        if start + line.len() < end || !line.iter().all(named) {
            return Header::default();
        }
        let delimiter = b"\t|;,".iter().copied().find(|byte| line.contains(byte));
        let aligned = || line.windows(2).any(|pair| pair == b"  ").then_some(b' ');
        let delimiter = delimiter.or_else(aligned).unwrap_or(0);
        let count = cells(line, delimiter).count() - 1;
        Header { start, end, delimiter, count, columns: None }
    }

    fn columns(&mut self, text: Text) -> &[(usize, Hints)] {
        let (line, delimiter) = (text.slice(self.start, self.end), self.delimiter);
        self.columns.get_or_insert_with(|| {
            let mut ends: Vec<(usize, usize)> = Vec::new();
            for name in cells(line, delimiter) {
                let start = ends.last().map_or(0, |last| last.1 + 1);
                ends.push((start, start + name.len()));
            }
            if delimiter == b' ' {
                // The words of one name.
                ends.dedup_by(|next, last| {
                    let one = last.0 < last.1 && next.0 < next.1;
                    last.1 = if one { next.1 } else { last.1 };
                    one
                });
            }
            let hints = |(start, end)| name_hints(line.get(start..end).unwrap_or_default());
            ends.into_iter().map(|name| (name.0, hints(name))).collect()
        })
    }
}

/// Splits a line at its delimiters outside quotes.
fn cells(line: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    line.split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == delimiter && !quoted
    })
}

/// Returns the context of a name of a few words.
fn name_hints(name: &[u8]) -> Hints {
    let words = name.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).count();
    let hints = if name.len() <= NAME_MAX && words <= 4 { phrase_hints(name) } else { Hints::NONE };
    if hints == Hints::CALL {
        hints
    } else {
        hints.kinds()
    }
}
