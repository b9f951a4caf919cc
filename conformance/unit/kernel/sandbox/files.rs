//! Files, directories, paths and descriptors.

use super::probe::*;
use super::*;
use std::collections::BTreeSet;

#[test]
fn assets_are_read_like_files() {
    let (answers, memory) = probe(
        &data([(0, b"b.txt"), (16, &iovec(100, 5)), (24, &iovec(110, 100))]),
        &[
            ("fd_prestat_get", &[3, 300]),
            ("fd_prestat_dir_name", &[3, 320, 7]),
            ("fd_prestat_get", &[4, 300]),
            ("path_open", &[3, 0, 0, 5, 0, 2, 0, 0, 400]),
            ("fd_read", &[4, 16, 1, 408]),
            ("fd_tell", &[4, 416]),
            ("fd_pread", &[4, 24, 1, 7, 424]),
            ("fd_seek", &[4, -5, 2, 432]),
            ("fd_read", &[4, 24, 1, 440]),
            ("fd_read", &[4, 24, 1, 444]),
            ("fd_seek", &[4, 1 << 40, 0, 448]),
            ("fd_read", &[4, 24, 1, 456]),
            ("fd_filestat_get", &[4, 512]),
            ("fd_fdstat_get", &[4, 600]),
            ("fd_close", &[4]),
            ("fd_close", &[4]),
        ],
    );
    assert_eq!(answers[..2], [SUCCESS; 2]);
    assert_eq!(answers[2], BADF);
    assert_eq!(answers[3..15], [SUCCESS; 12]);
    assert_eq!(answers[15], BADF);
    assert_eq!((memory[300], word(&memory, 304)), (0, 7));
    assert_eq!(&memory[320..328], b"/assets\0");
    assert_eq!(word(&memory, 400), 4);
    assert_eq!(&memory[100..105], b"hello");
    assert_eq!((word(&memory, 408), number(&memory, 416)), (5, 5));
    assert_eq!((word(&memory, 424), &memory[110..115]), (5, &b"world"[..]));
    assert_eq!((number(&memory, 432), word(&memory, 440), word(&memory, 444)), (7, 5, 0));
    assert_eq!((number(&memory, 448), word(&memory, 456)), (1 << 40, 0));
    assert_eq!((memory[512 + 16], number(&memory, 512 + 32)), (4, 12));
    assert_eq!((memory[600], number(&memory, 608)), (4, 2));
}

#[test]
fn seeking_before_the_start_beyond_a_signed_number_or_oddly_is_rejected() {
    let (answers, _) = probe(
        &data([(0, b"b.txt")]),
        &[
            ("path_open", &[3, 0, 0, 5, 0, 2, 0, 0, 400]),
            ("fd_seek", &[4, -1, 0, 408]),
            ("fd_seek", &[4, -1, 1, 408]),
            ("fd_seek", &[4, -13, 2, 408]),
            ("fd_seek", &[4, i64::MIN, 2, 408]),
            ("fd_seek", &[4, i64::MAX, 2, 408]),
            ("fd_seek", &[4, 0, 3, 408]),
            ("fd_seek", &[4, i64::MAX, 0, 408]),
            ("fd_seek", &[4, 1, 1, 408]),
            ("fd_seek", &[3, 0, 0, 408]),
        ],
    );
    assert_eq!(answers, [SUCCESS, INVAL, INVAL, INVAL, INVAL, INVAL, INVAL, SUCCESS, INVAL, BADF]);
}

/// The entries in a buffer of `fd_readdir`: next cookie, inode, type, name.
fn entries(mut buffer: &[u8]) -> Vec<(u64, u64, u8, String)> {
    let mut entries = Vec::new();
    while buffer.len() >= 24 {
        let length = word(buffer, 16) as usize;
        let Some(name) = buffer.get(24..24 + length) else { break };
        let name = String::from_utf8(name.to_vec()).unwrap();
        entries.push((number(buffer, 0), number(buffer, 8), buffer[20], name));
        buffer = &buffer[24 + length..];
    }
    entries
}

