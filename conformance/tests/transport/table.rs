//! The table: what a server sends, and what a transport has to make of it.

use super::kind;
use super::server::Play;
use mpp::network::{HttpResponse, TransportError};
use std::time::Duration;

/// What a site means to a client.
#[derive(Clone, Debug)]
pub enum Means {
    Response(HttpResponse),
    Fails(TransportError),
    /// More than anybody takes.
    Endless,
    /// Nothing, or too slowly.
    Silence,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub title: &'static str,
    pub play: Play,
    pub means: Means,
    pub method: &'static str,
    pub response_bytes_max: usize,
    pub timeout: Duration,
}

impl Case {
    /// A response, or the kind of error.
    pub fn expected(&self) -> Result<HttpResponse, &'static str> {
        match &self.means {
            Means::Response(response) if response.body.len() <= self.response_bytes_max => {
                Ok(response.clone())
            }
            Means::Response(_) | Means::Endless => Err("too large"),
            Means::Fails(error) => Err(kind(error)),
            Means::Silence => Err("timed out"),
        }
    }

    fn method(self, method: &'static str) -> Self {
        Case { method, ..self }
    }

    fn at_most(self, response_bytes_max: usize) -> Self {
        Case { response_bytes_max, ..self }
    }

    fn within_ms(self, time: u64) -> Self {
        Case { timeout: Duration::from_millis(time), ..self }
    }
}

fn case(title: &'static str, play: Play, means: Means) -> Case {
    let timeout = Duration::from_secs(30);
    Case { title, play, means, method: "GET", response_bytes_max: 1 << 20, timeout }
}

