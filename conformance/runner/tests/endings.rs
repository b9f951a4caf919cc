//! The program as a whole, with adapters that answer as they should not.

use crate::support::{conform, here, run, status, Folder};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// The cases whose id begins in this way, and those of them that are to be accepted.
fn committed(start: &str) -> (u64, u64) {
    let (directory, start) = start.split_once('/').unwrap();
    let (mut all, mut accepted) = (0, 0);
    for item in fs::read_dir(here().join("../vectors").join(directory)).unwrap() {
        let path = item.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with(start) && name.ends_with(".json") {
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            all += 1;
            accepted += u64::from(case["expect"]["verdict"] == "accept");
        }
    }
    assert!(all > 0);
    (all, accepted)
}

fn cases() -> u64 {
    committed("key/").0
}

fn accepted() -> u64 {
    committed("key/").1
}

/// Runs an adapter in this mode, which must fail with these counts and no other.
fn fails(mode: &str, further: &[&str], counts: &[(&str, u64)]) -> Value {
    let folder = Folder::new();
    let output = run(&folder, mode, further);
    assert_eq!(status(&output), Some(1), "{mode}: {output:?}");
    let report = folder.json();
    for (name, count) in report["counts"].as_object().unwrap() {
        let expected =
            counts.iter().find(|(known, _)| known == name).map_or(0, |(_, count)| *count);
        assert_eq!(*count, expected, "{mode}: {name}");
    }
    assert_eq!(report["passed"], false);
    report
}

