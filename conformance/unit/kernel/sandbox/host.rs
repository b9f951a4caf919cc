//! Mapped directories: read through, changed in memory only, and the changes to commit.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use super::probe::*;
use super::script::*;
use super::*;
use crate::kernel::directory::{Directory, DirectoryError};
use crate::kernel::host::tests::Fake;
use std::fs;
use std::path::Path;

impl TempDir {
    /// A few files and directories.
    pub(super) fn filled() -> Self {
        let temp = TempDir::new("sandbox");
        fs::create_dir_all(temp.0.join("dir/sub")).unwrap();
        fs::create_dir_all(temp.0.join("empty")).unwrap();
        fs::write(temp.0.join("file"), "0123456789").unwrap();
        fs::write(temp.0.join("dir/inner"), "inner").unwrap();
        fs::write(temp.0.join("dir/sub/deep"), "deep").unwrap();
        temp
    }

    pub(super) fn root(&self, guest: &str, writable: bool) -> Preopen {
        let host = Arc::new(HostDirectory::open(&self.0, &Arc::default()).unwrap());
        Preopen { guest: guest.to_owned(), host, writable }
    }
}

/// Everything below a directory of the host, by path.
pub(super) fn snapshot(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![root.to_path_buf()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            found.insert(name, (!kind.is_dir()).then(|| fs::read(&path).unwrap_or_default()));
            if kind.is_dir() {
                pending.push(path);
            }
        }
    }
    found
}

/// A guest with one directory, as descriptor 3.
pub(super) fn with_root(temp: &TempDir, writable: bool) -> GuestInputs<'static> {
    GuestInputs { roots: vec![temp.root("/data", writable)], ..inputs(b"input") }
}

/// One line for each change.
pub(super) fn lines(run: &Execution) -> Vec<String> {
    let line = |(path, action): (String, &FileOp)| match action {
        FileOp::RemoveFile => format!("rm {path}"),
        FileOp::RemoveDirectory => format!("rmdir {path}"),
        FileOp::CreateDirectory => format!("mkdir {path}"),
        FileOp::WriteFile { content, replaces } => {
            let verb = if *replaces { "replace" } else { "create" };
            format!("{verb} {path} {}", String::from_utf8_lossy(content))
        }
    };
    run.changes.iter().map(line).collect()
}

#[test]
fn writes_of_the_guest_are_a_list_of_changes_and_host_files_are_unchanged() {
    let temp = TempDir::filled();
    let before = snapshot(&temp.0);
    let mut script = Script::new();
    script.open(3, "file", 0, ALL);
    script.call("fd_seek", &[4, 5, 0, 0]);
    script.write(4, b"abc");
    let (_, seen) = script.read_at(4, 0, 10);
    script.open(3, "new", CREATE, ALL);
    script.write(5, b"abc");
    script.rename("dir/sub", "moved");
    script.unlink("dir/inner");
    script.rmdir("dir");
    script.link("new", 3, "moved/again");
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers, [SUCCESS; 10]);
    assert_eq!(ran.bytes(seen, 10), b"01234abc89");
    assert_eq!(
        lines(&ran.run),
        [
            "rm /data/dir/sub/deep",
            "rmdir /data/dir/sub",
            "rm /data/dir/inner",
            "rmdir /data/dir",
            "replace /data/file 01234abc89",
            "mkdir /data/moved",
            "create /data/moved/again abc",
            "create /data/moved/deep deep",
            "create /data/new abc",
        ]
    );
    assert_eq!(snapshot(&temp.0), before);
}

#[test]
fn what_was_moved_away_and_back_or_made_again_is_not_lost() {
    let temp = TempDir::filled();
    let before = snapshot(&temp.0);
    let mut script = Script::new();
    script.rename("dir", "away");
    script.rename("away", "dir");
    script.rename("file", "dir/file");
    script.rename("dir/file", "file");
    script.rmdir("empty");
    script.mkdir("empty");
    let mut ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers, [SUCCESS; 6]);
    let changes = lines(&ran.run);
    assert!(changes.iter().all(|line| line.starts_with("replace ")), "{changes:?}");
    ran.run.changes.apply().unwrap();
    assert_eq!(snapshot(&temp.0), before);
}

#[test]
fn looking_and_reading_changes_nothing() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.list(3);
    script.open(3, "file", 0, ALL);
    script.read_at(4, 0, 10);
    script.write(4, b"");
    script.stat(3, 1, "dir/inner");
    script.call("fd_filestat_set_times", &[4, 5, 5, 5]);
    script.open(3, "dir", DIRECTORY, 0);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers, [SUCCESS; 7]);
    assert!(ran.run.changes.is_empty());
}

