//! Strict incremental parser for HTTP/1.1 responses (RFC 9112): refuses ambiguous messages, and buffers no more
//! than the limits allow.

use crate::kernel::limits::{HTTP_CHUNK_LINE_BYTES_MAX, HTTP_HEAD_BYTES_MAX};
use crate::kernel::network::{HttpResponse, TransportError};

/// A response that is being received.
pub struct ResponseReader {
    state: State,
    /// The current line, in the states that read lines.
    line: Vec<u8>,
    /// Bytes of status lines, headers and trailers so far, interim responses included.
    head_bytes: usize,
    is_head_request: bool,
    is_http_1_0: bool,
    body_bytes_max: usize,
    response: HttpResponse,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    StatusLine,
    Headers,
    /// This number of body bytes is missing.
    Sized(usize),
    /// The body ends with the connection.
    UntilClose,
    ChunkSize,
    /// This number of bytes of the chunk is missing.
    Chunk(usize),
    ChunkEnd,
    Trailers,
    Done,
}

impl ResponseReader {
    /// Returns a parser for the response to a request with this method.
    pub fn new(method: &str, body_bytes_max: usize) -> Self {
        ResponseReader {
            state: State::StatusLine,
            line: Vec::new(),
            head_bytes: 0,
            is_head_request: method == "HEAD",
            is_http_1_0: false,
            body_bytes_max,
            response: HttpResponse { status: 0, headers: Vec::new(), body: Vec::new() },
        }
    }

    /// Parses the next bytes.
    ///
    /// # Errors
    /// [`TransportError::Malformed`] and [`TransportError::TooLarge`]; the parser must not be used after that.
    pub fn take(&mut self, mut input: &[u8]) -> Result<(), TransportError> {
        while !input.is_empty() {
            input = match self.state {
                State::Sized(left) | State::Chunk(left) => self.take_body(input, left)?,
                State::UntilClose => self.take_body(input, usize::MAX)?,
                // [NET-19]
                State::Done => return Err(malformed("bytes after the end of the response")),
                _ => self.take_line(input)?,
            };
        }
        Ok(())
    }

    /// Returns the response, once the connection was closed without an error.
    ///
    /// # Errors
    /// [`TransportError::Unreachable`] if it is incomplete.
    // [NET-11]
    pub fn finish(self) -> Result<HttpResponse, TransportError> {
        match self.state {
            State::Done | State::UntilClose => Ok(self.response),
            _ => Err(TransportError::Unreachable("the response is incomplete".to_owned())),
        }
    }

    /// Takes at most `left` bytes of body. Returns the bytes after them.
    // [NET-20]
    fn take_body<'a>(&mut self, input: &'a [u8], left: usize) -> Result<&'a [u8], TransportError> {
        let (taken, rest) = input.split_at_checked(left).unwrap_or((input, &[]));
        if self.body_bytes_max.saturating_sub(self.response.body.len()) < taken.len() {
            return Err(TransportError::TooLarge);
        }
        self.response.body.extend_from_slice(taken);
        let left = left.saturating_sub(taken.len());
        self.state = match self.state {
            State::Sized(_) if left == 0 => State::Done,
            State::Sized(_) => State::Sized(left),
            State::Chunk(_) if left == 0 => State::ChunkEnd,
            State::Chunk(_) => State::Chunk(left),
            other => other,
        };
        Ok(rest)
    }

    /// Takes the rest of a line, up to its end if it is there. Returns the bytes after it.
    // [NET-14] [NET-20]
    fn take_line<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], TransportError> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(input.len(), |at| at.saturating_add(1));
        let (taken, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
        self.line.extend_from_slice(taken);
        match self.state {
            State::ChunkSize | State::ChunkEnd => {
                if self.line.len() > HTTP_CHUNK_LINE_BYTES_MAX {
                    return Err(malformed("chunk size line is too long"));
                }
            }
            _ => {
                self.head_bytes = self.head_bytes.saturating_add(taken.len());
                if self.head_bytes > HTTP_HEAD_BYTES_MAX {
                    return Err(TransportError::TooLarge);
                }
            }
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            let line = line.strip_suffix(b"\r\n").ok_or_else(|| malformed("a bare line feed"))?;
            self.read_line(line)?;
        }
        Ok(rest)
    }

    fn read_line(&mut self, line: &[u8]) -> Result<(), TransportError> {
        self.state = match self.state {
            State::StatusLine => {
                (self.is_http_1_0, self.response.status) = status_line(line)?;
                State::Headers
            }
            State::Headers if line.is_empty() => self.end_of_headers()?,
            State::Headers => {
                self.response.headers.push(header(line)?);
                State::Headers
            }
            State::ChunkSize => match chunk_size(line)? {
                0 => State::Trailers,
                size => State::Chunk(size),
            },
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::ChunkEnd => return Err(malformed("chunk is longer than its size")),
            State::Trailers if line.is_empty() => State::Done,
            // Checked and discarded: trailers must not be merged into headers unasked (RFC 9110, section 6.5.1).
            State::Trailers => header(line).map(|_| State::Trailers)?,
            other => other,
        };
        Ok(())
    }

    /// Decides how the body ends (RFC 9112, section 6.3).
    // [NET-16] [NET-17] [NET-18]
    fn end_of_headers(&mut self) -> Result<State, TransportError> {
        let status = self.response.status;
        if (100..200).contains(&status) {
            self.response.headers.clear();
            // No request asks for another protocol.
            return match status {
                101 => Err(malformed("a switch to another protocol")),
                _ => Ok(State::StatusLine),
            };
        }
        let length = self.single_header("content-length")?.map(content_length).transpose()?;
        let coding = self.single_header("transfer-encoding")?;
        let chunked = coding.map(|coding| coding.eq_ignore_ascii_case("chunked"));
        match (chunked, length) {
            (Some(false), _) => Err(malformed("transfer encoding other than chunked")),
            (Some(true), Some(_)) => Err(malformed("both Transfer-Encoding and Content-Length")),
            (Some(true), None) if self.is_http_1_0 => Err(malformed("chunked coding in HTTP/1.0")),
            _ if self.is_head_request || matches!(status, 204 | 304) => Ok(State::Done),
            (Some(true), None) => Ok(State::ChunkSize),
            (None, Some(0)) => Ok(State::Done),
            (None, Some(length)) if length > self.body_bytes_max => Err(TransportError::TooLarge),
            (None, Some(length)) => Ok(State::Sized(length)),
            (None, None) => Ok(State::UntilClose),
        }
    }

    /// Returns the value of a header that must not be repeated.
    fn single_header(&self, name: &str) -> Result<Option<&str>, TransportError> {
        let mut values = self.response.headers.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(malformed("duplicate Content-Length or Transfer-Encoding")),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }
}

