//! What no server can show: how bytes are cut into pieces, and what the machine lacks.
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions)]

use super::response::ResponseReader;
use super::*;
use crate::tests::support::TempDir;

fn read(wire: &[u8], piece_bytes: usize) -> Result<HttpResponse, TransportError> {
    let mut reader = ResponseReader::new("GET", 1000);
    for piece in wire.chunks(piece_bytes) {
        reader.take(piece)?;
    }
    reader.finish()
}

const WIRES: [&str; 5] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\n\r\nhello",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n3\r\n wo\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.1 204 No\r\nX: caf\u{e9}\r\n\r\n",
];

/// A generator that needs nothing (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % bound
    }
}

#[test]
fn pieces_of_any_size_read_as_the_whole_also_where_bytes_were_changed() {
    let mut dice = Dice(88_172_645_463_325_252);
    let mut outcomes = [0, 0];
    for round in 0..3_000 {
        let mut wire = WIRES[round % WIRES.len()].as_bytes().to_vec();
        for _ in 0..dice.below(3) {
            let at = dice.below(wire.len());
            match dice.below(3) {
                0 => drop(wire.remove(at)),
                1 => wire.insert(at, b"\r\n:;0 f\0"[dice.below(8)]),
                _ => wire[at] = b"\r\n:;0 f\xff"[dice.below(8)],
            }
        }
        let whole = read(&wire, wire.len());
        outcomes[usize::from(whole.is_ok())] += 1;
        for piece_bytes in [1, 2, 3, 7] {
            assert_eq!(read(&wire, piece_bytes), whole, "{:?}", String::from_utf8_lossy(&wire));
        }
    }
    assert!(outcomes.iter().all(|count| *count > 500), "{outcomes:?}");
}

#[test]
fn bytes_behind_the_end_and_lines_that_go_on_are_refused() {
    for (index, wire) in WIRES.iter().enumerate().filter(|(index, _)| *index != 1) {
        let more = format!("{wire}HTTP/1.1 200 OK\r\n");
        assert_eq!(
            read(more.as_bytes(), 4),
            Err(TransportError::Malformed("bytes after the end of the response".to_owned())),
            "{index}"
        );
    }
    let folded = "HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\nContent-Length: 0\r\n\r\n";
    assert!(matches!(read(folded.as_bytes(), 4), Err(TransportError::Malformed(_))));
}

#[test]
fn a_whole_response_cut_anywhere_is_not_whole() {
    for wire in [WIRES[0], WIRES[2], WIRES[3], WIRES[4]] {
        assert!(read(wire.as_bytes(), 5).is_ok());
        for end in 1..wire.len() {
            let result = read(&wire.as_bytes()[..end], 5);
            assert!(matches!(result, Err(TransportError::Unreachable(_))), "{end} {result:?}");
        }
    }
}

#[test]
fn only_absolute_directories_are_searched_for_curl() {
    let temp = TempDir::new("curl");
    let directory = temp.0.join("bin");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("curl"), "").unwrap();
    let in_path = |path: &str| find_program(OsStr::new(path));
    let found = in_path(&format!("/nowhere:{}", directory.display()));
    assert_eq!(found, Ok(directory.join("curl")));
    for path in ["", ".", "/nowhere", "relative:.:"] {
        assert!(in_path(path).unwrap_err().contains("install"), "{path}");
    }
}

