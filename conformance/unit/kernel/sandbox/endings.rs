//! Each way in which a guest can end, and that the next call works.

use super::*;

/// Runs a guest that must fail, and then one that must not.
fn fails(module: &Module, limits: &RunLimits) -> (Code, Execution) {
    let failed = run(module, limits);
    let good = run(&start("(call $put (i32.const 1) (i32.const 0) (i32.const 4))"), &LIMITS);
    assert_eq!(good.outcome, Ok(()));
    assert_eq!(good.stdout, [0; 4]);
    let again = run(module, limits);
    assert_eq!(
        again.outcome.as_ref().map_err(Error::code),
        failed.outcome.as_ref().map_err(Error::code)
    );
    (code(&failed), failed)
}

fn with_fuel(fuel_max: u64) -> RunLimits {
    RunLimits { fuel_max, ..LIMITS }
}

#[test]
fn a_guest_that_returns_or_exits_with_zero_has_ended_well() {
    for instructions in ["", "(return)", "(call $exit (i32.const 0)) unreachable"] {
        assert_eq!(run(&start(instructions), &LIMITS).outcome, Ok(()), "{instructions}");
    }
}

#[test]
fn an_endless_loop_ends_when_its_fuel_does() {
    let (code, run) = fails(&start("(loop (br 0))"), &with_fuel(10_000_000));
    assert_eq!(code, Code::ToolFuel);
    assert!((9_999_990..=10_000_000).contains(&run.fuel_used), "{}", run.fuel_used);
}

#[test]
fn an_endless_loop_ends_when_its_time_does() {
    let limits = RunLimits { fuel_max: u64::MAX, timeout: Duration::from_millis(50), ..LIMITS };
    let (code, run) = fails(&start("(loop (br 0))"), &limits);
    assert_eq!(code, Code::ToolTimeout);
    assert!(run.duration >= Duration::from_millis(50));
    assert!(run.duration < Duration::from_millis(250), "{:?}", run.duration);
}

#[test]
fn a_cancelled_guest_ends_at_once() {
    let limits = RunLimits { fuel_max: u64::MAX, ..LIMITS };
    let guest = start("(loop (br 0))");
    let flag = CancelFlag::default();
    let started = Instant::now();
    let cancelled = std::thread::scope(|scope| {
        let running = scope.spawn(|| run_module(&guest, inputs(b""), &limits, &flag));
        std::thread::sleep(Duration::from_millis(20));
        flag.cancel();
        running.join().unwrap()
    });
    assert_eq!(code(&cancelled), Code::ToolCancelled);
    assert!(started.elapsed() < Duration::from_secs(5));
    let never_begun = run_module(&start(""), inputs(b""), &LIMITS, &flag);
    assert_eq!(code(&never_begun), Code::ToolCancelled);
}

#[test]
fn endless_recursion_exhausts_the_stack() {
    let shallow = module("(func $f (call $f)) (func (export \"_start\") (call $f))");
    assert_eq!(fails(&shallow, &LIMITS).0, Code::ToolStack);
    let wide = module(
        "(func $f (param i64 i64 i64 i64) (result i64) (local i64 i64 i64 i64 i64 i64 i64 i64)
            (i64.add (local.get 0)
                (call $f (local.get 1) (local.get 2) (local.get 3) (local.get 0))))
         (func (export \"_start\")
            (drop (call $f (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4))))",
    );
    assert_eq!(fails(&wide, &LIMITS).0, Code::ToolStack);
}

#[test]
fn recursion_up_to_the_limit_is_allowed_and_one_more_is_not() {
    let recursion = |depth: usize| {
        module(&format!(
            "(func $f (param i32) (if (local.get 0)
                (then (call $f (i32.sub (local.get 0) (i32.const 1))))))
             (func (export \"_start\") (call $f (i32.const {depth})))"
        ))
    };
    let deepest = (0..=crate::kernel::limits::CALL_DEPTH_MAX)
        .rev()
        .find(|depth| run(&recursion(*depth), &LIMITS).outcome.is_ok())
        .unwrap();
    assert!(crate::kernel::limits::CALL_DEPTH_MAX - deepest <= 4, "{deepest}");
    assert_eq!(code(&run(&recursion(deepest + 1), &LIMITS)), Code::ToolStack);
}

