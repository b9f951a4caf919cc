//! The fuzz targets without a fuzzer: the corpus and the vectors are replayed, and a small mutator with
//! a fixed seed drives each target a fixed number of times.
//!
//! Random bytes die on a checksum or a signature. So packages are altered before they are packed and
//! signed, or in one field of an archive whose lengths, offsets and sums are then made true again.

#[path = "../../fuzz/targets.rs"]
mod targets;

use crate::vectors::suite::crypto::Key;
use crate::vectors::suite::deflate;
use crate::vectors::suite::package::{manifest, module, Package};
use crate::vectors::suite::zip::{Entry, Header, Zip};
use crate::vectors::{cases, Case};
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// Files of `fuzz/corpus/TARGET`.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let Ok(items) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = items.map(|item| item.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Inputs that the vectors hold for each target: their packages and what is in them, and host files.
fn from_vectors() -> &'static BTreeMap<&'static str, Vec<Vec<u8>>> {
    static INPUTS: OnceLock<BTreeMap<&'static str, Vec<Vec<u8>>>> = OnceLock::new();
    INPUTS.get_or_init(collect_from_vectors)
}

fn collect_from_vectors() -> BTreeMap<&'static str, Vec<Vec<u8>>> {
    let mut inputs: BTreeMap<&'static str, Vec<Vec<u8>>> = BTreeMap::new();
    let text = |case: &Case, member: &str| case.value[member].as_str().unwrap_or("").to_owned();
    for case in cases() {
        match text(&case, "op").as_str() {
            "verify" => {
                let package = case.package();
                // The few large ones are run as cases, and have nothing that is not in the others.
                if package.len() > 1 << 16 {
                    continue;
                }
                for entry in mpp::package::archive::read(&package).unwrap_or_default() {
                    let target = match entry.name {
                        "manifest.json" => "manifest",
                        "signature.json" => "signature_file",
                        name if name.ends_with(".wasm") => "module",
                        _ => continue,
                    };
                    inputs.entry(target).or_default().push(entry.content.into_owned());
                }
                // Other stages' packages are archives like each other, and their refusals are run as
                // cases: here it is about the properties of what passes.
                if case.id.starts_with("archive/") {
                    inputs.entry("archive").or_default().push(package.clone());
                }
                if case.value.pointer("/expect/verdict") != Some(&json!("refuse")) {
                    inputs.entry("gatekeeper").or_default().push(package);
                }
            }
            "trust" => inputs.entry("trust").or_default().push(case.host_file()),
            "storage" => inputs.entry("storage").or_default().push(case.host_file()),
            "policy" => inputs.entry("policy").or_default().push(case.host_file()),
            _ => {}
        }
    }
    for list in inputs.values_mut() {
        list.sort();
        list.dedup();
    }
    inputs
}

#[test]
fn every_target_holds_over_its_corpus_and_over_the_vectors() {
    let vectors = from_vectors();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for folder in ["corpus", "fuzz_targets"] {
        for item in fs::read_dir(root.join(folder)).unwrap() {
            let path = item.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(targets::ALL.iter().any(|(known, _)| *known == name), "{}", path.display());
        }
    }
    for (name, target) in targets::ALL {
        assert!(root.join("fuzz_targets").join(name).with_extension("rs").is_file(), "{name}");
        let inputs = [corpus(name), vectors.get(name).cloned().unwrap_or_default()].concat();
        let accepted = inputs.iter().filter(|input| target(input).is_none()).count();
        // A corpus in which nothing passes never reaches the properties of what passes.
        assert!(accepted > 0 && inputs.len() > 4, "{name}: {accepted} of {}", inputs.len());
    }
}

/// Pseudo-random numbers (xorshift64*, Vigna 2014), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % count.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Numbers at which something changes.
const NUMBERS: [u32; 12] =
    [0, 1, 2, 8, 20, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, u32::MAX - 1, u32::MAX];

