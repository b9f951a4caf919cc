//! Host functions, one by one, over a guest that is made of a list of calls.

use super::*;
use crate::module::imports;
use std::collections::BTreeSet;

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const EXIST: u32 = 20;
const FAULT: u32 = 21;
const ILSEQ: u32 = 25;
const INVAL: u32 = 28;
const ISDIR: u32 = 31;
const MFILE: u32 = 33;
const NAMETOOLONG: u32 = 37;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTDIR: u32 = 54;
const NOTSOCK: u32 = 57;
const NOTSUP: u32 = 58;
const PERM: u32 = 63;
const ROFS: u32 = 69;
const SPIPE: u32 = 70;
const NOTCAPABLE: u32 = 76;

/// The size of the guest's memory.
const SIZE: i64 = 65_536;
/// Where its answers lie; below is room for the test.
const ANSWERS: usize = 60_000;

/// Bytes placed in memory before the first call.
struct Data(Vec<(usize, Vec<u8>)>);

fn data<const N: usize>(pieces: [(usize, &[u8]); N]) -> Data {
    Data(pieces.into_iter().map(|(at, bytes)| (at, bytes.to_vec())).collect())
}

/// A pair of pointer and length.
fn iovec(pointer: u32, length: u32) -> Vec<u8> {
    [pointer.to_le_bytes(), length.to_le_bytes()].concat()
}

fn assets() -> Arc<BTreeMap<String, Vec<u8>>> {
    let file = |name: &str, content: &str| (name.to_owned(), content.as_bytes().to_vec());
    Arc::new(BTreeMap::from([
        file("b.txt", "hello, world"),
        file("a/inner.txt", "inner"),
        file("a/deep/x", "x"),
        file("z", ""),
    ]))
}

/// Makes the calls in turn; gives their errnos and the memory afterwards.
fn probe(data: &Data, calls: &[(&str, &[i64])]) -> (Vec<u32>, Vec<u8>) {
    let mut text = String::from("(module ");
    let names: BTreeSet<&str> = calls.iter().map(|(name, _)| *name).chain(["fd_write"]).collect();
    for name in names {
        let signature = imports::signature(imports::WASI, name).unwrap();
        let kind = |kind: &wasmi::ValType| match kind {
            wasmi::ValType::I64 => "i64 ",
            _ => "i32 ",
        };
        let parameters: String = signature.params().iter().map(kind).collect();
        text += &format!(
            "(import \"wasi_snapshot_preview1\" \"{name}\"
                (func ${name} (param {parameters}) (result i32)))"
        );
    }
    text += "(memory (export \"memory\") 1)";
    for (at, bytes) in &data.0 {
        let bytes: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        text += &format!("(data (i32.const {at}) \"{bytes}\")");
    }
    text += "(func (export \"_start\") (local $e i32)";
    for (at, (name, arguments)) in (ANSWERS..).step_by(4).zip(calls) {
        let signature = imports::signature(imports::WASI, name).unwrap();
        assert_eq!(signature.params().len(), arguments.len(), "{name}");
        let arguments: String = signature
            .params()
            .iter()
            .zip(*arguments)
            .map(|(kind, value)| match kind {
                wasmi::ValType::I64 => format!("(i64.const {value})"),
                _ => format!("(i32.const {})", *value as u32),
            })
            .collect();
        text += &format!("(i32.store (i32.const {at}) (call ${name} {arguments}))");
    }
    // The whole memory, to stderr, which a test that closes stdout leaves alone.
    text += "(i32.store (i32.const 65524) (i32.const 65520))
        (local.set $e (call $fd_write (i32.const 2) (i32.const 65520) (i32.const 1) (i32.const 65528)))
        (if (local.get $e) (then unreachable))))";
    let module = Module::check(&wat::parse_str(&text).unwrap(), &manifest(16)).unwrap();
    let inputs = Inputs { assets: assets(), ..inputs(b"input") };
    let ended = run_module(&module, inputs, &LIMITS, &CancelFlag::default());
    assert_eq!(ended.outcome, Ok(()), "{calls:?}");
    let memory = ended.stderr;
    let answers = memory[ANSWERS..].chunks(4).take(calls.len());
    (answers.map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect(), memory)
}

/// The errnos of calls that need nothing in memory.
fn errnos(calls: &[(&str, &[i64])]) -> Vec<u32> {
    probe(&data([]), calls).0
}

fn number(memory: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(memory[at..at + 8].try_into().unwrap())
}

fn word(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(memory[at..at + 4].try_into().unwrap())
}

#[test]
fn every_function_of_preview_1_is_accepted_and_defined_with_this_signature() {
    let mut text = String::from("(module");
    for (name, signature) in imports::all() {
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
    let module = Module::check(&wat::parse_str(text).unwrap(), &manifest(16)).unwrap();
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
    let signature = imports::signature(imports::WASI, name).unwrap();
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
    let module = Module::check(&wat::parse_str(&text).unwrap(), &manifest(16)).unwrap();
    let inputs = Inputs { assets: assets(), ..inputs(b"input") };
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
    let module = Module::check(
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
    assert_eq!(answers[10..], [NOTDIR, SPIPE, SPIPE, INVAL, BADF, ROFS]);
    assert_eq!((memory[200], memory[224], memory[256 + 16]), (0, 0, 0));
    // A terminal would be a character device that can't be told to seek.
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
fn there_are_no_sockets_signals_or_links() {
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
    assert_eq!(answers[4..], [NOSYS, SUCCESS, NOTSUP, NOTSUP, INVAL, NOENT]);
}

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
            let folder = match flags {
                _ if flags & create != 0 && flags & directory != 0 => INVAL,
                _ if flags & create != 0 && flags & exclusive != 0 => EXIST,
                _ if changes => ISDIR,
                _ => SUCCESS,
            };
            assert_eq!(open(16, 1, flags, rights, 0), folder, "directory {flags} {rights}");
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
fn any_descriptor_can_be_moved_onto_another_and_is_gone_then() {
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
    let files = Files::new(Arc::new(BTreeMap::new()));
    assert!(files.get(2).is_ok());
    assert!(files.get(3).is_err());
}
