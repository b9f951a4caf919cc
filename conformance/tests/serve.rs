//! Consent as a person and an agent live with it: the built `mpp serve` with a client on its pipes, and the
//! built `mpp pending`, `approve` and `deny` beside it.

use crate::cli::{at_terminal, Place, Ran};
use crate::support;
use serde_json::{json, Value};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::thread::{sleep, JoinHandle};
use std::time::{Duration, Instant};

const MODERN: &str = "2026-07-28";
/// No test waits this long unless there is a fault.
const PATIENCE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_millis(20);

/// A running server, and a client of it.
pub struct Served {
    child: Child,
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    errors: Option<JoinHandle<String>>,
    last: u64,
}

impl Served {
    /// With the handshake of the newest revision that has one, by a client that can do nothing.
    pub fn start(place: &Place) -> Self {
        Served::start_as(place, "2025-11-25", json!({}))
    }

    pub fn start_as(place: &Place, revision: &str, capabilities: Value) -> Self {
        let mut served = Served::silent(place);
        let info = json!({ "name": "try", "version": "1" });
        let params = json!({ "protocolVersion": revision, "capabilities": capabilities,
                             "clientInfo": info });
        assert_eq!(served.result("initialize", params)["protocolVersion"], revision);
        served
    }

    /// Without a handshake.
    pub fn silent(place: &Place) -> Self {
        Served::spawned(place.command(&["serve"]))
    }

    /// With the handshake, from a shell that runs `setup` before.
    pub fn after(place: &Place, setup: &str) -> Self {
        let command = format!("{setup} && exec '{}' serve", env!("CARGO_BIN_EXE_mpp"));
        let mut served = Served::spawned(place.program("sh", &["-c", &command]));
        let info = json!({ "name": "try", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
                             "clientInfo": info });
        served.result("initialize", params);
        served
    }

    fn spawned(mut command: Command) -> Self {
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        let (sender, messages) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let message = serde_json::from_str(&line.unwrap()).expect("a message in each line");
                let _gone = sender.send(message);
            }
        });
        let mut stderr = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        let stdin = child.stdin.take();
        Served { child, stdin, messages, errors: Some(errors), last: 0 }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    pub fn next(&mut self) -> Value {
        self.messages.recv_timeout(PATIENCE).expect("a message from the server")
    }

    /// Sends a request and gives its id.
    pub fn start_request(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = json!(self.last);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The answer to a request, which has to be the next message.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.start_request(method, params);
        let answer = self.next();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    #[track_caller]
    pub fn result(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].take()
    }

    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The text that a call without arguments answers.
    #[track_caller]
    pub fn call_text(&mut self, tool: &str) -> String {
        text_of(&self.call(tool, json!({})))
    }

    pub fn begin(&mut self, tool: &str, arguments: Value) -> Value {
        self.start_request("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The text that an earlier call answers, next of all.
    #[track_caller]
    pub fn finish(&mut self, id: &Value) -> String {
        let answer = self.next();
        assert_eq!(answer["id"], *id, "{answer}");
        text_of(&answer["result"])
    }

    fn pings(&mut self) {
        assert_eq!(self.result("ping", json!({})), json!({}));
    }

    pub fn answer(&mut self, id: &Value, result: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    }

    /// Ends the input, and waits for the end of the process, which has to be a good one. Gives how long
    /// that took.
    pub fn end(self) -> Duration {
        self.end_saying().0
    }

    /// As [`Served::end`]. Returns as well what was logged to the operator of the server.
    pub fn end_saying(mut self) -> (Duration, String) {
        let started = Instant::now();
        drop(self.stdin.take());
        let status = self.child.wait().unwrap();
        let took = started.elapsed();
        let errors = self.errors.take().unwrap().join().unwrap();
        assert!(status.success() && !errors.contains("panicked"), "{status} {errors}");
        (took, errors)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

#[track_caller]
pub fn text_of(result: &Value) -> String {
    result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}")).to_owned()
}

pub fn policy(place: &Place, members: &Value) {
    let mut policy = members.clone();
    policy["format"] = json!("mpp-policy/1");
    fs::write(place.path("home/policy.json"), policy.to_string()).unwrap();
}

/// A place with a package of medium risk, of whose tools `wipe` is destructive, and a policy that waits
/// for this long.
fn place(name: &str, consent: Value) -> Place {
    let place = Place::new(name);
    install(&place, &manifest("1.0.0"));
    policy(&place, &json!({ "auto_approve_low": true, "consent": consent }));
    place
}

fn manifest(version: &str) -> Value {
    let mut manifest = support::manifest("org.example.asks");
    manifest["version"] = json!(version);
    manifest["capabilities"] =
        json!({ "environment": ["API_KEY"], "filesystem": { "read": ["/data"] } });
    let tool = |name: &str, sensitivity: &str| {
        json!({ "name": name, "description": "x", "sensitivity": sensitivity,
                "parameters": { "type": "object" } })
    };
    manifest["tools"] =
        json!([tool("look", "read"), tool("change", "write"), tool("wipe", "destructive")]);
    manifest
}

fn install(place: &Place, manifest: &Value) {
    let guest = support::saying(&support::response("ran"));
    place.package("asks.mpp", manifest, &guest);
    place.mpp(&["install", "asks.mpp", "--yes"]).exits(0);
}

fn waiting(place: &Place) -> Vec<Value> {
    place.mpp(&["pending", "--json"]).exits(0).json().as_array().unwrap().clone()
}

/// The pending requests, once there are this many.
#[track_caller]
pub fn questions(place: &Place, count: usize) -> Vec<Value> {
    let started = Instant::now();
    loop {
        let found = waiting(place);
        if found.len() == count {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "{found:?}");
        sleep(MOMENT);
    }
}

/// Begins a call, and gives its id and the question that it leaves.
pub fn begin_waiting(place: &Place, served: &mut Served, tool: &str) -> (Value, Value) {
    let id = served.begin(tool, json!({}));
    (id, questions(place, 1).remove(0))
}

pub fn number(question: &Value) -> String {
    question["number"].to_string()
}

pub fn approve(place: &Place, question: &Value) -> Ran {
    place.mpp(&["approve", &number(question), "--yes"])
}

#[track_caller]
pub fn is_denied(text: &str, code: &str) {
    let start = format!("DENIED by MPP policy: [{code}] ");
    assert!(text.starts_with(&start), "{text}");
}

const UNANSWERED: &str = "policy.confirmation_required";

pub fn records(place: &Place, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.path("home/audit/audit.jsonl")).unwrap();
    let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|record| record["kind"] == kind).collect()
}