#[test]
fn all_descriptors_of_a_file_see_what_one_of_them_writes_also_without_a_name() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.open(3, "file", 0, READ);
    script.open(3, "file", 0, ALL);
    let (_, before) = script.read_at(4, 0, 10);
    script.write(5, b"xy");
    let (_, after) = script.read_at(4, 0, 10);
    script.unlink("file");
    script.write(5, b"z");
    let (_, unlinked) = script.read_at(4, 0, 10);
    let (count, _) = script.read_at(4, 8, 10);
    let ran = script.run(with_root(&temp, true));
    assert!(ran.answers.iter().all(|answer| *answer == SUCCESS));
    assert_eq!(ran.bytes(before, 10), b"0123456789");
    assert_eq!(ran.bytes(after, 10), b"xy23456789");
    assert_eq!(ran.bytes(unlinked, 10), b"xyz3456789");
    assert_eq!(ran.word(count), 2);
    assert_eq!(lines(&ran.run), ["rm /data/file"]);
}

#[test]
fn an_open_lower_file_is_still_readable_after_its_removal_and_cannot_be_opened_again() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.open(3, "file", 0, READ);
    script.unlink("file");
    let (_, seen) = script.read_at(4, 0, 10);
    let missing =
        [script.open(3, "file", 0, READ), script.stat(3, 0, "file").0, script.unlink("file")];
    script.open(3, "file", CREATE, ALL);
    script.write(5, b"new");
    let (_, still) = script.read_at(4, 0, 10);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(missing.map(|answer| ran.answers[answer]), [NOENT; 3]);
    assert_eq!(ran.bytes(seen, 10), b"0123456789");
    assert_eq!(ran.bytes(still, 10), b"0123456789");
    assert_eq!(lines(&ran.run), ["replace /data/file new"]);
}

#[test]
fn appending_writes_to_the_end_until_the_flag_is_cleared() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.open_with(3, 0, "file", 0, ALL, APPEND);
    script.write(4, b"ab");
    script.call("fd_seek", &[4, 0, 0, 0]);
    script.write(4, b"cd");
    script.call("fd_fdstat_set_flags", &[4, 0]);
    script.call("fd_seek", &[4, 1, 0, 0]);
    script.write(4, b"ef");
    let bytes = script.place(b"gh");
    let list = script.place(&iovec(bytes as u32, 2));
    script.call("fd_pwrite", &[4, list, 1, 20, 0]);
    script.call("fd_allocate", &[4, 20, 1]);
    script.call("fd_allocate", &[4, 20, 3]);
    let ran = script.run(with_root(&temp, true));
    assert!(ran.answers.iter().all(|answer| *answer == SUCCESS));
    assert_eq!(lines(&ran.run), ["replace /data/file 0ef3456789abcd\0\0\0\0\0\0gh\0"]);
}

#[test]
fn inode_numbers_and_fuel_follow_from_the_calls_and_not_from_the_host() {
    let record = |temp: &TempDir| {
        let mut script = Script::new();
        let places = ["file", "dir/sub/deep", "dir"].map(|path| script.stat(3, 0, path).1);
        let (_, used, at) = script.list(3);
        script.open(3, "dir/inner", 0, ALL);
        script.write(4, b"x");
        let ran = script.run(with_root(temp, true));
        let records = places.map(|at| ran.bytes(at, 64).to_vec());
        (records, ran.bytes(at, ran.word(used) as usize).to_vec(), ran.run.fuel_used)
    };
    // The same files, made in another order and at another time.
    let (one, other) = (TempDir::filled(), TempDir::new("sandbox"));
    fs::write(other.0.join("file"), "0123456789").unwrap();
    fs::create_dir_all(other.0.join("empty")).unwrap();
    fs::create_dir_all(other.0.join("dir/sub")).unwrap();
    fs::write(other.0.join("dir/sub/deep"), "deep").unwrap();
    fs::write(other.0.join("dir/inner"), "inner").unwrap();
    assert_eq!(record(&one), record(&other));
}

#[test]
fn times_are_those_of_the_guest_s_clock_and_can_be_set() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    let times = |script: &mut Script| script.stat(3, 0, "file").1 + 40;
    let at_first = times(&mut script);
    script.call("clock_time_get", &[0, 0, 0]);
    script.open(3, "file", 0, ALL);
    script.write(4, b"x");
    let written = times(&mut script);
    script.call("fd_filestat_set_times", &[4, 7, 8, 1 | 8]);
    let set = times(&mut script);
    let refused = [3, 12, 16].map(|flags| script.call("fd_filestat_set_times", &[4, 7, 8, flags]));
    let ran = script.run(with_root(&temp, true));
    let read = |at: i64| [0, 8, 16].map(|offset| ran.number(at + offset));
    let (start, step) = (1_767_225_600_000_000_000, 1_000_000);
    assert_eq!(read(at_first), [start; 3]);
    assert_eq!(read(written), [start, start + step, start + step]);
    assert_eq!(read(set), [7, start + step, start + step]);
    assert_eq!(refused.map(|answer| ran.answers[answer]), [INVAL; 3]);
}

