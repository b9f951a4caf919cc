//! Line framing: reads and writes messages as lines of a stream.

use super::request_id::IdScanner;
use crate::kernel::limits::MCP_LINE_BYTES_MAX;
use serde_json::Value;
use std::io::{self, BufRead, Read as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line of the input, without its line feed; if it exceeds the limit, the id of its request.
pub(super) type Line = Result<Vec<u8>, Value>;

/// Reads the next line that is not blank; `None` at the end of the input. `is_first` is set for the first line
/// of the input, and reset.
// [SRV-01]
pub(super) fn read(input: &mut impl BufRead, is_first: &mut bool) -> io::Result<Option<Line>> {
    let bytes_max = u64::try_from(MCP_LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut line = Vec::new();
    while input.by_ref().take(bytes_max).read_until(b'\n', &mut line)? > 0 {
        line.pop_if(|last| *last == b'\n');
        // A whole line has lost its line feed, and is within the limit.
        let is_too_long = line.len() > MCP_LINE_BYTES_MAX;
        // [SRV-07]
        if std::mem::take(is_first) && line.starts_with(BYTE_ORDER_MARK) {
            line.drain(..BYTE_ORDER_MARK.len());
        }
        if is_too_long {
            let mut scanner = IdScanner::default();
            while !line.ends_with(b"\n") {
                scanner = scanner.read(&line);
                line.clear();
                if input.by_ref().take(bytes_max).read_until(b'\n', &mut line)? == 0 {
                    break;
                }
            }
            return Ok(Some(Err(scanner.read(&line).id())));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Ok(line)));
        }
        line.clear();
    }
    Ok(None)
}

/// Writes the responses of all calls, each as a whole line.
pub(super) struct Output<W> {
    stream: Mutex<W>,
    has_failed: AtomicBool,
}

impl<W: Write> Output<W> {
    pub(super) fn new(stream: W) -> Self {
        Output { stream: Mutex::new(stream), has_failed: AtomicBool::new(false) }
    }

    /// Writes one message. JSON text contains no line feed, so the message is one line; some readers also end a
    /// line at the other separators.
    // [SRV-04] [SRV-06]
    pub(super) fn send(&self, message: &Value) -> io::Result<()> {
        let line = format!("{message}\n").replace('\u{85}', "\\u0085");
        self.write(&line.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
    }

    /// Writes text, which is white space unless it is a message: only a write shows whether the client still reads.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        // After a failure, a part of a message may have been written.
        self.check()?;
        let written = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        self.has_failed.store(written.is_err(), Ordering::Relaxed);
        written
    }

    /// Returns an error if an earlier write, of any thread, failed.
    pub(super) fn check(&self) -> io::Result<()> {
        let has_failed = self.has_failed.load(Ordering::Relaxed);
        (!has_failed).then_some(()).ok_or(io::ErrorKind::BrokenPipe.into())
    }
}
