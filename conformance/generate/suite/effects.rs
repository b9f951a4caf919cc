//! Calls on a scripted host: approvals, records, secrets, storage and commits.

use super::case::Case;
use super::crypto::{Key, APPROVER, AUTHOR};
use super::package::{manifest, Package};
use super::run::{guest, saying, text_block};
use super::sandbox::{files_manifest, files_policy, runtime, ID};
use super::script::Script;
use serde_json::{json, Value};

const SECRET: &str = "correct-horse-battery";

fn response(result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()
}

fn fine() -> Value {
    json!({ "content": text_block("fine"), "is_error": false })
}

fn code(code: &str) -> Value {
    json!({ "code": code })
}

fn of(id: &str, manifest: &Value, module: Vec<u8>) -> Case {
    let package = Package::new().with_manifest(manifest).with("tool.wasm", module);
    Case::call(&format!("effects/{id}"), package.bytes())
}

/// A package that asks for something, and says `fine`.
fn asking(capabilities: Value) -> Value {
    let mut manifest = manifest();
    manifest["capabilities"] = capabilities;
    manifest
}

fn says_fine() -> Vec<u8> {
    saying(&response(&json!("fine")))
}

fn with_format(mut policy: Value) -> Value {
    policy["format"] = json!("mpp-policy/1");
    policy
}

/// A script that may write, on a host with `/srv/out`.
fn writing(id: &str, text: &str) -> Case {
    let script = Script::new(text);
    let case = of(id, &files_manifest(), script.module());
    case.with("guest", script.lines.clone())
        .with("policy", files_policy())
        .with(
            "host",
            json!({ "directories": {
        "/srv/data": { "one": "1" }, "/srv/out": { "old": "old" } } }),
        )
        .answers(json!({ "calls": [script.answer()] }))
}

/// Without assets: 3 is `/data`, 4 `/out` and 5 `/storage`.
const WRITES: &str = r#"path_open 4 0 "old" TRUNC READ|WRITE 0 0 #4 => [0,6]
    fd_write 6 {new} #4 => [0,3]
    path_open 4 0 "made" CREAT WRITE 0 0 #4 => [0,7]
    path_open 5 0 "kept" CREAT WRITE 0 0 #4 => [0,8]
    fd_write 8 {kept} #4 => [0,4]"#;

fn before() -> Value {
    json!({ "/srv/data": { "one": "1" }, "/srv/out": { "old": "old" } })
}

fn storage(key: &super::crypto::Key, files: Value) -> Value {
    json!({ "package": ID, "publisher_key": key.id(), "files": files })
}

trait Host {
    fn host(self, member: &str, value: Value) -> Self;
}

