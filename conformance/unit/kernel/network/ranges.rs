//! Addresses: the edges of every range, and a second reading of the ranges to compare with.

use crate::kernel::network::address::is_allowed;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn allowed(address: &str, private: bool) -> bool {
    is_allowed(address.parse().unwrap(), private)
}

#[test]
fn public_addresses_are_taken_up_to_the_edges_of_what_is_not() {
    for address in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff::",
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        assert!(allowed(address, false) && allowed(address, true), "{address}");
    }
}

#[test]
fn this_machine_and_its_network_are_taken_only_if_the_policy_says_so() {
    for address in [
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "::1",
        "fc00::",
        "fd00:41:ffff::",
        "fd00:43::",
        "fd00:c0:ffff::",
        "fd00:c2::",
        "fd00:ec1:ffff::",
        "fd00:ec3::",
        "fd20:cd:ffff::",
        "fd20:cf::",
        "fdff:ffff::1",
    ] {
        assert!(!allowed(address, false) && allowed(address, true), "{address}");
    }
}

#[test]
fn metadata_link_local_multicast_reserved_and_disguised_addresses_are_never_taken() {
    for address in [
        "0.0.0.0",
        "0.255.255.255",
        "100.100.100.200",
        "168.63.129.16",
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "192.0.0.0",
        "192.0.0.192",
        "192.0.0.255",
        "192.0.2.0",
        "192.0.2.255",
        "192.88.99.0",
        "192.88.99.255",
        "198.18.0.0",
        "198.19.255.255",
        "198.51.100.0",
        "198.51.100.255",
        "203.0.113.0",
        "203.0.113.255",
        "224.0.0.0",
        "239.255.255.255",
        "240.0.0.0",
        "255.255.255.255",
        "::",
        "::2",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::8.8.8.8",
        "64:ff9b::8.8.8.8",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378::1",
        "2001:2::1",
        "2001:10::",
        "2001:1ff:ffff::",
        "2001:db8::",
        "2001:db8:ffff::",
        "2002::",
        "2002:7f00:1::",
        "3fff::",
        "3fff:fff:ffff::",
        "1fff:ffff::",
        "4000::",
        "5f00::",
        "fd00:42::42",
        "fd00:42:ffff::",
        "fd00:c1::a9fe:a9fe",
        "fd00:ec2::",
        "fd00:ec2::23",
        "fd00:ec2::254",
        "fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff",
        "fd20:ce::254",
        "fd20:ce:ffff::",
        "fe00::",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!allowed(address, false) && !allowed(address, true), "{address}");
    }
}

/// What the standard library knows of the same ranges.
#[test]
fn nothing_that_the_standard_library_calls_special_is_taken() {
    let mut state = 7_u64;
    for _ in 0..200_000 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let four = Ipv4Addr::from((state >> 32) as u32);
        let special = four.is_private()
            || four.is_loopback()
            || four.is_link_local()
            || four.is_broadcast()
            || four.is_documentation()
            || four.is_multicast()
            || four.is_unspecified();
        assert!(!(special && is_allowed(four.into(), false)), "{four}");
        let six = Ipv6Addr::from(u128::from(state) << 64 | u128::from(state.rotate_left(17)));
        let special = six.is_loopback()
            || six.is_unspecified()
            || six.is_multicast()
            || six.is_unique_local()
            || six.is_unicast_link_local();
        assert!(!(special && is_allowed(six.into(), false)), "{six}");
        // An address that embeds another is refused, also if that one is public.
        for disguised in [four.to_ipv6_mapped(), four.to_ipv6_compatible()] {
            assert!(
                !is_allowed(IpAddr::V6(disguised), true) || disguised.is_loopback(),
                "{disguised}"
            );
        }
    }
}
