//! Tests of consent: proofs that do not hold, words that no longer apply, questions that wait.
#![allow(clippy::arithmetic_side_effects)]

use super::approvals::Approvals;
use super::attestation::{host_key, public_key, EphemeralAttestation, RecordCheck};
use super::pending::Pending;
use super::*;
use crate::package::key::SecretKey;
use crate::package::manifest::Manifest;
use serde_json::json;
use std::cell::Cell;
use std::fs;
use std::time::Duration;

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mpp-consent-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Home(path)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600 + seconds).unwrap()
}

const DIGEST: &str = "hmac-sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn matter(content_hash: &ContentHash) -> Matter<'_> {
    Matter { content_hash, tool: "delete", arguments: DIGEST }
}

fn content() -> ContentHash {
    ContentHash::of_listing("one")
}

fn manifest(content_hash: ContentHash) -> VerifiedManifest {
    let manifest = json!({
        "mpp_version": "1.0", "id": "org.acme.notes", "version": "1.0.0", "name": "Notes",
        "description": "Keeps notes.", "runtime": { "target": "wasm32-wasip1" },
        "tools": [{ "name": "delete", "description": "Deletes.", "sensitivity": "destructive",
            "parameters": { "type": "object" } }],
    });
    let manifest = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
    VerifiedManifest::for_tests(manifest, content_hash, &["Acme"])
}

fn digest() -> Digest {
    Digest::for_tests(DIGEST)
}

/// Calls `use_it` with a question.
fn with_question<T>(
    is_destructive: bool,
    capabilities: &[Capability],
    use_it: impl FnOnce(&Question<'_>) -> T,
) -> T {
    let (manifest, digest, arguments) = (manifest(content()), digest(), json!({ "id": 7 }));
    use_it(&Question {
        manifest: &manifest,
        tool: "delete",
        is_destructive,
        arguments: &arguments,
        arguments_digest: &digest,
        agent: None,
        capabilities,
        security_level: SecurityLevel::High,
    })
}

#[test]
fn a_proof_for_another_call_by_another_key_or_out_of_its_time_is_refused() {
    let home = Home::new("proofs");
    let (key, content, other) =
        (host_key(&home.0).unwrap(), content(), ContentHash::of_listing("two"));
    let good = matter(&content);
    let code = |proof: &EphemeralAttestation, matter: &Matter<'_>, now| {
        proof.spend(&home.0, matter, now).unwrap_err().code()
    };
    let proof = EphemeralAttestation::sign(&key, &good, "alice", at(0));
    for wrong in [
        Matter { content_hash: &other, ..good },
        Matter { tool: "delete ", ..good },
        Matter { arguments: "hmac-sha256:1", ..good },
    ] {
        assert_eq!(code(&proof, &wrong, at(1)), Code::PolicyAttestation);
    }
    for (signed, now) in [(0, 301), (1000, 1)] {
        let proof = EphemeralAttestation::sign(&key, &good, "alice", at(signed));
        assert_eq!(code(&proof, &good, at(now)), Code::PolicyAttestation, "{signed} {now}");
    }
    let stranger = EphemeralAttestation::sign(&SecretKey::generate(), &good, "alice", at(0));
    assert_eq!(code(&stranger, &good, at(1)), Code::PolicyAttestation);
    for nobody in ["", "a\nb", "a\u{202e}b"] {
        let proof = EphemeralAttestation::sign(&key, &good, nobody, at(0));
        assert_eq!(code(&proof, &good, at(1)), Code::PolicyAttestation, "{nobody:?}");
    }
    assert!(proof.spend(&home.0, &good, at(300)).is_ok());
}

