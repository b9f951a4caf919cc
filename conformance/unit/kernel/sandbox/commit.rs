//! Each file is committed atomically, or the error lists those that were; no link is followed.

use crate::host::directory_handle::{HostDirectory, STAGING_DIR};
use crate::kernel::deadline::{Clock, Deadline};
use crate::kernel::directory::{Change, Directory, FileOp, HostEntry};
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::COMMIT_CHANGE_US;
use crate::kernel::sandbox::changes::Changes;
use crate::tests::support::TempDir;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl TempDir {
    fn put(&self, path: &str, content: &str) {
        fs::write(self.0.join(path), content).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }

    fn exists(&self, path: &str) -> bool {
        self.0.join(path).symlink_metadata().is_ok()
    }

    fn changes(&self, list: Vec<(&str, FileOp)>) -> Changes {
        let mut changes = Changes::default();
        let host = Arc::new(HostDirectory::open(&self.0, &Arc::default()).unwrap());
        let stamped = Arc::clone(&host);
        let change = move |(path, action): (&str, FileOp)| {
            let replaces = matches!(&action, FileOp::WriteFile { replaces: true, .. });
            let takes = replaces || action == FileOp::RemoveFile;
            let was = takes.then(|| {
                let mut here: Arc<dyn Directory> = stamped.clone();
                let mut names = path.split('/');
                loop {
                    match here.open(names.next().unwrap()).unwrap() {
                        HostEntry::Directory(below) => here = below,
                        HostEntry::File(file) => break file.fingerprint().unwrap(),
                    }
                }
            });
            Change { path: path.to_owned(), action, expected: was, attributes_from: was }
        };
        changes.add("/out", host, list.into_iter().map(change).collect());
        changes
    }
}

fn write(content: &str, replaces: bool) -> FileOp {
    FileOp::WriteFile { content: content.as_bytes().to_vec(), replaces }
}

fn refused(result: Result<(), Error>, says: &[&str]) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::HostCommit, "{error}");
    for text in says {
        assert!(error.detail().contains(text), "{error}");
    }
}

