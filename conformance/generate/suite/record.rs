//! What calls add to an audit log, on a host whose log key is known.

use super::audit::{
    digest, example, hash_of, intent, key_file, lines, lines_with, log, outcome, set, Members,
};
use super::case::Case;
use super::crypto::{sha256_hex, AUTHOR};
use super::package::{manifest, Package};
use super::run::{guest, saying, text_block};
use serde_json::{json, Value};

pub fn cases() -> Vec<Case> {
    let mut cases = refusals();
    cases.extend(calls());
    cases.extend(arguments());
    cases.extend(repairs());
    cases.extend(unavailable());
    cases
}

fn limited() -> Value {
    let mut manifest = manifest();
    manifest["runtime"] = json!({
        "target": "wasm32-wasip1", "memory_limit_mb": 1, "fuel": 1_000_000, "timeout_ms": 5000,
        "output_limit_kb": 1,
    });
    manifest["privacy_filters"] = json!({ "patterns": ["email"] });
    manifest
}

fn answer(result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()
}

fn package_of(module: Vec<u8>) -> Package {
    Package::new().with_manifest(&limited()).with("tool.wasm", module)
}

/// A new log with a known key.
fn started(files: Value) -> Value {
    let mut directory = json!({ "audit.key": key_file() });
    for (name, content) in files.as_object().into_iter().flatten() {
        directory[name.as_str()] = content.clone();
    }
    directory
}

fn record(id: &str, package: &Package, log: &[u8], files: Value) -> Case {
    Case::record(id, package.bytes(), Some(log.to_vec())).with("directory", started(files))
}

/// What a record says of a package that was verified, and of the call.
fn facts(package: &Package, arguments: &str) -> Value {
    json!({
        "package": "org.example.echo", "version": "1.0.0", "content_hash": package.content_hash(),
        "publisher": "Author", "signers": [AUTHOR.id()], "tool": "echo",
        "arguments": digest(arguments),
    })
}

fn merged(parts: &[Value]) -> Value {
    let mut all = json!({});
    for part in parts {
        for (name, value) in part.as_object().into_iter().flatten() {
            all[name.as_str()] = value.clone();
        }
    }
    all
}

fn start(seq: u64, kind: &str) -> Value {
    json!({ "v": 1, "seq": seq, "kind": kind })
}

fn nobody() -> Value {
    json!({ "agent": null, "traceparent": null })
}

fn refused(seq: u64, code: &str, package: &Package, changes: Value) -> Value {
    let code = json!({ "code": code });
    merged(&[start(seq, "refused"), code, facts(package, "{}"), nobody(), changes])
}

fn intended(seq: u64, package: &Package, changes: Value) -> Value {
    let rest = json!({
        "call": seq, "risk": "none", "capabilities": [], "granted_by": "default:none",
        "memory_bytes_max": 1 << 20, "fuel_max": 1_000_000, "timeout_ms": 5000,
        "output_bytes_max": 1024, "attestation": null,
    });
    merged(&[start(seq, "intent"), facts(package, "{}"), rest, nobody(), changes])
}

fn ended(seq: u64, call: u64, result: &str, stdout: &str, changes: Value) -> Value {
    let rest = json!({
        "call": call, "result": result, "stdout": digest(stdout), "answer": null, "privacy": {},
        "denied": 0, "services": {}, "changes": {},
    });
    merged(&[start(seq, "outcome"), rest, changes])
}

/// The digest of an answer that is a text.
fn answered(text: &str, is_error: bool) -> Value {
    let canonical = format!(
        "{{\"content\":[{{\"text\":\"{text}\",\"type\":\"text\"}}],\"is_error\":{is_error},\"structured_content\":null}}"
    );
    json!({ "answer": digest(&canonical) })
}

const FILES: [&str; 4] = ["audit.head", "audit.jsonl", "audit.key", "audit.lock"];

fn left(records: &[Value], more: &[&str]) -> Value {
    let mut files: Vec<&str> = [&FILES[..], more].concat();
    files.sort_unstable();
    json!({ "records": records, "files": files })
}

