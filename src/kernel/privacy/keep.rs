//! What the host keeps: findings that stay in a result. Only a policy can keep a value, a manifest cannot.

use super::folded_text::fold;
use super::kind::Kind;
use super::label::Form;
use super::matches::{merge_overlapping, Match, MatchSource};
use crate::kernel::document::{list, object, text, FromJson};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::names::{is_host_and_port, is_visible_line};
use crate::kernel::prelude::*;
use core::net::IpAddr;

object! {
    /// The member `privacy_filters.keep` of a policy.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in crate::kernel) struct Keep: FromJson {
        pub(in crate::kernel) values: BTreeSet<String> = BTreeSet::new(),
            list(0..=usize::MAX, text(is_visible_line, "a value on one line"));
        pub(in crate::kernel) networks: Vec<Network> = Vec::new();
        pub(in crate::kernel) mail_domains: BTreeSet<String> = BTreeSet::new(),
            list(0..=usize::MAX, text(is_mail_domain, "a lower-case domain such as example.com"));
        /// Loopback and unspecified addresses.
        pub(in crate::kernel) loopback: bool = false;
    }
}

fn is_mail_domain(text: &str) -> bool {
    is_host_and_port(text) && !text.contains(':') && text.contains('.')
}

/// The addresses that start with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Network {
    is_v4: bool,
    /// The address; one of IPv4 in the first 32 bits.
    address: u128,
    bits: u32,
}

/// Loopback and unspecified addresses, by RFC 1122 and RFC 4291.
const LOOPBACK: [Network; 4] = [
    Network { is_v4: true, address: 127 << 120, bits: 8 },
    Network { is_v4: true, address: 0, bits: 32 },
    Network { is_v4: false, address: 1, bits: 128 },
    Network { is_v4: false, address: 0, bits: 128 },
];

impl Network {
    /// Parses an address, with a prefix length or alone.
    fn parse(text: &str) -> Option<Network> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (is_v4, address, most) = match address.parse().ok()? {
            IpAddr::V4(address) => (true, u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (false, u128::from(address), 128),
        };
        let bits = length.map_or(Some(most), |length| {
            let bits: u32 = length.parse().ok()?;
            (bits <= most && bits.to_string() == length).then_some(bits)
        })?;
        Some(Network { is_v4, address, bits })
    }

    fn contains(self, other: Network) -> bool {
        let common = (self.address ^ other.address).leading_zeros();
        self.is_v4 == other.is_v4 && self.bits <= other.bits && self.bits <= common
    }
}

impl FromJson for Network {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        place.parsed(
            "a network such as 10.0.0.0/8 or ::1/128, without bits after its prefix",
            |text| {
                let network = Network::parse(text).filter(|_| text.contains('/'))?;
                let after = network.address.checked_shl(network.bits).unwrap_or(0);
                (after == 0).then_some(network)
            },
        )
    }
}

/// What is kept, in the forms that are compared.
#[derive(Default)]
pub(super) struct Kept {
    values: BTreeSet<(Form, String)>,
    networks: Vec<Network>,
    mail_domains: BTreeSet<String>,
}

impl Kept {
    pub(super) fn new(keep: &Keep) -> Self {
        let forms = |value: &String| Form::ALL.map(|form| (form, form.of(value)));
        let mut networks = keep.networks.clone();
        networks.extend(LOOPBACK.iter().filter(|_| keep.loopback));
        let values = keep.values.iter().flat_map(forms).filter(|(_, form)| !form.is_empty());
        Kept { values: values.collect(), networks, mail_domains: keep.mail_domains.clone() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.networks.is_empty() && self.mail_domains.is_empty()
    }

    /// Returns `true` if the host lists exactly this value.
    // [PRIV-85]
    pub(super) fn has_value(&self, source: MatchSource, value: &str) -> bool {
        let form = Form::of_source(source);
        !self.values.is_empty() && self.values.contains(&(form, form.of(value)))
    }

    /// Returns `true` if the host keeps a match in a text.
    // [PRIV-85]
    fn has(&self, text: &str, found: &Match) -> bool {
        let value = text.get(found.start..found.end).unwrap_or_default();
        let folded = || String::from_utf8(fold(value).bytes.into_owned()).unwrap_or_default();
        self.has_value(found.source, value)
            || match found.source {
                MatchSource::Kind(Kind::Email) if !self.mail_domains.is_empty() => {
                    let folded = folded().to_ascii_lowercase();
                    let domain = folded.rsplit_once('@').map_or("", |it| it.1);
                    self.mail_domains.contains(domain) && !is_in_url(text, found.start)
                }
                MatchSource::Kind(Kind::IpAddress) if !self.networks.is_empty() => {
                    let found = Network::parse(&folded());
                    found.is_some_and(|found| self.networks.iter().any(|it| it.contains(found)))
                }
                _ => false,
            }
    }

    /// Merges matches in a text as [`merge_overlapping`] does, into those to redact and those to keep.
    // [PRIV-86]
    pub(super) fn split(&self, text: &str, mut matches: Vec<Match>) -> (Vec<Match>, Vec<Match>) {
        if self.is_empty() {
            return (merge_overlapping(matches), Vec::new());
        }
        matches.sort_by_key(|found| found.start);
        let mut rest = matches.as_slice();
        merge_overlapping(matches.clone()).into_iter().partition(|merged| {
            let inside = rest.partition_point(|found| found.start < merged.end);
            let (inside, after) = rest.split_at_checked(inside).unwrap_or_default();
            rest = after;
            let is_secret = |it: &Match| matches!(it.source, MatchSource::KnownSecret(_));
            let is_whole = |it: &Match| (it.start, it.end) == (merged.start, merged.end);
            let all = || !inside.is_empty() && inside.iter().all(|it| self.has(text, it));
            let value = text.get(merged.start..merged.end).unwrap_or_default();
            let whole = || inside.iter().any(|it| is_whole(it) && self.has_value(it.source, value));
            inside.iter().any(is_secret) || !(all() || whole())
        })
    }
}

/// Returns `true` if the address at `start` can be the password and host of a URL: `ftp://ann:pass@example.com`.
fn is_in_url(text: &str, start: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let from = before.char_indices().rev().nth(URL_USER_CHARS_MAX).map_or(0, |it| it.0);
    let folded = fold(before.get(from..).unwrap_or_default());
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/\"'<>`".contains(byte);
    let user = folded.bytes.iter().rev().take_while(|byte| !ends(byte)).count();
    folded.bytes.iter().rev().skip(user).take(2).eq(b"//")
}

/// Most characters between the slashes of a URL and a password.
const URL_USER_CHARS_MAX: usize = 256;
