//! Audit log file names, and errors about the files of a log.

use crate::kernel::error::{Code, Error};
use std::path::Path;

pub(crate) const LOG_FILE: &str = "audit.jsonl";
pub(crate) const KEY_FILE: &str = "audit.key";
pub(crate) const LOCK_FILE: &str = "audit.lock";
pub(crate) const HEAD_FILE: &str = "audit.head";
pub(crate) const TORN_PREFIX: &str = "audit.torn-";
pub(crate) const CALLS_DIR: &str = "calls";

/// Parses the name of a call's file: the `seq` of the intent record, and the bytes of the log before it.
// [AUD-50]
pub(super) fn parse_call_name(name: &str) -> Option<(u64, u64)> {
    let (seq, offset) = name.split_once('-')?;
    Some((seq.parse().ok()?, offset.parse().ok()?))
}

/// Returns the error for a record that cannot be written.
// [AUD-01]
pub(super) fn unavailable(what: impl std::fmt::Display) -> Error {
    Error::new(Code::AuditUnavailable, what.to_string())
}

/// Returns the same error, for a file.
pub(super) fn at<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> Error + Copy + '_ {
    |error| unavailable(format_args!("{}: {error}", path.display()))
}

/// Returns the error for a log that is missing.
pub(super) fn missing() -> Error {
    broken("audit.jsonl is missing", "to start a new log, move the whole directory elsewhere")
}

/// Returns the error for a log that was modified.
pub(super) fn broken(place: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Code::AuditBroken, format!("{place}: {what}"))
}
