//! Tests of consent: refused proofs, approvals that no longer apply, pending requests.
#![allow(clippy::arithmetic_side_effects)]

use super::attestation::AttestationVerifier;
use super::obtain::obtain;
use super::*;
use crate::host::approvals::Approvals;
use crate::host::approver::Approver;
use crate::host::host_key::{consume_nonce, host_key, public_key};
use crate::host::pending::PendingQueue;
use crate::kernel::deadline::Clock;
use crate::kernel::host::Host;
use crate::kernel::limits::{PENDING_ARGUMENTS_BYTES_MAX, PENDING_COUNT_MAX};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::{PublicKey, SecretKey};
use crate::kernel::policy::capability::{digest, Capability};
use crate::kernel::policy::{ConsentRules, SecurityLevel};
use crate::kernel::time::Timestamp;
use crate::tests::support::TempDir;
use serde_json::{json, Map};
use std::cell::Cell;
use std::fs;
use std::time::Duration;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600 + seconds).unwrap()
}

/// A host with the files of a home directory, this approver, and a clock that shows `seconds` after [`at`]'s
/// zero.
struct TestHost<'a> {
    home: &'a TempDir,
    approver: &'a dyn Approver,
    seconds: &'a Cell<u64>,
}

impl Clock for TestHost<'_> {
    fn now(&self) -> Duration {
        Duration::from_secs(at(self.seconds.get()).unix_seconds())
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Host for TestHost<'_> {
    fn request_approval(&self, request: &ApprovalRequest) -> ApprovalDecision {
        self.approver.request_approval(request)
    }
    fn remembered_approval(&self, request: &ApprovalRequest) -> Result<Option<String>, Error> {
        Approvals::new(&self.home.0).find(request)
    }
    fn remember_approval(
        &self,
        request: &ApprovalRequest,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        Approvals::new(&self.home.0).add(request, by, at)
    }
    fn consent_key(&self) -> Result<PublicKey, Error> {
        public_key(&self.home.0)
    }
    fn consume_nonce(
        &self,
        nonce: &[u8; 16],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        consume_nonce(&self.home.0, nonce, expires, now)
    }
}

const DIGEST: &str = "hmac-sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn content() -> ContentHash {
    ContentHash::from_checksum_list("one")
}

/// What a person is asked about a call of this tool.
fn question(is_destructive: bool, capabilities: &[Capability]) -> ApprovalRequest {
    ApprovalRequest {
        package: "org.acme.notes".to_owned(),
        version: "1.0.0".to_owned(),
        name: "Notes".to_owned(),
        publisher: "Acme".to_owned(),
        content_hash: content(),
        tool: "delete".to_owned(),
        listed_as: None,
        is_destructive,
        arguments: json!({ "id": 7 }).to_string(),
        arguments_digest: DIGEST.to_owned(),
        agent: Some("claude-code 2.1.0".to_owned()),
        capabilities: capabilities.iter().map(ToString::to_string).collect(),
        grants: digest(capabilities),
        security_level: SecurityLevel::High,
    }
}

#[test]
fn a_proof_for_another_call_by_another_key_or_not_valid_now_is_refused() {
    let home = TempDir::new("proofs");
    let key = host_key(&home.0).unwrap();
    let good = question(true, &[]);
    let code = |proof: &EphemeralAttestation, question: &ApprovalRequest, seconds| {
        with_proof(&home, question, proof, seconds).unwrap_err().code()
    };
    let proof = EphemeralAttestation::sign(&key, &good, "alice", at(0));
    for wrong in [
        ApprovalRequest { content_hash: ContentHash::from_checksum_list("two"), ..good.clone() },
        ApprovalRequest { tool: "delete ".to_owned(), ..good.clone() },
        ApprovalRequest { arguments_digest: "hmac-sha256:1".to_owned(), ..good.clone() },
    ] {
        assert_eq!(code(&proof, &wrong, 1), Code::PolicyAttestation);
    }
    for (signed, now) in [(0, 301), (1000, 1)] {
        let proof = EphemeralAttestation::sign(&key, &good, "alice", at(signed));
        assert_eq!(code(&proof, &good, now), Code::PolicyAttestation, "{signed} {now}");
    }
    let stranger = EphemeralAttestation::sign(&SecretKey::generate(), &good, "alice", at(0));
    assert_eq!(code(&stranger, &good, 1), Code::PolicyAttestation);
    for by in ["", "a\nb", "a\u{202e}b"] {
        let proof = EphemeralAttestation::sign(&key, &good, by, at(0));
        assert_eq!(code(&proof, &good, 1), Code::PolicyAttestation, "{by:?}");
    }
    assert!(with_proof(&home, &good, &proof, 300).is_ok());
}

