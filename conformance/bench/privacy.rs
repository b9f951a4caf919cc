//! How fast the privacy filter is, on one core and with every kind on:
//! `cargo run --release --example privacy_speed [-- SET.jsonl ...]`.
//!
//! Each line shows a text, the scan alone (`find`), and filtering as an answer of a tool
//! (`redact_json`: walk, replacement and second scan included), in MB/s. Without files the texts
//! are made here; a file is a set of JSON lines `{"text": ...}`. Behind them stand texts made to be as
//! bad as possible for one scanner each, and what 10 MB cost against ten times 1 MB.

mod texts;

use mpp::privacy::{Kind, PrivacyFilterEngine};
use serde_json::{json, Value};
use std::time::Instant;
use texts::{filled, ORDINARY, WORST};

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
            findings =
                texts.iter().map(|text| engine.find(text).map_or(0, |found| found.len())).sum();
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
