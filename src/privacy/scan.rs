//! Room: the dispatcher. One pass over the folded text stops at digits and a few other characters and hands
//! each place to the scanners of the kinds that are on. Where findings overlap, they become one.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::digits::{cluster, is_decimal, mend, Gap, Group};
use super::hint::{Around, Reader};
use super::kind::{Kind, Kinds};
use super::text::{is_alnum, Text};
use super::words::Hints;
use super::{card, dates, document, email, iban, ip, national, phone, secret, ssn};
use crate::deadline::{Deadline, Interrupted};

/// What a hit is an instance of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tag {
    /// The hidden text at this place of the engine's list.
    Hidden(usize),
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

impl From<crate::secrets::Place> for Hit {
    fn from(place: crate::secrets::Place) -> Self {
        Hit { start: place.start, end: place.end, tag: Tag::Hidden(place.of) }
    }
}

/// Finds every value of the kinds that are `on` in a folded text. `given` is what the key over the
/// text says. The hits are in no order and may overlap.
///
/// # Errors
/// Those of the deadline.
pub(crate) fn scan(
    bytes: &[u8],
    on: Kinds,
    given: Hints,
    scratch: &mut Scratch,
    deadline: &Deadline,
) -> Result<Vec<Hit>, Interrupted> {
    let Scratch { groups, mended, reader } = scratch;
    reader.start();
    let mut pass = Pass { text: Text(bytes), on, given, reader, mended, hits: Vec::new() };
    let text = pass.text;
    let (mut at, mut gap, mut colons_from, mut headers_to) = (0, Gap::Start, 0, 0);
    let mut look_at = SCAN_LOOK_BYTES;
    loop {
        // [PRIV-84]
        if at >= look_at {
            deadline.check()?;
            look_at = at.saturating_add(SCAN_LOOK_BYTES);
        }
        at = text.until(at, is_trigger);
        match text.at(at) {
            b'0'..=b'9' => {
                (at, gap) = pass.digits(at, gap, groups);
                continue;
            }
            b'@' => {
                let found = email::find(text, at).filter(|_| on.has(Kind::Email));
                if let Some((start, end)) = found {
                    pass.hit(Kind::Email, start, end);
                    at = end;
                    continue;
                }
            }
            b':' => {
                // Most colons separate a key from its value.
                let joins = text.before(at).is_ascii_hexdigit() || text.at(at + 1) == b':';
                if joins && at >= colons_from && on.has(Kind::IpAddress) {
                    let known = pass.hits.len();
                    colons_from = ip::find_v6(text, at, &mut |start, end| {
                        pass.hit(Kind::IpAddress, start, end)
                    });
                    if pass.hits.len() > known {
                        at = colons_from;
                        continue;
                    }
                }
            }
            _ if at < bytes.len() => {
                let found = secret::find(text, at, on, &mut headers_to);
                if let Some((kind, start, end)) = found {
                    pass.hit(kind, start, end);
                    at = end;
                    continue;
                }
            }
            _ => return Ok(pass.hits),
        }
        at += 1;
    }
}

/// Bytes between two looks at the deadline.
const SCAN_LOOK_BYTES: usize = 1 << 18;

/// Characters that a value has, or that stand before one: of secrets, the marks in their prefixes and
/// the capitals of those that have none.
fn is_trigger(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'@' | b':' | b'-' | b'_' | b'.' | b'A' | b'J')
}

/// The fewest digits of a value that is looked for on two lines, an IP address.
const BROKEN_MIN: usize = 4;

/// Memory that one scan after another uses, since most are short.
#[derive(Default)]
pub(crate) struct Scratch {
    groups: Vec<Group>,
    mended: Vec<Group>,
    reader: Reader,
}

struct Pass<'a> {
    text: Text<'a>,
    on: Kinds,
    given: Hints,
    reader: &'a mut Reader,
    mended: &'a mut Vec<Group>,
    hits: Vec<Hit>,
}

