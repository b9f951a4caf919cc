//! Room: whether the engine in this program is the one that the limits were made for.
//!
//! Two things are out of this crate's hands. The engine goes from one instruction to the next by a call
//! that the compiler is expected to turn into a jump; built in a way that prevents it (debug assertions
//! do), each instruction leaves a frame behind, and a guest's loop overruns the host's stack. And a
//! program that embeds this crate may bring in the engine with features that count fuel in another way.
//! A short loop shows both.

use crate::kernel::error::{Code, Error};
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
mod tests {
    use super::*;

    /// Bytes of the host's stack that one turn of a loop with these instructions leaves behind.
    fn left_behind(instructions: &str) -> usize {
        let text = format!(
            "(module (import \"\" \"\" (func $note)) (memory (export \"memory\") 1 2)
            (table 4 4 funcref) (elem $e func $f) (data $d \"abcd\") (type $none (func))
            (global $g (mut i32) (i32.const 1)) (func $f)
            (func $two (param i32 i64) (result i32 i64) (local.get 0) (local.get 1))
            (func (export \"_start\") (local $n i32) (local $a i32) (local $b i64) (local $c f64)
                (local.set $a (i32.const 7)) (local.set $b (i64.const 7)) (local.set $c (f64.const 7))
                (table.fill (i32.const 0) (ref.func $f) (i32.const 4)) (call $note)
                (loop $again {instructions}
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
                (call $note)))"
        );
        let bytes = wat::parse_str(text).unwrap();
        let module = module::compile(&bytes, CompilationMode::LazyTranslation).unwrap();
        let mut store = Store::new(module.engine(), Vec::new());
        store.set_fuel(LOOP_FUEL_MAX).unwrap();
        let mut linker = Linker::new(module.engine());
        linker.func_wrap("", "", note_depth).unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        instance.get_typed_func::<(), ()>(&store, "_start").unwrap().call(&mut store, ()).unwrap();
        let [before, after] = store.data()[..] else { panic!("two notes") };
        before.abs_diff(after) / 1000
    }

    #[test]
    fn a_slow_engine_is_named_and_a_fast_or_a_short_call_is_not() {
        for (fuel_used, elapsed_ms) in
            [(50_000_000, 1_000), (u64::MAX, 100), (0, 99), (u64::MAX, u64::MAX)]
        {
            assert_eq!(slow_engine(fuel_used, elapsed_ms), None);
        }
        for (fuel_used, elapsed_ms) in [(49_999_999, 1_000), (0, 100), (0, u64::MAX)] {
            let note = slow_engine(fuel_used, elapsed_ms).unwrap();
            let rate = format!("did {} fuel a millisecond", fuel_used / elapsed_ms);
            assert!(note.starts_with("; ") && note.contains(&rate), "{note}");
        }
    }

    #[test]
    fn the_remedy_for_another_engine_names_a_feature_that_this_crate_has() {
        let feature = "portable-dispatch";
        assert!(Code::HostEngine.remedy().ends_with(&format!("`{feature}`")));
        let manifest = include_str!("../../../Cargo.toml");
        assert!(manifest.contains(&format!("{feature} = [\"wasmi/{feature}\"]")));
    }

    #[test]
    fn no_kind_of_instruction_but_growth_leaves_anything_on_the_host_s_stack() {
        for instructions in [
            "(local.set $a (i32.div_u (local.get $a) (i32.const 1)))",
            "(local.set $a (i32.rem_s (local.get $a) (i32.const 3)))",
            "(local.set $b (i64.rotl (i64.mul (local.get $b) (i64.const 3)) (i64.const 5)))",
            "(local.set $c (f64.min (f64.sqrt (local.get $c)) (f64.add (local.get $c) (f64.const 1))))",
            "(local.set $b (i64.trunc_f64_s (local.get $c)))",
            "(local.set $b (i64.trunc_sat_f64_u (local.get $c)))",
            "(local.set $a (i32.wrap_i64 (i64.extend_i32_s (i32.clz (local.get $a)))))",
            "(i64.store32 (local.get $a) (i64.load16_s offset=8 (local.get $a)))",
            "(f64.store (i32.const 0) (f64.load (i32.const 8)))",
            "(local.set $a (select (local.get $a) (i32.const 1) (local.get $n)))",
            "(global.set $g (i32.add (global.get $g) (i32.const 1)))",
            "(if (local.get $n) (then (local.set $a (i32.const 1))) (else (local.set $a (i32.const 2))))",
            "(block (block (block (br_table 0 1 2 (i32.and (local.get $n) (i32.const 3))))))",
            "(call $f)",
            "(call $two (local.get $a) (local.get $b)) (local.set $b) (local.set $a)",
            "(call_indirect (type $none) (i32.and (local.get $n) (i32.const 3)))",
            "(table.set (i32.const 0) (table.get (i32.const 1)))",
            "(table.fill (i32.const 0) (ref.func $f) (i32.const 2))",
            "(table.copy (i32.const 0) (i32.const 1) (i32.const 1))",
            "(table.init $e (i32.const 0) (i32.const 0) (i32.const 1))",
            "(drop (table.size)) (drop (memory.size)) (drop (ref.is_null (ref.null func)))",
            "(memory.fill (i32.const 0) (i32.const 1) (i32.const 9))",
            "(memory.copy (i32.const 0) (i32.const 5) (i32.const 9))",
            "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 4))",
            "(elem.drop $e) (data.drop $d)",
        ] {
            assert_eq!(left_behind(instructions), 0, "{instructions}");
        }
        // What the price of these two and the limit on their number allow for.
        assert!(left_behind("(drop (memory.grow (i32.const 5)))") <= 256);
        assert!(left_behind("(drop (table.grow (ref.null func) (i32.const 5)))") <= 256);
    }

    #[test]
    fn the_engine_of_this_build_passes_and_the_bytes_are_this_text() {
        let text = "(module
            (import \"\" \"\" (func))
            (memory (export \"memory\") 1)
            (func (param i32) (result i32) local.get 0)
            (func (export \"_start\") (local i32)
                call 0
                loop
                    local.get 0
                    i32.const 1
                    i32.add
                    local.tee 0
                    i32.const 1000
                    i32.lt_u
                    call 1
                    br_if 0
                end
                call 0))";
        assert_eq!(wat::parse_str(text).unwrap(), LOOP);
        assert_eq!(check_engine(), Ok(()));
    }
}
