//! Room: IP addresses. The standard library parses those of version 6; the rules here say where one begins and
//! ends, and which dotted or colon-joined things are something else.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::{Found, Matches};
use super::context::Context;
use super::context_words::Hints;
use super::digits::{digits, number, Gap, Group};
use super::text_view::{is_alnum, is_word, Text};
use core::net::Ipv6Addr;

/// Reports every IPv4 address among the groups: four of them joined by points, and no fifth.
// [PRIV-50]
pub(in crate::kernel) fn find_v4(
    text: Text<'_>,
    groups: &[Group],
    around: Context,
    hits: &mut Matches,
) {
    let pointed = |group: &Group| group.gap == Gap::Dot;
    for (index, address) in groups.windows(4).enumerate() {
        let [first, rest @ .., last] = address else { continue };
        let longer = pointed(first) || groups.get(index + 4).is_some_and(pointed);
        if rest.iter().all(pointed)
            && pointed(last)
            && !longer
            && address.iter().all(|group| is_octet(text, *group))
            && text.bounds(first.start, last.end)
            && !is_version(text, address, around)
        {
            hits.add((Kind::IpAddress, first.start, prefix_end(text, last.end, 32)));
        }
    }
}

/// 0 to 255 without leading zeros, on one line.
fn is_octet(text: Text<'_>, group: Group) -> bool {
    let led = group.len() > 1 && text.at(group.start) == b'0';
    group.len() <= 3 && !led && group.is_whole() && number(text, group) <= 255
}

/// `version 1.2.3.4`, and the product tokens of browsers, such as `Chrome/120.0.0.0`.
// [PRIV-51]
fn is_version(text: Text<'_>, address: &[Group], around: Context) -> bool {
    let Some(first) = address.first() else { return false };
    let product = text.before(first.start) == b'/' && is_alnum(text.before(first.start - 1));
    let zeros = digits(text, address.get(1..).unwrap_or_default()).all(|digit| digit == 0);
    product && zeros || around.adjacent.has(Hints::VERSION)
}

/// The IPv6 address around the colon at `colon`, if there is one. `seen` is from where on colons are unseen.
// [PRIV-52]
#[inline]
pub(in crate::kernel) fn find_v6(text: Text<'_>, colon: usize, seen: &mut usize) -> Option<Found> {
    // Most colons separate a key from its value.
    let joins = text.before(colon).is_ascii_hexdigit() || text.at(colon + 1) == b':';
    if !joins || colon < *seen {
        return None;
    }
    let start = text.back(colon, 5, |byte| byte.is_ascii_hexdigit());
    *seen = text.until(colon, |byte| !(byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')));
    let mut token = text.slice(start, *seen);
    // A sentence may end behind the address.
    while let [rest @ .., b'.'] = token {
        token = rest;
    }
    if let [rest @ .., before, b':'] = token {
        token = if *before == b':' { token } else { text.upto(start, rest.len() + 1) };
    }
    let last = start + token.len();
    let before = text.before(start);
    let free = !is_alnum(before) && before != b':' && !is_word(text.at(last));
    // A path of names such as `de::ed` has no digit.
    // [PRIV-53]
    let numbered = token.iter().any(u8::is_ascii_digit) && token.len() <= 45;
    let parsed =
        || core::str::from_utf8(token).is_ok_and(|token| token.parse::<Ipv6Addr>().is_ok());
    let found = free && numbered && !is_slice(text, start) && parsed();
    found.then(|| (Kind::IpAddress, start, prefix_end(text, last, 128)))
}

/// `list[::2]` takes every second element.
// [PRIV-53]
fn is_slice(text: Text<'_>, start: usize) -> bool {
    let opener = text.before(start) == b'[';
    let owner = start.checked_sub(2).map_or(0, |owner| text.at(owner));
    opener && (is_word(owner) || matches!(owner, b')' | b']'))
}

/// The end of the prefix length behind an address (`/24`), or of the address if there is none.
// [PRIV-54]
fn prefix_end(text: Text<'_>, end: usize, bits_max: u8) -> usize {
    if text.at(end) != b'/' {
        return end;
    }
    let stop = text.forth(end + 1, 4, |byte| byte.is_ascii_digit());
    let bits = core::str::from_utf8(text.slice(end + 1, stop)).unwrap_or_default().parse::<u8>();
    let bounded = !is_word(text.at(stop)) && text.at(stop) != b'/';
    if bounded && bits.is_ok_and(|bits| bits <= bits_max) {
        stop
    } else {
        end
    }
}
