//! Reads of the lower layer: how often, how deep, and which entries stay as first read.

use super::hostile::{errno, tree};
use super::probe::*;
use super::script::*;
use super::*;
use crate::kernel::directory::{Directory, DirectoryError, File, HostEntry, Kind, StatFingerprint};
use crate::kernel::limits::{HANDLES_COUNT_MAX, LISTED_ENTRIES_COUNT_MAX};
use crate::kernel::sandbox::overlay::{InodeId, OverlayFs};
use crate::kernel::sandbox::tests::host::{lines, with_root};
use crate::tests::support::TempDir;
use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A directory in memory with the given number of files and directories, each of these like it. It counts what is opened.
#[derive(Clone, Debug)]
struct Counting {
    files: usize,
    opened: Arc<AtomicUsize>,
}

impl Counting {
    fn inputs(files: usize) -> (GuestInputs<'static>, Arc<AtomicUsize>) {
        let opened = Arc::new(AtomicUsize::new(0));
        let host = Arc::new(Counting { files, opened: Arc::clone(&opened) });
        let roots = vec![Preopen { guest: "/data".to_owned(), host, writable: true }];
        (GuestInputs { roots, ..inputs(b"") }, opened)
    }
}

impl Directory for Counting {
    fn identity_chain(&self) -> Vec<Identity> {
        Vec::new()
    }

    fn open(&self, name: &str) -> Result<HostEntry, DirectoryError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        match name.as_bytes()[0] {
            b'f' => Ok(HostEntry::File(Arc::new(Empty))),
            b'n' => Err(DirectoryError::NotFound),
            _ => Ok(HostEntry::Directory(Arc::new(self.clone()))),
        }
    }

    fn list(
        &self,
        each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool,
    ) -> Result<bool, DirectoryError> {
        let mut names = (0..self.files).map(|number| format!("f{number}"));
        let _all = names.all(|name| each(Some((&name, Kind::File))));
        Ok(false)
    }

    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        Ok([0; 9])
    }
}

#[derive(Debug)]
struct Empty;

impl File for Empty {
    fn size(&self) -> Result<u64, DirectoryError> {
        Ok(0)
    }
    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize, DirectoryError> {
        Ok(0)
    }
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        Ok([0; 9])
    }
}

/// How many names the host opens for these calls.
fn opened(script: &Script) -> usize {
    let (inputs, opened) = Counting::inputs(1);
    let ran = script.run(inputs);
    assert!(ran.answers.iter().all(|answer| *answer == SUCCESS), "{:?}", ran.answers);
    opened.load(Ordering::Relaxed)
}

#[test]
fn opening_a_file_three_directories_deep_opens_each_name_on_the_way_once() {
    let mut script = Script::new();
    script.open(3, "a/b/c/f", 0, READ);
    assert_eq!(opened(&script), 4);
    // The parents are open by then, and the file is while a descriptor refers to it.
    script.open(3, "a/b/c/f", 0, READ);
    assert_eq!(opened(&script), 4);
    script.close(4);
    script.close(5);
    script.open(3, "a/b/c/f", 0, READ);
    assert_eq!(opened(&script), 5);
    script.open(3, "a/b/c/g", DIRECTORY, 0);
    script.open(3, "a/b/c/g", DIRECTORY, 0);
    assert_eq!(opened(&script), 6);
    script.unlink("a/b/c/f");
    script.open(3, "a/b/c/n", CREATE, ALL);
    assert_eq!(opened(&script), 7);
}

#[test]
fn no_more_directories_are_held_than_agreed_and_the_fuel_counts_those_that_are_opened_again() {
    let fuel = |directories: usize| {
        let mut script = Script::new();
        for number in (0..directories).chain(0..directories) {
            script.stat(3, 0, &format!("d{number}/f"));
        }
        let (inputs, opened) = Counting::inputs(1);
        let ran = script.run(inputs);
        (opened.load(Ordering::Relaxed), ran.run.fuel_used / directories as u64)
    };
    let (opened, each) = fuel(HANDLES_COUNT_MAX);
    assert_eq!(opened, HANDLES_COUNT_MAX * 3);
    let (more, each_of_more) = fuel(HANDLES_COUNT_MAX + 1);
    assert!(more > opened + HANDLES_COUNT_MAX / 2, "{more}");
    assert!(each_of_more > each, "{each_of_more} {each}");
}

#[test]
fn nothing_is_removed_from_a_directory_with_more_names_than_are_listed() {
    for more in [0, 1] {
        let (inputs, _) = Counting::inputs(LISTED_ENTRIES_COUNT_MAX + more);
        let mut script = Script::new();
        script.open(3, "new", CREATE, ALL);
        script.open(3, "f0", TRUNCATE, ALL);
        let refused =
            [script.unlink("f1"), script.rename("f2", "f3"), script.rename("f4", "nothing")];
        let ran = script.run(inputs);
        assert_eq!(ran.answers[..2], [SUCCESS; 2]);
        let expected = if more == 0 { SUCCESS } else { OVERFLOW };
        assert_eq!(refused.map(|answer| ran.answers[answer]), [expected; 3]);
        if more == 1 {
            assert_eq!(lines(&ran.run), ["replace /data/f0 ", "create /data/new "]);
        }
    }
}