#[test]
fn a_proof_is_accepted_once_also_by_eight_concurrent_calls() {
    let home = TempDir::new("once");
    let (key, question) = (host_key(&home.0).unwrap(), question(true, &[]));
    let proof = EphemeralAttestation::sign(&key, &question, "alice", at(0));
    let accepted: usize = std::thread::scope(|scope| {
        let use_it = || with_proof(&home, &question, &proof, 1).is_ok();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(use_it)).collect();
        all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
    });
    assert_eq!(accepted, 1);
}

/// The audit record of an approved call.
fn record(granted_by: &str, tool: &str, proof: &str) -> Map<String, Value> {
    let record = json!({ "content_hash": content().as_str(), "tool": tool, "arguments": DIGEST,
        "granted_by": granted_by, "attestation": proof });
    record.as_object().unwrap().clone()
}

#[test]
fn every_change_of_one_byte_of_a_proof_invalidates_it() {
    let home = TempDir::new("bytes");
    let key = host_key(&home.0).unwrap();
    let text = EphemeralAttestation::sign(&key, &question(true, &[]), "alice", at(0)).to_text();
    let holds = |by: &str, text: &str| {
        AttestationVerifier::new(key.public()).check_record(&record(by, "delete", text)).is_ok()
    };
    assert!(holds("person:alice", &text) && !holds("person:bob", &text));
    for place in 0..text.len() {
        for byte in *b"0aZ =:\n" {
            let mut changed = text.clone().into_bytes();
            changed[place] = byte;
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == text || !holds("person:alice", &changed), "{changed}");
        }
    }
}

#[test]
fn a_host_without_a_key_or_with_a_malformed_file_of_nonces_accepts_no_proof() {
    let home = TempDir::new("files");
    let question = question(true, &[]);
    let proof = EphemeralAttestation::sign(&SecretKey::generate(), &question, "a", at(0));
    let error = with_proof(&home, &question, &proof, 1).unwrap_err();
    assert_eq!(error.code(), Code::PolicyAttestation);
    let key = host_key(&home.0).unwrap();
    let proof = EphemeralAttestation::sign(&key, &question, "a", at(0));
    for hostile in ["", "[]", r#"{"format":"mpp-spent/2"}"#, r#"{"format":"mpp-spent/1","x":1}"#] {
        fs::write(home.0.join("spent.json"), hostile).unwrap();
        let error = with_proof(&home, &question, &proof, 1).unwrap_err();
        assert_eq!(error.code(), Code::ConsentInvalid, "{hostile}");
    }
}

#[test]
fn a_record_with_a_forged_or_reused_proof_is_an_error() {
    let home = TempDir::new("records");
    let key = host_key(&home.0).unwrap();
    let proof = EphemeralAttestation::sign(&key, &question(true, &[]), "alice", at(0)).to_text();
    let record = |granted_by: &str, tool: &str| record(granted_by, tool, &proof);
    let check = || AttestationVerifier::new(public_key(&home.0).unwrap());
    let mut good = check();
    assert!(good.check_record(&record("person:alice", "delete")).is_ok());
    assert_eq!(good.verified_count(), 1);
    assert!(good.check_record(&record("person:alice", "delete")).is_err(), "twice");
    for (by, tool) in
        [("person:bob", "delete"), ("policy:alice", "delete"), ("person:alice", "add")]
    {
        assert!(check().check_record(&record(by, tool)).is_err(), "{by} {tool}");
    }
}

/// Says one thing, and counts how often.
struct Says(ApprovalDecision, Cell<usize>);

impl Approver for Says {
    fn request_approval(&self, _: &ApprovalRequest) -> ApprovalDecision {
        self.1.set(self.1.get() + 1);
        self.0.clone()
    }
}

