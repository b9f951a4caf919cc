//! A sealed state holds for the call that it was made for, once and in its time, and for nothing else.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]

use super::{consume, issue};
use crate::kernel::consent::ApprovalRequest;
use crate::kernel::limits::ATTESTATION_S_MAX;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::policy::capability::digest;
use crate::kernel::policy::{Capability, SecurityLevel};
use crate::tests::support::TempDir;
use crate::{Code, Timestamp};
use std::fs;

const KEY: [u8; 32] = [7; 32];

impl TempDir {
    fn consume(&self, key: &[u8; 32], state: &str, call: &RawRequest, seconds: u64) -> bool {
        consume(key, &self.0, state, &call.question(), at(seconds)).unwrap()
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600 + seconds).unwrap()
}

/// All of a question that a state is bound to.
#[derive(Clone, Copy)]
struct RawRequest {
    contents: &'static str,
    tool: &'static str,
    digest: &'static str,
    storage_kb: &'static [u32],
}

const ASKED: RawRequest =
    RawRequest { contents: "one", tool: "look", digest: "d1", storage_kb: &[64] };

impl RawRequest {
    fn question(&self) -> ApprovalRequest {
        let storage = |limit_kb: &u32| Capability::Storage { limit_kb: *limit_kb };
        let grants: Vec<Capability> = self.storage_kb.iter().map(storage).collect();
        ApprovalRequest {
            package: "org.acme.notes".to_owned(),
            version: "1.0.0".to_owned(),
            name: "Notes".to_owned(),
            publisher: "Acme".to_owned(),
            content_hash: ContentHash::from_checksum_list(self.contents),
            tool: self.tool.to_owned(),
            listed_as: None,
            is_destructive: false,
            arguments: "{}".to_owned(),
            arguments_digest: self.digest.to_owned(),
            agent: None,
            capabilities: vec!["the same words for all".to_owned()],
            grants: digest(&grants),
            security_level: SecurityLevel::Low,
        }
    }

    fn state(&self, seconds: u64) -> String {
        issue(&KEY, &self.question(), at(seconds))
    }
}

#[test]
fn a_state_after_its_time_or_spent_before_is_refused() {
    let home = TempDir::new("time");
    let late = ATTESTATION_S_MAX + 1;
    let state = ASKED.state(0);
    for seconds in [late, late + 1, 1_000_000] {
        assert!(!home.consume(&KEY, &state, &ASKED, seconds), "{seconds}");
    }
    assert!(home.consume(&KEY, &state, &ASKED, ATTESTATION_S_MAX));
    for seconds in [0, 1, ATTESTATION_S_MAX] {
        assert!(!home.consume(&KEY, &state, &ASKED, seconds), "{seconds}");
    }
    // No other is spent with it.
    assert!(home.consume(&KEY, &ASKED.state(0), &ASKED, 0));
}

#[test]
fn a_state_for_another_call_or_by_another_key_is_refused_and_not_spent() {
    let home = TempDir::new("other");
    let state = ASKED.state(0);
    for other in [
        RawRequest { contents: "two", ..ASKED },
        RawRequest { tool: "change", ..ASKED },
        RawRequest { digest: "d2", ..ASKED },
        RawRequest { storage_kb: &[], ..ASKED },
        RawRequest { storage_kb: &[65], ..ASKED },
        RawRequest { storage_kb: &[64, 64], ..ASKED },
    ] {
        assert!(!home.consume(&KEY, &state, &other, 1));
    }
    assert!(!home.consume(&[8; 32], &state, &ASKED, 1));
    assert!(home.consume(&KEY, &state, &ASKED, 1));
}

#[test]
fn every_change_of_one_byte_of_a_state_and_every_part_of_it_is_refused() {
    let home = TempDir::new("bytes");
    let state = ASKED.state(0);
    for place in 0..state.len() {
        assert!(!home.consume(&KEY, &state[..place], &ASKED, 1), "{place}");
        for byte in *b"0aZ =:\n" {
            let mut changed = state.clone().into_bytes();
            changed[place] = byte;
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == state || !home.consume(&KEY, &changed, &ASKED, 1), "{changed}");
        }
    }
    for more in [" ", "0", " 0", "\n", "\0"] {
        assert!(!home.consume(&KEY, &format!("{state}{more}"), &ASKED, 1), "{more:?}");
        assert!(!home.consume(&KEY, &format!("{more}{state}"), &ASKED, 1), "{more:?}");
    }
    assert!(home.consume(&KEY, &state, &ASKED, 1));
}

#[test]
fn a_state_that_cannot_be_marked_as_used_is_an_error() {
    let home = TempDir::new("spent");
    fs::write(home.0.join("spent.json"), "{}").unwrap();
    let spent = |state: &str| consume(&KEY, &home.0, state, &ASKED.question(), at(1));
    assert_eq!(spent(&ASKED.state(0)).unwrap_err().code(), Code::ConsentInvalid);
    assert!(!spent("no state").unwrap());
}
