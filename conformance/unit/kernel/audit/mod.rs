//! What must be found in an altered log, what must never be lost, and what several processes may do
//! to one log at once.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

use super::*;
use crate::host::log::files::{HEAD_FILE, KEY_FILE, LOCK_FILE, LOG_FILE};
use crate::host::log::verify::{self, verify};
use crate::host::log::{AuditLog, RunningCall};
use crate::kernel::encoding::sha256_hex;
use crate::kernel::limits::{AUDIT_LINE_BYTES_MAX, AUDIT_TEXT_BYTES_MAX};
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::KeyId;
use crate::tests::support::TempDir;
use serde_json::{json, Map};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const SPEC: &str = include_str!("../../../../spec/audit.md");

/// A call whose intent is in the log.
#[derive(Debug)]
struct OpenCall {
    log: AuditLog,
    call: u64,
    running: RunningCall,
}

impl OpenCall {
    fn id(&self) -> u64 {
        self.call
    }
    fn finish(self, outcome: Outcome, now: Timestamp) -> Result<(), Error> {
        self.log.append(&Entry::Outcome(self.call, &outcome), now)?;
        self.running.end();
        Ok(())
    }
}

impl AuditLog {
    fn begin(&self, intent: Intent, now: Timestamp) -> Result<OpenCall, Error> {
        let (call, running) = self.append(&Entry::Intent(&intent), now)?;
        Ok(OpenCall { log: self.clone(), call, running: running.unwrap() })
    }
    fn refuse(&self, code: Code, refusal: Refusal, now: Timestamp) -> Result<(), Error> {
        self.append(&Entry::Refused(code, &refusal), now).map(drop)
    }
    fn digest(&self, value: &Value) -> KeyedDigest {
        self.key().digest(value)
    }
    fn digest_bytes(&self, bytes: &[u8]) -> KeyedDigest {
        self.key().digest_bytes(bytes)
    }
}

impl TempDir {
    /// The log's directory, which does not exist at first.
    fn log_dir(&self) -> PathBuf {
        self.0.join("audit")
    }
    fn file(&self, name: &str) -> PathBuf {
        self.log_dir().join(name)
    }
    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file(LOG_FILE)).unwrap();
        text.lines().map(str::to_owned).collect()
    }
    fn verify(&self) -> Result<VerifyReport, Error> {
        verify(&self.file(LOG_FILE), None)
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn noon() -> Timestamp {
    at("2026-01-01T12:00:00Z")
}

fn content_hash() -> ContentHash {
    ContentHash::from_checksum_list("a listing")
}

fn key_id() -> KeyId {
    KeyId::parse(&sha256_hex(b"a public key")).unwrap()
}

fn intent(log: &AuditLog) -> Intent {
    Intent {
        facts: Facts {
            package: Some("org.acme.text-stats".to_owned()),
            version: Some("1.2.0".to_owned()),
            content_hash: Some(content_hash()),
            publisher: Some("Acmé".to_owned()),
            signers: vec![key_id()],
            tool: Some("count_words".to_owned()),
            arguments: Some(log.digest(&json!({"text": "hello"}))),
        },
        risk: "medium".to_owned(),
        capabilities: vec!["connect to api.example.com".to_owned()],
        granted_by: "policy:trust_package org.acme.text-stats".to_owned(),
        memory_bytes_max: 64 << 20,
        fuel_max: 2_000_000_000,
        timeout_ms: 5000,
        output_bytes_max: 1 << 20,
        caller: Caller::default(),
        attestation: None,
    }
}

fn outcome(log: &AuditLog) -> Outcome {
    Outcome {
        services: ["http 2xx", "http api.example.com"].map(|it| (it.to_owned(), 2)).into(),
        result: CallStatus::Ok,
        fuel_used: 48_213,
        duration_ms: 3,
        stdout: Some(log.digest_bytes(br#"{"id":1}"#)),
        answer: Some(log.digest(&json!({
            "content": [], "structured_content": {"words": 1}, "is_error": false,
        }))),
        privacy: BTreeMap::from([("email".to_owned(), 2), ("EMPLOYEE_ID".to_owned(), 1)]),
        denied: 2,
        changes: BTreeMap::from([("write_file".to_owned(), 1), ("bytes".to_owned(), 12)]),
    }
}

fn refusal() -> Refusal {
    Refusal {
        source: Some("downloads/evil.mpp".to_owned()),
        caller: Caller { agent: Some("an agent".to_owned()), traceparent: None, listed_as: None },
        ..Refusal::default()
    }
}

fn canonical_text(value: &Value) -> String {
    let mut text = String::new();
    record::write(value, &mut text);
    text
}

/// The three records of the specification's example.
fn example(dir: &TempDir) -> AuditLog {
    fs::create_dir(dir.log_dir()).unwrap();
    fs::write(dir.file(KEY_FILE), format!("{}\n", "0b".repeat(32))).unwrap();
    fs::write(dir.file(LOG_FILE), "").unwrap();
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let call = log.begin(intent(&log), noon()).unwrap();
    call.finish(outcome(&log), at("2026-01-01T12:00:01Z")).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), at("2026-01-01T12:00:09Z")).unwrap();
    log
}

/// The n-th block of a language in the specification.
fn spec_block(language: &str, n: usize) -> &'static str {
    let start = format!("```{language}\n");
    SPEC.split(&start).nth(n + 1).unwrap().split("```").next().unwrap()
}