#[test]
fn a_call_waits_for_a_yes_which_holds_for_later_calls_until_it_is_taken_back() {
    let place = place("serve-yes", json!({}));
    let mut served = Served::start(&place);
    let id = served.begin("look", json!({ "path": "/tmp/\u{1b}[2J\u{202e}x\ny" }));
    let question = questions(&place, 1).remove(0);
    served.pings();
    assert_eq!(question["tool"], "look");
    assert_eq!(question["agent"], "try 1");
    assert_eq!(question["arguments"]["path"], "/tmp/\u{1b}[2J\u{202e}x\ny");
    let shown = place.mpp(&["pending"]).exits(0);
    assert!(!shown.out.contains(['\u{1b}', '\u{202e}']), "{}", shown.out);
    shown.says(&["org.example.asks 1.0.0 by Me", "API_KEY", "try 1 (self-reported)"]);
    // Without a person at a terminal, or their --yes, nothing is agreed to.
    assert_ne!(place.mpp(&["approve", &number(&question)]).status, 0);
    for wrong in ["0", "2", "18446744073709551615"] {
        place.mpp(&["approve", wrong, "--yes"]).exits(1).says(&["consent.no_question"]);
        place.mpp(&["deny", wrong]).exits(1).says(&["consent.no_question"]);
    }
    approve(&place, &question).exits(0);
    assert_eq!(served.finish(&id), "ran");
    approve(&place, &question).exits(1).says(&["consent.no_question"]);
    assert_eq!(served.call_text("change"), "ran");
    served.end();
    let mut served = Served::start(&place);
    assert_eq!(served.call_text("look"), "ran");
    let kept = place.mpp(&["approvals", "--json"]).exits(0).json();
    assert_eq!(kept.as_array().unwrap().len(), 1);
    place.mpp(&["approvals", "--revoke", "org.example.other"]).exits(1);
    place.mpp(&["approvals", "--revoke", "org.example.asks"]).exits(0);
    let id = served.begin("look", json!({}));
    let question = questions(&place, 1).remove(0);
    place.mpp(&["deny", &number(&question)]).exits(0);
    is_denied(&served.finish(&id), "policy.declined");
    assert_eq!(waiting(&place), [] as [Value; 0]);
    served.end();
    let by: Vec<Value> =
        records(&place, "intent").iter().map(|record| record["granted_by"].clone()).collect();
    assert!(by[0].as_str().unwrap().starts_with("person:terminal"), "{by:?}");
    assert!(by[1].as_str().unwrap().ends_with(" (remembered)"), "{by:?}");
}

#[test]
fn a_yes_ends_with_the_contents_or_the_capabilities_and_may_be_for_once() {
    let place = place("serve-ends", json!({}));
    let mut served = Served::start(&place);
    let asked = |served: &mut Served, words: &[&str]| {
        let id = served.begin("look", json!({}));
        let question = questions(&place, 1).remove(0);
        place.mpp(&[&["approve", &number(&question), "--yes"], words].concat()).exits(0);
        assert_eq!(served.finish(&id), "ran");
    };
    asked(&mut served, &["--once"]);
    asked(&mut served, &[]);
    assert_eq!(served.call_text("look"), "ran");
    served.end();
    install(&place, &manifest("1.0.1"));
    let mut served = Served::start(&place);
    asked(&mut served, &[]);
    assert_eq!(served.call_text("look"), "ran");
    served.end();
    fs::create_dir_all(place.path("data")).unwrap();
    let directory = json!([{ "guest": "/data", "host": place.path("data"), "read_only": true }]);
    let mut members = json!({});
    for (name, value) in [
        ("directories", directory),
        ("environment", json!([{ "name": "API_KEY", "value": "x" }])),
        ("real_clock", json!(true)),
        ("real_random", json!(true)),
    ] {
        members[name] = value;
        policy(&place, &members);
        let mut served = Served::start(&place);
        asked(&mut served, &[]);
        assert_eq!(served.call_text("look"), "ran");
        served.end();
    }
    // Another value for the same variable ends none.
    members["environment"][0]["value"] = json!("y");
    policy(&place, &members);
    let mut served = Served::start(&place);
    assert_eq!(served.call_text("look"), "ran");
    served.end();
    members["consent"] = json!({ "remember": false });
    policy(&place, &members);
    let mut served = Served::start(&place);
    asked(&mut served, &[]);
    asked(&mut served, &["--once"]);
    let id = served.begin("look", json!({}));
    let question = questions(&place, 1).remove(0);
    let shown = question["capabilities"].as_array().unwrap();
    for line in ["read the host's clocks", "use the host's random numbers"] {
        assert!(shown.contains(&json!(line)), "{shown:?}");
    }
    place.mpp(&["deny", &number(&question)]).exits(0);
    is_denied(&served.finish(&id), "policy.declined");
}

#[cfg(unix)]
#[test]
fn whoever_approves_at_the_terminal_is_shown_what_waits_and_for_how_long_it_counts() {
    let place = place("serve-terminal", json!({}));
    let Some((0, _)) = at_terminal(&place, &["--version"], "") else {
        eprintln!("no python3 with pty on this machine: no terminal was tried");
        return;
    };
    let mut served = Served::start(&place);
    for (tool, words, answer, asked) in [
        ("look", &["--once"][..], "y", "y: once; n: no"),
        ("wipe", &[], "y", "y: once; n: no"),
        ("wipe", &[], "a", "y: once; n: no"),
        ("look", &[], "n", "a: always"),
        ("look", &[], "y", "a: always"),
        // `y` was for one call, so this one waits again.
        ("look", &[], "a", "a: always"),
    ] {
        let id = served.begin(tool, json!({ "what": "a\nb" }));
        let number = number(&questions(&place, 1)[0]);
        let approve = [&["approve", &number], words].concat();
        let (status, shown) = at_terminal(&place, &approve, answer).unwrap();
        for part in [asked, "org.example.asks 1.0.0", "API_KEY", r#"{"what":"a\nb"}"#, "sha256:"] {
            assert!(shown.contains(part), "no {part:?}: {shown}");
        }
        let row = shown.lines().find(|line| line.starts_with("  tool ")).unwrap();
        assert_eq!(row.contains("(destructive)"), tool == "wipe", "{shown}");
        let is_yes = answer == "y" || (answer == "a" && tool == "look");
        assert_eq!(status == 0, is_yes, "{shown}");
        match is_yes {
            true => assert_eq!(served.finish(&id), "ran"),
            false => is_denied(&served.finish(&id), "policy.declined"),
        }
    }
    assert_eq!(served.call_text("change"), "ran");
}

