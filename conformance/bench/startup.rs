//! From the start of `mpp serve` to the answer of a small tool, against a program that answers `initialize`
//! and does nothing else, and with 200 packages installed against one:
//! `cargo build --release && cargo run --release --example startup`.
//!
//! Clients start a process for each call, so this is what a call costs them. Runs are interleaved; the
//! medians count. Fails if either goal is missed: at most three times, in both cases.

use mpp::package::key::SecretKey;
use mpp::package::pack::{pack, read_directory};
use mpp::package::writer::Compression;
use mpp::store::PackageStore;
use mpp::trust::Validity;
use mpp::{Gatekeeper, Timestamp, TrustStore};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 41;
const MOST_TIMES: f64 = 3.0;
const ASKS: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n",
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"analyze","arguments":{"text":"one two"}}}"#,
    "\n",
);

fn main() -> ExitCode {
    let folder = std::env::temp_dir().join(format!("mpp-startup-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    let mpp = std::env::current_exe().expect("this program").with_file_name("../mpp");
    let (nothing, one, many) = (nothing(&folder), home(&folder, 1), home(&folder, 200));
    let mut times = [(); 3].map(|()| Vec::new());
    // The first round warms up.
    for round in 0..=RUNS {
        let rounds = [
            answer_time(Command::new(&nothing), 1),
            answer_time(serve(&mpp, &one), 2),
            answer_time(serve(&mpp, &many), 2),
        ];
        if round > 0 {
            times.iter_mut().zip(rounds).for_each(|(times, time)| times.push(time));
        }
    }
    std::fs::remove_dir_all(&folder).expect("the folder from above");
    let [nothing, one, many] = times.map(median);
    println!("nothing but `initialize`     {:8.2} ms", ms(nothing));
    println!(
        "first answer, 1 installed    {:8.2} ms, {:.2} times that",
        ms(one),
        ratio(one, nothing)
    );
    println!(
        "first answer, 200 installed  {:8.2} ms, {:.2} times that",
        ms(many),
        ratio(many, one)
    );
    match ratio(one, nothing) <= MOST_TIMES && ratio(many, one) <= MOST_TIMES {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn serve(mpp: &Path, home: &Path) -> Command {
    let mut command = Command::new(mpp);
    command.arg("serve").env("MPP_HOME", home);
    command
}

/// From the start of a process to its answer to the request of this id.
fn answer_time(mut command: Command, id: u64) -> Duration {
    let began = Instant::now();
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a program that can be started");
    let mut stdin = process.stdin.take().expect("its stdin");
    // The program that does nothing may have ended before all of it was written.
    let _gone = stdin.write_all(ASKS.as_bytes());
    let mut answers = BufReader::new(process.stdout.take().expect("its stdout")).lines();
    let answer = answers.find_map(|line| {
        let line = line.expect("a line of its stdout");
        let answer: Value = serde_json::from_str(&line).expect("a message in each line");
        (answer["id"] == id).then_some(answer)
    });
    let time = began.elapsed();
    let answer = answer.expect("an answer");
    assert!(answer["result"].is_object() && answer["result"]["isError"] != true, "{answer}");
    drop(stdin);
    assert!(process.wait().expect("its end").success());
    time
}

fn nothing(folder: &Path) -> PathBuf {
    let program = folder.join("nothing");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/bench/nothing.rs");
    let mut compile = Command::new(rustc);
    compile.args(["-O", "-C", "strip=symbols", source, "-o"]).arg(&program);
    assert!(compile.status().expect("a Rust compiler").success());
    program
}

/// A home with so many packages, all of them like `text_stats`, which itself is one of them.
fn home(folder: &Path, count: usize) -> PathBuf {
    let home = folder.join(count.to_string());
    let key = SecretKey::from_seed([7; 32]).expect("a key");
    let mut trust = TrustStore::empty();
    trust
        .add_publisher("Bench", key.public(), &["org.example"], Validity::ALWAYS)
        .expect("a publisher");
    std::fs::create_dir_all(&home).expect("a folder");
    std::fs::write(home.join("trust.json"), trust.to_json()).expect("a file");
    let policy = json!({ "format": "mpp-policy/1", "auto_approve_low": true });
    std::fs::write(home.join("policy.json"), policy.to_string()).expect("a file");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/tools/text_stats");
    let contents = read_directory(&source).expect("an example tool");
    let store = PackageStore::new(&home);
    for number in 0..count {
        let mut contents = contents.clone();
        if number > 0 {
            let manifest = contents.get_mut("manifest.json").expect("its manifest");
            let mut parsed: Value = serde_json::from_slice(manifest).expect("its manifest");
            parsed["id"] = json!(format!("org.example.like{number}"));
            parsed["tools"][0]["name"] = json!(format!("analyze_{number}"));
            parsed["tools"][1]["name"] = json!(format!("extract_{number}"));
            *manifest = parsed.to_string().into_bytes();
        }
        let now = Timestamp::now();
        let package = pack(contents, &key, now, Compression::Deflated).expect("a package");
        let attestation =
            Gatekeeper::new(trust.clone(), now).verify(&package).expect("a good package");
        store.install(&package, &attestation).expect("a place to install it");
    }
    home
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
