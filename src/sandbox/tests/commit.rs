//! Changes are carried out whole, file by file, or the error says which were; never through a link.

use crate::sandbox::changes::{Action, Change, Changes};
use crate::sandbox::host_directory::{HostDirectory, COMMIT_FOLDER};
use crate::{Code, Error};
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

    fn changes(&self, list: Vec<(&str, Action)>) -> Changes {
        let mut changes = Changes::default();
        let change = |(path, action): (&str, Action)| Change { path: path.to_owned(), action };
        let host = Arc::new(HostDirectory::open(&self.0).unwrap());
        changes.add("/out", host, list.into_iter().map(change).collect());
        changes
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write(content: &str, replaces: bool) -> Action {
    Action::WriteFile { content: content.as_bytes().to_vec(), replaces }
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
    let changes = folder.changes(vec![
        ("gone/deep/file", Action::RemoveFile),
        ("gone/deep", Action::RemoveDirectory),
        ("gone", Action::RemoveDirectory),
        ("new", Action::CreateDirectory),
        ("new/deep", Action::CreateDirectory),
        ("new/deep/file", write("first", false)),
        ("old", write("new", true)),
    ]);
    changes.carry_out().unwrap();
    assert_eq!((folder.read("new/deep/file"), folder.read("old")), ("first".into(), "new".into()));
    assert_eq!(folder.read("kept"), "kept");
    assert!(!folder.exists("gone") && !folder.exists(COMMIT_FOLDER));
    let mode = fs::metadata(folder.0.join("old")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let counts = changes.counts();
    assert_eq!((counts["write_file"], counts["bytes"], counts["remove_directory"]), (2, 8, 2));
}

#[test]
fn a_file_that_appeared_meanwhile_is_not_overwritten() {
    let folder = Folder::new();
    let changes = folder.changes(vec![("a", write("1", false)), ("b", write("2", false))]);
    folder.file("b", "somebody's");
    refused(changes.carry_out(), &["/out/b", "appeared meanwhile", "carried out before: /out/a"]);
    assert_eq!((folder.read("a"), folder.read("b")), ("1".into(), "somebody's".into()));
    assert!(!folder.exists(COMMIT_FOLDER));
}

#[test]
fn a_file_that_vanished_meanwhile_stops_everything_before_the_first_change() {
    let folder = Folder::new();
    folder.file("b", "old");
    let changes = folder.changes(vec![("a", write("1", false)), ("b", write("2", true))]);
    fs::remove_file(folder.0.join("b")).unwrap();
    refused(changes.carry_out(), &["/out/b", "nothing was changed"]);
    assert!(!folder.exists("a") && !folder.exists("b") && !folder.exists(COMMIT_FOLDER));
}

#[test]
fn a_link_in_the_place_of_a_directory_is_not_followed() {
    let (folder, outside) = (Folder::new(), Folder::new());
    fs::create_dir(folder.0.join("sub")).unwrap();
    let changes = folder.changes(vec![("sub/a", write("1", false))]);
    fs::remove_dir(folder.0.join("sub")).unwrap();
    symlink(&outside.0, folder.0.join("sub")).unwrap();
    refused(changes.carry_out(), &["/out/sub/a", "nothing was changed"]);
    assert!(!outside.exists("a"));
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.file("target", "theirs");
    folder.file("a", "old");
    folder.file("b", "old");
    let changes = folder.changes(vec![("a", Action::RemoveFile), ("b", write("new", true))]);
    for name in ["a", "b"] {
        fs::remove_file(folder.0.join(name)).unwrap();
        symlink(outside.0.join("target"), folder.0.join(name)).unwrap();
    }
    // The file to be replaced is none any more, so nothing is done at all.
    refused(changes.carry_out(), &["/out/b", "nothing was changed"]);
    assert_eq!(outside.read("target"), "theirs");
    let changes = folder.changes(vec![("a", Action::RemoveFile)]);
    changes.carry_out().unwrap();
    assert_eq!(outside.read("target"), "theirs");
}

#[test]
fn a_directory_that_is_no_longer_empty_is_kept() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("sub")).unwrap();
    let changes = folder.changes(vec![("sub", Action::RemoveDirectory)]);
    folder.file("sub/late", "theirs");
    refused(changes.carry_out(), &["/out/sub", "nothing was changed"]);
    assert_eq!(folder.read("sub/late"), "theirs");
}

#[test]
fn what_a_killed_call_left_in_its_folder_is_cleared_away() {
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.file("theirs", "theirs");
    fs::create_dir(folder.0.join(COMMIT_FOLDER)).unwrap();
    folder.file(".mpp-commit/0", "half");
    symlink(&outside.0, folder.0.join(".mpp-commit/1")).unwrap();
    folder.changes(vec![("a", write("1", false))]).carry_out().unwrap();
    assert!(!folder.exists(COMMIT_FOLDER) && folder.exists("a"));
    // A link in place of the folder goes, what it leads to stays.
    symlink(&outside.0, folder.0.join(COMMIT_FOLDER)).unwrap();
    folder.changes(vec![("b", write("1", false))]).carry_out().unwrap();
    assert!(!folder.exists(COMMIT_FOLDER) && folder.exists("b"));
    assert_eq!(outside.read("theirs"), "theirs");
}

#[test]
fn of_two_calls_at_once_each_leaves_its_file_whole() {
    let folder = Folder::new();
    folder.file("a", "old");
    let long = |letter: &str| letter.repeat(100_000);
    std::thread::scope(|scope| {
        for letter in ["x", "y", "z"] {
            let changes = folder.changes(vec![("a", write(&long(letter), true))]);
            scope.spawn(move || changes.carry_out().unwrap());
        }
    });
    let text = folder.read("a");
    assert!(["x", "y", "z"].iter().any(|letter| text == long(letter)));
    assert!(!folder.exists(COMMIT_FOLDER));
}