#[test]
fn without_an_answer_in_time_it_is_a_no_that_says_what_was_missing() {
    let place = place("serve-late", json!({ "wait_s": 1 }));
    let mut served = Served::start(&place);
    let text = served.call_text("look");
    is_denied(&text, UNANSWERED);
    assert!(text.contains("request 1 timed out after 1 s"), "{text}");
    assert_eq!(waiting(&place), [] as [Value; 0]);
    place.mpp(&["approve", "1", "--yes"]).exits(1).says(&["consent.no_question"]);
    assert!(!place.path("home/approvals.json").exists());
    served.end();
    // With a wait of zero, no request is queued.
    fs::remove_file(place.path("home/pending.json")).unwrap();
    let non_interactive = json!({ "non_interactive": true, "consent": { "wait_s": 60 } });
    for (members, code) in
        [(json!({ "consent": { "wait_s": 0 } }), UNANSWERED), (non_interactive, "policy.denied")]
    {
        policy(&place, &members);
        let mut served = Served::start(&place);
        for tool in ["look", "wipe"] {
            is_denied(&served.call_text(tool), code);
        }
        assert!(!place.path("home/pending.json").exists());
        served.end();
    }
    assert_eq!(records(&place, "refused").len(), 5);
    assert_eq!(records(&place, "intent").len(), 0);
}

#[test]
fn an_approval_and_the_end_of_the_wait_agree_about_which_came_first() {
    let place = place("serve-race", json!({ "wait_s": 2 }));
    let mut served = Served::start(&place);
    for step in 0..2 {
        let id = served.begin("look", json!({}));
        let question = questions(&place, 1).remove(0);
        sleep(Duration::from_millis(1_700 + 200 * step));
        let approved = place.mpp(&["approve", &number(&question), "--once", "--yes"]).status == 0;
        assert_eq!(served.finish(&id) == "ran", approved);
    }
}

#[test]
fn a_question_goes_with_the_call_the_client_or_the_server() {
    let place = place("serve-gone", json!({ "wait_s": 50 }));
    let mut served = Served::start(&place);
    let id = served.begin("look", json!({}));
    let question = questions(&place, 1).remove(0);
    let params = json!({ "requestId": id });
    served
        .send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
    questions(&place, 0);
    approve(&place, &question).exits(1).says(&["consent.no_question"]);
    served.pings();
    served.begin("look", json!({}));
    served.begin("wipe", json!({}));
    questions(&place, 2);
    assert!(served.end() < Duration::from_secs(10), "the wait is much longer");
    assert_eq!(waiting(&place), [] as [Value; 0]);
    // A server that is killed can take nothing back; the next that asks does.
    let mut killed = Served::start(&place);
    killed.begin("look", json!({}));
    let question = questions(&place, 1).remove(0);
    drop(killed);
    let mut served = Served::start(&place);
    let id = served.begin("look", json!({}));
    let other = loop {
        let found = questions(&place, 1).remove(0);
        if found["number"] != question["number"] {
            break found;
        }
    };
    approve(&place, &question).exits(1).says(&["consent.no_question"]);
    approve(&place, &other).exits(0);
    assert_eq!(served.finish(&id), "ran");
    // It grows old.
    policy(&place, &json!({ "consent": { "wait_s": 2 } }));
    let mut killed = Served::start(&place);
    killed.begin("wipe", json!({}));
    questions(&place, 1);
    drop(killed);
    questions(&place, 0);
    assert_eq!(records(&place, "intent").len(), 1);
}

#[test]
fn what_cannot_be_undone_is_asked_about_each_time_and_proved_in_the_record() {
    let place = place("serve-proof", json!({}));
    let mut served = Served::start(&place);
    let id = served.begin("look", json!({}));
    approve(&place, &questions(&place, 1)[0]).exits(0);
    assert_eq!(served.finish(&id), "ran");
    let mut wipe = |what: &str, thinking: Duration| {
        let id = served.begin("wipe", json!({ "what": what }));
        let question = questions(&place, 1).remove(0);
        assert_eq!(question["is_destructive"], true);
        // A person takes longer than a moment.
        sleep(thinking);
        approve(&place, &question).exits(0);
        assert_eq!(served.finish(&id), "ran");
    };
    wipe("a", Duration::from_millis(1_500));
    wipe("a", Duration::ZERO);
    let intents = records(&place, "intent");
    let proofs: Vec<&str> =
        intents.iter().filter_map(|record| record["attestation"].as_str()).collect();
    assert_eq!((intents.len(), proofs.len()), (3, 2));
    assert_ne!(proofs[0], proofs[1]);
    let verify =
        |log: &str, key: &str| place.mpp(&["audit", "verify", log, "--host-key", key, "--json"]);
    let log = place.path("home/audit/audit.jsonl");
    let report = verify("home/audit/audit.jsonl", "home/host.pub").exits(0).json();
    assert_eq!(report["proofs_good"], 2);
    assert_ne!(verify("home/audit/audit.jsonl", "me.pub").status, 0);
    let text = fs::read_to_string(log).unwrap();
    let other = |name: &str, text: String| fs::write(place.path(name), resealed(&text)).unwrap();
    other("same.jsonl", text.clone());
    assert_eq!(verify("same.jsonl", "home/host.pub").exits(0).json()["proofs_good"], 2);
    let agreed_by = intents[1]["granted_by"].as_str().unwrap();
    for (from, to) in [
        ("\"tool\":\"wipe\"", "\"tool\":\"look\""),
        (agreed_by, "person:terminal:somebody"),
        (intents[1]["arguments"].as_str().unwrap(), intents[0]["arguments"].as_str().unwrap()),
        (proofs[1], proofs[0]),
    ] {
        assert!(text.contains(from));
        other("altered.jsonl", text.replace(from, to));
        place.mpp(&["audit", "verify", "altered.jsonl"]).exits(0);
        let ran = verify("altered.jsonl", "home/host.pub");
        assert_ne!(ran.status, 0, "{from} {to}: {}", ran.out);
    }
}