fn check(text: impl AsRef<[u8]>) -> Result<VerifyReport, Error> {
    verify::verify_lines(&mut text.as_ref(), None, |_| Ok(()))
}

fn code(result: Result<impl std::fmt::Debug, Error>) -> &'static str {
    result.unwrap_err().code().as_str()
}

/// A chain of the given records, each of which holds its kind and members, sealed as they are.
fn chain(records: &[(&str, Value)]) -> String {
    let (mut prev, mut text) = (record::GENESIS.to_owned(), String::new());
    for (n, (kind, members)) in records.iter().enumerate() {
        let mut object: Map<String, Value> = members.as_object().unwrap().clone();
        let head = json!({"v": 1, "seq": n + 1, "prev": prev, "kind": kind,
            "time": "2026-01-01T00:00:00Z"});
        for (key, value) in head.as_object().unwrap() {
            object.entry(key.clone()).or_insert(value.clone());
        }
        let (line, hash) = record::seal(&object).unwrap();
        text.push_str(&line);
        prev = hash;
    }
    text
}

fn intent_members(call: u64) -> Value {
    let digest = format!("hmac-sha256:{}", sha256_hex(b""));
    json!({"call": call, "package": "p", "version": "1", "content_hash": content_hash().as_str(),
        "publisher": "p", "signers": [], "tool": "t", "arguments": digest, "risk": "low",
        "capabilities": [], "granted_by": "p", "memory_bytes_max": 1, "fuel_max": 1,
        "timeout_ms": 1, "output_bytes_max": 1, "agent": null, "traceparent": null,
        "attestation": null})
}

fn outcome_members(call: u64) -> Value {
    json!({"call": call, "result": "ok", "fuel_used": 1, "duration_ms": 1, "stdout": null,
        "answer": null, "privacy": {}, "denied": 0, "services": {}, "changes": {}})
}

mod altered {
    //! Alterations of a finished log, and forgeries with right hashes.
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_what_is_written_and_verifies() {
        let dir = TempDir::new("example");
        example(&dir);
        let text = fs::read_to_string(dir.file(LOG_FILE)).unwrap();
        if std::env::var_os("MPP_BLESS").is_some() {
            let page = SPEC.replace(spec_block("jsonl", 0), &text);
            fs::write("spec/audit.md", page).unwrap();
            return;
        }
        assert_eq!(text, spec_block("jsonl", 0), "MPP_BLESS=1 puts it into spec/audit.md");
        let report = dir.verify().unwrap();
        assert_eq!((report.records, report.calls, report.refused), (3, 1, 1));
        assert_eq!((report.open, report.lost, report.torn), (vec![], 0, 0));
        assert!(text.ends_with(&format!("\"hash\":\"{}\"}}\n", report.head)));
    }

