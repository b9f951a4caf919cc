//! Attacks of a guest on a mapped directory: leaving it, reading entries that are hidden from guests,
//! confusing descriptors, and using up the host's memory and time.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use super::host::{lines, snapshot, with_root};
use super::probe::*;
use super::script::*;
use super::*;
use crate::kernel::limits::{
    FILE_DEPTH_MAX, LINK_STEPS_MAX, STAGED_BYTES_MAX, STAGED_NAMES_COUNT_MAX,
};
use crate::kernel::sandbox::overlay::{InodeId, OverlayFs};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

/// A directory next to which a secret lies, with links to it and with other entries that are not files.
fn trapped() -> (TempDir, TempDir) {
    let (outside, temp) = (TempDir::new("sandbox"), TempDir::filled());
    fs::write(outside.0.join("secret"), "secret").unwrap();
    let at = |name: &str| temp.0.join(name);
    symlink(outside.0.join("secret"), at("to-file")).unwrap();
    symlink(&outside.0, at("to-directory")).unwrap();
    symlink(outside.0.join("new"), at("dangling")).unwrap();
    symlink("file", at("inside")).unwrap();
    symlink("to-itself", at("to-itself")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
    let socket = UnixListener::bind(at("socket")).unwrap();
    drop(socket);
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd\xff");
    fs::write(temp.0.join(odd), "").unwrap();
    (outside, temp)
}

const UNSEEN: [&str; 7] =
    ["to-file", "to-directory", "dangling", "inside", "to-itself", "pipe", "socket"];

#[test]
fn links_pipes_and_sockets_of_the_host_can_neither_be_reached_nor_made_away_with() {
    let (outside, temp) = trapped();
    let before =
        (fs::read(outside.0.join("secret")).unwrap(), fs::read_dir(&temp.0).unwrap().count());
    for name in UNSEEN {
        let mut script = Script::new();
        for lookup in [0, 1] {
            for flags in [0, CREATE, CREATE | EXCLUSIVE, CREATE | TRUNCATE, TRUNCATE, DIRECTORY] {
                for rights in [READ, ALL] {
                    script.open_with(3, lookup, name, flags, rights, 0);
                }
            }
            script.stat(3, lookup, name);
        }
        script.open(3, &format!("{name}/secret"), 0, READ);
        script.open(3, &format!("{name}/new"), CREATE, ALL);
        script.open(3, &format!("{name}/"), 0, READ);
        script.open(3, &format!("{name}/../file"), 0, READ);
        script.open(3, &format!("dir/../{name}"), 0, READ);
        script.mkdir(name);
        script.rmdir(name);
        script.unlink(name);
        script.rename(name, "other");
        script.rename("file", name);
        script.rename("empty", name);
        script.link(name, 3, "other");
        script.link("file", 3, name);
        script.symlink("file", name);
        let ran = script.run(with_root(&temp, true));
        assert!(ran.answers.iter().all(|answer| *answer == ACCES), "{name} {:?}", ran.answers);
        assert!(ran.run.changes.is_empty());
    }
    let after =
        (fs::read(outside.0.join("secret")).unwrap(), fs::read_dir(&temp.0).unwrap().count());
    assert_eq!(after, before);
    assert_eq!(fs::read_dir(&outside.0).unwrap().count(), 1);
}

#[test]
fn hidden_entries_are_not_listed_and_their_directory_is_neither_removed_nor_moved() {
    let (_outside, temp) = trapped();
    fs::remove_file(temp.0.join("dir/inner")).unwrap();
    fs::remove_dir_all(temp.0.join("dir/sub")).unwrap();
    symlink("x", temp.0.join("dir/link")).unwrap();
    let mut script = Script::new();
    let listing = script.list(3);
    script.rmdir("dir");
    script.rename("dir", "other");
    script.rename("empty", "dir");
    let ran = script.run(with_root(&temp, true));
    let expected = [(".", 3), ("..", 3), ("dir", 3), ("empty", 3), ("file", 4)];
    assert_eq!(names(&ran, listing), expected.map(|(name, kind)| (name.to_owned(), kind)));
    assert_eq!(ran.answers[1..], [NOTEMPTY, ACCES, NOTEMPTY]);
    assert!(ran.run.changes.is_empty());
}

#[test]
fn no_path_and_no_link_of_the_guest_leads_out_of_the_directory_it_starts_from() {
    let temp = TempDir::filled();
    let long = "n".repeat(256);
    let mut script = Script::new();
    let dir = script.open(3, "dir", DIRECTORY, 0);
    let mut expected = Vec::new();
    for (fd, path, errno) in [
        (3, "..", PERM),
        (3, "../file", PERM),
        (3, "dir/../../file", PERM),
        (3, "/file", PERM),
        (3, "/", PERM),
        (3, "file\0", INVAL),
        (3, "", NOENT),
        (3, "file/", NOTDIR),
        (3, "file/..", NOTDIR),
        (3, "missing/../file", NOENT),
        (3, long.as_str(), NAMETOOLONG),
        (4, "../file", PERM),
        (4, "sub/../../file", PERM),
        (4, "sub/../../dir/inner", PERM),
    ] {
        for flags in [0, CREATE] {
            expected.push((script.open(fd, path, flags, READ), errno, path));
        }
        let taken = if path == "file/" { EXIST } else { errno };
        expected.push((script.at("path_create_directory", fd, path), taken, path));
        expected.push((script.at("path_unlink_file", fd, path), errno, path));
    }
    for (target, errno) in [("/etc/passwd", PERM), ("/", PERM), ("", NOENT), ("a\0", INVAL)] {
        expected.push((script.symlink(target, "made"), errno, target));
    }
    let good: Vec<usize> = [
        ("../file", "dir/up"),
        ("../../file", "dir/out"),
        ("sub/..", "dir/here"),
        ("dir/sub", "down"),
        ("loop", "loop"),
        ("nowhere", "dangling"),
    ]
    .map(|(target, path)| script.symlink(target, path))
    .into();
    for (fd, path, flags, errno) in [
        (3, "dir/up", 0, SUCCESS),
        (4, "up", 0, PERM),
        (3, "dir/out", 0, PERM),
        (3, "dir/here/here/inner", 0, SUCCESS),
        (3, "down/deep", 0, SUCCESS),
        (3, "down/../inner", 0, SUCCESS),
        (3, "down/../../../file", 0, PERM),
        (3, "loop", 0, LOOP),
        (3, "loop/x", 0, LOOP),
        (3, "dangling", 0, NOENT),
        (3, "dangling", CREATE | EXCLUSIVE, EXIST),
        (3, "dangling", CREATE, SUCCESS),
        (3, "nowhere", 0, SUCCESS),
    ] {
        expected.push((script.open_with(fd, 1, path, flags, READ, 0), errno, path));
    }
    let ran = script.run(with_root(&temp, true));
    for (answer, errno, path) in expected {
        assert_eq!(ran.answers[answer], errno, "{path:?}");
    }
    assert!(good.iter().chain([&dir]).all(|answer| ran.answers[*answer] == SUCCESS));
    assert_eq!(ran.run.changes.check().unwrap_err().code(), Code::ToolLeftLink);
}

#[test]
fn a_chain_of_links_is_followed_up_to_the_limit() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.symlink("file", "l0");
    for link in 1..=LINK_STEPS_MAX {
        script.symlink(&format!("l{}", link - 1), &format!("l{link}"));
    }
    let most = script.open_with(3, 1, &format!("l{}", LINK_STEPS_MAX - 1), 0, READ, 0);
    let more = script.open_with(3, 1, &format!("l{LINK_STEPS_MAX}"), 0, READ, 0);
    let ran = script.run(with_root(&temp, true));
    assert_eq!((ran.answers[most], ran.answers[more]), (SUCCESS, LOOP));
}

