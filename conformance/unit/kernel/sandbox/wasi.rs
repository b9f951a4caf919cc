//! Host functions, one by one.

use super::probe::*;
use super::*;
use crate::kernel::module::imports::{signature, wasi_functions, WASI};

macro_rules! names {
    ($($name:ident($($argument:ident: $kind:ident),*))*) => { [$(stringify!($name)),*] };
}

#[test]
fn every_function_of_preview_1_is_accepted_and_defined_with_this_signature() {
    let mut text = String::from("(module");
    for name in wasi_functions!(names) {
        let signature = signature(WASI, name).unwrap();
        let kind = |kind: &wasmi::ValType| match kind {
            wasmi::ValType::I64 => "i64 ",
            _ => "i32 ",
        };
        let parameters: String = signature.params().iter().map(kind).collect();
        let results: String = signature.results().iter().map(kind).collect();
        text += &format!(
            "(import \"wasi_snapshot_preview1\" \"{name}\"
                (func (param {parameters}) (result {results})))"
        );
    }
    text += "(memory (export \"memory\") 1) (func (export \"_start\")))";
    let module = Module::validate(&wat::parse_str(text).unwrap(), &manifest(16)).unwrap();
    assert_eq!(module.imports().len(), 46);
    assert_eq!(run(&module, &LIMITS).outcome, Ok(()));
}

#[test]
fn arguments_and_environment_are_what_the_host_gave_and_nothing_else() {
    let (answers, memory) = probe(
        &data([]),
        &[
            ("args_sizes_get", &[0, 4]),
            ("args_get", &[100, 200]),
            ("environ_sizes_get", &[8, 12]),
            ("environ_get", &[300, 400]),
        ],
    );
    assert_eq!(answers, [SUCCESS; 4]);
    assert_eq!((word(&memory, 0), word(&memory, 4)), (2, 17));
    assert_eq!(&memory[200..218], b"tool.wasm\0--fast\0\0");
    assert_eq!((word(&memory, 100), word(&memory, 104), word(&memory, 108)), (200, 210, 0));
    assert_eq!((word(&memory, 8), word(&memory, 12)), (2, 10));
    assert_eq!(&memory[400..411], b"A=one\0B=2\0\0");
    assert_eq!((word(&memory, 300), word(&memory, 304)), (400, 406));
}

#[test]
fn pointers_are_accepted_up_to_the_end_of_memory_and_rejected_one_beyond() {
    // Name, arguments, position of the pointer, bytes it points at. The buffers start zeroed: a pointer
    // at zero reads an empty path or list.
    let cases: &[(&str, &[i64], usize, i64)] = &[
        ("args_sizes_get", &[0, 8], 0, 4),
        ("args_sizes_get", &[0, 8], 1, 4),
        ("args_get", &[0, 64], 0, 8),
        ("args_get", &[0, 64], 1, 17),
        ("environ_get", &[0, 64], 0, 8),
        ("environ_get", &[0, 64], 1, 10),
        ("environ_sizes_get", &[0, 8], 1, 4),
        ("clock_res_get", &[0, 0], 1, 8),
        ("clock_time_get", &[0, 0, 0], 2, 8),
        ("random_get", &[0, 16], 0, 16),
        ("fd_read", &[0, 0, 1, 64], 1, 8),
        ("fd_read", &[0, 0, 1, 64], 3, 4),
        ("fd_write", &[1, 0, 1, 64], 1, 8),
        ("fd_write", &[1, 0, 1, 64], 3, 4),
        ("fd_fdstat_get", &[0, 0], 1, 24),
        ("fd_filestat_get", &[0, 0], 1, 64),
        ("fd_prestat_get", &[3, 0], 1, 8),
        ("fd_prestat_dir_name", &[3, 0, 7], 1, 7),
        ("fd_readdir", &[3, 0, 128, 0, 512], 1, 128),
        ("fd_readdir", &[3, 0, 128, 0, 512], 4, 4),
        ("poll_oneoff", &[0, 512, 1, 1024], 0, 48),
        ("poll_oneoff", &[0, 512, 1, 1024], 1, 32),
        ("poll_oneoff", &[0, 512, 1, 1024], 3, 4),
    ];
    for (name, arguments, position, length) in cases {
        for beyond in [0, 1, *length, i64::from(u32::MAX)] {
            let mut arguments = arguments.to_vec();
            arguments[*position] = if beyond > *length { beyond } else { SIZE - length + beyond };
            // What a call at the end of memory leaves there would change the next; so one per guest.
            let expected = if beyond == 0 { SUCCESS } else { FAULT };
            assert_eq!(errno_of(name, &arguments), expected, "{name} {arguments:?}");
        }
    }
}