    #[test]
    fn the_shell_lines_of_the_specification_agree_and_find_an_alteration() {
        let dir = TempDir::new("shell");
        example(&dir);
        let run = |script: &str| {
            let child =
                Command::new("sh").arg("-c").arg(script).current_dir(dir.log_dir()).output();
            child.map(|out| String::from_utf8(out.stdout).unwrap())
        };
        if !run("command -v sha256sum sed tr cut").is_ok_and(|found| found.lines().count() == 4) {
            return; // no shell here, or none of its tools
        }
        let head = dir.verify().unwrap().head;
        assert_eq!(run(spec_block("sh", 0)).unwrap(), format!("3 records, head {head}\n"));
        let second = record::read(dir.lines()[1].as_bytes()).unwrap().hash;
        assert_eq!(run(spec_block("sh", 1)).unwrap(), format!("{second}  -\n"));

        let altered = fs::read_to_string(dir.file(LOG_FILE)).unwrap().replace("48213", "48214");
        fs::write(dir.file(LOG_FILE), altered).unwrap();
        assert_eq!(run(spec_block("sh", 0)).unwrap(), "line 2 is broken\n");
    }

    #[test]
    fn every_change_of_one_byte_is_found() {
        let text = spec_block("jsonl", 0).as_bytes();
        for n in 0..text.len() {
            for value in (0..8).map(|bit| text[n] ^ 1 << bit).chain(*b"0 \n\"\xff") {
                let mut altered = text.to_vec();
                altered[n] = value;
                if altered != text {
                    let error = check(&altered).unwrap_err();
                    let torn = n + 1 == text.len();
                    let expected = if torn { Code::AuditTorn } else { Code::AuditBroken };
                    assert_eq!(error.code(), expected, "byte {n} made {value}: {error}");
                }
            }
        }
    }

    #[test]
    fn every_byte_removed_doubled_or_put_in_is_found() {
        let text = spec_block("jsonl", 0).as_bytes();
        for n in 0..text.len() {
            let mut removed = text.to_vec();
            removed.remove(n);
            assert!(check(&removed).is_err(), "byte {n} removed");
            for value in [text[n], b' ', b'\n', b'0', b',', 0] {
                let mut longer = text.to_vec();
                longer.insert(n, value);
                assert!(check(&longer).is_err(), "{value} put in at {n}");
            }
        }
    }

    #[test]
    fn every_cut_inside_a_line_is_torn_and_a_cut_between_lines_needs_the_head() {
        let text = spec_block("jsonl", 0);
        let head = check(text).unwrap().head;
        for n in 0..text.len() {
            let cut = &text[..n];
            if cut.is_empty() || cut.ends_with('\n') {
                assert!(check(cut).is_ok());
                let found = verify::verify_lines(&mut cut.as_bytes(), Some(&head), |_| Ok(()));
                assert_eq!(code(found), "audit.broken");
            } else {
                assert_eq!(code(check(cut)), "audit.torn", "cut at {n}");
            }
        }
    }

    #[test]
    fn an_earlier_head_is_found_and_what_came_after_it_counted() {
        let text = spec_block("jsonl", 0);
        for (kept, line) in text.lines().enumerate() {
            let hash = record::read(line.as_bytes()).unwrap().hash;
            let report =
                verify::verify_lines(&mut text.as_bytes(), Some(&hash), |_| Ok(())).unwrap();
            assert_eq!(report.records_after_expected, Some(2 - kept as u64));
        }
        let genesis =
            verify::verify_lines(&mut text.as_bytes(), Some(record::GENESIS), |_| Ok(())).unwrap();
        assert_eq!(genesis.records_after_expected, Some(3));
        // A last line that is torn is not the only fault where the expected one is missing.
        let torn = &text[..text.len() - 1];
        let whole = text.lines().nth(1).unwrap().rsplit('"').nth(1).unwrap();
        let last = text.lines().last().unwrap().rsplit('"').nth(1).unwrap();
        for (head, expected) in [(whole, "audit.torn"), (last, "audit.broken")] {
            let found = verify::verify_lines(&mut torn.as_bytes(), Some(head), |_| Ok(()));
            assert_eq!(code(found), expected);
        }
        for head in ["", "0", &"0".repeat(63), &"A".repeat(64)] {
            assert_eq!(
                code(verify::verify_lines(&mut text.as_bytes(), Some(head), |_| Ok(()))),
                "usage"
            );
        }
    }