/// The records of a log with a chain that fits them.
fn resealed(log: &str) -> String {
    let mut prev = "0".repeat(64);
    let mut out = String::new();
    for line in log.lines() {
        let body = line.rsplit_once(",\"hash\":").unwrap().0;
        let at = body.find("\"prev\":\"").unwrap() + 8;
        let body = format!("{}{prev}{}", &body[..at], &body[at + 64..]);
        prev = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        out.push_str(&format!("{body},\"hash\":\"{prev}\"}}\n"));
    }
    out
}

#[test]
fn an_answer_to_another_question_or_from_before_lets_nothing_run() {
    let place = place("serve-replay", json!({}));
    let path = place.path("home/pending.json");
    // Atomically, since the server polls it.
    let put = |file: &Value| {
        fs::write(place.path("forged"), file.to_string()).unwrap();
        fs::rename(place.path("forged"), &path).unwrap();
    };
    let mut served = Served::start(&place);
    let mut answered = Vec::new();
    for (tool, what) in [("look", "a"), ("wipe", "a")] {
        let id = served.begin(tool, json!({ "what": what }));
        let question = questions(&place, 1).remove(0);
        // The file as it is right after the decision; the server may be quicker, so it is written by hand.
        let asked = fs::read_to_string(&path).unwrap();
        place.mpp(&["approve", &number(&question), "--once", "--yes"]).exits(0);
        assert_eq!(served.finish(&id), "ran");
        let mut asked: Value = serde_json::from_str(&asked).unwrap();
        let mut yes = json!({ "approved": true, "by": "terminal", "for_later": false });
        if let Some(proof) = records(&place, "intent").last().unwrap()["attestation"].as_str() {
            yes["proof"] = json!(proof);
            yes["by"] = json!(records(&place, "intent").last().unwrap()["granted_by"]
                .as_str()
                .unwrap()
                .trim_start_matches("person:"));
        }
        asked["questions"][0]["answer"] = yes;
        answered.push(asked);
    }
    // Another call under the number of a decided request, as after the file was deleted.
    for (old, tool, code) in
        [(&answered[0], "look", UNANSWERED), (&answered[1], "wipe", UNANSWERED)]
    {
        let number = old["questions"][0]["number"].as_u64().unwrap();
        let before = json!({ "format": "mpp-pending/1", "next": number, "questions": [] });
        put(&before);
        let id = served.begin(tool, json!({ "what": "b" }));
        assert_eq!(questions(&place, 1)[0]["number"], number);
        put(old);
        is_denied(&served.finish(&id), code);
    }
    // The same call again, with the proof that was spent on the first.
    let old = &answered[1];
    let before = json!({ "format": "mpp-pending/1", "next": old["questions"][0]["number"], "questions": [] });
    put(&before);
    let id = served.begin("wipe", json!({ "what": "a" }));
    questions(&place, 1);
    put(old);
    let text = served.finish(&id);
    is_denied(&text, "policy.attestation");
    assert!(text.contains("already used"), "{text}");
    assert_eq!(records(&place, "intent").len(), 2);
}

#[test]
fn two_servers_of_one_home_get_each_its_own_answer() {
    let place = place("serve-two", json!({}));
    let (mut one, mut two) = (Served::start(&place), Served::start(&place));
    let first = one.begin("look", json!({ "from": "one" }));
    let second = two.begin("look", json!({ "from": "two" }));
    for question in questions(&place, 2) {
        match question["arguments"]["from"] == "one" {
            true => place.mpp(&["deny", &number(&question)]),
            false => place.mpp(&["approve", &number(&question), "--once", "--yes"]),
        }
        .exits(0);
    }
    is_denied(&one.finish(&first), "policy.declined");
    assert_eq!(two.finish(&second), "ran");
}

// [CONS-30]
#[test]
fn a_publisher_who_is_revoked_while_a_question_waits_does_not_run() {
    let place = place("serve-revoked", json!({}));
    let mut served = Served::start(&place);
    let id = served.begin("look", json!({}));
    let question = questions(&place, 1).remove(0);
    place.mpp(&["trust", "revoke", "me.pub", "--reason", "lost"]).exits(0);
    approve(&place, &question).exits(1).says(&["publisher.key_revoked", "request 1"]);
    assert!(!place.path("home/approvals.json").exists());
    assert_eq!(waiting(&place).len(), 1);
    place.mpp(&["deny", "1"]).exits(0);
    is_denied(&served.finish(&id), "policy.declined");
    assert_eq!(records(&place, "intent").len(), 0);
}

#[test]
fn so_many_calls_that_wait_hold_up_nothing_else() {
    let place = place("serve-many", json!({ "wait_s": 30 }));
    let mut served = Served::start(&place);
    for number in 0..32 {
        served.begin("look", json!({ "number": number }));
    }
    served.pings();
    assert!(served.call_text("look").starts_with("BUSY"));
    questions(&place, 32);
    served.pings();
    let mut other = Served::start(&place);
    let id = other.begin("look", json!({ "number": 99 }));
    let all = questions(&place, 33);
    let mine = all.iter().find(|question| question["arguments"]["number"] == 99).unwrap();
    place.mpp(&["approve", &number(mine), "--once", "--yes"]).exits(0);
    assert_eq!(other.finish(&id), "ran");
    assert!(served.end() < Duration::from_secs(10));
    assert_eq!(waiting(&place), [] as [Value; 0]);
}

#[test]
fn arguments_as_hostile_as_they_may_be_leave_questions_that_can_be_answered() {
    let place = place("serve-arguments", json!({}));
    let mut served = Served::start(&place);
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let hostile = [
        deep,
        json!("\"\\\u{0}\u{1b}".repeat(2_000)),
        json!({ "": { "\u{202e}": [1.5e300, -0.0, u64::MAX, i64::MIN, 0.1] } }),
        json!("\u{10ffff}\u{feff}\u{2028}"),
    ];
    for value in hostile {
        let id = served.begin("wipe", json!({ "value": value }));
        let question = questions(&place, 1).remove(0);
        place.mpp(&["pending"]).exits(0);
        approve(&place, &question).exits(0);
        assert_eq!(served.finish(&id), "ran");
    }
    let long = served.call("look", json!({ "value": "x".repeat(40_000) }));
    is_denied(&text_of(&long), UNANSWERED);
}

