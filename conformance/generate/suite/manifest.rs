//! Check 6: the manifest, its namespace and its version.

use super::case::Case;
use super::crypto::{APPROVER, AUTHOR};
use super::package::{manifest, Package};
use super::publisher::store_path;
use serde_json::{json, Value};

const VALUE: &str = "manifest.bad_value";
const TYPE: &str = "manifest.wrong_type";
const MISSING: &str = "manifest.missing_key";
const UNKNOWN: &str = "manifest.unknown_key";
const SYNTAX: &str = "manifest.syntax";

pub fn cases() -> Vec<Case> {
    let mut cases = syntax();
    cases.extend(keys());
    cases.extend(types());
    cases.extend(texts());
    cases.extend(identity());
    cases.extend(runtime());
    cases.extend(capabilities());
    cases.extend(tools());
    cases.extend(privacy());
    cases.extend(characters());
    cases.extend(package_rules());
    cases.extend(accepted());
    cases
}

/// The parent's manifest with the value at a JSON pointer set. The last name may be new.
pub fn edited(pointer: &str, value: Value) -> Value {
    let mut manifest = manifest();
    set(&mut manifest, pointer, value);
    manifest
}

fn set(manifest: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
    match manifest.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.insert(name.to_owned(), value);
        }
        Some(Value::Array(items)) => items.push(value),
        _ => panic!("the parent has nothing at {parent}"),
    }
}

fn case(id: &str, manifest: &Value) -> Case {
    Package::new().with_manifest(manifest).case(6, &format!("manifest/{id}"))
}

/// Manifests with one value each that a rule refuses.
fn group(codes: &str, spec: &str, why: &str, list: Vec<(&str, &str, &str, Value)>) -> Vec<Case> {
    let made = list.into_iter().map(|(id, title, pointer, value)| {
        case(id, &edited(pointer, value)).says(title, why).spec(spec).refused(codes)
    });
    made.collect()
}

fn syntax() -> Vec<Case> {
    let text = manifest().to_string();
    let bare = text.get(1..).unwrap_or_default();
    let inner = text.get(..text.len() - 1).unwrap_or_default();
    let why = "Two readers of one manifest must see one manifest.";
    let mut cases = Vec::new();
    for (id, title, spec, text) in [
        ("empty", "An empty file", "JSON-01", String::new()),
        ("not-json", "Text that is not JSON", "JSON-01", "id: org.example.echo\n".into()),
        ("cut", "A manifest without its last brace", "JSON-01", inner.to_owned()),
        ("byte-order-mark", "A byte order mark", "JSON-01", format!("\u{feff}{text}")),
        ("comment", "A comment", "JSON-01", format!("{text}// the end")),
        ("trailing-comma", "A comma too many", "JSON-01", format!("{inner},}}")),
        ("single-quotes", "Single quotes", "JSON-01", text.replace('"', "'")),
        ("trailing-text", "Text after the object", "JSON-03", format!("{text}x")),
        ("second-object", "A second object after the first", "JSON-03", format!("{text}{{}}")),
        ("duplicate-key", "Two ids", "JSON-02", format!("{{\"id\":\"org.example.other\",{bare}")),
        (
            "duplicate-key-escaped",
            "Two ids, one name written with an escape",
            "JSON-02",
            format!("{{\"\\u0069d\":\"org.example.other\",{bare}"),
        ),
        (
            "duplicate-key-deep",
            "Two keys of one name inside a schema",
            "JSON-02",
            text.replace("\"type\":\"object\"", "\"type\":\"object\",\"type\":\"object\""),
        ),
        (
            "number-nan",
            "NaN as a number",
            "JSON-01",
            text.replace("\"memory_limit_mb\":1", "\"memory_limit_mb\":NaN"),
        ),
        (
            "number-leading-zero",
            "A number with a leading zero",
            "JSON-01",
            text.replace("\"memory_limit_mb\":1", "\"memory_limit_mb\":01"),
        ),
        (
            "number-plus",
            "A number with a plus sign",
            "JSON-01",
            text.replace("\"memory_limit_mb\":1", "\"memory_limit_mb\":+1"),
        ),
        (
            "number-infinite",
            "A number beyond a double",
            "JSON-05",
            text.replace("\"memory_limit_mb\":1", "\"memory_limit_mb\":1e400"),
        ),
        ("lone-surrogate", "A lone surrogate", "JSON-06", text.replace("Echo", "\\ud800")),
        (
            "raw-control",
            "An unescaped control character inside a text",
            "JSON-01",
            text.replace("Echo", "Ec\u{1}ho"),
        ),
        (
            "too-long",
            "A manifest of 256 KiB and one byte, by white space",
            "LIM-09",
            format!("{text}{}", " ".repeat((256 << 10) + 1 - text.len())),
        ),
        ("too-deep", "A default nested 33 levels deep", "LIM-10 JSON-04", deep(33)),
        ("deep-100000", "100,000 opening brackets", "LIM-10 JSON-04", "[".repeat(100_000)),
    ] {
        let spec = format!("MAN-01 {spec}");
        let zip = Package::new().with("manifest.json", text).zip();
        // The long ones are dull, and given in parts.
        let parts = zip.parts();
        let id = format!("manifest/syntax-{id}");
        let case = match parts.len() {
            1 => Case::verify(6, &id, zip.bytes()),
            _ => Case::verify(6, &id, parts),
        };
        cases.push(case.says(title, why).spec(&spec).refused(SYNTAX));
    }
    let latin: Vec<u8> = text.bytes().map(|byte| if byte == b'G' { 0xc4 } else { byte }).collect();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (id, title, text) in
        [("invalid-utf8", "Bytes that are not UTF-8", latin), ("utf16", "UTF-16", utf16)]
    {
        cases.push(
            Package::new()
                .with("manifest.json", text)
                .case(6, &format!("manifest/syntax-{id}"))
                .says(title, why)
                .spec("MAN-01 JSON-01")
                .refused(SYNTAX),
        );
    }
    cases
}

