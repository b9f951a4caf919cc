//! Line framing: reads and writes messages as lines of a stream.

use crate::kernel::limits::MCP_LINE_BYTES_MAX;
use serde_json::Value;
use std::io::{self, BufRead, Read as _, Write};
use std::sync::{Mutex, PoisonError};

/// Reads the next line that is not blank, without its line feed; `None` at the end of the input. A line over the
/// limit is cut one byte past it, and the rest is skipped.
// [SRV-01]
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let bytes_max = u64::try_from(MCP_LINE_BYTES_MAX).unwrap_or(u64::MAX);
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(bytes_max.saturating_add(1)).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let is_whole = line.pop_if(|last| *last == b'\n').is_some();
        let is_too_long = line.len() > MCP_LINE_BYTES_MAX;
        if is_too_long && !is_whole {
            input.skip_until(b'\n')?;
        }
        if is_too_long || !line.trim_ascii().is_empty() {
            return Ok(Some(line));
        }
    }
}

/// Writes the responses of all calls, each as a whole line.
pub(super) struct Output<W>(Mutex<W>);

impl<W: Write> Output<W> {
    pub(super) fn new(stream: W) -> Self {
        Output(Mutex::new(stream))
    }

    /// Writes one message. JSON text contains no line feed, so the message is one line.
    pub(super) fn send(&self, message: &Value) -> io::Result<()> {
        let line = format!("{message}\n");
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(line.as_bytes())?;
        stream.flush()
    }
}
