//! The command line and config of curl, and what other users of the machine can see of it.

use super::server::{Play, Server};
use super::{echoed, exchange, kind};
use mpp::network::CurlTransport;
use mpp::network::{Exchange, HttpTransport};
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

/// Target and headers of a request that was sent back, without what curl always sends.
fn taken_apart(request: &[u8]) -> (String, Vec<(String, String)>, Vec<u8>) {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&request[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap().to_owned();
    assert!(lines.next().unwrap().starts_with("Host: www.example.com:"), "{head}");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())
    });
    (first, headers.collect(), request[end + 4..].to_vec())
}

/// A generator that needs nothing (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % bound
    }

    fn text(&mut self, alphabet: &[char], length_max: usize) -> String {
        (0..self.below(length_max + 1)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

#[test]
fn every_header_target_and_body_that_may_be_sent_arrives_as_it_is() {
    let server = Server::start(Play::Echo);
    let printable: Vec<char> = ('!'..='~').collect();
    let token: Vec<char> = "!#$%&'*+-.^_`|~abcXYZ019".chars().collect();
    // What means something to curl's config, its options, a shell, or a terminal, several times over.
    let mut value: Vec<char> = (' '..='~').collect();
    value.extend("\\\\\\\"\"\"''\t\t##@@%%;;::--==nrtv\u{e9}\u{4e2d}\u{1f980}".chars());
    let mut dice = Dice(88_172_645_463_325_252);
    for round in 0..150 {
        let mut headers: Vec<(String, String)> = (0..dice.below(30))
            .map(|number| (format!("X{number}{}", dice.text(&token, 12)), dice.text(&value, 40)))
            .collect();
        if round % 10 == 0 {
            headers.push(("X-Long".to_owned(), "\\\"".repeat(15_000)));
        }
        let target = format!("/{}", dice.text(&printable, 60));
        let body: Vec<u8> = (0..dice.below(3_000)).map(|_| dice.below(256) as u8).collect();
        let method = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"][dice.below(6)];
        let exchange = Exchange {
            target: &target,
            method,
            headers: &headers,
            body: &body,
            ..exchange(server.at())
        };
        let (first, mut arrived, arrived_body) = taken_apart(&echoed(&exchange).body);
        assert_eq!(first, format!("{method} {target} HTTP/1.1"));
        if !body.is_empty() || ["POST", "PUT", "PATCH"].contains(&method) {
            let length = arrived.iter().position(|(name, _)| name == "Content-Length");
            assert_eq!(arrived.remove(length.unwrap()).1, body.len().to_string());
        }
        for (_, value) in &mut headers {
            // Space around a value is not part of it.
            *value = value.trim_matches([' ', '\t']).to_owned();
        }
        assert_eq!(arrived, headers);
        assert_eq!(arrived_body, body);
    }
}

#[test]
fn a_body_is_sent_as_it_is_whatever_it_looks_like() {
    let server = Server::start(Play::Echo);
    let large = vec![0xa5; 1 << 20];
    for body in [&b"@/etc/passwd"[..], b"\0", b"\r\n\r\n", b"--next\n", &large] {
        let limit = 2 << 20;
        let exchange =
            Exchange { method: "POST", body, response_bytes_max: limit, ..exchange(server.at()) };
        assert!(taken_apart(&echoed(&exchange).body).2 == body, "{:?}", body.get(..20));
    }
}

#[test]
fn nothing_is_added_to_a_request() {
    let server = Server::start(Play::Echo);
    let asked = |method| {
        let body = echoed(&Exchange { method, ..exchange(server.at()) }).body;
        taken_apart(&body).1
    };
    assert_eq!(asked("GET"), []);
    assert_eq!(asked("DELETE"), []);
    let empty = [("Content-Length".to_owned(), "0".to_owned())];
    assert_eq!(asked("POST"), empty);
    assert_eq!(asked("PUT"), empty);
    let exchange = Exchange { method: "HEAD", ..exchange(server.at()) };
    assert_eq!(echoed(&exchange).body, b"");
    let requests = server.requests();
    let head = String::from_utf8_lossy(requests.last().unwrap());
    assert!(head.starts_with("HEAD / HTTP/1.1\r\nHost: "), "{head}");
    assert_eq!(head.lines().count(), 3, "{head}");
}

#[test]
fn what_would_change_the_request_is_refused_and_nothing_is_sent() {
    let server = Server::start(Play::Echo);
    let base = exchange(server.at());
    let header = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
    let mut wrong: Vec<(String, Exchange)> = Vec::new();
    let bad_headers: Vec<_> = [
        ("A", "b\r\nC: d"),
        ("A", "b\nurl = \"http://127.0.0.1/\""),
        ("A", "b\0"),
        ("A", "\u{7f}"),
        ("A", "\u{85}"),
        ("A: b\r\nC", "d"),
        ("A B", "c"),
        ("", "b"),
        ("@/etc/passwd", ""),
        ("A:", "b"),
        ("\u{e9}", "b"),
        ("Host", "other.example.com"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("CONNECTION", "close"),
        ("Upgrade", "h2c"),
        ("Expect", "100-continue"),
        ("TE", "trailers"),
    ]
    .iter()
    .map(|(name, value)| header(name, value))
    .collect();
    for headers in &bad_headers {
        wrong.push((format!("{headers:?}"), Exchange { headers, ..base.clone() }));
    }
    for target in ["", "*", "a", "//\r\n", "/ ", "/\u{e9}", "/\0", "http://127.0.0.1/"] {
        wrong.push((target.to_owned(), Exchange { target, ..base.clone() }));
    }
    for host in ["", "a b", "a/b", "a@b", "A", "a:1", "[::1]", "a\"", "a\n", "{a,b}", "a#"] {
        wrong.push((host.to_owned(), Exchange { host, ..base.clone() }));
    }
    for method in ["", "get", "GET /", "GET\r\n"] {
        wrong.push((method.to_owned(), Exchange { method, ..base.clone() }));
    }
    wrong.push((
        "HEAD with a body".to_owned(),
        Exchange { method: "HEAD", body: b"x", ..base.clone() },
    ));
    wrong.push(("port 0".to_owned(), Exchange { port: 0, ..base.clone() }));
    for (what, exchange) in &wrong {
        let result = CurlTransport::new(None).exchange(exchange, &|| false);
        assert_eq!(kind(&result.unwrap_err()), "host", "{what}");
    }
    assert!(server.requests().is_empty());
}

/// Processes called curl whose parent is this one: id, state, command line, environment.
#[cfg(target_os = "linux")]
fn children() -> Vec<(String, String, String, String)> {
    let mut found = Vec::new();
    for item in fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| {
            let bytes = fs::read(item.path().join(name)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let stat = read("stat");
        let Some((id, rest)) = stat.split_once(" (curl) ") else { continue };
        let mut rest = rest.split(' ');
        let (state, parent) = (rest.next().unwrap().to_owned(), rest.next().unwrap());
        if parent == std::process::id().to_string() {
            found.push((id.to_owned(), state, read("cmdline"), read("environ")));
        }
    }
    found
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_list_shows_nothing_of_a_request() {
    let server = Server::start(Play::Silent);
    let headers = [("Authorization".to_owned(), "Bearer hidden-in-header".to_owned())];
    let exchange = Exchange {
        method: "POST",
        target: "/hidden-in-target",
        headers: &headers,
        body: b"hidden-in-body",
        timeout: Duration::from_millis(1_234),
        ..exchange(server.at())
    };
    let seen = std::thread::scope(|scope| {
        let asked = scope.spawn(|| CurlTransport::new(None).exchange(&exchange, &|| false));
        let mut seen = BTreeSet::new();
        while !asked.is_finished() {
            for (_, _, command, environment) in children() {
                let has_body = command.contains("--data-binary");
                seen.insert((has_body, command, environment));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(kind(&asked.join().unwrap().unwrap_err()), "timed out");
        seen
    });
    assert!(seen.iter().any(|(has_body, _, _)| *has_body), "{seen:?}");
    for (_, command, environment) in seen {
        assert!(!command.contains("hidden") && !command.contains("example"), "{command}");
        assert!(!command.contains("Bearer") && !command.contains("127.0"), "{command}");
        // Between fork and exec a child still has what this process has; then it has nothing.
        assert!(environment.is_empty() || !command.contains("--config"), "{environment}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn however_an_exchange_ends_no_process_is_left() {
    let plays = [
        Play::Silent,
        Play::Deaf,
        Play::Endless(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"more".to_vec()),
        Play::Bytes(b"nonsense".to_vec()),
        Play::Bytes(b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()),
    ];
    for play in plays {
        let server = Server::start(play);
        let timeout = Duration::from_millis(200);
        let exchange = Exchange { timeout, ..exchange(server.at()) };
        let _ = CurlTransport::new(None).exchange(&exchange, &|| false);
    }
    // Those of other tests end too, but not as zombies.
    let began = Instant::now();
    let mut zombies: BTreeSet<String> = children().into_iter().map(|child| child.0).collect();
    while !zombies.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "{zombies:?}");
        std::thread::sleep(Duration::from_millis(50));
        let now: BTreeSet<String> =
            children().into_iter().filter(|child| child.1 == "Z").map(|child| child.0).collect();
        zombies.retain(|id| now.contains(id));
    }
}

#[test]
fn files_and_environment_of_the_user_change_nothing() {
    // The environment of this process is not passed on, so a child process is enough: the same exchange, with
    // every variable set that curl would read.
    let server = Server::start(Play::Echo);
    let trap = Server::start(Play::Echo);
    let home = crate::support::Folder::new("curl-home");
    let proxy = format!("http://{}/", trap.at());
    let curlrc = format!("proxy = \"{proxy}\"\nheader = \"X-Trap: 1\"\nlocation\nuser = \"a:b\"\n");
    fs::write(home.path().join(".curlrc"), curlrc).unwrap();
    fs::write(home.path().join(".netrc"), "default login a password b\n").unwrap();
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "transport::process::asks_once_where_it_is_told", "--ignored"]);
    command.env("MPP_TEST_AT", server.at().to_string());
    for name in ["HOME", "CURL_HOME", "XDG_CONFIG_HOME"] {
        command.env(name, home.path());
    }
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, &proxy);
    }
    command.env("SSLKEYLOGFILE", home.path().join("keys"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(trap.requests().is_empty());
    let (_, headers, _) = taken_apart(&server.requests()[0]);
    assert_eq!(headers, []);
    assert!(!home.path().join("keys").exists());
}

#[test]
#[ignore = "is a part of another test"]
fn asks_once_where_it_is_told() {
    let Ok(at) = std::env::var("MPP_TEST_AT") else { return };
    let response = echoed(&exchange(at.parse().unwrap()));
    assert_eq!(response.status, 200);
}
