//! Reading the record: what `mpp audit` shows, sums up and ships, and that nothing of a broken log is shown.

use crate::cli::{Place, Ran};
use crate::support;
use serde_json::{json, Value};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

/// A place with an answered call, a refused package, a denied call, a failed one, and a tool with a hostile name.
fn recorded(name: &str) -> Place {
    let place = Place::new(name);
    place.mpp(&["run", "fine.mpp"]).exits(0);
    place.package("silent.mpp", &support::manifest("org.example.silent"), support::SILENT_GUEST);
    place.mpp(&["run", "silent.mpp"]).exits(3);
    let policy =
        json!({ "format": "mpp-policy/1", "deny": { "packages": ["org.example.silent"] } });
    fs::write(place.path("deny.json"), policy.to_string()).unwrap();
    place.mpp(&["run", "silent.mpp", "--policy", "deny.json"]).exits(1);
    fs::write(place.path("<b>.mpp"), "no package").unwrap();
    place.mpp(&["run", "<b>.mpp", "--tool", "<script>alert(1)</script>"]).exits(1);
    place.mpp(&["audit", "verify"]).exits(0);
    place
}

fn outcomes(ran: &Ran) -> Vec<String> {
    let list = ran.json();
    list.as_array().unwrap().iter().map(|row| row["outcome"].as_str().unwrap().to_owned()).collect()
}

fn log(place: &Place) -> std::path::PathBuf {
    place.path("home/audit/audit.jsonl")
}

#[test]
fn calls_and_refusals_are_shown_and_selected() {
    let place = recorded("evidence-show");
    let show = |options: &[&str]| {
        outcomes(&place.mpp(&[&["audit", "show", "--json"], options].concat()).exits(0))
    };
    let all = show(&[]);
    assert_eq!(all.len(), 4, "{all:?}");
    assert_eq!((all[0].as_str(), all[2].as_str()), ("ok", "policy.denied"));
    assert_eq!(show(&["--last", "1"]), all[3..]);
    assert_eq!(show(&["--last", "0"]).len(), 0);
    assert_eq!(show(&["--outcome", "ok"]), ["ok"]);
    assert_eq!(show(&["--outcome", "policy"]), ["policy.denied"]);
    assert_eq!(show(&["--outcome", "refused"]), all[2..]);
    assert_eq!(show(&["--package", "org.example.silent"]).len(), 2);
    assert_eq!(show(&["--package", "org.example"]).len(), 3);
    assert_eq!(show(&["--package", "org.exam"]).len(), 0);
    assert_eq!(show(&["--tool", "none"]).len(), 0);
    assert_eq!(show(&["--since", "2000-01-01"]).len(), 4);
    assert_eq!(show(&["--since", "2999-01-01T00:00:00Z"]).len(), 0);
    for wrong in ["yesterday", "2026-13-01", "2026-01-01 00:00:00"] {
        place.mpp(&["audit", "show", "--since", wrong]).exits(2);
    }
}

#[test]
fn a_row_fits_the_terminal_and_shows_nothing_hidden() {
    let place = recorded("evidence-width");
    for columns in ["60", "100", "200"] {
        let mut command = place.command(&["audit", "show"]);
        let ran = Ran::of(command.env("COLUMNS", columns).output().unwrap()).exits(0);
        assert_eq!(ran.out.lines().count(), 4);
        for line in ran.out.lines() {
            assert!(line.chars().count() <= columns.parse().unwrap(), "{columns}: {line}");
            assert!(!line.contains('\u{1b}'));
        }
        assert!(ran.out.contains("ok") && ran.out.contains("policy.denied"));
    }
}

#[test]
fn the_head_pins_every_record() {
    let place = recorded("evidence-head");
    let head = place.mpp(&["audit", "head", "--json"]).exits(0).json();
    let anchor = head["head"].as_str().unwrap();
    assert_eq!(place.mpp(&["audit", "head"]).exits(0).out, format!("{anchor}\n"));
    place.mpp(&["run", "fine.mpp"]).exits(0);
    place.mpp(&["audit", "verify", "--head", anchor]).exits(0);
    // A copy without the last of the pinned records.
    let text = fs::read_to_string(log(&place)).unwrap();
    let count = head["records"].as_u64().unwrap() as usize - 1;
    let cut: String = text.lines().take(count).map(|line| format!("{line}\n")).collect();
    fs::write(place.path("cut.jsonl"), cut).unwrap();
    place.mpp(&["audit", "verify", "cut.jsonl"]).exits(0);
    place.mpp(&["audit", "verify", "cut.jsonl", "--head", anchor]).exits(1).says(&["audit.broken"]);
    let empty = Place::new("evidence-head-empty");
    let zeros = "0".repeat(64);
    assert_eq!(empty.mpp(&["audit", "head"]).exits(0).out, format!("{zeros}\n"));
}

#[test]
fn nothing_of_a_log_that_was_changed_is_shown() {
    let place = recorded("evidence-changed");
    let text = fs::read_to_string(log(&place)).unwrap();
    let changed = text.replacen("\"result\":\"ok\"", "\"result\":\"no\"", 1);
    assert_ne!(text, changed);
    fs::write(log(&place), changed).unwrap();
    for words in [&["show"][..], &["head"], &["export"], &["report", "-o", "page.html"]] {
        let ran = place.mpp(&[&["audit"], words].concat()).exits(1).says(&["audit.broken"]);
        assert_eq!(ran.out, "");
    }
    assert!(!place.path("page.html").exists());
}

