//! IP addresses. The standard library parses IPv6; the rules here find where an address starts and ends,
//! and exclude versions, slices and paths.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::super::kind::Kind;
use super::super::matches::{KindMatch, Matches};
use super::context::Context;
use super::context_words::{is_file_suffix, Hints};
use super::digits::{digits, number, Gap, Group};
use super::text_view::{is_alnum, is_letter, is_word, Text};
use core::net::Ipv6Addr;

/// Adds every IPv4 address among the groups: exactly four, joined by dots, or by dashes in a host name.
// [PRIV-50]
pub(super) fn find_v4(text: Text, groups: &[Group], context: Context, matches: &mut Matches) {
    let pointed = |group: &Group| group.gap == Gap::Dot;
    for (index, address) in groups.windows(4).enumerate() {
        let [first, rest @ .., last] = address else { continue };
        let joined = |gap: Gap| rest.iter().chain([last]).all(|group| group.gap == gap);
        let ends = || match groups.get(index + 4..).unwrap_or_default() {
            [port, next, ..] if pointed(port) && pointed(next) => false,
            [port, ..] if pointed(port) => is_port(text, *first, *port),
            _ => true,
        };
        if (joined(Gap::Dot) || joined(Gap::Dash) && in_host_name(text, first.start, last.end))
            && !pointed(first)
            && ends()
            && address.iter().all(|group| is_octet(text, *group))
            && text.bounds(first.start, last.end)
            && !is_version(text, address, context)
            && !(is_local_v4(text, address)
                && is_served(text, first.start, last.end, context.adjacent))
        {
            matches.add((Kind::IpAddress, first.start, prefix_end(text, last.end, 32)));
        }
    }
}

/// `ip-192-0-2-1`, `dsl-192-0-2-1.isp.example`.
fn in_host_name(text: Text, start: usize, end: usize) -> bool {
    let label = text.run_start(start.max(1) - 1, 16, |byte| byte.is_ascii_alphanumeric());
    let label = text.slice(label, start);
    let domain = text.at(end) == b'.' && is_letter(text.at(end + 1));
    label == b"ip-" || label.len() > 1 && label.ends_with(b"-") && domain && end - start > 10
}

/// A port as tcpdump and netstat print it behind an address: `192.0.2.1.443 > `, `192.0.2.1.50122`.
fn is_port(text: Text, first: Group, port: Group) -> bool {
    let number_of = number(text, port);
    let arrow = text.slice(first.start.saturating_sub(3), first.start) == b" > "
        || text.upto(port.end, 3) == b" > ";
    let led = text.at(port.start) == b'0' || number_of > 65_535 || port.len() > 5;
    !led && (arrow || number_of > 255 && number(text, first) > 2)
}

/// Loopback and unspecified.
// [PRIV-51]
fn is_local_v4(text: Text, address: &[Group]) -> bool {
    let loopback = address.first().is_some_and(|first| number(text, *first) == 127);
    loopback || digits(text, address).all(|digit| digit == 0)
}

/// Words before an address on which a program listens, or which it asks.
const SERVERS: [&[u8]; 9] =
    [b"on", b"bind", b"host", b"listen", b"listening", b"nameserver", b"resolver", b"dns", b"ping"];

/// Returns `true` if a local address is that of a program of this machine rather than of a client:
/// with a port, in a URL, in quotes as in code, before the name `localhost`, after one of `SERVERS`, or the
/// value of such a key.
// [PRIV-51]
fn is_served(text: Text, start: usize, end: usize, adjacent: Hints) -> bool {
    let whole = start == 0 && text.upto(end, 1).is_empty();
    let port = text.at(end) == b':' && text.at(end + 1).is_ascii_digit();
    let url = text.before(start) == b'[' || text.slice(start.saturating_sub(2), start) == b"//";
    let name = text.run_end(end, 8, |byte| matches!(byte, b' ' | b'\t'));
    let named = name > end && (text.upto(name, 5) == b"local" || text.upto(name, 4) == b"ip6-");
    let gap = text.run_start(start, 4, |byte| b" \t=:'\"".contains(&byte));
    let word = text.slice(text.run_start(gap, 12, is_letter), gap);
    let served = gap < start && SERVERS.iter().any(|known| word.eq_ignore_ascii_case(known));
    let is_quote = |byte: u8| b"'\"`".contains(&byte);
    let quoted = is_quote(text.before(start)) && is_quote(text.at(end));
    port || url || named || served || quoted || whole && adjacent.has(Hints::ADDRESS)
}

/// 0 to 255 without leading zeros, on one line.
fn is_octet(text: Text, group: Group) -> bool {
    let led = group.len() > 1 && text.at(group.start) == b'0';
    group.len() <= 3 && !led && group.is_whole() && number(text, group) <= 255
}