#[test]
fn traps_are_traps() {
    for instructions in [
        "unreachable",
        "(drop (i32.load (i32.const 65536)))",
        "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
        "(drop (i32.trunc_f64_s (f64.const 1e30)))",
        "(memory.fill (i32.const 1) (i32.const 0) (i32.const 65536))",
    ] {
        let (code, run) = fails(&start(instructions), &LIMITS);
        assert_eq!(code, Code::ToolTrap, "{instructions}: {:?}", run.outcome);
    }
    let beyond = module("(func (export \"_start\")) (data (i32.const 65535) \"ab\")");
    assert_eq!(fails(&beyond, &LIMITS).0, Code::ToolTrap);
}

#[test]
fn non_zero_exits_of_any_size_are_reported_with_their_number() {
    for status in [1, 125, 126, 134, 255, u32::MAX] {
        let (code, run) = fails(&start(&format!("(call $exit (i32.const {status}))")), &LIMITS);
        assert_eq!(code, Code::ToolExit);
        let detail = run.outcome.unwrap_err().detail().to_owned();
        assert_eq!(detail, format!("exit status {status}"));
    }
}

#[test]
fn memory_beyond_the_limit_is_denied_and_a_guest_that_copes_goes_on() {
    let copes = start(
        "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))))
         (i32.store (i32.const 0) (memory.size))
         (call $put (i32.const 1) (i32.const 0) (i32.const 4))",
    );
    let ended = run(&copes, &LIMITS);
    assert_eq!(ended.outcome, Ok(()));
    assert_eq!(ended.stdout, 256_u32.to_le_bytes());
}

#[test]
fn a_guest_that_fails_after_a_denied_growth_ends_in_the_code_of_memory() {
    for instructions in [
        "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable",
        "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 7)) (i32.const 0)))) unreachable",
        "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 100)) (i32.const 0)))) unreachable",
        "(if (i32.lt_s (memory.grow (i32.const 256)) (i32.const 0)) (then unreachable))",
        "(if (i32.lt_s (memory.grow (i32.const 60000)) (i32.const 0)) (then (call $exit (i32.const 1))))",
        "(drop (memory.grow (i32.const 10))) (drop (memory.grow (i32.const 300))) unreachable",
        // Grows and ignores the result.
        "(loop (drop (memory.grow (i32.const 1))) (br 0))",
    ] {
        let (code, run) = fails(&start(instructions), &with_fuel(20_000_000));
        assert_eq!(code, Code::ToolMemory, "{instructions}: {:?}", run.outcome);
    }
}

