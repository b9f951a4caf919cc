//! What an HTTP transport must do: one table of servers and expected results, for the fake that other tests use
//! and for the transport of this system, which drives curl.
//!
//! What needs nginx and openssl is ignored unless asked for:
//! `cargo test --test conformance transport -- --ignored`.

pub mod fake;
pub mod http_service;
pub mod nginx;
mod process;
mod program;
pub mod server;
mod speed;
mod table;

use fake::FakeTransport;
use mpp::network::CurlTransport;
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use server::Server;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use table::{Case, Means};

/// An exchange that other members are changed in.
pub fn exchange(at: SocketAddr) -> Exchange<'static> {
    Exchange {
        is_https: false,
        host: "www.example.com",
        port: at.port(),
        address: at.ip(),
        target: "/",
        method: "GET",
        headers: &[],
        body: b"",
        response_bytes_max: 1 << 20,
        timeout: Duration::from_secs(30),
    }
}

/// The kind of an error: its texts are for people.
pub fn kind(error: &TransportError) -> &'static str {
    match error {
        TransportError::Unsupported => "unsupported",
        TransportError::NoAddress => "no address",
        TransportError::Unreachable(_) => "unreachable",
        TransportError::Tls(_) => "tls",
        TransportError::TooLarge => "too large",
        TransportError::TimedOut => "timed out",
        TransportError::Cancelled => "cancelled",
        TransportError::Malformed(_) => "malformed",
        TransportError::Host(_) => "host",
    }
}

/// Says in what a transport differs from a case.
fn difference(transport: &dyn HttpTransport, at: SocketAddr, case: &Case) -> Option<String> {
    let exchange = Exchange {
        method: case.method,
        response_bytes_max: case.response_bytes_max,
        timeout: case.timeout,
        ..exchange(at)
    };
    let began = Instant::now();
    let found = transport.exchange(&exchange, &|| false);
    let took = began.elapsed();
    if took > case.timeout + Duration::from_millis(500) {
        return Some(format!("{}: took {took:?}", case.title));
    }
    let same = match (&found, case.expected()) {
        (Ok(found), Ok(expected)) => *found == expected,
        (Err(found), Err(expected)) => kind(found) == expected,
        _ => false,
    };
    (!same).then(|| format!("{}: {found:?}, expected {:?}", case.title, case.expected()))
}

fn differences(transport: &dyn HttpTransport, serve: impl Fn(&Case) -> SocketAddr) -> Vec<String> {
    let cases = table::cases();
    assert!(cases.len() > 60);
    cases.iter().filter_map(|case| difference(transport, serve(case), case)).collect()
}

#[test]
fn curl_and_what_reads_it_do_what_the_table_says() {
    let mut servers = Vec::new();
    let servers = std::cell::RefCell::new(&mut servers);
    let serve = |case: &Case| {
        let server = Server::start(case.play.clone());
        let at = server.at();
        servers.borrow_mut().push(server);
        at
    };
    let wrong = differences(&CurlTransport::new(None), serve);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_fake_does_what_the_table_says() {
    let fake = FakeTransport::default();
    let wrong = differences(&fake, |case| fake.serve(case.means.clone()));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Both transports, and a server that means the same to each.
pub fn both(play: server::Play, means: Means, check: impl Fn(&dyn HttpTransport, SocketAddr)) {
    let server = Server::start(play);
    check(&CurlTransport::new(None), server.at());
    let fake = FakeTransport::default();
    let at = fake.serve(means);
    check(&fake, at);
}

#[test]
fn a_cancelled_exchange_ends_within_a_tenth_of_a_second() {
    let plays = [
        (server::Play::Silent, Means::Silence),
        (
            server::Play::Drip(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), Duration::from_millis(10)),
            Means::Silence,
        ),
    ];
    for (play, means) in plays {
        both(play, means, |transport, at| {
            let began = Instant::now();
            let is_cancelled = || began.elapsed() > Duration::from_millis(300);
            let result = transport.exchange(&exchange(at), &is_cancelled);
            assert_eq!(result, Err(TransportError::Cancelled));
            assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
        });
    }
}

#[test]
fn a_body_that_nobody_reads_does_not_keep_a_cancelled_exchange() {
    let server = Server::start(server::Play::Deaf);
    let body = vec![b'x'; 16 << 20];
    let exchange = Exchange { method: "POST", body: &body, ..exchange(server.at()) };
    let began = Instant::now();
    let is_cancelled = || began.elapsed() > Duration::from_millis(500);
    let result = CurlTransport::new(None).exchange(&exchange, &is_cancelled);
    assert_eq!(result, Err(TransportError::Cancelled));
    assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
}

#[test]
fn a_port_where_nobody_listens_is_unreachable() {
    let at = Server::start(server::Play::Silent).at(); // and closed again
    let result = CurlTransport::new(None).exchange(&exchange(at), &|| false);
    assert_eq!(kind(&result.unwrap_err()), "unreachable");
    let fake = FakeTransport::default();
    assert_eq!(kind(&fake.exchange(&exchange(at), &|| false).unwrap_err()), "unreachable");
}

#[test]
fn a_name_gives_each_of_its_addresses_once_and_one_that_is_none_gives_no_address() {
    let found =
        CurlTransport::new(None).resolve("localhost", Duration::from_secs(20), &|| false).unwrap();
    assert!(found.iter().all(|address| address.is_loopback()), "{found:?}");
    let mut once = found.clone();
    once.sort();
    once.dedup();
    assert!(!found.is_empty() && once.len() == found.len(), "{found:?}");
    // A label that is too long is refused without asking anybody.
    let too_long = format!("{}.invalid", "a".repeat(64));
    let result = CurlTransport::new(None).resolve(&too_long, Duration::from_secs(20), &|| false);
    assert_eq!(result, Err(TransportError::NoAddress));
}

#[test]
fn an_ipv6_address_is_reached_where_the_machine_has_one_and_else_read_as_one() {
    let transport = CurlTransport::new(None);
    let Some(server) = Server::start_at("[::1]:0", server::Play::Echo) else {
        let nowhere = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 9));
        let result = transport.exchange(&exchange(nowhere), &|| false);
        assert_eq!(kind(&result.unwrap_err()), "unreachable");
        return;
    };
    let response = transport.exchange(&exchange(server.at()), &|| false).unwrap();
    assert!(response.body.starts_with(b"GET / HTTP/1.1\r\nHost: www.example.com:"));
}

/// What the server got, by a transport with these members.
pub fn echoed(exchange: &Exchange<'_>) -> HttpResponse {
    CurlTransport::new(None).exchange(exchange, &|| false).unwrap()
}