    #[test]
    fn every_other_order_or_choice_of_lines_is_found() {
        let lines: Vec<&str> = spec_block("jsonl", 0).split_inclusive('\n').collect();
        let mut whole = 0;
        for count in 1..=4_u32 {
            for choice in 0..3_usize.pow(count) {
                let picked: Vec<usize> = (0..count).map(|n| choice / 3_usize.pow(n) % 3).collect();
                let text: String = picked.iter().map(|n| lines[*n]).collect();
                let is_prefix = picked.iter().enumerate().all(|(n, line)| n == *line);
                assert_eq!(check(text).is_ok(), is_prefix, "{picked:?}");
                whole += usize::from(is_prefix);
            }
        }
        assert_eq!(whole, 3);
    }

    #[test]
    fn calls_that_end_twice_or_never_began_are_found_behind_right_hashes() {
        let intent = ("intent", intent_members(1));
        let outcome = ("outcome", outcome_members(1));
        let lost = ("lost", json!({"call": 1}));
        assert!(check(chain(&[intent.clone(), outcome.clone()])).is_ok());
        assert!(check(chain(&[intent.clone(), lost.clone()])).is_ok());
        assert_eq!(check(chain(std::slice::from_ref(&intent))).unwrap().open, [1]);
        for forged in [
            vec![outcome.clone()],
            vec![lost.clone()],
            vec![intent.clone(), outcome.clone(), outcome.clone()],
            vec![intent.clone(), outcome.clone(), lost.clone()],
            vec![intent.clone(), lost.clone(), outcome.clone()],
            vec![intent.clone(), ("outcome", outcome_members(2))],
            vec![intent.clone(), ("outcome", outcome_members(0))],
            vec![("intent", intent_members(2))],
            vec![("intent", intent_members(0))],
        ] {
            assert_eq!(code(check(chain(&forged))), "audit.broken", "{forged:?}");
        }
    }

    #[test]
    fn a_wrong_seq_prev_or_version_is_found_behind_right_hashes() {
        for members in [
            json!({"call": 1, "seq": 2}),
            json!({"call": 1, "seq": 0}),
            json!({"call": 1, "prev": "1".repeat(64)}),
        ] {
            let mut all = intent_members(1);
            all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            let error = check(chain(&[("intent", all)])).unwrap_err();
            assert_eq!(error.code(), Code::AuditBroken, "{members}");
            assert!(error.detail().starts_with("line 1 "), "{error}");
        }
    }

