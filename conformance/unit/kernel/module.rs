//! Check 7: what is refused, and that nothing large is made of a few bytes before it is.
#![allow(clippy::as_conversions, clippy::arithmetic_side_effects)]

use super::*;
use crate::kernel::limits::*;
use crate::kernel::package::manifest::{
    Capabilities, PrivacyFilters, Protocol, RuntimeSection, Sensitivity, Tool,
};
use crate::kernel::package::schema::Schema;
use crate::kernel::package::version::Version;
use serde_json::json;

/// A manifest that asks for nothing.
pub(in crate::kernel) fn manifest(memory_limit_mb: u32) -> Manifest {
    Manifest {
        mpp_version: "1.0".into(),
        id: "org.example.tool".into(),
        version: Version::parse("1.0.0").unwrap(),
        name: "Tool".into(),
        description: "A tool".into(),
        authors: vec![],
        license: None,
        homepage: None,
        runtime: RuntimeSection {
            target: "wasm32-wasip1".to_owned(),
            entry: "tool.wasm".into(),
            protocol: Protocol::JsonRpc,
            args: vec![],
            memory_limit_mb,
            timeout_ms: 1000,
            fuel: 1_000_000_000,
            output_limit_kb: 64,
        },
        capabilities: Capabilities::default(),
        tools: vec![Tool {
            name: "run".into(),
            calls: None,
            description: "Runs".into(),
            parameters: Schema::read(&json!({"type": "object"}), "").unwrap(),
            returns: None,
            command: None,
            sensitivity: Sensitivity::Read,
        }],
        privacy_filters: PrivacyFilters::default(),
    }
}

/// The smallest module that is accepted, with more in it.
fn with(fields: &str) -> Vec<u8> {
    let text = format!(
        "(module {fields} (memory (export \"memory\") 1) (func $start (export \"_start\")))"
    );
    wat::parse_str(text).unwrap()
}

fn verdict(bytes: &[u8]) -> Result<Module, Error> {
    Module::validate(bytes, &manifest(16))
}

fn refused(bytes: &[u8]) -> (Code, String) {
    let error = verdict(bytes).unwrap_err();
    (error.code(), error.detail().to_owned())
}

fn refused_text(text: &str) -> Code {
    refused(&wat::parse_str(text).unwrap()).0
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 128 {
        bytes.push((number % 128) as u8 | 128);
        number /= 128;
    }
    bytes.push(number as u8);
    bytes
}

/// A module out of raw sections.
fn raw(sections: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for (id, body) in sections {
        bytes.push(*id);
        bytes.extend(leb(body.len()));
        bytes.extend(body);
    }
    bytes
}

/// A module with one function of these operators.
fn with_operators(operators: &[u8]) -> Vec<u8> {
    let mut function = vec![0];
    function.extend(operators);
    function.push(0x0b);
    let mut code = vec![1];
    code.extend(leb(function.len()));
    code.extend(function);
    raw(&[
        (1, vec![1, 0x60, 0, 0]),
        (3, vec![1, 0]),
        (5, vec![1, 0, 1]),
        (7, b"\x02\x06memory\x02\x00\x06_start\x00\x00".to_vec()),
        (10, code),
    ])
}

#[test]
fn the_smallest_command_is_accepted() {
    let module = verdict(&with("")).unwrap();
    assert_eq!(module.memory_bytes(), 65_536);
    assert_eq!(module.imports(), Vec::<String>::new());
}

#[test]
fn an_import_given_twice_is_accepted_as_go_does() {
    let write = "(import \"wasi_snapshot_preview1\" \"fd_write\"
        (func (param i32 i32 i32 i32) (result i32)))";
    let module = verdict(&with(&format!("{write} {write}"))).unwrap();
    assert_eq!(module.imports(), ["fd_write"]);
}

#[test]
fn unknown_imports_are_rejected_and_all_named() {
    let (code, detail) = refused(&with(
        "(import \"env\" \"system\" (func))
         (import \"wasi_snapshot_preview1\" \"fd_write\" (func))
         (import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i32) (result i32)))
         (import \"wasi_unstable\" \"fd_read\" (func (param i32 i32 i32 i32) (result i32)))",
    ));
    assert_eq!(code, Code::ModuleImport);
    let wrong_signature = "wasi_snapshot_preview1.fd_write (with a wrong signature)";
    for name in ["env.system", wrong_signature, "wasi_unstable.fd_read"] {
        assert!(detail.contains(name), "{detail}");
    }
    assert!(!detail.contains("fd_close"));
}

