//! Check 7: the module. Those that are valid WebAssembly are written as text; the others as bytes.

use super::case::Case;
use super::deflate::zeros_after;
use super::package::{manifest, module, Package};
use super::zip::Entry;
use serde_json::{json, Value};

const INVALID: &str = "module.invalid";
const LIMIT: &str = "module.limit";
const IMPORT: &str = "module.unknown_import";
const EXPORT: &str = "module.missing_export";

/// The exports that every module needs.
const FRAME: &str = r#"(memory (export "memory") 1) (func (export "_start"))"#;

pub fn cases() -> Vec<Case> {
    let mut cases = binaries();
    cases.extend(features());
    cases.extend(limits());
    cases.extend(imports());
    cases.extend(services());
    cases.extend(exports());
    cases.extend(memory());
    cases.extend(accepted());
    cases.push(too_large());
    for case in &mut cases {
        if IN_BODIES.iter().any(|id| case.id.strip_prefix("module/") == Some(id)) {
            case.needs.push("module-bodies");
        }
    }
    cases
}

/// The cases whose fault is in the operators of a function.
const IN_BODIES: [&str; 19] = [
    "atomics",
    "body-alignment",
    "body-call",
    "body-label",
    "body-local",
    "body-operator",
    "body-stack",
    "body-type",
    "body-unclosed",
    "exceptions",
    "function-references",
    "limit-block-parameters",
    "limit-growths",
    "limit-labels",
    "limit-nesting",
    "simd",
    "tail-call",
    "throw",
    "wide-arithmetic",
];

fn case(id: &str, module: &[u8]) -> Case {
    let zip = Package::new().with("tool.wasm", module).zip();
    let parts = zip.parts();
    let id = format!("module/{id}");
    match parts.len() {
        1 => Case::verify(7, &id, zip.bytes()),
        _ => Case::verify(7, &id, parts),
    }
}

fn text(id: &str, module: &str) -> Case {
    let module = format!("(module {module})");
    let bytes = wat::parse_str(&module).unwrap_or_else(|error| panic!("{id}: {error}"));
    case(id, &bytes)
}

/// A package that requests host services.
fn asking(id: &str, module: &str, capabilities: Value) -> Case {
    let bytes = wat::parse_str(format!("(module {module})")).unwrap();
    let mut manifest = manifest();
    manifest["capabilities"] = capabilities;
    let package = Package::new().with_manifest(&manifest).with("tool.wasm", bytes);
    package.case(7, &format!("module/{id}"))
}

/// An unsigned number as modules write it.
fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(body.len()), body].concat()
}

/// A section that is a list.
fn list(id: u8, count: usize, items: &[u8]) -> Vec<u8> {
    section(id, &[&leb(count)[..], items].concat())
}

/// The parent's module with sections replaced, added in order, or emptied.
fn with_sections(changed: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let own: [(u8, &[u8]); 5] = [
        (1, &[0x01, 0x04, 0x01, 0x60, 0x00, 0x00]),
        (3, &[0x03, 0x02, 0x01, 0x00]),
        (5, &[0x05, 0x03, 0x01, 0x00, 0x01]),
        (7, b"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00"),
        (10, &[0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b]),
    ];
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    // The section that counts the data segments precedes the code.
    for id in [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11, 0, 13, 14] {
        match changed.iter().find(|(changed, _)| *changed == id) {
            Some((_, section)) => bytes.extend(section),
            None => {
                bytes.extend(own.iter().find(|(own, _)| *own == id).map_or(&[][..], |(_, s)| s))
            }
        }
    }
    bytes
}

/// A code section of one function without locals.
fn code(operators: &[u8]) -> Vec<u8> {
    let body = [&[0][..], operators, &[0x0b]].concat();
    list(10, 1, &[leb(body.len()), body].concat())
}