impl Host for Case {
    /// Sets a member of the host.
    fn host(self, member: &str, value: Value) -> Self {
        let found = self.input.iter().find(|(name, _)| *name == "host");
        let mut host = found.map_or_else(|| json!({}), |(_, host)| host.clone());
        host[member] = value;
        self.with("host", host)
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = consent();
    cases.extend(proofs());
    cases.extend(pipeline());
    cases.extend(commits());
    cases.extend(storages());
    cases.extend(secrets());
    cases.extend(limits());
    cases
}

fn consent() -> Vec<Case> {
    let again = "An approval is for exactly what was shown.";
    let twice = json!([{ "tool": "echo" }, { "tool": "echo" }]);
    let reading = asking(json!({ "filesystem": { "read": ["/data"] }, "environment": ["A_KEY"] }));
    let second = |policy: Value| json!([{ "tool": "echo" }, { "tool": "echo", "policy": with_format(policy) }]);
    let map = |host: &str| json!({ "directories": [{ "guest": "/data", "host": host }] });
    let directories = json!({ "/srv/data": {}, "/srv/other": {} });
    let base = |id: &str| {
        let case = of(id, &reading, says_fine()).with("policy", with_format(map("/srv/data")));
        case.host("directories", directories.clone()).host("person", json!("remembers"))
    };
    let hash = |manifest: &Value| {
        Package::new().with_manifest(manifest).with("tool.wasm", says_fine()).content_hash()
    };
    // CONS-06
    let grants = |items: Value| {
        format!("sha256:{}", super::crypto::sha256_hex(canonical(&items).as_bytes()))
    };
    let question = |items: Value| {
        json!({ "package": ID, "version": "1.0.0", "publisher": "Author", "content_hash": hash(&reading), "tool": "echo",
                "arguments": {}, "destructive": false, "level": "medium", "grants": grants(items), "agent": null })
    };
    let path = |text: &str| super::crypto::hex(text.as_bytes());
    let item =
        |host: &str| json!({ "directory": "/data", "host_path": path(host), "writable": false });
    let unset = json!({ "variable": "A_KEY", "given": null });
    let first = question(json!([item("/srv/data"), unset]));
    let mut cases = vec![
        base("question")
            .says("What a person is shown", "A person approves what will be granted.")
            .spec("CONS-01 CONS-06 POLICY-07")
            .with("calls", json!([{ "tool": "echo", "arguments": { "a": [1, "x"] }, "agent": { "name": "agent", "version": "2" } }]))
            .answers({
                let mut question = first.clone();
                question["arguments"] = json!({ "a": [1, "x"] });
                question["agent"] = json!("agent 2");
                json!({ "calls": [fine()], "questions": [question], "granted_by": ["person:ann"], "records": ["intent", "outcome ok"] })
            }),
        base("remembered")
            .with("calls", twice.clone())
            .says("A second call after an approval that is remembered", again)
            .spec("CONS-02 CONS-06")
            .answers(json!({ "calls": [fine(), fine()], "questions": [first], "granted_by": ["person:ann", "person:ann"] })),
        base("remembered-ask-always")
            .with("calls", second({ let mut policy = map("/srv/data"); policy["ask_always"] = json!(true); policy }))
            .says("A remembered approval where everything is asked about", "It was asked about.")
            .spec("CONS-02")
            .answers(json!({ "calls": [fine(), fine()], "questions": [first] })),
        base("once")
            .host("person", json!("agrees"))
            .with("calls", twice.clone())
            .says("A second call after an approval of one", again)
            .spec("CONS-02")
            .answers(json!({ "calls": [fine(), fine()], "questions": [first, first] })),
        base("remembered-other-directory")
            .with("calls", second(map("/srv/other")))
            .says("Another directory than the one that was approved", again)
            .spec("CONS-02 CONS-06")
            .answers(json!({ "calls": [fine(), fine()], "questions": [first, question(json!([item("/srv/other"), unset]))] })),
        base("remembered-variable")
            .with("calls", second({ let mut policy = map("/srv/data"); policy["environment"] = json!([{ "name": "A_KEY", "value": "aaaaaaaa" }]); policy }))
            .says("A variable that is set after the approval", again)
            .spec("CONS-02 CONS-06")
            .answers(json!({ "calls": [fine(), fine()], "questions": [first, question(json!([item("/srv/data"), { "variable": "A_KEY", "given": { "secret": null } }]))] })),
        base("remembered-off")
            .with("calls", second({ let mut policy = map("/srv/data"); policy["consent"] = json!({ "remember": false }); policy }))
            .says("A remembered approval where none may be remembered", again)
            .spec("CONS-02")
            .answers(json!({ "calls": [fine(), fine()], "questions": [first, first] })),
        base("declined-second")
            .host("person", json!(["agrees", "declines"]))
            .with("calls", twice.clone())
            .says("A person who approves one call and declines the next", again)
            .spec("CONS-02 POLICY-07 RUN-03")
            .answers(json!({ "calls": [fine(), code("policy.declined")], "records": ["intent", "outcome ok", "refused policy.declined"] })),
        base("silent")
            .host("person", json!("silent"))
            .says("A person who does not answer", "No answer is no approval.")
            .spec("RUN-04 CONS-01")
            .answers(json!({ "calls": [code("policy.confirmation_required")], "records": ["refused policy.confirmation_required"] })),
        base("absent")
            .host("person", json!("absent"))
            .with("calls", json!([{ "tool": "echo", "arguments": { "approved": true, "person": "ann", "confirm": "yes" } }]))
            .says("Arguments that claim an approval", "Nothing in a request counts as approval.")
            .spec("RUN-04")
            .answers(json!({ "calls": [code("policy.confirmation_required")] })),
    ];
    let mut next = reading.clone();
    next["version"] = json!("1.0.1");
    let next = Package::new().with_manifest(&next).with("tool.wasm", says_fine()).bytes();
    let case = base("remembered-version").with_file("next.mpp", next);
    let file = case.files.last().unwrap().0.clone();
    cases.push(
        case.with("calls", json!([{ "tool": "echo" }, { "tool": "echo", "package": file }]))
            .host("person", json!(["remembers", "declines"]))
            .says("A new version of a package that was approved", again)
            .spec("CONS-02")
            .answers(json!({ "calls": [fine(), code("policy.declined")] })),
    );
    for (id, title, trust, code_of) in [
        (
            "trust-lost",
            "A publisher that is no longer trusted when the person has answered",
            "stores/empty.json",
            "publisher.unknown",
        ),
        (
            "trust-revoked",
            "A key that is revoked while the person is asked",
            "stores/author-revoked.json",
            "publisher.key_revoked",
        ),
        (
            "trust-version",
            "A newer version that was seen while the person was asked",
            "stores/seen-1.2.0.json",
            "manifest.downgrade",
        ),
    ] {
        cases.push(
            base(id)
                .host("when_asked", json!(trust))
                .with("calls", twice.clone())
                .says(title, "What the decision was based on holds until the package runs, and is remembered only then.")
                .spec("RUN-13 CONS-05")
                .answers(json!({ "calls": [code(code_of), code(code_of)], "records": [format!("refused {code_of}"), format!("refused {code_of}")] })),
        );
    }
    cases
}

/// AUD-10, for what these cases have: keys of ASCII, in order.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn proofs() -> Vec<Case> {
    let proof = "What cannot be undone is approved for exactly one call.";
    let mut erasing = manifest();
    erasing["tools"][0]["sensitivity"] = json!("destructive");
    let mut both = asking(json!({ "filesystem": { "read": ["/data"] } }));
    let mut erase = erasing["tools"][0].clone();
    erase["name"] = json!("erase");
    both["tools"].as_array_mut().expect("tools").push(erase);
    let mut cases = signed_proofs(&erasing);
    let twice = json!([{ "tool": "echo" }, { "tool": "echo" }]);
    let trusted =
        with_format(json!({ "trusted_packages": [ID], "trusted_publishers": ["Author"] }));
    cases.extend([
        of("proofless", &erasing, says_fine())
            .host("person", json!("proofless"))
            .says("An approval without a proof", proof)
            .spec("CONS-03")
            .answers(json!({ "calls": [code("policy.attestation")], "records": ["refused policy.attestation"] })),
        of("proof-trusted", &erasing, says_fine())
            .with("policy", trusted)
            .host("person", json!("absent"))
            .says("A destructive tool of a trusted package, without a person", proof)
            .spec("CONS-03 POLICY-05")
            .answers(json!({ "calls": [code("policy.confirmation_required")] })),
        of("proof-other-tool", &both, says_fine())
            .host("person", json!(["remembers", "declines"]))
            .with("calls", json!([{ "tool": "echo" }, { "tool": "erase" }]))
            .says("A destructive tool after a remembered approval of another one of its package", proof)
            .spec("CONS-02 CONS-03")
            .answers(json!({ "calls": [fine(), code("policy.declined")] })),
        of("proof-each", &erasing, says_fine())
            .host("person", json!("remembers"))
            .with("calls", twice)
            .says("Two calls of a destructive tool", proof)
            .spec("CONS-03 CONS-11")
            .answers(json!({ "calls": [fine(), fine()], "granted_by": ["person:ann", "person:ann"] })),
    ]);
    cases
}