#[test]
fn the_name_of_the_directory_of_a_commit_can_be_made_nowhere() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.mkdir("own");
    let made = script.symlink("own", "link");
    for directory in ["", "dir/", "own/", "link/"] {
        let path = format!("{directory}.mpp-commit");
        script.mkdir(&path);
        script.open(3, &path, CREATE, ALL);
        script.open(3, &format!("{path}/x"), CREATE, ALL);
        script.symlink("x", &path);
        script.rename("file", &path);
        script.rename("own", &path);
        script.link("file", 3, &path);
        script.stat(3, 0, &path);
    }
    let ran = script.run(with_root(&temp, true));
    assert!(ran.answers[made + 1..].iter().all(|answer| *answer == ACCES), "{:?}", ran.answers);
}

#[test]
fn every_change_of_what_was_granted_to_be_read_answers_erofs() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.open(3, "file", 0, ALL);
    script.open(3, "file", TRUNCATE, READ);
    script.open(3, "new", CREATE, READ);
    script.mkdir("new");
    script.rmdir("empty");
    script.unlink("file");
    script.rename("file", "new");
    script.rename("empty", "dir/empty");
    script.link("file", 3, "new");
    script.symlink("file", "new");
    let refused = script.open(3, "file", 0, READ);
    for (name, arguments) in [
        ("fd_filestat_set_size", &[4, 0][..]),
        ("fd_allocate", &[4, 0, 100]),
        ("fd_pwrite", &[4, 0, 0, 0, 8]),
        ("fd_write", &[4, 0, 0, 8]),
        ("fd_filestat_set_times", &[4, 5, 5, 5]),
    ] {
        script.call(name, arguments);
    }
    let ran = script.run(with_root(&temp, false));
    assert_eq!(ran.answers[..refused], [ROFS; 10]);
    assert_eq!(ran.answers[refused..], [SUCCESS, BADF, BADF, BADF, BADF, ROFS]);
    assert!(ran.run.changes.is_empty());
}

