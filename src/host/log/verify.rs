//! Checking a log in a file, from its first line to its last.

use super::evidence::Evidence;
use super::files::{LOCK_FILE, LOG_FILE};
use crate::host::files::{self, if_there, Links};
use crate::kernel::audit::{ChainVerifier, VerifyReport};
use crate::kernel::encoding::as_u64;
use crate::kernel::error::{Code, Error};
use crate::kernel::limits::AUDIT_LINE_BYTES_MAX;
use serde_json::{Map, Value};
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

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
pub fn verify(path: &Path, expected_head: Option<&str>) -> Result<VerifyReport, Error> {
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
) -> Result<VerifyReport, Error> {
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
pub(crate) fn verify_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
) -> Result<VerifyReport, Error> {
    let (report, torn) = read_lines(source, expected_head, look)?;
    whole(report, torn)
}

/// Refuses a log that ends in a torn line, and has no other fault.
// [AUD-66]
fn whole(report: VerifyReport, torn: Option<u64>) -> Result<VerifyReport, Error> {
    let Some(bytes) = torn else { return Ok(report) };
    let number = report.records.saturating_add(1);
    let what = format!("line {number} of the log ends after {bytes} bytes without a line feed");
    Err(Error::new(Code::AuditTorn, what))
}

/// Verifies all whole lines of `source`. Gives also the length of a torn line behind them.
// [AUD-06]
fn read_lines(
    source: &mut impl BufRead,
    expected_head: Option<&str>,
    mut look: impl FnMut(&Map<String, Value>) -> Result<(), String>,
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
        look(&members).map_err(|what| {
            let line = chain.records();
            Error::new(Code::AuditBroken, format!("line {line} of the log: {what}"))
        })?;
    }
}

/// Why no further line could be read.
#[derive(Debug)]
pub(super) enum LineError {
    Io(io::Error),
    /// The text ends without a line feed, after so many bytes.
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