/// HMAC-SHA-256 (RFC 2104) under a key of 32 bytes.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let digest = |bytes: Vec<u8>| super::crypto::unhex(&super::crypto::sha256_hex(&bytes));
    let pad = |byte: u8| {
        let padded = key.iter().copied().chain([0; 32]);
        padded.map(|it| it ^ byte).collect::<Vec<u8>>()
    };
    let inner = digest([&pad(0x36), message].concat());
    digest([pad(0x5c), inner].concat())
}

/// A digest under the key of the log of scripted hosts.
fn keyed(message: &[u8]) -> String {
    format!("hmac-sha256:{}", super::crypto::hex(&hmac(&[5; 32], message)))
}

/// What a proof is about, and who signs it.
struct Proof {
    kind: &'static str,
    hash: String,
    tool: &'static str,
    arguments: String,
    by: &'static str,
    nonce: String,
    expires: &'static str,
    key: Key,
}

impl Proof {
    /// CONS-10.
    fn signature(&self) -> String {
        let Proof { kind, hash, tool, arguments, by, nonce, expires, key } = self;
        let body = format!(
            "content_hash {hash}\ntool {tool}\narguments {arguments}\nby {by}\nnonce {nonce}\nexpires {expires}\n"
        );
        let payload = format!("MPPv1 {} {kind} {} {body}", kind.len(), body.len());
        super::crypto::base64(&key.sign(payload.as_bytes()))
    }

    /// CONS-12.
    fn text(&self) -> String {
        format!("{} {} {} {}", self.nonce, self.expires, self.key.id(), self.signature())
    }
}

/// Proofs that are put together from CONS-10, each other than the first in one thing.
fn signed_proofs(manifest: &Value) -> Vec<Case> {
    let package = Package::new().with_manifest(manifest).with("tool.wasm", says_fine());
    let good = || Proof {
        kind: "application/vnd.mpp.attestation.v1",
        hash: package.content_hash(),
        tool: "echo",
        arguments: keyed(b"{\"a\":[1,\"x\"]}"),
        by: "ann",
        nonce: "0123456789abcdef".repeat(2),
        expires: "2026-06-01T00:05:00Z",
        key: Key::ALL[6],
    };
    let call = json!({ "tool": "echo", "arguments": { "a": [1, "x"] } });
    let refused = "policy.attestation";
    let case = |id: &str, title: &str, proof: String| {
        of(&format!("proof-{id}"), manifest, says_fine())
            .with("calls", json!([call]))
            .host("person", json!({ "answer": "proof", "by": "ann", "proof": proof }))
            .says(title, "A proof is for exactly one call, by one person, until one time.")
            .spec("CONS-10 CONS-11")
            .answers(json!({ "calls": [code(refused)], "records": [format!("refused {refused}")] }))
    };
    let mut cases = vec![
        case("valid", "A proof for exactly this call", good().text())
            .spec("CONS-10 CONS-11 CONS-12 AUD-14 LIM-251")
            .answers(json!({ "calls": [fine()], "attestation": [good().text()],
                             "arguments": [good().arguments], "granted_by": ["person:ann"] })),
        case("reused", "A proof that was used", good().text())
            .with("calls", json!([call, call]))
            .answers(json!({ "calls": [fine(), code(refused)],
                             "records": ["intent", "outcome ok", format!("refused {refused}")] })),
    ];
    for (id, title, proof) in [
        (
            "expired",
            "A proof that has expired",
            Proof { expires: "2026-05-31T23:59:59Z", ..good() },
        ),
        (
            "long",
            "A proof that is valid for a second too long",
            Proof { expires: "2026-06-01T00:05:01Z", ..good() },
        ),
        ("other-key", "A proof of another key", Proof { key: AUTHOR, ..good() }),
    ] {
        cases.push(case(id, title, proof.text()));
    }
    // Signed for something else, and shown for this call.
    let zeros = "0".repeat(64);
    for (id, title, signed) in [
        (
            "package",
            "A proof for another package",
            Proof { hash: format!("sha256:{zeros}"), ..good() },
        ),
        ("tool", "A proof for another tool", Proof { tool: "erase", ..good() }),
        (
            "arguments",
            "A proof for other arguments of the tool",
            Proof { arguments: keyed(b"{}"), ..good() },
        ),
        ("by", "A proof of another person", Proof { by: "eve", ..good() }),
        ("nonce", "A proof with another nonce", Proof { nonce: "0".repeat(32), ..good() }),
        (
            "expires",
            "A proof with another end",
            Proof { expires: "2026-06-01T00:04:00Z", ..good() },
        ),
        ("type", "A signature of another type", Proof { kind: super::package::TYPE, ..good() }),
        (
            "key-id",
            "A signature of another key than the proof names",
            Proof { key: AUTHOR, ..good() },
        ),
    ] {
        let Proof { nonce, expires, key, .. } = good();
        cases.push(case(
            id,
            title,
            format!("{nonce} {expires} {} {}", key.id(), signed.signature()),
        ));
    }
    cases
}