#[test]
fn names_of_imports_are_cut_and_cannot_control_a_terminal() {
    let name = format!("\\1b[2J\\0a{}", "x".repeat(10_000));
    let (code, detail) = refused(&with(&format!("(import \"env\" \"{name}\" (func))")));
    assert_eq!(code, Code::ModuleImport);
    assert!(detail.starts_with("module imports env.\\u{1b}[2J\\u{a}xxx"), "{detail}");
    assert!(detail.len() < 220);
}

#[test]
fn imported_memories_tables_and_globals_are_rejected() {
    let entry = "(func (export \"_start\"))";
    for import in [
        "(memory (export \"memory\") (import \"wasi_snapshot_preview1\" \"fd_close\") 1)",
        "(import \"wasi_snapshot_preview1\" \"fd_close\" (table 1 funcref))
         (memory (export \"memory\") 1)",
        "(import \"wasi_snapshot_preview1\" \"fd_close\" (global i32))
         (memory (export \"memory\") 1)",
    ] {
        assert_eq!(refused_text(&format!("(module {import} {entry})")), Code::ModuleImport);
    }
}

#[test]
fn modules_without_memory_or_entry_point_are_rejected() {
    for text in [
        "(module)",
        "(module (func (export \"_start\")))",
        "(module (memory 1) (func (export \"_start\")))",
        "(module (memory (export \"mem\") 1) (func (export \"_start\")))",
        "(module (memory (export \"memory\") 1))",
        "(module (memory (export \"memory\") 1) (func (export \"_initialize\")))",
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (param i32)))",
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (result i32) i32.const 0))",
        "(module (memory (export \"memory\") 1) (global (export \"_start\") i32 (i32.const 0)))",
        "(module (memory (export \"_start\") 1) (func (export \"memory\")))",
    ] {
        assert_eq!(refused_text(text), Code::ModuleExport, "{text}");
    }
}

