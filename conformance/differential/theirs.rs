//! Room: one case in wasmtime, with its own preview 1.

use crate::{Case, Seen, GUEST_DIRECTORY, INPUT};
use std::path::Path;
use wasmtime::{Config, Engine, Linker, Module, OptLevel, Store, Trap};
use wasmtime_wasi::p1::{add_to_linker_sync, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

const OUTPUT_BYTES_MAX: usize = 1 << 20;

/// Runs the guest of a case on this directory, in which its files stay.
pub fn run(case: &Case, guest: &[u8], directory: &Path) -> Seen {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::None);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, guest).unwrap();
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    add_to_linker_sync(&mut linker, |context| context).unwrap();

    let stdout = MemoryOutputPipe::new(OUTPUT_BYTES_MAX);
    let context = WasiCtxBuilder::new()
        .arg("guest")
        .args(case.args)
        .envs(case.environment)
        .stdin(MemoryInputPipe::new(INPUT))
        .stdout(stdout.clone())
        .stderr(MemoryOutputPipe::new(OUTPUT_BYTES_MAX))
        .preopened_dir(directory, GUEST_DIRECTORY, FsPerms::ReadWrite)
        .unwrap()
        .build_p1();
    let mut store = Store::new(&engine, context);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let entry = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
    let end = match entry.call(&mut store, ()) {
        Ok(()) => "exit 0".to_owned(),
        Err(error) => match (error.downcast_ref::<I32Exit>(), error.downcast_ref::<Trap>()) {
            (Some(exit), _) => format!("exit {}", exit.0),
            (_, Some(Trap::StackOverflow)) => "stack exhausted".to_owned(),
            (_, Some(_)) => "trap".to_owned(),
            // Without the address, which is the compiler's business.
            _ => error.root_cause().to_string().split(':').take(1).collect(),
        },
    };
    drop(store);
    Seen::new(end, &stdout.contents(), directory)
}
