//! Address filter of the network gate: which IP addresses a guest's request can connect to.
//!
//! A public name can resolve to any address, so the address is checked, not the name. IPv4: the ranges of
//! the IANA special-purpose registry (RFC 6890 and its updates) that are not globally reachable are denied.
//! IPv6: only global unicast is allowed, except the ranges that embed other addresses.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type RangeV4 = ([u8; 4], u32);
type RangeV6 = ([u16; 2], u32);

/// This machine and private networks: denied unless the policy allows them for the host.
// [DOOR-26]
const PRIVATE_V4: [RangeV4; 5] = [
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10), // shared by a provider's customers
    ([127, 0, 0, 0], 8),
    ([172, 16, 0, 0], 12),
    ([192, 168, 0, 0], 16),
];

/// Always denied: unassigned, multicast, and metadata services of clouds, which issue credentials.
// [DOOR-27]
const ALWAYS_DENIED_V4: [RangeV4; 12] = [
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
const GLOBAL_UNICAST_V6: RangeV6 = ([0x2000, 0], 3);
const UNIQUE_LOCAL_V6: RangeV6 = ([0xfc00, 0], 7);

/// Always denied, as is everything outside global unicast: NAT64, mapped and compatible IPv4 addresses,
/// link-local, site-local and multicast.
// [DOOR-27]
const ALWAYS_DENIED_V6: [RangeV6; 8] = [
    // Metadata services of clouds in the unique local block.
    ([0xfd00, 0x42], 32),
    ([0xfd00, 0xc1], 32),
    ([0xfd00, 0xec2], 32),
    ([0xfd20, 0xce], 32),
    ([0x2001, 0], 23),     // protocol assignments: Teredo, benchmarking, ORCHID
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16),     // 6to4
    ([0x3fff, 0], 20),     // documentation
];

/// Returns `true` if a request can connect to this address; `private` is whether the policy allows private
/// addresses for the host.
// [DOOR-25]
pub(super) fn is_allowed(address: IpAddr, private: bool) -> bool {
    match address {
        IpAddr::V4(address) => {
            let any = |ranges: &[RangeV4]| ranges.iter().any(|range| in_range_v4(address, *range));
            !any(&ALWAYS_DENIED_V4) && (private || !any(&PRIVATE_V4))
        }
        IpAddr::V6(address) => {
            let denied = ALWAYS_DENIED_V6.iter().any(|range| in_range_v6(address, *range));
            let is_private =
                address == Ipv6Addr::LOCALHOST || in_range_v6(address, UNIQUE_LOCAL_V6);
            let allowed = in_range_v6(address, GLOBAL_UNICAST_V6) || (private && is_private);
            allowed && !denied
        }
    }
}

fn in_range_v4(address: Ipv4Addr, (network, bits): RangeV4) -> bool {
    let differing = u32::from(address) ^ u32::from_be_bytes(network);
    differing.leading_zeros() >= bits
}

/// A prefix is at most 32 bits long, so two segments are enough.
fn in_range_v6(address: Ipv6Addr, ([first, second], bits): RangeV6) -> bool {
    let differing =
        u128::from(address) ^ u128::from(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0));
    differing.leading_zeros() >= bits
}
