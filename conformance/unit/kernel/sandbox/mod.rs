//! The sandbox against guests in the text format.
#![allow(clippy::as_conversions, clippy::arithmetic_side_effects)]

mod bounds;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod commit;
mod determinism;
mod endings;
mod files;
mod grants;
mod host;
mod hostile;
mod model;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod overlay;
mod probe;
mod protected;
mod protocol;
mod script;
mod storage;
mod wasi;

use super::*;
use crate::host::clock::CancelFlag;
use crate::host::directory::HostDirectory;
use crate::host::protected_paths::Protected;
use crate::host::sandbox::{
    extract_approved_dirs, extract_approved_env_vars, SandboxConfig, WasmSandbox,
};
use crate::kernel::error::Code;
use crate::kernel::module::tests::manifest;
use crate::tests::support::TempDir;
use std::time::{Duration, Instant};

/// A run whose deadline begins now.
fn run_module(
    module: &Module,
    inputs: GuestInputs<'static>,
    limits: &RunLimits,
    cancel: &CancelFlag,
) -> Execution {
    super::run_module(module, inputs, limits, &Deadline::new(cancel, limits.timeout))
}

fn inputs(stdin: &[u8]) -> GuestInputs<'static> {
    GuestInputs {
        args: vec!["tool.wasm".into(), "--fast".into()],
        environment: vec!["A=one".into(), "B=2".into()],
        stdin: stdin.to_vec(),
        assets: Arc::new(BTreeMap::new()),
        roots: Vec::new(),
        time: GuestClock::virtual_time(),
        random: RandomStream::seeded([7; 32]),
        services: ServiceBroker::default(),
        storage: None,
    }
}

const LIMITS: RunLimits = RunLimits {
    memory_bytes_max: 16 << 20,
    fuel_max: 1_000_000_000,
    timeout: Duration::from_secs(20),
    output_bytes_max: 4096,
};

/// The imports that most guests need, a memory of one page, and two helpers: `$put` writes bytes of
/// memory to a descriptor, `$ok` traps unless it gets an errno of zero.
fn text(body: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func $ok (param i32) (if (local.get 0) (then unreachable)))
        (func $put (param $fd i32) (param $at i32) (param $length i32)
            (i32.store (i32.const 65520) (local.get $at))
            (i32.store (i32.const 65524) (local.get $length))
            (call $ok (call $fd_write (local.get $fd) (i32.const 65520) (i32.const 1) (i32.const 65528))))
        {body})"#
    )
}

fn module(body: &str) -> Module {
    let text = text(body);
    let bytes = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Module::validate(&bytes, &manifest(16)).unwrap()
}

/// A guest whose entry point is these instructions.
fn start(instructions: &str) -> Module {
    module(&format!("(func (export \"_start\") (local $i i32) {instructions})"))
}

fn run(module: &Module, limits: &RunLimits) -> Execution {
    run_module(module, inputs(b""), limits, &CancelFlag::default())
}

fn code(run: &Execution) -> Code {
    run.outcome.as_ref().unwrap_err().code()
}