/// A manifest whose deepest array is at this depth.
fn deep(levels: usize) -> String {
    // The manifest, the tools, the tool and the schema enclose the default.
    let arrays = levels - 4;
    let default = format!("{}{}", "[".repeat(arrays), "]".repeat(arrays));
    edited("/tools/0/parameters/default", "HERE".into()).to_string().replace("\"HERE\"", &default)
}

fn keys() -> Vec<Case> {
    let why = "A key that an older host passes over is a promise that it does not keep.";
    let mut cases = group(
        UNKNOWN,
        "MAN-02",
        why,
        vec![
            ("unknown-top", "An unknown key at the top", "/permissions", json!([])),
            ("unknown-case", "A known key in another case", "/Id", json!("org.example.echo")),
            ("unknown-runtime", "An unknown key of runtime", "/runtime/network", json!(true)),
            (
                "unknown-capabilities",
                "An unknown capability",
                "/capabilities",
                json!({ "gpu": true }),
            ),
            (
                "unknown-filesystem",
                "An unknown key of filesystem",
                "/capabilities",
                json!({ "filesystem": { "execute": ["/x"] } }),
            ),
            (
                "unknown-storage",
                "An unknown key of storage",
                "/capabilities",
                json!({ "storage": { "limit_kb": 1, "shared": true } }),
            ),
            (
                "unknown-tool",
                "An unknown key of a tool",
                "/tools/0/requires_approval",
                json!(false),
            ),
            (
                "unknown-privacy",
                "An unknown key of privacy_filters",
                "/privacy_filters",
                json!({ "exclude": ["email"] }),
            ),
            (
                "unknown-privacy-keep",
                "Values that a manifest would keep, as only a host's policy can",
                "/privacy_filters",
                json!({ "keep": { "mail_domains": ["example.com"] } }),
            ),
            (
                "unknown-privacy-except",
                "Kinds that a manifest would turn off, as only a host's policy can",
                "/privacy_filters",
                json!({ "except": [{ "kinds": ["email"] }] }),
            ),
            (
                "unknown-custom",
                "An unknown key of a custom pattern",
                "/privacy_filters",
                json!({ "custom": [{ "name": "X", "pattern": "x", "flags": "i" }] }),
            ),
            ("unknown-comment", "A comment in the shape of a key", "/$comment", json!("for later")),
        ],
    );
    let why = "What is not said cannot be guessed.";
    for (id, title, pointer) in [
        ("mpp-version", "No mpp_version", "/mpp_version"),
        ("id", "No id", "/id"),
        ("version", "No version", "/version"),
        ("name", "No name", "/name"),
        ("description", "No description", "/description"),
        ("runtime", "No runtime", "/runtime"),
        ("target", "No target", "/runtime/target"),
        ("tools", "No tools", "/tools"),
        ("tool-name", "A tool without a name", "/tools/0/name"),
        ("tool-description", "A tool without a description", "/tools/0/description"),
        ("parameters", "A tool without parameters", "/tools/0/parameters"),
        ("sensitivity", "A tool without sensitivity", "/tools/0/sensitivity"),
    ] {
        let mut manifest = manifest();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        manifest
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .map(|members| members.remove(name));
        cases.push(
            case(&format!("missing-{id}"), &manifest)
                .says(title, why)
                .spec("MAN-03")
                .refused(MISSING),
        );
    }
    cases.extend(group(
        MISSING,
        "MAN-03 MAN-26",
        why,
        vec![(
            "missing-storage-limit",
            "Storage without its limit",
            "/capabilities",
            json!({ "storage": {} }),
        )],
    ));
    cases.extend(group(
        MISSING,
        "MAN-03",
        why,
        vec![
            (
                "missing-pattern-name",
                "A custom pattern without a name",
                "/privacy_filters",
                json!({ "custom": [{ "pattern": "x" }] }),
            ),
            (
                "missing-pattern",
                "A custom pattern without its expression",
                "/privacy_filters",
                json!({ "custom": [{ "name": "X" }] }),
            ),
        ],
    ));
    cases
}

fn types() -> Vec<Case> {
    let why = "A value of another type is read in as many ways as there are languages.";
    let mut cases = group(
        TYPE,
        "MAN-04",
        why,
        vec![
            ("type-id", "A number as id", "/id", json!(7)),
            ("type-name-null", "Null as name", "/name", Value::Null),
            ("type-authors", "A text as authors", "/authors", json!("Ada")),
            ("type-author", "A number as author", "/authors", json!([7])),
            ("type-license-null", "Null as license", "/license", Value::Null),
            ("type-runtime", "An array as runtime", "/runtime", json!(["wasm32-wasip1"])),
            ("type-args", "A text as args", "/runtime/args", json!("-v")),
            ("type-arg", "A number as an argument", "/runtime/args", json!([1])),
            ("type-capabilities-null", "Null as capabilities", "/capabilities", Value::Null),
            ("type-capabilities", "An array as capabilities", "/capabilities", json!(["network"])),
            ("type-network", "True as network", "/capabilities", json!({ "network": true })),
            (
                "type-filesystem",
                "An array as filesystem",
                "/capabilities",
                json!({ "filesystem": ["/data"] }),
            ),
            (
                "type-directory",
                "An object as directory",
                "/capabilities",
                json!({ "filesystem": { "read": [{ "path": "/data" }] } }),
            ),
            ("type-storage", "A number as storage", "/capabilities", json!({ "storage": 64 })),
            ("type-tools", "An object as tools", "/tools", json!({ "echo": {} })),
            ("type-tool", "A text as a tool", "/tools", json!(["echo"])),
            ("type-parameters", "A text as schema", "/tools/0/parameters", json!("object")),
            (
                "type-parameters-true",
                "True as the schema of arguments",
                "/tools/0/parameters",
                json!(true),
            ),
            ("type-returns-null", "Null as the schema of answers", "/tools/0/returns", Value::Null),
            ("type-sensitivity", "False as sensitivity", "/tools/0/sensitivity", json!(false)),
            (
                "type-patterns",
                "A text as privacy patterns",
                "/privacy_filters",
                json!({ "patterns": "email" }),
            ),
        ],
    );
    let array = Package::new().with("manifest.json", json!([manifest()]).to_string());
    cases.push(
        array
            .case(6, "manifest/type-document")
            .says("An array as manifest", why)
            .spec("MAN-04")
            .refused(TYPE),
    );
    let why = "A number is an integer in one spelling, so that every reader gets the same one.";
    cases.extend(group(
        TYPE,
        "MAN-06",
        why,
        vec![
            ("number-fraction", "64.0 instead of an integer", "/runtime/timeout_ms", json!(64.0)),
            ("number-text", "A number as text", "/runtime/timeout_ms", json!("64")),
            ("number-half", "A half", "/runtime/timeout_ms", json!(0.5)),
        ],
    ));
    let exponent =
        edited("/runtime/timeout_ms", "HERE".into()).to_string().replace("\"HERE\"", "6e1");
    cases.push(
        Package::new()
            .with("manifest.json", exponent)
            .case(6, "manifest/number-exponent")
            .says("6e1 instead of an integer", why)
            .spec("MAN-06")
            .refused(TYPE),
    );
    let huge = edited("/runtime/fuel", "HERE".into())
        .to_string()
        .replace("\"HERE\"", "18446744073709551616");
    cases.push(
        Package::new()
            .with("manifest.json", huge)
            .case(6, "manifest/number-beyond-64-bits")
            .says("An integer of 65 bits, which some readers round", why)
            .spec("MAN-06 MAN-18 JSON-05")
            .refused(TYPE),
    );
    cases
}