#[test]
fn a_curl_that_is_too_old_or_has_no_https_is_refused() {
    let protocols = "\nProtocols: file ftp http https\nFeatures: IPv6";
    for accepted in
        ["curl 7.66.0 (x)", "curl 7.88.1 (x86_64-pc-linux-gnu)", "curl 8.0", "curl 10.1-DEV"]
    {
        assert_eq!(check_version_output(&format!("{accepted}{protocols}")), Ok(()), "{accepted}");
    }
    for old in ["curl 7.65.3 (x)", "curl 7.9", "curl 6.99.0"] {
        let error = check_version_output(&format!("{old}{protocols}")).unwrap_err();
        assert!(error.contains("minimum 7.66"), "{old}");
    }
    for strange in ["", "wget 8.0", "curl", "curl eight", "curl 8"] {
        let error = check_version_output(&format!("{strange}{protocols}")).unwrap_err();
        assert!(error.contains("not recognized"), "{strange}: {error}");
    }
    for without in ["curl 8.1.2 (x)\nProtocols: file http\nFeatures: https", "curl 8.1.2 (x)"] {
        assert!(check_version_output(without).unwrap_err().contains("without https"), "{without}");
    }
    let error = check_version(Path::new("/nowhere/curl"), soon(), &|| false).unwrap_err();
    let start = "the transport failed: /nowhere/curl: cannot be started";
    assert!(error.to_string().starts_with(start), "{error}");
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Puts a script in the place of `curl`. A shell writes it: a file that this process has open for writing,
/// a child of another test included, cannot be started.
#[cfg(unix)]
fn put_curl(directory: &Path, script: &str) {
    std::fs::create_dir_all(directory).unwrap();
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > new && chmod 755 new && mv new curl";
    let mut shell = Command::new("sh");
    shell.args(["-c", write, "sh", script]).current_dir(directory);
    assert!(shell.status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_missing_curl_is_the_hosts_fault_and_looked_for_until_it_is_found() {
    let temp = TempDir::new("curl");
    let directory = temp.0.join("bin");
    let transport = CurlTransport::new(None);
    let program = || transport.program(directory.as_os_str(), soon(), &|| false);
    assert!(matches!(program(), Err(TransportError::Host(why)) if why.contains("curl not found")));
    put_curl(&directory, "echo curl 7.1.0");
    assert!(matches!(program(), Err(TransportError::Host(why)) if why.contains("minimum")));
    put_curl(&directory, "echo curl 8.0.1; echo Protocols: https");
    assert_eq!(program(), Ok(directory.join("curl").as_path()));
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(program().is_ok());
}

#[cfg(unix)]
#[test]
fn a_curl_that_never_says_its_version_is_ended() {
    let temp = TempDir::new("curl");
    let directory = temp.0.join("bin");
    let began = Instant::now();
    put_curl(&directory, "exec sleep 60");
    let check = |deadline, stop: bool| check_version(&directory.join("curl"), deadline, &|| stop);
    let short = Instant::now() + Duration::from_millis(50);
    assert_eq!(check(short, false), Err(TransportError::TimedOut));
    assert_eq!(check(soon(), true), Err(TransportError::Cancelled));
    put_curl(&directory, "while :; do echo curl 8.0.1; done");
    assert!(matches!(check(soon(), false), Err(TransportError::Host(_))));
    assert!(began.elapsed() < Duration::from_secs(25));
}

#[test]
fn names_that_hang_take_a_bounded_number_of_threads_and_give_them_back() {
    let transport = CurlTransport::new(None);
    let places: Vec<LookupSlot> = (0..HTTP_LOOKUPS_COUNT_MAX)
        .map(|_| LookupSlot::take(&transport.lookups).unwrap())
        .collect();
    let long = Duration::from_secs(20);
    let resolve = |timeout| transport.resolve("localhost", timeout, &|| false);
    assert!(matches!(resolve(long), Err(TransportError::Host(_))));
    drop(places);
    assert!(resolve(long).is_ok());
    assert_eq!(resolve(Duration::ZERO), Err(TransportError::TimedOut));
}

#[test]
fn waiting_for_a_name_that_hangs_ends_soon_after_the_call_is_cancelled() {
    let (_hangs, answer) = channel::<()>();
    let looks = AtomicUsize::new(0);
    let is_cancelled = || looks.fetch_add(1, Ordering::Relaxed) == 2;
    let began = Instant::now();
    let deadline = began + Duration::from_secs(60);
    assert_eq!(wait_for(&answer, deadline, &is_cancelled), Err(TransportError::Cancelled));
    assert!(began.elapsed() < Duration::from_secs(20));
    let asked = CurlTransport::new(None).resolve("localhost", Duration::from_secs(60), &|| true);
    assert_eq!(asked, Err(TransportError::Cancelled));
}
