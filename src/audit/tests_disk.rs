//! Files, crashes, full disks, and several processes at once.

use super::*;
use std::io::{BufRead, BufReader};

type Plant<'a> = &'a dyn Fn(&TempDir, &Path);
type Harm<'a> = &'a dyn Fn(&Path);

/// What a child process does is told by these; the helper below reads them.
const ROLE: &str = "MPP_AUDIT_TEST_ROLE";
const DIR: &str = "MPP_AUDIT_TEST_DIR";

#[test]
#[ignore = "runs as a child process of the tests below"]
fn child() {
    let (Ok(role), Some(dir)) = (std::env::var(ROLE), std::env::var_os(DIR)) else { return };
    let log = AuditLog::open(Path::new(&dir)).unwrap();
    match role.as_str() {
        "pairs" => {
            for _ in 0..25 {
                log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
            }
        }
        "endless" => loop {
            log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
        },
        "hang" => {
            let _call = log.begin(intent(&log), noon()).unwrap();
            println!("begun");
            loop {
                std::thread::park();
            }
        }
        "fill" => loop {
            // Written until the limit on the file's size stops it.
            let error = match log.begin(intent(&log), noon()) {
                Ok(call) => match call.finish(outcome(&log), noon()) {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            assert_eq!(error.code(), Code::AuditUnavailable, "{error}");
            assert!(error.detail().contains("not written"), "{error}");
            return;
        },
        other => panic!("unknown role {other}"),
    }
}

/// This test program as a child process in a role, started by the shell words before it, if any.
fn child_process(role: &str, dir: &TempDir, shell: Option<&str>) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match shell {
        None => Command::new(program),
        Some(words) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(format!("{words}; exec \"$0\" \"$@\"")).arg(program);
            command
        }
    };
    command.args(["--exact", "audit::tests::disk::child", "--ignored", "--nocapture"]);
    command.env(ROLE, role).env(DIR, dir.log_dir());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

#[test]
fn opening_writes_no_record_and_what_it_makes_is_the_owners_alone() {
    let dir = TempDir::new("open");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let again = AuditLog::open(&dir.log_dir()).unwrap();
    assert_eq!(log.digest(&json!(1)), again.digest(&json!(1)));
    assert_eq!(fs::read(dir.file(LOG_FILE)).unwrap(), b"");
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.head.as_str()), (0, record::GENESIS));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(dir.log_dir()), 0o700);
        assert_eq!(mode(dir.file(CALLS_DIR)), 0o700);
        for name in [LOG_FILE, KEY_FILE, LOCK_FILE] {
            assert_eq!(mode(dir.file(name)), 0o600, "{name}");
        }
    }
    let mut names: Vec<_> =
        fs::read_dir(dir.log_dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [LOG_FILE, KEY_FILE, LOCK_FILE, CALLS_DIR]);
}

#[test]
fn half_a_key_left_by_a_crash_is_not_used() {
    let dir = TempDir::new("half-key");
    fs::create_dir(dir.log_dir()).unwrap();
    fs::write(dir.file(LOG_FILE), "").unwrap();
    fs::write(dir.file("audit.key.new"), "00ff").unwrap();
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    assert_eq!(log.digest(&json!(1)), AuditLog::open(&dir.log_dir()).unwrap().digest(&json!(1)));
    assert_eq!(fs::read(dir.file(KEY_FILE)).unwrap().len(), 65);
    assert!(!dir.file("audit.key.new").exists());
}

#[test]
fn eight_processes_that_begin_a_log_at_once_make_one_chain_with_one_key() {
    let dir = TempDir::new("eight");
    let children: Vec<_> =
        (0..8).map(|_| child_process("pairs", &dir, None).spawn().unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.calls, report.lost, report.torn), (400, 200, 0, 0));
    assert!(report.open.is_empty());
    assert_eq!(fs::read_dir(dir.file(CALLS_DIR)).unwrap().count(), 0);
    let arguments: std::collections::BTreeSet<String> = dir
        .lines()
        .iter()
        .filter_map(|line| line.split_once("\"arguments\":").map(|(_, rest)| rest[..78].to_owned()))
        .collect();
    assert_eq!(arguments.len(), 1, "one key for all: {arguments:?}");
}

