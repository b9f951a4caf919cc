//! How far a guest gets with files: quotas, depth, space, and what a refused call leaves alone.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use super::host::with_root;
use super::hostile::{errno, tree};
use super::probe::*;
use super::script::*;
use super::*;
use crate::kernel::limits::{FILE_DEPTH_MAX, PATH_COMPONENT_FUEL, STAGED_BYTES_MAX};
use std::fs;
use std::os::unix::fs::symlink;

#[test]
fn the_quotas_are_sixty_four_mebibytes_ten_thousand_names_and_as_many_removed() {
    let temp = TempDir::new("sandbox");
    for number in 0..10_001 {
        fs::File::create(temp.0.join(number.to_string())).unwrap();
    }
    let (mut guest, root) = tree(&temp);
    let GuestState { tree, meter, .. } = &mut guest;
    let full = Some(errno::Errno::NOSPC);
    for number in 0..=10_000 {
        let place = tree.resolve(root, &number.to_string(), false, meter).unwrap();
        let refused = (number == 10_000).then_some(errno::Errno::NOSPC);
        assert_eq!(errno(tree.remove_file(&place, meter)), refused, "{number}");
    }
    for number in 0..=10_000 {
        let place = tree.resolve(root, &format!("new-{number}"), false, meter).unwrap();
        let refused = (number == 10_000).then_some(errno::Errno::NOSPC);
        assert_eq!(tree.create_file(&place).err(), refused, "{number}");
    }
    let place = tree.resolve(root, "new-0", false, meter).unwrap();
    let file = place.node.unwrap();
    assert_eq!(errno(tree.truncate(file, (64 << 20) + 1, meter)), full);
    assert_eq!(errno(tree.truncate(file, 64 << 20, meter)), None);
}

#[test]
fn thirty_two_links_are_followed_and_no_more() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.symlink("file", "l1");
    for link in 2..=33 {
        script.symlink(&format!("l{}", link - 1), &format!("l{link}"));
    }
    let most = script.open_with(3, 1, "l32", 0, READ, 0);
    let more = script.open_with(3, 1, "l33", 0, READ, 0);
    let ran = script.run(with_root(&temp, true));
    assert_eq!((ran.answers[most], ran.answers[more]), (SUCCESS, LOOP));
}

#[test]
fn a_directory_cannot_be_moved_into_itself() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.mkdir("own");
    script.mkdir("own/inner");
    let made = script.symlink("own/inner", "link");
    for (from, to) in [
        ("own", "own/x"),
        ("own", "own/inner/x"),
        ("own", "own/inner"),
        ("own", "link/x"),
        ("dir", "dir/x"),
        ("dir", "dir/sub/x"),
        ("dir", "dir/sub"),
    ] {
        script.rename(from, to);
    }
    let after = [script.stat(3, 0, "own/inner").0, script.stat(3, 0, "dir/sub/deep").0];
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers[made + 1..after[0]], [INVAL; 7]);
    assert_eq!(after.map(|answer| ran.answers[answer]), [SUCCESS; 2]);
}

#[test]
fn a_hidden_entry_among_others_that_went_keeps_a_directory_where_it_is() {
    for hidden in ["link", ".mpp-commit"] {
        let temp = TempDir::filled();
        fs::create_dir(temp.0.join("dir/held")).unwrap();
        match hidden {
            "link" => symlink("x", temp.0.join("dir/held/link")).unwrap(),
            _ => fs::create_dir(temp.0.join("dir/held/.mpp-commit")).unwrap(),
        }
        fs::write(temp.0.join("dir/held/seen"), "").unwrap();
        let mut script = Script::new();
        script.rename("dir", "other");
        script.unlink("dir/held/seen");
        let removed = script.rmdir("dir/held");
        script.rename("dir/held", "other");
        script.rename("empty", "dir/held");
        script.rename("dir", "other");
        let ran = script.run(with_root(&temp, true));
        assert_eq!(ran.answers[..removed], [ACCES, SUCCESS]);
        assert_eq!(ran.answers[removed..], [NOTEMPTY, ACCES, NOTEMPTY, ACCES]);
    }
}

#[test]
fn a_file_of_the_guest_s_own_gets_no_second_name_in_another_mount() {
    let (one, other) = (TempDir::filled(), TempDir::filled());
    let roots = vec![one.root("/one", true), other.root("/other", true)];
    let mut script = Script::new();
    script.open(3, "own", CREATE, ALL);
    script.symlink("file", "link");
    for name in ["own", "link", "file"] {
        script.link(name, 4, "new");
        script.rename_to(3, name, 4, "new");
    }
    let ran = script.run(GuestInputs { roots, ..inputs(b"") });
    assert_eq!(ran.answers, [[SUCCESS; 2].as_slice(), &[XDEV; 6]].concat());
}

#[test]
fn links_that_multiply_the_names_of_a_path_are_refused_and_every_name_is_paid_for() {
    let temp = TempDir::filled();
    let long = format!("two/{}a", "a/".repeat(1000));
    let mut script = Script::new();
    script.symlink(&long, "one");
    script.symlink(&long.replace("two", "dir"), "two");
    let fits = script.open_with(3, 1, "one", 0, READ, 0);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers[fits], NOENT);
    assert!(ran.run.fuel_used > 2000 * PATH_COMPONENT_FUEL, "{}", ran.run.fuel_used);

    let mut script = Script::new();
    let longer = format!("two/{}a", "a/".repeat(1500));
    script.symlink(&longer, "one");
    script.symlink(&longer, "two");
    let refused = script.open_with(3, 1, "one", 0, READ, 0);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers[refused], NAMETOOLONG);
}