#[test]
fn initial_memory_beyond_the_manifest_is_rejected_before_it_is_allocated() {
    // 16,384 pages are a gigabyte; the module that asks for them has some 50 bytes.
    let text = "(module (memory (export \"memory\") 16384) (func (export \"_start\")))";
    let bytes = wat::parse_str(text).unwrap();
    assert!(bytes.len() < 60);
    let resident = resident_kb();
    assert_eq!(refused(&bytes).0, Code::ModuleMemory);
    assert!(resident_kb().saturating_sub(resident) < 64 << 10);
    let fits = "(module (memory (export \"memory\") 256) (func (export \"_start\")))";
    assert!(verdict(&wat::parse_str(fits).unwrap()).is_ok());
    let one_more = "(module (memory (export \"memory\") 257) (func (export \"_start\")))";
    assert_eq!(refused_text(one_more), Code::ModuleMemory);
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn a_start_section_is_rejected() {
    assert_eq!(refused(&with("(start $start)")).0, Code::ModuleInvalid);
}

#[test]
fn what_is_no_binary_module_is_rejected() {
    let text = "(module (memory (export \"memory\") 1) (func (export \"_start\")))";
    let valid = wat::parse_str(text).unwrap();
    for bytes in [
        &b""[..],
        b"\0asm",
        b"\0asm\x01\0\0",
        b"\0asm\x02\0\0\0",
        b"\0asm\x0d\0\x01\0",
        text.as_bytes(),
    ] {
        assert_eq!(refused(bytes).0, Code::ModuleInvalid, "{bytes:?}");
    }
    for length in 0..valid.len() {
        assert!(verdict(&valid[..length]).is_err(), "cut after {length} bytes");
    }
}

#[test]
fn no_changed_byte_of_a_module_leads_to_a_panic() {
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i32) (result i32)))
        (type (func (param i32 i64 f32 f64) (result i32 i64)))
        (memory (export \"memory\") 1 2) (table 3 funcref) (global (mut i32) (i32.const 7))
        (elem (i32.const 0) func 0 1) (data (i32.const 8) \"abc\") (data \"def\")
        (func (export \"_start\") (local i32 i64)
            (block (loop (br_if 1 (local.get 0)) (br_table 0 1 (i32.const 1))))
            (drop (call 0 (i32.const 3)))
            (drop (call_indirect (param i32) (result i32) (i32.const 1) (i32.const 0)))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
            (f64.store (i32.const 16) (f64.const 1.5))))";
    let valid = wat::parse_str(text).unwrap();
    verdict(&valid).unwrap();
    for at in 0..valid.len() {
        for value in [0, 1, 0x0b, 0x40, 0x5e, 0x7f, 0x80, 0xfc, 0xff, valid[at] ^ 1, valid[at] ^ 64]
        {
            let mut changed = valid.clone();
            changed[at] = value;
            let _verdict = verdict(&changed);
        }
    }
}

#[test]
fn proposals_that_are_left_out_are_rejected() {
    for fields in [
        "(func (result v128) (v128.const i64x2 0 0))",
        "(func (return_call 0))",
        "(memory 1)",
        "(func (drop (i32.atomic.load (i32.const 0))))",
        "(tag)",
        "(type (struct))",
        "(type (array i8))",
        "(rec)",
        "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
        "(table i64 1 funcref)",
        "(func (param (ref func)))",
        "(func (block (try_table (catch_all 0))))",
        "(func (param i64 i64 i64 i64) (result i64 i64)
            local.get 0 local.get 1 local.get 2 local.get 3 i64.add128)",
    ] {
        let (code, detail) = refused(&with(fields));
        assert!(matches!(code, Code::ModuleInvalid | Code::ModuleLimit), "{fields}: {detail}");
    }
    for memory in ["i64 1", "1 2 shared", "1 (pagesize 1)"] {
        let text =
            format!("(module (memory (export \"memory\") {memory}) (func (export \"_start\")))");
        assert_eq!(refused_text(&text), Code::ModuleInvalid, "{memory}");
    }
}

// [MOD-22]
#[test]
fn a_refused_proposal_is_named_with_what_leaves_it_out() {
    for (fields, parts) in [
        ("(func (drop (v128.const i64x2 0 0)))", ["SIMD", "-mno-simd128"]),
        ("(func (return_call 0))", ["return_call", "-mno-tail-call"]),
        ("(func (drop (i32.atomic.load (i32.const 0))))", ["threads", "-pthread"]),
        ("(tag)", ["exception handling", "-fwasm-exceptions"]),
        ("(func (block (try_table (catch_all 0))))", ["try_table", "-fwasm-exceptions"]),
        ("(type (struct))", ["garbage collection", "linear memory"]),
        ("(func (drop (ref.i31 (i32.const 1))))", ["garbage collection", "linear memory"]),
        ("(table i64 1 funcref)", ["memory64", "wasm32-wasip1"]),
    ] {
        let (code, detail) = refused(&with(fields));
        assert_eq!(code, Code::ModuleInvalid, "{fields}");
        assert!(parts.iter().all(|part| detail.contains(part)), "{fields}: {detail}");
    }
    // Legacy exceptions, which the text format no longer writes.
    for (operator, name) in [(0x06, "operator try"), (0x19, "operator catch"), (0x18, "delegate")] {
        let body = [0, operator, 0x40, 0x0b, 0x0b];
        let mut module =
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x07\x01\x05".to_vec();
        module.extend(body);
        let (code, detail) = refused(&module);
        assert_eq!(code, Code::ModuleInvalid);
        assert!(detail.contains(name) && detail.contains("-fwasm-exceptions"), "{detail}");
    }
    for (memory, part) in
        [("i64 1", "memory64"), ("1 2 shared", "threads"), ("1 (pagesize 1)", "page size")]
    {
        let text =
            format!("(module (memory (export \"memory\") {memory}) (func (export \"_start\")))");
        let (_, detail) = refused(&wat::parse_str(text).unwrap());
        assert!(detail.contains(part), "{memory}: {detail}");
    }
}

#[test]
fn what_compilers_emit_is_accepted() {
    verdict(&with(
        "(table 2 funcref) (elem declare func 0) (data $d \"abc\") (global (mut i64) (i64.const 1))
         (type $pair (func (result i32 i64)))
         (func (param externref) (result i32)
            (drop (block (type $pair) (i32.const 1) (i64.const 2))) drop
            (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3)) (data.drop $d)
            (memory.copy (i32.const 0) (i32.const 8) (i32.const 3))
            (table.set 0 (i32.const 0) (ref.func 0)) (drop (table.get 0 (i32.const 0)))
            (drop (ref.is_null (ref.null func)))
            (drop (select (result externref) (local.get 0) (ref.null extern) (i32.const 1)))
            (i32.add (i32.extend8_s (i32.const 200)) (i32.trunc_sat_f64_u (f64.const 1e20))))",
    ))
    .unwrap();
}

