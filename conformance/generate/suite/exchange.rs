//! Exchanges with a server that sends these bytes.

use super::case::{parts_json, Case, Part};
use serde_json::{json, Value};

const OK: &str = "HTTP/1.1 200 OK\r\n";
const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn exchange(id: &str, response: impl AsRef<[u8]>) -> Case {
    long(id, &[Part::once(response.as_ref())])
}

fn long(id: &str, response: &[Part]) -> Case {
    Case::exchange(&format!("exchange/{id}")).with("response", parts_json(response))
}

fn repeated(bytes: &str, times: usize) -> Part {
    Part { bytes: bytes.as_bytes().to_vec(), times }
}

pub fn cases() -> Vec<Case> {
    let mut cases = responses();
    cases.extend(faults());
    cases.extend(limits());
    cases.extend(requests());
    cases
}

fn responses() -> Vec<Case> {
    let why = "A response has one reading.";
    let sized = ["content-length", "5"];
    let chunked = ["transfer-encoding", "chunked"];
    let mut cases = Vec::new();
    for (id, title, spec, response, status, headers, body) in [
        ("sized", "A length and a body", "NET-15 NET-17 NET-14", HELLO.to_owned(), 200, json!([sized]), "hello"),
        ("no-reason", "A status line without a reason", "NET-15", HELLO.replace(" OK", ""), 200, json!([sized]), "hello"),
        ("until-end", "A body that lasts to the end", "NET-17", format!("{OK}\r\nhello"), 200, json!([]), "hello"),
        (
            "http-1-0",
            "HTTP/1.0",
            "NET-15 NET-17",
            "HTTP/1.0 200 OK\r\n\r\nhello".to_owned(),
            200,
            json!([]),
            "hello",
        ),
        ("chunked", "Two chunks", "NET-17 NET-18", format!("{CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"), 200, json!([chunked]), "hello"),
        (
            "chunked-more",
            "Chunks with extensions, digits in both cases, and trailers",
            "NET-18",
            format!("{CHUNKED}0A;a=\"b\"\r\nhe\r\nllo wo\r\n3 ; c\r\nrld\r\n000\r\nX: 1\r\n\r\n"),
            200,
            json!([chunked]),
            "he\r\nllo world",
        ),
        (
            "interim",
            "Interim responses",
            "NET-16",
            format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{HELLO}"),
            200,
            json!([sized]),
            "hello",
        ),
        ("no-content", "Status 204", "NET-17", "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n".to_owned(), 204, json!([["x", "1"]]), ""),
        ("not-modified", "Status 304 with a length", "NET-17", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n".to_owned(), 304, json!([sized]), ""),
        (
            "redirect",
            "A redirect, which is a response like others",
            "NET-32",
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_owned(),
            302,
            json!([["location", "http://127.0.0.1:1/"], ["content-length", "0"]]),
            "",
        ),
        (
            "compressed",
            "A body that says that it is compressed",
            "NET-05",
            format!("{OK}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
            200,
            json!([["content-encoding", "gzip"], sized]),
            "hello",
        ),
        (
            "headers",
            "Headers in order, twice, and with space around",
            "NET-14",
            format!("{OK}B:  2\t \r\nSet-Cookie: a=1\r\nA:\r\nb: x: y\r\nSet-Cookie: b=2\r\nContent-Length: 5\r\n\r\nhello"),
            200,
            json!([["b", "2"], ["set-cookie", "a=1"], ["a", ""], ["b", "x: y"], ["set-cookie", "b=2"], sized]),
            "hello",
        ),
        (
            "header-utf8",
            "A header in UTF-8",
            "NET-14",
            format!("{OK}X: \u{e9}\u{4e2d}\r\nContent-Length: 5\r\n\r\nhello"),
            200,
            json!([["x", "\u{e9}\u{4e2d}"], sized]),
            "hello",
        ),
    ] {
        cases.push(
            exchange(&format!("accept-{id}"), response)
                .answers(json!({ "status": status, "headers": headers, "body": body }))
                .says(title, why)
                .spec(spec),
        );
    }
    cases.push(
        exchange(
            "accept-header-latin",
            b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\nContent-Length: 0\r\n\r\n",
        )
        .answers(json!({ "status": 200, "headers": [["x", "caf\u{e9}"], ["content-length", "0"]] }))
        .says("A header in ISO 8859-1", why)
        .spec("NET-14"),
    );
    for (id, header) in
        [("length", "Content-Length: 99999999"), ("chunked", "Transfer-Encoding: chunked")]
    {
        cases.push(
            exchange(&format!("accept-head-{id}"), format!("{OK}{header}\r\n\r\n"))
                .with("method", "HEAD")
                .answers(json!({ "status": 200, "body": "" }))
                .says(&format!("A response to HEAD with `{header}`"), why)
                .spec("NET-17"),
        );
    }
    cases
}

fn fails(case: Case, error: &str) -> Case {
    case.answers(json!({ "error": error, "status": null }))
}

fn faults() -> Vec<Case> {
    let incomplete = "Half a response is none.";
    let other = "What two readers could read differently is not read.";
    let with = |header: &str| format!("{OK}{header}\r\nX: 1\r\n\r\nhello");
    let mut cases = Vec::new();
    for (id, title, spec, response) in [
        ("nothing", "No byte", "NET-11 NET-35", String::new()),
        (
            "in-headers",
            "The end within the headers",
            "NET-11 NET-35",
            format!("{OK}Content-Length: 5\r\nX: "),
        ),
        (
            "in-body",
            "The end within the body",
            "NET-11 NET-35",
            HELLO.trim_end_matches('o').to_owned(),
        ),
        ("in-chunk", "The end within a chunk", "NET-11 NET-35", format!("{CHUNKED}5\r\nhell")),
        (
            "after-chunk",
            "The end before the last chunk",
            "NET-11 NET-35",
            format!("{CHUNKED}5\r\nhello\r\n"),
        ),
        (
            "in-trailers",
            "The end before that of the trailers",
            "NET-11 NET-35",
            format!("{CHUNKED}5\r\nhello\r\n0\r\n"),
        ),
        (
            "interim-only",
            "An interim response alone",
            "NET-11 NET-16",
            "HTTP/1.1 100 Continue\r\n\r\n".to_owned(),
        ),
    ] {
        let case = exchange(&format!("incomplete-{id}"), response);
        cases.push(fails(case, "incomplete").says(title, incomplete).spec(spec));
    }
    for (id, title, spec, response) in [
        (
            "page",
            "A page without a status line",
            "NET-15",
            "<!doctype html><title>hello</title>".to_owned(),
        ),
        ("version-2", "HTTP/2", "NET-15", HELLO.replace("1.1", "2")),
        ("version-3-1", "HTTP/3.1", "NET-15", HELLO.replace("1.1", "3.1")),
        ("version-case", "The version in lower case", "NET-15", HELLO.replace("HTTP", "http")),
        ("status-four", "A status of four digits", "NET-15", HELLO.replace("200", "2000")),
        ("status-two", "A status of two digits", "NET-15", HELLO.replace("200", "20")),
        ("status-700", "Status 700", "NET-15", HELLO.replace("200", "700")),
        ("status-099", "Status 099", "NET-15", HELLO.replace("200", "099")),
        (
            "status-101",
            "Another protocol",
            "NET-16",
            "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello".to_owned(),
        ),
        ("lengths-differ", "Two lengths", "NET-16", with("Content-Length: 5\r\nContent-Length: 4")),
        (
            "length-twice",
            "One length twice",
            "NET-16",
            with("Content-Length: 5\r\nContent-Length: 5"),
        ),
        ("length-list", "Two lengths in one header", "NET-16", with("Content-Length: 5, 5")),
        ("length-sign", "A length with a sign", "NET-16", with("Content-Length: +5")),
        ("length-base", "A length in another base", "NET-16", with("Content-Length: 0x5")),
        ("length-empty", "An empty length", "NET-16", with("Content-Length:")),
        (
            "length-and-chunks",
            "A length and chunks",
            "NET-17",
            with("Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ),
        ("coding", "Another coding", "NET-17", with("Transfer-Encoding: gzip")),
        ("codings", "Two codings", "NET-17", with("Transfer-Encoding: gzip, chunked")),
        (
            "coding-twice",
            "One coding twice",
            "NET-17",
            with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ),
        (
            "coding-old",
            "Chunks in HTTP/1.0",
            "NET-17",
            format!("{CHUNKED}5\r\nhello\r\n0\r\n\r\n").replace("1.1", "1.0"),
        ),
        ("header-space", "A space before the colon", "NET-14", with("A : b")),
        ("header-no-colon", "No colon", "NET-14", with("A b")),
        ("header-no-name", "No name", "NET-14", with(": b")),
        ("header-name", "A name with a space", "NET-14", with("A B: c")),
        ("header-continued", "A header on two lines", "NET-14", with("A: b\r\n c")),
        ("header-cr", "A carriage return in a value", "NET-14", with("A: b\rC: d")),
        ("header-nul", "U+0000 in a value", "NET-14", with("A: b\0c")),
        ("header-escape", "U+001B in a value", "NET-14", with("A: b\u{1b}[2J")),
        ("header-feed", "A line feed alone", "NET-14", with("A: b\nC: d")),
        ("feeds", "Line feeds alone", "NET-14", HELLO.replace("\r\n", "\n")),
        (
            "chunk-negative",
            "A negative chunk",
            "NET-18",
            format!("{CHUNKED}-5\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "chunk-base",
            "A chunk's size in another form",
            "NET-18",
            format!("{CHUNKED}0x5\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "chunk-empty",
            "A chunk without a size",
            "NET-18",
            format!("{CHUNKED}\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "chunk-text",
            "A text after a chunk's size",
            "NET-18",
            format!("{CHUNKED}5 a\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "chunk-short",
            "A chunk that is longer than its size",
            "NET-18",
            format!("{CHUNKED}4\r\nhello\r\n0\r\n\r\n"),
        ),
        (
            "trailer",
            "A trailer without a colon",
            "NET-18 NET-14",
            format!("{CHUNKED}5\r\nhello\r\n0\r\nX\r\n\r\n"),
        ),
        (
            "behind",
            "Bytes after the body",
            "NET-19",
            format!("{CHUNKED}5\r\nhello\r\n0\r\n\r\nmore"),
        ),
    ] {
        let case = exchange(&format!("malformed-{id}"), response);
        cases.push(fails(case, "malformed").says(title, other).spec(spec));
    }
    cases
}

fn limits() -> Vec<Case> {
    let why = "Reading stops at the first byte beyond a limit.";
    let mut cases = Vec::new();
    for (id, title, response) in [
        ("sized", "A length", HELLO.to_owned()),
        ("to-end", "The end of the connection", format!("{OK}\r\nhello")),
        ("chunks", "Chunks", format!("{CHUNKED}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")),
    ] {
        cases.push(
            exchange(&format!("accept-most-{id}"), &response)
                .with("body_bytes_max", 5)
                .answers(json!({ "status": 200, "body": "hello" }))
                .says(&format!("{title}: as many bytes as are wanted"), why)
                .spec("NET-20 NET-33"),
        );
        cases.push(
            fails(
                exchange(&format!("large-{id}"), &response).with("body_bytes_max", 4),
                "too_large",
            )
            .says(&format!("{title}: one byte more than is wanted"), why)
            .spec("NET-20 NET-33"),
        );
    }
    // Status line, one header, and the blank line.
    let head = |bytes: usize| {
        [
            Part::once("HTTP/1.1 204 \r\nX: "),
            repeated("x", bytes - 15 - 3 - 4),
            Part::once("\r\n\r\n"),
        ]
    };
    cases.push(
        long("accept-head-most", &head(64 << 10))
            .answers(json!({ "status": 204 }))
            .says("Status line and headers of 65,536 bytes", why)
            .spec("NET-20 LIM-240"),
    );
    cases.push(
        fails(long("large-head", &head((64 << 10) + 1)), "too_large")
            .says("Status line and headers of 65,537 bytes", why)
            .spec("NET-20 LIM-240"),
    );
    // A chunk's line with its line feed.
    let chunk = |bytes: usize| {
        [
            Part::once(format!("{CHUNKED}5;")),
            repeated("a", bytes - 4),
            Part::once("\r\nhello\r\n0\r\n\r\n"),
        ]
    };
    cases.push(
        long("accept-chunk-line-most", &chunk(256))
            .answers(json!({ "status": 200, "body": "hello" }))
            .says("A chunk's line of 256 bytes", why)
            .spec("NET-20 LIM-241"),
    );
    cases.push(
        fails(long("malformed-chunk-line", &chunk(257)), "malformed")
            .says("A chunk's line of 257 bytes", why)
            .spec("NET-20 LIM-241"),
    );
    cases
}

fn requests() -> Vec<Case> {
    let why = "What the tool wrote is sent, and nothing else.";
    let not = "What could be read as more than one request is not sent.";
    let host = "Host: www.example.com\r\n";
    let mut cases = Vec::new();
    let none = json!([]);
    let length = |count: usize| format!("Content-Length: {count}\r\n");
    for (id, title, method, target, headers, body, request) in [
        ("get", "GET", "GET", "/", &none, "", format!("GET / HTTP/1.1\r\n{host}\r\n")),
        (
            "target",
            "A target with dots, percent and query",
            "GET",
            "/a/../%2e//b?c=%&d=[1]",
            &none,
            "",
            format!("GET /a/../%2e//b?c=%&d=[1] HTTP/1.1\r\n{host}\r\n"),
        ),
        (
            "post",
            "POST with a body",
            "POST",
            "/",
            &json!([["content-type", "application/json"]]),
            "{}",
            format!(
                "POST / HTTP/1.1\r\n{host}content-type: application/json\r\n{}\r\n{{}}",
                length(2)
            ),
        ),
        (
            "post-empty",
            "POST without a body",
            "POST",
            "/",
            &none,
            "",
            format!("POST / HTTP/1.1\r\n{host}{}\r\n", length(0)),
        ),
        (
            "put-empty",
            "PUT without a body",
            "PUT",
            "/",
            &none,
            "",
            format!("PUT / HTTP/1.1\r\n{host}{}\r\n", length(0)),
        ),
        (
            "patch-empty",
            "PATCH without a body",
            "PATCH",
            "/",
            &none,
            "",
            format!("PATCH / HTTP/1.1\r\n{host}{}\r\n", length(0)),
        ),
        ("delete", "DELETE", "DELETE", "/", &none, "", format!("DELETE / HTTP/1.1\r\n{host}\r\n")),
        (
            "headers",
            "Headers, one of them empty",
            "GET",
            "/",
            &json!([["x", "a: b"], ["y", ""]]),
            "",
            format!("GET / HTTP/1.1\r\n{host}x: a: b\r\ny:\r\n\r\n"),
        ),
    ] {
        cases.push(
            exchange(&format!("accept-request-{id}"), HELLO)
                .with("method", method)
                .with("target", target)
                .with("headers", headers.clone())
                .with("body", body)
                .answers(json!({ "status": 200, "request": request }))
                .says(title, why)
                .spec("NET-07"),
        );
    }
    for (id, title, member, value) in [
        ("host-capital", "A host with a capital letter", "host", json!("Example.com")),
        ("host-empty", "An empty host", "host", json!("")),
        ("host-space", "A host with a space", "host", json!("a b")),
        ("host-feed", "A host with a line feed", "host", json!("a\nb")),
        ("host-user", "A host with a user", "host", json!("a@b")),
        ("host-port", "A host with a port", "host", json!("a:80")),
        ("target-relative", "A target without a slash", "target", json!("a")),
        ("target-empty", "An empty target", "target", json!("")),
        ("target-space", "A target with a space", "target", json!("/a b")),
        ("target-feed", "A target with CR LF", "target", json!("/a\r\nX: y")),
        ("target-wide", "A target with a letter beyond ASCII", "target", json!("/\u{e9}")),
        ("method-small", "A method in lower case", "method", json!("get")),
        ("method-space", "A method with a space", "method", json!("GET /")),
        ("method-empty", "An empty method", "method", json!("")),
        ("header-host", "A header `host`", "headers", json!([["Host", "a"]])),
        ("header-length", "A header `content-length`", "headers", json!([["content-length", "1"]])),
        (
            "header-coding",
            "A header `transfer-encoding`",
            "headers",
            json!([["transfer-encoding", "chunked"]]),
        ),
        ("header-name", "A header name with a colon", "headers", json!([["a:b", "c"]])),
        ("header-empty", "An empty header name", "headers", json!([["", "c"]])),
        ("header-feed", "A header value with CR LF", "headers", json!([["a", "b\r\nc: d"]])),
        ("header-nul", "A header value with U+0000", "headers", json!([["a", "b\0"]])),
    ] {
        cases.push(
            fails(exchange(&format!("not-sent-{id}"), HELLO), "not_sent")
                .with(member, value)
                .says(title, not)
                .spec("NET-08"),
        );
    }
    cases.push(
        fails(exchange("not-sent-head-body", HELLO), "not_sent")
            .with("method", "HEAD")
            .with("body", "x")
            .says("HEAD with a body", not)
            .spec("NET-08"),
    );
    for case in &mut cases {
        if case.id.contains("not-sent") {
            if let Some(Value::Object(answer)) = &mut case.answer {
                answer.insert("request".to_owned(), Value::Null);
            }
        }
    }
    cases
}
