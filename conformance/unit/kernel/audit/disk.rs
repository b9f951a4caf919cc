//! Files, crashes, full disks, and several processes at once.

use super::*;
use crate::host::log::files::CALLS_DIR;
use crate::host::log::log_exists;
use std::io::{BufRead, BufReader};
use std::path::Path;

type Plant<'a> = &'a dyn Fn(&TempDir, &Path);
type Harm<'a> = &'a dyn Fn(&Path);

/// Variables that select what a child process does; the helper below reads them.
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
    command.args(["--exact", "kernel::audit::tests::disk::child", "--ignored", "--nocapture"]);
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
                    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
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
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
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
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
    let ends: Vec<usize> = dir.lines().iter().map(|line| line.len() + 1).collect();
    fs::write(dir.file("calls/1-0"), "").unwrap(); // ended well
    let (refused_at, end) = (ends[0] + ends[1], ends.iter().sum::<usize>());
    // Died before its intent, and a refusal took the place.
    fs::write(dir.file(&format!("calls/3-{refused_at}")), "").unwrap();
    fs::write(dir.file(&format!("calls/4-{end}")), "").unwrap(); // died before its intent
    let call = log.begin(intent(&log), noon()).unwrap();
    assert_eq!(call.id(), 4);
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    call.finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.records, report.lost), (7, 0));
    assert_eq!(fs::read_dir(dir.file(CALLS_DIR)).unwrap().count(), 0);
}

#[test]
fn strange_or_too_many_files_among_the_calls_stop_the_call() {
    let dir = TempDir::new("calls");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    for name in ["x", "1", "1-", "-1", "1-0x", "1-0-0"] {
        fs::write(dir.file("calls").join(name), "").unwrap();
        assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable", "{name}");
        fs::remove_file(dir.file("calls").join(name)).unwrap();
    }
    for n in 0..=crate::kernel::limits::AUDIT_CALLS_COUNT_MAX {
        fs::write(dir.file(&format!("calls/{n}-0")), "").unwrap();
    }
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable");
    assert_eq!(dir.verify().unwrap().records, 0);
}

#[test]
fn a_directory_of_calls_removed_while_the_log_is_in_use_is_made_again() {
    let dir = TempDir::new("calls-removed");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let running = log.begin(intent(&log), noon()).unwrap();
    fs::remove_dir_all(dir.file(CALLS_DIR)).unwrap();
    running.finish(outcome(&log), noon()).unwrap();
    drop(log.begin(intent(&log), noon()).unwrap());
    assert!(dir.file(CALLS_DIR).is_dir());
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    let report = dir.verify().unwrap();
    assert_eq!((report.calls, report.lost, report.open), (3, 1, vec![]));
    // Nothing else is made again, and nothing is made elsewhere.
    fs::remove_dir_all(dir.file(CALLS_DIR)).unwrap();
    fs::write(dir.file(CALLS_DIR), "").unwrap();
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable");
    fs::remove_dir_all(dir.log_dir()).unwrap();
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.unavailable");
    assert!(!dir.log_dir().exists());
}

