//! The names of a log's files, and the errors that say what is wrong with one.

use crate::kernel::error::{Code, Error};
use std::path::Path;

pub(crate) const LOG_FILE: &str = "audit.jsonl";
pub(crate) const KEY_FILE: &str = "audit.key";
pub(crate) const LOCK_FILE: &str = "audit.lock";
pub(crate) const HEAD_FILE: &str = "audit.head";
pub(crate) const TORN_PREFIX: &str = "audit.torn-";
pub(crate) const CALLS_DIR: &str = "calls";

/// The `seq` of a call's intent and the bytes of the log before it, by the name of the call's file.
// [AUD-50]
pub(super) fn place_of(name: &str) -> Option<(u64, u64)> {
    let (seq, offset) = name.split_once('-')?;
    Some((seq.parse().ok()?, offset.parse().ok()?))
}

/// The error for whatever keeps a record from being written.
// [AUD-01]
pub(super) fn unavailable(what: impl std::fmt::Display) -> Error {
    Error::new(Code::AuditUnavailable, what.to_string())
}

/// The same of one file.
pub(super) fn at<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> Error + Copy + '_ {
    |error| unavailable(format_args!("{}: {error}", path.display()))
}

/// The error for a log that is not there.
pub(super) fn missing() -> Error {
    broken("audit.jsonl is missing", "to begin anew, move its whole directory elsewhere")
}

/// The error for a log that is not as it was written.
pub(super) fn broken(place: &str, what: impl std::fmt::Display) -> Error {
    Error::new(Code::AuditBroken, format!("{place}: {what}"))
}
