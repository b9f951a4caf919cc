//! Room: lines in and out. A line that is too long is skipped to its end, never kept.

use crate::limits::MCP_LINE_BYTES_MAX;
use serde_json::Value;
use std::io::{self, BufRead, Write};
use std::sync::{Mutex, PoisonError};

/// What was read.
pub(super) enum Line {
    Text(Vec<u8>),
    TooLong,
    End,
}

/// Reads to the next line feed, or to the end.
// [SRV-01]
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Line> {
    let (mut line, mut too_long) = (Vec::new(), false);
    loop {
        let chunk = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if chunk.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Line::TooLong,
                (false, true) => Line::End,
                (false, false) => Line::Text(line),
            });
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        too_long = too_long || line.len().saturating_add(part.len()) > MCP_LINE_BYTES_MAX;
        match too_long {
            true => line = Vec::new(),
            false => line.extend_from_slice(part),
        }
        let used = part.len().saturating_add(usize::from(end.is_some()));
        input.consume(used);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { Line::Text(line) });
        }
    }
}

/// Where the answers of all calls go, each as a whole line.
pub(super) struct Output<W>(Mutex<W>);

impl<W: Write> Output<W> {
    pub(super) fn new(stream: W) -> Self {
        Output(Mutex::new(stream))
    }

    /// Writes one message. JSON text holds no line feed, so it is one line.
    pub(super) fn send(&self, message: &Value) -> io::Result<()> {
        let mut line = message.to_string();
        line.push('\n');
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(line.as_bytes())?;
        stream.flush()
    }
}