#[test]
fn every_kind_of_change_is_committed_and_no_temporary_file_is_left() {
    let temp = TempDir::new("commit");
    temp.put("old", "old");
    temp.put("kept", "kept");
    fs::set_permissions(temp.0.join("old"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(temp.0.join("removed/deep")).unwrap();
    temp.put("removed/deep/file", "x");
    let mut changes = temp.changes(vec![
        ("removed/deep/file", FileOp::RemoveFile),
        ("removed/deep", FileOp::RemoveDirectory),
        ("removed", FileOp::RemoveDirectory),
        ("new", FileOp::CreateDirectory),
        ("new/deep", FileOp::CreateDirectory),
        ("new/deep/file", write("first", false)),
        ("old", write("new", true)),
    ]);
    changes.apply().unwrap();
    assert_eq!((temp.read("new/deep/file"), temp.read("old")), ("first".into(), "new".into()));
    assert_eq!(temp.read("kept"), "kept");
    assert!(!temp.exists("removed") && !temp.exists(STAGING_DIR));
    let mode = fs::metadata(temp.0.join("old")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let counts = changes.counts();
    assert_eq!((counts["write_file"], counts["bytes"], counts["remove_directory"]), (2, 8, 2));
}

#[test]
fn a_file_that_was_created_concurrently_is_not_overwritten() {
    let temp = TempDir::new("commit");
    let mut changes = temp.changes(vec![("a", write("1", false)), ("b", write("2", false))]);
    temp.put("b", "theirs");
    refused(changes.apply(), &["/out/b", "created concurrently", "nothing was changed"]);
    assert_eq!((temp.exists("a"), temp.read("b")), (false, "theirs".into()));
    assert!(!temp.exists(STAGING_DIR));
}

#[test]
fn a_file_that_was_removed_concurrently_stops_the_commit_before_the_first_change() {
    let temp = TempDir::new("commit");
    temp.put("b", "old");
    let mut changes = temp.changes(vec![("a", write("1", false)), ("b", write("2", true))]);
    fs::remove_file(temp.0.join("b")).unwrap();
    refused(changes.apply(), &["/out/b", "nothing was changed"]);
    assert!(!temp.exists("a") && !temp.exists("b") && !temp.exists(STAGING_DIR));
}

#[test]
fn a_directory_replaced_by_a_file_stops_the_commit_before_the_first_change() {
    for action in [write("2", true), FileOp::RemoveFile] {
        let temp = TempDir::new("commit");
        fs::create_dir(temp.0.join("sub")).unwrap();
        temp.put("sub/b", "old");
        let mut changes = temp.changes(vec![("a", write("1", false)), ("sub/b", action)]);
        fs::remove_dir_all(temp.0.join("sub")).unwrap();
        temp.put("sub", "theirs");
        refused(changes.apply(), &["/out/sub/b", "modified concurrently", "nothing was changed"]);
        assert_eq!((temp.exists("a"), temp.read("sub")), (false, "theirs".into()));
    }
}

#[test]
fn a_link_in_the_place_of_a_directory_is_not_followed() {
    let (temp, outside) = (TempDir::new("commit"), TempDir::new("commit"));
    fs::create_dir(temp.0.join("sub")).unwrap();
    let mut changes = temp.changes(vec![("sub/a", write("1", false))]);
    fs::remove_dir(temp.0.join("sub")).unwrap();
    symlink(&outside.0, temp.0.join("sub")).unwrap();
    refused(changes.apply(), &["/out/sub/a", "nothing was changed"]);
    assert!(!outside.exists("a"));
}

#[test]
fn a_link_in_the_place_of_a_file_is_neither_followed_nor_replaced() {
    let (temp, outside) = (TempDir::new("commit"), TempDir::new("commit"));
    outside.put("target", "theirs");
    for action in [FileOp::RemoveFile, write("new", true)] {
        temp.put("a", "old");
        let mut changes = temp.changes(vec![("a", action)]);
        fs::remove_file(temp.0.join("a")).unwrap();
        symlink(outside.0.join("target"), temp.0.join("a")).unwrap();
        refused(changes.apply(), &["/out/a", "modified concurrently", "nothing was changed"]);
        assert_eq!(outside.read("target"), "theirs");
        fs::remove_file(temp.0.join("a")).unwrap();
    }
}

#[test]
fn a_directory_that_is_no_longer_empty_is_kept() {
    let temp = TempDir::new("commit");
    fs::create_dir(temp.0.join("sub")).unwrap();
    let mut changes = temp.changes(vec![("sub", FileOp::RemoveDirectory)]);
    temp.put("sub/late", "theirs");
    refused(changes.apply(), &["/out/sub", "nothing was changed"]);
    assert_eq!(temp.read("sub/late"), "theirs");
}

#[test]
fn what_a_killed_call_left_in_its_directory_is_cleared_away() {
    let (temp, outside) = (TempDir::new("commit"), TempDir::new("commit"));
    outside.put("theirs", "theirs");
    fs::create_dir(temp.0.join(STAGING_DIR)).unwrap();
    temp.put(".mpp-commit/0", "half");
    symlink(&outside.0, temp.0.join(".mpp-commit/1")).unwrap();
    temp.changes(vec![("a", write("1", false))]).apply().unwrap();
    assert!(!temp.exists(STAGING_DIR) && temp.exists("a"));
    // A link in place of the directory is removed, its target is not.
    symlink(&outside.0, temp.0.join(STAGING_DIR)).unwrap();
    temp.changes(vec![("b", write("1", false))]).apply().unwrap();
    assert!(!temp.exists(STAGING_DIR) && temp.exists("b"));
    assert_eq!(outside.read("theirs"), "theirs");
}

#[test]
fn of_calls_at_once_one_replaces_the_file_and_the_others_say_that_it_was_changed() {
    let temp = TempDir::new("commit");
    temp.put("a", "old");
    let long = |letter: &str| letter.repeat(100_000);
    let letters = ["x", "y", "z"];
    let all = letters.map(|letter| temp.changes(vec![("a", write(&long(letter), true))]));
    let carried: Vec<bool> = std::thread::scope(|scope| {
        let threads = all.map(|mut changes| scope.spawn(move || changes.apply().is_ok()));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let winners: Vec<_> = letters.iter().zip(carried).filter(|(_, carried)| *carried).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(temp.read("a"), long(winners[0].0));
    assert!(!temp.exists(STAGING_DIR));
}

#[test]
fn a_file_that_was_modified_concurrently_is_neither_overwritten_nor_removed() {
    let temp = TempDir::new("commit");
    for name in ["a", "b"] {
        temp.put(name, "old");
    }
    for action in [write("new", true), FileOp::RemoveFile] {
        let mut changes = temp.changes(vec![("a", FileOp::RemoveFile), ("b", action)]);
        temp.put("b", "theirs");
        refused(changes.apply(), &["/out/b", "modified concurrently", "nothing was changed"]);
        assert_eq!((temp.read("a"), temp.read("b")), ("old".into(), "theirs".into()));
        temp.put("b", "again");
    }
}

#[test]
fn a_program_with_the_rights_of_its_owner_loses_that_bit_and_keeps_its_owner() {
    let temp = TempDir::new("commit");
    temp.put("a", "old");
    let path = temp.0.join("a");
    // Only root can give a file away; others keep their own.
    let _not_allowed = std::os::unix::fs::chown(&path, Some(1234), Some(1234));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6754)).unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&path.metadata().unwrap());
    temp.changes(vec![("a", write("new", true))]).apply().unwrap();
    let status = path.metadata().unwrap();
    assert_eq!(status.permissions().mode() & 0o7777, 0o754);
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&status), owner);
}