/// Alters bytes in one to four places, as fuzzers do.
fn altered(random: &mut Random, bytes: &[u8], others: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(16)).min(bytes.len());
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.byte(),
            2 => bytes.insert(at, random.byte()),
            3 => drop(bytes.drain(at..end)),
            4 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            5 => drop(bytes.splice(at..at, random.pick(words).bytes())),
            6 => drop(bytes.splice(at..end, random.pick(words).bytes())),
            7 => {
                let number = random.pick(&NUMBERS).to_le_bytes();
                let width = *random.pick(&[1, 2, 4]);
                let end = (at + width).min(bytes.len());
                drop(bytes.splice(at..end, number[..width].to_vec()));
            }
            _ if !others.is_empty() => {
                let other = random.pick(others);
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend(&other[from..]);
            }
            _ => {}
        }
    }
    bytes.truncate(1 << 16);
    bytes
}

const JSON_WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "false",
    "-0",
    "1e400",
    "9007199254740993",
    "18446744073709551616",
    "0.1",
    "\"id\"",
    "\"type\"",
    "\"$ref\":\"#/$defs/a\"",
    "\"$defs\"",
    "\u{202e}",
    "\u{0}",
    "\"\":",
];

/// Drives a target from its seeds.
fn drive(name: &str, runs: usize) -> BTreeSet<&'static str> {
    let (_, target) = targets::ALL.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = [corpus(name), from_vectors().get(name).cloned().unwrap_or_default()].concat();
    let mut random = Random(0x6d70_7031 + u64::try_from(name.len()).unwrap());
    let mut seen = BTreeSet::new();
    for _ in 0..runs {
        let seed = random.pick(&seeds).clone();
        let input = altered(&mut random, &seed, &seeds, &JSON_WORDS);
        seen.insert(target(&input).map_or("accepted", mpp::Code::as_str));
    }
    seen
}

#[test]
fn small_formats_hold_under_random_changes() {
    // What has to be reached, so that the properties behind it are tried.
    for (name, runs, reached) in [
        ("manifest", 2000, ["accepted", "manifest.bad_value"]),
        ("module", 500, ["module.invalid", "module.limit"]),
        ("signature_file", 800, ["signature.encoding", "content.record_invalid"]),
        ("schema", 2000, ["accepted", "request.bad_arguments"]),
        ("json", 4000, ["accepted", "manifest.syntax"]),
        ("trust", 800, ["accepted", "trust.invalid"]),
        ("policy", 4000, ["accepted", "policy.invalid"]),
        ("answer", 3000, ["accepted", "tool.bad_answer"]),
        ("privacy", 400, ["accepted", "accepted"]),
        ("audit_verify", 400, ["audit.broken", "audit.torn"]),
        ("storage", 2000, ["accepted", "storage.damaged"]),
        ("archive", 1000, ["archive.local_header", "archive.mismatch"]),
    ] {
        let seen = drive(name, runs);
        assert!(reached.iter().all(|code| seen.contains(code)), "{name} saw only {seen:?}");
    }
}

/// A package with one thing changed, packed and signed so that the change is met by the check it is for.
fn altered_package(random: &mut Random, seeds: &BTreeMap<&'static str, Vec<Vec<u8>>>) -> Vec<u8> {
    let parent = Package::new().with("assets/data.txt", "data\n");
    let others = |name: &str| seeds.get(name).map_or(&[][..], Vec::as_slice);
    match random.below(9) {
        0 => {
            let text = altered(random, manifest().to_string().as_bytes(), &[], &JSON_WORDS);
            parent.with("manifest.json", text).bytes()
        }
        1 => parent.with_manifest(&altered_value(random, &manifest())).bytes(),
        2 => {
            let seed = random.pick(others("module")).clone();
            parent.with("tool.wasm", altered(random, &seed, others("module"), &["\0"])).bytes()
        }
        3 => {
            let text = format!("{:#}\n", parent.signature());
            let text = altered(random, text.as_bytes(), others("signature_file"), &JSON_WORDS);
            parent.with("signature.json", text).bytes()
        }
        4 => {
            let words = ["..", "/", "\\", "CON", "assets/", ".wasm", "\0", "é", ":", "A"];
            let name = altered(random, b"assets/data.txt", &[], &words);
            parent.with(name, "x").bytes()
        }
        5 => {
            let count = random.below(Key::ALL.len() + 1);
            let keys: Vec<Key> = (0..count).map(|_| *random.pick(&Key::ALL)).collect();
            parent.signed_by(&keys).bytes()
        }
        6 => {
            let mut zip = parent.zip();
            let streams = [deflate::fixed(b"data\n"), deflate::stored(b"data\n")];
            let stream = random.pick(&streams).clone();
            let stream = altered(random, &stream, &streams, &["\0"]);
            *zip.entry("assets/data.txt") = Entry::deflated(b"assets/data.txt", b"data\n", stream);
            zip.bytes()
        }
        7 => parent.with("tool.wasm", [module(), vec![0, 2, 1, random.byte()]].concat()).bytes(),
        _ => {
            let mut zip = parent.zip();
            alter_field(random, &mut zip);
            zip.bytes()
        }
    }
}

