//! Changes are carried out whole, file by file, or the error says which were; never through a link.

use crate::host::directory_handle::{HostDirectory, STAGING_DIR};
use crate::kernel::directory::{Change, FileOp};
use crate::kernel::error::{Code, Error};
use crate::kernel::sandbox::changes::Changes;
use std::fs;
use std::os::unix::fs::{symlink, PermissionsExt};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

struct Folder(PathBuf);

static FOLDERS: AtomicU32 = AtomicU32::new(0);

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mpp-commit-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, path: &str, content: &str) {
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
            let names: Vec<&str> = path.split('/').collect();
            let was = takes.then(|| stamped.fingerprint_of(&names).unwrap());
            Change { path: path.to_owned(), action, expected: was, attributes_from: was }
        };
        changes.add("/out", host, list.into_iter().map(change).collect());
        changes
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
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
fn every_kind_of_change_is_carried_out_and_nothing_is_left_behind() {
    let folder = Folder::new();
    folder.file("old", "old");
    folder.file("kept", "kept");
    fs::set_permissions(folder.0.join("old"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir_all(folder.0.join("gone/deep")).unwrap();
    folder.file("gone/deep/file", "x");
    let mut changes = folder.changes(vec![
        ("gone/deep/file", FileOp::RemoveFile),
        ("gone/deep", FileOp::RemoveDirectory),
        ("gone", FileOp::RemoveDirectory),
        ("new", FileOp::CreateDirectory),
        ("new/deep", FileOp::CreateDirectory),
        ("new/deep/file", write("first", false)),
        ("old", write("new", true)),
    ]);
    changes.apply().unwrap();
    assert_eq!((folder.read("new/deep/file"), folder.read("old")), ("first".into(), "new".into()));
    assert_eq!(folder.read("kept"), "kept");
    assert!(!folder.exists("gone") && !folder.exists(STAGING_DIR));
    let mode = fs::metadata(folder.0.join("old")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let counts = changes.counts();
    assert_eq!((counts["write_file"], counts["bytes"], counts["remove_directory"]), (2, 8, 2));
}

#[test]
fn a_file_that_appeared_meanwhile_is_not_overwritten() {
    let folder = Folder::new();
    let mut changes = folder.changes(vec![("a", write("1", false)), ("b", write("2", false))]);
    folder.file("b", "somebody's");
    refused(changes.apply(), &["/out/b", "created concurrently", "nothing was changed"]);
    assert_eq!((folder.exists("a"), folder.read("b")), (false, "somebody's".into()));
    assert!(!folder.exists(STAGING_DIR));
}

#[test]
fn a_file_that_vanished_meanwhile_stops_everything_before_the_first_change() {
    let folder = Folder::new();
    folder.file("b", "old");
    let mut changes = folder.changes(vec![("a", write("1", false)), ("b", write("2", true))]);
    fs::remove_file(folder.0.join("b")).unwrap();
    refused(changes.apply(), &["/out/b", "nothing was changed"]);
    assert!(!folder.exists("a") && !folder.exists("b") && !folder.exists(STAGING_DIR));
}

#[test]
fn a_link_in_the_place_of_a_directory_is_not_followed() {
    let (folder, outside) = (Folder::new(), Folder::new());
    fs::create_dir(folder.0.join("sub")).unwrap();
    let mut changes = folder.changes(vec![("sub/a", write("1", false))]);
    fs::remove_dir(folder.0.join("sub")).unwrap();
    symlink(&outside.0, folder.0.join("sub")).unwrap();
    refused(changes.apply(), &["/out/sub/a", "nothing was changed"]);
    assert!(!outside.exists("a"));
}

#[test]
fn a_link_in_the_place_of_a_file_is_neither_followed_nor_replaced() {
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.file("target", "theirs");
    for action in [FileOp::RemoveFile, write("new", true)] {
        folder.file("a", "old");
        let mut changes = folder.changes(vec![("a", action)]);
        fs::remove_file(folder.0.join("a")).unwrap();
        symlink(outside.0.join("target"), folder.0.join("a")).unwrap();
        refused(changes.apply(), &["/out/a", "modified concurrently", "nothing was changed"]);
        assert_eq!(outside.read("target"), "theirs");
        fs::remove_file(folder.0.join("a")).unwrap();
    }
}

#[test]
fn a_directory_that_is_no_longer_empty_is_kept() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("sub")).unwrap();
    let mut changes = folder.changes(vec![("sub", FileOp::RemoveDirectory)]);
    folder.file("sub/late", "theirs");
    refused(changes.apply(), &["/out/sub", "nothing was changed"]);
    assert_eq!(folder.read("sub/late"), "theirs");
}

#[test]
fn what_a_killed_call_left_in_its_folder_is_cleared_away() {
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.file("theirs", "theirs");
    fs::create_dir(folder.0.join(STAGING_DIR)).unwrap();
    folder.file(".mpp-commit/0", "half");
    symlink(&outside.0, folder.0.join(".mpp-commit/1")).unwrap();
    folder.changes(vec![("a", write("1", false))]).apply().unwrap();
    assert!(!folder.exists(STAGING_DIR) && folder.exists("a"));
    // A link in place of the folder goes, what it leads to stays.
    symlink(&outside.0, folder.0.join(STAGING_DIR)).unwrap();
    folder.changes(vec![("b", write("1", false))]).apply().unwrap();
    assert!(!folder.exists(STAGING_DIR) && folder.exists("b"));
    assert_eq!(outside.read("theirs"), "theirs");
}

#[test]
fn of_calls_at_once_one_replaces_the_file_and_the_others_say_that_it_was_changed() {
    let folder = Folder::new();
    folder.file("a", "old");
    let long = |letter: &str| letter.repeat(100_000);
    let letters = ["x", "y", "z"];
    let all = letters.map(|letter| folder.changes(vec![("a", write(&long(letter), true))]));
    let carried: Vec<bool> = std::thread::scope(|scope| {
        let threads = all.map(|mut changes| scope.spawn(move || changes.apply().is_ok()));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let winners: Vec<_> = letters.iter().zip(carried).filter(|(_, carried)| *carried).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(folder.read("a"), long(winners[0].0));
    assert!(!folder.exists(STAGING_DIR));
}

#[test]
fn what_somebody_else_changed_meanwhile_is_neither_overwritten_nor_removed() {
    let folder = Folder::new();
    for name in ["a", "b"] {
        folder.file(name, "old");
    }
    for action in [write("new", true), FileOp::RemoveFile] {
        let mut changes = folder.changes(vec![("a", FileOp::RemoveFile), ("b", action)]);
        folder.file("b", "theirs");
        refused(changes.apply(), &["/out/b", "modified concurrently", "nothing was changed"]);
        assert_eq!((folder.read("a"), folder.read("b")), ("old".into(), "theirs".into()));
        folder.file("b", "once more");
    }
}

#[test]
fn a_program_with_the_rights_of_its_owner_loses_that_bit_and_keeps_its_owner() {
    let folder = Folder::new();
    folder.file("a", "old");
    let path = folder.0.join("a");
    // Only root can give a file away; others keep their own.
    let _not_allowed = std::os::unix::fs::chown(&path, Some(1234), Some(1234));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o6754)).unwrap();
    let owner = std::os::unix::fs::MetadataExt::uid(&path.metadata().unwrap());
    folder.changes(vec![("a", write("new", true))]).apply().unwrap();
    let status = path.metadata().unwrap();
    assert_eq!(status.permissions().mode() & 0o7777, 0o754);
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&status), owner);
}

#[test]
fn a_directory_that_another_call_made_meanwhile_is_good_enough() {
    let folder = Folder::new();
    let mut changes =
        folder.changes(vec![("sub", FileOp::CreateDirectory), ("sub/a", write("1", false))]);
    fs::create_dir(folder.0.join("sub")).unwrap();
    changes.apply().unwrap();
    assert_eq!(folder.read("sub/a"), "1");
}

#[test]
fn two_calls_with_the_same_directories_in_another_order_do_not_wait_for_each_other() {
    let (one, two) = (Folder::new(), Folder::new());
    let hosts = [&one, &two]
        .map(|folder| Arc::new(HostDirectory::open(&folder.0, &Arc::default()).unwrap()));
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
fn what_was_carried_out_before_a_failure_is_what_is_left_in_the_list() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("full")).unwrap();
    folder.file("full/theirs", "x");
    let mut changes =
        folder.changes(vec![("a", FileOp::CreateDirectory), ("full", FileOp::RemoveDirectory)]);
    refused(changes.apply(), &["/out/full", "already applied: /out/a"]);
    assert_eq!(changes.to_json().as_array().unwrap().len(), 1);
}
