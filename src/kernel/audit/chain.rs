//! Verification of the audit log's hash chain, line by line, without holding more than one line.

use super::record::{read, Record, GENESIS};
use crate::kernel::encoding::unhex;
use crate::kernel::prelude::*;
use serde_json::{Map, Value};

/// The contents of a verified log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of records, which is the number of lines and the last `seq`.
    pub records: u64,
    /// Hash of the last record; 64 zeros for an empty log. A copy stored elsewhere pins all records up to
    /// it.
    pub head: String,
    /// Number of started calls.
    pub calls: u64,
    /// Calls with neither an outcome nor a loss record: running, or not yet found lost.
    pub open: Vec<u64>,
    /// Number of calls whose process died.
    pub lost: u64,
    /// Number of refused calls.
    pub refused: u64,
    /// Number of incomplete lines that were set aside.
    pub torn: u64,
    /// Number of records after the expected head, if one was given.
    pub records_after_expected: Option<u64>,
}

/// Verifies a log line by line.
///
/// ```
/// use mpp::audit::ChainVerifier;
/// let mut chain = ChainVerifier::new(None)?;
/// assert!(chain.verify_line(b"{}").unwrap_err().detail().starts_with("line 1 of the log: "));
/// assert_eq!(ChainVerifier::new(None)?.finish()?.records, 0);
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChainVerifier<'a> {
    report: VerifyReport,
    open: BTreeSet<u64>,
    expected_head: Option<&'a str>,
    expected_at: Option<u64>,
}

impl<'a> ChainVerifier<'a> {
    /// Starts before the first line. `expected_head` is a head noted earlier (64 hex digits); a log without
    /// it was truncated or replaced.
    ///
    /// # Errors
    /// `usage` for a malformed `expected_head`.
    pub fn new(expected_head: Option<&'a str>) -> Result<Self, Error> {
        if expected_head.is_some_and(|head| unhex::<32>(head).is_none()) {
            let what = "expected head is not 64 lower-case hex digits";
            return Err(Error::new(Code::Usage, what));
        }
        let report = VerifyReport { head: GENESIS.to_owned(), ..VerifyReport::default() };
        let expected_at = (expected_head == Some(GENESIS)).then_some(0);
        Ok(ChainVerifier { report, open: BTreeSet::new(), expected_head, expected_at })
    }

    /// Returns the number of records so far.
    pub fn records(&self) -> u64 {
        self.report.records
    }

    /// Returns an error about the next line.
    pub fn line_error(&self, code: Code, what: &str) -> Error {
        let number = self.report.records.saturating_add(1);
        Error::new(code, format!("line {number} of the log: {what}"))
    }

    /// Verifies the next line, given without its line feed, and returns its members.
    ///
    /// # Errors
    /// `audit.broken` with the line number and what is wrong.
    // [AUD-60]
    pub fn verify_line(&mut self, line: &[u8]) -> Result<Map<String, Value>, Error> {
        let invalid = |what: String| self.line_error(Code::AuditBroken, &what);
        let record = read(line).map_err(invalid)?;
        self.append(&record).map_err(|what| self.line_error(Code::AuditBroken, &what))?;
        Ok(record.members)
    }

    fn append(&mut self, record: &Record) -> Result<(), String> {
        let seq = self.report.records.saturating_add(1);
        // [AUD-61]
        if record.seq != seq {
            return Err(format!("seq is {}, expected {seq}", record.seq));
        }
        // [AUD-62]
        if record.prev != self.report.head {
            return Err(format!("prev is {}, expected {}", record.prev, self.report.head));
        }
        let count = match record.kind.as_str() {
            // [AUD-63]
            "intent" if record.call != seq => {
                return Err(format!(
                    "call of the intent is {}, expected its seq {seq}",
                    record.call
                ))
            }
            "intent" => {
                self.open.insert(seq);
                &mut self.report.calls
            }
            // [AUD-64]
            "outcome" | "lost" if !self.open.remove(&record.call) => {
                return Err(format!("call {} is not open", record.call))
            }
            "lost" => &mut self.report.lost,
            "refused" => &mut self.report.refused,
            "torn" => &mut self.report.torn,
            _ => &mut 0,
        };
        *count = count.saturating_add(1);
        self.report.records = seq;
        self.report.head.clone_from(&record.hash);
        if self.expected_head == Some(record.hash.as_str()) {
            self.expected_at = Some(seq);
        }
        Ok(())
    }

    /// Ends the verification after the last line.
    ///
    /// # Errors
    /// `audit.broken` if the expected head does not occur.
    pub fn finish(mut self) -> Result<VerifyReport, Error> {
        // [AUD-65]
        if let (Some(expected), None) = (self.expected_head, self.expected_at) {
            let found =
                format!("{} lines, the last with {}", self.report.records, self.report.head);
            let what = format!("no line has the expected hash {expected}; the log has {found}");
            return Err(Error::new(Code::AuditBroken, what));
        }
        self.report.open = self.open.into_iter().collect();
        self.report.records_after_expected =
            self.expected_at.map(|seq| self.report.records.saturating_sub(seq));
        Ok(self.report)
    }
}