/// `version 1.2.3.4`, `==1.2.3.4`, `lib.so.1.2.3.4`, `1.2.3.4.tar`, and the product tokens of browsers, such
/// as `Chrome/120.0.0.0`. Small numbers are versions and sections unless something names an address.
// [PRIV-51]
fn is_version(text: Text, address: &[Group], context: Context) -> bool {
    let [first, rest @ .., last] = address else { return false };
    let product = text.before(first.start) == b'/' && is_alnum(text.before(first.start - 1));
    let zeros = digits(text, rest).chain(digits(text, &[*last])).all(|digit| digit == 0);
    if product && zeros || context.adjacent.has(Hints::VERSION) {
        return true;
    }
    if context.nearby.has(Hints::ADDRESS) {
        return false;
    }
    let quoted = text.run_start(first.start, 2, |byte| b" \"'".contains(&byte));
    let operator = text.slice(quoted.saturating_sub(2), quoted);
    let compared = matches!(operator, [b'=' | b'<' | b'>' | b'!' | b'~', b'='] | b"~>");
    let file = is_file_suffix(text, last.end + 1) && text.at(last.end) == b'.'
        || text.slice(first.start.saturating_sub(4), first.start) == b".so.";
    let [a, b, c, d] = [0, 1, 2, 3].map(|place| address.get(place).map(|part| number(text, *part)));
    // Private networks, and name servers that everybody knows.
    let known = a == Some(10) || a == d && b == c || (b, c) == (Some(0), Some(0)) && a == Some(1);
    let small = !known && address.iter().all(|group| group.len() <= 2);
    let (after, later) = (text.at(last.end), text.at(last.end + 1));
    let used = matches!(after, b':' | b'/') && later.is_ascii_digit()
        || [&b" - "[..], b" por"]
            .iter()
            .any(|next| text.slice(last.end, last.end + next.len()) == *next)
        || text.slice(first.start.saturating_sub(2), first.start) == b"//";
    compared || file || small && !used
}

/// Returns the IPv6 address around the colon at `at`, if there is one. `seen` is the end of the last
/// token that was tried.
// [PRIV-52]
#[inline]
pub(super) fn find_v6(text: Text, at: usize, given: Hints, seen: &mut usize) -> Option<KindMatch> {
    // Most colons separate a key from its value.
    let joins = text.before(at).is_ascii_hexdigit() || text.at(at + 1) == b':';
    if !joins || at < *seen {
        return None;
    }
    let start = text.run_start(at, 5, |byte| byte.is_ascii_hexdigit());
    *seen = text.until(at, |byte| !(byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')));
    let mut token = text.slice(start, *seen);
    // A full stop can follow the address.
    while let [rest @ .., b'.'] = token {
        token = rest;
    }
    if let [rest @ .., before, b':'] = token {
        token = if *before == b':' { token } else { text.upto(start, rest.len() + 1) };
    }
    let parse = |token: &[u8]| core::str::from_utf8(token).ok()?.parse::<Ipv6Addr>().ok();
    let before = text.before(start);
    // [PRIV-53]
    let numbered = token.iter().any(u8::is_ascii_digit) && token.len() <= ADDRESS_MAX;
    if !numbered || is_word(before) || before == b':' || is_slice(text, start) {
        return None;
    }
    let address = parse(token).or_else(|| {
        // The port of tcpdump: `2001:db8::1.443`.
        let point = token.iter().rposition(|byte| *byte == b'.')?;
        token = token.get(..point)?;
        parse(token)
    })?;
    let last = start + token.len();
    let local = address.to_canonical();
    let local = local.is_loopback() || local.is_unspecified();
    let after = text.at(last);
    let free = !is_word(after) && !b"({<*".contains(&after);
    if !free || !is_proven(token, after) || local && is_served(text, start, last, given) {
        return None;
    }
    Some((Kind::IpAddress, start, prefix_end(text, zone_end(text, last), 128)))
}

/// The longest address, in characters.
const ADDRESS_MAX: usize = 45;

/// Excludes hardware addresses, which have eight pairs, and paths of names such as `b3::a`.
// [PRIV-53]
fn is_proven(token: &[u8], after: u8) -> bool {
    let mut groups = token.split(|byte| *byte == b':').filter(|group| !group.is_empty());
    let count = groups.clone().count();
    let pairs = count == 8 && groups.clone().all(|group| group.len() == 2);
    let wide = groups.any(|group| group.len() >= 3);
    !pairs && (wide || count >= 3 || after == b'/' || token == b"::1")
}

/// Returns the end of the zone after an address (RFC 4007), `%eth0`, or `end`.
// [PRIV-54]
fn zone_end(text: Text, end: usize) -> usize {
    let named = |byte: u8| is_alnum(byte) || matches!(byte, b'-' | b'_');
    let stop = text.run_end(end + 1, 16, named);
    Some(stop).filter(|_| text.at(end) == b'%' && stop > end + 1).unwrap_or(end)
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
    bits.ok().filter(|bits| bounded && *bits <= bits_max).map_or(end, |_| stop)
}
