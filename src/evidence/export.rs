//! Records as other programs take them: the log's own lines, or syslog (RFC 5424).

use super::follow::Record;

/// Facility 13 (log audit), severity 6 (informational) or 4 (warning).
const FACILITY: u8 = 13;

/// The form of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jsonl,
    Syslog,
}

impl Format {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "jsonl" => Some(Format::Jsonl),
            "syslog" => Some(Format::Syslog),
            _ => None,
        }
    }

    /// Formats a record as one line.
    pub fn line(self, record: &Record) -> String {
        match self {
            Format::Jsonl => record.line.clone(),
            Format::Syslog => syslog(record),
        }
    }
}

/// Formats a record as a syslog message. The record is ASCII without control characters, so that its line is the
/// message, verbatim; numbers and hashes need no escape in structured data. Host and process are for the relay.
// [AUD-80]
fn syslog(record: &Record) -> String {
    let is_well = match record.text("kind") {
        "outcome" => record.text("result") == "ok",
        "refused" | "lost" | "torn" => false,
        _ => true,
    };
    let severity = if is_well { 6 } else { 4 };
    let priority = u16::from(FACILITY) * 8 + severity;
    let (time, kind, seq, hash) =
        (record.text("time"), record.text("kind"), record.number("seq"), record.hash());
    format!(
        "<{priority}>1 {time} - mpp - {kind} [mpp@32473 seq=\"{seq}\" hash=\"{hash}\"] {}",
        record.line
    )
}