#[test]
fn nothing_can_be_moved_or_linked_deeper_than_it_could_be_made() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    let mut deepest = "d".to_owned();
    script.mkdir(&deepest);
    for _ in 1..FILE_DEPTH_MAX {
        deepest += "/d";
        script.mkdir(&deepest);
    }
    script.symlink("x", "s");
    let made = script.open(3, "own", CREATE, ALL);
    for name in ["file", "own", "s", "empty"] {
        script.rename(name, &format!("{deepest}/x"));
        script.link(name, 3, &format!("{deepest}/x"));
        script.rename(name, &format!("{}x", deepest.trim_end_matches('d')));
        script.rename(&format!("{}x", deepest.trim_end_matches('d')), name);
    }
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers[..=made], [SUCCESS; FILE_DEPTH_MAX + 2]);
    for (number, answers) in ran.answers[made + 1..].chunks(4).enumerate() {
        let linked = if number == 3 { PERM } else { NAMETOOLONG };
        assert_eq!(answers, [NAMETOOLONG, linked, SUCCESS, SUCCESS], "{number}");
    }
}

#[test]
fn a_call_with_a_bad_pointer_or_descriptor_meets_no_name() {
    let temp = TempDir::filled();
    let bad = SIZE - 10;
    let mut script = Script::new();
    let [file, new] = ["file", "new"].map(|name| script.place(name.as_bytes()));
    let refused = [
        ("path_filestat_get", &[3, 0, file, 4, bad][..], FAULT),
        ("path_filestat_set_times", &[3, 0, file, 4, 0, 0, 3], INVAL),
        ("path_rename", &[3, file, 4, 3, bad, 100], FAULT),
        ("path_rename", &[3, file, 4, 99, new, 3], BADF),
        ("path_link", &[3, 0, file, 4, 3, bad, 100], FAULT),
        ("path_link", &[3, 0, file, 4, 99, new, 3], BADF),
        ("path_open", &[3, 0, file, 4, 0, 2, 0, 0, bad + 8], FAULT),
        ("path_readlink", &[3, file, 4, bad, 100, 0], FAULT),
        ("path_readlink", &[3, file, 4, 0, 8, bad + 8], FAULT),
        ("path_symlink", &[bad, 100, 3, file, 4], FAULT),
        ("fd_readdir", &[3, bad, 100, 0, 0], FAULT),
        ("fd_readdir", &[3, 0, 8, 0, bad + 8], FAULT),
    ];
    for (name, arguments, _) in refused {
        script.call(name, arguments);
    }
    let (_, met) = script.stat(3, 0, "dir");
    let ran = script.run(with_root(&temp, true));
    for (answer, (name, arguments, errno)) in ran.answers.iter().zip(refused) {
        assert_eq!(*answer, errno, "{name} {arguments:?}");
    }
    assert_eq!(ran.number(met + 8), 2, "the first name that was met");
}

#[test]
fn a_call_that_exceeds_the_quota_copies_nothing_up() {
    let temp = TempDir::filled();
    fs::write(temp.0.join("big"), vec![7; STAGED_BYTES_MAX / 2 + 1]).unwrap();
    let mut script = Script::new();
    let link = script.link("big", 3, "two");
    script.open(3, "big", 0, ALL);
    let size = i64::try_from(STAGED_BYTES_MAX / 2 + 1).unwrap();
    let beyond = script.call("fd_allocate", &[4, 1 << 40, 1]);
    script.call("fd_allocate", &[4, 0, 1]);
    script.call("fd_allocate", &[4, size - 1, 1]);
    let ran = script.run(with_root(&temp, true));
    assert_eq!((ran.answers[link], ran.answers[beyond]), (NOSPC, NOSPC));
    assert_eq!(ran.answers[beyond + 1..], [SUCCESS; 2]);
    assert!(ran.run.changes.is_empty(), "{:?}", ran.run.changes.counts());
}

#[test]
fn a_listing_shows_what_was_there_when_it_began() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.symlink("x", "link");
    let first = script.list(3);
    for removed in ["file", "link"] {
        script.unlink(removed);
    }
    script.rmdir("empty");
    let (used, at) = (script.reserve(4), script.reserve(2000));
    let answer = script.call("fd_readdir", &[3, at, 2000, 1, used]);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(names(&ran, first)[1..], names(&ran, (answer, used, at)));
    let expected = [("..", 3), ("dir", 3), ("empty", 3), ("file", 4), ("link", 7)];
    let expected = expected.map(|(name, kind)| (name.to_owned(), kind));
    assert_eq!(names(&ran, (answer, used, at)), expected);
}

#[test]
fn a_listing_costs_the_same_while_another_call_commits_its_changes() {
    let temp = TempDir::filled();
    let fuel = || {
        let mut script = Script::new();
        script.list(3);
        script.run(with_root(&temp, false)).run.fuel_used
    };
    let before = fuel();
    fs::create_dir(temp.0.join(".mpp-commit")).unwrap();
    assert_eq!(fuel(), before);
}