fn pipeline() -> Vec<Case> {
    let recorded = "What runs is recorded before, and what leaves is recorded before.";
    let mut filtered = manifest();
    filtered["privacy_filters"] = json!({ "patterns": ["email"] });
    let mail = "ann@example.com";
    let mut cases = vec![
        writing("record-intent", WRITES)
            .host("log_fails_at", json!(0))
            .says("A log that takes no record before the call", recorded)
            .spec("RUN-01")
            .answers(json!({ "calls": [code("audit.unavailable")], "files": before(), "storage": [], "records": [] })),
        writing("record-outcome", WRITES)
            .host("log_fails_at", json!(1))
            .says("A log that takes no record after the call", recorded)
            .spec("RUN-02")
            .answers(json!({ "calls": [code("audit.unavailable")], "records": ["intent"] })),
        of("record-unverified", &manifest(), b"no module".to_vec())
            .says("A package that is refused by the checks", "A refusal is recorded under the hash of what was refused.")
            .spec("RUN-03")
            .answers(json!({ "calls": [code("module.invalid")], "records": ["refused module.invalid"] })),
        of("filter-detail", &filtered, guest("(call 2 (i32.const 2) (i32.const 22)) (call 1 (i32.const 3))", &format!("failed for {mail}")))
            .with("watch", json!([mail]))
            .says("A failure whose detail has an address that is to be filtered", "Every copy of what a tool wrote is filtered.")
            .spec("RUN-07")
            .answers(json!({ "calls": [code("tool.exit_status")], "seen": [] })),
        of("filter-bad-answer", &filtered, saying(&format!("{mail} is not JSON")))
            .with("watch", json!([mail]))
            .says("A response that is not JSON and has an address", "Every copy of what a tool wrote is filtered.")
            .spec("RUN-07")
            .answers(json!({ "calls": [code("tool.bad_answer")], "seen": [] })),
        of("filter-forced", &filtered, saying(&response(&json!(format!("{mail} has EMP-123456")))))
            .with("policy", with_format(json!({ "privacy_filters": { "custom": [{ "name": "EMPLOYEE_ID", "pattern": "EMP-[0-9]{6}" }] } })))
            .needs("patterns")
            .says("A pattern of the policy besides that of the manifest", "Both apply.")
            .spec("RUN-08 RUN-06")
            .answers(json!({ "calls": [{ "content": text_block("[EMAIL] has [EMPLOYEE_ID]"), "is_error": false }], "privacy": [{ "EMPLOYEE_ID": 1, "email": 1 }] })),
        of("cancelled", &manifest(), says_fine())
            .host("cancelled", json!(true))
            .says("A call that was cancelled before it ran", "It ends, and nothing of it is returned.")
            .spec("BOX-38 BOX-20")
            .answers(json!({ "calls": [code("tool.cancelled")], "records": ["intent", "outcome tool.cancelled"] })),
    ];
    // PRIV-77 and PRIV-79.
    let purpose = super::crypto::unhex(&super::crypto::sha256_hex(b"pseudonyms"));
    let pseudonym = hmac(&hmac(&purpose, &[5; 32]), format!("EMAIL\0{mail}").as_bytes());
    let letter = |half: u8| char::from(b'A' + half);
    let letters: String =
        pseudonym[..8].iter().flat_map(|byte| [letter(byte >> 4), letter(byte & 15)]).collect();
    cases.push(
        of("pseudonym", &filtered, saying(&response(&json!(mail))))
            .with("policy", with_format(json!({ "privacy_replacement": "pseudonym" })))
            .says("A pseudonym under the key of a host", "It is the same in every call on this host, and on no other.")
            .spec("PRIV-79 PRIV-77")
            .answers(json!({ "calls": [{ "content": text_block(&format!("[EMAIL:{letters}]")), "is_error": false }] })),
    );
    let mut newer = asking(json!({ "filesystem": { "read": ["/data"] } }));
    let older = newer.clone();
    newer["version"] = json!("1.1.0");
    let newer = Package::new().with_manifest(&newer).with("tool.wasm", says_fine()).bytes();
    for (id, title, person, results) in [
        (
            "seen-declined",
            "A newer version whose call was declined",
            json!(["declines", "agrees"]),
            json!([code("policy.declined"), fine()]),
        ),
        (
            "seen-allowed",
            "A newer version whose call was allowed",
            json!("agrees"),
            json!([fine(), code("manifest.downgrade")]),
        ),
    ] {
        let case = of(id, &older, says_fine()).with_file("newer.mpp", newer.clone());
        let file = case.files.last().unwrap().0.clone();
        cases.push(
            case.with("calls", json!([{ "tool": "echo", "package": file }, { "tool": "echo" }]))
                .host("person", person)
                .says(
                    title,
                    "A version counts as seen once a call of it was allowed, and not before.",
                )
                .spec("RUN-09")
                .answers(json!({ "calls": results })),
        );
    }
    let long = "n".repeat(200);
    for (id, title, agent, shown) in [
        (
            "hidden",
            "An agent with hidden characters in its name",
            json!({ "name": " a\u{202e}b\u{0}c\n", "version": "\u{200b}" }),
            json!("abc"),
        ),
        (
            "long",
            "An agent with a name that is too long",
            json!({ "name": long }),
            json!(&long[..128]),
        ),
        (
            "empty",
            "An agent with a name of hidden characters",
            json!({ "name": "\u{200b} " }),
            Value::Null,
        ),
    ] {
        cases.push(
            of(&format!("agent-{id}"), &manifest(), says_fine())
                .with("calls", json!([{ "tool": "echo", "agent": agent }]))
                .says(title, "Who calls says who it is, and that is a text and no more.")
                .spec("RUN-11")
                .answers(json!({ "calls": [fine()], "agent": [shown] })),
        );
    }
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (id, title, text, shown) in [
        (
            "other-version",
            "A trace of another version",
            parent.replacen("00", "01", 1),
            Value::Null,
        ),
        ("capitals", "A trace in capitals", parent.to_uppercase(), Value::Null),
        (
            "zeros",
            "A trace with an id of zeros",
            parent.replace("b7ad6b7169203331", "0000000000000000"),
            Value::Null,
        ),
        ("text", "A text that is not a trace", "<script>".to_owned(), Value::Null),
        ("good", "A trace", parent.to_owned(), json!(parent)),
    ] {
        cases.push(
            of(&format!("trace-{id}"), &manifest(), says_fine())
                .with("calls", json!([{ "tool": "echo", "traceparent": text }]))
                .says(title, "A record holds a trace verbatim, or none.")
                .spec("RUN-12")
                .answers(json!({ "calls": [fine()], "traceparent": [shown] })),
        );
    }
    let script = Script::new(&format!(
        "fd_read 0 ~400 #4 => {}",
        json!([
            0,
            concat!(
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1},"_meta":{"io.modelcontextprotocol/clientInfo":{"name":"agent","version":"2"}}}}"#,
                "\n"
            )
        ])
    ));
    let mut echo = manifest();
    echo["runtime"] = runtime();
    cases.push(
        of("agent-stdin", &echo, script.module())
            .with("guest", script.lines.clone())
            .with("calls", json!([{ "tool": "echo", "arguments": { "a": 1 }, "agent": { "name": "agent", "version": "2" } }]))
            .says("What a tool reads when the agent gave its name", "A tool may want to know who calls.")
            .spec("BOX-96 BOX-70")
            .answers(json!({ "calls": [script.answer()] })),
    );
    cases
}