fn binaries() -> Vec<Case> {
    let valid = module();
    let why = "An invalid module is refused as a whole, before any of it is translated or run.";
    let cut = |length: usize| valid[..length].to_vec();
    let put = |at: usize, byte: u8| {
        let mut bytes = valid.clone();
        bytes[at] = byte;
        bytes
    };
    let twice = [valid.clone(), section(10, &[0])].concat();
    let mut cases = Vec::new();
    for (id, title, spec, bytes) in [
        ("empty", "A module of no bytes", "MOD-02", Vec::new()),
        ("text", "A module in text form", "MOD-02", b"(module)".to_vec()),
        ("magic", "Another magic", "MOD-02", put(3, b'n')),
        ("version-2", "Version 2", "MOD-02", put(4, 2)),
        ("component", "A component", "MOD-02", b"\0asm\x0d\0\x01\0".to_vec()),
        ("elf", "A native program", "MOD-02", b"\x7fELF\x02\x01\x01\0".to_vec()),
        ("cut-header", "A module cut inside its header", "MOD-02", cut(6)),
        ("cut-section", "A module cut inside a section", "MOD-03", cut(valid.len() - 1)),
        ("cut-size", "A module that ends after a section's id", "MOD-03", cut(9)),
        (
            "section-long",
            "A section said to be longer than the module",
            "MOD-03",
            put(valid.len() - 5, 0x7f),
        ),
        (
            "section-size-5-bytes",
            "A section size of more than 32 bits",
            "MOD-03",
            with_sections(&[(13, vec![0, 0xff, 0xff, 0xff, 0xff, 0x7f])]),
        ),
        (
            "section-size-6-bytes",
            "A section size in six bytes",
            "MOD-03",
            with_sections(&[(13, vec![0, 0x80, 0x80, 0x80, 0x80, 0x80, 0])]),
        ),
        (
            "section-unknown",
            "A section number that does not exist",
            "MOD-03",
            with_sections(&[(14, section(14, &[0]))]),
        ),
        (
            "section-tag",
            "The section of exception tags",
            "MOD-03",
            with_sections(&[(13, section(13, &[0]))]),
        ),
        ("section-twice", "The code section twice", "MOD-07", twice),
        ("section-order", "Exports before functions", "MOD-07", {
            let export = b"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00".to_vec();
            with_sections(&[(3, [export, vec![0x03, 0x02, 0x01, 0x00]].concat()), (7, Vec::new())])
        }),
        (
            "section-tail",
            "Bytes after the last item of a section",
            "MOD-07",
            with_sections(&[(3, section(3, &[1, 0, 0]))]),
        ),
        (
            "custom-without-name",
            "A custom section too short for its name",
            "MOD-07",
            with_sections(&[(0, section(0, &[5, b'x']))]),
        ),
        (
            "custom-name-cut",
            "A custom section whose name has no length",
            "MOD-03",
            with_sections(&[(0, section(0, &[]))]),
        ),
        (
            "custom-name-not-utf-8",
            "A custom section whose name is not UTF-8",
            "MOD-03",
            with_sections(&[(0, section(0, &[2, 0xff, 0xfe]))]),
        ),
        (
            "code-missing",
            "A function without its code",
            "MOD-07",
            with_sections(&[(10, Vec::new())]),
        ),
        (
            "code-count",
            "Code for two functions where one is declared",
            "MOD-07",
            with_sections(&[(10, list(10, 2, &[2, 0, 0x0b, 2, 0, 0x0b]))]),
        ),
        (
            "type-index",
            "A function of a type that does not exist",
            "MOD-07",
            with_sections(&[(3, section(3, &[1, 1]))]),
        ),
        (
            "export-index",
            "An export of a function that does not exist",
            "MOD-07",
            put(valid.len() - 7, 1),
        ),
        ("export-name", "An export whose name is not UTF-8", "MOD-07", put(valid.len() - 10, 0xff)),
        (
            "export-twice",
            "Two exports of one name",
            "MOD-07",
            with_sections(&[(
                7,
                section(7, b"\x03\x06memory\x02\x00\x06_start\x00\x00\x06_start\x00\x00"),
            )]),
        ),
        (
            "body-unclosed",
            "A body without its end",
            "MOD-07",
            with_sections(&[(10, list(10, 1, &[2, 0, 0x01]))]),
        ),
        (
            "body-type",
            "A body that leaves a value on the stack",
            "MOD-07",
            with_sections(&[(10, code(&[0x41, 0]))]),
        ),
        (
            "body-stack",
            "A body that takes from an empty stack",
            "MOD-07",
            with_sections(&[(10, code(&[0x6a, 0x1a]))]),
        ),
        (
            "body-label",
            "A branch to a block that does not exist",
            "MOD-07",
            with_sections(&[(10, code(&[0x0c, 1]))]),
        ),
        (
            "body-local",
            "A local that does not exist",
            "MOD-07",
            with_sections(&[(10, code(&[0x20, 0, 0x1a]))]),
        ),
        (
            "body-call",
            "A call of a function that does not exist",
            "MOD-07",
            with_sections(&[(10, code(&[0x10, 1]))]),
        ),
        (
            "body-alignment",
            "An alignment above the access",
            "MOD-07",
            with_sections(&[(10, code(&[0x41, 0, 0x28, 3, 0, 0x1a]))]),
        ),
        (
            "body-operator",
            "An operator that does not exist",
            "MOD-06",
            with_sections(&[(10, code(&[0xff]))]),
        ),
        ("start", "A start section", "MOD-08", with_sections(&[(8, section(8, &[0]))])),
        (
            "data-without-memory",
            "Data for a memory that does not exist",
            "MOD-07",
            with_sections(&[
                (5, Vec::new()),
                (7, section(7, b"\x01\x06_start\x00\x00")),
                (11, list(11, 1, &[0, 0x41, 0, 0x0b, 1, b'x'])),
            ]),
        ),
        (
            "memory-crossed",
            "A memory whose least is above its most",
            "MOD-07",
            with_sections(&[(5, section(5, &[1, 1, 2, 1]))]),
        ),
        (
            "memory-65537",
            "A memory of 65,537 pages",
            "MOD-07",
            with_sections(&[(5, section(5, &[1, 0, 0x81, 0x80, 0x04]))]),
        ),
    ] {
        let codes = match id {
            "data-without-memory" => "module.invalid module.missing_export",
            _ => INVALID,
        };
        cases.push(case(id, &bytes).says(title, why).spec(spec).refused(codes));
    }
    cases
}