/// What `path_open` answers by section 6 of the page.
fn expected(kind: &str, lookup: i64, flags: i64, rights: i64) -> u32 {
    let has = |flag| flags & flag != 0;
    let changes = rights & WRITE != 0 || has(TRUNCATE);
    if has(CREATE) && has(DIRECTORY) {
        return INVAL;
    }
    let is_new = has(CREATE) && has(EXCLUSIVE);
    match kind {
        "unseen" => ACCES,
        "missing" if has(CREATE) => SUCCESS,
        "missing" => NOENT,
        _ if is_new => EXIST,
        "to-file" | "to-dir" | "dangling" if lookup == 0 => LOOP,
        "dangling" if has(CREATE) => SUCCESS,
        "dangling" => NOENT,
        "dir" | "to-dir" if changes => ISDIR,
        "dir" | "to-dir" => SUCCESS,
        _ if has(DIRECTORY) => NOTDIR,
        _ => SUCCESS,
    }
}

#[test]
fn every_combination_of_open_flags_and_kinds_of_files_answers_as_the_page_says() {
    let temp = TempDir::filled();
    std::os::unix::fs::symlink("file", temp.0.join("unseen")).unwrap();
    for kind in ["file", "dir", "missing", "unseen", "to-file", "to-dir", "dangling"] {
        for (rights, lookup) in [(0, 0), (READ, 1), (WRITE, 0), (READ | WRITE, 1), (WRITE, 1)] {
            let mut script = Script::new();
            script.symlink("file", "to-file");
            script.symlink("dir", "to-dir");
            script.symlink("target", "dangling");
            let mut answers = Vec::new();
            for flags in 0..16 {
                for fd_flags in [0, APPEND, 0x1f] {
                    let answer = script.open_with(3, lookup, kind, flags, rights, fd_flags);
                    answers.push((flags, answer));
                    script.close(4);
                    script.unlink("missing");
                    script.unlink("target");
                }
            }
            let unknown = [
                script.open_with(3, lookup, kind, 16, rights, 0),
                script.open_with(3, lookup, kind, 0, rights, 0x20),
                script.open_with(3, 2, kind, 0, rights, 0),
            ];
            let ran = script.run(with_root(&temp, true));
            for (flags, answer) in answers {
                let expected = expected(kind, lookup, flags, rights);
                assert_eq!(ran.answers[answer], expected, "{kind} {lookup} {flags} {rights}");
            }
            assert_eq!(unknown.map(|answer| ran.answers[answer]), [INVAL; 3]);
        }
    }
}

#[test]
fn real_clocks_and_random_numbers_are_there_if_the_host_grants_them() {
    static HOST: Fake = Fake {
        secrets: &[],
        asked: std::sync::Mutex::new(Vec::new()),
        random: Some(crate::host::keys::fill_random),
    };
    let granted = || GuestInputs {
        time: GuestClock::host_time(since_1970()),
        random: RandomStream::Host(&HOST),
        ..inputs(b"")
    };
    let mut script = Script::new();
    let [wall, resolution, first, last, random] =
        [8, 8, 8, 8, 32].map(|bytes| script.reserve(bytes));
    let mut wait = vec![0; 48];
    wait[16] = 1;
    wait[24..32].copy_from_slice(&30_000_000_u64.to_le_bytes());
    let (wait, events) = (script.place(&wait), script.reserve(32));
    script.call("clock_time_get", &[0, 0, wall]);
    script.call("clock_res_get", &[0, resolution]);
    script.call("clock_time_get", &[1, 0, first]);
    script.call("poll_oneoff", &[wait, events, 1, 0]);
    script.call("clock_time_get", &[1, 0, last]);
    script.call("random_get", &[random, 32]);
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let (one, other) = (script.run(granted()), script.run(granted()));
    assert_eq!(one.answers, [SUCCESS; 6]);
    let wall = Duration::from_nanos(one.number(wall));
    assert!(wall >= before && wall < before + Duration::from_secs(60), "{wall:?}");
    assert!(one.number(last) - one.number(first) >= 30_000_000);
    assert_eq!(one.number(resolution), 1);
    assert_ne!(one.bytes(random, 32), other.bytes(random, 32));
}

/// Waits for clock 1 for 18 minutes.
const SLEEPER: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $p (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 16) "\01") (data (i32.const 29) "\01")
    (func (export "_start")
        (drop (call $p (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))))"#;

