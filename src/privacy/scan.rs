//! Room: the dispatcher. One pass over the folded text stops at digits, `@` and `:` only and hands
//! each place to the scanners of the kinds that are on. Where findings overlap, they become one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::digits::{cluster, is_decimal, Gap, Group};
use super::hint::{Hints, Reader};
use super::kind::{Kind, Kinds};
use super::text::{is_alnum, Text};
use super::{card, dates, document, email, iban, ip, phone, ssn};

/// What a hit is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tag {
    /// The custom pattern at this place of the engine's list.
    Custom(usize),
    Kind(Kind),
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) tag: Tag,
}

/// Finds every value of the kinds that are `on` in a folded text. `given` is what the key over the
/// text says. The hits are in no order and may overlap.
pub(crate) fn scan(bytes: &[u8], on: Kinds, given: Hints) -> Vec<Hit> {
    let reader = Reader::default();
    let mut pass = Pass { text: Text(bytes), on, given, reader, hits: Vec::new() };
    let text = pass.text;
    let mut groups = Vec::new();
    let (mut at, mut gap, mut colons_from) = (0, Gap::Start, 0);
    let triggers = |byte: u8| matches!(byte, b'0'..=b'9' | b'@' | b':');
    loop {
        at = text.until(at, triggers);
        match text.at(at) {
            b'0'..=b'9' => (at, gap) = pass.digits(at, gap, &mut groups),
            b'@' => {
                if on.has(Kind::Email) {
                    let found = email::find(text, at);
                    found.into_iter().for_each(|(start, end)| pass.hit(Kind::Email, start, end));
                }
                at += 1;
            }
            b':' => {
                // Most colons separate a key from its value.
                let joins = text.before(at).is_ascii_hexdigit() || text.at(at + 1) == b':';
                if joins && at >= colons_from && on.has(Kind::IpAddress) {
                    colons_from = ip::find_v6(text, at, &mut |start, end| {
                        pass.hit(Kind::IpAddress, start, end)
                    });
                }
                at += 1;
            }
            _ => return pass.hits,
        }
    }
}

struct Pass<'a> {
    text: Text<'a>,
    on: Kinds,
    given: Hints,
    reader: Reader,
    hits: Vec<Hit>,
}

impl Pass<'_> {
    fn hit(&mut self, kind: Kind, start: usize, end: usize) {
        self.hits.push(Hit { start, end, tag: Tag::Kind(kind) });
    }

    /// Hands the digits at `at` to the scanners, and says where to go on. Each is asked only about
    /// clusters that have enough digits, since most numbers are short.
    fn digits(&mut self, at: usize, gap: Gap, groups: &mut Vec<Group>) -> (usize, Gap) {
        let (text, on) = (self.text, self.on);
        if is_alnum(text.before(at)) {
            let end = text.until(at, |byte| !is_alnum(byte));
            if end - at >= document::DIGITS_MIN {
                let around = self.reader.around(text, at, self.given);
                self.documents(around.loosely, at);
            }
            if on.has(Kind::Iban) {
                let found = iban::find(text, at);
                found.into_iter().for_each(|(start, end)| self.hit(Kind::Iban, start, end));
            }
            // Digits inside a word, such as a hash, are nothing else.
            return (end, Gap::Start);
        }
        let cluster = cluster(text, at, gap, groups);
        if is_decimal(text, groups) {
            return cluster.next;
        }
        let dated = on.has(Kind::DateOfBirth) && dates::likely(text, groups);
        if cluster.digits < document::DIGITS_MIN && !dated {
            return cluster.next;
        }
        let around = self.reader.around(text, at, self.given);
        groups.iter().for_each(|group| self.documents(around.loosely, group.start));
        if dated && around.loosely.say(Hints::BIRTH) {
            dates::find(text, groups, &mut |start, end| self.hit(Kind::DateOfBirth, start, end));
        }
        if cluster.points >= 3 && on.has(Kind::IpAddress) {
            ip::find_v4(text, groups, around, &mut |start, end| {
                self.hit(Kind::IpAddress, start, end)
            });
        }
        if cluster.digits >= 6 && cluster.longest >= 2 && on.has(Kind::Phone) {
            phone::find(text, groups, around, &mut |start, end| self.hit(Kind::Phone, start, end));
        }
        if cluster.digits >= 9 && cluster.longest >= 4 && on.has(Kind::Ssn) {
            ssn::find(text, groups, around, &mut |start, end| self.hit(Kind::Ssn, start, end));
        }
        if cluster.digits >= 12 && cluster.longest >= 4 && on.has(Kind::CreditCard) {
            card::find(text, groups, around, &mut |start, end| {
                self.hit(Kind::CreditCard, start, end)
            });
        }
        cluster.next
    }

    /// Passport and licence numbers, where the surroundings speak of one.
    fn documents(&mut self, said: Hints, at: usize) {
        if said.say(Hints::PASSPORT) || said.license() {
            let found = document::find(self.text, at, said, self.on);
            found.into_iter().for_each(|(kind, start, end)| self.hit(kind, start, end));
        }
    }
}

/// Whether a text, not yet folded, can hold anything for [`scan`] at all. Most strings cannot.
pub(crate) fn worth_it(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'0'..=b'9' | b'@' | b':') || !byte.is_ascii())
}

/// Overlapping hits become one that covers both. The longest gives its tag; of equally long ones
/// the first in precedence. What is left is in order.
// [PRIV-75]
pub(crate) fn resolve(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_by_key(|hit| hit.start);
    // The longest hit in the one that grows.
    let mut best: Option<Hit> = None;
    hits.dedup_by(|hit, grown| {
        let so_far = best.take().unwrap_or(*grown);
        if hit.start >= grown.end {
            return false;
        }
        let first = |a: &Hit, b: &Hit| (b.end - b.start, a.tag) < (a.end - a.start, b.tag);
        let winner = if first(hit, &so_far) { *hit } else { so_far };
        (grown.tag, grown.end, best) = (winner.tag, grown.end.max(hit.end), Some(winner));
        true
    });
    hits
}