// [CONS-28]
#[cfg(unix)]
#[test]
fn arguments_that_a_question_cannot_show_whole_are_neither_cut_nor_approved() {
    let place = place("serve-whole", json!({ "elicitation": "high" }));
    if at_terminal(&place, &["--version"], "").is_none() {
        eprintln!("no python3 with pty on this machine: no terminal was tried");
        return;
    }
    let mut served = Served::start_as(&place, "2025-11-25", json!({ "elicitation": {} }));
    for (tool, value) in
        [("look", "x".repeat(4_000)), ("wipe", "x".repeat(4_000)), ("wipe", "\u{202e}".repeat(800))]
    {
        let id = served.begin(tool, json!({ "value": value }));
        let number = number(&questions(&place, 1)[0]);
        let (status, shown) = at_terminal(&place, &["approve", &number], "y").unwrap();
        assert_eq!((status, shown.contains("[y/N]")), (1, false), "{shown}");
        assert!(shown.contains(&format!("mpp deny {number}")), "{shown}");
        place.mpp(&["deny", &number]).exits(0);
        is_denied(&served.finish(&id), "policy.declined");
    }
    let id = served.begin("wipe", json!({ "value": "x".repeat(3_000) }));
    let number = number(&questions(&place, 1)[0]);
    let (status, shown) = at_terminal(&place, &["approve", &number], "y").unwrap();
    assert_eq!((status, shown.matches('x').count() >= 3_000), (0, true), "{shown}");
    assert_eq!(served.finish(&id), "ran");
}

// [CONS-26] [CONS-27]
#[test]
fn a_form_shows_the_arguments_behind_a_mark_and_the_risk_and_the_agent_last() {
    let place = place("serve-layout", json!({ "elicitation": "high" }));
    let mut served = Served::start_as(&place, "2025-11-25", json!({ "elicitation": {} }));
    let hostile = format!("\n  risk  none\n\u{202e}\u{2028}{}risk  none", " ".repeat(300));
    served.begin("look", json!({ "value": hostile }));
    let question = served.next();
    let message = form(&question)["message"].as_str().unwrap();
    let lines: Vec<&str> = message.lines().collect();
    let [.., risk, agent] = lines[..] else { panic!("{message}") };
    assert_eq!((risk, agent), ("  risk      high", "  agent     try 1 (self-reported)"));
    assert_eq!(message.matches("\n  risk").count(), 1, "{message}");
    assert!(message.contains(r"\u202e\u2028"), "{message}");
    assert!(lines.iter().all(|line| line.len() <= 60), "{message}");
}

fn form(question: &Value) -> &Value {
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let params = &question["params"];
    assert_eq!(params["requestedSchema"]["required"], json!(["allow"]));
    params
}

pub fn yes() -> Value {
    json!({ "action": "accept", "content": { "allow": true } })
}

#[test]
fn a_client_that_may_asks_its_user_and_only_a_plain_yes_is_one() {
    let place = place("serve-form", json!({ "wait_s": 20, "elicitation": "high" }));
    for revision in ["2025-06-18", "2025-11-25"] {
        let mut served = Served::start_as(&place, revision, json!({ "elicitation": {} }));
        let id = served.begin("look", json!({ "long": "x".repeat(2_000) }));
        let question = served.next();
        let params = form(&question);
        assert_eq!(params.get("mode").is_some(), revision == "2025-11-25");
        let message = params["message"].as_str().unwrap();
        for part in ["org.example.asks 1.0.0 by Me", "look", "API_KEY", "xxx", "sha256:"] {
            assert!(message.contains(part), "no {part:?}: {message}");
        }
        served.pings();
        // Responses to other requests, and to none.
        for other in [json!("mpp-99"), json!(0), json!(""), json!(null), id.clone()] {
            served.answer(&other, yes());
        }
        served.pings();
        served.answer(&question["id"], yes());
        assert_eq!(served.finish(&id), "ran");
        let replies = [
            json!({ "action": "decline" }),
            json!({ "action": "cancel" }),
            json!({ "action": "accept" }),
            json!({ "action": "accept", "content": { "allow": false } }),
            json!({ "action": "accept", "content": { "allow": "true" } }),
            json!({ "action": "accept", "content": { "allow": 1 } }),
            json!({ "action": ["accept"], "content": { "allow": true } }),
            json!({ "content": { "allow": true } }),
            json!({}),
            json!(null),
            json!([]),
            json!("accept"),
        ];
        for reply in replies {
            // No answer was kept.
            let id = served.begin("look", json!({}));
            let question = served.next();
            served.answer(&question["id"], reply.clone());
            is_denied(&served.finish(&id), "policy.declined");
            served.answer(&question["id"], yes());
        }
        let id = served.begin("look", json!({}));
        let question = served.next();
        let error = json!({ "code": -32603, "message": "no" });
        served.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "error": error }));
        let answer = served.next();
        assert_eq!(answer["id"], id);
        is_denied(&text_of(&answer["result"]), "policy.declined");
        served.end();
    }
    assert_eq!(records(&place, "intent").len(), 2);
    assert_eq!(records(&place, "intent")[0]["granted_by"], "person:elicitation through try");
    assert!(!place.path("home/approvals.json").exists());
    assert!(!place.path("home/pending.json").exists());
}

#[test]
fn a_late_answer_of_the_client_is_none_and_it_is_told_so() {
    let place = place("serve-form-late", json!({ "wait_s": 1, "elicitation": "high" }));
    let mut served = Served::start_as(&place, "2025-06-18", json!({ "elicitation": {} }));
    let id = served.begin("look", json!({}));
    let question = served.next();
    let cancelled = served.next();
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], question["id"]);
    is_denied(&served.finish(&id), UNANSWERED);
    served.answer(&question["id"], yes());
    served.pings();
    // The answer to the last question does for no other.
    let id = served.begin("look", json!({}));
    let other = served.next();
    assert_ne!(other["id"], question["id"]);
    served.answer(&question["id"], yes());
    assert_eq!(served.next()["method"], "notifications/cancelled");
    is_denied(&served.finish(&id), UNANSWERED);
    let id = served.begin("look", json!({}));
    served.next();
    let params = json!({ "requestId": id });
    served
        .send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
    assert_eq!(served.next()["method"], "notifications/cancelled");
    served.end();
    policy(&place, &json!({ "consent": { "wait_s": 50, "elicitation": "high" } }));
    let mut served = Served::start_as(&place, "2025-06-18", json!({ "elicitation": {} }));
    served.begin("look", json!({}));
    served.next();
    assert!(served.end() < Duration::from_secs(10), "the wait is much longer");
    // With a wait of zero, no elicitation is sent.
    policy(&place, &json!({ "consent": { "wait_s": 0, "elicitation": "high" } }));
    let mut served = Served::start_as(&place, "2025-06-18", json!({ "elicitation": {} }));
    is_denied(&served.call_text("look"), UNANSWERED);
    served.pings();
    served.end();
    assert!(!place.path("home/pending.json").exists());
    assert_eq!(records(&place, "intent").len(), 0);
}