#[test]
fn a_directory_that_another_call_created_concurrently_is_accepted() {
    let temp = TempDir::new("commit");
    let mut changes =
        temp.changes(vec![("sub", FileOp::CreateDirectory), ("sub/a", write("1", false))]);
    fs::create_dir(temp.0.join("sub")).unwrap();
    changes.apply().unwrap();
    assert_eq!(temp.read("sub/a"), "1");
}

#[test]
fn two_calls_with_the_same_directories_in_another_order_do_not_wait_for_each_other() {
    let (one, two) = (TempDir::new("commit"), TempDir::new("commit"));
    let hosts =
        [&one, &two].map(|temp| Arc::new(HostDirectory::open(&temp.0, &Arc::default()).unwrap()));
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        for (name, order) in [("a", [0, 1]), ("b", [1, 0]), ("c", [0, 1]), ("d", [1, 0])] {
            let mut changes = Changes::default();
            for index in order {
                let path = name.to_owned();
                let change = Change {
                    path,
                    action: write("1", false),
                    expected: None,
                    attributes_from: None,
                };
                changes.add("/out", hosts[index].clone(), vec![change]);
            }
            scope.spawn(move || changes.apply().unwrap());
        }
    });
    assert!(begun.elapsed() < std::time::Duration::from_secs(9), "they waited for each other");
}

#[test]
fn the_list_holds_what_was_committed_before_a_failure() {
    let temp = TempDir::new("commit");
    fs::create_dir(temp.0.join("full")).unwrap();
    temp.put("full/theirs", "x");
    let mut changes =
        temp.changes(vec![("a", FileOp::CreateDirectory), ("full", FileOp::RemoveDirectory)]);
    refused(changes.apply(), &["/out/full", "already applied: /out/a"]);
    assert_eq!(changes.to_json().as_array().unwrap().len(), 1);
}

/// A clock on which each look takes a millisecond; cancels the call after some looks.
struct Looks {
    count: Cell<u64>,
    cancels_at: u64,
}

impl Looks {
    fn new(cancels_at: u64) -> Self {
        Looks { count: Cell::new(0), cancels_at }
    }
}

