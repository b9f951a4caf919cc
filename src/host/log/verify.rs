//! Log verification: checks a log file from its first line to its last.

use super::files::{LOCK_FILE, LOG_FILE};
use super::missing_records::Evidence;
use crate::host::files::{self, optional, Links};
use crate::kernel::audit::{ChainVerifier, VerifyReport};
use crate::kernel::encoding::as_u64;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::AUDIT_LINE_BYTES_MAX;
use serde_json::{Map, Value};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// Verifies the log in the file `path`.
///
/// If `audit.lock` exists beside it, the length is read under that lock, so that a line that is just being
/// written does not look torn. `expected_head` is a head recorded earlier (64 hex digits); a log that does not
/// contain it was truncated or replaced. Without it, lines missing at the end are found only by the other files
/// of the log's own directory, and not in a copy elsewhere.
///
/// # Errors
/// `audit.broken` with the line and its fault, or with the evidence of missing records; `audit.torn` if only
/// the last line is incomplete; `host.file`; `usage` if the expected head is not a hash.
pub fn verify(path: &Path, expected_head: Option<&str>) -> Result<VerifyReport, Error> {
    verify_each(path, expected_head, |_| Ok(()))
}

/// Verifies the log, and passes each record to `check` once the chain is verified up to it. An error of `check`
/// is reported like a fault of the chain.
///
/// # Errors
/// As [`verify`].
// [AUD-60] [AUD-67] [AUD-71] [AUD-76]
pub fn verify_each(
    path: &Path,
    expected_head: Option<&str>,
    check: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<VerifyReport, Error> {
    let fail = files::file_error(path);
    // The other files of a copy's directory say nothing about the copy.
    let dir = (path.file_name() == Some(LOG_FILE.as_ref())).then(|| files::parent_dir(path));
    if let (Some(dir), Some(_)) = (dir, expected_head) {
        if !log_exists(dir)? {
            return verify_lines(&mut &b""[..], expected_head, check);
        }
    }
    let lock = optional(files::open(&path.with_file_name(LOCK_FILE), Links::Followed));
    let lock = lock.map_err(fail)?;
    lock.as_ref().map_or(Ok(()), files::lock_shared).map_err(fail)?;
    let evidence =
        dir.map_or_else(|| Ok(Evidence::default()), Evidence::read).map_err(as_reader_error)?;
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
    let (report, torn) = read_lines(source, expected_head, check)?;
    let end = length_bytes.saturating_sub(torn.unwrap_or(0));
    evidence.check(&file, end, report.records).map_err(as_reader_error)?;
    refuse_torn(report, torn)
}

/// Returns `true` if a log was started in a directory, which need not exist.
///
/// # Errors
/// `audit.broken` if the log is missing and other files show that it existed; `host.file`.
// [AUD-72] [AUD-76]
pub fn log_exists(dir: &Path) -> Result<bool, Error> {
    // In this order, since the log exists before any file that refers to it.
    let evidence = Evidence::read(dir).map_err(as_reader_error)?;
    let log = &dir.join(LOG_FILE);
    let found = optional(log.symlink_metadata()).map_err(files::file_error(log))?;
    found.map_or_else(|| evidence.check_missing().map(|()| false), |_| Ok(true))
}

/// Turns the error of a writer into the error of a reader: `host.file`.
fn as_reader_error(error: Error) -> Error {
    match error.code() {
        Code::AuditUnavailable => Error::new(Code::HostFile, error.detail()),
        _ => error,
    }
}

/// Verifies the lines of `source`.
pub(crate) fn verify_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    check: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<VerifyReport, Error> {
    let (report, torn) = read_lines(source, expected_head, check)?;
    refuse_torn(report, torn)
}

/// Refuses a log whose only fault is a torn last line.
// [AUD-66]
fn refuse_torn(report: VerifyReport, torn: Option<u64>) -> Result<VerifyReport, Error> {
    let Some(bytes) = torn else { return Ok(report) };
    let number = report.records.saturating_add(1);
    let what = format!("line {number} of the log ends after {bytes} bytes without a line feed");
    Err(Error::new(Code::AuditTorn, what))
}

/// Verifies all complete lines of `source`. Returns as well the length of a torn line after them.
// [AUD-06]
fn read_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    mut check: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<(VerifyReport, Option<u64>), Error> {
    let mut chain = ChainVerifier::new(expected_head)?;
    loop {
        let line = match next_line(source) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok((chain.finish()?, None)),
            Err(LineError::Torn(bytes)) => return Ok((chain.finish()?, Some(as_u64(bytes)))),
            Err(LineError::Io(error)) => {
                return Err(chain.line_error(Code::HostFile, &error.to_string()));
            }
            Err(LineError::TooLong) => {
                return Err(chain.line_error(Code::AuditBroken, "longer than any record"));
            }
        };
        let members = chain.verify_line(&line)?;
        check(&members).map_err(|what| {
            let line = chain.records();
            Error::new(Code::AuditBroken, format!("line {line} of the log: {what}"))
        })?;
    }
}

/// Why the next line cannot be read.
#[derive(Debug)]
pub(super) enum LineError {
    Io(io::Error),
    /// The text ends without a line feed, after this number of bytes.
    Torn(usize),
    /// No line feed within the limit.
    TooLong,
}

/// Reads the next line, without its line feed; `None` at the end.
// [AUD-06]
pub(super) fn next_line(source: &mut impl BufRead) -> Result<Option<Vec<u8>>, LineError> {
    let mut line = Vec::new();
    source
        .by_ref()
        .take(as_u64(AUDIT_LINE_BYTES_MAX))
        .read_until(b'\n', &mut line)
        .map_err(LineError::Io)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() >= AUDIT_LINE_BYTES_MAX.saturating_sub(1) => Err(LineError::TooLong),
        Some(_) => Err(LineError::Torn(line.len().saturating_add(1))),
    }
}