#[test]
fn a_real_wait_ends_with_the_call_s_time_and_when_it_is_cancelled() {
    let guest = Module::validate(&wat::parse_str(SLEEPER).unwrap(), &manifest(16)).unwrap();
    let inputs = || GuestInputs { time: GuestClock::host_time(since_1970()), ..inputs(b"") };
    let short = RunLimits { timeout: Duration::from_millis(100), ..LIMITS };
    let started = Instant::now();
    let late = run_module(&guest, inputs(), &short, &CancelFlag::default());
    assert_eq!(late.outcome.unwrap_err().code(), Code::ToolTimeout);
    let long = RunLimits { timeout: Duration::from_secs(6000), ..LIMITS };
    let flag = CancelFlag::default();
    let cancelled = std::thread::scope(|scope| {
        let running = scope.spawn(|| run_module(&guest, inputs(), &long, &flag));
        std::thread::sleep(Duration::from_millis(30));
        flag.cancel();
        running.join().unwrap()
    });
    assert_eq!(cancelled.outcome.unwrap_err().code(), Code::ToolCancelled);
    assert!(started.elapsed() < Duration::from_secs(10));
}

fn since_1970() -> Duration {
    crate::host::clock::now()
}

#[test]
fn a_name_that_a_terminal_does_not_show_as_it_is_cannot_be_made_on_the_host() {
    let temp = TempDir::filled();
    let old = "old\u{202e}txt\n";
    fs::create_dir(temp.0.join("theirs")).unwrap();
    fs::write(temp.0.join("theirs").join(old), "old").unwrap();
    let before = snapshot(&temp.0);
    let hidden = [
        '\n', '\t', '\r', '\u{1b}', '\u{1}', '\u{7f}', '\u{80}', '\u{85}', '\u{9b}', '\u{9f}',
        '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}',
        '\u{2068}', '\u{2069}', '\u{200e}', '\u{200f}', '\u{61c}', '\u{2028}', '\u{2029}',
    ];
    for character in hidden {
        let name = format!("a{character}b");
        let mut script = Script::new();
        let known = format!("theirs/{old}");
        script.open(3, &known, 0, ALL);
        script.write(4, b"new");
        script.open(3, "file", 0, ALL);
        for refused in [&name, &format!("dir/{name}")] {
            script.open(3, refused, CREATE, ALL);
            script.open(3, refused, CREATE | EXCLUSIVE, ALL);
            script.mkdir(refused);
            script.rename("file", refused);
            script.rename("dir/sub", refused);
            script.link("file", 3, refused);
            script.symlink("file", refused);
        }
        script.rename("theirs", "moved");
        script.open(3, &name, 0, READ);
        script.open(3, "a\u{200d}\u{fe0f}\u{e9}", CREATE, ALL);
        let ran = script.run(with_root(&temp, true));
        assert_eq!(ran.answers[..3], [SUCCESS; 3], "{character:?}");
        assert_eq!(ran.answers[3..17], [INVAL; 14], "{character:?}");
        assert_eq!(ran.answers[17..], [SUCCESS, NOENT, SUCCESS], "{character:?}");
        let made = lines(&ran.run).into_iter().filter(|line| line.contains(&name));
        assert_eq!(made.count(), 0, "{character:?}");
    }
    assert_eq!(snapshot(&temp.0), before);
    // What is not UTF-8 is refused before.
    let mut script = Script::new();
    let bytes = script.place(b"a\xffb");
    script.call("path_create_directory", &[3, bytes, 3]);
    assert_eq!(script.run(with_root(&temp, true)).answers, [ILSEQ]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_mounted_inside_is_neither_listed_nor_opened() {
    let root = HostDirectory::open(Path::new("/"), &Arc::default()).unwrap();
    let mut hidden = 0;
    let mut listed = Vec::new();
    root.list(&mut |entry| {
        match entry {
            Some((name, _)) => listed.push(name.to_owned()),
            None => hidden += 1,
        }
        true
    })
    .unwrap();
    assert!(hidden > 0 && !listed.is_empty() && !listed.contains(&"proc".to_owned()), "{listed:?}");
    assert_eq!(Directory::open(&root, "proc").unwrap_err(), DirectoryError::Denied);
    for name in listed {
        let opened = Directory::open(&root, &name);
        assert!(matches!(opened, Ok(_) | Err(DirectoryError::Denied)), "{name}: {opened:?}");
    }
    // A guest gets the same answers.
    let preopen = Preopen { guest: "/data".to_owned(), host: Arc::new(root), writable: true };
    let mut script = Script::new();
    let list = script.list(3);
    script.stat(3, 0, "proc");
    script.mkdir("proc");
    script.rename("proc", "other");
    script.rmdir("proc");
    script.open(3, "proc", DIRECTORY, 0);
    let temp = TempDir::new("mounted");
    let ran = script.run(GuestInputs { roots: vec![preopen], ..with_root(&temp, true) });
    assert!(names(&ran, list).iter().all(|(name, _)| name != "proc"));
    assert_eq!(ran.answers[1..], [ACCES; 5]);
    assert!(ran.run.changes.is_empty());
}
