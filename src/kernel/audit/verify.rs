//! Room: checking a log from its first line to its last, without holding more than one line of it.

use super::evidence::Evidence;
use super::files::{LOCK_FILE, LOG_FILE};
use super::record::{self, LineError, Record, GENESIS};
use crate::host::files::{self, if_there, Links};
use crate::kernel::encoding::{as_u64, unhex};
use crate::kernel::error::{Code, Error};
use crate::kernel::prelude::*;
use alloc::collections::BTreeSet;
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// What a log that verifies holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
/// at the end are seen only by what else is in the log's own directory, and not in a copy elsewhere.
///
/// # Errors
/// `audit.broken` with the line and what is wrong with it, or with what shows that records are missing;
/// `audit.torn` if only the last line is incomplete, `host.file`, `usage` for an expected head that is none.
pub fn verify(path: &Path, expected_head: Option<&str>) -> Result<Report, Error> {
    verify_each(path, expected_head, |_| Ok(()))
}

/// Verifies the log, and has each record looked at once the chain is known to hold up to it. What `look`
/// finds wrong is told like a fault of the chain.
///
/// # Errors
/// As [`verify`].
// [AUD-60] [AUD-67] [AUD-71] [AUD-76]
pub fn verify_each(
    path: &Path,
    expected_head: Option<&str>,
    look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<Report, Error> {
    let fail = files::failed(path);
    // What lies beside a copy is not about the copy.
    let dir = (path.file_name() == Some(LOG_FILE.as_ref())).then(|| files::folder_of(path));
    if let (Some(dir), Some(_)) = (dir, expected_head) {
        if !is_begun(dir)? {
            return verify_lines(&mut &b""[..], expected_head, look);
        }
    }
    let lock = if_there(files::open(&path.with_file_name(LOCK_FILE), Links::Followed));
    let lock = lock.map_err(fail)?;
    lock.as_ref().map_or(Ok(()), files::lock_shared).map_err(fail)?;
    let evidence =
        dir.map_or_else(|| Ok(Evidence::default()), Evidence::read).map_err(read_only)?;
    let file = match files::open(path, Links::Followed) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            evidence.check_missing()?;
            return Err(fail(error));
        }
        opened => opened.map_err(fail)?,
    };
    let length_bytes = file.metadata().map_err(fail)?.len();
    drop(lock);
    let source = &mut BufReader::new((&file).take(length_bytes));
    let (report, torn) = read_lines(source, expected_head, look)?;
    let end = length_bytes.saturating_sub(torn.unwrap_or(0));
    evidence.check(&file, end, report.records).map_err(read_only)?;
    whole(report, torn)
}

/// Whether a log was begun in a directory, which need not exist.
///
/// # Errors
/// `audit.broken` if the log is missing, and anything else shows that there was one; `host.file`.
// [AUD-72] [AUD-76]
pub fn is_begun(dir: &Path) -> Result<bool, Error> {
    // In this order, since a log is there before anything that tells of it.
    let evidence = Evidence::read(dir).map_err(read_only)?;
    let log = &dir.join(LOG_FILE);
    let found = if_there(log.symlink_metadata()).map_err(files::failed(log))?;
    found.map_or_else(|| evidence.check_missing().map(|()| false), |_| Ok(true))
}

/// What keeps a writer from recording is for a reader a file like any other.
fn read_only(error: Error) -> Error {
    match error.code() {
        Code::AuditUnavailable => Error::new(Code::HostFile, error.detail()),
        _ => error,
    }
}

/// Verifies the lines of `source`.
pub(super) fn verify_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<Report, Error> {
    let (report, torn) = read_lines(source, expected_head, look)?;
    whole(report, torn)
}

/// Refuses a log that ends in a torn line, and has no other fault.
// [AUD-66]
fn whole(report: Report, torn: Option<u64>) -> Result<Report, Error> {
    let Some(bytes) = torn else { return Ok(report) };
    let number = report.records.saturating_add(1);
    let what = format!("line {number} of the log ends after {bytes} bytes without a line feed");
    Err(Error::new(Code::AuditTorn, what))
}

/// Verifies all whole lines of `source`. Gives also the length of a torn line behind them.
fn read_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    mut look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<(Report, Option<u64>), Error> {
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
            Ok(None) => return Ok((chain.end()?, None)),
            Err(LineError::Torn(bytes)) => return Ok((chain.end()?, Some(as_u64(bytes)))),
            Err(LineError::Io(error)) => {
                let what = format!("line {number} of the log: {error}");
                return Err(Error::new(Code::HostFile, what));
            }
            Err(LineError::TooLong) => return Err(broken("longer than any record".to_owned())),
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
        let report = Report { head: GENESIS.to_owned(), ..Report::default() };
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