#[test]
fn a_right_adapter_passes() {
    let folder = Folder::new();
    let output = run(&folder, "right", &[]);
    assert_eq!(status(&output), Some(0), "{output:?}");
    assert_eq!(folder.json()["counts"]["pass"], cases());
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("right 1 passes profile full"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
}

#[test]
fn who_accepts_all_fails() {
    let report = fails("accept", &[], &[("pass", accepted()), ("accepted", cases() - accepted())]);
    assert_eq!(report["scores"]["verdict"]["right"], accepted());
    assert_eq!(report["scores"]["code"]["right"], 0);
}

#[test]
fn who_refuses_all_fails() {
    let report =
        fails("refuse", &[], &[("refused", accepted()), ("other_reason", cases() - accepted())]);
    assert_eq!(report["scores"]["verdict"]["right"], cases() - accepted());
    assert_eq!(report["scores"]["code"]["right"], 0);
}

#[test]
fn who_hangs_is_stopped_after_five_time_outs() {
    let folder = Folder::new();
    let output = run(&folder, "hang", &["--timeout-ms", "2000"]);
    assert_eq!(status(&output), Some(1));
    let report = folder.json();
    // The fifth can come while the other adapter waits too.
    let count = report["counts"]["time_out"].as_u64().unwrap();
    assert!((5..=6).contains(&count), "{count}");
    assert_eq!(report["counts"]["not_run"], cases() - count);
    assert_eq!(report["ended_early"], "5 time-outs in a row");
}

#[test]
fn who_crashes_is_started_again_twenty_times() {
    let folder = Folder::new();
    let output = run(&folder, "crash", &[]);
    assert_eq!(status(&output), Some(1));
    let report = folder.json();
    let count = report["counts"]["crash"].as_u64().unwrap();
    assert!((20..=21).contains(&count), "{count}");
    assert_eq!(
        report["cases"][0]["answered"],
        "ended with exit status: 3: the last line; then not run"
    );
}

#[test]
fn a_crash_fails_its_case_only() {
    let counts = [("pass", cases() - accepted()), ("crash", accepted())];
    assert_eq!(fails("crash-on-accepted", &[], &counts)["ended_early"], Value::Null);
}

#[test]
fn who_answers_garbage_or_with_another_id_fails() {
    let count = committed("key/accept-").0;
    for mode in ["array", "no-verdict", "other-id", "text-id"] {
        fails(mode, &["--only", "key/accept-*"], &[("protocol", count)]);
    }
    let folder = Folder::new();
    assert_eq!(status(&run(&folder, "garbage", &[])), Some(1));
    let report = folder.json();
    let count = report["counts"]["protocol"].as_u64().unwrap();
    assert!((20..=21).contains(&count), "{count}");
    assert_eq!(report["ended_early"], "20 crashes or protocol faults in a row");
}

#[test]
fn who_answers_twice_fails() {
    fails("twice", &[], &[("protocol", cases())]);
}

#[test]
fn a_line_above_the_limit_fails() {
    let report = fails("long", &["--only", "key/accept-b*"], &[("protocol", 1)]);
    assert!(
        report["cases"][0]["answered"].as_str().unwrap().contains("more than 16000000"),
        "{report}"
    );
}

#[test]
fn who_answers_by_time_zone_directory_or_language_is_unstable() {
    // It accepts in both passes what is to be accepted.
    let refused = cases() - accepted();
    fails("unstable-zone", &[], &[("pass", accepted()), ("unstable", refused)]);
    fails("unstable-directory", &[], &[("unstable", cases())]);
    fails("unstable-language", &[], &[("unstable", cases())]);
    // What no case states is not compared.
    let folder = Folder::new();
    assert_eq!(status(&run(&folder, "further", &[])), Some(0));
}

#[test]
fn without_a_valid_hello_nothing_runs() {
    for mode in ["other-protocol", "crash-at-once"] {
        let report = fails(mode, &[], &[("not_run", cases())]);
        assert!(report["ended_early"].as_str().unwrap().starts_with("no hello: "), "{report}");
    }
    let output = conform(&["--exec", "/nonexistent/program", "--only", "key/*"]);
    assert_eq!(status(&output), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("cannot be started"));
}

#[test]
fn an_operation_that_is_skipped_or_missing_fails_and_a_missing_feature_does_not() {
    fails("skip", &[], &[("unsupported", cases())]);
    fails("one-operation", &["--only", "trust/*"], &[("unsupported", committed("trust/").0)]);
    let folder = Folder::new();
    // Nothing is tried, so nothing passes.
    assert_eq!(status(&run(&folder, "right", &["--only", "module/body-*"])), Some(1));
    assert!(folder.json()["cases"].as_array().unwrap().iter().all(|row| row["failed"] == false));
    assert_eq!(status(&run(&folder, "right", &["--only", "module/ex*"])), Some(0));
    assert!(folder.json()["counts"]["unsupported"].as_u64() > Some(0));
    // Cases that need the feature are not in the profile.
    let verifier = ["--only", "module/ex*", "--profile", "verifier"];
    assert_eq!(status(&run(&folder, "right", &verifier)), Some(0));
    assert_eq!(folder.json()["counts"]["unsupported"], 0);
}

#[test]
fn a_known_failure_fails_nothing_and_a_stale_one_does() {
    let folder = Folder::new();
    let known = folder.path("known.txt");
    let report =
        fails("crash-on-accepted", &[], &[("pass", cases() - accepted()), ("crash", accepted())]);
    let rows = report["cases"].as_array().unwrap();
    let failing: String = rows
        .iter()
        .filter(|row| row["failed"] == true)
        .map(|row| format!("{} bug 7\n", row["id"].as_str().unwrap()))
        .collect();
    fs::write(&known, &failing).unwrap();
    assert_eq!(status(&run(&folder, "crash-on-accepted", &["--known", &known])), Some(0));
    assert_eq!(status(&run(&folder, "right", &["--known", &known])), Some(1));
    assert_eq!(folder.json()["stale"].as_array().unwrap().len() as u64, accepted());
    for further in ["no/such-case gone\n", "trust/* later\n"] {
        fs::write(&known, failing.clone() + further).unwrap();
        let output = run(&folder, "crash-on-accepted", &["--known", &known]);
        // Cases that are not selected say nothing about their entry.
        assert_eq!(
            status(&output),
            Some(if further.starts_with("no/") { 1 } else { 0 }),
            "{further}"
        );
    }
}

#[test]
fn what_an_adapter_says_cannot_change_a_page_a_report_or_a_terminal() {
    for mode in ["hostile", "hostile-skip", "crash-hostile"] {
        let folder = Folder::new();
        let output = run(&folder, mode, &["--only", "key/accept-*"]);
        assert_eq!(status(&output), Some(1), "{mode}");
        let other = run(&folder, "right", &["--compare", &folder.path("report.json")]);
        assert_eq!(status(&other), Some(0), "{other:?}");
        let page = folder.read("page.html");
        assert!(page.contains("&lt;script&gt;"), "{mode}");
        let _ = run(&folder, mode, &["--only", "key/accept-*"]);
        let shown = String::from_utf8(output.stdout).unwrap();
        let texts = [
            shown,
            page,
            folder.read("page.html"),
            folder.read("junit.xml"),
            folder.read("report.json"),
        ];
        for (text, is_markup) in texts.iter().zip([false, true, true, true, false]) {
            assert!(!is_markup || !text.contains("<script"), "{mode}");
            for letter in ['\u{1b}', '\u{7}', '\u{202e}', '\u{2028}', '\u{fffe}'] {
                assert!(!text.contains(letter), "{mode}: {letter:?}");
            }
        }
        let parse = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])";
        let parsed = Command::new("python3")
            .args(["-c", parse, &folder.path("junit.xml")])
            .output()
            .unwrap();
        assert!(parsed.status.success(), "{parsed:?}");
    }
}

