//! IP addresses. The standard library parses IPv6; the rules here find where an address starts and ends,
//! and exclude versions, slices and paths.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::{KindMatch, Matches};
use super::context::Context;
use super::context_words::Hints;
use super::digits::{digits, number, Gap, Group};
use super::text_view::{is_alnum, is_word, Text};
use core::net::Ipv6Addr;

/// Adds every IPv4 address among the groups: exactly four, joined by dots.
// [PRIV-50]
pub(super) fn find_v4(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    let pointed = |group: &Group| group.gap == Gap::Dot;
    for (index, address) in groups.windows(4).enumerate() {
        let [first, rest @ .., last] = address else { continue };
        let longer = pointed(first) || groups.get(index + 4).is_some_and(pointed);
        if rest.iter().all(pointed)
            && pointed(last)
            && !longer
            && address.iter().all(|group| is_octet(text, *group))
            && text.bounds(first.start, last.end)
            && !is_version(text, address, context)
        {
            matches.add((Kind::IpAddress, first.start, prefix_end(text, last.end, 32)));
        }
    }
}

/// 0 to 255 without leading zeros, on one line.
fn is_octet(text: Text, group: Group) -> bool {
    let led = group.len() > 1 && text.at(group.start) == b'0';
    group.len() <= 3 && !led && group.is_whole() && number(text, group) <= 255
}

/// `version 1.2.3.4`, and the product tokens of browsers, such as `Chrome/120.0.0.0`.
// [PRIV-51]
fn is_version(text: Text, address: &[Group], context: Context) -> bool {
    let Some(first) = address.first() else { return false };
    let product = text.before(first.start) == b'/' && is_alnum(text.before(first.start - 1));
    let zeros = digits(text, address.get(1..).unwrap_or_default()).all(|digit| digit == 0);
    product && zeros || context.adjacent.has(Hints::VERSION)
}

/// Returns the IPv6 address around the colon at `colon`, if there is one. `seen` is the end of the last
/// token that was tried.
// [PRIV-52]
#[inline]
pub(super) fn find_v6(text: Text, colon: usize, seen: &mut usize) -> Option<KindMatch> {
    // Most colons separate a key from its value.
    let joins = text.before(colon).is_ascii_hexdigit() || text.at(colon + 1) == b':';
    if !joins || colon < *seen {
        return None;
    }
    let start = text.run_start(colon, 5, |byte| byte.is_ascii_hexdigit());
    *seen = text.until(colon, |byte| !(byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')));
    let mut token = text.slice(start, *seen);
    // A full stop can follow the address.
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

/// `list[::2]` is a slice of a list.
// [PRIV-53]
fn is_slice(text: Text, start: usize) -> bool {
    let opener = text.before(start) == b'[';
    let owner = start.checked_sub(2).map_or(0, |owner| text.at(owner));
    opener && (is_word(owner) || matches!(owner, b')' | b']'))
}

/// Returns the end of the prefix length after an address (`/24`), or of the address.
// [PRIV-54]
fn prefix_end(text: Text, end: usize, bits_max: u8) -> usize {
    if text.at(end) != b'/' {
        return end;
    }
    let stop = text.run_end(end + 1, 4, |byte| byte.is_ascii_digit());
    let bits = core::str::from_utf8(text.slice(end + 1, stop)).unwrap_or_default().parse::<u8>();
    let bounded = !is_word(text.at(stop)) && text.at(stop) != b'/';
    if bounded && bits.is_ok_and(|bits| bits <= bits_max) {
        stop
    } else {
        end
    }
}