#[test]
fn entries_made_after_the_directory_was_loaded_are_not_visible_and_links_are_still_refused() {
    let temp = TempDir::filled();
    symlink("x", temp.0.join("link")).unwrap();
    let (mut guest, root) = tree(&temp);
    let GuestState { tree, meter, .. } = &mut guest;
    let place = tree.resolve(root, "file", false, meter).unwrap();
    tree.remove_file(&place, meter).unwrap();
    fs::write(temp.0.join("late"), "").unwrap();
    assert!(tree.resolve(root, "late", false, meter).unwrap().node.is_none());
    assert!(tree.resolve(root, "file", false, meter).unwrap().node.is_none());
    assert_eq!(tree.load_entries(root, meter), Ok(true));
    let names: Vec<&str> =
        tree.directory(root).unwrap().children.keys().map(|name| &**name).collect();
    assert_eq!(names, ["dir", "empty"]);
    let link = tree.resolve(root, "link", false, meter).map(|_| ());
    assert_eq!(errno(link), Some(errno::Errno::ACCES));
}

#[test]
fn a_written_file_that_is_removed_does_not_come_back_as_the_hosts() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.open(3, "dir/inner", 0, ALL);
    script.write(4, b"new");
    script.unlink("dir/inner");
    let missing = [
        script.open(3, "dir/inner", 0, READ),
        script.stat(3, 0, "dir/inner").0,
        script.unlink("dir/inner"),
    ];
    script.unlink("dir/sub/deep");
    script.rmdir("dir/sub");
    script.open(3, "dir", DIRECTORY, 0);
    let listing = script.list(5);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(missing.map(|answer| ran.answers[answer]), [NOENT; 3]);
    assert_eq!(names(&ran, listing).len(), 2);
    let removed = ["rmdir /data/dir/sub", "rm /data/dir/sub/deep", "rm /data/dir/inner"];
    let mut found = lines(&ran.run);
    found.sort_by_key(|line| removed.iter().position(|removed| removed == line));
    assert_eq!(found, removed);
}

#[test]
fn nothing_of_the_host_is_seen_in_a_directory_that_was_removed() {
    let temp = TempDir::filled();
    let (mut guest, root) = tree(&temp);
    let GuestState { tree, meter, .. } = &mut guest;
    let place = tree.resolve(root, "empty", false, meter).unwrap();
    let directory = place.node.unwrap();
    tree.retain(directory).unwrap();
    tree.remove_directory(&place, meter).unwrap();
    fs::write(temp.0.join("empty/late"), "").unwrap();
    assert_eq!(tree.load_entries(directory, meter), Ok(false));
    let late = tree.resolve(directory, "late", false, meter).unwrap();
    assert!(late.node.is_none());
    assert_eq!(tree.create_file(&late), Err(errno::Errno::NOENT));
}

#[test]
fn what_the_host_changes_after_the_guest_has_opened_it_is_not_overwritten_or_removed() {
    type Change = fn(&mut OverlayFs, InodeId, &mut FuelMeter);
    let ways: [Change; 3] = [
        |tree, root, meter| {
            let file = tree.resolve(root, "file", false, meter).unwrap().node.unwrap();
            tree.truncate(file, 0, meter).unwrap();
        },
        |tree, root, meter| {
            let place = tree.resolve(root, "file", false, meter).unwrap();
            tree.remove_file(&place, meter).unwrap();
        },
        |tree, root, meter| {
            let from = tree.resolve(root, "file", false, meter).unwrap();
            let to = tree.resolve(root, "moved", false, meter).unwrap();
            tree.rename(&from, &to, meter).unwrap();
        },
    ];
    for change in ways {
        for late in [false, true] {
            let temp = TempDir::filled();
            let (mut guest, root) = tree(&temp);
            let GuestState { tree, meter, .. } = &mut guest;
            tree.resolve(root, "file", false, meter).unwrap();
            tree.begin_call(0);
            if late {
                fs::write(temp.0.join("file"), "theirs").unwrap();
            }
            change(tree, root, meter);
            let result = guest.tree.into_changes(None).unwrap().apply();
            match late {
                false => assert_eq!(result, Ok(())),
                true => {
                    let error = result.unwrap_err();
                    assert!(error.detail().contains("modified concurrently"), "{error}");
                    assert_eq!(fs::read(temp.0.join("file")).unwrap(), b"theirs");
                }
            }
        }
    }
}

/// A directory that lists this name and one other.
#[derive(Debug)]
struct Listing(String);

impl Directory for Listing {
    fn identity_chain(&self) -> Vec<Identity> {
        Vec::new()
    }
    fn open(&self, _: &str) -> Result<HostEntry, DirectoryError> {
        Err(DirectoryError::NotFound)
    }
    fn list(
        &self,
        each: &mut dyn FnMut(Option<(&str, Kind)>) -> bool,
    ) -> Result<bool, DirectoryError> {
        let _all = each(Some((&self.0, Kind::File))) && each(Some(("good", Kind::File)));
        Ok(false)
    }
    fn fingerprint(&self) -> Result<StatFingerprint, DirectoryError> {
        Ok([0; 9])
    }
}

#[test]
fn what_a_host_lists_that_is_no_name_is_hidden_as_what_guests_do_not_see() {
    let hides = |name: &str| {
        let host = Arc::new(Listing(name.to_owned()));
        let roots = vec![Preopen { guest: "/data".to_owned(), host, writable: true }];
        let mut guest =
            GuestInputs { roots, ..inputs(b"") }.into_guest(&LIMITS, &Deadline::unlimited());
        let root = guest.descriptors.get(3).unwrap().directory().unwrap();
        guest.tree.load_entries(root, &mut guest.meter).unwrap()
    };
    assert!(!hides("other"));
    for name in ["", ".", "..", "a/b", "../../etc/passwd", "nul\0", &"n".repeat(256)] {
        assert!(hides(name), "{name:?}");
    }
}