fn texts() -> Vec<Case> {
    let why = "People approve what they read, on a line that nothing pads, breaks or hides.";
    group(
        VALUE,
        "MAN-05 MAN-08",
        why,
        vec![
            ("name-empty", "An empty name", "/name", json!("")),
            ("name-space", "A name that starts with a space", "/name", json!(" Echo")),
            (
                "name-no-break-space",
                "A name that ends with a no-break space",
                "/name",
                json!("Echo\u{a0}"),
            ),
            ("name-two-lines", "A name of two lines", "/name", json!("Echo\nby Acme")),
            ("name-tab", "A name with a tab", "/name", json!("Echo\tby Acme")),
            ("name-long", "A name of 257 bytes", "/name", json!("x".repeat(257))),
            ("description-empty", "An empty description", "/description", json!("")),
            (
                "description-line-feed",
                "A description that ends with a line feed",
                "/description",
                json!("Gives back.\n"),
            ),
            (
                "description-long",
                "A description of 8,193 bytes",
                "/description",
                json!("x".repeat(8193)),
            ),
            ("author-empty", "An empty author", "/authors", json!([""])),
        ],
    )
    .into_iter()
    .chain(group(
        VALUE,
        "MAN-12",
        "A list is short enough to be read, and says each thing once.",
        vec![
            (
                "authors-many",
                "65 authors",
                "/authors",
                json!((0..65).map(|n| n.to_string()).collect::<Vec<_>>()),
            ),
            ("authors-twice", "An author twice", "/authors", json!(["Ada", "Ada"])),
            (
                "network-many",
                "65 hosts",
                "/capabilities",
                json!({ "network": (0..65).map(|n| format!("h{n}.example")).collect::<Vec<_>>() }),
            ),
            (
                "network-twice",
                "A host twice",
                "/capabilities",
                json!({ "network": ["a.example", "a.example"] }),
            ),
            (
                "environment-twice",
                "A variable twice",
                "/capabilities",
                json!({ "environment": ["KEY", "KEY"] }),
            ),
            (
                "patterns-twice",
                "A privacy pattern twice",
                "/privacy_filters",
                json!({ "patterns": ["email", "email"] }),
            ),
        ],
    ))
    .collect()
}