#[test]
fn nothing_passes_from_one_mount_to_another() {
    let (one, other) = (TempDir::filled(), TempDir::filled());
    let roots = vec![one.root("/one", true), other.root("/other", true), one.root("/again", false)];
    let inputs = GuestInputs { roots, assets: assets(), ..inputs(b"") };
    let mut script = Script::new();
    // 3 is the assets, 4 and 5 can be written, 6 is the first one again, to be read.
    script.rename_to(4, "file", 5, "new");
    script.rename_to(4, "dir", 5, "new");
    script.rename_to(4, "file", 5, "file");
    script.rename_to(3, "b.txt", 4, "new");
    script.rename_to(4, "file", 3, "new");
    script.rename_to(4, "file", 6, "new");
    script.link("b.txt", 4, "new");
    script.open(4, "../other/file", 0, READ);
    let ran = script.run(inputs);
    assert_eq!(ran.answers, [XDEV, XDEV, XDEV, XDEV, XDEV, XDEV, XDEV, PERM]);
    assert!(ran.run.changes.is_empty());
}

#[test]
fn writing_through_one_name_of_the_host_leaves_its_other_names_alone() {
    let temp = TempDir::filled();
    fs::hard_link(temp.0.join("file"), temp.0.join("other")).unwrap();
    let mut script = Script::new();
    script.open(3, "file", 0, ALL);
    script.write(4, b"new");
    let (_, seen) = {
        script.open(3, "other", 0, READ);
        script.read_at(5, 0, 10)
    };
    let mut ran = script.run(with_root(&temp, true));
    assert_eq!(ran.bytes(seen, 10), b"0123456789");
    ran.run.changes.apply().unwrap();
    assert_eq!(fs::read(temp.0.join("file")).unwrap(), b"new3456789");
    assert_eq!(fs::read(temp.0.join("other")).unwrap(), b"0123456789");
}

/// A tree with one writable mount, and fuel for it.
pub(super) fn tree(temp: &TempDir) -> (GuestState<'static>, InodeId) {
    let guest = with_root(temp, true).into_guest(&LIMITS, &Deadline::unlimited());
    let root = guest.descriptors.get(3).unwrap().directory().unwrap();
    (guest, root)
}