fn features() -> Vec<Case> {
    let why = "A proposal that is switched off is code that a reviewer need not read.";
    let operator = |operators: &[u8]| with_sections(&[(10, code(operators))]);
    let mut cases = Vec::new();
    for (id, title, spec, bytes) in [
        (
            "simd",
            "A vector constant",
            "MOD-06",
            operator(&[&[0xfd, 12][..], &[0; 16], &[0x1a]].concat()),
        ),
        ("atomics", "An atomic fence", "MOD-06", operator(&[0xfe, 3, 0])),
        ("tail-call", "A tail call", "MOD-06", operator(&[0x12, 0])),
        (
            "exceptions",
            "A try block of the old exceptions",
            "MOD-06",
            operator(&[0x06, 0x40, 0x0b]),
        ),
        ("throw", "A throw", "MOD-06", operator(&[0x08, 0])),
        (
            "gc",
            "A type of a structure",
            "MOD-03",
            with_sections(&[(1, section(1, &[2, 0x60, 0, 0, 0x5f, 0]))]),
        ),
        ("function-references", "A call by reference", "MOD-06", operator(&[0x14, 0])),
        (
            "memory64",
            "A memory of 64-bit addresses",
            "MOD-09",
            with_sections(&[(5, section(5, &[1, 4, 1]))]),
        ),
        (
            "shared-memory",
            "A shared memory",
            "MOD-09",
            with_sections(&[(5, section(5, &[1, 3, 1, 1]))]),
        ),
        (
            "page-size",
            "A memory of another page size",
            "MOD-09",
            with_sections(&[(5, section(5, &[1, 8, 1, 0]))]),
        ),
        (
            "extended-constant",
            "A sum in the initial value of a global",
            "MOD-09",
            with_sections(&[(6, list(6, 1, &[0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b]))]),
        ),
        ("wide-arithmetic", "An addition of 128 bits", "MOD-06", operator(&[0xfc, 19])),
    ] {
        cases.push(case(id, &bytes).says(title, why).spec(spec).refused(INVALID));
    }
    cases
}

