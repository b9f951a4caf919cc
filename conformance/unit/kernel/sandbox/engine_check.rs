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
        let rate = format!("ran {} fuel per millisecond", fuel_used / elapsed_ms);
        assert!(note.starts_with("; ") && note.contains(&rate), "{note}");
    }
}

#[test]
fn the_remedy_for_another_engine_names_a_feature_that_this_crate_has() {
    let feature = "portable-dispatch";
    assert!(Code::HostEngine.remedy().ends_with(&format!("`{feature}`")));
    let manifest = include_str!("../../../../Cargo.toml");
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
