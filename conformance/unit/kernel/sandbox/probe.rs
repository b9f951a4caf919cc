//! A guest that is generated from a list of host calls, to check their results.

use super::*;
use crate::kernel::module::imports;
use std::collections::BTreeSet;

pub(super) const SUCCESS: u32 = 0;
pub(super) const ACCES: u32 = 2;
pub(super) const BADF: u32 = 8;
pub(super) const EXIST: u32 = 20;
pub(super) const FAULT: u32 = 21;
pub(super) const ILSEQ: u32 = 25;
pub(super) const INVAL: u32 = 28;
pub(super) const ISDIR: u32 = 31;
pub(super) const LOOP: u32 = 32;
pub(super) const MFILE: u32 = 33;
pub(super) const NAMETOOLONG: u32 = 37;
pub(super) const NOENT: u32 = 44;
pub(super) const NOSPC: u32 = 51;
pub(super) const NOSYS: u32 = 52;
pub(super) const NOTDIR: u32 = 54;
pub(super) const NOTSOCK: u32 = 57;
pub(super) const NOTEMPTY: u32 = 55;
pub(super) const PERM: u32 = 63;
pub(super) const OVERFLOW: u32 = 61;
pub(super) const ROFS: u32 = 69;
pub(super) const SPIPE: u32 = 70;
pub(super) const XDEV: u32 = 75;
pub(super) const NOTCAPABLE: u32 = 76;

/// The size of the guest's memory.
pub(super) const SIZE: i64 = 65_536;
/// The address of the results; the memory below is for the test.
pub(super) const ANSWERS: usize = 60_000;

/// Bytes placed in memory before the first call.
pub(super) struct Data(pub(super) Vec<(usize, Vec<u8>)>);

pub(super) fn data<const N: usize>(pieces: [(usize, &[u8]); N]) -> Data {
    Data(pieces.into_iter().map(|(at, bytes)| (at, bytes.to_vec())).collect())
}

/// A pair of pointer and length.
pub(super) fn iovec(pointer: u32, length: u32) -> Vec<u8> {
    [pointer.to_le_bytes(), length.to_le_bytes()].concat()
}

pub(super) fn assets() -> Arc<BTreeMap<String, Vec<u8>>> {
    let file = |name: &str, content: &str| (name.to_owned(), content.as_bytes().to_vec());
    Arc::new(BTreeMap::from([
        file("b.txt", "hello, world"),
        file("a/inner.txt", "inner"),
        file("a/deep/x", "x"),
        file("z", ""),
    ]))
}

/// Makes the calls in turn, in a guest that sees the assets; gives their errnos and the memory afterwards.
pub(super) fn probe(data: &Data, calls: &[(&str, &[i64])]) -> (Vec<u32>, Vec<u8>) {
    let inputs = GuestInputs { assets: assets(), ..inputs(b"input") };
    let (answers, run) = probe_with(inputs, data, calls);
    (answers, run.stderr)
}

/// As [`probe`], in a guest of any kind; gives the whole run, which has the memory on stderr.
pub(super) fn probe_with(
    inputs: GuestInputs<'static>,
    data: &Data,
    calls: &[(&str, &[i64])],
) -> (Vec<u32>, Execution) {
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
    let module = Module::validate(&wat::parse_str(&text).unwrap(), &manifest(16)).unwrap();
    let ended = run_module(&module, inputs, &LIMITS, &CancelFlag::default());
    assert_eq!(ended.stderr.len(), 65_520, "{:?} {calls:?}", ended.outcome);
    let answers = ended.stderr[ANSWERS..].chunks(4).take(calls.len());
    (answers.map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect(), ended)
}

/// The errnos of calls that need nothing in memory.
pub(super) fn errnos(calls: &[(&str, &[i64])]) -> Vec<u32> {
    probe(&data([]), calls).0
}

pub(super) fn number(memory: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(memory[at..at + 8].try_into().unwrap())
}

pub(super) fn word(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(memory[at..at + 4].try_into().unwrap())
}