fn limits() -> Vec<Case> {
    let why = "A few bytes can declare a lot; every count is checked against its limit before the engine sees it.";
    let function = [2, 0, 0x0b];
    let functions = with_sections(&[
        (3, list(3, 100_001, &[0; 100_001])),
        (10, list(10, 100_001, &function.repeat(100_001))),
    ]);
    let import = b"\x16wasi_snapshot_preview1\x0bsched_yield\x00\x01".repeat(1001);
    let imports = with_sections(&[
        (1, section(1, &[2, 0x60, 0, 0, 0x60, 0, 1, 0x7f])),
        (2, list(2, 1001, &import)),
        (7, section(7, b"\x02\x06memory\x02\x00\x06_start\x00\xe9\x07")),
    ]);
    let export = |n: usize| format!("\x05{n:05}\x00\x00").into_bytes();
    let exports: Vec<u8> = (0..9_999).flat_map(export).collect();
    let exports = [&b"\x06memory\x02\x00\x06_start\x00\x00"[..], &exports].concat();
    let locals = |groups: &[u8]| {
        let body = [groups, &[0x0b]].concat();
        with_sections(&[(10, list(10, 1, &[leb(body.len()), body].concat()))])
    };
    let group = [&leb(1000)[..], &[0x7f]].concat();
    let wide = [&leb(10_001)[..], &[0x7f]].concat();
    let long = code(&vec![0x01; (2 << 20) - 1]);
    let nested = code(&[[0x02, 0x40].repeat(10_001), vec![0x0b; 10_001]].concat());
    let grows = [0x41, 0, 0x40, 0, 0x1a];
    let labels = [&[0x41, 0, 0x0e][..], &leb(1_000_000), &vec![0; 1_000_001]].concat();
    let table = |least: usize| [&[0x70, 0][..], &leb(least)].concat();
    let mut cases = Vec::new();
    for (id, title, spec, bytes) in [
        (
            "types",
            "10,001 types",
            "LIM-21",
            with_sections(&[(1, list(1, 10_001, &[0x60, 0, 0].repeat(10_001)))]),
        ),
        ("functions", "100,001 functions", "LIM-22", functions),
        ("imports", "1,001 imports", "LIM-23", imports),
        ("exports", "10,001 exports", "LIM-24", with_sections(&[(7, list(7, 10_001, &exports))])),
        (
            "globals",
            "10,001 globals",
            "LIM-25",
            with_sections(&[(6, list(6, 10_001, &[0x7f, 0, 0x41, 0, 0x0b].repeat(10_001)))]),
        ),
        ("tables", "17 tables", "LIM-26", with_sections(&[(4, list(4, 17, &table(0).repeat(17)))])),
        (
            "table-elements",
            "A table of 1,000,001 elements",
            "LIM-27 MOD-05",
            with_sections(&[(4, list(4, 1, &table(1_000_001)))]),
        ),
        (
            "table-elements-together",
            "Two tables of 1,000,001 elements together",
            "LIM-27 MOD-05",
            with_sections(&[(4, list(4, 2, &[table(500_000), table(500_001)].concat()))]),
        ),
        (
            "element-segments",
            "10,001 element segments",
            "LIM-28",
            with_sections(&[(9, list(9, 10_001, &[1, 0, 0].repeat(10_001)))]),
        ),
        (
            "data-segments",
            "100,001 data segments",
            "LIM-29",
            with_sections(&[(11, list(11, 100_001, &[1, 0].repeat(100_001)))]),
        ),
        (
            "data-count",
            "A count of 100,001 data segments",
            "LIM-29",
            with_sections(&[(12, section(12, &leb(100_001)))]),
        ),
        (
            "parameters",
            "65 parameters",
            "LIM-30",
            with_sections(&[(
                1,
                list(1, 2, &[&[0x60, 0, 0, 0x60, 65][..], &[0x7f; 65], &[0]].concat()),
            )]),
        ),
        (
            "block-parameters",
            "A block with 5 parameters",
            "MOD-17 LIM-153",
            with_sections(&[
                (1, list(1, 2, &[&[0x60, 0, 0, 0x60, 5][..], &[0x7f; 5], &[0]].concat())),
                (10, code(&[0x00, 0x02, 0x01, 0x00, 0x0b])),
            ]),
        ),
        (
            "labels",
            "A table of 1,000,001 labels",
            "MOD-16 LIM-154",
            with_sections(&[(10, code(&labels))]),
        ),
        (
            "element-bytes",
            "More than 1 MiB of element segments",
            "MOD-15 LIM-155",
            with_sections(&[(9, section(9, &vec![0; (1 << 20) + 1]))]),
        ),
        (
            "results",
            "5 results",
            "LIM-31",
            with_sections(&[(
                1,
                list(1, 2, &[&[0x60, 0, 0, 0x60, 0, 5][..], &[0x7f; 5]].concat()),
            )]),
        ),
        (
            "locals",
            "10,001 locals in one group",
            "LIM-32 MOD-04",
            locals(&[&[1][..], &wide].concat()),
        ),
        (
            "locals-groups",
            "11,000 locals in eleven groups",
            "LIM-32 MOD-04",
            locals(&[&[11][..], &group.repeat(11)].concat()),
        ),
        (
            "locals-4-gib",
            "2^32 − 1 locals",
            "LIM-32 MOD-04",
            locals(&[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f]),
        ),
        (
            "function-bytes",
            "A function of 2 MiB and one byte",
            "LIM-33",
            with_sections(&[(10, long)]),
        ),
        (
            "nesting",
            "10,001 blocks inside each other",
            "LIM-34 MOD-06",
            with_sections(&[(10, nested)]),
        ),
        (
            "growths",
            "1,001 operators that grow the memory",
            "LIM-150 MOD-14",
            with_sections(&[(10, code(&grows.repeat(1_001)))]),
        ),
        ("memories", "Two memories", "MOD-03", with_sections(&[(5, section(5, &[2, 0, 1, 0, 1]))])),
    ] {
        let spec = format!("MOD-03 {}", spec.trim_start_matches("MOD-03"));
        cases.push(
            case(&format!("limit-{id}"), &bytes).says(title, why).spec(spec.trim()).refused(LIMIT),
        );
    }
    cases
}

