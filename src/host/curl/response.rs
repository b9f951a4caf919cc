//! Room: reading an HTTP/1.1 response from bytes as they come (RFC 9112), in one way only: what has two
//! readings is refused, and nothing is kept beyond what was asked for.

use super::config::is_token;
use crate::kernel::limits::{HTTP_CHUNK_LINE_BYTES_MAX, HTTP_HEAD_BYTES_MAX};
use crate::kernel::network::{HttpResponse, TransportError};

/// A response that is on its way.
pub struct ResponseReader {
    state: State,
    /// The line under way, in the states that read lines.
    line: Vec<u8>,
    /// Bytes of status lines, headers and trailers so far, interim answers included.
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
    /// So many bytes of body are to come.
    Sized(usize),
    /// The body ends with the connection.
    UntilClose,
    ChunkSize,
    /// So many bytes of this chunk are to come.
    Chunk(usize),
    ChunkEnd,
    Trailers,
    Done,
}

impl ResponseReader {
    /// Begins with nothing read, for the answer to a request with this method.
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

    /// Reads on.
    ///
    /// # Errors
    /// [`TransportError::Malformed`] and [`TransportError::TooLarge`]; there is no going on after that.
    pub fn take(&mut self, mut input: &[u8]) -> Result<(), TransportError> {
        while !input.is_empty() {
            input = match self.state {
                State::Sized(left) | State::Chunk(left) => self.take_body(input, left)?,
                State::UntilClose => self.take_body(input, usize::MAX)?,
                // [NET-19]
                State::Done => return Err(malformed("bytes after its end")),
                _ => self.take_line(input)?,
            };
        }
        Ok(())
    }

    /// The response, once the connection has ended well.
    ///
    /// # Errors
    /// [`TransportError::Unreachable`] if it is not whole.
    // [NET-11]
    pub fn finish(self) -> Result<HttpResponse, TransportError> {
        match self.state {
            State::Done | State::UntilClose => Ok(self.response),
            _ => Err(TransportError::Unreachable("the response is not whole".to_owned())),
        }
    }

    /// Takes at most `left` bytes of body; gives what is behind them.
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

    /// Takes the rest of a line, if it is there; gives what is behind it.
    // [NET-14] [NET-20]
    fn take_line<'a>(&mut self, input: &'a [u8]) -> Result<&'a [u8], TransportError> {
        let end = input.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(input.len(), |at| at.saturating_add(1));
        let (taken, rest) = input.split_at_checked(count).unwrap_or((input, &[]));
        self.line.extend_from_slice(taken);
        match self.state {
            State::ChunkSize | State::ChunkEnd => {
                if self.line.len() > HTTP_CHUNK_LINE_BYTES_MAX {
                    return Err(malformed("a chunk's size is too long"));
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
            State::ChunkEnd => return Err(malformed("a chunk is longer than it says")),
            State::Trailers if line.is_empty() => State::Done,
            // Checked and left out: nobody has said that they may be merged (RFC 9110, section 6.5.1).
            State::Trailers => header(line).map(|_| State::Trailers)?,
            other => other,
        };
        Ok(())
    }

    /// Says how the body ends (RFC 9112, section 6.3).
    // [NET-16] [NET-17] [NET-18]
    fn end_of_headers(&mut self) -> Result<State, TransportError> {
        let status = self.response.status;
        if (100..200).contains(&status) {
            self.response.headers.clear();
            // Nobody has asked for another protocol.
            return match status {
                101 => Err(malformed("a switch to another protocol")),
                _ => Ok(State::StatusLine),
            };
        }
        let length = self.only("content-length")?.map(content_length).transpose()?;
        let coding = self.only("transfer-encoding")?;
        let chunked = coding.map(|coding| coding.eq_ignore_ascii_case("chunked"));
        match (chunked, length) {
            (Some(false), _) => Err(malformed("a transfer encoding that was not asked for")),
            (Some(true), Some(_)) => Err(malformed("two ways to say where it ends")),
            (Some(true), None) if self.is_http_1_0 => Err(malformed("chunks in HTTP/1.0")),
            _ if self.is_head_request || matches!(status, 204 | 304) => Ok(State::Done),
            (Some(true), None) => Ok(State::ChunkSize),
            (None, Some(0)) => Ok(State::Done),
            (None, Some(length)) if length > self.body_bytes_max => Err(TransportError::TooLarge),
            (None, Some(length)) => Ok(State::Sized(length)),
            (None, None) => Ok(State::UntilClose),
        }
    }

    /// The value of a header that must not be there twice.
    fn only(&self, name: &str) -> Result<Option<&str>, TransportError> {
        let mut values = self.response.headers.iter().filter(|(found, _)| found == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(malformed("a header that frames it stands there twice")),
            (value, None) => Ok(value.map(|(_, value)| value.as_str())),
        }
    }
}

/// `HTTP/1.1 200 OK`: whether it is HTTP/1.0, and the status.
// [NET-15]
fn status_line(line: &[u8]) -> Result<(bool, u16), TransportError> {
    let wrong = || malformed("no status line");
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

/// `Name: value`, the name in lower case and the value without space around it. A value that is not UTF-8
/// is taken for ISO 8859-1, in which every byte is a character.
// [NET-14]
fn header(line: &[u8]) -> Result<(String, String), TransportError> {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = colon
        .and_then(|at| line.split_at_checked(at))
        .ok_or_else(|| malformed("a header without a colon"))?;
    let value = value.strip_prefix(b":").unwrap_or_default();
    if !is_token(name) || !is_field_content(value) {
        return Err(malformed("a header with characters that it can't have"));
    }
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let value = match std::str::from_utf8(value) {
        Ok(value) => value.to_owned(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    Ok((name, value.trim_matches([' ', '\t']).to_owned()))
}

/// No control character but the tab: no carriage return that another reader takes for the end of a line.
fn is_field_content(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

/// Digits alone; what is more than this machine can count is too large in any case.
// [NET-16]
fn content_length(value: &str) -> Result<usize, TransportError> {
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed("a length that is no number"));
    }
    Ok(value.parse().unwrap_or(usize::MAX))
}

/// Hexadecimal digits, and perhaps extensions, which mean nothing to us.
// [NET-18]
fn chunk_size(line: &[u8]) -> Result<usize, TransportError> {
    let wrong = || malformed("a chunk's size that is no number");
    let digits = line.split(|byte| matches!(byte, b';' | b' ' | b'\t')).next().unwrap_or_default();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) || !is_field_content(line) {
        return Err(wrong());
    }
    let behind = line.get(digits.len()..).unwrap_or_default().trim_ascii();
    if !behind.is_empty() && !behind.starts_with(b";") {
        return Err(wrong());
    }
    let text = std::str::from_utf8(digits).map_err(|_| wrong())?;
    Ok(usize::from_str_radix(text, 16).unwrap_or(usize::MAX))
}

fn malformed(what: &str) -> TransportError {
    TransportError::Malformed(what.to_owned())
}