pub(super) fn errno<T>(result: Result<T, errno::HostCallError>) -> Option<errno::Errno> {
    match result {
        Ok(_) => None,
        Err(errno::HostCallError::Errno(errno)) => Some(errno),
        Err(halt) => panic!("{halt:?}"),
    }
}

#[test]
fn what_is_swapped_for_a_link_while_the_guest_runs_is_not_followed() {
    let (outside, temp) = (TempDir::new("sandbox"), TempDir::filled());
    fs::write(outside.0.join("inner"), "secret").unwrap();
    fs::write(outside.0.join("other"), "secret").unwrap();
    let (mut guest, root) = tree(&temp);
    let GuestState { tree, meter, .. } = &mut guest;
    let mut find = |path: &str, tree: &mut OverlayFs| tree.resolve(root, path, true, meter);
    let dir = find("dir", tree).unwrap().node.unwrap();
    let inner = find("dir/inner", tree).unwrap().node.unwrap();
    let file = find("file", tree).unwrap().node.unwrap();
    fs::rename(temp.0.join("dir"), temp.0.join("away")).unwrap();
    symlink(&outside.0, temp.0.join("dir")).unwrap();
    fs::remove_file(temp.0.join("file")).unwrap();
    symlink(outside.0.join("other"), temp.0.join("file")).unwrap();
    // A directory that was met stays the one that it was, wherever it lies by now.
    assert!(find("dir/other", tree).unwrap().node.is_none());
    assert_eq!(tree.load_entries(dir, meter), Ok(false));
    let mut content = [0; 9];
    let opened = tree.open_file(inner, meter).unwrap().unwrap();
    assert_eq!(opened.read_at(0, &mut content), Ok(5));
    assert_eq!(&content[..5], b"inner");
    // What the link has taken the place of is known by name still, and not read by way of the link.
    let refused = Some(errno::Errno::ACCES);
    tree.begin_call(tree.now);
    assert_eq!(errno(tree.open_file(file, meter)), refused);
    assert_eq!(errno(tree.writable(file, 0, 1, meter)), refused);
    assert_eq!(errno(tree.status(file, meter)), refused);
    fs::remove_file(temp.0.join("file")).unwrap();
    fs::create_dir(temp.0.join("file")).unwrap();
    assert_eq!(errno(tree.open_file(file, meter)), Some(errno::Errno::IO));
}

#[test]
fn huge_offsets_and_lengths_are_refused_before_anything_is_read_or_allocated() {
    let temp = TempDir::filled();
    let limit = i64::try_from(STAGED_BYTES_MAX).unwrap();
    let mut script = Script::new();
    script.open(3, "file", 0, ALL);
    let list = script.place(&iovec(0, 8));
    for beyond in [limit + 1, 1 << 40, i64::MAX, -1] {
        script.call("fd_filestat_set_size", &[4, beyond]);
        script.call("fd_allocate", &[4, beyond, 1]);
        script.call("fd_allocate", &[4, 0, beyond]);
        script.call("fd_pwrite", &[4, list, 1, beyond, 0]);
    }
    let refused = script.call("fd_pwrite", &[4, list, 1, limit - 7, 0]);
    let sized = script.call("fd_filestat_get", &[4, 32]);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.answers[0], SUCCESS);
    assert_eq!(ran.answers[1..=refused], [NOSPC; 17]);
    assert_eq!((ran.answers[sized], ran.number(32 + 32)), (SUCCESS, 10));
    assert!(ran.run.changes.is_empty(), "nothing was taken into memory");
}

