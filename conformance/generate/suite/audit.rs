//! Audit logs that are as they have to be, and the parts that others are made of.

use super::case::Case;
use super::crypto::{base64, hmac_sha256_hex, sha256_hex, Key, APPROVER, STRANGER};
use serde_json::{json, Value};

/// Names of members with the text of their values, in the order of the line.
pub type Members = Vec<(String, String)>;

pub const NO_HEAD: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The key of every log: these bytes, in hexadecimal, and a line feed.
pub const KEY: [u8; 32] = [0x0b; 32];

pub fn key_file() -> String {
    format!("{}\n", "0b".repeat(32))
}

/// `[AUD-14]`, from the spec.
pub fn digest(canonical: &str) -> String {
    format!("hmac-sha256:{}", hmac_sha256_hex(&KEY, canonical.as_bytes()))
}

pub fn members(list: &[(&str, &str)]) -> Members {
    list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// Replaces the text of a member, or adds it at the end.
pub fn set(record: &mut Members, name: &str, text: impl Into<String>) {
    let text = text.into();
    match record.iter_mut().find(|(found, _)| found == name) {
        Some((_, old)) => *old = text,
        None => record.push((name.to_owned(), text)),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The intent of the page's example, as record number `call`.
pub fn intent(call: u64) -> Members {
    members(&[
        ("kind", "\"intent\""),
        ("call", &call.to_string()),
        ("package", "\"org.acme.text-stats\""),
        ("version", "\"1.2.0\""),
        (
            "content_hash",
            "\"sha256:f53dbd41ba3f28dd46806a4f47c09e5a53f00b6cd2a9c3951076c458e1f4df82\"",
        ),
        ("publisher", "\"Acm\\u00e9\""),
        ("signers", "[\"0b7348fa038970c48ec07cd73b6257f39ec810f60f16ee73b62e3c6e2610abc6\"]"),
        ("tool", "\"count_words\""),
        ("arguments", &quoted(&digest("{\"text\":\"hello\"}"))),
        ("risk", "\"medium\""),
        ("capabilities", "[\"connect to api.example.com\"]"),
        ("granted_by", "\"policy:trust_package org.acme.text-stats\""),
        ("memory_bytes_max", "67108864"),
        ("fuel_max", "2000000000"),
        ("timeout_ms", "5000"),
        ("output_bytes_max", "1048576"),
        ("agent", "null"),
        ("traceparent", "null"),
        ("attestation", "null"),
    ])
}

/// The outcome of the page's example, of this call.
pub fn outcome(call: u64) -> Members {
    members(&[
        ("kind", "\"outcome\""),
        ("call", &call.to_string()),
        ("result", "\"ok\""),
        ("fuel_used", "48213"),
        ("duration_ms", "3"),
        ("stdout", &quoted(&digest("{\"id\":1}"))),
        ("answer", &quoted(&digest("{\"words\":1}"))),
        ("privacy", "{\"EMPLOYEE_ID\":1,\"email\":2}"),
        ("denied", "2"),
        ("services", "{\"http 2xx\":2,\"http api.example.com\":2}"),
        ("changes", "{\"bytes\":12,\"write_file\":1}"),
    ])
}

/// The refusal of the page's example.
pub fn refused() -> Members {
    members(&[
        ("kind", "\"refused\""),
        ("code", "\"signature.invalid\""),
        ("source", "\"downloads/evil.mpp\""),
        ("package", "null"),
        ("version", "null"),
        ("content_hash", "null"),
        ("publisher", "null"),
        ("signers", "[]"),
        ("tool", "null"),
        ("arguments", "null"),
        ("agent", "\"an agent\""),
        ("traceparent", "null"),
    ])
}

pub fn lost(call: u64) -> Members {
    members(&[("kind", "\"lost\""), ("call", &call.to_string())])
}

pub fn torn(record: u64) -> Members {
    members(&[
        ("kind", "\"torn\""),
        ("file", &format!("\"audit.torn-{record}\"")),
        ("bytes", "17"),
        ("sha256", &quoted(&sha256_hex(b"the start of a li"))),
    ])
}

/// The times of the page's example; later records have the last.
fn time(seq: usize) -> &'static str {
    ["2026-01-01T12:00:00Z", "2026-01-01T12:00:01Z"]
        .get(seq - 1)
        .copied()
        .unwrap_or("2026-01-01T12:00:09Z")
}

/// The lines of a log, each with its line feed. `edit` changes the members of a record, given by its number, before
/// its hash is computed.
pub fn lines_with(records: &[Members], edit: impl Fn(usize, &mut Members)) -> Vec<String> {
    let mut prev = NO_HEAD.to_owned();
    let mut lines = Vec::new();
    for (place, record) in records.iter().enumerate() {
        let seq = place + 1;
        let mut all = members(&[
            ("v", "1"),
            ("seq", &seq.to_string()),
            ("prev", &quoted(&prev)),
            ("time", &quoted(time(seq))),
        ]);
        all.extend(record.iter().cloned());
        edit(seq, &mut all);
        let (line, hash) = seal(&all);
        prev = hash;
        lines.push(line);
    }
    lines
}

/// `[AUD-02]`, from the spec.
fn seal(record: &Members) -> (String, String) {
    let texts: Vec<String> =
        record.iter().map(|(name, text)| format!("\"{name}\":{text}")).collect();
    seal_text(&format!("{{{}", texts.join(",")))
}

/// A line from the text before its hash.
pub fn seal_text(body: &str) -> (String, String) {
    let hash = sha256_hex(body.as_bytes());
    (format!("{body},\"hash\":\"{hash}\"}}\n"), hash)
}

pub fn lines(records: &[Members]) -> Vec<String> {
    lines_with(records, |_, _| {})
}

pub fn log(records: &[Members]) -> Vec<u8> {
    lines(records).concat().into_bytes()
}

/// The records of the page's example.
pub fn example() -> [Members; 3] {
    [intent(1), outcome(1), refused()]
}

/// The hash of a line.
pub fn hash_of(line: &str) -> String {
    let end = line.rfind("\"}").unwrap_or_default();
    line[end - 64..end].to_owned()
}

/// What a reader reports of a log.
fn report(lines: &[String], open: &[u64], counts: [u64; 3]) -> Value {
    let head = lines.last().map_or_else(|| NO_HEAD.to_owned(), |line| hash_of(line));
    let [lost, refused, torn] = counts;
    json!({ "records": lines.len(), "head": head, "open": open, "lost": lost, "refused": refused,
            "torn": torn })
}

pub fn cases() -> Vec<Case> {
    let mut cases = accepted();
    cases.extend(values());
    cases.extend(directories());
    cases.extend(proofs());
    cases
}

fn accept(id: &str, lines: &[String], open: &[u64], counts: [u64; 3]) -> Case {
    Case::audit(&format!("accept-{id}"), Some(lines.concat().into_bytes()))
        .answers(report(lines, open, counts))
}

fn accepted() -> Vec<Case> {
    let parent = "It is the parent of the damaged logs in this directory.";
    let ends = "Every call has at most one end, and one that has none is listed.";
    let head = "A head noted elsewhere shows that no record before it is missing.";
    let two = [intent(1), intent(2), outcome(2), outcome(1)];
    let mut lossy = vec![intent(1), lost(1), torn(3), intent(4)];
    lossy[3][8].1 = quoted(&digest("{}"));
    let chain = lines(&example());
    let middle = hash_of(&chain[1]);
    let mut failed = example();
    set(&mut failed[1], "result", "\"tool.fuel_exhausted\"");
    set(&mut failed[1], "answer", "null");
    let mut error = example();
    set(&mut error[1], "result", "\"tool_error\"");
    vec![
        accept("example", &chain, &[], [0, 1, 0])
            .says("The example of the page", parent)
            .spec("AUD-02 AUD-03 AUD-04 AUD-05 AUD-25 AUD-60 AUD-61 AUD-62 AUD-63"),
        accept("empty", &[], &[], [0, 0, 0])
            .says("A log without records", "A new log has none.")
            .spec("AUD-60"),
        accept("open", &lines(&[intent(1)]), &[1], [0, 0, 0])
            .says("An intent without an end", ends)
            .spec("AUD-64"),
        accept("two-calls", &lines(&two), &[], [0, 0, 0])
            .says("Two calls at once, the second of which ends first", ends)
            .spec("AUD-64 AUD-21"),
        accept("lost", &lines(&lossy), &[4], [1, 0, 1])
            .says("A lost call, a line set aside, and an open call", ends)
            .spec("AUD-23 AUD-24 AUD-64"),
        accept("failed", &lines(&failed), &[], [0, 1, 0])
            .says("A call that the runtime ended", "The result is then the reason code.")
            .spec("AUD-21"),
        accept("tool-error", &lines(&error), &[], [0, 1, 0])
            .says("A call whose tool reported an error", "That is a result, too.")
            .spec("AUD-21"),
        accept("head-last", &chain, &[], [0, 1, 0])
            .with("expected_head", hash_of(&chain[2]))
            .says("The expected head is the last record's", head)
            .spec("AUD-65"),
        accept("head-earlier", &chain, &[], [0, 1, 0])
            .with("expected_head", middle)
            .says("The expected head is an earlier record's", head)
            .spec("AUD-65"),
        accept("head-empty", &chain, &[], [0, 1, 0])
            .with("expected_head", NO_HEAD)
            .says("The expected head is that of an empty log", head)
            .spec("AUD-65"),
    ]
}

/// Values at the ends of what their types allow.
fn values() -> Vec<Case> {
    let types = "A value of a type is taken in the one form that a writer gives it.";
    let with = |record: usize, name: &str, text: &str| {
        let mut records = example();
        set(&mut records[record], name, text);
        lines(&records)
    };
    let list = |count: usize| format!("[{}]", vec!["\"x\""; count].join(","));
    let text = |letters: usize| quoted(&"x".repeat(letters));
    let escapes = "\"\\\"\\\\/\\u0000\\u000a\\u001f ~\\u007f\\u00e9\\u2028\\ud83d\\ude00\"";
    let mut cases = Vec::new();
    for (id, title, spec, lines) in [
        ("escapes", "A text with all kinds of characters", "AUD-11", with(2, "source", escapes)),
        (
            "integer",
            "The greatest integer, 2^53 - 1",
            "AUD-12",
            with(1, "fuel_used", "9007199254740991"),
        ),
        ("zero", "The integer 0", "AUD-12", with(1, "fuel_used", "0")),
        ("text", "A text of 256 bytes", "AUD-13 LIM-50", with(2, "source", &text(256))),
        ("list", "A list of 256 items", "AUD-13 LIM-51", with(0, "capabilities", &list(256))),
        (
            "listed-as",
            "The name of a tool on its host",
            "AUD-22 AUD-25",
            with(2, "listed_as", "\"md_count\""),
        ),
        ("no-counts", "Objects without members", "AUD-21", with(1, "privacy", "{}")),
        (
            "attestation",
            "A text as proof of approval, which only a key can verify",
            "AUD-20",
            with(0, "attestation", "\"a proof\""),
        ),
    ] {
        cases.push(accept(id, &lines, &[], [0, 1, 0]).says(title, types).spec(spec));
    }
    let back = lines_with(&example(), |seq, record| {
        if seq == 2 {
            set(record, "time", "\"1970-01-01T00:00:00Z\"");
        }
    });
    cases.push(
        accept("time-back", &back, &[], [0, 1, 0])
            .says("Times that go back", "Clocks are set; the order is that of `seq`.")
            .spec("AUD-05"),
    );
    cases
}

/// Logs in their directory, whose other files are evidence.
fn directories() -> Vec<Case> {
    let chain = lines(&example());
    let end = chain.concat().len();
    let head = |bytes: usize, line: &str| format!("{bytes} {}\n", hash_of(line));
    let first = chain[0].len();
    let evidence = "The other files show records that are missing, and nothing else.";
    let no_log = "Where a log was started, it has to be there.";
    let open = lines(&[intent(1)]);
    let mut cases = Vec::new();
    for (id, title, spec, lines, directory) in [
        (
            "directory-head",
            "A log and its head",
            "AUD-70 AUD-73",
            &chain,
            json!({ "audit.key": key_file(), "audit.lock": "", "audit.head": head(end, &chain[2]) }),
        ),
        (
            "directory-head-old",
            "A head that could not be replaced after the last records",
            "AUD-70 AUD-73",
            &chain,
            json!({ "audit.head": head(first, &chain[0]) }),
        ),
        (
            "directory-head-other",
            "A head that is not of the form",
            "AUD-73",
            &chain,
            json!({ "audit.head": "" }),
        ),
        (
            "directory-head-spelled",
            "A head whose length begins with a zero, and is wrong",
            "AUD-73",
            &chain,
            json!({ "audit.head": format!("0{}", head(1, &chain[0])) }),
        ),
        (
            "directory-key",
            "A log without records beside its key",
            "AUD-76",
            &Vec::new(),
            json!({ "audit.key": key_file() }),
        ),
        (
            "directory-call-next",
            "The file of a call whose intent is not written yet",
            "AUD-74",
            &chain,
            json!({ format!("calls/4-{end}"): "" }),
        ),
        (
            "directory-call-ended",
            "The file of a call that has ended",
            "AUD-74",
            &chain,
            json!({ "calls/1-0": "" }),
        ),
    ] {
        cases.push(
            accept(id, lines, &[], [0, u64::from(lines.len() > 2), 0])
                .with("directory", directory)
                .says(title, evidence)
                .spec(spec),
        );
    }
    cases.push(
        accept("directory-call-open", &open, &[1], [0, 0, 0])
            .with("directory", json!({ "calls/1-0": "" }))
            .says("The file of an open call", evidence)
            .spec("AUD-74"),
    );
    let refuse = |id: &str, log: Option<&[String]>, directory: Value| {
        Case::audit(id, log.map(|lines| lines.concat().into_bytes()))
            .with("directory", directory)
            .refused("audit.broken")
    };
    for (id, title, spec, directory) in [
        ("key", "A key without a log", "AUD-72", json!({ "audit.key": key_file() })),
        ("head", "A head without a log", "AUD-72", json!({ "audit.head": "" })),
        ("call", "The file of a call without a log", "AUD-72", json!({ "calls/1-0": "" })),
    ] {
        let case = refuse(&format!("missing-{id}"), None, directory);
        cases.push(case.says(title, no_log).spec(&format!("AUD-71 {spec}")));
    }
    let none: &[String] = &[];
    for (id, title, spec, log, directory) in [
        (
            "empty-head",
            "A head beside a log without records",
            "AUD-73",
            none,
            json!({ "audit.head": "" }),
        ),
        (
            "head-beyond",
            "A head beyond the end of the log",
            "AUD-73",
            &chain[..2],
            json!({ "audit.head": head(end, &chain[2]) }),
        ),
        (
            "head-place",
            "A head whose record ends at another byte",
            "AUD-73",
            &chain,
            json!({ "audit.head": head(first + 1, &chain[0]) }),
        ),
        (
            "head-hash",
            "A head of another record",
            "AUD-73",
            &chain,
            json!({ "audit.head": head(end, &chain[1]) }),
        ),
        (
            "head-zero",
            "A head of zero bytes beside records",
            "AUD-73",
            &chain,
            json!({ "audit.head": head(0, &chain[0]) }),
        ),
        (
            "call-beyond",
            "The file of a call whose intent would be beyond the end",
            "AUD-74",
            &chain,
            json!({ format!("calls/5-{}", end + 1): "" }),
        ),
        (
            "call-inside",
            "The file of a call within a line",
            "AUD-74",
            &chain,
            json!({ "calls/1-1": "" }),
        ),
        (
            "call-other",
            "The file of a call at the start of another record",
            "AUD-74",
            &chain,
            json!({ "calls/3-0": "" }),
        ),
    ] {
        let case = refuse(&format!("directory-{id}"), Some(log), directory);
        cases.push(case.says(title, evidence).spec(&format!("AUD-71 {spec}")));
    }
    cases.push(
        Case::audit("accept-nothing", None)
            .with("directory", json!({}))
            .with("expected_head", NO_HEAD)
            .answers(report(&[], &[], [0, 0, 0]))
            .says("No log was started, and none is expected", no_log)
            .spec("AUD-76 AUD-65"),
    );
    cases.push(
        Case::audit("nothing-head", None)
            .with("directory", json!({}))
            .with("expected_head", hash_of(&chain[2]))
            .says("No log was started where one is expected", no_log)
            .spec("AUD-76 AUD-65")
            .refused("audit.broken"),
    );
    cases
}

const PROOF_TYPE: &str = "application/vnd.mpp.attestation.v1";

/// `[CONS-10]` and `[CONS-12]`, from the spec: the proof that `ann` approved the call of the page's example.
fn proof(key: Key, nonce: &str) -> String {
    let expires = "2026-01-01T12:05:00Z";
    let body = format!(
        "content_hash sha256:f53dbd41ba3f28dd46806a4f47c09e5a53f00b6cd2a9c3951076c458e1f4df82\n\
         tool count_words\narguments {}\nby ann\nnonce {nonce}\nexpires {expires}\n",
        digest("{\"text\":\"hello\"}")
    );
    let bytes = format!("MPPv1 {} {PROOF_TYPE} {} {body}", PROOF_TYPE.len(), body.len());
    format!("{nonce} {expires} {} {}", key.id(), base64(&key.sign(bytes.as_bytes())))
}

/// Proofs of approval, verified with the public half of the host key.
fn proofs() -> Vec<Case> {
    let why = "Anyone with the public half of the host key can verify that each destructive call was approved.";
    let (first, second) = ("ab".repeat(16), "cd".repeat(16));
    let approved = |call: u64, proof: &str| {
        let mut record = intent(call);
        set(&mut record, "granted_by", "\"person:ann\"");
        set(&mut record, "attestation", quoted(proof));
        record
    };
    let good = || approved(1, &proof(APPROVER, &first));
    let other = |name: &str, text: &str| {
        let mut record = good();
        set(&mut record, name, text);
        vec![record]
    };
    let case = |id: &str, records: &[Members]| {
        Case::audit(id, Some(log(records))).with_member_file(
            "host_key",
            "pub",
            APPROVER.public_pem().as_bytes(),
        )
    };
    let two = [good(), approved(2, &proof(APPROVER, &second))];
    let mut cases = vec![
        case("accept-proofs", &two)
            .answers(json!({ "records": 2, "open": [1, 2], "proofs": 2 }))
            .says("Two proofs", why)
            .spec("CONS-12 CONS-10"),
        case("accept-proofs-none", &example())
            .answers(json!({ "records": 3, "proofs": 0 }))
            .says("Calls that needed no proof", why)
            .spec("CONS-12"),
    ];
    let hash = quoted(&format!("sha256:{}", "ab".repeat(32)));
    let short = proof(APPROVER, &first[2..]);
    for (id, title, records) in [
        ("twice", "One nonce twice", vec![good(), approved(2, &proof(APPROVER, &first))]),
        ("key", "A proof by another key", vec![approved(1, &proof(STRANGER, &first))]),
        ("tool", "A proof for another tool", other("tool", "\"count_lines\"")),
        ("arguments", "A proof for other arguments", other("arguments", &quoted(&digest("{}")))),
        ("package", "A proof for another package", other("content_hash", &hash)),
        ("person", "A proof by another person", other("granted_by", "\"person:bob\"")),
        ("policy", "A proof beside a rule", other("granted_by", "\"ann\"")),
        ("text", "A text that is no proof", vec![approved(1, "a proof")]),
        ("nonce", "A proof with a short nonce", vec![approved(1, &short)]),
    ] {
        cases.push(
            case(&format!("proof-{id}"), &records)
                .says(title, why)
                .spec("CONS-12")
                .refused("audit.broken"),
        );
    }
    cases
}