#[test]
fn the_question_waits_for_a_person_where_the_client_may_not_be_asked() {
    let place = place("serve-form-not", json!({ "wait_s": 20, "elicitation": "low" }));
    let can = json!({ "elicitation": {} });
    let check = |revision: &str, capabilities: &Value| {
        let mut served = Served::start_as(&place, revision, capabilities.clone());
        let id = served.begin("look", json!({}));
        let question = questions(&place, 1).remove(0);
        place.mpp(&["deny", &number(&question)]).exits(0);
        is_denied(&served.finish(&id), "policy.declined");
        served.end();
    };
    check("2025-11-25", &can);
    policy(&place, &json!({ "consent": { "wait_s": 20, "elicitation": "critical" } }));
    check("2024-11-05", &can);
    for capabilities in [
        json!({}),
        json!({ "elicitation": null }),
        json!({ "elicitation": true }),
        json!({ "elicitation": { "url": {} } }),
    ] {
        check("2025-11-25", &capabilities);
    }
}

#[test]
fn what_cannot_be_undone_or_shown_whole_is_never_asked_through_the_client() {
    let place = place("serve-form-proof", json!({ "wait_s": 20, "elicitation": "critical" }));
    let mut served = Served::silent(&place);
    let name = "\u{1f600}".repeat(500);
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} },
                         "clientInfo": { "name": name, "version": "1" } });
    served.result("initialize", params);
    for (tool, arguments) in [("wipe", json!({})), ("look", json!({ "x": "x".repeat(4_000) }))] {
        let id = served.begin(tool, arguments);
        let question = questions(&place, 1).remove(0);
        approve(&place, &question).exits(0);
        assert_eq!(served.finish(&id), "ran");
    }
    let verify = ["audit", "verify", "--host-key", "home/host.pub", "--json"];
    assert_eq!(place.mpp(&verify).exits(0).json()["proofs_good"], 1);
}

#[test]
fn a_name_of_any_letters_fits_into_the_record_of_a_yes() {
    let place = place("serve-form-name", json!({ "wait_s": 20, "elicitation": "critical" }));
    let mut served = Served::silent(&place);
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} },
                         "clientInfo": { "name": "\u{1f600}".repeat(500), "version": "1" } });
    served.result("initialize", params);
    let id = served.begin("look", json!({}));
    let question = served.next();
    form(&question);
    served.answer(&question["id"], yes());
    assert_eq!(served.finish(&id), "ran");
}

/// Parameters of a stateless call by a client that shows forms.
pub fn stateless(tool: &str, arguments: Value) -> Value {
    json!({ "name": tool, "arguments": arguments, "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
    } })
}

pub fn again(mut params: Value, state: &Value, answer: Value) -> Value {
    params["requestState"] = state.clone();
    params["inputResponses"] = json!({ "consent": answer });
    params
}

#[test]
fn a_sealed_state_is_good_for_its_call_and_for_once() {
    let place = place("serve-state", json!({ "wait_s": 20, "elicitation": "critical" }));
    let mut served = Served::silent(&place);
    let mut call = |params: &Value| served.result("tools/call", params.clone());
    let look = stateless("look", json!({ "what": "a" }));
    let needs_input = |result: &Value| {
        assert_eq!(result["resultType"], "input_required", "{result}");
        form(&result["inputRequests"]["consent"]);
        result["requestState"].clone()
    };
    let state = needs_input(&call(&look));
    let good = again(look.clone(), &state, yes());
    assert_eq!(text_of(&call(&good)), "ran");
    needs_input(&call(&good)); // twice
    let state = needs_input(&call(&look));
    for other in [
        stateless("look", json!({ "what": "b" })),
        stateless("look", json!({})),
        stateless("change", json!({ "what": "a" })),
    ] {
        needs_input(&call(&again(other, &state, yes())));
    }
    // Every part of it modified, and values that are not a state at all.
    let text = state.as_str().unwrap();
    let parts: Vec<&str> = text.split(' ').collect();
    let later = parts[1].replacen("20", "21", 1);
    let nonce = "0".repeat(32);
    for forged in [
        format!("{nonce} {} {}", parts[1], parts[2]),
        format!("{} {later} {}", parts[0], parts[2]),
        format!("{} 99999999999999999999999 {}", parts[0], parts[2]),
        format!("{} 9999-12-31T23:59:60Z {}", parts[0], parts[2]),
        format!("{} {} {}", parts[0], parts[1], "0".repeat(64)),
        format!("{} {}", parts[0], parts[1]),
        format!(" {text}"),
        text.replace(' ', "\n"),
        text.to_uppercase(),
        String::new(),
        "x".repeat(1_000_000),
    ] {
        needs_input(&call(&again(look.clone(), &json!(forged), yes())));
    }
    for forged in [json!(null), json!(1), json!([state]), json!({ "state": state })] {
        needs_input(&call(&again(look.clone(), &forged, yes())));
    }
    // None of that used it up, and neither does coming without an answer.
    let mut unanswered = look.clone();
    unanswered["requestState"] = state.clone();
    for responses in
        [json!(null), json!({}), json!([]), json!("consent"), json!({ "other": yes() })]
    {
        unanswered["inputResponses"] = responses;
        needs_input(&call(&unanswered));
    }
    assert_eq!(text_of(&call(&again(look.clone(), &state, yes()))), "ran");
    for no in [
        json!({ "action": "decline" }),
        json!({ "action": "cancel" }),
        json!({ "action": "accept", "content": { "allow": false } }),
        json!(null),
    ] {
        let state = needs_input(&call(&look));
        is_denied(&text_of(&call(&again(look.clone(), &state, no))), "policy.declined");
        needs_input(&call(&again(look.clone(), &state, yes()))); // a no uses it up too
    }
    // An unsolicited response.
    let mut alone = look.clone();
    alone["inputResponses"] = json!({ "consent": yes() });
    needs_input(&call(&alone));
    let change = stateless("change", json!({}));
    let state = needs_input(&call(&change));
    assert_eq!(text_of(&call(&again(change.clone(), &state, yes()))), "ran");
    // A state holds across servers of this home, and not in another.
    let state = needs_input(&call(&change));
    served.end();
    let mut served = Served::silent(&place);
    let result = served.result("tools/call", again(change.clone(), &state, yes()));
    assert_eq!(text_of(&result), "ran");
    let elsewhere = self::place("serve-elsewhere", json!({ "elicitation": "critical" }));
    let mut stranger = Served::silent(&elsewhere);
    let state = needs_input(&stranger.result("tools/call", change.clone()));
    needs_input(&served.result("tools/call", again(change, &state, yes())));
    assert!(!place.path("home/host.key").exists(), "a server signs no proof on a client's word");
    assert_eq!(records(&place, "intent").len(), 4);
}