impl Pass<'_> {
    fn hit(&mut self, kind: Kind, start: usize, end: usize) {
        let hit = Hit { start, end, tag: Tag::Kind(kind) };
        // The last groups of a long row are read twice.
        if !self.hits.iter().rev().take(4).any(|known| *known == hit) {
            self.hits.push(hit);
        }
    }

    /// Hands the digits at `at` to the scanners, and says where to go on. Each is asked only about
    /// clusters that have enough digits, since most numbers are short.
    fn digits(&mut self, at: usize, gap: Gap, groups: &mut Vec<Group>) -> (usize, Gap) {
        let (text, on) = (self.text, self.on);
        if is_alnum(text.before(at)) {
            // Digits inside a word, such as a hash, are nothing else.
            return (self.word(at), Gap::Start);
        }
        let cluster = cluster(text, at, gap, groups);
        if is_decimal(text, groups) {
            return cluster.next;
        }
        let dated = on.has(Kind::DateOfBirth) && dates::likely(text, groups);
        let short = match cluster.digits {
            digits if digits > document::DIGITS_MIN => false,
            document::DIGITS_MIN => document::is_alone(text, groups),
            _ => true,
        };
        if short && !dated {
            return cluster.next;
        }
        let known = self.hits.len();
        let around = self.reader.around(text, at, self.given);
        if around.loosely != Hints::NONE {
            self.named(around, groups, dated);
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
        if cluster.lines > 0 && cluster.digits >= BROKEN_MIN {
            self.broken(groups, around, known);
        }
        cluster.next
    }

    /// Digits behind letters: account numbers, and documents where the surroundings speak of one.
    /// Returns the end of the word.
    fn word(&mut self, at: usize) -> usize {
        let end = self.text.until(at, |byte| !is_alnum(byte));
        if end - at >= document::DIGITS_MIN {
            let around = self.reader.around(self.text, at, self.given);
            self.documents(around.loosely, at);
        }
        if self.on.has(Kind::Iban) {
            let found = iban::find(self.text, at);
            found.into_iter().for_each(|(start, end)| self.hit(Kind::Iban, start, end));
        }
        end
    }

    /// What only its surroundings can name.
    fn named(&mut self, around: Around, groups: &[Group], dated: bool) {
        let (text, on, said) = (self.text, self.on, around.loosely);
        groups.iter().for_each(|group| self.documents(said, group.start));
        if dated && said.say(Hints::BIRTH) {
            dates::find(text, groups, around, &mut |start, end| {
                self.hit(Kind::DateOfBirth, start, end)
            });
        }
        national::find(text, groups, around, on, &mut |kind, start, end| {
            self.hit(kind, start, end)
        });
    }

    /// Passport and licence numbers, where the surroundings speak of one.
    fn documents(&mut self, said: Hints, at: usize) {
        if said.say(Hints::PASSPORT) || said.say(Hints::LICENSE) {
            let found = document::find(self.text, at, said, self.on);
            found.into_iter().for_each(|(kind, start, end)| self.hit(kind, start, end));
        }
    }

    /// Reads two lines as one where neither holds anything: a value may be broken between them. `known`
    /// is how many hits there were before these groups.
    // [PRIV-26]
    fn broken(&mut self, groups: &[Group], around: Around, known: usize) {
        let (text, on) = (self.text, self.on);
        let mended = &mut *self.mended;
        let lines = || groups.chunk_by(|_, next| next.gap != Gap::Line);
        for (above, below) in lines().zip(lines().skip(1)) {
            let [Some(first), Some(edge), Some(next), Some(last)] =
                [above.first(), above.last(), below.first(), below.last()]
            else {
                continue;
            };
            let row = || above.iter().chain(below).skip(1);
            let marked = row().any(|group| !matches!(group.gap, Gap::Line | Gap::Space))
                || next.start - edge.end > 1
                || text.before(first.start) == b'+';
            let digits: usize = above.iter().chain(below).map(|group| group.len()).sum();
            if digits < BROKEN_MIN || !marked && around.loosely == Hints::NONE {
                continue;
            }
            let touches = |hit: &Hit| hit.start < last.end && hit.end > first.start;
            if self.hits.get(known..).unwrap_or_default().iter().any(touches) {
                continue;
            }
            mend(text, above, below, mended);
            let mut report = |kind: Kind, start: usize, end: usize| {
                if on.has(kind) && start < edge.end && end > next.start {
                    self.hits.push(Hit { start, end, tag: Tag::Kind(kind) });
                }
            };
            ip::find_v4(text, mended, around, &mut |start, end| {
                report(Kind::IpAddress, start, end)
            });
            ssn::find(text, mended, around, &mut |start, end| report(Kind::Ssn, start, end));
            phone::find_broken(text, mended, around, &mut |start, end| {
                report(Kind::Phone, start, end)
            });
        }
    }
}

/// The shortest value that may have neither digit nor `@` nor `:`, a key of a service.
const LETTERS_MIN: usize = 20;

/// Whether a text, not yet folded, can hold anything for [`scan`] at all. Most strings cannot.
pub(crate) fn worth_it(text: &str) -> bool {
    text.len() >= LETTERS_MIN
        || text.bytes().any(|byte| matches!(byte, b'0'..=b':' | b'@') || !byte.is_ascii())
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