fn imports() -> Vec<Case> {
    let why =
        "What was never offered cannot be called: there is no host function outside the list.";
    let mut cases = Vec::new();
    for (id, title, spec, imports) in [
        (
            "module",
            "A function of another module",
            "MOD-10",
            r#"(import "env" "system" (func (param i32) (result i32)))"#,
        ),
        (
            "function",
            "A function that WASI preview 1 does not have",
            "MOD-10",
            r#"(import "wasi_snapshot_preview1" "sock_connect" (func (param i32 i32) (result i32)))"#,
        ),
        (
            "function-case",
            "A function in another case",
            "MOD-10",
            r#"(import "wasi_snapshot_preview1" "FD_CLOSE" (func (param i32) (result i32)))"#,
        ),
        (
            "unstable",
            "The module of an older preview",
            "MOD-10",
            r#"(import "wasi_unstable" "fd_close" (func (param i32) (result i32)))"#,
        ),
        ("empty-names", "A function without names", "MOD-10", r#"(import "" "" (func))"#),
        (
            "parameters",
            "A function with other parameters",
            "MOD-10 MOD-20",
            r#"(import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))"#,
        ),
        (
            "results",
            "A function with another result",
            "MOD-10 MOD-21",
            r#"(import "wasi_snapshot_preview1" "fd_close" (func (param i32)))"#,
        ),
        (
            "proc-exit-result",
            "proc_exit with a result",
            "MOD-10 MOD-21",
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func (param i32) (result i32)))"#,
        ),
        ("global", "A global", "MOD-10", r#"(import "env" "base" (global i32))"#),
        ("table", "A table", "MOD-10", r#"(import "env" "table" (table 1 funcref))"#),
        (
            "global-by-known-name",
            "A global under the name of a function",
            "MOD-10",
            r#"(import "wasi_snapshot_preview1" "fd_close" (global i32))"#,
        ),
        (
            "start-from-outside",
            "The name of the entry point, from outside",
            "MOD-10",
            r#"(import "env" "_start" (func))"#,
        ),
        (
            "one-of-two",
            "A function that exists and one that does not",
            "MOD-10",
            r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32))) (import "env" "abort" (func))"#,
        ),
    ] {
        cases.push(
            text(&format!("import-{id}"), &format!("{imports} {FRAME}"))
                .says(title, why)
                .spec(spec)
                .refused(IMPORT),
        );
    }
    cases.push(
        text("import-memory", r#"(import "env" "memory" (memory 1)) (export "memory" (memory 0)) (func (export "_start"))"#)
            .says("The memory, from outside", "A memory that the host makes is one that it shares.")
            .spec("MOD-10")
            .refused(IMPORT),
    );
    cases
}