#[test]
fn threads_that_share_a_log_make_one_chain() {
    let dir = TempDir::new("threads");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let call = log.begin(intent(&log), noon()).unwrap();
                    dir.verify().unwrap();
                    log.refuse(refusal(), noon()).unwrap();
                    call.finish(outcome(&log), noon()).unwrap();
                }
            });
        }
    });
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.lost), (120, 0));
}

#[test]
fn a_killed_process_has_its_call_reported_lost_and_a_living_one_has_not() {
    let dir = TempDir::new("killed");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let mut child = child_process("hang", &dir, None).spawn().unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    while !said.contains("begun") {
        assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
    }
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.lost, report.open), (0, vec![1]));

    child.kill().unwrap();
    child.wait().unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.lost, report.open), (6, 1, vec![]));
    let lost = record::read(dir.lines()[3].as_bytes()).unwrap();
    assert_eq!((lost.kind.as_str(), lost.call), ("lost", 1));
}

#[test]
fn processes_killed_at_any_moment_leave_a_log_that_verifies_and_no_call_open() {
    let dir = TempDir::new("any-moment");
    for round in 0..12 {
        let mut children: Vec<_> =
            (0..2).map(|_| child_process("endless", &dir, None).spawn().unwrap()).collect();
        for child in &mut children {
            // Where this hits is chance; what has to hold afterwards is not.
            std::thread::sleep(Duration::from_millis(5 + 3 * round));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
        assert!(dir.verify().unwrap().open.is_empty(), "round {round}");
        assert_eq!(fs::read_dir(dir.file(CALLS_DIR)).unwrap().count(), 0);
    }
}

#[test]
fn a_dropped_call_is_reported_lost_exactly_once_by_the_next_to_begin() {
    let dir = TempDir::new("dropped");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    for _ in 0..3 {
        drop(log.begin(intent(&log), noon()).unwrap());
    }
    log.refuse(refusal(), noon()).unwrap();
    let call = log.begin(intent(&log), noon()).unwrap();
    assert_eq!(call.id(), 8);
    call.finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.lost, report.open), (3, vec![]));
    assert_eq!(fs::read_dir(dir.file(CALLS_DIR)).unwrap().count(), 0);
}

#[test]
fn a_file_left_by_a_call_that_ended_or_never_began_is_cleared_without_a_record() {
    let dir = TempDir::new("leftover");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    log.refuse(refusal(), noon()).unwrap();
    let ends: Vec<usize> = dir.lines().iter().map(|line| line.len() + 1).collect();
    fs::write(dir.file("calls/1-0"), "").unwrap(); // ended well
    let (refused_at, end) = (ends[0] + ends[1], ends.iter().sum::<usize>());
    // Died before its intent, and a refusal took the place.
    fs::write(dir.file(&format!("calls/3-{refused_at}")), "").unwrap();
    fs::write(dir.file(&format!("calls/4-{end}")), "").unwrap(); // died before its intent
    let call = log.begin(intent(&log), noon()).unwrap();
    assert_eq!(call.id(), 4);
    fs::write(dir.file("calls/4-0"), "").unwrap(); // of that living call, but at another place
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    call.finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.lost), (7, 0));
    assert_eq!(fs::read_dir(dir.file(CALLS_DIR)).unwrap().count(), 0);
}

#[test]
fn strange_or_too_many_files_among_the_calls_and_a_missing_folder_stop_the_call() {
    let dir = TempDir::new("calls");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    for name in ["x", "1", "1-", "-1", "1-0x", "1-0-0"] {
        fs::write(dir.file("calls").join(name), "").unwrap();
        assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable", "{name}");
        fs::remove_file(dir.file("calls").join(name)).unwrap();
    }
    for n in 0..=crate::limits::AUDIT_CALLS_COUNT_MAX {
        fs::write(dir.file(&format!("calls/{n}-0")), "").unwrap();
    }
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable");
    fs::remove_dir_all(dir.file(CALLS_DIR)).unwrap();
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable");
    assert_eq!(dir.verify().unwrap().records, 0);
}

