//! Syntax of regular expressions, and bounds on their matches.
//!
//! The grammar is part of the specification, so that any reader of a pattern accepts the same patterns.
//! regex-lite compiles the same text afterwards, and never accepts more.

use crate::kernel::limits::PATTERN_DEPTH_MAX;
use crate::kernel::prelude::*;
use core::iter::Peekable;
use core::str::Chars;

/// The accepted dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) enum Dialect {
    /// `pattern` in a schema: the syntax with the same meaning in ECMA-262.
    Schema,
    /// Privacy patterns: also `\b`, `\B`, `\A`, `\z`, the flags `i`, `m`, `s`, and named groups.
    Privacy,
}

/// The bounds of an expression.
#[derive(Debug)]
pub(super) struct Expression {
    /// The number of states of the matcher: an upper bound of those active at any byte.
    pub(super) states: usize,
    /// The pieces of each alternative, in order.
    pub(super) alternatives: Vec<Vec<Piece>>,
}

/// A part of a match: a number of bytes, all from one set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    set: Set,
    bytes_min: usize,
    /// `usize::MAX` means unbounded.
    bytes_max: usize,
}

/// A set of bytes: any ASCII bytes, and all or none of the others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Set {
    ascii: u128,
    others: bool,
}

impl Set {
    const ANY: Set = Set { ascii: u128::MAX, others: true };

    fn of(test: impl Fn(char) -> bool) -> Set {
        let bit = |byte: u8| u128::from(test(char::from(byte))).checked_shl(byte.into());
        let ascii = (0..128).filter_map(bit).fold(0, |bits, bit| bits | bit);
        Set { ascii, others: false }
    }

    fn one(character: char) -> Set {
        match character.is_ascii() {
            true => Set::of(|other| other == character),
            false => Set { ascii: 0, others: true },
        }
    }

    fn not(self) -> Set {
        Set { ascii: !self.ascii, others: true }
    }

    fn union(self, other: Set) -> Set {
        Set { ascii: self.ascii | other.ascii, others: self.others || other.others }
    }

    /// Adds the other case of each ASCII letter.
    fn folded(self) -> Set {
        let has = |character: char| u8::try_from(character).is_ok_and(|byte| self.contains(byte));
        let cases = |one: char| has(one.to_ascii_lowercase()) || has(one.to_ascii_uppercase());
        Set { others: self.others, ..Set::of(|one| has(one) || cases(one)) }
    }

    pub(super) fn contains(self, byte: u8) -> bool {
        match byte.is_ascii() {
            true => self.ascii.checked_shr(byte.into()).is_some_and(|bits| bits & 1 == 1),
            false => self.others,
        }
    }

    /// Returns the piece of one character of the set.
    fn piece(self) -> Piece {
        Piece { set: self, bytes_min: 1, bytes_max: if self.others { 4 } else { 1 } }
    }
}

/// Returns `false` if no match of these pieces can start at `at`, as far as its one-byte pieces decide it.
pub(super) fn may_start(pieces: &[Piece], text: &str, at: usize) -> bool {
    let mut rest = text.as_bytes().get(at..).unwrap_or_default().iter();
    for piece in pieces {
        if piece.bytes_min == 0 {
            return true;
        }
        if !rest.next().is_some_and(|byte| piece.set.contains(*byte)) {
            return false;
        }
        if piece.bytes_max != 1 {
            return true;
        }
    }
    true
}

/// Returns the bytes that a match can start with, and the most pieces that [`may_start`] compares for a place.
pub(super) fn start_bytes(alternatives: &[Vec<Piece>]) -> (Set, usize) {
    let mut pieces_max = 0_usize;
    let mut first = Set::default();
    for pieces in alternatives {
        let one_byte =
            pieces.iter().take_while(|piece| (piece.bytes_min, piece.bytes_max) == (1, 1));
        pieces_max = pieces_max.saturating_add(one_byte.count()).saturating_add(1);
        first = first.union(match pieces.first() {
            Some(piece) if piece.bytes_min > 0 => piece.set,
            _ => Set::ANY,
        });
    }
    (first, pieces_max)
}

/// Returns the end of the longest bytes from `start` on that these pieces can match one after another. No
/// match that starts at `start` or earlier ends after it.
pub(super) fn max_end(pieces: &[Piece], text: &str, start: usize) -> usize {
    pieces.iter().fold(start, |at, piece| {
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let fits = rest.iter().take(piece.bytes_max).take_while(|byte| piece.set.contains(**byte));
        at.saturating_add(fits.count())
    })
}

