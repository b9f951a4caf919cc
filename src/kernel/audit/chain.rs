//! The chain: whether lines follow each other as they were written, without holding more than one of them.

use super::record::{read, Record, GENESIS};
use crate::kernel::encoding::unhex;
use crate::kernel::prelude::*;
use serde_json::{Map, Value};

/// What a log that verifies holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
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

/// A log that is verified line by line: what is known after so many.
///
/// ```
/// use mpp::audit::Chain;
/// let mut chain = Chain::new(None)?;
/// assert!(chain.accept(b"{}").unwrap_err().detail().starts_with("line 1 of the log: "));
/// assert_eq!(Chain::new(None)?.end()?.records, 0);
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    report: VerifyReport,
    open: BTreeSet<u64>,
    expected_head: Option<&'a str>,
    expected_at: Option<u64>,
}

impl<'a> Chain<'a> {
    /// One that has no line yet. `expected_head` is a head noted earlier (64 hex digits); a log in which it
    /// does not occur was cut or replaced.
    ///
    /// # Errors
    /// `usage` for an expected head that is none.
    pub fn new(expected_head: Option<&'a str>) -> Result<Self, Error> {
        if expected_head.is_some_and(|head| unhex::<32>(head).is_none()) {
            let what = "the expected head is not 64 lower-case hex digits";
            return Err(Error::new(Code::Usage, what));
        }
        let report = VerifyReport { head: GENESIS.to_owned(), ..VerifyReport::default() };
        let expected_at = (expected_head == Some(GENESIS)).then_some(0);
        Ok(Chain { report, open: BTreeSet::new(), expected_head, expected_at })
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.report.records
    }

    /// An error about the line that comes next.
    pub fn fault(&self, code: Code, what: &str) -> Error {
        let number = self.report.records.saturating_add(1);
        Error::new(code, format!("line {number} of the log: {what}"))
    }

    /// Takes the next line, given without its line feed, and gives its members.
    ///
    /// # Errors
    /// `audit.broken` with the line's number and what is wrong with it.
    // [AUD-60]
    pub fn accept(&mut self, line: &[u8]) -> Result<Map<String, Value>, Error> {
        let broken = |what: String| self.fault(Code::AuditBroken, &what);
        let record = read(line).map_err(broken)?;
        self.follow(&record).map_err(|what| self.fault(Code::AuditBroken, &what))?;
        Ok(record.members)
    }

    fn follow(&mut self, record: &Record) -> Result<(), String> {
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

    /// What all lines together hold, if no more come.
    ///
    /// # Errors
    /// `audit.broken` if the expected head did not occur.
    pub fn end(mut self) -> Result<VerifyReport, Error> {
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
