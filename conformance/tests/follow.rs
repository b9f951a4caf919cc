//! `mpp pending --follow`: a program beside the server learns of each request and of its end.

use crate::cli::Place;
use crate::serve::{self, Served};
use crate::support;
use serde_json::{json, Value};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};

struct Follower {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Follower {
    fn start(place: &Place) -> Self {
        let mut command = place.command(&["pending", "--follow", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Follower { child, lines }
    }

    /// The next event that is not a sign of life.
    fn event(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it has ended");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] != "waiting" {
                return event;
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn place(name: &str) -> Place {
    let place = Place::new(name);
    let mut manifest = support::manifest("org.example.asks");
    manifest["capabilities"] = json!({ "environment": ["API_KEY"] });
    let guest = support::saying(&support::response("ran"));
    place.package("asks.mpp", &manifest, &guest);
    place.mpp(&["install", "asks.mpp", "--yes"]).exits(0);
    place
}

#[test]
fn each_request_is_an_event_when_it_is_asked_and_when_it_has_ended() {
    let place = place("follow");
    let mut follower = Follower::start(&place);
    let mut served = Served::start(&place);
    for (command, is_denied) in [("approve", false), ("deny", true)] {
        let id = served.begin("run", json!({ "x": "\u{1b}[2J\u{85}\u{2028}" }));
        let asked = follower.event();
        let request = &asked["request"];
        assert_eq!((&asked["event"], &request["tool"]), (&json!("asked"), &json!("run")));
        let text = request["text"].as_str().unwrap();
        assert!(
            text.contains("org.example.asks 1.0.0 by Me") && text.contains("API_KEY"),
            "{text}"
        );
        assert!(!text.contains(['\u{1b}', '\u{85}', '\u{2028}']), "{text:?}");
        assert!(text.lines().all(|line| line.chars().count() <= 72), "{text}");
        let number = request["number"].to_string();
        let words: &[&str] = &[command, &number, "--yes", "--once", "--json"];
        place.mpp(&words[..if is_denied { 2 } else { 5 }]).exits(0);
        assert_eq!(follower.event(), json!({ "event": "ended", "number": request["number"] }));
        assert_eq!(served.finish(&id).starts_with("DENIED"), is_denied);
    }
    served.end();
}

#[test]
fn what_waits_already_is_asked_first_and_a_reader_that_has_gone_ends_it() {
    let place = place("follow-late");
    let mut served = Served::start(&place);
    let (_, question) = serve::begin_waiting(&place, &mut served, "run");
    let mut follower = Follower::start(&place);
    assert_eq!(follower.event()["request"]["number"], question["number"]);
    let Follower { lines, .. } = &mut follower;
    // The next line is a sign of life at the latest, and nothing reads it.
    *lines = BufReader::new(
        place.command(&["--version"]).stdout(Stdio::piped()).spawn().unwrap().stdout.unwrap(),
    );
    assert!(follower.child.wait().unwrap().success());
    place.mpp(&["deny", &serve::number(&question)]).exits(0);
}

#[test]
fn a_queue_that_cannot_be_read_ends_it_with_an_error() {
    let place = place("follow-broken");
    std::fs::write(place.path("home/pending.json"), "{").unwrap();
    place.mpp(&["pending", "--follow", "--json"]).exits(1).says(&["consent.invalid"]);
}