#[test]
fn a_proof_is_good_once_also_for_eight_who_use_it_together() {
    let home = Home::new("once");
    let (key, content) = (host_key(&home.0).unwrap(), content());
    let proof = EphemeralAttestation::sign(&key, &matter(&content), "alice", at(0));
    let spent: usize = std::thread::scope(|scope| {
        let spend = || proof.spend(&home.0, &matter(&content), at(1)).is_ok();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(spend)).collect();
        all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
    });
    assert_eq!(spent, 1);
}

#[test]
fn every_change_of_one_byte_of_a_proof_spoils_it() {
    let home = Home::new("bytes");
    let (key, content) = (host_key(&home.0).unwrap(), content());
    let text = EphemeralAttestation::sign(&key, &matter(&content), "alice", at(0)).to_text();
    let holds = |by: &str, text: &str| {
        EphemeralAttestation::from_text(by, text)
            .is_some_and(|proof| proof.is_signed_by(&key.public(), &matter(&content)))
    };
    assert!(holds("alice", &text) && !holds("bob", &text));
    for place in 0..text.len() {
        for byte in *b"0aZ =:\n" {
            let mut changed = text.clone().into_bytes();
            changed[place] = byte;
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed == text || !holds("alice", &changed), "{changed}");
        }
    }
}

#[test]
fn a_host_without_a_key_and_a_file_that_is_no_list_let_no_proof_through() {
    let home = Home::new("files");
    let content = content();
    let proof = EphemeralAttestation::sign(&SecretKey::generate(), &matter(&content), "a", at(0));
    let code = || proof.spend(&home.0, &matter(&content), at(1)).unwrap_err().code();
    assert_eq!(code(), Code::PolicyAttestation);
    let proof =
        EphemeralAttestation::sign(&host_key(&home.0).unwrap(), &matter(&content), "a", at(0));
    for hostile in ["", "[]", r#"{"format":"mpp-spent/2"}"#, r#"{"format":"mpp-spent/1","x":1}"#] {
        fs::write(home.0.join("spent.json"), hostile).unwrap();
        let error = proof.spend(&home.0, &matter(&content), at(1)).unwrap_err();
        assert_eq!(error.code(), Code::ConsentInvalid, "{hostile}");
    }
}

#[test]
fn a_log_with_a_false_or_repeated_proof_is_found_out() {
    let home = Home::new("records");
    let (key, content) = (host_key(&home.0).unwrap(), content());
    let proof = EphemeralAttestation::sign(&key, &matter(&content), "alice", at(0)).to_text();
    let record = |granted_by: &str, tool: &str| {
        let record = json!({ "content_hash": content.as_str(), "tool": tool, "arguments": DIGEST,
            "granted_by": granted_by, "attestation": proof });
        record.as_object().unwrap().clone()
    };
    let check = || RecordCheck::new(public_key(&home.0).unwrap());
    let mut good = check();
    assert!(good.look(&record("person:alice", "delete")).is_ok());
    assert_eq!(good.good(), 1);
    assert!(good.look(&record("person:alice", "delete")).is_err(), "twice");
    for (by, tool) in
        [("person:bob", "delete"), ("policy:alice", "delete"), ("person:alice", "add")]
    {
        assert!(check().look(&record(by, tool)).is_err(), "{by} {tool}");
    }
}

/// Says one thing, and counts how often.
struct Says(Reply, Cell<usize>);

impl Person for Says {
    fn ask(&self, _: &Question<'_>) -> Reply {
        self.1.set(self.1.get() + 1);
        self.0.clone()
    }
}

const RULES: ConsentRules =
    ConsentRules { wait: Duration::ZERO, elicitation_max: None, remember: true };