#[cfg(unix)]
#[test]
fn a_forged_file_of_a_torn_line_stops_neither_writing_nor_verification() {
    let forge: [(&str, Plant); 5] = [
        ("text", &|_, path| fs::write(path, "forged").unwrap()),
        ("too long", &|_, path| {
            fs::File::create(path).unwrap().set_len(u64::from(u32::MAX)).unwrap();
        }),
        ("directory", &|_, path| fs::create_dir(path).unwrap()),
        ("link", &|dir, path| {
            std::os::unix::fs::symlink(dir.0.join("elsewhere"), path).unwrap();
        }),
        ("pipe", &|_, path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
    ];
    let far = format!("audit.torn-{}", u64::MAX);
    for name in ["audit.torn-1", "audit.torn-2", "audit.torn-3", "audit.torn-9", &far] {
        for (what, forge) in &forge {
            for torn in [false, true] {
                let dir = TempDir::new("torn-forged");
                let log = AuditLog::open(&dir.log_dir()).unwrap();
                log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
                forge(&dir, &dir.file(name));
                if torn {
                    let mut text = fs::read_to_string(dir.file(LOG_FILE)).unwrap();
                    text.push_str("{\"v\":");
                    fs::write(dir.file(LOG_FILE), text).unwrap();
                    assert_eq!(code(dir.verify()), "audit.torn", "{name}: {what}");
                } else {
                    assert_eq!(dir.verify().unwrap().records, 1, "{name}: {what}");
                }
                log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
                AuditLog::open(&dir.log_dir()).unwrap();
                let report = dir.verify().unwrap();
                // A text under the next name counts as the line of a writer that was killed.
                let due = u64::from(torn || (name == "audit.torn-2" && *what == "text"));
                assert_eq!((report.calls, report.torn >= due), (1, true), "{name}: {what}");
                if torn {
                    let names = ["audit.torn-2", "audit.torn-2-1"];
                    let kept = names.map(|name| dir.file(name)).into_iter().any(|path| {
                        path.symlink_metadata()
                            .is_ok_and(|found| found.is_file() && found.len() < 100)
                            && fs::read_to_string(path).unwrap().ends_with("{\"v\":")
                    });
                    assert!(kept, "{name}: {what}");
                }
                assert!(!dir.0.join("elsewhere").exists(), "{name}: {what}");
            }
        }
    }
    // No log is missed for one.
    let dir = TempDir::new("torn-alone");
    fs::create_dir(dir.log_dir()).unwrap();
    fs::write(dir.file("audit.torn-7"), "forged").unwrap();
    assert!(!log_exists(&dir.log_dir()).unwrap());
    AuditLog::open(&dir.log_dir()).unwrap();
}

#[test]
fn a_log_cut_below_the_intent_of_a_lost_call_takes_no_further_call() {
    let dir = TempDir::new("cut-below");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
    drop(log.begin(intent(&log), noon()).unwrap());
    fs::write(dir.file(LOG_FILE), "").unwrap();
    fs::remove_file(dir.file(HEAD_FILE)).unwrap();
    is_broken_for_all(&dir, "cut");
    assert_eq!(code(log.begin(intent(&log), noon())), "audit.broken");
}

/// Refused both by verification and by opening the log to write.
#[track_caller]
fn is_broken_for_all(dir: &TempDir, what: &str) {
    assert_eq!(code(dir.verify()), "audit.broken", "{what}");
    assert_eq!(code(AuditLog::open(&dir.log_dir())), "audit.broken", "{what}");
    // Opening has changed nothing of that.
    assert_eq!(code(dir.verify()), "audit.broken", "{what}");
    if !dir.file(LOG_FILE).exists() {
        assert_eq!(code(log_exists(&dir.log_dir())), "audit.broken", "{what}");
    }
}

/// Good for both, after as many records.
#[track_caller]
fn is_good_for_all(dir: &TempDir, records: u64, what: &str) {
    assert_eq!(dir.verify().unwrap().records, records, "{what}");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
    assert_eq!(dir.verify().unwrap().records, records + 1, "{what}");
}

#[test]
fn a_log_that_lost_records_while_it_was_not_in_use_is_refused_by_all() {
    let harm: [(&str, Harm); 8] = [
        ("deleted", &|path| fs::remove_file(path).unwrap()),
        ("emptied", &|path| fs::write(path, "").unwrap()),
        ("rotated", &|path| {
            fs::rename(path, path.with_extension("1")).unwrap();
            fs::write(path, "").unwrap();
        }),
        ("cut to one line", &|path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, text.split_inclusive('\n').next().unwrap()).unwrap();
        }),
        ("without its last line", &|path| {
            let text = fs::read_to_string(path).unwrap();
            let end = text.trim_end().rfind('\n').unwrap() + 1;
            fs::write(path, &text[..end]).unwrap();
        }),
        ("cut inside its last line", &|path| {
            let text = fs::read_to_string(path).unwrap();
            fs::write(path, &text[..text.len() - 10]).unwrap();
        }),
        ("cut inside its first line", &|path| fs::write(path, "{\"v\":1").unwrap()),
        ("replaced by a good one that is longer", &|path| {
            let more = json!({"file": "x", "bytes": 0, "sha256": record::GENESIS});
            fs::write(path, chain(&vec![("torn", more); 30])).unwrap();
        }),
    ];
    for (what, harm) in harm {
        let dir = TempDir::new("lost-records");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        for _ in 0..3 {
            log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
        }
        log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
        drop(log);
        let good = fs::read(dir.file(LOG_FILE)).unwrap();
        harm(&dir.file(LOG_FILE));
        is_broken_for_all(&dir, what);
        fs::write(dir.file(LOG_FILE), good).unwrap();
        is_good_for_all(&dir, 7, what);
    }
}

