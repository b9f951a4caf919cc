//! Storage as a guest sees it: what it finds there, how far it can fill it, and what it leaves.

use super::host::lines;
use super::probe::*;
use super::script::*;
use super::*;
use crate::kernel::limits::{STAGED_NAMES_COUNT_MAX, STORAGE_ENTRY_BYTES};
use crate::kernel::sandbox::guest_clock::EPOCH_NS;
use crate::kernel::storage::tests::{entries, kept, loaded, Memory};
use crate::kernel::storage::{Entries, StorageBackend};

/// What each name counts for.
const ENTRY: i64 = STORAGE_ENTRY_BYTES as i64;

/// A guest with storage as descriptor 3.
fn with_storage(backend: &Arc<dyn StorageBackend>, limit_kb: u64) -> GuestInputs<'static> {
    GuestInputs { storage: Some(loaded(backend, limit_kb)), ..inputs(b"") }
}

fn some() -> Entries {
    entries(&[("a", "old"), ("d/", ""), ("d/e/", ""), ("d/e/f", "deep"), ("d/g", "")])
}

#[test]
fn what_one_call_leaves_the_next_one_finds_and_its_list_names_the_differences_alone() {
    let backend = Memory::with(&some());
    let mut script = Script::new();
    script.open(3, "a", 0, ALL);
    let (_, seen) = script.read_at(4, 0, 3);
    script.write(4, b"new");
    script.rename("d/e", "moved");
    script.unlink("d/g");
    script.rmdir("d");
    script.mkdir("n");
    script.link("moved/f", 3, "n/f");
    let mut ran = script.run(with_storage(&backend, 9));
    assert_eq!(ran.answers, [SUCCESS; 8]);
    assert_eq!(ran.bytes(seen, 3), b"old");
    let expected = [
        "rm /storage/d/g",
        "rm /storage/d/e/f",
        "rmdir /storage/d/e",
        "rmdir /storage/d",
        "replace /storage/a new",
        "mkdir /storage/moved",
        "create /storage/moved/f deep",
        "mkdir /storage/n",
        "create /storage/n/f deep",
    ];
    assert_eq!(lines(&ran.run), expected);
    assert_eq!(kept(&backend), some(), "nothing changes before the commit");
    ran.run.changes.apply().unwrap();
    let now =
        entries(&[("a", "new"), ("moved/", ""), ("moved/f", "deep"), ("n/", ""), ("n/f", "deep")]);
    assert_eq!(kept(&backend), now);
    let mut script = Script::new();
    let root = script.list(3);
    let ran = script.run(with_storage(&backend, 9));
    let found: Vec<_> = names(&ran, root).into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, [".", "..", "a", "moved", "n"]);
}

#[test]
fn storage_that_is_equal_at_the_end_is_not_a_change() {
    let backend = Memory::with(&some());
    let mut script = Script::new();
    script.open(3, "a", TRUNCATE, ALL);
    script.write(4, b"old");
    script.unlink("d/g");
    script.open(3, "d/g", CREATE, ALL);
    script.rename("d", "e");
    script.rename("e", "d");
    script.open(3, "removed", CREATE, ALL);
    script.write(6, b"unlinked");
    script.unlink("removed");
    let ran = script.run(with_storage(&backend, 9));
    assert_eq!(ran.answers, [SUCCESS; 9]);
    assert!(ran.run.changes.is_empty());
}

#[test]
fn times_and_inode_numbers_follow_from_the_paths_alone() {
    let mut script = Script::new();
    let (_, file) = script.stat(3, 0, "d/e/f");
    let (_, directory) = script.stat(3, 0, "d");
    let ran = script.run(with_storage(&Memory::with(&some()), 9));
    for (at, inode) in [(file, 5), (directory, 3)] {
        assert_eq!((ran.number(at), ran.number(at + 8)), (1, inode));
        assert_eq!([40, 48, 56].map(|field| ran.number(at + field)), [EPOCH_NS; 3]);
    }
}

#[test]
fn each_way_to_grow_ends_exactly_at_the_quota() {
    const QUOTA: i64 = 2048;
    type Grow = fn(&mut Script, i64) -> usize;
    // Ways to grow, and the most bytes of the file that are there before and let it happen.
    let ways: [(&str, i64, Grow); 12] = [
        ("write at the end", QUOTA - ENTRY - 3, |s, _| {
            s.call("fd_seek", &[4, 0, 2, 0]);
            s.write(4, b"abc")
        }),
        ("write behind the end", QUOTA - ENTRY - 13, |s, _| {
            s.call("fd_seek", &[4, 10, 2, 0]);
            s.write(4, b"abc")
        }),
        ("append", QUOTA - ENTRY - 3, |s, _| {
            s.call("fd_fdstat_set_flags", &[4, APPEND]);
            s.write(4, b"abc")
        }),
        ("set a size", QUOTA - ENTRY - 1, |s, n| s.call("fd_filestat_set_size", &[4, n + 1])),
        ("allocate", QUOTA - ENTRY - 1, |s, n| s.call("fd_allocate", &[4, n, 1])),
        ("make a file", QUOTA - 2 * ENTRY, |s, _| s.open(3, "b", CREATE, ALL)),
        ("make a directory", QUOTA - 2 * ENTRY, |s, _| s.mkdir("b")),
        ("make a symbolic link", QUOTA - 2 * ENTRY - 1, |s, _| s.symlink("a", "b")),
        ("give a second name", QUOTA / 2 - ENTRY, |s, _| s.link("a", 3, "b")),
        ("write to a file of two names", QUOTA / 2 - ENTRY - 1, |s, n| {
            s.link("a", 3, "b");
            s.call("fd_allocate", &[4, n, 1])
        }),
        ("write to a file without a name", QUOTA - 600, |s, n| {
            s.unlink("a");
            s.call("fd_allocate", &[4, n, 600])
        }),
        ("make a file beside one without a name", QUOTA - ENTRY, |s, _| {
            s.unlink("a");
            s.open(3, "b", CREATE, ALL)
        }),
    ];
    for (what, most, grow) in ways {
        let answer = |bytes: i64| {
            let backend = Memory::with(&entries(&[("a", &"x".repeat(bytes as usize))]));
            let mut script = Script::new();
            script.open(3, "a", 0, ALL);
            let last = grow(&mut script, bytes);
            script.run(with_storage(&backend, 2)).answers[last]
        };
        assert_eq!([answer(most), answer(most + 1)], [SUCCESS, NOSPC], "{what}");
    }
}