const RULES: ConsentRules = ConsentRules { wait_s: 0, elicitation: None, remember: true };

/// The result of `obtain` with this approver, at [`at`]'s zero.
fn obtained(
    home: &TempDir,
    question: &ApprovalRequest,
    rules: ConsentRules,
    approver: &dyn Approver,
) -> Result<(String, Option<String>), Error> {
    let host = TestHost { home, approver, seconds: &Cell::new(0) };
    obtain(&host, question, rules, &|| Ok(()))
}

/// The result of `obtain` if the approver answers with this proof.
fn with_proof(
    home: &TempDir,
    question: &ApprovalRequest,
    proof: &EphemeralAttestation,
    seconds: u64,
) -> Result<(String, Option<String>), Error> {
    let approver = Says(ApprovalDecision::ApprovedWithProof(proof.clone()), Cell::new(0));
    let host = TestHost { home, approver: &approver, seconds: &Cell::new(seconds) };
    obtain(&host, question, RULES, &|| Ok(()))
}

#[test]
fn an_approval_ends_with_the_contents_the_grants_or_the_policy() {
    let home = TempDir::new("kept");
    let person = Says(ApprovalDecision::ApprovedAlways("alice".to_owned()), Cell::new(0));
    let by =
        |question: &ApprovalRequest, rules| obtained(&home, question, rules, &person).unwrap().0;
    let asked = question(false, &[Capability::Storage { limit_kb: 64 }]);
    assert_eq!(by(&asked, RULES), "alice");
    assert_eq!(by(&asked, RULES), "alice (remembered)");
    assert_eq!(person.1.get(), 1);
    // Each of these asks again; the second also takes the place of what was kept.
    assert_eq!(by(&asked, ConsentRules { remember: false, ..RULES }), "alice");
    assert_eq!(by(&question(false, &[Capability::Storage { limit_kb: 65 }]), RULES), "alice");
    assert_eq!(by(&asked, RULES), "alice");
    let content_hash = ContentHash::from_checksum_list("two");
    assert_eq!(by(&ApprovalRequest { content_hash, ..asked }, RULES), "alice");
    assert_eq!(person.1.get(), 5);
    assert_eq!(Approvals::new(&home.0).revoke("org.acme.notes").unwrap(), 1);
    assert_eq!(Approvals::new(&home.0).all().unwrap(), []);
}

#[test]
fn an_approval_applies_to_the_same_grants_in_another_text_and_not_to_others_in_the_same_text() {
    let home = TempDir::new("words");
    let person = Says(ApprovalDecision::ApprovedAlways("alice".to_owned()), Cell::new(0));
    let by = |question: &ApprovalRequest| obtained(&home, question, RULES, &person).unwrap().0;
    let asked = question(false, &[Capability::Storage { limit_kb: 64 }]);
    assert_eq!(by(&asked), "alice");
    let reworded = ApprovalRequest {
        capabilities: vec!["darf 64 KiB behalten".to_owned()],
        security_level: SecurityLevel::Low,
        agent: None,
        ..asked.clone()
    };
    assert_eq!(by(&reworded), "alice (remembered)");
    for other in [&[Capability::RealClock][..], &[]] {
        assert_eq!(by(&ApprovalRequest { grants: digest(other), ..asked.clone() }), "alice");
    }
    assert_eq!(person.1.get(), 3);
}

#[test]
fn an_approval_in_a_file_without_the_digest_is_refused() {
    let home = TempDir::new("old");
    let person = Says(ApprovalDecision::ApprovedAlways("alice".to_owned()), Cell::new(0));
    let asked = question(false, &[]);
    obtained(&home, &asked, RULES, &person).unwrap();
    let path = home.0.join("approvals.json");
    let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let entry = file["approvals"][0].as_object_mut().unwrap();
    assert_eq!(entry.remove("grants"), Some(json!(asked.grants)));
    fs::write(&path, file.to_string()).unwrap();
    let error = obtained(&home, &asked, RULES, &person).unwrap_err();
    assert_eq!((error.code(), person.1.get()), (Code::ConsentInvalid, 1));
}