#[test]
fn bytes_are_counted_once_for_each_name_and_given_back_with_the_last() {
    let temp = TempDir::new("sandbox");
    let half = i64::try_from(STAGED_BYTES_MAX / 2).unwrap();
    let mut script = Script::new();
    let grow =
        |script: &mut Script, fd: i64, to: i64| script.call("fd_filestat_set_size", &[fd, to]);
    script.open(3, "one", CREATE, ALL);
    grow(&mut script, 4, half);
    script.link("one", 3, "two");
    let full = [grow(&mut script, 4, half + 1), script.link("one", 3, "three")];
    script.unlink("two");
    script.unlink("one");
    let kept = grow(&mut script, 4, 2 * half + 1);
    grow(&mut script, 4, 2 * half);
    script.close(4);
    script.open(3, "new", CREATE, ALL);
    grow(&mut script, 4, 2 * half);
    grow(&mut script, 4, 3);
    let ran = script.run(with_root(&temp, true));
    for (index, answer) in ran.answers.iter().enumerate() {
        let refused = full.contains(&index) || index == kept;
        assert_eq!(*answer, if refused { NOSPC } else { SUCCESS }, "{index}");
    }
    assert_eq!(lines(&ran.run), ["create /data/new \0\0\0"]);
}

/// A guest that makes directories named by a counter of six digits, as many as it can, below the
/// directory that was made last or side by side; writes how many there are as its exit status.
fn maker(nested: bool) -> Module {
    let next = if nested { "(local.set $fd (i32.load (i32.const 40)))" } else { "" };
    let text = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "path_create_directory" (func $make (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $n i32) (local $fd i32) (local $i i32) (local $rest i32)
            (local.set $fd (i32.const 3))
            (loop $again
                (local.set $rest (local.get $n)) (local.set $i (i32.const 6))
                (loop $digit
                    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
                    (i32.store8 (local.get $i) (i32.add (i32.const 48) (i32.rem_u (local.get $rest) (i32.const 10))))
                    (local.set $rest (i32.div_u (local.get $rest) (i32.const 10)))
                    (br_if $digit (local.get $i)))
                (if (call $make (local.get $fd) (i32.const 0) (i32.const 6))
                    (then (call $exit (local.get $n))))
                (if (call $open (local.get $fd) (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 2)
                        (i64.const -65) (i64.const -1) (i32.const 0) (i32.const 40))
                    (then))
                {next}
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br $again))))"#
    );
    Module::validate(&wat::parse_str(text).unwrap(), &manifest(16)).unwrap()
}

#[test]
fn names_and_depth_are_bounded() {
    let temp = TempDir::new("sandbox");
    for (nested, most) in [(false, STAGED_NAMES_COUNT_MAX), (true, FILE_DEPTH_MAX)] {
        let guest = maker(nested);
        let run = run_module(&guest, with_root(&temp, true), &LIMITS, &CancelFlag::default());
        let error = run.outcome.unwrap_err();
        assert_eq!(error.detail(), format!("exit status {most}"));
        let found = std::fs::read_dir(&temp.0).unwrap().count();
        assert_eq!(found, 0, "nothing is changed before the protocol has spoken");
    }
}

/// A guest that lists descriptor 3 to its end with a buffer of 4,096 bytes, and ends with the number of
/// entries (counted by their cookies) if the last one was whole, or else with the errno.
const LISTER: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (local $cookie i64) (local $at i32) (local $end i32) (local $e i32)
        (loop $again
            (local.set $e (call $list (i32.const 3) (i32.const 1024) (i32.const 4096) (local.get $cookie) (i32.const 0)))
            (if (local.get $e) (then (call $exit (local.get $e))))
            (local.set $at (i32.const 1024))
            (local.set $end (i32.add (local.get $at) (i32.load (i32.const 0))))
            (block $done (loop $entry
                (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 24)) (local.get $end)))
                (br_if $done (i32.gt_u
                    (i32.add (i32.add (local.get $at) (i32.const 24)) (i32.load offset=16 (local.get $at)))
                    (local.get $end)))
                (local.set $cookie (i64.load (local.get $at)))
                (local.set $at (i32.add (i32.add (local.get $at) (i32.const 24)) (i32.load offset=16 (local.get $at))))
                (br $entry)))
            (br_if $again (i32.eq (i32.load (i32.const 0)) (i32.const 4096))))
        (call $exit (i32.wrap_i64 (local.get $cookie)))))"#;