/// Replaces a random value in a JSON document.
fn altered_value(random: &mut Random, value: &Value) -> Value {
    let mut value = value.clone();
    alter_inside(random, &mut value);
    value
}

fn alter_inside(random: &mut Random, place: &mut Value) {
    let goes_deeper = random.below(4) > 0;
    match place {
        Value::Object(members) if goes_deeper && !members.is_empty() => {
            let at = random.below(members.len());
            return alter_inside(random, members.values_mut().nth(at).unwrap());
        }
        Value::Array(items) if goes_deeper && !items.is_empty() => {
            let at = random.below(items.len());
            return alter_inside(random, &mut items[at]);
        }
        _ => {}
    }
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("org.example.other"),
        json!("2.0.0"),
        json!([]),
        json!({}),
        json!(["email"]),
        json!({ "type": "object", "required": ["a"] }),
        json!({ "network": ["a.example"] }),
        json!({ "filesystem": { "read": ["/data"] } }),
        json!("\u{200b}"),
        json!("a".repeat(300)),
    ];
    let value = random.pick(&values).clone();
    match place {
        Value::Object(members) if random.below(2) == 0 => {
            let keys = ["capabilities", "returns", "unknown", "authors", "privacy_filters", "args"];
            members.insert((*random.pick(&keys)).to_owned(), value);
        }
        place => *place = value,
    }
}

/// Sets one field of the archive; everything that follows from it is made true again.
fn alter_field(random: &mut Random, zip: &mut Zip) {
    let number = *random.pick(&NUMBERS);
    let small = u16::try_from(number & 0xffff).unwrap();
    let junk = vec![random.byte(); random.below(5)];
    let count = zip.entries.len();
    let entry = &mut zip.entries[random.below(count)];
    let in_header = |header: &mut Header, field: usize| match field {
        0 => header.version_needed = small,
        1 => header.flags = small,
        2 => header.method = small,
        3 => header.time = small,
        4 => header.date = small,
        5 => header.checksum = Some(number),
        6 => header.stored_bytes = Some(number),
        7 => header.content_bytes = Some(number),
        8 => header.name_bytes = Some(small),
        9 => header.extra.clone_from(&junk),
        _ => header.name.extend(&junk),
    };
    match random.below(12) {
        0 => {
            let field = random.below(11);
            entry.both(|header| in_header(header, field));
        }
        1 => in_header(&mut entry.local, random.below(11)),
        2 => in_header(&mut entry.central, random.below(11)),
        3 => entry.made_by = small,
        4 => entry.external_attributes = number,
        5 => entry.offset = Some(number),
        6 => entry.comment = junk,
        7 => entry.before = junk,
        8 => zip.entries.swap(random.below(count), random.below(count)),
        9 => zip.prefix = junk,
        10 => zip.end.count = Some(small),
        _ => (zip.end.comment, zip.suffix) = (junk.clone(), junk),
    }
}

#[test]
fn altered_and_repaired_packages_hold_and_reach_each_check() {
    let seeds = from_vectors();
    let mut random = Random(0x6d70_7032);
    let mut seen = BTreeSet::new();
    for _ in 0..1500 {
        let package = altered_package(&mut random, seeds);
        targets::archive(&package);
        seen.insert(targets::gatekeeper(&package).map_or("accepted", mpp::Code::as_str));
    }
    for stage in [
        "archive.",
        "structure.",
        "content.",
        "signature.",
        "publisher.",
        "manifest.",
        "module.",
        "accepted",
    ] {
        let reached = seen.iter().filter(|code| code.starts_with(stage)).count();
        assert!(reached > 0, "{stage} was never reached: {seen:?}");
    }
    assert!(seen.len() > 25, "only {} outcomes: {seen:?}", seen.len());
}