#[test]
fn a_log_that_was_removed_is_missed_by_each_thing_that_tells_of_it() {
    for name in [KEY_FILE, HEAD_FILE, "calls/1-0"] {
        for content in [&b""[..], b"x", &[0; 86]] {
            let dir = TempDir::new("missed");
            fs::create_dir_all(dir.file(CALLS_DIR)).unwrap();
            assert!(!log_exists(&dir.log_dir()).unwrap());
            fs::write(dir.file(name), content).unwrap();
            is_broken_for_all(&dir, name);
            // Nor is it good to put an empty one in its place, where there were records.
            if name == HEAD_FILE {
                fs::write(dir.file(LOG_FILE), "").unwrap();
                is_broken_for_all(&dir, name);
            }
        }
    }
    // Where nothing tells of one, a head that was noted elsewhere does.
    let dir = TempDir::new("missed-all");
    let head = Some("1".repeat(64));
    for made in [false, true] {
        assert_eq!(code(dir.verify()), "host.file");
        let expected = verify(&dir.file(LOG_FILE), head.as_deref());
        assert_eq!(code(expected), "audit.broken");
        let genesis = verify(&dir.file(LOG_FILE), Some(record::GENESIS)).unwrap();
        assert_eq!(genesis.records, 0);
        if !made {
            fs::create_dir(dir.log_dir()).unwrap();
        }
    }
}

#[test]
fn files_that_refer_to_records_the_log_does_not_have_are_reported_to_all() {
    let dir = TempDir::new("others");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    let first = dir.lines()[0].len() + 1;
    let end = fs::metadata(dir.file(LOG_FILE)).unwrap().len();
    let good = fs::read_to_string(dir.file(HEAD_FILE)).unwrap();
    let hash = good.trim_end().split_once(' ').unwrap().1;
    assert_eq!(good, format!("{end} {hash}\n"));
    let other = "1".repeat(64);
    for head in [
        format!("{end} {other}\n"),
        format!("{first} {hash}\n"),
        format!("{} {hash}\n", end + 1),
        format!("{} {hash}\n", end - 1),
        format!("1 {hash}\n"),
        format!("{} {hash}\n", u64::MAX),
    ] {
        fs::write(dir.file(HEAD_FILE), &head).unwrap();
        is_broken_for_all(&dir, &head);
        assert_eq!(
            code(log.refuse(Code::SignatureInvalid, refusal(), noon())),
            "audit.broken",
            "{head}"
        );
    }
    fs::write(dir.file(HEAD_FILE), &good).unwrap();
    for name in [
        format!("calls/3-{first}"),
        "calls/2-0".to_owned(),
        "calls/1-1".to_owned(),
        format!("calls/2-{}", first - 1),
        format!("calls/3-{}", end + 1),
        format!("calls/3-{}", end - 1),
        format!("calls/3-{}", u64::MAX),
    ] {
        fs::write(dir.file(&name), "").unwrap();
        is_broken_for_all(&dir, &name);
        assert_eq!(
            code(log.refuse(Code::SignatureInvalid, refusal(), noon())),
            "audit.broken",
            "{name}"
        );
        fs::remove_file(dir.file(&name)).unwrap();
    }
    is_good_for_all(&dir, 2, "repaired");
}

#[test]
fn what_a_process_or_the_power_may_leave_when_it_ends_is_no_missing_record() {
    let (line, key) = (chain(&[("intent", intent_members(1))]), format!("{}\n", "0b".repeat(32)));
    let length = line.len();
    let hash = sha256_hex(line.rsplit_once(",\"hash\":").unwrap().0.as_bytes());
    let files: &[&[(&str, &str)]] = &[
        &[],
        &[("audit.key.new", "00")],
        &[("audit.key.new", &key)],
        &[(KEY_FILE, &key)],
        &[(KEY_FILE, &key), ("calls/1-0", "")],
    ];
    // Before the first record.
    for files in files {
        let dir = TempDir::new("no-record-yet");
        fs::create_dir_all(dir.file(CALLS_DIR)).unwrap();
        fs::write(dir.file(LOG_FILE), "").unwrap();
        for (name, content) in *files {
            fs::write(dir.file(name), content).unwrap();
        }
        assert!(log_exists(&dir.log_dir()).unwrap());
        is_good_for_all(&dir, 0, &format!("{files:?}"));
    }
    // After it: `audit.head` was not written yet, in part, or not flushed; or names an earlier record.
    let whole = format!("{length} {hash}\n");
    for head in [None, Some(""), Some("\0\0\0"), Some(&whole[..7]), Some(&whole)] {
        for more in
            [&[][..], &[("calls/1-0", "")], &[("audit.head.new", "1")], &[("audit.torn-2", "{")]]
        {
            let dir = TempDir::new("one-record");
            fs::create_dir_all(dir.file(CALLS_DIR)).unwrap();
            fs::write(dir.file(KEY_FILE), &key).unwrap();
            fs::write(dir.file(LOG_FILE), &line).unwrap();
            for (name, content) in more.iter().copied().chain(head.map(|head| (HEAD_FILE, head))) {
                fs::write(dir.file(name), content).unwrap();
            }
            // The line that was set aside gets its record first.
            let due = u64::from(more.iter().any(|(name, _)| *name == "audit.torn-2"));
            assert_eq!(dir.verify().unwrap().records, 1);
            let log = AuditLog::open(&dir.log_dir()).unwrap();
            log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
            assert_eq!(dir.verify().unwrap().records, 2 + due, "{head:?} {more:?}");
            assert_eq!(fs::read(dir.file(HEAD_FILE)).unwrap().last(), Some(&b'\n'));
        }
    }
    // A call that died is reported, and leaves nothing behind.
    let dir = TempDir::new("one-call");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    drop(log.begin(intent(&log), noon()).unwrap());
    is_good_for_all(&dir, 1, "a call that died");
}

