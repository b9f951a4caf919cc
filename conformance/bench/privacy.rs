//! How fast the privacy filter is, on one core and with every kind on:
//! `cargo run --release --example privacy_speed [-- SET.jsonl ...]`.
//!
//! Each line shows a text, the scan alone (`find`), and filtering as an answer of a tool
//! (`redact_json`: walk, replacement and second scan included), in MB/s. Without files the texts
//! are made here; a file is a set of JSON lines `{"text": ...}`. Behind them stand texts made to be as
//! bad as possible for one scanner each, and what 10 MB cost against ten times 1 MB.

use mpp::privacy::{Kind, PrivacyFilterEngine};
use serde_json::{json, Value};
use std::time::Instant;

const MB: usize = 1_000_000;

fn main() {
    let names: Vec<String> = Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect();
    let engine = PrivacyFilterEngine::from_config(&names, &[]).expect("the built-in kinds");
    println!("{:28}{:>10}{:>14}{:>10}", "text", "find", "redact_json", "findings");
    for path in std::env::args().skip(1) {
        let lines = std::fs::read_to_string(&path).expect("a readable file");
        let record = |line: &str| serde_json::from_str::<Value>(line).expect("a JSON line");
        let texts: Vec<String> = lines
            .lines()
            .map(|line| record(line)["text"].as_str().expect("a text").to_owned())
            .collect();
        let bytes: usize = texts.iter().map(String::len).sum();
        show(&engine, path.rsplit('/').next().unwrap_or(&path), &texts, (4 * MB).div_ceil(bytes));
    }
    println!("-- ordinary, 10 MB in one string");
    for (name, unit) in ORDINARY {
        show(&engine, name, &[filled(unit, 10 * MB)], 1);
    }
    println!("-- worst for one scanner, 10 MB in one string");
    for (name, unit) in WORST {
        show(&engine, name, &[filled(unit, 10 * MB)], 1);
    }
    println!("-- 10 MB against ten times 1 MB");
    for (name, unit) in ORDINARY {
        let (one, ten) = (filled(unit, MB), filled(unit, 10 * MB));
        let ten_times = best(|| (0..10).for_each(|_| drop(engine.redact_json(&json!(one)))));
        let at_once = best(|| drop(engine.redact_json(&json!(ten))));
        println!("{name:28}{:>10.2}", at_once / ten_times);
    }
}

/// Measures one set, read `times` times over.
fn show(engine: &PrivacyFilterEngine, name: &str, texts: &[String], times: usize) {
    let values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    let bytes = texts.iter().map(String::len).sum::<usize>() * times;
    let speed = |seconds: f64| bytes as f64 / MB as f64 / seconds;
    let mut findings = 0;
    let find = best(|| {
        for _ in 0..times {
            findings = texts.iter().map(|text| engine.find(text).len()).sum();
        }
    });
    let redact = best(|| {
        for value in values.iter().cycle().take(values.len() * times) {
            let (_, applied) = engine.redact_json(value);
            assert_eq!(applied.withheld(), None, "{name} is withheld");
        }
    });
    println!("{name:28}{:>10.0}{:>14.0}{findings:>10}", speed(find), speed(redact));
}

/// The shortest of three times, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
    let begun = Instant::now();
    let mut time = || {
        let start = used(begun);
        work();
        used(begun) - start
    };
    time().min(time()).min(time())
}

/// Processor time of this thread in seconds, so that a busy machine does not count; where the system does
/// not tell, the time that has passed.
fn used(begun: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.map_or_else(|| begun.elapsed().as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

/// `unit` again and again, with `#` standing for digits that count up, to about so many bytes.
fn filled(unit: &str, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + unit.len() * 8);
    let mut number = 1_234_567_u32;
    while text.len() < bytes {
        for (index, piece) in unit.split('#').enumerate() {
            if index > 0 {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(&format!("{:05}", number >> 8 & 0xFFFF));
            }
            text.push_str(piece);
        }
    }
    text
}

const ORDINARY: &[(&str, &str)] = &[
    (
        "prose",
        "The committee met on Tuesday to look at the plans for the new library; nobody objected, \
        though #.5 square metres seemed little to some of them. It will be opened in 2027. ",
    ),
    (
        "numbers",
        "{\"id\":#,\"at_ms\":17485#543,\"seat\":\"B-#\",\"geo\":[-58.#936,49.2#046],\"price\":#.99},",
    ),
    (
        "records",
        "{\"id\": #, \"name\": \"Marie Hamanova\", \"email\": \"marie#@armyspy.example\", \"phone\": \
        \"+299 84 23 30\", \"note\": \"Marie works at Simple Solutions; write to her.\", \"zip\": \"3910\"},\n",
    ),
    ("log", "2026-03-0#T12:00:01Z INFO worker-# accepted a connection, took #us, id=9f#ac1e\n"),
];

const WORST: &[(&str, &str)] = &[
    ("e-mail addresses", "a@b.co "),
    ("at signs", "@"),
    ("local parts", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@"),
    ("domains", "@a.b.c.d.e.f.g.h.i.j.k.l.m.n.o"),
    ("cards", "4012888888881881 "),
    ("cards in groups", "4012 8888 8888 1881 "),
    ("account numbers", "GB29NWBK60161331926819 "),
    ("starts of account numbers", "GB29"),
    ("social security numbers", "536-33-3955 "),
    ("addresses", "10.0.0.1 "),
    ("addresses of version 6", "::1 "),
    ("colons", ":"),
    ("hexadecimal and colons", "a:b:"),
    ("telephones", "+14155550132 "),
    ("telephones in groups", "012 345 6789 "),
    ("hinted telephones", "tel 555 0132 "),
    ("call words", "call 12345678 "),
    ("pairs of digits", "12 "),
    ("digits and line breaks", "1234\n"),
    ("digits", "4"),
    ("hinted numbers", "passport 1234567 "),
    ("words and digits", "dob is passport driver 1234 "),
    ("broken numbers", "12-34\n"),
    ("dates in words", "dob 3 mars "),
    ("national numbers", "nhs sin npi aba 1234567893 "),
    ("keys", "AKIAIOSFODNN7EXAMPLE "),
    ("prefixes", "xoxb-"),
    ("prefixes with points", "glpat-.ya29."),
    ("headers of tokens", "eyJhbGciOiJub25lIn0."),
    ("starts of tokens", "eyJ-"),
    ("armour", "-----BEGIN PRIVATE KEY-----"),
    ("backslashes", "\\"),
    ("escapes", "\\u0034"),
    ("percent", "%34"),
    ("zero width", "4\u{200B}"),
    ("Arabic digits", "٤"),
    ("dashes", "-"),
    ("brackets", "["),
];