#[test]
fn a_destructive_tool_runs_on_no_remembered_approval_and_on_none_without_proof() {
    let home = TempDir::new("destructive");
    let asked = question(true, &[]);
    let ask = |reply: ApprovalDecision| obtained(&home, &asked, RULES, &Says(reply, Cell::new(0)));
    let code = |reply: ApprovalDecision| ask(reply).unwrap_err().code();
    let kept = Says(ApprovalDecision::ApprovedAlways("alice".to_owned()), Cell::new(0));
    obtained(&home, &question(false, &[]), RULES, &kept).unwrap();
    assert_eq!(code(ApprovalDecision::NoApprover), Code::PolicyConfirmation);
    assert_eq!(code(ApprovalDecision::NoResponse("x".to_owned())), Code::PolicyConfirmation);
    assert_eq!(code(ApprovalDecision::Denied), Code::PolicyDeclined);
    assert_eq!(code(ApprovalDecision::ApprovedOnce("alice".to_owned())), Code::PolicyAttestation);
    assert_eq!(code(ApprovalDecision::ApprovedAlways("alice".to_owned())), Code::PolicyAttestation);
    let key = host_key(&home.0).unwrap();
    let proof = EphemeralAttestation::sign(&key, &asked, "alice", at(0));
    let agreed = ask(ApprovalDecision::ApprovedWithProof(proof.clone())).unwrap();
    assert_eq!(agreed, ("alice".to_owned(), Some(proof.to_text())));
    assert_eq!(code(ApprovalDecision::ApprovedWithProof(proof)), Code::PolicyAttestation);
}

#[test]
fn an_elicitation_for_the_client_is_in_the_refusal_and_nothing_is_stored() {
    let home = TempDir::new("input");
    let input = json!({ "inputRequests": {}, "requestState": "x" });
    let refusal = |is_destructive: bool, reply: ApprovalDecision| {
        let person = Says(reply, Cell::new(0));
        obtained(&home, &question(is_destructive, &[]), RULES, &person).unwrap_err()
    };
    for is_destructive in [false, true] {
        let error = refusal(is_destructive, ApprovalDecision::InputRequired(input.clone()));
        assert_eq!(error.code(), Code::PolicyConfirmation);
        assert_eq!(error.input_required(), Some(&input));
        for no in [
            ApprovalDecision::NoApprover,
            ApprovalDecision::Denied,
            ApprovalDecision::NoResponse(input.to_string()),
        ] {
            assert_eq!(refusal(is_destructive, no).input_required(), None);
        }
    }
    assert_eq!(
        refusal(true, ApprovalDecision::ApprovedOnce("alice".to_owned())).input_required(),
        None
    );
    assert_eq!(fs::read_dir(&home.0).unwrap().count(), 0);
}

/// Asks, and answers as soon as the question is there.
fn answered(
    home: &TempDir,
    is_destructive: bool,
    answer: impl Fn(&PendingQueue, u64) + Sync,
) -> ApprovalDecision {
    let pending = PendingQueue::new(&home.0);
    let (question, wait) = (question(is_destructive, &[]), Duration::from_secs(60));
    pending.request_approval(&question, wait, &|| true, &|number| answer(&pending, number)).unwrap()
}

#[test]
fn a_request_is_decided_once_and_removed_afterwards() {
    let home = TempDir::new("pending");
    let now = Timestamp::now;
    let good = |_: &Value| DIGEST.to_owned();
    let reply = answered(&home, false, |pending, number| {
        let waiting = pending.all(now()).unwrap().remove(0);
        assert_eq!((waiting.number, waiting.question), (number, question(false, &[])));
        pending.approve(number, "alice", true, good, now()).unwrap();
        assert_eq!(pending.all(now()).unwrap(), []);
        assert_eq!(pending.deny(number, now()).unwrap_err().code(), Code::ConsentNoQuestion);
    });
    assert_eq!(reply, ApprovalDecision::ApprovedAlways("alice".to_owned()));
    let reply = answered(&home, false, |pending, number| {
        assert_eq!(number, 2, "a number is not used again");
        assert!(pending.deny(1, now()).is_err());
        pending.approve(number, "alice", false, good, now()).unwrap();
    });
    assert_eq!(reply, ApprovalDecision::ApprovedOnce("alice".to_owned()));
    let reply = answered(&home, true, |pending, number| {
        let other = |_: &Value| "hmac-sha256:1".to_owned();
        let error = pending.approve(number, "alice", true, other, now()).unwrap_err();
        assert_eq!(error.code(), Code::ConsentInvalid, "what was shown is not what will run");
        pending.approve(number, "alice", true, good, now()).unwrap();
    });
    let ApprovalDecision::ApprovedWithProof(proof) = reply else { panic!("{reply:?}") };
    let seconds = now().unix_seconds() - at(0).unix_seconds();
    assert!(with_proof(&home, &question(true, &[]), &proof, seconds).is_ok());
    assert_eq!(
        answered(&home, true, |pending, n| pending.deny(n, now()).unwrap()),
        ApprovalDecision::Denied
    );
    assert_eq!(PendingQueue::new(&home.0).all(now()).unwrap(), []);
}

