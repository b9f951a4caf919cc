//! Kills at any moment: four writers of one directory and one log, and a person who installs, updates,
//! downgrades and removes, each killed again and again. Nothing that was answered is lost, and nothing that is
//! left needs a person.
#![cfg(unix)]

use crate::changes::{writer, End};
use crate::cli::Place;
use crate::support;
use serde_json::{json, Value};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const WRITERS: usize = 4;
const LENGTH: usize = 100_000;

/// Numbers that differ from run to run of this sequence, but not from run to run of the test.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end.max(1)
    }
}

/// Runs a command and kills it after some part of the time that it takes. Returns `false` if it was quicker,
/// and then it has succeeded.
fn is_killed(place: &Place, words: &[&str], whole: Duration, numbers: &mut Numbers) -> bool {
    let mut command = place.command(words);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let micros = numbers.below(u64::try_from(whole.as_micros()).unwrap());
    std::thread::sleep(Duration::from_micros(micros));
    let _ended_already = child.kill();
    let output = child.wait_with_output().unwrap();
    let status = output.status;
    if status.signal() == Some(9) {
        return true;
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(status.code(), Some(0), "{words:?}: {said}");
    false
}

fn package(place: &Place, file: &str, id: &str, version: &str, guest: &str, writes: bool) {
    let mut manifest = support::manifest(id);
    manifest["version"] = json!(version);
    manifest["runtime"]["timeout_ms"] = json!(60_000);
    if writes {
        manifest["capabilities"] = json!({ "filesystem": { "write": ["/out"] } });
    }
    place.package(file, &manifest, guest);
}

/// What is installed can be listed, and runs.
fn everything_installed_runs(place: &Place) -> usize {
    let list = place.mpp(&["list", "--json"]).exits(0).json();
    for one in list.as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        let ran = place.mpp(&["run", id, "--tool", "run"]).exits(0);
        assert_eq!(ran.out, format!("{}\n", one["version"].as_str().unwrap()));
    }
    list.as_array().unwrap().len()
}

/// `MPP_KILLS` of them, by default a thousand, of which a fifth while packages are changed.
#[test]
#[ignore = "takes minutes; `.ci/run` runs it"]
fn a_thousand_kills_lose_nothing_and_need_no_person() {
    let kills = std::env::var("MPP_KILLS").map_or(1_000, |kills| kills.parse().unwrap());
    let place = &Place::new("kills");
    fs::create_dir(place.path("out")).unwrap();
    for version in ["1.0.0", "2.0.0"] {
        let guest = support::saying(&support::response(version));
        package(place, version, "org.example.a", version, &guest, false);
    }
    let name = |number: usize| format!("file-{number}");
    for number in 0..WRITERS {
        let guest = writer(&name(number), LENGTH, &End::Answers);
        package(
            place,
            &format!("w{number}"),
            &format!("org.example.w{number}"),
            "1.0.0",
            &guest,
            true,
        );
    }
    let (answered, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = |number: usize| {
        let file = format!("w{number}");
        ["run", &file, "--tool", "run", "--map", "/out=out", "--yes"].map(str::to_owned)
    };
    let write = |number: usize| {
        let (words, mut numbers) = (run(number), Numbers(u64::try_from(number).unwrap()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let path = place.path("out").join(name(number));
        let mut count = 0;
        let mut whole = Duration::from_millis(200);
        while count < kills * 4 / 5 / WRITERS {
            let _ = fs::remove_file(&path);
            let begun = Instant::now();
            if is_killed(place, &words, whole * 3 / 2, &mut numbers) {
                count += 1;
                killed.fetch_add(1, Ordering::Relaxed);
                // All of it or nothing.
                assert!(path.metadata().map_or(true, |file| file.len() == LENGTH as u64));
            } else {
                // A machine that was suspended is no measure of a call.
                whole = begun.elapsed().min(Duration::from_secs(2));
                answered.fetch_add(1, Ordering::Relaxed);
                assert_eq!(path.metadata().unwrap().len(), LENGTH as u64);
            }
        }
    };
    let mut changed = [0; 4];
    std::thread::scope(|scope| {
        for number in 0..WRITERS {
            scope.spawn(move || write(number));
        }
        let changes: [&[&str]; 4] = [
            &["install", "1.0.0", "--yes"],
            &["install", "2.0.0", "--yes"],
            &["install", "1.0.0", "--yes", "--downgrade"],
            &["remove", "org.example.a"],
        ];
        let mut numbers = Numbers(17);
        for (count, words) in changed.iter_mut().zip(changes) {
            while *count < kills / 5 / 4 {
                // From what this change begins with.
                let _absent = place.mpp(&["remove", "org.example.a"]);
                match (words[1], words.len()) {
                    ("1.0.0", 3) => {
                        // A removed package that was once newer stays refused without `--downgrade`.
                        place.mpp(changes[2]).exits(0);
                        place.mpp(changes[3]).exits(0);
                    }
                    ("2.0.0", _) => drop(place.mpp(changes[2]).exits(0)),
                    _ => drop(place.mpp(changes[1]).exits(0)),
                }
                if is_killed(place, words, Duration::from_millis(150), &mut numbers) {
                    *count += 1;
                    killed.fetch_add(1, Ordering::Relaxed);
                }
                everything_installed_runs(place);
            }
        }
    });
    // Whoever comes next repairs what is left.
    for number in 0..WRITERS {
        place.mpp(&run(number)).exits(0);
    }
    place.mpp(&["install", "1.0.0", "--yes", "--downgrade"]).exits(0);
    assert_eq!(everything_installed_runs(place), 1);
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), WRITERS);
    assert_eq!(fs::read_dir(place.path("home/audit/calls")).unwrap().count(), 0);
    place.mpp(&["audit", "verify"]).exits(0);
    let log = fs::read_to_string(place.path("home/audit/audit.jsonl")).unwrap();
    let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |kind: &str| records.iter().filter(|one| one["kind"] == kind).count();
    assert_eq!(count("intent"), count("outcome") + count("lost"));
    let answered = answered.into_inner();
    assert!(count("outcome") >= answered);
    eprintln!(
        "{} kills ({changed:?} while packages changed), {answered} answers; {} intents, {} outcomes, {} lost, {} torn",
        killed.into_inner(), count("intent"), count("outcome"), count("lost"), count("torn"),
    );
}
