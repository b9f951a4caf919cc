//! Limits: what is at a limit is accepted, and what is one beyond is refused.

use super::audit::key_file;
use super::case::{parts_json, Case, Part};
use super::package::{manifest, Package};
use super::run::text_block;
use serde_json::{json, Value};

/// Cases of other directories that are at a limit or one beyond.
const SHOWN: [(&str, &str); 40] = [
    ("LIM-254", "key/accept-file-longest"),
    ("LIM-254", "key/file-long"),
    ("LIM-01", "archive/archive-above-limit"),
    ("LIM-02", "archive/count-above-limit"),
    ("LIM-03", "archive/entry-above-limit"),
    ("LIM-04", "archive/contents-above-limit"),
    ("LIM-05", "archive/accept-name-255-bytes"),
    ("LIM-05", "archive/name-256-bytes"),
    ("LIM-06", "archive/accept-name-16-deep"),
    ("LIM-06", "archive/name-deep"),
    ("LIM-07", "content/record-too-long"),
    ("LIM-08", "signature/accept-eight"),
    ("LIM-08", "signature/nine"),
    ("LIM-11", "manifest/tools-many"),
    ("LIM-14", "manifest/authors-many"),
    ("LIM-14", "manifest/args-many"),
    ("LIM-14", "manifest/directories-many"),
    ("LIM-14", "manifest/network-many"),
    ("LIM-15", "manifest/homepage-long"),
    ("LIM-15", "manifest/name-long"),
    ("LIM-15", "manifest/schema-pattern-long"),
    ("LIM-16", "manifest/accept-texts"),
    ("LIM-16", "manifest/description-long"),
    ("LIM-16", "manifest/args-long"),
    ("LIM-17", "manifest/schema-accept-ref-chain"),
    ("LIM-17", "manifest/schema-ref-chain"),
    ("LIM-140", "manifest/accept-every-key"),
    ("LIM-140", "manifest/memory-high"),
    ("LIM-141", "manifest/accept-every-key"),
    ("LIM-141", "manifest/timeout-high"),
    ("LIM-142", "manifest/accept-every-key"),
    ("LIM-142", "manifest/fuel-high"),
    ("LIM-143", "manifest/accept-every-key"),
    ("LIM-143", "manifest/output-high"),
    ("LIM-144", "manifest/accept-every-key"),
    ("LIM-144", "manifest/storage-high"),
    ("LIM-73", "policy/lifetime-long"),
    ("LIM-65", "manifest/custom-many"),
    ("LIM-145", "filter/search-states"),
    ("LIM-147", "filter/search-deep"),
];