    #[test]
    fn second_spellings_and_foreign_members_are_refused_behind_right_hashes() {
        let line = chain(&[("lost", json!({"call": 1}))]);
        let body = line.rsplit_once(",\"hash\":").unwrap().0;
        let sealed = |body: &str| format!("{body},\"hash\":\"{}\"}}", sha256_hex(body.as_bytes()));
        assert!(record::read(sealed(body).as_bytes()).is_ok());
        for (from, to) in [
            ("\"call\":1", "\"call\": 1"),
            ("\"call\":1", "\"call\":1.0"),
            ("\"call\":1", "\"call\":1e0"),
            ("\"call\":1", "\"call\":-1"),
            ("\"call\":1", "\"call\":\"1\""),
            ("\"call\":1", "\"call\":null"),
            ("\"call\":1", "\"call\":9007199254740992"),
            ("\"call\":1", "\"call\":1,\"call\":1"),
            ("\"call\":1", "\"call\":1,\"hash\":\"0\""),
            ("\"call\":1", "\"call\":1,\"note\":\"x\""),
            (",\"call\":1", ""),
            ("\"v\":1", "\"v\":2"),
            ("\"lost\"", "\"lo\\u0073t\""),
            ("\"lost\"", "\"found\""),
            ("\"lost\"", "\"\""),
            ("\"lost\"", "7"),
            ("T00:00:00Z", "T00:00:00+00:00"),
            ("{\"v\":1,\"seq\":1,", "{\"seq\":1,\"v\":1,"),
            ("{\"v\"", " {\"v\""),
        ] {
            let forged = body.replacen(from, to, 1);
            assert_ne!(forged, body, "{from}");
            assert!(record::read(sealed(&forged).as_bytes()).is_err(), "{forged}");
        }
        for text in ["", "{}", "[]", "null", "7", "{\"hash\":\"\"}", "\u{feff}{}"] {
            assert!(record::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(record::read(&sealed(body).into_bytes()[1..]).is_err());
    }

    #[test]
    fn a_line_longer_than_the_limit_is_refused_without_reading_all_of_it() {
        let endless = std::io::repeat(b'x');
        let found = verify::verify_lines(&mut std::io::BufReader::new(endless), None, |_| Ok(()));
        assert_eq!(code(found), "audit.broken");
    }
}

mod written {
    //! What a record contains, and what it must not.
    use super::*;

    #[test]
    fn canonical_text_has_one_spelling_and_reads_back_as_the_same_value() {
        let cases = [
            ("null", "null"),
            (" [ true , false ] ", "[true,false]"),
            (r#"{"b":1,"a":2,"":3,"Z":4,"é":5}"#, r#"{"":3,"Z":4,"a":2,"b":1,"\u00e9":5}"#),
            (r#""a/\/\n\u0000\u007f~""#, r#""a//\u000a\u0000\u007f~""#),
            (r#""é😀\\\"""#, r#""\u00e9\ud83d\ude00\\\"""#),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.5", "1.5e0"),
            ("-0.00025", "-2.5e-4"),
            ("1.0", "1e0"),
            ("1E21", "1e21"),
            ("18446744073709551616", "1.8446744073709552e19"),
            ("0.1", "1e-1"),
            ("[[],{}]", "[[],{}]"),
        ];
        for (source, expected) in cases {
            let value = crate::kernel::json::parse(source.as_bytes(), 8).unwrap();
            let mut text = String::new();
            record::write(&value, &mut text);
            assert_eq!(text, expected);
            assert_eq!(crate::kernel::json::parse(text.as_bytes(), 8).unwrap(), value, "{source}");
        }
    }

    #[test]
    fn texts_from_outside_are_cut_between_characters_and_say_so() {
        for character in ["x", "é", "€", "😀"] {
            for length in [1, 60, 250, 255, 256, 257, 300, 5000, 100_000] {
                let text = character.repeat(length);
                let cut = record::truncate(&text);
                assert!(cut.len() <= AUDIT_TEXT_BYTES_MAX);
                if text.len() <= AUDIT_TEXT_BYTES_MAX {
                    assert_eq!(cut, text);
                } else {
                    let (kept, marker) = cut.split_once("...[+").unwrap();
                    let missing: usize = marker.strip_suffix(" bytes]").unwrap().parse().unwrap();
                    assert!(text.starts_with(kept) && kept.len() > 200);
                    assert_eq!(kept.len() + missing, text.len());
                }
            }
        }
    }

    #[test]
    fn the_largest_call_fits_into_a_line_and_verifies() {
        let dir = TempDir::new("largest");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        for filler in ["\u{1}", "é", "€", "😀", "\"", "x"] {
            let long = filler.repeat(5000);
            let mut intent = intent(&log);
            let (facts, caller) = (&mut intent.facts, &mut intent.caller);
            for text in [
                &mut facts.package,
                &mut facts.version,
                &mut facts.publisher,
                &mut facts.tool,
                &mut caller.agent,
                &mut caller.traceparent,
                &mut intent.attestation,
            ] {
                *text = Some(long.clone());
            }
            for text in [&mut intent.risk, &mut intent.granted_by] {
                text.clone_from(&long);
            }
            intent.facts.signers = vec![key_id(); crate::kernel::limits::SIGNATURES_COUNT_MAX];
            intent.capabilities = vec![long.clone(); 1000];
            intent.fuel_max = u64::MAX;
            intent.timeout_ms = u64::MAX;
            let mut outcome = outcome(&log);
            outcome.privacy = (0..1000).map(|n| (format!("{n}{long}"), u64::MAX)).collect();
            log.begin(intent, noon()).unwrap().finish(outcome, noon()).unwrap();
        }
        let longest = dir.lines().iter().map(String::len).max().unwrap();
        assert!(
            longest > AUDIT_LINE_BYTES_MAX / 2,
            "the limit is far from what is needed: {longest}"
        );
        assert!(dir.lines()[0].contains("\"...[+745 items]\"],\"granted_by\""));
        assert_eq!(dir.verify().unwrap().calls, 6);
    }

    #[test]
    fn an_intent_that_lacks_a_fact_is_not_written_and_does_not_verify() {
        let dir = TempDir::new("lacks");
        let log = example(&dir);
        let lacks: [fn(&mut Facts); 6] = [
            |facts| facts.package = None,
            |facts| facts.version = None,
            |facts| facts.content_hash = None,
            |facts| facts.publisher = None,
            |facts| facts.tool = None,
            |facts| facts.arguments = None,
        ];
        for lack in lacks {
            let mut intent = intent(&log);
            lack(&mut intent.facts);
            assert_eq!(code(log.begin(intent, noon())), "audit.unavailable");
        }
        assert_eq!(dir.verify().unwrap().records, 3);
        let line = &dir.lines()[0];
        let body = line.rsplit_once(",\"hash\":").unwrap().0;
        let members: Map<String, Value> = serde_json::from_str(line).unwrap();
        let read = |name: &str, value: &Value| {
            let known = format!("\"{name}\":{}", canonical_text(&members[name]));
            let forged = body.replacen(&known, &format!("\"{name}\":{value}"), 1);
            let hash = sha256_hex(forged.as_bytes());
            record::read(format!("{forged},\"hash\":\"{hash}\"}}").as_bytes()).map(drop)
        };
        for name in ["package", "version", "content_hash", "publisher", "tool", "arguments"] {
            let error = read(name, &Value::Null).unwrap_err();
            assert!(error.contains(name), "{name}: {error}");
        }
        assert!(read("agent", &json!("x")).is_ok() && read("attestation", &json!("x")).is_ok());
    }

    #[test]
    fn neither_arguments_nor_results_nor_the_key_are_in_any_file_or_debug_text() {
        let dir = TempDir::new("values");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        let secret = "4111-1111-1111-1111";
        let mut intent = intent(&log);
        intent.facts.arguments = Some(log.digest(&json!({ "card": secret })));
        let outcome =
            Outcome { stdout: Some(log.digest_bytes(secret.as_bytes())), ..outcome(&log) };
        let call = log.begin(intent.clone(), noon()).unwrap();
        let key = fs::read_to_string(dir.file(KEY_FILE)).unwrap();
        let shown = format!("{log:?} {call:?} {intent:?} {outcome:?}");
        call.finish(outcome, noon()).unwrap();
        let text = fs::read_to_string(dir.file(LOG_FILE)).unwrap();
        for hidden in [secret, key.trim(), &sha256_hex(secret.as_bytes()), "hello"] {
            assert!(!text.contains(hidden) && !shown.contains(hidden), "{hidden}");
        }
    }

    #[test]
    fn digests_differ_between_logs_and_agree_within_one_in_any_order_of_keys() {
        let (one, other) = (TempDir::new("digest-one"), TempDir::new("digest-other"));
        let log = AuditLog::open(&one.log_dir()).unwrap();
        let again = AuditLog::open(&one.log_dir()).unwrap();
        let foreign = AuditLog::open(&other.log_dir()).unwrap();
        let parse = |text: &str| crate::kernel::json::parse(text.as_bytes(), 4).unwrap();
        let digest = log.digest(&parse(r#"{"a":1,"b":"\u00e9"}"#));
        assert_eq!(digest, again.digest(&parse(r#" {"b":"é", "a":1}"#)));
        assert_ne!(digest, foreign.digest(&parse(r#"{"a":1,"b":"é"}"#)));
        assert_ne!(digest, log.digest(&parse(r#"{"a":"1","b":"é"}"#)));
        assert_ne!(digest, log.digest(&parse(r#"{"a":1.0,"b":"é"}"#)));
    }
}

mod disk;