/// The errno of one call, from a guest that writes nothing else at the end of its memory.
fn errno_of(name: &str, arguments: &[i64]) -> u32 {
    let signature = signature(WASI, name).unwrap();
    let constant = |(kind, value): (&wasmi::ValType, &i64)| match kind {
        wasmi::ValType::I64 => format!("(i64.const {value})"),
        _ => format!("(i32.const {})", *value as u32),
    };
    let arguments: String = signature.params().iter().zip(arguments).map(constant).collect();
    let kind = |kind: &wasmi::ValType| if *kind == wasmi::ValType::I64 { "i64 " } else { "i32 " };
    let parameters: String = signature.params().iter().map(kind).collect();
    let text = format!(
        "(module
            (import \"wasi_snapshot_preview1\" \"{name}\" (func $f (param {parameters}) (result i32)))
            (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
            (memory (export \"memory\") 1)
            (func (export \"_start\") (call $exit (call $f {arguments}))))"
    );
    let module = Module::validate(&wat::parse_str(&text).unwrap(), &manifest(16)).unwrap();
    let inputs = GuestInputs { assets: assets(), ..inputs(b"input") };
    match run_module(&module, inputs, &LIMITS, &CancelFlag::default()).outcome {
        Ok(()) => 0,
        Err(error) => error.detail().rsplit(' ').next().unwrap().parse().unwrap(),
    }
}

#[test]
fn a_call_that_faults_changes_nothing() {
    let (answers, memory) = probe(
        &data([(0, &iovec(100, 3)), (8, &iovec(200, 3)), (16, &iovec(65_530, 7))]),
        &[
            // The result, the list and the third buffer are outside, one after the other.
            ("fd_read", &[0, 0, 1, 65_533]),
            ("fd_read", &[0, 65_530, 1, 64]),
            ("fd_read", &[0, 0, 3, 64]),
            ("fd_read", &[0, 0, 2, 64]),
            ("fd_write", &[1, 0, 3, 64]),
        ],
    );
    assert_eq!(answers, [FAULT, FAULT, FAULT, SUCCESS, FAULT]);
    assert_eq!((&memory[100..103], &memory[200..203]), (&b"inp"[..], &b"ut\0"[..]));
    assert_eq!(word(&memory, 64), 5);
}

#[test]
fn buffers_may_overlap_and_be_empty() {
    let list = [iovec(100, 4), iovec(102, 1), iovec(0, 0), iovec(65_536, 0)].concat();
    let (answers, memory) = probe(&data([(0, &list)]), &[("fd_read", &[0, 0, 4, 64])]);
    assert_eq!(answers, [SUCCESS]);
    assert_eq!(&memory[100..104], b"intu");
    assert_eq!(word(&memory, 64), 5);
}

#[test]
fn lists_of_buffers_that_are_too_long_or_too_large_are_rejected() {
    let half = [iovec(0, 1 << 31), iovec(0, 1 << 31)].concat();
    let (answers, _) = probe(
        &data([(0, &half)]),
        &[
            ("fd_read", &[0, 1000, 1024, 64]),
            ("fd_read", &[0, 1000, 1025, 64]),
            ("fd_read", &[0, 1000, i64::from(u32::MAX), 64]),
            ("fd_read", &[0, 0, 2, 64]),
            ("fd_read", &[0, 0, 0, 64]),
        ],
    );
    // The first buffer of 2 GiB is already outside of memory.
    assert_eq!(answers, [SUCCESS, INVAL, INVAL, FAULT, SUCCESS]);
}

#[test]
fn clocks_start_at_a_fixed_time_and_go_on_by_a_step_per_look() {
    let (answers, memory) = probe(
        &data([]),
        &[
            ("clock_time_get", &[0, 0, 0]),
            ("clock_time_get", &[1, 0, 8]),
            ("clock_time_get", &[0, 0, 16]),
            ("clock_res_get", &[0, 24]),
            ("clock_res_get", &[1, 32]),
            ("clock_time_get", &[2, 0, 40]),
            ("clock_time_get", &[3, 0, 40]),
            ("clock_time_get", &[4, 0, 40]),
            ("clock_res_get", &[2, 40]),
        ],
    );
    assert_eq!(answers[..5], [SUCCESS; 5]);
    assert_eq!(answers[5..], [INVAL; 4]);
    let start = 1_767_225_600_000_000_000;
    assert_eq!(number(&memory, 0), start);
    assert_eq!(number(&memory, 8), 1_000_000);
    assert_eq!(number(&memory, 16), start + 2_000_000);
    assert_eq!((number(&memory, 24), number(&memory, 32)), (1_000_000, 1_000_000));
}

/// A subscription to a clock or a descriptor.
fn subscription(user_data: u64, kind: u8, what: u32, timeout: u64, flags: u16) -> Vec<u8> {
    let mut record = vec![0xee; 48];
    record[..8].copy_from_slice(&user_data.to_le_bytes());
    record[8] = kind;
    record[16..20].copy_from_slice(&what.to_le_bytes());
    record[24..32].copy_from_slice(&timeout.to_le_bytes());
    record[40..42].copy_from_slice(&flags.to_le_bytes());
    record
}

#[test]
fn waiting_moves_the_clock_and_never_sleeps() {
    let hour = 3_600_000_000_000;
    let list = [subscription(1, 0, 1, hour, 0), subscription(2, 0, 0, hour / 2, 0)].concat();
    let forever = subscription(3, 0, 1, u64::MAX, 0);
    let absolute = subscription(4, 0, 0, 1_767_225_600_000_000_000 + 2 * hour, 1);
    let started = Instant::now();
    let (answers, memory) = probe(
        &data([(0, &list), (96, &absolute), (144, &forever)]),
        &[
            ("poll_oneoff", &[0, 1000, 2, 2000]),
            ("clock_time_get", &[1, 0, 2008]),
            ("poll_oneoff", &[96, 1100, 1, 2004]),
            ("clock_time_get", &[1, 0, 2016]),
            ("poll_oneoff", &[144, 1200, 1, 2032]),
            ("clock_time_get", &[1, 0, 2024]),
            ("clock_time_get", &[0, 0, 2040]),
        ],
    );
    assert_eq!(answers, [SUCCESS; 7]);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(word(&memory, 2000), 1);
    assert_eq!(&memory[1000..1032], [&[2_u8, 0, 0, 0, 0, 0, 0, 0][..], &[0; 24]].concat());
    assert_eq!(&memory[1032..1064], [0; 32]);
    assert_eq!(number(&memory, 2008), hour / 2);
    assert_eq!(number(&memory, 2016), 2 * hour);
    assert_eq!((number(&memory, 2024), number(&memory, 2040)), (u64::MAX, u64::MAX));
}

#[test]
fn descriptors_are_ready_at_once_and_bad_subscriptions_are_answered_one_by_one() {
    let list = [
        subscription(1, 0, 1, 1_000_000_000, 0),
        subscription(2, 1, 0, 0, 0),
        subscription(3, 2, 1, 0, 0),
        subscription(4, 1, 77, 0, 0),
        subscription(5, 0, 9, 0, 0),
        subscription(6, 9, 0, 0, 0),
    ]
    .concat();
    let (answers, memory) = probe(
        &data([(0, &list)]),
        &[
            ("poll_oneoff", &[0, 1000, 6, 2000]),
            ("clock_time_get", &[1, 0, 2008]),
            ("poll_oneoff", &[0, 1000, 0, 2000]),
            ("poll_oneoff", &[0, 1000, 1025, 2000]),
            ("poll_oneoff", &[0, 1000, i64::from(u32::MAX), 2000]),
        ],
    );
    assert_eq!(answers, [SUCCESS, SUCCESS, INVAL, INVAL, INVAL]);
    assert_eq!(word(&memory, 2000), 5);
    assert_eq!(number(&memory, 2008), 0);
    let events: Vec<(u64, u16, u8)> = memory[1000..1160]
        .chunks(32)
        .map(|e| (number(e, 0), u16::from_le_bytes([e[8], e[9]]), e[10]))
        .collect();
    assert_eq!(events, [(2, 0, 1), (3, 0, 2), (4, 8, 1), (5, 28, 0), (6, 28, 9)]);
}

#[test]
fn random_bytes_are_bounded_per_call() {
    let most = 1 << 20;
    let module = Module::validate(
        &wat::parse_str(format!(
            "(module
            (import \"wasi_snapshot_preview1\" \"random_get\" (func $r (param i32 i32) (result i32)))
            (memory (export \"memory\") 32)
            (func (export \"_start\")
                (if (call $r (i32.const 0) (i32.const {most})) (then unreachable))
                (if (i32.ne (call $r (i32.const 0) (i32.const {})) (i32.const 28)) (then unreachable))))",
            most + 1
        ))
        .unwrap(),
        &manifest(16),
    )
    .unwrap();
    let ended = run(&module, &LIMITS);
    assert_eq!(ended.outcome, Ok(()));
    assert!(ended.fuel_used > 8 << 20);
}

#[test]
fn standard_streams_are_neither_files_nor_terminals() {
    let (answers, memory) = probe(
        &data([(0, &iovec(100, 1))]),
        &[
            ("fd_fdstat_get", &[0, 200]),
            ("fd_fdstat_get", &[1, 224]),
            ("fd_filestat_get", &[1, 256]),
            ("fd_seek", &[0, 0, 1, 400]),
            ("fd_tell", &[1, 400]),
            ("fd_pread", &[0, 0, 1, 0, 400]),
            ("fd_pwrite", &[1, 0, 1, 0, 400]),
            ("fd_read", &[1, 0, 1, 400]),
            ("fd_write", &[0, 0, 1, 400]),
            ("fd_prestat_get", &[0, 400]),
            ("fd_readdir", &[0, 400, 64, 0, 500]),
            ("fd_advise", &[0, 0, 0, 0]),
            ("fd_allocate", &[1, 0, 1]),
            ("fd_sync", &[1]),
            ("fd_filestat_set_size", &[1, 0]),
            ("fd_filestat_set_times", &[1, 0, 0, 0]),
        ],
    );
    assert_eq!(answers[..3], [SUCCESS; 3]);
    assert_eq!(answers[3..7], [SPIPE; 4]);
    assert_eq!(answers[7..10], [BADF; 3]);
    assert_eq!(answers[10..], [NOTDIR, SPIPE, SPIPE, INVAL, SPIPE, INVAL]);
    assert_eq!((memory[200], memory[224], memory[256 + 16]), (0, 0, 0));
    // A terminal would be a character device that cannot seek.
    assert_eq!(number(&memory, 208) & 0b10_0100, 0);
}

#[test]
fn closed_unknown_and_huge_descriptors_are_rejected_by_every_function() {
    for fd in [2 + 2, 127, 128, 1 << 31, i64::from(u32::MAX)] {
        let calls: &[(&str, &[i64])] = &[
            ("fd_read", &[fd, 0, 0, 64]),
            ("fd_write", &[fd, 0, 0, 64]),
            ("fd_pread", &[fd, 0, 0, 0, 64]),
            ("fd_pwrite", &[fd, 0, 0, 0, 64]),
            ("fd_seek", &[fd, 0, 0, 64]),
            ("fd_tell", &[fd, 64]),
            ("fd_close", &[fd]),
            ("fd_renumber", &[fd, 0]),
            ("fd_renumber", &[0, fd]),
            ("fd_fdstat_get", &[fd, 64]),
            ("fd_fdstat_set_flags", &[fd, 0]),
            ("fd_fdstat_set_rights", &[fd, 0, 0]),
            ("fd_prestat_get", &[fd, 64]),
            ("fd_prestat_dir_name", &[fd, 64, 64]),
            ("fd_filestat_get", &[fd, 64]),
            ("fd_filestat_set_size", &[fd, 0]),
            ("fd_filestat_set_times", &[fd, 0, 0, 0]),
            ("fd_advise", &[fd, 0, 0, 0]),
            ("fd_allocate", &[fd, 0, 0]),
            ("fd_datasync", &[fd]),
            ("fd_sync", &[fd]),
            ("fd_readdir", &[fd, 64, 64, 0, 128]),
            ("path_open", &[fd, 0, 0, 1, 0, 0, 0, 0, 64]),
            ("path_filestat_get", &[fd, 0, 0, 1, 64]),
            ("path_readlink", &[fd, 0, 1, 64, 8, 128]),
            ("path_create_directory", &[fd, 0, 1]),
            ("path_remove_directory", &[fd, 0, 1]),
            ("path_unlink_file", &[fd, 0, 1]),
            ("path_filestat_set_times", &[fd, 0, 0, 1, 0, 0, 0]),
            ("path_rename", &[fd, 0, 1, fd, 0, 1]),
            ("path_link", &[fd, 0, 0, 1, fd, 0, 1]),
            ("path_symlink", &[0, 1, fd, 0, 1]),
            ("sock_accept", &[fd, 0, 64]),
            ("sock_recv", &[fd, 0, 0, 0, 64, 68]),
            ("sock_send", &[fd, 0, 0, 0, 64]),
            ("sock_shutdown", &[fd, 0]),
        ];
        for (answer, call) in errnos(calls).iter().zip(calls) {
            assert_eq!(*answer, BADF, "{call:?}");
        }
    }
}

#[test]
fn there_are_no_sockets_and_signals_and_no_links_among_assets() {
    let (answers, _) = probe(
        &data([(0, b"b.txt"), (16, b"new")]),
        &[
            ("sock_accept", &[0, 0, 64]),
            ("sock_recv", &[1, 0, 0, 0, 64, 68]),
            ("sock_send", &[2, 0, 0, 0, 64]),
            ("sock_shutdown", &[3, 0]),
            ("proc_raise", &[6]),
            ("sched_yield", &[]),
            ("path_link", &[3, 0, 0, 5, 3, 16, 3]),
            ("path_symlink", &[0, 5, 3, 16, 3]),
            ("path_readlink", &[3, 0, 5, 64, 8, 128]),
            ("path_readlink", &[3, 16, 3, 64, 8, 128]),
        ],
    );
    assert_eq!(answers[..4], [NOTSOCK; 4]);
    assert_eq!(answers[4..], [NOSYS, SUCCESS, ROFS, ROFS, INVAL, NOENT]);
}