#[test]
fn a_word_that_is_kept_ends_with_the_contents_the_capabilities_or_the_policy() {
    let home = Home::new("kept");
    let consent = Consent::new(&home.0);
    let person = Says(Reply::AgreedForLater("alice".to_owned()), Cell::new(0));
    let storage = [Capability::Storage { limit_kb: 64 }];
    let obtain = |question: &Question<'_>, rules| {
        consent.obtain(question, rules, &person, &|| at(0), &|| Ok(())).map(|word| word.by)
    };
    let by = |capabilities: &[Capability], rules| {
        with_question(false, capabilities, |question| obtain(question, rules)).unwrap()
    };
    assert_eq!(by(&storage, RULES), "alice");
    assert_eq!(by(&storage, RULES), "alice (remembered)");
    assert_eq!(person.1.get(), 1);
    // Each of these asks again; the second also takes the place of what was kept.
    assert_eq!(by(&storage, ConsentRules { remember: false, ..RULES }), "alice");
    assert_eq!(by(&[Capability::Storage { limit_kb: 65 }], RULES), "alice");
    assert_eq!(by(&storage, RULES), "alice");
    let other = manifest(ContentHash::of_listing("two"));
    with_question(false, &storage, |question| {
        let question = Question { manifest: &other, ..*question };
        assert_eq!(obtain(&question, RULES).unwrap(), "alice");
    });
    assert_eq!(person.1.get(), 5);
    assert_eq!(Approvals::new(&home.0).revoke("org.acme.notes").unwrap(), 1);
    assert_eq!(Approvals::new(&home.0).all().unwrap(), []);
}

#[test]
fn a_destructive_tool_runs_on_no_word_that_was_kept_and_on_none_without_proof() {
    let home = Home::new("destructive");
    let consent = Consent::new(&home.0);
    let code = |reply: Reply| {
        let person = Says(reply, Cell::new(0));
        with_question(true, &[], |question| {
            consent.obtain(question, RULES, &person, &|| at(0), &|| Ok(())).unwrap_err().code()
        })
    };
    let kept = Says(Reply::AgreedForLater("alice".to_owned()), Cell::new(0));
    with_question(false, &[], |question| {
        consent.obtain(question, RULES, &kept, &|| at(0), &|| Ok(()))
    })
    .unwrap();
    assert_eq!(code(Reply::Nobody), Code::PolicyConfirmation);
    assert_eq!(code(Reply::Unanswered("x".to_owned())), Code::PolicyConfirmation);
    assert_eq!(code(Reply::Declined), Code::PolicyDeclined);
    assert_eq!(code(Reply::Agreed("alice".to_owned())), Code::PolicyAttestation);
    assert_eq!(code(Reply::AgreedForLater("alice".to_owned())), Code::PolicyAttestation);
    let content = content();
    let key = host_key(&home.0).unwrap();
    let proof = EphemeralAttestation::sign(&key, &matter(&content), "alice", at(0));
    let person = Says(Reply::Attested(proof.clone()), Cell::new(0));
    let word = with_question(true, &[], |question| {
        consent.obtain(question, RULES, &person, &|| at(0), &|| Ok(())).unwrap()
    });
    assert_eq!((word.by.as_str(), word.attestation), ("alice", Some(proof.to_text())));
    assert_eq!(code(Reply::Attested(proof)), Code::PolicyAttestation);
}

/// Asks, and answers as soon as the question is there.
fn answered(home: &Home, is_destructive: bool, answer: impl Fn(&Pending, u64) + Sync) -> Reply {
    let pending = Pending::new(&home.0);
    with_question(is_destructive, &[], |question| {
        let wait = Duration::from_secs(60);
        pending.ask(question, wait, &|| true, &|number| answer(&pending, number)).unwrap()
    })
}