/// A server that sends these bytes, which are a response.
fn good(
    title: &'static str,
    wire: &str,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Case {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let response = HttpResponse { status, headers, body: body.as_bytes().to_vec() };
    case(title, Play::Bytes(wire.as_bytes().to_vec()), Means::Response(response))
}

/// A server that sends these bytes, which are not a response.
fn malformed(title: &'static str, wire: impl AsRef<[u8]>) -> Case {
    let error = TransportError::Malformed(String::new());
    case(title, Play::Bytes(wire.as_ref().to_vec()), Means::Fails(error))
}

/// A server that ends too early.
fn broken(title: &'static str, wire: impl AsRef<[u8]>) -> Case {
    let error = TransportError::Unreachable(String::new());
    case(title, Play::Bytes(wire.as_ref().to_vec()), Means::Fails(error))
}

fn endless(title: &'static str, first: &str, again: &str) -> Case {
    let play = Play::Endless(first.as_bytes().to_vec(), again.as_bytes().to_vec());
    case(title, play, Means::Endless)
}

fn slow(title: &'static str, first: &str) -> Case {
    let play = Play::Drip(first.as_bytes().to_vec(), Duration::from_millis(20));
    case(title, play, Means::Silence).within_ms(300)
}

pub fn cases() -> Vec<Case> {
    [responses(), sizes(), not_whole(), no_http(), two_readings(), too_slow()].concat()
}

fn responses() -> Vec<Case> {
    let sized = ("content-length", "5");
    let chunked = ("transfer-encoding", "chunked");
    vec![
        good("sized", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, &[sized], "hello"),
        good("empty", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200,
            &[("content-length", "0")], ""),
        good("no reason", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", 200, &[sized], "hello"),
        good("until the end", "HTTP/1.1 200 OK\r\n\r\nhello", 200, &[], "hello"),
        good("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", 200, &[], "hello"),
        good("chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
              2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 200, &[chunked], "hello"),
        good("chunked with extensions, upper case and trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: x\r\n\r\n\
             0A;a=\"b\"\r\nhe\r\nllo wo\r\n3 ; c\r\nrld\r\n000\r\nX: 1\r\nStatus: 500\r\n\r\n", 200,
            &[("transfer-encoding", "Chunked"), ("trailer", "x")], "he\r\nllo world"),
        good("a body like a response", "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n\
              HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 200, &[("content-length", "38")],
            "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        good("interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\
              Link: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, &[sized],
            "hello"),
        good("no content", "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n", 204, &[("x", "1")], ""),
        good("not modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304,
            &[sized], ""),
        good("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", 200,
            &[("content-length", "99999999")], "").method("HEAD"),
        good("HEAD chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200,
            &[chunked], "").method("HEAD"),
        good("PUT", "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", 201, &[sized],
            "hello").method("PUT"),
        good("OPTIONS", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, &[sized],
            "hello").method("OPTIONS"),
        good("a redirect is not followed",
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302,
            &[("location", "http://127.0.0.1:1/"), ("content-length", "0")], ""),
        good("a response to no request",
            "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 5\r\n\r\nhello",
            401, &[("www-authenticate", "Basic realm=x"), sized], "hello"),
        good("a proxy's question", "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\
              Content-Length: 5\r\n\r\nhello", 407, &[("proxy-authenticate", "Basic"), sized],
            "hello"),
        good("a failure", "HTTP/1.1 503 Later\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nhello",
            503, &[("retry-after", "1"), sized], "hello"),
        good("not decompressed",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", 200,
            &[("content-encoding", "gzip"), sized], "hello"),
        good("headers in order, more than once, with space around",
            "HTTP/1.1 200 OK\r\nB:  2\t \r\nSet-Cookie: a=1\r\nA:\r\nb: x: y\r\nSet-Cookie: b=2\r\n\
             Content-Length: 5\r\n\r\nhello", 200,
            &[("b", "2"), ("set-cookie", "a=1"), ("a", ""), ("b", "x: y"), ("set-cookie", "b=2"),
              sized], "hello"),
        good("a header in UTF-8", "HTTP/1.1 200 OK\r\nX: \u{e9}\u{4e2d}\r\nContent-Length: 5\r\n\r\n\
              hello", 200, &[("x", "\u{e9}\u{4e2d}"), sized], "hello"),
        case("a header in ISO 8859-1",
            Play::Bytes(b"HTTP/1.1 200 OK\r\nX: caf\xe9\r\nContent-Length: 0\r\n\r\n".to_vec()),
            Means::Response(HttpResponse {
                status: 200,
                headers: vec![("x".to_owned(), "caf\u{e9}".to_owned()),
                    ("content-length".to_owned(), "0".to_owned())],
                body: Vec::new(),
            })),
    ]
}

fn sizes() -> Vec<Case> {
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let headers = [("content-length", "5")];
    let until_end = "HTTP/1.1 200 OK\r\n\r\nhello";
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                  2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    let chunked = [("transfer-encoding", "chunked")];
    let head = "HTTP/1.1 200 OK\r\n";
    vec![
        good("as large as it may be", sized, 200, &headers, "hello").at_most(5),
        good("one byte more", sized, 200, &headers, "hello").at_most(4),
        good("as large as it may be, to the end", until_end, 200, &[], "hello").at_most(5),
        good("one byte more, to the end", until_end, 200, &[], "hello").at_most(4),
        good("as large as it may be, in chunks", chunks, 200, &chunked, "hello").at_most(5),
        good("one byte more, in chunks", chunks, 200, &chunked, "hello").at_most(4),
        endless("an endless body", "HTTP/1.1 200 OK\r\n\r\n", "more and more "),
        endless(
            "an endless body of an uncountable length",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
            "more",
        ),
        endless(
            "endless chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "4\r\nmore\r\n",
        )
        .at_most(10_000),
        endless(
            "one endless chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                ffffffffffff\r\n",
            "more",
        ),
        endless("endless headers", head, "X-Y: and another one of them\r\n"),
        endless("an endless header", &format!("{head}X: "), "more"),
        endless("an endless status line", "HTTP/1.1 200 ", "more"),
        endless("endless interim answers", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        endless(
            "endless trailers",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "X-Y: and another one of them\r\n",
        ),
    ]
}

fn not_whole() -> Vec<Case> {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    vec![
        broken("no byte", ""),
        broken("the end in the headers", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: "),
        broken("the end in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"),
        broken("the end before the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        broken("the end before the chunks", chunked),
        broken("the end in a chunk", format!("{chunked}5\r\nhell")),
        broken("the end behind a chunk", format!("{chunked}5\r\nhello\r\n")),
        broken("the end before the trailers' end", format!("{chunked}5\r\nhello\r\n0\r\n")),
        broken("the end behind an interim answer", "HTTP/1.1 100 Continue\r\n\r\n"),
    ]
}

fn no_http() -> Vec<Case> {
    vec![
        malformed("a page and nothing else", "<!doctype html><title>hello</title>"),
        malformed("another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n"),
        malformed("bytes", [0u8, 1, 2, 3, 255, 254].repeat(100)),
        malformed("another version", "HTTP/3.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed("the version of frames", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed("a version in lower case", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed("a status that there is not", "HTTP/1.1 700 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed("a status below all", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
        malformed(
            "a switch to another protocol",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello",
        ),
    ]
}

fn two_readings() -> Vec<Case> {
    let with = |header: &str| format!("HTTP/1.1 200 OK\r\n{header}\r\nX: 1\r\n\r\nhello");
    let chunked =
        |body: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
    let mut cases: Vec<Case> = [
        ("lengths that differ", "Content-Length: 5\r\nContent-Length: 4"),
        ("a length twice", "Content-Length: 5\r\nContent-Length: 5"),
        ("lengths in one header", "Content-Length: 5, 5"),
        ("a length with a sign", "Content-Length: +5"),
        ("a negative length", "Content-Length: -5"),
        ("a length in another base", "Content-Length: 0x5"),
        ("an empty length", "Content-Length:"),
        ("a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ("another coding", "Transfer-Encoding: gzip"),
        ("two codings", "Transfer-Encoding: gzip, chunked"),
        ("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        ("a space before the colon", "A : b"),
        ("no colon", "A b"),
        ("no name", ": b"),
        ("a name with a space", "A B: c"),
        ("a carriage return in a value", "A: b\rC: d"),
        ("a NUL in a value", "A: b\0c"),
        ("an escape in a value", "A: b\u{1b}[2J"),
        ("a line feed alone", "A: b\nC: d"),
    ]
    .into_iter()
    .map(|(title, header)| malformed(title, with(header)))
    .collect();
    cases.extend([
        malformed(
            "chunks in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ),
        malformed("line feeds alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
        malformed("a negative chunk", chunked("-5\r\nhello\r\n0\r\n\r\n")),
        malformed("a chunk in another spelling", chunked("0x5\r\nhello\r\n0\r\n\r\n")),
        malformed("a chunk without a size", chunked("\r\nhello\r\n0\r\n\r\n")),
        malformed("a chunk with a word after its size", chunked("5 a\r\nhello\r\n0\r\n\r\n")),
        malformed("a chunk that is longer than it says", chunked("4\r\nhello\r\n0\r\n\r\n")),
        malformed("a chunk with a line feed alone", chunked("5\nhello\r\n0\r\n\r\n")),
        malformed(
            "a chunk with a long extension",
            chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "a".repeat(300))),
        ),
        malformed("a malformed trailer", chunked("5\r\nhello\r\n0\r\nX\r\n\r\n")),
    ]);
    cases
}

fn too_slow() -> Vec<Case> {
    let silent = case("no word", Play::Silent, Means::Silence).within_ms(400);
    vec![
        silent.clone(),
        Case { title: "no time at all", ..silent }.within_ms(0),
        slow("a drip of a status line", "HTTP/1.1 200 "),
        slow("a drip of headers", "HTTP/1.1 200 OK\r\nX: "),
        slow("a drip of a body", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        slow("a drip without an end", "HTTP/1.1 200 OK\r\n\r\n"),
        slow("a drip of a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n"),
    ]
}