#[test]
fn a_request_that_is_not_decided_or_was_cancelled_is_denied_and_removed() {
    let home = TempDir::new("unanswered");
    let pending = PendingQueue::new(&home.0);
    let reply = |goes_on: bool, arguments: &Value| {
        let question = ApprovalRequest { arguments: arguments.to_string(), ..question(false, &[]) };
        let wait = Duration::from_millis(if goes_on { 0 } else { 60_000 });
        pending.request_approval(&question, wait, &|| goes_on, &|_| {}).unwrap()
    };
    let long = json!("x".repeat(PENDING_ARGUMENTS_BYTES_MAX));
    for (goes_on, arguments) in [(true, json!({})), (false, json!({})), (true, long)] {
        let ApprovalDecision::NoResponse(why) = reply(goes_on, &arguments) else { panic!() };
        // Only a wait that passed is called one.
        assert!(!why.contains("timed out"), "{why}");
        assert_eq!(why.contains("the client cancelled the call"), !goes_on, "{why}");
        assert_eq!(pending.all(Timestamp::now()).unwrap(), []);
        assert_eq!(pending.deny(1, Timestamp::now()).unwrap_err().code(), Code::ConsentNoQuestion);
    }
}

#[test]
fn the_places_of_dead_servers_are_free_again_and_those_of_others_are_not() {
    let home = TempDir::new("places");
    let pending = PendingQueue::new(&home.0);
    let path = home.0.join("pending.json");
    let wait = Duration::from_secs(60);
    // Files of servers that live, and of one that was killed.
    let alive = u64::try_from(PENDING_COUNT_MAX).unwrap() - 16;
    let locks: Vec<fs::File> = (1..=alive)
        .map(|number| fs::File::create(home.0.join(format!("pending-{number}.lock"))).unwrap())
        .collect();
    locks.iter().for_each(|lock| lock.lock().unwrap());
    let deny = |number| pending.deny(number, Timestamp::now()).unwrap();
    let write_full = |_| {
        let text = fs::read_to_string(&path).unwrap();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        let one = file["questions"][0].clone();
        let all = (1..=PENDING_COUNT_MAX).map(|number| {
            let mut other = one.clone();
            other["number"] = json!(number);
            other
        });
        file["questions"] = all.collect();
        file["next"] = json!(PENDING_COUNT_MAX + 1);
        fs::write(&path, file.to_string()).unwrap();
        // The last 15 belong to a server that was killed: they make room for this one.
        let reply = pending.request_approval(&question(false, &[]), wait, &|| true, &deny);
        assert_eq!(reply.unwrap(), ApprovalDecision::Denied);
        let left: Vec<u64> =
            pending.all(Timestamp::now()).unwrap().iter().map(|one| one.number).collect();
        assert_eq!(left, (1..=alive + 1).collect::<Vec<u64>>());
    };
    // The first number that is not taken.
    let reply = pending.request_approval(&question(false, &[]), wait, &|| false, &|number| {
        assert_eq!(number, alive + 1);
        write_full(number);
    });
    assert!(matches!(reply, Ok(ApprovalDecision::NoResponse(_))), "{reply:?}");
    drop(locks);
    fs::remove_file(&path).unwrap();
}