fn commits() -> Vec<Case> {
    let whole = "The host is changed by a call that succeeded, and by no other.";
    let fails = |id: &str, code_of: &str, title: &str, why: &str, spec: &str| {
        writing(id, WRITES).says(title, why).spec(spec).answers(json!({
            "calls": [code(code_of)], "files": before(), "storage": [], "changes": [{}],
            "records": ["intent", format!("outcome {code_of}")],
        }))
    };
    let shown = "What is applied is what was shown.";
    let mut cases = vec![
        fails(
            "commit-declined",
            "policy.declined",
            "An operator who declines the changes",
            shown,
            "BOX-93",
        )
        .host("before_commit", json!({ "declines": true })),
        fails(
            "commit-trust",
            "publisher.key_revoked",
            "A key that is revoked while the tool runs",
            whole,
            "RUN-13 RUN-10",
        )
        .host("before_commit", json!({ "trust": "stores/author-revoked.json" })),
        fails(
            "commit-conflict",
            "host.commit",
            "A file that another program writes while the tool runs",
            "No change of others is lost.",
            "BOX-94 RUN-10",
        )
        .host("before_commit", json!({ "directories": { "/srv/out": { "old": "theirs" } } }))
        .also("files", json!({ "/srv/data": { "one": "1" }, "/srv/out": { "old": "theirs" } })),
        fails(
            "commit-taken",
            "host.commit",
            "A free name that another program takes while the tool runs",
            "No change of others is lost.",
            "BOX-94 BOX-91",
        )
        .host("before_commit", json!({ "directories": { "/srv/out": { "made": "theirs" } } }))
        .also(
            "files",
            json!({ "/srv/data": { "one": "1" }, "/srv/out": { "old": "old", "made": "theirs" } }),
        ),
        fails(
            "commit-storage",
            "storage.conflict",
            "Storage that another call has changed",
            "All is applied or nothing.",
            "STO-31",
        )
        .host("before_commit", json!({ "storage": storage(&AUTHOR, json!({ "kept": "theirs" })) }))
        .also("storage", json!([storage(&AUTHOR, json!({ "kept": "theirs" }))])),
        fails(
            "commit-refused",
            "host.commit",
            "A host that refuses the second change",
            "The record counts what was changed before.",
            "BOX-92 STO-32 BOX-91",
        )
        .host("commit_fails_after", json!({ "/srv/out": 1 }))
        .also(
            "files",
            json!({ "/srv/data": { "one": "1" }, "/srv/out": { "old": "old", "made": "" } }),
        )
        .also("changes", json!([{ "bytes": 0, "write_file": 1 }])),
    ];
    let mut slow = files_manifest();
    slow["runtime"]["timeout_ms"] = json!(2);
    let made = Script::new(WRITES);
    cases.push(
        of("commit-time", &slow, made.module())
            .with("guest", made.lines.clone())
            .with("policy", files_policy())
            .host("directories", before())
            .says("Three changes where the call's time is for two", "What has started to change is not stopped, so it must not start.")
            .spec("BOX-99")
            .answers(json!({ "calls": [code("tool.timeout")], "files": before(), "storage": [], "changes": [{}] })),
    );
    // A result that reports an error, and results that are refused, change nothing.
    for (id, title, spec, end, code_of) in [
        (
            "exit",
            "A tool that writes files and ends with status 1",
            "RUN-10",
            "exit",
            "tool.exit_status",
        ),
        ("trap", "A tool that writes files and traps", "RUN-10", "trap", "tool.trap"),
        (
            "silent",
            "A tool that writes files and answers nothing",
            "RUN-10",
            "silent",
            "tool.no_answer",
        ),
        (
            "schema",
            "A tool that writes files and returns what it did not promise",
            "RUN-10 RUN-06",
            "schema",
            "tool.return_schema",
        ),
        ("error", "A tool that writes files and reports an error", "RUN-10 RUN-14", "error", ""),
    ] {
        let made = Script::new(WRITES);
        let mut manifest = files_manifest();
        if end == "schema" {
            manifest["tools"][0]["returns"] = json!({ "type": "object", "required": ["never"] });
        }
        let case = of(&format!("unchanged-{id}"), &manifest, made.module_that_ends(end))
            .with("guest", made.lines.clone())
            .with("policy", files_policy())
            .host("directories", before())
            .says(title, whole)
            .spec(spec)
            .answers(json!({ "files": before(), "storage": [], "changes": [{}] }));
        cases.push(match code_of {
            "" => case.also("records", json!(["intent", "outcome tool_error"])),
            code_of => case.also("calls", json!([code(code_of)])),
        });
    }
    cases.extend([
        writing("commit", WRITES)
            .says("Files and storage that a tool changes", whole)
            .spec("RUN-10 STO-30 STO-31 STO-33 BOX-85 BOX-40")
            .also(
                "files",
                json!({ "/srv/data": { "one": "1" }, "/srv/out": { "old": "new", "made": "" } }),
            )
            .also("storage", json!([storage(&AUTHOR, json!({ "kept": "kept" }))]))
            .also("changes", json!([{ "bytes": 7, "write_file": 3 }])),
        writing(
            "commit-nothing",
            r#"path_open 5 0 "kept" 0 READ|WRITE 0 0 #4 => [0,6]
            fd_write 6 {kept} #4 => [0,4]
            path_open 5 0 "more" CREAT WRITE 0 0 #4 => [0,7]
            path_unlink_file 5 "more""#,
        )
        .host("storage", json!([storage(&AUTHOR, json!({ "kept": "kept" }))]))
        .host("before_commit", json!({ "storage": storage(&AUTHOR, json!({ "kept": "theirs" })) }))
        .says(
            "Storage that is the same at the end",
            "What did not change is not stored, and takes no lock.",
        )
        .spec("STO-30")
        .also("changes", json!([{}])),
    ]);
    for (id, title, maps, spec) in [
        (
            "same",
            "One directory mapped to be read and to be written",
            ["/srv/out", "/srv/out"],
            "BOX-09",
        ),
        (
            "inside",
            "A directory to be written inside another",
            ["/srv/out", "/srv/out/dir"],
            "BOX-09",
        ),
        (
            "around",
            "A directory to be written around another",
            ["/srv/out/dir", "/srv/out"],
            "BOX-09",
        ),
    ] {
        cases.push(
            writing(&format!("overlap-{id}"), WRITES)
                .with("policy", {
                    let mut policy = files_policy();
                    policy["directories"][0]["host"] = json!(maps[0]);
                    policy["directories"][1]["host"] = json!(maps[1]);
                    policy
                })
                .host("directories", json!({ "/srv/out": { "dir/a": "a" } }))
                .says(title, "What a guest reads is not changed by what it writes.")
                .spec(spec)
                .answers(json!({ "calls": [code("sandbox.not_granted")] })),
        );
    }
    cases.push(
        writing("directory-missing", WRITES)
            .host("directories", json!({ "/srv/data": {} }))
            .says(
                "A mapped directory that is not on the host",
                "A guest that started would take it for empty.",
            )
            .spec("BOX-07")
            .answers(json!({ "calls": [code("host.file")] })),
    );
    cases
}