#[test]
fn a_log_cut_below_the_intent_of_a_lost_call_takes_no_further_call() {
    let dir = TempDir::new("cut-below");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(refusal(), noon()).unwrap();
    drop(log.begin(intent(&log), noon()).unwrap());
    fs::write(dir.file(LOG_FILE), "").unwrap();
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.broken");
}

#[test]
fn a_line_torn_anywhere_is_set_aside_and_the_log_goes_on() {
    let example = spec_block("jsonl", 0);
    let start = example.trim_end().rfind('\n').unwrap() + 1;
    // Each cut costs several flushes, so not every one: the steps, and all next to the end.
    for cut in (start + 1..example.len()).step_by(17).chain(example.len() - 3..example.len()) {
        let dir = TempDir::new("torn");
        fs::create_dir(dir.log_dir()).unwrap();
        fs::write(dir.file(KEY_FILE), format!("{}\n", "0b".repeat(32))).unwrap();
        fs::write(dir.file(LOG_FILE), &example[..cut]).unwrap();
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        assert_eq!(code(dir.verify()), "audit.torn", "opening mends nothing");
        log.refuse(refusal(), noon()).unwrap();
        let report = dir.verify().unwrap();
        assert_eq!((report.records, report.torn, report.refused), (4, 1, 1));
        let aside = fs::read_to_string(dir.file("audit.torn-3")).unwrap();
        assert_eq!(aside, example[start..cut]);
        assert!(dir.lines()[2].contains(&sha256_hex(aside.as_bytes())));
    }
}

#[test]
fn a_crash_between_the_steps_of_setting_aside_loses_no_byte_and_no_record() {
    let example = spec_block("jsonl", 0);
    let two = example.match_indices('\n').nth(1).unwrap().0 + 1;
    // (what the log holds, what audit.torn-3 holds already, what it must hold in the end)
    for (log_text, aside, expected) in [
        (&example[..two], "piece", "piece"),
        (&example[..two + 5], "", "{\"v\":"),
        (&example[..two + 5], "{\"v", "{\"v{\"v\":"),
        (&example[..two + 5], "piece", "piece{\"v\":"),
        (&example[..two], "", ""),
    ] {
        let dir = TempDir::new("torn-crash");
        fs::create_dir(dir.log_dir()).unwrap();
        fs::write(dir.file(KEY_FILE), format!("{}\n", "0b".repeat(32))).unwrap();
        fs::write(dir.file(LOG_FILE), log_text).unwrap();
        fs::write(dir.file("audit.torn-3"), aside).unwrap();
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        log.refuse(refusal(), noon()).unwrap();
        assert_eq!(fs::read_to_string(dir.file("audit.torn-3")).unwrap(), expected);
        let report = dir.verify().unwrap();
        assert_eq!((report.records, report.torn), (4, 1));
        assert!(dir.lines()[2].contains(&sha256_hex(expected.as_bytes())));
    }
}

#[test]
fn a_log_that_is_all_torn_or_ends_in_zeros_is_mended_too() {
    for torn in [b"{".to_vec(), vec![0; 100_000]] {
        let dir = TempDir::new("all-torn");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        fs::write(dir.file(LOG_FILE), &torn).unwrap();
        log.refuse(refusal(), noon()).unwrap();
        assert_eq!(fs::read(dir.file("audit.torn-1")).unwrap(), torn);
        assert_eq!(dir.verify().unwrap().records, 2);
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_stops_the_call_and_leaves_whole_lines() {
    let dir = TempDir::new("full");
    // Without the signal a write beyond the limit fails, as on a full disk: first a part, then all.
    let mut child =
        child_process("fill", &dir, Some("trap '' XFSZ; ulimit -f 16")).spawn().unwrap();
    assert!(child.wait().unwrap().success());
    let report = dir.verify().unwrap();
    assert!(report.records > 5 && report.torn == 0, "{report:?}");
    let length = fs::metadata(dir.file(LOG_FILE)).unwrap().len();
    assert!(length < 16 * 1024 && !length.is_multiple_of(512), "{length}");

    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    assert!(dir.verify().unwrap().open.is_empty());
}

#[cfg(unix)]
#[test]
fn a_process_killed_in_the_middle_of_a_write_leaves_a_torn_line_that_is_set_aside() {
    let dir = TempDir::new("killed-writing");
    let mut child = child_process("fill", &dir, Some("ulimit -f 16")).spawn().unwrap();
    assert!(!child.wait().unwrap().success());
    assert_eq!(code(dir.verify()), "audit.torn");

    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.torn, report.open), (1, vec![]));
}