/// Both functions of the host services.
const SERVICES: &str = r#"(import "mpp_v1" "request" (func (param i32 i32) (result i32)))
    (import "mpp_v1" "response" (func (param i32 i32) (result i32)))"#;

fn services() -> Vec<Case> {
    let why = "Host services are imported only by a package that requests one.";
    let network = || json!({ "network": ["api.example.com"] });
    let mut cases = Vec::new();
    for (id, title, capabilities) in [
        ("nothing", "Host services in a package that requests nothing", json!({})),
        (
            "no-host",
            "Host services in a package with an empty list of hosts",
            json!({ "network": [] }),
        ),
        (
            "other",
            "Host services in a package that requests other capabilities only",
            json!({ "environment": ["KEY"], "filesystem": { "read": ["/data"] } }),
        ),
    ] {
        cases.push(
            asking(&format!("service-{id}"), &format!("{SERVICES} {FRAME}"), capabilities)
                .says(title, why)
                .spec("DOOR-02")
                .refused(IMPORT),
        );
    }
    for (id, title, import) in [
        (
            "function",
            "A function that the host services do not have",
            r#"(import "mpp_v1" "connect" (func (param i32 i32) (result i32)))"#,
        ),
        (
            "version",
            "The host services of a later version",
            r#"(import "mpp_v2" "request" (func (param i32 i32) (result i32)))"#,
        ),
        (
            "parameters",
            "A host service function with another parameter",
            r#"(import "mpp_v1" "request" (func (param i32 i64) (result i32)))"#,
        ),
        (
            "results",
            "A host service function without its result",
            r#"(import "mpp_v1" "response" (func (param i32 i32)))"#,
        ),
        (
            "global",
            "A global under the name of a host service function",
            r#"(import "mpp_v1" "request" (global i32))"#,
        ),
    ] {
        cases.push(
            asking(&format!("service-{id}"), &format!("{import} {FRAME}"), network())
                .says(title, "What was never offered cannot be called.")
                .spec("MOD-10 DOOR-01")
                .refused(IMPORT),
        );
    }
    cases.push(
        asking("accept-service-host", &format!("{SERVICES} {FRAME}"), network())
            .says(
                "Host services in a package that requests a host",
                "The `http` service is what it requests.",
            )
            .spec("DOOR-01 DOOR-02"),
    );
    let storage = json!({ "storage": { "limit_kb": 1 } });
    cases.push(
        asking("service-storage", &format!("{SERVICES} {FRAME}"), storage)
            .says(
                "Host services in a package that requests storage only",
                "Storage is a directory.",
            )
            .spec("DOOR-02")
            .refused(IMPORT),
    );
    cases
}