fn refusals() -> Vec<Case> {
    let why = "A refusal is recorded with what was known by then.";
    let package = package_of(saying(&answer(&json!("fine"))));
    let unknown = |changes: Value| refused(1, "request.unknown_tool", &package, changes);
    let nothing = json!({
        "package": null, "version": null, "content_hash": null, "publisher": null, "signers": [],
    });
    let broken = |bytes: &[u8]| {
        Case::record("refused-archive", bytes.to_vec(), Some(Vec::new()))
            .with("directory", started(json!({})))
    };
    let long = "x".repeat(300);
    let wide = format!("{}{}", "x".repeat(223), "\u{e9}".repeat(40));
    let call = |id: &str, tool: &str| record(id, &package, b"", json!({})).with("tool", tool);
    let agent = "x".repeat(128);
    vec![
        call("refused-agent-long", "nope")
            .with("agent", "x".repeat(129))
            .says("An agent's name of 129 characters", "Longer texts are not names.")
            .spec("RUN-11 LIM-206")
            .answers(left(&[unknown(json!({ "tool": "nope", "agent": agent }))], &[])),
        call("refused-agent-longest", "nope")
            .with("agent", agent.clone())
            .says("An agent's name of 128 characters", "Longer texts are not names.")
            .spec("RUN-11 LIM-206")
            .answers(left(&[unknown(json!({ "tool": "nope", "agent": agent }))], &[])),
        call("refused-listed-as", "nope")
            .with("listed_as", "md_nope")
            .says("A call of a tool by the name of this host", "Both names are recorded.")
            .spec("AUD-22 AUD-25")
            .answers(left(&[unknown(json!({ "tool": "nope", "listed_as": "md_nope" }))], &[])),
        call("refused-tool", "nope")
            .says("A call of a tool that the package does not have", why)
            .spec("AUD-22 AUD-25 AUD-32 AUD-70")
            .answers(left(&[unknown(json!({ "tool": "nope" }))], &[])),
        broken(b"PK")
            .says("A package that is not an archive", why)
            .spec("AUD-22")
            .answers(left(&[refused(1, "archive.end_record", &package, nothing.clone())], &[])),
        record("refused-policy", &package, b"", json!({}))
            .with(
                "policy",
                json!({ "format": "mpp-policy/1", "deny": { "packages": ["org.example.echo"] } }),
            )
            .says("A package that the policy denies", why)
            .spec("AUD-22")
            .answers(left(&[refused(1, "policy.denied", &package, json!({}))], &[])),
        record("refused-trust", &package, b"", json!({}))
            .with("trust", super::publisher::store_path("empty"))
            .says("A package of an unknown publisher", why)
            .spec("AUD-22")
            .answers(left(&[refused(1, "publisher.unknown", &package, nothing)], &[])),
        call("refused-long", &long)
            .says("A tool's name of 300 letters", "What comes from outside is cut.")
            .spec("AUD-13 LIM-50")
            .answers(left(
                &[unknown(json!({ "tool": format!("{}...[+76 bytes]", "x".repeat(224)) }))],
                &[],
            )),
        call("refused-longest", &"x".repeat(256))
            .says("A tool's name of 256 letters", "What is not too long is not cut.")
            .spec("AUD-13 LIM-50")
            .answers(left(&[unknown(json!({ "tool": "x".repeat(256) }))], &[])),
        call("refused-wide", &wide)
            .says(
                "A tool's name with a letter of two bytes where it is cut",
                "A text is cut between characters.",
            )
            .spec("AUD-13 AUD-11")
            .answers(left(
                &[unknown(json!({ "tool": format!("{}...[+80 bytes]", "x".repeat(223)) }))],
                &[],
            )),
        call("refused-agent", "nope")
            .with("agent", "agent \u{1f600}")
            .with("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
            .says("The agent and its trace", "Who called is part of every record.")
            .spec("AUD-22 AUD-11")
            .answers(left(
                &[unknown(json!({
                    "tool": "nope", "agent": "agent \u{1f600}",
                    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                }))],
                &[],
            )),
    ]
}

fn calls() -> Vec<Case> {
    let why =
        "The intent is recorded before a tool runs, and the outcome before its result is returned.";
    let of = |id: &str, text: &str, result: &str, changes: Value| {
        let package = package_of(saying(text));
        let records = [intended(1, &package, json!({})), ended(2, 1, result, text, changes)];
        record(id, &package, b"", json!({})).answers(left(&records, &[]))
    };
    let fine = answer(&json!("fine"));
    let failed = answer(&json!({ "content": text_block("no"), "isError": true }));
    let personal = answer(&json!("ask ann@example.com"));
    let trap = package_of(guest("unreachable", ""));
    let filtered = merged(&[answered("ask [EMAIL]", false), json!({ "privacy": { "email": 1 } })]);
    let mut person = merged(&[intended(1, &package_of(saying(&fine)), json!({}))]);
    person["granted_by"] = json!("person:the case");
    vec![
        of("call", &fine, "ok", answered("fine", false))
            .says("A call that succeeds", why)
            .spec("AUD-01 AUD-20 AUD-21 AUD-14 AUD-53"),
        of("call-error", &failed, "tool_error", answered("no", true))
            .says("A call whose tool reports an error", why)
            .spec("AUD-21 AUD-14"),
        of("call-filtered", &personal, "ok", filtered)
            .says(
                "A call whose answer is filtered",
                "The log has digests of both texts, and no text.",
            )
            .spec("AUD-21 AUD-14"),
        of("call-bad-answer", "hello", "tool.bad_answer", json!({}))
            .says("A call whose answer is not one", why)
            .spec("AUD-21"),
        record("call-trap", &trap, b"", json!({}))
            .answers(left(
                &[intended(1, &trap, json!({})), ended(2, 1, "tool.trap", "", json!({}))],
                &[],
            ))
            .says("A call that traps", why)
            .spec("AUD-21"),
    ]
}

/// The digest of arguments is over their canonical text.
fn arguments() -> Vec<Case> {
    let why = "Equal values have equal digests, however they were written.";
    let mut cases = Vec::new();
    for (id, title, arguments, canonical) in [
        (
            "order",
            "Members out of order",
            json!({ "b": 1, "a": [true, null, {}] }),
            r#"{"a":[true,null,{}],"b":1}"#,
        ),
        (
            "names",
            "Names in the order of their bytes, not of UTF-16 or of letters",
            json!({ "\u{ffff}": 1, "\u{1f600}": 2, "Z": 3, "a": 4, "": 5 }),
            r#"{"":5,"Z":3,"a":4,"\uffff":1,"\ud83d\ude00":2}"#,
        ),
        (
            "numbers",
            "Fractions",
            json!({ "x": [1.5, -0.00025, 1.0, 1e21, -0.0, 5e-324] }),
            r#"{"x":[1.5e0,-2.5e-4,1e0,1e21,-0e0,5e-324]}"#,
        ),
        (
            "integers",
            "The greatest and the least integer",
            json!({ "x": [u64::MAX, i64::MIN, 0, -1] }),
            r#"{"x":[18446744073709551615,-9223372036854775808,0,-1]}"#,
        ),
        (
            "texts",
            "Texts with all kinds of characters",
            json!({ "x": "\"\\/\u{0}\n\u{7f}\u{e9}\u{2028}\u{1f600}" }),
            r#"{"x":"\"\\/\u0000\u000a\u007f\u00e9\u2028\ud83d\ude00"}"#,
        ),
    ] {
        let package = package_of(saying(&answer(&json!("fine"))));
        let changes = json!({ "tool": "nope", "arguments": digest(canonical) });
        let records = [refused(1, "request.unknown_tool", &package, changes)];
        cases.push(
            record(&format!("arguments-{id}"), &package, b"", json!({}))
                .with("tool", "nope")
                .with("arguments", arguments)
                .answers(left(&records, &[]))
                .says(title, why)
                .spec("AUD-10 AUD-11 AUD-12 AUD-14"),
        );
    }
    cases
}

/// The records of a log as the answer has them.
fn earlier(records: &[Members]) -> Vec<Value> {
    let read = |line: &String| {
        let mut record: Value = serde_json::from_str(line).unwrap_or_default();
        for name in ["prev", "time", "hash", "fuel_used", "duration_ms", "source"] {
            record.as_object_mut().map(|members| members.remove(name));
        }
        record
    };
    lines(records).iter().map(read).collect()
}

/// Logs of writers that died.
fn repairs() -> Vec<Case> {
    let package = package_of(saying(&answer(&json!("fine"))));
    let whole = log(&example());
    let [one, two, three] = example();
    let nope = |seq: u64| refused(seq, "request.unknown_tool", &package, json!({ "tool": "nope" }));
    let torn = |seq: u64, file: &str, bytes: &[u8]| {
        let rest = json!({ "file": file, "bytes": bytes.len(), "sha256": sha256_hex(bytes) });
        merged(&[start(seq, "torn"), rest])
    };
    let call =
        |id: &str, log: &[u8], files: Value| record(id, &package, log, files).with("tool", "nope");
    let after = |records: &[Members], new: &[Value]| [&earlier(records), new].concat();
    let aside = "An incomplete line is no record; it is kept aside, and a record says so.";
    let died = "A call whose process died is recorded as lost before the next one.";
    let half: &[u8] = b"{\"v\":1,\"seq\":4,";
    let next = lines(&[one.clone(), two.clone(), three.clone(), intent(4)])[3].clone();
    let next = next.trim_end();
    let records = example();
    let with = |tail: &[u8]| [&whole[..], tail].concat();
    let fine = |seq: u64| {
        [
            intended(seq, &package, json!({})),
            ended(seq + 1, seq, "ok", &answer(&json!("fine")), answered("fine", false)),
        ]
    };
    let one_line = lines(std::slice::from_ref(&one)).concat().len();
    let mut cases = vec![
        call("repair-none", &whole, json!({}))
            .answers(left(&after(&records, &[nope(4)]), &[]))
            .says("A log that is as it has to be", "Records go on where the last one ended.")
            .spec("AUD-41 AUD-03"),
        call("repair-torn", &with(half), json!({}))
            .answers(left(
                &after(&records, &[torn(4, "audit.torn-4", half), nope(5)]),
                &["audit.torn-4"],
            ))
            .says("The start of a line at the end", aside)
            .spec("AUD-44 AUD-45 AUD-24"),
        call("repair-torn-record", &with(next.as_bytes()), json!({}))
            .answers(left(
                &after(&records, &[torn(4, "audit.torn-4", next.as_bytes()), nope(5)]),
                &["audit.torn-4"],
            ))
            .says("A whole record without its line feed", aside)
            .spec("AUD-44 AUD-45"),
        call("repair-torn-first", half, json!({}))
            .answers(left(&[torn(1, "audit.torn-1", half), nope(2)], &["audit.torn-1"]))
            .says("The start of the first line", aside)
            .spec("AUD-44 AUD-45"),
        call("repair-torn-again", &with(half), json!({ "audit.torn-4": "earlier" }))
            .answers(left(
                &after(&records, &[torn(4, "audit.torn-4", &[b"earlier", half].concat()), nope(5)]),
                &["audit.torn-4"],
            ))
            .says("The start of a line, and a file of that record", aside)
            .spec("AUD-45"),
        call("repair-aside", &whole, json!({ "audit.torn-4": "earlier" }))
            .answers(left(
                &after(&records, &[torn(4, "audit.torn-4", b"earlier"), nope(5)]),
                &["audit.torn-4"],
            ))
            .says("A line that was set aside, whose record is missing", aside)
            .spec("AUD-46"),
        call("repair-aside-old", &whole, json!({ "audit.torn-3": "earlier" }))
            .answers(left(&after(&records, &[nope(4)]), &["audit.torn-3"]))
            .says("A file of another record", aside)
            .spec("AUD-46"),
        call("repair-name-taken", &with(half), json!({ "audit.torn-4/x": "" }))
            .answers(left(
                &after(&records, &[torn(4, "audit.torn-4-1", half), nope(5)]),
                &["audit.torn-4/x", "audit.torn-4-1"],
            ))
            .says(
                "A directory of the name for the line",
                "What another program made stops no writer.",
            )
            .spec("AUD-75"),
        record(
            "repair-lost",
            &package,
            &log(std::slice::from_ref(&one)),
            json!({ "calls/1-0": "" }),
        )
        .answers(left(
            &[
                &earlier(std::slice::from_ref(&one))[..],
                &[merged(&[start(2, "lost"), json!({ "call": 1 })])],
                &fine(3),
            ]
            .concat(),
            &[],
        ))
        .says("The file of a call without an outcome", died)
        .spec("AUD-51 AUD-52 AUD-23"),
        record("repair-lost-file-gone", &package, &log(std::slice::from_ref(&one)), json!({}))
            .answers(left(&[&earlier(std::slice::from_ref(&one))[..], &fine(2)].concat(), &[]))
            .says("A call without an outcome and without a file", "The call stays open.")
            .spec("AUD-52"),
        record("repair-ended", &package, &whole, json!({ "calls/1-0": "" }))
            .answers(left(&after(&records, &fine(4)), &[]))
            .says("The file of a call that has an outcome", died)
            .spec("AUD-52"),
        record(
            "repair-not-started",
            &package,
            &whole,
            json!({ format!("calls/4-{}", whole.len()): "" }),
        )
        .answers(left(&after(&records, &fine(4)), &[]))
        .says("The file of a call whose intent was not written", died)
        .spec("AUD-52"),
        record(
            "repair-two-lost",
            &package,
            &log(&[one.clone(), intent(2), outcome(2), intent(4)]),
            json!({
                "calls/1-0": "", format!("calls/2-{one_line}"): "",
                format!("calls/4-{}", log(&[one.clone(), intent(2), outcome(2)]).len()): "",
            }),
        )
        .answers(left(
            &[
                &earlier(&[one.clone(), intent(2), outcome(2), intent(4)])[..],
                &[
                    merged(&[start(5, "lost"), json!({ "call": 1 })]),
                    merged(&[start(6, "lost"), json!({ "call": 4 })]),
                ],
                &fine(7),
            ]
            .concat(),
            &[],
        ))
        .says("The files of two lost calls, and of one that ended", died)
        .spec("AUD-51 AUD-52"),
    ];
    let calls = |count: u64| {
        (1..=count)
            .map(|seq| (format!("calls/{seq}-0"), "".into()))
            .collect::<serde_json::Map<_, _>>()
    };
    let many = "Each new call checks all files of calls.";
    cases.push(
        record("calls-most", &package, b"", Value::Object(calls(1024)))
            .answers(left(&fine(1), &[]))
            .says("1024 files of calls that never started", many)
            .spec("AUD-54 LIM-53"),
    );
    cases.push(
        record("calls-more", &package, b"", Value::Object(calls(1025)))
            .says("1025 files of calls", many)
            .spec("AUD-54 LIM-53")
            .refused("audit.unavailable"),
    );
    cases.push(
        Case::record("new", package.bytes(), None)
            .with("tool", "nope")
            .with("directory", json!({}))
            .with("arguments", json!({}))
            .answers(json!({ "files": left(&[], &[])["files"] }))
            .says("A host without a log", "The first call makes the log and its key.")
            .spec("AUD-32 AUD-33"),
    );
    cases
}

/// Logs that nothing is added to, and a tool that therefore does not run.
fn unavailable() -> Vec<Case> {
    let why = "Without a record nothing runs.";
    let package = package_of(saying(&answer(&json!("fine"))));
    let records = example();
    let whole = log(&records);
    let chain = lines(&records);
    let text = String::from_utf8_lossy(&whole).into_owned();
    let version = lines_with(&records, |seq, record: &mut Members| {
        if seq == 3 {
            set(record, "v", "2");
        }
    });
    let head = format!("{} {}\n", whole.len(), hash_of(&chain[2]));
    let mut cases = Vec::new();
    for (id, title, spec, log, files) in [
        (
            "last-changed",
            "A last line that was changed",
            "AUD-41",
            text.replace("evil.mpp", "good.mpp").into_bytes(),
            json!({}),
        ),
        (
            "last-version",
            "A last line of another version",
            "AUD-41",
            version.concat().into_bytes(),
            json!({}),
        ),
        (
            "last-text",
            "A last line that is no record",
            "AUD-41",
            [&whole[..], b"hello\n"].concat(),
            json!({}),
        ),
        ("last-blank", "A blank last line", "AUD-41", [&whole[..], b"\n"].concat(), json!({})),
        (
            "head-beyond",
            "The head of a record that is missing",
            "AUD-71 AUD-73",
            chain[..2].concat().into_bytes(),
            json!({ "audit.head": head }),
        ),
        (
            "head-empty",
            "A head beside a log without records",
            "AUD-71 AUD-73",
            Vec::new(),
            json!({ "audit.head": head }),
        ),
        (
            "call-inside",
            "The file of a call within a line",
            "AUD-71 AUD-74",
            whole.clone(),
            json!({ "calls/1-1": "" }),
        ),
    ] {
        cases.push(
            record(&format!("broken-{id}"), &package, &log, files)
                .says(title, why)
                .spec(&format!("AUD-01 {spec}"))
                .refused("audit.broken"),
        );
    }
    cases.push(
        Case::record("broken-missing", package.bytes(), None)
            .with("directory", started(json!({})))
            .says("A key without a log", why)
            .spec("AUD-01 AUD-71 AUD-72 AUD-33")
            .refused("audit.broken"),
    );
    cases.push(
        Case::record("key-missing", package.bytes(), Some(whole.clone()))
            .with("directory", json!({}))
            .says("Records without a key", why)
            .spec("AUD-01 AUD-32")
            .refused("audit.unavailable"),
    );
    for (id, title, key) in [
        ("key-short", "A key of 31 bytes", format!("{}\n", "0b".repeat(31))),
        ("key-feed", "A key without a line feed", "0b".repeat(32)),
        ("key-capital", "A key in capital letters", format!("{}\n", "0B".repeat(32))),
        ("key-empty", "An empty key", String::new()),
    ] {
        cases.push(
            Case::record(id, package.bytes(), Some(Vec::new()))
                .with("directory", json!({ "audit.key": key }))
                .says(title, why)
                .spec("AUD-01 AUD-32")
                .refused("audit.unavailable"),
        );
    }
    cases.push(
        record("calls-name", &package, &whole, json!({ "calls/note.txt": "" }))
            .says("A file among those of calls that is none", why)
            .spec("AUD-01 AUD-54")
            .refused("audit.unavailable"),
    );
    cases
}