#[test]
fn a_guest_that_fails_with_memory_to_spare_is_no_memory_failure() {
    for (instructions, expected) in [
        ("(drop (memory.grow (i32.const 1))) unreachable", Code::ToolTrap),
        ("(drop (memory.grow (i32.const 100))) (call $exit (i32.const 1))", Code::ToolExit),
        ("(drop (memory.grow (i32.const 10))) (loop (br 0))", Code::ToolFuel),
        (
            "(drop (memory.grow (i32.const 10))) (drop (memory.grow (i32.const 1))) unreachable",
            Code::ToolTrap,
        ),
        // Most of what was granted, at once.
        ("(drop (memory.grow (i32.const 200))) unreachable", Code::ToolTrap),
        // Makes do with less.
        (
            "(drop (memory.grow (i32.const 300))) (drop (memory.grow (i32.const 1))) unreachable",
            Code::ToolTrap,
        ),
        // By nothing, and beyond what WebAssembly allows.
        ("(drop (memory.grow (i32.const 0))) unreachable", Code::ToolTrap),
        ("(drop (memory.grow (i32.const 65536))) unreachable", Code::ToolTrap),
    ] {
        assert_eq!(
            fails(&start(instructions), &with_fuel(9_000_000)).0,
            expected,
            "{instructions}"
        );
    }
    let table = "(drop (table.grow (ref.null func) (i32.const 1))) unreachable";
    let table = module(&format!("(table 1 funcref) (func (export \"_start\") {table})"));
    assert_eq!(fails(&table, &LIMITS).0, Code::ToolTrap);
    let own_maximum = wat::parse_str(
        "(module (memory (export \"memory\") 1 2)
            (func (export \"_start\") (drop (memory.grow (i32.const 2))) unreachable))",
    );
    let own_maximum = Module::validate(&own_maximum.unwrap(), &manifest(16)).unwrap();
    assert_eq!(fails(&own_maximum, &LIMITS).0, Code::ToolTrap);
    // The fuel ends in the middle of a growth that would have been granted.
    let grows = start("(drop (memory.grow (i32.const 200)))");
    assert_eq!(fails(&grows, &with_fuel(100_000)).0, Code::ToolFuel);
}

#[test]
fn a_failure_after_the_host_had_no_memory_is_the_hosts_and_not_the_tools() {
    use super::guest::DeniedGrowth::{ByHost, ByLimit};
    use wasmi::{errors::MemoryError, ResourceLimiter};
    let cancel = CancelFlag::default();
    let deadline = Deadline::new(&cancel, LIMITS.timeout);
    let mut guest = inputs(b"").into_guest(&LIMITS, &deadline);
    assert!(guest.memory_growing(0, 16 << 20, None).unwrap());
    guest.memory_grow_failed(&MemoryError::OutOfFuel { required_fuel: 1 }).unwrap();
    assert!(guest.denied_growth.is_none());
    guest.memory_grow_failed(&MemoryError::OutOfSystemMemory).unwrap();
    assert!(matches!(guest.denied_growth, Some(ByHost)));
    for code in [Code::ToolTrap, Code::ToolExit, Code::ToolFuel, Code::ToolTimeout] {
        let blamed = |by| executor::explain(Error::new(code, "it ended"), by).code();
        assert_eq!(blamed(Some(ByHost)), Code::HostMemory);
        assert_eq!(blamed(Some(ByLimit)), Code::ToolMemory);
        assert_eq!(blamed(None), code);
    }
    assert!(!guest.memory_growing(0, (16 << 20) + 1, None).unwrap());
    assert!(matches!(guest.denied_growth, Some(ByLimit)));
    assert!(guest.memory_growing(0, 16 << 20, None).unwrap());
    assert!(guest.denied_growth.is_none());
}

#[test]
fn first_pages_beyond_the_grant_are_denied_before_they_are_made() {
    let limits = RunLimits { memory_bytes_max: 65_535, ..LIMITS };
    assert_eq!(fails(&start(""), &limits).0, Code::ToolMemory);
    // 1,024 for the page, one for the entry point.
    assert_eq!(fails(&start(""), &with_fuel(1023)).0, Code::ToolFuel);
    assert_eq!(fails(&start(""), &with_fuel(1024)).0, Code::ToolFuel);
    assert_eq!(run(&start(""), &with_fuel(1025)).outcome, Ok(()));
}

#[test]
fn a_flood_of_growths_stays_within_a_small_stack_of_the_host() {
    // The engine leaves a frame on the host's stack for each of them, until the slice ends.
    let straight =
        "(drop (memory.grow (i32.const 60000)))".repeat(crate::kernel::limits::GROWTHS_COUNT_MAX);
    let table = "(loop (drop (table.grow (ref.null func) (i32.const 1))) (br 0))";
    for instructions in ["(loop (drop (memory.grow (i32.const 60000))) (br 0))", &straight, table] {
        let guest = module(&format!("(table 1 funcref) (func (export \"_start\") {instructions})"));
        let limits = with_fuel(50_000_000);
        let host = std::thread::Builder::new().stack_size(1 << 20);
        let ended = host.spawn(move || run(&guest, &limits)).unwrap().join().unwrap();
        assert!(ended.fuel_used > 255 * 1000);
    }
}

#[test]
fn tables_do_not_grow() {
    let guest = module(
        "(table 1 10 funcref)
         (func (export \"_start\") (local $i i32)
            (loop
                (if (i32.ne (table.grow (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if 0 (i32.lt_u (local.get $i) (i32.const 100000)))))",
    );
    assert_eq!(run(&guest, &LIMITS).outcome, Ok(()));
}

#[test]
fn a_flood_on_stdout_or_stderr_ends_the_guest_at_the_limit() {
    let flood = |fd: u32| {
        start(&format!("(loop (call $put (i32.const {fd}) (i32.const 0) (i32.const 1000)) (br 0))"))
    };
    let (code, run) = fails(&flood(1), &LIMITS);
    assert_eq!((code, run.stdout.len()), (Code::ToolOutput, 4000));
    let (code, run) = fails(&flood(2), &LIMITS);
    assert_eq!((code, run.stderr.len()), (Code::ToolErrorOutput, 65_000));
}

#[test]
fn output_of_exactly_the_limit_is_allowed() {
    let guest = |length: u32| {
        start(&format!("(call $put (i32.const 1) (i32.const 0) (i32.const {length}))"))
    };
    assert_eq!(run(&guest(4096), &LIMITS).stdout.len(), 4096);
    assert_eq!(code(&run(&guest(4097), &LIMITS)), Code::ToolOutput);
}

#[test]
fn endless_host_calls_that_do_nothing_are_bounded_by_fuel() {
    let empty = start(
        "(loop (call $ok (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1024) (i32.const 60000))) (br 0))",
    );
    let started = Instant::now();
    assert_eq!(fails(&empty, &with_fuel(5_000_000)).0, Code::ToolFuel);
    assert!(started.elapsed() < Duration::from_secs(10));
    let clock =
        start("(loop (call $ok (call $clock (i32.const 0) (i64.const 1) (i32.const 0))) (br 0))");
    assert_eq!(fails(&clock, &with_fuel(5_000_000)).0, Code::ToolFuel);
    let random = start("(loop (call $ok (call $random (i32.const 0) (i32.const 65536))) (br 0))");
    assert_eq!(fails(&random, &with_fuel(5_000_000)).0, Code::ToolFuel);
}

#[test]
fn a_guest_that_waits_in_a_loop_gets_to_its_end() {
    let spins = start(
        "(loop
            (call $ok (call $clock (i32.const 1) (i64.const 1) (i32.const 0)))
            (br_if 0 (i64.lt_u (i64.load (i32.const 0)) (i64.const 1000000000))))",
    );
    let ended = run(&spins, &LIMITS);
    assert_eq!(ended.outcome, Ok(()));
    assert!(ended.duration < Duration::from_secs(5));
}

#[test]
fn bulk_operations_do_not_make_a_call_much_longer_than_its_time() {
    let limits = RunLimits {
        memory_bytes_max: 256 << 20,
        fuel_max: u64::MAX,
        timeout: Duration::from_millis(200),
        ..LIMITS
    };
    for instructions in [
        "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x4000000)) (br 0))",
        "(loop (memory.copy (i32.const 0) (i32.const 0x2000000) (i32.const 0x2000000)) (br 0))",
        "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x1000)) (br 0))",
    ] {
        let text = format!("(drop (memory.grow (i32.const 1023))) {instructions}");
        let ended = run(&start(&text), &limits);
        assert_eq!(code(&ended), Code::ToolTimeout, "{instructions}");
        assert!(
            ended.duration < Duration::from_millis(400),
            "{instructions}: {:?}",
            ended.duration
        );
    }
}