impl Clock for Looks {
    fn now(&self) -> Duration {
        self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        self.count.set(self.count.get() + 1);
        Duration::from_millis(self.count.get())
    }

    fn is_cancelled(&self) -> bool {
        self.count.set(self.count.get() + 1);
        self.count.get() >= self.cancels_at
    }
}

#[test]
fn a_call_cancelled_or_late_at_any_moment_before_the_first_change_has_changed_nothing() {
    let files = ["a", "b", "c", "d/e"];
    let mut ends = BTreeSet::new();
    for step in 1.. {
        let temp = TempDir::new("commit-ends");
        fs::create_dir(temp.0.join("d")).unwrap();
        let list = || files.map(|name| (name, write(name, false))).to_vec();
        let cancelled = Looks::new(step);
        let deadline = Deadline::untimed(&cancelled);
        let ended = temp.changes(list()).apply_within(&deadline);
        let late = Looks::new(u64::MAX);
        let deadline = Deadline::new(&late, Duration::from_millis(step));
        let timed_out = match ended {
            Ok(()) => break,
            Err(error) => {
                assert_eq!(error.code(), Code::ToolCancelled, "{error}");
                assert!(error.detail().contains("nothing was changed"), "{error}");
                temp.changes(list()).apply_within(&deadline)
            }
        };
        ends.insert(timed_out.as_ref().map_or_else(Error::code, |()| Code::ToolOutput));
        let is_whole = timed_out.is_ok();
        for name in files {
            assert_eq!(temp.exists(name), is_whole, "{name} at {step}");
        }
        assert!(!temp.exists(STAGING_DIR), "{step}");
    }
    assert!(ends.contains(&Code::ToolTimeout), "{ends:?}");
}

#[test]
fn more_changes_than_the_time_allows_are_refused_before_anything_is_staged() {
    let temp = TempDir::new("commit-many");
    let names: Vec<String> = (0..200).map(|number| format!("f{number}")).collect();
    let list = || names.iter().map(|name| (name.as_str(), write("", false))).collect::<Vec<_>>();
    // Were it staged, this would be an error of the host.
    fs::write(temp.0.join(STAGING_DIR), "").unwrap();
    let clock = Looks::new(u64::MAX);
    let deadline = Deadline::new(&clock, Duration::from_micros(200 * COMMIT_CHANGE_US));
    let error = temp.changes(list()).apply_within(&deadline).unwrap_err();
    assert_eq!(error.code(), Code::ToolTimeout, "{error}");
    assert!(error.detail().contains("nothing was changed"), "{error}");
    fs::remove_file(temp.0.join(STAGING_DIR)).unwrap();
    assert_eq!(fs::read_dir(&temp.0).unwrap().count(), 0);
    temp.changes(list()).apply().unwrap();
    assert_eq!(fs::read_dir(&temp.0).unwrap().count(), 200);
}

#[test]
fn a_lock_that_any_user_can_take_on_the_directory_delays_no_commit() {
    let temp = TempDir::new("commit-foreign-lock");
    let foreign = fs::File::open(&temp.0).unwrap();
    foreign.lock().unwrap();
    let begun = Instant::now();
    temp.changes(vec![("a", write("1", false))]).apply().unwrap();
    assert!(temp.exists("a") && begun.elapsed() < Duration::from_secs(9));
}

#[test]
fn what_stands_in_the_place_of_the_staging_directory_is_removed_unless_it_holds_directories() {
    let temp = TempDir::new("commit-stands");
    let staging = temp.0.join(STAGING_DIR);
    fs::write(&staging, "mine").unwrap();
    temp.changes(vec![("a", write("1", false))]).apply().unwrap();
    std::os::unix::fs::symlink("/nowhere", &staging).unwrap();
    temp.changes(vec![("b", write("1", false))]).apply().unwrap();
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join("0"), "left by a killed process").unwrap();
    temp.changes(vec![("c", write("1", false))]).apply().unwrap();
    assert!(!temp.exists(STAGING_DIR));
    // As deep as a host's stack would not bear if it were removed by recursion.
    fs::create_dir_all(staging.join("d/".repeat(1_000))).unwrap();
    let error = temp.changes(vec![("d", write("1", false))]).apply().unwrap_err();
    assert_eq!(error.code(), Code::HostCommit, "{error}");
    assert!(error.detail().contains("remove it; nothing was changed"), "{error}");
    assert!(temp.exists(STAGING_DIR) && !temp.exists("d"));
}

