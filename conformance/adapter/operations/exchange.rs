//! One exchange of the transport with a server on this machine.

use super::Case;
use mpp::network::{CurlTransport, Exchange, HttpTransport, TransportError};
use mpp::Error;
use serde_json::{json, Value};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a request to its end: the headers, and the body whose length they state.
fn read_request(stream: &mut TcpStream) -> String {
    let (mut request, mut byte) = (String::new(), [0]);
    while !request.ends_with("\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        request.push(char::from(byte[0]));
    }
    let length = request.split("Content-Length: ").nth(1).and_then(|rest| rest.split('\r').next());
    for _ in 0..length.and_then(|length| length.parse().ok()).unwrap_or(0) {
        if stream.read(&mut byte).is_ok_and(|count| count > 0) {
            request.push(char::from(byte[0]));
        }
    }
    request
}

/// Answers one request with these bytes and the end of the connection. Returns the request.
fn serve(listener: &TcpListener, response: &[u8]) -> Option<String> {
    let (mut stream, _) = listener.accept().ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = read_request(&mut stream);
    // The client ends the connection early if the response is too long for it.
    if stream.write_all(response).is_ok() {
        let _ = stream.shutdown(Shutdown::Write);
        let _ = stream.read(&mut [0; 64]);
    }
    Some(request)
}

pub fn exchange(case: &Case<'_>) -> Result<Value, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port on this machine");
    let at = listener.local_addr().expect("an address");
    let pairs = case.input.get("headers").and_then(Value::as_array).into_iter().flatten();
    let pair = |pair: &Value, place: usize| pair[place].as_str().expect("a text").to_owned();
    let headers: Vec<_> = pairs.map(|it| (pair(it, 0), pair(it, 1))).collect();
    let count = |member: &str| case.input.get(member).and_then(Value::as_u64);
    let text = |member, default| case.optional_text(member).unwrap_or(default);
    let exchange = Exchange {
        is_https: false,
        host: text("host", "www.example.com"),
        port: at.port(),
        address: at.ip(),
        target: text("target", "/"),
        method: text("method", "GET"),
        headers: &headers,
        body: text("body", "").as_bytes(),
        response_bytes_max: count("body_bytes_max")
            .map_or(1 << 20, |count| usize::try_from(count).expect("a count")),
        timeout: PATIENCE,
    };
    let response = case.bytes("response");
    let (received, request) = std::thread::scope(|scope| {
        let server = scope.spawn(|| serve(&listener, &response));
        let received = CurlTransport::new(None).exchange(&exchange, &|| false);
        // A request that was refused before it was sent: the server must not wait for it.
        let _ = TcpStream::connect(at);
        (received, server.join().expect("a server that ends"))
    });
    let sent = request.filter(|request| !request.is_empty());
    let sent = sent.map(|request| request.replace(&format!(":{}", at.port()), ""));
    Ok(match received {
        Ok(response) => json!({
            "status": response.status, "headers": response.headers,
            "body": String::from_utf8_lossy(&response.body), "request": sent,
        }),
        Err(error) => json!({ "error": kind(&error), "request": sent }),
    })
}

fn kind(error: &TransportError) -> &'static str {
    match error {
        TransportError::Unreachable(_) => "incomplete",
        TransportError::Malformed(_) => "malformed",
        TransportError::TooLarge => "too_large",
        TransportError::TimedOut => "timed_out",
        _ => "not_sent",
    }
}