#[test]
fn a_directory_of_a_hundred_thousand_files_is_listed_whole_within_ordinary_limits() {
    let temp = TempDir::new("sandbox");
    for file in 0..100_000 {
        fs::File::create(temp.0.join(format!("file-{file}"))).unwrap();
    }
    let module = Module::validate(&wat::parse_str(LISTER).unwrap(), &manifest(16)).unwrap();
    let limits = RunLimits { fuel_max: 100_000_000, ..LIMITS };
    let run = run_module(&module, with_root(&temp, false), &limits, &CancelFlag::default());
    assert_eq!(run.outcome.unwrap_err().detail(), "exit status 100002");
    // An expired call stops in the middle of the listing.
    let limits = RunLimits { timeout: Duration::from_millis(5), ..limits };
    let run = run_module(&module, with_root(&temp, false), &limits, &CancelFlag::default());
    assert_eq!(run.outcome.unwrap_err().code(), Code::ToolTimeout);
    assert!(run.duration < Duration::from_millis(200), "{:?}", run.duration);
}

#[test]
fn a_listing_is_paid_for_name_by_name_and_ends_with_the_fuel() {
    let temp = TempDir::filled();
    // Met one by one up to the limit, which is too large for a test: so the test uses up the guest's fuel instead.
    let listed = |fuel: u64| {
        let (mut guest, root) = tree(&temp);
        guest.meter.reserve = fuel;
        let met = guest.tree.load_entries(root, &mut guest.meter);
        (met, fuel - guest.meter.reserve)
    };
    let (met, used) = listed(1_000_000);
    assert_eq!(met, Ok(false));
    fs::create_dir(temp.0.join(".mpp-commit")).unwrap();
    assert_eq!(listed(1_000_000), (Ok(true), used), "the directory of this program costs no fuel");
    symlink("x", temp.0.join("unseen")).unwrap();
    let (met, more) = listed(1_000_000);
    assert!(met == Ok(true) && more > used, "what is not seen is");
    assert_eq!(listed(used).0, Err(errno::HostCallError::Termination(errno::Termination::Fuel)));
}

#[test]
fn closed_and_moved_descriptors_lead_where_their_files_are_and_nowhere_else() {
    let temp = TempDir::filled();
    let mut script = Script::new();
    script.open(3, "file", 0, READ); // 4
    script.open(3, "dir/inner", 0, READ); // 5
    script.open(3, "dir", DIRECTORY, 0); // 6
    script.call("fd_renumber", &[5, 4]);
    let (_, inner) = script.read_at(4, 0, 5);
    let closed = [script.open(5, "x", 0, READ), script.close(5)];
    script.call("fd_renumber", &[6, 3]);
    script.open(3, "inner", 0, READ); // 5
    let outside = [script.open(3, "file", 0, READ), script.open(3, "../file", 0, READ)];
    script.close(3);
    let removed = script.open(3, "inner", 0, READ);
    let ran = script.run(with_root(&temp, true));
    assert_eq!(ran.bytes(inner, 5), b"inner");
    assert_eq!(closed.map(|answer| ran.answers[answer]), [BADF; 2]);
    assert_eq!(outside.map(|answer| ran.answers[answer]), [NOENT, PERM]);
    assert_eq!(ran.answers[removed], BADF);
}

#[test]
fn host_files_are_unchanged_until_the_call_has_succeeded() {
    let temp = TempDir::filled();
    let before = snapshot(&temp.0);
    let guest = Module::validate(
        &wat::parse_str(
            r#"(module
            (import "wasi_snapshot_preview1" "path_unlink_file" (func $f (param i32 i32 i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 0) "file")
            (func (export "_start") (if (call $f (i32.const 3) (i32.const 0) (i32.const 4)) (then (return)))
                unreachable))"#,
        )
        .unwrap(),
        &manifest(16),
    )
    .unwrap();
    let run = run_module(&guest, with_root(&temp, true), &LIMITS, &CancelFlag::default());
    assert_eq!(run.outcome.unwrap_err().code(), Code::ToolTrap);
    assert!(run.changes.is_empty());
    assert_eq!(snapshot(&temp.0), before);
}