#[test]
fn removing_what_a_killed_process_left_ends_with_the_call() {
    let temp = TempDir::new("commit-left");
    let staging = temp.0.join(STAGING_DIR);
    fs::create_dir(&staging).unwrap();
    for number in 0..300 {
        fs::write(staging.join(number.to_string()), "").unwrap();
    }
    let cancelled = Looks::new(100);
    let mut changes = temp.changes(vec![("a", write("1", false))]);
    let error = changes.apply_within(&Deadline::untimed(&cancelled)).unwrap_err();
    assert_eq!(error.code(), Code::ToolCancelled, "{error}");
    let left = fs::read_dir(&staging).unwrap().count();
    assert!(left > 0 && !temp.exists("a"), "{left}");
}

#[test]
fn a_commit_that_waits_for_another_ends_with_the_call_and_does_not_blame_the_tool() {
    let temp = TempDir::new("commit-waits");
    fs::create_dir(temp.0.join(STAGING_DIR)).unwrap();
    let other = fs::File::open(temp.0.join(STAGING_DIR)).unwrap();
    other.lock().unwrap();
    let mut changes = temp.changes(vec![("a", write("1", false))]);
    let late = Looks::new(u64::MAX);
    let deadline = Deadline::new(&late, Duration::from_millis(100));
    refused(changes.apply_within(&deadline), &["another call", "nothing was changed"]);
    let cancelled = Looks::new(100);
    let mut changes = temp.changes(vec![("a", write("1", false))]);
    let error = changes.apply_within(&Deadline::untimed(&cancelled)).unwrap_err();
    assert_eq!(error.code(), Code::ToolCancelled, "{error}");
    assert!(!temp.exists("a") && temp.exists(STAGING_DIR), "it is the other's");
    drop(other);
    temp.changes(vec![("a", write("1", false))]).apply().unwrap();
    assert!(temp.exists("a") && !temp.exists(STAGING_DIR));
}

#[test]
fn writers_at_once_wait_for_each_other_and_lose_no_file() {
    let temp = TempDir::new("commit-writers");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let temp = &temp;
            scope.spawn(move || {
                for round in 0..10 {
                    let name = format!("{writer}-{round}");
                    temp.changes(vec![(name.as_str(), write(&name, false))]).apply().unwrap();
                }
            });
        }
    });
    assert_eq!(fs::read_dir(&temp.0).unwrap().count(), 80);
}

/// Run it alone, with `--ignored --nocapture`.
#[test]
#[ignore = "measures the time of 10,000 changes"]
fn ten_thousand_changes_are_applied_within_seconds() {
    for directories in [1, 5_000] {
        let temp = TempDir::new("commit-measured");
        let directory = |number: usize| format!("d{:05}", number % directories);
        let file = |number: usize| format!("{}/f{number:05}", directory(number));
        let made = (0..directories).map(|number| (directory(number), FileOp::CreateDirectory));
        let files = |action: FileOp| {
            (0..10_000 - directories).map(move |number| (file(number), action.clone()))
        };
        for (what, list) in [
            ("create", made.chain(files(write("content", false))).collect::<Vec<_>>()),
            ("replace", files(write("other", true)).collect()),
            ("remove", files(FileOp::RemoveFile).collect()),
        ] {
            let list = list.iter().map(|(path, action)| (path.as_str(), action.clone()));
            let mut changes = temp.changes(list.collect());
            let begun = Instant::now();
            changes.apply().unwrap();
            eprintln!("{directories} directories, {what}: {:?}", begun.elapsed());
        }
    }
}