fn storages() -> Vec<Case> {
    let whose = "What one package stored is not another's.";
    let reads = |id: &str, found: &str| {
        let script = format!("path_open 5 0 \"kept\" 0 READ 0 0 #4 => {found}");
        writing(id, &script)
    };
    let kept =
        |key: &super::crypto::Key| storage(key, json!({ "kept": "1", "dir/in": "2", "dir": null }));
    let mut other = kept(&AUTHOR);
    other["package"] = json!("org.example.other");
    let two_keys = |id: &str, key: &super::crypto::Key, found: &str| {
        reads(id, found)
            .with("trust", "stores/author-two-keys.json")
            .host("storage", json!([kept(key)]))
    };
    vec![
        reads("storage-none", "44")
            .host("storage", json!("none"))
            .says("A host without storage", "A package that stores data is not run where none is kept.")
            .spec("STO-02")
            .answers(json!({ "calls": [code("storage.none")] })),
        reads("storage-damaged", "44")
            .host("storage", json!([{ "package": ID, "publisher_key": AUTHOR.id(), "snapshot": "mpp-storage/1\n" }]))
            .says("Storage that cannot be read", "A tool that started would take it for empty, and replace it.")
            .spec("STO-03 STO-10")
            .answers(json!({ "calls": [code("storage.damaged")] })),
        reads("storage-other-package", "44")
            .host("storage", json!([other]))
            .says("The storage of another package", whose)
            .spec("STO-01"),
        two_keys("storage-other-key", &APPROVER, "44")
            .says("The storage of the same package under another key of its publisher", whose)
            .spec("STO-01"),
        two_keys("storage-same-key", &AUTHOR, "[0,6]")
            .says("The storage of the package", "It is what the package left there.")
            .spec("STO-01 STO-03"),
        writing("storage-read", r#"fd_prestat_dir_name 5 $8 => [0,"/storage"]
            path_open 5 0 "dir/in" 0 READ|WRITE 0 0 #4 => [0,6]
            fd_read 6 ~9 #4 => [0,"2"]
            path_unlink_file 5 "kept"
            path_open 3 0 "../storage/kept" 0 READ 0 0 #4 => EPERM"#)
            .host("storage", json!([kept(&AUTHOR)]))
            .says("Storage that is read and from which a file is removed", "It is a directory like others.")
            .spec("STO-03 STO-33 STO-30")
            .also("storage", json!([storage(&AUTHOR, json!({ "dir": null, "dir/in": "2" }))]))
            .also("changes", json!([{ "remove_file": 1 }])),
    ]
}

fn secrets() -> Vec<Case> {
    let nowhere = "A secret is nowhere but where the policy puts it.";
    let variable = asking(json!({ "environment": ["A_KEY"] }));
    let policy = |rest: Value| {
        let mut policy = with_format(
            json!({ "trusted_packages": [ID], "environment": [{ "name": "A_KEY", "secret": "SERVICE" }] }),
        );
        for (name, value) in rest.as_object().unwrap() {
            policy[name] = value.clone();
        }
        policy
    };
    let told = |id: &str, text: &Value, shown: Value| {
        of(id, &variable, saying(&response(text)))
            .with("policy", policy(json!({})))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .with("watch", json!([SECRET]))
            .answers(json!({ "calls": [{ "content": text_block(shown.as_str().unwrap()), "is_error": false }], "seen": [] }))
    };
    let mut cases = vec![
        of("secret-missing", &variable, says_fine())
            .with("policy", policy(json!({})))
            .says("A secret that the store does not have", "A tool without its key would do something else.")
            .spec("SECRET-04")
            .answers(json!({ "calls": [code("secret.missing")], "secrets_read": ["SERVICE"] })),
        of("secret-declined", &variable, says_fine())
            .with("policy", policy(json!({ "trusted_packages": [] })))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .host("person", json!("declines"))
            .says("A call that a person declines", "A secret is looked up when it is needed.")
            .spec("SECRET-03")
            .answers(json!({ "calls": [code("policy.declined")], "secrets_read": [] })),
        of("secret-not-requested", &manifest(), says_fine())
            .with("policy", policy(json!({})))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .says("A package that does not request the variable", "A secret is looked up when it is needed.")
            .spec("SECRET-03 TOKEN-02")
            .answers(json!({ "calls": [fine()], "secrets_read": [] })),
        of("secret-for-others", &variable, says_fine())
            .with("policy", policy(json!({ "environment": [{ "name": "A_KEY", "secret": "SERVICE", "packages": ["org.other"] }] })))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .says("A secret for other packages", "A secret is looked up when it is needed.")
            .spec("SECRET-03 TOKEN-02")
            .answers(json!({ "calls": [fine()], "secrets_read": [] })),
        of("secret-once", &variable, says_fine())
            .with("policy", policy(json!({})))
            .with("calls", json!([{ "tool": "echo" }, { "tool": "echo" }]))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .says("Two calls with a secret", "It is looked up once for each.")
            .spec("SECRET-03")
            .answers(json!({ "calls": [fine(), fine()], "secrets_read": ["SERVICE", "SERVICE"] })),
    ];
    cases.push(
        of("secret-late", &variable, says_fine())
            .with("policy", policy(json!({ "token_lifetime_s": 1 })))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .host("secret_takes_ms", json!(1001))
            .says("A token that ends while a secret is looked up", "What was decided counts for a time.")
            .spec("BOX-03 TOKEN-03")
            .answers(json!({ "calls": [code("sandbox.token_expired")], "records": ["intent", "outcome sandbox.token_expired"] })),
    );
    for (id, title, value) in [
        ("short", "A value of seven bytes", "sevenby".to_owned()),
        ("long", "A value of 4097 bytes", "x".repeat(4097)),
        ("lines", "A value of two lines", "one line\nand another".to_owned()),
        ("tab", "A value with a tab", "tab\ttab-tab".to_owned()),
        ("accent", "A value with a letter that is not ASCII", "caf\u{e9}-caf\u{e9}".to_owned()),
        ("space", "A value with a space at its end", "correct-horse ".to_owned()),
    ] {
        cases.push(
            of(&format!("secret-{id}"), &variable, says_fine())
                .with("policy", policy(json!({})))
                .host("secrets", json!({ "SERVICE": value }))
                .with("watch", json!([value]))
                .says(title, "A value is one line that can be found again.")
                .spec("SECRET-01")
                .answers(json!({ "calls": [code("secret.invalid")], "seen": [] })),
        );
    }
    let base64 = super::crypto::base64(format!("key={SECRET}").as_bytes());
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let unicode: String = SECRET.bytes().map(|byte| format!("\\u00{byte:02x}")).collect();
    for (id, title, spec, text, shown) in [
        (
            "plain",
            "A secret in a text",
            "SECRET-20 SECRET-21",
            json!(format!("It is {SECRET}.")),
            json!("It is [SECRET:SERVICE]."),
        ),
        (
            "twice",
            "A secret twice in a row",
            "SECRET-20",
            json!(format!("{SECRET}{SECRET}")),
            json!("[SECRET:SERVICE][SECRET:SERVICE]"),
        ),
        (
            "percent",
            "A secret in percent-encoding",
            "SECRET-21",
            json!(format!("It is {percent}.")),
            json!("It is [SECRET:SERVICE]."),
        ),
        (
            "unicode",
            "A secret in JSON escapes",
            "SECRET-21",
            json!(format!("It is {unicode}.")),
            json!("It is [SECRET:SERVICE]."),
        ),
        (
            "base64",
            "A secret in base64 of a longer text",
            "SECRET-21",
            json!(format!("It is {base64}.")),
            json!("It is [SECRET:SERVICE]."),
        ),
    ] {
        cases
            .push(told(&format!("secret-told-{id}"), &text, shown).says(title, nowhere).spec(spec));
    }
    cases.push(
        of("secret-told-key", &variable, saying(&response(&json!({ SECRET: 1 }))))
            .with("policy", policy(json!({ "privacy_replacement": "numbered" })))
            .host("secrets", json!({ "SERVICE": SECRET }))
            .with("watch", json!([SECRET]))
            .says("A secret as the name of a member, under another replacement", nowhere)
            .spec("SECRET-20")
            .answers(json!({
                "calls": [{ "content": text_block("{\"[SECRET:SERVICE]\":1}"), "is_error": false, "structured_content": { "[SECRET:SERVICE]": 1 } }],
                "seen": [], "privacy": [{ "secret": 2 }] })),
    );
    cases.push(
        of(
            "secret-told-stderr",
            &variable,
            guest("(call 2 (i32.const 2) (i32.const 21)) unreachable", SECRET),
        )
        .with("policy", policy(json!({})))
        .host("secrets", json!({ "SERVICE": SECRET }))
        .with("watch", json!([SECRET]))
        .says("A secret on stderr of a tool that traps", nowhere)
        .spec("SECRET-20 RUN-07")
        .answers(json!({ "calls": [code("tool.trap")], "seen": [] })),
    );
    let value =
        |value: &str| policy(json!({ "environment": [{ "name": "A_KEY", "value": value }] }));
    let literal = |id: &str, set: &str, text: &str, shown: &str| {
        of(id, &variable, saying(&response(&json!(text))))
            .with("policy", value(set))
            .answers(json!({ "calls": [{ "content": text_block(shown), "is_error": false }] }))
    };
    cases.extend([
        literal("secret-value", "letmein-please", "say letmein-please", "say [SECRET:A_KEY]")
            .says("The value of a variable in the policy", "It is hidden like a secret.")
            .spec("SECRET-20 SECRET-22"),
        literal("secret-value-short", "letmein", "say letmein", "say letmein")
            .says("A value of seven bytes in the policy", "A short text is in too many others.")
            .spec("SECRET-22"),
        literal("secret-json", "{\"a\":\"b\"}", "{\"x\":{\"a\":\"b\"}}", "{\"x\":[SECRET:A_KEY]}")
            .says("A value with brackets in a text that is JSON", "It would not be found in its parts.")
            .spec("SECRET-23"),
        literal("secret-structure", "\"type\":\"text\"", "fine", "")
            .says("A value that is in the JSON text of every result", "What is left of a value is withheld with the result.")
            .spec("SECRET-24")
            .answers(json!({ "calls": [code("privacy.residue")], "records": ["intent", "outcome privacy.residue"] })),
        literal("secret-label", "[SECRET:", "say [SECRET:", "")
            .says("A value that is part of what replaces it", "What is left of a value is withheld with the result.")
            .spec("SECRET-24")
            .answers(json!({ "calls": [code("privacy.residue")] })),
    ]);
    let mut reading = variable.clone();
    reading["runtime"] = runtime();
    reading["capabilities"]["environment"] = json!(["Z_KEY", "A_KEY", "M_KEY"]);
    let variables = super::crypto::hex(b"A_KEY=a-value\0Z_KEY=z-one\0");
    let script = Script::new(&format!(
        "environ_sizes_get #4 #4 => [0,2,26]
         environ_get 524288 &26 => [0,\"{variables}\"]"
    ));
    cases.push(
        of("environment", &reading, script.module())
            .with("guest", script.lines.clone())
            .with("policy", with_format(json!({ "trusted_packages": [ID], "environment": [
                { "name": "Z_KEY", "value": "z-one" }, { "name": "A_KEY", "value": "a-value" }, { "name": "OTHER", "value": "other" } ] })))
            .says("The environment of a guest", "It is what was requested and set, in the order of names, and nothing of the host.")
            .spec("BOX-10 TOKEN-02")
            .answers(json!({ "calls": [script.answer()] })),
    );
    cases
}

fn limits() -> Vec<Case> {
    let bounded = "A tool takes what was granted and no more.";
    let with_runtime = |memory: u64, fuel: u64| {
        let mut manifest = manifest();
        manifest["runtime"] = json!({ "target": "wasm32-wasip1", "memory_limit_mb": memory, "fuel": fuel, "output_limit_kb": 64 });
        manifest
    };
    let end = |text: &str| {
        format!("{text} (call 2 (i32.const 1) (i32.const {}))", response(&json!("fine")).len())
    };
    let does = |text: &str| guest(&end(text), &response(&json!("fine")));
    let script = Script::new("random_get 524288 65536");
    let ceiling = with_format(json!({ "ceilings": { "memory_limit_mb": 1 } }));
    let nothing =
        "nop ".repeat(20_000) + &"(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(5000);
    vec![
        of("fuel-memory", &with_runtime(8, 60_000), Script::new("sched_yield").module())
            .says("Fuel for less than the initial memory", bounded)
            .spec("BOX-35")
            .answers(json!({ "calls": [code("tool.fuel_exhausted")] })),
        of("fuel-host-call", &with_runtime(8, 500_000), script.module())
            .says("Fuel for less than a host call", bounded)
            .spec("BOX-34")
            .answers(json!({ "calls": [code("tool.fuel_exhausted")] })),
        of("memory-ceiling", &with_runtime(8, 1_000_000), Script::new("sched_yield").module())
            .with("policy", ceiling)
            .says("A ceiling below the initial memory", bounded)
            .spec("BOX-35 BOX-05 TOKEN-04")
            .answers(json!({ "calls": [code("tool.memory_exhausted")] })),
        of("fuel-code", &with_runtime(1, 3_000), does(&format!("(if (i32.load (i32.const 700)) (then {nothing}))")))
            .says("Little fuel and much code that does not run", "What is translated costs nothing.")
            .spec("BOX-32")
            .answers(json!({ "calls": [fine()] })),
        of("fuel-slices", &with_runtime(1, 20_000_000), does("(i32.store (i32.const 600) (i32.const 200000)) (loop (i32.store (i32.const 600) (i32.sub (i32.load (i32.const 600)) (i32.const 1))) (br_if 0 (i32.load (i32.const 600))))"))
            .says("A loop of more fuel than a slice", "How fuel is handed out has no effect.")
            .spec("BOX-33 BOX-30")
            .answers(json!({ "calls": [fine()] })),
        of("memory-grow", &with_runtime(1, 1_000_000), does("(if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable)) (if (i32.ne (memory.grow (i32.const 15)) (i32.const 1)) (then unreachable))"))
            .says("A growth beyond the limit and one up to it", "The first returns -1, and the guest continues.")
            .spec("BOX-37")
            .answers(json!({ "calls": [fine()] })),
        {
            let clocks = Script::new("clock_res_get 0 #8 => [0,1]\n clock_res_get 1 #8 => [0,1]\n random_get $4 => [0,\"04040404\"]");
            let mut manifest = manifest();
            manifest["runtime"] = runtime();
            of("real-clock", &manifest, clocks.module())
                .with("guest", clocks.lines.clone())
                .with("policy", with_format(json!({ "real_clock": true, "real_random": true })))
                .says("The clock and the random numbers of the host, where the policy grants them", "Only a policy grants them; those of this host are fours.")
                .spec("BOX-56 TOKEN-05")
                .answers(json!({ "calls": [clocks.answer()] }))
        },
    ]
}