#[test]
fn what_would_pass_the_quota_has_no_effect_and_what_was_given_up_is_free_again() {
    let backend = Memory::with(&Entries::new());
    let mut script = Script::new();
    let full = 1024 - ENTRY;
    script.open(3, "a", CREATE, ALL);
    script.call("fd_allocate", &[4, 0, full]);
    let refused = [
        script.call("fd_allocate", &[4, 0, full + 1]),
        script.call("fd_filestat_set_size", &[4, full + 1]),
        script.mkdir("b"),
        script.link("a", 3, "b"),
        script.symlink("a", "b"),
        script.open(3, "b", CREATE, ALL),
    ];
    // Moved and replaced, nothing grows.
    let fine = [
        script.rename("a", &"n".repeat(255)),
        script.unlink(&"n".repeat(255)),
        script.close(4),
        script.mkdir("b"),
        script.rename("b", "c"),
        script.open(3, "c/d", CREATE, ALL),
    ];
    let last = script.mkdir("e");
    let mut ran = script.run(with_storage(&backend, 1));
    assert_eq!(refused.map(|answer| ran.answers[answer]), [NOSPC; 6]);
    assert_eq!(fine.map(|answer| ran.answers[answer]), [SUCCESS; 6]);
    assert_eq!(ran.answers[last], NOSPC);
    ran.run.changes.apply().unwrap();
    assert_eq!(kept(&backend), entries(&[("c/", ""), ("c/d", "")]));
}

#[test]
fn what_keeps_more_than_it_is_granted_now_can_be_read_and_given_up_and_does_not_grow() {
    let large = "x".repeat(3000);
    let backend = Memory::with(&entries(&[("a", &large), ("b", "")]));
    let mut script = Script::new();
    script.open(3, "a", 0, ALL);
    script.read_at(4, 0, 3000);
    script.write(4, b"same length");
    let grow = [script.mkdir("c"), script.call("fd_allocate", &[4, 0, 3001])];
    let fine = [
        script.call("fd_filestat_set_size", &[4, 2999]),
        script.rename("b", "c"),
        script.unlink("c"),
    ];
    let mut ran = script.run(with_storage(&backend, 1));
    assert_eq!(grow.map(|answer| ran.answers[answer]), [NOSPC; 2]);
    assert_eq!(fine.map(|answer| ran.answers[answer]), [SUCCESS; 3]);
    ran.run.changes.apply().unwrap();
    assert_eq!(kept(&backend).into_keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn the_number_of_names_is_limited_and_none_of_them_counts_where_directories_are_mapped() {
    let names = (0..STAGED_NAMES_COUNT_MAX).map(|number| (number.to_string(), None));
    let backend = Memory::with(&names.collect());
    let temp = TempDir::new("sandbox");
    let mut script = Script::new();
    let mapped = script.at("path_create_directory", 3, "made");
    let refused = script.at("path_create_directory", 4, "made");
    script.at("path_remove_directory", 4, "17");
    let made = script.at("path_create_directory", 4, "made");
    let across = script.rename_to(4, "made", 3, "moved");
    let roots = vec![temp.root("/data", true)];
    let ran = script.run(GuestInputs { roots, ..with_storage(&backend, 16 << 10) });
    assert_eq!([mapped, made].map(|answer| ran.answers[answer]), [SUCCESS; 2]);
    assert_eq!([ran.answers[refused], ran.answers[across]], [NOSPC, XDEV]);
    assert_eq!(lines(&ran.run), ["mkdir /data/made", "rmdir /storage/17", "mkdir /storage/made"]);
}

#[test]
fn a_symbolic_link_left_there_fails_the_call() {
    let backend = Memory::with(&some());
    let mut script = Script::new();
    script.symlink("a", "d/link");
    let ran = script.run(with_storage(&backend, 9));
    let error = ran.run.changes.check().unwrap_err();
    assert_eq!(error.code(), Code::ToolLeftLink);
    assert!(error.detail().contains("/storage/d/link"), "{error}");
}