/// Parses `HTTP/1.1 200 OK`. Returns `true` for HTTP/1.0, and the status.
// [NET-15]
fn status_line(line: &[u8]) -> Result<(bool, u16), TransportError> {
    let wrong = || malformed("invalid status line");
    let text = std::str::from_utf8(line.get(..12).ok_or_else(wrong)?).map_err(|_| wrong())?;
    let (version, digits) = text.split_once(' ').ok_or_else(wrong)?;
    let is_http_1_0 = match version {
        "HTTP/1.1" => false,
        "HTTP/1.0" => true,
        _ => return Err(wrong()),
    };
    let reason = line.get(12..).unwrap_or_default();
    let reason_valid = reason.first().is_none_or(|byte| *byte == b' ') && is_field_content(reason);
    let digits_valid = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let status = digits.parse().ok().filter(|status| (100..600).contains(status));
    match status {
        Some(status) if reason_valid && digits_valid => Ok((is_http_1_0, status)),
        _ => Err(wrong()),
    }
}

/// Parses `Name: value`, the name in lower case and the value trimmed. A value that is not UTF-8 is read as
/// ISO 8859-1, in which every byte is a character.
// [NET-14]
fn header(line: &[u8]) -> Result<(String, String), TransportError> {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = colon
        .and_then(|at| line.split_at_checked(at))
        .ok_or_else(|| malformed("header without a colon"))?;
    let value = value.strip_prefix(b":").unwrap_or_default();
    if !is_token(name) || !is_field_content(value) {
        return Err(malformed("header with invalid characters"));
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let value = match std::str::from_utf8(value) {
        Ok(value) => value.to_owned(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    Ok((name, value.trim_matches([' ', '\t']).to_owned()))
}

/// `token` of RFC 9110, section 5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    let is_token_byte = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !bytes.is_empty() && bytes.iter().all(is_token_byte)
}

/// Allows no control character but the tab, so that no carriage return ends a line for another reader.
fn is_field_content(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

/// Accepts digits only; a length that this machine cannot count is too large anyway.
// [NET-16]
fn content_length(value: &str) -> Result<usize, TransportError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed("Content-Length is not a number"));
    }
    Ok(value.parse().unwrap_or(usize::MAX))
}

/// Parses hexadecimal digits, optionally with chunk extensions, which are ignored.
// [NET-18]
fn chunk_size(line: &[u8]) -> Result<usize, TransportError> {
    let wrong = || malformed("chunk size is not a number");
    let digits = line.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next().unwrap_or_default();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) || !is_field_content(line) {
        return Err(wrong());
    }
    let rest = line.get(digits.len()..).unwrap_or_default().trim_ascii();
    if !rest.is_empty() && !rest.starts_with(b";") {
        return Err(wrong());
    }
    let text = std::str::from_utf8(digits).map_err(|_| wrong())?;
    Ok(usize::from_str_radix(text, 16).unwrap_or(usize::MAX))
}

fn malformed(what: &str) -> TransportError {
    TransportError::Malformed(what.to_owned())
}
