//! Room: whether the engine in this program is the one that the limits were made for.
//!
//! Two things are out of this crate's hands. The engine goes from one instruction to the next by a call
//! that the compiler is expected to turn into a jump; built in a way that prevents it (debug assertions
//! do), each instruction leaves a frame behind, and a guest's loop overruns the host's stack. And a
//! program that embeds this crate may bring in the engine with features that count fuel in another way.
//! A short loop shows both.

use crate::kernel::limits::SLICE_FUEL;
use crate::kernel::module;
use crate::kernel::prelude::*;
use wasmi::{Caller, CompilationMode, Linker, Store};

/// Calls the import, goes a thousand times through a loop with a call in it, and calls the import again.
/// The text is in the test below.
const LOOP: &[u8] = b"\0asm\x01\0\0\0\x01\x09\x02\x60\0\0\x60\x01\x7f\x01\x7f\x02\x05\x01\0\0\0\0\
    \x03\x03\x02\x01\0\x05\x03\x01\0\x01\x07\x13\x02\x06memory\x02\0\x06_start\0\x02\
    \x0a\x21\x02\x04\0\x20\0\x0b\x1a\x01\x01\x7f\x10\0\x03\x40\x20\0\x41\x01\x6a\x22\0\
    \x41\xe8\x07\x49\x10\x01\x0d\0\x0b\x10\0\x0b";
/// What the loop costs by the frozen table.
const LOOP_FUEL: u64 = 11_003;
/// More than it costs.
const LOOP_FUEL_MAX: u64 = 1_000_000;

/// Runs the loop.
///
/// # Errors
/// `host.engine` if the host's stack was deeper after the loop than before, or the fuel is another.
// [BOX-23]
pub(super) fn check_engine() -> Result<(), Error> {
    let wrong = |what: String| Error::new(Code::HostEngine, what);
    let failed = |error: wasmi::Error| wrong(format!("the engine's self-test failed: {error}"));
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
        return Err(wrong(format!("a loop of {LOOP_FUEL} fuel used {used}")));
    }
    match store.data().as_slice() {
        [before, after] if before == after => Ok(()),
        _ => Err(wrong("a guest's loop would fill the host's stack".to_owned())),
    }
}

/// Fuel that an optimised engine uses in a millisecond of computing at least: a slice takes below two.
const FUEL_PER_MS_MIN: u64 = SLICE_FUEL / 2;
/// A shorter time says more of the machine's other work than of the engine.
const SLOW_MS_MIN: u64 = 100;

/// What to add to the detail of a call that computed until its time was over, if it came far less far than
/// in any build that the limits were made for. Nothing is decided by it.
// [BOX-24]
pub(super) fn slow_engine(fuel_used: u64, elapsed_ms: u64) -> Option<String> {
    let is_slow =
        elapsed_ms >= SLOW_MS_MIN && fuel_used < elapsed_ms.saturating_mul(FUEL_PER_MS_MIN);
    is_slow.then(|| {
        let rate = fuel_used.checked_div(elapsed_ms).unwrap_or_default();
        format!(
            "; the engine did {rate} fuel a millisecond, far below {FUEL_PER_MS_MIN}: the machine is busy, or \
             the crate wasmi was built without optimisation, and mpp's front page has the lines against that"
        )
    })
}

/// Notes where the host's stack stands when a guest calls.
fn note_depth(mut caller: Caller<'_, Vec<usize>>) {
    let here = 0_u8;
    caller.data_mut().push(core::ptr::from_ref(&here).addr());
}

#[cfg(test)]
#[path = "../../../conformance/unit/kernel/sandbox/self_test.rs"]
mod tests;