#[cfg(unix)]
#[test]
fn links_pipes_and_folders_in_place_of_files_are_refused() {
    let elsewhere = |dir: &TempDir| dir.0.join("elsewhere");
    let plant: [(&str, Plant); 4] = [
        ("link to a file", &|dir, path| {
            fs::write(elsewhere(dir), "").unwrap();
            std::os::unix::fs::symlink(elsewhere(dir), path).unwrap();
        }),
        ("dangling link", &|dir, path| {
            std::os::unix::fs::symlink(elsewhere(dir), path).unwrap();
        }),
        ("folder", &|_, path| fs::create_dir(path).unwrap()),
        ("pipe", &|_, path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
    ];
    for name in [LOG_FILE, KEY_FILE, LOCK_FILE, "audit.torn-1", "calls/1-0"] {
        for (what, plant) in &plant {
            let dir = TempDir::new("links");
            let log = AuditLog::open(&dir.log_dir()).unwrap();
            let _ = fs::remove_file(dir.file(name));
            plant(&dir, &dir.file(name));
            let opened = AuditLog::open(&dir.log_dir());
            if [LOG_FILE, KEY_FILE, LOCK_FILE].contains(&name) {
                assert_eq!(code(opened), "audit.unavailable", "{name}: {what}");
            }
            if name != KEY_FILE {
                let begun = log.begin(intent(&log), noon());
                assert_eq!(code(begun), "audit.unavailable", "{name}: {what}");
            }
            let untouched = fs::read(elsewhere(&dir)).unwrap_or_default();
            assert!(untouched.is_empty(), "{name}: {what}");
            assert!(*what != "dangling link" || !elsewhere(&dir).exists(), "{name}: {what}");
        }
    }
    let dir = TempDir::new("links-calls");
    fs::create_dir(dir.log_dir()).unwrap();
    fs::create_dir(elsewhere(&dir)).unwrap();
    std::os::unix::fs::symlink(elsewhere(&dir), dir.file(CALLS_DIR)).unwrap();
    assert_eq!(code(AuditLog::open(&dir.log_dir())), "audit.unavailable");
}

#[test]
fn a_log_removed_cut_replaced_or_altered_while_in_use_takes_no_record() {
    let harm: [(&str, Harm); 6] = [
        ("removed", &|path| fs::remove_file(path).unwrap()),
        ("emptied", &|path| fs::write(path, "").unwrap()),
        ("cut to one line", &|path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, text.split_inclusive('\n').next().unwrap()).unwrap();
        }),
        ("cut inside a line", &|path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, &text[..text.len() - 10]).unwrap();
        }),
        ("replaced by a valid one", &|path| {
            let record = (
                "refused",
                json!({"code": "usage", "source": null, "package": null,
                "version": null, "content_hash": null, "publisher": null, "signers": [],
                "tool": null, "arguments": null, "agent": null, "traceparent": null}),
            );
            fs::write(path, chain(&vec![record; 9])).unwrap();
        }),
        ("altered in its last line", &|path| {
            let text = fs::read_to_string(path).unwrap();
            let at = text.rfind("\"tool\"").unwrap();
            fs::write(path, format!("{}{}", &text[..at], text[at..].replace("count", "c0unt")))
                .unwrap();
        }),
    ];
    for (what, harm) in &harm {
        let dir = TempDir::new("harm");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        log.refuse(refusal(), noon()).unwrap();
        let call = log.begin(intent(&log), noon()).unwrap();
        harm(&dir.file(LOG_FILE));
        assert_eq!(code(log.refuse(refusal(), noon())), "audit.broken", "{what}");
        assert_eq!(code(log.begin(intent(&log), noon())), "audit.broken", "{what}");
        assert_eq!(code(call.finish(outcome(&log), noon())), "audit.broken", "{what}");
    }
}

