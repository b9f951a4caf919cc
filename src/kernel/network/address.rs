//! Room: which IP addresses the door connects to.
//!
//! A public name can lead anywhere, so what counts is where it leads. IPv4 is judged by the ranges that are
//! not global in the IANA special-purpose registry (RFC 6890 and what updates it); of IPv6 only the global
//! unicast block is taken at all, less what carries other addresses inside.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type Range4 = ([u8; 4], u32);
type Range6 = ([u16; 2], u32);

/// This machine and the networks behind it: refused unless the policy names the host.
// [DOOR-26]
const PRIVATE_V4: [Range4; 5] = [
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10), // shared by a provider's customers
    ([127, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
];

/// Refused always: nobody's, everybody's, or a cloud's service for machines, which hands out credentials.
// [DOOR-27]
const ALWAYS_DENIED_V4: [Range4; 12] = [
    ([0, 0, 0, 0], 8),
    ([100, 100, 100, 200], 32), // metadata
    ([168, 63, 129, 16], 32),   // metadata
    ([169, 254, 0, 0], 16),     // link-local, and metadata
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24), // 6to4 relays
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4), // multicast
    ([240, 0, 0, 0], 4),
];

/// Global unicast.
const GLOBAL_6: Range6 = ([0x2000, 0], 3);
const UNIQUE_LOCAL_6: Range6 = ([0xfc00, 0], 7);

/// Refused always. What is outside global unicast is as well: NAT64, mapped and compatible IPv4
/// addresses, link-local, site-local and multicast ones.
// [DOOR-27]
const ALWAYS_DENIED_V6: [Range6; 8] = [
    // Of the unique local block what clouds use for metadata.
    ([0xfd00, 0x42], 32),
    ([0xfd00, 0xc1], 32),
    ([0xfd00, 0xec2], 32),
    ([0xfd20, 0xce], 32),
    ([0x2001, 0], 23),     // protocol assignments: Teredo, benchmarking, ORCHID
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16),     // 6to4
    ([0x3fff, 0], 20),     // documentation
];

/// Whether the door may connect to an address, for a host whose name may lead inside or may not.
// [DOOR-25]
pub(super) fn is_allowed(address: IpAddr, private: bool) -> bool {
    match address {
        IpAddr::V4(address) => {
            let any = |ranges: &[Range4]| ranges.iter().any(|range| within_4(address, *range));
            !any(&ALWAYS_DENIED_V4) && (private || !any(&PRIVATE_V4))
        }
        IpAddr::V6(address) => {
            let never = ALWAYS_DENIED_V6.iter().any(|range| within_6(address, *range));
            let inside = address == Ipv6Addr::LOCALHOST || within_6(address, UNIQUE_LOCAL_6);
            let taken = within_6(address, GLOBAL_6) || (private && inside);
            taken && !never
        }
    }
}

fn within_4(address: Ipv4Addr, (network, bits): Range4) -> bool {
    let differing = u32::from(address) ^ u32::from_be_bytes(network);
    differing.leading_zeros() >= bits
}

/// No range is longer than the two words that it is written in.
fn within_6(address: Ipv6Addr, ([first, second], bits): Range6) -> bool {
    let differing =
        u128::from(address) ^ u128::from(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0));
    differing.leading_zeros() >= bits
}