#[test]
fn a_process_killed_while_it_creates_a_log_leaves_one_that_needs_no_repair() {
    for round in 0..12 {
        let dir = TempDir::new("begins");
        let mut child = child_process("endless", &dir, None).spawn().unwrap();
        // Where this hits is chance; what has to hold afterwards is not.
        while log_exists(&dir.log_dir()).is_ok_and(|begun| !begun) {}
        std::thread::sleep(Duration::from_micros(300 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let found = dir.verify().map(drop).map_err(|error| error.code());
        assert!(matches!(found, Ok(()) | Err(Code::AuditTorn)), "{round}: {found:?}");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
        assert!(dir.verify().unwrap().open.is_empty(), "round {round}");
    }
}

#[test]
fn verifying_beside_a_writer_finds_nothing_missing() {
    let dir = TempDir::new("beside");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    std::thread::scope(|scope| {
        let writes = scope.spawn(|| {
            for _ in 0..40 {
                log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
            }
        });
        while !writes.is_finished() {
            dir.verify().unwrap();
            assert!(log_exists(&dir.log_dir()).unwrap());
        }
    });
}

#[test]
fn a_head_that_can_t_be_written_stops_nothing_and_a_log_elsewhere_is_judged_by_itself() {
    let dir = TempDir::new("head");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
    let head = fs::read(dir.file(HEAD_FILE)).unwrap();
    fs::create_dir(dir.file("audit.head.new")).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
    assert_eq!(fs::read(dir.file(HEAD_FILE)).unwrap(), head);
    is_good_for_all(&dir, 2, "behind");
    // What was noted last still has to be there.
    let text = fs::read_to_string(dir.file(LOG_FILE)).unwrap();
    fs::write(dir.file(LOG_FILE), "").unwrap();
    is_broken_for_all(&dir, "behind and emptied");
    let first = text.split_inclusive('\n').next().unwrap();
    for copy in [dir.0.join(LOG_FILE), dir.file("audit.jsonl.1")] {
        for (content, records) in [("", 0), (first, 1)] {
            fs::write(&copy, content).unwrap();
            assert_eq!(verify(&copy, None).unwrap().records, records);
        }
    }
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
        assert_eq!(code(dir.verify()), "audit.torn", "opening repairs nothing");
        log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
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
        log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
        assert_eq!(fs::read_to_string(dir.file("audit.torn-3")).unwrap(), expected);
        let report = dir.verify().unwrap();
        assert_eq!((report.records, report.torn), (4, 1));
        assert!(dir.lines()[2].contains(&sha256_hex(expected.as_bytes())));
    }
}

#[test]
fn a_log_that_is_all_torn_or_ends_in_zeros_is_repaired_too() {
    for torn in [b"{".to_vec(), vec![0; 100_000]] {
        let dir = TempDir::new("all-torn");
        let log = AuditLog::open(&dir.log_dir()).unwrap();
        fs::write(dir.file(LOG_FILE), &torn).unwrap();
        log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
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
fn links_pipes_and_directories_in_place_of_files_are_refused() {
    let elsewhere = |dir: &TempDir| dir.0.join("elsewhere");
    let plant: [(&str, Plant); 4] = [
        ("link to a file", &|dir, path| {
            fs::write(elsewhere(dir), "").unwrap();
            std::os::unix::fs::symlink(elsewhere(dir), path).unwrap();
        }),
        ("dangling link", &|dir, path| {
            std::os::unix::fs::symlink(elsewhere(dir), path).unwrap();
        }),
        ("directory", &|_, path| fs::create_dir(path).unwrap()),
        ("pipe", &|_, path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        }),
    ];
    for name in [LOG_FILE, KEY_FILE, LOCK_FILE, HEAD_FILE, "calls/1-0"] {
        for (what, plant) in &plant {
            let dir = TempDir::new("links");
            let log = AuditLog::open(&dir.log_dir()).unwrap();
            let _ = fs::remove_file(dir.file(name));
            plant(&dir, &dir.file(name));
            let opened = AuditLog::open(&dir.log_dir());
            if [LOG_FILE, KEY_FILE, LOCK_FILE, HEAD_FILE].contains(&name) {
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
        log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
        let call = log.begin(intent(&log), noon()).unwrap();
        harm(&dir.file(LOG_FILE));
        assert_eq!(
            code(log.refuse(Code::SignatureInvalid, refusal(), noon())),
            "audit.broken",
            "{what}"
        );
        assert_eq!(code(log.begin(intent(&log), noon())), "audit.broken", "{what}");
        assert_eq!(code(call.finish(outcome(&log), noon())), "audit.broken", "{what}");
    }
}

#[test]
fn a_log_removed_between_runs_or_without_its_key_is_refused() {
    let dir = TempDir::new("removed");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
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
fn a_lock_that_is_never_released_ends_recording_and_verification_in_an_error_after_a_time() {
    let dir = TempDir::new("held");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let call = log.begin(intent(&log), noon()).unwrap();
    let lock = fs::File::open(dir.file(LOCK_FILE)).unwrap();
    lock.lock().unwrap();
    // All at once: a thread that waits for another that waits would wait twice as long.
    std::thread::scope(|scope| {
        let opened = scope.spawn(|| code(AuditLog::open(&dir.log_dir())));
        let refused = [(); 3]
            .map(|()| scope.spawn(|| code(log.refuse(Code::SignatureInvalid, refusal(), noon()))));
        let begun = scope.spawn(|| code(log.begin(intent(&log), noon())));
        let finished = scope.spawn(|| code(call.finish(outcome(&log), noon())));
        let verified = scope.spawn(|| code(dir.verify()));
        for waits in refused.into_iter().chain([opened, begun, finished]) {
            assert_eq!(waits.join().unwrap(), "audit.unavailable");
        }
        assert_eq!(verified.join().unwrap(), "host.file");
    });
    lock.unlock().unwrap();
    assert_eq!(dir.verify().unwrap().records, 1);
}

#[test]
fn a_lock_file_replaced_while_waited_for_is_not_mistaken_for_the_lock() {
    let dir = TempDir::new("lock-replaced");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    let old = fs::File::open(dir.file(LOCK_FILE)).unwrap();
    old.lock().unwrap();
    std::thread::scope(|scope| {
        let refused = scope.spawn(|| log.refuse(Code::SignatureInvalid, refusal(), noon()));
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
fn a_missing_log_and_a_directory_do_not_verify_and_a_copy_elsewhere_does() {
    let dir = TempDir::new("copy");
    example(&dir);
    let copy = dir.0.join("copy.jsonl");
    fs::copy(dir.file(LOG_FILE), &copy).unwrap();
    assert_eq!(verify(&copy, None), dir.verify());
    assert_eq!(code(verify(&dir.0.join("missing"), None)), "host.file");
    assert_eq!(code(verify(&dir.0, None)), "host.file");
}

#[test]
fn an_append_reads_the_end_of_the_log_only() {
    let dir = TempDir::new("end-only");
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.refuse(Code::SignatureInvalid, refusal(), noon()).unwrap();
    let line = dir.lines().remove(0);
    fs::remove_file(dir.file(HEAD_FILE)).unwrap();
    // A first line that no reader would take, and far behind it one that verifies by itself.
    let before = "x".repeat(3 << 20);
    fs::write(dir.file(LOG_FILE), format!("{before}\n{line}\n")).unwrap();
    let log = AuditLog::open(&dir.log_dir()).unwrap();
    log.begin(intent(&log), noon()).unwrap().finish(outcome(&log), noon()).unwrap();
    assert_eq!(code(dir.verify()), "audit.broken");
}