fn identity() -> Vec<Case> {
    let why = "Ids are compared by people: one spelling, no letters that look like others.";
    let long = format!("org.example.{}", "a.".repeat(50));
    let mut cases = group(
        VALUE,
        "MAN-10",
        why,
        vec![
            ("id-one-label", "An id of one label", "/id", json!("echo")),
            ("id-upper-case", "An id in upper case", "/id", json!("org.Example.echo")),
            ("id-underscore", "An id with an underscore", "/id", json!("org.example.my_echo")),
            ("id-empty-label", "An id with an empty label", "/id", json!("org..echo")),
            ("id-trailing-dot", "An id that ends in a dot", "/id", json!("org.example.echo.")),
            (
                "id-hyphen-first",
                "A label that starts with a hyphen",
                "/id",
                json!("org.example.-echo"),
            ),
            (
                "id-hyphen-last",
                "A label that ends with a hyphen",
                "/id",
                json!("org.example.echo-"),
            ),
            ("id-punycode", "A label of another alphabet", "/id", json!("org.example.xn--ech-8na")),
            ("id-unicode", "A Cyrillic letter", "/id", json!("org.example.еcho")),
            ("id-slash", "An id with a slash", "/id", json!("org.example/echo")),
            ("id-empty", "An empty id", "/id", json!("")),
            (
                "id-label-64",
                "A label of 64 letters",
                "/id",
                json!(format!("org.example.{}", "a".repeat(64))),
            ),
            (
                "id-129-bytes",
                "An id of 129 bytes",
                "/id",
                json!(format!("{long}{}", "a".repeat(129 - long.len()))),
            ),
        ],
    );
    let why = "Rollback protection needs versions that have one order.";
    cases.extend(group(
        VALUE,
        "MAN-11",
        why,
        vec![
            ("version-two-numbers", "A version of two numbers", "/version", json!("1.0")),
            ("version-four-numbers", "A version of four numbers", "/version", json!("1.0.0.0")),
            ("version-leading-zero", "A version with a leading zero", "/version", json!("1.01.0")),
            ("version-build", "A version with build metadata", "/version", json!("1.0.0+5")),
            ("version-v", "A version with a letter before it", "/version", json!("v1.0.0")),
            ("version-pre-release-empty", "An empty pre-release", "/version", json!("1.0.0-")),
            (
                "version-pre-release-zero",
                "A pre-release number with a leading zero",
                "/version",
                json!("1.0.0-01"),
            ),
            ("version-huge", "A number of 65 bits", "/version", json!("1.0.18446744073709551616")),
            (
                "version-pre-release-huge",
                "A pre-release number of 65 bits",
                "/version",
                json!("1.0.0-18446744073709551616"),
            ),
            (
                "version-long",
                "A version of 65 bytes",
                "/version",
                json!(format!("1.0.0-{}", "a".repeat(59))),
            ),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-09",
        "A manifest of a later version may mean something else by the same keys.",
        vec![
            ("mpp-version-next", "Version 1.1 of the format", "/mpp_version", json!("1.1")),
            (
                "mpp-version-one",
                "The format's version without its zero",
                "/mpp_version",
                json!("1"),
            ),
        ],
    ));
    for (id, title, version) in [
        ("largest", "The largest numbers", "18446744073709551615.0.0-18446744073709551615"),
        (
            "pre-release-text",
            "A pre-release text of digits and a letter, beyond 64 bits",
            "1.0.0-18446744073709551616a",
        ),
    ] {
        cases.push(
            case(&format!("accept-version-{id}"), &edited("/version", json!(version)))
                .says(title, "It has its place in the order of versions.")
                .spec("MAN-11"),
        );
    }
    let mut next = edited("/mpp_version", json!("2.0"));
    set(&mut next, "/permissions", json!([]));
    cases.push(
        case("mpp-version-first", &next)
            .says(
                "Version 2.0 of the format, with a key of its own",
                "The version is checked before any other key, so that the reported reason is the true one.",
            )
            .spec("MAN-09")
            .refused(VALUE),
    );
    cases.extend(group(
        VALUE,
        "MAN-13",
        "An expression that programs can read.",
        vec![
            (
                "license-characters",
                "A license with an ampersand",
                "/license",
                json!("MIT & Apache-2.0"),
            ),
            ("license-empty", "An empty license", "/license", json!("")),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-14",
        "An address that a person may click on leads where it says.",
        vec![
            (
                "homepage-http",
                "An address without encryption",
                "/homepage",
                json!("http://example.com"),
            ),
            (
                "homepage-user",
                "An address with a user name",
                "/homepage",
                json!("https://example.com@evil.example/"),
            ),
            (
                "homepage-upper-case",
                "A homepage on a host in upper case",
                "/homepage",
                json!("https://Example.com/"),
            ),
            (
                "homepage-space",
                "An address with a space",
                "/homepage",
                json!("https://example.com/a b"),
            ),
            ("homepage-address", "An address by number", "/homepage", json!("https://127.0.0.1/")),
            ("homepage-javascript", "A script", "/homepage", json!("javascript:alert(1)")),
            (
                "homepage-long",
                "An address of 257 bytes",
                "/homepage",
                json!(format!("https://example.com/{}", "x".repeat(237))),
            ),
        ],
    ));
    cases
}

fn runtime() -> Vec<Case> {
    let mut cases = group(
        VALUE,
        "MAN-15",
        "One thing has one name.",
        vec![
            (
                "target-old-name",
                "The old name of the target",
                "/runtime/target",
                json!("wasm32-wasi"),
            ),
            (
                "target-preview-2",
                "Another preview of WASI",
                "/runtime/target",
                json!("wasm32-wasip2"),
            ),
            (
                "target-native",
                "A native target",
                "/runtime/target",
                json!("x86_64-unknown-linux-gnu"),
            ),
        ],
    );
    cases.extend(group(
        VALUE,
        "MAN-16",
        "The module is at the top level, under a safe name.",
        vec![
            (
                "entry-folder",
                "A module in a directory",
                "/runtime/entry",
                json!("assets/tool.wasm"),
            ),
            (
                "entry-parent",
                "A module in the parent directory",
                "/runtime/entry",
                json!("../tool.wasm"),
            ),
            ("entry-suffix", "A name without .wasm", "/runtime/entry", json!("tool")),
            ("entry-only-suffix", "A name of nothing but .wasm", "/runtime/entry", json!(".wasm")),
            (
                "entry-long",
                "A name of 256 bytes",
                "/runtime/entry",
                json!(format!("{}.wasm", "x".repeat(251))),
            ),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-17",
        "How a guest is spoken to is not a guess.",
        vec![
            ("protocol-case", "A protocol in upper case", "/runtime/protocol", json!("MCP")),
            ("protocol-unknown", "An unknown protocol", "/runtime/protocol", json!("grpc")),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-27",
        "Arguments have limits like everything that is handed on.",
        vec![
            ("args-many", "65 arguments", "/runtime/args", json!(vec!["x"; 65])),
            ("args-long", "An argument of 8,193 bytes", "/runtime/args", json!(["x".repeat(8193)])),
        ],
    ));
    let why =
        "The limits are what a host promises to enforce: neither nothing nor more than it has.";
    cases.extend(group(
        VALUE,
        "MAN-18",
        why,
        vec![
            ("memory-zero", "No memory", "/runtime/memory_limit_mb", json!(0)),
            ("memory-high", "1,025 MiB of memory", "/runtime/memory_limit_mb", json!(1025)),
            ("memory-negative", "Memory below zero", "/runtime/memory_limit_mb", json!(-1)),
            (
                "memory-wrapping",
                "2^32 + 1 MiB of memory",
                "/runtime/memory_limit_mb",
                json!(4_294_967_297_u64),
            ),
            ("timeout-zero", "No time", "/runtime/timeout_ms", json!(0)),
            (
                "timeout-high",
                "Ten minutes and a millisecond",
                "/runtime/timeout_ms",
                json!(600_001),
            ),
            ("fuel-zero", "No fuel", "/runtime/fuel", json!(0)),
            (
                "fuel-high",
                "More than 10^12 units of fuel",
                "/runtime/fuel",
                json!(1_000_000_000_001_u64),
            ),
            ("output-zero", "No output", "/runtime/output_limit_kb", json!(0)),
            ("output-high", "16,385 KiB of output", "/runtime/output_limit_kb", json!(16_385)),
        ],
    ));
    cases
}

fn capabilities() -> Vec<Case> {
    let network = |hosts: &[&str]| json!({ "network": hosts });
    let read = |paths: &[&str]| json!({ "filesystem": { "read": paths } });
    let at = "/capabilities";
    let why = "A host is a name that a person can recognise, in one spelling.";
    let mut cases = group(
        VALUE,
        "MAN-20",
        why,
        vec![
            ("host-empty", "An empty host", at, network(&[""])),
            ("host-upper-case", "A host in upper case", at, network(&["API.example.com"])),
            (
                "host-scheme",
                "An address in place of a host",
                at,
                network(&["https://api.example.com"]),
            ),
            ("host-path", "A host with a path", at, network(&["api.example.com/v1"])),
            (
                "host-user",
                "A host with a user name",
                at,
                network(&["api.example.com@evil.example"]),
            ),
            ("host-trailing-dot", "A host that ends in a dot", at, network(&["api.example.com."])),
            ("host-ipv4", "An IPv4 address", at, network(&["127.0.0.1"])),
            ("host-ipv4-short", "A short form of an IPv4 address", at, network(&["127.1"])),
            ("host-ipv4-number", "An IPv4 address as one number", at, network(&["2130706433"])),
            ("host-ipv4-hex", "An IPv4 address in hexadecimal", at, network(&["0x7f000001"])),
            ("host-ipv6", "An IPv6 address", at, network(&["[::1]"])),
            ("host-unicode", "A host in another alphabet", at, network(&["münchen.example"])),
            ("host-underscore", "A host with an underscore", at, network(&["_dmarc.example.com"])),
            (
                "host-long",
                "A host of 254 bytes",
                at,
                network(&[&format!("{}.example.com", "a.".repeat(121))]),
            ),
        ],
    );
    cases.extend(group(
        VALUE,
        "MAN-21",
        "What a person approves is a list of places, each in one spelling.",
        vec![
            ("host-wildcard", "A wild card", at, network(&["*.example.com"])),
            ("host-any", "A star alone", at, network(&["*"])),
            (
                "host-port-443",
                "The port that is meant anyway",
                at,
                network(&["api.example.com:443"]),
            ),
            ("host-port-zero", "Port 0", at, network(&["api.example.com:0"])),
            (
                "host-port-leading-zero",
                "A port with a leading zero",
                at,
                network(&["api.example.com:0443"]),
            ),
            ("host-port-high", "Port 65,536", at, network(&["api.example.com:65536"])),
            ("host-port-empty", "A colon without a port", at, network(&["api.example.com:"])),
            ("host-port-any", "A star as port", at, network(&["api.example.com:*"])),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-22",
        "A directory has one spelling and lies where it says.",
        vec![
            ("directory-relative", "A relative path", at, read(&["data"])),
            ("directory-slashes", "Two slashes", at, read(&["//"])),
            ("directory-parent", "The parent directory", at, read(&["/data/../etc"])),
            ("directory-current", "The current directory", at, read(&["/./data"])),
            ("directory-double-slash", "An empty component", at, read(&["//data"])),
            ("directory-trailing-slash", "A slash at the end", at, read(&["/data/"])),
            ("directory-backslash", "A backslash", at, read(&["/data\\x"])),
            ("directory-space", "A space", at, read(&["/my data"])),
            ("directory-home", "The home directory", at, read(&["~/data"])),
            ("directory-deep", "17 components", at, read(&[&"/d".repeat(17)])),
            (
                "directory-long",
                "A path of 256 bytes",
                at,
                read(&[&format!("/{}", "d".repeat(255))]),
            ),
            ("directory-empty", "An empty path", at, read(&[""])),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-23",
        "One path has one answer to whether it can be written.",
        vec![
            ("directory-twice", "A directory twice", at, read(&["/data", "/data"])),
            (
                "directory-read-and-write",
                "A directory to read and to write",
                at,
                json!({ "filesystem": { "read": ["/data"], "write": ["/data"] } }),
            ),
            (
                "directory-inside",
                "A directory to write inside one to read",
                at,
                json!({ "filesystem": { "read": ["/data"], "write": ["/data/out"] } }),
            ),
            (
                "directory-root-and-other",
                "The root and a directory in it",
                at,
                json!({ "filesystem": { "read": ["/", "/data"] } }),
            ),
            (
                "directory-around",
                "A directory to read around one to write",
                at,
                json!({ "filesystem": { "read": ["/data/in", "/data"] } }),
            ),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-24",
        "The package's own files are there, and what is signed is not written.",
        vec![
            (
                "directory-assets",
                "The assets as a directory to write",
                at,
                json!({ "filesystem": { "write": ["/assets"] } }),
            ),
            ("directory-in-assets", "A directory inside the assets", at, read(&["/assets/x"])),
            ("directory-storage", "Storage as a directory", at, read(&["/storage"])),
            ("directory-in-storage", "A directory inside storage", at, read(&["/storage/x"])),
        ],
    ));
    let many: Vec<String> = (0..65).map(|n| format!("/d{n}")).collect();
    cases.extend(group(
        VALUE,
        "MAN-05",
        "A list that a person is asked to approve is short enough to be read.",
        vec![("directories-many", "65 directories", at, json!({ "filesystem": { "read": many } }))],
    ));
    let environment = |name: &str| json!({ "environment": [name] });
    cases.extend(group(
        VALUE,
        "MAN-25",
        "A name that every shell and language can hold.",
        vec![
            ("environment-digit", "A variable that starts with a digit", at, environment("1KEY")),
            ("environment-equals", "A variable with its value", at, environment("KEY=x")),
            ("environment-hyphen", "A variable with a hyphen", at, environment("MY-KEY")),
            ("environment-empty", "A variable without a name", at, environment("")),
            ("environment-star", "Every variable", at, environment("*")),
            ("environment-long", "A name of 129 bytes", at, environment(&"K".repeat(129))),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-26",
        "Storage without a bound is a disk.",
        vec![
            ("storage-zero", "Storage of nothing", at, json!({ "storage": { "limit_kb": 0 } })),
            (
                "storage-high",
                "16,385 KiB of storage",
                at,
                json!({ "storage": { "limit_kb": 16_385 } }),
            ),
        ],
    ));
    cases
}

fn tools() -> Vec<Case> {
    let tool = |name: &str| json!({ "name": name, "description": "x", "parameters": { "type": "object" }, "sensitivity": "read" });
    let many: Vec<Value> = (0..129).map(|n| tool(&format!("t{n}"))).collect();
    let mut cases = group(
        VALUE,
        "MAN-29",
        "A package offers something, and a list that agents can take.",
        vec![
            ("tools-none", "No tool", "/tools", json!([])),
            ("tools-many", "129 tools", "/tools", json!(many)),
        ],
    );
    cases.extend(group(
        VALUE,
        "MAN-30",
        "The names that every agent framework passes on unchanged.",
        vec![
            ("tool-name-empty", "A tool with an empty name", "/tools/0/name", json!("")),
            ("tool-name-dot", "A name with a dot", "/tools/0/name", json!("echo.text")),
            (
                "tool-name-hyphen-first",
                "A name that starts with a hyphen",
                "/tools/0/name",
                json!("-echo"),
            ),
            ("tool-name-digit", "A name that starts with a digit", "/tools/0/name", json!("2echo")),
            (
                "tool-name-underscore",
                "A name that starts with an underscore",
                "/tools/0/name",
                json!("_echo"),
            ),
            (
                "tool-name-unicode",
                "A name with a letter of another alphabet",
                "/tools/0/name",
                json!("еcho"),
            ),
            ("tool-name-long", "A name of 65 letters", "/tools/0/name", json!("e".repeat(65))),
        ],
    ));
    cases.push(
        case("tool-name-hyphen", &edited("/tools/0/name", json!("echo-text")))
            .says("A name with a hyphen", "The model APIs allow it, and many servers use it.")
            .spec("MAN-30"),
    );
    let program = "The program's own name is read by the program alone, on one line.";
    cases.extend(group(
        VALUE,
        "MAN-46 MAN-08",
        program,
        vec![
            ("calls-empty", "An empty name in the program", "/tools/0/calls", json!("")),
            (
                "calls-two-lines",
                "A name of two lines in the program",
                "/tools/0/calls",
                json!("a\nb"),
            ),
            (
                "calls-long",
                "A name of 257 bytes in the program",
                "/tools/0/calls",
                json!("x".repeat(257)),
            ),
        ],
    ));
    cases.extend(group(
        TYPE,
        "MAN-46",
        program,
        vec![("calls-number", "A number as a name in the program", "/tools/0/calls", json!(1))],
    ));
    cases.push(
        case("accept-calls", &edited("/tools/0/calls", json!("files/echo.text:v2")))
            .says("A tool with another name in the program", program)
            .spec("MAN-46"),
    );
    cases.extend(group(
        TYPE,
        "MAN-45",
        "Editors read it; a value of another type helps none of them.",
        vec![
            ("dialect-object", "An object as $schema of the manifest", "/$schema", json!({})),
            ("dialect-null", "Null as $schema of the manifest", "/$schema", Value::Null),
        ],
    ));
    cases.push(
        case(
            "accept-dialect",
            &edited("/$schema", json!("http://json-schema.org/draft-07/schema#")),
        )
        .says("A manifest that names a schema for editors", "Its value has no effect.")
        .spec("MAN-45"),
    );
    cases.extend(group(
        VALUE,
        "MAN-31",
        "One name, one tool: some frameworks ignore case.",
        vec![
            (
                "tools-same-name",
                "Two tools of one name",
                "/tools",
                json!([tool("echo"), tool("echo")]),
            ),
            (
                "tools-same-name-case",
                "Two tools whose names differ in case",
                "/tools",
                json!([tool("echo"), tool("Echo")]),
            ),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-34",
        "The publisher declares how much harm a call can do, in one of three levels.",
        vec![
            (
                "sensitivity-unknown",
                "An unknown sensitivity",
                "/tools/0/sensitivity",
                json!("harmless"),
            ),
            (
                "sensitivity-case",
                "A sensitivity in another case",
                "/tools/0/sensitivity",
                json!("Read"),
            ),
            ("sensitivity-empty", "An empty sensitivity", "/tools/0/sensitivity", json!("")),
        ],
    ));
    cases.extend(group(
        VALUE,
        "MAN-08",
        "Models read descriptions verbatim.",
        vec![
            (
                "tool-description-empty",
                "A tool with an empty description",
                "/tools/0/description",
                json!(""),
            ),
            (
                "tool-description-long",
                "A tool with a description of 8,193 bytes",
                "/tools/0/description",
                json!("x".repeat(8193)),
            ),
        ],
    ));
    cases
}

fn privacy() -> Vec<Case> {
    let custom =
        |name: &str, pattern: &str| json!({ "custom": [{ "name": name, "pattern": pattern }] });
    let at = "/privacy_filters";
    let code = "manifest.privacy_pattern";
    let promised =
        "A pattern that does not exist redacts nothing, and the publisher thinks it does.";
    let mut cases = group(
        code,
        "MAN-35 GATE-04",
        promised,
        vec![
            (
                "pattern-unknown",
                "A built-in kind that does not exist",
                at,
                json!({ "patterns": ["shoe-size"] }),
            ),
            ("pattern-case", "A built-in kind in upper case", at, json!({ "patterns": ["EMAIL"] })),
            (
                "pattern-underscore",
                "A built-in kind in another spelling",
                at,
                json!({ "patterns": ["credit_card"] }),
            ),
        ],
    );
    cases.extend(group(
        code,
        "MAN-36 GATE-04",
        promised,
        vec![
            (
                "custom-does-not-compile",
                "An expression that does not compile",
                at,
                custom("X", "[a-"),
            ),
            (
                "custom-look-ahead",
                "An expression with look-ahead, which is not supported",
                at,
                custom("X", "a(?=b)"),
            ),
            ("custom-flag-twice", "A flag twice", at, custom("X", "(?ii)a")),
            ("custom-flag-minus", "A minus without a flag", at, custom("X", "(?i-)a")),
            (
                "custom-group-name-twice",
                "Two groups of one name",
                at,
                custom("X", "(?<n>a)(?P<n>b)"),
            ),
            (
                "custom-group-name-digit",
                "A group whose name begins with a digit",
                at,
                custom("X", "(?<1n>a)"),
            ),
            (
                "custom-group-name-letter",
                "A group whose name has a letter beyond ASCII",
                at,
                custom("X", "(?P<é>a)"),
            ),
            ("custom-flag-u", "A flag that is not supported", at, custom("X", "(?u)a")),
            ("custom-word-start", "A word boundary in braces", at, custom("X", r"\b{start}a")),
            (
                "custom-back-reference",
                "An expression with a back-reference",
                at,
                custom("X", "(a)\\1"),
            ),
        ],
    ));
    cases.extend(group(VALUE, "MAN-36", "The name becomes the label in the answer.", vec![
        ("custom-name-lower-case", "A name in lower case", at, custom("employee", "x")),
        ("custom-name-brackets", "A name with brackets", at, custom("A]", "x")),
        ("custom-name-digit", "A custom pattern whose name starts with a digit", at, custom("1A", "x")),
        ("custom-name-long", "A name of 33 letters", at, custom(&"A".repeat(33), "x")),
        ("custom-pattern-empty", "An empty expression", at, custom("X", "")),
        ("custom-pattern-long", "An expression of 257 bytes", at, custom("X", &"x".repeat(257))),
        ("custom-pattern-lines", "An expression of two lines", at, custom("X", "a\nb")),
        ("custom-same-name", "Two custom patterns of one name", at, json!({ "custom": [{ "name": "X", "pattern": "a" }, { "name": "X", "pattern": "b" }] })),
    ]));
    for (id, name) in [("kind", "EMAIL"), ("withheld", "WITHHELD")] {
        cases.push(
            case(&format!("accept-custom-name-{id}"), &edited(at, custom(name, "x")))
                .says(
                    &format!("A custom pattern with the name {name}"),
                    "Custom names differ from each other; the other labels are not theirs.",
                )
                .spec("MAN-36"),
        );
    }
    let many: Vec<Value> =
        (0..65).map(|n| json!({ "name": format!("X{n}"), "pattern": "x" })).collect();
    cases.extend(group(
        VALUE,
        "MAN-05",
        "Each pattern is searched for in every answer.",
        vec![("custom-many", "65 custom patterns", at, json!({ "custom": many }))],
    ));
    cases
}

fn characters() -> Vec<Case> {
    let why = "What is invisible or turns the direction shows a person something else than a model reads.";
    let mut cases = Vec::new();
    for (id, title, character) in [
        ("nul", "NUL", '\u{0}'),
        ("escape", "the escape character of terminals", '\u{1b}'),
        ("carriage-return", "a carriage return", '\r'),
        ("delete", "DEL", '\u{7f}'),
        ("c1-control", "a control character above 127", '\u{9b}'),
        ("soft-hyphen", "a soft hyphen", '\u{ad}'),
        ("zero-width-space", "a zero-width space", '\u{200b}'),
        ("right-to-left-override", "a right-to-left override", '\u{202e}'),
        ("left-to-right-mark", "a left-to-right mark", '\u{200e}'),
        ("isolate", "a directional isolate", '\u{2066}'),
        ("line-separator", "a line separator", '\u{2028}'),
        ("word-joiner", "a word joiner", '\u{2060}'),
        ("byte-order-mark", "a byte order mark", '\u{feff}'),
        ("variation-selector", "a variation selector", '\u{fe00}'),
        ("hangul-filler", "a Hangul filler", '\u{3164}'),
        ("annotation", "an interlinear annotation", '\u{fff9}'),
        ("tag", "a tag character, in which whole texts are hidden", '\u{e0041}'),
    ] {
        let description = format!("Gives{character} back");
        cases.push(
            case(&format!("character-{id}"), &edited("/tools/0/description", description.into()))
                .says(&format!("A description that contains {title}"), why)
                .spec("MAN-07")
                .refused(VALUE),
        );
    }
    let property = json!({ "type": "object", "properties": { "te\u{200b}xt": {} } });
    cases.extend(group(
        VALUE,
        "MAN-07",
        why,
        vec![
            (
                "character-in-key",
                "An invisible character in a key of a schema",
                "/tools/0/parameters",
                property,
            ),
            (
                "character-in-enum",
                "An invisible character in a value of a schema",
                "/tools/0/parameters",
                json!({ "type": "object", "enum": [{ "a": "\u{200b}" }] }),
            ),
        ],
    ));
    cases
}

fn package_rules() -> Vec<Case> {
    let store = |id: &str, name: &str| case(id, &manifest()).with("trust", store_path(name));
    let namespace = "A trusted publisher must not sign under the id of another.";
    let rollback = "An old version may have a hole that the new one closed.";
    let pre_release = edited("/version", json!("1.2.0-rc.1"));
    let mut cases = vec![
        case("entry-of-other-name", &edited("/runtime/entry", json!("other.wasm")))
            .says(
                "An entry point of another name than the module",
                "The module that is signed for is the one that runs.",
            )
            .spec("GATE-03")
            .refused("manifest.entry_missing"),
        case("entry-in-other-case", &edited("/runtime/entry", json!("Tool.wasm")))
            .says(
                "An entry point in another case than the module",
                "Names are compared byte by byte.",
            )
            .spec("GATE-03")
            .refused("manifest.entry_missing"),
    ];
    for (id, title, name) in [
        ("other", "A signer with another namespace", "namespace-other"),
        ("longer", "A signer whose namespace is longer than the id", "namespace-longer"),
        ("prefix", "A signer whose namespace is a prefix of a label", "namespace-prefix"),
        ("none", "A signer without a namespace", "namespace-none"),
    ] {
        cases.push(
            store(&format!("namespace-{id}"), name)
                .says(title, namespace)
                .spec("GATE-05 TRUST-06")
                .refused("manifest.namespace"),
        );
    }
    let impostor = edited("/id", json!("org.examplecorp.echo"));
    cases.push(
        case("namespace-look-alike", &impostor)
            .says("An id that only starts like the namespace", namespace)
            .spec("GATE-05 TRUST-06")
            .refused("manifest.namespace"),
    );
    let approved_only =
        Package::new().signed_by(&[APPROVER]).case(6, "manifest/namespace-of-approver");
    cases.push(
        approved_only
            .with("trust", store_path("author-and-approver"))
            .says("A trusted approver signs alone, for the author's id", namespace)
            .spec("GATE-05")
            .refused("manifest.namespace"),
    );
    cases.extend([
        store("downgrade", "seen-1.2.0")
            .says("Version 1.0.0 after 1.2.0 was seen", rollback)
            .spec("GATE-06 TRUST-14")
            .refused("manifest.downgrade"),
        case("downgrade-pre-release", &pre_release)
            .with("trust", store_path("seen-1.2.0"))
            .says("Version 1.2.0-rc.1 after 1.2.0 was seen", rollback)
            .spec("GATE-06")
            .refused("manifest.downgrade"),
        case("downgrade-decimal", &edited("/version", json!("1.1.10")))
            .with("trust", store_path("seen-1.2.0"))
            .says("Version 1.1.10 after 1.2.0 was seen", rollback)
            .spec("GATE-06")
            .refused("manifest.downgrade"),
        store("accept-same-version", "seen-1.0.0")
            .says("The version that was seen", "It is not older than itself.")
            .spec("GATE-06"),
        case("accept-newer-version", &edited("/version", json!("1.10.0")))
            .with("trust", store_path("seen-1.2.0"))
            .says("Version 1.10.0 after 1.2.0 was seen", "Versions are numbers, not texts.")
            .spec("GATE-06"),
        store("accept-other-id-seen", "seen-other")
            .says("A high version of another id was seen", "Each id has its own mark.")
            .spec("GATE-06"),
        store("accept-namespace-exact", "namespace-exact")
            .says("A namespace that is the id itself", namespace)
            .spec("GATE-05 TRUST-06"),
        store("accept-namespace-all", "namespace-all")
            .says("A signer who may publish under every id", "An administrator can say so.")
            .spec("GATE-05 TRUST-06"),
        Package::new()
            .signed_by(&[APPROVER, AUTHOR])
            .case(6, "manifest/accept-namespace-second")
            .with("trust", store_path("author-and-approver"))
            .says(
                "The second signer's namespace contains the id",
                "One of the trusted signers has to be in charge of it.",
            )
            .spec("GATE-05"),
    ]);
    cases
}

fn accepted() -> Vec<Case> {
    let full = json!({
        "mpp_version": "1.0", "id": "org.example.full", "version": "1.2.0-rc.1",
        "name": "Full – möglich", "description": "Line one.\n\tLine two.",
        "authors": ["Ada Example <ada@example.com>"], "license": "MIT OR Apache-2.0",
        "homepage": "https://example.com/full?x=1#y",
        "runtime": { "target": "wasm32-wasip1", "entry": "tool.wasm", "protocol": "json-rpc",
                     "args": ["", "-v", "-v"], "memory_limit_mb": 1024, "timeout_ms": 600_000,
                     "fuel": 1_000_000_000_000_u64, "output_limit_kb": 16_384 },
        "capabilities": {
            "network": ["api.example.com", "localhost:8443", "xn--mnchen-3ya.example"],
            "filesystem": { "read": ["/data"], "write": ["/data2", "/out/x"] },
            "environment": ["API_KEY", "_x"], "storage": { "limit_kb": 16_384 } },
        "tools": [{ "name": "a", "description": "A", "parameters": { "type": "object" }, "sensitivity": "destructive" },
                  { "name": "B_2", "description": "B", "parameters": { "type": "object" }, "returns": { "type": "object" }, "sensitivity": "write" }],
        "privacy_filters": { "patterns": ["email", "credit-card"], "custom": [{ "name": "EMPLOYEE_ID", "pattern": "EMP-[0-9]{6}" }] },
    });
    let joiner = edited("/name", json!("\u{1f468}\u{200d}\u{1f469} \u{2764}\u{fe0f}"));
    let (id, label) = (format!("org.example.{}", "a".repeat(63)), "a".repeat(52));
    let longest = format!("{id}.{label}");
    let reference = "Each value is at the limit that its rule allows.";
    vec![
        case("accept-every-key", &full)
            .says("A manifest with every key, at its limits", reference)
            .spec("MAN-09 MAN-13 MAN-14 MAN-16 MAN-17 MAN-18 MAN-19 MAN-20 MAN-21 MAN-22 MAN-25 MAN-27 MAN-34"),
        case("accept-root", &edited("/capabilities", json!({ "filesystem": { "write": ["/"] } })))
            .says("The root as the one directory", reference)
            .spec("MAN-22 MAN-23 MAN-24"),
        case("accept-emoji", &joiner)
            .says("A name with a joiner and an emoji's selector", "Both are part of how scripts are written.")
            .spec("MAN-07 MAN-08"),
        case("accept-id-128-bytes", &edited("/id", json!(longest)))
            .says("An id of 128 bytes with a label of 63", reference)
            .spec("MAN-10"),
        case("accept-texts", &edited("/description", json!("x".repeat(8192))))
            .says("A description of 8,192 bytes", reference)
            .spec("MAN-08"),
        Package::new()
            .with("manifest.json", deep(32))
            .case(6, "manifest/accept-deep")
            .says("A default nested 32 levels deep", reference)
            .spec("MAN-01 LIM-10"),
        Package::new()
            .with("manifest.json", format!("\r\n\t {:#}\n", manifest()))
            .case(6, "manifest/accept-white-space")
            .says("A manifest with other white space", "White space says nothing.")
            .spec("MAN-01 JSON-03"),
    ]
}