#[test]
fn the_report_is_one_page_with_nothing_from_elsewhere_and_foreign_text_escaped() {
    let place = recorded("evidence-report");
    let head = place.mpp(&["audit", "report", "-o", "page.html", "--json"]).exits(0).json();
    let page = fs::read_to_string(place.path("page.html")).unwrap();
    for part in [
        "viewport",
        head["head"].as_str().unwrap(),
        "org.example.fine 1.0.0",
        "policy.denied",
        "email",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["<script", "http:", "https:", "src=", "@import", "url(", "<b>."] {
        assert!(!page.contains(part), "{part}");
    }
    let empty = Place::new("evidence-report-empty");
    empty.mpp(&["audit", "report", "-o", "page.html"]).exits(0);
    assert!(fs::read_to_string(empty.path("page.html")).unwrap().contains(&"0".repeat(64)));
}

#[test]
fn records_are_exported_as_they_are_and_as_syslog() {
    let place = recorded("evidence-export");
    let text = fs::read_to_string(log(&place)).unwrap();
    assert_eq!(place.mpp(&["audit", "export"]).exits(0).out, text);
    let syslog = place.mpp(&["audit", "export", "--format", "syslog"]).exits(0).out;
    for (line, record) in syslog.lines().zip(text.lines()) {
        let value: Value = serde_json::from_str(record).unwrap();
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        let is_well = match text("kind").as_str() {
            "intent" => true,
            "outcome" => value["result"] == "ok",
            _ => false,
        };
        let expected = format!(
            "<{}>1 {} - mpp - {} [mpp@32473 seq=\"{}\" hash=\"{}\"] {record}",
            if is_well { 110 } else { 108 },
            text("time"),
            text("kind"),
            value["seq"],
            text("hash")
        );
        assert_eq!(line, expected);
        assert!(line.is_ascii());
    }
    assert_eq!(syslog.lines().count(), text.lines().count());
    place.mpp(&["audit", "export", "--format", "cef"]).exits(2);
}

#[test]
fn an_export_with_a_cursor_goes_on_where_it_stopped_and_notices_another_log() {
    let place = recorded("evidence-cursor");
    let export = || place.mpp(&["audit", "export", "--cursor", "cursor"]);
    let first = export().exits(0).out;
    assert_eq!(export().exits(0).out, "");
    place.mpp(&["run", "fine.mpp"]).exits(0);
    let second = export().exits(0).out;
    assert_eq!(second.lines().count(), 2);
    assert_eq!(first + &second, fs::read_to_string(log(&place)).unwrap());
    // Another log, of the same home, that is longer or shorter.
    let cursor = fs::read_to_string(place.path("cursor")).unwrap();
    fs::write(place.path("cursor"), cursor.replacen(&cursor[cursor.len() - 8..], "0000000\n", 1))
        .unwrap();
    export().exits(1).says(&["audit.broken", "not the one that was exported"]);
    fs::write(place.path("cursor"), format!("99 {}\n", "0".repeat(64))).unwrap();
    export().exits(1).says(&["audit.broken", "99 records were exported"]);
    for text in ["", "7", "x y", "-1 0"] {
        fs::write(place.path("cursor"), text).unwrap();
        export().exits(2);
    }
}

#[cfg(unix)]
#[test]
fn a_follower_shows_what_is_recorded_after_it_started() {
    let place = recorded("evidence-follow");
    let words = ["audit", "show", "--follow", "--json", "--last", "1"];
    let mut follower = place.command(&words).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    let old = next();
    assert!(old["outcome"].as_str().unwrap().contains('.'));
    for _ in 0..3 {
        place.mpp(&["run", "fine.mpp"]).exits(0);
        let new = next();
        assert_eq!(new["outcome"], "ok");
        assert!(new["seq"].as_u64() > old["seq"].as_u64());
    }
    // A change behind the follower's back ends it.
    use std::io::Write as _;
    let mut log = fs::OpenOptions::new().append(true).open(log(&place)).unwrap();
    log.write_all(b"{}\n").unwrap();
    assert_eq!(follower.wait().unwrap().code(), Some(1));
}

#[cfg(unix)]
#[test]
#[ignore = "needs rsyslogd"]
fn a_local_rsyslog_takes_every_record_whole() {
    use std::io::Write as _;
    let place = recorded("evidence-rsyslog");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let taken = place.path("taken");
    let config = format!(
        "module(load=\"imtcp\")\ninput(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         global(maxMessageSize=\"64k\" workDirectory=\"{0}\")\n\
         template(name=\"parts\" type=\"string\" string=\"%pri% %app-name% %msgid% %structured-data% %msg%\\n\")\n\
         action(type=\"omfile\" file=\"{1}\" template=\"parts\")\n",
        place.path("").display(),
        taken.display()
    );
    fs::write(place.path("rsyslog.conf"), config).unwrap();
    let pid = place.path("pid");
    let words = ["-n", "-f", "rsyslog.conf", "-i", pid.to_str().unwrap()];
    let mut server = place.program("/usr/sbin/rsyslogd", &words).spawn().unwrap();
    let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).ok();
    let pause = || std::thread::sleep(std::time::Duration::from_millis(50));
    let mut stream = (0..200)
        .find_map(|_| {
            connect().or_else(|| {
                pause();
                None
            })
        })
        .unwrap();
    let lines = place.mpp(&["audit", "export", "--format", "syslog"]).exits(0).out;
    stream.write_all(lines.as_bytes()).unwrap();
    drop(stream);
    let read = || fs::read_to_string(&taken).unwrap_or_default();
    let count = lines.lines().count();
    let complete = (0..200).any(|_| {
        pause();
        read().lines().count() >= count
    });
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(complete, "{}", read());
    for (line, taken) in lines.lines().zip(read().lines()) {
        let (head, rest) = line.split_once(" - mpp - ").unwrap();
        let priority = head.strip_prefix('<').unwrap().split('>').next().unwrap();
        assert_eq!(taken.replace("]  {", "] {"), format!("{priority} mpp {rest}"));
    }
}