#[test]
fn a_question_is_answered_once_and_gone_afterwards() {
    let home = Home::new("pending");
    let now = Timestamp::now;
    let good = |_: &Value| DIGEST.to_owned();
    let reply = answered(&home, false, |pending, number| {
        assert_eq!(pending.all(now()).unwrap()[0].number, number);
        pending.approve(number, "alice", true, good, now()).unwrap();
        assert_eq!(pending.all(now()).unwrap(), []);
        assert_eq!(pending.deny(number, now()).unwrap_err().code(), Code::ConsentNoQuestion);
    });
    assert_eq!(reply, Reply::AgreedForLater("alice".to_owned()));
    let reply = answered(&home, false, |pending, number| {
        assert_eq!(number, 2, "a number is not used again");
        assert!(pending.deny(1, now()).is_err());
        pending.approve(number, "alice", false, good, now()).unwrap();
    });
    assert_eq!(reply, Reply::Agreed("alice".to_owned()));
    let reply = answered(&home, true, |pending, number| {
        let other = |_: &Value| "hmac-sha256:1".to_owned();
        let error = pending.approve(number, "alice", true, other, now()).unwrap_err();
        assert_eq!(error.code(), Code::ConsentInvalid, "what was shown is not what will run");
        pending.approve(number, "alice", true, good, now()).unwrap();
    });
    let Reply::Attested(proof) = reply else { panic!("{reply:?}") };
    assert!(proof.spend(&home.0, &matter(&content()), now()).is_ok());
    assert_eq!(
        answered(&home, true, |pending, n| pending.deny(n, now()).unwrap()),
        Reply::Declined
    );
    assert_eq!(Pending::new(&home.0).all(now()).unwrap(), []);
}

#[test]
fn a_question_that_nobody_answers_or_wants_any_more_is_a_no_and_leaves_nothing() {
    let home = Home::new("unanswered");
    let pending = Pending::new(&home.0);
    let reply = |goes_on: bool, arguments: &Value| {
        with_question(false, &[], |question| {
            let question = Question { arguments, ..*question };
            let wait = Duration::from_millis(if goes_on { 0 } else { 60_000 });
            pending.ask(&question, wait, &|| goes_on, &|_| {}).unwrap()
        })
    };
    let long = json!("x".repeat(crate::limits::PENDING_ARGUMENTS_BYTES_MAX));
    for (goes_on, arguments) in [(true, json!({})), (false, json!({})), (true, long)] {
        assert!(matches!(reply(goes_on, &arguments), Reply::Unanswered(_)));
        assert_eq!(pending.all(Timestamp::now()).unwrap(), []);
        assert_eq!(pending.deny(1, Timestamp::now()).unwrap_err().code(), Code::ConsentNoQuestion);
    }
}

#[test]
fn a_hostile_file_of_questions_answers_none() {
    let home = Home::new("hostile");
    let pending = Pending::new(&home.0);
    for hostile in [
        "",
        "{}",
        r#"{"format":"mpp-pending/1"}"#,
        r#"{"format":"mpp-pending/1","next":1,"questions":[{"number":1}]}"#,
        r#"{"format":"mpp-pending/1","next":1,"questions":[],"also":1}"#,
    ] {
        fs::write(home.0.join("pending.json"), hostile).unwrap();
        let reply = with_question(false, &[], |question| {
            pending.ask(question, Duration::from_secs(60), &|| true, &|_| {})
        });
        assert_eq!(reply.unwrap_err().code(), Code::ConsentInvalid, "{hostile}");
    }
}

#[test]
fn the_time_that_a_person_takes_does_not_make_their_proof_one_of_the_future() {
    let home = Home::new("slow");
    struct Slow<'a>(&'a Home, &'a Cell<u64>);
    impl Person for Slow<'_> {
        fn ask(&self, question: &Question<'_>) -> Reply {
            self.1.set(self.1.get() + 3_000);
            let (key, matter) = (host_key(&self.0 .0).unwrap(), question.matter());
            Reply::Attested(EphemeralAttestation::sign(&key, &matter, "alice", at(self.1.get())))
        }
    }
    let clock = Cell::new(0);
    let word = with_question(true, &[], |question| {
        Consent::new(&home.0).obtain(
            question,
            RULES,
            &Slow(&home, &clock),
            &|| at(clock.get()),
            &|| Ok(()),
        )
    });
    assert!(word.is_ok(), "{word:?}");
}
