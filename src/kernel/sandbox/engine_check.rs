//! Self-test of the linked engine: that it keeps to the limits.
//!
//! Two things depend on how the program is built. The engine dispatches each instruction by a tail call
//! that the compiler must turn into a jump; with debug assertions it does not, each instruction leaves a
//! stack frame, and a guest's loop overflows the host's stack. And an embedding program may enable engine
//! features that change the fuel costs. A short loop detects both.

use crate::kernel::limits::SLICE_FUEL;
use crate::kernel::module;
use crate::kernel::prelude::*;
use wasmi::{Caller, CompilationMode, Linker, Store};

/// A module that calls the import, runs a loop with a call in it a thousand times, and calls the import
/// again. Its text form is in the test of this file.
const LOOP: &[u8] = b"\0asm\x01\0\0\0\x01\x09\x02\x60\0\0\x60\x01\x7f\x01\x7f\x02\x05\x01\0\0\0\0\
    \x03\x03\x02\x01\0\x05\x03\x01\0\x01\x07\x13\x02\x06memory\x02\0\x06_start\0\x02\
    \x0a\x21\x02\x04\0\x20\0\x0b\x1a\x01\x01\x7f\x10\0\x03\x40\x20\0\x41\x01\x6a\x22\0\
    \x41\xe8\x07\x49\x10\x01\x0d\0\x0b\x10\0\x0b";
/// The fuel of the loop by the frozen cost table.
const LOOP_FUEL: u64 = 11_003;
/// More fuel than the loop needs.
const LOOP_FUEL_MAX: u64 = 1_000_000;

/// Runs the loop.
///
/// # Errors
/// `host.engine` if the loop grew the host's stack or used another amount of fuel.
// [BOX-23]
pub(super) fn check_engine() -> Result<(), Error> {
    let wrong = |what: String| Error::new(Code::HostEngine, what);
    let failed = |error: wasmi::Error| wrong(format!("engine self-test failed: {error}"));
    let module = module::compile(LOOP, CompilationMode::LazyTranslation)?;
    let mut store = Store::new(module.engine(), Vec::new());
    store.set_fuel(LOOP_FUEL_MAX).map_err(failed)?;
    let mut linker = Linker::new(module.engine());
    linker.func_wrap("", "", note_depth).map_err(|error| failed(error.into()))?;
    let instance = linker.instantiate_and_start(&mut store, &module).map_err(failed)?;
    let entry = instance.get_typed_func::<(), ()>(&store, "_start").map_err(failed)?;
    entry.call(&mut store, ()).map_err(failed)?;
    let used = LOOP_FUEL_MAX.saturating_sub(store.get_fuel().map_err(failed)?);
    if used != LOOP_FUEL {
        return Err(wrong(format!("self-test loop used {used} fuel, expected {LOOP_FUEL}")));
    }
    match store.data().as_slice() {
        [before, after] if before == after => Ok(()),
        _ => Err(wrong("self-test loop grows the host's stack".to_owned())),
    }
}

/// Least fuel that an optimized engine uses in a millisecond of computing: it finishes a slice within two.
const FUEL_PER_MS_MIN: u64 = SLICE_FUEL / 2;
/// In a shorter time, other load on the machine outweighs the engine.
const SLOW_MS_MIN: u64 = 100;

/// Returns a note for the detail of a timeout if the guest was far slower than in any optimized build. It
/// decides nothing.
// [BOX-24]
pub(super) fn slow_engine(fuel_used: u64, elapsed_ms: u64) -> Option<String> {
    let is_slow =
        elapsed_ms >= SLOW_MS_MIN && fuel_used < elapsed_ms.saturating_mul(FUEL_PER_MS_MIN);
    is_slow.then(|| {
        let rate = fuel_used.checked_div(elapsed_ms).unwrap_or_default();
        format!(
            "; the engine ran {rate} fuel per millisecond, expected at least {FUEL_PER_MS_MIN}: the machine is \
             overloaded, or the crate `wasmi` was built without optimization"
        )
    })
}

/// Records the position of the host's stack when a guest calls.
fn note_depth(mut caller: Caller<'_, Vec<usize>>) {
    let here = 0_u8;
    caller.data_mut().push(core::ptr::from_ref(&here).addr());
}

#[cfg(test)]
#[path = "../../../conformance/unit/kernel/sandbox/engine_check.rs"]
mod tests;
