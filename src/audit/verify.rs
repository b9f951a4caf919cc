//! Room: checking a log from its first line to its last, without holding more than one line of it.

use super::record::{self, LineError, Record, GENESIS};
use crate::encoding::unhex;
use crate::error::{Code, Error};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What a log that verifies holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Records, which is also the number of lines and the last `seq`.
    pub records: u64,
    /// Hash of the last record; 64 zeros for an empty log. Keep it elsewhere: it pins all before
    /// it.
    pub head: String,
    /// Calls begun.
    pub calls: u64,
    /// Calls begun that have neither outcome nor loss recorded: running, or not yet found lost.
    pub open: Vec<u64>,
    /// Calls whose process died.
    pub lost: u64,
    /// Refusals.
    pub refused: u64,
    /// Incomplete lines that were set aside.
    pub torn: u64,
    /// Records behind the expected head, if one was given.
    pub records_after_expected: Option<u64>,
}

/// Verifies the log in the file `path`.
///
/// Where `audit.lock` stands beside it, the length is read under that lock, so that a line somebody
/// is writing at the moment does not look torn. `expected_head` is a head noted earlier (64 hex
/// digits); a log in which it does not occur was cut or replaced. Without it, whole lines missing
/// at the end can't be seen.
///
/// # Errors
/// `audit.broken` with the line and what is wrong with it, `audit.torn` if only the last line is
/// incomplete, `host.file`, `usage` for an expected head that is none.
pub fn verify(path: &Path, expected_head: Option<&str>) -> Result<Report, Error> {
    verify_each(path, expected_head, |_| Ok(()))
}

/// Verifies the log, and has each record looked at once the chain is known to hold up to it. What `look`
/// finds wrong is told like a fault of the chain.
///
/// # Errors
/// As [`verify`].
// [AUD-60] [AUD-67]
pub fn verify_each(
    path: &Path,
    expected_head: Option<&str>,
    look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<Report, Error> {
    let fail = |error: std::io::Error| {
        Error::new(Code::HostFile, format!("can't read {}: {error}", path.display()))
    };
    if !path.metadata().map_err(fail)?.is_file() {
        return Err(fail(std::io::Error::other("not a regular file")));
    }
    let file = File::open(path).map_err(fail)?;
    let length_bytes = || file.metadata().map(|found| found.len());
    let lock_path = path.with_file_name(super::LOCK_FILE);
    let length_bytes = if lock_path.is_file() {
        let lock = File::open(lock_path).map_err(fail)?;
        lock.lock_shared().and_then(|()| length_bytes())
    } else {
        length_bytes()
    }
    .map_err(fail)?;
    verify_lines(&mut BufReader::new(file.take(length_bytes)), expected_head, look)
}

/// Verifies the lines of `source`.
pub(super) fn verify_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    mut look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<Report, Error> {
    if expected_head.is_some_and(|head| unhex::<32>(head).is_none()) {
        return Err(Error::new(Code::Usage, "the expected head is not 64 lower-case hex digits"));
    }
    let mut chain = Chain::new(expected_head);
    loop {
        let number = chain.report.records.saturating_add(1);
        let broken = |what: String| {
            Error::new(Code::AuditBroken, format!("line {number} of the log: {what}"))
        };
        let line = match record::next_line(source) {
            Ok(Some(line)) => line,
            Ok(None) => return chain.end(),
            Err(LineError::Io(error)) => {
                return Err(Error::new(
                    Code::HostFile,
                    format!("line {number} of the log: {error}"),
                ))
            }
            Err(LineError::TooLong) => return Err(broken("longer than any record".to_owned())),
            // [AUD-66]
            Err(LineError::Torn(bytes)) => {
                return Err(Error::new(
                    Code::AuditTorn,
                    format!(
                        "line {number} of the log ends after {bytes} bytes without a line feed"
                    ),
                ))
            }
        };
        let record = record::read(&line).map_err(broken)?;
        chain.accept(&record).map_err(broken)?;
        look(&record.members).map_err(broken)?;
    }
}

/// What is known after so many lines.
struct Chain<'a> {
    report: Report,
    open: BTreeSet<u64>,
    expected_head: Option<&'a str>,
    expected_at: Option<u64>,
}

impl<'a> Chain<'a> {
    fn new(expected_head: Option<&'a str>) -> Self {
        let report = Report {
            records: 0,
            head: GENESIS.to_owned(),
            calls: 0,
            open: Vec::new(),
            lost: 0,
            refused: 0,
            torn: 0,
            records_after_expected: None,
        };
        let expected_at = (expected_head == Some(GENESIS)).then_some(0);
        Chain { report, open: BTreeSet::new(), expected_head, expected_at }
    }

    fn accept(&mut self, record: &Record) -> Result<(), String> {
        let seq = self.report.records.saturating_add(1);
        // [AUD-61]
        if record.seq != seq {
            return Err(format!("has seq {}, but {seq} comes next", record.seq));
        }
        // [AUD-62]
        if record.prev != self.report.head {
            return Err(format!(
                "follows {}, but the line before hashes to {}",
                record.prev, self.report.head
            ));
        }
        let tally = match record.kind.as_str() {
            // [AUD-63]
            "intent" if record.call != seq => {
                return Err(format!("the intent's call is {}, not its seq", record.call))
            }
            "intent" => {
                self.open.insert(seq);
                &mut self.report.calls
            }
            // [AUD-64]
            "outcome" | "lost" if !self.open.remove(&record.call) => {
                return Err(format!("ends call {}, which is not open", record.call))
            }
            "lost" => &mut self.report.lost,
            "refused" => &mut self.report.refused,
            "torn" => &mut self.report.torn,
            _ => &mut 0,
        };
        *tally = tally.saturating_add(1);
        self.report.records = seq;
        self.report.head.clone_from(&record.hash);
        if self.expected_head == Some(record.hash.as_str()) {
            self.expected_at = Some(seq);
        }
        Ok(())
    }

    fn end(mut self) -> Result<Report, Error> {
        // [AUD-65]
        if let (Some(expected), None) = (self.expected_head, self.expected_at) {
            let found = format!("{} lines, the last {}", self.report.records, self.report.head);
            let what =
                format!("no line of the log hashes to the expected {expected}; it has {found}");
            return Err(Error::new(Code::AuditBroken, what));
        }
        self.report.open = self.open.into_iter().collect();
        self.report.records_after_expected =
            self.expected_at.map(|seq| self.report.records.saturating_sub(seq));
        Ok(self.report)
    }
}