#[test]
fn each_count_is_accepted_at_its_limit_and_rejected_one_beyond() {
    let vector = |count: usize, item: &[u8]| {
        let mut body = leb(count);
        body.extend(item.repeat(count));
        body
    };
    let types = |count| (1, vector(count, &[0x60, 0, 0]));
    let parameters = |count: usize| {
        let mut body = vec![1, 0x60];
        body.extend(vector(count, &[0x7f]));
        body.push(0);
        (1, body)
    };
    let results = |count: usize| {
        let mut body = vec![1, 0x60, 0];
        body.extend(vector(count, &[0x7f]));
        (1, body)
    };
    let tables = |count| (4, vector(count, &[0x70, 0, 1]));
    let elements = |count: usize| {
        let mut body = vec![2, 0x70, 0, 5, 0x6f, 1];
        body.extend(leb(count - 5));
        body.extend(leb(count));
        (4, body)
    };
    let segments = |size: usize| (9, vec![0; size]);
    let counted = |id| move |count| (id, leb(count));
    let locals = |count: usize| {
        let mut function = vec![2, 1, 0x7f];
        function.extend(leb(count - 1));
        function.extend([0x7e, 0x0b]);
        let mut body = vec![1];
        body.extend(leb(function.len()));
        body.extend(function);
        (10, body)
    };
    let function = |size: usize| {
        let mut body = vec![1];
        body.extend(leb(size));
        body.push(0);
        body.extend(vec![0x01; size - 2]);
        body.push(0x0b);
        (10, body)
    };
    type Section<'a> = &'a dyn Fn(usize) -> (u8, Vec<u8>);
    let cases: [(Section<'_>, usize); 15] = [
        (&types, TYPES_COUNT_MAX),
        (&parameters, PARAMETERS_COUNT_MAX),
        (&results, RESULTS_COUNT_MAX),
        (&counted(2), IMPORTS_COUNT_MAX),
        (&counted(3), FUNCTIONS_COUNT_MAX),
        (&tables, TABLES_COUNT_MAX),
        (&elements, TABLE_ELEMENTS_COUNT_MAX),
        (&counted(6), GLOBALS_COUNT_MAX),
        (&counted(7), EXPORTS_COUNT_MAX),
        (&counted(9), ELEMENT_SEGMENTS_COUNT_MAX),
        (&segments, ELEMENT_SECTION_BYTES_MAX),
        (&counted(11), DATA_SEGMENTS_COUNT_MAX),
        (&counted(12), DATA_SEGMENTS_COUNT_MAX),
        (&locals, LOCALS_COUNT_MAX),
        (&function, FUNCTION_BYTES_MAX),
    ];
    for (section, limit) in cases {
        let at_limit = prescan::check(&raw(&[section(limit)]));
        assert!(at_limit.is_ok(), "section {} at {limit}", section(1.max(limit)).0);
        let beyond = prescan::check(&raw(&[section(limit + 1)])).unwrap_err();
        assert_eq!(beyond.code(), Code::ModuleLimit, "{beyond}");
        assert!(beyond.detail().contains("section at byte 8"), "{beyond}");
    }
}

#[test]
fn deep_nesting_is_accepted_at_its_limit_and_rejected_one_beyond() {
    for opening in [&[0x02, 0x40][..], &[0x03, 0x40], &[0x41, 1, 0x04, 0x40]] {
        let nested = |depth: usize| {
            let mut operators = opening.repeat(depth);
            operators.extend(vec![0x0b; depth]);
            with_operators(&operators)
        };
        verdict(&nested(NESTING_DEPTH_MAX)).unwrap();
        assert_eq!(refused(&nested(NESTING_DEPTH_MAX + 1)).0, Code::ModuleLimit);
    }
    // Half a million, one after the other, are not nested.
    let flat = [0x02, 0x40, 0x0b].repeat(500_000);
    verdict(&with_operators(&flat)).unwrap();
}

/// A module whose first type is that of `_start`, and whose second has the given number of parameters.
fn with_parameters(count: usize, functions: &[Vec<u8>]) -> Vec<u8> {
    let mut types = vec![2, 0x60, 0, 0, 0x60];
    types.extend(leb(count));
    types.extend(vec![0x7f; count]);
    types.push(0);
    let mut indices = leb(functions.len());
    indices.extend(vec![0; functions.len()]);
    let mut code = leb(functions.len());
    for operators in functions {
        code.extend(leb(operators.len() + 2));
        code.push(0);
        code.extend(operators);
        code.push(0x0b);
    }
    raw(&[
        (1, types),
        (3, indices),
        (5, vec![1, 0, 1]),
        (7, b"\x02\x06memory\x02\x00\x06_start\x00\x00".to_vec()),
        (10, code),
    ])
}

#[test]
fn blocks_with_as_many_parameters_as_allowed_are_accepted_and_with_one_more_rejected() {
    // The index of the type in one byte, and padded to five.
    for index in [&[1][..], &[0x81, 0x80, 0x80, 0x80, 0]] {
        let cases = [
            (&[0x02][..], &[0, 0x0b][..]),
            (&[0x03], &[0, 0x0b]),
            (&[0x41, 0, 0x04], &[0, 5, 0, 0x0b]),
        ];
        for (opening, body) in cases {
            let block = |count: usize| {
                let mut operators = [0x41, 0].repeat(count);
                operators.extend([opening, index, body].concat());
                with_parameters(count, &[operators])
            };
            verdict(&block(BLOCK_PARAMETERS_COUNT_MAX)).unwrap();
            assert_eq!(refused(&block(BLOCK_PARAMETERS_COUNT_MAX + 1)).0, Code::ModuleLimit);
        }
    }
    for unknown in [&[0x02, 2, 0x0b][..], &[0x02, 0xc0, 0x7f, 0x0b]] {
        assert_eq!(refused(&with_parameters(0, &[unknown.to_vec()])).0, Code::ModuleInvalid);
    }
}

#[test]
fn labels_of_br_tables_are_counted_over_all_functions() {
    let table = |labels: usize| {
        let mut operators = vec![0x41, 0, 0x0e];
        operators.extend(leb(labels - 1));
        operators.extend(vec![0; labels]);
        operators
    };
    let half = LABELS_COUNT_MAX / 20;
    let functions = |last: usize| {
        let mut functions = vec![[table(half), table(half)].concat(); 9];
        functions.push([table(half), table(last)].concat());
        with_parameters(0, &functions)
    };
    verdict(&functions(half)).unwrap();
    assert_eq!(refused(&functions(half + 1)).0, Code::ModuleLimit);
}

#[test]
fn calls_of_wide_functions_are_counted_over_all_functions() {
    // In unreachable code each call takes two bytes, and needs no values on the stack.
    let calls = |count: usize| [vec![0], [0x10, 0].repeat(count)].concat();
    let most = PASSED_VALUES_COUNT_MAX / PARAMETERS_COUNT_MAX;
    let functions = |last: usize| [vec![calls(most / 5); 4], vec![calls(last)]].concat();
    let last = most - 4 * (most / 5);
    verdict(&with_parameters(PARAMETERS_COUNT_MAX, &functions(last))).unwrap();
    let (code, detail) = refused(&with_parameters(PARAMETERS_COUNT_MAX, &functions(last + 1)));
    assert_eq!(code, Code::ModuleLimit);
    assert!(detail.contains("values passed by calls"), "{detail}");
}

#[test]
fn growths_are_counted_per_function() {
    // Each takes the answer of the one before.
    let growths = |operator: &[u8], count: usize| {
        let mut operators = vec![0x41, 0];
        operators.extend(operator.repeat(count));
        operators.push(0x1a);
        with_operators(&operators)
    };
    verdict(&growths(&[0x40, 0], GROWTHS_COUNT_MAX)).unwrap();
    assert_eq!(refused(&growths(&[0x40, 0], GROWTHS_COUNT_MAX + 1)).0, Code::ModuleLimit);
    let table = [0xd0, 0x70, 0x41, 0, 0xfc, 15, 0, 0x1a];
    assert_eq!(refused(&growths(&table, GROWTHS_COUNT_MAX + 1)).0, Code::ModuleLimit);
}

#[test]
fn a_module_beyond_its_size_is_rejected_unread() {
    let bytes = vec![0; MODULE_BYTES_MAX + 1];
    assert_eq!(refused(&bytes).0, Code::ModuleTooLarge);
}

#[test]
fn the_frozen_costs_are_those_that_the_spec_states() {
    // Every operator costs one unit, except the markers. The debug text is the only way to go
    // through all fields of the engine's table.
    let table = format!("{:?}", fuel_costs::OPERATORS);
    let fields: Vec<&str> = table.split(['{', ',', '}']).filter(|f| f.contains(": ")).collect();
    assert_eq!(fields.len(), 207);
    let free = ["unreachable", "nop", "block", "loop_", "else_", "end", "return_", "drop"];
    for field in fields {
        let (name, cost) = field.trim().split_once(": ").unwrap();
        let growth = ["memory_grow", "table_grow"].contains(&name);
        let expected = if free.contains(&name) { 0 } else { 1 + 254 * u8::from(growth) };
        assert_eq!(cost, expected.to_string(), "{name}");
    }
    // The engine's own table, which is not used; a change in it is worth a look.
    let own = format!("{:?}", wasmi::OperatorCost::default());
    assert_eq!(table.replace("grow: 255", "grow: 1"), own);
}