#[test]
fn listings_are_sorted_start_anywhere_and_fill_a_buffer_that_is_too_small() {
    let (answers, memory) = probe(
        &data([(0, b"a")]),
        &[
            ("fd_readdir", &[3, 1000, 1000, 0, 64]),
            ("fd_readdir", &[3, 2000, 1000, 3, 68]),
            ("fd_readdir", &[3, 3000, 60, 0, 72]),
            ("fd_readdir", &[3, 4000, 100, 5, 76]),
            ("fd_readdir", &[3, 4000, 100, -1, 80]),
            ("path_open", &[3, 0, 0, 1, 2, 0x4000, 0, 0, 400]),
            ("fd_readdir", &[4, 5000, 1000, 0, 84]),
            ("fd_filestat_get", &[4, 6000]),
        ],
    );
    assert_eq!(answers, [SUCCESS; 8]);
    let used = |at| word(&memory, at) as usize;
    let names = |from: usize, at| {
        let listed = entries(&memory[from..from + used(at)]);
        listed.into_iter().map(|(_, _, kind, name)| (kind, name)).collect::<Vec<_>>()
    };
    let entry = |kind: u8, name: &str| (kind, name.to_owned());
    let (a, b, z) = (entry(3, "a"), entry(4, "b.txt"), entry(4, "z"));
    let dots = [entry(3, "."), entry(3, "..")];
    let all = [&dots[..], &[a, b.clone(), z.clone()]].concat();
    assert_eq!(names(1000, 64), all);
    assert_eq!(names(2000, 68), [b, z]);
    assert_eq!(used(72), 60);
    assert_eq!(names(3000, 72), dots);
    assert_eq!((used(76), used(80)), (0, 0));
    let inner = [&dots[..], &[entry(3, "deep"), entry(4, "inner.txt")]].concat();
    assert_eq!(names(5000, 84), inner);
    let listed = entries(&memory[1000..1000 + used(64)]);
    assert_eq!(listed.iter().map(|e| e.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let inodes: BTreeSet<u64> = listed.iter().map(|e| e.1).collect();
    assert_eq!(inodes.len(), 4, "the root is its own parent, and all others differ");
    assert!(!inodes.contains(&0));
    let a_inode = listed[2].1;
    assert_eq!(number(&memory, 6008), a_inode);
    assert_eq!(entries(&memory[5000..5000 + used(84)])[0].1, a_inode);
}

/// What opening and asking for the status of a path answer.
fn path_errnos(path: &[u8]) -> (u32, u32) {
    let length = i64::try_from(path.len()).unwrap();
    let (answers, _) = probe(
        &data([(8000, path)]),
        &[
            ("path_open", &[3, 0, 8000, length, 0, 2, 0, 0, 400]),
            ("path_filestat_get", &[3, 0, 8000, length, 512]),
        ],
    );
    (answers[0], answers[1])
}

#[test]
fn paths_that_stay_inside_are_followed() {
    for path in [
        "b.txt",
        "./b.txt",
        ".//b.txt",
        "a/../b.txt",
        "a/deep/../../b.txt",
        "a//inner.txt",
        "a",
        "a/",
        "a//",
        "a/.",
        ".",
        "a/..",
        "a/deep/..",
        "./.",
        "z",
    ] {
        assert_eq!(path_errnos(path.as_bytes()), (SUCCESS, SUCCESS), "{path}");
    }
}

#[test]
fn paths_that_lead_out_or_nowhere_are_rejected() {
    let long_name = "n".repeat(256);
    let long_path = "a/../".repeat(820) + "b.txt";
    for (path, errno) in [
        ("..", PERM),
        ("../assets/b.txt", PERM),
        ("a/../..", PERM),
        ("a/../../assets", PERM),
        ("a/deep/../../../b.txt", PERM),
        ("./..", PERM),
        ("/", PERM),
        ("/assets/b.txt", PERM),
        ("/etc/passwd", PERM),
        ("//b.txt", PERM),
        ("", NOENT),
        ("missing", NOENT),
        ("missing/..", NOENT),
        ("missing/../b.txt", NOENT),
        ("B.TXT", NOENT),
        ("b.txt ", NOENT),
        ("a\\inner.txt", NOENT),
        ("b.txt/", NOTDIR),
        ("b.txt/.", NOTDIR),
        ("b.txt/..", NOTDIR),
        ("b.txt/x", NOTDIR),
        ("b.txt\0", INVAL),
        ("\0", INVAL),
        ("a\0/../b.txt", INVAL),
        (&long_name, NAMETOOLONG),
        (&long_path, NAMETOOLONG),
    ] {
        assert_eq!(path_errnos(path.as_bytes()), (errno, errno), "{path}");
    }
    for path in [&b"\xff"[..], b"b.txt\xc0", b"\xed\xa0\x80", b"a/\xf8"] {
        assert_eq!(path_errnos(path), (ILSEQ, ILSEQ), "{path:?}");
    }
}

#[test]
fn every_combination_of_open_flags_is_read_only() {
    let open = |path: i64, length: i64, flags: i64, rights: i64, fd_flags: i64| {
        let arguments = [3, 0, path, length, flags, rights, 0, fd_flags, 400];
        probe(&data([(0, b"b.txt"), (16, b"a"), (32, b"new")]), &[("path_open", &arguments)]).0[0]
    };
    let (create, directory, exclusive, truncate) = (1, 2, 4, 8);
    let (read, write) = (2, 64);
    for flags in 0..16 {
        for rights in [0, read, write, read | write] {
            let changes = rights & write != 0 || flags & truncate != 0;
            let file = match flags {
                _ if flags & create != 0 && flags & directory != 0 => INVAL,
                _ if flags & create != 0 && flags & exclusive != 0 => EXIST,
                _ if flags & directory != 0 => NOTDIR,
                _ if changes => ROFS,
                _ => SUCCESS,
            };
            assert_eq!(open(0, 5, flags, rights, 0), file, "file {flags} {rights}");
            let temp = match flags {
                _ if flags & create != 0 && flags & directory != 0 => INVAL,
                _ if flags & create != 0 && flags & exclusive != 0 => EXIST,
                _ if changes => ISDIR,
                _ => SUCCESS,
            };
            assert_eq!(open(16, 1, flags, rights, 0), temp, "directory {flags} {rights}");
            let new = match flags {
                _ if flags & create != 0 && flags & directory != 0 => INVAL,
                _ if flags & create != 0 => ROFS,
                _ => NOENT,
            };
            assert_eq!(open(32, 3, flags, rights, 0), new, "new {flags} {rights}");
        }
    }
    assert_eq!(open(0, 5, 16, 0, 0), INVAL);
    assert_eq!(open(0, 5, 0, 0, 0x20), INVAL);
    assert_eq!(open(0, 5, 0, 0, 1 << 16), INVAL);
    assert_eq!(open(0, 5, 0, 0, 0x1f), SUCCESS);
}

#[test]
fn nothing_can_be_changed() {
    let (answers, _) = probe(
        &data([(0, b"b.txt"), (16, b"new"), (32, &iovec(0, 5)), (48, b"a")]),
        &[
            ("path_open", &[3, 0, 0, 5, 0, 2, 0, 0, 400]),
            ("fd_write", &[4, 32, 1, 408]),
            ("fd_pwrite", &[4, 32, 1, 0, 408]),
            ("fd_allocate", &[4, 0, 10]),
            ("fd_filestat_set_size", &[4, 0]),
            ("fd_filestat_set_times", &[4, 0, 0, 0]),
            ("path_filestat_set_times", &[3, 0, 0, 5, 0, 0, 0]),
            ("path_create_directory", &[3, 16, 3]),
            ("path_create_directory", &[3, 48, 1]),
            ("path_remove_directory", &[3, 48, 1]),
            ("path_unlink_file", &[3, 0, 5]),
            ("path_unlink_file", &[3, 16, 3]),
            ("path_rename", &[3, 0, 5, 3, 16, 3]),
            ("path_rename", &[3, 16, 3, 3, 0, 5]),
            ("fd_sync", &[4]),
            ("fd_datasync", &[4]),
            ("fd_advise", &[4, 0, 0, 5]),
            ("fd_advise", &[4, 0, 0, 6]),
            ("fd_advise", &[3, 0, 0, 0]),
        ],
    );
    assert_eq!(answers[0], SUCCESS);
    assert_eq!(answers[1..5], [BADF; 4]);
    assert_eq!(answers[5..8], [ROFS; 3]);
    assert_eq!(answers[8..14], [EXIST, ROFS, ROFS, NOENT, ROFS, NOENT]);
    assert_eq!(answers[14..], [SUCCESS, SUCCESS, SUCCESS, INVAL, BADF]);
}

#[test]
fn descriptors_get_the_lowest_free_number_and_run_out() {
    let open: (&str, &[i64]) = ("path_open", &[3, 0, 0, 5, 0, 2, 0, 0, 400]);
    let (answers, memory) =
        probe(&data([(0, b"b.txt")]), &[open, open, ("fd_close", &[4]), ("fd_close", &[0]), open]);
    assert_eq!(answers, [SUCCESS; 5]);
    assert_eq!(word(&memory, 400), 0);
    let answers = probe(&data([(0, b"b.txt")]), &[open; 125]).0;
    assert_eq!(answers[..124], [SUCCESS; 124]);
    assert_eq!(answers[124], MFILE);
}

#[test]
fn any_descriptor_can_be_renumbered_onto_another_and_is_closed_then() {
    let (answers, memory) = probe(
        &data([(0, b"b.txt"), (16, &iovec(100, 5))]),
        &[
            ("path_open", &[3, 0, 0, 5, 0, 2, 0, 0, 400]),
            ("fd_renumber", &[4, 3]),
            ("fd_read", &[3, 16, 1, 408]),
            ("fd_prestat_get", &[3, 420]),
            ("fd_close", &[4]),
            ("path_open", &[3, 0, 0, 5, 0, 2, 0, 0, 400]),
            ("fd_renumber", &[3, 3]),
            ("fd_renumber", &[3, 0]),
            ("fd_close", &[3]),
            ("fd_read", &[0, 16, 1, 412]),
        ],
    );
    let (moved, kept) = ([SUCCESS, SUCCESS, SUCCESS, BADF, BADF, NOTDIR], [SUCCESS; 2]);
    assert_eq!(answers[..6], moved);
    assert_eq!(answers[6..8], kept);
    assert_eq!(answers[8..], [BADF, SUCCESS]);
    assert_eq!((word(&memory, 408), word(&memory, 412)), (5, 5));
    assert_eq!(&memory[100..105], b", wor");
}

#[test]
fn rights_and_flags_can_only_be_what_exists_and_rights_only_shrink() {
    let (answers, memory) = probe(
        &data([(0, b"b.txt"), (16, &iovec(100, 5))]),
        &[
            ("path_open", &[3, 0, 0, 5, 0, 6, 0, 0, 400]),
            ("fd_fdstat_set_rights", &[4, 0x40, 0]),
            ("fd_fdstat_set_rights", &[4, 6, 2]),
            ("fd_fdstat_set_rights", &[4, 4, 0]),
            ("fd_fdstat_set_rights", &[4, 6, 0]),
            ("fd_read", &[4, 16, 1, 408]),
            ("fd_fdstat_get", &[4, 600]),
            ("fd_fdstat_set_flags", &[4, 0x1f]),
            ("fd_fdstat_set_flags", &[4, 0x20]),
            ("fd_fdstat_set_flags", &[4, 1 << 16]),
            ("fd_fdstat_get", &[4, 632]),
        ],
    );
    assert_eq!(answers[..4], [SUCCESS, NOTCAPABLE, NOTCAPABLE, SUCCESS]);
    assert_eq!(answers[4..7], [NOTCAPABLE, BADF, SUCCESS]);
    assert_eq!(answers[7..], [SUCCESS, INVAL, INVAL, SUCCESS]);
    assert_eq!((number(&memory, 608), number(&memory, 616)), (4, 0));
    assert_eq!(memory[634], 0x1f);
}

#[test]
fn a_package_without_assets_has_no_directory() {
    let (_, descriptors) =
        crate::kernel::sandbox::overlay::open(Arc::new(BTreeMap::new()), Vec::new(), None);
    assert!(descriptors.get(2).is_ok());
    assert!(descriptors.get(3).is_err());
}