#[test]
fn a_malformed_file_of_requests_is_an_error() {
    let home = TempDir::new("hostile");
    let pending = PendingQueue::new(&home.0);
    for hostile in [
        "",
        "{}",
        r#"{"format":"mpp-pending/1"}"#,
        r#"{"format":"mpp-pending/1","next":1,"questions":[{"number":1}]}"#,
        r#"{"format":"mpp-pending/1","next":1,"questions":[],"also":1}"#,
    ] {
        fs::write(home.0.join("pending.json"), hostile).unwrap();
        let wait = Duration::from_secs(60);
        let reply = pending.request_approval(&question(false, &[]), wait, &|| true, &|_| {});
        assert_eq!(reply.unwrap_err().code(), Code::ConsentInvalid, "{hostile}");
    }
}

#[test]
fn arguments_that_are_not_written_as_they_are_shown_are_refused() {
    let home = TempDir::new("arguments");
    let pending = PendingQueue::new(&home.0);
    let path = home.0.join("pending.json");
    for hostile in ["{\n\"id\":7}", "{\"id\": 7}", "{\"id\":7,\"id\":7}", "{", "", "7 "] {
        let put = |_| {
            let text = fs::read_to_string(&path).unwrap();
            let mut file: Value = serde_json::from_str(&text).unwrap();
            file["questions"][0]["question"]["arguments"] = json!(hostile);
            fs::write(&path, file.to_string()).unwrap();
        };
        let wait = Duration::from_secs(60);
        let reply = pending.request_approval(&question(false, &[]), wait, &|| true, &put);
        assert_eq!(reply.unwrap_err().code(), Code::ConsentInvalid, "{hostile}");
        assert!(pending.all(Timestamp::now()).is_err());
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_decision_on_another_request_of_the_same_number_does_not_count() {
    let home = TempDir::new("same-number");
    let asked = question(false, &[Capability::RealClock]);
    for other in [
        ApprovalRequest { content_hash: ContentHash::from_checksum_list("two"), ..asked.clone() },
        ApprovalRequest { tool: "other".to_owned(), ..asked.clone() },
        ApprovalRequest { arguments_digest: "hmac-sha256:1".to_owned(), ..asked.clone() },
        ApprovalRequest { grants: digest(&[Capability::RealRandom]), ..asked.clone() },
    ] {
        let (pending, wait) = (PendingQueue::new(&home.0), Duration::from_secs(60));
        let swap = |_| {
            // Another program replaces the request by one for another call, with an answer.
            let path = home.0.join("pending.json");
            let text = fs::read_to_string(&path).unwrap();
            let mut file: Value = serde_json::from_str(&text).unwrap();
            let one = &mut file["questions"][0]["question"];
            one["content_hash"] = json!(other.content_hash.as_str());
            one["tool"] = json!(other.tool);
            one["arguments_digest"] = json!(other.arguments_digest);
            one["grants"] = json!(other.grants);
            file["questions"][0]["answer"] =
                json!({ "approved": true, "by": "alice", "for_later": true });
            fs::write(&path, file.to_string()).unwrap();
        };
        let reply = pending.request_approval(&asked, wait, &|| true, &swap).unwrap();
        let removed = "removed by another process";
        let is_removed = |why: &String| why.contains(removed) && !why.contains("timed out");
        assert!(
            matches!(&reply, ApprovalDecision::NoResponse(why) if is_removed(why)),
            "{reply:?}"
        );
        fs::remove_file(home.0.join("pending.json")).unwrap();
    }
}

#[test]
fn a_proof_signed_while_the_call_waited_is_not_from_the_future() {
    let home = TempDir::new("slow");
    struct Slow<'a>(&'a TempDir, &'a Cell<u64>);
    impl Approver for Slow<'_> {
        fn request_approval(&self, question: &ApprovalRequest) -> ApprovalDecision {
            self.1.set(self.1.get() + 3_000);
            let key = host_key(&self.0 .0).unwrap();
            let proof = EphemeralAttestation::sign(&key, question, "alice", at(self.1.get()));
            ApprovalDecision::ApprovedWithProof(proof)
        }
    }
    let seconds = Cell::new(0);
    let approver = Slow(&home, &seconds);
    let host = TestHost { home: &home, approver: &approver, seconds: &seconds };
    let approved = obtain(&host, &question(true, &[]), RULES, &|| Ok(()));
    assert!(approved.is_ok(), "{approved:?}");
}