#[test]
fn a_log_removed_between_runs_or_without_its_key_is_refused() {
    let dir = TempDir::new("removed");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(refusal(), noon()).unwrap();
    let key = fs::read(dir.file(KEY_FILE)).unwrap();
    fs::remove_file(dir.file(KEY_FILE)).unwrap();
    assert_eq!(code(AuditLog::open(&dir.log_dir())), "audit.unavailable");
    for wrong in [&b""[..], b"00\n", &key[..64], &[&key[..], b"\n"].concat(), &[b'G'; 65]] {
        fs::write(dir.file(KEY_FILE), wrong).unwrap();
        assert_eq!(code(AuditLog::open(&dir.log_dir())), "audit.unavailable");
    }
    fs::write(dir.file(KEY_FILE), key).unwrap();
    AuditLog::open(&dir.log_dir()).unwrap();
    fs::remove_file(dir.file(LOG_FILE)).unwrap();
    assert_eq!(code(AuditLog::open(&dir.log_dir())), "audit.broken");
}

#[test]
fn verifying_waits_for_a_record_that_is_being_written() {
    let dir = TempDir::new("waits");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let line = chain(&[("torn", json!({"file": "x", "bytes": 0, "sha256": record::GENESIS}))]);
    let lock = fs::File::open(dir.file(LOCK_FILE)).unwrap();
    lock.lock().unwrap();
    fs::write(dir.file(LOG_FILE), &line[..20]).unwrap();
    std::thread::scope(|scope| {
        let verified = scope.spawn(|| dir.verify());
        // Long enough for a verifier that does not wait to see the half record.
        std::thread::sleep(Duration::from_millis(50));
        fs::write(dir.file(LOG_FILE), &line).unwrap();
        lock.unlock().unwrap();
        assert_eq!(verified.join().unwrap().unwrap().records, 1);
    });
    drop(log);
}

#[test]
fn a_lock_file_replaced_while_waited_for_is_not_mistaken_for_the_lock() {
    let dir = TempDir::new("lock-replaced");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let old = fs::File::open(dir.file(LOCK_FILE)).unwrap();
    old.lock().unwrap();
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| log.refuse(refusal(), noon()));
        std::thread::sleep(Duration::from_millis(50));
        fs::remove_file(dir.file(LOCK_FILE)).unwrap();
        let new = fs::File::create_new(dir.file(LOCK_FILE)).unwrap();
        new.lock().unwrap();
        old.unlock().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(fs::read(dir.file(LOG_FILE)).unwrap(), b"", "written without the lock");
        new.unlock().unwrap();
        refused.join().unwrap().unwrap();
    });
    assert_eq!(dir.verify().unwrap().records, 1);
}

#[test]
fn a_missing_log_and_a_folder_do_not_verify_and_a_copy_elsewhere_does() {
    let dir = TempDir::new("copy");
    example(&dir);
    let copy = dir.0.join("copy.jsonl");
    fs::copy(dir.file(LOG_FILE), &copy).unwrap();
    assert_eq!(verify(&copy, None), dir.verify());
    assert_eq!(code(verify(&dir.0.join("missing"), None)), "host.file");
    assert_eq!(code(verify(&dir.0, None)), "host.file");
}

#[test]
fn an_append_looks_at_the_end_of_the_log_only() {
    let dir = TempDir::new("end-only");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(refusal(), noon()).unwrap();
    let line = dir.lines().remove(0);
    // A first line that no reader would take, and far behind it one that verifies by itself.
    let before = "x".repeat(3 << 20);
    fs::write(dir.file(LOG_FILE), format!("{before}\n{line}\n")).unwrap();
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    assert_eq!(code(dir.verify()), "audit.broken");
}