fn exports() -> Vec<Case> {
    let why = "A command has one memory and one entry point, by these names.";
    let mut cases = Vec::new();
    for (id, title, spec, module) in [
        ("nothing", "A module that exports nothing", "MOD-11", ""),
        ("no-memory", "No memory exported", "MOD-11", r#"(memory 1) (func (export "_start"))"#),
        ("no-memory-at-all", "No memory", "MOD-11", r#"(func (export "_start"))"#),
        (
            "memory-other-name",
            "The memory under another name",
            "MOD-11",
            r#"(memory (export "mem") 1) (func (export "_start"))"#,
        ),
        (
            "memory-is-function",
            "A function named as the memory",
            "MOD-11",
            r#"(memory 1) (func (export "memory")) (func (export "_start"))"#,
        ),
        ("no-start", "No entry point", "MOD-12", r#"(memory (export "memory") 1)"#),
        (
            "start-main",
            "An entry point of another name",
            "MOD-12",
            r#"(memory (export "memory") 1) (func (export "main"))"#,
        ),
        (
            "reactor",
            "A reactor, which has another entry point",
            "MOD-12",
            r#"(memory (export "memory") 1) (func (export "_initialize"))"#,
        ),
        (
            "start-parameter",
            "An entry point with a parameter",
            "MOD-12",
            r#"(memory (export "memory") 1) (func (export "_start") (param i32))"#,
        ),
        (
            "start-result",
            "An entry point with a result",
            "MOD-12",
            r#"(memory (export "memory") 1) (func (export "_start") (result i32) (i32.const 0))"#,
        ),
        (
            "start-is-global",
            "A global named as the entry point",
            "MOD-12",
            r#"(memory (export "memory") 1) (global (export "_start") i32 (i32.const 0))"#,
        ),
    ] {
        cases.push(
            text(&format!("export-{id}"), module).says(title, why).spec(spec).refused(EXPORT),
        );
    }
    cases
}

fn memory() -> Vec<Case> {
    let why = "What a module starts with is allocated before its first instruction.";
    let mut cases = Vec::new();
    for (id, title, pages) in [
        ("above-limit", "One page above the manifest's limit", 17),
        ("4-gib", "All of 4 GiB", 65_536),
    ] {
        let module = format!(r#"(memory (export "memory") {pages}) (func (export "_start"))"#);
        cases.push(
            text(&format!("memory-{id}"), &module)
                .says(title, why)
                .spec("MOD-13")
                .refused("module.memory"),
        );
    }
    cases
}

fn accepted() -> Vec<Case> {
    let mut all = String::new();
    for (name, parameters) in WASI {
        let parameters: Vec<&str> =
            parameters.chars().map(|letter| if letter == 'I' { "i64" } else { "i32" }).collect();
        let result = if name == "proc_exit" { "" } else { "(result i32)" };
        all.push_str(&format!(
            r#"(import "wasi_snapshot_preview1" "{name}" (func (param {}) {result}))"#,
            parameters.join(" ")
        ));
    }
    let reads = "Real tools need it.";
    let edge = "It is at the limit that the rule allows.";
    let grows = [0x41, 0, 0x40, 0, 0x1a];
    let nested = code(&[[0x02, 0x40].repeat(10_000), vec![0x0b; 10_000]].concat());
    let mut cases = vec![
        case("accept-nesting", &with_sections(&[(10, nested)]))
            .says("10,000 blocks inside each other", edge)
            .spec("MOD-06 LIM-34"),
        case("accept-growths", &with_sections(&[(10, code(&grows.repeat(1_000)))]))
            .says("1,000 operators that grow the memory", edge)
            .spec("MOD-14 LIM-150"),
        case("accept-custom-section", &with_sections(&[(0, section(0, b"\x07produced by hand"))]))
            .says("A custom section", "Compilers write them; they mean nothing here.")
            .spec("MOD-07"),
    ];
    for (id, title, why, spec, module) in [
        ("all-of-wasi", "Every function of WASI preview 1", reads, "MOD-20 MOD-21", format!("{all} {FRAME}")),
        ("import-twice", "One function imported twice", "Some linkers do.", "MOD-10", format!(r#"{0} {0} {FRAME}"#, r#"(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))"#)),
        ("memory-at-limit", "As many pages as the manifest allows", edge, "MOD-13", r#"(memory (export "memory") 16) (func (export "_start"))"#.into()),
        ("memory-maximum", "A memory that may grow beyond the limit", "Growing fails when it is tried.", "MOD-13", r#"(memory (export "memory") 1 65536) (func (export "_start"))"#.into()),
        ("tables", "Sixteen tables", edge, "MOD-05 LIM-26", format!("{} {FRAME}", "(table 0 funcref)".repeat(16))),
        ("table-elements", "A table of 1,000,000 elements", edge, "MOD-05 LIM-27", format!("(table 1000000 funcref) {FRAME}")),
        ("sign-extension", "Sign extension", reads, "MOD-09", format!("(func (drop (i32.extend8_s (i32.const 1)))) {FRAME}")),
        ("saturating", "Conversions that saturate", reads, "MOD-09", format!("(func (drop (i32.trunc_sat_f64_s (f64.const 1)))) {FRAME}")),
        ("multi-value", "Several results", reads, "MOD-09", format!("(func (result i32 i64) (i32.const 1) (i64.const 2)) {FRAME}")),
        ("bulk-memory", "Copying and filling memory", reads, "MOD-09", format!("(func (memory.copy (i32.const 0) (i32.const 1) (i32.const 2)) (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))) {FRAME}")),
        ("reference-types", "Reference types", reads, "MOD-09", format!("(table 1 externref) (func (param externref) (table.set (i32.const 0) (local.get 0))) {FRAME}")),
        ("mutable-global", "An exported global that changes", reads, "MOD-09", format!(r#"(global (export "g") (mut i32) (i32.const 0)) {FRAME}"#)),
        ("locals", "10,000 locals beside a parameter", edge, "MOD-04 LIM-32", format!("(func (param i32) (local {})) {FRAME}", "i32 ".repeat(10_000))),
        ("further-exports", "Further exports", "Some linkers export every symbol.", "MOD-11 MOD-12", format!(r#"(func (export "malloc") (param i32) (result i32) (local.get 0)) {FRAME}"#)),
    ] {
        cases.push(text(&format!("accept-{id}"), &module).says(title, why).spec(spec));
    }
    cases
}

/// WASI preview 1 as its `witx` files lower it: `i` is 32 bits, `I` 64.
const WASI: [(&str, &str); 46] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_get", "ii"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_exit", "i"),
    ("proc_raise", "i"),
    ("sched_yield", ""),
    ("random_get", "ii"),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// A valid module that is one byte too large by a custom section of zeros. It is deflated, so that it
/// is small on the disk.
fn too_large() -> Case {
    const LIMIT_BYTES: usize = 48 << 20;
    let head = [&module()[..], &[0], &leb(LIMIT_BYTES + 1 - module().len() - 5)].concat();
    let zeros = LIMIT_BYTES + 1 - head.len();
    let whole = [&head[..], &vec![0; zeros]].concat();
    let package = Package::new().with("tool.wasm", whole);
    let signature = format!("{:#}\n", package.signature());
    let mut zip = Package::new().with("signature.json", signature).zip();
    let mut entry = Entry::deflated(b"tool.wasm", b"", zeros_after(&head, zeros));
    entry.both(|header| {
        header.content_bytes = Some((head.len() + zeros) as u32);
        header.checksum = Some(0x29e9_4607);
    });
    *zip.entry("tool.wasm") = entry;
    Case::verify(7, "module/too-large", zip.parts())
        .says(
            "A module of 48 MiB and one byte",
            "The engine's work grows with the module, so its size is checked first.",
        )
        .spec("MOD-01 LIM-20")
        .refused("module.too_large")
}