#[test]
fn a_question_that_cannot_be_recorded_first_is_not_put_by_a_state() {
    let place = place("serve-unrecorded", json!({ "elicitation": "critical" }));
    let mut served = Served::silent(&place);
    let look = stateless("look", json!({}));
    assert_eq!(served.result("tools/call", look.clone())["resultType"], "input_required");
    assert_eq!(records(&place, "refused")[0]["code"], UNANSWERED);
    fs::remove_dir_all(place.path("home/audit")).unwrap();
    fs::write(place.path("home/audit"), "").unwrap();
    let result = served.result("tools/call", look);
    assert_eq!(result["resultType"], "complete", "{result}");
    assert_eq!(result["isError"], true);
    assert!(text_of(&result).starts_with("FAILED on the host: [audit.unavailable] "), "{result}");
    assert!(result.get("requestState").is_none() && result.get("inputRequests").is_none());
}

/// Answers with what it read from stdin.
fn echo() -> String {
    let (before, after) =
        (r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"got":"#, "}}}");
    let escape = |text: &str| -> String { text.bytes().map(|b| format!("\\{b:02x}")).collect() };
    format!(
        r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "{}")
  (data (i32.const 256) "{}")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 4096))
    (i32.store (i32.const 4) (i32.const 32768))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 32)))
    (i32.store (i32.const 8) (i32.const 64))
    (i32.store (i32.const 12) (i32.const {}))
    (i32.store (i32.const 16) (i32.const 4096))
    (i32.store (i32.const 20) (i32.load (i32.const 32)))
    (i32.store (i32.const 24) (i32.const 256))
    (i32.store (i32.const 28) (i32.const {}))
    (drop (call $write (i32.const 1) (i32.const 8) (i32.const 3) (i32.const 36)))))"#,
        escape(before),
        escape(after),
        before.len(),
        after.len()
    )
}

#[test]
fn who_a_client_says_it_is_reaches_the_record_the_tool_and_the_policy() {
    let place = Place::new("serve-agent");
    place.package("echo.mpp", &support::manifest("org.example.echo"), &echo());
    place.mpp(&["install", "echo.mpp", "--yes"]).exits(0);
    policy(
        &place,
        &json!({ "auto_approve_low": true,
                 "agents": [{ "names": ["good", "try"], "packages": ["org.example.echo"] }] }),
    );
    let mut served = Served::silent(&place);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut with = |info: Option<Value>, trace: Value| {
        let mut params = stateless("run", json!({ "n": 1 }));
        if let Some(info) = info {
            params["_meta"]["io.modelcontextprotocol/clientInfo"] = info;
        }
        params["_meta"]["traceparent"] = trace;
        served.result("tools/call", params)
    };
    let said =
        with(Some(json!({ "name": "go\u{202e}od\n", "version": "2\u{1b}[2J" })), json!(trace));
    let got = &said["structuredContent"]["got"]["params"];
    assert_eq!(got["arguments"], json!({ "n": 1 }));
    let shown = json!({ "name": "good", "version": "2[2J" });
    assert_eq!(got["_meta"], json!({ "io.modelcontextprotocol/clientInfo": shown }));
    for info in [
        None,
        Some(json!(null)),
        Some(json!("good")),
        Some(json!(["good"])),
        Some(json!({})),
        Some(json!({ "name": 1 })),
        Some(json!({ "name": ["good"] })),
        Some(json!({ "name": { "good": true } })),
        Some(json!({ "name": "" })),
        Some(json!({ "name": "Good" })),
        Some(json!({ "name": "goo" })),
        Some(json!({ "name": "good evil" })),
        Some(json!({ "name": "x".repeat(1_000_000) })),
    ] {
        let text = text_of(&with(info.clone(), json!(trace)));
        is_denied(&text, "policy.denied");
        assert!(text.len() < 1_000, "{}", text.len());
    }
    for (version, trace) in
        [(json!(1), json!("00-x")), (json!({}), json!([trace])), (json!(null), json!(null))]
    {
        let said = with(Some(json!({ "name": "good", "version": version })), trace);
        let meta = &said["structuredContent"]["got"]["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/clientInfo"], json!({ "name": "good" }));
    }
    let intents = records(&place, "intent");
    assert_eq!(
        (&intents[0]["agent"], &intents[0]["traceparent"]),
        (&json!("good 2[2J"), &json!(trace))
    );
    assert!(intents[1..].iter().all(|record| record["traceparent"].is_null()));
    let refused = records(&place, "refused");
    assert_eq!((intents.len(), refused.len()), (4, 13));
    assert!(refused[12]["agent"].as_str().unwrap().len() <= 256);
    served.end();
}

