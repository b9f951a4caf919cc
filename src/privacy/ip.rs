//! Room: IP addresses. The standard library parses those of version 6; the rules here say where one begins and
//! ends, and which dotted or colon-joined things are something else.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::digits::{digits, number, Gap, Group};
use super::hint::Around;
use super::text::{is_alnum, is_word, Text};
use super::words::Hints;
use std::net::Ipv6Addr;

/// Reports every IPv4 address among the groups: four of them joined by points, and no fifth.
// [PRIV-50]
pub(crate) fn find_v4(
    text: Text<'_>,
    groups: &[Group],
    around: Around,
    report: &mut impl FnMut(usize, usize),
) {
    for (index, first) in groups.iter().enumerate() {
        let rest = groups.get(index + 1..).unwrap_or_default();
        if rest.first().is_none_or(|second| second.gap != Gap::Dot) || first.gap == Gap::Dot {
            continue;
        }
        let dotted = rest.iter().take(4).take_while(|group| group.gap == Gap::Dot).count();
        let begins = !is_alnum(text.before(first.start));
        let Some(last) = rest.get(2).filter(|_| begins && dotted == 3) else { continue };
        let address = groups.get(index..index + 4).unwrap_or_default();
        if address.iter().all(|group| is_octet(text, *group))
            && !is_alnum(text.at(last.end))
            && !is_version(text, address, around)
        {
            report(first.start, prefix_end(text, last.end, 32));
        }
    }
}

/// 0 to 255 without leading zeros.
fn is_octet(text: Text<'_>, group: Group) -> bool {
    let led = group.len() > 1 && text.at(group.start) == b'0';
    group.len() <= 3 && group.is_whole() && !led && number(text, group) <= 255
}

/// `version 1.2.3.4`, and the product tokens of browsers, such as `Chrome/120.0.0.0`.
// [PRIV-51]
fn is_version(text: Text<'_>, address: &[Group], around: Around) -> bool {
    let Some(first) = address.first() else { return false };
    let product = text.before(first.start) == b'/' && is_alnum(text.before(first.start - 1));
    let zeros = digits(text, address.get(1..).unwrap_or_default()).all(|digit| digit == 0);
    product && zeros || around.closely.say(Hints::VERSION)
}

/// Looks at the colon at `colon`; reports the IPv6 address around it, if there is one. Says from
/// where on colons are still unseen.
// [PRIV-52]
pub(crate) fn find_v6(
    text: Text<'_>,
    colon: usize,
    report: &mut impl FnMut(usize, usize),
) -> usize {
    let start = text.back(colon, 5, |byte| byte.is_ascii_hexdigit());
    let end = text.until(colon, |byte| !(byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')));
    let token = text.slice(start, end);
    // A sentence may end behind the address.
    let trailing = token.iter().rev().take_while(|byte| **byte == b'.').count();
    let mut token = token.get(..token.len() - trailing).unwrap_or_default();
    if token.ends_with(b":") && !token.ends_with(b"::") {
        token = token.get(..token.len() - 1).unwrap_or_default();
    }
    let last = start + token.len();
    let before = text.before(start);
    let free = !is_alnum(before) && before != b':' && !is_word(text.at(last));
    if free && token.len() <= 45 && is_v6(token) && !is_slice(text, start) {
        report(start, prefix_end(text, last, 128));
    }
    end.max(colon + 1)
}

/// An address, rather than a path of names such as `de::ed`, which has no digit.
// [PRIV-53]
fn is_v6(token: &[u8]) -> bool {
    let parsed = std::str::from_utf8(token).is_ok_and(|token| token.parse::<Ipv6Addr>().is_ok());
    parsed && token.iter().any(u8::is_ascii_digit)
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
    let bits = std::str::from_utf8(text.slice(end + 1, stop)).unwrap_or_default().parse::<u8>();
    let bounded = !is_word(text.at(stop)) && text.at(stop) != b'/';
    if bounded && bits.is_ok_and(|bits| bits <= bits_max) {
        stop
    } else {
        end
    }
}