/// Adds the ids of limits to the cases that show them.
pub fn name_in(cases: &mut [Case]) {
    for (limit, id) in SHOWN {
        let case = cases.iter_mut().find(|case| case.id == id);
        let case = case.unwrap_or_else(|| panic!("no case {id}"));
        if !case.spec.iter().any(|known| known == limit) {
            case.spec.push(limit.to_owned());
        }
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = files();
    cases.extend(policies());
    cases.extend(host_calls());
    cases.extend(fuel());
    cases.extend(stack());
    cases.extend(values());
    cases.extend(reports());
    cases.extend(passed_values());
    cases
}

/// This text, and spaces up to a length.
fn padded(text: &str, bytes: usize) -> Value {
    parts_json(&[Part::once(text), Part { bytes: vec![b' '], times: bytes - text.len() }])
}

/// What every log has.
const FILES: [&str; 4] = ["audit.head", "audit.jsonl", "audit.key", "audit.lock"];

fn files() -> Vec<Case> {
    let why = "The length of a file is checked before it is read.";
    let mut cases = Vec::new();
    for (op, limit, bytes, code) in [
        ("trust", "LIM-70", 1_usize << 20, "trust.invalid"),
        ("policy", "LIM-71", 1 << 20, "policy.invalid"),
    ] {
        let text = format!("{{\"format\":\"mpp-{op}/1\"}}");
        let of =
            |id: &str, bytes: usize| Case::large(op, &format!("{op}/{id}"), padded(&text, bytes));
        cases.push(of("accept-longest", bytes).says("A file of 1 MiB", why).spec(limit));
        cases.push(
            of("too-long", bytes + 1)
                .says("A file of 1 MiB and one byte", why)
                .spec(limit)
                .refused(code),
        );
    }
    let index = r#"{"format":"mpp-installed/1","packages":[]}"#;
    let of = |id: &str, bytes: usize| {
        Case::store(id).with("files", json!({ "installed.json": padded(index, bytes) }))
    };
    cases.push(
        of("accept-index-longest", 8 << 20)
            .answers(json!({ "installed": [] }))
            .says("An index of 8 MiB", why)
            .spec("STORE-03 LIM-201"),
    );
    cases.push(
        of("index-too-long", (8 << 20) + 1)
            .says("An index of 8 MiB and one byte", why)
            .spec("STORE-03 LIM-201")
            .refused("store.invalid"),
    );
    let half = "{\"v\":1,";
    let torn = |id: &str, earlier: usize, names: &[&str]| {
        Case::record(id, Package::new().bytes(), Some(half.as_bytes().to_vec()))
            .with("tool", "nope")
            .with(
                "directory",
                json!({ "audit.key": key_file(), "audit.torn-1": padded("", earlier) }),
            )
            .answers(json!({ "files": ([&FILES[..], names].concat()) }))
    };
    let most = (4 << 20) - half.len();
    let aside = "What is set aside has a limit, and another name when it is reached.";
    cases.push(
        torn("torn-most", most, &["audit.torn-1"])
            .says("A line set aside in a file that has 4 MiB then", aside)
            .spec("AUD-75 LIM-54"),
    );
    cases.push(
        torn("torn-more", most + 1, &["audit.torn-1", "audit.torn-1-1"])
            .says("A line set aside where a file would have more than 4 MiB", aside)
            .spec("AUD-75 LIM-54"),
    );
    cases
}

fn policies() -> Vec<Case> {
    let why = "A limit keeps a mistake in a policy small.";
    let with = |id: &str, members: Value| {
        let mut policy = members;
        policy["format"] = json!("mpp-policy/1");
        Case::host("policy", &format!("policy/{id}"), "policy", policy.to_string())
    };
    let header = |letters: usize| {
        json!({ "network": { "headers": [{
            "host": "b.example", "name": "x-key", "secret": "KEY", "prefix": "x".repeat(letters),
        }] } })
    };
    vec![
        with("accept-lifetime-day", json!({ "token_lifetime_s": 86_400 }))
            .says("Tokens for a day", why)
            .spec("POLICY-11 TOKEN-03 LIM-73"),
        with("accept-wait-hour", json!({ "consent": { "wait_s": 3_600 } }))
            .says("A wait of an hour", why)
            .spec("POLICY-11 LIM-250"),
        with("wait-long", json!({ "consent": { "wait_s": 3_601 } }))
            .says("A wait of more than an hour", why)
            .spec("POLICY-11 LIM-250")
            .refused("policy.invalid"),
        with("accept-prefix-64", header(64))
            .says("64 characters before a secret", why)
            .spec("POLICY-11 LIM-266"),
        with("prefix-long", header(65))
            .says("65 characters before a secret", why)
            .spec("POLICY-11 LIM-266")
            .refused("policy.invalid"),
    ]
}

/// A guest that imports these functions of WASI, does this, and says `fine`.
fn guest(imports: &[(&str, &str)], pages: u32, start: &str) -> Vec<u8> {
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": "fine" }).to_string();
    let data: String = answer.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let imports: String = imports
        .iter()
        .map(|(name, parameters)| {
            format!(
                "(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} (param {parameters}) (result i32)))\n"
            )
        })
        .collect();
    let module = format!(
        r#"(module
          {imports}
          (import "wasi_snapshot_preview1" "fd_write" (func $say (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") {pages})
          (data (i32.const 1024) "{data}")
          (func $must (param $errno i32) (param $expected i32)
            (if (i32.ne (local.get $errno) (local.get $expected)) (then unreachable)))
          {start}
          (func (export "_start")
            (call $test)
            (i32.store (i32.const 0) (i32.const 1024))
            (i32.store (i32.const 4) (i32.const {length}))
            (drop (call $say (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        length = answer.len(),
    );
    wat::parse_str(&module).unwrap_or_else(|error| panic!("{start}: {error}"))
}

fn run(id: &str, fuel: u64, module: Vec<u8>) -> Case {
    let mut manifest = manifest();
    manifest["runtime"] = json!({
        "target": "wasm32-wasip1", "memory_limit_mb": 16, "fuel": fuel, "output_limit_kb": 16_384,
    });
    let package =
        Package::new().with_manifest(&manifest).with("tool.wasm", module).with("assets/x", "x");
    Case::run(&format!("run/limit-{id}"), package.bytes())
}

fn fine(case: Case) -> Case {
    case.answers(json!({ "content": text_block("fine"), "is_error": false }))
}

/// Repeats this a number of times.
fn times(count: u32, body: &str) -> String {
    format!(
        "(func $test (local $left i32)
           (local.set $left (i32.const {count}))
           (loop $again {body}
             (local.set $left (i32.sub (local.get $left) (i32.const 1)))
             (br_if $again (local.get $left))))"
    )
}

fn once(body: &str) -> String {
    format!("(func $test {body})")
}

const FILL_PATH: &str = "(func $fill (local $at i32)
   (local.set $at (i32.const 65536))
   (loop $again
     (i32.store16 (local.get $at) (i32.const 0x2f2e))
     (local.set $at (i32.add (local.get $at) (i32.const 2)))
     (br_if $again (i32.lt_u (local.get $at) (i32.const 69800)))))";

/// Host calls that answer with an error beyond a limit, and the guest goes on.
fn host_calls() -> Vec<Case> {
    let why = "The guest gets an error, and can go on.";
    let mut cases = Vec::new();
    let mut both = |id: &str,
                    what: &str,
                    spec: &str,
                    imports: &[(&str, &str)],
                    pages: u32,
                    calls: [(&str, String); 2]| {
        for (side, (count, test)) in ["most", "more"].into_iter().zip(calls) {
            let case = run(&format!("{id}-{side}"), 20_000_000, guest(imports, pages, &test));
            cases.push(fine(case).says(&format!("{count} {what}"), why).spec(spec));
        }
    };
    let write = |count: u32, errno: u32| {
        once(&format!("(call $must (call $fd_write (i32.const 1) (i32.const 65536) (i32.const {count}) (i32.const 8)) (i32.const {errno}))"))
    };
    both(
        "buffers",
        "buffers in one call",
        "BOX-42 LIM-41",
        &[("fd_write", "i32 i32 i32 i32")],
        2,
        [("1024", write(1024, 0)), ("1025", write(1025, 28))],
    );
    let random = |count: u32, errno: u32| {
        once(&format!("(call $must (call $random_get (i32.const 65536) (i32.const {count})) (i32.const {errno}))"))
    };
    both(
        "random",
        "random bytes in one call",
        "BOX-54 LIM-42",
        &[("random_get", "i32 i32")],
        32,
        [("1,048,576", random(1 << 20, 0)), ("1,048,577", random((1 << 20) + 1, 28))],
    );
    let poll = |count: u32, errno: u32| {
        once(&format!("(call $must (call $poll_oneoff (i32.const 65536) (i32.const 131072) (i32.const {count}) (i32.const 8)) (i32.const {errno}))"))
    };
    both(
        "subscriptions",
        "subscriptions in one call",
        "BOX-53 LIM-48",
        &[("poll_oneoff", "i32 i32 i32 i32")],
        4,
        [("1024", poll(1024, 0)), ("1025", poll(1025, 28))],
    );
    let path = |count: u32, errno: u32| {
        format!("{FILL_PATH} (func $test (call $fill) (call $must (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 65536) (i32.const {count}) (i32.const 2048)) (i32.const {errno})))")
    };
    both(
        "path",
        "bytes of a path",
        "BOX-61 LIM-46",
        &[("path_filestat_get", "i32 i32 i32 i32 i32")],
        2,
        [("4096", path(4096, 0)), ("4097", path(4097, 37))],
    );
    let open = "(call $path_open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 1) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 8))";
    let opens = |count: u32, last: u32| {
        format!(
            "(data (i32.const 2048) \".\") (func $one (call $must {open} (i32.const 0))) {} ",
            times(count, "(call $one)").replacen(
                "(br_if $again (local.get $left))))",
                &format!(
                    "(br_if $again (local.get $left))) (call $must {open} (i32.const {last})))"
                ),
                1
            )
        )
    };
    // Three streams and the directory of the package are open.
    both(
        "descriptors",
        "descriptors",
        "BOX-64 LIM-47",
        &[("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32")],
        2,
        [("128", opens(123, 0)), ("129", opens(124, 33))],
    );
    let clock = "(call $must (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 2048)) (i32.const 0))
                 (call $must (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 2056)) (i32.const 0))
                 (if (i64.ne (i64.sub (i64.load (i32.const 2056)) (i64.load (i32.const 2048))) (i64.const 1000000)) (then unreachable))";
    cases.push(
        fine(run("clock", 1_000_000, guest(&[("clock_time_get", "i32 i64 i32")], 2, &once(clock))))
            .says(
                "A clock that is read twice",
                "The virtual clock goes on by one step with each reading.",
            )
            .spec("BOX-50 LIM-49"),
    );
    cases
}

/// What host calls cost, besides the operators around them.
fn fuel() -> Vec<Case> {
    let why = "Work of the host costs fuel, so that no guest has it for nothing.";
    let mut cases = Vec::new();
    let mut both = |id: &str, title: &str, spec: &str, enough: u64, less: u64, module: Vec<u8>| {
        cases.push(
            fine(run(&format!("{id}-enough"), enough, module.clone()))
                .says(&format!("{title}, with fuel for it"), why)
                .spec(spec),
        );
        cases.push(
            run(&format!("{id}-less"), less, module)
                .says(&format!("{title}, with less fuel than it takes"), why)
                .spec(spec)
                .refused("tool.fuel_exhausted"),
        );
    };
    both(
        "fuel-call",
        "10,000 host calls",
        "BOX-34 LIM-39",
        1_200_000,
        1_000_000,
        guest(&[("fd_close", "i32")], 2, &times(10_000, "(drop (call $fd_close (i32.const 99)))")),
    );
    both("fuel-buffers", "100 calls with 1,024 empty buffers", "BOX-34 LIM-40", 1_100_000, 1_024_000,
        guest(&[("fd_write", "i32 i32 i32 i32")], 2,
            &times(100, "(drop (call $fd_write (i32.const 1) (i32.const 65536) (i32.const 1024) (i32.const 8)))")));
    both(
        "fuel-random",
        "A mebibyte of random bytes",
        "BOX-34 LIM-43",
        8_500_000,
        8_388_608,
        guest(
            &[("random_get", "i32 i32")],
            32,
            &once("(drop (call $random_get (i32.const 65536) (i32.const 1048576)))"),
        ),
    );
    both("fuel-path", "A path of 2,049 components", "BOX-34 LIM-45", 300_000, 204_800,
        guest(&[("path_filestat_get", "i32 i32 i32 i32 i32")], 2,
            &format!("{FILL_PATH} (func $test (call $fill) (drop (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 65536) (i32.const 4096) (i32.const 2048))))")));
    both("fuel-listing", "1,000 listings of three names", "BOX-34 LIM-44", 600_000, 400_000,
        guest(&[("fd_readdir", "i32 i32 i32 i64 i32")], 2,
            &times(1_000, "(drop (call $fd_readdir (i32.const 3) (i32.const 65536) (i32.const 4096) (i64.const 0) (i32.const 8)))")));
    cases
}

fn stack() -> Vec<Case> {
    let why = "The stack of a guest is on the heap of the host, and has a limit.";
    // `_start`, `$test` and one call for each number down to zero.
    let deep = |calls: u32, locals: usize| {
        let locals = "i64 ".repeat(locals);
        guest(&[], 2, &format!(
            "(func $down (param $n i32) (local {locals}) (if (local.get $n) (then (call $down (i32.sub (local.get $n) (i32.const 1))))))
             (func $test (call $down (i32.const {})))",
            calls - 3
        ))
    };
    vec![
        fine(run("calls-most", 20_000_000, deep(65_536, 0)))
            .says("65,536 calls within each other", why)
            .spec("BOX-36 LIM-35"),
        run("calls-more", 20_000_000, deep(65_537, 0))
            .says("65,537 calls within each other", why)
            .spec("BOX-36 LIM-35")
            .refused("tool.stack_exhausted"),
        fine(run("stack-less", 20_000_000, deep(2_000, 1_000)))
            .says("2,000 calls with 8,000 bytes of values each", why)
            .spec("BOX-36 LIM-36"),
        run("stack-more", 20_000_000, deep(2_200, 1_000))
            .says("2,200 calls with 8,000 bytes of values each", why)
            .spec("BOX-36 LIM-36")
            .refused("tool.stack_exhausted"),
    ]
}

/// An answer with many values, which a guest writes.
fn values() -> Vec<Case> {
    let why = "What a text becomes in memory has a limit besides the length of the text.";
    let head = r#"{"jsonrpc":"2.0","id":1,"result":["#;
    let data: String = head.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let module = format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 70)
          (data (i32.const 65500) "{data}")
          (func (export "_start") (local $at i32)
            (local.set $at (i32.const {start}))
            (loop $again
              (i32.store (local.get $at) (i32.const 0x302c302c))
              (local.set $at (i32.add (local.get $at) (i32.const 4)))
              (br_if $again (i32.lt_u (local.get $at) (i32.const {end}))))
            (i32.store8 (i32.const {start}) (i32.const 0x20))
            (i32.store16 (i32.const {end}) (i32.const 0x7d5d))
            (i32.store (i32.const 0) (i32.const 65500))
            (i32.store (i32.const 4) (i32.const {length}))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
        start = 65500 + head.len(),
        end = 65500 + head.len() + 2 * 2_000_000,
        length = head.len() + 2 * 2_000_000 + 2,
    );
    let module = wat::parse_str(&module).unwrap_or_else(|error| panic!("{error}"));
    vec![run("values", 40_000_000, module)
        .says("A list of two million numbers in an answer", why)
        .spec("JSON-08 BOX-71 LIM-156")
        .refused("tool.bad_answer")]
}

/// The report of the filter.
fn reports() -> Vec<Case> {
    let why = "All are counted, and so many places are named.";
    let mail = "ann@example.com";
    let list = |count: usize| Value::from(vec![mail; count]);
    let of = |id: &str, value: Value, count: usize, at: Vec<String>| {
        Case::filter(&format!("filter/report-{id}"), value)
            .answers(json!({ "applied": { "email": { "count": count, "at": at } } }))
    };
    let places = |count: usize| (0..count).map(|place| format!("/{place}")).collect::<Vec<_>>();
    let key = |letters: usize| "ab".repeat(letters / 2);
    vec![
        of("64", list(64), 64, places(64)).says("64 addresses", why).spec("PRIV-83 LIM-64"),
        of("65", list(65), 65, places(64)).says("65 addresses", why).spec("PRIV-83 LIM-64"),
        of(
            "pointer-1023",
            json!({ key(1022): mail, "x": mail }),
            2,
            vec![format!("/{}", key(1022)), "/x".to_owned()],
        )
        .says("A place of 1,023 bytes", why)
        .spec("PRIV-83 LIM-69"),
        of("pointer-1025", json!({ key(1024): mail, "x": mail }), 2, vec!["/x".to_owned()])
            .says("A place of 1,025 bytes", why)
            .spec("PRIV-83 LIM-69"),
    ]
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(body.len()), body].concat()
}

/// A module with this many calls of a function of 64 parameters, after an `unreachable`.
fn calling(calls: usize) -> Vec<u8> {
    const CALLS_MAX: usize = 1_000_000;
    let counts: Vec<usize> =
        (0..calls.div_ceil(CALLS_MAX)).map(|n| (calls - n * CALLS_MAX).min(CALLS_MAX)).collect();
    let types = [&[2, 0x60, 64][..], &[0x7f; 64], &[0, 0x60, 0, 0]].concat();
    let functions = [&leb(counts.len() + 1)[..], &[0], &vec![1; counts.len()]].concat();
    let exports = b"\x02\x06memory\x02\0\x06_start\0\x01";
    let mut code = [leb(counts.len() + 1), vec![3, 0, 0, 0x0b]].concat();
    for count in counts {
        let body = [&[0, 0][..], &[0x10, 0].repeat(count), &[0x0b]].concat();
        code.extend(leb(body.len()));
        code.extend(body);
    }
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &types),
        section(3, &functions),
        section(5, &[1, 0, 1]),
        section(7, exports),
        section(10, &code),
    ]
    .concat()
}

/// Values that all calls of a module pass, if each had the most parameters.
fn passed_values() -> Vec<Case> {
    let why = "The engine checks all values of each call, in unreachable code too.";
    let most = (256 << 20) / 64;
    let of = |id: &str, calls: usize| {
        let zip = Package::new().with("tool.wasm", calling(calls)).zip();
        Case::verify(7, id, zip.parts()).needs("module-bodies")
    };
    vec![
        of("module/accept-passed-values", most)
            .says("4,194,304 calls beside a type with 64 parameters", why)
            .spec("MOD-18 LIM-157"),
        of("module/limit-passed-values", most + 1)
            .says("4,194,305 calls beside a type with 64 parameters", why)
            .spec("MOD-18 LIM-157")
            .refused("module.limit"),
    ]
}