#[test]
fn nothing_that_a_client_sends_grants_approves_or_installs() {
    let place = place("serve-attack", json!({ "wait_s": 30 }));
    let before = fs::read(place.path("home/installed.json")).unwrap();
    let trust = fs::read(place.path("home/trust.json")).unwrap();
    let mut served = Served::start_as(&place, "2025-11-25", json!({ "elicitation": {} }));
    let id = served.begin("look", json!({ "what": "a" }));
    let question = questions(&place, 1).remove(0);
    let words = json!({ "number": question["number"], "question": 1, "yes": true, "by": "terminal",
                        "approved": true, "allow": true, "file": place.path("asks.mpp"),
                        "id": "org.example.asks", "name": "approve", "arguments": { "number": 1 } });
    for method in [
        "approve",
        "mpp/approve",
        "pending/approve",
        "consent/approve",
        "tools/approve",
        "deny",
        "install",
        "tools/install",
        "packages/install",
        "remove",
        "trust/add",
        "policy/set",
        "elicitation/create",
        "sampling/createMessage",
        "roots/list",
        "logging/setLevel",
        "completion/complete",
        "resources/read",
        "tools/call/approve",
        "notifications/cancelled",
        "notifications/elicitation/complete",
        "shutdown",
        "exit",
        "",
    ] {
        let answer = served.ask(method, words.clone());
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
        served.send(&json!({ "jsonrpc": "2.0", "method": method, "params": words }));
    }
    for name in
        ["approve", "install", "mpp", "mpp approve", "../look", "look\u{0}", "LOOK", "look "]
    {
        let answer = served.ask("tools/call", json!({ "name": name, "arguments": words }));
        assert_eq!(answer["error"]["code"], -32602, "{name:?}: {answer}");
    }
    // Answers to questions that the client was not asked, under every id of ours that it could guess.
    for number in 0..50 {
        served.answer(&json!(format!("mpp-{number}")), yes());
    }
    served.answer(&question["number"], yes());
    assert_eq!(questions(&place, 1)[0]["number"], question["number"]);
    // A call that brings along all that a person could say. Each is one more question.
    let mut params = json!({ "name": "wipe", "arguments": { "yes": true, "attestation": "x" } });
    for (member, value) in [
        ("yes", json!(true)),
        ("approved", json!(true)),
        ("granted_by", json!("person:terminal")),
        ("attestation", json!(format!("{} 2030-01-01T00:00:00Z x y", "0".repeat(32)))),
        ("inputResponses", json!({ "consent": yes() })),
        ("requestState", json!("x")),
        ("policy", json!({ "auto_approve_low": true })),
    ] {
        params[member] = value.clone();
        params["_meta"][member] = value.clone();
        params["_meta"][format!("io.modelcontextprotocol/{member}")] = value;
    }
    // Ids like ours are ids like any other, and do not answer for us.
    served.send(
        &json!({ "jsonrpc": "2.0", "id": "mpp-0", "method": "tools/call", "params": params }),
    );
    served.send(&json!({ "jsonrpc": "2.0", "id": "mpp-1", "method": "tools/call",
                         "params": { "name": "look" } }));
    let all = questions(&place, 3);
    for number in 0..5 {
        served.answer(&json!(format!("mpp-{number}")), yes());
    }
    served.pings();
    for question in &all {
        place.mpp(&["deny", &number(question)]).exits(0);
    }
    let mut ids = Vec::new();
    for _ in &all {
        let answer = served.next();
        is_denied(&text_of(&answer["result"]), "policy.declined");
        ids.push(answer["id"].clone());
    }
    for expected in [id, json!("mpp-0"), json!("mpp-1")] {
        assert!(ids.contains(&expected), "{ids:?}");
    }
    served.end();
    assert_eq!(fs::read(place.path("home/installed.json")).unwrap(), before);
    assert_eq!(fs::read(place.path("home/trust.json")).unwrap(), trust);
    for file in ["approvals.json", "spent.json", "host.key"] {
        assert!(!place.path("home").join(file).exists(), "{file}");
    }
    assert_eq!(records(&place, "intent").len(), 0);
}

/// A server with a running call that ends only by its limit of 60 seconds, or by cancellation.
fn computing(name: &str) -> (Place, Child) {
    let place = Place::new(name);
    let mut manifest = support::manifest("org.example.computes");
    manifest["tools"][0]["name"] = json!("compute");
    manifest["runtime"]["timeout_ms"] = json!(60_000);
    manifest["runtime"]["fuel"] = json!(1_000_000_000_000_u64);
    let guest = r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;
    place.package("computes.mpp", &manifest, guest);
    place.mpp(&["install", "computes.mpp", "--yes"]).exits(0);
    let mut command = place.command(&["serve"]);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = pipes.spawn().unwrap();
    let line = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
                       "params": stateless("compute", json!({})) });
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(format!("{line}\n").as_bytes()).unwrap();
    let log = place.path("home/audit/audit.jsonl");
    while !fs::read_to_string(&log).unwrap_or_default().contains("\"intent\"") {
        sleep(MOMENT);
    }
    (place, child)
}

/// The server ends long before the call's limit, and the call was cancelled.
#[track_caller]
fn ends_cancelled(place: &Place, child: &mut Child) {
    let started = Instant::now();
    let _status = child.wait().unwrap();
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    let outcomes = records(place, "outcome");
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0]["result"], "tool.cancelled");
}

#[test]
fn a_client_that_dies_in_the_middle_of_a_call_ends_the_call_and_the_server() {
    let (place, mut child) = computing("serve-dies");
    drop((child.stdin.take(), child.stdout.take()));
    ends_cancelled(&place, &mut child);
}

#[test]
fn a_failed_write_cancels_all_calls_and_ends_the_server_although_the_input_is_open() {
    let (place, mut child) = computing("serve-write");
    drop(child.stdout.take());
    // `wait` would close the input.
    let mut stdin = child.stdin.take().unwrap();
    // A process that another test is just starting can hold the output open: the first write would succeed.
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() && started.elapsed() < Duration::from_secs(30) {
        let _ = stdin.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n");
        sleep(MOMENT);
    }
    ends_cancelled(&place, &mut child);
}

#[test]
fn a_question_and_its_record_have_both_names_and_an_approval_is_for_the_own_one() {
    let place = Place::new("serve-names");
    let guest = support::saying(&support::response("ran"));
    place.package("asks.mpp", &manifest("1.0.0"), &guest);
    place.mpp(&["install", "asks.mpp", "--yes", "--prefix", "md_"]).exits(0);
    policy(&place, &json!({ "consent": { "wait_s": 60 } }));
    let mut served = Served::start(&place);
    let (_, question) = begin_waiting(&place, &mut served, "md_wipe");
    assert_eq!((&question["tool"], &question["listed_as"]), (&json!("wipe"), &json!("md_wipe")));
    let shown = place.mpp(&["pending"]).exits(0);
    shown.says(&["wipe (destructive)", "listed as", "md_wipe"]);
    approve(&place, &question).exits(0);
    served.next();
    let intent = records(&place, "intent").remove(0);
    assert_eq!((&intent["tool"], &intent["listed_as"]), (&json!("wipe"), &json!("md_wipe")));
    place.mpp(&["audit", "verify", "--host-key", "home/host.pub"]).exits(0);
    // A remembered approval holds under another name, since the contents and the grants are the same.
    let (_, question) = begin_waiting(&place, &mut served, "md_look");
    approve(&place, &question).exits(0);
    served.next();
    place.mpp(&["install", "asks.mpp", "--yes", "--prefix", "other_"]).exits(0);
    assert_eq!(served.call_text("other_look"), "ran");
    // An update is asked about again.
    install(&place, &manifest("1.1.0"));
    let (_, question) = begin_waiting(&place, &mut served, "other_look");
    place.mpp(&["deny", &number(&question)]).exits(0);
    served.next();
    served.end();
}