#[test]
fn a_page_has_nothing_from_elsewhere() {
    let folder = Folder::new();
    run(&folder, "accept", &[]);
    let page = folder.read("page.html");
    for text in ["http:", "https:", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(text), "{text}");
    }
}

#[test]
fn one_process_per_case_has_the_same_endings() {
    let once = ["--one-process-per-case", "--only", "key/accept-*"];
    let folder = Folder::new();
    let output = run(&folder, "right", &once);
    assert_eq!(status(&output), Some(0), "{output:?}");
    let count = committed("key/accept-").0;
    fails("refuse", &once, &[("refused", count)]);
    fails("crash", &once, &[("crash", count)]);
    fails("twice", &once, &[("protocol", count)]);
    fails("garbage", &once, &[("protocol", count)]);
    fails("unstable-directory", &once, &[("unstable", count)]);
    fails(
        "hang",
        &["--one-process-per-case", "--only", "key/accept-b*", "--timeout-ms", "2000"],
        &[("time_out", 1)],
    );
}

#[test]
fn a_fault_in_the_arguments_is_status_2() {
    let folder = Folder::new();
    fs::write(folder.0.join("known.txt"), "key/a\n").unwrap();
    let exec = "python3 tests/fake.py right";
    for arguments in [
        &[][..],
        &["--exec", exec, "--profile", "most"],
        &["--exec", exec, "--only", "nothing"],
        &["--exec", exec, "--vectors", "tests"],
        &["--exec", exec, "--known", &folder.path("known.txt")],
        &["--exec", ""],
        &["--exec", exec, "--every"],
        &["--compare", "Cargo.toml"],
    ] {
        assert_eq!(status(&conform(arguments)), Some(2), "{arguments:?}");
    }
}

/// The program in `PROTOCOL.md`.
#[test]
fn the_adapter_of_the_protocol_page_answers_each_case() {
    let page = fs::read_to_string(here().join("PROTOCOL.md")).unwrap();
    let program = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Folder::new();
    fs::write(folder.0.join("adapter.py"), program).unwrap();
    let exec = format!("python3 '{}'", folder.path("adapter.py"));
    let (json, only) = (folder.path("report.json"), "archive/*");
    let output = conform(&["--exec", &exec, "--only", only, "--json", &json]);
    assert_eq!(status(&output), Some(1));
    let report = folder.json();
    for result in ["crash", "time_out", "protocol", "unstable", "not_run", "unsupported"] {
        assert_eq!(report["counts"][result], 0, "{result}");
    }
    assert!(report["counts"]["pass"].as_u64() > Some(10), "{report}");
}