/// Parses an expression; the error names the unsupported syntax.
// [PAT-01] [PAT-02] [PAT-03]
pub(super) fn parse(source: &str, dialect: Dialect) -> Result<Expression, String> {
    let (rest, names) = (source.chars().peekable(), BTreeSet::new());
    let mut parser = Parser { rest, dialect, names };
    let expression = parser.alternatives(Flags::default(), 0)?;
    match parser.rest.next() {
        None => Ok(expression),
        Some(_) => Err(not_supported("a closing ) without its (")),
    }
}

fn not_supported(what: &str) -> String {
    format!("{what} is not supported in a pattern")
}

#[derive(Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    dot_matches_newline: bool,
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    dialect: Dialect,
    /// The names of groups so far.
    names: BTreeSet<String>,
}

/// An item of an alternative.
enum Item {
    /// An item that can be repeated.
    Atom(Expression),
    /// `^`, `$`, `\b` and other zero-width assertions, which cannot be repeated.
    Assertion,
    /// `(?i)`: flags for the items after it.
    Flags(Flags),
}

/// The meaning of an escape.
enum Escaped {
    Set(Set),
    Character(char),
    /// `\b` and other zero-width assertions.
    Assertion,
}

impl Parser<'_> {
    /// Parses alternatives up to the end of the text or a closing parenthesis, which is not consumed.
    fn alternatives(&mut self, flags: Flags, depth: usize) -> Result<Expression, String> {
        if depth > PATTERN_DEPTH_MAX {
            return Err(format!("pattern has more than {PATTERN_DEPTH_MAX} nested groups"));
        }
        let mut flags = flags;
        let (mut states, mut alternatives) = (0_usize, Vec::new());
        loop {
            let mut pieces = Vec::new();
            while self.rest.peek().is_some_and(|next| !matches!(next, '|' | ')')) {
                match self.item(flags, depth)? {
                    Item::Atom(atom) => {
                        let atom = self.repeated(atom)?;
                        states = states.saturating_add(atom.states);
                        let mut sequences = atom.alternatives;
                        match (sequences.pop(), sequences.is_empty()) {
                            (Some(sequence), true) => pieces.extend(sequence),
                            (last, _) => pieces.extend(union(sequences.iter().chain(&last))),
                        }
                    }
                    Item::Assertion => {
                        states = states.saturating_add(1);
                        self.refuse_repetition()?;
                    }
                    Item::Flags(new) => flags = new,
                }
            }
            alternatives.push(pieces);
            states = states.saturating_add(1);
            if self.rest.next_if_eq(&'|').is_none() {
                return Ok(Expression { states, alternatives });
            }
        }
    }

    fn item(&mut self, flags: Flags, depth: usize) -> Result<Item, String> {
        let set = match self.rest.next() {
            None => return Err(not_supported("an end here")),
            Some('^' | '$') => return Ok(Item::Assertion),
            Some('(') => return self.group(flags, depth),
            Some('[') => return self.class(flags).map(Item::Atom),
            Some('.') if flags.dot_matches_newline => Set::ANY,
            Some('.') => Set::one('\n').not(),
            Some('\\') => match self.escape(false)? {
                Escaped::Set(set) => set,
                Escaped::Character(character) => Set::one(character),
                Escaped::Assertion => return Ok(Item::Assertion),
            },
            Some('*' | '+' | '?') => {
                return Err(not_supported("a repetition of nothing or of another repetition"))
            }
            Some('{') => {
                return Err(not_supported("{ other than in a repetition, unless escaped,"))
            }
            Some('}' | ']') => {
                return Err(not_supported("a closing } or ] alone, unless escaped,"))
            }
            Some(character) => Set::one(character),
        };
        let set = if flags.ignore_case { set.folded() } else { set };
        Ok(Item::Atom(Expression { states: 1, alternatives: vec![vec![set.piece()]] }))
    }

    /// Parses a group after its opening parenthesis, including the closing one.
    fn group(&mut self, flags: Flags, depth: usize) -> Result<Item, String> {
        let mut inner = flags;
        if self.rest.next_if_eq(&'?').is_some() {
            let privacy = self.dialect == Dialect::Privacy;
            match self.rest.next() {
                Some(':') => {}
                Some('P') if privacy && self.rest.next_if_eq(&'<').is_some() => self.name()?,
                Some('<') if privacy => self.name()?,
                Some(flag) if privacy => {
                    inner = self.flags(flag, flags)?;
                    if self.rest.next_if_eq(&')').is_some() {
                        return Ok(Item::Flags(inner));
                    }
                    self.rest.next();
                }
                _ => return Err(not_supported("a group other than (...) and (?:...)")),
            }
        }
        let mut group = self.alternatives(inner, depth.saturating_add(1))?;
        group.states = group.states.saturating_add(2);
        match self.rest.next() {
            Some(')') => Ok(Item::Atom(group)),
            _ => Err(not_supported("a group without its closing )")),
        }
    }

    /// Parses the name of a group, which is not used.
    fn name(&mut self) -> Result<(), String> {
        let is_part = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
        let name: String = core::iter::from_fn(|| self.rest.next_if(is_part)).collect();
        let is_name = name.starts_with(|first: char| !first.is_ascii_digit());
        match self.rest.next() {
            Some('>') if is_name && self.names.insert(name) => Ok(()),
            _ => Err(not_supported("this name of a group")),
        }
    }

    /// Parses flags up to `:` or `)`, which is not consumed.
    fn flags(&mut self, first: char, flags: Flags) -> Result<Flags, String> {
        let (mut flags, mut on, mut next, mut seen) = (flags, true, Some(first), String::new());
        loop {
            let flag = next.filter(|flag| "ims-".contains(*flag) && !seen.contains(*flag));
            match flag {
                Some('i') => flags.ignore_case = on,
                Some('s') => flags.dot_matches_newline = on,
                Some('m') => {}
                Some(_) => on = false,
                None => return Err(not_supported("a group with other flags than i, m and s")),
            }
            seen.extend(flag);
            let is_end = self.rest.peek().is_some_and(|end| matches!(end, ':' | ')'));
            if is_end && flag != Some('-') {
                return Ok(flags);
            }
            next = self.rest.next();
        }
    }

    /// Parses an escape after its backslash.
    fn escape(&mut self, in_class: bool) -> Result<Escaped, String> {
        let digit = |character: char| character.is_ascii_digit();
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let space = |character: char| "\t\n\u{B}\u{C}\r ".contains(character);
        let privacy = self.dialect == Dialect::Privacy;
        Ok(match self.rest.next() {
            Some('d') => Escaped::Set(Set::of(digit)),
            Some('D') => Escaped::Set(Set::of(digit).not()),
            Some('w') => Escaped::Set(Set::of(word)),
            Some('W') => Escaped::Set(Set::of(word).not()),
            Some('s') => Escaped::Set(Set::of(space)),
            Some('S') => Escaped::Set(Set::of(space).not()),
            Some('n') => Escaped::Character('\n'),
            Some('r') => Escaped::Character('\r'),
            Some('t') => Escaped::Character('\t'),
            Some('f') => Escaped::Character('\u{C}'),
            Some('v') => Escaped::Character('\u{B}'),
            Some('-') if in_class || privacy => Escaped::Character('-'),
            Some('b' | 'B' | 'A' | 'z') if privacy && !in_class => Escaped::Assertion,
            Some(mark) if r"/^$\.*+?()[]{}|".contains(mark) => Escaped::Character(mark),
            _ => return Err(not_supported("this escape")),
        })
    }

    /// Parses a class after its opening bracket, including the closing one.
    fn class(&mut self, flags: Flags) -> Result<Expression, String> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        if self.rest.peek() == Some(&']') {
            return Err(not_supported("an empty class"));
        }
        let (mut set, mut items) = (Set::default(), 0_usize);
        loop {
            let low = match self.rest.next() {
                None => return Err(not_supported("a class without its closing ]")),
                Some(']') => break,
                Some(next) => self.member(next)?,
            };
            items = items.saturating_add(1);
            // A dash before the closing bracket is a literal.
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.next() != Some(']');
            set = set.union(match low {
                Escaped::Character(low) if is_range => self.range(low)?,
                Escaped::Character(character) => Set::one(character),
                Escaped::Set(_) if is_range => return Err(not_supported("this range of a class")),
                Escaped::Set(set) => set,
                Escaped::Assertion => return Err(not_supported("this escape")),
            });
        }
        let set = if flags.ignore_case { set.folded() } else { set };
        let set = if negated { set.not() } else { set };
        let states = items.div_euclid(8).saturating_add(1);
        Ok(Expression { states, alternatives: vec![vec![set.piece()]] })
    }

    /// Parses a character or an escape of a class.
    fn member(&mut self, first: char) -> Result<Escaped, String> {
        match first {
            '\\' => self.escape(true),
            '[' => Err(not_supported("[ inside a class, unless escaped,")),
            '&' | '~' | '-' if self.rest.peek() == Some(&first) => {
                Err(not_supported("--, && or ~~ inside a class"))
            }
            character => Ok(Escaped::Character(character)),
        }
    }

    /// Parses the range from `low`, starting at its dash.
    fn range(&mut self, low: char) -> Result<Set, String> {
        self.rest.next();
        let Some(next) = self.rest.next() else {
            return Err(not_supported("a class without its closing ]"));
        };
        match self.member(next)? {
            Escaped::Character(high) if next != '-' && low <= high => {
                let set = Set::of(|character| low <= character && character <= high);
                Ok(Set { others: !high.is_ascii(), ..set })
            }
            _ => Err(not_supported("this range of a class")),
        }
    }

    /// Parses the repetition of an item, if one follows.
    fn repeated(&mut self, atom: Expression) -> Result<Expression, String> {
        let Some((least, most)) = self.repetition()? else { return Ok(atom) };
        let piece = union(atom.alternatives.iter());
        if piece.is_none_or(|piece| piece.bytes_min == 0) {
            return Err(not_supported("a repetition of what can be empty"));
        }
        // Another `?` makes it lazy.
        self.rest.next_if_eq(&'?');
        self.refuse_repetition()?;
        let copies = most.unwrap_or(least).max(1);
        let states = copies.saturating_mul(atom.states.saturating_add(1)).saturating_add(2);
        let pieces = piece.map(|piece| Piece {
            bytes_min: piece.bytes_min.saturating_mul(least),
            bytes_max: most.map_or(usize::MAX, |most| piece.bytes_max.saturating_mul(most)),
            ..piece
        });
        Ok(Expression { states, alternatives: vec![pieces.into_iter().collect()] })
    }

    /// Parses the minimum and maximum of a repetition, if one follows.
    fn repetition(&mut self) -> Result<Option<(usize, Option<usize>)>, String> {
        let known = match self.rest.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.rest.next();
                return self.counts().map(Some);
            }
            _ => return Ok(None),
        };
        self.rest.next();
        Ok(Some(known))
    }

    /// Parses `{n}`, `{n,}` and `{n,m}` after the opening brace, including the closing one.
    fn counts(&mut self) -> Result<(usize, Option<usize>), String> {
        let other = || not_supported("{ other than in a repetition, unless escaped,");
        let least = self.number().ok_or_else(other)?;
        let most = match self.rest.next_if_eq(&',') {
            None => Some(least),
            Some(_) if self.rest.peek() == Some(&'}') => None,
            Some(_) => Some(self.number().ok_or_else(other)?),
        };
        if self.rest.next() != Some('}') {
            return Err(other());
        }
        if most.is_some_and(|most| most < least) {
            return Err(not_supported("a repetition with the larger number first"));
        }
        Ok((least, most))
    }

    fn number(&mut self) -> Option<usize> {
        let next_digit = || self.rest.next_if(char::is_ascii_digit);
        let digits: String = core::iter::from_fn(next_digit).collect();
        // A longer number exceeds the limit on states.
        (!digits.is_empty()).then(|| digits.parse().unwrap_or(usize::MAX))
    }

    fn refuse_repetition(&mut self) -> Result<(), String> {
        match self.rest.peek() {
            Some('*' | '+' | '?' | '{') => {
                Err(not_supported("a repetition of nothing or of another repetition"))
            }
            _ => Ok(()),
        }
    }
}

/// Returns one piece that covers any of several sequences; `None` if all are empty.
fn union<'a>(sequences: impl Iterator<Item = &'a Vec<Piece>>) -> Option<Piece> {
    let mut whole: Option<Piece> = None;
    for sequence in sequences {
        let sum = |of: fn(&Piece) -> usize| sequence.iter().map(of).fold(0, usize::saturating_add);
        let one = Piece {
            set: sequence.iter().fold(Set::default(), |set, piece| set.union(piece.set)),
            bytes_min: sum(|piece| piece.bytes_min),
            bytes_max: sum(|piece| piece.bytes_max),
        };
        whole = Some(whole.map_or(one, |known| Piece {
            set: known.set.union(one.set),
            bytes_min: known.bytes_min.min(one.bytes_min),
            bytes_max: known.bytes_max.max(one.bytes_max),
        }));
    }
    whole
}
